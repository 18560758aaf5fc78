/* Pooling: records, kernels and gradient rules of ops/nn/pooling.h. Averaging is linear: its gradient
 * is the record of its transpose, whose gradient is averaging again. Of max_pool, the gradient
 * scatters to where the maxima stand in x (max_pool_gradient), and that one's gradient gathers from
 * there (max_pool_gather); both look for the maxima anew, which costs less than to remember them.
 * Leans on window.c. */
#include "ops/nn/pooling.h"
#include "ops/array/creation.h"
#include "kernels/product.h"
#include "ops/kit.h"
#include "ops/nn/window.h"

#include <math.h>
#include <string.h>

/* Of all five records. `extent`: the spatial size of the image, where the inputs do not tell. */
#define POOL_OPTIONS(F, S)                                                                         \
    F(S, gt_Shape, pool_size, GT_NO_SIZES, "size of the window")                                   \
    F(S, gt_Shape, strides, GT_NO_SIZES, "steps of the window")                                    \
    F(S, gt_Padding, padding, GT_PADDING_VALID, "valid or same")                                   \
    F(S, gt_Shape, extent, GT_NO_SIZES, "spatial size of the image")
GT_OPTIONS(PoolOptions, POOL_OPTIONS);
GT_OPTION_TYPE(PoolOptions, POOL_OPTIONS);

#define TILE 65536 /* numbers that a tile reads, about */

/* ---- sizes ---- */

typedef struct Pool {
    gt_Window window;
    int64_t images, rows, channels; /* rows: output positions of all images */
    int64_t tile_rows;
    gt_LoopType type;
    size_t element, tap_bytes;
    const gt_KernelTable *kernels;
    const char *x, *from; /* what run fills in */
    char *to;
} Pool;

