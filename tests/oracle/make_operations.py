#!/usr/bin/env python3
"""Writes tests/oracle/operations.safetensors: what JAX (float64, on the CPU) says of gradtape's
operations, values and vector-Jacobian products; where NumPy or SciPy have the function too, they must
agree here first. tests/test_oracle.c replays the file.

    pip install jax numpy scipy safetensors
    python3 tests/oracle/make_operations.py

A case is a vector of doubles under a number, its inputs, its outputs and its gradients one after the
other, and a line of metadata under the same number:

    NAME option=value ... | input type:dims ... | output type:dims ... [| gradient]

NAME is an operation's, or a call of C that the test knows, on x or a, b, c. The gradients are those of
the float inputs when number i of output k has the gradient sin(1 + 3.7 k + 1.3 i). Inputs are multiples
of 1/256 or 1/4096, so that they are the same numbers in float32.
"""
import os

import jax
import jaxlib
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import safetensors.numpy
import scipy
import scipy.special

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
rng = np.random.default_rng(2024)
tensors, metadata = {}, {}


# ---- inputs ----

def real(*shape, low=-2.0, high=2.0):
    return np.round(rng.uniform(low, high, shape) * 256) / 256


def positive(*shape):
    return real(*shape, low=0.5, high=2.0)


def apart(*shape, low=-2.0, high=2.0):
    """No two numbers close together, none close to a whole number."""
    n = int(np.prod(shape))
    grid = np.round(np.linspace(low, high, n + 2)[1:-1] * 4096) / 4096
    grid = np.where(np.abs(grid - np.round(grid)) < 1 / 64, grid + 1 / 32, grid)
    return rng.permutation(grid).reshape(shape)


def whole(low, high, *shape, dtype=np.int32):
    return rng.integers(low, high, shape).astype(dtype)


def truth(*shape):
    return rng.integers(0, 2, shape).astype(bool)


def matrix(*shape):
    """Well conditioned, square in the last two axes."""
    return real(*shape) + 4 * np.eye(shape[-1])


# ---- one case ----

def is_float(x):
    return np.issubdtype(x.dtype, np.floating)


def listed(result):
    return [result] if not isinstance(result, (tuple, list)) else list(result)


def spec(x):
    return f"{x.dtype}:{','.join(str(d) for d in x.shape)}"


def text_of(value):
    if isinstance(value, (tuple, list)):
        return ",".join(str(v) for v in value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def weights(k, x):
    return np.sin(1 + 3.7 * k + 1.3 * np.arange(x.size)).reshape(x.shape)


def case(name, function, *inputs, check=None, gradient=True, **options):
    """`function` gives one array or several; `check` is the same of NumPy or SciPy."""
    inputs = [np.asarray(x) for x in inputs]
    with np.errstate(all="ignore"):
        outputs = [np.asarray(y) for y in listed(function(*map(jnp.asarray, inputs)))]
        for mine, theirs in zip(outputs, listed(check(*inputs)) if check else []):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13, err_msg=name)
    variables = [i for i, x in enumerate(inputs) if is_float(x)]
    numbers = [np.ravel(x).astype(np.float64) for x in inputs + outputs]
    gradient = gradient and variables and any(is_float(y) for y in outputs)
    if gradient:
        def of_floats(*values):
            full = [jnp.asarray(x) for x in inputs]
            for i, value in zip(variables, values):
                full[i] = value
            return [y for y in listed(function(*full)) if is_float(y)]
        _, pullback = jax.vjp(of_floats, *[jnp.asarray(inputs[i]) for i in variables])
        up = [jnp.asarray(weights(k, y)) for k, y in enumerate(outputs) if is_float(y)]
        numbers += [np.ravel(np.asarray(g)) for g in pullback(up)]
    key = f"{len(tensors):04d}"
    words = [name] + [f"{k}={text_of(v)}" for k, v in options.items()]
    line = " | ".join([" ".join(words), " ".join(map(spec, inputs)), " ".join(map(spec, outputs))])
    metadata[key] = line + (" | gradient" if gradient else "")
    tensors[key] = np.concatenate(numbers) if numbers else np.zeros(0)


# ---- element by element ----

UNARY_SHAPES = [(7,), (2, 3), (2, 1, 2), (), (0, 3)]
SPECIAL = np.array([-np.inf, -1.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, np.inf, np.nan])


def unary(name, function, check, low, high, gradient=True, special=True, make=real):
    for shape in UNARY_SHAPES:
        case(name, function, make(*shape, low=low, high=high), check=check, gradient=gradient)
    if special:
        case(name, function, SPECIAL, check=check, gradient=False)


