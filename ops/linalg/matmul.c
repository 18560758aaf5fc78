/* gt_matmul. The product itself is kernels/gemm.c, or OpenBLAS where that is faster; this file cuts
 * it into pieces, folds batches where one product does for all, and differentiates it. */
#include "ops/linalg/matmul.h"
#include "ops/linalg/gemm.h"
#include "ops/kit.h"
#include "ops/array/reshaping.h"

#include <string.h>

GT_OPTION_TYPE(gt_matmul_options, gt_matmul_OPTIONS);

/* The sizes of one product, and how the batches of a, b and c follow each other. */
typedef struct Product {
    bool transpose_a, transpose_b;
    int64_t m, n, k, batches;
    gt_Broadcast over; /* the axes before the last two, in matrices */
    gt_LoopType type;
    size_t element_a, element_b, element_c;
    int half_a, half_b; /* gt_HalfTypes; -1: as the result */
    bool blas;
    int64_t tile_m, tile_n, tiles_m, tiles_n;
} Product;

#define BLAS_TILE 1024

/* Of one worker, for a product of m x k by k x n. OpenBLAS gets the operands of a tile as float32. */
static size_t scratch_of(const gt_Spec *a, const gt_Spec *b, int64_t m, int64_t n, int64_t k)
{
    gt_Context *context = gt_context();
    bool half_a = gt_half_type(a->dtype) >= 0, half_b = gt_half_type(b->dtype) >= 0;
    bool wide = a->dtype == GT_FLOAT64;
    if ((half_a || half_b) && gt_blas_worth(&context->blas, GT_LOOP_F32, m, n, k))
        return (size_t)(half_a + half_b) * BLAS_TILE * (size_t)k * sizeof(float);
    return gt_gemm_scratch(context->kernels, wide ? GT_LOOP_F64 : GT_LOOP_F32, half_a || half_b, m,
                           n, k);
}

static gt_Status matmul_shape(gt_ShapeRule *rule)
{
    const gt_matmul_options *options = rule->options;
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    gt_Spec *out = &rule->output[0];
    char s[160], t[160];
    if (!gt_product_type(a, b, &out->dtype))
        return gt_status();
    gt_shape_text(gt_spec_shape(a), s, sizeof s);
    gt_shape_text(gt_spec_shape(b), t, sizeof t);
    if (a->rank < 2 || b->rank < 2)
        return gt_fail(GT_INVALID, "scalars cannot be multiplied as matrices: %s x %s", s, t);
    int64_t m = a->dims[a->rank - (options->transpose_a ? 1 : 2)];
    int64_t ka = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    int64_t kb = b->dims[b->rank - (options->transpose_b ? 1 : 2)];
    int64_t n = b->dims[b->rank - (options->transpose_b ? 2 : 1)];
    if (ka != kb)
        return gt_fail(GT_INVALID, "inner dimensions differ: %s%s x %s%s", s,
                       options->transpose_a ? " transposed" : "", t,
                       options->transpose_b ? " transposed" : "");
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int d = 0; d < out->rank - 2; d++) {
        int at_a = d - (out->rank - a->rank), at_b = d - (out->rank - b->rank);
        int64_t da = at_a >= 0 ? a->dims[at_a] : 1, db = at_b >= 0 ? b->dims[at_b] : 1;
        if (da != db && da != 1 && db != 1)
            return gt_fail(GT_INVALID, "shapes do not broadcast: %s x %s", s, t);
        out->dims[d] = da == 1 ? db : da;
    }
    out->dims[out->rank - 2] = m;
    out->dims[out->rank - 1] = n;
    int64_t rows = m;
    for (int d = 0; b->rank == 2 && !options->transpose_a && d < out->rank - 2; d++)
        rows *= out->dims[d] > 0 ? out->dims[d] : 1;
    rule->scratch = scratch_of(a, b, rows, n, ka);
    return GT_OK;
}

/* Without its last two axes: how often a matrix of it is there. */
static gt_Spec batch_spec(const gt_Spec *spec)
{
    gt_Spec batch = *spec;
    batch.rank -= 2;
    return batch;
}

static int64_t pieces(int64_t n, int64_t piece)
{
    return (n + piece - 1) / piece;
}

/* The own kernels give the same bits however m and n are cut, so the cut may follow the number of
 * threads. OpenBLAS does not, so its tile is fixed. */
