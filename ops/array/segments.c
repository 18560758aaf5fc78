/* Segments: records, kernels and gradient rules of ops/array/segments.h. */
#include "ops/array/segments.h"
#include "ops/math/arithmetic.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/reduction.h"
#include "ops/array/reshaping.h"
#include "ops/array/sorting.h"

#include <math.h>

#define SEGMENT_OPTIONS(F, S) F(S, int64_t, segments, 1, "how many rows the result has")
GT_OPTIONS(SegmentOptions, SEGMENT_OPTIONS);
GT_OPTION_TYPE(SegmentOptions, SEGMENT_OPTIONS);

static gt_Status segment_shape(gt_ShapeRule *rule)
{
    const SegmentOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *ids = rule->input[1];
    char a[160], b[160];
    if (!gt_takes(x, GT_TAKES_NUMBER) || !gt_takes(ids, GT_TAKES_INTEGER))
        return gt_status();
    if (x->rank < 1 || ids->rank != 1 || ids->dims[0] != x->dims[0])
        return gt_fail(GT_INVALID, "ids %s do not number the rows of %s",
                       gt_shape_text(gt_spec_shape(ids), b, sizeof b),
                       gt_shape_text(gt_spec_shape(x), a, sizeof a));
    if (options->segments < 0)
        return gt_fail(GT_INVALID, "%lld segments are not possible", (long long)options->segments);
    rule->output[0] = *x;
    rule->output[0].dims[0] = options->segments;
    return GT_OK;
}

static int64_t columns_of(const gt_Spec *spec)
{
    int64_t columns = 1;
    for (int d = 1; d < spec->rank; d++)
        columns *= spec->dims[d];
    return columns;
}

/* Where row i goes; all were looked at before. */
static int64_t segment_of(const gt_Kernel *kernel, int64_t i)
{
    int64_t id = gt_whole(kernel, 1, i);
    return id < 0 ? id + kernel->output_spec[0]->dims[0] : id;
}

static gt_Status check_ids(const gt_Kernel *kernel)
{
    int64_t segments = kernel->output_spec[0]->dims[0];
    for (int64_t i = 0; i < kernel->input_spec[1]->size; i++) {
        int64_t id = segment_of(kernel, i);
        if (id < 0 || id >= segments)
            return gt_fail(GT_INVALID, "id %lld of row %lld is not one of %lld segments",
                           (long long)(id < 0 ? id - segments : id), (long long)i,
                           (long long)segments);
    }
    return GT_OK;
}

/* a b; integers wrap. */
static int32_t product_i32(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}
static int64_t product_i64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static uint8_t product_u8(uint8_t a, uint8_t b)
{
    return (uint8_t)((unsigned)a * b);
}
static float product_f32(float a, float b)
{
    return a * b;
}
static double product_f64(double a, double b)
{
    return a * b;
}
/* clang-format off */
#define PRODUCT(a, b)                                                                              \
    _Generic((a),                                                                                  \
        int32_t: product_i32, int64_t: product_i64, uint8_t: product_u8, float: product_f32,       \
        double: product_f64)(a, b)
/* clang-format on */

/* Columns are independent of each other: a tile is a strip of them. */
#define GT_STRIP 512

#define GT_SEGMENT_ROWS(type, UPDATE)                                                              \
    for (int64_t i = 0; i < rows; i++) {                                                           \
        const type *x = (const type *)kernel->input[0] + i * columns;                              \
        type *y = (type *)kernel->output[0] + segment_of(kernel, i) * columns;                     \
        for (int64_t j = begin; j < end; j++)                                                      \
            y[j] = (type)(UPDATE);                                                                 \
    }                                                                                              \
    break
