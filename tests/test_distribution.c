/* Several processes that train one model, without MPI: here they are threads, each with a context of its own, which reach each
 * other through a barrier and shared memory. The same on MPI: mpi_ranks.c. */
#include "layer_mistakes.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gradtape.h"

enum { MOST = 4, NUMBERS = 4096 };

/* ---- threads as ranks ---- */

typedef struct World {
    int ranks;
    pthread_barrier_t barrier;
    const void *block[MOST];
    bool parted[MOST];
    int closed;
} World;

typedef struct Rank {
    World *world;
    int rank;
    void (*body)(struct Rank *rank);
    int kind;       /* what the body is to do */
    char error[1024];
    double numbers[NUMBERS]; /* what it found */
    int count;
} Rank;

static void all_here(Rank *self)
{
    pthread_barrier_wait(&self->world->barrier);
}

static int rank_of(void *self)
{
    return ((Rank *)self)->rank;
}

static int ranks_of(void *self)
{
    return ((Rank *)self)->world->ranks;
}

static gt_Status sum(void *user, gt_DType dtype, void *block, int64_t count)
{
    Rank *self = user;
    World *world = self->world;
    size_t size = gt_dtype_size(dtype);
    char *total = calloc((size_t)count, size);
    world->block[self->rank] = block;
    all_here(self);
    for (int64_t i = 0; i < count; i++)
        for (int r = 0; r < world->ranks; r++)
            if (dtype == GT_FLOAT64)
                ((double *)(void *)total)[i] += ((const double *)world->block[r])[i];
            else
                ((float *)(void *)total)[i] += ((const float *)world->block[r])[i];
    all_here(self);
    memcpy(block, total, (size_t)count * size);
    free(total);
    return GT_OK;
}

static gt_Status broadcast(void *user, void *block, size_t bytes)
{
    Rank *self = user;
    self->world->block[self->rank] = block;
    all_here(self);
    if (self->rank > 0)
        memcpy(block, self->world->block[0], bytes);
    all_here(self);
    return GT_OK;
}

static gt_Status gather(void *user, const void *block, size_t bytes, void *all)
{
    Rank *self = user;
    self->world->block[self->rank] = block;
    all_here(self);
    for (int r = 0; r < self->world->ranks; r++)
        memcpy((char *)all + (size_t)r * bytes, self->world->block[r], bytes);
    all_here(self);
    return GT_OK;
}

static void part(void *user)
{
    Rank *self = user;
    self->world->parted[self->rank] = true;
}

static const gt_DistributionClass threads = {.size = sizeof(gt_DistributionClass),
                                             .name = "threads",
                                             .rank = rank_of,
                                             .ranks = ranks_of,
                                             .sum = sum,
                                             .broadcast = broadcast,
                                             .gather = gather,
                                             .part = part};

static gt_Optimizer *shared(Rank *self, gt_Optimizer *optimizer)
{
    return self->world ? gt_optimizer_distribute(optimizer, &threads, self) : optimizer;
}

static void *run(void *given)
{
    Rank *self = given;
    self->body(self);
    if (gt_status() != GT_OK)
        snprintf(self->error, sizeof self->error, "%s", gt_error_message());
    gt_error_clear();
    gt_context_free(NULL);
    return NULL;
}

/* The body in as many threads; ranks[r] says what each found. */
static void together(int ranks, void (*body)(Rank *), int kind, Rank *rank)
{
    World world = {.ranks = ranks};
    pthread_t thread[MOST];
    pthread_barrier_init(&world.barrier, NULL, (unsigned)ranks);
    for (int r = 0; r < ranks; r++) {
        rank[r] = (Rank){.world = &world, .rank = r, .body = body, .kind = kind};
        pthread_create(&thread[r], NULL, run, &rank[r]);
    }
    for (int r = 0; r < ranks; r++) {
        pthread_join(thread[r], NULL);
        rank[r].world = NULL;
    }
    pthread_barrier_destroy(&world.barrier);
}

/* One process with the whole. */
static void alone(void (*body)(Rank *), int kind, Rank *rank)
{
    *rank = (Rank){.body = body, .kind = kind};
    pthread_t thread;
    pthread_create(&thread, NULL, run, rank);
    pthread_join(thread, NULL);
}

static void found(Rank *self, double number)
{
    if (self->count < NUMBERS)
        self->numbers[self->count++] = number;
}

static void found_all(Rank *self, gt_Tensors list)
{
    for (int i = 0; i < list.count; i++)
        for (int64_t k = 0; k < gt_size(list.items[i]); k++)
            found(self, gt_element(list.items[i], k));
}

