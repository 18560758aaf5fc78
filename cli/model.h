/* Models in files, with how their rows were read. */
#ifndef GT_CLI_MODEL_H
#define GT_CLI_MODEL_H

#include "cli/rows.h"

#define RECIPE "rows" /* the key, in the metadata of the file */

gt_Status model_save(gt_Layer *model, const char *path, const char *recipe);
/* The model, and the recipe, which lives as long as the program; NULL: raised. A model that nothing is known of how its rows
 * were read: told, NULL. */
gt_Layer *model_open(const char *path, const char **recipe);

#endif
