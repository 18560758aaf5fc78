/* gt_matmul: the shape rule, the launch of the own kernels or the call of OpenBLAS, the gradient.
 *
 *   matmul_shape      sizes and broadcasting; formats nothing unless there is an error
 *   as_job            the call as one gt_ProductJob: sizes, the batch, 16-bit operands
 *   matmul_lower      cuts it into strips, or says that this size is OpenBLAS's
 *   matmul_run        OpenBLAS, one fixed tile at a time
 *
 * Work is cut by size alone. The own kernels give the same bits however C is cut, since an element depends on its row of A
 * and its column of B alone; OpenBLAS does not, so its tile is fixed. The choice between the two depends on the sizes and
 * on whether OpenBLAS was found.
 *
 * Example: x (32, 10, 784) times w (784, 128) is one product of 320 rows, since w is the same under all of the batch; n =
 * 128 is the shorter side, so C is cut along m = 320 into strips of rows. */
#include "ops/linalg/matmul.h"
#include "core/assert.h"
#include "core/inside.h"
#include "kernels/product.h"
#include "ops/array/reshaping.h"
#include "ops/linalg/matrix.h"
#include "ops/masks.h"

#include <string.h>

GT_OPTION_TYPE(gt_matmul_options, gt_matmul_OPTIONS);

#define BLAS_TILE  1024
#define BLAS_LEAST 1024 /* smaller products are never OpenBLAS's */

/* ---- shapes ---- */

static gt_Status shapes_differ(const char *message, const gt_ShapeRule *rule)
{
    char a[160], b[160];
    const gt_matmul_options *options = rule->options;
    gt_shape_text(gt_spec_shape(rule->input[0]), a, sizeof a);
    gt_shape_text(gt_spec_shape(rule->input[1]), b, sizeof b);
    return gt_fail(GT_INVALID, "%s: %s%s x %s%s", message, a,
                   options->transpose_a ? " transposed" : "", b,
                   options->transpose_b ? " transposed" : "");
}

static gt_Status matmul_shape(gt_ShapeRule *rule)
{
    const gt_matmul_options *options = rule->options;
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    if (!gt_product_type(a, b, &out->dtype))
        return gt_status();
    if (a->rank < 2 || b->rank < 2)
        return shapes_differ("scalars cannot be multiplied as matrices", rule);
    int64_t m = a->dims[a->rank - (options->transpose_a ? 1 : 2)];
    int64_t ka = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    int64_t kb = b->dims[b->rank - (options->transpose_b ? 1 : 2)];
    int64_t n = b->dims[b->rank - (options->transpose_b ? 2 : 1)];
    if (ka != kb)
        return shapes_differ("inner dimensions differ", rule);
    if (!gt_matrix_broadcast(a, b, out))
        return shapes_differ("shapes do not broadcast", rule);
    out->dims[out->rank - 2] = m;
    out->dims[out->rank - 1] = n;
    if (n >= BLAS_LEAST && ka >= BLAS_LEAST && (a->dtype != out->dtype || b->dtype != out->dtype))
        rule->scratch = 2 * BLAS_TILE * (size_t)ka * sizeof(float); /* for matmul_run */
    return GT_OK;
}

/* ---- the call as a job ---- */

static int64_t pieces(int64_t n, int64_t piece)
{
    return (n + piece - 1) / piece;
}

/* Sizes and types; returns the number of products. A matrix b under a batch makes one tall product of all rows. */
static int64_t as_job(gt_ProductJob *job, const gt_matmul_options *options, const gt_Spec *a,
                      const gt_Spec *b, const gt_Spec *c)
{
    int64_t batches = 1;
    job->type = (uint8_t)gt_loop_type(c->dtype);
    job->half_a = (int8_t)gt_half_type(a->dtype);
    job->half_b = (int8_t)gt_half_type(b->dtype);
    job->transpose_a = options->transpose_a;
    job->transpose_b = options->transpose_b;
    job->m = c->dims[c->rank - 2];
    job->n = c->dims[c->rank - 1];
    job->k = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    for (int d = 0; d < c->rank - 2; d++)
        batches *= c->dims[d];
    if (b->rank == 2 && !options->transpose_a) {
        job->m *= batches;
        job->walk.rank = 0;
        return 1;
    }
    gt_matrix_walk(&job->walk, a, b, c);
    return batches;
}

/* ---- own kernels ---- */

/* Strips of whole units along the longer side, each worth handing to another thread. */
static void cut(gt_ProductJob *job, const gt_KernelTable *target)
{
    const double worth = 32768, most = 32; /* products in a strip; strips */
    job->by_rows = job->m > job->n;
    int64_t side = job->by_rows ? job->m : job->n;
    int64_t unit = job->by_rows ? target->gemm_m[job->type] : target->gemm_n[job->type];
    double strips = (double)job->m * (double)job->n * (double)job->k / worth;
    int64_t count = strips < 1 ? 1 : strips > most ? (int64_t)most : (int64_t)strips;
    job->strip = pieces(pieces(side, unit), count) * unit;
    job->strips = job->strip ? pieces(side, job->strip) : 1;
    GT_ASSERT(job->strips >= 1 && job->strips * job->strip >= side);
}

