/* The layer contract. A layer of one's own is a struct whose first member is gt_Layer, and a class
 * with two functions: `build` makes the variables, once, when the shape of the input is known;
 * `call` computes with them, as often as it is called. A variable made in `call` is an error.
 *
 *     typedef struct { gt_Layer base; int64_t units; gt_Variable *kernel; } Affine;
 */
#ifndef GT_LAYERS_LAYER_H
#define GT_LAYERS_LAYER_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "core/variable.h"
#include "layers/initializer.h"

GT_BEGIN

typedef struct gt_Layer gt_Layer;
typedef struct gt_LayerState gt_LayerState;
typedef struct gt_LayerClass gt_LayerClass;

/* Any operation of one tensor: gt_relu, gt_tanh, a function of one's own. */
typedef gt_Tensor *(*gt_Activation)(gt_Tensor *x);

/* What `call` gets. `x` is the first input. */
typedef struct gt_CallArgs {
    gt_Tensor *x;
    gt_Tensor *const *inputs; /* all of them */
    int32_t count;
    bool training;
} gt_CallArgs;

/* The first member of every layer. The fields are the library's, but for those that say otherwise.
 */
struct gt_Layer {
    uint64_t word; /* says that this is a layer */
    const gt_LayerClass *type;
    gt_LayerState *state;
    const char *name; /* may be given; copied */
    gt_DType dtype;   /* may be given; else the container's, else the first input's */
};

struct gt_LayerClass {
    const char *name; /* snake_case: the layer's default name */
    size_t instance;  /* sizeof the struct */
    /* Checks what was given, registers children (gt_add_child). May be NULL. */
    gt_Status (*create)(gt_Layer *layer);
    /* Makes the variables (gt_add_weight) for inputs of this shape. May be NULL. */
    gt_Status (*build)(gt_Layer *layer, gt_Shape input);
    gt_Tensor *(*call)(gt_Layer *layer, gt_CallArgs in);
    /* Frees what the struct owns besides weights and children. May be NULL. */
    void (*destroy)(gt_Layer *layer);
    int32_t inputs; /* how many tensors `call` looks at, at most; 0: one. More are an error */
};

/* A penalty on a weight or an output: l1 sum|w| + l2 sum w^2 (no half), or one's own. All zero:
 * none. Its first member is a pointer that only the functions below set, so that a bare number is an
 * error: `.kernel_regularizer = 0.01` of the compiler, a pointer or an integer when it is used. */
struct gt_RegularizerMark;
typedef gt_Tensor *(*gt_RegularizerFunction)(void *context, gt_Tensor *weight); /* a scalar */
typedef struct gt_Regularizer {
    const struct gt_RegularizerMark *mark;
    double l1, l2;
    gt_RegularizerFunction function;
    void *context;
} gt_Regularizer;
/* One's own. The context must outlive the layers. */
GT_API gt_Regularizer gt_regularizer(gt_RegularizerFunction function, void *context);
GT_API gt_Regularizer gt_l1(double l1);
GT_API gt_Regularizer gt_l2(double l2);
GT_API gt_Regularizer gt_l1_l2(double l1, double l2);

/* Options that every built-in layer has. */
#define GT_LAYER_OPTIONS(F)                                                                        \
    F(const char *, name, NULL, "unique in its container; NULL: from the class")                   \
    F(gt_DType, dtype, GT_DTYPE_NONE, "of the weights; not given: the container's or the input's") \
    F(bool, trainable, true, "false: its weights are in no trainable list")

/* ---- making and freeing ---- */

/* A new layer: the struct `instance` is copied, then `create` runs. Floating: a container takes it,
 * or the caller frees it with gt_layer_free, or the context does. */
GT_API gt_Layer *gt_layer_new(const char *here, const gt_LayerClass *type, const void *instance);
/* Drops the caller's hold. Using a freed layer is an error. NULL is ignored. */
GT_API void gt_layer_free(gt_Layer *layer);

/* ---- inside create and build ---- */

/* Registers a child and takes it, also when it fails. Returns it, or NULL. */
#define gt_add_child(layer, child) gt_add_child_at(GT_HERE, layer, child)
GT_API gt_Layer *gt_add_child_at(const char *here, gt_Layer *layer, gt_Layer *child);

#define GT_WEIGHT_OPTIONS(F)                                                                       \
    F(uint32_t, size, (uint32_t)sizeof(gt_WeightOptions), "for ABI growth")                        \
    F(gt_Initializer, initializer, GT_INITIALIZER(GT_INITIALIZER_DEFAULT),                         \
      "not given: glorot_uniform for floats, zeros for integers")                                  \
    F(gt_DType, dtype, GT_DTYPE_NONE, "not given: the layer's")                                    \
    F(bool, trainable, true, "false: a buffer, such as a moving average")                          \
    F(gt_Regularizer, regularizer, {0}, "its penalty is among gt_losses while it is trained")      \
    F(bool, is_state, false, "a generator's state: in gt_variables, not in gt_weights")
typedef struct gt_WeightOptions gt_WeightOptions;
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
struct gt_WeightOptions {
    GT_WEIGHT_OPTIONS(GT_MEMBER)
};
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
/* gt_add_weight(layer, "kernel", gt_shape(in, out), .initializer = gt_zeros()): only in `build`.
 * The variable belongs to the layer. */
