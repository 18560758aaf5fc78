/* Layers of images: what the walks over the table of layers do not see. Transformations with numbers that are given, against
 * Keras's (oracle/images.inc); draws, one an image; images alone and integers; models for any batch; wrong inputs. */
#include "layer_mistakes.h"

#include "layers/preprocessing/images.h"
#include "oracle/images.inc"

#include <math.h>

enum {
    IMAGES = 3,
    HEIGHT = 4,
    WIDTH = 5,
    CHANNELS = 3,
    PIXELS = IMAGES * HEIGHT * WIDTH * CHANNELS
};

/* The images of oracle/make_images.py. */
static gt_Tensor *images(void)
{
    double numbers[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        numbers[i] = 2.5 * (37 * i % 101);
    return gt_from_values(gt_shape(IMAGES, HEIGHT, WIDTH, CHANNELS), GT_FLOAT32, PIXELS, numbers);
}

static gt_Tensor *each(double a, double b, double c)
{
    return gt_array(gt_shape(IMAGES, 1, 1, 1), a, b, c);
}

static void near(double got, double want)
{
    cr_assert(fabs(got - want) < 1e-5, "%.9g instead of %.9g", got, want);
}

static bool same(gt_Tensor *a, gt_Tensor *b)
{
    cr_assert(a && b, "%s", gt_error_message());
    bool equal = gt_size(a) == gt_size(b);
    for (int64_t i = 0; equal && i < gt_size(a); i++)
        equal = gt_element(a, i) == gt_element(b, i);
    return equal;
}

static void agrees(const char *name, gt_Tensor *y, const double *want)
{
    cr_assert(y && gt_size(y) == PIXELS, "%s: %s", name, gt_error_message());
    for (int i = 0; i < PIXELS; i++)
        cr_assert(fabs(gt_element(y, i) - want[i]) <= 2e-5 * fmax(1, fabs(want[i])),
                  "%s, element %d: %.9g instead of %.9g", name, i, gt_element(y, i), want[i]);
}
#define AGREES(name, y) agrees(#name, y, name)

Test(layers_image, given_numbers)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images(), *flips = gt_cast(each(1, 0, 1), GT_BOOL);
    AGREES(flip_both, gt_flip_images(x, flips, GT_FLIP_MODE_HORIZONTAL_AND_VERTICAL));
    AGREES(flip_horizontal, gt_flip_images(x, flips, GT_FLIP_MODE_HORIZONTAL));
    AGREES(flip_vertical, gt_flip_images(x, flips, GT_FLIP_MODE_VERTICAL));
    gt_affine_transform_options look = {
        GT_PRESETS(gt_affine_transform_options, gt_affine_transform_OPTIONS).fill_mode =
            GT_FILL_MODE_REFLECT};
    gt_Tensor *across = each(0.3, -0.7, 0.1), *down = each(-0.2, 0, 0.9);
    AGREES(shear_reflect, gt_shear_images(x, across, down, &look));
    look.interpolation = GT_INTERPOLATION_NEAREST;
    look.fill_mode = GT_FILL_MODE_CONSTANT;
    look.fill_value = 8;
    AGREES(shear_nearest, gt_shear_images(x, across, down, &look));
    gt_Tensor *corner[] = {each(0.9, 1, 1.3), each(1.1, 1, 0.9), each(1.2, 1, 0.8),
                           each(0.8, 1, 1.1)};
    look.interpolation = GT_INTERPOLATION_BILINEAR;
    look.fill_value = 9;
    AGREES(perspective, gt_where(flips, gt_tilt_images(x, corner, &look), x));
    ends(scope);
}

/* Rectangles as in make_images.py; bool (3, height, width, 1). */
static gt_Tensor *rectangles(void)
{
    static const double x[3][2] = {{0, 2}, {1.5, 4.9}, {3.2, 3.9}},
                        y[3][2] = {{0.3, 4}, {0, 2.5}, {1, 1.4}};
    const gt_Shape size = gt_tensor_shape(images());
    const int64_t height = gt_dim(size, 1), width = gt_dim(size, 2);
    double inside[512];
    int64_t at = 0;
    for (int i = 0; i < 3; i++)
        for (int64_t row = 0; row < height; row++)
            for (int64_t column = 0; column < width; column++)
                inside[at++] = (double)column >= x[i][0] && (double)column < x[i][1] &&
                               (double)row >= y[i][0] && (double)row < y[i][1];
    return gt_cast(gt_from_values(gt_shape(3, height, width, 1), GT_FLOAT32, at, inside), GT_BOOL);
}