for name, low, high in [
        ("negative", -2, 2), ("square", -2, 2), ("sqrt", 0.25, 4), ("reciprocal", 0.5, 4),
        ("exp", -3, 3), ("expm1", -1, 1), ("log", 0.125, 4), ("log1p", -0.75, 3), ("log2", 0.125, 4),
        ("log10", 0.125, 4), ("sin", -7, 7), ("cos", -7, 7), ("tan", -1.25, 1.25),
        ("arcsin", -0.75, 0.75), ("arccos", -0.75, 0.75), ("arctan", -4, 4), ("sinh", -3, 3),
        ("cosh", -3, 3), ("tanh", -3, 3), ("arcsinh", -3, 3), ("arccosh", 1.25, 4),
        ("arctanh", -0.75, 0.75)]:
    unary(name, getattr(jnp, name), getattr(np, name), low, high)
unary("rsqrt", jax.lax.rsqrt, lambda x: 1 / np.sqrt(x), 0.25, 4)
unary("erf", jsp.special.erf, scipy.special.erf, -3, 3)
unary("erfc", jsp.special.erfc, scipy.special.erfc, -3, 5)
unary("abs", jnp.abs, np.abs, -2, 2, make=apart)
for name in ["floor", "ceil", "round", "trunc", "sign"]:
    unary(name, getattr(jnp, name), getattr(np, name), -3, 3, gradient=False, make=apart)
case("round", jnp.round, np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), check=np.round, gradient=False)
for name in ["isnan", "isinf", "isfinite"]:
    case(name, getattr(jnp, name), SPECIAL, check=getattr(np, name))
    case(name, getattr(jnp, name), real(2, 3), check=getattr(np, name))
for low, high in [(-0.01, 1.01), (-1.49, 0.74)]:
    for shape in UNARY_SHAPES:
        case("clip", lambda x: jnp.clip(x, low, high), apart(*shape),
             check=lambda x: np.clip(x, low, high), low=low, high=high)
case("identity", lambda x: x, real(2, 3))
case("stop_gradient", lambda x: x, real(2, 3), gradient=False)
for dtype in ["float32", "float64", "int32", "int64", "uint8", "bool"]:
    case("cast", lambda x: x.astype(dtype), whole(0, 9, 2, 3), check=lambda x: x.astype(dtype),
         dtype=dtype)
case("cast", lambda x: x.astype("int32"), apart(7, high=9), dtype="int32")
case("cast", lambda x: x.astype("float64"), real(2, 3), dtype="float64")

unary("relu", jax.nn.relu, lambda x: np.maximum(x, 0), -2, 2, make=apart)
unary("sigmoid", jax.nn.sigmoid, scipy.special.expit, -5, 5)
unary("softplus", jax.nn.softplus, lambda x: np.logaddexp(x, 0), -5, 5)
for slope in [0.2, 0.5]:
    case("leaky_relu", lambda x: jax.nn.leaky_relu(x, slope), apart(2, 5), negative_slope=slope)
for name in ["relu6", "elu", "selu", "log_sigmoid", "hard_sigmoid", "silu", "hard_silu", "mish",
             "gelu", "gelu_exact", "softsign"]:
    function = {"gelu_exact": lambda x: jax.nn.gelu(x, approximate=False),
                "softsign": jax.nn.soft_sign}.get(name) or getattr(jax.nn, name)
    for shape in [(7,), (2, 3), ()]:
        case(f"gt_{name}(x)", function, apart(*shape, low=-4, high=7))

BINARY_SHAPES = [((2, 3), (2, 3)), ((2, 1, 3), (4, 1)), ((), (3,)), ((2, 3), (3,)), ((0, 3), (1, 3))]
SPECIAL_A = np.repeat([-np.inf, -1.5, 0.0, 2.0, np.inf, np.nan], 6)
SPECIAL_B = np.tile([-np.inf, -1.5, 0.5, 2.0, np.inf, np.nan], 6)


def binary(name, function, check, make_a, make_b, gradient=True, special=True):
    for a, b in BINARY_SHAPES:
        case(name, function, make_a(*a), make_b(*b), check=check, gradient=gradient)
    if special:
        case(name, function, SPECIAL_A, SPECIAL_B, check=check, gradient=False)


for name in ["add", "subtract", "multiply"]:
    binary(name, getattr(jnp, name), getattr(np, name), real, real)
    case(name, getattr(jnp, name), whole(-9, 9, 2, 3), whole(-9, 9, 3), check=getattr(np, name))
binary("divide", jnp.divide, np.divide, real, positive)
binary("power", jnp.power, np.power, positive, real)
binary("arctan2", jnp.arctan2, np.arctan2, positive, real)


def odd(*shape):
    return (2 * rng.integers(-8, 8, shape) + 1) / 16 + 1 / 512


for name in ["maximum", "minimum"]:
    binary(name, getattr(jnp, name), getattr(np, name), odd, lambda *s: np.round(real(*s) * 8) / 8)
    case(name, getattr(jnp, name), whole(-9, 9, 2, 3), whole(-9, 9, 3), check=getattr(np, name))
