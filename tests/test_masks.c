/* What becomes of masks: the rule of every operation, from its samples. One input gets a mask over its leading axes, its padded
 * elements get other numbers, and each element of an output that is not the same as before must be left out by the mask
 * which the rule gives that output. A rule that refuses must have a reason: some element that changed though the mask of
 * the input, broadcast, does not leave it out. */
#include <criterion/criterion.h>

#include "core/inside.h"
#include "ops/masks.h"
#undef GT_HERE
#define GT_HERE "test_masks.c"
#include "operations.h"

#include "leaks.h"

#include <stdio.h>

/* Those whose record has no rule yet. Nobody joins. */
static const char *const missing[] = {
#include "masks_missing.inc"
    NULL};

static bool is_missing(const char *name)
{
    for (int i = 0; missing[i]; i++)
        if (strcmp(missing[i], name) == 0)
            return true;
    return false;
}

Test(masks, every_record_has_a_rule)
{
    int count;
    const gt_Operation *const *operations = gt_operations(&count);
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        bool without = operation->flags & (GT_OP_INTERNAL | GT_OP_EFFECT);
        cr_expect(without || (operation->mask == NULL) == is_missing(operation->name), "%s %s",
                  operation->name,
                  operation->mask ? "has a rule; take it off the list" : "has no mask rule");
    }
}

/* One try: sample and types, which input has the mask, how many axes it covers. */
typedef struct Try {
    Case *c;
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
    int input, axes;
    bool mask[CASE_NUMBERS]; /* true: counts */
    int64_t behind;          /* elements behind one of the mask */
} Try;

/* A mask that leaves out about a third, but neither nothing nor all if there are two. */
static void draw_mask(Try *try, uint64_t *state)
{
    const gt_Shape *shape = &try->c->sample->input[try->input].shape;
    int64_t size = 1;
    for (int d = 0; d < try->axes; d++)
        size *= shape->dims[d];
    try->behind = try->c->size[try->input] / size;
    for (int64_t k = 0; k < size; k++)
        try->mask[k] = next_uniform(state) > 0.35;
    try->mask[(int64_t)(next_uniform(state) * (double)size)] = true;
    if (size > 1 || !try->mask[0])
        try->mask[(int64_t)(next_uniform(state) * (double)size)] = false;
}

static gt_Tensor *mask_tensor(const Try *try, bool all)
{
    gt_Shape shape = try->c->sample->input[try->input].shape;
    shape.rank = try->axes;
    double numbers[CASE_NUMBERS];
    int64_t size = try->c->size[try->input] / try->behind;
    for (int64_t k = 0; k < size; k++)
        numbers[k] = all || try->mask[k];
    return gt_from_values_at(NULL, shape, GT_BOOL, size, numbers);
}

/* The rule of the operation; its masks in `given`. */
static gt_Status ask(const Try *try, gt_Tensor *mask, gt_Tensor **given)
{
    const gt_Operation *operation = try->c->operation;
    gt_ShapeRule shape = {.operation = operation,
                          .options = try->c->sample->options,
                          .inputs = try->c->sample->inputs,
                          .outputs = operation->outputs};
    _Alignas(16) char full[512];
    if (operation->options) {
        gt_options_take(operation->options, full, try->c->sample->options);
        shape.options = full;
    }
    for (int i = 0; i < shape.inputs; i++)
        shape.input[i] = try->in[i] ? gt_tensor_spec(try->in[i]) : NULL;
    for (int i = 0; i < shape.outputs; i++)
        shape.output[i] = *gt_tensor_spec(try->out[i]);
    gt_MaskRule rule = {.shape = &shape, .tensor = try->in};
    rule.input[try->input] = mask;
    gt_Status status = operation->mask(&rule);
    memcpy(given, rule.output, sizeof rule.output[0] * (size_t)shape.outputs);
    return status;
}

