/* Random models as a test: functional models of layers from the table, drawn from seeds: chains, merges, skips, shared layers,
 * masks, layers with several outputs, models inside models, any size where a shape says -1. Each is run in several ways that
 * must agree to the last bit, masks included, or fail alike:
 *
 *     eagerly, layer by layer      replayed by the model      in a plan      with three threads
 *     made again from its JSON     from its file              as a copy      in a step with gradients
 *
 *     random_models --programs N --seed S     so many models: the same every time
 *     random_models --seconds N [--seed S]    for a time, with fresh seeds
 *     random_models --program S               the one model of a seed, printed
 *
 * Gradients that arrive from the rounds of a loop may be added up in another order in a plan (docs/gradients.md): in steps of models
 * with recurrences they are compared up to rounding. A layer with states or random numbers that is called twice is called in the
 * order of the model, so such models are not compared with the order in which they were drawn.
 *
 * Plans flush denormals. A model that differs and has numbers near them is run once more in a reproducible context, which does not
 * flush, and must agree there.
 *
 * The exit status is 1 if two ways differ; what failed is printed with its seed, after steps that it does not need were left
 * out at the end. */
#include "gradtape.h"

#include "budget.h"
#include "layer_uses.h"
#include "leaks_plain.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VALUES = 64, STEPS = 14, TRIES = 12, OUTPUTS = 3, INPUTS = 3, RUNS = 3, CLASSES = 300 };

/* ---- a model as it was drawn ---- */

/* A layer or an operation on values. */
typedef struct Step {
    gt_Layer *layer; /* NULL: an operation */
    char text[80];
    int operation, inputs, input[USE_INPUTS]; /* -1: absent */
    int outputs, output;                      /* values `output`, `output` + 1, ... */
} Step;

typedef struct Model {
    uint64_t seed, state;
    int steps, values, inputs, outputs;
    Step step[STEPS];
    gt_Tensor *symbol[VALUES];
    int from[VALUES]; /* the step that made it; -1: an input */
    int output[OUTPUTS];
    gt_Layer *model;
    bool twice, loops; /* a layer has several calls; there are recurrences */
} Model;

static uint64_t current_seed; /* for the handler of crashes */
static bool tiny;             /* a number of this model is close to denormals */
static int refused, drawn_steps, reached[CLASSES];

static double uniform(Model *self)
{
    return next_uniform(&self->state);
}

static int below(Model *self, int n)
{
    int i = (int)(uniform(self) * n);
    return i < n ? i : n - 1;
}

/* ---- drawing ---- */

static void add_value(Model *self, gt_Tensor *symbol, int from)
{
    self->from[self->values] = from;
    self->symbol[self->values++] = symbol;
}

/* Vectors, sequences, images, volumes and indices of small sizes; time may be any. */
static gt_Tensor *new_input(Model *self)
{
    int64_t width = 2 + below(self, 2);
    switch (below(self, 7)) {
    case 6:
        return gt_Input(gt_shape(3 + below(self, 2), 4, 3, width));
    case 0:
        return gt_Input(gt_shape(width));
    case 1:
        return gt_Input(gt_shape(-1, width));
    case 2:
        return gt_Input(gt_shape(4 + below(self, 3), width));
    case 3:
        return gt_Input(gt_shape(4 + below(self, 2), 4 + below(self, 2), width));
    case 4:
        return gt_Input(gt_shape(-1), .dtype = GT_INT32);
    default:
        return gt_Input(gt_shape(4), .dtype = GT_INT32);
    }
}

enum { OPERATIONS = 8 };
static const char *const operation_names[OPERATIONS] = {
    "add", "multiply", "tanh", "concatenate", "reverse", "scaled", "reduce", "cast"};

static gt_Tensor *operate(int operation, gt_Tensor *a, gt_Tensor *b)
{
    switch (operation) {
    case 0:
        return gt_add(a, b);
    case 1:
        return gt_multiply(a, b);
    case 2:
        return gt_tanh(a);
    case 3:
        return gt_concatenate(gt_tensors(a, b), .axis = -1);
    case 4:
        return gt_flip(a, .axis = -1);
    case 5:
        return gt_multiply(a, 0.5);
    case 6:
        return gt_mean(a, .axis = -1, .keepdims = true);
    default:
        return gt_cast(a, GT_FLOAT32);
    }
}

