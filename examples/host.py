"""A host in Python: a training loop of one's own through ctypes, without a package.

    python3 examples/host.py [libgradtape.so] [digits.csv] [--small]

Reads handwritten digits with Python's own csv module, hands them over batch by batch in an order that Python shuffles,
looks at the accuracy after each epoch and ends when it no longer rises. examples/custom_operation.py says how C's
macros are called from elsewhere and what a struct of options is; here a model is trained: it is made from JSON, as
files hold it, so that options of layers need no structs.
"""
import array
import csv
import ctypes
import json
import random
import sys
from contextlib import contextmanager
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_double, c_float, c_int, c_int32, c_int64
from ctypes import c_uint32, c_uint64, c_void_p

paths = [word for word in sys.argv[1:] if word != "--small"]
epochs = 10 if "--small" in sys.argv else 60
library = paths[0] if paths else "libgradtape.so.0"
table = paths[1] if len(paths) > 1 else "examples/data/digits.csv"
gt = ctypes.CDLL(library)

# ---- types, as in the headers ----

FLOAT32, INT32, OK, MARK = 1, 3, 0, 0x67726164


class Shape(Structure):
    _fields_ = [("mark", c_void_p), ("rank", c_int32), ("dims", c_int64 * 8)]


class Loss(Structure):
    _fields_ = [("type", c_void_p), ("context", c_void_p), ("options", c_uint64 * 12)]


class Scores(Structure):
    _fields_ = [("loss", c_double), ("count", c_int32), ("metrics", c_double * 16), ("loss_count", c_int32),
                ("losses", c_double * 16), ("steps", c_int64), ("names", c_char_p * 16)]


# Options begin with the size of what the caller knows of them: these end early, and the rest keeps its defaults.
class LossOptions(Structure):
    _fields_ = [("size", c_uint32), ("from_logits", c_bool)]


class AdamOptions(Structure):
    _fields_ = [("size", c_uint32), ("learning_rate", c_double)]


class CompileOptions(Structure):
    _fields_ = [("size", c_uint32), ("optimizer", c_void_p), ("loss", Loss)]


class BatchOptions(Structure):
    _fields_ = [("size", c_uint32), ("y", c_void_p)]


def options(kind, **fields):
    return byref(kind(size=ctypes.sizeof(kind), **fields))


# ---- functions: name, result, parameters ----

gt.gt_status.restype = c_int
gt.gt_error_message.restype = c_char_p


def check(result, function, arguments):
    """ctypes calls this with every result: a pending error becomes an exception."""
    if gt.gt_status() == OK:
        return result
    message = gt.gt_error_message().decode()
    gt.gt_error_clear()
    raise RuntimeError(message)


def declare(result, name, *parameters):
    function = getattr(gt, "gt_" + name)
    function.restype, function.argtypes, function.errcheck = result, parameters, check
    return function


here = c_char_p  # the caller's line, for messages; None leaves it out
set_seed = declare(c_int, "set_seed_at", here, c_uint64)
scope_begin = declare(c_void_p, "scope_begin_at", here)
scope_end = declare(c_int, "scope_end_at", here, c_void_p)
from_data = declare(c_void_p, "from_data_at", here, c_void_p, Shape, c_int)
data_of = declare(POINTER(c_float), "data_of_at", here, c_void_p, c_int)
layer_from_json = declare(c_void_p, "layer_from_json_at", here, c_char_p)
adam = declare(c_void_p, "Adam_at", here, c_void_p)
crossentropy = declare(Loss, "SparseCategoricalCrossentropy_of", c_void_p)
compile_model = declare(c_int, "compile_at", here, c_void_p, c_void_p)
train_on_batch = declare(Scores, "train_on_batch_at", here, c_void_p, c_void_p, c_void_p)
predict_on_batch = declare(c_void_p, "predict_on_batch_at", here, c_void_p, c_void_p, c_void_p)
context_free = gt.gt_context_free
context_free.argtypes = [c_void_p]


@contextmanager
def scope():
    """What is made inside is gone after it."""
    opened = scope_begin(None)
    try:
        yield
    finally:
        scope_end(None, opened)


def tensor(numbers, shape, dtype=FLOAT32):
    """A copy of an array of Python's, whose type is dtype's."""
    address, length = numbers.buffer_info()
    count = 1
    for size in shape:
        count *= size
    if length != count:
        raise ValueError(f"{length} numbers are not the shape {shape}")
    return from_data(None, address, Shape(MARK, len(shape), tuple(shape)), dtype)


# ---- the data: 64 grey levels from 0 to 16, then the digit ----

with open(table, newline="") as file:
    rows = [[float(cell) for cell in row] for row in csv.reader(file)]
random.seed(1)
random.shuffle(rows)
WIDTH, CLASSES, BATCH = len(rows[0]) - 1, 10, 32
test, train = rows[:len(rows) // 5], rows[len(rows) // 5:]


def images(batch):
    return tensor(array.array("f", [grey / 16 for row in batch for grey in row[:-1]]), (len(batch), WIDTH))


def digits(batch):
    return tensor(array.array("i", [int(row[-1]) for row in batch]), (len(batch),), INT32)


# ---- the model ----

set_seed(None, 1)
model = layer_from_json(None, json.dumps({"gradtape": 1, "model": {"class": "sequential", "layers": [
    {"class": "dense", "options": {"units": 64, "activation": "relu"}},
    {"class": "dense", "options": {"units": CLASSES}}]}}).encode())
compile_model(None, model, options(
    CompileOptions, optimizer=adam(None, options(AdamOptions, learning_rate=2e-3)),
    loss=crossentropy(options(LossOptions, from_logits=True))))


def accuracy(batch):
    with scope():
        scores = data_of(None, predict_on_batch(None, model, images(batch), None), FLOAT32)
        right = 0
        for i, row in enumerate(batch):
            of_row = scores[i * CLASSES:(i + 1) * CLASSES]
            right += of_row.index(max(of_row)) == row[-1]
    return right / len(batch)


# ---- the loop ----

best, since = 0, 0
for epoch in range(epochs):
    random.shuffle(train)
    loss, batches = 0, range(0, len(train), BATCH)
    for start in batches:
        batch = train[start:start + BATCH]
        with scope():
            loss += train_on_batch(None, model, images(batch), options(BatchOptions, y=digits(batch))).loss
    now = accuracy(test)
    print(f"epoch {epoch + 1:2}   loss {loss / len(batches):.4f}   accuracy {now:.4f}")
    best, since = (now, 0) if now > best else (best, since + 1)
    if since == 10:
        break

try:  # 63 columns are an error that says so
    with scope():
        predict_on_batch(None, model, tensor(array.array("f", [0] * 63), (1, 63)), None)
    refused = False
except RuntimeError as error:
    print("an error:", error)
    refused = True

expected = 0.93 if "--small" in sys.argv else 0.96
print(f"accuracy on rows held out, at its best: {best:.4f}, expected > {expected}")
context_free(None)  # the model goes with it
sys.exit(not (refused and best > expected))
