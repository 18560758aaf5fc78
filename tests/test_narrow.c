/* Rows of a few elements: what takes many of them at once gives what rows one by one give, bit for bit, in every instruction set, at
 * every width around a vector and every number of rows around a block. Arrays are as long as they must be, so that a sanitizer sees
 * what reads or writes too far. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"
#include "kernels/kernels.h"
#include "kernels/moves.h"
#include "kernels/reduction.h"
#include "reference.h"

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert(false, __VA_ARGS__);                                                         \
    } while (0)

#define FOR_TABLES(table)                                                                          \
    const gt_KernelTable *all_tables[3];                                                           \
    const int table_count = tables(all_tables);                                                    \
    for (int t = 0; t < table_count; t++)                                                          \
        for (const gt_KernelTable *table = all_tables[t]; table; table = NULL)

static const int64_t counts[] = {1,  2,  3,  7,  8,   9,   15,  16,  17, 31,
                                 33, 63, 64, 65, 127, 255, 256, 257, 300};
enum { COUNTS = sizeof counts / sizeof *counts };

static char *memory(int64_t bytes)
{
    char *m = malloc((size_t)(bytes ? bytes : 1));
    cr_assert_not_null(m);
    return m;
}

static char *noise(int64_t bytes)
{
    char *m = memory(bytes);
    for (int64_t i = 0; i < bytes; i++)
        m[i] = (char)next_bits();
    return m;
}

/* Numbers near 1, with all kinds of others among them unless `tame`. */
static void *numbers(int type, int64_t n, bool tame)
{
    static const double special[] = {0.0,   -0.0,     INFINITY,  -INFINITY, NAN,  1e30,
                                     1e-30, 0x1p-140, 0x1p-1040, -1e300,    3e38, 1.0};
    char *m = memory(8 * n);
    for (int64_t i = 0; i < n; i++) {
        const double x =
            !tame && next_bits() % 32 == 0 ? special[next_bits() % 12] : 1 + 0.5 * next_real();
        if (type == GT_LOOP_F32)
            ((float *)(void *)m)[i] = (float)x;
        else
            ((double *)(void *)m)[i] = x;
    }
    return realloc(m, (size_t)(n ? n : 1) * (type == GT_LOOP_F32 ? 4 : 8));
}

/* The same bits, but for those of a NaN. */
static bool same(int type, int64_t n, const void *a, const void *b)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t size = type == GT_LOOP_F32 ? 4 : 8;
        const double x = size == 4 ? (double)((const float *)a)[i] : ((const double *)a)[i];
        const double y = size == 4 ? (double)((const float *)b)[i] : ((const double *)b)[i];
        if (memcmp((const char *)a + i * size, (const char *)b + i * size, (size_t)size) != 0 &&
            !(x != x && y != y))
            return false;
    }
    return true;
}

Test(narrow, runs_of_any_length_and_distance)
{
    for (int64_t n = 1; n <= 140; n++)
        for (int64_t more = 0; more < 20; more += 1 + more) {
            const int64_t count = 9, x_step = n + more, y_step = n + 19 - more;
            char *x = noise((count - 1) * x_step + n), *y = noise((count - 1) * y_step + n);
            char *right = memory((count - 1) * y_step + n);
            memcpy(right, y, (size_t)((count - 1) * y_step + n));
            for (int64_t i = 0; i < count; i++)
                memcpy(right + i * y_step, x + i * x_step, (size_t)n);
            gt_move_runs(count, n, x, x_step, y, y_step);
            CHECK(memcmp(y, right, (size_t)((count - 1) * y_step + n)) == 0,
                  "runs of %d bytes, %d apart", (int)n, (int)x_step);
            gt_move_runs(count, n, y, y_step, y, y_step); /* onto itself */
            CHECK(memcmp(y, right, (size_t)((count - 1) * y_step + n)) == 0, "onto itself");
            free(x);
            free(y);
            free(right);
        }
}