/* A value, the last ones more often. */
static int some_value(Model *self)
{
    int back = below(self, 3) ? below(self, 4) : below(self, self->values);
    return back < self->values ? self->values - 1 - back : self->values - 1;
}

/* One of the shape and type of another one, itself if there is none. */
static int like_value(Model *self, int value)
{
    gt_Shape shape = gt_tensor_shape(self->symbol[value]);
    for (int i = 0; i < 6; i++) {
        int other = below(self, self->values);
        if (gt_shape_equal(gt_tensor_shape(self->symbol[other]), shape) &&
            gt_dtype(self->symbol[other]) == gt_dtype(self->symbol[value]))
            return other;
    }
    return value;
}

static bool is_whole(const Use *use, int input)
{
    return !gt_dtype_is_float(use->sample->input[input].dtype);
}

/* Values for the inputs of a sample, of the right kinds, the ranks too if luck has it. */
static void choose_inputs(Model *self, const Use *use, Step *step)
{
    step->inputs = use->sample->inputs;
    for (int i = 0; i < step->inputs; i++) {
        step->input[i] = use_is_absent(use, i) ? -1 : some_value(self);
        for (int k = 0; step->input[i] >= 0 && k < 12; k++) {
            gt_Tensor *x = self->symbol[step->input[i]];
            if (gt_dtype_is_float(gt_dtype(x)) == !is_whole(use, i) &&
                gt_rank(x) == use->sample->input[i].shape.rank)
                break;
            step->input[i] = some_value(self);
        }
    }
    bool alike = below(self, 4) > 0;
    for (int i = 1; i < step->inputs && alike; i++)
        if (step->input[i] >= 0 &&
            use->sample->input[i].shape.rank == use->sample->input[0].shape.rank)
            step->input[i] = like_value(self, step->input[0]);
}

static gt_Tensor *call_step(const Step *step, gt_Layer *layer, gt_Tensor *const *values,
                            gt_Tensor **outputs, gt_Flag training)
{
    gt_Tensor *x[USE_INPUTS], **to[USE_OUTPUTS + 1];
    for (int i = 0; i < step->inputs; i++)
        x[i] = step->input[i] < 0 ? NULL : values[step->input[i]];
    if (!layer)
        return outputs[0] = operate(step->operation, x[0], x[1]);
    for (int k = 1; k < step->outputs; k++)
        to[k - 1] = &outputs[k];
    to[step->outputs - 1] = GT_LIST_END;
    const gt_Tensors more = {step->inputs > 1 ? x + 1 : NULL, step->inputs - 1};
    const gt_Outputs others = {to};
    outputs[0] = step->outputs > 1
                     ? gt_call(layer, x[0], .more = more, .outputs = others, .training = training)
                     : gt_call(layer, x[0], .more = more, .training = training);
    return outputs[0];
}

/* Draws a step; false if it does not fit, which must have been said. */
static bool draw_step(Model *self, Step *step)
{
    gt_Tensor *outputs[USE_OUTPUTS] = {NULL};
    bool done = call_step(step, step->layer, self->symbol, outputs, GT_INHERIT) != NULL;
    if (done == (gt_status() != GT_OK)) {
        fprintf(stderr, "seed %" PRIu64 ": %s: a result %d, status %d\n", self->seed, step->text,
                done, (int)gt_status());
        exit(1);
    }
    gt_error_clear();
    if (!done || self->values + step->outputs > VALUES)
        return false;
    step->output = self->values;
    for (int k = 0; k < step->outputs; k++)
        add_value(self, outputs[k], self->steps);
    self->step[self->steps++] = *step;
    drawn_steps++;
    return true;
}

static bool draw_operation(Model *self)
{
    Step step = {.operation = below(self, OPERATIONS), .inputs = 2, .outputs = 1};
    snprintf(step.text, sizeof step.text, "%s", operation_names[step.operation]);
    step.input[0] = some_value(self);
    step.input[1] = like_value(self, step.input[0]);
    return draw_step(self, &step);
}

