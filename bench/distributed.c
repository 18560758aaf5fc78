/* A training step of a CNN on one batch of 128 images, by one process with some threads, or by the ranks of MPI, each with its part of
 * the batch: bench/distributed.sh runs it in each way.
 *
 *     build/bench/distributed THREADS [ROUNDS]         alone, or behind mpirun -n N
 *
 * Prints the least and the median time of a step on the wall, the share of it that the exchange of gradients takes, and a
 * checksum of the weights, which must be that of every rank. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gradtape.h>
#include <mpi/distribute.h>

enum { BATCH = 128, SIDE = 28, MOST = 4096 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Training {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Training;

static gt_Status one_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Training *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = gt_call(self->model, in[0], .training = true);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true);
    out[0] = gt_keep(gt_identity(loss));
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    return gt_tape_end(tape);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The exchange alone: as many elements as the model has. */
static double time_exchange(int64_t count, int rounds)
{
    float *block = calloc((size_t)count, sizeof *block);
    double least = 1e9;
    for (int i = 0; i < rounds; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double began = now();
        MPI_Allreduce(MPI_IN_PLACE, block, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        double took = now() - began;
        least = took < least ? took : least;
    }
    free(block);
    return least;
}

static uint64_t checksum(gt_Layer *model)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    gt_Tensors weights = gt_weights(model);
    for (int i = 0; i < weights.count; i++) {
        const unsigned char *bytes = gt_data(weights.items[i]);
        for (int64_t k = 0; bytes && k < 4 * gt_size(weights.items[i]); k++)
            sum = (sum ^ bytes[k]) * UINT64_C(1099511628211);
    }
    return sum;
}

int main(int argc, char **argv)
{
    static double took[MOST];
    int rank, ranks, rounds = argc > 2 ? atoi(argv[2]) : 60;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    rounds = rounds < 3 ? 3 : rounds > MOST ? MOST : rounds;
    gt_set_threads(argc > 1 ? atoi(argv[1]) : 1);

    Training training = {gt_Sequential(gt_Conv2D(32, 3, .activation = gt_relu), gt_MaxPooling2D(2),
                                       gt_Conv2D(64, 3, .activation = gt_relu), gt_MaxPooling2D(2), gt_Flatten(),
                                       gt_Dense(128, .activation = gt_relu), gt_Dense(10)),
                         gt_Adam(1e-3)};
    if (ranks > 1)
        training.optimizer = gt_Distribute(training.optimizer, MPI_COMM_WORLD);
    gt_build(training.model, gt_shape(1, SIDE, SIDE, 1), GT_FLOAT32);
    if (ranks > 1)
        gt_distribute_model(training.optimizer, training.model);
    gt_Function *step = gt_function(one_step, &training, .outputs = 1);
    gt_Scope *scope = gt_scope_begin();
    const int64_t rows = BATCH / ranks;
    gt_Tensor *in[] = {gt_uniform(gt_shape(rows, SIDE, SIDE, 1)), gt_cast(gt_uniform(gt_shape(rows), .high = 10), GT_INT32)};
    for (int i = -3; i < rounds && gt_status() == GT_OK; i++) {
        gt_Tensor *loss;
        MPI_Barrier(MPI_COMM_WORLD);
        double began = now();
        gt_function_call(step, ((gt_Tensors){in, 2}), &loss);
        if (i >= 0)
            took[i] = now() - began;
    }
    const int64_t count = gt_count_params(training.model);
    double exchange = ranks > 1 ? time_exchange(count, rounds) : 0;
    uint64_t mine = checksum(training.model), least, most;
    MPI_Allreduce(&mine, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    qsort(took, (size_t)rounds, sizeof *took, by_size);
    if (rank == 0)
        printf("%d rank%s of %s thread%s: least %.2f ms, median %.2f ms; exchange of %lld parameters %.2f ms; weights %s\n", ranks,
               ranks > 1 ? "s" : "", argc > 1 ? argv[1] : "1", argc > 1 && atoi(argv[1]) > 1 ? "s" : "", 1e3 * took[0],
               1e3 * took[rounds / 2], (long long)count, 1e3 * exchange, least == most ? "equal" : "DIFFER");
    if (gt_status() != GT_OK)
        fprintf(stderr, "rank %d: %s\n", rank, gt_error_message());
    int failed = gt_status() != GT_OK || least != most;
    gt_scope_end(scope);
    MPI_Finalize();
    gt_function_free(step);
    gt_optimizer_free(training.optimizer);
    gt_layer_free(training.model);
    gt_context_free(NULL);
    return failed;
}
