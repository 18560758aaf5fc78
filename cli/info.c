/* gradtape info: what is in a file. */
#include "cli/json.h"
#include "cli/network.h"
#include "cli/rows.h"
#include "cli/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool json;
static struct {
    const char *decimal;
    WordList na;
    int64_t skip_rows;
} form = {.decimal = "."};

static const Option options[] = {
    {"json", 'j', OPTION_FLAG, &json, NULL,
     "the architecture of a model instead, which gradtape train --model reads"},
    {"na", 0, OPTION_LIST, &form.na, "WORD,WORD", "of a table, words for an empty cell, such as ?"},
    {"decimal", 0, OPTION_TEXT, &form.decimal, "C", "of a table, the point of numbers: . or ,"},
    {"skip-rows", 0, OPTION_INTEGER, &form.skip_rows, "N", "of a table, lines before the first row"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static void print_spec(const char *name, gt_Spec spec)
{
    char text[96];
    printf("  %-40s %-8s %s\n", name, gt_dtype_name(spec.dtype),
           gt_shape_text(gt_shape_of(spec.rank, spec.dims), text, sizeof text));
}

typedef void Printer(FILE *file, Json value);

/* What the library writes has a form of its own; of anything else the beginning of the first line says enough. */
static void print_metadata(gt_TensorFile *file)
{
    static const struct {
        const char *key;
        Printer *print; /* NULL: gradtape info --json does it */
    } known[] = {{"gradtape.model", NULL}, {"gradtape.table", schema_print}, {"gradtape.training", training_print}};
    const int kinds = (int)(sizeof known / sizeof *known);
    int64_t count = gt_tensor_file_metadata_count(file), shown = 0;
    for (int64_t i = 0; i < count; i++) {
        gt_MetadataItem pair = gt_tensor_file_metadata_pair(file, i);
        size_t size = strlen(pair.value), line = strcspn(pair.value, "\n"), wrong;
        int kind = 0;
        while (kind < kinds && strcmp(pair.key, known[kind].key) != 0)
            kind++;
        Json value = kind < kinds ? json_of(pair.value, size, &wrong) : (Json){NULL, 0};
        if (value.text && known[kind].print)
            known[kind].print(stdout, value);
        if (value.text)
            continue;
        int part = (int)(line > 60 ? 60 : line);
        printf("%s  %-20s %.*s%s\n", shown++ == 0 ? "metadata\n" : "", pair.key, part, pair.value,
               (size_t)part < size ? " ..." : "");
    }
}

static int tensors(const char *path)
{
    gt_TensorFile *file = gt_open_tensors(path);
    if (!file)
        return EXIT_FAILURE;
    int64_t count = gt_tensor_file_count(file), elements = 0;
    bool model = gt_tensor_file_metadata(file, "gradtape.model") != NULL;
    for (int64_t i = 0; i < count; i++) {
        gt_Spec spec = gt_tensor_file_spec(file, i);
        int64_t size = 1;
        for (int k = 0; k < spec.rank; k++)
            size *= spec.dims[k];
        elements += size;
    }
    printf("%s: %s, %lld tensors, %lld elements\n", path,
           model ? "a gradtape model" : "tensors (safetensors)", (long long)count,
           (long long)elements);
    for (int64_t i = 0; i < count; i++)
        print_spec(gt_tensor_file_name(file, i), gt_tensor_file_spec(file, i));
    print_metadata(file);
    gt_tensor_file_free(file);
    return EXIT_SUCCESS;
}

static int npz(const char *path)
{
    int count = gt_npz_count(path);
    if (count < 0)
        return EXIT_FAILURE;
    printf("%s: an NPZ archive, %d arrays\n", path, count);
    for (int i = 0; i < count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s", gt_npz_name(path, i));
        gt_Tensor *array = gt_load_npz(path, name);
        if (!array)
            return EXIT_FAILURE;
        print_spec(name, gt_spec(array));
    }
    return EXIT_SUCCESS;
}

static int array(const char *path, gt_Tensor *tensor, const char *kind)
{
    if (!tensor)
        return EXIT_FAILURE;
    printf("%s: %s\n", path, kind);
    print_spec("", gt_spec(tensor));
    return EXIT_SUCCESS;
}

/* Smallest, mean, largest of column k. */
static void print_numbers(gt_Tensor *x, int64_t rows, int64_t width, int k)
{
    double least = gt_element(x, k), most = least, sum = 0;
    for (int64_t i = 0; i < rows; i++) {
        double number = gt_element(x, i * width + k);
        least = number < least ? number : least;
        most = number > most ? number : most;
        sum += number;
    }
    printf("numbers      %.6g to %.6g, mean %.6g\n", least, most, sum / (double)rows);
}

static void print_categories(gt_Dataset *table, int k)
{
    int count = gt_dataset_category_count(table, k);
    printf("categories   %d:", count);
    for (int i = 0; i < count && i < 8; i++)
        printf(" %s", gt_dataset_category_name(table, k, i));
    printf("%s\n", count > 8 ? " ..." : "");
}

static gt_Dataset *open_table(const char *path, const char *column)
{
    gt_Names one = gt_names(column);
    return gt_dataset_from_csv(path, .columns = column ? one : (gt_Names){NULL},
                               .label_column = GT_NONE, .missing = GT_MISSING_MEDIAN,
                               .na = names_of(&form.na), .decimal = form.decimal[0],
                               .skip_rows = form.skip_rows,
                               .max_categories = 1 << 20, .shuffle = false, .batch_size = 1 << 30);
}

/* Column k of the dataset, which is number `place` of the table. */
static void print_column(gt_Dataset *rows, const gt_Batch *all, int64_t width, int k, int place)
{
    printf("  %4d %-24s ", place, gt_dataset_column_name(rows, k));
    if (gt_dataset_category_count(rows, k) > 0)
        print_categories(rows, k);
    else
        print_numbers(all->x, all->size, width, k);
}

/* A table with columns that no model can use, such as dates: one after the other. */
static int columns(const char *path)
{
    gt_error_clear();
    gt_Strings first = gt_load_csv_strings(path, "0", .skip_rows = form.skip_rows);
    if (gt_status() != GT_OK)
        return EXIT_FAILURE;
    printf("%s: a table, %lld rows\n", path, (long long)gt_strings_count(first));
    for (int k = 0;; k++) {
        char number[16];
        gt_Batch all;
        snprintf(number, sizeof number, "%d", k);
        gt_Dataset *column = open_table(path, number);
        if (column && gt_dataset_next(column, &all)) {
            print_column(column, &all, 1, 0, k);
        } else if (gt_status() == GT_FORMAT) {
            printf("  %4d cannot be used: ", k);
            print_raised(stdout);
            gt_error_clear();
        } else {
            break; /* there are no more */
        }
        gt_dataset_free(column);
    }
    if (gt_status() == GT_INVALID)
        gt_error_clear();
    return gt_status() == GT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int table(const char *path)
{
    gt_Batch batch;
    gt_Dataset *rows = open_table(path, NULL);
    if (!rows && gt_status() == GT_FORMAT)
        return columns(path);
    if (!rows || !gt_dataset_next(rows, &batch))
        return EXIT_FAILURE;
    int64_t width = gt_tensor_shape(batch.x).dims[1];
    printf("%s: a table, %lld rows, %lld columns\n", path, (long long)batch.size, (long long)width);
    for (int k = 0; k < width; k++)
        print_column(rows, &batch, width, k, k);
    gt_dataset_free(rows);
    return EXIT_SUCCESS;
}

/* A file of tensors begins with the size of its header, eight bytes, and the header with '{'. */
static bool looks_like_tensors(const char *begin, size_t size)
{
    return size > 8 && begin[8] == '{' && begin[6] == 0 && begin[7] == 0;
}

static int print_architecture(const char *path)
{
    size_t wrong;
    const char *text = network_text(path);
    if (!text)
        return EXIT_FAILURE;
    Json value = json_of(text, strlen(text), &wrong);
    if (!value.text)
        return fail("%s: its architecture is no JSON", path);
    json_print(stdout, value);
    return finish_output(stdout, "standard output");
}

static int run(const char **operands)
{
    const char *path = operands[0];
    if (!good_decimal(form.decimal))
        return misuse(DECIMAL_WORDS);
    if (form.skip_rows < 0)
        return misuse("--skip-rows must not be negative");
    if (json)
        return print_architecture(path);
    char begin[16] = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail("%s: cannot be opened: %s", path, strerror(errno));
    size_t size = fread(begin, 1, sizeof begin, file);
    bool bad = ferror(file) != 0;
    fclose(file);
    if (bad)
        return fail("%s: cannot be read: %s", path, strerror(EISDIR));
    int status;
    if (looks_like_tensors(begin, size))
        status = tensors(path);
    else if (size > 4 && memcmp(begin, "PK\3\4", 4) == 0)
        status = npz(path);
    else if (size > 6 && memcmp(begin, "\x93NUMPY", 6) == 0)
        status = array(path, gt_load_npy(path), "an array of NumPy");
    else if (rows_kind(path) == ROWS_IDX)
        status = array(path, gt_load_idx(path), "an IDX file");
    else
        status = table(path);
    return status == EXIT_SUCCESS ? finish_output(stdout, "standard output") : status;
}

const Command info_command = {
    .name = "info",
    .operands = "FILE",
    .operand_count = 1,
    .summary = "Says what is in a file",
    .more = "FILE is a model, tensors (safetensors), a table (CSV), an array of NumPy (NPY, NPZ), "
            "or IDX. Of a table it\n"
            "lists the columns with their numbers, names and values; of a model its weights, and how a table must "
            "look that it\n"
            "is to predict from.\n",
    .options = options,
    .run = run,
};