/* A layer once more, on other values. */
static bool draw_shared(Model *self)
{
    Step step = self->step[below(self, self->steps)];
    if (!step.layer)
        return false;
    for (int i = 0; i < step.inputs; i++)
        if (step.input[i] >= 0)
            step.input[i] = like_value(self, step.input[i]);
    strncat(step.text, ", again", sizeof step.text - strlen(step.text) - 1);
    self->twice = true;
    return draw_step(self, &step);
}

/* What was drawn so far as a model of its own, which is called. */
static bool draw_nested(Model *self)
{
    int from = below(self, self->values), to = some_value(self);
    if (self->from[to] < 0 || from == to)
        return false;
    gt_Layer *model = gt_Model(gt_tensors(self->symbol[from]), gt_tensors(self->symbol[to]));
    gt_error_clear();
    if (!model)
        return false;
    Step step = {.layer = model, .inputs = 1, .outputs = 1, .text = "a model inside"};
    step.input[0] = like_value(self, from);
    self->twice = true;
    return draw_step(self, &step);
}

static bool draw_layer(Model *self)
{
    int count, samples = 0;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    int k = below(self, count);
    while (table[k]->samples[samples].inputs)
        samples++;
    int n = below(self, samples);
    const Use use = {table[k], &table[k]->samples[n], n, GT_FLOAT32};
    Step step = {.layer = NULL};
    choose_inputs(self, &use, &step);
    step.outputs = use.sample->outputs ? use.sample->outputs : 1;
    snprintf(step.text, sizeof step.text, "%s, sample %d", table[k]->name, n);
    if (!(step.layer = use_layer(&use)))
        return false;
    if (!draw_step(self, &step)) {
        refused++;
        gt_layer_free(step.layer);
        return false;
    }
    reached[k]++;
    static const char *const loops[] = {"rnn", "lstm", "gru", "bidirectional"};
    for (int i = 0; i < 4; i++)
        self->loops |= strstr(table[k]->name, loops[i]) != NULL;
    return true;
}

static void draw_some(Model *self)
{
    for (int k = 0; k < TRIES; k++) {
        int kind = below(self, 20);
        bool done = kind < 3   ? draw_operation(self)
                    : kind < 5 ? self->steps && draw_shared(self)
                    : kind < 6 ? draw_nested(self)
                               : draw_layer(self);
        if (done)
            return;
    }
}

/* The model of a seed, with so many steps at most; false if there is none. */
static bool draw_model(Model *self, uint64_t seed, int steps)
{
    gt_Tensor *inputs[INPUTS], *outputs[OUTPUTS];
    memset(self, 0, sizeof *self);
    self->seed = current_seed = seed;
    self->state = seed * 0x9E3779B97F4A7C15u + 1;
    self->inputs = 1 + below(self, INPUTS);
    int wanted = 2 + below(self, STEPS - 1);
    for (int i = 0; i < self->inputs; i++)
        add_value(self, new_input(self), -1);
    for (int i = 0; i < wanted && i < steps && self->steps < STEPS; i++)
        draw_some(self);
    if (self->steps == 0)
        return false;
    /* The last value, and others; inputs that nobody needs are left out. */
    self->output[self->outputs++] = self->values - 1;
    while (self->outputs < OUTPUTS && below(self, 2)) {
        int value = some_value(self);
        bool known = self->from[value] < 0;
        for (int i = 0; i < self->outputs; i++)
            known |= self->output[i] == value;
        if (!known)
            self->output[self->outputs++] = value;
        else
            break;
    }
    for (int i = 0; i < self->outputs; i++)
        outputs[i] = self->symbol[self->output[i]];
    const gt_Tensors out = {outputs, self->outputs};
    for (uint32_t left = 0; left < 1u << self->inputs; left++) {
        int count = 0;
        for (int i = 0; i < self->inputs; i++)
            if (!(left >> i & 1))
                inputs[count++] = self->symbol[i];
        const gt_Tensors in = {inputs, count};
        gt_error_clear();
        if (count && (self->model = gt_Model(in, out)))
            break;
    }
    gt_error_clear();
    return self->model != NULL;
}

