/* Control flow run eagerly: bodies one after another. Loop variables are held as values between rounds, and every round has
 * a scope of its own, so temporaries of a round are gone with it:
 *
 *     loop_open     holds the first loop variables                now: c0
 *     a round       lends handles, runs the body                  now: c0   next: c1
 *     loop_advance  releases the old ones                         now: c1
 *     loop_close    hands the last ones out, also after a failure
 *
 * Predicates that are symbols, and long loops in a traced function, go to traced_control.h: one node each.
 * Leans on core/body.c. */
#include "ops/control/control.h"
#include "core/assert.h"
#include "ops/math/arithmetic.h"
#include "ops/control/choice.h"
#include "ops/control/lists.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/control/traced_control.h"

#include <string.h>

#define MAX_TENSORS 1024

GT_OPTION_TYPE(gt_cond_options, gt_cond_OPTIONS);
GT_OPTION_TYPE(gt_while_loop_options, gt_while_loop_OPTIONS);
GT_OPTION_TYPE(gt_fori_loop_options, gt_fori_loop_OPTIONS);
GT_OPTION_TYPE(gt_scan_options, gt_scan_OPTIONS);

/* ---- lists ---- */

static void *list_new(gt_Context *context, int64_t count)
{
    return gt_list_new(context, count, sizeof(void *));
}

static void list_free(gt_Context *context, void *list, int64_t count)
{
    gt_list_free(context, list, count, sizeof(void *));
}

static bool check_list(gt_Context *context, const char *what, gt_Tensors list)
{
    if (list.count >= 0 && list.count <= MAX_TENSORS && (list.count == 0 || list.items))
        return true;
    if (list.count > 0 && list.count <= MAX_TENSORS)
        gt_raise(context, GT_INVALID, NULL, NULL, "the list of %s is NULL", what);
    else
        gt_raise(context, GT_INVALID, NULL, NULL, "the number of %s must be 0 to %d (got %d)", what,
                 MAX_TENSORS, (int)list.count);
    return false;
}

static bool check_place(gt_Context *context, int32_t count, gt_Tensor **outputs)
{
    if (count >= 0 && count <= MAX_TENSORS && (count == 0 || outputs))
        return true;
    if (count > 0 && count <= MAX_TENSORS)
        gt_raise(context, GT_INVALID, NULL, NULL, "the place for the outputs is NULL");
    else
        gt_raise(context, GT_INVALID, NULL, NULL, "outputs must be 0 to %d (got %d)", MAX_TENSORS,
                 (int)count);
    return false;
}

static void clear(gt_Tensor **outputs, int32_t count)
{
    for (int32_t i = 0; outputs && i < count && i < MAX_TENSORS; i++)
        outputs[i] = NULL;
}

/* The values behind the handles, held. */
static gt_Status hold(gt_Context *context, const char *what, gt_Tensors list, gt_Value **values)
{
    for (int32_t i = 0; i < list.count; i++) {
        gt_Value *value = gt_value_read(context, NULL, NULL, what, i + 1, list.items[i]);
        if (!value)
            return gt_context_status(context);
        gt_value_retain(value, true);
        values[i] = value;
    }
    return GT_OK;
}

/* Handles of the innermost scope; the values stay held. */
static gt_Status lend(gt_Context *context, gt_Value *const *values, int32_t count,
                      gt_Tensor **handles)
{
    for (int32_t i = 0; i < count && gt_context_status(context) == GT_OK; i++)
        handles[i] = gt_value_handle(values[i]);
    return gt_context_status(context);
}

/* ---- choosing ---- */

/* 1, 0, or -1 for a symbol, whose number is not known yet; check the status. -0.0 is false and NaN true, as in C. */
static int truth(gt_Context *context, const char *what, gt_Tensor *predicate)
{
    gt_Value *value = gt_value_read(context, NULL, NULL, what, 0, predicate);
    char text[200];
    if (!value)
        return 0;
    const gt_Spec *spec = gt_value_spec(value);
    if (spec->size != 1) {
        gt_raise(context, GT_INVALID, NULL, NULL, "%s must have one element (got %s)", what,
                 gt_spec_text(spec, text, sizeof text));
        return 0;
    }
    return gt_value_is_symbol(value) ? -1
                                     : gt_number_fetch(spec->dtype, gt_value_data(value), 0) != 0;
}

