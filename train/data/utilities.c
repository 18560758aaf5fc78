/* keras.utils: categories as rows, sequences of one length. */
#include "train/data/utilities.h"
#include "train/data/inside.h"

#include <string.h>

GT_OPTION_TYPE(gt_to_categorical_options, gt_to_categorical_OPTIONS);
GT_OPTION_TYPE(gt_pad_sequences_options, gt_pad_sequences_OPTIONS);

/* ---- to_categorical ---- */

/* One more than the largest; -1 with an error raised for what is no class. */
static int64_t find_classes(gt_Context *context, const gt_Spec *spec, const void *data,
                            int64_t given)
{
    int64_t classes = given > 0 ? given : 0;
    for (int64_t i = 0; i < spec->size; i++) {
        double number = gt_number_fetch(spec->dtype, data, i);
        bool fits = number >= 0 && number < (given > 0 ? (double)given : 1e9) &&
                    number == (double)(int64_t)number;
        if (!fits) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "classes are integers from 0 to num_classes - 1 (got %g)", number);
            return -1;
        }
        if (given <= 0 && (int64_t)number >= classes)
            classes = (int64_t)number + 1;
    }
    return classes;
}

static gt_Tensor *to_categorical(gt_Context *context, gt_Tensor *x, int64_t given)
{
    void *into;
    const gt_Spec *of = gt_tensor_check(context, NULL, NULL, "x", x);
    const void *data = of ? gt_data_at(NULL, x) : NULL;
    if (!of || gt_context_status(context) != GT_OK)
        return NULL;
    gt_Spec spec = *of, labels = *of;
    if (given == 0 || given < -1) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "num_classes must be >= 1, or -1: the largest class and one more (got %lld)",
                 (long long)given);
        return NULL;
    }
    int64_t classes = find_classes(context, &labels, data, given);
    if (classes < 0)
        return NULL;
    if (spec.rank > 1 && spec.dims[spec.rank - 1] == 1)
        spec.rank--;
    spec.dtype = GT_FLOAT32;
    if (spec.rank == GT_MAX_RANK) {
        gt_raise(context, GT_INVALID, NULL, NULL, "x may have at most %d dimensions",
                 GT_MAX_RANK - 1);
        return NULL;
    }
    spec.dims[spec.rank++] = classes;
    if (!gt_spec_resize(&spec)) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the result is too large for a tensor");
        return NULL;
    }
    gt_Tensor *result = gt_tensor_new(context, &spec, &into);
    if (result)
        memset(into, 0, gt_spec_bytes(&spec));
    for (int64_t i = 0; result && i < labels.size; i++)
        ((float *)into)[i * classes + (int64_t)gt_number_fetch(labels.dtype, data, i)] = 1;
    return result;
}

gt_Tensor *gt_to_categorical_at(const char *here, gt_Tensor *x,
                                const gt_to_categorical_options *given)
{
    gt_to_categorical_options options;
    GT_TAKE(gt_to_categorical_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "to_categorical");
    gt_Tensor *result = to_categorical(context, x, options.num_classes);
    gt_site_leave(&site);
    return result;
}

/* ---- pad_sequences ---- */

