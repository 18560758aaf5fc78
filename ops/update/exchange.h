/* An operation that hands numbers to a function and takes them back changed: how what other processes have comes into a step, in a plan
 * too. Not installed. */
#ifndef GT_OPS_UPDATE_EXCHANGE_H
#define GT_OPS_UPDATE_EXCHANGE_H

#include "core/object.h"
#include "ops/update/update.h"

/* Changes the elements where they lie. Its error is that of the step. */
typedef gt_Status gt_ExchangeFunction(void *user, gt_DType dtype, void *elements, int64_t count);

/* What the operation calls. Held once by its maker; freed before the plans that name it, it makes these fail. */
typedef struct gt_Exchange {
    gt_Object object;
    gt_ExchangeFunction *function;
    void *user;
} gt_Exchange;
gt_Exchange *gt_exchange_new(gt_Context *context, gt_ExchangeFunction *function, void *user);

#define gt_exchange_OPTIONS(F, S)                                                                  \
    F(S, int64_t, identity, 0, "of the gt_Exchange; 0: none, and the numbers stay as they are")
GT_OPTIONS(gt_exchange_options, gt_exchange_OPTIONS);
/* What the function makes of the numbers. It is called once for each time that a step runs. */
gt_Tensor *gt_exchange(gt_Exchange *exchange, gt_Tensor *x);

#endif
