/* Running sums and products, and the recurrence that the gradient of a running product is made of. Leans on loops.h. */
#include "kernels/loops.h"
#include "kernels/reduction.h"
#include "kernels/scaled.h"

#define BESIDE 64 /* columns that run beside each other, in double */

/* As near to 1 as a float; 0 is, too. */
static inline bool is_near(double x)
{
    return (fabs(x) > 0x1p-150 && fabs(x) < 0x1p150) || x == 0;
}

#define GT_T          float
#define GT_NAME(name) name##_f32
#define GT_TOGETHER   4
#include "running_template.h"
#define GT_T          double
#define GT_NAME(name) name##_f64
#define GT_TOGETHER   1
#include "running_template.h"
#define GT_T          int32_t
#define GT_U          uint32_t
#define GT_NAME(name) name##_i32
#include "running_integer_template.h"
#define GT_T          int64_t
#define GT_U          uint64_t
#define GT_NAME(name) name##_i64
#include "running_integer_template.h"
#define GT_T          uint8_t
#define GT_U          uint32_t
#define GT_NAME(name) name##_u8
#include "running_integer_template.h"

typedef void Running(int64_t count, int64_t width, int64_t step, bool exclusive, const void *x,
                     void *y);
static Running *const sums[GT_LOOP_TYPES] = {running_sum_f32, running_sum_f64, running_sum_i32,
                                             running_sum_i64, running_sum_u8,  NULL};
static Running *const products[GT_LOOP_TYPES] = {running_product_f32, running_product_f64,
                                                 running_product_i32, running_product_i64,
                                                 running_product_u8,  NULL};

void gt_running_row(const gt_RunningJob *job, const void *x, void *y)
{
    const int64_t from = job->reverse ? (job->count - 1) * job->element : 0;
    Running *run = (job->kind == GT_RUNNING_SUM ? sums : products)[job->type];
    run(job->count, 1, job->reverse ? -1 : 1, job->exclusive, (const char *)x + from,
        (char *)y + from);
}

void gt_running_tiles(const gt_RunningJob *job, void *const *at, int64_t first, int64_t last)
{
    int64_t step = job->reverse ? -job->inner : job->inner, strips = job->outer * job->strips;
    int64_t end = last * job->group < strips ? last * job->group : strips;
    for (int64_t strip = first * job->group; strip < end; strip++) {
        int64_t column = strip % job->strips * job->width;
        int64_t width = job->inner - column < job->width ? job->inner - column : job->width;
        int64_t from = strip / job->strips * job->count * job->inner + column;
        if (job->reverse)
            from += (job->count - 1) * job->inner;
        const char *x = (const char *)at[0] + from * job->element;
        char *y = (char *)at[1] + from * job->element;
        if (job->kind == GT_RUNNING_SUM)
            sums[job->type](job->count, width, step, job->exclusive, x, y);
        else if (job->kind == GT_RUNNING_PRODUCT)
            products[job->type](job->count, width, step, job->exclusive, x, y);
        else if (job->type == GT_LOOP_F32)
            recur_f32(job->count, width, step, (const float *)at[0] + from,
                      (const float *)at[1] + from, (float *)at[2] + from);
        else
            recur_f64(job->count, width, step, (const double *)at[0] + from,
                      (const double *)at[1] + from, (double *)at[2] + from);
    }
}
