/* The table of layers: one line each. Tests, files and documentation that want to know all
 * layers walk it. */
#ifndef GT_LAYERS_TABLE_H
#define GT_LAYERS_TABLE_H

#include "layers/layer.h"

GT_BEGIN

/* clang-format off */
#define GT_LAYERS(F)                                                                               \
    /* attention/attention.c */                                                                    \
    F(attention) F(additive_attention)                                                             \
    /* attention/multi_head_attention.c */                                                         \
    F(multi_head_attention) F(group_query_attention)                                               \
    /* conv/conv.c */                                                                              \
    F(conv1d) F(conv2d) F(conv3d)                                                                  \
    /* conv/depthwise.c */                                                                         \
    F(depthwise_conv1d) F(depthwise_conv2d)                                                        \
    /* conv/separable.c */                                                                         \
    F(separable_conv1d) F(separable_conv2d)                                                        \
    /* conv/transpose.c */                                                                         \
    F(conv1d_transpose) F(conv2d_transpose) F(conv3d_transpose)                                    \
    /* core/activation.c */                                                                        \
    F(activation)                                                                                  \
    /* core/dense.c */                                                                             \
    F(dense)                                                                                       \
    /* core/einsum_dense.c */                                                                      \
    F(einsum_dense)                                                                                \
    /* core/elu.c */                                                                               \
    F(elu)                                                                                         \
    /* core/embedding.c */                                                                         \
    F(embedding)                                                                                   \
    /* core/flatten.c */                                                                           \
    F(flatten)                                                                                     \
    /* core/identity.c */                                                                          \
    F(identity)                                                                                    \
    /* core/input_layer.c */                                                                       \
    F(input_layer)                                                                                 \
    /* core/lambda.c */                                                                            \
    F(lambda)                                                                                      \
    /* core/leaky_relu.c */                                                                        \
    F(leaky_re_lu)                                                                                 \
    /* core/masking.c */                                                                           \
    F(masking)                                                                                     \
    /* core/permute.c */                                                                           \
    F(permute)                                                                                     \
    /* core/prelu.c */                                                                             \
    F(p_re_lu)                                                                                     \
    /* core/relu.c */                                                                              \
    F(re_lu)                                                                                       \
    /* core/repeat_vector.c */                                                                     \
    F(repeat_vector)                                                                               \
    /* core/reshape.c */                                                                           \
    F(reshape)                                                                                     \
    /* core/reversible_embedding.c */                                                              \
    F(reversible_embedding)                                                                        \
    /* core/softmax.c */                                                                           \
    F(softmax)                                                                                     \
    /* merging/add.c */                                                                            \
    F(add)                                                                                         \
    /* merging/average.c */                                                                        \
    F(average)                                                                                     \
    /* merging/concatenate.c */                                                                    \
    F(concatenate)                                                                                 \
    /* merging/dot.c */                                                                            \
    F(dot)                                                                                         \
    /* merging/maximum.c */                                                                        \
    F(maximum)                                                                                     \
    /* merging/minimum.c */                                                                        \
    F(minimum)                                                                                     \
    /* merging/multiply.c */                                                                       \
    F(multiply)                                                                                    \
    /* merging/subtract.c */                                                                       \
    F(subtract)                                                                                    \
    /* models/functional.c */                                                                      \
    F(functional)                                                                                  \
    /* normalization/spectral_normalization.c */                                                   \
    F(spectral_normalization)                                                                      \
    /* recurrent/bidirectional.c */                                                                \
    F(bidirectional)                                                                               \
    /* recurrent/conv_lstm.c */                                                                    \
    F(conv_lstm1d) F(conv_lstm2d) F(conv_lstm3d)                                                   \
    /* recurrent/gru.c */                                                                          \
    F(gru) F(gru_cell)                                                                             \
    /* recurrent/lstm.c */                                                                         \
    F(lstm) F(lstm_cell)                                                                           \
    /* recurrent/rnn.c */                                                                          \
    F(rnn) F(stacked_rnn_cells)                                                                    \
    /* recurrent/simple_rnn.c */                                                                   \
    F(simple_rnn) F(simple_rnn_cell)                                                               \
    /* recurrent/time_distributed.c */                                                             \
    F(time_distributed)                                                                            \
    /* regularization/activity_regularization.c */                                                 \
    F(activity_regularization)                                                                     \
    /* regularization/alpha_dropout.c */                                                           \
    F(alpha_dropout)                                                                               \
    /* normalization/batch.c */                                                                    \
    F(batch_normalization)                                                                         \
    /* normalization/group.c */                                                                    \
    F(group_normalization)                                                                         \
    /* normalization/sample.c */                                                                   \
    F(layer_normalization) F(rms_normalization) F(unit_normalization)                              \
    /* pooling/adaptive.c */                                                                       \
    F(adaptive_average_pooling1d) F(adaptive_average_pooling2d) F(adaptive_average_pooling3d)      \
    F(adaptive_max_pooling1d) F(adaptive_max_pooling2d) F(adaptive_max_pooling3d)                  \
    /* pooling/average.c */                                                                        \
    F(average_pooling1d) F(average_pooling2d) F(average_pooling3d)                                 \
    /* pooling/global.c */                                                                         \
    F(global_average_pooling1d) F(global_average_pooling2d) F(global_average_pooling3d)            \
    F(global_max_pooling1d) F(global_max_pooling2d) F(global_max_pooling3d)                        \
    /* pooling/max.c */                                                                            \
    F(max_pooling1d) F(max_pooling2d) F(max_pooling3d)                                             \
    /* preprocessing/adaptive_equalization.c */                                                    \
    F(contrast_limited_adaptive_histogram_equalization)                                            \
    /* preprocessing/category_encoding.c */                                                    \
    F(category_encoding)                                                                       \
    /* preprocessing/discretization.c */                                                       \
    F(discretization)                                                                          \
    /* preprocessing/hashed_crossing.c */                                                      \
    F(hashed_crossing)                                                                         \
    /* preprocessing/hashing.c */                                                              \
    F(hashing)                                                                                 \
    /* preprocessing/integer_lookup.c */                                                       \
    F(integer_lookup)                                                                          \
    /* preprocessing/levels.c */                                                                   \
    F(auto_contrast) F(equalization) F(random_invert) F(random_posterization) F(solarization)      \
    /* preprocessing/normalization.c */                                                        \
    F(normalization)                                                                           \
    /* preprocessing/random_affine.c */                                                            \
    F(random_rotation) F(random_shear) F(random_translation) F(random_zoom)                        \
    /* preprocessing/random_color.c */                                                             \
    F(random_color_degeneration) F(random_color_jitter) F(random_grayscale) F(random_hue)          \
    F(random_saturation)                                                                           \
    /* preprocessing/random_filter.c */                                                            \
    F(random_erasing) F(random_gaussian_blur) F(random_sharpness)                                  \
    /* preprocessing/random_flip.c */                                                              \
    F(random_crop) F(random_flip)                                                                  \
    /* preprocessing/random_light.c */                                                             \
    F(random_brightness) F(random_contrast)                                                        \
    /* preprocessing/random_mix.c */                                                               \
    F(cut_mix) F(mix_up)                                                                           \
    /* preprocessing/random_perspective.c */                                                       \
    F(random_perspective)                                                                          \
    /* preprocessing/random_policy.c */                                                            \
    F(aug_mix) F(rand_augment)                                                                     \
    /* preprocessing/rescaling.c */                                                            \
    F(rescaling)                                                                               \
    /* preprocessing/string_lookup.c */                                                        \
    F(string_lookup)                                                                           \
    /* preprocessing/text_vectorization.c */                                                   \
    F(text_vectorization)                                                                      \
    /* preprocessing/spectrogram.c */                                                              \
    F(mel_spectrogram) F(stft_spectrogram)                                                         \
    /* preprocessing/resizing.c */                                                                 \
    F(center_crop) F(resizing)                                                                     \
    /* regularization/dropout.c */                                                                 \
    F(dropout)                                                                                     \
    /* regularization/gaussian_dropout.c */                                                        \
    F(gaussian_dropout)                                                                            \
    /* regularization/gaussian_noise.c */                                                          \
    F(gaussian_noise)                                                                              \
    /* regularization/spatial_dropout.c */                                                         \
    F(spatial_dropout1d) F(spatial_dropout2d) F(spatial_dropout3d)                                 \
    /* reshaping/cropping.c */                                                                     \
    F(cropping1d) F(cropping2d) F(cropping3d)                                                      \
    /* reshaping/up_sampling.c */                                                                  \
    F(up_sampling1d) F(up_sampling2d) F(up_sampling3d)                                             \
    /* reshaping/zero_padding.c */                                                                 \
    F(zero_padding1d) F(zero_padding2d) F(zero_padding3d)                                          \
    /* sequential.c */                                                                             \
    F(sequential)
/* clang-format on */

#define GT_DECLARE_LAYER(name) extern const gt_LayerClass gt_layer_class_##name;
GT_LAYERS(GT_DECLARE_LAYER)

/* All built-in classes of layers; count gets how many. Static storage. */
GT_API const gt_LayerClass *const *gt_layer_classes(int *count);
/* The built-in class of that name, "dense"; NULL without an error if there is none. */
GT_API const gt_LayerClass *gt_layer_class_find(const char *name);

GT_END

#endif
