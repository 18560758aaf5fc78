/* The classes of initializers: one line each, and what their files share. Not installed. */
#ifndef GT_LAYERS_INITIALIZERS_CLASSES_H
#define GT_LAYERS_INITIALIZERS_CLASSES_H

#include "layers/initializer.h"
#include "core/values.h"

/* clang-format off */
#define GT_INITIALIZERS(F)                                                                         \
    /* constant.c */                                                                               \
    F(zeros) F(ones) F(constant) F(identity)                                                       \
    /* random.c */                                                                                 \
    F(random_normal) F(random_uniform) F(truncated_normal)                                         \
    /* scaled.c */                                                                                 \
    F(variance_scaling)                                                                            \
    F(glorot_uniform) F(glorot_normal) F(he_uniform) F(he_normal) F(lecun_uniform) F(lecun_normal) \
    /* orthogonal.c */                                                                             \
    F(orthogonal)                                                                                  \
    /* stft.c */                                                                                   \
    F(stft)
/* clang-format on */

#define GT_DECLARE_INITIALIZER(name) extern const gt_InitializerClass gt_initializer_class_##name;
GT_INITIALIZERS(GT_DECLARE_INITIALIZER)

/* Every class begins with these: the name in files, the function gt_NAME, Keras's class, and one line that says
 * what it does. */
#define GT_INITIALIZER_RECORD(text, function_name, keras_name, line)                               \
    .mark = GT_MARK, .size = sizeof(gt_InitializerClass), .name = text, .function = function_name, \
    .keras = keras_name, .summary = line

/* ---- constant.c ---- */

/* What operations compute, converted to the weight's dtype and broadcast to its shape. No tape sees it. */
gt_Status gt_fill_computed(const gt_Spec *spec, void *data,
                           gt_Tensor *(*compute)(const gt_Spec *spec, const void *options),
                           const void *options);

/* ---- random.c ---- */

/* spec->size numbers of float32 or float64: a number z is drawn in that type, and z * scale + shift is computed
 * in double and rounded. Element i depends on the stream and on i alone. */
void gt_draw_uniform(const gt_Spec *spec, void *data, uint64_t stream, double low, double high);
void gt_draw_normal(const gt_Spec *spec, void *data, uint64_t stream, double mean, double stddev);
void gt_draw_truncated(const gt_Spec *spec, void *data, uint64_t stream, double mean,
                       double stddev);

#endif
