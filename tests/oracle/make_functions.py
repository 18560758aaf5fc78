"""Writes functions.safetensors: inputs, outputs and vector-Jacobian products in float64 of the functions of
ops/nn that are made of other operations, computed by Keras 3.15.1 on TensorFlow 2.21.0 (CPU).

Run: python make_functions.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1 safetensors)

A case NAME has NAME.in0, in1, ..., NAME.out, NAME.up and, for each input, NAME.grad0, ...: the
gradient of sum(out * up). Several outputs are flat, one behind the other. What is not differentiable, a mask
for instance, is NAME.mask. Each case draws its numbers from a seed of its own, its name, so that cases
can be added anywhere. tests/test_oracle_functions.c computes them again.
"""

import os
import zlib
from types import SimpleNamespace

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from safetensors.numpy import save_file

keras.config.set_floatx("float64")
tensors = {}
rng = None


def begin(name):
    """What follows draws the numbers of this case."""
    global rng
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return name


def real(*shape, low=-1, high=1):
    return rng.uniform(low, high, shape)


def flat(*parts):
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)


def case(name, function, *inputs, **constants):
    inputs = [tf.constant(x, tf.float64) for x in inputs]
    with tf.GradientTape() as tape:
        for x in inputs:
            tape.watch(x)
        out = function(*inputs)
        assert out.dtype == tf.float64, name
        up = real(*out.shape)
        loss = tf.reduce_sum(out * up)
    gradients = tape.gradient(loss, inputs, unconnected_gradients="zero")
    for i, (x, g) in enumerate(zip(inputs, gradients)):
        tensors[f"{name}.in{i}"] = x.numpy()
        tensors[f"{name}.grad{i}"] = tf.convert_to_tensor(g).numpy()
    tensors[f"{name}.out"] = out.numpy()
    tensors[f"{name}.up"] = up
    for key, constant in constants.items():
        tensors[f"{name}.{key}"] = np.asarray(constant)


# ---- activations: no number is within 0.02 of a kink ----

def numbers(*shape):
    x = real(*shape, low=-3, high=3)
    near = np.abs(x * 4 - np.round(x * 4)) < 0.08
    return np.where(near, x + 0.05, x)


