/* Losses: what they have in common, three fused cross-entropies with their gradient rules, and the
 * functions of ops/loss.h. Formulas and the constant 1e-7 are Keras's. */
#include "ops/loss.h"
#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/kit.h"
#include "ops/math.h"
#include "ops/normalization.h"
#include "ops/reduce.h"
#include "ops/reduction.h"
#include "ops/reshaping.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EPSILON 1e-7 /* probabilities are kept this far from 0 and 1 */

/* ---- sigmoid_crossentropy(z, x) = max(x, 0) - x z + log(1 + e^-|x|), element by element ---- */

static gt_Status same_specs(const gt_ShapeRule *rule, int a, int b)
{
    char first[200], second[200];
    if (gt_spec_equal(rule->input[a], rule->input[b]))
        return GT_OK;
    return gt_fail(GT_INVALID, "inputs differ: %s and %s",
                   gt_spec_text(rule->input[a], first, sizeof first),
                   gt_spec_text(rule->input[b], second, sizeof second));
}

static gt_Status sigmoid_crossentropy_shape(gt_ShapeRule *rule)
{
    return same_specs(rule, 0, 1) == GT_OK ? gt_shape_float(rule) : gt_status();
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
    gt_UnaryLoop *const *softplus = kernel->context->kernels->unary[GT_LOOP_SOFTPLUS];
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

/* dz: -x. dx: sigmoid(x) - z. */
static gt_Status sigmoid_crossentropy_gradient(gt_GradientRule *rule)
{
    gt_Tensor *up = gt_upstream(rule, 0), *x = gt_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(up, x)));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gt_multiply(up, gt_subtract(gt_sigmoid(x), gt_input(rule, 0))));
    return gt_status();
}

const gt_Operation gt_op_sigmoid_crossentropy = {
    .size = sizeof(gt_Operation),
    .name = "sigmoid_crossentropy",
    .formula = "max(x, 0) - x z + log(1 + e^-|x|)",
    .flags = GT_OP_INTERNAL,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 3,
    .shape = sigmoid_crossentropy_shape,
    .run = sigmoid_crossentropy_run,
    .gradient = sigmoid_crossentropy_gradient,
    .samples =
        (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))},
                            GT_SAMPLES_END},
};

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

static void log_softmax_rows(const gt_Kernel *kernel, const Rows *rows, int64_t first,
                             int64_t count, void *into)
{
    gt_DType type = kernel->input_spec[1]->dtype;
    const char *x = kernel->input[1];
    kernel->context->kernels->log_softmax[gt_loop_type(type)](
        count, rows->classes, x + (size_t)(first * rows->classes) * gt_dtype_size(type), into);
}

/* ---- softmax_crossentropy(t, x): -sum t log_softmax(x) over the last axis ---- */

static gt_Status softmax_crossentropy_shape(gt_ShapeRule *rule)
{
    return same_specs(rule, 0, 1) == GT_OK ? rows_shape(rule, rule->input[1]) : gt_status();
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
    gt_ReduceLoop *const *sum = kernel->context->kernels->reduce[GT_LOOP_SUM];
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
    gt_Tensor *t = gt_input(rule, 0), *x = gt_input(rule, 1);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_negative(gt_multiply(gt_log_softmax(x), up)));
    if (gt_wants(rule, 1)) {
        gt_Tensor *total = gt_sum(t, .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(gt_subtract(gt_multiply(gt_softmax(x), total), t), up));
    }
    return gt_status();
}

const gt_Operation gt_op_softmax_crossentropy = {
    .size = sizeof(gt_Operation),
    .name = "softmax_crossentropy",
    .formula = "-sum t log(softmax(x))",
    .flags = GT_OP_INTERNAL,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 3,
    .shape = softmax_crossentropy_shape,
    .run = softmax_crossentropy_run,
    .gradient = softmax_crossentropy_gradient,
    .samples =
        (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 2, 3), GT_ANY(2, 3))},
                            {.inputs = 2, .input = GT_INPUTS(GT_REAL(0, 1, 4), GT_ANY(4))},
                            GT_SAMPLES_END},
};

/* ---- sparse_softmax_crossentropy(labels, x): -log_softmax(x) at the label ---- */

typedef struct SparseOptions {
    uint32_t size;
    int64_t ignore_class;
} SparseOptions;
#define SPARSE_OPTIONS(F)                                                                          \
    F(uint32_t, size, (uint32_t)sizeof(SparseOptions), "for ABI growth")                           \
    F(int64_t, ignore_class, GT_NONE, "the loss of this label is 0")
#define GT_STRUCT SparseOptions
GT_OPTION_TYPE(SparseOptions, SPARSE_OPTIONS);
#undef GT_STRUCT

