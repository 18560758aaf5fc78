/* Functions that are traced once and run as a plan ever after: without dispatch, without
 * allocation.
 *
 *     static gt_Status train_step(void *context, gt_Tensor *const *in, gt_Tensor **out);
 *
 *     gt_Function *step = gt_function(train_step, model, .outputs = 1);
 *     gt_function_call(step, gt_tensors(x, y), &loss);
 *
 * The body is ordinary code: operations, tapes, gradients, assignments. Its C code runs while it is
 * traced and never again. So it must do the same at every call: a variable, an argument or gt_live
 * may change from call to call; gt_cond and gt_while_loop choose by values. It makes no variables
 * and reads no elements back. */
#ifndef GT_PLAN_FUNCTION_H
#define GT_PLAN_FUNCTION_H

#include "core/body.h"
#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

/* A C function of tensors that is traced once for each shape of its inputs, and then runs from a plan. */
typedef struct gt_Function gt_Function;

#define gt_function_OPTIONS(F, S)                                                                  \
    F(S, int32_t, outputs, 1, "how many tensors the body computes, 0 to 1024")
GT_OPTIONS(gt_function_options, gt_function_OPTIONS);

/* gt_function(body, context, .outputs = 1). `context` may be NULL and must outlive the function.
 * Free with gt_function_free, or it goes with the context. */
#define gt_function(...)                                                                           \
    gt_function_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_function, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Function *gt_function_at(const char *here, gt_FunctionBody body, void *context,
                                   const gt_function_options *options);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_function_free(gt_Function *function);

/* Runs the function. `outputs` gets handles of the innermost scope; it may be NULL if there are
 * none. A variable given as an argument is taken as the value it has now.
 *
 * The first call with inputs of new shapes or types traces the body twice, compares, and makes a
 * plan. What the body asks the library in C meanwhile is a fact that the plan depends on: whether a
 * layer or a variable is trainable, how many variables a list has, what is built, whether the layer
 * that calls the function trains; and the structs of the layers that it calls, so a field of one's
 * own layer may change. Once an answer is another one a further plan is made; if it was given before,
 * that plan runs again. Up to 32 plans are kept, 4 for the same shapes and types, and the least
 * recently used goes. What the body reads of its own memory besides is not noticed.
 *
 * The results are those of eager execution, bit for bit, save that denormal numbers count as zero
 * while a plan runs.
 *
 * Changes of variables come after everything that can fail: a label out of range or an interrupt
 * leaves all variables as they were. Only an assignment that itself fails, after others were made,
 * is an exception.
 *
 * While a tape records and watches an argument or a variable that the function reads, the body runs
 * eagerly, so that the tape sees its operations and gradients are right. Inside the body of another
 * function it becomes a part of that. A function cannot call itself. */
#define gt_function_call(function, inputs, outputs)                                                \
    gt_function_call_at(GT_HERE, function, inputs, outputs)
GT_API gt_Status gt_function_call_at(const char *here, gt_Function *function, gt_Tensors inputs,
                                     gt_Tensor **outputs);

/* What a function has made and allocated so far. */
typedef struct gt_FunctionStats {
    int32_t plans;       /* kept now */
    int32_t operations;  /* kernels of one run of the plan that was used last; a loop counts once */
    int32_t copies;      /* moves of bytes besides */
    int64_t bytes;       /* of that plan's block of intermediates and constants */
    int64_t bytes_naive; /* what they would take without sharing memory */
    int64_t traces;      /* how often a plan was made */
    int64_t runs;        /* calls that ran a plan */
    int64_t
        eager_calls; /* calls that ran the body: a tape was watching, or another function traced */
} gt_FunctionStats;
/* All zero on failure. */
#define gt_function_stats(function) gt_function_stats_at(GT_HERE, function)
GT_API gt_FunctionStats gt_function_stats_at(const char *here, const gt_Function *function);

/* What a plan is printed as. */
typedef enum gt_PlanFormat {
    GT_PLAN_FORMAT_TEXT, /* for people */
    GT_PLAN_FORMAT_JSON, /* for programs */
    GT_PLAN_FORMAT_DOT   /* for Graphviz's dot, which draws it */
} gt_PlanFormat;
#define gt_function_print_OPTIONS(F, S)                                                            \
    F(S, gt_PlanFormat, format, GT_PLAN_FORMAT_TEXT, "what the text is")
GT_OPTIONS(gt_function_print_options, gt_function_print_OPTIONS);
/* gt_function_print(function, .format = GT_PLAN_FORMAT_TEXT): the plan that was used last, as text: the arguments, outputs,
 * variables and large constants, then each step with its operation, where its operands are ("@64": byte 64 of the plan's
 * block), the call site and the layer. Owned by the function, and valid until it is printed again. "" on failure; a
 * function that was not called yet has no plan.
 *
 *     printf("%s", gt_function_print(step)); */
#define gt_function_print(...)                                                                     \
    gt_function_print_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                           \
                         GT_KEYWORDS(gt_function_print, GT_AFTER_1(__VA_ARGS__)))
GT_API const char *gt_function_print_at(const char *here, gt_Function *function,
                                        const gt_function_print_options *options);

/* From here on runs of the function's plans note how long each step takes, at the cost of two looks at the clock a step, and
 * gt_function_print shows the mean; `on` false: no longer. Switching it on begins anew. */
#define gt_function_profile(function, on) gt_function_profile_at(GT_HERE, function, on)
GT_API gt_Status gt_function_profile_at(const char *here, gt_Function *function, bool on);

GT_END

#endif
