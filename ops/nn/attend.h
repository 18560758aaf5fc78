/* Dot-product attention with heads as one operation. Private to the library. */
#ifndef GT_OPS_ATTEND_H
#define GT_OPS_ATTEND_H

#include "core/tensor.h"

/* query (batch, queries, heads, width), key and value (batch, keys, key heads, width) of float32 or float64, of which key heads
 * divide heads; mask, NULL or of bools, broadcasts to (batch, heads, queries, keys). The result is (batch, queries, heads, width
 * of the values). */
gt_Tensor *gt_attend(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value, gt_Tensor *mask,
                     bool is_causal, double scale);

#endif
