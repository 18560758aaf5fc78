/* What a program makes of its own: an operation as a record, an optimizer as a class. Whatever rules may ask
 * gets its answer, and a record is refused with the reason. (Foreign functions: test_foreign.c; metrics:
 * test_train.c; initializers and layers: test_layers.c.) */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <stdio.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"",
              gt_error_message(), text);
    gt_error_clear();
}

/* ---- y = factor (x[0] + x[1] + ...), of one to three vectors of float64 ---- */

#define mix_OPTIONS(F, S) F(S, double, factor, 1, "times the sum")
GT_OPTIONS(mix_options, mix_OPTIONS);
GT_OPTION_TYPE(mix_options, mix_OPTIONS);

static int asked;       /* how many inputs' gradients were wanted, in all */
static int64_t rows[2]; /* what the rule was told of the first input's and the output's size */

static gt_Status mix_shape(gt_ShapeRule *rule)
{
    for (int i = 0; i < rule->inputs; i++)
        if (rule->input[i]->dtype != GT_FLOAT64 || rule->input[i]->rank != 1 ||
            rule->input[i]->size != rule->input[0]->size)
            return gt_fail(GT_INVALID, "expected vectors of float64 of one length");
    rule->output[0] = *rule->input[0];
    rule->scratch = sizeof(double);
    return GT_OK;
}

static void mix_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                      void *scratch)
{
    double *sum = scratch, factor = *(double *)argument;
    for (int64_t i = first; i < last; i++) {
        *sum = 0;
        for (int k = 0; k < kernel->inputs; k++)
            *sum += ((const double *)kernel->input[k])[i];
        ((double *)kernel->output[0])[i] = factor * *sum;
    }
}

static gt_Status mix_run(const gt_Kernel *kernel)
{
    double factor = ((const mix_options *)kernel->options)->factor;
    return gt_for_tiles(kernel, kernel->output_spec[0]->size, mix_tiles, &factor);
}

static gt_Status mix_gradient(gt_GradientRule *rule)
{
    const mix_options *options = gt_rule_options(rule);
    rows[0] = gt_rule_input_spec(rule, 0)->size;
    rows[1] = gt_rule_output_spec(rule, 0)->size;
    for (int i = 0; i < gt_rule_inputs(rule); i++)
        if (gt_wants(rule, i)) {
            asked++;
            gt_give(rule, i, gt_multiply(gt_upstream(rule, 0), options->factor));
        }
    return gt_status();
}

static const gt_Operation mix = {.size = sizeof(gt_Operation),
                                 .name = "mix",
                                 .formula = "factor (x[0] + x[1] + ...)",
                                 .options = &mix_options_type,
                                 .inputs_min = 1,
                                 .inputs_max = 3,
                                 .outputs = 1,
                                 .shape = mix_shape,
                                 .run = mix_run,
                                 .gradient = mix_gradient};
#define mix(list, ...)                                                                             \
    gt_apply_one_at(GT_HERE, &mix, GT_KEYWORDS(mix, __VA_ARGS__), (list).count, (list).items)

