/* What recurrent layers and cells have in common: weights, dropout masks, states. Private.
 *
 *     create   gt_cell_check
 *     build    gt_cell_build, gt_states_build
 *     call     gt_states_begin -> gt_cell_masks -> the operation -> gt_states_end */
#ifndef GT_LAYERS_RECURRENT_CELL_H
#define GT_LAYERS_RECURRENT_CELL_H

#include "layers/kit.h"
#include "layers/recurrent/recurrent.h"

/* ---- weights ---- */

/* Options of GT_RECURRENT_INITIALIZERS and GT_RECURRENT_PENALTIES, read from any of the structs. */
typedef struct gt_CellView {
    int64_t units;
    int gates;
    bool use_bias;
    gt_Initializer kernel_initializer, recurrent_initializer;
    const gt_Initializer *bias_initializer; /* among the options of the layer */
    gt_Regularizer kernel_regularizer, recurrent_regularizer, bias_regularizer;
    gt_Constraint kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout, recurrent_dropout;
    int64_t seed;
    gt_Shape window; /* leading axes of both kernels: of a convolution */
} gt_CellView;
#define GT_CELL_VIEW(o, width, gate_count)                                                         \
    ((gt_CellView){.units = (width),                                                               \
                   .gates = (gate_count),                                                          \
                   .kernel_initializer = (o)->kernel_initializer,                                  \
                   .recurrent_initializer = (o)->recurrent_initializer,                            \
                   .kernel_regularizer = (o)->kernel_regularizer,                                  \
                   .recurrent_regularizer = (o)->recurrent_regularizer,                            \
                   .bias_regularizer = (o)->bias_regularizer,                                      \
                   .kernel_constraint = (o)->kernel_constraint,                                    \
                   .recurrent_constraint = (o)->recurrent_constraint,                              \
                   .bias_constraint = (o)->bias_constraint,                                        \
                   .dropout = (o)->dropout,                                                        \
                   .recurrent_dropout = (o)->recurrent_dropout,                                    \
                   .seed = (o)->seed,                                                              \
                   .use_bias = (o)->use_bias,                                                      \
                   .bias_initializer = &(o)->bias_initializer,                                     \
                   .window = {.mark = GT_MARK}})

/* Dropout masks: of x, (batch, features) or (gates, batch, features), and of h; NULL: none. */
typedef struct gt_CellMasks {
    gt_Tensor *of_x, *of_h;
    bool held; /* a loop around the cell drew them for all of its steps */
} gt_CellMasks;

typedef struct gt_CellWeights {
    gt_Variable *kernel, *recurrent_kernel, *bias, *generator;
    double dropout, recurrent_dropout;
    int64_t features, units;
    int gates;
} gt_CellWeights;

/* The weights as operands: 16 bits become float32. */
typedef struct gt_CellTensors {
    gt_Tensor *kernel, *recurrent, *bias;
} gt_CellTensors;

gt_Status gt_cell_check(const gt_CellView *view);
/* kernel (features, gates units), recurrent_kernel (units, gates units), a bias of that shape; with `forget` the
 * second of its four parts starts at 1. */
gt_Status gt_cell_build(gt_Layer *layer, const gt_CellView *view, const gt_BuildArgs *in,
                        gt_Shape bias, bool forget, gt_CellWeights *weights);
gt_CellTensors gt_cell_tensors(const gt_CellWeights *weights);
/* Draws the masks in training; else, and where nothing is dropped, they are NULL. `x` is (batch, ...). */
gt_Status gt_cell_masks(const gt_CellWeights *weights, bool training, gt_Tensor *x,
                        gt_CellMasks *masks);
/* Zeros of (batch, shape...) for x (batch, ...), made of x, so that a traced graph serves any batch. */
gt_Tensor *gt_zero_rows(gt_Tensor *x, gt_Shape shape, gt_DType dtype);

/* ---- cells ---- */

/* How the structs of built-in cells begin. */
typedef struct gt_Cell {
    gt_Layer base;
    gt_CellWeights weights;
    gt_CellMasks *masks; /* owned; beside the struct, which traces compare with what it was */
} gt_Cell;

gt_Status gt_cell_create(gt_Layer *layer, const gt_CellView *view);
void gt_cell_destroy(gt_Layer *layer);
/* The masks of this step: those that are held, or new ones. */
gt_Status gt_cell_step(const gt_Cell *cell, const gt_CallArgs *in, gt_CellMasks *masks);
/* Draws the masks of all built-in cells in `layer`, for all steps until gt_cells_release. x is (batch, ...). */
gt_Status gt_cells_hold(gt_Layer *layer, bool training, gt_Tensor *x);
void gt_cells_release(gt_Layer *layer);

/* ---- states ---- */

enum { GT_STATES = GT_MAX_LAYER_OUTPUTS - 1 };

typedef struct gt_States {
    int count;
    bool returned, stateful;   /* options */
    int64_t batch;             /* of the variables */
    gt_Shape shape[GT_STATES]; /* of one row */
    gt_Variable *variable[GT_STATES];
} gt_States;

/* Makes the variables of a stateful layer; the other members are set before. */
gt_Status gt_states_build(gt_Layer *layer, gt_States *states, const gt_BuildArgs *in);
/* The states before the first step: inputs 1, 2, ..., or variables; NULL: zeros. Refuses what cannot be: outputs
 * that the options do not promise, some of the states, another batch. */
gt_Status gt_states_begin(const gt_States *states, const gt_CallArgs *in, gt_Tensor **initial);
/* Gives out the states after the last step and keeps them for the next call. */
gt_Status gt_states_end(const gt_States *states, const gt_CallArgs *in, gt_Tensor *const *last);
/* How many states a recurrent layer has. */
int gt_state_count(const gt_Layer *layer);

#endif
