/* Jobs of recurrent.c: an LSTM or a GRU over whole sequences, and their gradients. Included by kernels.h. */
#ifndef GT_KERNELS_RECURRENT_H
#define GT_KERNELS_RECURRENT_H

#include <stdint.h>

/* Arrays are (batch, time, ...); r, the recurrent kernel, is (units, gates units). A tile is `rows` rows of the batch, which never
 * meet, with all of their steps; up to `most` rows go through a step together. Absent inputs are NULL.
 *     lstm           at {x (4 units), r, bias, h0, c0, mask; gates (4 units), h, c, last h, last c}
 *     lstm_gradient  at {gates, c, r, c0, mask, up of gates, h, c, last h, last c; dx (4 units), dh0, dc0, sums (tiles, 4 units)}
 *     gru            at {x (3 units), r, bias (2, 3 units), h0, mask; gates (4 units), h, last h}
 *     gru_gradient   at {gates, h, r, h0, mask, up of gates, h, last h; dx (3 units), dp (3 units), dh0}
 * x is the product of the inputs with their kernel, `up` what arrives at an output of the operation, dp the gradient of the
 * product of the state with r; sums are those of dx over the rows of a tile and all steps. Ahead, product_pack may lay out r, or
 * r' of a gradient, in at[packed]. Scratch: GT_SEQUENCE_ROOM elements, then that of the products of most x units x gates units,
 * both ways round. */
typedef struct gt_SequenceJob {
    uint8_t type;      /* GT_LOOP_F32 or GT_LOOP_F64 */
    uint8_t backwards; /* from the last step to the first */
    uint8_t states;    /* of a gradient: dh0 and dc0 are wanted, else they become 0 */
    int8_t packed;     /* -1: r is read where it lies */
    int64_t batch, time, units, rows, most;
} gt_SequenceJob;

#define GT_SEQUENCE_ROOM(most, units) ((((most)*7 + 6) * (units) + 63) / 64 * 64)

#endif
