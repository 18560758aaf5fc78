/* LSTM and GRU over whole sequences: records, lowering, gradients. kernels/recurrent.h has shapes and kernels, in which a
 * worker takes some rows of the batch through all steps.
 *
 *     lstm_sequence            x, r, bias, h0, c0, mask -> gates, h, c of every step, the last h and c
 *     lstm_sequence_gradient   what arrives at these five -> what arrives at x, h0 and c0; sums of the first over some rows each
 *
 * x is the product of all inputs with the kernel, made before (gt_matmul). So the gradient of the kernel, and that of r, is one
 * product over all steps of all rows, and so is that of the inputs. The gates may be written over x, and dx over the gates.
 * The gradient's own gradient is that of its formula, the same steps made of operations. */
#include "ops/nn/sequence.h"
#include "kernels/product.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/control/control.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/product.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"
#include "ops/nn/formula.h"

#include <string.h>

#define SEQUENCE_OPTIONS(F, S)                                                                     \
    F(S, bool, backwards, false, "from the last step to the first")                                \
    F(S, bool, states, true,                                                                       \
      "of gradients: what arrives at the states before the first step is wanted; else 0")
GT_OPTIONS(SequenceOptions, SEQUENCE_OPTIONS);
GT_OPTION_TYPE(SequenceOptions, SEQUENCE_OPTIONS);

/* ---- shapes ---- */

/* Sizes of a call, read from its recurrent kernel and an input (batch, time, ...). */
typedef struct Sizes {
    gt_DType dtype;
    int64_t batch, time, units;
} Sizes;

static bool read_sizes(Sizes *sizes, const gt_Spec *steps, const gt_Spec *r, int64_t gates)
{
    char a[200], b[200];
    if (steps->rank != 3 || r->rank != 2 || r->dims[0] < 1 || r->dims[1] % gates != 0 ||
        r->dims[1] / gates != r->dims[0] ||
        (steps->dtype != GT_FLOAT32 && steps->dtype != GT_FLOAT64)) {
        gt_fail(GT_INVALID,
                "expected (batch, time, ...) and (units, %d units) of floats (got %s and %s)",
                (int)gates, gt_spec_text(steps, a, sizeof a), gt_spec_text(r, b, sizeof b));
        return false;
    }
    *sizes = (Sizes){steps->dtype, steps->dims[0], steps->dims[1], r->dims[0]};
    return true;
}

/* An input is absent or has this dtype and shape. */
static bool fits(const gt_ShapeRule *rule, int input, gt_DType dtype, gt_Shape shape)
{
    char a[200], b[200];
    const gt_Spec *spec = rule->input[input];
    if (!spec || (spec->dtype == dtype && gt_shape_equal(gt_spec_shape(spec), shape)))
        return true;
    gt_fail(GT_INVALID, "input %d must be %s %s (got %s)", input + 1, gt_dtype_name(dtype),
            gt_shape_text(shape, a, sizeof a), gt_spec_text(spec, b, sizeof b));
    return false;
}

static gt_Spec floats(const Sizes *s, gt_Shape shape)
{
    gt_Spec spec = {.dtype = s->dtype, .rank = shape.rank};
    memcpy(spec.dims, shape.dims, sizeof spec.dims);
    return spec;
}

static gt_Shape steps_of(const Sizes *s, int64_t width)
{
    return gt_shape(s->batch, s->time, width);
}

static gt_Shape state_of(const Sizes *s)
{
    return gt_shape(s->batch, s->units);
}

/* Rows of a tile: enough for a product to be worth its while and for a thread, and at most 16 tiles of a large batch. */
static int64_t rows_of(const Sizes *s, int gates)
{
    const double step = (double)s->time * gates * (double)s->units * (double)s->units;
    int64_t least = step < 32768 ? (int64_t)(32768 / (step < 1 ? 1 : step)) : 1;
    int64_t share = s->batch / 16, rows = least > share ? least : share;
    return (rows + 7) / 8 * 8;
}

static int64_t tiles_of(const Sizes *s, int gates)
{
    const int64_t rows = rows_of(s, gates);
    return (s->batch + rows - 1) / rows;
}

