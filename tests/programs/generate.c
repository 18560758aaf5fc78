/* Making a program from a seed. Steps are tried one by one as they are added: what an operation makes of
 * its inputs is known, so that the next step can be legal. Steps that fail are taken away again, save
 * for some: they stay as errors that the program survives, or that it ends with.
 *
 * An operation starts from one of its samples. The dimensions of the sample are replaced by others, equal
 * ones by equal ones; inputs are values that are there and fit, values that are made to fit (by reshape,
 * slice, pad, clip, cast), or new leaves. Now and then one thing is made wrong: an input, an option. */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

static Generator generator;

/* ---- programs ---- */

static void add_one(Generator *g)
{
    int k = below(g, 100);
    bool bodies = g->program->bodies < MAX_BODIES - 2 && g->levels < 3;
    if (k < 9 && g->tape[0].open)
        add_gradient(g);
    else if (k < 13)
        add_tape(g);
    else if (k < 16)
        add_scope(g);
    else if (k < 22 && of_this_body(g))
        end_innermost(g);
    else if (k < 23)
        add_pause(g);
    else if (k < 26 && bodies)
        add_function(g);
    else if (k < 27 && bodies)
        add_cond(g);
    else if (k < 28 && bodies)
        add_loop(g);
    else if (k < 29 && bodies)
        add_scan(g);
    else if (k < 40)
        add_composite(g);
    else if (k < 45)
        add_assignment(g);
    else
        add_apply(g, -1);
}

void add_steps(Generator *g, int count)
{
    int level = g->levels;
    for (int i = 0; i < count && has_room(g); i++) {
        add_one(g);
        if (g->levels != level)
            abort();
    }
}

/* Every value that nothing needs becomes an output, as far as there is room. */
static void choose_outputs(Generator *g)
{
    Program *p = g->program;
    Body *body = &p->body[0];
    bool spare = !g->ended && chance(g, 0.3); /* leaves some out */
    for (int i = p->values - 1; i >= 0; i--) {
        Known *known = &g->known[i];
        if (!known->alive || known->uses > 0 || known->level > 0 ||
            p->value[i].origin != ORIGIN_RESULT)
            continue;
        if (body->outputs < BODY_OUTPUTS && (!spare || chance(g, 0.7)))
            body->output[body->outputs++] = (int16_t)i;
    }
}

static void choose_modes(Generator *g)
{
    uint32_t chosen = 1u << MODE_EAGER | 1u << MODE_FLUSHED | 1u << MODE_TRACED;
    for (int mode = MODE_TRACED + 1; mode < MODES; mode++)
        if (chance(g, 0.3))
            chosen |= 1u << mode;
    if (chosen >> MODE_TRACED_GRADIENTS & 1)
        chosen |= 1u << MODE_GRADIENTS;
    g->program->modes = chosen;
}

void program_generate(Program *program, uint64_t seed)
{
    static const Mode mode = {"generate", CONTEXT_GENERATE, .flush = false};
    Generator *g = &generator;
    memset(program, 0, sizeof *program);
    memset(g, 0, sizeof *g);
    program->seed = seed;
    g->program = program;
    g->random.state = seed;
    g->real = chance(g, 0.65) ? GT_FLOAT32 : GT_FLOAT64;
    g->large = chance(g, 0.03) ? 20000 + below(g, 50000) : 0;
    program->packed = chance(g, 0.2);
    program->bodies = 1;
    program->body[0].other = -1;
    run_begin(&g->run, program, &mode, NULL);
    gt_Scope *outer = gt_scope_begin(), *inner = gt_scope_begin();
    g->levels = 1;
    int size = below(g, 10);
    int steps = g->large   ? 2 + below(g, 8)
                : size < 3 ? 1 + below(g, 5)
                : size < 9 ? 4 + below(g, 16)
                           : 20 + below(g, 40);
    add_steps(g, steps);
    if (!g->ended)
        close_blocks(g, 0);
    choose_outputs(g);
    choose_modes(g);
    program_finish(program);
    gt_error_clear();
    while (g->run.blocks > 0) {
        const Block *block = &g->run.block[--g->run.blocks];
        if (block->is_tape)
            gt_tape_end(block->tape);
        else
            gt_scope_end(block->scope);
    }
    gt_scope_end(inner);
    gt_scope_end(outer);
    run_end(&g->run);
}
