/* RandomPerspective: images seen from elsewhere in training.
 *
 * Keras solves for the transform that brings the moved corners to where corners are. Since its corners are multiplied
 * by their factors, (0, 0) stays, (w, 0) goes to (a w, 0), (0, h) to (0, b h), and (w, h) to (c w, d h). For these four
 * the solution is a formula (P. Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, section 2.2.3): with
 *     q = 1 / (c / a + d / b - 1)    A = c q    E = d q    g = A / a - 1    h' = E / b - 1
 * the pixel at (x, y) shows what was at (x / A, y / E) / k, k = 1 - x g / (A w) - y h' / (E h). */
#include "layers/preprocessing/random_perspective.h"
#include "layers/preprocessing/images.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"

typedef struct RandomPerspective {
    gt_ImageLayer image;
    gt_RandomPerspective_options options;
    gt_Range factor, corner;
} RandomPerspective;

GT_OPTION_TYPE(gt_RandomPerspective_options, gt_RandomPerspective_OPTIONS);

/* -g / (A w), of A, a and w; 0 where there is one pixel. */
static gt_Tensor *slope(gt_Tensor *A, gt_Tensor *a, int64_t size)
{
    gt_Tensor *g = gt_subtract(gt_divide(A, a), 1);
    return gt_multiply(gt_divide(g, A), size > 1 ? -1 / (double)(size - 1) : 0);
}

gt_Tensor *gt_tilt_images(gt_Tensor *images, gt_Tensor *const corner[4],
                          const gt_affine_transform_options *look)
{
    gt_Tensor *a = corner[0], *b = corner[1], *c = corner[2], *d = corner[3];
    int64_t height, width;
    gt_image_size(images, &height, &width);
    gt_Tensor *q = gt_reciprocal(gt_subtract(gt_add(gt_divide(c, a), gt_divide(d, b)), 1));
    gt_Tensor *A = gt_multiply(c, q), *E = gt_multiply(d, q), *none = gt_zeros_like(A);
    gt_Tensor *transform =
        gt_concatenate(gt_tensors(gt_reciprocal(A), none, none, none, gt_reciprocal(E), none,
                                  slope(A, a, width), slope(E, b, height)),
                       .axis = 1);
    return gt_affine_transform_at(NULL, images, gt_squeeze(transform, .axes = gt_axes(2, 3)), look);
}

static gt_affine_transform_options look_of(const gt_RandomPerspective_options *o)
{
    return (gt_affine_transform_options){GT_SIZE(gt_affine_transform_options), o->interpolation,
                                         GT_FILL_MODE_CONSTANT, o->fill_value, .end = 0};
}

static gt_Tensor *tilt(gt_Layer *layer, gt_Tensor *images)
{
    const RandomPerspective *self = (const RandomPerspective *)layer;
    const gt_affine_transform_options look = look_of(&self->options);
    gt_Tensor *chosen = gt_draw_whether(layer, images, self->factor), *corner[4];
    for (int i = 0; i < 4; i++)
        corner[i] = gt_draw_each(layer, images, self->corner);
    return gt_where(chosen, gt_tilt_images(images, corner, &look), images);
}

static gt_Status random_perspective_create(gt_Layer *layer)
{
    RandomPerspective *self = (RandomPerspective *)layer;
    const gt_RandomPerspective_options *o = &self->options;
    const gt_affine_transform_options look = look_of(o);
    gt_Range scale;
    if (gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &self->factor) != GT_OK ||
        gt_factor_range("scale", o->scale, (double)NAN, 0, 1, &scale) != GT_OK ||
        gt_check_look(&look) != GT_OK)
        return gt_status();
    self->corner = (gt_Range){1 - 0.5 * o->scale, 1 + 0.5 * o->scale};
    return gt_image_layer(layer, tilt, o->seed, self->factor.high > 0 && o->scale > 0);
}

const gt_LayerClass gt_layer_class_random_perspective = {
    GT_LAYER_RECORD("random_perspective", "RandomPerspective", RandomPerspective,
                    "in training images seen from elsewhere"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandomPerspective_options_type,
    .create = random_perspective_create,
    .build = gt_image_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_RandomPerspective, .factor = 0.9, .factor_lower = 0.6,
                                     .scale = 0.5, .seed = 7),
         .keras = "RandomPerspective((0.6, 0.9), 0.5, seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomPerspective, .factor_lower = 1, .scale = 0.9,
                                     .interpolation = GT_INTERPOLATION_NEAREST, .fill_value = 5,
                                     .seed = 8),
         .keras = "RandomPerspective((1, 1), 0.9, 'nearest', 5., seed=8)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 3, 1)),
         .output = GT_SAMPLE_SHAPE(2, 3, 3, 1)},
        {.options = GT_LAYER_OPTIONS(gt_RandomPerspective, .scale = 0),
         .keras = "RandomPerspective(scale=0.)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 3, 2)),
         .output = GT_SAMPLE_SHAPE(3, 3, 2)}),
};

gt_Layer *gt_RandomPerspective_at(const char *here, const gt_RandomPerspective_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_random_perspective, options);
}
