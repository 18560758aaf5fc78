/* Columns of text. Leans on tensor.c. */
#include "core/strings.h"
#include "core/graph.h"
#include "core/strings_inside.h"

#include <string.h>

static const gt_Strings no_strings;

/* ---- reading ---- */

static bool is_vector(const gt_Spec *spec, gt_DType dtype)
{
    return spec->rank == 1 && spec->dtype == dtype;
}

/* The specs of both tensors are those of text. */
static bool check_specs(gt_Context *context, const char *here, const char *operation,
                        const char *what, const gt_Strings *strings, const gt_Spec **bytes,
                        const gt_Spec **offsets)
{
    if (!gt_strings_given(strings)) {
        gt_raise(context, GT_INVALID, here, operation, "%s is not given", what);
        return false;
    }
    *bytes = gt_tensor_check(context, here, operation, "the bytes of text", strings->bytes);
    *offsets = *bytes ? gt_tensor_check(context, here, operation, "the offsets of text", strings->offsets)
                      : NULL;
    if (!*offsets)
        return false;
    if (is_vector(*bytes, GT_UINT8) && is_vector(*offsets, GT_INT64) && (*offsets)->size > 0)
        return true;
    gt_raise(context, GT_INVALID, here, operation,
             "%s must have bytes, a uint8 vector, and offsets, an int64 vector of one more than "
             "there are strings",
             what);
    return false;
}

/* Rows come out even. */
static bool set_shape(gt_Context *context, const char *here, const char *operation,
                      const char *what, int64_t count, int64_t width, gt_Text *text)
{
    text->count = count;
    if (width < 0 || (width > 0 && count % width != 0)) {
        gt_raise(context, GT_INVALID, here, operation, "%s: %lld strings do not make rows of %lld",
                 what, (long long)count, (long long)width);
        return false;
    }
    text->shape = (gt_Shape){.mark = GT_MARK, .rank = width > 0 ? 2 : 1};
    text->shape.dims[0] = width > 0 ? count / width : count;
    text->shape.dims[1] = width;
    return true;
}

/* The numbers; a tensor of a traced function has none. */
static const void *numbers_of(gt_Context *context, const char *here, const char *operation,
                              const gt_Tensor *tensor, const gt_Spec *spec)
{
    const void *data = gt_value_is_symbol(gt_tensor_value(tensor)) ? NULL : gt_tensor_data(tensor);
    if (!data && spec->size > 0 && gt_context_status(context) == GT_OK)
        gt_raise(context, GT_STATE, here, operation,
                 "text cannot be part of a traced function: give the function the integers that a "
                 "layer makes of it");
    return data;
}

static bool is_symbol(const gt_Context *context, const gt_Strings *strings)
{
    return gt_trace_tries(context) && gt_value_is_symbol(gt_tensor_value(strings->offsets));
}

bool gt_text_read(gt_Context *context, const char *here, const char *operation, const char *what,
                  const gt_Strings *strings, gt_Text *text)
{
    const gt_Spec *bytes, *offsets;
    *text = (gt_Text){.count = 0};
    if (!check_specs(context, here, operation, what, strings, &bytes, &offsets) ||
        !set_shape(context, here, operation, what, offsets->size - 1, strings->width, text))
        return false;
    text->symbol = is_symbol(context, strings);
    if (text->symbol)
        return true;
    text->bytes = numbers_of(context, here, operation, strings->bytes, bytes);
    text->offsets = numbers_of(context, here, operation, strings->offsets, offsets);
    if (gt_context_status(context) != GT_OK)
        return false;
    const int64_t *at = text->offsets;
    bool rising = at[0] >= 0 && at[text->count] <= bytes->size;
    for (int64_t i = 0; i < text->count; i++)
        rising &= at[i] <= at[i + 1];
    if (!rising)
        gt_raise(context, GT_INVALID, here, operation,
                 "the offsets of %s must rise, from 0 on, and not exceed the %lld bytes", what,
                 (long long)bytes->size);
    return rising;
}

gt_Spec gt_text_spec(const gt_Text *text)
{
    gt_Spec spec = {0};
    gt_spec_set(&spec, GT_TEXT, text->shape);
    return spec;
}

