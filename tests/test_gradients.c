/* Walks the table of operations: every entry is either not differentiable and says so, or its first
 * and second derivatives in float64 agree with central differences at all its samples. No entry
 * escapes; the names are printed. */
#include <criterion/criterion.h>

#include "leaks.h"
#include "operations.h"
#include "optim/optimizer.h"

#include <stdio.h>

static double weight_of(int output, int64_t i)
{
    return sin(1.0 + 3.7 * output + 1.3 * (double)i);
}

/* sum over outputs of output * weight, as a tensor. */
static gt_Tensor *weighted_sum(int count, gt_Tensor *const *tensors, int salt)
{
    gt_Tensor *total = NULL;
    for (int k = 0; k < count; k++) {
        if (!tensors[k] || !gt_dtype_is_float(gt_dtype(tensors[k])))
            continue;
        int64_t size = gt_size(tensors[k]);
        double *weights = malloc((size_t)(size ? size : 1) * sizeof *weights);
        for (int64_t i = 0; i < size; i++)
            weights[i] = weight_of(k + salt, i);
        gt_Tensor *w = gt_from_values_at(NULL, gt_tensor_shape(tensors[k]), gt_dtype(tensors[k]),
                                         size, weights);
        free(weights);
        gt_Tensor *part = gt_sum(gt_multiply(tensors[k], w));
        total = total ? gt_add(total, part) : part;
    }
    return total;
}

static double first_value(const Case *c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
    case_inputs(c, in);
    case_apply(c, in, out);
    double value = gt_item(weighted_sum(c->operation->outputs, out, 0));
    gt_scope_end(scope);
    return value;
}

/* The weighted sum of all first derivatives. */
static double second_value(const Case *c)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS], *sources[CASE_INPUTS], *g[CASE_INPUTS];
    int count = 0;
    case_inputs(c, in);
    for (int i = 0; i < c->sample->inputs; i++)
        if (in[i] && gt_dtype_is_float(case_type(c, i))) {
            gt_watch(tape, in[i]);
            sources[count++] = in[i];
        }
    case_apply(c, in, out);
    gt_Tensor *loss = weighted_sum(c->operation->outputs, out, 0);
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){sources, count}), g,
                 .unconnected = GT_UNCONNECTED_ZERO);
    double value = gt_item(weighted_sum(count, g, 5));
    gt_tape_end(tape);
    return value;
}

static void compare(const Case *c, int input, int64_t at, double analytic, double numeric,
                    const char *order)
{
    double scale = fmax(1, fmax(fabs(analytic), fabs(numeric)));
    cr_assert(fabs(analytic - numeric) <= 2e-6 * scale,
              "%s, sample %d, %s derivative of input %d at %d: rule %.12g, differences %.12g",
              c->operation->name, (int)(c->sample - c->operation->samples), order, input, (int)at,
              analytic, numeric);
}

static void check_case(Case *c)
{
    const double h = 1e-5;
    const char *name = c->operation->name;
    gt_Tape *outer = gt_tape_begin();
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS], *sources[CASE_INPUTS], *g[CASE_INPUTS];
    int which[CASE_INPUTS], count = 0;
    case_inputs(c, in);
    for (int i = 0; i < c->sample->inputs; i++)
        if (in[i] && gt_dtype_is_float(case_type(c, i))) {
            gt_watch(outer, in[i]);
            gt_watch(tape, in[i]);
            which[count] = i;
            sources[count++] = in[i];
        }
    case_apply(c, in, out);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    gt_Tensor *loss = weighted_sum(c->operation->outputs, out, 0);
    if (!loss || count == 0) { /* whole numbers only */
        gt_tape_end(tape);
        gt_tape_end(outer);
        return;
    }
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){sources, count}), g,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    gt_tape_end(tape);
    double analytic[CASE_INPUTS][CASE_NUMBERS], second[CASE_INPUTS][CASE_NUMBERS];
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < c->size[which[k]]; i++)
            analytic[k][i] = gt_element(g[k], i);
    gt_Tensor *slope = weighted_sum(count, g, 5);
    gt_gradients(outer, gt_tensors(slope), ((gt_Tensors){sources, count}), g,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s, second order: %s", name, gt_error_message());
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < c->size[which[k]]; i++)
            second[k][i] = gt_element(g[k], i);
    gt_tape_end(outer);
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < c->size[which[k]]; i++) {
            double *x = &c->numbers[which[k]][i], at = *x;
            *x = at + h;
            double up = first_value(c), up2 = second_value(c);
            *x = at - h;
            double down = first_value(c), down2 = second_value(c);
            *x = at;
            compare(c, which[k], i, analytic[k][i], (up - down) / (2 * h), "first");
            compare(c, which[k], i, second[k][i], (up2 - down2) / (2 * h), "second");
        }
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
}

