/* Another program for tests/test_another_program.c. predict_rows MODEL loads a model of which it knows only the names of the
 * inputs, reads rows "word,word,number,number" from standard input, and prints the bits of what it predicts. predict_rows
 * MODEL TABLE knows nothing: it reads the table as the model says, and prints the names of classes too, where there are some. */
#include "gradtape.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 64, FIELD = 64 };

static int print(gt_Tensor *y, const gt_Layer *names)
{
    for (int64_t i = 0; y && i < gt_size(y); i++) {
        uint32_t bits;
        memcpy(&bits, &gt_float32_data(y)[i], sizeof bits);
        printf("%08x\n", (unsigned)bits);
    }
    gt_Tensor *best = names && gt_class_count(names) > 0 ? gt_argmax(y, .axis = 1) : NULL;
    for (int64_t i = 0; best && i < gt_size(best); i++)
        printf("%s\n", gt_class_name(names, (int)gt_element(best, i)));
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    return gt_status() != GT_OK;
}

static int predict_table(gt_Layer *model, const char *path)
{
    gt_Dataset *rows = gt_dataset_from_csv(path, .model = model, .shuffle = false);
    return print(rows ? gt_predict(model, rows) : NULL, model);
}

int main(int count, char **arguments)
{
    static char color[ROWS][FIELD], title[ROWS][FIELD];
    const char *colors[ROWS], *titles[ROWS];
    double price[ROWS][2];
    int64_t rows = 0;
    gt_Layer *model = gt_load_model(count > 1 ? arguments[1] : NULL);
    if (count > 2)
        return predict_table(model, arguments[2]);
    while (rows < ROWS && scanf(" %63[^,],%63[^,],%lf,%lf", color[rows], title[rows],
                                &price[rows][0], &price[rows][1]) == 4) {
        colors[rows] = color[rows];
        titles[rows] = title[rows];
        rows++;
    }
    gt_Tensor *prices = gt_cast(gt_from_data(price, gt_shape(rows, 2), GT_FLOAT64), GT_FLOAT32);
    gt_Tensor *y = gt_call(model, NULL, .named = gt_named({"price", prices}),
                           .named_text = gt_named_text({"color", gt_strings_from(colors, rows)},
                                                       {"title", gt_strings_from(titles, rows)}));
    return print(y, NULL);
}
