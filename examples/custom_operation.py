"""gradtape from Python, through ctypes and nothing else: the pattern for a binding in any language.

An operation is written in Python - forward, gradient, shape rule - and fitted to real numbers: the
logistic curve that Pearl and Reed drew in 1920 through the censuses of the United States,

    y(t) = K / (1 + exp(a - r t)),        t in decades since 1790.

    python3 examples/custom_operation.py [libgradtape.so] [where to save]

How the C interface is called from elsewhere:

- Every macro gt_name(...) is a plain function gt_name_at(here, ...) underneath (gt_Name_of(...) where
  it makes a value). `here` is a text for messages, the caller's line; NULL leaves it out.
- Options are a pointer to a struct; NULL gives the defaults. The struct starts with its own size and
  may end early: what lies behind that size keeps its default.
- Whatever fails returns NULL or a status, and the error stays pending; `check` makes it an
  exception.
- Tensors belong to the tape or scope that is open. Nothing is freed by hand.
- A function pointer given to gradtape must live as long as what was made with it: keep the callback
  object in a variable. No exception may leave a callback.
"""
import ctypes
import math
import sys
from contextlib import contextmanager
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t
from ctypes import c_uint32, c_uint64, c_void_p

library = sys.argv[1] if len(sys.argv) > 1 else "libgradtape.so.0"
saved = sys.argv[2].encode() if len(sys.argv) > 2 else b"logistic.safetensors"
gt = ctypes.CDLL(library)

# ---- types, as in the headers ----

FLOAT64, OK, INVALID, MARK = 2, 0, 1, 0x67726164
Tensor = c_void_p


class Shape(Structure):
    _fields_ = [("mark", c_void_p), ("rank", c_int32), ("dims", c_int64 * 8)]


class Spec(Structure):
    _fields_ = [("dtype", c_int), ("rank", c_int32), ("size", c_int64), ("dims", c_int64 * 8)]


class Tensors(Structure):
    _fields_ = [("items", POINTER(Tensor)), ("count", c_int32)]


class ShapeRule(Structure):
    _fields_ = [("operation", c_void_p), ("options", c_void_p), ("inputs", c_int32),
                ("outputs", c_int32), ("input", POINTER(Spec) * 64), ("output", Spec * 8),
                ("scratch", c_size_t)]


class CFunction(Structure):
    _fields_ = [("address", c_void_p), ("symbol", c_char_p), ("signature", c_char_p)]


class ForeignOptions(Structure):  # ends before `library`: that and what follows stay as they are
    _fields_ = [("size", c_uint32), ("function", CFunction), ("gradient", CFunction),
                ("rule", c_void_p), ("saves_inputs", c_uint64), ("saves_outputs", c_uint32),
                ("shape", c_void_p)]


class ForeignCall(Structure):
    _fields_ = [("size", c_uint32), ("mark", c_void_p), ("count", c_int64), ("value", c_double * 8)]


class AdamOptions(Structure):  # ends after the first option
    _fields_ = [("size", c_uint32), ("learning_rate", c_double)]


class NamedTensor(Structure):
    _fields_ = [("name", c_char_p), ("tensor", Tensor)]


class NamedTensors(Structure):
    _fields_ = [("items", POINTER(NamedTensor)), ("count", c_int32)]


def options(kind, **fields):
    return byref(kind(size=ctypes.sizeof(kind), **fields))


# ---- functions: name, result, parameters ----

gt.gt_status.restype = c_int
gt.gt_error_message.restype = c_char_p


def check(result, function, arguments):
    """ctypes calls this with every result."""
    if gt.gt_status() == OK:
        return result
    message = gt.gt_error_message().decode()
    gt.gt_error_clear()
    raise RuntimeError(message)


def declare(result, name, *parameters):
    function = getattr(gt, "gt_" + name)
    function.restype, function.argtypes, function.errcheck = result, parameters, check
    return function


here = c_char_p
from_data = declare(Tensor, "from_data_at", here, c_void_p, Shape, c_int)
data_of = declare(POINTER(c_double), "data_of_at", here, Tensor, c_int)
size = declare(c_int64, "size_at", here, Tensor)
item = declare(c_double, "item_at", here, Tensor)
multiply = declare(Tensor, "multiply", Tensor, Tensor)
subtract = declare(Tensor, "subtract", Tensor, Tensor)
square = declare(Tensor, "square", Tensor)
mean = declare(Tensor, "mean", Tensor)
variable = declare(Tensor, "variable_at", here, Tensor, c_void_p)
scope_begin = declare(c_void_p, "scope_begin_at", here)
scope_end = declare(c_int, "scope_end_at", here, c_void_p)
tape_begin = declare(c_void_p, "tape_begin_at", here, c_void_p)
tape_end = declare(c_int, "tape_end_at", here, c_void_p)
make_adam = declare(c_void_p, "Adam_at", here, c_void_p)
minimize = declare(c_int, "minimize_at", here, c_void_p, c_void_p, Tensor, Tensors)
foreign_operation = declare(c_void_p, "foreign_operation_at", here, c_char_p, c_void_p)
foreign = declare(Tensor, "foreign_at", here, c_void_p, Tensors, c_void_p)
operation_find = declare(c_void_p, "operation_find", c_char_p)
check_gradients = declare(c_int, "check_gradients_at", here, c_void_p, c_void_p, Tensors, c_void_p)
save_tensors = declare(c_int, "save_tensors_at", here, c_char_p, NamedTensors, c_void_p)
open_tensors = declare(c_void_p, "open_tensors_at", here, c_char_p)
load_tensor = declare(Tensor, "tensor_file_load_named_at", here, c_void_p, c_char_p)
close_tensors = declare(None, "tensor_file_free", c_void_p)
context_free = gt.gt_context_free


