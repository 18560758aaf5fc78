/* Ranks of an MPI communicator as a class of distributions.
 *
 * A rank that calls MPI_Finalize while others wait for it in a step would let them wait for ever. MPI_Finalize begins by freeing
 * MPI_COMM_SELF, and so by calling who left something there: that one takes part in the exchange of the others, and says that
 * this rank leaves. Where all ranks finish together they all do, once.
 *
 * Several optimizers of the same ranks are a family. Each exchange of theirs begins with a roll call on a communicator that all of
 * them share, 16 bytes: is everybody at the same optimizer? Otherwise one rank would wait in an exchange of the first and another
 * in one of the second for ever. A family of one calls no roll. */
#include "mpi/distribute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lives to MPI_Finalize. */
typedef struct Family {
    MPI_Comm communicator; /* of the same ranks in the same order, for roll calls */
    int64_t members;       /* optimizers that were made, in the same order on each rank */
    bool parted;           /* a roll call failed: nothing is exchanged any more */
    struct Family *next;
} Family;

/* Lives to MPI_Finalize and as long as its optimizer, whichever ends later. */
typedef struct Ranks {
    MPI_Comm communicator; /* the caller's, a copy once it is opened */
    Family *family;
    int64_t number; /* in the family, from 1 */
    int rank, ranks;
    bool opened;    /* it is in the list, until MPI_Finalize */
    bool closed;    /* its optimizer was freed */
    bool parted;    /* nothing is exchanged any more */
    gt_DType dtype; /* of an exchange */
    int64_t count;  /* 0: they did not begin */
    struct Ranks *next;
} Ranks;

static Ranks *all; /* in the order in which they were made, which is the same in every process */
static Family *families;
static bool leaving; /* MPI_Finalize was called */
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

/* ---- roll calls ---- */

enum { SAID = 256 };

/* What this rank has to say: its error, that it leaves, or which optimizer it came to. */
static void say(const Ranks *self, char *text)
{
    memset(text, 0, SAID); /* its bytes go to other processes */
    if (gt_status() != GT_OK)
        snprintf(text, SAID, "an error: %s", gt_error_message());
    else if (leaving)
        snprintf(text, SAID, "it called MPI_Finalize");
    else
        snprintf(text, SAID, "distributed optimizer number %lld", (long long)self->number);
}

/* They are at different optimizers. Everybody says why, and gets the same error; who leaves needs none. */
static gt_Status fall_apart(const Ranks *self)
{
    char text[SAID], message[900] = "";
    size_t used = 0;
    self->family->parted = true;
    for (int r = 0; r < self->ranks; r++) { /* one after the other: it is the end, and needs no memory */
        say(self, text);
        MPI_Bcast(text, SAID, MPI_CHAR, r, self->family->communicator);
        if (used < sizeof message && !strstr(message, text))
            used += (size_t)snprintf(message + used, sizeof message - used, "%srank %d: %s",
                                     used ? "; " : "", r, text);
    }
    if (leaving)
        return GT_STATE;
    return gt_fail(GT_STATE, "the ranks are not at the same optimizer: %s", message);
}

/* Before each exchange: MPI runs, and all ranks are at this optimizer. */
static gt_Status call_roll(const Ranks *self)
{
    Family *family = self->family;
    int64_t extremes[2] = {self->number, -self->number};
    if (!is_running())
        return require_running();
    if (family->parted)
        return leaving
                   ? GT_STATE
                   : gt_fail(
                         GT_STATE,
                         "the %d ranks were at different optimizers before; nothing is exchanged "
                         "any more",
                         self->ranks);
    if (family->members < 2)
        return GT_OK;
    if (check(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_INT64_T, MPI_MAX, family->communicator),
              "MPI_Allreduce") != GT_OK)
        return gt_status();
    return extremes[0] == -extremes[1] ? GT_OK : fall_apart(self);
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
    const gt_Status ready = call_roll(self);
    if (ready != GT_OK)
        return ready;
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
    const gt_Status ready = call_roll(self);
    if (ready != GT_OK)
        return ready;
    while (bytes > 0) {
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
    const gt_Status ready = call_roll(self);
    if (ready != GT_OK)
        return ready;
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
    leaving = true;
    for (Ranks *self = all, *next; self; self = next) {
        next = self->next;
        if (!self->parted && !self->family->parted)
            gt_distribution_leave(&class_of_mpi, self, self->dtype, self->count,
                                  gt_status() == GT_OK ? "it called MPI_Finalize"
                                                       : gt_error_message());
        MPI_Comm_free(&self->communicator);
        self->opened = false;
        if (self->closed)
            free(self);
    }
    all = NULL;
    for (Family *family = families, *next; family; family = next) {
        next = family->next;
        MPI_Comm_free(&family->communicator);
        free(family);
    }
    families = NULL;
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

/* The optimizers of the same ranks in the same order, whichever communicator they were made with. */
static Family *find_family(MPI_Comm communicator)
{
    int how = MPI_UNEQUAL;
    for (Family *family = families; family; family = family->next)
        if (MPI_Comm_compare(family->communicator, communicator, &how) == MPI_SUCCESS &&
            (how == MPI_IDENT || how == MPI_CONGRUENT))
            return family;
    Family *made = calloc(1, sizeof *made);
    if (!made || check(MPI_Comm_dup(communicator, &made->communicator), "MPI_Comm_dup") != GT_OK) {
        free(made);
        return NULL;
    }
    MPI_Comm_set_errhandler(made->communicator, MPI_ERRORS_RETURN);
    made->next = families;
    return families = made;
}

static gt_Status open_ranks(void *user)
{
    Ranks *self = user, **last = &all;
    MPI_Comm given = self->communicator;
    if (check_communicator(given) != GT_OK || watch_finalize() != GT_OK)
        return gt_status();
    self->family = find_family(given);
    if (!self->family)
        return gt_status() != GT_OK
                   ? gt_status()
                   : gt_fail(GT_NO_MEMORY, "there is no memory for a communicator");
    if (check(MPI_Comm_dup(given, &self->communicator), "MPI_Comm_dup") != GT_OK)
        return gt_status();
    self->number = ++self->family->members;
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
