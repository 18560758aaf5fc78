/* Text as rows of numbers: read whole, cut into units, each with its number in a vocabulary. */
#include "core/text.h"
#include "train/data/inside.h"
#include "train/data/windows.h"

#include <string.h>

GT_OPTION_TYPE(gt_dataset_from_text_options, gt_dataset_from_text_OPTIONS);

typedef struct Text {
    gt_Context *context;
    int32_t *units;
    int32_t unit_count, unit_capacity;
    int32_t *starts; /* of lines, in units; one more than there are lines */
    int32_t start_count, start_capacity;
    int64_t window, stride, rows; /* window 0: rows are lines */
} Text;

/* ---- the class ---- */

static int64_t count(void *self)
{
    return ((const Text *)self)->rows;
}

/* Row `row`: where it begins, and how many units x has. Of a line the mark in front of it is the one behind the line before. */
static int64_t find_row(const Text *text, int64_t row, int64_t *length)
{
    if (text->window > 0) {
        *length = text->window;
        return row * text->stride;
    }
    *length = text->starts[row + 1] - text->starts[row];
    return text->starts[row];
}

static gt_Status fetch(void *self, const int64_t *rows, int64_t wanted, gt_Batch *batch)
{
    const Text *text = self;
    gt_Context *context = text->context;
    int64_t length;
    gt_Spec spec = {0};
    void *x, *y;
    find_row(text, rows[0], &length);
    if (!gt_spec_set(&spec, GT_INT32, gt_shape(wanted, length)))
        return gt_raise(context, GT_INVALID, NULL, NULL, "the batch is too large for a tensor");
    batch->x = gt_tensor_new(context, &spec, &x);
    batch->y = batch->x ? gt_tensor_new(context, &spec, &y) : NULL;
    for (int64_t i = 0; batch->y && i < wanted; i++) {
        int64_t first = find_row(text, rows[i], &length);
        memcpy((int32_t *)x + i * length, text->units + first, (size_t)length * sizeof(int32_t));
        memcpy((int32_t *)y + i * length, text->units + first + 1,
               (size_t)length * sizeof(int32_t));
    }
    return gt_context_status(context);
}

static void destroy(void *self)
{
    Text *text = self;
    gt_Context *context = text->context;
    gt_release(context, text->units, (size_t)text->unit_capacity * sizeof *text->units);
    gt_release(context, text->starts, (size_t)text->start_capacity * sizeof *text->starts);
    gt_release(context, text, sizeof *text);
}

static const gt_DatasetClass text_class = {.size = sizeof text_class,
                                           .name = "dataset_from_text",
                                           .count = count,
                                           .fetch = fetch,
                                           .destroy = destroy};

/* ---- cutting ---- */

