/* Lesson 1: a dense layer of one's own. Its kernel starts from gt_RandomNormal, its bias from gt_Zeros; both are
 * made once, in build, when the width of the input is known. */
#include "repeat.h"

typedef struct {
    gt_Layer base;
    int64_t units;
    gt_Variable *kernel, *bias;
} Affine;

static gt_Status affine_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Affine *self = (Affine *)layer;
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(in->shape), self->units),
                                 .initializer = gt_RandomNormal());
    self->bias = gt_add_weight(layer, "bias", gt_shape(self->units), .initializer = gt_Zeros());
    return gt_status();
}

static gt_Tensor *affine_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Affine *self = (Affine *)layer;
    return gt_add(gt_matmul(in->x, self->kernel), self->bias);
}

static const gt_LayerClass affine_class = {
    .size = sizeof(gt_LayerClass),
    .name = "affine",
    .instance = sizeof(Affine),
    .build = affine_build,
    .call = affine_call,
};
#define Affine(...) gt_layer_new(&affine_class, &(Affine){.units = __VA_ARGS__})

int main(void)
{
    gt_Layer *layer = Affine(32);
    gt_Tensor *x = gt_uniform(gt_shape(10, 64));
    printf("before the first call: built %d, %d variables\n", gt_layer_built(layer),
           gt_variables(layer).count);
    gt_Tensor *y = gt_call(layer, x);
    if (!y)
        return fail();
    print_shapes(x, y);
    print_variables(layer);
    int result = call_often(layer, x, 10000);
    gt_context_free(NULL);
    return result;
}