#define gt_add_weight(layer, name, ...)                                                            \
    gt_add_weight_at(GT_HERE, layer, name, GT_FIRST(__VA_ARGS__),                                  \
                     GT_KEYWORDS(gt_WeightOptions, GT_WEIGHT_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Variable *gt_add_weight_at(const char *here, gt_Layer *layer, const char *name,
                                     gt_Shape shape, const gt_WeightOptions *options);
/* Uses a variable of another layer here too: counted, trained and saved once. */
#define gt_share_weight(layer, name, variable) gt_share_weight_at(GT_HERE, layer, name, variable)
GT_API gt_Variable *gt_share_weight_at(const char *here, gt_Layer *layer, const char *name,
                                       gt_Variable *variable);
/* What later inputs must be like: at least `min_rank` dimensions, and the last one of this size (0:
 * any). Checked before `call`. */
GT_API gt_Status gt_set_input_spec(gt_Layer *layer, int min_rank, int64_t last);

/* ---- calling ---- */

#define GT_CALL_OPTIONS(F)                                                                         \
    F(uint32_t, size, (uint32_t)sizeof(gt_CallOptions), "for ABI growth")                          \
    F(gt_Flag, training, GT_INHERIT, "not given: as the layer around it, outermost: false")        \
    F(gt_Tensors, more, {0}, "inputs after the first")
typedef struct gt_CallOptions gt_CallOptions;
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
struct gt_CallOptions {
    GT_CALL_OPTIONS(GT_MEMBER)
};
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
/* gt_call(layer, x), gt_call(model, x, .training = true): builds the layer at the first call.
 *
 * The first numbers of a layer that is in no container depend on how many layers were made before it. So
 * do not make two such layers in one expression, gt_add(gt_call(gt_dense(3), x), gt_call(gt_dense(3),
 * x)): which of them is made first is the compiler's choice. Inside a container their path tells them
 * apart, with every compiler. */
#define gt_call(layer, ...)                                                                        \
    gt_call_at(GT_HERE, layer, GT_FIRST(__VA_ARGS__),                                              \
               GT_KEYWORDS(gt_CallOptions, GT_CALL_OPTIONS, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_call_at(const char *here, gt_Layer *layer, gt_Tensor *x,
                             const gt_CallOptions *options);
/* Builds a layer and all below it for inputs of this shape and type, without computing anything. */
#define gt_build(layer, shape, dtype) gt_build_at(GT_HERE, layer, shape, dtype)
GT_API gt_Status gt_build_at(const char *here, gt_Layer *layer, gt_Shape shape, gt_DType dtype);

/* Adds a scalar to the losses of the model that is being called. Only in `call`. */
#define gt_add_loss(layer, loss) gt_add_loss_at(GT_HERE, layer, loss)
GT_API gt_Status gt_add_loss_at(const char *here, gt_Layer *layer, gt_Tensor *loss);
/* loss + what the last call of the model added + the penalties of its trainable weights: what a
 * custom loop minimizes. `loss` may be NULL; the result is then NULL, without an error, if nothing is
 * added. */
#define gt_total_loss(model, loss) gt_total_loss_at(GT_HERE, model, loss)
GT_API gt_Tensor *gt_total_loss_at(const char *here, gt_Layer *model, gt_Tensor *loss);

/* ---- looking at one ---- */

/* Lists of variables: by position in the container and order of making inside a layer, whatever the
 * flags; each once. They live until the layer's next such call. `weights` are parameters and
 * buffers, `variables` also generator states. */
GT_API gt_Tensors gt_variables(gt_Layer *layer);
GT_API gt_Tensors gt_weights(gt_Layer *layer);
GT_API gt_Tensors gt_trainable_variables(gt_Layer *layer);
GT_API gt_Tensors gt_non_trainable_variables(gt_Layer *layer);
/* The path of a variable relative to this layer: "dense_1/kernel". NULL with an error if it is not
 * one of its. Valid until the next call on this layer. */
GT_API const char *gt_variable_path(gt_Layer *layer, const gt_Variable *variable);
/* All elements of all weights; -1 on failure (not built). */
GT_API int64_t gt_count_params(gt_Layer *layer);
GT_API const char *gt_layer_name(const gt_Layer *layer);
GT_API bool gt_layer_built(const gt_Layer *layer);
GT_API int gt_layer_count(const gt_Layer *layer);                        /* children */
GT_API gt_Layer *gt_layer_at(const gt_Layer *layer, int index);          /* negative from the end */
GT_API gt_Layer *gt_layer_find(const gt_Layer *layer, const char *path); /* "encoder/dense_1" */

/* Freezing filters lists, for the layer and all below it; gradients still flow through. */
GT_API gt_Status gt_set_trainable(gt_Layer *layer, bool trainable);
GT_API bool gt_is_trainable(const gt_Layer *layer);

/* Keras's table: layers, output shapes, parameters. Text owned by the layer, until its next
 * summary. */
GT_API const char *gt_summary(gt_Layer *layer);

GT_END

#endif