Test(narrow, elements_again_and_again)
{
    FOR_TABLES(table)
    for (int s = 0; s < 4; s++)
        for (int64_t n = 1; n <= 34; n++)
            for (int c = 0; c < COUNTS; c++) {
                const int64_t size = INT64_C(1) << s, rows = counts[c];
                char *x = noise(rows * size), *y = noise(rows * n * size);
                table->spread[s](rows, n, x, y);
                for (int64_t i = 0; i < rows * n; i++)
                    CHECK(memcmp(y + i * size, x + i / n * size, (size_t)size) == 0,
                          "%s: %d rows of %d elements of %d bytes", table->isa, (int)rows, (int)n,
                          (int)size);
                free(x);
                free(y);
            }
}

Test(narrow, rows_turned_and_turned_back)
{
    FOR_TABLES(table)
    for (int s = 0; s < 4; s++)
        for (int64_t w = 1; w <= 20; w++)
            for (int c = 0; c < COUNTS; c++) {
                const int64_t size = INT64_C(1) << s, rows = counts[c], ld = rows + c % 3;
                char *x = noise(rows * w * size), *y = noise(((w - 1) * ld + rows) * size);
                char *back = noise(rows * w * size);
                table->transpose[s](rows, w, x, w, y, ld);
                for (int64_t i = 0; i < rows * w; i++)
                    CHECK(memcmp(y + (i % w * ld + i / w) * size, x + i * size, (size_t)size) == 0,
                          "%s: %d rows of %d", table->isa, (int)rows, (int)w);
                table->transpose[s](w, rows, y, ld, back, w);
                CHECK(memcmp(back, x, (size_t)(rows * w * size)) == 0, "%s: back to %d rows of %d",
                      table->isa, (int)rows, (int)w);
                free(x);
                free(y);
                free(back);
            }
}

/* Products are kept as a size and an exponent; as long as they are in range it is what they are together that counts. */
static bool same_result(int loop, int type, int64_t rows, const char *a, const char *b,
                        int64_t step)
{
    for (int64_t i = 0; i < rows; i++) {
        if (loop == GT_LOOP_PROD) {
            gt_Scaled p, q;
            memcpy(&p, a + i * step, sizeof p);
            memcpy(&q, b + i * step, sizeof q);
            double d = ldexp(p.size, (int)p.exponent), e = ldexp(q.size, (int)q.exponent);
            if (!same(GT_LOOP_F64, 1, &d, &e))
                return false;
        } else if (!same(step == 8 ? GT_LOOP_F64 : type, 1, a + i * step, b + i * step)) {
            return false;
        }
    }
    return true;
}

Test(narrow, reductions_of_many_rows)
{
    FOR_TABLES(table)
    for (int loop = 0; loop < GT_REDUCE_LOOP_COUNT; loop++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int64_t n = 1; n < 32; n++)
                for (int c = 0; c < COUNTS; c++) {
                    const bool wide = loop != GT_LOOP_MAX && loop != GT_LOOP_MIN;
                    const int64_t rows = counts[c], size = type == GT_LOOP_F32 ? 4 : 8;
                    const int64_t step = loop == GT_LOOP_PROD ? 16 : wide ? 8 : size;
                    /* without special ones products are taken as they are */
                    char *x = numbers(type, rows * n, c % 2);
                    char *y = memory(rows * step), *right = memory(rows * step);
                    for (int64_t i = 0; i < rows; i++)
                        table->reduce[loop][type](n, x + i * n * size, right + i * step);
                    table->reduce_few[loop][type](rows, n, x, y);
                    CHECK(same_result(loop, type, rows, y, right, step),
                          "%s: loop %d of type %d, %d rows of %d", table->isa, loop, type,
                          (int)rows, (int)n);
                    free(x);
                    free(y);
                    free(right);
                }
}