gt_Status gt_cond_at(const char *here, gt_Tensor *predicate, gt_FunctionBody yes,
                     gt_FunctionBody no, void *user, gt_Tensors inputs, gt_Tensor **outputs,
                     const gt_cond_options *given)
{
    gt_cond_options options;
    GT_TAKE(gt_cond_options, &options, given);
    clear(outputs, options.outputs);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "cond");
    int32_t n = options.outputs;
    gt_Value **result = NULL;
    int which = truth(context, "the predicate", predicate);
    if (gt_context_status(context) == GT_OK && check_list(context, "inputs", inputs) &&
        check_place(context, n, outputs) && (result = list_new(context, n))) {
        if (which < 0)
            gt_traced_cond(context, predicate, yes, no, user, inputs, n, outputs);
        else if (gt_body_run(context, NULL, which ? yes : no, user, inputs.items, n, result) ==
                 GT_OK)
            gt_values_give(context, result, n, outputs);
        gt_context_choose(context);
        gt_mark_choice(context, outputs, n);
    }
    list_free(context, result, n);
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* ---- loops ---- */

/* State of a running loop: `now` holds this round's variables, `next` those of the next round and then the other outputs of
 * the body. `input` are the handles that the body gets: of the variables and of what else it gets, before or behind. */
typedef struct Loop {
    gt_Context *context;
    gt_FunctionBody body;
    void *user;
    int32_t count, more_inputs, more_outputs;
    gt_Value **now, **next;
    gt_Tensor **input;
} Loop;

static bool loop_open(Loop *loop, gt_Tensors variables, const char *what)
{
    gt_Context *context = loop->context;
    loop->now = list_new(context, loop->count);
    loop->next = list_new(context, loop->count + (int64_t)loop->more_outputs);
    loop->input = list_new(context, loop->count + (int64_t)loop->more_inputs);
    return gt_context_status(context) == GT_OK &&
           hold(context, what, variables, loop->now) == GT_OK;
}

/* The last variables go to `outputs`. */
static void loop_close(Loop *loop, gt_Tensor **outputs)
{
    gt_Context *context = loop->context;
    if (loop->now && gt_context_status(context) == GT_OK)
        gt_values_give(context, loop->now, loop->count, outputs);
    if (loop->now)
        gt_values_release(loop->now, loop->count);
    list_free(context, loop->now, loop->count);
    list_free(context, loop->next, loop->count + (int64_t)loop->more_outputs);
    list_free(context, loop->input, loop->count + (int64_t)loop->more_inputs);
}

/* The next variables become those of now. On failure nothing is held of the next round. */
static gt_Status loop_advance(Loop *loop)
{
    gt_Context *context = loop->context;
    char a[200], b[200];
    for (int32_t i = 0; i < loop->count && gt_context_status(context) == GT_OK; i++)
        if (!gt_spec_equal(gt_value_spec(loop->now[i]), gt_value_spec(loop->next[i])))
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "loop variable %d must stay like it was, %s (got %s)", (int)i + 1,
                     gt_spec_text(gt_value_spec(loop->now[i]), a, sizeof a),
                     gt_spec_text(gt_value_spec(loop->next[i]), b, sizeof b));
    if (gt_context_status(context) != GT_OK) {
        gt_values_release(loop->next, loop->count + loop->more_outputs);
        return gt_context_status(context);
    }
    gt_values_release(loop->now, loop->count);
    memcpy(loop->now, loop->next, (size_t)loop->count * sizeof *loop->now);
    memset(loop->next, 0, (size_t)loop->count * sizeof *loop->next);
    return GT_OK;
}

/* The scope of a round; false: no memory, or the caller wants to stop. */
static bool round_open(gt_Context *context)
{
    if (!gt_interrupted(context))
        return gt_scope_open(context) != NULL;
    gt_raise(context, GT_INTERRUPTED, NULL, NULL, "interrupted between two rounds");
    return false;
}

static gt_Status run_body(Loop *loop)
{
    return gt_body_run(loop->context, NULL, loop->body, loop->user, loop->input,
                       loop->count + loop->more_outputs, loop->next);
}

/* The results of a traced loop become the loop variables. */
static gt_Status loop_take(Loop *loop, gt_Tensor *const *last)
{
    gt_Context *context = loop->context;
    for (int32_t i = 0; i < loop->count && gt_context_status(context) == GT_OK; i++) {
        loop->next[i] = gt_tensor_value(last[i]);
        gt_value_retain(loop->next[i], true);
    }
    return gt_context_status(context) == GT_OK ? loop_advance(loop) : gt_context_status(context);
}

