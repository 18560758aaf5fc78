/* Calling a model with other values than those of its variables. Each variable gets a value that stands in for its own
 * while the model is called (core/stand_in.c). Leans on layers/call.c.
 *
 *     gt_stateless_call -> take_values -> stand_in, for all variables -> gt_call -> step_out -> hand_out */
#include "models/stateless.h"
#include "core/drawing.h"
#include "layers/internal.h"
#include "ops/array/masking.h"

GT_OPTION_TYPE(gt_stateless_call_options, gt_stateless_call_OPTIONS);

typedef struct Stateless {
    gt_Context *context;
    gt_Layer *model;
    gt_StandIn *frame;   /* of each variable: those that are trained, then the others */
    gt_Variable **variable;
    gt_Value **value; /* what is to stand in, then what stood in last; held */
    int32_t trained, count, standing;
} Stateless;

/* Counts, and where there is room notes, the variables of a layer and all below it that are trained, or the others. Not by
 * gt_trainable_variables, whose list the caller may have given. */
static void gather(Stateless *self, gt_LayerState *state, bool trained, uint64_t visit)
{
    if (state->visit == visit)
        return;
    state->visit = visit;
    for (int32_t i = 0; i < state->weight_count; i++) {
        gt_Variable *variable = state->weights[i].variable;
        if (!gt_variable_visit(variable, visit) ||
            gt_ask_trainable(self->context, variable) != trained)
            continue;
        if (self->variable)
            self->variable[self->count] = variable;
        self->count++;
    }
    for (int32_t i = 0; i < state->child_count; i++)
        gather(self, state->children[i].layer->state, trained, visit);
}

static void gather_all(Stateless *self)
{
    self->count = 0;
    gather(self, self->model->state, true, gt_context_new_visit(self->context));
    self->trained = self->count;
    gather(self, self->model->state, false, gt_context_new_visit(self->context));
}

static bool take_variables(Stateless *self)
{
    gather_all(self);
    size_t count = (size_t)self->count + 1;
    self->frame = gt_allocate_zeroed(self->context, count * sizeof *self->frame);
    self->value = gt_allocate_zeroed(self->context, count * sizeof(gt_Value *));
    self->variable = gt_allocate_zeroed(self->context, count * sizeof(gt_Variable *));
    if (self->variable)
        gather_all(self);
    return gt_context_status(self->context) == GT_OK;
}

static gt_Status check_value(const Stateless *self, gt_Variable *variable, gt_Tensor *tensor)
{
    char wanted[200], got[200];
    if (!gt_tensor_check(self->context, NULL, NULL, "a tensor", tensor))
        return gt_context_status(self->context);
    const gt_Spec *asked = gt_tensor_spec(variable), *given = gt_tensor_spec(tensor);
    if (gt_is_drawn(1, &tensor))
        return gt_fail(GT_INVALID, "a symbol of gt_Input has no numbers to stand for a variable");
    if (!gt_spec_equal(asked, given))
        return gt_fail(GT_INVALID, "what stands for %s must be %s (got %s)",
                       gt_variable_path(self->model, variable),
                       gt_spec_text(asked, wanted, sizeof wanted),
                       gt_spec_text(given, got, sizeof got));
    return GT_OK;
}

/* Holds what is to stand for the variables from number `first` on. */
static gt_Status take_values(Stateless *self, gt_Tensors given, int32_t first, int32_t count,
                             const char *what)
{
    bool own = !given.items && given.count == 0;
    if (!own && (given.count != count || (count > 0 && !given.items)))
        return gt_fail(GT_INVALID, "%s must be %d tensors, as the model has such variables (got %d)",
                       what, (int)count, (int)given.count);
    for (int32_t i = 0; i < count; i++) {
        gt_Tensor *tensor = own ? self->variable[first + i] : given.items[i];
        if (check_value(self, self->variable[first + i], tensor) != GT_OK)
            break;
        if (gt_is_masked(tensor))
            tensor = gt_unmask(tensor);
        self->value[first + i] = gt_value_hold(self->context, NULL, NULL, what, tensor);
        if (!self->value[first + i])
            break;
    }
    return gt_context_status(self->context);
}

