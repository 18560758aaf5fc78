/* keras.utils in C, against Keras's numbers (tests/oracle/make_utilities.py); windows of text; arrays of NPZ files as datasets. */
#include <math.h>

#include "data_files.h"
#include "oracle/utilities.inc"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

Test(utilities, pad_sequences)
{
    gt_Tensor *a = gt_array(gt_shape(3), 1, 2, 3), *b = gt_array(gt_shape(2), 4, 5),
              *c = gt_array(gt_shape(4), 6, 7, 8, 9);
    for (int i = 0; i < COUNT(padded); i++) {
        gt_Tensor *x = gt_pad_sequences(gt_tensors(a, b, c), .maxlen = padded[i].maxlen,
                                        .padding = (gt_SequenceEnd)padded[i].padding,
                                        .truncating = (gt_SequenceEnd)padded[i].truncating,
                                        .value = padded[i].value);
        ok();
        cr_assert(gt_dtype(x) == GT_INT32 &&
                  gt_shape_equal(gt_tensor_shape(x), gt_shape(3, padded[i].steps)));
        for (int64_t k = 0; k < gt_size(x); k++)
            cr_assert_eq(gt_element(x, k), padded[i].numbers[k], "row %d, number %lld", i,
                         (long long)k);
    }
    /* steps of several numbers, and of none */
    gt_Tensor *wide = gt_pad_sequences(
        gt_tensors(gt_ones(gt_shape(1, 2)), gt_zeros(gt_shape(0, 2)), gt_full(gt_shape(2, 2), 0.5)),
        .dtype = GT_FLOAT32);
    ok();
    static const double expected[] = {0, 0, 1, 1, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5};
    for (int k = 0; k < 12; k++)
        cr_assert_eq(gt_element(wide, k), expected[k]);
    refused(gt_pad_sequences(gt_tensors(a, gt_ones(gt_shape(1, 2)))), GT_INVALID,
            "differ in steps alone (got float32 (3,) and float32 (1, 2))");
    refused(gt_pad_sequences(gt_tensors(gt_full(gt_shape(2), 0.5))), GT_INVALID,
            "sequence 0 has 0.5, which int32 cannot hold");
    refused(gt_pad_sequences(gt_tensors(a), .value = 0.5), GT_INVALID,
            "value must be a number of dtype int32");
    refused(gt_pad_sequences(gt_tensors(a), .padding = 7), GT_INVALID, "unknown end of a sequence");
    refused(gt_pad_sequences(gt_tensors(gt_scalar(1, GT_FLOAT32))), GT_INVALID,
            "of shape (steps, ...)");
    const gt_Tensors none = {0};
    refused(gt_pad_sequences(none), GT_INVALID, "at least 1 sequence");
}

Test(utilities, to_categorical)
{
    static const int32_t labels[] = {2, 0, 1}, square[] = {1, 0, 3, 2};
    gt_Tensor *y = gt_from_data(labels, gt_shape(3, 1), GT_INT32),
              *z = gt_from_data(square, gt_shape(2, 2), GT_INT32);
    gt_Tensor *rows = gt_to_categorical(y), *four = gt_to_categorical(z, .num_classes = 4);
    ok();
    cr_assert(gt_shape_equal(gt_tensor_shape(rows), gt_shape(3, 3)) &&
              gt_shape_equal(gt_tensor_shape(four), gt_shape(2, 2, 4)));
    for (int i = 0; i < 9; i++)
        cr_assert_eq(gt_element(rows, i), categorical[i]);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(gt_element(four, i), categorical_4[i]);
    refused(gt_to_categorical(z, .num_classes = 3), GT_INVALID,
            "classes are integers from 0 to num_classes - 1 (got 3)");
    refused(gt_to_categorical(gt_array(gt_shape(2), 0, -1)), GT_INVALID, "(got -1)");
    refused(gt_to_categorical(gt_array(gt_shape(2), 0, 0.5)), GT_INVALID, "(got 0.5)");
    refused(gt_to_categorical(y, .num_classes = 0), GT_INVALID, "num_classes must be >= 1");
    refused(gt_to_categorical(NULL), GT_INVALID, "NULL");
}

