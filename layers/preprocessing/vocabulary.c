/* The vocabularies of layers, for those who use them. Leans on lookup.c. */
#include "layers/preprocessing/vocabulary.h"
#include "layers/preprocessing/lookup.h"
#include "layers/table.h"
#include "ops/array/cast.h"

#include <string.h>

GT_OPTION_TYPE(gt_get_vocabulary_options, gt_get_vocabulary_OPTIONS);
GT_OPTION_TYPE(gt_set_vocabulary_options, gt_set_vocabulary_OPTIONS);

/* The lookup of a layer that has one, of integers or of text; NULL with an error raised. `changes`: by the layer's context. */
static gt_Lookup *lookup_of(gt_Context *context, const char *here, const char *operation,
                            const gt_Layer *layer, bool integers, bool changes)
{
    gt_LayerState *state = changes ? gt_layer_own(context, here, operation, layer)
                                   : gt_layer_check(context, here, operation, layer);
    const gt_LayerClass *type = state ? state->layer->type : NULL;
    if (!type)
        return NULL;
    bool has = integers ? type == &gt_layer_class_integer_lookup
                        : type == &gt_layer_class_string_lookup ||
                              type == &gt_layer_class_text_vectorization;
    if (!has)
        gt_raise(context, GT_INVALID, here, operation, "layer %s must be %s (got a %s)", state->name,
                 integers ? "an integer_lookup" : "a string_lookup or a text_vectorization",
                 type->name);
    else if (changes && gt_tracing(context))
        gt_raise(context, GT_STATE, here, operation, "it cannot run inside a traced function");
    else
        return &((gt_LookupLayer *)state->layer)->lookup;
    return NULL;
}

/* Puts tokens together by their indices. */
static gt_Status gather(gt_Context *context, const gt_Lookup *lookup, int64_t first,
                        gt_TextBuilder *tokens)
{
    for (int64_t i = first; i < gt_lookup_size(lookup); i++) {
        gt_Piece token = gt_lookup_token(lookup, i);
        if (!gt_builder_put(context, tokens, token.at, token.length) ||
            !gt_builder_end(context, tokens))
            break;
    }
    return gt_context_status(context);
}

gt_Strings gt_get_vocabulary_at(const char *here, const gt_Layer *layer,
                                const gt_get_vocabulary_options *given)
{
    gt_Context *context = gt_enter();
    gt_get_vocabulary_options options;
    GT_TAKE(gt_get_vocabulary_options, &options, given);
    gt_Strings made = GT_NOT_GIVEN;
    gt_TextBuilder tokens = {.count = 0};
    const gt_Lookup *lookup =
        context ? lookup_of(context, here, "get_vocabulary", layer, false, false) : NULL;
    if (lookup && gather(context, lookup,
                         options.include_special_tokens ? 0 : gt_lookup_start(lookup),
                         &tokens) == GT_OK)
        made = gt_builder_strings(context, &tokens);
    if (context)
        gt_builder_close(context, &tokens);
    return made;
}

gt_Tensor *gt_get_integer_vocabulary_at(const char *here, const gt_Layer *layer,
                                        const gt_get_vocabulary_options *given)
{
    gt_Context *context = gt_enter();
    gt_get_vocabulary_options options;
    GT_TAKE(gt_get_vocabulary_options, &options, given);
    const gt_Lookup *lookup =
        context ? lookup_of(context, here, "get_integer_vocabulary", layer, true, false) : NULL;
    if (!lookup)
        return NULL;
    int64_t first = options.include_special_tokens ? 0 : gt_lookup_start(lookup), *numbers;
    gt_Spec spec = {0};
    gt_spec_set(&spec, GT_INT64, gt_shape(gt_lookup_size(lookup) - first));
    gt_Tensor *made = gt_tensor_new(context, &spec, (void **)&numbers);
    for (int64_t i = 0; made && i < spec.size; i++)
        memcpy(&numbers[i], gt_lookup_token(lookup, first + i).at, sizeof *numbers);
    return made;
}

