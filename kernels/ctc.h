/* Jobs of connectionist temporal classification: ctc.c, once/ctc.c. Included by kernels.h. */
#ifndef GT_KERNELS_CTC_H
#define GT_KERNELS_CTC_H

#include <stdbool.h>
#include <stdint.h>

/* ctc_states, its check: at {target (batch, labels), target_length (batch), output_length (batch);
 * classes (batch, n) int32, skips (batch, n) bool, ends (batch, n) bool}, n = 2 labels + 1. A tile
 * is a row; the check gives the first bad one. */
typedef struct gt_CtcStatesJob {
    uint8_t type[3]; /* gt_LoopTypes of the inputs: I32, I64 or U8 */
    int64_t labels, classes, steps, blank;
} gt_CtcStatesJob;

/* ctc_forward: at {start (batch, n), e (batch, steps, n), skips (batch, n); y (batch, steps + 1,
 * n)}, scratch 3 n elements. band_recurrence: at {b (batch, steps + 1, n), w0, w1, w2 (batch,
 * steps, n); y (batch, steps + 1, n)}. A tile is `group` rows. */
typedef struct gt_LatticeJob {
    uint8_t type; /* GT_LOOP_F32 or GT_LOOP_F64 */
    bool reverse; /* of band_recurrence */
    int64_t batch, steps, states, group;
} gt_LatticeJob;

/* Each of `batch` lengths must be in [0, most]; at[input]. A tile is one; the check gives the first
 * bad one. */
typedef struct gt_LengthsJob {
    uint8_t type; /* I32, I64 or U8 */
    int32_t input;
    int64_t most;
} gt_LengthsJob;

/* ctc_decode: at {x (batch, steps, classes), lengths (batch); labels (paths, batch, steps) int32,
 * scores (batch, paths); of a beam search log_softmax(x) as a temporary}. A tile is a row. */
typedef struct gt_CtcDecodeJob {
    uint8_t type, length_type; /* F32 or F64; I32, I64 or U8 */
    bool merge_repeated;       /* greedy */
    int64_t batch, steps, classes, blank;
    int64_t paths, width; /* width 0: greedy */
} gt_CtcDecodeJob;

/* Bytes of scratch memory of a beam search. */
size_t gt_ctc_decode_scratch(const gt_CtcDecodeJob *job);

#endif