static bool plan(Pool *pool, const PoolOptions *options, const gt_Spec *x)
{
    const gt_Shape dense = {GT_MARK, 0, {0}};
    const gt_Window *w = &pool->window;
    int64_t size[GT_SPATIAL];
    int rank = x->rank - 2;
    if (!gt_window_takes(x) ||
        !gt_window_numbers(&options->pool_size, rank, 0, "pool sizes", size) ||
        !gt_window_set(&pool->window, rank, x->dims + 1, size, &options->strides, &dense,
                       options->padding))
        return false;
    if (options->padding == GT_PADDING_CAUSAL) {
        gt_fail(GT_INVALID, "pooling knows no causal padding");
        return false;
    }
    pool->images = x->dims[0];
    pool->channels = x->dims[x->rank - 1];
    pool->rows = pool->images * w->outputs;
    int64_t reads =
        pool->channels < TILE ? pool->channels * (w->taps < TILE ? w->taps : TILE) : TILE;
    pool->tile_rows = reads > 0 && reads < TILE ? TILE / reads : 1;
    pool->type = (gt_LoopType)gt_loop_type(x->dtype);
    pool->element = gt_dtype_size(x->dtype);
    pool->tap_bytes =
        ((size_t)w->taps * sizeof(int64_t) + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    pool->kernels = gt_context()->kernels;
    return true;
}

/* x as the options and the result tell it. */
static bool image_of(Pool *pool, const PoolOptions *options, const gt_Spec *up, gt_Spec *x)
{
    char s[160], t[160];
    gt_Spec y;
    int rank = up->rank - 2;
    if (!gt_window_takes(up))
        return false;
    if (options->extent.rank != rank) {
        gt_fail(GT_INVALID, "%s is not the result of pooling",
                gt_shape_text(gt_spec_shape(up), s, sizeof s));
        return false;
    }
    *x = *up;
    memcpy(x->dims + 1, options->extent.dims, (size_t)rank * sizeof(int64_t));
    if (!gt_spec_resize(x)) {
        gt_fail(GT_INVALID, "the result %s would be too large",
                gt_shape_text(gt_spec_shape(x), s, sizeof s));
        return false;
    }
    if (!plan(pool, options, x))
        return false;
    gt_window_output(&pool->window, x, pool->channels, &y);
    if (gt_shape_equal(gt_spec_shape(&y), gt_spec_shape(up)))
        return true;
    gt_fail(GT_INVALID, "shape %s is not that of the result, %s",
            gt_shape_text(gt_spec_shape(up), s, sizeof s),
            gt_shape_text(gt_spec_shape(&y), t, sizeof t));
    return false;
}

/* Of a window with many positions only so many are added up as floats. */
enum { FEW = 16 };

static bool in_double(const Pool *pool)
{
    return pool->type == GT_LOOP_F32 && pool->window.taps > FEW;
}

static gt_Status pool_shape(gt_ShapeRule *rule)
{
    Pool pool;
    if (!plan(&pool, rule->options, rule->input[0]))
        return gt_status();
    gt_window_output(&pool.window, rule->input[0], pool.channels, &rule->output[0]);
    rule->scratch = pool.tap_bytes;
    if (in_double(&pool))
        rule->scratch += (size_t)pool.channels * (sizeof(double) + sizeof(float));
    return GT_OK;
}

/* Channels of a position, in bytes and from the start. */
static size_t place(const Pool *pool, int64_t position)
{
    return (size_t)(position * pool->channels) * pool->element;
}

static void binary(const Pool *pool, gt_BinaryLoopId loop, const void *b, int64_t sb, char *to)
{
    pool->kernels->binary[loop][pool->type](pool->channels, to, 1, b, sb, to);
}

static gt_Status run_rows(const gt_Kernel *kernel, Pool *pool, gt_TileBody *body)
{
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    pool->x = kernel->input[0];
    pool->from = kernel->input[kernel->inputs - 1];
    pool->to = kernel->output[0];
    return gt_for_tiles(kernel, (pool->rows + pool->tile_rows - 1) / pool->tile_rows, body, pool);
}

static int64_t last_row(const Pool *pool, int64_t tile)
{
    return tile * pool->tile_rows < pool->rows ? tile * pool->tile_rows : pool->rows;
}

/* ---- average_pool and its transpose ---- */

/* The number of positions that are not in the padding, as a number of the type. */
typedef union Count {
    float f32;
    double f64;
} Count;

static Count inside(const Pool *pool, const int64_t *tap)
{
    int64_t n = 0;
    Count count;
    for (int64_t p = 0; p < pool->window.taps; p++)
        n += tap[p] >= 0;
    if (pool->type == GT_LOOP_F32)
        count.f32 = (float)n;
    else
        count.f64 = (double)n;
    return count;
}

/* The sum over positions [first, last) of a window. */
static void add_taps(const Pool *pool, const int64_t *tap, int64_t first, int64_t last, char *y)
{
    memset(y, 0, place(pool, 1));
    for (int64_t p = first; p < last; p++)
        if (tap[p] >= 0)
            binary(pool, GT_LOOP_ADD, pool->x + place(pool, tap[p]), 1, y);
}

/* The mean over a window with many positions. */
static void average_in_double(const Pool *pool, const int64_t *tap, double count, double *sum,
                              char *y)
{
    float *part = (float *)(sum + pool->channels);
    int64_t n = pool->channels;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int64_t p = 0; p < pool->window.taps; p += FEW) {
        int64_t last = pool->window.taps - p < FEW ? pool->window.taps : p + FEW;
        add_taps(pool, tap, p, last, (char *)part);
        gt_add_in_double(pool->kernels, n, part, sum);
    }
    pool->kernels->binary[GT_LOOP_DIVIDE][GT_LOOP_F64](n, sum, 1, &count, 0, sum);
    pool->kernels->cast[GT_LOOP_F64][GT_LOOP_F32](n, sum, y);
}

