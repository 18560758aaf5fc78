/* The 35 problems of J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization software, ACM Transactions
 * on Mathematical Software 7 (1981), as operations: residuals of a vector x (n). Starts, sizes, published minima and derivatives that
 * JAX computed stand in oracle/mgh.inc. For test_mgh.c and bench/mgh.c. */
#ifndef GT_TESTS_MGH_H
#define GT_TESTS_MGH_H

#include <math.h>
#include <string.h>

#include "../gradtape.h"
#include "oracle/mgh.inc"

typedef gt_Tensor *V;

static inline V mgh_vector(const double *values, int count)
{
    return gt_from_data(values, gt_shape(count), GT_FLOAT64);
}
/* first + step k, k = 0 ... count - 1 */
static inline V mgh_ramp(double first, double step, int count)
{
    return gt_add(gt_multiply(gt_cast(gt_arange(0, count, 1), GT_FLOAT64), step), first);
}
static inline V mgh_number(double value)
{
    return gt_scalar(value, GT_FLOAT64);
}
/* `count` elements from `first` on, counted from 0. */
static inline V mgh_part(V x, int64_t first, int64_t count)
{
    return gt_slice(x, gt_shape(first), gt_shape(count));
}
static inline V mgh_element(V x, int64_t i) /* from 1, as the paper counts */
{
    return gt_reshape(mgh_part(x, i - 1, 1), gt_shape());
}
/* Every second, fourth element. */
static inline V mgh_column(V x, int64_t n, int64_t step, int64_t column)
{
    V rows = gt_reshape(x, gt_shape(n / step, step));
    return gt_reshape(gt_slice(rows, gt_shape(0, column), gt_shape(n / step, 1)), gt_shape(-1));
}
static inline V mgh_joined(gt_Tensors parts)
{
    gt_Tensor *flat[8];
    for (int i = 0; i < parts.count; i++)
        flat[i] = gt_reshape(parts.items[i], gt_shape(-1));
    return gt_concatenate(((gt_Tensors){flat, parts.count}));
}

#define X(i)      mgh_element(x, i)
#define C(c)      mgh_number(c)
#define MUL(a, b) gt_multiply(a, b)
#define ADD(a, b) gt_add(a, b)
#define SUB(a, b) gt_subtract(a, b)
#define DIV(a, b) gt_divide(a, b)
#define SQ(a)     gt_square(a)
#define EXP(a)    gt_exp(a)
#define NEG(a)    gt_negative(a)
#define R(...)    mgh_joined(gt_tensors(__VA_ARGS__))

/* exp(-t k) */
static inline V mgh_decay(V t, V k)
{
    return EXP(NEG(MUL(t, k)));
}

