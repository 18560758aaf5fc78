/* What the sources of operations share: broadcasting, the usual shape rules and kernels, macros for
 * records and samples. Private to the library. Leans on core. */
#ifndef GT_OPS_KIT_H
#define GT_OPS_KIT_H

#include "core/internal.h"
#include "ops/operand.h"
#include "ops/reshaping.h"
#include "ops/table.h"

/* Inside the library an operation reports the call site of the function the user called. */
#undef GT_HERE
#define GT_HERE ((const char *)0)

/* ---- samples ---- */
#define GT_SAMPLE_SHAPE(...)                                                                       \
    {                                                                                              \
        (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                             \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
/* Real numbers from [lo, hi); integers below hi; with the kinks of the function at multiples of
 * `every` kept `gap` away. */
#define GT_REAL(lo, hi, ...)                                                                       \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi          \
    }
#define GT_REAL_GAP(lo, hi, kinks, ...)                                                            \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi,         \
        .gap = 0.05, .every = kinks                                                                \
    }
/* The usual ranges, by shape. */
#define GT_ANY(...)      GT_REAL(-2, 2, __VA_ARGS__)
#define GT_POSITIVE(...) GT_REAL(0.5, 2, __VA_ARGS__)
#define GT_APART(...)    GT_DISTINCT(-2, 2, __VA_ARGS__)
#define GT_DISTINCT(lo, hi, ...)                                                                   \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi,         \
        .distinct = true                                                                           \
    }
#define GT_REAL_SCALAR(lo, hi)                                                                     \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = {0, {0}}, .low = lo, .high = hi                              \
    }
#define GT_WHOLE(type, lo, hi, ...)                                                                \
    {                                                                                              \
        .dtype = type, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi                \
    }
#define GT_SAMPLES_END                                                                             \
    {                                                                                              \
        .inputs = 0                                                                                \
    }

/* ---- shape rules ---- */
/* Output 0 like input 0. The type must be one the caller's mask names. */
enum {
    GT_TAKES_FLOAT = 1,
    GT_TAKES_INTEGER = 2,
    GT_TAKES_BOOL = 4,
    GT_TAKES_NUMBER = GT_TAKES_FLOAT | GT_TAKES_INTEGER,
    GT_TAKES_ANY = GT_TAKES_NUMBER | GT_TAKES_BOOL
};
bool gt_takes(const gt_Spec *spec, unsigned types); /* raises an error if not */
gt_Status gt_shape_same(gt_ShapeRule *rule, unsigned types);
gt_Status gt_shape_float(gt_ShapeRule *rule);  /* like input 0, floats */
gt_Status gt_shape_number(gt_ShapeRule *rule); /* like input 0, floats and integers */
/* Output 0 is the broadcast of all inputs from `first` on, which have one type. */
gt_Status gt_shape_broadcast(gt_ShapeRule *rule, int first, unsigned types);
gt_Status gt_shape_binary_float(gt_ShapeRule *rule);
gt_Status gt_shape_binary_number(gt_ShapeRule *rule);
gt_Status gt_shape_compare(gt_ShapeRule *rule); /* two of one type -> bool */

/* ---- probabilities ---- */
/* Raises an error if `x`, called `what`, must be logits and is known to be probabilities. */
gt_Status gt_want_logits(const gt_Tensor *x, const char *what);

/* ---- kernels ---- */
gt_Status gt_run_unary(const gt_Kernel *kernel, gt_UnaryLoop *const loops[GT_LOOP_TYPES]);
gt_Status gt_run_binary(const gt_Kernel *kernel, gt_BinaryLoop *const loops[GT_LOOP_TYPES]);

/* Elements that make one piece of element-wise work. */
#define GT_CHUNK 16384
/* Number i of an input of integers. */
static inline int64_t gt_whole_at(const gt_Kernel *kernel, int input, int64_t i)
{
    const void *data = kernel->input[input];
    gt_DType dtype = kernel->input_spec[input]->dtype;
    return dtype == GT_INT32   ? ((const int32_t *)data)[i]
           : dtype == GT_INT64 ? ((const int64_t *)data)[i]
                               : ((const uint8_t *)data)[i];
}