static void check_declared(const gt_Operation *operation)
{
    bool never = operation->flags & GT_OP_NOT_DIFFERENTIABLE;
    cr_assert(operation->name && operation->formula && operation->shape &&
                  (operation->run || operation->lower),
              "%s lacks a part", operation->name);
    cr_assert(never != (operation->gradient != NULL),
              "%s has a rule and says it has none, or neither", operation->name);
    cr_assert(!never || operation->why_not, "%s does not say why it has no gradient",
              operation->name);
    cr_assert(operation->samples && (operation->samples->inputs || operation->samples->none),
              "%s has no samples", operation->name);
    cr_assert(gt_operation_find(operation->name) == operation, "%s is not found by name",
              operation->name);
}

/* Asked for a gradient, an operation without one says so and why. */
static void check_refuses(Case *c)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
    case_inputs(c, in);
    int source = -1;
    for (int i = 0; i < c->sample->inputs && source < 0; i++)
        if (in[i] && gt_dtype_is_float(case_type(c, i)))
            source = i;
    if (source >= 0) {
        gt_watch(tape, in[source]);
        case_apply(c, in, out);
        cr_assert(gt_status() == GT_OK, "%s: %s", c->operation->name, gt_error_message());
        gt_Tensor *loss = gt_sum(gt_cast(out[0], GT_FLOAT64));
        gt_gradient(tape, loss, in[source]);
        cr_assert(gt_status() == GT_NO_GRADIENT, "%s gave a gradient or another error: %s",
                  c->operation->name, gt_error_message());
        cr_assert(strstr(gt_error_message(), c->operation->why_not), "%s: %s", c->operation->name,
                  gt_error_message());
        gt_error_clear();
    }
    gt_tape_end(tape);
}

Test(gradients, table)
{
    static Case c;
    int count, differentiable = 0, samples = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++) {
        const gt_Operation *operation = table[k];
        check_declared(operation);
        if (operation->flags & GT_OP_EFFECT)
            continue;
        bool never = operation->flags & GT_OP_NOT_DIFFERENTIABLE;
        for (const gt_Sample *sample = operation->samples; sample->inputs; sample++, samples++) {
            fill_case(&c, operation, sample, GT_FLOAT64);
            if (!case_possible(&c))
                continue;
            if (never)
                check_refuses(&c);
            else
                check_case(&c);
        }
        differentiable += !never;
        fprintf(stderr, "%s%s", k ? " " : "checked: ", operation->name);
    }
    fprintf(stderr, "\n%d operations, %d with a gradient, first and second order at %d samples\n",
            count, differentiable, samples);
    cr_assert(differentiable > 20);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* float32 follows float64 as far as it can. */
Test(gradients, float32)
{
    static Case c;
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++) {
        const gt_Operation *operation = table[k];
        if (operation->flags & (GT_OP_EFFECT | GT_OP_RANDOM))
            continue;
        for (const gt_Sample *sample = operation->samples; sample->inputs; sample++) {
            gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS], *in2[CASE_INPUTS],
                *out2[GT_MAX_OUTPUTS];
            gt_Scope *scope = gt_scope_begin();
            fill_case(&c, operation, sample, GT_FLOAT64);
            if (!case_possible(&c)) {
                gt_scope_end(scope);
                continue;
            }
            case_inputs(&c, in);
            case_apply(&c, in, out);
            c.real = GT_FLOAT32;
            case_inputs(&c, in2);
            case_apply(&c, in2, out2);
            cr_assert(gt_status() == GT_OK, "%s: %s", operation->name, gt_error_message());
            for (int o = 0; o < operation->outputs; o++)
                for (int64_t i = 0; i < gt_size(out[o]); i++) {
                    double a = gt_element(out[o], i), b = gt_element(out2[o], i);
                    cr_assert((isfinite(a) && fabs(a - b) <= 3e-6 * fmax(1, fabs(a))) ||
                                  (isnan(a) && isnan(b)) || a == b,
                              "%s, sample %d: float64 %.9g, float32 %.9g", operation->name,
                              (int)(sample - operation->samples), a, b);
                }
            gt_scope_end(scope);
        }
    }
}

/* ---- in a plan ---- */

