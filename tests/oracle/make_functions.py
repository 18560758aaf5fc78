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

save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, "functions.safetensors",
          {"source": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("functions.safetensors"), "bytes")
