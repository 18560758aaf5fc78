"""Writes hash.inc: hashes of texts of every length from 0 to 200 by tf.strings.to_hash_bucket_fast and
to_hash_bucket_strong of TensorFlow 2.21.0, modulo 2^62 + 57, which leaves no bit of them out.

Run: python make_hash.py   (pip install tensorflow-cpu==2.21.0)

Text n has the bytes (37 i + 11 n + i^2) % 256, i < n. tests/test_hash.c computes them again.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

BUCKETS, KEY = 2**62 + 57, [133, 137]
texts = [bytes((37 * i + 11 * n + i * i) % 256 for i in range(n)) for n in range(201)]
fast = tf.strings.to_hash_bucket_fast(texts, BUCKETS).numpy()
strong = tf.strings.to_hash_bucket_strong(texts, BUCKETS, KEY).numpy()
with open("hash.inc", "w") as out:
    print(f"/* Made by make_hash.py: TensorFlow {tf.__version__}. ROW(length, fast, strong) */", file=out)
    for n in range(201):
        print(f"ROW({n}, {fast[n]}u, {strong[n]}u)", file=out)
