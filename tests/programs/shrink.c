/* Making a failing program small: leave something out, see whether it still fails in the same way, keep
 * what does. A step whose results are needed is replaced by constants of their shapes. Over and over until
 * nothing more can go. */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Shrinker {
    Program *program; /* that fails */
    Program *candidate;
    bool (*still_fails)(const Program *program);
    double end;
    bool changed;
} Shrinker;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static Program *begin(Shrinker *s)
{
    memcpy(s->candidate, s->program, sizeof *s->candidate);
    return s->candidate;
}

/* Takes the candidate if it fails too. */
static bool try(Shrinker *s)
{
    if (now() > s->end || !s->still_fails(s->candidate))
        return false;
    memcpy(s->program, s->candidate, sizeof *s->program);
    s->changed = true;
    return true;
}

static bool is_read(const Program *p, int value)
{
    bool reached[MAX_BODIES];
    program_reached(p, reached);
    for (int b = 0; b < p->bodies; b++) {
        const Body *body = &p->body[b];
        for (int i = 0; i < body->outputs && reached[b]; i++)
            if (body->output[i] == value)
                return true;
        for (int i = 0; i < body->steps && reached[b]; i++) {
            const Step *step = &p->step[body->step[i]];
            for (int k = 0; k < step->inputs; k++)
                if (step->in[k] == value)
                    return true;
        }
    }
    return false;
}

static void delete_from_body(Body *body, int at, int count)
{
    memmove(body->step + at, body->step + at + count,
            (size_t)(body->steps - at - count) * sizeof *body->step);
    body->steps = (int16_t)(body->steps - count);
}

static void become_constant(Program *p, int step, int value)
{
    Step constant = {.kind = STEP_CONSTANT, .outputs = 1, .given = -1, .tape = -1};
    memset(constant.in, ABSENT, sizeof constant.in);
    memset(constant.out, -1, sizeof constant.out);
    constant.out[0] = (int16_t)value;
    Value *v = &p->value[value];
    v->origin = ORIGIN_CONSTANT;
    v->like = (gt_SampleInput){.dtype = GT_FLOAT64, .shape = v->shape, .low = -2, .high = 2};
    v->seed = (uint64_t)value;
    v->pattern = PATTERN_RANGE;
    p->step[step] = constant;
}

/* In place of the one result of a step of body 0: an argument, which is not known while it is traced. */
static bool become_argument(Program *p, int at)
{
    Body *body = &p->body[0];
    const Step *step = &p->step[body->step[at]];
    int value = -1;
    for (int i = 0; i < step->outputs; i++)
        if (step->out[i] >= 0 && is_read(p, step->out[i])) {
            if (value >= 0)
                return false;
            value = step->out[i];
        }
    if (value < 0 || p->arguments == MAX_ARGUMENTS ||
        (step->kind != STEP_APPLY && step->kind != STEP_COMPOSITE && step->kind != STEP_CALL))
        return false;
    Value *v = &p->value[value];
    v->origin = ORIGIN_ARGUMENT;
    v->like = (gt_SampleInput){.dtype = GT_FLOAT64, .shape = v->shape, .low = -2, .high = 2};
    v->seed = (uint64_t)value;
    v->pattern = PATTERN_RANGE;
    p->argument[p->arguments++] = (int16_t)value;
    delete_from_body(body, at, 1);
    return true;
}

/* Removes the step at a place of a body: constants stand in for results that are read. How many steps
 * are there now in its place; -1: it cannot be removed. */
static int remove_at(Program *p, int b, int at)
{
    Body *body = &p->body[b];
    int index = body->step[at], kept = 0;
    Step old = p->step[index];
    if (old.kind == STEP_TAPE_BEGIN || old.kind == STEP_TAPE_END || old.kind == STEP_SCOPE_BEGIN ||
        old.kind == STEP_SCOPE_END)
        return -1;
    int16_t read[STEP_OUTPUTS];
    for (int i = 0; i < old.outputs; i++)
        if (old.out[i] >= 0 && is_read(p, old.out[i]))
            read[kept++] = old.out[i];
    if (old.kind == STEP_CONSTANT && kept > 0)
        return -1;
    if (body->steps + kept >= BODY_STEPS || p->steps + kept >= MAX_STEPS)
        return -1;
    delete_from_body(body, at, 1);
    for (int i = 0; i < kept; i++) {
        memmove(body->step + at + 1, body->step + at, (size_t)(body->steps - at) * sizeof *body->step);
        body->steps++;
        int fresh = i == 0 ? index : p->steps++;
        body->step[at] = (int16_t)fresh;
        become_constant(p, fresh, read[i]);
    }
    return kept;
}

