"""Writes text.inc: what Keras 3.15.1 on TensorFlow 2.21.0 (CPU) learns from text and does to it. tests/test_layers_text.c compares.

Run: python make_text.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1)

LEARNED(case, "token|token|...") is a vocabulary with its special tokens, NUMBERS(case, rows, columns, n, n, ...) what a layer
gives, CHARACTERS("bytes", "token|token|..."), BLANKS(...) and PLAIN("bytes", "bytes") what splitting and standardizing make of bytes, all
in hexadecimal."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

WORDS = ["red", "Red", "blue", "green", "", "[UNK]", "b", "bl", "\u00e9t\u00e9", "z"]


def word(i):
    return WORDS[(i * i + 3 * i + i // 7) % len(WORDS)]


def column(n):
    return np.array([word(i) for i in range(n)])


def table(n, width):
    return column(n * width).reshape(n, width)


SENTENCES = np.array([
    "The red wine, the white wine.", "A RED wine!", "", "white (white) white; a-b", "the  a\tthe\nred", "[UNK] wine",
])
INTEGERS = np.array([(i * i * i) % 11 - 3 for i in range(60)])

lines = []


def quoted(text):
    return '"' + "".join(c if c.isascii() and c not in '"\\?' and c.isprintable() else
                         "".join(f"\\{b:03o}" for b in c.encode()) for c in text) + '"'


def learned(case, layer, data):
    layer.adapt(data)
    lines.append(f"LEARNED({case}, {quoted('|'.join(map(str, layer.get_vocabulary())))})")
    return layer


def numbers(case, y):
    y = np.array(y, "float64").reshape(len(y), -1)
    lines.append(f"NUMBERS({case}, {y.shape[0]}, {y.shape[1]}, {', '.join(repr(float(v)) for v in y.ravel())})")


learned("words", layers.StringLookup(), column(50))
learned("masked", layers.StringLookup(mask_token="", max_tokens=6, num_oov_indices=2), column(80))
bags = learned("bags", layers.StringLookup(output_mode="tf_idf", mask_token="", max_tokens=7, pad_to_max_tokens=True), table(12, 4))
numbers("bags", bags(table(5, 4)))
few = learned("few", layers.StringLookup(output_mode="tf_idf", max_tokens=20, pad_to_max_tokens=True), table(6, 2))
numbers("few", few(table(5, 2)))
sentences = learned("sentences", layers.TextVectorization(), SENTENCES)
numbers("sentences", sentences(SENTENCES))
pairs = learned("pairs", layers.TextVectorization(ngrams=(2,), max_tokens=6, output_sequence_length=3), SENTENCES)
numbers("pairs", pairs(SENTENCES))
weighed = learned("weighed", layers.TextVectorization(output_mode="tf_idf"), SENTENCES)
numbers("weighed", weighed(SENTENCES))
whole = learned("integers", layers.IntegerLookup(max_tokens=8, mask_token=0), INTEGERS)
numbers("integers", whole(INTEGERS.reshape(6, 10)))
counted = learned("counted", layers.IntegerLookup(output_mode="tf_idf"), INTEGERS.reshape(12, 5))
numbers("counted", counted(INTEGERS.reshape(6, 10)))

generator = np.random.default_rng(1)
ALPHABET = bytes([0x41, 0x7A, 0x20, 0x21, 0x80, 0xBF, 0xC0, 0xC3, 0xA9, 0xE0, 0xA0, 0xE2, 0x82, 0xED, 0x9F, 0xF0, 0x9F, 0x90, 0xF4, 0x8F, 0xF5, 0xFF, 0x0B, 0x5F])
for _ in range(150):
    text = bytes(generator.choice(list(ALPHABET), generator.integers(0, 9)).astype("uint8"))
    split = tf.strings.unicode_split(tf.constant([text]), "UTF-8").to_list()[0]
    lines.append(f'CHARACTERS("{text.hex()}", "{"|".join(t.hex() for t in split)}", {len(split)})')
    split = tf.strings.split(tf.constant([text])).to_list()[0]
    lines.append(f'BLANKS("{text.hex()}", "{"|".join(t.hex() for t in split)}", {len(split)})')
every = bytes(range(1, 256))
plain = layers.TextVectorization(split=None)._preprocess(tf.constant([every])).numpy()[0]
lines.append(f'PLAIN("{every.hex()}", "{plain.hex()}")')

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "text.inc"), "w", encoding="utf-8") as file:
    file.write(f"/* By Keras {keras.__version__} on TensorFlow {tf.__version__}: see make_text.py. */\n")
    file.write("\n".join(lines) + "\n")
