/* gradtape: layers, a gradient tape and optimizers in plain C. This header includes every public one,
 * room by room. */
#ifndef GT_GRADTAPE_H
#define GT_GRADTAPE_H

#include "core/export.h"
#include "core/version.h"

#endif
