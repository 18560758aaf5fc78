/* Running an operation made from a C function on arrays.
 *
 *   gt_foreign_shape_rule      types, numbers and sizes; shapes of the outputs
 *   gt_foreign_run             arguments by role, the call through libffi, the result
 *   gt_foreign_gradient_rule   calls the gradient function's operation
 *
 * Sizes are learned: the first array whose brackets name a size tells it, all others must agree.
 *
 * Example: f(const float x[r][c], const float w[c], float y[r], int r, int c) with x (2, 3) learns r = 2 and c = 3; w must be
 * (3,) and y is (2,). */
#include "ops/foreign/foreign_record.h"

#ifdef GT_HAVE_FFI

#include "core/inside.h"
#include "ops/array/creation.h"

#include <math.h>
#include <string.h>

static gt_Foreign *record_of(const gt_Operation *operation)
{
    return (gt_Foreign *)gt_custom_of(operation);
}

const char *gt_foreign_name(const gt_Foreign *self, int parameter)
{
    const char *name = parameter < 0 ? "the result" : self->signature.parameter[parameter].name;
    return *name ? name : "an array";
}

/* ---- sizes ---- */

/* `size` has what each symbol is so far, -1: not known yet. Learns the names in the brackets of one array, or raises an
 * error where its shape disagrees. */
static gt_Status learn(const gt_Foreign *self, int parameter, const gt_Spec *spec, int64_t *size)
{
    const gt_Parameter *p = &self->signature.parameter[parameter];
    char text[160];
    if (p->rank == 0)
        return GT_OK;
    if (p->rank != spec->rank)
        return gt_fail(GT_INVALID, "%s must have %d axes by the signature (got shape %s)",
                       gt_foreign_name(self, parameter), (int)p->rank,
                       gt_dims_text(spec, text, sizeof text));
    for (int d = 0; d < p->rank; d++) {
        int64_t *known = p->bound[d] < 0 ? &size[-1 - p->bound[d]] : NULL;
        int64_t wanted = known ? *known : p->bound[d];
        if (known && *known < 0)
            *known = spec->dims[d];
        else if (wanted != spec->dims[d])
            return gt_fail(GT_INVALID, "axis %d of %s must be %lld by the signature (got shape %s)",
                           d, gt_foreign_name(self, parameter), (long long)wanted,
                           gt_dims_text(spec, text, sizeof text));
    }
    return GT_OK;
}

/* Forgets all sizes, then learns them from the inputs that have a parameter. */
static gt_Status learn_inputs(const gt_Foreign *self, const gt_Spec *const *input, int64_t *size)
{
    for (int s = 0; s < self->signature.symbols; s++)
        size[s] = -1;
    for (int i = 0; i < self->inputs; i++)
        if (self->input[i] >= 0 && learn(self, self->input[i], input[i], size) != GT_OK)
            return gt_status();
    return GT_OK;
}

/* ---- shape rule ---- */

/* Can a parameter of that type hold the number? float32 rounds, integers must be exact. */
static bool number_fits(gt_CType type, double number)
{
    switch (type) {
    case GT_C_F32:
        return !(fabs(number) > 3.4028234663852886e38) || isinf(number);
    case GT_C_F64:
        return true;
    case GT_C_U32:
        return gt_number_fits(GT_INT64, number) && number >= 0 && number <= UINT32_MAX;
    case GT_C_SIZE:
        return gt_number_fits(GT_INT64, number) && number >= 0;
    default:
        return gt_number_fits(gt_c_dtype(type), number);
    }
}

static gt_Status check_numbers(const gt_Foreign *self, const gt_Numbers *numbers)
{
    if (!gt_numbers_valid(numbers))
        return gt_status();
    if (numbers->count != self->numbers)
        return gt_fail(GT_INVALID, "expected %d numbers (got %lld)", self->numbers,
                       (long long)numbers->count);
    for (int p = 0; p < self->signature.parameters; p++) {
        if (self->parameter[p].role != GT_ROLE_NUMBER)
            continue;
        double number = numbers->value[self->parameter[p].which];
        if (!number_fits(self->signature.parameter[p].type, number))
            return gt_fail(GT_INVALID, "number %d, %s, must fit its type (got %g)",
                           self->parameter[p].which + 1, self->signature.parameter[p].name, number);
    }
    return GT_OK;
}

static gt_DType output_dtype(const gt_Foreign *self, int output)
{
    int p = self->output[output];
    return gt_c_dtype(p < 0 ? self->signature.result : self->signature.parameter[p].type);
}

/* Without a shape rule of the user's: a scalar that is returned; brackets; or the shape of input 1. An output of a gradient
 * function has the shape of the input whose gradient it is. */