/* The spec of the result. False: the error is raised. */
static bool padded_spec(gt_Context *context, gt_Tensors sequences,
                        const gt_pad_sequences_options *options, gt_Spec *spec)
{
    char a[160], b[160];
    int64_t longest = 0;
    const gt_Spec *first = NULL;
    for (int32_t i = 0; i < sequences.count; i++) {
        const gt_Spec *has = gt_tensor_check(context, NULL, NULL, "a sequence", sequences.items[i]);
        if (!has)
            return false;
        first = first ? first : has;
        if (has->rank < 1 || has->rank >= GT_MAX_RANK || has->rank != first->rank ||
            memcmp(has->dims + 1, first->dims + 1, (size_t)(has->rank - 1) * sizeof *has->dims) !=
                0) {
            gt_raise(
                context, GT_INVALID, NULL, NULL,
                "sequences must be of shape (steps, ...) and differ in steps alone (got %s and %s)",
                gt_spec_text(first, a, sizeof a), gt_spec_text(has, b, sizeof b));
            return false;
        }
        longest = has->dims[0] > longest ? has->dims[0] : longest;
    }
    int64_t dims[GT_MAX_RANK] = {sequences.count, options->maxlen < 0 ? longest : options->maxlen};
    for (int k = 1; k < first->rank; k++)
        dims[k + 1] = first->dims[k];
    if (gt_spec_set(spec, options->dtype, gt_shape_of(first->rank + 1, dims)))
        return true;
    gt_raise(context, GT_INVALID, NULL, NULL, "the result is too large for a tensor");
    return false;
}

/* One sequence into its row. */
static bool put_sequence(gt_Context *context, gt_Tensor *sequence,
                         const gt_pad_sequences_options *options, const gt_Spec *spec, int64_t row,
                         void *into)
{
    const gt_Spec *has = gt_tensor_spec(sequence);
    const void *data = gt_data_at(NULL, sequence);
    int64_t steps = spec->dims[1], length = has->dims[0] < steps ? has->dims[0] : steps;
    int64_t width = spec->dims[0] * steps > 0 ? spec->size / (spec->dims[0] * steps) : 0;
    int64_t skipped = options->truncating == GT_SEQUENCE_END_PRE ? has->dims[0] - length : 0;
    int64_t before = options->padding == GT_SEQUENCE_END_PRE ? steps - length : 0;
    for (int64_t i = 0; i < length * width; i++) {
        double number = gt_number_fetch(has->dtype, data, skipped * width + i);
        if (!gt_dtype_is_float(spec->dtype) && !gt_number_fits(spec->dtype, number)) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "sequence %lld has %g, which %s cannot hold; .dtype says another",
                     (long long)row, number, gt_dtype_name(spec->dtype));
            return false;
        }
        gt_number_store(spec->dtype, into, (row * steps + before) * width + i, number);
    }
    return true;
}

static gt_Tensor *pad_sequences(gt_Context *context, gt_Tensors sequences,
                                const gt_pad_sequences_options *options)
{
    gt_Spec spec = {0};
    void *into;
    if (sequences.count < 1 || !sequences.items)
        gt_raise(context, GT_INVALID, NULL, NULL, "expected at least 1 sequence, gt_tensors(a, b)");
    else if (gt_loop_type(options->dtype) < 0 || !gt_number_fits(options->dtype, options->value))
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "value must be a number of dtype %s, which operations compute in (got %g)",
                 gt_dtype_name(options->dtype), options->value);
    else if ((unsigned)options->padding > GT_SEQUENCE_END_POST ||
             (unsigned)options->truncating > GT_SEQUENCE_END_POST)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown end of a sequence %d",
                 (int)options->padding);
    if (gt_context_status(context) != GT_OK || !padded_spec(context, sequences, options, &spec))
        return NULL;
    gt_Tensor *result = gt_tensor_new(context, &spec, &into);
    for (int64_t i = 0; result && i < spec.size; i++)
        gt_number_store(spec.dtype, into, i, options->value);
    for (int32_t i = 0; result && i < sequences.count; i++)
        if (!put_sequence(context, sequences.items[i], options, &spec, i, into))
            return NULL;
    return gt_context_status(context) == GT_OK ? result : NULL;
}

gt_Tensor *gt_pad_sequences_at(const char *here, gt_Tensors sequences,
                               const gt_pad_sequences_options *given)
{
    gt_pad_sequences_options options;
    GT_TAKE(gt_pad_sequences_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "pad_sequences");
    gt_Tensor *result = pad_sequences(context, sequences, &options);
    gt_site_leave(&site);
    return result;
}
