"""JAX alone: jax_peer.py THREADS [unroll]. A step is one compiled function whose state is given away."""
import os
import sys

threads, wishes = int(sys.argv[1]), sys.argv[2:]
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # XLA makes as many threads as there are cores
os.environ["JAX_PLATFORMS"] = "cpu"
if threads == 1:
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from common import GPT, LEARNING_RATE, arrays, serve

jax.config.update("jax_enable_x64", True)  # mlp_b32_f64; all other arrays say that they are float32
random = np.random.RandomState(0)


def weights(shape, inputs, dtype="float32"):
    """Evenly within 1 / sqrt(inputs)."""
    return jnp.asarray(random.uniform(-(inputs ** -0.5), inputs ** -0.5, shape).astype(dtype))


def dense_weights(inputs, outputs, bias=True, dtype="float32"):
    made = {"kernel": weights((inputs, outputs), inputs, dtype)}
    return {**made, "bias": weights((outputs,), inputs, dtype)} if bias else made


def kernel(size, inputs, outputs, bias=True):
    made = {"kernel": weights((size, size, inputs, outputs), size * size * inputs)}
    return {**made, "bias": weights((outputs,), size * size * inputs)} if bias else made


def scales(count):
    return {"gamma": jnp.ones(count, "float32"), "beta": jnp.zeros(count, "float32")}


def dense(w, x):
    y = x @ w["kernel"]
    return y + w["bias"] if "bias" in w else y


def convolution(w, x, stride=1):
    pad = w["kernel"].shape[0] // 2
    y = lax.conv_general_dilated(x, w["kernel"], (stride, stride), ((pad, pad), (pad, pad)),
                                 dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + w["bias"] if "bias" in w else y


def pooled(x):
    return lax.reduce_window(x, np.float32(-np.inf), lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def crossentropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], axis=-1))


