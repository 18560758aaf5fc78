/* Counting and freeing long-lived objects; the quarantine that makes a freed one an error. */
#include "core/structs.h"

#include <string.h>

#define QUARANTINE 4096 /* freed objects that are not reused yet */

void *gt_object_new(gt_Context *context, const gt_ObjectKind *kind, size_t bytes)
{
    gt_Object *object = gt_allocate_zeroed(context, bytes);
    if (!object)
        return NULL;
    object->word = GT_WORD_OBJECT;
    object->kind = kind;
    object->context = context;
    object->bytes = bytes;
    object->serial = ++context->object_serial;
    object->references = 1;
    object->floating = true;
    object->next = &context->objects;
    object->previous = context->objects.previous;
    object->previous->next = object->next->previous = object;
    if (!kind->of_context)
        gt_context_hold(context);
    return object;
}

static bool is_of_kind(const void *handle, uint64_t word, const gt_ObjectKind *kind)
{
    return gt_has_word(handle, word) && ((const gt_Object *)handle)->kind == kind;
}

bool gt_object_is(const void *handle, const gt_ObjectKind *kind)
{
    return is_of_kind(handle, GT_WORD_OBJECT, kind);
}

bool gt_object_check(gt_Context *context, const char *here, const char *operation,
                     const void *handle, const gt_ObjectKind *kind)
{
    if (gt_object_is(handle, kind))
        return true;
    if (is_of_kind(handle, GT_WORD_FREED, kind))
        gt_raise(context, GT_STALE, here, operation, "this %s was freed", kind->name);
    else
        gt_raise_kind(context, here, operation, NULL, kind->name, handle);
    return false;
}

void gt_object_free(const char *operation, void *handle, const gt_ObjectKind *kind)
{
    if (!handle || is_of_kind(handle, GT_WORD_FREED, kind))
        return;
    if (gt_object_is(handle, kind)) {
        gt_Object *object = handle;
        const bool callers = object->floating;
        object->floating = false;
        if (callers)
            gt_object_release(object);
        return;
    }
    gt_Context *context = gt_context();
    if (context)
        gt_raise_kind(context, NULL, operation, NULL, kind->name, handle);
}

void gt_object_sink(gt_Object *object)
{
    if (!object)
        return;
    if (object->floating)
        object->floating = false;
    else
        object->references++;
}

static void unlink_object(gt_Object *object)
{
    object->previous->next = object->next;
    object->next->previous = object->previous;
    object->next = object->previous = NULL;
}

void gt_object_release(gt_Object *object)
{
    if (!object || object->word != GT_WORD_OBJECT || --object->references > 0)
        return;
    gt_Context *context = object->context;
    unlink_object(object);
    if (object->identity) {
        gt_map_remove(&context->identified, object->identity, (intptr_t)object);
        context->identified_freed++;
    }
    const gt_ObjectKind *kind = object->kind;
    object->references = UINT32_MAX / 2; /* what it holds may hold it: it is freed once */
    kind->destroy(object);
    object->word = GT_WORD_FREED;
    if (context->quarantine_last)
        context->quarantine_last->next = object;
    else
        context->quarantine_first = object;
    context->quarantine_last = object;
    if (++context->quarantined > QUARANTINE) {
        gt_Object *oldest = context->quarantine_first;
        context->quarantine_first = oldest->next;
        context->quarantined--;
        gt_release(context, oldest, oldest->bytes);
    }
    if (!kind->of_context)
        gt_context_drop(context);
}

uint64_t gt_object_identity(gt_Object *object)
{
    gt_Context *context = object->context;
    if (!object->identity &&
        gt_map_add(context, &context->identified, context->last_identity + 1, (intptr_t)object))
        object->identity = ++context->last_identity;
    return object->identity;
}

gt_Object *gt_object_find(const gt_Context *context, uint64_t identity)
{
    return gt_map_object(&context->identified, identity);
}

void gt_objects_close(gt_Context *context)
{
    while (context->objects.next != &context->objects) {
        gt_Object *object = context->objects.previous;
        object->references = 1;
        gt_object_release(object);
    }
}
