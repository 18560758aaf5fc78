/* Forward mode by two backward passes. With u the gradients that arrive at the outputs, the
 * backward pass computes g(u) = J' u, which is linear in u. So d(g . v)/du = J v, for any u. Leans
 * on gradient.c. */
#include "autodiff/forward.h"
#include "autodiff/probe.h"
#include "core/inside.h"

#include <string.h>

#define MAX_OUTPUTS 1024

GT_OPTION_TYPE(gt_jvp_options, gt_jvp_OPTIONS);

/* One call: its lists, in one block. */
typedef struct Call {
    gt_Context *context;
    gt_FunctionBody function;
    void *user;
    gt_Tensors tangents;
    int32_t primals, outputs;
    gt_Unconnected unconnected;
    gt_Value **result;    /* an output each */
    gt_Tensor **output;   /* an output each */
    gt_Tensor **upstream; /* an output each: u */
    gt_Tensor **tangent;  /* an output each: J v */
    gt_Tensor **primal;   /* a primal each: what the tapes watch */
    gt_Tensor **gradient; /* a primal each: J' u */
} Call;

static gt_Status check_distinct(gt_Context *context, gt_Tensors primals)
{
    gt_Map met = {0};
    for (int32_t i = 0; i < primals.count && gt_context_status(context) == GT_OK; i++) {
        int32_t k = gt_map_find(&met, gt_map_pointer(primals.items[i]));
        if (k >= 0)
            gt_raise(context, GT_INVALID, NULL, NULL, "primals %d and %d are the same tensor",
                     (int)k + 1, (int)i + 1);
        else
            gt_map_add(context, &met, gt_map_pointer(primals.items[i]), i);
    }
    gt_map_close(context, &met);
    return gt_context_status(context);
}

static gt_Status check(gt_Context *context, gt_Tensors primals, gt_Tensors tangents,
                       gt_Tensor **output_tangents, const gt_jvp_options *options)
{
    char a[200], b[200];
    if (options->outputs < 1 || options->outputs > MAX_OUTPUTS)
        return gt_raise(context, GT_INVALID, NULL, NULL, "outputs must be 1 to %d (got %d)",
                        MAX_OUTPUTS, (int)options->outputs);
    if (primals.count < 1 || !primals.items || !tangents.items || !output_tangents)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "primals, tangents and the place for the outputs' tangents are needed");
    if (primals.count != tangents.count)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "each primal must have a tangent (got %d primals and %d tangents)",
                        (int)primals.count, (int)tangents.count);
    for (int32_t i = 0; i < primals.count; i++) {
        const gt_Spec *at = gt_tensor_check(context, NULL, NULL, "a primal", primals.items[i]);
        const gt_Spec *along =
            at ? gt_tensor_check(context, NULL, NULL, "a tangent", tangents.items[i]) : NULL;
        if (!along)
            return gt_context_status(context);
        if (!gt_spec_equal(at, along))
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "tangent %d must be like its primal, %s (got %s)", (int)i + 1,
                            gt_spec_text(at, a, sizeof a), gt_spec_text(along, b, sizeof b));
    }
    return check_distinct(context, primals);
}

static gt_Tensors list(int32_t count, gt_Tensor *const *items)
{
    return (gt_Tensors){items, count};
}

/* J' u on a tape that watches u, and its derivative along the tangents. */
static gt_Status forward(Call *call, gt_Tape *inner)
{
    gt_Context *context = call->context;
    for (int32_t i = 0; i < call->outputs; i++)
        if (!(call->upstream[i] = gt_probe_upstream(context, call->output[i])))
            return gt_context_status(context);
    gt_Tape *outer = gt_probe_tape(NULL, list(call->outputs, call->upstream), false);
    if (gt_context_status(context) == GT_OK &&
        gt_gradients(inner, list(call->outputs, call->output), list(call->primals, call->primal),
                     call->gradient, .unconnected = GT_UNCONNECTED_ZERO,
                     .output_gradients = call->upstream) == GT_OK)
        gt_gradients(outer, list(call->primals, call->gradient),
                     list(call->outputs, call->upstream), call->tangent,
                     .unconnected = call->unconnected, .output_gradients = call->tangents.items);
    gt_tape_end(outer);
    return gt_context_status(context);
}

static gt_Status run(Call *call, gt_Tensors primals, gt_Tensor **outputs,
                     gt_Tensor **output_tangents)
{
    gt_Context *context = call->context;
    gt_Scope *outer = gt_scope_innermost(context), *scope = gt_scope_open(context);
    for (int32_t i = 0; scope && i < primals.count; i++)
        call->primal[i] = gt_probe(NULL, primals.items[i]);
    gt_Tape *inner = gt_probe_tape(NULL, list(call->primals, call->primal), false);
    if (gt_context_status(context) == GT_OK &&
        gt_body_run(context, NULL, call->function, call->user, call->primal, call->outputs,
                    call->result) == GT_OK &&
        gt_values_give(context, call->result, call->outputs, call->output) == GT_OK &&
        forward(call, inner) == GT_OK)
        for (int32_t i = 0; i < call->outputs; i++) {
            if (outputs)
                gt_scope_move(outputs[i] = call->output[i], outer);
            if ((output_tangents[i] = call->tangent[i]))
                gt_scope_move(output_tangents[i], outer);
        }
    gt_tape_end(inner);
    gt_scope_unwind(context, outer);
    return gt_context_status(context);
}

static gt_Status jvp(gt_Context *context, gt_FunctionBody function, void *user, gt_Tensors primals,
                     gt_Tensors tangents, gt_Tensor **outputs, gt_Tensor **output_tangents,
                     const gt_jvp_options *options)
{
    if (check(context, primals, tangents, output_tangents, options) != GT_OK)
        return gt_context_status(context);
    int32_t n = options->outputs, m = primals.count;
    size_t bytes = (size_t)(4 * n + 2 * m) * sizeof(void *);
    void **block = gt_allocate_zeroed(context, bytes);
    if (!block)
        return gt_context_status(context);
    gt_Tensor **lists = (gt_Tensor **)block;
    Call call = {.context = context,
                 .function = function,
                 .user = user,
                 .tangents = tangents,
                 .primals = m,
                 .outputs = n,
                 .unconnected = options->unconnected,
                 .output = lists,
                 .upstream = lists + n,
                 .tangent = lists + 2 * n,
                 .primal = lists + 3 * n,
                 .gradient = lists + 3 * n + m,
                 .result = (gt_Value **)(block + 3 * n + 2 * m)};
    run(&call, primals, outputs, output_tangents);
    gt_release(context, block, bytes);
    return gt_context_status(context);
}

gt_Status gt_jvp_at(const char *here, gt_FunctionBody function, void *user, gt_Tensors primals,
                    gt_Tensors tangents, gt_Tensor **outputs, gt_Tensor **output_tangents,
                    const gt_jvp_options *given)
{
    gt_Context *context = gt_enter();
    gt_jvp_options options;
    GT_TAKE(gt_jvp_options, &options, given);
    for (int32_t i = 0; i < options.outputs && i < MAX_OUTPUTS; i++) {
        if (outputs)
            outputs[i] = NULL;
        if (output_tangents)
            output_tangents[i] = NULL;
    }
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "jvp");
    gt_Status status =
        jvp(context, function, user, primals, tangents, outputs, output_tangents, &options);
    gt_site_leave(&site);
    return status;
}
