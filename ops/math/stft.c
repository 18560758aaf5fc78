/* Sequences cut out of a tensor and added again; short-time Fourier transforms, which are made of them. */
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/copies.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/pair.h"
#include "ops/math/transform.h"

#include <stdio.h>

/* ---- sequences ---- */

/* sequences: `extent` is their length. overlap_add: it is that of the whole; GT_NONE: as long as the sequences reach. */
#define SEQUENCE_OPTIONS(F, S)                                                                     \
    F(S, int64_t, extent, 1, "numbers along the last axis of the result")                          \
    F(S, int64_t, stride, 1, "from the start of one sequence to that of the next")                 \
    F(S, int64_t, mirrored, 0, "elements at each end that are a mirror image of those between")
GT_OPTIONS(SequenceOptions, SEQUENCE_OPTIONS);
GT_OPTION_TYPE(SequenceOptions, SEQUENCE_OPTIONS);

static gt_Tensor *with_stride(const gt_Operation *operation, gt_Tensor *x, int64_t extent,
                              int64_t stride)
{
    SequenceOptions options = GT_VALUES(SequenceOptions, extent, stride, 0);
    return gt_apply_one_at(NULL, operation, &options, 1, &x);
}

/* How many sequences there are in `whole` numbers; 0 with an error raised. */
static int64_t count_sequences(int64_t whole, int64_t length, int64_t stride)
{
    if (length >= 1 && stride >= 1 && length <= whole)
        return 1 + (whole - length) / stride;
    gt_fail(GT_INVALID,
            "sequence_length must be in [1, %lld] and sequence_stride >= 1 (got %lld, %lld)",
            (long long)whole, (long long)length, (long long)stride);
    return 0;
}

static gt_Status sequences_shape(gt_ShapeRule *rule)
{
    const SequenceOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    gt_Spec *out = &rule->output[0];
    int axis = gt_takes(x, GT_TAKES_ANY) ? gt_axis(-1, x->rank) : -1;
    if (axis < 0)
        return gt_status();
    if (x->rank == GT_MAX_RANK)
        return gt_fail(GT_INVALID, "the result would have more than %d axes", GT_MAX_RANK);
    int64_t ends = options->mirrored; /* the axis is mirrored, between, mirrored elements */
    int64_t between = ends < 0 || ends > x->dims[axis] / 2 ? -1 : x->dims[axis] - 2 * ends;
    if (between < 0 || (ends > 0 && between <= ends))
        return gt_fail(
            GT_INVALID,
            "the last axis must have more than fft_length / 2 = %lld elements (got %lld)",
            (long long)ends, (long long)between);
    *out = *x;
    out->rank++;
    out->dims[axis] = count_sequences(x->dims[axis], options->extent, options->stride);
    out->dims[axis + 1] = options->extent;
    return gt_status();
}

static void sequences_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const SequenceOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *out = &rule->output[0];
    if (out->size == 0)
        return;
    int64_t whole = x->dims[x->rank - 1], count = out->dims[x->rank - 1], length = options->extent;
    gt_CopyJob *job = gt_lower_copy(lowering, x->dtype, 0, 1);
    gt_copy_axis(job, x->size / whole, whole, count * length);
    gt_copy_axis(job, count, options->stride, length);
    gt_copy_axis(job, length, 1, 1);
    gt_copy_end(lowering, job);
}

static gt_Status sequences_gradient(gt_GradientRule *rule)
{
    const SequenceOptions *options = gt_rule_options(rule);
    int64_t whole = gt_last(gt_spec_shape(gt_rule_input_spec(rule, 0)));
    return gt_give(rule, 0,
                   with_stride(&gt_op_overlap_add, gt_upstream(rule, 0), whole, options->stride));
}