/* Work on elements [first, first + n) of output 0, for operations that need no broadcasting. */
typedef void gt_ChunkBody(const gt_Kernel *kernel, int64_t first, int64_t n);
gt_Status gt_run_chunks(const gt_Kernel *kernel, gt_ChunkBody *body);

/* How `inputs` operands broadcast to one output: dimensions joined where they can be, the innermost
 * with strides 0 or 1. */
typedef struct gt_Broadcast {
    int inputs, rank;
    int64_t dims[GT_MAX_RANK];
    int64_t stride[3][GT_MAX_RANK];
    int64_t inner, chunk, chunks, outer, rows, tiles;
} gt_Broadcast;
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input);
/* Works out the tiles of a plan whose dims and strides are filled in. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk);
/* One run of the innermost dimension: n elements, offsets in elements. */
typedef void gt_BroadcastBody(const gt_Kernel *kernel, const void *argument,
                              const gt_Broadcast *plan, int64_t n, const int64_t *offset,
                              int64_t output);
gt_Status gt_broadcast_run(const gt_Kernel *kernel, const gt_Broadcast *plan,
                           gt_BroadcastBody *body, const void *argument);

/* ---- strided copies: strided.c ---- */

/* One array written from another, each walked with strides of its own (in elements; negative and 0
 * too): a gt_Broadcast with stride[0] for reading and stride[1] for writing. Start with
 * gt_strided_begin, add the axes from the outermost in, copy. */
void gt_strided_begin(gt_Broadcast *plan);
void gt_strided_axis(gt_Broadcast *plan, int64_t dim, int64_t from, int64_t to);
gt_Status gt_strided_copy(const gt_Kernel *kernel, gt_Broadcast *plan, gt_DType dtype,
                          const void *from, void *to);
/* The same number n times; it fits the type. */
void gt_fill(gt_DType dtype, int64_t n, double value, void *to);
/* The strides of a row-major array, in elements. */
void gt_strides(const gt_Spec *spec, int64_t stride[GT_MAX_RANK]);

/* An axis of a rank, negative from the end; -1 with an error raised if there is none. */
int gt_axis(int axis, int rank);
/* Was the set made by gt_axes? False with an error for a bare number, and for more axes than there
 * can be. */
bool gt_axes_valid(const gt_Axes *axes);
/* A set of axes as bits; all of them for GT_ALL_AXES; false with an error for bad or repeated. */
bool gt_axes_bits(const gt_Axes *axes, int rank, uint32_t *bits);
/* Like `gt_axes_bits`, from the two keywords `axis` and `axes`; neither given means all. */
bool gt_axis_or_axes(int axis, const gt_Axes *axes, int rank, uint32_t *bits);

/* The shape without the axes of a set, or with 1 in their place; all axes with those last. */
void gt_reduced_shape(const gt_Spec *in, uint32_t bits, bool keepdims, gt_Spec *out);
gt_Axes gt_reduced_last(int rank, uint32_t bits);
/* How many numbers the axes of a set hold. */
int64_t gt_reduced_count(const gt_Spec *in, uint32_t bits);

/* Whole numbers, int64, folded into [0, n) as padding of that mode, not GT_PAD_CONSTANT, does. */
gt_Tensor *gt_fold_indices(gt_Tensor *indices, int64_t n, gt_PadMode mode);

/* ---- for gradient rules ---- */
/* The transpose of gt_take_along_axis: zeros with that axis `count` long, updates added to them. */
gt_Tensor *gt_scatter_add_along_axis(gt_Tensor *indices, gt_Tensor *updates, int axis,
                                     int64_t count);
/* Zeros (length) with updates added at the indices, which must not be negative. */
gt_Tensor *gt_scatter_count(gt_Tensor *indices, gt_Tensor *updates, int64_t length);
/* Of a gradient that is rows (gt_rows): which rows it has, each once, int64 (n) and padded with the
 * number of rows of the whole; the gradient becomes their sums (n, ...), padded with zeros. NULL,
 * and the gradient as it is, for one that is not. */
