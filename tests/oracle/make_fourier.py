#!/usr/bin/env python3
"""Writes fourier.safetensors: what Keras (on JAX, float64, on the CPU) says of Fourier transforms, values
and vector-Jacobian products; NumPy and SciPy must agree here first. tests/test_fourier.c replays it.
Each case has inputs NAME.in0, NAME.in1, results NAME.out0, ... and the gradients NAME.slope0, ... of the
inputs when number i of result k has the gradient sin(1 + 3.7 k + 1.3 i).

    pip install keras jax numpy scipy safetensors && python3 make_fourier.py
"""
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import keras
import numpy as np
import safetensors.numpy
import scipy
import scipy.signal

keras.backend.set_floatx("float64")
random = np.random.default_rng(11)
tensors = {}


def real(*shape):
    return random.uniform(-1, 1, shape)


def listed(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def case(name, function, *inputs, check=None):
    """`check` is the same of NumPy or SciPy; a complex result is its two parts."""
    outputs, pullback = jax.vjp(lambda *x: listed(function(*x)), *map(jnp.asarray, inputs))
    if check:
        theirs = check(*inputs)
        theirs = [theirs.real, theirs.imag] if np.iscomplexobj(theirs) else listed(theirs)
        assert len(theirs) == len(outputs)
        for mine, other in zip(outputs, theirs):
            np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-12, err_msg=name)
    slopes = pullback([jnp.asarray(np.sin(1 + 3.7 * k + 1.3 * np.arange(y.size)).reshape(y.shape))
                       for k, y in enumerate(outputs)])
    for kind, arrays in [("in", inputs), ("out", outputs), ("slope", slopes)]:
        for i, x in enumerate(arrays):
            x = np.asarray(x)
            assert x.dtype == np.float64, (name, x.dtype)
            tensors[f"{name}.{kind}{i}"] = np.ascontiguousarray(x)


def of_pair(function):
    return lambda a, b: function((a, b))


def of_complex(function):
    return lambda a, b: function(a + 1j * b)


def parts_of(function):
    """Of the parts, to the parts."""
    def of_parts(a, b):
        y = function(a + 1j * b)
        return [jnp.real(y), jnp.imag(y)]
    return of_parts


ops = keras.ops
for name, shape in [("one", (1,)), ("two", (2,)), ("rows", (3, 12)), ("seven", (2, 7)), ("large", (2, 16)),
                    ("composite", (60,)), ("prime", (2, 37)), ("nested", (2, 1, 10)), ("many", (19, 6)),
                    ("prime_odd", (74,)), ("eleven", (2, 121))]:
    case(f"fft_{name}", of_pair(ops.fft), real(*shape), real(*shape), check=of_complex(np.fft.fft))
    case(f"ifft_{name}", parts_of(jnp.fft.ifft), real(*shape), real(*shape),  # Keras has none
         check=of_complex(np.fft.ifft))
    case(f"rfft_{name}", ops.rfft, real(*shape), check=np.fft.rfft)
    if shape[-1] > 1:
        case(f"irfft_{name}", of_pair(ops.irfft), real(*shape), real(*shape),
             check=of_complex(np.fft.irfft))
for axis, shape in [(0, (6, 3)), (1, (2, 5, 3)), (0, (4, 21))]:
    case(f"fft_axis{axis}_{shape[-1]}", parts_of(lambda z: jnp.fft.fft(z, axis=axis)), real(*shape),
         real(*shape), check=of_complex(lambda z: np.fft.fft(z, axis=axis)))
for shape in [(4, 6), (2, 3, 5), (1, 7)]:
    name = "x".join(map(str, shape))
    case(f"fft2_{name}", of_pair(ops.fft2), real(*shape), real(*shape), check=of_complex(np.fft.fft2))
    case(f"ifft2_{name}", of_pair(ops.ifft2), real(*shape), real(*shape),
         check=of_complex(np.fft.ifft2))
for n in [1, 4, 5, 8, 13, 16]:  # of 10 numbers: cropped and filled
    case(f"rfft_length{n}", lambda x: ops.rfft(x, n), real(2, 10), check=lambda x: np.fft.rfft(x, n))
    case(f"irfft_length{n}", lambda a, b: ops.irfft((a, b), n), real(2, 6), real(2, 6),
         check=of_complex(lambda z: np.fft.irfft(z, n)))
for length, stride in [(3, 2), (4, 4), (2, 5), (9, 1)]:
    case(f"sequences_{length}_{stride}", lambda x: ops.extract_sequences(x, length, stride),
         real(2, 9))

own = random.uniform(0.5, 1.5, 5)
STFTS = {"hann": (8, 4, 8, "hann", True, 21), "hamming": (8, 2, 8, "hamming", True, 20),
         "wide": (5, 2, 8, "hann", True, 16), "odd": (5, 2, 7, "hamming", True, 15),
         "left": (6, 3, 6, "hann", False, 18), "none": (4, 4, 4, None, False, 16),
         "own": (5, 1, 6, own, False, 12), "short": (1, 1, 2, "hann", True, 5)}
for name, (length, stride, n, window, center, size) in STFTS.items():
    case(f"stft_{name}", lambda x: ops.stft(x, length, stride, n, window=window, center=center),
         real(2, size))
    parts = ops.stft(real(2, size), length, stride, n, window=window, center=center)
    shape = np.shape(parts[0])
    if window is not None:  # without one Keras gives a multiple of the inverse
        case(f"istft_{name}",
             lambda a, b: ops.istft((a, b), length, stride, n, window=window, center=center),
             real(*shape), real(*shape))
        case(f"istft_{name}_cropped",
             lambda a, b: ops.istft((a, b), length, stride, n, length=7 if size > 7 else 3,
                                    window=window, center=center),
             real(*shape), real(*shape))
tensors["own_window"] = own

case("multiply", lambda a, b, c, d: [a * c - b * d, a * d + b * c], real(2, 3), real(2, 3), real(3), real(3),
     check=lambda a, b, c, d: (a + 1j * b) * (c + 1j * d))
case("divide", lambda a, b, c, d: [f((a + 1j * b) / (c + 1j * d)) for f in (jnp.real, jnp.imag)],
     real(2, 3), real(2, 3), real(3), real(3) + 2, check=lambda a, b, c, d: (a + 1j * b) / (c + 1j * d))
case("abs", lambda a, b: jnp.abs(a + 1j * b), real(2, 3), real(2, 3), check=of_complex(np.abs))
case("angle", lambda a, b: jnp.angle(a + 1j * b), real(2, 3), real(2, 3), check=of_complex(np.angle))
case("conj", lambda a, b: [a, -b], real(2, 3), real(2, 3), check=of_complex(np.conj))
case("view_as_complex", lambda x: [x[..., 0], x[..., 1]], real(2, 3, 2))
case("view_as_real", lambda a, b: jnp.stack([a, b], axis=-1), real(2, 3), real(2, 3))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fourier.safetensors")
safetensors.numpy.save_file(tensors, path, {"keras": keras.__version__, "jax": jax.__version__,
                                            "numpy": np.__version__, "scipy": scipy.__version__})
print(f"{len(tensors)} tensors, {os.path.getsize(path)} bytes: {path}")
