/* Which gradients there are, and which are missing, is the same eagerly and in a traced function:
 * through branches and loops that do not run, through what is recomputed, to any order. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../autodiff/custom.h"
#include "../autodiff/gradient.h"
#include "../core/inside.h"
#include "../core/structs.h"
#include "../ops/math/arithmetic.h"
#include "../ops/array/assign.h"
#include "../ops/array/cast.h"
#include "../ops/control/combinators.h"
#include "../ops/math/compare.h"
#include "../ops/control/control.h"
#include "../ops/array/creation.h"
#include "../ops/math/math.h"
#include "../ops/math/random.h"
#include "../ops/math/reduce.h"
#include "../ops/array/reshaping.h"
#include "../plan/function.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

static gt_Variable *w, *b;

#define BODY(name) static gt_Status name(void *context, gt_Tensor *const *in, gt_Tensor **out)
#define DONE                                                                                       \
    (void)context;                                                                                 \
    return gt_status()

/* ---- pieces ---- */

BODY(constant)
{
    out[0] = gt_full(gt_tensor_shape(in[0]), 2, .dtype = GT_FLOAT64);
    DONE;
}

BODY(itself)
{
    out[0] = in[0];
    DONE;
}

BODY(with_w)
{
    out[0] = gt_multiply(gt_sin(in[0]), w);
    DONE;
}

BODY(with_b)
{
    out[0] = gt_multiply(in[0], gt_square(b));
    DONE;
}

BODY(w_alone)
{
    out[0] = gt_square(w);
    (void)in;
    DONE;
}

/* Reads both and depends on neither. */
BODY(reads_only)
{
    gt_multiply(in[0], w);
    out[0] = gt_multiply(gt_stop_gradient(gt_add(in[0], w)), 3);
    DONE;
}

static gt_Tensor *false_of(gt_Tensor *x)
{
    return gt_greater(gt_sum(x), 1e9);
}

BODY(nested)
{
    gt_cond(false_of(in[0]), with_w, itself, context, gt_tensors(in[0]), out);
    DONE;
}

/* ---- branches ---- */