/* Few columns: whatever the width, a column is what it is by itself. */
Test(narrow, reductions_of_few_columns)
{
    FOR_TABLES(table)
    for (int loop = 0; loop < GT_REDUCE_LOOP_COUNT; loop++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int64_t w = 1; w <= 9; w++)
                for (int64_t rows = 1; rows <= 3000; rows += rows < 1500 ? 487 : 511) {
                    const bool wide = loop != GT_LOOP_MAX && loop != GT_LOOP_MIN;
                    const int64_t size = type == GT_LOOP_F32 ? 4 : 8;
                    const int64_t step = loop == GT_LOOP_PROD ? 16 : wide ? 8 : size;
                    char *x = numbers(type, rows * w, rows % 2);
                    char *apart = memory(rows * 10 * size);
                    for (int64_t i = 0; i < rows; i++)
                        memcpy(apart + i * 10 * size, x + i * w * size, (size_t)(w * size));
                    char *y = memory(w * step), *right = memory(w * step);
                    table->reduce_columns[loop][type](rows, w, w, x, y);
                    for (int64_t j = 0; j < w; j++)
                        table->reduce_columns[loop][type](rows, 1, 10, apart + j * size,
                                                          right + j * step);
                    CHECK(same_result(loop, type, w, y, right, step),
                          "%s: loop %d of type %d, %d columns of %d", table->isa, loop, type,
                          (int)w, (int)rows);
                    free(apart);
                    free(x);
                    free(y);
                    free(right);
                }
}

Test(narrow, softmax_of_many_rows)
{
    FOR_TABLES(table)
    for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
        for (int64_t n = 1; n <= 33; n++)
            for (int c = 0; c < COUNTS; c++) {
                gt_RowsLoop *const loops[3] = {table->softmax[type], table->log_softmax[type],
                                               table->logsumexp[type]};
                const int64_t rows = counts[c], size = type == GT_LOOP_F32 ? 4 : 8;
                char *x = numbers(type, rows * n, false), *y = memory(rows * n * size);
                char *right = memory(rows * n * size);
                for (int k = 0; k < 3; k++) {
                    const int64_t step = k == 2 ? 1 : n;
                    for (int64_t i = 0; i < rows; i++)
                        loops[k](1, n, x + i * n * size, right + i * step * size);
                    loops[k](rows, n, x, y);
                    CHECK(same(type, rows * step, y, right), "%s: function %d, %d rows of %d",
                          table->isa, k, (int)rows, (int)n);
                }
                free(x);
                free(y);
                free(right);
            }
}

/* The first of the largest, or the first NaN. */
static int32_t place_in(int type, bool largest, int64_t n, const char *x)
{
    int32_t best = 0;
    double at_best = 0;
    for (int64_t i = 0; i < n; i++) {
        const double a = type == GT_LOOP_F32 ? (double)((const float *)(const void *)x)[i]
                                             : ((const double *)(const void *)x)[i];
        if (a != a)
            return (int32_t)i;
        if (i == 0 || (largest ? a > at_best : a < at_best)) {
            best = (int32_t)i;
            at_best = a;
        }
    }
    return best;
}

Test(narrow, places_of_the_largest)
{
    FOR_TABLES(table)
    for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
        for (int64_t n = 1; n <= 33; n++)
            for (int c = 0; c < COUNTS; c++)
                for (int largest = 0; largest < 2; largest++) {
                    const int64_t rows = counts[c], size = type == GT_LOOP_F32 ? 4 : 8;
                    const gt_ArgJob job = {.type = (uint8_t)type,
                                           .element = (uint8_t)size,
                                           .largest = largest,
                                           .outer = rows,
                                           .count = n,
                                           .inner = 1,
                                           .strips = 1};
                    char *x = numbers(type, rows * n, false);
                    int32_t *y = (int32_t *)(void *)memory(rows * 4);
                    table->tile[GT_TILES_arg_rows](&job, (void *[]){x, y}, 0, rows, NULL);
                    for (int64_t i = 0; i < rows; i++)
                        CHECK(y[i] == place_in(type, largest, n, x + i * n * size),
                              "%s: type %d, row %d of %d elements", table->isa, type, (int)i,
                              (int)n);
                    free(x);
                    free(y);
                }
}

/* ---- operations ---- */

static gt_Tensor *whole(gt_Shape shape, gt_DType dtype)
{
    return gt_cast(gt_uniform(shape, .low = 1, .high = 60), dtype);
}

static const double *as_doubles(gt_Tensor *x)
{
    return gt_data(gt_cast(x, GT_FLOAT64));
}

