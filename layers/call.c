/* Building and calling layers, and the losses that layers add while they are called. Leans on
 * layer.c for what a layer has, on core for scopes, traces and tapes.
 *
 *     gt_call -> [build_layer] -> compute -> call of the class -> gt_call of its children ...
 *
 * A frame on the C stack stands for each call that is running: the name of a layer in what calls
 * it, whether it trains, the scope where added losses are kept. The first call builds; a layer
 * counts as built when that call went well, so a failure leaves it as it was. Layers of other
 * contexts are called, too, if they are built: nothing of them is written. */
#include "layers/draw.h"
#include "layers/lookups.h"
#include "core/assert.h"
#include "core/graph.h"
#include "core/strings_inside.h"
#include "core/text.h"
#include "ops/array/cast.h"
#include "ops/array/masking.h"
#include "ops/kit.h"
#include "ops/math/arithmetic.h"
#include "ops/math/reduce.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_call_options, gt_call_OPTIONS);

/* ---- what inputs must be like ---- */

const gt_Port *gt_layer_ports(const gt_LayerState *state)
{
    static const gt_Port one[] = {{"x", 0, 0, 0}, {NULL, 0, 0, 0}};
    const gt_LayerClass *type = state->layer->type;
    return state->ports                                   ? state->ports
           : GT_CLASS_HAS(type, ports) && type->ports ? type->ports
                                                          : one;
}

/* The port of input number i: the last one stands for all that follow, if it takes many. NULL: there is none. */
static const gt_Port *port_of(const gt_LayerState *state, int32_t i)
{
    const gt_Port *port = gt_layer_ports(state);
    while (i > 0 && port->name && !(port->flags & GT_PORT_MANY)) {
        port++;
        i--;
    }
    return port->name ? port : NULL;
}

/* "the input", or its name where there are several. */
static const char *name_of_input(const gt_LayerState *state, int32_t i, char *text, size_t size)
{
    const gt_Port *ports = gt_layer_ports(state);
    if (!ports[1].name && !(ports->flags & GT_PORT_MANY))
        return "the input";
    if (ports->flags & GT_PORT_MANY)
        gt_text(text, size, "input %d", (int)i + 1);
    else
        gt_text(text, size, "the input \"%s\"", port_of(state, i)->name);
    return text;
}

static gt_Status check_rank(gt_Context *context, const char *here, const gt_LayerState *state,
                            int32_t i, const gt_Spec *spec, int least, int most)
{
    const gt_LayerClass *type = state->layer->type;
    char name[80], text[160];
    if (spec->rank >= least && (most == 0 || spec->rank <= most))
        return GT_OK;
    gt_dims_text(spec, text, sizeof text);
    const char *what = name_of_input(state, i, name, sizeof name);
    if (least == most)
        return gt_raise(context, GT_INVALID, here, type->name,
                        "%s must have %d dimensions (got shape %s)", what, least, text);
    if (spec->rank < least)
        return gt_raise(context, GT_INVALID, here, type->name,
                        "%s must have at least %d dimensions (got shape %s)", what, least, text);
    return gt_raise(context, GT_INVALID, here, type->name,
                    "%s must have at most %d dimensions (got shape %s)", what, most, text);
}

static gt_Status check_ports(gt_Context *context, const char *here, const gt_LayerState *state,
                             int32_t count, gt_Tensor *const *inputs)
{
    for (int32_t i = 0; i < count; i++) {
        const gt_Port *port = port_of(state, i);
        if (inputs[i] && check_rank(context, here, state, i, gt_tensor_spec(inputs[i]),
                                    port->rank_min, port->rank_max) != GT_OK)
            break;
    }
    return gt_context_status(context);
}

static gt_Status check_spec(gt_Context *context, const char *here, const gt_LayerState *state,
                            int32_t i, const gt_Spec *spec)
{
    const gt_InputSpec *asked = &state->spec[i];
    const gt_LayerClass *type = state->layer->type;
    char name[80], text[160];
    int least = asked->rank > asked->min_rank ? asked->rank : asked->min_rank;
    int most = asked->rank ? asked->rank : asked->max_rank;
    if (check_rank(context, here, state, i, spec, least, most) != GT_OK)
        return gt_context_status(context);
    int axis = asked->axis < 0 ? asked->axis + spec->rank : asked->axis;
    bool fits = asked->dim <= 0 || (axis >= 0 && axis < spec->rank && spec->dims[axis] == asked->dim);
    if (fits && (!asked->dtype || asked->dtype == spec->dtype))
        return GT_OK;
    gt_dims_text(spec, text, sizeof text);
    const char *what = name_of_input(state, i, name, sizeof name);
    if (!fits && asked->axis == -1)
        return gt_raise(context, GT_INVALID, here, type->name,
                        "the last dimension of %s must be %lld, as the layer was built (got "
                        "shape %s)",
                        what, (long long)asked->dim, text);
    if (!fits)
        return gt_raise(context, GT_INVALID, here, type->name,
                        "axis %d of %s must have size %lld, as the layer was built (got shape %s)",
                        (int)asked->axis, what, (long long)asked->dim, text);
    return gt_raise(context, GT_INVALID, here, type->name, "%s must be %s (got %s)", what,
                    gt_dtype_name(asked->dtype), gt_dtype_name(spec->dtype));
}

