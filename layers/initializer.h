/* Initializers: the first values of weights. An initializer is a small value; its draws derive
 * from the seed, the path of the layer and the name of the weight, so a shared initializer never
 * gives two weights the same numbers, and the order in which C evaluates arguments changes
 * nothing (but see gt_call in layers/layer.h for layers that are in no container). */
#ifndef GT_LAYERS_INITIALIZER_H
#define GT_LAYERS_INITIALIZER_H

#include "core/context.h"
#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

typedef enum gt_Fan { GT_FAN_IN, GT_FAN_OUT, GT_FAN_AVG } gt_Fan;
typedef enum gt_Distribution {
    GT_DISTRIBUTION_TRUNCATED_NORMAL,
    GT_DISTRIBUTION_UNTRUNCATED_NORMAL,
    GT_DISTRIBUTION_UNIFORM
} gt_Distribution;

typedef struct gt_InitializerClass gt_InitializerClass;
/* An initializer: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Initializer {
    const gt_InitializerClass *type;
    void *context;
    uint64_t options[8]; /* of the class */
} gt_Initializer;

/* Fills `data` (row-major, of that spec) from a stream of random numbers; for one's own
 * initializer. */
typedef gt_Status (*gt_InitializerFunction)(void *context, const gt_Spec *spec, void *data,
                                            uint64_t stream);

#define gt_GlorotUniform_OPTIONS(F, S)                                                             \
    F(S, int64_t, seed, -1, "-1: from the context's seed; else these draws depend on it alone")
GT_OPTIONS(gt_GlorotUniform_options, gt_GlorotUniform_OPTIONS);
typedef gt_GlorotUniform_options gt_GlorotNormal_options, gt_HeUniform_options, gt_HeNormal_options,
    gt_LecunUniform_options, gt_LecunNormal_options;

#define gt_RandomNormal_OPTIONS(F, S)                                                              \
    F(S, double, mean, 0, "of the distribution")                                                   \
    F(S, double, stddev, 0.05, "of the distribution, before truncation")                           \
    F(S, int64_t, seed, -1, "-1: from the context's seed")
GT_OPTIONS(gt_RandomNormal_options, gt_RandomNormal_OPTIONS);
typedef gt_RandomNormal_options gt_TruncatedNormal_options;
#define gt_RandomUniform_OPTIONS(F, S)                                                             \
    F(S, double, minval, -0.05, "lowest")                                                          \
    F(S, double, maxval, 0.05, "below this")                                                       \
    F(S, int64_t, seed, -1, "-1: from the context's seed")
GT_OPTIONS(gt_RandomUniform_options, gt_RandomUniform_OPTIONS);
#define gt_VarianceScaling_OPTIONS(F, S)                                                           \
    F(S, double, scale, 1, "> 0")                                                                  \
    F(S, gt_Fan, mode, GT_FAN_IN, "which fan")                                                     \
    F(S, gt_Distribution, distribution, GT_DISTRIBUTION_TRUNCATED_NORMAL, "what is drawn")         \
    F(S, int64_t, seed, -1, "-1: from the context's seed")
GT_OPTIONS(gt_VarianceScaling_options, gt_VarianceScaling_OPTIONS);
#define gt_Orthogonal_OPTIONS(F, S)                                                                \
    F(S, double, gain, 1, "every singular value")                                                  \
    F(S, int64_t, seed, -1, "-1: from the context's seed")
GT_OPTIONS(gt_Orthogonal_options, gt_Orthogonal_OPTIONS);
#define gt_Constant_OPTIONS(F, S) F(S, double, value, 0, "of every element")
GT_OPTIONS(gt_Constant_options, gt_Constant_OPTIONS);
#define gt_IdentityInitializer_OPTIONS(F, S) F(S, double, gain, 1, "on the diagonal")
GT_OPTIONS(gt_IdentityInitializer_options, gt_IdentityInitializer_OPTIONS);

GT_API gt_Initializer gt_Zeros(void);
GT_API gt_Initializer gt_Ones(void);
/* gt_Constant(0.5) */
#define gt_Constant(...) gt_Constant_of(GT_KEYWORDS_MAYBE_1(gt_Constant, value, __VA_ARGS__))
GT_API gt_Initializer gt_Constant_of(const gt_Constant_options *options);
/* The identity matrix times a gain, gt_IdentityInitializer(2); exactly two dimensions. */
#define gt_IdentityInitializer(...)                                                                \
    gt_IdentityInitializer_of(GT_KEYWORDS_MAYBE_1(gt_IdentityInitializer, gain, __VA_ARGS__))
