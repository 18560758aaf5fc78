/* How optimizers change variables: one pass over a variable and its slots, in place. Which slots
 * there are is a constant of an inlined function, so that each case is a loop without a branch.
 * Tiles may be cut anywhere, since an element depends on nothing but the elements of slots and
 * gradient at its place, on the rate and on the count. Leans on loops.h. */
#include <math.h>
#include <string.h>

#include "loops.h"

/* Elements that belong together: of w and its slots, of the gradient. */
typedef struct Part {
    int64_t n;
    void *to[4];
    const void *g;
    double first, second; /* factors of g */
} Part;
/* One pass over a part; what the two numbers are is the pass's own. */
typedef void Pass(const Part *part, const void *job, double rate, double decay);

#define GT_T          float
#define GT_NAME(name) name##_f32
#define GT_SQRT       sqrtf
#include "optimizer_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#define GT_SQRT       sqrt
#include "optimizer_template.h"

/* A count that cannot be is taken as the nearest that can. */
static int64_t calls_before(const void *count)
{
    int64_t calls = *(const int64_t *)count;
    return calls < 0 ? 0 : calls < INT64_MAX ? calls : INT64_MAX - 1;
}

static bool is_due(int64_t calls, int64_t accumulation)
{
    return accumulation == 1 || (calls + 1) % accumulation == 0;
}

static const void *number_at(const gt_UpdateJob *job, void *const *at, int which)
{
    return at[job->slots + 2 + which];
}

static double real_at(const gt_UpdateJob *job, void *const *at, int which, int type)
{
    const void *real = number_at(job, at, which);
    return type == GT_LOOP_F64 ? *(const double *)real : (double)*(const float *)real;
}

static double rate_of(const gt_UpdateJob *job, void *const *at)
{
    return real_at(job, at, 0, job->rate);
}

static int64_t count_of(const gt_UpdateJob *job, void *const *at)
{
    return calls_before(number_at(job, at, 1));
}

/* What is done, and with which numbers. */
typedef struct Doing {
    Pass *pass;
    const void *job;
    double rate, decay;
} Doing;

/* The pass over n elements: of w and its slots from element `to` on, of the gradient from element `from` on. */
static void pass_over(const gt_UpdateJob *job, void *const *at, const Doing *doing, int64_t n,
                      int64_t to, int64_t from)
{
    int64_t bytes = job->type == GT_LOOP_F64 ? 8 : 4;
    Part part = {
        .n = n, .g = (const char *)at[job->slots + 1] + from * bytes, .first = 1, .second = 1};
    if (job->scaled) {
        const double factor = real_at(job, at, 3, job->scaled - 1);
        part.first = factor > 1e-30 || factor != factor ? factor : 1e-30;
        part.second = factor / part.first;
    }
    for (int i = 0; i <= job->slots; i++)
        part.to[i] = (char *)at[i] + to * bytes;
    doing->pass(&part, doing->job, doing->rate, doing->decay);
}

/* The pass over tiles [first, last): of w as a whole, or row by row. */
static void update(const gt_UpdateJob *job, void *const *at, int64_t first, int64_t last,
                   Pass *pass, const void *given, double rate, double decay)
{
    const Doing doing = {pass, given, rate, decay};
    if (!job->by_rows) {
        int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
        pass_over(job, at, &doing, (end < job->size ? end : job->size) - begin, begin, begin);
        return;
    }
    const int64_t *rows = number_at(job, at, 2);
    int64_t end = last * job->group < job->parts ? last * job->group : job->parts;
    for (int64_t i = first * job->group; i < end; i++)
        if (rows[i] >= 0 && rows[i] < job->size / job->width)
            pass_over(job, at, &doing, job->width, rows[i] * job->width, i * job->width);
}

/* Each element by itself, as sgd_pass says; a constant is rounded to the element type first. Any order of tiles. */
void GT_KERNEL(tiles_sgd)(const void *given, void *const *at, int64_t first, int64_t last,
                          void *scratch)
{
    const gt_SgdJob *job = given;
    double rate = rate_of(&job->update, at);
    (void)scratch;
    if (is_due(count_of(&job->update, at), job->update.accumulation))
        update(&job->update, at, first, last, job->update.type == GT_LOOP_F64 ? sgd_f64 : sgd_f32,
               job, rate, rate * job->weight_decay);
}

