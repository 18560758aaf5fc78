/* Puts the bodies of calls (gt_recompute in a traced function) in the place of their nodes. Private. */
#ifndef GT_PLAN_INLINE_H
#define GT_PLAN_INLINE_H

#include "ops/control/node.h"

/* Afterwards the graph has no calls. If it fails the graph can only be freed. */
gt_Status gt_inline_calls(gt_Graph *graph);

#endif
