/* Initializers: the first values of weights. An initializer is a small value. Its draws derive
 * from the seed, the path of the layer and the name of the weight, so a shared initializer never
 * gives two weights the same numbers, and the order in which C evaluates arguments changes
 * nothing (but see gt_call in layers/layer.h for layers that are in no container).
 *
 * Without a seed of its own a draw depends on the context's seed (gt_set_seed), the model, the path in
 * it and the weight's name. With `.seed = 7` it depends on 7, the path below the outermost layer and the
 * name: another model of the same layers starts from the same numbers, two weights of one model do
 * not. (In Keras an initializer with a seed gives all weights of one shape the same numbers.) */
#ifndef GT_LAYERS_INITIALIZER_H
#define GT_LAYERS_INITIALIZER_H

#include "core/context.h"
#include "core/keyword.h"
#include "core/shape.h"
#include "core/tensor.h"
#include "ops/math/fourier.h"

GT_BEGIN

typedef struct gt_InitializerClass gt_InitializerClass;
/* An initializer: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Initializer {
    const gt_InitializerClass *type;
    void *context;
    uint64_t options[20]; /* of the class, by value */
} gt_Initializer;

/* ---- the same everywhere, or at known places ---- */

/* Every element 0, every element 1. */
GT_API gt_Initializer gt_Zeros(void);
GT_API gt_Initializer gt_Ones(void);
/* gt_Constant(0.5); gt_Constant(.array = tensor), in C++ gt_Constant(0, .array = tensor): its elements, converted to the weight's dtype and broadcast to
 * its shape. The tensor must live until the weight has its values; a layer that was given the
 * initializer as an option keeps a copy. */
#define gt_Constant_OPTIONS(F, S)                                                                  \
    F(S, double, value, 0, "of every element")                                                     \
    F(S, gt_Tensor *, array, NULL, "broadcast to the weight's shape; NULL: value everywhere")
GT_OPTIONS(gt_Constant_options, gt_Constant_OPTIONS);
#define gt_Constant(...) gt_Constant_of(GT_KEYWORDS_MAYBE_1(gt_Constant, value, __VA_ARGS__))
GT_API gt_Initializer gt_Constant_of(const gt_Constant_options *options);
/* The identity matrix times a gain, gt_IdentityInitializer(2); exactly two dimensions, which may differ. */
#define gt_IdentityInitializer_OPTIONS(F, S) F(S, double, gain, 1, "on the diagonal")
GT_OPTIONS(gt_IdentityInitializer_options, gt_IdentityInitializer_OPTIONS);
#define gt_IdentityInitializer(...)                                                                \
    gt_IdentityInitializer_of(GT_KEYWORDS_MAYBE_1(gt_IdentityInitializer, gain, __VA_ARGS__))
GT_API gt_Initializer gt_IdentityInitializer_of(const gt_IdentityInitializer_options *options);

/* ---- drawn from a distribution ---- */

#define GT_INITIALIZER_SEED(F, S)                                                                  \
    F(S, int64_t, seed, -1, "of these draws; -1: the context's, see above")

/* gt_RandomNormal(.stddev = 0.1). Truncated: what is further than two deviations from the mean is
 * drawn again. (The operations that draw tensors are gt_normal, gt_truncated_normal, gt_uniform.) */
#define gt_RandomNormal_OPTIONS(F, S)                                                              \
    F(S, double, mean, 0, "of the distribution")                                                   \
    F(S, double, stddev, 0.05, "of the distribution, before truncation; >= 0")                     \
    GT_INITIALIZER_SEED(F, S)
GT_OPTIONS(gt_RandomNormal_options, gt_RandomNormal_OPTIONS);
typedef gt_RandomNormal_options gt_TruncatedNormal_options;
#define gt_RandomNormal(...) gt_RandomNormal_of(GT_KEYWORDS(gt_RandomNormal, __VA_ARGS__))
GT_API gt_Initializer gt_RandomNormal_of(const gt_RandomNormal_options *options);
#define gt_TruncatedNormal(...) gt_TruncatedNormal_of(GT_KEYWORDS(gt_RandomNormal, __VA_ARGS__))
GT_API gt_Initializer gt_TruncatedNormal_of(const gt_RandomNormal_options *options);
#define gt_RandomUniform_OPTIONS(F, S)                                                             \
    F(S, double, minval, -0.05, "the lower bound")                                                 \
    F(S, double, maxval, 0.05, "the upper bound, not reached but by rounding; >= minval")          \
    GT_INITIALIZER_SEED(F, S)
