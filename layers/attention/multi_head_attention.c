/* MultiHeadAttention and GroupQueryAttention: projections, masks and the operation gt_dot_product_attention
 * between them. Both classes read their options into one struct, and share what they do with it. */
#include "layers/attention/multi_head_attention.h"
#include "layers/core/einsum_dense.h"
#include "layers/kit.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"
#include "ops/nn/attention.h"

#include <math.h>
#include <string.h>

enum { QUERY, VALUE, KEY, MASK };

/* The projections, made in build. */
typedef struct Heads {
    gt_Layer *query, *key, *value, *gate, *output;
    gt_Variable *generator;
} Heads;

typedef struct HeadOptions {
    int64_t heads, key_heads, key_dim, value_dim, window;
    gt_Shape output; /* rank 0: as the query */
    gt_Axes axes;
    double dropout;
    bool use_bias, use_gate, causal;
    gt_Initializer kernel_initializer, bias_initializer;
    gt_Regularizer kernel_regularizer, bias_regularizer;
    gt_Constraint kernel_constraint, bias_constraint;
    int64_t seed;
} HeadOptions;
/* GT_HEADS_COMMON, read from either struct. */
#define HEADS_COMMON(o)                                                                            \
    .window = (o)->sliding_window, .dropout = (o)->dropout, .use_bias = (o)->use_bias,             \
    .use_gate = (o)->use_gate, .causal = (o)->use_causal_mask,                                     \
    .kernel_initializer = (o)->kernel_initializer, .bias_initializer = (o)->bias_initializer,      \
    .kernel_regularizer = (o)->kernel_regularizer, .bias_regularizer = (o)->bias_regularizer,      \
    .kernel_constraint = (o)->kernel_constraint, .bias_constraint = (o)->bias_constraint,          \
    .seed = (o)->seed

/* ---- making ---- */

static gt_Status check_positive(const char *name, int64_t value)
{
    return value > 0 && value <= INT32_MAX
               ? GT_OK
               : gt_fail(GT_INVALID, "%s must be > 0 (got %lld)", name, (long long)value);
}

static gt_Status check_common(const HeadOptions *options)
{
    if (!(options->dropout >= 0 && options->dropout < 1))
        return gt_fail(GT_INVALID, "dropout must be in [0, 1) (got %g)", options->dropout);
    return options->window == -1 ? GT_OK : check_positive("sliding_window", options->window);
}

/* A child "...X,K->...Y" of that name. */
static gt_Layer *project(gt_Layer *layer, const HeadOptions *options, const char *name,
                         const char *equation, gt_Shape shape, const char *bias,
                         gt_TensorFunction activation)
{
    return gt_add_child(layer,
                        gt_EinsumDense(equation, shape, .activation = activation,
                                       .bias_axes = options->use_bias ? bias : NULL,
                                       .kernel_initializer = options->kernel_initializer,
                                       .bias_initializer = options->bias_initializer,
                                       .kernel_regularizer = options->kernel_regularizer,
                                       .bias_regularizer = options->bias_regularizer,
                                       .kernel_constraint = options->kernel_constraint,
                                       .bias_constraint = options->bias_constraint, .name = name));
}

static gt_Status build(gt_Layer *layer, const HeadOptions *options, const gt_BuildArgs *in,
                       Heads *heads)
{
    static const char *const outputs[] = {"...nh,nhd->...d", "...nh,nhde->...de",
                                          "...nh,nhdef->...def"};
    static const char *const letters[] = {"d", "de", "def"};
    const char *in_heads = "...d,dnh->...nh";
    gt_Shape keys = gt_shape(options->key_heads, options->key_dim);
    gt_Shape values = gt_shape(options->key_heads, options->value_dim);
    gt_Shape output = options->output.rank > 0 ? options->output : gt_shape(gt_last(in->shape));
    heads->query = project(layer, options, "query", in_heads,
                           gt_shape(options->heads, options->key_dim), "nh", NULL);
    heads->key = project(layer, options, "key", in_heads, keys, "nh", NULL);
    if (options->use_gate)
        heads->gate = project(layer, options, "gate", in_heads,
                              gt_shape(options->heads, options->value_dim), "nh", gt_sigmoid);
    heads->value = project(layer, options, "value", in_heads, values, "nh", NULL);
    heads->output = project(layer, options, "attention_output", outputs[output.rank - 1], output,
                            letters[output.rank - 1], NULL);
    if (options->dropout > 0)
        heads->generator = gt_add_generator(layer, options->seed);
    return gt_status();
}

