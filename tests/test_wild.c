/* Wild handles: every public function that accepts a handle gets NULL, small numbers, texts, arrays,
 * functions, handles of other kinds, freed ones and those of another context. Each is an error that
 * says so; none is a crash, and none changes anything. The rows come from the headers
 * (tools/handle-rows), those for handles among options stand below. Values of options that begin with
 * a mark get bare numbers. */
#include <criterion/criterion.h>

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"
#include "leaks.h"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

typedef enum Kind {
    NOTHING,
    TENSOR,
    VARIABLE,
    LAYER,
    OPTIMIZER,
    DATASET,
    FUNCTION,
    METRIC,
    HISTORY,
    SOLUTION,
    TAPE,
    SCOPE,
    CONTEXT,
    TENSORFILE,
    CALLBACK
} Kind;

static const char *const kind_names[] = {
    "",       "tensor",  "variable", "layer", "optimizer", "dataset",    "function",
    "metric", "history", "solution", "tape",     "scope", "context",   "tensor file", "callback"};

/* ---- good handles, of this context and another one, and freed ones ---- */

typedef struct World {
    gt_Context *context;
    gt_Scope *scope;
    gt_Tape *tape;
    gt_Tensor *x;
    gt_Variable *v;
    gt_Layer *layer, *model;
    gt_Optimizer *adam;
    gt_Dataset *data;
    gt_Function *function;
    gt_Metric *metric;
    gt_Callback *callback;
    gt_History *history;
    gt_Solution *solution;
    gt_TensorFile *file;
} World;

static gt_Status body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    (void)context;
    outputs[0] = gt_add(inputs[0], 1);
    return gt_status();
}

/* Of datasets made of datasets. */
static gt_Status same_batch(void *user, gt_Batch *batch)
{
    (void)user, (void)batch;
    return gt_status();
}

static gt_Tensor *all_rows(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_equal(batch->x, batch->x);
}

static const char file_name[] = "test_wild.safetensors";

/* In the current context; a model around the layer holds it. */
/* The variable belongs to the solution alone. */
static gt_Status bowl(void *context, gt_Tensor *const *in, gt_Tensor **outputs)
{
    (void)in;
    outputs[0] = gt_square((gt_Variable *)context);
    return gt_status();
}
static gt_Solution *solved(void)
{
    gt_Variable *variable = gt_variable(gt_scalar(1, GT_FLOAT64), .name = "s");
    gt_Solution *solution = gt_lbfgs(bowl, variable, gt_tensors(variable));
    gt_variable_free(variable);
    return solution;
}

