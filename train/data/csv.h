/* Tables as text, as they come: columns by name, text as categories, what is missing.
 *
 *     gt_Dataset *wine = gt_dataset_from_csv("wine.csv", .label = "quality");
 *     gt_Dataset *titanic = gt_dataset_from_csv("titanic.csv", .label = "survived", .columns = gt_names("pclass", "sex", "age"),
 *                                               .missing = GT_MISSING_MEDIAN, .one_hot = true);
 *     gt_dataset_column_name(titanic, 1)        "sex=female"
 *
 *     gt_Layer *model = gt_load_model("titanic.gradtape");              in a program that knows nothing of that table:
 *     gt_Dataset *rows = gt_dataset_from_csv("new.csv", .model = model, .shuffle = false);
 */
#ifndef GT_TRAIN_DATA_CSV_H
#define GT_TRAIN_DATA_CSV_H

#include "io/csv.h"
#include "layers/layer.h"
#include "train/dataset.h"

GT_BEGIN

/* A character that is not given. */
#define GT_CHAR_NONE '\1'

/* Columns are named as the header names them, or by their number as text, counted from 0, negative from the end: "-1". */
#define gt_dataset_from_csv_OPTIONS(F, S)                                                          \
    F(S, const char *, label, NULL, "the column of the labels; NULL: label_column says it")        \
    F(S, int32_t, label_column, -1, "the same by its number; GT_NONE: there are no labels")        \
    F(S, gt_Names, columns, GT_NOT_GIVEN, "of x, in this order; none given: all the others")       \
    F(S, gt_Names, without, GT_NOT_GIVEN, "columns that are left out")                             \
    F(S, gt_Names, categories, GT_NOT_GIVEN,                                                       \
      "columns of numbers that are categories all the same")                                       \
    F(S, const char *, weight, NULL, "the column of sample weights")                               \
    F(S, gt_Names, text, GT_NOT_GIVEN, "columns of text, which are none of x: gt_names(\"note\")")  \
    F(S, gt_DType, label_dtype, GT_DTYPE_NONE,                                                     \
      "int32 or int64 for classes, float32 or float64 for values; none: int32 for text and "       \
      "integers, else dtype")                                                                      \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "of x: float32, which is the default, or float64")        \
    F(S, double, scale, (double)NAN, "factor on the numbers of x; not given: 1")                   \
    F(S, gt_Flag, one_hot, GT_INHERIT,                                                             \
      "a category becomes as many columns of 0 and 1 as there are; not given: it is its number")   \
    F(S, gt_Missing, missing, GT_MISSING_INHERIT,                                                  \
      "what becomes of a value that is missing; not given: it is an error")                        \
    F(S, double, missing_value, 0, "stands for it with GT_MISSING_VALUE")                          \
    F(S, gt_Names, na, GT_NOT_GIVEN, "words that say so: gt_names(\"?\")")                         \
    F(S, gt_Header, header, GT_HEADER_AUTO, "is the first row one?")                               \
    F(S, int64_t, skip_rows, -1, "lines before the first row; not given: 0")                       \
    F(S, char, delimiter, 0, "between the fields; 0: it is found; ' ': any number of blanks")      \
    F(S, char, quote, GT_CHAR_NONE, "around a field; 0: none; not given: '\"'")                    \
    F(S, char, decimal, GT_CHAR_NONE, "the point of numbers: '.', which is the default, or ','")   \
    F(S, int32_t, max_categories, 256, "that a column may have")                                   \
    F(S, gt_Dataset *, like, NULL, "read as this one was: columns, categories, fillings, form")    \
    F(S, gt_Layer *, model, NULL, "read as the table was that this model was fitted on")           \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")           \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_from_csv_options, gt_dataset_from_csv_OPTIONS);

/* gt_dataset_from_csv("digits.csv.gz", .scale = 1.0 / 16): x (rows, columns), y (rows) of integers, or (rows, 1) of floats.
 *
 *   - The file may be compressed with gzip; UTF-8, or UTF-16 with its mark. Delimiter and header are found by looking, and can
 *     be said. A first row as in scikit-learn's tables, which counts rows and columns, gives the names of the classes.
 *   - A column is one of numbers, if most of it are numbers; anything else in it is an error, as are infinite ones.
 *     Otherwise it is one of categories: each text becomes an integer, 0 the first in the order of bytes;
 *     gt_dataset_category_name says which.
 *   - Columns named in .text stay text, for layers with a port for it (gt_batch_text); one that is missing is "". If all
 *     inputs are text there is no x.
 *   - Labels that are text become classes, whose names gt_dataset_class_name gives; floats they cannot be. Integers stay as
 *     they are. Weights are numbers.
 *   - Missing: an empty field and the words of .na; among numbers also NA, N/A, NaN and null. A missing text is a category of
 *     its own, "". A missing label is an error, or its row is dropped.
 *   - Dates are refused: a model cannot compute with them, and as categories each would be one of its own.
 *   - The test data of a model is read with .like = train, and with .model = model where train is not at hand: the model knows
 *     how the rows were read that it was fitted on, and so does its file. Columns are found by their names, or places; a
 *     category that train does not have is an error, and train's means and medians stand for what is missing. Labels and
 *     weights are read if the table has such columns, unless .label says that they must be there. Of the options those that
 *     are not given are as they were for train, but for GT_MISSING_DROP and what says how rows are handed out.
 *
 * Errors about a field begin with path:line:column, the column counted from 1 as in a spreadsheet. As pandas.read_csv and
 * Keras's FeatureSpace. NULL on failure. */
#define gt_dataset_from_csv(...)                                                                   \
    gt_dataset_from_csv_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                         \
                           GT_KEYWORDS(gt_dataset_from_csv, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_csv_at(const char *here, const char *path,
                                          const gt_dataset_from_csv_options *options);

GT_END

#endif
