#!/usr/bin/env python3
"""Writes fourier.safetensors: what NumPy and SciPy say of Fourier transforms, values and gradients; Keras,
which computes in float32, must agree. tests/test_fourier.c replays it. Each case has inputs NAME.in0, NAME.in1, results
NAME.out0, ... and the gradients NAME.slope0, ... of the inputs when number i of result k has the gradient
sin(1 + 3.7 k + 1.3 i). Of a linear function they come from its matrix, column by column.

    pip install keras jax numpy scipy safetensors && python3 make_fourier.py
"""
import os

os.environ["KERAS_BACKEND"] = "numpy"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
import safetensors.numpy
import scipy
import scipy.signal

random = np.random.default_rng(11)
tensors = {}


def real(*shape):
    return random.uniform(-1, 1, shape)


def parts(result):
    """A complex array as its two parts."""
    if isinstance(result, (tuple, list)):
        return [np.asarray(y) for y in result]
    return [result.real, result.imag] if np.iscomplexobj(result) else [np.asarray(result)]


def slopes_of_linear(function, inputs, up):
    slopes = [np.zeros_like(x) for x in inputs]
    for k, x in enumerate(inputs):
        for i in range(x.size):
            unit = [np.zeros_like(y) for y in inputs]
            unit[k].flat[i] = 1
            slopes[k].flat[i] = sum(np.sum(u * y) for u, y in zip(up, parts(function(*unit))))
    return slopes


def case(name, function, *inputs, slopes=None, check=None):
    """`slopes` gives the gradients of what is not linear; `check` is the same by Keras."""
    outputs = parts(function(*inputs))
    for mine, other in zip(outputs, parts(check(*inputs)) if check else []):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5, err_msg=name)
    up = [np.sin(1 + 3.7 * k + 1.3 * np.arange(y.size)).reshape(y.shape) for k, y in enumerate(outputs)]
    gradients = slopes(up, *inputs) if slopes else slopes_of_linear(function, inputs, up)
    for kind, arrays in [("in", inputs), ("out", outputs), ("slope", gradients)]:
        for i, x in enumerate(arrays):
            assert x.dtype == np.float64, (name, x.dtype)
            tensors[f"{name}.{kind}{i}"] = np.ascontiguousarray(x)


def of_pair(function):
    return lambda a, b: function((a, b))


def of_complex(function):
    return lambda a, b: function(a + 1j * b)


ops = keras.ops
for name, shape in [("one", (1,)), ("two", (2,)), ("rows", (3, 12)), ("seven", (2, 7)), ("large", (2, 16)),
                    ("composite", (60,)), ("prime", (2, 37)), ("nested", (2, 1, 10)), ("many", (19, 6)),
                    ("prime_odd", (74,)), ("eleven", (121,))]:
    case(f"fft_{name}", of_complex(np.fft.fft), real(*shape), real(*shape))
    case(f"ifft_{name}", of_complex(np.fft.ifft), real(*shape), real(*shape))
    case(f"rfft_{name}", np.fft.rfft, real(*shape), check=ops.rfft)
    if shape[-1] > 1:
        case(f"irfft_{name}", of_complex(np.fft.irfft), real(*shape), real(*shape),
             check=of_pair(ops.irfft))
for axis, shape in [(0, (6, 3)), (1, (2, 5, 3)), (0, (4, 21))]:
    case(f"fft_axis{axis}_{shape[-1]}", of_complex(lambda z: np.fft.fft(z, axis=axis)), real(*shape),
         real(*shape))
for shape in [(4, 6), (2, 3, 5), (1, 7)]:
    name = "x".join(map(str, shape))
    case(f"fft2_{name}", of_complex(np.fft.fft2), real(*shape), real(*shape))
    case(f"ifft2_{name}", of_complex(np.fft.ifft2), real(*shape), real(*shape))
for n in [1, 4, 5, 8, 13, 16]:  # of 10 numbers: cropped and filled
    case(f"rfft_length{n}", lambda x: np.fft.rfft(x, n), real(2, 10), check=lambda x: ops.rfft(x, n))
    case(f"irfft_length{n}", of_complex(lambda z: np.fft.irfft(z, n)), real(2, 6), real(2, 6),
         check=of_pair(lambda z: ops.irfft(z, n)))


