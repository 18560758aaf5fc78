/* Prints docs/operations.md but for its list of composed functions, which tools/operations-page adds:
 * what the table of operations says of each, and which element types it was seen to take. */
#include "gradtape.h"
#include "tests/operations.h"

#include <stdio.h>

/* What the page does not repeat at every operation: its first field is the struct's size. */
static bool has_options(const gt_Operation *operation)
{
    return operation->options && operation->options->fields[0].name;
}

/* The input whose type is tried out, and with it all others of that type: the first real one, or
 * the first where none is. */
static gt_DType tried_type(const gt_Sample *sample)
{
    for (int i = 0; i < sample->inputs; i++)
        if (gt_dtype_is_float(sample->input[i].dtype))
            return sample->input[i].dtype;
    return sample->input[0].dtype;
}

/* Does the operation take its first sample with this type? What only lacks LAPACK has taken it. */
static bool takes(const gt_Operation *operation, gt_DType dtype)
{
    static Case c;
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
    gt_Scope *scope = gt_scope_begin();
    gt_DType tried = tried_type(operation->samples);
    fill_case(&c, operation, operation->samples, GT_FLOAT64);
    bool made = true;
    for (int i = 0; i < c.sample->inputs; i++) {
        in[i] = case_input(&c, i);
        if (c.sample->input[i].dtype == tried) {
            /* Other types than floats get small whole numbers, none of them negative. */
            for (int64_t k = 0; !gt_dtype_is_float(dtype) && k < c.size[i]; k++)
                c.numbers[i][k] = dtype == GT_BOOL ? 1 : ceil(fabs(c.numbers[i][k]));
            in[i] =
                gt_from_values_at(NULL, c.sample->input[i].shape, dtype, c.size[i], c.numbers[i]);
            made = made && in[i];
        }
    }
    bool taken =
        made && (case_apply(&c, in, out) == GT_OK ||
                 (gt_status() == GT_UNSUPPORTED && strstr(gt_error_message(), "OpenBLAS")));
    gt_error_clear();
    gt_scope_end(scope);
    return taken;
}

static void print_types(const gt_Operation *operation)
{
    if (operation->samples->none || operation->flags & (GT_OP_RANDOM | GT_OP_EFFECT))
        return;
    printf("- types:");
    for (int dtype = GT_DTYPE_NONE + 1; dtype < GT_DTYPE_COUNT; dtype++)
        if (takes(operation, (gt_DType)dtype))
            printf(" %s", gt_dtype_name((gt_DType)dtype));
    printf("\n");
}

static void print_inputs(const gt_Operation *operation)
{
    printf("- inputs: %d", operation->inputs_min);
    if (operation->inputs_max > operation->inputs_min)
        printf(" to %d", operation->inputs_max);
    for (int i = 0; i < operation->inputs_max; i++)
        if (operation->optional_inputs >> i & 1)
            printf(", input %d may be absent", i);
    if (operation->flags & GT_OP_RANDOM)
        printf(", the first is the state of a generator");
    if (operation->outputs > 1)
        printf("; outputs: %d", operation->outputs);
    printf("\n");
}

static void print_gradient(const gt_Operation *operation)
{
    if (operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        printf("- gradient: none, %s\n", operation->why_not);
    else
        printf("- gradient: of any order%s\n",
               operation->flags & GT_OP_LINEAR ? "; linear, the second is 0" : "");
}

static void print_effects(const gt_Operation *operation)
{
    if (operation->flags & GT_OP_EFFECT)
        printf("- effect: overwrites its first input, a variable\n");
    if (operation->flags & GT_OP_VIEW)
        printf("- memory: the result shares that of its first input\n");
    if (operation->flags & GT_OP_PROBABILITY)
        printf("- the result is a probability: losses with `from_logits = true` refuse it\n");
}

static void print_preset(const gt_Field *field, const gt_FieldText *text)
{
    if (strcmp(field->type, "gt_Shape") == 0)
        printf("none");
    else
        printf("`%s`", text->preset);
}

static void print_options(const gt_Operation *operation)
{
    if (!has_options(operation))
        return;
    printf("\n| option | type | preset | |\n|---|---|---|---|\n");
    const gt_FieldText *text = operation->options->texts;
    for (const gt_Field *field = operation->options->fields; field->name; field++, text++) {
        printf("| `%s` | `%s` | ", field->name, field->type);
        print_preset(field, text);
        printf(" | %s |\n", text->doc);
    }
}

static void print_operation(const gt_Operation *operation)
{
    printf("\n### %s\n\n`%s`\n\n", operation->name, operation->formula);
    print_inputs(operation);
    print_types(operation);
    print_gradient(operation);
    print_effects(operation);
    print_options(operation);
}

static bool internal(const gt_Operation *operation)
{
    return operation->flags & GT_OP_INTERNAL;
}

int main(void)
{
    int count, private_ones = 0, differentiable = 0;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++) {
        private_ones += internal(table[k]);
        differentiable += !(table[k]->flags & GT_OP_NOT_DIFFERENTIABLE);
    }
    printf("# Operations\n\n"
           "Written by tools/operations-page from the table of operations (ops/table.h): do not "
           "edit.\n\n"
           "%d operations, %d of them public. %d have a gradient; each of these is checked in "
           "float64 against central differences, to the first and the second order, by "
           "tests/test_gradients.c. The other %d say why they have none.\n\n"
           "The types are those that the operation took when it was tried. The options are the "
           "record's, as `gt_apply` takes them; the function of the same name, `gt_NAME`, may take "
           "some of them as arguments. Beside the operations there are "
           "[functions made of them](#functions-made-of-operations), and a list of "
           "[Keras's names](#kerass-names).\n\n"
           "## Public operations\n",
           count, count - private_ones, differentiable, count - differentiable);
    for (int k = 0; k < count; k++)
        if (!internal(table[k]))
            print_operation(table[k]);
    printf("\n## Internal operations\n\n"
           "Gradient rules and functions use these; they are not part of the public names.\n");
    for (int k = 0; k < count; k++)
        if (internal(table[k]))
            print_operation(table[k]);
    gt_context_free(NULL);
    return gt_status() == GT_OK && fflush(stdout) == 0 ? 0 : 1;
}
