/* What users register by name, so that files can name it: classes of layers, functions. The context keeps the names and the
 * addresses, which must outlive it. */
#include "core/structs.h"

#include <string.h>

struct gt_Registration {
    gt_RegistrationKind kind;
    char *name; /* owned */
    uintptr_t what;
};

static struct gt_Registration *find(const gt_Context *context, gt_RegistrationKind kind,
                                    const char *name)
{
    for (int32_t i = 0; name && i < context->registration_count; i++)
        if (context->registration[i].kind == kind &&
            strcmp(context->registration[i].name, name) == 0)
            return &context->registration[i];
    return NULL;
}

gt_Status gt_registration_add(gt_Context *context, gt_RegistrationKind kind, const char *name,
                              uintptr_t what)
{
    struct gt_Registration *known = find(context, kind, name);
    if (known && known->what != what)
        return gt_raise(context, GT_INVALID, NULL, NULL, "another one is registered as \"%s\"", name);
    size_t bytes = strlen(name) + 1;
    if (known || !gt_reserve(context, (void **)&context->registration, context->registration_count,
                             &context->registration_capacity, sizeof *context->registration))
        return context->status;
    char *copy = gt_allocate(context, bytes);
    if (!copy)
        return context->status;
    memcpy(copy, name, bytes);
    context->registration[context->registration_count++] =
        (struct gt_Registration){kind, copy, what};
    return GT_OK;
}

uintptr_t gt_registration_find(const gt_Context *context, gt_RegistrationKind kind, const char *name)
{
    const struct gt_Registration *known = find(context, kind, name);
    return known ? known->what : 0;
}

const char *gt_registration_name(const gt_Context *context, gt_RegistrationKind kind, uintptr_t what)
{
    for (int32_t i = 0; i < context->registration_count; i++)
        if (context->registration[i].kind == kind && context->registration[i].what == what)
            return context->registration[i].name;
    return NULL;
}

void gt_registrations_close(gt_Context *context)
{
    while (context->registration_count > 0) {
        char *name = context->registration[--context->registration_count].name;
        gt_release(context, name, strlen(name) + 1);
    }
    gt_release(context, context->registration,
               (size_t)context->registration_capacity * sizeof *context->registration);
    context->registration = NULL;
    context->registration_capacity = 0;
}
