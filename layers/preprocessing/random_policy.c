/* RandAugment, AugMix: transformations of images that are drawn themselves. */
#include "layers/preprocessing/random_policy.h"
#include "layers/preprocessing/images.h"
#include "layers/preprocessing/levels.h"
#include "layers/preprocessing/random_affine.h"
#include "layers/preprocessing/random_color.h"
#include "layers/preprocessing/random_filter.h"
#include "layers/preprocessing/random_light.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/cast.h"
#include "ops/control/control.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"
#include "ops/nn/activation.h"

enum { GEOMETRY_AND_LEVELS = 7, ALL = 11, MOST = 64 };

/* Both structs begin with it; their options follow. */
typedef struct Policy {
    gt_ImageLayer image;
    gt_Layer *made[ALL];
    int count; /* of them */
    gt_Range values;
} Policy;

/* What both layers have among their options. */
typedef struct Given {
    gt_Numbers value_range;
    gt_Range factor;
    gt_Interpolation interpolation;
    int64_t seed;
} Given;

/* Transformation number k, in Keras's order, with draws of its own also where all begin with one seed. */
static gt_Layer *transformation(int k, const Given *g)
{
    const double most = g->factor.high, least = g->factor.low;
    const int64_t seed =
        g->seed < 0 ? -1 : (int64_t)(((uint64_t)g->seed + 1 + (uint64_t)k) & INT64_MAX);
    switch (k) {
    case 0:
        return gt_RandomShear(.x_factor = most, .x_factor_lower = least, .y_factor = most,
                              .y_factor_lower = least, .interpolation = g->interpolation,
                              .seed = seed);
    case 1:
        return gt_RandomTranslation(most, most, .height_factor_lower = least,
                                    .width_factor_lower = least, .interpolation = g->interpolation,
                                    .seed = seed);
    case 2:
        return gt_RandomRotation(most, .factor_lower = least, .interpolation = g->interpolation,
                                 .seed = seed);
    case 3:
        return gt_RandomPosterization(8 * most < 1 ? 1 : (int64_t)(8 * most),
                                      .value_range = g->value_range, .seed = seed);
    case 4:
        return gt_Solarization(.addition_factor = most, .addition_factor_lower = least,
                               .threshold_factor = most, .threshold_factor_lower = least,
                               .value_range = g->value_range, .seed = seed);
    case 5:
        return gt_AutoContrast(.value_range = g->value_range);
    case 6:
        return gt_Equalization(.value_range = g->value_range);
    case 7:
        return gt_RandomBrightness(most, .factor_lower = least, .value_range = g->value_range,
                                   .seed = seed);
    case 8:
        return gt_RandomColorDegeneration(most, .factor_lower = least,
                                          .value_range = g->value_range, .seed = seed);
    case 9:
        return gt_RandomContrast(most, .factor_lower = least, .value_range = g->value_range,
                                 .seed = seed);
    default:
        return gt_RandomSharpness(most, .factor_lower = least, .value_range = g->value_range,
                                  .seed = seed);
    }
}

static gt_Status policy_create(gt_Layer *layer, gt_ImageTransform transform, const Given *given,
                               int32_t count)
{
    Policy *self = (Policy *)layer;
    if (gt_value_range(&given->value_range, &self->values) != GT_OK)
        return gt_status();
    self->count = count;
    for (int k = 0; k < count; k++)
        self->made[k] = gt_add_child(layer, transformation(k, given));
    return gt_image_layer(layer, transform, given->seed, true);
}

/* All of them are built now, since a call runs only those that are drawn. */
static gt_Status policy_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    const Policy *self = (const Policy *)layer;
    for (int k = 0; k < self->count; k++)
        if (gt_build_for(self->made[k], 1, in->inputs) != GT_OK)
            return gt_status();
    return gt_image_build(layer, in);
}

/* ---- a transformation that is drawn ---- */

static gt_Status made(void *layer, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(layer, in[0], .training = true);
    return gt_status();
}

static gt_Status kept(void *layer, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)layer;
    out[0] = gt_identity(in[0]);
    return gt_status();
}

/* The images through one of `choices`: numbers from `count` on stand for none of the transformations. */
static gt_Tensor *one_of(Policy *self, gt_Tensor *images, int choices)
{
    const int64_t channels = gt_last(gt_tensor_shape(images));
    /* Refused whatever is drawn. */
    if (gt_status() == GT_OK && self->count > GEOMETRY_AND_LEVELS && channels != 3)
        gt_fail(GT_INVALID, "images must have 3 channels for what is done to colours (got %lld)",
                (long long)channels);
    if (gt_status() != GT_OK)
        return NULL;
    gt_Tensor *which =
        gt_random_integers(gt_shape(), 0, choices, .generator = self->image.generator);
    for (int k = 0; k < self->count; k++)
        gt_cond(gt_equal(which, k), made, kept, self->made[k], gt_tensors(images), &images);
    return images;
}

/* ---- RandAugment ---- */

typedef struct RandAugment {
    Policy policy;
    gt_RandAugment_options options;
} RandAugment;

GT_OPTION_TYPE(gt_RandAugment_options, gt_RandAugment_OPTIONS);

static gt_Status check_count(const char *name, int64_t count, int64_t least)
{
    return count >= least && count <= MOST
               ? GT_OK
               : gt_fail(GT_INVALID, "%s must be from %lld to %d (got %lld)", name,
                         (long long)least, MOST, (long long)count);
}