static bool ignored(const gt_Kernel *kernel, int64_t label)
{
    const SparseOptions *options = kernel->options;
    return label == options->ignore_class;
}

/* The first bad label is the one that the error names, for any number of threads. */
static gt_Status check_labels(const gt_Kernel *kernel, const Rows *rows)
{
    for (int64_t row = 0; row < rows->rows; row++) {
        int64_t label = gt_whole_at(kernel, 0, row);
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
            int64_t label = gt_whole_at(kernel, 0, row + i), at = i * rows->classes + label;
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
    gt_Tensor *input[3] = {gt_input(rule, 0), gt_input(rule, 1), gt_upstream(rule, 0)};
    return gt_give(rule, 1,
                   gt_apply_one(NULL, &gt_op_sparse_softmax_crossentropy_gradient,
                                gt_rule_options(rule), 3, input));
}

#define LABELS(...) GT_WHOLE(GT_INT32, 0, 3, __VA_ARGS__)
#define IGNORING(...)                                                                              \
    &(const SparseOptions)                                                                         \
    {                                                                                              \
        sizeof(SparseOptions), __VA_ARGS__                                                         \
    }

const gt_Operation gt_op_sparse_softmax_crossentropy = {
    .size = sizeof(gt_Operation),
    .name = "sparse_softmax_crossentropy",
    .formula = "-log(softmax(x)) at the label",
    .flags = GT_OP_INTERNAL,
    .options = GT_STRUCT_TYPE(SparseOptions),
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 3,
    .shape = sparse_softmax_crossentropy_shape,
    .run = sparse_softmax_crossentropy_run,
    .gradient = sparse_softmax_crossentropy_rule,
    .samples =
        (const gt_Sample[]){
            {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3))},
            {.inputs = 2, .input = GT_INPUTS(LABELS(2, 2), GT_ANY(2, 2, 3))},
            {.inputs = 2, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3)), .options = IGNORING(1)},
            GT_SAMPLES_END},
};

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
            int64_t label = gt_whole_at(kernel, 0, row + i);                                       \
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
        kernel->context->kernels->softmax[gt_loop_type(type)](
            count, rows->classes, (const char *)kernel->input[1] + offset, y);
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
    gt_Tensor *u = gt_upstream(rule, 0), *labels = gt_input(rule, 0);
    gt_Tensor *p = gt_softmax(gt_input(rule, 1));
    if (options->ignore_class != GT_NONE) {
        gt_Tensor *kept = gt_not_equal(labels, (double)options->ignore_class);
        u = gt_where(gt_expand_dims(kept, -1), u, 0);
    }
    if (gt_wants(rule, 2)) {
        gt_Tensor *hot = gt_one_hot(labels, gt_last(gt_tensor_shape(p)), .dtype = gt_dtype(p));
        gt_give(rule, 2, gt_sum(gt_multiply(u, gt_subtract(p, hot)), .axis = -1));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *w = gt_multiply(u, gt_expand_dims(gt_input(rule, 2), -1));
        gt_Tensor *mean = gt_sum(gt_multiply(w, p), .axis = -1, .keepdims = true);
        gt_give(rule, 1, gt_multiply(p, gt_subtract(w, mean)));
    }
    return gt_status();
}

const gt_Operation gt_op_sparse_softmax_crossentropy_gradient = {
    .size = sizeof(gt_Operation),
    .name = "sparse_softmax_crossentropy_gradient",
    .formula = "(softmax(x) - one_hot(labels)) g",
    .flags = GT_OP_INTERNAL,
    .options = GT_STRUCT_TYPE(SparseOptions),
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 1,
    .saves_inputs = 7,
    .shape = sparse_slope_shape,
    .run = sparse_slope_run,
    .gradient = sparse_slope_rule,
    .samples =
        (const gt_Sample[]){{.inputs = 3, .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4))},
                            {.inputs = 3,
                             .input = GT_INPUTS(LABELS(4), GT_ANY(4, 3), GT_ANY(4)),
                             .options = IGNORING(1)},
                            GT_SAMPLES_END},
};

/* ---- logits(x, p): x, the logits of which the probabilities p were made ---- */

typedef struct LogitsOptions {
    uint32_t size;
    bool sigmoid;
} LogitsOptions;
#define LOGITS_OPTIONS(F)                                                                          \
    F(uint32_t, size, (uint32_t)sizeof(LogitsOptions), "for ABI growth")                           \
    F(bool, sigmoid, false, "p is sigmoid(x), not softmax(x)")
#define GT_STRUCT LogitsOptions
GT_OPTION_TYPE(LogitsOptions, LOGITS_OPTIONS);
#undef GT_STRUCT

