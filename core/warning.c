/* The warnings of a context. A warning that finds no memory is lost: it is no error. */
#include "core/warning.h"
#include "core/structs.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define MOST 64

/* The text stands behind the struct; `key` is its beginning without what differs from call to call. */
struct gt_Warning {
    size_t bytes;
    uint64_t key;
    char text[];
};

static bool is_known(const gt_Context *context, uint64_t key)
{
    for (int32_t i = 0; i < context->warning_count; i++)
        if (context->warning[i]->key == key)
            return true;
    return false;
}

static void keep(gt_Context *context, uint64_t key, const char *text)
{
    gt_Status status = context->status;
    size_t bytes = sizeof(struct gt_Warning) + strlen(text) + 1;
    if (!context->warning)
        context->warning = gt_allocate(context, MOST * (sizeof *context->warning + sizeof(char *)));
    struct gt_Warning *warning = context->warning ? gt_allocate(context, bytes) : NULL;
    if (warning) {
        warning->bytes = bytes;
        warning->key = key;
        memcpy(warning->text, text, strlen(text) + 1);
        const char **texts = (const char **)(void *)(context->warning + MOST);
        texts[context->warning_count] = warning->text;
        context->warning[context->warning_count++] = warning;
    } else if (status == GT_OK) {
        context->status = GT_OK;
        context->message[0] = 0;
    }
}

void gt_warn(gt_Context *context, const char *here, const char *kind, const char *format, ...)
{
    char text[600], path[256];
    here = here ? here : context->here;
    uint64_t key = gt_map_text(kind, strlen(kind)) * 31 + (here ? gt_map_text(here, strlen(here)) : 0);
    if (context->warning_count >= MOST || is_known(context, key))
        return;
    int used = snprintf(text, sizeof text, "%s%s%s: ", here ? here : "", here ? ": " : "", kind);
    size_t at = used < 0 ? 0 : (size_t)used < sizeof text ? (size_t)used : sizeof text - 1;
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text + at, sizeof text - at, format, arguments);
    va_end(arguments);
    at = strlen(text);
    if (context->frame)
        snprintf(text + at, sizeof text - at, ", in %s",
                 gt_frame_path(context->frame, path, sizeof path));
    keep(context, key, text);
    if (context->warned)
        context->warned(context->warned_user, text);
}

gt_Warnings gt_warnings(void)
{
    const gt_Context *context = gt_context();
    if (!context || !context->warning)
        return (gt_Warnings){NULL, 0};
    const char *const *texts = (const char *const *)(const void *)(context->warning + MOST);
    return (gt_Warnings){texts, context->warning_count};
}

void gt_warnings_close(gt_Context *context)
{
    while (context->warning_count > 0) {
        struct gt_Warning *last = context->warning[--context->warning_count];
        gt_release(context, last, last->bytes);
    }
    if (context->warning)
        gt_release(context, context->warning, MOST * (sizeof *context->warning + sizeof(char *)));
    context->warning = NULL;
}

void gt_warnings_clear(void)
{
    gt_Context *context = gt_context();
    if (context)
        gt_warnings_close(context);
}

void gt_set_warning(gt_WarningFunction function, void *user)
{
    gt_Context *context = gt_context();
    if (!context)
        return;
    context->warned = function;
    context->warned_user = user;
}
