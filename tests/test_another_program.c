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

/* What predict_rows says: bits of y, then names. */
static void answers(const char *command, gt_Tensor *y, const char *const *names, int name_count)
{
    FILE *output = popen(command, "r");
    int64_t count = gt_size(y);
    cr_assert(output && count > 0);
    for (int64_t i = 0; i < count; i++) {
        unsigned bits, wanted;
        memcpy(&wanted, &gt_float32_data(y)[i], sizeof wanted);
        cr_assert(fscanf(output, "%x", &bits) == 1 && bits == wanted, "number %d: %x, %x here", (int)i, bits, wanted);
    }
    for (int i = 0; i < name_count; i++) {
        char name[64];
        cr_assert(fscanf(output, "%63s", name) == 1 && strcmp(name, names[i]) == 0, "%s, %s here", name, names[i]);
    }
    cr_assert(pclose(output) == 0);
}

static const char *another(void)
{
    const char *program = getenv("GT_TEST_PREDICT");
    cr_assert(program, "GT_TEST_PREDICT says where predict_rows is");
    return program;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* A program that has no code of the model's gets the same bits from its file. */
Test(another_program, predicts)
{
    static const char rows[] =
        "red,A red wine,9.5,80\nblue,wine of nobody,1,-3\nwhite,Wine (white),20,91\nred,x,0,0\n";
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
    put(input, rows);
    snprintf(command, sizeof command, "'%s' '%s' < '%s'", another(), path, input);
    answers(command, y, NULL, 0);
    gt_layer_free(model);
    unlink(path);
    unlink(input);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* It reads a table as the one was read that the model was fitted on, which it never saw, and tells classes by name. */
Test(another_program, reads_tables)
{
    char path[64], table[80], command[512], rows[4096];
    snprintf(path, sizeof path, "/tmp/gradtape-another-table-%d.gradtape", (int)getpid());
    snprintf(table, sizeof table, "%s.csv", path);
    size_t used = (size_t)snprintf(rows, sizeof rows, "id;city;size;age;kind\n");
    for (int i = 0; i < 60; i++)
        used += (size_t)snprintf(rows + used, sizeof rows - used, "%d;%s;%d,5;%s;%s\n", i,
                                 ((const char *const[]){"Graz", "Linz", "Wien"})[i / 3 % 3], 120 - i % 3 * 45 + i % 7,
                                 i % 9 ? "34,7" : "?", ((const char *const[]){"house", "flat", "studio"})[i % 3]);
    put(table, rows);
    gt_Dataset *homes = gt_dataset_from_csv(table, .label = "kind", .without = gt_names("id"), .decimal = ',',
                                            .na = gt_names("?"), .missing = GT_MISSING_MEDIAN, .one_hot = true);
    gt_Layer *normalize = gt_Normalization();
    gt_adapt(normalize, homes);
    gt_Layer *model = gt_Sequential(normalize, gt_Dense(8, .activation = gt_relu), gt_Dense(3));
    gt_compile(model, .optimizer = gt_Adam(0.03), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, homes, .epochs = 15, .verbose = GT_VERBOSITY_SILENT);
    gt_save_model(model, path);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());

    put(table, "age;city;size\n34,7;Wien;33,5\n?;Linz;121,5\n20,5;Graz;77,5\n");
    gt_Dataset *new = gt_dataset_from_csv(table, .model = model, .shuffle = false);
    gt_Tensor *y = gt_predict(model, new);
    cr_assert(y, "%s", gt_error_message());
    snprintf(command, sizeof command, "'%s' '%s' '%s'", another(), path, table);
    answers(command, y, (const char *const[]){"studio", "house", "flat"}, 3);
    gt_dataset_free(new);
    gt_dataset_free(homes);
    gt_layer_free(model);
    unlink(path);
    unlink(table);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Rows of text and numbers: the model has StringLookup, TextVectorization and Normalization at its ports, and is fitted on them. */
Test(another_program, predicts_from_rows_of_text_and_numbers)
{
    char path[64], table[80], command[512], rows[4096];
    snprintf(path, sizeof path, "/tmp/gradtape-another-text-%d.gradtape", (int)getpid());
    snprintf(table, sizeof table, "%s.csv", path);
    size_t used = (size_t)snprintf(rows, sizeof rows, "id,note,color,price,quality\n");
    for (int i = 0; i < 40; i++)
        used += (size_t)snprintf(rows + used, sizeof rows - used, "%d,\"%s, %s\",%s,%d,%s\n", i, i % 2 ? "sour" : "oak",
                                 i % 3 ? "dry" : "plum", i % 4 < 2 ? "red" : "white", i % 2 ? 3 + i % 5 : 15 + i % 7,
                                 i % 2 ? "poor" : "good");
    put(table, rows);
    gt_Dataset *wines = gt_dataset_from_csv(table, .without = gt_names("id"), .text = gt_names("note", "color"));
    gt_Layer *bag = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_MULTI_HOT), *lookup = gt_StringLookup(),
             *normalize = gt_Normalization();
    gt_adapt(bag, wines);
    gt_adapt(lookup, wines, .input = 1);
    gt_adapt(normalize, wines);
    gt_Tensor *note = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "note"),
              *color = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "color"), *price = gt_Input(gt_shape(1), .name = "price");
    gt_Tensor *all = gt_concatenate(gt_tensors(gt_call(bag, note), gt_call(normalize, price),
                                               gt_call(gt_Embedding(gt_vocabulary_size(lookup), 2), gt_call(lookup, color))),
                                    .axis = -1);
    gt_Layer *model = gt_Model(gt_tensors(color, note, price),
                               gt_tensors(gt_call(gt_Dense(2), gt_call(gt_Dense(6, .activation = gt_relu), all))));
    gt_compile(model, .optimizer = gt_Adam(0.05), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, wines, .epochs = 20, .verbose = GT_VERBOSITY_SILENT);
    gt_save_model(model, path);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());

    /* other rows: words that nobody knows, the columns in another order */
    put(table, "price,color,note\n4,red,\"sour, new\"\n18,rose,oak\n3,white,sour\n16,red,\n");
    gt_Dataset *new = gt_dataset_from_csv(table, .model = model, .shuffle = false);
    gt_Tensor *y = gt_predict(model, new);
    cr_assert(y, "%s", gt_error_message());
    snprintf(command, sizeof command, "'%s' '%s' '%s'", another(), path, table);
    answers(command, y, (const char *const[]){"poor", "good", "poor"}, 3);
    gt_dataset_free(new);
    gt_dataset_free(wines);
    gt_layer_free(model);
    unlink(path);
    unlink(table);
    gt_context_free(NULL);
    assert_no_leaks();
}
