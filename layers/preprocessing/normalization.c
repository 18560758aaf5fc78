/* Normalization: columns of data, or channels, to mean 0 and variance 1. Adapting joins the moments of batches in float64:
 * see `join`. */
#include "layers/preprocessing/normalization.h"
#include "layers/kit.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/reshaping.h"
#include "ops/axes.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/nn/normalization.h"

#include <math.h>

typedef struct Normalization {
    gt_Layer base;
    gt_Normalization_options options;
    gt_Variable *given_mean, *given_variance; /* the options, owned */
    gt_Variable *mean, *variance, *count;     /* weights; NULL: given */
    gt_Variable *sum,
        *squares;         /* float64, while it is adapted: mean, and sum of squares about it */
    double seen;          /* numbers behind each mean */
    gt_Axes kept, others; /* sorted */
} Normalization;

GT_OPTION_TYPE(gt_Normalization_options, gt_Normalization_OPTIONS);

static gt_Status normalization_create(gt_Layer *layer)
{
    Normalization *self = (Normalization *)layer;
    gt_Normalization_options *options = &self->options;
    const bool both = options->mean && options->variance,
               none = !options->mean && !options->variance;
    self->given_mean = gt_hold_option(&options->mean);
    self->given_variance = gt_hold_option(&options->variance);
    if (gt_status() != GT_OK)
        return gt_status();
    if (!both && !none)
        return gt_fail(GT_INVALID, "mean and variance come together");
    if (none)
        return GT_OK;
    char s[160], t[160];
    const gt_Shape mean = gt_tensor_shape(options->mean),
                   variance = gt_tensor_shape(options->variance);
    if (!gt_dtype_is_float(gt_dtype(options->mean)) ||
        !gt_dtype_is_float(gt_dtype(options->variance)) || !gt_shape_equal(mean, variance))
        return gt_fail(GT_INVALID, "mean and variance must be floats of one shape (got %s and %s)",
                       gt_shape_text(mean, s, sizeof s), gt_shape_text(variance, t, sizeof t));
    return GT_OK;
}

/* The axes that keep a mean of their own, and the shape that a mean has. */
static gt_Status settle_axes(Normalization *self, gt_Shape x, gt_Shape *shape)
{
    const gt_Normalization_options *options = &self->options;
    const gt_Axes asked = options->axes.count >= 0 ? options->axes : gt_axes_one(options->axis);
    bool keep[GT_MAX_RANK] = {false};
    self->kept = self->others = gt_axes();
    for (int i = 0; i < asked.count; i++) {
        int axis = gt_axis(asked.axis[i], x.rank);
        if (axis < 0)
            return gt_status();
        if (keep[axis])
            return gt_fail(GT_INVALID, "axis %d is among the axes twice", axis);
        keep[axis] = true;
    }
    *shape = gt_shape();
    for (int d = 0; d < x.rank; d++) {
        gt_Axes *list = keep[d] ? &self->kept : &self->others;
        list->axis[list->count++] = d;
        if (keep[d])
            shape->dims[shape->rank++] = x.dims[d];
    }
    return GT_OK;
}

/* A given mean has the sizes of the kept axes, from the last one back, or 1. */
static gt_Status check_given(const gt_Variable *mean, gt_Shape shape)
{
    char s[160], t[160];
    const gt_Shape given = gt_tensor_shape(mean);
    bool fits = given.rank <= shape.rank;
    for (int i = 1; fits && i <= given.rank; i++) {
        int64_t size = given.dims[given.rank - i];
        fits = size == 1 || size == shape.dims[shape.rank - i];
    }
    return fits ? GT_OK
                : gt_fail(GT_INVALID,
                          "mean and variance of shape %s do not fit the axes, which have %s",
                          gt_shape_text(given, s, sizeof s), gt_shape_text(shape, t, sizeof t));
}

