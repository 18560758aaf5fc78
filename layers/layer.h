/* The layer contract. A layer of one's own is a struct whose first member is gt_Layer, and a class
 * with two functions: `build` makes the variables, once, when the shape of the input is known;
 * `call` computes with them, as often as it is called. A variable made in `call` is an error.
 *
 *     typedef struct { gt_Layer base; int64_t units; gt_Variable *kernel; } Affine;
 */
#ifndef GT_LAYERS_LAYER_H
#define GT_LAYERS_LAYER_H

#include "core/keyword.h"
#include "core/operation.h"
#include "core/tensor.h"
#include "core/variable.h"
#include "layers/initializer.h"
#include "layers/regularizer.h"

GT_BEGIN

typedef struct gt_Layer gt_Layer;
typedef struct gt_LayerState gt_LayerState;
typedef struct gt_LayerClass gt_LayerClass;

/* Any operation of one tensor: gt_relu, gt_tanh, a function of one's own. */
typedef gt_Tensor *(*gt_TensorFunction)(gt_Tensor *x);

/* The arguments of `build`. `shape` and `dtype` are those of the first input. */
typedef struct gt_BuildArgs {
    uint32_t size; /* of this struct */
    int32_t count; /* of inputs */
    gt_Shape shape;
    gt_DType dtype;
    const gt_Spec *inputs; /* all of them */
} gt_BuildArgs;

/* The arguments of `call`. `x` is the first input. */
typedef struct gt_CallArgs {
    uint32_t size; /* of this struct */
    int32_t count; /* of inputs */
    gt_Tensor *x;
    gt_Tensor *const *inputs; /* all of them */
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

enum {
    GT_LAYER_RANDOM = 1u << 0,    /* draws numbers in training, and none in inference */
    GT_LAYER_FUNCTION = 1u << 1,  /* calls a function that it was given */
    GT_LAYER_CONTAINER = 1u << 2, /* is made of other layers, which are no options */
};

/* A use of a class, for tests, documentation and bench: options, inputs like those of gt_Sample,
 * the shape of the result. */
typedef struct gt_LayerSample {
    const void *options;         /* NULL: the defaults */
    int32_t inputs;              /* 0 ends the list */
    const gt_SampleInput *input; /* `inputs` of them */
    gt_Shape output;
    uint64_t masks;    /* by bit: which inputs carry a mask over their first two axes */
    const char *keras; /* Keras's expression for the same layer; see tests/oracle/layers.py. NULL:
                          none */
} gt_LayerSample;

struct gt_LayerClass {
    uint32_t size;    /* of this struct: classes of older versions keep working */
    uint32_t flags;   /* GT_LAYER_... */
    const char *name; /* snake_case: the layer's default name, and what files say */
    size_t instance;  /* sizeof the struct that begins with gt_Layer */
    /* Checks what was given, registers children (gt_add_child). May be NULL. */
    gt_Status (*create)(gt_Layer *layer);
    /* Makes the variables (gt_add_weight) for such inputs. May be NULL. */
    gt_Status (*build)(gt_Layer *layer, const gt_BuildArgs *in);
    gt_Tensor *(*call)(gt_Layer *layer, const gt_CallArgs *in);
    /* Frees what the struct owns besides weights and children. May be NULL. */
    void (*destroy)(gt_Layer *layer);
    int32_t inputs; /* how many tensors `call` looks at, at most; 0: one. More are an error */
    /* For a class with an option list: see gt_layer_make. */
    const gt_OptionType *options; /* NULL: none */
    size_t options_offset;        /* where the struct has them */
    const char *function;         /* "Dense": the function gt_Dense makes it; NULL: another one */
    const char *keras;            /* the name of Keras's class; NULL: it has none */
    const char *summary;          /* one line for the documentation */
    const gt_LayerSample *samples;
};

/* Options that every built-in layer has. */
#define GT_LAYER_COMMON(F, S)                                                                      \
    F(S, const char *, name, NULL, "unique in its container; NULL: from the class")                \
    F(S, gt_DType, dtype, GT_DTYPE_NONE,                                                           \
      "of the weights; not given: the container's or the input's")                                 \
    F(S, bool, trainable, true, "false: its weights are in no trainable list")

/* ---- making and freeing ---- */

/* A new layer: the struct `instance` is copied, then `create` runs. Floating: a container takes it,
 * or the caller frees it with gt_layer_free, or the context does. */
#define gt_layer_new(...) gt_layer_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Layer *gt_layer_new_at(const char *here, const gt_LayerClass *type, const void *instance);
/* The same from the class's options, which may be NULL for the defaults: a struct of zeros gets
 * them where the class says. Those called name, dtype, trainable and activity_regularizer
 * (GT_LAYER_COMMON) have their effect. */
#define gt_layer_make(...) gt_layer_make_at(GT_HERE, __VA_ARGS__)
GT_API gt_Layer *gt_layer_make_at(const char *here, const gt_LayerClass *type, const void *options);
/* Drops the caller's hold. Using a freed layer is an error. NULL is ignored. */
GT_API void gt_layer_free(gt_Layer *layer);

/* ---- inside create and build ---- */

/* Registers a child and takes it, also when it fails. Returns it, or NULL. */
#define gt_add_child(layer, child) gt_add_child_at(GT_HERE, layer, child)
GT_API gt_Layer *gt_add_child_at(const char *here, gt_Layer *layer, gt_Layer *child);

#define gt_add_weight_OPTIONS(F, S)                                                                \
    F(S, gt_Initializer, initializer, GT_NOT_GIVEN,                      \
      "not given: glorot_uniform for floats, zeros for integers")                                  \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "not given: the layer's")                                 \
    F(S, bool, trainable, true, "false: a buffer, such as a moving average")                       \
    F(S, gt_Regularizer, regularizer, GT_NOT_GIVEN,                                                \
      "its penalty is part of gt_total_loss while the weight is trained")                          \
    F(S, bool, is_state, false, "a generator's state: in gt_variables, not in gt_weights")
