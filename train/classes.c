/* The labels of a dataset, weights of classes, confusion matrices: numbers are read here, not recorded. */
#include "train/classes.h"
#include "core/inside.h"
#include "io/number.h"
#include "train/data/names.h"
#include "train/internal.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_labels_options, gt_dataset_labels_OPTIONS);
GT_OPTION_TYPE(gt_confusion_matrix_options, gt_confusion_matrix_OPTIONS);

#define MOST_CLASSES ((int64_t)1 << 24)

/* ---- the labels of a dataset ---- */

/* Copies a batch's labels behind `first` others; the first batch makes the whole. */
static gt_Status collect(gt_Context *context, gt_Tensor *y, int64_t first, int64_t rows, gt_Tensor **whole)
{
    gt_Spec spec = gt_spec(y), all = spec;
    const void *numbers = gt_data(y);
    void *into;
    all.dims[0] = rows;
    gt_spec_resize(&all);
    if (!*whole) {
        *whole = numbers ? gt_tensor_new(context, &all, &into) : NULL;
        if (*whole)
            gt_scope_keep(context, *whole);
    }
    if (!*whole)
        return gt_context_status(context);
    const gt_Spec *has = gt_tensor_spec(*whole);
    if (has->dtype != all.dtype || has->rank != all.rank ||
        memcmp(has->dims, all.dims, (size_t)all.rank * sizeof *all.dims) != 0)
        return gt_raise(context, GT_INVALID, NULL, NULL, "the labels of all rows must have the same shape and dtype");
    size_t bytes = gt_spec_bytes(&spec);
    int64_t count = spec.dims[0];
    if (bytes > 0 && numbers)
        memcpy((char *)gt_tensor_data(*whole) + (size_t)first * (bytes / (size_t)count), numbers, bytes);
    return gt_context_status(context);
}

static gt_Tensor *labels_of(gt_Context *context, gt_Dataset *dataset, int32_t output)
{
    gt_Tensor *whole = NULL;
    int64_t rows = gt_dataset_count(dataset), first = 0;
    while (rows > 0 && first < rows && gt_context_status(context) == GT_OK) {
        gt_Batch batch;
        if (!gt_scope_open(context))
            break;
        gt_dataset_slice(dataset, first, &batch);
        if (gt_context_status(context) == GT_OK && (batch.size == 0 || first + batch.size > rows))
            gt_raise(context, GT_STATE, NULL, NULL, "the dataset has not as many rows as when they were counted, %lld",
                     (long long)rows);
        if (gt_context_status(context) == GT_OK)
            collect(context, batch.ys[output], first, rows, &whole);
        first += batch.size;
        gt_scope_close(context);
        if (gt_context_status(context) == GT_OK && gt_interrupted(context))
            gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted");
    }
    if (gt_context_status(context) == GT_OK)
        return whole;
    if (whole)
        gt_tensor_free(context, whole);
    return NULL;
}

static gt_Tensor *find_labels(gt_Context *context, gt_Dataset *dataset, int32_t output)
{
    int labels = gt_dataset_check(context, NULL, NULL, dataset) ? gt_dataset_y_count(dataset) : -1;
    if (labels < 0)
        return NULL;
    if (output >= 0 && output < labels)
        return labels_of(context, dataset, output);
    if (labels == 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "the dataset has no labels");
    else
        gt_raise(context, GT_INVALID, NULL, NULL, "output %d is out of range: the dataset has %d label%s", (int)output,
                 labels, labels == 1 ? "" : "s");
    return NULL;
}

gt_Tensor *gt_dataset_labels_at(const char *here, gt_Dataset *dataset, const gt_dataset_labels_options *given)
{
    gt_dataset_labels_options options;
    GT_TAKE(gt_dataset_labels_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "dataset_labels");
    gt_Tensor *labels = find_labels(context, dataset, options.output);
    gt_site_leave(&site);
    return labels;
}

/* ---- numbers of classes ---- */

/* The classes of the rows of a tensor, whose numbers are at hand. */
typedef struct Classes {
    const char *name; /* "y_true" */
    const void *data;
    gt_DType dtype;
    int64_t rows, width; /* width 0: numbers of classes; 1: probabilities of class 1 */
} Classes;

static bool read_classes(gt_Context *context, const char *name, const gt_Tensor *y, bool predicted, Classes *classes)
{
    char text[160];
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, name, y);
    if (!spec)
        return false;
    if (spec->rank < 1 || spec->rank > 2 || (spec->rank == 2 && spec->dims[1] < 1)) {
        gt_raise(context, GT_INVALID, NULL, NULL, "%s must be classes (rows), or scores (rows, classes) (got %s)", name,
                 gt_spec_text(spec, text, sizeof text));
        return false;
    }
    bool numbers = spec->rank == 1 || (spec->dims[1] == 1 && !(predicted && gt_dtype_is_float(spec->dtype)));
    *classes = (Classes){.name = name,
                         .data = gt_data(y),
                         .dtype = spec->dtype,
                         .rows = spec->dims[0],
                         .width = numbers ? 0 : spec->dims[1]};
    return gt_context_status(context) == GT_OK;
}

