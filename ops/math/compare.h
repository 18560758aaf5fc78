/* Comparisons and logic, element by element with broadcasting, into bool; and choosing by a
 * condition. Operands are brought to one type as in ops/math/arithmetic.h. Bools have no gradient. */
#ifndef GT_OPS_COMPARE_H
#define GT_OPS_COMPARE_H

#include "core/keyword.h"
#include "ops/math/arithmetic.h"

GT_BEGIN

/* a == b, a != b, a < b, a <= b, a > b, a >= b, as bool. The second operand may be a C number. NaN equals nothing and
 * is neither less nor greater. */
GT_DECLARE_BINARY(equal);
#define gt_equal(a, b) gt_equal_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(not_equal);
#define gt_not_equal(a, b) gt_not_equal_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(less);
#define gt_less(a, b) gt_less_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(less_equal);
#define gt_less_equal(a, b) gt_less_equal_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(greater);
#define gt_greater(a, b) gt_greater_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(greater_equal);
#define gt_greater_equal(a, b) gt_greater_equal_at(GT_HERE, a, gt_operand(b))

/* Both, one or both, exactly one, not: as bool. Numbers count as x != 0. The second operand may be a C
 * number or bool. */
GT_DECLARE_BINARY(logical_and);
#define gt_logical_and(a, b) gt_logical_and_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(logical_or);
#define gt_logical_or(a, b) gt_logical_or_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_BINARY(logical_xor);
#define gt_logical_xor(a, b) gt_logical_xor_at(GT_HERE, a, gt_operand(b))
GT_DECLARE_UNARY(logical_not);
#define gt_logical_not(x) gt_logical_not_at(GT_HERE, x)

/* Is it NaN, infinite, neither of both? Of floats. */
GT_DECLARE_UNARY(isnan);
#define gt_isnan(x) gt_isnan_at(GT_HERE, x)
GT_DECLARE_UNARY(isinf);
#define gt_isinf(x) gt_isinf_at(GT_HERE, x)
GT_DECLARE_UNARY(isfinite);
#define gt_isfinite(x) gt_isfinite_at(GT_HERE, x)

/* a where the condition holds, else b; all three broadcast together. A condition of numbers counts
 * as x != 0; b may be a C number. The gradient goes to what was chosen; the other gets 0. Beware:
 * if the slope of what was not chosen is infinite or NaN, 0 times it is NaN; make its argument
 * harmless too: gt_where(gt_greater(x, 0), gt_sqrt(gt_where(gt_greater(x, 0), x, 1)), 0). */
#define gt_where(condition, a, b) gt_where_at(GT_HERE, condition, a, gt_operand(b))
GT_API gt_Tensor *gt_where_at(const char *here, gt_Tensor *condition, gt_Tensor *a, gt_Operand b);
GT_API gt_Tensor *(gt_where)(gt_Tensor *condition, gt_Tensor *a, gt_Tensor *b);

/* Of floats and integers: is it below 0, or -0? NaN is not. */
GT_DECLARE_UNARY(signbit);
#define gt_signbit(x) gt_signbit_at(GT_HERE, x)

#define gt_isclose_OPTIONS(F, S)                                                                   \
    F(S, double, rtol, 1e-5, "how far a may be from b, in units of |b|")                           \
    F(S, double, atol, 1e-8, "and beyond that")                                                    \
    F(S, bool, equal_nan, false, "is NaN close to NaN?")
GT_OPTIONS(gt_isclose_options, gt_isclose_OPTIONS);
typedef gt_isclose_options gt_allclose_options;
#define GT_CLOSE_(function, a, ...)                                                                \
    function(GT_HERE, a, gt_operand(GT_FIRST(__VA_ARGS__)),                                        \
             GT_KEYWORDS(gt_isclose, GT_AFTER_1(__VA_ARGS__)))
/* |a - b| <= atol + rtol |b|, or equal infinities; as a whole (gt_allclose). b may be a C number.
 */
#define gt_isclose(a, ...) GT_CLOSE_(gt_isclose_at, a, __VA_ARGS__)
GT_API gt_Tensor *gt_isclose_at(const char *here, gt_Tensor *a, gt_Operand b,
                                const gt_isclose_options *options);
#define gt_allclose(a, ...) GT_CLOSE_(gt_allclose_at, a, __VA_ARGS__)
GT_API gt_Tensor *gt_allclose_at(const char *here, gt_Tensor *a, gt_Operand b,
                                 const gt_isclose_options *options);

GT_END

#endif
