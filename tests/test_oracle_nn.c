/* Convolutions, pooling, normalization, images and attention against Keras: values and
 * vector-Jacobian products of tests/oracle/nn.safetensors (made by make_nn.py), and what a table of
 * small samples cannot show: large sizes, threads, empty batches, error texts. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 5 };

/* Both moments, flat, one behind the other. */
static gt_Tensor *both_moments(gt_Tensor *x)
{
    gt_Tensor *mean, *variance;
    gt_moments(x, &mean, &variance, .axes = gt_axes(0, 2));
    return gt_concatenate(gt_tensors(gt_ravel(mean), gt_ravel(variance)));
}

/* The places that the cases look_MODE_nearest look at, and the transforms of affine_pixels: what
 * the file has as inputs of others. */
static const gt_TensorFile *oracle;
static gt_Tensor *input_of(const char *name, gt_DType dtype)
{
    return gt_cast(gt_tensor_file_load_named(oracle, name), dtype);
}
#define SMOOTH_CASE(name, how, CASE)                                                               \
    CASE(resize_##name##_smooth, 1,                                                                \
         gt_resize(a, SIZE(3, 9), .interpolation = how, .antialias = true))
#define LOOK_CASES(name, mode, CASE)                                                               \
    CASE(look_##name, 2, gt_map_coordinates(a, b, 1, .fill_mode = mode, .fill_value = 0.25))       \
    CASE(look_##name##_nearest, 1,                                                                 \
         gt_map_coordinates(a, input_of("look_constant.in1", GT_FLOAT64), 0, .fill_mode = mode,    \
                            .fill_value = 0.25))

/* CASE(name, inputs, what is computed of a, b, c, d, e and a mask). */
#define SIZE(...) gt_shape(__VA_ARGS__)
#define CASES(CASE)                                                                                \
    CASE(conv2d, 2, gt_conv(a, b))                                                                 \
    CASE(conv2d_same, 2, gt_conv(a, b, .strides = SIZE(2, 3), .padding = GT_PADDING_SAME))         \
    CASE(conv2d_dilated, 2, gt_conv(a, b, .dilation = SIZE(2, 3), .padding = GT_PADDING_SAME))     \
    CASE(conv2d_pointwise, 2, gt_conv(a, b))                                                       \
    CASE(conv2d_groups, 2,                                                                         \
         gt_conv(a, b, .strides = SIZE(2), .padding = GT_PADDING_SAME, .groups = 2))               \
    CASE(conv1d, 2, gt_conv(a, b, .strides = SIZE(3)))                                             \
    CASE(conv1d_causal, 2, gt_conv(a, b, .dilation = SIZE(2), .padding = GT_PADDING_CAUSAL))       \
    CASE(conv3d, 2, gt_conv(a, b, .strides = SIZE(2), .padding = GT_PADDING_SAME))                 \
    CASE(depthwise, 2, gt_depthwise_conv(a, b, .padding = GT_PADDING_SAME))                        \
    CASE(depthwise_multiplied, 2, gt_depthwise_conv(a, b, .strides = SIZE(2)))                     \
    CASE(depthwise1d, 2, gt_depthwise_conv(a, b, .strides = SIZE(2), .padding = GT_PADDING_SAME))  \
    CASE(separable, 3, gt_separable_conv(a, b, c, .padding = GT_PADDING_SAME))                     \
    CASE(transpose_valid_1, 2, gt_conv_transpose(a, b))                                            \
    CASE(transpose_valid_2, 2, gt_conv_transpose(a, b, .strides = SIZE(2)))                        \
    CASE(transpose_valid_3, 2, gt_conv_transpose(a, b, .strides = SIZE(3)))                        \
    CASE(transpose_valid_3_1, 2,                                                                   \
         gt_conv_transpose(a, b, .strides = SIZE(3), .output_padding = SIZE(1)))                   \
    CASE(transpose_same_1, 2, gt_conv_transpose(a, b, .padding = GT_PADDING_SAME))                 \
    CASE(transpose_same_2, 2,                                                                      \
         gt_conv_transpose(a, b, .strides = SIZE(2), .padding = GT_PADDING_SAME))                  \
    CASE(transpose_same_3, 2,                                                                      \
         gt_conv_transpose(a, b, .strides = SIZE(3), .padding = GT_PADDING_SAME))                  \
    CASE(transpose_same_3_1, 2,                                                                    \
         gt_conv_transpose(a, b, .strides = SIZE(3), .padding = GT_PADDING_SAME,                   \
                           .output_padding = SIZE(1)))                                             \
    CASE(transpose1d, 2, gt_conv_transpose(a, b, .strides = SIZE(2), .padding = GT_PADDING_SAME))  \
    CASE(transpose3d, 2, gt_conv_transpose(a, b, .strides = SIZE(2)))                              \
    CASE(max_pool, 1, gt_max_pool(a, SIZE(2)))                                                     \
    CASE(max_pool_same, 1,                                                                         \
         gt_max_pool(a, SIZE(3, 2), .strides = SIZE(2, 1), .padding = GT_PADDING_SAME))            \
    CASE(max_pool1d, 1, gt_max_pool(a, SIZE(3), .strides = SIZE(2)))                               \
    CASE(max_pool3d, 1, gt_max_pool(a, SIZE(2), .strides = SIZE(1), .padding = GT_PADDING_SAME))   \
    CASE(average_pool, 1, gt_average_pool(a, SIZE(2)))                                             \
    CASE(average_pool_same, 1,                                                                     \
         gt_average_pool(a, SIZE(3, 2), .strides = SIZE(2, 1), .padding = GT_PADDING_SAME))        \
    CASE(average_pool1d, 1,                                                                        \
         gt_average_pool(a, SIZE(3), .strides = SIZE(2), .padding = GT_PADDING_SAME))              \
    CASE(average_pool3d, 1, gt_average_pool(a, SIZE(2)))                                           \
    CASE(batch_normalization, 5,                                                                   \
         gt_batch_normalization(a, b, c, .offset = d, .scale = e, .epsilon = 1e-2))                \
    CASE(batch_normalization_axis, 5,                                                              \
         gt_batch_normalization(a, b, c, .offset = d, .scale = e, .axis = 1))                      \
    CASE(layer_normalization, 3,                                                                   \
         gt_layer_normalization(a, .gamma = b, .beta = c, .epsilon = 1e-2))                        \
    CASE(layer_normalization_axes, 3,                                                              \
         gt_layer_normalization(a, .gamma = b, .beta = c, .epsilon = 1e-2, .axes = gt_axes(1, 3))) \
    CASE(group_normalization, 3,                                                                   \
         gt_group_normalization(a, .groups = 2, .gamma = b, .beta = c, .epsilon = 1e-2))           \
    CASE(rms_normalization, 2, gt_rms_normalization(a, .scale = b, .epsilon = 1e-2))               \
    CASE(normalize, 1, gt_normalize(a))                                                            \
    CASE(normalize1, 1, gt_normalize(a, .axis = 0, .order = 1))                                    \
    CASE(normalize3, 1, gt_normalize(a, .order = 3))                                               \
    CASE(moments, 1, both_moments(a))                                                              \
    CASE(resize_nearest_up, 1,                                                                     \
         gt_resize(a, SIZE(9, 11), .interpolation = GT_INTERPOLATION_NEAREST))                     \
    CASE(resize_nearest_down, 1,                                                                   \
         gt_resize(a, SIZE(3, 4), .interpolation = GT_INTERPOLATION_NEAREST))                      \
    CASE(resize_bilinear_up, 1, gt_resize(a, SIZE(9, 11)))                                         \
    CASE(resize_bilinear_down, 1, gt_resize(a, SIZE(3, 4)))                                        \
    CASE(resize_bicubic_up, 1,                                                                     \
         gt_resize(a, SIZE(9, 11), .interpolation = GT_INTERPOLATION_BICUBIC))                     \
    CASE(resize_bicubic_down, 1,                                                                   \
         gt_resize(a, SIZE(3, 4), .interpolation = GT_INTERPOLATION_BICUBIC))                      \
    CASE(resize_lanczos3_up, 1,                                                                    \
         gt_resize(a, SIZE(9, 11), .interpolation = GT_INTERPOLATION_LANCZOS3))                    \
    CASE(resize_lanczos3_down, 1,                                                                  \
         gt_resize(a, SIZE(3, 4), .interpolation = GT_INTERPOLATION_LANCZOS3))                     \
    CASE(resize_lanczos5_up, 1,                                                                    \
         gt_resize(a, SIZE(9, 11), .interpolation = GT_INTERPOLATION_LANCZOS5))                    \
    CASE(resize_lanczos5_down, 1,                                                                  \
         gt_resize(a, SIZE(3, 4), .interpolation = GT_INTERPOLATION_LANCZOS5))                     \
    CASE(crop, 1, gt_crop_images(a, .top = 1, .left = 2, .height = 3, .width = 2))                 \
    CASE(pad, 1, gt_pad_images(a, .top = 1, .left = 2, .height = 5, .width = 6))                   \
    CASE(attention, 3, gt_dot_product_attention(a, b, c))                                          \
    CASE(attention_masked, 4,                                                                      \
         gt_dot_product_attention(a, b, c, .bias = d, .mask = mask, .scale = 0.3))                 \
    CASE(attention_causal, 3, gt_dot_product_attention(a, b, c, .is_causal = true))                \
    SMOOTH_CASE(bilinear, GT_INTERPOLATION_BILINEAR, CASE)                                         \
    SMOOTH_CASE(bicubic, GT_INTERPOLATION_BICUBIC, CASE)                                           \
    SMOOTH_CASE(lanczos3, GT_INTERPOLATION_LANCZOS3, CASE)                                         \
    SMOOTH_CASE(lanczos5, GT_INTERPOLATION_LANCZOS5, CASE)                                         \
    CASE(resize_crop, 1,                                                                           \
         gt_resize(a, SIZE(4, 3), .interpolation = GT_INTERPOLATION_NEAREST,                       \
                   .crop_to_aspect_ratio = true))                                                  \
    CASE(resize_crop_tall, 1,                                                                      \
         gt_resize(a, SIZE(4, 3), .interpolation = GT_INTERPOLATION_NEAREST,                       \
                   .crop_to_aspect_ratio = true))                                                  \
    CASE(resize_pad, 1,                                                                            \
         gt_resize(a, SIZE(4, 3), .interpolation = GT_INTERPOLATION_NEAREST,                       \
                   .pad_to_aspect_ratio = true, .fill_value = 0.5))                                \
    CASE(resize_pad_tall, 1,                                                                       \
         gt_resize(a, SIZE(4, 3), .interpolation = GT_INTERPOLATION_NEAREST,                       \
                   .pad_to_aspect_ratio = true))                                                   \
    CASE(grayscale, 1, gt_rgb_to_grayscale(a))                                                     \
    CASE(rgb_to_hsv, 1, gt_rgb_to_hsv(a))                                                          \
    CASE(hsv_to_rgb, 1, gt_hsv_to_rgb(a))                                                          \
    CASE(blur, 1, gt_gaussian_blur(a))                                                             \
    CASE(blur_uneven, 1,                                                                           \
         gt_gaussian_blur(a, .height = 5, .width = 5, .sigma_height = 1.5, .sigma_width = 0.7))    \
    CASE(blur_even, 1,                                                                             \
         gt_gaussian_blur(a, .height = 4, .width = 4, .sigma_height = 2, .sigma_width = 2))        \
    CASE(patches, 1, gt_extract_patches(a, SIZE(2, 3)))                                            \
    CASE(patches_same, 1,                                                                          \
         gt_extract_patches(a, SIZE(3), .strides = SIZE(2), .padding = GT_PADDING_SAME))           \
    CASE(patches_dilated, 1,                                                                       \
         gt_extract_patches(a, SIZE(2, 3), .strides = SIZE(1), .dilation = SIZE(2)))               \
    CASE(patches_volume, 1,                                                                        \
         gt_extract_patches(a, SIZE(2, 1, 2), .strides = SIZE(1), .padding = GT_PADDING_SAME))     \
    LOOK_CASES(constant, GT_FILL_MODE_CONSTANT, CASE)                                              \
    LOOK_CASES(nearest, GT_FILL_MODE_NEAREST, CASE)                                                \
    LOOK_CASES(wrap, GT_FILL_MODE_WRAP, CASE)                                                      \
    LOOK_CASES(mirror, GT_FILL_MODE_MIRROR, CASE)                                                  \
    LOOK_CASES(reflect, GT_FILL_MODE_REFLECT, CASE)                                                \
    CASE(look_volume, 2, gt_map_coordinates(a, b, 1, .fill_mode = GT_FILL_MODE_NEAREST))           \
    CASE(affine_constant, 2, gt_affine_transform(a, b, .fill_value = 0.25))                        \
    CASE(affine_nearest, 2, gt_affine_transform(a, b, .fill_mode = GT_FILL_MODE_NEAREST))          \
    CASE(affine_reflect, 2, gt_affine_transform(a, b, .fill_mode = GT_FILL_MODE_REFLECT))          \
    CASE(affine_shared, 2, gt_affine_transform(a, gt_reshape(b, SIZE(8)), .fill_value = 0.25))     \
    CASE(affine_pixels, 1,                                                                         \
         gt_affine_transform(a, input_of("affine_constant.in1", gt_dtype(a)),                      \
                             .interpolation = GT_INTERPOLATION_NEAREST,                            \
                             .fill_mode = GT_FILL_MODE_NEAREST))

#define FUNCTION(name, count, expression)                                                          \
    static gt_Tensor *case_##name(gt_Tensor *const *in, gt_Tensor *mask)                           \
    {                                                                                              \
        gt_Tensor *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4];                      \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)mask;                                   \
        return expression;                                                                         \
    }
