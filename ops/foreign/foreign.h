/* Operations from C functions that know nothing of tensors: a function on arrays with its own
 * signature, or a function on numbers that is mapped over tensors. Such an operation is as good as
 * a built-in one: recorded, differentiated, planned, found by its name.
 *
 *     void scale(const float *x, float *y, size_t n, double factor);
 *     void scale_gradient(const float *dy, float *dx, size_t n, double factor);
 *
 *     const gt_Operation *op = gt_foreign_operation("scale",
 *         .function = GT_FUNCTION(scale, "const float *x, float *y, size_t n, double factor"),
 *         .gradient = GT_FUNCTION(scale_gradient,
 *                                 "const float *dy, float *dx, size_t n, double factor"));
 *     gt_Tensor *y = gt_foreign(op, gt_tensors(x), .numbers = gt_numbers(2.5));
 *
 * The signature is the prototype as it stands in the source, with or without the result and the
 * name before the parentheses. It says what each parameter is:
 *
 *     const float *x         an input, any shape, row-major; the type must be the tensor's
 *     const float x[r][c]    an input of shape (r, c); r and c are then known by name
 *     float *y               an output of input 1's shape
 *     float y[r][3]          an output of that shape
 *     size_t r               a size: the r in the brackets (any type of integers)
 *     size_t n               in no brackets: how many elements input 1 has
 *     double factor          a number given at the call, with .numbers, in the order of parameters
 *
 * Array elements are float, double, int32_t (or int), int64_t, uint8_t or bool; numbers are those,
 * int and long among them, and unsigned ones of 32 bits. At most 24 parameters, among them at most
 * 8 outputs and 8 numbers.
 *
 * The function returns void; or int or gt_Status, where what is not 0 is an error; or float or
 * double, which is then an output of shape () after the others. It is called on the caller's
 * thread, once for the whole of the arrays, also with sizes of 0, and must not keep the pointers.
 *
 * A signature that does not fit the function is memory corruption that nobody can detect. Leave it
 * out, GT_FUNCTION(scale), and it is taken from the function's type; that knows the usual types of
 * GT_FOREIGN_TYPES only. */
#ifndef GT_OPS_FOREIGN_H
#define GT_OPS_FOREIGN_H

#include "core/operation.h"

GT_BEGIN

/* ---- functions and their signatures ---- */

/* A function of any type, to be cast back before it is called. */
typedef void (*gt_AnyFunction)(void);

/* A C function with its signature: at an address, or named in a library. */
typedef struct gt_CFunction {
    gt_AnyFunction address;
    const char *symbol; /* looked up in the library if the address is NULL */
    const char *signature;
} gt_CFunction;

/* GT_FUNCTION(f): the signature is the function's type. GT_FUNCTION(f, "const float *x, ..."): it
 * is this one. */
#define GT_FUNCTION(...)                                                                           \
    gt_c_function((gt_AnyFunction)(GT_FIRST(__VA_ARGS__)), GT_SECOND(__VA_ARGS__, 0),              \
                  gt_signature_of(GT_FIRST(__VA_ARGS__)))
/* GT_SYMBOL("scale", "const float *x, ..."): of the library that the operation names. */
#define GT_SYMBOL(name, text) gt_c_symbol(name, text)
/* What GT_FUNCTION makes: `signature` if there is one, else `of_type`. */
GT_API gt_CFunction gt_c_function(gt_AnyFunction function, const char *signature,
                                  const char *of_type);
/* What GT_SYMBOL makes: the function of that name is looked up in the library when the operation is made. */
GT_API gt_CFunction gt_c_symbol(const char *symbol, const char *signature);

/* The types of functions that need no signature, F(result, parameters...). */
#define GT_FOREIGN_TYPES(F)                                                                        \
    GT_FOREIGN_TYPES_(F, float)                                                                    \
    GT_FOREIGN_TYPES_(F, double)                                                                   \
    F(void, const float *, float *, size_t, double)                                                \
    F(int, const float *, float *, size_t, double)
