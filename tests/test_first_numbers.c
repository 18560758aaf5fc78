/* Law 13: first numbers are drawn late, once, and by the variable's own context alone. Each way to list looks and draws nothing;
 * each point where numbers are drawn fails with the initializer, as often as it fails, and works when it does; loading and
 * assigning come before a draw; threads that start on a fresh model are told whose it is to draw. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int drawn;
static bool unlucky;

static gt_Status count_draw(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)stream;
    if (unlucky)
        return gt_fail(GT_INVALID, "no luck");
    drawn++;
    for (int64_t i = 0; i < spec->size; i++)
        ((float *)data)[i] = 0.5f + 0.25f * (float)i;
    return GT_OK;
}

#define DENSE(units, ...)                                                                          \
    gt_Dense(units, .kernel_initializer = gt_initializer(count_draw, NULL), __VA_ARGS__)

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(const char *what, gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part),
              "%s: status %d, \"%s\" lacks \"%s\"", what, (int)gt_status(), gt_error_message(),
              part);
    gt_error_clear();
}

static const char *file_name(const char *end)
{
    static char path[100];
    snprintf(path, sizeof path, "/tmp/gradtape-first-%d%s", (int)getpid(), end);
    return path;
}

/* A functional model with two late kernels, of which nothing has been drawn. */
static gt_Layer *fresh_model(void)
{
    gt_Tensor *symbol = gt_Input(gt_shape(2));
    gt_Tensor *h = gt_call(DENSE(3, .use_bias = false), symbol);
    gt_Layer *model =
        gt_Model(gt_tensors(symbol), gt_tensors(gt_call(DENSE(2, .use_bias = false), h)));
    ok("a fresh model");
    return model;
}

static gt_Tensor *some_x(void)
{
    return gt_array(gt_shape(1, 2), 1, -2);
}

/* ---- where numbers are drawn ---- */

static gt_Status body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(context, in[0]);
    return gt_status();
}

static bool by_call(gt_Layer *model)
{
    return gt_call(model, some_x()) != NULL;
}

static bool by_call_inside(gt_Layer *model)
{
    gt_Layer *around = gt_Sequential(model);
    return gt_call(around, some_x()) != NULL;
}

static bool by_read(gt_Layer *model)
{
    return gt_data(gt_weights(model).items[1]) != NULL &&
           gt_data(gt_weights(model).items[0]) != NULL;
}

static bool by_element(gt_Layer *model)
{
    gt_Tensors weights = gt_weights(model);
    gt_element(weights.items[0], 0);
    gt_element(weights.items[1], 0);
    return gt_status() == GT_OK;
}

static bool by_operation(gt_Layer *model)
{
    gt_Tensors weights = gt_weights(model);
    return gt_matmul(weights.items[0], weights.items[1]) != NULL;
}

static bool by_adding(gt_Layer *model)
{
    gt_Tensors weights = gt_weights(model);
    return gt_assign_add(weights.items[0], gt_zeros_like(weights.items[0])) == GT_OK &&
           gt_assign_add(weights.items[1], gt_zeros_like(weights.items[1])) == GT_OK;
}

static bool by_function(gt_Layer *model)
{
    gt_Tensor *x = some_x(), *y = NULL;
    gt_Function *function = gt_function(body, model);
    bool done = gt_function_call(function, gt_tensors(x), &y) == GT_OK && y;
    gt_function_free(function);
    return done;
}

static bool by_compile(gt_Layer *model)
{
    return gt_compile(model, .optimizer = gt_SGD(0.1), .loss = gt_MeanSquaredError()) == GT_OK;
}

static bool by_fit(gt_Layer *model)
{
    gt_Dataset *data = gt_dataset_from_tensors(some_x(), some_x());
    bool done = gt_compile(model, .optimizer = gt_SGD(0.), .loss = gt_MeanSquaredError()) == GT_OK;
    gt_History *history = done ? gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT) : NULL;
    done = history != NULL;
    gt_history_free(history);
    gt_dataset_free(data);
    return done;
}

static bool by_weights_file(gt_Layer *model)
{
    bool done = gt_save_weights(model, file_name(".weights")) == GT_OK;
    remove(file_name(".weights"));
    return done;
}

static bool by_model_file(gt_Layer *model)
{
    bool done = gt_save_model(model, file_name(".model")) == GT_OK;
    remove(file_name(".model"));
    return done;
}

static bool by_checkpoint(gt_Layer *model)
{
    bool done = gt_save_checkpoint(file_name(".checkpoint"), model) == GT_OK;
    remove(file_name(".checkpoint"));
    return done;
}

static bool by_pack(gt_Layer *model)
{
    return gt_pack(gt_weights(model)) != NULL;
}

