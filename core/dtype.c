/* Names and sizes of the element types. */
#include "core/dtype.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[GT_DTYPE_COUNT] = {
    [GT_DTYPE_NONE] = {"none", 0},     [GT_FLOAT32] = {"float32", 4},
    [GT_FLOAT64] = {"float64", 8},     [GT_INT32] = {"int32", 4},
    [GT_INT64] = {"int64", 8},         [GT_UINT8] = {"uint8", 1},
    [GT_BOOL] = {"bool", 1},           [GT_FLOAT16] = {"float16", 2},
    [GT_BFLOAT16] = {"bfloat16", 2},   [GT_INT8] = {"int8", 1},
    [GT_INT16] = {"int16", 2},         [GT_UINT16] = {"uint16", 2},
    [GT_UINT32] = {"uint32", 4},       [GT_UINT64] = {"uint64", 8},
    [GT_COMPLEX64] = {"complex64", 8}, [GT_COMPLEX128] = {"complex128", 16},
};

size_t gt_dtype_size(gt_DType dtype)
{
    return (unsigned)dtype < GT_DTYPE_COUNT ? types[dtype].size : 0;
}

const char *gt_dtype_name(gt_DType dtype)
{
    if (dtype == GT_TEXT)
        return "text";
    return (unsigned)dtype < GT_DTYPE_COUNT ? types[dtype].name : "unknown";
}

gt_DType gt_dtype_from_name(const char *name)
{
    for (int i = 1; name && i < GT_DTYPE_COUNT; i++)
        if (strcmp(types[i].name, name) == 0)
            return (gt_DType)i;
    return name && strcmp(name, "text") == 0 ? GT_TEXT : GT_DTYPE_NONE;
}

bool gt_dtype_is_float(gt_DType dtype)
{
    return dtype == GT_FLOAT32 || dtype == GT_FLOAT64 || dtype == GT_FLOAT16 ||
           dtype == GT_BFLOAT16;
}

bool gt_dtype_is_integer(gt_DType dtype)
{
    return (dtype >= GT_INT32 && dtype <= GT_UINT8) || (dtype >= GT_INT8 && dtype <= GT_UINT64);
}