static void print_model(const Model *self)
{
    char text[160];
    printf("seed %" PRIu64 "\n", self->seed);
    for (int i = 0; i < self->inputs; i++)
        printf("  %d = input %s %s\n", i, gt_dtype_name(gt_dtype(self->symbol[i])),
               gt_shape_text(gt_tensor_shape(self->symbol[i]), text, sizeof text));
    for (int k = 0; k < self->steps; k++) {
        const Step *step = &self->step[k];
        printf("  %d", step->output);
        if (step->outputs > 1)
            printf("..%d", step->output + step->outputs - 1);
        printf(" = %s (", step->text);
        for (int i = 0; i < step->inputs; i++)
            printf(i ? ", %d" : "%d", step->input[i]);
        printf(") %s\n",
               gt_shape_text(gt_tensor_shape(self->symbol[step->output]), text, sizeof text));
    }
    printf("  outputs");
    for (int i = 0; i < self->outputs; i++)
        printf(" %d", self->output[i]);
    printf("\n");
}

/* ---- running ---- */

enum { RESULTS = OUTPUTS + 24, BYTES = 1 << 20 };

/* What a way of running gave: bytes of every output, of its mask, of gradients and of states. */
typedef struct Result {
    gt_Status status;
    char message[400];
    size_t bytes;
    char data[BYTES];
} Result;

static void put(Result *result, gt_Tensor *tensor)
{
    int64_t size = tensor ? gt_size(tensor) : -1;
    size_t bytes = tensor ? (size_t)size * gt_dtype_size(gt_dtype(tensor)) : 0;
    if (result->bytes + sizeof size + bytes > BYTES)
        return;
    memcpy(result->data + result->bytes, &size, sizeof size);
    result->bytes += sizeof size;
    const void *data = tensor ? gt_data(tensor) : NULL;
    if (data)
        memcpy(result->data + result->bytes, data, bytes);
    result->bytes += bytes;
}

static void put_outputs(Result *result, int count, gt_Tensor *const *outputs)
{
    for (int i = 0; i < count && gt_status() == GT_OK; i++) {
        put(result, outputs[i]);
        put(result, outputs[i] && gt_is_masked(outputs[i]) ? gt_mask(outputs[i]) : NULL);
    }
}

/* Everything that changes, with the weights. */
static void put_variables(Result *result, gt_Layer *model)
{
    gt_Tensors list = gt_variables(model);
    for (int i = 0; i < list.count; i++)
        put(result, list.items[i]);
    list = gt_state_variables(model);
    for (int i = 0; i < list.count; i++)
        put(result, list.items[i]);
}

typedef struct Saved {
    gt_Tensor *value[400];
    int count;
} Saved;

static void save_list(Saved *saved, gt_Tensors list)
{
    for (int i = 0; i < list.count && saved->count < 400; i++)
        saved->value[saved->count++] = gt_multiply(list.items[i], 1);
}

static void save(Saved *saved, gt_Layer *model)
{
    saved->count = 0;
    save_list(saved, gt_variables(model));
    save_list(saved, gt_state_variables(model));
}

static void restore(const Saved *saved, gt_Layer *model)
{
    gt_Tensors list = gt_variables(model);
    int at = 0;
    for (int i = 0; i < list.count && at < saved->count; i++)
        gt_assign(list.items[i], saved->value[at++]);
    list = gt_state_variables(model);
    for (int i = 0; i < list.count && at < saved->count; i++)
        gt_assign(list.items[i], saved->value[at++]);
}

/* Numbers for the inputs, of a batch and a time of their own. */
static void fill_inputs(Model *self, int64_t batch, int64_t time, gt_Tensor **values)
{
    for (int i = 0; i < self->inputs; i++) {
        gt_Shape shape = gt_tensor_shape(self->symbol[i]);
        gt_Variable *generator = gt_generator(self->seed + (uint64_t)i);
        for (int d = 0; d < shape.rank; d++)
            if (shape.dims[d] < 0)
                shape.dims[d] = d ? time : batch;
        gt_Tensor *x = gt_uniform(shape, .low = -1, .high = 1, .generator = generator);
        values[i] = gt_dtype(self->symbol[i]) == GT_INT32
                        ? gt_cast(gt_floor(gt_add(gt_multiply(x, 1.5), 1.5)), GT_INT32)
                        : gt_multiply(x, gt_cast(gt_greater(x, -0.6), GT_FLOAT32));
        gt_variable_free(generator);
    }
}