/* The element of x at the place of number i of a tensor of shape `to`, with axes of size 1 repeated. */
static double spread_at(const double *x, gt_Shape shape, gt_Shape to, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int d = to.rank - 1; d >= 0; d--) {
        const int64_t dim = shape.dims[d];
        at += dim == 1 ? 0 : i % to.dims[d] * step;
        step *= dim;
        i /= to.dims[d];
    }
    return x[at];
}

typedef struct Pair {
    gt_Shape a, b, to;
} Pair;

static gt_Status combined(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(gt_multiply(in[0], in[1]), in[1]);
    out[1] = gt_cast(gt_less(in[0], in[1]), gt_dtype(in[0]));
    out[2] = gt_where(gt_less(in[0], in[1]), in[0], gt_subtract(in[1], in[0]));
    return gt_status();
}

static void check_pair(const Pair *pair, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[2] = {whole(pair->a, dtype), whole(pair->b, dtype)}, *eager[3], *planned[3];
    cr_assert_eq(combined(NULL, in, eager), GT_OK, "%s", gt_error_message());
    gt_Function *plan = gt_function(combined, NULL, .outputs = 3);
    cr_assert_eq(gt_function_call(plan, gt_tensors(in[0], in[1]), planned), GT_OK, "%s",
                 gt_error_message());
    const double *a = as_doubles(in[0]), *b = as_doubles(in[1]);
    const double *e[3], *p[3];
    for (int k = 0; k < 3; k++) {
        e[k] = as_doubles(eager[k]);
        p[k] = as_doubles(planned[k]);
    }
    const int64_t n = gt_size(eager[0]);
    for (int64_t i = 0; i < n; i++) {
        const double x = spread_at(a, pair->a, pair->to, i), y = spread_at(b, pair->b, pair->to, i);
        double right[3] = {x * y + y, x < y, x < y ? x : y - x};
        if (dtype == GT_UINT8)
            for (int k = 0; k < 3; k++)
                right[k] = (double)((int64_t)right[k] & 255);
        for (int k = 0; k < 3; k++)
            CHECK(p[k][i] == e[k][i] && fabs(e[k][i] - right[k]) <= 1e-5 * fabs(right[k]),
                  "output %d, element %d, last axis %d: eager %.9g, planned %.9g, right %.9g", k,
                  (int)i, (int)pair->to.dims[pair->to.rank - 1], e[k][i], p[k][i], right[k]);
    }
    gt_function_free(plan);
    gt_scope_end(scope);
}

Test(narrow, broadcasts_of_short_rows)
{
    const gt_DType dtypes[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32, GT_INT64, GT_UINT8};
    for (int k = 0; k < 5; k++)
        for (int64_t w = 1; w <= 34; w += w < 18 ? 1 : 15)
            for (int64_t p = 1; p <= 700; p = 3 * p + 1) {
                const Pair pairs[] = {
                    {gt_shape(p, w), gt_shape(p, 1), gt_shape(p, w)},
                    {gt_shape(1, w), gt_shape(p, w), gt_shape(p, w)},
                    {gt_shape(1, w), gt_shape(p, 1), gt_shape(p, w)},
                    {gt_shape(p, 1, w), gt_shape(p, 4, 1), gt_shape(p, 4, w)},
                    {gt_shape(p, 3, w), gt_shape(1, 3, 1), gt_shape(p, 3, w)},
                    {gt_shape(2, p, w), gt_shape(2, 1, w), gt_shape(2, p, w)},
                    {gt_shape(2, p, 1, w), gt_shape(1, p, 2, 1), gt_shape(2, p, 2, w)},
                };
                for (int i = 0; i < 7; i++)
                    check_pair(&pairs[i], dtypes[k]);
            }
}