/* All ranks found the same bits, and what one process finds but for rounding. */
static void same_as_alone(int ranks, const Rank *rank, const Rank *one, double tolerance, const char *what)
{
    cr_assert(one->count > 0 && !*one->error, "%s: %s", what, one->error);
    for (int r = 0; r < ranks; r++) {
        cr_assert(!*rank[r].error, "%s, rank %d: %s", what, r, rank[r].error);
        cr_assert(rank[r].count == one->count, "%s", what);
        cr_assert(memcmp(rank[r].numbers, rank[0].numbers, sizeof(double) * (size_t)one->count) == 0,
                  "%s: ranks 0 and %d differ", what, r);
    }
    for (int i = 0; i < one->count; i++)
        cr_assert(fabs(rank[0].numbers[i] - one->numbers[i]) <= tolerance * (1 + fabs(one->numbers[i])),
                  "%s, number %d: %.17g instead of %.17g", what, i, rank[0].numbers[i], one->numbers[i]);
}

static int ranks_in(const Rank *self)
{
    return self->world ? self->world->ranks : 1;
}

/* ---- steps of one's own: every optimizer, eager and planned ---- */

static int choose(void *context, const gt_Variable *variable)
{
    (void)context;
    return gt_rank(variable) == 2;
}

static gt_Optimizer *make(int kind)
{
    switch (kind) {
    case 0:
        return gt_SGD(0.1);
    case 1:
        return gt_SGD(0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1, .global_clipnorm = 0.5);
    case 2:
        return gt_Adam(0.01, .clipnorm = 0.5, .use_ema = true, .ema_overwrite_frequency = 3);
    case 3:
        return gt_Adam(0.01, .gradient_accumulation_steps = 2, .clipvalue = 0.02);
    case 4:
        return gt_LossScaleOptimizer(gt_Adam(0.01), .initial_scale = 64);
    case 5:
        return gt_MultiOptimizer(gt_optimizers(gt_Adam(0.01), gt_SGD(0.1)), .choose = choose);
    case 6:
        return gt_Muon(.schedule = gt_CosineDecay(0.02, .decay_steps = 8));
    default:
        return gt_Nadam(0.01);
    }
}
enum { KINDS = 8 };

