/* The inner loops, in every instruction set of this build that the processor has: each against a
 * naive loop or the C library, at all lengths, offsets and strides, and each bit for bit against
 * the base build, but for the functions that use fused products. gemm has its own tests. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "reference.h"

/* An assertion of Criterion costs microseconds; only a failing one is worth that. */
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert(false, __VA_ARGS__);                                                         \
    } while (0)

enum { MOST = 4096 };

static const size_t sizes[GT_LOOP_TYPES] = {4, 8, 4, 8, 1, 1};
static const char *const type_names[GT_LOOP_TYPES] = {"f32", "f64", "i32", "i64", "u8", "bool"};

#define FOR_TABLES(table)                                                                          \
    const gt_KernelTable *all_tables[3];                                                           \
    const int table_count = tables(all_tables);                                                    \
    for (int t = 0; t < table_count; t++)                                                          \
        for (const gt_KernelTable *table = all_tables[t]; table; table = NULL)

/* Numbers of any type: reals within +-4 with every kind of special one among them; integers of all
 * sizes, the ends of the range included. */
static void fill(int type, int64_t n, void *to)
{
    static const double special[] = {0.0, -0.0,      INFINITY, -INFINITY, NAN,  1.0, -1.0,
                                     0.5, 0x1p-1040, 2.0,      2.5,       -0.5, 1e30};
    for (int64_t i = 0; i < n; i++) {
        bool pick = next_bits() % 16 == 0;
        double x = pick ? special[next_bits() % 13] : 4.0 * next_real();
        uint64_t bits = next_bits() >> (next_bits() % 64);
        if (pick)
            bits = UINT64_C(0x8000000080000000) - next_bits() % 3;
        switch (type) {
        case GT_LOOP_F32:
            ((float *)to)[i] = (float)x;
            break;
        case GT_LOOP_F64:
            ((double *)to)[i] = x;
            break;
        case GT_LOOP_I32:
            ((uint32_t *)to)[i] = (uint32_t)bits;
            break;
        case GT_LOOP_I64:
            ((uint64_t *)to)[i] = bits;
            break;
        case GT_LOOP_U8:
            ((uint8_t *)to)[i] = (uint8_t)bits;
            break;
        default:
            ((uint8_t *)to)[i] = bits & 1;
        }
    }
}

/* The same bits; of a NaN only that it is one, for its bits differ with the order of operands. */
static bool same(int type, int64_t n, const void *a, const void *b)
{
    for (int64_t i = 0; i < n; i++) {
        const char *x = (const char *)a + (size_t)i * sizes[type];
        const char *y = (const char *)b + (size_t)i * sizes[type];
        if (memcmp(x, y, sizes[type]) == 0)
            continue;
        float f[2];
        double d[2];
        if (type == GT_LOOP_F32) {
            memcpy(f, x, 4);
            memcpy(f + 1, y, 4);
            if (f[0] != f[0] && f[1] != f[1])
                continue;
        } else if (type == GT_LOOP_F64) {
            memcpy(d, x, 8);
            memcpy(d + 1, y, 8);
            if (d[0] != d[0] && d[1] != d[1])
                continue;
        }
        return false;
    }
    return true;
}