static void cut(Product *product, const gt_Kernel *kernel)
{
    gt_Context *context = kernel->context;
    product->tile_m = product->m;
    product->tile_n = product->n;
    product->blas =
        gt_blas_worth(&context->blas, product->type, product->m, product->n, product->k);
    if (product->blas) {
        product->tile_m = product->tile_n = BLAS_TILE;
    } else if (context->threads > 1 && product->batches == 1 &&
               product->m * product->n * product->k > 32768) {
        int64_t unit_m = context->kernels->gemm_m[product->type];
        int64_t unit_n = context->kernels->gemm_n[product->type];
        if (product->n >= product->m)
            product->tile_n = pieces(pieces(product->n, unit_n), context->threads) * unit_n;
        else
            product->tile_m = pieces(pieces(product->m, unit_m), context->threads) * unit_m;
    }
    product->tiles_m = product->m ? pieces(product->m, product->tile_m) : 0;
    product->tiles_n = product->n ? pieces(product->n, product->tile_n) : 0;
}

static Product plan_product(const gt_Kernel *kernel)
{
    const gt_matmul_options *options = kernel->options;
    const gt_Spec *a = kernel->input_spec[0], *b = kernel->input_spec[1];
    const gt_Spec *c = kernel->output_spec[0];
    Product product;
    product.transpose_a = options->transpose_a;
    product.transpose_b = options->transpose_b;
    product.m = c->dims[c->rank - 2];
    product.n = c->dims[c->rank - 1];
    product.k = a->dims[a->rank - (options->transpose_a ? 2 : 1)];
    product.type = (gt_LoopType)gt_loop_type(c->dtype);
    product.element_a = gt_dtype_size(a->dtype);
    product.element_b = gt_dtype_size(b->dtype);
    product.element_c = gt_dtype_size(c->dtype);
    product.half_a = gt_half_type(a->dtype);
    product.half_b = gt_half_type(b->dtype);
    gt_Spec over_a = batch_spec(a), over_b = batch_spec(b), over_c = batch_spec(c);
    const gt_Spec *over[2] = {&over_a, &over_b};
    product.batches = 1;
    for (int d = 0; d < over_c.rank; d++)
        product.batches *= over_c.dims[d];
    if (b->rank == 2 && !options->transpose_a) { /* one tall product for all batches */
        product.m *= product.batches;
        product.batches = 1;
        over_c.rank = over_a.rank = 0;
    }
    gt_broadcast_plan(&product.over, &over_c, 2, over);
    cut(&product, kernel);
    return product;
}

/* Where batch number `batch` of operand `i` starts, in matrices. */
static int64_t batch_offset(const gt_Broadcast *over, int i, int64_t batch)
{
    int64_t offset = 0;
    for (int d = over->rank - 1; d >= 0; d--) {
        offset += batch % over->dims[d] * over->stride[i][d];
        batch /= over->dims[d];
    }
    return offset;
}

/* One tile by OpenBLAS. */
static void blas_tile(const gt_Context *context, const Product *p, int64_t m, int64_t n,
                      const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                      float *scratch)
{
    const gt_Blas *blas = &context->blas;
    int of_a = p->transpose_a ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    int of_b = p->transpose_b ? GT_BLAS_TRANSPOSED : GT_BLAS_PLAIN;
    if (p->half_a >= 0) {
        int64_t rows = p->transpose_a ? p->k : m, columns = p->transpose_a ? m : p->k;
        context->kernels->widen[p->half_a](rows, columns, a, lda, scratch, columns);
        a = scratch;
        lda = columns;
        scratch += rows * columns;
    }
    if (p->half_b >= 0) {
        int64_t rows = p->transpose_b ? n : p->k, columns = p->transpose_b ? p->k : n;
        context->kernels->widen[p->half_b](rows, columns, b, ldb, scratch, columns);
        b = scratch;
        ldb = columns;
    }
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
    const Product *p = argument;
    int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    for (int64_t tile = first; tile < last; tile++) {
        int64_t batch = tile / (p->tiles_m * p->tiles_n), rest = tile % (p->tiles_m * p->tiles_n);
        int64_t i = rest / p->tiles_n * p->tile_m, j = rest % p->tiles_n * p->tile_n;
        int64_t m = p->m - i < p->tile_m ? p->m - i : p->tile_m;
        int64_t n = p->n - j < p->tile_n ? p->n - j : p->tile_n;
        int64_t at_a =
            batch_offset(&p->over, 0, batch) * p->m * p->k + (p->transpose_a ? i : i * lda);
        int64_t at_b =
            batch_offset(&p->over, 1, batch) * p->k * p->n + (p->transpose_b ? j * ldb : j);
        int64_t at_c = batch * p->m * p->n + i * p->n + j;
        const void *a = (const char *)kernel->input[0] + (size_t)at_a * p->element_a;
        const void *b = (const char *)kernel->input[1] + (size_t)at_b * p->element_b;
        void *c = (char *)kernel->output[0] + (size_t)at_c * p->element_c;
        if (p->blas) {
            blas_tile(kernel->context, p, m, n, a, lda, b, ldb, c, scratch);
            continue;
        }
        gt_Gemm gemm = {p->transpose_a,
                        p->transpose_b,
                        m,
                        n,
                        p->k,
                        a,
                        b,
                        lda,
                        ldb,
                        p->n,
                        p->half_a,
                        p->half_b,
                        c,
                        p->m * p->n == 1};
        gt_gemm(kernel->context->kernels, p->type, &gemm, scratch);
    }
}