/* Copies of every kind: what arrives where is told by the numbers, which are the places. */
static void check_copies(int64_t p, int64_t w, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *flat = gt_mod(gt_arange(0, (double)(p * w), 1), 100);
    gt_Tensor *x = gt_cast(gt_reshape(flat, gt_shape(p, w)), dtype);
    gt_Tensor *two =
        gt_concatenate(gt_tensors(x, x, gt_slice(x, gt_shape(0, 0), gt_shape(-1, 1))), .axis = 1);
    gt_Tensor *stacked = gt_stack(gt_tensors(x, x), .axis = -1);
    gt_Tensor *back = gt_get_item(x, "::-1, ::-1"), *third = gt_get_item(x, ":, ::3");
    gt_Tensor *padded = gt_pad(x, gt_shape(0, 2), gt_shape(1, 0));
    gt_Tensor *wide = gt_broadcast_to(gt_get_item(x, ":, :1"), gt_shape(p, w));
    gt_Tensor *rows = gt_take(
        x, gt_cast(gt_mod(gt_multiply(gt_arange(0, (double)p, 1), 3), (double)p), GT_INT32));
    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message());
    const double *a = as_doubles(x), *t = as_doubles(two), *s = as_doubles(stacked);
    const double *b = as_doubles(back), *h = as_doubles(third), *d = as_doubles(padded);
    const double *v = as_doubles(wide), *r = as_doubles(rows);
    const double *u = as_doubles(gt_transpose(x));
    const int64_t thirds = (w + 2) / 3;
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < w; j++) {
            const double right = a[i * w + j];
            CHECK(t[i * (2 * w + 1) + j] == right && t[i * (2 * w + 1) + w + j] == right &&
                      t[i * (2 * w + 1) + 2 * w] == a[i * w],
                  "concatenate: %d of %d", (int)i, (int)w);
            CHECK(s[2 * (i * w + j)] == right && s[2 * (i * w + j) + 1] == right, "stack");
            CHECK(b[(p - 1 - i) * w + w - 1 - j] == right, "backwards: %d of %d", (int)i, (int)w);
            CHECK(j % 3 || h[i * thirds + j / 3] == right, "every third: %d of %d", (int)i, (int)w);
            CHECK(d[i * (w + 2) + 2 + j] == right && d[i * (w + 2) + j % 2] == 0, "pad");
            CHECK(v[i * w + j] == a[i * w], "broadcast: %d of %d", (int)i, (int)w);
            CHECK(u[j * p + i] == right, "transpose: %d of %d", (int)i, (int)w);
            CHECK(r[i * w + j] == a[3 * i % p * w + j], "take: %d of %d", (int)i, (int)w);
        }
    gt_scope_end(scope);
}

Test(narrow, copies_of_short_rows)
{
    const gt_DType dtypes[] = {GT_FLOAT32, GT_FLOAT64, GT_FLOAT16, GT_BFLOAT16,
                               GT_INT32,   GT_INT64,   GT_UINT8};
    for (int k = 0; k < 7; k++)
        for (int64_t w = 1; w <= 40; w += w < 18 ? 1 : 11)
            for (int64_t p = 1; p <= 900; p = 3 * p + 1)
                check_copies(p, w, dtypes[k]);
}

/* Gradients of slices arrive in place: the sum of those of all columns is what they all had. */
static gt_Status columns(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const int64_t w = *(const int64_t *)context;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = NULL;
    for (int64_t j = 0; j < w; j++) {
        gt_Tensor *column = gt_slice(in[0], gt_shape(0, j), gt_shape(-1, 1));
        gt_Tensor *term = gt_multiply(gt_square(column), (double)(j + 1));
        y = y ? gt_concatenate(gt_tensors(y, term), .axis = 1) : term;
    }
    out[0] = gt_gradient(tape, y, in[0]);
    gt_keep(out[0]);
    gt_tape_end(tape);
    return gt_status();
}

Test(narrow, gradients_of_columns)
{
    for (int64_t w = 1; w <= 17; w++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_uniform(gt_shape(301, w), .dtype = GT_FLOAT64), *eager, *planned;
        gt_Function *plan = gt_function(columns, &w, .outputs = 1);
        cr_assert_eq(columns(&w, &x, &eager), GT_OK, "%s", gt_error_message());
        cr_assert_eq(gt_function_call(plan, gt_tensors(x), &planned), GT_OK, "%s",
                     gt_error_message());
        const double *a = gt_data(x), *e = gt_data(eager), *p = gt_data(planned);
        for (int64_t i = 0; i < 301 * w; i++)
            CHECK(e[i] == p[i] && fabs(e[i] - 2 * a[i] * (double)(i % w + 1)) < 1e-13,
                  "element %d of rows of %d: %g, planned %g", (int)i, (int)w, e[i], p[i]);
        gt_function_free(plan);
        gt_scope_end(scope);
    }
}

