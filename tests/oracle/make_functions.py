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

save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, "functions.safetensors",
          {"source": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("functions.safetensors"), "bytes")
