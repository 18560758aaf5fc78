/* y[i] = f(x[i]), y[i] = f(a[i], b[i]): the loops that are one expression, and those of the functions above. An operand that
 * is repeated has a step of 0. y may be an operand. needs: prelude numbers exp log tanh sigmoid softplus gelu */
#define GT_UNARY_TEXTS(L)                                                                          \
    L(negative, -x)                                                                                \
    L(abs, GT_M(fabs)(x))                                                                          \
    L(sign, GT_M(fabs)(x) > 0 ? GT_M(copysign)(1, x) : x)                                          \
    L(square, x * x)                                                                               \
    L(sqrt, GT_M(sqrt)(x))                                                                         \
    L(rsqrt, 1 / GT_M(sqrt)(x))                                                                    \
    L(reciprocal, 1 / x)                                                                           \
    L(floor, GT_M(floor)(x))                                                                       \
    L(ceil, GT_M(ceil)(x))                                                                         \
    L(round, GT_M(rint)(x))                                                                        \
    L(trunc, GT_M(trunc)(x))                                                                       \
    L(relu, x <= 0 ? 0 : x)                                                                        \
    L(one_minus_square, (1 - x) * (1 + x))                                                         \
    L(exp, GT_P(exp)(x))                                                                           \
    L(log, GT_P(log)(x))                                                                           \
    L(log1p, GT_P(log1p)(x))                                                                       \
    L(tanh, GT_P(tanh)(x))                                                                         \
    L(sigmoid, GT_P(sigmoid)(x))                                                                   \
    L(softplus, GT_P(softplus)(x))                                                                 \
    L(gelu, GT_P(gelu)(x))
#define GT_BINARY_TEXTS(L)                                                                         \
    L(add, a + b)                                                                                  \
    L(subtract, a - b)                                                                             \
    L(multiply, a * b)                                                                             \
    L(divide, a / b)                                                                               \
    L(maximum, a > b || a != a ? a : b)                                                            \
    L(minimum, a < b || a != a ? a : b)                                                            \
    L(divide_no_nan, b == 0 ? 0 : a / b)                                                           \
    L(relu_gradient, b > 0 ? a : 0)                                                                \
    L(tanh_gradient, a * (1 - b * b))                                                              \
    L(sigmoid_gradient, a * b * (1 - b))

#define GT_UNARY_TEXT(name, expression)                                                            \
    GT_EMIT void GT_P(loop_##name)(gt_size n, const GT_REAL *from, GT_REAL *y)                     \
    {                                                                                              \
        for (gt_size i = 0; i < n; i++) {                                                          \
            const GT_REAL x = from[i];                                                             \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }
#define GT_BINARY_TEXT(name, expression)                                                           \
    GT_EMIT void GT_P(loop_##name)(gt_size n, const GT_REAL *left, gt_size sa,                     \
                                   const GT_REAL *right, gt_size sb, GT_REAL *y)                   \
    {                                                                                              \
        for (gt_size i = 0; i < n; i++) {                                                          \
            const GT_REAL a = left[i * sa], b = right[i * sb];                                     \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }
GT_UNARY_TEXTS(GT_UNARY_TEXT)
GT_BINARY_TEXTS(GT_BINARY_TEXT)
#undef GT_UNARY_TEXT
#undef GT_BINARY_TEXT
#undef GT_UNARY_TEXTS
#undef GT_BINARY_TEXTS
