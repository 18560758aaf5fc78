/* The cross-entropies of logits, fused: records and gradient rules. None of them forms probabilities first, so the
 * results are exact where a probability would round to 0 or 1.
 *
 *     sigmoid_crossentropy(t, x)            max(x, 0) - x t + log(1 + e^-|x|), element by element
 *     softmax_crossentropy(t, x)            -sum t log_softmax(x) over the last axis, one number a row
 *     sparse_softmax_crossentropy(l, x)     -log_softmax(x)[l], one number a row; its gradient is a record of its own
 *
 * Rows go in blocks of about 4096 numbers, which stay in the first cache from log_softmax to the sum. */
#include "ops/nn/crossentropy.h"
#include "core/inside.h"
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"

#include <math.h>
#include <string.h>

/* ---- sigmoid_crossentropy(t, x) = max(x, 0) - x t + log(1 + e^-|x|), element by element ---- */

static gt_Status sigmoid_crossentropy_shape(gt_ShapeRule *rule)
{
    return gt_same_specs(rule, 0, 1) ? gt_shape_float(rule) : gt_status();
}

/* y = -|x|, then log(1 + e^y), then the rest: no term cancels. */
#define SIGMOID_CROSSENTROPY(type, absolute)                                                       \
    static void sigmoid_crossentropy_##type(int64_t n, const type *z, const type *x, type *y,      \
                                            gt_UnaryLoop *softplus)                                \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = -absolute(x[i]);                                                                \
        softplus(n, y, y);                                                                         \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] += (x[i] > 0 ? x[i] : 0) - x[i] * z[i];                                           \
    }
SIGMOID_CROSSENTROPY(float, fabsf)
SIGMOID_CROSSENTROPY(double, fabs)

static void sigmoid_crossentropy_chunk(const gt_Kernel *kernel, int64_t first, int64_t n)
{
    gt_UnaryLoop *const *softplus = gt_context_kernels(kernel->context)->unary[GT_LOOP_SOFTPLUS];
    if (kernel->output_spec[0]->dtype == GT_FLOAT32)
        sigmoid_crossentropy_float(n, (const float *)kernel->input[0] + first,
                                   (const float *)kernel->input[1] + first,
                                   (float *)kernel->output[0] + first, softplus[GT_LOOP_F32]);
    else
        sigmoid_crossentropy_double(n, (const double *)kernel->input[0] + first,
                                    (const double *)kernel->input[1] + first,
                                    (double *)kernel->output[0] + first, softplus[GT_LOOP_F64]);
}

static gt_Status sigmoid_crossentropy_run(const gt_Kernel *kernel)
{
    return gt_run_chunks(kernel, sigmoid_crossentropy_chunk);
}

/* dt: -x. dx: sigmoid(x) - t. */
static gt_Status sigmoid_crossentropy_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(up, x)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_multiply(up, gt_subtract(gt_sigmoid(x), gt_rule_input(rule, 0))));
    return gt_status();
}

const gt_Operation gt_op_sigmoid_crossentropy = {
    GT_RECORD("sigmoid_crossentropy", "max(x, 0) - x t + log(1 + e^-|x|)", 2, 2),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 3,
    .shape = sigmoid_crossentropy_shape,
    .run = sigmoid_crossentropy_run,
    .gradient = sigmoid_crossentropy_gradient,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))}),
};

gt_Tensor *gt_sigmoid_crossentropy(gt_Tensor *t, gt_Tensor *x)
{
    gt_Tensor *pair[2] = {t, x};
    return gt_apply_one_at(NULL, &gt_op_sigmoid_crossentropy, NULL, 2, pair);
}

/* ---- rows of logits: log_softmax of a few at a time goes into scratch memory ---- */

typedef struct Rows {
    int64_t rows, classes, block, tiles;
} Rows;

static Rows rows_of(const gt_Spec *logits)
{
    enum { NUMBERS = 4096 }; /* of a block: they stay in the first cache */
    Rows rows = {1, logits->dims[logits->rank - 1], 1, 0};
    for (int d = 0; d < logits->rank - 1; d++)
        rows.rows *= logits->dims[d];
    if (rows.classes < NUMBERS)
        rows.block = NUMBERS / (rows.classes ? rows.classes : 1);
    rows.tiles = rows.rows / rows.block + (rows.rows % rows.block != 0);
    return rows;
}

/* Output 0: one number a row of the logits. */
static gt_Status rows_shape(gt_ShapeRule *rule, const gt_Spec *logits)
{
    if (!gt_takes(logits, GT_TAKES_FLOAT))
        return gt_status();
    if (logits->rank == 0)
        return gt_fail(GT_INVALID, "a scalar has no classes");
    Rows rows = rows_of(logits);
    rule->output[0] = *logits;
    rule->output[0].rank--;
    rule->scratch = (size_t)(rows.block * rows.classes) * gt_dtype_size(logits->dtype);
    return GT_OK;
}

