/* RandomRotation, RandomZoom, RandomTranslation, RandomShear: images moved in training. */
#ifndef GT_LAYERS_PREPROCESSING_RANDOM_AFFINE_H
#define GT_LAYERS_PREPROCESSING_RANDOM_AFFINE_H

#include "layers/preprocessing/value_range.h"
#include "ops/nn/image.h"

GT_BEGIN

/* Layers of this file draw new numbers for each image in training, evenly from a range: one number f, in Keras's way, stands for
 * -f to f; a pair is .factor_lower and .factor, Keras's (lower, upper). The same pair twice is no draw. In inference images
 * are as they were. Images are (batch, height, width, channels), or one without the batch; integers become floats of
 * the layer's type, float32 if it has none. Between pixels and outside of the image numbers are those of
 * gt_affine_transform. Masks end here. Keras's labels, bounding boxes and masks of segments are not accepted. The
 * generator's state is a variable of the layer, saved with it. */
#define gt_RandomRotation_OPTIONS(F, S)                                                            \
    F(S, double, factor, (double)NAN, "parts of a turn, -1 to 1, counterclockwise; required")      \
    F(S, double, factor_lower, (double)NAN, "the other end of the range; NAN: -factor")            \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_REFLECT, "what is seen outside: not MIRROR")         \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    GT_SEED(F, S)                                                                                  \
    F(S, double, fill_value, 0.0, "the number of GT_FILL_MODE_CONSTANT")                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomRotation_options, gt_RandomRotation_OPTIONS);
/* gt_RandomRotation(0.1): turned about the middle by up to 36 degrees either way; what is turned by a keeps at (u, v), from
 * the middle, what was at (u cos a - v sin a, u sin a + v cos a). */
#define gt_RandomRotation(...)                                                                     \
    gt_RandomRotation_at(GT_HERE, GT_KEYWORDS_1(gt_RandomRotation, factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomRotation_at(const char *here, const gt_RandomRotation_options *options);

#define gt_RandomZoom_OPTIONS(F, S)                                                                \
    F(S, double, height_factor, (double)NAN, "above -1, to 1; positive zooms out; required")       \
    F(S, double, height_factor_lower, (double)NAN, "the other end; NAN: -height_factor")           \
    F(S, double, width_factor, (double)NAN, "the same across; NAN: None, as much as down")         \
    F(S, double, width_factor_lower, (double)NAN, "the other end; NAN: -width_factor")             \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_REFLECT, "what is seen outside: not MIRROR")         \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    GT_SEED(F, S)                                                                                  \
    F(S, double, fill_value, 0.0, "the number of GT_FILL_MODE_CONSTANT")                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomZoom_options, gt_RandomZoom_OPTIONS);
/* gt_RandomZoom(0.2): images shrunk by up to 1.2 or enlarged by up to 1 / 0.8 about their middle, as much down as across
 * unless there is a width_factor; the size stays. */
#define gt_RandomZoom(...)                                                                         \
    gt_RandomZoom_at(GT_HERE, GT_KEYWORDS_1(gt_RandomZoom, height_factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomZoom_at(const char *here, const gt_RandomZoom_options *options);

#define gt_RandomTranslation_OPTIONS(F, S)                                                         \
    F(S, double, height_factor, (double)NAN, "parts of the height, -1 to 1, down; required")       \
    F(S, double, width_factor, (double)NAN, "parts of the width, to the right; required")          \
    F(S, double, height_factor_lower, (double)NAN, "the other end; NAN: -height_factor")           \
    F(S, double, width_factor_lower, (double)NAN, "the other end; NAN: -width_factor")             \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_REFLECT, "what is seen outside: not MIRROR")         \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    GT_SEED(F, S)                                                                                  \
    F(S, double, fill_value, 0.0, "the number of GT_FILL_MODE_CONSTANT")                           \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomTranslation_options, gt_RandomTranslation_OPTIONS);
/* gt_RandomTranslation(0.1, 0.2): moved by up to a tenth of the height and a fifth of the width. */
#define gt_RandomTranslation(...)                                                                  \
    gt_RandomTranslation_at(                                                                       \
        GT_HERE, GT_KEYWORDS_2(gt_RandomTranslation, height_factor, width_factor, __VA_ARGS__))
GT_API gt_Layer *gt_RandomTranslation_at(const char *here,
                                         const gt_RandomTranslation_options *options);

#define gt_RandomShear_OPTIONS(F, S)                                                               \
    F(S, double, x_factor, 0.0, "pixels across for each one down, 0 to 1")                         \
    F(S, double, x_factor_lower, (double)NAN, "the other end, 0 to 1; NAN: -x_factor")             \
    F(S, double, y_factor, 0.0, "pixels down for each one across, 0 to 1")                         \
    F(S, double, y_factor_lower, (double)NAN, "the other end, 0 to 1; NAN: -y_factor")             \
    F(S, gt_Interpolation, interpolation, GT_INTERPOLATION_BILINEAR, "bilinear or nearest")        \
    F(S, gt_FillMode, fill_mode, GT_FILL_MODE_REFLECT, "what is seen outside: not MIRROR")         \
    F(S, double, fill_value, 0.0, "the number of GT_FILL_MODE_CONSTANT")                           \
    GT_SEED(F, S)                                                                                  \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_RandomShear_options, gt_RandomShear_OPTIONS);
/* gt_RandomShear(.x_factor = 0.2): at column u, row v what was at (u + s v, v + t u), from the first pixel; s and t are
 * drawn, and a sign for both. */
#define gt_RandomShear(...) gt_RandomShear_at(GT_HERE, GT_KEYWORDS(gt_RandomShear, __VA_ARGS__))
GT_API gt_Layer *gt_RandomShear_at(const char *here, const gt_RandomShear_options *options);

GT_END

#endif