typedef struct Stepping {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Stepping;

static gt_Status one_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Stepping *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean_squared_error(in[1], gt_call(self->model, in[0], .training = true));
    out[0] = gt_keep(gt_identity(loss));
    gt_minimize(self->optimizer, tape, gt_scale_loss(self->optimizer, loss), gt_trainable_variables(self->model));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Tensor *rows_of(int step, int first, int count, int width, double phase)
{
    double numbers[256];
    for (int i = 0; i < count * width; i++)
        numbers[i] = sin(0.7 * (first * width + i) + step + phase);
    return gt_from_data(numbers, gt_shape(count, width), GT_FLOAT64);
}

static void steps(Rank *self)
{
    const int ranks = ranks_in(self), rows = 12 / ranks;
    const bool planned = self->kind % 2;
    Stepping stepping = {gt_Sequential(gt_Dense(5, .activation = gt_tanh), gt_Dense(2)),
                         shared(self, make(self->kind / 2))};
    gt_build(stepping.model, gt_shape(1, 3), GT_FLOAT64);
    gt_Function *function = gt_function(one_step, &stepping, .outputs = 1);
    gt_Metric *mean = gt_Mean();
    for (int step = 0; step < 8 && gt_status() == GT_OK; step++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[] = {rows_of(step, self->rank * rows, rows, 3, 0), rows_of(step, self->rank * rows, rows, 2, 1)}, *loss;
        if (planned)
            gt_function_call(function, ((gt_Tensors){in, 2}), &loss);
        else
            one_step(&stepping, in, &loss);
        gt_metric_update(mean, NULL, loss);
        gt_scope_end(scope);
    }
    gt_distribute_metric(stepping.optimizer, mean);
    found(self, gt_metric_result(mean));
    gt_metric_free(mean);
    found_all(self, gt_weights(stepping.model));
    found(self, (double)gt_optimizer_iterations(stepping.optimizer));
    gt_function_free(function);
    gt_optimizer_free(stepping.optimizer);
    gt_layer_free(stepping.model);
}

Test(distribution, steps_as_one_process)
{
    static Rank one, rank[MOST];
    for (int kind = 0; kind < 2 * KINDS; kind++) {
        char what[60];
        alone(steps, kind, &one);
        for (int ranks = 1; ranks <= MOST; ranks++) {
            snprintf(what, sizeof what, "optimizer %d, %s, %d ranks", kind / 2, kind % 2 ? "planned" : "eager", ranks);
            together(ranks, steps, kind, rank);
            same_as_alone(ranks, rank, &one, 1e-12, what);
        }
    }
}

/* ---- float32 beside float64, and variables without a gradient ---- */

static void two_types(Rank *self)
{
    const double factor = self->world ? self->rank + 1 : (1 + ranks_in(self)) / 2.0, mean = (1 + 3) / 2.0;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *narrow = gt_variable(gt_array(gt_shape(3), 1, 2, 3), .name = "narrow");
    gt_Variable *wide = gt_variable(gt_array64(gt_shape(2), 4, 5), .name = "wide");
    gt_Variable *idle = gt_variable(gt_array64(gt_shape(2), 6, 7), .name = "idle");
    gt_Optimizer *sgd = shared(self, gt_SGD(0.25));
    gt_Tensors list = gt_tensors(narrow, wide, idle);
    gt_optimizer_build(sgd, list);
    for (int step = 0; step < 2; step++) {
        const double by = self->world ? factor : mean;
        gt_Tensor *gradients[] = {gt_multiply(gt_array(gt_shape(3), 1, 2, 4), by), gt_multiply(gt_array64(gt_shape(2), 8, 16), by),
                                  NULL};
        gt_apply_gradients(sgd, list, gradients);
    }
    found_all(self, list);
    found(self, gt_optimizer_skipped(sgd));
    gt_optimizer_free(sgd);
    gt_variable_free(narrow);
    gt_variable_free(wide);
    gt_variable_free(idle);
    gt_scope_end(scope);
}

Test(distribution, two_types)
{
    static Rank one, rank[MOST];
    alone(two_types, 0, &one);
    together(3, two_types, 0, rank);
    same_as_alone(3, rank, &one, 0, "two types");
    cr_assert(one.numbers[0] == 1 - 2 * 0.25 * 2 && one.numbers[7 - 1] == 7 && one.numbers[7] == 1);
}

/* ---- gt_fit ---- */

static gt_Dataset *rows(int count)
{
    gt_Scope *scope = gt_scope_begin();
    double *x = malloc((size_t)count * 4 * sizeof *x);
    int32_t *y = malloc((size_t)count * sizeof *y);
    for (int i = 0; i < 4 * count; i++)
        x[i] = sin(1.3 * i) + (i % 4 == 0) * cos(i);
    for (int i = 0; i < count; i++)
        y[i] = (x[4 * i] + x[4 * i + 1] > 0) + (x[4 * i + 2] > 0.5);
    gt_Dataset *made = gt_dataset_from_tensors(gt_from_data(x, gt_shape(count, 4), GT_FLOAT64),
                                               gt_from_data(y, gt_shape(count), GT_INT32), .batch_size = 12);
    free(x);
    free(y);
    gt_scope_end(scope);
    return made;
}

enum { PLAIN, EAGER, ON_RANK_0 };

static void fits(Rank *self)
{
    const int ranks = ranks_in(self);
    gt_Dataset *train = gt_dataset_shard(rows(60), ranks, self->rank);
    gt_Dataset *test = gt_dataset_shard(rows(24), ranks, self->rank);
    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dense(3, .kernel_regularizer = gt_L2(1e-3)));
    gt_Optimizer *adam = shared(self, gt_Adam(0.02));
    if (self->kind == ON_RANK_0 && self->rank > 0)
        gt_set_seed(99); /* other first weights, and an order of its own for nobody: datasets have their seeds */
    gt_compile(model, .optimizer = adam, .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()), .run_eagerly = self->kind == EAGER);
    gt_History *history = gt_fit(model, train, .epochs = 4, .validation = test, .verbose = GT_VERBOSITY_SILENT);
    for (int epoch = 0; epoch < 4 && history; epoch++) {
        found(self, gt_history_get(history, "loss", epoch));
        found(self, gt_history_get(history, "accuracy", epoch));
        found(self, gt_history_get(history, "val_loss", epoch));
        found(self, gt_history_get(history, "val_accuracy", epoch));
    }
    gt_Scores scores = gt_evaluate(model, test);
    found(self, scores.loss);
    found(self, scores.metrics[0]);
    if (gt_status() == GT_OK)
        found_all(self, gt_weights(model));
    gt_history_free(history);
    gt_dataset_free(train);
    gt_dataset_free(test);
    gt_layer_free(model);
}

Test(distribution, fits_as_one_process)
{
    static Rank one, rank[MOST];
    static const char *const names[] = {"planned", "eager", "first weights of rank 0"};
    for (int kind = PLAIN; kind <= ON_RANK_0; kind++) {
        alone(fits, kind, &one);
        for (int ranks = 1; ranks <= MOST; ranks++) {
            together(ranks, fits, kind, rank);
            same_as_alone(ranks, rank, &one, 1e-12, names[kind]);
        }
    }
}

/* ---- draws and statistics ---- */