static gt_Status normalization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Normalization *self = (Normalization *)layer;
    gt_Shape shape;
    if (settle_axes(self, in->shape, &shape) != GT_OK)
        return gt_status();
    if (self->kept.count > 0) {
        const int last = self->kept.axis[self->kept.count - 1];
        gt_set_input_spec(layer, 0, .rank = in->shape.rank, .axis = last,
                          .dim = in->shape.dims[last]);
    }
    if (self->given_mean)
        return check_given(self->given_mean, shape);
    self->mean = gt_add_weight(layer, "mean", shape, .initializer = gt_Zeros(), .trainable = false);
    self->variance =
        gt_add_weight(layer, "variance", shape, .initializer = gt_Ones(), .trainable = false);
    self->count = gt_add_weight(layer, "count", gt_shape(), .dtype = GT_INT32,
                                .initializer = gt_Zeros(), .trainable = false);
    return gt_status();
}

/* A mean or a variance beside x: of the same type, 1 along the axes that do not keep it. */
static gt_Tensor *beside(const Normalization *self, gt_Tensor *statistic, gt_Tensor *x)
{
    const gt_Shape given = gt_tensor_shape(statistic);
    gt_Shape shape = gt_shape();
    int own =
        given.rank - self->kept.count; /* which size of `given` the first kept axis has; < 0: 1 */
    shape.rank = gt_rank(x);
    for (int d = 0; d < shape.rank; d++)
        shape.dims[d] = 1;
    for (int i = 0; i < self->kept.count; i++, own++)
        if (own >= 0)
            shape.dims[self->kept.axis[i]] = given.dims[own];
    return gt_reshape(gt_cast(statistic, gt_dtype(x)), shape);
}

static gt_Tensor *normalization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Normalization *self = (const Normalization *)layer;
    gt_Tensor *x = gt_widened(gt_as_floats(layer, in->x));
    gt_Tensor *mean = beside(self, self->given_mean ? self->given_mean : self->mean, x);
    gt_Tensor *variance = beside(self, self->given_mean ? self->given_variance : self->variance, x);
    gt_Tensor *deviation = gt_maximum(gt_sqrt(variance), 1e-7);
    return self->options.invert ? gt_add(mean, gt_multiply(x, deviation))
                                : gt_divide(gt_subtract(x, mean), deviation);
}

/* ---- adapting ---- */

static void forget(Normalization *self)
{
    gt_variable_free(self->sum);
    gt_variable_free(self->squares);
    self->sum = self->squares = NULL;
    self->seen = 0;
}

static gt_Status begin(Normalization *self)
{
    if (self->given_mean)
        return gt_fail(GT_STATE, "its mean and variance were given, so there is nothing to learn");
    forget(self);
    const gt_Shape shape = gt_tensor_shape(self->mean);
    self->sum = gt_variable(gt_zeros(shape, .dtype = GT_FLOAT64), .trainable = false);
    self->squares = gt_variable(gt_zeros(shape, .dtype = GT_FLOAT64), .trainable = false);
    return gt_status();
}

/* A batch has the axes that the layer was built for. */
static gt_Status check_batch(const Normalization *self, gt_Shape x)
{
    char s[160], t[160];
    const gt_Shape mean = gt_tensor_shape(self->mean);
    bool fits = x.rank == self->kept.count + self->others.count;
    for (int i = 0; fits && i < self->kept.count; i++)
        fits = x.dims[self->kept.axis[i]] == mean.dims[i];
    return fits
               ? gt_status()
               : gt_fail(GT_INVALID,
                         "data of shape %s do not fit the mean, of shape %s, that it was built for",
                         gt_shape_text(x, s, sizeof s), gt_shape_text(mean, t, sizeof t));
}

/* Moments of what was seen and of one more batch (Chan, Golub and LeVeque 1979): with n + m numbers and d between the
 * means, mean += d m / (n + m), squares += m variance + d^2 n m / (n + m). */
static gt_Status join(Normalization *self, gt_Tensor *x)
{
    const gt_Shape shape = gt_tensor_shape(self->mean);
    if (check_batch(self, gt_tensor_shape(x)) != GT_OK)
        return gt_status();
    gt_Tensor *mean = NULL, *variance = NULL, *wide = gt_cast(x, GT_FLOAT64);
    gt_moments(wide, &mean, &variance, .axes = self->others);
    if (gt_status() != GT_OK || gt_size(x) == 0)
        return gt_status();
    int64_t each = gt_size(self->mean);
    double n = self->seen, m = (double)(gt_size(x) / (each > 0 ? each : 1));
    gt_Tensor *d = gt_subtract(gt_reshape(mean, shape), self->sum);
    gt_Tensor *about = gt_multiply(gt_square(d), n * m / (n + m));
    gt_assign_add(self->squares, gt_add(gt_multiply(gt_reshape(variance, shape), m), about));
    gt_assign_add(self->sum, gt_multiply(d, m / (n + m)));
    self->seen = n + m;
    return gt_status();
}

