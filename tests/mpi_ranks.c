/* One rank of a training on MPI, for tests/mpi_ranks.sh: mpirun -n N mpi_ranks WHAT. Exits with 0 where all went as it should. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gradtape.h>
#include <mpi/distribute.h>

static int rank, ranks, failures;

static void check(bool right, const char *what)
{
    if (!right) {
        fprintf(stderr, "rank %d of %d: %s: %s\n", rank, ranks, what, gt_status() == GT_OK ? "wrong" : gt_error_message());
        failures++;
    }
}

/* The pending error has this in it. */
static void expect(const char *part)
{
    bool right = gt_status() != GT_OK && strstr(gt_error_message(), part);
    if (!right)
        fprintf(stderr, "rank %d: \"%s\" lacks \"%s\"\n", rank, gt_error_message(), part);
    failures += !right;
    gt_error_clear();
}

/* ---- a training, whole or in parts ---- */

typedef struct Outcome {
    double loss[4], accuracy[4], evaluated;
    uint64_t checksum; /* of the weights */
    double weights;    /* their sum of squares */
} Outcome;

static gt_Dataset *make_data(void)
{
    enum { ROWS = 96 };
    float x[ROWS * 64];
    int32_t y[ROWS];
    for (int i = 0; i < ROWS * 64; i++)
        x[i] = (float)sin(0.37 * i) + (float)(i % 64 < 20 && i / 64 % 3 == 0);
    for (int i = 0; i < ROWS; i++)
        y[i] = i % 3;
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = gt_dataset_from_tensors(gt_from_data(x, gt_shape(ROWS, 8, 8, 1), GT_FLOAT32),
                                               gt_from_data(y, gt_shape(ROWS), GT_INT32), .batch_size = 16, .seed = 3);
    gt_scope_end(scope);
    return data;
}

static gt_Layer *make_model(void)
{
    return gt_Sequential(gt_Conv2D(4, 3, .activation = gt_relu), gt_MaxPooling2D(2), gt_Flatten(), gt_Dense(3));
}

static uint64_t checksum(gt_Layer *model, double *squares)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    gt_Tensors weights = gt_weights(model);
    *squares = 0;
    for (int i = 0; i < weights.count; i++) {
        const unsigned char *bytes = gt_data(weights.items[i]);
        for (int64_t k = 0; bytes && k < 4 * gt_size(weights.items[i]); k++)
            hash = (hash ^ bytes[k]) * UINT64_C(1099511628211);
        for (int64_t k = 0; k < gt_size(weights.items[i]); k++)
            *squares += pow(gt_element(weights.items[i], k), 2);
    }
    return hash;
}

