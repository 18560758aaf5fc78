/* What tensorboard.c takes from tensorboard_graph.c. Private to the folder. */
#ifndef GT_TRAIN_CALLBACKS_TENSORBOARD_EVENTS_H
#define GT_TRAIN_CALLBACKS_TENSORBOARD_EVENTS_H

#include "io/events.h"
#include "layers/internal.h"

/* The operations of the model, as a GraphDef; nothing of one whose inputs nobody knows. */
gt_Status gt_put_model_graph(gt_Proto *out, const gt_LayerState *state);

#endif
