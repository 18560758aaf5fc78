/* A program as C code that compiles by itself: what it is, and a main that runs it in the way that
 * failed and in the one it is compared with. */
#include "program.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dtype_constant(gt_DType dtype)
{
    switch (dtype) {
    case GT_FLOAT32:
        return "GT_FLOAT32";
    case GT_FLOAT64:
        return "GT_FLOAT64";
    case GT_INT32:
        return "GT_INT32";
    case GT_INT64:
        return "GT_INT64";
    case GT_UINT8:
        return "GT_UINT8";
    case GT_BOOL:
        return "GT_BOOL";
    case GT_FLOAT16:
        return "GT_FLOAT16";
    case GT_BFLOAT16:
        return "GT_BFLOAT16";
    default:
        return "GT_DTYPE_NONE";
    }
}

static void print_number(double number)
{
    if (isnan(number))
        printf("NAN");
    else if (isinf(number))
        printf(number > 0 ? "INFINITY" : "-INFINITY");
    else
        printf("%.17g", number);
}

static void print_shape(gt_Shape shape)
{
    printf("(gt_Shape){%d, {", shape.rank);
    for (int d = 0; d < GT_MAX_RANK && (d < shape.rank || d == 0); d++)
        printf("%s%" PRId64, d ? ", " : "", shape.rank > 0 ? shape.dims[d] : 0);
    printf("}}");
}

/* The numbers of a leaf: those of its first round. */
static void print_leaf(const Program *p, int index)
{
    const Value *value = &p->value[index];
    int64_t size = shape_size(value->shape);
    double *numbers = malloc((size_t)(size + 1) * sizeof *numbers);
    if (!numbers)
        return;
    value_numbers(value, 0, numbers);
    printf("gt_from_values_at(\"program:1\", ");
    print_shape(value->shape);
    printf(", %s, %" PRId64 ", (const double[]){", dtype_constant(value->dtype), size);
    bool same = true;
    for (int64_t i = 1; i < size && same; i++)
        same = numbers[i] == numbers[0];
    if (same && size > 4) {
        printf("[0 ... %" PRId64 "] = ", size - 1);
        print_number(numbers[0]);
    } else {
        for (int64_t i = 0; i < size; i++) {
            printf(i ? ", " : "");
            print_number(numbers[i]);
        }
    }
    printf("%s})", size ? "" : "0");
    free(numbers);
}

static void print_name(int value)
{
    if (value >= 0)
        printf("v%d", value);
    else
        printf(value == STALE ? "stale" : "NULL");
}

static void print_list(const Step *step, int first, int count)
{
    printf("(gt_Tensor *[]){");
    for (int i = 0; i < count; i++) {
        printf(i ? ", " : "");
        print_name(step->in[first + i]);
    }
    printf("%s}", count ? "" : "NULL");
}

static void print_option(const gt_Field *field, const uint8_t *place)
{
    if (strcmp(field->type, "gt_Shape") == 0) {
        gt_Shape shape;
        memcpy(&shape, place, sizeof shape);
        print_shape(shape);
    } else if (strcmp(field->type, "gt_Axes") == 0) {
        gt_Axes axes;
        memcpy(&axes, place, sizeof axes);
        printf("{%d, {", axes.count);
        for (int i = 0; i < GT_MAX_RANK; i++)
            printf("%s%d", i ? ", " : "", axes.axis[i]);
        printf("}}");
    } else if (strcmp(field->type, "double") == 0) {
        double number;
        memcpy(&number, place, sizeof number);
        print_number(number);
    } else if (strcmp(field->type, "bool") == 0) {
        printf(*place ? "true" : "false");
    } else if (field->size == sizeof(int64_t)) {
        int64_t number;
        memcpy(&number, place, sizeof number);
        if (number == INT64_MIN)
            printf("INT64_MIN");
        else
            printf("INT64_C(%" PRId64 ")", number);
    } else {
        int32_t number;
        memcpy(&number, place, sizeof number);
        printf("%" PRId32, number);
    }
}

