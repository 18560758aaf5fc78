/* Records of the library that is installed have no samples, formulas nor words on their options; those that tests link
 * have (test_gradients, test_layer_table refuse a record without). */
#include "gradtape.h"
#include <stdio.h>

static bool has_texts(const gt_OptionType *options)
{
    return options && options->texts;
}

int main(void)
{
    int operations, layers, found = 0;
    const gt_Operation *const *operation = gt_operations(&operations);
    const gt_LayerClass *const *layer = gt_layer_classes(&layers);
    for (int i = 0; i < operations; i++)
        if (operation[i]->samples || operation[i]->formula || has_texts(operation[i]->options)) {
            fprintf(stderr, "operation %s has samples or words\n", operation[i]->name);
            found++;
        }
    for (int i = 0; i < layers; i++)
        if (layer[i]->samples || has_texts(layer[i]->options)) {
            fprintf(stderr, "layer %s has samples or words\n", layer[i]->name);
            found++;
        }
    return found || operations == 0 || layers == 0;
}