CASES(FUNCTION)

#define ROW(name, count, expression) {#name, count, case_##name},
static const struct OracleCase {
    const char *name;
    int inputs;
    gt_Tensor *(*function)(gt_Tensor *const *in, gt_Tensor *mask);
} cases[] = {CASES(ROW)};

static gt_Tensor *load(const gt_TensorFile *file, const char *name, const char *part, int index)
{
    char full[80];
    if (index >= 0)
        snprintf(full, sizeof full, "%s.%s%d", name, part, index);
    else
        snprintf(full, sizeof full, "%s.%s", name, part);
    gt_Tensor *tensor = gt_tensor_file_load_named(file, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

/* Largest distance of any two elements, relative to the larger numbers; shapes must agree. */
static double distance(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)),
              "%s, %s: another shape", name, what);
    double largest = 0;
    for (int64_t i = 0; i < gt_size(got); i++) {
        double x = gt_element(got, i), y = gt_element(expected, i);
        double apart = fabs(x - y) / fmax(1, fabs(y));
        largest = apart <= largest ? largest : apart; /* NaN counts as far */
    }
    return largest;
}

static void replay(const gt_TensorFile *file, const struct OracleCase *c, gt_DType dtype,
                   double tolerance)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[MOST_INPUTS] = {0}, *gradients[MOST_INPUTS];
    for (int i = 0; i < c->inputs; i++) {
        in[i] = gt_cast(load(file, c->name, "in", i), dtype);
        gt_watch(tape, in[i]);
    }
    gt_Tensor *out = c->function(in, load(file, "attention", "mask", -1));
    double off = distance(c->name, "value", out, load(file, c->name, "out", -1));
    cr_assert(off <= tolerance, "%s: value off by %g", c->name, off);
    gt_Tensor *loss = gt_sum(gt_multiply(out, gt_cast(load(file, c->name, "up", -1), dtype)));
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){in, c->inputs}), gradients);
    cr_assert(gt_status() == GT_OK, "%s: %s", c->name, gt_error_message());
    for (int i = 0; i < c->inputs; i++) {
        off = distance(c->name, "gradient", gradients[i], load(file, c->name, "grad", i));
        cr_assert(off <= tolerance, "%s: gradient of input %d off by %g", c->name, i, off);
    }
    gt_tape_end(tape);
}

