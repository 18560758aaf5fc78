/* exp, tanh and sigmoid of functions_template.h for a vector of 512 bits, GT_V: included there, once for each element type; not a
 * header. The same operations in the same order, so the same bits; but a bound is one instruction here, and so is a power of two,
 * which rounds once as the two halves do. Of plain loops gcc 12 makes seven and ten, and exp takes twice as long. */

#define GT_SET(c)        GT_W(set1)(c)
#define GT_WIDE_FIRST(c) GT_V p = GT_SET(c);
#define GT_WIDE_NEXT(c)  p = GT_W(fmadd)(p, x, GT_SET(c));

GT_INLINE GT_V GT_NAME(wide_series_exp)(GT_V x)
{
    GT_WIDE_EXP(GT_WIDE_FIRST, GT_WIDE_NEXT)
    return p;
}

GT_INLINE GT_V GT_NAME(wide_series_tanh)(GT_V x)
{
    GT_WIDE_TANH(GT_WIDE_FIRST, GT_WIDE_NEXT)
    return p;
}

/* exp x = 2^k p. */
typedef struct GT_NAME(WideExp) {
    GT_V p, k;
} GT_NAME(WideExp);

GT_INLINE GT_NAME(WideExp) GT_NAME(wide_exp_parts)(GT_V x)
{
    const GT_V ln2_low = GT_SET(GT_LN2_LOW), rounder = GT_SET(GT_ROUNDER);
    GT_V n = GT_W(sub)(GT_W(fmadd)(x, GT_SET(GT_LOG2_E), rounder), rounder);
    GT_V high = GT_W(fnmadd)(n, GT_SET(GT_LN2_HIGH), x);
    GT_V r = GT_W(fnmadd)(n, ln2_low, high);
    GT_V low = GT_W(fnmadd)(n, ln2_low, GT_W(sub)(high, r));
    GT_V p = GT_W(fmadd)(GT_W(mul)(r, r), GT_NAME(wide_series_exp)(r), low);
    return (GT_NAME(WideExp)){GT_W(add)(GT_SET(1), GT_W(add)(r, p)), n};
}

/* A NaN is the second operand of min and max, which is the one that they give then. */
GT_INLINE GT_V GT_NAME(wide_exp)(GT_V x)
{
    x = GT_W(max)(GT_SET(GT_EXP_LOWEST), GT_W(min)(GT_SET(GT_EXP_HIGHEST), x));
    GT_NAME(WideExp) e = GT_NAME(wide_exp_parts)(x);
    return GT_W(scalef)(e.p, e.k);
}

GT_INLINE GT_V GT_NAME(wide_tanh)(GT_V x)
{
    const GT_V sign = GT_SET((GT_T)-0.0), one = GT_SET(1);
    GT_V a = GT_W(andnot)(sign, x);
    GT_V z = GT_W(mul)(a, a);
    GT_V small = GT_W(fmadd)(GT_W(mul)(a, z), GT_NAME(wide_series_tanh)(z), a);
    GT_NAME(WideExp) e = GT_NAME(wide_exp_parts)(GT_W(min)(GT_SET(80), GT_W(add)(a, a)));
    GT_V sum = GT_W(fmadd)(e.p, GT_W(scalef)(one, e.k), one);
    GT_V large = GT_W(sub)(one, GT_W(div)(GT_SET(2), sum));
    GT_V size = GT_W(mask_mov)(large, GT_W_MASK(cmp)(a, GT_SET((GT_T)0.55), _CMP_LT_OQ), small);
    return GT_W(or)(GT_W(andnot)(sign, size), GT_W(and)(sign, x));
}

GT_INLINE GT_V GT_NAME(wide_sigmoid)(GT_V x)
{
    const GT_V sign = GT_SET((GT_T)-0.0), one = GT_SET(1);
    GT_V a = GT_W(max)(GT_SET(GT_EXP_LOWEST), GT_W(or)(sign, x));
    GT_NAME(WideExp) parts = GT_NAME(wide_exp_parts)(a);
    GT_V e = GT_W(scalef)(parts.p, parts.k);
    GT_V sum = GT_W(add)(one, e);
    GT_V low = GT_W(sub)(e, GT_W(sub)(sum, one));
    const GT_WIDE_MASK negative = GT_WIDE_NEGATIVE(x);
    GT_V y = GT_W(div)(GT_W(mask_mov)(one, negative, e), sum);
    GT_V inverse = GT_W(mask_sub)(y, negative, one, y);
    return GT_W(fnmadd)(GT_W(mul)(y, low), inverse, y);
}

#undef GT_V
#undef GT_W
#undef GT_W_MASK
#undef GT_SET
#undef GT_WIDE_EXP
#undef GT_WIDE_TANH
#undef GT_WIDE_FIRST
#undef GT_WIDE_NEXT
#undef GT_WIDE_MASK
#undef GT_WIDE_NEGATIVE
