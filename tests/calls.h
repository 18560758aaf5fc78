/* Functions that are made of several operations, as a table of calls with one or two tensors, one
 * whole number and one real number in them: for tests that try them all. */
#ifndef GT_TESTS_CALLS_H
#define GT_TESTS_CALLS_H

#include "gradtape.h"

#include <stdio.h>

typedef struct Arguments {
    gt_Tensor *x, *y;
    int64_t n; /* every whole number of a call */
    double d;  /* every real number */
} Arguments;

static gt_Tensor *parts_of(gt_Status (*cut)(const char *, gt_Tensor *, int, gt_Tensor **),
                           gt_Tensor *x, int64_t n)
{
    gt_Tensor *parts[64] = {NULL};
    int count = n < -2 ? -2 : n > 64 ? 64 : (int)n; /* there is room for 64 */
    return cut("here:1", x, count, parts) != GT_OK ? NULL : count > 0 ? parts[0] : x;
}

static gt_Status split(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_split_at(here, x, count, parts, NULL);
}

static gt_Status unstack(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_unstack_at(here, x, count, parts, NULL);
}

static gt_Status array_split(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_array_split_at(here, x, count, parts, NULL);
}

static gt_Tensor *second_moment(gt_Tensor *x, int32_t axis)
{
    gt_Tensor *mean, *variance;
    return gt_moments(x, &mean, &variance, .axis = axis) == GT_OK ? variance : NULL;
}

static gt_Tensor *last_grid(gt_Tensor *x, gt_Tensor *y)
{
    gt_Tensor *grids[2];
    return gt_meshgrid(gt_tensors(x, y), grids) == GT_OK ? grids[1] : NULL;
}

/* A key that slices with that number. */
static const char *keyed(int64_t number)
{
    static char key[80];
    snprintf(key, sizeof key, "%lld::%lld", (long long)number, (long long)number);
    return key;
}

static gt_Status times(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}

static gt_Status twice(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(in[0], in[0]);
    return gt_status();
}

static gt_Tensor *running_products(gt_Tensor *x, int32_t axis)
{
    gt_Tensor *y;
    return gt_associative_scan(times, NULL, gt_tensors(x), &y, .axis = axis) == GT_OK ? y : NULL;
}

static gt_Tensor *chosen(gt_Tensor *index, gt_Tensor *x)
{
    const gt_FunctionBody both[] = {twice, twice};
    gt_Tensor *y;
    return gt_switch(index, both, 2, NULL, gt_tensors(x), &y) == GT_OK ? y : NULL;
}

static gt_Tensor *mapped(gt_Tensor *x)
{
    gt_Tensor *y;
    return gt_map(twice, NULL, gt_tensors(x), &y) == GT_OK ? y : NULL;
}

