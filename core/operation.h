/* The operation record: all there is to know of an operation, in one place. Eager calls, tracing, the
 * gradient walk, plans, documentation and the tests all start from it. Built-in operations are in
 * the table of ops/table.c, users' in their context. */
#ifndef GT_CORE_OPERATION_H
#define GT_CORE_OPERATION_H

#include "core/context.h"
#include "core/keyword.h"
#include "core/shape.h"
#include "core/tensor.h"

GT_BEGIN

#define GT_MAX_INPUTS  64
#define GT_MAX_OUTPUTS 8

typedef struct gt_Operation gt_Operation;
/* What the gradient rule of an operation is called with, and asks by gt_wants, gt_rule_input, gt_rule_output and gt_upstream. */
typedef struct gt_GradientRule gt_GradientRule;
/* Where the `lower` of an operation puts its launches and temporaries, for one instruction set. */
typedef struct gt_Lowering gt_Lowering;

/* What a shape rule sees and fills. Inputs that are optional and absent are NULL. */
typedef struct gt_ShapeRule {
    const gt_Operation *operation;
    const void *options;
    int32_t inputs, outputs;
    const gt_Spec *input[GT_MAX_INPUTS];
    gt_Spec output[GT_MAX_OUTPUTS]; /* zeroed; set dtype, rank, dims; size is worked out after */
    size_t scratch;                 /* bytes of scratch memory that a worker of `run` needs */
} gt_ShapeRule;

/* What a kernel sees: pointers to row-major data, 64-byte aligned unless the user's or a view's. */
typedef struct gt_Kernel {
    const gt_Operation *operation;
    const void *options;
    int32_t inputs, outputs;
    const gt_Spec *input_spec[GT_MAX_INPUTS]; /* NULL: absent */
    const gt_Spec *output_spec[GT_MAX_OUTPUTS];
    const void *input[GT_MAX_INPUTS];
    void *output[GT_MAX_OUTPUTS];
    gt_Context *context;
} gt_Kernel;

/* Cuts `count` tiles over the threads of the context; `body` gets each range [first, last) with the
 * scratch memory of its worker. How the work is cut must depend on the problem alone. Polls the
 * interrupt. */
typedef void gt_TileBody(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch);
GT_API gt_Status gt_for_tiles(const gt_Kernel *kernel, int64_t count, gt_TileBody *body,
                              void *argument);

/* Inputs that show an operation at work: for the gradient check, the bad-input test, docs, bench. Built-in operations have
 * theirs in the library that tests link (GT_WITH_SAMPLES); in the installed one `samples` of their records is NULL. */
typedef struct gt_SampleInput {
    gt_DType dtype; /* GT_FLOAT64: a real number; the tests also run it as float32 */
    gt_Shape shape;
    double low, high; /* uniform numbers from this range */
    double gap;       /* > 0: numbers keep this far from multiples of `every` (kinks) */
    double every;     /* gap 0: the numbers are multiples of it */
    bool distinct;   /* no two numbers closer than 1e-2 (max, sort) */
    double diagonal; /* row i of each matrix has (i + 1) times this added on its diagonal */
    const char *words; /* of GT_TEXT, for layers: "red|green||blue"; numbers from 0 to high - 1 say which */
} gt_SampleInput;
/* One call of an operation: its inputs and options. Every test that walks all operations makes it. */
typedef struct gt_Sample {
    int32_t inputs;              /* 0 ends the list, unless `none` */
    const gt_SampleInput *input; /* `inputs` of them: GT_INPUTS(first, second) */
    const void *options;         /* NULL: the defaults */
    bool none;                   /* an operation without inputs */
} gt_Sample;
#define GT_INPUTS(...)                                                                             \
    (const gt_SampleInput[])                                                                       \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

