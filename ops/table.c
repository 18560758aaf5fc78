/* The table itself, and finding an operation by name. */
#include "ops/table.h"
#include "core/inside.h"

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

gt_Status gt_register_operation_at(const char *here, const gt_Operation *operation)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (operation && gt_operation_find(operation->name))
        return gt_raise(context, GT_INVALID, here, "register_operation", "the name \"%s\" is taken",
                        operation->name);
    return gt_operation_register(context, here, operation);
}