/* All rounds from here on, at most so many, as one record. */
static gt_Status while_traced(Loop *loop, gt_FunctionBody condition, gt_Tensor *predicate,
                              int64_t most)
{
    gt_Context *context = loop->context;
    gt_Tensor **last = list_new(context, loop->count);
    const gt_TracedLoop traced = {.body = loop->body,
                                  .condition = condition,
                                  .user = loop->user,
                                  .carries = {loop->input, loop->count},
                                  .length = most,
                                  .go = predicate};
    if (last && gt_traced_loop(context, &traced, last, NULL) == GT_OK)
        loop_take(loop, last);
    list_free(context, last, loop->count);
    return gt_context_status(context);
}

/* One round of a while loop, or all of them if numbers decide that are not known yet; false: there is no other round. */
static bool while_round(Loop *loop, gt_FunctionBody condition, int64_t most)
{
    gt_Context *context = loop->context;
    gt_Value *flag = NULL;
    gt_Tensor *predicate = NULL;
    if (lend(context, loop->now, loop->count, loop->input) != GT_OK ||
        gt_body_run(context, NULL, condition, loop->user, loop->input, 1, &flag) != GT_OK ||
        gt_values_give(context, &flag, 1, &predicate) != GT_OK)
        return false;
    int which = truth(context, "the condition", predicate);
    if (gt_context_status(context) != GT_OK || which == 0)
        return false;
    if (which < 0) {
        while_traced(loop, condition, predicate, most);
        return false;
    }
    return run_body(loop) == GT_OK && loop_advance(loop) == GT_OK;
}

