/* Windows over what comes one after the other: measurements, and text.
 *
 *     gt_Dataset *weather = gt_timeseries_dataset_from_array(temperatures, NULL, .sequence_length = 24);
 *     gt_Dataset *text = gt_dataset_from_text("shakespeare.txt", .window = 64);
 */
#ifndef GT_TRAIN_DATA_WINDOWS_H
#define GT_TRAIN_DATA_WINDOWS_H

#include "train/dataset.h"

GT_BEGIN

/* Windows of data (steps, ...): x (rows, sequence_length, ...), and where there are targets y (rows, ...), the target with the number
 * of the window's first step. So a value that follows the window is data from sequence_length on as targets. The windows are
 * cut out when they are asked for. Keras's names, order and defaults; it does not shuffle unless asked. */
#define gt_timeseries_dataset_from_array_OPTIONS(F, S)                                             \
    F(S, int64_t, sequence_length, 0, "steps of a window; required")                               \
    F(S, int64_t, sequence_stride, 1, "steps from the start of a window to that of the next")      \
    F(S, int64_t, sampling_rate, 1, "steps from one of a window to the next")                      \
    F(S, int64_t, batch_size, 128, "windows of a batch")                                           \
    F(S, bool, shuffle, false, "a new order of the windows in every epoch")                        \
    F(S, int64_t, seed, -1, "of the shuffles; -1: the context's seed")                             \
    F(S, int64_t, start_index, 0, "steps before this one are not used")                            \
    F(S, int64_t, end_index, -1, "nor this one and those behind it; -1: all are")
GT_OPTIONS(gt_timeseries_dataset_from_array_options, gt_timeseries_dataset_from_array_OPTIONS);
#define gt_timeseries_dataset_from_array(...)                                                      \
    gt_timeseries_dataset_from_array_at(                                                           \
        GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                                    \
        GT_KEYWORDS(gt_timeseries_dataset_from_array, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Dataset *
gt_timeseries_dataset_from_array_at(const char *here, gt_Tensor *data, gt_Tensor *targets,
                                    const gt_timeseries_dataset_from_array_options *options);

/* What text is cut into. */
typedef enum gt_TextUnit {
    GT_TEXT_UNIT_CHARACTERS, /* of UTF-8 */
    GT_TEXT_UNIT_BYTES,
    GT_TEXT_UNIT_WORDS /* what blanks and ends of lines stand between */
} gt_TextUnit;

#define gt_dataset_from_text_OPTIONS(F, S)                                                         \
    F(S, gt_TextUnit, unit, GT_TEXT_UNIT_CHARACTERS, "what it is cut into")                        \
    F(S, int64_t, window, 64, "units of a row")                                                    \
    F(S, int64_t, stride, 0,                                                                       \
      "units from the start of a row to that of the next; 0: those of a window")                   \
    F(S, bool, lines, false, "each line is a row instead, between two marks of number 0")          \
    F(S, gt_Dataset *, like, NULL, "with the vocabulary of this one")                              \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")           \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_from_text_options, gt_dataset_from_text_OPTIONS);

/* A text for a model that predicts what comes next: x int32 (rows, window), the numbers of units, and y the same one unit
 * further on. The vocabulary is what the text has, in the order of bytes: gt_dataset_class_name(text, 0) is unit 0.
 * With .lines row by row: x is a mark and the units of a line, y the units and the mark, which is number 0 and called "";
 * lines differ in length, so gt_dataset_batch(text, n, .pad = true) puts them into batches. Empty lines are passed over. A unit
 * that the vocabulary of .like does not have is an error that names line and place. */
#define gt_dataset_from_text(...)                                                                  \
    gt_dataset_from_text_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                        \
                            GT_KEYWORDS(gt_dataset_from_text, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_text_at(const char *here, const char *path,
                                           const gt_dataset_from_text_options *options);

/* Arrays of an NPZ file: gt_dataset_from_npz("mnist.npz", .x = "x_train", .y = "y_train", .scale = 1.0 / 255). */
#define gt_dataset_from_npz_OPTIONS(F, S)                                                          \
    F(S, const char *, x, "x", "the array of the inputs")                                          \
    F(S, const char *, y, "y", "the array of the labels; NULL: there are none")                    \
    F(S, gt_DType, dtype, GT_DTYPE_NONE,                                                           \
      "of x; none: the array's, or float32 if there is a scale")                                   \
    F(S, double, scale, 1, "factor on x")                                                          \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_dataset_from_npz_options, gt_dataset_from_npz_OPTIONS);
#define gt_dataset_from_npz(...)                                                                   \
    gt_dataset_from_npz_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                         \
                           GT_KEYWORDS(gt_dataset_from_npz, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Dataset *gt_dataset_from_npz_at(const char *here, const char *path,
                                          const gt_dataset_from_npz_options *options);

GT_END

#endif