/* Rows of the batch never meet, steps and weights do. */
static gt_Status sequence_mask(gt_MaskRule *rule)
{
    for (int i = 1; i <= 2; i++) /* the recurrent kernel, the bias */
        if (rule->input[i])
            return gt_mask_refuse(rule, i, 0);
    return gt_mask_batch(rule);
}

/* ---- lowering ---- */

/* The recurrent kernel is input r, and is the same at each step: a launch lays it out. Returns where it is in `at`; -1: it stays as
 * it is. */
static int8_t pack(const gt_ShapeRule *rule, gt_Lowering *lowering, const Sizes *s, int r,
                   int gates, bool back)
{
    enum { STEPS = 4, ROWS = 4 }; /* fewer are better off without */
    const gt_ProductJob product = {.type = (uint8_t)gt_loop_type(s->dtype),
                                   .b = (uint8_t)r,
                                   .transpose_b = back,
                                   .n = back ? s->units : gates * s->units,
                                   .k = back ? gates * s->units : s->units};
    if (s->time < STEPS || s->batch < ROWS ||
        gt_gemm_packed_bytes(lowering->target, product.type, product.n, product.k) == 0)
        return -1;
    return gt_lower_pack(rule, lowering, &product)->packed;
}

/* `r`: which input that is; `gates` of the product, whose other side is the state; `back`: of a gradient. */
static void lower(const gt_ShapeRule *rule, gt_Lowering *lowering, gt_TileKernelId kernel,
                  const Sizes *s, int r, int gates, bool back)
{
    const SequenceOptions *options = rule->options;
    enum { MOST = 96 }; /* rows of one product */
    const gt_LoopType type = (gt_LoopType)gt_loop_type(s->dtype);
    const int8_t packed = pack(rule, lowering, s, r, gates, back);
    gt_SequenceJob *job = gt_lower_launch(lowering, kernel, 0, sizeof *job);
    *job = (gt_SequenceJob){.type = (uint8_t)type,
                            .backwards = options->backwards,
                            .states = options->states,
                            .packed = packed,
                            .batch = s->batch,
                            .time = s->time,
                            .units = s->units,
                            .rows = rows_of(s, gates),
                            .most = s->batch < MOST ? s->batch : MOST};
    lowering->launch[lowering->launches - 1].tiles = tiles_of(s, gates);
    size_t wide =
        gt_gemm_scratch(lowering->target, type, false, job->most, gates * s->units, s->units);
    size_t deep =
        gt_gemm_scratch(lowering->target, type, false, job->most, s->units, gates * s->units);
    gt_lower_scratch(lowering,
                     (wide > deep ? wide : deep) +
                         (size_t)GT_SEQUENCE_ROOM(job->most, s->units) * gt_dtype_size(s->dtype));
}

enum { X, R, BIAS, H0, C0, MASK, LSTM_INPUTS };

/* ---- what the gradients share ---- */

/* x (batch, time, n) as (batch time, n). */
static gt_Tensor *rows(gt_Tensor *x)
{
    return gt_reshape(x, gt_shape(-1, gt_last(gt_tensor_shape(x))));
}

/* States before every step, of those after it; `first` may be NULL, zeros then. All move by a step, and the one that comes round
 * is replaced. */
static gt_Tensor *before(gt_Tensor *h, gt_Tensor *first, bool backwards)
{
    const int64_t last = gt_tensor_shape(h).dims[1] - 1;
    gt_Tensor *begin = first ? gt_expand_dims(first, 1)
                             : gt_zeros_like(gt_slice(h, gt_shape(0, 0, 0), gt_shape(-1, 1, -1)));
    return gt_slice_update(gt_roll(h, backwards ? -1 : 1, .axis = 1),
                           gt_shape(0, backwards ? last : 0, 0), begin);
}

/* Options of the gradient; `state` is the last input with a state. */
static SequenceOptions gradient_options(gt_GradientRule *rule, int state)
{
    SequenceOptions options = *(const SequenceOptions *)gt_rule_options(rule);
    options.states = false;
    for (int i = H0; i <= state; i++)
        options.states |= gt_wants(rule, i);
    return options;
}

