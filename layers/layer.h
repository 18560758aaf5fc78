/* The layer contract. A layer of one's own is a struct whose first member is gt_Layer, and a class
 * with two functions: `build` makes the variables, once, when the shape of the input is known;
 * `call` computes with them, as often as it is called. A variable made in `call` is an error.
 *
 *     typedef struct { gt_Layer base; int64_t units; gt_Variable *kernel; } Affine;
 */
#ifndef GT_LAYERS_LAYER_H
#define GT_LAYERS_LAYER_H

#include "core/keyword.h"
#include "core/mask.h"
#include "core/operation.h"
#include "core/strings.h"
#include "core/tensor.h"
#include "core/variable.h"
#include "layers/constraint.h"
#include "layers/initializer.h"
#include "layers/regularizer.h"

GT_BEGIN

typedef struct gt_Layer gt_Layer;
typedef struct gt_LayerClass gt_LayerClass;
/* What the library keeps of a layer: its variables, children, name, flags. Layers of one's own do not look inside. */
typedef struct gt_LayerState gt_LayerState;
/* Layers as an option: gt_layers(a, b). Whoever is given them takes them, also when it fails. */
typedef struct gt_Layers {
    gt_Layer *const *items; /* ends with GT_LIST_END */
} gt_Layers;

/* Any operation of one tensor: gt_relu, gt_tanh, a function of one's own. */
typedef gt_Tensor *(*gt_TensorFunction)(gt_Tensor *x);

/* The arguments of `build`. `shape` and `dtype` are those of the first input; GT_TEXT for text. */
typedef struct gt_BuildArgs {
    uint32_t size; /* of this struct */
    int32_t count; /* of inputs: up to the last one that was given */
    gt_Shape shape;
    gt_DType dtype;
    const gt_Spec *inputs;       /* in the order of the ports; an absent one has dtype GT_DTYPE_NONE */
    gt_DType variables, compute; /* the layer's policy */
} gt_BuildArgs;

/* The arguments of `call`. `x` is the first input and `mask` the first mask. */
typedef struct gt_CallArgs {
    uint32_t size; /* of this struct */
    int32_t count; /* of inputs: up to the last one that was given */
    gt_Tensor *x;
    gt_Tensor *const *inputs; /* in the order of the ports; NULL: an optional one that is absent */
    bool training;
    gt_DType compute;        /* the type that operands of products have: see gt_autocast */
    gt_Tensor *mask;         /* NULL: x has none */
    gt_Tensor *const *masks; /* one an input */
    gt_Tensor **outputs;     /* `call` returns output 0 and writes the others here, from 1 on */
    uint32_t wanted;         /* by bit: the outputs that somebody asked for; the others may stay NULL */
    const gt_Strings *const *text; /* one an input, NULL where that is a tensor; NULL: all are. Text has no tensor */
} gt_CallArgs;

/* How a layer calls one of its inputs, and what is checked of it before `build` and `call`. */
enum {
    GT_PORT_OPTIONAL = 1u << 0,
    GT_PORT_MANY = 1u << 1,     /* the last one: any number of inputs from here on */
    GT_PORT_INTEGERS = 1u << 2, /* takes whole numbers, not floats alone */
    GT_PORT_TEXT = 1u << 3,     /* takes text, gt_Strings; with GT_PORT_INTEGERS: or a tensor */
};
typedef struct gt_Port {
    const char *name; /* "query"; NULL ends a list */
    uint32_t flags;
    int8_t rank_min, rank_max; /* 0: any */
} gt_Port;
#define GT_PORTS(...) ((const gt_Port[]){__VA_ARGS__, {NULL, 0, 0, 0}})
#define GT_MAX_LAYER_OUTPUTS 16

/* The first member of every layer. The fields are the library's, but for those that say otherwise.
 */
struct gt_Layer {
    uint64_t word; /* says that this is a layer */
    const gt_LayerClass *type;
    gt_LayerState *state;
    const char *name; /* may be given; copied */
    gt_DType dtype;   /* or a policy; may be given; else the container's, the context's, or the first input's */
};

