/* The passes of plan/: each test plants a graph, runs the passes up to one of them, and looks at what that one found out. */
#include <criterion/criterion.h>

#include "gradtape.h"
#undef GT_HERE
#define GT_HERE "test_passes.c"

#include "leaks.h"
#include "ops/nn/batch_norm.h"
#include "plan/inline.h"
#include "plan/program.h"

#include <string.h>

/* ---- planting ---- */

/* A traced graph, the plan that it becomes and the program between them. */
typedef struct Planted {
    gt_Graph *graph;
    gt_Plan *plan;
    gt_Program program;
    gt_Facts facts;
    gt_Trace *trace;
    gt_Scope *scope;
} Planted;

static gt_Context *context;

static void plant(Planted *planted)
{
    context = gt_context();
    *planted = (Planted){.scope = gt_scope_begin(), .graph = gt_graph_new(context)};
    planted->trace = gt_trace_begin(context, planted->graph, &planted->facts);
    cr_assert(planted->trace);
}

static gt_Tensor *argument(int64_t size)
{
    gt_Spec spec = {0};
    cr_assert(gt_spec_set(&spec, GT_FLOAT32, gt_shape(size)));
    return gt_trace_input(context, &spec);
}

/* The number of a tensor in the graph. */
static int32_t value_of(gt_Tensor *tensor)
{
    gt_Value *value = gt_value_read(context, NULL, "test", "tensor", 0, tensor);
    cr_assert(value, "%s", gt_error_message());
    return gt_trace_symbol(context, value);
}

/* Ends the trace and opens the program. */
static void grown(Planted *planted, int32_t outputs, gt_Tensor *const *output)
{
    gt_Graph *graph = planted->graph;
    graph->output = gt_allocate(context, (size_t)outputs * sizeof *graph->output);
    graph->outputs = outputs;
    for (int32_t i = 0; i < outputs; i++)
        graph->output[i] = value_of(output[i]);
    gt_trace_end(context, planted->trace);
    gt_facts_close(context, &planted->facts);
    gt_scope_end(planted->scope);
    planted->plan = gt_allocate_zeroed(context, sizeof *planted->plan);
    planted->plan->context = context;
    planted->plan->graph = graph;
    cr_assert_eq(gt_program_open(&planted->program, planted->plan), GT_OK);
}

/* The passes up to this one. */
static void run_to(Planted *planted, gt_Status (*last)(gt_Program *program))
{
    static gt_Status (*const passes[])(gt_Program * program) = {
        gt_pass_fold,   gt_pass_algebra, gt_pass_duplicates, gt_pass_joins,    gt_pass_dead,
        gt_pass_views,  gt_pass_order,   gt_pass_versions,   gt_pass_in_place, gt_pass_aliases,
        gt_pass_chains, gt_pass_lower,   gt_pass_waves,      gt_pass_placing,
    };
    for (int i = 0; i == 0 || passes[i - 1] != last; i++)
        cr_assert_eq(passes[i](&planted->program), GT_OK, "%s", gt_error_message());
}

static void uproot(Planted *planted)
{
    gt_program_close(&planted->program);
    gt_plan_free(planted->plan);
}

static const char *name_of(const Planted *planted, int32_t item)
{
    return planted->graph->nodes[planted->program.items[item]].operation->name;
}

static const gt_Cell *cell_of(const Planted *planted, int32_t value)
{
    const gt_Program *program = &planted->program;
    return &program->cells[gt_cell_shared(program, program->facts[value].cell)];
}

/* ---- fold, algebra, duplicates ---- */

static gt_Status piece(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_sin(gt_multiply(in[0], in[0]));
    return gt_status();
}

/* matmul(x * x, table * table); argument `table` of the trace is a constant of the graph. */
static void plant_table(Planted *p, gt_Tensor *table, int32_t numbers[3])
{
    plant(p);
    gt_Tensor *x = argument(3), *t = argument(3), *square = gt_square(t);
    gt_Tensor *column = gt_reshape(square, gt_shape(3, 1));
    gt_Tensor *y = gt_matmul(gt_reshape(gt_square(x), gt_shape(1, 3)), column);
    gt_GraphValue *of = &p->graph->values[value_of(t)];
    of->kind = GT_GRAPH_CONSTANT;
    of->constant = gt_value_read(context, NULL, "test", "table", 0, table);
    gt_value_retain(of->constant, true);
    numbers[0] = value_of(t);
    numbers[1] = value_of(square);
    numbers[2] = value_of(column);
    grown(p, 1, &y);
}

