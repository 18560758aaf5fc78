"""What Keras's fit, train_on_batch and evaluate give with their options, for tests/test_fit_options.c.

Keras 3 with TensorFlow, float64. A layer of three classes on two columns; columns, labels, weights of samples and first
numbers by formula, the same in the test. Writes tests/oracle/fit_options.inc: versions, then an array a case.
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras

keras.config.set_floatx("float64")
ROWS = 11


def wave(shape, phase):
    return np.sin(1.7 * np.arange(int(np.prod(shape))) + phase).reshape(shape)


x = wave((ROWS, 2), 0.3)
y = (np.arange(ROWS) * 7 % 3).astype("int32")
one_hot = np.eye(3)[y]
weight = 1 + 0.5 * wave((ROWS,), 1.0)


def model(optimizer=None, loss=None, **options):
    dense = keras.layers.Dense(3, kernel_regularizer=options.pop("regularizer", None))
    made = keras.Sequential([keras.Input((2,)), dense])
    dense.kernel.assign(0.5 * wave((2, 3), 0))
    dense.bias.assign(0.5 * wave((3,), 1))
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(optimizer or keras.optimizers.SGD(0.3), loss=loss, **options)
    return made


cases = {}


def fit(name, labels=y, made=None, **options):
    history = (made or model()).fit(x, labels, batch_size=4, shuffle=False, verbose=0, **options).history
    for key in history:
        cases[name + "_" + key] = history[key]


fit("plain", epochs=3)
fit("class_weight", epochs=3, class_weight={0: 2.0, 2: 0.5})
fit("one_hot", one_hot, model(loss=keras.losses.CategoricalCrossentropy(from_logits=True)), epochs=3,
    class_weight={0: 2.0, 2: 0.5})
fit("column", y.reshape(ROWS, 1), epochs=3, class_weight={0: 2.0, 2: 0.5})
fit("sample_weight", epochs=3, sample_weight=weight, made=model(metrics=["accuracy"], weighted_metrics=["accuracy"]))
fit("split", epochs=4, validation_split=0.3, validation_freq=2)
fit("split_weight", epochs=2, validation_split=0.3, sample_weight=weight)
fit("validation_steps", epochs=2, validation_split=0.5, validation_batch_size=2, validation_steps=2)
fit("steps", epochs=4, steps_per_epoch=2)
fit("more_steps", epochs=3, steps_per_epoch=5)
fit("execution", epochs=3, made=model(steps_per_execution=2))
fit("initial_epoch", epochs=5, initial_epoch=3)
fit("rmsprop", epochs=3, made=model("rmsprop"))
fit("penalty", epochs=3, made=model(regularizer=keras.regularizers.L2(0.1)))

made = model(metrics=["accuracy"])
steps = [made.train_on_batch(x[i:i + 4], y[i:i + 4]) for i in (0, 4, 8)]
cases["train_on_batch"] = [float(v) for pair in steps for v in pair]
cases["test_on_batch"] = [float(v) for v in made.test_on_batch(x, y)]
cases["evaluate"] = [float(v) for v in made.evaluate(x, y, batch_size=4, verbose=0)]
cases["evaluate_steps"] = [float(v) for v in made.evaluate(x, y, batch_size=4, verbose=0, steps=2)]
cases["predict"] = [float(v) for v in made.predict(x, batch_size=4, verbose=0).ravel()[-3:]]
made = model(metrics=["accuracy"])
steps = [made.train_on_batch(x[i:i + 4], y[i:i + 4], class_weight={0: 2.0, 2: 0.5}) for i in (0, 4, 8)]
cases["weighed_batches"] = [float(v) for pair in steps for v in pair]

lines = [f"/* Keras {keras.__version__}, TensorFlow {__import__('tensorflow').__version__}: tests/oracle/fit_options.py */"]
for name, values in cases.items():
    lines.append("static const double %s[] = {%s};" % (name, ", ".join("%.17g" % v for v in values)))
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fit_options.inc")
open(path, "w").write("\n".join(lines) + "\n")