/* What a formula gives for a state before the first step. */
static gt_Tensor *if_wanted(const SequenceOptions *options, gt_Tensor *state)
{
    return options->states ? state : gt_zeros_like(state);
}

/* The gradient of r: of the states before every step and of what arrives at their products. */
static void give_recurrent(gt_GradientRule *rule, gt_Tensor *h, gt_Tensor *h0, gt_Tensor *dp)
{
    const SequenceOptions *options = gt_rule_options(rule);
    if (gt_wants(rule, 1))
        gt_give(rule, 1,
                gt_matmul(rows(before(h, h0, options->backwards)), rows(dp), .transpose_a = true));
}

/* For formulas: x (batch, time, ...) with time in front; zeros like `like` where x is NULL. */
static gt_Tensor *steps(gt_Tensor *x, gt_Tensor *like)
{
    return x ? gt_swapaxes(x, 0, 1) : gt_zeros_like(gt_swapaxes(like, 0, 1));
}

/* What a formula's body reads: the recurrent kernel, is there a mask. The steps are unrolled in traced functions too: what arrives
 * at the recurrent kernel is a sum over them, and has the bits of eager execution only in its order. */
typedef struct Body {
    gt_Tensor *recurrent;
    bool masked;
} Body;

/* x where the step counts, else 0. */
static gt_Tensor *counted(const Body *body, gt_Tensor *counts, gt_Tensor *x)
{
    return body->masked ? gt_where(gt_expand_dims(counts, -1), x, 0) : x;
}

/* ---- LSTM ---- */

enum { GATES, H, C, LAST_H, LAST_C, LSTM_OUTPUTS };

static gt_Status lstm_shape(gt_ShapeRule *rule)
{
    Sizes s;
    if (!read_sizes(&s, rule->input[X], rule->input[R], 4))
        return gt_status();
    if (!fits(rule, X, s.dtype, steps_of(&s, 4 * s.units)) ||
        !fits(rule, R, s.dtype, gt_shape(s.units, 4 * s.units)) ||
        !fits(rule, BIAS, s.dtype, gt_shape(4 * s.units)) ||
        !fits(rule, H0, s.dtype, state_of(&s)) || !fits(rule, C0, s.dtype, state_of(&s)) ||
        !fits(rule, MASK, GT_BOOL, gt_shape(s.batch, s.time)))
        return gt_status();
    rule->output[GATES] = *rule->input[X];
    rule->output[H] = rule->output[C] = floats(&s, steps_of(&s, s.units));
    rule->output[LAST_H] = rule->output[LAST_C] = floats(&s, state_of(&s));
    return GT_OK;
}

static void lstm_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    Sizes s;
    read_sizes(&s, rule->input[X], rule->input[R], 4);
    lower(rule, lowering, GT_TILES_lstm, &s, 1, 4, false);
}

/* Inputs of the gradient: gates, c, r, c0, mask, then what arrives at each output. */
enum { FROM_GATES, FROM_C, OF_R, OF_C0, OF_MASK, UP, LSTM_GRADIENT_INPUTS = UP + LSTM_OUTPUTS };

static gt_Status lstm_gradient(gt_GradientRule *rule)
{
    gt_Tensor *h0 = gt_rule_input(rule, H0), *made[4];
    gt_Tensor *in[LSTM_GRADIENT_INPUTS] = {gt_rule_output(rule, GATES), gt_rule_output(rule, C),
                                           gt_rule_input(rule, R), gt_rule_input(rule, C0),
                                           gt_rule_input(rule, MASK)};
    for (int i = 0; i < LSTM_OUTPUTS; i++)
        in[UP + i] = gt_upstream(rule, i);
    const SequenceOptions options = gradient_options(rule, C0);
    if (gt_apply_at(NULL, &gt_op_lstm_sequence_gradient, &options, LSTM_GRADIENT_INPUTS, in,
                    made) != GT_OK)
        return gt_status();
    if (gt_wants(rule, X))
        gt_give(rule, X, made[0]);
    give_recurrent(rule, gt_rule_output(rule, H), h0, made[0]);
    if (gt_wants(rule, BIAS))
        gt_give(rule, BIAS, gt_sum(made[3], .axis = 0));
    if (gt_wants(rule, H0))
        gt_give(rule, H0, made[1]);
    if (gt_wants(rule, C0))
        gt_give(rule, C0, made[2]);
    return gt_status();
}