binary("mod", jnp.mod, np.mod, lambda *s: real(*s, low=3.125, high=3.375),
       lambda *s: real(*s, low=1.25, high=1.5), special=False)
case("mod", jnp.mod, whole(-9, 9, 4, 3), whole(1, 5, 3), check=np.mod)
binary("floor_divide", jnp.floor_divide, np.floor_divide, lambda *s: real(*s, low=3.125, high=3.375),
       lambda *s: real(*s, low=1.25, high=1.5), gradient=False, special=False)
case("floor_divide", jnp.floor_divide, whole(-9, 9, 4, 3), whole(1, 5, 3), check=np.floor_divide)
binary("divide_no_nan", lambda a, b: jnp.where(b == 0, 0, a / jnp.where(b == 0, 1, b)), None, real,
       positive, special=False)
case("divide_no_nan", lambda a, b: jnp.where(b == 0, 0, a / b), real(3), np.zeros(3), gradient=False)
for name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
    binary(name, getattr(jnp, name), getattr(np, name), lambda *s: np.round(real(*s)),
           lambda *s: np.round(real(*s)))
    case(name, getattr(jnp, name), whole(-2, 3, 4, 3), whole(-2, 3, 3), check=getattr(np, name))
for name in ["logical_and", "logical_or", "logical_xor"]:
    for a, b in BINARY_SHAPES:
        case(name, getattr(jnp, name), truth(*a), truth(*b), check=getattr(np, name))
case("logical_not", jnp.logical_not, truth(2, 5), check=np.logical_not)
for c, a, b in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), (4, 1, 1)), ((2, 1), (), (3,)),
                ((0,), (0,), (1,))]:
    case("where", jnp.where, truth(*c), real(*a), real(*b), check=np.where)


# ---- along axes ----

def reduction(name, function, check, make, gradient=True):
    for shape, axes, keepdims in [((5,), None, False), ((2, 3), 0, False), ((2, 3), -1, True),
                                  ((2, 3, 2), (0, 2), False), ((2, 3, 2), (1, -1), True),
                                  ((2, 2, 2), None, True), ((2, 1, 3), 1, False)]:
        options = {} if axes is None else {"axes" if isinstance(axes, tuple) else "axis": axes}
        if keepdims:
            options["keepdims"] = True
        case(name, lambda x: function(x, axis=axes, keepdims=keepdims), make(*shape),
             check=lambda x: check(x, axis=axes, keepdims=keepdims), gradient=gradient, **options)


for name, make in [("sum", real), ("mean", real), ("prod", real), ("max", apart), ("min", apart)]:
    reduction(name, getattr(jnp, name), getattr(np, name), make)
for name in ["sum", "prod"]:
    case(name, lambda x: getattr(jnp, name)(x, axis=0), np.zeros((0, 3)), axis=0)
    case(name, lambda x: getattr(jnp, name)(x, axis=1), whole(-4, 5, 3, 4, dtype=np.int64), axis=1)
case("prod", jnp.prod, np.array([2.0, 0.0, 3.0]), check=np.prod)
case("prod", lambda x: jnp.prod(x, axis=1), np.array([[0.0, 0.0, 3.0], [1.5, 2.0, 0.0]]), axis=1)
case("max", jnp.max, np.array([1.0, 3.0, 3.0, 2.0]), check=np.max)
case("min", lambda x: jnp.min(x, axis=0), np.array([[1.0, 3.0], [1.0, 2.0], [4.0, 2.0]]), axis=0)
for name in ["all", "any"]:
    reduction(name, getattr(jnp, name), getattr(np, name), truth)
for shape, axes in [((5,), 1), ((2, 3), 1), ((2, 3), 2), ((2, 3, 2), 2)]:
    case("logsumexp", lambda x: jsp.special.logsumexp(x, axis=tuple(range(-axes, 0))), real(*shape),
         check=lambda x: scipy.special.logsumexp(x, axis=tuple(range(-axes, 0))), axes=tuple(range(-axes, 0)))
case("logsumexp", lambda x: jsp.special.logsumexp(x, axis=-1), np.array([[100.0, 101], [-100, -99]]),
     axis=-1)
for name in ["argmax", "argmin"]:
    for shape, axis in [((7,), None), ((3, 4), None), ((3, 4), 0), ((2, 3, 2), -2)]:
        options = {} if axis is None else {"axis": axis}
        case(name, lambda x: getattr(jnp, name)(x, axis=axis).astype(jnp.int32), apart(*shape),
             check=lambda x: getattr(np, name)(x, axis=axis), **options)
    case(name, lambda x: getattr(jnp, name)(x).astype(jnp.int32), np.array([2.0, 5, 1, 5, 1]))
