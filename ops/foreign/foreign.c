/* Operations from C functions on arrays: roles of the parameters, shape rule, the call through
 * libffi, the gradient function as an operation of its own. Leans on signature.c, custom.c. */
#include "ops/array/creation.h"
#include "ops/foreign/custom.h"
#include "ops/kit.h"
#include "core/text.h"

GT_OPTION_TYPE(gt_foreign_options, gt_foreign_OPTIONS);

gt_CFunction gt_c_function(gt_AnyFunction function, const char *signature, const char *of_type)
{
    return (gt_CFunction){function, NULL, signature ? signature : of_type};
}

gt_CFunction gt_c_symbol(const char *symbol, const char *signature)
{
    return (gt_CFunction){NULL, symbol, signature};
}

gt_Numbers gt_numbers_of(int count, const double *values)
{
    gt_Numbers numbers = {.mark = GT_MARK, .count = count};
    for (int i = 0; i < count && i < GT_MAX_NUMBERS; i++)
        numbers.value[i] = values[i];
    return numbers;
}

/* One more than fits makes a count that no operation takes. */
gt_Numbers gt_numbers_list(const double *values)
{
    int count = 0;
    while (count <= GT_MAX_NUMBERS && values[count] != GT_NUMBERS_END)
        count++;
    return gt_numbers_of(count, values);
}

/* ---- calling ---- */

static bool numbers_valid(const gt_Numbers *numbers)
{
    if (numbers->mark == GT_MARK || (numbers->mark == 0 && numbers->count == 0))
        return true;
    gt_fail(GT_INVALID, "numbers must be gt_numbers(...) (got a bare number)");
    return false;
}

static gt_Status call(const char *here, const gt_Operation *operation, gt_Tensors inputs,
                      gt_Tensor **outputs, const gt_foreign_options *options, const char *name)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_is_address(operation) || !outputs || inputs.count < 0 || (inputs.count && !inputs.items))
        return gt_raise(context, GT_INVALID, here, name, "%s",
                        !gt_is_address(operation) ? "the operation is NULL" : "a list of tensors is NULL");
    bool takes_numbers = operation->options == &gt_foreign_options_type;
    if (!takes_numbers && options && !numbers_valid(&options->numbers))
        return context->status;
    if (!takes_numbers && options && options->numbers.count != 0)
        return gt_raise(context, GT_INVALID, here, operation->name, "it takes no numbers");
    return gt_apply_at(here, operation, takes_numbers ? options : NULL, inputs.count, inputs.items,
                       outputs);
}

gt_Status gt_foreign_outputs_at(const char *here, const gt_Operation *operation, gt_Tensors inputs,
                                gt_Tensor **outputs, const gt_foreign_options *options)
{
    return call(here, operation, inputs, outputs, options, "foreign_outputs");
}

gt_Tensor *gt_foreign_at(const char *here, const gt_Operation *operation, gt_Tensors inputs,
                         const gt_foreign_options *options)
{
    gt_Tensor *outputs[GT_MAX_OUTPUTS] = {NULL};
    call(here, operation, inputs, outputs, options, "foreign");
    return outputs[0];
}

#ifdef GT_HAVE_FFI

#include <dlfcn.h>
#include <ffi.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum Role {
    ROLE_INPUT,
    ROLE_OUTPUT,
    ROLE_SIZE,  /* what a symbol of the signature is; `which` */
    ROLE_COUNT, /* elements of one of the arrays */
    ROLE_NUMBER
} Role;

/* Where an input of a gradient function comes from. */
typedef enum Source { SOURCE_INPUT, SOURCE_OUTPUT, SOURCE_UPSTREAM } Source;

/* Inputs and outputs are those of the operation. A gradient function has inputs without a
 * parameter: they are there for their shape alone. */
typedef struct Foreign {
    gt_Custom custom;
    gt_Signature signature;
    struct {
        Role role;
        int which;
    } parameter[GT_MAX_PARAMETERS];
    int inputs, outputs, numbers;
    int input[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS]; /* its parameter; -1: none */
    int output[GT_MAX_OUTPUTS];                    /* its parameter; -1: it is returned */
    int count_input, count_output;                 /* whose elements ROLE_COUNT is; -1: not this */
    gt_AnyFunction function;
    gt_ForeignShape shape;
    ffi_cif cif;
    ffi_type *type[GT_MAX_PARAMETERS];
    void *library;
    /* of a gradient function */
    bool is_gradient;
    struct {
        Source source;
        int which;
    } from[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS];
    int like[GT_MAX_OUTPUTS];        /* the input whose shape an output has */
    int gives[GT_MAX_OUTPUTS];       /* the input of the operation whose gradient an output is */
    int number_from[GT_MAX_NUMBERS]; /* the operation's number that this one is */
    struct Foreign *gradient;        /* of an operation that has one */
} Foreign;