gt_Status gt_while_loop_at(const char *here, gt_FunctionBody condition, gt_FunctionBody body,
                           void *user, gt_Tensors variables, gt_Tensor **outputs,
                           const gt_while_loop_options *given)
{
    gt_while_loop_options options;
    GT_TAKE(gt_while_loop_options, &options, given);
    clear(outputs, variables.count);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "while_loop");
    int64_t most = options.maximum_iterations;
    Loop loop = {context, body, user, variables.count, 0, 0, NULL, NULL, NULL};
    if (check_list(context, "loop variables", variables) &&
        check_place(context, variables.count, outputs)) {
        bool more = loop_open(&loop, variables, "loop variable");
        for (int64_t i = 0; more && (most < 0 || i < most); i++) {
            gt_Scope *outer = gt_scope_innermost(context);
            more = round_open(context) && while_round(&loop, condition, most < 0 ? -1 : most - i);
            gt_scope_unwind(context, outer);
        }
        loop_close(&loop, outputs);
        gt_context_choose(context);
        gt_mark_choice(context, outputs, variables.count);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

static gt_Status fori_inputs(Loop *loop, int64_t i)
{
    void *data = NULL;
    const gt_Spec spec = {.dtype = GT_INT64, .size = 1};
    if (!(loop->input[0] = gt_tensor_new(loop->context, &spec, &data)))
        return gt_context_status(loop->context);
    memcpy(data, &i, sizeof i);
    return lend(loop->context, loop->now, loop->count, loop->input + 1);
}

static gt_Status fori_round(Loop *loop, int64_t i)
{
    if (fori_inputs(loop, i) != GT_OK || run_body(loop) != GT_OK)
        return gt_context_status(loop->context);
    return loop_advance(loop);
}

/* Is a loop of so many rounds one record? */
static bool is_long(const gt_Context *context, int64_t rounds, int64_t unroll)
{
    return gt_tracing(context) && rounds > unroll;
}

/* i, then the loop variables. */
static gt_Status count_up(void *user, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Loop *loop = user;
    outputs[0] = gt_add(inputs[0], 1);
    return loop->body(loop->user, inputs, outputs + 1);
}

static gt_Status fori_traced(Loop *loop, int64_t first, int64_t rounds)
{
    gt_Context *context = loop->context;
    gt_Scope *outer = gt_scope_innermost(context);
    gt_Tensor **last = list_new(context, loop->count + 1);
    const gt_TracedLoop traced = {.body = count_up,
                                  .user = loop,
                                  .carries = {loop->input, loop->count + 1},
                                  .length = rounds};
    if (last && gt_scope_open(context) && fori_inputs(loop, first) == GT_OK &&
        gt_traced_loop(context, &traced, last, NULL) == GT_OK)
        loop_take(loop, last + 1);
    gt_scope_unwind(context, outer);
    list_free(context, last, loop->count + 1);
    return gt_context_status(context);
}

gt_Status gt_fori_loop_at(const char *here, int64_t first, int64_t last, gt_FunctionBody body,
                          void *user, gt_Tensors variables, gt_Tensor **outputs,
                          const gt_fori_loop_options *given)
{
    gt_fori_loop_options options;
    GT_TAKE(gt_fori_loop_options, &options, given);
    clear(outputs, variables.count);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "fori_loop");
    Loop loop = {context, body, user, variables.count, 1, 0, NULL, NULL, NULL};
    if (check_list(context, "loop variables", variables) &&
        check_place(context, variables.count, outputs)) {
        bool more = loop_open(&loop, variables, "loop variable");
        uint64_t rounds = first < last ? (uint64_t)last - (uint64_t)first : 0;
        if (more && rounds <= INT64_MAX && is_long(context, (int64_t)rounds, options.unroll)) {
            fori_traced(&loop, first, (int64_t)rounds);
            more = false;
        }
        for (int64_t i = first; more && i < last; i++) {
            gt_Scope *outer = gt_scope_innermost(context);
            more = round_open(context) && fori_round(&loop, i) == GT_OK;
            gt_scope_unwind(context, outer);
        }
        loop_close(&loop, outputs);
        gt_mark_rounds(context, outputs, variables.count);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* ---- scan ---- */

/* Elements [0, n) of x along its first dimension. Halves of halves, so that the way back pads each element as often as there
 * are levels, not as often as there are elements. Nothing is said of the other dimensions, so the graph of an unrolled scan
 * runs with any batch. */
static gt_Status unstack(gt_Context *context, gt_Tensor *x, int64_t n, gt_Tensor **element)
{
    gt_Shape begin = gt_tensor_shape(x), size = begin;
    if (gt_context_status(context) != GT_OK)
        return gt_context_status(context);
    if (n == 1) {
        *element = gt_squeeze(x, .axis = 0);
        return gt_context_status(context);
    }
    int64_t half = n / 2;
    for (int d = 0; d < begin.rank; d++) {
        begin.dims[d] = 0;
        size.dims[d] = d ? -1 : half;
    }
    gt_Tensor *front = gt_slice(x, begin, size);
    begin.dims[0] = half;
    size.dims[0] = n - half;
    gt_Tensor *back = front ? gt_slice(x, begin, size) : NULL;
    if (!back || unstack(context, front, half, element) != GT_OK)
        return gt_context_status(context);
    return unstack(context, back, n - half, element + half);
}

typedef struct Scan {
    Loop loop;
    gt_Tensors xs;
    int64_t length;
    gt_Tensor **element; /* of every x, one behind the other */
    gt_Tensor **y;       /* of every output, the same */
} Scan;

static gt_Status scan_length(gt_Context *context, Scan *scan, int64_t asked)
{
    scan->length = asked;
    for (int32_t i = 0; i < scan->xs.count; i++) {
        gt_Value *value = gt_value_read(context, NULL, NULL, "x", i + 1, scan->xs.items[i]);
        char text[200];
        if (!value)
            return gt_context_status(context);
        const gt_Spec *spec = gt_value_spec(value);
        if (scan->length < 0 && spec->rank > 0)
            scan->length = spec->dims[0];
        if (spec->rank == 0 || spec->dims[0] != scan->length)
            return gt_raise(context, GT_INVALID, NULL, NULL,
                            "the first dimension of x %d must be the length, %lld (it is %s)",
                            (int)i + 1, (long long)scan->length,
                            gt_spec_text(spec, text, sizeof text));
    }
    if (scan->length < 0 || scan->length > INT32_MAX)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "without xs .length must be given, 0 or more");
    if (scan->length == 0 && scan->loop.more_outputs > 0)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "a scan without rounds cannot stack outputs: their shape is not known");
    return GT_OK;
}

