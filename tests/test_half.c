/* float16 and bfloat16: every one of their numbers both ways, rounding where it is decided, casts
 * with every other type, products and convolutions bit for bit those of float32, files, layers, and
 * who refuses them. tests/test_gradients.c tries every operation of the table. */
#include <criterion/criterion.h>

#include "core/structs.h"
#include "gradtape.h"
#include "leaks.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An assertion of Criterion costs microseconds; only a failing one is worth that. */
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert(false, __VA_ARGS__);                                                         \
    } while (0)

static const gt_DType halves[] = {GT_FLOAT16, GT_BFLOAT16};
static const char *const names[] = {"float16", "bfloat16"};

/* ---- what the formats say: sign, exponent, fraction ---- */

/* The number that bits stand for; the infinity of a type counts as the power of two after its
 * largest number, where rounding is decided as between any two. */
static double value_of(int half, unsigned bits)
{
    int fraction_bits = half ? 7 : 10, bias = half ? 127 : 15;
    unsigned fraction = bits & ((1u << fraction_bits) - 1);
    int exponent = (int)((bits & 0x7fff) >> fraction_bits);
    double size = exponent == 0
                      ? ldexp(fraction, 1 - bias - fraction_bits)
                      : ldexp(fraction + (1u << fraction_bits), exponent - bias - fraction_bits);
    return bits & 0x8000 ? -size : size;
}

static unsigned infinity_of(int half)
{
    return half ? 0x7f80 : 0x7c00;
}

/* The bits of the number next to x, ties to even, by comparing distances. Both are exact where it
 * matters: x and the nearer of its neighbours are within a factor of two, or one of them is 0. */
static unsigned nearest(int half, double x)
{
    unsigned sign = signbit(x) ? 0x8000 : 0, low = 0, high = infinity_of(half);
    double size = fabs(x);
    if (size >= value_of(half, high))
        return sign | high;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (value_of(half, middle) <= size)
            low = middle;
        else
            high = middle;
    }
    double below = size - value_of(half, low), above = value_of(half, high) - size;
    return sign | (below < above || (below == above && low % 2 == 0) ? low : high);
}

/* An integer as a double on the same side of every number of 16 bits and of every middle between two:
 * of what does not fit in 53 bits the last bit says whether anything is lost. */
static double on_its_side(int64_t x)
{
    uint64_t size = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, lost = 0;
    int shift = 0;
    for (; size >> 53; shift++) {
        lost |= size & 1;
        size >>= 1;
    }
    double y = ldexp((double)(size | lost), shift);
    return x < 0 ? -y : y;
}

static bool is_nan(int half, unsigned bits)
{
    return (bits & 0x7fff) > infinity_of(half);
}

/* ---- loops ---- */

Test(half, every_number)
{
    static uint16_t x[65536], back[65536];
    static float wide[65536];
    static double wider[65536];
    for (int i = 0; i < 65536; i++)
        x[i] = (uint16_t)i;
    const gt_KernelTable *list[3];
    int count = tables(list);
    for (int t = 0; t < count * 2; t++) {
        const gt_KernelTable *table = list[t / 2];
        for (int half = 0; half < 2; half++) {
            gt_FloatMode mode = {0};
            bool flush = t % 2; /* as in a training step; bfloat16 has float32's subnormals */
            if (flush)
                mode = gt_float_mode_flush();
            table->widen[half](1, 65536, x, 65536, wide, 65536);
            table->narrow[0][half](65536, wide, back);
            if (flush)
                gt_float_mode_restore(mode);
            for (int i = 0; i < 65536; i++) {
                bool infinite = (i & 0x7fff) == (int)infinity_of(half);
                if (is_nan(half, (unsigned)i)) {
                    CHECK(isnan(wide[i]) && is_nan(half, back[i]) &&
                              (back[i] & 0x8000) == (i & 0x8000),
                          "%s: NaN %x of %s", table->isa, i, names[half]);
                    continue;
                }
                CHECK(infinite ? isinf(wide[i]) != 0
                               : (double)wide[i] == value_of(half, (unsigned)i),
                      "%s: %s %x is %a", table->isa, names[half], i, (double)wide[i]);
                CHECK(back[i] == i, "%s: %s %x comes back as %x", table->isa, names[half], i,
                      back[i]);
            }
            for (int i = 0; i < 65536; i++)
                wider[i] = (double)wide[i];
            table->narrow[1][half](65536, wider, back);
            for (int i = 0; i < 65536; i++)
                CHECK(back[i] == i || is_nan(half, (unsigned)i), "%s: %s %x from float64: %x",
                      table->isa, names[half], i, back[i]);
        }
    }
    for (int half = 0; half < 2; half++) /* the other loops over one number */
        for (int i = 0; i < 65536; i++) {
            double number = gt_number_fetch(halves[half], x, i);
            gt_number_store(halves[half], back, i, number);
            CHECK(is_nan(half, (unsigned)i) ? isnan(number) && is_nan(half, back[i]) : back[i] == i,
                  "%s %x: %g", names[half], i, number);
        }
}

