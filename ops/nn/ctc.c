/* Connectionist temporal classification: records and gradient rules of ops/nn/ctc.h.
 *
 * A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, Connectionist temporal classification: labelling
 * unsegmented sequence data with recurrent neural networks (2006), equations 6 to 16. The labels
 * with a blank before, between and after them are the states of a lattice; from step to step an
 * alignment stays in its state, goes on to the next one, or skips a blank between two labels that
 * differ. ctc_forward adds up, by logarithms, all ways to each state at each step. Its gradient goes
 * the same ways back, each with its share of what arrives: a linear recurrence, band_recurrence,
 * whose gradient is one again. So the loss is made of operations, and has derivatives of any order.
 */
#include "ops/nn/ctc.h"
#include "ops/nn/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/array/reshaping.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_ctc_loss_options, gt_ctc_loss_OPTIONS);

/* ---- ctc_states: (target, target_length, output_length) -> of each state its class, whether it may
 * be reached past the one before it, whether an alignment may end there ---- */

#define STATES_OPTIONS(F, S)                                                                       \
    F(S, int64_t, classes, 0, "how many classes")                                                  \
    F(S, int64_t, steps, 0, "the largest length of an output")                                     \
    F(S, int64_t, mask_index, 0, "the class of the blank")
GT_OPTIONS(StatesOptions, STATES_OPTIONS);
GT_OPTION_TYPE(StatesOptions, STATES_OPTIONS);

static gt_Status ctc_states_shape(gt_ShapeRule *rule)
{
    const gt_Spec *target = rule->input[0];
    char a[160], b[160];
    for (int i = 0; i < 3; i++)
        if (!gt_takes(rule->input[i], GT_TAKES_INTEGER))
            return gt_status();
    if (target->rank != 2)
        return gt_fail(GT_INVALID, "a target %s is not (batch, labels)",
                       gt_shape_text(gt_spec_shape(target), a, sizeof a));
    for (int i = 1; i < 3; i++)
        if (rule->input[i]->rank != 1 || rule->input[i]->dims[0] != target->dims[0])
            return gt_fail(GT_INVALID, "lengths %s do not fit a target %s",
                           gt_shape_text(gt_spec_shape(rule->input[i]), b, sizeof b),
                           gt_shape_text(gt_spec_shape(target), a, sizeof a));
    if (target->dims[1] > INT32_MAX / 4)
        return gt_fail(GT_INVALID, "%lld labels are too many", (long long)target->dims[1]);
    for (int i = 0; i < 3; i++) {
        rule->output[i] = *target;
        rule->output[i].dims[1] = 2 * target->dims[1] + 1;
        rule->output[i].dtype = i ? GT_BOOL : GT_INT32;
    }
    return GT_OK;
}

/* Is a length of that row in [0, most]? */
static bool length_fits(const gt_Kernel *kernel, int input, int64_t row, int64_t most,
                        const char *what)
{
    int64_t length = gt_whole(kernel, input, row);
    if (length >= 0 && length <= most)
        return true;
    gt_fail(GT_INVALID, "%s %lld of row %lld is not in [0, %lld]", what, (long long)length,
            (long long)row, (long long)most);
    return false;
}

/* In the order of the rows, so that the error is the same for any number of threads. */
static gt_Status check_rows(const gt_Kernel *kernel)
{
    const StatesOptions *options = kernel->options;
    int64_t batch = kernel->input_spec[0]->dims[0], labels = kernel->input_spec[0]->dims[1];
    for (int64_t row = 0; row < batch; row++) {
        if (!length_fits(kernel, 1, row, labels, "target_length") ||
            !length_fits(kernel, 2, row, options->steps, "output_length"))
            return gt_status();
        int64_t length = gt_whole(kernel, 1, row);
        for (int64_t k = 0; k < length; k++) {
            int64_t label = gt_whole(kernel, 0, row * labels + k);
            if (label < 0 || label >= options->classes || label == options->mask_index)
                return gt_fail(GT_INVALID, "label %lld of row %lld is %lld, which %s", (long long)k,
                               (long long)row, (long long)label,
                               label == options->mask_index ? "is the mask_index"
                                                            : "names no class");
        }
    }
    return GT_OK;
}

static gt_Status ctc_states_run(const gt_Kernel *kernel)
{
    const StatesOptions *options = kernel->options;
    int64_t batch = kernel->input_spec[0]->dims[0], labels = kernel->input_spec[0]->dims[1];
    int32_t *classes = kernel->output[0];
    uint8_t *skips = kernel->output[1], *ends = kernel->output[2];
    if (check_rows(kernel) != GT_OK)
        return gt_status();
    for (int64_t row = 0; row < batch; row++) {
        int64_t length = gt_whole(kernel, 1, row), before = -1;
        for (int64_t s = 0; s < 2 * labels + 1; s++) {
            bool labelled = s % 2 == 1 && s / 2 < length;
            int64_t label = labelled ? gt_whole(kernel, 0, row * labels + s / 2) : 0;
            *classes++ = (int32_t)(labelled ? label : options->mask_index);
            *skips++ = labelled && s > 1 && label != before;
            *ends++ = s == 2 * length || s == 2 * length - 1;
            before = labelled ? label : before;
        }
    }
    return GT_OK;
}

