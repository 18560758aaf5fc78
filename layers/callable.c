/* Layers as C functions: a closure of libffi that knows its layer. Closure and layer point at each
 * other and neither holds the other: whichever goes first takes itself off. Leans on layer.c. */
#include "layers/callable.h"
#include "layers/internal.h"

#ifdef GT_HAVE_FFI

#include <ffi.h>
#include <string.h>

enum { MOST = 3 }; /* parameters */

typedef struct Callable {
    gt_Object object;
    gt_Layer *layer; /* NULL: it was freed */
    ffi_closure *closure;
    ffi_cif cif;
    ffi_type *parameter[MOST];
    int32_t inputs;
    gt_Callable code; /* whatever its parameters are */
} Callable;

/* The key of a callable's code. */
static uint64_t key_of(gt_Callable code)
{
    uintptr_t address = 0;
    memcpy(&address, &code, sizeof code);
    return address;
}

static void destroy_callable(gt_Object *object)
{
    Callable *self = (Callable *)object;
    gt_map_remove(gt_context_callables(object->context), key_of(self->code), (intptr_t)self);
    if (self->layer)
        self->layer->state->callable[self->inputs - 1] = NULL;
    if (self->closure)
        ffi_closure_free(self->closure);
}

static const gt_ObjectKind callable_kind = {"callable", destroy_callable, true};

static void call_layer(ffi_cif *cif, void *result, void **argument, void *user)
{
    (void)cif;
    const Callable *self = user;
    gt_Tensor *input[MOST], *y = NULL;
    for (int32_t i = 0; i < self->inputs; i++)
        memcpy(&input[i], argument[i], sizeof input[i]);
    const gt_call_options options = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).more = {self->inputs > 1 ? input + 1 : NULL,
                                                             self->inputs - 1}};
    gt_Context *context = gt_enter();
    if (context && !self->layer)
        gt_raise(context, GT_STALE, NULL, "call", "this layer was freed");
    else if (context)
        y = gt_call_at(NULL, self->layer, input[0], &options);
    memcpy(result, &y, sizeof y);
}

/* Code and data may be at two addresses of the same memory, hence the two pointers. */
static bool make_code(Callable *self)
{
    void *code = NULL;
    for (int32_t i = 0; i < self->inputs; i++)
        self->parameter[i] = &ffi_type_pointer;
    self->closure = ffi_closure_alloc(sizeof *self->closure, &code);
    if (!self->closure || !code ||
        ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, (unsigned)self->inputs, &ffi_type_pointer,
                     self->parameter) != FFI_OK ||
        ffi_prep_closure_loc(self->closure, &self->cif, call_layer, self, code) != FFI_OK)
        return false;
    memcpy(&self->code, &code, sizeof code);
    return true;
}

/* Does the layer accept so many inputs, and need no more? */
static gt_Status check_inputs(gt_Context *context, const char *here, const gt_LayerState *state,
                              int32_t inputs)
{
    const gt_Port *ports = gt_layer_ports(state);
    int32_t least = 1, most = 0;
    for (; ports[most].name; most++)
        if (most > 0 && !(ports[most].flags & (GT_PORT_OPTIONAL | GT_PORT_MANY)))
            least = most + 1;
    if (ports[most - 1].flags & GT_PORT_MANY)
        most = GT_MAX_INPUTS;
    if (inputs >= least && inputs <= most)
        return GT_OK;
    if (inputs > most)
        return gt_raise(context, GT_INVALID, here, "callable",
                        "layer %s accepts %d input%s; a function of %d cannot call it", state->name,
                        (int)most, most == 1 ? "" : "s", (int)inputs);
    return gt_raise(context, GT_INVALID, here, "callable",
                    "layer %s needs %d inputs, and the function would have %d: %s", state->name,
                    (int)least, (int)inputs,
                    least == 2   ? "gt_callable2 makes one of two"
                    : least == 3 ? "gt_callable3 makes one of three"
                                 : "write one that uses gt_call");
}

static gt_Callable callable_of(const char *here, gt_Layer *layer, int32_t inputs)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "callable", layer) : NULL;
    if (!state || check_inputs(context, here, state, inputs) != GT_OK)
        return NULL;
    if (state->callable[inputs - 1])
        return ((const Callable *)state->callable[inputs - 1])->code;
    if (state->object.context != context) {
        gt_raise(context, GT_STATE, here, "callable",
                 "layer %s belongs to another context; make its function there", state->name);
        return NULL;
    }
    Callable *self = gt_object_new(context, &callable_kind, sizeof *self);
    if (!self)
        return NULL;
    self->inputs = inputs;
    if (!make_code(self))
        gt_raise(context, GT_UNSUPPORTED, here, "callable",
                 "libffi got no executable memory, perhaps because the system forbids it; "
                 "gt_call does the same");
    else
        gt_map_add(context, gt_context_callables(context), key_of(self->code), (intptr_t)self);
    if (gt_context_status(context) != GT_OK) {
        gt_object_release(&self->object);
        return NULL;
    }
    self->layer = layer;
    state->callable[inputs - 1] = &self->object;
    return self->code;
}

void gt_callable_forget(gt_LayerState *state)
{
    for (int32_t i = 0; i < MOST; i++) {
        if (state->callable[i])
            ((Callable *)state->callable[i])->layer = NULL;
        state->callable[i] = NULL;
    }
}

gt_Status gt_adopt_activation(gt_Layer *layer, gt_TensorFunction activation)
{
    gt_Context *context = layer->state->object.context;
    const Callable *callable = gt_map_object(gt_context_callables(context), key_of(activation));
    if (callable && !callable->layer)
        return gt_fail(GT_STALE, "the layer that is the activation was freed");
    if (callable && callable->inputs > 1)
        return gt_fail(GT_INVALID, "an activation is a function of one tensor (got one of %d)",
                       (int)callable->inputs);
    if (callable)
        gt_add_child_at(NULL, layer, callable->layer);
    return gt_status();
}

#else

static gt_Callable callable_of(const char *here, gt_Layer *layer, int32_t inputs)
{
    gt_Context *context = gt_enter();
    (void)inputs;
    if (context && gt_layer_check(context, here, "callable", layer))
        gt_raise(context, GT_UNSUPPORTED, here, "callable",
                 "this build has no libffi, which makes functions; gt_call does the same");
    return NULL;
}

void gt_callable_forget(gt_LayerState *state)
{
    (void)state;
}

gt_Status gt_adopt_activation(gt_Layer *layer, gt_TensorFunction activation)
{
    (void)layer;
    (void)activation;
    return gt_status();
}

#endif

gt_Callable gt_callable_at(const char *here, gt_Layer *layer)
{
    return callable_of(here, layer, 1);
}

gt_Callable2 gt_callable2_at(const char *here, gt_Layer *layer)
{
    return (gt_Callable2)(void (*)(void))callable_of(here, layer, 2);
}

gt_Callable3 gt_callable3_at(const char *here, gt_Layer *layer)
{
    return (gt_Callable3)(void (*)(void))callable_of(here, layer, 3);
}

gt_Callable(gt_callable)(gt_Layer *layer)
{
    return gt_callable_at(NULL, layer);
}
