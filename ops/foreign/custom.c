/* Making and registering custom operations. Leans on core. */
#include "ops/foreign/custom.h"
#include "ops/table.h"
#include "core/text.h"

#include <string.h>

static bool is_identifier(const char *name)
{
    if (!gt_is_letter(*name) && *name != '_')
        return false;
    while (gt_is_letter(*name) || gt_is_digit(*name) || *name == '_')
        name++;
    return !*name;
}

void *gt_custom_new(gt_Context *context, const char *here, const char *maker,
                    const gt_ObjectKind *kind, size_t bytes, const char *name, const char *suffix)
{
    if (!name || !is_identifier(name) || strlen(name) > GT_CUSTOM_NAME - 20) {
        gt_raise(context, GT_INVALID, here, maker,
                 "the name \"%.80s\" must be letters, digits and '_', %d characters at most",
                 name ? name : "NULL", GT_CUSTOM_NAME - 20);
        return NULL;
    }
    gt_Custom *custom = gt_object_new(context, kind, bytes);
    if (!custom)
        return NULL;
    gt_text(custom->name, sizeof custom->name, "%s%s", name, suffix);
    custom->operation.size = sizeof(gt_Operation);
    custom->operation.name = custom->name;
    custom->operation.formula = "a C function";
    if (!gt_operation_find(custom->name))
        return custom;
    gt_raise(context, GT_INVALID, here, maker, "the name \"%s\" is taken", custom->name);
    gt_object_release(&custom->object);
    return NULL;
}

const gt_Operation *gt_custom_register(gt_Context *context, int count, gt_Custom *const *custom)
{
    int32_t before = gt_context_operations(context);
    for (int i = 0; i < count && gt_context_status(context) == GT_OK; i++)
        if (custom[i]) {
            custom[i]->operation.flags |= GT_OP_FOREIGN_CODE;
            gt_register_operation(&custom[i]->operation);
        }
    if (gt_context_status(context) == GT_OK)
        return &custom[0]->operation;
    gt_context_forget_operations(context, before);
    for (int i = 0; i < count; i++)
        if (custom[i])
            gt_object_release(&custom[i]->object);
    return NULL;
}
