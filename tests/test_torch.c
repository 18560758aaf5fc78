/* Training against PyTorch, loss by loss: MLPs with several optimizers in float32 and float64, and a character GPT, of
 * tests/oracle/torch.safetensors (made by make_torch.py). The same first numbers and the same batches; by gt_fit, in
 * steps of one's own, and those as a plan.
 *
 * GT_TORCH_GPT, a file that make_torch.py writes to a folder, is the GPT of examples/gpt.c: trained for minutes. */
#include <criterion/criterion.h>

#include "../examples/positions.h"
#include "../gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef GT_HERE
#define GT_HERE "test"
#define ok()    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

enum { MAX_STEPS = 300 };

typedef enum { BY_FIT, BY_FIT_EAGERLY, BY_HAND, BY_PLAN, WAYS } Way;
static const char *const ways[WAYS] = {"gt_fit", "gt_fit eagerly", "own steps",
                                       "own steps as a plan"};

/* ---- the file ---- */

static gt_TensorFile *open_oracle(void)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/torch.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    return file;
}

static gt_Tensor *part(const gt_TensorFile *file, const char *name, const char *what)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, what);
    gt_Tensor *tensor = gt_tensor_file_load_named(file, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

static bool has(const gt_TensorFile *file, const char *name, int number)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%d", name, number);
    return gt_tensor_file_find(file, full) >= 0;
}

/* Weight i becomes tensor NAME.i of the file. */
static void begin_as(gt_Layer *model, const gt_TensorFile *file, const char *name)
{
    gt_Tensors weights = gt_trainable_variables(model);
    char number[16];
    for (int i = 0; i < weights.count; i++) {
        snprintf(number, sizeof number, "%d", i);
        gt_assign(weights.items[i], gt_cast(part(file, name, number), gt_dtype(weights.items[i])));
        ok();
    }
    cr_assert(!has(file, name, weights.count), "the model has too few weights");
}

/* ---- training ---- */

typedef struct {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Run;

static gt_Status own_step(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = user;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(run->model, in[0], .training = true);
    gt_Tensor *loss =
        gt_mean(gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true));
    gt_minimize(run->optimizer, tape, loss, gt_trainable_variables(run->model));
    out[0] = gt_keep(loss);
    return gt_tape_end(tape);
}