Test(layers_image, given_mixtures)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images(), *order = gt_cast(gt_array(gt_shape(3), 2, 0, 1), GT_INT32);
    gt_Tensor *labels = gt_array(gt_shape(3, 2), 1, 0, 0, 1, 0.5, 0.25);
    gt_Mix blended = {order, NULL, each(0.2, 1, 0.7)};
    AGREES(mix_up, gt_mix_images(x, &blended));
    gt_Mix cut = {order, rectangles(),
                  each(1 - 2 * 3.7 / 20, 1 - 3.4 * 2.5 / 20, 1 - 0.7 * 0.4 / 20)};
    AGREES(cut_mix, gt_mix_images(x, &cut));
    for (int i = 0; i < 6; i++) {
        near(gt_element(gt_mix_labels(labels, &blended), i), mix_up_labels[i]);
        near(gt_element(gt_mix_labels(labels, &cut), i), cut_mix_labels[i]);
    }
    ends(scope);
}

/* What a layer that draws nothing makes of the images, in training. */
static gt_Tensor *made_by(gt_Layer *layer)
{
    gt_Tensor *y = gt_call(layer, images(), .training = true);
    gt_layer_free(layer);
    return y;
}

Test(layers_image, given_colours)
{
    const gt_Range low = {0, 200}, all = {0, 255}, unit = {0, 1};
    const int64_t size[2] = {5, 5};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images(), *flips = gt_cast(each(1, 0, 1), GT_BOOL);
    AGREES(contrast, gt_contrast_images(x, each(0.5, 1, 1.75), low));
    AGREES(brightness, gt_brighten_images(x, each(0.3, -0.2, 0), low));
    AGREES(hue, gt_shift_hues(x, each(0.3, -0.25, 0.5), all));
    AGREES(saturation, gt_saturate_images(x, each(0.4, 1, 3), unit));
    AGREES(degeneration, gt_degenerate_images(x, each(0.3, 1, -0.5), all));
    AGREES(solarization,
           gt_solarize_images(x, each(0, 20, 90), each(128, 250, 10), (gt_Range){-10, 260}));
    AGREES(posterization, gt_posterize_images(x, each(1, 5, 7), (gt_Range){0, 260}));
    AGREES(sharpness, gt_sharpen_images(x, each(0.1, 0.5, 0.9), all));
    gt_Tensor *blurred =
        gt_blur_images(x, size, gt_scalar(0.6, GT_FLOAT32), gt_scalar(0.9, GT_FLOAT32));
    AGREES(blur, gt_where(flips, blurred, x));
    AGREES(equalization, made_by(gt_Equalization(.bins = 64)));
    AGREES(auto_contrast, made_by(gt_AutoContrast(.value_range = gt_numbers(-5, 300))));
    ends(scope);
}

/* One image is a batch of one; bytes become floats; no pixels are an error. */
Test(layers_image, adaptive_equalization_of_one)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer =
        gt_ContrastLimitedAdaptiveHistogramEqualization(.tile_grid_size = gt_sizes(2, 3));
    gt_Tensor *x = gt_slice(images(), gt_shape(1, 0, 0, 0), gt_shape(1, -1, -1, -1));
    gt_Tensor *y = gt_call(layer, x), *one = gt_call(layer, gt_squeeze(x, .axis = 0));
    cr_assert(gt_rank(one) == 3 && same(gt_squeeze(y, .axis = 0), one) && !same(x, y), "%s",
              gt_error_message());
    cr_assert(same(gt_call(layer, gt_cast(x, GT_UINT8)),
                   gt_call(layer, gt_cast(gt_cast(x, GT_UINT8), GT_FLOAT32))));
    cr_assert(same(gt_call(layer, x, .training = true), y));
    not_called(layer, gt_zeros(gt_shape(2, 0, 3, 1)), NULL, "images must have pixels");
    ends(scope);
}

/* A channel of one level stays, and has a gradient in AutoContrast. */
Test(layers_image, one_level)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(2, 3, 3, 1), 40), *y = gt_identity(x);
    gt_Layer *equal = gt_Equalization(), *stretched = gt_AutoContrast();
    for (int i = 0; i < 18; i++)
        cr_assert(gt_element(gt_call(equal, x, .training = true), i) == 40 &&
                  gt_element(gt_call(stretched, x), i) == 40);
    gt_Tape *tape = gt_tape_begin();
    gt_Variable *v = gt_variable(y);
    gt_Tensor *gradient = gt_gradient(tape, gt_sum(gt_call(stretched, v)), v);
    for (int i = 0; i < 18; i++)
        cr_assert(gt_element(gradient, i) == 1);
    gt_tape_end(tape);
    gt_variable_free(v);
    gt_layer_free(equal);
    gt_layer_free(stretched);
    ends(scope);
}

/* ---- draws ---- */

