/* Bidirectional. What it needs to know of its layers it reads from their options by name, as gt_layer_copy_with
 * does. */
#include "layers/recurrent/bidirectional.h"
#include "layers/recurrent/cell.h"
#include "layers/recurrent/gru.h"
#include "layers/recurrent/lstm.h"
#include "layers/recurrent/rnn.h"
#include "layers/recurrent/simple_rnn.h"
#include "ops/array/indexing.h"
#include "ops/array/masking.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"

#include <stdio.h>
#include <string.h>

typedef struct Bidirectional {
    gt_Layer base;
    gt_Bidirectional_options options;
    gt_Layer *forward, *backward;
    bool sequences, states; /* both return them */
} Bidirectional;

GT_OPTION_TYPE(gt_Bidirectional_options, gt_Bidirectional_OPTIONS);

/* The address of a flag among the options of a layer; NULL: it has none of that name. */
static bool *flag_of(gt_Layer *layer, const char *name)
{
    const gt_OptionType *type =
        GT_CLASS_HAS(layer->type, options_offset) ? layer->type->options : NULL;
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++)
        if (strcmp(field->name, name) == 0 && strcmp(field->type, "bool") == 0)
            return (bool *)((char *)layer + layer->type->options_offset + field->offset);
    return NULL;
}

static bool is_set(gt_Layer *layer, const char *name)
{
    const bool *flag = flag_of(layer, name);
    return flag && *flag;
}

static gt_Status check_layer(gt_Layer *layer, const char *what)
{
    static const char *const names[] = {"go_backwards", "return_sequences", "return_state",
                                        "stateful"};
    if (!layer)
        return gt_fail(GT_INVALID, "%s is NULL", what);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!flag_of(layer, names[i]))
            return gt_fail(GT_INVALID, "%s must be a recurrent layer: %s has no option %s", what,
                           layer->type->name, names[i]);
    return GT_OK;
}

static gt_Status check_pair(gt_Layer *forward, gt_Layer *backward)
{
    static const char *const names[] = {"return_sequences", "return_state", "stateful"};
    if (is_set(forward, "go_backwards") == is_set(backward, "go_backwards"))
        return gt_fail(GT_INVALID, "go_backwards of layer and backward_layer must differ (both %s)",
                       is_set(forward, "go_backwards") ? "true" : "false");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_set(forward, names[i]) != is_set(backward, names[i]))
            return gt_fail(GT_INVALID, "%s of layer and backward_layer must be the same", names[i]);
    return GT_OK;
}

/* "forward_lstm"; what is called so already keeps its name. */
static gt_Status name_child(gt_Layer *layer, gt_Layer *child, const char *prefix)
{
    char name[256];
    const char *given = gt_layer_name(child);
    size_t length = strlen(prefix);
    snprintf(name, sizeof name, "%s%.200s", prefix,
             strncmp(given, prefix, length) == 0 ? given + length : given);
    return gt_child_rename(layer, child, name);
}

static gt_Status bidirectional_create(gt_Layer *layer)
{
    Bidirectional *self = (Bidirectional *)layer;
    gt_Layer *forward = self->forward = self->options.layer;
    gt_Layer *backward = self->options.backward_layer;
    const bool yes = true;
    int mode = (int)self->options.merge_mode;
    if (mode < GT_MERGE_MODE_CONCAT || mode > GT_MERGE_MODE_NONE)
        return gt_fail(GT_INVALID, "unknown merge_mode %d", mode);
    if (check_layer(forward, "layer") != GT_OK ||
        name_child(layer, forward, "forward_") != GT_OK) /* first: a copy may have the same name */
        return gt_status();
    if (!backward)
        backward =
            gt_add_child(layer, gt_layer_copy_with(forward, "go_backwards", &yes, sizeof yes));
    if (gt_status() != GT_OK || check_layer(backward, "backward_layer") != GT_OK ||
        check_pair(forward, backward) != GT_OK)
        return gt_status();
    self->backward = backward;
    self->sequences = is_set(forward, "return_sequences");
    self->states = is_set(forward, "return_state");
    if (flag_of(forward, "zero_output_for_mask"))
        *flag_of(forward, "zero_output_for_mask") = self->sequences;
    if (flag_of(backward, "zero_output_for_mask"))
        *flag_of(backward, "zero_output_for_mask") = self->sequences;
    return name_child(layer, backward, "backward_");
}

/* The output of one of the layers, NULL on failure. Its `count` states stand from `inputs` on among the inputs and from
 * `outputs` on among the outputs. */
static gt_Tensor *run(gt_Layer *layer, const gt_CallArgs *in, int inputs, int outputs, int count)
{
    gt_Tensor **to[GT_STATES + 1];
    bool given = in->count > 1;
    for (int i = 0; i < count; i++)
        to[i] = in->wanted >> (outputs + i) & 1 ? &in->outputs[outputs + i] : NULL;
    to[count] = GT_LIST_END;
    const gt_Outputs list = {to};
    gt_Tensor *y =
        gt_call(layer, in->x, .mask = in->mask,
                .more = ((gt_Tensors){given ? in->inputs + inputs : NULL, given ? count : 0}),
                .outputs = list);
    return y ? gt_unmask(y) : NULL;
}