/* -1 with an error raised: it is none. */
static int64_t class_at(gt_Context *context, const Classes *classes, int64_t row, int64_t most)
{
    int64_t width = classes->width, best = 0;
    double number = gt_number_fetch(classes->dtype, classes->data, width > 0 ? row * width : row);
    if (width == 1)
        return number > 0.5;
    for (int64_t k = 1; k < width; k++) {
        double other = gt_number_fetch(classes->dtype, classes->data, row * width + k);
        if (other > number) {
            number = other;
            best = k;
        }
    }
    if (width > 1)
        return best;
    if (number >= 0 && number < (double)most && number == floor(number))
        return (int64_t)number;
    gt_raise(context, GT_INVALID, NULL, NULL, "%s: row %lld: a class is an integer from 0 to %lld (got %g)",
             classes->name, (long long)row, (long long)most - 1, number);
    return -1;
}

/* How many classes there are at least; -1 with an error raised. */
static int64_t count_classes(gt_Context *context, const Classes *classes)
{
    int64_t count = classes->width == 1 ? 2 : classes->width;
    for (int64_t row = 0; row < classes->rows; row++) {
        int64_t k = class_at(context, classes, row, MOST_CLASSES);
        if (k < 0)
            return -1;
        count = k >= count ? k + 1 : count;
    }
    return count;
}

/* ---- confusion matrices ---- */

static bool read_weights(gt_Context *context, gt_Tensor *weights, int64_t rows, const void **numbers, gt_DType *dtype)
{
    char text[160];
    *numbers = NULL;
    if (!weights)
        return true;
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, "sample_weight", weights);
    if (!spec)
        return false;
    if (spec->rank != 1 || spec->dims[0] != rows) {
        gt_raise(context, GT_INVALID, NULL, NULL, "sample_weight must be of the shape (%lld), the rows (got %s)",
                 (long long)rows, gt_spec_text(spec, text, sizeof text));
        return false;
    }
    *dtype = spec->dtype;
    *numbers = gt_data(weights);
    return *numbers != NULL;
}

static gt_Tensor *count_pairs(gt_Context *context, const Classes *truth, const Classes *guess, int64_t classes,
                              gt_Tensor *sample_weight)
{
    gt_Spec spec = {0};
    gt_DType dtype = GT_FLOAT64;
    const void *weights;
    void *into;
    if (!read_weights(context, sample_weight, truth->rows, &weights, &dtype))
        return NULL;
    if (!gt_spec_set(&spec, weights ? GT_FLOAT64 : GT_INT64, gt_shape(classes, classes))) {
        gt_raise(context, GT_INVALID, NULL, NULL, "a matrix of %lld classes is too large for a tensor", (long long)classes);
        return NULL;
    }
    gt_Tensor *matrix = gt_tensor_new(context, &spec, &into);
    if (!matrix)
        return NULL;
    memset(into, 0, gt_spec_bytes(&spec));
    for (int64_t row = 0; row < truth->rows; row++) {
        int64_t i = class_at(context, truth, row, classes), j = i < 0 ? -1 : class_at(context, guess, row, classes);
        if (j < 0 || j >= classes || i >= classes)
            break;
        if (weights)
            ((double *)into)[i * classes + j] += gt_number_fetch(dtype, weights, row);
        else
            ((int64_t *)into)[i * classes + j]++;
    }
    return matrix;
}

static gt_Tensor *confusion_matrix(gt_Context *context, gt_Tensor *y_true, gt_Tensor *y_pred,
                                   const gt_confusion_matrix_options *options)
{
    Classes truth, guess;
    int64_t classes = options->num_classes;
    if (!read_classes(context, "y_true", y_true, false, &truth) || !read_classes(context, "y_pred", y_pred, true, &guess))
        return NULL;
    if (truth.rows != guess.rows) {
        gt_raise(context, GT_INVALID, NULL, NULL, "y_true and y_pred must have the same number of rows (got %lld and %lld)",
                 (long long)truth.rows, (long long)guess.rows);
        return NULL;
    }
    if (classes == 0 || classes < -1 || classes > MOST_CLASSES) {
        gt_raise(context, GT_INVALID, NULL, NULL, "num_classes must be 1 to %lld, or -1: the largest class and one more (got %lld)",
                 (long long)MOST_CLASSES, (long long)classes);
        return NULL;
    }
    int64_t a = count_classes(context, &truth), b = a < 0 ? -1 : count_classes(context, &guess), most = a > b ? a : b;
    if (a < 0 || b < 0)
        return NULL;
    if (classes > 0 && most > classes) {
        gt_raise(context, GT_INVALID, NULL, NULL, "num_classes is %lld, and there are %lld", (long long)classes,
                 (long long)most);
        return NULL;
    }
    return count_pairs(context, &truth, &guess, classes > 0 ? classes : most, options->sample_weight);
}

