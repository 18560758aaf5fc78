#!/usr/bin/env python3
"""Writes mgh.inc, for test_mgh.c and bench/mgh.c: the 35 problems of Moré, Garbow and Hillstrom (1981) in JAX, float64.

    python3 make_mgh.py > mgh.inc

For each: sizes, start, published minima (6 digits, from the paper) and what scipy makes of
them in float64; and at a point beside the start the gradient of the sum of squares and its Hessian times a vector.
"""
import jax
import jax.numpy as np
import numpy
import scipy
from scipy.optimize import least_squares

jax.config.update("jax_enable_x64", True)
BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
half = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
GAUSSIAN = half + [0.3989] + half[::-1]
MEYER = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
KOWALIK_Y = [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
KOWALIK_U = [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]
OSBORNE_1 = [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603,
             0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411,
             0.406]
OSBORNE_2 = [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606,
             0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423,
             0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
             0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098,
             0.054]
A = np.array
sqrt = numpy.sqrt


def one(i, m, first=1):
    return np.arange(first, first + m, dtype=float)


def rosenbrock(x, m):
    return np.concatenate([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


def powell_singular(x, m):
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return np.concatenate([a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2])


def helical(x, m):
    theta = np.arctan(x[1] / x[0]) / (2 * numpy.pi) + np.where(x[0] < 0, 0.5, 0)
    return A([10 * (x[2] - 10 * theta), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


def bard(x, m):
    u = one(0, 15)
    v = 16 - u
    return A(BARD) - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


def gulf(x, m):
    t = one(0, m) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-np.abs(y - x[1]) ** x[2] / x[0]) - t


def box(x, m):
    t = 0.1 * one(0, m)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def wood(x, m):
    return A([10 * (x[1] - x[0] ** 2), 1 - x[0], sqrt(90) * (x[3] - x[2] ** 2), 1 - x[2], sqrt(10) * (x[1] + x[3] - 2),
              (x[1] - x[3]) / sqrt(10)])


def kowalik(x, m):
    u = A(KOWALIK_U)
    return A(KOWALIK_Y) - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x, m):
    t = one(0, m) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def osborne_1(x, m):
    t = 10 * one(0, 33, 0)
    return A(OSBORNE_1) - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


def biggs(x, m):
    t = 0.1 * one(0, m)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


def osborne_2(x, m):
    t = one(0, 65, 0) / 10
    return A(OSBORNE_2) - (x[0] * np.exp(-t * x[4]) + sum(x[1 + k] * np.exp(-((t - x[8 + k]) ** 2) * x[5 + k]) for k in range(3)))


def watson(x, m):
    n = len(x)
    t, j = numpy.arange(1, 30)[:, None] / 29, numpy.arange(n)
    slopes = j * t ** numpy.maximum(j - 1, 0)
    return np.concatenate([slopes @ x - (t**j @ x) ** 2 - 1, A([x[0], x[1] - x[0] ** 2 - 1])])


def penalty_1(x, m):
    return np.concatenate([sqrt(1e-5) * (x - 1), A([np.sum(x**2) - 0.25])])


def penalty_2(x, m):
    n = len(x)
    a = sqrt(1e-5)
    i = one(0, n - 1, 2)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    return np.concatenate([x[:1] - 0.2, a * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - y), a * (np.exp(x[1:] / 10) - numpy.exp(-0.1)),
                           A([np.sum((n - np.arange(n)) * x**2) - 1])])


def variably(x, m):
    s = np.sum(one(0, len(x)) * (x - 1))
    return np.concatenate([x - 1, A([s, s**2])])


def trigonometric(x, m):
    n = len(x)
    return n - np.sum(np.cos(x)) + one(0, n) * (1 - np.cos(x)) - np.sin(x)


def brown_linear(x, m):
    return np.concatenate([x[:-1] + np.sum(x) - (len(x) + 1), A([np.prod(x) - 1])])


def boundary(x, m):
    n = len(x)
    h = 1 / (n + 1)
    t = h * one(0, n)
    y = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return 2 * x - y[:-2] - y[2:] + h * h * (x + t + 1) ** 3 / 2


def integral(x, m):
    n = len(x)
    h = 1 / (n + 1)
    t = [h * (i + 1) for i in range(n)]
    return A([x[i] + h * ((1 - t[i]) * sum(t[j] * (x[j] + t[j] + 1) ** 3 for j in range(i + 1)) +
                          t[i] * sum((1 - t[j]) * (x[j] + t[j] + 1) ** 3 for j in range(i + 1, n))) / 2 for i in range(n)])


def tridiagonal(x, m):
    y = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - y[:-2] - 2 * y[2:] + 1


def banded(x, m):
    n = len(x)
    return A([x[i] * (2 + 5 * x[i] ** 2) + 1 - sum(x[j] * (1 + x[j]) for j in range(max(0, i - 5), min(n, i + 2)) if j != i)
              for i in range(n)])


def linear_full(x, m):
    n = len(x)
    s = 2 / m * np.sum(x)
    return np.concatenate([x - s - 1, np.full(m - n, -1.0) - s])


def linear_one(x, m):
    return one(0, m) * np.sum(one(0, len(x)) * x) - 1


def linear_zero(x, m):
    s = np.sum(one(0, len(x) - 2, 2) * x[1:-1])
    return np.concatenate([A([-1.0]), one(0, m - 2) * s - 1, A([-1.0])])


def chebyquad(x, m):
    z = 2 * x - 1
    rows = []
    for i in range(1, m + 1):
        before, now = np.ones_like(z), z
        for _ in range(i - 1):
            before, now = now, 2 * z * now - before
        rows.append(np.mean(now) + (0 if i % 2 else 1 / (i * i - 1)))
    return A(rows)


def h(n):
    t = numpy.arange(1, n + 1) / (n + 1)
    return t * (t - 1)


U = lambda x, m: A([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])
PROBLEMS = [  # number, name, residuals, n, m, start, published minima
    (1, "Rosenbrock", rosenbrock, 2, 2, [-1.2, 1], [0]),
    (2, "Freudenstein and Roth", lambda x, m: A([-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]]), 2, 2, [0.5, -2], [0, 48.9842]),
    (3, "Powell badly scaled", U, 2, 2, [0, 1], [0]),
    (4, "Brown badly scaled", lambda x, m: A([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2]), 2, 3, [1, 1], [0]),
    (5, "Beale", lambda x, m: A([1.5, 2.25, 2.625]) - x[0] * (1 - A([x[1], x[1] ** 2, x[1] ** 3])), 2, 3, [1, 1], [0]),
    (6, "Jennrich and Sampson", lambda x, m: 2 + 2 * one(0, m) - (np.exp(one(0, m) * x[0]) + np.exp(one(0, m) * x[1])), 2, 10, [0.3, 0.4], [124.362]),
    (7, "helical valley", helical, 3, 3, [-1, 0, 0], [0]),
    (8, "Bard", bard, 3, 15, [1, 1, 1], [8.21487e-3, 17.4286]),
    (9, "Gaussian", lambda x, m: x[0] * np.exp(-x[1] * ((8 - one(0, 15)) / 2 - x[2]) ** 2 / 2) - A(GAUSSIAN), 3, 15, [0.4, 1, 0], [1.12793e-8]),
    (10, "Meyer", lambda x, m: x[0] * np.exp(x[1] / (45 + 5 * one(0, 16) + x[2])) - A(MEYER, dtype=float), 3, 16, [0.02, 4000, 250], [87.9458]),
    (11, "Gulf", gulf, 3, 99, [5, 2.5, 0.15], [0]),
    (12, "Box", box, 3, 10, [0, 10, 20], [0]),
    (13, "Powell singular", powell_singular, 4, 4, [3, -1, 0, 1], [0]),
    (14, "Wood", wood, 4, 6, [-3, -1, -3, -1], [0]),
    (15, "Kowalik and Osborne", kowalik, 4, 11, [0.25, 0.39, 0.415, 0.39], [3.07505e-4, 1.02734e-3]),
    (16, "Brown and Dennis", brown_dennis, 4, 20, [25, 5, -5, -1], [85822.2]),
    (17, "Osborne 1", osborne_1, 5, 33, [0.5, 1.5, -1, 0.01, 0.02], [5.46489e-5]),
    (18, "Biggs EXP6", biggs, 6, 13, [1, 2, 1, 1, 1, 1], [0, 5.65565e-3]),
    (19, "Osborne 2", osborne_2, 11, 65, [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], [4.01377e-2]),
    (20, "Watson 6", watson, 6, 31, [0] * 6, [2.28767e-3]),
    (20, "Watson 9", watson, 9, 31, [0] * 9, [1.39976e-6]),
    (20, "Watson 12", watson, 12, 31, [0] * 12, [4.72238e-10]),
    (21, "extended Rosenbrock", rosenbrock, 10, 10, [-1.2, 1] * 5, [0]),
    (22, "extended Powell singular", powell_singular, 12, 12, [3, -1, 0, 1] * 3, [0]),
    (23, "penalty I 4", penalty_1, 4, 5, [1, 2, 3, 4], [2.24997e-5]),
    (23, "penalty I 10", penalty_1, 10, 11, list(range(1, 11)), [7.08765e-5]),
    (24, "penalty II 4", penalty_2, 4, 8, [0.5] * 4, [9.37629e-6]),
    (24, "penalty II 10", penalty_2, 10, 20, [0.5] * 10, [2.93660e-4]),
    (25, "variably dimensioned", variably, 10, 12, [1 - j / 10 for j in range(1, 11)], [0]),
    (26, "trigonometric", trigonometric, 10, 10, [0.1] * 10, [0, 2.79506e-5]),
    (27, "Brown almost-linear", brown_linear, 10, 10, [0.5] * 10, [0, 1]),
    (28, "boundary value", boundary, 10, 10, h(10), [0]),
    (29, "integral equation", integral, 10, 10, h(10), [0]),
    (30, "Broyden tridiagonal", tridiagonal, 10, 10, [-1] * 10, [0]),
    (31, "Broyden banded", banded, 10, 10, [-1] * 10, [0]),
    (32, "linear, full rank", linear_full, 10, 20, [1] * 10, [10]),
    (33, "linear, rank 1", linear_one, 10, 20, [1] * 10, [20 * 19 / (2 * 41)]),
    (34, "linear, rank 1, zeros", linear_zero, 10, 20, [1] * 10, [(400 + 60 - 6) / (2 * 37)]),
    (35, "Chebyquad 7", chebyquad, 7, 7, [j / 8 for j in range(1, 8)], [0]),
    (35, "Chebyquad 8", chebyquad, 8, 8, [j / 9 for j in range(1, 9)], [3.51687e-3]),
    (35, "Chebyquad 9", chebyquad, 9, 9, [j / 10 for j in range(1, 10)], [0]),
    (35, "Chebyquad 10", chebyquad, 10, 10, [j / 11 for j in range(1, 11)], [6.50395e-3, 4.77271e-3]),
]


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in numpy.ravel(values)) + "}"


