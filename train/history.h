/* What gt_fit returns: the numbers of every epoch, by name, as Keras's History. */
#ifndef GT_TRAIN_HISTORY_H
#define GT_TRAIN_HISTORY_H

#include "core/tensor.h"

GT_BEGIN

/* Epochs in rows, names in columns: "loss", the metrics, the same with "val_", and what callbacks logged. It is freed with
 * the context, or by gt_history_free. */
typedef struct gt_History gt_History;

/* The number of that name of an epoch: 0 is the first one of that gt_fit, -1 the last. NaN in an epoch that has none, as
 * val_loss between two validations (validation_freq); NaN with an error if there is no such name or epoch. */
#define gt_history_get(history, name, epoch) gt_history_get_at(GT_HERE, history, name, epoch)
GT_API double gt_history_get_at(const char *here, const gt_History *history, const char *name,
                                int64_t epoch);
/* The numbers of that name in all epochs: float64 (epochs). NULL on failure. */
#define gt_history_values(history, name) gt_history_values_at(GT_HERE, history, name)
GT_API gt_Tensor *gt_history_values_at(const char *here, const gt_History *history,
                                       const char *name);
/* How many epochs were finished; -1 on failure. */
#define gt_history_epoch_count(history) gt_history_epoch_count_at(GT_HERE, history)
GT_API int64_t gt_history_epoch_count_at(const char *here, const gt_History *history);
/* What number an epoch of this gt_fit has in the whole training, from 0: .initial_epoch for the first; -1 on failure. As
 * Keras's history.epoch. */
#define gt_history_epoch(history, epoch) gt_history_epoch_at(GT_HERE, history, epoch)
GT_API int64_t gt_history_epoch_at(const char *here, const gt_History *history, int64_t epoch);
/* How many names there are, and each of them; -1 and "" on failure. */
#define gt_history_name_count(history) gt_history_name_count_at(GT_HERE, history)
GT_API int gt_history_name_count_at(const char *here, const gt_History *history);
#define gt_history_name(history, index) gt_history_name_at(GT_HERE, history, index)
GT_API const char *gt_history_name_at(const char *here, const gt_History *history, int index);

/* The table as text, owned by the history and valid until its next text; "" on failure. CSV: a line of names that begins
 * with "epoch", then a line for each epoch; numbers read back as the same bits, a cell without one is empty. JSON:
 * {"epoch": [0, 1], "loss": [0.7, 0.5], "val_loss": [null, 0.6]}, where numbers that JSON lacks are the strings "NaN",
 * "Infinity" and "-Infinity". */
#define gt_history_csv(history) gt_history_csv_at(GT_HERE, history)
GT_API const char *gt_history_csv_at(const char *here, gt_History *history);
#define gt_history_json(history) gt_history_json_at(GT_HERE, history)
GT_API const char *gt_history_json_at(const char *here, gt_History *history);
/* gt_save_history("run.csv", history): that text in a file, JSON if its name ends with ".json". The file appears whole or
 * not at all. */
#define gt_save_history(path, history) gt_save_history_at(GT_HERE, path, history)
GT_API gt_Status gt_save_history_at(const char *here, const char *path, gt_History *history);

/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_history_free(gt_History *history);

GT_END

#endif
