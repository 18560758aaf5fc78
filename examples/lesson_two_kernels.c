/* Lesson 3: a layer with two kernels, 64 and 32 wide, both from gt_GlorotUniform. Both are made in the same build, and
 * both are in the layer's list of trainable variables without further ado. */
#include "repeat.h"

typedef struct {
    gt_Layer base;
    gt_Variable *first, *second;
} TwoKernels;

static gt_Status two_kernels_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    TwoKernels *self = (TwoKernels *)layer;
    self->first = gt_add_weight(layer, "first", gt_shape(gt_last(in->shape), 64),
                                .initializer = gt_GlorotUniform());
    self->second =
        gt_add_weight(layer, "second", gt_shape(64, 32), .initializer = gt_GlorotUniform());
    return gt_status();
}

static gt_Tensor *two_kernels_call(gt_Layer *layer, const gt_CallArgs *in)
{
    TwoKernels *self = (TwoKernels *)layer;
    return gt_matmul(gt_relu(gt_matmul(in->x, self->first)), self->second);
}

static const gt_LayerClass two_kernels_class = {
    .size = sizeof(gt_LayerClass),
    .name = "two_kernels",
    .instance = sizeof(TwoKernels),
    .build = two_kernels_build,
    .call = two_kernels_call,
};
#define TwoKernels() gt_layer_new(&two_kernels_class, NULL)

int main(void)
{
    gt_Layer *layer = TwoKernels();
    gt_Tensor *x = gt_uniform(gt_shape(10, 128));
    gt_Tensor *y = gt_call(layer, x);
    if (!y)
        return fail();
    print_shapes(x, y);
    print_variables(layer);
    printf("trainable: %d of %d\n", gt_trainable_variables(layer).count, gt_variables(layer).count);

    /* One step: both kernels get a gradient. */
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean(gt_square(gt_call(layer, x)));
    gt_Tensor *gradients[2];
    gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(layer), gradients);
    for (int i = 0; i < 2; i++) {
        char shape[64];
        printf("gradient %d: %s\n", i,
               gt_shape_text(gt_tensor_shape(gradients[i]), shape, sizeof shape));
    }
    gt_tape_end(tape);
    if (gt_status() != GT_OK)
        return fail();
    int result = call_often(layer, x, 10000);
    gt_context_free(NULL);
    return result;
}