#define FLAGS(...) GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
#define ABSENT                                                                                     \
    {                                                                                              \
        .dtype = GT_DTYPE_NONE                                                                     \
    }
#define BACKWARDS .options = &GT_VALUES(SequenceOptions, true)
const gt_Operation gt_op_lstm_sequence = {
    GT_RECORD_OUTPUTS("lstm_sequence",
                      "c = sigmoid(f) c + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c)", LSTM_INPUTS,
                      LSTM_INPUTS, LSTM_OUTPUTS),
    .flags = GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .options = &SequenceOptions_type,
    .optional_inputs = 1 << BIAS | 1 << H0 | 1 << C0 | 1 << MASK,
    .saves_inputs = 1 << R | 1 << H0 | 1 << C0 | 1 << MASK,
    .saves_outputs = 1 << GATES | 1 << H | 1 << C,
    .shape = lstm_shape,
    .lower = lstm_lower,
    .gradient = lstm_gradient,
    .mask = sequence_mask,
    .samples = GT_SAMPLES(
        {.inputs = LSTM_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 8), GT_ANY(2, 8), GT_ANY(8), GT_ANY(2, 2), GT_ANY(2, 2),
                            FLAGS(2, 3))},
        {.inputs = LSTM_INPUTS,
         .input = GT_INPUTS(GT_ANY(3, 2, 12), GT_ANY(3, 12), ABSENT, ABSENT, ABSENT, ABSENT),
         BACKWARDS}),
};

gt_Status gt_lstm_sequence(gt_Sequence *s)
{
    SequenceOptions options = GT_VALUES(SequenceOptions, s->backwards);
    gt_Tensor *in[] = {s->x, s->recurrent, s->bias, s->h0, s->c0, s->mask}, *made[LSTM_OUTPUTS];
    s->h = s->last_h = s->last_c = NULL;
    if (gt_apply_at(NULL, &gt_op_lstm_sequence, &options, LSTM_INPUTS, in, made) != GT_OK)
        return gt_status();
    s->h = made[H];
    s->last_h = made[LAST_H];
    s->last_c = made[LAST_C];
    return GT_OK;
}

/* ---- its gradient ---- */

static gt_Status lstm_gradient_shape(gt_ShapeRule *rule)
{
    Sizes s;
    if (!read_sizes(&s, rule->input[FROM_GATES], rule->input[OF_R], 4))
        return gt_status();
    const gt_Shape gates = steps_of(&s, 4 * s.units), steps = steps_of(&s, s.units);
    if (!fits(rule, FROM_GATES, s.dtype, gates) || !fits(rule, FROM_C, s.dtype, steps) ||
        !fits(rule, OF_R, s.dtype, gt_shape(s.units, 4 * s.units)) ||
        !fits(rule, OF_C0, s.dtype, state_of(&s)) ||
        !fits(rule, OF_MASK, GT_BOOL, gt_shape(s.batch, s.time)) ||
        !fits(rule, UP + GATES, s.dtype, gates) || !fits(rule, UP + H, s.dtype, steps) ||
        !fits(rule, UP + C, s.dtype, steps) || !fits(rule, UP + LAST_H, s.dtype, state_of(&s)) ||
        !fits(rule, UP + LAST_C, s.dtype, state_of(&s)))
        return gt_status();
    rule->output[0] = *rule->input[FROM_GATES];
    rule->output[1] = rule->output[2] = floats(&s, state_of(&s));
    rule->output[3] = floats(&s, gt_shape(tiles_of(&s, 4), 4 * s.units));
    return GT_OK;
}

static void lstm_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    Sizes s;
    read_sizes(&s, rule->input[FROM_GATES], rule->input[OF_R], 4);
    lower(rule, lowering, GT_TILES_lstm_gradient, &s, 2, 4, true);
}

