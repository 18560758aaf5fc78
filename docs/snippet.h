/* The prelude of a fragment of code in the documentation (see CONTRIBUTING.md): what it may use without
 * saying so. */
#ifndef GT_DOCS_SNIPPET_H
#define GT_DOCS_SNIPPET_H

#include <gradtape.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the program of a fragment returns: an error that is still pending fails it. A fragment that shows an
 * error ends with gt_error_clear(). */
static inline int snippet_end(void)
{
    int failed = gt_status() != GT_OK;
    if (failed)
        fprintf(stderr, "%s\n", gt_error_message());
    gt_context_free(NULL);
    return failed;
}

#endif