static bool by_minimize(gt_Layer *model)
{
    gt_Optimizer *sgd = gt_SGD(0.);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(model, some_x());
    bool done = y && gt_minimize(sgd, tape, gt_sum(y), gt_trainable_variables(model)) == GT_OK;
    gt_tape_end(tape);
    gt_optimizer_free(sgd);
    return done;
}

/* In a tape that was begun before: the draw is no part of it. */
static bool by_tape(gt_Layer *model)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(model, some_x()), *g = NULL;
    if (y)
        gt_gradients(tape, gt_tensors(gt_sum(y)), gt_tensors(gt_weights(model).items[0]), &g);
    gt_tape_end(tape);
    return y != NULL;
}

static const struct {
    const char *text;
    bool (*draws)(gt_Layer *model);
} points[] = {{"a call", by_call},
              {"a call of a layer around it", by_call_inside},
              {"gt_data", by_read},
              {"gt_element", by_element},
              {"an operation", by_operation},
              {"gt_assign_add", by_adding},
              {"gt_function", by_function},
              {"gt_compile", by_compile},
              {"gt_fit", by_fit},
              {"gt_save_weights", by_weights_file},
              {"gt_save_model", by_model_file},
              {"gt_save_checkpoint", by_checkpoint},
              {"gt_pack", by_pack},
              {"gt_minimize", by_minimize},
              {"a tape", by_tape}};
enum { POINTS = sizeof points / sizeof *points };

Test(first_numbers, an_initializer_that_fails_at_each_point)
{
    for (int k = 0; k < POINTS; k++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *model = fresh_model();
        unlucky = true;
        drawn = 0;
        for (int i = 0; i < 3; i++) {
            cr_assert(!points[k].draws(model), "%s: it did not fail", points[k].text);
            fails(points[k].text, GT_INVALID, "no luck");
            cr_assert(drawn == 0 && gt_count_params(model) == 12, "%s", points[k].text);
            ok(points[k].text);
        }
        unlucky = false;
        cr_assert(points[k].draws(model), "%s: %s", points[k].text, gt_error_message());
        cr_assert_eq(drawn, 2, "%s: %d draws", points[k].text, drawn);
        by_call(model);
        cr_assert(drawn == 2 && gt_element(gt_weights(model).items[0], 1) == 0.75,
                  "%s: drawn again", points[k].text);
        ok(points[k].text);
        if (points[k].draws != by_call_inside) /* those around it hold it, until the context ends */
            gt_layer_free(model);
        gt_scope_end(scope);
        gt_context_free(NULL);
    }
    fprintf(stderr, "%d points where first numbers are drawn\n", POINTS);
    assert_no_leaks();
}

/* ---- what draws nothing ---- */

Test(first_numbers, looking_draws_nothing)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *dense = DENSE(3, .use_bias = false, .name = "one");
    drawn = 0;
    gt_Tensor *symbol = gt_Input(gt_shape(2));
    gt_Tensor *h = gt_call(dense, symbol);
    for (int added = 0; added < 2; added++) {
        cr_assert(gt_weights(dense).count == 1 && gt_variables(dense).count == 1);
        cr_assert(gt_trainable_variables(dense).count == 1 &&
                  gt_non_trainable_variables(dense).count == 0);
        const gt_Variable *kernel = gt_weights(dense).items[0];
        cr_assert(gt_count_params(dense) == 6 && *gt_summary(dense) && *gt_layer_to_json(dense));
        cr_assert(gt_shape_equal(gt_tensor_shape(kernel), gt_shape(2, 3)) && gt_size(kernel) == 6 &&
                  gt_dtype(kernel) == GT_FLOAT32 && gt_is_variable(kernel) &&
                  gt_variable_name(kernel));
        cr_assert(*gt_variable_path(dense, kernel) && gt_is_trainable(dense) &&
                  gt_layer_built(dense));
        gt_set_trainable(dense, false);
        gt_set_trainable(dense, true);
        gt_layer_free(gt_layer_copy(dense));
        gt_reset_states(dense);
        ok("looking");
        cr_assert_eq(drawn, 0, "looking, added %d", added);
        if (!added)
            gt_Model(gt_tensors(symbol), gt_tensors(h));
    }
    cr_assert(gt_call(dense, some_x()) && drawn == 1);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Numbers that are loaded, set or assigned first are never drawn, and later calls see them. */