#define STATES(...) &GT_VALUES(StatesOptions, __VA_ARGS__)
const gt_Operation gt_op_ctc_states = {
    GT_RECORD("ctc_states", "labels with blanks around them: classes, skips, ends", 3, 3),
    .flags = GT_OP_INTERNAL | GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is integer-valued",
    .options = &StatesOptions_type,
    .outputs = 3,
    .shape = ctc_states_shape,
    .run = ctc_states_run,
    .mask = gt_mask_batch,
    .samples =
        GT_SAMPLES({.inputs = 3,
                    .input = GT_INPUTS(GT_WHOLE(GT_INT32, 1, 4, 2, 3), GT_WHOLE(GT_INT64, 0, 4, 2),
                                       GT_WHOLE(GT_INT32, 0, 6, 2)),
                    .options = STATES(4, 5, 0)}),
};

/* ---- ctc_forward: (start (b, n), e (b, t, n), skips (b, n)) -> y (b, t + 1, n), y[0] = start and
 * y[i, s] = e[i - 1, s] + log(sum of e^y[i - 1, s - j]) over j = 0, 1 and, where skips[s], 2 ---- */

static gt_Status ctc_forward_shape(gt_ShapeRule *rule)
{
    const gt_Spec *start = rule->input[0], *e = rule->input[1], *skips = rule->input[2];
    char a[200], b[200], c[200];
    if (!gt_takes(start, GT_TAKES_FLOAT))
        return gt_status();
    if (start->rank != 2 || e->rank != 3 || e->dtype != start->dtype || skips->rank != 2 ||
        skips->dtype != GT_BOOL || e->dims[0] != start->dims[0] || e->dims[2] != start->dims[1] ||
        !gt_shape_equal(gt_spec_shape(start), gt_spec_shape(skips)))
        return gt_fail(GT_INVALID, "start %s, terms %s and skips %s do not fit",
                       gt_spec_text(start, a, sizeof a), gt_spec_text(e, b, sizeof b),
                       gt_spec_text(skips, c, sizeof c));
    if (start->dims[1] > INT32_MAX || e->dims[1] > INT64_MAX - 1)
        return gt_fail(GT_INVALID, "terms %s are too many", gt_spec_text(e, b, sizeof b));
    rule->output[0] = *e;
    rule->output[0].dims[1] += 1;
    rule->scratch = 3 * (size_t)start->dims[1] * gt_dtype_size(e->dtype);
    return GT_OK;
}

/* The largest of the ways is taken off before e^x; it waits in `to`. Where all are -inf it is 0. */
#define FORWARD(type)                                                                              \
    static void forward_##type(int64_t n, const type *from, const type *e, const uint8_t *skips,   \
                               type *to, type *ways, gt_UnaryLoop *exp_loop,                       \
                               gt_UnaryLoop *log_loop)                                             \
    {                                                                                              \
        const type none = (type)-INFINITY;                                                         \
        for (int64_t s = 0; s < n; s++) {                                                          \
            type stay = from[s], step = s > 0 ? from[s - 1] : none;                                \
            type skip = s > 1 && skips[s] ? from[s - 2] : none;                                    \
            type most = stay > step ? stay : step;                                                 \
            most = skip > most ? skip : most;                                                      \
            to[s] = most == none ? 0 : most;                                                       \
            ways[s] = stay - to[s];                                                                \
            ways[n + s] = step - to[s];                                                            \
            ways[2 * n + s] = skip - to[s];                                                        \
        }                                                                                          \
        exp_loop(3 * n, ways, ways);                                                               \
        for (int64_t s = 0; s < n; s++)                                                            \
            ways[s] += ways[n + s] + ways[2 * n + s];                                              \
        log_loop(n, ways, ways);                                                                   \
        for (int64_t s = 0; s < n; s++)                                                            \
            to[s] += ways[s] + e[s];                                                               \
    }
FORWARD(float)
FORWARD(double)

/* A tile is some rows of the batch. */
typedef struct Lattice {
    int64_t batch, steps, states, group;
} Lattice;

static Lattice lattice(const gt_Spec *y)
{
    Lattice all = {y->dims[0], y->dims[1] - 1, y->dims[2], 1};
    int64_t work = y->dims[1] * y->dims[2];
    if (work > 0 && work < GT_CHUNK)
        all.group = GT_CHUNK / work;
    return all;
}

static gt_Status run_lattice(const gt_Kernel *kernel, Lattice *all, gt_TileBody *body)
{
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    return gt_for_tiles(kernel, (all->batch + all->group - 1) / all->group, body, all);
}

