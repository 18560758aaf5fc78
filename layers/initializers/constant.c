/* Initializers that draw nothing: zeros, ones, a constant or an array, the identity. */
#include "layers/initializers/classes.h"
#include "ops/array/cast.h"
#include "ops/array/reshaping.h"

#include <string.h>

GT_OPTION_TYPE(gt_Constant_options, gt_Constant_OPTIONS);
GT_OPTION_TYPE(gt_IdentityInitializer_options, gt_IdentityInitializer_OPTIONS);

/* Raises an error if the weight's dtype cannot hold the number. */
static gt_Status check_fits(const char *what, gt_DType dtype, double number)
{
    if (gt_number_fits(dtype, number))
        return GT_OK;
    return gt_fail(GT_INVALID, "%s must be a number of the weight's dtype, %s (got %g)", what,
                   gt_dtype_name(dtype), number);
}

static gt_Status fill_number(const gt_Spec *spec, void *data, double number)
{
    if (check_fits("the value", spec->dtype, number) == GT_OK)
        for (int64_t i = 0; i < spec->size; i++)
            gt_number_store(spec->dtype, data, i, number);
    return gt_status();
}

/* ---- zeros, ones ---- */

static gt_Status zeros_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                            uint64_t stream)
{
    (void)self, (void)stream;
    return fill_number(spec, data, 0);
}

const gt_InitializerClass gt_initializer_class_zeros = {
    GT_INITIALIZER_RECORD("zeros", "Zeros", "Zeros", "0 everywhere"),
    .aliases = "zero",
    .fill = zeros_fill,
};

gt_Initializer gt_Zeros(void)
{
    return gt_initializer_make(&gt_initializer_class_zeros, NULL);
}

static gt_Status ones_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                           uint64_t stream)
{
    (void)self, (void)stream;
    return fill_number(spec, data, 1);
}

const gt_InitializerClass gt_initializer_class_ones = {
    GT_INITIALIZER_RECORD("ones", "Ones", "Ones", "1 everywhere"),
    .aliases = "one",
    .fill = ones_fill,
};

gt_Initializer gt_Ones(void)
{
    return gt_initializer_make(&gt_initializer_class_ones, NULL);
}

/* ---- a constant ---- */

gt_Status gt_fill_computed(const gt_Spec *spec, void *data,
                           gt_Tensor *(*compute)(const gt_Spec *spec, const void *options),
                           const void *options)
{
    gt_Context *context = gt_context();
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return gt_context_status(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Tensor *computed = gt_cast(compute(spec, options), spec->dtype);
    const void *from = gt_data(gt_broadcast_to(computed, gt_spec_shape(spec)));
    if (from && spec->size)
        memcpy(data, from, gt_spec_bytes(spec));
    gt_tape_unquiet(context, recording);
    gt_scope_close(context);
    return gt_context_status(context);
}

static gt_Tensor *array_of(const gt_Spec *spec, const void *options)
{
    (void)spec;
    return ((const gt_Constant_options *)options)->array;
}

static gt_Status constant_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    gt_Constant_options options = GT_OPTIONS_OF(gt_Constant_options, self);
    (void)stream;
    return options.array ? gt_fill_computed(spec, data, array_of, &options)
                         : fill_number(spec, data, options.value);
}

/* The context of a value says that its array is a copy of the library's own: a variable, which is counted. */
static char held;

static gt_Variable *copy_of(const gt_Tensor *array)
{
    gt_Context *context = gt_context();
    const gt_Spec *spec = gt_tensor_check(context, NULL, NULL, "the array", array);
    if (!spec)
        return NULL;
    if (gt_value_is_symbol(gt_tensor_value(array))) {
        gt_fail(GT_STATE, "the array must not come from a traced function; make it before");
        return NULL;
    }
    const void *numbers = gt_tensor_data(array);
    gt_Variable *copy = numbers ? gt_variable_zeros(context, spec, "array", false) : NULL;
    if (copy && spec->size)
        memcpy(gt_tensor_data(copy), numbers, gt_spec_bytes(spec));
    return copy;
}

static gt_Status constant_hold(gt_Initializer *self)
{
    gt_Constant_options options = GT_OPTIONS_OF(gt_Constant_options, self);
    if (!options.array)
        return GT_OK;
    if (self->context == &held) {
        gt_variable_retain(options.array);
        return GT_OK;
    }
    options.array = copy_of(options.array);
    if (!options.array)
        return gt_status();
    memcpy(self->options, &options, sizeof options);
    self->context = &held;
    return GT_OK;
}

static void constant_drop(gt_Initializer *self)
{
    if (self->context == &held)
        gt_variable_release(GT_OPTIONS_OF(gt_Constant_options, self).array);
}

const gt_InitializerClass gt_initializer_class_constant = {
    GT_INITIALIZER_RECORD("constant", "Constant", "Constant", "a number, or an array"),
    .options = &gt_Constant_options_type,
    .fill = constant_fill,
    .hold = constant_hold,
    .drop = constant_drop,
};

gt_Initializer gt_Constant_of(const gt_Constant_options *options)
{
    return gt_initializer_make(&gt_initializer_class_constant, options);
}

/* ---- the identity ---- */

static gt_Status identity_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    double gain = GT_OPTIONS_OF(gt_IdentityInitializer_options, self).gain;
    (void)stream;
    if (spec->rank != 2)
        return gt_fail(GT_INVALID, "an identity matrix must have 2 dimensions (got %d)",
                       (int)spec->rank);
    if (check_fits("gain", spec->dtype, gain) != GT_OK)
        return gt_status();
    if (spec->size)
        memset(data, 0, gt_spec_bytes(spec));
    for (int64_t i = 0; i < spec->dims[0] && i < spec->dims[1]; i++)
        gt_number_store(spec->dtype, data, i * spec->dims[1] + i, gain);
    return GT_OK;
}

const gt_InitializerClass gt_initializer_class_identity = {
    GT_INITIALIZER_RECORD("identity", "IdentityInitializer", "Identity",
                          "the identity matrix times gain"),
    .aliases = "IdentityInitializer",
    .options = &gt_IdentityInitializer_options_type,
    .fill = identity_fill,
};

gt_Initializer gt_IdentityInitializer_of(const gt_IdentityInitializer_options *options)
{
    return gt_initializer_make(&gt_initializer_class_identity, options);
}
