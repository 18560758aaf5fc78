/* The table itself, and finding an operation by name. */
#include "ops/table.h"

#include <string.h>

#define ENTRY(name) &gt_op_##name,
static const gt_Operation *const table[] = {GT_OPERATIONS(ENTRY)};

const gt_Operation *const *gt_operations(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_Operation *gt_operation_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return gt_registered_operation(name);
}
