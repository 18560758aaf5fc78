"""Writes layers/CLASS.txt for every class of gradtape's table of layers: what Keras 3.15.1 on TensorFlow 2.21.0 (CPU)
computes for its samples. tests/test_layers_oracle.c compares.

Run: python layers.py FOLDER/tests/layer_samples [CLASS ...]   (pip install tensorflow-cpu==2.21.0 keras==3.15.1)

The program prints the table: classes, samples with their text `keras`, the numbers of the inputs and masks. The text is
evaluated with Keras's layers as names: "Dense(3, activation='tanh')". A layer is called with its input, or the list of
its inputs; where that is not how Keras wants it, " @ " and the call follow:

    LSTM(3, return_state=True) @ call(x[0], initial_state=[x[1], x[2]])

x are the inputs, tensors of strings where they are text, None where one is absent, m their masks or None; masks ride on the inputs as Keras has it. Weights get numbers by formula, see
formula(). Everything is computed in float64, where Keras can; where it cannot, in float32, and the file says so.

A file has the defaults of the class's signature, then for each sample lines of: the text, the shapes of the inputs, how
many states of random generators it has, the weights in Keras's order with their first values (the numbers if they are fixed, else mean, standard deviation, least and
largest of many draws), the outputs in inference, those of a second call where they are others, the mask of output 0; in training the outputs, unless they are the
same, penalties, and the weights that are not trained afterwards. Where training is random, mean, standard deviation
and covariance with the first element of output 0 over many calls stand for all that. A weight or output is described by r (real), i (integers) or b (bool) and
its shape.
"""

import inspect
import json
import os
import subprocess
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras import tree
from keras.src import backend
from keras.src.backend import get_keras_mask, set_keras_mask

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers")
MASK64 = (1 << 64) - 1
CALLS = 1500  # over which random outputs are averaged
DRAWS = 20000  # numbers at least over which first values are counted

# ---- what TensorFlow rounds to float32 in layers of float64, in float64 ----

cast = tf.cast  # of a number of Python: the scale of attention
tf.cast = lambda x, dtype, name=None: cast(np.float64(x) if isinstance(x, float) else x, dtype, name)
backend.nn.leaky_relu = lambda x, negative_slope=0.2: tf.where(x >= 0, x, x * tf.constant(negative_slope, x.dtype))

# ---- numbers, as tests/layer_uses.h has them ----


def uniform(state):
    """Splitmix64: the next number of [0, 1), and the next state."""
    state = (state + 0x9E3779B97F4A7C15) & MASK64
    z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK64
    return ((z ^ z >> 31) >> 11) * 2.0**-53, state


def kind_of_weight(weight):
    if "int" in weight.dtype:
        return "whole"
    positive = ("variance", "gamma", "scale")
    return "positive" if any(word in weight.name for word in positive) else "real"


def formula(kind, index, shape):
    """Weight number `index`: every element another number of (-0.7, 0.7), (0.5, 1.5), or of 0, 1 and 2."""
    state, numbers = 7919 * (index + 1), []
    for _ in range(int(np.prod(shape))):
        u, state = uniform(state)
        numbers.append({"real": 1.4 * u - 0.7, "positive": 0.5 + u, "whole": np.floor(3 * u)}[kind])
    return np.array(numbers).reshape(shape)


# ---- first values ----

initializers = {}  # id of a variable -> (what it was made from, shape)
plain_add_weight = keras.layers.Layer.add_weight


def add_weight(self, shape=None, initializer=None, *rest, **more):
    variable = plain_add_weight(self, shape, initializer, *rest, **more)
    if initializer is None:
        initializer = "glorot_uniform" if "float" in variable.dtype else "zeros"
    initializers[id(variable)] = keras.initializers.get(initializer)
    return variable


keras.layers.Layer.add_weight = add_weight


drawn_before = {}  # what was drawn of an initializer, in a shape


def first_values(weight):
    """Statistics of what its initializer draws; or the numbers, if they are the same each time."""
    initializer = initializers.get(id(weight))
    if initializer is None:
        return None
    config = initializer.get_config() if hasattr(initializer, "get_config") else {}
    if "seed" not in config:
        return "fixed : " + numbers(np.array(initializer(tuple(weight.shape), dtype=weight.dtype), "float64"))
    key = str((type(initializer), config | {"seed": 0}, tuple(weight.shape)))
    if key not in drawn_before:
        drawn_before[key] = many_draws(type(initializer), config, tuple(weight.shape))
    return drawn_before[key]