/* What a class declares. Of masks it says at most one thing: that output 0 keeps the mask of x, that masks end here, or
 * what the mask of output 0 is (`mask`). Then `call` gets inputs without masks, and the masks beside them. A class that
 * says nothing gets inputs as they came, and its operations pass masks on. */
enum {
    GT_LAYER_RANDOM = 1u << 0,     /* draws numbers in training, and none in inference */
    GT_LAYER_FUNCTION = 1u << 1,   /* calls a function that it was given */
    GT_LAYER_CONTAINER = 1u << 2,  /* is made of other layers, which are no options */
    GT_LAYER_KEEPS_MASK = 1u << 3, /* Keras's supports_masking */
    GT_LAYER_DROPS_MASK = 1u << 4, /* with a warning, as in Keras */
    GT_LAYER_FLOAT32 = 1u << 5,    /* computes in float32 at least, whatever the policy */
};

/* A use of a class, for tests, documentation and bench. Built-in classes have theirs in the library that tests link
 * (GT_WITH_SAMPLES); in the installed one `samples` of their records is NULL. */
typedef struct gt_LayerSample {
    const void *options;         /* GT_LAYER_OPTIONS(gt_Dense, .units = 3); NULL: the defaults */
    int32_t inputs;              /* 0 ends the list */
    const gt_SampleInput *input; /* `inputs` of them, like those of gt_Sample; shape rank -1: absent */
    gt_Shape output;             /* the shape of output 0 */
    gt_Layer *(*make)(void);     /* instead of options, where values or layers are among them */
    uint32_t masks;              /* by bit: inputs that have a mask of (batch, steps) */
    int32_t outputs;             /* how many are asked for; 0: one */
    const char *keras;           /* the same layer in Python, "Dense(3)"; NULL: there is none */
} gt_LayerSample;
/* Options in a static initializer, by their names. */
#define GT_LAYER_OPTIONS(f, ...)                                                                   \
    ((const void *)&(const f##_options){GT_PRESETS(f##_options, f##_OPTIONS) __VA_ARGS__})

/* The stages of adapting a layer to data, as Normalization learns its mean: begin, each batch, end. */
typedef enum gt_AdaptStage { GT_ADAPT_STAGE_BEGIN, GT_ADAPT_STAGE_BATCH, GT_ADAPT_STAGE_END } gt_AdaptStage;

/* The class of a layer: its names, options and ports, and the functions that build and call it. */
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
    const gt_Port *ports; /* GT_PORTS(...): the inputs; NULL: one, "x" */
    int32_t outputs;      /* how many there are at most; 0: one */
    /* The mask of output 0, NULL without an error: none. Runs after `call`, with the same arguments. May be NULL. */
    gt_Tensor *(*mask)(gt_Layer *layer, const gt_CallArgs *in);
    /* For a class with an option list: see gt_layer_make. */
    const gt_OptionType *options; /* NULL: none */
    size_t options_offset;        /* where the struct has them */
    const char *function;         /* "Dense": the function gt_Dense makes it; NULL: another one */
    const char *keras;            /* the name of Keras's class; NULL: it has none */
    const char *summary;          /* one line for the documentation */
    const gt_LayerSample *samples;
    /* Learns from data, batch by batch; `batch` is NULL at the beginning and the end. The layer is built, if it has a `build`.
     * May be NULL. */
    gt_Status (*adapt)(gt_Layer *layer, gt_AdaptStage stage, const gt_CallArgs *batch);
    /* Puts its states (GT_WEIGHT_KIND_STATE) to where they start. NULL: to zero. */
    gt_Status (*reset)(gt_Layer *layer);
    /* Of a cell, which steps through time: how many states it has, and the shape of each for one row; they are inputs and
     * outputs 1 to n. NULL: it is no cell. */
    int32_t (*states)(const gt_Layer *layer, gt_Shape *shapes);
    /* Another one like this, with new weights, where options do not tell all (containers). May be NULL. */
    gt_Layer *(*copy)(gt_Layer *layer);
};

/* Options that every built-in layer has; GT_LAYER_NAMED are those of a layer with a penalty of its own. */
#define GT_LAYER_NAMED(F, S)                                                                       \
    F(S, const char *, name, NULL, "unique in its container; NULL: from the class")                \
    F(S, gt_DType, dtype, GT_DTYPE_NONE,                                                           \
      "of the weights, or a policy, gt_mixed_bfloat16(); not given: the container's or the input's") \
    F(S, bool, trainable, true, "false: its weights are in no trainable list")
#define GT_LAYER_COMMON(F, S)                                                                      \
    GT_LAYER_NAMED(F, S)                                                                           \
    F(S, gt_Regularizer, activity_regularizer, GT_NOT_GIVEN,                                       \
      "its penalty on output 0, divided by the batch, is part of gt_total_loss")
/* An activation among options: a function, or a layer where it has options of its own. */
#define GT_ACTIVATION(F, S)                                                                        \
    F(S, gt_TensorFunction, activation, NULL, "applied to the result: gt_relu; NULL: none")        \
    F(S, gt_Layer *, activation_layer, NULL, "or a layer: gt_LeakyReLU(.negative_slope = 0.3)")

/* ---- making and freeing ---- */

/* A new layer: the struct `instance` is copied (NULL: all of it is zero), then `create` runs. Floating: a container takes it,
 * or the caller frees it with gt_layer_free, or the context does. */
#define gt_layer_new(...) gt_layer_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Layer *gt_layer_new_at(const char *here, const gt_LayerClass *type, const void *instance);
/* The same from the class's options, which may be NULL for the defaults: a struct of zeros gets
 * them where the class says. Those called name, dtype, trainable and activity_regularizer
 * (GT_LAYER_COMMON) have their effect. Before `create` runs, options have been taken care of by their types: strings are
 * copied; layers (gt_Layer *, gt_Layers) become children, also when it fails; activations (gt_TensorFunction),
 * initializers, regularizers and constraints were made by their functions, or are not given. */
#define gt_layer_make(...) gt_layer_make_at(GT_HERE, __VA_ARGS__)
GT_API gt_Layer *gt_layer_make_at(const char *here, const gt_LayerClass *type, const void *options);
/* A layer of the same class with the same options and weights of its own, which are made anew; with copies of its
 * children. Floating. NULL with an error for a class that has no options. */
#define gt_layer_copy(layer) gt_layer_copy_at(GT_HERE, layer)
GT_API gt_Layer *gt_layer_copy_at(const char *here, const gt_Layer *layer);
/* The same with one option changed, which is known by its name and size: backwards is
 *     bool back = true; gt_layer_copy_with(lstm, "go_backwards", &back, sizeof back) */
#define gt_layer_copy_with(layer, option, memory, bytes)                                           \
    gt_layer_copy_with_at(GT_HERE, layer, option, memory, bytes)
GT_API gt_Layer *gt_layer_copy_with_at(const char *here, const gt_Layer *layer, const char *option,
                                       const void *memory, size_t bytes);
/* Drops the caller's hold. Using a freed layer is an error, and so is freeing one that is a part of another: it is freed with
 * that. NULL is ignored. */
GT_API void gt_layer_free(gt_Layer *layer);

/* ---- inside create and build ---- */

/* Registers a child and takes it, also when it fails. Returns it, or NULL. */
#define gt_add_child(layer, child) gt_add_child_at(GT_HERE, layer, child)
GT_API gt_Layer *gt_add_child_at(const char *here, gt_Layer *layer, gt_Layer *child);

/* Parameters and buffers are in gt_weights and in files; generators in gt_variables alone; states, which a stateful layer
 * carries from call to call, in neither, but in checkpoints. */
typedef enum gt_WeightKind {
    GT_WEIGHT_KIND_PARAMETER,
    GT_WEIGHT_KIND_GENERATOR,
    GT_WEIGHT_KIND_STATE
} gt_WeightKind;
#define gt_add_weight_OPTIONS(F, S)                                                                \
    F(S, gt_Initializer, initializer, GT_NOT_GIVEN,                      \
      "not given: glorot_uniform for floats, zeros for integers")                                  \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "not given: the layer's")                                 \
    F(S, bool, trainable, true, "false: a buffer, such as a moving average")                       \
    F(S, gt_Regularizer, regularizer, GT_NOT_GIVEN,                                                \
      "its penalty is part of gt_total_loss while the weight is trained")                          \
    F(S, gt_Constraint, constraint, GT_NOT_GIVEN, "applied by the optimizer after each update")    \
    F(S, gt_WeightKind, kind, GT_WEIGHT_KIND_PARAMETER, "which lists it is in")
