/* Attention, made of operations: formula of ops/nn/attention.h. */
#include "ops/nn/attention.h"
#include "ops/nn/activation.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/array/reshaping.h"

#include <math.h>

GT_OPTION_TYPE(gt_dot_product_attention_options, gt_dot_product_attention_OPTIONS);

static bool fits(const gt_Spec *query, const gt_Spec *key, const gt_Spec *value)
{
    char s[160], t[160], u[160];
    bool good = query->rank == 4 && key->rank == 4 && value->rank == 4 &&
                query->dims[0] == key->dims[0] && key->dims[0] == value->dims[0] &&
                key->dims[1] == value->dims[1] && key->dims[2] == value->dims[2] &&
                query->dims[3] == key->dims[3] &&
                (key->dims[2] > 0 ? query->dims[2] % key->dims[2] == 0 : query->dims[2] == 0);
    if (!good)
        gt_fail(GT_INVALID,
                "query, key and value must be (batch, length, heads, width) that fit together "
                "(got %s, %s and %s)",
                gt_shape_text(gt_spec_shape(query), s, sizeof s),
                gt_shape_text(gt_spec_shape(key), t, sizeof t),
                gt_shape_text(gt_spec_shape(value), u, sizeof u));
    return good;
}

/* (batch, length, heads, width) as (batch, heads, length, width), or back. */
static gt_Tensor *turned(gt_Tensor *x)
{
    return gt_transpose(x, .perm = gt_axes(0, 2, 1, 3));
}

/* Scores where the mask is false become 0.7 of the lowest number, so that sums stay finite
 * (Keras). */
static gt_Tensor *masked(gt_Tensor *scores, gt_Tensor *mask)
{
    double lowest = gt_dtype(scores) == GT_FLOAT64 ? -0.7 * 1.7976931348623157e308
                                                   : -0.7 * 3.4028234663852886e38;
    return gt_where(mask, scores, lowest);
}

static gt_Tensor *dot_product_attention(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value,
                                        const gt_dot_product_attention_options *given)
{
    gt_dot_product_attention_options options = GT_TAKE(gt_dot_product_attention_options, given);
    gt_Spec q = gt_spec(query), k = gt_spec(key), v = gt_spec(value);
    if (gt_status() != GT_OK || !fits(&q, &k, &v))
        return NULL;
    if (options.mask && gt_dtype(options.mask) != GT_BOOL) {
        gt_fail(GT_INVALID, "mask must be bool (got %s)", gt_dtype_name(gt_dtype(options.mask)));
        return NULL;
    }
    if (q.dims[2] > k.dims[2]) {
        key = gt_repeat(key, q.dims[2] / k.dims[2], .axis = 2);
        value = gt_repeat(value, q.dims[2] / k.dims[2], .axis = 2);
    }
    double scale = options.scale != 0 ? options.scale : 1 / sqrt((double)q.dims[3]);
    query = gt_multiply(gt_widened(query), scale); /* there are fewer queries than scores */
    gt_Tensor *scores = gt_matmul(turned(query), turned(key), .transpose_b = true);
    if (options.bias)
        scores = gt_add(scores, options.bias);
    if (options.mask)
        scores = masked(scores, options.mask);
    if (options.is_causal)
        scores = masked(scores, gt_cast(gt_tril(gt_ones(gt_shape(q.dims[1], k.dims[1]))), GT_BOOL));
    return turned(gt_matmul(gt_softmax(scores), turned(value)));
}
GT_COMPOSED(dot_product_attention,
            (const char *here, gt_Tensor *query, gt_Tensor *key, gt_Tensor *value,
             const gt_dot_product_attention_options *options),
            (query, key, value, options))
gt_Tensor *(gt_dot_product_attention)(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value)
{
    return gt_dot_product_attention_at(NULL, query, key, value, NULL);
}