for name in ["cumsum", "cumprod"]:
    function, check = getattr(jnp, name), getattr(np, name)
    for shape, axis in [((5,), 0), ((2, 4), 1), ((3, 2), 0), ((2, 3, 2), -2)]:
        case(name, lambda x: function(x, axis=axis), real(*shape), check=lambda x: check(x, axis=axis),
             axis=axis)
        case(name, lambda x: jnp.flip(function(jnp.flip(x, axis), axis=axis), axis), real(*shape),
             axis=axis, reverse=True)
case("cumprod", lambda x: jnp.cumprod(x), np.array([2.0, 0.0, 3.0, 0.0, 1.5]), axis=0)
case("cumsum", lambda x: jnp.cumsum(x, axis=1) - x, real(2, 4), axis=1, exclusive=True)
for name, check in [("softmax", scipy.special.softmax), ("log_softmax", scipy.special.log_softmax)]:
    for shape, axis in [((5,), -1), ((2, 3), -1), ((3, 4), 0), ((2, 3, 2), 1)]:
        case(name, lambda x: getattr(jax.nn, name)(x, axis=axis), real(*shape, low=-5, high=5),
             check=lambda x: check(x, axis=axis), axis=axis)
    case(name, getattr(jax.nn, name), np.array([[1000.0, 999, -1000], [0, 0, 0]]))
for text, function in [("gt_variance(x, .axis = 1)", lambda x: jnp.var(x, axis=1)),
                       ("gt_std(x, .axis = 0, .keepdims = true)",
                        lambda x: jnp.std(x, axis=0, keepdims=True)),
                       ("gt_variance(x)", jnp.var),
                       ("gt_count_nonzero(x, .axis = 1)",
                        lambda x: jnp.count_nonzero(x, axis=1).astype(jnp.int32)),
                       ("gt_cumsum(x)", jnp.cumsum), ("gt_cumprod(x)", jnp.cumprod),
                       ("gt_logsumexp(x, .axis = 0)", lambda x: jsp.special.logsumexp(x, axis=0))]:
    case(text, function, real(3, 4))

# ---- other shapes, other orders ----

for shape, to in [((2, 3), (3, 2)), ((6,), (1, 2, 3)), ((1,), ()), ((0, 3), (3, 0))]:
    case("reshape", lambda x: jnp.reshape(x, to), real(*shape), shape=to)
for shape, perm in [((2, 3), None), ((2, 3, 2), (1, 0, 2)), ((2, 3, 1), (2, 0, 1)),
                    ((2, 1, 3, 2), (3, 1, 0, 2))]:
    case("transpose", lambda x: jnp.transpose(x, perm), real(*shape),
         check=lambda x: np.transpose(x, perm), **({"perm": perm} if perm else {}))
for shape, to in [((3,), (2, 3)), ((2, 1), (2, 4)), ((), (2, 2)), ((1, 3, 1), (2, 3, 2))]:
    case("broadcast_to", lambda x: jnp.broadcast_to(x, to), real(*shape), shape=to)
for shape, axes in [((5,), None), ((2, 3), (1,)), ((2, 3, 2), (0, -1))]:
    case("flip", lambda x: jnp.flip(x, axes), real(*shape), check=lambda x: np.flip(x, axes),
         **({"axes": axes} if axes else {}))
for shape, before, after, value in [((3,), (1,), (2,), 0), ((2, 3), (0, 1), (1, 0), -1.5),
                                    ((2, 1, 2), (1, 0, 2), (0, 1, 0), 0.25)]:
    case("pad", lambda x: jnp.pad(x, list(zip(before, after)), constant_values=value), real(*shape),
         before=before, after=after, value=value)
for shapes, axis in [([(2, 3), (1, 3)], 0), ([(2, 1), (2, 2), (2, 3)], -1), ([(2,), (0,), (3,)], 0),
                     ([(1, 2, 2), (1, 1, 2)], 1)]:
    case("concatenate", lambda *x: jnp.concatenate(x, axis), *[real(*s) for s in shapes],
         check=lambda *x: np.concatenate(x, axis), axis=axis)
for name, shape, begin, extent in [("slice", (5,), (1,), (3,)), ("slice", (3, 4), (1, 1), (2, 2)),
                                   ("slice", (2, 3, 4), (0, 1, 3), (2, 2, 1)),
                                   ("slice", (4, 3), (1, 0), (2, 3))]:
    case(name, lambda x: jax.lax.dynamic_slice(x, begin, extent), real(*shape), begin=begin,
         extent=extent)
for shape, indices, axis in [((5,), [0, 4, 4, -1], 0), ((3, 4), [[0, 2], [1, -2]], 1),
                             ((2, 3, 2), [1], -1), ((4, 3), [3, 0, 3], 0)]:
    at = np.array(indices, np.int32)
    case("take", lambda x, i: jnp.take(x, i, axis=axis), real(*shape), at,
         check=lambda x, i: np.take(x, i, axis=axis), axis=axis)
    updates = np.take(np.zeros(shape), at, axis=axis).shape
    case("scatter_add", lambda i, u: jax.vjp(lambda z: jnp.take(z, i, axis=axis),
                                             jnp.zeros(shape))[1](u)[0],
         at, real(*updates), axis=axis, shape=shape)
