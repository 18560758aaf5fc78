/* Columns of text in batches: two tensors each, side by side, where numbers have one (bytes, then offsets). Leans on
 * core/strings. */
#include "train/data/inside.h"

static gt_Strings strings_at(const gt_Batch *batch, int32_t part)
{
    return gt_strings_of(batch->texts[part], batch->texts[part + 1]);
}

static void put_at(gt_Batch *batch, int32_t part, gt_Strings strings)
{
    batch->texts[part] = strings.bytes;
    batch->texts[part + 1] = strings.offsets;
}

int64_t gt_batch_check_text(gt_Context *context, const char *what, const gt_Batch *batch, int32_t part)
{
    gt_Text text;
    char name[80];
    const gt_Strings strings = strings_at(batch, part);
    gt_text(name, sizeof name, "%s: text %d", what, (int)part / 2);
    return gt_text_read(context, NULL, NULL, name, &strings, &text) ? text.count : -1;
}

gt_Status gt_batch_view_text(gt_Context *context, gt_Value *bytes, const gt_Value *offsets,
                             int64_t first, int64_t count, gt_Batch *batch, int32_t part)
{
    gt_Tensor *some = gt_rows_view(context, offsets, first, count + 1);
    put_at(batch, part, gt_strings_of(gt_value_handle(bytes), some));
    return gt_context_status(context);
}

/* Some of the strings, or all of them, behind those of the builder. */
static bool add(gt_Context *context, gt_TextBuilder *builder, const gt_Strings *from, const int64_t *rows, int64_t count)
{
    gt_Text text;
    bool done = gt_text_read(context, NULL, NULL, "the text", from, &text);
    for (int64_t i = 0; done && i < (rows ? count : text.count); i++) {
        gt_Piece piece = gt_text_piece(&text, rows ? rows[i] : i);
        done = gt_builder_put(context, builder, piece.at, piece.length) && gt_builder_end(context, builder);
    }
    return done;
}

static gt_Status finish(gt_Context *context, gt_TextBuilder *builder, bool done, gt_Batch *batch, int32_t part)
{
    if (done)
        put_at(batch, part, gt_builder_strings(context, builder));
    gt_builder_close(context, builder);
    return gt_context_status(context);
}

gt_Status gt_batch_gather_text(gt_Context *context, const gt_Batch *from, const int64_t *rows, int64_t count,
                               gt_Batch *batch, int32_t part)
{
    gt_TextBuilder builder = {0};
    const gt_Strings strings = strings_at(from, part);
    return finish(context, &builder, add(context, &builder, &strings, rows, count), batch, part);
}

gt_Status gt_batch_join_text(gt_Context *context, const gt_Batch *pieces, int64_t count, gt_Batch *batch, int32_t part)
{
    gt_TextBuilder builder = {0};
    bool done = true;
    for (int64_t i = 0; done && i < count; i++) {
        const gt_Strings strings = strings_at(&pieces[i], part);
        done = add(context, &builder, &strings, NULL, 0);
    }
    return finish(context, &builder, done, batch, part);
}

gt_Status gt_batch_set_text_at(const char *here, gt_Batch *batch, int index, gt_Strings strings)
{
    static const char operation[] = "batch_set_text";
    gt_Context *context = gt_enter();
    gt_Text text;
    if (!context)
        return gt_status();
    if (!batch || index < 0 || index >= GT_MAX_TEXTS || index > batch->text_count)
        return gt_raise(context, GT_INVALID, here, operation,
                        "expected a batch, and index 0 to %d, below %d (got %d)", batch ? (int)batch->text_count : 0,
                        GT_MAX_TEXTS, index);
    if (!gt_text_read(context, here, operation, "the text", &strings, &text))
        return gt_context_status(context);
    put_at(batch, 2 * index, strings);
    if (index == batch->text_count)
        batch->text_count++;
    return GT_OK;
}
