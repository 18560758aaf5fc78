/* What weights start from. An initializer is a small value; its draws derive from the seed, the
 * path of the layer and the name of the weight, so a shared initializer never gives two weights the
 * same numbers, and the order in which C evaluates arguments changes nothing (but see gt_call in
 * layers/layer.h for layers that are in no container). */
#ifndef GT_LAYERS_INITIALIZER_H
#define GT_LAYERS_INITIALIZER_H

#include "core/context.h"
#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* Far from bare numbers: `.kernel_initializer = 1` fills in a kind that there is not. */
typedef enum gt_InitializerKind {
    /* not given: glorot_uniform for floats, zeros for integers */
    GT_INITIALIZER_DEFAULT = 0x5AE7A8F0,
    GT_INITIALIZER_CONSTANT,
    GT_INITIALIZER_UNIFORM,
    GT_INITIALIZER_NORMAL,
    GT_INITIALIZER_TRUNCATED_NORMAL,
    GT_INITIALIZER_VARIANCE_SCALING,
    GT_INITIALIZER_ORTHOGONAL,
    GT_INITIALIZER_IDENTITY,
    GT_INITIALIZER_FUNCTION
} gt_InitializerKind;

typedef enum gt_FanMode { GT_FAN_IN, GT_FAN_OUT, GT_FAN_AVG } gt_FanMode;
typedef enum gt_Distribution {
    GT_TRUNCATED_NORMAL,
    GT_UNTRUNCATED_NORMAL,
    GT_UNIFORM
} gt_Distribution;

/* Fills `data` (row-major, of that spec) from a stream of random numbers; for one's own
 * initializer. */
typedef gt_Status (*gt_InitializerFunction)(void *context, const gt_Spec *spec, void *data,
                                            uint64_t stream);

typedef struct gt_Initializer {
    gt_InitializerKind kind;
    double a, b; /* value; low, high; mean, stddev; scale; gain */
    gt_FanMode mode;
    gt_Distribution distribution;
    int64_t seed; /* -1: from the context's seed */
    gt_InitializerFunction function;
    void *context;
} gt_Initializer;
/* Of that kind, with nothing else said: for option lists. */
#define GT_INITIALIZER(kind)                                                                       \
    {                                                                                              \
        kind, 0, 0, (gt_FanMode)0, (gt_Distribution)0, 0, NULL, NULL                               \
    }

#define GT_SEED_OPTIONS(F)                                                                         \
    F(uint32_t, size, (uint32_t)sizeof(gt_SeedOptions), "for ABI growth")                          \
    F(int64_t, seed, -1, "-1: from the context's seed; else these draws depend on it alone")
typedef struct gt_SeedOptions gt_SeedOptions;
struct gt_SeedOptions {
    GT_SEED_OPTIONS(GT_MEMBER)
};
#define GT_SEED(...) GT_KEYWORDS(gt_SeedOptions, GT_SEED_OPTIONS, __VA_ARGS__)

#define GT_INITIAL_NORMAL_OPTIONS(F)                                                               \
    F(uint32_t, size, (uint32_t)sizeof(gt_InitializerNormalOptions), "for ABI growth")             \
    F(double, mean, 0, "of the distribution")                                                      \
    F(double, stddev, 0.05, "of the distribution, before truncation")                              \
    F(int64_t, seed, -1, "-1: from the context's seed")
typedef struct gt_InitializerNormalOptions gt_InitializerNormalOptions;
struct gt_InitializerNormalOptions {
    GT_INITIAL_NORMAL_OPTIONS(GT_MEMBER)
};
#define GT_INITIAL_UNIFORM_OPTIONS(F)                                                              \
    F(uint32_t, size, (uint32_t)sizeof(gt_InitializerUniformOptions), "for ABI growth")            \
    F(double, minval, -0.05, "lowest")                                                             \
    F(double, maxval, 0.05, "below this")                                                          \
    F(int64_t, seed, -1, "-1: from the context's seed")
typedef struct gt_InitializerUniformOptions gt_InitializerUniformOptions;
struct gt_InitializerUniformOptions {
    GT_INITIAL_UNIFORM_OPTIONS(GT_MEMBER)
};
#define GT_VARIANCE_SCALING_OPTIONS(F)                                                             \
    F(uint32_t, size, (uint32_t)sizeof(gt_VarianceScalingOptions), "for ABI growth")               \
    F(double, scale, 1, "> 0")                                                                     \
    F(gt_FanMode, mode, GT_FAN_IN, "which fan")                                                    \
    F(gt_Distribution, distribution, GT_TRUNCATED_NORMAL, "what is drawn")                         \
    F(int64_t, seed, -1, "-1: from the context's seed")
typedef struct gt_VarianceScalingOptions gt_VarianceScalingOptions;
struct gt_VarianceScalingOptions {
    GT_VARIANCE_SCALING_OPTIONS(GT_MEMBER)
};
#define GT_ORTHOGONAL_OPTIONS(F)                                                                   \
    F(uint32_t, size, (uint32_t)sizeof(gt_OrthogonalOptions), "for ABI growth")                    \
    F(double, gain, 1, "every singular value")                                                     \
    F(int64_t, seed, -1, "-1: from the context's seed")
