/* Running a program in one mode: contexts with allocators that watch, leaves, steps, and what is
 * remembered of it all. */
#include "program.h"

#include "../../core/structs.h"
#include "../calls.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#undef GT_HERE
#define GT_HERE "program:1"

/* ---- memory that is watched ---- */

/* Every block is filled with one byte, so that what reads memory that nobody wrote differs from
 * context to context, and is followed by bytes that nobody may change. */
typedef struct Guard {
    size_t used, limit;
    int64_t left; /* allocations until there is no memory */
    int fill;
    bool trampled;
} Guard;

enum { GUARD_BYTES = 64, FENCE = 0xA7 };

static void *guard_allocate(void *user, size_t size, size_t alignment)
{
    Guard *guard = user;
    void *memory = NULL;
    if (size > guard->limit - guard->used || guard->left-- <= 0 ||
        posix_memalign(&memory, alignment, size + GUARD_BYTES) != 0)
        return NULL;
    guard->used += size;
    if (size < 1 << 22)
        memset(memory, guard->fill, size);
    memset((char *)memory + size, FENCE, GUARD_BYTES);
#ifdef __SANITIZE_ADDRESS__
    ASAN_POISON_MEMORY_REGION((char *)memory + size, GUARD_BYTES);
#endif
    return memory;
}

static void guard_release(void *user, void *memory, size_t size)
{
    Guard *guard = user;
    guard->used -= size;
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION((char *)memory + size, GUARD_BYTES);
#endif
    for (int i = 0; i < GUARD_BYTES; i++)
        guard->trampled |= ((unsigned char *)memory)[size + (size_t)i] != FENCE;
    free(memory);
}

/* ---- contexts ---- */

const int context_threads[CONTEXTS] = {1, 3, 1, 1, 1};
static Guard guards[CONTEXTS];
static gt_Context *contexts[CONTEXTS];
static gt_Variable *generators[CONTEXTS];

static bool open_context(int i)
{
    static const int fills[CONTEXTS] = {0xFF, 0x3F, 0xFF, 0x3F, 0xFF};
    static const bool pooling[CONTEXTS] = {true, false, false, true, true};
    /* Traced, large gradients are constants and outputs of a plan: more than eager calls hold at once. */
    guards[i] = (Guard){.limit = (size_t)1 << 27, .left = INT64_MAX, .fill = fills[i]};
    gt_Allocator allocator = {guard_allocate, guard_release, &guards[i]};
    contexts[i] = gt_context_create(.allocator = &allocator, .threads = context_threads[i],
                                    .pooling = pooling[i]);
    if (!contexts[i])
        return false;
    gt_context_use(contexts[i]);
    generators[i] = gt_default_generator();
    return generators[i];
}

/* How many bytes it did not give back, and 1 if it wrote behind a block. */
static size_t close_context(int i)
{
    gt_context_use(contexts[i]);
    gt_error_clear();
    gt_context_free(contexts[i]);
    return guards[i].used + guards[i].trampled;
}

bool contexts_open(void)
{
    for (int i = 0; i < CONTEXTS; i++)
        if (!open_context(i))
            return false;
    return true;
}

size_t contexts_close(void)
{
    size_t lost = 0;
    for (int i = 0; i < CONTEXTS; i++)
        lost += close_context(i);
    return lost;
}

/* A context's pools grow with the sizes that it met: one that has become large starts anew. */
size_t contexts_renew(void)
{
    size_t lost = 0;
    for (int i = 0; i < CONTEXTS; i++)
        if (guards[i].used > (size_t)1 << 25) {
            lost += close_context(i);
            lost += !open_context(i);
        }
    return lost;
}

