/* Attention and AdditiveAttention: weights around gt_attention and gt_additive_attention. */
#include "layers/attention/attention.h"
#include "layers/kit.h"

enum { QUERY, VALUE, KEY };

#define PORTS GT_PORTS({"query", 0, 3, 3}, {"value", 0, 3, 3}, {"key", GT_PORT_OPTIONAL, 3, 3})

static gt_Status check_dropout(double dropout)
{
    return dropout >= 0 && dropout < 1
               ? GT_OK
               : gt_fail(GT_INVALID, "dropout must be in [0, 1) (got %g)", dropout);
}

/* The keys as an operand; NULL: the values stand for them. */
static gt_Tensor *key_of(const gt_CallArgs *in)
{
    return in->count > KEY && in->inputs[KEY] ? gt_widened(in->inputs[KEY]) : NULL;
}

/* The mask of the query is that of the result. */
static gt_Tensor *query_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return in->masks[QUERY];
}

/* ---- Attention ---- */

typedef struct Attention {
    gt_Layer base;
    gt_Attention_options options;
    gt_Variable *scale, *weight, *generator;
} Attention;

GT_OPTION_TYPE(gt_Attention_options, gt_Attention_OPTIONS);

static gt_Status attention_create(gt_Layer *layer)
{
    const gt_Attention_options *options = &((const Attention *)layer)->options;
    if (options->score_mode != GT_SCORE_MODE_DOT && options->score_mode != GT_SCORE_MODE_CONCAT)
        return gt_fail(GT_INVALID, "unknown score_mode %d", (int)options->score_mode);
    return check_dropout(options->dropout);
}

static gt_Status attention_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Attention *self = (Attention *)layer;
    const gt_Attention_options *options = &self->options;
    (void)in;
    if (options->use_scale)
        self->scale = gt_add_weight(layer, "scale", gt_shape(), .initializer = gt_Ones());
    if (options->score_mode == GT_SCORE_MODE_CONCAT)
        self->weight =
            gt_add_weight(layer, "concat_score_weight", gt_shape(), .initializer = gt_Ones());
    if (options->dropout > 0)
        self->generator = gt_add_generator(layer, options->seed);
    return gt_status();
}

static gt_Tensor *attention_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Attention *self = (const Attention *)layer;
    const gt_Attention_options *options = &self->options;
    return gt_attention(
        gt_widened(in->inputs[QUERY]), gt_widened(in->inputs[VALUE]), .key = key_of(in),
        .score_mode = options->score_mode, .scale = self->scale ? gt_widened(self->scale) : NULL,
        .concat_score_weight = self->weight ? gt_widened(self->weight) : NULL,
        .is_causal = options->use_causal_mask, .query_mask = in->masks[QUERY],
        .value_mask = in->masks[VALUE], .weights = in->wanted >> 1 & 1 ? &in->outputs[1] : NULL,
        .dropout = in->training ? options->dropout : 0, .generator = self->generator);
}

const gt_LayerClass gt_layer_class_attention = {
    GT_LAYER_RECORD("attention", "Attention", Attention, "means of values, weighted by scores"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_Attention_options_type,
    .create = attention_create,
    .build = attention_build,
    .call = attention_call,
    .mask = query_mask,
    .ports = PORTS,
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_Attention, .use_scale = true),
         .keras = "Attention(use_scale=True) @ call([x[0], x[1]], mask=[m[0], m[1]], "
                  "return_attention_scores=True)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 5, 4)),
         .masks = 3,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options = GT_LAYER_OPTIONS(gt_Attention, .score_mode = GT_SCORE_MODE_CONCAT,
                                     .use_causal_mask = true),
         .keras = "Attention(score_mode='concat') @ call([x[0], x[1], x[2]], use_causal_mask=True)",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 3, 2), GT_ANY(2, 3, 4), GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options =
             GT_LAYER_OPTIONS(gt_Attention, .use_scale = true, .score_mode = GT_SCORE_MODE_CONCAT),
         .keras = "Attention(use_scale=True, score_mode='concat')",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(1, 2, 3), GT_ANY(1, 4, 3)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Attention, .dropout = 0.4, .seed = 3),
         .keras = "Attention(dropout=0.4, seed=3)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(2, 4, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)},
        {.keras = "Attention() @ call([x[0], x[1], x[2]], mask=[m[0], m[1], m[2]])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(2, 4, 5), GT_ANY(2, 4, 3)),
         .masks = 7,
         .output = GT_SAMPLE_SHAPE(2, 2, 5)}),
};

