/* Data parallel training on MPI: every rank trains on its part of each batch, and makes the same steps. A library of its own,
 * libgradtape-mpi (pkg-config gradtape-mpi), so that nobody else needs MPI.
 *
 *     #include <gradtape.h>
 *     #include <mpi/distribute.h>
 *
 *     MPI_Init(&argc, &argv);
 *     gt_Optimizer *adam = gt_Distribute(gt_Adam(1e-3), MPI_COMM_WORLD);
 *     gt_Dataset *mine = gt_dataset_shard(train, gt_optimizer_ranks(adam), gt_optimizer_rank(adam));
 *     gt_compile(model, .optimizer = adam, .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
 *     gt_fit(model, mine, .epochs = 5);                                              the loss is that of all ranks
 *     MPI_Finalize();
 */
#ifndef GT_MPI_DISTRIBUTE_H
#define GT_MPI_DISTRIBUTE_H

#include <mpi.h>

#include "optim/distribution.h"

GT_BEGIN

/* The optimizer itself, which from now on makes its steps with the mean of the gradients of all ranks: one MPI_Allreduce of all
 * of them a step, in gt_fit, in plans (gt_function) and in loops of one's own. Called by every rank of an intracommunicator,
 * of which it makes a copy; MPI must run. NULL on failure, and then the optimizer is freed if nobody else has it. What every
 * process gets at the start, and what happens where one fails or leaves: optim/distribution.h.
 *
 * Each call makes a group of its own. With several distributed optimizers on the same ranks, a GAN's two, all ranks make these
 * calls, and all steps, in the same order. They notice where they do not: before an exchange they ask each other, by an
 * MPI_Allreduce of 16 bytes, whether all are at the same optimizer, and if not all of them get the same error, which quotes what
 * each is about: another optimizer's step, an error, MPI_Finalize. So a rank that gives up between two steps ends all as well.
 * With one distributed optimizer there is nothing to ask. */
#define gt_Distribute(optimizer, communicator) gt_Distribute_at(GT_HERE, optimizer, communicator)
GT_API gt_Optimizer *gt_Distribute_at(const char *here, gt_Optimizer *optimizer,
                                      MPI_Comm communicator);

GT_END

#endif