static gt_Status check_specs(gt_Context *context, const char *here, const gt_LayerState *state,
                             const gt_CallArgs *in)
{
    for (int32_t i = 0; i < in->count && i < GT_INPUT_SPECS; i++)
        if (in->inputs[i] &&
            check_spec(context, here, state, i, gt_tensor_spec(in->inputs[i])) != GT_OK)
            break;
    return gt_context_status(context);
}

/* ---- building ---- */

/* Its own policy, or that of the nearest layer around it, of the context, or the type of the first float input. */
static void settle_policy(gt_Context *context, gt_LayerState *state, const gt_CallArgs *call)
{
    const gt_CallFrame *frame = gt_context_frame(context);
    gt_DType policy = (gt_DType)gt_context_policy(context);
    if (state->dtype != GT_DTYPE_NONE)
        return;
    for (; frame && state->dtype == GT_DTYPE_NONE; frame = frame->caller) {
        const gt_LayerState *around = (const gt_LayerState *)frame->layer;
        state->dtype = around->dtype;
        state->compute = around->compute;
        state->policy_of_context = around->policy_of_context;
    }
    if (state->dtype == GT_DTYPE_NONE && policy != GT_DTYPE_NONE) {
        state->dtype = gt_variable_dtype(policy);
        state->compute = gt_compute_dtype(policy);
        state->policy_of_context = true;
    }
    for (int32_t i = 0; i < call->count && state->dtype == GT_DTYPE_NONE; i++) {
        gt_DType dtype = call->inputs[i] ? gt_tensor_spec(call->inputs[i])->dtype : GT_DTYPE_NONE;
        if (gt_dtype_is_float(dtype))
            state->dtype = state->compute = gt_half_type(dtype) < 0 ? dtype : GT_FLOAT32;
    }
}

/* The type of operands of products, as `call` is told. Weights that are stored in 16 bits make no input narrower. */
static gt_DType compute_type(const gt_LayerState *state)
{
    gt_DType dtype = gt_half_type(state->dtype) >= 0 || !state->dtype ? GT_FLOAT32 : state->dtype;
    bool mixed = state->compute != state->dtype;
    return mixed && !(state->layer->type->flags & GT_LAYER_FLOAT32) ? state->compute : dtype;
}

/* Runs `build` eagerly, unseen by traces, tapes and listeners. A failure takes back what was
 * made. */
static gt_Status run_build(gt_Context *context, gt_LayerState *state, const gt_BuildArgs *in)
{
    gt_Layer *layer = state->layer;
    uint64_t since = gt_context_structure(context);
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return gt_context_status(context);
    gt_Trace *trace = gt_trace_suspend(context);
    uint64_t recording = gt_tape_quiet(context);
    gt_Listener *listener = gt_listener_pause(context); /* first values are no part of a call */
    GT_ASSERT(!state->building && !state->built);
    state->building = true;
    state->children_before = state->child_count;
    gt_context_count_structure(context);
    state->built_at = gt_context_structure(context);
    if (layer->type->build)
        layer->type->build(layer, in);
    state->building = false;
    gt_scope_unwind(context, scope);
    gt_scope_close(context);
    gt_listener_resume(context, listener);
    gt_tape_unquiet(context, recording);
    gt_trace_resume(context, trace);
    if (gt_context_status(context) != GT_OK)
        gt_layer_unbuild(state, since);
    else
        state->built = true;
    return gt_context_status(context);
}

static gt_Spec spec_of_text(gt_Context *context, const gt_Strings *strings)
{
    gt_Text text;
    return gt_text_read(context, NULL, NULL, "the text", strings, &text) ? gt_text_spec(&text)
                                                                         : (gt_Spec){0};
}

static gt_Status build_layer(gt_Context *context, gt_LayerState *state, const gt_CallArgs *call)
{
    size_t bytes = (size_t)call->count * sizeof(gt_Spec);
    gt_Spec *inputs = gt_allocate_zeroed(context, bytes);
    if (!inputs)
        return gt_context_status(context);
    for (int32_t i = 0; i < call->count; i++)
        if (call->inputs[i])
            inputs[i] = *gt_tensor_spec(call->inputs[i]);
        else if (call->text && call->text[i])
            inputs[i] = spec_of_text(context, call->text[i]);
    settle_policy(context, state, call);
    run_build(context, state,
              &(gt_BuildArgs){.size = sizeof(gt_BuildArgs),
                              .count = call->count,
                              .shape = gt_spec_shape(&inputs[0]),
                              .dtype = inputs[0].dtype,
                              .inputs = inputs,
                              .variables = state->dtype ? state->dtype : GT_FLOAT32,
                              .compute = compute_type(state)});
    if (gt_context_status(context) == GT_OK) {
        state->built_for = inputs;
        state->built_for_count = call->count;
    } else {
        gt_release(context, inputs, bytes);
    }
    return gt_context_status(context);
}

/* ---- calling ---- */

/* The name of a layer in the container that calls it; NULL: it was never registered there. */
static const char *name_in(const gt_LayerState *parent, const gt_Layer *layer)
{
    int32_t i = gt_map_find(&parent->places, gt_map_pointer(layer));
    return i < 0 ? NULL : parent->children[i].name;
}