/* Does a step read this input? Operations of one operand have a second one that is not used. */
static bool reads(const Step *step, int input)
{
    bool two = step->operation == 0 || step->operation == 1 || step->operation == 3;
    return step->input[input] >= 0 && (step->layer || input == 0 || two);
}

/* The values that the outputs need. */
static void find_needed(const Model *self, bool needed[VALUES])
{
    memset(needed, 0, VALUES * sizeof *needed);
    for (int i = 0; i < self->outputs; i++)
        needed[self->output[i]] = true;
    for (int k = self->steps - 1; k >= 0; k--) {
        const Step *step = &self->step[k];
        bool used = false;
        for (int i = 0; i < step->outputs; i++)
            used |= needed[step->output + i];
        for (int i = 0; i < step->inputs && used; i++)
            if (reads(step, i))
                needed[step->input[i]] = true;
    }
}

/* The inputs of the model among the values, in order. */
static int model_inputs(const Model *self, gt_Tensor *const *values, gt_Tensor **x)
{
    int count = 0;
    bool needed[VALUES];
    find_needed(self, needed);
    for (int i = 0; i < self->inputs; i++)
        if (needed[i])
            x[count++] = values[i];
    return count;
}

static bool is_tiny(const gt_Tensor *x)
{
    for (int64_t i = 0; gt_dtype(x) == GT_FLOAT32 && i < gt_size(x); i++) {
        double element = fabs(gt_element(x, i));
        if (element > 0 && element < 1e-30)
            return true;
    }
    return false;
}

static void run_eagerly(const Model *self, gt_Tensor *const *inputs, bool training,
                        gt_Tensor **outputs)
{
    gt_Tensor *values[VALUES] = {NULL};
    bool needed[VALUES];
    find_needed(self, needed);
    memcpy(values, inputs, (size_t)self->inputs * sizeof *values);
    for (int k = 0; k < self->steps && gt_status() == GT_OK; k++) {
        bool used = false;
        for (int i = 0; i < self->step[k].outputs; i++)
            used |= needed[self->step[k].output + i];
        if (used)
            call_step(&self->step[k], self->step[k].layer, values, values + self->step[k].output,
                      training);
    }
    for (int i = 0; i < self->outputs; i++)
        outputs[i] = values[self->output[i]];
    for (int i = 0; i < self->values && !tiny; i++)
        tiny = values[i] && gt_status() == GT_OK && is_tiny(values[i]);
}

static void run_model(gt_Layer *model, int outputs, gt_Tensors in, bool training, gt_Tensor **y)
{
    gt_Tensor **to[OUTPUTS];
    for (int k = 1; k < outputs; k++)
        to[k - 1] = &y[k];
    to[outputs - 1] = GT_LIST_END;
    const gt_Tensors more = {in.count > 1 ? in.items + 1 : NULL, in.count - 1};
    const gt_Outputs others = {to};
    y[0] = gt_call(model, in.items[0], .more = more, .training = training, .outputs = others);
}

typedef struct Traced {
    gt_Layer *model;
    int inputs, outputs, gradients;
    bool training;
} Traced;

/* Without a float among the outputs the loss is 0, and a plan of the step leaves the model out, its errors with it. */
static bool has_a_loss(const Model *self)
{
    for (int i = 0; i < self->outputs; i++)
        if (gt_dtype(self->symbol[self->output[i]]) == GT_FLOAT32)
            return true;
    return false;
}