Test(records, rules_are_told_what_they_ask)
{
    gt_Tensor *a = gt_array64(gt_shape(3), 1, 2, 3), *b = gt_array64(gt_shape(3), 10, 20, 30);
    for (int threads = 1; threads <= 3; threads++) {
        gt_set_threads(threads);
        gt_Tensor *y = mix(gt_tensors(a, b, a), .factor = 2);
        ok("mix");
        for (int i = 0; i < 3; i++)
            cr_assert_eq(gt_element(y, i), 24 * (i + 1));
    }
    cr_assert_eq(gt_size(mix(gt_tensors(gt_zeros(gt_shape(0), .dtype = GT_FLOAT64)), .factor = 1)), 0);

    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, b);
    gt_Tensor *slope = gt_gradient(tape, mix(gt_tensors(a, b, a), .factor = 3), b);
    ok("its gradient");
    cr_assert(gt_element(slope, 0) == 3 && gt_element(slope, 2) == 3);
    cr_assert_eq(asked, 1, "b alone was watched; %d were wanted", asked);
    cr_assert(rows[0] == 3 && rows[1] == 3);
    gt_tape_end(tape);

    mix(gt_tensors(a, gt_ones(gt_shape(3))), .factor = 1);
    fails(GT_INVALID, "mix: expected vectors of float64 of one length");
    gt_apply_one(&mix, NULL, 0, NULL);
    fails(GT_INVALID, "mix: ");
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(records, found_by_name)
{
    cr_assert_null(gt_registered_operation("mix"));
    cr_assert_eq(gt_register_operation(&mix), GT_OK);
    cr_assert(gt_registered_operation("mix") == &mix && gt_operation_find("mix") == &mix);
    cr_assert_null(gt_registered_operation("add"), "a built-in one is not registered");
    cr_assert(gt_operation_find("add") && gt_status() == GT_OK);

    gt_register_operation(&mix);
    fails(GT_INVALID, "mix");
    gt_Operation other = mix;
    other.name = "add";
    gt_register_operation(&other);
    fails(GT_INVALID, "add");
    other.name = NULL;
    gt_register_operation(&other);
    fails(GT_INVALID, "name");
    gt_register_operation(NULL);
    fails(GT_INVALID, "name");

    gt_context_free(NULL);
    cr_assert_null(gt_registered_operation("mix"), "it belonged to the context before");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- w -= lr g, and one slot that counts updates ---- */

static gt_Status step_shape(gt_ShapeRule *rule)
{
    rule->output[0] = *rule->input[0];
    rule->output[1] = *rule->input[1];
    return GT_OK;
}

static gt_Status step_run(const gt_Kernel *kernel)
{
    float *w = kernel->output[0], *count = kernel->output[1];
    const float *gradient = kernel->input[2];
    double rate = *(const double *)kernel->input[3];
    for (int64_t i = 0; i < kernel->output_spec[0]->size; i++) {
        w[i] -= (float)rate * gradient[i];
        count[i] += 1;
    }
    return GT_OK;
}

static const gt_Operation step = {.size = sizeof(gt_Operation),
                                  .name = "step",
                                  .formula = "w -= lr g; count += 1",
                                  .flags = GT_OP_EFFECT | GT_OP_NOT_DIFFERENTIABLE,
                                  .why_not = "a change of state has no gradient",
                                  .inputs_min = 5,
                                  .inputs_max = 5,
                                  .outputs = 2,
                                  .shape = step_shape,
                                  .run = step_run};

#define descent_OPTIONS(F, S) F(S, double, learning_rate, 0.01, "length of a step")
GT_OPTIONS(descent_options, descent_OPTIONS);
GT_OPTION_TYPE(descent_options, descent_OPTIONS);

static int descent_slots(const void *options, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)variable;
    (void)options;
    slots[0] = (gt_OptimizerSlot){.name = "count", .initial = 0};
    return 1;
}

static gt_Status descent_check(const void *options)
{
    if (((const descent_options *)options)->learning_rate > 1)
        return gt_fail(GT_INVALID, "learning_rate must be at most 1");
    return GT_OK;
}

static gt_Status descent_update(const gt_OptimizerUpdate *update)
{
    cr_assert_eq(update->slot_count, 1);
    return gt_optimizer_apply(&step, NULL, update);
}

static const gt_OptimizerClass descent_class = {.size = sizeof(gt_OptimizerClass),
                                                .name = "descent",
                                                .options = &descent_options_type,
                                                .slots = descent_slots,
                                                .check = descent_check,
                                                .update = descent_update};
#define descent(...)                                                                               \
    gt_optimizer_new(&descent_class, GT_KEYWORDS_MAYBE_1(descent, learning_rate, __VA_ARGS__))

static gt_Status two_steps(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *w = ((void **)context)[0];
    for (int i = 0; i < 2; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_minimize(((void **)context)[1], tape, gt_sum(gt_multiply(w, in[0])), gt_tensors(w));
        gt_tape_end(tape);
    }
    out[0] = gt_identity(w);
    return gt_status();
}

Test(records, an_optimizer)
{
    gt_Variable *w = gt_variable(gt_array(gt_shape(2), 1, 2), .name = "w");
    gt_Optimizer *optimizer = descent(0.25);
    const descent_options *options = gt_optimizer_options(optimizer);
    cr_assert(options->learning_rate == 0.25 && gt_optimizer_class(optimizer) == &descent_class);
    cr_assert_str_eq(gt_optimizer_name(optimizer), "descent");
    gt_optimizer_build(optimizer, gt_tensors(w));
    ok("built");

    void *both[] = {w, optimizer};
    gt_Tensor *slope = gt_array(gt_shape(2), 1, -1), *out;
    two_steps(both, &slope, &out); /* eagerly */
    cr_assert(gt_element(w, 0) == 0.5 && gt_element(w, 1) == 2.5);
    gt_Function *function = gt_function(two_steps, both);
    gt_function_call(function, gt_tensors(slope), &out); /* as a plan */
    ok("planned");
    cr_assert(gt_element(w, 0) == 0 && gt_element(w, 1) == 3);
    cr_assert_eq(gt_element(gt_optimizer_slot(optimizer, w, "count"), 0), 4);
    cr_assert_eq(gt_optimizer_iterations(optimizer), 4);
    char text[64];
    cr_assert_str_eq(
        gt_optimizer_variable_name(optimizer, 2, NULL, NULL, text, sizeof text), "w_count");

    cr_assert_null(descent(2));
    fails(GT_INVALID, "learning_rate must be at most 1");
    cr_assert_null(gt_optimizer_new(NULL, NULL));
    fails(GT_INVALID, "");
    gt_function_free(function);
    gt_optimizer_free(optimizer);
    gt_variable_free(w);
    gt_context_free(NULL);
    assert_no_leaks();
}
