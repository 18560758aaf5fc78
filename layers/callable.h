/* A layer as a plain C function, so that y = dense(x) calls it and C code that takes callbacks can
 * take a model. */
#ifndef GT_LAYERS_CALLABLE_H
#define GT_LAYERS_CALLABLE_H

#include "layers/layer.h"

GT_BEGIN

/* A layer as a plain C function of one input. */
typedef gt_Tensor *(*gt_Callable)(gt_Tensor *x);
/* A layer of two inputs, in the order of its ports. */
typedef gt_Tensor *(*gt_Callable2)(gt_Tensor *a, gt_Tensor *b);
/* A layer of three inputs, in the order of its ports. */
typedef gt_Tensor *(*gt_Callable3)(gt_Tensor *a, gt_Tensor *b, gt_Tensor *c);

/* A function that calls this layer: gt_call with `training` as the layer around it, outermost
 * false. The same layer always gives the same function. The function lives as long as the context
 * it was made in and holds no layer: called after the layer was freed, it returns NULL with an
 * error that says so. Given as the `activation` of a layer, it makes this layer a child of that
 * one: trained and saved with it.
 *
 * NULL with an error: no layer, one that needs more inputs, a build without libffi, or a system that forbids executable
 * memory; gt_call does the same everywhere. The few bytes of code come from libffi, not from the context's
 * allocator. A process that forks makes its callables before. */
#define gt_callable(layer) gt_callable_at(GT_HERE, layer)
GT_API gt_Callable gt_callable_at(const char *here, gt_Layer *layer);
GT_API gt_Callable(gt_callable)(gt_Layer *layer);
/* The same for two and three inputs, in the order of the layer's ports (the inputs of a functional model, query and value of
 * an attention layer, what a merging layer merges); NULL among them: an optional one is absent. They return output 0; the others
 * are for gt_call. NULL with an error for a layer that needs more inputs or accepts fewer. No activation is one of these. */
#define gt_callable2(layer) gt_callable2_at(GT_HERE, layer)
GT_API gt_Callable2 gt_callable2_at(const char *here, gt_Layer *layer);
#define gt_callable3(layer) gt_callable3_at(GT_HERE, layer)
GT_API gt_Callable3 gt_callable3_at(const char *here, gt_Layer *layer);

GT_END

#endif
