/* CSVLogger: the numbers of each epoch as a row of a CSV file. */
#ifndef GT_TRAIN_CALLBACKS_CSV_LOGGER_H
#define GT_TRAIN_CALLBACKS_CSV_LOGGER_H

#include "train/callback.h"

GT_BEGIN

#define gt_CSVLogger_OPTIONS(F, S)                                                                 \
    F(S, const char *, filename, NULL, "overwritten, unless the run is resumed")                   \
    F(S, const char *, separator, ",", "between the fields")                                       \
    F(S, bool, append, false, "goes on with a file that is there")
GT_OPTIONS(gt_CSVLogger_options, gt_CSVLogger_OPTIONS);

/* gt_CSVLogger("log.csv"): the columns are epoch, from 0, then the numbers of the first epoch by their names in order; where
 * none of them is a val_ one, those come after them, and are NA until there are some. Remembers how long the file is: a run
 * that is resumed drops the rows of epochs that it trains again. */
#define gt_CSVLogger(...)                                                                          \
    gt_CSVLogger_at(GT_HERE, GT_KEYWORDS_1(gt_CSVLogger, filename, __VA_ARGS__))
GT_API gt_Callback *gt_CSVLogger_at(const char *here, const gt_CSVLogger_options *options);

GT_END

#endif