static void destroy_foreign(gt_Object *object)
{
    Foreign *self = (Foreign *)object;
    if (self->library)
        dlclose(self->library);
    self->library = NULL;
}

static const gt_ObjectKind foreign_kind = {"operation", destroy_foreign, true};

static Foreign *foreign_of(const gt_Operation *operation)
{
    return (Foreign *)gt_custom_of(operation);
}

static const char *name_of(const Foreign *self, int parameter)
{
    const char *name = parameter < 0 ? "the result" : self->signature.parameter[parameter].name;
    return *name ? name : "an array";
}

/* ---- sizes ---- */

/* Learns from the shape of one array what the names in its brackets are; -1: not known yet. */
static gt_Status learn(const Foreign *self, int parameter, const gt_Spec *spec, int64_t *size)
{
    const gt_Parameter *p = &self->signature.parameter[parameter];
    char text[160];
    if (p->rank == 0)
        return GT_OK;
    if (p->rank != spec->rank)
        return gt_fail(GT_INVALID, "%s has shape %s; the signature says %d dimensions",
                       name_of(self, parameter),
                       gt_shape_text(gt_spec_shape(spec), text, sizeof text), (int)p->rank);
    for (int d = 0; d < p->rank; d++) {
        int64_t *known = p->bound[d] < 0 ? &size[-1 - p->bound[d]] : NULL;
        int64_t wanted = known ? *known : p->bound[d];
        if (known && *known < 0)
            *known = spec->dims[d];
        else if (wanted != spec->dims[d])
            return gt_fail(
                GT_INVALID, "%s has shape %s; by the signature dimension %d must be %lld",
                name_of(self, parameter), gt_shape_text(gt_spec_shape(spec), text, sizeof text),
                d + 1, (long long)wanted);
    }
    return GT_OK;
}

static gt_Status learn_inputs(const Foreign *self, const gt_Spec *const *input, int64_t *size)
{
    for (int s = 0; s < self->signature.symbols; s++)
        size[s] = -1;
    for (int i = 0; i < self->inputs; i++)
        if (self->input[i] >= 0 && learn(self, self->input[i], input[i], size) != GT_OK)
            return gt_status();
    return GT_OK;
}

/* ---- shape rule ---- */

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

static gt_Status check_numbers(const Foreign *self, const gt_Numbers *numbers)
{
    if (!numbers_valid(numbers))
        return gt_status();
    if (numbers->count != self->numbers)
        return gt_fail(GT_INVALID, "it takes %d numbers, not %lld", self->numbers,
                       (long long)numbers->count);
    for (int p = 0; p < self->signature.parameters; p++) {
        if (self->parameter[p].role != ROLE_NUMBER)
            continue;
        double number = numbers->value[self->parameter[p].which];
        if (!number_fits(self->signature.parameter[p].type, number))
            return gt_fail(GT_INVALID, "number %d, %s, cannot be %g", self->parameter[p].which + 1,
                           self->signature.parameter[p].name, number);
    }
    return GT_OK;
}

static gt_DType output_dtype(const Foreign *self, int output)
{
    int p = self->output[output];
    return gt_c_dtype(p < 0 ? self->signature.result : self->signature.parameter[p].type);
}

static gt_Status shape_output(const Foreign *self, gt_ShapeRule *rule, int i, const int64_t *size)
{
    gt_Spec *out = &rule->output[i];
    if (self->output[i] < 0)
        return GT_OK; /* a scalar */
    const gt_Parameter *p = &self->signature.parameter[self->output[i]];
    if (self->is_gradient || p->rank == 0) {
        const gt_Spec *like = rule->input[self->is_gradient ? self->like[i] : 0];
        out->rank = like->rank;
        memcpy(out->dims, like->dims, sizeof out->dims);
        return GT_OK;
    }
    out->rank = p->rank;
    for (int d = 0; d < p->rank; d++)
        out->dims[d] = p->bound[d] < 0 ? size[-1 - p->bound[d]] : p->bound[d];
    return GT_OK;
}