/* A step back: (dh, dc; gates, c, c before, up of gates, h, c, [counts]) -> (dh, dc; dx) */
static gt_Status lstm_step_back(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Body *body = context;
    gt_Tensor *z[4], *up[4], *d[4], *counts = body->masked ? in[8] : NULL;
    if (gt_split(in[2], 4, z, .axis = -1) != GT_OK || gt_split(in[5], 4, up, .axis = -1) != GT_OK)
        return gt_status();
    gt_Tensor *i = z[0], *f = z[1], *g = z[2], *o = z[3], *t = gt_tanh(in[3]);
    gt_Tensor *all_h = gt_add(in[0], in[6]), *all_c = gt_add(in[1], in[7]);
    gt_Tensor *dh = counted(body, counts, all_h), *dc = counted(body, counts, all_c);
    gt_Tensor *all = gt_add(dc, gt_tanh_gradient(gt_multiply(dh, o), t));
    d[0] = gt_sigmoid_gradient(gt_add(gt_multiply(all, g), up[0]), i);
    d[1] = gt_sigmoid_gradient(gt_add(gt_multiply(all, in[4]), up[1]), f);
    d[2] = gt_tanh_gradient(gt_add(gt_multiply(all, i), up[2]), g);
    d[3] = gt_sigmoid_gradient(gt_add(gt_multiply(dh, t), up[3]), o);
    out[2] = gt_concatenate(((gt_Tensors){d, 4}), .axis = -1);
    out[0] =
        gt_add(gt_subtract(all_h, dh), gt_matmul(out[2], body->recurrent, .transpose_b = true));
    out[1] = gt_add(gt_subtract(all_c, dc), gt_multiply(all, f));
    return gt_status();
}

/* Of dx (batch, time, 4 units): (tiles, 4 units). */
static gt_Tensor *sums_by_tiles(gt_Tensor *dx, gt_Tensor *r)
{
    const gt_Spec steps = gt_spec(dx), recurrent = gt_spec(r);
    Sizes s;
    if (gt_status() != GT_OK || !read_sizes(&s, &steps, &recurrent, 4))
        return NULL;
    const int64_t rows = rows_of(&s, 4), full = s.batch / rows, wide = 4 * s.units;
    gt_Tensor *whole = gt_slice(dx, gt_shape(0, 0, 0), gt_shape(full * rows, s.time, wide));
    gt_Tensor *sums = gt_sum(gt_reshape(whole, gt_shape(full, rows * s.time, wide)), .axis = 1);
    if (full * rows == s.batch)
        return sums;
    gt_Tensor *rest =
        gt_slice(dx, gt_shape(full * rows, 0, 0), gt_shape(s.batch - full * rows, s.time, wide));
    rest = gt_expand_dims(gt_sum(rest, .axes = gt_axes(0, 1)), 0);
    return full ? gt_concatenate(gt_tensors(sums, rest), .axis = 0) : rest;
}

static gt_Status lstm_gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const SequenceOptions *options = given;
    gt_Tensor *gates = in[FROM_GATES], *c = in[FROM_C], *dx = NULL;
    gt_Tensor *none = gt_zeros_like(gt_get_item(c, ":, 0")), *mask = in[OF_MASK];
    Body body = {in[OF_R], mask != NULL};
    gt_Tensor *xs[] = {steps(gates, NULL),
                       steps(c, NULL),
                       steps(before(c, in[OF_C0], options->backwards), NULL),
                       steps(in[UP + GATES], gates),
                       steps(in[UP + H], c),
                       steps(in[UP + C], c),
                       mask ? gt_swapaxes(mask, 0, 1) : NULL};
    gt_Tensor *first[] = {in[UP + LAST_H] ? in[UP + LAST_H] : none,
                          in[UP + LAST_C] ? in[UP + LAST_C] : none};
    if (gt_scan(lstm_step_back, &body, ((gt_Tensors){first, 2}), ((gt_Tensors){xs, mask ? 7 : 6}),
                out + 1, &dx, .reverse = !options->backwards, .unroll = INT64_MAX) == GT_OK) {
        out[0] = gt_swapaxes(dx, 0, 1);
        out[1] = if_wanted(options, out[1]);
        out[2] = if_wanted(options, out[2]);
        out[3] = sums_by_tiles(out[0], in[OF_R]);
    }
    return gt_status();
}

