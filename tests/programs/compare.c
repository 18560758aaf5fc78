/* A program in all its modes, and what must be the same among them:
 *
 *   eager              as it is; denormals as the processor treats them. Everything else is compared with
 *                      this or with
 *   flushed            eager, while denormals count as zero: as in a plan
 *   traced             the program is a gt_function; two rounds, so that the second runs the plan of the first
 *   functions          eager, its functions are gt_functions
 *   threads            eager with three threads, every block from the allocator by itself
 *   traced threads     both
 *   numerics           eager with gt_check_numerics: the same, or GT_NUMERIC where something is strange
 *   watched            eager under a tape that watches all arguments
 *   watched call       the gt_function under that tape, which then runs its body
 *   gradients          flushed, under a tape of its own, then gradients of all outputs
 *   traced gradients   the same as a gt_function
 *   budget             eager while allocations fail: GT_NO_MEMORY or the same
 *   traced budget      the same as a gt_function
 *   unflushed          traced by a caller who does not flush; compared if flushing changes nothing
 *
 * Eager and planned results agree bit for bit unless a denormal occurs. So plans are compared with eager
 * runs that flush denormals as plans do, and no difference is excused. */
#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

Shared *shared;

const Mode modes[MODES] = {
    [MODE_EAGER] = {"eager", CONTEXT_PLAIN, .steps = true},
    [MODE_FLUSHED] = {"flushed", CONTEXT_PLAIN, .flush = true},
    [MODE_TRACED] = {"traced", CONTEXT_PLAIN, .flush = true, .traced = true},
    [MODE_FUNCTIONS] = {"functions", CONTEXT_PLAIN, .flush = true, .functions = true},
    [MODE_THREADS] = {"threads", CONTEXT_THREADS, .steps = true},
    [MODE_TRACED_THREADS] = {"traced threads", CONTEXT_THREADS, .flush = true, .traced = true,
                             .functions = true},
    [MODE_NUMERICS] = {"numerics", CONTEXT_GUARDED, .numerics = true, .steps = true},
    [MODE_WATCHED] = {"watched", CONTEXT_GUARDED, .watch = WATCH_OUTSIDE, .steps = true},
    [MODE_WATCHED_CALL] = {"watched call", CONTEXT_GUARDED, .flush = true, .traced = true,
                           .functions = true, .watch = WATCH_OUTSIDE},
    [MODE_GRADIENTS] = {"gradients", CONTEXT_GUARDED, .flush = true, .watch = WATCH_INSIDE},
    [MODE_TRACED_GRADIENTS] = {"traced gradients", CONTEXT_PLAIN, .flush = true, .traced = true,
                               .functions = true, .watch = WATCH_INSIDE},
    [MODE_BUDGET] = {"budget", CONTEXT_BUDGET, .budget = true},
    [MODE_TRACED_BUDGET] = {"traced budget", CONTEXT_BUDGET, .budget = true, .flush = true,
                            .traced = true},
    [MODE_UNFLUSHED] = {"unflushed", CONTEXT_GUARDED, .traced = true},
};

static Outcome outcomes[MODES];

typedef struct Comparison {
    const Program *program;
    const Outcome *wanted, *got;
    int mode, against;
    Finding *finding;
} Comparison;

