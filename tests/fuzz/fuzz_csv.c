/* Any bytes as a CSV file, plain or compressed; the first three choose the options, legal or not. A
 * tensor that was read is written, and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/csv.h"

static void write_and_compare(gt_Tensor *tensor)
{
    char path[sizeof fuzz_path + 8];
    snprintf(path, sizeof path, "%s.again", fuzz_path);
    if (fuzz_works(gt_save_csv(path, tensor) == GT_OK)) {
        gt_Tensor *twin = gt_load_csv(path, .dtype = gt_dtype(tensor));
        if (fuzz_works(twin != NULL) && !fuzz_same(tensor, twin))
            fuzz_stop("a tensor was written and reads differently");
    }
    unlink(path);
}

/* The same rows further on in the file, where its pieces are cut elsewhere. */
static void read_further_on(const gt_Tensor *tensor, const gt_load_csv_options *options,
                            const uint8_t *data, size_t size)
{
    size_t before = 1 + size * 7 % 300;
    uint8_t *text = malloc(before + size);
    if (!text)
        abort();
    memset(text, ' ', before);
    text[before - 1] = '\n';
    memcpy(text + before, data, size);
    gt_load_csv_options moved = *options;
    moved.skip_rows++;
    const char *path = fuzz_file(text, before + size);
    gt_Tensor *twin = gt_load_csv_at(NULL, path, &moved);
    if (fuzz_works(twin != NULL) && !fuzz_same(tensor, twin))
        fuzz_stop("a table reads differently further on in the file");
    free(text);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    static const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32, GT_INT64,
                                     GT_UINT8,   GT_BOOL,    GT_INT16, GT_FLOAT16};
    uint8_t how = fuzz_byte(&data, &size), delimiter = fuzz_byte(&data, &size);
    uint8_t columns = fuzz_byte(&data, &size);
    const char *path = how & 8 ? fuzz_gzip_file(data, size) : fuzz_file(data, size);
    const gt_load_csv_options options = {
        .size = GT_SIZE(gt_load_csv_options),
        .delimiter = delimiter ? (char)delimiter : ',',
        .skip_rows = how >> 6,
        .columns = gt_columns((columns & 15) - 8, (columns >> 4) - 1),
        .dtype = types[how % 8],
        .missing = how & 16 ? 1.0 : (double)INFINITY,
        .limit = 1 << 20,
    };
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    gt_Tensor *tensor = gt_load_csv_at(NULL, path, &options);
    if (fuzz_either(tensor != NULL)) {
        fuzz_touch(tensor);
        write_and_compare(tensor);
        /* Neither a byte order mark nor what is compressed by itself can be moved, and zeros are looked for in the first
         * piece of the file alone. */
        bool moves = !size || !memchr(data, 0, size);
        if (moves && (size < 3 ||
                      (memcmp(data, "\xef\xbb\xbf", 3) != 0 && memcmp(data, "\x1f\x8b", 2) != 0 &&
                       memcmp(data, "\xff\xfe", 2) != 0 && memcmp(data, "\xfe\xff", 2) != 0)))
            read_further_on(tensor, &options, data, size);
    }
    gt_scope_end(scope);
}