/* Every entry is there for the types that the contract names, and for no other. */
Test(kernels, table_is_complete)
{
    FOR_TABLES(table)
    {
        cr_assert_not_null(table->isa, "a table without a name");
#define EXPECT_F(type) ((type) < GT_LOOP_I32)
#define EXPECT_R(type) EXPECT_F(type)
#define EXPECT_D(type) EXPECT_F(type)
#define EXPECT_N(type) ((type) < GT_LOOP_BOOL)
#define EXPECT_M(type) EXPECT_N(type)
#define EXPECT_Q(type) EXPECT_N(type)
#define EXPECT_S(type) EXPECT_N(type)
#define EXPECT_O(type) EXPECT_F(type)
#define EXPECT_A(type) true
#define EXPECT_C(type) true
#define EXPECT_B(type) ((type) == GT_LOOP_BOOL)
#define EXPECT_I(type) ((type) >= GT_LOOP_I32 && (type) < GT_LOOP_BOOL)
#define EXPECT_W(type) ((type) >= GT_LOOP_I32)
#define PRESENT(entry, NAME, name, types)                                                          \
    for (int type = 0; type < GT_LOOP_TYPES; type++)                                               \
        CHECK((table->entry[GT_LOOP_##NAME][type] != NULL) == EXPECT_##types(type),                \
              "%s: %s of %s is %s", table->isa, #name, type_names[type],                           \
              table->entry[GT_LOOP_##NAME][type] ? "there" : "missing");
#define UNARY(NAME, name, types)   PRESENT(unary, NAME, name, types)
#define BINARY(NAME, name, types)  PRESENT(binary, NAME, name, types)
#define COMPARE(NAME, name, types) PRESENT(compare, NAME, name, types)
#define REDUCE(NAME, name, types)                                                                  \
    PRESENT(reduce, NAME, name, types) PRESENT(reduce_columns, NAME, name, types)
        GT_UNARY_LOOPS(UNARY)
        GT_BINARY_LOOPS(BINARY)
        GT_COMPARE_LOOPS(COMPARE)
        GT_REDUCE_LOOPS(REDUCE)
        for (int from = 0; from < GT_LOOP_TYPES; from++) {
            for (int to = 0; to < GT_LOOP_TYPES; to++)
                CHECK(table->cast[from][to], "%s: cast %s to %s", table->isa, type_names[from],
                      type_names[to]);
        }
        for (int type = 0; type < 2; type++)
            CHECK(table->softmax[type] && table->log_softmax[type] && table->logsumexp[type] &&
                      table->gemm[type] && table->gemm_scratch[type] &&
                      table->random_uniform[type] && table->random_normal[type] &&
                      table->gemm_m[type] > 0 && table->gemm_n[type] > 0,
                  "%s: a loop of %s is missing", table->isa, type_names[type]);
        for (int size = 0; size < 4; size++)
            CHECK(table->select[size] && table->transpose[size], "%s: select or transpose %d",
                  table->isa, size);
        for (int half = 0; half < GT_HALF_TYPES; half++)
            CHECK(table->widen[half] && table->narrow[0][half] && table->narrow[1][half],
                  "%s: widen or narrow %d", table->isa, half);
        CHECK(table->random_bits && table->gemm_wide && table->gemm_wide_scratch,
              "%s: bits or the mixed product is missing", table->isa);
    }
}

/* A sample of all float32 numbers, and float64 numbers of all sizes, mostly of the middle ones and
 * near multiples of pi / 2. */
Test(kernels, functions_are_accurate)
{
    static float x[MOST], y[MOST];
    static double xd[MOST], yd[MOST];
    FOR_TABLES(table)
    {
        for (int f = 0; f < FUNCTIONS; f++) {
            const uint64_t step = 20011;
            for (uint64_t bits = (uint64_t)f * 701; bits <= UINT32_MAX;) {
                int64_t n = 0;
                for (; n < MOST && bits <= UINT32_MAX; n++, bits += step) {
                    uint32_t word = (uint32_t)bits;
                    memcpy(x + n, &word, 4);
                }
                table->unary[functions[f].id][GT_LOOP_F32](n, x, y);
                for (int64_t i = 0; i < n; i++) {
                    double right = functions[f].right(x[i]);
                    CHECK(ulps_f32(y[i], right) <= functions[f].f32,
                          "%s: %s of the float %a is %a, not %a (%.3f ulp)", table->isa,
                          functions[f].name, x[i], y[i], right, ulps_f32(y[i], right));
                }
            }
            for (int round = 0; round < 24; round++) {
                for (int i = 0; i < MOST; i++) {
                    uint64_t word = next_bits();
                    if (round % 4 == 0)
                        memcpy(xd + i, &word, 8);
                    else if (round % 4 == 1)
                        xd[i] = next_real() * (round > 12 ? 750 : 3);
                    else if (round % 4 == 2)
                        xd[i] = ldexp(next_real(), (int)(word % 70) - 60);
                    else
                        xd[i] = (double)((long double)(word % 600000) * 1.57079632679489661923L);
                }
                table->unary[functions[f].id][GT_LOOP_F64](MOST, xd, yd);
                for (int i = 0; i < MOST; i++) {
                    long double right = functions[f].right_long(xd[i]);
                    CHECK(ulps_f64(yd[i], right) <= functions[f].f64,
                          "%s: %s of the double %a is %a, not %La (%.3f ulp)", table->isa,
                          functions[f].name, xd[i], yd[i], right, ulps_f64(yd[i], right));
                }
            }
        }
    }
}

/* The ends of every range: zeros, infinities, NaN, subnormals, ones, halves, the largest. */
Test(kernels, special_values)
{
    const double values[] = {
        0.0,     -0.0,  INFINITY, -INFINITY, NAN,      1,         -1,
        0.5,     -0.5,  1.5,      -1.5,      2.5,      0x1p-149,  -0x1p-149,
        2,       -2,    3,        -3,        0x1p-127, -0x1p-127, 0x1.fffffep127,
        1e30,    -1e30, 100,      -100,      88.7,     89,        -103.9,
        -104,    1e7,   -1e7,     16777215,  16777217, -16777217, 0x1p-30,
        -0x1p-30};
    enum { COUNT = sizeof values / sizeof values[0] };
    float x[COUNT], y[COUNT];
    double yd[COUNT];
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)values[i];
    FOR_TABLES(table)
    {
        for (int f = 0; f < FUNCTIONS; f++) {
            table->unary[functions[f].id][GT_LOOP_F32](COUNT, x, y);
            table->unary[functions[f].id][GT_LOOP_F64](COUNT, values, yd);
            for (int i = 0; i < COUNT; i++) {
                double right = functions[f].right(x[i]);
                long double right_long = functions[f].right_long(values[i]);
                CHECK(ulps_f32(y[i], right) <= 2, "%s: %s of the float %a is %a, not %a",
                      table->isa, functions[f].name, x[i], y[i], right);
                CHECK(ulps_f64(yd[i], right_long) <= 2, "%s: %s of the double %a is %a, not %La",
                      table->isa, functions[f].name, values[i], yd[i], right_long);
            }
        }
        /* Every pair: C's own list of special cases. */
        for (int i = 0; i < COUNT; i++) {
            float other[COUNT];
            for (int j = 0; j < COUNT; j++)
                other[j] = x[i];
            table->binary[GT_LOOP_POWER][GT_LOOP_F32](COUNT, x, 1, other, 1, y);
            for (int j = 0; j < COUNT; j++)
                CHECK(ulps_f32(y[j], pow(x[j], x[i])) <= 0.51, "%s: power(%a, %a) is %a, not %a",
                      table->isa, x[j], x[i], y[j], pow(x[j], x[i]));
            table->binary[GT_LOOP_ARCTAN2][GT_LOOP_F32](COUNT, x, 1, x + i, 0, y);
            for (int j = 0; j < COUNT; j++)
                CHECK(ulps_f32(y[j], atan2(x[j], x[i])) <= 0.51,
                      "%s: arctan2(%a, %a) is %a, not %a", table->isa, x[j], x[i], y[j],
                      atan2(x[j], x[i]));
        }
        static const struct {
            gt_BinaryLoopId id;
            long double (*right)(long double, long double);
            double bound;
        } pairs[] = {
            {GT_LOOP_POWER, powl, 1}, {GT_LOOP_ARCTAN2, atan2l, 1.5}, {GT_LOOP_HYPOT, hypotl, 1.3}};
        for (int i = 0; i < 3 * COUNT; i++) {
            const double other = values[i / 3];
            table->binary[pairs[i % 3].id][GT_LOOP_F64](COUNT, values, 1, &other, 0, yd);
            for (int j = 0; j < COUNT; j++)
                CHECK(ulps_f64(yd[j], pairs[i % 3].right(values[j], other)) <= pairs[i % 3].bound,
                      "%s: binary %d of the doubles %a, %a is %a", table->isa, (int)pairs[i % 3].id,
                      values[j], other, yd[j]);
        }
        const double nan = NAN, three = 3,
                     results[][4] = {
                         {GT_LOOP_RELU, -0.0, 0, 0}, {GT_LOOP_RELU, -3, 0, 0},
                         {GT_LOOP_RELU, 3, 3, 0},    {GT_LOOP_SIGN, -3, -1, 0},
                         {GT_LOOP_SIGN, 0, 0, 0},    {GT_LOOP_ABS, -0.0, 0, 0},
                     };
        double result;
        for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
            table->unary[(int)results[i][0]][GT_LOOP_F64](1, &results[i][1], &result);
            CHECK(result == results[i][2] && !signbit(result) == !signbit(results[i][2]),
                  "%s: unary %d of %g is %g", table->isa, (int)results[i][0], results[i][1],
                  result);
        }
        const int keep_nan[] = {GT_LOOP_RELU, GT_LOOP_SIGN, GT_LOOP_ABS, GT_LOOP_SQUARE};
        for (size_t i = 0; i < sizeof keep_nan / sizeof keep_nan[0]; i++) {
            table->unary[keep_nan[i]][GT_LOOP_F64](1, &nan, &result);
            CHECK(result != result, "%s: unary %d loses a NaN", table->isa, keep_nan[i]);
        }
        for (int id = GT_LOOP_MAXIMUM; id <= GT_LOOP_MINIMUM; id++) {
            table->binary[id][GT_LOOP_F64](1, &nan, 1, &three, 1, &result);
            CHECK(result != result, "%s: binary %d loses a NaN on the left", table->isa, id);
            table->binary[id][GT_LOOP_F64](1, &three, 1, &nan, 1, &result);
            CHECK(result != result, "%s: binary %d loses a NaN on the right", table->isa, id);
        }
    }
}

/* One number of a binary loop, naively; reals in double, integers in 128 bits. */
static double naive_real(int id, double a, double b, bool single)
{
    double rest = fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0))
        rest += b;
    else if (rest == 0)
        rest = copysign(rest, b);
    switch (id) {
    case GT_LOOP_ADD:
        return a + b;
    case GT_LOOP_SUBTRACT:
        return a - b;
    case GT_LOOP_MULTIPLY:
        return a * b;
    case GT_LOOP_DIVIDE:
        return a / b;
    case GT_LOOP_MOD:
        return single ? (float)rest : rest;
    case GT_LOOP_POWER:
        return pow(a, b);
    case GT_LOOP_ARCTAN2:
        return atan2(a, b);
    case GT_LOOP_MAXIMUM:
        return a != a || b != b ? NAN : a > b ? a : b;
    case GT_LOOP_MINIMUM:
        return a != a || b != b ? NAN : a < b ? a : b;
    case GT_LOOP_RELU_GRADIENT:
        return b > 0 ? a : 0;
    case GT_LOOP_TANH_GRADIENT:
        return single ? (float)a * (1 - (float)b * (float)b) : a * (1 - b * b);
    case GT_LOOP_SIGMOID_GRADIENT:
        return single ? (float)a * (float)b * (1 - (float)b) : a * b * (1 - b);
    case GT_LOOP_DIVIDE_NO_NAN:
        return b == 0 ? 0 : a / b;
    case GT_LOOP_HYPOT:
        return hypot(a, b);
    default:
        return NAN;
    }
}

static int64_t naive_integer(int id, int64_t a, int64_t b, int64_t bits)
{
    bool shifts = b >= 0 && b < bits;
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    switch (id) {
    case GT_LOOP_ADD:
        return (int64_t)(ua + ub);
    case GT_LOOP_SUBTRACT:
        return (int64_t)(ua - ub);
    case GT_LOOP_MULTIPLY:
        return (int64_t)(ua * ub);
    case GT_LOOP_FLOOR_DIVIDE:
        if (b == 0 || b == -1)
            return b ? (int64_t)(0 - ua) : 0;
        return a / b - (a % b != 0 && (a < 0) != (b < 0));
    case GT_LOOP_MOD:
        if (b == 0 || b == -1)
            return 0;
        return (a % b != 0 && (a < 0) != (b < 0)) ? a % b + b : a % b;
    case GT_LOOP_MAXIMUM:
        return a > b ? a : b;
    case GT_LOOP_BITWISE_AND:
        return a & b;
    case GT_LOOP_BITWISE_OR:
        return a | b;
    case GT_LOOP_BITWISE_XOR:
        return a ^ b;
    case GT_LOOP_LEFT_SHIFT:
        return shifts ? (int64_t)(ua << ub) : 0;
    case GT_LOOP_RIGHT_SHIFT:
        return shifts ? a >> b : a < 0 ? -1 : 0;
    default:
        return a < b ? a : b;
    }
}