Test(first_numbers, loading_comes_first)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *source = fresh_model();
    gt_call(source, some_x());
    gt_assign(gt_weights(source).items[0], gt_full(gt_shape(2, 3), -1));
    gt_Tensor *right = gt_call(source, some_x());
    gt_save_weights(source, file_name(".weights"));
    gt_save_checkpoint(file_name(".checkpoint"), source);
    ok("source");
    for (int way = 0; way < 5; way++) {
        gt_Layer *model = fresh_model();
        gt_Tensors to = gt_weights(model), from = gt_weights(source);
        gt_Tensor *numbers[2] = {from.items[0], from.items[1]};
        drawn = 0;
        unlucky = true; /* and nobody asks */
        if (way == 0)
            gt_load_weights(model, file_name(".weights"));
        else if (way == 1)
            gt_load_checkpoint(file_name(".checkpoint"), model);
        else if (way == 2)
            gt_set_weights(model, ((gt_Tensors){numbers, 2}));
        else if (way == 3)
            gt_assign(to.items[0], numbers[0]), gt_assign(to.items[1], numbers[1]);
        else
            gt_variable_set(to.items[0], gt_data(numbers[0]), 24),
                gt_variable_set(to.items[1], gt_data(numbers[1]), 24);
        ok("loading");
        gt_Tensor *y = gt_call(model, some_x());
        cr_assert(y && drawn == 0 && gt_element(y, 0) == gt_element(right, 0) &&
                      gt_element(y, 1) == gt_element(right, 1),
                  "way %d: %s", way, gt_error_message());
        unlucky = false;
        gt_layer_free(model);
    }
    /* A model that is not built cannot be loaded: it says so, and nothing is drawn. */
    gt_Layer *unbuilt = gt_Sequential(DENSE(3, .use_bias = false));
    gt_load_weights(unbuilt, file_name(".weights"));
    fails("unbuilt", GT_STATE, "not built");
    cr_assert_eq(drawn, 0);
    remove(file_name(".weights"));
    remove(file_name(".checkpoint"));
    gt_layer_free(source), gt_layer_free(unbuilt);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- two contexts ---- */

/* Another context is refused at every point, draws nothing, and leaves the model as it was. */
Test(first_numbers, another_context_never_draws)
{
    gt_Context *home = gt_context(), *other = gt_context_create();
    for (int k = 0; k < POINTS; k++) {
        gt_Layer *model = fresh_model();
        drawn = 0;
        gt_context_use(other);
        gt_Scope *scope = gt_scope_begin();
        if (points[k].draws != by_call_inside) /* it would be a container's of two contexts */
            cr_assert(!points[k].draws(model) && gt_status() != GT_OK, "%s in another context",
                      points[k].text);
        gt_error_clear();
        gt_scope_end(scope);
        gt_context_use(home);
        scope = gt_scope_begin();
        cr_assert_eq(drawn, 0, "%s in another context", points[k].text);
        cr_assert(gt_call(model, some_x()) && drawn == 2, "%s: %s", points[k].text,
                  gt_error_message());
        gt_layer_free(model);
        gt_scope_end(scope);
    }
    gt_context_free(other);
    gt_context_free(NULL);
    assert_no_leaks();
}

typedef struct Worker {
    gt_Layer *model;
    bool fresh, right;
    float numbers[2];
} Worker;

static void *work(void *argument)
{
    Worker *self = argument;
    gt_Context *context = gt_context_create();
    gt_context_use(context);
    for (int i = 0; i < 50; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y = gt_call(self->model, some_x());
        self->right = self->fresh
                          ? !y && gt_status() == GT_STATE &&
                                strstr(gt_error_message(), "only its own context gives it some")
                          : y != NULL;
        if (y)
            memcpy(self->numbers, gt_data(y), sizeof self->numbers);
        gt_error_clear();
        gt_scope_end(scope);
        if (!self->right)
            break;
    }
    gt_context_use(NULL);
    gt_context_free(context);
    return NULL;
}

/* Two threads with contexts of their own start at once on a model that is fresh, then on one that has its numbers. */
Test(first_numbers, two_threads_on_a_fresh_model)
{
    gt_Layer *model = fresh_model();
    drawn = 0;
    for (int fresh = 1; fresh >= 0; fresh--) {
        pthread_t threads[2];
        Worker workers[2] = {{.model = model, .fresh = fresh}, {.model = model, .fresh = fresh}};
        for (int i = 0; i < 2; i++)
            cr_assert(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        cr_assert(workers[0].right && workers[1].right, "fresh %d", fresh);
        cr_assert_eq(drawn, fresh ? 0 : 2);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y = gt_call(model, some_x());
        cr_assert(y && drawn == 2, "%s", gt_error_message());
        if (!fresh)
            cr_assert(memcmp(workers[0].numbers, workers[1].numbers, sizeof workers[0].numbers) ==
                          0 &&
                      memcmp(workers[0].numbers, gt_data(y), sizeof workers[0].numbers) == 0);
        gt_scope_end(scope);
    }
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}
