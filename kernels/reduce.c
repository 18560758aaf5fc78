/* Reductions of floats whose bits depend on the numbers and their count alone (reduce.h has the order), and the softmax
 * family that is made of them; integers: once/integer_reductions.c. Leans on functions.h. */
#include "functions.h"
#include "narrow.h"
#include "reduce.h"

#define GT_GROUP 1024 /* numbers that one pass of softmax takes */
#define GT_SHORT 32   /* rows of fewer numbers are worked on side by side, GT_SIDE at a time */
_Static_assert(GT_GROUP == GT_LOSS_CLASSES, "up to there softmax and log_softmax have one sum");
_Static_assert(GT_TERMS >= GT_GROUP + 16, "a number for each row of a group");

#define GT_T          float
#define GT_REAL       32
#define GT_PART       GT_KERNEL(part_4)
#define GT_I          uint32_t
#define GT_NAME(name) name##_f32
#define GT_LOWEST     -INFINITY
#define GT_IS_NAN(x)  ((x) != (x))
#include "reduce_template.h"
#undef GT_IS_NAN
#undef GT_PART

#define GT_T          double
#define GT_REAL       64
#define GT_PART       GT_KERNEL(part_8)
#define GT_I          uint64_t
#define GT_NAME(name) name##_f64
#define GT_LOWEST     -INFINITY
#define GT_IS_NAN(x)  ((x) != (x))
#include "reduce_template.h"
#undef GT_IS_NAN
#undef GT_PART

#ifndef GT_RARE_ELSEWHERE
/* The products are exact in double; lanes as in a block of a row. */
double GT_KERNEL(dot_f32)(int64_t n, const float *a, const float *b)
{
    enum { LANES = 32 };
    double lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)a[i + l] * (double)b[i + l];
    }
    for (int l = 0; i + l < n; l++)
        lane[l] += (double)a[i + l] * (double)b[i + l];
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    }
    return lane[0];
}
#endif

#define GT_T              float
#define GT_NAME(name)     name##_f32
#define GT_FUNCTION(name) gt_##name##_f32
#define GT_PART           GT_KERNEL(part_4)
#define GT_SIDE           16
#define GT_BRAID          GT_KERNEL(braid_4)
#define GT_SPREAD         GT_KERNEL(spread_4)
#include "softmax_template.h"

#define GT_T              double
#define GT_NAME(name)     name##_f64
#define GT_FUNCTION(name) gt_##name##_f64
#define GT_PART           GT_KERNEL(part_8)
#define GT_SIDE           8
#define GT_BRAID          GT_KERNEL(braid_8)
#define GT_SPREAD         GT_KERNEL(spread_8)
#include "softmax_template.h"
