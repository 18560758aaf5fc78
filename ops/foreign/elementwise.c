/* Functions on numbers mapped over tensors: plain loops that call them, and derivatives that are mapped functions again.
 *
 * Example: gt_elementwise_operation("j0", .f64 = j0, .derivative = minus_j1) registers j0 and j0_derivative. The gradient of
 * the first is the upstream gradient times the second, which has none of its own.
 *
 * They keep `run`: a kernel knows no address of a function. Leans on custom.c, kit.h. */
#include "kernels/broadcast.h"
#include "ops/math/arithmetic.h"
#include "ops/foreign/custom.h"
#include "ops/kit.h"
#include "ops/masks.h"

#include <string.h>

GT_OPTION_TYPE(gt_elementwise_operation_options, gt_elementwise_operation_OPTIONS);

typedef struct Mapped {
    gt_Custom custom;
    gt_F64Function f64;
    gt_F32Function f32;
    gt_F64Function2 f64_2;
    gt_F32Function2 f32_2;
    struct Mapped *derivative[2];
} Mapped;

static void destroy_mapped(gt_Object *object)
{
    (void)object;
}

static const gt_ObjectKind mapped_kind = {"operation", destroy_mapped, true};

static const Mapped *mapped_of(const gt_Operation *operation)
{
    return (const Mapped *)gt_custom_of(operation);
}

/* float32 is computed in float64 and rounded where there is no f32; without an f64 there is no float64. */
static gt_Status mapped_shape(gt_ShapeRule *rule)
{
    const Mapped *self = mapped_of(rule->operation);
    if (!self->f64 && !self->f64_2 && rule->input[0]->dtype == GT_FLOAT64)
        return gt_fail(GT_INVALID, "dtype float64 is not supported: there is no f64 function");
    return rule->inputs == 1 ? gt_shape_float(rule) : gt_shape_binary_float(rule);
}

static void unary_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                        void *scratch)
{
    const Mapped *self = mapped_of(kernel->operation);
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    end = end < kernel->output_spec[0]->size ? end : kernel->output_spec[0]->size;
    (void)argument, (void)scratch;
    if (kernel->output_spec[0]->dtype == GT_FLOAT64) {
        const double *x = kernel->input[0];
        double *y = kernel->output[0];
        for (int64_t i = begin; i < end; i++)
            y[i] = self->f64(x[i]);
        return;
    }
    const float *x = kernel->input[0];
    float *y = kernel->output[0];
    for (int64_t i = begin; i < end; i++)
        y[i] = self->f32 ? self->f32(x[i]) : (float)self->f64(x[i]);
}

static gt_Status unary_run(const gt_Kernel *kernel)
{
    return gt_for_tiles(kernel, gt_element_tiles(kernel->output_spec[0]->size), unary_tiles, NULL);
}

/* y = f(a, b), at {a, b, y}. */
typedef struct BinaryJob {
    const Mapped *self;
    bool wide; /* float64 */
    gt_Broadcast walk;
} BinaryJob;

static void binary_row(const void *given, void *const *at, int64_t n, const int64_t *offset,
                       int64_t output)
{
    const BinaryJob *job = given;
    const Mapped *self = job->self;
    int64_t sa = job->walk.stride[0][job->walk.rank - 1];
    int64_t sb = job->walk.stride[1][job->walk.rank - 1];
    if (job->wide) {
        const double *a = (const double *)at[0] + offset[0], *b = (const double *)at[1] + offset[1];
        double *y = (double *)at[2] + output;
        for (int64_t i = 0; i < n; i++)
            y[i] = self->f64_2(a[i * sa], b[i * sb]);
        return;
    }
    const float *a = (const float *)at[0] + offset[0], *b = (const float *)at[1] + offset[1];
    float *y = (float *)at[2] + output;
    for (int64_t i = 0; i < n; i++)
        y[i] = self->f32_2 ? self->f32_2(a[i * sa], b[i * sb])
                           : (float)self->f64_2(a[i * sa], b[i * sb]);
}

static void binary_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                         void *scratch)
{
    const BinaryJob *job = argument;
    void *at[] = {(void *)(uintptr_t)kernel->input[0], (void *)(uintptr_t)kernel->input[1],
                  kernel->output[0]};
    (void)scratch;
    gt_broadcast_tiles(&job->walk, binary_row, job, at, first, last);
}

static gt_Status binary_run(const gt_Kernel *kernel)
{
    BinaryJob job = {
        mapped_of(kernel->operation), kernel->output_spec[0]->dtype == GT_FLOAT64, {0}};
    gt_broadcast_plan(&job.walk, kernel->output_spec[0], 2, kernel->input_spec);
    return gt_for_tiles(kernel, job.walk.tiles, binary_tiles, &job);
}