static const char *option_type(const gt_Field *field)
{
    static const char *const known[] = {"uint32_t", "int32_t", "int64_t", "double",
                                        "bool",     "gt_Shape", "gt_Axes"};
    for (int i = 0; i < 7; i++)
        if (strcmp(field->type, known[i]) == 0)
            return known[i];
    return "int32_t";
}

static void print_options(const Step *step)
{
    const gt_OptionType *type = operation_of(step)->options;
    if (!type) {
        printf("NULL");
        return;
    }
    printf("&(struct {");
    for (const gt_Field *field = type->fields; field->name; field++)
        printf(" %s %s;", option_type(field), field->name);
    printf(" }){%zu", type->size);
    for (const gt_Field *field = type->fields + 1; field->name; field++) {
        printf(", .%s = ", field->name);
        print_option(field, step->options + field->offset);
    }
    printf("}");
}

static void print_outputs(const Step *step)
{
    for (int i = 0; i < step->outputs; i++)
        if (step->out[i] >= 0)
            printf(" v%d = out[%d];", step->out[i], i);
}

static void print_apply(const Step *step)
{
    printf("    gt_apply(\"program:1\", gt_operation_find(\"%s\"), ", operation_of(step)->name);
    print_options(step);
    printf(", %d, ", step->given >= 0 ? step->given : step->inputs);
    print_list(step, 0, step->inputs);
    printf(", out);");
    print_outputs(step);
}

/* The text of a call, with the names of the values for a->x and a->y. */
static void print_composite(const Step *step)
{
    printf("    a->x = ");
    print_name(step->in[0]);
    printf("; a->y = ");
    print_name(step->in[1]);
    printf("; a->n = INT64_C(%" PRId64 "); a->d = ", step->n);
    print_number(step->d);
    printf("; v%d = %s;", step->out[0], call_text(step->operation));
}

static void print_gradient(const Step *step)
{
    static const char *const names[] = {"GT_UNCONNECTED_ERROR", "GT_UNCONNECTED_NONE",
                                        "GT_UNCONNECTED_ZERO", "GT_UNCONNECTED_SOME"};
    int targets = step->targets, sources = step->sources;
    printf("    gt_gradients(tape[%d], ((gt_Tensors){%d, ", step->tape, targets);
    print_list(step, 0, targets);
    printf("}), ((gt_Tensors){%d, ", sources);
    print_list(step, targets, sources);
    printf("}), out, .unconnected = %s", names[step->unconnected]);
    if (step->inputs > targets + sources) {
        printf(", .output_gradients = ");
        print_list(step, targets + sources, targets);
    }
    printf(");");
    print_outputs(step);
}

