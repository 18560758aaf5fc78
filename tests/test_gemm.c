/* The matrix product on every instruction set that this processor has: right numbers, the same bits
 * however C is cut, not a byte read or written outside, and OpenBLAS found when it is there. Leans
 * on Criterion, kernels/gemm and core/blas. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, environ */
#endif
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../core/blas.h"
#include "../kernels/kernels.h"

typedef struct Isa {
    const char *name;
    bool here;
    gt_GemmLoop *gemm[2];
    size_t (*scratch[2])(int64_t m, int64_t n, int64_t k);
    const gt_KernelTable *table;
} Isa;

#define DECLARE(isa)                                                                               \
    gt_GemmLoop gt_gemm_f32_##isa, gt_gemm_f64_##isa;                                              \
    size_t gt_gemm_scratch_f32_##isa(int64_t m, int64_t n, int64_t k);                             \
    size_t gt_gemm_scratch_f64_##isa(int64_t m, int64_t n, int64_t k);                             \
    extern const gt_KernelTable gt_kernels_##isa;
#define ISA(isa, here)                                                                             \
    (Isa)                                                                                          \
    {                                                                                              \
#isa, here,                                                                                \
            {gt_gemm_f32_##isa, gt_gemm_f64_##isa },                                               \
             {gt_gemm_scratch_f32_##isa, gt_gemm_scratch_f64_##isa }, &gt_kernels_##isa            \
    }
DECLARE(base)
#ifdef GT_HAVE_V3
DECLARE(v3)
#endif
#ifdef GT_HAVE_V4
DECLARE(v4)
#endif
#ifdef GT_HAVE_FUSED
DECLARE(fused)
#endif

static int isas(Isa list[3])
{
    int count = 0;
    list[count++] = ISA(base, true);
#ifdef GT_HAVE_V3
    list[count++] = ISA(v3, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#endif
#ifdef GT_HAVE_V4
#ifdef GT_TEST_EVERY_ISA
    list[count++] = ISA(v4, true);
#else
    list[count++] =
        ISA(v4, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
#endif
#endif
#ifdef GT_HAVE_FUSED
    list[count++] = ISA(fused, true);
#endif
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (list[i].here)
            list[kept++] = list[i];
    return kept;
}

/* Numbers of either type behind one pair of functions. */
static size_t size_of(int type)
{
    return type ? sizeof(double) : sizeof(float);
}

static double get(int type, const void *x, int64_t i)
{
    return type ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void put(int type, void *x, int64_t i, double value)
{
    if (type)
        ((double *)x)[i] = value;
    else
        ((float *)x)[i] = (float)value;
}

/* `bytes` that end where the next page cannot be touched, and begin after one that cannot: reading
 * or writing outside is a crash at the end, and at the beginning if bytes fill pages. */
typedef struct Fenced {
    char *map;
    size_t whole;
    void *at;
} Fenced;

static Fenced fenced(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inside = (bytes + page - 1) / page * page;
    Fenced f = {.whole = inside + 2 * page};
    f.map = mmap(NULL, f.whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(f.map != MAP_FAILED);
    if (inside > 0)
        cr_assert(mprotect(f.map + page, inside, PROT_READ | PROT_WRITE) == 0);
    f.at = f.map + page + inside - bytes;
    return f;
}

static void release(Fenced *f)
{
    munmap(f->map, f->whole);
}

static uint64_t state = 88172645463325252U;

static double any_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 4503599627370496.0 - 1.0;
}

/* A product with everything that belongs to it. Room beyond the leading dimension's last row is
 * left out, so the fences stand right behind the last number. */
typedef struct Product {
    int type;
    bool ta, tb;
    int64_t m, n, k, lda, ldb, ldc;
    Fenced a, b, c;
} Product;

static size_t extent(int64_t rows, int64_t columns, int64_t ld)
{
    return rows == 0 || columns == 0 ? 0 : (size_t)((rows - 1) * ld + columns);
}

static Product product(int type, bool ta, bool tb, int64_t m, int64_t n, int64_t k, int64_t more)
{
    Product p = {.type = type, .ta = ta, .tb = tb, .m = m, .n = n, .k = k};
    p.lda = (ta ? m : k) + more;
    p.ldb = (tb ? k : n) + more;
    p.ldc = n + more;
    const size_t a = ta ? extent(k, m, p.lda) : extent(m, k, p.lda);
    const size_t b = tb ? extent(n, k, p.ldb) : extent(k, n, p.ldb);
    const size_t c = extent(m, n, p.ldc);
    p.a = fenced(a * size_of(type));
    p.b = fenced(b * size_of(type));
    p.c = fenced(c * size_of(type));
    for (size_t i = 0; i < a; i++)
        put(type, p.a.at, (int64_t)i, any_number());
    for (size_t i = 0; i < b; i++)
        put(type, p.b.at, (int64_t)i, any_number());
    for (size_t i = 0; i < c; i++)
        put(type, p.c.at, (int64_t)i, 777);
    return p;
}

static void dispose(Product *p)
{
    release(&p->a);
    release(&p->b);
    release(&p->c);
}

static int64_t index_a(const Product *p, int64_t i, int64_t q)
{
    return p->ta ? q * p->lda + i : i * p->lda + q;
}

static int64_t index_b(const Product *p, int64_t q, int64_t j)
{
    return p->tb ? j * p->ldb + q : q * p->ldb + j;
}

/* The piece of C from (i, j), m x n, into `c`. Scratch is fenced and full of NaN. */
static void run(const Isa *isa, const Product *p, int64_t i, int64_t j, int64_t m, int64_t n,
                void *c, int64_t ldc)
{
    const size_t size = size_of(p->type);
    const size_t need = isa->scratch[p->type](m, n, p->k);
    cr_assert(need % 64 == 0, "scratch of %zu bytes", need);
    Fenced scratch = fenced(need);
    memset(scratch.at, 0xff, need);
    isa->gemm[p->type](p->ta, p->tb, m, n, p->k,
                       p->k ? (const char *)p->a.at + (size_t)index_a(p, i, 0) * size : NULL,
                       p->lda,
                       p->k ? (const char *)p->b.at + (size_t)index_b(p, 0, j) * size : NULL,
                       p->ldb, c, ldc, scratch.at);
    release(&scratch);
}

static void check(const Isa *isa, const Product *p)
{
    run(isa, p, 0, 0, p->m, p->n, p->c.at, p->ldc);
    const double epsilon = p->type ? DBL_EPSILON : (double)FLT_EPSILON;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->ldc; j++) {
            if (j >= p->n) {
                if (i < p->m - 1)
                    cr_assert(get(p->type, p->c.at, i * p->ldc + j) == 777, "wrote outside C");
                continue;
            }
            long double sum = 0, size = 0;
            for (int64_t q = 0; q < p->k; q++) {
                const long double x = (long double)get(p->type, p->a.at, index_a(p, i, q)) *
                                      (long double)get(p->type, p->b.at, index_b(p, q, j));
                sum += x;
                size += fabsl(x);
            }
            const double got = get(p->type, p->c.at, i * p->ldc + j);
            const long double bound = (long double)epsilon * (2 + 0.25L * (long double)p->k) * size;
            cr_assert(fabsl((long double)got - sum) <= bound,
                      "%s f%d %c%c %dx%dx%d at %d,%d: %.17g, not %.17Lg", isa->name,
                      p->type ? 64 : 32, p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', (int)p->m, (int)p->n,
                      (int)p->k, (int)i, (int)j, got, sum);
        }
}

/* One operation sequence for every number: what the header of the template promises, written out
 * for one number at a time. `fused` as the instruction set has it. */
static double promised(const Product *p, int64_t i, int64_t j, bool fused)
{
    const int64_t most = p->type ? 256 : 384;
    const int64_t blocks = p->k > most ? (p->k + most - 1) / most : 1;
    const int64_t depth = (p->k + blocks - 1) / blocks;
    double total = 0;
    for (int64_t from = 0; from < p->k; from += depth) {
        double sum = 0;
        for (int64_t q = from; q < p->k && q < from + depth; q++) {
            const double x = get(p->type, p->a.at, index_a(p, i, q));
            const double y = get(p->type, p->b.at, index_b(p, q, j));
            if (p->type) {
                volatile double xy = x * y;
                sum = fused ? fma(x, y, sum) : xy + sum;
            } else {
                volatile float xy = (float)x * (float)y;
                sum = fused ? (double)fmaf((float)x, (float)y, (float)sum)
                            : (double)(xy + (float)sum);
            }
        }
        if (from == 0)
            total = sum;
        else
            total = p->type ? total + sum : (double)((float)total + (float)sum);
    }
    return total;
}

Test(gemm, right_for_every_shape_transposition_and_type, .timeout = 1200)
{
    static const int64_t small[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 33};
    static const int64_t large[][3] = {
        {1, 1, 1000}, {1, 500, 40},  {1, 37, 777},   {300, 1, 300},  {64, 1, 1},     {2, 130, 900},
        {50, 3, 400}, {32, 96, 784}, {129, 10, 128}, {97, 65, 385},  {260, 70, 500}, {7, 1100, 20},
        {6, 16, 384}, {6, 16, 385},  {700, 33, 20},  {10, 2100, 3},  {33, 40, 1200}, {1, 3000, 5},
        {61, 47, 53}, {200, 200, 1}, {28, 32, 64},   {15, 100, 260}, {14, 31, 33},   {1500, 2, 9},
    };
    Isa list[3];
    const int count = isas(list);
    const int smalls = (int)(sizeof small / sizeof *small);
    for (int s = 0; s < count; s++)
        for (int how = 0; how < 8; how++) {
            const int type = how & 1;
            const bool ta = how & 2, tb = how & 4;
            for (int x = 0; x < smalls * smalls * smalls; x++) {
                /* all pairs of m and n, with k in turn: a third of the triples */
                const int i = x % smalls, j = x / smalls % smalls, q = x / smalls / smalls;
                if ((i + j + q) % 3 != 0)
                    continue;
                Product p = product(type, ta, tb, small[i], small[j], small[q], (x % 4) * (x % 3));
                check(&list[s], &p);
                dispose(&p);
            }
            for (size_t x = 0; x < sizeof large / sizeof *large; x++) {
                Product p = product(type, ta, tb, large[x][0], large[x][1], large[x][2],
                                    (int64_t)(x % 3) * 5);
                check(&list[s], &p);
                dispose(&p);
            }
        }
}

/* Work is cut into pieces that use the scratch of the whole. */
Test(gemm, scratch_for_the_whole_serves_every_piece)
{
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int type = 0; type < 2; type++)
            for (int i = 0; i < 20000; i++) {
                const int64_t k = 1 + (int64_t)(fabs(any_number()) * (i % 3 ? 20 : 3000));
                const int64_t m = 1 + (int64_t)(fabs(any_number()) * (i % 5 ? 300 : 5000));
                const int64_t n = 1 + (int64_t)(fabs(any_number()) * (i % 7 ? 300 : 5000));
                const int64_t few = 1 + (int64_t)(fabs(any_number()) * (double)(m - 1));
                const int64_t narrow =
                    i % 2 ? n : 1 + (int64_t)(fabs(any_number()) * (double)(n - 1));
                const int64_t shallow =
                    i % 2 ? k : 1 + (int64_t)(fabs(any_number()) * (double)(k - 1));
                const size_t whole = list[s].scratch[type](m, n, k);
                cr_assert(list[s].scratch[type](few, narrow, shallow) <= whole,
                          "%s: %dx%dx%d of %dx%dx%d", list[s].name, (int)few, (int)narrow,
                          (int)shallow, (int)m, (int)n, (int)k);
            }
}

Test(gemm, same_bits_however_cut, .timeout = 1200)
{
    static const int64_t shapes[][3] = {
        {45, 71, 64},    {1, 90, 500},   {90, 1, 500},   {67, 10, 800}, {10, 67, 800},
        {131, 150, 400}, {32, 128, 784}, {300, 40, 257}, {3, 1100, 50}, {1, 1, 1537},
    };
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int how = 0; how < 8; how++)
            for (size_t x = 0; x < sizeof shapes / sizeof *shapes; x++) {
                const int type = how & 1;
                Product p =
                    product(type, how & 2, how & 4, shapes[x][0], shapes[x][1], shapes[x][2], 3);
                const size_t size = size_of(type);
                run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);

                /* against the promise, at some places */
                const bool fused = strcmp(list[s].name, "base") != 0;
#if defined(__x86_64__)
                for (int64_t i = 0; i < p.m; i += 1 + p.m / 7)
                    for (int64_t j = 0; j < p.n; j += 1 + p.n / 9)
                        cr_assert(get(type, p.c.at, i * p.ldc + j) == promised(&p, i, j, fused),
                                  "%s how %d: not the promised sequence at %d,%d of %dx%dx%d",
                                  list[s].name, how, (int)i, (int)j, (int)p.m, (int)p.n, (int)p.k);
#else
                (void)fused;
                (void)promised;
#endif
                /* against itself in pieces: halves, odd cuts, single rows, columns and numbers */
                for (int cut = 0; cut < 12; cut++) {
                    const int64_t high =
                        cut < 4 ? 1 : 1 + (int64_t)((any_number() + 1) * 0.5 * (double)p.m);
                    const int64_t wide =
                        cut % 4 == 0 ? 1 : 1 + (int64_t)((any_number() + 1) * 0.5 * (double)p.n);
                    Fenced piece = fenced((size_t)(high * wide) * size);
                    for (int64_t i = 0; i < p.m; i += high + (cut < 4 ? p.m / 5 : 0))
                        for (int64_t j = 0; j < p.n; j += wide + (cut % 4 == 0 ? p.n / 6 : 0)) {
                            const int64_t mm = p.m - i < high ? p.m - i : high;
                            const int64_t nn = p.n - j < wide ? p.n - j : wide;
                            run(&list[s], &p, i, j, mm, nn, piece.at, nn);
                            for (int64_t r = 0; r < mm; r++)
                                cr_assert(
                                    memcmp((char *)piece.at + (size_t)(r * nn) * size,
                                           (char *)p.c.at + (size_t)((i + r) * p.ldc + j) * size,
                                           (size_t)nn * size) == 0,
                                    "%s how %d: %dx%dx%d, piece %dx%d at %d,%d differs",
                                    list[s].name, how, (int)p.m, (int)p.n, (int)p.k, (int)mm,
                                    (int)nn, (int)i, (int)j);
                        }
                    release(&piece);
                }
                dispose(&p);
            }
}

/* B laid out, in pieces of one panel, the last first. */
static Fenced laid_out(const Isa *isa, const Product *p)
{
    const gt_KernelTable *table = isa->table;
    const int64_t wide = table->gemm_n[p->type], lanes = wide / 2;
    const size_t bytes = (size_t)((p->n + lanes - 1) / lanes * lanes * p->k) * size_of(p->type);
    Fenced packed = fenced(bytes);
    memset(packed.at, 0xff, bytes);
    for (int64_t first = (p->n - 1) / wide * wide; first >= 0; first -= wide)
        table->gemm_pack[p->type](p->tb, p->n, p->k, p->b.at, p->ldb, first,
                                  first + wide < p->n ? first + wide : p->n, packed.at);
    return packed;
}

/* All of C, or strips of `strip` rows, from a B that is laid out. */
static void run_packed(const Isa *isa, const Product *p, const void *packed, const void *bias,
                       int64_t strip, void *c)
{
    const size_t size = size_of(p->type);
    Fenced scratch = fenced(isa->scratch[p->type](p->m, p->n, p->k));
    for (int64_t i = 0; i < p->m; i += strip)
        isa->table->gemm_packed[p->type](p->ta, p->m - i < strip ? p->m - i : strip, p->n, p->k,
                                         (const char *)p->a.at + (size_t)index_a(p, i, 0) * size,
                                         p->lda, packed, (char *)c + (size_t)(i * p->ldc) * size,
                                         p->ldc, bias, scratch.at);
    release(&scratch);
}

/* The bias is added to what the product has as its result, of lines of ldc. */
static void add_to_rows(const Product *p, int64_t ldc, const Fenced *bias)
{
    for (int64_t t = 0; t < p->m * p->n; t++) {
        const int64_t at = t / p->n * ldc + t % p->n;
        put(p->type, p->c.at, at, get(p->type, p->c.at, at) + get(p->type, bias->at, t % p->n));
    }
}

/* The sum of the product and a bias is rounded like that of two operations. */
Test(gemm, laid_out_ahead_the_bits_are_the_same, .timeout = 1200)
{
    static const int64_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 28, 29, 43};
    static const int64_t ns[] = {1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 40, 47, 64, 70, 1030};
    static const int64_t ks[] = {1, 2, 7, 8, 9, 31, 255, 256, 257, 383, 384, 385, 800};
    const int n_count = (int)(sizeof ns / sizeof *ns), k_count = (int)(sizeof ks / sizeof *ks);
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int how = 0; how < 8; how++)
            for (int x = 0; x < (int)(sizeof ms / sizeof *ms) * n_count * k_count; x++) {
                const int type = how & 1, i = x / k_count / n_count, q = x % k_count;
                const int j = x / k_count % n_count;
                if ((i + j + q + how) % 4 != 0 || (ns[j] > 1000 && q % 5 != 0))
                    continue;
                Product p = product(type, how & 2, how & 4, ms[i], ns[j], ks[q], x % 3);
                Fenced packed = laid_out(&list[s], &p), bias = fenced((size_t)p.n * size_of(type));
                const size_t bytes = extent(p.m, p.n, p.ldc) * size_of(type);
                Fenced c = fenced(bytes);
                memcpy(c.at, p.c.at, bytes);
                run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
                run_packed(&list[s], &p, packed.at, NULL, x % 2 ? p.m : 5, c.at);
                cr_assert(memcmp(c.at, p.c.at, bytes) == 0, "%s f%d %dx%dx%d", list[s].name,
                          type ? 64 : 32, (int)p.m, (int)p.n, (int)p.k);
                const bool one = p.k <= GT_GEMM_DEPTH(type ? GT_LOOP_F64 : GT_LOOP_F32);
                for (int64_t t = 0; t < p.n; t++)
                    put(type, bias.at, t, any_number());
                if (one)
                    add_to_rows(&p, p.ldc, &bias);
                run_packed(&list[s], &p, packed.at, one ? bias.at : NULL, x % 2 ? 9 : p.m, c.at);
                cr_assert(memcmp(c.at, p.c.at, bytes) == 0, "%s f%d %dx%dx%d with a bias",
                          list[s].name, type ? 64 : 32, (int)p.m, (int)p.n, (int)p.k);
                release(&packed);
                release(&bias);
                release(&c);
                dispose(&p);
            }
}

