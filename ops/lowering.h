/* Lowering an element-wise operation to its loop. Private to the library. */
#ifndef GT_OPS_LOWERING_H
#define GT_OPS_LOWERING_H

#include "core/inside.h"
#include "core/launch.h"

/* Tiles of element-wise work without a broadcast. */
int64_t gt_element_tiles(int64_t size);
/* The launch of the loop that the record names. */
void gt_lower_loop(const gt_ShapeRule *rule, gt_Lowering *lowering);
/* For a record: which loop, and that lowering is the loop's. GT_LOOP(BINARY, ADD) */
#define GT_LOOP(KIND, NAME) .lower = gt_lower_loop, .loop = {GT_LOOP_KIND_##KIND, GT_LOOP_##NAME}

#endif