/* ---- masks ---- */

static gt_Tensor *both(gt_Tensor *a, gt_Tensor *b)
{
    return !a ? b : !b ? a : gt_logical_and(a, b);
}

/* Input number i, which may be absent, and its mask. */
static gt_Tensor *input_of(const gt_CallArgs *in, int i)
{
    return i < in->count ? in->inputs[i] : NULL;
}
static gt_Tensor *mask_of(const gt_CallArgs *in, int i)
{
    return input_of(in, i) ? in->masks[i] : NULL;
}

/* 1, 2, ... along axis 1 of x (batch, steps, ...), as (batch, steps): made of x, so that a traced graph serves any
 * length. */
static gt_Tensor *count_steps(gt_Tensor *x)
{
    gt_Shape begin = {.mark = GT_MARK, .rank = gt_rank(x)}, size = begin;
    for (int d = 0; d < size.rank; d++)
        size.dims[d] = d < 2 ? -1 : 1;
    return gt_cumsum(gt_ones_like(gt_reshape(gt_slice(x, begin, size), gt_shape(), .keep = 2)),
                     .axis = 1);
}

/* (batch, queries, keys): which are less than `window` apart. */
static gt_Tensor *band(const gt_CallArgs *in, int64_t window)
{
    gt_Tensor *rows = gt_expand_dims(count_steps(in->inputs[QUERY]), 2);
    gt_Tensor *columns = gt_expand_dims(count_steps(in->inputs[VALUE]), 1);
    return gt_less(gt_abs(gt_subtract(rows, columns)), (double)window);
}

/* With an axis of size 1 for the heads, in front of those of queries and keys. NULL stays NULL. */
static gt_Tensor *for_all_heads(gt_Tensor *mask, int rank, int axes)
{
    return mask && gt_rank(mask) < rank ? gt_expand_dims(mask, -2 * axes - 1) : mask;
}

static gt_Tensor *attention_mask(const HeadOptions *options, const gt_CallArgs *in, int rank,
                                 int axes)
{
    gt_Tensor *mask = input_of(in, MASK);
    if (mask && gt_dtype(mask) != GT_BOOL)
        mask = gt_not_equal(mask, 0);
    mask = for_all_heads(mask, rank, axes);
    return options->window < 0 ? mask
                               : both(mask, for_all_heads(band(in, options->window), rank, axes));
}

/* ---- calling ---- */

static gt_Tensor *call(const HeadOptions *options, const Heads *heads, const gt_CallArgs *in)
{
    gt_Tensor *value = in->inputs[VALUE], *key = input_of(in, KEY);
    gt_Tensor *q = gt_call(heads->query, in->inputs[QUERY]);
    gt_Tensor *k = gt_call(heads->key, key ? key : value), *v = gt_call(heads->value, value);
    int inner = gt_rank(in->inputs[QUERY]) - 2; /* axes between batch and features */
    int axes = options->axes.count > 0 ? options->axes.count : inner;
    int rank = 2 + inner + axes; /* of the scores */
    bool plain = inner == 1;
    gt_Tensor *query_mask = mask_of(in, QUERY);
    gt_Tensor *keys = both(mask_of(in, VALUE), mask_of(in, KEY));
    if (!plain && (query_mask || keys || options->window > 0))
        return gt_fail(GT_UNSUPPORTED,
                       "masks of inputs and sliding_window are about one axis; with %d of them use "
                       "gt_unmask and give attention_mask",
                       inner),
               NULL;
    gt_Tensor *y = gt_dot_product_attention(
        gt_widened(q), gt_widened(k), gt_widened(v), .axes = options->axes,
        .mask = attention_mask(options, in, rank, axes),
        .scale = 1 / sqrt((double)options->key_dim), .is_causal = options->causal,
        .query_mask = query_mask, .value_mask = keys,
        .weights = in->wanted >> 1 & 1 ? &in->outputs[1] : NULL,
        .dropout = in->training ? options->dropout : 0, .generator = heads->generator);
    if (heads->gate)
        y = gt_multiply(y, gt_widened(gt_call(heads->gate, in->inputs[QUERY])));
    return gt_call(heads->output, y);
}

static gt_Tensor *query_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return in->masks[QUERY];
}

/* ---- MultiHeadAttention ---- */

