/* Functional models are drawn: an operation on a symbol is not run but becomes a node, owned by the symbols that it gives,
 * as a record is. So a drawing goes with its last symbol, and there is no other trace of it. The layers (layers/draw.c)
 * add nodes for their calls; models/functional.c walks back from the outputs and replays. Private.
 *
 *     x = gt_Input(gt_shape(6))      node 1: no operation, no inputs
 *     y = gt_multiply(x, 2)          node 2: multiply, inputs x and the constant 2
 *
 * A size that is not known yet reads -1. Every symbol has two concrete specs besides, made with two values of each unknown
 * size: a shape rule runs on both, and sizes that differ between them are unknown again. The values have many divisors, so
 * that halves, strides and groups come out even at both. */
#ifndef GT_CORE_DRAWING_H
#define GT_CORE_DRAWING_H

#include "core/inside.h"

typedef struct gt_Node {
    gt_Context *context;
    const gt_Operation *operation; /* NULL: an input */
    void *options;                 /* owned; NULL: none */
    const char *here;
    uint64_t layer; /* the identity of the layer whose call this is; held. 0: none */
    gt_Value **input; /* held; NULL: absent */
    gt_Spec *spec;    /* of the outputs, once for each of the two sets of sizes */
    char *name;       /* of an input; owned */
    size_t bytes;     /* of the block */
    uint32_t references;
    int32_t inputs, outputs;
    uint64_t visit; /* the last walk that met it */
    int32_t place;  /* what that walk notes */
} gt_Node;

enum { GT_SIZE_SETS = 2 };
/* The size that stands for an unknown one of this axis, in each set. */
int64_t gt_drawing_size(int axis, int set);

/* The node of a value and which output of it the value is; NULL: it is not drawn. */
gt_Node *gt_value_node(const gt_Value *value, int32_t *output);
/* Is one of the handles, which may be NULL, to a symbol? */
bool gt_is_drawn(int32_t count, gt_Tensor *const *tensors);
/* The spec of a symbol or of any other value in a set. */
const gt_Spec *gt_value_spec_in(const gt_Value *value, int set);

/* The spec of an output as users see it: -1 where a size is not known. */
gt_Spec gt_node_spec(const gt_Node *node, int32_t output);

/* The layer whose call the node is; NULL with an error raised if it was freed. */
gt_Object *gt_node_layer(const gt_Node *node);

/* Draws a node: copies `options`, holds the inputs. `spec` has the specs of the outputs in set 0, then in set 1. `output` gets
 * handles of the innermost scope. */
gt_Status gt_draw(gt_Context *context, const gt_Node *like, const void *options,
                  gt_Value *const *input, const gt_Spec *spec, gt_Tensor **output);

#endif
