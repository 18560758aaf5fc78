/* gradtape summary: the layers of a model. */
#include "cli/command.h"

#include <stdlib.h>

static int64_t width = 80;
static bool nested;

static const Option options[] = {
    {"width", 'w', OPTION_INTEGER, &width, "N", "columns of a line, at least 40"},
    {"nested", 0, OPTION_FLAG, &nested, NULL, "also what layers are made of"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int run(const char **operands)
{
    if (width < 40 || width > 10000)
        return misuse("--width must be from 40 to 10000 (got %lld)", (long long)width);
    gt_Layer *model = gt_load_model(operands[0]);
    const char *text = gt_summary(model, .line_length = (int32_t)width, .expand_nested = nested);
    if (gt_status() != GT_OK)
        return EXIT_FAILURE;
    fputs(text, stdout);
    return finish_output(stdout, "standard output");
}

const Command summary_command = {
    .name = "summary",
    .operands = "MODEL",
    .operand_count = 1,
    .summary = "Lists the layers of a model",
    .more = "For each layer its name and class, the shape of its output and the number of its "
            "weights.\n",
    .options = options,
    .run = run,
};
