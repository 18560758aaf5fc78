/* Tensors. A gt_Tensor * is an opaque handle; the scope that is open when it is made owns it (the
 * outermost tape is one, gt_scope_begin opens one without a tape), so nobody frees a temporary by
 * hand. Used after its scope ended, a handle gives an error that says so. Tensors never change;
 * only variables (core/variable.h) do. */
#ifndef GT_CORE_TENSOR_H
#define GT_CORE_TENSOR_H

#include "core/dtype.h"
#include "core/error.h"
#include "core/export.h"
#include "core/keyword.h"
#include "core/shape.h"

GT_BEGIN

/* An array of elements of one type: a handle that belongs to the scope it was made in, and is never freed by hand. */
typedef struct gt_Tensor gt_Tensor;
/* A variable is a tensor with stable, mutable memory; what needs one checks at run time. */
typedef gt_Tensor gt_Variable;
/* Owns the tensors that are made while it is the innermost one, and frees them when it ends. */
typedef struct gt_Scope gt_Scope;

/* A few tensors in order. It borrows: the array is its maker's. */
typedef struct gt_Tensors {
    gt_Tensor *const *items;
    int32_t count;
} gt_Tensors;
/* From an array that ends with GT_LIST_END. */
GT_API gt_Tensors gt_tensors_list(gt_Tensor *const *items);

/* ---- scopes ---- */

/* Opens a scope: handles made from here on belong to it. NULL on failure. */
#define gt_scope_begin() gt_scope_begin_at(GT_HERE)
GT_API gt_Scope *gt_scope_begin_at(const char *here);
/* Ends the innermost scope, which must be this one; its handles are gone. Works while an error is
 * pending. NULL is ignored, so that a scope that failed to open may be ended. */
#define gt_scope_end(scope) gt_scope_end_at(GT_HERE, scope)
GT_API gt_Status gt_scope_end_at(const char *here, gt_Scope *scope);
/* Passes a handle to the scope around the innermost one and returns it. */
#define gt_keep(tensor) gt_keep_at(GT_HERE, tensor)
GT_API gt_Tensor *gt_keep_at(const char *here, gt_Tensor *tensor);

/* ---- from memory ---- */

/* A copy of row-major data; `data` holds as many elements of that dtype as the shape. */
#define gt_from_data(data, shape, dtype) gt_from_data_at(GT_HERE, data, shape, dtype)
GT_API gt_Tensor *gt_from_data_at(const char *here, const void *data, gt_Shape shape,
                                  gt_DType dtype);
/* The caller's memory itself, without a copy. It must outlive the scope and whatever was recorded
 * or is rows (gt_rows) from it, and stay unchanged meanwhile. */
#define gt_from_buffer(data, shape, dtype) gt_from_buffer_at(GT_HERE, data, shape, dtype)
GT_API gt_Tensor *gt_from_buffer_at(const char *here, const void *data, gt_Shape shape,
                                    gt_DType dtype);
/* From doubles: `count` values, converted to dtype, must fill the shape; or those before GT_NUMBERS_END. */
#define gt_from_values(...) gt_from_values_at(GT_HERE, __VA_ARGS__)
GT_API gt_Tensor *gt_from_values_at(const char *here, gt_Shape shape, gt_DType dtype, int64_t count,
                                    const double *values);
/* What gt_array makes: from the values before GT_NUMBERS_END, which must fill the shape. */
GT_API gt_Tensor *gt_array_at(const char *here, gt_Shape shape, gt_DType dtype,
                              const double *values);
/* A number as a tensor of shape (). */
#define gt_scalar(value, dtype) gt_scalar_at(GT_HERE, value, dtype)
GT_API gt_Tensor *gt_scalar_at(const char *here, double value, gt_DType dtype);

/* ---- looking at one ---- */

/* The shape; of rank -1 on failure. */
#define gt_tensor_shape(tensor) gt_tensor_shape_at(GT_HERE, tensor)
GT_API gt_Shape gt_tensor_shape_at(const char *here,
                                   const gt_Tensor *tensor);
