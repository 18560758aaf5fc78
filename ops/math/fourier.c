/* Fourier transforms: records, kernels and gradient rules of ops/math/fourier.h. How a transform is done
 * is in ops/math/transform.c. All of it is linear: a gradient is the transposed transform. */
#include "ops/math/fourier.h"
#include "ops/array/cast.h"
#include "ops/math/compare.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/math/math.h"
#include "ops/array/reshaping.h"
#include "ops/math/transform.h"

#include <string.h>

/* ---- columns of tensors ---- */

/* A kernel at work on the columns along an axis, in groups that stand beside each other in the arrays
 * of the transform. In the tensor, columns are rows of it if `inner` is 1, else `inner` of them stand
 * beside each other. */
typedef struct Job Job;
typedef struct Group {
    int64_t outer, first, lanes; /* a column is at (outer * rows * inner + first) */
    gt_Split a, b;
} Group;
typedef void GroupBody(const Job *job, const gt_Kernel *kernel, const Group *group);
struct Job {
    gt_Transform transform;
    GroupBody *body;
    int64_t beside, inner, pieces; /* columns that can be beside each other, and their groups */
    int64_t groups, batch;         /* groups in all and in one tile of work */
    double scale;                  /* what the result is multiplied with */
};

#define WORK 4096 /* complex numbers that make one tile */

/* Transforms of `length` along an axis of x; folded: of twice as many real numbers, or half of that.
 * False: there is nothing to transform. */
static bool plan_job(Job *job, const gt_Spec *x, int axis, int64_t length, bool folded)
{
    int64_t outer = 1;
    if (x->size == 0)
        return false;
    job->inner = 1;
    for (int d = 0; d < axis; d++)
        outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        job->inner *= x->dims[d];
    bool beside = job->inner > 1;
    job->beside = beside ? job->inner : outer;
    gt_transform_plan(&job->transform, x->dtype, length, folded, job->beside, beside);
    int64_t lanes = job->transform.lanes, numbers = length * lanes;
    job->pieces = (job->beside + lanes - 1) / lanes;
    job->groups = beside ? outer * job->pieces : job->pieces;
    job->batch = numbers < WORK ? WORK / numbers : 1;
    return true;
}

static void job_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                      void *scratch)
{
    const Job *job = argument;
    int64_t end = last * job->batch < job->groups ? last * job->batch : job->groups;
    Group group;
    gt_transform_arrays(&job->transform, scratch, &group.a, &group.b);
    for (int64_t i = first * job->batch; i < end; i++) {
        int64_t at = i % job->pieces * job->transform.lanes, left = job->beside - at;
        group.outer = job->inner > 1 ? i / job->pieces : at;
        group.first = job->inner > 1 ? at : 0;
        group.lanes = left < job->transform.lanes ? left : job->transform.lanes;
        job->body(job, kernel, &group);
    }
}

static gt_Status run_job(Job *job, const gt_Kernel *kernel, GroupBody *body)
{
    job->body = body;
    gt_transform_begin(&job->transform, kernel);
    return gt_for_tiles(kernel, (job->groups + job->batch - 1) / job->batch, job_tiles, job);
}

/* A group of columns with that many rows, from a tensor into rows of `lanes`, and back. No tensor:
 * zeros. */
static void gather(const Job *job, const Group *group, const void *x, int64_t rows, char *y)
{
    size_t element = job->transform.element, line = (size_t)group->lanes * element;
    int64_t inner = job->inner, at = group->outer * rows * inner + group->first;
    const char *from = x ? (const char *)x + (size_t)at * element : NULL;
    if (!from)
        memset(y, 0, (size_t)rows * line);
    else if (inner > 1)
        for (int64_t row = 0; row < rows; row++)
            memcpy(y + (size_t)row * line, from + (size_t)(row * inner) * element, line);
    else if (group->lanes > 1)
        /* No more than 8 rows together: rows of a power of two numbers share their places in the
         * first cache, and there are not many more of each. */
        for (int64_t lane = 0; lane < group->lanes; lane += 8) {
            int64_t lanes = group->lanes - lane < 8 ? group->lanes - lane : 8;
            job->transform.kernels->transpose[job->transform.type + 2](
                lanes, rows, from + (size_t)(lane * rows) * element, rows,
                y + (size_t)lane * element, group->lanes);
        }
    else
        memcpy(y, from, (size_t)rows * element);
}

static void scatter(const Job *job, const Group *group, const char *x, int64_t rows, void *y)
{
    size_t element = job->transform.element, line = (size_t)group->lanes * element;
    int64_t inner = job->inner, at = group->outer * rows * inner + group->first;
    char *to = (char *)y + (size_t)at * element;
    if (inner > 1)
        for (int64_t row = 0; row < rows; row++)
            memcpy(to + (size_t)(row * inner) * element, x + (size_t)row * line, line);
    else if (group->lanes > 1)
        job->transform.kernels->transpose[job->transform.type + 2](rows, group->lanes, x,
                                                                   group->lanes, to, rows);
    else
        memcpy(to, x, (size_t)rows * element);
}

/* ---- complex pairs ---- */