def many_draws(kind, config, shape):
    count = -(-DRAWS // max(1, int(np.prod(shape))))
    drawn = [np.array(kind.from_config(config | {"seed": seed + 1})(shape, dtype="float64")) for seed in range(count)]
    return "first {} {} {} {}".format(*(repr(float(f(drawn))) for f in (np.mean, np.std, np.min, np.max)))


# ---- one sample ----


def names():
    space = {name: getattr(keras.layers, name) for name in dir(keras.layers) if not name.startswith("_")}
    return space | {"Sequential": keras.Sequential, "Model": keras.Model, "keras": keras, "np": np, "tf": tf}


def tensors(sample, floatx):
    x, m = [], []
    for item in sample["inputs"]:
        if item is None:
            x.append(None)
            m.append(None)
            continue
        if item["dtype"] == "text":
            words = np.array(item["words"].split("|"))
            x.append(tf.constant(words[np.array(item["numbers"], int)].reshape(item["shape"])))
            m.append(None)
            continue
        dtype = floatx if item["real"] else item["dtype"]
        array = np.array(item["numbers"]).reshape(item["shape"]).astype(dtype)
        mask = item.get("mask")
        x.append(tf.constant(array))
        m.append(tf.constant(np.array(mask["numbers"], bool).reshape(mask["shape"])) if mask else None)
        if mask:
            set_keras_mask(x[-1], m[-1])
    return x, m


def describe(array):
    kind = "b" if array.dtype == bool else "r" if array.dtype.kind == "f" else "i"
    return " ".join([kind, *map(str, array.shape)])


def numbers(array):
    flat = array.ravel()
    return " ".join(repr(float(v)) if array.dtype.kind == "f" else str(int(v)) for v in flat)


class Run:
    """A layer made from a sample's text, and called."""

    def __init__(self, sample, floatx):
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(floatx)
        keras.utils.set_random_seed(1)
        make, _, self.how = sample["keras"].partition(" @ ")
        self.layer = eval(make, names())
        self.sample, self.floatx = sample, floatx

    def outputs(self, training):
        x, m = tensors(self.sample, self.floatx)

        def call(*inputs, **more):
            return self.layer(*inputs, training=training, **more)

        if self.how:
            outputs = eval(self.how, names() | {"layer": self.layer, "call": call, "x": x, "m": m,
                                                "training": training})
        else:
            outputs = call(x[0] if len(x) == 1 else x)
        return [tf.convert_to_tensor(y) if not tf.is_tensor(y) else y for y in tree.flatten(outputs)]

    def call(self, training):
        outputs = self.outputs(training)
        mask = get_keras_mask(outputs[0])
        return [y.numpy() for y in outputs], None if mask is None else np.array(mask)

    def set_weights(self, which=None):
        """All weights of the formula, or those; what goes from call to call starts anew."""
        if getattr(self.layer, "stateful", False):
            self.layer.reset_state()
        for i, weight in enumerate(self.layer.weights):
            if which is not None and i not in which:
                continue
            weight.assign(formula(kind_of_weight(weight), i, weight.shape).astype(weight.dtype))

    def train(self):
        self.set_weights()
        outputs, _ = self.call(True)
        return outputs, [w.numpy() for w in self.layer.weights], float(sum(self.layer.losses, 0.0))


def same(a, b):
    return all(x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(a, b))


def lines_of_random(run):
    """Mean and standard deviation of each element of output 0 in training, and how it goes along with the first one,
    over many calls."""
    step = tf.function(lambda: run.outputs(True)[0])
    kept = [i for i, weight in enumerate(run.layer.weights) if not weight.trainable]
    drawn = []
    for _ in range(CALLS):
        run.set_weights(kept)
        drawn.append(step().numpy())
    drawn = np.array(drawn, "float64")
    yield f"random {describe(drawn[0])} : {numbers(drawn.mean(0))}"
    yield f"deviation {describe(drawn[0])} : {numbers(drawn.std(0))}"
    apart = (drawn - drawn.mean(0)).reshape(CALLS, -1)
    yield f"covariance {describe(drawn[0])} : {numbers((apart * apart[:, :1]).mean(0))}"


def lines_of_sample(sample, floatx):
    run = Run(sample, floatx)
    run.call(False)
    yield f"computed {floatx}"
    yield f"generators {len(run.layer.variables) - len(run.layer.weights)}"
    for i, weight in enumerate(run.layer.weights):
        kind = "i" if "int" in weight.dtype else "r"
        shape = " ".join([kind, *map(str, weight.shape)])
        yield f"weight {weight.name} {'trained' if weight.trainable else 'kept'} {kind_of_weight(weight)} {shape}"
        first = first_values(weight)
        if first:
            yield first
    run.set_weights()
    inferred, mask = run.call(False)
    for y in inferred:
        yield f"inference {describe(y)} : {numbers(y)}"
    again, _ = run.call(False)
    if not same(inferred, again):
        for y in again:
            yield f"again {describe(y)} : {numbers(y)}"
    if mask is not None:
        yield f"mask {describe(mask)} : {numbers(mask)}"
    outputs, weights, loss = run.train()
    again = run.train()[0]
    if not same(outputs, again):
        yield from lines_of_random(run)
        return
    if same(outputs, inferred):
        yield "same"
    else:
        for y in outputs:
            yield f"training {describe(y)} : {numbers(y)}"
    for i, weight in enumerate(run.layer.weights):
        if not weight.trainable:
            yield f"state {i} {describe(weights[i])} : {numbers(weights[i])}"
    yield f"loss {loss!r}"


def defaults(name):
    thing = getattr(keras.layers, name, None)
    if thing is None:  # a model, which has no options
        return
    for parameter in inspect.signature(thing.__init__).parameters.values():
        if parameter.name == "self" or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        value = "required" if parameter.default is parameter.empty else repr(parameter.default)
        yield f"default {parameter.name} {value}"


def write(layer):
    path = os.path.join(FOLDER, layer["name"] + ".txt")
    result = [f"# {layer['keras']} by Keras {keras.__version__} on TensorFlow {tf.__version__}: see ../layers.py."]
    result += defaults(layer["keras"])
    for sample in layer["samples"]:
        if sample["keras"] is None:
            continue
        result += ["", f"sample {sample['index']}", f"keras {sample['keras']}"]
        result += ["input " + (" ".join(map(str, item["shape"])) if item else "absent") for item in sample["inputs"]]
        try:
            result += list(lines_of_sample(sample, "float64"))
        except (tf.errors.OpError, TypeError, ValueError) as error:
            print(f"{layer['name']}, sample {sample['index']}: {type(error).__name__}: {str(error)[:300]}")
            result += list(lines_of_sample(sample, "float32"))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(result) + "\n")


def main():
    table = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout)
    for layer in table:
        if layer["keras"] and (len(sys.argv) == 2 or layer["name"] in sys.argv[2:]):
            write(layer)
            print(layer["name"], len(layer["samples"]))


if __name__ == "__main__":
    main()