static gt_Status lstm_gradient_gradient(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, lstm_gradient_formula);
}

const gt_Operation gt_op_lstm_sequence_gradient = {
    GT_RECORD_OUTPUTS("lstm_sequence_gradient", "of x, h0 and c0, from what arrives at h and c",
                      LSTM_GRADIENT_INPUTS, LSTM_GRADIENT_INPUTS, 4),
    .flags = GT_OP_INTERNAL | GT_OP_MAY_REUSE,
    .options = &SequenceOptions_type,
    .optional_inputs = 1 << OF_C0 | 1 << OF_MASK | 0x1f << UP,
    .saves_inputs = (1 << LSTM_GRADIENT_INPUTS) - 1,
    .shape = lstm_gradient_shape,
    .lower = lstm_gradient_lower,
    .gradient = lstm_gradient_gradient,
    .samples = GT_SAMPLES(
        {.inputs = LSTM_GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 8), GT_ANY(2, 3, 2), GT_ANY(2, 8), GT_ANY(2, 2),
                            FLAGS(2, 3), GT_ANY(2, 3, 8), GT_ANY(2, 3, 2), GT_ANY(2, 3, 2),
                            GT_ANY(2, 2), GT_ANY(2, 2))},
        {.inputs = LSTM_GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 2, 12), GT_ANY(2, 2, 3), GT_ANY(3, 12), ABSENT, ABSENT,
                            ABSENT, GT_ANY(2, 2, 3), ABSENT, GT_ANY(2, 3), ABSENT),
         BACKWARDS}),
};

/* ---- GRU ---- */

enum { GRU_MASK = C0, GRU_INPUTS }; /* x, r, bias and h0 as of an LSTM */
enum {
    GRU_LAST_H = LAST_H - 1,
    GRU_OUTPUTS
}; /* gates, h; the gates are z, r, g and the product that r multiplies */

static gt_Status gru_shape(gt_ShapeRule *rule)
{
    Sizes s;
    if (!read_sizes(&s, rule->input[X], rule->input[R], 3))
        return gt_status();
    if (!fits(rule, X, s.dtype, steps_of(&s, 3 * s.units)) ||
        !fits(rule, R, s.dtype, gt_shape(s.units, 3 * s.units)) ||
        !fits(rule, BIAS, s.dtype, gt_shape(2, 3 * s.units)) ||
        !fits(rule, H0, s.dtype, state_of(&s)) ||
        !fits(rule, GRU_MASK, GT_BOOL, gt_shape(s.batch, s.time)))
        return gt_status();
    rule->output[GATES] = floats(&s, steps_of(&s, 4 * s.units));
    rule->output[H] = floats(&s, steps_of(&s, s.units));
    rule->output[GRU_LAST_H] = floats(&s, state_of(&s));
    return GT_OK;
}

static void gru_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    Sizes s;
    read_sizes(&s, rule->input[X], rule->input[R], 3);
    lower(rule, lowering, GT_TILES_gru, &s, 1, 3, false);
}

/* Inputs of the gradient: gates, h, r, h0, mask, then what arrives at each output. */
enum { FROM_H = FROM_C, OF_H0 = OF_C0, GRU_GRADIENT_INPUTS = UP + GRU_OUTPUTS };

static gt_Status gru_gradient(gt_GradientRule *rule)
{
    gt_Tensor *h = gt_rule_output(rule, H), *h0 = gt_rule_input(rule, H0), *made[3];
    gt_Tensor *in[GRU_GRADIENT_INPUTS] = {gt_rule_output(rule, GATES), h, gt_rule_input(rule, R),
                                          h0, gt_rule_input(rule, GRU_MASK)};
    for (int i = 0; i < GRU_OUTPUTS; i++)
        in[UP + i] = gt_upstream(rule, i);
    const SequenceOptions options = gradient_options(rule, H0);
    if (gt_apply_at(NULL, &gt_op_gru_sequence_gradient, &options, GRU_GRADIENT_INPUTS, in, made) !=
        GT_OK)
        return gt_status();
    if (gt_wants(rule, X))
        gt_give(rule, X, made[0]);
    give_recurrent(rule, h, h0, made[1]);
    if (gt_wants(rule, BIAS))
        gt_give(rule, BIAS,
                gt_stack(gt_tensors(gt_sum(made[0], .axes = gt_axes(0, 1)),
                                    gt_sum(made[1], .axes = gt_axes(0, 1)))));
    if (gt_wants(rule, H0))
        gt_give(rule, H0, made[2]);
    return gt_status();
}

