/* Jobs of attention.c: dot-product attention and its gradient, with scores that never leave the cache. Included by kernels.h. */
#ifndef GT_KERNELS_ATTENTION_H
#define GT_KERNELS_ATTENTION_H

#include <stdint.h>

/* q (batch, queries, heads, width), k (batch, keys, key heads, width), v (batch, keys, key heads, wide); `share` neighbouring
 * heads have one key head. The mask, of bools, NULL if absent, steps by its strides along (batch, heads, queries, keys).
 *     attention            at {q, k, v, mask; o (batch, queries, heads, wide)}; a tile is `block` queries of one head
 *     attention_gradient   at {q, k, v, mask, do; dq, dk, dv}; a tile is one key head of one row of the batch */
typedef struct gt_AttentionJob {
    uint8_t type;   /* GT_LOOP_F32 or GT_LOOP_F64 */
    uint8_t causal; /* query i looks at keys 0 to i */
    int64_t batch, heads, share, queries, keys, width, wide, block;
    int64_t mask[4];
    double scale;
} gt_AttentionJob;

#endif
