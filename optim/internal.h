/* Optimizers as other rooms of the library know them. Not installed. */
#ifndef GT_OPTIM_INTERNAL_H
#define GT_OPTIM_INTERNAL_H

#include "core/object.h"
#include "optim/optimizer.h"

extern const gt_ObjectKind gt_optimizer_kind;

/* gt_optimizer_new of a built-in class; `function` is what messages say: "Adam" for gt_Adam. */
gt_Optimizer *gt_optimizer_make(const char *here, const char *function,
                                const gt_OptimizerClass *kind, const void *options);

#endif