/* The losses of so many steps; batch i has rows i * batch on, from the beginning again after the last one. */
static void train(Way way, Run run, gt_Tensor *x, gt_Tensor *y, int64_t batch, int steps,
                  double *losses)
{
    if (way == BY_FIT || way == BY_FIT_EAGERLY) {
        gt_compile(run.model, .optimizer = run.optimizer, .run_eagerly = way == BY_FIT_EAGERLY,
                   .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
        gt_History *history =
            gt_fit(run.model, x, .y = y, .batch_size = batch, .shuffle = false, .epochs = steps,
                   .steps_per_epoch = 1, .verbose = GT_VERBOSITY_SILENT);
        ok();
        for (int i = 0; i < steps; i++)
            losses[i] = gt_history_get(history, "loss", i);
        gt_history_free(history);
        return;
    }
    gt_Function *function = way == BY_PLAN ? gt_function(own_step, &run) : NULL;
    int64_t batches = gt_tensor_shape(x).dims[0] / batch;
    for (int i = 0; i < steps; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *rows = gt_add(gt_arange(0, (double)batch, 1, .dtype = GT_INT64),
                                 (double)(i % batches * batch));
        gt_Tensor *in[] = {gt_take(x, rows, .axis = 0), gt_take(y, rows, .axis = 0)}, *loss = NULL;
        if (function)
            gt_function_call(function, gt_tensors(in[0], in[1]), &loss);
        else
            own_step(&run, in, &loss);
        losses[i] = gt_item(loss);
        gt_scope_end(scope);
        ok();
    }
    gt_function_free(function);
    gt_optimizer_free(run.optimizer);
}

/* As close as the dtype must be, by the size of the loss. */
static void same_losses(const char *name, Way way, const double *got, gt_Tensor *expected,
                        int count, gt_DType dtype)
{
    double most = dtype == GT_FLOAT64 ? 1e-10 : 1e-5, worst = 0;
    for (int i = 0; i < count; i++) {
        double loss = gt_element(expected, i), off = fabs(got[i] - loss) / fabs(loss);
        worst = fmax(worst, off);
        cr_assert(off <= most, "%s, %s: step %d: %.17g, not %.17g: %.2g", name, ways[way], i,
                  got[i], loss, off);
    }
    if (getenv("GT_TEST_VERBOSE"))
        printf("%-9s %s, %s: at most %.2g\n", name, gt_dtype_name(dtype), ways[way], worst);
}

/* ---- MLPs ---- */

enum { ROWS = 500, INPUTS = 8, BATCH = 20, STEPS = 100 };

/* The rows of make_torch.py: inputs from -1 to 1; the label is where the largest of the first four is. */
static void rows_by_formula(gt_DType dtype, gt_Tensor **x, gt_Tensor **y)
{
    double inputs[ROWS * INPUTS];
    int32_t labels[ROWS] = {0};
    for (int64_t i = 0; i < ROWS * INPUTS; i++)
        inputs[i] = (double)((i * i * 7919 + i * 31) % 1009);
    for (int row = 0; row < ROWS; row++)
        for (int k = 1; k < 4; k++)
            if (inputs[row * INPUTS + k] > inputs[row * INPUTS + labels[row]])
                labels[row] = k;
    *x = gt_cast(gt_from_data(inputs, gt_shape(ROWS, INPUTS), GT_FLOAT64), dtype);
    *x = gt_subtract(gt_divide(*x, 504), 1);
    *y = gt_from_data(labels, gt_shape(ROWS), GT_INT32);
}

static gt_Optimizer *optimizer_of(const char *name)
{
    if (strcmp(name, "adam") == 0)
        return gt_Adam(0.01);
    if (strcmp(name, "adamw") == 0)
        return gt_AdamW(0.01, .weight_decay = 0.1);
    if (strcmp(name, "amsgrad") == 0)
        return gt_Adam(0.01, .amsgrad = true);
    if (strcmp(name, "sgd") == 0)
        return gt_SGD(0.1);
    return gt_SGD(0.05, .momentum = 0.9, .nesterov = strcmp(name, "nesterov") == 0);
}

static void mlp_like(const gt_TensorFile *file, const char *name, gt_DType dtype, Way way)
{
    gt_Tensor *x, *y;
    gt_set_dtype_policy(dtype);
    rows_by_formula(dtype, &x, &y);
    gt_Layer *model = gt_Sequential(gt_Dense(32, .activation = gt_relu),
                                    gt_Dense(16, .activation = gt_tanh), gt_Dense(4));
    gt_build(model, gt_shape(BATCH, INPUTS), dtype);
    begin_as(model, file, "mlp");
    double losses[STEPS];
    train(way, (Run){model, optimizer_of(name)}, x, y, BATCH, STEPS, losses);
    same_losses(name, way, losses, part(file, name, gt_dtype_name(dtype)), STEPS, dtype);
}

Test(torch, mlp)
{
    static const char *const names[] = {"adam", "adamw", "amsgrad", "sgd", "momentum", "nesterov"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (Way way = 0; way < WAYS; way++)
            for (int wide = 0; wide < 2; wide++) {
                gt_TensorFile *file = open_oracle();
                mlp_like(file, names[i], wide ? GT_FLOAT64 : GT_FLOAT32, way);
                gt_tensor_file_free(file);
                gt_context_free(NULL);
            }
    assert_no_leaks();
}

/* ---- the GPT ---- */

static gt_Tensor *block(gt_Tensor *x, int64_t width, int64_t heads)
{
    gt_Tensor *h = gt_call(gt_LayerNormalization(), x);
    x = gt_add(x, gt_call(gt_MultiHeadAttention(heads, width / heads, .use_causal_mask = true), h,
                          .more = gt_tensors(h)));
    h = gt_call(gt_Dense(4 * width, .activation = gt_gelu), gt_call(gt_LayerNormalization(), x));
    return gt_add(x, gt_call(gt_Dense(width), h));
}

/* That of examples/gpt.c without dropout, of the sizes of the weights in the file: embedding, positions, 16 of each
 * block (the third is the kernel of the queries), four. */
static gt_Layer *gpt_of(const gt_TensorFile *file)
{
    gt_Shape embedding = gt_tensor_shape(part(file, "gpt", "0")),
             positions = gt_tensor_shape(part(file, "gpt", "1"));
    int64_t characters = embedding.dims[0], width = embedding.dims[1];
    int64_t heads = gt_tensor_shape(part(file, "gpt", "4")).dims[1];
    gt_Tensor *text = gt_Input(gt_shape(positions.dims[0]), .dtype = GT_INT32);
    gt_Tensor *x = gt_call(Positions(), gt_call(gt_Embedding(characters, width), text));
    for (int weights = 2; has(file, "gpt", weights + 4); weights += 16)
        x = block(x, width, heads);
    x = gt_call(gt_LayerNormalization(), x);
    return gt_Model(gt_tensors(text), gt_tensors(gt_call(gt_Dense(characters), x)));
}

/* The characters from each start on, (starts, length): those that are read, or with `after` 1 those to be foretold. */
static gt_Tensor *windows(gt_Tensor *text, gt_Tensor *starts, int64_t length, int after)
{
    starts = gt_reshape(gt_cast(starts, GT_INT64), gt_shape(-1, 1));
    gt_Tensor *places =
        gt_add(starts, gt_arange(after, (double)(length + after), 1, .dtype = GT_INT64));
    return gt_take(gt_cast(text, GT_INT32), places, .axis = 0);
}

/* Losses of the steps, and last that of the text that it has not seen. */
static int gpt_like(const gt_TensorFile *file, gt_DType dtype, Way way, double *losses)
{
    gt_set_dtype_policy(dtype);
    gt_Layer *model = gpt_of(file);
    ok();
    begin_as(model, file, "gpt");
    gt_Tensor *text = part(file, "gpt", "text"), *order = part(file, "gpt", "order"),
              *unseen = part(file, "gpt", "unseen");
    int64_t length = gt_tensor_shape(part(file, "gpt", "1")).dims[0],
            batch = gt_tensor_shape(order).dims[1];
    int steps = (int)gt_tensor_shape(order).dims[0];
    cr_assert_leq(steps, MAX_STEPS);
    train(way, (Run){model, gt_AdamW(gt_item(part(file, "gpt", "rate")), .weight_decay = 0.1)},
          windows(text, order, length, 0), windows(text, order, length, 1), batch, steps, losses);
    gt_compile(model, .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    losses[steps] =
        gt_evaluate(model, windows(text, unseen, length, 0), .y = windows(text, unseen, length, 1))
            .loss;
    ok();
    return steps;
}

Test(torch, gpt)
{
    for (Way way = 0; way < WAYS; way++)
        for (int wide = 0; wide < 2; wide++) {
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            double losses[MAX_STEPS + 1];
            gt_TensorFile *file = open_oracle();
            int steps = gpt_like(file, dtype, way, losses);
            same_losses("gpt", way, losses, part(file, "gpt", gt_dtype_name(dtype)), steps + 1,
                        dtype);
            gt_tensor_file_free(file);
            gt_context_free(NULL);
        }
    assert_no_leaks();
}

/* 2 % of the loss on unseen text are what is promised; the losses of the steps show where the two part, if they do. */
Test(torch, gpt_of_the_example)
{
    const char *path = getenv("GT_TORCH_GPT");
    if (!path)
        cr_skip_test("GT_TORCH_GPT names no file");
    double losses[MAX_STEPS + 1];
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    int steps = gpt_like(file, GT_FLOAT32, BY_FIT, losses);
    gt_Tensor *expected = part(file, "gpt", "float32");
    double worst = 0, of_torch = gt_element(expected, steps), off = losses[steps] / of_torch - 1;
    for (int i = 0; i < steps; i++)
        worst = fmax(worst, fabs(losses[i] / gt_element(expected, i) - 1));
    printf("unseen text: %.6f, PyTorch %.6f: %+.5f %%; losses of %d steps at most %.2g apart\n",
           losses[steps], of_torch, 100 * off, steps, worst);
    cr_assert_lt(fabs(off), 0.02);
    same_losses("gpt", BY_FIT, losses, expected, steps + 1, GT_FLOAT32);
    gt_tensor_file_free(file);
    gt_context_free(NULL);
}