/* The gradient of the largest is shared by those that are it; all of a row with NaN is NaN. */
static gt_Status largest(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    out[0] = gt_gradient(tape, gt_multiply(gt_max(in[0], .axis = 1), 3), in[0]);
    gt_keep(out[0]);
    gt_tape_end(tape);
    return gt_status();
}

Test(narrow, gradients_of_the_largest)
{
    for (int64_t w = 1; w <= 17; w++) {
        enum { ROWS = 101 };
        double numbers_of[ROWS * 17];
        for (int64_t i = 0; i < ROWS * w; i++)
            numbers_of[i] = i == 5 * w ? NAN : (double)(next_bits() % 4);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_from_data(numbers_of, gt_shape(ROWS, w), GT_FLOAT64), *eager, *planned;
        gt_Function *plan = gt_function(largest, NULL, .outputs = 1);
        cr_assert_eq(largest(NULL, &x, &eager), GT_OK, "%s", gt_error_message());
        cr_assert_eq(gt_function_call(plan, gt_tensors(x), &planned), GT_OK, "%s",
                     gt_error_message());
        const double *e = gt_data(eager), *p = gt_data(planned);
        CHECK(same(GT_LOOP_F64, ROWS * w, e, p), "eager and planned, rows of %d", (int)w);
        for (int64_t i = 0; i < ROWS; i++) {
            const double *row = numbers_of + i * w;
            double most = row[0];
            int count = 0;
            for (int64_t j = 0; j < w; j++)
                most = row[j] > most ? row[j] : most;
            for (int64_t j = 0; j < w; j++)
                count += row[j] == most;
            for (int64_t j = 0; j < w; j++)
                CHECK(i == 5 ? isnan(e[i * w + j])
                             : e[i * w + j] == (row[j] == most ? 3.0 / count : 0),
                      "row %d of %d: %g", (int)i, (int)w, e[i * w + j]);
        }
        gt_function_free(plan);
        gt_scope_end(scope);
    }
}

/* ---- kernels that take narrow rows another way ---- */

/* Rows of up to 16 run beside each other as each of them does alone. */
Test(narrow, running_rows)
{
    FOR_TABLES(table)
    for (int way = 0; way < 8; way++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int64_t w = 1; w <= 18; w++)
                for (int c = 0; c < COUNTS; c++) {
                    const int64_t size = type == GT_LOOP_F32 ? 4 : 8, n = counts[c] * w;
                    const gt_RunningJob job = {.kind =
                                                   way & 1 ? GT_RUNNING_PRODUCT : GT_RUNNING_SUM,
                                               .type = (uint8_t)type,
                                               .element = (uint8_t)size,
                                               .reverse = way & 2,
                                               .exclusive = way & 4,
                                               .outer = counts[c],
                                               .count = w,
                                               .inner = 1,
                                               .width = 1,
                                               .strips = 1,
                                               .group = 7};
                    char *x = numbers(type, n, c % 2), *y = memory(n * size),
                         *right = memory(n * size);
                    table->tile[GT_TILES_running](&job, (void *[]){x, y}, 0, (counts[c] + 6) / 7,
                                                  NULL);
                    for (int64_t i = 0; i < counts[c]; i++)
                        gt_running_row(&job, x + i * w * size, right + i * w * size);
                    CHECK(same(type, n, y, right), "%s: way %d of type %d, %d rows of %d",
                          table->isa, way, type, (int)counts[c], (int)w);
                    free(x);
                    free(y);
                    free(right);
                }
}

