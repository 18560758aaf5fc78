/* Another program for tests/test_another_program.c: loads a model of which it knows only the names of the inputs, reads rows
 * "word,word,number,number" from standard input, and prints the bits of what it predicts. */
#include "gradtape.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 64, FIELD = 64 };

int main(int count, char **arguments)
{
    static char color[ROWS][FIELD], title[ROWS][FIELD];
    const char *colors[ROWS], *titles[ROWS];
    double price[ROWS][2];
    int64_t rows = 0;
    gt_Layer *model = gt_load_model(count > 1 ? arguments[1] : NULL);
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
    for (int64_t i = 0; y && i < gt_size(y); i++) {
        uint32_t bits;
        memcpy(&bits, &gt_float32_data(y)[i], sizeof bits);
        printf("%08x\n", (unsigned)bits);
    }
    if (gt_status() != GT_OK)
        fprintf(stderr, "%s\n", gt_error_message());
    return gt_status() != GT_OK;
}