static void draws(Rank *self)
{
    const int ranks = ranks_in(self);
    gt_Layer *dropout = gt_Dropout(0.5), *model = gt_Sequential(dropout, gt_BatchNormalization(), gt_Dense(1));
    gt_Optimizer *sgd = shared(self, gt_SGD(1e-9)); /* weights stay, near enough */
    gt_build(model, gt_shape(1, 4), GT_FLOAT64);
    gt_distribute_model(sgd, model);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(8, 4), .dtype = GT_FLOAT64);
    gt_Tensor *kept = gt_call(dropout, x, .training = true), *drawn = gt_uniform(gt_shape(8));
    for (int i = 0; i < 32; i++)
        found(self, gt_element(kept, i));
    for (int i = 0; i < 8; i++)
        found(self, gt_element(drawn, i));
    /* Batches of rank r have the mean r + 1: what statistics become is the mean over the ranks. */
    gt_Layer *plain = gt_Sequential(gt_BatchNormalization(.momentum = 0.5), gt_Dense(1));
    gt_Dataset *data = gt_dataset_from_tensors(gt_multiply(x, self->rank + 1), gt_ones(gt_shape(8, 1), .dtype = GT_FLOAT64));
    gt_compile(plain, .optimizer = shared(self, gt_SGD(0.1)), .loss = gt_MeanSquaredError());
    gt_history_free(gt_fit(plain, data, .epochs = 1, .verbose = GT_VERBOSITY_SILENT));
    found(self, gt_status() == GT_OK ? gt_element(gt_weights(plain).items[2], 0) : NAN);
    found(self, 0.5 * (ranks + 1) / 2.0);
    gt_scope_end(scope);
    gt_dataset_free(data);
    gt_layer_free(plain);
    gt_optimizer_free(sgd);
    gt_layer_free(model);
}

Test(distribution, draws_and_statistics)
{
    static Rank one, rank[MOST];
    alone(draws, 0, &one);
    together(3, draws, 0, rank);
    cr_assert(!*one.error, "%s", one.error);
    for (int r = 0; r < 3; r++) {
        cr_assert(!*rank[r].error, "%s", rank[r].error);
        cr_assert((memcmp(rank[r].numbers, one.numbers, 32 * sizeof(double)) == 0) == (r == 0), "dropout of rank %d", r);
        cr_assert((memcmp(rank[r].numbers + 32, one.numbers + 32, 8 * sizeof(double)) == 0) == (r == 0),
                  "the default generator of rank %d", r);
        cr_assert(r == 0 || memcmp(rank[r].numbers, rank[(r + 1) % 3].numbers, 32 * sizeof(double)) != 0);
        cr_assert(fabs(rank[r].numbers[40] - rank[r].numbers[41]) < 1e-12, "%g instead of %g", rank[r].numbers[40],
                  rank[r].numbers[41]);
    }
}

/* ---- shards ---- */