/* A whole product without choices: the same bits, and those of a sum with a bias. */
Test(gemm, small_ones_have_the_same_bits, .timeout = 1200)
{
    static const int64_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 24, 28, 29, 32, 56};
    static const int64_t ns[] = {1,  2,  3,  4,  5,  7,  8,  9,  15, 16,
                                 17, 31, 32, 33, 40, 47, 64, 70, 128};
    static const int64_t ks[] = {1, 2, 3, 4, 7, 8, 9, 16, 31, 64, 128};
    const int n_count = (int)(sizeof ns / sizeof *ns), k_count = (int)(sizeof ks / sizeof *ks);
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int how = 0; how < 8; how++)
            for (int x = 0; x < (int)(sizeof ms / sizeof *ms) * n_count * k_count; x++) {
                const int type = how & 1, i = x / k_count / n_count, q = x % k_count;
                const int j = x / k_count % n_count;
                const gt_KernelTable *table = list[s].table;
                if ((i + j + q + how) % 3 != 0 || ms[i] > table->gemm_m[type] ||
                    ns[j] > 4 * table->gemm_n[type])
                    continue;
                Product p = product(type, how & 2, how & 4, ms[i], ns[j], ks[q], 0);
                const size_t bytes = extent(p.m, p.n, p.n) * size_of(type);
                const size_t need = list[s].scratch[type](p.m, p.n, p.k);
                Fenced c = fenced(bytes), bias = fenced((size_t)p.n * size_of(type));
                Fenced scratch = fenced(need);
                run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
                for (int64_t t = 0; t < p.n; t++)
                    put(type, bias.at, t, any_number());
                const gt_ProductJob job = {
                    .transpose_a = p.ta, .transpose_b = p.tb, .m = p.m, .n = p.n, .k = p.k};
                for (int biased = 0; biased < 2; biased++) {
                    memset(scratch.at, 0xff, need);
                    table->gemm_small[type](&job, p.a.at, p.b.at, biased ? bias.at : NULL, c.at,
                                            scratch.at);
                    cr_assert(memcmp(c.at, p.c.at, bytes) == 0, "%s f%d how %d %dx%dx%d bias %d",
                              list[s].name, type ? 64 : 32, how, (int)p.m, (int)p.n, (int)p.k,
                              biased);
                    add_to_rows(&p, p.n, &bias);
                }
                release(&scratch);
                release(&bias);
                release(&c);
                dispose(&p);
            }
}

