/* Jobs of the fused cross-entropies: loss.c, once/checks.c. Included by kernels.h. */
#ifndef GT_KERNELS_LOSS_H
#define GT_KERNELS_LOSS_H

#include <stdint.h>

/* sigmoid_crossentropy: at {t, x, y}, element by element. Tile k has the elements [k, k + 1) *
 * GT_TILE_ELEMENTS. */
typedef struct gt_SigmoidCrossentropyJob {
    uint8_t type; /* GT_LOOP_F32 or GT_LOOP_F64 */
    int64_t size;
} gt_SigmoidCrossentropyJob;

/* Rows of logits x (rows, classes). A tile is `block` of them; scratch of the first is block *
 * classes elements.
 *     softmax_crossentropy           at {t (rows, classes), x, y (rows)}
 *     sparse_softmax_crossentropy    at {labels (rows), x, y (rows)}
 *     sparse_softmax_gradient        at {labels (rows), x, g (rows)}, the gradient (rows, classes) at[slope], and the loss too
 *                                    if there is an at[loss]
 *     labels, a check                at {labels}: each in [0, classes) or `ignored`; a tile is a row */
typedef struct gt_LogitsJob {
    uint8_t type, label_type; /* F32 or F64; of labels I32, I64 or U8 */
    int8_t loss, slope; /* of a gradient: where they are in `at`; loss -1: it is not asked for */
    int64_t rows, classes, block, ignored;
} gt_LogitsJob;
/* Classes, at most, of a loss and its gradient at once: of more, the two add exponentials in another order. */
#define GT_LOSS_CLASSES 1024

/* scores, a check: is every element of at[0] in [low, high], or NaN? Tiles as of
 * sigmoid_crossentropy. */
typedef struct gt_ScoresJob {
    uint8_t type; /* GT_LOOP_F32 or GT_LOOP_F64 */
    int64_t size;
    double low, high;
} gt_ScoresJob;

#endif
