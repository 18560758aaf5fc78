/* The reductions of reduce.c for one element type GT_T, and the search for what one of them found.
 * Numbers of GT_REAL bits are added and multiplied in double. Included once for each type, with GT_I an unsigned
 * integer of its width; not a header. */

/* Sums, squares, products and extremes in vectors of 512 bits take no less time, but for many short rows of sums and squares. */
#ifdef GT_RARE_ELSEWHERE
#define GT_ELSEWHERE
#endif
#define GT_OP(name)      GT_NAME(name##_sum)
#define GT_A             double
#define GT_START         0
#define GT_COMBINE(a, b) ((a) + (b))
#define GT_TERM(x)       ((double)(x))
#if GT_REAL == 32
#define GT_RUN   32
#define GT_LANES 16
#else
#define GT_LANES 32
#endif
#include "reduce_operation.h"

#define GT_OP(name)      GT_NAME(name##_squares)
#define GT_A             double
#define GT_START         0
#define GT_COMBINE(a, b) ((a) + (b))
#define GT_TERM(x)       ((double)(x) * (double)(x))
#define GT_LANES         32
#include "reduce_operation.h"

#ifdef GT_RARE_ELSEWHERE
#define GT_FEW_ELSEWHERE
#else
#include "reduce_product.h"
#endif

#ifndef GT_RARE_ELSEWHERE
/* y may be x. */
static GT_NOINLINE void GT_NAME(turn)(int64_t n, const GT_T *x, GT_T *y)
{
    GT_INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        y[i] = -x[i];
}
#endif

/* The least number is found as the largest, too. */
#define GT_OP(name)      GT_NAME(name##_max)
#define GT_A             GT_T
#define GT_START         GT_LOWEST
#define GT_COMBINE(a, b) ((((a) > (b)) | GT_IS_NAN(a)) ? (a) : (b))
#define GT_TERM(x)       (x)
#define GT_LANES         32
#ifndef GT_RARE_ELSEWHERE
#define GT_TURNS
#endif
#include "reduce_operation.h"
#undef GT_ELSEWHERE
#undef GT_FEW_ELSEWHERE

#ifndef GT_RARE_ELSEWHERE
/* The place of a maximum or minimum that is known: two steps, for an exit in the loop would keep it
 * from becoming vector code. */
int64_t GT_KERNEL(GT_NAME(find))(int64_t n, const void *from, const void *value)
{
    enum { LANES = 32 };
    const GT_T *x = from, wanted = *(const GT_T *)value;
    int64_t i = 0;
    for (GT_I found = 0; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            found |= ((x[i + l] == wanted) | GT_IS_NAN(x[i + l])) ? (GT_I)1 : (GT_I)0;
        if (found)
            break;
    }
    while (i < n && !((x[i] == wanted) | GT_IS_NAN(x[i])))
        i++;
    return i;
}
#endif

#undef GT_T
#undef GT_I
#undef GT_NAME
#undef GT_LOWEST
#undef GT_REAL