/* As a function of p it is log(p), up to what a softmax does not see, or log(p / (1 - p)). That is
 * its gradient where nothing but p is asked for; where both are, x has it all. As for probabilities
 * that are kept away from 0 and 1, there is none at 0 and 1. So it is a custom gradient, and like those
 * (autodiff/custom.c) not in the table of operations, whose rules are the slopes of what they compute. */
static gt_Status logits_shape(gt_ShapeRule *rule)
{
    return same_specs(rule, 0, 1) == GT_OK ? gt_shape_float(rule) : gt_status();
}

static gt_Status logits_gradient(gt_GradientRule *rule)
{
    const LogitsOptions *options = gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0), *p = gt_input(rule, 1);
    bool only_p = !gt_wants(rule, 0);
    if (!only_p)
        gt_give(rule, 0, up);
    if (gt_wants(rule, 1) && only_p) {
        gt_Tensor *slope = options->sigmoid ? gt_multiply(p, gt_subtract(gt_ones_like(p), p)) : p;
        gt_give(rule, 1, gt_divide_no_nan(up, slope));
    } else if (gt_wants(rule, 1)) {
        gt_give(rule, 1, gt_zeros_like(p));
    }
    return gt_status();
}

static const gt_Operation logits_operation = {
    .size = sizeof(gt_Operation),
    .name = "logits",
    .flags = GT_OP_VIEW | GT_OP_INTERNAL,
    .options = GT_STRUCT_TYPE(LogitsOptions),
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 2,
    .shape = logits_shape,
    .run = gt_run_copy,
    .gradient = logits_gradient,
};

/* ---- probabilities(p): p, and an error where it is none ---- */

typedef enum Scores { OF_SOFTMAX, OF_SIGMOID, WITHOUT_LOGITS } Scores;
typedef struct ProbabilitiesOptions {
    uint32_t size;
    int32_t scores;
} ProbabilitiesOptions;
#define PROBABILITIES_OPTIONS(F)                                                                   \
    F(uint32_t, size, (uint32_t)sizeof(ProbabilitiesOptions), "for ABI growth")                    \
    F(int32_t, scores, OF_SOFTMAX, "what the loss says to do with scores")
#define GT_STRUCT ProbabilitiesOptions
GT_OPTION_TYPE(ProbabilitiesOptions, PROBABILITIES_OPTIONS);
#undef GT_STRUCT

#define ROUNDING 1e-5 /* so far outside of [0, 1] a probability may be; NaN is left alone */

/* The first number that is no probability; -1: none. Blocks are looked through without leaving. */
#define FIRST_SCORE(type)                                                                          \
    static int64_t first_score_##type(int64_t n, const type *p)                                    \
    {                                                                                              \
        const type low = (type)-ROUNDING, high = (type)(1 + ROUNDING);                             \
        for (int64_t first = 0; first < n; first += 256) {                                         \
            int64_t end = n - first < 256 ? n : first + 256;                                       \
            int bad = 0;                                                                           \
            for (int64_t i = first; i < end; i++)                                                  \
                bad |= (p[i] < low) | (p[i] > high);                                               \
            for (int64_t i = first; bad && i < end; i++)                                           \
                if (p[i] < low || p[i] > high)                                                     \
                    return i;                                                                      \
        }                                                                                          \
        return -1;                                                                                 \
    }
FIRST_SCORE(float)
FIRST_SCORE(double)

/* Rows are along the first axis. */
static gt_Status refuse_score(const gt_Kernel *kernel, int64_t at)
{
    static const char *const advice[] = {
        [OF_SOFTMAX] = "give .from_logits = true for scores, or gt_softmax them",
        [OF_SIGMOID] = "give .from_logits = true for scores, or gt_sigmoid them",
        [WITHOUT_LOGITS] = "gt_softmax scores before it",
    };
    const ProbabilitiesOptions *options = kernel->options;
    const gt_Spec *spec = kernel->input_spec[0];
    double number = gt_number_fetch(spec->dtype, kernel->input[0], at);
    int32_t which = options->scores < 0 || options->scores > WITHOUT_LOGITS ? 0 : options->scores;
    char row[48] = "";
    if (spec->rank > 0)
        snprintf(row, sizeof row, " in row %lld", (long long)(at / (spec->size / spec->dims[0])));
    return gt_fail(GT_INVALID, "y_pred must be probabilities in [0, 1] (got %g%s): %s", number, row,
                   advice[which]);
}

static gt_Status probabilities_run(const gt_Kernel *kernel)
{
    const gt_Spec *spec = kernel->input_spec[0];
    int64_t at = spec->dtype == GT_FLOAT32 ? first_score_float(spec->size, kernel->input[0])
                                           : first_score_double(spec->size, kernel->input[0]);
    if (at >= 0)
        return refuse_score(kernel, at);
    return kernel->output[0] == kernel->input[0] ? GT_OK : gt_run_copy(kernel);
}

