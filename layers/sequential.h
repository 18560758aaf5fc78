/* Layers one after the other. */
#ifndef GT_LAYERS_SEQUENTIAL_H
#define GT_LAYERS_SEQUENTIAL_H

#include "layers/layer.h"

GT_BEGIN

/* gt_Sequential(gt_Dense(128, .activation = gt_relu), gt_Dense(10)): takes the layers, also when
 * it fails, so a layer that could not be made takes its siblings along and nothing leaks.
 * `layers` ends with GT_LIST_END. */
#ifdef __cplusplus
#define gt_Sequential(...) gt_Sequential_of_(GT_HERE, __VA_ARGS__)
#else
#define gt_Sequential(...)                                                                         \
    gt_Sequential_at(GT_HERE, (gt_Layer *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
#endif
GT_API gt_Layer *gt_Sequential_at(const char *here, gt_Layer *const *layers);
/* Adds one at the end, before the model is built. Takes it, also when it fails. */
#define gt_sequential_add(model, layer) gt_sequential_add_at(GT_HERE, model, layer)
GT_API gt_Status gt_sequential_add_at(const char *here, gt_Layer *model, gt_Layer *layer);
/* Puts one at a place, 0 to the number of layers, before the model is built; those behind move on. Takes it, also when it
 * fails. */
#define gt_sequential_insert(model, index, layer) gt_sequential_insert_at(GT_HERE, model, index, layer)
GT_API gt_Status gt_sequential_insert_at(const char *here, gt_Layer *model, int index,
                                         gt_Layer *layer);
/* Takes the last layer off, also of a built model: it is freed, unless somebody else has it. An error if there is none. */
#define gt_sequential_pop(model) gt_sequential_pop_at(GT_HERE, model)
GT_API gt_Status gt_sequential_pop_at(const char *here, gt_Layer *model);

GT_END

#ifdef __cplusplus
template <class... Layers> inline gt_Layer *gt_Sequential_of_(const char *here, Layers... layers)
{
    gt_Layer *const list[] = {layers..., static_cast<gt_Layer *>(GT_LIST_END)};
    return gt_Sequential_at(here, list);
}
#endif

#endif
