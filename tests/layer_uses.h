/* What programs over the table of layers share: a layer from a sample, its inputs, its masks, and
 * numbers for weights by formula, as oracle/layers.py has them. */
#ifndef GT_TESTS_LAYER_USES_H
#define GT_TESTS_LAYER_USES_H

#include "gradtape.h"

#include "operations.h"

#include <stdio.h>

enum { USE_INPUTS = CASE_INPUTS };

/* One sample of one class. */
typedef struct Use {
    const gt_LayerClass *type;
    const gt_LayerSample *sample;
    int number; /* of the sample */
    gt_DType dtype;
} Use;

static inline gt_Layer *use_layer(const Use *use)
{
    if (!use->sample->make)
        return gt_layer_make(use->type, use->sample->options);
    gt_DType before = gt_dtype_policy();
    gt_set_dtype_policy(use->dtype); /* of the symbols of functional models */
    gt_Layer *layer = use->sample->make();
    gt_set_dtype_policy(before);
    return layer;
}

/* Is a C function among the options, which files have no name for? */
static inline bool use_of_functions(const Use *use)
{
    const char *keras = use->sample->keras;
    return strcmp(use->type->name, "lambda") == 0 || (keras && strstr(keras, "=lambda "));
}

/* The numbers of the inputs. */
static inline void use_case(const Use *use, Case *c)
{
    static gt_Sample sample;
    sample = (gt_Sample){.inputs = use->sample->inputs, .input = use->sample->input};
    fill_case(c, NULL, &sample, use->dtype);
}

/* An optional input may be absent. */
static inline bool use_is_absent(const Use *use, int input)
{
    return use->sample->input[input].shape.rank < 0;
}

/* The mask of an input, over its first two axes or the only one, into `mask`; returns its size.
 * Any step may be missing, not only the last ones; in a row of several one is there, one is not. */
static inline int64_t use_mask(const Use *use, int input, bool mask[CASE_NUMBERS])
{
    const gt_Shape *shape = &use->sample->input[input].shape;
    int64_t steps = shape->rank > 1 ? shape->dims[1] : 1, rows = shape->rank ? shape->dims[0] : 1;
    uint64_t state = 777 + (uint64_t)input;
    for (int64_t r = 0; r < rows; r++) {
        int64_t there = 0;
        for (int64_t t = 0; t < steps; t++)
            there += mask[r * steps + t] = next_uniform(&state) < 0.6;
        if (there == 0)
            mask[r * steps + r % steps] = true;
        if (there == steps && steps > 1)
            mask[r * steps + (r + 1) % steps] = false;
    }
    return rows * steps;
}

static inline bool use_has_mask(const Use *use, int input)
{
    return use->sample->masks >> input & 1;
}

static inline bool use_is_text(const Use *use, int input)
{
    return use->sample->input[input].dtype == GT_TEXT;
}

/* Is any input text? */
static inline bool use_has_text(const Use *use)
{
    bool text = false;
    for (int i = 0; i < use->sample->inputs; i++)
        text |= use_is_text(use, i);
    return text;
}

/* The inputs of a sample and their masks; NULL: an absent input, or text; no mask. */
typedef struct UseInputs {
    gt_Tensor *x[USE_INPUTS], *mask[USE_INPUTS];
    gt_Strings text[USE_INPUTS];
    int count;
} UseInputs;

/* The strings of an input, `times` behind one another. */
static inline gt_Strings use_text(const Use *use, const Case *c, int input, int times)
{
    const gt_SampleInput *in = &use->sample->input[input];
    char words[256], *word[64] = {words};
    const char *items[CASE_NUMBERS];
    int64_t count = 0;
    snprintf(words, sizeof words, "%s", in->words);
    for (char *at = words, **next = word + 1; *at; at++)
        if (*at == '|') {
            *at = 0;
            *next++ = at + 1;
        }
    for (int k = 0; k < times; k++)
        for (int64_t i = 0; i < c->size[input]; i++)
            items[count++] = word[(int)c->numbers[input][i]];
    gt_Strings text = gt_strings_from(items, count);
    return in->shape.rank > 1 ? gt_strings_in_rows(text, in->shape.dims[1]) : text;
}