typedef struct gt_OrthogonalOptions gt_OrthogonalOptions;
struct gt_OrthogonalOptions {
    GT_ORTHOGONAL_OPTIONS(GT_MEMBER)
};

GT_API gt_Initializer gt_zeros(void);
GT_API gt_Initializer gt_ones(void);
GT_API gt_Initializer gt_constant(double value);
/* The identity matrix times gain; exactly two dimensions. */
GT_API gt_Initializer gt_identity_matrix(double gain);
/* One's own: called at build with the context pointer. */
GT_API gt_Initializer gt_initializer(gt_InitializerFunction function, void *context);

/* gt_random_normal(.stddev = 0.1): Keras's RandomNormal, RandomUniform, TruncatedNormal. Truncated:
 * redrawn outside two deviations. (The operations that draw tensors are gt_normal and gt_uniform.)
 */
#define gt_random_normal(...)                                                                      \
    gt_random_normal_of(                                                                           \
        GT_KEYWORDS(gt_InitializerNormalOptions, GT_INITIAL_NORMAL_OPTIONS, __VA_ARGS__))
GT_API gt_Initializer gt_random_normal_of(const gt_InitializerNormalOptions *options);
#define gt_random_uniform(...)                                                                     \
    gt_random_uniform_of(                                                                          \
        GT_KEYWORDS(gt_InitializerUniformOptions, GT_INITIAL_UNIFORM_OPTIONS, __VA_ARGS__))
GT_API gt_Initializer gt_random_uniform_of(const gt_InitializerUniformOptions *options);
#define gt_truncated_normal(...)                                                                   \
    gt_truncated_normal_of(                                                                        \
        GT_KEYWORDS(gt_InitializerNormalOptions, GT_INITIAL_NORMAL_OPTIONS, __VA_ARGS__))
GT_API gt_Initializer gt_truncated_normal_of(const gt_InitializerNormalOptions *options);
/* gt_variance_scaling(.scale = 2, .mode = GT_FAN_OUT): s = scale / max(1, fan). Truncated normal
 * has deviation sqrt(s) after the truncation (sqrt(s) / 0.87962566103423978 before), untruncated
 * sqrt(s), uniform is +-sqrt(3 s). Fans: (rows, columns) of a matrix; for kernels (..., in, out)
 * both times the receptive field. */
#define gt_variance_scaling(...)                                                                   \
    gt_variance_scaling_of(                                                                        \
        GT_KEYWORDS(gt_VarianceScalingOptions, GT_VARIANCE_SCALING_OPTIONS, __VA_ARGS__))
GT_API gt_Initializer gt_variance_scaling_of(const gt_VarianceScalingOptions *options);
/* Glorot and Bengio 2010: scale 1, fan_avg. He et al. 2015: 2, fan_in. LeCun 1998: 1, fan_in.
 * The normal ones are truncated. gt_glorot_uniform(), gt_glorot_uniform(.seed = 7). */
#define gt_glorot_uniform(...) gt_glorot_uniform_of(GT_SEED(__VA_ARGS__))
#define gt_glorot_normal(...)  gt_glorot_normal_of(GT_SEED(__VA_ARGS__))
#define gt_he_uniform(...)     gt_he_uniform_of(GT_SEED(__VA_ARGS__))
#define gt_he_normal(...)      gt_he_normal_of(GT_SEED(__VA_ARGS__))
#define gt_lecun_uniform(...)  gt_lecun_uniform_of(GT_SEED(__VA_ARGS__))
#define gt_lecun_normal(...)   gt_lecun_normal_of(GT_SEED(__VA_ARGS__))
GT_API gt_Initializer gt_glorot_uniform_of(const gt_SeedOptions *options);
GT_API gt_Initializer gt_glorot_normal_of(const gt_SeedOptions *options);
GT_API gt_Initializer gt_he_uniform_of(const gt_SeedOptions *options);
GT_API gt_Initializer gt_he_normal_of(const gt_SeedOptions *options);
GT_API gt_Initializer gt_lecun_uniform_of(const gt_SeedOptions *options);
GT_API gt_Initializer gt_lecun_normal_of(const gt_SeedOptions *options);
/* Saxe et al. 2014: (all but the last axis, last axis) has orthonormal rows or columns, times gain.
 * At least two dimensions. */
#define gt_orthogonal(...)                                                                         \
    gt_orthogonal_of(GT_KEYWORDS(gt_OrthogonalOptions, GT_ORTHOGONAL_OPTIONS, __VA_ARGS__))
GT_API gt_Initializer gt_orthogonal_of(const gt_OrthogonalOptions *options);

/* Writes an initializer's numbers into `data`, which holds spec->size elements. `path` names whose
 * they are: the same seed and path give the same numbers. */
GT_API gt_Status gt_initialize(gt_Initializer initializer, const char *path, const gt_Spec *spec,
                               void *data);

GT_END

#endif
