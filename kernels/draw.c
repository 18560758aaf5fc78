/* Random draws as kernels of tiles: see draw.h. The streams are random.c's. Leans on
 * functions.h. */
#define GT_UNFUSED /* draws are the same on every processor, classes too */
#include "draw.h"

#include "broadcast.h"
#include "functions.h"

/* Numbers that are drawn before something is done with them. */
enum { PIECE = 512 };

static int64_t tile_elements(int64_t first, int64_t last, int64_t size, int64_t *begin)
{
    int64_t end = last * GT_TILE_ELEMENTS;
    *begin = first * GT_TILE_ELEMENTS;
    return (end < size ? end : size) - *begin;
}

#ifndef GT_RARE_ELSEWHERE
/* ---- uniform, normal, truncated normal ---- */

/* y = y scale + shift: a product, rounded, and a sum, rounded. */
static void scale_and_shift(int type, int64_t n, void *y, double scale, double shift)
{
    if (type == GT_LOOP_F32) {
        float *to = y, by = (float)scale, plus = (float)shift;
        for (int64_t i = 0; i < n; i++)
            to[i] = to[i] * by + plus;
    } else {
        double *to = y;
        for (int64_t i = 0; i < n; i++)
            to[i] = to[i] * scale + shift;
    }
}

/* Every attempt is a stream of its own, and element i takes the first that has a number within 2 at
 * place i. One number in 22 is drawn again, so a piece of 512 needs three or four attempts; after
 * 64 (not in the age of the universe) zeros would do. */
enum { ATTEMPTS = 64 };

#define GT_TRUNCATED(suffix, type, TYPE)                                                           \
    static void truncated_##suffix(const void *state, int64_t first, int64_t n, type *y)           \
    {                                                                                              \
        gt_RandomLoop *normal = GT_KERNEL(kernels).random_normal[TYPE];                            \
        type again[PIECE];                                                                         \
        normal(gt_draw_stream(state, 0), first, n, y);                                             \
        for (uint64_t attempt = 1; attempt <= ATTEMPTS; attempt++) {                               \
            int64_t outside = 0;                                                                   \
            for (int64_t i = 0; i < n; i++)                                                        \
                outside += !(y[i] >= -2 && y[i] <= 2);                                             \
            if (outside == 0)                                                                      \
                return;                                                                            \
            normal(gt_draw_stream(state, attempt), first, n, again);                               \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = y[i] >= -2 && y[i] <= 2 ? y[i] : attempt < ATTEMPTS ? again[i] : 0;         \
        }                                                                                          \
    }
GT_TRUNCATED(f32, float, GT_LOOP_F32)
GT_TRUNCATED(f64, double, GT_LOOP_F64)

/* Scaled and shifted unless scale is 1 and shift 0; any order of tiles. */
void GT_KERNEL(tiles_draw)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_DrawJob *job = given;
    int64_t begin, n = tile_elements(first, last, job->size, &begin);
    int64_t element = job->type == GT_LOOP_F32 ? 4 : 8;
    char *y = (char *)at[job->place] + begin * element;
    (void)scratch;
    if (job->kind == GT_DRAW_UNIFORM)
        GT_KERNEL(kernels).random_uniform[job->type](gt_draw_stream(at[0], 0), begin, n, y);
    else if (job->kind == GT_DRAW_NORMAL)
        GT_KERNEL(kernels).random_normal[job->type](gt_draw_stream(at[0], 0), begin, n, y);
    else
        for (int64_t done = 0; done < n; done += PIECE) {
            int64_t count = n - done < PIECE ? n - done : PIECE;
            if (job->type == GT_LOOP_F32)
                truncated_f32(at[0], begin + done, count, (float *)(void *)y + done);
            else
                truncated_f64(at[0], begin + done, count, (double *)(void *)y + done);
        }
    if (job->shift != 0 || job->scale != 1)
        scale_and_shift(job->type, n, y, job->scale, job->shift);
}

/* ---- integers ---- */

/* The remainder of 64 random bits: numbers differ in probability by less than range / 2^64; any order of tiles. */
void GT_KERNEL(tiles_draw_integers)(const void *given, void *const *at, int64_t first, int64_t last,
                                    void *scratch)
{
    const gt_DrawIntegersJob *job = given;
    int64_t begin, n = tile_elements(first, last, job->size, &begin);
    uint64_t bits[PIECE];
    void *y = at[job->place];
    (void)scratch;
    for (int64_t from = begin; from < begin + n; from += PIECE) {
        int64_t count = begin + n - from < PIECE ? begin + n - from : PIECE;
        GT_KERNEL(kernels).random_bits(gt_draw_stream(at[0], 0), from, count, bits);
        for (int64_t i = 0; i < count; i++) {
            int64_t number = (int64_t)(job->low + bits[i] % job->range);
            if (job->type == GT_LOOP_I64)
                ((int64_t *)y)[from + i] = number;
            else if (job->type == GT_LOOP_I32)
                ((int32_t *)y)[from + i] = (int32_t)number;
            else
                ((uint8_t *)y)[from + i] = (uint8_t)number;
        }
    }
}

