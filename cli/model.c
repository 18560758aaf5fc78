#include "cli/model.h"
#include "cli/json.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

gt_Status model_save(gt_Layer *model, const char *path, const char *recipe)
{
    return gt_save_model(model, path, .metadata = gt_metadata({RECIPE, recipe}));
}

/* Had the table a header? */
static bool named(const gt_TensorFile *file)
{
    size_t wrong;
    const char *text = gt_tensor_file_metadata(file, "gradtape.table");
    Json value = text ? json_find(json_of(text, strlen(text), &wrong), "named") : (Json){NULL, 0};
    return value.text && *value.text == 't';
}

gt_Layer *model_open(const char *path, const char **recipe)
{
    gt_Layer *model = gt_load_model(path);
    gt_TensorFile *file = model ? gt_open_tensors(path) : NULL;
    const char *text = file ? gt_tensor_file_metadata(file, RECIPE) : NULL;
    if (file && !text && gt_has_table(model))
        text = "csv"; /* of a C program */
    if (file && !text)
        fail("%s does not say how its rows are read: it was trained on no table", path);
    if (text && strcmp(text, "csv") == 0 && named(file))
        text = "csv\nnamed";
    *recipe = text ? table_copy(text) : NULL;
    gt_tensor_file_free(file);
    return *recipe ? model : NULL;
}
