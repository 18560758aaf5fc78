/* Options are what the caller wrote: what is traced with one length of the leading axis runs with any other. Each row calls a
 * function of the API on inputs whose shapes name that length N. It is traced with N = 6; then the nodes that the trace
 * wrote down, with the options that they have, run in order with inputs for N = 1 and N = 2500, without running the C
 * function. What comes out has the bits that a call with these inputs gives; where the call is an error, so is the replay.
 *
 *     ROW(flip, (REAL(N, 5)), gt_flip(a, .axis = -2))
 *
 * A row names a function of the API, its inputs, and an expression of a, b, c, d that gives a tensor; `state` is a variable, and
 * part[8] has room for handles. The rows of a room
 * are in replay_ROOM.inc; functions without a row are in replay_missing.inc, and none may join them. */
#include <criterion/criterion.h>

#include "core/graph.h"
#include "gradtape.h"
#undef GT_HERE
#define GT_HERE "test_replay.c"

#include "leaks.h"
#include "operations.h"
#include "ops/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = -1, ROW_INPUTS = 4, TRACED = 6 };

/* ---- rows ---- */

#define REAL(...)        GT_REAL(-2, 2, __VA_ARGS__)
#define POSITIVE(...)    GT_REAL(0.5, 2, __VA_ARGS__)
#define DISTINCT(...)    GT_DISTINCT(-2, 2, __VA_ARGS__)
#define BOOL(...)        GT_WHOLE(GT_BOOL, 0, 2, __VA_ARGS__)
#define WHOLE(high, ...) GT_WHOLE(GT_INT64, 0, high, __VA_ARGS__)
/* Far from singular. */
#define MATRICES(...)                                                                              \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = -1, .high = 1,          \
        .diagonal = 2                                                                              \
    }
/* Integers from -N to N - 1. */
#define PLACE(...) GT_WHOLE(GT_INT64, -1, N, __VA_ARGS__)

/* A variable (5) that rows may read and change; it is 1, 2, 3, 4, 5 before each call. */
static gt_Variable *state;

static double half(double x)
{
    return x / 2;
}

/* A function of the user's, registered once a context. */
static const gt_Operation *halved(void)
{
    const gt_Operation *known = gt_registered_operation("halved");
    return known ? known : gt_elementwise_operation("halved", .f64 = half);
}

typedef struct Row {
    const char *name, *call;
    int inputs;
    gt_SampleInput input[ROW_INPUTS];
    gt_Tensor *(*function)(gt_Tensor *const *in);
} Row;

#define INPUTS(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ROW(row, shapes, ...)                                                                      \
    static gt_Tensor *row_##row(gt_Tensor *const *in)                                              \
    {                                                                                              \
        gt_Tensor *a = in[0], *b = in[1], *c = in[2], *d = in[3], *part[8] = {0};                  \
        (void)a, (void)b, (void)c, (void)d, (void)part;                                            \
        return __VA_ARGS__;                                                                        \
    }
#include "replay_bodies.h"
#include "replay_rows.inc"
#undef ROW
#define ROW(row, shapes, ...)                                                                      \
    {#row, #__VA_ARGS__, (int)(sizeof((gt_SampleInput[])INPUTS shapes) / sizeof(gt_SampleInput)),  \
     INPUTS shapes, row_##row},
static const Row rows[] = {
#include "replay_rows.inc"
};
enum { ROWS = sizeof rows / sizeof *rows };

/* ---- inputs ---- */

/* The input of a row for a length of the leading axis: a mixture of numbers, in descending order where none may be twice. */
static gt_Tensor *make_input(const gt_SampleInput *input, int64_t n, uint64_t seed)
{
    gt_Shape shape = input->shape;
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++) {
        shape.dims[d] = shape.dims[d] == N ? n : shape.dims[d];
        size *= shape.dims[d];
    }
    double low = input->low, high = input->high;
    if (high == N) {
        low = -(double)n;
        high = (double)n;
    }
    double *number = malloc(((size_t)size + 1) * sizeof *number);
    cr_assert(number);
    for (int64_t i = 0; i < size; i++) {
        double u = input->distinct ? (double)(i * 7919 % size) / (double)size : next_uniform(&seed);
        number[i] = low + (high - low) * u;
        if (input->diagonal != 0 && i / shape.dims[shape.rank - 1] % shape.dims[shape.rank - 2] ==
                                        i % shape.dims[shape.rank - 1])
            number[i] += input->diagonal * (double)(i % shape.dims[shape.rank - 1] + 1);
        number[i] = gt_dtype_is_float(input->dtype) ? number[i] : floor(number[i]);
    }
    gt_DType dtype = input->dtype == GT_FLOAT64 ? GT_FLOAT32 : input->dtype;
    gt_Tensor *made = gt_from_values_at(NULL, shape, dtype, size, number);
    free(number);
    return made;
}