static World make_world(void)
{
    World world = {.context = gt_context()};
    world.scope = gt_scope_begin();
    gt_Tensor *numbers = gt_array(gt_shape(2, 2), 0.25, 0.5, 0.75, 1);
    world.v = gt_variable(numbers, .name = "v");
    world.layer = gt_Dense(2);
    world.model = gt_Sequential(world.layer);
    world.adam = gt_Adam(1e-3);
    world.data = gt_dataset_from_tensors(numbers, numbers, .batch_size = 1);
    world.function = gt_function(body, NULL, .outputs = 1);
    world.metric = gt_Mean();
    world.callback = gt_EarlyStopping();
    gt_compile(world.model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    world.history = gt_fit(world.model, world.data, .verbose = GT_VERBOSITY_SILENT);
    world.solution = solved();
    gt_save_tensors(file_name, gt_named_tensors({"a", numbers}));
    world.file = gt_open_tensors(file_name);
    world.tape = gt_tape_begin(.persistent = true);
    world.x = gt_multiply(world.v, 1);
    ok();
    return world;
}

enum { HANDLES = 64 };

typedef struct Handle {
    const char *text;
    Kind kind;
    void *pointer;
    bool foreign, freed;
} Handle;

typedef struct Handles {
    Handle handle[HANDLES];
    int count;
} Handles;

static void add(Handles *handles, const char *text, Kind kind, const void *pointer)
{
    cr_assert_lt(handles->count, HANDLES);
    handles->handle[handles->count++] =
        (Handle){.text = text, .kind = kind, .pointer = (void *)(uintptr_t)pointer};
}

static void add_world(Handles *handles, const char *text, const World *world)
{
    const struct {
        Kind kind;
        const void *pointer;
    } all[] = {{TENSOR, world->x},        {VARIABLE, world->v},      {LAYER, world->layer},
               {OPTIMIZER, world->adam},  {DATASET, world->data},    {FUNCTION, world->function},
               {METRIC, world->metric},   {HISTORY, world->history}, {SOLUTION, world->solution}, {TAPE, world->tape},
               {TENSORFILE, world->file}, {SCOPE, world->scope},     {CONTEXT, world->context},
               {CALLBACK, world->callback}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        add(handles, text, all[i].kind, all[i].pointer);
}

/* Frees everything of a world that can be freed by itself. */
static void free_world(const World *world)
{
    gt_tape_end(world->tape);
    gt_scope_end(world->scope);
    gt_variable_free(world->v);
    gt_optimizer_free(world->adam);
    gt_dataset_free(world->data);
    gt_function_free(world->function);
    gt_metric_free(world->metric);
    gt_callback_free(world->callback);
    gt_history_free(world->history);
    gt_solution_free(world->solution);
    gt_tensor_file_free(world->file);
    ok();
}

/* ---- the rows ---- */

/* What stands for a parameter besides the locals of a row. */
#define LIST      gt_tensors(x)
#define LIST_W    gt_tensors(W)
#define VARIABLES gt_tensors(v)
#define LISTED    ((gt_Tensor *[]){x})
#define LISTED_W  ((gt_Tensor *[]){W})
#define NAMED     gt_named_tensors({"a", x})
#define NAMED_W   gt_named_tensors({"a", W})
#define OPERAND   gt_operand_number(1)
#define OPERAND_W gt_operand_tensor(W)
#define PAIR      ((gt_Complex){x, x})
#define PAIR_W    ((gt_Complex){W, x})
#define TEXT      gt_strings("a")
#define TEXT_W    ((gt_Strings){W, gt_zeros(gt_shape(1), .dtype = GT_INT64), 0})
#define LOOKUP    gt_StringLookup(.vocabulary = gt_strings("a"))
#define INTEGER_LOOKUP gt_IntegerLookup(.vocabulary = WHOLES)
#define TABLE     gt_rows_of_dataset(data)
#define TABLE_W   gt_rows_of_dataset(W)
#define A_DATASET gt_dataset_from_tensors(x, x)
#define LAYERS_W  ((gt_Layer *[]){W})
#define NAMES     gt_names("a", "b")
#define SHAPE     gt_shape(2, 2)
#define AXES      gt_axes(0)
#define INTEGERS  gt_integers_number(1)
#define BODIES    ((const gt_FunctionBody[]){body})
#define POSITION  ((gt_DatasetPosition){0, 0})
#define SPEC ((gt_Spec){.dtype = GT_FLOAT32})
#define OPERATION gt_operation_find("square")
#define FILE_NAME "test_wild.part"
#define FOUR      gt_full(gt_shape(1, 2, 1, 2), 1)
#define SCHEDULE  gt_CosineDecay(0.1, .decay_steps = 10)
#define FLAG      gt_full(gt_shape(), 1)
#define NUMBER    gt_full(gt_shape(), 1)
#define WHOLE     gt_full(gt_shape(), 0, .dtype = GT_INT32)
#define WHOLES    gt_full(gt_shape(1), 1, .dtype = GT_INT32)
#define TARGET    gt_full(gt_shape(1, 1), 1, .dtype = GT_INT32)
#define SCORES    gt_full(gt_shape(1, 2, 3), 1)
#define ROWS      gt_dataset_from_tensors(x, x)
#define SEQUENCE  gt_full(gt_shape(1, 2, 1), 1)
#define FOURFOLD  gt_full(gt_shape(1, 4), 1)
#define THREEFOLD gt_full(gt_shape(1, 3), 1)
#define DOUBLES   gt_tensors(gt_variable(gt_zeros(gt_shape(2), .dtype = GT_FLOAT64)))

static World good;
static gt_Tensor *out[8];
static gt_Dataset *part[2];
static gt_Batch batch;
static char text[64];
static double memory[16];

static gt_Tensor *joined(void *user, const gt_CallArgs *in)
{
    (void)user;
    return in->count > 1 ? gt_add(in->x, in->inputs[1]) : in->x;
}

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define ROW(kind, ...)                                                                             \
    static void PASTE(ROW_NAME, __LINE__)(void *W)                                                 \
    {                                                                                              \
        gt_Tensor *x = good.x;                                                                     \
        gt_Variable *v = good.v;                                                                   \
        gt_Layer *layer = good.layer, *model = good.model;                                         \
        gt_Optimizer *adam = good.adam;                                                            \
        gt_Dataset *data = good.data;                                                              \
        gt_Function *function = good.function;                                                     \
        gt_Metric *metric = good.metric;                                                           \
        gt_Callback *callback = good.callback;                                                     \
        gt_Tape *tape = good.tape;                                                                 \
        gt_Solution *solution = good.solution;                                                     \
        (void)solution;                                                                            \
        (void)x, (void)v, (void)layer, (void)adam, (void)data, (void)function, (void)metric;       \
        (void)tape, (void)model, (void)callback, (void)W;                                                          \
        (void)(__VA_ARGS__);                                                                       \
    }
#define ROW_NAME from_header_
#include "wild_rows.h"
#undef ROW_NAME
#define ROW_NAME by_hand_
#include "wild_options.h"
#undef ROW_NAME
#undef ROW

typedef struct Row {
    Kind kind;
    const char *call;
    void (*run)(void *wild);
    bool optional; /* NULL means that it is not given */
} Row;

#define ROW(kind, ...) {kind, #__VA_ARGS__, PASTE(ROW_NAME, __LINE__), OPTIONAL},
static const Row rows[] = {
#define OPTIONAL false
#define ROW_NAME from_header_
#include "wild_rows.h"
#undef OPTIONAL
#define OPTIONAL true
#undef ROW_NAME
#define ROW_NAME by_hand_
#include "wild_options.h"
#undef ROW_NAME
};
#undef ROW

/* ---- what is no error ---- */

/* Does the row call one of these? The list ends with NULL. */
static bool calls(const Row *row, const char *const *names)
{
    for (; *names; names++) {
        const char *call = row->call + (*row->call == '(');
        size_t length = strlen(*names);
        if (strncmp(call, *names, length) == 0 && (call[length] == '(' || call[length] == ')'))
            return true;
    }
    return false;
}

static const char *const frees[] = {"gt_variable_free", "gt_layer_free",       "gt_optimizer_free",
                                    "gt_dataset_free",  "gt_function_free",    "gt_metric_free", "gt_callback_free",
                                    "gt_history_free",  "gt_solution_free", "gt_tensor_file_free", NULL};
static const char *const may_be_null[] = {"gt_autocast_at",
                                          "gt_scope_end_at",
                                          "gt_tape_end_at",
                                          "gt_dataset_from_tensors_at",
                                          "gt_lstm_at",
                                          "gt_gru_at",
                                          "gt_lstm",
                                          "gt_gru",
                                          "gt_lstm_cell_at",
                                          "gt_gru_cell_at",
                                          "gt_simple_rnn_at",
                                          "gt_simple_rnn",
                                          "gt_simple_rnn_cell_at",
                                          "gt_metric_update_at",
                                          "gt_apply_gradients_at",
                                          "gt_total_loss_at",
                                          NULL};
static const char *const of_contexts[] = {"gt_context_free", "gt_context_use", NULL};

/* ---- the walk ---- */

static sigjmp_buf crash;

static void crashed(int signal)
{
    siglongjmp(crash, signal);
}

static bool names_what_came(const char *message)
{
    static const char *const ways[] = {"(got ",   "is NULL",         "was freed",
                                       "ended",   "another context", "not the innermost",
                                       "this is", "only a variable"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strstr(message, ways[i]))
            return true;
    return false;
}

/* Has the handle the kind that the row wants, so that only freed and foreign ones are wrong? */
static bool is_of_kind(const Row *row, const Handle *handle)
{
    if (row->kind == VARIABLE && handle->kind == TENSOR && handle->freed)
        return true; /* nobody knows what it was */
    return handle->kind == row->kind || (row->kind == TENSOR && handle->kind == VARIABLE);
}

/* May the call succeed? */
static bool may_work(const Row *row, const Handle *handle)
{
    if (calls(row, (const char *const[]){"gt_is_variable", "gt_is_masked", NULL}))
        return true;
    if (!handle->pointer)
        return row->optional || calls(row, frees) || calls(row, may_be_null);
    if (calls(row, frees))
        return handle->freed && is_of_kind(row, handle);
    /* Variables, layers, files and histories of other contexts are read. */
    return handle->foreign && is_of_kind(row, handle);
}

static void try(const Row *row, const Handle *handle)
{
    if (is_of_kind(row, handle) && !handle->foreign && !handle->freed)
        return;
    if (handle->foreign && is_of_kind(row, handle) &&
        (calls(row, frees) || calls(row, of_contexts)))
        return; /* it would be freed, rightly */
    if (!handle->pointer && calls(row, of_contexts))
        return; /* the current one is meant */
    float before[4];
    const void *numbers = gt_data(good.v);
    memcpy(before, numbers, sizeof before);
    int signal = sigsetjmp(crash, 1);
    if (signal == 0)
        row->run(handle->pointer);
    const char *message = gt_error_message();
    cr_expect(signal == 0, "%s with %s: signal %d", row->call, handle->text, signal);
    if (signal == 0 && gt_status() == GT_OK)
        cr_expect(may_work(row, handle), "%s with %s%s: no error", row->call, handle->text,
                  kind_names[handle->kind]);
    else if (signal == 0 && !may_work(row, handle))
        cr_expect(names_what_came(message), "%s with %s%s: %s", row->call, handle->text,
                  kind_names[handle->kind], message);
    cr_expect(may_work(row, handle) || memcmp(before, numbers, sizeof before) == 0,
              "%s with %s%s: a variable has changed", row->call, handle->text,
              kind_names[handle->kind]);
    gt_error_clear();
}

static float zeros[64];

Test(wild, every_handle_of_every_function)
{
    static Handles handles;
    static int odd[32];
    int on_stack[64] = {0};
    void *on_heap = calloc(1, 200);
    gt_Context *here = gt_context(), *there = gt_context_create();
    gt_context_use(there);
    World foreign = make_world();
    gt_context_use(here);
    World freed = make_world();
    gt_Layer *freed_layer = gt_Dense(1);
    gt_layer_free(freed_layer);
    freed.layer = freed_layer;
    free_world(&freed);
    good = make_world();

    add(&handles, "NULL", NOTHING, NULL);
    static const int64_t numbers[] = {1, 2, 63, 64, 4096, 65535, -1, -100, -65536};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add(&handles, "a number", NOTHING, (void *)(intptr_t)numbers[i]);
    add(&handles, "an odd address", NOTHING, (char *)odd + 65);
    add(&handles, "a text", NOTHING, "adam");
    add(&handles, "a function", NOTHING, (void *)(uintptr_t)gt_version);
    add(&handles, "zeros", NOTHING, zeros);
    add(&handles, "the stack", NOTHING, on_stack);
    add(&handles, "the heap", NOTHING, on_heap);
    add(&handles, "a pointer into a layer", NOTHING, (char *)good.layer + 8);
    add(&handles, "a pointer into a dataset", NOTHING, (char *)good.data + 8);
    add_world(&handles, "a good ", &good);
    int first = handles.count;
    add_world(&handles, "another context's ", &foreign);
    for (int i = first; i < handles.count; i++)
        handles.handle[i].foreign = true;
    first = handles.count;
    freed.context = NULL; /* it is the current one */
    add_world(&handles, "a freed ", &freed);
    handles.count--;
    for (int i = first; i < handles.count; i++)
        handles.handle[i].freed = true;

    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_NODEFER}, was[2];
    sigaction(SIGSEGV, &action, &was[0]);
    sigaction(SIGBUS, &action, &was[1]);
    int count = (int)(sizeof rows / sizeof *rows);
    cr_assert_gt(count, 800);
    for (int r = 0; r < count; r++)
        for (int h = 0; h < handles.count; h++)
            try(&rows[r], &handles.handle[h]);
    sigaction(SIGSEGV, &was[0], NULL);
    sigaction(SIGBUS, &was[1], NULL);

    /* Nothing was changed by any of it. */
    cr_assert_eq(gt_context(), here);
    cr_assert_eq(gt_element(gt_gradient(good.tape, good.x, good.v), 0), 1);
    cr_assert_eq(gt_dim(gt_tensor_shape(gt_call(good.layer, good.x)), 1), 2);
    cr_assert_eq(gt_dataset_size(good.data), 2);
    cr_assert_eq(gt_tensor_file_count(good.file), 1);
    cr_assert_eq(gt_history_epoch_count(good.history), 1);
    ok();
    gt_context_free(there);
    gt_context_free(NULL);
    free(on_heap);
    remove(file_name);
    remove(FILE_NAME);
    assert_no_leaks();
}

/* ---- what the messages say ---- */

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wincompatible-pointer-types"
#pragma clang diagnostic ignored "-Wincompatible-function-pointer-types"
#pragma clang diagnostic ignored "-Wint-conversion"
#pragma clang diagnostic ignored "-Wmissing-braces"
#pragma clang diagnostic ignored "-Wmissing-field-initializers"
#pragma clang diagnostic ignored "-Wenum-conversion"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types"
#pragma GCC diagnostic ignored "-Wint-conversion"
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#define fails(call, wanted)                                                                        \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_expect(strstr(gt_error_message(), wanted), "%s: \"%s\" lacks \"%s\"", #call,            \
                  gt_error_message(), wanted);                                                     \
        cr_expect_neq(gt_status(), GT_OK, "%s", #call);                                            \
        gt_error_clear();                                                                          \
    } while (0)