/* Layers that draw, by number; NULL behind the last. */
static gt_Layer *drawing(int number, int64_t seed)
{
    switch (number) {
    case 0:
        return gt_RandomFlip(.seed = seed);
    case 1:
        return gt_RandomRotation(0.2, .seed = seed);
    case 2:
        return gt_RandomZoom(0.3, .seed = seed);
    case 3:
        return gt_RandomTranslation(0.3, 0.2, .seed = seed);
    case 4:
        return gt_RandomCrop(2, 3, .seed = seed);
    case 5:
        return gt_RandomContrast(0.8, .seed = seed);
    case 6:
        return gt_RandomBrightness(0.2, .seed = seed);
    case 7:
        return gt_RandomShear(.x_factor = 0.3, .seed = seed);
    case 8:
        return gt_RandomHue(0.3, .seed = seed);
    case 9:
        return gt_RandomSaturation(0.7, .factor_lower = 0.3, .seed = seed);
    case 10:
        return gt_RandomColorDegeneration(0.5, .seed = seed);
    case 11:
        return gt_RandomGrayscale(.seed = seed);
    case 12:
        return gt_RandomColorJitter(.brightness_factor = 0.2, .hue_factor = 0.2, .seed = seed);
    case 13:
        return gt_RandomInvert(.factor = 0.5, .factor_lower = 0.5, .seed = seed);
    case 14:
        return gt_Solarization(.threshold_factor = 0.7, .seed = seed);
    case 15:
        return gt_RandomPosterization(6, .seed = seed);
    case 16:
        return gt_RandomSharpness(0.9, .seed = seed);
    case 17:
        return gt_RandomGaussianBlur(.seed = seed);
    case 18:
        return gt_RandomErasing(.seed = seed);
    case 19:
        return gt_RandomPerspective(.scale = 0.4, .seed = seed);
    case 20:
        return gt_RandAugment(.num_ops = 4, .seed = seed);
    case 21:
        return gt_AugMix(.num_chains = 2, .chain_depth = 1, .seed = seed);
    default:
        return NULL;
    }
}

/* One seed gives the same numbers in each layer, another one others, a second call others; one image is a batch of one;
 * inference is what was given; bytes become floats. */
Test(layers_image, seeds)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *few = images(), *one = gt_slice(few, gt_shape(1, 0, 0, 0), gt_shape(1, -1, -1, -1));
    gt_Tensor *x = gt_tile(few, gt_shape(9, 1, 1, 1));
    gt_Layer *layer;
    int number = 0;
    for (; (layer = drawing(number, 3)) != NULL; number++) {
        gt_Layer *again = drawing(number, 3), *other = drawing(number, 4),
                 *alone = drawing(number, 3);
        gt_Tensor *y = gt_call(layer, x, .training = true);
        cr_assert(same(y, gt_call(again, x, .training = true)), "layer %d", number);
        cr_assert(!same(y, gt_call(other, x, .training = true)), "layer %d", number);
        cr_assert(!same(y, gt_call(layer, x, .training = true)), "layer %d", number);
        gt_Tensor *single = gt_call(alone, gt_squeeze(one, .axis = 0), .training = true);
        cr_assert(gt_rank(single) == 3, "layer %d", number);
        gt_layer_free(again);
        again = drawing(number, 3);
        cr_assert(same(single, gt_call(again, one, .training = true)), "layer %d", number);
        bool crops = number == 4;
        cr_assert(crops || same(x, gt_call(layer, x)), "layer %d", number);
        gt_Tensor *bytes = gt_cast(x, GT_UINT8), *inferred = gt_call(layer, bytes);
        cr_assert(gt_dtype(inferred) == GT_FLOAT32 && (crops || same(inferred, bytes)));
        cr_assert(gt_dtype(gt_call(layer, bytes, .training = true)) == GT_FLOAT32);
        cr_assert(gt_dtype(gt_call(layer, gt_cast(x, GT_FLOAT16), .training = true)) == GT_FLOAT16);
        gt_layer_free(layer);
        gt_layer_free(again);
        gt_layer_free(other);
        gt_layer_free(alone);
    }
    cr_assert(number == 22);
    ends(scope);
}