/* Every row has its number; only the classes are mixed. */
static gt_Status rows_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->output[0].rank);
}

static void log_softmax_rows(const gt_Kernel *kernel, const Rows *rows, int64_t first,
                             int64_t count, void *into)
{
    gt_DType type = kernel->input_spec[1]->dtype;
    const char *x = kernel->input[1];
    gt_context_kernels(kernel->context)
        ->log_softmax[gt_loop_type(type)](
            count, rows->classes, x + (size_t)(first * rows->classes) * gt_dtype_size(type), into);
}

/* ---- softmax_crossentropy(t, x): -sum t log_softmax(x) over the last axis ---- */

static gt_Status softmax_crossentropy_shape(gt_ShapeRule *rule)
{
    return gt_same_specs(rule, 0, 1) ? rows_shape(rule, rule->input[1]) : gt_status();
}

/* Where t is 0 nothing counts, not even -inf. */
#define WEIGHTED(type)                                                                             \
    static void weighted_##type(int64_t rows, int64_t classes, const type *t, type *log_p,         \
                                gt_ReduceLoop *sum, type *y)                                       \
    {                                                                                              \
        for (int64_t i = 0; i < rows * classes; i++)                                               \
            log_p[i] = t[i] == 0 ? 0 : t[i] * -log_p[i];                                           \
        for (int64_t row = 0; row < rows; row++) {                                                 \
            double total;                                                                          \
            sum(classes, log_p + row * classes, &total);                                           \
            y[row] = (type)total;                                                                  \
        }                                                                                          \
    }
WEIGHTED(float)
WEIGHTED(double)

static void softmax_crossentropy_tiles(const gt_Kernel *kernel, void *argument, int64_t first,
                                       int64_t last, void *scratch)
{
    const Rows *rows = argument;
    gt_ReduceLoop *const *sum = gt_context_kernels(kernel->context)->reduce[GT_LOOP_SUM];
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile * rows->block, at = row * rows->classes;
        int64_t count = rows->rows - row < rows->block ? rows->rows - row : rows->block;
        log_softmax_rows(kernel, rows, row, count, scratch);
        if (kernel->output_spec[0]->dtype == GT_FLOAT32)
            weighted_float(count, rows->classes, (const float *)kernel->input[0] + at, scratch,
                           sum[GT_LOOP_F32], (float *)kernel->output[0] + row);
        else
            weighted_double(count, rows->classes, (const double *)kernel->input[0] + at, scratch,
                            sum[GT_LOOP_F64], (double *)kernel->output[0] + row);
    }
}

static gt_Status softmax_crossentropy_run(const gt_Kernel *kernel)
{
    Rows rows = rows_of(kernel->input_spec[1]);
    return gt_for_tiles(kernel, rows.tiles, softmax_crossentropy_tiles, &rows);
}

/* dt: -log_softmax(x). dx: softmax(x) sum(t) - t. */
static gt_Status softmax_crossentropy_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_expand_dims(gt_upstream(rule, 0), -1);
    gt_Tensor *t = gt_rule_input(rule, 0), *x = gt_rule_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(gt_log_softmax(x), up)));
    if (gt_wants(rule, 1)) {
        gt_Tensor *total = gt_sum(t, .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(gt_subtract(gt_multiply(gt_softmax(x), total), t), up));
    }
    return gt_status();
}

const gt_Operation gt_op_softmax_crossentropy = {
    GT_RECORD("softmax_crossentropy", "-sum t log(softmax(x))", 2, 2),
    .flags = GT_OP_INTERNAL,
    .saves_inputs = 3,
    .shape = softmax_crossentropy_shape,
    .run = softmax_crossentropy_run,
    .gradient = softmax_crossentropy_gradient,
    .mask = rows_mask,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))},
                          {.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 4), GT_ANY(4))}),
};

gt_Tensor *gt_softmax_crossentropy(gt_Tensor *t, gt_Tensor *x)
{
    gt_Tensor *pair[2] = {t, x};
    return gt_apply_one_at(NULL, &gt_op_softmax_crossentropy, NULL, 2, pair);
}

/* ---- sparse_softmax_crossentropy(labels, x): -log_softmax(x) at the label ---- */

#define SPARSE_OPTIONS(F, S) F(S, int64_t, ignore_class, GT_NONE, "the loss of this label is 0")
GT_OPTIONS(SparseOptions, SPARSE_OPTIONS);
GT_OPTION_TYPE(SparseOptions, SPARSE_OPTIONS);

