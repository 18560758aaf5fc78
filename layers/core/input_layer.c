/* InputLayer: x as it is, if it is as it should be. layers/sequential.c draws the symbol that it stands for. */
#include "layers/core/input_layer.h"
#include "core/graph.h"
#include "core/strings_inside.h"
#include "layers/draw.h"
#include "layers/kit.h"
#include "ops/array/cast.h"

#include <string.h>

typedef struct InputLayer {
    gt_Layer base;
    gt_InputLayer_options options;
} InputLayer;

GT_OPTION_TYPE(gt_InputLayer_options, gt_InputLayer_OPTIONS);

static gt_Status input_layer_create(gt_Layer *layer)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    gt_Spec spec;
    gt_input_spec(gt_context(), options->shape, options->batch_size, options->dtype, 0, &spec);
    return gt_status();
}

/* How long each string is, where text goes on. */
static gt_Tensor *lengths_of(const gt_Text *text)
{
    gt_Context *context = gt_context();
    gt_Spec spec = {0};
    int64_t *length;
    gt_spec_set(&spec, GT_INT64, text->shape);
    if (text->symbol)
        return gt_trace_input(context, &spec);
    gt_Tensor *made = gt_tensor_new(context, &spec, (void **)&length);
    for (int64_t i = 0; made && i < text->count; i++)
        length[i] = (int64_t)gt_text_piece(text, i).length;
    return made;
}

static gt_Tensor *input_layer_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    const gt_Strings *strings = in->text ? in->text[0] : NULL;
    gt_Text text;
    if (strings && !gt_text_read(gt_context(), NULL, NULL, "the input", strings, &text))
        return NULL;
    gt_Spec wanted, got = strings ? gt_text_spec(&text) : gt_spec(in->x);
    if (!gt_input_spec(gt_context(), options->shape, options->batch_size, options->dtype, 0, &wanted))
        return NULL;
    wanted.dims[0] = options->batch_size;
    for (int d = 1; d < wanted.rank; d++)
        wanted.dims[d] = options->shape.dims[d - 1];
    bool typed = wanted.dtype == got.dtype || (!options->dtype && gt_dtype_is_float(got.dtype));
    bool fits = wanted.rank == got.rank && typed;
    for (int d = 0; fits && d < wanted.rank; d++)
        fits = wanted.dims[d] < 0 || wanted.dims[d] == got.dims[d];
    if (fits)
        return strings ? lengths_of(&text) : gt_identity(in->x);
    char one[200], other[200];
    gt_fail(GT_INVALID, "the input must be %s (got %s)", gt_spec_text(&wanted, one, sizeof one),
            gt_spec_text(&got, other, sizeof other));
    return NULL;
}

gt_Tensor *gt_input_layer_draw(const gt_Layer *layer)
{
    const gt_InputLayer_options *options = &((const InputLayer *)layer)->options;
    return gt_draw_input(gt_context(), NULL, options->shape, options->batch_size, options->dtype, NULL);
}

const gt_LayerClass gt_layer_class_input_layer = {
    GT_LAYER_RECORD("input_layer", "InputLayer", InputLayer, "what the input of a Sequential is like"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_InputLayer_options_type,
    .create = input_layer_create,
    .call = input_layer_call,
    .ports = GT_PORTS({"x", GT_PORT_TEXT | GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_InputLayer, .shape = GT_SAMPLE_SHAPE(3)),
         .keras = "Sequential([InputLayer((3,)), Identity()])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_InputLayer, .shape = GT_SAMPLE_SHAPE(-1, 3), .batch_size = 2),
         .keras = "Sequential([InputLayer((None, 3), batch_size=2), Identity()])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 4, 3)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_InputLayer, .shape = GT_SAMPLE_SHAPE(3), .dtype = GT_TEXT),
         .keras = "Sequential([InputLayer((3,), dtype='string'), Identity()]) @ tf.cast(tf.strings.length(call(x[0])), 'int64')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WORDS("red|green||blue", 4, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_InputLayer_at(const char *here, const gt_InputLayer_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_input_layer, options);
}