for shape, index_shape, axis in [((5,), (3,), 0), ((3, 4), (3, 2), 1), ((3, 2), (4, 2), 0),
                                 ((2, 3, 2), (2, 1, 2), -2)]:
    at = whole(0, shape[axis], *index_shape)
    case("take_along_axis", lambda x, i: jnp.take_along_axis(x, i, axis), real(*shape), at,
         check=lambda x, i: np.take_along_axis(x, i.astype(np.int64), axis), axis=axis)
for depth, axis in [(4, -1), (3, 0)]:
    case("one_hot", lambda i: jax.nn.one_hot(i, depth, axis=axis, dtype=jnp.float64),
         np.array([[0, 2, 1], [3, 0, -1]], np.int32), depth=depth, axis=axis, dtype="float64")
for name in ["tril", "triu"]:
    for shape, k in [((3, 3), 0), ((2, 4), 1), ((2, 3, 2), -1)]:
        case(name, lambda x: getattr(jnp, name)(x, k), real(*shape), check=lambda x: getattr(np, name)(x, k),
             k=k)
for text, function, shape in [
        ("gt_ravel(x)", jnp.ravel, (2, 3)), ("gt_expand_dims(x, 1)", lambda x: jnp.expand_dims(x, 1), (2, 3)),
        ("gt_squeeze(x)", jnp.squeeze, (1, 3, 1)), ("gt_moveaxis(x, 0, 2)", lambda x: jnp.moveaxis(x, 0, 2), (2, 3, 2)),
        ("gt_swapaxes(x, 0, 2)", lambda x: jnp.swapaxes(x, 0, 2), (2, 3, 1)),
        ("gt_roll(x, 2, .axis = 1)", lambda x: jnp.roll(x, 2, 1), (2, 3)), ("gt_roll(x, -1)", lambda x: jnp.roll(x, -1), (2, 3)),
        ("gt_repeat(x, 2, .axis = 1)", lambda x: jnp.repeat(x, 2, 1), (2, 3)), ("gt_repeat(x, 3)", lambda x: jnp.repeat(x, 3), (2, 2)),
        ("gt_tile(x, gt_shape(2, 3))", lambda x: jnp.tile(x, (2, 3)), (2, 2)),
        ("gt_diagonal(x, .offset = 1)", lambda x: jnp.diagonal(x, 1), (3, 4)),
        ("gt_diagonal(x, .axis1 = 1, .axis2 = 2)", lambda x: jnp.diagonal(x, 0, 1, 2), (2, 3, 3)),
        ("gt_trace(x)", jnp.trace, (3, 3)), ("gt_trace(x)", jnp.trace, (3, 2, 2)),
        ("gt_diag(x)", jnp.diag, (3,)), ("gt_diag(x, .k = -1)", lambda x: jnp.diag(x, -1), (3, 3)),
        ("gt_diagflat(x, .k = 1)", lambda x: jnp.diagflat(x, 1), (2, 2))]:
    case(text, function, real(*shape))
case("gt_stack(gt_tensors(a, b), .axis = 1)", lambda a, b: jnp.stack([a, b], 1), real(2, 3), real(2, 3))

# ---- order ----

for shape in [(7,), (2, 5), (2, 2, 3)]:
    for descending in [False, True]:
        def sort(x):
            order = jnp.argsort(x, axis=-1, descending=descending)
            return jnp.take_along_axis(x, order, -1), order.astype(jnp.int32)
        case("sort", sort, apart(*shape), **({"descending": True} if descending else {}))
case("sort", lambda x: [y.astype(d) for y, d in zip(jax.lax.top_k(x, 2), ["float64", "int32"])],
     apart(3, 5), descending=True, keep=2)
for side in ["left", "right"]:
    edges = np.array([-1.0, 0.0, 0.5, 0.5, 2.0])
    case("searchsorted", lambda s, v: jnp.searchsorted(s, v, side=side).astype(jnp.int32), edges,
         np.array([[-2.0, -1, 0.25], [0.5, 2, 3]]), check=lambda s, v: np.searchsorted(s, v, side),
         right=side == "right")
case("gt_sort(x, .axis = 0)", lambda x: jnp.sort(x, axis=0), apart(4, 3))
case("gt_argsort(x)", lambda x: jnp.argsort(x).astype(jnp.int32), apart(4, 3))
for text, function in [
        ("gt_quantile(x, 0.3, .axis = 0)", lambda x: jnp.quantile(x, 0.3, axis=0)),
        ("gt_percentile(x, 75)", lambda x: jnp.percentile(x, 75)),
        ("gt_median(x, .axis = 1)", lambda x: jnp.median(x, axis=1)),
        ("gt_median(x, .axis = 0, .keepdims = true)",
         lambda x: jnp.median(x, axis=0, keepdims=True))]:
    case(text, function, apart(5, 4))
