/* Lists of any length, zeroed; one element more than asked for, so that an empty one has an address too. Private. */
#ifndef GT_OPS_CONTROL_LISTS_H
#define GT_OPS_CONTROL_LISTS_H

#include "core/inside.h"

/* NULL with an error raised on failure. */
static inline void *gt_list_new(gt_Context *context, int64_t count, size_t element)
{
    return gt_allocate_zeroed(context, (size_t)(count + 1) * element);
}

static inline void gt_list_free(gt_Context *context, void *list, int64_t count, size_t element)
{
    gt_release(context, list, (size_t)(count + 1) * element);
}

#endif