static void ctc_forward_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                              void *scratch)
{
    const Lattice *all = argument;
    int64_t n = all->states, end = last * all->group < all->batch ? last * all->group : all->batch;
    bool single = kernel->output_spec[0]->dtype == GT_FLOAT32;
    size_t row = (size_t)n * (single ? sizeof(float) : sizeof(double));
    gt_UnaryLoop *exp_loop =
        kernel->context->kernels->unary[GT_LOOP_EXP][single ? GT_LOOP_F32 : GT_LOOP_F64];
    gt_UnaryLoop *log_loop =
        kernel->context->kernels->unary[GT_LOOP_LOG][single ? GT_LOOP_F32 : GT_LOOP_F64];
    for (int64_t b = first * all->group; b < end; b++) {
        const char *e = (const char *)kernel->input[1] + (size_t)(b * all->steps) * row;
        const uint8_t *skips = (const uint8_t *)kernel->input[2] + b * n;
        char *y = (char *)kernel->output[0] + (size_t)(b * (all->steps + 1)) * row;
        memcpy(y, (const char *)kernel->input[0] + (size_t)b * row, row);
        for (int64_t t = 0; t < all->steps; t++, y += row, e += row)
            if (single)
                forward_float(n, (const float *)y, (const float *)e, skips, (float *)(y + row),
                              scratch, exp_loop, log_loop);
            else
                forward_double(n, (const double *)y, (const double *)e, skips, (double *)(y + row),
                               scratch, exp_loop, log_loop);
    }
}

static gt_Status ctc_forward_run(const gt_Kernel *kernel)
{
    Lattice all = lattice(kernel->output_spec[0]);
    return run_lattice(kernel, &all, ctc_forward_tiles);
}

/* Of x (b, t + 1, n): the t rows without the first, or without the last. */
static gt_Tensor *rows(gt_Tensor *x, bool first)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_status() != GT_OK)
        return NULL;
    return first ? gt_slice(x, gt_shape(0, 0, 0), gt_shape(-1, shape.dims[1] - 1, -1))
                 : gt_slice(x, gt_shape(0, 1, 0), gt_shape(-1, -1, -1));
}

/* y[..., s] = x[..., s - by], `fill` where there is none. */
static gt_Tensor *shifted(gt_Tensor *x, int64_t by, double fill)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_status() != GT_OK)
        return NULL;
    int64_t gap = by < shape.dims[2] ? by : shape.dims[2];
    x = gt_slice(x, gt_shape(0, 0, 0), gt_shape(-1, -1, shape.dims[2] - gap));
    return gt_pad(x, gt_shape(0, 0, gap), gt_shape(0, 0, 0), .value = fill);
}

static gt_Tensor *band_recurrence(gt_Tensor *b, gt_Tensor *const w[3], bool reverse);

/* Of all ways to a state, those from state s - j have the share w[j]; what arrives at the state goes
 * back by these. A state that cannot be reached has no ways. */
static gt_Status ctc_forward_gradient(gt_GradientRule *rule)
{
    gt_Tensor *e = gt_rule_input(rule, 1), *y = gt_rule_output(rule, 0), *w[3];
    gt_Tensor *from = rows(y, true), *to = rows(y, false), *skips = gt_rule_input(rule, 2);
    gt_Tensor *rest = gt_subtract(e, gt_where(gt_equal(to, -INFINITY), gt_zeros_like(to), to));
    for (int j = 0; j < 3; j++) {
        w[j] = gt_add(shifted(from, j, -INFINITY), rest);
        if (j == 2)
            w[j] = gt_where(gt_expand_dims(skips, 1), w[j], -INFINITY);
        w[j] = gt_exp(w[j]);
    }
    gt_Tensor *back = band_recurrence(gt_upstream(rule, 0), w, true);
    if (gt_wants(rule, 0)) {
        gt_Tensor *start = gt_slice(back, gt_shape(0, 0, 0), gt_shape(-1, 1, -1));
        gt_give(rule, 0, gt_squeeze(start, .axis = 1));
    }
    if (gt_wants(rule, 1))
        gt_give(rule, 1, rows(back, false));
    return gt_status();
}

#define FLAGS(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
const gt_Operation gt_op_ctc_forward = {
    GT_RECORD("ctc_forward", "y[i, s] = e[i - 1, s] + log(sum of e^y[i - 1, s - j])", 3, 3),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 6,
    .saves_outputs = 1,
    .shape = ctc_forward_shape,
    .run = ctc_forward_run,
    .gradient = ctc_forward_gradient,
    .mask = gt_mask_batch,
    .samples =
        GT_SAMPLES({.inputs = 3, .input = GT_INPUTS(GT_ANY(2, 5), GT_ANY(2, 3, 5), FLAGS(2, 5))},
                   {.inputs = 3, .input = GT_INPUTS(GT_ANY(1, 2), GT_ANY(1, 2, 2), FLAGS(1, 2))}),
};

/* ---- band_recurrence: (b (b, t + 1, n), w[0], w[1], w[2] (b, t, n)) -> y, y[0] = b[0] and
 * y[i, s] = b[i, s] + sum of w[j][i - 1, s] y[i - 1, s - j]; reversed, the transposed of it:
 * y[t] = b[t] and y[i, s] = b[i, s] + sum of w[j][i, s + j] y[i + 1, s + j] ---- */