/* The sum of all that is float, unmasked. */
static gt_Tensor *loss_of(int outputs, gt_Tensor *const *y)
{
    gt_Tensor *loss = gt_scalar(0, GT_FLOAT32);
    for (int i = 0; i < outputs && gt_status() == GT_OK; i++)
        if (gt_dtype(y[i]) == GT_FLOAT32)
            loss = gt_add(loss, gt_mean(gt_is_masked(y[i]) ? gt_unmask(y[i]) : y[i]));
    return loss;
}

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    gt_Tensor *x[INPUTS];
    memcpy(x, inputs, (size_t)self->inputs * sizeof *x);
    const gt_Tensors in = {x, self->inputs};
    if (!self->gradients) {
        run_model(self->model, self->outputs, in, self->training, outputs);
        return gt_status();
    }
    gt_Tensor *y[OUTPUTS] = {NULL};
    gt_Tape *tape = gt_tape_begin();
    run_model(self->model, self->outputs, in, self->training, y);
    gt_Tensor *loss = gt_total_loss(self->model, loss_of(self->outputs, y));
    gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(self->model), outputs + 1,
                 .unconnected = GT_UNCONNECTED_ZERO);
    outputs[0] = loss ? gt_keep(loss) : NULL;
    for (int i = 0; i < self->gradients && gt_status() == GT_OK; i++)
        gt_keep(outputs[1 + i]);
    gt_tape_end(tape);
    return gt_status();
}

typedef enum Way { EAGER, REPLAYED, PLANNED, AGAIN, THREADS, STEP, STEP_PLANNED, WAYS } Way;
static const char *const way_names[WAYS] = {
    "eagerly", "replayed by the model", "in a plan", "in a plan, again", "with 3 threads",
    "a step",  "a step in a plan"};

static void run_way(const Model *self, gt_Layer *model, Way way, gt_Tensor *const *inputs,
                    bool training, const Saved *saved, Result *result)
{
    gt_Tensor *x[INPUTS], *y[RESULTS] = {NULL};
    const gt_Tensors in = {x, model_inputs(self, inputs, x)};
    restore(saved, model);
    Traced body = {
        .model = model, .inputs = in.count, .outputs = self->outputs, .training = training};
    result->bytes = 0;
    int count = self->outputs;
    if (way == STEP || way == STEP_PLANNED) {
        body.gradients = gt_trainable_variables(model).count;
        if (body.gradients > RESULTS - 1 || !has_a_loss(self))
            body.gradients = 0;
        count = body.gradients ? 1 + body.gradients : self->outputs;
    }
    if (way == EAGER) {
        run_eagerly(self, inputs, training, y);
    } else if (way == REPLAYED || way == STEP) {
        gt_Scope *scope = gt_scope_begin();
        if (way == STEP)
            traced(&body, x, y);
        else
            run_model(model, self->outputs, in, training, y);
        for (int i = 0; i < count && gt_status() == GT_OK; i++)
            gt_keep(y[i]);
        gt_scope_end(scope);
    } else {
        gt_Function *function = gt_function(traced, &body, .outputs = count);
        if (way == THREADS)
            gt_set_threads(3);
        gt_function_call(function, in, y);
        if (way == AGAIN && gt_status() == GT_OK) {
            restore(saved, model);
            gt_function_call(function, in, y);
        }
        gt_set_threads(1);
        gt_function_free(function);
    }
    put_outputs(result, count, y);
    result->status = gt_status();
    snprintf(result->message, sizeof result->message, "%s", gt_error_message());
    gt_error_clear();
    if (result->status == GT_OK)
        put_variables(result, model);
}

static bool failed; /* this model */

static bool quiet; /* it will be run once more */

static void differ(const Model *self, const char *one, const char *other, const Result *a,
                   const Result *b)
{
    if (!failed && !quiet) {
        gt_error_clear();
        print_model(self);
    }
    failed = true;
    if (quiet)
        return;
    printf("FAILED: %s and %s differ: ", one, other);
    if (a->status != b->status || a->status != GT_OK) {
        printf("\n    %s\n    %s\n", a->status ? a->message : "no error",
               b->status ? b->message : "no error");
        return;
    }
    size_t at = 0;
    while (at < a->bytes && at < b->bytes && a->data[at] == b->data[at])
        at++;
    printf("%zu and %zu bytes, at %zu\n", a->bytes, b->bytes, at);
}

/* Up to rounding. */
static bool close_by(const Result *a, const Result *b)
{
    for (size_t at = 0; at + sizeof(float) <= a->bytes; at += sizeof(float)) {
        float x, y;
        memcpy(&x, a->data + at, sizeof x);
        memcpy(&y, b->data + at, sizeof y);
        if (memcmp(&x, &y, sizeof x) != 0 && !(fabsf(x - y) <= 1e-4f * (1 + fabsf(x))))
            return false;
    }
    return a->bytes == b->bytes;
}