static gt_Status foreign_shape(gt_ShapeRule *rule)
{
    const Foreign *self = foreign_of(rule->operation);
    const gt_foreign_options *options = rule->options;
    int64_t size[GT_MAX_SYMBOLS] = {0};
    for (int i = 0; i < self->inputs; i++) {
        if (self->input[i] < 0)
            continue;
        gt_DType wanted = gt_c_dtype(self->signature.parameter[self->input[i]].type);
        if (rule->input[i]->dtype != wanted)
            return gt_fail(GT_INVALID, "%s is %s; the function takes %s",
                           name_of(self, self->input[i]), gt_dtype_name(rule->input[i]->dtype),
                           gt_dtype_name(wanted));
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
            return gt_fail(GT_INVALID, "the shape rule makes output %d %s; the function writes %s",
                           i + 1, gt_dtype_name(out->dtype), gt_dtype_name(output_dtype(self, i)));
        if (out->rank < 0 || out->rank > GT_MAX_RANK || (self->output[i] < 0 && out->rank > 0))
            return gt_fail(GT_INVALID, "the shape rule gives output %d a rank that it cannot have",
                           i + 1);
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

static ffi_type *ffi_type_of(gt_CType type)
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

static gt_Status set_arguments(const Foreign *self, const gt_Kernel *kernel, Argument *argument)
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
        case ROLE_INPUT:
            argument[p].pointer = kernel->input[which];
            continue;
        case ROLE_OUTPUT:
            argument[p].pointer = kernel->output[which];
            continue;
        case ROLE_NUMBER:
            set_number(&argument[p], type, options->numbers.value[which]);
            continue;
        case ROLE_SIZE:
            value = size[which];
            break;
        default:
            value = self->count_input >= 0 ? kernel->input_spec[self->count_input]->size
                                           : kernel->output_spec[self->count_output]->size;
        }
        if (!set_whole(&argument[p], type, value))
            return gt_raise(kernel->context, GT_INVALID, NULL, self->custom.name,
                            "the size %s is %lld, which its type does not hold",
                            self->signature.parameter[p].name, (long long)value);
    }
    return GT_OK;
}