#define BAND_OPTIONS(F, S)                                                                         \
    F(S, bool, reverse, false, "from the last row to the first, with the matrices transposed")
GT_OPTIONS(BandOptions, BAND_OPTIONS);
GT_OPTION_TYPE(BandOptions, BAND_OPTIONS);

static gt_Tensor *band_recurrence(gt_Tensor *b, gt_Tensor *const w[3], bool reverse)
{
    BandOptions options = GT_VALUES(BandOptions, reverse);
    return gt_apply_one_at(NULL, &gt_op_band_recurrence, &options, 4,
                           (gt_Tensor *[]){b, w[0], w[1], w[2]});
}

static gt_Status band_recurrence_shape(gt_ShapeRule *rule)
{
    const gt_Spec *b = rule->input[0];
    gt_Spec factors = *b;
    char s[200], t[200];
    if (b->rank != 3 || b->dims[1] < 1)
        return gt_fail(GT_INVALID, "terms %s have no rows to go along",
                       gt_spec_text(b, s, sizeof s));
    factors.dims[1]--;
    gt_spec_resize(&factors);
    for (int i = 1; i < 4; i++)
        if (!gt_spec_equal(rule->input[i], &factors))
            return gt_fail(GT_INVALID, "factors %s do not fit terms %s",
                           gt_spec_text(rule->input[i], t, sizeof t), gt_spec_text(b, s, sizeof s));
    return gt_shape_float(rule);
}

#define BAND(type)                                                                                 \
    static void band_##type(const Lattice *all, bool reverse, const type *b, const type *w0,       \
                            const type *w1, const type *w2, type *y)                               \
    {                                                                                              \
        int64_t n = all->states;                                                                   \
        memcpy(y, b, (size_t)((all->steps + 1) * n) * sizeof *y);                                  \
        for (int64_t step = 0; step < all->steps; step++) {                                        \
            int64_t t = reverse ? all->steps - 1 - step : step;                                    \
            const type *u = w0 + t * n, *v = w1 + t * n, *w = w2 + t * n;                          \
            type *low = y + t * n, *high = low + n;                                                \
            if (reverse) {                                                                         \
                for (int64_t s = 0; s < n; s++)                                                    \
                    low[s] += u[s] * high[s];                                                      \
                for (int64_t s = 1; s < n; s++)                                                    \
                    low[s - 1] += v[s] * high[s];                                                  \
                for (int64_t s = 2; s < n; s++)                                                    \
                    low[s - 2] += w[s] * high[s];                                                  \
            } else {                                                                               \
                for (int64_t s = 0; s < n; s++)                                                    \
                    high[s] += u[s] * low[s];                                                      \
                for (int64_t s = 1; s < n; s++)                                                    \
                    high[s] += v[s] * low[s - 1];                                                  \
                for (int64_t s = 2; s < n; s++)                                                    \
                    high[s] += w[s] * low[s - 2];                                                  \
            }                                                                                      \
        }                                                                                          \
    }
BAND(float)
BAND(double)

static void band_recurrence_tiles(const gt_Kernel *kernel, void *argument, int64_t first,
                                  int64_t last, void *scratch)
{
    (void)scratch;
    const Lattice *all = argument;
    const BandOptions *options = kernel->options;
    int64_t end = last * all->group < all->batch ? last * all->group : all->batch;
    for (int64_t row = first * all->group; row < end; row++) {
        int64_t of_w = row * all->steps * all->states, of_b = of_w + row * all->states;
        if (kernel->output_spec[0]->dtype == GT_FLOAT32)
            band_float(all, options->reverse, (const float *)kernel->input[0] + of_b,
                       (const float *)kernel->input[1] + of_w,
                       (const float *)kernel->input[2] + of_w,
                       (const float *)kernel->input[3] + of_w, (float *)kernel->output[0] + of_b);
        else
            band_double(
                all, options->reverse, (const double *)kernel->input[0] + of_b,
                (const double *)kernel->input[1] + of_w, (const double *)kernel->input[2] + of_w,
                (const double *)kernel->input[3] + of_w, (double *)kernel->output[0] + of_b);
    }
}

static gt_Status band_recurrence_run(const gt_Kernel *kernel)
{
    Lattice all = lattice(kernel->output_spec[0]);
    return run_lattice(kernel, &all, band_recurrence_tiles);
}

/* The terms get the recurrence the other way of what arrives; a factor, what flows through it one
 * way times what flows the other. */
static gt_Status band_recurrence_gradient(gt_GradientRule *rule)
{
    const BandOptions *options = gt_rule_options(rule);
    gt_Tensor *w[3] = {gt_rule_input(rule, 1), gt_rule_input(rule, 2), gt_rule_input(rule, 3)};
    gt_Tensor *y = gt_rule_output(rule, 0);
    gt_Tensor *other = band_recurrence(gt_upstream(rule, 0), w, !options->reverse);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, other);
    gt_Tensor *up = rows(options->reverse ? other : y, true);
    gt_Tensor *down = rows(options->reverse ? y : other, false);
    for (int j = 0; j < 3; j++)
        if (gt_wants(rule, j + 1))
            gt_give(rule, j + 1, gt_multiply(shifted(up, j, 0), down));
    return gt_status();
}

