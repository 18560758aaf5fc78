/* A layer's call as a node of a drawing: models/functional.c replays it. Private. */
#ifndef GT_LAYERS_DRAW_H
#define GT_LAYERS_DRAW_H

#include "core/drawing.h"
#include "layers/internal.h"

/* How the layer was called. The node has the outputs that were asked for, in their order, and behind them the masks of
 * those that have one. */
#define gt_DrawnCall_OPTIONS(F, S)                                                                 \
    F(S, gt_Flag, training, GT_INHERIT, "as the call said")                                        \
    F(S, uint32_t, wanted, 1, "which of the layer's outputs were asked for, by bit")
GT_OPTIONS(gt_DrawnCall, gt_DrawnCall_OPTIONS);

/* The spec of an input of a model in a set of sizes (core/drawing.h): `shape` behind the batch, -1 any. A dtype that is not
 * given is that of the context's policy, else float32. False with an error raised if there is no such tensor. */
bool gt_input_spec(gt_Context *context, gt_Shape shape, int64_t batch_size, gt_DType dtype, int set,
                   gt_Spec *spec);
/* The symbol for such an input. NULL with an error raised, also inside a traced function. */
gt_Tensor *gt_draw_input(gt_Context *context, const char *here, gt_Shape shape, int64_t batch_size,
                         gt_DType dtype, const char *name);
/* The symbol that an InputLayer stands for. */
gt_Tensor *gt_input_layer_draw(const gt_Layer *layer);
/* Draws the call, and builds the layer if need be. `outputs` gets handles by the layer's numbering, those that are wanted. */
gt_Status gt_draw_layer(gt_Context *context, const char *here, gt_LayerState *state,
                        const gt_DrawnCall *how, int32_t count, gt_Tensor *const *inputs,
                        gt_Tensor **outputs);
/* Builds a layer for what the symbol may be, without a node. */
gt_Status gt_build_for_symbol(gt_Context *context, gt_LayerState *state, gt_Tensor *x);
/* The call that a node is; NULL: it is an operation or an input. */
const gt_DrawnCall *gt_node_call(const gt_Node *node);

#endif
