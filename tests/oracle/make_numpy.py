#!/usr/bin/env python3
"""Writes numpy.safetensors: what NumPy and SciPy give for the functions that tests/test_oracle_numpy.c
replays. Each case has inputs NAME.in0, NAME.in1, ... and results NAME.out0, ...

    pip install numpy==2.4.6 scipy==1.17.1 && python3 make_numpy.py
"""
import json
import os
import struct

import numpy as np
import scipy
import scipy.linalg
import scipy.special
from scipy.spatial.distance import cdist

random = np.random.default_rng(7)
tensors = {}


def real(*shape, low=-2.0, high=2.0):
    return random.uniform(low, high, shape)


def whole(*shape, low=0, high=5, dtype=np.int32):
    return random.integers(low, high, shape).astype(dtype)


def definite(n, batch=()):
    a = real(*batch, n, n, low=-1, high=1)
    return a @ a.swapaxes(-1, -2) + 0.5 * np.diag(np.arange(1.0, n + 1))


def square(n, batch=()):
    return real(*batch, n, n) + 3 * np.eye(n)


def case(name, inputs, function):
    outputs = function(*inputs)
    if not isinstance(outputs, (tuple, list)):
        outputs = [outputs]
    for i, x in enumerate(inputs):
        tensors[f"{name}.in{i}"] = np.asarray(x)
    for i, y in enumerate(outputs):
        y = np.asarray(y)
        tensors[f"{name}.out{i}"] = y.astype(np.int32) if y.dtype == np.int64 else y


def einsum(name, text, *shapes):
    case(name, [real(*shape) for shape in shapes], lambda *x: np.einsum(text, *x))