/* The square of the table and the view of that are constants of the plan, and the table is not kept. */
Test(passes, fold)
{
    Planted p;
    int32_t numbers[3];
    plant_table(&p, gt_array(gt_shape(3), 1, 2, 3), numbers);
    run_to(&p, gt_pass_versions);
    const gt_GraphValue *values = p.graph->values;
    cr_assert_eq(values[numbers[1]].kind, GT_GRAPH_CONSTANT);
    cr_assert_eq(values[numbers[2]].kind, GT_GRAPH_CONSTANT);
    const float *folded = gt_value_data(values[numbers[2]].constant);
    cr_assert(folded[0] == 1 && folded[1] == 4 && folded[2] == 9);
    cr_assert_eq(p.program.facts[numbers[0]].cell, -1, "nobody needs the table");
    cr_assert(p.program.facts[numbers[2]].cell >= 0);
    cr_assert_eq(p.program.item_count, 2, "square of x, matmul");
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What is an error stays, to be one when it runs. */
Test(passes, fold_fails)
{
    Planted p;
    int32_t numbers[3];
    plant_table(&p, gt_array(gt_shape(3), 1e30, 2, 3), numbers);
    gt_check_numerics(true);
    run_to(&p, gt_pass_fold);
    gt_check_numerics(false);
    cr_assert_eq(gt_status(), GT_OK);
    cr_assert_eq(p.graph->values[numbers[1]].kind, GT_GRAPH_RESULT);
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, algebra)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(6), *given = gt_reshape(x, gt_shape(2, 3)), *rows = gt_add(given, 1);
    gt_Tensor *halves = gt_slice(x, gt_shape(0), gt_shape(6));
    gt_Tensor *ones = gt_ones(gt_shape(2, 3)), *wide = gt_ones(gt_shape(4, 2, 3));
    gt_Tensor *minus_zero = gt_array(gt_shape(1), -0.0);
    gt_Tensor *whole = gt_cast(rows, GT_INT32);
    struct {
        gt_Tensor *made;
        gt_Tensor *same; /* NULL: the operation stays */
    } rows_of[] = {
        {gt_multiply(rows, ones), rows},
        {gt_multiply(ones, rows), rows},
        {gt_multiply(gt_multiply(rows, 1), ones), rows},
        {gt_multiply(rows, wide), NULL},  /* of another shape */
        {gt_multiply(given, ones), NULL}, /* denormals of arguments count as 0 */
        {gt_divide(rows, 1), rows},
        {gt_divide(ones, rows), NULL},
        {gt_subtract(rows, 0), rows},
        {gt_subtract(rows, minus_zero), NULL}, /* -0 - -0 is 0 */
        {gt_add(rows, 0), NULL},               /* -0 + 0 is 0 */
        {gt_add(rows, minus_zero), rows},
        {gt_add(whole, 0), whole},
        {gt_multiply(rows, 0), NULL}, /* NaN of infinity */
        {gt_negative(gt_negative(rows)), rows},
        {gt_negative(gt_multiply(gt_negative(rows), 1)), rows},
        {gt_logical_not(gt_logical_not(gt_greater(x, 0))), NULL},
        {gt_pad(given, gt_shape(0, 0), gt_shape(0, 0)), given},
        {gt_broadcast_to(given, gt_shape(2, 3)), given},
        {gt_broadcast_to(given, gt_shape(1, 2, 3)), NULL},
        {gt_transpose(gt_transpose(rows)), rows},
        {gt_transpose(gt_transpose(gt_reshape(halves, gt_shape(1, 2, 3)), .perm = gt_axes(1, 2, 0)),
                      .perm = gt_axes(1, 2, 0)),
         NULL},
    };
    enum { ROWS = sizeof rows_of / sizeof *rows_of };
    gt_Tensor *outputs[ROWS];
    int32_t made[ROWS], same[ROWS];
    for (int i = 0; i < ROWS; i++) {
        outputs[i] = rows_of[i].made;
        made[i] = value_of(rows_of[i].made);
        same[i] = rows_of[i].same ? value_of(rows_of[i].same) : -1;
    }
    grown(&p, ROWS, outputs);
    run_to(&p, gt_pass_algebra);
    for (int i = 0; i < ROWS; i++) {
        int32_t found = gt_value_same(&p.program, made[i]);
        if (same[i] >= 0)
            cr_assert_eq(found, same[i], "row %d", i);
        else if (strcmp(p.graph->nodes[p.graph->values[made[i]].node].operation->name,
                        "logical_not"))
            cr_assert_eq(found, made[i], "row %d", i);
        else
            cr_assert_str_eq(p.graph->nodes[p.graph->values[found].node].operation->name,
                             "greater");
    }
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The transposition of a factor is gone, a batch of matrices keeps it. */
Test(passes, turned_factors)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(6), *a = gt_reshape(x, gt_shape(2, 3));
    gt_Tensor *flat = gt_matmul(gt_transpose(a), gt_transpose(a), .transpose_b = true);
    gt_Tensor *batch =
        gt_matmul(gt_transpose(gt_reshape(x, gt_shape(1, 2, 3)), .perm = gt_axes(0, 2, 1)), a);
    gt_Tensor *outputs[2] = {flat, batch};
    int32_t numbers[3] = {value_of(a), value_of(flat), value_of(batch)};
    grown(&p, 2, outputs);
    run_to(&p, gt_pass_order);
    const gt_GraphNode *product = &p.graph->nodes[p.graph->values[numbers[1]].node];
    const gt_matmul_options *options = product->options;
    cr_assert(product->input[0] == numbers[0] && product->input[1] == numbers[0]);
    cr_assert(options->transpose_a && !options->transpose_b);
    const gt_GraphNode *other = &p.graph->nodes[p.graph->values[numbers[2]].node];
    cr_assert_eq(((const gt_matmul_options *)other->options)->transpose_a, false);
    cr_assert_eq(p.program.item_count, 3, "two products and the transposition of the batch");
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, duplicates)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(6), *again, *once;
    gt_Tensor *a = gt_add(gt_exp(x), 1), *b = gt_add(gt_exp(x), 1), *c = gt_add(gt_exp(x), 2);
    gt_Tensor *s = gt_sum(gt_reshape(x, gt_shape(2, 3)), .axis = 0);
    gt_Tensor *t = gt_sum(gt_reshape(x, gt_shape(2, 3)), .axis = 1);
    gt_Tensor *u = gt_sum(gt_reshape(x, gt_shape(2, 3)), .axis = 1);
    gt_Tensor *drawn = gt_uniform(gt_shape(6)), *more = gt_uniform(gt_shape(6));
    cr_assert_eq(gt_recompute(piece, NULL, gt_tensors(x), &once), GT_OK);
    cr_assert_eq(gt_recompute(piece, NULL, gt_tensors(x), &again), GT_OK);
    gt_Tensor *outputs[] = {a, b, c, s, t, u, drawn, more, once, again};
    enum { OUTPUTS = sizeof outputs / sizeof *outputs };
    int32_t number[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++)
        number[i] = value_of(outputs[i]);
    cr_assert_eq(gt_inline_calls(p.graph), GT_OK);
    grown(&p, OUTPUTS, outputs);
    run_to(&p, gt_pass_duplicates);
    for (int i = 0; i < OUTPUTS; i++) {
        int32_t same = gt_value_same(&p.program, number[i]);
        cr_assert_eq(same, i == 1 ? number[0] : i == 5 ? number[4] : number[i], "output %d", i);
    }
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Outputs that are the same value, an argument or a constant are copies; variables are read as they were. */
static gt_Status the_same(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *v = user;
    out[0] = gt_multiply(gt_exp(in[0]), 2);
    out[1] = gt_multiply(gt_exp(in[0]), 2);
    out[2] = gt_negative(gt_negative(in[0]));
    out[3] = gt_multiply(v, 1);
    gt_assign_add(v, 1);
    out[4] = gt_multiply(v, 1);
    return gt_status();
}

Test(passes, same_values)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *v = gt_variable(gt_array(gt_shape(3), 5, 6, 7));
    gt_Function *function = gt_function(the_same, v, .outputs = 5);
    gt_Tensor *x = gt_array(gt_shape(3), 1, -0.0, NAN), *y[5];
    for (int run = 0; run < 3; run++) {
        cr_assert_eq(gt_function_call(function, gt_tensors(x), y), GT_OK, "%s", gt_error_message());
        const float *got[5];
        for (int i = 0; i < 5; i++)
            cr_assert(got[i] = gt_data(y[i]));
        cr_assert_eq(memcmp(got[0], got[1], 3 * sizeof *got[0]), 0);
        cr_assert_eq(memcmp(got[2], gt_data(x), 3 * sizeof *got[2]), 0);
        for (int i = 0; i < 3; i++)
            cr_assert(got[3][i] == (float)(5 + i + run) && got[4][i] == (float)(6 + i + run));
    }
    gt_FunctionStats stats = gt_function_stats(function);
    cr_assert_eq(stats.operations, 3, "a chain, assign_add, v * 1, for v may be denormal (got %d)",
                 stats.operations);
    gt_function_free(function);
    gt_variable_free(v);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- joins ---- */

/* pad(a) + pad(b) along the second axis, the sum again padded along the first one beside c: three parts in one join. What is no
 * padding with zeros, or read elsewhere, is what a part is added to. A sum whose parts overlap stays. */