BODY(other_branch)
{
    gt_cond(false_of(in[0]), with_w, constant, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(other_branch_other_variable)
{
    gt_cond(false_of(in[0]), with_w, with_b, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(no_branch)
{
    gt_cond(false_of(in[0]), constant, constant, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(branch_returns_it)
{
    gt_cond(false_of(in[0]), w_alone, itself, context, gt_tensors(in[0]), out);
    out[0] = gt_add(gt_multiply(out[0], 3), gt_multiply(out[0], in[0]));
    DONE;
}

BODY(known_predicate)
{
    gt_cond(gt_scalar(0, GT_FLOAT32), with_w, constant, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(branch_in_branch)
{
    gt_cond(gt_less(gt_sum(in[0]), 1e9), nested, with_b, context, gt_tensors(in[0]), out);
    DONE;
}

/* One output of two goes through the branch. */
BODY(beside_a_branch)
{
    gt_Tensor *y;
    gt_cond(false_of(in[0]), with_w, constant, context, gt_tensors(in[0]), &y);
    out[0] = gt_multiply(in[0], 5);
    DONE;
}

BODY(switched)
{
    gt_Tensor *index = gt_cast(gt_multiply(gt_sum(in[0]), 0), GT_INT32);
    gt_switch(index, ((gt_FunctionBody[]){constant, with_w, with_b}), 3, context, gt_tensors(in[0]),
              out);
    DONE;
}

/* ---- loops ---- */

BODY(never)
{
    out[0] = false_of(in[0]);
    DONE;
}

BODY(below)
{
    out[0] = gt_less(gt_sum(in[0]), 50);
    DONE;
}

BODY(times_w)
{
    out[0] = gt_multiply(in[0], gt_add(gt_abs(w), 1));
    if (context)
        out[1] = gt_multiply(in[1], b);
    return gt_status();
}

BODY(zero_rounds)
{
    gt_while_loop(never, times_w, NULL, gt_tensors(in[0]), out, .maximum_iterations = 5);
    DONE;
}

BODY(some_rounds)
{
    gt_while_loop(below, times_w, NULL, gt_tensors(in[0]), out, .maximum_iterations = 50);
    DONE;
}

/* Two loop variables that have nothing to do with each other: the first is asked about. */
static gt_Status two_of(gt_FunctionBody condition, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_Tensor *y[2];
    static int both;
    gt_while_loop(condition, times_w, &both, gt_tensors(in[0], gt_square(in[1])), y,
                  .maximum_iterations = 50);
    out[0] = y[0];
    return gt_status();
}

BODY(zero_rounds_of_two)
{
    two_of(never, in, out);
    DONE;
}

BODY(some_rounds_of_two)
{
    two_of(below, in, out);
    DONE;
}

typedef struct Loop {
    int64_t rounds;
    gt_FunctionBody body;
} Loop;

BODY(independent)
{
    out[0] = gt_multiply(in[1], gt_add(gt_multiply(w, 1e-3), 1));
    out[1] = gt_multiply(in[2], gt_add(gt_multiply(b, 1e-3), 1));
    DONE;
}

BODY(exchange)
{
    out[0] = gt_multiply(in[2], gt_add(gt_multiply(w, 1e-3), 1));
    out[1] = gt_multiply(in[1], gt_add(gt_multiply(w, 1e-3), 1));
    DONE;
}

/* The second one passes into the first after a round. */
BODY(follow)
{
    out[0] = gt_sin(in[2]);
    out[1] = gt_multiply(b, 0.5);
    (void)in;
    DONE;
}

/* Of three that change places, the third is asked about last. */
BODY(turn)
{
    out[0] = gt_multiply(in[2], w);
    out[1] = gt_multiply(in[3], 0.5);
    out[2] = in[1];
    DONE;
}

BODY(turned)
{
    const Loop *loop = context;
    gt_Tensor *y[3];
    gt_fori_loop(0, loop->rounds, turn, NULL, gt_tensors(in[0], in[1], gt_square(b)), y);
    out[0] = y[0];
    return gt_status();
}

BODY(inner_loop)
{
    gt_Tensor *y[2];
    gt_fori_loop(0, 3, independent, NULL, gt_tensors(in[1], in[2]), y, .unroll = 0);
    out[0] = y[0];
    out[1] = y[1];
    DONE;
}

static gt_Tensor *branch_of(gt_Tensor *x, gt_Tensor *when)
{
    gt_Tensor *y;
    gt_cond(false_of(when), with_w, itself, NULL, gt_tensors(x), &y);
    return y;
}

BODY(second_has_branch)
{
    out[0] = gt_multiply(in[1], 0.99);
    out[1] = branch_of(in[2], in[2]);
    DONE;
}

BODY(first_has_branch)
{
    out[0] = branch_of(in[1], in[2]);
    out[1] = gt_multiply(in[2], 0.99);
    DONE;
}

BODY(counted)
{
    const Loop *loop = context;
    gt_Tensor *y[2];
    gt_fori_loop(0, loop->rounds, loop->body, NULL, gt_tensors(in[0], in[1]), y);
    out[0] = y[0];
    return gt_status();
}

BODY(scan_round)
{
    out[0] = gt_multiply(in[0], 0.5);
    out[1] = gt_multiply(in[1], w);
    (void)in;
    DONE;
}

static gt_Status scanned(const Loop *loop, gt_Tensor *const *in, gt_Tensor **out, bool stacked)
{
    gt_Tensor *last, *ys;
    gt_Tensor *xs = gt_broadcast_to(gt_reshape(in[1], gt_shape(1, 3)), gt_shape(loop->rounds, 3));
    gt_scan(scan_round, NULL, gt_tensors(in[0]), gt_tensors(xs), &last, &ys);
    out[0] = stacked ? ys : last;
    return gt_status();
}

BODY(scan_carry)
{
    return scanned(context, in, out, false);
}

BODY(scan_stack)
{
    return scanned(context, in, out, true);
}

/* ---- recomputing ---- */

BODY(recompute_reads_only)
{
    gt_recompute(reads_only, context, gt_tensors(in[0]), out);
    out[0] = gt_add(out[0], b);
    DONE;
}

BODY(recompute_constant)
{
    gt_recompute(constant, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(recompute_w)
{
    gt_recompute(w_alone, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(recompute_branch)
{
    gt_recompute(other_branch, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(two_outputs)
{
    out[0] = gt_multiply(in[0], w);
    out[1] = gt_multiply(in[1], b);
    DONE;
}

BODY(recompute_one_of_two)
{
    gt_Tensor *y[2];
    gt_recompute(two_outputs, context, gt_tensors(in[0], in[1]), y, .outputs = 2);
    out[0] = y[0];
    DONE;
}

BODY(recompute_in_recompute)
{
    gt_recompute(recompute_reads_only, context, gt_tensors(in[0]), out);
    DONE;
}

BODY(recompute_in_loop_round)
{
    gt_recompute(with_w, context, gt_tensors(gt_multiply(in[1], 0.5)), out);
    out[1] = gt_multiply(in[2], b);
    DONE;
}

/* What it reads besides has to be an input: an error of both, and so in a gradient of one's own. */
BODY(with_closure)
{
    out[0] = gt_multiply(in[0], gt_multiply((gt_Tensor *)context, w));
    return gt_status();
}

BODY(recompute_closure)
{
    (void)context;
    return gt_recompute(with_closure, gt_exp(in[0]), gt_tensors(in[0]), out);
}

BODY(recompute_own_input)
{
    (void)context;
    return gt_recompute(with_closure, in[0], gt_tensors(in[0]), out);
}

BODY(recompute_constant_closure)
{
    (void)context;
    return gt_recompute(with_closure, gt_stop_gradient(gt_exp(in[0])), gt_tensors(in[0]), out);
}

static gt_Status twice(void *context, gt_GradientRule *rule)
{
    (void)context;
    gt_give(rule, 0, gt_multiply(gt_upstream(rule, 0), 2));
    return gt_give(rule, 1, gt_upstream(rule, 0));
}

BODY(own_gradient_closure)
{
    (void)context;
    return gt_custom_gradient(with_closure, twice, gt_exp(in[0]), gt_tensors(in[0], w), out);
}

BODY(own_gradient_constant_closure)
{
    (void)context;
    return gt_custom_gradient(with_closure, twice, gt_stop_gradient(gt_exp(in[0])),
                              gt_tensors(in[0], w), out);
}

/* ---- without any ---- */

BODY(plain)
{
    out[0] = gt_multiply(in[0], 2);
    DONE;
}

BODY(cut)
{
    out[0] = gt_add(gt_stop_gradient(gt_multiply(in[0], w)), b);
    DONE;
}

/* ---- asking ---- */

/* What a source gets of a body's first output: its gradient, or -1 everywhere if it gets NULL. */
typedef struct Question {
    gt_FunctionBody body;
    void *context;
    gt_Unconnected mode;
    int source, order;
} Question;

static gt_Status ask(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Question *q = context;
    gt_Tape *outer = q->order > 1 ? gt_tape_begin() : NULL;
    gt_Tape *tape = gt_tape_begin(.persistent = outer != NULL);
    gt_Tensor *source[4] = {in[0], in[1], w, b}, *y = NULL, *gradient = NULL;
    for (int i = 0; i < 2; i++) {
        gt_watch(tape, in[i]);
        if (outer)
            gt_watch(outer, in[i]);
    }
    q->body(q->context, in, &y);
    if (outer) { /* of the squares of the gradients in everything */
        gt_Tensor *first[4], *sum = NULL;
        gt_gradients(tape, gt_tensors(y), ((gt_Tensors){source, 4}), first,
                     .unconnected = GT_UNCONNECTED_ZERO);
        for (int i = 0; i < 4; i++) {
            gt_Tensor *square = gt_sum(gt_square(first[i]));
            sum = sum ? gt_add(sum, square) : square;
        }
        y = sum;
    }
    gt_gradients(outer ? outer : tape, gt_tensors(y), gt_tensors(source[q->source]), &gradient,
                 .unconnected = q->mode);
    if (gt_status() == GT_OK)
        out[0] = gradient ? gradient : gt_full(gt_shape(3), -1, .dtype = GT_FLOAT64);
    if (out[0])
        gt_keep(out[0]);
    gt_tape_end(tape);
    gt_tape_end(outer);
    return gt_status();
}

typedef struct Answer {
    gt_Status status;
    double number[3];
} Answer;

static Answer take(gt_Tensor *y)
{
    Answer answer = {.status = gt_status()};
    for (int i = 0; i < 3 && y && answer.status == GT_OK; i++)
        answer.number[i] = gt_element(y, i);
    gt_error_clear();
    return answer;
}

static int asked, different;

/* Every mode, every source. */
static void compare(const char *name, gt_FunctionBody body, void *context, int orders)
{
    static const char *const modes[] = {"error", "none", "zero", "some"};
    static const char *const sources[] = {"x", "z", "w", "b"};
    for (int order = 1; order <= orders; order++)
        for (int mode = GT_UNCONNECTED_ERROR; mode <= GT_UNCONNECTED_SOME; mode++)
            for (int source = 0; source < 4; source++) {
                Question q = {body, context, mode, source, order};
                gt_Scope *scope = gt_scope_begin();
                gt_Tensor *in[2] = {gt_array64(gt_shape(3), 0.5, -1, 2),
                                    gt_array64(gt_shape(3), 0.25, 1, -1)},
                          *y = NULL;
                ok();
                ask(&q, in, &y);
                Answer eager = take(y);
                y = NULL;
                gt_Function *function = gt_function(ask, &q, .outputs = 1);
                gt_function_call(function, ((gt_Tensors){in, 2}), &y);
                Answer planned = take(y);
                bool same = eager.status == planned.status;
                for (int i = 0; same && i < 3; i++)
                    same = eager.number[i] == planned.number[i] ||
                           fabs(eager.number[i] - planned.number[i]) <= 1e-12;
                asked++;
                different += !same;
                cr_expect(same,
                          "%s, order %d, %s, %s: %s (%g %g %g) eagerly, %s (%g %g %g) planned",
                          name, order, modes[mode], sources[source], gt_status_text(eager.status),
                          eager.number[0], eager.number[1], eager.number[2],
                          gt_status_text(planned.status), planned.number[0], planned.number[1],
                          planned.number[2]);
                gt_function_free(function);
                gt_scope_end(scope);
            }
}

#define COMPARE(body) compare(#body, body, NULL, 2)

static void begin(void)
{
    gt_Scope *scope = gt_scope_begin();
    w = gt_variable(gt_array64(gt_shape(3), 0.5, -1.25, 2), .name = "w");
    b = gt_variable(gt_array64(gt_shape(3), 1, 0.25, -0.75), .name = "b");
    gt_scope_end(scope);
    asked = different = 0;
}

static void end(void)
{
    fprintf(stderr, "%d asked, %d different\n", asked, different);
    gt_variable_free(w);
    gt_variable_free(b);
    gt_MemoryStats stats = gt_memory_stats();
    cr_assert(stats.handles == 0 && stats.records == 0 && stats.variables == 0);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(unconnected, branches)
{
    begin();
    COMPARE(plain);
    COMPARE(cut);
    COMPARE(other_branch);
    COMPARE(other_branch_other_variable);
    COMPARE(no_branch);
    COMPARE(branch_returns_it);
    COMPARE(known_predicate);
    COMPARE(branch_in_branch);
    COMPARE(beside_a_branch);
    COMPARE(switched);
    end();
}

Test(unconnected, loops)
{
    begin();
    COMPARE(zero_rounds);
    COMPARE(some_rounds);
    COMPARE(zero_rounds_of_two);
    COMPARE(some_rounds_of_two);
    static const struct {
        const char *name;
        gt_FunctionBody body;
    } bodies[] = {{"independent", independent},
                  {"exchange", exchange},
                  {"follow", follow},
                  {"inner loop", inner_loop},
                  {"second_has_branch", second_has_branch},
                  {"first_has_branch", first_has_branch},
                  {"recompute in a loop", recompute_in_loop_round}};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (int rounds = 0; rounds < 5; rounds++) {
            static const int64_t counts[] = {0, 1, 3, 70, 71};
            Loop loop = {counts[rounds], bodies[i].body};
            char name[64];
            snprintf(name, sizeof name, "%s, %d rounds", bodies[i].name, (int)loop.rounds);
            compare(name, counted, &loop, 2);
        }
    Loop loop = {70, NULL};
    for (; loop.rounds < 73; loop.rounds++) {
        char name[64];
        snprintf(name, sizeof name, "turned, %d rounds", (int)loop.rounds);
        compare(name, turned, &loop, 2);
    }
    compare("scan_carry", scan_carry, &loop, 2);
    compare("scan_stack", scan_stack, &loop, 2);
    end();
}

Test(unconnected, recomputed)
{
    begin();
    COMPARE(recompute_reads_only);
    COMPARE(recompute_constant);
    COMPARE(recompute_w);
    COMPARE(recompute_branch);
    COMPARE(recompute_one_of_two);
    COMPARE(recompute_in_recompute);
    COMPARE(recompute_closure);
    COMPARE(recompute_own_input);
    COMPARE(recompute_constant_closure);
    COMPARE(own_gradient_closure);
    COMPARE(own_gradient_constant_closure);
    gt_Tensor *x = gt_scalar(2, GT_FLOAT64), *y;
    for (int i = 0; i < 3; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_watch(tape, x);
        (i == 0   ? recompute_closure
         : i == 1 ? recompute_own_input
                  : own_gradient_closure)(NULL, &x, &y);
        cr_assert_eq(gt_status(), GT_INVALID);
        cr_assert(strstr(gt_error_message(), "reads a tensor that a tape watches"), "%s",
                  gt_error_message());
        gt_error_clear();
        gt_tape_end(tape);
    }
    gt_tensor_free(gt_context(), x);
    end();
}