#define BANDS(b, t, n)                                                                             \
    GT_INPUTS(GT_ANY(b, t + 1, n), GT_ANY(b, t, n), GT_ANY(b, t, n), GT_ANY(b, t, n))
const gt_Operation gt_op_band_recurrence = {
    GT_RECORD("band_recurrence", "y[i, s] = b[i, s] + sum of w[j][i - 1, s] y[i - 1, s - j]", 4, 4),
    .flags = GT_OP_INTERNAL,
    .options = &BandOptions_type,
    .saves_inputs = 14,
    .saves_outputs = 1,
    .shape = band_recurrence_shape,
    .run = band_recurrence_run,
    .gradient = band_recurrence_gradient,
    .samples =
        GT_SAMPLES({.inputs = 4, .input = BANDS(2, 3, 4)},
                   {.inputs = 4, .input = BANDS(1, 3, 4), .options = &GT_VALUES(BandOptions, true)},
                   {.inputs = 4, .input = BANDS(2, 2, 1)}),
};

/* ---- the loss ---- */

static gt_Tensor *ctc_loss(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                           gt_Tensor *output_length, const gt_ctc_loss_options *given)
{
    gt_ctc_loss_options options = GT_TAKE(gt_ctc_loss_options, given);
    gt_Spec labels = gt_spec(target), logits = gt_spec(output);
    char a[160], b[160];
    if (gt_status() != GT_OK || !gt_takes(&logits, GT_TAKES_FLOAT) ||
        gt_want_logits(output, "output") != GT_OK)
        return NULL;
    if (labels.rank != 2 || logits.rank != 3 || labels.dims[0] != logits.dims[0]) {
        gt_fail(GT_INVALID,
                "a target %s and an output %s are not (batch, labels) and (batch, "
                "steps, classes)",
                gt_shape_text(gt_spec_shape(&labels), a, sizeof a),
                gt_shape_text(gt_spec_shape(&logits), b, sizeof b));
        return NULL;
    }
    int64_t steps = logits.dims[1], classes = logits.dims[2];
    int64_t mask = options.mask_index < 0 ? options.mask_index + classes : options.mask_index;
    if (mask < 0 || mask >= classes || classes > INT32_MAX) {
        gt_fail(GT_INVALID, "mask_index %lld is not one of %lld classes",
                (long long)options.mask_index, (long long)classes);
        return NULL;
    }
    StatesOptions of_states = GT_VALUES(StatesOptions, classes, steps, mask);
    gt_Tensor *state[3] = {NULL, NULL, NULL};
    if (gt_apply_at(NULL, &gt_op_ctc_states, &of_states, 3,
                    (gt_Tensor *[]){target, target_length, output_length}, state) != GT_OK)
        return NULL;
    int64_t states = 2 * labels.dims[1] + 1;
    gt_Tensor *step =
        gt_reshape(gt_arange(0, (double)steps, 1, .dtype = GT_INT64), gt_shape(steps, 1));
    gt_Tensor *length = gt_cast(output_length, GT_INT64); /* (batch, 1, 1) */
    length = gt_expand_dims(gt_expand_dims(length, -1), -1);
    gt_Tensor *log_p = gt_log_softmax(gt_where(gt_less(step, length), output, 0));
    /* Adding zeros broadcasts, whatever the batch is. */
    gt_Tensor *which =
        gt_add(gt_expand_dims(state[0], 1), gt_zeros(gt_shape(steps, 1), .dtype = GT_INT32));
    gt_Tensor *first = gt_equal(gt_arange(0, (double)states, 1, .dtype = GT_INT64), 0);
    gt_Tensor *zero = gt_zeros_like(state[0], .dtype = logits.dtype);
    gt_Tensor *start = gt_where(first, zero, -INFINITY);
    gt_Tensor *y = gt_apply_one_at(
        NULL, &gt_op_ctc_forward, NULL, 3,
        (gt_Tensor *[]){start, gt_take_along_axis(log_p, which, .axis = 2), state[1]});
    gt_Tensor *last = gt_add(length, gt_zeros(gt_shape(states), .dtype = GT_INT64));
    y = gt_squeeze(gt_take_along_axis(y, last, .axis = 1), .axis = 1);
    return gt_negative(gt_logsumexp(gt_where(state[2], y, -INFINITY), .axis = -1));
}
GT_COMPOSED(ctc_loss,
            (const char *here, gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
             gt_Tensor *output_length, const gt_ctc_loss_options *options),
            (target, output, target_length, output_length, options))
gt_Tensor *(gt_ctc_loss)(gt_Tensor *target, gt_Tensor *output, gt_Tensor *target_length,
                         gt_Tensor *output_length)
{
    return gt_ctc_loss_at(NULL, target, output, target_length, output_length, NULL);
}