/* The chain rule: up f'(x), summed back to the shape of the input. */
static gt_Status mapped_gradient(gt_GradientRule *rule)
{
    const Mapped *self = mapped_of(gt_rule_operation(rule));
    int inputs = gt_rule_inputs(rule);
    gt_Tensor *input[2] = {NULL};
    for (int i = 0; i < inputs; i++)
        input[i] = gt_rule_input(rule, i);
    for (int i = 0; i < inputs; i++) {
        if (!gt_wants(rule, i))
            continue;
        if (!self->derivative[i])
            return gt_fail(GT_NO_GRADIENT, "there is no derivative in %s", i ? "b" : "a");
        gt_Tensor *slope =
            gt_apply_one_at(NULL, &self->derivative[i]->custom.operation, NULL, inputs, input);
        gt_give(
            rule, i,
            gt_unbroadcast(gt_multiply(gt_upstream(rule, 0), slope), gt_rule_input_spec(rule, i)));
    }
    return gt_status();
}

/* One mapped function: `options` has f(x) or f(a, b), and no derivative that this looks at. */
static Mapped *make(gt_Context *context, const char *here, const char *name, const char *suffix,
                    const gt_elementwise_operation_options *options)
{
    Mapped *self = gt_custom_new(context, here, "elementwise_operation", &mapped_kind, sizeof *self,
                                 name, suffix);
    if (!self)
        return NULL;
    gt_Operation *operation = &self->custom.operation;
    bool binary = options->f64_2 || options->f32_2;
    self->f64 = options->f64;
    self->f32 = options->f32;
    self->f64_2 = options->f64_2;
    self->f32_2 = options->f32_2;
    operation->flags = GT_OP_ELEMENTWISE | GT_OP_NOT_DIFFERENTIABLE;
    operation->why_not = "it was made from a C function without a derivative";
    operation->inputs_min = operation->inputs_max = binary ? 2 : 1;
    operation->outputs = 1;
    operation->shape = mapped_shape;
    operation->run = binary ? binary_run : unary_run;
    operation->mask = gt_mask_keep;
    return self;
}

static const char *wrong_functions(const gt_elementwise_operation_options *o)
{
    bool unary = o->f64 || o->f32, binary = o->f64_2 || o->f32_2;
    bool slopes = o->derivative || o->derivative_a || o->derivative_b;
    if (unary == binary)
        return "give one function: f64 or f32 of one number, or f64_2 or f32_2 of two";
    if (unary ? o->derivative_a || o->derivative_b : o->derivative != NULL)
        return "derivative belongs to f(x), derivative_a and derivative_b to f(a, b)";
    if (slopes && o->rule)
        return "give derivatives or a rule, not both";
    return NULL;
}

const gt_Operation *gt_elementwise_operation_at(const char *here, const char *name,
                                                const gt_elementwise_operation_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_elementwise_operation_options options;
    GT_TAKE(gt_elementwise_operation_options, &options, given);
    const char *wrong = wrong_functions(&options);
    if (wrong) {
        gt_raise(context, GT_INVALID, here, "elementwise_operation", "%.80s: %s",
                 name ? name : "NULL", wrong);
        return NULL;
    }
    Mapped *self = make(context, here, name, "", &options);
    if (!self)
        return NULL;
    gt_Operation *operation = &self->custom.operation;
    operation->samples = options.samples;
    if (options.derivative)
        self->derivative[0] = make(context, here, name, "_derivative",
                                   &(gt_elementwise_operation_options){.f64 = options.derivative});
    if (options.derivative_a)
        self->derivative[0] =
            make(context, here, name, "_derivative_a",
                 &(gt_elementwise_operation_options){.f64_2 = options.derivative_a});
    if (options.derivative_b && gt_context_status(context) == GT_OK)
        self->derivative[1] =
            make(context, here, name, "_derivative_b",
                 &(gt_elementwise_operation_options){.f64_2 = options.derivative_b});
    if (options.rule || self->derivative[0] || self->derivative[1]) {
        operation->flags = GT_OP_ELEMENTWISE;
        operation->why_not = NULL;
        operation->gradient = options.rule ? options.rule : mapped_gradient;
        operation->saves_inputs = (UINT64_C(1) << operation->inputs_max) - 1;
        operation->saves_outputs = options.rule ? 1 : 0;
    }
    return gt_custom_register(context, 3,
                              (gt_Custom *[]){&self->custom, (gt_Custom *)self->derivative[0],
                                              (gt_Custom *)self->derivative[1]});
}
