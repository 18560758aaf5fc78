#include "cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies are few, and found again by nobody but the list. */
typedef struct Copy {
    struct Copy *next;
    char text[];
} Copy;
static Copy *copies;

char *table_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    Copy *copy = malloc(sizeof *copy + size);
    if (!copy)
        return NULL;
    copy->next = copies;
    copies = copy;
    return memcpy(copy->text, text, size);
}

bool table_take(gt_Dataset *dataset, Rows *rows)
{
    gt_Batch batch;
    if (!gt_dataset_next(dataset, &batch))
        return false;
    rows->x = batch.x;
    rows->y = batch.y;
    rows->weight = batch.weights[0];
    rows->count = batch.size;
    for (int i = 0; i < batch.text_count; i++)
        rows->texts[i] = (gt_NamedText){gt_dataset_text_name(dataset, i), gt_batch_text(&batch, i)};
    return true;
}

/* Text number i, with a 0 behind it; NULL: none, or longer than a name may be. */
static const char *text_of(gt_Strings labels, int64_t i, char into[256])
{
    size_t size = 0;
    const char *text = gt_strings_get(labels, i, &size);
    if (gt_status() != GT_OK || size > 255)
        return NULL;
    memcpy(into, text, size);
    into[size] = 0;
    return into;
}

static bool parse_number(const char *text, double *number)
{
    char *end;
    if (!text || !*text || text[strspn(text, "0123456789+-.eE")])
        return false;
    *number = strtod(text, &end);
    return !*end && isfinite(*number);
}

/* The texts as float64 numbers; NULL: not all of them are. */
static gt_Tensor *numbers_of(gt_Strings labels)
{
    int64_t count = gt_strings_count(labels), i = 0;
    char text[256];
    double *numbers = malloc((size_t)(count + 1) * sizeof *numbers);
    while (numbers && i < count && parse_number(text_of(labels, i, text), &numbers[i]))
        i++;
    gt_Tensor *result =
        numbers && i == count ? gt_from_data(numbers, gt_shape(count), GT_FLOAT64) : NULL;
    free(numbers);
    return result;
}

static bool no_label_is_missing(const char *path, gt_Strings labels)
{
    int64_t count = gt_strings_count(labels);
    for (int64_t i = 0; i < count; i++) {
        size_t size = 0;
        gt_strings_get(labels, i, &size);
        if (size > 0 && size < 256)
            continue;
        fail("%s: label %lld is %s", path, (long long)i + 1,
             size == 0 ? "missing" : "longer than a name may be");
        return false;
    }
    return true;
}

bool table_load_labels(const char *path, gt_Tensor **numbers, gt_Strings *text)
{
    if (rows_kind(path) == ROWS_IDX) {
        *numbers = gt_load_idx(path);
        return *numbers != NULL;
    }
    *text = gt_load_csv_strings(path, "-1");
    if (gt_status() != GT_OK || !no_label_is_missing(path, *text))
        return false;
    *numbers = numbers_of(*text);
    return gt_status() == GT_OK;
}

static int find(const WordList *classes, const char *text)
{
    for (int i = 0; i < classes->count; i++)
        if (strcmp(classes->words[i], text) == 0)
            return i;
    return -1;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool table_name_classes(gt_Strings labels, WordList *classes)
{
    char text[256];
    int64_t count = gt_strings_count(labels);
    for (int64_t i = 0; i < count; i++) {
        if (!text_of(labels, i, text))
            return false;
        char *copy = find(classes, text) < 0 ? table_copy(text) : NULL;
        if (copy && !list_add(classes, copy)) {
            fail("there are more than %d different labels", MAX_LIST);
            return false;
        }
    }
    qsort(classes->words, (size_t)classes->count, sizeof *classes->words, compare);
    return true;
}

static gt_Tensor *take_numbers(int32_t *numbers, int64_t count, bool ok)
{
    gt_Tensor *y = ok ? gt_from_data(numbers, gt_shape(count), GT_INT32) : NULL;
    free(numbers);
    return y;
}

static bool class_of(const WordList *classes, const char *text, int32_t *number)
{
    *number = text ? find(classes, text) : -1;
    if (*number < 0)
        fail("the label \"%s\" is none of the %d classes", text ? text : "?", classes->count);
    return *number >= 0;
}

gt_Tensor *table_classes(gt_Tensor *labels, const WordList *classes)
{
    int64_t count = gt_size(labels);
    int32_t *numbers = malloc((size_t)(count + 1) * sizeof *numbers);
    bool ok = numbers != NULL;
    for (int64_t i = 0; ok && i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.9g", gt_element(labels, i));
        ok = class_of(classes, text, &numbers[i]);
    }
    return take_numbers(numbers, count, ok);
}

gt_Tensor *table_classes_of_text(gt_Strings labels, const WordList *classes)
{
    int64_t count = gt_strings_count(labels);
    int32_t *numbers = malloc((size_t)(count + 1) * sizeof *numbers);
    bool ok = numbers != NULL;
    for (int64_t i = 0; ok && i < count; i++) {
        char text[256];
        ok = class_of(classes, text_of(labels, i, text), &numbers[i]);
    }
    return take_numbers(numbers, count, ok);
}
