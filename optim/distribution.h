/* Several processes that train one model, each on its part of every batch: data parallel. The optimizer of each puts the mean
 * of all their gradients in place of its own before it clips, decays and updates, so that all of them make the same step.
 *
 *     gt_Optimizer *adam = gt_Distribute(gt_Adam(1e-3), MPI_COMM_WORLD);          (gradtape/mpi/distribute.h)
 *
 * How processes reach each other is a class's: libgradtape-mpi has one for MPI. This header is for who writes another one, and
 * for who wants to know how many there are. train/distribute.h has what belongs to models, metrics and datasets.
 *
 * Who is told what: an exchange is the gradients of all variables in one block, with a few elements behind them that say what
 * its process is about: a step and which, the end of an epoch, an error. They are summed as the gradients are, in the same
 * call, and every process sees from the sums whether all are about the same. If not, each says in words what it is about, and
 * all of them return the same error, which quotes the others: a process that fails or leaves early ends the training of all
 * with this optimizer, and nobody waits for it for ever.
 *
 * That holds for one optimizer at a time. Several distributed ones (a GAN) are groups that know nothing of each other here: a
 * class sees to it that a process in an exchange of one of them does not wait for one in an exchange of another. That of MPI
 * does, and ends all with a message; mpi/distribute.h says how. */
#ifndef GT_OPTIM_DISTRIBUTION_H
#define GT_OPTIM_DISTRIBUTION_H

#include "optim/optimizer.h"

GT_BEGIN

/* How the processes reach each other. Every process calls the same functions in the same order with the same sizes. They
 * return GT_OK, or raise what is wrong (gt_fail) and return gt_status(); a failure without an error becomes one. */
typedef struct gt_DistributionClass {
    uint32_t size;    /* of this struct */
    const char *name; /* "mpi" */
    const char *
        function; /* "Distribute": gt_Distribute calls gt_optimizer_distribute; NULL: nothing does */
    /* Called first: reaches the others, or raises what is wrong. NULL: there is nothing to do. */
    gt_Status (*open)(void *self);
    int (*rank)(void *self);  /* of this process, from 0 */
    int (*ranks)(void *self); /* how many processes there are, at least 1 */
    /* block[i] becomes the sum over all processes, where it lies; float32 or float64. The same bits in every process. */
    gt_Status (*sum)(void *self, gt_DType dtype, void *block, int64_t count);
    /* The block becomes that of process 0. */
    gt_Status (*broadcast)(void *self, void *block, size_t bytes);
    /* `all` gets the block of each process, by rank. */
    gt_Status (*gather)(void *self, const void *block, size_t bytes, void *all);
    /* All began: an exchange is of so many elements, which gt_distribution_leave wants to know. NULL: it does not matter. */
    void (*begun)(void *self, gt_DType dtype, int64_t count);
    /* The processes fell out of step: nothing more is going to be asked. NULL: it does not matter. */
    void (*part)(void *self);
    void (*close)(
        void *
            self); /* when the optimizer is freed, and after a failure; calls nobody. NULL: nothing to free */
} gt_DistributionClass;

/* The optimizer itself, which from now on exchanges its gradients through that class. `context` is what its functions get as `self`; it is taken over, also when this
 * fails. Once; all processes before the same step of theirs. NULL on failure, and then the optimizer is freed if nobody else
 * has it. One that is made of several is distributed as a whole. When it is built, or at its first step if it was before, the
 * processes compare their variables, names and shapes, and take over the elements and the optimizer's state of process 0;
 * where the first step builds it, gradients were computed already, and variables that differ are an error. */
#define gt_optimizer_distribute(...) gt_optimizer_distribute_at(GT_HERE, __VA_ARGS__)
GT_API gt_Optimizer *gt_optimizer_distribute_at(const char *here, gt_Optimizer *optimizer,
                                                const gt_DistributionClass *type, void *context);

/* This process and how many there are: 0 and 1 of an optimizer that is not distributed; -1 on failure. */
#define gt_optimizer_rank(optimizer) gt_optimizer_rank_at(GT_HERE, optimizer)
GT_API int gt_optimizer_rank_at(const char *here, const gt_Optimizer *optimizer);
#define gt_optimizer_ranks(optimizer) gt_optimizer_ranks_at(GT_HERE, optimizer)
GT_API int gt_optimizer_ranks_at(const char *here, const gt_Optimizer *optimizer);

/* For a class whose process ends while others may wait for it: takes part in the exchange that they are in, and says that it
 * leaves, and `why`. It waits until all others come to an exchange of this group. Needs no context. `count` elements of `dtype` are what `begun` was told; 0: it never was. */
GT_API void gt_distribution_leave(const gt_DistributionClass *type, void *context, gt_DType dtype,
                                  int64_t count, const char *why);

GT_END

#endif
