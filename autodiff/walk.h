/* The part of a tape between targets and sources, in the order in which gradients flow. Private. */
#ifndef GT_AUTODIFF_WALK_H
#define GT_AUTODIFF_WALK_H

#include "core/inside.h"

typedef struct gt_WalkNode {
    gt_Record *record;  /* held */
    gt_RecordView view; /* of it */
    bool leaf;          /* the tape begins here, with one output of the record */
    bool passes;        /* a gradient passes from its outputs to its inputs */
    bool stacked;       /* it waits on the stack */
    bool open;          /* its inputs were visited */
    bool needed;        /* a source is in it or behind it */
    bool source;        /* a source is in it */
    int32_t gradients;  /* where its outputs' gradients start */
    int32_t links;      /* where those of its inputs start; of one that is open */
    /* Its neighbours: on the stack, then in the order; -1: none. */
    int32_t before, behind;
} gt_WalkNode;

/* What a value, as the input of a node, is in the walk. */
typedef struct gt_WalkLink {
    int32_t node;  /* -1: the walk does not pass there */
    int32_t place; /* of its gradient */
} gt_WalkLink;

/* All zero but for context and tape before the walk. */
typedef struct gt_Walk {
    gt_Context *context;
    gt_TapeSlot *tape;
    gt_WalkNode *nodes;
    int32_t count, capacity;
    gt_WalkLink *links;
    int32_t link_count, link_capacity;
    /* Of the order: inputs before what is made of them, leaves nowhere; -1: it is empty. */
    int32_t first, last;
    int32_t top;          /* of the stack, while they are collected */
    gt_Map numbers;       /* key of a point of the tape -> node */
    bool chosen;          /* numbers decided what the targets were computed from */
    gt_Value **gradients; /* one an output of every node; held, NULL: none arrived */
    int32_t gradient_count;
} gt_Walk;

/* Finds everything behind the targets. `through` also goes through what cuts gradients. */
gt_Status gt_walk_collect(gt_Walk *walk, int targets, gt_Value *const *target, bool through);
/* The node of what made a value or watches it. */
gt_WalkLink gt_walk_find(const gt_Walk *walk, const gt_Value *value);
/* Of input i of a node that a gradient passes. */
static inline gt_WalkLink gt_walk_link(const gt_Walk *walk, const gt_WalkNode *node, int32_t i)
{
    return walk->links[node->links + i];
}
/* Is the node behind the link needed? */
static inline bool gt_walk_needs(const gt_Walk *walk, gt_WalkLink link)
{
    return link.node >= 0 && walk->nodes[link.node].needed;
}
void gt_walk_close(gt_Walk *walk);

#endif