/* How many bytes the unit at `at` has. */
static size_t unit_size(const char *at, const char *end, gt_TextUnit unit)
{
    size_t size = 1;
    if (unit == GT_TEXT_UNIT_WORDS) {
        while (at + size < end && !gt_is_blank(at[size]))
            size++;
        return size;
    }
    unsigned char first = (unsigned char)*at;
    size_t wanted = unit == GT_TEXT_UNIT_BYTES ? 1
                    : first >= 0xf0            ? 4
                    : first >= 0xe0            ? 3
                    : first >= 0xc0            ? 2
                                               : 1;
    while (size < wanted && at + size < end && ((unsigned char)at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static bool add_unit(Text *text, int32_t number)
{
    if (!gt_reserve(text->context, (void **)&text->units, text->unit_count, &text->unit_capacity,
                    sizeof *text->units))
        return false;
    text->units[text->unit_count++] = number;
    return true;
}

static bool add_start(Text *text)
{
    if (!gt_reserve(text->context, (void **)&text->starts, text->start_count, &text->start_capacity,
                    sizeof *text->starts))
        return false;
    text->starts[text->start_count++] = text->unit_count - 1;
    return true;
}

/* Where the text is, for messages. */
typedef struct Place {
    const char *path;
    int64_t line;
    const char *line_start;
} Place;

static int32_t number_of(Text *text, gt_Words *words, bool fixed, const char *at, size_t size,
                         const Place *place)
{
    char excerpt[GT_EXCERPT];
    int32_t number =
        fixed ? gt_words_find(words, at, size) : gt_words_add(text->context, words, at, size);
    if (number < 0 && fixed)
        gt_raise(
            text->context, GT_FORMAT, NULL, NULL,
            "%s:%lld:%lld: \"%s\" is not in the vocabulary of the text that this one is to be like",
            place->path, (long long)place->line, (long long)(at - place->line_start) + 1,
            gt_excerpt(excerpt, at, size));
    return number;
}

/* All units of the text, in the vocabulary's numbers. `lines`: a mark of number 0 stands before, between and behind lines. */
static bool cut_text(Text *text, const gt_Bytes *bytes, const gt_dataset_from_text_options *options,
                     gt_Words *words, bool fixed, const char *path)
{
    const char *at = bytes->data, *end = at + bytes->size;
    Place place = {path, 1, at};
    bool empty = true;
    if (options->lines && (!add_unit(text, 0) || !add_start(text)))
        return false;
    while (at < end) {
        bool line_end = *at == '\n', carriage = *at == '\r' && at + 1 < end && at[1] == '\n';
        bool passed = (options->lines && (line_end || carriage)) ||
                      (options->unit == GT_TEXT_UNIT_WORDS && gt_is_blank(*at));
        size_t size = passed ? 1 : unit_size(at, end, options->unit);
        int32_t number = passed ? 0 : number_of(text, words, fixed, at, size, &place);
        if (number < 0 || (!passed && !add_unit(text, number)) || text->unit_count == INT32_MAX)
            return false;
        empty = empty && passed;
        at += size;
        if (line_end || (options->lines && at == end)) {
            if (options->lines && !empty && (!add_unit(text, 0) || !add_start(text)))
                return false;
            empty = true;
            place.line++;
            place.line_start = at;
        }
        if (line_end && place.line % 65536 == 0 && gt_interrupted(text->context)) {
            gt_raise(text->context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted", path);
            return false;
        }
    }
    return true;
}

/* The numbers of units that are in the order of bytes now; the mark stays number 0. */
static bool sort_units(Text *text, gt_Words *words)
{
    gt_Context *context = text->context;
    size_t bytes = ((size_t)words->count + 1) * sizeof(int32_t);
    int32_t *place = gt_allocate(context, bytes);
    bool ok = place && gt_words_sort(context, words, NULL, place);
    for (int32_t i = 0; ok && i < text->unit_count; i++)
        text->units[i] = place[text->units[i]];
    gt_release(context, place, bytes);
    return ok;
}

static bool read_all(gt_Context *context, const char *path, int64_t limit, gt_Bytes *bytes)
{
    enum { PIECE = 256 * 1024 };
    gt_FileReader reader;
    if (!gt_file_open(context, &reader, path, limit))
        return false;
    int64_t n = PIECE;
    bool ok = true;
    while (ok && n == PIECE) {
        ok = gt_bytes_reserve(context, bytes, PIECE);
        n = ok ? gt_file_read(&reader, bytes->data + bytes->size, PIECE) : -1;
        ok = n >= 0;
        bytes->size += ok ? (size_t)n : 0;
    }
    gt_file_close(&reader);
    return ok;
}

/* How many rows there are; 0 with the error raised. */
static int64_t count_rows(Text *text, const char *path, const gt_dataset_from_text_options *options)
{
    if (options->lines) {
        if (text->start_count < 2)
            gt_raise(text->context, GT_FORMAT, NULL, NULL, "%s: has no lines", path);
        return text->start_count - 1;
    }
    text->window = options->window;
    text->stride = options->stride > 0 ? options->stride : options->window;
    int64_t left = text->unit_count - 1 - options->window; /* the last unit is a label only */
    if (left < 0)
        gt_raise(text->context, GT_FORMAT, NULL, NULL,
                 "%s: has %d units, too few for a window of %lld and what follows it", path,
                 (int)text->unit_count, (long long)options->window);
    return left < 0 ? 0 : left / text->stride + 1;
}

static bool check(gt_Context *context, const gt_dataset_from_text_options *options)
{
    if (options->window < 1 || options->stride < 0)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "window must be >= 1 and stride >= 0 (got %lld and %lld)",
                 (long long)options->window, (long long)options->stride);
    else if ((unsigned)options->unit > GT_TEXT_UNIT_WORDS)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown unit %d", (int)options->unit);
    else if (options->like && gt_dataset_check(context, NULL, NULL, options->like) &&
             (!gt_dataset_names(options->like) ||
              gt_dataset_names(options->like)->classes.count == 0))
        gt_raise(context, GT_INVALID, NULL, NULL, "like must be a dataset that was read from text");
    return gt_context_status(context) == GT_OK;
}

/* The vocabulary to begin with: that of the other text, or the mark if there is one. */
static bool first_words(gt_Context *context, const gt_dataset_from_text_options *options,
                        gt_Words *words)
{
    if (!options->like)
        return !options->lines || gt_words_add(context, words, "", 0) == 0;
    const gt_Words *from = &gt_dataset_names(options->like)->classes;
    for (int32_t i = 0; i < from->count; i++)
        if (gt_words_add(context, words, gt_words_text(from, i), gt_words_size(from, i)) != i)
            return false;
    return true;
}

static gt_Dataset *make(gt_Context *context, const char *path,
                        const gt_dataset_from_text_options *options, gt_DataNames *names)
{
    gt_Bytes bytes = {0};
    Text *text = gt_self_new(context, sizeof *text);
    if (!text)
        return NULL;
    text->context = context;
    bool ok = read_all(context, path, options->limit, &bytes) &&
              first_words(context, options, &names->classes) &&
              cut_text(text, &bytes, options, &names->classes, options->like != NULL, path) &&
              (options->like || sort_units(text, &names->classes));
    gt_bytes_release(context, &bytes);
    text->rows = ok ? count_rows(text, path, options) : 0;
    const gt_dataset_of_options batches =
        GT_VALUES(gt_dataset_of_options, options->batch_size, options->shuffle, options->seed,
                  options->drop_remainder);
    gt_Dataset *made = gt_dataset_make(context, &text_class, text, true, NULL, &batches);
    if (made)
        made->ragged = options->lines;
    return made;
}

gt_Dataset *gt_dataset_from_text_at(const char *here, const char *path,
                                    const gt_dataset_from_text_options *given)
{
    gt_dataset_from_text_options options;
    GT_TAKE(gt_dataset_from_text_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_from_text");
    gt_DataNames *names = check(context, &options) ? gt_names_new(context) : NULL;
    gt_Dataset *made = names ? make(context, path, &options, names) : NULL;
    if (made)
        gt_dataset_set_names(made, names);
    else
        gt_names_release(names);
    gt_site_leave(&site);
    return made;
}