enum {
    GT_OP_ELEMENTWISE = 1u << 0, /* output i needs only element i of each (broadcast) input */
    GT_OP_RANDOM = 1u << 1,      /* input 0 is a generator state */
    GT_OP_EFFECT = 1u << 2,      /* output i overwrites variable input i */
    GT_OP_MAY_REUSE = 1u << 3,   /* output 0 may be written over input 0 */
    GT_OP_NOT_DIFFERENTIABLE = 1u << 4, /* `why_not` says why */
    /* Output 0 is input 0's memory from `view_offset` on; where that is negative it is computed. */
    GT_OP_VIEW = 1u << 5,
    GT_OP_LINEAR = 1u << 6,      /* second derivative is zero: nothing to check there */
    GT_OP_PROBABILITY = 1u << 7, /* output is a probability (softmax, sigmoid) */
    GT_OP_INTERNAL = 1u << 8,    /* used by rules; not part of the public names */
    /* The one output is computed when somebody reads it: `run` is called at once with a NULL output,
     * to raise what there is to raise, and again then. */
    GT_OP_LATE = 1u << 9,
    GT_OP_HALF = 1u << 10, /* takes float16 and bfloat16; others refuse them */
    /* Runs bodies, and has any number of inputs and outputs. Its gradient rule may give an input
     * nothing that no output depends on. */
    GT_OP_CONTROL = 1u << 11,
    /* A view that passes numbers and gradients on: of probabilities it is probabilities. */
    GT_OP_CARRIES = 1u << 12,
    GT_OP_CHOICE = 1u << 13,     /* numbers decided where it came from: every tape records it */
    GT_OP_STEP = 1u << 14,       /* a step of public functions: their messages do not name it */
    GT_OP_MASKS = 1u << 15,      /* its mask rule runs whether an input has a mask or not */
    GT_OP_OVERWRITES = 1u << 16, /* an effect that does not read what it overwrites */
    /* Computed by LAPACK or by C functions from outside the library: an error in a reproducible context. */
    GT_OP_FOREIGN_CODE = 1u << 17
};

/* What becomes of masks. A mask is a bool tensor whose shape is the leading axes of its tensor's; false marks padding,
 * whose elements mean nothing. A rule gives each output the mask that leaves out every element which depends on padding,
 * and makes it with operations; or it refuses, where no mask could. It runs only if an input has a mask. */
typedef struct gt_MaskRule {
    const gt_ShapeRule *shape;         /* operation, options, specs of inputs and outputs */
    gt_Tensor *const *tensor;          /* the inputs themselves */
    gt_Tensor *input[GT_MAX_INPUTS];   /* the masks; NULL: this input has none */
    gt_Tensor *output[GT_MAX_OUTPUTS]; /* set by the rule; NULL: no element depends on padding */
} gt_MaskRule;

/* Which loop of kernels/ computes an element-wise operation. */
typedef enum gt_LoopKind {
    GT_LOOP_KIND_NONE,
    GT_LOOP_KIND_UNARY,
    GT_LOOP_KIND_BINARY,
    GT_LOOP_KIND_COMPARE
} gt_LoopKind;
/* The inner loop of an element-wise operation. */
typedef struct gt_Loop {
    gt_LoopKind kind;
    int32_t id;
} gt_Loop;

/* The record of an operation: all that eager calls, traces, gradients, masks and plans know of it. */
struct gt_Operation {
    uint32_t size;                /* of this struct: plug-ins of older versions keep working */
    uint32_t flags;               /* GT_OP_... */
    const char *name;             /* unique; what files, messages and emitted C say */
    const char *formula;          /* for the documentation; as `samples`, NULL in the library that is installed */
    const char *why_not;          /* why it has no gradient, if so */
    const gt_OptionType *options; /* NULL: none */
    uint8_t inputs_min, inputs_max, outputs;
    uint32_t saves_outputs;   /* by bit, as the next */
    uint64_t saves_inputs;    /* by bit: what the gradient rule reads later */
    uint64_t optional_inputs; /* by bit: may be absent */
    gt_Status (*shape)(gt_ShapeRule *rule); /* concrete sizes and types in and out, or an error */
    gt_Status (*run)(const gt_Kernel *kernel); /* fills every output */
    gt_Status (*gradient)(gt_GradientRule *rule);
    int64_t (*view_offset)(const gt_ShapeRule *rule); /* in elements; NULL: 0; -1: no view */
    const gt_Sample *samples;
    /* Instead of `run`: what there is to launch for these shapes. It cannot fail. */
    void (*lower)(const gt_ShapeRule *rule, gt_Lowering *lowering);
    /* Element-wise: the loop that does it. `lower` is then gt_lower_loop. */
    gt_Loop loop;
    /* Raises the error for the bad element that the check of `lower` found at this position. */
    gt_Status (*complain)(const gt_ShapeRule *rule, void *const *at, int64_t position);
    /* NULL: an input with a mask is an error. Gradient rules run without masks. */
    gt_Status (*mask)(gt_MaskRule *rule);
};