static gt_Tensor *add_activity(gt_Context *context, gt_LayerState *state, gt_Tensor *y)
{
    gt_Tensor *penalty = gt_penalty(&state->activity, gt_is_masked(y) ? gt_unmask(y) : y);
    if (penalty && gt_rank(y) > 0)
        penalty = gt_divide(penalty, gt_extent_within(y, gt_axes(0), 0, 1, INT64_MAX, gt_dtype(penalty)));
    if (penalty && gt_context_status(context) == GT_OK)
        gt_add_loss_at(NULL, state->layer, penalty);
    return gt_context_status(context) == GT_OK ? y : NULL;
}

/* While a function is traced: `call` may read the struct of the layer, which then is a fact;
 * unless it writes to the struct, and finds there what it left. */
static gt_Tensor *traced_call(gt_Context *context, gt_LayerState *state, const gt_CallArgs *in)
{
    gt_Layer *layer = state->layer;
    size_t bytes = layer->type->instance;
    void *before = gt_allocate(context, bytes);
    if (!before)
        return NULL;
    memcpy(before, layer, bytes);
    gt_Tensor *y = layer->type->call(layer, in);
    if (memcmp(before, layer, bytes) == 0)
        gt_ask_memory(context, &state->object, layer, bytes);
    else
        gt_decide_memory(context, &state->object);
    gt_release(context, before, bytes);
    return y;
}

/* ---- masks ---- */

bool gt_class_reads_masks(const gt_LayerClass *type)
{
    return type->flags & (GT_LAYER_KEEPS_MASK | GT_LAYER_DROPS_MASK) ||
           (GT_CLASS_HAS(type, mask) && type->mask);
}

/* The masks beside the inputs; where the class reads them, the inputs come without. */
static gt_Status part_masks(gt_Context *context, const gt_LayerClass *type, int32_t count,
                            gt_Tensor **inputs, gt_Tensor **masks)
{
    bool reads = gt_class_reads_masks(type);
    for (int32_t i = 0; i < count; i++) {
        masks[i] = inputs[i] && gt_is_masked(inputs[i]) ? gt_mask(inputs[i]) : NULL;
        if (masks[i] && reads)
            inputs[i] = gt_unmask(inputs[i]);
    }
    return gt_context_status(context);
}

/* The result with the mask that the class declares. */
static gt_Tensor *declared_mask(gt_Context *context, const char *here, gt_Layer *layer,
                                const gt_CallArgs *in, gt_Tensor *y)
{
    const gt_LayerClass *type = layer->type;
    gt_Tensor *mask = NULL;
    if (GT_CLASS_HAS(type, mask) && type->mask)
        mask = type->mask(layer, in);
    else if (type->flags & GT_LAYER_KEEPS_MASK)
        mask = in->mask;
    for (int32_t i = 0; i < in->count && type->flags & GT_LAYER_DROPS_MASK; i++)
        if (in->masks[i])
            gt_warn(context, here, type->name,
                    "its input has a mask, which ends here: this layer counts padding like the rest");
    return mask ? gt_with_mask(y, mask) : y;
}

/* ---- calling ---- */

static int32_t count_outputs(const gt_LayerState *state)
{
    const gt_LayerClass *type = state->layer->type;
    return state->outputs                                       ? state->outputs
           : GT_CLASS_HAS(type, outputs) && type->outputs > 0 ? type->outputs
                                                                : 1;
}

int gt_layer_outputs_at(const char *here, const gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "layer_outputs", layer) : NULL;
    return state ? count_outputs(state) : -1;
}

/* Output 0 goes on; of the others those that somebody wants. */
static gt_Status keep_outputs(gt_Context *context, const char *here, const gt_LayerState *state,
                              const gt_CallArgs *in, gt_Tensor *y)
{
    const char *name = state->layer->type->name;
    for (int32_t i = 0; i < count_outputs(state); i++) {
        gt_Tensor *output = i ? in->outputs[i] : y;
        if (!(in->wanted >> i & 1))
            continue;
        if (!output)
            return i ? gt_raise(context, GT_STATE, here, name, "call gave no output %d", (int)i)
                     : gt_raise(context, GT_STATE, here, name, "call returned no tensor");
        if (!gt_tensor_check(context, here, name, "what call returned", output))
            return gt_context_status(context);
        gt_scope_keep(context, output);
    }
    return GT_OK;
}

/* What summaries say: the spec of an output, with sizes of -1 where it differs from the call before. */
static void note_output(gt_Spec *seen, const gt_Spec *spec)
{
    if (seen->dtype == GT_DTYPE_NONE) {
        *seen = *spec;
        return;
    }
    seen->dtype = spec->dtype;
    if (seen->rank != spec->rank)
        seen->rank = -1;
    for (int d = 0; d < seen->rank; d++)
        if (seen->dims[d] != spec->dims[d])
            seen->dims[d] = -1;
}

static bool note_outputs(gt_Context *context, gt_LayerState *state, const gt_CallArgs *in,
                         const gt_Tensor *y)
{
    int32_t more = count_outputs(state) - 1;
    note_output(&state->output, gt_tensor_spec(y));
    if (in->wanted == 1)
        return true;
    if (!state->more_output) {
        if (!(state->more_output =
                  gt_allocate_zeroed(context, (size_t)more * sizeof *state->more_output)))
            return false;
        state->more_outputs = more;
    }
    for (int32_t i = 0; i < more; i++)
        if (in->wanted >> i & 2)
            note_output(&state->more_output[i], gt_tensor_spec(in->outputs[i + 1]));
    return true;
}

