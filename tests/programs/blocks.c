/* Tapes and scopes, and gradients. */
#include "generate.h"

#include "../../ops/kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tapes and scopes ---- */

void add_tape(Generator *g)
{
    Step step = new_step(STEP_TAPE_BEGIN);
    int t = 0;
    while (t < MAX_TAPES && g->tape[t].open)
        t++;
    if (t == MAX_TAPES || g->blocks >= MAX_BLOCKS - 4)
        return;
    step.tape = (int8_t)t;
    step.persistent = chance(g, 0.35);
    step.watch_accessed = chance(g, 0.85);
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        return;
    }
    g->tape[t] = (TapeState){.open = true,
                             .persistent = step.persistent,
                             .watch_accessed = step.watch_accessed,
                             .level = g->levels - 1};
    g->block[g->blocks++] = (OpenBlock){true, t, g->levels - 1};
    for (int i = 0; i < g->program->values; i++)
        g->known[i].tapes &= ~(1u << t);
    for (int i = below(g, 4); i > 0; i--) {
        int value = pick(g, has_dtype, &g->real);
        if (value >= 0)
            watch(g, t, value);
    }
}

void add_scope(Generator *g)
{
    Step step = new_step(STEP_SCOPE_BEGIN);
    if (g->blocks >= MAX_BLOCKS - 4)
        return;
    if (add_step(g, &step) != GT_OK) {
        gt_error_clear();
        remove_step(g);
        return;
    }
    g->block[g->blocks++] = (OpenBlock){false, -1, g->levels - 1};
}

/* Ends the innermost tape or scope; what nobody used yet is kept, as far as there is room. */
void end_innermost(Generator *g)
{
    const OpenBlock *block = &g->block[g->blocks - 1];
    Step step = new_step(block->is_tape ? STEP_TAPE_END : STEP_SCOPE_END);
    step.tape = (int8_t)block->tape;
    for (int i = g->program->values - 1; i >= 0; i--) {
        Known *known = &g->known[i];
        Origin origin = g->program->value[i].origin;
        if (!known->alive || known->block < g->blocks || origin == ORIGIN_VARIABLE ||
            origin == ORIGIN_ARGUMENT)
            continue;
        bool needed = known->uses == 0 && origin == ORIGIN_RESULT;
        if ((needed || chance(g, 0.2)) && step.inputs < STEP_INPUTS) {
            step.in[step.inputs++] = (int16_t)i;
            known->block = g->blocks - 1;
        } else {
            known->alive = false;
        }
    }
    g->blocks--;
    if (block->is_tape)
        g->tape[block->tape].open = false;
    add_step(g, &step);
}

bool of_this_body(const Generator *g)
{
    return g->blocks > 0 && g->block[g->blocks - 1].level == g->levels - 1;
}

void add_pause(Generator *g)
{
    int t = recording_tape(g);
    Step step = new_step(STEP_PAUSE);
    for (int k = 0; k < MAX_TAPES && chance(g, 0.5); k++)
        if (g->tape[k].open && g->tape[k].paused && !g->tape[k].used &&
            g->tape[k].level == g->levels - 1) {
            t = k;
            step.kind = STEP_RESUME;
        }
    if (t < 0)
        return;
    step.tape = (int8_t)t;
    if (add_step(g, &step) == GT_OK) {
        g->tape[t].paused = step.kind == STEP_PAUSE;
        return;
    }
    gt_error_clear();
    remove_step(g);
}

typedef struct KnownBy {
    int tape;
    bool result; /* made by a step */
} KnownBy;

static bool known_by(const Generator *g, int value, const void *argument)
{
    const KnownBy *by = argument;
    Origin origin = g->program->value[value].origin;
    /* WAITS: what gt_recompute computes from nothing that is watched is known to a tape eagerly alone. */
    bool unsure = origin == ORIGIN_RESULT && g->recomputes;
    return is_float(g, value) && tapes_of(g, value) >> by->tape & 1 &&
           (by->result ? origin == ORIGIN_RESULT : !is_alias(g, value) && !unsure);
}