/* Draws new numbers for the padded elements and runs the operation again. */
static gt_Status disturb(Try *try, uint64_t *state, gt_Tensor **again)
{
    Case *c = try->c;
    static Case other;
    other = *c;
    const gt_SampleInput *input = &c->sample->input[try->input];
    for (int64_t k = 0; k < c->size[try->input]; k++)
        for (int n = 0; n < 100 && !try->mask[k / try->behind]; n++) {
            double x = input->low + (input->high - input->low) * next_uniform(state);
            other.numbers[try->input][k] =
                gt_dtype_is_float(input->dtype) ? x + on_diagonal(input, k) : floor(x);
            if (acceptable(input, other.numbers[try->input], k))
                break;
        }
    gt_Tensor *in[CASE_INPUTS];
    memcpy(in, try->in, sizeof in);
    in[try->input] = case_input(&other, try->input);
    return case_apply(c, in, again);
}

/* Does the mask, over leading axes of the output, leave out element k? NULL leaves out nothing. */
static bool left_out(const gt_Tensor *mask, const gt_Spec *out, int64_t k)
{
    if (!mask)
        return false;
    int64_t behind = gt_tensor_spec(mask)->size ? out->size / gt_tensor_spec(mask)->size : 1;
    return !((const uint8_t *)gt_data(mask))[k / behind];
}

/* The first element of an output that changed though the mask does not leave it out; -1: none. */
static int64_t leak(const gt_Tensor *before, const gt_Tensor *after, const gt_Tensor *mask)
{
    const gt_Spec *spec = gt_tensor_spec(before);
    size_t element = gt_dtype_size(spec->dtype);
    const char *a = gt_data(before), *b = gt_data(after);
    for (int64_t k = 0; k < spec->size; k++)
        if (memcmp(a + (size_t)k * element, b + (size_t)k * element, element) != 0 &&
            !left_out(mask, spec, k))
            return k;
    return -1;
}

/* Would the mask, broadcast as its input, have left out all that changed? */
static bool needless(const Try *try, gt_Tensor *mask, gt_Tensor *const *again)
{
    const gt_Operation *operation = try->c->operation;
    for (int o = 0; o < operation->outputs; o++) {
        const gt_Spec *out = gt_tensor_spec(try->out[o]), *in = gt_tensor_spec(try->in[try->input]);
        gt_Shape shape = {GT_MARK, out->rank - in->rank + try->axes, {0}}, ones = shape;
        if (shape.rank < try->axes)
            return false;
        for (int d = 0; d < shape.rank; d++) {
            shape.dims[d] = out->dims[d];
            int from = d - (out->rank - in->rank);
            ones.dims[d] = from < 0 ? 1 : in->dims[from];
            if (ones.dims[d] != 1 && ones.dims[d] != shape.dims[d])
                return false;
        }
        if (leak(try->out[o], again[o], gt_broadcast_to(gt_reshape(mask, ones), shape)) >= 0)
            return false;
    }
    return true;
}

typedef struct Tally {
    int tries, refused, needed; /* of one operation and input */
} Tally;

static void try_mask(Try *try, uint64_t *state, Tally *tally)
{
    const char *name = try->c->operation->name;
    gt_Tensor *again[GT_MAX_OUTPUTS], *given[GT_MAX_OUTPUTS] = {NULL};
    draw_mask(try, state);
    gt_Tensor *mask = mask_tensor(try, false);
    if (disturb(try, state, again) !=
        GT_OK) { /* the numbers do not fit together: labels that are not sorted */
        gt_error_clear();
        return;
    }
    tally->tries++;
    if (ask(try, mask, given) != GT_OK) {
        cr_expect(strstr(gt_error_message(), "gt_mask(x)") &&
                      strstr(gt_error_message(), "gt_unmask(x)"),
                  "%s: %s", name, gt_error_message());
        gt_error_clear();
        tally->refused++;
        tally->needed += !needless(try, mask, again);
        return;
    }
    for (int o = 0; o < try->c->operation->outputs; o++) {
        const gt_Spec *out = gt_tensor_spec(try->out[o]);
        const gt_Spec *spec = given[o] ? gt_tensor_spec(given[o]) : NULL;
        cr_assert(!spec ||
                      (spec->dtype == GT_BOOL && spec->rank <= out->rank &&
                       memcmp(spec->dims, out->dims, (size_t)spec->rank * sizeof *spec->dims) == 0),
                  "%s: the mask of output %d is not over its leading axes", name, o);
        int64_t at = leak(try->out[o], again[o], given[o]);
        cr_expect(at < 0,
                  "%s, sample %d: input %d masked over %d axes: element %d of output %d depends on "
                  "padding",
                  name, (int)(try->c->sample - try->c->operation->samples), try->input, try->axes,
                  (int)at, o);
    }
    /* A mask that leaves out nothing gives one that leaves out nothing. */
    cr_assert(ask(try, mask_tensor(try, true), given) == GT_OK, "%s: %s", name, gt_error_message());
    for (int o = 0; o < try->c->operation->outputs; o++)
        for (int64_t k = 0; given[o] && k < gt_tensor_spec(given[o])->size; k++)
            cr_expect(((const uint8_t *)gt_data(given[o]))[k],
                      "%s: a mask of ones leaves out element %d", name, (int)k);
}