/* Means of the gamma and of the beta distribution, and of its square and fourth power; a small parameter too. */
Test(layers_image, gamma_and_beta)
{
    enum { COUNT = 40000 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_MixUp(.seed = 5);
    gt_call(layer, images());
    gt_Tensor *like = gt_zeros(gt_shape(COUNT, 1, 1, 1));
    for (double a = 0.02; a < 10; a *= 3) {
        gt_Tensor *alpha = gt_scalar(a, GT_FLOAT32), *x = gt_draw_beta(layer, like, alpha);
        const double gamma = gt_item(gt_mean(gt_exp(gt_draw_log_gamma(layer, like, alpha))));
        cr_assert(fabs(gamma - a) < 5 * sqrt(a / COUNT), "%g: %g", a, gamma);
        double mean = gt_item(gt_mean(x)), square = gt_item(gt_mean(gt_square(x)));
        double fourth = gt_item(gt_mean(gt_power(x, 4)));
        const double two = (a + 1) / (4 * a + 2);
        const double four = two * (a + 2) * (a + 3) / ((2 * a + 2) * (2 * a + 3));
        cr_assert(fabs(mean - 0.5) < 0.0125 && fabs(square - two) < 0.0125 &&
                      fabs(fourth - four) < 0.0125,
                  "%g: %g %g %g", a, mean, square, fourth);
    }
    gt_layer_free(layer);
    ends(scope);
}

/* Labels are mixed as images are; a single image is not mixed; labels that are asked for must be given. */
Test(layers_image, labels_go_along)
{
    gt_Scope *scope = gt_scope_begin();
    for (int cuts = 0; cuts < 2; cuts++) {
        gt_Layer *layer = cuts ? gt_CutMix(.seed = 1) : gt_MixUp(1, .seed = 1);
        gt_Tensor *labels = gt_one_hot(gt_arange(0, 4, 1, .dtype = GT_INT32), 4), *mixed;
        gt_Tensor *x =
            gt_broadcast_to(gt_reshape(labels, gt_shape(4, 1, 1, 4)), gt_shape(4, 16, 16, 4));
        gt_Tensor *y = gt_call(layer, x, .more = gt_tensors(labels), .outputs = gt_outputs(&mixed),
                               .training = true);
        gt_Tensor *part = gt_mean(y, .axes = gt_axes(1, 2));
        cr_assert(y && !same(part, labels), "%s", gt_error_message());
        for (int i = 0; i < 16; i++) /* a rectangle's border is within a pixel */
            cr_assert(fabs(gt_element(mixed, i) - gt_element(part, i)) < (cuts ? 0.13 : 1e-6));
        gt_call(layer, x, .more = gt_tensors(labels), .outputs = gt_outputs(&mixed));
        cr_assert(same(mixed, labels));
        gt_Tensor *one = gt_reshape(labels, gt_shape(2, 2, 4));
        cr_assert(same(gt_call(layer, one, .training = true), one));
        cr_assert(!gt_call(layer, x, .outputs = gt_outputs(&mixed)));
        cr_assert(strstr(gt_error_message(), "labels are asked for, so they must be given"), "%s",
                  gt_error_message());
        gt_error_clear();
        gt_layer_free(layer);
    }
    ends(scope);
}

/* With a factor of 0 three in four of the transformations, or none, leave a grey image alone; of one bit 100 becomes 0,
 * inverted 155. The mean of w and of the weights of chains is even. */
Test(layers_image, chains)
{
    enum { CALLS = 3000 };
    gt_Scope *all = gt_scope_begin();
    for (int64_t chains = 1; chains < 4; chains += 2) {
        gt_Layer *layer = gt_AugMix(.num_chains = chains, .chain_depth = 1, .factor = 0,
                                    .all_ops = false, .seed = 2);
        int below = 0, above = 0;
        double sum = 0;
        for (int i = 0; i < CALLS; i++) {
            gt_Scope *scope = gt_scope_begin();
            double y =
                gt_element(gt_call(layer, gt_full(gt_shape(2, 2, 2, 1), 100), .training = true), 5);
            below += y < 99.999;
            above += y > 100.001;
            sum += y;
            gt_scope_end(scope);
        }
        cr_assert(fabs(sum / CALLS - 97.1875) < 1.8, "%g", sum / CALLS);
        cr_assert(chains > 1 || (abs(below - CALLS / 8) < 90 && abs(above - CALLS / 8) < 90),
                  "%d %d", below, above);
        gt_layer_free(layer);
    }
    ends(all);
}

/* Half of the images are flipped, each by itself, and left and right change places. */
Test(layers_image, rate_of_flips)
{
    enum { CALLS = 25, BATCH = 4000 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_RandomFlip(.mode = GT_FLIP_MODE_HORIZONTAL, .seed = 1);
    gt_Tensor *x = gt_broadcast_to(gt_array(gt_shape(1, 2, 1), 0, 1), gt_shape(BATCH, 1, 2, 1));
    int flipped = 0, changes = 0;
    for (int n = 0; n < CALLS; n++) {
        gt_Tensor *y = gt_call(layer, x, .training = true);
        for (int i = 0; i < BATCH; i++) {
            cr_assert(gt_element(y, 2 * i) + gt_element(y, 2 * i + 1) == 1);
            flipped += gt_element(y, 2 * i) == 1;
            changes += i > 0 && gt_element(y, 2 * i) != gt_element(y, 2 * i - 2);
        }
    }
    /* five deviations of sqrt(1e5) / 2 */
    cr_assert(abs(flipped - CALLS * BATCH / 2) < 800 && abs(changes - CALLS * BATCH / 2) < 800,
              "%d flipped, %d changes", flipped, changes);
    gt_layer_free(layer);
    ends(scope);
}

/* A probability of 0.3 is one in training; a range of them, 0 to 1, is a half. */
Test(layers_image, rates)
{
    enum { BATCH = 50000 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *const layers[] = {
        gt_RandomInvert(0.3, .factor_lower = 0.3, .seed = 1), gt_RandomInvert(.seed = 2),
        gt_RandomErasing(0.3, .factor_lower = 0.3, .scale = 1, .scale_lower = 1,
                         .fill_value = gt_numbers(0), .seed = 3),
        gt_RandomGrayscale(0.3, .seed = 4)};
    gt_Tensor *colour = gt_array(gt_shape(1, 1, 1, 3), 50, 100, 200);
    gt_Tensor *x = gt_broadcast_to(colour, gt_shape(BATCH, 1, 1, 3));
    for (int k = 0; k < 4; k++) {
        gt_Tensor *y = gt_call(layers[k], x, .training = true);
        int changed = 0;
        for (int i = 0; i < BATCH; i++)
            changed += gt_element(y, 3 * i) != 50;
        double rate = k == 1 ? 0.5 : 0.3; /* five deviations */
        cr_assert(fabs(changed - rate * BATCH) < 5 * sqrt(rate * (1 - rate) * BATCH),
                  "layer %d: %d", k, changed);
        gt_layer_free(layers[k]);
    }
    ends(scope);
}

/* Rectangles: rows and columns between roots of the scale, anywhere; filled by channel, the value range cuts. */
Test(layers_image, rectangles)
{
    enum { BATCH = 3000, SIZE = 20 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_RandomErasing(.factor_lower = 1, .scale = 0.25, .scale_lower = 0.04,
                                       .fill_value = gt_numbers(3, 300, -1), .seed = 9);
    gt_Tensor *y = gt_call(layer, gt_full(gt_shape(BATCH, SIZE, SIZE, 3), 100), .training = true);
    int64_t covered = 0;
    for (int i = 0; i < BATCH; i++) {
        int rows = 0, columns = 0, all = 0;
        for (int r = 0; r < SIZE; r++)
            for (int c = 0; c < SIZE; c++) {
                const int64_t at = ((int64_t)(i * SIZE + r) * SIZE + c) * 3;
                bool gone = gt_element(y, at) != 100;
                if (gone)
                    cr_assert(gt_element(y, at) == 3 && gt_element(y, at + 1) == 255 &&
                              gt_element(y, at + 2) == 0);
                all += gone;
                rows = gone && r > rows ? r : rows;
                columns = gone && c > columns ? c : columns;
            }
        int height = 0, width = 0;
        for (int k = 0; k < SIZE; k++) {
            height += gt_element(y, ((int64_t)(i * SIZE + k) * SIZE + columns) * 3) != 100;
            width += gt_element(y, ((int64_t)(i * SIZE + rows) * SIZE + k) * 3) != 100;
        }
        cr_assert(all == height * width && height >= 4 && height <= 11 && width >= 4 && width <= 11,
                  "%d of %d x %d", all, height, width);
        covered += all;
    }
    /* The mean of the square root of [0.04, 0.25) is 0.3714, so that 0.138 of the pixels are covered. */
    cr_assert(fabs((double)covered / (BATCH * SIZE * SIZE) - 0.138) < 0.004, "%g",
              (double)covered / (BATCH * SIZE * SIZE));
    gt_layer_free(layer);
    ends(scope);
}

/* Every window comes up as often as any, the same for all images of a batch. */
Test(layers_image, windows)
{
    enum { CALLS = 6000, DOWN = 3, ACROSS = 4 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_RandomCrop(2, 3, .seed = 5);
    gt_Tensor *x = gt_reshape(gt_arange(0, 48, 1), gt_shape(2, 4, 6, 1));
    int counts[DOWN][ACROSS] = {{0}};
    for (int n = 0; n < CALLS; n++) {
        gt_Scope *inner = gt_scope_begin();
        gt_Tensor *y = gt_call(layer, x, .training = true);
        cr_assert(has_shape(y, gt_shape(2, 2, 3, 1)));
        int at = (int)gt_element(y, 0), down = at / 6, across = at % 6;
        cr_assert(down < DOWN && across < ACROSS);
        for (int i = 0; i < 12; i++)
            cr_assert(gt_element(y, i) == at + 24 * (i / 6) + 6 * (i / 3 % 2) + i % 3);
        counts[down][across]++;
        gt_scope_end(inner);
    }
    for (int i = 0; i < DOWN * ACROSS; i++) /* 500 of them, deviation 21 */
        cr_assert(abs(counts[i / ACROSS][i % ACROSS] - CALLS / 12) < 110);
    gt_layer_free(layer);
    ends(scope);
}

/* A number an image, from -0.2 to 0.2 of the range, evenly. */
Test(layers_image, brightness_of_each)
{
    enum { BATCH = 100000 };
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_RandomBrightness(0.2, .value_range = gt_numbers(-10, 10), .seed = 2);
    gt_Tensor *y = gt_call(layer, gt_zeros(gt_shape(BATCH, 1, 1, 2)), .training = true);
    double sum = 0, squares = 0, least = 0, largest = 0;
    for (int i = 0; i < BATCH; i++) {
        double d = gt_element(y, 2 * i);
        cr_assert(d == gt_element(y, 2 * i + 1));
        sum += d;
        squares += d * d;
        least = fmin(least, d);
        largest = fmax(largest, d);
    }
    double variance = 16.0 * 4 / 12; /* of [-4, 4) */
    cr_assert(fabs(sum / BATCH) < 5 * sqrt(variance / BATCH) &&
              fabs(squares / BATCH / variance - 1) < 0.02);
    cr_assert(least >= -4 && least < -3.99 && largest <= 4 && largest > 3.99);
    gt_layer_free(layer);
    ends(scope);
}

/* ---- sizes ---- */

Test(layers_image, one_size)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images();
    gt_Layer *crop =
        gt_RandomCrop(8, 3); /* not larger both ways: the largest window of 8 to 3, resized */
    gt_Tensor *y = gt_call(crop, x, .training = true);
    cr_assert(has_shape(y, gt_shape(3, 8, 3, 3)));
    gt_Tensor *middle = gt_slice(x, gt_shape(0, 0, 2, 0), gt_shape(-1, -1, 1, -1));
    cr_assert(same(y, gt_resize(middle, gt_shape(8, 3))) && same(y, gt_call(crop, x)));
    gt_layer_free(crop);
    gt_Layer *centre = gt_CenterCrop(2, 2), *other = gt_Resizing(2, 2);
    y = gt_call(centre, x);
    cr_assert(gt_element(y, 0) == gt_element(x, (WIDTH + 1) * CHANNELS));
    y = gt_call(other, gt_cast(x, GT_UINT8));
    cr_assert(gt_dtype(y) == GT_UINT8 && has_shape(y, gt_shape(3, 2, 2, 3)));
    cr_assert(gt_dtype(gt_call(other, gt_cast(x, GT_FLOAT16))) == GT_FLOAT16);
    gt_layer_free(other);
    /* Cubic weights go below 0 and above 255; bytes do not. */
    other = gt_Resizing(1, 8, .interpolation = GT_INTERPOLATION_BICUBIC);
    gt_Tensor *edge = gt_cast(gt_array(gt_shape(1, 4, 1), 255, 255, 0, 0), GT_UINT8);
    y = gt_call(other, edge);
    cr_assert(gt_element(y, 2) == 255 && gt_element(y, 5) == 0 &&
              gt_item(gt_max(gt_call(other, gt_cast(edge, GT_FLOAT32)))) > 255);
    gt_layer_free(centre);
    gt_layer_free(other);
    ends(scope);
}

/* ---- models ---- */

/* Any height, width and batch, also none. */
Test(layers_image, models_for_any_batch)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(-1, -1, 3)), *y = gt_call(gt_Resizing(4, 5), x);
    for (int number = 0; number < 22; number++)
        if (number != 4)
            y = gt_call(drawing(number, -1), y);
    y = gt_call(gt_AutoContrast(), gt_call(gt_Equalization(), y));
    y = gt_call(gt_ContrastLimitedAdaptiveHistogramEqualization(.tile_grid_size = 3), y);
    y = gt_call(gt_CenterCrop(3, 3), gt_call(gt_RandomCrop(3, 4), y));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(y));
    cr_assert(model, "%s", gt_error_message());
    for (int64_t batch = 0; batch < 4; batch++)
        for (int training = 0; training < 2; training++) {
            gt_Tensor *in = gt_multiply(gt_uniform(gt_shape(batch, 5 + batch, 7, 3)), 255);
            gt_Tensor *out = gt_call(model, in, .training = training);
            cr_assert(has_shape(out, gt_shape(batch, 3, 3, 3)), "batch %d", (int)batch);
        }
    gt_layer_free(model);
    ends(scope);
}

/* What a layer reads of heights and widths is of the images that come, also in a model that was drawn without them. */
Test(layers_image, models_for_any_size)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *inside;
    for (int number = 0; (inside = drawing(number, 3)) != NULL; number++) {
        gt_Tensor *x = gt_Input(gt_shape(-1, -1, 3));
        gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_call(inside, x)));
        cr_assert(model, "layer %d: %s", number, gt_error_message());
        for (int64_t n = 0; n < 3; n++) {
            gt_Tensor *in = gt_multiply(gt_uniform(gt_shape(2, 5 + n, 9 - n, 3)), 255),
                      *want = NULL;
            gt_Layer *alone = drawing(number, 3);
            for (int64_t draws = 0; draws <= n; draws++)
                want = gt_call(alone, in, .training = true);
            cr_assert(same(gt_call(model, in, .training = true), want), "layer %d", number);
            gt_layer_free(alone);
        }
        gt_layer_free(model);
    }
    ends(scope);
}

