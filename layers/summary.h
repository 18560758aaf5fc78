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

/* ---- the same rows for somebody else, such as a picture ---- */

typedef struct gt_RowListener {
    /* A row begins; of an input or an operation `layer` is NULL. */
    void (*begin)(void *user, const gt_Layer *layer, const char *name, const char *type);
    void (*output)(void *user, const gt_Spec *spec, bool any_batch);
    void (*from)(void *user, const char *name, int32_t call, const char *output);
    void (*end)(void *user);
} gt_RowListener;
/* Tells what is in the layer, a row each, without what is in those. */
void gt_list_rows(gt_LayerState *state, const gt_RowListener *listener, void *user);

#endif
