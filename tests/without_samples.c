/* Records of the library that is installed have no samples; those that tests link have (test_gradients, test_layer_table
 * refuse a record without). */
#include "gradtape.h"
#include <stdio.h>

int main(void)
{
    int operations, layers, found = 0;
    const gt_Operation *const *operation = gt_operations(&operations);
    const gt_LayerClass *const *layer = gt_layer_classes(&layers);
    for (int i = 0; i < operations; i++)
        if (operation[i]->samples) {
            fprintf(stderr, "operation %s has samples\n", operation[i]->name);
            found++;
        }
    for (int i = 0; i < layers; i++)
        if (layer[i]->samples) {
            fprintf(stderr, "layer %s has samples\n", layer[i]->name);
            found++;
        }
    return found || operations == 0 || layers == 0;
}
