/* Integers dealt to buckets by their hash. */
#include "ops/array/hashing.h"
#include "kernels/lookups.h"
#include "ops/array/lookup.h"

#define HASH_BUCKET_OPTIONS(F, S)                                                                  \
    F(S, int64_t, buckets, 1, "how many there are, > 0")                                           \
    F(S, bool, salted, false, "the hash has a key: SipHash; else it is FarmHash")                  \
    F(S, int64_t, salt, 0, "the first half of the key")                                            \
    F(S, int64_t, salt_2, 0, "the second half")
GT_OPTIONS(HashBucketOptions, HASH_BUCKET_OPTIONS);
GT_OPTION_TYPE(HashBucketOptions, HASH_BUCKET_OPTIONS);

static gt_Status hash_bucket_shape(gt_ShapeRule *rule)
{
    const HashBucketOptions *options = rule->options;
    if (rule->input[0]->dtype != GT_INT64)
        return gt_fail(GT_INVALID, "dtype %s is not supported; expected int64",
                       gt_dtype_name(rule->input[0]->dtype));
    if (options->buckets < 1)
        return gt_fail(GT_INVALID, "buckets must be > 0 (got %lld)", (long long)options->buckets);
    rule->output[0] = *rule->input[0];
    return GT_OK;
}

static void hash_bucket_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const HashBucketOptions *options = rule->options;
    int64_t size = rule->output[0].size, tiles = (size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    gt_HashJob *job = gt_lower_launch(lowering, GT_TILES_hash_bucket, tiles, sizeof *job);
    job->salted = options->salted;
    job->n = size;
    job->buckets = options->buckets;
    job->key[0] = (uint64_t)options->salt;
    job->key[1] = (uint64_t)options->salt_2;
}

const gt_Operation gt_op_hash_bucket = {
    GT_RECORD("hash_bucket", "the hash of the digits of x, modulo the number of buckets", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is an integer",
    .options = &HashBucketOptions_type,
    .shape = hash_bucket_shape,
    .lower = hash_bucket_lower,
    .mask = gt_mask_keep,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 99, 3, 4)),
                           .options = &GT_VALUES(HashBucketOptions, 7, false, 0, 0)},
                          {.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 99, 5)),
                           .options = &GT_VALUES(HashBucketOptions, 5, true, 133, 137)}),
};

gt_Tensor *gt_hash_bucket(gt_Tensor *x, int64_t buckets, const uint64_t *key)
{
    HashBucketOptions options = GT_VALUES(HashBucketOptions, buckets, key != NULL,
                                          key ? (int64_t)key[0] : 0, key ? (int64_t)key[1] : 0);
    return gt_apply_one_at(NULL, &gt_op_hash_bucket, &options, 1, &x);
}

/* ---- crosses ---- */

#define HASH_CROSS_OPTIONS(F, S) F(S, int64_t, buckets, 1, "how many there are, > 0")
GT_OPTIONS(HashCrossOptions, HASH_CROSS_OPTIONS);
GT_OPTION_TYPE(HashCrossOptions, HASH_CROSS_OPTIONS);

static gt_Status hash_cross_shape(gt_ShapeRule *rule)
{
    const HashCrossOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    if (x->dtype != GT_INT64 || x->rank < 1)
        return gt_fail(GT_INVALID, "expected int64 of at least one axis");
    if (options->buckets < 1)
        return gt_fail(GT_INVALID, "buckets must be > 0 (got %lld)", (long long)options->buckets);
    rule->output[0] = *x;
    rule->output[0].rank--;
    return GT_OK;
}

static void hash_cross_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const HashCrossOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    int64_t size = rule->output[0].size, tiles = (size + GT_TILE_ELEMENTS - 1) / GT_TILE_ELEMENTS;
    gt_HashCrossJob *job = gt_lower_launch(lowering, GT_TILES_hash_cross, tiles, sizeof *job);
    job->n = size;
    job->parts = x->dims[x->rank - 1];
    job->buckets = options->buckets;
}

static gt_Status hash_cross_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->input[0]->rank - 1);
}

const gt_Operation gt_op_hash_cross = {
    GT_RECORD("hash_cross", "the joined hash of rows of x, modulo the number of buckets", 1, 1),
    .flags = GT_OP_NOT_DIFFERENTIABLE,
    .why_not = "it is an integer",
    .options = &HashCrossOptions_type,
    .shape = hash_cross_shape,
    .lower = hash_cross_lower,
    .mask = hash_cross_mask,
    .samples = GT_SAMPLES({.inputs = 1,
                           .input = GT_INPUTS(GT_WHOLE(GT_INT64, -9, 99, 3, 2)),
                           .options = &GT_VALUES(HashCrossOptions, 7)}),
};

gt_Tensor *gt_hash_cross(gt_Tensor *x, int64_t buckets)
{
    HashCrossOptions options = GT_VALUES(HashCrossOptions, buckets);
    return gt_apply_one_at(NULL, &gt_op_hash_cross, &options, 1, &x);
}
