/* gradtape evaluate: how good a model is on a table with labels. */
#include "cli/model.h"

#include <stdlib.h>

static Likeness how = {.labelled = true, .skip_rows = -1};

static const Option options[] = {
    {"labels", 0, OPTION_TEXT, &how.labels, "FILE", "a second file, which has the labels alone"},
    LIKENESS_OPTIONS(how),
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int run(const char **operands)
{
    Rows rows;
    const char *recipe = NULL;
    if (!likeness_sound(&how))
        return EXIT_USAGE;
    gt_Layer *model = model_open(operands[0], &recipe);
    how.path = operands[1];
    gt_Dataset *data = model && rows_read_like(model, recipe, &how, &rows) ? rows_dataset(&rows) : NULL;
    if (!data)
        return EXIT_FAILURE;
    gt_Scores scores = gt_evaluate(model, data);
    if (gt_status() != GT_OK)
        return EXIT_FAILURE;
    printf("rows       %lld\nloss       %.6g\n", (long long)rows.count, scores.loss);
    for (int i = 0; i < scores.count; i++)
        printf("%-10s %.4f\n", scores.names[i], scores.metrics[i]);
    return finish_output(stdout, "standard output");
}

const Command evaluate_command = {
    .name = "evaluate",
    .operands = "MODEL TABLE",
    .operand_count = 2,
    .summary = "Measures a model on a table with labels",
    .more = "TABLE is read as the table was that the model was trained on, with its labels. The "
            "output is the number of\n"
            "rows, the loss, and the accuracy of classes or the R2 of numbers.\n",
    .options = options,
    .run = run,
};