static gt_Tensor *merge(gt_MergeMode mode, gt_Tensor *a, gt_Tensor *b)
{
    switch (mode) {
    case GT_MERGE_MODE_CONCAT:
        return gt_concatenate(gt_tensors(a, b), .axis = -1);
    case GT_MERGE_MODE_SUM:
        return gt_add(a, b);
    case GT_MERGE_MODE_MUL:
        return gt_multiply(a, b);
    case GT_MERGE_MODE_AVE:
        return gt_multiply(gt_add(a, b), 0.5);
    default:
        return a;
    }
}

static gt_Tensor *bidirectional_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Bidirectional *self = (const Bidirectional *)layer;
    gt_MergeMode mode = self->options.merge_mode;
    int count = gt_state_count(self->forward), first = mode == GT_MERGE_MODE_NONE ? 2 : 1;
    if (gt_state_count(self->backward) != count)
        return gt_fail(GT_INVALID, "layer and backward_layer must have as many states"), NULL;
    if (in->count > 1 && in->count != 1 + 2 * count)
        return gt_fail(GT_INVALID, "it has %d states, those of both layers (got %d)", 2 * count,
                       in->count - 1),
               NULL;
    if (in->wanted >> first && !self->states)
        return gt_fail(GT_INVALID, "its states are outputs only with .return_state = true"), NULL;
    if (in->wanted >> first >> (2 * count))
        return gt_fail(GT_INVALID, "it has %d states as outputs; more are asked for", 2 * count),
               NULL;
    gt_Tensor *ahead = run(self->forward, in, 1, first, count);
    gt_Tensor *back = ahead ? run(self->backward, in, 1 + count, first + count, count) : NULL;
    if (!back)
        return NULL;
    if (self->sequences)
        back = gt_flip(back, .axis = 1);
    if (mode == GT_MERGE_MODE_NONE)
        in->outputs[1] = self->sequences && in->mask ? gt_with_mask(back, in->mask) : back;
    return merge(mode, ahead, back);
}

static gt_Tensor *bidirectional_mask(gt_Layer *layer, const gt_CallArgs *in)
{
    return ((const Bidirectional *)layer)->sequences ? in->mask : NULL;
}

static gt_Layer *sample_of_lstm(void)
{
    return gt_Bidirectional(gt_LSTM(2));
}

static gt_Layer *sample_of_sequences(void)
{
    return gt_Bidirectional(gt_LSTM(2, .return_sequences = true, .return_state = true),
                            .merge_mode = GT_MERGE_MODE_SUM);
}

static gt_Layer *sample_of_two(void)
{
    return gt_Bidirectional(gt_GRU(2, .return_sequences = true), .merge_mode = GT_MERGE_MODE_NONE,
                            .backward_layer =
                                gt_SimpleRNN(3, .return_sequences = true, .go_backwards = true));
}

static gt_Layer *sample_of_cells(void)
{
    return gt_Bidirectional(gt_RNN(gt_GRUCell(2), .return_state = true),
                            .merge_mode = GT_MERGE_MODE_AVE);
}

static gt_Layer *sample_of_products(void)
{
    return gt_Bidirectional(gt_SimpleRNN(2), .merge_mode = GT_MERGE_MODE_MUL);
}

const gt_LayerClass gt_layer_class_bidirectional = {
    GT_LAYER_RECORD("bidirectional", "Bidirectional", Bidirectional,
                    "a recurrent layer in both directions"),
    .options = &gt_Bidirectional_options_type,
    .create = bidirectional_create,
    .call = bidirectional_call,
    .mask = bidirectional_mask,
    .ports =
        GT_PORTS({"sequences", 0, 0, 0}, {"initial_state", GT_PORT_OPTIONAL | GT_PORT_MANY, 0, 0}),
    .outputs = 1 + GT_STATES,
    .samples = GT_LAYER_SAMPLES(
        {.make = sample_of_lstm,
         .keras = "Bidirectional(LSTM(2))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 4)},
        {.make = sample_of_sequences,
         .keras =
             "Bidirectional(LSTM(2, return_sequences=True, return_state=True), merge_mode='sum') "
             "@ call(x[0], initial_state=[x[1], x[2], x[3], x[4]], mask=m[0])",
         .inputs = 5,
         .input =
             GT_INPUTS(GT_ANY(2, 4, 2), GT_ANY(2, 2), GT_ANY(2, 2), GT_ANY(2, 2), GT_ANY(2, 2)),
         .masks = 1,
         .outputs = 5,
         .output = GT_SAMPLE_SHAPE(2, 4, 2)},
        {.make = sample_of_two,
         .keras = "Bidirectional(GRU(2, return_sequences=True), merge_mode=None, "
                  "backward_layer=SimpleRNN(3, return_sequences=True, go_backwards=True))",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .masks = 1,
         .outputs = 2,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.make = sample_of_cells,
         .keras = "Bidirectional(RNN(GRUCell(2), return_state=True), merge_mode='ave')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .outputs = 3,
         .output = GT_SAMPLE_SHAPE(2, 2)},
        {.make = sample_of_products,
         .keras = "Bidirectional(SimpleRNN(2), merge_mode='mul')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2)),
         .output = GT_SAMPLE_SHAPE(2, 2)}),
};

gt_Layer *gt_Bidirectional_at(const char *here, const gt_Bidirectional_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_bidirectional, options);
}
