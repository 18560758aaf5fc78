/* Constants: tensors from a rule instead of from data. What they make has no gradient; inside a
 * traced function it is a constant of the graph. */
#ifndef GT_OPS_CREATION_H
#define GT_OPS_CREATION_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define GT_FULL_OPTIONS(F)                                                                         \
    F(uint32_t, size, (uint32_t)sizeof(gt_FullOptions), "for ABI growth")                          \
    F(gt_DType, dtype, GT_FLOAT32, "the type of the result")
typedef struct gt_FullOptions gt_FullOptions;
struct gt_FullOptions {
    GT_FULL_OPTIONS(GT_MEMBER)
};
#define GT_FULL_KEYWORDS_(...) GT_KEYWORDS(gt_FullOptions, GT_FULL_OPTIONS, __VA_ARGS__)

/* gt_full(gt_shape(2, 3), 0.5, .dtype = GT_FLOAT64): that number everywhere. The number must fit
 * the type. */
#define gt_full(shape, ...)                                                                        \
    gt_full_at(GT_HERE, shape, GT_FIRST(__VA_ARGS__), GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_full_at(const char *here, gt_Shape shape, double value,
                             const gt_FullOptions *options);
/* gt_zeros_of(shape), gt_ones_of(shape, .dtype = GT_INT32). (gt_zeros and gt_ones are
 * initializers.) */
#define gt_zeros_of(...)                                                                           \
    gt_full_at(GT_HERE, GT_FIRST(__VA_ARGS__), 0, GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
#define gt_ones_of(...)                                                                            \
    gt_full_at(GT_HERE, GT_FIRST(__VA_ARGS__), 1, GT_FULL_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))

#define GT_FULL_LIKE_OPTIONS(F)                                                                    \
    F(uint32_t, size, (uint32_t)sizeof(gt_FullLikeOptions), "for ABI growth")                      \
    F(gt_DType, dtype, GT_DTYPE_NONE, "the type of the result; none: that of x")
typedef struct gt_FullLikeOptions gt_FullLikeOptions;
struct gt_FullLikeOptions {
    GT_FULL_LIKE_OPTIONS(GT_MEMBER)
};
#define GT_FULL_LIKE_KEYWORDS_(...)                                                                \
    GT_KEYWORDS(gt_FullLikeOptions, GT_FULL_LIKE_OPTIONS, __VA_ARGS__)

/* Of the shape of x: gt_full_like(x, 2), gt_zeros_like(x), gt_ones_like(x, .dtype = GT_BOOL). */
#define gt_full_like(x, ...)                                                                       \
    gt_full_like_at(GT_HERE, x, GT_FIRST(__VA_ARGS__),                                             \
                    GT_FULL_LIKE_KEYWORDS_(GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_full_like_at(const char *here, const gt_Tensor *x, double value,
                                  const gt_FullLikeOptions *options);
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
                               const gt_FullOptions *options);

#define GT_LINSPACE_OPTIONS(F)                                                                     \
    F(uint32_t, size, (uint32_t)sizeof(gt_LinspaceOptions), "for ABI growth")                      \
    F(gt_DType, dtype, GT_FLOAT32, "the type of the result, floats")                               \
    F(bool, endpoint, true, "is stop the last number? else the one behind it")
typedef struct gt_LinspaceOptions gt_LinspaceOptions;
struct gt_LinspaceOptions {
    GT_LINSPACE_OPTIONS(GT_MEMBER)
};
/* gt_linspace(0, 1, 11): that many numbers from start to stop, all equally far apart. */
#define gt_linspace(start, stop, ...)                                                              \
    gt_linspace_at(GT_HERE, start, stop, GT_FIRST(__VA_ARGS__),                                    \
                   GT_KEYWORDS(gt_LinspaceOptions, GT_LINSPACE_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_linspace_at(const char *here, double start, double stop, int64_t count,
                                 const gt_LinspaceOptions *options);

#define GT_EYE_OPTIONS(F)                                                                          \
    F(uint32_t, size, (uint32_t)sizeof(gt_EyeOptions), "for ABI growth")                           \
    F(int64_t, columns, GT_INHERIT, "GT_INHERIT: as many as rows")                                 \
    F(int64_t, k, 0, "which diagonal: 0 the main one, above it positive")                          \
    F(gt_DType, dtype, GT_FLOAT32, "the type of the result")
typedef struct gt_EyeOptions gt_EyeOptions;
struct gt_EyeOptions {
    GT_EYE_OPTIONS(GT_MEMBER)
};
/* gt_eye(3), gt_eye(3, .columns = 4): ones on the diagonal, zeros elsewhere. */
#define gt_eye(...)                                                                                \
    gt_eye_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                      \
              GT_KEYWORDS(gt_EyeOptions, GT_EYE_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_eye_at(const char *here, int64_t rows, const gt_EyeOptions *options);

GT_END

#endif
