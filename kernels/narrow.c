/* See narrow.h. A block is as many rows as a vector has elements, so it fills w vectors, and w vectors is what its columns fill:
 *
 *     rows of 3, 4 elements a vector      a0 b0 c0 a1 | b1 c1 a2 b2 | c2 a3 b3 c3
 *     column b: element i is number 3 i + 1                 ^ b1 is in vector 4 / 4 = 1, at place 4 % 4 = 0
 *
 * Each vector of the result is put together from those of the source: every source is permuted by one list of places, which the
 * instruction takes modulo the length of a vector, and adds the elements that it has. That is w permutations a vector; for rows
 * up to GT_NARROW_4 fewer than turning squares would need; vectors of 512 bits need half as many, in one instruction each. Lists are
 * in words of 4 bytes: an element of 8 is two of them.
 *
 * Columns are written for others to work on; but sums of rows of up to GT_NARROW are made of them right here, in registers, which
 * takes a third of the time. Leans on narrow.h and the compiler's intrinsics. */
#include "narrow.h"

#include "gemm_vector.h"

/* So many bytes ahead lines are fetched where rows are read by pieces: in that order no processor sees that the lines follow each
 * other, and rows in memory would cost five times as much. */
#define GT_AHEAD 4096

#if GT_NARROW_4

#include <immintrin.h>

static inline __m128i piece(const char *x)
{
    return _mm_loadu_si128((const __m128i *)(const void *)x);
}

#if defined(__AVX512F__)
enum { WORDS = 16, LOG = 4 };
typedef __m512i Vector;
typedef __mmask16 Mask;
#define GT_M(name)  _mm512_##name
#define GT_V(name)  _mm512_##name##_si512
#define GT_TO(name) _mm512_castsi512_##name
static inline Vector numbered(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
static inline Mask equal(Vector a, Vector b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}
static inline Vector permuted(Vector places, Vector x)
{
    return _mm512_permutexvar_epi32(places, x);
}
static inline Vector mixed(Vector y, Mask where, Vector places, Vector x)
{
    return _mm512_mask_permutexvar_epi32(y, where, places, x);
}
/* Half k of 16 floats, as doubles, and two such halves as floats again. */
static inline __m512d half_of(Vector x, int k)
{
    return _mm512_cvtps_pd(
        _mm256_castsi256_ps(k ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x)));
}
static inline Vector of_halves(__m512d a, __m512d b)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_castps_si256(_mm512_cvtpd_ps(a))),
                              _mm256_castps_si256(_mm512_cvtpd_ps(b)), 1);
}
typedef __m512 Floats;
typedef __m512d Doubles;
/* 16 bytes from each of four places. */
static inline Vector gathered(const char *x, int64_t step)
{
    Vector y = _mm512_castsi128_si512(piece(x));
    y = _mm512_mask_broadcast_i32x4(y, 0x00f0, piece(x + step));
    y = _mm512_mask_broadcast_i32x4(y, 0x0f00, piece(x + 2 * step));
    return _mm512_mask_broadcast_i32x4(y, 0xf000, piece(x + 3 * step));
}
#else
enum { WORDS = 8, LOG = 3 };
typedef __m256i Vector;
typedef __m256i Mask;
#define GT_M(name)  _mm256_##name
#define GT_V(name)  _mm256_##name##_si256
#define GT_TO(name) _mm256_castsi256_##name
static inline Vector numbered(void)
{
    return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}
static inline Mask equal(Vector a, Vector b)
{
    return _mm256_cmpeq_epi32(a, b);
}
static inline Vector permuted(Vector places, Vector x)
{
    return _mm256_permutevar8x32_epi32(x, places);
}
static inline Vector mixed(Vector y, Mask where, Vector places, Vector x)
{
    return _mm256_blendv_epi8(y, permuted(places, x), where);
}
static inline __m256d half_of(Vector x, int k)
{
    return _mm256_cvtps_pd(
        _mm_castsi128_ps(k ? _mm256_extracti128_si256(x, 1) : _mm256_castsi256_si128(x)));
}
static inline Vector of_halves(__m256d a, __m256d b)
{
    return _mm256_castps_si256(_mm256_set_m128(_mm256_cvtpd_ps(b), _mm256_cvtpd_ps(a)));
}
typedef __m256 Floats;
typedef __m256d Doubles;
static inline Vector gathered(const char *x, int64_t step)
{
    return _mm256_blend_epi32(_mm256_castsi128_si256(piece(x)),
                              _mm256_broadcastsi128_si256(piece(x + step)), 0xf0);
}
#endif