Test(distribution, shards)
{
    enum { ROWS = 29, BATCH = 6, PARTS = 3 };
    gt_Scope *scope = gt_scope_begin();
    double x[ROWS];
    for (int i = 0; i < ROWS; i++)
        x[i] = i;
    gt_Tensor *all = gt_from_data(x, gt_shape(ROWS), GT_FLOAT64);
    gt_Dataset *whole = gt_dataset_from_tensors(all, NULL, .batch_size = BATCH, .seed = 5), *part[PARTS];
    for (int p = 0; p < PARTS; p++) {
        part[p] = gt_dataset_shard(gt_dataset_from_tensors(all, NULL, .batch_size = BATCH, .seed = 5), PARTS, p);
        cr_assert(part[p] && gt_dataset_size(part[p]) == 9 && gt_dataset_batches(part[p]) == 5, "%s", gt_error_message());
    }
    for (int epoch = 0; epoch < 2; epoch++) {
        gt_Batch batch, piece;
        while (gt_dataset_next(whole, &batch)) {
            int64_t at = 0, each = batch.size / PARTS; /* 2, and 1 of the last 5 */
            for (int p = 0; p < PARTS; p++) {
                cr_assert(gt_dataset_next(part[p], &piece) && piece.size == each, "%lld", (long long)piece.size);
                for (int64_t i = 0; i < each; i++)
                    cr_assert(gt_element(piece.x, i) == gt_element(batch.x, at++));
            }
        }
        for (int p = 0; p < PARTS; p++)
            cr_assert(!gt_dataset_next(part[p], &piece) && gt_status() == GT_OK);
    }
    /* A place in the middle, and rows that come as a stream: a last batch that is not full is left out. */
    gt_Batch piece;
    gt_dataset_seek(part[1], (gt_DatasetPosition){0, 4});
    cr_assert(gt_dataset_next(part[1], &piece) && piece.size == 2);
    const double third = gt_element(piece.x, 0);
    gt_dataset_seek(part[1], (gt_DatasetPosition){0, 0});
    for (int k = 0; k < 3; k++)
        cr_assert(gt_dataset_next(part[1], &piece));
    cr_assert(gt_element(piece.x, 0) == third);
    gt_Dataset *stream = gt_dataset_shard(
        gt_dataset_batch(gt_dataset_repeat(gt_dataset_from_tensors(all, NULL, .shuffle = false), -1), 6), 3, 2);
    for (int k = 0; k < 7; k++)
        cr_assert(gt_dataset_next(stream, &piece) && gt_element(piece.x, 1) == (6 * k + 5) % ROWS);
    gt_dataset_free(stream);
    for (int p = 0; p < PARTS; p++)
        gt_dataset_free(part[p]);

    cr_assert(!gt_dataset_shard(gt_dataset_batch(whole, 5), 3, 0));
    fails(GT_INVALID, "a batch of 5 rows cannot be cut into 3 equal parts");
    cr_assert(!gt_dataset_shard(gt_dataset_from_tensors(all, NULL, .batch_size = 60), 60, 0));
    fails(GT_INVALID, "29 rows are too few for 60 parts");
    cr_assert(!gt_dataset_shard(gt_dataset_from_tensors(all, NULL), 2, 2));
    fails(GT_INVALID, "index must be from 0 to count - 1 (got 2 of 2)");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- ranks that are not about the same ---- */

enum {
    OTHER_MODEL,
    OTHER_NAME,
    OTHER_WEIGHTS,
    OTHER_STEPS,
    OTHER_GRADIENT,
    LEAVES,
    ERROR_BEFORE,
    NOBODY_STEPS,
    STEPS_OF_ONES_OWN
};

static void disagree(Rank *self)
{
    const bool odd = self->rank == 1;
    const int kind = self->kind;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_full(gt_shape(kind == OTHER_MODEL && odd ? 4 : 3), kind == OTHER_WEIGHTS && odd ? 2 : 1),
                                 .name = kind == OTHER_NAME && odd ? "bias" : "kernel");
    gt_Optimizer *sgd = shared(self, gt_SGD(0.5, .momentum = 0.5));
    gt_Tensor *gradient = gt_ones(gt_shape(3)), *wrong = gt_ones(gt_shape(2));
    if (kind != OTHER_WEIGHTS)
        gt_optimizer_build(sgd, gt_tensors(w));
    for (int step = 0; step < 3 && gt_status() == GT_OK; step++) {
        const bool bad = odd && step == 1;
        if (bad && kind == LEAVES) {
            gt_distribution_leave(&threads, self, GT_FLOAT32, 3 + 6, "it had enough");
            goto left;
        }
        if (bad && kind == ERROR_BEFORE)
            gt_fail(GT_IO, "the disk of rank %d is full", self->rank);
        if (bad && kind == OTHER_STEPS) /* a step was lost: an error that was cleared, as the number of the step says */
            gt_assign(gt_optimizer_variables(sgd).items[0], gt_scalar(7, GT_INT64));
        gt_apply_gradients(sgd, gt_tensors(w), bad && kind == OTHER_GRADIENT ? &wrong : &gradient);
    }
    if (kind == NOBODY_STEPS) { /* after an error all of them are out of step, and say so */
        gt_apply_gradients(sgd, gt_tensors(w), &wrong);
        gt_error_clear();
        gt_apply_gradients(sgd, gt_tensors(w), &gradient);
    }
left:
    if (gt_status() != GT_OK)
        snprintf(self->error, sizeof self->error, "%s", gt_error_message());
    gt_error_clear();
    found_all(self, gt_tensors(w));
    gt_optimizer_free(sgd);
    gt_variable_free(w);
    gt_scope_end(scope);
}

static void all_fail(int kind, const char *part, const char *part_of_1, double left)
{
    static Rank rank[MOST];
    together(3, disagree, kind, rank);
    for (int r = 0; r < 3; r++) {
        if (kind == LEAVES && r == 1)
            continue;
        const char *wanted = r == 1 ? part_of_1 : part;
        cr_assert(strstr(rank[r].error, wanted), "rank %d: \"%s\" lacks \"%s\"", r, rank[r].error, wanted);
        cr_assert(rank[r].numbers[0] == left || kind == OTHER_WEIGHTS, "rank %d: %g", r, rank[r].numbers[0]);
    }
}