Test(oracle_nn, keras)
{
    const char *source = getenv("GT_TEST_SOURCE");
    char path[512];
    int count = (int)(sizeof cases / sizeof *cases);
    snprintf(path, sizeof path, "%s/tests/oracle/nn.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert(file, "%s", gt_error_message());
    oracle = file;
    for (int i = 0; i < count; i++) {
        replay(file, &cases[i], GT_FLOAT64, 1e-12);
        replay(file, &cases[i], GT_FLOAT32, 2e-5);
    }
    fprintf(stderr, "%d cases of %s\n", count, gt_tensor_file_metadata(file, "source"));
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- large sizes: the three records are derivatives of one trilinear form ---- */

static gt_Tensor *noise(gt_Shape shape, uint64_t seed)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    double *numbers = malloc((size_t)size * sizeof *numbers);
    for (int64_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (double)(seed >> 40) * 0x1p-23 - 1;
    }
    gt_Tensor *tensor = gt_from_values_at(NULL, shape, GT_FLOAT64, size, numbers);
    free(numbers);
    return tensor;
}

/* One output of a convolution over two spatial axes, by its definition. */
static double at_definition(gt_Tensor *x, gt_Tensor *kernel, int64_t stride, int64_t dilation,
                            const int64_t before[2], int64_t groups, int64_t image, int64_t i,
                            int64_t j, int64_t filter)
{
    gt_Shape xs = gt_tensor_shape(x), ks = gt_tensor_shape(kernel);
    const double *xn = gt_float64_data(x), *kn = gt_float64_data(kernel);
    int64_t in = ks.dims[2], group = filter / (ks.dims[3] / groups);
    double sum = 0;
    for (int64_t p = 0; p < ks.dims[0]; p++)
        for (int64_t q = 0; q < ks.dims[1]; q++) {
            int64_t r = i * stride - before[0] + p * dilation;
            int64_t s = j * stride - before[1] + q * dilation;
            for (int64_t c = 0; c < in; c++)
                if (r >= 0 && r < xs.dims[1] && s >= 0 && s < xs.dims[2])
                    sum += xn[((image * xs.dims[1] + r) * xs.dims[2] + s) * xs.dims[3] +
                              group * in + c] *
                           kn[((p * ks.dims[1] + q) * in + c) * ks.dims[3] + filter];
        }
    return sum;
}

static int64_t before_same(int64_t in, int64_t size, int64_t stride, int64_t dilation)
{
    int64_t total = ((in - 1) / stride) * stride + dilation * (size - 1) + 1 - in;
    return total > 0 ? total / 2 : 0;
}

static void check_large(int64_t channels, int64_t filters, int64_t size, int64_t stride,
                        int64_t dilation, int64_t groups, bool same)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = noise(gt_shape(3, 37, 29, channels), 1);
    gt_Tensor *kernel = noise(gt_shape(size, size, channels / groups, filters), 2);
    gt_watch(tape, x);
    gt_watch(tape, kernel);
    gt_Tensor *y = gt_conv(x, kernel, .strides = gt_shape(stride), .dilation = gt_shape(dilation),
                           .groups = groups, .padding = same ? GT_PADDING_SAME : GT_PADDING_VALID);
    cr_assert(y, "%s", gt_error_message());
    gt_Shape shape = gt_tensor_shape(y);
    int64_t before[2] = {same ? before_same(37, size, stride, dilation) : 0,
                         same ? before_same(29, size, stride, dilation) : 0};
    for (int64_t n = 0; n < gt_size(y); n += 97) {
        int64_t f = n % filters, j = n / filters % shape.dims[2];
        int64_t i = n / filters / shape.dims[2] % shape.dims[1];
        int64_t image = n / filters / shape.dims[2] / shape.dims[1];
        double expected =
            at_definition(x, kernel, stride, dilation, before, groups, image, i, j, f);
        cr_assert(fabs(gt_element(y, n) - expected) < 1e-11, "%g at %d, not %g", gt_element(y, n),
                  (int)n, expected);
    }
    gt_Tensor *sources[2] = {x, kernel}, *gradients[2];
    gt_Tensor *form = gt_sum(gt_multiply(y, noise(shape, 3)));
    gt_gradients(tape, gt_tensors(form), ((gt_Tensors){sources, 2}), gradients);
    for (int i = 0; i < 2; i++) { /* linear in each: the derivative along x is the form itself */
        double along = gt_item(gt_sum(gt_multiply(gradients[i], sources[i])));
        cr_assert(fabs(along - gt_item(form)) < 1e-8, "%s %d: %.12g and %.12g",
                  gt_status() ? gt_error_message() : "input", i, along, gt_item(form));
    }
    gt_tape_end(tape);
}