#define GT_FOREIGN_TYPES_(F, T)                                                                    \
    F(void, const T *, T *, size_t)                                                                \
    F(void, const T *, T *, size_t, T)                                                             \
    F(void, const T *, const T *, T *, size_t)                                                     \
    F(void, const T *, const T *, T *, size_t, T)                                                  \
    F(void, const T *, const T *, const T *, T *, size_t)                                          \
    F(void, const T *, const T *, const T *, T *, T *, size_t)                                     \
    F(int, const T *, T *, size_t)                                                                 \
    F(int, const T *, T *, size_t, T)                                                              \
    F(int, const T *, const T *, T *, size_t)                                                      \
    F(T, const T *, size_t)                                                                        \
    F(T, const T *, const T *, size_t)

/* ---- a function on arrays ---- */

#define gt_foreign_operation_OPTIONS(F, S)                                                         \
    F(S, gt_CFunction, function, GT_NOT_GIVEN, "required")                                         \
    F(S, gt_CFunction, gradient, GT_NOT_GIVEN, "computes the gradients of the inputs; see below")  \
    F(S, gt_ForeignRule, rule, NULL, "instead: a gradient rule written with operations")           \
    F(S, uint64_t, saves_inputs, UINT64_MAX, "by bit: what `rule` reads; not given: all")          \
    F(S, uint32_t, saves_outputs, UINT32_MAX, "by bit: what `rule` reads; not given: all")         \
    F(S, gt_ForeignShape, shape, NULL,                                                             \
      "sets the dims of the outputs; NULL: as the signature says")                                 \
    F(S, const char *, library, NULL,                                                              \
      "a shared library with the functions; closed with the context")                              \
    F(S, const gt_Sample *, samples, NULL,                                                         \
      "for tests; not copied; options are gt_foreign_options's")
/* A gradient rule of a foreign operation, in place of a C function for it. */
typedef gt_Status (*gt_ForeignRule)(gt_GradientRule *rule);
/* A shape rule of a foreign operation: the spec of each output from those of the inputs. */
typedef gt_Status (*gt_ForeignShape)(gt_ShapeRule *rule);
GT_OPTIONS(gt_foreign_operation_options, gt_foreign_operation_OPTIONS);

/* gt_foreign_operation("scale", .function = GT_FUNCTION(scale)): registered in the current context
 * under that name, and lives as long as the context. The texts are copied.
 *
 * The gradient function is found to its parameters by their names: with an input x and an output y,
 * `const float *dy` is the gradient that arrived at y, `float *dx` what to compute for x, `x` and
 * `y` are the input and the output as they were; sizes and numbers have the names they have in the
 * function. A result that is returned is called y, or `result` if there are other outputs. Without
 * names they are: the inputs, the outputs and their gradients; or the inputs and the outputs'
 * gradients; or the outputs' gradients alone; then one gradient for each input. It becomes the
 * operation NAME_gradient, which has no gradient of its own: for higher orders give a `rule`. In a
 * rule gt_rule_options(rule) is a gt_foreign_options with the numbers of the call. */
#define gt_foreign_operation(...)                                                                  \
    gt_foreign_operation_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                        \
                            GT_KEYWORDS(gt_foreign_operation, GT_AFTER_1(__VA_ARGS__)))
GT_API const gt_Operation *gt_foreign_operation_at(const char *here, const char *name,
                                                   const gt_foreign_operation_options *options);

/* ---- calling one ---- */


#define gt_foreign_OPTIONS(F, S)                                                                   \
    F(S, gt_Numbers, numbers, GT_NO_NUMBERS, "gt_numbers(2.5, 3): one a parameter that is a number")
GT_OPTIONS(gt_foreign_options, gt_foreign_OPTIONS);
typedef gt_foreign_options gt_foreign_outputs_options;

/* gt_foreign(op, gt_tensors(x), .numbers = gt_numbers(2.5)): output 1 of an operation that
 * gt_foreign_operation or gt_elementwise_operation made. */
