"""Prints the boxes and arrows of Keras 3.15.1's model_to_dot (TensorFlow 2.21.0, pydot) for the model of
tests/test_pictures.c, a_model_as_keras_has_it: titles, lines and arrows, in order.

Run: python plot_model.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1 pydot)
"""

import os
import re

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
from keras import layers

image = keras.Input((28, 28, 1), name="image")
age = keras.Input((4,), name="age")
x = layers.Flatten(name="flatten")(image)
x = layers.Concatenate(name="concatenate")([x, age])
x = layers.Dense(4, activation="relu", name="dense")(x)
shared = layers.Dense(4, name="shared")
x = shared(shared(x))
inner = keras.Sequential([layers.Dense(3, name="first"), layers.BatchNormalization(name="second")], name="sequential")
y = layers.Add(name="add")([inner(x), layers.Dense(3, trainable=False, name="frozen")(x)])
model = keras.Model([image, age], y)

options = dict(show_shapes=True, show_dtype=True, show_layer_names=True, show_layer_activations=True, show_trainable=True)
dot = keras.utils.model_to_dot(model, **options)
names = {}
for node in dot.get_nodes():
    label = node.get_label()
    if label is None:
        continue
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall("<td.*?</td>", label)]
    names[node.get_name()] = cells[0]
    print(" | ".join(cells))
for arrow in sorted(f"{names[e.get_source()]} -> {names[e.get_destination()]}" for e in dot.get_edges()):
    print(arrow)