/* Numbers and the middles between them, and what is next to both, in float32 and in float64. */
Test(half, rounding)
{
    enum { AROUND = 10 };
    static float x[AROUND * 65536];
    static double y[AROUND * 65536];
    static uint16_t bits[AROUND * 65536], one[1];
    const gt_KernelTable *list[3];
    int count = tables(list);
    for (int half = 0; half < 2; half++) {
        int n = 0;
        for (unsigned i = 0; i < infinity_of(half); i++)
            for (int sign = -1; sign < 2; sign += 2) {
                double at = sign * value_of(half, i);
                double middle = sign * (value_of(half, i) / 2 + value_of(half, i + 1) / 2);
                double both[] = {at, middle};
                for (int k = 0; k < 2; k++, n += AROUND / 2) {
                    y[n] = both[k];
                    y[n + 1] = nextafter(both[k], INFINITY);
                    y[n + 2] = nextafter(both[k], -INFINITY);
                    y[n + 3] = both[k] * (1 + 0x1p-40);
                    y[n + 4] = both[k] * (1 - 0x1p-30);
                    x[n] = (float)both[k];
                    x[n + 1] = nextafterf((float)both[k], INFINITY);
                    x[n + 2] = nextafterf((float)both[k], -INFINITY);
                    x[n + 3] = (float)(both[k] * (1 + 0x1p-20));
                    x[n + 4] = (float)(both[k] * (1 - 0x1p-14));
                }
            }
        for (int t = 0; t < count; t++) {
            list[t]->narrow[0][half](n, x, bits);
            for (int i = 0; i < n; i++)
                CHECK(bits[i] == nearest(half, (double)x[i]), "%s: %a as %s is %x, not %x",
                      list[t]->isa, (double)x[i], names[half], bits[i],
                      nearest(half, (double)x[i]));
            list[t]->narrow[1][half](n, y, bits);
            for (int i = 0; i < n; i++)
                CHECK(bits[i] == nearest(half, y[i]), "%s: %a as %s is %x, not %x", list[t]->isa,
                      y[i], names[half], bits[i], nearest(half, y[i]));
        }
        for (int i = 0; i < n; i++) {
            gt_number_store(halves[half], one, 0, y[i]);
            CHECK(one[0] == nearest(half, y[i]), "%a as %s", y[i], names[half]);
        }
        const double extremes[] = {
            DBL_MAX,        DBL_MIN,   0x1p-1074, 0x1p-150, FLT_MAX,  0x1.fffffep127,
            0x1.ffffffp127, 65519.999, 65520,     65536,    0x1p-25,  0x1.8p-25,
            0x1.000001p-25, INFINITY,  0,         -0.0,     0x1p-134, 0x1.00000001p-134};
        for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
            gt_number_store(halves[half], one, 0, -extremes[i]);
            CHECK(one[0] == nearest(half, -extremes[i]), "%a as %s is %x", -extremes[i],
                  names[half], one[0]);
        }
        const double nan = NAN;
        list[count - 1]->narrow[1][half](1, &nan, bits);
        CHECK(is_nan(half, bits[0]), "NaN as %s", names[half]);
    }
}

/* Pieces with leading dimensions, and zeros up to the next row. */
Test(half, widen)
{
    uint16_t x[40 * 40];
    float y[50 * 50];
    const gt_KernelTable *list[3];
    int count = tables(list);
    for (int i = 0; i < 1600; i++)
        x[i] = (uint16_t)(0x3f80 + i);
    for (int t = 0; t < count; t++)
        for (int half = 0; half < 2; half++)
            for (int rows = 0; rows < 5; rows++)
                for (int columns = 0; columns < 36; columns++) {
                    for (int i = 0; i < 2500; i++)
                        y[i] = -1;
                    list[t]->widen[half](rows, columns, x, 37, y, columns + 3);
                    for (int r = 0; r < rows; r++)
                        for (int j = 0; j < columns + 3; j++)
                            CHECK((double)y[r * (columns + 3) + j] ==
                                      (j < columns ? value_of(half, x[r * 37 + j]) : 0),
                                  "%s: %d x %d at %d, %d", list[t]->isa, rows, columns, r, j);
                    CHECK(y[rows * (columns + 3)] == -1, "%d x %d: too far", rows, columns);
                }
}

/* ---- casts ---- */

static const void *bits_of(gt_Tensor *x)
{
    const void *data = gt_data(x);
    cr_assert(data || gt_size(x) == 0, "%s", gt_error_message());
    return data;
}

static void same(gt_Tensor *a, gt_Tensor *b, const char *what)
{
    gt_Spec p = gt_spec(a), q = gt_spec(b);
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
    char s[200], t[200];
    cr_assert(gt_spec_equal(&p, &q), "%s: %s and %s", what, gt_spec_text(&p, s, sizeof s),
              gt_spec_text(&q, t, sizeof t));
    cr_assert(memcmp(bits_of(a), bits_of(b), gt_spec_bytes(&p)) == 0, "%s: other bits", what);
}

static void refused(bool failed, gt_Status status, const char *part, const char *more)
{
    cr_assert(failed, "taken: %s, %s", part, more);
    cr_assert(gt_status() == status && strstr(gt_error_message(), part) &&
                  strstr(gt_error_message(), more),
              "%d: %s (not %s, %s)", gt_status(), gt_error_message(), part, more);
    gt_error_clear();
}

