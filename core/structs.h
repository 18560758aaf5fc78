/* The structs of core, and the functions that need them. Core's alone (tools/check-includes): other rooms ask by the
 * functions of core/inside.h. The context, and the chain handle -> value -> buffer, with records between values.
 *
 *   slot     what a gt_Tensor * points to; owned by a scope, or by whoever owns the variable
 *   value    spec, numbers (or a symbol of the traced graph) and the record that made it
 *   buffer   counted bytes
 *   record   one operation that ran under a tape; owned by its output values, so that dead branches
 *            vanish while recording
 */
#ifndef GT_CORE_STRUCTS_H
#define GT_CORE_STRUCTS_H

#include "core/inside.h"

#define GT_MAX_TAPES     64
#define GT_MAX_THREADS   64
#define GT_SIZE_CLASSES  220 /* the class of SIZE_MAX / 4 is the last */
#define GT_SMALL_CLASSES 32  /* blocks of these, up to 32 KiB, are cut from slabs of many */

typedef struct gt_ThreadPool gt_ThreadPool;
typedef struct gt_Thread gt_Thread;

typedef struct gt_Buffer {
    void *data; /* NULL: not computed yet */
    size_t bytes;
    struct gt_Buffer *block; /* the data is a part of this one's; held */
    struct gt_Late *late;    /* what the data will be computed from; NULL: it is there */
    uint32_t references;
    bool borrowed; /* the user's memory: not ours to free */
    bool inside;   /* the data are behind this in one block (gt_buffer_new) */
} gt_Buffer;

/* A result whose kernel waits until somebody reads the numbers (GT_OP_LATE): one block. In a traced
 * function it says what a symbol was made of, until an operation reads that. */
typedef struct gt_Late {
    gt_Context *context;
    const gt_Operation *operation;
    const void *options; /* inside the block */
    gt_Spec spec;
    size_t scratch, bytes; /* for the kernel; of the block */
    int inputs;
    bool symbolic;
    /* Of a variable, instead of an operation: what gives it its first numbers. */
    gt_VariableFill fill;
    void *owner;
    gt_Slot *slot;
    gt_Value *input[]; /* held */
} gt_Late;

struct gt_Value {
    gt_Spec spec;
    gt_Context *context;
    gt_Buffer *buffer;        /* NULL: symbolic, or nobody needs the numbers any more */
    size_t offset;            /* bytes into the buffer, for views */
    gt_Record *record;        /* what made it or what watches it; NULL: a constant */
    struct gt_Node *node;     /* what draws it (core/drawing.h); NULL: it is no symbol of a functional model */
    gt_Value *mask;           /* bool, of the leading axes: which elements count; held; NULL: all do */
    uint32_t references;      /* slots, and records that have it as input */
    uint32_t data_references; /* those of them that need the numbers */
    int32_t symbol;           /* in the traced graph; -1: concrete */
    uint32_t trace;           /* which trace the symbol is of */
    uint16_t index;           /* which output of the record, or of the node */
};

typedef struct gt_RecordOutput {
    gt_Spec spec;
    gt_Value *value;   /* not owned; NULL once it died */
    gt_Buffer *buffer; /* owned if the rule reads this output later */
    size_t offset;
    uint64_t watched; /* by tapes that began after it was made: a leaf for these, by bit */
    int32_t symbol;
    uint32_t trace;
} gt_RecordOutput;

struct gt_Record {
    const gt_Operation *operation; /* NULL: a leaf, that is a watched tensor */
    gt_Context *context;
    gt_Record *next, *previous; /* all records of the context; leaves of variables are not in it */
    uint64_t tapes;             /* by bit */
    uint64_t serial;            /* order of making, which is that of the ring */
    uint64_t leaves;            /* those that watch one of its outputs instead, by bit */
    const char *here;           /* the caller's file and line; NULL: not known */
    void *options;              /* inside the block */
    gt_Value **input;           /* inside the block; NULL: absent */
    gt_RecordOutput *output;    /* inside the block */
    gt_Slot *variable;          /* of a variable's leaf */
    size_t bytes;               /* of the block */
    uint32_t references;        /* output values */
    uint16_t inputs, outputs;
    bool stripped; /* its inputs were let go: a used tape, or one that ended */
};

