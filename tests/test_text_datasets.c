/* Columns of text through datasets and batches, and models with ports for text that are fitted on them. */
#include <math.h>

#include "data_files.h"

#define SILENT .verbose = GT_VERBOSITY_SILENT
enum { ROWS = 23 };

/* Row i has the number i and the text "row i", which "" is for every fifth. */
static gt_Dataset *numbered(int64_t batch_size)
{
    static char text[ROWS][16];
    const char *lines[ROWS];
    for (int i = 0; i < ROWS; i++) {
        if (i % 5)
            snprintf(text[i], sizeof text[i], "row %d", i);
        lines[i] = text[i];
    }
    gt_Tensor *x = gt_arange(0, ROWS, 1);
    return gt_dataset_from_tensors(gt_reshape(x, gt_shape(ROWS, 1)), x, .text = gt_named_text({"line", gt_strings_from(lines, ROWS)}),
                                   .batch_size = batch_size, .seed = 3);
}

/* Each row of an epoch has its own text; how many rows there are. */
static int64_t fits(gt_Dataset *data)
{
    gt_Batch batch;
    int64_t rows = 0;
    ok();
    while (gt_dataset_next(data, &batch)) {
        cr_assert(batch.text_count == 1 && gt_strings_count(gt_batch_text(&batch, 0)) == batch.size);
        for (int64_t i = 0; i < batch.size; i++, rows++) {
            char wanted[16] = "";
            size_t length;
            int row = (int)gt_element(batch.x, i);
            const char *text = gt_strings_get(gt_batch_text(&batch, 0), i, &length);
            if (row % 5)
                snprintf(wanted, sizeof wanted, "row %d", row);
            cr_assert(strlen(wanted) == length && memcmp(text, wanted, length) == 0, "row %d has \"%.*s\"", row, (int)length,
                      text);
            cr_assert_eq(gt_element(batch.y, i), row);
        }
    }
    ok();
    gt_dataset_free(data);
    return rows;
}

static gt_Status untouched(void *user, gt_Batch *batch)
{
    (void)user;
    batch->y = gt_multiply(batch->y, 1);
    return gt_status();
}

static gt_Tensor *odd(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_equal(gt_mod(batch->x, 2), 1);
}

static gt_Status loud(void *user, gt_Batch *batch)
{
    (void)user;
    static const char *const letters[] = {"a", "b", "c", "d"};
    gt_batch_set_text(batch, 1, gt_batch_text(batch, 0));
    return gt_batch_set_text(batch, 0, gt_strings_from(letters, batch->size));
}