/* Weights fall out before the second product; the same state of a generator, the same weights. */
Test(oracle_nn, attention_drops_weights)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_normal(gt_shape(2, 50, 4)), *kept, *full, *heads = gt_expand_dims(x, 2);
    gt_Tensor *y =
        gt_attention(x, x, .dropout = 0.25, .weights = &kept, .generator = gt_generator(1));
    gt_attention(x, x, .weights = &full);
    gt_Tensor *z = gt_dot_product_attention(heads, heads, heads, .scale = 1, .dropout = 0.25,
                                            .weights = &full, .generator = gt_generator(1));
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    full = gt_squeeze(full, .axis = 1);
    int64_t fallen = 0;
    for (int64_t i = 0; i < gt_size(kept); i++) {
        double weight = gt_element(kept, i), whole = gt_element(full, i);
        fallen += weight == 0;
        cr_assert(weight == 0 || fabs(weight - whole / 0.75) < 1e-5, "%g of %g", weight, whole);
    }
    cr_assert(fallen > 1000 && fallen < 1500, "%d of 5000 fell out", (int)fallen);
    cr_assert(distance("attention", "dropout", gt_squeeze(z, .axis = 2), y) < 1e-5);
    cr_assert(distance("attention", "product", gt_matmul(kept, x), y) < 1e-5);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(oracle_nn, large)
{
    check_large(5, 7, 3, 1, 1, 1, true);
    check_large(70, 150, 3, 1, 1, 1, false);
    check_large(6, 8, 5, 2, 1, 2, true);
    check_large(3, 4, 3, 1, 3, 1, true);
    check_large(33, 9, 1, 1, 1, 1, false);
    check_large(12, 20, 1, 1, 1, 4, true);
    check_large(8, 4, 1, 3, 1, 1, true);
    check_large(140, 140, 3, 1, 1, 140, true);
    check_large(4, 4, 4, 2, 1, 4, false);
}