/* Runs the `call` of a layer that is built, in a scope of its own. */
static gt_Tensor *compute(gt_Context *context, const char *here, gt_LayerState *state,
                          const gt_CallArgs *given)
{
    gt_Layer *layer = state->layer;
    gt_Scope *scope = gt_scope_open(context);
    if (!scope)
        return NULL;
    gt_Tensor *inputs[GT_MAX_INPUTS], *masks[GT_MAX_INPUTS], *y = NULL;
    gt_CallArgs in = *given;
    memcpy(inputs, given->inputs, (size_t)given->count * sizeof *inputs);
    in.inputs = inputs;
    in.masks = masks;
    in.compute = compute_type(state);
    if (part_masks(context, layer->type, in.count, inputs, masks) == GT_OK) {
        in.x = inputs[0];
        in.mask = masks[0];
        bool noted = gt_tracing(context) && state->object.context == context;
        y = noted ? traced_call(context, state, &in) : layer->type->call(layer, &in);
    }
    if (y && state->activity.type)
        y = add_activity(context, state, y);
    if (y && gt_context_status(context) == GT_OK && gt_class_reads_masks(layer->type))
        y = declared_mask(context, here, layer, &in, y);
    gt_scope_unwind(context, scope);
    if (gt_context_status(context) == GT_OK)
        keep_outputs(context, here, state, &in, y);
    gt_scope_close(context);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    if (state->object.context == context && !note_outputs(context, state, &in, y))
        return NULL;
    return y;
}

/* The first call builds, and builds what is called inside: a layer counts as built when all of that
 * went well, and after a failure none of those counts. */
static gt_Tensor *run_call(gt_Context *context, const char *here, gt_LayerState *state,
                           const gt_CallArgs *in)
{
    if (state->built)
        return check_specs(context, here, state, in) == GT_OK ? compute(context, here, state, in)
                                                              : NULL;
    uint64_t since = gt_context_structure(context);
    if (check_specs(context, here, state, in) != GT_OK || build_layer(context, state, in) != GT_OK)
        return NULL;
    gt_Tensor *y = NULL;
    if (check_specs(context, here, state, in) == GT_OK)
        y = compute(context, here, state, in);
    if (!y)
        gt_layer_unbuild(state, since);
    return y;
}

static uint64_t caller_trains(const gt_Context *context, const gt_Object *object)
{
    (void)object;
    const gt_CallFrame *frame = gt_context_frame(context);
    return frame && frame->training;
}

/* As the layer around it; where that calls a traced function, its plans depend on it. */
static bool inherit_training(gt_Context *context)
{
    if (gt_trace_called_from(context, gt_context_frame(context)))
        return gt_ask(context, caller_trains, NULL);
    return caller_trains(context, NULL);
}

/* ---- the arguments ---- */

/* The tensors of a call, in the order of the ports. */
typedef struct Given {
    gt_Tensor *inputs[GT_MAX_INPUTS];
    gt_Tensor *outputs[GT_MAX_LAYER_OUTPUTS];
    const gt_Strings **text; /* one an input, GT_MAX_INPUTS of them; NULL: none is text */
    int32_t count;
    uint32_t wanted;
} Given;

static bool is_text(const Given *given, int32_t i)
{
    return given->text && given->text[i];
}

/* False for a class of the user's that says nothing of its inputs. */
static bool names_ports(const gt_LayerClass *type)
{
    return (GT_CLASS_HAS(type, function) && type->function) || (GT_CLASS_HAS(type, ports) && type->ports) ||
           (type->flags & GT_LAYER_CONTAINER);
}

static gt_Status take_list(gt_Context *context, const char *here, const gt_LayerState *state,
                           gt_Tensor *x, gt_Tensors more, Given *given)
{
    if (more.count < 0 || more.count >= GT_MAX_INPUTS || !more.count != !more.items)
        return gt_raise(context, GT_INVALID, here, "call",
                        "more must be a list of at most %d tensors, gt_tensors(...)",
                        GT_MAX_INPUTS - 1);
    const gt_Port *ports = gt_layer_ports(state);
    int32_t most = 0;
    while (ports[most].name)
        most++;
    if (ports[most - 1].flags & GT_PORT_MANY)
        most = GT_MAX_INPUTS;
    if (more.count + 1 > most)
        return gt_raise(context, GT_INVALID, here, state->layer->type->name,
                        "it accepts %d input%s (got %d)%s", (int)most, most == 1 ? "" : "s",
                        (int)more.count + 1,
                        names_ports(state->layer->type) ? "" : "; a class names what it accepts in .ports");
    given->inputs[0] = x;
    for (int i = 0; i < more.count; i++)
        given->inputs[i + 1] = more.items[i];
    given->count = more.count + 1;
    return GT_OK;
}

/* "query, value, key": what there is, where somebody asked for something else. */
static const char *port_names(const gt_Port *ports, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int32_t i = 0; ports[i].name && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", ports[i].name);
    return text;
}