/* ---- what is remembered ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint64_t word;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = mix(hash, word);
    }
    word = 0;
    if (bytes)
        memcpy(&word, at, bytes);
    return mix(hash, word + bytes);
}

/* Which of two NaN an addition gives, its sign that is, depends on how a compiler turned its operands: all are alike here. */
static uint64_t hash_numbers(const gt_Spec *spec, const void *data)
{
    if (!gt_dtype_is_float(spec->dtype))
        return hash_bytes(1, data, gt_spec_bytes(spec));
    const size_t bytes = gt_dtype_size(spec->dtype);
    uint64_t hash = 1;
    for (int64_t i = 0; i < spec->size; i++) {
        uint64_t word = 0;
        memcpy(&word, (const char *)data + (size_t)i * bytes, bytes);
        hash = mix(hash, isnan(gt_number_fetch(spec->dtype, data, i)) ? UINT64_MAX : word);
    }
    return hash;
}

static gt_Status read_result(gt_Tensor *tensor, Result *result)
{
    result->spec = gt_spec(tensor);
    result->hash = 0;
    const void *data = gt_data(tensor);
    if (gt_status() == GT_OK)
        result->hash = hash_numbers(&result->spec, data);
    return gt_status();
}

bool tensor_is_finite(gt_Tensor *tensor)
{
    gt_Spec spec = gt_spec(tensor);
    const void *data = gt_dtype_is_float(spec.dtype) ? gt_data(tensor) : NULL;
    for (int64_t i = 0; data && i < spec.size; i++)
        if (!isfinite(gt_number_fetch(spec.dtype, data, i)))
            return false;
    return true;
}

static void remember_step(Run *run, int index, const Step *step)
{
    Outcome *outcome = run->outcome;
    if (!outcome || !run->mode->steps)
        return;
    uint64_t hash = outcome->step[index];
    for (int i = 0; i < step->outputs && gt_status() == GT_OK; i++) {
        gt_Tensor *out = step->out[i] < 0 ? NULL : run->value[step->out[i]];
        Result result;
        if (!out || read_result(out, &result) != GT_OK)
            continue;
        hash = mix(mix(hash, result.hash), (uint64_t)result.spec.size);
        outcome->strange[index] |= !tensor_is_finite(out);
    }
    outcome->ran[index] = true;
    if (!run->hidden)
        outcome->step[index] = hash;
}

/* ---- leaves ---- */

/* The bytes of leaves: the same in every mode, so they are made once. */
typedef struct Bytes {
    uint64_t seed;
    Pattern pattern;
    gt_DType dtype;
    int64_t size;
    void *data; /* NULL: none yet */
} Bytes;
static Bytes leaf_bytes[MAX_VALUES][ROUNDS];

static const void *bytes_of(int index, const Value *value, int round)
{
    Bytes *bytes = &leaf_bytes[index][round];
    int64_t size = shape_size(value->shape);
    if (bytes->data && bytes->seed == value->seed && bytes->pattern == value->pattern &&
        bytes->dtype == value->dtype && bytes->size == size)
        return bytes->data;
    double *numbers = malloc((size_t)(size + 1) * sizeof *numbers);
    free(bytes->data);
    *bytes = (Bytes){value->seed, value->pattern, value->dtype, size,
                     malloc((size_t)(size + 1) * gt_dtype_size(value->dtype))};
    if (!numbers || !bytes->data) {
        free(numbers);
        return NULL;
    }
    value_numbers(value, round, numbers);
    for (int64_t i = 0; i < size; i++)
        gt_number_store(value->dtype, bytes->data, i, numbers[i]);
    free(numbers);
    return bytes->data;
}

static gt_Tensor *leaf(const Run *run, int index, int round)
{
    const Value *value = &run->program->value[index];
    const void *data = bytes_of(index, value, round);
    return data ? gt_from_data(data, value->shape, value->dtype) : NULL;
}

/* The caller's own memory, aligned to an element and no more. */
static gt_Tensor *wrapped_leaf(Run *run, int index)
{
    const Value *value = &run->program->value[index];
    size_t element = gt_dtype_size(value->dtype);
    size_t bytes = (size_t)shape_size(value->shape) * element;
    const void *data = bytes_of(index, value, run->round);
    free(run->memory[index]);
    char *memory = run->memory[index] = malloc(bytes + element);
    if (!data || !memory)
        return NULL;
    memcpy(memory + element, data, bytes);
    return gt_from_buffer(memory + element, value->shape, value->dtype);
}

