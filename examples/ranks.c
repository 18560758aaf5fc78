/* Two ranks of MPI, or more, that train one network in the host's own hands: mpirun -n 2 build/examples/ranks
 *
 * Each rank computes the gradients of its rows into one block, MPI sums the blocks, and every rank applies the sum with the same
 * optimizer. Weights begin alike, since first values depend on the seed and the names of the layers alone, and stay alike bit for
 * bit, since all make the same steps. gt_Distribute (docs/distributed.md) does all this by itself, and tells the ranks of errors;
 * this is for hosts that want to see every byte. */
#include <mpi.h>

#include "example.h"

enum { STEPS = 400 };

static uint64_t checksum(const double *block, int64_t n)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    const unsigned char *bytes = (const unsigned char *)block;
    for (int64_t i = 0; i < n * (int64_t)sizeof *block; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    return sum;
}

int main(int count, char **arguments)
{
    int rank, ranks;
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);

    gt_Layer *model = gt_Sequential(gt_Dense(8, .activation = gt_tanh), gt_Dense(1));
    gt_build(model, gt_shape(1, 1), GT_FLOAT64);
    gt_Tensors weights = gt_trainable_variables(model);
    gt_Optimizer *adam = gt_Adam(2e-2);
    const int64_t n = gt_count_params(model);
    double *block = gt_pack(weights), *slope = calloc((size_t)n, sizeof *slope), loss = 0;

    for (int step = 0; step < STEPS && slope && gt_status() == GT_OK; step++) {
        gt_Tape *tape = gt_tape_begin();
        double first = (double)rank / ranks, last = (rank + 1.0) / ranks; /* this rank's part of the rows */
        gt_Tensor *x = gt_reshape(gt_linspace(first, last, 32, .dtype = GT_FLOAT64), gt_shape(32, 1));
        gt_Tensor *part = gt_mean_squared_error(gt_sin(gt_multiply(x, 6)), gt_call(model, x, .training = true));
        loss = gt_item(part);
        gt_gradients_into(tape, part, weights, slope, (size_t)n * sizeof *slope);
        gt_tape_end(tape);

        MPI_Allreduce(MPI_IN_PLACE, slope, (int)n, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        MPI_Allreduce(MPI_IN_PLACE, &loss, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        for (int64_t i = 0; i < n; i++)
            slope[i] /= ranks;
        gt_apply_packed(adam, weights, slope, (size_t)n * sizeof *slope);
    }

    uint64_t mine = block ? checksum(block, n) : 0, least, most;
    MPI_Allreduce(&mine, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d ranks, loss %.4f, weights %016llx: %s\n", ranks, loss / ranks, (unsigned long long)mine,
               least == most ? "the same on each" : "they differ");
    int failed = gt_status() != GT_OK || least != most || !(loss / ranks < 0.05);
    if (gt_status() != GT_OK)
        fprintf(stderr, "rank %d: %s\n", rank, gt_error_message());
    MPI_Finalize();
    free(slope);
    gt_optimizer_free(adam);
    gt_layer_free(model);
    gt_context_free(NULL);
    return failed;
}