/* How many dimensions; -1 on failure. */
#define gt_rank(tensor) gt_rank_at(GT_HERE, tensor)
GT_API int gt_rank_at(const char *here, const gt_Tensor *tensor);
/* How many elements; -1 on failure. */
#define gt_size(tensor) gt_size_at(GT_HERE, tensor)
GT_API int64_t gt_size_at(const char *here, const gt_Tensor *tensor);
/* The type of the elements; GT_DTYPE_NONE on failure. */
#define gt_dtype(tensor) gt_dtype_at(GT_HERE, tensor)
GT_API gt_DType gt_dtype_at(const char *here,
                            const gt_Tensor *tensor);
/* Type and shape; of dtype GT_DTYPE_NONE on failure. */
#define gt_spec(tensor) gt_spec_at(GT_HERE, tensor)
GT_API gt_Spec gt_spec_at(const char *here,
                          const gt_Tensor *tensor);

/* The elements, row-major. They live as long as the handle; those of a variable at the same address
 * for the variable's life. NULL on failure, and inside a traced function. Reading leaves the tape:
 * what is computed from it in C has no gradient. */
#define gt_data(tensor) gt_data_at(GT_HERE, tensor)
GT_API const void *gt_data_at(const char *here, const gt_Tensor *tensor);
/* The same, with the dtype checked. */
#define gt_float32_data(tensor)   ((const float *)gt_data_of_at(GT_HERE, tensor, GT_FLOAT32))
#define gt_float64_data(tensor)   ((const double *)gt_data_of_at(GT_HERE, tensor, GT_FLOAT64))
#define gt_int32_data(tensor)     ((const int32_t *)gt_data_of_at(GT_HERE, tensor, GT_INT32))
#define gt_int64_data(tensor)     ((const int64_t *)gt_data_of_at(GT_HERE, tensor, GT_INT64))
#define gt_data_of(tensor, dtype) gt_data_of_at(GT_HERE, tensor, dtype)
GT_API const void *gt_data_of_at(const char *here, const gt_Tensor *tensor, gt_DType dtype);
/* Element `index` in row-major order, as a double; NaN on failure. */
#define gt_element(tensor, index) gt_element_at(GT_HERE, tensor, index)
GT_API double gt_element_at(const char *here, const gt_Tensor *tensor, int64_t index);
/* The element of a tensor that has one; NaN on failure. */
#define gt_item(tensor) gt_item_at(GT_HERE, tensor)
GT_API double gt_item_at(const char *here, const gt_Tensor *tensor);

GT_END

#ifdef __cplusplus
#include <cstddef>
/* gt_tensors(a, b): lives to the end of the full expression. */
template <std::size_t N> struct gt_TensorArray {
    gt_Tensor *items[N];
    operator gt_Tensors() const
    {
        gt_Tensors list = {items, static_cast<int32_t>(N)};
        return list;
    }
};
template <class... T> inline gt_TensorArray<sizeof...(T)> gt_tensors(T... t)
{
    return gt_TensorArray<sizeof...(T)>{{t...}};
}
template <class... Values>
inline gt_Tensor *gt_array_of_(const char *here, gt_DType dtype, gt_Shape shape, Values... values)
{
    const double list[] = {static_cast<double>(values)..., GT_NUMBERS_END};
    return gt_array_at(here, shape, dtype, list);
}
#define gt_array(...)   gt_array_of_(GT_HERE, GT_FLOAT32, __VA_ARGS__)
#define gt_array64(...) gt_array_of_(GT_HERE, GT_FLOAT64, __VA_ARGS__)
#else
/* gt_tensors(a, b): a list that lives as long as the block it is written in. */
#define gt_tensors(...)        gt_tensors_list((gt_Tensor *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
/* gt_array(gt_shape(2, 2), 1, 2, 3, 4): a float32 tensor of these values; gt_array64 makes float64. */
#define gt_array(shape, ...)   gt_array_of_(GT_FLOAT32, shape, __VA_ARGS__)
#define gt_array64(shape, ...) gt_array_of_(GT_FLOAT64, shape, __VA_ARGS__)
#define gt_array_of_(dtype, shape, ...)                                                            \
    gt_array_at(GT_HERE, shape, dtype, (const double[]){__VA_ARGS__, GT_NUMBERS_END})
#endif

#endif
