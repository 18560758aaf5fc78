/* Initializers as values: their table, what is wrong with one, a function of one's own, and how a weight gets its
 * first values. The classes are in layers/initializers. */
#include "layers/initializers/classes.h"
#include "layers/internal.h"

#include <string.h>

/* ---- the classes ---- */

#define ENTRY(name) &gt_initializer_class_##name,
static const gt_InitializerClass *const table[] = {GT_INITIALIZERS(ENTRY)};

const gt_InitializerClass *const *gt_initializer_classes(int *count)
{
    if (count)
        *count = (int)(sizeof table / sizeof *table);
    return table;
}

const gt_InitializerClass *gt_initializer_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (gt_value_is_named(name, table[i]->name, table[i]->keras, table[i]->aliases))
            return table[i];
    return NULL;
}

gt_Initializer gt_initializer_make(const gt_InitializerClass *type, const void *options)
{
    gt_Initializer self = {.type = type};
    GT_TAKE_OPTIONS(&self, options);
    return self;
}

/* ---- one's own ---- */

/* The function stands among the options. */
static gt_InitializerFunction function_of(const gt_Initializer *self)
{
    gt_InitializerFunction function;
    memcpy(&function, self->options, sizeof function);
    return function;
}

static gt_Status function_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                               uint64_t stream)
{
    return function_of(self)(self->context, spec, data, stream);
}

static gt_Status function_check(const gt_Initializer *self, const char *what)
{
    if (!function_of(self))
        return gt_fail(GT_INVALID, "%s: the function is NULL", what);
    return gt_check_function("the initializer's function", (uintptr_t)function_of(self));
}

static const gt_InitializerClass function_class = {.mark = GT_MARK,
                                                   .size = sizeof function_class,
                                                   .name = "function",
                                                   .fill = function_fill,
                                                   .check = function_check};

gt_Initializer gt_initializer(gt_InitializerFunction function, void *context)
{
    gt_Initializer self = {.type = &function_class, .context = context};
    memcpy(self.options, &function, sizeof function);
    return self;
}

/* ---- weights get their first values ---- */

/* -1: none of its own. */
static int64_t seed_of(const gt_Initializer *initializer)
{
    const gt_OptionType *type = initializer->type->options;
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++)
        if (strcmp(field->name, "seed") == 0 && field->size == sizeof(int64_t)) {
            int64_t seed;
            memcpy(&seed, (const char *)initializer->options + field->offset, sizeof seed);
            return seed;
        }
    return -1;
}

gt_Status gt_initializer_check(const char *what, const gt_Initializer *initializer)
{
    const gt_InitializerClass *type = initializer->type;
    if (!type)
        return GT_OK;
    if (!gt_is_class(type) || !type->fill)
        return gt_fail(
            GT_INVALID,
            "%s must be an initializer such as gt_Zeros() (got a bare number or a pointer)", what);
    if (!GT_OPTIONS_FIT(initializer))
        return gt_options_too_large(what, type->options->size, sizeof initializer->options);
    if (seed_of(initializer) < -1)
        return gt_fail(GT_INVALID, "%s: seed must be >= 0, or -1 for none (got %lld)", what,
                       (long long)seed_of(initializer));
    bool checks = type->size >= offsetof(gt_InitializerClass, check) + sizeof type->check;
    return checks && type->check ? type->check(initializer, what) : GT_OK;
}

/* Does the class, which may be of an older version, hold what its values refer to? */
static bool holds(const gt_InitializerClass *type)
{
    return gt_is_class(type) &&
           type->size >= offsetof(gt_InitializerClass, drop) + sizeof type->drop && type->hold &&
           type->drop;
}

gt_Status gt_initializer_hold(gt_Initializer *initializer)
{
    return holds(initializer->type) ? initializer->type->hold(initializer) : GT_OK;
}

void gt_initializer_drop(gt_Initializer *initializer)
{
    if (holds(initializer->type))
        initializer->type->drop(initializer);
}

/* FNV-1a over seed and path, then the finalizer of SplitMix64 (Steele et al. 2014). */
static uint64_t stream_of(uint64_t seed, const char *path)
{
    uint64_t hash = 0xCBF29CE484222325u ^ seed * 0x9E3779B97F4A7C15u;
    for (; path && *path; path++)
        hash = (hash ^ (unsigned char)*path) * 0x100000001B3u;
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
    return hash ^ hash >> 31;
}

/* A seed of its own does not depend on which model it is, which the first part of the path says. */
static uint64_t stream_for(gt_Context *context, const gt_Initializer *initializer, const char *path)
{
    int64_t seed = seed_of(initializer);
    const char *slash = seed >= 0 && path ? strchr(path, '/') : NULL;
    return stream_of(seed >= 0 ? (uint64_t)seed : gt_context_seed(context),
                     slash ? slash + 1 : path);
}

static gt_Status fill(gt_Context *context, const gt_Initializer *initializer, const char *path,
                      const gt_Spec *spec, void *data)
{
    const gt_InitializerClass *type = initializer->type;
    if (type->floats_only && !gt_dtype_is_float(spec->dtype))
        return gt_fail(GT_INVALID, "the weight must be of a float dtype (got %s)",
                       gt_dtype_name(spec->dtype));
    gt_Status status = type->fill(initializer, spec, data, stream_for(context, initializer, path));
    if (status != GT_OK && gt_context_status(context) == GT_OK)
        gt_raise(context, status, NULL, NULL, "the initializer's function failed");
    return gt_context_status(context);
}

static gt_Status initialize(gt_Context *context, gt_Initializer initializer, const char *path,
                            const gt_Spec *spec, void *data)
{
    if (!initializer.type)
        initializer = gt_dtype_is_float(spec->dtype) ? gt_GlorotUniform() : gt_Zeros();
    const char *name = gt_is_class(initializer.type) ? initializer.type->name : "the initializer";
    if (gt_initializer_check(name, &initializer) != GT_OK)
        return gt_context_status(context);
    gt_Site site = gt_site_enter(NULL, name);
    fill(context, &initializer, path, spec, data);
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* float16 and bfloat16 start as float32 does, rounded. */
static gt_Status initialize_half(gt_Context *context, gt_Initializer initializer, const char *path,
                                 const gt_Spec *spec, void *data)
{
    gt_Spec wide = *spec;
    wide.dtype = GT_FLOAT32;
    float *numbers = gt_allocate(context, gt_spec_bytes(&wide));
    if (!numbers)
        return gt_context_status(context);
    if (initialize(context, initializer, path, &wide, numbers) == GT_OK)
        gt_context_kernels(context)->narrow[GT_LOOP_F32][gt_half_type(spec->dtype)](spec->size,
                                                                                    numbers, data);
    gt_release(context, numbers, gt_spec_bytes(&wide));
    return gt_context_status(context);
}

gt_Status gt_initialize_at(const char *here, gt_Initializer initializer, const char *path,
                           const gt_Spec *spec, void *data)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!spec || (!data && spec->size > 0))
        return gt_raise(context, GT_INVALID, here, "initialize", "the spec or the data is NULL");
    gt_Site site = gt_site_enter(here, NULL);
    if (gt_half_type(spec->dtype) < 0)
        initialize(context, initializer, path, spec, data);
    else
        initialize_half(context, initializer, path, spec, data);
    gt_site_leave(&site);
    return gt_context_status(context);
}