/* As a program has them, with the compiler's warnings ignored. */
Test(wild, messages_name_what_was_expected_and_what_came)
{
    gt_Tensor *x = gt_full(gt_shape(2, 2), 1);
    gt_Layer *dense = gt_Dense(3);
    gt_Optimizer *sgd = gt_SGD(0.1);
    gt_Dataset *data = gt_dataset_from_tensors(x, x);
    gt_Layer *model = gt_Dense(2);
    gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError());
    int on_stack[64] = {0};
    fails(gt_square((gt_Tensor *)1), "square: input 1 must be a tensor (got the number 1)");
    fails(gt_square((gt_Tensor *)4096), "input 1 must be a tensor (got the number 4096)");
    fails(gt_square((gt_Tensor *)"hello"), "input 1 must be a tensor (got a pointer to something");
    fails(gt_square((gt_Tensor *)gt_relu), "input 1 must be a tensor (got a pointer to something");
    fails(gt_square((gt_Tensor *)on_stack), "input 1 must be a tensor (got a pointer to something");
    fails(gt_square((gt_Tensor *)dense), "input 1 must be a tensor (got a layer)");
    fails(gt_square((gt_Tensor *)sgd), "input 1 must be a tensor (got an optimizer)");
    fails(gt_square((gt_Tensor *)gt_context()), "input 1 must be a tensor (got a context)");
    fails(gt_subtract((gt_Tensor *)1, x), "subtract: input 1 must be a tensor (got the number 1)");
    fails(gt_subtract((gt_Tensor *)-1, x),
          "subtract: input 1 must be a tensor (got the number -1)");
    fails(gt_add(x, (gt_Tensor *)data), "add: input 2 must be a tensor (got a dataset)");
    fails(gt_call(dense, (gt_Tensor *)sgd), "the input must be a tensor (got an optimizer)");
    fails(gt_call((gt_Layer *)sgd, x), "call: expected a layer (got an optimizer)");
    fails(gt_predict(dense, (gt_Dataset *)x), "predict: expected a dataset (got a tensor)");
    fails(gt_predict((gt_Layer *)data, (gt_Dataset *)dense),
          "predict: expected a layer (got a dataset)");
    fails(gt_compile(dense, .optimizer = (gt_Optimizer *)"adam"),
          "compile: expected an optimizer (got a pointer to something else)");
    fails(gt_compile(dense, .optimizer = (gt_Optimizer *)dense),
          "compile: expected an optimizer (got a layer)");
    fails(gt_Sequential(gt_Dense(3), (gt_Layer *)gt_relu),
          "Sequential: add_child: expected a layer (got a pointer to something else)");
    fails(gt_Sequential(gt_Dense(3), (gt_Layer *)x), "expected a layer (got a tensor)");
    fails(gt_Dense(3, .activation = (gt_TensorFunction)(uintptr_t)dense),
          "Dense: activation must be a function (got a layer)");
    fails(gt_Dense(3, .activation = (gt_TensorFunction)1),
          "Dense: activation must be a function (got the number 1)");
    fails(gt_Activation((gt_TensorFunction)(uintptr_t)x),
          "Activation: function must be a function (got a tensor)");
    fails(gt_Lambda((gt_LambdaFunction)1),
          "Lambda: the function must be a function (got the number");
    fails(gt_function((gt_FunctionBody)(uintptr_t)dense, NULL),
          "function: the body must be a function (got a layer)");
    fails(gt_LossMetric(gt_loss((gt_LossFunction)1, NULL)), "must be a function (got the number 1)");
    fails(gt_Dense(1, .bias_regularizer = gt_regularizer((gt_RegularizerFunction)1, NULL)), "must be a function (got the number 1)");
    fails(gt_hessian((gt_FunctionBody)1, NULL, x),
          "the body must be a function (got the number 1)");
    fails(
        gt_fit(model, data,
               .progress = &(gt_Progress){.report = (bool (*)(void *, const gt_ProgressEvent *))1}),
        "fit: the report of progress must be a function (got the number 1)");
    fails(gt_assign(x, 1), "expected a variable (got a tensor)");
    fails(gt_context_free((gt_Context *)dense), "context_free: expected a context (got a layer)");
    fails(gt_tape_end((gt_Tape *)x), "tape_end: expected a tape (got a tensor)");
    fails(gt_scope_end((gt_Scope *)x), "scope_end: expected a scope (got a tensor)");
    fails(gt_history_epoch_count((gt_History *)data), "expected a history (got a dataset)");
    fails(gt_tensor_file_count((gt_TensorFile *)data), "expected a tensor file (got a dataset)");
    gt_Layer copies[64];
    for (int i = 0; i < 64; i++) /* one of them is aligned as a layer is */
        copies[i] = *dense;
    for (int i = 0; i < 64; i++)
        fails(gt_call(&copies[i], x), "layer");
    gt_layer_free(dense);
    fails(gt_call(dense, x), "call: this layer was freed");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A number, a text or a function where a value that begins with a mark is meant. */