static double real_at(int type, const void *x, int64_t i)
{
    return type == GT_LOOP_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static int64_t integer_at(int type, const void *x, int64_t i)
{
    switch (type) {
    case GT_LOOP_I32:
        return ((const int32_t *)x)[i];
    case GT_LOOP_I64:
        return ((const int64_t *)x)[i];
    default:
        return ((const uint8_t *)x)[i];
    }
}

static bool naive_compare(int id, double a, double b)
{
    switch (id) {
    case GT_LOOP_EQUAL:
        return a == b;
    case GT_LOOP_NOT_EQUAL:
        return a != b;
    case GT_LOOP_LESS:
        return a < b;
    case GT_LOOP_LESS_EQUAL:
        return a <= b;
    case GT_LOOP_GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

/* Every binary, comparing and choosing loop: all types, all strides, lengths 0 to 67, arrays at odd
 * offsets, into a third array and in place. */
Test(kernels, binary_loops_against_naive_ones)
{
    static _Alignas(64) char a[800], b[800], y[800], in_place[800];
    FOR_TABLES(table)
    {
        for (int type = 0; type < GT_LOOP_TYPES; type++) {
            for (int64_t n = 0; n <= 67; n++) {
                const int64_t size = (int64_t)sizes[type];
                const char *pa = a + size * (n % 5), *pb = b + size * (n % 3);
                char *py = y + size * (n % 7);
                fill(type, 100, a);
                fill(type, 100, b);
                for (int strides = 0; strides < 4; strides++) {
                    const int64_t sa = strides & 1, sb = strides >> 1;
                    for (int id = 0; id < GT_BINARY_LOOP_COUNT; id++) {
                        if (!table->binary[id][type])
                            continue;
                        memset(y, 0x5a, sizeof y);
                        table->binary[id][type](n, pa, sa, pb, sb, py);
                        for (int64_t i = 0; i < n; i++) {
                            if (type < GT_LOOP_I32) {
                                double l = real_at(type, pa, i * sa), r = real_at(type, pb, i * sb);
                                double got = real_at(type, py, i);
                                double right = naive_real(id, l, r, type == GT_LOOP_F32);
                                if (id == GT_LOOP_FLOOR_DIVIDE)
                                    continue; /* below */
                                double wrong = type == GT_LOOP_F32 ? ulps_f32((float)got, right)
                                                                   : ulps_f64(got, right);
                                CHECK(wrong <= 1 || (got == 0 && right == 0),
                                      "%s: binary %d of %s (%a, %a) is %a, not %a", table->isa, id,
                                      type_names[type], l, r, got, right);
                            } else {
                                int64_t l = integer_at(type, pa, i * sa);
                                int64_t r = integer_at(type, pb, i * sb);
                                int64_t right = naive_integer(id, l, r, 8 * size);
                                right = type == GT_LOOP_I32  ? (int32_t)(uint32_t)right
                                        : type == GT_LOOP_U8 ? (uint8_t)right
                                                             : right;
                                CHECK(integer_at(type, py, i) == right,
                                      "%s: binary %d of %s (%lld, %lld) is %lld, not %lld",
                                      table->isa, id, type_names[type], (long long)l, (long long)r,
                                      (long long)integer_at(type, py, i), (long long)right);
                            }
                        }
                        CHECK(py[size * n] == 0x5a, "%s: binary %d of %s writes past its end",
                              table->isa, id, type_names[type]);
                        if (strides == 0)
                            continue; /* neither is an array */
                        memcpy(in_place, sa ? a : b, sizeof a);
                        char *place = in_place + (sa ? pa - a : pb - b);
                        table->binary[id][type](n, sa ? place : pa, sa, sa ? pb : place, sb, place);
                        CHECK(same(type, n, place, py), "%s: binary %d of %s in place", table->isa,
                              id, type_names[type]);
                    }
                    for (int id = 0; id < GT_COMPARE_LOOP_COUNT; id++) {
                        uint8_t truth[80];
                        table->compare[id][type](n, pa, sa, pb, sb, truth + n % 7);
                        for (int64_t i = 0; i < n; i++) {
                            double l, r;
                            if (type < GT_LOOP_I32) {
                                l = real_at(type, pa, i * sa);
                                r = real_at(type, pb, i * sb);
                            } else { /* the order alone matters, and 64 bits do not fit */
                                int64_t li = integer_at(type, pa, i * sa);
                                int64_t ri = integer_at(type, pb, i * sb);
                                l = (li > ri) - (li < ri);
                                r = 0;
                            }
                            CHECK(truth[n % 7 + i] == naive_compare(id, l, r),
                                  "%s: compare %d of %s at %d", table->isa, id, type_names[type],
                                  (int)i);
                        }
                    }
                }
                uint8_t c[80];
                for (int i = 0; i < 80; i++)
                    c[i] = next_bits() & 1;
                for (int strides = 0; strides < 8; strides++) {
                    const int64_t sc = strides & 1, sa = strides >> 1 & 1, sb = strides >> 2;
                    table->select[size == 1   ? 0
                                  : size == 4 ? 2
                                              : 3](n, c + n % 3, sc, pa, sa, pb, sb, py);
                    for (int64_t i = 0; i < n; i++)
                        CHECK(memcmp(py + i * size,
                                     c[n % 3 + i * sc] ? pa + i * sa * size : pb + i * sb * size,
                                     sizes[type]) == 0,
                              "%s: select of %s, strides %d", table->isa, type_names[type],
                              strides);
                }
            }
        }
    }
}

/* Quotient and remainder belong together, as in Python. */
Test(kernels, division_of_reals)
{
    const double cases[][4] = {{7, 2, 3, 1},    {-7, 2, -4, 1},   {7, -2, -4, -1},
                               {-7, -2, 3, -1}, {1, 0.1, 9, 0.1}, {-1, INFINITY, -1, INFINITY},
                               {6, 2, 3, 0},    {0, 5, 0, 0},     {5.5, 1.25, 4, 0.5}};
    FOR_TABLES(table)
    {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            double quotient, rest;
            table->binary[GT_LOOP_FLOOR_DIVIDE][GT_LOOP_F64](1, &cases[i][0], 1, &cases[i][1], 1,
                                                             &quotient);
            table->binary[GT_LOOP_MOD][GT_LOOP_F64](1, &cases[i][0], 1, &cases[i][1], 1, &rest);
            CHECK(quotient == cases[i][2] &&
                      (rest == cases[i][3] || fabs(rest - cases[i][3]) < 1e-15),
                  "%s: %g = %g * %g + %g", table->isa, cases[i][0], cases[i][1], quotient, rest);
        }
    }
}

/* Whether a function has the same bits with every instruction set: no polynomial is in it. */
static bool same_everywhere(int id)
{
    for (int f = 0; f < FUNCTIONS; f++)
        if ((int)functions[f].id == id)
            return functions[f].f32 < 0.501 || id == GT_LOOP_RSQRT;
    return true;
}

#if defined(GT_HAVE_V3) && defined(GT_HAVE_V4)
/* exp, tanh, sigmoid and gelu are written twice, for plain loops and for vectors of 512 bits: the same bits, of floats with every
 * exponent, and of doubles near and far from where bounds and powers of two end. */
Test(kernels, functions_for_wide_vectors_have_the_bits_of_plain_loops)
{
    enum { N = 4096 + 11 };
    static const gt_UnaryLoopId ids[] = {GT_LOOP_EXP, GT_LOOP_TANH, GT_LOOP_SIGMOID};
    static float x[N], plain[N], wide[N];
    static double xd[N], plain_d[N], wide_d[N];
    const gt_KernelTable *all[3];
    if (tables(all) < 3)
        return;
    for (uint32_t turn = 0; turn < 256; turn++) {
        for (int i = 0; i < N; i++) {
            const uint32_t bits =
                ((uint32_t)i << 20) ^ (turn << 12) ^ (uint32_t)(next_bits() % 65536);
            const double scale = turn % 3 == 0 ? 800 : turn % 3 == 1 ? 120 : 2;
            memcpy(&x[i], &bits, sizeof bits);
            xd[i] =
                i % 64 == 0 ? (double)x[i] : scale * ((double)(next_bits() >> 11) * 0x1p-52 - 1);
        }
        for (int f = 0; f < 3; f++) {
            gt_kernels_v3.unary[ids[f]][GT_LOOP_F32](N, x, plain);
            gt_kernels_v4.unary[ids[f]][GT_LOOP_F32](N, x, wide);
            gt_kernels_v3.unary[ids[f]][GT_LOOP_F64](N, xd, plain_d);
            gt_kernels_v4.unary[ids[f]][GT_LOOP_F64](N, xd, wide_d);
            CHECK(memcmp(plain, wide, sizeof wide) == 0, "floats, function %d, turn %u", f, turn);
            CHECK(memcmp(plain_d, wide_d, sizeof wide_d) == 0, "doubles, function %d, turn %u", f,
                  turn);
        }
        void *at[] = {x, plain}, *back[] = {x, x, plain};
        void *at_wide[] = {x, wide}, *back_wide[] = {x, x, wide};
        for (int exact = 0; exact < 2; exact++) {
            const gt_ActivationJob job = {.type = GT_LOOP_F32, .exact = exact, .size = N};
            gt_kernels_v3.tile[GT_TILES_gelu](&job, at, 0, 1, NULL);
            gt_kernels_v4.tile[GT_TILES_gelu](&job, at_wide, 0, 1, NULL);
            CHECK(memcmp(plain, wide, sizeof wide) == 0, "gelu %d, turn %u", exact, turn);
            gt_kernels_v3.tile[GT_TILES_gelu_gradient](&job, back, 0, 1, NULL);
            gt_kernels_v4.tile[GT_TILES_gelu_gradient](&job, back_wide, 0, 1, NULL);
            CHECK(memcmp(plain, wide, sizeof wide) == 0, "gelu's gradient %d, turn %u", exact,
                  turn);
        }
    }
}
#endif

static bool into_bool(int id)
{
    return id == GT_LOOP_ISNAN || id == GT_LOOP_ISINF || id == GT_LOOP_ISFINITE;
}

/* Every unary loop: integers against naive ones, all against itself cut into pieces, at other
 * offsets and in place, and against the base build. */
Test(kernels, unary_bits_depend_on_the_number_alone)
{
    static _Alignas(64) char x[8 * 1100], whole[8 * 1100], pieces[8 * 1100], base[8 * 1100],
        truth[80];
    FOR_TABLES(table)
    {
        for (int type = 0; type < GT_LOOP_TYPES; type++) {
            for (int id = 0; id < GT_UNARY_LOOP_COUNT; id++) {
                gt_UnaryLoop *loop = table->unary[id][type];
                const size_t size = sizes[type], out = into_bool(id) ? 1 : size;
                const int to = into_bool(id) ? GT_LOOP_BOOL : type;
                if (!loop)
                    continue;
                fill(type, 1100, x);
                loop(1000, x, whole);
                gt_kernels_base.unary[id][type](1000, x, base);
                CHECK(!same_everywhere(id) || same(to, 1000, whole, base),
                      "%s: unary %d of %s differs from base", table->isa, id, type_names[type]);
                for (size_t at = 0, cut = 0; at < 1000; at += cut) {
                    cut = next_bits() % 67;
                    cut = cut > 1000 - at ? 1000 - at : cut;
                    memcpy(pieces + 3 * size, x + at * size, cut * size);
                    char *y = into_bool(id) ? truth + 3 : pieces + 3 * size;
                    loop((int64_t)cut, pieces + 3 * size, y);
                    CHECK(same(to, (int64_t)cut, y, whole + at * out),
                          "%s: unary %d of %s in pieces", table->isa, id, type_names[type]);
                }
                for (int64_t i = 0; into_bool(id) && i < 1000; i++) {
                    double v = real_at(type, x, i);
                    int right = id == GT_LOOP_ISNAN   ? v != v
                                : id == GT_LOOP_ISINF ? v - v != v - v && v == v
                                                      : v - v == 0;
                    CHECK(whole[i] == right, "%s: unary %d of %s (%g)", table->isa, id,
                          type_names[type], v);
                }
                for (int64_t i = 0; type >= GT_LOOP_I32 && i < 1000; i++) {
                    int64_t v = integer_at(type, x, i);
                    uint64_t u = (uint64_t)v;
                    uint64_t right = id == GT_LOOP_NEGATIVE      ? 0 - u
                                     : id == GT_LOOP_ABS         ? (v < 0 ? 0 - u : u)
                                     : id == GT_LOOP_SIGN        ? (uint64_t)((v > 0) - (v < 0))
                                     : id == GT_LOOP_SQUARE      ? u * u
                                     : id == GT_LOOP_LOGICAL_NOT ? !u
                                                                 : (v > 0 ? u : 0);
                    right &= UINT64_MAX >> (64 - 8 * size);
                    uint64_t got = (uint64_t)integer_at(type, whole, i);
                    CHECK((got & (UINT64_MAX >> (64 - 8 * size))) == right,
                          "%s: unary %d of %s (%lld)", table->isa, id, type_names[type],
                          (long long)v);
                }
            }
        }
    }
}

Test(kernels, casts)
{
    static _Alignas(64) char x[800], y[800];
    const struct {
        double x;
        int32_t i32;
        int64_t i64;
        uint8_t u8, truth;
    } reals[] = {
        {NAN, 0, 0, 0, 1},
        {INFINITY, INT32_MAX, INT64_MAX, 255, 1},
        {-INFINITY, INT32_MIN, INT64_MIN, 0, 1},
        {2147483647.5, INT32_MAX, 2147483647, 255, 1},
        {-2147483648.5, INT32_MIN, -2147483648, 0, 1},
        {2147483648.0, INT32_MAX, 2147483648, 255, 1},
        {0x1p63, INT32_MAX, INT64_MAX, 255, 1},
        {-0x1p63, INT32_MIN, INT64_MIN, 0, 1},
        {-1.9, -1, -1, 0, 1},
        {1.9, 1, 1, 1, 1},
        {255.9, 255, 255, 255, 1},
        {256, 256, 256, 255, 1},
        {-0.0, 0, 0, 0, 0},
        {0x1p-1050, 0, 0, 0, 1},
    };
    FOR_TABLES(table)
    {
        for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
            int32_t i32;
            int64_t i64;
            uint8_t u8, truth;
            table->cast[GT_LOOP_F64][GT_LOOP_I32](1, &reals[i].x, &i32);
            table->cast[GT_LOOP_F64][GT_LOOP_I64](1, &reals[i].x, &i64);
            table->cast[GT_LOOP_F64][GT_LOOP_U8](1, &reals[i].x, &u8);
            table->cast[GT_LOOP_F64][GT_LOOP_BOOL](1, &reals[i].x, &truth);
            CHECK(i32 == reals[i].i32 && i64 == reals[i].i64 && u8 == reals[i].u8 &&
                      truth == reals[i].truth,
                  "%s: %g becomes %d, %lld, %d, %d", table->isa, reals[i].x, (int)i32,
                  (long long)i64, u8, truth);
            float x32 = (float)reals[i].x;
            table->cast[GT_LOOP_F32][GT_LOOP_I32](1, &x32, &i32);
            double back = x32 != x32       ? 0
                          : x32 >= 0x1p31f ? 0x1p31 - 1
                          : x32 < -0x1p31f ? -0x1p31
                                           : trunc(x32);
            CHECK(i32 == back, "%s: the float %g becomes %d", table->isa, x32, (int)i32);
        }
        for (int from = 0; from < GT_LOOP_TYPES; from++) {
            for (int to = 0; to < GT_LOOP_TYPES; to++) {
                for (int64_t n = 0; n <= 67; n += 3) {
                    fill(from, 100, x);
                    table->cast[from][to](n, x + sizes[from], y + sizes[to]);
                    for (int64_t i = 1; from >= GT_LOOP_I32 && i <= n; i++) {
                        int64_t v = integer_at(from, x, i);
                        bool right = to == GT_LOOP_F32   ? ((float *)(void *)y)[i] == (float)v
                                     : to == GT_LOOP_F64 ? ((double *)(void *)y)[i] == (double)v
                                     : to == GT_LOOP_I32
                                         ? integer_at(to, y, i) == (int32_t)(uint32_t)v
                                     : to == GT_LOOP_I64 ? integer_at(to, y, i) == v
                                     : to == GT_LOOP_U8  ? integer_at(to, y, i) == (uint8_t)v
                                                         : integer_at(to, y, i) == (v != 0);
                        CHECK(right, "%s: cast %s to %s of %lld", table->isa, type_names[from],
                              type_names[to], (long long)v);
                    }
                    for (int64_t i = 1; from < GT_LOOP_I32 && to < GT_LOOP_I32 && i <= n; i++) {
                        double v = real_at(from, x, i), got = real_at(to, y, i);
                        v = to == GT_LOOP_F32 ? (double)(float)v : v;
                        CHECK(got == v || (got != got && v != v), "%s: cast %s to %s of %a",
                              table->isa, type_names[from], type_names[to], v);
                    }
                }
            }
        }
    }
}

static double naive_reduce_real(int id, int64_t n, const double *x, int64_t stride)
{
    bool sums = id == GT_LOOP_SUM || id == GT_LOOP_SQUARES;
    long double y = sums ? 0 : id == GT_LOOP_PROD ? 1 : id == GT_LOOP_MAX ? -INFINITY : INFINITY;
    for (int64_t i = 0; i < n; i++) {
        long double v = x[i * stride];
        if (sums)
            y += id == GT_LOOP_SUM ? v : v * v;
        else if (id == GT_LOOP_PROD)
            y *= v;
        else if (v != v || (id == GT_LOOP_MAX ? v > y : v < y))
            y = v;
        if (y != y)
            break;
    }
    return (double)y;
}

/* Number j of what a reduction of floats leaves. */
static double reduced_at(int id, int type, const void *y, int64_t j)
{
    const gt_Scaled *scaled = y;
    if (id == GT_LOOP_PROD)
        return ldexp(scaled[j].size, (int)scaled[j].exponent);
    if (id == GT_LOOP_SUM || id == GT_LOOP_SQUARES || type == GT_LOOP_F64)
        return ((const double *)y)[j];
    return (double)((const float *)y)[j];
}

/* Rows and columns: right, exactly so for integers, NaN wins, nothing gives the identity, and a
 * column does not feel its neighbours. */
Test(kernels, reductions)
{
    enum { ROWS = 150, COLUMNS = 300 };
    static double xd[ROWS * COLUMNS];
    static gt_Scaled yd[COLUMNS], yf[COLUMNS], base[COLUMNS], alone; /* the widest they leave */
    static float xf[ROWS * COLUMNS];
    static int32_t xi[ROWS * COLUMNS], yi[COLUMNS];
    FOR_TABLES(table)
    {
        for (int id = 0; id < GT_REDUCE_LOOP_COUNT; id++) {
            for (int64_t n = 0; n < 300; n++) {
                uint32_t sum = 0, prod = 1;
                int32_t most = INT32_MIN, least = INT32_MAX, got;
                for (int64_t i = 0; i < n; i++) {
                    xd[i] = 1 + 0.1 * next_real();
                    xi[i] = (int32_t)(uint32_t)next_bits();
                    sum += (uint32_t)xi[i];
                    prod *= (uint32_t)xi[i];
                    most = xi[i] > most ? xi[i] : most;
                    least = xi[i] < least ? xi[i] : least;
                }
                if (id != GT_LOOP_SQUARES) {
                    table->reduce[id][GT_LOOP_I32](n, xi, &got);
                    CHECK(got == (id == GT_LOOP_SUM    ? (int32_t)sum
                                  : id == GT_LOOP_PROD ? (int32_t)prod
                                  : id == GT_LOOP_MAX  ? most
                                                       : least),
                          "%s: reduce %d of %d integers is %d", table->isa, id, (int)n, (int)got);
                }
                double right = naive_reduce_real(id, n, xd, 1), is;
                table->reduce[id][GT_LOOP_F64](n, xd, &alone);
                is = reduced_at(id, GT_LOOP_F64, &alone, 0);
                CHECK(is == right || fabs(is - right) <= 2e-14 * fabs(right),
                      "%s: reduce %d of %d is %.17g, not %.17g", table->isa, id, (int)n, is, right);
                if (n > 0) {
                    xd[next_bits() % (uint64_t)n] = NAN;
                    table->reduce[id][GT_LOOP_F64](n, xd, &alone);
                    CHECK(isnan(reduced_at(id, GT_LOOP_F64, &alone, 0)),
                          "%s: reduce %d of %d loses a NaN", table->isa, id, (int)n);
                }
            }
            for (int64_t rows = 0; rows <= ROWS; rows += rows < 70 ? 1 : 40) {
                for (int64_t columns = 1; columns <= COLUMNS; columns = columns * 3 + 1) {
                    for (int i = 0; i < ROWS * COLUMNS; i++) {
                        xd[i] = 1 + 0.1 * next_real();
                        xf[i] = (float)xd[i];
                        xi[i] = (int32_t)(next_bits() >> 40);
                    }
                    table->reduce_columns[id][GT_LOOP_F64](rows, columns, COLUMNS, xd, yd);
                    table->reduce_columns[id][GT_LOOP_F32](rows, columns, COLUMNS, xf, yf);
                    if (id != GT_LOOP_SQUARES)
                        table->reduce_columns[id][GT_LOOP_I32](rows, columns, COLUMNS, xi, yi);
                    gt_kernels_base.reduce_columns[id][GT_LOOP_F32](rows, columns, COLUMNS, xf,
                                                                    base);
                    for (int64_t j = 0; j < columns; j++) {
                        double right = naive_reduce_real(id, rows, xd + j, COLUMNS);
                        double is = reduced_at(id, GT_LOOP_F64, yd, j);
                        double narrow = reduced_at(id, GT_LOOP_F32, yf, j);
                        CHECK(is == right || fabs(is - right) <= 2e-14 * fabs(right),
                              "%s: reduce_columns %d, %d x %d: %.17g, not %.17g", table->isa, id,
                              (int)rows, (int)columns, is, right);
                        CHECK(narrow == reduced_at(id, GT_LOOP_F32, base, j),
                              "%s: reduce_columns %d differs from base", table->isa, id);
                        CHECK(narrow == right || fabs(narrow - right) <= 1e-5 * fabs(right),
                              "%s: reduce_columns %d of float32", table->isa, id);
                        table->reduce_columns[id][GT_LOOP_F64](rows, 1, COLUMNS, xd + j, &alone);
                        CHECK(reduced_at(id, GT_LOOP_F64, &alone, 0) == is,
                              "%s: reduce_columns %d feels the neighbours of column %d", table->isa,
                              id, (int)j);
                        int32_t sum = 0;
                        for (int64_t r = 0; r < rows; r++)
                            sum += xi[r * COLUMNS + j];
                        CHECK(id != GT_LOOP_SUM || yi[j] == sum, "%s: sum of integer columns",
                              table->isa);
                    }
                }
            }
        }
    }
}

/* The first that is equal, or the first NaN, or none; the zeros are equal. */
Test(kernels, find)
{
    enum { LONGEST = 100 };
    FOR_TABLES(table)
    {
        for (int type = 0; type < GT_LOOP_BOOL; type++) {
            for (int64_t n = 0; n < LONGEST; n++) {
                _Alignas(8) char x[LONGEST * 8] = {0};
                double nan = NAN, minus = -0.0;
                float nan32 = NAN, minus32 = -0.0f;
                uint64_t zero = 0,
                         one = UINT64_C(0x0101010101010101); /* of any width, from either end */
                const void *value = type == GT_LOOP_F32   ? (const void *)&minus32
                                    : type == GT_LOOP_F64 ? (const void *)&minus
                                                          : (const void *)&zero;
                const void *other = type == GT_LOOP_F32   ? (const void *)&nan32
                                    : type == GT_LOOP_F64 ? (const void *)&nan
                                                          : (const void *)&one;
                for (int64_t i = 0; i < n; i++)
                    memcpy(x + (size_t)i * sizes[type], other, sizes[type]);
                CHECK(table->find[type](n, x, other) == 0, "%s: find in %d %s", table->isa, (int)n,
                      type_names[type]);
                if (type >= GT_LOOP_I32)
                    CHECK(table->find[type](n, x, value) == n, "%s: find none in %d %s", table->isa,
                          (int)n, type_names[type]);
                memset(x, 0, sizeof x);
                CHECK(table->find[type](n, x, value) == 0, "%s: find 0 in %d %s", table->isa,
                      (int)n, type_names[type]);
                for (int64_t i = n - 1; i >= 0; i--) {
                    memcpy(x + (size_t)i * sizes[type], other, sizes[type]);
                    int64_t at = table->find[type](n, x, other);
                    CHECK(at == i, "%s: find %d of %d %s at %d", table->isa, (int)i, (int)n,
                          type_names[type], (int)at);
                }
            }
        }
    }
}

static long double log2_of(gt_Scaled y)
{
    return log2l(fabsl((long double)y.size)) + (long double)y.exponent;
}

/* A product that leaves the range of double on its way comes back; 0, infinity and NaN win. */
Test(kernels, far_products)
{
    enum { FAR = 20000, COLUMNS = 3 };
    double *x = malloc(FAR * COLUMNS * sizeof *x);
    float *xf = malloc(FAR * COLUMNS * sizeof *xf);
    gt_Scaled y, columns[COLUMNS];
    const double far[] = {1e300, 0x1p-1074, 1e-300, 3, 0x1p1000, 0x1p-1030, 0x1p30, 0x1p1000 / 3};
    FOR_TABLES(table)
    {
        for (int64_t n = 8; n <= FAR; n += n < 100 ? 8 : 4984) {
            long double right = 0, right_f = 0, bound; /* logarithms */
            int sign = 1;
            for (int64_t i = 0; i < n; i++) {
                double *at = x + i * COLUMNS;
                int exponent = i < n / 2 ? (i % 2 ? -20 : 127) : (i % 2 ? 40 : -149);
                at[0] = far[i * 8 / n] * (next_bits() % 2 ? 1 : -1);
                xf[i] = ldexpf(1.25f, exponent);
                right += log2l(fabsl((long double)at[0]));
                right_f += log2l((long double)xf[i]);
                sign *= at[0] < 0 ? -1 : 1;
            }
            bound = 1e-10L * (1 + (long double)n);
            table->reduce_columns[GT_LOOP_PROD][GT_LOOP_F64](n, 1, COLUMNS, x, columns);
            CHECK(fabsl(log2_of(columns[0]) - right) < bound && columns[0].size * sign > 0,
                  "%s: the product of %d far numbers in a column", table->isa, (int)n);
            for (int64_t i = 0; i < n; i++)
                x[i] = x[i * COLUMNS];
            table->reduce[GT_LOOP_PROD][GT_LOOP_F64](n, x, &y);
            CHECK(fabsl(log2_of(y) - right) < bound && y.size * sign > 0,
                  "%s: the product of %d far numbers", table->isa, (int)n);
            table->reduce[GT_LOOP_PROD][GT_LOOP_F32](n, xf, &y);
            CHECK(fabsl(log2_of(y) - right_f) < bound, "%s: the product of %d far floats: %Lg, %Lg",
                  table->isa, (int)n, log2_of(y), right_f);
            table->reduce_columns[GT_LOOP_PROD][GT_LOOP_F32](n, 1, 1, xf, &y);
            CHECK(fabsl(log2_of(y) - right_f) < bound, "%s: %d far floats in a column", table->isa,
                  (int)n);
            x[n / 2] = 0;
            table->reduce[GT_LOOP_PROD][GT_LOOP_F64](n, x, &y);
            CHECK(y.size == 0, "%s: a factor of 0 among %d", table->isa, (int)n);
            x[n / 2] = INFINITY;
            table->reduce[GT_LOOP_PROD][GT_LOOP_F64](n, x, &y);
            CHECK(isinf(y.size), "%s: an infinite factor among %d", table->isa, (int)n);
            x[0] = NAN;
            table->reduce[GT_LOOP_PROD][GT_LOOP_F64](n, x, &y);
            CHECK(isnan(y.size), "%s: a factor of NaN among %d", table->isa, (int)n);
        }
    }
    free(x);
    free(xf);
}

/* A long sum of floats is as good as its first few, and the same in every build. */
Test(kernels, long_sums)
{
    enum { LONG = 3000017 };
    float *x = malloc(LONG * sizeof *x);
    double sum, base, column;
    double right = 0;
    for (int i = 0; i < LONG; i++) {
        x[i] = (float)(0.5 + 0.5 * next_real());
        right += x[i];
    }
    gt_kernels_base.reduce[GT_LOOP_SUM][GT_LOOP_F32](LONG, x, &base);
    FOR_TABLES(table)
    {
        table->reduce[GT_LOOP_SUM][GT_LOOP_F32](LONG, x, &sum);
        table->reduce_columns[GT_LOOP_SUM][GT_LOOP_F32](LONG, 1, 1, x, &column);
        CHECK(fabs(sum - right) < 1.2e-7 * right, "%s: %.9g, not %.9g", table->isa, sum, right);
        CHECK(fabs(column - right) < 1.2e-7 * right, "%s: %.9g, not %.9g", table->isa, column,
              right);
        CHECK(sum == base, "%s: not the sum of the base build", table->isa);
    }
    free(x);
}

Test(kernels, softmax_family)
{
    static double x[9000], y[9000], logs[9000], lse[9000];
    static float xf[9000], yf[9000], base[9000];
    const int64_t shapes[][2] = {{3, 0},  {0, 5},    {1, 1},    {7, 3},    {130, 10},
                                 {5, 67}, {4, 1000}, {1, 9000}, {2, 4096}, {2, 4097}};
    FOR_TABLES(table)
    {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            const int64_t rows = shapes[s][0], columns = shapes[s][1];
            for (int64_t i = 0; i < rows * columns; i++)
                xf[i] = (float)(x[i] = 20 * next_real());
            table->softmax[1](rows, columns, x, y);
            table->log_softmax[1](rows, columns, x, logs);
            table->logsumexp[1](rows, columns, x, lse);
            for (int64_t r = 0; r < rows; r++) {
                long double sum = 0;
                for (int64_t j = 0; j < columns; j++)
                    sum += expl(x[r * columns + j]);
                double right = (double)logl(sum);
                CHECK(lse[r] == right || fabs(lse[r] - right) < 1e-14 * (1 + fabs(right)),
                      "%s: logsumexp %.17g, not %.17g", table->isa, lse[r], right);
                for (int64_t j = 0; j < columns; j++) {
                    long double p = expl(x[r * columns + j]) / sum;
                    CHECK(fabsl(y[r * columns + j] - p) < 1e-14L * p, "%s: softmax", table->isa);
                    CHECK(fabsl(logs[r * columns + j] - logl(p)) < 3e-14L, "%s: log_softmax",
                          table->isa);
                }
            }
            table->softmax[0](rows, columns, xf, yf);
            gt_kernels_base.softmax[0](rows, columns, xf, base);
            for (int64_t i = 0; i < rows * columns; i++)
                CHECK(fabsf(yf[i] - base[i]) <= 5e-7f * base[i], "%s: softmax %g, base %g",
                      table->isa, (double)yf[i], (double)base[i]);
            for (int64_t r = 0; r < rows; r++) { /* a row by itself, in place */
                memcpy(base, xf + r * columns, (size_t)columns * sizeof(float));
                table->softmax[0](1, columns, base, base);
                CHECK(same(GT_LOOP_F32, columns, yf + r * columns, base),
                      "%s: softmax feels other rows", table->isa);
            }
        }
        const float nothing[3] = {-INFINITY, -INFINITY, -INFINITY}, all[3] = {1, INFINITY, 2},
                    large[3] = {1000, 1000, -INFINITY};
        float out;
        table->logsumexp[0](1, 3, nothing, &out);
        CHECK(out == -INFINITY, "%s: logsumexp of -inf is %g", table->isa, out);
        table->logsumexp[0](1, 3, all, &out);
        CHECK(out == INFINITY, "%s: logsumexp with +inf is %g", table->isa, out);
        table->logsumexp[0](1, 3, large, &out);
        CHECK(fabsf(out - 1000.6931f) < 1e-3f, "%s: logsumexp of 1000s is %g", table->isa, out);
    }
}

