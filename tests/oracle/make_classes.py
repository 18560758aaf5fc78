#!/usr/bin/env python3
"""Writes tests/oracle/classes.inc: confusion matrices by TensorFlow, balanced weights of classes by the formula in the
documentation of scikit-learn's compute_class_weight, n_samples / (n_classes * numpy.bincount(y)), by NumPy.

    python tests/oracle/make_classes.py      (run with TensorFlow 2.21.0, NumPy 2.x)
"""
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf

here = os.path.dirname(os.path.abspath(__file__))


def numbers(values):
    return "{" + ", ".join(f"{v:.9g}" for v in np.asarray(values, np.float64).reshape(-1)) + "}"


# The classes that tests/test_classes.c makes too.
rows = np.arange(40)
truth = rows * 7 % 11 % 4
guess = np.where(rows % 3 == 0, (truth + rows) % 5, truth)
weights = 0.25 + rows % 4 * 0.5
with open(os.path.join(here, "classes.inc"), "w") as out:
    out.write(f"/* By make_classes.py: TensorFlow {tf.__version__}, NumPy {np.__version__}. */\n")
    out.write(f"static const double counted[] = {numbers(tf.math.confusion_matrix(truth, guess))};\n")
    out.write(f"static const double counted_7[] = {numbers(tf.math.confusion_matrix(truth, guess, 7))};\n")
    out.write(f"static const double weighted[] = {numbers(tf.math.confusion_matrix(truth, guess, weights=weights, dtype=tf.float64))};\n")
    out.write(f"static const double balanced[] = {numbers(len(truth) / (4 * np.bincount(truth)))};\n")
