/* Macros for the sources of operations: samples, records, functions; and, by the headers it includes, shape rules, axes,
 * lowering, masks. Private to the library. Leans on core. */
#ifndef GT_OPS_KIT_H
#define GT_OPS_KIT_H

#include "core/inside.h"
#include "core/launch.h"
#include "ops/axes.h"
#include "ops/copies.h"
#include "ops/lowering.h"
#include "ops/masks.h"
#include "ops/operand.h"
#include "ops/array/reshaping.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "ops/tiles.h"

/* ---- samples ---- */
/* They are for tests, documentation and bench, which link a library that is compiled with GT_WITH_SAMPLES. The installed
 * ones are compiled without: the compiler checks the samples, then leaves them out, and what only they use. The same is
 * true of formulas. */
#ifdef GT_WITH_SAMPLES
#define GT_KEPT_SAMPLES(samples) samples
#else
#define GT_KEPT_SAMPLES(samples) (1 ? NULL : samples)
#endif
#define GT_SAMPLE_SHAPE(...)                                                                       \
    {                                                                                              \
        GT_MARK, (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
/* A preset for fields of type gt_Shape. */
#define GT_SCALAR_SHAPE                                                                            \
    {                                                                                              \
        GT_MARK, 0,                                                                                \
        {                                                                                          \
            0                                                                                      \
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
/* Real numbers that are multiples of `step`. */
#define GT_MULTIPLES(lo, hi, step, ...)                                                            \
    {                                                                                              \
        .dtype = GT_FLOAT64, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi,         \
        .every = step                                                                              \
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
        .dtype = GT_FLOAT64, .shape = {GT_MARK, 0, {0}}, .low = lo, .high = hi                     \
    }
#define GT_WHOLE(type, lo, hi, ...)                                                                \
    {                                                                                              \
        .dtype = type, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .low = lo, .high = hi                \
    }
/* Text for layers: `count` words with bars between them, of which each string is one. */
#define GT_WORDS(list, count, ...)                                                                 \
    {                                                                                              \
        .dtype = GT_TEXT, .shape = GT_SAMPLE_SHAPE(__VA_ARGS__), .high = count, .words = list      \
    }
#define GT_SAMPLES_END                                                                             \
    {                                                                                              \
        .inputs = 0                                                                                \
    }

/* ---- probabilities ---- */
/* Raises an error if `x`, called `what`, must be logits and is known to be probabilities. */
gt_Status gt_want_logits(const gt_Tensor *x, const char *what);

/* Whole numbers, int64, folded into [0, n) as padding of that mode, not GT_PAD_MODE_CONSTANT, does. */
gt_Tensor *gt_fold_indices(gt_Tensor *indices, int64_t n, gt_PadMode mode);

/* ---- shapes that follow from other tensors ---- */
/* Axes first to first + count - 1 as one; a new axis of size 1 if count is 0. */
gt_Tensor *gt_merge_axes(gt_Tensor *x, int first, int count);
/* x in the shape of `like`, which has as many elements. */
gt_Tensor *gt_reshape_like(gt_Tensor *x, gt_Tensor *like);
/* How many elements these axes of x have, plus `add`, as a number of that dtype that is read from the shape at every run. */
gt_Tensor *gt_extent(gt_Tensor *x, gt_Axes axes, int64_t add, gt_DType dtype);
/* The same, at least and at most these numbers. */
gt_Tensor *gt_extent_within(gt_Tensor *x, gt_Axes axes, int64_t add, int64_t least, int64_t most,
                            gt_DType dtype);
/* That number everywhere, in the shape and dtype of x, as a constant of what runs now: for gradient rules. */
gt_Tensor *gt_constant_like(const gt_Tensor *x, double number);

/* ---- for gradient rules ---- */
/* The sum of what there is of the two: NULL is nothing. */
gt_Tensor *gt_sum_of_given(gt_Tensor *x, gt_Tensor *more);
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
/* Sums a gradient back to the shape an input had before it was broadcast. */
gt_Tensor *gt_unbroadcast(gt_Tensor *gradient, const gt_Spec *input);

/* The slopes of relu, tanh and sigmoid in one pass, of their outputs y: `up` where y > 0, else 0;
 * up (1 - y^2); up y (1 - y). */
gt_Tensor *gt_relu_gradient(gt_Tensor *up, gt_Tensor *y);
gt_Tensor *gt_tanh_gradient(gt_Tensor *up, gt_Tensor *y);
gt_Tensor *gt_sigmoid_gradient(gt_Tensor *up, gt_Tensor *y);

/* ---- records ---- */
/* The fixed fields at the start of every record: the name, the formula, the least and the most inputs; one output, or `count`. */
#define GT_RECORD(text, formula_text, least, most)                                                 \
    GT_RECORD_OUTPUTS(text, formula_text, least, most, 1)
#define GT_RECORD_OUTPUTS(text, formula_text, least, most, count)                                  \
    .size = sizeof(gt_Operation), .name = text, .formula = GT_KEPT_SAMPLES(formula_text),          \
    .inputs_min = least, .inputs_max = most, .outputs = count
#define GT_SAMPLES(...) GT_KEPT_SAMPLES(((const gt_Sample[]){__VA_ARGS__, GT_SAMPLES_END}))

/* ---- functions ---- */
#define GT_DEFINE_UNARY(name)                                                                      \
    gt_Tensor *gt_##name##_at(const char *here, gt_Tensor *x)                                      \
    {                                                                                              \
        return gt_apply_one_at(here, &gt_op_##name, NULL, 1, &x);                                  \
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
        return gt_apply_one_at(here, &gt_op_##name, options, 1, &input);                           \
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
/* A range of one axis by its key: gt_item_along(x, -1, "1:") is x[..., 1:]. Nothing depends on sizes. */
gt_Tensor *gt_item_along(gt_Tensor *x, int axis, const char *range);
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
 * `parameters` starts with `const char *here`. Parts that were made before one failed are no result, and a
 * variable that had nothing to be done to it is not, either: its value is, which does not change. */
gt_Tensor *gt_composed(const gt_Site *site, gt_Tensor *result);
#define GT_COMPOSED(name, parameters, arguments)                                                   \
    GT_COMPOSED_TENSOR(name, name, parameters, arguments)
#define GT_COMPOSED_BY(Result, name, function, parameters, arguments)                              \
    Result gt_##name##_at parameters                                                               \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        Result result = function arguments;                                                        \
        gt_site_leave(&site);                                                                       \
        return result;                                                                             \
    }
#define GT_COMPOSED_TENSOR(name, function, parameters, arguments)                                  \
    gt_Tensor *gt_##name##_at parameters                                                           \
    {                                                                                              \
        gt_Site site = gt_site_enter(here, #name);                                                 \
        return gt_composed(&site, function arguments);                                              \
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

#endif
