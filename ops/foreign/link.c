/* Gradient functions: how their arrays and numbers belong to the operation whose gradient they compute.
 *
 *   name_gradient      names for parameters without: by their order
 *   check_meaning      each array is an input x, an output y, a gradient dy or dx of the operation, of the same type
 *   inherit_bounds     sizes have the names that they have in the operation's function
 *   link_gradient      from which value each input comes, which gradient each output is, whose shape it has
 *
 * Example: for f(const float *x, float *y, size_t n) the gradient function g(const float *x, const float *dy, float *dx,
 * size_t n) has two inputs, input 0 of the operation and the upstream of output 0. Its output is the gradient of input 0
 * and has the shape of its own input 0, since that is x. Without x, it has that of dy, since y has the shape of x. If
 * neither is there, x becomes an input for its shape alone. */
#include "ops/foreign/foreign_record.h"

#ifdef GT_HAVE_FFI

#include "core/inside.h"
#include "core/text.h"

#include <string.h>

/* The output whose name, or the input whose name, is this; -1: none. */
static int output_named(const gt_Foreign *self, const char *name)
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

static int input_named(const gt_Foreign *self, const char *name)
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
static gt_Status name_gradient(const gt_ForeignMaker *maker, gt_Signature *signature,
                               const gt_Foreign *forward)
{
    int constant = 0, written = 0, seen = 0, filled = 0;
    for (int p = 0; p < signature->parameters; p++)
        if (signature->parameter[p].array)
            *(signature->parameter[p].constant ? &constant : &written) += 1;
    int saved = constant - forward->outputs;
    bool outputs_too = saved == forward->inputs + forward->outputs;
    if (written != forward->inputs || (saved != 0 && saved != forward->inputs && !outputs_too))
        return gt_foreign_wrong(
            maker,
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
        if (gt_text(parameter->name, sizeof parameter->name, "%s%s", is_saved ? "" : "d", name) >=
            (int)sizeof parameter->name)
            return gt_foreign_wrong(maker, "the name %s must be shorter", name);
    }
    return GT_OK;
}

/* An array without brackets has those of the array of the operation that it is, or is the gradient
 * of: so sizes have the same names in both functions. */
static gt_Status inherit_bounds(const gt_ForeignMaker *maker, gt_Signature *signature,
                                gt_Parameter *parameter, const gt_Signature *forward, int own)
{
    if (own < 0 || parameter->rank > 0)
        return GT_OK;
    const gt_Parameter *from = &forward->parameter[own];
    for (int d = 0; d < from->rank; d++) {
        int32_t symbol = 0;
        if (from->bound[d] < 0 &&
            (symbol = gt_signature_symbol(signature, forward->symbol[-1 - from->bound[d]])) < 0)
            return gt_foreign_wrong(maker, "expected at most %d names in brackets", GT_MAX_SYMBOLS);
        parameter->bound[d] = from->bound[d] < 0 ? -1 - symbol : from->bound[d];
    }
    parameter->rank = from->rank;
    return GT_OK;
}

/* The meaning of an array of the gradient function for the operation. */
typedef struct Meaning {
    bool is_input; /* of the operation; else one of its outputs */
    bool is_slope;
    int which; /* -1: nothing known */
    int own;   /* the parameter of the operation's function; -1: returned */
} Meaning;

static Meaning meaning_of(const gt_Foreign *forward, const gt_Parameter *parameter)
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

static gt_Status check_meaning(const gt_ForeignMaker *maker, const gt_Foreign *forward,
                               const gt_Parameter *parameter, const Meaning *meaning)
{
    if (meaning->which < 0)
        return gt_foreign_wrong(maker,
                                "%s of the gradient function is not an input, an output or their "
                                "gradient: for an input x and an output y they are x, y, dy and %s",
                                *parameter->name ? parameter->name : "an array without a name",
                                parameter->constant ? "dx is what it writes" : "dx");
    gt_CType type = meaning->own < 0 ? forward->signature.result
                                     : forward->signature.parameter[meaning->own].type;
    if (type != parameter->type || (meaning->is_slope && !gt_dtype_is_float(gt_c_dtype(type))))
        return gt_foreign_wrong(maker,
                                "%s of the gradient function has another type of elements than the "
                                "array it belongs to, or one without gradients",
                                parameter->name);
    return GT_OK;
}

