/* The part of a tape between targets and sources, in the order in which gradients flow. Private. */
#ifndef GT_AUTODIFF_WALK_H
#define GT_AUTODIFF_WALK_H

#include "core/inside.h"

typedef struct gt_WalkNode {
    gt_Record *record;  /* held */
    gt_RecordView view; /* of it */
    bool leaf;          /* the tape begins here, with one output of the record */
    bool passes;        /* a gradient passes from its outputs to its inputs */
    bool ordered;       /* it is in the order */
    bool open;          /* its inputs were visited */
    bool needed;        /* a source is in it or behind it */
    bool source;        /* a source is in it */
    int32_t gradients;  /* where its outputs' gradients start */
} gt_WalkNode;

/* All zero but for context and tape before the walk. */
typedef struct gt_Walk {
    gt_Context *context;
    gt_TapeSlot *tape;
    gt_WalkNode *nodes;
    int32_t count, capacity;
    int32_t *order; /* nodes, inputs before what is made of them */
    int32_t order_count, order_capacity;
    int32_t *stack; /* while they are collected */
    int32_t depth, stack_capacity;
    gt_Map numbers;       /* key of a point of the tape -> node */
    bool chosen;          /* numbers decided what the targets were computed from */
    gt_Value **gradients; /* one an output of every node; held, NULL: none arrived */
    int32_t gradient_count;
} gt_Walk;

/* Finds everything behind the targets. `through` also goes through what cuts gradients. */
gt_Status gt_walk_collect(gt_Walk *walk, int targets, gt_Value *const *target, bool through);
/* The node of what made a value or watches it; -1 if the walk did not meet it. */
int32_t gt_walk_find(const gt_Walk *walk, const gt_Value *value);
/* Is that node needed? */
bool gt_walk_needs(const gt_Walk *walk, const gt_Value *value);
/* Where the gradient of a value is added up; NULL: the walk does not pass there. */
gt_Value **gt_walk_place(const gt_Walk *walk, const gt_Value *value);
void gt_walk_close(gt_Walk *walk);

#endif
