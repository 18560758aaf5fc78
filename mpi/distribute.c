/* Ranks of an MPI communicator as a class of distributions.
 *
 * A rank that calls MPI_Finalize while others wait for it in a step would let them wait for ever. MPI_Finalize begins by freeing
 * MPI_COMM_SELF, and so by calling who left something there: that one takes part in the exchange of the others, and says that
 * this rank leaves. Where all ranks finish together they all do, once. Several groups are left one after the other, in the order
 * in which they were made: whoever waits in a later one is not reached (distribute.h says so). */
#include "mpi/distribute.h"

#include <stdlib.h>

/* Lives to MPI_Finalize and as long as its optimizer, whichever ends later. */
typedef struct Ranks {
    MPI_Comm communicator; /* the caller's, a copy once it is opened */
    int rank, ranks;
    bool opened;    /* it is in the list, until MPI_Finalize */
    bool closed;    /* its optimizer was freed */
    bool parted;    /* nothing is exchanged any more */
    gt_DType dtype; /* of an exchange */
    int64_t count;  /* 0: they did not begin */
    struct Ranks *next;
} Ranks;

static Ranks *all; /* in the order in which they were made, which is the same in every process */
static int farewell = MPI_KEYVAL_INVALID;

static gt_Status check(int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == MPI_SUCCESS)
        return GT_OK;
    MPI_Error_string(code, text, &length);
    return gt_fail(GT_IO, "%s: %s", what, text);
}

static bool is_running(void)
{
    int begun = 0, ended = 0;
    return MPI_Initialized(&begun) == MPI_SUCCESS && begun &&
           MPI_Finalized(&ended) == MPI_SUCCESS && !ended;
}

static gt_Status require_running(void)
{
    return is_running()
               ? GT_OK
               : gt_fail(GT_STATE,
                         "MPI does not run: MPI_Init comes before, MPI_Finalize behind everything");
}

/* ---- the class ---- */

static int rank(void *self)
{
    return ((const Ranks *)self)->rank;
}

static int ranks(void *self)
{
    return ((const Ranks *)self)->ranks;
}

/* Counts of MPI are ints. */
enum { AT_ONCE = 1 << 28 };

static gt_Status sum(void *user, gt_DType dtype, void *block, int64_t count)
{
    const Ranks *self = user;
    char *at = block;
    if (require_running() != GT_OK)
        return gt_status();
    for (int64_t left = count; left > 0; left -= AT_ONCE) {
        const int now = left < AT_ONCE ? (int)left : AT_ONCE;
        if (check(MPI_Allreduce(MPI_IN_PLACE, at, now, dtype == GT_FLOAT64 ? MPI_DOUBLE : MPI_FLOAT,
                                MPI_SUM, self->communicator),
                  "MPI_Allreduce") != GT_OK)
            return gt_status();
        at += (size_t)now * gt_dtype_size(dtype);
    }
    return GT_OK;
}

static gt_Status broadcast(void *user, void *block, size_t bytes)
{
    const Ranks *self = user;
    char *at = block;
    for (; bytes > 0 && require_running() == GT_OK;) {
        const int now = bytes < AT_ONCE ? (int)bytes : AT_ONCE;
        if (check(MPI_Bcast(at, now, MPI_BYTE, 0, self->communicator), "MPI_Bcast") != GT_OK)
            break;
        at += now;
        bytes -= (size_t)now;
    }
    return bytes == 0 ? GT_OK : gt_status();
}

static gt_Status gather(void *user, const void *block, size_t bytes, void *everything)
{
    const Ranks *self = user;
    if (require_running() != GT_OK)
        return gt_status();
    return check(MPI_Allgather(block, (int)bytes, MPI_BYTE, everything, (int)bytes, MPI_BYTE,
                               self->communicator),
                 "MPI_Allgather");
}

static void begun(void *user, gt_DType dtype, int64_t count)
{
    Ranks *self = user;
    self->dtype = dtype;
    self->count = count;
}

static void part(void *self)
{
    ((Ranks *)self)->parted = true;
}

/* ---- MPI_Finalize ---- */

static const gt_DistributionClass class_of_mpi;

static int leave(MPI_Comm communicator, int key, void *value, void *extra)
{
    (void)communicator, (void)key, (void)value, (void)extra;
    for (Ranks *self = all, *next; self; self = next) {
        next = self->next;
        if (!self->parted)
            gt_distribution_leave(&class_of_mpi, self, self->dtype, self->count,
                                  gt_status() == GT_OK ? "it called MPI_Finalize"
                                                       : gt_error_message());
        MPI_Comm_free(&self->communicator);
        self->opened = false;
        if (self->closed)
            free(self);
    }
    all = NULL;
    return MPI_SUCCESS;
}

static gt_Status watch_finalize(void)
{
    if (farewell != MPI_KEYVAL_INVALID)
        return GT_OK;
    return check(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, leave, &farewell, NULL),
                 "MPI_Comm_create_keyval") == GT_OK
               ? check(MPI_Comm_set_attr(MPI_COMM_SELF, farewell, NULL), "MPI_Comm_set_attr")
               : gt_status();
}

/* ---- making one ---- */

static gt_Status check_communicator(MPI_Comm communicator)
{
    int inter = 0;
    if (require_running() != GT_OK)
        return gt_status();
    if (communicator == MPI_COMM_NULL)
        return gt_fail(GT_INVALID, "the communicator is MPI_COMM_NULL");
    if (check(MPI_Comm_test_inter(communicator, &inter), "MPI_Comm_test_inter") == GT_OK && inter)
        return gt_fail(GT_INVALID, "the communicator must be an intracommunicator");
    return gt_status();
}

static gt_Status open_ranks(void *user)
{
    Ranks *self = user, **last = &all;
    MPI_Comm given = self->communicator;
    if (check_communicator(given) != GT_OK || watch_finalize() != GT_OK ||
        check(MPI_Comm_dup(given, &self->communicator), "MPI_Comm_dup") != GT_OK)
        return gt_status();
    MPI_Comm_set_errhandler(self->communicator, MPI_ERRORS_RETURN);
    MPI_Comm_rank(self->communicator, &self->rank);
    MPI_Comm_size(self->communicator, &self->ranks);
    self->opened = true;
    while (*last)
        last = &(*last)->next;
    *last = self;
    return GT_OK;
}

/* What is open stays for MPI_Finalize. */
static void close_ranks(void *user)
{
    Ranks *self = user;
    self->closed = true;
    if (!self->opened)
        free(self);
}

static const gt_DistributionClass class_of_mpi = {.size = sizeof(gt_DistributionClass),
                                                  .name = "mpi",
                                                  .function = "Distribute",
                                                  .open = open_ranks,
                                                  .rank = rank,
                                                  .ranks = ranks,
                                                  .sum = sum,
                                                  .broadcast = broadcast,
                                                  .gather = gather,
                                                  .begun = begun,
                                                  .part = part,
                                                  .close = close_ranks};

gt_Optimizer *gt_Distribute_at(const char *here, gt_Optimizer *optimizer, MPI_Comm communicator)
{
    Ranks *self = calloc(1, sizeof *self);
    if (self) {
        self->communicator = communicator;
        return gt_optimizer_distribute_at(here, optimizer, &class_of_mpi, self);
    }
    gt_fail(GT_NO_MEMORY, "there is no memory for a communicator");
    gt_optimizer_free(optimizer);
    return NULL;
}
