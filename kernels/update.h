/* Jobs of the kernels with which optimizers change variables: optimizer.c. Leans on nothing.
 *
 * A variable with S slots is updated where it lies: at {w, slot 1 .. S, g, rate, count, [rows, [factor]],
 * w, slot 1 .. S}; the first and the last 1 + S are the same memory. g is like w, or (n, ...)
 * like the n rows of w that `rows` names: int64, each once, what is not below the rows of w is
 * padding; rows may be NULL where there is a factor. rate is a number, count an int64: calls before this one. In
 * place of g each pass takes (g first) second, rounded twice, where the factor, a number, is first second, first = max(factor,
 * 1e-30): beside a norm of 1e38 it may be below what float32 has. */
#ifndef GT_KERNELS_UPDATE_H
#define GT_KERNELS_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct gt_UpdateJob {
    uint8_t type, rate; /* the gt_LoopType of w, its slots and g: float32 or float64; of the rate */
    uint8_t slots;      /* S */
    uint8_t by_rows;    /* not 0: g is of rows */
    uint8_t scaled;     /* not 0: there is a factor, of type scaled - 1 */
    int64_t accumulation; /* calls that make one update, at least 1 */
    int64_t size;         /* elements of w */
    int64_t width, parts; /* of g: elements of a row, rows; a whole one: one row */
    int64_t group;        /* by_rows: rows of a tile; else tiles are as of unary */
} gt_UpdateJob;

/* sgd: w -= lr g; with a slot m, m = mu m - lr g and w += m, or, nesterov, w += mu m - lr g.
 * Before it, w -= w (lr decay). */
typedef struct gt_SgdJob {
    gt_UpdateJob update;
    double momentum, weight_decay;
    bool nesterov;
} gt_SgdJob;

/* adam: m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2), w -= alpha m / (sqrt(v) +
 * epsilon), where alpha is lr sqrt(1 - beta_2^t) / (1 - beta_1^t) at update t; with a third slot
 * h = max(h, v) in place of v. Before it, w -= w (lr decay). */
typedef struct gt_AdamJob {
    gt_UpdateJob update;
    double beta_1, beta_2, epsilon, weight_decay;
} gt_AdamJob;

/* adagrad: a += g^2, w -= g lr / sqrt(a + epsilon). Before it, w -= w (lr decay). */
typedef struct gt_AdagradJob {
    gt_UpdateJob update;
    double epsilon, weight_decay;
} gt_AdagradJob;

/* accumulate: sum += g, and 0 at a call that updates; at {sum, g or NULL, count, sum}. average:
 * a = (a - w) momentum + w, and a = w up to the first update; at {a, w, count, a}. overwrite: w
 * = a at every `frequency`-th update; frequency 0: if there was a call; at {w, a, count, w}. */
typedef struct gt_PairJob {
    int32_t type; /* a gt_LoopType: float32 or float64 */
    int64_t size, accumulation, frequency;
    double momentum;
} gt_PairJob;

#endif