#define gt_foreign(operation, ...)                                                                 \
    gt_foreign_at(GT_HERE, operation, GT_FIRST(__VA_ARGS__),                                       \
                  GT_KEYWORDS(gt_foreign, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_foreign_at(const char *here, const gt_Operation *operation, gt_Tensors inputs,
                                const gt_foreign_options *options);
/* All outputs: gt_foreign_outputs(op, gt_tensors(x), outputs, .numbers = ...). */
#define gt_foreign_outputs(operation, inputs, ...)                                                 \
    gt_foreign_outputs_at(GT_HERE, operation, inputs, GT_FIRST(__VA_ARGS__),                       \
                          GT_KEYWORDS(gt_foreign, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_foreign_outputs_at(const char *here, const gt_Operation *operation,
                                       gt_Tensors inputs, gt_Tensor **outputs,
                                       const gt_foreign_options *options);

/* ---- a function on numbers, mapped over tensors ---- */

/* A function of one double, such as those of the C library. */
typedef double (*gt_F64Function)(double x);
/* The same of one float. */
typedef float (*gt_F32Function)(float x);
/* A function of two doubles. */
typedef double (*gt_F64Function2)(double a, double b);
/* The same of two floats. */
typedef float (*gt_F32Function2)(float a, float b);

#define gt_elementwise_operation_OPTIONS(F, S)                                                     \
    F(S, gt_F64Function, f64, NULL, "f(x); float32 too, rounded, if f32 is not given")             \
    F(S, gt_F32Function, f32, NULL, "f(x) for float32")                                            \
    F(S, gt_F64Function, derivative, NULL, "f'(x)")                                                \
    F(S, gt_F64Function2, f64_2, NULL, "f(a, b), which broadcast; instead of f(x)")                \
    F(S, gt_F32Function2, f32_2, NULL, "f(a, b) for float32")                                      \
    F(S, gt_F64Function2, derivative_a, NULL, "df/da (a, b)")                                      \
    F(S, gt_F64Function2, derivative_b, NULL, "df/db (a, b)")                                      \
    F(S, gt_ForeignRule, rule, NULL, "instead of derivatives: a rule written with operations")     \
    F(S, const gt_Sample *, samples, NULL, "for tests; not copied")
GT_OPTIONS(gt_elementwise_operation_options, gt_elementwise_operation_OPTIONS);

/* gt_elementwise_operation("j0", .f64 = j0, .derivative = minus_j1): registered in the current
 * context under that name, and lives as long as the context. Called with gt_foreign. float32 and
 * float64 tensors; without f64, float32 alone. The derivatives have no derivative of their own: for
 * higher orders give a `rule`. With gt_set_threads above 1 the functions are called from several
 * threads at a time. Needs no libffi. */
#define gt_elementwise_operation(...)                                                              \
    gt_elementwise_operation_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                    \
                                GT_KEYWORDS(gt_elementwise_operation, GT_AFTER_1(__VA_ARGS__)))
GT_API const gt_Operation *
gt_elementwise_operation_at(const char *here, const char *name,
                            const gt_elementwise_operation_options *options);

GT_END

#ifdef __cplusplus
#define GT_SIGNATURE_OF_(result, ...)                                                              \
    inline const char *gt_signature_of(result (*)(__VA_ARGS__))                                    \
    {                                                                                              \
        return #result "(" #__VA_ARGS__ ")";                                                       \
    }
GT_FOREIGN_TYPES(GT_SIGNATURE_OF_)
template <class Other> inline const char *gt_signature_of(Other)
{
    return nullptr;
}
#else
/* The type of a C function as text, "double(double)", where it is one of GT_FOREIGN_TYPES; else NULL. */
#define GT_SIGNATURE_OF_(result, ...) result (*)(__VA_ARGS__) : #result "(" #__VA_ARGS__ ")",
#define gt_signature_of(f)                                                                         \
    _Generic((f), GT_FOREIGN_TYPES(GT_SIGNATURE_OF_) default : (const char *)0)
#endif

#endif
