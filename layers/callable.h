/* A layer as a plain C function, so that y = dense(x) calls it and C code that takes callbacks can
 * take a model. */
#ifndef GT_LAYERS_CALLABLE_H
#define GT_LAYERS_CALLABLE_H

#include "layers/layer.h"

GT_BEGIN

typedef gt_Tensor *(*gt_Callable)(gt_Tensor *x);

/* A function that calls this layer: gt_call with `training` as the layer around it, outermost
 * false. The same layer always gives the same function. The function lives as long as the context
 * it was made in and holds no layer: called after the layer was freed, it returns NULL with an
 * error that says so. Given as the `activation` of a layer, it makes this layer a child of that
 * one: trained and saved with it.
 *
 * NULL with an error: no layer, a build without libffi, or a system that forbids executable memory;
 * gt_call does the same everywhere. The few bytes of code come from libffi, not from the context's
 * allocator. A process that forks makes its callables before. */
#define gt_callable(layer) gt_callable_at(GT_HERE, layer)
GT_API gt_Callable gt_callable_at(const char *here, gt_Layer *layer);
GT_API gt_Callable(gt_callable)(gt_Layer *layer);

GT_END

#endif
