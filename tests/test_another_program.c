/* A model that was made here predicts in a program of its own (predict_rows.c), which has only its file. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <stdio.h>
#include <unistd.h>

/* Colors and titles as text, prices as numbers: each through the layer that learned from it. */
static gt_Layer *of_wines(gt_Strings colors, gt_Strings titles, gt_Tensor *prices)
{
    gt_Tensor *color = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "color");
    gt_Tensor *title = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "title");
    gt_Tensor *price = gt_Input(gt_shape(2), .name = "price");
    gt_Layer *lookup = gt_StringLookup(.output_mode = GT_OUTPUT_MODE_ONE_HOT),
             *normalize = gt_Normalization();
    gt_Layer *bag = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_TF_IDF, .ngrams = 2);
    gt_Dataset *rows = gt_dataset_from_tensors(prices, NULL);
    gt_adapt(lookup, NULL, .text = colors);
    gt_adapt(bag, NULL, .text = titles);
    gt_adapt(normalize, rows);
    gt_Tensor *all = gt_concatenate(
        gt_tensors(gt_call(lookup, color), gt_call(bag, title), gt_call(normalize, price)),
        .axis = -1);
    gt_Tensor *y = gt_call(gt_Dense(3, .activation = gt_tanh),
                           gt_call(gt_Dense(8, .activation = gt_relu), all));
    gt_dataset_free(rows);
    return gt_Model(gt_tensors(color, title, price), gt_tensors(y));
}

/* A program that has no code of the model's gets the same bits from its file. */
Test(another_program, predicts)
{
    static const char rows[] =
        "red,A red wine,9.5,80\nblue,wine of nobody,1,-3\nwhite,Wine (white),20,91\nred,x,0,0\n";
    const char *program = getenv("GT_TEST_PREDICT");
    cr_assert(program, "GT_TEST_PREDICT says where predict_rows is");
    char path[64], input[80], command[512];
    snprintf(path, sizeof path, "/tmp/gradtape-another-program-%d.gradtape", (int)getpid());
    snprintf(input, sizeof input, "%s.rows", path);
    gt_Layer *model = of_wines(gt_strings("red", "red", "white"),
                               gt_strings("a red wine", "red", "the white wine"),
                               gt_array(gt_shape(3, 2), 8, 70, 10.5, 90, 30, 85));
    gt_Tensor *y = gt_call(
        model, NULL,
        .named = gt_named({"price", gt_array(gt_shape(4, 2), 9.5, 80, 1, -3, 20, 91, 0, 0)}),
        .named_text = gt_named_text(
            {"color", gt_strings("red", "blue", "white", "red")},
            {"title", gt_strings("A red wine", "wine of nobody", "Wine (white)", "x")}));
    cr_assert(y && gt_size(y) == 12 && gt_save_model(model, path) == GT_OK, "%s",
              gt_error_message());
    FILE *file = fopen(input, "w");
    cr_assert(file && fputs(rows, file) >= 0 && fclose(file) == 0);
    snprintf(command, sizeof command, "'%s' '%s' < '%s'", program, path, input);
    FILE *answers = popen(command, "r");
    for (int i = 0; i < 12; i++) {
        unsigned bits, wanted;
        memcpy(&wanted, &gt_float32_data(y)[i], sizeof wanted);
        cr_assert(answers && fscanf(answers, "%x", &bits) == 1 && bits == wanted,
                  "number %d: %x, %x here", i, bits, wanted);
    }
    cr_assert(pclose(answers) == 0);
    gt_layer_free(model);
    unlink(path);
    unlink(input);
    gt_context_free(NULL);
    assert_no_leaks();
}