static void average_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                          void *scratch)
{
    const Pool *pool = argument;
    int64_t *tap = scratch;
    (void)kernel;
    for (int64_t row = first * pool->tile_rows; row < last_row(pool, last); row++) {
        char *y = pool->to + place(pool, row);
        gt_window_taps(&pool->window, row, tap);
        Count count = inside(pool, tap);
        if (in_double(pool)) {
            average_in_double(pool, tap, (double)count.f32,
                              (double *)(void *)((char *)scratch + pool->tap_bytes), y);
            continue;
        }
        add_taps(pool, tap, 0, pool->window.taps, y);
        binary(pool, GT_LOOP_DIVIDE, &count, 0, y);
    }
}

static gt_Status average_pool_run(const gt_Kernel *kernel)
{
    Pool pool;
    if (!plan(&pool, kernel->options, kernel->input_spec[0]))
        return gt_status();
    return run_rows(kernel, &pool, average_tiles);
}

/* A tile is one image. */
static void average_back_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                               void *scratch)
{
    const Pool *pool = argument;
    const gt_Window *w = &pool->window;
    int64_t *tap = scratch;
    char *part = (char *)scratch + pool->tap_bytes;
    (void)kernel;
    memset(pool->to + place(pool, first * w->inputs), 0, place(pool, (last - first) * w->inputs));
    for (int64_t row = first * w->outputs; row < last * w->outputs; row++) {
        gt_window_taps(w, row, tap);
        Count count = inside(pool, tap);
        memcpy(part, pool->from + place(pool, row), place(pool, 1));
        binary(pool, GT_LOOP_DIVIDE, &count, 0, part);
        for (int64_t p = 0; p < w->taps; p++)
            if (tap[p] >= 0)
                binary(pool, GT_LOOP_ADD, part, 1, pool->to + place(pool, tap[p]));
    }
}

static gt_Status average_pool_gradient_shape(gt_ShapeRule *rule)
{
    Pool pool;
    gt_Spec x;
    if (!image_of(&pool, rule->options, rule->input[0], &x))
        return gt_status();
    rule->output[0] = x;
    rule->scratch = pool.tap_bytes + place(&pool, 1);
    return GT_OK;
}

static gt_Status average_pool_gradient_run(const gt_Kernel *kernel)
{
    Pool pool;
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    if (!plan(&pool, kernel->options, kernel->output_spec[0]))
        return gt_status();
    pool.from = kernel->input[0];
    pool.to = kernel->output[0];
    return gt_for_tiles(kernel, pool.images, average_back_tiles, &pool);
}

/* ---- max_pool, scattering to the maxima, gathering from them ---- */

static void max_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                      void *scratch)
{
    const Pool *pool = argument;
    int64_t *tap = scratch;
    (void)kernel;
    for (int64_t row = first * pool->tile_rows; row < last_row(pool, last); row++) {
        char *y = pool->to + place(pool, row);
        bool some = false;
        gt_window_taps(&pool->window, row, tap);
        for (int64_t p = 0; p < pool->window.taps; p++) {
            if (tap[p] < 0)
                continue;
            const char *x = pool->x + place(pool, tap[p]);
            if (some)
                binary(pool, GT_LOOP_MAXIMUM, x, 1, y);
            else
                memcpy(y, x, place(pool, 1));
            some = true;
        }
    }
}

static gt_Status max_pool_run(const gt_Kernel *kernel)
{
    Pool pool;
    if (!plan(&pool, kernel->options, kernel->input_spec[0]))
        return gt_status();
    return run_rows(kernel, &pool, max_tiles);
}

/* where[c]: the element of x that is the maximum of channel c, the first of equal ones, the first
 * NaN if there is one. Then `to` gets or gives what stands there. */
