/* EinsumDense: a product with a kernel by subscripts. The equation says which axes the kernel has; their sizes come from x
 * or from the option output_shape:
 *
 *     "...ab,bcd->...acd", x (8, 5, 2, 3), output_shape (2, 4, 6):    kernel (3, 4, 6)
 */
#include "layers/core/einsum_dense.h"
#include "core/text.h"
#include "layers/kit.h"
#include "ops/linalg/einsum.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"

#include <string.h>

/* Letters of x, of the kernel, of the result; is there "..." in front of x and the result, or
 * behind them? */
typedef struct Equation {
    char x[GT_MAX_RANK + 1], kernel[GT_MAX_RANK + 1], y[GT_MAX_RANK + 1];
    bool front, behind;
} Equation;

typedef struct EinsumDense {
    gt_Layer base;
    gt_EinsumDense_options options;
    Equation equation;
    gt_Variable *kernel, *bias;
} EinsumDense;

GT_OPTION_TYPE(gt_EinsumDense_options, gt_EinsumDense_OPTIONS);

/* ---- the equation ---- */

static bool skip(const char **at, const char *text)
{
    size_t length = strlen(text);
    bool there = strncmp(*at, text, length) == 0;
    *at += there ? length : 0;
    return there;
}

/* 1 to GT_MAX_RANK letters, each once. */
static bool read_letters(const char **at, char *letters)
{
    int count = 0;
    for (; gt_is_letter(**at); (*at)++) {
        if (count == GT_MAX_RANK || memchr(letters, **at, (size_t)count))
            return false;
        letters[count++] = **at;
    }
    letters[count] = 0;
    return count > 0;
}

static bool read_equation(const char *at, Equation *e)
{
    e->front = skip(&at, "...");
    if (!read_letters(&at, e->x))
        return false;
    e->behind = !e->front && skip(&at, "...");
    if (!skip(&at, ",") || !read_letters(&at, e->kernel) || !skip(&at, "->") ||
        skip(&at, "...") != e->front || !read_letters(&at, e->y) || skip(&at, "...") != e->behind)
        return false;
    return !*at;
}

/* Where a letter is; -1: nowhere. */
static int place(const char *letters, char letter)
{
    const char *at = strchr(letters, letter);
    return at ? (int)(at - letters) : -1;
}

/* The options of a layer that are letters fit each other. */
static gt_Status check_letters(const Equation *e, const gt_EinsumDense_options *options)
{
    for (const char *at = e->y; *at; at++)
        if (place(e->x, *at) < 0 && place(e->kernel, *at) < 0)
            return gt_fail(GT_INVALID, "equation %s: '%c' of the result is in neither operand",
                           options->equation, *at);
    for (const char *at = e->kernel; *at; at++)
        if (place(e->x, *at) < 0 && place(e->y, *at) < 0)
            return gt_fail(GT_INVALID,
                           "equation %s: '%c' of the kernel is in neither x nor the result",
                           options->equation, *at);
    if (options->bias_axes && !*options->bias_axes)
        return gt_fail(GT_INVALID, "bias_axes must have letters, or be NULL");
    for (const char *at = options->bias_axes; at && *at; at++)
        if (place(e->y, *at) < 0)
            return gt_fail(GT_INVALID, "bias_axes: '%c' is not in the result of %s", *at,
                           options->equation);
    int axes = (int)strlen(e->y) - !e->front;
    if (options->output_shape.rank != axes)
        return gt_fail(GT_INVALID, "output_shape must have %d sizes for %s (got %d)", axes,
                       options->equation, (int)options->output_shape.rank);
    return gt_status();
}

static gt_Status einsum_dense_create(gt_Layer *layer)
{
    EinsumDense *self = (EinsumDense *)layer;
    const gt_EinsumDense_options *options = &self->options;
    if (!options->equation || !read_equation(options->equation, &self->equation))
        return gt_fail(GT_INVALID,
                       "equation must be like \"ab,bc->ac\", \"...a,ab->...b\" or "
                       "\"ab...,bc->ac...\" (got %s)",
                       options->equation ? options->equation : "NULL");
    int letters = (int)strlen(self->equation.x);
    if (check_letters(&self->equation, options) != GT_OK)
        return gt_status();
    if (self->equation.front)
        return gt_set_input_spec(layer, 0, .min_rank = letters + 1);
    if (self->equation.behind)
        return gt_set_input_spec(layer, 0, .min_rank = letters);
    return gt_set_input_spec(layer, 0, .rank = letters);
}

/* ---- sizes ---- */

/* The size of a letter by x; -1: x has no such letter. */
static int64_t size_in_x(const Equation *e, gt_Shape x, char letter)
{
    int at = place(e->x, letter), first = e->front ? x.rank - (int)strlen(e->x) : 0;
    return at < 0 ? -1 : x.dims[first + at];
}

/* The size of a letter of the result: as output_shape says, else as x does. The batch is x's. */
static int64_t size_in_y(const EinsumDense *self, gt_Shape x, char letter)
{
    const Equation *e = &self->equation;
    int at = place(e->y, letter) - !e->front;
    int64_t given = at < 0 ? -1 : self->options.output_shape.dims[at];
    return given >= 0 ? given : size_in_x(e, x, letter);
}