static gt_Complex pair(gt_Tensor *real, gt_Tensor *imag)
{
    return gt_status() == GT_OK ? (gt_Complex){real, imag} : (gt_Complex){NULL, NULL};
}

static gt_Status check_pair(const gt_Spec *real, const gt_Spec *imag)
{
    char a[200], b[200];
    if (!gt_takes(real, GT_TAKES_FLOAT))
        return gt_status();
    if (!gt_spec_equal(real, imag))
        return gt_fail(GT_INVALID, "the real part, %s, and the imaginary part, %s, are not alike",
                       gt_spec_text(real, a, sizeof a), gt_spec_text(imag, b, sizeof b));
    return GT_OK;
}

static bool takes_complex(gt_Complex z, gt_Spec *spec)
{
    *spec = gt_spec(z.real);
    gt_Spec imag = gt_spec(z.imag);
    return gt_status() == GT_OK && check_pair(spec, &imag) == GT_OK;
}

/* The shape rule of a record that takes a pair of which one may be missing: zeros. NULL on failure. */
static const gt_Spec *pair_shape(const gt_ShapeRule *rule)
{
    const gt_Spec *real = rule->input[0], *imag = rule->input[1];
    if (!real && !imag) {
        gt_fail(GT_INVALID, "both parts are missing");
        return NULL;
    }
    real = real ? real : imag;
    return check_pair(real, imag ? imag : real) == GT_OK ? real : NULL;
}

/* The axis, which must not be empty; -1 with an error raised. */
static int check_axis(const gt_Spec *x, int axis)
{
    char text[160];
    axis = gt_axis(axis, x->rank);
    if (axis < 0 || x->dims[axis] > 0)
        return axis;
    gt_fail(GT_INVALID, "axis %d of %s is empty", axis,
            gt_shape_text(gt_spec_shape(x), text, sizeof text));
    return -1;
}

/* Gives both inputs of a record their parts of a gradient. */
static gt_Status give_pair(gt_GradientRule *rule, gt_Complex gradient)
{
    if (gt_wants(rule, 0))
        gt_give(rule, 0, gradient.real);
    if (gt_wants(rule, 1))
        gt_give(rule, 1, gradient.imag);
    return gt_status();
}

/* ---- the transform ---- */

#define FFT_OPTIONS(F, S)                                                                          \
    F(S, int32_t, axis, -1, "along this axis")                                                     \
    F(S, bool, inverse, false, "e^(+2 pi i j k / n)")                                              \
    F(S, bool, scaled, false, "divided by n")
GT_OPTIONS(FftOptions, FFT_OPTIONS);
GT_OPTION_TYPE(FftOptions, FFT_OPTIONS);
GT_OPTION_TYPE(gt_fft_options, gt_fft_OPTIONS);

static gt_Complex transform(gt_Complex z, int axis, bool inverse, bool scaled)
{
    FftOptions options = GT_VALUES(FftOptions, axis, inverse, scaled);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_fourier, &options, 2, (gt_Tensor *[]){z.real, z.imag}, out);
    return pair(out[0], out[1]);
}

static gt_Status fourier_shape(gt_ShapeRule *rule)
{
    const FftOptions *options = rule->options;
    const gt_Spec *x = pair_shape(rule);
    int axis = x ? check_axis(x, options->axis) : -1;
    Job job;
    if (axis < 0)
        return gt_status();
    rule->output[0] = rule->output[1] = *x;
    if (plan_job(&job, x, axis, x->dims[axis], false))
        rule->scratch = job.transform.scratch;
    return GT_OK;
}

/* The inverse transform is that of the exchanged parts. */
static void fourier_group(const Job *job, const gt_Kernel *kernel, const Group *group)
{
    const FftOptions *options = kernel->options;
    const gt_Transform *t = &job->transform;
    int re = options->inverse, im = !re;
    gather(job, group, kernel->input[re], t->length, group->b.re);
    gather(job, group, kernel->input[im], t->length, group->b.im);
    gt_Split y = gt_transform_run(t, group->lanes, group->b, group->lanes, group->a, group->b);
    if (options->scaled) {
        float single = (float)job->scale;
        const void *scale = t->type == GT_LOOP_F32 ? (const void *)&single : &job->scale;
        gt_BinaryLoop *multiply = t->kernels->binary[GT_LOOP_MULTIPLY][t->type];
        multiply(t->length * group->lanes, y.re, 1, scale, 0, y.re);
        multiply(t->length * group->lanes, y.im, 1, scale, 0, y.im);
    }
    scatter(job, group, y.re, t->length, kernel->output[re]);
    scatter(job, group, y.im, t->length, kernel->output[im]);
}

static gt_Status fourier_run(const gt_Kernel *kernel)
{
    const FftOptions *options = kernel->options;
    const gt_Spec *x = kernel->output_spec[0];
    int axis = gt_axis(options->axis, x->rank);
    Job job;
    if (!plan_job(&job, x, axis, x->dims[axis], false))
        return GT_OK;
    job.scale = 1 / (double)x->dims[axis];
    return run_job(&job, kernel, fourier_group);
}

