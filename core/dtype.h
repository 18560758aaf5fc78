/* Element types. The numbers are part of the ABI and never change; not every dtype has every
 * operation, and an operation that lacks one says so. float16 and bfloat16 are for storage:
 * operations that move elements accept them, gt_cast converts them, and gt_matmul and gt_conv sum in float32. */
#ifndef GT_CORE_DTYPE_H
#define GT_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/export.h"

GT_BEGIN

/* The type of a tensor's elements. */
typedef enum gt_DType {
    GT_DTYPE_NONE = 0, /* "not given": inherited, or taken from the data */
    GT_FLOAT32 = 1,
    GT_FLOAT64 = 2,
    GT_INT32 = 3,
    GT_INT64 = 4,
    GT_UINT8 = 5,
    GT_BOOL = 6,
    GT_FLOAT16 = 7,
    GT_BFLOAT16 = 8,
    GT_INT8 = 9,
    GT_INT16 = 10,
    GT_UINT16 = 11,
    GT_UINT32 = 12,
    GT_UINT64 = 13,
    GT_COMPLEX64 = 14,
    GT_COMPLEX128 = 15,
    GT_DTYPE_COUNT = 16,
    GT_TEXT = 254, /* strings, gt_Strings: of inputs of models and layers; no tensor has it */
    GT_DTYPE_POLICIES = 0xFFFF /* a policy is a number below: gt_mixed_bfloat16 in layers/layer.h */
} gt_DType;

/* Bytes of one element; 0 for GT_DTYPE_NONE and for integers that are no dtype. */
GT_API size_t gt_dtype_size(gt_DType dtype);
/* "float32", "int64", ...; "none" or "unknown" otherwise. Static storage. */
GT_API const char *gt_dtype_name(gt_DType dtype);
/* The dtype of that name, GT_DTYPE_NONE if there is none. */
GT_API gt_DType gt_dtype_from_name(const char *name);
/* Is it real floating point: float16, bfloat16, float32, float64? */
GT_API bool gt_dtype_is_float(gt_DType dtype);
/* Is it an integer, signed or unsigned? bool is not. */
GT_API bool gt_dtype_is_integer(gt_DType dtype);

GT_END

#endif
