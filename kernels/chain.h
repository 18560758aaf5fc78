/* The job of a chain: element-wise operations one after the other on a block of elements that stays in the first cache. Leans
 * on launch.h. */
#ifndef GT_KERNELS_CHAIN_H
#define GT_KERNELS_CHAIN_H

#include "launch.h"

#define GT_CHAIN_STEPS     24
#define GT_CHAIN_OPERANDS  32                 /* at most in `at` of a chain */
#define GT_CHAIN_SLOTS     12                 /* blocks of scratch memory */
#define GT_CHAIN_BLOCK     2048               /* elements */
#define GT_CHAIN_FAR       ((size_t)24 << 20) /* bytes from outside that no cache holds */
#define GT_CHAIN_FAR_BLOCK 128                /* elements, there */
#define GT_CHAIN_NARROW    64                 /* rows up to this width are repeated in scratch memory */

typedef enum gt_ChainKind {
    GT_CHAIN_UNARY,
    GT_CHAIN_BINARY,
    GT_CHAIN_COMPARE,
    GT_CHAIN_SELECT
} gt_ChainKind;

/* How an operand goes along with the result, which is rows of `width` elements: element i of it, element i % width,
 * element i / width, always the one that it has. */
typedef enum gt_ChainWay { GT_CHAIN_FULL, GT_CHAIN_ROW, GT_CHAIN_COLUMN, GT_CHAIN_ONE } gt_ChainWay;

/* Element `begin` of the result goes with the bytes from `begin` * `advance` on; from there on the operand steps by `along`
 * elements, 0 or 1. ROW and COLUMN that are not repeated in scratch memory are worked out row by row instead. */
typedef struct gt_ChainOperand {
    uint8_t from; /* in `at`; or GT_CHAIN_OPERANDS + a block of scratch memory */
    uint8_t advance, along;
    uint8_t way;   /* a gt_ChainWay */
    uint8_t bytes; /* of an element */
    uint8_t
        repeat; /* a narrow ROW is repeated in the block of scratch memory `from`; this is its place in `at`, plus 1 */
} gt_ChainOperand;

/* result = f(operands), f a loop of the kind and type. */
typedef struct gt_ChainStep {
    uint8_t kind, loop, type; /* SELECT: `loop` is the index among the loops that move elements */
    uint8_t operands;
    uint8_t by_rows; /* an operand is a ROW or COLUMN as it lies */
    gt_ChainOperand operand[3], result;
} gt_ChainStep;

/* chain: at {operands, results}. Tile t has the elements [t, t + 1) * tile. With a `head`, a kernel whose tile t writes just
 * these elements of its output, that kernel runs first on each tile: its job lies `head_job` bytes behind this one, operand i
 * of it is at[head_at[i]]. */
typedef struct gt_ChainJob {
    int64_t size, width, block, tile; /* block: rows that fit, or a part of one */
    int32_t steps, slot;              /* slot: bytes of a block of scratch memory */
    int32_t repeats;                  /* how many narrow rows are repeated */
    int32_t head, head_job;           /* head: a gt_TileKernelId, or -1 */
    int32_t chain_scratch;            /* bytes in front of the head's scratch memory */
    int8_t head_at[GT_CHAIN_OPERANDS];
    gt_ChainStep step[GT_CHAIN_STEPS];
} gt_ChainJob;

#endif