Test(utilities, split_dataset)
{
    gt_Batch batch;
    for (int i = 0; i < COUNT(split_sizes); i++) {
        gt_Dataset *all = gt_dataset_from_tensors(gt_arange(0, (double)split_sizes[i].rows, 1),
                                                  NULL, .shuffle = false),
                   *a, *b;
        gt_split_dataset(all, &a, &b, .left_size = split_sizes[i].left,
                         .right_size = split_sizes[i].right);
        ok();
        cr_assert(gt_dataset_size(a) == split_sizes[i].first &&
                      gt_dataset_size(b) == split_sizes[i].second,
                  "%d: %lld and %lld", i, (long long)gt_dataset_size(a),
                  (long long)gt_dataset_size(b));
        cr_assert(gt_dataset_next(a, &batch) && gt_element(batch.x, 0) == 0);
        cr_assert(gt_dataset_next(b, &batch) &&
                  gt_element(batch.x, batch.size - 1) == (double)split_sizes[i].rows - 1);
        gt_dataset_free(a), gt_dataset_free(b), gt_dataset_free(all);
    }
    gt_Dataset *all = gt_dataset_from_tensors(gt_arange(0, 10, 1), NULL), *a, *b;
    static const double bad[][2] = {{0, 0},  {1.5, 0},   {10, 0}, {0, 11},
                                    {-1, 0}, {0.8, 0.5}, {8, 5},  {0.01, 0}};
    for (int i = 0; i < COUNT(bad); i++) {
        gt_split_dataset(all, &a, &b, .left_size = bad[i][0], .right_size = bad[i][1]);
        cr_assert(gt_status() == GT_INVALID && !a && !b, "%g and %g", bad[i][0], bad[i][1]);
        gt_error_clear();
    }
    gt_split_dataset(all, &a, &b, .left_size = 5, .shuffle = true, .seed = 3);
    ok();
    gt_dataset_free(a), gt_dataset_free(b), gt_dataset_free(all);
    gt_set_random_seed(7);
    double first = gt_item(gt_uniform(gt_shape()));
    gt_set_random_seed(7);
    cr_assert_eq(first, gt_item(gt_uniform(gt_shape())));
}

Test(utilities, timeseries)
{
    gt_Tensor *data = gt_reshape(gt_arange(0, 24, 1), gt_shape(12, 2)),
              *targets = gt_arange(100, 112, 1);
    gt_Batch batch;
    for (int i = 0; i < COUNT(windows); i++) {
        gt_Tensor *some = windows[i].targets == 12 ? targets
                          : windows[i].targets     ? gt_get_item(targets, ":7")
                                                   : NULL;
        gt_Dataset *rows = gt_timeseries_dataset_from_array(
            data, some, .sequence_length = windows[i].length, .sequence_stride = windows[i].stride,
            .sampling_rate = windows[i].rate, .start_index = windows[i].start,
            .end_index = windows[i].end);
        ok();
        cr_assert_eq(gt_dataset_size(rows), windows[i].rows, "%d: %lld rows, not %lld", i,
                     (long long)gt_dataset_size(rows), (long long)windows[i].rows);
        cr_assert(gt_dataset_next(rows, &batch) && batch.size == windows[i].rows &&
                  !batch.y == !some);
        cr_assert(
            gt_shape_equal(gt_tensor_shape(batch.x), gt_shape(batch.size, windows[i].length, 2)));
        for (int64_t k = 0; k < gt_size(batch.x); k++)
            cr_assert_eq(gt_element(batch.x, k), windows[i].x[k], "%d, number %lld", i,
                         (long long)k);
        for (int64_t k = 0; some && k < batch.size; k++)
            cr_assert_eq(gt_element(batch.y, k), windows[i].y[k], "%d, target %lld", i,
                         (long long)k);
        gt_dataset_free(rows);
    }
    gt_Dataset *one = gt_timeseries_dataset_from_array(data, NULL, .sequence_length = 2, .sequence_stride = INT64_MAX);
    ok();
    cr_assert_eq(gt_dataset_size(one), 1);
    gt_Tensor *hollow = gt_zeros(gt_shape((int64_t)1 << 40, 0));
    refused(gt_timeseries_dataset_from_array(hollow, NULL, .sequence_length = (int64_t)1 << 35, .sampling_rate = (int64_t)1 << 30),
            GT_INVALID, "there is no window");
    refused(gt_timeseries_dataset_from_array(data, NULL), GT_INVALID,
            "sequence_length, sequence_stride and sampling_rate must be >= 1 (got 0");
    refused(gt_timeseries_dataset_from_array(data, NULL, .sequence_length = 13), GT_INVALID,
            "there is no window: 12 steps, windows of 13");
    refused(gt_timeseries_dataset_from_array(data, NULL, .sequence_length = 3, .sampling_rate = 6),
            GT_INVALID, "there is no window");
    refused(gt_timeseries_dataset_from_array(data, NULL, .sequence_length = 3, .start_index = 12),
            GT_INVALID, "out of range: there are 12 steps");
    refused(gt_timeseries_dataset_from_array(data, NULL, .sequence_length = 3, .end_index = 13),
            GT_INVALID, "out of range");
    refused(gt_timeseries_dataset_from_array(gt_scalar(1, GT_FLOAT32), NULL, .sequence_length = 1),
            GT_INVALID, "first dimension");
}

