/* What the other texts lean on. Sizes and indices are a type of their own, so that a small processor computes them in its
 * words. For each element type, before the texts: GT_REAL, GT_WORD (an unsigned integer as wide), GT_DOUBLE (1 or 0),
 * GT_P(name), which gives names their suffix, and GT_M(name), C's function for the type. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef GT_SIZE_TYPE
#define GT_SIZE_TYPE ptrdiff_t
#endif
typedef GT_SIZE_TYPE gt_size;

#ifndef GT_EMIT
#define GT_EMIT static
#endif
