/* Calling operations that were made from C functions: gt_foreign, and what its arguments are made with. */
#include "ops/foreign/foreign.h"
#include "core/kind.h"
#include "ops/foreign/custom.h"

GT_OPTION_TYPE(gt_foreign_options, gt_foreign_OPTIONS);
const gt_OptionType *const gt_foreign_call_options = &gt_foreign_options_type;

gt_CFunction gt_c_function(gt_AnyFunction function, const char *signature, const char *of_type)
{
    return (gt_CFunction){function, NULL, signature ? signature : of_type};
}

gt_CFunction gt_c_symbol(const char *symbol, const char *signature)
{
    return (gt_CFunction){NULL, symbol, signature};
}


/* ---- calling ---- */

bool gt_numbers_valid(const gt_Numbers *numbers)
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
    if (!gt_is_address(operation) || !outputs || inputs.count < 0 ||
        (inputs.count && !inputs.items))
        return gt_raise(context, GT_INVALID, here, name, "%s",
                        !gt_is_address(operation) ? "the operation is NULL"
                                                  : "a list of tensors is NULL");
    bool takes_numbers = operation->options == gt_foreign_call_options;
    if (!takes_numbers && options && !gt_numbers_valid(&options->numbers))
        return gt_context_status(context);
    if (!takes_numbers && options && options->numbers.count != 0)
        return gt_raise(context, GT_INVALID, here, operation->name,
                        "expected no numbers: no parameter of the function is one");
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