static void print_call(const Program *p, const Step *step)
{
    const Body *body = &p->body[step->body];
    int n = step->inputs;
    printf("    ");
    switch (step->call) {
    case CALL_DIRECT:
        printf("body%d(NULL, ", step->body);
        print_list(step, 0, n);
        printf(", out);");
        break;
    case CALL_FUNCTION:
        printf("call(&function[%d], body%d, %d, ((gt_Tensors){%d, ", step->body, step->body,
               body->outputs, n);
        print_list(step, 0, n);
        printf("}), out);");
        break;
    case CALL_RECOMPUTE:
        printf("gt_recompute(body%d, NULL, ((gt_Tensors){%d, ", step->body, n);
        print_list(step, 0, n);
        printf("}), out, .outputs = %d);", body->outputs);
        break;
    case CALL_PASS_THROUGH:
        printf("out[0] = gt_grad_pass_through(body%d, NULL, v%d);", step->body, step->in[0]);
        break;
    case CALL_JVP:
        printf("gt_jvp(body%d, NULL, ((gt_Tensors){%d, ", step->body, n / 2);
        print_list(step, 0, n / 2);
        printf("}), ((gt_Tensors){%d, ", n / 2);
        print_list(step, n / 2, n / 2);
        printf("}), out, out + %d, .outputs = %d, .unconnected = GT_UNCONNECTED_ZERO);",
               body->outputs, body->outputs);
        break;
    case CALL_HESSIAN_PRODUCT:
        printf("out[0] = gt_hessian_vector_product(body%d, NULL, v%d, v%d);", step->body,
               step->in[0], step->in[1]);
        break;
    case CALL_COND:
        printf("gt_cond(");
        print_name(step->in[0]);
        printf(", body%d, body%d, NULL, ((gt_Tensors){%d, ", step->body, body->other, n - 1);
        print_list(step, 1, n - 1);
        printf("}), out, .outputs = %d);", body->outputs);
        break;
    case CALL_WHILE:
        printf("gt_while_loop(body%d, body%d, NULL, ((gt_Tensors){%d, ", body->other, step->body, n);
        print_list(step, 0, n);
        printf("}), out, .maximum_iterations = %" PRId64 ");", step->n);
        break;
    case CALL_FORI:
        printf("gt_fori_loop(0, %" PRId64 ", body%d, NULL, ((gt_Tensors){%d, ", step->n, step->body,
               n);
        print_list(step, 0, n);
        printf("}), out, .unroll = %d);", (int)step->d);
        break;
    case CALL_SCAN:
        printf("gt_scan(body%d, NULL, ((gt_Tensors){%d, ", step->body, (int)step->n);
        print_list(step, 0, (int)step->n);
        printf("}), ((gt_Tensors){%d, ", n - (int)step->n);
        print_list(step, (int)step->n, n - (int)step->n);
        printf("}), out, out + %d, .outputs = %d, .reverse = %s, .unroll = %d);", (int)step->n,
               body->outputs - (int)step->n, step->reverse ? "true" : "false", (int)step->d);
        break;
    }
    print_outputs(step);
}

static void print_step(const Program *p, int index, int depth)
{
    const Step *step = &p->step[index];
    switch (step->kind) {
    case STEP_NONE:
        return;
    case STEP_CONSTANT:
        printf("    v%d = ", step->out[0]);
        print_leaf(p, step->out[0]);
        printf(";");
        break;
    case STEP_LIVE:
        printf("    v%d = gt_live(&live[%d], %s);", step->out[0], step->out[0],
               dtype_constant(p->value[step->out[0]].dtype));
        break;
    case STEP_APPLY:
        print_apply(step);
        break;
    case STEP_COMPOSITE:
        print_composite(step);
        break;
    case STEP_TAPE_BEGIN:
        printf("    tape[%d] = gt_tape_begin(.persistent = %s, .watch_accessed_variables = %s);",
               step->tape, step->persistent ? "true" : "false",
               step->watch_accessed ? "true" : "false");
        break;
    case STEP_WATCH:
        printf("    gt_watch(tape[%d], ", step->tape);
        print_name(step->in[0]);
        printf(");");
        break;
    case STEP_PAUSE:
        printf("    gt_tape_pause(tape[%d]);", step->tape);
        break;
    case STEP_RESUME:
        printf("    gt_tape_resume(tape[%d]);", step->tape);
        break;
    case STEP_GRADIENT:
        print_gradient(step);
        break;
    case STEP_SCOPE_BEGIN:
        printf("    scope[%d] = gt_scope_begin();", depth);
        break;
    case STEP_TAPE_END:
    case STEP_SCOPE_END:
        printf("   ");
        for (int i = 0; i < step->inputs; i++) {
            printf(" gt_keep(");
            print_name(step->in[i]);
            printf(");");
        }
        if (step->kind == STEP_TAPE_END)
            printf(" gt_tape_end(tape[%d]);", step->tape);
        else
            printf(" gt_scope_end(scope[%d]);", depth - 1);
        break;
    case STEP_CALL:
        print_call(p, step);
        break;
    }
    if (step->may_fail)
        printf(" forgive();");
    printf(" /* step %d */\n", index);
}