typedef struct gt_VariableInfo {
    char *name;
    size_t name_bytes;
    gt_Record leaf;
    uint64_t serial;     /* order of making */
    uint32_t references; /* layers, optimizers, the user */
    bool callers;        /* one of these is the hold of whoever called gt_variable, who drops it once */
    bool trainable;      /* as set now */
    bool created_trainable;
    bool penalized, penalty_taken; /* a layer says that its penalty belongs to the loss; some loss has it since the last step */
    gt_Value *symbolic; /* its value in the trace that is running */
    gt_StandIn *stand_in; /* its value is another's for a while (stand_in.c); NULL: it is its own */
    uint64_t visit;     /* the last list that it was put into */
    gt_VariableConstraint *constraint; /* NULL: none */
    void *constraint_payload;          /* a copy of what was given with it */
    size_t constraint_bytes;
    uint32_t constraint_version; /* how many times it was set */
} gt_VariableInfo;

/* What a handle to probabilities knows of how they were made, so that a loss computes from the
 * logits whether a tape watches or not. Counted: views of the same numbers share it, and it is gone
 * with the last of these handles. A handle that is made anew, for an argument or a result of a
 * function or a loop, knows at most the operation: so it is eagerly and traced alike. */
typedef struct gt_Origin {
    const gt_Operation *operation; /* GT_OP_PROBABILITY */
    const void *options;           /* its; inside the block. NULL without logits */
    gt_Value *logits;              /* its input, held; NULL: not known */
    int64_t first;                 /* the element of the logits where the view begins */
    size_t bytes;                  /* of the block */
    uint32_t references;
} gt_Origin;

struct gt_Slot {
    uint64_t word;   /* GT_WORD_TENSOR and the generation, or GT_WORD_GONE */
    gt_Value *value; /* NULL: free */
    gt_Slot *next, *previous;
    struct gt_Scope *scope;
    gt_VariableInfo *variable;
    gt_Origin *origin; /* NULL: no probabilities, as far as is known */
    uint32_t generation;
    char padding[64 - sizeof(uint64_t) - 6 * sizeof(void *) - sizeof(uint32_t)];
};

_Static_assert(sizeof(gt_Slot) == 1u << GT_HANDLE_BITS, "a handle is a slot's address");

struct gt_Scope {
    uint64_t word; /* GT_WORD_SCOPE */
    gt_Scope *parent;
    gt_Slot *first, *last;
    struct gt_TapeSlot *tape; /* the outermost tape whose scope this is */
    uintptr_t handle;         /* what gt_scope_begin returned */
};

struct gt_TapeSlot {
    _Alignas(GT_ALIGNMENT) uint64_t word; /* GT_WORD_TAPE */
    uintptr_t handle;                     /* 0: free */
    gt_Scope *scope;                      /* of the outermost tape */
    gt_Record **watched;                  /* leaves of variables; held */
    int32_t watched_count, watched_capacity;
    gt_Variable **list; /* what gt_watched_variables hands out */
    int32_t list_count;
    int32_t below;   /* the tape around this one; -1: none */
    uint64_t oldest; /* the serial of the oldest record that it may hold */
    uint32_t generation;
    bool persistent, watch_accessed, used, paused, has_records;
};

