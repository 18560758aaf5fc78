/* Models and graphs as boxes and arrows. */
#ifndef GT_PICTURES_MODEL_H
#define GT_PICTURES_MODEL_H

#include "layers/layer.h"
#include "pictures/picture.h"

GT_BEGIN

/* Where arrows lead. */
typedef enum gt_RankDirection {
    GT_RANK_DIRECTION_TB = 0, /* from top to bottom */
    GT_RANK_DIRECTION_LR = 1  /* from left to right */
} gt_RankDirection;

#define gt_plot_model_OPTIONS(F, S)                                                                \
    F(S, bool, show_shapes, false, "of inputs and outputs, as the model was called last")          \
    F(S, bool, show_dtype, false, "of outputs")                                                    \
    F(S, bool, show_layer_names, false, "beside the names of classes")                             \
    F(S, gt_RankDirection, rankdir, GT_RANK_DIRECTION_TB, "where arrows lead")                     \
    F(S, bool, expand_nested, false, "models in the model as their parts, in a dashed line")       \
    F(S, double, dpi, 200, "of the DOT, > 0")                                                      \
    F(S, bool, show_layer_activations, false, "of layers that have one")                           \
    F(S, bool, show_trainable, false, "of layers that have weights")                               \
    F(S, bool, fold, true, "a long chain goes on in a further column; false: one, however long")
GT_OPTIONS(gt_plot_model_options, gt_plot_model_OPTIONS);
/* gt_plot_model(model, .show_shapes = true): a box for each layer, operation and input, with what Keras's plot_model
 * shows, and arrows for what they compute from what. A layer that is called twice is one box. Sizes are as in gt_summary.
 * NULL on failure: a model that is not built, or of more than 4000 boxes. */
#define gt_plot_model(...)                                                                         \
    gt_plot_model_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_plot_model, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_model_at(const char *here, gt_Layer *model,
                                    const gt_plot_model_options *options);

GT_END

#endif