case("gt_quantile(a, b, .axis = 1)", lambda a, b: jnp.quantile(a, jax.lax.stop_gradient(b), axis=1),
     apart(3, 4), np.array([0.125, 0.5]), gradient=False)
case("gt_digitize(a, b)", lambda a, b: jnp.digitize(a, b).astype(jnp.int32), apart(2, 4),
     np.array([-1.0, 0, 1]))
case("gt_bincount(x, .length = 6)", lambda x: jnp.bincount(x, length=6).astype(jnp.int32),
     np.array([0, 3, 3, 1, 5], np.int32))
case("gt_isin(a, b)", jnp.isin, whole(0, 6, 2, 4), np.array([1, 4], np.int32))
case("gt_histogram(x, .bins = 4, .low = -2, .high = 2).counts",
     lambda x: jnp.histogram(x, 4, (-2, 2))[0].astype(jnp.int32), apart(12))

ids = np.array([0, 2, 0, 2, 3], np.int32)
for shape in [(5,), (5, 2)]:
    for name in ["segment_max", "segment_min"]:
        case(name, lambda x, i: getattr(jax.ops, name)(x, i, 4), apart(*shape), ids, segments=4)
    case("segment_prod", lambda x, i: jnp.stack([jnp.prod(x[ids == k], axis=0) for k in range(4)]),
         apart(*shape), ids, segments=4)
case("gt_segment_sum(a, b, 4)", lambda x, i: jax.ops.segment_sum(x, i, 4), real(5, 2), ids)

# ---- products ----

for a, b, ta, tb in [((2, 3), (3, 4), 0, 0), ((3, 2), (3, 2), 1, 0), ((2, 3), (2, 3), 0, 1),
                     ((3, 2), (4, 3), 1, 1), ((3,), (3,), 0, 0), ((2, 3), (3,), 0, 0),
                     ((3,), (3, 2), 0, 0), ((2, 1, 2, 3), (3, 3, 2), 0, 0), ((2, 2, 3), (3, 2), 0, 0),
                     ((2, 0), (0, 3), 0, 0), ((1, 5), (5, 1), 0, 0)]:
    def swap(x, yes):
        return jnp.swapaxes(x, -1, -2) if yes else x
    case("matmul" if len(a) > 1 and len(b) > 1 else "gt_matmul(a, b)", lambda x, y: swap(x, ta) @ swap(y, tb), real(*a), real(*b),
         **({"transpose_a": True} if ta else {}), **({"transpose_b": True} if tb else {}))
for letters, shapes in [("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("ij,ij->", [(2, 3), (2, 3)]),
                        ("ii->i", [(3, 3)]), ("ij,j", [(2, 3), (3,)]),
                        ("...ij,jk->...ik", [(2, 2, 3), (3, 2)]),
                        ("ab,bc,cd->ad", [(2, 3), (3, 2), (2, 2)])]:
    names = ", ".join("abc"[:len(shapes)])
    case(f'gt_einsum("{letters}", gt_tensors({names}))', lambda *x: jnp.einsum(letters, *x),
         *[real(*s) for s in shapes], check=lambda *x: np.einsum(letters, *x))
for text, function, a, b in [
        ("gt_tensordot(a, b)", jnp.tensordot, (2, 3, 2), (3, 2, 2)),
        ("gt_tensordot(a, b, .count = 1)", lambda a, b: jnp.tensordot(a, b, 1), (2, 3), (3, 2)),
        ("gt_dot(a, b)", jnp.dot, (2, 3), (2, 3, 2)), ("gt_dot(a, b)", jnp.dot, (2, 3), (3,)),
        ("gt_inner(a, b)", jnp.inner, (2, 3), (2, 3)), ("gt_outer(a, b)", jnp.outer, (2, 2), (3,)),
        ("gt_vdot(a, b)", jnp.vdot, (2, 3), (2, 3)), ("gt_kron(a, b)", jnp.kron, (2, 2), (2, 3)),
        ("gt_cross(a, b)", jnp.cross, (2, 3), (2, 3))]:
    case(text, function, real(*a), real(*b))

# ---- images ----

LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}
PADDING = {"VALID": 0, "SAME": 1, "CAUSAL": 2}


def conv(x, kernel, strides, padding, dilation, groups):
    n = x.ndim - 2
    if padding == "CAUSAL":
        padding = [(dilation[0] * (kernel.shape[0] - 1), 0)]
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, rhs_dilation=dilation,
                                        dimension_numbers=LAYOUTS[n], feature_group_count=groups)