/* ---- classes ---- */

/* The running sums of e^(logit - the largest), in double, in the order of the classes; the last is what they come to. */
static double distribution(const gt_DrawClassesJob *job, const void *logits, int64_t row,
                           double *sums)
{
    const float *narrow = (const float *)logits + row * job->classes;
    const double *wide = (const double *)logits + row * job->classes;
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < job->classes; i++) {
        sums[i] = job->logits == GT_LOOP_F32 ? (double)narrow[i] : wide[i];
        most = sums[i] > most ? sums[i] : most;
    }
    for (int64_t i = 0; i < job->classes; i++)
        sums[i] = gt_exp_f64(sums[i] - most);
    for (int64_t i = 0; i < job->classes; i++)
        sums[i] = sum += sums[i];
    return sum;
}

/* The first class whose sum is above the number: none of probability 0, which adds nothing. */
static int64_t class_of(const double *sums, int64_t classes, double number)
{
    int64_t low = 0, high = classes - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] > number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Row r has the numbers [r samples, (r + 1) samples) of the stream; any order of tiles. */
void GT_KERNEL(tiles_draw_classes)(const void *given, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    const gt_DrawClassesJob *job = given;
    double *sums = scratch, uniform[PIECE];
    for (int64_t row = first; row < last; row++) {
        double total = distribution(job, at[1], row, sums);
        for (int64_t done = 0; done < job->samples; done += PIECE) {
            int64_t count = job->samples - done < PIECE ? job->samples - done : PIECE;
            int64_t from = row * job->samples + done;
            GT_KERNEL(kernels).random_uniform[GT_LOOP_F64](gt_draw_stream(at[0], 0), from, count,
                                                           uniform);
            for (int64_t i = 0; i < count; i++) {
                int64_t drawn = class_of(sums, job->classes, uniform[i] * total);
                if (job->type == GT_LOOP_I64)
                    ((int64_t *)at[2])[from + i] = drawn;
                else
                    ((int32_t *)at[2])[from + i] = (int32_t)drawn;
            }
        }
    }
}
#endif

/* ---- dropout ---- */

/* A float32 decides in both types: element i of x by number i of the stream. */
static void drop_elements(const gt_DropoutJob *job, void *const *at, int64_t begin, int64_t n)
{
    float uniform[PIECE], rate = job->rate;
    for (int64_t from = begin; from < begin + n; from += PIECE) {
        int64_t count = begin + n - from < PIECE ? begin + n - from : PIECE;
        GT_KERNEL(kernels).random_uniform[GT_LOOP_F32](gt_draw_stream(at[0], 0), from, count,
                                                       uniform);
        if (job->type == GT_LOOP_F32) {
            const float *x = (const float *)at[1] + from;
            float *y = (float *)at[2] + from, scale = (float)job->scale;
            for (int64_t i = 0; i < count; i++)
                y[i] = uniform[i] >= rate ? x[i] * scale : 0;
        } else {
            const double *x = (const double *)at[1] + from;
            double *y = (double *)at[2] + from;
            for (int64_t i = 0; i < count; i++)
                y[i] = uniform[i] >= rate ? x[i] * job->scale : 0;
        }
    }
}

/* n elements of a row; the noise steps by 1, or is one number for all. */
static void drop_row(const void *given, void *const *at, int64_t n, const int64_t *offset,
                     int64_t output)
{
    const gt_DropoutJob *job = given;
    int64_t step = job->walk.stride[1][job->walk.rank - 1];
    float uniform[PIECE], rate = job->rate;
    for (int64_t done = 0; done < n; done += PIECE) {
        int64_t count = n - done < PIECE ? n - done : PIECE, numbers = step ? count : 1;
        GT_KERNEL(kernels).random_uniform[GT_LOOP_F32](gt_draw_stream(at[0], 0),
                                                       offset[1] + step * done, numbers, uniform);
        if (job->type == GT_LOOP_F32) {
            const float *x = (const float *)at[1] + offset[0] + done, scale = (float)job->scale;
            float *y = (float *)at[2] + output + done;
            for (int64_t i = 0; i < count; i++)
                y[i] = x[i] * (uniform[step * i] >= rate ? scale : 0);
        } else {
            const double *x = (const double *)at[1] + offset[0] + done;
            double *y = (double *)at[2] + output + done;
            for (int64_t i = 0; i < count; i++)
                y[i] = x[i] * (uniform[step * i] >= rate ? job->scale : 0);
        }
    }
}

/* Any order of tiles. */
void GT_KERNEL(tiles_dropout)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_DropoutJob *job = given;
    int64_t begin, n = tile_elements(first, last, job->size, &begin);
    (void)scratch;
    if (job->noise)
        gt_broadcast_tiles(&job->walk, drop_row, job, at, first, last);
    else
        drop_elements(job, at, begin, n);
}