Test(wild, bare_numbers_in_the_place_of_values)
{
    gt_Tensor *x = gt_array(gt_shape(2, 3), 1, 2, 3, 4, 5, 6);
    fails(gt_mean(x, .axes = 1), "mean: .axes must be gt_axes(...) (got the number 1)");
    fails(gt_sum(x, .axes = -1), "sum: .axes must be gt_axes(...) (got the number -1)");
    fails(gt_sum(x, .axes = 0), "got the number 0");
    fails(gt_norm(x, .axes = 1), "got the number 1");
    fails(gt_squeeze(x, .axes = 1), "got the number 1");
    fails(gt_transpose(x, .perm = 1), "got the number 1");
    fails(gt_flip(x, .axes = 1), "got the number 1");
    fails(gt_roll(x, 1, .axes = 1), "got the number 1");
    fails(gt_tensordot(x, x, .a_axes = 1), "got the number 1");
    fails(gt_tensordot(x, x, .a_axes = gt_axes(0), .b_axes = 1), "got the number 1");
    fails(gt_layer_normalization(x, .axes = 1), "got the number 1");
    fails(gt_median(x, .axes = 1), "got the number 1");
    fails(gt_sum(x, .axis = 0, .axes = 1), "got the number 1");
    cr_assert_eq(gt_element(gt_mean(x, .axes = gt_axes(1)), 0), 2);
    ok();

    gt_Tensor *image = gt_full(gt_shape(1, 6, 6, 1), 1), *kernel = gt_full(gt_shape(2, 2, 1, 1), 1);
    for (int n = 1; n <= 3; n++) {
        fails(gt_conv(image, kernel, .strides = n), "stride");
        fails(gt_conv(image, kernel, .dilation = n), "dilation");
        fails(gt_max_pool(image, gt_shape(2, 2), .strides = n), "stride");
    }
    fails(gt_call(gt_Reshape(2), x), "target must be gt_shape(...) (got the number 2)");

    fails(gt_Dense(1, .kernel_regularizer = 1), "Dense: kernel_regularizer must be a regularizer");
    fails(gt_Dense(1, .bias_regularizer = 1), "Dense: bias_regularizer must be a regularizer");
    fails(gt_Dense(1, .activity_regularizer = 1), "activity_regularizer must be a regularizer");
    fails(gt_Dense(1, .kernel_regularizer = "l2"), "got a bare number or a pointer");
    fails(gt_Dense(1, .kernel_initializer = 1), "Dense: kernel_initializer must be an initializer");
    fails(gt_Dense(1, .bias_initializer = "zeros"), "Dense: bias_initializer must be an initializer");

    gt_Layer *model = gt_Dense(1);
    fails(gt_compile(model, .loss = "mse"), "compile: the loss must be a value such as");
    fails(gt_compile(model, .loss = 1), "compile: the loss must be a value such as");
    fails(gt_compile(model, .loss = (void *)(uintptr_t)gt_relu), "compile: the loss must be a value such as");
    fails(gt_LossMetric((gt_Loss){.type = (const void *)"mse"}), "LossMetric: the loss must be a value such as");
    fails(gt_compile(model, .metrics = (void *)gt_Accuracy()),
          "compile: metrics must be a list, gt_metrics(...) (got a metric)");
    fails(gt_compile(model, .metrics = 2),
          "compile: metrics must be a list, gt_metrics(...) (got a number)");
    fails(gt_compile(model, .metrics = gt_metrics((gt_Metric *)x)),
          "expected a metric (got a tensor)");
    fails(gt_compile(model, .metrics = gt_metrics((gt_Metric *)1)),
          "expected a metric (got the number 1)");
    gt_compile(model, .metrics = gt_metrics());
    gt_compile(model, .loss = gt_MeanSquaredError(), .metrics = gt_metrics(gt_Accuracy()));
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Inputs that nobody takes. */
static gt_Tensor *second(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return in->count > 1 ? in->inputs[1] : in->x;
}

Test(wild, inputs_that_nobody_takes)
{
    gt_Tensor *x = gt_full(gt_shape(2, 2), 1), *y = gt_full(gt_shape(2, 2), 2);
    gt_Layer *const one[] = {gt_Sequential(gt_Dense(1)),
                             gt_Dense(1),
                             gt_Activation(gt_tanh),
                             gt_Dropout(0.5),
                             gt_Flatten(),
                             gt_Reshape(gt_shape(2))};
    ok();
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        fails(gt_call(one[i], x, .more = gt_tensors(y)), "it accepts 1 input (got 2)");
        cr_assert_not_null(gt_call(one[i], x), "%s", gt_error_message());
    }
    fails(gt_call(one[2], x, .more = y), "more must be a list of at most 63 tensors");
    const gt_LayerClass takes_two = {
        .size = sizeof(gt_LayerClass), .name = "second", .instance = sizeof(gt_Layer), .call = second, .ports = GT_PORTS({"x", 0, 0, 0}, {"y", 0, 0, 0})};
    const gt_Layer instance = {.name = NULL};
    gt_Layer *two = gt_layer_new_at(NULL, &takes_two, &instance);
    cr_assert_eq(gt_element(gt_call(two, x, .more = gt_tensors(y)), 0), 2);
    fails(gt_call(two, x, .more = gt_tensors(y, y)), "second: it accepts 2 inputs (got 3)");
    gt_Layer *all = gt_Lambda(joined);
    cr_assert_eq(gt_element(gt_call(all, x, .more = gt_tensors(y)), 0), 3);
    ok();
    gt_context_free(NULL);
    assert_no_leaks();
}