static void print_body(const Program *p, int b)
{
    const Body *body = &p->body[b];
    int depth = 0;
    printf("static gt_Status body%d(void *context, gt_Tensor *const *in, gt_Tensor **results)\n{\n"
           "    gt_Tensor *out[16] = {NULL};\n    Arguments arguments, *a = &arguments;\n"
           "    (void)context, (void)in, (void)results, (void)out, (void)a;\n",
           b);
    for (int i = 0; i < body->parameters; i++)
        printf("    v%d = in[%d];\n", body->parameter[i], i);
    for (int i = 0; b == 0 && i < p->arguments; i++)
        printf("    v%d = in[%d];\n", p->argument[i], i);
    for (int i = 0; i < body->steps; i++) {
        Kind kind = p->step[body->step[i]].kind;
        print_step(p, body->step[i], depth);
        depth += (kind == STEP_SCOPE_BEGIN) - (kind == STEP_SCOPE_END);
    }
    for (int i = 0; i < body->outputs; i++)
        printf("    results[%d] = v%d;\n", i, body->output[i]);
    printf("    return gt_status();\n}\n\n");
}

static bool has_composites(const Program *p)
{
    for (int i = 0; i < p->steps; i++)
        if (p->step[i].kind == STEP_COMPOSITE)
            return true;
    return false;
}

/* Does the value stand in the code? */
static bool is_named(const Program *p, const bool *reached, int value)
{
    for (int i = 0; i < p->arguments; i++)
        if (p->argument[i] == value)
            return true;
    for (int i = 0; i < p->variables; i++)
        if (p->variable[i] == value)
            return true;
    for (int b = 0; b < p->bodies; b++) {
        const Body *body = &p->body[b];
        for (int i = 0; i < body->parameters && reached[b]; i++)
            if (body->parameter[i] == value)
                return true;
        for (int i = 0; i < body->steps && reached[b]; i++) {
            const Step *step = &p->step[body->step[i]];
            for (int k = 0; k < step->outputs; k++)
                if (step->out[k] == value)
                    return true;
        }
    }
    return false;
}

static void print_head(const Program *p, const bool *reached)
{
    printf("#include \"gradtape.h\"\n#include <inttypes.h>\n#include <math.h>\n#include <stdio.h>\n");
    if (has_composites(p))
        printf("#include \"tests/calls.h\"\n\n");
    else
        printf("\ntypedef struct Arguments {\n    gt_Tensor *x, *y;\n    int64_t n;\n    double d;\n"
               "} Arguments;\n");
    printf("static gt_Tensor *stale");
    for (int i = 0; i < p->values; i++)
        if (is_named(p, reached, i))
            printf(", *v%d", i);
    printf(";\nstatic gt_Tape *tape[%d];\nstatic gt_Scope *scope[%d];\n"
           "static gt_Function *function[%d];\nstatic double live[%d];\n\n",
           MAX_TAPES, MAX_BLOCKS, MAX_BODIES, p->values > 0 ? p->values : 1);
    printf("static void forgive(void)\n{\n    printf(\"  step: %%s\\n\", gt_error_message());\n"
           "    gt_error_clear();\n}\n\n"
           "static void call(gt_Function **function, gt_FunctionBody body, int outputs, gt_Tensors in,\n"
           "                 gt_Tensor **out)\n{\n"
           "    *function = *function ? *function : gt_function(body, NULL, .outputs = outputs);\n"
           "    gt_function_call(*function, in, out);\n}\n\n");
    for (int b = p->bodies - 1; b > 0; b--)
        if (reached[b])
            printf("static gt_Status body%d(void *context, gt_Tensor *const *in, "
                   "gt_Tensor **results);\n",
                   b);
}