/* The input of that name, which is not given yet; -1 with an error raised. */
static int32_t find_named(gt_Context *context, const char *here, const gt_LayerState *state,
                          const char *name, Given *given)
{
    const gt_Port *ports = gt_layer_ports(state);
    char known[300];
    int32_t i = 0;
    while (ports[i].name && strcmp(ports[i].name, name) != 0)
        i++;
    if (!ports[i].name) {
        gt_raise(context, GT_INVALID, here, state->layer->type->name, "it has no input \"%s\"; it has %s",
                 name, port_names(ports, known, sizeof known));
        return -1;
    }
    for (; given->count <= i; given->count++)
        given->inputs[given->count] = NULL;
    if (!given->inputs[i] && !is_text(given, i))
        return i;
    gt_raise(context, GT_INVALID, here, state->layer->type->name, "the input \"%s\" is given twice",
             name);
    return -1;
}

static gt_Status take_named(gt_Context *context, const char *here, const gt_LayerState *state,
                            const gt_NamedInput *named, Given *given)
{
    for (; named && named->name; named++) {
        int32_t i = find_named(context, here, state, named->name, given);
        if (i < 0)
            return gt_context_status(context);
        given->inputs[i] = named->tensor;
    }
    return GT_OK;
}

/* Text, where there is some: `given->text` is there then. */
static gt_Status take_text(gt_Context *context, const char *here, const gt_LayerState *state,
                           const gt_call_options *options, Given *given)
{
    const gt_NamedText *named = options->named_text.items;
    if (gt_strings_given(&options->text))
        given->text[0] = &options->text;
    for (; named && named->name; named++) {
        int32_t i = find_named(context, here, state, named->name, given);
        if (i < 0)
            return gt_context_status(context);
        given->text[i] = &named->text;
    }
    return GT_OK;
}

static void drop_absent(Given *given)
{
    while (given->count > 1 && !given->inputs[given->count - 1] && !is_text(given, given->count - 1))
        given->count--;
}

/* A column of text, at a port for text. */
static gt_Status check_text(gt_Context *context, const char *here, const gt_LayerState *state,
                            int32_t i, const Given *given)
{
    const gt_Port *port = port_of(state, i);
    const char *operation = state->layer->type->name;
    char name[80];
    gt_Text text;
    const char *what = name_of_input(state, i, name, sizeof name);
    if (given->inputs[i])
        return gt_raise(context, GT_INVALID, here, operation, "%s is given twice, as a tensor and as text", what);
    if (!(port->flags & GT_PORT_TEXT))
        return gt_raise(context, GT_INVALID, here, operation,
                        "%s must be a tensor (got text): gt_StringLookup, gt_TextVectorization and "
                        "gt_Hashing make integers of text",
                        what);
    if (!gt_text_read(context, here, operation, what, given->text[i], &text))
        return gt_context_status(context);
    if (gt_tracing(context) && !text.symbol && !gt_context_lookups(context))
        return gt_raise(context, GT_STATE, here, operation,
                        "text cannot be part of a traced function: call this layer before it, and "
                        "give the function its result");
    gt_Spec spec = gt_text_spec(&text);
    return check_rank(context, here, state, i, &spec, port->rank_min, port->rank_max);
}

/* A tensor, or a symbol for one or for text. */
static gt_Status check_tensor(gt_Context *context, const char *here, const gt_LayerState *state,
                              int32_t i, const gt_Tensor *x)
{
    uint32_t flags = port_of(state, i)->flags;
    bool only_text = (flags & (GT_PORT_TEXT | GT_PORT_INTEGERS)) == GT_PORT_TEXT;
    const char *operation = state->layer->type->name;
    char name[80], text[200];
    const char *what = name_of_input(state, i, name, sizeof name);
    if (!x && only_text)
        return gt_raise(context, GT_INVALID, here, operation,
                        "%s is missing; it must be text, gt_call(layer, NULL, .text = strings)", what);
    const gt_Spec *spec = gt_tensor_check(context, here, operation, what, x);
    if (!spec || (spec->dtype == GT_TEXT ? flags & GT_PORT_TEXT : !only_text))
        return gt_context_status(context);
    return only_text
               ? gt_raise(context, GT_INVALID, here, operation,
                          "%s must be text, gt_call(layer, NULL, .text = strings) (got %s)", what,
                          gt_spec_text(spec, text, sizeof text))
               : gt_raise(context, GT_INVALID, here, operation,
                          "%s must be a tensor (got an input for text): gt_StringLookup, "
                          "gt_TextVectorization and gt_Hashing make integers of text",
                          what);
}

/* Are they there, unless they may be absent? */
static gt_Status check_given(gt_Context *context, const char *here, const gt_LayerState *state,
                             const Given *given)
{
    for (int32_t i = 0; i < given->count && gt_context_status(context) == GT_OK; i++) {
        bool may_lack = port_of(state, i)->flags & GT_PORT_OPTIONAL;
        if (is_text(given, i))
            check_text(context, here, state, i, given);
        else if (given->inputs[i] || !may_lack)
            check_tensor(context, here, state, i, given->inputs[i]);
    }
    const gt_Port *ports = gt_layer_ports(state);
    for (int32_t i = given->count; ports[0].name && gt_context_status(context) == GT_OK; i++) {
        const gt_Port *port = port_of(state, i);
        if (!port || port->flags & GT_PORT_MANY)
            break;
        if (!(port->flags & GT_PORT_OPTIONAL))
            gt_raise(context, GT_INVALID, here, state->layer->type->name,
                     "the input \"%s\" is missing (got %d input%s)%s", port->name,
                     (int)given->count, given->count == 1 ? "" : "s",
                     (port->flags & (GT_PORT_TEXT | GT_PORT_INTEGERS)) != GT_PORT_TEXT
                         ? ""
                         : "; it is text: gt_call has .named_text for it, and datasets have columns of text");
    }
    return gt_context_status(context);
}