static gt_Status probabilities_gradient(gt_GradientRule *rule)
{
    return gt_give(rule, 0, gt_upstream(rule, 0));
}

const gt_Operation gt_op_probabilities = {
    .size = sizeof(gt_Operation),
    .name = "probabilities",
    .formula = "x, which must be in [0, 1]",
    .flags = GT_OP_LINEAR | GT_OP_MAY_REUSE | GT_OP_INTERNAL,
    .options = GT_STRUCT_TYPE(ProbabilitiesOptions),
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = gt_shape_float,
    .run = probabilities_run,
    .gradient = probabilities_gradient,
    .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(GT_REAL(0.1, 0.9, 2, 3))},
                                   GT_SAMPLES_END},
};

static gt_Tensor *probabilities(gt_Tensor *p, Scores scores)
{
    const ProbabilitiesOptions options = {sizeof options, (int32_t)scores};
    return gt_apply_one(NULL, &gt_op_probabilities, &options, 1, &p);
}

/* ---- what the losses have in common ---- */

#define GT_STRUCT gt_LossOptions
GT_OPTION_TYPE(gt_LossOptions, GT_LOSS_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_HuberOptions
GT_OPTION_TYPE(gt_HuberOptions, GT_HUBER_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_CosineSimilarityOptions
GT_OPTION_TYPE(gt_CosineSimilarityOptions, GT_COSINE_SIMILARITY_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_BinaryCrossentropyOptions
GT_OPTION_TYPE(gt_BinaryCrossentropyOptions, GT_BINARY_CROSSENTROPY_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_CategoricalCrossentropyOptions
GT_OPTION_TYPE(gt_CategoricalCrossentropyOptions, GT_CATEGORICAL_CROSSENTROPY_OPTIONS);
#undef GT_STRUCT
#define GT_STRUCT gt_SparseCategoricalCrossentropyOptions
GT_OPTION_TYPE(gt_SparseCategoricalCrossentropyOptions, GT_SPARSE_CATEGORICAL_CROSSENTROPY_OPTIONS);
#undef GT_STRUCT

/* Shape and type of an argument; NULL with an error raised for a bad handle. */
static const gt_Spec *spec_of(const gt_Tensor *tensor, const char *what)
{
    gt_Context *context = gt_enter();
    gt_Slot *slot = context ? gt_slot_check(context, NULL, NULL, what, tensor) : NULL;
    return slot ? &slot->value->spec : NULL;
}

static const gt_Spec *predictions(const gt_Tensor *y_pred)
{
    const gt_Spec *spec = spec_of(y_pred, "y_pred");
    if (spec && !gt_dtype_is_float(spec->dtype)) {
        gt_fail(GT_INVALID, "y_pred is %s; predictions are float32 or float64",
                gt_dtype_name(spec->dtype));
        return NULL;
    }
    return spec;
}

/* y_true of the type of y_pred; nothing is broadcast (n, n) behind the caller's back. */
static gt_Tensor *targets(gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *spec = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!spec)
        return NULL;
    if (!gt_shape_equal(gt_spec_shape(spec), gt_spec_shape(predicted))) {
        gt_fail(GT_INVALID,
                "y_true has shape %s but y_pred %s; they must be equal, gt_reshape one of them",
                gt_shape_text(gt_spec_shape(spec), a, sizeof a),
                gt_shape_text(gt_spec_shape(predicted), b, sizeof b));
        return NULL;
    }
    if (gt_dtype_is_float(spec->dtype) && spec->dtype != predicted->dtype) {
        gt_fail(GT_INVALID, "y_true is %s but y_pred %s; gt_cast one of them",
                gt_dtype_name(spec->dtype), gt_dtype_name(predicted->dtype));
        return NULL;
    }
    return spec->dtype == predicted->dtype ? y_true : gt_cast(y_true, predicted->dtype);
}

/* y (1 - s) + s / classes */
static gt_Tensor *smoothed(gt_Tensor *y_true, double smoothing, double classes)
{
    if (smoothing == 0)
        return y_true;
    if (!(smoothing >= 0 && smoothing <= 1)) {
        gt_fail(GT_INVALID, "label_smoothing %g is not in [0, 1]", smoothing);
        return NULL;
    }
    return gt_add(gt_multiply(y_true, 1 - smoothing), smoothing / classes);
}

/* Probabilities that `along` elements `inner` apart were made of together. */
typedef struct Group {
    int64_t along, inner;
} Group;

static Group group_of(const gt_Spec *spec, int axis)
{
    Group group = {spec->dims[axis], 1};
    for (int d = axis + 1; d < spec->rank; d++)
        group.inner *= spec->dims[d];
    return group;
}

/* Is y_pred, a view of what a softmax made, made of whole groups along `axis`? */
static bool same_groups(const gt_Origin *origin, const gt_Spec *spec, int axis)
{
    const gt_Spec *logits = &origin->logits->spec;
    const gt_SoftmaxOptions *options = origin->options;
    Group made = group_of(logits, gt_axis(options->axis, logits->rank));
    Group seen = group_of(spec, axis);
    int64_t size = made.along * made.inner;
    return made.along == seen.along && made.inner == seen.inner && size > 0 &&
           origin->first % size == 0;
}

/* The logits where the view y_pred looks, in its shape. */
static gt_Tensor *logits_of_view(gt_Tensor *logits, int64_t first, const gt_Spec *view)
{
    if (gt_size(logits) != view->size)
        logits = gt_slice(gt_ravel(logits), gt_shape(first), gt_shape(view->size));
    gt_Shape shape = gt_spec_shape(view);
    return gt_shape_equal(gt_tensor_shape(logits), shape) ? logits : gt_reshape(logits, shape);
}

static uint64_t tapes_of(const gt_Context *context, const gt_Tensor *tensor)
{
    return gt_tapes_of(gt_slot_raw(tensor)->value) & context->recording;
}

/* Gradients go where they would go from y_pred: to the logits on the tapes that saw how it was made
 * of them, to y_pred itself on others that watch it, and to nothing else. */
static gt_Tensor *on_the_tapes_of(gt_Context *context, gt_Tensor *y_pred, gt_Tensor *logits)
{
    const gt_Slot *slot = gt_slot_raw(y_pred);
    uint64_t through = gt_origin_tapes(context, slot),
             others = tapes_of(context, logits) & ~through;
    if (others) {
        uint64_t hushed = gt_tape_hush(context, others);
        logits = gt_identity(logits);
        gt_tape_unquiet(context, hushed);
    }
    if (!(tapes_of(context, y_pred) & ~through))
        return logits;
    const LogitsOptions options = {sizeof options, slot->origin->operation == &gt_op_sigmoid};
    return gt_apply_one(NULL, &logits_operation, &options, 2, (gt_Tensor *const[]){logits, y_pred});
}

/* The logits to work with: y_pred itself if it says so; what the `probability` operation made y_pred
 * of, along `axis`, if that is known; else NULL: only probabilities are known. */
static gt_Tensor *logits_of(gt_Tensor *y_pred, bool from_logits, const gt_Operation *probability,
                            int axis)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    const gt_Slot *slot = gt_slot_raw(y_pred);
    const gt_Origin *origin = slot->origin;
    if (from_logits && origin) {
        gt_fail(GT_INVALID,
                "from_logits = true, but y_pred is the output of %s: give its input, or "
                "from_logits = false",
                origin->operation->name);
        return NULL;
    }
    if (from_logits)
        return y_pred;
    const gt_Spec *spec = &slot->value->spec;
    if (!origin || origin->operation != probability || !origin->logits ||
        (probability == &gt_op_softmax && !same_groups(origin, spec, axis)))
        return NULL;
    gt_value_retain(origin->logits, true);
    gt_Tensor *logits = gt_handle_new(context, origin->logits);
    logits = logits ? logits_of_view(logits, origin->first, spec) : NULL;
    return logits ? on_the_tapes_of(context, y_pred, logits) : NULL;
}

/* Of shape (batch) or longer, made to broadcast to the losses from the left. */
static gt_Tensor *weights(gt_Tensor *weight, const gt_Tensor *losses)
{
    const gt_Spec *loss = spec_of(losses, "the losses");
    const gt_Spec *spec = loss ? spec_of(weight, "sample_weight") : NULL;
    char a[160], b[160];
    if (!spec)
        return NULL;
    gt_Shape shape = gt_spec_shape(loss);
    bool fits = spec->rank <= loss->rank;
    for (int d = 0; fits && d < loss->rank; d++) {
        shape.dims[d] = d < spec->rank ? spec->dims[d] : 1;
        fits = shape.dims[d] == loss->dims[d] || shape.dims[d] == 1;
    }
    if (!fits) {
        gt_fail(GT_INVALID, "sample_weight %s does not fit losses %s",
                gt_shape_text(gt_spec_shape(spec), a, sizeof a),
                gt_shape_text(gt_spec_shape(loss), b, sizeof b));
        return NULL;
    }
    gt_DType type = loss->dtype;
    if (!gt_dtype_is_float(spec->dtype))
        weight = gt_cast(weight, type);
    return gt_reshape(weight, shape);
}

/* One loss a sample to what the caller asked for. `count`: what the mean divides by; NULL: how many
 * there are. */
static gt_Tensor *reduced(gt_Tensor *losses, gt_Reduction reduction, gt_Tensor *weight,
                          gt_Tensor *count)
{
    if (weight)
        losses = gt_multiply(losses, weights(weight, losses));
    switch (reduction) {
    case GT_NO_REDUCTION:
        return losses;
    case GT_SUM:
        return gt_sum(losses);
    case GT_MEAN:
        return count ? gt_divide_no_nan(gt_sum(losses), count) : gt_mean(losses);
    }
    gt_fail(GT_INVALID, "unknown reduction %d", (int)reduction);
    return NULL;
}

/* The mean over the last axis first; the mean of means of equally many is the mean. */
static gt_Tensor *reduced_entries(gt_Tensor *entries, gt_Reduction reduction, gt_Tensor *weight)
{
    if ((reduction != GT_MEAN || weight) && gt_rank(entries) > 0)
        entries = gt_mean(entries, .axis = -1);
    return reduced(entries, reduction, weight, NULL);
}

/* The same for squares of entries. */
static gt_Tensor *reduced_squares(gt_Tensor *entries, gt_Reduction reduction, gt_Tensor *weight)
{
    if (reduction == GT_MEAN && !weight)
        return GT_SQUARES(entries, .mean = true);
    entries =
        gt_rank(entries) > 0 ? GT_SQUARES(entries, .axis = -1, .mean = true) : gt_square(entries);
    return reduced(entries, reduction, weight, NULL);
}

/* gt_NAME_at and gt_NAME around NAME(y_true, y_pred, options), which makes the loss. */
#define LOSS(name, Options)                                                                        \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,              \
                              const Options *given)                                                \
    {                                                                                              \
        Options options;                                                                           \
        gt_options_fill(&Options##_type, &options, given);                                         \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        gt_Tensor *loss = name(y_true, y_pred, &options);                                          \
        gt_site_leave(site);                                                                       \
        return gt_status() == GT_OK ? loss : NULL;                                                 \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * y_true, gt_Tensor * y_pred)                                 \
    {                                                                                              \
        return gt_##name##_at(NULL, y_true, y_pred, NULL);                                         \
    }

/* ---- the losses ---- */

static gt_Tensor *mean_squared_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                     const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    return reduced_squares(gt_subtract(y_pred, t), options->reduction, options->sample_weight);
}
LOSS(mean_squared_error, gt_LossOptions)

static gt_Tensor *mean_absolute_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                      const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    return reduced_entries(gt_abs(gt_subtract(y_pred, t)), options->reduction,
                           options->sample_weight);
}
LOSS(mean_absolute_error, gt_LossOptions)

