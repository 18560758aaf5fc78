/* A layer of the examples: adds a trained vector for each position of a sequence, (batch, steps, width). */
#ifndef POSITIONS_H
#define POSITIONS_H

#include <gradtape.h>

typedef struct {
    gt_Layer base;
    gt_Variable *table;
} Positions;

static inline gt_Status positions_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Positions *self = (Positions *)layer;
    self->table = gt_add_weight(layer, "table", gt_shape(in->shape.dims[1], in->shape.dims[2]),
                                .initializer = gt_RandomNormal(.stddev = 0.05));
    return gt_status();
}

static inline gt_Tensor *positions_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_add(in->x, ((Positions *)layer)->table);
}

static const gt_LayerClass positions_class = {.size = sizeof(gt_LayerClass),
                                              .name = "positions",
                                              .instance = sizeof(Positions),
                                              .build = positions_build,
                                              .call = positions_call};
#define Positions() gt_layer_new(&positions_class, NULL)

#endif