static inline Vector load(const char *x)
{
    return GT_V(loadu)((const Vector *)(const void *)x);
}
static inline void store(char *y, Vector x)
{
    GT_V(storeu)((Vector *)(void *)y, x);
}
static inline Vector both(Vector a, Vector b)
{
    return GT_V(and)(a, b);
}
static inline Vector all(int x)
{
    return GT_M(set1_epi32)(x);
}
static inline Vector times(Vector a, int b)
{
    return GT_M(mullo_epi32)(a, all(b));
}
static inline Vector up(Vector a, int by)
{
    return GT_M(sllv_epi32)(a, all(by));
}
static inline Vector down(Vector a, int by)
{
    return GT_M(srlv_epi32)(a, all(by));
}

/* The elements [first, first + a vector) of rows of w: their rows and their columns, as words, where an element is 1 << two words.
 * Up to 2^8 the product with 2^16 / w, rounded up, is the quotient. */
static void rows_of(int first, int w, int two, Vector *row, Vector *column)
{
    const Vector element = GT_M(add_epi32)(all(first), down(numbered(), two));
    *row = down(times(element, 65536 / w + 1), 16);
    *column = GT_M(sub_epi32)(element, times(*row, w));
}

/* The place of each word: that of its element, and which half of it. */
static Vector places_of(Vector element, int two)
{
    return GT_M(add_epi32)(up(element, two), both(numbered(), all(two)));
}

/* w vectors of y, each put together from the w of x. */
typedef struct Mix {
    Vector places[GT_NARROW_4];
    Mask where[GT_NARROW_4][GT_NARROW_4]; /* vector of y, of x */
} Mix;

GT_INLINE void mix(const Mix *m, const int w, const char *x, int64_t step_x, Vector *y)
{
    Vector from[GT_NARROW_4];
    for (int k = 0; k < w; k++)
        from[k] = load(x + k * step_x);
    for (int j = 0; j < w; j++) {
        y[j] = permuted(m->places[j], from[0]);
        for (int k = 1; k < w; k++)
            y[j] = mixed(y[j], m->where[j][k], m->places[j], from[k]);
    }
}

/* Blocks of rows; the last one may do some rows again. x steps by `block_x` bytes from block to block, by step_x from vector to
 * vector; so does y. */
GT_INLINE void mix_blocks(const Mix *m, const int w, int64_t rows, int64_t block, const char *x,
                          int64_t row_x, int64_t step_x, char *y, int64_t row_y, int64_t step_y)
{
    for (int64_t i = 0; i < rows; i += block) {
        i = i < rows - block ? i : rows - block;
        Vector made[GT_NARROW_4];
        mix(m, w, x + i * row_x, step_x, made);
        for (int j = 0; j < w; j++)
            store(y + i * row_y + j * step_y, made[j]);
    }
}

static void mix_rows(const Mix *m, int w, int64_t rows, int64_t block, const char *x, int64_t row_x,
                     int64_t step_x, char *y, int64_t row_y, int64_t step_y)
{
    switch (w) {
    case 1:
        mix_blocks(m, 1, rows, block, x, row_x, step_x, y, row_y, step_y);
        break;
    case 2:
        mix_blocks(m, 2, rows, block, x, row_x, step_x, y, row_y, step_y);
        break;
    case 3:
        mix_blocks(m, 3, rows, block, x, row_x, step_x, y, row_y, step_y);
        break;
    default:
        mix_blocks(m, 4, rows, block, x, row_x, step_x, y, row_y, step_y);
    }
}

static GT_NOINLINE void mix_to_part(Mix *m, int w, int two)
{
    const Vector element = down(numbered(), two);
    for (int j = 0; j < w; j++) {
        const Vector from = GT_M(add_epi32)(times(element, w), all(j));
        m->places[j] = places_of(from, two);
        for (int k = 1; k < w; k++)
            m->where[j][k] = equal(down(from, LOG - two), all(k));
    }
}