static gt_Tensor *mean_absolute_percentage_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                                 const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    gt_Tensor *size = gt_maximum(gt_abs(t), EPSILON);
    gt_Tensor *entries = gt_multiply(gt_abs(gt_divide(gt_subtract(y_pred, t), size)), 100);
    return reduced_entries(entries, options->reduction, options->sample_weight);
}
LOSS(mean_absolute_percentage_error, gt_LossOptions)

static gt_Tensor *mean_squared_logarithmic_error(gt_Tensor *y_true, gt_Tensor *y_pred,
                                                 const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    gt_Tensor *logs =
        gt_subtract(gt_log1p(gt_maximum(y_pred, EPSILON)), gt_log1p(gt_maximum(t, EPSILON)));
    return reduced_squares(logs, options->reduction, options->sample_weight);
}
LOSS(mean_squared_logarithmic_error, gt_LossOptions)

/* e + softplus(-2 e) - log 2: no overflow, and smooth at 0 in every order. */
static gt_Tensor *log_cosh(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_LossOptions *options)
{
    gt_Tensor *e = gt_subtract(y_pred, targets(y_true, y_pred));
    gt_Tensor *entries = gt_subtract(gt_add(e, gt_softplus(gt_multiply(e, -2))), log(2));
    return reduced_entries(entries, options->reduction, options->sample_weight);
}
LOSS(log_cosh, gt_LossOptions)

