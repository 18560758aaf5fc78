/* An LSTM and a GRU over whole sequences as one operation each, for the usual activations: tanh and sigmoid. Private to the
 * library. */
#ifndef GT_OPS_SEQUENCE_H
#define GT_OPS_SEQUENCE_H

#include "core/tensor.h"

typedef struct gt_Sequence {
    gt_Tensor *x; /* the inputs times the kernel, (batch, time, gates units) */
    gt_Tensor *recurrent, *bias, *h0, *c0,
        *mask; /* as gt_lstm and gt_gru accept them; NULL: absent */
    bool backwards;
    gt_Tensor *h;               /* made: (batch, time, units), in the order of x */
    gt_Tensor *last_h, *last_c; /* made: (batch, units) */
} gt_Sequence;

/* Fill in what is made. A step that the mask leaves out has the states of the step before. */
gt_Status gt_lstm_sequence(gt_Sequence *sequence);
gt_Status gt_gru_sequence(gt_Sequence *sequence); /* the reset gate acts after the product */

#endif