static gt_Status matmul_run(const gt_Kernel *kernel)
{
    Product product = plan_product(kernel);
    return gt_for_tiles(kernel, product.batches * product.tiles_m * product.tiles_n, matmul_tiles,
                        &product);
}

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

#define TRANSPOSED(a, b) &GT_VALUES(gt_matmul_options, a, b)
const gt_Operation gt_op_matmul = {
    .size = sizeof(gt_Operation),
    .name = "matmul",
    .formula = "sum over k of a[..., m, k] b[..., k, n]",
    .flags = GT_OP_HALF,
    .options = &gt_matmul_options_type,
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .saves_inputs = 3,
    .shape = matmul_shape,
    .run = matmul_run,
    .gradient = matmul_gradient,
    .samples =
        (const gt_Sample[]){
            {.inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, 2, 3), GT_REAL(-1, 1, 3, 4))},
            {.inputs = 2,
             .input = GT_INPUTS(GT_REAL(-1, 1, 3, 2), GT_REAL(-1, 1, 3, 4)),
             .options = TRANSPOSED(true, false)},
            {.inputs = 2,
             .input = GT_INPUTS(GT_REAL(-1, 1, 2, 3), GT_REAL(-1, 1, 4, 3)),
             .options = TRANSPOSED(false, true)},
            {.inputs = 2,
             .input = GT_INPUTS(GT_REAL(-1, 1, 3, 2), GT_REAL(-1, 1, 4, 3)),
             .options = TRANSPOSED(true, true)},
            {.inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, 2, 2, 3), GT_REAL(-1, 1, 3, 2))},
            {.inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, 2, 1, 2, 3), GT_REAL(-1, 1, 3, 3, 2))},
            {.inputs = 2,
             .input = GT_INPUTS(GT_REAL(-1, 1, 2, 3), GT_REAL(-1, 1, 2, 2, 3)),
             .options = TRANSPOSED(false, true)},
            GT_SAMPLES_END},
};

gt_Tensor *gt_matmul_at(const char *here, gt_Tensor *a, gt_Tensor *b,
                        const gt_matmul_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Slot *sa = gt_slot_check(context, here, "matmul", "input 1", a);
    gt_Slot *sb = sa ? gt_slot_check(context, here, "matmul", "input 2", b) : NULL;
    if (!sb)
        return NULL;
    bool row = sa->value->spec.rank == 1, column = sb->value->spec.rank == 1;
    if (!row && !column)
        return gt_apply_one_at(here, &gt_op_matmul, given, 2, (gt_Tensor *[]){a, b});
    gt_matmul_options options = GT_TAKE(gt_matmul_options, given);
    if (row) {
        a = gt_reshape(a, gt_shape(1, -1));
        options.transpose_a = false;
    }
    if (column) {
        b = gt_reshape(b, gt_shape(-1, 1));
        options.transpose_b = false;
    }
    gt_Tensor *c = gt_apply_one_at(here, &gt_op_matmul, &options, 2, (gt_Tensor *[]){a, b});
    gt_Shape full = gt_tensor_shape(c), shape = {.mark = GT_MARK};
    for (int d = 0; d < full.rank; d++)
        if (!(row && d == full.rank - 2) && !(column && d == full.rank - 1))
            shape.dims[shape.rank++] = full.dims[d];
    return gt_reshape(c, shape);
}

gt_Tensor *(gt_matmul)(gt_Tensor *a, gt_Tensor *b)
{
    return gt_matmul_at(NULL, a, b, NULL);
}