/* B with lines of whole vectors, NaN behind its columns. */
static Fenced with_whole_lines(const Product *p, int64_t ld)
{
    const size_t size = size_of(p->type), bytes = (size_t)(p->k * ld) * size;
    Fenced b = fenced(bytes);
    memset(b.at, 0xff, bytes);
    for (int64_t q = 0; q < p->k; q++)
        memcpy((char *)b.at + (size_t)(q * ld) * size,
               (const char *)p->b.at + (size_t)(q * p->ldb) * size, (size_t)p->n * size);
    return b;
}

/* C = A B and C + A B by tiles alone: the bits of gemm, and of its result and an addition. */
Test(gemm, tiles_alone_have_the_same_bits, .timeout = 1200)
{
    static const int64_t ms[] = {1, 2, 5, 7, 13, 14, 15, 29, 96},
                         ns[] = {1, 3, 8, 16, 17, 32, 40, 64};
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int x = 0; x < 2 * 9 * 8 * 4; x++) {
            const int type = x % 2, deepest = GT_GEMM_DEPTH(type ? GT_LOOP_F64 : GT_LOOP_F32);
            const int64_t k = x / 2 % 4 == 0   ? 1
                              : x / 2 % 4 == 1 ? 8
                              : x / 2 % 4 == 2 ? 32
                                               : deepest;
            Product p = product(type, false, false, ms[x / 8 % 9], ns[x / 72], k, x % 3);
            const int64_t lanes = list[s].table->gemm_n[type] / 2,
                          ld = (p.n + lanes - 1) / lanes * lanes;
            const size_t bytes = extent(p.m, p.n, p.ldc) * size_of(type);
            Fenced b = with_whole_lines(&p, ld), c = fenced(bytes);
            memcpy(c.at, p.c.at, bytes);
            run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
            for (int adds = 0; adds < 2; adds++) {
                list[s].table->gemm_tiles[type](adds, p.m, p.n, k, p.a.at, p.lda, b.at, ld, c.at,
                                                p.ldc);
                for (int64_t t = 0; adds && t < p.m * p.n; t++) {
                    const int64_t at = t / p.n * p.ldc + t % p.n;
                    put(type, p.c.at, at, get(type, p.c.at, at) + get(type, p.c.at, at));
                }
                cr_assert(memcmp(c.at, p.c.at, bytes) == 0, "%s f%d %dx%dx%d, adds %d",
                          list[s].name, type ? 64 : 32, (int)p.m, (int)p.n, (int)p.k, adds);
            }
            release(&b);
            release(&c);
            dispose(&p);
        }
}