struct gt_Context {
    uint64_t word; /* GT_WORD_CONTEXT */
    gt_Allocator allocator;
    /* who holds it: context.c */
    _Atomic int64_t holds;
    _Atomic(gt_Thread *)
        owner;   /* the thread that made it by itself; NULL: it ended, or the host did */
    bool shared; /* taken by a thread that did not make it */
    const gt_KernelTable *kernels;
    bool reproducible, allows_foreign_code;
    /* memory */
    void *free_blocks[GT_SIZE_CLASSES];
    struct gt_Uncut { /* what is left of a class's newest slab */
        char *at;
        size_t bytes;
    } uncut[GT_SMALL_CLASSES];
    struct gt_Slab *slabs;
    bool unpooled; /* each block is a slab of its own */
    gt_MemoryStats memory;
    /* errors */
    gt_Status status;
    const char *here;      /* the call site that library code without one of its own reports */
    const char *composing; /* the composite operation that is running, for messages */
    const char *applying;  /* the operation that is running, for messages */
    const gt_CallFrame *frame;
    struct gt_Lookups *lookups; /* layers/lookups.h: text that is looked up ahead of the trace; NULL: none is */
    const gt_StepSite *step; /* of the plan that is running, for messages; NULL: none is */
    bool check_numerics;
#ifdef GT_ASSERTIONS
    /* The thread whose operation is running, by its mark; NULL: none. Objects of one context are used by one thread at
     * a time, and builds for tests raise an error when two do. */
    _Atomic(const void *) runner;
#endif
    const gt_Operation *differentiating; /* whose gradient rule is running, for messages */
    /* handles */
    gt_Slot *free_first, *free_last;
    int64_t free_slots;
    gt_Scope root, *scope;
    uintptr_t scope_serial;
    /* tapes */
    gt_TapeSlot tape[GT_MAX_TAPES];
    int32_t innermost_tape, last_tape; /* -1: none */
    uint64_t recording, auto_watching; /* by bit */
    uint64_t hushed;                   /* tapes that do not see what runs now, whatever they are */
    struct gt_Listener *listener; /* hears which variables are read and written; NULL: nobody */
    gt_Record records;            /* head of the ring of records */
    gt_Value *dying;              /* values to be freed: a list instead of recursion */
    uint64_t variable_serial, trace_serial, object_serial, record_serial, visit;
    int32_t stand_ins;  /* variables whose value is another's for a while */
    uint64_t choices;   /* how many branches and loops numbers decided about */
    uint64_t calls;     /* layers/: of outermost layers, so far */
    uint64_t structure; /* layers/: counts up when a layer gets or loses a weight or a child */
    uint32_t policy;    /* layers/: the dtype of layers that are built, or a policy; 0: none */
    gt_Trace *trace;
    /* work */
    gt_ThreadPool *pool;
    int threads;
    void *scratch[GT_MAX_THREADS];
    size_t scratch_bytes[GT_MAX_THREADS];
    gt_Blas blas;
    bool (*interrupted)(void *user);
    void *interrupted_user;
    /* objects and registrations */
    gt_Object objects;                        /* head of the ring of objects */
    gt_Map identified;                        /* identity -> object */
    uint64_t last_identity, identified_freed; /* how many of them were freed */
    void *copying;    /* layers/options.c: the copy that is being made; NULL: none */
    gt_Map callables; /* layers/callable.c: the function -> the object that it is */
    gt_Object *quarantine_first, *quarantine_last;
    int32_t quarantined;
    const gt_Operation **operations;
    int32_t operation_count, operation_capacity;
    uint64_t seed;
    gt_Variable *generator; /* the default generator's state */
    struct gt_Registration *registration; /* registration.c */
    int32_t registration_count, registration_capacity;
    struct gt_Warning **warning; /* warning.c */
    int32_t warning_count;
    void (*warned)(void *user, const char *message); /* NULL: nobody hears of them */
    void *warned_user;
    char message[1024];
    char info[256];
};

/* ---- memory.c ---- */
void gt_memory_close(gt_Context *context);
/* Does the address lie in the context's memory? It may be any. */
bool gt_memory_owns(const gt_Context *context, const void *address);

/* ---- context.c ---- */
/* One more that keeps a thread's own context; one less, and the last one frees it: nothing of it is
 * touched after that. */
void gt_context_hold(gt_Context *context);
void gt_context_drop(gt_Context *context);
#ifdef GT_ASSERTIONS
const void *gt_thread_mark(void); /* another address in every thread */
#endif