/* Augmentation is part of a model that is trained: gt_fit, a plan, draws what an eager loop does. */
Test(layers_image, training)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images(), *y = gt_array(gt_shape(3, 1), 0, 1, 2);
    double losses[2];
    for (int k = 0; k < 2; k++) {
        gt_set_seed(11);
        gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 2);
        gt_Layer *model =
            gt_Sequential(gt_RandomFlip(), gt_RandomRotation(0.1), gt_RandomContrast(0.3),
                          gt_Rescaling(1.0 / 255), gt_Flatten(), gt_Dense(1));
        gt_compile(model, .optimizer = gt_SGD(0.01), .loss = gt_MeanSquaredError(),
                   .run_eagerly = k == 1);
        gt_History *history = gt_fit(model, data, .epochs = 5, .verbose = GT_VERBOSITY_SILENT);
        cr_assert(history, "%s", gt_error_message());
        losses[k] = gt_history_get(history, "loss", -1);
        cr_assert(same(gt_call(model, x), gt_call(model, x)));
        gt_history_free(history);
        gt_dataset_free(data);
        gt_layer_free(model);
    }
    cr_assert(losses[0] == losses[1] && losses[0] > 0, "%.17g and %.17g", losses[0], losses[1]);
    ends(scope);
}

/* ---- mistakes ---- */

