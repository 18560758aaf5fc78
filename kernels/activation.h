/* Jobs of the activations: activation.c. Included by kernels.h. */
#ifndef GT_KERNELS_ACTIVATION_H
#define GT_KERNELS_ACTIVATION_H

#include <stdbool.h>
#include <stdint.h>

/* leaky_relu, silu, gelu: y[i] = f(x[i]); at {x, y}. gelu_gradient: g[i] times the slope of gelu at x[i]; at {g, x, y}. Tile t has
 * the elements [t, t + 1) * GT_TILE_ELEMENTS. */
typedef struct gt_ActivationJob {
    uint8_t type; /* GT_LOOP_F32 or GT_LOOP_F64 */
    bool exact;   /* gelu by erfc */
    int64_t size;
    double slope; /* of leaky_relu below 0 */
} gt_ActivationJob;

/* The approximate gelu is by tanh(GT_GELU_LINEAR x + GT_GELU_CUBIC x^3). */
#define GT_GELU_LINEAR 0.79788456080286535588 /* sqrt(2 / pi) */
#define GT_GELU_CUBIC  (0.044715 * GT_GELU_LINEAR)
/* The density of the normal distribution at 0. */
#define GT_GELU_DENSITY 0.39894228040143267794 /* 1 / sqrt(2 pi) */

/* softmax, log_softmax: along n of x (outer, n, inner); x is at[from], y at[to]. Inner 1: a tile is
 * `block` of the outer rows. Else it is `block` neighbours of `inner`, of which an outer index has
 * `blocks`; scratch has 2 n block elements. */
typedef struct gt_SoftmaxJob {
    uint8_t type, element; /* GT_LOOP_F32 or GT_LOOP_F64; bytes */
    int32_t from, to;
    int64_t outer, n, inner, block, blocks;
} gt_SoftmaxJob;

#endif
