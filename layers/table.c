/* The table itself, and finding a class by name. */
#include "layers/table.h"

#include <string.h>

#define ENTRY(name) &gt_layer_class_##name,
static const gt_LayerClass *const table[] = {GT_LAYERS(ENTRY)};

const gt_LayerClass *const *gt_layer_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_LayerClass *gt_layer_class_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}
