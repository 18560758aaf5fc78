/* Errors as values. The first failure stays pending in the context until gt_error_clear(): functions
 * that are called meanwhile return NULL or the pending status and change nothing, so a whole expression
 * or a whole training step is checked once. The library never aborts, exits or prints. */
#ifndef GT_CORE_ERROR_H
#define GT_CORE_ERROR_H

#include "core/export.h"

GT_BEGIN

/* How a call ended: GT_OK, or the kind of the error that is pending. */
typedef enum gt_Status {
    GT_OK = 0,
    GT_INVALID = 1,   /* an argument is wrong: NULL, shape, dtype, axis, range, option */
    GT_NO_MEMORY = 2, /* an allocation failed */
    GT_STALE = 3,     /* a handle after its scope, or an object after it was freed */
    GT_STATE = 4, /* right call, wrong moment: calls out of order, a locked layer, a used tape */
    GT_NO_GRADIENT = 5, /* there is no gradient here; gt_explain_gradient says why */
    GT_IO = 6,          /* a file cannot be opened, read or written */
    GT_FORMAT = 7,      /* a file is not what it says it is */
    GT_UNSUPPORTED = 8, /* understood, but this build or this operation cannot do it */
    GT_INTERRUPTED = 9, /* the interrupt callback said stop */
    GT_NUMERIC = 10     /* a value that is not allowed: see the message */
} gt_Status;

/* The pending status of the current context, GT_OK if none. */
GT_API gt_Status gt_status(void);
/* Its message: "mlp.c:42: matmul: inner dimensions differ: (32, 784) x (700, 10), in
 * model/dense_1". Empty if nothing is pending. Valid until the next call on this context. */
GT_API const char *gt_error_message(void);
/* Forgets the pending error. */
GT_API void gt_error_clear(void);
/* The status as a word, "invalid argument" and so on. Static storage. */
GT_API const char *gt_status_text(gt_Status status);
/* Raises an error from a user's own layer or operation, printf-style; returns `status`. Keeps the
 * first error if one is pending. */
GT_API gt_Status gt_fail(gt_Status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

GT_END

#endif
