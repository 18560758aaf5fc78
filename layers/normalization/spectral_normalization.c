/* SpectralNormalization: a layer whose kernel has the spectral norm 1. */
#include "layers/normalization/spectral_normalization.h"
#include "layers/core/dense.h"
#include "layers/kit.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/nn/normalization.h"

#include <string.h>

typedef struct SpectralNormalization {
    gt_Layer base;
    gt_SpectralNormalization_options options;
    gt_Variable *kernel, *vector_u;
} SpectralNormalization;

GT_OPTION_TYPE(gt_SpectralNormalization_options, gt_SpectralNormalization_OPTIONS);

static gt_Status spectral_normalization_create(gt_Layer *layer)
{
    const gt_SpectralNormalization_options *options = &((SpectralNormalization *)layer)->options;
    if (!options->layer)
        return gt_fail(GT_INVALID, "the layer is NULL");
    if (options->power_iterations <= 0)
        return gt_fail(GT_INVALID, "power_iterations must be > 0 (got %lld)",
                       (long long)options->power_iterations);
    if (options->power_iterations > INT32_MAX)
        return gt_fail(GT_INVALID, "power_iterations must be < 2^31 (got %lld)",
                       (long long)options->power_iterations);
    return gt_set_input_spec(layer, 0, .min_rank = 1);
}

/* Its own weight of that name; NULL: it has none. */
static gt_Variable *weight_of(const gt_Layer *layer, const char *name)
{
    for (int32_t i = 0; i < layer->state->weight_count; i++)
        if (strcmp(layer->state->weights[i].name, name) == 0)
            return layer->state->weights[i].variable;
    return NULL;
}

static gt_Status spectral_normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    SpectralNormalization *self = (SpectralNormalization *)layer;
    gt_Layer *inner = self->options.layer;
    if (!gt_layer_built(inner) && gt_build_for(inner, in->count, in->inputs) != GT_OK)
        return gt_status();
    gt_Variable *kernel = weight_of(inner, "kernel");
    if (!kernel)
        kernel = weight_of(inner, "embeddings");
    if (!kernel)
        return gt_fail(GT_INVALID, "the layer %s has no weight called kernel or embeddings",
                       gt_layer_name(inner));
    /* Keras lists it first, before vector_u. */
    self->kernel = gt_share_weight(layer, gt_variable_name(kernel), kernel);
    self->vector_u = gt_add_weight(layer, "vector_u", gt_shape(1, gt_last(gt_tensor_shape(kernel))),
                                   .initializer = gt_TruncatedNormal(.stddev = 0.02),
                                   .dtype = gt_dtype(kernel), .trainable = false);
    return gt_set_input_spec(layer, 0, .min_rank = 1, .dim = gt_last(in->shape));
}

/* New numbers of the kernel and of vector_u, outside of every gradient. */
static gt_Status normalize_kernel(SpectralNormalization *self)
{
    const gt_DType dtype = gt_dtype(self->kernel);
    gt_UnitKernel next = gt_spectral_normalization(
        gt_widened(gt_stop_gradient(self->kernel)), gt_widened(gt_stop_gradient(self->vector_u)),
        .power_iterations = self->options.power_iterations);
    gt_assign(self->vector_u, gt_narrowed(next.u, dtype));
    return gt_assign(self->kernel, gt_narrowed(next.kernel, dtype));
}

static gt_Tensor *spectral_normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    SpectralNormalization *self = (SpectralNormalization *)layer;
    if (in->training && normalize_kernel(self) != GT_OK)
        return NULL;
    return gt_call(self->options.layer, in->x);
}

static gt_Layer *dense_sample(void)
{
    return gt_SpectralNormalization(gt_Dense(3));
}

static gt_Layer *more_iterations(void)
{
    return gt_SpectralNormalization(gt_Dense(2, .use_bias = false), .power_iterations = 4);
}

const gt_LayerClass gt_layer_class_spectral_normalization = {
    GT_LAYER_RECORD("spectral_normalization", "SpectralNormalization", SpectralNormalization,
                    "a layer whose kernel is divided by its largest singular value"),
    .options = &gt_SpectralNormalization_options_type,
    .create = spectral_normalization_create,
    .build = spectral_normalization_build,
    .call = spectral_normalization_call,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES({.make = dense_sample,
                                 .keras = "SpectralNormalization(Dense(3))",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 4)),
                                 .output = GT_SAMPLE_SHAPE(2, 3)},
                                {.make = more_iterations,
                                 .keras = "SpectralNormalization(Dense(2, use_bias=False), "
                                          "power_iterations=4)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 3, 4)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_SpectralNormalization_at(const char *here,
                                      const gt_SpectralNormalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_spectral_normalization, options);
}
