/* Discretization: numbers as the bins that they fall into. */
#include "layers/preprocessing/discretization.h"
#include "layers/kit.h"
#include "layers/preprocessing/encode.h"
#include "layers/preprocessing/numbers.h"
#include "layers/preprocessing/quantiles.h"
#include "ops/array/assign.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/sorting.h"

#include <math.h>
#include <string.h>

typedef struct Discretization {
    gt_Layer base;
    gt_Discretization_options options;
    gt_Variable *given;      /* the option, owned */
    gt_Variable *boundaries; /* `given`, or a weight */
    gt_Quantiles quantiles;  /* while it is adapted */
    int64_t bins;
} Discretization;

GT_OPTION_TYPE(gt_Discretization_options, gt_Discretization_OPTIONS);

static gt_Status check_boundaries(const gt_Tensor *boundaries)
{
    char text[160];
    gt_Spec spec = gt_spec(boundaries);
    if (!gt_dtype_is_float(spec.dtype) || spec.rank != 1)
        return gt_fail(GT_INVALID, "bin_boundaries must be a vector of floats (got %s)",
                       gt_spec_text(&spec, text, sizeof text));
    const void *data = gt_data(boundaries);
    for (int64_t i = 0; data && i < spec.size; i++) {
        double number = gt_number_fetch(spec.dtype, data, i);
        if (isnan(number) || (i > 0 && number < gt_number_fetch(spec.dtype, data, i - 1)))
            return gt_fail(GT_INVALID, "bin_boundaries must rise (number %lld does not)",
                           (long long)i);
    }
    return gt_status();
}

static gt_Status discretization_create(gt_Layer *layer)
{
    Discretization *self = (Discretization *)layer;
    gt_Discretization_options *options = &self->options;
    self->given = gt_hold_option(&options->bin_boundaries);
    if (gt_status() != GT_OK)
        return gt_status();
    if ((self->given == NULL) == (options->num_bins == 0))
        return gt_fail(GT_INVALID, "it takes either bin_boundaries or num_bins");
    if (options->num_bins < 0)
        return gt_fail(GT_INVALID, "num_bins must be > 0 (got %lld)", (long long)options->num_bins);
    if (!(options->epsilon > 0 && options->epsilon < 1))
        return gt_fail(GT_INVALID, "epsilon must be between 0 and 1 (got %g)", options->epsilon);
    if (self->given && check_boundaries(self->given) != GT_OK)
        return gt_status();
    self->boundaries = self->given;
    self->bins = self->given ? gt_size(self->given) + 1 : options->num_bins;
    return gt_output_mode_check(options->output_mode,
                                1u << GT_OUTPUT_MODE_INT | 1u << GT_OUTPUT_MODE_ONE_HOT |
                                    1u << GT_OUTPUT_MODE_MULTI_HOT | 1u << GT_OUTPUT_MODE_COUNT);
}

/* Until boundaries are learned, every number is below them. */
static gt_Status discretization_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    Discretization *self = (Discretization *)layer;
    if (!self->given)
        self->boundaries = gt_add_weight(layer, "bin_boundaries", gt_shape(self->bins - 1),
                                         .dtype = gt_float_type(layer), .trainable = false,
                                         .initializer = gt_Constant((double)INFINITY));
    return gt_status();
}

static gt_Tensor *discretization_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const Discretization *self = (const Discretization *)layer;
    gt_Tensor *x = gt_as_floats(layer, in->x);
    gt_Tensor *bins = gt_digitize(x, gt_cast(self->boundaries, gt_dtype(x)));
    return gt_encode(bins, self->options.output_mode, self->bins, NULL, gt_float_type(layer));
}

/* ---- adapting ---- */

static gt_Status learn(gt_Context *context, gt_Quantiles *quantiles, gt_Tensor *x)
{
    const int64_t count = gt_size(x);
    const size_t bytes = (size_t)count * sizeof(double);
    const double *numbers = gt_float64_data(gt_cast(x, GT_FLOAT64));
    if (!numbers || count == 0)
        return gt_status();
    double *copy = gt_allocate(context, bytes);
    if (copy) {
        memcpy(copy, numbers, bytes);
        gt_quantiles_add(context, quantiles, copy, count);
        gt_release(context, copy, bytes);
    }
    return gt_status();
}