GT_OPTIONS(gt_RandomUniform_options, gt_RandomUniform_OPTIONS);
#define gt_RandomUniform(...) gt_RandomUniform_of(GT_KEYWORDS(gt_RandomUniform, __VA_ARGS__))
GT_API gt_Initializer gt_RandomUniform_of(const gt_RandomUniform_options *options);

/* ---- scaled by the fans ----
 *
 * How many inputs and outputs an output and an input are connected with: of a matrix (rows, columns), of a
 * vector twice its length, of a scalar (1, 1), of a kernel (..., in, out) in and out times the receptive
 * field, the product of the leading dimensions. */

typedef enum gt_Fan { GT_FAN_IN, GT_FAN_OUT, GT_FAN_AVG } gt_Fan;
/* What gt_VarianceScaling draws from; truncated: beyond two deviations it draws again. */
typedef enum gt_Distribution {
    GT_DISTRIBUTION_TRUNCATED_NORMAL,
    GT_DISTRIBUTION_UNTRUNCATED_NORMAL,
    GT_DISTRIBUTION_UNIFORM
} gt_Distribution;

/* gt_VarianceScaling(.scale = 2, .mode = GT_FAN_OUT): variance s = scale / max(1, fan), mean 0. The
 * truncated normal has the deviation sqrt(s) after the truncation (sqrt(s) / 0.87962566103423978
 * before), uniform is +-sqrt(3 s). With both lists of axes the fans are the products of these
 * dimensions. */
#define gt_VarianceScaling_OPTIONS(F, S)                                                           \
    F(S, double, scale, 1, "> 0")                                                                  \
    F(S, gt_Fan, mode, GT_FAN_IN, "which fan; avg: the mean of both")                              \
    F(S, gt_Distribution, distribution, GT_DISTRIBUTION_TRUNCATED_NORMAL, "what is drawn")         \
    GT_INITIALIZER_SEED(F, S)                                                                      \
    F(S, gt_Axes, input_axes, GT_NO_SIZES, "of the inputs; none: the last but one and the field")  \
    F(S, gt_Axes, output_axes, GT_NO_SIZES, "of the outputs; given together with input_axes")
GT_OPTIONS(gt_VarianceScaling_options, gt_VarianceScaling_OPTIONS);
#define gt_VarianceScaling(...) gt_VarianceScaling_of(GT_KEYWORDS(gt_VarianceScaling, __VA_ARGS__))
GT_API gt_Initializer gt_VarianceScaling_of(const gt_VarianceScaling_options *options);
/* Its well-known cases, gt_GlorotUniform(), gt_HeNormal(.seed = 7). Glorot and Bengio 2010: scale 1, avg.
 * He et al. 2015: 2, in. LeCun et al. 1998: 1, in. The normal ones are truncated. */
#define gt_GlorotUniform_OPTIONS(F, S) GT_INITIALIZER_SEED(F, S)
GT_OPTIONS(gt_GlorotUniform_options, gt_GlorotUniform_OPTIONS);
typedef gt_GlorotUniform_options gt_GlorotNormal_options, gt_HeUniform_options, gt_HeNormal_options,
    gt_LecunUniform_options, gt_LecunNormal_options;
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

/* ---- matrices and kernels of a form ---- */

/* As a matrix (all but the last axis, last axis) it has orthonormal rows or columns, whichever are fewer, times
 * gain (Saxe et al. 2014). At least two dimensions. */
#define gt_Orthogonal_OPTIONS(F, S)                                                                \
    F(S, double, gain, 1, "every singular value")                                                  \
    GT_INITIALIZER_SEED(F, S)
GT_OPTIONS(gt_Orthogonal_options, gt_Orthogonal_OPTIONS);
#define gt_Orthogonal(...) gt_Orthogonal_of(GT_KEYWORDS(gt_Orthogonal, __VA_ARGS__))
GT_API gt_Initializer gt_Orthogonal_of(const gt_Orthogonal_options *options);