def sequences(x, length, stride):
    return np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::stride, :]


for length, stride in [(3, 2), (4, 4), (2, 5), (9, 1)]:
    case(f"sequences_{length}_{stride}", lambda x: sequences(x, length, stride), real(2, 9),
         check=lambda x: ops.extract_sequences(x, length, stride))


def padded_window(window, length, n):
    if window is None:
        return np.ones(n)
    if isinstance(window, str):
        window = scipy.signal.get_window(window, length)
    before = (n - length) // 2
    return np.pad(window, [before, n - length - before])


def stft(x, length, stride, n, window, center):
    if center:
        x = np.pad(x, [(0, 0), (n // 2, n // 2)], mode="reflect")
    return np.fft.rfft(sequences(x, n, stride) * padded_window(window, length, n))


def istft(z, length, stride, n, window, center, size=None):
    w = padded_window(window, length, n)
    _, x = scipy.signal.istft(z, window=w, nperseg=n, noverlap=n - stride, nfft=n, boundary=False,
                              time_axis=-2, freq_axis=-1)
    start = n // 2 if center else 0
    end = start + size if size is not None else x.shape[-1] - start
    return (x / w.sum())[..., start:end]


own = random.uniform(0.5, 1.5, 5)
STFTS = {"hann": (8, 4, 8, "hann", True, 21), "hamming": (8, 2, 8, "hamming", True, 20),
         "wide": (5, 2, 8, "hann", True, 16), "odd": (5, 2, 7, "hamming", True, 15),
         "left": (6, 3, 6, "hann", False, 18), "none": (4, 4, 4, None, False, 16),
         "own": (5, 1, 6, own, False, 12), "short": (1, 1, 2, "hann", True, 5)}
for name, (length, stride, n, window, center, size) in STFTS.items():
    cut = (length, stride, n, window, center)
    options = dict(window=window, center=center)
    case(f"stft_{name}", lambda x: stft(x, *cut), real(2, size),
         check=lambda x: ops.stft(x, length, stride, n, **options))
    shape = stft(real(2, size), *cut).shape
    for end, count in [("", None), ("_cropped", 7 if size > 7 else 3)]:
        case(f"istft_{name}{end}", of_complex(lambda z: istft(z, *cut, count)), real(*shape), real(*shape),
             # Without a window Keras gives a multiple of the inverse.
             check=of_pair(lambda z: ops.istft(z, length, stride, n, length=count, **options))
             if window is not None else None)
tensors["own_window"] = own



def holomorphic(name, function, *derivatives):
    """Of two complex numbers, with the derivatives in each: the gradient is g times their conjugates."""
    def slopes(up, a, b, c, d):
        g = up[0] + 1j * up[1]
        z, w = np.broadcast_arrays(a + 1j * b, c + 1j * d)
        dz, dw = [np.conj(f(z, w)) * g for f in derivatives]
        dw = dw.sum(axis=0)
        return [dz.real, dz.imag, dw.real, dw.imag]
    case(name, lambda a, b, c, d: function(a + 1j * b, c + 1j * d), real(2, 3), real(2, 3), real(3),
         real(3) + 2, slopes=slopes)


holomorphic("multiply", lambda z, w: z * w, lambda z, w: w, lambda z, w: z)
holomorphic("divide", lambda z, w: z / w, lambda z, w: 1 / w, lambda z, w: -z / w**2)
case("abs", of_complex(np.abs), real(2, 3), real(2, 3),
     slopes=lambda up, a, b: [up[0] * a / np.hypot(a, b), up[0] * b / np.hypot(a, b)])
case("angle", of_complex(np.angle), real(2, 3), real(2, 3),
     slopes=lambda up, a, b: [-up[0] * b / (a**2 + b**2), up[0] * a / (a**2 + b**2)])
case("conj", of_complex(np.conj), real(2, 3), real(2, 3))
case("view_as_complex", lambda x: [x[..., 0], x[..., 1]], real(2, 3, 2))
case("view_as_real", lambda a, b: np.stack([a, b], axis=-1), real(2, 3), real(2, 3))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fourier.safetensors")
safetensors.numpy.save_file(tensors, path, {"keras": keras.__version__, "numpy": np.__version__, "scipy": scipy.__version__})
print(f"{len(tensors)} tensors, {os.path.getsize(path)} bytes: {path}")
