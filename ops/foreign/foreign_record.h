/* The record of an operation made from a C function on arrays, and the order in which it is made. Private to the
 * library. Leans on custom.h and libffi.
 *
 *   make.c     gt_foreign_operation: all of it in order, for the function and for its gradient function
 *   roles.c    which parameter is an input, an output, a size, a number
 *   link.c     what the arrays of a gradient function are to the operation
 *   call.c     the shape rule, the call through libffi, the gradient rule
 *
 * Example: void scale(const float *x, float *y, size_t n, double factor) has the parameters 0 to 3 with the roles input 0,
 * output 0, count, number 0. Its gradient function (const float *dy, float *dx, size_t n, double factor) has the input dy
 * from upstream 0, and the output dx, which is the gradient of input 0 and has its shape: that of dy, since y has that
 * of x. */
#ifndef GT_OPS_FOREIGN_RECORD_H
#define GT_OPS_FOREIGN_RECORD_H

#include "ops/foreign/custom.h"

#ifdef GT_HAVE_FFI

#include <ffi.h>

typedef enum gt_ForeignRole {
    GT_ROLE_INPUT,
    GT_ROLE_OUTPUT,
    GT_ROLE_SIZE,  /* what a symbol of the signature is; `which` */
    GT_ROLE_COUNT, /* elements of one of the arrays */
    GT_ROLE_NUMBER
} gt_ForeignRole;

/* The source of an input of a gradient function. */
typedef enum gt_ForeignSource {
    GT_SOURCE_INPUT,
    GT_SOURCE_OUTPUT,
    GT_SOURCE_UPSTREAM
} gt_ForeignSource;

/* Inputs and outputs are those of the operation. A gradient function has inputs without a
 * parameter: they are there for their shape alone. */
typedef struct gt_Foreign {
    gt_Custom custom;
    gt_Signature signature;
    struct {
        gt_ForeignRole role;
        int which;
    } parameter[GT_MAX_PARAMETERS];
    int inputs, outputs, numbers;
    int input[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS]; /* its parameter; -1: none */
    int output[GT_MAX_OUTPUTS];                    /* its parameter; -1: it is returned */
    int count_input, count_output; /* whose elements GT_ROLE_COUNT is; -1: not this */
    gt_AnyFunction function;
    gt_ForeignShape shape;
    ffi_cif cif;
    ffi_type *type[GT_MAX_PARAMETERS];
    void *library;
    /* of a gradient function */
    bool is_gradient;
    struct {
        gt_ForeignSource source;
        int which;
    } from[GT_MAX_PARAMETERS + GT_MAX_OUTPUTS];
    int like[GT_MAX_OUTPUTS];        /* the input whose shape an output has */
    int gives[GT_MAX_OUTPUTS];       /* the input of the operation whose gradient an output is */
    int number_from[GT_MAX_NUMBERS]; /* the operation's number that this one is */
    struct gt_Foreign *gradient;     /* of an operation that has one */
} gt_Foreign;

/* The name of a parameter in messages; below 0: the result. */
const char *gt_foreign_name(const gt_Foreign *self, int parameter);

/* ---- running it: call.c ---- */

gt_Status gt_foreign_shape_rule(gt_ShapeRule *rule);
gt_Status gt_foreign_run(const gt_Kernel *kernel);
gt_Status gt_foreign_gradient_rule(gt_GradientRule *rule);
ffi_type *gt_ffi_type(gt_CType type);

/* ---- making it: roles.c, link.c ---- */

/* The operation that is being made, for error messages. */
typedef struct gt_ForeignMaker {
    gt_Context *context;
    const char *here;
    const char *name;
} gt_ForeignMaker;

/* Raises GT_INVALID in the name of the maker. */
gt_Status gt_foreign_wrong(const gt_ForeignMaker *maker, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Reads the signature of a function that an operation can be made of. */
gt_Status gt_foreign_read(const gt_ForeignMaker *maker, gt_Signature *signature, const char *text);
/* After gt_foreign_read: the role of each parameter; inputs, outputs and numbers are counted and named. */
gt_Status gt_foreign_assign_roles(const gt_ForeignMaker *maker, gt_Foreign *self);
/* After the roles: every name in brackets is a parameter, and known from an input unless there is a shape rule of the
 * user's. */
gt_Status gt_foreign_check_bounds(const gt_ForeignMaker *maker, const gt_Foreign *self);
/* After gt_foreign_read of a gradient function, and all of the above for `forward`: roles, sizes and links. What the
 * gradient function reads is saved by the record of `forward` from then on. */
gt_Status gt_foreign_understand_gradient(const gt_ForeignMaker *maker, gt_Foreign *self,
                                         gt_Foreign *forward);

#endif
#endif