/* From the end: what is removed makes what it needed removable. Many at once first. */
static void remove_steps(Shrinker *s)
{
    for (int b = 0; b < s->program->bodies; b++)
        for (int size = s->program->body[b].steps; size >= 1; size /= 2)
            for (int at = s->program->body[b].steps - 1; at >= 0; at -= size) {
                Program *p = begin(s);
                bool any = false;
                for (int k = at; k > at - size && k >= 0; k--)
                    any |= k < p->body[b].steps && remove_at(p, b, k) >= 0;
                if (any)
                    try(s);
            }
}

static void remove_behind_arguments(Shrinker *s)
{
    for (int at = s->program->body[0].steps - 1; at >= 0; at--)
        if (at < s->program->body[0].steps && become_argument(begin(s), at))
            try(s);
}

/* Tapes and scopes, with what they are used for. */
static void remove_blocks(Shrinker *s)
{
    for (int b = 0; b < s->program->bodies; b++)
        for (int at = s->program->body[b].steps - 1; at >= 0; at--) {
            const Body *body = &s->program->body[b];
            if (at >= body->steps)
                continue;
            const Step *first = &s->program->step[body->step[at]];
            if (first->kind != STEP_TAPE_BEGIN && first->kind != STEP_SCOPE_BEGIN)
                continue;
            Program *p = begin(s);
            int depth = 0, end = -1;
            for (int i = at; i < body->steps && end < 0; i++) {
                Kind kind = p->step[body->step[i]].kind;
                depth += (kind == STEP_TAPE_BEGIN || kind == STEP_SCOPE_BEGIN) -
                         (kind == STEP_TAPE_END || kind == STEP_SCOPE_END);
                if (depth == 0)
                    end = i;
            }
            Body *into = &p->body[b];
            if (end >= 0)
                delete_from_body(into, end, 1);
            for (int i = (end >= 0 ? end : into->steps) - 1; i > at; i--) {
                const Step *step = &p->step[into->step[i]];
                bool uses = first->kind == STEP_TAPE_BEGIN && step->tape == first->tape &&
                            (step->kind == STEP_WATCH || step->kind == STEP_PAUSE ||
                             step->kind == STEP_RESUME || step->kind == STEP_GRADIENT);
                if (uses)
                    remove_at(p, b, i);
            }
            delete_from_body(into, at, 1);
            try(s);
        }
}

static void remove_outputs(Shrinker *s)
{
    for (int b = 0; b < 1; b++)
        for (int size = s->program->body[b].outputs; size >= 1; size /= 2)
            for (int at = 0; at < s->program->body[b].outputs; at += size) {
                Program *p = begin(s);
                Body *body = &p->body[b];
                int count = at + size <= body->outputs ? size : body->outputs - at;
                memmove(body->output + at, body->output + at + count,
                        (size_t)(body->outputs - at - count) * sizeof *body->output);
                body->outputs = (int16_t)(body->outputs - count);
                if (try(s))
                    at -= size;
            }
}

/* What is kept, watched lists, and inputs of what takes any number. */
static void remove_inputs(Shrinker *s)
{
    for (int i = 0; i < s->program->steps; i++) {
        const Step *step = &s->program->step[i];
        const gt_Operation *operation = operation_of(step);
        bool keeps = step->kind == STEP_TAPE_END || step->kind == STEP_SCOPE_END;
        int least = keeps ? 0 : operation && operation->inputs_max > 8 ? 1 : STEP_INPUTS;
        for (int k = step->inputs - 1; k >= 0 && s->program->step[i].inputs > least; k--) {
            Program *p = begin(s);
            Step *into = &p->step[i];
            memmove(into->in + k, into->in + k + 1,
                    (size_t)(into->inputs - k - 1) * sizeof *into->in);
            into->inputs--;
            try(s);
        }
    }
}

static void remove_leaves(Shrinker *s)
{
    for (int i = s->program->arguments - 1; i >= 0; i--) {
        if (is_read(s->program, s->program->argument[i]))
            continue;
        Program *p = begin(s);
        p->arguments--;
        memmove(p->argument + i, p->argument + i + 1,
                (size_t)(p->arguments - i) * sizeof *p->argument);
        try(s);
    }
    for (int i = s->program->variables - 1; i >= 0; i--) {
        if (is_read(s->program, s->program->variable[i]))
            continue;
        Program *p = begin(s);
        p->variables--;
        memmove(p->variable + i, p->variable + i + 1,
                (size_t)(p->variables - i) * sizeof *p->variable);
        try(s);
    }
}