static void compare(const Model *self, const char *one, const char *other, const Result *a,
                    const Result *b)
{
    if (a->status != b->status ||
        (a->status == GT_OK && (a->bytes != b->bytes || memcmp(a->data, b->data, a->bytes) != 0)))
        differ(self, one, other, a, b);
}

/* ---- the ways ---- */

static Result results[2];

static void all_ways(Model *self, gt_Layer *model, const char *what, gt_Tensor *const *inputs,
                     bool training, const Saved *saved, const Result *right)
{
    char text[100];
    for (Way way = REPLAYED; way < WAYS; way++) {
        static Result step;
        if (way == STEP) {
            run_way(self, model, way, inputs, training, saved, &step);
            continue;
        }
        run_way(self, model, way, inputs, training, saved, &results[1]);
        snprintf(text, sizeof text, "%s, %s, training %d", what, way_names[way], training);
        if (way == STEP_PLANNED && self->loops && step.status == GT_OK &&
            results[1].status == GT_OK && close_by(&results[1], &step))
            continue;
        compare(self, text, way == STEP_PLANNED ? "a step" : "eagerly", &results[1],
                way == STEP_PLANNED ? &step : right);
    }
}

static void check_other(Model *self, gt_Layer *other, const char *what, gt_Tensor *const *inputs,
                        const Saved *saved, const Result *right)
{
    if (!other) {
        if (gt_status() != GT_UNSUPPORTED &&
            gt_status() != GT_STATE) { /* a function of one's own, say */
            Result none = {.status = gt_status()};
            snprintf(none.message, sizeof none.message, "%s", gt_error_message());
            differ(self, what, "the model", &none, right);
        }
        gt_error_clear();
        return;
    }
    run_way(self, other, REPLAYED, inputs, false, saved, &results[1]);
    compare(self, what, "the model", &results[1], right);
    run_way(self, other, PLANNED, inputs, false, saved, &results[1]);
    compare(self, what, "in a plan the model", &results[1], right);
}

/* The same model from a text, from a file, by copying; the same text again. */
static void others(Model *self, gt_Tensor *const *inputs, const Saved *saved, const Result *right)
{
    char path[80];
    snprintf(path, sizeof path, "/tmp/gradtape-random-models-%d", (int)getpid());
    const char *text = gt_layer_to_json(self->model);
    gt_Layer *again = gt_layer_from_json(text);
    if (again && strcmp(gt_layer_to_json(again), text) != 0) {
        print_model(self);
        printf("FAILED: JSON of the model that was made from JSON differs:\n%s\n%s\n", text,
               gt_layer_to_json(again));
        failed = true;
    }
    check_other(self, again, "made from JSON", inputs, saved, right);
    gt_layer_free(again);
    restore(saved, self->model);
    gt_Layer *loaded = gt_save_model(self->model, path) == GT_OK ? gt_load_model(path) : NULL;
    check_other(self, loaded, "from a file", inputs, saved, right);
    gt_layer_free(loaded);
    unlink(path);
    gt_Layer *copy = gt_layer_copy(self->model);
    check_other(self, copy, "a copy", inputs, saved, right);
    gt_layer_free(copy);
}

static void check_model(Model *self)
{
    static Saved saved;
    for (int run = 0; run < RUNS && !failed; run++) {
        gt_Tensor *inputs[INPUTS];
        gt_Scope *scope = gt_scope_begin();
        bool training = run == 2;
        fill_inputs(self, run == 1 ? 3 : 2, run == 1 ? 7 : 5, inputs);
        if (gt_status() == GT_OK)
            save(&saved, self->model);
        bool ordered = self->twice && (training || gt_state_variables(self->model).count);
        run_way(self, self->model, ordered ? REPLAYED : EAGER, inputs, training, &saved,
                &results[0]);
        all_ways(self, self->model, "the model", inputs, training, &saved, &results[0]);
        if (!training && results[0].status == GT_OK)
            others(self, inputs, &saved, &results[0]);
        gt_scope_end(scope);
    }
}