#define AXIS  .axis = (int32_t)a->n
#define SIZE  gt_shape(a->n)
#define SIZES gt_shape(a->n, 2)
#define BOTH  gt_tensors(a->x, a->y)
/* C(name in messages, call) */
/* clang-format off */
#define CALLS(C) \
    C(allclose, gt_allclose(a->x, a->y, .rtol = a->d)) \
    C(isclose, gt_isclose(a->x, a->y, .atol = a->d)) \
    C(arange, gt_arange(a->d, (double)a->n, 0.5)) \
    C(linspace, gt_linspace(a->d, 1, a->n)) \
    C(eye, gt_eye(a->n, .columns = 3)) \
    C(eye, gt_eye(3, .k = a->n)) \
    C(full, gt_full(SIZES, a->d)) \
    C(full_like, gt_full_like(a->x, a->d)) \
    C(argsort, gt_argsort(a->x, AXIS)) \
    C(sort, gt_sort(a->x, AXIS)) \
    C(top_k, gt_top_k(a->x, a->n).values) \
    C(in_top_k, gt_in_top_k(a->y, a->x, a->n)) \
    C(quantile, gt_quantile(a->x, a->d, AXIS)) \
    C(quantile, gt_quantile(a->x, a->y)) \
    C(percentile, gt_percentile(a->x, a->d, AXIS)) \
    C(median, gt_median(a->x, AXIS)) \
    C(bincount, gt_bincount(a->x, .length = a->n)) \
    C(bincount, gt_bincount(a->x, .weights = a->y)) \
    C(histogram, gt_histogram(a->x, .bins = a->n) .counts) \
    C(histogram, gt_histogram(a->x, .low = a->d, .high = 2).edges) \
    C(digitize, gt_digitize(a->x, a->y)) \
    C(isin, gt_isin(a->x, a->y)) \
    C(average, gt_average(a->x, AXIS, .weights = a->y)) \
    C(average, gt_average(a->x, AXIS)) \
    C(diff, gt_diff(a->x, .n = (int32_t)a->n)) \
    C(diff, gt_diff(a->x, AXIS)) \
    C(trapezoid, gt_trapezoid(a->x, AXIS, .dx = a->d)) \
    C(trapezoid, gt_trapezoid(a->x, .x = a->y)) \
    C(variance, gt_variance(a->x, AXIS)) \
    C(std, gt_std(a->x, AXIS)) \
    C(ptp, gt_ptp(a->x, AXIS)) \
    C(nansum, gt_nansum(a->x, AXIS)) \
    C(nanmean, gt_nanmean(a->x, AXIS)) \
    C(nanmax, gt_nanmax(a->x, AXIS)) \
    C(nanmin, gt_nanmin(a->x, AXIS)) \
    C(count_nonzero, gt_count_nonzero(a->x, AXIS)) \
    C(moments, second_moment(a->x, (int32_t)a->n)) \
    C(cumsum, gt_cumsum(a->x, AXIS)) \
    C(cumprod, gt_cumprod(a->x, AXIS)) \
    C(argmax, gt_argmax(a->x, AXIS)) \
    C(sum, gt_sum(a->x, AXIS)) \
    C(max, gt_max(a->x, AXIS)) \
    C(max, gt_max(a->x, .initial = a->d)) \
    C(min, gt_min(a->x, AXIS, .initial = a->d)) \
    C(round, gt_round(a->x, .decimals = (int32_t)a->n)) \
    C(nan_to_num, gt_nan_to_num(a->x, .nan = a->d, .posinf = a->d, .neginf = a->d)) \
    C(clip, gt_clip(a->x, a->d, (double)a->n)) \
    C(clip_gradient, gt_clip_gradient(a->x, a->d, 2)) \
    C(saturate_cast, gt_saturate_cast(a->x, (gt_DType)(a->n & 31))) \
    C(cast, gt_cast(a->x, (gt_DType)(int32_t)a->n)) \
    C(bitwise_not, gt_bitwise_not(a->x)) \
    C(signbit, gt_signbit(a->x)) \
    C(fmax, gt_fmax(a->x, a->y)) \
    C(fmin, gt_fmin(a->x, a->d)) \
    C(add, gt_add(a->x, a->d)) \
    C(divide, gt_divide(a->x, a->y)) \
    C(divide, gt_divide(a->x, a->d)) \
    C(power, gt_power(a->x, a->d)) \
    C(floor_divide, gt_floor_divide(a->x, a->d)) \
    C(mod, gt_mod(a->x, (double)a->n)) \
    C(left_shift, gt_left_shift(a->x, (double) a->n)) \
    C(equal, gt_equal(a->x, a->d)) \
    C(logaddexp, gt_logaddexp(a->x, a->y)) \
    C(logaddexp2, gt_logaddexp2(a->x, a->d)) \
    C(exp2, gt_exp2(a->x)) \
    C(sinc, gt_sinc(a->x)) \
    C(linear, gt_linear(a->x)) \
    C(exponential, gt_exponential(a->x)) \
    C(relu, gt_relu(a->x, .negative_slope = a->d)) \
    C(relu, gt_relu(a->x, .max_value = a->d)) \
    C(relu, gt_relu(a->x, .threshold = a->d)) \
    C(relu6, gt_relu6(a->x)) \
    C(elu, gt_elu(a->x, .alpha = a->d)) \
    C(selu, gt_selu(a->x)) \
    C(gelu, gt_gelu(a ->x)) \
    C(gelu, gt_gelu(a->x, .approximate = false)) \
    C(gelu_exact, gt_gelu_exact(a ->x)) \
    C(hard_sigmoid, gt_hard_sigmoid(a ->x)) \
    C(hard_silu, gt_hard_silu(a->x)) \
    C(log_sigmoid, gt_log_sigmoid(a->x)) \
    C(silu, gt_silu(a ->x)) \
    C(mish, gt_mish(a->x)) \
    C(softsign, gt_softsign(a->x)) \
    C(softmax, gt_softmax(a->x, AXIS)) \
    C(log_softmax, gt_log_softmax(a->x, AXIS)) \
    C(reshape, gt_reshape(a->x, SIZE)) \
    C(reshape, gt_reshape(a->x, SIZES)) \
    C(ravel, gt_ravel(a ->x)) \
    C(expand_dims, gt_expand_dims(a ->x, (int)a ->n)) \
    C(squeeze, gt_squeeze(a->x, AXIS)) \
    C(squeeze, gt_squeeze(a ->x)) \
    C(moveaxis, gt_moveaxis(a ->x, (int)a ->n, 0)) \
    C(moveaxis, gt_moveaxis(a->x, 0, (int)a ->n)) \
    C(moveaxis, gt_moveaxis(a->x, gt_axes(0, (int)a->n), gt_axes((int)a->n, 0))) \
    C(moveaxis, gt_moveaxis(a->x, gt_axes(0, 1), (int)a->n)) \
    C(swapaxes, gt_swapaxes(a->x, 0, (int)a ->n)) \
    C(transpose, gt_transpose(a->x, .perm = gt_axes((int)a ->n, 0))) \
    C(flip, gt_flip(a->x, AXIS)) \
    C(fliplr, gt_fliplr(a->x)) \
    C(flipud, gt_flipud(a->x)) \
    C(roll, gt_roll(a->x, a ->n)) \
    C(roll, gt_roll(a->x, 1, AXIS)) \
    C(roll, gt_roll(a->x, a->n, .axis = 0)) \
    C(roll, gt_roll(a->x, gt_integers(a->n, 1), .axes = gt_axes(0, (int)a->n))) \
    C(repeat, gt_repeat(a->x, gt_integers(a->n, a->n, 1), .axis = 0)) \
    C(repeat, gt_repeat(a->x, gt_integers(1, 2), AXIS)) \
    C(repeat, gt_repeat(a->x, a ->n)) \
    C(repeat, gt_repeat(a->x, 2, AXIS)) \
    C(repeat, gt_repeat(a->x, a->n, .axis = -1)) \
    C(tile, gt_tile(a->x, SIZE)) \
    C(tile, gt_tile(a->x, SIZES)) \
    C(broadcast_to, gt_broadcast_to(a->x, SIZES)) \
    C(rot90, gt_rot90(a->x, .k = (int32_t) a ->n)) \
    C(rot90, gt_rot90(a->x, .axis1 = (int32_t) a->n)) \
    C(pad, gt_pad(a->x, SIZE, gt_shape(1))) \
    C(pad, gt_pad(a->x, gt_shape(0, 0), SIZES, .value = a->d)) \
    C(slice, gt_slice(a->x, SIZE, gt_shape(-1))) \
    C(slice, gt_slice(a->x, gt_shape(0, 0), SIZES)) \
    C(meshgrid, last_grid(a->x, a ->y)) \
    C(concatenate, gt_concatenate(BOTH, AXIS)) \
    C(stack, gt_stack(BOTH, AXIS)) \
    C(hstack, gt_hstack(BOTH)) \
    C(vstack, gt_vstack(BOTH)) \
    C(dstack, gt_dstack(BOTH)) \
    C(column_stack, gt_column_stack(BOTH)) \
    C(split, parts_of(split, a->x, a->n)) \
    C(unstack, parts_of(unstack, a->x, a->n)) \
    C(array_split, parts_of(array_split, a->x, a->n)) \
    C(hsplit, parts_of(gt_hsplit_at, a->x, a->n)) \
    C(vsplit, parts_of(gt_vsplit_at, a->x, a->n)) \
    C(take, gt_take(a->x, a->y, AXIS)) \
    C(take_along_axis, gt_take_along_axis(a->x, a->y, AXIS)) \
    C(scatter_add, gt_scatter_add(a->y, a->x, SIZES)) \
    C(scatter_add, gt_scatter_add(a->y, a->x, SIZE, AXIS)) \
    C(scatter_update, gt_scatter_update(a->x, a->y, a->x)) \
    C(scatter_update, gt_scatter_update(a->x, a->y, a->x, .reduction = (gt_ScatterReduction)(a->n & 7))) \
    C(slice_update, gt_slice_update(a->x, SIZE, a->y)) \
    C(slice_update, gt_slice_update(a->x, gt_shape(0, a->n), a->y)) \
    C(one_hot, gt_one_hot(a ->x, a->n)) \
    C(one_hot, gt_one_hot(a->x, 3, AXIS)) \
    C(one_hot, gt_one_hot(a->x, 3, .dtype = (gt_DType)(a->n & 31))) \
    C(tril, gt_tril(a ->x, .k = a->n)) \
    C(triu, gt_triu(a->x, .k = a->n)) \
    C(where, gt_where(a->y, a->x, a->d)) \
    C(segment_sum, gt_segment_sum(a->x, a->y, a->n)) \
    C(segment_max, gt_segment_max(a->x, a->y, a->n)) \
    C(segment_prod, gt_segment_prod(a->x, a->y, a->n)) \
    C(einsum, gt_einsum("ij,jk->ik", BOTH)) \
    C(einsum, gt_einsum("...i,...i", BOTH)) \
    C(einsum, gt_einsum("ii->i", gt_tensors(a->x))) \
    C(einsum, gt_einsum(a->n & 1 ? "ij,->" : "i->ij", BOTH)) \
    C(einsum, gt_einsum(NULL, BOTH)) \
    C(tensordot, gt_tensordot(a->x, a->y, .count = (int32_t) a->n)) \
    C(tensordot, gt_tensordot(a->x, a->y, .a_axes = gt_axes((int)a ->n), .b_axes = gt_axes(0))) \
    C(dot, gt_dot(a ->x, a ->y)) \
    C(inner, gt_inner(a->x, a->y)) \
    C(outer, gt_outer(a->x, a ->y)) \
    C(vdot, gt_vdot(a->x, a->y)) \
    C(kron, gt_kron(a->x, a->y)) \
    C(cross, gt_cross(a->x, a->y, AXIS)) \
    C(matmul, gt_matmul(a->x, a ->y)) \
    C(diagonal, gt_diagonal(a->x, .offset = a ->n)) \
    C(diagonal, gt_diagonal(a->x, .axis1 = (int32_t) a->n)) \
    C(trace, gt_trace(a->x, .axis2 = (int32_t)a ->n)) \
    C(diag, gt_diag(a->x, .k = a->n)) \
    C(diagflat, gt_diagflat(a->x, .k = a ->n)) \
    C(norm, gt_norm(a ->x, .ord = a->d, AXIS)) \
    C(matrix_norm, gt_matrix_norm(a->x, (gt_MatrixNorm)(a->n & 7))) \
    C(cdist, gt_cdist(a->x, a->y)) \
    C(lstsq, gt_lstsq(a->x, a->y)) \
    C(inv, gt_inv(a ->x)) \
    C(pinv, gt_pinv(a ->x)) \
    C(matrix_power, gt_matrix_power(a->x, a ->n)) \
    C(det, gt_det(a ->x)) \
    C(slogdet, gt_slogdet(a->x) .logabsdet) \
    C(logdet, gt_logdet(a->x)) \
    C(solve, gt_solve(a->x, a->y)) \
    C(solve_triangular, gt_solve_triangular(a->x, a->y)) \
    C(cholesky, gt_cholesky(a->x)) \
    C(cholesky, gt_cholesky(a->x, .upper = true)) \
    C(qr, gt_qr(a->x) .r) \
    C(qr, gt_qr(a->x, .mode = (gt_QrMode)(int32_t)a->n) .q) \
    C(svd, gt_svd(a->x) .s) \
    C(svd, gt_svd(a->x, .full_matrices = true) .u) \
    C(eigh, gt_eigh(a->x) .values) \
    C(conv, gt_conv(a->x, a->y, .strides = SIZE)) \
    C(conv, gt_conv(a->x, a->y, .groups = a->n, .padding = GT_PADDING_SAME)) \
    C(conv, gt_conv(a->x, a->y, .dilation = SIZE)) \
    C(depthwise_conv, gt_depthwise_conv(a->x, a->y, .strides = SIZE)) \
    C(separable_conv, gt_separable_conv(a->x, a->y, a->y)) \
    C(conv_transpose, gt_conv_transpose(a->x, a->y, .strides = SIZE)) \
    C(conv_transpose, gt_conv_transpose(a->x, a->y, .output_padding = SIZE)) \
    C(max_pool, gt_max_pool(a->x, SIZE)) \
    C(max_pool, gt_max_pool(a->x, gt_shape(2), .strides = SIZE, .padding = GT_PADDING_SAME)) \
    C(average_pool, gt_average_pool(a->x, SIZES)) \
    C(resize, gt_resize(a->x, SIZES)) \
    C(resize, gt_resize(a ->x, gt_shape(2, 2), .interpolation = (gt_Interpolation)(int32_t) a ->n)) \
    C(crop_images, gt_crop_images(a->x, .top = a->n, .height = 1, .left = 0, .width = 1)) \
    C(pad_images, gt_pad_images(a->x, .top = a->n, .bottom = 1, .left = 0, .right = 1)) \
    C(pad_images, gt_pad_images(a->x, .top = 1, .height = a->n, .left = 0, .width = a->n)) \
    C(batch_normalization, gt_batch_normalization(a->x, a->y, a->y, AXIS)) \
    C(batch_normalization, gt_batch_normalization(a->x, a->y, a->y, .scale = a->x, .epsilon = a->d)) \
    C(layer_normalization, gt_layer_normalization(a->x, AXIS, .epsilon = a->d)) \
    C(layer_normalization, gt_layer_normalization(a->x, .gamma = a->y)) \
    C(group_normalization, gt_group_normalization(a->x, .groups = a ->n)) \
    C(group_normalization, gt_group_normalization(a ->x, .groups = 1, AXIS)) \
    C(rms_normalization, gt_rms_normalization(a->x, AXIS, .scale = a->y)) \
    C(normalize, gt_normalize(a->x, AXIS)) \
    C(normalize, gt_normalize(a->x, .order = (int32_t)a ->n)) \
    C(normalize, gt_normalize(a->x, .epsilon = a->d)) \
    C(dot_product_attention, gt_dot_product_attention(a->x, a->y, a->y, .scale = a->d)) \
    C(dot_product_attention, gt_dot_product_attention(a->x, a->x, a->x, .mask = a->y)) \
    C(lstm, gt_lstm(a->x, a->y, a->y, NULL)) \
    C(gru, gt_gru(a->x, a->y, a->y, a->y)) \
    C(mean_squared_error, gt_mean_squared_error(a->x, a ->y)) \
    C(mean_absolute_error, gt_mean_absolute_error(a->x, a->y, .sample_weight = a->y)) \
    C(mean_absolute_percentage_error, gt_mean_absolute_percentage_error(a->x, a->y)) \
    C(mean_squared_logarithmic_error, gt_mean_squared_logarithmic_error(a->x, a->y)) \
    C(log_cosh, gt_log_cosh(a->x, a ->y)) \
    C(huber, gt_huber(a->x, a->y, .delta = a->d)) \
    C(hinge, gt_hinge(a->x, a->y)) \
    C(squared_hinge, gt_squared_hinge(a->x, a->y)) \
    C(categorical_hinge, gt_categorical_hinge(a->x, a->y)) \
    C(kl_divergence, gt_kl_divergence(a->x, a->y)) \
    C(poisson, gt_poisson(a->x, a->y)) \
    C(mean_squared_error, gt_mean_squared_error(a->x, a->y, .reduction = (gt_Reduction)(int32_t)a ->n)) \
    C(cosine_similarity, gt_cosine_similarity(a->x, a->y, AXIS)) \
    C(binary_crossentropy, gt_binary_crossentropy(a->x, a->y, .label_smoothing = a->d)) \
    C(categorical_crossentropy, gt_categorical_crossentropy(a->x, a->y, AXIS, .from_logits = true)) \
    C(categorical_crossentropy, gt_categorical_crossentropy(a->x, a->y, .label_smoothing = a ->d)) \
    C(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy(a->x, a->y, .ignore_class = a->n)) \
    C(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy(a->y, a->x, .from_logits = true)) \
    C(random_dropout, gt_dropout(a->x, a ->d)) \
    C(random_dropout, gt_dropout(a->x, 0.5, .noise_shape = SIZES)) \
    C(uniform, gt_uniform(SIZES, .low = a->d)) \
    C(normal, gt_normal(SIZES, .stddev = a->d)) \
    C(normal, gt_normal(gt_shape(2), .truncated = true, .mean = a->d)) \
    C(random_integers, gt_random_integers(gt_shape(3), a->n, 3)) \
    C(random_integers, gt_random_integers(gt_shape(3), -3, a->n, .dtype = GT_INT64)) \
    C(categorical, gt_categorical(a->x, a->n)) \
    C(categorical, gt_categorical(a->x, 2, .dtype = (gt_DType)(a->n & 15), .generator = a->y)) \
    C(shuffle, gt_shuffle(a->x, AXIS)) \
    C(nonzero, gt_nonzero(a->x)) \
    C(nonzero, gt_nonzero(a->x, .length = a->n, .fill_value = a->n)) \
    C(get_item, gt_get_item(a->x, "::-2, ..., None, -1")) \
    C(get_item, gt_get_item(a->x, keyed(a->n))) \
    C(scatter, gt_scatter(a->y, a->x, SIZES)) \
    C(scatter, gt_scatter(gt_cast(a->y, GT_INT64), a->x, gt_shape(3, 3))) \
    C(nanargmax, gt_nanargmax(a->x, AXIS)) \
    C(nanargmin, gt_nanargmin(a->x, .keepdims = true)) \
    C(quantile, gt_quantile(a->x, 0.4, AXIS, .method = (gt_QuantileMethod)(a->n & 7))) \
    C(pad, gt_pad(a->x, SIZES, gt_shape(1, 1), .mode = GT_PAD_MODE_REFLECT)) \
    C(pad, gt_pad(a->x, gt_shape(2), gt_shape(2), .mode = (gt_PadMode)(a->n & 7))) \
    C(clip, gt_clip(a->x, a->d, (double)a->n)) \
    C(linspace, gt_linspace(a->d, 1, a->n, .endpoint = false)) \
    C(resize, gt_resize(a->x, gt_shape(a->n, 3), .antialias = true)) \
    C(resize, gt_resize(a->x, gt_shape(2, 5), .interpolation = GT_INTERPOLATION_LANCZOS5, .antialias = true)) \
    C(resize, gt_resize(a->x, SIZES, .crop_to_aspect_ratio = true)) \
    C(resize, gt_resize(a->x, SIZES, .pad_to_aspect_ratio = true, .fill_value = a->d)) \
    C(rgb_to_grayscale, gt_rgb_to_grayscale(a->x)) \
    C(rgb_to_hsv, gt_rgb_to_hsv(a->x)) \
    C(hsv_to_rgb, gt_hsv_to_rgb(a->x)) \
    C(gaussian_blur, gt_gaussian_blur(a->x, .height = a->n, .sigma_width = a->d)) \
    C(extract_patches, gt_extract_patches(a->x, SIZES)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(2, 2), .strides = SIZE, .padding = GT_PADDING_SAME)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(2), .strides = gt_shape(1), .dilation = SIZE)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(1, 2, 2), .padding = (gt_Padding)(a->n & 3))) \
    C(map_coordinates, gt_map_coordinates(a->x, a->y, 1, .fill_mode = (gt_FillMode)(a->n & 7))) \
    C(map_coordinates, gt_map_coordinates(a->x, a->y, (int)(a->n & 3), .fill_value = a->d)) \
    C(affine_transform, gt_affine_transform(a->x, a->y)) \
    C(affine_transform, gt_affine_transform(a->x, gt_full(gt_shape(8), 0.5), \
                                            .fill_mode = (gt_FillMode)(a->n & 7))) \
    C(associative_scan, running_products(a->x, (int32_t)a->n)) \
    C(switch, chosen(a->y, a->x)) \
    C(map, mapped(a->x)) \
    C(uniform, gt_uniform(gt_shape(2), .generator = a->x))
/* clang-format on */

/* Makes call k and says its name; NULL behind the last. */
static gt_Tensor *make_call(int k, const Arguments *a, const char **called)
{
#define MAKE(name, call)                                                                           \
    if (k-- == 0) {                                                                                \
        *called = #name;                                                                           \
        return call;                                                                               \
    }
    CALLS(MAKE)
    *called = NULL;
    return NULL;
}

/* How many calls there are. */
#define CALL_ONE(name, call) +1
enum { CALL_COUNT = CALLS(CALL_ONE) };

#endif
