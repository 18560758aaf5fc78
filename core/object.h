/* Long-lived things: layers, optimizers, functions, datasets. Counted; a constructor returns one
 * that is floating, a container sinks it; the context frees what nobody freed. A freed object is
 * kept aside for a while so that using it is an error and not a crash. */
#ifndef GT_CORE_OBJECT_H
#define GT_CORE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/context.h"

typedef struct gt_Object gt_Object;
typedef struct gt_ObjectKind {
    const char *name;                 /* "layer", "optimizer": for messages */
    void (*destroy)(gt_Object *self); /* lets go of what it holds; must not fail */
    bool of_context;                  /* freed with the context alone, which it does not keep */
} gt_ObjectKind;

struct gt_Object {
    uint64_t word; /* GT_WORD_OBJECT, or GT_WORD_FREED */
    const gt_ObjectKind *kind;
    gt_Context *context;
    gt_Object *next, *previous;
    size_t bytes;
    uint64_t serial;   /* order of making */
    uint64_t identity; /* 0: nobody asked for it; else no other object has or had it */
    uint32_t references;
    bool floating;
};

/* A zeroed block of `bytes` that starts with a gt_Object; floating, one reference. */
void *gt_object_new(gt_Context *context, const gt_ObjectKind *kind, size_t bytes);
/* Is this handle one to a live object of that kind? */
bool gt_object_is(const void *handle, const gt_ObjectKind *kind);
/* The same; raises an error as `operation` if not. */
bool gt_object_check(gt_Context *context, const char *here, const char *operation,
                     const void *handle, const gt_ObjectKind *kind);
/* What the functions are made of that drop the caller's hold, which is the floating one, once: an object that a container took
 * over, or that was given up before, stays with whoever holds it. NULL and freed objects are ignored; of a handle of another
 * kind an error is raised as `operation`. */
void gt_object_free(const char *operation, void *handle, const gt_ObjectKind *kind);
/* A container takes it: the floating reference becomes the container's, else one is added. */
void gt_object_sink(gt_Object *object);
void gt_object_release(gt_Object *object); /* NULL is ignored */
/* A number to find the object by as long as it lives; 0 with an error raised if there is no memory. */
uint64_t gt_object_identity(gt_Object *object);
gt_Object *gt_object_find(const gt_Context *context, uint64_t identity); /* NULL: it was freed */
void gt_objects_close(gt_Context *context);

#endif
