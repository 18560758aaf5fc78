"""Numbers of Keras's optimizers and schedules for tests/test_optimizers.c: python make_optimizers.py > optimizers.inc

Keras 3.15.1 on TensorFlow 2.21.0, floatx float64. Two variables, (3,) and (2, 1), start at 1, 1.25, ..., 2; the gradient of
call c, from 1, is (k + 1)(7 - c) / 8 + (c mod 3) / 4 for number k. Each row: the five numbers after 10 calls."""
import inspect
import os
import textwrap

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras.optimizers import *  # noqa: F403
from keras.optimizers.schedules import *  # noqa: F403

import keras.src.ops as keras_ops

keras.config.set_floatx("float64")
cast = keras_ops.cast
# Keras rounds numbers of Python to float32 on their way to float64.
keras_ops.cast = lambda x, dtype: cast(np.float64(x) if isinstance(x, float) else x, dtype)

OPTIMIZERS = [
    "RMSprop(0.1, rho=0.8, epsilon=0.05)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, momentum=0.7)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, centered=True)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, momentum=0.7, centered=True)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, weight_decay=0.25)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, momentum=0.7, gradient_accumulation_steps=3)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, clipnorm=1.5)",
    "RMSprop(0.1, rho=0.8, epsilon=0.05, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)",
    "RMSprop(ExponentialDecay(0.1, 3, 0.5), rho=0.8, epsilon=0.05)",
    "SGD(ExponentialDecay(0.1, 3, 0.5), momentum=0.75)",
    "Adam(CosineDecay(0.1, 8, alpha=0.1), beta_1=0.75, beta_2=0.875, epsilon=0.0625)",
    "AdamW(CosineDecay(0.1, 6, warmup_target=0.3, warmup_steps=3), weight_decay=0.25, epsilon=0.0625, beta_1=0.75, beta_2=0.875)",
    "SGD(0.1, momentum=0.75, loss_scale_factor=8.0)",
    "Adagrad(0.125, initial_accumulator_value=0.25, epsilon=0.0625)",
    "Adagrad(0.125, initial_accumulator_value=0.25, weight_decay=0.25, gradient_accumulation_steps=2)",
    "Adadelta(0.5, rho=0.75, epsilon=0.0625)",
    "Adadelta(0.5, weight_decay=0.25)",
    "Adamax(0.125, beta_1=0.75, beta_2=0.875, epsilon=0.0625)",
    "Adamax(0.125, beta_1=0.75, beta_2=0.875, gradient_accumulation_steps=3)",
    "Nadam(0.125, beta_1=0.75, beta_2=0.875, epsilon=0.0625)",
    "Nadam(0.125, beta_1=0.75, beta_2=0.875, weight_decay=0.25, clipnorm=1.5)",
    "Lion(0.125, beta_1=0.25, beta_2=0.9375)",
    "Lion(0.125, beta_1=0.75, beta_2=0.875, weight_decay=0.25)",
    "Ftrl(0.125, learning_rate_power=-0.75, initial_accumulator_value=0.25, l1_regularization_strength=0.125, "
    "l2_regularization_strength=0.25, l2_shrinkage_regularization_strength=0.5, beta=0.25)",
    "Ftrl(0.5)",
    "Lamb(0.125, beta_1=0.75, beta_2=0.875, epsilon=0.0625)",
    "Lamb(0.125, beta_1=0.75, beta_2=0.875, weight_decay=0.25)",
    "Adafactor(0.125)",
    "Adafactor(0.75, beta_2_decay=-0.5, epsilon_2=0.0625, clip_threshold=0.5, weight_decay=0.25)",
    "Muon(0.125, adam_beta_1=0.75, adam_beta_2=0.875, momentum=0.875, adam_weight_decay=0.25, weight_decay=0.5)",
    "Muon(0.125, adam_beta_1=0.75, adam_beta_2=0.875, epsilon=0.0625, adam_lr_ratio=0.5, nesterov=False, ns_steps=3, rms_rate=0.5, "
    "weight_decay=0.0, adam_weight_decay=0.0)",
    "ScheduleFreeAdamW(0.125, beta_1=0.75, beta_2=0.875, epsilon=0.0625)",
    "ScheduleFreeAdamW(0.125, warmup_steps=4, weight_decay=0.25, gradient_accumulation_steps=2)",
    "Lion(0.125, beta_1=0.5, beta_2=0.875)",
    "Adafactor(0.125, epsilon_1=0.0625)",
]
SCHEDULES = [
    "ExponentialDecay(0.1, 7, 0.5)",
    "ExponentialDecay(0.1, 7, 0.5, staircase=True)",
    "InverseTimeDecay(0.1, 7, 0.5)",
    "InverseTimeDecay(0.1, 7, 0.5, staircase=True)",
    "PolynomialDecay(0.1, 7)",
    "PolynomialDecay(0.1, 7, end_learning_rate=0.01, power=2.5)",
    "PolynomialDecay(0.1, 7, end_learning_rate=0.01, power=0.5, cycle=True)",
    "CosineDecay(0.1, 7)",
    "CosineDecay(0.1, 7, alpha=0.2)",
    "CosineDecay(0.1, 7, alpha=0.2, warmup_target=0.4, warmup_steps=4)",
    "CosineDecayRestarts(0.1, 3)",
    "CosineDecayRestarts(0.1, 3, t_mul=1.0, m_mul=0.8, alpha=0.1)",
    "CosineDecayRestarts(0.1, 3, t_mul=1.5, m_mul=0.8, alpha=0.1)",
    "PiecewiseConstantDecay([3, 7], [0.1, 0.05, 0.01])",
]
STEPS = [0, 1, 2, 3, 4, 7, 8, 15, 30]