/* The transposed transform is the conjugate one: of F it is n F^-1. */
static gt_Status fourier_gradient(gt_GradientRule *rule)
{
    const FftOptions *options = gt_rule_options(rule);
    gt_Complex up = {gt_upstream(rule, 0), gt_upstream(rule, 1)};
    return give_pair(rule, transform(up, options->axis, !options->inverse, options->scaled));
}

#define FFT_SAMPLE(axis, inverse, scaled, ...)                                                     \
    {                                                                                              \
        .inputs = 2, .input = GT_INPUTS(GT_REAL(-1, 1, __VA_ARGS__), GT_REAL(-1, 1, __VA_ARGS__)), \
        .options = &GT_VALUES(FftOptions, axis, inverse, scaled)                                   \
    }
const gt_Operation gt_op_fourier = {
    GT_RECORD("fourier", "y[k] = sum x[j] e^(-2 pi i j k / n)", 2, 2),
    .outputs = 2,
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &FftOptions_type,
    .optional_inputs = 3,
    .shape = fourier_shape,
    .run = fourier_run,
    .gradient = fourier_gradient,
    .samples = GT_SAMPLES(FFT_SAMPLE(-1, false, false, 2, 6), FFT_SAMPLE(0, true, true, 5, 2),
                          FFT_SAMPLE(1, false, true, 2, 7, 1), FFT_SAMPLE(-1, true, false, 1),
                          FFT_SAMPLE(0, false, false, 37)),
};

static gt_Complex fft_along(gt_Complex z, const gt_fft_options *given, bool inverse)
{
    gt_fft_options options = GT_TAKE(gt_fft_options, given);
    gt_Spec spec;
    return takes_complex(z, &spec) ? transform(z, options.axis, inverse, inverse)
                                   : pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, fft, fft_along,
               (const char *here, gt_Complex z, const gt_fft_options *options), (z, options, false))
GT_COMPOSED_BY(gt_Complex, ifft, fft_along,
               (const char *here, gt_Complex z, const gt_fft_options *options), (z, options, true))

static gt_Complex fft_plane(gt_Complex z, bool inverse)
{
    gt_Spec spec;
    char text[160];
    if (!takes_complex(z, &spec))
        return pair(NULL, NULL);
    if (spec.rank < 2)
        gt_fail(GT_INVALID, "it needs two axes, not shape %s",
                gt_shape_text(gt_spec_shape(&spec), text, sizeof text));
    return transform(transform(z, -1, inverse, inverse), -2, inverse, inverse);
}
GT_COMPOSED_BY(gt_Complex, fft2, fft_plane, (const char *here, gt_Complex z), (z, false))
GT_COMPOSED_BY(gt_Complex, ifft2, fft_plane, (const char *here, gt_Complex z), (z, true))

/* ---- half a spectrum, of an even number of real numbers ---- */

/* Half a spectrum stands for a whole one where real numbers are made of it: all but its ends count
 * twice. So it is, and the result is divided by n, in from_half_spectrum and in its transpose, which
 * is a half_spectrum; in half_spectrum and its transpose neither is so. */
#define HALF_OPTIONS(F, S) F(S, bool, transposed, false, "the transpose of the other one")
GT_OPTIONS(HalfOptions, HALF_OPTIONS);
GT_OPTION_TYPE(HalfOptions, HALF_OPTIONS);

static gt_Complex half_spectrum(gt_Tensor *x, bool transposed)
{
    HalfOptions options = GT_VALUES(HalfOptions, transposed);
    gt_Tensor *out[2] = {NULL, NULL};
    gt_apply_at(NULL, &gt_op_half_spectrum, &options, 1, &x, out);
    return pair(out[0], out[1]);
}

static gt_Tensor *from_half_spectrum(gt_Complex z, bool transposed)
{
    HalfOptions options = GT_VALUES(HalfOptions, transposed);
    return gt_apply_one_at(NULL, &gt_op_from_half_spectrum, &options, 2,
                           (gt_Tensor *[]){z.real, z.imag});
}

static gt_Status half_spectrum_shape(gt_ShapeRule *rule)
{
    const gt_Spec *x = rule->input[0];
    int axis = gt_takes(x, GT_TAKES_FLOAT) ? check_axis(x, -1) : -1;
    Job job;
    if (axis < 0)
        return gt_status();
    if (x->dims[axis] % 2 != 0)
        return gt_fail(GT_INVALID, "%lld numbers are not even", (long long)x->dims[axis]);
    rule->output[0] = *x;
    rule->output[0].dims[axis] = x->dims[axis] / 2 + 1;
    rule->output[1] = rule->output[0];
    if (plan_job(&job, x, axis, x->dims[axis] / 2, true))
        rule->scratch = job.transform.scratch;
    return GT_OK;
}