/* A reduction of `rows` rows of n, over the rows or, where n is 1, of columns. */
static gt_ReductionJob reduction_of(int loop, int type, int64_t rows, int64_t n)
{
    const bool wide = loop != GT_LOOP_MAX && loop != GT_LOOP_MIN;
    const int64_t size = type == GT_LOOP_F32 ? 4 : 8;
    gt_ReductionJob job = {.loop = (uint8_t)loop,
                           .round = GT_REDUCTION_WHOLE,
                           .from = (uint8_t)type,
                           .to = (uint8_t)type,
                           .element = (uint8_t)size,
                           .waiting = (uint8_t)(loop == GT_LOOP_PROD ? sizeof(gt_Scaled)
                                                : wide               ? sizeof(double)
                                                                     : (size_t)size),
                           .wide = wide,
                           .scale = 1,
                           .rows = n,
                           .stride = 1,
                           .columns = 1,
                           .block = n,
                           .blocks = 1,
                           .parts = 1,
                           .width = 1,
                           .strips = 1,
                           .group = rows,
                           .reduced = n,
                           .outputs = rows,
                           .kept = {.rank = 1, .count = rows},
                           .passes = {.count = 1}};
    job.kept.dims[0] = rows;
    job.kept.stride[0] = n;
    if (n == 1) {
        job.kept.rank = 0;
        job.kept.count = job.group = 1;
        job.columns = job.width = job.stride = rows;
    }
    return job;
}

/* Rows of one number give what the reduction gives that does not know it. */
Test(narrow, reductions_of_one_number)
{
    FOR_TABLES(table)
    for (int loop = 0; loop < GT_REDUCE_LOOP_COUNT; loop++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int c = 0; c < COUNTS; c++) {
                const int64_t rows = counts[c], bytes = rows * (type == GT_LOOP_F32 ? 4 : 8);
                gt_ReductionJob job = reduction_of(loop, type, rows, 1);
                job.root = loop == GT_LOOP_SQUARES;
                char *x = numbers(type, rows, false), *y = memory(bytes), *right = memory(bytes);
                table->tile[GT_TILES_reduce](&job, (void *[]){x, y}, 0, 1, NULL);
                job.reduced = 0; /* of nothing it knows nothing */
                table->tile[GT_TILES_reduce](&job, (void *[]){x, right}, 0, 1, NULL);
                CHECK(same(type, rows, y, right), "%s: loop %d of type %d, %d rows", table->isa,
                      loop, type, (int)rows);
                free(x);
                free(y);
                free(right);
            }
}

/* What a reduction of rows of n is to be: products, sums, means, roots of sums or means of squares. */
enum { FINISHED_WAYS = 5 };
static gt_ReductionJob finished_of(int way, int type, int64_t rows, int64_t n)
{
    static const int loops[FINISHED_WAYS] = {GT_LOOP_PROD, GT_LOOP_SUM, GT_LOOP_SUM,
                                             GT_LOOP_SQUARES, GT_LOOP_SQUARES};
    gt_ReductionJob job = reduction_of(loops[way], type, rows, n);
    job.mean = way == 2 || way == 4;
    job.root = way >= 3;
    return job;
}

/* Factors almost too small and almost too large in turns, so that some products of half of them would leave the range of a double. */
static void spread_out(int type, int64_t rows, int64_t n, void *x)
{
    for (int64_t i = 0; i < rows * n; i++)
        if (type == GT_LOOP_F32)
            ((float *)x)[i] *= i % n % 2 ? 0x1p126f : 0x1p-140f;
        else
            ((double *)x)[i] *= i % n % 2 ? 0x1p1000 : 0x1p-1000;
}

/* Finished reductions of many rows are those of each row: of some rows with one that overflows or is not a number, too. */
Test(narrow, finished_reductions_of_many_rows)
{
    FOR_TABLES(table)
    for (int way = 0; way < FINISHED_WAYS; way++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int64_t n = 2; n < 34; n++)
                for (int c = 0; c < COUNTS + 2; c++) {
                    const int64_t rows = c < COUNTS ? counts[c] : 2500 + c;
                    const int64_t size = type == GT_LOOP_F32 ? 4 : 8;
                    const gt_ReductionJob job = finished_of(way, type, rows, n),
                                          one = finished_of(way, type, 1, n);
                    char *x = numbers(type, rows * n, c % 2), *y = memory(rows * size);
                    char *right = memory(rows * size);
                    if (way == 0 && c % 4 == 3)
                        spread_out(type, rows, n, x);
                    table->tile[GT_TILES_reduce](&job, (void *[]){x, y}, 0, 1, NULL);
                    for (int64_t i = 0; i < rows; i++)
                        table->tile[GT_TILES_reduce](
                            &one, (void *[]){x + i * n * size, right + i * size}, 0, 1, NULL);
                    CHECK(same(type, rows, y, right), "%s: way %d of type %d, %d rows of %d",
                          table->isa, way, type, (int)rows, (int)n);
                    free(x);
                    free(y);
                    free(right);
                }
}

