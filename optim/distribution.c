/* Gradients that several processes share. See distribution.h for what is said behind a block.
 *
 *     start   once: do all have the same variables?  rank 0's elements become everybody's
 *     join    each step, between gradients and update, in a plan or not: pack -> gt_exchange -> mean -> cut
 *     meet    an exchange without gradients: all are at the end of an epoch, or one says that it failed
 *
 * A block has the gradients of all variables of one dtype in the order in which the optimizer was built, zeros where there is
 * none, so that every exchange of an optimizer is of the same size; behind those of the first block stands the note.
 *
 *     note = {what, what^2, step, step^2, missing, missing^2}, small integers, exact in float32
 *
 * All agree if n times the sum of squares is the square of the sum. This every process sees alike, whatever its own note. */
#include "optim/distribution.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/table.h"
#include "ops/update/exchange.h"
#include "optim/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { F32, F64, TYPES };
static const gt_DType dtypes[TYPES] = {GT_FLOAT32, GT_FLOAT64};
enum {
    NOTE = 6,
    NOTE_LIMIT = 64
}; /* steps and missing ones are told modulo that: exact for 4096 processes */

/* What a process says of itself in words. */
typedef struct Words {
    uint64_t model, weights; /* hashes */
    int32_t about;           /* a gt_Meeting */
    char text[228];
} Words;

struct gt_Distribution {
    gt_Context *context;
    gt_Optimizer *optimizer; /* it belongs to */
    const gt_DistributionClass *type;
    void *self;
    int rank, ranks;
    bool started, apart; /* all began together; they fell out of step */
    bool models;         /* the models were compared */
    gt_Exchange *exchange;
    int64_t size[TYPES];        /* elements of a block; 0: no variable has this dtype */
    int64_t *first;             /* element of its block, of each entry */
    gt_Tensor **joined, **list; /* room for the gradients of a step, for the parts of a block */
    int32_t entries;
};

/* ---- making and freeing ---- */

static void forget_blocks(gt_Distribution *self)
{
    size_t pointers = (size_t)self->entries * sizeof(gt_Tensor *);
    gt_release(self->context, self->first, (size_t)self->entries * sizeof *self->first);
    gt_release(self->context, self->joined, pointers);
    gt_release(self->context, self->list, pointers + 2 * sizeof(gt_Tensor *));
    self->first = NULL;
    self->joined = self->list = NULL;
    self->entries = 0;
}

void gt_distribution_unbuild(gt_Optimizer *optimizer)
{
    if (optimizer->distribution) {
        forget_blocks(optimizer->distribution);
        optimizer->distribution->started = optimizer->distribution->models = false;
    }
}

void gt_distribution_free(gt_Optimizer *optimizer)
{
    gt_Distribution *self = optimizer->distribution;
    if (!self)
        return;
    forget_blocks(self);
    if (self->exchange)
        gt_object_release(&self->exchange->object);
    if (self->type->close)
        self->type->close(self->self);
    gt_release(self->context, self, sizeof *self);
    optimizer->distribution = NULL;
}

static bool is_complete(const gt_DistributionClass *type)
{
    return type && type->size >= sizeof *type && type->name && type->rank && type->ranks &&
           type->sum && type->broadcast && type->gather;
}

/* What a function of the class returned. A failure is an error also where the class raised none: nobody goes on with what it
 * did not do. */
static gt_Status heard(const gt_DistributionClass *type, const char *what, gt_Status status)
{
    if (status != GT_OK && gt_status() == GT_OK)
        gt_fail(GT_INVALID, "%s: %s failed without an error", type->name, what);
    return gt_status();
}

static gt_Status ask_sum(const gt_Distribution *self, gt_DType dtype, void *block, int64_t count)
{
    return heard(self->type, "sum", self->type->sum(self->self, dtype, block, count));
}

static gt_Status ask_all(const gt_Distribution *self, const void *mine, size_t bytes, void *all)
{
    return heard(self->type, "gather", self->type->gather(self->self, mine, bytes, all));
}

static gt_Status check_optimizer(const gt_Optimizer *optimizer)
{
    const char *why = optimizer->distribution ? "is distributed already"
                      : optimizer->is_part
                          ? "is part of another one, which is distributed as a whole"
                          : NULL;
    return why ? gt_fail(GT_STATE, "optimizer %s %s", optimizer->name, why) : gt_status();
}