GT_OPTIONS(gt_add_weight_options, gt_add_weight_OPTIONS);
/* gt_add_weight(layer, "kernel", gt_shape(in, out), .initializer = gt_Zeros()): only in `build`.
 * The variable belongs to the layer. Its first numbers are drawn later, outside of every tape and trace: when they are
 * first read, at the end of the outermost call that built it, or when the model is compiled. Assigning or loading before
 * that, nothing is drawn. They come from the seed and the path of the weight in the topmost layer around it. */
#define gt_add_weight(layer, name, ...)                                                            \
    gt_add_weight_at(GT_HERE, layer, name, GT_FIRST(__VA_ARGS__),                                  \
                     GT_KEYWORDS(gt_add_weight, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Variable *gt_add_weight_at(const char *here, gt_Layer *layer, const char *name,
                                     gt_Shape shape, const gt_add_weight_options *options);
/* The state of a random generator, for layers that draw: an int64 variable of two numbers, which gt_dropout and its kin take
 * as `.generator`. `seed` -1: from the context's seed and the layer's path. Only in `build`. */
#define gt_add_generator(layer, seed) gt_add_generator_at(GT_HERE, layer, seed)
GT_API gt_Variable *gt_add_generator_at(const char *here, gt_Layer *layer, int64_t seed);
/* Uses a variable of another layer here too: counted, trained and saved once. */
#define gt_share_weight(layer, name, variable) gt_share_weight_at(GT_HERE, layer, name, variable)
GT_API gt_Variable *gt_share_weight_at(const char *here, gt_Layer *layer, const char *name,
                                       gt_Variable *variable);
#define gt_set_input_spec_OPTIONS(F, S)                                                            \
    F(S, int32_t, rank, 0, "exactly so many dimensions; 0: any number")                            \
    F(S, int32_t, min_rank, 0, "at least")                                                         \
    F(S, int32_t, max_rank, 0, "at most; 0: no limit")                                             \
    F(S, int32_t, axis, -1, "the axis that `dim` is about")                                        \
    F(S, int64_t, dim, 0, "its size; 0: any")                                                      \
    F(S, gt_DType, dtype, GT_DTYPE_NONE, "its type; not given: any")
GT_OPTIONS(gt_set_input_spec_options, gt_set_input_spec_OPTIONS);
/* gt_set_input_spec(layer, 0, .min_rank = 2, .dim = 64): what input 0 must be like, checked before `call` (Keras's
 * InputSpec). In `create` or `build`; the last one set for an input counts. Inputs 0 to 3. */
#define gt_set_input_spec(layer, ...)                                                              \
    gt_set_input_spec_at(GT_HERE, layer, GT_FIRST(__VA_ARGS__),                                    \
                         GT_KEYWORDS(gt_set_input_spec, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Status gt_set_input_spec_at(const char *here, gt_Layer *layer, int input,
                                      const gt_set_input_spec_options *options);

/* ---- calling ---- */

/* Inputs by the names of their ports: gt_named({"attention_mask", m}, {"key", k}). */
typedef struct gt_NamedInput {
    const char *name;
    gt_Tensor *tensor;
} gt_NamedInput;
/* Inputs by the names of their ports. It borrows: array and names are the caller's. */
typedef struct gt_NamedInputs {
    const gt_NamedInput *items; /* ends with a NULL name */
} gt_NamedInputs;
/* Text by the names of its ports: gt_named_text({"title", title}, {"body", body}). */
typedef struct gt_NamedText {
    const char *name;
    gt_Strings text;
} gt_NamedText;
/* Columns of text by the names of their ports. It borrows: array and names are the caller's. */
typedef struct gt_NamedTexts {
    const gt_NamedText *items; /* ends with a NULL name */
} gt_NamedTexts;
/* Where outputs go: gt_outputs(&h, &c); a NULL among them: this one is not wanted. */
typedef struct gt_Outputs {
    gt_Tensor **const *items; /* ends with GT_LIST_END */
} gt_Outputs;

#define gt_call_OPTIONS(F, S)                                                                      \
    F(S, gt_Flag, training, GT_INHERIT, "not given: as the layer around it, outermost: false")     \
    F(S, gt_Tensors, more, GT_NOT_GIVEN, "inputs after the first; NULL: an optional one is absent") \
    F(S, gt_NamedInputs, named, GT_NOT_GIVEN, "inputs by the names of their ports")                \
    F(S, gt_Tensor *, mask, NULL, "bool, instead of the mask that x has")                          \
    F(S, gt_Outputs, outputs, GT_NOT_GIVEN, "get the outputs after the first")                     \
    F(S, gt_Strings, text, GT_NOT_GIVEN, "the first input where it is text: x is NULL then")       \
    F(S, gt_NamedTexts, named_text, GT_NOT_GIVEN, "text by the names of its ports")
GT_OPTIONS(gt_call_options, gt_call_OPTIONS);
/* gt_call(layer, x), gt_call(model, x, .training = true), gt_call(lstm, x, .outputs = gt_outputs(&h, &c)): builds the
 * layer at the first call. What `outputs` names is NULL on failure.
 * gt_call(model, NULL, .text = reviews) where the first input is text, gt_call(model, age, .named_text =
 * gt_named_text({"title", titles})) where others are. Text is read when the call is made and never in a traced function.
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

/* The same for several inputs, in the order of the ports; an absent one has dtype GT_DTYPE_NONE. */
#define gt_build_for(layer, count, inputs) gt_build_for_at(GT_HERE, layer, count, inputs)
GT_API gt_Status gt_build_for_at(const char *here, gt_Layer *layer, int32_t count,
                                 const gt_Spec *inputs);

/* In `call`: x as the operand of a product. A float tensor becomes in->compute if that is float16 or bfloat16 (Keras's
 * autocast); anything else, and NULL, stays what it is. Products sum in float32 and give float32. */
#define gt_autocast(in, x) gt_autocast_at(GT_HERE, in, x)
GT_API gt_Tensor *gt_autocast_at(const char *here, const gt_CallArgs *in, gt_Tensor *x);

/* Puts the states of the layer and of all below it to where they start, as Keras's reset_states. */
#define gt_reset_states(layer) gt_reset_states_at(GT_HERE, layer)
GT_API gt_Status gt_reset_states_at(const char *here, gt_Layer *layer);

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
/* The path of a variable relative to this layer: "dense_1/kernel". "" with an error if it is not
 * one of its. Valid until the next call on this layer. */
#define gt_variable_path(layer, variable) gt_variable_path_at(GT_HERE, layer, variable)
GT_API const char *gt_variable_path_at(const char *here, gt_Layer *layer,
                                       const gt_Variable *variable);
/* The states of stateful layers, which are in none of these lists. */
#define gt_state_variables(layer) gt_state_variables_at(GT_HERE, layer)
GT_API gt_Tensors gt_state_variables_at(const char *here, gt_Layer *layer);
/* All that gt_trainable_variables leaves out: frozen weights and buffers, such as moving averages, the states of generators,
 * the states of stateful layers. What gt_stateless_call takes beside the trained ones. */
#define gt_other_variables(layer) gt_other_variables_at(GT_HERE, layer)
GT_API gt_Tensors gt_other_variables_at(const char *here, gt_Layer *layer);
/* Gives the weights of a built layer the numbers of these tensors, in the order of gt_weights; other types are converted. All is
 * checked before anything is written: how many there are, and every shape. */
#define gt_set_weights(layer, values) gt_set_weights_at(GT_HERE, layer, values)
GT_API gt_Status gt_set_weights_at(const char *here, gt_Layer *layer, gt_Tensors values);
/* All elements of all weights; -1 on failure (not built). */
#define gt_count_params(layer) gt_count_params_at(GT_HERE, layer)
GT_API int64_t gt_count_params_at(const char *here, gt_Layer *layer);
/* Its name, given or made from the class; "" on failure. */
#define gt_layer_name(layer) gt_layer_name_at(GT_HERE, layer)
GT_API const char *gt_layer_name_at(const char *here, const gt_Layer *layer);
/* Has it its weights? False also on failure. */
#define gt_layer_built(layer) gt_layer_built_at(GT_HERE, layer)
GT_API bool gt_layer_built_at(const char *here, const gt_Layer *layer);
/* How many layers it is made of, those inside them not counted; -1 on failure. */
#define gt_layer_child_count(layer) gt_layer_child_count_at(GT_HERE, layer)
GT_API int gt_layer_child_count_at(const char *here, const gt_Layer *layer);
/* A child by its place, negative from the end, and any layer below by its path, "encoder/dense_1".
 * NULL with an error if there is none. */
#define gt_get_layer(layer, index) gt_get_layer_at(GT_HERE, layer, index)
#define gt_layer_find(layer, path) gt_layer_find_at(GT_HERE, layer, path)
GT_API gt_Layer *gt_get_layer_at(const char *here, const gt_Layer *layer, int index);
GT_API gt_Layer *gt_layer_find_at(const char *here, const gt_Layer *layer, const char *path);

/* Freezing filters lists, for the layer and all below it; gradients still flow through. gt_is_trainable: is the flag of the
 * layer itself set? */
#define gt_set_trainable(layer, trainable) gt_set_trainable_at(GT_HERE, layer, trainable)
GT_API gt_Status gt_set_trainable_at(const char *here, gt_Layer *layer, bool trainable);
#define gt_is_trainable(layer) gt_is_trainable_at(GT_HERE, layer)
GT_API bool gt_is_trainable_at(const char *here, const gt_Layer *layer);

/* How many outputs the layer has; -1 on failure. */
#define gt_layer_outputs(layer) gt_layer_outputs_at(GT_HERE, layer)
GT_API int gt_layer_outputs_at(const char *here, const gt_Layer *layer);

#define gt_summary_OPTIONS(F, S)                                                                   \
    F(S, int32_t, line_length, 80, "columns of a line, at least 40; wider cells go on below")       \
    F(S, bool, expand_nested, false, "also lists what layers are made of, indented")               \
    F(S, bool, show_trainable, false, "a column: Y, N, or - where there are no weights")
GT_OPTIONS(gt_summary_options, gt_summary_OPTIONS);
/* gt_summary(model), gt_summary(model, .expand_nested = true): Keras's table. For each layer its name and class, the shape of
 * its outputs as it was called last (None: the batch, and what differed from call to call or is unknown), the elements of
 * its weights, and in a functional model that branches, from which outputs its inputs come, dense[0][0] being output 0 of
 * the first call of dense. Below: elements and bytes of all weights, each once, and of the optimizer once that has its
 * slots, which the total includes as in Keras. Nothing is drawn. The text is the layer's, until its next summary, path or
 * JSON; "" on failure. */
#define gt_summary(...)                                                                            \
    gt_summary_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_summary, GT_AFTER_1(__VA_ARGS__)))
GT_API const char *gt_summary_at(const char *here, gt_Layer *layer,
                                 const gt_summary_options *options);

/* ---- policies ---- */

/* A policy: weights in float32, products in another type (Keras's mixed precision). It stands wherever a layer accepts a
 * dtype. With a plain dtype inputs stay what they are; weights of 16 bits are stored so, and computed with in float32. */
static inline gt_DType gt_mixed_float16(void)
{
    return (gt_DType)(GT_FLOAT32 | GT_FLOAT16 << 8);
}
static inline gt_DType gt_mixed_bfloat16(void)
{
    return (gt_DType)(GT_FLOAT32 | GT_BFLOAT16 << 8);
}
/* The type that weights have, and the one of products. GT_DTYPE_NONE gives GT_DTYPE_NONE. */
static inline gt_DType gt_variable_dtype(gt_DType policy)
{
    return (gt_DType)(policy & 255);
}
static inline gt_DType gt_compute_dtype(gt_DType policy)
{
    return (gt_DType)(policy >> 8 ? policy >> 8 : policy);
}
/* The policy of the layers that are built from here on in this context and have none, nor a container with one.
 * GT_DTYPE_NONE, as at first: float types follow the input. */
#define gt_set_dtype_policy(policy) gt_set_dtype_policy_at(GT_HERE, policy)
GT_API gt_Status gt_set_dtype_policy_at(const char *here, gt_DType policy);
GT_API gt_DType gt_dtype_policy(void);

GT_END

#ifdef __cplusplus
#include <cstddef>
#include <initializer_list>
/* Lists that live to the end of the full expression. */
template <std::size_t N> struct gt_OutputArray {
    gt_Tensor **items[N];
    operator gt_Outputs() const
    {
        gt_Outputs list = {items};
        return list;
    }
};
template <class... T> inline gt_OutputArray<sizeof...(T) + 1> gt_outputs(T... t)
{
    return gt_OutputArray<sizeof...(T) + 1>{{t..., static_cast<gt_Tensor **>(GT_LIST_END)}};
}
inline gt_NamedInputs gt_named_of_(std::initializer_list<gt_NamedInput> list)
{
    gt_NamedInputs inputs = {list.begin()};
    return inputs;
}
#define gt_named(...) gt_named_of_({__VA_ARGS__, {nullptr, nullptr}})
inline gt_NamedTexts gt_named_text_of_(std::initializer_list<gt_NamedText> list)
{
    gt_NamedTexts texts = {list.begin()};
    return texts;
}
#define gt_named_text(...) gt_named_text_of_({__VA_ARGS__, {nullptr, {nullptr, nullptr, 0}}})
template <std::size_t N> struct gt_LayerArray {
    gt_Layer *items[N];
    operator gt_Layers() const
    {
        gt_Layers list = {items};
        return list;
    }
};
template <class... T> inline gt_LayerArray<sizeof...(T) + 1> gt_layers(T... t)
{
    return gt_LayerArray<sizeof...(T) + 1>{{t..., static_cast<gt_Layer *>(GT_LIST_END)}};
}
#else
/* gt_outputs(&h, &c): where the outputs after the first go. */
#define gt_outputs(...) ((gt_Outputs){(gt_Tensor **const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)}})
/* gt_named({"query", q}, {"value", v}): inputs by the names of their ports; text the same way. */
#define gt_named(...)   ((gt_NamedInputs){(const gt_NamedInput[]){__VA_ARGS__, {NULL, NULL}}})
#define gt_named_text(...)                                                                         \
    ((gt_NamedTexts){(const gt_NamedText[]){__VA_ARGS__, {NULL, {NULL, NULL, 0}}}})
/* gt_layers(a, b): layers as an option, which takes them over. */
#define gt_layers(...)  ((gt_Layers){(gt_Layer *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)}})
#endif

#endif
