/* Warnings: what is allowed, and seldom meant. They change no result and print nothing. The context keeps the first 64,
 * each once for a call site and a kind; a function may hear of them as they come. */
#ifndef GT_CORE_WARNING_H
#define GT_CORE_WARNING_H

#include "core/error.h"

#include <stdint.h>

GT_BEGIN

/* "mlp.c:42: flatten: the mask of its input is dropped, in model/flatten". They live until gt_warnings_clear. */
typedef struct gt_Warnings {
    const char *const *items;
    int32_t count;
} gt_Warnings;
/* The warnings so far, of the current context. */
GT_API gt_Warnings gt_warnings(void);
/* Forgets them: the next of the same kind at the same place is heard again. */
GT_API void gt_warnings_clear(void);

/* Called with each new warning, on the thread that caused it; NULL: nobody is. It must not call the library. */
typedef void (*gt_WarningFunction)(void *user, const char *message);
GT_API void gt_set_warning(gt_WarningFunction function, void *user);

GT_END

#endif