GT_OPTIONS(gt_add_weight_options, gt_add_weight_OPTIONS);
/* gt_add_weight(layer, "kernel", gt_shape(in, out), .initializer = gt_Zeros()): only in `build`.
 * The variable belongs to the layer. */
#define gt_add_weight(layer, name, ...)                                                            \
    gt_add_weight_at(GT_HERE, layer, name, GT_FIRST(__VA_ARGS__),                                  \
                     GT_KEYWORDS(gt_add_weight, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Variable *gt_add_weight_at(const char *here, gt_Layer *layer, const char *name,
                                     gt_Shape shape, const gt_add_weight_options *options);
/* Uses a variable of another layer here too: counted, trained and saved once. */
#define gt_share_weight(layer, name, variable) gt_share_weight_at(GT_HERE, layer, name, variable)
GT_API gt_Variable *gt_share_weight_at(const char *here, gt_Layer *layer, const char *name,
                                       gt_Variable *variable);
/* Asks of later inputs: at least `min_rank` dimensions, and the last one of this size (0:
 * any). Checked before `call`. */
#define gt_set_input_spec(layer, min_rank, last)                                                   \
    gt_set_input_spec_at(GT_HERE, layer, min_rank, last)
GT_API gt_Status gt_set_input_spec_at(const char *here, gt_Layer *layer, int min_rank,
                                      int64_t last);

/* ---- calling ---- */

#define gt_call_OPTIONS(F, S)                                                                      \
    F(S, gt_Flag, training, GT_INHERIT, "not given: as the layer around it, outermost: false")     \
    F(S, gt_Tensors, more, GT_NOT_GIVEN, "inputs after the first")
GT_OPTIONS(gt_call_options, gt_call_OPTIONS);
/* gt_call(layer, x), gt_call(model, x, .training = true): builds the layer at the first call.
 *
 * The first numbers of a layer that is in no container depend on how many layers were made
 * before it. So do not make two such layers in one expression, gt_add(gt_call(gt_Dense(3), x),
 * gt_call(gt_Dense(3), x)): which of them is made first is the compiler's choice. Inside a
 * container their path tells them apart, with every compiler. */
#define gt_call(layer, ...)                                                                        \
    gt_call_at(GT_HERE, layer, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_call, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_call_at(const char *here, gt_Layer *layer, gt_Tensor *x,
                             const gt_call_options *options);
/* Builds a layer and all below it for inputs of this shape and type, without computing anything. */
#define gt_build(layer, shape, dtype) gt_build_at(GT_HERE, layer, shape, dtype)
GT_API gt_Status gt_build_at(const char *here, gt_Layer *layer, gt_Shape shape, gt_DType dtype);

/* Adds a scalar to the losses of the model that is being called. Only in `call`. */
#define gt_add_loss(layer, loss) gt_add_loss_at(GT_HERE, layer, loss)
GT_API gt_Status gt_add_loss_at(const char *here, gt_Layer *layer, gt_Tensor *loss);
/* loss + what the last call of the model added + the penalties of its trainable weights: what a
 * custom loop minimizes. `loss` may be NULL; the result is then NULL, without an error, if
 * nothing is added. */
#define gt_total_loss(model, loss) gt_total_loss_at(GT_HERE, model, loss)
GT_API gt_Tensor *gt_total_loss_at(const char *here, gt_Layer *model, gt_Tensor *loss);

/* ---- looking at one ---- */

/* Lists of variables: by position in the container and order of making inside a layer, whatever the
 * flags; each once. They live until the layer's next such call. `weights` are parameters and
 * buffers, `variables` also generator states. */
#define gt_variables(layer) gt_variables_at(GT_HERE, layer)
GT_API gt_Tensors gt_variables_at(const char *here, gt_Layer *layer);
#define gt_weights(layer) gt_weights_at(GT_HERE, layer)
GT_API gt_Tensors gt_weights_at(const char *here, gt_Layer *layer);
#define gt_trainable_variables(layer) gt_trainable_variables_at(GT_HERE, layer)
GT_API gt_Tensors gt_trainable_variables_at(const char *here, gt_Layer *layer);
#define gt_non_trainable_variables(layer) gt_non_trainable_variables_at(GT_HERE, layer)
GT_API gt_Tensors gt_non_trainable_variables_at(const char *here, gt_Layer *layer);
/* The path of a variable relative to this layer: "dense_1/kernel". NULL with an error if it is not
 * one of its. Valid until the next call on this layer. */
#define gt_variable_path(layer, variable) gt_variable_path_at(GT_HERE, layer, variable)
GT_API const char *gt_variable_path_at(const char *here, gt_Layer *layer,
                                       const gt_Variable *variable);
/* All elements of all weights; -1 on failure (not built). */
#define gt_count_params(layer) gt_count_params_at(GT_HERE, layer)
GT_API int64_t gt_count_params_at(const char *here, gt_Layer *layer);
#define gt_layer_name(layer) gt_layer_name_at(GT_HERE, layer)
GT_API const char *gt_layer_name_at(const char *here, const gt_Layer *layer);
#define gt_layer_built(layer) gt_layer_built_at(GT_HERE, layer)
GT_API bool gt_layer_built_at(const char *here, const gt_Layer *layer);
#define gt_layer_child_count(layer) gt_layer_child_count_at(GT_HERE, layer)
GT_API int gt_layer_child_count_at(const char *here, const gt_Layer *layer); /* children */
/* A child by its place, negative from the end, and any layer below by its path, "encoder/dense_1".
 * NULL with an error if there is none. */
#define gt_get_layer(layer, index) gt_get_layer_at(GT_HERE, layer, index)
#define gt_layer_find(layer, path) gt_layer_find_at(GT_HERE, layer, path)
GT_API gt_Layer *gt_get_layer_at(const char *here, const gt_Layer *layer, int index);
GT_API gt_Layer *gt_layer_find_at(const char *here, const gt_Layer *layer, const char *path);

/* Freezing filters lists, for the layer and all below it; gradients still flow through. */
#define gt_set_trainable(layer, trainable) gt_set_trainable_at(GT_HERE, layer, trainable)
GT_API gt_Status gt_set_trainable_at(const char *here, gt_Layer *layer, bool trainable);
#define gt_is_trainable(layer) gt_is_trainable_at(GT_HERE, layer)
GT_API bool gt_is_trainable_at(const char *here, const gt_Layer *layer);

/* Keras's table: layers, output shapes, parameters. Text owned by the layer, until its next
 * summary. */
#define gt_summary(layer) gt_summary_at(GT_HERE, layer)
GT_API const char *gt_summary_at(const char *here, gt_Layer *layer);

GT_END

#endif
