"""Numbers of Keras's metrics for tests/test_metrics.c: python make_metrics.py > metrics.inc

Keras 3.15.1 on TensorFlow 2.21.0, floatx float64. Labels and predictions by formula: three batches of 5, 5 and 3 rows. A
case says gradtape's metric, Keras's, its data and weights; its numbers are the results after each batch, then that of the
second batch alone."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import metrics as M

import keras.src.ops as keras_ops

keras.config.set_floatx("float64")
convert = keras_ops.convert_to_tensor
# Keras rounds numbers of Python to float32 on their way to float64.
keras_ops.convert_to_tensor = lambda x, dtype=None, **more: convert(
    np.float64(x) if isinstance(x, float) else x, dtype, **more
)
cast = keras_ops.cast
keras_ops.cast = lambda x, dtype: cast(np.float64(x) if isinstance(x, float) else x, dtype)
in_top_k = keras_ops.in_top_k  # TensorFlow's counts among float32 only
keras_ops.in_top_k = lambda targets, scores, k: in_top_k(targets, cast(scores, "float32"), k)

BATCHES = [(0, 5), (5, 10), (10, 13)]
ROWS = 13


def wave(shape, phase, step=1.7):
    return np.sin(step * np.arange(int(np.prod(shape))) + phase).reshape(shape)


def share(shape, phase):
    """In [0, 1], some exactly 0.5 and 0.25."""
    return np.round(np.abs(wave(shape, phase)) * 8) / 8


def ones_of(classes, of):
    return np.eye(of)[classes]


kinds = np.arange(ROWS) * 5 % 6
steps = np.arange(ROWS * 4).reshape(ROWS, 4) * 7 % 6
scores = wave((ROWS, 6), 0.4) + 0.8 * ones_of(kinds, 6)
step_scores = wave((ROWS, 4, 6), 0.9) + 0.5 * ones_of(steps, 6)
probable = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
yes = (np.arange(ROWS).reshape(ROWS, 1) % 3 == 0).astype(float)
many = (np.arange(ROWS * 4).reshape(ROWS, 4) % 7 < 3).astype(float)
numbers = wave((ROWS, 3), 0.2) * 2
field = wave((ROWS, 4, 3), 0.1)
DATA = {
    "BINARY": (yes, share((ROWS, 1), 0.3)),
    "LOGITS": (yes, wave((ROWS, 1), 0.7) * 3),
    "LIST": (yes.reshape(ROWS), share((ROWS, 1), 1.1)),
    "MANY": (many, share((ROWS, 4), 0.6)),
    "CLASSES": (kinds, scores),
    "COLUMN": (kinds.reshape(ROWS, 1), scores),
    "ONE_HOT": (ones_of(kinds, 6), scores),
    "PROBABLE": (ones_of(kinds, 6), probable),
    "PROBABLE_CLASSES": (kinds, probable),
    "STEPS": (steps, step_scores),
    "STEPS_ONE_HOT": (ones_of(steps, 6), step_scores),
    "NUMBERS": (numbers, numbers + 0.4 * wave((ROWS, 3), 1.9, 2.3)),
    "FIELD": (field, field + wave((ROWS, 4, 3), 1.3, 2.9)),
    "POSITIVE": (np.abs(numbers) + 0.1, np.abs(numbers) + 0.3 + 0.2 * wave((ROWS, 3), 1.9, 2.3)),
    "PIXELS": (steps % 3, np.roll(steps, 3) * (steps % 2) % 3.0),
    "SAME": (steps % 3, steps * (steps % 2) % 3.0),
    "SIGNS": (np.sign(numbers), wave((ROWS, 3), 0.5)),
}
THRESHOLDS = "[0.25, 0.5, 0.875]", "gt_numbers(0.25, 0.5, 0.875)"


def cases():
    """gradtape's metric, Keras's, data."""
    yield "gt_Mean()", "M.Mean()", "NUMBERS"
    yield "gt_Sum()", "M.Sum()", "NUMBERS"
    for data in ["NUMBERS", "LIST"]:
        yield "gt_RootMeanSquaredError()", "M.RootMeanSquaredError()", data
    yield "gt_MeanMetric(half)", "M.MeanMetricWrapper(lambda y, p: (y + p) / 2)", "NUMBERS"
    for name in "MeanSquaredError MeanAbsoluteError LogCoshError".split():
        yield f"gt_LossMetric(gt_{name.replace('CoshError', 'Cosh')}())", f"M.{name}()", "NUMBERS"
    for name in "MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson".split():
        yield f"gt_LossMetric(gt_{name}())", f"M.{name}()", "POSITIVE"
    yield "gt_LossMetric(gt_KLDivergence())", "M.KLDivergence()", "PROBABLE"
    for name in "Hinge SquaredHinge CategoricalHinge".split():
        yield f"gt_LossMetric(gt_{name}())", f"M.{name}()", "SIGNS"
    yield "gt_LossMetric(gt_BinaryCrossentropy())", "M.BinaryCrossentropy()", "MANY"
    yield (
        "gt_LossMetric(gt_BinaryCrossentropy(.from_logits = true, .label_smoothing = 0.25))",
        "M.BinaryCrossentropy(from_logits=True, label_smoothing=0.25)",
        "LOGITS",
    )
    yield "gt_LossMetric(gt_CategoricalCrossentropy())", "M.CategoricalCrossentropy()", "PROBABLE"
    yield (
        "gt_LossMetric(gt_CategoricalCrossentropy(.from_logits = true, .label_smoothing = 0.25))",
        "M.CategoricalCrossentropy(from_logits=True, label_smoothing=0.25)",
        "STEPS_ONE_HOT",
    )
    yield "gt_LossMetric(gt_SparseCategoricalCrossentropy())", "M.SparseCategoricalCrossentropy()", "PROBABLE_CLASSES"
    yield (
        "gt_LossMetric(gt_SparseCategoricalCrossentropy(.from_logits = true))",
        "M.SparseCategoricalCrossentropy(from_logits=True)",
        "STEPS",
    )
    yield "gt_metric_named(\"crossentropy\")", "M.BinaryCrossentropy()", "BINARY"
    yield "gt_metric_named(\"ce\")", "M.CategoricalCrossentropy()", "PROBABLE"
    yield "gt_metric_named(\"ce\")", "M.SparseCategoricalCrossentropy()", "PROBABLE_CLASSES"
    yield "gt_metric_named(\"acc\")", "M.SparseCategoricalAccuracy()", "STEPS"
    yield "gt_metric_named(\"mse\")", "M.MeanSquaredError()", "NUMBERS"
    yield "gt_metric_named(\"auc\")", "M.AUC()", "BINARY"

    for data, name in [
        ("BINARY", "Binary"), ("LIST", "Binary"), ("CLASSES", "SparseCategorical"), ("COLUMN", "SparseCategorical"),
        ("STEPS", "SparseCategorical"), ("ONE_HOT", "Categorical"), ("STEPS_ONE_HOT", "Categorical"),
    ]:
        yield "gt_Accuracy()", f"M.{name}Accuracy()", data
        yield f"gt_{name}Accuracy()", f"M.{name}Accuracy()", data
    yield "gt_BinaryAccuracy()", "M.BinaryAccuracy()", "MANY"
    yield "gt_BinaryAccuracy(.threshold = 0.25)", "M.BinaryAccuracy(threshold=0.25)", "MANY"
    yield "gt_EqualityAccuracy()", "M.Accuracy()", "SAME"
    yield "gt_EqualityAccuracy()", "M.Accuracy()", "LIST"
    for k, ours in [("", ""), ("k=2", ".k = 2"), ("k=1", ".k = 1"), ("k=6", ".k = 6")]:
        yield f"gt_TopKCategoricalAccuracy({ours})", f"M.TopKCategoricalAccuracy({k})", "ONE_HOT"
        yield f"gt_SparseTopKCategoricalAccuracy({ours})", f"M.SparseTopKCategoricalAccuracy({k})", "CLASSES"
    yield "gt_TopKCategoricalAccuracy(.k = 3)", "M.TopKCategoricalAccuracy(k=3)", "STEPS_ONE_HOT"
    yield "gt_SparseTopKCategoricalAccuracy(.k = 3)", "M.SparseTopKCategoricalAccuracy(k=3)", "STEPS"

    theirs, ours = THRESHOLDS
    for name in "TruePositives FalsePositives TrueNegatives FalseNegatives Precision Recall".split():
        yield f"gt_{name}()", f"M.{name}()", "MANY"
        yield f"gt_{name}()", f"M.{name}()", "LIST"
        yield f"gt_{name}(.thresholds = {ours})", f"M.{name}(thresholds={theirs})", "MANY"
    for name in "Precision Recall".split():
        yield f"gt_{name}(.top_k = 2)", f"M.{name}(top_k=2)", "ONE_HOT"
        yield f"gt_{name}(.class_id = 2)", f"M.{name}(class_id=2)", "MANY"
        yield f"gt_{name}(.top_k = 3, .class_id = 1)", f"M.{name}(top_k=3, class_id=1)", "ONE_HOT"
        yield f"gt_{name}(.top_k = 2, .thresholds = {ours})", f"M.{name}(top_k=2, thresholds={theirs})", "ONE_HOT"
        yield f"gt_{name}(.top_k = 9)", f"M.{name}(top_k=6)", "ONE_HOT"
    for name in "SensitivityAtSpecificity SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision".split():
        yield f"gt_{name}(0.5)", f"M.{name}(0.5)", "MANY"
        yield f"gt_{name}(0.75)", f"M.{name}(0.75)", "BINARY"
        yield f"gt_{name}(0.4, .num_thresholds = 1)", f"M.{name}(0.4, num_thresholds=1)", "MANY"
        yield f"gt_{name}(0.55, .num_thresholds = 7, .class_id = 3)", f"M.{name}(0.55, num_thresholds=7, class_id=3)", "MANY"
    for curve in "ROC PR PRGAIN".split():
        for method in "INTERPOLATION MAJORING MINORING".split():
            yield (
                f"gt_AUC(.curve = GT_AUC_CURVE_{curve}, .summation_method = GT_AUC_SUMMATION_{method})",
                f"M.AUC(curve='{curve}', summation_method='{method.lower()}')",
                "MANY",
            )
    yield "gt_AUC()", "M.AUC()", "LIST"
    yield "gt_AUC(.num_thresholds = 5)", "M.AUC(num_thresholds=5)", "BINARY"
    yield "gt_AUC(.from_logits = true, .num_thresholds = 11)", "M.AUC(from_logits=True, num_thresholds=11)", "LOGITS"

    for average in "none micro macro weighted".split():
        theirs = None if average == "none" else average
        ours = f".average = GT_AVERAGING_{average.upper()}"
        yield f"gt_F1Score({ours})", f"M.F1Score(average={theirs!r})", "ONE_HOT"
        yield f"gt_F1Score({ours}, .threshold = 0.5)", f"M.F1Score(average={theirs!r}, threshold=0.5)", "MANY"
        yield f"gt_FBetaScore({ours}, .beta = 2)", f"M.FBetaScore(average={theirs!r}, beta=2.0)", "ONE_HOT"
    yield "gt_FBetaScore()", "M.FBetaScore()", "MANY"
    yield "gt_FBetaScore(.beta = 0.5, .threshold = 0.25)", "M.FBetaScore(beta=0.5, threshold=0.25)", "MANY"

    yield "gt_IoU(3)", "M.MeanIoU(3)", "PIXELS"
    yield "gt_MeanIoU(3)", "M.MeanIoU(3)", "PIXELS"
    yield "gt_IoU(3, .target_class_ids = gt_axes(0, 2))", "M.IoU(3, [0, 2])", "PIXELS"
    yield "gt_IoU(3, .target_class_ids = gt_axes(1))", "M.IoU(3, [1])", "PIXELS"
    yield "gt_IoU(3, .target_class_ids = gt_axes(1, 2), .ignore_class = 1)", "M.IoU(3, [1, 2], ignore_class=1)", "PIXELS"
    yield "gt_MeanIoU(5)", "M.MeanIoU(5)", "PIXELS"
    yield "gt_MeanIoU(3, .ignore_class = 0)", "M.MeanIoU(3, ignore_class=0)", "PIXELS"
    yield "gt_MeanIoU(6, .sparse_y_pred = false)", "M.MeanIoU(6, sparse_y_pred=False)", "CLASSES"
    yield "gt_MeanIoU(6, .sparse_y_pred = false)", "M.MeanIoU(6, sparse_y_pred=False)", "STEPS"
    yield "gt_OneHotMeanIoU(6)", "M.OneHotMeanIoU(6)", "ONE_HOT"
    yield "gt_OneHotIoU(6, .target_class_ids = gt_axes(0, 5))", "M.OneHotIoU(6, [0, 5])", "ONE_HOT"
    yield "gt_OneHotIoU(6, .target_class_ids = gt_axes(0, 1, 3))", "M.OneHotIoU(6, [0, 1, 3])", "STEPS_ONE_HOT"
    yield "gt_BinaryIoU()", "M.BinaryIoU()", "MANY"
    yield "gt_BinaryIoU()", "M.BinaryIoU()", "LIST"
    yield (
        "gt_BinaryIoU(.target_class_ids = gt_axes(1), .threshold = 0.25)",
        "M.BinaryIoU([1], threshold=0.25)",
        "MANY",
    )

    for name in "CosineSimilarity PearsonCorrelation ConcordanceCorrelation".split():
        ours = name.replace("Similarity", "SimilarityMetric")
        yield f"gt_{ours}()", f"M.{name}()", "NUMBERS"
        yield f"gt_{ours}(.axis = 1)", f"M.{name}(axis=1)", "FIELD"
    yield "gt_R2Score()", "M.R2Score()", "NUMBERS"
    for how in "uniform_average variance_weighted_average none".split():
        theirs = None if how == "none" else how
        ours = f".class_aggregation = GT_R2_AGGREGATION_{how.upper()}"
        yield f"gt_R2Score({ours})", f"M.R2Score(class_aggregation={theirs!r})", "NUMBERS"
        yield (
            f"gt_R2Score({ours}, .num_regressors = 2)",
            f"M.R2Score(class_aggregation={theirs!r}, num_regressors=2)",
            "NUMBERS",
        )


def text(array):
    return ", ".join("%.13g" % x for x in np.asarray(array, "float64").reshape(-1))


print(f"/* make_metrics.py, Keras {keras.__version__} */")
print("#ifdef DATA")
for name, (y, p) in DATA.items():
    kind = "GT_INT32" if y.dtype.kind == "i" else "GT_FLOAT64"
    dims = lambda x: "gt_shape(%s)" % ", ".join(["ROWS"] + [str(n) for n in x.shape[1:]])
    print(f"DATA({name}, {kind}, ({dims(y)}), ({dims(p)}), VALUES({text(y)}), VALUES({text(p)}))")
print("#endif")
print("#ifdef CASE")
rows = np.array([1, 0.5, 2, 0.25, 3, 0, 1, 1.5, 0.75, 2, 0.5, 1, 4])
steps_of = np.abs(wave((ROWS, 4), 2.2))
number = 0
for ours, theirs, data in cases():
    y, p = DATA[data]
    alone = "Mean()" in theirs or "Sum()" in theirs
    weights = [("NONE", None), ("ROWS", rows)]
    if "IoU" in theirs and y.ndim > 1 and y.shape[1] == 4:  # Keras refuses weights of rows
        weights.pop()
    if data.startswith(("STEPS", "PIXELS", "SAME", "MANY")):
        weights.append(("STEPS", steps_of))
    if "Score" in theirs:  # Keras's has weights of rows, which it multiplies wrongly otherwise
        weights = weights[:2]
    if "IoU" in theirs:  # Keras counts in integers otherwise, and cuts weights to 0, 1, 2, ...
        theirs = theirs[:-1].rstrip() + ("" if theirs.endswith("()") else ", ") + "dtype='float64')"
    for kind, weight in weights:
        metric = eval(theirs)

        def update(first, last):
            args = [p[first:last]] if alone else [y[first:last], p[first:last]]
            metric.update_state(*args, sample_weight=None if weight is None else weight[first:last])
            return np.array(metric.result(), "float64")

        try:
            results = [update(*batch) for batch in BATCHES]
        except Exception:  # a loss of a row cannot be weighted step by step
            if kind != "STEPS":
                raise
            print(theirs, data, "has no steps", file=sys.stderr)
            continue
        metric.reset_state()
        results.append(update(*BATCHES[1]))
        print(f"CASE({number}, {ours}, {data}, WEIGHT_{kind}, {results[0].size}, {', '.join(map(text, results))})")
        number += 1
print("#endif")
print("#ifdef DEFAULTS")
ASKED = {"IoU": (3, [0]), "OneHotIoU": (3, [0]), "MeanIoU": (3,), "OneHotMeanIoU": (3,), "SensitivityAtSpecificity": (0.5,),
         "SpecificityAtSensitivity": (0.5,), "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,)}
GIVEN = ["num_classes", "specificity", "sensitivity", "recall", "precision"]
for name, kind in sorted(vars(M).items()):
    if isinstance(kind, type) and name not in ("Metric", "MeanMetricWrapper"):
        for option, value in kind(*ASKED.get(name, ())).get_config().items():
            if (value is None or isinstance(value, (bool, int, float))) and option not in GIVEN:
                print('DEFAULTS("%s", "%s", %s)' % (name, option, "NAN" if value is None else "%.9g" % value))
print("#endif")
