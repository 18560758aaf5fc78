/* For rooms that still reach into core's structs; goes when none does. */
#ifndef GT_CORE_INTERNAL_H
#define GT_CORE_INTERNAL_H

#include "core/structs.h"

#endif