#define MAXIMA(type)                                                                               \
    static void maxima_##type(const Pool *pool, const int64_t *tap, int64_t *where)                \
    {                                                                                              \
        const type *x = (const void *)pool->x;                                                     \
        bool some = false;                                                                         \
        for (int64_t p = 0; p < pool->window.taps; p++) {                                          \
            int64_t at = tap[p] * pool->channels;                                                  \
            if (tap[p] < 0)                                                                        \
                continue;                                                                          \
            for (int64_t c = 0; c < pool->channels; c++)                                           \
                if (!some || x[at + c] > x[where[c]] || (isnan(x[at + c]) && !isnan(x[where[c]]))) \
                    where[c] = at + c;                                                             \
            some = true;                                                                           \
        }                                                                                          \
    }                                                                                              \
    static void gather_##type(const Pool *pool, int64_t row, const int64_t *where)                 \
    {                                                                                              \
        const type *from = (const void *)pool->from;                                               \
        type *to = (type *)(void *)pool->to + row * pool->channels;                                \
        for (int64_t c = 0; c < pool->channels; c++)                                               \
            to[c] = from[where[c]];                                                                \
    }                                                                                              \
    static void scatter_##type(const Pool *pool, int64_t row, const int64_t *where)                \
    {                                                                                              \
        const type *from = (const type *)(const void *)pool->from + row * pool->channels;          \
        type *to = (void *)pool->to;                                                               \
        for (int64_t c = 0; c < pool->channels; c++)                                               \
            to[where[c]] += from[c];                                                               \
    }
MAXIMA(float)
MAXIMA(double)

static const int64_t *maxima(const Pool *pool, int64_t row, void *scratch)
{
    int64_t *tap = scratch;
    int64_t *where = (int64_t *)(void *)((char *)scratch + pool->tap_bytes);
    gt_window_taps(&pool->window, row, tap);
    if (pool->type == GT_LOOP_F32)
        maxima_float(pool, tap, where);
    else
        maxima_double(pool, tap, where);
    return where;
}

static void max_gather_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                             void *scratch)
{
    const Pool *pool = argument;
    (void)kernel;
    for (int64_t row = first * pool->tile_rows; row < last_row(pool, last); row++) {
        if (pool->type == GT_LOOP_F32)
            gather_float(pool, row, maxima(pool, row, scratch));
        else
            gather_double(pool, row, maxima(pool, row, scratch));
    }
}

/* A tile is one image. */
static void max_back_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                           void *scratch)
{
    const Pool *pool = argument;
    const gt_Window *w = &pool->window;
    (void)kernel;
    memset(pool->to + place(pool, first * w->inputs), 0, place(pool, (last - first) * w->inputs));
    for (int64_t row = first * w->outputs; row < last * w->outputs; row++) {
        if (pool->type == GT_LOOP_F32)
            scatter_float(pool, row, maxima(pool, row, scratch));
        else
            scatter_double(pool, row, maxima(pool, row, scratch));
    }
}

static bool plan_maxima(Pool *pool, const PoolOptions *options, const gt_Spec *x,
                        const gt_Spec *second, const gt_Spec *expected)
{
    char s[160], t[160];
    if (second->dtype == x->dtype && gt_shape_equal(gt_spec_shape(second), gt_spec_shape(expected)))
        return plan(pool, options, x);
    gt_fail(GT_INVALID, "%s is not %s", gt_spec_text(second, s, sizeof s),
            gt_spec_text(expected, t, sizeof t));
    return false;
}

static gt_Status max_pool_gradient_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    gt_Spec y = {0};
    Pool pool;
    if (!plan(&pool, rule->options, x))
        return gt_status();
    gt_window_output(&pool.window, x, pool.channels, &y);
    plan_maxima(&pool, rule->options, x, rule->input[1], &y);
    rule->output[0] = *x;
    rule->scratch = pool.tap_bytes + (size_t)pool.channels * sizeof(int64_t);
    return gt_status();
}

static gt_Status max_pool_gradient_run(const gt_Kernel *kernel)
{
    Pool pool;
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    if (!plan(&pool, kernel->options, kernel->input_spec[0]))
        return gt_status();
    pool.x = kernel->input[0];
    pool.from = kernel->input[1];
    pool.to = kernel->output[0];
    return gt_for_tiles(kernel, pool.images, max_back_tiles, &pool);
}

static gt_Status max_pool_gather_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    Pool pool;
    if (!plan_maxima(&pool, rule->options, x, rule->input[1], x))
        return gt_status();
    gt_window_output(&pool.window, x, pool.channels, &rule->output[0]);
    rule->scratch = pool.tap_bytes + (size_t)pool.channels * sizeof(int64_t);
    return GT_OK;
}

