/* Text: a column of strings, as Apache Arrow lays it out. gt_Strings is a value of two tensors, which the scope owns that is
 * open when they are made; like every tensor they never change.
 *
 *     gt_Strings colors = gt_strings("red", "green", "", "red");
 *     bytes     r e d g r e e n r e d          uint8 (11)
 *     offsets   0 3 8 8 11                     int64 (5): string i is bytes offsets[i] to offsets[i + 1] - 1
 *
 * A string is any bytes, usually UTF-8; zeros may be inside. Text has no gradient and no operations: layers with a port for
 * text (gt_StringLookup, gt_TextVectorization, gt_Hashing) make integers of it, at the entry of a model:
 *
 *     gt_Tensor *y = gt_call(model, NULL, .text = colors); */
#ifndef GT_CORE_STRINGS_H
#define GT_CORE_STRINGS_H

#include "core/tensor.h"

GT_BEGIN

/* A column of text, or rows of it: a value of two tensors, the bytes of all strings behind each other and where each begins. */
typedef struct gt_Strings {
    gt_Tensor *bytes;   /* uint8 (n) */
    gt_Tensor *offsets; /* int64 (count + 1) */
    int64_t width;      /* strings in a row: the shape is (rows, width); 0: one, and the shape is (rows) */
} gt_Strings;

/* Of tensors that are there, such as gt_from_buffer around the two buffers of an Arrow array: what takes text checks that
 * the offsets rise and stay inside. They need not begin at 0. */
static inline gt_Strings gt_strings_of(gt_Tensor *bytes, gt_Tensor *offsets)
{
    gt_Strings strings = {bytes, offsets, 0};
    return strings;
}

/* Copies of `count` C strings, or of those before GT_LIST_END. Bytes and offsets NULL on failure: a NULL among them. */
#define gt_strings_from(items, count) gt_strings_from_at(GT_HERE, items, count)
GT_API gt_Strings gt_strings_from_at(const char *here, const char *const *items, int64_t count);
GT_API gt_Strings gt_strings_at(const char *here, const char *const *items);

/* How many strings there are, in all rows; -1 on failure. */
#define gt_strings_count(strings) gt_strings_count_at(GT_HERE, strings)
GT_API int64_t gt_strings_count_at(const char *here, gt_Strings strings);
/* (rows) or (rows, width); rank -1 on failure. */
#define gt_strings_shape(strings) gt_strings_shape_at(GT_HERE, strings)
GT_API gt_Shape gt_strings_shape_at(const char *here, gt_Strings strings);
/* String number `index`, `*length` bytes without a zero behind them: printf("%.*s", (int)length, text). They live as long as
 * strings.bytes. "" and length 0 on failure. */
#define gt_strings_get(strings, index, length) gt_strings_get_at(GT_HERE, strings, index, length)
GT_API const char *gt_strings_get_at(const char *here, gt_Strings strings, int64_t index,
                                     size_t *length);

/* The same strings with `width` of them in each row, or as a column of one each (0). Nothing is copied. An error if they do
 * not come out even. */
#define gt_strings_in_rows(strings, width) gt_strings_in_rows_at(GT_HERE, strings, width)
GT_API gt_Strings gt_strings_in_rows_at(const char *here, gt_Strings strings, int64_t width);
/* Rows `first` to first + rows - 1, such as a batch. Nothing is copied. */
#define gt_strings_slice(strings, first, rows) gt_strings_slice_at(GT_HERE, strings, first, rows)
GT_API gt_Strings gt_strings_slice_at(const char *here, gt_Strings strings, int64_t first,
                                      int64_t rows);
/* Passes both tensors to the scope around the innermost one (gt_keep), and returns the strings. */
#define gt_strings_keep(strings) gt_strings_keep_at(GT_HERE, strings)
GT_API gt_Strings gt_strings_keep_at(const char *here, gt_Strings strings);

GT_END

/* gt_strings("red", "green"): a column of copies. */
#ifdef __cplusplus
template <class... Text> inline gt_Strings gt_strings_of_(const char *here, Text... text)
{
    const char *const list[] = {text..., static_cast<const char *>(GT_LIST_END)};
    return gt_strings_at(here, list);
}
#define gt_strings(...) gt_strings_of_(GT_HERE, __VA_ARGS__)
#else
#define gt_strings(...)                                                                            \
    gt_strings_at(GT_HERE, (const char *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
#endif

#endif
