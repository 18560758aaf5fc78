/* Attention: formulas of ops/nn/attention.h. With heads and one axis of queries it is one operation, ops/nn/attend.c; with more
 * axes, a bias, dropout or weights to give back, and without heads, it is made of operations.
 *
 * With heads: query (batch, other axes, queries, heads, width) is turned to (batch, other axes, heads, queries, width) and the
 * axes of the queries become one; so do those of keys and values. Then it is two batched products with a softmax between
 * them, whatever the number of axes was. */
#include "ops/nn/attention.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"
#include "ops/nn/attend.h"

#include <math.h>

GT_OPTION_TYPE(gt_dot_product_attention_options, gt_dot_product_attention_OPTIONS);
GT_OPTION_TYPE(gt_attention_options, gt_attention_OPTIONS);
GT_OPTION_TYPE(gt_additive_attention_options, gt_additive_attention_OPTIONS);

/* ---- what all have in common ---- */

static bool is_mask(const char *what, gt_Tensor *mask, int rank)
{
    if (!mask)
        return gt_status() == GT_OK;
    gt_Spec spec = gt_spec(mask);
    if (gt_status() == GT_OK && spec.dtype != GT_BOOL)
        gt_fail(GT_INVALID, "%s must be bool (got %s)", what, gt_dtype_name(spec.dtype));
    else if (gt_status() == GT_OK && rank >= 0 && spec.rank != rank)
        gt_fail(GT_INVALID, "%s must have %d axes (got %d)", what, rank, spec.rank);
    return gt_status() == GT_OK;
}

static gt_Tensor *both(gt_Tensor *a, gt_Tensor *b)
{
    return a && b ? gt_logical_and(a, b) : a ? a : b;
}

/* Key s of the last axis, query t of the one before: s <= t. Made of the scores, of one row of the other axes, so that a
 * traced graph serves any size. */
static gt_Tensor *causal(gt_Tensor *scores)
{
    gt_Tensor *row = gt_get_item(scores, gt_rank(scores) == 3 ? ":1" : ":1, :1");
    return gt_cast(gt_tril(gt_ones_like(row)), GT_BOOL);
}

/* ---- with heads ---- */

/* How the axes of query, key and value go: perm turns them to (batch, other axes, heads, axes of attention, width). */
typedef struct Layout {
    int rank, axes; /* of query, key, value; of attention */
    gt_Axes perm, back;
} Layout;

static bool open_layout(Layout *layout, int rank, const gt_Axes *given)
{
    uint32_t bits = 0;
    if (given->count < 0) /* all between batch and heads */
        bits = ((1u << (rank - 3)) - 1) << 1;
    else if (!gt_axis_or_axes(GT_NONE, given, rank, &bits))
        return false;
    if (bits == 0 || bits & 1 || bits >> (rank - 2)) {
        gt_fail(GT_INVALID, "axes must lie between the batch and the heads");
        return false;
    }
    *layout = (Layout){.rank = rank, .perm = {GT_MARK, rank, {0}}, .back = {GT_MARK, rank, {0}}};
    int at = 0;
    for (int d = 0; d < rank - 1; d++) /* the heads are the last of these */
        if (!(bits >> d & 1))
            layout->perm.axis[at++] = d;
    for (int d = 0; d < rank - 1; d++)
        if (bits >> d & 1) {
            layout->perm.axis[at++] = d;
            layout->axes++;
        }
    layout->perm.axis[at] = rank - 1;
    for (int d = 0; d < rank; d++)
        layout->back.axis[layout->perm.axis[d]] = d;
    return true;
}

