/* Lesson 2: a layer that takes its initializer from outside: orthogonal, from 128 to 64. The struct
 * is its own options, so the initializer is a member like any other. */
#include "repeat.h"

#include <math.h>

typedef struct {
    gt_Layer base;
    int64_t units;
    gt_Initializer initializer;
    gt_Variable *kernel;
} Projection;

static gt_Status projection_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Projection *self = (Projection *)layer;
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(in->shape), self->units),
                                 .initializer = self->initializer);
    return gt_status();
}

static gt_Tensor *projection_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_matmul(in->x, ((Projection *)layer)->kernel);
}

static const gt_LayerClass projection_class = {
    .size = sizeof(gt_LayerClass),
    .name = "projection",
    .instance = sizeof(Projection),
    .build = projection_build,
    .call = projection_call,
};
#define Projection(...) gt_layer_new(&projection_class, &(Projection){.units = __VA_ARGS__})

int main(void)
{
    gt_Layer *layer = Projection(64, .initializer = gt_Orthogonal());
    gt_Tensor *x = gt_uniform(gt_shape(10, 128));
    gt_Tensor *y = gt_call(layer, x);
    if (!y)
        return fail();
    print_shapes(x, y);
    print_variables(layer);

    /* Orthonormal columns: kernel' kernel is the identity matrix. */
    gt_Variable *kernel = ((Projection *)layer)->kernel;
    gt_Tensor *product = gt_matmul(kernel, kernel, .transpose_a = true);
    double worst = gt_item(gt_max(gt_abs(gt_subtract(product, gt_eye(64)))));
    printf("largest difference of kernel' kernel from the identity: %.1e\n", worst);
    int result = call_often(layer, x, 10000);
    gt_context_free(NULL);
    return result || !(worst < 1e-5);
}
