/* Names of activations, for files. Two functions are the same if they write down the same operations: pointers differ between
 * programs, and with -fPIC even inside one. Leans on core/graph.h. */
#include "core/graph.h"
#include "models/config.h"
#include "models/fields.h"
#include "ops/array/cast.h"
#include "ops/math/math.h"
#include "ops/nn/activation.h"
#include "ops/nn/softmax.h"

#include <string.h>

#define KNOWN(F)                                                                                   \
    F(linear) F(relu) F(sigmoid) F(tanh) F(softmax) F(log_softmax) F(softplus) F(softsign)         \
    F(exponential) F(elu) F(selu) F(silu) F(gelu) F(gelu_exact) F(leaky_relu) F(hard_sigmoid)      \
    F(hard_silu) F(relu6) F(mish) F(log_sigmoid) F(celu) F(glu) F(hard_tanh) F(hard_shrink)        \
    F(soft_shrink) F(tanh_shrink) F(squareplus) F(sparse_plus) F(sparse_sigmoid) F(sparsemax)      \
    F(square) F(abs) F(sin) F(cos) F(sqrt) F(identity)
#define ROW(name) {#name, (gt_##name)},
static const struct {
    const char *name;
    gt_TensorFunction function;
} known[] = {KNOWN(ROW)};
enum { KNOWN_COUNT = sizeof known / sizeof *known };

/* What the function writes down for a tensor of that type; NULL: it fails there, which is no error. */
static gt_Graph *trace_of(gt_Context *context, gt_TensorFunction function)
{
    const gt_Spec spec = {.dtype = GT_FLOAT32, .rank = 2, .size = 8, .dims = {2, 4}};
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    if (trace) {
        if (gt_scope_open(context)) {
            gt_Tensor *x = gt_trace_input(context, &spec);
            gt_Tensor *y = x ? function(x) : NULL;
            graph->output = y ? gt_allocate(context, sizeof *graph->output) : NULL;
            if (graph->output) {
                graph->outputs = 1;
                graph->output[0] = gt_trace_symbol(context, gt_tensor_value(y));
            }
            gt_scope_close(context);
        }
        gt_trace_end(context, trace);
        gt_facts_close(context, &facts);
    }
    if (gt_context_status(context) == GT_OK)
        return graph;
    gt_graph_free(graph);
    return NULL;
}

static bool writes_the_same(gt_Context *context, const gt_Graph *graph, gt_TensorFunction other)
{
    char difference[512];
    gt_Graph *theirs = trace_of(context, other);
    bool same = theirs && gt_graph_equal(graph, theirs, difference, sizeof difference);
    gt_graph_free(theirs);
    return same;
}

const char *gt_function_name(gt_Context *context, gt_TensorFunction function)
{
    const char *name =
        gt_registration_name(context, GT_REGISTRATION_KIND_FUNCTION, (uintptr_t)function);
    if (name)
        return name;
    gt_Graph *graph = trace_of(context, function);
    for (int i = 0; i < KNOWN_COUNT && graph && !name; i++)
        if (writes_the_same(context, graph, known[i].function))
            name = known[i].name;
    gt_graph_free(graph);
    if (!graph && gt_context_status(context) != GT_NO_MEMORY)
        gt_error_clear(); /* it takes no such tensor: then it is none of these */
    if (!name && gt_context_status(context) == GT_OK)
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                 "an activation is a function that files have no name for: gt_register_function");
    return name;
}

gt_TensorFunction gt_function_named(gt_Context *context, const char *name)
{
    uintptr_t registered = gt_registration_find(context, GT_REGISTRATION_KIND_FUNCTION, name);
    if (registered)
        return (gt_TensorFunction)registered;
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].function;
    return NULL;
}

static gt_Status add(const char *here, const char *operation, gt_RegistrationKind kind,
                     const char *name, uintptr_t function)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, operation);
    if (!name || !*name || !function)
        gt_fail(GT_INVALID, "a function needs a name, and must not be NULL");
    else if (gt_check_function("the function", function) == GT_OK)
        gt_registration_add(context, kind, name, function);
    gt_site_leave(&site);
    return gt_context_status(context);
}

gt_Status gt_register_function_at(const char *here, const char *name, gt_TensorFunction function)
{
    return add(here, "register_function", GT_REGISTRATION_KIND_FUNCTION, name, (uintptr_t)function);
}

gt_Status gt_register_text_function_at(const char *here, const char *name, gt_TextFunction function)
{
    return add(here, "register_text_function", GT_REGISTRATION_KIND_TEXT, name, (uintptr_t)function);
}