static GT_NOINLINE void mix_to_braid(Mix *m, int w, int two)
{
    for (int j = 0; j < w; j++) {
        Vector row, column;
        rows_of(j * (WORDS >> two), w, two, &row, &column);
        m->places[j] = places_of(row, two);
        for (int k = 1; k < w; k++)
            m->where[j][k] = equal(column, all(k));
    }
}

/* False: there are too few rows for a block. */
static bool parted(int64_t rows, int64_t w, int two, const char *x, char *y, int64_t ld)
{
    const int64_t block = WORDS >> two, size = INT64_C(4) << two;
    Mix m;
    if (rows < block)
        return false;
    mix_to_part(&m, (int)w, two);
    mix_rows(&m, (int)w, rows, block, x, w * size, sizeof(Vector), y, size, ld * size);
    return true;
}

static bool braided(int64_t rows, int64_t w, int two, const char *x, int64_t ld, char *y)
{
    const int64_t block = WORDS >> two, size = INT64_C(4) << two;
    Mix m;
    if (rows < block)
        return false;
    mix_to_braid(&m, (int)w, two);
    mix_rows(&m, (int)w, rows, block, x, size, ld * size, y, w * size, sizeof(Vector));
    return true;
}

/* ---- sums of rows ---- */

/* The sum of a row, each row at a place of the vectors of its columns: of two chains, as reduce_operation.h has it. A sum that begins
 * at 0 is never -0, so that the other one may begin without. */
#define GT_SUM_OF(name, Given, Values, start, term, add, as_it_is)                                 \
    GT_INLINE Values name(const Given *x, const int w)                                             \
    {                                                                                              \
        Values a = start, b = term(x[w / 2]);                                                      \
        as_it_is for (int i = 1; i < w / 2; i++)                                                   \
        {                                                                                          \
            a = add(a, term(x[i]));                                                                \
            b = add(b, term(x[w / 2 + i]));                                                        \
        }                                                                                          \
        if (w % 2)                                                                                 \
            a = add(a, term(x[w - 1]));                                                            \
        return add(a, b);                                                                          \
    }