static void matmul_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_ProductJob *job = gt_lower_launch(lowering, GT_TILES_product, 0, sizeof *job);
    int64_t batches = as_job(job, rule->options, rule->input[0], rule->input[1], &rule->output[0]);
    gt_LoopType type = (gt_LoopType)job->type;
    if (gt_blas_worth(gt_context_blas(gt_context()), type, job->m, job->n, job->k)) {
        gt_lower_to_run(lowering);
        return;
    }
    cut(job, lowering->target);
    lowering->launch[0].tiles = batches * job->strips;
    bool widens = job->half_a >= 0 || job->half_b >= 0;
    gt_lower_scratch(lowering,
                     gt_gemm_scratch(lowering->target, type, widens, job->m, job->n, job->k));
}

/* ---- OpenBLAS ---- */

/* The rows and columns of an operand of a tile as float32, in `scratch`, which moves on. */
static const void *widened(const gt_KernelTable *loops, int half, int64_t rows, int64_t columns,
                           const void *x, int64_t *ld, float **scratch)
{
    float *wide = *scratch;
    if (half < 0)
        return x;
    loops->widen[half](rows, columns, x, *ld, wide, columns);
    *ld = columns;
    *scratch += rows * columns;
    return wide;
}

/* Rows [i, i + m) and columns [j, j + n) of C, from the tile's corner of each operand. */
static void blas_tile(const gt_Kernel *kernel, const gt_ProductJob *p, int64_t m, int64_t n,
                      const void *a, const void *b, void *c, float *scratch)
{
    const gt_KernelTable *loops = gt_context_kernels(kernel->context);
    const gt_Blas *blas = gt_context_blas(kernel->context);
    int of_a = p->transpose_a ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    int of_b = p->transpose_b ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    a = widened(loops, p->half_a, p->transpose_a ? p->k : m, p->transpose_a ? m : p->k, a, &lda,
                &scratch);
    b = widened(loops, p->half_b, p->transpose_b ? n : p->k, p->transpose_b ? p->k : n, b, &ldb,
                &scratch);
    if (p->type == GT_LOOP_F32)
        blas->gemm_f32(GT_BLAS_ROW_MAJOR, of_a, of_b, (int)m, (int)n, (int)p->k, 1, a, (int)lda, b,
                       (int)ldb, 0, c, (int)p->n);
    else
        blas->gemm_f64(GT_BLAS_ROW_MAJOR, of_a, of_b, (int)m, (int)n, (int)p->k, 1, a, (int)lda, b,
                       (int)ldb, 0, c, (int)p->n);
}

static void matmul_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    const gt_ProductJob *p = argument;
    int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    int64_t across = pieces(p->n, BLAS_TILE), all = pieces(p->m, BLAS_TILE) * across;
    size_t element_a = gt_dtype_size(kernel->input_spec[0]->dtype);
    size_t element_b = gt_dtype_size(kernel->input_spec[1]->dtype);
    size_t element_c = gt_dtype_size(kernel->output_spec[0]->dtype);
    for (int64_t tile = first; tile < last; tile++) {
        int64_t batch = tile / all, i = tile % all / across * BLAS_TILE;
        int64_t j = tile % across * BLAS_TILE;
        int64_t m = p->m - i < BLAS_TILE ? p->m - i : BLAS_TILE;
        int64_t n = p->n - j < BLAS_TILE ? p->n - j : BLAS_TILE;
        int64_t at_a =
            gt_batch_matrix(&p->walk, 0, batch) * p->m * p->k + (p->transpose_a ? i : i * lda);
        int64_t at_b =
            gt_batch_matrix(&p->walk, 1, batch) * p->k * p->n + (p->transpose_b ? j * ldb : j);
        int64_t at_c = batch * p->m * p->n + i * p->n + j;
        blas_tile(kernel, p, m, n, (const char *)kernel->input[0] + (size_t)at_a * element_a,
                  (const char *)kernel->input[1] + (size_t)at_b * element_b,
                  (char *)kernel->output[0] + (size_t)at_c * element_c, scratch);
    }
}

static gt_Status matmul_run(const gt_Kernel *kernel)
{
    gt_ProductJob job;
    int64_t batches = as_job(&job, kernel->options, kernel->input_spec[0], kernel->input_spec[1],
                             kernel->output_spec[0]);
    return gt_for_tiles(kernel, batches * pieces(job.m, BLAS_TILE) * pieces(job.n, BLAS_TILE),
                        matmul_tiles, &job);
}

/* ---- gradient ---- */

/* (..., m, k) as (all rows, k). */
static gt_Tensor *fold(gt_Tensor *x)
{
    gt_Shape shape = gt_tensor_shape(x);
    return gt_reshape(x, gt_shape(-1, gt_last(shape)));
}

/* C = op(A) op(B): dA = G op(B)', dB = op(A)' G, with the operands swapped where A or B was
 * transposed. A weight matrix under a batch gets one product over all rows instead of a sum of
 * products. */
