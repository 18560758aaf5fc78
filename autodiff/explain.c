/* Explanations: first what can be said of target and source alone, then a walk through everything between them, also
 * through what cuts gradients, to find the cut nearest to the source. Leans on walk.c. */
#include "autodiff/explain.h"
#include "autodiff/gradient.h"
#include "autodiff/walk.h"

#include <stdio.h>

void gt_name_source(const gt_Tensor *source, char *text, size_t size)
{
    if (gt_is_variable(source))
        snprintf(text, size, "variable %s", gt_variable_label(source));
    else
        snprintf(text, size, "the source");
}

/* Explains from the two ends alone, without a walk; false: they explain nothing. */
static bool explain_ends(gt_Context *context, gt_TapeSlot *tape, const gt_Value *target,
                         const gt_Tensor *source, const gt_Value *from, char *text, size_t size)
{
    gt_DType to_type = gt_value_spec(target)->dtype, from_type = gt_value_spec(from)->dtype;
    bool computed = gt_tape_point(context, tape, target).record != NULL;
    bool watched = gt_tape_point(context, tape, from).record != NULL;
    bool variable = gt_is_variable(source);
    char name[128];
    gt_name_source(source, name, sizeof name);
    if (!gt_dtype_is_float(from_type))
        snprintf(text, size, "%s is %s; only floats have gradients", name,
                 gt_dtype_name(from_type));
    else if (!gt_dtype_is_float(to_type))
        snprintf(text, size, "the target is %s; only floats have gradients",
                 gt_dtype_name(to_type));
    else if (gt_tape_is_used(tape))
        snprintf(text, size, "the tape was used already; only a persistent one answers twice");
    else if (!watched && variable && !gt_variable_is_trainable(source))
        snprintf(text, size, "%s is not trainable, and gt_watch was not called for it", name);
    else if (!computed)
        snprintf(text, size,
                 "the target was not computed while this tape recorded, or from nothing that it "
                 "watches");
    else if (!watched && variable)
        snprintf(text, size, "%s was not read while this tape recorded", name);
    else if (!watched)
        snprintf(text, size,
                 "%s was not watched and not computed from anything watched: call gt_watch before "
                 "it is used",
                 name);
    else
        return false;
    return true;
}

/* In the order from the source to the target: marks what is computed from the source, and finds the first node that
 * takes it and passes no gradient on; NULL: there is none. */
static const gt_WalkNode *find_cut(gt_Walk *walk, const gt_Value *from)
{
    const gt_WalkNode *cut = NULL;
    walk->nodes[gt_walk_find(walk, from).node].needed = true;
    for (int32_t n = walk->first; n >= 0; n = walk->nodes[n].behind) {
        gt_WalkNode *node = &walk->nodes[n];
        for (int32_t k = 0; k < node->view.inputs; k++) {
            if (!gt_walk_needs(walk, gt_walk_link(walk, node, k)))
                continue;
            node->needed = true;
            const gt_Spec *spec = gt_value_spec(node->view.input[k]);
            if (!cut && (!node->passes || !gt_dtype_is_float(spec->dtype)))
                cut = node;
        }
    }
    return cut;
}

static void explain_cut(const gt_RecordView *view, char *text, size_t size)
{
    const gt_Operation *operation = view->operation;
    const char *here = view->here ? view->here : "an unknown place";
    if (operation->flags & GT_OP_NOT_DIFFERENTIABLE)
        snprintf(text, size, "%s at %s has no gradient: %s", operation->name, here,
                 operation->why_not ? operation->why_not : "it is not differentiable");
    else
        snprintf(text, size, "%s at %s has integers as input or output, which have no gradient",
                 operation->name, here);
}

/* Does a walk that stops at cuts come to the source? */
static bool is_reached(gt_Context *context, gt_TapeSlot *tape, gt_Value *target,
                       const gt_Value *from)
{
    gt_Walk walk = {.context = context, .tape = tape};
    bool reached =
        gt_walk_collect(&walk, 1, &target, false) == GT_OK && gt_walk_find(&walk, from).node >= 0;
    gt_walk_close(&walk);
    return reached;
}

void gt_explain(gt_Context *context, gt_TapeSlot *tape, gt_Value *target, const gt_Tensor *source,
                const gt_Value *from, char *text, size_t size)
{
    if (explain_ends(context, tape, target, source, from, text, size))
        return;
    gt_Walk walk = {.context = context, .tape = tape};
    if (gt_walk_collect(&walk, 1, &target, true) == GT_OK) {
        const gt_WalkNode *cut = gt_walk_find(&walk, from).node < 0 ? NULL : find_cut(&walk, from);
        char name[128];
        gt_name_source(source, name, sizeof name);
        if (gt_walk_find(&walk, from).node >= 0 && is_reached(context, tape, target, from))
            snprintf(text, size, "there is a gradient");
        else if (cut && !cut->leaf)
            explain_cut(&cut->view, text, size);
        else
            snprintf(text, size, "the target was not computed from %s", name);
    }
    gt_walk_close(&walk);
}

const char *gt_explain_gradient_at(const char *here, gt_Tape *handle, gt_Tensor *target,
                                   gt_Tensor *source)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_error_message();
    gt_TapeSlot *tape = gt_tape_check(context, here, "explain_gradient", handle);
    gt_Value *to =
        tape ? gt_value_of(context, here, "explain_gradient", "the target", target) : NULL;
    gt_Value *from =
        to ? gt_value_of(context, here, "explain_gradient", "the source", source) : NULL;
    if (!from)
        return gt_context_message(context);
    size_t size;
    char *text = gt_context_text(context, &size);
    gt_explain(context, tape, to, source, from, text, size);
    return text;
}