/* As a transform of half as many complex numbers x[2 j] + i x[2 j + 1]. */
static void half_spectrum_group(const Job *job, const gt_Kernel *kernel, const Group *group)
{
    const HalfOptions *options = kernel->options;
    const gt_Transform *t = &job->transform;
    int64_t h = t->length, lanes = group->lanes;
    double ends = options->transposed ? 0.25 / (double)h : 0.5;
    gather(job, group, kernel->input[0], 2 * h, group->b.re);
    gt_Split x = {group->b.re, group->b.re + (size_t)lanes * t->element};
    x = gt_transform_run(t, lanes, x, 2 * lanes, group->a, group->b);
    gt_Split y = x.re == group->a.re ? group->b : group->a;
    gt_transform_fold(t, lanes, false, ends, options->transposed ? 2 * ends : ends, x, y);
    scatter(job, group, y.re, h + 1, kernel->output[0]);
    scatter(job, group, y.im, h + 1, kernel->output[1]);
}

static gt_Status half_spectrum_run(const gt_Kernel *kernel)
{
    const gt_Spec *x = kernel->input_spec[0];
    Job job;
    if (!plan_job(&job, x, x->rank - 1, x->dims[x->rank - 1] / 2, true))
        return GT_OK;
    return run_job(&job, kernel, half_spectrum_group);
}

static gt_Status half_spectrum_gradient(gt_GradientRule *rule)
{
    const HalfOptions *options = gt_rule_options(rule);
    gt_Complex up = {gt_upstream(rule, 0), gt_upstream(rule, 1)};
    return gt_give(rule, 0, from_half_spectrum(up, !options->transposed));
}

static gt_Status from_half_spectrum_shape(gt_ShapeRule *rule)
{
    const gt_Spec *z = pair_shape(rule);
    int axis = z ? check_axis(z, -1) : -1;
    Job job;
    if (axis < 0)
        return gt_status();
    if (z->dims[axis] < 2 || z->dims[axis] > INT64_MAX / 2)
        return gt_fail(GT_INVALID, "%lld numbers are not half a spectrum",
                       (long long)z->dims[axis]);
    rule->output[0] = *z;
    rule->output[0].dims[axis] = 2 * (z->dims[axis] - 1);
    if (plan_job(&job, z, axis, z->dims[axis] - 1, true))
        rule->scratch = job.transform.scratch;
    return GT_OK;
}

static void from_half_spectrum_group(const Job *job, const gt_Kernel *kernel, const Group *group)
{
    const HalfOptions *options = kernel->options;
    const gt_Transform *t = &job->transform;
    int64_t h = t->length, lanes = group->lanes;
    size_t line = (size_t)lanes * t->element;
    gt_Split a = group->a, b = group->b;
    double ends = options->transposed ? 1 : 0.5 / (double)h;
    gather(job, group, kernel->input[0], h + 1, b.re);
    gather(job, group, kernel->input[1], h + 1, b.im);
    memset(b.im, 0, line);
    memset(b.im + (size_t)h * line, 0, line);
    gt_transform_fold(t, lanes, true, ends, options->transposed ? 0.5 : ends, b, a);
    gt_Split y = gt_transform_run(t, lanes, (gt_Split){a.im, a.re}, lanes, (gt_Split){b.im, b.re},
                                  (gt_Split){a.im, a.re});
    char *even = y.im, *odd = y.re, *both = even == a.re ? b.re : a.re;
    if (lanes == 1) {
        t->kernels->transpose[t->type + 2](2, h, even, (odd - even) / (int64_t)t->element, both, 2);
    } else {
        for (int64_t j = 0; j < h; j++) {
            memcpy(both + 2 * (size_t)j * line, even + (size_t)j * line, line);
            memcpy(both + (2 * (size_t)j + 1) * line, odd + (size_t)j * line, line);
        }
    }
    scatter(job, group, both, 2 * h, kernel->output[0]);
}

static gt_Status from_half_spectrum_run(const gt_Kernel *kernel)
{
    const gt_Spec *z = kernel->input_spec[kernel->input_spec[0] ? 0 : 1];
    Job job;
    if (!plan_job(&job, z, z->rank - 1, z->dims[z->rank - 1] - 1, true))
        return GT_OK;
    return run_job(&job, kernel, from_half_spectrum_group);
}

static gt_Status from_half_spectrum_gradient(gt_GradientRule *rule)
{
    const HalfOptions *options = gt_rule_options(rule);
    return give_pair(rule, half_spectrum(gt_upstream(rule, 0), !options->transposed));
}

#define TRANSPOSED .options = &GT_VALUES(HalfOptions, true)
const gt_Operation gt_op_half_spectrum = {
    GT_RECORD("half_spectrum", "y[k] = sum x[j] e^(-2 pi i j k / n), k <= n / 2", 1, 1),
    .outputs = 2,
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &HalfOptions_type,
    .shape = half_spectrum_shape,
    .run = half_spectrum_run,
    .gradient = half_spectrum_gradient,
    .samples = GT_SAMPLES({.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 6))},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(3, 8)), TRANSPOSED},
                          {.inputs = 1, .input = GT_INPUTS(GT_ANY(2, 2))}),
};
const gt_Operation gt_op_from_half_spectrum = {
    GT_RECORD("from_half_spectrum", "the x with half_spectrum(x) = y", 2, 2),
    .flags = GT_OP_LINEAR | GT_OP_INTERNAL,
    .options = &HalfOptions_type,
    .optional_inputs = 3,
    .shape = from_half_spectrum_shape,
    .run = from_half_spectrum_run,
    .gradient = from_half_spectrum_gradient,
    .samples = GT_SAMPLES({.inputs = 2, .input = GT_INPUTS(GT_ANY(2, 4), GT_ANY(2, 4))},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(5), GT_ANY(5)), TRANSPOSED},
                          {.inputs = 2, .input = GT_INPUTS(GT_ANY(3, 2), GT_ANY(3, 2))}),
};