Test(masks, padding_never_counts)
{
    int count, tries = 0, refused = 0;
    uint64_t state = 1;
    static Case c;
    const gt_Operation *const *operations = gt_operations(&count);
    for (int n = 0; n < count; n++) {
        Tally tally[CASE_INPUTS] = {{0}};
        bool gives = operations[n]->flags & GT_OP_MASKS || operations[n] == &gt_op_unmask;
        if (!operations[n]->mask || operations[n]->flags & (GT_OP_EFFECT | GT_OP_CONTROL) || gives)
            continue; /* what gives or takes masks is in test_layers_masks */
        for (const gt_Sample *sample = operations[n]->samples; sample->inputs || sample->none;
             sample++) {
            fill_case(&c, operations[n], sample, GT_FLOAT64);
            if (!case_possible(&c))
                continue;
            gt_Scope *scope = gt_scope_begin();
            static Try try;
            try = (Try){.c = &c};
            case_inputs(&c, try.in);
            cr_assert(case_apply(&c, try.in, try.out) == GT_OK, "%s: %s", operations[n]->name,
                      gt_error_message());
            for (try.input = 0; try.input < sample->inputs; try.input++)
                for (try.axes = 1;
                     try.in[try.input] && try.axes <= sample->input[try.input].shape.rank;
                     try.axes++)
                    for (int k = 0;
                         c.size[try.input] > 0 && c.size[try.input] <= CASE_NUMBERS && k < 4; k++)
                        try_mask(&try, &state, &tally[try.input]);
            gt_scope_end(scope);
        }
        for (int i = 0; i < CASE_INPUTS; i++) {
            cr_expect(tally[i].refused == 0 || tally[i].needed > 0,
                      "%s: refuses masks of input %d though padding does not spread",
                      operations[n]->name, i);
            tries += tally[i].tries;
            refused += tally[i].refused;
        }
    }
    printf("%d masks, %d of them refused\n", tries, refused);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* a (2, 3) with a mask (2), b (4, 2, 3) with a mask (4, 2, 3): the sum has the AND of both, over all of its axes. */
Test(masks, several_are_joined)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_from_values(gt_shape(2), GT_BOOL, 2, (double[]){1, 0});
    gt_Tensor *b = gt_broadcast_to(gt_from_values(gt_shape(3), GT_BOOL, 3, (double[]){1, 1, 0}),
                                   gt_shape(4, 2, 3));
    gt_Spec small = *gt_tensor_spec(gt_zeros(gt_shape(2, 3))),
            large = *gt_tensor_spec(gt_zeros(gt_shape(4, 2, 3)));
    gt_ShapeRule shape = {
        .operation = &gt_op_add, .inputs = 2, .outputs = 1, .input = {&small, &large}};
    shape.output[0] = large;
    gt_MaskRule rule = {.shape = &shape, .input = {a, b}};
    cr_assert(gt_mask_keep(&rule) == GT_OK, "%s", gt_error_message());
    gt_Tensor *want = gt_from_values(gt_shape(2, 3), GT_BOOL, 6, (double[]){1, 1, 0, 0, 0, 0});
    cr_assert(gt_tensor_spec(rule.output[0])->rank == 3);
    cr_expect(gt_item(gt_all(gt_equal(rule.output[0], want))) == 1);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
