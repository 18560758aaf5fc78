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

# ---- more images: after all else, so that what stands before keeps its numbers ----
def smooth(how, height, width):
    """Antialiasing: the kernel is stretched by the ratio of the sizes where that is above 1."""
    def stretched(n_in, n_out):
        ratio = max(n_in / n_out, 1)
        middle = (np.arange(n_out) + 0.5) * n_in / n_out
        w = KERNELS[how]((middle[:, None] - 0.5 - np.arange(n_in)[None, :]) / ratio)
        return w / w.sum(1, keepdims=True)

    def function(x):
        rows, columns = stretched(x.shape[1], height), stretched(x.shape[2], width)
        out = tf.einsum("ih,jw,bhwc->bijc", rows, columns, x)
        keras_out = ops.image.resize(tf.cast(x, tf.float32), (height, width), interpolation=how,
                                     antialias=True)
        error = np.abs(out - tf.cast(keras_out, tf.float64)).max()
        assert error < 1e-5, (how, error)
        return out

    return function


for how in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
    case(f"resize_{how}_smooth", smooth(how, 3, 9), real(1, 10, 5, 2))


def to_ratio(**options):
    """Nearest neighbours of float32 are exact; Keras cuts and fills up in any type."""
    return lambda x: ops.image.resize(x, (4, 3), interpolation="nearest", **options)


case("resize_crop", to_ratio(crop_to_aspect_ratio=True), real(2, 5, 9, 1))
case("resize_crop_tall", to_ratio(crop_to_aspect_ratio=True), real(11, 3, 2))
case("resize_pad", to_ratio(pad_to_aspect_ratio=True, fill_value=0.5), real(1, 5, 9, 1))
case("resize_pad_tall", to_ratio(pad_to_aspect_ratio=True), real(9, 3, 2))

colours = rng.uniform(0.05, 1, (2, 3, 4, 3))
case("grayscale", lambda x: tf.tensordot(x, tf.constant([[0.2989], [0.5870], [0.1140]], tf.float64), 1),
     colours)
assert np.allclose(ops.image.rgb_to_grayscale(colours), tensors["grayscale.out"], atol=1e-6)
case("rgb_to_hsv", lambda x: ops.image.rgb_to_hsv(x), colours)


def hsv_to_rgb(x):
    """TensorFlow's has no gradient: the six sectors one by one, which must agree with it."""
    h, s, v = x[..., 0] * 6, x[..., 1], x[..., 2]
    f = h - tf.floor(h)
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    sectors = [(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)]
    out = sum(tf.stack(sector, -1) * tf.cast(tf.floor(h) == i, tf.float64)[..., None]
              for i, sector in enumerate(sectors))
    assert np.allclose(out, ops.image.hsv_to_rgb(x), atol=1e-12)
    return out


case("hsv_to_rgb", hsv_to_rgb, rng.uniform(0.05, 0.95, (2, 3, 4, 3)))
# Keras's weights for rows are those of sigma[1] on TensorFlow; its documentation says sigma[0].
case("blur", lambda x: ops.image.gaussian_blur(x), real(2, 5, 6, 2))
case("blur_uneven", lambda x: ops.image.gaussian_blur(x, (5, 5), (0.7, 1.5)), real(4, 6, 3))
case("blur_even", lambda x: ops.image.gaussian_blur(x, (4, 4), (2.0, 2.0)), real(1, 5, 5, 1))
case("patches", lambda x: ops.image.extract_patches(x, (2, 3)), real(2, 5, 7, 2))
case("patches_same", lambda x: ops.image.extract_patches(x, 3, strides=2, padding="same"),
     real(1, 6, 5, 2))
case("patches_dilated", lambda x: ops.image.extract_patches(x, (2, 3), strides=1, dilation_rate=2),
     real(5, 6, 1))
case("patches_volume",
     lambda x: ops.image.extract_patches(x, (2, 1, 2), strides=(1, 1, 1), padding="same"),
     real(1, 3, 2, 3, 2))


def look(x, coordinates, order, mode, fill=0.0):
    """Keras, inside of x grown on all sides; its own mirror and reflect leave the image."""
    grow = {"mirror": "REFLECT", "reflect": "SYMMETRIC"}.get(mode)
    if grow is None:
        return ops.image.map_coordinates(x, coordinates, order, mode, fill)
    x = tf.pad(x, [[2, 2]] * len(x.shape), grow)
    return ops.image.map_coordinates(x, coordinates + 2.0, order, "constant")


places = apart(2, 30) * 1.45 + np.array([[1.5], [2.0]])
for mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
    case(f"look_{mode}", lambda x, c: look(x, c, 1, mode, 0.25), real(4, 5), places)
    case(f"look_{mode}_nearest", lambda x: look(x, tf.constant(places), 0, mode, 0.25), real(4, 5))
case("look_volume", lambda x, c: look(x, c, 1, "nearest"), real(2, 3, 4), apart(3, 2, 5))


def affine(how, mode, images, transforms):
    """In float64, by coordinates; what the kernel of TensorFlow gives in float32 must agree."""
    v, u = np.meshgrid(*[np.arange(float(n)) for n in images.shape[1:3]], indexing="ij")
    parts = []
    for b in range(images.shape[0]):
        t = transforms[min(b, transforms.shape[0] - 1)]
        k = t[6] * u + t[7] * v + 1
        at = tf.stack([(t[3] * u + t[4] * v + t[5]) / k, (t[0] * u + t[1] * v + t[2]) / k])
        parts.append(tf.stack([look(images[b, ..., c], at, how != "nearest", mode, 0.25)
                               for c in range(images.shape[3])], -1))
    out = tf.stack(parts)
    keras_out = ops.image.affine_transform(tf.cast(images, tf.float32), tf.cast(transforms, tf.float32),
                                           how, mode, 0.25)
    error = np.abs(out - tf.cast(keras_out, tf.float64)).max()
    assert error < 1e-5 or mode == "wrap", (how, mode, error)
    return out


# No coordinate is whole: there the slope is that of one side.
turn = np.array([[0.83, -0.52, 1.11, 0.43, 0.91, -0.74, 0.0, 0.0],
                 [1.31, 0.22, -1.23, -0.12, 0.73, 0.44, 0.05, 0.02]])
for mode in ("constant", "nearest", "reflect"):
    case(f"affine_{mode}", lambda x, t: affine("bilinear", mode, x, t), real(2, 4, 5, 2), turn)
case("affine_shared", lambda x, t: affine("bilinear", "constant", x, t), real(2, 4, 5, 1), turn[:1])
case("affine_pixels", lambda x: affine("nearest", "nearest", x, tf.constant(turn)), real(2, 4, 5, 1))

save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, "nn.safetensors",
          {"source": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("nn.safetensors"), "bytes")
