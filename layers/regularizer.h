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
    uint64_t options[8]; /* of the class */
} gt_Regularizer;

/* gt_L1(0.01): l1 sum|w|. gt_L2(0.01): l2 sum w^2, no half. gt_L1L2(.l1 = 1e-5, .l2 = 1e-4):
 * both. */
#define gt_L1_OPTIONS(F, S) F(S, double, l1, 0.01, "times sum|w|")
GT_OPTIONS(gt_L1_options, gt_L1_OPTIONS);
#define gt_L1(...) gt_L1_of(GT_KEYWORDS_MAYBE_1(gt_L1, l1, __VA_ARGS__))
GT_API gt_Regularizer gt_L1_of(const gt_L1_options *options);
#define gt_L2_OPTIONS(F, S) F(S, double, l2, 0.01, "times sum w^2")
GT_OPTIONS(gt_L2_options, gt_L2_OPTIONS);
#define gt_L2(...) gt_L2_of(GT_KEYWORDS_MAYBE_1(gt_L2, l2, __VA_ARGS__))
GT_API gt_Regularizer gt_L2_of(const gt_L2_options *options);
#define gt_L1L2_OPTIONS(F, S)                                                                      \
    F(S, double, l1, 0, "times sum|w|")                                                            \
    F(S, double, l2, 0, "times sum w^2")
GT_OPTIONS(gt_L1L2_options, gt_L1L2_OPTIONS);
#define gt_L1L2(...) gt_L1L2_of(GT_KEYWORDS(gt_L1L2, __VA_ARGS__))
GT_API gt_Regularizer gt_L1L2_of(const gt_L1L2_options *options);

/* One's own: a scalar from a weight, made of operations. */
typedef gt_Tensor *(*gt_RegularizerFunction)(void *context, gt_Tensor *weight);
GT_API gt_Regularizer gt_regularizer(gt_RegularizerFunction function, void *context);

/* A class of regularizers, for one that has options and a name to be saved under. */
struct gt_RegularizerClass {
    const gt_Mark *mark;          /* GT_MARK */
    uint32_t size;                /* of this struct */
    const char *name;             /* "l1_l2" */
    const gt_OptionType *options; /* NULL: none */
    /* A scalar; NULL without an error: no penalty. */
    gt_Tensor *(*penalty)(const gt_Regularizer *self, gt_Tensor *weight);
};

GT_END

#endif