def exact(schedule):
    """Keras computes schedules in the type of their first rate, and float32 for a number of Python."""
    for name, value in vars(schedule).items():
        if isinstance(value, float) and name != "t_mul":
            setattr(schedule, name, np.float64(value))
        elif name == "values":
            schedule.values = [np.float64(v) for v in value]
    return schedule


def row(numbers):
    return "{" + ", ".join("%.17g" % float(x) for x in numbers) + "},"


# Keras keeps the old momentum of ScheduleFreeAdamW as TensorFlow's variable, which it then overwrites; on other backends it
# has the old numbers, as its comment says.
source = textwrap.dedent(inspect.getsource(ScheduleFreeAdamW.update_step))  # noqa: F405
module = dict(vars(inspect.getmodule(ScheduleFreeAdamW)))  # noqa: F405
exec(source.replace("momentum.value", "ops.copy(momentum.value)"), module)
ScheduleFreeAdamW.update_step = module["update_step"]  # noqa: F405


def train(text):
    optimizer = eval(text)
    if isinstance(optimizer._learning_rate, LearningRateSchedule):
        exact(optimizer._learning_rate)
    factor = optimizer.loss_scale_factor or 1
    start = 1 + np.arange(5) / 4
    a, b = keras.Variable(start[:3]), keras.Variable(start[3:].reshape(2, 1))
    for call in range(1, 11):
        g = ((np.arange(5) + 1) * (7 - call) / 8 + (call % 3) / 4) * factor
        optimizer.apply([keras.ops.convert_to_tensor(g[:3]), keras.ops.convert_to_tensor(g[3:].reshape(2, 1))], [a, b])
    return np.concatenate([a.numpy().ravel(), b.numpy().ravel()])


print("/* make_optimizers.py, Keras", keras.version(), "*/")
print("static const double trained[][5] = {")
for text in OPTIMIZERS:
    print("    /*", text, "*/", row(train(text)))
print("};")
MATRICES = ["Muon(0.125)", "Muon(0.125, nesterov=False, momentum=0.5, weight_decay=0.25)", "Adafactor(0.125)",
            "Adafactor(0.75, epsilon_2=0.25, clip_threshold=0.5)", "Lamb(0.125)"]


def train_matrix(text, shape):
    """A variable of 24 numbers cos(k), k from 0; gradient sin(1.7 k + c) in call c, from 1 to 4."""
    optimizer = eval(text)
    w = keras.Variable(np.cos(np.arange(24.0)).reshape(shape))
    for call in range(1, 5):
        optimizer.apply([keras.ops.convert_to_tensor(np.sin(1.7 * np.arange(24) + call).reshape(shape))], [w])
    return w.numpy().ravel()


print("static const double matrices[][24] = { /* (4, 6), (6, 4), (2, 3, 4) of each */")
for text in MATRICES:
    for shape in (4, 6), (6, 4), (2, 3, 4):
        print("    /*", text, shape, "*/", row(train_matrix(text, shape)))
print("};")
print("static const double rates[][%d] = { /* of steps" % len(STEPS), *STEPS, "*/")
for text in SCHEDULES:
    print("    /*", text, "*/", row(exact(eval(text))(keras.ops.convert_to_tensor(float(s), "float64")) for s in STEPS))
print("};")
print("static const OptionDefault defaults[] = {")
for kind in (Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop, ScheduleFreeAdamW, SGD):  # noqa: F405
    for option, value in kind().get_config().items():
        if value is None or isinstance(value, (bool, int, float)):
            print('    {"%s", "%s", %s},' % (kind.__name__, option, "NAN" if value is None else "%.9g" % value))
print("};")
