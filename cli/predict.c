/* gradtape predict: a model, a table, a line for each row. */
#include "cli/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Likeness how = {.skip_rows = -1};
static struct {
    const char *output;
    bool probabilities;
} given;

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, &given.output, "FILE",
     "for the predictions; none: standard output"},
    {"probabilities", 'p', OPTION_FLAG, &given.probabilities, NULL,
     "of each class, in columns behind the prediction"},
    LIKENESS_OPTIONS(how),
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static void print_field(FILE *file, const char *text)
{
    if (!text[strcspn(text, ",\"\n\r")]) {
        fputs(text, file);
        return;
    }
    print_quoted(file, text);
}

static void print_header(FILE *file, const gt_Layer *model, int classes)
{
    fputs("prediction", file);
    for (int k = 0; k < classes && given.probabilities; k++) {
        fputc(',', file);
        print_field(file, gt_class_name(model, k));
    }
    fputc('\n', file);
}

static void print_class(FILE *file, const gt_Layer *model, gt_Tensor *y, int64_t row, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (gt_element(y, row * classes + k) > gt_element(y, row * classes + best))
            best = k;
    print_field(file, gt_class_name(model, best));
    for (int k = 0; k < classes && given.probabilities; k++)
        fprintf(file, ",%.6g", gt_element(y, row * classes + k));
    fputc('\n', file);
}

static void print_predictions(FILE *file, const gt_Layer *model, gt_Tensor *y)
{
    int classes = gt_class_count(model);
    gt_Shape shape = gt_tensor_shape(y);
    int64_t rows = shape.dims[0], width = rows > 0 ? gt_size(y) / rows : 0;
    print_header(file, model, classes);
    for (int64_t row = 0; row < rows; row++) {
        if (classes > 0 && width == classes) {
            print_class(file, model, y, row, classes);
            continue;
        }
        for (int64_t k = 0; k < width; k++)
            fprintf(file, "%s%.9g", k ? "," : "", gt_element(y, row * width + k));
        fputc('\n', file);
    }
}

/* A class is printed for such a row all the same. */
static void warn_of_nan(gt_Tensor *y)
{
    int64_t rows = gt_tensor_shape(y).dims[0], width = rows > 0 ? gt_size(y) / rows : 0, wrong = 0, first = 0;
    for (int64_t row = 0; row < rows; row++) {
        bool finite = true;
        for (int64_t k = 0; k < width; k++)
            finite = finite && isfinite(gt_element(y, row * width + k));
        if (!finite && wrong++ == 0)
            first = row;
    }
    if (wrong > 0)
        fail("warning: %lld of %lld predictions are not finite numbers, row %lld first", (long long)wrong, (long long)rows,
             (long long)first + 1);
}

static int write_predictions(const gt_Layer *model, gt_Tensor *y)
{
    Output output;
    if (!output_open(&output, given.output))
        return EXIT_FAILURE;
    print_predictions(output.file, model, y);
    return output_close(&output);
}

static int run(const char **operands)
{
    Rows rows;
    const char *recipe = NULL;
    if (!likeness_sound(&how))
        return EXIT_USAGE;
    how.path = operands[1];
    gt_Layer *model = model_open(operands[0], &recipe);
    gt_Dataset *data = model && rows_read_like(model, recipe, &how, &rows) ? rows_dataset(&rows) : NULL;
    gt_Tensor *y = data ? gt_predict(model, data) : NULL;
    if (!y)
        return EXIT_FAILURE;
    warn_of_nan(y);
    return write_predictions(model, y);
}

const Command predict_command = {
    .name = "predict",
    .operands = "MODEL TABLE",
    .operand_count = 2,
    .summary = "Predicts for each row of a table",
    .more = "MODEL is what gradtape train has saved. TABLE is read as the table was that it was "
            "trained on: columns are\n"
            "found by their names, or their places; a column of labels may be there or not. The "
            "output is a line\n"
            "\"prediction\", then a line for each row, but for those that --missing drop leaves out: the "
            "name of a class, or a number.\n",
    .options = options,
    .run = run,
};
