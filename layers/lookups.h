/* Text is looked up ahead of a traced function, into which it cannot go: the layers that a model gives it to are called eagerly,
 * batch by batch, and what they give is an argument of the function; in there their calls have it.
 *
 *     gt_lookups_find       a call with symbols, in which each layer that is given text and can stand alone is noted
 *     gt_lookups_make       calls them with the strings of a batch
 *     gt_lookups_begin      from here on a call of one of them is what it gave, ... gt_lookups_end
 *
 * A layer can stand alone if it has no weights that are trained, and is no container of layers that have weights. Private to
 * the library. */
#ifndef GT_LAYERS_LOOKUPS_H
#define GT_LAYERS_LOOKUPS_H

#include "core/strings_inside.h"
#include "layers/internal.h"

/* A call of a layer with text. */
typedef struct gt_Lookup {
    gt_Layer *layer; /* not held */
    int32_t inputs;
    int8_t text[GT_MAX_INPUTS]; /* which of the model's strings, in the order of its ports; -1: an absent input */
    uint32_t wanted;
    bool training;
    gt_Tensor *outputs[GT_MAX_LAYER_OUTPUTS]; /* those that are wanted, while it is made and given */
} gt_Lookup;

typedef struct gt_Lookups {
    gt_Context *context;
    gt_Lookup *items;
    int32_t count, capacity;
    bool found;
    uint64_t structure; /* of the context, and trainable weights of the model, when they were found */
    int32_t trainable;
    bool gives;                       /* else it notes */
    gt_Tensor *known[GT_MAX_INPUTS]; /* the offsets of each of the model's strings */
    int32_t known_count;
} gt_Lookups;

void gt_lookups_close(gt_Lookups *self);
/* Finds them, unless it is known which they are: `inputs` in the order of the ports, GT_TEXT among them. */
gt_Status gt_lookups_find(gt_Context *context, gt_Lookups *self, gt_Layer *model, bool training, int32_t count,
                          const gt_Spec *inputs);
/* Calls them; the outputs belong to the innermost scope. */
gt_Status gt_lookups_make(gt_Lookups *self, const gt_Strings *strings);
/* How many outputs they have together; in one list, and from one. */
int32_t gt_lookups_outputs(const gt_Lookups *self);
void gt_lookups_list(const gt_Lookups *self, gt_Tensor **list);
void gt_lookups_take(gt_Lookups *self, gt_Tensor *const *list);
/* What is called from here on is given them; returns what `end` wants. */
gt_Lookups *gt_lookups_begin(gt_Lookups *self, const gt_Strings *strings, int32_t count);
void gt_lookups_end(gt_Context *context, gt_Lookups *before);

/* ---- for call.c ---- */

/* Another text of the model, in the order of the ports, while they are found. */
void gt_lookups_know(gt_Context *context, const gt_Strings *strings);
/* The call of a layer with `text`: true if `outputs` are what it gave ahead, or an error is raised. Notes it otherwise, if it is to
 * be noted; *before is then what gt_lookups_end wants after the call, else NULL. */
bool gt_lookups_call(gt_Context *context, gt_LayerState *state, int32_t count, gt_Tensor *const *inputs,
                     const gt_Strings *const *text, uint32_t wanted, gt_Tensor **outputs, gt_Lookups **before);

#endif