typedef struct MultiHeadAttention {
    gt_Layer base;
    gt_MultiHeadAttention_options options;
    Heads heads;
} MultiHeadAttention;

GT_OPTION_TYPE(gt_MultiHeadAttention_options, gt_MultiHeadAttention_OPTIONS);

static HeadOptions multi_head_options(const gt_Layer *layer)
{
    const gt_MultiHeadAttention_options *o = &((const MultiHeadAttention *)layer)->options;
    return (HeadOptions){HEADS_COMMON(o),
                         .heads = o->num_heads,
                         .key_heads = o->num_heads,
                         .key_dim = o->key_dim,
                         .value_dim = o->value_dim == -1 ? o->key_dim : o->value_dim,
                         .output = o->output_shape,
                         .axes = o->attention_axes};
}

static gt_Status multi_head_create(gt_Layer *layer)
{
    const HeadOptions options = multi_head_options(layer);
    if (check_positive("num_heads", options.heads) != GT_OK ||
        check_positive("key_dim", options.key_dim) != GT_OK ||
        check_positive("value_dim", options.value_dim) != GT_OK)
        return gt_status();
    if (options.output.rank > 3)
        return gt_fail(GT_INVALID, "output_shape may have 3 sizes at most (got %d)",
                       (int)options.output.rank);
    for (int d = 0; d < options.output.rank; d++)
        if (check_positive("output_shape", options.output.dims[d]) != GT_OK)
            return gt_status();
    return check_common(&options);
}

static gt_Status multi_head_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    const HeadOptions options = multi_head_options(layer);
    return build(layer, &options, in, &((MultiHeadAttention *)layer)->heads);
}

static gt_Tensor *multi_head_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const HeadOptions options = multi_head_options(layer);
    return call(&options, &((const MultiHeadAttention *)layer)->heads, in);
}

static gt_Layer *sample_with_axes(void)
{
    return gt_MultiHeadAttention(2, 3, .attention_axes = gt_axes(2), .value_dim = 2);
}

const gt_LayerClass gt_layer_class_multi_head_attention = {
    GT_LAYER_RECORD("multi_head_attention", "MultiHeadAttention", MultiHeadAttention,
                    "attention with heads"),
    .flags = GT_LAYER_RANDOM,
    .options = &gt_MultiHeadAttention_options_type,
    .create = multi_head_create,
    .build = multi_head_build,
    .call = multi_head_call,
    .mask = query_mask,
    .ports = GT_PORTS({"query", 0, 3, 0}, {"value", 0, 3, 0}, {"key", GT_PORT_OPTIONAL, 3, 0},
                      {"attention_mask", GT_PORT_OPTIONAL | GT_PORT_INTEGERS, 2, 0}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_MultiHeadAttention, .num_heads = 2, .key_dim = 3),
         .keras = "MultiHeadAttention(2, 3) @ call(x[0], x[1])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 5, 2)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options = GT_LAYER_OPTIONS(gt_MultiHeadAttention, .num_heads = 2, .key_dim = 2,
                                     .value_dim = 3, .use_bias = false, .use_gate = true,
                                     .use_causal_mask = true, .output_shape = GT_SAMPLE_SHAPE(5)),
         .keras =
             "MultiHeadAttention(2, 2, value_dim=3, use_bias=False, use_gate=True, output_shape=5) "
             "@ call(x[0], x[1], x[2], use_causal_mask=True, return_attention_scores=True)",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(1, 3, 2), GT_ANY(1, 3, 2), GT_ANY(1, 3, 4)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(1, 3, 5)},
        {.options = GT_LAYER_OPTIONS(gt_MultiHeadAttention, .num_heads = 1, .key_dim = 2,
                                     .sliding_window = 2),
         .keras = "MultiHeadAttention(1, 2, sliding_window=2) @ call(x[0], x[1], x[2], "
                  "attention_mask=x[3])",
         .inputs = 4,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 4, 2), GT_ANY(2, 4, 2),
                            GT_WHOLE(GT_INT32, 0, 2, 2, 3, 4)),
         .masks = 6,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.make = sample_with_axes,
         .keras = "MultiHeadAttention(2, 3, attention_axes=2, value_dim=2) @ call(x[0], x[1])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(1, 2, 3, 2), GT_ANY(1, 2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_MultiHeadAttention, .num_heads = 2, .key_dim = 2,
                                     .dropout = 0.3, .seed = 6),
         .keras = "MultiHeadAttention(2, 2, dropout=0.3, seed=6) @ call(x[0], x[1])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(1, 2, 2), GT_ANY(1, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2)}),
};