gt_Status gt_set_vocabulary_at(const char *here, gt_Layer *layer, gt_Strings vocabulary,
                               const gt_set_vocabulary_options *given)
{
    gt_Context *context = gt_enter();
    gt_set_vocabulary_options options;
    GT_TAKE(gt_set_vocabulary_options, &options, given);
    if (!context || !lookup_of(context, here, "set_vocabulary", layer, false, true))
        return gt_status();
    gt_Site site = gt_site_enter(here, "set_vocabulary");
    gt_lookup_set(layer, &vocabulary, options.idf_weights);
    gt_site_leave(&site);
    return gt_context_status(context);
}

gt_Status gt_set_integer_vocabulary_at(const char *here, gt_Layer *layer, gt_Tensor *vocabulary,
                                       const gt_set_vocabulary_options *given)
{
    gt_Context *context = gt_enter();
    gt_set_vocabulary_options options;
    GT_TAKE(gt_set_vocabulary_options, &options, given);
    if (!context || !lookup_of(context, here, "set_integer_vocabulary", layer, true, true))
        return gt_status();
    gt_Site site = gt_site_enter(here, "set_integer_vocabulary");
    gt_lookup_set_integers(layer, vocabulary, options.idf_weights);
    gt_site_leave(&site);
    return gt_context_status(context);
}

int64_t gt_vocabulary_size_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state =
        context ? gt_layer_check(context, here, "vocabulary_size", layer) : NULL;
    bool integers = state && state->layer->type == &gt_layer_class_integer_lookup;
    const gt_Lookup *lookup =
        state ? lookup_of(context, here, "vocabulary_size", layer, integers, false) : NULL;
    return lookup ? gt_lookup_size(lookup) : -1;
}

/* The tokens of indices that were read. */
static gt_Strings tokens_of(gt_Context *context, const gt_Lookup *lookup, const int64_t *index,
                            gt_Shape shape)
{
    gt_TextBuilder tokens = {.count = 0};
    gt_Strings made = GT_NOT_GIVEN;
    int64_t count = shape.dims[0] * (shape.rank > 1 ? shape.dims[1] : 1);
    for (int64_t i = 0; i < count; i++) {
        gt_Piece token = gt_lookup_token(lookup, index[i]);
        if (!gt_builder_put(context, &tokens, token.at, token.length) ||
            !gt_builder_end(context, &tokens))
            break;
    }
    if (gt_context_status(context) == GT_OK)
        made = gt_builder_strings(context, &tokens);
    if (made.bytes && shape.rank > 1)
        made.width = shape.dims[1];
    gt_builder_close(context, &tokens);
    return made;
}

gt_Strings gt_lookup_text_at(const char *here, const gt_Layer *layer, gt_Tensor *indices)
{
    static const gt_Strings none;
    gt_Context *context = gt_enter();
    gt_Strings made = none;
    const gt_Lookup *lookup =
        context ? lookup_of(context, here, "lookup_text", layer, false, false) : NULL;
    const gt_Spec *spec =
        lookup ? gt_tensor_check(context, here, "lookup_text", "the indices", indices) : NULL;
    if (!spec)
        return none;
    gt_Site site = gt_site_enter(here, "lookup_text");
    gt_Shape shape = gt_spec_shape(spec);
    if (!gt_dtype_is_integer(spec->dtype) || spec->rank < 1 || spec->rank > 2)
        gt_fail(GT_INVALID, "the indices must be integers of one or two axes");
    else if (!lookup->bytes)
        gt_fail(GT_STATE, "the layer has no vocabulary yet: first gt_adapt, or give .vocabulary");
    else if (gt_scope_open(context)) {
        const int64_t *index = gt_int64_data(gt_cast(indices, GT_INT64));
        if (gt_context_status(context) == GT_OK)
            made = tokens_of(context, lookup, index, shape);
        if (made.bytes)
            gt_strings_keep(made);
        gt_scope_close(context);
    }
    gt_site_leave(&site);
    return made;
}