/* ---- ctc_decode: (output, output_length) -> labels, scores ---- */

GT_OPTION_TYPE(gt_ctc_decode_options, gt_ctc_decode_OPTIONS);

/* What was written so far, as a tree: a label behind the labels of `parent`. Nodes number its
 * children by first child and sibling. `slot`: where it is in the beam; -1: nowhere. */
typedef struct Prefix {
    int32_t parent, label, child, sibling, slot;
} Prefix;

/* One in the beam: the logarithms of what its alignments that end in a blank, and the others, have
 * as probability. A candidate for the next beam is prefix `from` itself or, with a label, a new child
 * of it. Of equals the one with the lower order is better. */
typedef struct Candidate {
    double total, blank, other;
    int64_t order;
    int32_t from, label;
} Candidate;

typedef struct Decoding {
    int64_t batch, steps, classes, paths, width, nodes;
    int64_t mask;
} Decoding;

/* What a search works with. Of the candidates the `width` best are kept, as a heap with the worst
 * of them on top. */
typedef struct Search {
    Prefix *prefix;
    Candidate *beam, *next;
    double *log_p;
    void *row;
    int32_t *stamp; /* of a class: who in the beam has a child with that label there */
    int32_t prefixes;
    int64_t beams, kept, order, width;
} Search;

/* false with an error raised; else the sizes, from specs and options that have been looked at */
static bool decoding_of(const gt_Spec *x, const gt_ctc_decode_options *options, Decoding *d)
{
    bool beams = options->strategy == GT_CTC_STRATEGY_BEAM_SEARCH;
    *d = (Decoding){x->dims[0], x->dims[1], x->dims[2], 1, 0, 0, options->mask_index};
    d->mask += d->mask < 0 ? d->classes : 0;
    if (d->mask < 0 || d->mask >= d->classes || d->classes > INT32_MAX / 64) {
        gt_fail(GT_INVALID, "mask_index %lld is not one of %lld classes",
                (long long)options->mask_index, (long long)d->classes);
        return false;
    }
    if (options->strategy != GT_CTC_STRATEGY_GREEDY && !beams) {
        gt_fail(GT_INVALID, "there is no strategy number %d", (int)options->strategy);
        return false;
    }
    if (!beams)
        return true;
    d->paths = options->top_paths;
    d->width = options->beam_width;
    if (d->paths < 1 || d->paths > d->width) {
        gt_fail(GT_INVALID, "top_paths %lld is not in [1, %lld], the beam_width",
                (long long)d->paths, (long long)d->width);
        return false;
    }
    if (d->width > INT32_MAX / 64 || d->steps > INT32_MAX / 64 / d->width) {
        gt_fail(GT_INVALID, "a beam_width of %lld is too large for %lld steps", (long long)d->width,
                (long long)d->steps);
        return false;
    }
    d->nodes = d->steps * d->width + 1;
    return true;
}

/* Pieces of memory, one behind the other; with NULL only their size counts. */
static size_t search_memory(const Decoding *d, gt_DType dtype, char *memory, Search *search)
{
    size_t bytes[] = {
        (size_t)d->nodes * sizeof(Prefix),         (size_t)d->width * sizeof(Candidate),
        (size_t)d->width * sizeof(Candidate),      (size_t)d->classes * sizeof(double),
        (size_t)d->classes * gt_dtype_size(dtype), (size_t)d->classes * sizeof(int32_t),
    };
    void *piece[6] = {NULL};
    size_t all = 0;
    for (int i = 0; i < 6; i++) {
        piece[i] = memory ? memory + all : NULL;
        all += (bytes[i] + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    }
    *search = (Search){.prefix = piece[0],
                       .beam = piece[1],
                       .next = piece[2],
                       .log_p = piece[3],
                       .row = piece[4],
                       .stamp = piece[5],
                       .width = d->width};
    return all;
}

static gt_Status ctc_decode_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0], *lengths = rule->input[1];
    char a[160], b[160];
    Decoding d;
    Search search;
    if (!gt_takes(x, GT_TAKES_FLOAT) || !gt_takes(lengths, GT_TAKES_INTEGER))
        return gt_status();
    if (x->rank != 3)
        return gt_fail(GT_INVALID, "an output %s is not (batch, steps, classes)",
                       gt_shape_text(gt_spec_shape(x), a, sizeof a));
    if (lengths->rank != 1 || lengths->dims[0] != x->dims[0])
        return gt_fail(GT_INVALID, "lengths %s do not fit an output %s",
                       gt_shape_text(gt_spec_shape(lengths), b, sizeof b),
                       gt_shape_text(gt_spec_shape(x), a, sizeof a));
    if (!decoding_of(x, rule->options, &d))
        return gt_status();
    rule->output[0] = (gt_Spec){.dtype = GT_INT32, .rank = 3, .dims = {d.paths, d.batch, d.steps}};
    rule->output[1] = (gt_Spec){.dtype = x->dtype, .rank = 2, .dims = {d.batch, d.paths}};
    if (d.width > 0)
        rule->scratch = search_memory(&d, x->dtype, NULL, &search);
    return GT_OK;
}