Test(layers_image, options_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    not_made(gt_Resizing(0, 3), "height and width are required and must be > 0 (got 0 and 3)");
    not_made(gt_Resizing(3, -1), "(got 3 and -1)");
    not_made(gt_Resizing(3, 3, .interpolation = (gt_Interpolation)9), "unknown interpolation 9");
    not_made(gt_Resizing(3, 3, .crop_to_aspect_ratio = true, .pad_to_aspect_ratio = true),
             "exclude each other");
    not_made(gt_CenterCrop(3, 0), "(got 3 and 0)");
    not_made(gt_RandomCrop(INT64_MAX, 3), "height and width");
    not_made(gt_RandomFlip(.mode = (gt_FlipMode)7), "unknown mode of flipping 7");
    not_made(gt_RandomRotation(1.5), "factor must be from -1 to 1 (got 1.5)");
    not_made(gt_RandomRotation(NAN), "factor must be from -1 to 1 (got nan)");
    not_made(gt_RandomRotation(0.1, .factor_lower = -2), "factor must be from -1 to 1 (got -2)");
    not_made(gt_RandomRotation(0.1, .factor_lower = 0.2),
             "factor_lower must not exceed factor (0.2 and 0.1)");
    not_made(gt_RandomRotation(0.1, .interpolation = GT_INTERPOLATION_BICUBIC),
             "interpolation must be nearest or bilinear");
    not_made(gt_RandomRotation(0.1, .fill_mode = GT_FILL_MODE_MIRROR),
             "fill_mode must be constant, nearest, wrap or reflect (got 3)");
    not_made(gt_RandomZoom(-1), "height_factor must be from -1 to 1 (got -1)");
    not_made(gt_RandomZoom(0.1, .width_factor = 2), "width_factor must be from -1 to 1 (got 2)");
    not_made(gt_RandomZoom(0.1, .width_factor_lower = 0.1),
             "width_factor_lower comes with a width_factor");
    not_made(gt_RandomTranslation(0.1, 1.1), "width_factor must be from -1 to 1 (got 1.1)");
    not_made(gt_RandomTranslation(0.1, 0.1, .height_factor_lower = 0.2), "must not exceed");
    not_made(gt_RandomShear(.x_factor = -0.1), "x_factor must be from 0 to 1 (got -0.1)");
    not_made(gt_RandomShear(.y_factor = 0.1, .y_factor_lower = -0.1), "y_factor must be from 0");
    not_made(gt_RandomContrast(-0.1), "factor must be from 0 to 1 (got -0.1)");
    not_made(gt_RandomContrast(0.1, .factor_lower = 1.1), "factor_lower must be from 0 to 1");
    not_made(gt_RandomBrightness(1.1), "factor must be from -1 to 1 (got 1.1)");
    not_made(gt_RandomBrightness(0.1, .value_range = gt_numbers(1, 0)),
             "value_range must be two finite numbers, the smaller one first (got 1 and 0)");
    not_made(gt_RandomBrightness(0.1, .value_range = gt_numbers(1)), "(got 1 of them)");
    not_made(gt_RandomContrast(0.1, .value_range = gt_numbers(0, INFINITY)), "(got 0 and inf)");
    not_made(gt_RandomHue(-0.1), "factor must be from 0 to 1 (got -0.1)");
    not_made(gt_RandomSaturation(1.1), "factor must be from -1 to 1 (got 1.1)");
    not_made(gt_RandomColorDegeneration(0.1, .factor_lower = 0.2), "must not exceed");
    not_made(gt_RandomGrayscale(1.1), "factor must be from 0 to 1 (got 1.1)");
    not_made(gt_RandomColorJitter(.hue_factor = 2), "hue_factor must be from 0 to 1 (got 2)");
    not_made(gt_RandomColorJitter(.contrast_factor = 0.1, .contrast_factor_lower = 2),
             "contrast_factor_lower must be from 0 to 1 (got 2)");
    not_made(gt_RandomColorJitter(.brightness_factor_lower = 0.1),
             "brightness_factor_lower comes with a brightness_factor");
    not_made(gt_RandomInvert(2), "factor must be from 0 to 1 (got 2)");
    not_made(gt_Solarization(.addition_factor = 2), "addition_factor must be from 0 to 1 (got 2)");
    not_made(gt_Solarization(.threshold_factor = 0.1, .threshold_factor_lower = 0.2),
             "must not exceed");
    not_made(gt_RandomPosterization(9), "factor must be from 1 to 8 (got 9)");
    not_made(gt_RandomPosterization(0), "factor must be from 1 to 8 (got 0)");
    not_made(gt_AutoContrast(.value_range = gt_numbers(1, 1)), "(got 1 and 1)");
    not_made(gt_Equalization(.bins = 1), "bins must be from 2 to 65536 (got 1)");
    not_made(gt_RandomSharpness(-1), "factor must be from 0 to 1 (got -1)");
    not_made(gt_RandomGaussianBlur(.kernel_size = 4), "kernel_size must be odd (got 4 and 4)");
    not_made(gt_RandomGaussianBlur(.kernel_size = gt_sizes(3, 2)), "(got 3 and 2)");
    not_made(gt_RandomGaussianBlur(.sigma = 1.5), "sigma must be from 0 to 1 (got 1.5)");
    not_made(gt_RandomPerspective(.scale = 1.5), "scale must be from 0 to 1 (got 1.5)");
    not_made(gt_RandomPerspective(.interpolation = GT_INTERPOLATION_LANCZOS3),
             "nearest or bilinear");
    not_made(gt_ContrastLimitedAdaptiveHistogramEqualization(.clip_limit = -1),
             "clip_limit must be >= 0 (got -1)");
    not_made(gt_ContrastLimitedAdaptiveHistogramEqualization(.tile_grid_size = 0),
             "tile_grid_size");
    not_made(gt_MixUp(0), "alpha must be finite and > 0 (got 0)");
    not_made(gt_CutMix(1.5), "factor must be from 0 to 1 (got 1.5)");
    not_made(gt_RandAugment(.num_ops = -1), "num_ops must be from 0 to 64 (got -1)");
    not_made(gt_RandAugment(.factor = 2), "factor must be from 0 to 1 (got 2)");
    not_made(gt_RandAugment(.value_range = gt_numbers(1, 0)), "the smaller one first");
    not_made(gt_RandAugment(.interpolation = GT_INTERPOLATION_LANCZOS3), "nearest or bilinear");
    not_made(gt_AugMix(.num_chains = 0), "num_chains must be from 1 to 64 (got 0)");
    not_made(gt_AugMix(.chain_depth = 65), "chain_depth must be from 0 to 64 (got 65)");
    not_made(gt_AugMix(.alpha = -1), "alpha must be finite and > 0 (got -1)");
    not_made(gt_AugMix(.factor = -1), "factor must be from 0 to 1 (got -1)");
    not_made(gt_RandomErasing(.scale = 1.5), "scale must be from 0 to 1 (got 1.5)");
    not_made(gt_RandomErasing(.fill_value = gt_numbers(1, 2)),
             "fill_value must be one number or three (got 2 of them)");
    ends(scope);
}