def sparsemax(x, axis):
    """By its definition: max(x - t, 0) with the t that makes the sum 1, found by bisection. (The function of Keras
    3.15.1 is right where one number stays; of several it adds up the running sums.)"""
    low, high = x.numpy().min(axis, keepdims=True) - 1, x.numpy().max(axis, keepdims=True)
    for _ in range(60):
        t = (low + high) / 2
        more = np.maximum(x.numpy() - t, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(more, t, low), np.where(more, high, t)
    stays = tf.constant(x.numpy() > low, tf.float64)
    t = (tf.reduce_sum(x * stays, axis, True) - 1) / tf.reduce_sum(stays, axis, True)
    assert np.abs(t - low).max() < 1e-12
    return tf.nn.relu(x - t)


for name, function in {
    "celu": ops.celu,
    "celu_alpha": lambda x: ops.celu(x, 0.4),
    "glu": ops.glu,
    "glu_axis": lambda x: ops.glu(x, axis=0),
    "hard_tanh": ops.hard_tanh,
    "tanh_shrink": ops.tanh_shrink,
    "hard_shrink": ops.hard_shrink,
    "hard_shrink_width": lambda x: ops.hard_shrink(x, 1.25),
    "soft_shrink": ops.soft_shrink,
    "soft_shrink_width": lambda x: ops.soft_shrink(x, 1.25),
    "threshold": lambda x: ops.threshold(x, 0.5, tf.constant(-0.75, tf.float64)),
    "squareplus": ops.squareplus,
    "squareplus_b": lambda x: ops.squareplus(x, 0.5),
    "sparse_plus": ops.sparse_plus,
    "sparse_sigmoid": ops.sparse_sigmoid,
    "sparsemax": lambda x: sparsemax(x, -1),
    "sparsemax_axis": lambda x: sparsemax(x, 1),
    "relu_options": lambda x: keras.activations.relu(x, negative_slope=0.3, max_value=1.75, threshold=0.5),
}.items():
    begin(name)
    case(name, function, numbers(4, 3, 6) if "axis" in name else numbers(3, 8))

# ---- recurrent networks: 3 sequences of 5 steps ----

BATCH, TIME, FEATURES, UNITS = 3, 5, 2, 3
SEQUENCES, BACKWARDS, MASKED, ZERO = 1, 2, 4, 8
counts = np.array([[False, True, True, False, True], [False] * 5, [True, True, False, True, False]])


def options_of(code):
    return {"return_sequences": bool(code & SEQUENCES), "go_backwards": bool(code & BACKWARDS),
            "zero_output_for_mask": bool(code & ZERO)}


def run_layer(layer, code, x, weights, states, dropout=None, recurrent_dropout=None, plain=False):
    """The outputs and the last states of a layer with these weights."""
    def call(*now):
        x, weights, states = now[0], now[1:1 + len(weights_given)], now[1 + len(weights_given):]
        layer.cell._dropout_mask, layer.cell._recurrent_dropout_mask = dropout, recurrent_dropout
        out, _ = layer.stateless_call(
            list(weights), layer.non_trainable_variables, x, initial_state=list(states) or None,
            mask=tf.constant(counts) if code & MASKED else None, training=dropout is not None)
        return out[0] if plain else flat(*out)
    weights_given = weights
    layer.build(x.shape)
    return call


def recurrent(name, make, code, weights, states, dropout=None, recurrent_dropout=None, plain=False):
    x = real(BATCH, TIME, FEATURES)
    weights = [real(*shape) for shape in weights]
    states = [real(BATCH, UNITS) for _ in range(states)]
    layer = make(UNITS, return_state=True, **options_of(code))
    call = run_layer(layer, code, x, weights, states, dropout, recurrent_dropout, plain)
    more = {}
    if dropout is not None:
        more["dropout"] = np.array(dropout)
    if recurrent_dropout is not None:
        more["recurrent"] = np.array(recurrent_dropout)
    case(name, call, x, *weights, *states, mask=counts, **more)


def drops(gates, *shape):
    """A dropout mask for all gates, or one for each."""
    masks = [2.0 * (rng.uniform(size=shape) < 0.5) for _ in range(gates)]
    return [tf.constant(m) for m in masks] if gates > 1 else tf.constant(masks[0])


def weights_of(gates, *bias):
    return (FEATURES, gates * UNITS), (UNITS, gates * UNITS), bias or (gates * UNITS,)


for code in range(16):
    if code & ZERO and not code & MASKED:
        continue
    begin(f"lstm_{code}")
    recurrent(f"lstm_{code}", keras.layers.LSTM, code, weights_of(4), 2)
    begin(f"gru_{code}")
    recurrent(f"gru_{code}", keras.layers.GRU, code, weights_of(3, 2, 3 * UNITS), 1)
    begin(f"simple_rnn_{code}")
    recurrent(f"simple_rnn_{code}", keras.layers.SimpleRNN, code, weights_of(1), 1)
for name, make, gates, bias in (("lstm", keras.layers.LSTM, 4, ()), ("gru", keras.layers.GRU, 3, (2, 3 * UNITS)),
                                ("simple_rnn", keras.layers.SimpleRNN, 1, ())):
    begin(f"{name}_from_0")  # without states of the caller's
    recurrent(f"{name}_from_0", make, SEQUENCES | MASKED, weights_of(gates, *bias), 0)
    begin(f"{name}_cell")  # the same, step by step
    recurrent(f"{name}_cell", make, SEQUENCES, weights_of(gates, *bias), 2 if gates == 4 else 1)
    begin(f"{name}_functions")
    functions = {"activation": "softsign"} if gates == 1 else {"activation": "softsign", "recurrent_activation": "silu"}
    recurrent(f"{name}_functions", lambda *a, **k: make(*a, **functions, **k), SEQUENCES, weights_of(gates, *bias), 0)
    begin(f"{name}_dropout")  # each gate has masks of its own
    recurrent(f"{name}_dropout", lambda *a, **k: make(*a, dropout=0.5, recurrent_dropout=0.5, **k), SEQUENCES,
              weights_of(gates, *bias), 0, drops(gates, BATCH, FEATURES), drops(gates, BATCH, UNITS))
begin("lstm_dropout_of_x")
recurrent("lstm_dropout_of_x", lambda *a, **k: keras.layers.LSTM(*a, dropout=0.5, **k), SEQUENCES, weights_of(4), 0,
          drops(1, BATCH, FEATURES))
begin("gru_reset_before")
recurrent("gru_reset_before", lambda *a, **k: keras.layers.GRU(*a, reset_after=False, **k), SEQUENCES, weights_of(3), 1)
begin("gru_reset_before_dropout")
recurrent("gru_reset_before_dropout",
          lambda *a, **k: keras.layers.GRU(*a, reset_after=False, dropout=0.5, recurrent_dropout=0.5, **k),
          SEQUENCES, weights_of(3), 1, drops(3, BATCH, FEATURES), drops(3, BATCH, UNITS))


class Leaky(keras.layers.Layer):
    """A cell whose output is none of its states."""

    state_size, output_size = [UNITS, UNITS], UNITS

    def build(self, shape):
        self.kernel = self.add_weight(shape=(FEATURES, UNITS))

    def call(self, x, states):
        h, sum_ = states
        fresh = ops.tanh(ops.matmul(x, self.kernel) + h)
        return fresh * sum_, [0.5 * (h + fresh), sum_ + h]


for code in range(16):
    if code & ZERO and not code & MASKED:
        continue
    begin(f"rnn_{code}")
    recurrent(f"rnn_{code}", lambda units, **k: keras.layers.RNN(Leaky(), **k), code, [(FEATURES, UNITS)], 2)

# ---- attention ----

def stateless(layer, *shapes):
    """The layer with its weights in place of its own: the weights are the last arguments."""
    layer.build(*shapes)

    def call(inputs, weights, **options):
        return layer.stateless_call(list(weights), layer.non_trainable_variables, inputs, **options)[0]
    return call


HEADS_OPTIONS = {"masks": dict(query_mask=True, value_mask=True, mask=True), "causal": dict(is_causal=True, value_mask=True),
                 "bias": dict(bias=True), "grouped": {}}
for name, options in HEADS_OPTIONS.items():
    begin(f"heads_{name}")
    heads = 2 if name == "grouped" else 4
    q, k, v = real(2, 3, 4, 5), real(2, 6, heads, 5), real(2, 6, heads, 2)
    query_mask = np.array([[True, False, True], [True, True, True]])
    value_mask = np.array([[True, True, False, True, False, True], [True] * 5 + [False]])
    mask = rng.uniform(size=(2, 1, 3, 6)) < 0.8
    whole = np.ones((2, 1, 3, 6), bool)
    if options.get("query_mask"):
        whole &= query_mask[:, None, :, None]
    if options.get("value_mask"):
        whole &= value_mask[:, None, None, :]
    if options.get("mask"):
        whole &= mask
    bias = real(4, 3, 6) if options.get("bias") else None

    def call(q, k, v):
        out = ops.dot_product_attention(q, k, v, bias=bias, mask=tf.constant(whole),
                                        scale=tf.constant(0.7, tf.float64),
                                        is_causal=options.get("is_causal", False))
        return out
    case(f"heads_{name}", call, q, k, v, query_mask=query_mask, value_mask=value_mask, mask=mask,
         **({"bias": bias} if bias is not None else {}))

# Keras's layer without its projections: axes between batch and heads; its scores.
for name, axes in {"all": (1, 2), "rows": (2,), "columns": (1,)}.items():
    begin(f"pixels_{name}")
    layer = keras.layers.MultiHeadAttention(2, 3, attention_axes=axes)
    layer.build((2, 3, 4, 6), (2, 3, 4, 6))
    layer._inverse_sqrt_key_dim = tf.constant(3**-0.5, tf.float64)  # a Python number would go through float32
    shape = {"all": (2, 3, 4, 3, 4), "rows": (2, 3, 4, 4), "columns": (2, 4, 3, 3)}[name]
    mask = rng.uniform(size=shape) < 0.8
    mask[..., 0] = True

    def call(q, k, v):
        out, scores = layer._compute_attention(q, k, v, attention_mask=tf.constant(mask), return_attention_scores=True)
        return flat(out, scores)
    case(f"pixels_{name}", call, real(2, 3, 4, 2, 3), real(2, 3, 4, 2, 3), real(2, 3, 4, 2, 3), mask=mask)

query_mask = np.array([[True, False, True], [True, True, True]])
value_mask = np.array([[True, True, False, True], [True, False, True, True]])
for name, make, weights, options in (
        ("attention", lambda: keras.layers.Attention(), [], {}),
        ("attention_scale", lambda: keras.layers.Attention(use_scale=True), [()], {}),
        ("attention_concat", lambda: keras.layers.Attention(score_mode="concat", use_scale=True), [(), ()], {}),
        ("attention_masked", lambda: keras.layers.Attention(), [], {"use_causal_mask": True}),
        ("additive", lambda: keras.layers.AdditiveAttention(use_scale=False), [], {}),
        ("additive_masked", lambda: keras.layers.AdditiveAttention(), [(5,)], {"use_causal_mask": True})):
    begin(name)
    call = stateless(make(), [(2, 3, 5), (2, 4, 2), (2, 4, 5)])
    masks = [tf.constant(query_mask), tf.constant(value_mask)] if "masked" in name else None
    case(name, lambda q, v, k, *w: flat(*call([q, v, k], w, mask=masks, return_attention_scores=True, **options)),
         real(2, 3, 5), real(2, 4, 2), real(2, 4, 5), *[real(*w) for w in weights], query_mask=query_mask,
         value_mask=value_mask)

# ---- pooling to a size ----

def apart(*shape):
    """Numbers of which no two are close: maxima stay where they are."""
    n = int(np.prod(shape))
    return (rng.permutation(n) / n * 4 - 2).reshape(shape)


for name, function, sizes, shape in (
        ("adaptive_average1d", ops.adaptive_average_pool, 3, (2, 7, 2)),
        ("adaptive_average2d", ops.adaptive_average_pool, (3, 4), (2, 5, 8, 2)),
        ("adaptive_average_larger", ops.adaptive_average_pool, (7, 4), (2, 5, 4, 2)),
        ("adaptive_max1d", ops.adaptive_max_pool, 4, (2, 7, 2)),
        ("adaptive_max2d", ops.adaptive_max_pool, (2, 3), (2, 5, 6, 2))):
    begin(name)
    case(name, lambda x: function(x, sizes, data_format="channels_last"), apart(*shape))


# TensorFlow pools volumes in float32 only: the windows by their definition, compared with that.
def volume(x, sizes, reduce):
    for axis, out in enumerate(sizes, 1):
        n = x.shape[axis]
        parts = [reduce(tf.gather(x, range(i * n // out, -(-(i + 1) * n // out)), axis=axis), axis) for i in range(out)]
        x = tf.stack(parts, axis)
    return x


for name, function, reduce in (("adaptive_average3d", ops.adaptive_average_pool, tf.reduce_mean),
                               ("adaptive_max3d", ops.adaptive_max_pool, tf.reduce_max)):
    begin(name)
    x = apart(1, 5, 3, 4, 2)
    case(name, lambda x: volume(x, (2, 3, 3), reduce), x)
    got = function(tf.constant(x, tf.float32), (2, 3, 3), data_format="channels_last")
    assert np.abs(got - tensors[f"{name}.out"]).max() < 1e-5, name


# ---- normalization ----

for name, shape, axis, mask_shape in (("moments_masked", (3, 5, 2), -1, (3, 5)),
                                      ("moments_masked_rows", (3, 4, 2), 2, (3,))):
    begin(name)
    layer = keras.layers.BatchNormalization(axis=axis)
    layer.build(shape)
    mask = rng.uniform(size=mask_shape) < 0.6
    wide = mask if len(mask_shape) == 2 else np.broadcast_to(mask[:, None], shape[:2])
    case(name, lambda x: flat(*layer._moments(x, tf.constant(wide))), real(*shape), mask=mask)
for name, count, shape in (("spectral", 1, (4, 3)), ("spectral_conv", 3, (2, 2, 2, 3))):
    begin(name)
    u = real(1, shape[-1])

    def call(kernel):
        layer = SimpleNamespace(kernel=kernel, kernel_shape=shape, power_iterations=count,
                                vector_u=SimpleNamespace(value=tf.constant(u), dtype="float64"))
        next_u, kernel = keras.layers.SpectralNormalization.normalized_weights(layer)
        return flat(kernel, next_u)
    case(name, call, real(*shape), u=u)
for name, call, shapes in (
        ("unit_axes", keras.layers.UnitNormalization(axis=(1, 2)), [(3, 2, 4)]),
        ("instance", lambda x: keras.layers.GroupNormalization(-1, scale=False, center=False)(x), [(2, 4, 3)]),
        ("group_axis", lambda x: keras.layers.GroupNormalization(2, axis=1, scale=False, center=False, epsilon=0.01)(x),
         [(2, 4, 3)])):
    begin(name)
    case(name, call, *[real(*shape) for shape in shapes])

# ---- shapes and merging ----

for name, shapes, axes, normalize in (
        ("batch_dot", [(3, 4, 2), (3, 2, 5)], (2, 1), False),
        ("batch_dot_default", [(3, 4, 2), (3, 2, 5)], None, False),
        ("batch_dot_vectors", [(3, 4), (3, 4)], (1, 1), False),
        ("batch_dot_cosine", [(3, 4), (3, 4)], (1, 1), True),
        ("batch_dot_many", [(3, 4, 2, 3), (3, 5, 2, 4)], (1, -1), True),
        ("batch_dot_mixed", [(3, 4, 2), (3, 4)], (1, 1), False)):
    begin(name)
    case(name, lambda x, y: keras.layers.Dot(axes, normalize)([x, y]) if axes else
         __import__("keras.src.layers.merging.dot", fromlist=["batch_dot"]).batch_dot(x, y), *[real(*s) for s in shapes])
for name, make, shape in (
        ("crop1d", lambda: keras.layers.Cropping1D((1, 2)), (2, 6, 3)),
        ("crop3d", lambda: keras.layers.Cropping3D(((1, 0), (0, 2), (1, 1))), (2, 3, 4, 4, 2)),
        ("upsample1d", lambda: keras.layers.UpSampling1D(3), (2, 3, 2)),
        ("upsample2d", lambda: keras.layers.UpSampling2D((2, 3)), (2, 3, 2, 2)),
        ("upsample3d", lambda: keras.layers.UpSampling3D((2, 1, 3)), (1, 2, 3, 2, 2))):
    begin(name)
    case(name, make(), real(*shape))

# TensorFlow resizes in float32 only: two products with a matrix, compared with that.
begin("upsample_bilinear")


def bilinear(n, times):
    at = (np.arange(n * times) + 0.5) / times - 0.5
    low = np.floor(at)
    matrix = np.zeros((n * times, n))
    for i, (place, left) in enumerate(zip(at, low)):
        matrix[i, int(np.clip(left, 0, n - 1))] += left + 1 - place
        matrix[i, int(np.clip(left + 1, 0, n - 1))] += place - left
    return matrix


x = real(2, 3, 4, 2)
case("upsample_bilinear", lambda x: tf.einsum("ah,bw,nhwc->nabc", bilinear(3, 2), bilinear(4, 3), x), x)
got = keras.layers.UpSampling2D((2, 3), interpolation="bilinear", dtype="float32")(tf.constant(x, tf.float32))
assert np.abs(got - tensors["upsample_bilinear.out"]).max() < 1e-5

# ---- sound ----

for name, options in {"mel": dict(mag_exp=1.5), "mel_power": dict(power_to_db=False, max_freq=3000),
                      "mel_short": dict(sequence_length=24, top_db=6.0, ref_power=0.5)}.items():
    begin(name)
    layer = keras.layers.MelSpectrogram(fft_length=32, sequence_stride=12, sampling_rate=8000, num_mel_bins=5,
                                        min_freq=50.0, dtype="float64", **options)
    make = layer.linear_to_mel_weight_matrix

    def weights(num_mel_bins, num_spectrogram_bins, sampling_rate, lower_edge_hertz, upper_edge_hertz):
        """By the triangles' definition in float64; Keras makes them in float32."""
        mel = lambda f: 1127 * np.log1p(f / 700)
        edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
        at = mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins))[:, None]
        up, down = (at - edges[:-2]) / np.diff(edges[:-1]), (edges[2:] - at) / np.diff(edges[1:])
        ours = np.maximum(0, np.minimum(up, down))
        keras_ = make(num_mel_bins, num_spectrogram_bins, sampling_rate, lower_edge_hertz, upper_edge_hertz)
        assert np.abs(ours - keras_).max() < 1e-4
        return tf.constant(ours)
    layer.linear_to_mel_weight_matrix = weights
    layer.ref_power = tf.constant(layer.ref_power, tf.float64)
    case(name, layer, real(2, 60))

# ---- losses: of predictions, labels are constants ----


def labels(*shape):
    return (rng.uniform(size=shape) < 0.4).astype(float)


def one_hot(rows, classes):
    return np.eye(classes)[rng.integers(0, classes, rows)]


def loss(name, y_true, y_pred, function, **constants):
    case(name, lambda y: function(tf.constant(y_true), y), y_pred, true=y_true, **constants)


begin("focal_binary")
loss("focal_binary", labels(3, 4), real(3, 4, low=0.1, high=0.9), keras.losses.binary_focal_crossentropy)
begin("focal_binary_options")
loss("focal_binary_options", labels(3, 4), real(3, 4, low=0.1, high=0.9), lambda t, p: keras.losses.binary_focal_crossentropy(
    t, p, apply_class_balancing=True, alpha=0.625, gamma=1.5, label_smoothing=0.125))
begin("focal_binary_logits")
loss("focal_binary_logits", labels(3, 4), real(3, 4), lambda t, p: keras.losses.binary_focal_crossentropy(
    t, p, from_logits=True, gamma=3.0))
begin("focal")
loss("focal", one_hot(4, 3), real(4, 3, low=0.1, high=0.9), keras.losses.categorical_focal_crossentropy)
begin("focal_options")
loss("focal_options", one_hot((2, 4), 3).transpose(0, 2, 1), real(2, 3, 4, low=0.1, high=0.9),
     lambda t, p: keras.losses.categorical_focal_crossentropy(t, p, alpha=0.625, gamma=1.5, axis=1))
begin("focal_logits")
loss("focal_logits", one_hot(4, 3), real(4, 3), lambda t, p: keras.losses.categorical_focal_crossentropy(
    t, p, from_logits=True, label_smoothing=0.125))
begin("focal_weighted")
weight = real(4, low=0.5, high=2)
loss("focal_weighted", one_hot(4, 3), real(4, 3, low=0.1, high=0.9), lambda t, p: keras.losses.CategoricalFocalCrossentropy(
    reduction="mean_with_sample_weight", dtype="float64")(t, p, sample_weight=weight), weight=weight)
begin("generalized")
loss("generalized", rng.integers(0, 3, 4), real(4, 3, low=0.1, high=0.9),
     lambda t, p: keras.losses.categorical_generalized_cross_entropy(t, p, q=0.375))
begin("dice")
loss("dice", labels(3, 4), real(3, 4, low=0.1, high=0.9), keras.losses.dice)
begin("dice_axes")
loss("dice_axes", labels(2, 3, 4), real(2, 3, 4, low=0.1, high=0.9), lambda t, p: keras.losses.dice(t, p, axis=(1, 2)))
begin("tversky")
loss("tversky", labels(2, 3, 4), real(2, 3, 4, low=0.1, high=0.9),
     lambda t, p: keras.losses.tversky(t, p, alpha=0.25, beta=0.75, axis=(1, 2)))
for name, options in {"circle": {}, "circle_options": dict(gamma=8.0, margin=0.25)}.items():
    begin(name)
    loss(name, rng.integers(0, 2, 5), real(5, 3),
         lambda t, p: keras.losses.circle(t, tf.math.l2_normalize(p, 1), **options))

save_file({name: np.asarray(t, order="C") for name, t in tensors.items()}, "functions.safetensors",
          {"source": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("functions.safetensors"), "bytes")