GT_OPTION_TYPE(gt_rfft_options, gt_rfft_OPTIONS);

/* `count` numbers of the last axis. */
static gt_Tensor *part(gt_Tensor *x, int64_t first, int64_t count)
{
    gt_Shape size = gt_tensor_shape(x);
    gt_Shape begin = {.mark = GT_MARK, .rank = size.rank};
    if (size.rank < 1)
        return NULL;
    begin.dims[size.rank - 1] = first;
    size.dims[size.rank - 1] = count;
    return gt_slice(x, begin, size);
}

/* With zeros before and after along the last axis. */
static gt_Tensor *padded(gt_Tensor *x, int64_t before, int64_t after)
{
    gt_Shape left = {.mark = GT_MARK, .rank = gt_rank(x)}, right = left;
    if (left.rank < 1)
        return NULL;
    left.dims[left.rank - 1] = before;
    right.dims[right.rank - 1] = after;
    return gt_pad(x, left, right);
}

/* The last axis cropped, or filled with zeros at its end. */
static gt_Tensor *resized(gt_Tensor *x, int64_t length)
{
    int64_t now = gt_last(gt_tensor_shape(x));
    return now == length ? x : now > length ? part(x, 0, length) : padded(x, 0, length - now);
}

/* How many real numbers are transformed: `length`, or as many as fit; 0 with an error raised. */
static int64_t real_length(const gt_Spec *x, int64_t length, int64_t fitting)
{
    char text[160];
    if (check_axis(x, -1) < 0)
        return 0;
    length = length == GT_NONE ? fitting : length;
    if (length >= 1)
        return length;
    gt_fail(GT_INVALID, "fft_length is %lld for %s; it must be at least 1", (long long)length,
            gt_shape_text(gt_spec_shape(x), text, sizeof text));
    return 0;
}

static gt_Complex rfft(gt_Tensor *x, const gt_rfft_options *given)
{
    gt_rfft_options options = GT_TAKE(gt_rfft_options, given);
    gt_Spec spec = gt_spec(x);
    bool takes = gt_status() == GT_OK && gt_takes(&spec, GT_TAKES_FLOAT);
    int64_t n = takes ? real_length(&spec, options.fft_length, gt_last(gt_spec_shape(&spec))) : 0;
    if (n == 0)
        return pair(NULL, NULL);
    x = resized(x, n);
    if (n % 2 == 0)
        return half_spectrum(x, false);
    gt_Complex whole = transform((gt_Complex){x, NULL}, -1, false, false);
    return pair(part(whole.real, 0, n / 2 + 1), part(whole.imag, 0, n / 2 + 1));
}
GT_COMPOSED_BY(gt_Complex, rfft, rfft,
               (const char *here, gt_Tensor *x, const gt_rfft_options *options), (x, options))

/* An odd number of real numbers: from the whole spectrum. */
static gt_Tensor *odd_irfft(gt_Complex z, int64_t n)
{
    if (n == 1)
        return z.real;
    gt_Tensor *real = part(z.real, 1, n / 2), *imag = part(z.imag, 1, n / 2);
    z.real = gt_concatenate(gt_tensors(z.real, gt_flip(real, .axis = -1)), .axis = -1);
    z.imag = gt_concatenate(gt_tensors(padded(imag, 1, 0), gt_negative(gt_flip(imag, .axis = -1))),
                            .axis = -1);
    return transform(z, -1, true, true).real;
}

static gt_Tensor *irfft(gt_Complex z, const gt_rfft_options *given)
{
    gt_rfft_options options = GT_TAKE(gt_rfft_options, given);
    gt_Spec spec;
    bool takes = takes_complex(z, &spec);
    int64_t fitting = takes ? 2 * (gt_last(gt_spec_shape(&spec)) - 1) : 0;
    int64_t n = takes ? real_length(&spec, options.fft_length, fitting) : 0;
    if (n == 0)
        return NULL;
    z = pair(resized(z.real, n / 2 + 1), resized(z.imag, n / 2 + 1));
    return n % 2 == 0 ? from_half_spectrum(z, false) : odd_irfft(z, n);
}
GT_COMPOSED(irfft, (const char *here, gt_Complex z, const gt_rfft_options *options), (z, options))

/* ---- complex arithmetic ---- */

static gt_Complex complex_of(gt_Tensor *real, gt_Operand imag)
{
    gt_Complex z = {real, imag.is_number ? gt_full_like(real, imag.number) : imag.tensor};
    gt_Spec spec;
    return takes_complex(z, &spec) ? z : pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, complex, complex_of,
               (const char *here, gt_Tensor *real, gt_Operand imag), (real, imag))

