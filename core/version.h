/* The version of the header, and of the library that is running. */
#ifndef GT_CORE_VERSION_H
#define GT_CORE_VERSION_H

#include "core/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GT_VERSION "0.1.0"

/* The version of the library that the program runs with; GT_VERSION is the one it was compiled
 * with. */
GT_API const char *gt_version(void);

#ifdef __cplusplus
}
#endif

#endif