gt_Tensor *gt_distinct_rows(gt_Tensor **gradient);
/* y[i] = x[i + 1] along the axis, or x[i - 1] if `later` is false; 0 where there is none. */
gt_Tensor *gt_neighbour(gt_Tensor *x, int axis, bool later);
/* y[i] = b[i] + a[i] y[i - 1] along the axis, from y[0] = b[0]; reversed, y[i + 1] for y[i - 1]. */
gt_Tensor *gt_linear_recurrence(gt_Tensor *a, gt_Tensor *b, int axis, bool reverse);
/* Types to store numbers in compute in float32: x as that if it is float16 or bfloat16, and x as
 * `dtype`; x itself where nothing is to be done. */
gt_Tensor *gt_widened(gt_Tensor *x);
gt_Tensor *gt_narrowed(gt_Tensor *x, gt_DType dtype);
/* What a product of these two makes: their type if it is one, float32 if either is of 16 bits and
 * the other of that type too or float32. False with an error raised for other pairs. */
bool gt_product_type(const gt_Spec *a, const gt_Spec *b, gt_DType *type);
/* Sums a gradient back to the shape an input had before it was broadcast. */
gt_Tensor *gt_unbroadcast(gt_Tensor *gradient, const gt_Spec *input);

/* The slopes of relu, tanh and sigmoid in one pass, of their outputs y: `up` where y > 0, else 0;
 * up (1 - y^2); up y (1 - y). */
gt_Tensor *gt_relu_gradient(gt_Tensor *up, gt_Tensor *y);
gt_Tensor *gt_tanh_gradient(gt_Tensor *up, gt_Tensor *y);
gt_Tensor *gt_sigmoid_gradient(gt_Tensor *up, gt_Tensor *y);

/* ---- records ---- */
/* op_run: the loop of that name over all elements. `arity` is unary or binary. */
#define GT_LOOP_KERNEL(op, arity, LOOP)                                                            \
    static gt_Status op##_run(const gt_Kernel *kernel)                                             \
    {                                                                                              \
        return gt_run_##arity(kernel, kernel->context->kernels->arity[GT_LOOP_##LOOP]);            \
    }
/* The record of an element-wise operation, with op_run. What differs from the usual comes last, as
 * designators. `first`, `second`: sample macros that take a shape. */
#define GT_BINARY_RECORD(op, text, types, saves, more, first, second, ...)                         \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_ELEMENTWISE | (more),                                                       \
        .inputs_min = 2,                                                                           \
        .inputs_max = 2,                                                                           \
        .outputs = 1,                                                                              \
        .saves_inputs = saves,                                                                     \
        .shape = gt_shape_binary_##types,                                                          \
        .run = op##_run,                                                                           \
        .samples =                                                                                 \
            (const gt_Sample[]){{.inputs = 2, .input = GT_INPUTS(first(2, 3), second(2, 3))},      \
                                {.inputs = 2, .input = GT_INPUTS(first(2, 1, 3), second(4, 1))},   \
                                GT_SAMPLES_END},                                                   \
        __VA_ARGS__}
#define GT_UNARY_RECORD(op, text, types, in, out, more, sample, ...)                               \
    const gt_Operation gt_op_##op = {                                                              \
        .size = sizeof(gt_Operation),                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .flags = GT_OP_ELEMENTWISE | (more),                                                       \
        .inputs_min = 1,                                                                           \
        .inputs_max = 1,                                                                           \
        .outputs = 1,                                                                              \
        .saves_inputs = in,                                                                        \
        .saves_outputs = out,                                                                      \
        .shape = gt_shape_##types,                                                                 \
        .run = op##_run,                                                                           \
        .samples = (const gt_Sample[]){{.inputs = 1, .input = GT_INPUTS(sample)}, GT_SAMPLES_END}, \
        __VA_ARGS__}