/* Numbers of everything that cuts work, as one sum of bits. */
static uint64_t fingerprint(void)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = noise(gt_shape(5, 23, 31, 24), 4), *kernel = noise(gt_shape(3, 3, 24, 40), 5);
    gt_Tensor *deep = noise(gt_shape(3, 3, 40, 1), 6);
    gt_Tensor *sources[3] = {x, kernel, deep}, *gradients[3];
    for (int i = 0; i < 3; i++)
        gt_watch(tape, sources[i]);
    gt_Tensor *y = gt_conv(x, kernel, .padding = GT_PADDING_SAME);
    y = gt_depthwise_conv(gt_max_pool(y, gt_shape(3), .strides = gt_shape(2)), deep);
    y = gt_average_pool(gt_resize(y, gt_shape(30, 20)), gt_shape(2));
    gt_Tensor *loss = gt_sum(gt_square(y));
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){sources, 3}), gradients);
    uint64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        cr_assert(gradients[i], "%s", gt_error_message());
        const double *numbers = gt_float64_data(gradients[i]);
        for (int64_t n = 0; n < gt_size(gradients[i]); n++) {
            uint64_t bits;
            memcpy(&bits, &numbers[n], sizeof bits);
            sum = sum * 31 + bits;
        }
    }
    gt_tape_end(tape);
    return sum;
}

Test(oracle_nn, threads)
{
    uint64_t one = fingerprint();
    cr_assert(gt_set_threads(3) == GT_OK);
    cr_assert(fingerprint() == one, "three threads give other bits than one");
    cr_assert(gt_set_threads(1) == GT_OK);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- in plans, which keep their own memory ---- */

static gt_Status body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < 2; i++)
        gt_watch(tape, in[i]);
    gt_Tensor *y = gt_conv(in[0], in[1], .padding = GT_PADDING_SAME, .strides = gt_shape(2));
    y = gt_layer_normalization(gt_max_pool(y, gt_shape(2), .padding = GT_PADDING_SAME));
    y = gt_average_pool(gt_resize(y, gt_shape(7, 8)), gt_shape(2));
    gt_gradients(tape, gt_tensors(gt_sum(gt_square(y))), ((gt_Tensors){in, 2}), out + 1);
    out[0] = gt_keep(y);
    gt_keep(out[1]);
    gt_keep(out[2]);
    gt_tape_end(tape);
    return gt_status();
}

Test(oracle_nn, planned)
{
    gt_Function *function = gt_function(body, NULL, .outputs = 3);
    for (int64_t batch = 1; batch <= 3; batch++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[2] = {noise(gt_shape(batch, 11, 13, 3), 7), noise(gt_shape(3, 3, 3, 5), 8)};
        gt_Tensor *planned[3], *eager[3];
        gt_function_call(function, ((gt_Tensors){in, 2}), planned);
        body(NULL, in, eager);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        for (int k = 0; k < 3; k++) {
            size_t bytes = (size_t)gt_size(eager[k]) * sizeof(double);
            cr_assert(gt_size(planned[k]) == gt_size(eager[k]) &&
                          memcmp(gt_data(planned[k]), gt_data(eager[k]), bytes) == 0,
                      "output %d differs in a plan", k);
        }
        gt_scope_end(scope);
    }
    gt_function_free(function);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- edges ---- */

Test(oracle_nn, empty_batches)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_zeros(gt_shape(0, 6, 6, 2)), *kernel = gt_ones(gt_shape(3, 3, 2, 4));
    gt_watch(tape, x);
    gt_watch(tape, kernel);
    gt_Tensor *y = gt_max_pool(gt_conv(x, kernel, .padding = GT_PADDING_SAME), gt_shape(2));
    y = gt_average_pool(gt_resize(y, gt_shape(4, 4)), gt_shape(2));
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(0, 2, 2, 4)), "%s", gt_error_message());
    gt_Tensor *sources[2] = {x, kernel}, *gradients[2];
    gt_gradients(tape, gt_tensors(gt_sum(y)), ((gt_Tensors){sources, 2}), gradients);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(gradients[0]), gt_shape(0, 6, 6, 2)));
    for (int i = 0; i < 72; i++)
        cr_assert(gt_element(gradients[1], i) == 0);
    gt_tape_end(tape);
}