/* ---- text ---- */

static const char *unit(gt_Dataset *text, double number)
{
    return gt_dataset_class_name(text, (int)number);
}

Test(utilities, text, .init = open_folder, .fini = close_folder)
{
    gt_Batch batch;
    gt_Dataset *text =
        gt_dataset_from_text(put_text("t", "caf\xc3\xa9 bad\n"), .window = 3, .shuffle = false);
    ok();
    /* sorted: newline, space, a, b, c, d, f, e with its accent */
    cr_assert(gt_dataset_class_count(text) == 8 && gt_dataset_size(text) == 2,
              "%d units, %lld rows", gt_dataset_class_count(text),
              (long long)gt_dataset_size(text));
    cr_assert(strcmp(unit(text, 7), "\xc3\xa9") == 0 && strcmp(unit(text, 0), "\n") == 0);
    cr_assert(gt_dataset_next(text, &batch) && gt_dtype(batch.x) == GT_INT32 && batch.size == 2);
    static const double x[] = {4, 2, 6, 7, 1, 3}, y[] = {2, 6, 7, 1, 3, 2};
    for (int i = 0; i < 6; i++)
        cr_assert(gt_element(batch.x, i) == x[i] && gt_element(batch.y, i) == y[i], "unit %d", i);
    /* another text with that vocabulary */
    gt_Dataset *other = gt_dataset_from_text(put_text("o", "a cab\n"), .window = 3, .stride = 1,
                                             .like = text, .shuffle = false);
    ok();
    cr_assert(gt_dataset_size(other) == 3 && gt_dataset_next(other, &batch) &&
              gt_element(batch.x, 0) == 2 && gt_element(batch.y, 8) == 0);
    gt_dataset_free(other);
    refused(gt_dataset_from_text(put_text("o", "bad\na xylem\n"), .window = 3, .like = text),
            GT_FORMAT, "o:2:3: \"x\" is not in the vocabulary");
    gt_dataset_free(text);

    text = gt_dataset_from_text(put_text("w", "to be or\nnot to  be\n"), .window = 2,
                                .unit = GT_TEXT_UNIT_WORDS, .shuffle = false);
    ok();
    cr_assert(gt_dataset_class_count(text) == 4 && strcmp(unit(text, 3), "to") == 0 &&
              gt_dataset_next(text, &batch) && batch.size == 2);
    static const double words[] = {3, 0, 2, 1};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(gt_element(batch.x, i), words[i]);
    gt_dataset_free(text);
    text = gt_dataset_from_text(put_text("b", "\xc3\xa9\xc3"), .window = 1,
                                .unit = GT_TEXT_UNIT_BYTES);
    cr_assert(gt_dataset_class_count(text) == 2 && gt_dataset_size(text) == 2, "%s",
              gt_error_message());
    gt_dataset_free(text);

    /* lines between marks, of different lengths; empty ones are passed over, and the last may have no end */
    text = gt_dataset_batch(
        gt_dataset_from_text(put_text("n", "ab\r\n\na\nbca"), .lines = true, .shuffle = false), 3,
        .pad = true);
    ok();
    cr_assert(gt_dataset_size(text) == 3 && gt_dataset_class_count(text) == 4 && !*unit(text, 0));
    cr_assert(gt_dataset_next(text, &batch) &&
              gt_shape_equal(gt_tensor_shape(batch.x), gt_shape(3, 4)));
    static const double lines_x[] = {0, 1, 2, 0, 0, 1, 0, 0, 0, 2, 3, 1},
                        lines_y[] = {1, 2, 0, 0, 1, 0, 0, 0, 2, 3, 1, 0};
    for (int i = 0; i < 12; i++)
        cr_assert(gt_element(batch.x, i) == lines_x[i] && gt_element(batch.y, i) == lines_y[i],
                  "unit %d", i);
    cr_assert(gt_element(gt_mask(batch.x), 3) == 0 && gt_element(gt_mask(batch.x), 2) == 1);
    gt_dataset_free(text);

    refused(gt_dataset_from_text(put_text("s", "abc"), .window = 3), GT_FORMAT,
            "has 3 units, too few for a window of 3 and what follows it");
    refused(gt_dataset_from_text(put_text("s", "\n\n"), .lines = true), GT_FORMAT, "has no lines");
    refused(gt_dataset_from_text(put_text("s", ""), .window = 1), GT_FORMAT, "has 0 units");
    refused(gt_dataset_from_text("/nowhere.txt"), GT_IO, "nowhere");
    refused(gt_dataset_from_text(files_path, .window = 0), GT_INVALID, "window must be >= 1");
    refused(gt_dataset_from_text(files_path, .unit = 9), GT_INVALID, "unknown unit 9");
    gt_Dataset *plain = gt_dataset_from_tensors(gt_ones(gt_shape(2)), NULL);
    refused(gt_dataset_from_text(files_path, .like = plain), GT_INVALID,
            "like must be a dataset that was read from text");
    gt_dataset_free(plain);
}