Test(half, casts)
{
    static const gt_DType whole[] = {GT_INT32, GT_INT64, GT_UINT8, GT_BOOL};
    static int64_t numbers[40000];
    gt_Scope *scope = gt_scope_begin();
    int n = 0;
    for (int sign = -1; sign < 2; sign += 2)
        for (int k = 0; k < 63; k++)
            for (int low = 0; low < 2; low++)
                for (int64_t off = -3; off <= 3; off++)
                    for (int64_t step = 0; step < 9; step++)
                        numbers[n++] =
                            sign *
                            ((INT64_C(1) << k) + (k > 9 ? step * (INT64_C(1) << (k - 9)) : 0) +
                             (low && k > 30 ? off * (INT64_C(1) << (k / 3)) : off));
    numbers[n++] = INT64_MAX;
    numbers[n++] = INT64_MIN;
    gt_Tensor *all = gt_from_data(numbers, gt_shape(n), GT_INT64);
    gt_Tensor *every = gt_reshape(gt_cast(gt_arange(0, 65536, 1), GT_INT32), gt_shape(-1));
    uint16_t *raw = malloc(65536 * sizeof *raw);
    for (int i = 0; i < 65536; i++)
        raw[i] = (uint16_t)gt_int32_data(every)[i];
    for (int half = 0; half < 2; half++) {
        gt_Tensor *x = gt_from_data(raw, gt_shape(65536), halves[half]);
        for (int w = 0; w < 4; w++) {
            gt_Tensor *from = gt_cast(all, whole[w]), *to = gt_cast(from, halves[half]);
            const uint16_t *got = bits_of(to);
            for (int i = 0; i < n; i++) {
                int64_t number = whole[w] == GT_INT64   ? numbers[i]
                                 : whole[w] == GT_INT32 ? (int32_t)numbers[i]
                                 : whole[w] == GT_UINT8 ? (uint8_t)numbers[i]
                                                        : numbers[i] != 0;
                unsigned right = nearest(half, on_its_side(number));
                CHECK(got[i] == right, "%lld of %s as %s: %x, not %x", (long long)number,
                      gt_dtype_name(whole[w]), names[half], got[i], right);
            }
            same(gt_cast(x, whole[w]), gt_cast(gt_cast(x, GT_FLOAT32), whole[w]), "to whole");
        }
        same(gt_cast(x, GT_FLOAT64), gt_cast(gt_cast(x, GT_FLOAT32), GT_FLOAT64), "to float64");
        same(gt_cast(x, halves[!half]), gt_cast(gt_cast(x, GT_FLOAT32), halves[!half]), "other");
        same(gt_cast(x, halves[half]), x, "itself");
        same(gt_cast(gt_cast(x, GT_FLOAT32), halves[half]),
             gt_cast(gt_cast(x, GT_FLOAT64), halves[half]), "back");
        refused(!gt_cast(x, GT_COMPLEX64), GT_UNSUPPORTED, "cast", "complex64");
        cr_assert(gt_item(gt_saturate_cast(gt_scalar(-1e300, GT_FLOAT64), halves[half])) ==
                  (half ? -0x1.fep127 : -65504));
        cr_assert(gt_item(gt_saturate_cast(gt_scalar(3e38, GT_FLOAT32), halves[half])) ==
                  (half ? 0x1.c4p127 : 65504));
        cr_assert(gt_item(gt_saturate_cast(gt_scalar(-2e9, GT_INT32), halves[half])) ==
                  (half ? -0x1.dcp30 : -65504));
    }
    cr_assert(gt_item(gt_saturate_cast(gt_full(gt_shape(1), 1e30, .dtype = GT_BFLOAT16),
                                       GT_FLOAT16)) == 65504);
    free(raw);
    gt_scope_end(scope);
}

/* ---- making, changing and reading them ---- */

Test(half, tensors)
{
    static uint16_t block[8];
    for (int half = 0; half < 2; half++) {
        gt_DType type = halves[half];
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_full(gt_shape(3, 2), 1.0 + 0x1p-5, .dtype = type);
        cr_assert(gt_dtype(x) == type && gt_element(x, 5) == 1.0 + 0x1p-5 && gt_size(x) == 6);
        cr_assert(gt_item(gt_scalar(0.1, type)) == (half ? 0x1.9ap-4 : 0x1.998p-4));
        cr_assert(gt_element(gt_zeros_like(x), 3) == 0 && gt_element(gt_ones_like(x), 3) == 1);
        cr_assert(gt_element(gt_eye(3, .dtype = type), 4) == 1 &&
                  gt_element(gt_eye(3, .dtype = type), 5) == 0);
        cr_assert(gt_element(gt_arange(0, 3, 0.5, .dtype = type), 5) == 2.5);
        cr_assert(gt_element(gt_linspace(0, 1, 3, .dtype = type), 1) == 0.5);
        same(gt_from_data(bits_of(x), gt_shape(3, 2), type), x, "from_data");
        same(gt_from_buffer(bits_of(x), gt_shape(3, 2), type), x, "from_buffer");
        refused(!gt_from_buffer((char *)block + 1, gt_shape(2), type), GT_INVALID, "aligned",
                names[half]);
        gt_Variable *v = gt_variable(x, .name = "v"), *w = gt_variable(x, .name = "w");
        cr_assert(gt_assign(v, 0.5) == GT_OK && gt_element(v, 4) == 0.5);
        cr_assert(gt_assign(v, gt_cast(gt_full(gt_shape(3, 2), 0.1), type)) == GT_OK);
        cr_assert(gt_element(v, 5) == gt_item(gt_scalar(0.1, type)));
        refused(gt_assign(v, gt_full(gt_shape(3, 2), 0.1)) != GT_OK, GT_INVALID, names[half],
                "float32");
        refused(gt_assign_add(v, x) != GT_OK, GT_INVALID, "assign_add", names[half]);
        const uint16_t *packed = gt_pack(gt_tensors(v, w));
        cr_assert(packed && bits_of(w) == packed + 6 && packed[0] == packed[5]);
        refused(!gt_float32_data(v), GT_INVALID, names[half], "float32");
        double number = 1;
        refused(!gt_live(&number, type), GT_INVALID, "live", "float32");
        cr_assert(gt_check_numerics(true) == GT_OK);
        gt_Tensor *large = gt_scalar(1e30, GT_FLOAT64);
        large = gt_multiply(large, 1e30);
        refused(!gt_cast(large, type), GT_NUMERIC, names[half], "infinite");
        gt_check_numerics(false);
        refused(!gt_add(x, x), GT_INVALID, "add: input 1 is", names[half]);
        refused(!gt_add(x, 1), GT_INVALID, "add: input 1 is", names[half]);
        refused(!gt_multiply(gt_ones(gt_shape(3, 2)), x), GT_INVALID, "multiply: input 2 is",
                names[half]);
        refused(!gt_sum(x), GT_INVALID, "sum: input 1 is", "gt_cast");
        refused(!gt_sort(x), GT_INVALID, "sort", names[half]);
        refused(!gt_uniform(gt_shape(2), .dtype = type), GT_INVALID, "uniform", names[half]);
        refused(!gt_one_hot(gt_cast(gt_zeros(gt_shape(2)), GT_INT32), 3, .dtype = type), GT_INVALID,
                "one_hot", names[half]);
        gt_variable_free(v);
        gt_variable_free(w);
        gt_scope_end(scope);
    }
}

