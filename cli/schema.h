/* What the file of a model says of its data and its training, for people. */
#ifndef GT_CLI_SCHEMA_H
#define GT_CLI_SCHEMA_H

#include "cli/json.h"

/* How a table must look that the model is to predict from: the value of "gradtape.table". */
void schema_print(FILE *file, Json table);
/* Names of classes, optimizer, losses and metrics: the value of "gradtape.training". */
void training_print(FILE *file, Json training);

#endif