gt_Layer *gt_MultiHeadAttention_at(const char *here, const gt_MultiHeadAttention_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_multi_head_attention, options);
}

/* ---- GroupQueryAttention ---- */

typedef struct GroupQueryAttention {
    gt_Layer base;
    gt_GroupQueryAttention_options options;
    Heads heads;
} GroupQueryAttention;

GT_OPTION_TYPE(gt_GroupQueryAttention_options, gt_GroupQueryAttention_OPTIONS);

static HeadOptions group_query_options(const gt_Layer *layer)
{
    const gt_GroupQueryAttention_options *o = &((const GroupQueryAttention *)layer)->options;
    return (HeadOptions){
        HEADS_COMMON(o),        .heads = o->num_query_heads, .key_heads = o->num_key_value_heads,
        .key_dim = o->head_dim, .value_dim = o->head_dim,    .axes = GT_ALL_AXES};
}

static gt_Status group_query_create(gt_Layer *layer)
{
    const HeadOptions options = group_query_options(layer);
    if (check_positive("head_dim", options.key_dim) != GT_OK ||
        check_positive("num_query_heads", options.heads) != GT_OK ||
        check_positive("num_key_value_heads", options.key_heads) != GT_OK)
        return gt_status();
    if (options.heads % options.key_heads != 0)
        return gt_fail(
            GT_INVALID,
            "num_query_heads must be a multiple of num_key_value_heads (got %lld and %lld)",
            (long long)options.heads, (long long)options.key_heads);
    return check_common(&options);
}

static gt_Status group_query_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    const HeadOptions options = group_query_options(layer);
    return build(layer, &options, in, &((GroupQueryAttention *)layer)->heads);
}

static gt_Tensor *group_query_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const HeadOptions options = group_query_options(layer);
    return call(&options, &((const GroupQueryAttention *)layer)->heads, in);
}

const gt_LayerClass gt_layer_class_group_query_attention = {
    GT_LAYER_RECORD("group_query_attention", "GroupQueryAttention", GroupQueryAttention,
                    "attention whose heads share keys and values"),
    .flags = GT_LAYER_RANDOM,
    .options = &gt_GroupQueryAttention_options_type,
    .create = group_query_create,
    .build = group_query_build,
    .call = group_query_call,
    .mask = query_mask,
    .ports = GT_PORTS({"query", 0, 3, 3}, {"value", 0, 3, 3}, {"key", GT_PORT_OPTIONAL, 3, 3},
                      {"attention_mask", GT_PORT_OPTIONAL | GT_PORT_INTEGERS, 2, 4}),
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_GroupQueryAttention, .head_dim = 2, .num_query_heads = 4,
                                     .num_key_value_heads = 2),
         .keras = "GroupQueryAttention(2, 4, 2) @ call(x[0], x[1])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 4, 3)),
         .masks = 3,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GroupQueryAttention, .head_dim = 3, .num_query_heads = 2,
                                     .num_key_value_heads = 1, .use_bias = false, .use_gate = true,
                                     .sliding_window = 2, .use_causal_mask = true),
         .keras = "GroupQueryAttention(3, 2, 1, use_bias=False, use_gate=True, sliding_window=2) "
                  "@ call(x[0], x[1], x[2], use_causal_mask=True, return_attention_scores=True)",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(1, 3, 2), GT_ANY(1, 3, 2), GT_ANY(1, 3, 2)),
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(1, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GroupQueryAttention, .head_dim = 2, .num_query_heads = 2,
                                     .num_key_value_heads = 2, .dropout = 0.3, .seed = 6),
         .keras = "GroupQueryAttention(2, 2, 2, dropout=0.3, seed=6) @ call(x[0], x[1])",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(1, 2, 2), GT_ANY(1, 3, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 2)},
        {.options = GT_LAYER_OPTIONS(gt_GroupQueryAttention, .head_dim = 2, .num_query_heads = 2,
                                     .num_key_value_heads = 1),
         .keras = "GroupQueryAttention(2, 2, 1) @ call(x[0], x[1], x[2])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 4, 3), GT_ANY(2, 4, 2)),
         .masks = 7,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)}),
};

gt_Layer *gt_GroupQueryAttention_at(const char *here, const gt_GroupQueryAttention_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_group_query_attention, options);
}
