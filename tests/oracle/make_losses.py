"""Numbers of Keras's losses for tests/test_contract_losses.c: python make_losses.py > losses.inc

Keras 3.15.1 on TensorFlow 2.21.0, floatx float64. Labels and predictions by formula. A case says gradtape's loss, its data,
weights and mask, and Keras's numbers for the reductions sum_over_batch_size, sum and mean_with_sample_weight."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import losses as L

import keras.src.ops as keras_ops
from keras.src import backend

keras.config.set_floatx("float64")
cast = keras_ops.cast
# Keras rounds numbers of Python to float32 on their way to float64.
keras_ops.cast = lambda x, dtype: cast(np.float64(x) if isinstance(x, float) else x, dtype)
convert = keras_ops.convert_to_tensor
keras_ops.convert_to_tensor = lambda x, dtype=None, **more: convert(
    np.float64(x) if isinstance(x, float) else x, dtype, **more
)

ROWS, STEPS, CLASSES = 4, 3, 5


def wave(shape, phase, step=1.7):
    return np.sin(step * np.arange(int(np.prod(shape))) + phase).reshape(shape)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


STEPPED = (ROWS, STEPS, CLASSES)
kinds = np.arange(ROWS) * 3 % CLASSES
step_kinds = (np.arange(ROWS * STEPS) * 7 % CLASSES).reshape(ROWS, STEPS)
numbers = wave((ROWS, STEPS), 0.2) * 2
yes = (np.abs(wave((ROWS, STEPS), 0.9)) > 0.5).astype(float)
near_one = np.clip(np.abs(wave((ROWS, STEPS), 0.4)) * 1.05, 0, 1)  # some are exactly 1
DATA = {
    "NUMBERS": (numbers, numbers + wave((ROWS, STEPS), 1.9, 2.3)),
    "STEPS": (wave(STEPPED, 0.3), wave(STEPPED, 1.3, 2.1)),
    "POSITIVE": (np.abs(numbers) + 0.1, np.abs(numbers) + 0.3 + 0.2 * wave((ROWS, STEPS), 1.9, 2.3)),
    "COLUMN": (np.array([1.0, 0, 0, 1]), np.array([[0.75], [0.5], [0.125], [0.25]])),
    "YES": (yes, near_one),
    "YES_LOGITS": (yes, wave((ROWS, STEPS), 0.7) * 3),
    "SIGNS": (np.where(yes > 0, 1.0, -1.0), wave((ROWS, STEPS), 0.5) * 2),
    "PROBABLE": (softmax(wave((ROWS, CLASSES), 2.0)), softmax(wave((ROWS, CLASSES), 0.6))),
    "LOGITS": (np.eye(CLASSES)[kinds], 2 * wave((ROWS, CLASSES), 0.6)),
    "STEPS_LOGITS": (np.eye(CLASSES)[step_kinds], 2 * wave(STEPPED, 0.6)),
    "STEPS_PROBABLE": (np.eye(CLASSES)[step_kinds], softmax(wave(STEPPED, 0.6))),
    "KINDS": (kinds, softmax(wave((ROWS, CLASSES), 0.6))),
    "KINDS_LOGITS": (kinds.reshape(ROWS, 1), 2 * wave((ROWS, CLASSES), 0.6)),
    "STEPS_KINDS": (step_kinds, 2 * wave(STEPPED, 0.6)),
    "LABELS": (np.array([[1, 2], [3, 0], [2, 2], [4, 1]]), 2 * wave((ROWS, 6, CLASSES), 0.6)),
    "EMBEDDED": (np.array([0, 1, 0, 1]), wave((ROWS, CLASSES), 0.6)),
}

CASES = [  # gradtape's loss, Keras's, data
    ("gt_MeanSquaredError()", "L.MeanSquaredError()", "NUMBERS STEPS COLUMN"),
    ("gt_MeanAbsoluteError()", "L.MeanAbsoluteError()", "NUMBERS STEPS COLUMN"),
    ("gt_MeanAbsolutePercentageError()", "L.MeanAbsolutePercentageError()", "NUMBERS POSITIVE COLUMN"),
    ("gt_MeanSquaredLogarithmicError()", "L.MeanSquaredLogarithmicError()", "NUMBERS POSITIVE COLUMN"),
    ("gt_BinaryCrossentropy()", "L.BinaryCrossentropy()", "YES COLUMN"),
    ("gt_BinaryCrossentropy(.from_logits = true)", "L.BinaryCrossentropy(from_logits=True)", "YES_LOGITS COLUMN"),
    ("gt_BinaryCrossentropy(.label_smoothing = 0.25)", "L.BinaryCrossentropy(label_smoothing=0.25)", "YES COLUMN"),
    ("gt_BinaryCrossentropy(.from_logits = true, .label_smoothing = 0.25)",
     "L.BinaryCrossentropy(from_logits=True, label_smoothing=0.25)", "YES_LOGITS"),
    ("gt_CategoricalCrossentropy()", "L.CategoricalCrossentropy()", "PROBABLE STEPS_PROBABLE"),
    ("gt_CategoricalCrossentropy(.from_logits = true)", "L.CategoricalCrossentropy(from_logits=True)", "LOGITS STEPS_LOGITS"),
    ("gt_CategoricalCrossentropy(.from_logits = true, .label_smoothing = 0.25)",
     "L.CategoricalCrossentropy(from_logits=True, label_smoothing=0.25)", "LOGITS STEPS_LOGITS"),
    ("gt_CategoricalCrossentropy(.axis = 1, .from_logits = true)",
     "L.CategoricalCrossentropy(axis=1, from_logits=True)", "STEPS_LOGITS"),
    ("gt_SparseCategoricalCrossentropy()", "L.SparseCategoricalCrossentropy()", "KINDS"),
    ("gt_SparseCategoricalCrossentropy(.from_logits = true)", "L.SparseCategoricalCrossentropy(from_logits=True)",
     "KINDS_LOGITS STEPS_KINDS"),
    ("gt_SparseCategoricalCrossentropy(.from_logits = true, .ignore_class = 1)",
     "L.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)", "STEPS_KINDS"),
    ("gt_Huber()", "L.Huber()", "NUMBERS STEPS COLUMN"),
    ("gt_Huber(.delta = 0.25)", "L.Huber(delta=0.25)", "NUMBERS"),
    ("gt_LogCosh()", "L.LogCosh()", "NUMBERS STEPS COLUMN"),
    ("gt_Hinge()", "L.Hinge()", "SIGNS YES_LOGITS COLUMN"),
    ("gt_SquaredHinge()", "L.SquaredHinge()", "SIGNS YES_LOGITS COLUMN"),
    ("gt_CategoricalHinge()", "L.CategoricalHinge()", "LOGITS STEPS_LOGITS"),
    ("gt_KLDivergence()", "L.KLDivergence()", "PROBABLE STEPS_PROBABLE COLUMN"),
    ("gt_Poisson()", "L.Poisson()", "POSITIVE COLUMN"),
    ("gt_CosineSimilarity()", "L.CosineSimilarity()", "NUMBERS STEPS"),
    ("gt_CosineSimilarity(.axis = 1)", "L.CosineSimilarity(axis=1)", "STEPS"),
    ("gt_BinaryFocalCrossentropy()", "L.BinaryFocalCrossentropy()", "YES COLUMN"),
    ("gt_BinaryFocalCrossentropy(.gamma = 1, .alpha = 0.75, .apply_class_balancing = true, .from_logits = true, .label_smoothing = 0.25)",
     "L.BinaryFocalCrossentropy(gamma=1.0, alpha=0.75, apply_class_balancing=True, from_logits=True, label_smoothing=0.25)", "YES_LOGITS"),
    ("gt_CategoricalFocalCrossentropy()", "L.CategoricalFocalCrossentropy()", "PROBABLE STEPS_PROBABLE"),
    ("gt_CategoricalFocalCrossentropy(.gamma = 1, .alpha = 0.75, .from_logits = true, .label_smoothing = 0.25)",
     "L.CategoricalFocalCrossentropy(gamma=1.0, alpha=0.75, from_logits=True, label_smoothing=0.25)", "LOGITS STEPS_LOGITS"),
    ("gt_Dice()", "L.Dice()", "YES"),
    ("gt_Dice(.axes = gt_axes(1))", "L.Dice(axis=1)", "YES"),
    ("gt_Tversky()", "L.Tversky()", "YES"),
    ("gt_Tversky(.alpha = 0.25, .beta = 0.75, .axes = gt_axes(1))", "L.Tversky(alpha=0.25, beta=0.75, axis=1)", "YES"),
    ("gt_CTC()", "L.CTC()", "LABELS"),
    ("gt_Circle()", "L.Circle()", "EMBEDDED"),
    ("gt_Circle(.gamma = 4, .margin = 0.25)", "L.Circle(gamma=4.0, margin=0.25)", "EMBEDDED"),
    ("gt_CategoricalGeneralizedCrossEntropy()", "L.CategoricalGeneralizedCrossEntropy()", "KINDS"),
    ("gt_CategoricalGeneralizedCrossEntropy(.q = 0.25)", "L.CategoricalGeneralizedCrossEntropy(q=0.25)", "KINDS"),
    ("gt_Crossentropy()", "L.BinaryCrossentropy()", "COLUMN"),
    ("gt_Crossentropy()", "L.SparseCategoricalCrossentropy()", "KINDS"),
    ("gt_Crossentropy()", "L.CategoricalCrossentropy()", "PROBABLE STEPS_PROBABLE"),
    ("gt_Crossentropy(.from_logits = true)", "L.SparseCategoricalCrossentropy(from_logits=True)", "KINDS_LOGITS STEPS_KINDS"),
]


def text(array):
    return ", ".join("%.13g" % x for x in np.asarray(array, "float64").reshape(-1))


print(f"/* make_losses.py, Keras {keras.__version__} */")
print("#ifdef DATA")
for name, (y, p) in DATA.items():
    kind = "GT_INT32" if y.dtype.kind == "i" else "GT_FLOAT64"
    dims = lambda x: "gt_shape(%s)" % ", ".join(str(n) for n in x.shape)
    print(f"DATA({name}, {kind}, ({dims(y)}), ({dims(p)}), VALUES({text(y)}), VALUES({text(p)}))")
print("#endif")
print("#ifdef CASE")
WEIGHTS = {"NONE": None, "ROWS": np.array([1, 0.5, 2, 0.25]), "STEPS": np.abs(wave((ROWS, STEPS), 2.2))}
MASKS = {"ALL": None, "ROWS": np.array([True, False, True, True]), "STEPS": np.abs(wave((ROWS, STEPS), 0.1)) > 0.4}
number = 0
for ours, theirs, names in CASES:
    for data in names.split():
        for weight in WEIGHTS:
            for mask in MASKS:
                y, p = DATA[data]
                each = eval(theirs).call(convert(y), convert(p)).shape
                weights, kept = WEIGHTS[weight], MASKS[mask]
                if "STEPS" in (weight, mask) and tuple(each) != (ROWS, STEPS):
                    continue
                if len(each) == 0 and (weight, mask) != ("NONE", "ALL"):
                    continue  # a loss of a row has no steps
                # Keras wants weights and masks of rows as columns, and divides by the weights as they are given.
                weights, kept = (
                    None if x is None else np.broadcast_to(x.reshape(x.shape + (1,) * (len(each) - x.ndim)), each)
                    for x in (weights, kept)
                )
                results = []
                for reduction in "sum_over_batch_size", "sum", "mean_with_sample_weight":
                    loss = eval(theirs)
                    loss.reduction = reduction
                    y_pred = backend.convert_to_tensor(p)
                    if kept is not None:
                        backend.set_keras_mask(y_pred, backend.convert_to_tensor(kept))
                    results.append(float(loss(y, y_pred, sample_weight=weights)))
                print(f"CASE({number}, {ours}, {data}, {weight}, {mask}, {text(results)})")
                number += 1
print("#endif")
print("#ifdef DEFAULTS")
for name, kind in sorted(vars(L).items()):
    if isinstance(kind, type) and name != "Loss":
        for option, value in kind().get_config().items():
            if value is None or isinstance(value, (bool, int, float)):
                print('DEFAULTS("%s", "%s", %s)' % (name, option, "NAN" if value is None else "%.9g" % value))
print("#endif")