/* Short rows side by side give what each gives by itself: also those of infinities and of NaN. */
Test(kernels, softmax_of_short_rows)
{
    enum { ALL = 131 * 32 };
    static double wide[ALL], got[ALL], one[ALL];
    static float narrow[ALL];
    static const int64_t rows[] = {8, 9, 15, 16, 17, 31, 32, 33, 40, 131};
    FOR_TABLES(table)
    {
        for (int64_t columns = 1; columns < 34; columns++)
            for (size_t s = 0; s < sizeof rows / sizeof *rows; s++)
                for (int kind = 0; kind < 6; kind++) {
                    const int64_t n = rows[s] * columns;
                    const int type = kind % 2;
                    const size_t bytes = type ? sizeof(double) : sizeof(float);
                    gt_RowsLoop *loop = kind < 2   ? table->softmax[type]
                                        : kind < 4 ? table->log_softmax[type]
                                                   : table->logsumexp[type];
                    if (n > ALL)
                        continue;
                    for (int64_t i = 0; i < n; i++) {
                        const double special[4] = {INFINITY, -INFINITY, NAN, -0.0};
                        wide[i] = next_bits() % 23 ? 20 * next_real() : special[next_bits() % 4];
                        narrow[i] = (float)wide[i];
                    }
                    const char *x = type ? (const char *)wide : (const char *)narrow;
                    const int64_t out = kind < 4 ? columns : 1;
                    loop(rows[s], columns, x, got);
                    for (int64_t r = 0; r < rows[s]; r++)
                        loop(1, columns, x + (size_t)(r * columns) * bytes,
                             (char *)one + (size_t)(r * out) * bytes);
                    CHECK(same(type, rows[s] * out, got, one), "%s: %d rows of %d, kind %d",
                          table->isa, (int)rows[s], (int)columns, kind);
                }
    }
}

