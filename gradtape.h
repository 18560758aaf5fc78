/* gradtape: layers, a gradient tape and optimizers in plain C. This header includes every public one,
 * room by room. */
#ifndef GT_GRADTAPE_H
#define GT_GRADTAPE_H

#include "core/context.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/export.h"
#include "core/keyword.h"
#include "core/operation.h"
#include "core/shape.h"
#include "core/tape.h"
#include "core/tensor.h"
#include "core/variable.h"

#endif
