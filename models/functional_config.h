/* Functional models as JSON: a part of config.c. Private to the room. */
#ifndef GT_MODELS_FUNCTIONAL_CONFIG_H
#define GT_MODELS_FUNCTIONAL_CONFIG_H

#include "models/fields.h"

bool gt_config_put_functional(gt_ConfigWriter *writer, gt_Layer *model);
gt_Layer *gt_config_read_functional(gt_ConfigReader *reader, const gt_JsonValue *object);
/* Another model like this, with copies of its layers. NULL with an error raised on failure. */
gt_Layer *gt_functional_copy(gt_Layer *model);
/* A model from its text; `what` is what errors call it. */
gt_Layer *gt_config_read_text(gt_Context *context, const char *what, const char *text);

#endif
