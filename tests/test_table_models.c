/* A model knows how the table was read that it was fitted on, and so does its file: new tables are read by it. */
#include <math.h>

#include "data_files.h"

#define SILENT .verbose = GT_VERBOSITY_SILENT

/* As a spreadsheet of central Europe writes it: 48 rows. */
static const char *put_homes(const char *name)
{
    static const char *const city[] = {"Graz", "Linz", "Wien"}, *const kind[] = {"house", "flat", "studio"};
    FILE *file = fopen(in_folder(name), "w");
    fputs("exported\nid;city;size;age;kind\n", file);
    for (int i = 0; i < 48; i++)
        fprintf(file, "%d;%s;%d,5;%s;%s\n", i, city[i / 5 % 3], 120 - i % 3 * 45 + i % 7, i % 11 ? "34,7" : "?",
                kind[i % 3]);
    fclose(file);
    return files_path;
}

static gt_Dataset *read_homes(void)
{
    return gt_dataset_from_csv(put_homes("homes.csv"), .label = "kind", .without = gt_names("id"), .decimal = ',',
                               .na = gt_names("?"), .missing = GT_MISSING_MEAN, .one_hot = true, .scale = 0.01,
                               .skip_rows = 1, .shuffle = false, .batch_size = 16);
}

static gt_Layer *fit_homes(gt_Dataset *homes)
{
    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_relu), gt_Dense(3));
    gt_compile(model, .optimizer = gt_Adam(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, homes, .epochs = 2, SILENT);
    return model;
}

static gt_Batch first_batch(gt_Dataset *data)
{
    gt_Batch batch = {.size = 0};
    gt_dataset_next(data, &batch);
    ok();
    return batch;
}

/* The bits of a tensor, which another context may compare with. */
static void take_numbers(gt_Tensor *x, float *into, int64_t count)
{
    cr_assert(x && gt_size(x) == count, "%s", gt_error_message());
    memcpy(into, gt_float32_data(x), (size_t)count * sizeof *into);
}

static void same_numbers(gt_Tensor *x, const float *wanted, int64_t count)
{
    cr_assert(x && gt_size(x) == count, "%s", gt_error_message());
    cr_assert(memcmp(gt_float32_data(x), wanted, (size_t)count * sizeof *wanted) == 0);
}

/* A copy of what the file says of the table. */
static char *table_text(const char *path)
{
    gt_TensorFile *file = gt_open_tensors(path);
    const char *text = file ? gt_tensor_file_metadata(file, "gradtape.table") : NULL;
    char *copy = text ? strcpy(malloc(strlen(text) + 1), text) : NULL;
    gt_tensor_file_free(file);
    ok();
    return copy;
}

/* Columns in another order, without labels, with gaps: in a context that has the model's file and nothing else. */
static const char unseen[] = "exported\nage;size;city\n34,7;31,5;Wien\n?;120,25;Graz\n";