static bool same_spec(const Generator *g, int a, int b)
{
    const Value *x = &g->program->value[a], *y = &g->program->value[b];
    return x->dtype == y->dtype && gt_shape_equal(x->shape, y->shape);
}

bool is_like(const Generator *g, int value, const void *argument)
{
    return same_spec(g, value, ((const LikeValue *)argument)->value);
}

bool is_any_float(const Generator *g, int value, const void *argument)
{
    (void)argument;
    return is_float(g, value);
}

static bool is_own_float(const Generator *g, int value, const void *argument)
{
    return is_any_float(g, value, argument) && !is_alias(g, value) &&
           !(g->recomputes && g->program->value[value].origin == ORIGIN_RESULT);
}

void add_gradient(Generator *g)
{
    Program *p = g->program;
    Step step = new_step(STEP_GRADIENT);
    int t = -1, count = 0;
    for (int k = 0; k < MAX_TAPES; k++)
        if (g->tape[k].open && !g->tape[k].used && g->tape[k].level == g->levels - 1 &&
            below(g, ++count) == 0)
            t = k;
    if (t < 0)
        return;
    step.tape = (int8_t)t;
    step.targets = (int8_t)(1 + (chance(g, 0.25) ? 1 : 0));
    step.sources = (int8_t)(1 + below(g, 3));
    KnownBy result = {t, true}, any = {t, false};
    bool sloppy = chance(g, 0.15);
    for (int i = 0; i < step.targets + step.sources; i++) {
        bool target = i < step.targets;
        int value = sloppy && chance(g, 0.5) ? pick(g, target ? is_any_float : is_own_float, NULL)
                                             : pick(g, known_by, target ? &result : &any);
        if (value < 0)
            return;
        step.in[step.inputs++] = (int16_t)value;
    }
    if (chance(g, 0.25))
        for (int i = 0; i < step.targets; i++) {
            int like = chance(g, 0.8) ? pick(g, is_like, &(LikeValue){step.in[i]}) : ABSENT;
            step.in[step.inputs++] = (int16_t)like;
        }
    int k = below(g, 10);
    step.unconnected = k < 4   ? GT_UNCONNECTED_ERROR
                       : k < 7 ? GT_UNCONNECTED_ZERO
                       : k < 9 ? GT_UNCONNECTED_NONE
                               : GT_UNCONNECTED_SOME;
    /* WAITS: a traced loop that ignores a carry which a branch chose counts as connected, an eager one not. */
    if (p->control)
        step.unconnected = GT_UNCONNECTED_ZERO;
    step.outputs = step.sources;
    int values = p->values;
    for (int i = 0; i < step.outputs; i++)
        step.out[i] = (int16_t)new_value(g, ORIGIN_RESULT, GT_FLOAT32, (gt_Shape){0});
    gt_Status status = add_step(g, &step);
    if (status != GT_OK || too_large(g, &step)) {
        /* A question that was refused costs the tape nothing; another may have used it up. */
        bool kept = status == GT_NO_GRADIENT && chance(g, 0.3);
        gt_error_clear();
        for (int i = values; i < p->values; i++)
            g->known[i].alive = false;
        if (kept)
            p->step[p->steps - 1].may_fail = true;
        else
            remove_step(g);
        if (status != GT_NO_GRADIENT && !g->tape[t].persistent)
            g->tape[t].used = true;
        return;
    }
    for (int i = 0; i < step.outputs; i++)
        if (!g->run.value[step.out[i]]) { /* unconnected */
            g->known[step.out[i]].alive = false;
            p->step[p->steps - 1].out[i] = step.out[i] = -1;
        }
    if (!g->tape[t].persistent)
        g->tape[t].used = true;
    know_outputs(g, &step);
    uint32_t tapes = 0;
    for (int i = 0; i < step.inputs; i++)
        if (step.in[i] >= 0)
            tapes |= tapes_of(g, step.in[i]);
    if (!g->tape[t].persistent)
        tapes &= ~(1u << t);
    for (int i = 0; i < step.outputs; i++)
        if (step.out[i] >= 0) {
            g->known[step.out[i]].tapes = tapes & recording_tapes(g);
            p->value[step.out[i]].loose_itself = p->control || g->recomputes; /* WAITS */
        }
}