static gt_Status take_outputs(gt_Context *context, const char *here, const gt_LayerState *state,
                              gt_Outputs list, Given *given)
{
    int32_t most = count_outputs(state), i = 0;
    given->wanted = 1;
    for (; list.items && list.items[i] != GT_LIST_END; i++) {
        if (list.items[i])
            *list.items[i] = NULL;
        if (i + 1 < most && list.items[i])
            given->wanted |= 2u << i;
    }
    return i < most ? GT_OK
                    : gt_raise(context, GT_INVALID, here, state->layer->type->name,
                               "it has %d output%s (asked for %d)", (int)most,
                               most == 1 ? "" : "s", (int)i + 1);
}

static void give_outputs(gt_Outputs list, const Given *given)
{
    for (int32_t i = 0; list.items && list.items[i] != GT_LIST_END; i++)
        if (list.items[i])
            *list.items[i] = given->outputs[i + 1];
}

/* Its name in what calls it; NULL with an error raised where it was never registered. */
static const char *name_here(gt_Context *context, const char *here, const gt_LayerState *state,
                             const gt_CallFrame *caller)
{
    if (!caller)
        return state->name;
    const gt_LayerState *around = (const gt_LayerState *)caller->layer;
    const char *name = name_in(around, state->layer);
    if (!name)
        gt_raise(context, GT_STATE, here, "call",
                 "layer %s is called inside %s but was never registered there: its weights would "
                 "not be trained or saved; use gt_add_child when %s is made",
                 state->name, around->name, around->name);
    return name;
}

/* The call itself, inside its frame. */
static gt_Tensor *call_in_frame(gt_Context *context, const char *here, gt_LayerState *state,
                                const gt_call_options *options, Given *given)
{
    const gt_LayerClass *type = state->layer->type;
    bool own = state->object.context == context;
    if (!own && !state->built)
        gt_raise(context, GT_STATE, here, type->name,
                 "this layer belongs to another context, and is not built yet");
    if (gt_context_status(context) != GT_OK ||
        check_given(context, here, state, given) != GT_OK ||
        check_ports(context, here, state, given->count, given->inputs) != GT_OK)
        return NULL;
    if (options->mask && !(given->inputs[0] = gt_with_mask(given->inputs[0], options->mask)))
        return NULL;
    const gt_CallArgs in = {.size = sizeof(gt_CallArgs),
                            .count = given->count,
                            .x = given->inputs[0],
                            .inputs = given->inputs,
                            .training = gt_context_frame(context)->training,
                            .outputs = given->outputs,
                            .wanted = given->wanted,
                            .text = given->text};
    return run_call(context, here, state, &in);
}

/* The call on symbols: a node. */
static gt_Tensor *draw_call(gt_Context *context, const char *here, gt_LayerState *state,
                            const gt_call_options *options, Given *given)
{
    const gt_DrawnCall how = {GT_PRESETS(gt_DrawnCall, gt_DrawnCall_OPTIONS).training =
                                  options->training,
                              .wanted = given->wanted};
    if (state->object.context != context)
        gt_raise(context, GT_STATE, here, state->layer->type->name,
                 "this layer belongs to another context");
    else if (given->text)
        gt_raise(context, GT_INVALID, here, state->layer->type->name,
                 "text and symbols cannot be mixed: a model is drawn with gt_Input(.dtype = GT_TEXT)");
    if (gt_context_status(context) != GT_OK || check_given(context, here, state, given) != GT_OK)
        return NULL;
    if (options->mask && !(given->inputs[0] = gt_with_mask(given->inputs[0], options->mask)))
        return NULL;
    gt_draw_layer(context, here, state, &how, given->count, given->inputs, given->outputs);
    if (gt_context_status(context) != GT_OK)
        return NULL;
    give_outputs(options->outputs, given);
    return given->outputs[0];
}

/* The call of what is no symbol, in a frame of its own. */
static gt_Tensor *call_framed(gt_Context *context, const char *here, gt_LayerState *state,
                              const gt_call_options *options, Given *given)
{
    const gt_CallFrame *caller = gt_context_frame(context);
    const char *name = name_here(context, here, state, caller);
    if (!name)
        return NULL;
    gt_CallFrame frame = {caller,
                          &state->object,
                          name,
                          caller ? caller->scope : gt_scope_innermost(context),
                          options->training == GT_INHERIT ? inherit_training(context)
                                                         : options->training != 0,
                          caller ? caller->depth + 1 : 0};
    if (frame.depth > GT_MAX_DEPTH) {
        gt_layer_too_deep(context, here, "call");
        return NULL;
    }
    gt_Site site = gt_site_enter(here, NULL);
    gt_context_set_frame(context, &frame);
    /* Another context may call a built layer, several at a time: it is not written to. */
    bool own = state->object.context == context;
    uint64_t structure = gt_context_structure(context);
    if (own && !caller)
        state->call = gt_context_count_call(context);
    if (own)
        state->object.references++; /* so that `call` cannot free it under us */
    gt_Tensor *y = call_in_frame(context, here, state, options, given);
    if (y && own && !caller && structure != gt_context_structure(context) && !gt_tracing(context) &&
        gt_layer_draw(state) != GT_OK) {
        gt_layer_unbuild(state, structure);
        y = NULL;
    }
    gt_context_set_frame(context, caller);
    gt_site_leave(&site);
    if (own)
        gt_object_release(&state->object);
    return y;
}