static gt_Status one_operation(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Case *c = context;
    gt_Tensor *in[CASE_INPUTS];
    int given = 0;
    for (int i = 0; i < c->sample->inputs; i++)
        in[i] = c->sample->input[i].dtype == GT_DTYPE_NONE ? NULL : inputs[given++];
    return case_apply(c, in, outputs);
}

/* A plan gives every operation's result bit for bit. */
Test(gradients, planned)
{
    static Case c;
    int count, compared = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++) {
        const gt_Operation *operation = table[k];
        if (operation->flags & GT_OP_EFFECT)
            continue;
        for (const gt_Sample *sample = operation->samples; sample->inputs; sample++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *in[CASE_INPUTS], *given[CASE_INPUTS], *eager[GT_MAX_OUTPUTS],
                *planned[GT_MAX_OUTPUTS];
            int inputs = 0;
            fill_case(&c, operation, sample, GT_FLOAT32);
            case_inputs(&c, in);
            for (int i = 0; i < sample->inputs; i++)
                if (in[i])
                    given[inputs++] = in[i];
            gt_Function *function = gt_function(one_operation, &c, .outputs = operation->outputs);
            case_apply(&c, in, eager);
            gt_function_call(function, ((gt_Tensors){given, inputs}), planned);
            gt_function_call(function, ((gt_Tensors){given, inputs}), planned);
            cr_assert(gt_status() == GT_OK, "%s: %s", operation->name, gt_error_message());
            cr_assert(gt_function_stats(function).runs == 2, "%s did not run as a plan",
                      operation->name);
            for (int o = 0; o < operation->outputs; o++, compared++) {
                gt_Spec a = gt_spec(eager[o]), b = gt_spec(planned[o]);
                cr_assert(a.dtype == b.dtype && a.size == b.size, "%s", operation->name);
                cr_assert(memcmp(gt_data(eager[o]), gt_data(planned[o]),
                                 (size_t)a.size * gt_dtype_size(a.dtype)) == 0,
                          "%s, sample %d: a plan gives other bits", operation->name,
                          (int)(sample - operation->samples));
            }
            gt_function_free(function);
            gt_scope_end(scope);
        }
    }
    cr_assert(compared > 100);
}

/* ---- float16 and bfloat16 ---- */

enum { NUMBERS = 2 * GT_MAX_OUTPUTS * CASE_NUMBERS };

/* A weighted sum in float32, by weights that 8 bits hold. */
static gt_Tensor *eighths(int count, gt_Tensor *const *tensors, int salt)
{
    gt_Tensor *total = NULL;
    for (int k = 0; k < count; k++) {
        if (!tensors[k] || !gt_dtype_is_float(gt_dtype(tensors[k])))
            continue;
        double weights[CASE_NUMBERS];
        for (int64_t i = 0; i < gt_size(tensors[k]); i++)
            weights[i] = (double)((7 * i + 3 * k + salt) % 11 - 5) / 8;
        gt_Tensor *w = gt_from_values_at(NULL, gt_tensor_shape(tensors[k]), GT_FLOAT32,
                                         gt_size(tensors[k]), weights);
        gt_Tensor *part = gt_sum(gt_multiply(gt_cast(tensors[k], GT_FLOAT32), w));
        total = total ? gt_add(total, part) : part;
    }
    return total;
}

static int note(int count, gt_Tensor *const *tensors, gt_DType narrowed, double *all)
{
    int noted = 0;
    for (int k = 0; k < count; k++) {
        gt_Tensor *x = tensors[k];
        if (narrowed && gt_dtype(x) == GT_FLOAT32)
            x = gt_cast(x, narrowed);
        for (int64_t i = 0; i < gt_size(x); i++)
            all[noted++] = gt_element(x, i);
    }
    return noted;
}

/* Results, first and second derivatives, as doubles; how many they are. The inputs in `some` are
 * stored as `half`, or, if not `really`, only rounded to it, and so are their gradients. */