void run_make_leaf(Run *run, int index)
{
    const Value *value = &run->program->value[index];
    if (value->origin == ORIGIN_ARGUMENT) {
        run->value[index] =
            value->wrapped ? wrapped_leaf(run, index) : leaf(run, index, run->round);
    } else if (value->origin == ORIGIN_VARIABLE) {
        gt_Scope *scope = gt_scope_begin();
        run->value[index] = gt_variable(leaf(run, index, 0), .trainable = value->trainable);
        gt_scope_end(scope);
    }
}

/* The numbers that gt_live reads: one for each value, new in every round. */
static void set_live(Run *run)
{
    for (int i = 0; i < run->program->values; i++) {
        const Value *value = &run->program->value[i];
        if (value->origin == ORIGIN_LIVE)
            value_numbers(value, run->round, &run->live[i]);
    }
}

/* ---- steps ---- */

static gt_Status run_body(Run *run, int body);

static gt_Tensor *input(const Run *run, int value)
{
    return value >= 0 ? run->value[value] : value == STALE ? run->stale : NULL;
}

static void inputs(const Run *run, const Step *step, gt_Tensor **in)
{
    for (int i = 0; i < step->inputs; i++)
        in[i] = input(run, step->in[i]);
}

static void outputs(Run *run, const Step *step, gt_Tensor *const *out)
{
    for (int i = 0; i < step->outputs; i++)
        if (step->out[i] >= 0)
            run->value[step->out[i]] = out[i];
}

static void end_block(Run *run)
{
    const Block *block = &run->block[--run->blocks];
    if (block->is_tape)
        gt_tape_end(block->tape);
    else
        gt_scope_end(block->scope);
}

static gt_Tape *begin_tape(Run *run, bool persistent, bool watch_accessed)
{
    gt_Tape *tape =
        gt_tape_begin(.persistent = persistent, .watch_accessed_variables = watch_accessed);
    if (tape)
        run->block[run->blocks++] = (Block){.is_tape = true, .tape = tape};
    return tape;
}

static gt_Status call_body(Run *run, int index, gt_Tensor *const *in, gt_Tensor **out)
{
    const Body *body = &run->program->body[index];
    for (int i = 0; i < body->parameters; i++)
        run->value[body->parameter[i]] = in[i];
    gt_Status status = run_body(run, index);
    for (int i = 0; i < body->outputs && status == GT_OK; i++)
        out[i] = run->value[body->output[i]];
    return status;
}

/* A body as the library calls it. What it leaves open when it fails the library closes. */
static gt_Status body_function(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const BodyOf *of = context;
    int blocks = of->run->blocks;
    gt_Status status = call_body(of->run, of->body, in, out);
    if (status != GT_OK)
        of->run->blocks = blocks;
    return status;
}

static gt_Status call_function(Run *run, int body, gt_Tensors in, gt_Tensor **out)
{
    if (!run->function[body])
        run->function[body] = gt_function(body_function, &run->bodies[body],
                                          .outputs = run->program->body[body].outputs);
    return run->function[body] ? gt_function_call(run->function[body], in, out) : gt_status();
}

static gt_Status call(Run *run, const Step *step, gt_Tensor *const *in, gt_Tensor **out)
{
    int first = step->body;
    const Body *body = &run->program->body[first];
    void *context = &run->bodies[first];
    gt_Tensors all = {in, step->inputs};
    switch (step->call) {
    case CALL_FUNCTION:
        if (run->mode->functions)
            return call_function(run, first, all, out);
        return call_body(run, first, in, out);
    case CALL_DIRECT:
        return call_body(run, first, in, out);
    case CALL_RECOMPUTE:
        return gt_recompute(body_function, context, all, out, .outputs = body->outputs);
    case CALL_PASS_THROUGH:
        out[0] = gt_grad_pass_through(body_function, context, in[0]);
        return gt_status();
    case CALL_JVP: {
        int primals = step->inputs / 2;
        return gt_jvp(body_function, context, ((gt_Tensors){in, primals}),
                      ((gt_Tensors){in + primals, primals}), out, out + body->outputs,
                      .outputs = body->outputs, .unconnected = GT_UNCONNECTED_ZERO);
    }
    case CALL_HESSIAN_PRODUCT:
        out[0] = gt_hessian_vector_product(body_function, context, in[0], in[1]);
        return gt_status();
    case CALL_COND:
        break;
    case CALL_WHILE:
        break;
    case CALL_FORI:
        return gt_fori_loop(0, step->n, body_function, context, all, out,
                            .unroll = step->d > 0 ? 64 : 0);
    case CALL_SCAN: {
        int carries = (int)step->n;
        return gt_scan(body_function, context, ((gt_Tensors){in, carries}),
                       ((gt_Tensors){in + carries, step->inputs - carries}), out, out + carries,
                       .outputs = body->outputs - carries, .reverse = step->reverse,
                       .unroll = step->d > 0 ? 64 : 0);
    }
    }
    return gt_status();
}

