/* The state of a layer, behind its struct. Not installed. Leans on core. */
#ifndef GT_LAYERS_INTERNAL_H
#define GT_LAYERS_INTERNAL_H

#include "core/fact.h"
#include "core/inside.h"
#include "layers/constraint.h"
#include "layers/layer.h"

typedef struct gt_Weight {
    gt_Variable *variable; /* held */
    char *name;            /* owned */
    gt_Regularizer regularizer;
    gt_Initializer initializer; /* of its first numbers, until they are drawn */
    gt_WeightKind kind;
} gt_Weight;

/* What later inputs must be like. */
typedef gt_set_input_spec_options gt_InputSpec;
#define GT_INPUT_SPECS 4

typedef struct gt_Child {
    gt_Layer *layer;  /* held */
    char *name;       /* in this container; owned */
    int32_t suffixes; /* name_1, ..., name_suffixes are taken */
} gt_Child;

/* The paths of all variables below a layer, as they are until a layer gets or loses a weight or a
 * child: each a name and where the path of what is around it is. */
typedef struct gt_PathPart {
    const char *name;
    int32_t around; /* -1: the layer itself */
} gt_PathPart;
typedef struct gt_Paths {
    gt_PathPart *parts;
    int32_t count, capacity;
    gt_Map variables;   /* variable -> the last part of its path */
    uint64_t structure; /* the context's when they were gathered */
} gt_Paths;

typedef struct gt_Summary gt_Summary;

/* State and struct are one block: `layer` points behind the state. */
struct gt_LayerState {
    gt_Object object;
    bool given_up; /* by gt_layer_free */
    gt_Layer *layer;
    char *name; /* owned */
    bool named; /* by the user */
    bool options; /* the struct's options are taken care of */
    bool trainable, built, building, creating;
    bool contained; /* it was a child of some layer once */
    bool policy_of_context; /* dtype and compute are from gt_set_dtype_policy: text and copies have to name them */
    const gt_Port *ports; /* of this layer alone; NULL: those of its class. Not owned */
    int32_t outputs;      /* of this layer alone; 0: those of its class */
    gt_Layer *parent; /* the first layer that it became a child of, while that lives; not held */
    gt_DType dtype, compute; /* of its weights, of the operands of its products; NONE: not known yet */
    gt_Weight *weights;
    int32_t weight_count, weight_capacity;
    gt_Child *children;
    int32_t child_count, child_capacity;
    gt_Map weight_names, child_names; /* text -> which of them */
    gt_Map places;                    /* layer -> the first child that it is */
    int32_t height; /* how deep layers are nested in it, as far as was known when they were added */
    gt_InputSpec spec[GT_INPUT_SPECS], spec_created[GT_INPUT_SPECS]; /* now, and before build */
    gt_Regularizer activity;
    gt_Spec output; /* of the last call, a size that differed from call to call -1; dtype NONE: never called, rank -1:
                     * ranks differed */
    gt_Spec *more_output; /* the same of outputs from 1 on, once somebody wanted them; owned */
    int32_t more_outputs;
    void (*rows)(gt_Layer *layer, gt_Summary *summary); /* a graph lists itself; NULL: its children are its rows */
    gt_Spec *built_for; /* the inputs that it was built for; owned */
    int32_t built_for_count;
    uint64_t built_at;       /* the count of the context's structure when it was built */
    int32_t children_before; /* how many children it had then */
    uint64_t call;  /* its last one with this layer outermost; 0: none */
    gt_Tensor *
        *losses; /* what it added itself, in call number `losses_of` of the outermost layer */
    int32_t loss_count, loss_capacity;
    uint64_t losses_of;
    gt_Tensor **list; /* what the list functions hand out */
    int32_t list_count, list_capacity;
    gt_Paths paths; /* what gt_variable_path has gathered */
    char *text;     /* what path and summary functions hand out */
    size_t text_bytes;
    uint64_t visit;
    gt_Object *compiled; /* train/compile.c: what gt_compile was given; held */
    gt_Object *data;     /* train/model_data.c: what it knows of the data it was fitted on; held; NULL: nothing */
    gt_Tensors (*optimizer_variables)(const struct gt_LayerState *state); /* of what it was compiled with; NULL: it was not */
    gt_Object *callable[3]; /* callable.c: the functions of 1, 2, 3 inputs that call this layer; not held */
};

/* Layers in layers in layers: each takes about 1.5 KB of the stack when it is called. */
#define GT_MAX_DEPTH 200

/* The state of a live layer; NULL with an error raised as `operation` otherwise. */
gt_LayerState *gt_layer_check(gt_Context *context, const char *here, const char *operation,
                              const gt_Layer *layer);
