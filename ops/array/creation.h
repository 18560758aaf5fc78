/* Constants: tensors from a rule instead of from data. What they make has no gradient; inside a
 * traced function it is a constant of the graph. */
#ifndef GT_OPS_CREATION_H
#define GT_OPS_CREATION_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_full_OPTIONS(F, S) F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result")
GT_OPTIONS(gt_full_options, gt_full_OPTIONS);
typedef gt_full_options gt_zeros_options, gt_ones_options, gt_arange_options;
#define GT_FULL_KEYWORDS_(...) GT_KEYWORDS(gt_full, __VA_ARGS__)

/* gt_full(gt_shape(2, 3), 0.5, .dtype = GT_FLOAT64): that number everywhere. The number must fit
 * the type. */
#define gt_full(shape, ...)                                                                        \
    gt_full_at(GT_HERE, shape, GT_FIRST(__VA_ARGS__), GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_full_at(const char *here, gt_Shape shape, double value,
                             const gt_full_options *options);
/* gt_zeros(shape), gt_ones(shape, .dtype = GT_INT32) */
#define gt_zeros(...)                                                                              \
    gt_full_at(GT_HERE, GT_FIRST(__VA_ARGS__), 0, GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
#define gt_ones(...)                                                                               \
    gt_full_at(GT_HERE, GT_FIRST(__VA_ARGS__), 1, GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))

#define gt_full_like_OPTIONS(F, S)                                                                 \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "the type of the result; none: that of x")
GT_OPTIONS(gt_full_like_options, gt_full_like_OPTIONS);
typedef gt_full_like_options gt_zeros_like_options, gt_ones_like_options;
#define GT_FULL_LIKE_KEYWORDS_(...) GT_KEYWORDS(gt_full_like, __VA_ARGS__)

/* Of the shape of x: gt_full_like(x, 2), gt_zeros_like(x), gt_ones_like(x, .dtype = GT_BOOL). */
#define gt_full_like(x, ...)                                                                       \
    gt_full_like_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                             \
                    GT_FULL_LIKE_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_full_like_at(const char *here, const gt_Tensor *x, double value,
                                  const gt_full_like_options *options);
#define gt_zeros_like(...)                                                                         \
    gt_full_like_at(GT_HERE, GT_FIRST(__VA_ARGS__), 0,                                             \
                    GT_FULL_LIKE_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
#define gt_ones_like(...)                                                                          \
    gt_full_like_at(GT_HERE, GT_FIRST(__VA_ARGS__), 1,                                             \
                    GT_FULL_LIKE_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))

/* gt_arange(0, 5, 1): start, start + step, ... as long as it is before stop. */
#define gt_arange(start, stop, ...)                                                                \
    gt_arange_at(GT_HERE, start, stop, GT_FIRST(__VA_ARGS__),                                      \
                 GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_arange_at(const char *here, double start, double stop, double step,
                               const gt_full_options *options);

#define gt_linspace_OPTIONS(F, S)                                                                  \
    F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result, floats")                            \
    F(S, bool, endpoint, true, "is stop the last number? else the one behind it")
GT_OPTIONS(gt_linspace_options, gt_linspace_OPTIONS);
/* gt_linspace(0, 1, 11): that many numbers from start to stop, all equally far apart. */
#define gt_linspace(start, stop, ...)                                                              \
    gt_linspace_at(GT_HERE, start, stop, GT_FIRST(__VA_ARGS__),                                    \
                   GT_KEYWORDS(gt_linspace, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_linspace_at(const char *here, double start, double stop, int64_t count,
                                 const gt_linspace_options *options);

#define gt_eye_OPTIONS(F, S)                                                                       \
    F(S, int64_t, columns, GT_INHERIT, "GT_INHERIT: as many as rows")                              \
    F(S, int64_t, k, 0, "which diagonal: 0 the main one, above it positive")                       \
    F(S, gt_DType, dtype, GT_FLOAT32, "the type of the result")
GT_OPTIONS(gt_eye_options, gt_eye_OPTIONS);
/* gt_eye(3), gt_eye(3, .columns = 4): ones on the diagonal, zeros elsewhere. */
#define gt_eye(...)                                                                                \
    gt_eye_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_eye, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_eye_at(const char *here, int64_t rows, const gt_eye_options *options);

GT_END

#endif