def tensor(numbers):
    return from_data(None, (c_double * len(numbers))(*numbers), Shape(MARK, 1, (len(numbers),)), FLOAT64)


def tensors(*items):
    return Tensors((Tensor * len(items))(*items), len(items))


def numbers(of):
    return data_of(None, of, FLOAT64)[:size(None, of)]


@contextmanager
def scope():
    """What is made inside is gone after it."""
    opened = scope_begin(None)
    try:
        yield
    finally:
        scope_end(None, opened)


@contextmanager
def tape():
    opened = tape_begin(None, None)
    try:
        yield opened
    finally:
        tape_end(None, opened)


def callback(result, *parameters):
    """A Python function as a C function: an exception becomes gradtape's error."""
    def wrap(function):
        def guarded(*arguments):
            try:
                function(*arguments)
                return OK
            except Exception as error:
                # It is a printf format.
                return gt.gt_fail(INVALID, str(error).replace("%", "%%").encode())
        return ctypes.CFUNCTYPE(result, *parameters)(guarded)
    return wrap


# ---- the operation: as many points of the curve as the number of the call says ----

array = POINTER(c_double)


@callback(c_int, array, array, c_size_t, c_int64)
def forward(p, y, n, points):
    k, a, r = p[:3]
    for t in range(n):
        y[t] = k / (1 + math.exp(a - r * t))


@callback(c_int, array, array, array, array, c_size_t)
def gradient(p, y, dy, dp, n):
    k, a, r = p[:3]
    dp[0] = dp[1] = dp[2] = 0
    for t in range(n):
        bend = y[t] * (1 - y[t] / k)
        dp[0] += dy[t] * y[t] / k
        dp[1] -= dy[t] * bend
        dp[2] += dy[t] * bend * t


@callback(c_int, POINTER(ShapeRule))
def shape(rule):
    points = int(ForeignCall.from_address(rule.contents.options).value[0])
    if points < 1:
        raise ValueError(f"{points} points are not a curve")
    output = rule.contents.output[0]
    output.dtype, output.rank, output.dims[0] = FLOAT64, 1, points


def address(function):
    return ctypes.cast(function, c_void_p)


logistic = foreign_operation(None, b"logistic", options(
    ForeignOptions, saves_inputs=-1, saves_outputs=-1, shape=address(shape),
    function=CFunction(address(forward), None,
                       b"int f(const double p[3], double y[n], size_t n, int64_t points)"),
    gradient=CFunction(address(gradient), None,
                       b"int f(const double p[3], const double y[n], const double dy[n],"
                       b" double dp[3], size_t n)")))


def curve(p, points):
    return foreign(None, logistic, tensors(p),
                   options(ForeignCall, mark=MARK, count=1, value=(c_double * 8)(points)))


# ---- is its gradient right? ----

@callback(c_int, c_void_p, POINTER(Tensor), POINTER(Tensor))
def ten_points(context, inputs, outputs):
    outputs[0] = curve(inputs[0], 10)


with scope():
    check_gradients(None, address(ten_points), None, tensors(tensor([2.0, 1.5, 0.7])), None)
    print("the gradient agrees with central differences")
    try:
        curve(tensor([2.0, 1.5, 0.7]), 0)
    except RuntimeError as error:
        print("an error:", error)

# ---- what does it say of the censuses of 1790 to 1910, in millions? ----

census = [3.929, 5.308, 7.240, 9.638, 12.866, 17.069, 23.192, 31.443, 38.558, 50.156, 62.948,
          75.995, 91.972]
guess = [100.0, 4.0, 0.4]  # what is fitted is in units of this, so that one rate suits all

adam = make_adam(None, options(AdamOptions, learning_rate=0.01))
with scope():
    w = variable(None, tensor([1.0, 1.0, 1.0]), None)
for step in range(4000):
    with tape() as recording:
        fitted = multiply(w, tensor(guess))
        loss = mean(square(subtract(curve(fitted, len(census)), tensor(census))))
        minimize(None, adam, recording, loss, tensors(w))
        found, error = numbers(fitted), math.sqrt(item(None, loss))
with scope():
    p = tensor(found)
    y = numbers(curve(p, 15))
    print(f"K = {found[0]:.1f} million, a = {found[1]:.3f}, r = {found[2]:.4f} a decade; "
          f"off by {error:.2f} million; for 1920 it says {y[13]:.1f} (counted: 105.7)")

    # ---- saved and found again: the numbers, and the operation, by name ----

    save_tensors(None, saved, NamedTensors((NamedTensor * 1)(NamedTensor(b"logistic", p)), 1), None)
    file = open_tensors(None, saved)
    again = foreign(None, operation_find(b"logistic"), tensors(load_tensor(None, file, b"logistic")),
                    options(ForeignCall, mark=MARK, count=1, value=(c_double * 8)(15)))
    same = numbers(again) == y
    close_tensors(file)

context_free(None)  # the operation, the optimizer and the variable go with it
# Pearl and Reed: K = 197.27, r = 0.3134 a decade.
sys.exit(not (same and abs(found[0] - 197.27) < 5 and abs(found[2] - 0.3134) < 0.005))