static bool ignored(const gt_Kernel *kernel, int64_t label)
{
    const SparseOptions *options = kernel->options;
    return label == options->ignore_class;
}

/* The first bad label is the one that the error names, for any number of threads. */
static gt_Status check_labels(const gt_Kernel *kernel, const Rows *rows)
{
    for (int64_t row = 0; row < rows->rows; row++) {
        int64_t label = gt_whole(kernel, 0, row);
        if ((label < 0 || label >= rows->classes) && !ignored(kernel, label))
            return gt_fail(GT_INVALID, "label %lld of row %lld is not in [0, %lld)",
                           (long long)label, (long long)row, (long long)rows->classes);
    }
    return GT_OK;
}

static gt_Status sparse_softmax_crossentropy_shape(gt_ShapeRule *rule)
{
    const gt_Spec *labels = rule->input[0], *logits = rule->input[1];
    char a[160], b[160];
    if (!gt_takes(labels, GT_TAKES_INTEGER) || rows_shape(rule, logits) != GT_OK)
        return gt_status();
    gt_Shape rows = gt_spec_shape(&rule->output[0]);
    if (!gt_shape_equal(gt_spec_shape(labels), rows))
        return gt_fail(GT_INVALID, "labels %s do not fit logits %s",
                       gt_shape_text(gt_spec_shape(labels), a, sizeof a),
                       gt_shape_text(gt_spec_shape(logits), b, sizeof b));
    return GT_OK;
}

static void sparse_softmax_crossentropy_tiles(const gt_Kernel *kernel, void *argument,
                                              int64_t first, int64_t last, void *scratch)
{
    const Rows *rows = argument;
    bool single = kernel->output_spec[0]->dtype == GT_FLOAT32;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile * rows->block;
        int64_t count = rows->rows - row < rows->block ? rows->rows - row : rows->block;
        log_softmax_rows(kernel, rows, row, count, scratch);
        for (int64_t i = 0; i < count; i++) {
            int64_t label = gt_whole(kernel, 0, row + i), at = i * rows->classes + label;
            bool skip = ignored(kernel, label);
            if (single)
                ((float *)kernel->output[0])[row + i] = skip ? 0 : -((const float *)scratch)[at];
            else
                ((double *)kernel->output[0])[row + i] = skip ? 0 : -((const double *)scratch)[at];
        }
    }
}

static gt_Status sparse_softmax_crossentropy_run(const gt_Kernel *kernel)
{
    Rows rows = rows_of(kernel->input_spec[1]);
    if (check_labels(kernel, &rows) != GT_OK)
        return gt_status();
    return gt_for_tiles(kernel, rows.tiles, sparse_softmax_crossentropy_tiles, &rows);
}

static gt_Status sparse_softmax_crossentropy_rule(gt_GradientRule *rule)
{
    if (!gt_wants(rule, 1))
        return GT_OK;
    gt_Tensor *input[3] = {gt_rule_input(rule, 0), gt_rule_input(rule, 1), gt_upstream(rule, 0)};
    return gt_give(rule, 1,
                   gt_apply_one_at(NULL, &gt_op_sparse_softmax_crossentropy_gradient,
                                   gt_rule_options(rule), 3, input));
}

#define LABELS(...)   GT_WHOLE(GT_INT32, 0, 3, __VA_ARGS__)
#define IGNORING(...) &GT_VALUES(SparseOptions, __VA_ARGS__)

const gt_Operation gt_op_sparse_softmax_crossentropy = {
    GT_RECORD("sparse_softmax_crossentropy", "-log(softmax(x)) at the label", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &SparseOptions_type,
    .saves_inputs = 3,
    .shape = sparse_softmax_crossentropy_shape,
    .run = sparse_softmax_crossentropy_run,
    .gradient = sparse_softmax_crossentropy_rule,
    .mask = rows_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3))},
        {.inputs = 2, .input = GT_INPUTS(LABELS(2, 2), GT_ANY(2, 2, 3))},
        {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3)), .options = IGNORING(1)}),
};

gt_Tensor *gt_sparse_softmax_crossentropy(gt_Tensor *labels, gt_Tensor *x, int64_t ignore_class)
{
    gt_Tensor *pair[2] = {labels, x};
    return gt_apply_one_at(NULL, &gt_op_sparse_softmax_crossentropy,
                           &GT_VALUES(SparseOptions, ignore_class), 2, pair);
}

/* Its gradient in one pass: (labels, x, g) -> (softmax(x) - one_hot(labels)) g, 0 where ignored. */

