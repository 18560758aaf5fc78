/* Roles of the parameters of a C function: inputs, outputs, sizes, numbers.
 *
 * An array that is const is an input, any other an output. A name that stands in brackets is a size, and must be an
 * integer parameter; a size_t that stands in none counts the elements of input 1; all else is a number. */
#include "ops/foreign/foreign_record.h"

#ifdef GT_HAVE_FFI

#include "core/inside.h"
#include "core/text.h"

#include <string.h>

gt_Status gt_foreign_wrong(const gt_ForeignMaker *maker, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    return gt_raise(maker->context, GT_INVALID, maker->here, maker->name, "%s", text);
}

gt_Status gt_foreign_read(const gt_ForeignMaker *maker, gt_Signature *signature, const char *text)
{
    char why[160];
    if (!text)
        return gt_foreign_wrong(
            maker, "this type of function needs a signature: GT_FUNCTION(f, \"const float "
                   "*x, float *y, size_t n\")");
    if (!gt_signature_parse(signature, text, why, sizeof why))
        return gt_foreign_wrong(maker, "the signature \"%.200s\" is wrong: %s", text, why);
    gt_CType result = signature->result;
    if (result != GT_C_VOID && result != GT_C_F32 && result != GT_C_F64 && result != GT_C_I32 &&
        result != GT_C_STATUS)
        return gt_foreign_wrong(maker,
                                "the signature \"%.200s\" is wrong: the result must be void, int, "
                                "gt_Status, float or double",
                                text);
    return GT_OK;
}

/* Without names: x or x1, x2; y or y1, y2. */
static void name_arrays(gt_Foreign *self)
{
    for (int i = 0; i < self->inputs + self->outputs; i++) {
        bool in = i < self->inputs;
        int which = in ? i : i - self->inputs, of = in ? self->inputs : self->outputs;
        int p = in ? self->input[which] : self->output[which];
        if (p < 0 || *self->signature.parameter[p].name)
            continue;
        char name[GT_SYMBOL_BYTES];
        gt_text(name, sizeof name, of > 1 ? "%c%d" : "%c", in ? 'x' : 'y', which + 1);
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

/* Inputs and outputs are counted in the order of the parameters; a result that is a number is the last output. */
gt_Status gt_foreign_assign_roles(const gt_ForeignMaker *maker, gt_Foreign *self)
{
    gt_Signature *signature = &self->signature;
    const char *count = NULL;
    for (int p = 0; p < signature->parameters; p++) {
        const gt_Parameter *parameter = &signature->parameter[p];
        int32_t symbol = symbol_of(signature, parameter);
        bool whole = parameter->type != GT_C_F32 && parameter->type != GT_C_F64 &&
                     parameter->type != GT_C_BOOL && !parameter->array;
        if (symbol >= 0 && !whole)
            return gt_foreign_wrong(maker, "%s stands in brackets and must be an integer",
                                    parameter->name);
        gt_ForeignRole role = GT_ROLE_NUMBER;
        int which = symbol;
        if (parameter->array && !parameter->constant && self->outputs == GT_MAX_OUTPUTS)
            return gt_foreign_wrong(maker, "expected at most %d outputs", GT_MAX_OUTPUTS);
        if (parameter->array && parameter->constant) {
            role = GT_ROLE_INPUT;
            self->input[which = self->inputs++] = p;
        } else if (parameter->array) {
            role = GT_ROLE_OUTPUT;
            self->output[which = self->outputs++] = p;
        } else if (symbol >= 0) {
            role = GT_ROLE_SIZE;
        } else if (parameter->type == GT_C_SIZE) {
            role = GT_ROLE_COUNT;
            if (count)
                return gt_foreign_wrong(
                    maker,
                    "two sizes stand in no brackets, \"%s\" and \"%s\": write the "
                    "arrays with their dimensions, x[rows][columns]",
                    count, parameter->name);
            count = parameter->name;
        } else if (self->numbers == GT_MAX_NUMBERS) {
            return gt_foreign_wrong(maker, "expected at most %d numbers", GT_MAX_NUMBERS);
        } else {
            which = self->numbers++;
        }
        self->parameter[p].role = role;
        self->parameter[p].which = which;
    }
    if (signature->result == GT_C_F32 || signature->result == GT_C_F64) {
        if (self->outputs == GT_MAX_OUTPUTS)
            return gt_foreign_wrong(maker, "expected at most %d outputs", GT_MAX_OUTPUTS);
        self->output[self->outputs++] = -1;
    }
    if (self->outputs == 0)
        return gt_foreign_wrong(maker,
                                "expected an output: an array that is not const, or a result");
    name_arrays(self);
    self->count_input = self->inputs > 0 ? 0 : -1;
    self->count_output = 0;
    if (count && self->inputs == 0 && self->output[0] < 0)
        return gt_foreign_wrong(maker, "the size \"%s\" needs an array whose size it is", count);
    return GT_OK;
}

/* Every name in brackets must be a parameter, and known from an input unless the user has a shape
 * rule. */
gt_Status gt_foreign_check_bounds(const gt_ForeignMaker *maker, const gt_Foreign *self)
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
            return gt_foreign_wrong(maker, "\"%s\" stands in brackets and must be a parameter",
                                    signature->symbol[s]);
        if (!(known >> s & 1) && !self->shape)
            return gt_foreign_wrong(maker,
                                    "no input says what \"%s\" is; give a shape rule, .shape",
                                    signature->symbol[s]);
    }
    for (int i = 0; i < self->outputs && !self->shape; i++)
        if (self->inputs == 0 && self->output[i] >= 0 &&
            signature->parameter[self->output[i]].rank == 0)
            return gt_foreign_wrong(maker,
                                    "without inputs, nothing says what shape %s has; write its "
                                    "dimensions in brackets or give a shape rule, .shape",
                                    gt_foreign_name(self, self->output[i]));
    return GT_OK;
}

#endif
