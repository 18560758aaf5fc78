/* Penalties on weights and outputs, which gt_total_loss and gt_fit add to the loss. A
 * regularizer is a small value. */
#ifndef GT_LAYERS_REGULARIZER_H
#define GT_LAYERS_REGULARIZER_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

typedef struct gt_RegularizerClass gt_RegularizerClass;
/* A regularizer: its class, and what the class works with. GT_NOT_GIVEN is none. */
typedef struct gt_Regularizer {
    const gt_RegularizerClass *type;
    void *context;
    uint64_t options[8]; /* of the class, by value */
} gt_Regularizer;

/* gt_L1(0.01): l1 sum|w|. gt_L2(0.01): l2 sum w^2, no half. gt_L1L2(.l1 = 1e-5, .l2 = 1e-4):
 * both. */
#define gt_L1_OPTIONS(F, S) F(S, double, l1, 0.01, "times sum|w|; >= 0")
GT_OPTIONS(gt_L1_options, gt_L1_OPTIONS);
#define gt_L1(...) gt_L1_of(GT_KEYWORDS_MAYBE_1(gt_L1, l1, __VA_ARGS__))
GT_API gt_Regularizer gt_L1_of(const gt_L1_options *options);
#define gt_L2_OPTIONS(F, S) F(S, double, l2, 0.01, "times sum w^2; >= 0")
GT_OPTIONS(gt_L2_options, gt_L2_OPTIONS);
#define gt_L2(...) gt_L2_of(GT_KEYWORDS_MAYBE_1(gt_L2, l2, __VA_ARGS__))
GT_API gt_Regularizer gt_L2_of(const gt_L2_options *options);
#define gt_L1L2_OPTIONS(F, S)                                                                      \
    F(S, double, l1, 0, "times sum|w|; >= 0")                                                      \
    F(S, double, l2, 0, "times sum w^2; >= 0")
GT_OPTIONS(gt_L1L2_options, gt_L1L2_OPTIONS);
#define gt_L1L2(...) gt_L1L2_of(GT_KEYWORDS(gt_L1L2, __VA_ARGS__))
GT_API gt_Regularizer gt_L1L2_of(const gt_L1L2_options *options);

/* Between what gt_OrthogonalRegularizer looks at angles. */
typedef enum gt_Orthogonality { GT_ORTHOGONALITY_ROWS, GT_ORTHOGONALITY_COLUMNS } gt_Orthogonality;
/* gt_OrthogonalRegularizer(0.01, .mode = GT_ORTHOGONALITY_COLUMNS), of matrices: the mean |cosine| of the angles
 * between two different rows, or columns, times factor. Of a single one it is 0 (in Keras NaN). */
#define gt_OrthogonalRegularizer_OPTIONS(F, S)                                                     \
    F(S, double, factor, 0.01, "times the mean; >= 0")                                             \
    F(S, gt_Orthogonality, mode, GT_ORTHOGONALITY_ROWS, "between which")
GT_OPTIONS(gt_OrthogonalRegularizer_options, gt_OrthogonalRegularizer_OPTIONS);
#define gt_OrthogonalRegularizer(...)                                                              \
    gt_OrthogonalRegularizer_of(GT_KEYWORDS_MAYBE_1(gt_OrthogonalRegularizer, factor, __VA_ARGS__))
GT_API gt_Regularizer gt_OrthogonalRegularizer_of(const gt_OrthogonalRegularizer_options *options);

/* One's own: a scalar from a weight, made of operations. */
typedef gt_Tensor *(*gt_RegularizerFunction)(void *context, gt_Tensor *weight);
GT_API gt_Regularizer gt_regularizer(gt_RegularizerFunction function, void *context);

/* A class of regularizers, for one that has options and a name to be saved under. */
struct gt_RegularizerClass {
    const gt_Mark *mark;          /* GT_MARK */
    uint32_t size;                /* of this struct */
    const char *name;             /* "l1_l2": what files say */
    const gt_OptionType *options; /* NULL: none; at most as large as gt_Regularizer's */
    /* A scalar; NULL without an error: no penalty. */
    gt_Tensor *(*penalty)(const gt_Regularizer *self, gt_Tensor *weight);
    /* Raises what is wrong with the options of `what`, "kernel_regularizer"; NULL: nothing can be. */
    gt_Status (*check)(const gt_Regularizer *self, const char *what);
    const char *function; /* "L1L2": gt_L1L2 makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *aliases;  /* other names that Keras accepts, with spaces between; NULL: none */
    const char *summary;  /* one line for the documentation */
};
/* A value of that class; `options` is a struct of its type, or NULL for the defaults. */
GT_API gt_Regularizer gt_regularizer_make(const gt_RegularizerClass *type, const void *options);

/* The penalty on a tensor, a scalar; 0 where there is none, as of GT_NOT_GIVEN. NULL on failure. */
#define gt_regularize(regularizer, tensor) gt_regularize_at(GT_HERE, regularizer, tensor)
GT_API gt_Tensor *gt_regularize_at(const char *here, gt_Regularizer regularizer, gt_Tensor *tensor);

/* All built-in classes of regularizers; count gets how many. Static storage. */
GT_API const gt_RegularizerClass *const *gt_regularizer_classes(int *count);
/* The built-in class of that name, ours ("l1_l2") or Keras's ("L1L2"); NULL without an error if there is none. */
GT_API const gt_RegularizerClass *gt_regularizer_class_find(const char *name);

GT_END

#endif
