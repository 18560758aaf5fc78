/* What other rooms of the library know of an optimizer. Private to the library. */
#ifndef GT_OPTIM_INTERNAL_H
#define GT_OPTIM_INTERNAL_H

#include "core/object.h"

extern const gt_ObjectKind gt_optimizer_kind;

#endif