static gt_Complex conjugate(gt_Complex z)
{
    gt_Spec spec;
    return takes_complex(z, &spec) ? pair(z.real, gt_negative(z.imag)) : pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, conj, conjugate, (const char *here, gt_Complex z), (z))

static gt_Complex complex_multiply(gt_Complex a, gt_Complex b)
{
    gt_Spec spec;
    if (!takes_complex(a, &spec) || !takes_complex(b, &spec))
        return pair(NULL, NULL);
    gt_Tensor *real = gt_subtract(gt_multiply(a.real, b.real), gt_multiply(a.imag, b.imag));
    gt_Tensor *imag = gt_add(gt_multiply(a.real, b.imag), gt_multiply(a.imag, b.real));
    return pair(real, imag);
}
GT_COMPOSED_BY(gt_Complex, complex_multiply, complex_multiply,
               (const char *here, gt_Complex a, gt_Complex b), (a, b))

/* a b* / |b|^2, both relative to the larger part of b, whose square may be beyond the type. The
 * result does not depend on what they are relative to, hence no gradient goes there. */
static gt_Complex complex_divide(gt_Complex a, gt_Complex b)
{
    gt_Spec spec;
    if (!takes_complex(a, &spec) || !takes_complex(b, &spec))
        return pair(NULL, NULL);
    gt_Tensor *size = gt_stop_gradient(gt_maximum(gt_abs(b.real), gt_abs(b.imag)));
    size = gt_where(gt_logical_and(gt_greater(size, 0), gt_isfinite(size)), size, 1);
    a = pair(gt_divide(a.real, size), gt_divide(a.imag, size));
    b = pair(gt_divide(b.real, size), gt_divide(b.imag, size));
    gt_Complex product = complex_multiply(a, conjugate(b));
    gt_Tensor *square = gt_add(gt_square(b.real), gt_square(b.imag));
    return pair(gt_divide(product.real, square), gt_divide(product.imag, square));
}
GT_COMPOSED_BY(gt_Complex, complex_divide, complex_divide,
               (const char *here, gt_Complex a, gt_Complex b), (a, b))

static gt_Tensor *complex_abs(gt_Complex z)
{
    gt_Spec spec;
    return takes_complex(z, &spec) ? gt_hypot(z.real, z.imag) : NULL;
}
GT_COMPOSED(complex_abs, (const char *here, gt_Complex z), (z))

static gt_Tensor *angle(gt_Complex z)
{
    gt_Spec spec;
    return takes_complex(z, &spec) ? gt_arctan2(z.imag, z.real) : NULL;
}
GT_COMPOSED(angle, (const char *here, gt_Complex z), (z))

static gt_Complex view_as_complex(gt_Tensor *x)
{
    gt_Shape shape = gt_tensor_shape(x);
    char text[160];
    if (gt_status() == GT_OK && gt_last(shape) != 2)
        gt_fail(GT_INVALID, "the last axis of %s is not the two parts of a number",
                gt_shape_text(shape, text, sizeof text));
    if (gt_status() != GT_OK)
        return pair(NULL, NULL);
    shape.rank--;
    gt_Complex z = {gt_reshape(part(x, 0, 1), shape), gt_reshape(part(x, 1, 1), shape)};
    gt_Spec spec;
    return takes_complex(z, &spec) ? z : pair(NULL, NULL);
}
GT_COMPOSED_BY(gt_Complex, view_as_complex, view_as_complex, (const char *here, gt_Tensor *x), (x))

static gt_Tensor *view_as_real(gt_Complex z)
{
    gt_Spec spec;
    return takes_complex(z, &spec) ? gt_stack(gt_tensors(z.real, z.imag), .axis = -1) : NULL;
}
GT_COMPOSED(view_as_real, (const char *here, gt_Complex z), (z))

/* ---- sequences ---- */

/* sequences: `extent` is their length. overlap_add: it is that of the whole. */
#define SEQUENCE_OPTIONS(F, S)                                                                     \
    F(S, int64_t, extent, 1, "numbers along the last axis of the result")                          \
    F(S, int64_t, stride, 1, "from the start of one sequence to that of the next")
GT_OPTIONS(SequenceOptions, SEQUENCE_OPTIONS);
GT_OPTION_TYPE(SequenceOptions, SEQUENCE_OPTIONS);

static gt_Tensor *with_stride(const gt_Operation *operation, gt_Tensor *x, int64_t extent,
                              int64_t stride)
{
    SequenceOptions options = GT_VALUES(SequenceOptions, extent, stride);
    return gt_apply_one_at(NULL, operation, &options, 1, &x);
}

/* How many sequences there are in `whole` numbers; 0 with an error raised. */
static int64_t count_sequences(int64_t whole, int64_t length, int64_t stride)
{
    if (length >= 1 && stride >= 1 && length <= whole)
        return 1 + (whole - length) / stride;
    gt_fail(GT_INVALID, "sequences of %lld, each %lld after the one before, out of %lld numbers",
            (long long)length, (long long)stride, (long long)whole);
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
    *out = *x;
    out->rank++;
    out->dims[axis] = count_sequences(x->dims[axis], options->extent, options->stride);
    out->dims[axis + 1] = options->extent;
    return gt_status();
}

