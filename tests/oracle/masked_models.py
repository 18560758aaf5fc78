"""Writes masked_models.txt: what models of two layers with a mask compute in Keras 3.15.1 on TensorFlow 2.21.0 (CPU), in
float64. tests/test_masked_models.c compares.

Run: python masked_models.py FOLDER/tests/layer_samples    (pip install tensorflow-cpu==2.21.0 keras==3.15.1)

A model is Embedding(5, 3, mask_zero=True) and a layer of the table behind it: every sample with one input of floats, or two,
which then come from two embeddings of two lists of indices. Those that Keras refuses for (2, 5, 3) are left out. A sample has
lines of: output 0 in inference, its mask (or none), and the mean squared error against zeros, which reads that mask. Weights
are those of the formula in layers.py, number 100 and 101 for the embeddings.
"""

import json
import os
import subprocess
import sys

import layers as oracle

import keras
import numpy as np
import tensorflow as tf
from keras import tree

INDICES = [[[1, 2, 0, 3, 0], [2, 0, 0, 1, 4]], [[0, 1, 2, 3, 1], [1, 1, 0, 0, 2]]]


def embedded(number):
    layer = keras.layers.Embedding(5, 3, mask_zero=True)
    x = tf.constant(INDICES[number], "int32")
    layer(x)
    layer.embeddings.assign(oracle.formula("real", 100 + number, (5, 3)))
    return layer(x)


def lines_of(name, sample):
    count = len(sample["inputs"])
    if sample["keras"] is None or count > 2 or any(item is None or not item["real"] for item in sample["inputs"]):
        return []
    try:
        run = oracle.Run(sample | {"inputs": []}, "float64")

        def call(*inputs, **more):
            return run.layer(*inputs, training=False, **more)

        def outputs():  # anew each time: MultiHeadAttention takes the masks off its inputs
            x = [embedded(i) for i in range(count)]
            m = [oracle.get_keras_mask(h) for h in x]
            if run.how:
                return eval(run.how, oracle.names() | {"layer": run.layer, "call": call, "x": x, "m": m, "training": False})
            return call(x[0] if count == 1 else x)

        outputs()
        run.set_weights()
        y = tree.flatten(outputs())[0]
        mask = oracle.get_keras_mask(y)
        result = ["", f"sample {name} {sample['index']}", f"output {oracle.describe(y.numpy())} : {oracle.numbers(y.numpy())}"]
        result.append("mask none" if mask is None else f"mask {oracle.describe(np.array(mask))} : {oracle.numbers(np.array(mask))}")
        if y.dtype.is_floating and len(y.shape) > 1:
            try:
                loss = float(keras.losses.MeanSquaredError()(tf.zeros_like(y), y))
                result.append(f"loss {loss!r}")
            except (tf.errors.OpError, TypeError, ValueError) as error:
                result.append(f"loss refused")
        return result
    except Exception as error:  # whatever Keras raises: it does not take such an input
        print(f"{name}, sample {sample['index']}: {type(error).__name__}: {str(error)[:100]!r}")
        return []


def main():
    table = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout)
    result = [f"# By Keras {keras.__version__} on TensorFlow {tf.__version__}: see masked_models.py."]
    for layer in table:
        if layer["keras"]:
            for sample in layer["samples"]:
                result += lines_of(layer["name"], sample)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "masked_models.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(result) + "\n")
    print(sum(line.startswith("sample") for line in result), "samples")


main()
