/* Text of batches, and the ports of models. See texts.h. */
#include "train/texts.h"
#include "train/data/names.h"

#include <string.h>

gt_Status gt_ports_fill(gt_Context *context, const gt_LayerState *model, const gt_Batch *batch, gt_Ports *ports)
{
    const gt_Port *port = gt_layer_ports(model);
    int32_t tensors = 0;
    memset(ports, 0, sizeof *ports);
    for (int32_t i = 0; i < batch->text_count; i++)
        ports->strings[i] = gt_batch_text(batch, i);
    while (port->name && ports->count < GT_MAX_INPUTS && (tensors < batch->x_count || ports->text_count < batch->text_count)) {
        int32_t at = ports->count++;
        if (port->flags & GT_PORT_TEXT && ports->text_count < batch->text_count) {
            ports->text[at] = &ports->strings[ports->text_count];
            ports->text_count++;
        } else if (tensors < batch->x_count && (port->flags & (GT_PORT_TEXT | GT_PORT_INTEGERS)) != GT_PORT_TEXT) {
            ports->inputs[at] = batch->xs[tensors++];
        } else if (port->flags & GT_PORT_MANY) {
            ports->count--;
            break;
        }
        port += !(port->flags & GT_PORT_MANY);
    }
    for (; tensors < batch->x_count && ports->count < GT_MAX_INPUTS; tensors++) /* too many: the call says so */
        ports->inputs[ports->count++] = batch->xs[tensors];
    if (ports->text_count == batch->text_count)
        return gt_context_status(context);
    return gt_raise(context, GT_INVALID, NULL, NULL, "the dataset has %d column%s of text, and the model has %d input%s for text",
                    (int)batch->text_count, batch->text_count == 1 ? "" : "s", (int)ports->text_count,
                    ports->text_count == 1 ? "" : "s");
}

gt_Status gt_ports_specs(gt_Context *context, const gt_Ports *ports, gt_Spec *specs)
{
    for (int32_t i = 0; i < ports->count && gt_context_status(context) == GT_OK; i++) {
        gt_Text text;
        specs[i] = (gt_Spec){.dtype = GT_DTYPE_NONE};
        if (ports->inputs[i])
            specs[i] = gt_spec(ports->inputs[i]);
        else if (ports->text[i] && gt_text_read(context, NULL, NULL, "the text", ports->text[i], &text))
            specs[i] = gt_text_spec(&text);
    }
    return gt_context_status(context);
}

/* The column of text that is called like the port; -1: none is. */
static int32_t column_of(const gt_DataNames *names, const gt_Port *port)
{
    int32_t i = 0;
    while (i < names->texts.count && strcmp(gt_words_text(&names->texts, i), port->name) != 0)
        i++;
    return i < names->texts.count ? i : -1;
}

bool gt_texts_named(const gt_LayerState *model, const gt_DataNames *names)
{
    int32_t count = 0;
    for (const gt_Port *port = gt_layer_ports(model); port->name && count < names->texts.count; port++) {
        if (!(port->flags & GT_PORT_TEXT))
            continue;
        if (column_of(names, port) < 0)
            return false;
        count++;
    }
    return names->texts.count >= 2 && count == names->texts.count;
}

void gt_texts_order(const gt_LayerState *model, const gt_Dataset *dataset, gt_Batch *batch)
{
    const gt_DataNames *names = dataset ? gt_dataset_names(dataset) : NULL;
    gt_Tensor *ordered[2 * GT_MAX_TEXTS];
    int32_t count = 0;
    if (!names || names->texts.count != batch->text_count || !gt_texts_named(model, names))
        return;
    for (const gt_Port *port = gt_layer_ports(model); port->name && count < batch->text_count; port++)
        if (port->flags & GT_PORT_TEXT)
            memcpy(ordered + 2 * count++, batch->texts + 2 * column_of(names, port), 2 * sizeof *ordered);
    memcpy(batch->texts, ordered, 2 * (size_t)count * sizeof *ordered);
}