static gt_Status sequences_run(const gt_Kernel *kernel)
{
    const SequenceOptions *options = kernel->options;
    const gt_Spec *x = kernel->input_spec[0], *out = kernel->output_spec[0];
    gt_Broadcast plan;
    if (out->size == 0)
        return GT_OK;
    int64_t whole = x->dims[x->rank - 1], count = out->dims[x->rank - 1], length = options->extent;
    gt_strided_begin(&plan);
    gt_strided_axis(&plan, x->size / whole, whole, count * length);
    gt_strided_axis(&plan, count, options->stride, length);
    gt_strided_axis(&plan, length, 1, 1);
    return gt_strided_copy(kernel, &plan, x->dtype, kernel->input[0], kernel->output[0]);
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
    if (x->rank < 2)
        return gt_fail(GT_INVALID, "%s is not sequences",
                       gt_shape_text(gt_spec_shape(x), text, sizeof text));
    int64_t count = count_sequences(options->extent, x->dims[x->rank - 1], options->stride);
    if (count > 0 && count != x->dims[x->rank - 2])
        return gt_fail(GT_INVALID, "%lld sequences are too many or too few",
                       (long long)x->dims[x->rank - 2]);
    rule->output[0] = *x;
    rule->output[0].rank--;
    rule->output[0].dims[x->rank - 2] = options->extent;
    return gt_status();
}

/* A tile is a piece of a row of the result, to which its sequences are added in their order, or
 * several rows. */
typedef struct Overlap {
    int64_t rows, whole, chunk, chunks, batch;
} Overlap;

static Overlap overlap_of(const gt_Kernel *kernel)
{
    const gt_Spec *out = kernel->output_spec[0];
    Overlap o = {.whole = out->dims[out->rank - 1]};
    o.rows = out->size / o.whole;
    o.chunk = o.whole < GT_CHUNK ? o.whole : GT_CHUNK;
    o.chunks = (o.whole + o.chunk - 1) / o.chunk;
    o.batch = GT_CHUNK / o.chunk;
    return o;
}

static void overlap_add_piece(const gt_Kernel *kernel, const Overlap *o, int64_t row, int64_t from)
{
    const SequenceOptions *options = kernel->options;
    const gt_Spec *x = kernel->input_spec[0];
    int64_t count = x->dims[x->rank - 2], length = x->dims[x->rank - 1], stride = options->stride;
    int64_t to = o->whole - from < o->chunk ? o->whole : from + o->chunk;
    size_t element = gt_dtype_size(x->dtype);
    char *y = (char *)kernel->output[0] + (size_t)(row * o->whole) * element;
    const char *in = (const char *)kernel->input[0] + (size_t)(row * count * length) * element;
    gt_BinaryLoop *add = kernel->context->kernels->binary[GT_LOOP_ADD][gt_loop_type(x->dtype)];
    memset(y + (size_t)from * element, 0, (size_t)(to - from) * element);
    for (int64_t i = from < length ? 0 : (from - length) / stride + 1; i < count; i++) {
        int64_t start = i * stride, end = start + length < to ? start + length : to;
        int64_t first = start > from ? start : from;
        if (start >= to)
            break;
        char *at = y + (size_t)first * element;
        add(end - first, at, 1, in + (size_t)(i * length + first - start) * element, 1, at);
    }
}

static void overlap_add_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                              void *scratch)
{
    (void)scratch;
    const Overlap *o = argument;
    int64_t pieces = o->rows * o->chunks, end = last * o->batch < pieces ? last * o->batch : pieces;
    for (int64_t i = first * o->batch; i < end; i++)
        overlap_add_piece(kernel, o, i / o->chunks, i % o->chunks * o->chunk);
}

static gt_Status overlap_add_run(const gt_Kernel *kernel)
{
    if (kernel->output_spec[0]->size == 0)
        return GT_OK;
    Overlap o = overlap_of(kernel);
    return gt_for_tiles(kernel, (o.rows * o.chunks + o.batch - 1) / o.batch, overlap_add_tiles, &o);
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
        .options = &GT_VALUES(SequenceOptions, extent, stride)                                     \
    }
#define SEQUENCE_RECORD(op, text, ...)                                                             \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_LINEAR | GT_OP_INTERNAL,                                                    \
        .options = &SequenceOptions_type,                                                          \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .shape = op##_shape,                                                                       \
        .run = op##_run,                                                                           \
        .gradient = op##_gradient,                                                                 \
        .samples = GT_SAMPLES(__VA_ARGS__),                                                        \
    }
SEQUENCE_RECORD(sequences, "y[i, j] = x[i stride + j]", SEQUENCES(3, 2, 2, 8), SEQUENCES(2, 3, 7),
                SEQUENCES(4, 1, 4));
