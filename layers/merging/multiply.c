/* Multiply: the product of inputs. */
#include "layers/merging/multiply.h"
#include "layers/merging/merge.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"

typedef struct Multiply {
    gt_Layer base;
    gt_Multiply_options options;
} Multiply;

GT_OPTION_TYPE(gt_Multiply_options, gt_Multiply_OPTIONS);

static gt_Tensor *multiply_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Merged merged;
    gt_Tensor *y = NULL, *there = NULL;
    bool masks = true;
    (void)layer;
    if (gt_merge(in, &merged) != GT_OK)
        return NULL;
    for (int32_t i = 0; i < merged.count; i++) {
        gt_Tensor *x = merged.x[i], *mask = merged.mask[i];
        if (mask) {
            x = gt_where(mask, x, 1);
            there = there ? gt_logical_or(there, mask) : mask;
        }
        masks = masks && mask;
        y = y ? gt_multiply(y, x) : x;
    }
    return masks ? gt_where(there, y, 0) : y;
}

const gt_LayerClass gt_layer_class_multiply = {
    GT_LAYER_RECORD("multiply", "Multiply", Multiply, "the product of inputs"),
    .options = &gt_Multiply_options_type,
    .call = multiply_call,
    .mask = gt_merge_mask,
    .ports = GT_MERGED,
    .samples =
        GT_LAYER_SAMPLES({.keras = "Multiply()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 3,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Multiply()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 4), GT_ANY(2, 1, 4)),
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Multiply()",
                          .inputs = 2,
                          .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
                          .masks = 2,
                          .output = GT_SAMPLE_SHAPE(2, 3, 4)},
                         {.keras = "Multiply()",
                          .inputs = 3,
                          .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 3, 2), GT_ANY(2, 3, 2)),
                          .masks = 7,
                          .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_Multiply_at(const char *here, const gt_Multiply_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_multiply, options);
}
