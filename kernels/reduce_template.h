/* The four reductions of reduce.c for one element type GT_T, computed in GT_U (without sign, where
 * integers wrap). Included once for each type; not a header. */

#define GT_OP(name)      GT_NAME(name##_sum)
#define GT_START         0
#define GT_COMBINE(a, b) ((GT_T)((GT_U)(a) + (GT_U)(b)))
#include "reduce_operation.h"

#define GT_OP(name)      GT_NAME(name##_prod)
#define GT_START         1
#define GT_COMBINE(a, b) ((GT_T)((GT_U)(a) * (GT_U)(b)))
#include "reduce_operation.h"

#define GT_OP(name)      GT_NAME(name##_max)
#define GT_START         GT_LOWEST
#define GT_COMBINE(a, b) ((((a) > (b)) | GT_IS_NAN(a)) ? (a) : (b))
#include "reduce_operation.h"

#define GT_OP(name)      GT_NAME(name##_min)
#define GT_START         GT_HIGHEST
#define GT_COMBINE(a, b) ((((a) < (b)) | GT_IS_NAN(a)) ? (a) : (b))
#include "reduce_operation.h"

#undef GT_T
#undef GT_U
#undef GT_NAME
#undef GT_LOWEST
#undef GT_HIGHEST