def normalized(w, x, axes):
    mean = x.mean(axes, keepdims=True)
    variance = jnp.square(x - mean).mean(axes, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * w["gamma"] + w["beta"], mean, variance


def over(function, *trees):
    return jax.tree_util.tree_map(function, *trees)


def sgd(momentum=0.0):
    rate = LEARNING_RATE["sgd"]

    def update(w, g, s):
        if not momentum:
            return over(lambda a, b: a - rate * b, w, g), s
        s = over(lambda v, b: momentum * v + b, s, g)
        return over(lambda a, v: a - rate * v, w, s), s

    return (lambda w: over(jnp.zeros_like, w) if momentum else ()), update


def adam(decay=0.0):
    rate = LEARNING_RATE["adam"]

    def update(w, g, s):
        m, v, t = s
        t = t + 1
        m = over(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = over(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)

        def moved(a, b, c):
            one, two = 1 - 0.9 ** t.astype(a.dtype), 1 - 0.999 ** t.astype(a.dtype)
            return (a * (1 - rate * decay) - rate * (b / one) / (jnp.sqrt(c / two) + 1e-8)).astype(a.dtype)

        return over(moved, w, m, v), (m, v, t)

    return (lambda w: (over(jnp.zeros_like, w), over(jnp.zeros_like, w), jnp.zeros((), "int32"))), update


def trained(w, kept, loss, optimizer, batches):
    """loss(w, kept, x, y) gives the loss and what is kept for the next step."""
    begin, update = optimizer
    state = [w, kept, begin(w)]
    batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in batches]

    def train(w, kept, slots, x, y):
        (value, kept), gradients = jax.value_and_grad(loss, has_aux=True)(w, kept, x, y)
        w, slots = update(w, gradients, slots)
        return w, kept, slots, value

    train = jax.jit(train, donate_argnums=(0, 1, 2))

    def step(i):
        *state[:], value = train(*state, *batches[i % len(batches)])
        jax.block_until_ready(state)
        return float(value)

    return step


def two_layers(sizes, optimizer, batches, dtype="float32"):
    w = [dense_weights(*sizes[:2], dtype=dtype), dense_weights(*sizes[1:], dtype=dtype)]
    return trained(w, (), lambda w, kept, x, y: (crossentropy(dense(w[1], jax.nn.relu(dense(w[0], x))), y), kept),
                   optimizer, batches)


def tiny():
    return two_layers((4, 16, 3), sgd(), arrays((16, 4), 3))


def mlp(batch, dtype="float32"):
    return two_layers((784, 128, 10), adam(), arrays((batch, 784), 10, dtype), dtype)


def cnn(batch):
    w = {"first": kernel(3, 1, 32), "second": kernel(3, 32, 64), "third": dense_weights(3136, 128),
         "fourth": dense_weights(128, 10)}

    def loss(w, kept, x, y):
        h = pooled(jax.nn.relu(convolution(w["first"], x)))
        h = pooled(jax.nn.relu(convolution(w["second"], h)))
        h = jax.nn.relu(dense(w["third"], h.reshape(h.shape[0], -1)))
        return crossentropy(dense(w["fourth"], h), y), kept

    return trained(w, (), loss, adam(), arrays((batch, 28, 28, 1), 10))


def resnet():
    convolutions = {"stem": (3, 3, 16, 1)}  # size, inputs, outputs, stride
    blocks, inner = [], 16
    for outer in (16, 32, 64):
        for i in range(2):
            name, stride = "block%d" % len(blocks), outer // inner
            convolutions[name + "a"], convolutions[name + "b"] = (3, inner, outer, stride), (3, outer, outer, 1)
            if stride > 1:
                convolutions[name + "short"] = (1, inner, outer, stride)
            blocks.append(name)
            inner = outer
    w = {name: {**kernel(*sizes[:3], bias=False), **scales(sizes[2])} for name, sizes in convolutions.items()}
    w["out"] = dense_weights(64, 10)
    kept = {name: (jnp.zeros(s[2], "float32"), jnp.ones(s[2], "float32")) for name, s in convolutions.items()}

    def loss(w, kept, x, y):
        now = {}

        def layer(name, x):
            h, mean, variance = normalized(w[name], convolution(w[name], x, convolutions[name][3]), (0, 1, 2))
            now[name] = (0.9 * kept[name][0] + 0.1 * mean.reshape(-1), 0.9 * kept[name][1] + 0.1 * variance.reshape(-1))
            return h

        h = jax.nn.relu(layer("stem", x))
        for name in blocks:
            way = layer(name + "b", jax.nn.relu(layer(name + "a", h)))
            h = jax.nn.relu(way + (layer(name + "short", h) if name + "short" in w else h))
        return crossentropy(dense(w["out"], h.mean((1, 2))), y), now

    return trained(w, kept, loss, sgd(0.9), arrays((32, 32, 32, 3), 10))


def lstm():
    units, features = 128, 64
    w = {"kernel": weights((features, 4 * units), units), "recurrent": weights((units, 4 * units), units),
         "bias": weights((4 * units,), units), "out": dense_weights(units, 10)}

    def loss(w, kept, x, y):
        z = x @ w["kernel"] + w["bias"]  # of all steps at once

        def cell(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ w["recurrent"], 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zero = jnp.zeros((x.shape[0], units), x.dtype)
        (h, _), _ = lax.scan(cell, (zero, zero), z.swapaxes(0, 1), unroll=8 if "unroll" in wishes else 1)
        return crossentropy(dense(w["out"], h), y), kept

    return trained(w, (), loss, adam(), arrays((32, 64, 64), 10))


def gpt():
    width, heads, length = GPT["width"], GPT["heads"], GPT["length"]
    table = lambda rows: jnp.asarray(random.randn(rows, width).astype("float32"))
    block = lambda: {"norm1": scales(width), "norm2": scales(width), "qkv": dense_weights(width, 3 * width),
                     "out": dense_weights(width, width), "up": dense_weights(width, 4 * width),
                     "down": dense_weights(4 * width, width)}
    w = {"characters": table(GPT["characters"]), "places": table(length), "blocks": [block() for _ in range(GPT["blocks"])],
         "norm": scales(width), "head": dense_weights(width, GPT["characters"], False)}
    hidden = np.triu(np.full((length, length), -np.inf, "float32"), 1)

    def loss(w, kept, x, y):
        h = w["characters"][x] + w["places"]
        for q in w["blocks"]:
            parts = jnp.split(dense(q["qkv"], normalized(q["norm1"], h, -1)[0]), 3, axis=-1)
            query, key, value = (p.reshape(*x.shape, heads, -1).transpose(0, 2, 1, 3) for p in parts)
            scores = query @ key.swapaxes(-1, -2) * np.float32((width // heads) ** -0.5) + hidden
            a = (jax.nn.softmax(scores, axis=-1) @ value).transpose(0, 2, 1, 3).reshape(*x.shape, width)
            h = h + dense(q["out"], a)
            h = h + dense(q["down"], jax.nn.gelu(dense(q["up"], normalized(q["norm2"], h, -1)[0]), approximate=True))
        return crossentropy(dense(w["head"], normalized(w["norm"], h, -1)[0]), y), kept

    return trained(w, (), loss, adam(0.01), arrays((GPT["texts"], length), GPT["characters"], None))


serve("jax %s" % jax.__version__,
      {"tiny_mlp": tiny, "mlp_b32": lambda: mlp(32), "mlp_b128": lambda: mlp(128), "mlp_b512": lambda: mlp(512),
       "mlp_b32_f64": lambda: mlp(32, "float64"), "cnn_b32": lambda: cnn(32), "cnn_b128": lambda: cnn(128),
       "resnet": resnet, "lstm": lstm, "gpt_mini": gpt},
      "+".join(wishes) or "jit")
