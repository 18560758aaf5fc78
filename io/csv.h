/* Tables of numbers as text: CSV files in, CSV files out. Leans on core. */
#ifndef GT_IO_CSV_H
#define GT_IO_CSV_H

#include <math.h>

#include "core/strings.h"
#include "core/tensor.h"
#include "io/names.h"

GT_BEGIN

/* A range of columns: the first one, counted from 0, negative from the end; and how many, -1: to
 * the last one. */
typedef struct gt_Columns {
    const gt_Mark *mark;
    int32_t first, count;
} gt_Columns;
#define GT_ALL_COLUMNS                                                                             \
    {                                                                                              \
        GT_MARK, 0, -1                                                                             \
    }
static inline gt_Columns gt_columns(int32_t first, int32_t count)
{
    gt_Columns columns = {GT_MARK, first, count};
    return columns;
}

/* Is the first row of a table a header, the names of its columns? */
typedef enum gt_Header {
    GT_HEADER_AUTO, /* if it is text where the rows below are numbers, or all of it is text that never comes again */
    GT_HEADER_YES,
    GT_HEADER_NO
} gt_Header;

/* What becomes of a value that is missing: an empty field, a word of .na, and in a column of numbers NA, N/A, NaN and null. */
typedef enum gt_Missing {
    GT_MISSING_ERROR,  /* it is an error */
    GT_MISSING_DROP,   /* its row is left out */
    GT_MISSING_VALUE,  /* .missing_value stands for it */
    GT_MISSING_MEAN,   /* the mean of its column */
    GT_MISSING_MEDIAN, /* the median of its column */
    GT_MISSING_INHERIT /* not given: as another table says that this one is read like, else an error */
} gt_Missing;

#define gt_load_csv_OPTIONS(F, S)                                                                  \
    F(S, char, delimiter, ',', "between the fields; no letter, digit, quote, point or sign")       \
    F(S, int64_t, skip_rows, 0, "lines before the first row: headers")                             \
    F(S, gt_Columns, columns, GT_ALL_COLUMNS, "which to take; the others may hold any text")       \
    F(S, gt_DType, dtype, GT_FLOAT32, "of the tensor")                                             \
    F(S, double, missing, (double)INFINITY,                                                        \
      "what stands for an empty field, NA or NaN; infinity: they are errors")                      \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")
GT_OPTIONS(gt_load_csv_options, gt_load_csv_OPTIONS);

/* gt_load_csv("iris.csv", .skip_rows = 1, .columns = gt_columns(0, 4)) gives a tensor (rows,
 * columns). The file may be compressed with gzip. Fields may be quoted, lines may end in CRLF, and
 * the locale plays no part. Rows of different length and what is not a number are errors that name
 * path:line:column, the column counted in fields from 1. Numbers are rounded to float64, and from
 * there to float32. */
#define gt_load_csv(...)                                                                           \
    gt_load_csv_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_load_csv, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_load_csv_at(const char *here, const char *path,
                                 const gt_load_csv_options *options);

#define gt_load_csv_strings_OPTIONS(F, S)                                                          \
    F(S, gt_Header, header, GT_HEADER_AUTO, "is the first row one?")                               \
    F(S, int64_t, skip_rows, 0, "lines before the first row")                                      \
    F(S, char, delimiter, 0, "between the fields; 0: it is found; ' ': any number of blanks")      \
    F(S, char, quote, '"', "around a field; 0: none")                                              \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")
GT_OPTIONS(gt_load_csv_strings_options, gt_load_csv_strings_OPTIONS);

/* gt_load_csv_strings("reviews.csv", "review"): a column of a table as text (docs/text.md), which layers with a port for text
 * learn from and look up. The column is named by the header, or by its number as text. Row i is row i of
 * gt_dataset_from_csv, as long as that drops none. Both tensors are NULL on failure. */
#define gt_load_csv_strings(...)                                                                   \
    gt_load_csv_strings_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                 \
                           GT_KEYWORDS(gt_load_csv_strings, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Strings gt_load_csv_strings_at(const char *here, const char *path, const char *column,
                                         const gt_load_csv_strings_options *options);

#define gt_save_csv_OPTIONS(F, S)                                                                  \
    F(S, char, delimiter, ',', "between the fields")                                               \
    F(S, const char *, header, NULL, "a first line, as it is; NULL: none")
GT_OPTIONS(gt_save_csv_options, gt_save_csv_OPTIONS);

/* gt_save_csv("losses.csv", losses, .header = "step,loss"): a tensor of rank 2, or of rank 1 as
 * one column. Every number is written with as many digits as it takes to read the same one back. */
#define gt_save_csv(...)                                                                           \
    gt_save_csv_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_save_csv, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_save_csv_at(const char *here, const char *path, const gt_Tensor *tensor,
                                const gt_save_csv_options *options);

GT_END

#endif
