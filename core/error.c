/* The pending error of a context: made here, asked for here. Leans on context.c for which context.
 */
#include "core/structs.h"
#include "core/text.h"

#include <string.h>

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    if (used < size)
        gt_text_list(text + used, size - used, format, arguments);
    va_end(arguments);
}

char *gt_frame_path(const gt_CallFrame *frame, char *text, size_t size)
{
    text[0] = 0;
    if (!frame)
        return text;
    size_t used = strlen(gt_frame_path(frame->caller, text, size)), length = strlen(frame->name);
    if (frame->caller && used + 1 < size)
        text[used++] = '/';
    length = length < size - used ? length : size - used - 1;
    memcpy(text + used, frame->name, length);
    text[used + length] = 0;
    return text;
}

/* Where in a model: the layer of the step that a plan runs, or the layers that are being called. */
static void append_path(char *text, size_t size, const gt_Context *context)
{
    char path[256];
    if (context->step && context->step->path)
        append(text, size, ", in %s", context->step->path);
    else if (context->frame)
        append(text, size, ", in %s", gt_frame_path(context->frame, path, sizeof path));
}

static gt_Status raise_list(gt_Context *context, gt_Status status, const char *here,
                            const char *operation, const char *format, va_list arguments)
{
    if (context->status != GT_OK)
        return context->status;
    const gt_StepSite *step = context->step;
    const gt_Operation *gradient_of = step ? step->gradient_of : context->differentiating;
    context->status = status;
    char *text = context->message;
    size_t size = sizeof context->message;
    text[0] = 0;
    if (!here)
        here = step && step->here ? step->here : context->here;
    if (here)
        append(text, size, "%s: ", here);
    if (context->composing)
        append(text, size, "%s: ", context->composing);
    if (!operation)
        operation = step ? step->name : context->applying;
    if (operation && (!context->composing || strcmp(operation, context->composing) != 0))
        append(text, size, "%s: ", operation);
    size_t used = strlen(text);
    gt_text_list(text + used, size - used, format, arguments);
    if (gradient_of)
        append(text, size, ", in the gradient of %s", gradient_of->name);
    append_path(text, size, context);
    return status;
}

gt_Status gt_raise(gt_Context *context, gt_Status status, const char *here, const char *operation,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_list(context, status, here, operation, format, arguments);
    va_end(arguments);
    return context->status;
}

gt_Status gt_fail(gt_Status status, const char *format, ...)
{
    gt_Context *context = gt_context();
    if (!context)
        return GT_NO_MEMORY;
    va_list arguments;
    va_start(arguments, format);
    raise_list(context, status == GT_OK ? GT_INVALID : status, NULL, NULL, format, arguments);
    va_end(arguments);
    return context->status;
}

gt_Status gt_status(void)
{
    gt_Context *context = gt_context();
    return context ? context->status : gt_cpu_kernels() ? GT_NO_MEMORY : GT_UNSUPPORTED;
}

const char *gt_error_message(void)
{
    gt_Context *context = gt_context();
    if (!context)
        return gt_cpu_kernels()
                   ? "out of memory: no context could be made"
                   : "this build of gradtape needs a newer processor (its build option isa)";
    return context->status == GT_OK ? "" : context->message;
}

void gt_error_clear(void)
{
    gt_Context *context = gt_context();
    if (!context)
        return;
    context->status = GT_OK;
    context->message[0] = 0;
}

const char *gt_status_text(gt_Status status)
{
    static const char *const text[] = {
        "ok",          "invalid argument", "out of memory", "stale handle",
        "wrong state", "no gradient",      "input/output",  "bad file format",
        "unsupported", "interrupted",      "numeric",
    };
    return (unsigned)status < sizeof text / sizeof *text ? text[status] : "unknown status";
}
