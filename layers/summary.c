/* Keras's table of a model, as text. */
#include "layers/internal.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 34, SHAPE_WIDTH = 24, COUNT_WIDTH = 15 };

typedef struct Page {
    gt_LayerState *owner;
    size_t used;
    bool failed;
} Page;

static void line(Page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(Page *page, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int n = gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n < 0 || page->failed)
        return;
    size_t length = strlen(text);
    gt_LayerState *owner = page->owner;
    if (page->used + length + 1 > owner->text_bytes) {
        gt_Context *context = owner->object.context;
        size_t bytes = (page->used + length + 1) * 2 + 4096;
        char *grown = gt_allocate(context, bytes);
        if (!grown) {
            page->failed = true;
            return;
        }
        if (page->used)
            memcpy(grown, owner->text, page->used);
        gt_release(context, owner->text, owner->text_bytes);
        owner->text = grown;
        owner->text_bytes = bytes;
    }
    memcpy(owner->text + page->used, text, length + 1);
    page->used += length;
}

/* The batch size is whatever it is at a call: "None", as Keras writes it. */
static void shape_text(const gt_Spec *spec, char *text, size_t size)
{
    if (spec->dtype == GT_DTYPE_NONE) {
        snprintf(text, size, "?");
        return;
    }
    gt_shape_text(gt_spec_shape(spec), text, size);
    const char *rest = strchr(text, ',');
    if (spec->rank > 0 && rest) {
        char tail[160];
        snprintf(tail, sizeof tail, "(None%.150s", rest);
        snprintf(text, size, "%s", tail);
    }
}

static int64_t own_and_below(gt_LayerState *state)
{
    gt_Tensors weights = gt_weights(state->layer);
    int64_t count = 0;
    for (int32_t i = 0; i < weights.count; i++)
        count += gt_size(weights.items[i]);
    return count;
}

static void row(Page *page, const gt_LayerState *state, const char *name, int64_t count)
{
    char title[256], shape[160], number[32];
    snprintf(title, sizeof title, "%s (%s)", name, state->layer->type->name);
    shape_text(&state->output, shape, sizeof shape);
    if (state->built)
        snprintf(number, sizeof number, "%lld", (long long)count);
    else
        snprintf(number, sizeof number, "0 (unbuilt)");
    line(page, "%-*.*s%-*.*s%*s\n", NAME_WIDTH, NAME_WIDTH - 1, title, SHAPE_WIDTH, SHAPE_WIDTH - 1,
         shape, COUNT_WIDTH, number);
}

static void rule(Page *page, char with)
{
    char text[NAME_WIDTH + SHAPE_WIDTH + COUNT_WIDTH + 1];
    memset(text, with, sizeof text - 1);
    text[sizeof text - 1] = 0;
    line(page, "%s\n", text);
}

static void total(Page *page, const char *label, gt_Tensors weights)
{
    int64_t count = 0;
    size_t bytes = 0;
    for (int32_t i = 0; i < weights.count; i++) {
        gt_Spec spec = gt_spec(weights.items[i]);
        count += spec.size;
        bytes += gt_spec_bytes(&spec);
    }
    double size = (double)bytes;
    const char *unit = "B";
    if (size >= 1024 * 1024) {
        size /= 1024 * 1024;
        unit = "MB";
    } else if (size >= 1024) {
        size /= 1024;
        unit = "KB";
    }
    line(page, "%s: %lld (%.2f %s)\n", label, (long long)count, size, unit);
}

const char *gt_summary_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "summary", layer) : NULL;
    if (!state)
        return NULL;
    Page page = {state, 0, false};
    line(&page, "Model: \"%s\"\n", state->name);
    rule(&page, '_');
    line(&page, "%-*s%-*s%*s\n", NAME_WIDTH, "Layer (type)", SHAPE_WIDTH, "Output Shape",
         COUNT_WIDTH, "Param #");
    rule(&page, '=');
    for (int32_t i = 0; i < state->child_count; i++) {
        gt_LayerState *child = state->children[i].layer->state;
        row(&page, child, state->children[i].name, own_and_below(child));
    }
    if (state->child_count == 0)
        row(&page, state, state->name, own_and_below(state));
    rule(&page, '=');
    total(&page, "Total params", gt_weights(layer));
    total(&page, "Trainable params", gt_trainable_variables(layer));
    total(&page, "Non-trainable params", gt_non_trainable_variables(layer));
    return page.failed || gt_context_status(context) != GT_OK ? NULL : state->text;
}