/* Philox as its paper has it, one block. */
static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t a = UINT64_C(0xd2511f53) * c[0], b = UINT64_C(0xcd9e8d57) * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                            (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof next);
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

Test(kernels, philox_known_answers)
{
    const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t c[4];
        memcpy(c, known[i].counter, sizeof c);
        philox(c, known[i].key[0], known[i].key[1]);
        cr_assert_eq(memcmp(c, known[i].answer, sizeof c), 0, "the test's own Philox, vector %d",
                     i);
    }
    FOR_TABLES(table)
    {
        for (int trial = 0; trial < 50; trial++) {
            gt_PhiloxKey key = {next_bits(), next_bits()};
            int64_t first = (int64_t)(next_bits() >> 2);
            uint64_t bits[300];
            if (trial == 0) {
                key = (gt_PhiloxKey){0, 0};
                first = 0;
            }
            table->random_bits(key, first, 300, bits);
            for (int64_t i = 0; i < 300; i++) {
                uint64_t block = (uint64_t)(first + i) / 2;
                uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)key.counter,
                                 (uint32_t)(key.counter >> 32)};
                philox(c, (uint32_t)key.key, (uint32_t)(key.key >> 32));
                const uint32_t *w = c + 2 * ((first + i) & 1);
                CHECK(bits[i] == (w[0] | (uint64_t)w[1] << 32), "%s: word %d of trial %d",
                      table->isa, (int)i, trial);
            }
        }
    }
}