static bool fits(const Layout *layout, const gt_Spec *query, const gt_Spec *key,
                 const gt_Spec *value)
{
    char s[160], t[160], u[160];
    int heads = query->rank - 2, width = query->rank - 1;
    bool good = key->rank == query->rank && value->rank == query->rank;
    for (int i = 0; good && i < query->rank - 1; i++) {
        int d = layout->perm.axis[i];
        bool shared = i < query->rank - layout->axes - 1; /* batch, other axes, heads */
        good = key->dims[d] == value->dims[d] &&
               (d == heads || !shared || query->dims[d] == key->dims[d]);
    }
    good = good && query->dims[width] == key->dims[width] &&
           (key->dims[heads] > 0 ? query->dims[heads] % key->dims[heads] == 0
                                 : query->dims[heads] == 0);
    if (!good)
        gt_fail(GT_INVALID,
                "query, key and value must be (batch, length, heads, width) that fit together "
                "(got %s, %s and %s)",
                gt_dims_text(query, s, sizeof s),
                gt_dims_text(key, t, sizeof t),
                gt_dims_text(value, u, sizeof u));
    return good;
}

/* As (batch, other axes, heads, length, width). */
static gt_Tensor *turned(const Layout *layout, gt_Tensor *x)
{
    x = gt_transpose(x, .perm = layout->perm);
    return layout->axes == 1 ? x : gt_merge_axes(x, layout->rank - 1 - layout->axes, layout->axes);
}

/* The result in the layout of a query of that shape. */
static gt_Tensor *turned_back(const Layout *layout, gt_Tensor *y, const gt_Spec *query)
{
    gt_Shape sizes = {.mark = GT_MARK, .rank = layout->axes + 1};
    int lead = layout->rank - 1 - layout->axes;
    for (int i = 1; i < layout->axes; i++) /* the first is what is left */
        sizes.dims[i] = query->dims[layout->perm.axis[lead + i]];
    sizes.dims[0] = -1;
    sizes.dims[layout->axes] = gt_dim(gt_tensor_shape(y), -1);
    y = layout->axes == 1 ? y : gt_reshape(y, sizes, .keep = lead);
    return gt_transpose(y, .perm = layout->back);
}

/* What broadcasts to (batch, other axes, heads, axes of queries, axes of keys), with one axis of each. */
static gt_Tensor *merged(const Layout *layout, gt_Tensor *x)
{
    int rank = x ? gt_rank(x) : 0, n = layout->axes;
    if (!x || n == 1)
        return x;
    if (rank < 2 * n) {
        gt_fail(GT_INVALID, "bias and mask must have at least %d axes (got %d)", 2 * n, rank);
        return NULL;
    }
    return gt_merge_axes(gt_merge_axes(x, rank - n, n), rank - 2 * n, n);
}

/* Scores where the mask is false become 0.7 of the lowest number, so that sums stay finite
 * (Keras). */
static gt_Tensor *masked(gt_Tensor *scores, gt_Tensor *mask)
{
    double lowest = gt_dtype(scores) == GT_FLOAT64 ? -0.7 * 1.7976931348623157e308
                                                   : -0.7 * 3.4028234663852886e38;
    return gt_where(mask, scores, lowest);
}

/* Every mask that is given, as one that broadcasts to the scores; NULL: none, or an error. */
static gt_Tensor *joined(const Layout *layout, const gt_dot_product_attention_options *options)
{
    gt_Tensor *mask = merged(layout, options->mask), *query = options->query_mask;
    if (options->value_mask)
        mask = both(mask, gt_get_item(options->value_mask, ":, newaxis, newaxis"));
    if (query)
        mask = both(mask, gt_get_item(query, ":, newaxis, :, newaxis"));
    return mask;
}

/* Numbers of 16 bits are computed with in float32. */
static gt_DType wide_dtype(const gt_Spec *spec)
{
    return spec->dtype == GT_FLOAT16 || spec->dtype == GT_BFLOAT16 ? GT_FLOAT32 : spec->dtype;
}

/* Can it be one operation? */
static bool is_usual(const gt_dot_product_attention_options *options, const gt_Spec *query,
                     const gt_Spec *key, const gt_Spec *value)
{
    gt_DType dtype = wide_dtype(query);
    return query->rank == 4 && (dtype == GT_FLOAT32 || dtype == GT_FLOAT64) &&
           wide_dtype(key) == dtype && wide_dtype(value) == dtype && query->size != 0 &&
           value->size != 0 && !options->bias && !options->weights && options->dropout == 0;
}

