/* Whole models in files: architecture, weights, what they were compiled with, how the table was read that they were fitted on, the
 * names of their classes.
 *
 *     gt_save_model(model, "digits.gradtape");
 *     gt_Layer *again = gt_load_model("digits.gradtape");        in another program, which has none of its code
 *     gt_Dataset *rows = gt_dataset_from_csv("new.csv", .model = again, .shuffle = false);
 *     gt_Tensor *y = gt_predict(again, rows);
 *     gt_fit(again, train, .epochs = 10);                        goes on with the optimizer as it was
 */
#ifndef GT_TRAIN_MODEL_FILE_H
#define GT_TRAIN_MODEL_FILE_H

#include "io/csv.h"
#include "io/safetensors.h"
#include "layers/layer.h"
#include "models/config.h"
#include "train/dataset.h"

GT_BEGIN

#define gt_save_model_OPTIONS(F, S)                                                                \
    F(S, bool, include_optimizer, true,                                                            \
      "of a compiled model: optimizer with its state, losses, metrics; else the model alone")       \
    F(S, gt_Metadata, metadata, GT_NOT_GIVEN,                                                      \
      "pairs of text of one's own beside it, read by gt_tensor_file_metadata; no key begins with \"gradtape.\"")
GT_OPTIONS(gt_save_model_options, gt_save_model_OPTIONS);
/* One file in the safetensors format: weights under their paths; the architecture as JSON in the metadata, and with it what
 * layers learned from data (vocabularies, means), how the table was read that it was fitted on, the names of the classes, what
 * the model was compiled with; the state of the optimizer under "/optimizer/...". The file appears whole or not at all. What cannot be written down of gt_compile (a loss
 * that is a function, steps of one's own) is a warning, and the model is saved without it. Generators are no part of it: dropout
 * and its kin draw anew where it is loaded, so a training that is to go on with the same bits is kept by gt_save_checkpoint.
 * gt_load_weights reads the weights of it. */
#define gt_save_model(...)                                                                         \
    gt_save_model_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                       \
                     GT_KEYWORDS(gt_save_model, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_save_model_at(const char *here, gt_Layer *model, const char *path,
                                  const gt_save_model_options *options);

#define gt_load_model_OPTIONS(F, S)                                                                \
    F(S, bool, compile, true, "as it was compiled, where the file says how; else the model alone")
GT_OPTIONS(gt_load_model_options, gt_load_model_OPTIONS);
/* A new model, built, filled and compiled; floating. NULL on failure: a class that is not known (gt_register_layer), a newer
 * version, weights that are not those of the architecture. */
#define gt_load_model(...)                                                                         \
    gt_load_model_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_load_model, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Layer *gt_load_model_at(const char *here, const char *path,
                                  const gt_load_model_options *options);

/* ---- how rows were read ---- */

/* gt_set_table(model, train): the model knows how the rows of `train` were read from a table - columns, categories, what stands
 * for gaps, scale, decimal point - and what its classes are called, and so does its file; gt_dataset_from_csv("new.csv",
 * .model = model) reads others in the same way. gt_fit does this with its dataset, where the model knows of none; where it
 * does, classes, categories, columns, their order or .one_hot that differ are an error in gt_fit, its validation, gt_train_for,
 * gt_evaluate and gt_predict, for the numbers would mean something else. Call it in a loop of one's own, or
 * to have another table in place of the one it knows. What gt_dataset_map makes of the rows is no part of it, and
 * where that has other columns, names are not compared. On failure the
 * model knows what it knew before. */
#define gt_set_table(model, dataset) gt_set_table_at(GT_HERE, model, dataset)
GT_API gt_Status gt_set_table_at(const char *here, gt_Layer *model, gt_Dataset *dataset);
/* Does it know? */
#define gt_has_table(model) gt_has_table_at(GT_HERE, model)
GT_API bool gt_has_table_at(const char *here, const gt_Layer *model);

/* ---- names of classes ---- */

/* gt_set_class_names(model, gt_names("setosa", "versicolor", "virginica")): what the numbers that it predicts stand for, kept
 * in its file. gt_fit sets them where the dataset has names and the model none; where the two differ it is an error, for the
 * numbers would mean something else. GT_NOT_GIVEN as a list: none. */
#define gt_set_class_names(model, names) gt_set_class_names_at(GT_HERE, model, names)
GT_API gt_Status gt_set_class_names_at(const char *here, gt_Layer *model, gt_Names names);
/* How many there are, 0 where there are none, and each. They live until they are set again. -1 and "" on failure. */
#define gt_class_count(model) gt_class_count_at(GT_HERE, model)
GT_API int gt_class_count_at(const char *here, const gt_Layer *model);
#define gt_class_name(model, index) gt_class_name_at(GT_HERE, model, index)
GT_API const char *gt_class_name_at(const char *here, const gt_Layer *model, int index);

GT_END

#endif
