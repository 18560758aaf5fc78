/* What callbacks that watch a number share: EarlyStopping, ModelCheckpoint, ReduceLROnPlateau. */
#ifndef GT_TRAIN_CALLBACKS_MONITOR_H
#define GT_TRAIN_CALLBACKS_MONITOR_H

#include "core/export.h"

GT_BEGIN

/* Which of two numbers is the better one. AUTO: the smaller loss; of a metric what its class says; else an error. */
typedef enum gt_MonitorMode {
    GT_MONITOR_MODE_AUTO = 0,
    GT_MONITOR_MODE_MIN = 1,
    GT_MONITOR_MODE_MAX = 2
} gt_MonitorMode;

GT_END

#endif