/* Where text is looked up ahead of a trace the call may be made already. */
static gt_Tensor *call_with_text(gt_Context *context, const char *here, gt_LayerState *state,
                                 const gt_call_options *options, Given *given)
{
    gt_Lookups *noting = NULL;
    if (gt_lookups_call(context, state, given->count, given->inputs, given->text, given->wanted,
                        given->outputs, &noting))
        return gt_context_status(context) == GT_OK ? given->outputs[0] : NULL;
    gt_Tensor *y = call_framed(context, here, state, options, given);
    if (noting)
        gt_lookups_end(context, noting);
    return y;
}

/* `text` has a place for each of GT_MAX_INPUTS inputs; NULL: none is text. */
static gt_Tensor *call_layer(gt_Context *context, const char *here, gt_LayerState *state,
                             gt_Tensor *x, const gt_call_options *options, const gt_Strings **text)
{
    Given tensors;
    tensors.text = text;
    memset(tensors.outputs, 0, sizeof tensors.outputs);
    if (take_outputs(context, here, state, options->outputs, &tensors) != GT_OK ||
        take_list(context, here, state, x, options->more, &tensors) != GT_OK ||
        take_named(context, here, state, options->named.items, &tensors) != GT_OK ||
        (text && take_text(context, here, state, options, &tensors) != GT_OK))
        return NULL;
    drop_absent(&tensors);
    if (gt_is_drawn(tensors.count, tensors.inputs))
        return draw_call(context, here, state, options, &tensors);
    gt_Tensor *y = text ? call_with_text(context, here, state, options, &tensors)
                        : call_framed(context, here, state, options, &tensors);
    if (y)
        give_outputs(options->outputs, &tensors);
    return y;
}


gt_Tensor *gt_call_at(const char *here, gt_Layer *layer, gt_Tensor *x, const gt_call_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "call", layer) : NULL;
    gt_call_options options;
    GT_TAKE(gt_call_options, &options, given);
    if (!state) {
        for (int32_t i = 0; options.outputs.items && options.outputs.items[i] != GT_LIST_END; i++)
            if (options.outputs.items[i])
                *options.outputs.items[i] = NULL;
        return NULL;
    }
    if (!gt_strings_given(&options.text) && !options.named_text.items)
        return call_layer(context, here, state, x, &options, NULL);
    const size_t bytes = GT_MAX_INPUTS * sizeof(gt_Strings *);
    const gt_Strings **text = gt_allocate_zeroed(context, bytes);
    gt_Tensor *y = text ? call_layer(context, here, state, x, &options, text) : NULL;
    gt_release(context, text, bytes);
    return y;
}

gt_Tensor *gt_call_inputs(const char *here, gt_Layer *layer, const gt_call_options *options,
                          int32_t count, gt_Tensor *const *inputs, const gt_Strings **text)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "call", layer) : NULL;
    gt_call_options all = *options;
    all.more = (gt_Tensors){count > 1 ? inputs + 1 : NULL, count - 1};
    return state ? call_layer(context, here, state, inputs[0], &all, text) : NULL;
}

gt_Tensor *gt_autocast_at(const char *here, const gt_CallArgs *in, gt_Tensor *x)
{
    gt_Context *context = gt_enter();
    if (!context || !x || !gt_tensor_check(context, here, "autocast", "x", x))
        return NULL;
    if (!gt_is_address(in)) {
        gt_raise(context, GT_INVALID, here, "autocast", "the arguments of call are NULL");
        return NULL;
    }
    if (gt_half_type(in->compute) < 0)
        return x;
    gt_DType dtype = gt_tensor_spec(x)->dtype;
    return gt_dtype_is_float(dtype) && dtype != in->compute ? gt_cast_at(here, x, in->compute) : x;
}

gt_Status gt_set_dtype_policy_at(const char *here, gt_DType policy)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    bool known = policy == GT_DTYPE_NONE || (gt_dtype_is_float(gt_variable_dtype(policy)) &&
                                             gt_dtype_is_float(gt_compute_dtype(policy)) &&
                                             policy <= GT_DTYPE_POLICIES);
    if (!known)
        return gt_raise(context, GT_INVALID, here, "set_dtype_policy",
                        "the policy must be a float type, gt_mixed_float16() or "
                        "gt_mixed_bfloat16() (got %d)",
                        (int)policy);
    gt_context_set_policy(context, (uint32_t)policy);
    return GT_OK;
}

gt_DType gt_dtype_policy(void)
{
    gt_Context *context = gt_context();
    return context ? (gt_DType)gt_context_policy(context) : GT_DTYPE_NONE;
}