# contraction
einsum("einsum_product", "ij,jk->ik", (3, 4), (4, 5))
einsum("einsum_batch", "bij,bkj->bik", (2, 3, 4), (2, 5, 4))
einsum("einsum_order", "abc,cd,be->dae", (2, 3, 4), (4, 2), (3, 5))
einsum("einsum_trace", "ii", (4, 4))
einsum("einsum_diagonal", "ijij->ji", (2, 3, 2, 3))
einsum("einsum_implicit", "ba,ca", (2, 3), (4, 3))
einsum("einsum_ellipsis", "...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2))
einsum("einsum_ellipsis_sum", "i...,i...->...", (3, 2, 4), (3, 1, 4))
einsum("einsum_outer", "i,j,k->kji", (2,), (3,), (4,))
einsum("einsum_sums", "ijk,jl->l", (2, 3, 4), (3, 5))
case("tensordot", [real(2, 3, 4), real(3, 4, 5)], np.tensordot)
case("tensordot_axes", [real(2, 3, 4), real(4, 5, 2)],
     lambda a, b: np.tensordot(a, b, axes=([0, 2], [2, 0])))
case("dot", [real(2, 3, 4), real(5, 4, 2)], np.dot)
case("dot_vector", [real(2, 4), real(4)], np.dot)
case("inner", [real(2, 3, 4), real(5, 4)], np.inner)
case("outer", [real(2, 3), real(4)], np.outer)
case("vdot", [real(2, 3), real(3, 2)], np.vdot)
case("kron", [real(2, 3), real(4, 2)], np.kron)
case("kron_ranks", [real(3), real(2, 2)], np.kron)
case("cross", [real(4, 3), real(4, 3)], np.cross)
case("cross_axis", [real(3, 2), real(3, 2)], lambda a, b: np.cross(a, b, axis=0))
case("trace", [real(3, 4, 2)], np.trace)
case("trace_offset", [real(3, 4, 2)], lambda x: np.trace(x, 1, 0, 2))
case("diagonal", [real(2, 3, 4)], lambda x: np.diagonal(x, -1, 1, 2))
case("diagonal_far", [real(2, 3)], lambda x: np.diagonal(x, 9))
case("diag_vector", [real(3)], lambda x: np.diag(x, 1))
case("diag_matrix", [real(3, 4)], lambda x: np.diag(x, -1))
case("diagflat", [real(2, 2)], lambda x: np.diagflat(x, -2))

# sorting
case("sort", [real(3, 7)], np.sort)
case("sort_axis", [real(5, 2, 3)], lambda x: np.sort(x, axis=0))
case("sort_flat", [real(3, 4)], lambda x: np.sort(x, axis=None))
case("sort_descending", [real(2, 6)], lambda x: -np.sort(-x))
case("sort_whole", [whole(4, 9)], np.sort)
case("sort_nan", [np.array([2.0, np.nan, -1, np.inf, np.nan, 0])], np.sort)
case("argsort", [whole(3, 20)], lambda x: np.argsort(x, kind="stable"))
case("argsort_axis", [real(5, 3)], lambda x: np.argsort(x, axis=0, kind="stable"))
case("top_k", [real(3, 8)],
     lambda x: (-np.sort(-x)[:, :3], np.argsort(-x, kind="stable")[:, :3]))
case("in_top_k", [np.array([1, 0, 2], np.int32), real(3, 4)],
     lambda t, p: np.array([(p[i] > p[i, t[i]]).sum() < 2 for i in range(3)]))
case("median", [real(3, 5)], np.median)
case("median_even", [real(4, 6)], lambda x: np.median(x, axis=1))
case("quantile", [real(3, 5)], lambda x: np.quantile(x, 0.3, axis=0))
case("quantile_many", [real(3, 5), np.array([0.0, 0.1, 0.75, 1.0])],
     lambda x, q: np.quantile(x, q, axis=1))
case("quantile_axes", [real(2, 3, 4)],
     lambda x: np.quantile(x, 0.62, axis=(0, 2), keepdims=True))
case("quantile_nan", [np.array([[1.0, np.nan, 2], [3, 4, 5]])],
     lambda x: np.quantile(x, 0.5, axis=1))
case("percentile", [real(11)], lambda x: np.percentile(x, 37.5))
bins = np.array([-1.0, 0, 0.5, 1.5])
probe = np.array([[-2.0, -1, 0.25], [0.5, 1.5, 7]])
case("searchsorted", [bins, probe], np.searchsorted)
case("searchsorted_right", [bins, probe], lambda a, v: np.searchsorted(a, v, side="right"))
case("digitize", [probe, bins], np.digitize)
case("digitize_right", [probe, bins], lambda x, b: np.digitize(x, b, right=True))
case("bincount", [whole(12)], np.bincount)
ids = whole(12)
case("bincount_weights", [ids, real(12)], lambda x, w: np.bincount(x, w, 8))
case("histogram", [real(50)], np.histogram)
case("histogram_range", [real(50)], lambda x: np.histogram(x, 5, (-1, 1)))
case("isin", [whole(3, 4), whole(3)], np.isin)


# segments
def segments(ufunc, start):
    def function(x, ids):
        out = np.full((4,) + x.shape[1:], start)
        ufunc.at(out, ids, x)
        return out
    return function


case("segment_sum", [real(7, 2), whole(7, high=4)], segments(np.add, 0.0))
case("segment_max", [real(7, 2), whole(7, high=3)], segments(np.maximum, -np.inf))
case("segment_min", [real(7), whole(7, high=3)], segments(np.minimum, np.inf))
case("segment_prod", [real(7, 2), whole(7, high=3)], segments(np.multiply, 1.0))

# functions of numbers
case("exp2", [real(9)], np.exp2)
case("cbrt", [np.array([-8.0, 0, 1e-12, 0.3, 27])], np.cbrt)
case("sinc", [np.array([-1.5, 0, 0.25, 2])], np.sinc)
case("erfinv", [np.array([-1, -0.9999, -0.5, 0, 1e-6, 0.3, 0.5, 0.75, 0.999, 1])],
     scipy.special.erfinv)
case("logaddexp", [np.array([1.0, -np.inf, 800, -np.inf]), np.array([[1.0, 2, 799, -np.inf]] * 2)],
     np.logaddexp)
case("logaddexp2", [real(2, 3), real(3)], np.logaddexp2)
case("hypot", [np.array([3.0, 1e30, 0, -1]), np.array([4.0, 1e30, 0, 0.5])], np.hypot)
odd = np.array([1.0, np.nan, np.inf, -np.inf, -3])
case("nan_to_num", [odd], lambda x: np.nan_to_num(x, nan=7, posinf=8, neginf=-9))
case("fmax", [odd, odd[::-1].copy()], np.fmax)
case("fmin", [odd, odd[::-1].copy()], np.fmin)
case("signbit", [np.array([1.0, -1, 0.0, -0.0, np.inf, -np.inf])], np.signbit)
near = np.array([1.0, 1.00001, 2, np.inf, np.nan, 1e-9])
case("isclose", [near, np.array([1.0, 1, 2.1, np.inf, np.nan, 0])], np.isclose)
case("isclose_nan", [near, np.array([1.0, 1, 2.1, -np.inf, np.nan, 1])],
     lambda a, b: np.isclose(a, b, rtol=1e-3, equal_nan=True))
case("allclose", [near[:3], near[:3] + 1e-9], np.allclose)
a, b = whole(3, 4, low=-50, high=50), whole(4, low=0, high=9)
case("bitwise_and", [a, b], np.bitwise_and)
case("bitwise_or", [a, b], np.bitwise_or)
case("bitwise_xor", [a, b], np.bitwise_xor)
case("bitwise_not", [a], np.bitwise_not)
case("left_shift", [a, b], np.left_shift)
case("right_shift", [a, b], np.right_shift)

# reductions
gaps = real(3, 4)
gaps[0, 1] = gaps[2, 2] = np.nan
gaps[1] = [1, np.nan, np.nan, 2]
case("nansum", [gaps], lambda x: np.nansum(x, axis=0))
case("nanmean", [gaps], lambda x: np.nanmean(x, axis=1))
case("nanmax", [gaps], lambda x: np.nanmax(x, axis=1))
case("nanmin", [gaps], np.nanmin)
case("ptp", [real(3, 4)], lambda x: np.ptp(x, axis=1))
case("average", [real(3, 4), real(3, low=0.1)], lambda x, w: np.average(x, axis=0, weights=w))
case("diff", [real(3, 5)], lambda x: np.diff(x, n=2))
case("diff_axis", [real(3, 5)], lambda x: np.diff(x, axis=0))
case("trapezoid", [real(3, 5)], lambda y: np.trapezoid(y, dx=0.5))
case("trapezoid_x", [real(3, 5), np.sort(real(5))], lambda y, x: np.trapezoid(y, x))

# joining, cutting, turning
case("hstack", [real(2, 3), real(2, 1)], lambda a, b: np.hstack((a, b)))
case("hstack_vectors", [real(2), real(3)], lambda a, b: np.hstack((a, b)))
case("vstack", [real(3), real(2, 3)], lambda a, b: np.vstack((a, b)))
case("dstack", [real(3), real(3)], lambda a, b: np.dstack((a, b)))
case("column_stack", [real(3), real(3, 2)], lambda a, b: np.column_stack((a, b)))
case("array_split", [real(2, 7)], lambda x: np.array_split(x, 3, axis=1))
case("hsplit", [real(2, 4)], lambda x: np.hsplit(x, 2))
case("vsplit", [real(4, 2)], lambda x: np.vsplit(x, 2))
case("unstack", [real(2, 3)], lambda x: [x[:, 0], x[:, 1], x[:, 2]])
case("rot90", [real(2, 3)], np.rot90)
case("rot90_three", [real(2, 3, 2)], lambda x: np.rot90(x, 3, (1, 2)))
case("rot90_two", [real(2, 3)], lambda x: np.rot90(x, -2))
case("fliplr", [real(2, 3)], np.fliplr)
case("flipud", [real(2, 3)], np.flipud)
case("meshgrid", [real(2), real(3), real(2)], np.meshgrid)
case("meshgrid_matrix", [real(2), real(3)], lambda a, b: np.meshgrid(a, b, indexing="ij"))


def updated(x, places, y):
    x = x.copy()
    x[places] = y
    return x


case("slice_update", [real(3, 4), real(2, 2)],
     lambda x, y: updated(x, (slice(1, 3), slice(0, 2)), y))
case("scatter_update", [real(3, 4, 2), np.array([[0, 1], [2, -1]], np.int32), real(2, 2)],
     lambda x, i, y: updated(x, (i[:, 0], i[:, 1]), y))
case("scatter_update_rows", [real(4, 2), np.array([[3], [0]], np.int32), real(2, 2)],
     lambda x, i, y: updated(x, i[:, 0], y))
case("scatter_update_repeated", [real(3, 2), np.array([[1], [-1], [-2], [1]], np.int32), real(4, 2)],
     lambda x, i, y: updated(x, i[:, 0], y))

# linear algebra; factors up to their signs
case("norm", [real(3, 4)], lambda x: np.linalg.norm(x))
case("norm_one", [real(3, 4)], lambda x: np.linalg.norm(x, 1, axis=0))
case("norm_three", [real(3, 4)], lambda x: np.linalg.norm(x, 3, axis=1, keepdims=True))
case("norm_inf", [real(3, 4)], lambda x: np.linalg.norm(x, np.inf, axis=1))
case("matrix_norms", [real(3, 4)],
     lambda x: [np.linalg.norm(x, kind) for kind in ("fro", "nuc", 2, 1, np.inf)])
case("cdist", [real(4, 3), real(5, 3)], cdist)
case("solve", [square(4), real(4, 3)], np.linalg.solve)
case("solve_vector", [square(3), real(3)], np.linalg.solve)
case("solve_batch", [square(3, (2,)), real(3, 2)], np.linalg.solve)
triangle = square(4)
case("solve_triangular", [triangle, real(4, 2)], scipy.linalg.solve_triangular)
case("solve_triangular_lower", [triangle, real(4, 2)],
     lambda a, b: scipy.linalg.solve_triangular(a, b, lower=True))
case("solve_triangular_transposed", [triangle, real(4, 2)],
     lambda a, b: scipy.linalg.solve_triangular(a, b, trans=1))
case("inv", [square(4, (2,))], np.linalg.inv)
case("pinv", [real(4, 2)], np.linalg.pinv)
case("pinv_wide", [real(2, 4)], np.linalg.pinv)
case("pinv_low_rank", [np.outer([1.0, 2, 3], [1.0, -1])], np.linalg.pinv)
case("lstsq", [real(5, 3), real(5, 2)], lambda a, b: np.linalg.lstsq(a, b)[0])
case("lstsq_wide", [real(2, 4), real(2)], lambda a, b: np.linalg.lstsq(a, b)[0])
case("det", [square(4, (2,))], np.linalg.det)
case("det_odd", [np.array([[0.0, 2, 0], [1, 0, 0], [0, 0, 3]])], np.linalg.det)
case("slogdet", [square(5)], lambda x: tuple(np.linalg.slogdet(x)))
case("slogdet_singular", [np.array([[1.0, 2], [2, 4]])], lambda x: tuple(np.linalg.slogdet(x)))
case("logdet", [definite(4)], lambda x: np.linalg.slogdet(x)[1])
case("matrix_power", [square(3)], lambda x: np.linalg.matrix_power(x, 5))
case("matrix_power_minus", [square(3)], lambda x: np.linalg.matrix_power(x, -2))
case("cholesky", [definite(4, (2,))], np.linalg.cholesky)
case("qr", [real(5, 3)], lambda x: [np.abs(y) for y in np.linalg.qr(x)])
case("qr_wide", [real(2, 5)], lambda x: [np.abs(y) for y in np.linalg.qr(x)])
case("svd", [real(2, 4, 3)], lambda x: [np.abs(y) for y in np.linalg.svd(x, full_matrices=False)])
case("svd_wide", [real(2, 5)], lambda x: [np.abs(y) for y in np.linalg.svd(x, full_matrices=False)])
case("eigh", [definite(4)], lambda x: [np.abs(y) for y in np.linalg.eigh(x)])

# found, cut out, put together: after all else, so that what stands before keeps its numbers
sparse = whole(3, 4, low=0, high=3) * np.array([[1], [0], [1]], np.int32)
case("nonzero", [sparse], lambda x: np.stack(np.nonzero(x)))
case("nonzero_real", [np.array([0.0, -0.0, np.nan, 1e-30, np.inf])],
     lambda x: np.stack(np.nonzero(x)))
case("nonzero_none", [np.zeros((2, 3))], lambda x: np.stack(np.nonzero(x)))
case("nonzero_cut", [sparse], lambda x: np.stack(np.nonzero(x))[:, :3])
case("nonzero_filled", [sparse],
     lambda x: np.pad(np.stack(np.nonzero(x)), [(0, 0), (0, 12 - np.count_nonzero(x))],
                      constant_values=-7))
block = real(4, 5, 3)
case("get_item_index", [block], lambda x: x[-2])
case("get_item_mixed", [block], lambda x: x[1, ::-2, ..., None])
case("get_item_steps", [block], lambda x: x[::3, -2::-1, 2:0:-1])
case("get_item_ends", [block], lambda x: x[-9:2, 3:99, ...])
case("get_item_empty", [block], lambda x: x[3:1, None, 4])
case("get_item_one", [block], lambda x: x[3, 4, 2])


def scattered(indices, values, shape):
    out = np.zeros(shape)
    np.add.at(out, tuple(indices.T), values)
    return out


twice = np.array([[0, 1], [2, -1], [0, 1]], np.int32)
case("scatter", [twice, real(3)], lambda i, v: scattered(i, v, (3, 4)))
case("scatter_rows", [twice[:, 1:], real(3, 2)], lambda i, v: scattered(i, v, (4, 2)))
case("scatter_blocks", [twice, real(3, 2)], lambda i, v: scattered(i, v, (3, 4, 2)))
case("nanargmax", [gaps], lambda x: np.nanargmax(x, axis=0))
case("nanargmin", [gaps], lambda x: np.nanargmin(x, axis=1))
case("nanargmin_all", [gaps], np.nanargmin)
# Where NumPy warns of a wrong answer: -inf behind a NaN; it refuses a row of NaN, which gives -1.
case("nanargmax_low", [np.array([[np.nan, -np.inf], [np.nan, np.nan]])],
     lambda x: np.array([1, -1]))
for method in ("lower", "higher", "midpoint", "nearest"):
    case(f"quantile_{method}", [real(3, 6), np.array([0.0, 0.1, 0.3, 0.5, 0.75, 0.8, 1.0])],
         lambda x, q: np.quantile(x, q, axis=1, method=method))
for mode in ("edge", "wrap", "reflect", "symmetric"):
    case(f"pad_{mode}", [real(3, 4)], lambda x: np.pad(x, [(1, 2), (0, 3)], mode))
    case(f"pad_{mode}_far", [real(3)], lambda x: np.pad(x, (8, 7), mode))
case("pad_reflect_one", [real(1)], lambda x: np.pad(x, (2, 3), "reflect"))
case("get_item_before", [block], lambda x: x[-99::-1, 99::-2, :-99:-1])

# options of functions
halves = np.array([[0.125, 0.375, -0.125, 2.5], [1234.5, -1250, 1350, np.nan], [1e300, -np.inf, 0, 5]])
case("round_decimals", [halves], lambda x: np.round(x, 2))
case("round_tens", [halves], lambda x: np.round(x, -2))
case("max_initial", [real(3, 4)], lambda x: np.max(x, axis=1, initial=0.5))
case("min_initial", [gaps], lambda x: np.min(x, axis=0, keepdims=True, initial=-0.5))
case("max_initial_whole", [whole(3, 4, low=-50, high=50)], lambda x: np.max(x, initial=7))
case("repeat_each", [real(3, 4)], lambda x: np.repeat(x, [2, 0, 3, 1], axis=1))
case("repeat_each_flat", [real(2, 2)], lambda x: np.repeat(x, [0, 3, 1, 2]))
case("repeat_none", [real(2, 2)], lambda x: np.repeat(x, [0, 0], axis=0))
case("roll_axes", [real(3, 4, 2)], lambda x: np.roll(x, (1, -7), axis=(0, -2)))
case("roll_axes_alike", [real(3, 4, 2)], lambda x: np.roll(x, 5, axis=(1, 2)))
case("roll_axis_twice", [real(3, 4)], lambda x: np.roll(x, (1, 2), axis=(1, 1)))
case("moveaxis_two", [real(2, 3, 4, 5)], lambda x: np.moveaxis(x, (0, -1), (2, 0)))
case("moveaxis_three", [real(2, 3, 4, 5)], lambda x: np.moveaxis(x, (3, 0, 1), (0, 1, -1)))
for name, ufunc in [("add", np.add), ("max", np.maximum), ("min", np.minimum), ("mul", np.multiply)]:
    def scattered(x, places, y):
        x = x.copy()
        ufunc.at(x, tuple(places.T), y)
        return x
    case(f"scatter_{name}", [real(3, 4, 2), np.array([[0, 1], [2, -1], [0, 1], [-3, 1]], np.int32),
                             real(4, 2)], scattered)
    case(f"scatter_{name}_whole", [whole(5, low=-9, high=9), np.array([[4], [0], [-1]], np.int32),
                                   whole(3, low=-9, high=9)], scattered)

# factors with all their columns; of several that may be any basis, what they span
def spans(q, k):
    return [np.abs(q[..., :k]), q[..., k:] @ q[..., k:].swapaxes(-1, -2)]


case("cholesky_upper", [definite(3, (2,))], lambda x: np.linalg.cholesky(x, upper=True))
case("qr_complete", [real(2, 5, 3)],
     lambda x: spans(np.linalg.qr(x, "complete")[0], 3) + [np.abs(np.linalg.qr(x, "complete")[1])])
case("qr_complete_wide", [real(2, 5)], lambda x: [np.abs(y) for y in np.linalg.qr(x, "complete")])
case("svd_full", [real(2, 5, 3)],
     lambda x: spans(np.linalg.svd(x)[0], 3) + [np.abs(np.linalg.svd(x)[2])])
case("svd_full_wide", [real(2, 5)],
     lambda x: [np.abs(np.linalg.svd(x)[0])] + spans(np.linalg.svd(x)[2].T, 2))

# the file
types = {"float64": "F64", "int32": "I32", "bool": "BOOL"}
header = {"__metadata__": {"numpy": np.__version__, "scipy": scipy.__version__}}
data = b""
for name, x in tensors.items():
    raw = np.ascontiguousarray(x).tobytes()
    raw_end = len(data) + len(raw)
    header[name] = {"dtype": types[x.dtype.name], "shape": list(x.shape),
                    "data_offsets": [len(data), raw_end]}
    data += raw
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "numpy.safetensors")
with open(path, "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
print(f"{len(tensors)} tensors, {8 + len(text) + len(data)} bytes: {path}")
