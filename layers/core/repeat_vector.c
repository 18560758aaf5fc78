/* RepeatVector: a row as each step of a sequence. */
#include "layers/core/repeat_vector.h"
#include "layers/kit.h"
#include "ops/array/reshaping.h"

typedef struct RepeatVector {
    gt_Layer base;
    gt_RepeatVector_options options;
} RepeatVector;

GT_OPTION_TYPE(gt_RepeatVector_options, gt_RepeatVector_OPTIONS);

static gt_Status repeat_vector_create(gt_Layer *layer)
{
    int64_t n = ((const RepeatVector *)layer)->options.n;
    if (n <= 0)
        return gt_fail(GT_INVALID, "n must be > 0 (got %lld)", (long long)n);
    return gt_set_input_spec(layer, 0, .rank = 2);
}

static gt_Tensor *repeat_vector_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_repeat(gt_expand_dims(in->x, 1), ((const RepeatVector *)layer)->options.n, .axis = 1);
}

const gt_LayerClass gt_layer_class_repeat_vector = {
    GT_LAYER_RECORD("repeat_vector", "RepeatVector", RepeatVector,
                    "a row as each step of a sequence"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_RepeatVector_options_type,
    .create = repeat_vector_create,
    .call = repeat_vector_call,
    .samples = GT_LAYER_SAMPLES({.options = GT_LAYER_OPTIONS(gt_RepeatVector, .n = 3),
                                 .keras = "RepeatVector(3)",
                                 .inputs = 1,
                                 .input = GT_INPUTS(GT_ANY(2, 4)),
                                 .masks = 1,
                                 .output = GT_SAMPLE_SHAPE(2, 3, 4)}),
};

gt_Layer *gt_RepeatVector_at(const char *here, const gt_RepeatVector_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_repeat_vector, options);
}