gt_Layer *gt_Attention_at(const char *here, const gt_Attention_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_attention, options);
}

/* ---- AdditiveAttention ---- */

typedef struct AdditiveAttention {
    gt_Layer base;
    gt_AdditiveAttention_options options;
    gt_Variable *scale, *generator;
} AdditiveAttention;

GT_OPTION_TYPE(gt_AdditiveAttention_options, gt_AdditiveAttention_OPTIONS);

static gt_Status additive_create(gt_Layer *layer)
{
    return check_dropout(((const AdditiveAttention *)layer)->options.dropout);
}

static gt_Status additive_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    AdditiveAttention *self = (AdditiveAttention *)layer;
    if (self->options.use_scale)
        self->scale = gt_add_weight(layer, "scale", gt_shape(gt_last(in->shape)),
                                    .initializer = gt_GlorotUniform());
    if (self->options.dropout > 0)
        self->generator = gt_add_generator(layer, self->options.seed);
    return gt_set_input_spec(layer, QUERY, .rank = 3, .dim = gt_last(in->shape));
}

static gt_Tensor *additive_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const AdditiveAttention *self = (const AdditiveAttention *)layer;
    const gt_AdditiveAttention_options *options = &self->options;
    return gt_additive_attention(
        gt_widened(in->inputs[QUERY]), gt_widened(in->inputs[VALUE]), .key = key_of(in),
        .scale = self->scale ? gt_widened(self->scale) : NULL,
        .is_causal = options->use_causal_mask, .query_mask = in->masks[QUERY],
        .value_mask = in->masks[VALUE], .weights = in->wanted >> 1 & 1 ? &in->outputs[1] : NULL,
        .dropout = in->training ? options->dropout : 0, .generator = self->generator);
}

const gt_LayerClass gt_layer_class_additive_attention = {
    GT_LAYER_RECORD("additive_attention", "AdditiveAttention", AdditiveAttention,
                    "attention whose scores are sums"),
    .flags = GT_LAYER_RANDOM | GT_LAYER_FLOAT32,
    .options = &gt_AdditiveAttention_options_type,
    .create = additive_create,
    .build = additive_build,
    .call = additive_call,
    .mask = query_mask,
    .ports = PORTS,
    .outputs = 2,
    .samples = GT_LAYER_SAMPLES(
        {.keras = "AdditiveAttention() @ call([x[0], x[1]], mask=[m[0], m[1]], "
                  "return_attention_scores=True)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 3, 4), GT_ANY(2, 3, 4)),
         .masks = 3,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 3, 4)},
        {.options =
             GT_LAYER_OPTIONS(gt_AdditiveAttention, .use_scale = false, .use_causal_mask = true),
         .keras = "AdditiveAttention(use_scale=False) @ call([x[0], x[1], x[2]], "
                  "use_causal_mask=True)",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(2, 4, 5), GT_ANY(2, 4, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 5)},
        {.options = GT_LAYER_OPTIONS(gt_AdditiveAttention, .dropout = 0.3, .seed = 9),
         .keras = "AdditiveAttention(dropout=0.3, seed=9)",
         .inputs = 2,
         .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(2, 4, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)},
        {.keras = "AdditiveAttention() @ call([x[0], x[1], x[2]], mask=[m[0], m[1], m[2]])",
         .inputs = 3,
         .input = GT_INPUTS(GT_ANY(2, 2, 3), GT_ANY(2, 4, 5), GT_ANY(2, 4, 3)),
         .masks = 7,
         .output = GT_SAMPLE_SHAPE(2, 2, 5)}),
};

gt_Layer *gt_AdditiveAttention_at(const char *here, const gt_AdditiveAttention_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_additive_attention, options);
}