/* A number depends on its place alone, and the crowd has the right moments and shares. */
Test(kernels, random_numbers)
{
    enum { N = 1 << 18 };
    static double whole[N], piece[300], base[N];
    const gt_PhiloxKey key = {42, 7};
    FOR_TABLES(table)
    {
        for (int type = 0; type < 2; type++) {
            for (int normal = 0; normal < 2; normal++) {
                gt_RandomLoop *loop =
                    normal ? table->random_normal[type] : table->random_uniform[type];
                gt_RandomLoop *base_loop = normal ? gt_kernels_base.random_normal[type]
                                                  : gt_kernels_base.random_uniform[type];
                const size_t size = sizes[type];
                loop(key, 0, N, whole);
                base_loop(key, 0, N, base);
                CHECK(memcmp(whole, base, N * size) == 0, "%s: differs from base", table->isa);
                for (int trial = 0; trial < 200; trial++) {
                    int64_t first = (int64_t)(next_bits() % 5000), n = (int64_t)(next_bits() % 300);
                    loop(key, first, n, piece);
                    CHECK(memcmp(piece, (char *)whole + (size_t)first * size, (size_t)n * size) ==
                              0,
                          "%s: a range of random numbers depends on its cut", table->isa);
                }
                double moment[5] = {0}, share[16] = {0}, neighbours = 0, last = 0;
                for (int64_t i = 0; i < N; i++) {
                    double x = real_at(type, whole, i);
                    CHECK(normal ? fabs(x) < 9 : x >= 0 && x < 1, "%s: %g", table->isa, x);
                    double centred = normal ? x : (x - 0.5) * sqrt(12);
                    double u = normal ? 0.5 * erfc(-x / sqrt(2)) : x;
                    share[(int)(u * 16) & 15] += 16.0 / N;
                    neighbours += centred * last;
                    last = centred;
                    for (int m = 1; m < 5; m++)
                        moment[m] += pow(centred, m) / N;
                }
                CHECK(fabs(moment[1]) < 0.01 && fabs(moment[2] - 1) < 0.015 &&
                          fabs(moment[3]) < 0.03 && fabs(moment[4] - (normal ? 3 : 1.8)) < 0.1 &&
                          fabs(neighbours / N) < 0.01,
                      "%s: moments %g %g %g %g, neighbours %g", table->isa, moment[1], moment[2],
                      moment[3], moment[4], neighbours / N);
                for (int s = 0; s < 16; s++)
                    CHECK(fabs(share[s] - 1) < 0.04, "%s: share %d is %g", table->isa, s, share[s]);
            }
        }
    }
}