static gt_Status exchange(void *user, gt_DType dtype, void *elements, int64_t count);

/* Takes `user` over once it is going to be closed with the optimizer. */
static gt_Status distribute(gt_Optimizer *optimizer, const gt_DistributionClass *type, void *user)
{
    gt_Context *context = optimizer->object.context;
    if (check_optimizer(optimizer) != GT_OK ||
        (type->open && heard(type, "open", type->open(user)) != GT_OK))
        return gt_status();
    const int rank = type->rank(user), ranks = type->ranks(user);
    if (ranks < 1 || ranks > 4096 || rank < 0 || rank >= ranks)
        return gt_fail(GT_INVALID, "%s: there must be 1 to 4096 ranks (got rank %d of %d)",
                       type->name, rank, ranks);
    gt_Distribution *self = gt_allocate_zeroed(context, sizeof *self);
    if (!self)
        return gt_context_status(context);
    *self = (gt_Distribution){.context = context,
                              .optimizer = optimizer,
                              .type = type,
                              .self = user,
                              .rank = rank,
                              .ranks = ranks};
    self->exchange = gt_exchange_new(context, exchange, self);
    if (!self->exchange || !gt_object_identity(&self->exchange->object)) {
        if (self->exchange)
            gt_object_release(&self->exchange->object);
        gt_release(context, self, sizeof *self);
        return gt_context_status(context);
    }
    optimizer->distribution = self;
    return GT_OK;
}

gt_Optimizer *gt_optimizer_distribute_at(const char *here, gt_Optimizer *optimizer,
                                         const gt_DistributionClass *type, void *user)
{
    const char *operation =
        type && is_complete(type) && type->function ? type->function : "optimizer_distribute";
    gt_Context *context = gt_enter();
    bool found = context && gt_optimizer_check(context, here, operation, optimizer);
    if (found && !is_complete(type))
        gt_raise(context, GT_INVALID, here, operation,
                 "a class of distributions needs its size, a name, rank, ranks, sum, broadcast and "
                 "gather");
    if (found && gt_context_status(context) == GT_OK) {
        gt_Site site = gt_site_enter(here, operation);
        if (gt_tracing(context))
            gt_fail(GT_STATE, "it cannot be called inside a traced function; call it before");
        else
            distribute(optimizer, type, user);
        gt_site_leave(&site);
        if (gt_context_status(context) == GT_OK)
            return optimizer;
    }
    if (is_complete(type) && type->close)
        type->close(user);
    if (found)
        gt_optimizer_free(optimizer);
    return NULL;
}

bool gt_optimizer_is_distributed(const gt_Optimizer *optimizer)
{
    return optimizer->distribution != NULL;
}

bool gt_distribution_begun(const gt_Optimizer *optimizer)
{
    return optimizer && optimizer->distribution && optimizer->distribution->started;
}

bool gt_distribution_first_model(gt_Optimizer *optimizer)
{
    gt_Distribution *self = optimizer->distribution;
    bool first = self && self->started && !self->models;
    if (first)
        self->models = true;
    return first;
}

static int ask(const char *here, const char *operation, const gt_Optimizer *optimizer, bool rank)
{
    gt_Context *context = gt_enter();
    if (!context || !gt_optimizer_check(context, here, operation, optimizer))
        return -1;
    const gt_Distribution *self = optimizer->distribution;
    return !self ? !rank : rank ? self->rank : self->ranks;
}

int gt_optimizer_rank_at(const char *here, const gt_Optimizer *optimizer)
{
    return ask(here, "optimizer_rank", optimizer, true);
}

int gt_optimizer_ranks_at(const char *here, const gt_Optimizer *optimizer)
{
    return ask(here, "optimizer_ranks", optimizer, false);
}

/* ---- notes and words ---- */

static int64_t steps_of(const gt_Optimizer *optimizer)
{
    const int64_t *calls = gt_tensor_data(optimizer->number[GT_ITERATION]);
    return calls ? *calls : 0;
}

static void write_note(gt_DType dtype, void *note, gt_Meeting about, int64_t step)
{
    const double small = (double)(step % NOTE_LIMIT), what = (double)about;
    const double numbers[NOTE] = {what, what * what, small, small * small, 0, 0};
    for (int i = 0; i < NOTE; i++)
        gt_number_store(dtype, note, i, numbers[i]);
}

