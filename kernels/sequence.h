/* The steps of an LSTM and of a GRU for one row of n units, and the walk over rows and steps, once/recurrent.c, that calls
 * them. Leans on kernels.h. */
#ifndef GT_KERNELS_SEQUENCE_H
#define GT_KERNELS_SEQUENCE_H

#include "kernels/kernels.h"

/* Gates (4 n) lie one behind the other: i, f, g, o of an LSTM; z, r, g, q of a GRU. */
typedef struct gt_SequenceLoops {
    /* z = (x + b) + p. z may be x. */
    void (*sums)(int64_t n, const void *x, const void *b, const void *p, void *z);
    /* Gates of (x + b) + p, each 4 n. They may be x. */
    void (*lstm_gates)(int64_t n, const void *x, const void *b, const void *p, void *gates);
    /* c = f c + i g, both products rounded; h = o tanh(c); and to_c and to_h, which are elsewhere, the same. */
    void (*lstm_states)(int64_t n, const void *gates, void *c, void *h, void *to_c, void *to_h);
    /* t: tanh of the step's c; before: c of the step before; up (4 n): what arrives at the gates; dh: of h; dc: of c, becomes that
     * of the c before. d and dx (4 n): of the sums of the gates; dx may be the gates. */
    void (*lstm_slopes)(int64_t n, const void *gates, const void *before, const void *t,
                        const void *up, const void *dh, void *dc, void *d, void *dx);
    /* sum += d[0] + d[1] + ... of `rows` rows, four of them at a time, (0 + 1) + (2 + 3), those left over one by one. */
    void (*add_rows)(int64_t n, int64_t rows, const void *d, void *sum);
    /* next = g + z (h - g). `next` may be h. */
    void (*gru_states)(int64_t n, const void *gates, const void *h, void *next);
    /* h: of the step before; up (4 n) as above; dh: of the h of this step, becomes a part of that of the one before. dx (3 n): of
     * the sums of the gates; dp (3 n): of the product. */
    void (*gru_slopes)(int64_t n, const void *gates, const void *h, const void *up, void *dh,
                       void *dx, void *dp);
} gt_SequenceLoops;

/* Rows of tiles [first, last); `loops` by element type. */
typedef void gt_SequenceWalk(const gt_KernelTable *kernels, const gt_SequenceLoops *loops,
                             const gt_SequenceJob *job, void *const *at, int64_t first,
                             int64_t last, void *scratch);
gt_SequenceWalk gt_walk_lstm, gt_walk_lstm_gradient, gt_walk_gru, gt_walk_gru_gradient;

#endif