const gt_Operation gt_op_gru_sequence = {
    GT_RECORD_OUTPUTS("gru_sequence", "h = sigmoid(z) h + (1 - sigmoid(z)) tanh(g)", GRU_INPUTS,
                      GRU_INPUTS, GRU_OUTPUTS),
    .flags = GT_OP_INTERNAL,
    .options = &SequenceOptions_type,
    .optional_inputs = 1 << BIAS | 1 << H0 | 1 << GRU_MASK,
    .saves_inputs = 1 << R | 1 << H0 | 1 << GRU_MASK,
    .saves_outputs = 1 << GATES | 1 << H,
    .shape = gru_shape,
    .lower = gru_lower,
    .gradient = gru_gradient,
    .mask = sequence_mask,
    .samples =
        GT_SAMPLES({.inputs = GRU_INPUTS,
                    .input = GT_INPUTS(GT_ANY(2, 3, 6), GT_ANY(2, 6), GT_ANY(2, 6), GT_ANY(2, 2),
                                       FLAGS(2, 3))},
                   {.inputs = GRU_INPUTS,
                    .input = GT_INPUTS(GT_ANY(3, 2, 9), GT_ANY(3, 9), ABSENT, ABSENT, ABSENT),
                    BACKWARDS}),
};

gt_Status gt_gru_sequence(gt_Sequence *s)
{
    SequenceOptions options = GT_VALUES(SequenceOptions, s->backwards);
    gt_Tensor *in[] = {s->x, s->recurrent, s->bias, s->h0, s->mask}, *made[GRU_OUTPUTS];
    s->h = s->last_h = s->last_c = NULL;
    if (gt_apply_at(NULL, &gt_op_gru_sequence, &options, GRU_INPUTS, in, made) != GT_OK)
        return gt_status();
    s->h = made[H];
    s->last_h = made[GRU_LAST_H];
    return GT_OK;
}

/* ---- its gradient ---- */

static gt_Status gru_gradient_shape(gt_ShapeRule *rule)
{
    Sizes s;
    if (!read_sizes(&s, rule->input[FROM_GATES], rule->input[OF_R], 3))
        return gt_status();
    const gt_Shape gates = steps_of(&s, 4 * s.units), steps = steps_of(&s, s.units);
    if (!fits(rule, FROM_GATES, s.dtype, gates) || !fits(rule, FROM_H, s.dtype, steps) ||
        !fits(rule, OF_R, s.dtype, gt_shape(s.units, 3 * s.units)) ||
        !fits(rule, OF_H0, s.dtype, state_of(&s)) ||
        !fits(rule, OF_MASK, GT_BOOL, gt_shape(s.batch, s.time)) ||
        !fits(rule, UP + GATES, s.dtype, gates) || !fits(rule, UP + H, s.dtype, steps) ||
        !fits(rule, UP + GRU_LAST_H, s.dtype, state_of(&s)))
        return gt_status();
    rule->output[0] = rule->output[1] = floats(&s, steps_of(&s, 3 * s.units));
    rule->output[2] = floats(&s, state_of(&s));
    return GT_OK;
}

static void gru_gradient_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    Sizes s;
    read_sizes(&s, rule->input[FROM_GATES], rule->input[OF_R], 3);
    lower(rule, lowering, GT_TILES_gru_gradient, &s, 2, 3, true);
}