/* One number that is not finite would make every output of its column NaN. */
static gt_Status check_finite(const Normalization *self, const char *what, gt_Tensor *statistic)
{
    const int64_t count = gt_size(statistic);
    const double *numbers = gt_float64_data(gt_cast(statistic, GT_FLOAT64));
    for (int64_t i = 0; numbers && i < count; i++)
        if (!isfinite(numbers[i]))
            return gt_fail(GT_INVALID, "%s: the %s of column %lld is %g: the data have numbers that are too large, or not finite",
                           gt_layer_name(&self->base), what, (long long)i, numbers[i]);
    return gt_status();
}

/* After a failure the layer has what it had before. */
static gt_Status finish(Normalization *self)
{
    const gt_DType type = gt_dtype(self->mean);
    gt_Tensor *mean = gt_cast(self->sum, type);
    gt_Tensor *variance = gt_cast(gt_divide(self->squares, self->seen > 0 ? self->seen : 1), type);
    if (check_finite(self, "mean", mean) == GT_OK && check_finite(self, "variance", variance) == GT_OK) {
        gt_assign(self->mean, mean);
        gt_assign(self->variance, variance);
    }
    forget(self);
    return gt_status();
}

static gt_Status normalization_adapt(gt_Layer *layer, gt_AdaptStage stage, const gt_CallArgs *batch)
{
    Normalization *self = (Normalization *)layer;
    return stage == GT_ADAPT_STAGE_BEGIN   ? begin(self)
           : stage == GT_ADAPT_STAGE_BATCH ? join(self, batch->x)
                                           : finish(self);
}

static void normalization_destroy(gt_Layer *layer)
{
    Normalization *self = (Normalization *)layer;
    forget(self);
    gt_variable_free(self->given_mean);
    gt_variable_free(self->given_variance);
}

/* ---- samples ---- */

/* Keras takes new weights over when it is told so. */
#define NEW_NUMBERS " @ (layer.finalize_state() if layer.built else None, call(x[0]))[1]"

static gt_Layer *with_numbers(void)
{
    return gt_Normalization(.mean = gt_array(gt_shape(3), 0.5, -1, 2),
                            .variance = gt_array(gt_shape(3), 4, 0.25, 9));
}

static gt_Layer *inverted(void)
{
    return gt_Normalization(.axis = 1, .mean = gt_scalar(0.5, GT_FLOAT64),
                            .variance = gt_scalar(2, GT_FLOAT64), .invert = true);
}

const gt_LayerClass gt_layer_class_normalization = {
    GT_LAYER_RECORD("normalization", "Normalization", Normalization,
                    "each column to mean 0 and variance 1, by data seen before"),
    .flags = GT_LAYER_KEEPS_MASK,
    .options = &gt_Normalization_options_type,
    .create = normalization_create,
    .build = normalization_build,
    .call = normalization_call,
    .adapt = normalization_adapt,
    .destroy = normalization_destroy,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.keras = "Normalization()" NEW_NUMBERS,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 3)},
        {.options = GT_LAYER_OPTIONS(gt_Normalization, .axis = 1),
         .keras = "Normalization(axis=1)" NEW_NUMBERS,
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -5, 5, 2, 3, 2)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 2)},
        {.options = GT_LAYER_OPTIONS(gt_Normalization, .axes = GT_SAMPLE_AXES(1, 3)),
         .keras = "Normalization(axis=(1, 3))" NEW_NUMBERS,
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 2, 4)),
         .output = GT_SAMPLE_SHAPE(2, 3, 2, 4)},
        {.make = with_numbers,
         .keras = "Normalization(mean=[0.5, -1, 2], variance=[4, 0.25, 9])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)},
        {.make = inverted,
         .keras = "Normalization(axis=1, mean=0.5, variance=2., invert=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3)),
         .output = GT_SAMPLE_SHAPE(2, 3)}),
};

gt_Layer *gt_Normalization_at(const char *here, const gt_Normalization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_normalization, options);
}
