/* The loop over the time axis behind gt_rnn, gt_lstm, gt_gru and gt_simple_rnn. Private to the library. */
#ifndef GT_OPS_RNN_H
#define GT_OPS_RNN_H

#include "core/body.h"
#include "core/tensor.h"

typedef struct gt_RNN {
    gt_FunctionBody cell; /* (x_t, states...) -> (output, states...) */
    void *context;
    gt_Tensor *x;      /* (time, batch, ...) */
    gt_Tensor *mask;   /* (batch, time), bool; NULL: every step counts */
    gt_Tensors states; /* before the first step */
    gt_Tensor **last;  /* gets the states after the last step; may be NULL */
    gt_Tensor *before; /* zeros like the output, where the caller has them; else NULL */
    bool output_is_h;  /* the output is the first state */
    bool starts_at_0;  /* and that is 0 before the first step */
    bool sequences, backwards, zero, unroll;
    bool carried; /* for the loop: the output before is a loop variable */
} gt_RNN;

/* All steps: the last output, or those of all steps, (batch, time, ...), in the order in which they were computed. */
gt_Tensor *gt_rnn_run(gt_RNN *rnn);
/* A mask that is there must be bool (batch, time), as x is; raises the error. */
gt_Status gt_rnn_mask(gt_Tensor *mask, const gt_Spec *x);

#endif
