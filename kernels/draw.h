/* Random draws as kernels of tiles. Leans on kernels.h.
 *
 * at[0] of all is a generator's state, {seed, counter} of int64. Element i of a draw depends on the state and on i alone:
 * it is number i of the stream whose key is mixed from the seed (gt_draw_stream) and whose counter is the state's. */
#ifndef GT_KERNELS_DRAW_H
#define GT_KERNELS_DRAW_H

#include "kernels/kernels.h"

/* The stream of a state; `attempt` numbers independent ones. */
gt_PhiloxKey gt_draw_stream(const void *state, uint64_t attempt);

typedef enum gt_DrawKind {
    GT_DRAW_UNIFORM,         /* from [0, 1) */
    GT_DRAW_NORMAL,          /* mean 0, deviation 1 */
    GT_DRAW_TRUNCATED_NORMAL /* the same, within 2 of 0 */
} gt_DrawKind;

/* draw: y = scale z + shift, z of the kind; at[place] is y. Tiles as of fill. */
typedef struct gt_DrawJob {
    int32_t kind, type, place; /* a gt_DrawKind; float32 or float64, a gt_LoopType */
    int64_t size;
    double scale, shift;
} gt_DrawJob;

/* draw_integers: y = low + (bits mod range), bits of 64; at[place] is y. Tiles as of fill. */
typedef struct gt_DrawIntegersJob {
    int32_t type, place; /* the gt_LoopType of y */
    int64_t size;
    uint64_t low, range;
} gt_DrawIntegersJob;

/* draw_classes: `samples` classes for each row of logits (rows, classes), with the probabilities softmax(logits); at
 * {state, logits, y}. A tile is a row; scratch: `classes` doubles. The check `logits` finds the first row that has a logit
 * which is infinite or NaN, or -inf only; at the same. */
typedef struct gt_DrawClassesJob {
    int32_t logits, type; /* gt_LoopTypes of the logits, of y */
    int64_t rows, classes, samples;
} gt_DrawClassesJob;

/* dropout: y = x scale, or 0 where number i of a uniform stream is below `rate`; at {state, x, y}. Tiles as of fill; but
 * with `noise` one number is for all elements along the axes where operand 1 of the walk is repeated, y is x times scale or
 * 0, and tiles are the walk's. */
typedef struct gt_DropoutJob {
    int32_t type; /* a gt_LoopType */
    bool noise;
    int64_t size;
    double scale;
    float rate;
    gt_Broadcast walk; /* x, the noise */
} gt_DropoutJob;

#endif