static void stand_in(Stateless *self)
{
    for (; self->standing < self->count; self->standing++) {
        int32_t i = self->standing;
        gt_stand_in_begin(self->context, &self->frame[i], self->variable[i], self->value[i]);
        self->value[i] = NULL;
    }
}

static void step_out(Stateless *self)
{
    while (self->standing > 0) {
        int32_t i = --self->standing;
        self->value[i] = gt_stand_in_end(self->context, &self->frame[i]);
    }
}

static gt_Tensor *call_model(Stateless *self, gt_Tensor *x, const gt_stateless_call_options *options)
{
    const gt_call_options how = {
        GT_PRESETS(gt_call_options, gt_call_OPTIONS).training = options->training,
        .more = options->more,
        .named = options->named,
        .mask = options->mask,
        .outputs = options->outputs};
    gt_Tensor *y = gt_call_at(NULL, self->model, x, &how);
    if (y && options->losses)
        *options->losses = gt_total_loss(self->model, NULL);
    return gt_context_status(self->context) == GT_OK ? y : NULL;
}

static gt_Status hand_out(const Stateless *self, gt_Tensor **updated)
{
    for (int32_t i = self->trained; updated && i < self->count; i++)
        if (!(updated[i - self->trained] = gt_value_handle(self->value[i])))
            break;
    return gt_context_status(self->context);
}

static void close_call(Stateless *self)
{
    size_t count = (size_t)self->count + 1;
    for (int32_t i = 0; self->value && i < self->count; i++)
        if (self->value[i])
            gt_value_release(self->value[i], true);
    gt_release(self->context, self->value, count * sizeof(gt_Value *));
    gt_release(self->context, self->frame, count * sizeof *self->frame);
    gt_release(self->context, self->variable, count * sizeof(gt_Variable *));
}

static gt_Tensor *call_with_values(Stateless *self, gt_Tensor *x,
                                   const gt_stateless_call_options *options)
{
    gt_Tensor *y = NULL;
    if (take_values(self, options->trainable_variables, 0, self->trained, "trainable_variables") ==
            GT_OK &&
        take_values(self, options->other_variables, self->trained, self->count - self->trained,
                    "other_variables") == GT_OK) {
        stand_in(self);
        y = call_model(self, x, options);
        step_out(self);
        if (y && hand_out(self, options->updated) != GT_OK)
            y = NULL;
    }
    return y;
}

/* What the options name is NULL on failure. */
static void clear_results(const gt_stateless_call_options *options, int32_t others)
{
    for (int32_t i = 0; options->updated && i < others; i++)
        options->updated[i] = NULL;
    for (int32_t i = 0; options->outputs.items && options->outputs.items[i] != GT_LIST_END; i++)
        if (options->outputs.items[i])
            *options->outputs.items[i] = NULL;
    if (options->losses)
        *options->losses = NULL;
}

static gt_Tensor *run_stateless(gt_Context *context, gt_Layer *model, gt_Tensor *x,
                                const gt_stateless_call_options *options)
{
    Stateless self = {.context = context, .model = model};
    gt_Tensor *y = take_variables(&self) ? call_with_values(&self, x, options) : NULL;
    if (!y)
        clear_results(options, self.count - self.trained);
    close_call(&self);
    return y;
}

gt_Tensor *gt_stateless_call_at(const char *here, gt_Layer *model, gt_Tensor *x,
                                const gt_stateless_call_options *given)
{
    gt_Context *context = gt_enter();
    gt_stateless_call_options options;
    GT_TAKE(gt_stateless_call_options, &options, given);
    clear_results(&options, 0);
    gt_LayerState *state = context ? gt_layer_own(context, here, "stateless_call", model) : NULL;
    if (!state)
        return NULL;
    gt_Tensor *y = NULL;
    gt_Site site = gt_site_enter(here, "stateless_call");
    if (!state->built)
        gt_fail(GT_STATE, "layer %s is not built; call it once or use gt_build", state->name);
    else if (gt_is_drawn(1, &x))
        gt_fail(GT_STATE, "a symbol of gt_Input has no numbers; call the functional model statelessly instead");
    else
        y = run_stateless(context, model, x, &options);
    gt_site_leave(&site);
    return y;
}