GT_API gt_Initializer gt_IdentityInitializer_of(const gt_IdentityInitializer_options *options);
/* One's own: called with the context pointer when the weight's first values are needed. */
GT_API gt_Initializer gt_initializer(gt_InitializerFunction function, void *context);

/* gt_RandomNormal(.stddev = 0.1). Truncated: redrawn outside two deviations. (The operations
 * that draw tensors are gt_normal and gt_uniform.) */
#define gt_RandomNormal(...) gt_RandomNormal_of(GT_KEYWORDS(gt_RandomNormal, __VA_ARGS__))
GT_API gt_Initializer gt_RandomNormal_of(const gt_RandomNormal_options *options);
#define gt_RandomUniform(...) gt_RandomUniform_of(GT_KEYWORDS(gt_RandomUniform, __VA_ARGS__))
GT_API gt_Initializer gt_RandomUniform_of(const gt_RandomUniform_options *options);
#define gt_TruncatedNormal(...) gt_TruncatedNormal_of(GT_KEYWORDS(gt_RandomNormal, __VA_ARGS__))
GT_API gt_Initializer gt_TruncatedNormal_of(const gt_RandomNormal_options *options);
/* gt_VarianceScaling(.scale = 2, .mode = GT_FAN_OUT): s = scale / max(1, fan). Truncated normal
 * has deviation sqrt(s) after the truncation (sqrt(s) / 0.87962566103423978 before), untruncated
 * sqrt(s), uniform is +-sqrt(3 s). Fans: (rows, columns) of a matrix; for kernels (..., in, out)
 * both times the receptive field. */
#define gt_VarianceScaling(...) gt_VarianceScaling_of(GT_KEYWORDS(gt_VarianceScaling, __VA_ARGS__))
GT_API gt_Initializer gt_VarianceScaling_of(const gt_VarianceScaling_options *options);
/* Glorot and Bengio 2010: scale 1, fan_avg. He et al. 2015: 2, fan_in. LeCun 1998: 1, fan_in.
 * The normal ones are truncated. gt_GlorotUniform(), gt_GlorotUniform(.seed = 7). */
#define GT_SEED_(...)         GT_KEYWORDS(gt_GlorotUniform, __VA_ARGS__)
#define gt_GlorotUniform(...) gt_GlorotUniform_of(GT_SEED_(__VA_ARGS__))
#define gt_GlorotNormal(...)  gt_GlorotNormal_of(GT_SEED_(__VA_ARGS__))
#define gt_HeUniform(...)     gt_HeUniform_of(GT_SEED_(__VA_ARGS__))
#define gt_HeNormal(...)      gt_HeNormal_of(GT_SEED_(__VA_ARGS__))
#define gt_LecunUniform(...)  gt_LecunUniform_of(GT_SEED_(__VA_ARGS__))
#define gt_LecunNormal(...)   gt_LecunNormal_of(GT_SEED_(__VA_ARGS__))
GT_API gt_Initializer gt_GlorotUniform_of(const gt_GlorotUniform_options *options);
GT_API gt_Initializer gt_GlorotNormal_of(const gt_GlorotUniform_options *options);
GT_API gt_Initializer gt_HeUniform_of(const gt_GlorotUniform_options *options);
GT_API gt_Initializer gt_HeNormal_of(const gt_GlorotUniform_options *options);
GT_API gt_Initializer gt_LecunUniform_of(const gt_GlorotUniform_options *options);
GT_API gt_Initializer gt_LecunNormal_of(const gt_GlorotUniform_options *options);
/* Saxe et al. 2014: (all but the last axis, last axis) has orthonormal rows or columns, times gain.
 * At least two dimensions. */
#define gt_Orthogonal(...) gt_Orthogonal_of(GT_KEYWORDS(gt_Orthogonal, __VA_ARGS__))
GT_API gt_Initializer gt_Orthogonal_of(const gt_Orthogonal_options *options);

/* A class of initializers, for one that has options and a name to be saved under. */
struct gt_InitializerClass {
    const gt_Mark *mark; /* GT_MARK */
    uint32_t size;       /* of this struct */
    const char *name;    /* "glorot_uniform" */
    const gt_OptionType
        *options;     /* NULL: none; int64_t seed among them: -1, or what draws depend on */
    bool floats_only; /* refuses weights of integers */
    gt_Status (*fill)(const gt_Initializer *self, const gt_Spec *spec, void *data, uint64_t stream);
};

/* Writes an initializer's numbers into `data`, which holds spec->size elements. `path` names whose
 * they are: the same seed and path give the same numbers. */
#define gt_initialize(...) gt_initialize_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_initialize_at(const char *here, gt_Initializer initializer, const char *path,
                                  const gt_Spec *spec, void *data);

GT_END

#endif