/* Which part of the transform the kernel of gt_STFTInitializer computes. */
typedef enum gt_StftSide { GT_STFT_SIDE_REAL, GT_STFT_SIDE_IMAG } gt_StftSide;
/* What gt_STFTInitializer divides its window by. */
typedef enum gt_StftScaling {
    GT_STFT_SCALING_NONE,
    GT_STFT_SCALING_DENSITY, /* over the root of the sum of the window's squares */
    GT_STFT_SCALING_SPECTRUM /* over its sum */
} gt_StftScaling;
/* gt_STFTInitializer(.side = GT_STFT_SIDE_IMAG): a kernel of a convolution over time, (frame, 1, bins), that
 * computes the real or the imaginary parts of a short-time Fourier transform of length n = 2 (bins - 1):
 * window[t] cos or sin(-2 pi t f / n), scaled. Keras accepts every window of SciPy; here those
 * of gt_Window. */
#define gt_STFTInitializer_OPTIONS(F, S)                                                           \
    F(S, gt_StftSide, side, GT_STFT_SIDE_REAL, "which part")                                       \
    F(S, gt_Window, window, GT_WINDOW_HANN, "over the frame")                                      \
    F(S, gt_StftScaling, scaling, GT_STFT_SCALING_DENSITY, "of the window, where there is one")    \
    F(S, bool, periodic, false, "the window: of that length plus one, without its last")
GT_OPTIONS(gt_STFTInitializer_options, gt_STFTInitializer_OPTIONS);
#define gt_STFTInitializer(...) gt_STFTInitializer_of(GT_KEYWORDS(gt_STFTInitializer, __VA_ARGS__))
GT_API gt_Initializer gt_STFTInitializer_of(const gt_STFTInitializer_options *options);

/* ---- one's own ---- */

/* Fills `data` (row-major, of that spec) from a stream of random numbers: the same for the same seed and path. */
typedef gt_Status (*gt_InitializerFunction)(void *context, const gt_Spec *spec, void *data,
                                            uint64_t stream);
/* One's own: called with the context pointer when the weight's first values are needed. */
GT_API gt_Initializer gt_initializer(gt_InitializerFunction function, void *context);

/* A class of initializers: for one that has options, and a name to be saved under. */
struct gt_InitializerClass {
    const gt_Mark *mark; /* GT_MARK */
    uint32_t size;       /* of this struct */
    const char *name;    /* "glorot_uniform": what files say */
    /* NULL: none; at most as large as gt_Initializer's; int64_t seed among them: -1, or what draws depend on */
    const gt_OptionType *options;
    bool floats_only; /* refuses weights of integers */
    gt_Status (*fill)(const gt_Initializer *self, const gt_Spec *spec, void *data, uint64_t stream);
    /* Raises what is wrong with the options of `what`, "kernel_initializer"; NULL: nothing can be. */
    gt_Status (*check)(const gt_Initializer *self, const char *what);
    const char *function; /* "HeNormal": gt_HeNormal makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *aliases;  /* other names that Keras accepts, with spaces between; NULL: none */
    const char *summary;  /* one line for the documentation */
    /* For options that refer to something else: makes that the value's own, before a layer or a weight keeps the
     * value; and gives it back. Values are copied as bytes, and each copy that is kept is held by itself. NULL:
     * nothing to be done. */
    gt_Status (*hold)(gt_Initializer *self);
    void (*drop)(gt_Initializer *self);
};
/* A value of that class; `options` is a struct of its type, or NULL for the defaults. */
GT_API gt_Initializer gt_initializer_make(const gt_InitializerClass *type, const void *options);

/* All built-in classes of initializers; count gets how many. Static storage. */
GT_API const gt_InitializerClass *const *gt_initializer_classes(int *count);
/* The built-in class of that name, ours ("he_normal"), Keras's ("HeNormal") or one of its aliases ("normal");
 * NULL without an error if there is none. */
GT_API const gt_InitializerClass *gt_initializer_class_find(const char *name);

/* Writes an initializer's numbers into `data`, which holds spec->size elements. `path` names whose
 * they are: the same seed and path give the same numbers. */
#define gt_initialize(...) gt_initialize_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_initialize_at(const char *here, gt_Initializer initializer, const char *path,
                                  const gt_Spec *spec, void *data);

GT_END

#endif