static gt_Tensor *dot_product_attention(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value,
                                        const gt_dot_product_attention_options *given)
{
    Layout layout;
    gt_dot_product_attention_options options;
    GT_TAKE(gt_dot_product_attention_options, &options, given);
    if (options.weights)
        *options.weights = NULL;
    gt_Spec q = gt_spec(query), k = gt_spec(key), v = gt_spec(value);
    if (gt_status() == GT_OK && q.rank < 4)
        fits(&(Layout){.axes = 1}, &q, &(gt_Spec){0}, &v);
    if (gt_status() != GT_OK || !open_layout(&layout, q.rank, &options.axes) ||
        !fits(&layout, &q, &k, &v) || !is_mask("mask", options.mask, -1) ||
        !is_mask("query_mask", options.query_mask, 2) ||
        !is_mask("value_mask", options.value_mask, 2))
        return NULL;
    if (q.rank > 4 && (options.is_causal || options.query_mask || options.value_mask)) {
        gt_fail(GT_INVALID,
                "is_causal, query_mask and value_mask are of queries (batch, queries, heads, "
                "width); give a mask");
        return NULL;
    }
    double scale = options.scale != 0 ? options.scale : 1 / sqrt((double)q.dims[q.rank - 1]);
    gt_Tensor *mask = joined(&layout, &options);
    if (is_usual(&options, &q, &k, &v) && gt_status() == GT_OK)
        return gt_attend(gt_widened(query), gt_widened(key), gt_widened(value), mask,
                         options.is_causal, scale);
    int64_t share = k.dims[k.rank - 2] > 0 ? q.dims[q.rank - 2] / k.dims[k.rank - 2] : 1;
    if (share > 1) {
        key = gt_repeat(key, share, .axis = -2);
        value = gt_repeat(value, share, .axis = -2);
    }
    gt_Tensor *few =
        gt_multiply(gt_widened(query), scale); /* there are fewer queries than scores */
    gt_Tensor *scores = gt_matmul(turned(&layout, few), turned(&layout, key), .transpose_b = true);
    if (options.bias)
        scores = gt_add(scores, merged(&layout, options.bias));
    if (options.is_causal)
        mask = both(mask, causal(scores));
    gt_Tensor *weights = gt_softmax(mask ? masked(scores, mask) : scores);
    if (options.weights)
        *options.weights = gt_status() == GT_OK ? weights : NULL;
    if (options.dropout != 0)
        weights = gt_dropout(weights, options.dropout, .generator = options.generator);
    return turned_back(&layout, gt_matmul(weights, turned(&layout, value)), &q);
}
GT_COMPOSED(dot_product_attention,
            (const char *here, gt_Tensor *query, gt_Tensor *key, gt_Tensor *value,
             const gt_dot_product_attention_options *options),
            (query, key, value, options))
gt_Tensor *(gt_dot_product_attention)(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value)
{
    return gt_dot_product_attention_at(NULL, query, key, value, NULL);
}

/* ---- without heads ---- */

/* What the two functions do with their scores. */
typedef struct Rest {
    bool is_causal;
    gt_Tensor *query_mask, *value_mask, **weights;
    double dropout;
    gt_Variable *generator;
} Rest;
#define REST(options)                                                                              \
    {                                                                                              \
        (options).is_causal, (options).query_mask, (options).value_mask, (options).weights,        \
            (options).dropout, (options).generator                                                 \
    }

/* query (batch, queries, width), key (batch, keys, width), value (batch, keys, any width). */
static bool fit(gt_Tensor *query, gt_Tensor *key, gt_Tensor *value, const Rest *rest)
{
    char s[160], t[160], u[160];
    if (rest->weights)
        *rest->weights = NULL;
    gt_Spec q = gt_spec(query), k = gt_spec(key), v = gt_spec(value);
    if (gt_status() != GT_OK)
        return false;
    if (q.rank != 3 || k.rank != 3 || v.rank != 3 || q.dims[0] != k.dims[0] ||
        k.dims[0] != v.dims[0] || k.dims[1] != v.dims[1] || q.dims[2] != k.dims[2]) {
        gt_fail(GT_INVALID,
                "query, key and value must be (batch, length, width) that fit together (got %s, %s "
                "and %s)",
                gt_dims_text(&q, s, sizeof s),
                gt_dims_text(&k, t, sizeof t),
                gt_dims_text(&v, u, sizeof u));
        return false;
    }
    return is_mask("query_mask", rest->query_mask, 2) && is_mask("value_mask", rest->value_mask, 2);
}