static bool report(const Comparison *c, Fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool report(const Comparison *c, Fault fault, const char *format, ...)
{
    char *text = c->finding->text;
    size_t size = sizeof c->finding->text;
    c->finding->fault = fault;
    c->finding->mode = c->mode;
    int used =
        snprintf(text, size, "%s, compared with %s: ", modes[c->mode].name, modes[c->against].name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

static bool planned(int mode)
{
    return modes[mode].traced || modes[mode].functions;
}

/* Loose ones have the same type; their numbers may decide over the shape of what comes of them. */
static bool same_result(const Result *a, const Result *b, bool loose)
{
    if (loose)
        return a->spec.dtype == b->spec.dtype;
    return a->spec.dtype == b->spec.dtype && a->spec.size == b->spec.size &&
           a->spec.rank == b->spec.rank &&
           memcmp(a->spec.dims, b->spec.dims, (size_t)a->spec.rank * sizeof *a->spec.dims) == 0 &&
           a->hash == b->hash;
}

static bool same_variables(const Comparison *c, Fault fault, int round, const uint64_t *wanted,
                           const uint64_t *got)
{
    bool traced = planned(c->mode) != planned(c->against);
    for (int i = 0; i < c->program->variables; i++) {
        int value = c->program->variable[i];
        if (wanted[i] != got[i] && !(traced && c->program->value[value].loose))
            return report(c, fault, "round %d: variable %d is not the same", round, value);
    }
    return true;
}

/* A plan knows operations, not what they are parts of: it leaves out the names of composites. */
static bool same_message(const char *wanted, const char *got, bool planned)
{
    size_t a = strlen(wanted), b = strlen(got);
    return planned ? b <= a && strcmp(wanted + a - b, got) == 0 : strcmp(wanted, got) == 0;
}

/* Do loose numbers decide whether there is an error? */
static bool decided_by_loose(const Program *program, const Round *round)
{
    bool any = false;
    for (int i = 0; i < program->values && round->step < 0 && round->status != GT_OK; i++)
        any |= program->value[i].loose;
    const Step *step = round->step < 0 ? NULL : &program->step[round->step];
    for (int i = 0; step && i < step->inputs; i++)
        any |= step->in[i] >= 0 && program->value[step->in[i]].loose;
    return any;
}

/* An error in both, and the same one. What makes several operations may meet its errors in another order
 * when it is traced, and so may several steps: what depends on shapes first, and what is made of constants alone. */
static bool same_error(const Comparison *c, int round)
{
    const Round *wanted = &c->wanted->round[round], *got = &c->got->round[round];
    bool traced = planned(c->mode) != planned(c->against);
    /* A plan leaves out what nothing needs, with the errors that it would have. */
    if (traced && wanted->status != GT_OK && !c->program->whole)
        return true;
    if (wanted->status != GT_OK && got->status != GT_OK && traced &&
        (wanted->step < 0 || c->program->step[wanted->step].kind != STEP_APPLY ||
         got->step > wanted->step || c->mode == MODE_TRACED_GRADIENTS))
        return true;
    /* What depends on numbers that are not known while a function is traced, and says so. */
    if (traced && strstr(got->message, "inside a traced function"))
        return true;
    if (traced && (decided_by_loose(c->program, wanted) || decided_by_loose(c->program, got)))
        return true;
    /* A gradient on the way to a source may fail where nothing arrives there: a plan leaves it out. */
    if (traced && wanted->status != GT_OK && got->status == GT_OK &&
        (wanted->step < 0 || c->program->step[wanted->step].kind == STEP_GRADIENT))
        return true;
    /* WAITS: eager and traced disagree on what is unconnected through control flow. */
    if (traced && c->program->control &&
        (c->mode == MODE_TRACED_GRADIENTS ||
         (got->step >= 0 && c->program->step[got->step].kind == STEP_GRADIENT)))
        return true;
    if (wanted->status != got->status || !same_message(wanted->message, got->message, traced))
        return report(c, FAULT_STATUS, "round %d: \"%s\" (%s, step %d), not \"%s\" (%s, step %d)",
                      round, got->message, gt_status_text(got->status), got->step, wanted->message,
                      gt_status_text(wanted->status), wanted->step);
    return true;
}

static bool same_outputs(const Comparison *c, int round, bool gradients)
{
    const Round *wanted = &c->wanted->round[round], *got = &c->got->round[round];
    const Body *body = &c->program->body[0];
    bool traced = planned(c->mode) != planned(c->against);
    for (int i = 0; i < body->outputs; i++)
        if (!same_result(&wanted->output[i], &got->output[i],
                         traced && c->program->value[body->output[i]].loose))
            return report(c, FAULT_OUTPUT, "round %d: output %d, value %d, is not the same", round,
                          i, body->output[i]);
    for (int i = 0; i < wanted->gradients && gradients; i++)
        if (!same_result(&wanted->gradient[i], &got->gradient[i],
                         traced && (c->program->control || c->program->recomputes)))
            return report(c, FAULT_OUTPUT, "round %d: gradient %d is not the same", round, i);
    return true;
}

static bool same_steps(const Comparison *c)
{
    for (int i = 0; i < c->program->steps; i++)
        if (c->wanted->step[i] != c->got->step[i])
            return report(c, FAULT_STEP, "step %d is not the same", i);
    return true;
}

static bool nothing_lost(const Comparison *c)
{
    const Outcome *got = c->got;
    if (got->careless)
        return report(c, FAULT_CARELESS, "something worked while an error was pending");
    if (got->handles || got->records || got->variables)
        return report(c, FAULT_LOST, "%d handles, %d records, %d variables were lost",
                      (int)got->handles, (int)got->records, (int)got->variables);
    return true;
}

/* A plan that failed left the variables as they were. */
static bool nothing_half_done(const Comparison *c)
{
    int last = c->got->rounds - 1;
    const Round *round = &c->got->round[last];
    if (!modes[c->mode].traced || modes[c->mode].watch == WATCH_OUTSIDE || round->status == GT_OK)
        return true;
    const uint64_t *before = last ? c->got->round[last - 1].variable : c->got->start;
    return same_variables(c, FAULT_HALF, last, before, round->variable);
}

static bool same_rounds(const Comparison *c, bool gradients)
{
    for (int round = 0; round < c->wanted->rounds; round++) {
        if (round >= c->got->rounds || !same_error(c, round))
            return false;
        if (c->wanted->round[round].status != GT_OK || c->got->round[round].status != GT_OK)
            return true;
        if (!same_outputs(c, round, gradients) ||
            !same_variables(c, FAULT_VARIABLE, round, c->wanted->round[round].variable,
                            c->got->round[round].variable))
            return false;
        if (c->wanted->round[round].generator != c->got->round[round].generator)
            return report(c, FAULT_VARIABLE, "round %d: the default generator is not the same",
                          round);
    }
    return true;
}

/* gt_check_numerics: an operation whose result is strange is an error, another is not. */
static bool same_numerics(const Comparison *c)
{
    const Outcome *wanted = c->wanted, *got = c->got;
    const Round *last = &got->round[got->rounds - 1];
    bool says_so = last->status == GT_NUMERIC && strstr(last->message, "of the result, ");
    for (int i = 0; i < c->program->steps; i++) {
        const gt_Operation *operation = operation_of(&c->program->step[i]);
        bool found = says_so && last->step == i;
        if (!operation || operation->flags & (GT_OP_VIEW | GT_OP_EFFECT))
            continue;
        if (found && !wanted->strange[i])
            return report(c, FAULT_NUMERICS, "step %d is not strange: %s", i, last->message);
    }
    if (says_so)
        return true;
    for (int i = 0; i < c->program->steps; i++) {
        const gt_Operation *operation = operation_of(&c->program->step[i]);
        if (operation && !(operation->flags & (GT_OP_VIEW | GT_OP_EFFECT)) && wanted->strange[i] &&
            !c->program->step[i].may_fail)
            return report(c, FAULT_NUMERICS, "step %d is strange, and nothing was said", i);
    }
    return same_rounds(c, false);
}

/* Without memory: the same, or an error that says so. */
static bool same_in_budget(const Comparison *c)
{
    const Round *last = &c->got->round[c->got->rounds - 1];
    if (last->status == GT_NO_MEMORY)
        return true;
    return same_rounds(c, false);
}

static bool changed_by_flushing(void)
{
    const Outcome *a = &outcomes[MODE_EAGER], *b = &outcomes[MODE_FLUSHED];
    return memcmp(a->round, b->round, sizeof a->round) != 0;
}

static bool compare(const Comparison *c)
{
    if (!nothing_lost(c) || !nothing_half_done(c))
        return false;
    switch (c->mode) {
    case MODE_NUMERICS:
        return same_numerics(c);
    case MODE_BUDGET:
    case MODE_TRACED_BUDGET:
        return same_in_budget(c);
    case MODE_UNFLUSHED:
        return changed_by_flushing() || same_rounds(c, false);
    case MODE_GRADIENTS: { /* the gradients may fail where the program does not */
        const Round *got = c->got->round;
        if (got[0].status != GT_OK && got[0].step < 0)
            return true;
        if (c->got->rounds > 1 && got[1].status != GT_OK && got[1].step < 0)
            return true;
        return same_rounds(c, false);
    }
    case MODE_THREADS:
    case MODE_WATCHED:
        return same_rounds(c, false) && same_steps(c);
    default:
        return same_rounds(c, true);
    }
}

static bool run(const Program *program, int mode, int against, Finding *finding)
{
    if (mode != against && !(program->modes >> mode & 1))
        return true;
    shared->mode = mode;
    shared->runs++;
    run_program(program, &modes[mode], &outcomes[mode]);
    const Comparison c = {program, &outcomes[against], &outcomes[mode], mode, against, finding};
    return compare(&c);
}

/* ---- what was reached ---- */

static bool carries_gradient(const Step *step)
{
    const gt_Operation *operation = operation_of(step);
    return operation && operation->gradient && !(operation->flags & GT_OP_NOT_DIFFERENTIABLE);
}

static bool is_float(const Program *program, int value)
{
    return value >= 0 && gt_dtype_is_float(program->value[value].dtype);
}

/* Counts the operations of body `b`, up to step number `end` of it, that are on a way from the marked
 * sources to the marked targets. */
static void count_differentiated(const Program *program, int b, int end, bool *sources,
                                 bool *targets)
{
    const Body *body = &program->body[b];
    for (int i = 0; i < end; i++) {
        const Step *step = &program->step[body->step[i]];
        bool reached = false;
        for (int k = 0; k < step->inputs && carries_gradient(step); k++)
            reached |= is_float(program, step->in[k]) && sources[step->in[k]];
        for (int k = 0; k < step->outputs && reached; k++)
            if (is_float(program, step->out[k]))
                sources[step->out[k]] = true;
    }
    for (int i = end - 1; i >= 0; i--) {
        const Step *step = &program->step[body->step[i]];
        bool needed = false, reached = false;
        for (int k = 0; k < step->outputs && carries_gradient(step); k++)
            needed |= is_float(program, step->out[k]) && targets[step->out[k]];
        for (int k = 0; k < step->inputs && needed; k++)
            if (is_float(program, step->in[k])) {
                reached |= sources[step->in[k]];
                targets[step->in[k]] = true;
            }
        if (reached && !step->may_fail)
            shared->coverage[step->operation].differentiated++;
    }
}

/* The gradients of everything, in the mode that asks for them. */
static void count_gradients(const Program *program)
{
    static bool sources[MAX_VALUES], targets[MAX_VALUES];
    const Body *body = &program->body[0];
    memset(sources, 0, sizeof sources);
    memset(targets, 0, sizeof targets);
    for (int i = 0; i < program->arguments; i++)
        sources[program->argument[i]] = true;
    for (int i = 0; i < program->variables; i++)
        sources[program->variable[i]] = program->value[program->variable[i]].trainable;
    for (int i = 0; i < body->outputs; i++)
        targets[body->output[i]] = true;
    count_differentiated(program, 0, body->steps, sources, targets);
}

/* The gradients that a step of body 0 asked for. */
static void count_gradient_step(const Program *program, int at)
{
    static bool sources[MAX_VALUES], targets[MAX_VALUES];
    const Step *step = &program->step[program->body[0].step[at]];
    memset(sources, 0, sizeof sources);
    memset(targets, 0, sizeof targets);
    for (int i = 0; i < step->targets; i++)
        targets[step->in[i]] = true;
    for (int i = step->targets; i < step->targets + step->sources; i++)
        sources[step->in[i]] = true;
    count_differentiated(program, 0, at, sources, targets);
}

static void count_steps(const Program *program)
{
    const Outcome *eager = &outcomes[MODE_EAGER];
    bool traced =
        program->modes >> MODE_TRACED & 1 && outcomes[MODE_TRACED].round[0].status == GT_OK;
    for (int i = 0; i < program->steps; i++) {
        const Step *step = &program->step[i];
        Coverage *coverage = step->kind == STEP_APPLY       ? &shared->coverage[step->operation]
                             : step->kind == STEP_COMPOSITE ? &shared->calls[step->operation]
                                                            : NULL;
        shared->steps += step->kind != STEP_NONE;
        if (!coverage)
            continue;
        bool failed = eager->failed[i] || eager->round[eager->rounds - 1].step == i;
        coverage->invalid += failed;
        coverage->valid += eager->ran[i];
        coverage->traced += eager->ran[i] && traced;
    }
    for (int i = 0; i < program->body[0].steps; i++) {
        int index = program->body[0].step[i];
        if (program->step[index].kind == STEP_GRADIENT && eager->ran[index])
            count_gradient_step(program, i);
    }
    if (program->modes >> MODE_GRADIENTS & 1 && outcomes[MODE_GRADIENTS].round[0].status == GT_OK)
        count_gradients(program);
}

bool program_agrees(const Program *program, Finding *finding)
{
    static const int against[MODES] = {[MODE_EAGER] = MODE_EAGER,
                                       [MODE_FLUSHED] = MODE_FLUSHED,
                                       [MODE_TRACED] = MODE_FLUSHED,
                                       [MODE_FUNCTIONS] = MODE_FLUSHED,
                                       [MODE_THREADS] = MODE_EAGER,
                                       [MODE_TRACED_THREADS] = MODE_FLUSHED,
                                       [MODE_NUMERICS] = MODE_EAGER,
                                       [MODE_WATCHED] = MODE_EAGER,
                                       [MODE_WATCHED_CALL] = MODE_FLUSHED,
                                       [MODE_GRADIENTS] = MODE_FLUSHED,
                                       [MODE_TRACED_GRADIENTS] = MODE_GRADIENTS,
                                       [MODE_BUDGET] = MODE_EAGER,
                                       [MODE_TRACED_BUDGET] = MODE_FLUSHED,
                                       [MODE_UNFLUSHED] = MODE_EAGER};
    *finding = (Finding){0};
    for (int mode = 0; mode < MODES; mode++)
        if (!run(program, mode, against[mode], finding))
            return false;
    count_steps(program);
    return true;
}