/* ---- registration.c ---- */
void gt_registrations_close(gt_Context *context);

/* ---- warning.c ---- */
void gt_warnings_close(gt_Context *context);

/* ---- buffer, value, handle: tensor.c ---- */
/* Few bytes are in one block with the buffer, unless it is `apart`, as those of variables are, which may go to another one. */
gt_Buffer *gt_buffer_new(gt_Context *context, size_t bytes);
gt_Buffer *gt_buffer_apart(gt_Context *context, size_t bytes);
gt_Buffer *gt_buffer_wrap(gt_Context *context, const void *data, size_t bytes);
void gt_buffer_release(gt_Context *context, gt_Buffer *buffer);
/* Runs the kernel that a late buffer waits for (operation.c); false if there are no numbers. If it
 * fails the buffer stays late. */
bool gt_buffer_compute(gt_Buffer *buffer);
void gt_late_free(gt_Late *late);
/* gt_value_data, inline: for the path of every call. */
static inline void *gt_value_numbers(const gt_Value *value)
{
    gt_Buffer *buffer = value->buffer;
    if (!buffer || (!buffer->data && !gt_buffer_compute(buffer)))
        return NULL;
    return (char *)buffer->data + value->offset;
}

gt_Value *gt_value_new(gt_Context *context, const gt_Spec *spec, gt_Buffer *buffer, size_t offset);
static inline gt_Slot *gt_slot_raw(const gt_Tensor *tensor)
{
    return (gt_Slot *)((uintptr_t)tensor & ~GT_HANDLE_MASK); /* NOLINT: handles are addresses */
}
/* The live slot behind a handle, of any context; NULL for anything else. */
static inline gt_Slot *gt_slot_find(const gt_Tensor *tensor)
{
    return gt_is_tensor(tensor) ? gt_slot_raw(tensor) : NULL;
}
/* The slot behind a handle; NULL with an error raised as `operation` for NULL, for what is no tensor,
 * for stale ones and for tensors of another context (its variables may be read). `what` names the
 * argument. */
gt_Slot *gt_slot_refuse(gt_Context *context, const char *here, const char *operation,
                        const char *what, const gt_Tensor *tensor); /* raises; NULL */
static inline gt_Slot *gt_slot_check(gt_Context *context, const char *here, const char *operation,
                                     const char *what, const gt_Tensor *tensor)
{
    gt_Slot *slot = gt_slot_find(tensor);
    if (slot && (slot->value->context == context || slot->variable))
        return slot;
    return gt_slot_refuse(context, here, operation, what, tensor);
}
static inline gt_Tensor *gt_slot_handle(const gt_Slot *slot)
{
    return (gt_Tensor *)((uintptr_t)slot | (slot->generation & GT_HANDLE_MASK));
}
/* Frees what a slot holds and makes every handle to it stale. */
void gt_slot_free(gt_Context *context, gt_Slot *slot);
gt_Slot *gt_slot_new(gt_Context *context, gt_Value *value);

/* ---- drawing.c ---- */
void gt_node_release(struct gt_Node *node);
/* Draws an operation on symbols; the rule has operation, options and inputs. */
gt_Status gt_draw_operation(gt_Context *context, const char *here, gt_ShapeRule *rule,
                            gt_Value *const *value, gt_Tensor *const *input, gt_Tensor **outputs);

/* ---- mask.c ---- */
/* Gives new outputs the masks that the operation's rule makes of those of its inputs. On failure the outputs are freed. */
gt_Status gt_masks_follow(gt_Context *context, const char *here, const gt_ShapeRule *shape,
                          gt_Value *const *value, gt_Tensor *const *input, gt_Tensor **outputs);

/* ---- origin.c ---- */
/* The handle is to probabilities that `operation` made. `logits` NULL: of what is not known. */
gt_Status gt_origin_set(gt_Context *context, gt_Slot *slot, const gt_Operation *operation,
                        const void *options, gt_Value *logits);