Test(table_models, another_context, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *homes = read_homes();
    gt_Layer *model = fit_homes(homes);
    ok();
    cr_assert(gt_has_table(model));
    gt_Dataset *like = gt_dataset_from_csv(put_text("new.csv", unseen), .like = homes, .shuffle = false);
    ok();
    gt_Batch before = first_batch(like);
    cr_assert(before.size == 2 && gt_tensor_shape(before.x).dims[1] == 5 && !before.y);
    cr_assert(fabs(gt_element(before.x, 3) - 0.315) < 1e-6 && gt_element(before.x, 2) == 1 &&
                  fabs(gt_element(before.x, 9) - 0.347) < 1e-6,
              "scale, decimal comma, one-hot and mean are those of the training table");
    float x[10], y[6];
    take_numbers(before.x, x, 10);
    take_numbers(gt_predict(model, like), y, 6);
    gt_save_model(model, in_folder("homes.gradtape"));
    ok();
    char *text = table_text(files_path);
    cr_assert(text != NULL);

    gt_Context *first = gt_context(), *second = gt_context_create(.seed = 3);
    gt_context_use(second);
    gt_Layer *loaded = gt_load_model(files_path);
    ok();
    cr_assert(gt_has_table(loaded) && gt_class_count(loaded) == 3);
    gt_Dataset *rows = gt_dataset_from_csv(in_folder("new.csv"), .model = loaded, .shuffle = false);
    ok();
    same_numbers(first_batch(rows).x, x, 10);
    same_numbers(gt_predict(loaded, rows), y, 6);
    cr_assert_str_eq(gt_dataset_column_name(rows, 2), "city=Wien");
    cr_assert_str_eq(gt_dataset_class_name(rows, 2), "studio");
    cr_assert_str_eq(gt_class_name(loaded, 2), "studio");
    /* the file of the loaded model says the same, and its table is one to be like */
    gt_save_model(loaded, in_folder("again.gradtape"));
    char *again = table_text(files_path);
    cr_assert_str_eq(again, text);
    gt_Dataset *more = gt_dataset_from_csv(put_text("new.csv", unseen), .like = rows, .shuffle = false);
    same_numbers(first_batch(more).x, x, 10);
    /* the table that it was trained on, with its labels: evaluated, and trained on */
    gt_Dataset *old = gt_dataset_from_csv(put_homes("homes.csv"), .model = loaded, .label = "kind");
    gt_fit(loaded, old, .epochs = 3, .initial_epoch = 2, SILENT);
    ok();
    gt_context_free(second);
    gt_context_use(first);
    free(text);
    free(again);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What is given counts more than what the model knows. */
Test(table_models, given, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *homes = read_homes();
    gt_Layer *model = fit_homes(homes);
    gt_Dataset *other = gt_dataset_from_csv(
        put_text("p.csv", "city,size,age\nWien,31.5,-\nGraz,1.5,2\n"), .model = model, .decimal = '.', .delimiter = ',',
        .na = gt_names("-"), .skip_rows = 0, .scale = 1, .one_hot = false, .missing = GT_MISSING_VALUE,
        .missing_value = 7, .dtype = GT_FLOAT64, .shuffle = false);
    ok();
    const double wanted[] = {2, 31.5, 7, 0, 1.5, 2};
    gt_Batch batch = first_batch(other);
    cr_assert(gt_size(batch.x) == 6 && gt_dtype(batch.x) == GT_FLOAT64);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(gt_element(batch.x, i), wanted[i], "number %d is %g", i, gt_element(batch.x, i));
    other = gt_dataset_from_csv(put_text("p.csv", "\ncity;size;age\nWien;31,5;1\n?;1,5;2\n"), .model = model,
                                .missing = GT_MISSING_DROP);
    ok();
    cr_assert_eq(gt_dataset_size(other), 1);

    refused(gt_dataset_from_csv(files_path, .model = model, .like = homes), GT_INVALID, "give like or model, not both");
    refused(gt_dataset_from_csv(files_path, .model = model, .columns = gt_names("city")), GT_INVALID,
            "columns cannot be given with model");
    refused(gt_dataset_from_csv(files_path, .like = homes, .weight = "w"), GT_INVALID, "weight cannot be given with like");
    refused(gt_dataset_from_csv(files_path, .model = model, .label = "kind"), GT_INVALID, "has no column \"kind\"");
    refused(gt_dataset_from_csv(put_text("p.csv", "\ncity;size;age\nRom;31,5;1\n"), .model = model), GT_FORMAT,
            "\"Rom\" in column \"city\" is new");
    refused(gt_dataset_from_csv(put_text("p.csv", "\ncity;size\nGraz;31,5\n"), .model = model), GT_INVALID,
            "has no column \"age\"");
    refused(gt_dataset_from_csv(files_path, .scale = 1 / 16), GT_INVALID, "in C 1 / 16 is 0, and 1.0 / 16 is not");
    refused(gt_dataset_from_csv(files_path, .one_hot = 2), GT_INVALID, "one_hot must be true or false");
    refused(gt_dataset_from_csv(files_path, .na = gt_names("a", NULL)), GT_INVALID, "name 1 of na is NULL");
    gt_Layer *bare = gt_Dense(1);
    refused(gt_dataset_from_csv(files_path, .model = bare), GT_INVALID, "does not know how its table was read");
    cr_assert_not(gt_has_table(bare));
    refused(gt_has_table(NULL), GT_INVALID, "NULL");
    gt_layer_free(bare);
    /* names that are known make a header, also where no row follows or the rows look like it */
    refused(gt_dataset_from_csv(put_text("p.csv", "\nage;city;size\n"), .model = model), GT_FORMAT,
            "p.csv: a header and no rows");
    refused(gt_dataset_from_csv(files_path, .like = homes), GT_FORMAT, "p.csv: a header and no rows");
    gt_Dataset *moods = gt_dataset_from_csv(put_text("m.csv", "mood,way,y\ngood,mood,1\nbad,way,0\n"));
    gt_Dataset *same = gt_dataset_from_csv(put_text("m.csv", "mood,way\ngood,way\n"), .like = moods);
    ok();
    cr_assert_eq(gt_dataset_size(same), 1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Without gaps, or with rows left out, the mean is known all the same; that rows are left out is said each time. */
Test(table_models, gaps, .init = open_folder, .fini = close_folder)
{
    static const char gap[] = "a,b\n,1\n5,2\n";
    gt_Dataset *whole = gt_dataset_from_csv(put_text("t.csv", "a,b,y\n1,2,0\n3,4,1\n"), .shuffle = false);
    gt_Layer *model = gt_Sequential(gt_Dense(2));
    gt_set_table(model, whole);
    ok();
    refused(gt_dataset_from_csv(put_text("g.csv", gap), .model = model), GT_FORMAT, "a value is missing (column \"a\")");
    gt_Dataset *mean =
        gt_dataset_from_csv(put_text("g.csv", gap), .model = model, .missing = GT_MISSING_MEAN, .shuffle = false);
    ok();
    cr_assert_eq(gt_element(first_batch(mean).x, 0), 2);

    gt_Dataset *dropped = gt_dataset_from_csv(put_text("d.csv", "a,b,y\n1,2,0\n,9,1\n3,4,1\n"),
                                              .missing = GT_MISSING_DROP);
    cr_assert_eq(gt_dataset_size(dropped), 2);
    refused(gt_dataset_from_csv(put_text("g.csv", gap), .like = dropped), GT_FORMAT, "a value is missing");
    gt_Dataset *valued = gt_dataset_from_csv(put_text("v.csv", "a,b,y\n1,2,0\n,9,1\n"), .missing = GT_MISSING_VALUE,
                                             .missing_value = -3);
    gt_Dataset *like = gt_dataset_from_csv(put_text("g.csv", gap), .like = valued, .shuffle = false);
    ok();
    cr_assert_eq(gt_element(first_batch(like).x, 0), -3);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(table_models, set_table, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *homes = read_homes();
    gt_Layer *model = gt_Sequential(gt_Dense(3));
    gt_set_table(model, homes);
    ok();
    cr_assert(gt_has_table(model) && gt_class_count(model) == 3);
    /* another table whose categories have other numbers */
    gt_Dataset *other = gt_dataset_from_csv(put_text("o.csv", "city;size;age;kind\nBern;1,5;2;flat\nWien;2,5;2;house\n"
                                                              "Graz;1,5;2;studio\n"),
                                            .decimal = ',', .one_hot = true);
    ok();
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    refused(gt_fit(model, other, SILENT), GT_INVALID,
            "column 0, \"city\", has other categories than in the table that the model knows");
    gt_set_table(model, other);
    gt_fit(model, other, SILENT);
    ok();
    gt_Dataset *plain = gt_dataset_from_tensors(gt_ones(gt_shape(4, 5)), NULL);
    refused(gt_set_table(model, plain), GT_INVALID, "the dataset was not read from a table");
    cr_assert(gt_has_table(model));
    gt_Dataset *yews = gt_dataset_from_csv(put_text("y.csv", "a,b\n1,yew\n2,oak\n"));
    refused(gt_set_table(model, yews), GT_INVALID, "class 0 is \"oak\" of 2 in the dataset");
    cr_assert(gt_has_table(model), "a failure leaves what was known");
    gt_Layer *bare = gt_Sequential(gt_Dense(1));
    gt_build(bare, gt_shape(1, 2), GT_FLOAT32);
    gt_save_model(bare, in_folder("m"));
    cr_assert_null(table_text(files_path));
    refused(gt_set_table(NULL, homes), GT_INVALID, "NULL");
    refused(gt_set_table(model, NULL), GT_INVALID, "NULL");
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Dataset *read_as(const char *text, bool one_hot)
{
    gt_Dataset *data = gt_dataset_from_csv(put_text("as.csv", text), .one_hot = one_hot, .shuffle = false);
    ok();
    return data;
}

/* Training, validating, evaluating and predicting all refuse it. */
static void no_use(gt_Layer *model, gt_Dataset *own, gt_Dataset *other, const char *message)
{
    refused(gt_fit(model, other, SILENT), GT_INVALID, message);
    refused(gt_fit(model, own, .validation = other, SILENT), GT_INVALID, message);
    refused(gt_train_for(model, other, 1, .steps = 1), GT_INVALID, message);
    refused(gt_evaluate(model, other), GT_INVALID, message);
    refused(gt_predict(model, other), GT_INVALID, message);
}

/* Numbers that mean another thing than in training are never taken in silence. */
Test(table_models, other_tables, .init = open_folder, .fini = close_folder)
{
    static const char rows[] = "city,size,kind\nGraz,1,flat\nLinz,2,house\nWien,3,studio\n";
    gt_Dataset *own = read_as(rows, true);
    gt_Layer *model = gt_Sequential(gt_Dense(3));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, own, SILENT);
    ok();
    no_use(model, own, read_as("city,size,kind\nGraz,1,flat\nLinz,2,house\nWien,3,villa\n", true),
           "class 2 is \"villa\" of 3 in the dataset, and \"studio\" of 3 in the model");
    no_use(model, own, read_as("city,size,kind\nGraz,1,flat\nLinz,2,house\nWien,3,flat\n", true),
           "class 2 is \"\" of 2 in the dataset, and \"studio\" of 3 in the model");
    no_use(model, own, read_as("city,size,kind\nBern,1,flat\nLinz,2,house\nWien,3,studio\n", true),
           "column 0, \"city\", has other categories");
    no_use(model, own, read_as("size,city,kind\n1,Graz,flat\n2,Linz,house\n3,Wien,studio\n", true),
           "column 0 is \"size\", the model's is \"city\": read the table with .model");
    no_use(model, own, read_as("city,price,kind\nGraz,1,flat\nLinz,2,house\nWien,3,studio\n", true),
           "column 1 is \"price\", the model's is \"size\"");
    no_use(model, own, read_as("city,size,age,kind\nGraz,1,1,flat\nLinz,2,2,house\nWien,3,3,studio\n", true),
           "column 2, \"age\", is in the dataset alone");
    no_use(model, own, read_as("city,kind\nGraz,flat\nLinz,house\nWien,studio\n", true),
           "column 1, \"size\", is in the table that the model knows alone");
    no_use(model, own, read_as("city,size,kind\nGraz,a,flat\nLinz,b,house\nWien,c,studio\n", true),
           "column 1, \"size\", is categories, and in the table that the model knows numbers");
    no_use(model, own, read_as(rows, false), "the dataset was read without .one_hot, the model's table with");
    gt_fit(model, own, .validation = read_as(rows, true), SILENT);
    gt_predict(model, gt_dataset_from_csv(put_text("n.csv", "size,city\n1,Wien\n"), .model = model));
    gt_evaluate(model, gt_ones(gt_shape(3, 4)), .y = gt_zeros(gt_shape(3), .dtype = GT_INT32));
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Places instead of names, bytes that are no UTF-8, the first line of scikit-learn's tables, weights. */
Test(table_models, odd_tables, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *data = gt_dataset_from_csv(put_text("t.csv", "Z\xfcrich,1,0\nBasel,2,1\nBasel,3,0\n"),
                                           .categories = gt_names("2"));
    gt_Layer *model = gt_Sequential(gt_Dense(2));
    gt_set_table(model, data);
    gt_build(model, gt_shape(1, 2), GT_FLOAT32);
    gt_save_model(model, in_folder("m"));
    gt_Layer *loaded = gt_load_model(files_path);
    ok();
    gt_Dataset *rows =
        gt_dataset_from_csv(put_text("n.csv", "Z\xfcrich,5\nBasel,6\n"), .model = loaded, .shuffle = false);
    ok();
    cr_assert_str_eq(gt_dataset_category_name(rows, 0, 1), "Z\xfcrich");
    cr_assert_eq(gt_element(first_batch(rows).x, 0), 1);
    cr_assert_str_eq(gt_class_name(loaded, 1), "1");

    gt_Dataset *iris = gt_dataset_from_csv(put_text("i.csv", "4,2,oak,ash\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n"));
    ok();
    cr_assert_eq(gt_dataset_class_count(iris), 2);
    gt_Layer *trees = gt_Sequential(gt_Dense(2));
    gt_set_table(trees, iris);
    gt_build(trees, gt_shape(1, 2), GT_FLOAT32);
    gt_save_model(trees, in_folder("m"));
    loaded = gt_load_model(files_path);
    rows = gt_dataset_from_csv(put_text("n.csv", "1,2\n3,4\n"), .model = loaded, .header = GT_HEADER_NO);
    ok();
    cr_assert(gt_dataset_y_count(rows) == 0 && strcmp(gt_dataset_class_name(rows, 1), "ash") == 0);

    gt_Dataset *weighted = gt_dataset_from_csv(put_text("w.csv", "a,w,y\n1,2,0.5\n3,4,1\n"), .weight = "w");
    rows = gt_dataset_from_csv(put_text("w.csv", "y,w,a\n1,3,2\n"), .like = weighted);
    gt_Batch batch = first_batch(rows);
    cr_assert(gt_element(batch.weights[0], 0) == 3 && gt_dtype(batch.y) == GT_FLOAT32,
              "labels that had a fraction are values, also where none has one");
    rows = gt_dataset_from_csv(put_text("w.csv", "a\n2\n"), .like = weighted);
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- files that cannot be ---- */

/* The model's file with a piece of what it says of its table replaced by one of the same length. */
static void damaged(const char *from, const char *to, const char *message)
{
    static char bytes[1 << 16];
    size_t length = strlen(from), at = 0;
    FILE *file = fopen(in_folder("m"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert_eq(length, strlen(to));
    while (at + length <= n && memcmp(bytes + at, from, length) != 0)
        at++;
    cr_assert(at + length <= n, "%s is not in the file", from);
    memcpy(bytes + at, to, length);
    put_file("d", bytes, n);
    refused(gt_load_model(files_path), GT_FORMAT, message);
}

Test(table_models, damaged, .init = open_folder, .fini = close_folder)
{
    gt_Layer *model = fit_homes(read_homes());
    gt_save_model(model, in_folder("m"));
    ok();
    /* inside the metadata quotes have a backslash */
    damaged("{\\\"gradtape\\\":1,\\\"delimiter", "{\\\"gradtape\\\":2,\\\"delimiter",
            "what it says of its table is of version 2");
    damaged("\\\"decimal\\\"", "\\\"decimol\\\"", "nothing is known of \"decimol\"");
    damaged("\\\"missing\\\":\\\"mean\\\"", "\\\"missing\\\":\\\"meen\\\"", "\"missing\" must be a word");
    damaged("\\\"skip_rows\\\":1", "\\\"skip_rows\\\":x", "");
    damaged("\\\"role\\\":\\\"label\\\"", "\\\"role\\\":\\\"libel\\\"", "\"role\" must be a word");
    damaged("\\\"field\\\":1", "\\\"feild\\\":1", "nothing is known of \"feild\"");
    damaged("[\\\"Graz\\\",\\\"Linz\\\"", "[\\\"Graz\\\",\\\"Graz\\\"", "\"categories\" must be texts without zeros, each once");
    damaged("[\\\"Graz\\\",\\\"Linz\\\"", "[      12,\\\"Linz\\\"", "a list of strings has something else");
    damaged("\\\"one_hot\\\":true", "\\\"one_hot\\\":null", "\"one_hot\" must be true or false");
    damaged("\\\"columns\\\":[{", "\\\"columns\\\":{[", "");
    damaged("\\\"dtype\\\":\\\"float32\\\",\\\"label", "\\\"dtype\\\":\\\"floot32\\\",\\\"label", "\"dtype\" must be a dtype");
    gt_context_free(NULL);
    assert_no_leaks();
}

static void life(void)
{
    gt_Dataset *homes = gt_dataset_from_csv(in_folder("homes.csv"), .skip_rows = 1, .decimal = ',', .na = gt_names("?"),
                                            .missing = GT_MISSING_MEDIAN);
    gt_Layer *model = gt_Sequential(gt_Dense(2));
    gt_set_table(model, homes);
    gt_build(model, gt_shape(1, 4), GT_FLOAT32);
    gt_save_model(model, in_folder("m"));
    gt_Layer *loaded = gt_load_model(in_folder("m"));
    gt_Dataset *rows = gt_dataset_from_csv(in_folder("homes.csv"), .model = loaded);
    gt_dataset_free(rows);
    gt_layer_free(loaded);
    gt_layer_free(model);
    gt_dataset_free(homes);
}

Test(table_models, no_memory, .init = open_folder, .fini = close_folder)
{
    put_homes("homes.csv");
    fail_allocations(life);
    assert_no_leaks();
}

/* A function of gt_dataset_map leaves the last column out, or doubles all of them. */
static gt_Status leave_out(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_get_item(batch->x, ":, :-1");
    return gt_status();
}

static gt_Status twice(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_multiply(batch->x, 2);
    return gt_status();
}

static gt_Status breaks(void *user, gt_Batch *batch)
{
    (void)user, (void)batch;
    return gt_fail(GT_INVALID, "the function is broken");
}

Test(table_models, columns_that_a_map_made, .init = open_folder, .fini = close_folder)
{
    const char *const narrow = "a,b,y\n1,2,0\n3,4,1\n5,7,1\n", *const wide = "a,b,more,y\n1,2,8,0\n3,4,9,1\n5,7,7,1\n",
               *const other = "b,a,more,y\n1,2,8,0\n3,4,9,1\n";
    gt_Dataset *a = read_as(narrow, false), *b = gt_dataset_map(read_as(wide, false), leave_out, NULL);
    /* The names are those of the columns while there are as many. */
    cr_assert(gt_dataset_column_count(a) == 2 && gt_dataset_column_count(b) == 0 && gt_dataset_class_count(b) == 0);
    refused(gt_dataset_column_name(b, 0), GT_INVALID, "names for 0 columns");
    refused(gt_dataset_category_count(b, 0), GT_INVALID, "names for 0 columns");
    gt_Dataset *doubled = gt_dataset_batch(gt_dataset_map(read_as(narrow, false), twice, NULL), 2);
    cr_assert_str_eq(gt_dataset_column_name(doubled, 1), "b");

    /* Fitted on a table; the data of another one is brought to the same columns. */
    gt_Layer *model = gt_Sequential(gt_Dense(2));
    gt_compile(model, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, a, SILENT);
    gt_evaluate(model, b);
    gt_fit(model, gt_dataset_take(b, 2), .validation = doubled, SILENT);
    ok();
    gt_Dataset *swapped = gt_dataset_map(read_as("b,a,y\n1,2,0\n3,4,1\n", false), twice, NULL);
    refused(gt_evaluate(model, swapped), GT_INVALID, "column 0 is \"b\", the model's is \"a\"");

    /* Fitted on what a map made; the table is known, not the columns of x. */
    gt_Dataset *mapped = gt_dataset_map(read_as(wide, false), leave_out, NULL);
    gt_Layer *second = gt_Sequential(gt_Dense(2));
    gt_compile(second, .optimizer = gt_SGD(), .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(second, mapped, SILENT);
    gt_evaluate(second, a);
    gt_Dataset *again = gt_dataset_from_csv(put_text("again.csv", wide), .model = second);
    cr_assert_eq(gt_dataset_column_count(again), 3);
    gt_evaluate(second, gt_dataset_map(again, leave_out, NULL));
    ok();
    gt_Dataset *turned = gt_dataset_map(read_as(other, false), leave_out, NULL);
    refused(gt_evaluate(second, turned), GT_INVALID, "column 0 is \"b\", the model's is \"a\"");

    gt_Dataset *broken = gt_dataset_map(read_as(narrow, false), breaks, NULL);
    refused(gt_dataset_column_count(broken), GT_INVALID, "the function is broken");
    gt_Layer *third = gt_Sequential(gt_Dense(2));
    refused(gt_set_table(third, broken), GT_INVALID, "set_table: the function is broken");
    cr_assert(!gt_has_table(third));
    gt_context_free(NULL);
    assert_no_leaks();
}