/* ---- one after the other ---- */

static Model model;
static int made, none, ran;

/* 0: it agrees; 1: it does not; -1: no model came of it. */
static int run_in(uint64_t seed, int steps, bool print, bool reproducible)
{
    Budget budget = {.left = LONG_MAX, .most = (size_t)1 << 28};
    const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
    gt_Context *before = gt_context();
    gt_Context *context = gt_context_create(.allocator = &allocator, .reproducible = reproducible);
    gt_context_use(context);
    gt_Scope *scope = gt_scope_begin();
    failed = tiny = false;
    bool drawn = draw_model(&model, seed, steps);
    if (print) {
        print_model(&model);
        fflush(stdout);
    }
    if (drawn)
        check_model(&model);
    ran += drawn && results[0].status == GT_OK;
    gt_layer_free(model.model);
    gt_scope_end(scope);
    gt_context_use(before);
    gt_context_free(context);
    if (budget.held) {
        printf("FAILED: seed %" PRIu64 ": %ld blocks are lost\n", seed, budget.held);
        failed = true;
    }
    return failed ? 1 : drawn ? 0 : -1;
}

static int run_seed(uint64_t seed, int steps, bool print)
{
    quiet = true;
    int result = run_in(seed, steps, print, false);
    quiet = false;
    return result == 1 ? run_in(seed, steps, false, tiny) : result;
}

static void shrink(uint64_t seed)
{
    int steps = 1;
    printf("--- with fewer steps:\n");
    while (steps < STEPS && run_seed(seed, steps, false) != 1)
        steps++;
    fflush(stdout);
}

#ifndef __SANITIZE_ADDRESS__ /* it says more itself */
static void crashed(int number)
{
    char text[80];
    int length = snprintf(text, sizeof text, "CRASH: seed %" PRIu64 "\n", current_seed);
    if (write(2, text, (size_t)length) < 0)
        _exit(3);
    signal(number, SIG_DFL);
    raise(number);
}
#endif

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int count, char **arguments)
{
    uint64_t programs = 0, seed = 0, one = 0;
    double seconds = 0;
    bool single = false;
    for (int i = 1; i + 1 < count; i += 2) {
        const char *value = arguments[i + 1];
        if (strcmp(arguments[i], "--programs") == 0)
            programs = strtoull(value, NULL, 0);
        else if (strcmp(arguments[i], "--seconds") == 0)
            seconds = atof(value);
        else if (strcmp(arguments[i], "--seed") == 0)
            seed = strtoull(value, NULL, 0);
        else if (strcmp(arguments[i], "--program") == 0)
            one = strtoull(value, NULL, 0), single = true;
    }
    if (!single && !programs && seconds <= 0) {
        fprintf(stderr,
                "usage: random_models [--programs N | --seconds N | --program SEED] [--seed S]\n");
        return 2;
    }
#ifndef __SANITIZE_ADDRESS__
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    signal(SIGFPE, crashed);
#endif
    if (single)
        return run_seed(one, STEPS, true) == 1;
    if (!seed)
        seed = (uint64_t)time(NULL);
    double end = now() + seconds;
    int faults = 0;
    for (uint64_t i = 0; (programs ? i < programs : now() < end) && faults < 5; i++) {
        uint64_t state = seed * 0x2545F4914F6CDD1Du + i;
        uint64_t each = (uint64_t)(next_uniform(&state) * 1e12);
        int result = run_seed(each, STEPS, false);
        if (result == 1) {
            shrink(each);
            faults++;
        }
        none += result < 0;
        made += result >= 0;
    }
    int classes = 0, table;
    gt_layer_classes(&table);
    for (int k = 0; k < table; k++)
        classes += reached[k] > 0;
    printf("%d models, %d of them ran, of %d steps (%d did not fit); %d of %d classes; %d differ\n",
           made, ran, drawn_steps, refused, classes, table, faults);
    for (int k = 0; k < table && classes < table && !seconds; k++)
        if (!reached[k])
            printf("never called: %s\n", gt_layer_classes(NULL)[k]->name);
    if (leaks_found())
        faults++;
    return faults > 0;
}
