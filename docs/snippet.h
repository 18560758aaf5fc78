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

/* What the program of a fragment returns. */
static inline int snippet_end(void)
{
    return 0;
}

#endif