for x, kernel, strides, padding, dilation, groups in [
        ((2, 6, 2), (3, 2, 2), (1,), "VALID", (1,), 1), ((1, 7, 2), (3, 2, 1), (2,), "SAME", (1,), 1),
        ((2, 6, 1), (2, 1, 2), (1,), "CAUSAL", (2,), 1), ((1, 6, 4), (2, 2, 2), (1,), "SAME", (1,), 2),
        ((1, 4, 5, 2), (3, 2, 2, 2), (1, 1), "VALID", (1, 1), 1),
        ((1, 5, 4, 2), (2, 3, 2, 2), (2, 1), "SAME", (1, 1), 1),
        ((1, 6, 5, 1), (2, 2, 1, 2), (1, 1), "SAME", (2, 1), 1),
        ((1, 4, 4, 2), (3, 3, 1, 4), (1, 1), "SAME", (1, 1), 2),
        ((2, 3, 3, 2), (1, 1, 2, 3), (1, 1), "VALID", (1, 1), 1),
        ((1, 3, 4, 3, 1), (2, 2, 2, 1, 2), (1, 2, 1), "SAME", (1, 1, 1), 1)]:
    case("conv", lambda a, b: conv(a, b, strides, padding, dilation, groups), real(*x), real(*kernel),
         strides=strides, padding=PADDING[padding], dilation=dilation, groups=groups)
case("gt_depthwise_conv(a, b)",
     lambda a, b: conv(a, b.reshape(2, 2, 1, 4), (1, 1), "VALID", (1, 1), 2), real(1, 4, 3, 2),
     real(2, 2, 2, 2))
case("gt_separable_conv(a, b, c, .padding = GT_PADDING_SAME)",
     lambda a, b, c: conv(conv(a, b.reshape(3, 1, 4), (1,), "SAME", (1,), 2), c, (1,), "VALID", (1,), 1),
     real(1, 5, 2), real(3, 2, 2), real(1, 4, 2))
for text, strides, padding in [("gt_conv_transpose(a, b)", (1, 1), "VALID"),
                               ("gt_conv_transpose(a, b, .strides = gt_shape(2))", (2, 2), "VALID"),
                               ("gt_conv_transpose(a, b, .strides = gt_shape(2), .padding = GT_PADDING_SAME)",
                                (2, 2), "SAME")]:
    case(text, lambda a, b: jax.lax.conv_transpose(a, b, strides, padding, transpose_kernel=True,
                                                   dimension_numbers=LAYOUTS[2]),
         real(1, 3, 2, 2), real(3, 2, 1, 2))


def window(x, pool, strides, padding, start, function):
    return jax.lax.reduce_window(x, start, function, (1, *pool, 1), (1, *strides, 1), padding)


def average_pool(x, pool, strides, padding):
    count = window(jnp.ones_like(x), pool, strides, padding, 0.0, jax.lax.add)
    return window(x, pool, strides, padding, 0.0, jax.lax.add) / count


for x, pool, strides, padding in [((2, 6, 2), (2,), (2,), "VALID"), ((1, 7, 1), (3,), (2,), "SAME"),
                                  ((1, 4, 5, 2), (2, 2), (2, 2), "VALID"),
                                  ((1, 5, 4, 1), (3, 2), (1, 2), "SAME"),
                                  ((1, 3, 3, 2, 2), (2, 2, 2), (1, 1, 1), "SAME")]:
    common = {"pool_size": pool, "strides": strides, "padding": PADDING[padding]}
    case("max_pool", lambda a: window(a, pool, strides, padding, -jnp.inf, jax.lax.max), apart(*x), **common)
    case("average_pool", lambda a: average_pool(a, pool, strides, padding), real(*x), **common)

# ---- losses ----

labels = np.array([[0.25, 0.25, 0.5], [1, 0, 0]])
case("softmax_crossentropy", lambda t, x: -(t * jax.nn.log_softmax(x)).sum(-1), labels,
     real(2, 3, low=-5, high=5))
case("sigmoid_crossentropy", lambda z, x: jax.nn.softplus(x) - x * z, real(2, 3, low=0, high=1),
     real(2, 3, low=-5, high=5))
case("sparse_softmax_crossentropy", lambda t, x: -jnp.take_along_axis(
    jax.nn.log_softmax(x), t[..., None], -1)[..., 0], np.array([2, 0], np.int32),
     real(2, 3, low=-5, high=5))

# ---- linear algebra: signs of vectors are LAPACK's choice, so absolute values are compared ----

for a, b in [((3, 3), (3, 2)), ((2, 2, 2), (2, 2, 1))]:
    case("solve", jnp.linalg.solve, matrix(*a), real(*b))
    case("solve", lambda a, b: jnp.linalg.solve(jnp.swapaxes(a, -1, -2), b), matrix(*a), real(*b),
         transpose=True)