def refine(f, n, m, start, published):
    """The minimum with the published digits, in float64, by scipy: from the start and from points around it."""
    if published == 0:
        return 0.0
    residual, jac = jax.jit(lambda x: f(x, m)), jax.jit(jax.jacfwd(lambda x: f(x, m)))
    draws = numpy.random.default_rng(1)
    for attempt in range(12):
        x = numpy.array(start, float) * (1 + (0.3 * draws.standard_normal(n) if attempt else 0)) + (0.05 * draws.standard_normal(n) if attempt > 6 else 0)
        try:
            x = least_squares(lambda p: numpy.asarray(residual(p)), x, lambda p: numpy.asarray(jac(p)), method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=3000).x
        except Exception:
            continue
        if abs(float(np.sum(residual(x) ** 2)) / published - 1) < 1e-5:
            return float(np.sum(residual(x) ** 2))
    return float("nan")


print(f"/* From make_mgh.py: jax {jax.__version__}, scipy {scipy.__version__}, numpy {numpy.__version__}. */")
for name in ("BARD", "GAUSSIAN", "MEYER", "KOWALIK_Y", "KOWALIK_U", "OSBORNE_1", "OSBORNE_2"):
    print(f"static const double mgh_{name.lower()}[] = {numbers(globals()[name])};")