/* The other body of a branch or loop, whose context is that of the first. */
static gt_Status other_function(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const BodyOf *of = context;
    return body_function(&of->run->bodies[of->run->program->body[of->body].other], in, out);
}

static gt_Status run_call(Run *run, const Step *step)
{
    gt_Tensor *in[STEP_INPUTS], *out[2 * STEP_OUTPUTS] = {NULL};
    void *context = &run->bodies[step->body];
    inputs(run, step, in);
    bool hides = step->call == CALL_RECOMPUTE || step->call == CALL_PASS_THROUGH ||
                 step->call == CALL_JVP || step->call == CALL_HESSIAN_PRODUCT;
    run->hidden += hides;
    if (step->call == CALL_COND)
        gt_cond(in[0], body_function, other_function, context,
                ((gt_Tensors){in + 1, step->inputs - 1}), out,
                .outputs = run->program->body[step->body].outputs);
    else if (step->call == CALL_WHILE)
        gt_while_loop(other_function, body_function, context, ((gt_Tensors){in, step->inputs}), out,
                      .maximum_iterations = step->n);
    else
        call(run, step, in, out);
    run->hidden -= hides;
    if (gt_status() == GT_OK)
        outputs(run, step, out);
    return gt_status();
}

static gt_Status run_gradient(Run *run, const Step *step)
{
    gt_Tensor *in[STEP_INPUTS], *out[STEP_OUTPUTS] = {NULL};
    inputs(run, step, in);
    int targets = step->targets, sources = step->sources;
    bool given = step->inputs > targets + sources;
    gt_gradients(run->tape[step->tape], ((gt_Tensors){in, targets}),
                 ((gt_Tensors){in + targets, sources}), out, .unconnected = step->unconnected,
                 .output_gradients = given ? in + targets + sources : NULL);
    outputs(run, step, out);
    return gt_status();
}

static gt_Status run_composite(Run *run, const Step *step)
{
    Arguments arguments = {.n = step->n, .d = step->d};
    if (step->inputs > 0)
        arguments.x = input(run, step->in[0]);
    if (step->inputs > 1)
        arguments.y = input(run, step->in[1]);
    const char *name;
    gt_Tensor *out = make_call(step->operation, &arguments, &name);
    if (gt_status() == GT_OK)
        run->value[step->out[0]] = out;
    return gt_status();
}

