/* A list of texts, each with a 0 behind it, and a way to find one: categories of a column, names of columns, the vocabulary of
 * a text. All zero is an empty list. Private to the library. */
#ifndef GT_IO_WORDS_H
#define GT_IO_WORDS_H

#include "core/map.h"
#include "io/file.h"

typedef struct gt_Words {
    gt_Bytes bytes;
    int64_t *starts;
    int32_t count, capacity;
    gt_Map map; /* of those that gt_words_add added */
} gt_Words;

void gt_words_close(gt_Context *context, gt_Words *words);
/* Its number; -1: it is not there. */
int32_t gt_words_find(const gt_Words *words, const char *text, size_t size);
/* Its number, new or not; -1 with an error raised. */
int32_t gt_words_add(gt_Context *context, gt_Words *words, const char *text, size_t size);
/* One more, which gt_words_find does not find. */
bool gt_words_append(gt_Context *context, gt_Words *words, const char *text, size_t size);
static inline const char *gt_words_text(const gt_Words *words, int32_t i)
{
    return words->bytes.data + words->starts[i];
}
static inline size_t gt_words_size(const gt_Words *words, int32_t i)
{
    int64_t end = i + 1 < words->count ? words->starts[i + 1] : (int64_t)words->bytes.size;
    return (size_t)(end - words->starts[i]) - 1;
}
/* Puts the texts that are counted (`counts` NULL: all) in the order of their bytes, and forgets the others; place[i] gets the
 * new number of the one that was number i, -1 for one that is gone. */
bool gt_words_sort(gt_Context *context, gt_Words *words, const int64_t *counts, int32_t *place);

#endif