/* With q = e kept within [-delta, delta]: q (e - q / 2), without |e|, whose second derivative at 0
 * would be lost. */
static gt_Tensor *huber(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_HuberOptions *options)
{
    if (!(options->delta > 0)) {
        gt_fail(GT_INVALID, "delta %g is not above 0", options->delta);
        return NULL;
    }
    gt_Tensor *e = gt_subtract(y_pred, targets(y_true, y_pred));
    gt_Tensor *inner = gt_clip(e, -options->delta, options->delta);
    gt_Tensor *entries = gt_multiply(inner, gt_subtract(e, gt_multiply(inner, 0.5)));
    return reduced_entries(entries, options->reduction, options->sample_weight);
}
LOSS(huber, gt_HuberOptions)

/* max(1 - t p, 0), with labels of zeros and ones made -1 and 1 first, as Keras does. */
static gt_Tensor *margin(gt_Tensor *y_true, gt_Tensor *y_pred)
{
    gt_Tensor *t = targets(y_true, y_pred);
    gt_Tensor *binary = gt_all(gt_logical_or(gt_equal(t, 0), gt_equal(t, 1)));
    t = gt_where(binary, gt_subtract(gt_multiply(t, 2), 1), t);
    return gt_relu(gt_add(gt_negative(gt_multiply(t, y_pred)), 1));
}