static bool all_agree(gt_DType dtype, const void *note, int ranks)
{
    for (int i = 0; i < NOTE; i += 2) {
        const double sum = gt_number_fetch(dtype, note, i),
                     squares = gt_number_fetch(dtype, note, i + 1);
        if (!(ranks * squares == sum * sum))
            return false;
    }
    return true;
}

static const char *name_of(int32_t about)
{
    static const char *const names[] = {"nothing",
                                        "a step",
                                        "the end of an epoch",
                                        "an error",
                                        "the end of the program",
                                        "the beginning of a fit",
                                        "an evaluation",
                                        "the start"};
    return about >= 0 && about < (int32_t)(sizeof names / sizeof *names) ? names[about]
                                                                         : "another version";
}

/* "rank 0: a step, number 12; rank 1: an error: ...": of each kind the first rank. */
static void put_words(const Words *all, int ranks, char *text, size_t size)
{
    size_t used = 0;
    for (int r = 0; r < ranks && used < size; r++) {
        bool told = false;
        for (int k = 0; k < r; k++)
            told |= all[k].about == all[r].about &&
                    strncmp(all[k].text, all[r].text, sizeof all[k].text) == 0;
        if (!told)
            used += (size_t)snprintf(text + used, size - used, "%srank %d: %s%s%.227s",
                                     used ? "; " : "", r, name_of(all[r].about),
                                     all[r].text[0] ? ": " : "", all[r].text);
    }
}

static void set_words(Words *mine, gt_Meeting about, const char *text)
{
    memset(mine, 0, sizeof *mine); /* its bytes go to other processes */
    mine->about = (int32_t)about;
    snprintf(mine->text, sizeof mine->text, "%s", text ? text : "");
}

/* They are about different things. Everybody says what; from here on nobody exchanges. */
static gt_Status fall_apart(gt_Distribution *self, gt_Meeting about, const char *text)
{
    char message[900] = "";
    Words mine, *all = gt_allocate(self->context, (size_t)self->ranks * sizeof *all);
    set_words(&mine, about, text);
    self->apart = true;
    if (all && ask_all(self, &mine, sizeof mine, all) == GT_OK)
        put_words(all, self->ranks, message, sizeof message);
    gt_release(self->context, all, (size_t)self->ranks * sizeof *all);
    if (self->type->part)
        self->type->part(self->self);
    return gt_context_status(self->context) != GT_OK
               ? gt_context_status(self->context)
               : gt_fail(GT_STATE, "the ranks are not about the same: %s", message);
}

static gt_Status refuse_apart(const gt_Distribution *self)
{
    return gt_fail(GT_STATE, "the %d ranks fell out of step before; nothing is exchanged any more",
                   self->ranks);
}

void gt_distribution_leave(const gt_DistributionClass *type, void *user, gt_DType dtype,
                           int64_t count, const char *why)
{
    const int ranks = type->ranks(user);
    Words mine, *all = malloc((size_t)ranks * sizeof *all);
    char *block = count >= NOTE ? calloc((size_t)count, gt_dtype_size(dtype)) : NULL;
    char *note = block ? block + (size_t)(count - NOTE) * gt_dtype_size(dtype) : NULL;
    set_words(&mine, GT_MEETING_LEAVE, why);
    bool together = false;
    if (note) {
        write_note(dtype, note, GT_MEETING_LEAVE, 0);
        together = type->sum(user, dtype, block, count) == GT_OK && all_agree(dtype, note, ranks);
    }
    if (all && !together)
        type->gather(user, &mine, sizeof mine, all);
    free(block);
    free(all);
}

/* ---- the start ---- */

