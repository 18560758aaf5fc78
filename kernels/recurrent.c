/* LSTMs and GRUs over whole sequences. The rows of a batch never meet, so a worker takes some of them through all steps: at
 * each step one product of their states with the recurrent kernel, then the cell, row by row (once/recurrent.c). Leans on
 * functions.h and sequence.h.
 *
 * The order of the sums of every product is gt_gemm's, in which an element depends on its row alone; everything else is
 * element by element. So any cut of the batch into tiles gives the same bits, and those of the composition of operations. */
#include "functions.h"
#include "sequence.h"

#define GT_T          float
#define GT_TYPE       GT_LOOP_F32
#define GT_NAME(name) name##_f32
#if GT_WIDE /* of doubles it takes more room than it is worth */
typedef __mmask16 Lanes_f32;
#define GT_V       __m512
#define GT_W(name) _mm512_##name##_ps
#endif
#include "recurrent_template.h"

#define GT_T          double
#define GT_TYPE       GT_LOOP_F64
#define GT_NAME(name) name##_f64
#include "recurrent_template.h"

#define LOOPS(type)                                                                                \
    {                                                                                              \
        sums_##type, lstm_gates_##type, lstm_states_##type, lstm_slopes_##type, add_rows_##type,   \
            gru_states_##type, gru_slopes_##type                                                   \
    }
static const gt_SequenceLoops loops[2] = {LOOPS(f32), LOOPS(f64)};

/* Step by step, with p = h r as gt_gemm, 0 before the first step if there is no h0: z = (x + bias) + p in each gate; i, f, o =
 * sigmoid(z), g = tanh(z); c = f c + i g, the two products rounded, then the sum; h = o tanh(c). Where the mask is false, h and c
 * stay. */
void GT_KERNEL(tiles_lstm)(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch)
{
    gt_walk_lstm(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}

/* From the last step to the first, with dh = what arrives at this h + (d of the step after) r' as gt_gemm:
 * dc = (what arrives at this c + dc of the step after) + (dh o) (1 - tanh(c)^2); of the gates, each sum with what arrives
 * there: o gets dh tanh(c), i dc g, f dc c of the step before, g dc i; d is that times the slopes o (1 - o), 1 - g^2; then dc
 * becomes dc f. Where the mask is false, dh and dc pass to the step before as they are. sums of a tile: to 0 the d of each step are
 * added, the last step first, of four rows (0 + 1) + (2 + 3) at a time, of those left over one by one. */
void GT_KERNEL(tiles_lstm_gradient)(const void *job, void *const *at, int64_t first, int64_t last,
                                    void *scratch)
{
    gt_walk_lstm_gradient(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}

/* Step by step, with p = h r as gt_gemm, 0 before the first step if there is no h0, b and d the rows of bias: z and r are sigmoids
 * of (x + b) + (p + d), q = p + d, g = tanh((x + b) + r q), h = g + z (h - g). Where the mask is false, h stays. */
void GT_KERNEL(tiles_gru)(const void *job, void *const *at, int64_t first, int64_t last,
                          void *scratch)
{
    gt_walk_gru(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}

/* From the last step to the first, with dh = what arrives at this h + (dh z of the step after + (dp of it) r' as gt_gemm);
 * of the gates, each sum with what arrives there: z gets dh (h - g), g dh (1 - z), then with dg that times 1 - g^2 r gets dg q and
 * q dg r; z and r times their slopes z (1 - z). Where the mask is false, dh passes to the step before as it is. */
void GT_KERNEL(tiles_gru_gradient)(const void *job, void *const *at, int64_t first, int64_t last,
                                   void *scratch)
{
    gt_walk_gru_gradient(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}
