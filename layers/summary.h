/* How a layer that is a graph lists itself in a summary: see `rows` of gt_LayerState. Private. A row is
 *
 *     gt_summary_begin(summary, "age", "InputLayer");
 *     gt_summary_output(summary, &spec, false);       each output
 *     gt_summary_from(summary, "dense", 0, "0");      each input, after all outputs
 *     gt_summary_end(summary, NULL); */
#ifndef GT_LAYERS_SUMMARY_H
#define GT_LAYERS_SUMMARY_H

#include "layers/internal.h"

void gt_summary_begin(gt_Summary *self, const char *name, const char *type);
/* The same for a layer, with the name of its class. */
void gt_summary_begin_layer(gt_Summary *self, const gt_Layer *layer, const char *name);
/* A size of -1 is any; so is the batch where `any_batch` says so. */
void gt_summary_output(gt_Summary *self, const gt_Spec *spec, bool any_batch);
/* An input comes from that output ("0", "mask") of that call of what is called `name`. */
void gt_summary_from(gt_Summary *self, const char *name, int32_t call, const char *output);
/* Ends the row, and lists what is in the layer if that was asked for; NULL: it is an input or an operation. */
void gt_summary_end(gt_Summary *self, gt_Layer *layer);
/* The graph is more than a chain: connections are shown. */
void gt_summary_branches(gt_Summary *self);

#endif