gt_Tensor *gt_confusion_matrix_at(const char *here, gt_Tensor *y_true, gt_Tensor *y_pred,
                                  const gt_confusion_matrix_options *given)
{
    gt_confusion_matrix_options options;
    GT_TAKE(gt_confusion_matrix_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "confusion_matrix");
    gt_Tensor *matrix = confusion_matrix(context, y_true, y_pred, &options);
    gt_site_leave(&site);
    return gt_context_status(context) == GT_OK ? matrix : NULL;
}

/* ---- what classes weigh ---- */

/* A tensor (classes) of ones. */
static float *ones(gt_Context *context, int64_t classes, gt_Tensor **tensor)
{
    gt_Spec spec = {0};
    void *into = NULL;
    gt_spec_set(&spec, GT_FLOAT32, gt_shape(classes));
    *tensor = gt_tensor_new(context, &spec, &into);
    for (int64_t k = 0; *tensor && k < classes; k++)
        ((float *)into)[k] = 1;
    return *tensor ? into : NULL;
}

/* The number of a class that is called so; without names it is called by its number. -1 with an error raised. */
static int64_t class_called(gt_Context *context, const gt_Words *names, const char *name)
{
    int64_t number = -1;
    int32_t count = names ? names->count : 0;
    for (int32_t i = 0; i < count; i++)
        if (strcmp(gt_words_text(names, i), name) == 0)
            return i;
    if (count > 0)
        gt_raise(context, GT_INVALID, NULL, NULL, "no class is called \"%s\": the first of %d is \"%s\"", name, (int)count,
                 gt_words_text(names, 0));
    else if (!gt_parse_integer(name, strlen(name), &number) || number < 0 || number >= MOST_CLASSES)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "the dataset has no names of classes, so a class is called by its number, \"0\", \"1\", ... (got \"%s\")", name);
    return gt_context_status(context) == GT_OK ? number : -1;
}

static gt_Tensor *weights_by_name(gt_Context *context, const gt_Dataset *dataset, const gt_ClassWeight *weights)
{
    if (!gt_dataset_check(context, NULL, NULL, dataset))
        return NULL;
    const gt_DataNames *names = gt_dataset_names(dataset);
    const gt_Words *classes = names && names->classes.count > 0 ? &names->classes : NULL;
    int64_t count = classes ? classes->count : 0;
    for (const gt_ClassWeight *at = weights; at->name; at++) {
        int64_t k = class_called(context, classes, at->name);
        if (k < 0)
            return NULL;
        if (!(at->weight >= 0 && isfinite(at->weight))) {
            gt_raise(context, GT_INVALID, NULL, NULL, "the weight of \"%s\" must be finite and >= 0 (got %g)", at->name,
                     at->weight);
            return NULL;
        }
        count = k >= count ? k + 1 : count;
    }
    if (count == 0) {
        gt_raise(context, GT_INVALID, NULL, NULL, "expected the weight of at least 1 class");
        return NULL;
    }
    gt_Tensor *tensor;
    float *numbers = ones(context, count, &tensor);
    for (const gt_ClassWeight *at = weights; numbers && at->name; at++)
        numbers[class_called(context, classes, at->name)] = (float)at->weight;
    return tensor;
}

gt_Tensor *gt_class_weights_at(const char *here, const gt_Dataset *dataset, const gt_ClassWeight *weights)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "class_weights");
    gt_Tensor *tensor = weights_by_name(context, dataset, weights);
    gt_site_leave(&site);
    return tensor;
}

/* rows / (classes that there are * rows of the class) */
static gt_Tensor *balance(gt_Context *context, const gt_Tensor *y, int64_t least)
{
    Classes classes;
    if (!read_classes(context, "y", y, false, &classes))
        return NULL;
    int64_t count = count_classes(context, &classes), there = 0;
    if (count < 0)
        return NULL;
    count = count < least ? least : count;
    size_t bytes = (size_t)(count + 1) * sizeof(int64_t);
    int64_t *rows = gt_allocate_zeroed(context, bytes);
    for (int64_t row = 0; rows && row < classes.rows; row++) {
        int64_t k = class_at(context, &classes, row, MOST_CLASSES);
        there += rows[k]++ == 0;
    }
    gt_Tensor *tensor = NULL;
    float *numbers = rows ? ones(context, count, &tensor) : NULL;
    for (int64_t k = 0; numbers && k < count; k++)
        if (rows[k] > 0)
            numbers[k] = (float)((double)classes.rows / ((double)there * (double)rows[k]));
    gt_release(context, rows, bytes);
    return tensor;
}

static gt_Tensor *balanced(gt_Context *context, gt_Rows rows)
{
    if (rows.x)
        return balance(context, rows.x, 0);
    gt_Tensor *y = find_labels(context, rows.dataset, 0);
    if (!y)
        return NULL;
    const gt_DataNames *names = gt_dataset_names(rows.dataset);
    gt_Tensor *weights = balance(context, y, names ? names->classes.count : 0);
    gt_tensor_free(context, y);
    return weights;
}

gt_Tensor *gt_balanced_class_weights_at(const char *here, gt_Rows rows)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "balanced_class_weights");
    gt_Tensor *weights = balanced(context, rows);
    gt_site_leave(&site);
    return weights;
}