static gt_Status max_pool_gather_run(const gt_Kernel *kernel)
{
    Pool pool;
    if (!plan(&pool, kernel->options, kernel->input_spec[0]))
        return gt_status();
    return run_rows(kernel, &pool, max_gather_tiles);
}

/* ---- gradient rules ---- */

static gt_Tensor *max_pool_pair(const gt_Operation *operation, const PoolOptions *options,
                                gt_Tensor *x, gt_Tensor *second)
{
    gt_Tensor *inputs[2] = {x, second};
    return gt_apply_one_at(NULL, operation, options, 2, inputs);
}

static gt_Status max_pool_rule(gt_GradientRule *rule)
{
    return gt_give(rule, 0,
                   max_pool_pair(&gt_op_max_pool_gradient, gt_rule_options(rule),
                                 gt_rule_input(rule, 0), gt_upstream(rule, 0)));
}

/* Which number is the largest does not change with x: no gradient there but zero. */
static gt_Status transposed(gt_GradientRule *rule, const gt_Operation *operation)
{
    gt_Tensor *x = gt_rule_input(rule, 0);
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gt_zeros_like(x));
    if (gt_wants(rule, 1))
        gt_give(rule, 1, max_pool_pair(operation, gt_rule_options(rule), x, gt_upstream(rule, 0)));
    return gt_status();
}

static gt_Status max_pool_gradient_rule(gt_GradientRule *rule)
{
    return transposed(rule, &gt_op_max_pool_gather);
}

static gt_Status max_pool_gather_rule(gt_GradientRule *rule)
{
    return transposed(rule, &gt_op_max_pool_gradient);
}

static gt_Status average_pool_rule(gt_GradientRule *rule)
{
    const gt_Spec *x = gt_rule_input_spec(rule, 0);
    PoolOptions options = *(const PoolOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = gt_shape_of(x->rank - 2, x->dims + 1);
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_average_pool_gradient, &options, 1, &up));
}

static gt_Status average_pool_gradient_rule(gt_GradientRule *rule)
{
    PoolOptions options = *(const PoolOptions *)gt_rule_options(rule);
    gt_Tensor *up = gt_upstream(rule, 0);
    options.extent = (gt_Shape){GT_MARK, 0, {0}};
    return gt_give(rule, 0, gt_apply_one_at(NULL, &gt_op_average_pool, &options, 1, &up));
}

/* ---- records ---- */

#define REAL(...) GT_REAL(-2, 2, __VA_ARGS__)
#define SIZE(...) .pool_size = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define STEP(...) .strides = GT_SAMPLE_SHAPE(__VA_ARGS__)
#define SAME      .padding = GT_PADDING_SAME
#define POOL(count, a, b, ...)                                                                     \
    {                                                                                              \
        .inputs = count, .input = GT_INPUTS(a, b), .options = &(const PoolOptions)                 \
        {                                                                                          \
            GT_PRESETS(PoolOptions, POOL_OPTIONS) __VA_ARGS__                                      \
        }                                                                                          \
    }
#define NONE                                                                                       \
    {                                                                                              \
        0                                                                                          \
    }
static gt_Status pool_mask(gt_MaskRule *rule)
{
    Pool pool;
    if (!plan(&pool, rule->shape->options, rule->shape->input[0]))
        return gt_status();
    return gt_window_mask(rule, &pool.window);
}