Test(gemm, wide_instruction_sets_agree_bit_for_bit)
{
    Isa list[3];
    const int count = isas(list);
    for (int s = 2; s < count; s++) /* base has no fused multiply-add */
        for (int how = 0; how < 8; how++) {
            Product p = product(how & 1, how & 2, how & 4, 77, 83, 900, 0);
            const size_t bytes = 77 * 83 * size_of(how & 1);
            Fenced other = fenced(bytes);
            run(&list[s - 1], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
            run(&list[s], &p, 0, 0, p.m, p.n, other.at, p.n);
            cr_assert(memcmp(p.c.at, other.at, bytes) == 0, "how %d", how);
            release(&other);
            dispose(&p);
        }
}

Test(gemm, empty_sizes_and_what_is_not_finite, .timeout = 600)
{
    Isa list[3];
    const int count = isas(list);
    for (int s = 0; s < count; s++)
        for (int how = 0; how < 8; how++) {
            const int type = how & 1;
            const bool ta = how & 2, tb = how & 4;
            Product p = product(type, ta, tb, 5, 7, 0, 1);
            run(&list[s], &p, 0, 0, 5, 7, p.c.at, p.ldc);
            for (int64_t i = 0; i < 5; i++)
                for (int64_t j = 0; j < p.ldc - (i == 4); j++)
                    cr_assert(get(type, p.c.at, i * p.ldc + j) == (j < 7 ? 0 : 777));
            dispose(&p);

            p = product(type, ta, tb, 5, 7, 3, 0);
            run(&list[s], &p, 0, 0, 0, 7, p.c.at, p.ldc);
            run(&list[s], &p, 0, 0, 5, 0, p.c.at, p.ldc);
            for (int64_t i = 0; i < 35; i++)
                cr_assert(get(type, p.c.at, i) == 777, "an empty product wrote");
            dispose(&p);

            static const int64_t shapes[][3] = {{1, 19, 30},  {19, 1, 30},   {9, 10, 12},
                                                {40, 70, 90}, {130, 10, 40}, {10, 130, 40}};
            for (size_t x = 0; x < sizeof shapes / sizeof *shapes; x++) {
                p = product(type, ta, tb, shapes[x][0], shapes[x][1], shapes[x][2], 2);
                /* row i0: 0 * inf in the last column; infinity elsewhere; a NaN in row 0's way */
                const int64_t i0 = p.m - 1, j0 = p.n - 1, q0 = p.k / 2;
                put(type, p.b.at, index_b(&p, q0, j0), (double)INFINITY);
                for (int64_t i = 0; i < p.m; i++)
                    put(type, p.a.at, index_a(&p, i, q0), i == i0 ? 0 : -1);
                run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
                for (int64_t i = 0; i < p.m; i++)
                    for (int64_t j = 0; j < p.n; j++) {
                        const double c = get(type, p.c.at, i * p.ldc + j);
                        if (j < j0)
                            cr_assert(isfinite(c), "%s how %d: a lane met another", list[s].name,
                                      how);
                        else if (i == i0)
                            cr_assert(isnan(c), "%s how %d: 0 * inf", list[s].name, how);
                        else
                            cr_assert(isinf(c) && c < 0, "%s how %d: inf", list[s].name, how);
                    }
                put(type, p.a.at, index_a(&p, 0, q0), (double)NAN);
                run(&list[s], &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
                for (int64_t j = 0; j < p.n; j++)
                    cr_assert(isnan(get(type, p.c.at, j)));
                if (p.m > 2)
                    cr_assert(isfinite(get(type, p.c.at, p.ldc)) || p.n == 1);
                dispose(&p);
            }
        }
}

/* The environment, and what another thread of a host does with it, knowingly or in localtime: walks
 * the array that it found. */
typedef struct Environment {
    char **array;
    char *entry[1000];
    atomic_bool ended;
} Environment;

static bool is_as_it_was(const Environment *environment)
{
    for (int i = 0; environment->entry[i] != NULL || environment->array[i] != NULL; i++)
        if (environment->array[i] != environment->entry[i])
            return false;
    return true;
}

static void *read_environment(void *argument)
{
    Environment *environment = argument;
    while (!atomic_load(&environment->ended))
        if (!is_as_it_was(environment) || getenv("GT_TEST_READ") == NULL)
            return argument;
    return NULL;
}

Test(gemm, openblas_is_optional_and_agrees)
{
    gt_Blas blas = {0};
    setenv("GT_BLAS", "none", 1);
    cr_assert(!gt_blas_load(&blas) && blas.tried);
    cr_assert(gt_blas_function(&blas, "cblas_sgemm") == NULL);
    gt_blas_unload(&blas);
    unsetenv("GT_BLAS");
    cr_assert(!blas.tried);

    unsetenv("OPENBLAS_CORETYPE"); /* the caller may have chosen, also badly */
    unsetenv("OPENBLAS_NUM_THREADS");
    cr_assert(setenv("GT_TEST_READ", "always there", 1) == 0);
    static Environment environment;
    environment.array = environ;
    for (int i = 0; i < 999 && environ[i] != NULL; i++)
        environment.entry[i] = environ[i];
    pthread_t reader;
    void *changed = NULL;
    cr_assert(pthread_create(&reader, NULL, read_environment, &environment) == 0);
    bool there = gt_blas_load(&blas);
    atomic_store(&environment.ended, true);
    pthread_join(reader, &changed);
    cr_assert(changed == NULL, "the environment changed beside a thread that reads it");
    cr_assert(environ == environment.array && is_as_it_was(&environment));
    if (!there)
        cr_skip_test("no OpenBLAS on this machine");
    cr_assert(blas.single, "OpenBLAS has threads of its own");
    gt_Blas second = {0};
    cr_assert(gt_blas_load(&second) && strcmp(second.core, blas.core) == 0);
    Isa list[3];
    const Isa *isa = &list[isas(list) - 1];
    Product p = product(0, false, true, 40, 50, 60, 0);
    run(isa, &p, 0, 0, p.m, p.n, p.c.at, p.ldc);
    float *c = malloc(40 * 50 * sizeof *c);
    cr_assert_not_null(c);
    enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
    typedef void Gemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
    Gemm *gemm = (Gemm *)gt_blas_function(&blas, "cblas_sgemm");
    cr_assert(gemm != NULL);
    gemm(ROW_MAJOR, PLAIN, TRANSPOSED, 40, 50, 60, 1, p.a.at, (int)p.lda, p.b.at, (int)p.ldb, 0, c, 50);
    for (int64_t i = 0; i < 40 * 50; i++)
        cr_assert(fabs((double)c[i] - get(0, p.c.at, i)) < 1e-4);
    free(c);
    dispose(&p);
    gt_blas_unload(&second);
    gt_blas_unload(&blas);
}