Test(layers_image, inputs_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer;
    for (int number = 0; (layer = drawing(number, 1)) != NULL; number++) {
        const bool colours =
            (number >= 8 && number <= 12) || strcmp(layer->type->name, "rand_augment") == 0 ||
            strcmp(layer->type->name, "aug_mix") == 0;
        const int64_t channels = colours ? 3 : 1;
        not_called(layer, gt_ones(gt_shape(4, 5)), NULL, "dimensions");
        layer = drawing(number, 1);
        cr_assert(!gt_call(layer, gt_ones(gt_shape(1, 2, 3, 4, 5))));
        fails(GT_INVALID, "dimensions");
        cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 0, 3, 1)), .training = true));
        fails(GT_INVALID, "images must have pixels (got (2, 0, 3, 1))");
        cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 3, 3, 0)), .training = true));
        fails(GT_INVALID, "images must have pixels (got (2, 3, 3, 0))");
        gt_Tensor *none = gt_ones(gt_shape(0, 3, 4, channels));
        cr_assert(gt_size(gt_call(layer, none, .training = true)) == 0);
        cr_assert(gt_status() == GT_OK, "layer %d: %s", number, gt_error_message());
        if (colours) {
            cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 3, 4, 2)), .training = true));
            fails(GT_INVALID, "channel");
        }
        gt_layer_free(layer);
    }
    not_called(gt_Resizing(2, 2), gt_ones(gt_shape(2, 0, 3, 1)), NULL, "cannot be resized");
    not_called(gt_CenterCrop(2, 2), gt_ones(gt_shape(2, 3, 0, 1)), NULL, "ratio");
    ends(scope);
}