/* Larger ones than the table's samples: every path that copies. */
Test(half, moves)
{
    for (int half = 0; half < 2; half++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_cast(
            gt_reshape(gt_arange(0, 200 * 90, 1, .dtype = GT_FLOAT64), gt_shape(20, 10, 90)),
            halves[half]);
        gt_Tensor *wide = gt_cast(x, GT_FLOAT32);
        gt_Tensor *at = gt_cast(gt_array(gt_shape(4), 3, 0, 19, 3), GT_INT64);
        gt_Tensor *there = gt_cast(gt_multiply(gt_ones(gt_shape(20, 2, 90)), 7), GT_INT32);
        gt_Tensor *condition = gt_less(wide, 9000);
#define SAME(f)                                                                                    \
    do {                                                                                           \
        gt_Tensor *of_half, *of_wide, *y;                                                          \
        y = x;                                                                                     \
        of_half = f;                                                                               \
        y = wide;                                                                                  \
        of_wide = f;                                                                               \
        same(of_half, gt_cast(of_wide, halves[half]), #f);                                         \
    } while (0)
        SAME(gt_transpose(y, .perm = gt_axes(2, 1, 0)));
        SAME(gt_transpose(y, .perm = gt_axes(1, 2, 0)));
        SAME(gt_swapaxes(y, 0, 1));
        SAME(gt_reshape(y, gt_shape(100, -1)));
        SAME(gt_broadcast_to(gt_expand_dims(y, 1), gt_shape(20, 3, 10, 90)));
        SAME(gt_broadcast_to(gt_slice(y, gt_shape(0, 0, 4), gt_shape(20, 10, 1)),
                             gt_shape(20, 10, 9)));
        SAME(gt_flip(y));
        SAME(gt_flip(y, .axis = 2));
        SAME(gt_roll(y, 7, .axis = 1));
        SAME(gt_pad(y, gt_shape(1, 0, 2), gt_shape(0, 3, 1), .value = 0.75));
        SAME(gt_concatenate(gt_tensors(y, gt_flip(y)), .axis = 1));
        SAME(gt_stack(gt_tensors(y, y), .axis = 3));
        SAME(gt_slice(y, gt_shape(2, 3, 5), gt_shape(9, 4, 33)));
        SAME(gt_slice(y, gt_shape(4, 0, 0), gt_shape(3, 10, 90)));
        SAME(gt_take(y, at));
        SAME(gt_take(y, at, .axis = 2));
        SAME(gt_take_along_axis(y, there, .axis = 1));
        SAME(gt_tril(y));
        SAME(gt_triu(y, .k = 3));
        SAME(gt_tile(y, gt_shape(2, 1, 3)));
        SAME(gt_repeat(y, 3, .axis = 2));
        SAME(gt_where(condition, y, gt_flip(y)));
        SAME(gt_where(condition, gt_zeros_like(y), y));
        SAME(gt_slice_update(y, gt_shape(1, 1, 1),
                             gt_ones_like(gt_slice(y, gt_shape(0, 0, 0), gt_shape(3, 3, 3)))));
        SAME(gt_scatter_update(y, gt_reshape(at, gt_shape(4, 1)), gt_zeros_like(gt_take(y, at))));
        SAME(gt_identity(y));
        SAME(gt_stop_gradient(y));
        gt_Tensor *parts[2], *wide_parts[2];
        gt_split(x, 2, parts, .axis = 2);
        gt_split(wide, 2, wide_parts, .axis = 2);
        same(parts[1], gt_cast(wide_parts[1], halves[half]), "split");
        gt_scope_end(scope);
    }
}

/* ---- products ---- */

/* Numbers that neither type holds exactly, so that sums are rounded. */
static gt_Tensor *random_numbers(gt_Shape shape)
{
    gt_Spec spec;
    cr_assert(gt_spec_set(&spec, GT_FLOAT32, shape));
    float *numbers = malloc((size_t)(spec.size + 1) * sizeof *numbers);
    for (int64_t i = 0; i < spec.size; i++)
        numbers[i] = (float)next_real();
    gt_Tensor *x = gt_from_data(numbers, shape, GT_FLOAT32);
    free(numbers);
    return x;
}

typedef gt_Tensor *Product(gt_Tensor *a, gt_Tensor *b, const void *options);

/* Each operand in each type with the other in the same or float32: results and gradients are those
 * of float32, bit for bit; other pairs are refused. */
static void check_product(Product *product, gt_Shape of_a, gt_Shape of_b, const void *options,
                          bool gradients, const char *name)
{
    char what[200], s[100], t[100];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *full[2] = {random_numbers(of_a), random_numbers(of_b)};
    for (int kind = 0; kind < 6; kind++) {
        gt_DType half = halves[kind % 2];
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *stored[2], *wide[2], *got[3], *right[3], *weights = NULL;
        for (int i = 0; i < 2; i++) {
            bool narrow = kind / 2 == 2 || kind / 2 == i;
            stored[i] = narrow ? gt_cast(full[i], half) : full[i];
            wide[i] = gt_cast(stored[i], GT_FLOAT32);
        }
        for (int run = 0; run < 2; run++) {
            gt_Tensor **in = run ? wide : stored, **out = run ? right : got;
            gt_Tape *tape = gt_tape_begin();
            gt_watch(tape, in[0]);
            gt_watch(tape, in[1]);
            out[0] = gt_keep(product(in[0], in[1], options));
            if (gradients && gt_size(out[0]) > 0) {
                if (!weights)
                    weights = gt_keep(random_numbers(gt_tensor_shape(out[0])));
                gt_Tensor *loss = gt_sum(gt_multiply(out[0], weights));
                gt_gradients(tape, gt_tensors(loss), gt_tensors(in[0], in[1]), out + 1);
                gt_keep(out[1]);
                gt_keep(out[2]);
            }
            gt_tape_end(tape);
        }
        snprintf(what, sizeof what, "%s of %s %s and %s %s", name,
                 gt_dtype_name(gt_dtype(stored[0])), gt_shape_text(of_a, s, sizeof s),
                 gt_dtype_name(gt_dtype(stored[1])), gt_shape_text(of_b, t, sizeof t));
        same(got[0], right[0], what);
        for (int i = 0; i < 2 && weights; i++)
            same(got[i + 1], gt_cast(right[i + 1], gt_dtype(stored[i])), what);
        gt_scope_end(inner);
    }
    static const gt_DType wrong[][2] = {{GT_FLOAT16, GT_BFLOAT16},
                                        {GT_BFLOAT16, GT_FLOAT64},
                                        {GT_FLOAT64, GT_FLOAT16},
                                        {GT_INT32, GT_FLOAT16},
                                        {GT_BFLOAT16, GT_INT64}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gt_Tensor *a = gt_cast(full[0], wrong[i][0]), *b = gt_cast(full[1], wrong[i][1]);
        refused(!product(a, b, options), GT_INVALID, gt_dtype_name(wrong[i][0]), "");
    }
    gt_scope_end(scope);
}

static gt_Tensor *matmul(gt_Tensor *a, gt_Tensor *b, const void *options)
{
    return gt_matmul_at(NULL, a, b, options);
}

/* Each size is one path of kernels/gemm_template.h, and as small as that path allows, for valgrind is
 * slow at fused multiply-adds. One row or column, also of several blocks of k; A turned into tiles,
 * as it lies or transposed; C in several blocks of rows, of columns; edges of every kind. */
Test(half, matmul, .timeout = 1200)
{
    static const int64_t sizes[][3] = {{1, 1, 1},     {2, 3, 4},    {5, 1, 7},     {1, 33, 65},
                                       {1, 1000, 40}, {1, 9, 2100}, {65, 33, 1},   {340, 390, 1},
                                       {3, 700, 5},   {33, 17, 65}, {15, 390, 17}, {3, 130, 100},
                                       {2, 5, 770},   {7, 390, 33}, {30, 20, 9},   {172, 384, 3},
                                       {2, 3, 1100},  {0, 3, 4},    {3, 0, 4},     {3, 4, 0}};
    for (int threads = 1; threads <= 2; threads++) {
        gt_set_threads(threads);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int flags = 0; flags < 4; flags++) {
                int64_t m = sizes[i][0], k = sizes[i][1], n = sizes[i][2];
                gt_matmul_options options = GT_VALUES(gt_matmul_options, flags & 1, flags >> 1);
                check_product(matmul, options.transpose_a ? gt_shape(k, m) : gt_shape(m, k),
                              options.transpose_b ? gt_shape(n, k) : gt_shape(k, n), &options, true,
                              "matmul");
            }
        check_product(matmul, gt_shape(4, 20, 30), gt_shape(30, 9), NULL, true, "matmul");
        check_product(matmul, gt_shape(3, 4, 5, 70), gt_shape(4, 70, 6), NULL, true, "matmul");
        check_product(matmul, gt_shape(2, 1, 5, 70), gt_shape(4, 70, 6), NULL, true, "matmul");
        check_product(matmul, gt_shape(6, 70), gt_shape(3, 70, 6), NULL, true, "matmul");
        check_product(matmul, gt_shape(600), gt_shape(600, 50), NULL, true, "matmul");
        check_product(matmul, gt_shape(50, 600), gt_shape(600), NULL, true, "matmul");
        check_product(matmul, gt_shape(600), gt_shape(600), NULL, true, "matmul");
    }
    gt_set_threads(1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Every instruction set, with rows further apart than they are long. */
Test(half, mixed_product)
{
    enum { SIDE = 450, PAD = 5 };
    static float a[(SIDE + PAD) * (SIDE + PAD)], b[(SIDE + PAD) * (SIDE + PAD)];
    static float right[SIDE * SIDE], c[SIDE * SIDE];
    static uint16_t ha[(SIDE + PAD) * (SIDE + PAD)], hb[(SIDE + PAD) * (SIDE + PAD)];
    static const int64_t sizes[][3] = {{1, 40, 30},   {1, 400, 41},   {30, 40, 1}, {3, 5, 6},
                                       {40, 450, 20}, {20, 130, 450}, {450, 3, 17}};
    const int total = (SIDE + PAD) * (SIDE + PAD);
    const gt_KernelTable *list[3];
    int count = tables(list);
    for (int i = 0; i < total; i++) {
        a[i] = (float)next_real();
        b[i] = (float)next_real();
    }
    for (int t = 0; t < count; t++)
        for (int half = 0; half < 2; half++) {
            const gt_KernelTable *table = list[t];
            table->narrow[0][half](total, a, ha);
            table->narrow[0][half](total, b, hb);
            table->widen[half](1, total, ha, total, a, total);
            table->widen[half](1, total, hb, total, b, total);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                for (int flags = 0; flags < 4; flags++) {
                    bool ta = flags & 1, tb = flags >> 1;
                    int64_t m = sizes[i][0], k = sizes[i][1], n = sizes[i][2];
                    int64_t lda = (ta ? m : k) + PAD, ldb = (tb ? k : n) + PAD;
                    void *scratch =
                        aligned_alloc(64, table->gemm_scratch[0](m, n, k) / 64 * 64 + 64);
                    table->gemm[0](ta, tb, m, n, k, a, lda, b, ldb, right, n, scratch);
                    free(scratch);
                    for (int which = 1; which < 4; which++) {
                        /* exactly as much as it asked for, and not filled with zeros */
                        size_t bytes = table->gemm_wide_scratch(m, n, k);
                        scratch = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
                        memset(scratch, 0xff, bytes + 1);
                        bool wa = which & 1, wb = which >> 1;
                        table->gemm_wide(ta, tb, m, n, k, wa ? (void *)ha : a, lda, wa ? half : -1,
                                         wb ? (void *)hb : b, ldb, wb ? half : -1, c, n, scratch);
                        CHECK(memcmp(c, right, (size_t)(m * n) * sizeof *c) == 0,
                              "%s: %d x %d x %d of %s, flags %d, halves %d", table->isa, (int)m,
                              (int)k, (int)n, names[half], flags, which);
                        CHECK(((unsigned char *)scratch)[bytes] == 0xff, "beyond the scratch");
                        free(scratch);
                    }
                }
        }
}

static gt_Tensor *conv(gt_Tensor *x, gt_Tensor *kernel, const void *options)
{
    return gt_conv_at(NULL, x, kernel, options);
}
static gt_Tensor *depthwise(gt_Tensor *x, gt_Tensor *kernel, const void *options)
{
    return gt_depthwise_conv_at(NULL, x, kernel, options);
}
static gt_Tensor *transposed(gt_Tensor *x, gt_Tensor *kernel, const void *options)
{
    return gt_conv_transpose_at(NULL, x, kernel, options);
}
static gt_Tensor *einsum(gt_Tensor *a, gt_Tensor *b, const void *text)
{
    return gt_einsum(text, gt_tensors(a, b));
}
static gt_Tensor *tensordot(gt_Tensor *a, gt_Tensor *b, const void *options)
{
    (void)options;
    return gt_tensordot(a, b, .count = 1);
}
static gt_Tensor *dot(gt_Tensor *a, gt_Tensor *b, const void *options)
{
    (void)options;
    return gt_dot(a, b);
}

#define CONV(...)                                                                                  \
    &(const gt_conv_options)                                                                       \
    {                                                                                              \
        GT_PRESETS(gt_conv_options, gt_conv_OPTIONS) __VA_ARGS__                                   \
    }
Test(half, convolutions, .timeout = 1200)
{
    for (int threads = 1; threads <= 2; threads++) {
        gt_set_threads(threads);
        check_product(conv, gt_shape(2, 30, 5), gt_shape(3, 5, 7), NULL, true, "conv");
        check_product(conv, gt_shape(2, 30, 5), gt_shape(4, 5, 7),
                      CONV(.padding = GT_PADDING_CAUSAL, .dilation = gt_shape(2)), true, "conv");
        check_product(conv, gt_shape(2, 14, 13, 3), gt_shape(3, 3, 3, 20),
                      CONV(.padding = GT_PADDING_SAME), true, "conv");
        check_product(conv, gt_shape(3, 14, 13, 8), gt_shape(3, 2, 8, 33),
                      CONV(.strides = gt_shape(2)), true, "conv");
        check_product(conv, gt_shape(2, 9, 8, 16), gt_shape(1, 1, 16, 24), NULL, true, "conv");
        check_product(conv, gt_shape(2, 9, 8, 6), gt_shape(3, 3, 2, 9),
                      CONV(.groups = 3, .padding = GT_PADDING_SAME), true, "conv");
        check_product(conv, gt_shape(2, 9, 8, 6), gt_shape(1, 1, 2, 9), CONV(.groups = 3), true,
                      "conv");
        check_product(conv, gt_shape(1, 5, 6, 7, 3), gt_shape(2, 3, 2, 3, 4),
                      CONV(.padding = GT_PADDING_SAME), true, "conv");
        check_product(depthwise, gt_shape(2, 14, 13, 150), gt_shape(3, 3, 150, 1), NULL, true,
                      "depthwise_conv");
        /* channels are repeated, and their gradients rounded, before those are added */
        check_product(depthwise, gt_shape(2, 14, 13, 5), gt_shape(3, 3, 5, 2), NULL, false,
                      "depthwise_conv");
        check_product(transposed, gt_shape(2, 7, 6, 5), gt_shape(3, 3, 4, 5), NULL, true,
                      "conv_transpose");
        check_product(transposed, gt_shape(2, 17, 5), gt_shape(3, 4, 5), NULL, true,
                      "conv_transpose");
    }
    gt_set_threads(1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What is made of matrix products. */
Test(half, contractions)
{
    check_product(einsum, gt_shape(4, 5, 6), gt_shape(6, 3), "abc,cd->abd", true, "einsum");
    check_product(einsum, gt_shape(4, 5, 6), gt_shape(4, 7, 6), "bqd,bkd->bqk", true, "einsum");
    check_product(einsum, gt_shape(5, 6), gt_shape(6, 7), "ij,jk->ki", true, "einsum");
    check_product(tensordot, gt_shape(4, 5, 6), gt_shape(6, 3, 2), NULL, true, "tensordot");
    check_product(dot, gt_shape(4, 6), gt_shape(6, 3), NULL, true, "dot");
    check_product(dot, gt_shape(6), gt_shape(6), NULL, true, "dot");
}

/* ---- attention, layers, files ---- */

Test(half, attention)
{
    for (int half = 0; half < 2; half++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x[3], *wide[3];
        for (int i = 0; i < 3; i++) {
            x[i] = gt_cast(random_numbers(gt_shape(2, 7, 3, 8)), halves[half]);
            wide[i] = gt_cast(x[i], GT_FLOAT32);
        }
        same(gt_dot_product_attention(x[0], x[1], x[2]),
             gt_dot_product_attention(wide[0], wide[1], wide[2]), "attention");
        same(gt_dot_product_attention(wide[0], x[1], x[2]),
             gt_dot_product_attention(wide[0], wide[1], wide[2]), "attention");
        gt_scope_end(scope);
    }
}

static const char *in_folder(const char *name)
{
    static char folder[64], path[128];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/gradtape-half-XXXXXX");
        cr_assert(mkdtemp(folder));
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static gt_Layer *two_layers(gt_DType dtype)
{
    return gt_Sequential(
        gt_Dense(5, .activation = gt_relu, .dtype = dtype, .bias_initializer = gt_RandomNormal()),
        gt_Dense(3, .dtype = dtype, .bias_initializer = gt_RandomNormal()));
}

static gt_Status predict(void *model, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call(model, inputs[0]);
    return gt_status();
}

Test(half, models_and_files)
{
    for (int half = 0; half < 2; half++) {
        gt_DType type = halves[half];
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = random_numbers(gt_shape(4, 7));
        gt_Layer *model = two_layers(type), *wide = two_layers(GT_FLOAT32),
                 *again = two_layers(type);
        cr_assert(gt_build(again, gt_shape(4, 7), GT_FLOAT32) == GT_OK, "%s", gt_error_message());
        gt_call(wide, x);
        gt_Tensor *y = gt_call(model, x);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        cr_assert(gt_dtype(y) == GT_FLOAT32);
        gt_Tensors narrow = gt_variables(model), full = gt_variables(wide);
        for (int i = 0; i < narrow.count; i++) {
            cr_assert(gt_dtype(narrow.items[i]) == type);
            cr_assert(gt_assign(narrow.items[i], gt_cast(full.items[i], type)) == GT_OK);
            cr_assert(gt_assign(full.items[i], gt_cast(narrow.items[i], GT_FLOAT32)) == GT_OK);
        }
        y = gt_call(model, x);
        same(y, gt_call(wide, x), "model");
        same(gt_call(model, gt_cast(x, type)), gt_call(wide, gt_cast(gt_cast(x, type), GT_FLOAT32)),
             "model of 16 bits");
        gt_Function *function = gt_function(predict, model);
        gt_Tensor *planned[1];
        for (int run = 0; run < 2; run++) {
            cr_assert(gt_function_call(function, gt_tensors(x), planned) == GT_OK, "%s",
                      gt_error_message());
            same(planned[0], y, "plan");
        }
        gt_function_free(function);

        const char *path = in_folder("model.safetensors");
        cr_assert(gt_save_weights(model, path) == GT_OK, "%s", gt_error_message());
        cr_assert(gt_load_weights(again, path) == GT_OK, "%s", gt_error_message());
        same(gt_call(again, x), y, "loaded");
        refused(gt_load_weights(wide, path) != GT_OK, GT_INVALID, names[half], "float32");
        gt_TensorFile *file = gt_open_tensors(path);
        gt_Tensor *kernel = gt_tensor_file_load_named(file, "dense/kernel");
        same(kernel, gt_identity(narrow.items[0]), "file");
        gt_tensor_file_free(file);
        /* as the format has it: two bytes a number, the low one first */
        gt_Tensor *numbers = gt_cast(gt_array(gt_shape(3), 1, -2, 0.15625), type);
        path = in_folder("three.safetensors");
        cr_assert(gt_save_tensors(path, gt_named_tensors({"a", numbers})) == GT_OK);
        char content[256];
        FILE *stream = fopen(path, "rb");
        size_t size = fread(content, 1, sizeof content, stream);
        fclose(stream);
        static const unsigned char right[][6] = {{0x00, 0x3c, 0x00, 0xc0, 0x00, 0x31},
                                                 {0x80, 0x3f, 0x00, 0xc0, 0x20, 0x3e}};
        cr_assert(memcmp(content + size - 6, right[half], 6) == 0);
        content[size - 6] = 0; /* the header, behind its length, is text */
        cr_assert(strstr(content + 8, half ? "\"BF16\"" : "\"F16\""), "%s", content + 8);
        refused(gt_save_csv(in_folder("table.csv"), gt_reshape(numbers, gt_shape(3, 1))) != GT_OK,
                GT_UNSUPPORTED, "save_csv", names[half]);

        /* trained they are not */
        gt_Optimizer *adam = gt_Adam(0.1);
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *loss = gt_mean(gt_square(gt_call(model, x)));
        refused(gt_minimize(adam, tape, loss, gt_trainable_variables(model)) != GT_OK, GT_INVALID,
                names[half], "float32");
        gt_tape_end(tape);
        refused(gt_optimizer_build(adam, gt_trainable_variables(model)) != GT_OK, GT_INVALID,
                names[half], "kernel");
        same(gt_call(model, x), y, "unchanged");
        gt_optimizer_free(adam);
        remove(in_folder("three.safetensors"));
        remove(in_folder("model.safetensors"));
        gt_layer_free(model);
        gt_layer_free(wide);
        gt_layer_free(again);
        gt_scope_end(scope);
    }
    rmdir(in_folder(""));
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A layer that meets numbers of 16 bits first has weights that can be trained; every initializer
 * fills weights of 16 bits with what it gives float32. */
Test(half, layers)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_Dense(3);
    gt_Tensor *y = gt_call(layer, gt_full(gt_shape(2, 4), 1, .dtype = GT_BFLOAT16));
    cr_assert(gt_dtype(y) == GT_FLOAT32, "%s", gt_error_message());
    cr_assert(gt_dtype(gt_variables(layer).items[0]) == GT_FLOAT32);
    gt_layer_free(layer);
    const gt_Initializer starts[] = {
        gt_Zeros(),         gt_Ones(),         gt_Constant(0.1),
        gt_RandomUniform(), gt_RandomNormal(), gt_TruncatedNormal(),
        gt_HeNormal(),      gt_Orthogonal(),   gt_IdentityInitializer(2)};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        float wide[12];
        uint16_t narrow[12], right[12];
        gt_Spec spec;
        gt_spec_set(&spec, GT_FLOAT32, gt_shape(4, 3));
        cr_assert(gt_initialize(starts[i], "a/b", &spec, wide) == GT_OK, "%s", gt_error_message());
        for (int half = 0; half < 2; half++) {
            spec.dtype = halves[half];
            cr_assert(gt_initialize(starts[i], "a/b", &spec, narrow) == GT_OK, "%s",
                      gt_error_message());
            for (int k = 0; k < 12; k++)
                right[k] = (uint16_t)nearest(half, (double)wide[k]);
            cr_assert(memcmp(narrow, right, sizeof right) == 0, "initializer %d", (int)i);
        }
    }
    gt_scope_end(scope);
}

/* Gradients that meet are added in float32 and rounded once more. */
Test(half, gradients_that_meet)
{
    for (int half = 0; half < 2; half++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *x = gt_full(gt_shape(3, 3), 0.5, .dtype = halves[half]);
        gt_Tensor *w = random_numbers(gt_shape(3, 3)), *g;
        gt_watch(tape, x);
        gt_Tensor *loss = gt_sum(gt_matmul(x, gt_matmul(x, gt_matmul(w, x))));
        gt_gradients(tape, gt_tensors(loss), gt_tensors(x), &g);
        cr_assert(gt_status() == GT_OK && gt_dtype(g) == halves[half], "%s", gt_error_message());
        gt_tape_end(tape);
        tape = gt_tape_begin(.persistent = true);
        gt_Tensor *table = gt_full(gt_shape(4, 2), 1, .dtype = halves[half]);
        gt_watch(tape, table);
        gt_Tensor *rows = gt_take(table, gt_cast(gt_array(gt_shape(3), 1, 1, 3), GT_INT32));
        loss = gt_add(gt_sum(gt_cast(rows, GT_FLOAT32)), gt_sum(gt_cast(table, GT_FLOAT32)));
        g = gt_gradient(tape, loss, table);
        cr_assert(gt_status() == GT_OK && gt_dtype(g) == halves[half], "%s", gt_error_message());
        const double right[] = {1, 3, 1, 2};
        for (int i = 0; i < 8; i++)
            cr_assert(gt_element(g, i) == right[i / 2]);
        gt_tape_end(tape);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