static gt_Tensor *hinge(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_LossOptions *options)
{
    return reduced_entries(margin(y_true, y_pred), options->reduction, options->sample_weight);
}
LOSS(hinge, gt_LossOptions)

static gt_Tensor *squared_hinge(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_LossOptions *options)
{
    return reduced_squares(margin(y_true, y_pred), options->reduction, options->sample_weight);
}
LOSS(squared_hinge, gt_LossOptions)

static gt_Tensor *categorical_hinge(gt_Tensor *y_true, gt_Tensor *y_pred,
                                    const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    gt_Tensor *right = gt_sum(gt_multiply(t, y_pred), .axis = -1);
    gt_Tensor *wrong = gt_max(gt_multiply(gt_add(gt_negative(t), 1), y_pred), .axis = -1);
    gt_Tensor *losses = gt_relu(gt_add(gt_subtract(wrong, right), 1));
    return reduced(losses, options->reduction, options->sample_weight, NULL);
}
LOSS(categorical_hinge, gt_LossOptions)

static gt_Tensor *kl_divergence(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_LossOptions *options)
{
    gt_Tensor *t = gt_clip(targets(y_true, y_pred), EPSILON, 1);
    gt_Tensor *p = gt_clip(probabilities(y_pred, WITHOUT_LOGITS), EPSILON, 1);
    gt_Tensor *losses = gt_sum(gt_multiply(t, gt_log(gt_divide(t, p))), .axis = -1);
    return reduced(losses, options->reduction, options->sample_weight, NULL);
}
LOSS(kl_divergence, gt_LossOptions)

static gt_Tensor *poisson(gt_Tensor *y_true, gt_Tensor *y_pred, const gt_LossOptions *options)
{
    gt_Tensor *t = targets(y_true, y_pred);
    gt_Tensor *entries = gt_subtract(y_pred, gt_multiply(t, gt_log(gt_add(y_pred, EPSILON))));
    return reduced_entries(entries, options->reduction, options->sample_weight);
}
LOSS(poisson, gt_LossOptions)

static gt_Tensor *cosine_similarity(gt_Tensor *y_true, gt_Tensor *y_pred,
                                    const gt_CosineSimilarityOptions *options)
{
    gt_Tensor *t = gt_normalize(targets(y_true, y_pred), .axis = options->axis, .epsilon = EPSILON);
    gt_Tensor *p = gt_normalize(y_pred, .axis = options->axis, .epsilon = EPSILON);
    gt_Tensor *losses = gt_negative(gt_sum(gt_multiply(t, p), .axis = options->axis));
    return reduced(losses, options->reduction, options->sample_weight, NULL);
}
LOSS(cosine_similarity, gt_CosineSimilarityOptions)

static gt_Tensor *binary_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                      const gt_BinaryCrossentropyOptions *options)
{
    gt_Tensor *pair[2] = {smoothed(targets(y_true, y_pred), options->label_smoothing, 2), NULL};
    gt_Tensor *entries;
    if ((pair[1] = logits_of(y_pred, options->from_logits, &gt_op_sigmoid, 0))) {
        entries = gt_apply_one(NULL, &gt_op_sigmoid_crossentropy, NULL, 2, pair);
    } else {
        gt_Tensor *p = gt_clip(probabilities(y_pred, OF_SIGMOID), EPSILON, 1 - EPSILON);
        gt_Tensor *t = pair[0];
        gt_Tensor *not_t = gt_add(gt_negative(t), 1);
        gt_Tensor *yes = gt_multiply(t, gt_log(p));
        gt_Tensor *no = gt_multiply(not_t, gt_log1p(gt_negative(p)));
        entries = gt_negative(gt_add(yes, no));
    }
    return reduced_entries(entries, options->reduction, options->sample_weight);
}
LOSS(binary_crossentropy, gt_BinaryCrossentropyOptions)

/* Are these integers that name classes, not as many numbers as there are classes? Then an error is
 * raised. */
static bool class_numbers(const gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *labels = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!labels || !gt_dtype_is_integer(labels->dtype) || predicted->size == 0 ||
        predicted->rank == 0 ||
        labels->size != predicted->size / predicted->dims[predicted->rank - 1] ||
        labels->size == predicted->size)
        return false;
    gt_fail(GT_INVALID,
            "y_true has shape %s but y_pred %s; they must be equal: gt_one_hot class numbers, or "
            "give them to gt_sparse_categorical_crossentropy",
            gt_shape_text(gt_spec_shape(labels), a, sizeof a),
            gt_shape_text(gt_spec_shape(predicted), b, sizeof b));
    return true;
}