static inline UseInputs use_inputs(const Use *use)
{
    static Case c;
    UseInputs in = {.count = use->sample->inputs};
    bool floats = false;
    for (int i = 0; i < in.count; i++)
        floats |= !use_is_absent(use, i) && gt_dtype_is_float(use->sample->input[i].dtype);
    gt_set_dtype_policy(floats ? GT_DTYPE_NONE : use->dtype); /* integers say no type */
    use_case(use, &c);
    for (int i = 0; i < in.count; i++) {
        const gt_Shape *shape = &use->sample->input[i].shape;
        if (use_is_absent(use, i))
            continue;
        if (use_is_text(use, i)) {
            in.text[i] = use_text(use, &c, i, 1);
            continue;
        }
        in.x[i] = case_input(&c, i);
        if (!use_has_mask(use, i))
            continue;
        bool mask[CASE_NUMBERS];
        double numbers[CASE_NUMBERS];
        int64_t size = use_mask(use, i, mask);
        gt_Shape leading = *shape;
        leading.rank = shape->rank < 2 ? shape->rank : 2;
        for (int64_t k = 0; k < size; k++)
            numbers[k] = mask[k];
        in.mask[i] = gt_from_values_at(NULL, leading, GT_BOOL, size, numbers);
    }
    return in;
}

/* What gt_build_for is told of an input. */
static inline gt_Spec use_spec(const Use *use, const UseInputs *in, int i)
{
    gt_Spec spec = {.dtype = GT_DTYPE_NONE};
    if (use_is_text(use, i)) {
        spec.dtype = GT_TEXT;
        spec.rank = use->sample->input[i].shape.rank;
        memcpy(spec.dims, use->sample->input[i].shape.dims, sizeof spec.dims);
    } else if (in->x[i]) {
        spec = gt_spec(in->x[i]);
    }
    return spec;
}

enum { USE_OUTPUTS = 8 };

/* Calls a layer with the masks on their inputs. Output k goes to outputs[k], NULL behind the last. */
static inline gt_Tensor *use_call(const Use *use, gt_Layer *layer, const UseInputs *in,
                                  bool training, gt_Tensor *outputs[USE_OUTPUTS])
{
    gt_Tensor *x[USE_INPUTS] = {NULL}, **to[USE_OUTPUTS + 1];
    int count = use->sample->outputs ? use->sample->outputs : 1;
    for (int i = 0; i < in->count; i++)
        x[i] = in->mask[i] ? gt_with_mask(in->x[i], in->mask[i]) : in->x[i];
    for (int k = 0; k < USE_OUTPUTS; k++)
        outputs[k] = NULL;
    for (int k = 1; k < count; k++)
        to[k - 1] = &outputs[k];
    to[count - 1] = GT_LIST_END;
    const gt_Tensors more = {in->count > 1 ? x + 1 : NULL, in->count - 1};
    const gt_Outputs others = {to};
    gt_NamedText named[USE_INPUTS + 1] = {{NULL, GT_NOT_GIVEN}};
    for (int i = 0, at = 0; i < in->count; i++)
        if (in->text[i].bytes)
            named[at++] = (gt_NamedText){use->type->ports ? use->type->ports[i].name : "x", in->text[i]};
    if (named[0].name)
        outputs[0] = gt_call(layer, x[0], .training = training, .more = more, .named_text = {named});
    else
        outputs[0] = count > 1
                         ? gt_call(layer, x[0], .training = training, .more = more, .outputs = others)
                         : gt_call(layer, x[0], .training = training, .more = more);
    return outputs[0];
}

/* Element after element of weight number `index`; `kind` is real, positive or whole. */
static inline void use_weight(const char *kind, int index, int64_t count, double *numbers)
{
    uint64_t state = 7919 * ((uint64_t)index + 1);
    for (int64_t k = 0; k < count; k++) {
        double u = next_uniform(&state);
        numbers[k] = kind[0] == 'r' ? 1.4 * u - 0.7 : kind[0] == 'p' ? 0.5 + u : floor(3 * u);
    }
}

#endif
