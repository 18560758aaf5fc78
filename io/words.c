/* Texts one after the other in a block, and a hash table of their numbers. Leans on file.c for the block. */
#include "io/words.h"
#include "core/inside.h"

#include <string.h>

void gt_words_close(gt_Context *context, gt_Words *words)
{
    gt_bytes_release(context, &words->bytes);
    gt_release(context, words->starts, (size_t)words->capacity * sizeof *words->starts);
    gt_map_close(context, &words->map);
    *words = (gt_Words){0};
}

int32_t gt_words_find(const gt_Words *words, const char *text, size_t size)
{
    uint64_t key = gt_map_text(text, size);
    int32_t at = -1;
    for (int32_t i; (i = gt_map_next(&words->map, key, &at)) >= 0;)
        if (gt_words_size(words, i) == size &&
            (size == 0 || memcmp(gt_words_text(words, i), text, size) == 0))
            return i;
    return -1;
}

bool gt_words_append(gt_Context *context, gt_Words *words, const char *text, size_t size)
{
    if (!gt_bytes_reserve(context, &words->bytes, size + 1) ||
        !gt_reserve(context, (void **)&words->starts, words->count, &words->capacity,
                    sizeof *words->starts))
        return false;
    gt_Bytes *bytes = &words->bytes;
    words->starts[words->count++] = (int64_t)bytes->size;
    if (size > 0)
        memcpy(bytes->data + bytes->size, text, size);
    bytes->data[bytes->size + size] = 0;
    bytes->size += size + 1;
    return true;
}

int32_t gt_words_add(gt_Context *context, gt_Words *words, const char *text, size_t size)
{
    int32_t i = gt_words_find(words, text, size);
    if (i >= 0)
        return i;
    if (!gt_words_append(context, words, text, size))
        return -1;
    if (gt_map_add(context, &words->map, gt_map_text(text, size), words->count - 1))
        return words->count - 1;
    words->bytes.size = (size_t)words->starts[--words->count];
    return -1;
}

static bool before(const gt_Words *words, int32_t a, int32_t b)
{
    size_t m = gt_words_size(words, a), n = gt_words_size(words, b);
    int order = memcmp(gt_words_text(words, a), gt_words_text(words, b), m < n ? m : n);
    return order < 0 || (order == 0 && m < n);
}

/* Merges the sorted halves of order[0..count), by way of `spare`. */
static void merge(const gt_Words *words, int32_t *order, int32_t half, int32_t count,
                  int32_t *spare)
{
    int32_t a = 0, b = half, n = 0;
    while (a < half && b < count)
        spare[n++] = before(words, order[b], order[a]) ? order[b++] : order[a++];
    while (a < half)
        spare[n++] = order[a++];
    memcpy(order, spare, (size_t)n * sizeof *order);
}

static void sort(const gt_Words *words, int32_t *order, int32_t count, int32_t *spare)
{
    int32_t half = count / 2;
    if (count < 2)
        return;
    sort(words, order, half, spare);
    sort(words, order + half, count - half, spare);
    merge(words, order, half, count, spare);
}

bool gt_words_sort(gt_Context *context, gt_Words *words, const int64_t *counts, int32_t *place)
{
    gt_Words sorted = {0};
    size_t bytes = ((size_t)words->count + 1) * sizeof(int32_t);
    int32_t *order = gt_allocate(context, bytes), *spare = gt_allocate(context, bytes), kept = 0;
    bool ok = order && spare;
    for (int32_t i = 0; ok && i < words->count; i++) {
        place[i] = -1;
        if (!counts || counts[i] > 0)
            order[kept++] = i;
    }
    if (ok)
        sort(words, order, kept, spare);
    for (int32_t i = 0; ok && i < kept; i++) {
        ok = gt_words_add(context, &sorted, gt_words_text(words, order[i]),
                          gt_words_size(words, order[i])) == i;
        place[order[i]] = i;
    }
    gt_release(context, order, bytes);
    gt_release(context, spare, bytes);
    gt_words_close(context, ok ? words : &sorted);
    if (ok)
        *words = sorted;
    return ok;
}