/* The texts of the examples, if they are there. */
Test(utilities, whole_texts)
{
    const char *folder = getenv("GT_TEST_TEXTS");
    if (!folder)
        cr_skip_test("GT_TEST_TEXTS names no folder with names.txt and tinyshakespeare.txt");
    char path[512];
    snprintf(path, sizeof path, "%s/tinyshakespeare.txt", folder);
    gt_Dataset *text = gt_dataset_from_text(path, .window = 64);
    ok();
    cr_assert(
        gt_dataset_class_count(text) == 65 && gt_dataset_size(text) == (1115394 - 65) / 64 + 1,
        "%d units, %lld rows", gt_dataset_class_count(text), (long long)gt_dataset_size(text));
    snprintf(path, sizeof path, "%s/names.txt", folder);
    gt_Dataset *names =
        gt_dataset_batch(gt_dataset_from_text(path, .lines = true), 32, .pad = true);
    gt_Batch batch;
    ok();
    cr_assert(gt_dataset_class_count(names) == 27 && gt_dataset_size(names) == 32033 &&
              gt_dataset_next(names, &batch));
    gt_dataset_free(text), gt_dataset_free(names);
}

/* ---- NPZ ---- */

Test(utilities, npz, .init = open_folder, .fini = close_folder)
{
    gt_Tensor *x = gt_cast(gt_reshape(gt_arange(0, 12, 1), gt_shape(6, 2)), GT_UINT8),
              *y = gt_cast(gt_arange(0, 6, 1), GT_INT64);
    gt_save_npz(in_folder("a.npz"), gt_named_tensors({"x_train", x}, {"y_train", y}));
    gt_Batch batch;
    gt_Dataset *data = gt_dataset_from_npz(files_path, .x = "x_train", .y = "y_train", .scale = 0.5,
                                           .shuffle = false);
    ok();
    cr_assert(gt_dataset_next(data, &batch) && gt_dtype(batch.x) == GT_FLOAT32 &&
              gt_element(batch.x, 11) == 5.5 && gt_element(batch.y, 5) == 5);
    gt_dataset_free(data);
    data = gt_dataset_from_npz(files_path, .x = "x_train", .y = NULL, .dtype = GT_FLOAT64);
    cr_assert(gt_dataset_x(data).dtype == GT_FLOAT64 && gt_dataset_y_count(data) == 0, "%s",
              gt_error_message());
    gt_dataset_free(data);
    refused(gt_dataset_from_npz(files_path), GT_INVALID,
            "has no array \"x\": expected one of \"x_train\", \"y_train\"");
    refused(gt_dataset_from_npz("/nowhere"), GT_IO, "nowhere");
}

static void utilities_life(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *data = gt_arange(0, 12, 1);
    gt_Dataset *rows = gt_timeseries_dataset_from_array(data, data, .sequence_length = 3);
    gt_Dataset *text = gt_dataset_from_text(in_folder("t"), .lines = true);
    gt_Dataset *npz = gt_dataset_from_npz(in_folder("a.npz"), .scale = 2), *a = NULL, *b = NULL;
    gt_Batch batch;
    gt_dataset_next(rows, &batch);
    gt_split_dataset(npz, &a, &b, .left_size = 1);
    gt_dataset_next(b, &batch);
    gt_pad_sequences(gt_tensors(data), .dtype = GT_FLOAT32);
    gt_to_categorical(data);
    gt_Status status = gt_status();
    gt_error_clear();
    gt_dataset_free(rows), gt_dataset_free(text), gt_dataset_free(a), gt_dataset_free(b),
        gt_dataset_free(npz);
    if (scope)
        gt_scope_end(scope);
    if (status != GT_OK)
        gt_fail(status, "it failed");
}

Test(utilities, no_memory, .init = open_folder, .fini = close_folder)
{
    put_text("t", "some lines\nof text\n");
    gt_save_npz(in_folder("a.npz"),
                gt_named_tensors({"x", gt_arange(0, 4, 1)}, {"y", gt_arange(0, 4, 1)}));
    fail_allocations(utilities_life);
    assert_no_leaks();
}