/* A trace that is thrown away, with symbols for the inputs, whose sizes the caller need not have counted. */
static void call_traced(gt_Context *context, const char *here, gt_Layer *layer, int32_t count,
                        const gt_Spec *inputs)
{
    gt_Tensor *x[GT_MAX_INPUTS] = {NULL};
    gt_Strings text[GT_MAX_INPUTS];
    const gt_Strings *texts[GT_MAX_INPUTS] = {NULL};
    bool any_text = false;
    for (int32_t i = 0; i < count; i++) {
        gt_Spec spec;
        if (inputs[i].dtype == GT_DTYPE_NONE)
            continue;
        gt_spec_set(&spec, inputs[i].dtype, gt_spec_shape(&inputs[i]));
        if (spec.dtype == GT_TEXT) {
            text[i] = gt_text_symbol(context, &spec);
            gt_lookups_know(context, &text[i]);
            texts[i] = &text[i];
            any_text = true;
        } else {
            x[i] = gt_trace_input(context, &spec);
        }
        if (gt_context_status(context) != GT_OK)
            return;
    }
    const gt_call_options options = {GT_PRESETS(gt_call_options, gt_call_OPTIONS).mask = NULL};
    gt_call_inputs(here, layer, &options, count, x, any_text ? texts : NULL);
}

static gt_Status check_built_for(gt_Context *context, const char *here, int32_t count,
                                 const gt_Spec *inputs)
{
    if (count < 1 || count > GT_MAX_INPUTS || !inputs)
        return gt_raise(context, GT_INVALID, here, "build", "there must be 1 to %d inputs (got %d)",
                        GT_MAX_INPUTS, (int)count);
    for (int32_t i = 0; i < count; i++) {
        gt_Spec spec = {0};
        char text[160];
        gt_Shape shape = gt_spec_shape(&inputs[i]);
        bool column = inputs[i].dtype == GT_TEXT && (shape.rank == 1 || shape.rank == 2);
        if (inputs[i].dtype != GT_DTYPE_NONE && (!(column || gt_storable(inputs[i].dtype)) ||
                                                 !gt_spec_set(&spec, inputs[i].dtype, shape)))
            return gt_raise(context, GT_INVALID, here, "build", "the input cannot be %s %s",
                            gt_dtype_name(inputs[i].dtype), gt_shape_text(shape, text, sizeof text));
    }
    return GT_OK;
}

gt_Status gt_build_late(gt_Context *context, const char *here, gt_LayerState *state, int32_t count,
                        const gt_Spec *inputs)
{
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    if (!trace) {
        gt_graph_free(graph);
        return gt_context_status(context);
    }
    gt_trace_try(trace);
    if (gt_scope_open(context)) {
        call_traced(context, here, state->layer, count, inputs);
        gt_scope_close(context);
    }
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    gt_graph_free(graph);
    state->call = gt_context_count_call(context); /* what it added are symbols */
    return gt_context_status(context);
}

gt_Status gt_build_for_at(const char *here, gt_Layer *layer, int32_t count, const gt_Spec *inputs)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "build", layer) : NULL;
    if (!state || check_built_for(context, here, count, inputs) != GT_OK)
        return gt_status();
    uint64_t since = gt_context_structure(context);
    if (gt_build_late(context, here, state, count, inputs) == GT_OK &&
        gt_layer_draw(state) != GT_OK)
        gt_layer_unbuild(state, since);
    return gt_context_status(context);
}

gt_Status gt_build_at(const char *here, gt_Layer *layer, gt_Shape shape, gt_DType dtype)
{
    gt_Spec spec = {.dtype = dtype == GT_DTYPE_NONE ? (gt_DType)-1 : dtype, .rank = shape.rank};
    if (shape.rank > 0)
        memcpy(spec.dims, shape.dims, (size_t)shape.rank * sizeof *shape.dims);
    return gt_build_for_at(here, layer, 1, &spec);
}

/* ---- losses ---- */

gt_Status gt_add_loss_at(const char *here, gt_Layer *layer, gt_Tensor *loss)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "add_loss", layer) : NULL;
    if (!state || !gt_tensor_check(context, here, "add_loss", "the loss", loss))
        return gt_status();
    const gt_CallFrame *innermost = gt_context_frame(context), *outermost = innermost;
    if (!outermost)
        return gt_raise(context, GT_STATE, here, "add_loss",
                        "a loss can only be added while a layer is called");
    if (gt_listening(context))
        return gt_raise(context, GT_UNSUPPORTED, here, "add_loss",
                        "what is recomputed or has a gradient of its own is hidden from the tape; "
                        "return the loss as an output and add it outside");
    if (gt_tracing_body(context))
        return gt_raise(
            context, GT_UNSUPPORTED, here, "add_loss",
            "in a branch or loop of a traced function, or where it is recomputed, a loss "
            "is not known outside; return it as an output and add it there");
    GT_ASSERT(outermost->scope);
    while (outermost->caller)
        outermost = outermost->caller;
    if (gt_size(loss) != 1) {
        if (gt_context_status(context) == GT_OK)
            gt_raise(context, GT_INVALID, here, "add_loss", "the loss must be a scalar");
        return gt_context_status(context);
    }
    const gt_LayerState *root = (const gt_LayerState *)outermost->layer;
    gt_LayerState *adding = (gt_LayerState *)innermost->layer;
    if (root->object.context != context || adding->object.context != context)
        return GT_OK; /* nobody can train it from here */
    if (adding->losses_of != root->call)
        adding->loss_count = 0;
    adding->losses_of = root->call;
    if (!gt_reserve(context, (void **)&adding->losses, adding->loss_count, &adding->loss_capacity,
                    sizeof *adding->losses))
        return gt_context_status(context);
    gt_scope_move(loss, outermost->scope);
    adding->losses[adding->loss_count++] = loss;
    return GT_OK;
}
