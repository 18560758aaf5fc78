"""TensorFlow with Keras: tensorflow_peer.py THREADS [xla] [unroll]. A step is a tf.function."""
import os
import sys

threads, wishes = int(sys.argv[1]), sys.argv[2:]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["OMP_NUM_THREADS"] = str(threads)
import keras
import tensorflow as tf
from keras import layers as L

from common import GPT, LEARNING_RATE, arrays, serve

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)


def trained(model, optimizer, batches):
    batches = [(tf.constant(x), tf.constant(y)) for x, y in batches]
    model(batches[0][0], training=True)  # makes the variables
    variables = model.trainable_variables
    optimizer.build(variables)

    @tf.function(jit_compile="xla" in wishes)
    def train(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda i: float(train(*batches[i % len(batches)]))


def sgd(**options):
    return keras.optimizers.SGD(LEARNING_RATE["sgd"], **options)


def adam():
    return keras.optimizers.Adam(LEARNING_RATE["adam"], epsilon=1e-8)


def tiny():
    return trained(keras.Sequential([L.Dense(16, activation="relu"), L.Dense(3)]), sgd(), arrays((16, 4), 3))


def mlp(batch, dtype="float32"):
    model = keras.Sequential([L.Dense(128, activation="relu", dtype=dtype), L.Dense(10, dtype=dtype)])
    return trained(model, adam(), arrays((batch, 784), 10, dtype))


def cnn(batch):
    model = keras.Sequential([
        L.Conv2D(32, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
        L.Conv2D(64, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
        L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10)])
    return trained(model, adam(), arrays((batch, 28, 28, 1), 10))


def convolution(x, filters, size, stride):
    x = L.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    return L.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def residual(x, filters, stride):
    h = convolution(L.ReLU()(convolution(x, filters, 3, stride)), filters, 3, 1)
    return L.ReLU()(L.Add()([h, convolution(x, filters, 1, stride) if stride > 1 else x]))


def resnet():
    image = keras.Input((32, 32, 3), batch_size=32)
    h = L.ReLU()(convolution(image, 16, 3, 1))
    for stage in range(3):
        for i in range(2):
            h = residual(h, 16 << stage, 2 if stage > 0 and i == 0 else 1)
    return trained(keras.Model(image, L.Dense(10)(L.GlobalAveragePooling2D()(h))), sgd(momentum=0.9),
                   arrays((32, 32, 32, 3), 10))


def lstm():
    return trained(keras.Sequential([L.LSTM(128, unroll="unroll" in wishes), L.Dense(10)]), adam(), arrays((32, 64, 64), 10))


class Block(L.Layer):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.width = heads, width
        self.norm1, self.norm2 = L.LayerNormalization(epsilon=1e-5), L.LayerNormalization(epsilon=1e-5)
        self.qkv, self.out, self.up, self.down = L.Dense(3 * width), L.Dense(width), L.Dense(4 * width), L.Dense(width)

    def call(self, x):
        b, t, heads, width = GPT["texts"], GPT["length"], self.heads, self.width
        parts = tf.split(self.qkv(self.norm1(x)), 3, axis=-1)
        q, k, v = (tf.transpose(tf.reshape(part, (b, t, heads, width // heads)), (0, 2, 1, 3)) for part in parts)
        hidden = tf.linalg.band_part(tf.ones((t, t)), -1, 0)
        scores = tf.matmul(q, k, transpose_b=True) * (width // heads) ** -0.5 + (hidden - 1) * 1e9
        a = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))
        x = x + self.out(tf.reshape(a, (b, t, width)))
        return x + self.down(tf.nn.gelu(self.up(self.norm2(x)), approximate=True))


class Text(keras.Model):
    def __init__(self):
        super().__init__()
        width = GPT["width"]
        self.characters, self.places = L.Embedding(GPT["characters"], width), L.Embedding(GPT["length"], width)
        self.blocks = [Block(width, GPT["heads"]) for _ in range(GPT["blocks"])]
        self.norm, self.head = L.LayerNormalization(epsilon=1e-5), L.Dense(GPT["characters"], use_bias=False)

    def call(self, x, training=False):
        h = self.characters(x) + self.places(tf.range(GPT["length"]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def gpt():
    optimizer = keras.optimizers.AdamW(LEARNING_RATE["adam"], weight_decay=0.01, epsilon=1e-8)
    return trained(Text(), optimizer, arrays((GPT["texts"], GPT["length"]), GPT["characters"], None))


serve("tensorflow %s, keras %s" % (tf.__version__, keras.__version__),
      {"tiny_mlp": tiny, "mlp_b32": lambda: mlp(32), "mlp_b128": lambda: mlp(128), "mlp_b512": lambda: mlp(512),
       "mlp_b32_f64": lambda: mlp(32, "float64"), "cnn_b32": lambda: cnn(32), "cnn_b128": lambda: cnn(128),
       "resnet": resnet, "lstm": lstm, "gpt_mini": gpt},
      "+".join(wishes) or "function")
