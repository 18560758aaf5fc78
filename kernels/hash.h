/* Hashes of bytes, as TensorFlow's tf.strings.to_hash_bucket_fast and to_hash_bucket_strong compute them, and Keras's layer
 * Hashing by them: a bucket is the hash modulo their number. Private to the library. */
#ifndef GT_KERNELS_HASH_H
#define GT_KERNELS_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FarmHash's Fingerprint64 (G. Pike, 2014), the same on every machine. Not for bytes that an adversary chooses. */
uint64_t gt_hash_fast(const void *bytes, size_t size);
/* SipHash-2-4 (J.-P. Aumasson and D. J. Bernstein, 2012) with a key of two numbers, Keras's salt. */
uint64_t gt_hash_strong(const uint64_t key[2], const void *bytes, size_t size);
/* Of the decimal digits of a number, as Keras hashes integers; without a key (NULL) the fast one. */
uint64_t gt_hash_integer(const uint64_t *key, int64_t number);
/* One hash of two, TensorFlow's FingerprintCat64. A cross of features begins with GT_CROSS_KEY, as tf.sparse.cross_hashed does. */
uint64_t gt_hash_join(uint64_t a, uint64_t b);
#define GT_CROSS_KEY UINT64_C(956888297470)

#endif