static gt_Status run_kind(Run *run, const Step *step)
{
    gt_Tensor *in[STEP_INPUTS + 1], *out[GT_MAX_OUTPUTS] = {NULL};
    const gt_Operation *operation = operation_of(step);
    const Value *value;
    switch (step->kind) {
    case STEP_NONE:
        break;
    case STEP_CONSTANT:
        run->value[step->out[0]] = leaf(run, step->out[0], 0);
        break;
    case STEP_LIVE:
        value = &run->program->value[step->out[0]];
        run->value[step->out[0]] = gt_live(&run->live[step->out[0]], value->dtype);
        break;
    case STEP_APPLY:
        in[step->inputs] = NULL; /* where `given` says one more */
        inputs(run, step, in);
        gt_apply_at("program:1", operation, operation->options ? step->options : NULL,
                    step->given >= 0 ? step->given : step->inputs, in, out);
        if (gt_status() == GT_OK && operation->flags & GT_OP_MASKS)
            out[0] = gt_unmask(out[0]); /* control flow refuses masks, and most of it is that */
        if (gt_status() == GT_OK)
            outputs(run, step, out);
        break;
    case STEP_COMPOSITE:
        return run_composite(run, step);
    case STEP_TAPE_BEGIN:
        run->tape[step->tape] = begin_tape(run, step->persistent, step->watch_accessed);
        break;
    case STEP_WATCH:
        gt_watch(run->tape[step->tape], input(run, step->in[0]));
        break;
    case STEP_PAUSE:
        gt_tape_pause(run->tape[step->tape]);
        break;
    case STEP_RESUME:
        gt_tape_resume(run->tape[step->tape]);
        break;
    case STEP_GRADIENT:
        return run_gradient(run, step);
    case STEP_SCOPE_BEGIN:
        run->block[run->blocks] = (Block){.scope = gt_scope_begin()};
        run->blocks += gt_status() == GT_OK;
        break;
    case STEP_TAPE_END:
    case STEP_SCOPE_END:
        for (int i = 0; i < step->inputs; i++)
            gt_keep(input(run, step->in[i]));
        if (gt_status() == GT_OK)
            end_block(run);
        break;
    case STEP_CALL:
        return run_call(run, step);
    }
    return gt_status();
}

/* A step that may fail leaves the program as if it were not there. While its error is pending nothing
 * else works. */
static gt_Status forgive(Run *run, int index, int blocks)
{
    Outcome *outcome = run->outcome;
    const char *message = without_site(gt_error_message());
    if (outcome && run->mode->steps && !run->hidden) {
        outcome->step[index] = hash_bytes(outcome->step[index], message, strlen(message));
        outcome->failed[index] = true;
    }
    gt_Status status = gt_status();
    if ((gt_scalar(1, GT_FLOAT32) || gt_status() != status) && outcome)
        outcome->careless = true;
    gt_error_clear();
    while (run->blocks > blocks)
        end_block(run);
    return gt_status();
}

gt_Status run_step(Run *run, int index)
{
    const Step *step = &run->program->step[index];
    int blocks = run->blocks;
    gt_Status status = run_kind(run, step);
    if (status == GT_OK) {
        remember_step(run, index, step);
        status = gt_status();
    }
    if (status != GT_OK && step->may_fail)
        status = forgive(run, index, blocks);
    if (status != GT_OK && run->step < 0)
        run->step = index;
    return status;
}

static gt_Status run_body(Run *run, int body)
{
    const Body *self = &run->program->body[body];
    gt_Status status = gt_status();
    for (int i = 0; i < self->steps && status == GT_OK; i++)
        status = run_step(run, self->step[i]);
    return status;
}

/* ---- the whole program ---- */

/* What gradients of everything are asked for: the arguments and trainable variables. */
static int gradient_sources(const Program *program, int16_t *source)
{
    int count = 0;
    for (int i = 0; i < program->arguments; i++)
        if (gt_dtype_is_float(program->value[program->argument[i]].dtype))
            source[count++] = program->argument[i];
    for (int i = 0; i < program->variables; i++) {
        const Value *value = &program->value[program->variable[i]];
        if (value->trainable && gt_dtype_is_float(value->dtype))
            source[count++] = program->variable[i];
    }
    return count;
}

static int gradient_count(const Run *run)
{
    int16_t source[MAX_ARGUMENTS + MAX_VARIABLES];
    return run->mode->watch == WATCH_INSIDE ? gradient_sources(run->program, source) : 0;
}

static gt_Status watch_arguments(Run *run, gt_Tape *tape)
{
    const Program *program = run->program;
    for (int i = 0; i < program->arguments; i++)
        if (gt_dtype_is_float(program->value[program->argument[i]].dtype))
            gt_watch(tape, run->value[program->argument[i]]);
    return gt_status();
}