static gt_Status link_numbers(const gt_ForeignMaker *maker, gt_Foreign *self,
                              const gt_Foreign *forward)
{
    for (int p = 0; p < self->signature.parameters; p++) {
        if (self->parameter[p].role != GT_ROLE_NUMBER)
            continue;
        const gt_Parameter *parameter = &self->signature.parameter[p];
        int which = self->parameter[p].which;
        int own = gt_signature_find(&forward->signature, parameter->name);
        bool named = own >= 0 && forward->parameter[own].role == GT_ROLE_NUMBER;
        if (*parameter->name ? !named : which >= forward->numbers)
            return gt_foreign_wrong(maker,
                                    "the function must have the number %s of its gradient function",
                                    *parameter->name ? parameter->name : "left");
        self->number_from[which] = named ? forward->parameter[own].which : which;
    }
    return GT_OK;
}

/* Which input of the gradient operation has the shape of the operation's input; -1: none yet. */
static int shape_source(const gt_Foreign *self, const gt_Foreign *forward, int input)
{
    for (int i = 0; i < self->inputs; i++) {
        int which = self->from[i].which;
        int own = self->from[i].source == GT_SOURCE_INPUT ? -1 : forward->output[which];
        if (self->from[i].source == GT_SOURCE_INPUT
                ? which == input
                : input == 0 && !forward->shape && own >= 0 &&
                      forward->signature.parameter[own].rank == 0)
            return i;
    }
    return -1;
}

/* Finds out what everything in the gradient function is. */
static gt_Status link_gradient(const gt_ForeignMaker *maker, gt_Foreign *self, gt_Foreign *forward)
{
    gt_Operation *operation = &forward->custom.operation;
    uint64_t given = 0;
    for (int i = 0; i < self->inputs; i++) {
        Meaning meaning = meaning_of(forward, &self->signature.parameter[self->input[i]]);
        self->from[i].which = meaning.which;
        self->from[i].source = meaning.is_slope   ? GT_SOURCE_UPSTREAM
                               : meaning.is_input ? GT_SOURCE_INPUT
                                                  : GT_SOURCE_OUTPUT;
    }
    int arrays = self->inputs;
    self->count_input = shape_source(self, forward, 0);
    for (int i = 0; i < self->outputs; i++) {
        int input = meaning_of(forward, &self->signature.parameter[self->output[i]]).which;
        if (given >> input & 1)
            return gt_foreign_wrong(
                maker, "the gradient function writes the gradient of input %d twice", input + 1);
        given |= UINT64_C(1) << input;
        self->gives[i] = input;
        self->like[i] = shape_source(self, forward, input);
        if (self->like[i] < 0) {
            self->like[i] = self->inputs++;
            self->input[self->like[i]] = -1;
            self->from[self->like[i]].source = GT_SOURCE_INPUT;
            self->from[self->like[i]].which = input;
        }
        if (input == 0 && self->count_input < 0)
            self->count_input = self->like[i];
    }
    if (self->count_input < 0)
        self->count_input = arrays ? 0 : self->like[0];
    for (int i = 0; i < self->inputs; i++) {
        if (self->from[i].source == GT_SOURCE_INPUT)
            operation->saves_inputs |= UINT64_C(1) << self->from[i].which;
        if (self->from[i].source == GT_SOURCE_OUTPUT)
            operation->saves_outputs |= UINT32_C(1) << self->from[i].which;
    }
    return link_numbers(maker, self, forward);
}

/* Roles, bounds and links of the gradient function, whose signature was read. */
gt_Status gt_foreign_understand_gradient(const gt_ForeignMaker *maker, gt_Foreign *self,
                                         gt_Foreign *forward)
{
    gt_Signature *signature = &self->signature;
    if (signature->result == GT_C_F32 || signature->result == GT_C_F64)
        return gt_foreign_wrong(maker,
                                "a gradient function writes into arrays and returns no number");
    if (anonymous(signature) && name_gradient(maker, signature, forward) != GT_OK)
        return gt_status();
    for (int p = 0; p < signature->parameters; p++) {
        gt_Parameter *parameter = &signature->parameter[p];
        if (!parameter->array)
            continue;
        Meaning meaning = meaning_of(forward, parameter);
        if (check_meaning(maker, forward, parameter, &meaning) != GT_OK ||
            inherit_bounds(maker, signature, parameter, &forward->signature, meaning.own) != GT_OK)
            return gt_status();
    }
    self->is_gradient = true;
    if (gt_foreign_assign_roles(maker, self) != GT_OK)
        return gt_status();
    return link_gradient(maker, self, forward);
}

#endif
