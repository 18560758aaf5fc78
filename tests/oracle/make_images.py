"""Writes images.inc: what transform_images of Keras 3.15.1's layers on TensorFlow 2.21.0 makes of three images (4, 5, 3) for
transformations that are given, so that nothing is drawn. tests/test_layers_image.c has the same images and numbers.

Run: python make_images.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1)

Element i of the images is 2.5 ((37 i) % 101): 0 to 250.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SHAPE = (3, 4, 5, 3)
IMAGES = (2.5 * (np.arange(np.prod(SHAPE)) * 37 % 101)).reshape(SHAPE).astype("float32")


def each(*numbers):
    return tf.constant(np.array(numbers).reshape(len(numbers), 1, 1, 1).astype("float32"))


def rows(*numbers):
    return tf.constant(np.array(numbers, "float32"))


flips = tf.constant(np.array([True, False, True]).reshape(3, 1, 1, 1))
CORNERS = np.tile(np.array([[0, 0], [4, 0], [0, 3], [4, 3]], "float32"), (3, 1, 1))
MOVED = CORNERS * np.array([[[1, 1], [0.9, 1.2], [0.8, 1.1], [1.2, 0.8]],
                            [[1, 1], [1, 1], [1, 1], [1, 1]],
                            [[0.7, 1.3], [1.3, 0.7], [0.6, 0.9], [0.8, 1.1]]], "float32")
cases = {
    "flip_both": (layers.RandomFlip(), {"flips": flips}),
    "flip_horizontal": (layers.RandomFlip("horizontal"), {"flips": flips}),
    "flip_vertical": (layers.RandomFlip("vertical"), {"flips": flips}),
    "shear_reflect": (layers.RandomShear(0.5, 0.5), {"shear_factor": rows([0.3, -0.2], [-0.7, 0], [0.1, 0.9])}),
    "shear_nearest": (layers.RandomShear(0.5, 0.5, interpolation="nearest", fill_mode="constant", fill_value=8),
                      {"shear_factor": rows([0.3, -0.2], [-0.7, 0], [0.1, 0.9])}),
    "perspective": (layers.RandomPerspective(fill_value=9.),
                    {"apply_perspective": flips[:, 0, 0, 0], "start_points": CORNERS, "end_points": MOVED}),
    "mix_up": (layers.MixUp(), {"mix_weight": np.array([0.2, 1, 0.7], "float32"), "permutation_order": [2, 0, 1]}),
    "cut_mix": (layers.CutMix(), dict(zip(
        ("batch_masks", "mix_weight"), layers.CutMix()._generate_batch_mask(SHAPE, [np.array(v, "float32") for v in (
            [0, 1.5, 3.2], [2, 4.9, 3.9], [0.3, 0, 1], [4, 2.5, 1.4])])), permutation_order=[2, 0, 1])),
    "brightness": (layers.RandomBrightness(0.5, value_range=(0, 200)), {"rgb_delta": 200 * each(0.3, -0.2, 0)}),
    "hue": (layers.RandomHue(0.5), {"factor": rows(0.3, -0.25, 0.5)}),
    "saturation": (layers.RandomSaturation(0.5, value_range=(0, 1)), {"factor": rows(0.4, 1, 3)}),
    "degeneration": (layers.RandomColorDegeneration(0.5), {"factor": each(0.3, 1, -0.5)}),
    "solarization": (layers.Solarization(value_range=(-10, 260)),
                     {"additions": each(0, 20, 90), "thresholds": each(128, 250, 10)}),
    "posterization": (layers.RandomPosterization(5, value_range=(0, 260)),
                      {"shift_factor": tf.constant([7, 3, 1], tf.uint8)}),
    "sharpness": (layers.RandomSharpness(0.5), {"factor": rows(0.1, 0.5, 0.9)}),
    "blur": (layers.RandomGaussianBlur(0.5, kernel_size=5),
             {"should_apply_blur": flips[:, 0, 0, 0], "blur_factor": rows(0.6, 0.9)}),
    "equalization": (layers.Equalization(bins=64), None),
    "auto_contrast": (layers.AutoContrast(value_range=(-5, 300)), None),
    "contrast": (layers.RandomContrast(0.5, value_range=(0, 200)), {"contrast_factor": each(0.5, 1, 1.75)}),
}

with open("images.inc", "w") as out:
    print(f"/* Made by make_images.py: Keras {keras.__version__} on TensorFlow {tf.__version__}. */", file=out)
    for name, (layer, transformation) in cases.items():
        y = np.array(layer.transform_images(IMAGES, transformation, training=True))
        assert y.shape == SHAPE, (name, y.shape)
        print(f"static const double {name}[] = {{", file=out)
        numbers = [f"{v:.9g}" for v in y.ravel()]
        for i in range(0, len(numbers), 12):
            print("    " + ", ".join(numbers[i:i + 12]) + ",", file=out)
        print("};", file=out)
    labels = np.array([[1, 0], [0, 1], [0.5, 0.25]], "float32")
    for name in ("mix_up", "cut_mix"):
        layer, transformation = cases[name]
        y = np.array(layer.transform_labels(labels, transformation)).ravel()
        print(f"static const double {name}_labels[] = {{{', '.join(f'{v:.9g}' for v in y)}}};", file=out)
