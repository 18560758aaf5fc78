#!/usr/bin/env python3
"""Writes kernels/polynomials.h: minimax.py > kernels/polynomials.h

Weighted least squares on Chebyshev nodes in high precision (pip install mpmath), which is within
about one bit of minimax. Coefficients are rounded to the element type from the lowest degree upwards
and the rest fitted anew after each rounding, so that the following ones absorb it.
"""
import struct
import mpmath as mp

mp.mp.prec = 400


def approximate(f, weight, first, last, low, high):
    """Coefficients c[first..last] of a polynomial p with a small max |weight (f - p)|."""
    count = last - first + 1
    points = 6 * (last + 1)
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * points))
             for i in range(points)]
    rows = mp.matrix(points, count)
    right = mp.matrix(points, 1)
    for i, x in enumerate(nodes):
        right[i] = weight(x) * f(x)
        for j in range(count):
            rows[i, j] = weight(x) * x ** (first + j)
    return mp.lu_solve(rows.T * rows, rows.T * right)


def rounded(x, code):
    return mp.mpf(struct.unpack(code, struct.pack(code, float(x)))[0])


def fit(name, f, weight, degree, low, high, code):
    """All coefficients 0..degree of f on [low, high], rounded to float ("f") or double ("d")."""
    low, high = mp.mpf(low), mp.mpf(high)
    done = []
    for k in range(degree + 1):
        def rest(x):
            return f(x) - mp.polyval(done[::-1], x) if done else f(x)
        c = approximate(rest, weight, k, degree, low, high)
        done.append(rounded(c[0], code))
    worst = max(abs(weight(x) * (f(x) - mp.polyval(done[::-1], x)))
                for x in [low + (high - low) * mp.mpf(i) / 500 for i in range(501)])
    print_function(name, done, mp.log(worst, 2), code)


