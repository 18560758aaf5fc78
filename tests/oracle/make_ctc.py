"""Writes ctc.safetensors: losses of connectionist temporal classification in float64, their gradients
and second derivatives in a direction, by optax 0.2.8 on JAX 0.10.2; and what Keras 3.15.1 on
TensorFlow 2.21.0 decodes. TensorFlow's tf.nn.ctc_loss, of float32, is asked too and must agree.

Run: python make_ctc.py
     (pip install jax==0.10.2 optax==0.2.8 tensorflow-cpu==2.21.0 keras==3.15.1 safetensors)

A loss NAME has NAME.target, NAME.output, NAME.target_length, NAME.output_length, NAME.mask, NAME.loss,
NAME.up (a weight for each loss), NAME.gradient of sum(loss * up), NAME.direction and NAME.second: the
gradient of sum(gradient * direction). tests/test_ctc.c computes them again.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import jax
import keras
import numpy as np
import optax
import tensorflow as tf
from keras import ops
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(20240611)
tensors = {}


def case(name, target, output, target_length, output_length, mask=0):
    target = np.asarray(target, np.int32)
    target_length, output_length = np.int32(target_length), np.int32(output_length)
    batch, steps, classes = output.shape
    late = np.float64(np.arange(steps) >= output_length[:, None])
    padded = np.float64(np.arange(target.shape[1]) >= target_length[:, None])
    up, direction = rng.uniform(0.5, 1.5, batch), rng.uniform(-1, 1, output.shape)

    def losses(x):
        return optax.ctc_loss(x, late, target, padded, blank_id=mask % classes, log_epsilon=-1e5)

    def total(x):
        return (losses(x) * up).sum()

    def along(x):
        return (jax.grad(total)(x) * direction).sum()

    loss = np.asarray(losses(output))
    keras_loss = ops.ctc_loss(target, tf.constant(output, tf.float32), target_length, output_length,
                              mask_index=mask)
    assert np.abs(keras_loss - loss).max() < 1e-4 * max(1, np.abs(loss).max()), name
    for part, x in (("target", target), ("output", output), ("target_length", target_length),
                    ("output_length", output_length), ("mask", np.int32(mask)), ("loss", loss),
                    ("up", up), ("gradient", jax.grad(total)(output)), ("direction", direction),
                    ("second", jax.grad(along)(output))):
        tensors[f"{name}.{part}"] = np.asarray(x)


def real(*shape):
    return rng.uniform(-2, 2, shape)


case("plain", [[1, 2, 3], [3, 1, 2]], real(2, 6, 4), [3, 3], [6, 6])
case("repeats", [[1, 1, 2, 2], [2, 2, 2, 1]], real(2, 9, 3), [4, 4], [9, 9])
case("lengths", [[1, 2, 2, 1], [2, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], real(4, 7, 3),
     [4, 1, 0, 2], [7, 4, 6, 3])
case("tight", [[1, 2, 1], [2, 2, 1]], real(2, 4, 3), [3, 3], [3, 4])
case("mask", [[0, 3, 0], [1, 1, 3]], real(2, 8, 4), [3, 3], [8, 7], 2)
case("mask_last", [[0, 2, 0], [1, 1, 2]], real(2, 8, 4), [3, 3], [8, 7], -1)
case("long", rng.integers(1, 7, (3, 30)), 3 * real(3, 90, 7), [30, 21, 30], [90, 90, 71])



def decoding(name, output, output_length, **options):
    """NAME.output, NAME.output_length, NAME.labels, NAME.scores"""
    output, output_length = np.float32(output), np.int32(output_length)
    labels, scores = ops.ctc_decode(tf.constant(output), output_length, **options)
    for part, x in (("output", output), ("output_length", output_length), ("labels", labels),
                    ("scores", scores)):
        tensors[f"decode_{name}.{part}"] = np.asarray(x)


few, lengths = 1.5 * real(4, 9, 4), [9, 4, 7, 0]
some = [9, 4, 7, 3]
decoding("greedy", few, lengths)
decoding("greedy_repeated", few, lengths, merge_repeated=False)
decoding("greedy_mask", few, lengths, mask_index=2)
decoding("beam", few, some, strategy="beam_search")
decoding("beam_top", few, some, strategy="beam_search", beam_width=50, top_paths=4)
# Of a negative mask_index Keras's search makes nothing sensible. Of 20 beams, TensorFlow's keeps one
# that is not among the 20 best.
decoding("beam_mask", few, some, strategy="beam_search", beam_width=60, top_paths=3, mask_index=3)
decoding("beam_narrow", real(5, 20, 6), [20, 20, 18, 9, 2], strategy="beam_search", beam_width=4,
         top_paths=4)
decoding("beam_one", real(5, 20, 6), [20, 20, 18, 9, 2], strategy="beam_search", beam_width=1)
decoding("beam_large", 2 * real(3, 40, 30), [40, 39, 12], strategy="beam_search", beam_width=100,
         top_paths=5)

save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, "ctc.safetensors",
          {"source": f"optax {optax.__version__}, JAX {jax.__version__}, Keras {keras.__version__}, "
                     f"TensorFlow {tf.__version__}"})
print(len(tensors), "tensors,", os.path.getsize("ctc.safetensors"), "bytes")
