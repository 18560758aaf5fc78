"""Writes values.safetensors: what Keras 3.15.1 on TensorFlow 2.21.0 makes of initializers that draw nothing,
of regularizers and constraints, and how weights with constraints are trained. Everything in float64.

Run: python make_values.py
     (pip install tensorflow-cpu==2.21.0 keras==3.15.1 scipy==1.17.1 safetensors)

NAME.out is an initializer's weight. A regularizer has NAME.in, NAME.out and NAME.gradient; a constraint
NAME.in, NAME.up, NAME.out and NAME.gradient, of sum(out * up). A training has NAME.kernel and NAME.bias: what
they are after each of the STEPS, in one tensor; all start from train.kernel and train.bias and see train.x and
train.y. tests/test_initializers.c, test_constraints.c and test_values.c compute them again.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import scipy
import tensorflow as tf
from keras import constraints, initializers, regularizers
from safetensors.numpy import save_file

assert keras.__version__ == "3.15.1" and tf.__version__ == "2.21.0" and scipy.__version__ == "1.17.1"
keras.config.set_floatx("float64")
# Options below are exact in float32, which Keras keeps some of them in.
rng = np.random.default_rng(20250908)
tensors = {}
STEPS = 10


def initial(name, initializer, shape):
    tensors[f"{name}.out"] = np.asarray(initializer(shape, dtype="float64"))


initial("constant", initializers.Constant(-1.5), (2, 3))
initial("constant_row", initializers.Constant([0.25, -3.0, 7.0]), (4, 3))
initial("constant_column", initializers.Constant([[1.0], [2.0]]), (2, 3))
initial("identity", initializers.Identity(2.5), (3, 5))
initial("stft_real", initializers.STFT(), (16, 1, 9))
initial("stft_imag", initializers.STFT("imag", "hamming", "spectrum", True), (12, 1, 11))
initial("stft_plain", initializers.STFT("imag", None, "density", False), (6, 1, 4))
initial("stft_unscaled", initializers.STFT("real", "hann", None, True), (7, 1, 5))
initial("stft_single", initializers.STFT("real", "hann", "density", False), (1, 1, 3))


def away_from_zero(shape):
    x = rng.uniform(-1.5, 1.5, shape)
    return np.where(np.abs(x) < 0.05, 0.3, x)


def regularizer(name, penalty, shape, **exact):
    # Keras keeps the factor of OrthogonalRegularizer as a tensor of float32, which float64 weights refuse.
    for factor, number in exact.items():
        setattr(penalty, factor, number)
    x = away_from_zero(shape)
    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        out = penalty(v)
    tensors[f"{name}.in"], tensors[f"{name}.out"] = x, np.asarray(out)
    tensors[f"{name}.gradient"] = np.asarray(tape.gradient(out, v))


regularizer("l1", regularizers.L1(0.125), (3, 4))
regularizer("l2", regularizers.L2(0.375), (2, 3, 2))
regularizer("l1_l2", regularizers.L1L2(0.125, 0.75), (3, 4))
regularizer("orthogonal_rows", regularizers.OrthogonalRegularizer(0.125), (3, 5), factor=0.125)
regularizer("orthogonal_columns", regularizers.OrthogonalRegularizer(0.5, "columns"), (4, 3), factor=0.5)
regularizer("orthogonal_tall", regularizers.OrthogonalRegularizer(0.25, "rows"), (6, 2), factor=0.25)


def constraint(name, project, shape):
    x, up = away_from_zero(shape), rng.uniform(-1, 1, shape)
    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        out = project(v)
        target = tf.reduce_sum(out * up)
    tensors[f"{name}.in"], tensors[f"{name}.up"], tensors[f"{name}.out"] = x, up, np.asarray(out)
    tensors[f"{name}.gradient"] = np.asarray(tape.gradient(target, v))


constraint("max_norm", constraints.MaxNorm(), (6, 5))
constraint("max_norm_last", constraints.MaxNorm(1.25, axis=-1), (4, 3))
constraint("max_norm_conv", constraints.MaxNorm(3.0, axis=[0, 1, 2]), (2, 3, 2, 4))
constraint("max_norm_all", constraints.MaxNorm(1.0, axis=None), (3, 4))
constraint("non_neg", constraints.NonNeg(), (3, 4))
constraint("unit_norm", constraints.UnitNorm(), (4, 3))
constraint("unit_norm_pair", constraints.UnitNorm(axis=[1, 2]), (2, 3, 4))
constraint("min_max_norm", constraints.MinMaxNorm(), (6, 5))
constraint("min_max_norm_part", constraints.MinMaxNorm(1.5, 2.0, rate=0.25, axis=1), (7, 3))

tensors["train.x"] = rng.normal(size=(8, 4))
tensors["train.y"] = rng.normal(size=(8, 3))
tensors["train.kernel"] = rng.normal(size=(4, 3))
tensors["train.bias"] = rng.normal(size=(3,))


def train(name, optimizer, kernel, bias, **penalties):
    x, y = tensors["train.x"], tensors["train.y"]
    dense = keras.layers.Dense(3, kernel_constraint=kernel, bias_constraint=bias, **penalties)
    dense.build(x.shape)
    dense.set_weights([tensors["train.kernel"], tensors["train.bias"]])
    kernels, biases = [], []
    for step in range(STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((dense(x) - y) ** 2) + sum(dense.losses)
        optimizer.apply(tape.gradient(loss, dense.trainable_variables), dense.trainable_variables)
        kernels.append(dense.kernel.numpy())
        biases.append(dense.bias.numpy())
    tensors[f"{name}.kernel"], tensors[f"{name}.bias"] = np.stack(kernels), np.stack(biases)


def sgd(**options):
    return keras.optimizers.SGD(0.25, momentum=0.875, **options)


train("train_max_norm", sgd(), constraints.MaxNorm(0.75), constraints.NonNeg())
train("train_non_neg", sgd(nesterov=True), constraints.NonNeg(), constraints.UnitNorm())
train("train_unit_norm", sgd(), constraints.UnitNorm(axis=1), None)
train("train_min_max_norm", sgd(), constraints.MinMaxNorm(0.875, 1.125, rate=0.5), None)
train("train_average", sgd(use_ema=True, ema_momentum=0.75, ema_overwrite_frequency=3),
      constraints.MaxNorm(0.75), constraints.NonNeg())
train("train_accumulated", sgd(gradient_accumulation_steps=2),
      constraints.MinMaxNorm(0.875, 1.125, rate=0.5), None)
train("train_decay", sgd(weight_decay=0.125, clipnorm=0.5), constraints.MaxNorm(0.75), constraints.NonNeg())
train("train_adam", keras.optimizers.Adam(0.125, 0.875, 0.96875, 2.0**-20), constraints.MaxNorm(0.75), constraints.NonNeg())


def penalized(name, optimizer, **penalties):
    train(name, optimizer, None, None, **penalties)


def orthogonal(factor, mode):
    penalty = regularizers.OrthogonalRegularizer(factor, mode)
    penalty.factor = factor  # as above
    return penalty


penalized("train_l1", sgd(), kernel_regularizer=regularizers.L1(0.125), bias_regularizer=regularizers.L1(0.25))
penalized("train_l2", sgd(nesterov=True), kernel_regularizer=regularizers.L2(0.125), bias_regularizer=regularizers.L2(0.5))
penalized("train_l1_l2", keras.optimizers.Adam(0.125, 0.875, 0.96875, 2.0**-20), kernel_regularizer=regularizers.L1L2(0.125, 0.25))
penalized("train_orthogonal_regularizer_rows", sgd(), kernel_regularizer=orthogonal(0.125, "rows"))
penalized("train_orthogonal_regularizer_columns", sgd(), kernel_regularizer=orthogonal(0.125, "columns"))
penalized("train_activity", sgd(), kernel_regularizer=regularizers.L2(0.125), activity_regularizer=regularizers.L1L2(0.125, 0.25))
train("train_both", sgd(), constraints.MinMaxNorm(0.5, 1.25, rate=0.75), constraints.UnitNorm(),
      kernel_regularizer=regularizers.L2(0.25), bias_regularizer=regularizers.L1(0.25))

save_file({name: np.array(value, order="C") for name, value in tensors.items()}, "values.safetensors")