gt_Strings gt_text_symbol(gt_Context *context, const gt_Spec *spec)
{
    gt_Strings strings = {.width = spec->rank > 1 ? spec->dims[1] : 0};
    gt_Spec bytes = {0}, offsets = {0};
    int64_t count = spec->dims[0] * (strings.width ? strings.width : 1);
    gt_spec_set(&bytes, GT_UINT8, gt_shape(0));
    if (!gt_spec_set(&offsets, GT_INT64, gt_shape(count + 1)))
        return gt_raise(context, GT_INVALID, NULL, NULL, "there would be too many strings"), no_strings;
    strings.bytes = gt_trace_input(context, &bytes);
    strings.offsets = strings.bytes ? gt_trace_input(context, &offsets) : NULL;
    return strings;
}

/* ---- making ---- */

gt_Strings gt_strings_from_at(const char *here, const char *const *items, int64_t count)
{
    gt_Context *context = gt_enter();
    int64_t size = 0, *offset;
    char *bytes;
    gt_Spec byte = {0}, place = {0};
    if (!context)
        return no_strings;
    if (count < 0 || (count > 0 && !items)) {
        gt_raise(context, GT_INVALID, here, "strings", "there must be an array of count >= 0 strings");
        return no_strings;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!items[i]) {
            gt_raise(context, GT_INVALID, here, "strings", "string %lld is NULL", (long long)i);
            return no_strings;
        }
        size += (int64_t)strlen(items[i]);
    }
    gt_spec_set(&byte, GT_UINT8, gt_shape(size));
    gt_spec_set(&place, GT_INT64, gt_shape(count + 1));
    gt_Strings made = {.bytes = gt_tensor_new(context, &byte, (void **)&bytes)};
    made.offsets = made.bytes ? gt_tensor_new(context, &place, (void **)&offset) : NULL;
    if (!made.offsets)
        return no_strings;
    offset[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(items[i]);
        memcpy(bytes + offset[i], items[i], length);
        offset[i + 1] = offset[i] + (int64_t)length;
    }
    return made;
}

gt_Strings gt_strings_at(const char *here, const char *const *items)
{
    int64_t count = 0;
    while (items[count] != GT_LIST_END)
        count++;
    return gt_strings_from_at(here, items, count);
}

/* ---- looking at them ---- */

int64_t gt_strings_count_at(const char *here, gt_Strings strings)
{
    gt_Context *context = gt_enter();
    const gt_Spec *bytes, *offsets;
    return context && check_specs(context, here, "strings_count", "the text", &strings, &bytes, &offsets)
               ? offsets->size - 1
               : -1;
}

gt_Shape gt_strings_shape_at(const char *here, gt_Strings strings)
{
    gt_Context *context = gt_enter();
    const gt_Spec *bytes, *offsets;
    gt_Text text = {.shape = {.mark = GT_MARK, .rank = -1}};
    if (context && check_specs(context, here, "strings_shape", "the text", &strings, &bytes, &offsets))
        set_shape(context, here, "strings_shape", "the text", offsets->size - 1, strings.width, &text);
    return text.shape;
}

/* Looks at the two offsets of the string alone. */
const char *gt_strings_get_at(const char *here, gt_Strings strings, int64_t index, size_t *length)
{
    static const char operation[] = "strings_get";
    gt_Context *context = gt_enter();
    const gt_Spec *bytes, *offsets;
    if (length)
        *length = 0;
    if (!context || !check_specs(context, here, operation, "the text", &strings, &bytes, &offsets))
        return "";
    if (!length || index < 0 || index >= offsets->size - 1) {
        gt_raise(context, GT_INVALID, here, operation,
                 length ? "index %lld is out of range: there are %lld strings"
                        : "where the length goes is NULL (string %lld of %lld)",
                 (long long)index, (long long)(offsets->size - 1));
        return "";
    }
    if (is_symbol(context, &strings))
        return "";
    const int64_t *at = numbers_of(context, here, operation, strings.offsets, offsets);
    const char *data = at ? numbers_of(context, here, operation, strings.bytes, bytes) : NULL;
    if (gt_context_status(context) != GT_OK)
        return "";
    if (at[index] < 0 || at[index] > at[index + 1] || at[index + 1] > bytes->size) {
        gt_raise(context, GT_INVALID, here, operation, "the offsets of string %lld leave the bytes",
                 (long long)index);
        return "";
    }
    *length = (size_t)(at[index + 1] - at[index]);
    return data ? data + at[index] : "";
}

gt_Strings gt_strings_in_rows_at(const char *here, gt_Strings strings, int64_t width)
{
    gt_Context *context = gt_enter();
    const gt_Spec *bytes, *offsets;
    gt_Text text;
    if (!context || !check_specs(context, here, "strings_in_rows", "the text", &strings, &bytes, &offsets) ||
        !set_shape(context, here, "strings_in_rows", "the text", offsets->size - 1, width, &text))
        return no_strings;
    strings.width = width;
    return strings;
}