static void make_inputs(const Row *row, int64_t n, gt_Tensor **in)
{
    gt_Tensor *first = gt_arange(1, 6, 1);
    state = state ? state : gt_variable(first, .name = "state");
    gt_assign(state, first);
    for (int i = 0; i < ROW_INPUTS; i++)
        in[i] = i < row->inputs ? make_input(&row->input[i], n, 77 + (uint64_t)i) : NULL;
}

/* ---- tracing and replaying ---- */

/* The graph of a row, and the number of its result; NULL with an error pending. */
static gt_Graph *trace_row(const Row *row, int32_t *result)
{
    gt_Context *context = gt_context();
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *like[ROW_INPUTS], *in[ROW_INPUTS] = {0};
    make_inputs(row, TRACED, like);
    gt_Graph *graph = gt_graph_new(context);
    gt_Facts facts = {0};
    gt_Trace *trace = graph ? gt_trace_begin(context, graph, &facts) : NULL;
    cr_assert(trace);
    for (int i = 0; i < row->inputs; i++) {
        gt_Spec spec = gt_spec(like[i]);
        in[i] = gt_trace_input(context, &spec);
    }
    gt_Tensor *made = row->function(in);
    gt_Value *value = made ? gt_value_read(context, NULL, "replay", "result", 0, made) : NULL;
    *result = value ? gt_trace_symbol(context, value) : -1;
    gt_trace_end(context, trace);
    gt_facts_close(context, &facts);
    gt_scope_end(scope);
    if (*result >= 0)
        return graph;
    gt_graph_free(graph);
    return NULL;
}

static gt_Tensor *constant_of(const gt_GraphValue *value)
{
    gt_value_retain(value->constant, true);
    return gt_handle_new(gt_context(), value->constant);
}

/* Runs the nodes of a graph as they were written down; NULL with an error pending. */
static gt_Tensor *replay(const gt_Graph *graph, gt_Tensor *const *in, int32_t result)
{
    gt_Tensor **handle = calloc((size_t)graph->value_count + 1, sizeof *handle);
    cr_assert(handle);
    for (int32_t i = 0; i < graph->value_count; i++) {
        const gt_GraphValue *value = &graph->values[i];
        if (value->kind == GT_GRAPH_INPUT)
            handle[i] = in[value->index];
        else if (value->kind == GT_GRAPH_CONSTANT)
            handle[i] = constant_of(value);
        else if (value->kind == GT_GRAPH_VARIABLE)
            handle[i] = value->variable;
        else if (value->kind == GT_GRAPH_LIVE)
            handle[i] = gt_scalar(*value->live, value->spec.dtype);
    }
    for (int32_t k = 0; k < graph->node_count && gt_status() == GT_OK; k++) {
        const gt_GraphNode *node = &graph->nodes[k];
        gt_Tensor *input[GT_MAX_INPUTS], *output[GT_MAX_OUTPUTS];
        cr_assert(!(node->operation->flags & GT_OP_CONTROL), "control flow is not replayed");
        for (int32_t i = 0; i < node->inputs; i++)
            input[i] = node->input[i] < 0 ? NULL : handle[node->input[i]];
        gt_apply_at(NULL, node->operation, node->options, node->inputs, input, output);
        for (int32_t i = 0; i < node->outputs && gt_status() == GT_OK; i++)
            handle[node->output[i]] = node->operation->flags & GT_OP_EFFECT ? input[i] : output[i];
    }
    gt_Tensor *made = gt_status() == GT_OK ? handle[result] : NULL;
    free(handle);
    return made;
}