/* Grey, black, whole numbers, images without pixels. */
Test(oracle_nn, colours_at_the_edge)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_array64(gt_shape(2, 1, 3), 0, 0, 0, 0.5, 0.5, 0.5);
    gt_watch(tape, x);
    gt_Tensor *y = gt_rgb_to_hsv(x), *g = gt_gradient(tape, gt_sum(y), x);
    for (int i = 0; i < 6; i++) {
        cr_assert(gt_element(y, i) == (i == 5 ? 0.5 : 0));
        cr_assert(fabs(gt_element(g, i) - 1.0 / 3) < 1e-15, "%g", gt_element(g, i));
    }
    gt_Tensor *whole = gt_array(gt_shape(1, 2, 3), 255, 255, 255, 10, 20, 30);
    whole = gt_rgb_to_grayscale(gt_cast(whole, GT_UINT8));
    cr_assert(gt_dtype(whole) == GT_UINT8 && gt_element(whole, 0) == 254 &&
              gt_element(whole, 1) == 18);
    gt_Tensor *label = gt_cast(gt_array(gt_shape(1, 2, 1), 7, 255), GT_UINT8);
    gt_Tensor *wide = gt_resize(label, gt_shape(1, 4), .interpolation = GT_INTERPOLATION_NEAREST);
    cr_assert(gt_dtype(wide) == GT_UINT8 && gt_element(wide, 1) == 7 && gt_element(wide, 2) == 255);
    wide = gt_resize(label, gt_shape(1, 4));
    cr_assert(gt_dtype(wide) == GT_FLOAT32 && gt_element(wide, 1) == 69 &&
              gt_element(wide, 2) == 193);
    gt_Tensor *patch = gt_extract_patches(label, gt_shape(1, 2));
    cr_assert(gt_dtype(patch) == GT_UINT8 && gt_element(patch, 1) == 255);
    gt_Tensor *grey = gt_ones(gt_shape(2, 2, 1));
    cr_assert(gt_element(gt_rgb_to_grayscale(grey), 3) == 1);
    gt_Tensor *none = gt_zeros(gt_shape(0, 4, 4, 3)), *turn = gt_ones(gt_shape(8));
    const gt_Shape same = gt_tensor_shape(none);
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_rgb_to_hsv(none)), same));
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_hsv_to_rgb(none)), same));
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_gaussian_blur(none)), same));
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_affine_transform(none, turn)), same));
    none = gt_extract_patches(none, gt_shape(2, 2));
    cr_assert(gt_shape_equal(gt_tensor_shape(none), gt_shape(0, 2, 2, 12)), "%s",
              gt_error_message());
    gt_tape_end(tape);
}

Test(oracle_nn, first_maximum_and_nan)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_array64(gt_shape(1, 4, 1), 1, 1, NAN, 2);
    gt_watch(tape, x);
    gt_Tensor *y = gt_max_pool(x, gt_shape(2));
    cr_assert(gt_element(y, 0) == 1 && isnan(gt_element(y, 1)));
    gt_Tensor *g = gt_gradient(tape, gt_sum(y), x);
    cr_assert(gt_element(g, 0) == 1 && gt_element(g, 1) == 0 && gt_element(g, 2) == 1 &&
              gt_element(g, 3) == 0);
    gt_tape_end(tape);
}

Test(oracle_nn, normalizing_nothing)
{
    gt_Tape *tape = gt_tape_begin();
    for (int order = 1; order <= 3; order++) {
        gt_Tensor *x = gt_zeros(gt_shape(2, 3));
        gt_watch(tape, x);
        gt_Tensor *y = gt_normalize(x, .order = order);
        for (int i = 0; i < 6; i++)
            cr_assert(gt_element(y, i) == 0);
    }
    gt_tape_end(tape);
}