/* Gradients of all float outputs in everything, behind the outputs. */
static gt_Status add_gradients(Run *run, gt_Tape *tape, gt_Tensor **out)
{
    const Program *program = run->program;
    const Body *body = &program->body[0];
    int16_t index[MAX_ARGUMENTS + MAX_VARIABLES];
    int sources = gradient_sources(program, index), targets = 0;
    gt_Tensor *source[MAX_ARGUMENTS + MAX_VARIABLES], *target[BODY_OUTPUTS];
    for (int i = 0; i < sources; i++)
        source[i] = run->value[index[i]];
    for (int i = 0; i < body->outputs; i++)
        if (gt_dtype_is_float(program->value[body->output[i]].dtype))
            target[targets++] = out[i];
    return gt_gradients(tape, ((gt_Tensors){target, targets}), ((gt_Tensors){source, sources}),
                        out + body->outputs, .unconnected = GT_UNCONNECTED_ZERO);
}

static gt_Status main_function(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Run *run = context;
    const Program *program = run->program;
    const Body *body = &program->body[0];
    int blocks = run->blocks;
    gt_Tape *tape = NULL;
    for (int i = 0; i < program->arguments; i++)
        run->value[program->argument[i]] = in[i];
    if (run->mode->watch == WATCH_INSIDE) {
        tape = begin_tape(run, false, true);
        watch_arguments(run, tape);
    }
    gt_Status status = gt_status() == GT_OK ? run_body(run, 0) : gt_status();
    for (int i = 0; i < body->outputs && status == GT_OK; i++)
        out[i] = run->value[body->output[i]];
    if (status == GT_OK && tape) {
        add_gradients(run, tape, out);
        for (int i = 0; i < body->outputs + gradient_count(run) && gt_status() == GT_OK; i++)
            gt_keep(out[i]);
        end_block(run);
        status = gt_status();
    }
    if (status != GT_OK && run->mode->traced)
        run->blocks = blocks; /* the library ends what is open */
    return status;
}

static void collect_variables(Run *run, uint64_t *hash)
{
    for (int i = 0; i < run->program->variables; i++) {
        Result result = {0};
        read_result(run->value[run->program->variable[i]], &result);
        hash[i] = result.hash;
    }
}

static uint64_t default_generator(const Run *run)
{
    Result result = {0};
    read_result(generators[run->mode->context], &result);
    return result.hash;
}

static void note_error(Round *round, const Run *run)
{
    if (round->status != GT_OK || gt_status() == GT_OK)
        return;
    round->status = gt_status();
    round->step = run->step;
    const char *message = without_site(gt_error_message());
    size_t length = strlen(message);
    length = length < sizeof round->message - 1 ? length : sizeof round->message - 1;
    memcpy(round->message, message, length);
    round->message[length] = 0;
}

static void read_outputs(Run *run, gt_Tensor *const *out, Round *round)
{
    int count = run->program->body[0].outputs, gradients = gradient_count(run);
    for (int i = 0; i < count + gradients && gt_status() == GT_OK; i++) {
        Result *into = i < count ? &round->output[i] : &round->gradient[i - count];
        if (read_result(out[i], into) == GT_OK)
            *(i < count ? &round->outputs : &round->gradients) += 1;
    }
}

static void run_round(Run *run, gt_Function *function, Round *round)
{
    const Program *program = run->program;
    gt_Tensor *in[MAX_ARGUMENTS], *out[BODY_OUTPUTS + MAX_ARGUMENTS + MAX_VARIABLES] = {NULL};
    gt_Tape *outside = NULL;
    gt_Scope *outer = gt_scope_begin();
    run->step = -1;
    set_live(run);
    if (run->mode->watch == WATCH_OUTSIDE)
        outside = gt_tape_begin(.persistent = true);
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < program->arguments; i++) {
        run_make_leaf(run, program->argument[i]);
        in[i] = run->value[program->argument[i]];
    }
    if (outside)
        watch_arguments(run, outside);
    gt_Scope *inner = gt_scope_begin();
    if (gt_status() == GT_OK) {
        if (run->mode->traced)
            gt_function_call(function, ((gt_Tensors){in, program->arguments}), out);
        else
            main_function(run, in, out);
    }
    note_error(round, run);
    gt_error_clear();
    if (round->status == GT_OK)
        read_outputs(run, out, round);
    note_error(round, run);
    gt_error_clear();
    while (run->blocks > 0)
        end_block(run);
    gt_scope_end(inner);
    gt_scope_end(scope);
    gt_tape_end(outside);
    gt_scope_end(outer);
    gt_error_clear();
    collect_variables(run, round->variable);
    round->generator = default_generator(run);
    gt_error_clear();
}

