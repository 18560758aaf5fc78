/* The struct of a functional model. Private to the room. */
#ifndef GT_MODELS_FUNCTIONAL_INSIDE_H
#define GT_MODELS_FUNCTIONAL_INSIDE_H

#include "layers/draw.h"
#include "models/functional.h"

/* Where an input of a node comes from. */
typedef struct gt_Wire {
    int32_t number; /* of a value of the model; -1: a constant, or absent */
    gt_Value *constant;
} gt_Wire;

typedef struct gt_Step {
    gt_Node *node;
    gt_Layer *layer; /* whose call it is, a child; NULL: it is an operation's */
    int32_t first; /* its outputs are values first, first + 1, ... */
    int32_t wire;  /* its inputs are wires from here on */
} gt_Step;

typedef struct gt_Functional {
    gt_Layer base;
    gt_Value **symbol; /* of inputs, then of outputs; held: they keep the nodes */
    int32_t inputs, outputs;
    gt_Step *steps; /* in the order of running */
    int32_t step_count, step_capacity;
    gt_Wire *wires;
    int32_t wire_count, wire_capacity;
    int32_t *last; /* of each value: the last step that reads it; -1: it is an output */
    int32_t *output;
    int32_t values;
    gt_Port *ports;
    char *names; /* of the ports */
    size_t name_bytes;
} gt_Functional;

/* The rows of a summary: see gt_LayerState. */
void gt_functional_rows(gt_Layer *layer, gt_Summary *summary);

#endif
