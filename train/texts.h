/* Text of batches: to the ports of the model, and looked up ahead of the steps, which are traced functions. Private to the room. */
#ifndef GT_TRAIN_TEXTS_H
#define GT_TRAIN_TEXTS_H

#include "layers/lookups.h"
#include "train/compiled.h"

/* The inputs of a batch in the order of a model's ports: text goes to the ports for text, in its order, tensors to the others. */
typedef struct gt_Ports {
    int32_t count, text_count;
    gt_Tensor *inputs[GT_MAX_INPUTS];
    const gt_Strings *text[GT_MAX_INPUTS]; /* NULL: a tensor */
    gt_Strings strings[GT_MAX_TEXTS];      /* in the order of the ports */
} gt_Ports;
/* Raises an error where the model has no port for a text. */
gt_Status gt_ports_fill(gt_Context *context, const gt_LayerState *model, const gt_Batch *batch, gt_Ports *ports);
/* The specs of them, GT_MAX_INPUTS at most. */
gt_Status gt_ports_specs(gt_Context *context, const gt_Ports *ports, gt_Spec *specs);

/* Is every input of the model for text called like one of the columns of text, of which there are two or more? */
bool gt_texts_named(const gt_LayerState *model, const struct gt_DataNames *names);
/* Puts the text of a batch in the order in which the model has ports of the same names, if all of them have names that the
 * dataset knows. */
void gt_texts_order(const gt_LayerState *model, const gt_Dataset *dataset, gt_Batch *batch);

#endif