/* base^exponent by squaring: the same bits whatever the C library. */
static double whole_power(double base, int64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

/* Each element by itself, as adam_pass says; alpha is computed in double, as written, and rounded. Any order of
 * tiles. */
void GT_KERNEL(tiles_adam)(const void *given, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    const gt_AdamJob *job = given;
    int64_t calls = count_of(&job->update, at), t = calls / job->update.accumulation + 1;
    double rate = rate_of(&job->update, at);
    (void)scratch;
    if (!is_due(calls, job->update.accumulation))
        return;
    double alpha = rate * sqrt(1 - whole_power(job->beta_2, t)) / (1 - whole_power(job->beta_1, t));
    update(&job->update, at, first, last, job->update.type == GT_LOOP_F64 ? adam_f64 : adam_f32,
           job, alpha, rate * job->weight_decay);
}

#ifndef GT_RARE_ELSEWHERE /* memory takes the time of these */
/* Each element by itself, as adagrad_pass says; a constant is rounded to the element type first. Any order of tiles. */
void GT_KERNEL(tiles_adagrad)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_AdagradJob *job = given;
    double rate = rate_of(&job->update, at);
    (void)scratch;
    if (is_due(count_of(&job->update, at), job->update.accumulation))
        update(&job->update, at, first, last,
               job->update.type == GT_LOOP_F64 ? adagrad_f64 : adagrad_f32, job, rate,
               rate * job->weight_decay);
}

/* ---- two arrays and the count ---- */

typedef void PairPass(int64_t n, void *to, const void *from, double momentum);

static void pair(const gt_PairJob *job, void *const *at, int64_t first, int64_t last,
                 PairPass *narrow, PairPass *wide)
{
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    int64_t n = (end < job->size ? end : job->size) - begin;
    if (job->type == GT_LOOP_F64)
        wide(n, (double *)at[0] + begin, at[1] ? (const double *)at[1] + begin : NULL,
             job->momentum);
    else
        narrow(n, (float *)at[0] + begin, at[1] ? (const float *)at[1] + begin : NULL,
               job->momentum);
}

static void zero_f32(int64_t n, void *to, const void *from, double momentum)
{
    (void)from, (void)momentum;
    memset(to, 0, (size_t)n * sizeof(float));
}

static void zero_f64(int64_t n, void *to, const void *from, double momentum)
{
    (void)from, (void)momentum;
    memset(to, 0, (size_t)n * sizeof(double));
}

static void copy_f32(int64_t n, void *to, const void *from, double momentum)
{
    (void)momentum;
    memcpy(to, from, (size_t)n * sizeof(float));
}

static void copy_f64(int64_t n, void *to, const void *from, double momentum)
{
    (void)momentum;
    memcpy(to, from, (size_t)n * sizeof(double));
}

/* sum[i] + g[i], rounded. Any order of tiles. */
void GT_KERNEL(tiles_accumulate)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_PairJob *job = given;
    (void)scratch;
    if (is_due(calls_before(at[2]), job->accumulation))
        pair(job, at, first, last, zero_f32, zero_f64);
    else if (at[1])
        pair(job, at, first, last, accumulate_f32, accumulate_f64);
}

/* Keras counts updates here, also at the calls between two of them. */
static int64_t updates_before(const gt_PairJob *job, void *const *at)
{
    return calls_before(at[2]) / job->accumulation;
}

/* (average - w) momentum + w, each operation rounded. Any order of tiles. */
void GT_KERNEL(tiles_average)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const gt_PairJob *job = given;
    (void)scratch;
    if (updates_before(job, at) == 0)
        pair(job, at, first, last, copy_f32, copy_f64);
    else
        pair(job, at, first, last, average_f32, average_f64);
}

/* Copies. Any order of tiles. */
void GT_KERNEL(tiles_overwrite)(const void *given, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    const gt_PairJob *job = given;
    (void)scratch;
    if (job->frequency == 0 ? calls_before(at[2]) > 0
                            : (updates_before(job, at) + 1) % job->frequency == 0)
        pair(job, at, first, last, copy_f32, copy_f64);
}
#endif

#if GT_IS_BASE(GT_ISA)
/* count += 1, but for the largest; at {count, count}. */
void GT_KERNEL(tiles_count)(const void *given, void *const *at, int64_t first, int64_t last,
                            void *scratch)
{
    int64_t *count = at[0];
    (void)given, (void)first, (void)last, (void)scratch;
    *count += *count < INT64_MAX;
}
#endif