/* Adagrad by hand, and beside one whose gradients were multiplied by the two parts of a factor before. */
Test(kernels, adagrad_and_factors)
{
    enum { N = 67 };
    const double factors[] = {1, 0.37, 1e-35, NAN};
    FOR_TABLES(table)
    {
        for (int variant = 0; variant < 16; variant++) {
            const bool wide = variant & 1, decays = variant & 2;
            double factor = factors[variant / 4], rate = 0.1;
            float w[2][N + 1], a[2][N + 1], g[2][N + 1]; /* with the factor; multiplied before */
            double w64[2][N], a64[2][N], g64[2][N];
            int64_t calls = 5;
            const double first = isnan(factor) ? factor : fmax(factor, 1e-30),
                         second = factor / first;
            for (int i = 0; i < N; i++) {
                w64[0][i] = w64[1][i] = next_real();
                a64[0][i] = a64[1][i] = fabs(next_real());
                g64[0][i] = next_real() * (factor == 1e-35 ? 1e30 : 1);
                g64[1][i] = g64[0][i] * first * second;
                w[0][i + 1] = w[1][i + 1] = (float)w64[0][i];
                a[0][i + 1] = a[1][i + 1] = (float)a64[0][i];
                g[0][i + 1] = (float)g64[0][i];
                g[1][i + 1] = g[0][i + 1] * (float)first * (float)second;
            }
            gt_AdagradJob job = {.update = {.type = wide ? GT_LOOP_F64 : GT_LOOP_F32,
                                            .rate = GT_LOOP_F64,
                                            .slots = 1,
                                            .accumulation = 2,
                                            .size = N,
                                            .width = N},
                                 .epsilon = 1e-3,
                                 .weight_decay = decays ? 0.3 : 0};
            for (int k = 0; k < 2; k++) {
                job.update.scaled = k == 0 ? 1 + GT_LOOP_F64 : 0;
                void *at[] = {wide ? (void *)w64[k] : w[k] + 1,
                              wide ? (void *)a64[k] : a[k] + 1,
                              wide ? (void *)g64[k] : g[k] + 1,
                              &rate,
                              &calls,
                              NULL,
                              &factor};
                table->tile[GT_TILES_adagrad](&job, at, 0, 1, NULL);
            }
            for (int i = 0; i < N; i++)
                CHECK(isnan(factor)
                          ? isnan(wide ? w64[0][i] : (double)w[0][i + 1])
                          : (wide ? w64[0][i] == w64[1][i] && a64[0][i] == a64[1][i]
                                  : w[0][i + 1] == w[1][i + 1] && a[0][i + 1] == a[1][i + 1]),
                      "%s: a factor of %g: %a, not %a", table->isa, factor, w64[0][i], w64[1][i]);
            /* Adam, with an epsilon that makes the length of gradients count, and descent, from where Adagrad left w and a */
            gt_AdamJob adam = {.update = job.update, .beta_1 = 0.9, .beta_2 = 0.99, .epsilon = 3};
            gt_SgdJob sgd = {.update = job.update, .momentum = 0.9};
            float v[2][N + 1] = {{0}};
            double v64[2][N] = {{0}};
            adam.update.slots = 2;
            for (int k = 0; k < 2; k++) {
                adam.update.scaled = sgd.update.scaled = k == 0 ? 1 + GT_LOOP_F64 : 0;
                void *at[] = {wide ? (void *)w64[k] : w[k] + 1,
                              wide ? (void *)a64[k] : a[k] + 1,
                              wide ? (void *)v64[k] : v[k] + 1,
                              wide ? (void *)g64[k] : g[k] + 1,
                              &rate,
                              &calls,
                              NULL,
                              &factor};
                void *two[] = {at[0], at[1], at[3], &rate, &calls, NULL, &factor};
                table->tile[GT_TILES_adam](&adam, at, 0, 1, NULL);
                table->tile[GT_TILES_sgd](&sgd, two, 0, 1, NULL);
            }
            for (int i = 0; i < N && !isnan(factor); i++)
                CHECK(wide ? w64[0][i] == w64[1][i] && v64[0][i] == v64[1][i]
                           : w[0][i + 1] == w[1][i + 1] && v[0][i + 1] == v[1][i + 1],
                      "%s: Adam and SGD, a factor of %g", table->isa, factor);
            double x = 0.5, y = 0.25, z = -2;
            float xf = 0.5f, yf = 0.25f, zf = -2;
            const double right =
                (decays ? 0.5 - 0.5 * (0.1 * 0.3) : 0.5) + 2 * 0.1 / sqrt(4.25 + 1e-3);
            void *at[] = {wide ? (void *)&x : &xf, wide ? (void *)&y : &yf, wide ? (void *)&z : &zf,
                          &rate, &calls};
            job.update.size = job.update.width = 1;
            for (; calls > 3; calls--) { /* the second time no update is due */
                table->tile[GT_TILES_adagrad](&job, at, 0, 1, NULL);
                CHECK(wide ? x == right && y == 4.25 : fabs(xf - right) < 1e-6 && yf == 4.25f,
                      "%s: adagrad: %.17g, not %.17g", table->isa, wide ? x : (double)xf, right);
            }
        }
    }
}

