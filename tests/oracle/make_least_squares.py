#!/usr/bin/env python3
"""Writes least_squares.inc, for test_least_squares.c: fits by scipy in float64.

    python3 make_least_squares.py > least_squares.inc

A decay with an offset, y = a exp(-k t) + c, on 40 points with noise by formula and three outliers: every loss with and
without sigma; covariances as scipy's curve_fit has them; bounds that hold and bounds that do not; bands; Student's limits.
"""
import numpy
import scipy
from scipy.optimize import curve_fit, least_squares
from scipy.stats import norm, t as student

print(f"/* From make_least_squares.py: scipy {scipy.__version__}, numpy {numpy.__version__}. */")
N = 40
i = numpy.arange(N)
t = 0.1 * i
y = 2.5 * numpy.exp(-1.25 * t) + 0.5 + 0.03 * numpy.sin(7.0 * i + 1) + 0.02 * numpy.cos(3.0 * i * i)
y[[5, 17, 30]] += [1.5, -0.9, 0.7]
sigma = 0.02 + 0.01 * t


def model(t, a, k, c):
    return a * numpy.exp(-k * t) + c


def jacobian(t, a, k, c):
    e = numpy.exp(-k * t)
    return numpy.stack([e, -a * t * e, numpy.ones_like(t)], 1)


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in numpy.ravel(values)) + "}"


def array(name, values):
    print(f"static const double {name}[] = {numbers(values)};")


def fit(loss, margin, s, bounds=(-numpy.inf, numpy.inf), start=(1, 1, 0)):
    found = least_squares(lambda p: (model(t, *p) - y) / s, start, jac=lambda p: jacobian(t, *p) / numpy.reshape(s, (-1, 1)),
                          loss=loss, f_scale=margin, bounds=bounds, method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15,
                          x_scale="jac", max_nfev=10000)
    # scipy stops early beside a bound or under a robust loss: go on from there.
    for _ in range(5):
        found = least_squares(lambda p: (model(t, *p) - y) / s, found.x, jac=lambda p: jacobian(t, *p) / numpy.reshape(s, (-1, 1)),
                              loss=loss, f_scale=margin, bounds=bounds, method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15,
                              max_nfev=10000)
    return found


array("oracle_t", t)
array("oracle_y", y)
array("oracle_sigma", sigma)
print("typedef struct Oracle { gt_RobustLoss loss; bool sigma; double margin, x[3], cost, covariance[9]; } Oracle;")
print("static const Oracle oracle_fits[] = {")
for loss, margin in [("linear", 1), ("huber", 0.05), ("soft_l1", 0.1), ("cauchy", 0.07), ("arctan", 0.5)]:
    for with_sigma in (False, True):
        s = sigma if with_sigma else numpy.ones(N)
        m = margin * (20 if with_sigma and loss != "linear" else 1)
        found = fit(loss, m, s, start=(2.4, 1.2, 0.5))
        cov = numpy.linalg.inv(found.jac.T @ found.jac) * 2 * found.cost / (N - 3)
        if loss == "linear":
            p, c = curve_fit(model, t, y, found.x, s, jac=jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
            assert numpy.allclose(c, cov, rtol=1e-8) and numpy.allclose(p, found.x, rtol=1e-8)
        print(f"    {{GT_ROBUST_LOSS_{loss.upper()}, {str(with_sigma).lower()}, {m!r}, {numbers(found.x)}, {float(found.cost)!r}, {numbers(cov)}}},")
print("};")

# sigma absolute
found = fit("linear", 1, sigma)
p, absolute = curve_fit(model, t, y, found.x, sigma, absolute_sigma=True, jac=jacobian, method="lm", xtol=1e-15, ftol=1e-15)
array("oracle_absolute", absolute)

# k at most 1 holds, a at least 0 does not
low, high = [0, 0, -numpy.inf], [numpy.inf, 1, numpy.inf]
bound = fit("linear", 1, numpy.ones(N), (low, high), (1, 0.5, 0))
e = numpy.exp(-t)
exact = numpy.linalg.lstsq(numpy.stack([e, numpy.ones(N)], 1), y, rcond=None)[0]
assert numpy.allclose(bound.x, [exact[0], 1, exact[1]], rtol=1e-7), (bound.x, exact)
array("oracle_bounded", [exact[0], 1, exact[1]])
j = numpy.stack([e, numpy.ones(N)], 1)
r = j @ exact - y
c = numpy.linalg.inv(j.T @ j) * (r @ r) / (N - 2)
array("oracle_bounded_errors", [c[0, 0] ** 0.5, 0, c[1, 1] ** 0.5])

# bands at three points
found = fit("linear", 1, numpy.ones(N))
p, cov = curve_fit(model, t, y, found.x, jac=jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
at = numpy.array([0, 1.05, 6])
g = jacobian(at, *p)
s2 = numpy.sum((model(t, *p) - y) ** 2) / (N - 3)
array("oracle_at", at)
array("oracle_band_value", model(at, *p))
error = numpy.sqrt(numpy.einsum("ij,jk,ik->i", g, cov, g))
array("oracle_band_error", error)
array("oracle_band_upper", model(at, *p) + student.ppf(0.95, N - 3) * error)
array("oracle_prediction_lower", model(at, *p) - student.ppf(0.995, N - 3) * numpy.sqrt(error**2 + s2))

print("static const struct { double level, degrees, limit; } oracle_student[] = {")
for level in (0.1, 0.5, 0.9, 0.95, 0.999, 1 - 1e-9):
    for degrees in (1, 2, 3, 7, 30, 1000, 1e7, numpy.inf):
        limit = norm.isf((1 - level) / 2) if numpy.isinf(degrees) else student.isf((1 - level) / 2, degrees)
        print(f"    {{{level!r}, {'INFINITY' if numpy.isinf(degrees) else repr(float(degrees))}, {float(limit)!r}}},")
print("};")