/* The dtype that text and copies name: what the layer was given, or what it has from the context; GT_DTYPE_NONE: neither. */
gt_DType gt_layer_own_policy(const gt_LayerState *state);
/* For a container that was just made: as if it had been given this dtype. */
void gt_layer_give_policy(gt_Layer *layer, gt_DType policy);
/* Takes back what build made, of the layer and of all below that were built since the context's structure counted `since`. */
void gt_layer_unbuild(gt_LayerState *state, uint64_t since);
/* Lets go of the children from number `children` on. */
void gt_layer_drop_children(gt_LayerState *state, int32_t children);
/* Moves a child forward to another place; names that the library gave are given anew, by position. */
gt_Status gt_layer_move_child(gt_LayerState *state, int32_t from, int32_t to);
/* Raises that layers are nested too deep. */
gt_Status gt_layer_too_deep(gt_Context *context, const char *here, const char *operation);
/* The child with that name; -1: there is none. */
int32_t gt_layer_find_child(const gt_LayerState *state, const char *name, size_t length);
/* Gives the first place that the child has in the layer another name, unique in there. */
gt_Status gt_child_rename(gt_Layer *layer, const gt_Layer *child, const char *name);
void gt_paths_close(gt_Context *context, gt_Paths *paths);
/* The same for who is going to change it: an error too if it belongs to another context. */
gt_LayerState *gt_layer_own(gt_Context *context, const char *here, const char *operation,
                            const gt_Layer *layer);
/* Room for `bytes` in state->text. */
char *gt_layer_text(gt_LayerState *state, size_t bytes);
char *gt_copy_text(gt_Context *context, const char *text);
void gt_free_text(gt_Context *context, char *text);
/* The penalty of a regularizer on a tensor; NULL without an error if it is none. */
gt_Tensor *gt_penalty(const gt_Regularizer *regularizer, gt_Tensor *tensor);
/* Were these values made by their functions, or are they not given? Raises an error for what a
 * lenient compiler let pass as one; `what` is the name of the option. */
gt_Status gt_regularizer_check(const char *what, const gt_Regularizer *regularizer);
gt_Status gt_initializer_check(const char *what, const gt_Initializer *initializer);
/* Before a value is kept beyond the call that gave it, once it is checked: it owns what it refers to. And when it is kept
 * no longer; of one that was not held, nothing. */
gt_Status gt_initializer_hold(gt_Initializer *initializer);
void gt_initializer_drop(gt_Initializer *initializer);
gt_Status gt_constraint_check(const char *what, const gt_Constraint *constraint);
/* The functions that call this layer say from now on that it was freed. */
void gt_callable_forget(gt_LayerState *state);
/* For `create`: an activation that gt_callable made from a layer makes that layer a child. */
gt_Status gt_adopt_activation(gt_Layer *layer, gt_TensorFunction activation);
/* Does the class, which may be of an older version, have this member? */
#define GT_CLASS_HAS(type, member)                                                                 \
    ((type)->size >= offsetof(gt_LayerClass, member) + sizeof(type)->member)
/* The inputs of a layer; a list that ends with a NULL name. */
const gt_Port *gt_layer_ports(const gt_LayerState *state);
/* Does the class say what becomes of masks? Then inputs come without them. */
bool gt_class_reads_masks(const gt_LayerClass *type);

/* ---- call.c ---- */
/* gt_call with all inputs in the order of the ports. `text` has GT_MAX_INPUTS places, one an input, where input[i] is NULL
 * then; NULL: none is text. `options->more`, `named` and their like are passed over. */
gt_Tensor *gt_call_inputs(const char *here, gt_Layer *layer, const gt_call_options *options,
                          int32_t count, gt_Tensor *const *inputs, const gt_Strings **text);
/* gt_build_for, but nothing is drawn. */
gt_Status gt_build_late(gt_Context *context, const char *here, gt_LayerState *state, int32_t count,
                        const gt_Spec *inputs);

/* ---- options.c ---- */
/* The options of a layer as text and copies have them, with the dtype that it names, in `options`. */
void gt_options_for_copy(const gt_LayerState *state, void *options);
/* The value of the option of that name and size; false: there is none. */
bool gt_option_get(const gt_OptionType *type, const void *options, const char *name, void *value,
                   size_t size);
/* Takes care of the options of a layer that is being made, by their types: see gt_layer_make. */
gt_Status gt_layer_own_options(gt_Layer *layer);
/* Lets go of what gt_layer_own_options took besides children. */
void gt_layer_free_options(gt_Layer *layer);
/* Frees the layers among options that nobody takes. */
void gt_options_refuse(const gt_OptionType *type, const void *options);

/* ---- initializers/scaled.c ---- */
/* One that is scaled by the fans with these axes for inputs and outputs, unless it has axes; any other as it is; for none
 * glorot_uniform. For kernels whose axes are not (..., in, out). */
gt_Initializer gt_initializer_with_axes(gt_Initializer given, gt_Axes input, gt_Axes output);

/* ---- initial.c ---- */
/* Draws the first numbers of all weights below that have none yet. */
gt_Status gt_layer_draw(gt_LayerState *state);
/* The path of a weight from the topmost layer around it: the key of its first numbers. */
gt_Status gt_weight_draw(void *layer, gt_Variable *variable, const gt_Spec *spec, void *data);

#endif