static void print_main(const Program *p, int mode)
{
    const Body *body = &p->body[0];
    printf("static void show(const char *what, gt_Tensor *tensor)\n{\n"
           "    printf(\"  %%s:\", what);\n"
           "    for (int64_t i = 0; tensor && i < gt_size(tensor) && i < 40; i++)\n"
           "        printf(\" %%.17g\", gt_at(tensor, i));\n"
           "    printf(\"  %%s\\n\", gt_error_message());\n}\n\n");
    printf("static void run(const char *name, bool traced, int threads)\n{\n"
           "    gt_Tensor *results[%d] = {NULL};\n    gt_set_threads(threads);\n"
           "    printf(\"%%s\\n\", name);\n    gt_Scope *outer = gt_scope_begin();\n"
           "    stale = gt_scalar(1, GT_FLOAT32);\n    gt_scope_end(outer);\n"
           "    outer = gt_scope_begin();\n",
           body->outputs + 1);
    for (int i = 0; i < p->variables; i++) {
        printf("    v%d = gt_variable(", p->variable[i]);
        print_leaf(p, p->variable[i]);
        printf(", .trainable = %s);\n", p->value[p->variable[i]].trainable ? "true" : "false");
    }
    for (int i = 0; i < p->values; i++)
        if (p->value[i].origin == ORIGIN_LIVE) {
            double number;
            value_numbers(&p->value[i], 0, &number);
            printf("    live[%d] = %.17g;\n", i, number);
        }
    printf("    gt_Tensor *in[%d] = {NULL};\n", p->arguments + 1);
    for (int i = 0; i < p->arguments; i++) {
        printf("    in[%d] = ", i);
        print_leaf(p, p->argument[i]);
        printf(";%s\n", p->value[p->argument[i]].wrapped ? " /* in memory that is not aligned */" : "");
    }
    if (modes[mode < 0 ? 0 : mode].watch == WATCH_OUTSIDE)
        printf("    /* the run that failed: under gt_tape_begin(.persistent = true), all float inputs watched */\n");
    if (modes[mode < 0 ? 0 : mode].watch == WATCH_INSIDE)
        printf("    /* the run that failed: the body in a tape, all float inputs watched, then gt_gradients of all\n"
               "     * float results in all float inputs and trainable variables */\n");
    printf("    gt_Scope *inner = gt_scope_begin();\n"
           "    gt_Function *main_function = gt_function(body0, NULL, .outputs = %d);\n"
           "    if (traced)\n"
           "        gt_function_call(main_function, ((gt_Tensors){%d, in}), results);\n"
           "    else\n        body0(NULL, in, results);\n"
           "    if (gt_status() != GT_OK)\n"
           "        printf(\"  %%s\\n\", gt_error_message());\n    gt_error_clear();\n",
           body->outputs, p->arguments);
    for (int i = 0; i < body->outputs; i++)
        printf("    show(\"v%d\", results[%d]);\n", body->output[i], i);
    for (int i = 0; i < p->variables; i++)
        printf("    show(\"variable v%d\", v%d);\n", p->variable[i], p->variable[i]);
    printf("    gt_scope_end(inner);\n    gt_scope_end(outer);\n}\n\n"
           "int main(void)\n{\n    run(\"eager\", false, 1);\n    run(\"traced\", true, 1);\n"
           "    run(\"threads\", false, 3);\n    gt_context_free(NULL);\n    return 0;\n}\n");
}

void program_print(const Program *program, const Finding *finding)
{
    bool reached[MAX_BODIES];
    program_reached(program, reached);
    printf("/* Seed %" PRIu64 ". %s */\n", program->seed, finding->text);
    print_head(program, reached);
    for (int b = program->bodies - 1; b >= 0; b--)
        if (reached[b])
            print_body(program, b);
    print_main(program, finding->mode);
}