Test(text_datasets, carried)
{
    cr_assert_eq(fits(numbered(4)), ROWS);
    cr_assert_eq(fits(gt_dataset_shuffle(numbered(4), -1)), ROWS);
    cr_assert_eq(fits(gt_dataset_map(numbered(4), untouched, NULL)), ROWS);
    cr_assert_eq(fits(gt_dataset_filter(numbered(4), odd, NULL)), ROWS / 2);
    cr_assert_eq(fits(gt_dataset_shuffle(gt_dataset_filter(numbered(4), odd, NULL), 5)), ROWS / 2, "through a buffer");
    cr_assert_eq(fits(gt_dataset_take(gt_dataset_skip(numbered(4), 3), 11)), 11);
    cr_assert_eq(fits(gt_dataset_repeat(numbered(4), 3)), 3 * ROWS, "batches over the ends of epochs are joined");
    cr_assert_eq(fits(gt_dataset_batch(numbered(4), 7)), ROWS);
    cr_assert_eq(fits(gt_dataset_batch(numbered(4), 7, .pad = true)), ROWS);
    cr_assert_eq(fits(gt_dataset_cache(numbered(4))), ROWS);
    cr_assert_eq(fits(gt_dataset_prefetch(numbered(4), 2)), ROWS);
    cr_assert_eq(fits(gt_dataset_class_weight(numbered(4), gt_array(gt_shape(2), 1, 2))), ROWS);
    gt_Dataset *a, *b, *whole = numbered(4);
    gt_dataset_split(whole, 0.5, &a, &b);
    gt_dataset_free(whole);
    cr_assert_eq(fits(a) + fits(b), ROWS);
    /* text beside numbers of another dataset, and beside other text */
    gt_Dataset *both = gt_dataset_zip(gt_dataset_from_tensors(gt_ones(gt_shape(ROWS, 2)), NULL), numbered(4));
    cr_assert(gt_dataset_text_count(both) == 1 && gt_dataset_x_count(both) == 2);
    both = gt_dataset_zip(numbered(4), both);
    cr_assert_eq(gt_dataset_text_count(both), 2);
    gt_dataset_free(both);
    /* a function that makes text */
    gt_Batch batch;
    gt_Dataset *made = gt_dataset_map(gt_dataset_take(numbered(4), 4), loud, NULL);
    cr_assert(gt_dataset_next(made, &batch) && batch.text_count == 2, "%s", gt_error_message());
    size_t length;
    cr_assert_eq(*gt_strings_get(gt_batch_text(&batch, 0), 2, &length), 'c');
    cr_assert_null(gt_batch_text(&batch, 2).bytes);
    gt_dataset_free(made);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(text_datasets, alone)
{
    gt_Strings words = gt_strings("a", "b", "b", "c");
    gt_Dataset *data = gt_dataset_from_tensors(NULL, gt_array(gt_shape(4), 0, 1, 1, 0), .text = gt_named_text({"word", words}),
                                               .batch_size = 3);
    ok();
    cr_assert(gt_dataset_x_count(data) == 0 && gt_dataset_text_count(data) == 1 && gt_dataset_size(data) == 4);
    cr_assert_str_eq(gt_dataset_text_name(data, 0), "word");
    refused(gt_dataset_text_name(data, 1), GT_INVALID, "the dataset has 1 columns of text");
    gt_Batch batch;
    cr_assert(gt_dataset_next(data, &batch) && batch.size == 3 && !batch.x && batch.y);
    gt_Layer *lookup = gt_StringLookup(), *hash = gt_Hashing(4);
    gt_adapt(lookup, data);
    ok();
    cr_assert_eq(gt_vocabulary_size(lookup), 4);
    refused(gt_adapt(lookup, data, .input = 1), GT_INVALID, "the dataset has no text 1 (it has 1)");
    gt_Dataset *numbers = gt_dataset_from_tensors(gt_ones(gt_shape(3, 1)), NULL);
    refused(gt_adapt(lookup, numbers), GT_INVALID, "or a dataset with columns of text (this one has none)");
    refused(gt_adapt(hash, data), GT_UNSUPPORTED, "learns nothing");

    refused(gt_dataset_from_tensors(NULL, NULL), GT_INVALID, "x");
    refused(gt_dataset_from_tensors(gt_ones(gt_shape(3, 1)), NULL, .text = gt_named_text({"word", words})), GT_INVALID,
            "x and text 0 must have the same number of rows (got 3 and 4)");
    refused(gt_dataset_from_tensors(NULL, gt_ones(gt_shape(3)), .text = gt_named_text({"word", words})), GT_INVALID,
            "text and y must have the same number of rows (got 4 and 3");
    refused(gt_dataset_from_tensors(NULL, NULL, .text = gt_named_text({"word", gt_strings_in_rows(words, 2)})), GT_INVALID,
            "must be a column");
    refused(gt_dataset_from_tensors(NULL, NULL, .text = gt_named_text({"word", {NULL, NULL, 0}})), GT_INVALID, "word");
    gt_Tensor *x = gt_ones(gt_shape(4, 1));
    refused(gt_dataset_from_tensors(NULL, NULL, .more_x = gt_tensors(x), .text = gt_named_text({"word", words})), GT_INVALID,
            "more_x comes after x");
    refused(gt_batch_set_text(&batch, 2, words), GT_INVALID, "index 0 to 1");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- tables ---- */

static const char wines[] = "note,color,price,quality\n"
                            "\"dry, with oak\",red,9.5,good\nsweet,white,4,poor\n?,red,20,good\n\"flat\nand sour\",white,3,poor\n"
                            "oak and plum,red,12,good\nsour,rose,5,poor\n";

Test(text_datasets, tables, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *data = gt_dataset_from_csv(put_text("w.csv", wines), .text = gt_names("note", "color"), .na = gt_names("?"),
                                           .shuffle = false);
    ok();
    gt_Batch batch;
    size_t length;
    cr_assert(gt_dataset_next(data, &batch) && batch.text_count == 2 && gt_dataset_x(data).dims[1] == 1);
    cr_assert_str_eq(gt_dataset_text_name(data, 1), "color");
    const char *note = gt_strings_get(gt_batch_text(&batch, 0), 0, &length);
    cr_assert(length == 13 && memcmp(note, "dry, with oak", 13) == 0);
    gt_strings_get(gt_batch_text(&batch, 0), 2, &length);
    cr_assert_eq(length, 0, "a missing text is \"\", and no error");
    gt_strings_get(gt_batch_text(&batch, 1), 5, &length);
    cr_assert_eq(length, 4);
    gt_Dataset *dropped = gt_dataset_from_csv(files_path, .text = gt_names("note"), .columns = gt_names("price"),
                                              .na = gt_names("?"), .missing = GT_MISSING_DROP, .shuffle = false);
    cr_assert(gt_dataset_next(dropped, &batch) && batch.size == 5);
    note = gt_strings_get(gt_batch_text(&batch, 0), 2, &length);
    cr_assert(length == 13 && memcmp(note, "flat\nand sour", 13) == 0, "%.*s", (int)length, note);
    /* text alone; like it; dates are text like any other */
    gt_Dataset *alone = gt_dataset_from_csv(put_text("d.csv", "day,y\n2024-01-31,a\n2024-02-01,b\n"), .text = gt_names("day"));
    ok();
    cr_assert(gt_dataset_x_count(alone) == 0 && gt_dataset_column_count(alone) == 0 && gt_dataset_size(alone) == 2);
    gt_Dataset *like = gt_dataset_from_csv(put_text("d.csv", "day\nnever\n"), .like = alone);
    ok();
    cr_assert(gt_dataset_text_count(like) == 1 && gt_dataset_y_count(like) == 0);
    refused(gt_dataset_from_csv(files_path, .text = gt_names("night")), GT_INVALID, "has no column \"night\"");
    refused(gt_dataset_from_csv(files_path, .like = alone, .text = gt_names("day")), GT_INVALID, "text cannot be given with like");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- models ---- */

/* A note as a bag of words, a color by its index, a price around 0: each port by the layer that learned from the column. */
static gt_Layer *of_wines(gt_Dataset *data)
{
    gt_Layer *bag = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_MULTI_HOT, .max_tokens = 12),
             *lookup = gt_StringLookup(), *normalize = gt_Normalization();
    gt_adapt(bag, data);
    gt_adapt(lookup, data, .input = 1);
    gt_adapt(normalize, data);
    gt_Tensor *color = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "color"),
              *note = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "note"), *price = gt_Input(gt_shape(1), .name = "price");
    gt_Tensor *embedded = gt_call(gt_Embedding(gt_vocabulary_size(lookup), 2), gt_call(lookup, color));
    gt_Tensor *all = gt_concatenate(gt_tensors(embedded, gt_call(bag, note), gt_call(normalize, price)), .axis = -1);
    return gt_Model(gt_tensors(color, price, note), gt_tensors(gt_call(gt_Dense(2), gt_call(gt_Dense(6, .activation = gt_relu), all))));
}