/* The offsets of the rows; the bytes stay whole. */
gt_Strings gt_strings_slice_at(const char *here, gt_Strings strings, int64_t first, int64_t rows)
{
    static const char operation[] = "strings_slice";
    gt_Context *context = gt_enter();
    gt_Text text;
    gt_Spec spec = {0};
    if (!context || !gt_text_read(context, here, operation, "the text", &strings, &text))
        return no_strings;
    if (text.symbol || first < 0 || rows < 0 || first > text.shape.dims[0] ||
        rows > text.shape.dims[0] - first) {
        gt_raise(context, GT_INVALID, here, operation, "rows %lld to %lld are out of range: there are %lld",
                 (long long)first, (long long)(first + rows - 1), (long long)text.shape.dims[0]);
        return no_strings;
    }
    int64_t width = strings.width ? strings.width : 1;
    gt_spec_set(&spec, GT_INT64, gt_shape(rows * width + 1));
    gt_Value *part = gt_value_alias(context, gt_tensor_value(strings.offsets), &spec,
                                    (size_t)(first * width) * sizeof(int64_t));
    strings.offsets = part ? gt_handle_new(context, part) : NULL;
    return strings.offsets ? strings : no_strings;
}

gt_Strings gt_strings_keep_at(const char *here, gt_Strings strings)
{
    strings.bytes = gt_keep_at(here, strings.bytes);
    strings.offsets = gt_keep_at(here, strings.offsets);
    return strings;
}

/* ---- putting together ---- */

/* Room for `more` elements behind the `used` ones. */
static bool make_room(gt_Context *context, void **block, int64_t used, int64_t more, int64_t *room,
                      size_t element)
{
    if (used + more <= *room)
        return true;
    int64_t wanted = *room > 0 ? *room * 2 : 64;
    while (wanted < used + more)
        wanted *= 2;
    void *grown = gt_allocate_unpooled(context, (size_t)wanted * element);
    if (!grown)
        return false;
    if (used > 0)
        memcpy(grown, *block, (size_t)used * element);
    gt_release_unpooled(context, *block, (size_t)*room * element);
    *block = grown;
    *room = wanted;
    return true;
}

bool gt_builder_put(gt_Context *context, gt_TextBuilder *builder, const void *bytes, size_t length)
{
    if (!make_room(context, (void **)&builder->bytes, builder->size, (int64_t)length, &builder->room, 1))
        return false;
    if (length > 0)
        memcpy(builder->bytes + builder->size, bytes, length);
    builder->size += (int64_t)length;
    return true;
}

bool gt_builder_end(gt_Context *context, gt_TextBuilder *builder)
{
    if (!make_room(context, (void **)&builder->offsets, builder->offset_room ? builder->count + 1 : 0,
                   builder->offset_room ? 1 : 2, &builder->offset_room, sizeof(int64_t)))
        return false;
    builder->offsets[0] = 0;
    builder->offsets[++builder->count] = builder->size;
    return true;
}

gt_Text gt_builder_text(const gt_TextBuilder *builder)
{
    static const int64_t none[1];
    return (gt_Text){.bytes = builder->bytes,
                     .offsets = builder->offsets ? builder->offsets : none,
                     .count = builder->count,
                     .shape = gt_shape(builder->count)};
}

gt_Strings gt_builder_strings(gt_Context *context, const gt_TextBuilder *builder)
{
    gt_Text text = gt_builder_text(builder);
    gt_Spec byte = {0}, place = {0};
    char *bytes;
    int64_t *offsets;
    gt_spec_set(&byte, GT_UINT8, gt_shape(text.offsets[text.count]));
    gt_spec_set(&place, GT_INT64, gt_shape(text.count + 1));
    gt_Strings made = {.bytes = gt_tensor_new(context, &byte, (void **)&bytes)};
    made.offsets = made.bytes ? gt_tensor_new(context, &place, (void **)&offsets) : NULL;
    if (!made.offsets)
        return no_strings;
    if (byte.size > 0)
        memcpy(bytes, text.bytes, (size_t)byte.size);
    memcpy(offsets, text.offsets, (size_t)place.size * sizeof *offsets);
    return made;
}

void gt_builder_close(gt_Context *context, gt_TextBuilder *builder)
{
    gt_release_unpooled(context, builder->bytes, (size_t)builder->room);
    gt_release_unpooled(context, builder->offsets, (size_t)builder->offset_room * sizeof(int64_t));
    *builder = (gt_TextBuilder){0};
}