static int half_numbers(const Case *c, gt_DType half, uint32_t some, bool really, double *all)
{
    gt_Tape *outer = gt_tape_begin(), *tape = gt_tape_begin();
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS], *sources[CASE_INPUTS], *g[CASE_INPUTS];
    gt_DType narrow[CASE_INPUTS];
    const gt_Operation *operation = c->operation;
    int count = 0, noted = 0;
    case_inputs(c, in);
    for (int i = 0; i < c->sample->inputs; i++) {
        if (!in[i] || !gt_dtype_is_float(gt_dtype(in[i])))
            continue;
        bool chosen = some >> i & 1;
        if (chosen)
            in[i] = gt_cast(in[i], half);
        if (chosen && !really)
            in[i] = gt_cast(in[i], GT_FLOAT32);
        gt_watch(outer, in[i]);
        gt_watch(tape, in[i]);
        narrow[count] = chosen ? half : GT_DTYPE_NONE;
        sources[count++] = in[i];
    }
    case_apply(c, in, out);
    if (gt_status() == GT_OK) {
        bool moves = gt_dtype(out[0]) == half;
        bool casts = operation == gt_operation_find("cast");
        for (int k = 0; really && k < operation->outputs; k++)
            cr_assert(moves || casts || gt_dtype(out[k]) == GT_FLOAT32 ||
                          !gt_dtype_is_float(gt_dtype(out[k])),
                      "%s makes %s of %s", operation->name, gt_dtype_name(gt_dtype(out[k])),
                      gt_dtype_name(half));
        noted += note(operation->outputs, out, GT_DTYPE_NONE, all);
        gt_Tensor *loss = eighths(operation->outputs, out, 0);
        if (loss && !(operation->flags & GT_OP_NOT_DIFFERENTIABLE)) {
            gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){sources, count}), g,
                         .unconnected = GT_UNCONNECTED_ZERO);
            for (int k = 0; k < count && gt_status() == GT_OK; k++) {
                cr_assert(gt_dtype(g[k]) == gt_dtype(sources[k]), "%s: gradient %d is %s",
                          operation->name, k, gt_dtype_name(gt_dtype(g[k])));
                noted += note(1, g + k, narrow[k], all + noted);
                if (narrow[k] && !really)
                    g[k] = gt_cast(gt_cast(g[k], narrow[k]), GT_FLOAT32);
            }
            gt_Tensor *slope = eighths(count, g, 5);
            gt_gradients(outer, gt_tensors(slope), ((gt_Tensors){sources, count}), g,
                         .unconnected = GT_UNCONNECTED_ZERO);
            for (int k = 0; k < count && gt_status() == GT_OK; k++)
                noted += note(1, g + k, narrow[k], all + noted);
        }
    }
    gt_tape_end(tape);
    gt_tape_end(outer);
    cr_assert(noted <= NUMBERS);
    return noted;
}

/* Every operation either takes float16 and bfloat16, and then computes what float32 does of the same
 * numbers, to the second derivative, or names the type in an error. */
Test(gradients, half)
{
    static Case c;
    static double stored[NUMBERS], rounded[NUMBERS];
    static const gt_DType halves[] = {GT_FLOAT16, GT_BFLOAT16};
    int count, taken = 0, refused = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++) {
        const gt_Operation *operation = table[k];
        if (operation->flags & (GT_OP_EFFECT | GT_OP_RANDOM))
            continue;
        for (const gt_Sample *sample = operation->samples; sample->inputs; sample++)
            for (int h = 0; h < 2; h++)
                for (uint32_t some = 1; some < 1u << sample->inputs; some++) {
                    uint32_t real = 0;
                    for (int i = 0; i < sample->inputs; i++)
                        real |= (uint32_t)(sample->input[i].dtype == GT_FLOAT64) << i;
                    if (some & ~real)
                        continue;
                    fill_case(&c, operation, sample, GT_FLOAT32);
                    int numbers = half_numbers(&c, halves[h], some, true, stored);
                    bool takes = operation->flags & GT_OP_HALF;
                    if (takes && gt_status() == GT_OK) {
                        cr_assert(half_numbers(&c, halves[h], some, false, rounded) == numbers);
                        cr_assert(gt_status() == GT_OK, "%s: %s", operation->name,
                                  gt_error_message());
                        for (int i = 0; i < numbers; i++)
                            cr_assert(stored[i] == rounded[i], "%s, sample %d: %g, not %g",
                                      operation->name, (int)(sample - operation->samples),
                                      stored[i], rounded[i]);
                        taken++;
                        continue;
                    }
                    /* those that only move numbers want them of one type */
                    cr_assert(!takes || some != real, "%s: %s", operation->name,
                              gt_error_message());
                    cr_assert(gt_status() == GT_INVALID &&
                                  strstr(gt_error_message(), gt_dtype_name(halves[h])) &&
                                  strstr(gt_error_message(), operation->name),
                              "%s: %s", operation->name, gt_error_message());
                    gt_error_clear();
                    refused++;
                }
    }
    cr_assert(taken > 100 && refused > 300, "%d taken, %d refused", taken, refused);
    gt_context_free(NULL);
    assert_no_leaks();
}
