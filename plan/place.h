/* Where pieces of memory lie in one block, so that two that live at the same time do not share a
 * byte. Private. */
#ifndef GT_PLAN_PLACE_H
#define GT_PLAN_PLACE_H

#include "core/inside.h"

/* A piece of memory and its life. */
typedef struct gt_Piece {
    size_t bytes;
    int32_t first, last; /* the steps of its life */
    size_t offset;       /* in the block: what gt_place finds out */
} gt_Piece;

/* Bytes of a piece in the block: every piece begins aligned. */
static inline size_t gt_piece_bytes(const gt_Piece *piece)
{
    return gt_aligned(piece->bytes);
}

/* Gives every piece its offset: large pieces first, each into the smallest gap that is free for its
 * life. Lives end before `steps`, or never; the list is sorted meanwhile. `bytes` gets the size of
 * the block. */
gt_Status gt_place(gt_Context *context, gt_Piece **pieces, int32_t count, int32_t steps,
                   size_t *bytes);

#endif