static gt_Tensor *categorical_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                           const gt_CategoricalCrossentropyOptions *options)
{
    gt_Tensor *t = class_numbers(y_true, y_pred) ? NULL : targets(y_true, y_pred);
    if (!t)
        return NULL;
    gt_Shape shape = gt_tensor_shape(y_pred);
    int axis = gt_axis(options->axis, shape.rank), last = shape.rank - 1;
    if (axis < 0)
        return NULL;
    t = smoothed(t, options->label_smoothing, (double)shape.dims[axis]);
    gt_Tensor *x = logits_of(y_pred, options->from_logits, &gt_op_softmax, axis);
    gt_Tensor *losses;
    if (x) {
        gt_Tensor *pair[2] = {t, x};
        for (int i = 0; i < 2 && axis != last; i++)
            pair[i] = gt_moveaxis(pair[i], axis, last);
        losses = gt_apply_one(NULL, &gt_op_softmax_crossentropy, NULL, 2, pair);
    } else {
        gt_Tensor *p = probabilities(y_pred, OF_SOFTMAX);
        p = gt_divide(p, gt_sum(p, .axis = axis, .keepdims = true));
        gt_Tensor *log_p = gt_log(gt_clip(p, EPSILON, 1 - EPSILON));
        losses = gt_negative(gt_sum(gt_multiply(t, log_p), .axis = axis));
    }
    return reduced(losses, options->reduction, options->sample_weight, NULL);
}
LOSS(categorical_crossentropy, gt_CategoricalCrossentropyOptions)

/* Labels of the shape of y_pred without its last axis; (..., 1) is taken, too. */
static gt_Tensor *labels_for(gt_Tensor *y_true, const gt_Tensor *y_pred)
{
    const gt_Spec *predicted = predictions(y_pred);
    const gt_Spec *labels = predicted ? spec_of(y_true, "y_true") : NULL;
    char a[160], b[160];
    if (!labels)
        return NULL;
    if (!gt_dtype_is_integer(labels->dtype)) {
        gt_fail(GT_INVALID, "y_true is %s; labels are integers, gt_cast it",
                gt_dtype_name(labels->dtype));
        return NULL;
    }
    if (predicted->rank == 0) {
        gt_fail(GT_INVALID, "y_pred is a scalar; it needs an axis of classes");
        return NULL;
    }
    gt_Shape shape = gt_spec_shape(labels), rows = gt_spec_shape(predicted);
    rows.rank--;
    if (shape.rank == rows.rank + 1 && shape.dims[rows.rank] == 1)
        shape.rank--;
    if (!gt_shape_equal(shape, rows)) {
        gt_fail(GT_INVALID, "y_true has shape %s but y_pred %s; the labels must be %s",
                gt_shape_text(gt_spec_shape(labels), a, sizeof a),
                gt_shape_text(gt_spec_shape(predicted), b, sizeof b),
                gt_shape_text(rows, (char[160]){0}, 160));
        return NULL;
    }
    return labels->rank == rows.rank ? y_true : gt_reshape(y_true, rows);
}

/* Probabilities become logits by their logarithm, as TensorFlow does. */
static gt_Tensor *
sparse_categorical_crossentropy(gt_Tensor *y_true, gt_Tensor *y_pred,
                                const gt_SparseCategoricalCrossentropyOptions *options)
{
    gt_Tensor *labels = labels_for(y_true, y_pred), *count = NULL;
    if (!labels)
        return NULL;
    if (options->ignore_class != GT_NONE) {
        labels = gt_cast(labels, GT_INT64);
        if (options->reduction == GT_MEAN)
            count = gt_sum(
                gt_cast(gt_not_equal(labels, (double)options->ignore_class), gt_dtype(y_pred)));
    }
    gt_Tensor *x = logits_of(y_pred, options->from_logits, &gt_op_softmax, gt_rank(y_pred) - 1);
    if (!x)
        x = gt_log(gt_clip(probabilities(y_pred, OF_SOFTMAX), EPSILON, 1 - EPSILON));
    gt_Tensor *pair[2] = {labels, x};
    gt_Tensor *losses =
        gt_apply_one(NULL, &gt_op_sparse_softmax_crossentropy,
                     &(SparseOptions){sizeof(SparseOptions), options->ignore_class}, 2, pair);
    return reduced(losses, options->reduction, options->sample_weight, count);
}
LOSS(sparse_categorical_crossentropy, gt_SparseCategoricalCrossentropyOptions)