static gt_Status overlap_add_shape(gt_ShapeRule *rule)
{
    const SequenceOptions *options = rule->options;
    const gt_Spec *x = rule->input[0];
    char text[160];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return gt_status();
    if (x->rank < 2 || options->stride < 1)
        return gt_fail(GT_INVALID, "sequences must have shape (..., count, length) (got %s)",
                       gt_dims_text(x, text, sizeof text));
    int64_t count = x->dims[x->rank - 2], length = x->dims[x->rank - 1], whole = options->extent;
    if (whole == GT_NONE && (count < 1 || count - 1 > (INT64_MAX - length) / options->stride))
        return gt_fail(GT_INVALID, "the result would be too large, or empty");
    if (whole == GT_NONE)
        whole = (count - 1) * options->stride + length;
    int64_t fit = count_sequences(whole, length, options->stride);
    if (fit > 0 && fit != count)
        return gt_fail(GT_INVALID, "%lld sequences fit the result (got %lld)", (long long)fit,
                       (long long)count);
    rule->output[0] = *x;
    rule->output[0].rank--;
    rule->output[0].dims[x->rank - 2] = whole;
    return gt_status();
}

static void overlap_add_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    const SequenceOptions *options = rule->options;
    const gt_Spec *x = rule->input[0], *out = &rule->output[0];
    gt_OverlapJob *job = gt_lower_launch(lowering, GT_TILES_overlap_add, 0, sizeof *job);
    if (out->size == 0)
        return;
    job->type = gt_loop_type(x->dtype);
    job->element = (int32_t)gt_dtype_size(x->dtype);
    job->whole = out->dims[out->rank - 1];
    job->rows = out->size / job->whole;
    job->count = x->dims[x->rank - 2];
    job->length = x->dims[x->rank - 1];
    job->stride = options->stride;
    job->chunk = job->whole < GT_TILE_ELEMENTS ? job->whole : GT_TILE_ELEMENTS;
    job->chunks = (job->whole + job->chunk - 1) / job->chunk;
    job->batch = GT_TILE_ELEMENTS / job->chunk;
    lowering->launch[0].tiles = (job->rows * job->chunks + job->batch - 1) / job->batch;
}

/* The last two axes of the input become one. */
static gt_Status overlap_add_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->input[0]->rank - 2);
}

static gt_Status sequences_mask(gt_MaskRule *rule)
{
    return gt_mask_rows(rule, rule->shape->input[0]->rank - 1);
}

static gt_Status overlap_add_gradient(gt_GradientRule *rule)
{
    const SequenceOptions *options = gt_rule_options(rule);
    int64_t length = gt_last(gt_spec_shape(gt_rule_input_spec(rule, 0)));
    return gt_give(rule, 0,
                   with_stride(&gt_op_sequences, gt_upstream(rule, 0), length, options->stride));
}

#define SEQUENCES(extent, stride, ...)                                                             \
    {                                                                                              \
        .inputs = 1, .input = GT_INPUTS(GT_ANY(__VA_ARGS__)),                                      \
        .options = &GT_VALUES(SequenceOptions, extent, stride, 0)                                  \
    }
