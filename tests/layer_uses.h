/* What programs over the table of layers share: a layer from a sample, its inputs, its masks, and
 * numbers for weights by formula, as oracle/layers.py has them. */
#ifndef GT_TESTS_LAYER_USES_H
#define GT_TESTS_LAYER_USES_H

#include "gradtape.h"

#include "operations.h"

enum { USE_INPUTS = CASE_INPUTS };

/* One sample of one class. */
typedef struct Use {
    const gt_LayerClass *type;
    const gt_LayerSample *sample;
    int number; /* of the sample */
    gt_DType dtype;
} Use;

static inline gt_Layer *use_layer(const Use *use)
{
    if (use->type->flags & GT_LAYER_CONTAINER)
        return gt_Sequential(gt_Dense(4, .activation = gt_tanh), gt_Dropout(0.3, .seed = 5),
                             gt_Dense(3));
    return gt_layer_make(use->type, use->sample->options);
}

/* The numbers of the inputs. */
static inline void use_case(const Use *use, Case *c)
{
    static gt_Sample sample;
    sample = (gt_Sample){.inputs = use->sample->inputs, .input = use->sample->input};
    fill_case(c, NULL, &sample, use->dtype);
}

/* The mask of an input, over its first two axes or the only one, into `mask`; returns its size.
 * Any step may be missing, not only the last ones; in a row of several one is there, one is not. */
static inline int64_t use_mask(const Use *use, int input, bool mask[CASE_NUMBERS])
{
    const gt_Shape *shape = &use->sample->input[input].shape;
    int64_t steps = shape->rank > 1 ? shape->dims[1] : 1, rows = shape->rank ? shape->dims[0] : 1;
    uint64_t state = 777 + (uint64_t)input;
    for (int64_t r = 0; r < rows; r++) {
        int64_t there = 0;
        for (int64_t t = 0; t < steps; t++)
            there += mask[r * steps + t] = next_uniform(&state) < 0.6;
        if (there == 0)
            mask[r * steps + r % steps] = true;
        if (there == steps && steps > 1)
            mask[r * steps + (r + 1) % steps] = false;
    }
    return rows * steps;
}

static inline bool use_has_mask(const Use *use, int input)
{
    return use->sample->masks >> input & 1;
}

/* Element after element of weight number `index`; `kind` is real, positive or whole. */
static inline void use_weight(const char *kind, int index, int64_t count, double *numbers)
{
    uint64_t state = 7919 * ((uint64_t)index + 1);
    for (int64_t k = 0; k < count; k++) {
        double u = next_uniform(&state);
        numbers[k] = kind[0] == 'r' ? 1.4 * u - 0.7 : kind[0] == 'p' ? 0.5 + u : floor(3 * u);
    }
}

#endif
