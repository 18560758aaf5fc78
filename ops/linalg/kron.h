/* The Kronecker product. */
#ifndef GT_OPS_KRON_H
#define GT_OPS_KRON_H

#include "core/tensor.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* Every element of a times the whole of b, in place: (a1, a2, ...) and (b1, b2, ...) give (a1 b1, a2 b2, ...), at most
 * 4 axes. The shorter shape gets leading ones; b may be a C number. */
GT_DECLARE_BINARY(kron);
#define gt_kron(a, b) gt_kron_at(GT_HERE, a, gt_operand(b))

GT_END

#endif