static inline V mgh_residual_of(int number, V x, int n, int m)
{
    switch (number) {
    case 1: /* Rosenbrock */
        return R(MUL(SUB(X(2), SQ(X(1))), 10), SUB(C(1), X(1)));
    case 2: /* Freudenstein and Roth */
        return R(ADD(SUB(X(1), C(13)), MUL(SUB(MUL(SUB(C(5), X(2)), X(2)), C(2)), X(2))),
                 ADD(SUB(X(1), C(29)), MUL(SUB(MUL(ADD(X(2), 1), X(2)), C(14)), X(2))));
    case 3: /* Powell badly scaled */
        return R(SUB(MUL(MUL(X(1), X(2)), 1e4), C(1)),
                 SUB(ADD(EXP(NEG(X(1))), EXP(NEG(X(2)))), C(1.0001)));
    case 4: /* Brown badly scaled */
        return R(SUB(X(1), C(1e6)), SUB(X(2), C(2e-6)), SUB(MUL(X(1), X(2)), C(2)));
    case 5: /* Beale */
        return SUB(mgh_vector((const double[]){1.5, 2.25, 2.625}, 3),
                   MUL(X(1), SUB(C(1), gt_power(X(2), mgh_ramp(1, 1, 3)))));
    case 6: { /* Jennrich and Sampson */
        V i = mgh_ramp(1, 1, m);
        return SUB(ADD(MUL(i, 2), 2), ADD(EXP(MUL(i, X(1))), EXP(MUL(i, X(2)))));
    }
    case 7: { /* helical valley */
        V angle = DIV(gt_arctan(DIV(X(2), X(1))), 6.283185307179586477);
        V theta = gt_where(gt_less(X(1), 0), ADD(angle, 0.5), angle);
        return R(MUL(SUB(X(3), MUL(theta, 10)), 10),
                 MUL(SUB(gt_sqrt(ADD(SQ(X(1)), SQ(X(2)))), C(1)), 10), X(3));
    }
    case 8: { /* Bard */
        V u = mgh_ramp(1, 1, 15), v = SUB(C(16), u), w = gt_minimum(u, v);
        return SUB(mgh_vector(mgh_bard, 15), ADD(X(1), DIV(u, ADD(MUL(v, X(2)), MUL(w, X(3))))));
    }
    case 9: { /* Gaussian */
        V t = mgh_ramp(3.5, -0.5, 15);
        return SUB(MUL(X(1), EXP(MUL(MUL(SQ(SUB(t, X(3))), X(2)), -0.5))),
                   mgh_vector(mgh_gaussian, 15));
    }
    case 10: /* Meyer */
        return SUB(MUL(X(1), EXP(DIV(X(2), ADD(mgh_ramp(50, 5, 16), X(3))))),
                   mgh_vector(mgh_meyer, 16));
    case 11: { /* Gulf research and development */
        V t = DIV(mgh_ramp(1, 1, m), 100), y = ADD(gt_power(MUL(gt_log(t), -50), 2.0 / 3), 25);
        return SUB(EXP(NEG(DIV(gt_power(gt_abs(SUB(y, X(2))), X(3)), X(1)))), t);
    }
    case 12: { /* Box three-dimensional */
        V t = MUL(mgh_ramp(1, 1, m), 0.1);
        return SUB(SUB(mgh_decay(t, X(1)), mgh_decay(t, X(2))),
                   MUL(X(3), SUB(mgh_decay(t, C(1)), mgh_decay(t, C(10)))));
    }
    case 13:   /* Powell singular */
    case 22: { /* extended */
        V a = mgh_column(x, n, 4, 0), b = mgh_column(x, n, 4, 1), c = mgh_column(x, n, 4, 2),
          d = mgh_column(x, n, 4, 3);
        return R(ADD(a, MUL(b, 10)), MUL(SUB(c, d), sqrt(5)), SQ(SUB(b, MUL(c, 2))),
                 MUL(SQ(SUB(a, d)), sqrt(10)));
    }
    case 14: /* Wood */
        return R(MUL(SUB(X(2), SQ(X(1))), 10), SUB(C(1), X(1)), MUL(SUB(X(4), SQ(X(3))), sqrt(90)),
                 SUB(C(1), X(3)), MUL(SUB(ADD(X(2), X(4)), C(2)), sqrt(10)),
                 DIV(SUB(X(2), X(4)), sqrt(10)));
    case 15: { /* Kowalik and Osborne */
        V u = mgh_vector(mgh_kowalik_u, 11);
        return SUB(mgh_vector(mgh_kowalik_y, 11),
                   DIV(MUL(X(1), ADD(SQ(u), MUL(u, X(2)))), ADD(ADD(SQ(u), MUL(u, X(3))), X(4))));
    }
    case 16: { /* Brown and Dennis */
        V t = DIV(mgh_ramp(1, 1, m), 5);
        return ADD(SQ(SUB(ADD(X(1), MUL(t, X(2))), EXP(t))),
                   SQ(SUB(ADD(X(3), MUL(X(4), gt_sin(t))), gt_cos(t))));
    }
    case 17: { /* Osborne 1 */
        V t = mgh_ramp(0, 10, 33);
        return SUB(mgh_vector(mgh_osborne_1, 33),
                   ADD(X(1), ADD(MUL(X(2), mgh_decay(t, X(4))), MUL(X(3), mgh_decay(t, X(5))))));
    }
    case 18: { /* Biggs EXP6 */
        V t = MUL(mgh_ramp(1, 1, m), 0.1);
        V y = ADD(SUB(mgh_decay(t, C(1)), MUL(mgh_decay(t, C(10)), 5)), MUL(mgh_decay(t, C(4)), 3));
        return SUB(ADD(SUB(MUL(X(3), mgh_decay(t, X(1))), MUL(X(4), mgh_decay(t, X(2)))),
                       MUL(X(6), mgh_decay(t, X(5)))),
                   y);
    }
    case 19: { /* Osborne 2 */
        V t = mgh_ramp(0, 0.1, 65), sum = MUL(X(1), mgh_decay(t, X(5)));
        for (int k = 0; k < 3; k++)
            sum = ADD(sum, MUL(X(2 + k), mgh_decay(SQ(SUB(t, X(9 + k))), X(6 + k))));
        return SUB(mgh_vector(mgh_osborne_2, 65), sum);
    }
    case 20: { /* Watson */
        static double powers[29 * 12], slopes[29 * 12];
        for (int i = 0; i < 29; i++)
            for (int j = 0; j < n; j++) {
                powers[i * n + j] = pow((i + 1) / 29.0, j);
                slopes[i * n + j] = j ? j * pow((i + 1) / 29.0, j - 1) : 0;
            }
        V p = gt_from_data(powers, gt_shape(29, n), GT_FLOAT64),
          s = gt_from_data(slopes, gt_shape(29, n), GT_FLOAT64);
        V column = gt_reshape(x, gt_shape(n, 1));
        return R(SUB(SUB(gt_matmul(s, column), SQ(gt_matmul(p, column))), C(1)), X(1),
                 SUB(SUB(X(2), SQ(X(1))), C(1)));
    }
    case 21: { /* extended Rosenbrock */
        V odd = mgh_column(x, n, 2, 0), even = mgh_column(x, n, 2, 1);
        return R(MUL(SUB(even, SQ(odd)), 10), SUB(C(1), odd));
    }
    case 23: /* penalty I */
        return R(MUL(SUB(x, C(1)), sqrt(1e-5)), SUB(gt_sum(SQ(x)), C(0.25)));
    case 24: { /* penalty II */
        const double a = sqrt(1e-5);
        V i = mgh_ramp(2, 1, n - 1), e = EXP(DIV(x, 10));
        V y = ADD(EXP(DIV(i, 10)), EXP(DIV(SUB(i, C(1)), 10)));
        return R(SUB(X(1), C(0.2)),
                 MUL(SUB(ADD(mgh_part(e, 1, n - 1), mgh_part(e, 0, n - 1)), y), a),
                 MUL(SUB(mgh_part(e, 1, n - 1), C(exp(-0.1))), a),
                 SUB(gt_sum(MUL(mgh_ramp(n, -1, n), SQ(x))), C(1)));
    }
    case 25: { /* variably dimensioned */
        V off = SUB(x, C(1)), sum = gt_sum(MUL(mgh_ramp(1, 1, n), off));
        return R(off, sum, SQ(sum));
    }
    case 26: /* trigonometric */
        return SUB(ADD(SUB(C(n), gt_sum(gt_cos(x))), MUL(mgh_ramp(1, 1, n), SUB(C(1), gt_cos(x)))),
                   gt_sin(x));
    case 27: /* Brown almost-linear */
        return R(SUB(ADD(mgh_part(x, 0, n - 1), gt_sum(x)), C(n + 1)), SUB(gt_prod(x), C(1)));
    case 28: { /* discrete boundary value */
        const double h = 1.0 / (n + 1);
        V cube = gt_power(ADD(ADD(x, mgh_ramp(h, h, n)), 1), 3.0), zero = C(0);
        V before = R(zero, mgh_part(x, 0, n - 1)), after = R(mgh_part(x, 1, n - 1), zero);
        return ADD(SUB(SUB(MUL(x, 2), before), after), MUL(cube, h * h / 2));
    }
    case 29: { /* discrete integral equation */
        const double h = 1.0 / (n + 1);
        V t = mgh_ramp(h, h, n), cube = gt_power(ADD(ADD(x, t), 1), 3.0), up = MUL(t, cube),
          down = MUL(SUB(C(1), t), cube);
        V below = gt_cumsum(up), above = SUB(gt_sum(down), gt_cumsum(down));
        return ADD(x, MUL(ADD(MUL(SUB(C(1), t), below), MUL(t, above)), h / 2));
    }
    case 30: { /* Broyden tridiagonal */
        V zero = C(0), before = R(zero, mgh_part(x, 0, n - 1)),
          after = R(mgh_part(x, 1, n - 1), zero);
        return ADD(SUB(SUB(MUL(SUB(C(3), MUL(x, 2)), x), before), MUL(after, 2)), 1);
    }
    case 31: { /* Broyden banded */
        static double band[64 * 64];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                band[i * n + j] = j != i && j >= i - 5 && j <= i + 1;
        V sums = gt_matmul(gt_from_data(band, gt_shape(n, n), GT_FLOAT64),
                           gt_reshape(MUL(x, ADD(x, 1)), gt_shape(n, 1)));
        return SUB(ADD(MUL(x, ADD(MUL(SQ(x), 5), 2)), 1), gt_reshape(sums, gt_shape(n)));
    }
    case 32: { /* linear, full rank */
        V sum = MUL(gt_sum(x), 2.0 / m);
        return R(SUB(SUB(x, sum), C(1)),
                 SUB(NEG(MUL(gt_ones(gt_shape(m - n), .dtype = GT_FLOAT64), sum)), C(1)));
    }
    case 33: /* linear, rank 1 */
        return SUB(MUL(mgh_ramp(1, 1, m), gt_sum(MUL(mgh_ramp(1, 1, n), x))), C(1));
    case 34: { /* linear, rank 1, with columns and rows of zeros */
        V sum = gt_sum(MUL(mgh_ramp(2, 1, n - 2), mgh_part(x, 1, n - 2)));
        return R(C(-1), SUB(MUL(mgh_ramp(1, 1, m - 2), sum), C(1)), C(-1));
    }
    default: { /* 35: Chebyquad */
        V z = SUB(MUL(x, 2), C(1)), before = gt_ones_like(x), now = z, rows[16];
        for (int i = 1; i <= m; i++) {
            rows[i - 1] = SUB(gt_mean(now), C(i % 2 ? 0 : -1.0 / (i * i - 1)));
            V next = SUB(MUL(MUL(z, now), 2), before);
            before = now;
            now = next;
        }
        return gt_stack(((gt_Tensors){rows, m}));
    }
    }
}

#undef X
#undef C
#undef MUL
#undef ADD
#undef SUB
#undef DIV
#undef SQ
#undef EXP
#undef NEG
#undef R

/* What the functions are given. */
typedef struct MghFit {
    const Mgh *problem;
    gt_Variable *x;
} MghFit;

static inline gt_Status mgh_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    MghFit *fit = context;
    out[0] = mgh_residual_of(fit->problem->number, fit->x, fit->problem->n, fit->problem->m);
    return gt_status();
}

/* The sum of squares. */
static inline gt_Status mgh_loss(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    mgh_residual(context, in, out);
    out[0] = gt_sum(gt_square(out[0]));
    return gt_status();
}

#endif