static void simplify_options(Shrinker *s)
{
    for (int i = 0; i < s->program->steps; i++) {
        const gt_Operation *operation = operation_of(&s->program->step[i]);
        const gt_OptionType *type = operation ? operation->options : NULL;
        for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
            const uint8_t *preset = (const uint8_t *)type->defaults + field->offset;
            if (memcmp(s->program->step[i].options + field->offset, preset, field->size) == 0)
                continue;
            memcpy(begin(s)->step[i].options + field->offset, preset, field->size);
            try(s);
        }
    }
}

static void simplify_leaves(Shrinker *s)
{
    for (int i = 0; i < s->program->values; i++) {
        const Value *value = &s->program->value[i];
        if (value->origin == ORIGIN_NONE || value->origin == ORIGIN_RESULT ||
            value->origin == ORIGIN_PARAMETER || !is_read(s->program, i))
            continue;
        if (value->pattern != PATTERN_SAME) {
            begin(s)->value[i].pattern = PATTERN_SAME;
            try(s);
        }
        if (value->wrapped) {
            begin(s)->value[i].wrapped = false;
            try(s);
        }
    }
    if (s->program->packed) {
        begin(s)->packed = false;
        try(s);
    }
}

/* One size becomes another wherever it stands: in leaves and in options. */
static bool resize_all(Program *p, int64_t from, int64_t to)
{
    bool any = false;
    for (int i = 0; i < p->values; i++) {
        Value *value = &p->value[i];
        for (int d = 0; d < value->shape.rank && d < GT_MAX_RANK; d++)
            if (value->shape.dims[d] == from) {
                value->shape.dims[d] = to;
                any = true;
            }
        value->like.shape = value->shape;
    }
    for (int i = 0; i < p->steps; i++) {
        const gt_Operation *operation = operation_of(&p->step[i]);
        const gt_OptionType *type = operation ? operation->options : NULL;
        for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
            uint8_t *place = p->step[i].options + field->offset;
            int64_t number = 0;
            gt_Shape shape;
            if (field->size == sizeof number && strcmp(field->type, "double") != 0) {
                memcpy(&number, place, sizeof number);
                number = number == from ? to : number;
                memcpy(place, &number, sizeof number);
            } else if (strcmp(field->type, "gt_Shape") == 0) {
                memcpy(&shape, place, sizeof shape);
                for (int d = 0; d < shape.rank && d < GT_MAX_RANK; d++)
                    shape.dims[d] = shape.dims[d] == from ? to : shape.dims[d];
                memcpy(place, &shape, sizeof shape);
            }
        }
    }
    return any;
}

static int64_t largest_below(const Program *p, int64_t limit)
{
    int64_t found = 1;
    for (int i = 0; i < p->values; i++)
        for (int d = 0; d < p->value[i].shape.rank && d < GT_MAX_RANK; d++)
            if (p->value[i].shape.dims[d] > found && p->value[i].shape.dims[d] < limit)
                found = p->value[i].shape.dims[d];
    return found;
}

static void shrink_sizes(Shrinker *s)
{
    int64_t size = INT64_MAX;
    while ((size = largest_below(s->program, size)) > 1) {
        const int64_t smaller[] = {1, 2, size / 2, size - 1};
        for (int i = 0; i < 4; i++)
            if (smaller[i] > 0 && smaller[i] < size && resize_all(begin(s), size, smaller[i]) && try(s))
                break;
    }
}

static void remove_modes(Shrinker *s)
{
    for (int mode = 0; mode < MODES; mode++) {
        if (!(s->program->modes >> mode & 1))
            continue;
        begin(s)->modes &= ~(1u << mode);
        try(s);
    }
}

void program_shrink(Program *program, bool (*still_fails)(const Program *program), double seconds)
{
    Shrinker s = {.program = program,
                  .candidate = malloc(sizeof *program),
                  .still_fails = still_fails,
                  .end = now() + seconds};
    if (!s.candidate)
        return;
    do {
        s.changed = false;
        remove_modes(&s);
        remove_outputs(&s);
        remove_steps(&s);
        remove_behind_arguments(&s);
        remove_blocks(&s);
        remove_inputs(&s);
        remove_leaves(&s);
        simplify_options(&s);
        simplify_leaves(&s);
        shrink_sizes(&s);
    } while (s.changed && now() < s.end);
    free(s.candidate);
}