#define GT_SEGMENT_OPERATION(op, text, rule, floats, UPDATE, EMPTY_REAL, EMPTY_I32, EMPTY_I64,     \
                             EMPTY_U8, ...)                                                        \
    static void op##_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,   \
                           void *scratch)                                                          \
    {                                                                                              \
        (void)scratch;                                                                             \
        int64_t columns = *(const int64_t *)argument, rows = kernel->input_spec[1]->size;          \
        int64_t begin = first * GT_STRIP;                                                          \
        int64_t end = last * GT_STRIP < columns ? last * GT_STRIP : columns;                       \
        switch (kernel->output_spec[0]->dtype) {                                                   \
        case GT_FLOAT32:                                                                           \
            GT_SEGMENT_ROWS(float, UPDATE);                                                        \
        case GT_FLOAT64:                                                                           \
            GT_SEGMENT_ROWS(double, UPDATE);                                                       \
        case GT_INT32:                                                                             \
            GT_SEGMENT_ROWS(int32_t, UPDATE);                                                      \
        case GT_INT64:                                                                             \
            GT_SEGMENT_ROWS(int64_t, UPDATE);                                                      \
        default:                                                                                   \
            GT_SEGMENT_ROWS(uint8_t, UPDATE);                                                      \
        }                                                                                          \
    }                                                                                              \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        const gt_Spec *out = kernel->output_spec[0];                                               \
        int64_t columns = columns_of(out);                                                         \
        if (check_ids(kernel) != GT_OK)                                                            \
            return gt_status();                                                                    \
        if (out->dtype == GT_INT64)                                                                \
            for (int64_t i = 0; i < out->size; i++)                                                \
                ((int64_t *)kernel->output[0])[i] = EMPTY_I64;                                     \
        else                                                                                       \
            gt_fill(out->dtype, out->size,                                                         \
                    gt_dtype_is_float(out->dtype) ? EMPTY_REAL                                     \
                    : out->dtype == GT_INT32      ? (double)EMPTY_I32                              \
                                                  : EMPTY_U8,                                           \
                    kernel->output[0]);                                                            \
        gt_TileBody *body = gt_dtype_is_float(out->dtype) ? floats : op##_tiles;                   \
        return gt_for_tiles(kernel, (columns + GT_STRIP - 1) / GT_STRIP, body, &columns);          \
    }                                                                                              \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .options = &SegmentOptions_type,                                                           \
        .inputs_min = 2,                                                                           \
        .inputs_max = 2,                                                                           \
        .outputs = 1,                                                                              \
        .saves_inputs = 3,                                                                         \
        .shape = rule,                                                                             \
        .run = op##_run,                                                                           \
        .samples =                                                                                 \
            (const gt_Sample[]){{.inputs = 2,                                                      \
                                 .input = GT_INPUTS(GT_APART(5, 2), GT_WHOLE(GT_INT32, 0, 2, 5)),  \
                                 .options = &GT_VALUES(SegmentOptions, 2)},                        \
                                {.inputs = 2,                                                      \
                                 .input = GT_INPUTS(GT_APART(6), GT_WHOLE(GT_INT64, -2, 2, 6)),    \
                                 .options = &GT_VALUES(SegmentOptions, 2)},                        \
                                GT_SAMPLES_END},                                                   \
        __VA_ARGS__};                                                                              \
    gt_Tensor *gt_##op##_at(const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments)      \
    {                                                                                              \
        SegmentOptions options = GT_VALUES(SegmentOptions, segments);                              \
        return gt_apply_one_at(here, &gt_op_##op, &options, 2, (gt_Tensor *[]){x, ids});           \
    }

/* The rows that equal their segment's result share its gradient. */
static gt_Status segment_max_gradient(gt_GradientRule *rule)
{
    const SegmentOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *ids = gt_rule_input(rule, 1);
    gt_Tensor *best = gt_equal(x, gt_take(gt_rule_output(rule, 0), ids));
    best = gt_cast(best, gt_rule_input_spec(rule, 0)->dtype);
    gt_Tensor *ties = gt_segment_sum(best, ids, options->segments);
    gt_Tensor *share = gt_divide_no_nan(gt_upstream(rule, 0), ties);
    return gt_give(rule, 0, gt_multiply(best, gt_take(share, ids)));
}

/* For rows sorted by segment: the product of those of the same segment before each (or after, if
 * `later`). It starts anew, at 1, where the segment changes; sorted ids are 1 and more, so that the
 * 0 beyond the ends is another one. */
static gt_Tensor *product_beside(gt_Tensor *x, gt_Tensor *sorted, bool later)
{
    gt_Shape along = gt_tensor_shape(sorted);
    for (int rank = gt_rank(x); along.rank < rank;)
        along.dims[along.rank++] = 1;
    gt_Tensor *goes_on = gt_reshape(gt_equal(sorted, gt_neighbour(sorted, 0, later)), along);
    gt_Tensor *zero = gt_zeros_like(x);
    return gt_linear_recurrence(gt_where(goes_on, gt_neighbour(x, 0, later), zero),
                                gt_where(goes_on, zero, 1), 0, later);
}

/* The product of the others, without dividing, since factors may be 0: those before times those
 * after, in double, for either may be beyond float where the product of both is not. */
static gt_Status segment_prod_gradient(gt_GradientRule *rule)
{
    const SegmentOptions *options = gt_rule_options(rule);
    gt_Tensor *x = gt_rule_input(rule, 0), *ids = gt_rule_input(rule, 1);
    gt_Tensor *from_1 = gt_add(gt_cast(ids, GT_INT64), 1);
    from_1 = gt_where(gt_less(from_1, 1), gt_add(from_1, (double)options->segments), from_1);
    gt_Tensor *order = gt_argsort(from_1);
    gt_Tensor *rows = gt_narrowed(gt_take(x, order), GT_FLOAT64), *sorted = gt_take(from_1, order);
    gt_Tensor *others =
        gt_multiply(product_beside(rows, sorted, false), product_beside(rows, sorted, true));
    others = gt_take(others, gt_argsort(order));
    gt_Tensor *up = gt_narrowed(gt_take(gt_upstream(rule, 0), ids), GT_FLOAT64);
    return gt_give(rule, 0,
                   gt_narrowed(gt_multiply(others, up), gt_rule_input_spec(rule, 0)->dtype));
}

GT_SEGMENT_OPERATION(segment_max, "the largest of the rows of each segment", segment_shape,
                     segment_max_tiles, x[j] > y[j] || x[j] != x[j] ? x[j] : y[j], -INFINITY,
                     INT32_MIN, INT64_MIN, 0, .saves_outputs = 1, .gradient = segment_max_gradient)
GT_SEGMENT_OPERATION(segment_min, "the smallest of the rows of each segment", segment_shape,
                     segment_min_tiles, x[j] < y[j] || x[j] != x[j] ? x[j] : y[j], INFINITY,
                     INT32_MAX, INT64_MAX, UINT8_MAX, .saves_outputs = 1,
                     .gradient = segment_max_gradient)
/* Products of floats wait as gt_Scaled, of a strip for all segments: they neither overflow nor
 * underflow on their way. */
static gt_Status segment_prod_shape(gt_ShapeRule *rule)
{
    if (segment_shape(rule) != GT_OK)
        return gt_status();
    gt_Spec *out = &rule->output[0];
    if (!gt_spec_resize(out))
        return GT_OK; /* refused as too large */
    int64_t columns = columns_of(out);
    if (gt_dtype_is_float(out->dtype))
        rule->scratch =
            (size_t)(out->dims[0] * (columns < GT_STRIP ? columns : GT_STRIP)) * sizeof(gt_Scaled);
    return GT_OK;
}

static void product_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                          void *scratch)
{
    int64_t columns = *(const int64_t *)argument, rows = kernel->input_spec[1]->size;
    int64_t segments = kernel->output_spec[0]->dims[0];
    bool wide = kernel->output_spec[0]->dtype == GT_FLOAT64;
    const float *x32 = kernel->input[0];
    const double *x64 = kernel->input[0];
    float *y32 = kernel->output[0];
    double *y64 = kernel->output[0];
    for (int64_t strip = first; strip < last; strip++) {
        int64_t begin = strip * GT_STRIP;
        int64_t width = columns - begin < GT_STRIP ? columns - begin : GT_STRIP;
        gt_Scaled *product = scratch;
        for (int64_t i = 0; i < segments * width; i++)
            product[i] = (gt_Scaled){1, 0};
        for (int64_t i = 0; i < rows; i++) {
            gt_Scaled *of = product + segment_of(kernel, i) * width;
            int64_t at = i * columns + begin;
            for (int64_t j = 0; j < width; j++)
                of[j] = gt_times(of[j], wide ? x64[at + j] : (double)x32[at + j]);
        }
        for (int64_t i = 0; i < segments * width; i++) {
            int64_t at = i / width * columns + begin + i % width;
            if (wide)
                y64[at] = gt_plain(product[i]);
            else
                y32[at] = (float)gt_plain(product[i]);
        }
    }
}

GT_SEGMENT_OPERATION(segment_prod, "the product of the rows of each segment", segment_prod_shape,
                     product_tiles, PRODUCT(y[j], x[j]), 1, 1, 1, 1,
                     .gradient = segment_prod_gradient)

static gt_Tensor *segment_sum(gt_Tensor *x, gt_Tensor *ids, int64_t segments)
{
    gt_Shape shape = gt_tensor_shape(x);
    if (gt_status() != GT_OK)
        return NULL;
    if (shape.rank < 1) {
        gt_fail(GT_INVALID, "a scalar has no rows");
        return NULL;
    }
    shape.dims[0] = segments;
    return gt_scatter_add(ids, x, shape);
}
GT_COMPOSED(segment_sum, (const char *here, gt_Tensor *x, gt_Tensor *ids, int64_t segments),
            (x, ids, segments))
