/* How a table was read, as JSON: what the file of a model has, so that a program which knows nothing of the table reads another
 * one by it.
 *
 *     {"delimiter": "", "quote": "\"", "decimal": ",", "header": "auto", "skip_rows": 0, "missing": "mean", "missing_value": 0,
 *      "na": ["?"], "one_hot": true, "scale": 1, "dtype": "float32", "label_dtype": null, "named": true,
 *      "columns": [{"name": "size", "field": 2, "role": "x", "fill": 73.5},
 *                  {"name": "city", "field": 1, "role": "x", "categories": ["Graz", "Linz", "Wien"]},
 *                  {"name": "kind", "field": 4, "role": "label", "categories": ["flat", "house", "studio"]}],
 *      "classes": []}
 *
 * Private to the room. */
#ifndef GT_TRAIN_DATA_RECIPE_H
#define GT_TRAIN_DATA_RECIPE_H

#include "models/fields.h"
#include "train/data/names.h"

/* The members of an object; `names` has a table. */
bool gt_recipe_put(gt_ConfigWriter *writer, const gt_DataNames *names);
/* Names with a table that has no numbers, held once; NULL with an error raised: `what` names the file. */
gt_DataNames *gt_recipe_read(gt_Context *context, const char *what, const gt_JsonValue *object);

#endif
