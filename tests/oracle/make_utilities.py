#!/usr/bin/env python3
"""Writes tests/oracle/utilities.inc: what keras.utils makes of the inputs that tests/test_utilities.c has too.

    python tests/oracle/make_utilities.py      (run with Keras 3.15.1, TensorFlow 2.21.0)
"""
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np, tensorflow

here = os.path.dirname(os.path.abspath(__file__))


def numbers(values):
    return "{" + ", ".join(f"{v:g}" for v in np.asarray(values).reshape(-1)) + "}"


with open(os.path.join(here, "utilities.inc"), "w") as out:
    out.write(f"/* By make_utilities.py: Keras {keras.__version__}, TensorFlow {tensorflow.__version__}. */\n")
    sequences = [[1, 2, 3], [4, 5], [6, 7, 8, 9]]
    out.write("static const struct {\n    int64_t maxlen, steps;\n    int padding, truncating;\n    double value, numbers[24];\n} padded[] = {\n")
    for maxlen in (None, 3, 6):
        for padding in ("pre", "post"):
            for truncating in ("pre", "post"):
                x = keras.utils.pad_sequences(sequences, maxlen, padding=padding, truncating=truncating, value=-1)
                out.write(f"    {{{-1 if maxlen is None else maxlen}, {x.shape[1]}, {int(padding == 'post')}, {int(truncating == 'post')}, -1, {numbers(x)}}},\n")
    out.write("};\n")
    out.write("static const struct {\n    int64_t length, stride, rate, start, end, targets, rows;\n    double x[128], y[32];\n} windows[] = {\n")
    data = np.arange(24, dtype=np.float32).reshape(12, 2)
    targets = 100 + np.arange(12, dtype=np.float32)
    for length, stride, rate, start, end, some in [(3, 1, 1, None, None, 12), (3, 2, 1, None, None, 12), (3, 1, 2, None, None, 12),
                                                   (2, 1, 1, 3, None, 12), (2, 1, 1, None, 9, 12), (2, 3, 2, 1, 10, 12),
                                                   (3, 1, 1, None, None, 7), (4, 1, 1, None, None, 0), (11, 1, 1, None, None, 0)]:
        rows = list(keras.utils.timeseries_dataset_from_array(
            data, targets[:some] if some else None, length, sequence_stride=stride, sampling_rate=rate, batch_size=100,
            start_index=start, end_index=end))
        x = rows[0][0].numpy() if some else rows[0].numpy()
        y = rows[0][1].numpy() if some else np.zeros(0)
        out.write(f"    {{{length}, {stride}, {rate}, {start or 0}, {-1 if end is None else end}, {some}, {len(x)},\n     {numbers(x)},\n     {numbers(y) if some else '{0}'}}},\n")
    out.write("};\n")
    out.write("static const struct {\n    double left, right;\n    int64_t rows, first, second;\n} split_sizes[] = {\n")
    for rows, left, right in [(10, 0.8, None), (10, 3, None), (10, None, 0.3), (10, None, 4), (10, 0.2, 0.3), (10, 2, 0.5), (5, 0.5, None), (7, 0.5, None)]:
        a, b = keras.utils.split_dataset(np.arange(rows), left, right)
        out.write(f"    {{{left or 0}, {right or 0}, {rows}, {int(a.cardinality())}, {int(b.cardinality())}}},\n")
    out.write("};\n")
    y = np.array([[2], [0], [1]])
    out.write(f"static const double categorical[] = {numbers(keras.utils.to_categorical(y))};\n")
    out.write(f"static const double categorical_4[] = {numbers(keras.utils.to_categorical([[1, 0], [3, 2]], 4))};\n")