/* Runs an operation: shape rule, kernel, record; or shape rule and record in a traced function.
 * `options` may be NULL for the defaults; absent optional inputs are NULL. The outputs are new
 * handles of the innermost scope. For effects, `outputs` is not touched. */
#define gt_apply(...) gt_apply_at(GT_HERE, __VA_ARGS__)
GT_API gt_Status gt_apply_at(const char *here, const gt_Operation *operation, const void *options,
                             int inputs, gt_Tensor *const *input, gt_Tensor **outputs);
/* The same for one output, which it returns. */
#define gt_apply_one(...) gt_apply_one_at(GT_HERE, __VA_ARGS__)
GT_API gt_Tensor *gt_apply_one_at(const char *here, const gt_Operation *operation,
                                  const void *options, int inputs, gt_Tensor *const *input);

/* While on, every operation, those of gradients included, looks at what it computed: the first
 * result that is infinite or not a number is a GT_NUMERIC error that names the operation, its place
 * and, on the way back, the operation whose gradient it is. Plans look step by step, before any
 * variable changes. Per context; off by default. Effects are checked before they overwrite: by
 * what computed the new value. */
GT_API gt_Status gt_check_numerics(bool on);

/* The operation that gt_register_operation (ops/table.h) made known to the current context under that name; NULL
 * without an error if there is none. */
GT_API const gt_Operation *gt_registered_operation(const char *name);

/* A C number that a traced function reads anew at every run; elsewhere simply that number. */
#define gt_live(number, dtype) gt_live_at(GT_HERE, number, dtype)
GT_API gt_Tensor *gt_live_at(const char *here, const double *number, gt_DType dtype);

/* ---- for gradient rules: they compute with operations, so they can be differentiated too ---- */

/* Is the gradient of input i wanted? What nobody wants need not be computed. */
GT_API bool gt_wants(const gt_GradientRule *rule, int input);
/* Input i or output i as it was; it must be declared in saves_inputs / saves_outputs. An absent
 * optional input gives NULL. */
#define gt_rule_input(rule, input) gt_rule_input_at(GT_HERE, rule, input)
GT_API gt_Tensor *gt_rule_input_at(const char *here, gt_GradientRule *rule, int input);
#define gt_rule_output(rule, output) gt_rule_output_at(GT_HERE, rule, output)
GT_API gt_Tensor *gt_rule_output_at(const char *here, gt_GradientRule *rule, int output);
/* Shape and type of an input, of an output, saved or not. */
GT_API const gt_Spec *gt_rule_input_spec(const gt_GradientRule *rule, int input);
GT_API const gt_Spec *gt_rule_output_spec(const gt_GradientRule *rule, int output);
/* The gradient that arrived at output i; NULL: none did, take it as zero. */
GT_API gt_Tensor *gt_upstream(gt_GradientRule *rule, int output);
/* The options that the operation was called with, of its own type. */
GT_API const void *gt_rule_options(const gt_GradientRule *rule);
/* How many inputs it was called with. */
GT_API int gt_rule_inputs(const gt_GradientRule *rule);
/* Gives input i its gradient, of the input's shape and type. */
#define gt_give(rule, input, gradient) gt_give_at(GT_HERE, rule, input, gradient)
GT_API gt_Status gt_give_at(const char *here, gt_GradientRule *rule, int input,
                            gt_Tensor *gradient);

GT_END

#endif