/* ---- functions ---- */
#define GT_DEFINE_UNARY(name)                                                                      \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x)                                      \
    {                                                                                              \
        return gt_apply_one(here, &gt_op_##name, NULL, 1, &x);                                     \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * x)                                                          \
    {                                                                                              \
        return gt_##name##_at(NULL, x);                                                            \
    }
/* gt_NAME_at and gt_NAME for a record of one input with options; `prepared` is what the record gets,
 * an expression of `here` and `x`. */
#define GT_DEFINE_OPTIONS(name, Options, prepared)                                                 \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x, const Options *options)              \
    {                                                                                              \
        gt_Tensor *input = prepared;                                                               \
        return gt_apply_one(here, &gt_op_##name, options, 1, &input);                              \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * x)                                                          \
    {                                                                                              \
        return gt_##name##_at(NULL, x, NULL);                                                      \
    }
/* Operands to one type (bool < uint8 < int32 < int64 < float; float32 with float64 is an error),
 * the second may be a C number; false on failure. And with an operation applied to them. */
bool gt_operands(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b,
                 gt_Tensor *pair[2]);
gt_Tensor *gt_binary(const char *here, const gt_Operation *operation, gt_Tensor *a, gt_Operand b);
/* The second operand as a tensor: a C number becomes a scalar of a's type. */
gt_Tensor *gt_operand_of(gt_Tensor *a, gt_Operand b);
/* x as it is if it is of floats, else as float32. */
gt_Tensor *gt_as_float(gt_Tensor *x);
#define GT_DEFINE_BINARY(name)                                                                     \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *a, gt_Operand b)                        \
    {                                                                                              \
        return gt_binary(here, &gt_op_##name, a, b);                                               \
    }                                                                                              \
    gt_Tensor *(gt_##name)(gt_Tensor * a, gt_Tensor * b)                                           \
    {                                                                                              \
        return gt_binary(NULL, &gt_op_##name, a, gt_operand_tensor(b));                            \
    }
/* gt_NAME_at for what is made of several operations: calls the static function NAME (or the one
 * that is named, where C has taken the name), with errors that name NAME and the caller's line.
 * `parameters` starts with `const char *here`. */
#define GT_COMPOSED(name, parameters, arguments)                                                   \
    GT_COMPOSED_TENSOR(name, name, parameters, arguments)
#define GT_COMPOSED_BY(Result, name, function, parameters, arguments)                              \
    Result gt_##name##_at parameters                                                               \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        Result result = function arguments;                                                        \
        gt_site_leave(site);                                                                       \
        return result;                                                                             \
    }
/* Parts that were made before one failed are no result. */
#define GT_COMPOSED_TENSOR(name, function, parameters, arguments)                                  \
    gt_Tensor *gt_##name##_at parameters                                                           \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        gt_Tensor *result = function arguments;                                                    \
        gt_site_leave(site);                                                                       \
        return gt_status() == GT_OK ? result : NULL;                                               \
    }
/* The same for functions of one tensor, of one tensor and options, of two operands; and the plain
 * function. */
#define GT_COMPOSED_UNARY(name, function)                                                          \
    GT_COMPOSED_TENSOR(name, function, (const char *here, gt_Tensor *x), (x))                      \
    gt_Tensor *(gt_##name)(gt_Tensor * x)                                                          \
    {                                                                                              \
        return gt_##name##_at(NULL, x);                                                            \
    }
#define GT_COMPOSED_OPTIONS(name, function, Options)                                               \
    GT_COMPOSED_TENSOR(name, function, (const char *here, gt_Tensor *x, const Options *options),   \
                       (x, options))                                                               \
    gt_Tensor *(gt_##name)(gt_Tensor * x)                                                          \
    {                                                                                              \
        return gt_##name##_at(NULL, x, NULL);                                                      \
    }
#define GT_COMPOSED_BINARY(name, function)                                                         \
    GT_COMPOSED_TENSOR(name, function, (const char *here, gt_Tensor *a, gt_Operand b),             \
                       (a, gt_operand_of(a, b)))                                                   \
    gt_Tensor *(gt_##name)(gt_Tensor * a, gt_Tensor * b)                                           \
    {                                                                                              \
        return gt_##name##_at(NULL, a, gt_operand_tensor(b));                                      \
    }
/* A kernel that copies input 0 to output 0: what a view does where it cannot share memory. */
gt_Status gt_run_copy(const gt_Kernel *kernel);
#define GT_STRUCT_TYPE(Type) (&Type##_type)

#endif