static gt_Status check_shared(const EinsumDense *self, gt_Shape x)
{
    const Equation *e = &self->equation;
    for (const char *at = e->x; *at; at++) {
        int64_t in = size_in_x(e, x, *at);
        int64_t out = place(e->y, *at) < 0 ? in : size_in_y(self, x, *at);
        if (in >= 0 && in != out)
            return gt_fail(GT_INVALID, "equation %s: '%c' is %lld in x and %lld in output_shape",
                           self->options.equation, *at, (long long)in, (long long)out);
    }
    return gt_status();
}

/* The kernel's sizes, and which of its axes are summed (in) and which are of the result (out). */
static gt_Shape kernel_shape(const EinsumDense *self, gt_Shape x, gt_Axes *in, gt_Axes *out)
{
    const Equation *e = &self->equation;
    gt_Shape shape = gt_shape();
    *in = *out = gt_axes();
    for (const char *at = e->kernel; *at; at++, shape.rank++) {
        bool kept = place(e->y, *at) >= 0;
        gt_Axes *axes = kept ? out : in;
        axes->axis[axes->count++] = shape.rank;
        shape.dims[shape.rank] = kept ? size_in_y(self, x, *at) : size_in_x(e, x, *at);
        if (shape.dims[shape.rank] < 0)
            gt_fail(GT_INVALID,
                    "equation %s: the size of '%c' is not known: output_shape must say it",
                    self->options.equation, *at);
    }
    return shape;
}

/* From the first letter of the result that has one; the axes behind it have size 1. */
static gt_Shape bias_shape(const EinsumDense *self, gt_Shape x)
{
    const Equation *e = &self->equation;
    const char *letters = self->options.bias_axes, *at = e->y;
    gt_Shape shape = gt_shape();
    while (*at && place(letters, *at) < 0)
        at++;
    for (; *at; at++)
        shape.dims[shape.rank++] = place(letters, *at) < 0 ? 1 : size_in_y(self, x, *at);
    for (int rest = e->behind ? x.rank - (int)strlen(e->x) : 0; rest > 0; rest--)
        shape.dims[shape.rank++] = 1;
    return shape;
}

/* ---- the layer ---- */

static gt_Status einsum_dense_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    EinsumDense *self = (EinsumDense *)layer;
    const gt_EinsumDense_options *options = &self->options;
    gt_Axes summed, kept;
    gt_Shape kernel = kernel_shape(self, in->shape, &summed, &kept);
    if (check_shared(self, in->shape) != GT_OK)
        return gt_status();
    self->kernel = gt_add_weight(
        layer, "kernel", kernel,
        .initializer = gt_initializer_with_axes(options->kernel_initializer, summed, kept),
        .regularizer = options->kernel_regularizer, .constraint = options->kernel_constraint);
    if (options->bias_axes)
        self->bias = gt_add_weight(
            layer, "bias", bias_shape(self, in->shape),
            .initializer = options->bias_initializer.type ? options->bias_initializer : gt_Zeros(),
            .regularizer = options->bias_regularizer, .constraint = options->bias_constraint);
    return gt_set_input_spec(layer, 0, .rank = in->shape.rank);
}

static gt_Tensor *einsum_dense_call(gt_Layer *layer, const gt_CallArgs *in)
{
    EinsumDense *self = (EinsumDense *)layer;
    gt_Tensor *y = gt_einsum(self->options.equation,
                             gt_tensors(gt_autocast(in, in->x), gt_autocast(in, self->kernel)));
    if (self->options.bias_axes)
        y = gt_add(y, gt_widened(self->bias));
    return GT_ACTIVATED(self->options, y);
}

const gt_LayerClass gt_layer_class_einsum_dense = {
    GT_LAYER_RECORD("einsum_dense", "EinsumDense", EinsumDense,
                    "activation(einsum(equation, x, kernel) + bias)"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_EinsumDense_options_type,
    .create = einsum_dense_create,
    .build = einsum_dense_build,
    .call = einsum_dense_call,
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_EinsumDense, .equation = "abc,cd->abd",
                                     .output_shape = GT_SAMPLE_SHAPE(-1, 3), .bias_axes = "d"),
         .keras = "EinsumDense('abc,cd->abd', (None, 3), bias_axes='d')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 3, 4)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 3)},
        {.options = GT_LAYER_OPTIONS(gt_EinsumDense, .equation = "...bc,cde->...bde",
                                     .output_shape = GT_SAMPLE_SHAPE(3, 2, 5), .bias_axes = "be",
                                     .activation = gt_tanh),
         .keras = "EinsumDense('...bc,cde->...bde', (3, 2, 5), bias_axes='be', activation='tanh')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 3, 4)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3, 2, 5)},
        {.options = GT_LAYER_OPTIONS(gt_EinsumDense, .equation = "ab...,bc->ac...",
                                     .output_shape = GT_SAMPLE_SHAPE(2), .bias_axes = "c"),
         .keras = "EinsumDense('ab...,bc->ac...', (2,), bias_axes='c')",
         .inputs = 1,
         .input = GT_INPUTS(
             GT_ANY(2, 3, 4)), /* not 2: Keras on TensorFlow adds (2, 1) to (.., 2) as (2) */
         .output = GT_SAMPLE_SHAPE(2, 2, 4)}),
};

gt_Layer *gt_EinsumDense_at(const char *here, const gt_EinsumDense_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_einsum_dense, options);
}