Test(kernels, optimizers)
{
    enum { N = 67 };
    double w[N], m[N], v[N], hat[N], g[N];
    float wf[N + 1], mf[N + 1], vf[N + 1], hatf[N + 1], gf[N + 1];
    FOR_TABLES(table)
    {
        for (int variant = 0; variant < 8; variant++) {
            const bool amsgrad = variant & 1, decays = variant & 2, nesterov = variant & 4;
            gt_UpdateJob job = {.rate = GT_LOOP_F64, .accumulation = 1, .size = N, .width = N};
            gt_AdamJob adam = {job, 0.9, 0.999, 1e-7, decays ? 0.4 : 0};
            gt_SgdJob sgd = {job, 0.9, decays ? 0.04 : 0, nesterov};
            double rate = 0.01;
            const double alpha = rate * sqrt(1 - 0.999 * (0.999 * 0.999)) / (1 - 0.9 * (0.9 * 0.9));
            int64_t calls = 2;
            for (int i = 0; i < N; i++) {
                w[i] = next_real();
                g[i] = next_real();
                m[i] = next_real();
                v[i] = fabs(next_real());
                hat[i] = fabs(next_real());
                wf[i + 1] = (float)w[i];
                gf[i + 1] = (float)g[i];
                mf[i + 1] = (float)m[i];
                vf[i + 1] = (float)v[i];
                hatf[i + 1] = (float)hat[i];
            }
            double right[N], start[N];
            memcpy(start, w, sizeof w);
            for (int i = 0; i < N; i++) {
                double mean = m[i] + (g[i] - m[i]) * (1 - 0.9);
                double variance = v[i] + (g[i] * g[i] - v[i]) * (1 - 0.999);
                if (amsgrad)
                    variance = fmax(variance, hat[i]);
                right[i] = w[i] - w[i] * (0.01 * adam.weight_decay) -
                           alpha * mean / (sqrt(variance) + 1e-7);
            }
            void *wide[] = {w,
                            m,
                            v,
                            amsgrad ? (void *)hat : g,
                            amsgrad ? g : &rate,
                            amsgrad ? (void *)&rate : &calls,
                            &calls};
            void *narrow[] = {wf + 1,
                              mf + 1,
                              vf + 1,
                              amsgrad ? hatf + 1 : gf + 1,
                              amsgrad ? (void *)(gf + 1) : &rate,
                              amsgrad ? (void *)&rate : &calls,
                              &calls};
            adam.update.slots = amsgrad ? 3 : 2;
            adam.update.type = GT_LOOP_F64;
            table->tile[GT_TILES_adam](&adam, wide, 0, 1, NULL);
            adam.update.type = GT_LOOP_F32;
            table->tile[GT_TILES_adam](&adam, narrow, 0, 1, NULL);
            for (int i = 0; i < N; i++)
                CHECK(w[i] == right[i] && fabs(wf[i + 1] - right[i]) < 1e-6, "%s: adam %d: %a %a",
                      table->isa, variant, w[i], right[i]);
            memcpy(w, start, sizeof w);
            for (int i = 0; i < N; i++) {
                double old = m[i];
                double momentum = 0.9 * old - 0.1 * g[i];
                double step = amsgrad    ? -(0.1 * g[i])
                              : nesterov ? 0.9 * momentum - 0.1 * g[i]
                                         : momentum;
                right[i] = w[i] - w[i] * (0.1 * sgd.weight_decay) + step;
                wf[i + 1] = (float)w[i];
                mf[i + 1] = (float)old;
            }
            void *wide_sgd[] = {w, amsgrad ? g : m, amsgrad ? &rate : g,
                                amsgrad ? (void *)&calls : &rate, &calls};
            void *narrow_sgd[] = {wf + 1, amsgrad ? gf + 1 : mf + 1,
                                  amsgrad ? (void *)&rate : gf + 1,
                                  amsgrad ? (void *)&calls : &rate, &calls};
            rate = 0.1;
            sgd.update.slots = amsgrad ? 0 : 1;
            sgd.update.type = GT_LOOP_F64;
            table->tile[GT_TILES_sgd](&sgd, wide_sgd, 0, 1, NULL);
            sgd.update.type = GT_LOOP_F32;
            table->tile[GT_TILES_sgd](&sgd, narrow_sgd, 0, 1, NULL);
            for (int i = 0; i < N; i++)
                CHECK(w[i] == right[i] && fabs(wf[i + 1] - right[i]) < 1e-6, "%s: sgd %d: %a %a",
                      table->isa, variant, w[i], right[i]);
        }
    }
}

Test(kernels, transpose)
{
    enum { SIDE = 80 };
    static uint64_t x[SIDE * SIDE], y[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        x[i] = next_bits();
    FOR_TABLES(table)
    {
        for (int size = 0; size < 4; size++) {
            const size_t bytes = (size_t)1 << size;
            for (int64_t rows = 0; rows < SIDE; rows += 1 + rows / 9) {
                for (int64_t columns = 0; columns < SIDE; columns += 1 + columns / 9) {
                    memset(y, 0, sizeof y);
                    table->transpose[size](rows, columns, x, columns + 1, y, rows + 1);
                    for (int64_t r = 0; r < rows; r++) {
                        for (int64_t c = 0; c < columns; c++)
                            CHECK(memcmp((char *)x + (size_t)(r * (columns + 1) + c) * bytes,
                                         (char *)y + (size_t)(c * (rows + 1) + r) * bytes,
                                         bytes) == 0,
                                  "%s: transpose of %d x %d, %d bytes", table->isa, (int)rows,
                                  (int)columns, (int)bytes);
                    }
                }
            }
        }
    }
}