#define REFUSES(expression, text)                                                                  \
    do {                                                                                           \
        cr_assert(!(expression), "%s was taken", #expression);                                     \
        cr_assert(gt_status() == GT_INVALID && strstr(gt_error_message(), text), "%s: %s",         \
                  #expression, gt_error_message());                                                \
        gt_error_clear();                                                                          \
    } while (0)

Test(oracle_nn, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 8, 8, 4)), *k = gt_ones(gt_shape(3, 3, 4, 6));
    gt_Tensor *mean = gt_ones(gt_shape(3)), *flat = gt_ones(gt_shape(2, 4));
    REFUSES(gt_conv(x, k, .strides = gt_shape(2), .dilation = gt_shape(2)),
            "strides > 1 cannot be combined with dilation > 1");
    REFUSES(gt_conv(x, k, .groups = 3), "groups must divide 4 channels and 6 filters (got 3)");
    REFUSES(gt_conv(x, k, .groups = 0), "(got 0)");
    REFUSES(gt_conv(x, k, .groups = 2),
            "a kernel for 2 of the channels of (2, 8, 8, 4) must have as many (got (3, 3, 4, 6))");
    REFUSES(gt_conv(x, k, .padding = GT_PADDING_CAUSAL),
            "causal padding needs one spatial axis (got 2)");
    REFUSES(gt_conv(x, k, .strides = gt_shape(0)),
            "conv: stride must be from 1 to 2147483647 (got 0)");
    REFUSES(gt_conv(x, k, .strides = gt_shape((int64_t)1 << 32)), "(got 4294967296)");
    REFUSES(gt_conv(x, k, .dilation = gt_shape((int64_t)1 << 32)),
            "dilation must be from 1 to 2147483647 (got 4294967296)");
    REFUSES(gt_conv_transpose(x, k, .strides = gt_shape((int64_t)1 << 32)),
            "conv_transpose: conv_input_gradient: stride must be from 1 to 2147483647 (got "
            "4294967296)");
    REFUSES(gt_max_pool(x, gt_shape(2), .strides = gt_shape(-1)), "max_pool: stride must be");
    REFUSES(gt_conv(x, k, .padding = (gt_Padding)7), "conv: unknown padding 7");
    REFUSES(gt_conv(x, k, .strides = gt_shape(1, 1, 1)),
            "strides must be one number, or one for each of 2 spatial axes (got 3)");
    REFUSES(gt_conv(x, gt_ones(gt_shape(9, 3, 4, 6))),
            "a window of 9 does not fit into spatial axis 0 of size 8");
    REFUSES(gt_conv(x, gt_zeros(gt_shape(0, 3, 4, 6))),
            "the size of the window must be from 1 to 2147483647 (got 0)");
    REFUSES(gt_conv(x, gt_ones(gt_shape(3, 4, 6))),
            "must have the same number of axes (got (2, 8, 8, 4) and (3, 4, 6))");
    REFUSES(gt_conv(x, gt_cast(k, GT_FLOAT64)), "types differ");
    REFUSES(gt_conv(flat, flat),
            "images must be (batch, one to three spatial axes, channels) (got (2, 4))");
    REFUSES(gt_depthwise_conv(x, gt_ones(gt_shape(3, 3, 5, 1))),
            "depthwise_conv: a depthwise kernel for (2, 8, 8, 4) must be (spatial..., 4, "
            "multiplier) (got (3, 3, 5, 1))");
    REFUSES(gt_separable_conv(x, gt_ones(gt_shape(3, 3, 4, 1)), k),
            "the spatial size of a pointwise kernel must be 1 (got (3, 3, 4, 6))");
    REFUSES(gt_conv_transpose(x, gt_ones(gt_shape(3, 3, 6, 4)), .strides = gt_shape(2),
                              .output_padding = gt_shape(2)),
            "conv_transpose: ");
    REFUSES(gt_conv_transpose(x, gt_ones(gt_shape(3, 3, 6, 5))), "conv_transpose: ");
    REFUSES(gt_zeros(gt_shape((int64_t)1 << 60, 8, 8, 0)), "is invalid or too large");
    gt_Tensor *wide = gt_zeros(gt_shape((int64_t)1 << 50, 8, 8, 0));
    REFUSES(gt_conv(wide, gt_zeros(gt_shape(3, 3, 0, 6))), "too large");
    REFUSES(gt_max_pool(x, gt_shape()), "the size of the window must be");
    REFUSES(gt_max_pool(x, gt_shape(2, 2, 2)),
            "pool sizes must be one number, or one for each of 2 spatial axes (got 3)");
    REFUSES(gt_average_pool(x, gt_shape(9)), "a window of 9 does not fit");
    REFUSES(gt_upsample(mean, gt_shape(2)),
            "x must be (batch, spatial..., channels) with 1 to 3 spatial axes");
    REFUSES(gt_upsample(x, gt_shape(2, 2, 2)),
            "upsample: sizes must be one number, or one for each of 2");
    REFUSES(gt_upsample(x, gt_shape(0)), "a size must be from 1 to");
    REFUSES(gt_upsample(x, gt_shape(INT32_MAX), .interpolation = GT_INTERPOLATION_BILINEAR),
            "axis 1 of size 8 cannot be resized to that times 2147483647");
    REFUSES(gt_batch_dot(mean, mean), "batch_dot: both must be batches of the same length");
    REFUSES(gt_batch_dot(x, x, .axes = gt_axes(0, 1)),
            "not the first (got (2, 8, 8, 4) and (2, 8, 8, 4))");
    REFUSES(gt_batch_dot(x, x, .axes = gt_axes(4, 1)), "there is no axis 4");
    REFUSES(gt_batch_dot(x, x, .axes = gt_axes(1, 2, 3)), "batch_dot: both must be batches");
    REFUSES(gt_mel_weights(1, 4), "there must be at least 2 frequencies and 1 band");
    REFUSES(gt_mel_weights(9, 4, .min_freq = 9000), "(got 9 and 4, 9000 to 8000)");
    REFUSES(gt_mel_spectrogram(mean, .min_power = 0),
            "mel_spectrogram: min_power must be > 0 (got 0)");
    REFUSES(gt_adaptive_max_pool(x, gt_shape(0)), "an output size must be from 1 to");
    REFUSES(gt_adaptive_max_pool(x, gt_shape(1, 2, 3)),
            "adaptive_max_pool: output sizes must be one number");
    REFUSES(gt_adaptive_average_pool(mean, gt_shape(2)), "adaptive_average_pool: ");
    REFUSES(gt_adaptive_average_pool(gt_zeros(gt_shape(2, 0, 1)), gt_shape(2)),
            "the size of an image must be from 1");
    REFUSES(gt_spectral_normalization(x, mean).kernel,
            "u must be (1, channels) for a kernel (..., channels)");
    REFUSES(gt_spectral_normalization(x, gt_ones(gt_shape(1, 4)), .power_iterations = 0).u,
            "spectral_normalization: power_iterations must be >= 1 (got 0)");
    gt_Tensor *moment[2];
    REFUSES((gt_moments(x, &moment[0], &moment[1], .mask = x), moment[0]),
            "mask must be bool over leading axes");
    REFUSES((gt_moments(x, &moment[0], &moment[1], .mask = gt_ones(gt_shape(8), .dtype = GT_BOOL)),
             moment[1]),
            "mask must be bool over leading axes of (2, 8, 8, 4) (got bool (8,))");
    REFUSES(gt_batch_normalization(x, mean, mean),
            "a mean of (2, 8, 8, 4) must have 4 elements (got (3,))");
    REFUSES(gt_layer_normalization(x, .axes = gt_axes(1, 1)), "axis 1 is named twice");
    REFUSES(gt_layer_normalization(x, .axis = 4), "there is no axis 4");
    REFUSES(gt_group_normalization(x), "groups must divide 4 channels (got 32)");
    REFUSES(gt_normalize(x, .order = 0), "order must be >= 1 (got 0)");
    REFUSES(gt_resize(x, gt_shape(0, 3)), "cannot be resized to 0");
    REFUSES(gt_resize(flat, gt_shape(2, 2)), "images must be (height, width, channels)");
    REFUSES(gt_resize(x, gt_shape(2)), "resize: size must be (height, width) (got (2,))");
    REFUSES(gt_resize(x, gt_shape(2, 2), .crop_to_aspect_ratio = true, .pad_to_aspect_ratio = true),
            "cannot be brought to the ratio of (2, 2)");
    REFUSES(gt_resize(x, gt_shape(0, 2), .pad_to_aspect_ratio = true), "to the ratio of (0, 2)");
    REFUSES(gt_resize(x, gt_shape(2, 2), .interpolation = (gt_Interpolation)9),
            "cannot be resized");
    REFUSES(gt_rgb_to_grayscale(x),
            "rgb_to_grayscale: images must have 3 channels (got (2, 8, 8, 4))");
    REFUSES(gt_rgb_to_grayscale(flat), "images must be (height, width, channels)");
    REFUSES(gt_rgb_to_hsv(x), "rgb_to_hsv: images must have 3 channels (got (2, 8, 8, 4))");
    REFUSES(gt_rgb_to_hsv(gt_zeros(gt_shape(2, 2, 3), .dtype = GT_UINT8)),
            "rgb_to_hsv: dtype uint8");
    REFUSES(gt_hsv_to_rgb(flat), "hsv_to_rgb: images must be (height, width, channels)");
    REFUSES(gt_gaussian_blur(x, .sigma_width = 0),
            "gaussian_blur: a kernel must have at least 1 pixel and a sigma > 0 (got 3 and 0)");
    REFUSES(gt_gaussian_blur(x, .height = 0), "(got 0 and 1)");
    REFUSES(gt_gaussian_blur(flat), "images must be (height, width, channels)");
    REFUSES(gt_gaussian_blur(gt_cast(x, GT_UINT8)), "gaussian_blur: dtype uint8");
    const int64_t far = INT32_MAX;
    REFUSES(gt_extract_patches(x, gt_shape(far, far), .strides = gt_shape(1),
                               .padding = GT_PADDING_SAME, .dilation = gt_shape(far)),
            "is too large");
    REFUSES(gt_extract_patches(gt_zeros(gt_shape(0, 2, 2, far)), gt_shape(far, far),
                               .strides = gt_shape(1), .padding = GT_PADDING_SAME),
            "too large");
    REFUSES(gt_extract_patches(flat, gt_shape(2, 2)),
            "extract_patches: patches have two sizes of (height, width, channels)");
    REFUSES(gt_extract_patches(x, gt_shape(9, 2)), "a window of 9 does not fit");
    REFUSES(gt_extract_patches(x, gt_shape(2, 2), .dilation = gt_shape(2)),
            "strides > 1 cannot be combined with dilation > 1");
    REFUSES(gt_extract_patches(x, gt_shape(1, 1, 1, 1)), "(got (1, 1, 1, 1) of (2, 8, 8, 4))");
    REFUSES(gt_map_coordinates(flat, mean, 1), "coordinates in (2, 4) must be (2, ...) (got (3,))");
    REFUSES(gt_map_coordinates(flat, flat, 2),
            "order must be 0 (nearest) or 1 (linear) and fill_mode a gt_FillMode (got 2 and 0)");
    REFUSES(gt_map_coordinates(flat, flat, 1, .fill_mode = (gt_FillMode)5), "(got 1 and 5)");
    REFUSES(gt_map_coordinates(gt_zeros(gt_shape(0)), gt_ones(gt_shape(1, 2)), 0),
            "map_coordinates: take: index");
    REFUSES(gt_affine_transform(x, mean),
            "transforms of images (2, 8, 8, 4) must be (8,) or (batch, 8) (got (3,))");
    REFUSES(gt_affine_transform(x, gt_ones(gt_shape(3, 8))), "(got (3, 8))");
    REFUSES(gt_affine_transform(x, gt_ones(gt_shape(8)), .interpolation = GT_INTERPOLATION_BICUBIC),
            "affine_transform: interpolation must be nearest or bilinear (got 2)");
    REFUSES(gt_crop_images(x, .top = 1, .height = 9, .left = 0, .right = 0), "the axis has size 8");
    REFUSES(gt_pad_images(x, .top = 1), "two of before, after and the new size must be given");
    REFUSES(gt_dot_product_attention(x, x, k),
            "that fit together (got (2, 8, 8, 4), (2, 8, 8, 4) and (3, 3, 4, 6))");
    REFUSES(gt_dot_product_attention(x, x, x, .mask = x), "mask must be bool (got float32)");
    REFUSES(gt_dot_product_attention(x, x, x, .axes = gt_axes(2)),
            "axes must lie between the batch");
    REFUSES(gt_dot_product_attention(x, x, x, .query_mask = gt_cast(mean, GT_BOOL)),
            "query_mask must have 2 axes (got 1)");
    REFUSES(gt_dot_product_attention(flat, flat, flat), "must be (batch, length, heads, width)");
    gt_Tensor *deep = gt_expand_dims(x, 1);
    REFUSES(gt_dot_product_attention(deep, deep, deep, .is_causal = true), "give a mask");
    REFUSES(gt_dot_product_attention(deep, deep, deep, .mask = gt_cast(mean, GT_BOOL)),
            "bias and mask must have at least 4 axes (got 1)");
    REFUSES(gt_attention(x, x), "query, key and value must be (batch, length, width)");
    gt_Tensor *words = gt_ones(gt_shape(2, 3, 4));
    REFUSES(gt_attention(words, words, .score_mode = (gt_ScoreMode)2), "unknown score mode 2");
    REFUSES(gt_attention(words, words, .value_mask = words),
            "value_mask must be bool (got float32)");
    REFUSES(gt_additive_attention(words, words, .key = gt_ones(gt_shape(2, 4, 4))),
            "(got (2, 3, 4), (2, 4, 4)");
    gt_scope_end(scope);
}