static gt_Status shape_output(const gt_Foreign *self, gt_ShapeRule *rule, int i,
                              const int64_t *size)
{
    gt_Spec *out = &rule->output[i];
    if (self->output[i] < 0)
        return GT_OK; /* a scalar */
    const gt_Parameter *p = &self->signature.parameter[self->output[i]];
    const gt_Spec *like = NULL;
    if (self->is_gradient)
        like = rule->input[self->like[i]];
    else if (p->rank == 0)
        like = rule->input[0];
    if (like) {
        out->rank = like->rank;
        memcpy(out->dims, like->dims, sizeof out->dims);
        return GT_OK;
    }
    out->rank = p->rank;
    for (int d = 0; d < p->rank; d++)
        out->dims[d] = p->bound[d] < 0 ? size[-1 - p->bound[d]] : p->bound[d];
    return GT_OK;
}

gt_Status gt_foreign_shape_rule(gt_ShapeRule *rule)
{
    const gt_Foreign *self = record_of(rule->operation);
    const gt_foreign_options *options = rule->options;
    int64_t size[GT_MAX_SYMBOLS] = {0};
    for (int i = 0; i < self->inputs; i++) {
        if (self->input[i] < 0)
            continue;
        gt_DType wanted = gt_c_dtype(self->signature.parameter[self->input[i]].type);
        if (rule->input[i]->dtype != wanted)
            return gt_fail(GT_INVALID, "%s must be %s (got %s)",
                           gt_foreign_name(self, self->input[i]), gt_dtype_name(wanted),
                           gt_dtype_name(rule->input[i]->dtype));
    }
    if (check_numbers(self, &options->numbers) != GT_OK ||
        learn_inputs(self, rule->input, size) != GT_OK)
        return gt_status();
    for (int i = 0; i < self->outputs; i++)
        rule->output[i].dtype = output_dtype(self, i);
    if (!self->shape) {
        for (int i = 0; i < self->outputs; i++)
            shape_output(self, rule, i, size);
        return GT_OK;
    }
    gt_Status status = self->shape(rule);
    if (status != GT_OK || gt_status() != GT_OK)
        return status;
    for (int i = 0; i < self->outputs; i++) {
        const gt_Spec *out = &rule->output[i];
        if (out->dtype != output_dtype(self, i))
            return gt_fail(
                GT_INVALID,
                "output %d must be %s, which the function writes (the shape rule makes it %s)",
                i + 1, gt_dtype_name(output_dtype(self, i)), gt_dtype_name(out->dtype));
        if (out->rank < 0 || out->rank > GT_MAX_RANK || (self->output[i] < 0 && out->rank > 0))
            return gt_fail(GT_INVALID,
                           "the shape rule must give output %d a possible rank (got %d)", i + 1,
                           (int)out->rank);
        if (self->output[i] >= 0 && learn(self, self->output[i], out, size) != GT_OK)
            return gt_status();
    }
    return GT_OK;
}

/* ---- the call ---- */

typedef union Argument {
    const void *pointer;
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;
    uint32_t u32;
    size_t size;
    bool boolean;
} Argument;

ffi_type *gt_ffi_type(gt_CType type)
{
    switch (type) {
    case GT_C_VOID:
        return &ffi_type_void;
    case GT_C_F32:
        return &ffi_type_float;
    case GT_C_F64:
        return &ffi_type_double;
    case GT_C_I32:
        return &ffi_type_sint32;
    case GT_C_I64:
        return &ffi_type_sint64;
    case GT_C_U8:
    case GT_C_BOOL:
        return &ffi_type_uint8;
    case GT_C_U32:
        return &ffi_type_uint32;
    case GT_C_STATUS:
        return sizeof(gt_Status) == 4 ? &ffi_type_uint32 : &ffi_type_sint64;
    default:
        return sizeof(size_t) == 4 ? &ffi_type_uint32 : &ffi_type_uint64;
    }
}

/* Sets an integer argument; false if its type does not hold the value. */
static bool set_whole(Argument *argument, gt_CType type, int64_t value)
{
    switch (type) {
    case GT_C_I32:
        argument->i32 = (int32_t)value;
        return value <= INT32_MAX;
    case GT_C_U32:
        argument->u32 = (uint32_t)value;
        return value <= UINT32_MAX;
    case GT_C_I64:
        argument->i64 = value;
        return true;
    default:
        argument->size = (size_t)value;
        return true;
    }
}

static void set_number(Argument *argument, gt_CType type, double value)
{
    if (type == GT_C_F32)
        argument->f32 = (float)value;
    else if (type == GT_C_F64)
        argument->f64 = value;
    else if (type == GT_C_BOOL)
        argument->boolean = value != 0;
    else
        set_whole(argument, type, (int64_t)value);
}