static gt_Status sparse_slope_shape(gt_ShapeRule *rule)
{
    if (sparse_softmax_crossentropy_shape(rule) != GT_OK)
        return gt_status();
    char got[200], wanted[200];
    if (!gt_shape_equal(gt_spec_shape(rule->input[2]), gt_spec_shape(&rule->output[0])) ||
        rule->input[2]->dtype != rule->input[1]->dtype)
        return gt_fail(GT_INVALID, "upstream gradients %s do not fit logits %s",
                       gt_spec_text(rule->input[2], got, sizeof got),
                       gt_spec_text(rule->input[1], wanted, sizeof wanted));
    rule->output[0] = *rule->input[1];
    rule->scratch = 0;
    return GT_OK;
}

/* y holds softmax(x). */
#define SPARSE_SLOPE(type)                                                                         \
    static void sparse_slope_##type(const gt_Kernel *kernel, int64_t classes, int64_t row,         \
                                    int64_t count, type *y)                                        \
    {                                                                                              \
        const type *up = (const type *)kernel->input[2] + row;                                     \
        for (int64_t i = 0; i < count; i++, y += classes) {                                        \
            int64_t label = gt_whole(kernel, 0, row + i);                                          \
            type factor = up[i];                                                                   \
            if (ignored(kernel, label)) {                                                          \
                memset(y, 0, (size_t)classes * sizeof(type));                                      \
                continue;                                                                          \
            }                                                                                      \
            y[label] -= 1;                                                                         \
            for (int64_t j = 0; j < classes; j++)                                                  \
                y[j] *= factor;                                                                    \
        }                                                                                          \
    }
SPARSE_SLOPE(float)
SPARSE_SLOPE(double)

static void sparse_slope_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                               void *scratch)
{
    (void)scratch;
    const Rows *rows = argument;
    gt_DType type = kernel->output_spec[0]->dtype;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t row = tile * rows->block;
        int64_t count = rows->rows - row < rows->block ? rows->rows - row : rows->block;
        size_t offset = (size_t)(row * rows->classes) * gt_dtype_size(type);
        void *y = (char *)kernel->output[0] + offset;
        gt_context_kernels(kernel->context)
            ->softmax[gt_loop_type(type)](count, rows->classes,
                                          (const char *)kernel->input[1] + offset, y);
        if (type == GT_FLOAT32)
            sparse_slope_float(kernel, rows->classes, row, count, y);
        else
            sparse_slope_double(kernel, rows->classes, row, count, y);
    }
}

static gt_Status sparse_slope_run(const gt_Kernel *kernel)
{
    Rows rows = rows_of(kernel->input_spec[1]);
    if (check_labels(kernel, &rows) != GT_OK)
        return gt_status();
    return gt_for_tiles(kernel, rows.tiles, sparse_slope_tiles, &rows);
}

/* Of u arriving, with p = softmax(x): dg = sum u (p - one_hot), dx = p (w - sum w p), w = u g. */
static gt_Status sparse_slope_rule(gt_GradientRule *rule)
{
    const SparseOptions *options = gt_rule_options(rule);
    gt_Tensor *u = gt_upstream(rule, 0), *labels = gt_rule_input(rule, 0);
    gt_Tensor *p = gt_softmax(gt_rule_input(rule, 1));
    if (options->ignore_class != GT_NONE) {
        gt_Tensor *kept = gt_not_equal(labels, (double)options->ignore_class);
        u = gt_where(gt_expand_dims(kept, -1), u, 0);
    }
    if (gt_wants(rule, 2)) {
        gt_Tensor *hot = gt_one_hot(labels, gt_last(gt_tensor_shape(p)), .dtype = gt_dtype(p));
        gt_give(rule, 2, gt_sum(gt_multiply(u, gt_subtract(p, hot)), .axis = -1));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *w = gt_multiply(u, gt_expand_dims(gt_rule_input(rule, 2), -1));
        gt_Tensor *mean = gt_sum(gt_multiply(w, p), .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(p, gt_subtract(w, mean)));
    }
    return gt_status();
}

const gt_Operation gt_op_sparse_softmax_crossentropy_gradient = {
    GT_RECORD("sparse_softmax_crossentropy_gradient", "(softmax(x) - one_hot(labels)) g", 3, 3),
    .flags = GT_OP_INTERNAL,
    .options = &SparseOptions_type,
    .saves_inputs = 7,
    .shape = sparse_slope_shape,
    .run = sparse_slope_run,
    .gradient = sparse_slope_rule,
    .samples = GT_SAMPLES({.inputs = 3, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4))},
                          {.inputs = 3,
                           .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4)),
                           .options = IGNORING(1)}),
};