case("gt_solve(a, b)", jnp.linalg.solve, matrix(2, 2, 2), real(1, 2, 3))
case("gt_solve(gt_transpose(a, .perm = gt_axes(0, 2, 1)), b)",
     lambda a, b: jnp.linalg.solve(jnp.swapaxes(a, -1, -2), b), matrix(2, 2, 2), real(1, 2, 3))
case("gt_solve(a, b)", jnp.linalg.solve, matrix(3, 3), real(3))
for lower in [False, True]:
    for transpose in [False, True]:
        case("solve_triangular", lambda a, b: jsp.linalg.solve_triangular(
            a, b, lower=lower, trans=int(transpose)), matrix(3, 3), real(3, 2),
             **({"lower": True} if lower else {}), **({"transpose": True} if transpose else {}))
for shape in [(2, 2), (3, 3), (2, 2, 2)]:
    case("slogdet", lambda x: tuple(jnp.linalg.slogdet(x)), matrix(*shape))
    case("cholesky", jnp.linalg.cholesky, matrix(*shape))
    case("gt_det(x)", jnp.linalg.det, matrix(*shape))
    case("gt_inv(x)", jnp.linalg.inv, matrix(*shape))
    case("gt_eigh(x).values", lambda x: jnp.linalg.eigh(x)[0], real(*shape))
    case("gt_abs(gt_eigh(x).vectors)", lambda x: jnp.abs(jnp.linalg.eigh(x)[1]), real(*shape))
for shape in [(3, 2), (2, 3), (2, 3, 2)]:
    case("pinv", jnp.linalg.pinv, real(*shape))
    case("gt_svd(x).s", lambda x: jnp.linalg.svd(x, full_matrices=False)[1], real(*shape))
for shape in [(3, 2), (3, 3), (2, 3, 2)]:
    case("gt_abs(gt_svd(x).u)", lambda x: jnp.abs(jnp.linalg.svd(x, full_matrices=False)[0]), matrix(3, 3)
         if shape == (3, 3) else real(*shape))
    case("gt_abs(gt_qr(x).q)", lambda x: jnp.abs(jnp.linalg.qr(x)[0]), real(*shape))
    case("gt_abs(gt_qr(x).r)", lambda x: jnp.abs(jnp.linalg.qr(x)[1]), real(*shape))
for text, function in [("gt_norm(x)", lambda x: jnp.linalg.norm(x.ravel())),
                       ("gt_norm(x, .ord = 3, .axis = 1)", lambda x: jnp.linalg.norm(x, 3, 1)),
                       ("gt_norm(x, .ord = 1, .axis = 0)", lambda x: jnp.linalg.norm(x, 1, 0)),
                       ("gt_norm(x, .ord = INFINITY, .axis = 1)",
                        lambda x: jnp.linalg.norm(x, jnp.inf, 1)),
                       ("gt_matrix_norm(x, GT_MATRIX_NORM_NUCLEAR)", lambda x: jnp.linalg.norm(x, "nuc")),
                       ("gt_matrix_norm(x, GT_MATRIX_NORM_SPECTRAL)", lambda x: jnp.linalg.norm(x, 2)),
                       ("gt_matrix_norm(x, GT_MATRIX_NORM_ONE)", lambda x: jnp.linalg.norm(x, 1))]:
    case(text, function, apart(3, 3))
case("gt_matrix_power(x, 3)", lambda x: jnp.linalg.matrix_power(x, 3), real(3, 3))
case("gt_matrix_power(x, -2)", lambda x: jnp.linalg.matrix_power(x, -2), matrix(3, 3))
case("gt_lstsq(a, b)", lambda a, b: jnp.linalg.pinv(a) @ b, real(4, 2), real(4, 1))
case("gt_cdist(a, b)", lambda a, b: jnp.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)), real(3, 2),
     real(2, 2))

# ---- more element by element, on fixed numbers ----

grid = np.arange(-11, 13, 2).reshape(3, 4) / 16
case("cbrt", jnp.cbrt, grid, check=np.cbrt)
case("cbrt", jnp.cbrt, SPECIAL, check=np.cbrt, gradient=False)
case("erfinv", jsp.special.erfinv, grid, check=scipy.special.erfinv)
case("hypot", jnp.hypot, grid, grid[:, :1] + 2, check=np.hypot)
for name in ["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"]:
    a, b = np.arange(-5, 7, dtype=np.int32).reshape(3, 4), np.array([1, 3, 6, 2], np.int32)
    case(name, getattr(jnp, name), a, b, check=getattr(np, name))

metadata["versions"] = (f"jax {jax.__version__}, jaxlib {jaxlib.__version__}, numpy {np.__version__}, "
                        f"scipy {scipy.__version__}")
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations.safetensors")
safetensors.numpy.save_file(tensors, path, metadata)
print(len(tensors), "cases,", os.path.getsize(path), "bytes,", metadata["versions"])
