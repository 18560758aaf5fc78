/* Any text as the prototype of a C function, and as that of its gradient function (after a line's
 * end). An operation that can be made is called; the function behind it does nothing. */
#include "tests/fuzz/fuzz.h"
#include "ops/array/creation.h"
#include "ops/foreign/custom.h"
#include "ops/foreign/foreign.h"

static void nothing(void)
{
}

static void check(const gt_Signature *signature)
{
    if (signature->parameters < 0 || signature->parameters > GT_MAX_PARAMETERS ||
        signature->symbols < 0 || signature->symbols > GT_MAX_SYMBOLS)
        fuzz_stop("a signature with too many parameters or names");
    for (int32_t p = 0; p < signature->parameters; p++) {
        const gt_Parameter *parameter = &signature->parameter[p];
        if (strlen(parameter->name) >= GT_SYMBOL_BYTES || parameter->rank > GT_MAX_RANK)
            fuzz_stop("a name or rank beyond its bound");
        if (*parameter->name && gt_signature_find(signature, parameter->name) != p)
            fuzz_stop("a parameter is not found by its name");
        for (int32_t d = 0; d < parameter->rank; d++)
            if (parameter->bound[d] < -signature->symbols)
                fuzz_stop("a bound that no name belongs to");
    }
}

static void call(const gt_Operation *operation)
{
    gt_Tensor *inputs[GT_MAX_INPUTS], *outputs[GT_MAX_OUTPUTS] = {NULL};
    if (operation->inputs_max > GT_MAX_INPUTS)
        fuzz_stop("an operation with too many inputs");
    for (int i = 0; i < operation->inputs_max; i++)
        inputs[i] = gt_zeros(gt_shape(2, 3), .dtype = i % 2 ? GT_FLOAT32 : GT_FLOAT64);
    if (fuzz_works(gt_status() == GT_OK))
        fuzz_either(gt_foreign_outputs(operation, ((gt_Tensors){inputs, operation->inputs_max}),
                                       outputs, .numbers = gt_numbers(1, 2)) == GT_OK);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *gradient = strchr(text, '\n'), why[200] = "";
    gt_Signature signature;
    if (gradient)
        *gradient++ = 0;
    if (gt_signature_parse(&signature, text, why, sizeof why))
        check(&signature);
    else if (!*why)
        fuzz_stop("a signature is refused without a reason");
    fuzz_reopen();
    gt_Scope *scope = gt_scope_begin();
    if (fuzz_works(scope != NULL)) {
        gt_foreign_operation_options options = GT_VALUES(
            gt_foreign_operation_options, .saves_inputs = UINT64_MAX, .saves_outputs = UINT32_MAX);
        options.function = gt_c_function(nothing, text, NULL);
        if (gradient)
            options.gradient = gt_c_function(nothing, gradient, NULL);
        const gt_Operation *operation = gt_foreign_operation_at(NULL, "fuzz", &options);
        if (fuzz_either(operation != NULL))
            call(operation);
        gt_scope_end(scope);
    }
    free(text);
}
