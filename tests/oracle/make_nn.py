"""Writes nn.safetensors: inputs, outputs and vector-Jacobian products in float64 of convolutions,
pooling, normalization, resizing and attention, computed by Keras 3.15.1 on TensorFlow 2.21.0 (CPU).

Run: python make_nn.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1 safetensors)

A case NAME has NAME.in0, in1, ..., NAME.out, NAME.up and, for each input, NAME.grad0, ...: the
gradient of sum(out * up). tests/test_oracle_nn.c computes them again.

Where TensorFlow computes in float32 only (resizing, three-dimensional pooling) or not at all on a CPU
(gradients of grouped convolutions), the case is put together from what it does in float64; resizing
is compared with its float32 here.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from safetensors.numpy import save_file

keras.config.set_floatx("float64")
rng = np.random.default_rng(20240601)
tensors = {}


def real(*shape):
    return rng.uniform(-1, 1, shape)


def apart(*shape):
    """Numbers of which no two are close: maxima stay where they are."""
    n = int(np.prod(shape))
    return (rng.permutation(n) / n * 4 - 2).reshape(shape)


def case(name, function, *inputs):
    inputs = [tf.constant(x, tf.float64) for x in inputs]
    with tf.GradientTape() as tape:
        for x in inputs:
            tape.watch(x)
        out = function(*inputs)
        assert out.dtype == tf.float64, name
        up = real(*out.shape)
        loss = tf.reduce_sum(out * up)
    gradients = tape.gradient(loss, inputs)
    for i, (x, g) in enumerate(zip(inputs, gradients)):
        tensors[f"{name}.in{i}"] = x.numpy()
        tensors[f"{name}.grad{i}"] = g.numpy()
    tensors[f"{name}.out"] = out.numpy()
    tensors[f"{name}.up"] = up


def grouped(x, kernel, groups, **options):
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    return tf.concat([ops.conv(a, k, **options) for a, k in parts], -1)


# ---- convolutions ----
case("conv2d", lambda x, k: ops.conv(x, k), real(2, 5, 6, 3), real(3, 2, 3, 4))
case("conv2d_same", lambda x, k: ops.conv(x, k, strides=(2, 3), padding="same"),
     real(2, 5, 8, 2), real(4, 3, 2, 3))
case("conv2d_dilated", lambda x, k: ops.conv(x, k, padding="same", dilation_rate=(2, 3)),
     real(1, 7, 6, 2), real(3, 2, 2, 2))
case("conv2d_pointwise", lambda x, k: ops.conv(x, k), real(2, 3, 3, 4), real(1, 1, 4, 5))
case("conv2d_groups", lambda x, k: grouped(x, k, 2, strides=2, padding="same"),
     real(2, 5, 4, 4), real(3, 3, 2, 6))
case("conv1d", lambda x, k: ops.conv(x, k, strides=3), real(2, 11, 2), real(4, 2, 3))
# Causal is valid after zeros have been put in front (keras/src/layers/convolutional/base_conv.py
# pads in this way).
case("conv1d_causal",
     lambda x, k: ops.conv(tf.pad(x, [[0, 0], [4, 0], [0, 0]]), k, dilation_rate=2),
     real(2, 7, 2), real(3, 2, 3))
case("conv3d", lambda x, k: ops.conv(x, k, strides=2, padding="same"),
     real(1, 3, 4, 5, 2), real(2, 3, 2, 2, 2))
case("depthwise", lambda x, k: ops.depthwise_conv(x, k, padding="same"),
     real(2, 4, 5, 3), real(3, 2, 3, 1))
case("depthwise_multiplied", lambda x, k: ops.depthwise_conv(x, k, strides=2),
     real(1, 5, 5, 2), real(2, 3, 2, 3))
case("depthwise1d", lambda x, k: ops.depthwise_conv(x, k, strides=2, padding="same"),
     real(2, 6, 3), real(3, 3, 2))
case("separable", lambda x, d, p: ops.separable_conv(x, d, p, padding="same"),
     real(1, 4, 4, 3), real(3, 3, 3, 2), real(1, 1, 6, 4))
for padding in ("valid", "same"):
    for stride, more in ((1, None), (2, None), (3, 1), (3, None)):
        name = f"transpose_{padding}_{stride}" + ("" if more is None else f"_{more}")
        case(name, lambda x, k: ops.conv_transpose(x, k, strides=stride, padding=padding,
                                                   output_padding=more),
             real(1, 3, 2, 2), real(2, 3, 3, 2))
case("transpose1d", lambda x, k: ops.conv_transpose(x, k, strides=2, padding="same"),
     real(2, 4, 3), real(3, 2, 3))
case("transpose3d", lambda x, k: ops.conv_transpose(x, k, strides=2),
     real(1, 2, 2, 2, 2), real(2, 3, 2, 1, 2))

# ---- pooling ----
def windows3d(x, size, padding):
    """All elements of windows of that size and stride 1, along a last axis."""
    n = [d if padding else d - size + 1 for d in x.shape[1:4]]
    more = size - 1 if padding else 0
    x = tf.pad(x, [[0, 0]] + [[0, more]] * 3 + [[0, 0]], constant_values=padding or 0)
    parts = [x[:, a:a + n[0], b:b + n[1], c:c + n[2]]
             for a in range(size) for b in range(size) for c in range(size)]
    return tf.stack(parts, -1)


case("max_pool", lambda x: ops.max_pool(x, 2), apart(2, 5, 6, 3))
case("max_pool_same", lambda x: ops.max_pool(x, (3, 2), strides=(2, 1), padding="same"),
     apart(1, 6, 5, 2))
case("max_pool1d", lambda x: ops.max_pool(x, 3, strides=2), apart(2, 9, 2))
case("max_pool3d", lambda x: tf.reduce_max(windows3d(x, 2, -np.inf), -1),
     apart(1, 3, 4, 3, 2))
case("average_pool", lambda x: ops.average_pool(x, 2), real(2, 5, 6, 3))
case("average_pool_same", lambda x: ops.average_pool(x, (3, 2), strides=(2, 1), padding="same"),
     real(1, 6, 5, 2))
case("average_pool1d", lambda x: ops.average_pool(x, 3, strides=2, padding="same"), real(2, 8, 2))
case("average_pool3d", lambda x: tf.reduce_mean(windows3d(x, 2, None), -1)[:, ::2, ::2, ::2],
     real(1, 4, 4, 3, 2))

# ---- normalization ----
case("batch_normalization",
     lambda x, m, v, o, s: ops.batch_normalization(x, m, v, -1, o, s, 1e-2),
     real(4, 3), real(3), real(3) + 2, real(3), real(3))
case("batch_normalization_axis",
     lambda x, m, v, o, s: ops.batch_normalization(x, m, v, 1, o, s),
     real(2, 3, 2), real(3), real(3) + 2, real(3), real(3))
case("layer_normalization", lambda x, g, b: ops.layer_normalization(x, g, b, -1, 1e-2),
     real(3, 5), real(5), real(5))
case("layer_normalization_axes",
     lambda x, g, b: ops.layer_normalization(x, g, b, (1, 3), 1e-2),
     real(2, 3, 2, 4), real(3, 4), real(3, 4))


def group_normalization(x, gamma, beta):
    layer = keras.layers.GroupNormalization(groups=2, epsilon=1e-2)
    layer.build(x.shape)
    return layer.stateless_call([gamma, beta], [], x)[0]


case("group_normalization", group_normalization, real(2, 3, 2, 4), real(4), real(4))
case("rms_normalization", lambda x, s: ops.rms_normalization(x, s, -1, 1e-2), real(3, 5), real(5))
case("normalize", lambda x: ops.normalize(x), real(3, 4))
case("normalize1", lambda x: ops.normalize(x, axis=0, order=1), real(3, 4))
case("normalize3", lambda x: ops.normalize(x, axis=1, order=3), real(3, 4))
case("moments", lambda x: tf.concat([tf.reshape(m, [-1]) for m in ops.moments(x, [0, 2])], 0),
     real(3, 2, 4))


# ---- images ----
def keys(x):
    x = np.abs(x)
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1,
                    np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def lanczos(radius):
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS = {"bilinear": lambda x: np.maximum(1 - np.abs(x), 0), "bicubic": keys,
           "lanczos3": lanczos(3), "lanczos5": lanczos(5)}


def band(n_in, n_out, how):
    middle = (np.arange(n_out) + 0.5) * n_in / n_out
    if how == "nearest":
        return np.eye(n_in)[np.minimum(np.floor(middle), n_in - 1).astype(int)]
    w = KERNELS[how](middle[:, None] - 0.5 - np.arange(n_in)[None, :])
    return w / w.sum(1, keepdims=True)


def resize(how, height, width):
    def function(x):
        rows, columns = band(x.shape[1], height, how), band(x.shape[2], width, how)
        out = tf.einsum("ih,jw,bhwc->bijc", rows, columns, x)
        keras_out = ops.image.resize(tf.cast(x, tf.float32), (height, width), interpolation=how)
        # TensorFlow takes cubic weights from a table of 1024 entries.
        error = np.abs(out - tf.cast(keras_out, tf.float64)).max()
        assert error < (2e-3 if how == "bicubic" else 1e-5), (how, error)
        return out

    return function


for how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    case(f"resize_{how}_up", resize(how, 9, 11), real(1, 5, 6, 2))
    case(f"resize_{how}_down", resize(how, 3, 4), real(1, 8, 7, 1))
case("crop", lambda x: ops.image.crop_images(x, 1, 2, target_height=3, target_width=2),
     real(2, 5, 6, 1))
case("pad", lambda x: ops.image.pad_images(x, 1, 2, target_height=5, target_width=6),
     real(3, 2, 2))

# ---- attention ----
q, k, v = real(2, 3, 4, 5), real(2, 6, 4, 5), real(2, 6, 4, 5)
mask = rng.uniform(size=(2, 1, 3, 6)) < 0.6
mask[..., 0] = True
tensors["attention.mask"] = mask
# Scales as tensors: from numbers, the default one too, they would be rounded to float32.
root, third = tf.constant(5**-0.5, tf.float64), tf.constant(0.3, tf.float64)
case("attention", lambda q, k, v: ops.dot_product_attention(q, k, v, scale=root), q, k, v)
case("attention_masked",
     lambda q, k, v, b: ops.dot_product_attention(q, k, v, bias=b, mask=mask, scale=third),
     q, k, v, real(2, 4, 3, 6))
case("attention_causal",
     lambda q, k, v: ops.dot_product_attention(q, k, v, scale=root, is_causal=True), q, real(2, 3, 2, 5), real(2, 3, 2, 5))

save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, "nn.safetensors",
          {"source": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("nn.safetensors"), "bytes")