static Outcome train(bool together)
{
    Outcome outcome = {.loss = {0}};
    gt_set_seed(together && rank > 0 ? 1000 + (uint64_t)rank : 1); /* first weights are rank 0's */
    gt_Layer *model = make_model();
    gt_Optimizer *adam = gt_Adam(1e-2, .global_clipnorm = 1);
    gt_Dataset *data = make_data();
    if (together) {
        adam = gt_Distribute(adam, MPI_COMM_WORLD);
        data = gt_dataset_shard(data, ranks, rank);
    }
    gt_compile(model, .optimizer = adam, .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_History *history = gt_fit(model, data, .epochs = 4, .verbose = GT_VERBOSITY_SILENT);
    check(history != NULL, "fit");
    for (int epoch = 0; epoch < 4 && history; epoch++) {
        outcome.loss[epoch] = gt_history_get(history, "loss", epoch);
        outcome.accuracy[epoch] = gt_history_get(history, "accuracy", epoch);
    }
    outcome.evaluated = gt_evaluate(model, data).loss;
    outcome.checksum = checksum(model, &outcome.weights);
    check(gt_status() == GT_OK, "train");
    gt_history_free(history);
    gt_dataset_free(data);
    gt_layer_free(model);
    return outcome;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 2e-5 * (1 + fabs(b));
}

/* All ranks together do what one of them does with the whole, and have the same bits. */
static void trains(void)
{
    Outcome parts = train(true), whole = train(false), all[64];
    MPI_Allgather(&parts, sizeof parts, MPI_BYTE, all, sizeof parts, MPI_BYTE, MPI_COMM_WORLD);
    for (int r = 0; r < ranks; r++)
        check(all[r].checksum == parts.checksum && all[r].loss[3] == parts.loss[3], "the same weights on all ranks");
    for (int epoch = 0; epoch < 4; epoch++) {
        check(near(parts.loss[epoch], whole.loss[epoch]), "the loss of one rank");
        check(fabs(parts.accuracy[epoch] - whole.accuracy[epoch]) < 1.5 / 96, "the accuracy of one rank");
    }
    check(near(parts.evaluated, whole.evaluated) && near(parts.weights, whole.weights), "the weights of one rank");
    if (rank == 0)
        printf("%d ranks: losses %.6f %.6f %.6f %.6f, one rank %.6f; weights %016llx on each\n", ranks, parts.loss[0],
               parts.loss[1], parts.loss[2], parts.loss[3], whole.loss[3], (unsigned long long)parts.checksum);
}

/* ---- a compiled step and a packed block ---- */

typedef struct Step {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Step;

static gt_Status one_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Step *step = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean(gt_square(gt_call(step->model, in[0])));
    out[0] = gt_keep(gt_identity(loss));
    gt_minimize(step->optimizer, tape, loss, gt_trainable_variables(step->model));
    gt_tape_end(tape);
    return gt_status();
}

static void steps(void)
{
    uint64_t sums[64];
    double squares;
    Step step = {gt_Dense(3), gt_Distribute(gt_SGD(0.1, .momentum = 0.9), MPI_COMM_WORLD)};
    gt_build(step.model, gt_shape(1, 4), GT_FLOAT32);
    gt_distribute_model(step.optimizer, step.model);
    gt_Function *function = gt_function(one_step, &step, .outputs = 1);
    for (int i = 0; i < 6; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_uniform(gt_shape(8, 4)), *loss;
        if (i < 3)
            gt_function_call(function, gt_tensors(x), &loss);
        else
            one_step(&step, &x, &loss);
        gt_scope_end(scope);
    }
    check(gt_status() == GT_OK && gt_optimizer_iterations(step.optimizer) == 6, "steps");
    sums[rank] = checksum(step.model, &squares);
    MPI_Allgather(MPI_IN_PLACE, 1, MPI_UINT64_T, sums, 1, MPI_UINT64_T, MPI_COMM_WORLD);
    for (int r = 0; r < ranks; r++)
        check(sums[r] == sums[0], "the same weights after steps");
    gt_function_free(function);
    gt_optimizer_free(step.optimizer);
    gt_layer_free(step.model);
}

/* ---- what goes wrong on rank 1 ---- */

static void apart(const char *kind)
{
    const bool odd = rank == 1;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *w0 = gt_ones(gt_shape(strcmp(kind, "models") == 0 && odd ? 4 : 3));
    gt_Variable *w = gt_variable(w0, .name = "kernel");
    gt_Optimizer *sgd = gt_Distribute(gt_SGD(0.5), MPI_COMM_WORLD);
    gt_optimizer_build(sgd, gt_tensors(w));
    for (int step = 0; step < 5 && gt_status() == GT_OK; step++) {
        gt_Tensor *gradient = gt_ones(gt_shape(3));
        if (odd && step == 3 && strcmp(kind, "killed") == 0)
            raise(SIGKILL);
        if (odd && step == 3 && strcmp(kind, "fails") == 0)
            gradient = gt_ones(gt_shape(2));
        if (odd && step == 3 && strcmp(kind, "leaves") == 0)
            break;
        if (odd && step == 3 && strcmp(kind, "exits") == 0) {
            fprintf(stderr, "rank 1 has had enough\n");
            exit(3);
        }
        gt_apply_gradients(sgd, gt_tensors(w), &gradient);
    }
    if (strcmp(kind, "models") == 0)
        expect("the ranks train different models");
    else if (strcmp(kind, "fails") == 0)
        expect(odd ? "the gradient of variable kernel must be" : "rank 1: an error: ");
    else if (strcmp(kind, "leaves") == 0 && !odd)
        expect("rank 1: the end of the program: it called MPI_Finalize");
    gt_optimizer_free(sgd);
    gt_variable_free(w);
    gt_scope_end(scope);
}

/* Two optimizers of one shape, so that nothing but the roll call can tell their exchanges apart. In the fourth round rank 1 leaves
 * before the step of the first or of the second; fails between them; or makes the second one's step first. All ranks hear of it. */
static void two(const char *kind)
{
    const bool odd = rank == 1;
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *v = gt_variable(gt_ones(gt_shape(3))), *w = gt_variable(gt_ones(gt_shape(3)));
    gt_Tensor *gradient = gt_ones(gt_shape(3)), *wrong = gt_ones(gt_shape(2));
    gt_Optimizer *first = gt_Distribute(gt_SGD(0.5), MPI_COMM_WORLD), *second = gt_Distribute(gt_SGD(0.5), MPI_COMM_WORLD);
    for (int step = 0; step < 5 && gt_status() == GT_OK; step++) {
        const bool now = odd && step == 3;
        if (now && strcmp(kind, "first") == 0)
            break;
        if (now && strcmp(kind, "turned") == 0)
            gt_apply_gradients(second, gt_tensors(w), &gradient);
        if (gt_status() == GT_OK)
            gt_apply_gradients(first, gt_tensors(v), &gradient);
        if (now && strcmp(kind, "second") == 0)
            break;
        if (now && strcmp(kind, "between") == 0)
            gt_add(gradient, wrong);
        if (now && strcmp(kind, "between") == 0) /* as fit does and every loop that looks at its errors only here */
            gt_apply_gradients(first, gt_tensors(v), &gradient);
        if (gt_status() == GT_OK)
            gt_apply_gradients(second, gt_tensors(w), &gradient);
    }
    const bool after = strcmp(kind, "second") == 0 || strcmp(kind, "between") == 0;
    if (strcmp(kind, "first") == 0 && !odd)
        expect("rank 1: the end of the program: it called MPI_Finalize");
    else if (strcmp(kind, "second") == 0 && !odd)
        expect("not at the same optimizer: rank 0: distributed optimizer number 2; rank 1: it called MPI_Finalize");
    else if (strcmp(kind, "turned") == 0)
        expect("not at the same optimizer: rank 0: distributed optimizer number 1; rank 1: distributed optimizer number 2");
    else if (strcmp(kind, "between") == 0)
        expect(odd ? "add: " : "rank 0: distributed optimizer number 2; rank 1: an error: ");
    check(gt_element(v, 0) == (after ? -1 : -0.5) && gt_element(w, 0) == -0.5, "as many steps as all ranks made");
    if (strcmp(kind, "turned") == 0) {
        gt_apply_gradients(first, gt_tensors(v), &gradient);
        expect("nothing is exchanged any more");
    }
    gt_optimizer_free(first), gt_optimizer_free(second);
    gt_variable_free(v), gt_variable_free(w);
    gt_scope_end(scope);
}

/* Communicators that are gone, or never were. */
static void gone(void)
{
    check(!gt_Distribute(gt_SGD(), MPI_COMM_NULL), "a null communicator");
    expect("Distribute: the communicator is MPI_COMM_NULL");
    MPI_Comm copy;
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_ones(gt_shape(3)));
    gt_Tensor *gradient = gt_full(gt_shape(3), rank);
    gt_Optimizer *sgd = gt_Distribute(gt_SGD(1), copy);
    MPI_Comm_free(&copy); /* the optimizer has its own */
    check(gt_apply_gradients(sgd, gt_tensors(w), &gradient) == GT_OK && gt_element(w, 0) == 1 - (ranks - 1) / 2.0,
          "the mean of the gradients");
    check(gt_optimizer_rank(sgd) == rank && gt_optimizer_ranks(sgd) == ranks, "rank and number");
    MPI_Finalize();
    gt_apply_gradients(sgd, gt_tensors(w), &gradient);
    expect("MPI does not run: MPI_Init comes before, MPI_Finalize behind everything");
    check(!gt_Distribute(gt_SGD(), MPI_COMM_WORLD), "MPI that ended");
    expect("MPI does not run");
    gt_optimizer_free(sgd);
    gt_variable_free(w);
    gt_scope_end(scope);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "trains";
    int ended = 0;
    check(!gt_Distribute(gt_SGD(), MPI_COMM_WORLD), "MPI that did not begin");
    expect("MPI does not run");
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (strcmp(what, "trains") == 0) {
        trains();
        steps();
    } else if (strcmp(what, "gone") == 0) {
        gone();
    } else if (strcmp(what, "first") == 0 || strcmp(what, "second") == 0 || strcmp(what, "between") == 0 ||
               strcmp(what, "turned") == 0) {
        two(what);
    } else {
        apart(what);
    }
    MPI_Finalized(&ended);
    if (!ended)
        MPI_Finalize();
    gt_context_free(NULL);
    return failures > 0;
}