Test(distribution, ranks_that_disagree)
{
    static const char models[] = "the ranks train different models: rank 0: the start: sgd with 1 variables of 3 elements in all";
    all_fail(OTHER_MODEL, models, "rank 1: the start: sgd with 1 variables of 4 elements", 1);
    all_fail(OTHER_NAME, "the ranks train different models", "the ranks train different models", 1);
    all_fail(OTHER_WEIGHTS, "the ranks have different first weights; build the optimizer before the first step",
             "gt_optimizer_build(optimizer, gt_trainable_variables(model))", 1);
    all_fail(OTHER_STEPS, "the ranks are not about the same: rank 0: a step: number 2; rank 1: a step: number 8",
             "rank 1: a step: number 8", 0.5);
    static const char lost[] = "the ranks are not about the same: rank 0: a step: number 2; rank 1: an error: ";
    all_fail(OTHER_GRADIENT, lost, "the gradient of variable kernel must be float32 (3,), as the variable (got float32 (2,))",
             0.5);
    all_fail(OTHER_GRADIENT, "the gradient of variable kernel must be", "test_distribution.c", 0.5);
    all_fail(ERROR_BEFORE, lost, "the disk of rank 1 is full", 0.5);
    all_fail(LEAVES, "rank 1: the end of the program: it had enough", "", 0.5);
    all_fail(NOBODY_STEPS, "the 3 ranks fell out of step before; nothing is exchanged any more", "fell out of step", -1.125);
}

/* ---- the same in gt_fit ---- */

enum { FEWER_BATCHES, UNKNOWN_BATCHES, BAD_LABELS, STOPS, OTHER_LAYER, FOR_SECONDS, OTHER_SHUFFLE /* and what stands over the shard */ };
enum { BARE, MAPPED, REPEATED, CACHED, WEIGHED, TAKEN, BATCHED, SHUFFLED, AHEAD, FILTERED, ZIPPED, ZIPPED_SECOND, SPLIT, DRAWN, OVERS };

static bool stop_early(void *context, const gt_ProgressEvent *event)
{
    const Rank *self = context;
    return !(self->rank == 1 && event->kind == GT_PROGRESS_KIND_BATCH && event->step == 2);
}

static gt_Status some_rows(void *user, int64_t epoch, int64_t first, int64_t count, gt_Batch *batch)
{
    const Rank *self = user;
    const int64_t all = self->rank == 1 ? 8 : 12;
    (void)epoch;
    count = first + count > all ? all - first : count;
    if (count > 0) {
        batch->x = gt_ones(gt_shape(count, 4));
        batch->y = gt_ones(gt_shape(count, 1));
    }
    return gt_status();
}

static gt_Status leave_batch(void *user, gt_Batch *batch)
{
    (void)user, (void)batch;
    return gt_status();
}

static gt_Tensor *every_row(void *user, const gt_Batch *batch)
{
    (void)user;
    return gt_ones(gt_shape(batch->size), .dtype = GT_BOOL);
}

/* A dataset that stands on that one. */
static gt_Dataset *over(gt_Dataset *shard, int how)
{
    gt_Dataset *parts[2] = {0}, *plain = how == ZIPPED || how == ZIPPED_SECOND
                               ? gt_dataset_from_tensors(gt_ones(gt_shape(4, how == ZIPPED ? 1 : 4)), NULL, .batch_size = 2, .shuffle = false)
                               : NULL;
    switch (how) {
    case MAPPED: return gt_dataset_map(shard, leave_batch, NULL);
    case REPEATED: return gt_dataset_repeat(gt_dataset_map(shard, leave_batch, NULL), 2);
    case CACHED: return gt_dataset_cache(shard);
    case WEIGHED: return gt_dataset_class_weight(shard, gt_ones(gt_shape(2)));
    case TAKEN: return gt_dataset_take(shard, 2);
    case BATCHED: return gt_dataset_batch(shard, 1);
    case SHUFFLED: return gt_dataset_shuffle(shard, 4, .seed = 1);
    case AHEAD: return gt_dataset_prefetch(shard, 1);
    case FILTERED: return gt_dataset_filter(shard, every_row, NULL);
    case ZIPPED: return gt_dataset_zip(shard, plain, .labels = true);
    case ZIPPED_SECOND: return gt_dataset_zip(plain, shard, .labels = true);
    case SPLIT:
        gt_split_dataset(shard = gt_dataset_cache(shard), &parts[0], &parts[1], .left_size = 0.5);
        gt_dataset_free(parts[1]);
        gt_dataset_free(shard);
        return parts[0];
    default: return shard;
    }
}

