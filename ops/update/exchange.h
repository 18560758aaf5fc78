/* An operation that hands the numbers of a variable to a function and back: how what other processes have comes into a step,
 * in a plan too. Not installed. */
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
    F(S, uint64_t, identity, 0, "of the gt_Exchange; 0: none, and the variable stays as it is")
GT_OPTIONS(gt_exchange_options, gt_exchange_OPTIONS);
/* The variable is what the function makes of it. */
gt_Status gt_exchange(gt_Exchange *exchange, gt_Variable *variable);

#endif