static gt_Tensor *apply_scores(gt_Tensor *scores, gt_Tensor *value, const Rest *rest)
{
    gt_Tensor *mask = rest->value_mask ? gt_expand_dims(rest->value_mask, 1) : NULL;
    if (rest->is_causal)
        mask = both(mask, causal(scores));
    double lower = gt_dtype(scores) == GT_FLOAT16 ? 65504 : 1e9;
    if (mask)
        scores = (gt_where)(mask, scores, gt_subtract(scores, lower));
    gt_Tensor *weights = gt_softmax(scores);
    if (rest->dropout != 0)
        weights = gt_dropout(weights, rest->dropout, .generator = rest->generator);
    if (rest->weights)
        *rest->weights = gt_status() == GT_OK ? weights : NULL;
    gt_Tensor *y = gt_matmul(weights, value);
    return rest->query_mask ? gt_where(gt_expand_dims(rest->query_mask, -1), y, 0) : y;
}

/* Every query beside every key: (batch, queries, keys, width). */
static gt_Tensor *sums(gt_Tensor *query, gt_Tensor *key)
{
    return gt_add(gt_expand_dims(query, 2), gt_expand_dims(key, 1));
}

static gt_Tensor *attention(gt_Tensor *query, gt_Tensor *value, const gt_attention_options *given)
{
    gt_attention_options options;
    GT_TAKE(gt_attention_options, &options, given);
    Rest rest = REST(options);
    gt_Tensor *key = options.key ? options.key : value, *scale = options.scale;
    if (!fit(query, key, value, &rest))
        return NULL;
    gt_Tensor *scores;
    if (options.score_mode == GT_SCORE_MODE_DOT) {
        scores = gt_matmul(query, key, .transpose_b = true);
        scores = scale ? gt_multiply(scores, scale) : scores;
    } else if (options.score_mode == GT_SCORE_MODE_CONCAT) {
        gt_Tensor *all = sums(query, key);
        scores = gt_sum(gt_tanh(scale ? gt_multiply(all, scale) : all), .axis = -1);
        if (options.concat_score_weight)
            scores = gt_multiply(scores, options.concat_score_weight);
    } else {
        gt_fail(GT_INVALID, "unknown score mode %d", (int)options.score_mode);
        return NULL;
    }
    return apply_scores(scores, value, &rest);
}
GT_COMPOSED(attention,
            (const char *here, gt_Tensor *query, gt_Tensor *value,
             const gt_attention_options *options),
            (query, value, options))
gt_Tensor *(gt_attention)(gt_Tensor *query, gt_Tensor *value)
{
    return gt_attention_at(NULL, query, value, NULL);
}

static gt_Tensor *additive_attention(gt_Tensor *query, gt_Tensor *value,
                                     const gt_additive_attention_options *given)
{
    gt_additive_attention_options options;
    GT_TAKE(gt_additive_attention_options, &options, given);
    Rest rest = REST(options);
    gt_Tensor *key = options.key ? options.key : value;
    if (!fit(query, key, value, &rest))
        return NULL;
    gt_Tensor *all = gt_tanh(sums(query, key));
    return apply_scores(gt_sum(options.scale ? gt_multiply(all, options.scale) : all, .axis = -1),
                        value, &rest);
}
GT_COMPOSED(additive_attention,
            (const char *here, gt_Tensor *query, gt_Tensor *value,
             const gt_additive_attention_options *options),
            (query, value, options))
gt_Tensor *(gt_additive_attention)(gt_Tensor *query, gt_Tensor *value)
{
    return gt_additive_attention_at(NULL, query, value, NULL);
}
