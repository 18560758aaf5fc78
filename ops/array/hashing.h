/* Integers dealt to buckets by their hash. Private: gt_Hashing and the lookups are the layers. */
#ifndef GT_OPS_ARRAY_HASHING_H
#define GT_OPS_ARRAY_HASHING_H

#include "core/tensor.h"

/* For each int64 of x a number from 0 to buckets - 1: the hash of its decimal digits (kernels/hash.h), with a key of two numbers or
 * without one (NULL). */
gt_Tensor *gt_hash_bucket(gt_Tensor *x, int64_t buckets, const uint64_t *key);
/* For each row of the last axis of x, int64, one number from 0 to buckets - 1: the joined hash of its elements, which are hashes
 * of text or integers. */
gt_Tensor *gt_hash_cross(gt_Tensor *x, int64_t buckets);

#endif