static void pack_variables(Run *run)
{
    static const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32, GT_INT64};
    const Program *program = run->program;
    for (int t = 0; t < 4 && program->packed; t++) {
        gt_Tensor *list[MAX_VARIABLES];
        int count = 0;
        for (int i = 0; i < program->variables; i++)
            if (program->value[program->variable[i]].dtype == types[t])
                list[count++] = run->value[program->variable[i]];
        if (count > 1)
            gt_pack(((gt_Tensors){list, count}));
    }
}

void run_begin(Run *run, const Program *program, const Mode *mode, Outcome *outcome)
{
    static const int64_t generator[2] = {7, 0};
    memset(run, 0, sizeof *run);
    run->program = program;
    run->mode = mode;
    run->outcome = outcome;
    run->step = -1;
    for (int i = 0; i < MAX_BODIES; i++)
        run->bodies[i] = (BodyOf){run, i};
    gt_context_use(contexts[mode->context]);
    gt_error_clear();
    gt_variable_set(generators[mode->context], generator, sizeof generator);
    gt_Scope *scope = gt_scope_begin();
    run->stale = gt_scalar(1, GT_FLOAT32);
    gt_scope_end(scope);
    for (int i = 0; i < program->variables; i++)
        run_make_leaf(run, program->variable[i]);
    pack_variables(run);
}

void run_end(Run *run)
{
    const Program *program = run->program;
    gt_error_clear();
    for (int i = 0; i < MAX_BODIES; i++)
        gt_function_free(run->function[i]);
    for (int i = 0; i < program->variables; i++)
        gt_variable_free(run->value[program->variable[i]]);
    for (int i = 0; i < MAX_VALUES; i++)
        free(run->memory[i]);
    gt_error_clear();
}

void run_program(const Program *program, const Mode *mode, Outcome *outcome)
{
    static Run run;
    static uint64_t budget;
    memset(outcome, 0, sizeof *outcome);
    Guard *guard = &guards[mode->context];
    gt_context_use(contexts[mode->context]);
    gt_MemoryStats before = gt_memory_stats();
    gt_FloatMode floats = {0};
    if (mode->flush)
        floats = gt_float_mode_flush();
    run_begin(&run, program, mode, outcome);
    collect_variables(&run, outcome->start);
    gt_Function *function =
        mode->traced ? gt_function(main_function, &run,
                                   .outputs = program->body[0].outputs + gradient_count(&run))
                     : NULL;
    if (mode->numerics)
        gt_check_numerics(true);
    for (run.round = 0; run.round < ROUNDS; run.round++) {
        Round *round = &outcome->round[run.round];
        outcome->rounds++;
        if (mode->budget) {
            Random random = {program->seed + ++budget};
            guard->left = random_below(&random, 200);
        }
        round->step = -1;
        run_round(&run, function, round);
        guard->left = INT64_MAX;
        if (round->status != GT_OK)
            break;
    }
    gt_check_numerics(false);
    gt_function_free(function);
    run_end(&run);
    if (mode->flush)
        gt_float_mode_restore(floats);
    gt_MemoryStats after = gt_memory_stats();
    outcome->handles = after.handles - before.handles;
    outcome->records = after.records - before.records;
    outcome->variables = after.variables - before.variables;
}

/* ---- the calls of tests/calls.h ---- */

int calls_count(void)
{
    return CALL_COUNT;
}

const char *call_name(int call)
{
#define CALL_NAME(name, call) #name,
    static const char *const names[] = {CALLS(CALL_NAME)};
    return names[call];
}

const char *call_text(int call)
{
#define CALL_TEXT(name, call) #call,
    static const char *const texts[] = {CALLS(CALL_TEXT)};
    return texts[call];
}
