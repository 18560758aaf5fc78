"""Losses of a model with two inputs and two outputs over 20 steps, for tests/test_fit_lists.c.

Keras 3 with TensorFlow, float64. Inputs, labels, weights of samples and first numbers by formula, the same in the test.
Writes tests/oracle/fit.inc: versions, then a line a step: the whole loss, that of either output, and an accuracy.
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import layers as L

keras.config.set_floatx("float64")


def wave(count, phase):
    return np.sin(1.7 * np.arange(count) + phase)


words = np.array([[3, 1, 4, 0, 0], [2, 6, 1, 5, 2], [5, 0, 3, 0, 1], [4, 4, 0, 0, 0]], "int32")
numbers = wave(8, 0.3).reshape(4, 2)
classes = (np.arange(20) * 7 % 3).reshape(4, 5).astype("int32")
target = wave(4, 2.0).reshape(4, 1)
weight = np.array([1.0, 0.5, 2.0, 0.25])

a = keras.Input((5,), dtype="int32", name="words")
b = keras.Input((2,), name="numbers")
h = L.Dense(4, activation="tanh")(L.Embedding(7, 3, mask_zero=True)(a))
steps = L.Dense(3)(h)
g = L.Dense(3, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.02))(b)
value = L.Dense(1)(L.Concatenate()([b, g]))
model = keras.Model([a, b], [steps, value])
# By walking back from the outputs, as gradtape orders layers; Keras sorts by depth.
order = [w for layer in ("embedding", "dense", "dense_1", "dense_2", "dense_3") for w in model.get_layer(layer).weights]
for k, w in enumerate(order):
    w.assign(0.5 * wave(int(np.prod(w.shape)), k).reshape(w.shape))
model.compile(
    keras.optimizers.SGD(0.3, momentum=0.9),
    loss=[keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.losses.MeanSquaredError()],
    loss_weights=[1.0, 0.4],
)
lines = [f"/* Keras {keras.__version__}, TensorFlow {__import__('tensorflow').__version__}: tests/oracle/fit.py */"]
for _ in range(20):
    logs = model.train_on_batch([words, numbers], [classes, target], sample_weight=[None, weight], return_dict=True)
    parts = [float(v) for k, v in logs.items() if k != "loss"]
    lines.append("{%.17g, %.17g, %.17g}," % (float(logs["loss"]), parts[0], parts[1]))
    if _ == 0:
        print(list(logs))
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fit.inc")
open(path, "w").write("\n".join(lines) + "\n")
print([w.path for w in model.weights])
