/* ReversibleEmbedding: a row of a table for each index, and the way back. */
#include "layers/core/reversible_embedding.h"
#include "layers/kit.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"

#include <math.h>

typedef struct ReversibleEmbedding {
    gt_Layer base;
    gt_ReversibleEmbedding_options options;
    gt_Variable *embeddings, *reverse_embeddings;
} ReversibleEmbedding;

GT_OPTION_TYPE(gt_ReversibleEmbedding_options, gt_ReversibleEmbedding_OPTIONS);

static gt_Status reversible_embedding_create(gt_Layer *layer)
{
    const gt_ReversibleEmbedding_options *options = &((ReversibleEmbedding *)layer)->options;
    if (options->input_dim <= 0)
        return gt_fail(GT_INVALID, "input_dim must be > 0 (got %lld)",
                       (long long)options->input_dim);
    if (options->output_dim <= 0)
        return gt_fail(GT_INVALID, "output_dim must be > 0 (got %lld)",
                       (long long)options->output_dim);
    if (!(options->logit_soft_cap >= 0) || isinf(options->logit_soft_cap))
        return gt_fail(GT_INVALID, "logit_soft_cap must be finite and >= 0 (got %g)",
                       options->logit_soft_cap);
    if (options->reverse_dtype && !gt_dtype_is_float(options->reverse_dtype))
        return gt_fail(GT_INVALID, "reverse_dtype must be one of floats (got %s)",
                       gt_dtype_name(options->reverse_dtype));
    return GT_OK;
}

static gt_Status reversible_embedding_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    ReversibleEmbedding *self = (ReversibleEmbedding *)layer;
    const gt_ReversibleEmbedding_options *options = &self->options;
    gt_Initializer initializer =
        options->embeddings_initializer.type ? options->embeddings_initializer : gt_RandomUniform();
    self->embeddings =
        gt_add_weight(layer, "embeddings", gt_shape(options->input_dim, options->output_dim),
                      .initializer = initializer, .regularizer = options->embeddings_regularizer,
                      .constraint = options->embeddings_constraint);
    if (!options->tie_weights)
        self->reverse_embeddings = gt_add_weight(layer, "reverse_embeddings",
                                                 gt_shape(options->output_dim, options->input_dim),
                                                 .initializer = initializer);
    return gt_status();
}

static gt_Tensor *way_back(ReversibleEmbedding *self, const gt_CallArgs *in)
{
    const gt_ReversibleEmbedding_options *options = &self->options;
    gt_Tensor *x = gt_autocast(in, in->x);
    gt_Tensor *kernel =
        gt_autocast(in, options->tie_weights ? self->embeddings : self->reverse_embeddings);
    if (options->reverse_dtype) {
        x = gt_cast(in->x, options->reverse_dtype);
        kernel = gt_cast(kernel, options->reverse_dtype);
    }
    gt_Tensor *logits = gt_matmul(x, kernel, .transpose_b = options->tie_weights);
    double cap = options->logit_soft_cap;
    return cap > 0 ? gt_multiply(gt_tanh(gt_divide(logits, cap)), cap) : logits;
}

static gt_Tensor *reversible_embedding_call(gt_Layer *layer, const gt_CallArgs *in)
{
    ReversibleEmbedding *self = (ReversibleEmbedding *)layer;
    if (gt_dtype_is_float(gt_dtype(in->x)))
        return way_back(self, in);
    return gt_widened(gt_take(self->embeddings, in->x, .axis = 0));
}

static gt_Tensor *reversible_embedding_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    bool back = gt_dtype_is_float(gt_dtype(in->x));
    bool wanted = ((const ReversibleEmbedding *)layer)->options.mask_zero && !back;
    return wanted ? gt_not_equal(in->x, 0) : NULL;
}

const gt_LayerClass gt_layer_class_reversible_embedding = {
    GT_LAYER_RECORD("reversible_embedding", "ReversibleEmbedding", ReversibleEmbedding,
                    "a row of a table for each index, and back from rows to logits"),
    .options = &gt_ReversibleEmbedding_options_type,
    .create = reversible_embedding_create,
    .build = reversible_embedding_build,
    .call = reversible_embedding_call,
    .mask = reversible_embedding_mask,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_ReversibleEmbedding, .input_dim = 3, .output_dim = 2,
                                     .mask_zero = true),
         .keras = "ReversibleEmbedding(3, 2, mask_zero=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT64, 0, 3, 2, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_ReversibleEmbedding, .input_dim = 5, .output_dim = 3),
         .keras = "ReversibleEmbedding(5, 3) @ call(x[0], reverse=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 5)},
        {.options = GT_LAYER_OPTIONS(gt_ReversibleEmbedding, .input_dim = 5, .output_dim = 3,
                                     .tie_weights = false, .logit_soft_cap = 0.5),
         .keras = "ReversibleEmbedding(5, 3, tie_weights=False, logit_soft_cap=0.5) @ "
                  "call(x[0], reverse=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 5)}),
};

gt_Layer *gt_ReversibleEmbedding_at(const char *here, const gt_ReversibleEmbedding_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_reversible_embedding, options);
}