static gt_Status foreign_run(const gt_Kernel *kernel)
{
    Foreign *self = foreign_of(kernel->operation);
    Argument argument[GT_MAX_PARAMETERS];
    void *at[GT_MAX_PARAMETERS];
    union {
        ffi_arg word; /* narrow whole numbers come back widened to this */
        float f32;
        double f64;
        uint64_t room;
    } result = {0};
    gt_Context *context = kernel->context;
    if (set_arguments(self, kernel, argument) != GT_OK)
        return context->status;
    for (int p = 0; p < self->signature.parameters; p++)
        at[p] = &argument[p];
    ffi_call(&self->cif, self->function, &result, at);
    if (context->status != GT_OK)
        return context->status;
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

static gt_Status foreign_gradient(gt_GradientRule *rule)
{
    const Foreign *self = foreign_of(rule->record->operation);
    const Foreign *gradient = self->gradient;
    const gt_foreign_options *options = gt_rule_options(rule);
    gt_foreign_options call_options =
        GT_VALUES(gt_foreign_options, {.mark = GT_MARK, .count = gradient->numbers});
    gt_Tensor *input[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS], *output[GT_MAX_OUTPUTS];
    for (int i = 0; i < gradient->numbers; i++)
        call_options.numbers.value[i] = options->numbers.value[gradient->number_from[i]];
    for (int i = 0; i < gradient->inputs; i++) {
        int which = gradient->from[i].which;
        const gt_Spec *spec = gt_rule_output_spec(rule, which);
        if (gradient->from[i].source == SOURCE_INPUT)
            input[i] = gt_rule_input(rule, which);
        else if (gradient->from[i].source == SOURCE_OUTPUT)
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
            return gt_fail(GT_NO_GRADIENT, "its gradient function computes none for input %d, %s",
                           i + 1, name_of(self, self->input[i]));
    return gt_status();
}

/* ---- making one ---- */

/* Who is being made, for error messages. */
typedef struct Maker {
    gt_Context *context;
    const char *here;
    const char *name;
} Maker;

#define BAD(maker, ...)                                                                            \
    gt_raise((maker)->context, GT_INVALID, (maker)->here, (maker)->name, __VA_ARGS__)

static gt_Status read_signature(const Maker *maker, gt_Signature *signature, const char *text)
{
    char why[160];
    if (!text)
        return BAD(maker, "this type of function needs a signature: GT_FUNCTION(f, \"const float "
                          "*x, float *y, size_t n\")");
    if (!gt_signature_parse(signature, text, why, sizeof why))
        return BAD(maker, "the signature \"%.200s\" is wrong: %s", text, why);
    gt_CType result = signature->result;
    if (result != GT_C_VOID && result != GT_C_F32 && result != GT_C_F64 && result != GT_C_I32 &&
        result != GT_C_STATUS)
        return BAD(maker,
                   "the signature \"%.200s\" is wrong: the result must be void, int, "
                   "gt_Status, float or double",
                   text);
    return GT_OK;
}

/* Without names: x or x1, x2; y or y1, y2. */
static void name_arrays(Foreign *self)
{
    for (int i = 0; i < self->inputs + self->outputs; i++) {
        bool in = i < self->inputs;
        int which = in ? i : i - self->inputs, of = in ? self->inputs : self->outputs;
        int p = in ? self->input[which] : self->output[which];
        if (p < 0 || *self->signature.parameter[p].name)
            continue;
        char name[GT_SYMBOL_BYTES];
        snprintf(name, sizeof name, of > 1 ? "%c%d" : "%c", in ? 'x' : 'y', which + 1);
        if (gt_signature_find(&self->signature, name) < 0)
            memcpy(self->signature.parameter[p].name, name, sizeof name);
    }
}

static int32_t symbol_of(gt_Signature *signature, const gt_Parameter *parameter)
{
    for (int32_t s = 0; s < signature->symbols; s++)
        if (strcmp(signature->symbol[s], parameter->name) == 0)
            return s;
    return -1;
}

/* What each parameter is. Arrays that are const are inputs. */
static gt_Status assign_roles(const Maker *maker, Foreign *self)
{
    gt_Signature *signature = &self->signature;
    const char *count = NULL;
    for (int p = 0; p < signature->parameters; p++) {
        const gt_Parameter *parameter = &signature->parameter[p];
        int32_t symbol = symbol_of(signature, parameter);
        bool whole = parameter->type != GT_C_F32 && parameter->type != GT_C_F64 &&
                     parameter->type != GT_C_BOOL && !parameter->array;
        if (symbol >= 0 && !whole)
            return BAD(maker, "%s stands in brackets but is no whole number", parameter->name);
        Role role = ROLE_NUMBER;
        int which = symbol;
        if (parameter->array && !parameter->constant && self->outputs == GT_MAX_OUTPUTS)
            return BAD(maker, "more than %d outputs", GT_MAX_OUTPUTS);
        if (parameter->array && parameter->constant) {
            role = ROLE_INPUT;
            self->input[which = self->inputs++] = p;
        } else if (parameter->array) {
            role = ROLE_OUTPUT;
            self->output[which = self->outputs++] = p;
        } else if (symbol >= 0) {
            role = ROLE_SIZE;
        } else if (parameter->type == GT_C_SIZE) {
            role = ROLE_COUNT;
            if (count)
                return BAD(maker,
                           "two sizes stand in no brackets, \"%s\" and \"%s\": write the "
                           "arrays with their dimensions, x[rows][columns]",
                           count, parameter->name);
            count = parameter->name;
        } else if (self->numbers == GT_MAX_NUMBERS) {
            return BAD(maker, "more than %d numbers", GT_MAX_NUMBERS);
        } else {
            which = self->numbers++;
        }
        self->parameter[p].role = role;
        self->parameter[p].which = which;
    }
    if (signature->result == GT_C_F32 || signature->result == GT_C_F64) {
        if (self->outputs == GT_MAX_OUTPUTS)
            return BAD(maker, "more than %d outputs", GT_MAX_OUTPUTS);
        self->output[self->outputs++] = -1;
    }
    if (self->outputs == 0)
        return BAD(maker, "the function has no output: an array that is not const, or a result");
    name_arrays(self);
    self->count_input = self->inputs > 0 ? 0 : -1;
    self->count_output = 0;
    if (count && self->inputs == 0 && self->output[0] < 0)
        return BAD(maker, "the size \"%s\" is the size of nothing", count);
    return GT_OK;
}

/* Every name in brackets must be a parameter, and known from an input unless the user has a shape
 * rule. */
static gt_Status check_bounds(const Maker *maker, const Foreign *self)
{
    const gt_Signature *signature = &self->signature;
    uint64_t known = 0;
    for (int i = 0; i < self->inputs; i++) {
        const gt_Parameter *p = &signature->parameter[self->input[i]];
        for (int d = 0; d < p->rank; d++)
            if (p->bound[d] < 0)
                known |= UINT64_C(1) << (-1 - p->bound[d]);
    }
    for (int s = 0; s < signature->symbols; s++) {
        if (gt_signature_find(signature, signature->symbol[s]) < 0)
            return BAD(maker, "\"%s\" stands in brackets but is no parameter",
                       signature->symbol[s]);
        if (!(known >> s & 1) && !self->shape)
            return BAD(maker, "no input says what \"%s\" is; give a shape rule, .shape",
                       signature->symbol[s]);
    }
    for (int i = 0; i < self->outputs && !self->shape; i++)
        if (self->inputs == 0 && self->output[i] >= 0 &&
            signature->parameter[self->output[i]].rank == 0)
            return BAD(maker,
                       "without inputs, nothing says what shape %s has; write its "
                       "dimensions in brackets or give a shape rule, .shape",
                       name_of(self, self->output[i]));
    return GT_OK;
}

static gt_Status find_function(const Maker *maker, Foreign *self, const gt_CFunction *function,
                               void *library, const char *path)
{
    self->function = function->address;
    if (self->function)
        return GT_OK;
    if (!function->symbol)
        return BAD(maker, "the function is NULL");
    if (!library)
        return BAD(maker,
                   "the function %.80s is to be found in a library; which one, .library, is "
                   "not given",
                   function->symbol);
    void *address = dlsym(library, function->symbol);
    if (!address)
        return gt_raise(maker->context, GT_IO, maker->here, maker->name,
                        "there is no function %.80s in %.200s", function->symbol, path);
    memcpy(&self->function, &address, sizeof address);
    return GT_OK;
}

static gt_Status prepare_call(const Maker *maker, Foreign *self)
{
    const gt_Signature *signature = &self->signature;
    for (int p = 0; p < signature->parameters; p++)
        self->type[p] = signature->parameter[p].array ? &ffi_type_pointer
                                                      : ffi_type_of(signature->parameter[p].type);
    if (ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, (unsigned)signature->parameters,
                     ffi_type_of(signature->result), self->type) == FFI_OK)
        return GT_OK;
    return gt_raise(maker->context, GT_UNSUPPORTED, maker->here, maker->name,
                    "libffi cannot call a function of this type");
}

static void fill_record(Foreign *self)
{
    gt_Operation *operation = &self->custom.operation;
    operation->options = &gt_foreign_options_type;
    operation->inputs_min = operation->inputs_max = (uint8_t)self->inputs;
    operation->outputs = (uint8_t)self->outputs;
    operation->shape = foreign_shape;
    operation->run = foreign_run;
}

/* ---- the gradient function ---- */

/* The output whose name, or the input whose name, is this; -1: none. */
static int output_named(const Foreign *self, const char *name)
{
    for (int i = 0; i < self->outputs; i++) {
        int p = self->output[i];
        const char *own = p >= 0              ? self->signature.parameter[p].name
                          : self->outputs > 1 ? "result"
                                              : "y";
        if (*name && strcmp(own, name) == 0)
            return i;
    }
    return -1;
}

static int input_named(const Foreign *self, const char *name)
{
    for (int i = 0; i < self->inputs; i++)
        if (*name && strcmp(self->signature.parameter[self->input[i]].name, name) == 0)
            return i;
    return -1;
}

static bool anonymous(const gt_Signature *signature)
{
    for (int p = 0; p < signature->parameters; p++)
        if (signature->parameter[p].array && *signature->parameter[p].name)
            return false;
    return true;
}

/* Names for a gradient function without: [inputs [outputs]] gradients of the outputs -> gradients
 * of the inputs. */
static gt_Status name_gradient(const Maker *maker, gt_Signature *signature, const Foreign *forward)
{
    int constant = 0, written = 0, seen = 0, filled = 0;
    for (int p = 0; p < signature->parameters; p++)
        if (signature->parameter[p].array)
            *(signature->parameter[p].constant ? &constant : &written) += 1;
    int saved = constant - forward->outputs;
    bool outputs_too = saved == forward->inputs + forward->outputs;
    if (written != forward->inputs || (saved != 0 && saved != forward->inputs && !outputs_too))
        return BAD(maker,
                   "a gradient function without names takes the inputs and outputs, or the "
                   "inputs, or neither, then %d gradients of outputs, and writes %d; name "
                   "the parameters: x, y, dy, dx",
                   forward->outputs, forward->inputs);
    for (int p = 0; p < signature->parameters; p++) {
        gt_Parameter *parameter = &signature->parameter[p];
        if (!parameter->array)
            continue;
        int i = parameter->constant ? seen++ : filled++;
        bool is_input = !parameter->constant || (saved > 0 && i < forward->inputs);
        int which = parameter->constant && !is_input
                        ? (i - (saved > 0 ? forward->inputs : 0)) % forward->outputs
                        : i;
        int own = is_input ? forward->input[which] : forward->output[which];
        const char *name = own >= 0               ? forward->signature.parameter[own].name
                           : forward->outputs > 1 ? "result"
                                                  : "y";
        bool is_saved = parameter->constant && i < saved;
        if (snprintf(parameter->name, sizeof parameter->name, "%s%s", is_saved ? "" : "d", name) >=
            (int)sizeof parameter->name)
            return BAD(maker, "the name %s is too long", name);
    }
    return GT_OK;
}

/* An array without brackets has those of the array of the operation that it is, or is the gradient
 * of: so sizes have the same names in both functions. */
static gt_Status inherit_bounds(const Maker *maker, gt_Signature *signature,
                                gt_Parameter *parameter, const gt_Signature *forward, int own)
{
    if (own < 0 || parameter->rank > 0)
        return GT_OK;
    const gt_Parameter *from = &forward->parameter[own];
    for (int d = 0; d < from->rank; d++) {
        int32_t symbol = 0;
        if (from->bound[d] < 0 &&
            (symbol = gt_signature_symbol(signature, forward->symbol[-1 - from->bound[d]])) < 0)
            return BAD(maker, "more than %d names in brackets", GT_MAX_SYMBOLS);
        parameter->bound[d] = from->bound[d] < 0 ? -1 - symbol : from->bound[d];
    }
    parameter->rank = from->rank;
    return GT_OK;
}

/* What an array of the gradient function is to the operation. */
typedef struct Meaning {
    bool is_input; /* of the operation; else one of its outputs */
    bool is_slope;
    int which; /* -1: nothing known */
    int own;   /* the parameter of the operation's function; -1: returned */
} Meaning;

static Meaning meaning_of(const Foreign *forward, const gt_Parameter *parameter)
{
    const char *name = parameter->name;
    Meaning meaning = {.which = -1, .own = -1};
    if (parameter->constant) {
        if ((meaning.which = input_named(forward, name)) >= 0)
            meaning.is_input = true;
        else if ((meaning.which = output_named(forward, name)) < 0 && *name == 'd') {
            meaning.which = output_named(forward, name + 1);
            meaning.is_slope = true;
        }
    } else if (*name == 'd') {
        meaning.which = input_named(forward, name + 1);
        meaning.is_input = meaning.is_slope = true;
    }
    if (meaning.which >= 0)
        meaning.own =
            meaning.is_input ? forward->input[meaning.which] : forward->output[meaning.which];
    return meaning;
}

static gt_Status check_meaning(const Maker *maker, const Foreign *forward,
                               const gt_Parameter *parameter, const Meaning *meaning)
{
    if (meaning->which < 0)
        return BAD(maker,
                   "%s of the gradient function is not an input, an output or their "
                   "gradient: for an input x and an output y they are x, y, dy and %s",
                   *parameter->name ? parameter->name : "an array without a name",
                   parameter->constant ? "dx is what it writes" : "dx");
    gt_CType type = meaning->own < 0 ? forward->signature.result
                                     : forward->signature.parameter[meaning->own].type;
    if (type != parameter->type || (meaning->is_slope && !gt_dtype_is_float(gt_c_dtype(type))))
        return BAD(maker,
                   "%s of the gradient function has another type of elements than the "
                   "array it belongs to, or one without gradients",
                   parameter->name);
    return GT_OK;
}

static gt_Status link_numbers(const Maker *maker, Foreign *self, const Foreign *forward)
{
    for (int p = 0; p < self->signature.parameters; p++) {
        if (self->parameter[p].role != ROLE_NUMBER)
            continue;
        const gt_Parameter *parameter = &self->signature.parameter[p];
        int which = self->parameter[p].which;
        int own = gt_signature_find(&forward->signature, parameter->name);
        bool named = own >= 0 && forward->parameter[own].role == ROLE_NUMBER;
        if (*parameter->name ? !named : which >= forward->numbers)
            return BAD(maker, "the function has no number %s for its gradient function",
                       *parameter->name ? parameter->name : "left");
        self->number_from[which] = named ? forward->parameter[own].which : which;
    }
    return GT_OK;
}

/* Which input of the gradient operation has the shape of the operation's input; -1: none yet. */
static int shape_source(const Foreign *self, const Foreign *forward, int input)
{
    for (int i = 0; i < self->inputs; i++) {
        int which = self->from[i].which;
        int own = self->from[i].source == SOURCE_INPUT ? -1 : forward->output[which];
        if (self->from[i].source == SOURCE_INPUT ? which == input
                                                 : input == 0 && !forward->shape && own >= 0 &&
                                                       forward->signature.parameter[own].rank == 0)
            return i;
    }
    return -1;
}

/* Finds out what everything in the gradient function is. */
static gt_Status link_gradient(const Maker *maker, Foreign *self, Foreign *forward)
{
    gt_Operation *operation = &forward->custom.operation;
    uint64_t given = 0;
    for (int i = 0; i < self->inputs; i++) {
        Meaning meaning = meaning_of(forward, &self->signature.parameter[self->input[i]]);
        self->from[i].which = meaning.which;
        self->from[i].source = meaning.is_slope   ? SOURCE_UPSTREAM
                               : meaning.is_input ? SOURCE_INPUT
                                                  : SOURCE_OUTPUT;
    }
    int arrays = self->inputs;
    self->count_input = shape_source(self, forward, 0);
    for (int i = 0; i < self->outputs; i++) {
        int input = meaning_of(forward, &self->signature.parameter[self->output[i]]).which;
        if (given >> input & 1)
            return BAD(maker, "the gradient function writes the gradient of input %d twice",
                       input + 1);
        given |= UINT64_C(1) << input;
        self->gives[i] = input;
        self->like[i] = shape_source(self, forward, input);
        if (self->like[i] < 0) {
            self->like[i] = self->inputs++;
            self->input[self->like[i]] = -1;
            self->from[self->like[i]].source = SOURCE_INPUT;
            self->from[self->like[i]].which = input;
        }
        if (input == 0 && self->count_input < 0)
            self->count_input = self->like[i];
    }
    if (self->count_input < 0)
        self->count_input = arrays ? 0 : self->like[0];
    for (int i = 0; i < self->inputs; i++) {
        if (self->from[i].source == SOURCE_INPUT)
            operation->saves_inputs |= UINT64_C(1) << self->from[i].which;
        if (self->from[i].source == SOURCE_OUTPUT)
            operation->saves_outputs |= UINT32_C(1) << self->from[i].which;
    }
    return link_numbers(maker, self, forward);
}

/* Roles, bounds and links of the gradient function, whose signature was read. */
static gt_Status understand_gradient(const Maker *maker, Foreign *self, Foreign *forward)
{
    gt_Signature *signature = &self->signature;
    if (signature->result == GT_C_F32 || signature->result == GT_C_F64)
        return BAD(maker, "a gradient function writes into arrays and returns no number");
    if (anonymous(signature) && name_gradient(maker, signature, forward) != GT_OK)
        return maker->context->status;
    for (int p = 0; p < signature->parameters; p++) {
        gt_Parameter *parameter = &signature->parameter[p];
        if (!parameter->array)
            continue;
        Meaning meaning = meaning_of(forward, parameter);
        if (check_meaning(maker, forward, parameter, &meaning) != GT_OK ||
            inherit_bounds(maker, signature, parameter, &forward->signature, meaning.own) != GT_OK)
            return maker->context->status;
    }
    self->is_gradient = true;
    if (assign_roles(maker, self) != GT_OK)
        return maker->context->status;
    return link_gradient(maker, self, forward);
}

static Foreign *make_gradient(const Maker *maker, Foreign *forward, const char *name,
                              const gt_foreign_operation_options *options)
{
    Foreign *self = gt_custom_new(maker->context, maker->here, maker->name, &foreign_kind,
                                  sizeof *self, name, "_gradient");
    if (!self)
        return NULL;
    if (read_signature(maker, &self->signature, options->gradient.signature) == GT_OK &&
        understand_gradient(maker, self, forward) == GT_OK &&
        find_function(maker, self, &options->gradient, forward->library, options->library) ==
            GT_OK &&
        prepare_call(maker, self) == GT_OK) {
        fill_record(self);
        self->custom.operation.flags = GT_OP_NOT_DIFFERENTIABLE;
        self->custom.operation.why_not =
            "it is a gradient function in C; a rule written with operations can be differentiated";
        return self;
    }
    gt_object_release(&self->custom.object);
    return NULL;
}

static gt_Status make_forward(const Maker *maker, Foreign *self,
                              const gt_foreign_operation_options *options)
{
    gt_Operation *operation = &self->custom.operation;
    self->shape = options->shape;
    operation->samples = options->samples;
    if (read_signature(maker, &self->signature, options->function.signature) != GT_OK ||
        assign_roles(maker, self) != GT_OK || check_bounds(maker, self) != GT_OK)
        return maker->context->status;
    if (options->library && !(self->library = dlopen(options->library, RTLD_NOW | RTLD_LOCAL))) {
        gt_PlainLocale locale = gt_plain_locale_enter();
        const char *why = dlerror();
        gt_raise(maker->context, GT_IO, maker->here, maker->name,
                 "the library cannot be opened: %.300s", why ? why : options->library);
        gt_plain_locale_leave(locale);
        return maker->context->status;
    }
    if (find_function(maker, self, &options->function, self->library, options->library) != GT_OK ||
        prepare_call(maker, self) != GT_OK)
        return maker->context->status;
    fill_record(self);
    if (options->rule) {
        operation->gradient = options->rule;
        operation->saves_inputs =
            options->saves_inputs & (self->inputs < 64 ? (UINT64_C(1) << self->inputs) - 1 : ~0ull);
        operation->saves_outputs = options->saves_outputs & ((UINT32_C(1) << self->outputs) - 1);
    } else if (options->gradient.address || options->gradient.symbol) {
        operation->gradient = foreign_gradient;
    } else {
        operation->flags = GT_OP_NOT_DIFFERENTIABLE;
        operation->why_not = "it was made from a C function without a gradient";
    }
    return GT_OK;
}

GT_OPTION_TYPE(gt_foreign_operation_options, gt_foreign_operation_OPTIONS);

const gt_Operation *gt_foreign_operation_at(const char *here, const char *name,
                                            const gt_foreign_operation_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_foreign_operation_options options = GT_TAKE(gt_foreign_operation_options, given);
    Foreign *self =
        gt_custom_new(context, here, "foreign_operation", &foreign_kind, sizeof *self, name, "");
    if (!self)
        return NULL;
    Maker maker = {context, here, self->custom.name};
    if (make_forward(&maker, self, &options) == GT_OK &&
        self->custom.operation.gradient == foreign_gradient)
        self->gradient = make_gradient(&maker, self, name, &options);
    if (context->status == GT_OK)
        return gt_custom_register(context, self->gradient ? 2 : 1,
                                  (gt_Custom *[]){&self->custom, (gt_Custom *)self->gradient});
    gt_object_release(&self->custom.object);
    return NULL;
}

#else

const gt_Operation *gt_foreign_operation_at(const char *here, const char *name,
                                            const gt_foreign_operation_options *given)
{
    (void)given;
    gt_Context *context = gt_enter();
    if (context)
        gt_raise(context, GT_UNSUPPORTED, here, "foreign_operation",
                 "%.80s: this build has no libffi, which calls C functions; "
                 "gt_elementwise_operation and gt_register_operation need none",
                 name ? name : "NULL");
    return NULL;
}

#endif
