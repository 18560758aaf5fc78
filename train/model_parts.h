/* The parts of a model's file besides architecture and weights. Private to the room. */
#ifndef GT_TRAIN_MODEL_PARTS_H
#define GT_TRAIN_MODEL_PARTS_H

#include "models/entries.h"
#include "models/fields.h"
#include "train/compiled.h"
#include "train/model_file.h"

/* ---- checkpoint.c ---- */
/* The optimizer's state: PREFIX/iteration, PREFIX/dense/kernel/momentum. */
gt_Status gt_entries_add_optimizer(gt_Entries *list, gt_Layer *model, const gt_Optimizer *optimizer,
                                   const char *prefix);

/* ---- compile_config.c ---- */
/* What the model was compiled with, as members of an object. False with the error raised: something cannot be written. */
bool gt_compile_put(gt_ConfigWriter *writer, const gt_Compiled *self);
/* Compiles the model as the object says. */
gt_Status gt_compile_read(gt_Context *context, const char *what, const gt_JsonValue *object,
                          gt_Layer *model);

/* ---- model_data.c ---- */
/* The names of classes that the dataset has, and how its table was read, become the model's, or must agree with what it has. */
gt_Status gt_model_take_data(gt_LayerState *model, const gt_Dataset *dataset);
/* They must agree with what the model has, and it takes nothing. */
gt_Status gt_model_check_data(const gt_LayerState *model, const gt_Dataset *dataset);
bool gt_class_names_put(gt_ConfigWriter *writer, const gt_LayerState *model);
gt_Status gt_class_names_read(gt_Context *context, const char *what, const gt_JsonValue *list,
                              gt_LayerState *model);
/* The members of an object, of a model that has a table; and back. */
bool gt_table_put(gt_ConfigWriter *writer, const gt_LayerState *model);
gt_Status gt_table_take(gt_Context *context, const char *what, const gt_JsonValue *object,
                        gt_LayerState *model);

#endif