static void fit_apart(Rank *self)
{
    const bool odd = self->rank == 1;
    gt_Scope *scope = gt_scope_begin();
    const int64_t count = self->kind == FEWER_BATCHES && odd ? 8 : 12;
    gt_Tensor *y = gt_ones(gt_shape(count, 1));
    gt_Dataset *data = self->kind == UNKNOWN_BATCHES
                           ? gt_dataset_from_function(some_rows, self, .batch_size = 4)
                           : gt_dataset_from_tensors(gt_ones(gt_shape(count, 4)), self->kind == BAD_LABELS && odd ? NULL : y,
                                                     .batch_size = 4);
    if (self->kind >= OTHER_SHUFFLE) {
        gt_dataset_free(data);
        const int how = self->kind - OTHER_SHUFFLE;
        gt_Tensor *x = how == ZIPPED_SECOND ? y : gt_ones(gt_shape(12, 4));
        data = gt_dataset_from_tensors(x, how == ZIPPED || how == ZIPPED_SECOND ? NULL : y, .batch_size = 6,
                                       .seed = how == DRAWN ? 1 : odd);
        if (how == DRAWN) { /* other rows, in the same order */
            gt_Dataset *half = NULL, *rest = NULL;
            gt_split_dataset(data, &half, &rest, .left_size = 0.5, .shuffle = true, .seed = odd);
            gt_dataset_free(rest);
            gt_dataset_free(data);
            data = half;
        }
        data = over(gt_dataset_shard(data, 3, self->rank), how);
    }
    gt_Layer *model = gt_Sequential(gt_Dense(2, .name = self->kind == OTHER_LAYER && odd ? "head" : "body"), gt_Dense(1));
    gt_compile(model, .optimizer = shared(self, gt_SGD(0.1)), .loss = gt_MeanSquaredError());
    if (self->kind == FOR_SECONDS)
        gt_history_free(gt_fit(model, data, .epochs = 1, .verbose = GT_VERBOSITY_SILENT));
    if (self->kind == FOR_SECONDS)
        gt_train_for(model, data, 0.01);
    else
        gt_history_free(gt_fit(model, data, .epochs = 2, .verbose = GT_VERBOSITY_SILENT,
                               .progress = self->kind == STOPS ? &(gt_Progress){stop_early, self} : NULL));
    if (gt_status() != GT_OK)
        snprintf(self->error, sizeof self->error, "%s", gt_error_message());
    gt_error_clear();
    gt_dataset_free(data);
    gt_layer_free(model);
    gt_scope_end(scope);
}

static void all_fits_fail(int kind, const char *part, const char *part_of_1)
{
    static Rank rank[MOST];
    together(3, fit_apart, kind, rank);
    for (int r = 0; r < 3; r++) {
        const char *wanted = r == 1 ? part_of_1 : part;
        cr_assert(strstr(rank[r].error, wanted), "rank %d: \"%s\" lacks \"%s\"", r, rank[r].error, wanted);
    }
}

Test(distribution, fits_that_disagree)
{
    static const char batches[] = "the datasets of the ranks must have the same number of batches: ranks 0 and 1 differ";
    all_fits_fail(FEWER_BATCHES, batches, batches);
    static const char ended[] = "rank 1: the end of an epoch: epoch 1, after 2 batches";
    all_fits_fail(UNKNOWN_BATCHES, ended, "rank 0: a step: number 3");
    all_fits_fail(STOPS, ended, ended);
    all_fits_fail(BAD_LABELS, "not all of the 3 ranks begin: rank 0: the start: sgd with 4 variables of 13 elements in all; rank 1: an error: ",
                  "fit: the loss needs y, and the dataset has none");
    static const char models[] = "the models of the ranks must be the same: ranks 0 and 1 differ";
    all_fits_fail(OTHER_LAYER, models, models);
    static const char shuffles[] = "the parts of a dataset must be of one shuffle, so give it a .seed: ranks 0 and 1 differ";
    for (int how = 0; how < OVERS; how++)
        all_fits_fail(OTHER_SHUFFLE + how, shuffles, shuffles);
    all_fits_fail(FOR_SECONDS, "count steps, with gt_fit", "count steps, with gt_fit");
}

/* ---- what is refused by one process ---- */

static int closed;

static void count_closed(void *self)
{
    (void)self;
    closed++;
}

static gt_Status no_way(void *self)
{
    (void)self;
    return gt_fail(GT_IO, "the cable is unplugged");
}

static int one(void *self)
{
    (void)self;
    return 1;
}

static int zero(void *self)
{
    (void)self;
    return 0;
}

/* A class of one process, one function of which returns a failure and raises nothing, from a call on. */
typedef struct Mute {
    const char *function;
    int calls, from;
} Mute;

static gt_Status say_nothing(void *self, const char *function)
{
    Mute *mute = self;
    return strcmp(mute->function, function) == 0 && mute->calls++ >= mute->from ? GT_IO : GT_OK;
}

static gt_Status mute_open(void *self)
{
    return say_nothing(self, "open");
}

static gt_Status mute_sum(void *self, gt_DType dtype, void *block, int64_t count)
{
    (void)dtype, (void)block, (void)count;
    return say_nothing(self, "sum");
}

static gt_Status mute_broadcast(void *self, void *block, size_t bytes)
{
    (void)block, (void)bytes;
    return say_nothing(self, "broadcast");
}

static gt_Status mute_gather(void *self, const void *block, size_t bytes, void *all)
{
    memcpy(all, block, bytes);
    return say_nothing(self, "gather");
}

