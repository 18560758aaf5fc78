/* What came instead of the handle that was expected, in words. Leans on the words of kind.h. */
#include "core/structs.h"

#include <stdio.h>
#include <string.h>

static const char *article(const char *noun)
{
    return strchr("aeiou", *noun) ? "an" : "a";
}

/* The kind of the handle; NULL: it is none. */
static const char *kind_name(const void *handle)
{
    const void *block = (const void *)((uintptr_t)handle & ~GT_HANDLE_MASK); /* NOLINT */
    switch (gt_kind_of(handle)) {
    case GT_WORD_GONE:
    case GT_WORD_TENSOR:
        return gt_is_variable(handle) ? "variable" : "tensor";
    case GT_WORD_TAPE:
        return "tape";
    case GT_WORD_SCOPE:
        return "scope";
    case GT_WORD_CONTEXT:
        return "context";
    case GT_WORD_LAYER:
        return "layer";
    case GT_WORD_OBJECT:
    case GT_WORD_FREED:
        return ((const gt_Object *)block)->kind->name;
    default:
        return NULL;
    }
}

gt_Status gt_raise_kind(gt_Context *context, const char *here, const char *operation,
                        const char *what, const char *expected, const void *handle)
{
    char wanted[160], number[40];
    if (what)
        snprintf(wanted, sizeof wanted, "%.100s must be %s %.40s", what, article(expected),
                 expected);
    else
        snprintf(wanted, sizeof wanted, "expected %s %.40s", article(expected), expected);
    if (!handle)
        return what ? gt_raise(context, GT_INVALID, here, operation, "%s is NULL", what)
                    : gt_raise(context, GT_INVALID, here, operation, "the %s is NULL", expected);
    const char *name = kind_name(handle);
    if (name)
        return gt_raise(context, GT_INVALID, here, operation, "%s (got %s %s)", wanted,
                        article(name), name);
    snprintf(number, sizeof number, "the number %lld", (long long)(intptr_t)handle);
    return gt_raise(context, GT_INVALID, here, operation, "%s (got %s)", wanted,
                    gt_is_address(handle) ? "a pointer to something else" : number);
}

gt_Status gt_check_function(const char *what, uintptr_t function)
{
    gt_Context *context = gt_context();
    const void *address = (const void *)function; /* NOLINT */
    if (!context || !function)
        return gt_status();
    return gt_is_address(address) && !gt_memory_owns(context, address)
               ? GT_OK
               : gt_raise_kind(context, NULL, NULL, what, "function", address);
}
