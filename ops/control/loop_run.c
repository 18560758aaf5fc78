/* Running a loop in a plan. The carries of a round are read from where `argument` points and written to one of two sets
 * by turns, the outputs of the node and a second set in its scratch memory, so that a round never overwrites what it
 * reads. If the last round is known it ends in the outputs; else the carries are copied there. For 3 rounds of 1 carry:
 *
 *     before round 0   argument: the input
 *     round 0          input -> output
 *     round 1          output -> second set
 *     round 2          second set -> output
 *
 * Scratch memory: the second set, the flag of the condition, the carries that the condition changes.
 * Leans on the plans of the bodies. */
#include "ops/control/loop.h"
#include "core/assert.h"

#include <string.h>

/* A second set of carries, the flag of the condition, the carries that the condition changes. */
size_t gt_loop_scratch(const gt_Control *control)
{
    size_t bytes = GT_ALIGNMENT;
    for (int32_t j = 0; j < control->carries; j++)
        bytes += gt_aligned(gt_spec_bytes(gt_loop_spec(control, j)));
    int32_t changed = control->second ? control->second->outputs - 1 : 0;
    for (int32_t j = control->carries - changed; j < control->carries; j++)
        bytes += gt_aligned(gt_spec_bytes(gt_loop_spec(control, j)));
    return bytes;
}

static void copy(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memcpy(to, from, bytes);
}

/* The carries before this round go to the stacks that somebody reads. */
static void stack_carries(const gt_ControlKernel *self, const gt_Control *control, int64_t element)
{
    for (int32_t j = 0; j < control->carries && control->length >= 0; j++) {
        size_t bytes = gt_spec_bytes(gt_loop_spec(control, j));
        char *stack = self->output[gt_loop_stack(control, j)];
        if (stack)
            copy(stack + (size_t)element * bytes, self->argument[j], bytes);
    }
}

/* One round: from the carries that `argument` points to, to the outputs or to the second set; `argument` follows. */
static gt_Status loop_round(const gt_ControlKernel *self, const gt_Control *control,
                            int64_t element, bool into_outputs)
{
    GT_ASSERT(self->body[0] && (element >= 0 || control->xs + control->ys == 0));
    char *second = self->scratch;
    for (int32_t j = 0; j < control->carries; j++) {
        self->result[j] = into_outputs ? self->output[j] : second;
        second += gt_aligned(gt_spec_bytes(gt_loop_spec(control, j)));
    }
    for (int32_t i = control->carries; i < control->carries + control->xs; i++) {
        if (!self->input[i])
            continue;
        size_t bytes = gt_spec_bytes(self->input_spec[i]) / (size_t)control->length;
        self->argument[i] = (const char *)self->input[i] + (size_t)element * bytes;
    }
    for (int32_t i = control->carries; i < control->carries + control->ys; i++)
        self->result[i] =
            (char *)self->output[i] + (size_t)element * gt_spec_bytes(gt_loop_spec(control, i));
    gt_Status status = self->run_body(self->body[0], self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++)
        self->argument[j] = self->result[j];
    return status;
}

/* Is there another round? The condition computes the carries that it changes apart, and they are copied to where the last
 * round left the old ones. */
static gt_Status loop_condition(const gt_ControlKernel *self, const gt_Control *control,
                                bool in_outputs, bool *more)
{
    const gt_Graph *condition = control->second;
    int32_t unchanged = control->carries - (condition->outputs - 1);
    char *second = self->scratch, *made = second;
    for (int32_t j = 0; j < control->carries; j++)
        made += gt_aligned(gt_spec_bytes(gt_loop_spec(control, j)));
    for (int32_t i = 0; i < condition->outputs; i++) {
        self->result[i] = made;
        made += i == 0 ? GT_ALIGNMENT
                       : gt_aligned(gt_spec_bytes(gt_loop_spec(control, unchanged + i - 1)));
    }
    gt_Status status = self->run_body(self->body[1], self->argument, self->result);
    for (int32_t j = 0; j < control->carries; j++) {
        size_t bytes = gt_spec_bytes(gt_loop_spec(control, j));
        if (j >= unchanged)
            copy(in_outputs ? self->output[j] : second, self->result[1 + j - unchanged], bytes);
        second += gt_aligned(bytes);
    }
    *more = *(const uint8_t *)self->result[0];
    return status;
}

/* Stacks are left as they are where there was no round; only loops with the same number of rounds read them. */
gt_Status gt_loop_run(const gt_Kernel *kernel)
{
    const gt_ControlKernel *self = (const gt_ControlKernel *)(const void *)kernel;
    const gt_Control *control = kernel->options;
    gt_Context *context = kernel->context;
    const void *go = self->input[gt_loop_go(control)];
    int64_t rounds = control->length, count = 0;
    if (control->counted)
        memcpy(&rounds, go, sizeof rounds);
    bool more = control->second ? *(const uint8_t *)go : true;
    memcpy(self->argument, self->input, (size_t)control->first->inputs * sizeof *self->argument);
    /* The last round ends in the outputs, if it is known which one it is. */
    bool into_outputs = control->second || rounds % 2 == 1;
    for (; more && (rounds < 0 || count < rounds); count++) {
        if (gt_interrupted(context))
            return gt_raise(context, GT_INTERRUPTED, NULL, kernel->operation->name,
                            "interrupted between two rounds");
        int64_t element = control->reverse ? rounds - 1 - count : count;
        stack_carries(self, control, element);
        gt_Status status = loop_round(self, control, element, into_outputs);
        if (status == GT_OK && control->second && (rounds < 0 || count + 1 < rounds))
            status = loop_condition(self, control, into_outputs, &more);
        if (status != GT_OK)
            return status;
        into_outputs = !into_outputs;
    }
    for (int32_t j = 0; j < control->carries; j++)
        copy(self->output[j], self->argument[j], gt_spec_bytes(gt_loop_spec(control, j)));
    if (control->length >= 0 && self->output[gt_loop_count(control)])
        memcpy(self->output[gt_loop_count(control)], &count, sizeof count);
    return GT_OK;
}