Test(passes, joins)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(6), *a = gt_reshape(x, gt_shape(2, 3)), *b = gt_exp(a);
    gt_Tensor *left = gt_pad(a, gt_shape(0, 0), gt_shape(0, 4));
    gt_Tensor *right = gt_pad(b, gt_shape(0, 4), gt_shape(0, 0));
    gt_Tensor *row = gt_add(left, right), *other = gt_reshape(gt_exp(x), gt_shape(1, 2, 3));
    gt_Tensor *first =
        gt_pad(gt_reshape(row, gt_shape(1, 2, 7)), gt_shape(0, 0, 0), gt_shape(2, 0, 0));
    gt_Tensor *second = gt_pad(gt_pad(other, gt_shape(0, 0, 4), gt_shape(0, 0, 0)),
                               gt_shape(2, 0, 0), gt_shape(0, 0, 0));
    gt_Tensor *joined = gt_add(first, second);
    gt_Tensor *overlap = gt_add(gt_pad(a, gt_shape(0, 2), gt_shape(0, 2)),
                                gt_pad(b, gt_shape(0, 3), gt_shape(0, 1)));
    gt_Tensor *plain = gt_add(gt_pad(a, gt_shape(0, 1), gt_shape(0, 1)), gt_ones(gt_shape(2, 5)));
    gt_Tensor *twice = gt_pad(b, gt_shape(0, 3), gt_shape(0, 0));
    gt_Tensor *read = gt_add(gt_pad(a, gt_shape(0, 0), gt_shape(0, 3)), twice);
    gt_Tensor *negative = gt_add(gt_pad(a, gt_shape(0, 0), gt_shape(0, 3), .value = -0.0),
                                 gt_pad(b, gt_shape(0, 2), gt_shape(0, 1)));
    gt_Tensor *outputs[] = {joined, overlap, plain, read, negative, twice};
    int32_t numbers[] = {value_of(joined), value_of(overlap), value_of(plain), value_of(read),
                         value_of(negative)};
    grown(&p, 6, outputs);
    run_to(&p, gt_pass_lower);
    for (int i = 0; i < 5; i++) {
        const gt_GraphNode *node = &p.graph->nodes[p.graph->values[numbers[i]].node];
        cr_assert_str_eq(node->operation->name, i == 1 ? "add" : "join", "output %d", i);
        cr_assert_eq(node->inputs, i == 0 ? 3 : 2, "%d parts", (int)node->inputs);
        if (i > 0)
            continue;
        for (int32_t s = 0; s < p.program.step_count; s++)
            if (p.program.steps[s].node >= 0 && &p.graph->nodes[p.program.steps[s].node] == node)
                cr_assert_eq(p.program.steps[s].launches, 2, "a row in the middle is zeros");
    }
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The gradient of reading a sequence step by step, in parts of parts, with -0, infinities and NaN among the numbers. */
static gt_Status sequence(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const int *steps = user;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *loss = gt_scalar(0, gt_dtype(in[0])), *halves[2], *time[70];
    gt_unstack(in[0], *steps, time, .axis = 1);
    for (int t = 0; t < *steps; t++) {
        gt_split(time[t], 2, halves, .axis = 1);
        loss = gt_add(loss, gt_sum(gt_multiply(gt_multiply(halves[0], -0.0), halves[1])));
        if (t % 3)
            loss = gt_add(loss, gt_sum(gt_square(time[t])));
    }
    out[0] = gt_keep(gt_gradient(tape, loss, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(passes, sequences)
{
    static const int lengths[] = {1, 2, 5, 16, 33, 64, 70};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int wide = 0; wide < 2; wide++) {
            gt_Scope *scope = gt_scope_begin();
            int steps = lengths[i];
            gt_Function *function = gt_function(sequence, &steps);
            gt_Tensor *x = gt_uniform(gt_shape(3, steps, 10), .low = -1,
                                      .dtype = wide ? GT_FLOAT64 : GT_FLOAT32);
            x = gt_where(gt_greater(x, 0.9), gt_full_like(x, INFINITY), x);
            gt_Tensor *eager, *planned;
            cr_assert_eq(sequence(&steps, &x, &eager), GT_OK, "%s", gt_error_message());
            cr_assert_eq(gt_function_call(function, gt_tensors(x), &planned), GT_OK, "%s",
                         gt_error_message());
            cr_assert_eq(memcmp(gt_data(eager), gt_data(planned),
                                (size_t)gt_size(eager) * gt_dtype_size(gt_dtype(eager))),
                         0, "%d steps", steps);
            const char *text = gt_function_print(function);
            cr_assert(steps == 1 || strstr(text, "join"), "%s", text);
            gt_function_free(function);
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Parts of rows added to what is read whole, in rows and columns, one part or several, with zeros of both signs. */
static gt_Status whole_and_parts(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const int *parts = user;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *loss = gt_sum(gt_multiply(in[0], gt_sign(in[0])));
    for (int i = 0; i < *parts; i++) {
        gt_Tensor *column = gt_slice(in[0], gt_shape(0, 2 * i), gt_shape(-1, 2 - i % 2));
        loss = gt_add(loss, gt_sum(gt_multiply(column, gt_negative(column))));
    }
    gt_Tensor *of_rows = gt_slice(in[0], gt_shape(1, 0), gt_shape(1, -1));
    out[0] = gt_keep(gt_gradient(tape, gt_add(loss, gt_sum(gt_multiply(of_rows, -0.0))), in[0]));
    gt_tape_end(tape);
    return gt_status();
}

/* As many parts as there are, at places that are not beside each other: pieces of a vector that is read whole, too. */
static gt_Status whole_and_pieces(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const int *parts = user;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *loss = gt_sum(gt_multiply(in[0], gt_sign(in[0])));
    for (int i = 0; i < *parts; i++) {
        gt_Tensor *piece = gt_slice(in[0], gt_shape(5 * i), gt_shape(1 + i % 5));
        loss = gt_add(loss, gt_sum(gt_multiply(piece, gt_negative(piece))));
    }
    out[0] = gt_keep(gt_gradient(tape, loss, in[0]));
    gt_tape_end(tape);
    return gt_status();
}

Test(passes, pieces_added_to_a_whole)
{
    for (int parts = 1; parts <= 70; parts += parts < 50 ? 7 : 1) {
        gt_Scope *scope = gt_scope_begin();
        gt_Function *function = gt_function(whole_and_pieces, &parts);
        gt_Tensor *x = gt_uniform(gt_shape(350), .low = -1), *eager, *planned;
        cr_assert_eq(whole_and_pieces(&parts, &x, &eager), GT_OK, "%s", gt_error_message());
        cr_assert_eq(gt_function_call(function, gt_tensors(x), &planned), GT_OK, "%s",
                     gt_error_message());
        cr_assert_eq(memcmp(gt_data(eager), gt_data(planned), 350 * sizeof(float)), 0, "%d parts",
                     parts);
        gt_function_free(function);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, parts_added_to_a_whole)
{
    for (int parts = 1; parts <= 5; parts++)
        for (int wide = 0; wide < 2; wide++) {
            gt_Scope *scope = gt_scope_begin();
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            gt_Function *function = gt_function(whole_and_parts, &parts);
            gt_Tensor *x = gt_uniform(gt_shape(2000, 11), .low = -1, .dtype = dtype);
            x = gt_where(gt_less(gt_abs(x), 0.3), gt_multiply(gt_zeros_like(x), gt_sign(x)), x);
            gt_Tensor *eager, *planned;
            cr_assert_eq(whole_and_parts(&parts, &x, &eager), GT_OK, "%s", gt_error_message());
            cr_assert_eq(gt_function_call(function, gt_tensors(x), &planned), GT_OK, "%s",
                         gt_error_message());
            cr_assert_eq(memcmp(gt_data(eager), gt_data(planned),
                                (size_t)gt_size(eager) * gt_dtype_size(dtype)),
                         0, "%d parts", parts);
            cr_assert(strstr(gt_function_print(function), "join"));
            gt_function_free(function);
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- dead, views, order ---- */

Test(passes, dead)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(3), *y = gt_exp(x), *z = gt_sin(x), *behind = gt_cos(z);
    int32_t numbers[4] = {value_of(x), value_of(y), value_of(z), value_of(behind)};
    grown(&p, 1, &y);
    run_to(&p, gt_pass_dead);
    const gt_ValueFact *facts = p.program.facts;
    cr_assert_eq(facts[numbers[0]].marks, GT_MARK_NEEDED | GT_MARK_FEEDS);
    cr_assert_eq(facts[numbers[1]].marks, GT_MARK_NEEDED, "nothing is made of it");
    cr_assert_eq(facts[numbers[2]].marks, 0, "dead");
    cr_assert_eq(facts[numbers[3]].marks, 0, "dead");
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, views)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(12), *rows = gt_reshape(x, gt_shape(4, 3));
    gt_Tensor *part = gt_slice(rows, gt_shape(1, 0), gt_shape(2, 3));
    gt_Tensor *flat = gt_reshape(part, gt_shape(6)), *y = gt_exp(flat);
    int32_t numbers[3] = {value_of(x), value_of(flat), value_of(y)};
    grown(&p, 1, &y);
    run_to(&p, gt_pass_order);
    const gt_ValueFact *facts = p.program.facts;
    cr_assert_eq(facts[numbers[1]].root, numbers[0], "a view of a view of x");
    cr_assert_eq(facts[numbers[1]].offset, 3 * sizeof(float));
    cr_assert_eq(facts[numbers[2]].root, numbers[2]);
    cr_assert_eq(p.program.item_count, 1, "views are no steps");
    cr_assert_str_eq(name_of(&p, 0), "exp");
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, order)
{
    Planted p;
    gt_Variable *v = gt_variable(gt_zeros(gt_shape(3))), *w = gt_variable(gt_zeros(gt_shape(3)));
    plant(&p);
    gt_Tensor *x = argument(3);
    gt_assign_add(v, x); /* nobody reads the new value */
    gt_assign_add(w, x); /* y does */
    gt_Tensor *y = gt_multiply(gt_add(w, x), 2);
    grown(&p, 1, &y);
    run_to(&p, gt_pass_order);
    cr_assert_eq(p.program.item_count, 4);
    cr_assert_str_eq(name_of(&p, 0), "assign_add", "the one that y needs");
    cr_assert_str_eq(name_of(&p, 1), "add");
    cr_assert_str_eq(name_of(&p, 2), "multiply");
    cr_assert_str_eq(name_of(&p, 3), "assign_add", "the other one waits");
    cr_assert_eq(p.program.commit_item, 3);
    uproot(&p);
    gt_variable_free(v);
    gt_variable_free(w);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- calls ---- */

/* A call becomes the nodes of its body, and what it made is made by the last of them. */
Test(passes, calls)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(3), *made;
    cr_assert_eq(gt_recompute(piece, NULL, gt_tensors(x), &made), GT_OK);
    gt_Tensor *y = gt_exp(made);
    int32_t number = value_of(made);
    cr_assert_eq(p.graph->node_count, 2);
    cr_assert_str_eq(p.graph->nodes[0].operation->name, "recompute");
    cr_assert_eq(gt_inline_calls(p.graph), GT_OK);
    cr_assert_eq(p.graph->node_count, 3);
    cr_assert_str_eq(p.graph->nodes[0].operation->name, "multiply");
    cr_assert_str_eq(p.graph->nodes[1].operation->name, "sin");
    cr_assert_eq(p.graph->values[number].node, 1);
    grown(&p, 1, &y);
    run_to(&p, gt_pass_order);
    cr_assert_eq(p.program.item_count, 3);
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* m = 0.9 m + 0.1 mean(x), y = relu(x + mean): what only the assignment waits for comes behind y. */
Test(passes, order_of_averages)
{
    Planted p;
    gt_Variable *m = gt_variable(gt_zeros(gt_shape()));
    plant(&p);
    gt_Tensor *x = argument(5000), *mean = gt_mean(x);
    gt_assign(m, gt_add(gt_multiply(m, 0.9), gt_multiply(mean, 0.1)));
    gt_Tensor *y = gt_relu(gt_add(x, mean));
    grown(&p, 1, &y);
    run_to(&p, gt_pass_order);
    static const char *const names[] = {"mean",     "add", "relu",  "multiply",
                                        "multiply", "add", "assign"};
    cr_assert_eq(p.program.item_count, 7);
    cr_assert_eq(p.program.commit_item, 6);
    for (int i = 0; i < 7; i++)
        cr_assert_str_eq(p.program.graph->nodes[p.program.items[i]].operation->name, names[i]);
    uproot(&p);
    gt_variable_free(m);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- versions ---- */

/* a = v; v += x; y = a + v: the effect runs early, on a shadow, which is copied back last. */
Test(passes, shadow)
{
    Planted p;
    gt_Variable *v = gt_variable(gt_zeros(gt_shape(3)));
    plant(&p);
    gt_Tensor *x = argument(3), *a = gt_multiply(v, 3);
    gt_assign_add(v, x);
    gt_Tensor *y = gt_add(a, v);
    grown(&p, 1, &y);
    run_to(&p, gt_pass_versions);
    const gt_Program *program = &p.program;
    const gt_ProgramVariable *variable = &program->variables[0];
    cr_assert(variable->shadow >= 0);
    cr_assert(p.plan->variables[0].overwritten);
    const gt_ProgramStep *last = &program->steps[program->step_count - 1];
    cr_assert(last->node < 0 && last->from.cell == variable->shadow &&
              last->to.cell == variable->cell);
    cr_assert_eq(program->step_count, 5,
                 "copy to the shadow, multiply, assign_add, add, copy back");
    uproot(&p);
    gt_variable_free(v);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* old = v; v = x; returns old, which is overwritten before the outputs are there: it is copied just before. */
Test(passes, late_reader)
{
    Planted p;
    gt_Variable *v = gt_variable(gt_zeros(gt_shape(3)));
    plant(&p);
    gt_Tensor *x = argument(3), *old = gt_identity(v);
    gt_assign(v, x);
    int32_t before = value_of(old);
    grown(&p, 1, &old);
    run_to(&p, gt_pass_versions);
    const gt_Program *program = &p.program;
    const gt_ValueFact *root = &program->facts[program->facts[before].root];
    cr_assert(root->copy >= 0);
    cr_assert_eq(program->steps[0].node, -1);
    cr_assert_eq(program->steps[0].to.cell, root->copy);
    cr_assert_eq(program->variables[0].shadow, -1, "the effect works in place");
    cr_assert_eq(program->commit_step, 0, "the copy belongs to the effect");
    uproot(&p);
    gt_variable_free(v);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- memory ---- */

/* x * 2, + 1, exp, squared: all but the last are in one piece of the block, the last in the output. */
/* Two variables that an optimizer made of operations updates, v' = v + g^2, w' = w - g / v'; what is to keep an assignment where it
 * is: nothing, a late reader of the old w, an operation that may fail behind w', one that reads w' after another change. */
enum { ALL_IN_PLACE, READ_LATE, MAY_FAIL, CHANGED_AGAIN, NOT_ELEMENTWISE, PLACES };

static int32_t assignments(const Planted *p)
{
    int32_t count = 0;
    for (int32_t s = 0; s < p->program.step_count; s++) {
        const gt_GraphNode *node = gt_step_node(&p->program, &p->program.steps[s]);
        count += node && strcmp(node->operation->name, "assign") == 0;
    }
    return count;
}

Test(passes, in_place)
{
    static const int32_t left[PLACES] = {0, 1, 2, 2, 1};
    for (int kind = 0; kind < PLACES; kind++) {
        Planted p;
        gt_Variable *v = gt_variable(gt_ones(gt_shape(2000)), .name = "v"),
                    *w = gt_variable(gt_ones(gt_shape(2000)), .name = "w");
        plant(&p);
        gt_Tensor *g = argument(2000);
        gt_Tensor *next_v = gt_add(v, gt_square(g));
        gt_Tensor *next_w = gt_subtract(w, gt_divide(g, next_v)), *result = next_w;
        if (kind == NOT_ELEMENTWISE)
            next_w = gt_cumsum(next_w);
        if (kind == READ_LATE)
            result = gt_multiply(w, 3);
        if (kind == MAY_FAIL)
            result = gt_take(g, gt_cast(next_w, GT_INT64)); /* an index may be out of range */
        gt_assign(v, next_v);
        gt_assign(w, next_w);
        if (kind == CHANGED_AGAIN)
            gt_assign(w, next_v);
        gt_Tensor *sum = gt_sum(result);
        grown(&p, 1, &sum);
        run_to(&p, gt_pass_in_place);
        const gt_Program *program = &p.program;
        cr_assert(assignments(&p) == left[kind], "kind %d: %d assignments are left", kind,
                  assignments(&p));
        if (kind == ALL_IN_PLACE)
            cr_assert_eq(program->commit_step, 0,
                         "variables change from the first element-wise step on");
        if (kind == MAY_FAIL)
            cr_assert_eq(program->commit_step, program->step_count - 2,
                         "and here behind all that may fail");
        uproot(&p);
        gt_variable_free(v);
        gt_variable_free(w);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, aliases)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(30), *a = gt_multiply(x, 2), *b = gt_add(a, 1), *c = gt_exp(b);
    gt_Tensor *both = gt_multiply(c, b); /* b lives on while c is made */
    gt_Tensor *y = gt_sin(both);
    int32_t numbers[6] = {value_of(x), value_of(a),    value_of(b),
                          value_of(c), value_of(both), value_of(y)};
    grown(&p, 1, &y);
    run_to(&p, gt_pass_aliases);
    cr_assert_neq(cell_of(&p, numbers[1]), cell_of(&p, numbers[0]), "arguments are not ours");
    cr_assert_eq(cell_of(&p, numbers[2]), cell_of(&p, numbers[1]), "b over a");
    cr_assert_neq(cell_of(&p, numbers[3]), cell_of(&p, numbers[2]), "b is read once more");
    cr_assert_eq(cell_of(&p, numbers[4]), cell_of(&p, numbers[3]), "both over c");
    cr_assert_eq(cell_of(&p, numbers[5])->base, gt_plan_output_base(p.plan, 0));
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* No two cells that live at the same time share a byte. */
Test(passes, placing)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(100), *kept[8], *y = x;
    for (int i = 0; i < 8; i++)
        kept[i] = y = gt_multiply(gt_sin(y), gt_sum(y));
    for (int i = 0; i < 8; i++)
        y = gt_add(y, gt_concatenate(gt_tensors(gt_slice(kept[i], gt_shape(0), gt_shape(40)),
                                                gt_slice(kept[i], gt_shape(20), gt_shape(60)))));
    grown(&p, 1, &y);
    run_to(&p, gt_pass_placing);
    int together = 0, apart = 0;
    for (int32_t i = 0; i < p.program.cell_count; i++)
        for (int32_t j = 0; j < i; j++) {
            const gt_Cell *a = &p.program.cells[i], *b = &p.program.cells[j];
            if (a->base != GT_BASE_BLOCK || b->base != GT_BASE_BLOCK || a->same >= 0 ||
                b->same >= 0 || a->piece.last < 0 || b->piece.last < 0)
                continue;
            bool live = a->piece.first <= b->piece.last && b->piece.first <= a->piece.last;
            bool share = a->piece.offset < b->piece.offset + b->piece.bytes &&
                         b->piece.offset < a->piece.offset + a->piece.bytes;
            cr_assert(!(live && share), "cells %d and %d", i, j);
            together += live;
            apart += share;
        }
    cr_assert(together > 10 && apart > 10, "%d pairs live together, %d share memory", together,
              apart);
    cr_assert(p.plan->block_bytes < (size_t)p.plan->stats.naive / 2);
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- chains ---- */

/* Random numbers with -0, infinities and NaN among them. */
static gt_Tensor *mixed_numbers(gt_Shape shape, gt_DType dtype)
{
    gt_Tensor *x = gt_uniform(shape, .low = -2, .high = 2, .dtype = dtype);
    x = gt_where(gt_greater(x, 1.9), gt_full_like(x, INFINITY), x);
    x = gt_where(gt_less(x, -1.9), gt_full_like(x, NAN), x);
    return gt_where(gt_less(gt_abs(x), 0.1), gt_full_like(x, -0.0), x);
}

static gt_Status mixture(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *a = gt_multiply(gt_add(in[0], in[1]), in[0]); /* another operand of in[1]'s shape */
    gt_Tensor *b = gt_subtract(in[2], gt_tanh(a));
    gt_Tensor *c = gt_where(gt_greater(b, in[1]), gt_maximum(a, in[2]), gt_negative(b));
    out[0] = gt_multiply(gt_exp(c), 0.5);
    out[1] = gt_relu(a); /* read behind the chain too */
    out[2] = gt_sum(gt_square(out[1]));
    return gt_status();
}

/* y = x * t is written over x, and is read behind the chain; t reads a row of x, by a view, for every row. */
static gt_Status rows_of_itself(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_cumsum(in[0], .axis = 0);
    gt_Tensor *first = gt_slice(x, gt_shape(0, 0), gt_shape(1, -1));
    gt_Tensor *t = gt_add(in[0], first), *y = gt_multiply(x, t);
    out[0] = gt_tanh(gt_subtract(y, in[1]));
    out[1] = gt_sum(y);
    return gt_status();
}

/* The head of a chain reads what a result of the chain is written over, which is read behind the chain. */
static gt_Status residual(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    gt_Tensor *x = gt_cumsum(in[0], .axis = 0);
    gt_Tensor *h = gt_conv(x, in[1], .padding = GT_PADDING_SAME);
    gt_Tensor *y = gt_add(x, gt_add(h, in[2]));
    out[0] = gt_square(gt_relu(y));
    out[1] = gt_sum(y);
    return gt_status();
}

static gt_Status dense(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_relu(gt_add(gt_matmul(in[0], in[1]), in[2]));
    return gt_status();
}

/* Every kind of head, in several tiles: what follows it is a chain. */
static gt_Status heads(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *x = in[0], *y = NULL;
    gt_BatchNorm norm;
    switch (*(const int *)user) {
    case 0:
        y = gt_max_pool(x, gt_shape(2, 2));
        break;
    case 1:
        y = gt_average_pool(x, gt_shape(3, 2), .strides = gt_shape(1));
        break;
    case 2:
        y = gt_conv(x, in[1], .strides = gt_shape(2));
        break;
    case 3:
        y = gt_conv_transpose(x, in[1]);
        break;
    case 4:
        y = gt_conv_transpose(x, gt_slice(in[1], gt_shape(0, 0, 0, 0), gt_shape(1, 1, 8, 8)));
        break;
    case 5:
        y = gt_silu(x);
        break;
    case 6:
        y = gt_gelu(x);
        break;
    case 7:
        y = gt_leaky_relu(x);
        break;
    case 8:
        y = gt_clip(x, 0.25, 0.5);
        break;
    case 9:
        y = gt_cast(gt_cast(x, GT_INT32), GT_FLOAT32);
        break;
    case 10:
        y = gt_matmul(gt_reshape(x, gt_shape(-1, 8)),
                      gt_reshape(gt_slice(in[1], gt_shape(0, 0, 0, 0), gt_shape(1, 1, 8, 8)),
                                 gt_shape(8, 8)));
        break;
    case 11: /* three outputs; the others are read behind the chain */
        norm = gt_batch_norm(x, in[2], in[2], 1e-3);
        y = norm.y;
        break;
    }
    out[0] = gt_tanh(gt_add(gt_multiply(y, in[2]), y));
    return gt_status();
}

static gt_Status slopes(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y, *all[3] = {gt_relu(in[0]), in[1], in[2]};
    heads(user, all, &y);
    out[0] = gt_keep(gt_gradient(tape, gt_sum(y), in[0]));
    gt_tape_end(tape);
    return gt_status();
}

/* Plan and eager run give the same bits, with one thread and with three. `part` stands in the printed plan. */
static void same_bits_of(gt_FunctionBody body, void *user, int outputs, gt_Tensors in,
                         const char *part)
{
    gt_Tensor *eager[3], *planned[3];
    gt_Function *function = gt_function(body, user, .outputs = outputs);
    cr_assert_eq(body(user, in.items, eager), GT_OK, "%s", gt_error_message());
    for (int threads = 1; threads <= 3; threads += 2) {
        gt_set_threads(threads);
        cr_assert_eq(gt_function_call(function, in, planned), GT_OK, "%s", gt_error_message());
        for (int i = 0; i < outputs; i++)
            cr_assert_eq(memcmp(gt_data(eager[i]), gt_data(planned[i]),
                                (size_t)gt_size(eager[i]) * gt_dtype_size(gt_dtype(eager[i]))),
                         0, "output %d of %s, %d threads", i, part, threads);
    }
    gt_set_threads(1);
    const char *text = gt_function_print(function);
    cr_assert(strstr(text, part), "%s", text);
    gt_function_free(function);
}

static void same_bits(gt_FunctionBody body, int outputs, gt_Tensors in, const char *part)
{
    same_bits_of(body, NULL, outputs, in, part);
}

/* Rows that are narrow, wide, wider than a block, of one element; columns; single numbers; several tiles. */
Test(passes, chains)
{
    static const struct {
        gt_Shape shape, second, third;
    } cases[] = {
        {{GT_MARK, 2, {7, 5}}, {GT_MARK, 1, {5}}, {GT_MARK, 2, {7, 1}}},
        {{GT_MARK, 2, {700, 9}}, {GT_MARK, 2, {700, 9}}, {GT_MARK, 1, {9}}},
        {{GT_MARK, 2, {900, 64}}, {GT_MARK, 1, {64}}, {GT_MARK, 2, {900, 64}}},
        {{GT_MARK, 2, {70, 300}}, {GT_MARK, 2, {70, 1}}, {GT_MARK, 1, {300}}},
        {{GT_MARK, 2, {9, 5000}}, {GT_MARK, 2, {9, 1}}, {GT_MARK, 1, {5000}}},
        {{GT_MARK, 3, {3, 40, 500}}, {GT_MARK, 0, {0}}, {GT_MARK, 3, {3, 1, 1}}},
        {{GT_MARK, 1, {1}}, {GT_MARK, 1, {1}}, {GT_MARK, 0, {0}}},
        {{GT_MARK, 1, {70001}}, {GT_MARK, 0, {0}}, {GT_MARK, 1, {1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int wide = 0; wide < 2; wide++) {
            gt_Scope *scope = gt_scope_begin();
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            gt_Tensor *in[3] = {mixed_numbers(cases[i].shape, dtype),
                                mixed_numbers(cases[i].second, dtype),
                                mixed_numbers(cases[i].third, dtype)};
            same_bits(mixture, 3, ((gt_Tensors){in, 3}), "add+multiply+tanh");
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, chains_and_memory)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = mixed_numbers(gt_shape(300, 40), GT_FLOAT32);
    x = gt_where(gt_isfinite(x), x, gt_zeros_like(x));
    gt_Tensor *wide = gt_uniform(gt_shape(300, 100));
    same_bits(rows_of_itself, 2, gt_tensors(wide, gt_uniform(gt_shape(100))), "add");
    gt_Tensor *image = gt_uniform(gt_shape(3, 30, 30, 8)),
              *kernel = gt_uniform(gt_shape(3, 3, 8, 8));
    same_bits(residual, 2, gt_tensors(image, kernel, gt_uniform(gt_shape(8))),
              "add+add+relu+square");
    same_bits(dense, 1, gt_tensors(x, gt_uniform(gt_shape(40, 12)), gt_uniform(gt_shape(12))),
              "matmul+add+relu");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, chains_and_heads)
{
    static const char *const names[] = {"max_pool+",
                                        "average_pool+",
                                        "conv+",
                                        "conv_input_gradient+",
                                        "conv_input_gradient+",
                                        "silu+",
                                        "gelu+",
                                        "leaky_relu+",
                                        "clip+",
                                        "cast+",
                                        "matmul+",
                                        "batch_norm+"};
    for (int kind = 0; kind < (int)(sizeof names / sizeof *names); kind++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_uniform(gt_shape(3, 41, 37, 8), .low = -1);
        gt_Tensor *in[3] = {x, gt_uniform(gt_shape(3, 3, 8, 8), .low = -1),
                            gt_uniform(gt_shape(8))};
        same_bits_of(heads, &kind, 1, ((gt_Tensors){in, 3}), names[kind]);
        if (kind != 9) /* integers have no gradient */
            same_bits_of(slopes, &kind, 1, ((gt_Tensors){in, 3}), "relu");
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A product and its bias: relu of it, a sum of two, where the product or the sum is read behind the chain too. */
static gt_Status biased(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const int kind = *(const int *)user % 4;
    gt_Tensor *product = *(const int *)user < 4 ? gt_matmul(in[0], in[1])
                                                : gt_matmul(in[0], in[1], .transpose_b = true);
    gt_Tensor *sum = gt_add(product, in[2]);
    out[0] = kind == 1 ? gt_add(gt_multiply(in[3], 0.5), sum) : gt_relu(sum);
    out[1] = gt_sum(kind == 2 ? product : kind == 3 ? sum : out[0]);
    return gt_status();
}

/* Blocks of the sums: one, as long as can be, and two. */
Test(passes, products_and_biases)
{
    static const int64_t shapes[][3] = {{300, 40, 70},  {260, 33, 384}, {260, 64, 385},
                                        {200, 32, 256}, {200, 80, 257}, {64, 40, 30}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = 0; kind < 16; kind++) {
            gt_Scope *scope = gt_scope_begin();
            const gt_DType dtype = kind < 8 ? GT_FLOAT32 : GT_FLOAT64;
            const int64_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2];
            int user = kind % 8;
            gt_Tensor *in[4] = {
                gt_uniform(gt_shape(m, k), .low = -1, .dtype = dtype),
                gt_uniform(user < 4 ? gt_shape(k, n) : gt_shape(n, k), .low = -1, .dtype = dtype),
                mixed_numbers(gt_shape(n), dtype), mixed_numbers(gt_shape(m, n), dtype)};
            same_bits_of(biased, &user, 2, ((gt_Tensors){in, 4}), "matmul+");
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The product adds the bias itself, and nothing is left of the chain. */
Test(passes, product_takes_bias)
{
    for (int deep = 0; deep < 2; deep++) {
        Planted p;
        plant(&p);
        const int64_t k = GT_GEMM_DEPTH(GT_LOOP_F32) + deep;
        gt_Tensor *x = gt_reshape(argument(300 * k), gt_shape(300, k));
        gt_Tensor *w = gt_reshape(argument(k * 64), gt_shape(k, 64));
        gt_Tensor *y = gt_add(gt_matmul(x, w), argument(64));
        grown(&p, 1, &y);
        run_to(&p, gt_pass_lower);
        cr_assert_eq(p.program.step_count, 1);
        const gt_ProgramStep *step = &p.program.steps[0];
        cr_assert_eq(step->launches, 2, "w is laid out, then the product");
        const gt_Launch *launch = &p.plan->launches[step->launch + 1];
        const gt_ChainJob *job = (const void *)(p.plan->jobs + launch->job);
        const gt_ProductJob *product = (const void *)((const char *)job + job->head_job);
        cr_assert_eq(job->head, GT_TILES_product);
        cr_expect_eq(job->steps, deep, "sums of two blocks are whole in memory alone");
        cr_expect_eq(product->bias >= 0, !deep);
        uproot(&p);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A product that only the chain reads is written where the chain's result goes, unless that is where the residual was: then the
 * sum would be of the product with itself. */
Test(passes, product_is_written_where_the_chain_ends)
{
    for (int taken_over = 0; taken_over < 2; taken_over++) {
        Planted p;
        plant(&p);
        gt_Tensor *x = gt_reshape(argument(300 * 32), gt_shape(300, 32));
        gt_Tensor *w = gt_reshape(argument(32 * 64), gt_shape(32, 64)), *bias = argument(64);
        gt_Tensor *rest = gt_reshape(argument(300 * 64), gt_shape(300, 64));
        rest = taken_over ? gt_cumsum(rest, .axis = 0) : rest;
        gt_Tensor *y = gt_add(rest, gt_add(gt_matmul(x, w), bias));
        y = gt_cumsum(y, .axis = 0); /* or it were an output, which takes nothing over */
        grown(&p, 1, &y);
        run_to(&p, gt_pass_lower);
        cr_assert_eq(p.program.step_count, taken_over ? 3 : 2);
        const gt_ProgramStep *step = &p.program.steps[taken_over];
        const gt_Launch *launch = &p.plan->launches[step->launch + step->launches - 1];
        const gt_ChainJob *job = (const void *)(p.plan->jobs + launch->job);
        const gt_ProductJob *product = (const void *)((const char *)job + job->head_job);
        cr_assert_eq(job->head, GT_TILES_product);
        cr_assert_eq(job->steps, 1);
        cr_expect_eq(job->head_at[product->c] == job->step[0].result.from, !taken_over);
        uproot(&p);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A product whose result would have its rows last is made with its operands exchanged, not copied. */
Test(passes, contractions_change_places)
{
    static const struct {
        const char *subscripts;
        int copies;
    } cases[] = {{"ik,kj->ij", 0}, {"kj,ik->ij", 0}, {"jk,ik->ij", 0}, {"jkl,ilk->ij", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Planted p;
        plant(&p);
        const bool deep = strlen(cases[i].subscripts) > 9;
        gt_Tensor *large = argument(300 * 64), *w = argument(64 * 64);
        large = gt_reshape(large, deep ? gt_shape(300, 8, 8) : gt_shape(300, 64));
        w = gt_reshape(w, deep ? gt_shape(64, 8, 8) : gt_shape(64, 64));
        gt_Tensor *y = i == 0 ? gt_einsum(cases[i].subscripts, gt_tensors(large, w))
                              : gt_einsum(cases[i].subscripts, gt_tensors(w, large));
        grown(&p, 1, &y);
        run_to(&p, gt_pass_lower);
        cr_assert_eq(p.program.step_count, 1);
        const gt_ProgramStep *step = &p.program.steps[0];
        int copies = 0;
        for (int l = 0; l < step->launches; l++)
            copies += p.plan->launches[step->launch + l].kernel == GT_TILES_copy;
        cr_expect_eq(copies, cases[i].copies, "%s: %d copies", cases[i].subscripts, copies);
        uproot(&p);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* What only the chain reads has no memory; what is read behind it, or was taken over, has. */
Test(passes, chain)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(30), *a = gt_multiply(x, 2), *b = gt_add(a, 1), *c = gt_exp(b);
    gt_Tensor *y = gt_sum(gt_subtract(c, a)), *z = gt_sum(b);
    gt_Tensor *outputs[2] = {y, z};
    int32_t numbers[3] = {value_of(a), value_of(b), value_of(c)};
    grown(&p, 2, outputs);
    run_to(&p, gt_pass_placing);
    const gt_Program *program = &p.program;
    cr_assert_eq(program->step_count, 3, "a chain and two sums");
    const gt_GraphNode *chain = gt_step_node(program, &program->steps[0]);
    cr_assert_str_eq(chain->name, "multiply+add+exp+subtract");
    cr_assert_eq(chain->inputs, 3, "x, 2 and 1");
    cr_assert_eq(chain->outputs, 2, "b and the difference");
    cr_assert_eq(chain->output[0], numbers[1]);
    cr_assert_eq(program->steps[0].launches, 1);
    cr_assert_eq(cell_of(&p, numbers[1])->piece.last, 1, "the sums are a wave");
    const gt_Cell *nowhere = &program->cells[program->facts[numbers[0]].cell];
    cr_assert(nowhere->gone);
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Status sums_of_exp(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_exp(gt_multiply(in[0], 2));
    return gt_status();
}

/* With numeric checks on, each operation is looked at and named. */
Test(passes, chains_and_checks)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(3), 100), *y;
    gt_Function *function = gt_function(sums_of_exp, NULL);
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &y), GT_OK);
    cr_assert(strstr(gt_function_print(function), "multiply+exp"));
    gt_check_numerics(true);
    gt_function_call(function, gt_tensors(x), &y);
    cr_assert_eq(gt_status(), GT_NUMERIC);
    cr_assert(strstr(gt_error_message(), "exp: element 0"), "%s", gt_error_message());
    gt_error_clear();
    gt_check_numerics(false);
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &y), GT_OK);
    cr_assert_eq(gt_function_stats(function).plans, 2);
    gt_function_free(function);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- lowering ---- */

Test(passes, lower)
{
    Planted p;
    plant(&p);
    gt_Tensor *x = argument(70000), *y = gt_add(x, 1);
    grown(&p, 1, &y);
    run_to(&p, gt_pass_lower);
    const gt_ProgramStep *step = &p.program.steps[0];
    cr_assert(step->lowered && step->launches == 1 && step->check == -1);
    cr_assert(p.plan->launches[step->launch].tiles > 1);
    cr_assert_eq(p.plan->launches[step->launch].job % 16, 0);
    for (int32_t i = 0; i < step->temporaries; i++) {
        const gt_Piece *piece = &p.program.cells[step->temporary[i]].piece;
        cr_assert(piece->first == 0 && piece->last == 0);
    }
    uproot(&p);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- waves ---- */

enum { WEIGHTS = 5 };

/* Wide weights, so that updates are cut into tiles. */
static gt_Status training(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Optimizer *optimizer = ((void **)user)[0];
    gt_Variable **weights = ((void **)user)[1];
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_scalar(0, GT_FLOAT32);
    for (int i = 0; i < WEIGHTS; i++)
        loss = gt_add(loss, gt_mean(gt_square(gt_subtract(gt_sin(weights[i]), in[0]))));
    gt_minimize(optimizer, tape, loss, ((gt_Tensors){.items = weights, .count = WEIGHTS}));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Do the steps touch memory that one of the two writes? */
static bool collide(const gt_Plan *plan, const gt_PlanStep *a, const gt_PlanStep *b)
{
    for (int32_t i = 0; i < a->operands; i++)
        for (int32_t k = 0; k < b->operands; k++) {
            bool writes = i >= a->inputs || k >= b->inputs;
            gt_Ref x = plan->refs[a->ref + i], y = plan->refs[b->ref + k];
            int32_t of_x = plan->values[a->ref + i], of_y = plan->values[b->ref + k];
            if (!writes || gt_ref_base(x) == GT_BASE_NONE || gt_ref_base(x) != gt_ref_base(y) ||
                of_x < 0 || of_y < 0)
                continue;
            size_t from_x = gt_ref_offset(x), from_y = gt_ref_offset(y);
            size_t bytes_x = gt_spec_bytes(&plan->graph->values[of_x].spec);
            size_t bytes_y = gt_spec_bytes(&plan->graph->values[of_y].spec);
            if (from_x < from_y + bytes_y && from_y < from_x + bytes_x)
                return true;
        }
    return false;
}

/* The steps of every wave: `order` 0 as they are, 1 backwards, 2 rotated. */
static void reorder(gt_Plan *plan, int order)
{
    for (int32_t s = 0; s < plan->step_count; s += plan->steps[s].together) {
        gt_PlanStep old[GT_WAVE_STEPS], *steps = &plan->steps[s];
        int32_t count = steps->together;
        memcpy(old, steps, (size_t)count * sizeof *old);
        for (int32_t i = 0; i < count; i++) {
            steps[i] = old[order == 1 ? count - 1 - i : order == 2 ? (i + 1) % count : i];
            steps[i].together = count - i;
        }
    }
}

/* Trains for a while, the waves of the plan in this order. The weights go to `into`. */
static void train(int threads, int order, float *into)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *weights[WEIGHTS];
    gt_set_seed(3);
    for (int i = 0; i < WEIGHTS; i++)
        weights[i] = gt_variable(gt_uniform(gt_shape(300, 100 + i)));
    gt_Optimizer *optimizer = gt_Adam(1e-2);
    gt_optimizer_build(optimizer, ((gt_Tensors){.items = weights, .count = WEIGHTS}));
    gt_set_threads(threads);
    context = gt_context();
    void *user[2] = {optimizer, weights};
    gt_Tensor *x = gt_scalar(0.25, GT_FLOAT32), *loss;
    gt_Facts facts = {0};
    gt_Graph *graph = gt_graph_new(context);
    gt_Trace *trace = gt_trace_begin(context, graph, &facts);
    gt_Scope *inner = gt_scope_begin();
    gt_Tensor *argument = gt_trace_input(context, gt_tensor_spec(x));
    cr_assert_eq(training(user, &argument, &loss), GT_OK, "%s", gt_error_message());
    graph->output = gt_allocate(context, sizeof *graph->output);
    graph->outputs = 1;
    graph->output[0] = value_of(loss);
    gt_scope_end(inner);
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    graph->inputs = 1;
    gt_Plan *plan = gt_plan_new(graph);
    cr_assert(plan, "%s", gt_error_message());
    int32_t widest = 0, updates = 0;
    for (int32_t s = 0; s < plan->step_count; s++) {
        widest = plan->steps[s].together > widest ? plan->steps[s].together : widest;
        bool update = plan->steps[s].operation && !strcmp(plan->steps[s].site.name, "adam_update");
        updates = update && plan->steps[s].together > updates ? plan->steps[s].together : updates;
        for (int32_t k = 1; k < plan->steps[s].together; k++)
            cr_assert(!collide(plan, &plan->steps[s], &plan->steps[s + k]), "steps %d and %d", s,
                      s + k);
    }
    cr_assert_eq(updates, WEIGHTS, "all variables are updated at once (got %d)", updates);
    reorder(plan, order);
    gt_Value *value = gt_value_read(context, NULL, "test", "x", 0, x);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(gt_plan_run(plan, &value, &loss), GT_OK, "%s", gt_error_message());
    for (int i = 0; i < WEIGHTS; i++) {
        memcpy(into, gt_data(weights[i]), (size_t)gt_size(weights[i]) * sizeof *into);
        into += gt_size(weights[i]);
    }
    gt_plan_free(plan);
    gt_optimizer_free(optimizer);
    gt_set_threads(1);
    for (int i = 0; i < WEIGHTS; i++)
        gt_variable_free(weights[i]);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(passes, waves)
{
    static float first[WEIGHTS * 300 * 104], other[WEIGHTS * 300 * 104];
    train(1, 0, first);
    for (int threads = 1; threads <= 3; threads += 2)
        for (int order = 0; order < 3; order++) {
            train(threads, order, other);
            cr_assert_eq(memcmp(first, other, sizeof first), 0, "%d threads, order %d", threads,
                         order);
        }
}

/* ---- references, and plans as text ---- */

Test(passes, references)
{
    gt_Ref ref = gt_ref(GT_REF_MOST_BASES - 1, GT_REF_MOST_BYTES - 1);
    cr_assert_eq(sizeof ref, 8);
    cr_assert_eq(gt_ref_base(ref), GT_REF_MOST_BASES - 1);
    cr_assert_eq(gt_ref_offset(ref), GT_REF_MOST_BYTES - 1);
    cr_assert_eq(gt_ref_offset(gt_ref(1, 0)), 0);
}

static gt_Status step_of(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *w = user;
    out[0] = gt_cumsum(gt_multiply(gt_exp(in[0]), w));
    gt_assign_add(w, 1);
    return gt_status();
}

static gt_Status again(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_multiply(in[1], 2);
    out[1] = gt_subtract(in[1], 1);
    return gt_status();
}

static gt_Status positive(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)user;
    out[0] = gt_greater(gt_sum(in[1]), 0);
    return gt_status();
}

static gt_Status looping(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *pair[2] = {in[0], in[0]}, *last[2];
    if (gt_while_loop(positive, again, user, ((gt_Tensors){pair, 2}), last,
                      .maximum_iterations = 5) == GT_OK)
        out[0] = last[0];
    return gt_status();
}

Test(passes, printed)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_ones(gt_shape(3)), .name = "scale");
    gt_Function *function = gt_function(step_of, w), *loop = gt_function(looping, NULL);
    gt_Tensor *y;
    cr_assert_str_eq(gt_function_print(function), "");
    cr_assert(strstr(gt_error_message(), "the function has no plan yet; call it first"));
    gt_error_clear();
    cr_assert_eq(gt_function_call(function, gt_tensors(gt_zeros(gt_shape(3))), &y), GT_OK);
    const char *text = gt_function_print(function);
    cr_assert(text, "%s", gt_error_message());
    const char *const parts[] = {"in0        float32 (3,)\n",
                                 "out0       float32 (3,)\n",
                                 "scale      float32 (3,), changes\n",
                                 "   0  exp+multiply ",
                                 "in0, scale -> @0 float32 (3,)",
                                 "@0 -> out0 float32 (3,)",
                                 "variables change from here on\n",
                                 "assign_add",
                                 "at test_passes.c"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_assert(strstr(text, parts[i]), "\"%s\" lacks \"%s\"", text, parts[i]);
    cr_assert_eq(gt_function_call(loop, gt_tensors(gt_ones(gt_shape(3))), &y), GT_OK);
    text = gt_function_print(loop);
    cr_assert(text && strstr(text, "  round:\n") && strstr(text, "  condition:\n"), "%s", text);
    text = gt_function_print(loop, .format = GT_PLAN_FORMAT_JSON);
    cr_assert(text && strstr(text, "\"round\": {\"operations\": 1") &&
                  strstr(text, "{\"name\": \"in0\", \"kind\": \"input\", \"dtype\": \"float32\", "
                               "\"shape\": [3]}"),
              "%s", text);
    int depth = 0;
    for (const char *at = text; *at; at++) {
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        cr_assert(depth > 0 || at[1] == 0, "%s", at);
    }
    cr_assert_eq(depth, 0);
    text = gt_function_print(function, .format = GT_PLAN_FORMAT_DOT);
    cr_assert(text && strstr(text, "digraph plan {\n") && strstr(text, "\"in0\" -> \"node 4\"") &&
                  strstr(text, "\"scale\" -> \"node 4\"") &&
                  strstr(text, "\"node 4\" -> \"node 2\"") &&
                  strstr(text, "[shape=box, label=\"exp+multiply\\nfloat32 (3,)\"]"),
              "%s", text);
    cr_assert_str_eq(gt_function_print(function, .format = (gt_PlanFormat)3), "");
    cr_assert(strstr(gt_error_message(), "format must be a GT_PLAN_FORMAT_ value (got 3)"));
    gt_error_clear();
    gt_function_free(function);
    gt_function_free(loop);
    gt_variable_free(w);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* An error in a plan names the layer, as it does eagerly. */
static gt_Status through_model(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call((gt_Layer *)user, in[0]);
    return gt_status();
}

static gt_Tensor *look_up(void *user, const gt_CallArgs *in)
{
    (void)user;
    return gt_take(gt_ones(gt_shape(4, 2)), in->x, .axis = 0);
}

Test(passes, path)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Lambda(look_up, .name = "table"));
    gt_Function *function = gt_function(through_model, model);
    gt_Tensor *y, *bad = gt_cast(gt_array(gt_shape(2), 1, 9), GT_INT64);
    char eager[500];
    gt_call(model, bad);
    strcpy(eager, gt_error_message());
    gt_error_clear();
    cr_assert(strstr(eager, ", in sequential/table"), "%s", eager);
    gt_Tensor *good = gt_cast(gt_array(gt_shape(2), 1, 3), GT_INT64);
    cr_assert_eq(gt_function_call(function, gt_tensors(good), &y), GT_OK, "%s", gt_error_message());
    cr_assert(strstr(gt_function_print(function), ", in sequential/table\n"));
    gt_function_call(function, gt_tensors(bad), &y);
    cr_assert(strstr(gt_error_message(), ", in sequential/table"), "%s", gt_error_message());
    gt_error_clear();
    gt_function_free(function);
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- numbers ---- */

static gt_Status step_with_slope(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Variable *w = user;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_multiply(gt_sqrt(w), in[0]);
    out[0] = gt_gradient(tape, gt_sum(y), w);
    gt_assign_add(w, 1);
    gt_keep(out[0]);
    gt_tape_end(tape);
    return gt_status();
}

/* A step that gives an infinity is named, with its line and the operation whose gradient it is, and nothing has changed. */
Test(passes, numerics)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_zeros(gt_shape(2)));
    gt_Function *function = gt_function(step_with_slope, w);
    gt_Tensor *x = gt_ones(gt_shape(2)), *slope;
    gt_check_numerics(true);
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &slope), GT_NUMERIC);
    cr_assert(strstr(gt_error_message(), "float32 (2,), is infinite, in the gradient of sqrt"),
              "%s", gt_error_message());
    cr_assert(strstr(gt_error_message(), "test_passes.c: "), "%s", gt_error_message());
    gt_error_clear();
    cr_assert_null(slope);
    cr_assert_eq(gt_element(w, 0), 0, "no variable changed");
    cr_assert_eq(gt_function_stats(function).runs, 1, "a plan found it");
    gt_check_numerics(false);
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &slope), GT_OK);
    cr_assert_eq(gt_element(w, 0), 1);
    gt_check_numerics(true);
    cr_assert_eq(gt_function_call(function, gt_tensors(x), &slope), GT_OK, "%s",
                 gt_error_message());
    gt_check_numerics(false);
    gt_function_free(function);
    gt_variable_free(w);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- time ---- */

Test(passes, profiled)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_ones(gt_shape(3)));
    gt_Function *function = gt_function(step_of, w), *loop = gt_function(looping, NULL);
    gt_Tensor *y, *x = gt_zeros(gt_shape(3));
    cr_assert_eq(gt_function_profile(function, true), GT_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(gt_function_call(function, gt_tensors(x), &y), GT_OK);
    const char *text = gt_function_print(function, .format = GT_PLAN_FORMAT_JSON);
    cr_assert(strstr(text, "\"nanoseconds\": ") && strstr(text, "\"runs\": 3"), "%s", text);
    cr_assert(strstr(gt_function_print(function), " us    0  exp"), "%s",
              gt_function_print(function));
    cr_assert_eq(gt_function_profile(function, false), GT_OK);
    cr_assert_null(strstr(gt_function_print(function), " us "));
    cr_assert_eq(gt_function_call(loop, gt_tensors(gt_full(gt_shape(3), 2.5)), &y), GT_OK);
    cr_assert_eq(gt_function_profile(loop, true), GT_OK, "a plan that is there already");
    cr_assert_eq(gt_function_call(loop, gt_tensors(gt_full(gt_shape(3), 2.5)), &y), GT_OK);
    text = gt_function_print(loop, .format = GT_PLAN_FORMAT_JSON);
    cr_assert(strstr(text, "\"runs\": 3") && strstr(text, "\"runs\": 1"),
              "three rounds of one loop: %s", text);
    gt_function_free(function);
    gt_function_free(loop);
    gt_variable_free(w);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