/* One argument a parameter, by its role. Inputs were checked by the shape rule; outputs have the shapes that it gave. */
static gt_Status set_arguments(const gt_Foreign *self, const gt_Kernel *kernel, Argument *argument)
{
    const gt_foreign_options *options = kernel->options;
    int64_t size[GT_MAX_SYMBOLS];
    if (learn_inputs(self, kernel->input_spec, size) != GT_OK)
        return gt_status();
    for (int i = 0; i < self->outputs; i++)
        if (self->output[i] >= 0 &&
            learn(self, self->output[i], kernel->output_spec[i], size) != GT_OK)
            return gt_status();
    for (int p = 0; p < self->signature.parameters; p++) {
        gt_CType type = self->signature.parameter[p].type;
        int which = self->parameter[p].which;
        int64_t value;
        switch (self->parameter[p].role) {
        case GT_ROLE_INPUT:
            argument[p].pointer = kernel->input[which];
            continue;
        case GT_ROLE_OUTPUT:
            argument[p].pointer = kernel->output[which];
            continue;
        case GT_ROLE_NUMBER:
            set_number(&argument[p], type, options->numbers.value[which]);
            continue;
        case GT_ROLE_SIZE:
            value = size[which];
            break;
        default:
            value = self->count_input >= 0 ? kernel->input_spec[self->count_input]->size
                                           : kernel->output_spec[self->count_output]->size;
        }
        if (!set_whole(&argument[p], type, value))
            return gt_raise(kernel->context, GT_INVALID, NULL, self->custom.name,
                            "the size %s must fit its type (got %lld)",
                            self->signature.parameter[p].name, (long long)value);
    }
    return GT_OK;
}

/* After the call an error that the function raised with gt_fail counts before the code that it returned. */
gt_Status gt_foreign_run(const gt_Kernel *kernel)
{
    gt_Foreign *self = record_of(kernel->operation);
    Argument argument[GT_MAX_PARAMETERS];
    void *at[GT_MAX_PARAMETERS];
    union {
        ffi_arg word; /* narrow integers come back widened to this */
        float f32;
        double f64;
        uint64_t room;
    } result = {0};
    gt_Context *context = kernel->context;
    if (set_arguments(self, kernel, argument) != GT_OK)
        return gt_context_status(context);
    for (int p = 0; p < self->signature.parameters; p++)
        at[p] = &argument[p];
    ffi_call(&self->cif, self->function, &result, at);
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    int code = (int)result.word;
    switch (self->signature.result) {
    case GT_C_F32:
        *(float *)kernel->output[self->outputs - 1] = result.f32;
        return GT_OK;
    case GT_C_F64:
        *(double *)kernel->output[self->outputs - 1] = result.f64;
        return GT_OK;
    case GT_C_STATUS:
        return code < GT_OK || code > GT_NUMERIC ? GT_INVALID : (gt_Status)code;
    case GT_C_I32:
        return code ? gt_raise(context, GT_INVALID, NULL, self->custom.name,
                               "the function returned %d", code)
                    : GT_OK;
    default:
        return GT_OK;
    }
}

/* ---- gradient ---- */

/* An upstream gradient that did not arrive is passed as zeros. */
gt_Status gt_foreign_gradient_rule(gt_GradientRule *rule)
{
    const gt_Foreign *self = record_of(gt_rule_operation(rule));
    const gt_Foreign *gradient = self->gradient;
    const gt_foreign_options *options = gt_rule_options(rule);
    gt_foreign_options call_options =
        GT_VALUES(gt_foreign_options, {.mark = GT_MARK, .count = gradient->numbers});
    gt_Tensor *input[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS], *output[GT_MAX_OUTPUTS];
    for (int i = 0; i < gradient->numbers; i++)
        call_options.numbers.value[i] = options->numbers.value[gradient->number_from[i]];
    for (int i = 0; i < gradient->inputs; i++) {
        int which = gradient->from[i].which;
        const gt_Spec *spec = gt_rule_output_spec(rule, which);
        if (gradient->from[i].source == GT_SOURCE_INPUT)
            input[i] = gt_rule_input(rule, which);
        else if (gradient->from[i].source == GT_SOURCE_OUTPUT)
            input[i] = gt_rule_output(rule, which);
        else if (!(input[i] = gt_upstream(rule, which)))
            input[i] = gt_zeros(gt_spec_shape(spec), .dtype = spec->dtype);
    }
    if (gt_apply_at(NULL, &gradient->custom.operation, &call_options, gradient->inputs, input,
                    output) != GT_OK)
        return gt_status();
    uint64_t given = 0;
    for (int i = 0; i < gradient->outputs; i++) {
        given |= UINT64_C(1) << gradient->gives[i];
        if (gt_wants(rule, gradient->gives[i]))
            gt_give(rule, gradient->gives[i], output[i]);
    }
    for (int i = 0; i < self->inputs; i++)
        if (gt_wants(rule, i) && !(given >> i & 1))
            return gt_fail(GT_NO_GRADIENT, "the gradient function computes none for input %d, %s",
                           i + 1, gt_foreign_name(self, self->input[i]));
    return gt_status();
}

#endif
