/* A callback is made from its class and options, asked what it remembers, and freed. Telling it: callback_run.c. Leans on
 * core for variables.
 *
 * Its states are variables: a float64 number for each that the class names, then those that `build` adds for a model. */
#include "train/callback.h"
#include "train/callback_run.h"

#include <string.h>

/* ---- its life ---- */

static void drop_states(gt_Callback *self, int32_t from)
{
    for (; self->count > from; self->count--) {
        gt_variable_release(self->states[self->count - 1]);
        gt_free_text(self->object.context, self->names[self->count - 1]);
    }
}

static bool is_string(const gt_Field *field)
{
    return strcmp(field->type, "const char *") == 0;
}

static void drop_options(gt_Callback *self)
{
    const gt_OptionType *type = self->type->options;
    for (const gt_Field *field = type->fields; field->name; field++)
        if (is_string(field))
            gt_free_text(self->object.context,
                         *(char **)(void *)((char *)self->options + field->offset));
    gt_release(self->object.context, self->options, type->size);
}

static void destroy(gt_Object *object)
{
    gt_Callback *self = (gt_Callback *)object;
    if (self->memory && self->type->close)
        self->type->close(self->memory);
    gt_release(object->context, self->memory, self->type->memory);
    drop_states(self, 0);
    gt_release(object->context, self->states, (size_t)self->capacity * sizeof(gt_Variable *));
    gt_release(object->context, self->names, (size_t)self->name_capacity * sizeof(char *));
    if (self->options)
        drop_options(self);
}

const gt_ObjectKind gt_callback_kind = {"callback", destroy, false};

/* The options that were given; strings become the callback's own. */
static gt_Status take_options(gt_Callback *self, const void *given)
{
    gt_Context *context = self->object.context;
    const gt_OptionType *type = self->type->options;
    if (!type)
        return GT_OK;
    char *options = gt_allocate(context, type->size);
    if (!options)
        return gt_context_status(context);
    gt_options_take(type, options, given);
    for (const gt_Field *field = type->fields; field->name; field++) {
        char **text = (char **)(void *)(options + field->offset);
        if (is_string(field))
            *text = *text && gt_context_status(context) == GT_OK ? gt_copy_text(context, *text)
                                                                 : NULL;
    }
    self->options = options;
    if (gt_context_status(context) == GT_OK && self->type->check)
        self->type->check(options);
    return gt_context_status(context);
}

static gt_Variable *add_state(gt_Callback *self, const char *name, const gt_Spec *spec)
{
    gt_Context *context = self->object.context;
    if (!gt_reserve(context, (void **)&self->states, self->count, &self->capacity,
                    sizeof *self->states) ||
        !gt_reserve(context, (void **)&self->names, self->count, &self->name_capacity,
                    sizeof *self->names))
        return NULL;
    char *copy = gt_copy_text(context, name);
    gt_Variable *variable = copy ? gt_variable_zeros(context, spec, "state", false) : NULL;
    if (!variable) {
        gt_free_text(context, copy);
        return NULL;
    }
    self->names[self->count] = copy;
    self->states[self->count++] = variable;
    return variable;
}

static gt_Status make_states(gt_Callback *self)
{
    const gt_Spec number = {.dtype = GT_FLOAT64, .size = 1};
    const gt_CallbackState *state = self->type->states;
    for (; state && state->name && gt_context_status(self->object.context) == GT_OK; state++) {
        gt_Variable *variable = add_state(self, state->name, &number);
        if (variable)
            *(double *)gt_tensor_data(variable) = state->initial;
    }
    self->own = self->count;
    return gt_context_status(self->object.context);
}

gt_Callback *gt_callback_new_at(const char *here, const gt_CallbackClass *type, const void *options)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    if (!type || !type->name || !type->on || type->outer < 0 || type->outer > GT_MAX_OUTER) {
        gt_raise(context, GT_INVALID, here, "callback_new",
                 "a class of callbacks needs a name, `on`, and `outer` of 0 to %d", GT_MAX_OUTER);
        return NULL;
    }
    gt_Callback *self = gt_object_new(context, &gt_callback_kind, sizeof *self);
    if (!self)
        return NULL;
    gt_Site site = gt_site_enter(here, type->function ? type->function : type->name);
    self->type = type;
    if (take_options(self, options) == GT_OK && make_states(self) == GT_OK && type->memory)
        self->memory = gt_allocate_zeroed(context, type->memory);
    gt_site_leave(&site);
    if (gt_context_status(context) == GT_OK)
        return self;
    gt_object_release(&self->object);
    return NULL;
}

void gt_callback_free(gt_Callback *callback)
{
    gt_object_free("callback_free", callback, &gt_callback_kind);
}

void gt_callback_unbuild(gt_Callback *self)
{
    drop_states(self, self->own);
    self->model = 0;
}

gt_Callbacks gt_callbacks_list(gt_Callback *const *items)
{
    int32_t count = 0;
    while (items[count] != GT_LIST_END)
        count++;
    return (gt_Callbacks){items, count};
}

/* ---- asking it ---- */

static const gt_Callback *look(const char *here, const char *operation, const gt_Callback *self)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_object_check(context, here, operation, self, &gt_callback_kind))
        return NULL;
    if (self->object.context == context)
        return self;
    gt_raise(context, GT_STATE, here, operation, "callback %s belongs to another context",
             self->type->name);
    return NULL;
}

static int32_t find_state(const gt_Callback *self, const char *name)
{
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->names[i], name) == 0)
            return i;
    return -1;
}

gt_Variable *gt_callback_add_state_at(const char *here, gt_Callback *self, const char *name,
                                      gt_Spec spec)
{
    static const char operation[] = "callback_add_state";
    if (!look(here, operation, self))
        return NULL;
    gt_Context *context = self->object.context;
    if (!self->building)
        gt_raise(context, GT_STATE, here, operation,
                 "states are added in the build of a callback's class");
    else if (!name || !*name)
        gt_raise(context, GT_INVALID, here, operation, "a state needs a name");
    else if (find_state(self, name) >= 0)
        gt_raise(context, GT_INVALID, here, operation, "callback %s already has a state \"%s\"",
                 self->type->name, name);
    else if (spec.dtype == GT_DTYPE_NONE || !gt_spec_resize(&spec))
        gt_raise(context, GT_INVALID, here, operation, "state \"%s\" needs a dtype and a shape", name);
    else
        return add_state(self, name, &spec);
    return NULL;
}

gt_Variable *gt_callback_state_at(const char *here, const gt_Callback *self, const char *name)
{
    static const char operation[] = "callback_state";
    if (!look(here, operation, self))
        return NULL;
    int32_t found = name ? find_state(self, name) : -1;
    if (found >= 0)
        return self->states[found];
    gt_raise(self->object.context, GT_INVALID, here, operation,
             "callback %s remembers nothing called \"%s\"%s%s", self->type->name,
             name ? name : "(NULL)", self->count ? "; its first state is " : "",
             self->count ? self->names[0] : "");
    return NULL;
}

gt_Tensors gt_callback_variables_at(const char *here, const gt_Callback *self)
{
    if (!look(here, "callback_variables", self))
        return (gt_Tensors){NULL, 0};
    return (gt_Tensors){self->states, self->count};
}

const gt_CallbackClass *gt_callback_class_at(const char *here, const gt_Callback *self)
{
    return look(here, "callback_class", self) ? self->type : NULL;
}

const void *gt_callback_options_at(const char *here, const gt_Callback *self)
{
    return look(here, "callback_options", self) ? self->options : NULL;
}