static const gt_DistributionClass mutes = {.size = sizeof(gt_DistributionClass),
                                           .name = "mutes",
                                           .open = mute_open,
                                           .rank = zero,
                                           .ranks = one,
                                           .sum = mute_sum,
                                           .broadcast = mute_broadcast,
                                           .gather = mute_gather};

typedef struct Step {
    gt_Optimizer *optimizer;
    gt_Variable *variable;
} Step;

static gt_Status squares_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Step *step = context;
    (void)in;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_square(step->variable));
    gt_minimize(step->optimizer, tape, loss, gt_tensors(step->variable));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Three steps, eagerly or in a plan, of which `good` are made; then the error, and no step more. */
static void steps_until_mute(const char *function, int from, int good, bool planned)
{
    char wanted[80];
    Mute mute = {function, 0, from};
    gt_Variable *v = gt_variable(gt_ones(gt_shape(2)));
    gt_Optimizer *sgd = gt_optimizer_distribute(gt_SGD(0.25), &mutes, &mute);
    Step step = {.optimizer = sgd, .variable = v};
    gt_Function *plan = planned ? gt_function(squares_step, &step) : NULL;
    gt_Tensor *loss;
    for (int i = 0; sgd && i < 3 && gt_status() == GT_OK; i++)
        if (planned)
            gt_function_call(plan, (gt_Tensors){0}, &loss);
        else
            squares_step(&step, NULL, &loss);
    snprintf(wanted, sizeof wanted, "mutes: %s failed without an error", function);
    fails(GT_INVALID, wanted);
    cr_assert_float_eq(gt_element(v, 1), pow(0.5, good), 0, "%s", function);
    gt_function_free(plan);
    gt_optimizer_free(sgd);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(distribution, failures_without_an_error)
{
    steps_until_mute("open", 0, 0, false);
    steps_until_mute("gather", 0, 0, false);
    steps_until_mute("broadcast", 0, 0, false);
    steps_until_mute("sum", 0, 0, false);
    steps_until_mute("sum", 1, 1, false);
    steps_until_mute("sum", 1, 1, true);
}

Test(distribution, refused)
{
    gt_DistributionClass single = threads, broken;
    single.rank = zero;
    single.ranks = one;
    single.close = count_closed;
    cr_assert(!gt_optimizer_distribute(gt_SGD(), NULL, NULL));
    fails(GT_INVALID, "a class of distributions needs its size, a name, rank, ranks, sum, broadcast and gather");
    broken = single;
    broken.gather = NULL;
    cr_assert(!gt_optimizer_distribute(gt_SGD(), &broken, NULL) && closed == 0);
    fails(GT_INVALID, "a class of distributions needs");
    broken = single;
    broken.open = no_way;
    broken.function = "Call";
    cr_assert(!gt_optimizer_distribute(gt_SGD(), &broken, NULL) && closed == 1);
    cr_assert(strstr(gt_error_message(), "test_distribution.c") && strstr(gt_error_message(), ": Call: "), "%s",
              gt_error_message());
    fails(GT_IO, "the cable is unplugged");
    broken = single;
    broken.rank = one;
    cr_assert(!gt_optimizer_distribute(gt_SGD(), &broken, NULL) && closed == 2);
    fails(GT_INVALID, "there must be 1 to 4096 ranks (got rank 1 of 1)");
    cr_assert(!gt_optimizer_distribute(NULL, &single, NULL) && closed == 3);
    fails(GT_INVALID, "");

    gt_Optimizer *sgd = gt_SGD();
    cr_assert(gt_optimizer_rank(sgd) == 0 && gt_optimizer_ranks(sgd) == 1);
    cr_assert(gt_optimizer_distribute(sgd, &single, NULL) == sgd && gt_optimizer_ranks(sgd) == 1);
    cr_assert(!gt_MultiOptimizer(gt_optimizers(sgd)));
    fails(GT_STATE, "optimizer sgd is distributed; distribute the whole");
    cr_assert(closed == 4); /* the list took it over */
    sgd = gt_optimizer_distribute(gt_SGD(), &single, NULL);
    gt_Optimizer *again = sgd;
    cr_assert(!gt_optimizer_distribute(again, &single, NULL));
    fails(GT_STATE, "optimizer sgd is distributed already");
    cr_assert(closed == 6);
    gt_Optimizer *part = gt_Adam(), *both = gt_MultiOptimizer(gt_optimizers(part, gt_SGD()));
    cr_assert(!gt_optimizer_distribute(gt_optimizer_part(both, 0), &single, NULL));
    fails(GT_STATE, "optimizer adam is part of another one, which is distributed as a whole");
    gt_optimizer_free(both);
    cr_assert(gt_optimizer_rank(NULL) == -1);
    fails(GT_INVALID, "");
    gt_context_free(NULL);
    assert_no_leaks();
}