static double fit_wines(gt_Dataset *data, bool eagerly, gt_Layer **made, float *weights)
{
    gt_set_seed(5);
    gt_Layer *model = of_wines(data);
    ok();
    gt_compile(model, .optimizer = gt_Adam(0.05), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()), .run_eagerly = eagerly);
    gt_dataset_seek(data, (gt_DatasetPosition){0, 0});
    gt_History *history = gt_fit(model, data, .epochs = 30, .validation = data, SILENT);
    ok();
    double loss = gt_history_get(history, "val_loss", -1);
    memcpy(weights, gt_float32_data(gt_weights(model).items[0]), 8 * sizeof *weights);
    if (made)
        *made = model;
    return loss;
}

Test(text_datasets, fit, .init = open_folder, .fini = close_folder)
{
    /* the columns come in another order than the ports: names tell which is which */
    gt_Dataset *data = gt_dataset_from_csv(put_text("w.csv", wines), .text = gt_names("note", "color"), .na = gt_names("?"),
                                           .batch_size = 4, .seed = 2);
    ok();
    gt_Layer *model;
    float planned[8], eager[8];
    double loss = fit_wines(data, false, &model, planned);
    cr_assert(loss < 0.2, "%g", loss);
    cr_assert_eq(fit_wines(data, true, NULL, eager), loss, "looked up ahead or in place, the numbers are the same");
    cr_assert(memcmp(planned, eager, sizeof planned) == 0, "the embedding is trained alike");
    gt_Scores scores = gt_evaluate(model, data);
    cr_assert(fabs(scores.metrics[0] - 1) < 1e-6);
    /* as a call that names its text */
    gt_Tensor *y = gt_predict(model, data);
    gt_Dataset *ordered = gt_dataset_shuffle(data, 1);
    gt_Batch batch;
    gt_Dataset *all = gt_dataset_batch(ordered, 6);
    gt_dataset_seek(all, (gt_DatasetPosition){0, 0});
    cr_assert(gt_dataset_next(all, &batch));
    gt_Tensor *direct = gt_call(model, NULL, .named = gt_named({"price", batch.x}),
                                .named_text = gt_named_text({"note", gt_batch_text(&batch, 0)}, {"color", gt_batch_text(&batch, 1)}));
    ok();
    cr_assert(gt_size(y) == 12 && memcmp(gt_float32_data(y), gt_float32_data(direct), 12 * sizeof(float)) == 0);

    /* what goes wrong */
    gt_Dataset *numbers = gt_dataset_from_csv(put_text("n.csv", wines), .columns = gt_names("price"), .na = gt_names("?"));
    refused(gt_fit(model, numbers, SILENT), GT_INVALID, "text column 0, \"note\", is in the table that the model knows alone");
    gt_set_table(model, numbers);
    refused(gt_fit(model, numbers, SILENT), GT_INVALID, "the input \"color\" must be text");
    gt_Dataset *one = gt_dataset_from_csv(files_path, .text = gt_names("note"), .columns = gt_names("price"), .na = gt_names("?"));
    gt_set_table(model, one);
    refused(gt_fit(model, one, SILENT), GT_INVALID, "missing");
    gt_Layer *plain = gt_Sequential(gt_Dense(2));
    gt_build(plain, gt_shape(1, 1), GT_FLOAT32);
    gt_compile(plain, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    refused(gt_predict(plain, one), GT_INVALID, "");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Columns of text in another order, for inputs whose names do not say which is which. */
Test(text_datasets, swapped_columns, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *data = gt_dataset_from_csv(put_text("w.csv", wines), .text = gt_names("note", "color"), .columns = gt_names("price"),
                                           .na = gt_names("?"));
    gt_Dataset *swapped = gt_dataset_from_csv(files_path, .text = gt_names("color", "note"), .columns = gt_names("price"),
                                              .na = gt_names("?"));
    for (int named = 0; named < 2; named++) {
        gt_Layer *notes = gt_StringLookup(.output_mode = GT_OUTPUT_MODE_ONE_HOT);
        gt_Layer *colors = gt_StringLookup(.output_mode = GT_OUTPUT_MODE_ONE_HOT);
        gt_adapt(notes, data);
        gt_adapt(colors, data, .input = 1);
        gt_Tensor *note = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = named ? "note" : NULL);
        gt_Tensor *color = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = named ? "color" : NULL);
        gt_Tensor *price = gt_Input(gt_shape(1), .name = "price");
        gt_Tensor *x = gt_concatenate(gt_tensors(gt_call(notes, note), gt_call(colors, color), price), .axis = 1);
        gt_Layer *model = gt_Model(gt_tensors(note, color, price), gt_tensors(x));
        gt_set_table(model, data);
        ok();
        if (!named) {
            refused(gt_predict(model, swapped), GT_INVALID,
                    "text column 0 is \"color\", the model's is \"note\": read the table with .model");
            continue;
        }
        gt_Tensor *y = gt_predict(model, data), *z = gt_predict(model, swapped);
        ok();
        cr_assert(gt_size(y) == gt_size(z) && memcmp(gt_float32_data(y), gt_float32_data(z), (size_t)gt_size(y) * sizeof(float)) == 0);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A Sequential that begins with text, one that begins with an InputLayer, one inside a model; steps of one's own. */
static gt_Status own_step(const gt_StepArgs *in)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(in->model, NULL, .text = gt_batch_text(in->batch, 0), .training = true);
    gt_Tensor *loss = gt_step_loss(in, gt_tensors(y));
    if (loss)
        gt_minimize(in->optimizer, tape, loss, gt_trainable_variables(in->model));
    gt_tape_end(tape);
    return gt_status();
}

Test(text_datasets, sequential)
{
    gt_Strings reviews = gt_strings("good wine", "bad wine", "a good red", "a bad red", "good", "so bad", "good good", "bad bad bad");
    gt_Tensor *likes = gt_array(gt_shape(8, 1), 1, 0, 1, 0, 1, 0, 1, 0);
    gt_Dataset *data = gt_dataset_from_tensors(NULL, likes, .text = gt_named_text({"review", reviews}), .batch_size = 3, .seed = 1);
    for (int kind = 0; kind < 4; kind++) {
        gt_Layer *vectorize = gt_TextVectorization(.output_sequence_length = 4);
        gt_adapt(vectorize, data);
        gt_Layer *embedding = gt_Embedding(gt_vocabulary_size(vectorize), 8, .mask_zero = true),
                 *pool = gt_GlobalAveragePooling1D(), *dense = gt_Dense(1, .activation = gt_sigmoid);
        gt_Layer *model;
        if (kind == 1)
            model = gt_Sequential(gt_InputLayer(gt_shape(), .dtype = GT_TEXT), vectorize, embedding, pool, dense);
        else if (kind == 2)
            model = gt_Sequential(gt_Sequential(vectorize, embedding), gt_Sequential(pool, dense));
        else
            model = gt_Sequential(vectorize, embedding, pool, dense);
        gt_compile(model, .optimizer = gt_Adam(0.05), .loss = gt_BinaryCrossentropy(), .train_step = kind == 3 ? own_step : NULL);
        gt_fit(model, data, .epochs = 60, SILENT);
        ok();
        gt_Scores scores = gt_evaluate(model, data);
        cr_assert(scores.loss < 0.1, "kind %d: %g", kind, scores.loss);
        gt_Tensor *y = gt_predict(model, data);
        cr_assert(gt_element(y, 0) > 0.5 && gt_element(y, 1) < 0.5);
        gt_layer_free(model);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}


static void life(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = gt_dataset_from_tensors(NULL, gt_array(gt_shape(4, 1), 0, 1, 1, 0),
                                               .text = gt_named_text({"word", gt_strings("a", "b", "b", "c")}), .batch_size = 3);
    data = gt_dataset_shuffle(gt_dataset_cache(data), -1);
    gt_Layer *lookup = gt_StringLookup(.vocabulary = gt_strings("a", "b"));
    gt_Layer *model = gt_Sequential(lookup, gt_Embedding(3, 1));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_MeanSquaredError());
    gt_fit(model, data, .epochs = 1, SILENT);
    gt_layer_free(model);
    gt_dataset_free(data);
    if (scope)
        gt_scope_end(scope);
}

Test(text_datasets, no_memory)
{
    fail_allocations(life);
    assert_no_leaks();
}
