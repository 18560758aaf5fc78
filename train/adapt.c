/* The loop that feeds a dataset to a layer that learns from it. */
#include "train/adapt.h"
#include "core/inside.h"
#include "core/strings_inside.h"
#include "train/internal.h"

GT_OPTION_TYPE(gt_adapt_options, gt_adapt_OPTIONS);

/* A layer that accepts both does where the dataset has text alone. */
static bool learns_from_text(const gt_LayerState *state, const gt_Dataset *dataset)
{
    uint32_t flags = gt_layer_ports(state)->flags;
    bool both = flags & GT_PORT_INTEGERS;
    return flags & GT_PORT_TEXT && (!both || gt_dataset_x_count(dataset) == 0);
}

static gt_Status check(gt_Context *context, const gt_LayerState *state, const gt_Dataset *dataset,
                       const gt_adapt_options *options)
{
    const gt_LayerClass *type = state->layer->type;
    bool text = gt_strings_given(&options->text);
    bool takes_text = gt_layer_ports(state)->flags & GT_PORT_TEXT;
    if (text && dataset)
        return gt_raise(context, GT_INVALID, NULL, NULL, "it learns from a dataset or from text, not both");
    if (!text && !gt_dataset_check(context, NULL, NULL, dataset))
        return gt_context_status(context);
    if (!GT_CLASS_HAS(type, adapt) || !type->adapt)
        return gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                        "a layer of the class %s learns nothing from data before training",
                        type->name);
    if (gt_tracing(context) || gt_context_frame(context))
        return gt_raise(context, GT_STATE, NULL, NULL,
                        "it cannot run inside a traced function or the call of a layer");
    if (text && !takes_text)
        return gt_raise(context, GT_INVALID, NULL, NULL, "a layer of the class %s does not accept text", type->name);
    if (text)
        return gt_context_status(context);
    bool of_text = learns_from_text(state, dataset);
    int inputs = of_text ? gt_dataset_text_count(dataset) : gt_dataset_x_count(dataset);
    if (of_text && inputs == 0)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "a layer of the class %s learns from text: gt_adapt(layer, NULL, .text = strings), or a "
                        "dataset with columns of text (this one has none)",
                        type->name);
    if (options->input < 0 || options->input >= inputs)
        return gt_raise(context, GT_INVALID, NULL, NULL, "the dataset has no %s %d (it has %d)",
                        of_text ? "text" : "input", (int)options->input, inputs);
    if (gt_dataset_size(dataset) == 0 || options->steps == 0)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there is nothing to learn from");
    return gt_context_status(context);
}

/* A batch of numbers or of text; at the beginning and the end neither. */
static gt_Status learn(gt_Layer *layer, gt_AdaptStage stage, gt_Tensor *x, const gt_Strings *text)
{
    gt_CallArgs batch = {.size = sizeof batch,
                         .count = 1,
                         .x = x,
                         .inputs = &x,
                         .compute = layer->state->compute,
                         .text = text ? &text : NULL};
    gt_Status status = layer->type->adapt(layer, stage, x || text ? &batch : NULL);
    return status != GT_OK ? status : gt_status();
}

/* One column. A vocabulary needs no layer that is built. */
static gt_Status learn_text(gt_Context *context, gt_LayerState *state, const gt_Strings *strings)
{
    gt_Text text;
    if (!gt_text_read(context, NULL, NULL, "the text", strings, &text))
        return gt_context_status(context);
    if (text.count == 0 || text.symbol)
        return gt_raise(context, GT_INVALID, NULL, NULL, "there is nothing to learn from");
    if (learn(state->layer, GT_ADAPT_STAGE_BEGIN, NULL, NULL) == GT_OK)
        learn(state->layer, GT_ADAPT_STAGE_BATCH, NULL, strings);
    return gt_context_status(context);
}

/* One batch of a column of text, of which the layer is not built. */
static gt_Status feed_text(gt_Context *context, gt_LayerState *state, gt_Strings text, bool first)
{
    if (first)
        learn(state->layer, GT_ADAPT_STAGE_BEGIN, NULL, NULL);
    if (gt_context_status(context) == GT_OK)
        learn(state->layer, GT_ADAPT_STAGE_BATCH, NULL, &text);
    return gt_context_status(context);
}

/* One batch; the first one builds the layer, and the layer begins. */
static gt_Status feed(gt_Context *context, gt_LayerState *state, gt_Tensor *x, bool first)
{
    gt_Spec spec = gt_spec(x);
    if (first && !state->built && state->layer->type->build)
        gt_build_for(state->layer, 1, &spec);
    if (first && gt_context_status(context) == GT_OK)
        learn(state->layer, GT_ADAPT_STAGE_BEGIN, NULL, NULL);
    if (gt_context_status(context) == GT_OK)
        learn(state->layer, GT_ADAPT_STAGE_BATCH, x, NULL);
    return gt_context_status(context);
}

static gt_Status feed_all(gt_Context *context, gt_LayerState *state, gt_Dataset *dataset,
                          const gt_adapt_options *options)
{
    int64_t first = 0;
    bool text = learns_from_text(state, dataset);
    for (int64_t step = 0; step != options->steps; step++) {
        gt_Scope *outer = gt_scope_innermost(context);
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        bool more = gt_dataset_slice(dataset, first, &batch) == GT_OK && batch.size > 0;
        if (more && text)
            feed_text(context, state, gt_batch_text(&batch, options->input), first == 0);
        else if (more)
            feed(context, state, batch.xs[options->input], first == 0);
        gt_scope_unwind(context, outer);
        if (gt_context_status(context) == GT_OK && gt_interrupted(context))
            gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted between batches");
        if (gt_context_status(context) != GT_OK || batch.size == 0)
            break;
        first += batch.size;
    }
    return gt_context_status(context);
}

gt_Status gt_adapt_at(const char *here, gt_Layer *layer, gt_Dataset *dataset,
                      const gt_adapt_options *given)
{
    gt_adapt_options options;
    GT_TAKE(gt_adapt_options, &options, given);
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_own(context, here, "adapt", layer) : NULL;
    if (!state)
        return gt_status();
    gt_Site site = gt_site_enter(here, "adapt");
    if (check(context, state, dataset, &options) == GT_OK) {
        uint64_t recording = gt_tape_quiet(context);
        gt_Status fed = gt_strings_given(&options.text)
                            ? learn_text(context, state, &options.text)
                            : feed_all(context, state, dataset, &options);
        if (fed == GT_OK)
            learn(layer, GT_ADAPT_STAGE_END, NULL, NULL);
        gt_tape_unquiet(context, recording);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}
