/* Lambda: any function of tensors as a layer, without weights. */
#ifndef GT_LAYERS_CORE_LAMBDA_H
#define GT_LAYERS_CORE_LAMBDA_H

#include "layers/layer.h"

GT_BEGIN

/* Any function of tensors, without weights. */
typedef gt_Tensor *(*gt_LambdaFunction)(void *context, const gt_CallArgs *in);
#define gt_Lambda_OPTIONS(F, S)                                                                    \
    F(S, gt_LambdaFunction, function, NULL, "what it computes; required")                          \
    F(S, void *, context, NULL, "handed to the function")                                          \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Lambda_options, gt_Lambda_OPTIONS);
/* gt_Lambda(function, .context = numbers) */
#define gt_Lambda(...) gt_Lambda_at(GT_HERE, GT_KEYWORDS_1(gt_Lambda, function, __VA_ARGS__))
GT_API gt_Layer *gt_Lambda_at(const char *here, const gt_Lambda_options *options);

GT_END

#endif