static gt_Status matmul_gradient(gt_GradientRule *rule)
{
    const gt_matmul_options *options = gt_rule_options(rule);
    bool ta = options->transpose_a, tb = options->transpose_b;
    gt_Tensor *up = gt_upstream(rule, 0);
    if (gt_wants(rule, 0)) {
        gt_Tensor *b = gt_rule_input(rule, 1);
        gt_Tensor *da = ta ? gt_matmul(b, up, .transpose_a = tb, .transpose_b = true)
                           : gt_matmul(up, b, .transpose_b = !tb);
        da = gt_unbroadcast(da, gt_rule_input_spec(rule, 0));
        gt_give(rule, 0, gt_narrowed(da, gt_rule_input_spec(rule, 0)->dtype));
    }
    if (gt_wants(rule, 1)) {
        gt_Tensor *a = gt_rule_input(rule, 0), *db;
        if (gt_rule_input_spec(rule, 1)->rank == 2 && gt_rule_input_spec(rule, 0)->rank > 2 &&
            !ta && gt_rule_input_spec(rule, 0)->size > 0 &&
            gt_rule_output_spec(rule, 0)->size > 0) {
            a = fold(a);
            up = fold(up);
        }
        db = tb ? gt_matmul(up, a, .transpose_a = true, .transpose_b = ta)
                : gt_matmul(a, up, .transpose_a = !ta);
        db = gt_unbroadcast(db, gt_rule_input_spec(rule, 1));
        gt_give(rule, 1, gt_narrowed(db, gt_rule_input_spec(rule, 1)->dtype));
    }
    return gt_status();
}

/* A row of C depends on its row of a and on all of b's matrix: a mask may cover the rows of a, but of b the batch alone. */
static gt_Status matmul_mask(gt_MaskRule *rule)
{
    const gt_ShapeRule *shape = rule->shape;
    const gt_matmul_options *options = shape->options;
    for (int i = 0; i < 2; i++) {
        int rank = shape->input[i]->rank, most = rank - (i == 0 && !options->transpose_a ? 1 : 2);
        if (gt_mask_axes(rule, i) > most)
            return gt_mask_refuse(rule, i, most);
        gt_Tensor *mask = rule->input[i];
        for (int d = rank; mask && d < shape->output[0].rank; d++)
            mask = gt_expand_dims(mask, 0);
        if (rule->input[i] && gt_mask_join(rule, 0, mask) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

#define REAL(...)        GT_REAL(-1, 1, __VA_ARGS__)
#define TRANSPOSED(a, b) .options = &GT_VALUES(gt_matmul_options, a, b)
const gt_Operation gt_op_matmul = {
    GT_RECORD("matmul", "sum over k of a[..., m, k] b[..., k, n]", 2, 2),
    .flags = GT_OP_HALF,
    .options = &gt_matmul_options_type,
    .saves_inputs = 3,
    .shape = matmul_shape,
    .lower = matmul_lower,
    .run = matmul_run,
    .gradient = matmul_gradient,
    .mask = matmul_mask,
    .samples = GT_SAMPLES(
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(3, 4))},
        {.inputs = 2, .input = GT_INPUTS(REAL(3, 2), REAL(3, 4)), TRANSPOSED(true, false)},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(4, 3)), TRANSPOSED(false, true)},
        {.inputs = 2, .input = GT_INPUTS(REAL(3, 2), REAL(4, 3)), TRANSPOSED(true, true)},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 2, 3), REAL(3, 2))},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 1, 2, 3), REAL(3, 3, 2))},
        {.inputs = 2, .input = GT_INPUTS(REAL(2, 3), REAL(2, 2, 3)), TRANSPOSED(false, true)}),
};

/* A vector is one row or one column, whose axis is gone from the result. */
gt_Tensor *gt_matmul_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                        const gt_matmul_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    const gt_Spec *of_a = gt_tensor_check(context, here, "matmul", "input 1", a);
    const gt_Spec *of_b = of_a ? gt_tensor_check(context, here, "matmul", "input 2", b) : NULL;
    if (!of_b)
        return NULL;
    bool row = of_a->rank == 1, column = of_b->rank == 1;
    if (!row && !column)
        return gt_apply_one_at(here, &gt_op_matmul, given, 2, (gt_Tensor *[]){a, b});
    gt_matmul_options options = GT_TAKE(gt_matmul_options, given);
    if (row) {
        a = gt_expand_dims(a, 0);
        options.transpose_a = false;
    }
    if (column) {
        b = gt_expand_dims(b, 1);
        options.transpose_b = false;
    }
    gt_Tensor *c = gt_apply_one_at(here, &gt_op_matmul, &options, 2, (gt_Tensor *[]){a, b});
    if (row && column)
        return gt_squeeze(c, .axes = gt_axes(-2, -1));
    return gt_squeeze(c, .axis = row ? -2 : -1);
}

gt_Tensor *(gt_matmul)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_matmul_at(NULL, a, b, NULL);
}
