/* How good images of digits are that a program made up: the score of Salimans et al. (2016).
 *
 * A classifier that learned real digits says p(digit | image). The score is exp(mean KL(p(digit | image) || p(digit))):
 * 1 if no image can be told, or all are the same digit; 10 at most, if each is one digit without doubt and all digits come
 * up alike. Real images get 8.6 here. */
#ifndef JUDGE_H
#define JUDGE_H

#include "example.h"

static inline gt_Layer *train_judge(gt_Dataset *real)
{
    gt_Layer *judge =
        gt_Sequential(gt_Flatten(), gt_Dense(64, .activation = gt_relu), gt_Dense(10));
    gt_compile(judge, .optimizer = gt_Adam(3e-3),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(judge, real, .epochs = 15, .verbose = GT_VERBOSITY_SILENT);
    return judge;
}

static inline double score(gt_Layer *judge, gt_Tensor *images)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *p = gt_softmax(gt_call(judge, images));
    gt_Tensor *all = gt_mean(p, .axis = 0, .keepdims = true);
    gt_Tensor *ratio = gt_log(gt_divide(gt_add(p, 1e-12), gt_add(all, 1e-12)));
    double result = exp(gt_item(gt_mean(gt_sum(gt_multiply(p, ratio), .axis = -1))));
    gt_scope_end(scope);
    return result;
}

#endif