const gt_Operation gt_op_max_pool = {
    GT_RECORD("max_pool", "the largest number of each window", 1, 1),
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = pool_shape,
    .run = max_pool_run,
    .gradient = max_pool_rule,
    .mask = pool_mask,
    .samples = GT_SAMPLES(POOL(1, GT_APART(2, 4, 4, 2), NONE, SIZE(2, 2), STEP(2, 2)),
                          POOL(1, GT_APART(1, 5, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME),
                          POOL(1, GT_APART(2, 7, 2), NONE, SIZE(3), STEP(2)),
                          POOL(1, GT_APART(1, 3, 2, 3, 2), NONE, SIZE(2), STEP(1), SAME)),
};

const gt_Operation gt_op_max_pool_gradient = {
    GT_RECORD("max_pool_gradient", "b added where the largest numbers of a stand", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = max_pool_gradient_shape,
    .run = max_pool_gradient_run,
    .gradient = max_pool_gradient_rule,
    .samples =
        GT_SAMPLES(POOL(2, GT_APART(2, 4, 4, 2), REAL(2, 2, 2, 2), SIZE(2, 2), STEP(2, 2)),
                   POOL(2, GT_APART(1, 5, 4, 1), REAL(1, 3, 4, 1), SIZE(3, 3), STEP(2, 1), SAME)),
};

const gt_Operation gt_op_max_pool_gather = {
    GT_RECORD("max_pool_gather", "b from where the largest numbers of a stand", 2, 2),
    .flags = GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .saves_inputs = 1,
    .shape = max_pool_gather_shape,
    .run = max_pool_gather_run,
    .gradient = max_pool_gather_rule,
    .samples =
        GT_SAMPLES(POOL(2, GT_APART(2, 4, 4, 2), REAL(2, 4, 4, 2), SIZE(2, 2), STEP(2, 2)),
                   POOL(2, GT_APART(1, 5, 4, 1), REAL(1, 5, 4, 1), SIZE(3, 3), STEP(2, 1), SAME)),
};

const gt_Operation gt_op_average_pool = {
    GT_RECORD("average_pool", "the mean of each window", 1, 1),
    .flags = GT_OP_LINEAR,
    .options = &PoolOptions_type,
    .shape = pool_shape,
    .run = average_pool_run,
    .gradient = average_pool_rule,
    .mask = pool_mask,
    .samples = GT_SAMPLES(POOL(1, REAL(2, 4, 4, 2), NONE, SIZE(2, 2), STEP(2, 2)),
                          POOL(1, REAL(1, 5, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME),
                          POOL(1, REAL(2, 7, 2), NONE, SIZE(3), STEP(2)),
                          POOL(1, REAL(1, 3, 2, 3, 2), NONE, SIZE(2), STEP(1), SAME)),
};

const gt_Operation gt_op_average_pool_gradient = {
    GT_RECORD("average_pool_gradient", "the transpose of average_pool", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &PoolOptions_type,
    .shape = average_pool_gradient_shape,
    .run = average_pool_gradient_run,
    .gradient = average_pool_gradient_rule,
    .samples = GT_SAMPLES(
        POOL(1, REAL(2, 2, 2, 2), NONE, SIZE(2, 2), STEP(2, 2), .extent = GT_SAMPLE_SHAPE(4, 4)),
        POOL(1, REAL(1, 3, 4, 1), NONE, SIZE(3, 3), STEP(2, 1), SAME,
             .extent = GT_SAMPLE_SHAPE(5, 4))),
};

/* ---- functions ---- */

GT_OPTION_TYPE(gt_max_pool_options, gt_max_pool_OPTIONS);

static gt_Tensor *pooled(const char *here, const gt_Operation *operation, gt_Tensor *x,
                         gt_Shape pool_size, const gt_max_pool_options *given)
{
    gt_max_pool_options options = GT_TAKE(gt_max_pool_options, given);
    PoolOptions all =
        GT_VALUES(PoolOptions, pool_size, options.strides, options.padding, {GT_MARK, 0, {0}});
    if (all.strides.rank == 0)
        all.strides = pool_size;
    return gt_apply_one_at(here, operation, &all, 1, &x);
}

gt_Tensor *gt_max_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                          const gt_max_pool_options *options)
{
    return pooled(here, &gt_op_max_pool, x, pool_size, options);
}

gt_Tensor *gt_average_pool_at(const char *here, gt_Tensor *x, gt_Shape pool_size,
                              const gt_max_pool_options *options)
{
    return pooled(here, &gt_op_average_pool, x, pool_size, options);
}
