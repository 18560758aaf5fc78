/* A step from gradients that lie one behind the other in memory of the caller's: what gt_gradients_into wrote and somebody
 * else changed since. */
#include "core/inside.h"
#include "optim/state.h"

/* Tensors over the parts of the block, one a variable; its bytes are right. */
static gt_Status cut(gt_Tensors variables, const char *block, gt_Tensor **gradients)
{
    for (int32_t i = 0; i < variables.count; i++) {
        const gt_Spec *spec = gt_tensor_spec(variables.items[i]);
        gradients[i] = gt_from_buffer_at(NULL, block, gt_spec_shape(spec), spec->dtype);
        block += gt_spec_bytes(spec);
    }
    return gt_status();
}

gt_Status gt_apply_packed_at(const char *here, gt_Optimizer *self, gt_Tensors variables,
                             const void *memory, size_t bytes)
{
    static const char operation[] = "apply_packed";
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!gt_optimizer_check(context, here, operation, self))
        return gt_context_status(context);
    if (gt_tracing(context))
        return gt_raise(context, GT_STATE, here, operation,
                        "inside a traced function there are no numbers to read yet");
    int64_t wanted = gt_packed_bytes(context, here, operation, variables);
    if (wanted < 0)
        return gt_context_status(context);
    if (bytes != (size_t)wanted || (!memory && wanted))
        return gt_raise(context, GT_INVALID, here, operation,
                        "the block must have %lld bytes, as the variables (got %zu)",
                        (long long)wanted, memory ? bytes : 0);
    size_t list = (size_t)variables.count * sizeof(gt_Tensor *);
    gt_Tensor **parts = gt_allocate(context, list);
    if (parts && gt_scope_open(context)) {
        gt_Site site = gt_site_enter(here, operation);
        if (cut(variables, memory, parts) == GT_OK)
            gt_apply_gradients_at(here, self, variables, parts);
        gt_site_leave(&site);
        gt_scope_close(context);
    }
    gt_release(context, parts, list);
    return gt_context_status(context);
}
