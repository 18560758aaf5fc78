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
/* What a partial loading found. */
typedef struct gt_LoadReport {
    int64_t loaded, missing, mismatched, unused; /* weights of the model; the last: tensors of the file */
    const char *text; /* those that were not loaded, by name and why; valid until the context's next such text */
} gt_LoadReport;
#define gt_load_weights_OPTIONS(F, S)                                                              \
    F(S, bool, skip_mismatch, false,                                                               \
      "fills the weights that the file has, of their shape and type, and leaves the others")       \
    F(S, gt_LoadReport *, report, NULL, "gets what was loaded and what was not")
GT_OPTIONS(gt_load_weights_options, gt_load_weights_OPTIONS);
/* Fills the weights of a built model (see gt_build). The file must hold every one of them, of its
 * shape and type, and nothing else; unless .skip_mismatch says that the weights which it has are enough, found by their paths. */
#define gt_load_weights(model, ...)                                                                \
    gt_load_weights_at(GT_HERE, model, GT_FIRST(__VA_ARGS__),                                      \
                       GT_KEYWORDS(gt_load_weights, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_load_weights_at(const char *here, gt_Layer *model, const char *path,
                                    const gt_load_weights_options *options);

GT_END

#endif
