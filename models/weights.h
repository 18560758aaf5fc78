/* The weights of a model in a file, in the safetensors format, which appears whole or not at all. A file that does not fit is
 * refused before anything is changed, with a list of what differs. */
#ifndef GT_MODELS_WEIGHTS_H
#define GT_MODELS_WEIGHTS_H

#include "layers/layer.h"

GT_BEGIN

/* The weights of a built model, keyed by their paths: "dense_1/kernel". Generator states are not
 * among them. */
#define gt_save_weights(model, path) gt_save_weights_at(GT_HERE, model, path)
GT_API gt_Status gt_save_weights_at(const char *here, gt_Layer *model, const char *path);
/* Fills the weights of a built model (see gt_build). The file must hold every one of them, of its
 * shape and type, and nothing else. */
#define gt_load_weights(model, path) gt_load_weights_at(GT_HERE, model, path)
GT_API gt_Status gt_load_weights_at(const char *here, gt_Layer *model, const char *path);

GT_END

#endif