const gt_Operation gt_op_sequences = {
    GT_RECORD("sequences", "y[i, j] = x[i stride + j]", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &SequenceOptions_type,
    .shape = sequences_shape,
    .lower = sequences_lower,
    .gradient = sequences_gradient,
    .mask = sequences_mask,
    .samples = GT_SAMPLES(SEQUENCES(3, 2, 2, 8), SEQUENCES(2, 3, 7), SEQUENCES(4, 1, 4)),
};
const gt_Operation gt_op_overlap_add = {
    GT_RECORD("overlap_add", "the transpose of sequences", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &SequenceOptions_type,
    .shape = overlap_add_shape,
    .lower = overlap_add_lower,
    .gradient = overlap_add_gradient,
    .mask = overlap_add_mask,
    .samples = GT_SAMPLES(SEQUENCES(8, 2, 2, 3, 3), SEQUENCES(7, 3, 2, 2), SEQUENCES(4, 1, 1, 4),
                          SEQUENCES(GT_NONE, 2, 2, 3, 3)),
};

GT_COMPOSED_BY(gt_Tensor *, extract_sequences, with_stride,
               (const char *here, gt_Tensor *x, int64_t sequence_length, int64_t sequence_stride),
               (&gt_op_sequences, x, sequence_length, sequence_stride))

/* ---- stft and istft ---- */

GT_OPTION_TYPE(gt_stft_options, gt_stft_OPTIONS);

/* How time is cut into frames: what stft and istft are told, checked. */
typedef struct Frames {
    int64_t length, stride, fft_length;
    gt_stft_options options;
} Frames;

static bool check_frames(Frames *frames, int64_t length, int64_t stride, int64_t fft_length,
                         const gt_stft_options *given)
{
    frames->length = length;
    frames->stride = stride;
    frames->fft_length = fft_length;
    gt_options_take(&gt_stft_options_type, &frames->options, given);
    gt_Window window = frames->options.window;
    if (length < 1 || stride < 1 || fft_length < length)
        gt_fail(GT_INVALID,
                "sequence_length and sequence_stride must be >= 1, fft_length >= sequence_length "
                "(got %lld, %lld, %lld)",
                (long long)length, (long long)stride, (long long)fft_length);
    else if (window != GT_WINDOW_HANN && window != GT_WINDOW_HAMMING && window != GT_WINDOW_NONE)
        gt_fail(GT_INVALID, "unknown window %d", (int)window);
    return gt_status() == GT_OK;
}

/* a - b cos(2 pi i / length), in float64 and then in the type that is wanted. */
static gt_Tensor *cosine_window(int64_t length, double a, double b, gt_DType dtype)
{
    gt_Tensor *i = gt_arange(0, (double)length, 1, .dtype = GT_FLOAT64);
    gt_Tensor *w = gt_cos(gt_multiply(i, 2 * 3.14159265358979323846 / (double)length));
    return gt_cast(gt_add(gt_multiply(w, -b), a), dtype);
}

/* The window with zeros around it, (fft_length); NULL without an error where there is none. */
static gt_Tensor *window_of(const Frames *frames, gt_DType dtype)
{
    const gt_stft_options *options = &frames->options;
    gt_Tensor *window = options->weights;
    int64_t before = (frames->fft_length - frames->length) / 2;
    if (window) {
        gt_Spec spec = gt_spec(window);
        char text[200];
        if (gt_status() == GT_OK &&
            (spec.rank != 1 || spec.dims[0] != frames->length || spec.dtype != dtype))
            gt_fail(GT_INVALID, "weights must be %s (%lld,) (got %s)", gt_dtype_name(dtype),
                    (long long)frames->length, gt_spec_text(&spec, text, sizeof text));
    } else if (options->window == GT_WINDOW_NONE) {
        return NULL;
    } else if (frames->length == 1) {
        window = gt_ones(gt_shape(1), .dtype = dtype);
    } else {
        bool hann = options->window == GT_WINDOW_HANN;
        window = cosine_window(frames->length, hann ? 0.5 : 0.54, hann ? 0.5 : 0.46, dtype);
    }
    int64_t after = frames->fft_length - frames->length - before;
    return gt_pad(window, gt_shape(before), gt_shape(after));
}

/* Sequences of x with its mirror image beyond both ends, `half` elements each. */
static gt_Tensor *mirrored_sequences(gt_Tensor *x, int64_t half, int64_t length, int64_t stride)
{
    gt_Shape ends = {.mark = GT_MARK, .rank = gt_rank(x)};
    ends.dims[ends.rank - 1] = half;
    if (half > 0)
        x = gt_pad(x, ends, ends, .mode = GT_PAD_MODE_REFLECT);
    SequenceOptions options = GT_VALUES(SequenceOptions, length, stride, half);
    return gt_apply_one_at(NULL, &gt_op_sequences, &options, 1, &x);
}

static gt_Complex stft(gt_Tensor *x, int64_t length, int64_t stride, int64_t fft_length,
                       const gt_stft_options *given)
{
    Frames frames;
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || !check_frames(&frames, length, stride, fft_length, given) ||
        !gt_takes(&spec, GT_TAKES_FLOAT) || gt_axis(-1, spec.rank) < 0)
        return gt_pair(NULL, NULL);
    x = mirrored_sequences(x, frames.options.center ? fft_length / 2 : 0, fft_length, stride);
    gt_Tensor *window = window_of(&frames, spec.dtype);
    return gt_rfft_at(NULL, window ? gt_multiply(x, window) : x, NULL);
}
GT_COMPOSED_BY(gt_Complex, stft, stft,
               (const char *here, gt_Tensor *x, int64_t sequence_length, int64_t sequence_stride,
                int64_t fft_length, const gt_stft_options *options),
               (x, sequence_length, sequence_stride, fft_length, options))

/* The divisor of the sequences that meet in a place: the sum of their squared windows. `sequences` tells how many there
 * are. */
static gt_Tensor *overlap_weight(gt_Tensor *window, gt_Tensor *sequences, int64_t stride,
                                 gt_DType dtype)
{
    gt_Tensor *squares = gt_ones_like(sequences);
    if (window)
        squares = gt_multiply(squares, gt_square(window));
    gt_Tensor *sum = with_stride(&gt_op_overlap_add, squares, GT_NONE, stride);
    return gt_where(gt_greater(sum, 1e-10), sum, gt_scalar(1, dtype));
}

/* One row of sequences, (sequences, length), of those of all rows, if there is any. */
static gt_Tensor *one_row(gt_Tensor *x)
{
    if (gt_size(x) == 0)
        return x;
    for (int rank = gt_rank(x); rank > 2; rank--)
        x = gt_item_along(x, 0, "0");
    return x;
}

/* Numbers [from, from + wanted) of the last axis; what is missing at the end is 0. `wanted` GT_NONE: as many as there are
 * but for `from` at the end. */
static gt_Tensor *cut_out(gt_Tensor *x, int64_t from, int64_t wanted)
{
    char range[64];
    if (wanted != GT_NONE)
        snprintf(range, sizeof range, "%lld:%lld", (long long)from, (long long)(from + wanted));
    else if (from > 0)
        snprintf(range, sizeof range, "%lld:-%lld", (long long)from, (long long)from);
    else
        return x;
    x = gt_item_along(x, -1, range);
    return wanted == GT_NONE ? x : gt_resized_last(x, wanted);
}

static gt_Tensor *istft(gt_Complex z, int64_t length, int64_t stride, int64_t fft_length,
                        const gt_stft_options *given)
{
    Frames frames;
    gt_Spec spec;
    char text[160];
    if (!gt_pair_spec(z, &spec) || !check_frames(&frames, length, stride, fft_length, given))
        return NULL;
    int64_t count = spec.rank < 2 ? 0 : spec.dims[spec.rank - 2];
    if (count < 1 || spec.dims[spec.rank - 1] != fft_length / 2 + 1) {
        gt_fail(GT_INVALID,
                "z must have shape (..., sequences, fft_length / 2 + 1 = %lld) (got %s)",
                (long long)(fft_length / 2 + 1),
                gt_dims_text(&spec, text, sizeof text));
        return NULL;
    }
    if (count - 1 > (INT64_MAX - fft_length) / stride) {
        gt_fail(GT_INVALID, "the result would be too large");
        return NULL;
    }
    int64_t edge = frames.options.center ? fft_length / 2 : 0, wanted = frames.options.length;
    if (wanted < 0 && wanted != GT_NONE) {
        gt_fail(GT_INVALID, "length must be >= 0 (got %lld)", (long long)wanted);
        return NULL;
    }
    if (wanted == GT_NONE && (count - 1) * stride + fft_length < 2 * edge) {
        gt_fail(GT_INVALID, "too few sequences: %lld elements, and %lld at each end are left out",
                (long long)((count - 1) * stride + fft_length), (long long)edge);
        return NULL;
    }
    gt_Tensor *window = window_of(&frames, spec.dtype);
    gt_Tensor *x = gt_irfft_at(NULL, z, &GT_VALUES(gt_rfft_options, fft_length));
    gt_Tensor *weight = overlap_weight(window, one_row(x), stride, spec.dtype);
    x = with_stride(&gt_op_overlap_add, window ? gt_multiply(x, window) : x, GT_NONE, stride);
    return cut_out(gt_divide(x, weight), edge, wanted);
}
GT_COMPOSED(istft,
            (const char *here, gt_Complex z, int64_t sequence_length, int64_t sequence_stride,
             int64_t fft_length, const gt_stft_options *options),
            (z, sequence_length, sequence_stride, fft_length, options))