SEQUENCE_RECORD(overlap_add, "the transpose of sequences", SEQUENCES(8, 2, 2, 3, 3),
                SEQUENCES(7, 3, 2, 2), SEQUENCES(4, 1, 1, 4));

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
                "sequence_length %lld and sequence_stride %lld must be at least 1, fft_length %lld "
                "at least sequence_length",
                (long long)length, (long long)stride, (long long)fft_length);
    else if (window != GT_WINDOW_HANN && window != GT_WINDOW_HAMMING && window != GT_WINDOW_NONE)
        gt_fail(GT_INVALID, "there is no window %d", (int)window);
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
            gt_fail(GT_INVALID, "weights %s are not %s (%lld,)",
                    gt_spec_text(&spec, text, sizeof text), gt_dtype_name(dtype),
                    (long long)frames->length);
    } else if (options->window == GT_WINDOW_NONE) {
        return NULL;
    } else if (frames->length == 1) {
        window = gt_ones(gt_shape(1), .dtype = dtype);
    } else {
        bool hann = options->window == GT_WINDOW_HANN;
        window = cosine_window(frames->length, hann ? 0.5 : 0.54, hann ? 0.5 : 0.46, dtype);
    }
    return padded(window, before, frames->fft_length - frames->length - before);
}

/* x with its mirror image beyond both ends. */
static gt_Tensor *mirrored(gt_Tensor *x, int64_t half)
{
    int64_t n = gt_last(gt_tensor_shape(x));
    if (half == 0)
        return x;
    if (n <= half) {
        gt_fail(GT_INVALID, "%lld numbers are too few to be mirrored %lld beyond their ends",
                (long long)n, (long long)half);
        return NULL;
    }
    gt_Tensor *front = gt_flip(part(x, 1, half), .axis = -1);
    gt_Tensor *back = gt_flip(part(x, n - 1 - half, half), .axis = -1);
    return gt_concatenate(gt_tensors(front, x, back), .axis = -1);
}

static gt_Complex stft(gt_Tensor *x, int64_t length, int64_t stride, int64_t fft_length,
                       const gt_stft_options *given)
{
    Frames frames;
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || !check_frames(&frames, length, stride, fft_length, given) ||
        !gt_takes(&spec, GT_TAKES_FLOAT) || gt_axis(-1, spec.rank) < 0)
        return pair(NULL, NULL);
    if (frames.options.center)
        x = mirrored(x, fft_length / 2);
    x = with_stride(&gt_op_sequences, x, fft_length, stride);
    gt_Tensor *window = window_of(&frames, spec.dtype);
    return rfft(window ? gt_multiply(x, window) : x, NULL);
}
GT_COMPOSED_BY(gt_Complex, stft, stft,
               (const char *here, gt_Tensor *x, int64_t sequence_length, int64_t sequence_stride,
                int64_t fft_length, const gt_stft_options *options),
               (x, sequence_length, sequence_stride, fft_length, options))

/* What the sequences that meet in a place are divided by: the sum of their squared windows. */
static gt_Tensor *overlap_weight(gt_Tensor *window, int64_t count, int64_t whole,
                                 const Frames *frames, gt_DType dtype)
{
    gt_Shape shape = gt_shape(count, frames->fft_length);
    gt_Tensor *squares =
        window ? gt_broadcast_to(gt_square(window), shape) : gt_ones(shape, .dtype = dtype);
    gt_Tensor *sum = with_stride(&gt_op_overlap_add, squares, whole, frames->stride);
    return gt_where(gt_greater(sum, 1e-10), sum, gt_scalar(1, dtype));
}

static gt_Tensor *istft(gt_Complex z, int64_t length, int64_t stride, int64_t fft_length,
                        const gt_stft_options *given)
{
    Frames frames;
    gt_Spec spec;
    char text[160];
    if (!takes_complex(z, &spec) || !check_frames(&frames, length, stride, fft_length, given))
        return NULL;
    int64_t count = spec.rank < 2 ? 0 : spec.dims[spec.rank - 2];
    if (count < 1 || spec.dims[spec.rank - 1] != fft_length / 2 + 1) {
        gt_fail(GT_INVALID, "%s is not (..., sequences, %lld / 2 + 1)",
                gt_shape_text(gt_spec_shape(&spec), text, sizeof text), (long long)fft_length);
        return NULL;
    }
    if (count - 1 > (INT64_MAX - fft_length) / stride) {
        gt_fail(GT_INVALID, "the result would be too large");
        return NULL;
    }
    int64_t whole = (count - 1) * stride + fft_length,
            edge = frames.options.center ? fft_length / 2 : 0;
    int64_t wanted = frames.options.length == GT_NONE ? whole - 2 * edge : frames.options.length;
    if (wanted < 0) {
        gt_fail(GT_INVALID, "length is %lld", (long long)wanted);
        return NULL;
    }
    gt_Tensor *window = window_of(&frames, spec.dtype);
    gt_Tensor *x = irfft(z, &GT_VALUES(gt_rfft_options, fft_length));
    x = with_stride(&gt_op_overlap_add, window ? gt_multiply(x, window) : x, whole, stride);
    x = gt_divide(x, overlap_weight(window, count, whole, &frames, spec.dtype));
    return resized(part(x, edge, wanted < whole - edge ? wanted : whole - edge), wanted);
}
GT_COMPOSED(istft,
            (const char *here, gt_Complex z, int64_t sequence_length, int64_t sequence_stride,
             int64_t fft_length, const gt_stft_options *options),
            (z, sequence_length, sequence_stride, fft_length, options))
