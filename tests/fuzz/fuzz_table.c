/* Any bytes as a table with categories, labels and gaps; the first four choose the options, legal or not. A dataset that was
 * read is read again to be like itself, which must give the same rows. */
#include "tests/fuzz/fuzz.h"
#include "train/data/csv.h"
#include "train/dataset.h"

static bool same_rows(gt_Dataset *a, gt_Dataset *b)
{
    gt_Batch p, q;
    if (!fuzz_works(gt_dataset_next(a, &p)) || !fuzz_works(gt_dataset_next(b, &q)))
        return true;
    fuzz_touch(p.x);
    return fuzz_same(p.x, q.x) && !p.y == !q.y && (!p.y || fuzz_same(p.y, q.y));
}

static void touch_names(const gt_Dataset *data)
{
    gt_Spec x = gt_dataset_x(data);
    volatile size_t sum = 0;
    for (int i = 0; i < (int)x.dims[1]; i++) {
        sum = sum + strlen(gt_dataset_column_name(data, i));
        for (int k = 0, n = gt_dataset_category_count(data, i); k < n; k++)
            sum = sum + strlen(gt_dataset_category_name(data, i, k));
    }
    for (int k = 0, n = gt_dataset_class_count(data); k < n; k++)
        sum = sum + strlen(gt_dataset_class_name(data, k));
    fuzz_works(gt_status() == GT_OK);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {0, 0, ',', ';', ' ', '\t', 'x', '|'};
    static const char *const labels[] = {NULL, "0", "y", "-2"};
    uint8_t how = fuzz_byte(&data, &size), more = fuzz_byte(&data, &size);
    uint8_t label = fuzz_byte(&data, &size), skip = fuzz_byte(&data, &size);
    gt_dataset_from_csv_options options = {
        GT_PRESETS(gt_dataset_from_csv_options, gt_dataset_from_csv_OPTIONS).shuffle = false};
    options.delimiter = delimiters[how & 7];
    options.missing = (gt_Missing)(how >> 3 & 7);
    options.header = (gt_Header)(how >> 6);
    options.one_hot = more & 1;
    options.quote = more & 2 ? '\'' : '"';
    options.decimal = more & 4 ? ',' : '.';
    options.na = more & 8 ? gt_names("?", "-") : gt_names();
    options.label_column = more & 16 ? GT_NONE : -1;
    options.dtype = more & 32 ? GT_FLOAT64 : GT_FLOAT32;
    options.without = more & 64 ? gt_names("0") : gt_names();
    options.label = labels[label & 3];
    options.weight = label & 4 ? "1" : NULL;
    options.label_dtype = (gt_DType)(label >> 3 & 15);
    options.categories = label & 128 ? gt_names("-3") : gt_names();
    options.skip_rows = skip & 3;
    options.max_categories = skip & 4 ? 3 : 256;
    options.limit = 1 << 20;
    options.batch_size = INT64_MAX;
    const char *path = skip & 8 ? fuzz_gzip_file(data, size) : fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    gt_Dataset *read = gt_dataset_from_csv_at(NULL, path, &options);
    if (fuzz_either(read != NULL)) {
        touch_names(read);
        options.like = read;
        gt_Dataset *again = gt_dataset_from_csv_at(NULL, path, &options);
        /* a header that names two columns alike reads once, by places */
        if (fuzz_either(again != NULL) && !same_rows(read, again))
            fuzz_stop("a table that is to be like itself is another");
        gt_dataset_free(again);
    }
    gt_dataset_free(read);
    gt_scope_end(scope);
}
