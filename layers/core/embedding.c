/* Embedding: a row of a table for each index. */
#include "layers/core/embedding.h"
#include "layers/kit.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/math/compare.h"

typedef struct Embedding {
    gt_Layer base;
    gt_Embedding_options options;
    gt_Variable *embeddings;
    gt_Variable *given; /* the option weights, held until the layer is built */
} Embedding;

GT_OPTION_TYPE(gt_Embedding_options, gt_Embedding_OPTIONS);

static gt_Status embedding_create(gt_Layer *layer)
{
    Embedding *self = (Embedding *)layer;
    gt_Embedding_options *options = &self->options;
    if (options->input_dim <= 0)
        return gt_fail(GT_INVALID, "input_dim must be > 0 (got %lld)",
                       (long long)options->input_dim);
    if (options->output_dim <= 0)
        return gt_fail(GT_INVALID, "output_dim must be > 0 (got %lld)",
                       (long long)options->output_dim);
    if (!options->weights)
        return GT_OK;
    self->given = gt_variable(options->weights, .trainable = false);
    options->weights = self->given; /* what it was is a handle of the caller's scope */
    if (!self->given)
        return gt_status();
    gt_Spec spec = gt_spec(self->given);
    char text[160];
    if (!gt_dtype_is_float(spec.dtype) || spec.rank != 2 || spec.dims[0] != options->input_dim ||
        spec.dims[1] != options->output_dim)
        return gt_fail(GT_INVALID, "weights must be floats (%lld, %lld) (got %s)",
                       (long long)options->input_dim, (long long)options->output_dim,
                       gt_spec_text(&spec, text, sizeof text));
    return GT_OK;
}

static gt_Status embedding_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    Embedding *self = (Embedding *)layer;
    const gt_Embedding_options *options = &self->options;
    self->embeddings = gt_add_weight(
        layer, "embeddings", gt_shape(options->input_dim, options->output_dim),
        .initializer = options->embeddings_initializer.type ? options->embeddings_initializer
                                                            : gt_RandomUniform(),
        .regularizer = options->embeddings_regularizer,
        .constraint = options->embeddings_constraint);
    if (self->given)
        gt_assign(self->embeddings, gt_cast(self->given, gt_dtype(self->embeddings)));
    return gt_status();
}

static gt_Tensor *embedding_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Embedding *self = (Embedding *)layer;
    bool floats = gt_dtype_is_float(gt_dtype(in->x));
    return gt_widened(
        gt_take(self->embeddings, floats ? gt_cast(in->x, GT_INT32) : in->x, .axis = 0));
}

static gt_Tensor *embedding_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const Embedding *)layer)->options.mask_zero ? gt_not_equal(in->x, 0) : NULL;
}

static void embedding_destroy(gt_Layer *layer)
{
    gt_variable_release(((Embedding *)layer)->given);
}

static gt_Layer *with_weights(void)
{
    return gt_Embedding(3, 2, .weights = gt_array(gt_shape(3, 2), 1, 2, 3, 4, 5, 6));
}

const gt_LayerClass gt_layer_class_embedding = {
    GT_LAYER_RECORD("embedding", "Embedding", Embedding, "a row of a table for each index"),
    .options = &gt_Embedding_options_type,
    .create = embedding_create,
    .build = embedding_build,
    .call = embedding_call,
    .mask = embedding_mask,
    .destroy = embedding_destroy,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Embedding, .input_dim = 5, .output_dim = 3),
         .keras = "Embedding(5, 3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, 0, 5, 2, 4)),
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options =
             GT_LAYER_OPTIONS(gt_Embedding, .input_dim = 3, .output_dim = 2, .mask_zero = true),
         .keras = "Embedding(3, 2, mask_zero=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 3, 2, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 2)},
        {.make = with_weights,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_UINT8, 0, 3, 4)),
         .output = GT_SAMPLE_SHAPE(4, 2)}),
};

gt_Layer *gt_Embedding_at(const char *here, const gt_Embedding_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_embedding, options);
}
