/* The graph of a traced function. */
#ifndef GT_PICTURES_FUNCTION_H
#define GT_PICTURES_FUNCTION_H

#include "pictures/model.h"
#include "plan/function.h"

GT_BEGIN

#define gt_plot_function_OPTIONS(F, S)                                                             \
    F(S, bool, show_shapes, true, "what each step gives")                                          \
    F(S, bool, show_layers, true, "the layer that a step is of")                                   \
    F(S, gt_RankDirection, rankdir, GT_RANK_DIRECTION_TB, "where arrows lead")                     \
    F(S, double, dpi, 200, "of the DOT, > 0")                                                      \
    F(S, bool, fold, true, "a long chain goes on in a further column; false: one, however long")
GT_OPTIONS(gt_plot_function_options, gt_plot_function_OPTIONS);
/* gt_plot_function(function): the steps of the plan that was used last, a dark box each, and arguments, variables and
 * constants, a light one each; an arrow leads to each step from what it reads. Views are no steps. Bodies of loops and
 * branches are one step. NULL on failure: a function that was not called, or of more than 4000 boxes. */
#define gt_plot_function(...)                                                                      \
    gt_plot_function_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                            \
                        GT_KEYWORDS(gt_plot_function, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Picture *gt_plot_function_at(const char *here, gt_Function *function,
                                       const gt_plot_function_options *options);

GT_END

#endif
