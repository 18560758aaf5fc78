/* Complex arithmetic on pairs of tensors: functions of ops/math/fourier.h that are made of real operations. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/pair.h"

#include <stdio.h>

/* ---- pairs ---- */

gt_Complex gt_pair(gt_Tensor *real, gt_Tensor *imag)
{
    return gt_status() == GT_OK ? (gt_Complex){real, imag} : (gt_Complex){NULL, NULL};
}

gt_Status gt_pair_check(const gt_Spec *real, const gt_Spec *imag)
{
    char a[200], b[200];
    if (!gt_takes(real, GT_TAKES_FLOAT))
        return gt_status();
    if (!gt_spec_equal(real, imag))
        return gt_fail(GT_INVALID,
                       "the real and the imaginary part must have one shape and dtype (got %s, %s)",
                       gt_spec_text(real, a, sizeof a), gt_spec_text(imag, b, sizeof b));
    return GT_OK;
}

bool gt_pair_spec(gt_Complex z, gt_Spec *spec)
{
    *spec = gt_spec(z.real);
    gt_Spec imag = gt_spec(z.imag);
    return gt_status() == GT_OK && gt_pair_check(spec, &imag) == GT_OK;
}

gt_Tensor *gt_resized_last(gt_Tensor *x, int64_t length)
{
    gt_Shape after = {.mark = GT_MARK, .rank = gt_rank(x)}, before = after;
    if (after.rank < 1)
        return NULL;
    int64_t now = gt_last(gt_tensor_shape(x));
    char range[32];
    snprintf(range, sizeof range, ":%lld", (long long)length);
    if (now >= length)
        return now == length ? x : gt_item_along(x, -1, range);
    after.dims[after.rank - 1] = length - now;
    return gt_pad(x, before, after);
}

/* ---- arithmetic ---- */

static gt_Complex complex_of(gt_Tensor *real, gt_Operand imag)
{
    gt_Complex z = {real, gt_operand_is_number(imag) ? gt_full_like(real, imag.number) : imag.tensor};
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? z : gt_pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, complex, complex_of,
               (const char *here, gt_Tensor *real, gt_Operand imag), (real, imag))

static gt_Complex conjugate(gt_Complex z)
{
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? gt_pair(z.real, gt_negative(z.imag)) : gt_pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, conj, conjugate, (const char *here, gt_Complex z), (z))

static gt_Complex complex_multiply(gt_Complex a, gt_Complex b)
{
    gt_Spec spec;
    if (!gt_pair_spec(a, &spec) || !gt_pair_spec(b, &spec))
        return gt_pair(NULL, NULL);
    gt_Tensor *real = gt_subtract(gt_multiply(a.real, b.real), gt_multiply(a.imag, b.imag));
    gt_Tensor *imag = gt_add(gt_multiply(a.real, b.imag), gt_multiply(a.imag, b.real));
    return gt_pair(real, imag);
}
GT_COMPOSED_BY(gt_Complex, complex_multiply, complex_multiply,
               (const char *here, gt_Complex a, gt_Complex b), (a, b))

/* a b* / |b|^2, both relative to the larger part of b, whose square may be beyond the type. The
 * result does not depend on what they are relative to, hence no gradient goes there. */
static gt_Complex complex_divide(gt_Complex a, gt_Complex b)
{
    gt_Spec spec;
    if (!gt_pair_spec(a, &spec) || !gt_pair_spec(b, &spec))
        return gt_pair(NULL, NULL);
    gt_Tensor *size = gt_stop_gradient(gt_maximum(gt_abs(b.real), gt_abs(b.imag)));
    size = gt_where(gt_logical_and(gt_greater(size, 0), gt_isfinite(size)), size, 1);
    a = gt_pair(gt_divide(a.real, size), gt_divide(a.imag, size));
    b = gt_pair(gt_divide(b.real, size), gt_divide(b.imag, size));
    gt_Complex product = complex_multiply(a, conjugate(b));
    gt_Tensor *square = gt_add(gt_square(b.real), gt_square(b.imag));
    return gt_pair(gt_divide(product.real, square), gt_divide(product.imag, square));
}
GT_COMPOSED_BY(gt_Complex, complex_divide, complex_divide,
               (const char *here, gt_Complex a, gt_Complex b), (a, b))

static gt_Tensor *complex_abs(gt_Complex z)
{
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? gt_hypot(z.real, z.imag) : NULL;
}
GT_COMPOSED(complex_abs, (const char *here, gt_Complex z), (z))

static gt_Tensor *angle(gt_Complex z)
{
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? gt_arctan2(z.imag, z.real) : NULL;
}
GT_COMPOSED(angle, (const char *here, gt_Complex z), (z))

static gt_Complex view_as_complex(gt_Tensor *x)
{
    gt_Shape shape = gt_tensor_shape(x);
    char text[160];
    if (gt_status() == GT_OK && gt_last(shape) != 2)
        gt_fail(GT_INVALID, "the last axis must have size 2, real and imaginary part (got %s)",
                gt_shape_text(shape, text, sizeof text));
    if (gt_status() != GT_OK)
        return gt_pair(NULL, NULL);
    gt_Complex z = {gt_item_along(x, -1, "0"), gt_item_along(x, -1, "1")};
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? z : gt_pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, view_as_complex, view_as_complex, (const char *here, gt_Tensor *x), (x))

static gt_Tensor *view_as_real(gt_Complex z)
{
    gt_Spec spec;
    return gt_pair_spec(z, &spec) ? gt_stack(gt_tensors(z.real, z.imag), .axis = -1) : NULL;
}
GT_COMPOSED(view_as_real, (const char *here, gt_Complex z), (z))
