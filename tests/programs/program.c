/* What a program is made of: random numbers, the numbers of leaves. */
#include "program.h"

#include "../operations.h"

#include <float.h>

/* ---- random numbers: splitmix64 ---- */

uint64_t random_next(Random *random)
{
    uint64_t z = (random->state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int random_below(Random *random, int count)
{
    return count <= 0 ? 0 : (int)((random_next(random) >> 32) % (uint64_t)count);
}

double random_uniform(Random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

bool random_chance(Random *random, double probability)
{
    return random_uniform(random) < probability;
}

/* ---- numbers ---- */

int64_t shape_size(gt_Shape shape)
{
    int64_t size = 1;
    if (shape.rank < 0 || shape.rank > GT_MAX_RANK)
        return -1;
    for (int d = 0; d < shape.rank; d++) {
        if (shape.dims[d] < 0 || shape.dims[d] > 1 << 24)
            return -1;
        size *= shape.dims[d];
        if (size > 1 << 24)
            return -1;
    }
    return size;
}

static double special(gt_DType dtype, Random *random)
{
    static const double reals[] = {0,
                                   -0.0,
                                   1,
                                   -1,
                                   0.5,
                                   2,
                                   -3,
                                   (double)INFINITY,
                                   (double)-INFINITY,
                                   (double)NAN,
                                   1e30,
                                   -1e30,
                                   1e-30,
                                   (double)FLT_MAX,
                                   (double)FLT_MIN,
                                   0x1p-140,
                                   100,
                                   1e4};
    static const double wholes[] = {0, 1, 2, 3, 7, 100, 127, 255};
    static const double wide[] = {-1, -2, -100, INT32_MAX, INT32_MIN, 1 << 20};
    double number;
    if (dtype == GT_BOOL)
        return random_below(random, 2);
    if (!gt_dtype_is_float(dtype)) {
        bool far = dtype != GT_UINT8 && random_chance(random, 0.4);
        return far ? wide[random_below(random, 6)] : wholes[random_below(random, 8)];
    }
    number = reals[random_below(random, 18)];
    return dtype == GT_FLOAT16 && fabs(number) > 60000 && isfinite(number) ? 60000 : number;
}

/* A number of the type, as close as can be. */
static double fit(gt_DType dtype, double x)
{
    if (gt_dtype_is_float(dtype))
        return x;
    x = floor(x);
    if (dtype == GT_BOOL)
        return x > 0;
    return dtype != GT_UINT8 ? x : x < 0 ? 0 : x > 255 ? 255 : x;
}

void value_numbers(const Value *value, int round, double *numbers)
{
    Random random = {value->seed + (uint64_t)round * 0xD1B54A32D192ED03u};
    int64_t size = shape_size(value->shape);
    const gt_SampleInput *like = &value->like;
    double same = fit(value->dtype, like->low + (like->high - like->low) * random_uniform(&random));
    for (int64_t i = 0; i < size; i++) {
        switch (value->pattern) {
        case PATTERN_SPECIAL:
            numbers[i] = special(value->dtype, &random);
            break;
        case PATTERN_SMALL:
            numbers[i] = fit(value->dtype, random_below(&random, 7) - 3);
            break;
        case PATTERN_SAME:
            numbers[i] = same;
            break;
        case PATTERN_RANGE:
            for (int tries = 0; tries < 20; tries++) {
                double x = like->low + (like->high - like->low) * random_uniform(&random);
                numbers[i] = gt_dtype_is_float(value->dtype) ? x + on_diagonal(like, i)
                                                             : fit(value->dtype, x);
                if (size > 512 || acceptable(like, numbers, i))
                    break;
            }
            break;
        }
    }
}

/* ---- messages, operations ---- */

const char *without_site(const char *message)
{
    const char *colon = strchr(message, ':');
    if (!colon || memchr(message, ' ', (size_t)(colon - message)))
        return message;
    const char *end = colon + 1;
    while (*end >= '0' && *end <= '9')
        end++;
    return end > colon + 1 && end[0] == ':' && end[1] == ' ' ? end + 2 : message;
}

const gt_Operation *operation_of(const Step *step)
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    return step->kind == STEP_APPLY && step->operation >= 0 && step->operation < count
               ? table[step->operation]
               : NULL;
}

bool is_control(const Step *step)
{
    static const char *const names[] = {"map", "switch", "associative_scan"};
    for (int i = 0; i < 3 && step->kind == STEP_COMPOSITE; i++)
        if (strcmp(call_name(step->operation), names[i]) == 0)
            return true;
    return step->kind == STEP_CALL && step->call >= CALL_COND;
}

bool is_random_call(const Step *step)
{
    static const char *const names[] = {"uniform",     "normal",  "random_integers",
                                        "categorical", "shuffle", "random_dropout"};
    for (int i = 0; i < 6 && step->kind == STEP_COMPOSITE; i++)
        if (strcmp(call_name(step->operation), names[i]) == 0)
            return true;
    return false;
}

/* ---- what is true of a whole program ---- */

void program_reached(const Program *program, bool *reached)
{
    bool more = true;
    memset(reached, 0, MAX_BODIES * sizeof *reached);
    reached[0] = true;
    while (more) {
        more = false;
        for (int b = 0; b < program->bodies; b++)
            for (int i = 0; i < program->body[b].steps && reached[b]; i++) {
                const Step *step = &program->step[program->body[b].step[i]];
                if (step->kind != STEP_CALL)
                    continue;
                int other = program->body[step->body].other;
                more |= !reached[step->body] || (other >= 0 && !reached[other]);
                reached[step->body] = true;
                if (other >= 0)
                    reached[other] = true;
            }
    }
}

/* An output gradient is not read where its target is not reached. */
bool needs_numbers(const Step *step, int input)
{
    return !step->may_fail && (step->kind == STEP_APPLY ||
                               (step->kind == STEP_CALL && step->call == CALL_COND && input == 0));
}

/* Is every value that a step makes needed by an output or by a step whose result is? */
static bool is_whole(const Program *program, const bool *reached)
{
    static bool used[MAX_VALUES];
    memset(used, 0, sizeof used);
    for (int b = 0; b < program->bodies; b++) {
        const Body *body = &program->body[b];
        if (!reached[b])
            continue;
        for (int i = 0; i < body->outputs; i++)
            used[body->output[i]] = true;
        for (int i = 0; i < body->steps; i++) {
            const Step *step = &program->step[body->step[i]];
            for (int k = 0; k < step->inputs; k++)
                if (step->in[k] >= 0 && needs_numbers(step, k))
                    used[step->in[k]] = true;
        }
    }
    for (int b = 0; b < program->bodies; b++)
        for (int i = 0; i < program->body[b].steps && reached[b]; i++) {
            const Step *step = &program->step[program->body[b].step[i]];
            for (int k = 0; k < step->outputs && !step->may_fail; k++)
                if (step->out[k] >= 0 && !used[step->out[k]])
                    return false;
        }
    return true;
}

static bool make_loose(Program *program, int value)
{
    bool was = value < 0 || program->value[value].loose;
    if (value >= 0)
        program->value[value].loose = true;
    return !was;
}

static bool has_loose_input(const Program *program, const Step *step)
{
    for (int i = 0; i < step->inputs; i++)
        if (step->in[i] >= 0 && program->value[step->in[i]].loose)
            return true;
    return false;
}

static bool spread_call(Program *program, const Step *step, bool loose)
{
    bool more = false;
    int bodies[2] = {step->body, program->body[step->body].other};
    for (int b = 0; b < 2 && bodies[b] >= 0; b++) {
        const Body *body = &program->body[bodies[b]];
        for (int i = 0; i < body->outputs; i++)
            loose |= program->value[body->output[i]].loose;
    }
    for (int b = 0; b < 2 && bodies[b] >= 0 && loose; b++) {
        const Body *body = &program->body[bodies[b]];
        for (int i = 0; i < body->parameters; i++)
            more |= make_loose(program, body->parameter[i]);
    }
    for (int i = 0; i < step->outputs && loose; i++)
        more |= make_loose(program, step->out[i]);
    return more;
}

/* What is computed from loose values is loose, in the next round too. */
static void spread_loose(Program *program)
{
    bool more = true;
    for (int i = 0; i < program->values; i++)
        program->value[i].loose = program->value[i].loose_itself;
    while (more) {
        more = false;
        for (int s = 0; s < program->steps; s++) {
            const Step *step = &program->step[s];
            const gt_Operation *operation = operation_of(step);
            bool loose = has_loose_input(program, step);
            if (step->kind == STEP_CALL) {
                more |= spread_call(program, step, loose);
                continue;
            }
            for (int i = 0; i < step->outputs && loose; i++)
                more |= make_loose(program, step->out[i]);
            if (operation && operation->flags & GT_OP_EFFECT && loose)
                more |= make_loose(program, step->in[0]);
        }
    }
}

void program_finish(Program *program)
{
    bool reached[MAX_BODIES];
    program_reached(program, reached);
    program->control = program->recomputes = false;
    for (int b = 0; b < program->bodies; b++)
        for (int i = 0; i < program->body[b].steps && reached[b]; i++) {
            const Step *step = &program->step[program->body[b].step[i]];
            program->control |= is_control(step);
            program->recomputes |= step->kind == STEP_CALL && step->call == CALL_RECOMPUTE;
        }
    program->whole = is_whole(program, reached);
    spread_loose(program);
}
