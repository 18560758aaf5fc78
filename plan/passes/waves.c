/* Waves: neighbouring steps that do not depend on each other are handed to the threads together, as one heap of tiles. So an
 * optimizer updates all variables at once, and the small steps of one do not wait for the large ones of another.
 *
 *     adam w0;  adam w1;  adam b1;  count the step        the first three are a wave, the last one, whose number they
 *                                                          read, is another
 *
 * Two steps of a wave never touch a piece of memory that one of them writes. From here on lives are counted in waves, so that
 * placing gives no two of them the same bytes either. With one thread the steps run one after the other, in any order as
 * well. A step with a check, with several launches or without any is a wave by itself, and no wave has steps on both sides of
 * the first change of a variable. The steps of a group of rows are a wave too. Leans on program.c. */
#include "plan/program.h"

/* What the steps of the wave that is being made read and write, by the cell whose memory it is. */
typedef struct Wave {
    gt_Program *program;
    int32_t *reads, *writes; /* the last wave that did */
    int32_t number, steps, operands;
} Wave;

static bool may_join(const Wave *wave, const gt_ProgramStep *step)
{
    const gt_Plan *plan = wave->program->plan;
    if (!step->lowered || step->launches != 1 || step->check >= 0)
        return false;
    const gt_Launch *launch = &plan->launches[step->launch];
    return !launch->alone && launch->tiles > 0;
}

static int32_t root_of(const Wave *wave, gt_Place place)
{
    return place.cell < 0 ? -1 : gt_cell_shared(wave->program, place.cell);
}

static bool reads_and_writes_apart(const Wave *wave, const gt_ProgramStep *step)
{
    const gt_Program *program = wave->program;
    const gt_GraphNode *node = gt_step_node(program, step);
    for (int i = 0; i < node->inputs; i++) {
        int32_t root = node->input[i] < 0 ? -1 : root_of(wave, gt_step_input(program, step, i));
        if (root >= 0 && wave->writes[root] == wave->number)
            return false;
    }
    for (int i = 0; i < node->outputs; i++) {
        int32_t root = root_of(wave, gt_step_output(program, step, i));
        if (root >= 0 && (wave->writes[root] == wave->number || wave->reads[root] == wave->number))
            return false;
    }
    return true;
}

static void note_operands(Wave *wave, const gt_ProgramStep *step)
{
    const gt_Program *program = wave->program;
    const gt_GraphNode *node = gt_step_node(program, step);
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i] >= 0)
            wave->reads[root_of(wave, gt_step_input(program, step, i))] = wave->number;
    for (int i = 0; i < node->outputs; i++) {
        int32_t root = root_of(wave, gt_step_output(program, step, i));
        if (root >= 0)
            wave->writes[root] = wave->number;
    }
    wave->steps++;
    wave->operands += node->inputs + node->outputs + step->temporaries;
}

/* Gives each step the number of its wave. */
static void number_steps(Wave *wave)
{
    gt_Program *program = wave->program;
    bool open = false; /* may the wave have another step? */
    wave->number = -1;
    for (int32_t s = 0; s < program->step_count; s++) {
        gt_ProgramStep *step = &program->steps[s];
        const bool goes_on = s > 0 && step->group && step->group == step[-1].group;
        bool joins = !step->group && may_join(wave, step);
        int32_t operands = joins ? gt_step_operands(program, step) : 0;
        if (goes_on) /* in the wave of its group */
            ;
        else if (!joins || !open || s == program->commit_step || wave->steps == GT_WAVE_STEPS ||
            wave->operands + operands > GT_WAVE_OPERANDS || !reads_and_writes_apart(wave, step)) {
            wave->number++;
            wave->steps = wave->operands = 0;
        }
        open = joins && operands <= GT_WAVE_OPERANDS;
        if (joins)
            note_operands(wave, step);
        step->wave = wave->number;
    }
    program->wave_count = wave->number + 1;
}

/* Lives in waves. */
static void count_lives(gt_Program *program)
{
    for (int32_t i = 0; i < program->cell_count; i++) {
        gt_Piece *piece = &program->cells[i].piece;
        if (piece->last < 0 || program->step_count == 0)
            continue;
        int32_t end = program->step_count - 1;
        piece->first = program->steps[piece->first < end ? piece->first : end].wave;
        if (piece->last != GT_NEVER)
            piece->last = program->steps[piece->last < end ? piece->last : end].wave;
    }
}

gt_Status gt_pass_waves(gt_Program *program)
{
    gt_Context *context = program->context;
    size_t bytes = ((size_t)program->cell_count + 1) * sizeof(int32_t);
    Wave wave = {.program = program,
                 .reads = gt_allocate(context, bytes),
                 .writes = gt_allocate(context, bytes)};
    if (wave.reads && wave.writes) {
        for (int32_t i = 0; i < program->cell_count; i++)
            wave.reads[i] = wave.writes[i] = -1;
        number_steps(&wave);
        count_lives(program);
    }
    gt_release(context, wave.reads, bytes);
    gt_release(context, wave.writes, bytes);
    return gt_context_status(context);
}
