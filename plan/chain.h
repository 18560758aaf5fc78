/* The operation that a chain of steps becomes in a plan: gt_pass_chains makes it, chain.c lowers it. Private. */
#ifndef GT_PLAN_CHAIN_H
#define GT_PLAN_CHAIN_H

#include <stddef.h>

#include "core/operation.h"
#include "kernels/chain.h"

/* The inputs of the chain hold those of the head, where job.head_at says; its outputs begin with the head's. */
typedef struct gt_ChainOptions {
    uint32_t size;
    const gt_Operation *head; /* NULL: none */
    const void *head_options; /* the graph's */
    int32_t head_inputs, head_outputs;
    bool head_only_here; /* nothing but the chain reads the head's output */
    bool head_in_place;  /* it may be written where the last step writes, which is in place then */
    gt_ChainJob job;     /* but for what depends on the target */
} gt_ChainOptions;

/* Bytes of the job of a launch that only does what the head does ahead of its tiles. */
#define GT_CHAIN_NO_STEPS offsetof(gt_ChainJob, step)

extern const gt_Operation gt_op_chain;

#endif