uint64_t gt_distribution_hash(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t hash_of_model(const gt_Optimizer *optimizer)
{
    uint64_t hash =
        gt_distribution_hash(GT_HASH_BEGIN, optimizer->kind->name, strlen(optimizer->kind->name));
    for (int32_t i = 0; i < optimizer->entries; i++) {
        const gt_Spec *spec = gt_tensor_spec(optimizer->entry[i].variable);
        const char *name = gt_variable_label(optimizer->entry[i].variable);
        const int32_t kind[2] = {(int32_t)spec->dtype, spec->rank};
        hash = gt_distribution_hash(gt_distribution_hash(hash, name, strlen(name) + 1), kind,
                                    sizeof kind);
        hash = gt_distribution_hash(hash, spec->dims, (size_t)spec->rank * sizeof *spec->dims);
    }
    return hash;
}

static int64_t count_elements(const gt_Optimizer *optimizer)
{
    int64_t count = 0;
    for (int32_t i = 0; i < optimizer->entries; i++)
        count += gt_tensor_spec(optimizer->entry[i].variable)->size;
    return count;
}

static gt_Status hash_weights(const gt_Optimizer *optimizer, uint64_t *hash)
{
    for (int32_t i = 0; i < optimizer->entries; i++) {
        const gt_Variable *variable = optimizer->entry[i].variable;
        size_t bytes = gt_spec_bytes(gt_tensor_spec(variable));
        const void *data =
            bytes ? gt_variable_memory(optimizer->object.context, variable, false) : NULL;
        if (bytes && !data)
            return gt_status();
        *hash = gt_distribution_hash(*hash, data, bytes);
    }
    return gt_status();
}

/* Rank 0's bytes of a variable. */
static gt_Status share(gt_Distribution *self, gt_Variable *variable)
{
    size_t bytes = gt_spec_bytes(gt_tensor_spec(variable));
    void *data = bytes ? gt_variable_memory(self->context, variable, true) : NULL;
    return data ? heard(self->type, "broadcast", self->type->broadcast(self->self, data, bytes))
                : gt_context_status(self->context);
}

gt_Status gt_distribution_share(gt_Optimizer *optimizer, gt_Tensors variables)
{
    for (int32_t i = 0; i < variables.count && gt_status() == GT_OK; i++)
        share(optimizer->distribution, variables.items[i]);
    return gt_status();
}

/* Which block has the note behind it. */
static int noted_type(const gt_Distribution *self)
{
    return self->size[F32] > 0 ? F32 : F64;
}

/* Places of the gradients in their blocks. */
static gt_Status make_blocks(gt_Distribution *self)
{
    const gt_Optimizer *optimizer = self->optimizer;
    gt_Context *context = self->context;
    size_t pointers = (size_t)optimizer->entries * sizeof(gt_Tensor *);
    forget_blocks(self);
    self->entries = optimizer->entries;
    self->first = gt_allocate_zeroed(context, (size_t)self->entries * sizeof *self->first);
    self->joined = gt_allocate_zeroed(context, pointers);
    self->list = gt_allocate_zeroed(context, pointers + 2 * sizeof(gt_Tensor *));
    self->size[F32] = self->size[F64] = 0;
    for (int32_t i = 0; i < self->entries && gt_context_status(context) == GT_OK; i++) {
        const gt_Spec *spec = gt_tensor_spec(optimizer->entry[i].variable);
        int64_t *size = &self->size[spec->dtype == GT_FLOAT64];
        self->first[i] = *size;
        *size += spec->size;
    }
    self->size[noted_type(self)] += NOTE;
    return gt_context_status(context);
}

/* What stands in the way of beginning, said to all: each returns an error if one of them does. */
static gt_Status compare(gt_Distribution *self, const Words *mine, bool equal_weights)
{
    Words *all = gt_allocate(self->context, (size_t)self->ranks * sizeof *all);
    char message[900] = "";
    bool begin = true, same = true, weights = true;
    if (all && ask_all(self, mine, sizeof *mine, all) == GT_OK) {
        for (int r = 0; r < self->ranks; r++) {
            begin &= all[r].about == GT_MEETING_START;
            same &= all[r].model == all[0].model;
            weights &= all[r].weights == all[0].weights;
        }
        put_words(all, self->ranks, message, sizeof message);
    }
    gt_release(self->context, all, (size_t)self->ranks * sizeof *all);
    if (gt_context_status(self->context) != GT_OK)
        return gt_context_status(self->context);
    if (!begin)
        return gt_fail(GT_STATE, "not all of the %d ranks begin: %s", self->ranks, message);
    if (!same)
        return gt_fail(GT_INVALID, "the ranks train different models: %s", message);
    if (equal_weights && !weights)
        return gt_fail(GT_STATE, "the ranks have different first weights; build the optimizer "
                                 "before the first step, and "
                                 "those of rank 0 are everybody's: gt_optimizer_build(optimizer, "
                                 "gt_trainable_variables(model))");
    return GT_OK;
}

static gt_Status begin_together(gt_Distribution *self, bool equal_weights)
{
    gt_Optimizer *optimizer = self->optimizer;
    Words mine;
    char text[200];
    snprintf(text, sizeof text, "%s with %d variables of %lld elements in all",
             optimizer->kind->name, (int)optimizer->entries, (long long)count_elements(optimizer));
    set_words(&mine, GT_MEETING_START, text);
    mine.model = hash_of_model(optimizer);
    if (hash_weights(optimizer, &mine.weights) != GT_OK || make_blocks(self) != GT_OK)
        set_words(&mine, GT_MEETING_FAIL, gt_context_message(self->context));
    if (compare(self, &mine, equal_weights) != GT_OK) {
        self->apart = true;
        if (self->type->part)
            self->type->part(self->self);
        return gt_status();
    }
    self->started = true;
    if (self->type->begun) {
        const int noted = noted_type(self);
        self->type->begun(self->self, dtypes[noted], self->size[noted]);
    }
    for (int32_t i = 0; i < optimizer->entries && gt_status() == GT_OK; i++)
        share(self, optimizer->entry[i].variable);
    return gt_distribution_share(optimizer, (gt_Tensors){optimizer->state, optimizer->state_count});
}

gt_Status gt_distribution_start(gt_Optimizer *optimizer, bool equal_weights)
{
    gt_Distribution *self = optimizer->distribution;
    if (!self || self->started)
        return gt_status();
    return self->apart ? refuse_apart(self) : begin_together(self, equal_weights);
}

/* ---- meetings: exchanges without gradients ---- */

static gt_Status sum_note(gt_Distribution *self, gt_Meeting about, bool *agree)
{
    const int noted = noted_type(self);
    const gt_DType dtype = dtypes[noted];
    const int64_t size = self->size[noted];
    const size_t element = gt_dtype_size(dtype);
    char *block = gt_allocate_zeroed(self->context, (size_t)size * element);
    if (!block)
        return gt_context_status(self->context);
    char *note = block + (size_t)(size - NOTE) * element;
    write_note(dtype, note, about, steps_of(self->optimizer));
    gt_Status status = ask_sum(self, dtype, block, size);
    *agree = status == GT_OK && all_agree(dtype, note, self->ranks);
    gt_release(self->context, block, (size_t)size * element);
    return status;
}

gt_Status gt_distribution_meet(gt_Optimizer *optimizer, gt_Meeting about, const char *text)
{
    gt_Distribution *self = optimizer->distribution;
    bool agree = false;
    if (!self || !self->started)
        return gt_status();
    if (self->apart)
        return refuse_apart(self);
    if (sum_note(self, about, &agree) == GT_OK && agree)
        return gt_status();
    return fall_apart(self, about, text);
}

/* An error is pending here: the others must not wait for this process. */
void gt_distribution_fail(gt_Optimizer *optimizer)
{
    gt_Distribution *self = optimizer ? optimizer->distribution : NULL;
    if (!self || self->apart || gt_context_status(self->context) == GT_OK)
        return;
    const char *message = gt_context_message(self->context);
    bool agree;
    if (self->started) {
        sum_note(self, GT_MEETING_FAIL, &agree);
        fall_apart(self, GT_MEETING_FAIL, message);
    } else {
        Words mine;
        set_words(&mine, GT_MEETING_FAIL, message);
        self->apart = true;
        compare(self, &mine, false);
        if (self->type->part)
            self->type->part(self->self);
    }
}

gt_Status gt_distribution_sum(gt_Optimizer *optimizer, gt_DType dtype, void *numbers, int64_t count)
{
    gt_Distribution *self = optimizer->distribution;
    return count > 0 ? ask_sum(self, dtype, numbers, count) : gt_status();
}

gt_Status gt_distribution_gather(gt_Optimizer *optimizer, const void *mine, size_t bytes, void *all)
{
    gt_Distribution *self = optimizer->distribution;
    return ask_all(self, mine, bytes, all);
}

/* ---- a step ---- */

/* What the operation calls, in a plan or eagerly. The second block, of float64 beside float32, has no note: when it is summed
 * all are known to be in the same step. */
static gt_Status exchange(void *user, gt_DType dtype, void *elements, int64_t count)
{
    gt_Distribution *self = user;
    char text[60];
    if (self->apart)
        return refuse_apart(self);
    if (ask_sum(self, dtype, elements, count) != GT_OK)
        return gt_status();
    if (dtype != dtypes[noted_type(self)])
        return GT_OK;
    const char *note = (const char *)elements + (size_t)(count - NOTE) * gt_dtype_size(dtype);
    if (all_agree(dtype, note, self->ranks))
        return GT_OK;
    snprintf(text, sizeof text, "number %lld", (long long)steps_of(self->optimizer) + 1);
    return fall_apart(self, GT_MEETING_STEP, text);
}

/* {1, 1, step, step^2, missing, missing^2} by operations. */
static gt_Tensor *note_of(const gt_Distribution *self, gt_DType dtype, int32_t missing)
{
    const double what = GT_MEETING_STEP, few = missing % NOTE_LIMIT;
    gt_Tensor *number = gt_reshape(self->optimizer->number[GT_ITERATION], gt_shape(1));
    gt_Tensor *step = gt_cast(gt_mod(number, NOTE_LIMIT), dtype);
    return gt_concatenate(gt_tensors(gt_full(gt_shape(2), what, .dtype = dtype), step,
                                     gt_square(step), gt_full(gt_shape(1), few, .dtype = dtype),
                                     gt_full(gt_shape(1), few * few, .dtype = dtype)));
}

/* One behind the other: the gradients of that dtype, and the note if this block has it. */
static gt_Tensor *pack(gt_Distribution *self, int type, int32_t missing)
{
    int32_t count = 0;
    for (int32_t i = 0; i < self->entries; i++) {
        const gt_Spec *spec = gt_tensor_spec(self->optimizer->entry[i].variable);
        if (spec->dtype != dtypes[type])
            continue;
        self->list[count++] = self->joined[i]
                                  ? gt_reshape(self->joined[i], gt_shape(spec->size))
                                  : gt_zeros(gt_shape(spec->size), .dtype = spec->dtype);
    }
    if (type == noted_type(self))
        self->list[count++] = note_of(self, dtypes[type], missing);
    return gt_concatenate(((gt_Tensors){self->list, count}));
}

/* The mean of a block, cut where it was joined. */
static void cut(gt_Distribution *self, int type, gt_Tensor *mean)
{
    for (int32_t i = 0; i < self->entries && gt_status() == GT_OK; i++) {
        const gt_Spec *spec = gt_tensor_spec(self->optimizer->entry[i].variable);
        if (spec->dtype == dtypes[type] && self->joined[i])
            self->joined[i] =
                gt_reshape(gt_slice(mean, gt_shape(self->first[i]), gt_shape(spec->size)),
                           gt_spec_shape(spec));
    }
}

static gt_Status join_type(gt_Distribution *self, int type, int32_t missing)
{
    gt_Tensor *sum = gt_exchange(self->exchange, pack(self, type, missing));
    gt_ready(sum); /* before anything else of this step */
    if (sum)
        cut(self, type, gt_divide(sum, self->ranks));
    return gt_status();
}

/* Which gradients there are, by entry; false if one is not what take_gradients is going to accept. */
static bool place(gt_Distribution *self, gt_Tensors variables, gt_Tensor *const *gradients,
                  int32_t *missing)
{
    memset(self->joined, 0, (size_t)self->entries * sizeof *self->joined);
    *missing = self->entries;
    for (int32_t i = 0; i < variables.count; i++) {
        const int32_t at = gt_optimizer_find(self->optimizer, variables.items[i]);
        const gt_Spec *spec =
            gradients[i] ? gt_tensor_check(self->context, NULL, NULL, "a gradient", gradients[i])
                         : NULL;
        if (!gradients[i])
            continue;
        if (!spec || self->joined[at] || !gt_spec_equal(spec, gt_tensor_spec(variables.items[i])))
            return false;
        self->joined[at] = gradients[i];
        --*missing;
    }
    return *missing < self->entries;
}

gt_Tensor *const *gt_distribution_join(gt_Optimizer *optimizer, gt_Tensors variables,
                                       gt_Tensor *const *gradients)
{
    gt_Distribution *self = optimizer->distribution;
    int32_t missing;
    if (!self ||
        gt_distribution_start(optimizer, !gt_tracing(optimizer->object.context)) != GT_OK ||
        !place(self, variables, gradients, &missing))
        return gradients;
    if (self->apart) {
        refuse_apart(self);
        return gradients;
    }
    for (int t = 0; t < TYPES && gt_status() == GT_OK; t++)
        if (self->size[t] > 0)
            join_type(self, t, missing);
    for (int32_t i = 0; i < variables.count && gt_status() == GT_OK; i++)
        self->list[i] = self->joined[gt_optimizer_find(optimizer, variables.items[i])];
    return gt_status() == GT_OK ? self->list : gradients;
}