static gt_Status scan_round(Scan *scan, int64_t k, gt_Scope *outer)
{
    Loop *loop = &scan->loop;
    gt_Context *context = loop->context;
    if (lend(context, loop->now, loop->count, loop->input) != GT_OK)
        return gt_context_status(context);
    for (int32_t i = 0; i < scan->xs.count; i++)
        loop->input[loop->count + i] = scan->element[i * scan->length + k];
    if (run_body(loop) != GT_OK || loop_advance(loop) != GT_OK)
        return gt_context_status(context);
    gt_Scope *inner = gt_scope_switch(context, outer); /* what will be stacked outlives the round */
    for (int32_t i = 0; i < loop->more_outputs && gt_context_status(context) == GT_OK; i++) {
        gt_Value **value = &loop->next[loop->count + i];
        gt_values_give(context, value, 1, &scan->y[i * scan->length + k]);
    }
    gt_scope_switch(context, inner);
    gt_values_release(loop->next, loop->count + loop->more_outputs);
    return gt_context_status(context);
}

static gt_Status scan_rounds(Scan *scan, bool reverse)
{
    gt_Context *context = scan->loop.context;
    for (int32_t i = 0; i < scan->xs.count && scan->length > 0; i++)
        if (unstack(context, scan->xs.items[i], scan->length, scan->element + i * scan->length) !=
            GT_OK)
            return gt_context_status(context);
    for (int64_t i = 0; i < scan->length && gt_context_status(context) == GT_OK; i++) {
        gt_Scope *outer = gt_scope_innermost(context);
        if (round_open(context))
            scan_round(scan, reverse ? scan->length - 1 - i : i, outer);
        gt_scope_unwind(context, outer);
    }
    return gt_context_status(context);
}

static gt_Status scan_traced(Scan *scan, gt_Tensors initial, gt_Tensor **carries, gt_Tensor **ys,
                             bool reverse)
{
    const gt_TracedLoop traced = {.body = scan->loop.body,
                                  .user = scan->loop.user,
                                  .carries = initial,
                                  .xs = scan->xs,
                                  .ys = scan->loop.more_outputs,
                                  .length = scan->length,
                                  .reverse = reverse};
    return gt_traced_loop(scan->loop.context, &traced, carries, ys);
}

static gt_Status scan_run(Scan *scan, gt_Tensors initial, gt_Tensor **carries, gt_Tensor **ys,
                          const gt_scan_options *options)
{
    Loop *loop = &scan->loop;
    gt_Context *context = loop->context;
    gt_Scope *outer = gt_scope_innermost(context);
    if (is_long(context, scan->length, options->unroll))
        return scan_traced(scan, initial, carries, ys, options->reverse);
    int64_t elements = scan->xs.count * scan->length, outputs = loop->more_outputs * scan->length;
    scan->element = list_new(context, elements);
    scan->y = list_new(context, outputs);
    if (scan->element && scan->y && loop_open(loop, initial, "initial") && gt_scope_open(context) &&
        scan_rounds(scan, options->reverse) == GT_OK)
        for (int32_t i = 0; i < loop->more_outputs; i++) {
            gt_Tensors rounds = {scan->y + i * scan->length, (int32_t)scan->length};
            if (!(ys[i] = gt_stack(rounds)))
                break;
            gt_scope_move(ys[i], outer);
        }
    gt_scope_unwind(context, outer);
    loop_close(loop, carries);
    list_free(context, scan->element, elements);
    list_free(context, scan->y, outputs);
    if (gt_context_status(context) != GT_OK)
        clear(ys, loop->more_outputs);
    return gt_context_status(context);
}

gt_Status gt_scan_at(const char *here, gt_FunctionBody body, void *user, gt_Tensors initial,
                     gt_Tensors xs, gt_Tensor **carries, gt_Tensor **ys,
                     const gt_scan_options *given)
{
    gt_scan_options options;
    GT_TAKE(gt_scan_options, &options, given);
    clear(carries, initial.count);
    clear(ys, options.outputs);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "scan");
    Scan scan = {{context, body, user, initial.count, xs.count, options.outputs, NULL, NULL, NULL},
                 xs,
                 0,
                 NULL,
                 NULL};
    if (check_list(context, "carries", initial) && check_list(context, "xs", xs) &&
        check_place(context, initial.count, carries) && check_place(context, options.outputs, ys) &&
        scan_length(context, &scan, options.length) == GT_OK &&
        scan_run(&scan, initial, carries, ys, &options) == GT_OK &&
        gt_mark_rounds(context, carries, initial.count) == GT_OK)
        gt_mark_rounds(context, ys, options.outputs);
    if (gt_context_status(context) != GT_OK) {
        clear(carries, initial.count);
        clear(ys, options.outputs);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}
