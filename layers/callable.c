/* Layers as C functions: a closure of libffi that knows its layer. Closure and layer point at each
 * other and neither holds the other: whichever goes first takes itself off. Leans on layer.c. */
#include "layers/callable.h"
#include "layers/internal.h"

#ifdef GT_HAVE_FFI

#include <ffi.h>
#include <string.h>

typedef struct Callable {
    gt_Object object;
    gt_Layer *layer; /* NULL: it was freed */
    ffi_closure *closure;
    ffi_cif cif;
    ffi_type *parameter[1];
    gt_Callable code;
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
        self->layer->state->callable = NULL;
    if (self->closure)
        ffi_closure_free(self->closure);
}

static const gt_ObjectKind callable_kind = {"callable", destroy_callable, true};

static void call_layer(ffi_cif *cif, void *result, void **argument, void *user)
{
    (void)cif;
    const Callable *self = user;
    gt_Tensor *x, *y = NULL;
    memcpy(&x, argument[0], sizeof x);
    gt_Context *context = gt_enter();
    if (context && !self->layer)
        gt_raise(context, GT_STALE, NULL, "call", "this layer was freed");
    else if (context)
        y = gt_call_at(NULL, self->layer, x, NULL);
    memcpy(result, &y, sizeof y);
}

/* Code and data may be at two addresses of the same memory, hence the two pointers. */
static bool make_code(Callable *self)
{
    void *code = NULL;
    self->parameter[0] = &ffi_type_pointer;
    self->closure = ffi_closure_alloc(sizeof *self->closure, &code);
    if (!self->closure || !code ||
        ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, 1, &ffi_type_pointer, self->parameter) !=
            FFI_OK ||
        ffi_prep_closure_loc(self->closure, &self->cif, call_layer, self, code) != FFI_OK)
        return false;
    memcpy(&self->code, &code, sizeof code);
    return true;
}

gt_Callable gt_callable_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "callable", layer) : NULL;
    if (!state)
        return NULL;
    if (state->callable)
        return ((const Callable *)state->callable)->code;
    if (state->object.context != context) {
        gt_raise(context, GT_STATE, here, "callable",
                 "layer %s belongs to another context; make its function there", state->name);
        return NULL;
    }
    Callable *self = gt_object_new(context, &callable_kind, sizeof *self);
    if (!self)
        return NULL;
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
    state->callable = &self->object;
    return self->code;
}

void gt_callable_forget(gt_LayerState *state)
{
    if (state->callable)
        ((Callable *)state->callable)->layer = NULL;
    state->callable = NULL;
}

gt_Status gt_adopt_activation(gt_Layer *layer, gt_TensorFunction activation)
{
    gt_Context *context = layer->state->object.context;
    const Callable *callable = gt_map_object(gt_context_callables(context), key_of(activation));
    if (callable && !callable->layer)
        return gt_fail(GT_STALE, "the layer that is the activation was freed");
    if (callable)
        gt_add_child_at(NULL, layer, callable->layer);
    return gt_status();
}

#else

gt_Callable gt_callable_at(const char *here, gt_Layer *layer)
{
    gt_Context *context = gt_enter();
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

gt_Callable(gt_callable)(gt_Layer *layer)
{
    return gt_callable_at(NULL, layer);
}