/* Against float64, in the order of the row. Rows of -0 alone have the sum 0. */
Test(narrow, sums_of_many_rows_are_right)
{
    FOR_TABLES(table)
    for (int way = 0; way < FINISHED_WAYS; way++)
        for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++)
            for (int64_t n = 2; n <= 17; n++) {
                enum { ROWS = 1037 };
                const gt_ReductionJob job = finished_of(way, type, ROWS, n);
                char *x = numbers(type, ROWS * n, true);
                char *y = memory(ROWS * (type == GT_LOOP_F32 ? 4 : 8));
                for (int64_t j = 0; j < n; j++) /* the last row */
                    if (type == GT_LOOP_F32)
                        ((float *)(void *)x)[(ROWS - 1) * n + j] = -0.0f;
                    else
                        ((double *)(void *)x)[(ROWS - 1) * n + j] = -0.0;
                table->tile[GT_TILES_reduce](&job, (void *[]){x, y}, 0, 1, NULL);
                for (int64_t i = 0; i < ROWS; i++) {
                    double sum = way == 0, bound = type == GT_LOOP_F32 ? 2e-6 : 4e-15;
                    for (int64_t j = 0; j < n; j++) {
                        const double a = type == GT_LOOP_F32
                                             ? (double)((float *)(void *)x)[i * n + j]
                                             : ((double *)(void *)x)[i * n + j];
                        sum = way == 0 ? sum * a : sum + (way >= 3 ? a * a : a);
                    }
                    sum = job.mean ? sum / (double)n : sum;
                    sum = job.root ? sqrt(sum) : sum;
                    const double got = type == GT_LOOP_F32 ? (double)((float *)(void *)y)[i]
                                                           : ((double *)(void *)y)[i];
                    CHECK(fabs(got - sum) <= bound * fabs(sum),
                          "%s: way %d, row %d of %d: %g, not %g", table->isa, way, (int)i, (int)n,
                          got, sum);
                    CHECK(way == 0 || i + 1 < ROWS || !signbit(got), "%s: way %d: -0", table->isa,
                          way);
                }
                free(x);
                free(y);
            }
}

/* Of one number softmax is 1 and logsumexp is the number, as rows of two say in which the other one is nothing. */
Test(narrow, softmax_of_one_number)
{
    FOR_TABLES(table)
    for (int type = GT_LOOP_F32; type <= GT_LOOP_F64; type++) {
        enum { ROWS = 300 };
        const int64_t size = type == GT_LOOP_F32 ? 4 : 8;
        char *x = numbers(type, ROWS, false), *two = memory(2 * ROWS * size);
        char *soft = memory(ROWS * size), *sum = memory(ROWS * size);
        char *right = memory(2 * ROWS * size), *right_sum = memory(ROWS * size);
        for (int64_t i = 0; i < ROWS; i++) {
            const float low = -INFINITY;
            const double lower = -(double)INFINITY;
            memcpy(two + 2 * i * size, x + i * size, (size_t)size);
            memcpy(two + (2 * i + 1) * size, size == 4 ? (const void *)&low : &lower, (size_t)size);
        }
        table->softmax[type](ROWS, 1, x, soft);
        table->logsumexp[type](ROWS, 1, x, sum);
        table->softmax[type](ROWS, 2, two, right);
        table->logsumexp[type](ROWS, 2, two, right_sum);
        for (int64_t i = 0; i < ROWS; i++)
            CHECK(same(type, 1, soft + i * size, right + 2 * i * size), "%s: softmax, row %d",
                  table->isa, (int)i);
        CHECK(same(type, ROWS, sum, right_sum), "%s: logsumexp of type %d", table->isa, type);
        free(x);
        free(two);
        free(soft);
        free(sum);
        free(right);
        free(right_sum);
    }
}