/* A step back: (dh; gates, h before, up of gates, h, [counts]) -> (dh; dx, dp) */
static gt_Status gru_step_back(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Body *body = context;
    gt_Tensor *gate[4], *up[4], *counts = body->masked ? in[5] : NULL;
    if (gt_split(in[1], 4, gate, .axis = -1) != GT_OK ||
        gt_split(in[3], 4, up, .axis = -1) != GT_OK)
        return gt_status();
    gt_Tensor *z = gate[0], *r = gate[1], *g = gate[2], *q = gate[3];
    gt_Tensor *all = gt_add(in[0], in[4]), *dh = counted(body, counts, all);
    gt_Tensor *share = gt_multiply(dh, z); /* of dh that goes to the state before */
    gt_Tensor *dz = gt_sigmoid_gradient(gt_add(gt_multiply(dh, gt_subtract(in[2], g)), up[0]), z);
    gt_Tensor *dg = gt_tanh_gradient(gt_add(gt_subtract(dh, share), up[2]), g);
    gt_Tensor *dr = gt_sigmoid_gradient(gt_add(gt_multiply(dg, q), up[1]), r);
    gt_Tensor *dq = gt_add(gt_multiply(dg, r), up[3]);
    out[1] = gt_concatenate(gt_tensors(dz, dr, dg), .axis = -1);
    out[2] = gt_concatenate(gt_tensors(dz, dr, dq), .axis = -1);
    out[0] = gt_add(gt_add(gt_subtract(all, dh), share),
                    gt_matmul(out[2], body->recurrent, .transpose_b = true));
    return gt_status();
}

static gt_Status gru_gradient_formula(const void *given, gt_Tensor *const *in, gt_Tensor **out)
{
    const SequenceOptions *options = given;
    gt_Tensor *gates = in[FROM_GATES], *h = in[FROM_H], *made[2] = {NULL}, *mask = in[OF_MASK];
    gt_Tensor *last = in[UP + GRU_LAST_H];
    Body body = {in[OF_R], mask != NULL};
    gt_Tensor *xs[] = {steps(gates, NULL), steps(before(h, in[OF_H0], options->backwards), NULL),
                       steps(in[UP + GATES], gates), steps(in[UP + H], h),
                       mask ? gt_swapaxes(mask, 0, 1) : NULL};
    gt_Tensor *first[] = {last ? last : gt_zeros_like(gt_get_item(h, ":, 0"))};
    if (gt_scan(gru_step_back, &body, ((gt_Tensors){first, 1}), ((gt_Tensors){xs, mask ? 5 : 4}),
                out + 2, made, .outputs = 2, .reverse = !options->backwards,
                .unroll = INT64_MAX) == GT_OK) {
        out[0] = gt_swapaxes(made[0], 0, 1);
        out[1] = gt_swapaxes(made[1], 0, 1);
        out[2] = if_wanted(options, out[2]);
    }
    return gt_status();
}

static gt_Status gru_gradient_gradient(gt_GradientRule *rule)
{
    return gt_rule_by_formula(rule, gru_gradient_formula);
}

const gt_Operation gt_op_gru_sequence_gradient = {
    GT_RECORD_OUTPUTS("gru_sequence_gradient", "of x, of h r and of h0, from what arrives at h",
                      GRU_GRADIENT_INPUTS, GRU_GRADIENT_INPUTS, 3),
    .flags = GT_OP_INTERNAL,
    .options = &SequenceOptions_type,
    .optional_inputs = 1 << OF_H0 | 1 << OF_MASK | 7 << UP,
    .saves_inputs = (1 << GRU_GRADIENT_INPUTS) - 1,
    .shape = gru_gradient_shape,
    .lower = gru_gradient_lower,
    .gradient = gru_gradient_gradient,
    .samples = GT_SAMPLES(
        {.inputs = GRU_GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 3, 8), GT_ANY(2, 3, 2), GT_ANY(2, 6), GT_ANY(2, 2),
                            FLAGS(2, 3), GT_ANY(2, 3, 8), GT_ANY(2, 3, 2), GT_ANY(2, 2))},
        {.inputs = GRU_GRADIENT_INPUTS,
         .input = GT_INPUTS(GT_ANY(2, 2, 12), GT_ANY(2, 2, 3), GT_ANY(3, 9), ABSENT, ABSENT, ABSENT,
                            GT_ANY(2, 2, 3), ABSENT),
         BACKWARDS}),
};