/* Does the replay say what the call says? `text` gets the difference. */
static bool same(const Row *row, const gt_Graph *graph, int32_t result, int64_t n, char *text,
                 size_t size)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[ROW_INPUTS];
    char a[200], b[200], failed[300] = "";
    make_inputs(row, n, in);
    gt_Tensor *want = row->function(in);
    bool call_failed = gt_status() != GT_OK;
    snprintf(failed, sizeof failed, "%s", call_failed ? gt_error_message() : "");
    gt_error_clear();
    make_inputs(row, n, in);
    gt_Tensor *got = replay(graph, in, result);
    bool equal = false;
    if (call_failed || !got) {
        equal = call_failed == (gt_status() != GT_OK);
        snprintf(text, size, "the call: %s; the replay: %s", call_failed ? failed : "succeeds",
                 got ? "succeeds" : gt_error_message());
        gt_error_clear();
    } else {
        gt_Spec x = gt_spec(want), y = gt_spec(got);
        equal = gt_spec_equal(&x, &y);
        snprintf(text, size, "the call gives %s, the replay %s", gt_spec_text(&x, a, sizeof a),
                 gt_spec_text(&y, b, sizeof b));
        if (equal && x.size) {
            equal = memcmp(gt_data(want), gt_data(got), gt_spec_bytes(&x)) == 0;
            snprintf(text, size, "other numbers");
        }
    }
    gt_scope_end(scope);
    return equal;
}

Test(replay, at_other_sizes)
{
    static const int64_t sizes[] = {TRACED, 1, 2500};
    for (int r = 0; r < ROWS; r++) {
        int32_t result;
        gt_Graph *graph = trace_row(&rows[r], &result);
        cr_expect(graph, "%s: %s", rows[r].name, gt_error_message());
        gt_error_clear();
        char text[600];
        for (int i = 0; graph && i < 3; i++)
            cr_expect(same(&rows[r], graph, result, sizes[i], text, sizeof text), "%s, N = %d: %s",
                      rows[r].name, (int)sizes[i], text);
        gt_graph_free(graph);
    }
    printf("%d rows\n", (int)ROWS);
    gt_variable_free(state);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- who has a row ---- */

static const char *const missing[] = {
#include "replay_missing.inc"
    NULL,
};
enum { MISSING = sizeof missing / sizeof *missing - 1 };

static bool has_row(const char *name)
{
    char call[96];
    snprintf(call, sizeof call, "gt_%s(", name);
    for (int r = 0; r < ROWS; r++)
        if (strstr(rows[r].call, call))
            return true;
    return false;
}

static bool is_missing(const char *name)
{
    for (size_t i = 0; missing[i]; i++)
        if (strcmp(missing[i], name) == 0)
            return true;
    return false;
}

/* The function that a line of a header declares, without gt_ and _at. */
static bool declared(const char *line, char *name)
{
    return sscanf(line, "GT_API gt_Tensor *gt_%64[a-z0-9_](", name) == 1 ||
           sscanf(line, "GT_API gt_Status gt_%64[a-z0-9_](", name) == 1 ||
           sscanf(line, "GT_API gt_%*[A-Za-z] gt_%64[a-z0-9_](", name) == 1 ||
           sscanf(line, "GT_DECLARE_%*[A-Z](%64[a-z0-9_]", name) == 1;
}

static FILE *open_source(const char *file)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    cr_assert(source, "GT_TEST_SOURCE names the folder of the sources");
    snprintf(path, sizeof path, "%s/%s", source, file);
    FILE *opened = fopen(path, "r");
    cr_assert(opened, "%s", path);
    return opened;
}

/* Counts its functions, and in `wrong` those that the list does not tell the truth of. */
static int check_header(const char *header, int *wrong)
{
    char line[300], name[80];
    int functions = 0;
    FILE *file = open_source(header);
    while (fgets(line, sizeof line, file)) {
        if (!declared(line, name))
            continue;
        size_t length = strlen(name);
        bool site = length > 3 && strcmp(name + length - 3, "_at") == 0;
        if (!site && strncmp(line, "GT_DECLARE", 10) != 0)
            continue;
        if (site)
            name[length - 3] = 0;
        functions++;
        if (has_row(name) == is_missing(name)) {
            printf("gt_%s of %s %s\n", name, header,
                   has_row(name) ? "has a row: take it off replay_missing.inc"
                                 : "needs a row in replay_ROOM.inc");
            ++*wrong;
        }
    }
    fclose(file);
    return functions;
}

Test(replay, every_function_has_a_row)
{
    char line[300], header[200];
    int functions = 0, wrong = 0;
    FILE *file = open_source("gradtape.h");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "#include \"%190[a-z0-9_/.]\"", header) == 1 &&
            strncmp(header, "ops/", 4) == 0 && strcmp(header, "ops/table.h") != 0)
            functions += check_header(header, &wrong);
    fclose(file);
    printf("%d functions, %d without a row\n", functions, (int)MISSING);
    cr_expect(wrong == 0, "%d functions; their names are above", wrong);
    cr_expect(functions > 200);
}