/* The handle is to a view of what `source` is a handle to, from that element on. */
gt_Status gt_origin_follow(gt_Context *context, gt_Slot *slot, const gt_Slot *source,
                           int64_t first);
void gt_origin_release(gt_Context *context, gt_Origin *origin);
/* ---- variable.c ---- */
/* Gives back what a variable has besides its value and its slot. */
void gt_variable_info_free(gt_Context *context, gt_VariableInfo *info);
gt_Slot *gt_variable_make(gt_Context *context, const gt_Spec *spec, const char *name,
                          bool trainable); /* zeros; references 1 */
gt_Slot *gt_variable_check(gt_Context *context, const char *here, const char *operation,
                           const gt_Tensor *variable);
/* Makes the variable's bytes its own before they are overwritten, `whole` or in part: whoever holds the old value
 * keeps the old bytes, at another address. */
gt_Status gt_variable_own(gt_Context *context, gt_Slot *slot, bool whole);
/* Gives the variable of this late buffer its first numbers; false on failure. */
bool gt_variable_fill(gt_Buffer *buffer);

/* A variable of another context is read, so that one model serves many threads; nothing of it is
 * counted or held, because its own context may do that at the same time. This error is for the rest. */
gt_Status gt_foreign_variable(gt_Context *context, const gt_Slot *slot);
/* The value that a reader of the variable gets: the tapes that watch by themselves learn of it, a
 * listener too, and inside a trace it is a symbol. NULL on failure. */
gt_Value *gt_variable_read(gt_Context *context, gt_Slot *slot);
void gt_listener_hear(gt_Context *context, gt_Slot *slot);

/* ---- stand_in.c ---- */
/* Does another value stand in for the variable's, and began to where we are, in this trace or in none? */
bool gt_stands_in_here(const gt_Context *context, const gt_Slot *slot);
/* gt_variable_own, and a change in a trace, of such a value. */
gt_Status gt_stand_in_own(gt_Context *context, gt_Slot *slot);
gt_Status gt_stand_in_change(gt_Context *context, gt_Slot *slot, int32_t symbol);

void gt_listener_hear_tensor(gt_Context *context, gt_Value *value);

/* ---- tape.c ---- */
/* The tapes that know a value: they have its record, or watch it. */
static inline uint64_t gt_tapes_of(const gt_Value *value)
{
    const gt_Record *record = value->record;
    return !record ? 0
                   : record->tapes | (record->leaves ? record->output[value->index].watched : 0);
}
int gt_tape_bit(const gt_Context *context, const gt_TapeSlot *tape);
/* These tapes watch the variable that has this leaf. */
void gt_tape_watch_leaf(gt_Context *context, gt_Record *leaf, uint64_t tapes);
gt_Record *gt_record_new(gt_Context *context, const gt_Operation *operation, const void *options,
                         int inputs, gt_Value *const *input, int outputs, gt_Value *const *output,
                         uint64_t tapes, const char *here);
/* Takes this tape off every record; those that no tape holds any more are stripped. */
void gt_tape_forget_records(gt_Context *context, gt_TapeSlot *tape);
void gt_tape_set_paused(gt_Context *context, gt_TapeSlot *tape, bool paused);
/* ---- threads.c ---- */
gt_Status gt_pool_resize(gt_Context *context, int threads);
void gt_pool_close(gt_Context *context);
/* From here on, children of forks know that they are: their pools and locks are made anew. False:
 * the system has no memory for that. */
bool gt_watch_forks(void);

/* ---- cpu.c ---- */
const gt_KernelTable *gt_cpu_kernels(void);
/* The floating-point mode of this thread, and another one instead of it; returns what it was. */
gt_FloatMode gt_float_mode(void);
gt_FloatMode gt_float_mode_set(gt_FloatMode mode);
/* Nothing is flushed, and results are rounded to the nearest, whatever the host does. */
gt_FloatMode gt_float_mode_exact(void);

#endif
