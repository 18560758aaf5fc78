/* A block of a tensor: where it starts along each axis, by which step it continues, how long it is. Slices, parts and items are
 * blocks that their records describe in different ways. Private to ops/array. */
#ifndef GT_OPS_BLOCK_H
#define GT_OPS_BLOCK_H

#include "ops/kit.h"

/* Within the tensor: 0 <= start < length where extent > 0, and so is the last element. */
typedef struct gt_Block {
    int64_t start[GT_MAX_RANK], step[GT_MAX_RANK], extent[GT_MAX_RANK]; /* one an axis of x */
} gt_Block;

/* All of input 0. */
gt_Block gt_block_whole(const gt_Spec *in);
/* Where the block begins in x, in elements, if it is contiguous there; else -1. */
int64_t gt_block_offset(const gt_Spec *in, const gt_Block *block);
/* Copies the block of input 0 to output 0. */
void gt_block_lower(const gt_ShapeRule *rule, gt_Lowering *lowering, const gt_Block *block);
/* The transpose: gives input 0 zeros with `up` (of the extents) where the block is. */
gt_Status gt_block_give(gt_GradientRule *rule, const gt_Block *block, gt_Tensor *up);

#endif
