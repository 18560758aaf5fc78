/* gradtape plot: a model as a picture. */
#include "cli/command.h"

#include <stdlib.h>

static const char *output = "model.svg";
static bool nested, wide;

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, &output, "FILE", "the picture: .svg, or .dot for Graphviz"},
    {"nested", 0, OPTION_FLAG, &nested, NULL, "models in the model as their parts"},
    {"wide", 0, OPTION_FLAG, &wide, NULL, "arrows lead from left to right"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int run(const char **operands)
{
    gt_Layer *model = output_free(output) ? gt_load_model(operands[0]) : NULL;
    if (!model || gt_save_picture(
                      gt_plot_model(model, .show_shapes = true, .show_layer_names = true,
                                    .show_layer_activations = true, .expand_nested = nested,
                                    .rankdir = wide ? GT_RANK_DIRECTION_LR : GT_RANK_DIRECTION_TB),
                      output) != GT_OK)
        return EXIT_FAILURE;
    printf("%s\n", output);
    return finish_output(stdout, "standard output");
}

const Command plot_command = {
    .name = "plot",
    .operands = "MODEL",
    .operand_count = 1,
    .summary = "Draws the layers of a model",
    .more = "A box for each layer with its name, shapes and activation, and arrows for what it "
            "computes from what.\n",
    .options = options,
    .run = run,
};