static double number_of(gt_DType dtype, const void *x, int64_t i)
{
    return dtype == GT_FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void decode_greedily(const gt_Kernel *kernel, const Decoding *d, int64_t row)
{
    const gt_ctc_decode_options *options = kernel->options;
    gt_DType dtype = kernel->input_spec[0]->dtype;
    int32_t *labels = (int32_t *)kernel->output[0] + row * d->steps;
    int64_t before = d->mask;
    double sum = 0;
    for (int64_t t = 0; t < gt_whole(kernel, 1, row); t++) {
        int64_t at = (row * d->steps + t) * d->classes, best = 0;
        for (int64_t c = 1; c < d->classes; c++)
            if (number_of(dtype, kernel->input[0], at + c) >
                number_of(dtype, kernel->input[0], at + best))
                best = c;
        sum += number_of(dtype, kernel->input[0], at + best);
        if (best != d->mask && !(options->merge_repeated && best == before))
            *labels++ = (int32_t)best;
        before = best;
    }
    gt_number_store(dtype, kernel->output[1], row, -sum);
}

static double log_sum(double a, double b)
{
    double most = a > b ? a : b, least = a > b ? b : a;
    return most == -INFINITY ? most : most + log1p(exp(least - most));
}

static bool worse(const Candidate *a, const Candidate *b)
{
    return a->total < b->total || (a->total == b->total && a->order > b->order);
}

/* Lets heap[i] sink to its place. */
static void sink(Candidate *heap, int64_t count, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &heap[i]))
            break;
        Candidate swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void offer(Search *search, double blank, double other, int32_t from, int32_t label)
{
    Candidate new = {log_sum(blank, other), blank, other, search->order++, from, label};
    Candidate *heap = search->next;
    if (!(new.total > -INFINITY))
        return;
    if (search->kept == search->width) {
        if (worse(&heap[0], &new)) {
            heap[0] = new;
            sink(heap, search->kept, 0);
        }
        return;
    }
    int64_t i = search->kept++;
    for (; i > 0 && worse(&new, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = new;
}

/* The child of a prefix with that label, made if there is none. */
static int32_t child_of(Search *search, int32_t parent, int32_t label)
{
    Prefix *prefix = search->prefix;
    int32_t child = prefix[parent].child;
    while (child >= 0 && prefix[child].label != label)
        child = prefix[child].sibling;
    if (child >= 0)
        return child;
    child = search->prefixes++;
    prefix[child] = (Prefix){parent, label, -1, prefix[parent].child, -1};
    prefix[parent].child = child;
    return child;
}

/* The candidates become the beam, best first. In it, `from` is the prefix itself. */
static void settle(Search *search)
{
    for (int64_t i = 0; i < search->beams; i++)
        search->prefix[search->beam[i].from].slot = -1;
    search->beams = search->kept;
    for (int64_t i = search->kept - 1; i >= 0; i--) {
        Candidate worst = search->next[0];
        search->next[0] = search->next[i];
        sink(search->next, i, 0);
        if (worst.label >= 0)
            worst.from = child_of(search, worst.from, worst.label);
        search->prefix[worst.from].slot = (int32_t)i;
        search->beam[i] = worst;
    }
    search->kept = search->order = 0;
}

/* One step: each in the beam stays what it is, by a blank or its last label again, or gets one more
 * label. A child that is in the beam already gets it from its parent then. */
static void search_step(Search *search, const Decoding *d, int32_t serial)
{
    const double *log_p = search->log_p;
    for (int64_t i = 0; i < search->beams; i++) {
        const Candidate *one = &search->beam[i];
        const Prefix *prefix = &search->prefix[one->from];
        double again = -INFINITY;
        if (prefix->parent >= 0) {
            int32_t slot = search->prefix[prefix->parent].slot;
            again = one->other + log_p[prefix->label];
            if (slot >= 0) {
                const Candidate *parent = &search->beam[slot];
                bool repeats = search->prefix[prefix->parent].label == prefix->label;
                again = log_sum(again,
                                (repeats ? parent->blank : parent->total) + log_p[prefix->label]);
            }
        }
        offer(search, one->total + log_p[d->mask], again, one->from, -1);
    }
    for (int64_t i = 0; i < search->beams; i++, serial++) {
        const Candidate *one = &search->beam[i];
        const Prefix *prefix = &search->prefix[one->from];
        for (int32_t child = prefix->child; child >= 0; child = search->prefix[child].sibling)
            if (search->prefix[child].slot >= 0)
                search->stamp[search->prefix[child].label] = serial;
        for (int32_t c = 0; c < d->classes; c++)
            if (c != d->mask && search->stamp[c] != serial)
                offer(search, -INFINITY, (c == prefix->label ? one->blank : one->total) + log_p[c],
                      one->from, c);
    }
    settle(search);
}

/* A. Graves, Supervised sequence labelling with recurrent neural networks (2012), section 7.5: prefix
 * search, of a beam. */
static void decode_by_beams(const gt_Kernel *kernel, const Decoding *d, int64_t row, void *scratch)
{
    gt_DType dtype = kernel->input_spec[0]->dtype;
    Search search;
    search_memory(d, dtype, scratch, &search);
    memset(search.stamp, 0, (size_t)d->classes * sizeof *search.stamp);
    search.prefix[0] = (Prefix){-1, -1, -1, -1, 0};
    search.beam[0] = (Candidate){.blank = 0, .other = -INFINITY};
    search.prefixes = 1;
    search.beams = 1;
    for (int64_t t = 0; t < gt_whole(kernel, 1, row); t++) {
        int64_t at = (row * d->steps + t) * d->classes;
        const char *x = (const char *)kernel->input[0] + (size_t)at * gt_dtype_size(dtype);
        kernel->context->kernels->log_softmax[gt_loop_type(dtype)](1, d->classes, x, search.row);
        for (int64_t c = 0; c < d->classes; c++)
            search.log_p[c] = number_of(dtype, search.row, c);
        search_step(&search, d, (int32_t)(1 + t * d->width));
    }
    for (int64_t path = 0; path < d->paths; path++) {
        bool exists = path < search.beams;
        gt_number_store(dtype, kernel->output[1], row * d->paths + path,
                        exists ? search.beam[path].total : -INFINITY);
        int32_t *labels = (int32_t *)kernel->output[0] + (path * d->batch + row) * d->steps;
        int32_t end = exists ? search.beam[path].from : 0;
        int64_t count = 0;
        for (int32_t p = end; p > 0; p = search.prefix[p].parent)
            count++;
        for (int32_t p = end; p > 0; p = search.prefix[p].parent)
            labels[--count] = search.prefix[p].label;
    }
}

static void ctc_decode_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                             void *scratch)
{
    const Decoding *d = argument;
    for (int64_t row = first; row < last; row++)
        if (d->width > 0)
            decode_by_beams(kernel, d, row, scratch);
        else
            decode_greedily(kernel, d, row);
}

static gt_Status ctc_decode_run(const gt_Kernel *kernel)
{
    Decoding d;
    if (!decoding_of(kernel->input_spec[0], kernel->options, &d))
        return gt_status();
    for (int64_t row = 0; row < d.batch; row++)
        if (!length_fits(kernel, 1, row, d.steps, "output_length"))
            return gt_status();
    gt_fill(GT_INT32, kernel->output_spec[0]->size, -1, kernel->output[0]);
    return gt_for_tiles(kernel, d.batch, ctc_decode_tiles, &d);
}

/* labels (paths, batch, steps), scores (batch, paths): the batch is the second axis of the labels. */
static gt_Status ctc_decode_mask(gt_MaskRule *rule)
{
    for (int i = 0; i < 2; i++) {
        if (gt_mask_axes(rule, i) > 1)
            return gt_mask_refuse(rule, i, 1);
        if (rule->input[i])
            gt_mask_join(rule, 0, gt_expand_dims(rule->input[i], 0));
        if (rule->input[i] && gt_mask_join(rule, 1, rule->input[i]) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

#define DECODE(...)                                                                                \
    .options = &(const gt_ctc_decode_options)                                                      \
    {                                                                                              \
        GT_PRESETS(gt_ctc_decode_options, gt_ctc_decode_OPTIONS) __VA_ARGS__                       \
    }
const gt_Operation gt_op_ctc_decode = {
    GT_RECORD("ctc_decode", "the labels that logits say", 2, 2),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it chooses among labels",
    .options = &gt_ctc_decode_options_type,
    .outputs = 2,
    .shape = ctc_decode_shape,
    .run = ctc_decode_run,
    .mask = ctc_decode_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(GT_APART(2, 4, 3), GT_WHOLE(GT_INT32, 0, 5, 2))},
        {.inputs = 2,
         .input = GT_INPUTS(GT_APART(2, 4, 3), GT_WHOLE(GT_INT64, 0, 5, 2)),
         DECODE(.strategy = GT_CTC_STRATEGY_BEAM_SEARCH, .beam_width = 4, .top_paths = 2)}),
};

gt_CtcDecoded gt_ctc_decode_at(const char *here, gt_Tensor *output, gt_Tensor *output_length,
                               const gt_ctc_decode_options *options)
{
    gt_Tensor *out[2] = {NULL, NULL};
    gt_Site site = gt_site_enter(here, "ctc_decode");
    if (gt_want_logits(output, "output") == GT_OK)
        gt_apply_at(here, &gt_op_ctc_decode, options, 2, (gt_Tensor *[]){output, output_length},
                    out);
    gt_site_leave(site);
    return (gt_CtcDecoded){out[0], out[1]};
}
gt_CtcDecoded(gt_ctc_decode)(gt_Tensor *output, gt_Tensor *output_length)
{
    return gt_ctc_decode_at(NULL, output, output_length, NULL);
}
