/* The table of operations, one line each: tests, files and documentation walk it. */
#ifndef GT_OPS_TABLE_H
#define GT_OPS_TABLE_H

#include "core/operation.h"

GT_BEGIN

/* clang-format off */
#define GT_OPERATIONS(F)                                                                           \
    /* arithmetic.c */                                                                             \
    F(add) F(subtract) F(multiply) F(divide) F(divide_no_nan) F(floor_divide) F(mod) F(power)      \
    F(maximum) F(minimum) F(negative) F(abs) F(sign) F(square) F(sqrt) F(rsqrt) F(reciprocal)      \
    F(clip)                                                                                        \
    /* cast.c */                                                                                   \
    F(cast) F(identity) F(stop_gradient)                                                           \
    /* masking.c */                                                                                \
    F(with_mask) F(unmask)                                                                         \
    /* math.c */                                                                                   \
    F(exp) F(expm1) F(log) F(log1p) F(log2) F(log10) F(sin) F(cos) F(tan) F(arcsin) F(arccos)      \
    F(arctan) F(sinh) F(cosh) F(tanh) F(arcsinh) F(arccosh) F(arctanh) F(erf) F(erfc) F(floor)     \
    F(ceil) F(round) F(trunc) F(arctan2)                                                           \
    F(cbrt) F(erfinv) F(hypot) F(spherical_bessel) F(one_minus_square)                             \
    /* bitwise.c */                                                                                \
    F(bitwise_and) F(bitwise_or) F(bitwise_xor) F(left_shift) F(right_shift)                       \
    /* compare.c */                                                                                \
    F(equal) F(not_equal) F(less) F(less_equal) F(greater) F(greater_equal) F(logical_and)         \
    F(logical_or) F(logical_xor) F(logical_not) F(isnan) F(isinf) F(isfinite) F(where)             \
    /* activation.c */                                                                             \
    F(relu) F(leaky_relu) F(sigmoid) F(softplus) F(silu) F(gelu)                                   \
    F(relu_gradient) F(tanh_gradient) F(sigmoid_gradient) F(gelu_gradient)                         \
    /* softmax.c */                                                                                \
    F(softmax) F(log_softmax)                                                                      \
    /* random.c */                                                                                 \
    F(uniform) F(normal) F(truncated_normal) F(random_integers) F(categorical) F(dropout)          \
    F(generator_advance)                                                                           \
    /* crossentropy.c */                                                                           \
    F(sigmoid_crossentropy) F(softmax_crossentropy) F(sparse_softmax_crossentropy)                 \
    F(sparse_softmax_crossentropy_gradient)                                                        \
    /* probability.c */                                                                            \
    F(probabilities)                                                                               \
    /* ctc.c */                                                                                    \
    F(ctc_states) F(ctc_forward) F(band_recurrence)                                                \
    /* sequence.c */                                                                               \
    F(lstm_sequence) F(lstm_sequence_gradient) F(gru_sequence) F(gru_sequence_gradient)            \
    /* attend.c */                                                                                 \
    F(attend) F(attend_gradient)                                                                   \
    /* ctc_decode.c */                                                                             \
    F(ctc_decode)                                                                                  \
    /* matmul.c */                                                                                 \
    F(matmul)                                                                                      \
    /* reduce.c */                                                                                 \
    F(sum) F(mean) F(squares) F(length) F(prod) F(max) F(min) F(all) F(any) F(logsumexp) F(argmax) F(argmin)            \
    F(cumsum) F(cumprod) F(linear_recurrence)                                                      \
    /* array */                                                                                    \
    F(reshape) F(expand_dims) F(squeeze) F(merge_axes) F(reshape_like) F(transpose)                \
    F(broadcast_to) F(repeat) F(meshgrid) F(flip) F(roll) F(pad) F(pad_axis)                       \
    F(full_like) F(extent)                                                                         \
    F(concatenate) F(slice) F(slice_update) F(part) F(get_item) F(spread)                          \
    F(take) F(take_along_axis) F(scatter_add) F(scatter_add_along_axis) F(distinct)                \
    F(places_of) F(scatter_update) F(hash_bucket) F(hash_cross) F(one_hot) F(tril) F(triu) F(nonzero)                           \
    /* convolution.c */                                                                            \
    F(conv) F(conv_input_gradient) F(conv_kernel_gradient)                                         \
    /* pooling.c */                                                                                \
    F(max_pool) F(max_pool_gradient) F(max_pool_gather) F(average_pool) F(average_pool_gradient)   \
    F(batch_norm) F(batch_norm_gradient) F(layer_norm) F(layer_norm_gradient)                      \
    /* resize.c */                                                                                 \
    F(resize_axis) F(resize_axis_gradient)                                                         \
    /* fourier.c */                                                                                \
    F(fourier) F(half_spectrum) F(from_half_spectrum) F(sequences) F(overlap_add)                  \
    /* sorting.c */                                                                                \
    F(sort) F(searchsorted)                                                                        \
    /* segments.c */                                                                               \
    F(segment_max) F(segment_min) F(segment_prod)                                                  \
    /* linalg/ */                                                                                  \
    F(solve) F(solve_triangular) F(slogdet) F(det) F(cholesky) F(qr) F(svd) F(pinv) F(eigh)        \
    F(cofactor) F(cofactor_gradient) F(complement) F(require) F(kron) F(contract)                  \
    F(diagonal) F(diagonal_matrix) F(cross)                                                        \
    /* assign.c */                                                                                 \
    F(assign) F(assign_add) F(assign_sub)                                                          \
    /* update/ */                                                                                  \
    F(accumulate_gradient) F(ema_update) F(ema_overwrite) F(count_step) F(exchange) F(sgd_update)  \
    F(sgd_momentum_update) F(adagrad_update) F(adam_update) F(adam_amsgrad_update)
/* clang-format on */

#define GT_DECLARE_OPERATION(name) extern const gt_Operation gt_op_##name;
GT_OPERATIONS(GT_DECLARE_OPERATION)

/* All built-in operations; count gets how many. Static storage. */
GT_API const gt_Operation *const *gt_operations(int *count);
/* Makes an operation known to the current context by its name, so that files and gt_operation_find know it. It must
 * outlive the context. A name that is taken, by a built-in operation or another one of the context, is an error. */
#define gt_register_operation(operation) gt_register_operation_at(GT_HERE, operation)
GT_API gt_Status gt_register_operation_at(const char *here, const gt_Operation *operation);
/* Built-in or registered in the current context; NULL without an error if there is none. */
GT_API const gt_Operation *gt_operation_find(const char *name);

GT_END

#endif