static gt_Status finish(gt_Context *context, Discretization *self)
{
    const size_t bytes = (size_t)self->bins * sizeof(double);
    double *boundaries = gt_allocate(context, bytes);
    gt_Scope *scope = boundaries ? gt_scope_begin() : NULL;
    if (scope &&
        gt_quantiles_boundaries(context, &self->quantiles, self->bins, boundaries) == GT_OK) {
        gt_Tensor *learned = gt_from_data(boundaries, gt_shape(self->bins - 1), GT_FLOAT64);
        gt_assign(self->boundaries, gt_cast(learned, gt_dtype(self->boundaries)));
    }
    if (scope)
        gt_scope_end(scope);
    gt_release(context, boundaries, bytes);
    gt_quantiles_free(context, &self->quantiles);
    return gt_status();
}

static gt_Status discretization_adapt(gt_Layer *layer, gt_AdaptStage stage,
                                      const gt_CallArgs *batch)
{
    Discretization *self = (Discretization *)layer;
    gt_Context *context = layer->state->object.context;
    if (self->given)
        return gt_fail(GT_STATE, "its boundaries were given, so there is nothing to learn");
    if (stage == GT_ADAPT_STAGE_BATCH)
        return learn(context, &self->quantiles, batch->x);
    if (stage == GT_ADAPT_STAGE_END)
        return finish(context, self);
    gt_quantiles_free(context, &self->quantiles);
    self->quantiles.epsilon = self->options.epsilon;
    return gt_status();
}

static void discretization_destroy(gt_Layer *layer)
{
    Discretization *self = (Discretization *)layer;
    gt_quantiles_free(layer->state->object.context, &self->quantiles);
    gt_variable_release(self->given);
}

/* ---- samples ---- */

static gt_Layer *bins(gt_OutputMode mode)
{
    return gt_Discretization(gt_array(gt_shape(3), -0.5, 0, 0.5), .output_mode = mode);
}

static gt_Layer *as_integers(void)
{
    return bins(GT_OUTPUT_MODE_INT);
}

static gt_Layer *as_vectors(void)
{
    return bins(GT_OUTPUT_MODE_ONE_HOT);
}

static gt_Layer *as_sets(void)
{
    return bins(GT_OUTPUT_MODE_MULTI_HOT);
}

static gt_Layer *as_counts(void)
{
    return bins(GT_OUTPUT_MODE_COUNT);
}

const gt_LayerClass gt_layer_class_discretization = {
    GT_LAYER_RECORD("discretization", "Discretization", Discretization,
                    "numbers as the bins that they fall into"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_Discretization_options_type,
    .create = discretization_create,
    .build = discretization_build,
    .call = discretization_call,
    .adapt = discretization_adapt,
    .destroy = discretization_destroy,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 0, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.make = as_integers,
         .keras = "Discretization([-0.5, 0, 0.5])",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 5)},
        {.make = as_vectors,
         .keras = "Discretization([-0.5, 0, 0.5], output_mode='one_hot')",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -2, 3, 4, 2)),
         .output = GT_SAMPLE_SHAPE(4, 2, 4)},
        {.make = as_sets,
         .keras = "Discretization([-0.5, 0, 0.5], output_mode='multi_hot')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 3)),
         .output = GT_SAMPLE_SHAPE(4, 4)},
        {.make = as_counts,
         .keras = "Discretization([-0.5, 0, 0.5], output_mode='count')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 6)),
         .output = GT_SAMPLE_SHAPE(4, 4)},
        {.options = GT_LAYER_OPTIONS(gt_Discretization, .num_bins = 3, .epsilon = 0.05),
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 2)),
         .output = GT_SAMPLE_SHAPE(4, 2)}),
};

gt_Layer *gt_Discretization_at(const char *here, const gt_Discretization_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_discretization, options);
}
