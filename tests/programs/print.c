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
    bool fine = shape.rank >= 0 && shape.rank <= GT_MAX_RANK && (shape.mark || shape.rank == 0);
    if (fine)
        printf("gt_shape(");
    else
        printf("(gt_Shape){%s, %d, {", shape.mark ? "GT_MARK" : "NULL", shape.rank);
    for (int d = 0; d < GT_MAX_RANK && (d < shape.rank || (d == 0 && !fine)); d++)
        printf("%s%" PRId64, d ? ", " : "", shape.rank > 0 ? shape.dims[d] : 0);
    printf(fine ? ")" : "}}");
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
        printf("{%s, %d, {", axes.mark ? "GT_MARK" : "NULL", axes.count);
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
    static const char *const known[] = {"uint32_t", "int32_t",  "int64_t", "double",
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
    printf("&(struct { uint32_t size;");
    for (const gt_Field *field = type->fields; field->name; field++)
        printf(" %s %s;", option_type(field), field->name);
    printf(" }){%" PRIu32, type->end);
    for (const gt_Field *field = type->fields; field->name; field++) {
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
    printf("    gt_apply_at(\"program:1\", gt_operation_find(\"%s\"), ", operation_of(step)->name);
    print_options(step);
    printf(", %d, ", step->given >= 0 ? step->given : step->inputs);
    print_list(step, 0, step->inputs);
    printf(", out);");
    if (operation_of(step)->flags & GT_OP_MASKS)
        printf(" out[0] = gt_unmask(out[0]);");
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

/* The values as a gt_Tensors. */
static void print_tensors(const Step *step, int first, int count)
{
    printf(count ? "gt_tensors(" : "((gt_Tensors){NULL, 0}");
    for (int i = 0; i < count; i++) {
        printf(i ? ", " : "");
        print_name(step->in[first + i]);
    }
    printf(")");
}

static void print_gradient(const Step *step)
{
    static const char *const names[] = {"GT_UNCONNECTED_ERROR", "GT_UNCONNECTED_NONE",
                                        "GT_UNCONNECTED_ZERO", "GT_UNCONNECTED_SOME"};
    int targets = step->targets, sources = step->sources;
    printf("    gt_gradients(tape[%d], ", step->tape);
    print_tensors(step, 0, targets);
    printf(", ");
    print_tensors(step, targets, sources);
    printf(", out, .unconnected = %s", names[step->unconnected]);
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
    int n = step->inputs, first = step->body, outputs = body->outputs, carries = (int)step->n;
    printf("    ");
    switch (step->call) {
    case CALL_DIRECT:
        printf("body%d(NULL, ", first);
        print_list(step, 0, n);
        printf(", out);");
        break;
    case CALL_FUNCTION:
        printf("call(&function[%d], body%d, %d, ", first, first, outputs);
        print_tensors(step, 0, n);
        printf(", out);");
        break;
    case CALL_RECOMPUTE:
        printf("gt_recompute(body%d, NULL, ", first);
        print_tensors(step, 0, n);
        printf(", out, .outputs = %d);", outputs);
        break;
    case CALL_PASS_THROUGH:
        printf("out[0] = gt_grad_pass_through(body%d, NULL, v%d);", first, step->in[0]);
        break;
    case CALL_JVP:
        printf("gt_jvp(body%d, NULL, ", first);
        print_tensors(step, 0, n / 2);
        printf(", ");
        print_tensors(step, n / 2, n / 2);
        printf(", out, out + %d, .outputs = %d, .unconnected = GT_UNCONNECTED_ZERO);", outputs,
               outputs);
        break;
    case CALL_HESSIAN_PRODUCT:
        printf("out[0] = gt_hessian_vector_product(body%d, NULL, v%d, v%d);", first, step->in[0],
               step->in[1]);
        break;
    case CALL_COND:
        printf("gt_cond(");
        print_name(step->in[0]);
        printf(", body%d, body%d, NULL, ", first, body->other);
        print_tensors(step, 1, n - 1);
        printf(", out, .outputs = %d);", outputs);
        break;
    case CALL_WHILE:
        printf("gt_while_loop(body%d, body%d, NULL, ", body->other, first);
        print_tensors(step, 0, n);
        printf(", out, .maximum_iterations = %" PRId64 ");", step->n);
        break;
    case CALL_FORI:
        printf("gt_fori_loop(0, %" PRId64 ", body%d, NULL, ", step->n, first);
        print_tensors(step, 0, n);
        printf(", out, .unroll = %d);", (int)step->d);
        break;
    case CALL_SCAN:
        printf("gt_scan(body%d, NULL, ", first);
        print_tensors(step, 0, carries);
        printf(", ");
        print_tensors(step, carries, n - carries);
        printf(", out, out + %d, .outputs = %d, .reverse = %s, .unroll = %d);", carries,
               outputs - carries, step->reverse ? "true" : "false", (int)step->d);
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
    printf(
        "#include \"gradtape.h\"\n#include <inttypes.h>\n#include <math.h>\n#include <stdio.h>\n");
    if (has_composites(p))
        printf("#include \"tests/calls.h\"\n\n");
    else
        printf(
            "\ntypedef struct Arguments {\n    gt_Tensor *x, *y;\n    int64_t n;\n    double d;\n"
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
           "static void call(gt_Function **function, gt_FunctionBody body, int outputs, gt_Tensors "
           "in,\n"
           "                 gt_Tensor **out)\n{\n"
           "    *function = *function ? *function : gt_function(body, NULL, .outputs = outputs);\n"
           "    gt_function_call(*function, in, out);\n}\n\n");
    for (int b = p->bodies - 1; b > 0; b--)
        if (reached[b])
            printf("static gt_Status body%d(void *context, gt_Tensor *const *in, "
                   "gt_Tensor **results);\n",
                   b);
}

/* The body as it runs: for gradients of everything in a tape of its own. */
static void print_whole(const Program *p, Watch watch)
{
    const Body *body = &p->body[0];
    int sources = 0, targets = 0;
    printf("static gt_Status whole(void *context, gt_Tensor *const *in, gt_Tensor **results)\n{\n");
    if (watch != WATCH_INSIDE) {
        printf("    return body0(context, in, results);\n}\n\n");
        return;
    }
    printf("    gt_Tape *around = gt_tape_begin();\n");
    for (int i = 0; i < p->arguments; i++)
        if (gt_dtype_is_float(p->value[p->argument[i]].dtype))
            printf("    gt_watch(around, in[%d]);\n", i);
    printf("    body0(context, in, results);\n    gt_Tensor *source[] = {");
    for (int i = 0; i < p->arguments; i++)
        if (gt_dtype_is_float(p->value[p->argument[i]].dtype))
            printf("%sin[%d]", sources++ ? ", " : "", i);
    for (int i = 0; i < p->variables; i++) {
        const Value *value = &p->value[p->variable[i]];
        if (value->trainable && gt_dtype_is_float(value->dtype))
            printf("%sv%d", sources++ ? ", " : "", p->variable[i]);
    }
    printf("%s};\n    gt_Tensor *target[] = {", sources ? "" : "NULL");
    for (int i = 0; i < body->outputs; i++)
        if (gt_dtype_is_float(p->value[body->output[i]].dtype))
            printf("%sresults[%d]", targets++ ? ", " : "", i);
    printf(
        "%s};\n    gt_gradients(around, ((gt_Tensors){target, %d}), ((gt_Tensors){source, %d}),\n"
        "                 results + %d, .unconnected = GT_UNCONNECTED_ZERO);\n",
        targets ? "" : "NULL", targets, sources, body->outputs);
    printf(
        "    for (int i = 0; i < %d; i++)\n        gt_keep(results[i]);\n    gt_tape_end(around);\n"
        "    return gt_status();\n}\n\n",
        body->outputs + sources);
}

static int gradients_of_whole(const Program *p, Watch watch)
{
    int count = 0;
    for (int i = 0; i < p->arguments; i++)
        count += gt_dtype_is_float(p->value[p->argument[i]].dtype);
    for (int i = 0; i < p->variables; i++)
        count +=
            p->value[p->variable[i]].trainable && gt_dtype_is_float(p->value[p->variable[i]].dtype);
    return watch == WATCH_INSIDE ? count : 0;
}

static void print_leaves(const Program *p)
{
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
        printf(";%s\n",
               p->value[p->argument[i]].wrapped ? " /* in memory that is not aligned */" : "");
    }
}

static void print_main(const Program *p, int number)
{
    const Body *body = &p->body[0];
    const Mode *mode = &modes[number < 0 ? 0 : number];
    int gradients = gradients_of_whole(p, mode->watch);
    print_whole(p, mode->watch);
    printf(
        "static void show(const char *what, gt_Tensor *tensor)\n{\n    printf(\"  %%s:\", what);\n"
        "    for (int64_t i = 0; tensor && i < gt_size(tensor) && i < 40; i++)\n"
        "        printf(\" %%.17g\", gt_element(tensor, i));\n"
        "    printf(\"  %%s\\n\", gt_error_message());\n}\n\n");
    printf("static void run(const char *name, bool traced, bool watched, int threads)\n{\n"
           "    gt_Tensor *results[%d] = {NULL};\n    gt_set_threads(threads);\n"
           "    printf(\"%%s\\n\", name);\n    gt_Scope *outer = gt_scope_begin();\n"
           "    stale = gt_scalar(1, GT_FLOAT32);\n    gt_scope_end(outer);\n"
           "    outer = gt_scope_begin();\n"
           "    gt_Tape *outside = watched ? gt_tape_begin(.persistent = true) : NULL;\n",
           body->outputs + gradients + 1);
    print_leaves(p);
    for (int i = 0; i < p->arguments; i++)
        if (gt_dtype_is_float(p->value[p->argument[i]].dtype))
            printf("    if (watched)\n        gt_watch(outside, in[%d]);\n", i);
    printf("    gt_Scope *inner = gt_scope_begin();\n"
           "    gt_Function *main_function = gt_function(whole, NULL, .outputs = %d);\n"
           "    if (traced)\n"
           "        gt_function_call(main_function, ((gt_Tensors){in, %d}), results);\n"
           "    else\n        whole(NULL, in, results);\n"
           "    if (gt_status() != GT_OK)\n"
           "        printf(\"  %%s\\n\", gt_error_message());\n    gt_error_clear();\n",
           body->outputs + gradients, p->arguments);
    for (int i = 0; i < body->outputs; i++)
        printf("    show(\"v%d\", results[%d]);\n", body->output[i], i);
    for (int i = 0; i < gradients; i++)
        printf("    show(\"gradient %d\", results[%d]);\n", i, body->outputs + i);
    for (int i = 0; i < p->variables; i++)
        printf("    show(\"variable v%d\", v%d);\n", p->variable[i], p->variable[i]);
    printf("    gt_scope_end(inner);\n    gt_tape_end(outside);\n    gt_scope_end(outer);\n}\n\n"
           "int main(void)\n{\n");
    if (mode->flush)
        printf("#ifdef __x86_64__\n    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040); "
               "/* denormals are 0, as in a plan */\n#endif\n");
    if (mode->numerics)
        printf("    gt_check_numerics(true);\n");
    printf("    run(\"eager\", false, false, 1);\n    run(\"%s\", %s, %s, %d);\n"
           "    gt_context_free(NULL);\n    return 0;\n}\n",
           mode->name, mode->traced ? "true" : "false",
           mode->watch == WATCH_OUTSIDE ? "true" : "false", context_threads[mode->context]);
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