def literal(c, code):
    mantissa, exponent = float(c).hex().split("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return "%sp%s%s" % (mantissa, exponent.lstrip("+"), "f" if code == "f" else "")


def print_function(name, coefficients, error, code):
    ctype, suffix = ("float", "f32") if code == "f" else ("double", "f64")
    print()
    print("/* error 2^%.1f */" % error)
    if name in LISTS:
        print_list(name, coefficients, code)
        return
    print("GT_INLINE %s gt_series_%s_%s(%s x)" % (ctype, name, suffix, ctype))
    print("{")
    for k, c in enumerate(reversed(coefficients)):
        print("    %s;" % ("%s p = %s" % (ctype, literal(c, code)) if k == 0 else
                           "p = gt_fma_%s(p, x, %s)" % (suffix, literal(c, code))))
    print("    return p;")
    print("}")


def print_list(name, coefficients, code):
    """The same as a list of its coefficients and the function that is made of it."""
    ctype, suffix = ("float", "f32") if code == "f" else ("double", "f64")
    series = "GT_SERIES_%s_%s" % (name.upper(), suffix.upper())
    lines = ["#define %s(FIRST, NEXT)" % series]
    lines += ["    %s(%s)" % ("NEXT" if k else "FIRST", literal(c, code)) for k, c in enumerate(reversed(coefficients))]
    for line in lines[:-1]:
        print(line.ljust(99) + "\\")
    print(lines[-1])
    print("GT_INLINE %s gt_series_%s_%s(%s x)" % (ctype, name, suffix, ctype))
    print("{")
    print("    %s(GT_FIRST_%s, GT_NEXT_%s)" % (series, suffix.upper(), suffix.upper()))
    print("    return p;")
    print("}")


def series(f, at_zero):
    """f with its removable singularity at 0 filled in."""
    return lambda x: f(x) if abs(x) > mp.mpf(2) ** -60 else mp.mpf(at_zero)


EXP = series(lambda r: (mp.expm1(r) - r) / r ** 2, 0.5)
LOG = series(lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1) * 2 / z, mp.mpf(2) / 3)
TANH = series(lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 3)
SIN = series(lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 6)
COS = series(lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z ** 2, mp.mpf(1) / 24)
ERF = series(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, 2 / mp.sqrt(mp.pi) - 1)
ATAN = series(lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 3)
ASIN = series(lambda z: (mp.asin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, mp.mpf(1) / 6)


def minus_log_erfc(x):
    return -mp.log(mp.erfc(x))


def scaled_erfc(t):
    """exp(x^2) erfc(x) as a function of t = (x - 2) / (x + 2)."""
    x = 2 * (1 + t) / (1 - t)
    return mp.exp(x * x) * mp.erfc(x)


def bounded_erfc(t):
    """(1 + 2 x) exp(x^2) erfc(x) as a function of t = (x - 4) / (x + 4): between 1 and 1.3 for every x >= 0
    (Shepherd and Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x", 1981)."""
    x = 4 * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def normal_tail(t):
    """The normal distribution function at -y times exp(y^2 / 2) / t, as a function of t = 1 / (1 + 0.3 y)."""
    y = (1 / t - 1) / mp.mpf("0.3")
    return mp.exp(y * y / 2) * mp.erfc(y / mp.sqrt(2)) / (2 * t)


BOUNDED_ERFC_0 = bounded_erfc(mp.mpf(0))
BOUNDED_ERFC = series(lambda t: (bounded_erfc(t) - BOUNDED_ERFC_0) / t, mp.diff(bounded_erfc, 0))

SINH = series(lambda z: (mp.sinh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, mp.mpf(1) / 6)
# log(1 + f) = 2 s (1 + z / 3 + z^2 p(z)), s = f / (2 + f), z = s^2
LOG_REST = series(lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1 - z / 3) / z ** 2, mp.mpf(1) / 5)

HEAD = """/* Polynomials behind the functions of functions.h, written by tools/minimax.py: do not edit. Each
 * comment gives the largest weighted error; what is approximated, where and with which weight
 * stands in that script. */
#ifndef GT_KERNELS_POLYNOMIALS_H
#define GT_KERNELS_POLYNOMIALS_H

/* Some stand as lists of their coefficients, for functions_wide_template.h takes them too. */
#define GT_FIRST_F32(c) float p = c;
#define GT_NEXT_F32(c)  p = gt_fma_f32(p, x, c);
#define GT_FIRST_F64(c) double p = c;
#define GT_NEXT_F64(c)  p = gt_fma_f64(p, x, c);"""
LISTS = ("exp", "tanh", "normal_tail")


def main():
    print(HEAD)
    tiny = mp.mpf(2) ** -60
    half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")
    log_end = (mp.sqrt(2) - 1) ** 2 / (mp.sqrt(2) + 1) ** 2 * mp.mpf("1.001")
    quarter_pi = (mp.pi / 4) ** 2 * mp.mpf("1.001")
    for code, d in (("f", dict(exp=4, log=2, tanh=4, sin=2, cos=2, erf=5, erfc=7, seam=0.7, end=3.95)),
                    ("d", dict(exp=10, log=6, tanh=9, sin=5, cos=5, erf=10, erfc=18, seam=0.8, end=5.95))):
        fit("exp", EXP, lambda r: abs(r) + tiny, d["exp"], -half_ln2, half_ln2, code)
        fit("log", LOG, lambda z: z / 2 + tiny, d["log"], 0, log_end, code)
        fit("tanh", TANH, lambda z: z + tiny, d["tanh"], 0, "0.31", code)
        fit("sin", SIN, lambda z: z + tiny, d["sin"], 0, quarter_pi, code)
        fit("cos", COS, lambda z: z * z + tiny, d["cos"], 0, quarter_pi, code)
        fit("erf", ERF, lambda z: mp.mpf(1), d["erf"], 0, d["seam"] ** 2 * 1.01, code)
        fit("minus_log_erfc", minus_log_erfc, mp.erfc, d["erfc"], d["seam"] - 0.01, d["end"], code)
    fit("normal_tail", normal_tail, lambda t: 1 / normal_tail(t), 9, "0.186", 1, "f")
    # What float32 takes from a double: about 2^-32 is enough, 2^-38 for the logarithm of a power.
    fit("short_exp", EXP, lambda r: abs(r) + tiny, 5, -half_ln2, half_ln2, "d")
    fit("short_log", LOG, lambda z: z / 2 + tiny, 4, 0, log_end, "d")
    fit("atan", ATAN, lambda z: z + tiny, 11, 0, 1, "d")
    fit("asin", ASIN, lambda z: z + tiny, 7, 0, "0.25", "d")
    fit("scaled_erfc", scaled_erfc, lambda t: 1 / scaled_erfc(t), 14, -1, "0.68", "d")
    # What the rarer functions of a double are made of (rare.h).
    fit("near_atan", ATAN, lambda z: z + tiny, 10, 0, "0.1916", "d")
    fit("near_asin", ASIN, lambda z: z + tiny, 12, 0, "0.2501", "d")
    fit("near_sinh", SINH, lambda z: z + tiny, 7, 0, "1.01", "d")
    fit("log_rest", LOG_REST, lambda z: z ** 2 + tiny, 6, 0, log_end, "d")
    fit("bounded_erfc", BOUNDED_ERFC, lambda t: abs(t) + tiny, 21, "-0.668", "0.75", "d")
    print()
    print("#endif")


if __name__ == "__main__":
    main()