#define GT_SQUARED(x) GT_M(mul_pd)(x, x)
#define GT_SUMS_OF(name, type, Values, roll)                                                       \
    GT_SUM_OF(name, Vector, Values, GT_M(add_##type)(GT_M(setzero_##type)(), GT_TO(type)(x[0])),   \
              GT_TO(type), GT_M(add_##type), roll)
GT_SUMS_OF(floats_of, ps, Floats, )
GT_SUMS_OF(doubles_of, pd, Doubles, )
GT_SUMS_OF(floats_of_wide, ps, Floats, GT_ROLLED)
GT_SUMS_OF(doubles_of_wide, pd, Doubles, GT_ROLLED)
GT_SUM_OF(squares_of, Doubles, Doubles, GT_SQUARED(x[0]), GT_SQUARED, GT_M(add_pd), )
GT_SUM_OF(squares_of_wide, Doubles, Doubles, GT_SQUARED(x[0]), GT_SQUARED, GT_M(add_pd), GT_ROLLED)

/* The columns of a block of wider rows, by pieces of 16 bytes. Those of four rows, or of two where an element has 8 bytes, are a square
 * that is turned; a vector holds one piece of each of several squares. The last piece is the end of a row.
 *
 *     16 floats, vector k of columns j to j + 3: the pieces of rows k, 4 + k, 8 + k and 12 + k
 *     once turned: column j + k of rows 0 to 15 */
GT_INLINE void take_columns(const int two, int64_t w, const char *x, Vector *column)
{
    const int64_t size = INT64_C(4) << two, side = 4 >> two;
    GT_ROLLED
    for (int64_t next = 0; next < w; next += side) {
        const int64_t j = next < w - side ? next : w - side, step = side * w * size;
        const char *at = x + j * size;
        const Vector a = gathered(at, step), b = gathered(at + w * size, step);
        if (two) {
            column[j] = GT_M(unpacklo_epi64)(a, b);
            column[j + 1] = GT_M(unpackhi_epi64)(a, b);
            continue;
        }
        const Vector c = gathered(at + 2 * w * size, step), d = gathered(at + 3 * w * size, step);
        const Vector low = GT_M(unpacklo_epi32)(a, b), low_2 = GT_M(unpacklo_epi32)(c, d);
        const Vector high = GT_M(unpackhi_epi32)(a, b), high_2 = GT_M(unpackhi_epi32)(c, d);
        column[j] = GT_M(unpacklo_epi64)(low, low_2);
        column[j + 1] = GT_M(unpackhi_epi64)(low, low_2);
        column[j + 2] = GT_M(unpacklo_epi64)(high, high_2);
        column[j + 3] = GT_M(unpackhi_epi64)(high, high_2);
    }
}

/* What becomes of sums: a mean is a product with 1 / w, exact where w is a power of two, else a quotient; or the root of squares. */
typedef enum Finish { SUMS, MEANS, ROOTS } Finish;

#define GT_FINISHED(name, Values, set, mul, div)                                                   \
    GT_INLINE Values name(Values sum, const int w, Finish finish)                                  \
    {                                                                                              \
        if ((w & (w - 1)) == 0)                                                                    \
            return mul(sum, set(finish == MEANS ? (float)1 / (float)w : 1));                       \
        return finish == MEANS ? div(sum, set((float)w)) : sum;                                    \
    }
GT_FINISHED(finished_floats, Floats, GT_M(set1_ps), GT_M(mul_ps), GT_M(div_ps))
GT_FINISHED(finished_doubles, Doubles, GT_M(set1_pd), GT_M(mul_pd), GT_M(div_pd))

/* -0 among them. */
static GT_NOINLINE bool are_zeros(Vector x)
{
    uint32_t word[WORDS], any = 0;
    store((char *)word, x);
    for (int k = 0; k < WORDS; k++)
        any |= word[k] << 1;
    return any == 0;
}

/* Rows of w elements of 4 << two bytes, a block at a time. Of every sum 0 times it is added to `wild`, which is NaN where one is not
 * finite. */
GT_INLINE bool sum_blocks(const Mix *m, const bool mixes, const int w, const int two,
                          const bool squares, Finish finish, int64_t rows, const char *x, char *y)
{
    enum { MOST = GT_NARROW };
    const int64_t block = WORDS >> two, size = INT64_C(4) << two;
    const Floats none = GT_M(setzero_ps)();
    const Doubles none_d = GT_M(setzero_pd)();
    Floats wild = none;
    Doubles wild_d = none_d;
    for (int64_t i = 0; i < rows; i += block) {
        Vector column[MOST], made;
        i = i < rows - block ? i : rows - block;
        if (mixes) {
            mix(m, w, x + i * w * size, sizeof(Vector), column);
        } else {
            GT_ROLLED
            for (int k = 0; k < w; k++)
                GT_FETCH(x + i * w * size + GT_AHEAD + k * (int)sizeof(Vector));
            take_columns(two, w, x + i * w * size, column);
        }
        if (squares) {
            Doubles part[2][MOST];
            for (int h = 0; h < 2; h++) {
                for (int j = 0; j < w; j++)
                    part[h][j] = half_of(column[j], h);
                part[h][0] = mixes ? squares_of(part[h], w) : squares_of_wide(part[h], w);
                wild_d = GT_M(fmadd_pd)(part[h][0], none_d, wild_d);
            }
            made = of_halves(GT_M(sqrt_pd)(part[0][0]), GT_M(sqrt_pd)(part[1][0]));
        } else if (two) {
            const Doubles sum = mixes ? doubles_of(column, w) : doubles_of_wide(column, w);
            wild_d = GT_M(fmadd_pd)(sum, none_d, wild_d);
            made = GT_V(castpd)(finished_doubles(sum, w, finish));
        } else {
            const Floats sum = mixes ? floats_of(column, w) : floats_of_wide(column, w);
            wild = GT_M(fmadd_ps)(sum, none, wild);
            made = GT_V(castps)(finished_floats(sum, w, finish));
        }
        store(y + i * size, made);
    }
    return are_zeros(two || squares ? GT_V(castpd)(wild_d) : GT_V(castps)(wild));
}

GT_INLINE bool sum_rows(const int two, const bool squares, Finish finish, int64_t rows, int64_t w,
                        const char *x, char *y)
{
    Mix m;
    if (w > 3)
        return sum_blocks(NULL, false, (int)w, two, squares, finish, rows, x, y);
    mix_to_part(&m, (int)w, two);
    return w == 2 ? sum_blocks(&m, true, 2, two, squares, finish, rows, x, y)
                  : sum_blocks(&m, true, 3, two, squares, finish, rows, x, y);
}

bool GT_KERNEL(few_sums)(bool mean, bool root, bool wide, int64_t rows, int64_t w, const void *x,
                         void *y)
{
    if (w < 2 || w > GT_NARROW || rows < WORDS >> wide || (root && (wide || mean)))
        return false;
    return root   ? sum_rows(0, true, ROOTS, rows, w, x, y)
           : wide ? sum_rows(1, false, mean ? MEANS : SUMS, rows, w, x, y)
                  : sum_rows(0, false, mean ? MEANS : SUMS, rows, w, x, y);
}

/* Each vector of y from the one that has its rows. */
static bool repeated(int64_t rows, int64_t w, int two, const char *x, char *y)
{
    enum { MOST = 16 };
    const int64_t block = WORDS >> two, size = INT64_C(4) << two;
    Vector places[MOST], column;
    if (rows < block || w > MOST)
        return false;
    GT_ROLLED
    for (int j = 0; j < w; j++) {
        rows_of(j * (int)block, (int)w, two, &places[j], &column);
        places[j] = places_of(places[j], two);
    }
    for (int64_t i = 0; i < rows; i += block) {
        i = i < rows - block ? i : rows - block;
        const Vector from = load(x + i * size);
        GT_ROLLED
        for (int64_t j = 0; j < w; j++)
            store(y + i * w * size + j * (int64_t)sizeof(Vector), permuted(places[j], from));
    }
    return true;
}

#else
bool GT_KERNEL(few_sums)(bool mean, bool root, bool wide, int64_t rows, int64_t w, const void *x,
                         void *y)
{
    (void)mean, (void)root, (void)wide, (void)rows, (void)w, (void)x, (void)y;
    return false;
}
#define parted(rows, w, two, x, y, ld)  false
#define braided(rows, w, two, x, ld, y) false
#define repeated(rows, w, two, x, y)    false
#endif

#ifdef GT_RARE_ELSEWHERE
/* What is wider gains nothing from vectors of 512 bits. */
#define GT_PART_WIDE(size, rows, w, x, y, ld)        GT_KERNEL_RARE(part_##size)(rows, w, x, y, ld)
#define GT_BRAID_WIDE(size, turn, rows, w, x, ld, y) GT_KERNEL_RARE(braid_##size)(rows, w, x, ld, y)
#else
#define GT_PART_WIDE(size, rows, w, x, y, ld)        squares_##size(rows, w, x, y, ld)
#define GT_BRAID_WIDE(size, turn, rows, w, x, ld, y) turn(w, rows, x, ld, y, w, false)
/* Squares of vectors, of rows [i, i + LANES) and columns [j, j + LANES): where a row is narrower the elements behind it are turned
 * with it and not written, and where it is wider the last square does some columns again, as the last block does some rows. Only
 * the last rows of all, behind which nothing may be read, are turned one by one. */
#define GT_SQUARES(size, type, LANES, suffix)                                                      \
    static void squares_##size(int64_t rows, int64_t w, const type *x, type *y, int64_t ld)        \
    {                                                                                              \
        const int64_t lack = w < LANES ? (LANES - 1) / w : 0, whole = rows - lack;                 \
        const int64_t columns = w < LANES ? w : LANES;                                             \
        const int64_t ahead = w > LANES && w <= 32 ? LANES * w * size : 0;                         \
        int64_t i = 0;                                                                             \
        for (; i < whole && whole >= LANES; i += LANES) {                                          \
            i = i < whole - LANES ? i : whole - LANES;                                             \
            GT_ROLLED                                                                              \
            for (int64_t k = 0; k < ahead; k += 64)                                                \
                GT_FETCH((const char *)(x + i * w) + GT_AHEAD + k);                                \
            for (int64_t j = 0; j < w; j += LANES) {                                               \
                vec_##suffix square[LANES];                                                        \
                j = j < w - columns ? j : w - columns;                                             \
                GT_UNROLL                                                                          \
                for (int k = 0; k < LANES; k++)                                                    \
                    square[k] = load_##suffix(x + (i + k) * w + j);                                \
                transpose_##suffix(square);                                                        \
                GT_UNROLL                                                                          \
                for (int k = 0; k < LANES; k++)                                                    \
                    if (k < columns)                                                               \
                        store_##suffix(y + (j + k) * ld + i, square[k]);                           \
            }                                                                                      \
        }                                                                                          \
        for (; i < rows; i++)                                                                      \
            for (int64_t j = 0; j < w; j++)                                                        \
                y[j * ld + i] = x[i * w + j];                                                      \
    }
GT_SQUARES(4, float, GT_GEMM_LANES_F32, f32)
GT_SQUARES(8, double, GT_GEMM_LANES_F64, f64)
#endif

#define GT_PART(size, turn)                                                                        \
    void GT_KERNEL(part_##size)(int64_t rows, int64_t w, const void *x, void *y, int64_t ld)       \
    {                                                                                              \
        if (w <= GT_NARROW_##size && parted(rows, w, size == 8, x, y, ld))                         \
            return;                                                                                \
        GT_PART_WIDE(size, rows, w, x, y, ld);                                                     \
    }                                                                                              \
    void GT_KERNEL(braid_##size)(int64_t rows, int64_t w, const void *x, int64_t ld, void *y)      \
    {                                                                                              \
        if (w <= GT_NARROW_##size && braided(rows, w, size == 8, x, ld, y))                        \
            return;                                                                                \
        GT_BRAID_WIDE(size, turn, rows, w, x, ld, y);                                              \
    }
GT_PART(4, GT_KERNEL(turn_f32))
GT_PART(8, GT_KERNEL(turn_f64))

#define GT_SPREAD(size, type, quick)                                                               \
    void GT_KERNEL(spread_##size)(int64_t rows, int64_t n, const void *from, void *to)             \
    {                                                                                              \
        const type *x = from;                                                                      \
        type *y = to;                                                                              \
        if (quick)                                                                                 \
            return;                                                                                \
        for (int64_t i = 0; i < rows; i++, y += n) {                                               \
            GT_ROLLED                                                                              \
            for (int64_t j = 0; j < n; j++)                                                        \
                y[j] = x[i];                                                                       \
        }                                                                                          \
    }
#if GT_NARROW_4 && !defined(GT_RARE_ELSEWHERE)
/* 16 rows at a time, each vector of y from their bytes. */
static bool bytes_repeated(int64_t rows, int64_t n, const uint8_t *x, uint8_t *y)
{
    enum { ROWS = 16, MOST = 16 };
    char place[ROWS * MOST];
    if (n > MOST || rows < ROWS)
        return false;
    for (int64_t row = 0, k = 0; row < ROWS; row++, k += n)
        memset(place + k, (int)row, (size_t)n);
    for (int64_t i = 0; i < rows; i += ROWS) {
        i = i < rows - ROWS ? i : rows - ROWS;
        const __m128i from = piece((const char *)x + i);
        GT_ROLLED
        for (int64_t j = 0; j < n; j++)
            _mm_storeu_si128((__m128i *)(void *)(y + i * n + ROWS * j),
                             _mm_shuffle_epi8(from, piece(place + ROWS * j)));
    }
    return true;
}
GT_SPREAD(1, uint8_t, bytes_repeated(rows, n, from, to))
#elif !defined(GT_RARE_ELSEWHERE)
GT_SPREAD(1, uint8_t, false)
#endif
#if GT_IS_BASE(GT_ISA)
GT_SPREAD(2, uint16_t, false)
#endif
GT_SPREAD(4, uint32_t, repeated(rows, n, 0, from, to))
GT_SPREAD(8, uint64_t, repeated(rows, n, 1, from, to))