static gt_Tensor *augment(gt_Layer *layer, gt_Tensor *images)
{
    Policy *self = (Policy *)layer;
    const int64_t count = ((const RandAugment *)layer)->options.num_ops;
    for (int64_t i = 0; i < count; i++)
        images = one_of(self, images, self->count);
    return images;
}

static gt_Status rand_augment_create(gt_Layer *layer)
{
    const gt_RandAugment_options *o = &((const RandAugment *)layer)->options;
    Given given = {o->value_range, {0, 0}, o->interpolation, o->seed};
    if (check_count("num_ops", o->num_ops, 0) != GT_OK ||
        gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &given.factor) != GT_OK)
        return gt_status();
    return policy_create(layer, augment, &given, ALL);
}

const gt_LayerClass gt_layer_class_rand_augment = {
    GT_LAYER_RECORD("rand_augment", "RandAugment", RandAugment,
                    "in training images through transformations that are drawn"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_RandAugment_options_type,
    .create = rand_augment_create,
    .build = policy_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options =
             GT_LAYER_OPTIONS(gt_RandAugment, .num_ops = 1, .factor = 0.6, .factor_lower = 0.2,
                              .interpolation = GT_INTERPOLATION_NEAREST, .seed = 7),
         .keras = "RandAugment((0, 255), 1, (0.2, 0.6), 'nearest', seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(60, 200, 2, 2, 3, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 3)},
        {.options =
             GT_LAYER_OPTIONS(gt_RandAugment, .value_range = GT_SAMPLE_NUMBERS(0, 1), .num_ops = 1),
         .keras = "RandAugment((0, 1), 1)",
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(0, 1, 2, 3, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3, 3)}),
};

gt_Layer *gt_RandAugment_at(const char *here, const gt_RandAugment_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_rand_augment, options);
}

/* ---- AugMix ---- */

typedef struct AugMix {
    Policy policy;
    gt_AugMix_options options;
} AugMix;

GT_OPTION_TYPE(gt_AugMix_options, gt_AugMix_OPTIONS);

/* `weights` (chains, 1, 1, 1); `w` (1, 1, 1, 1). */
static gt_Tensor *mix_chains(gt_Layer *layer, gt_Tensor *images)
{
    Policy *self = (Policy *)layer;
    const gt_AugMix_options *o = &((const AugMix *)layer)->options;
    const gt_DType dtype = gt_dtype(images);
    gt_Tensor *alpha = gt_scalar(o->alpha, dtype), *sum = NULL;
    gt_Tensor *likes = gt_zeros(gt_shape(o->num_chains, 1, 1, 1), .dtype = dtype);
    gt_Tensor *weights = gt_softmax(gt_draw_log_gamma(layer, likes, alpha), .axis = 0);
    gt_Tensor *w = gt_draw_beta(layer, gt_zeros(gt_shape(1, 1, 1, 1), .dtype = dtype), alpha);
    for (int64_t chain = 0; chain < o->num_chains; chain++) {
        gt_Tensor *x = images;
        for (int64_t i = 0; i < o->chain_depth; i++)
            x = one_of(self, x, self->count + 1);
        x = gt_multiply(x, gt_slice(weights, gt_shape(chain, 0, 0, 0), gt_shape(1, 1, 1, 1)));
        sum = sum ? gt_add(sum, x) : x;
    }
    gt_Tensor *y = gt_add(gt_multiply(w, images), gt_multiply(gt_add(gt_negative(w), 1), sum));
    return gt_clip(y, self->values.low, self->values.high);
}

static gt_Status aug_mix_create(gt_Layer *layer)
{
    const gt_AugMix_options *o = &((const AugMix *)layer)->options;
    Given given = {o->value_range, {0, 0}, o->interpolation, o->seed};
    if (check_count("num_chains", o->num_chains, 1) != GT_OK ||
        check_count("chain_depth", o->chain_depth, 0) != GT_OK ||
        gt_factor_range("factor", o->factor, o->factor_lower, 0, 1, &given.factor) != GT_OK)
        return gt_status();
    if (!(o->alpha > 0 && isfinite(o->alpha)))
        return gt_fail(GT_INVALID, "alpha must be finite and > 0 (got %g)", o->alpha);
    return policy_create(layer, mix_chains, &given, o->all_ops ? ALL : GEOMETRY_AND_LEVELS);
}

const gt_LayerClass gt_layer_class_aug_mix = {
    GT_LAYER_RECORD("aug_mix", "AugMix", AugMix,
                    "in training images mixed with themselves, transformed"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_DROPS_MASK,
    .options = &gt_AugMix_options_type,
    .create = aug_mix_create,
    .build = policy_build,
    .call = gt_image_call,
    .ports = GT_IMAGE_PORTS,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_AugMix, .value_range = GT_SAMPLE_NUMBERS(80, 190),
                                     .num_chains = 2, .chain_depth = 0, .factor = 0.6,
                                     .factor_lower = 0.2, .alpha = 0.5, .all_ops = false,
                                     .interpolation = GT_INTERPOLATION_NEAREST, .seed = 7),
         .keras = "AugMix((80, 190), 2, 0, (0.2, 0.6), 0.5, False, 'nearest', seed=7)" GT_NO_MASK,
         .inputs = 1,
         .input = GT_INPUTS(GT_REAL(60, 200, 2, 2, 3, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 3)}),
};

gt_Layer *gt_AugMix_at(const char *here, const gt_AugMix_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_aug_mix, options);
}