print("""
/* `minimum`: the published minima, in more digits; NAN: not found again by scipy. `at`, `along`: where gradient and product are. */
typedef struct Mgh {
    int number, n, m;
    const char *name;
    double start[12], published[2], minimum[2];
    double at[12], along[12], loss, gradient[12], product[12];
} Mgh;
static const Mgh mgh_problems[] = {""")
for number, name, f, n, m, start, published in PROBLEMS:
    start = numpy.array(start, float)
    at = start * 1.01 + 0.013 * numpy.cos(numpy.arange(n) + 1)
    along = numpy.sin(2.0 * numpy.arange(n) + 1)
    loss = lambda x: np.sum(f(x, m) ** 2)
    g, hv = jax.jit(lambda x, v: jax.jvp(jax.grad(loss), (x,), (v,)))(A(at), A(along))
    assert f(A(at), m).shape == (m,), name
    refined = [refine(f, n, m, start, p) for p in published]
    pad = lambda p: (list(p) + [float("inf")])[:2]
    show = lambda values: numbers(values).replace("inf", "INFINITY").replace("nan", "NAN")
    print(f'    {{{number}, {n}, {m}, "{name}", {numbers(start)}, {show(pad(published))}, {show(pad(refined))},\n     {numbers(at)}, {numbers(along)}, {float(loss(A(at)))!r},\n     {numbers(g)},\n     {numbers(hv)}}},')
print("};")
