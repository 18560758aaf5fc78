/* Keyword arguments for C. One list per option struct, F(type, name, preset, doc), gives the
 * struct, its defaults in C and in C++, and the table of fields that hashing, JSON, documentation
 * and the test of defaults walk. Also GT_HERE, the call site that travels as a hidden argument. */
#ifndef GT_CORE_KEYWORD_H
#define GT_CORE_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/export.h"

#define GT_TEXT_(x) #x
#define GT_TEXT(x)  GT_TEXT_(x)
#define GT_HERE     __FILE__ ":" GT_TEXT(__LINE__)

/* Overriding a preset by a later designator is what keyword arguments are made of. */
#ifndef __cplusplus
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#endif

/* The positional arguments of a call, and the keywords after them. */
#define GT_FIRST(...)             GT_FIRST_(__VA_ARGS__, 0)
#define GT_FIRST_(a, ...)         a
#define GT_SECOND(...)            GT_SECOND_(__VA_ARGS__, 0)
#define GT_SECOND_(a, b, ...)     b
#define GT_THIRD(...)             GT_THIRD_(__VA_ARGS__, 0)
#define GT_THIRD_(a, b, c, ...)   c
#define GT_AFTER_1(...)           GT_AFTER_1_(__VA_ARGS__, )
#define GT_AFTER_1_(a, ...)       __VA_ARGS__
#define GT_AFTER_2(...)           GT_AFTER_2_(__VA_ARGS__, )
#define GT_AFTER_2_(a, b, ...)    __VA_ARGS__
#define GT_AFTER_3(...)           GT_AFTER_3_(__VA_ARGS__, )
#define GT_AFTER_3_(a, b, c, ...) __VA_ARGS__

#ifdef __cplusplus
#define GT_MEMBER(type, name, preset, doc) type name = preset;
#define GT_PRESET(type, name, preset, doc)
template <class T> inline const T *gt_address_of(const T &&value)
{
    return &value;
}
#define GT_KEYWORDS(Type, LIST, ...) gt_address_of(Type{__VA_ARGS__})
#else
#define GT_MEMBER(type, name, preset, doc) type name;
#define GT_PRESET(type, name, preset, doc) .name = preset,
#define GT_KEYWORDS(Type, LIST, ...)       (&(Type){LIST(GT_PRESET) __VA_ARGS__})
#endif

GT_BEGIN

/* "Not given", where the type has no better word for it. */
#define GT_NONE    INT32_MIN
#define GT_INHERIT (-1)

/* A flag that may also be inherited: true, false or GT_INHERIT. */
typedef int gt_Flag;

/* One field of an option struct. `type` is its C type as written. */
typedef struct gt_Field {
    const char *name, *type, *preset, *doc;
    size_t offset, size;
} gt_Field;

/* An option struct described: its fields and the defaults. Every option struct starts with
 * `uint32_t size`, so that fields can be added without breaking programs compiled before. */
typedef struct gt_OptionType {
    const char *name;
    size_t size;
    const void *defaults;
    const gt_Field *fields; /* ends with a NULL name */
} gt_OptionType;

/* In a source file:  #define GT_STRUCT gt_SumOptions  then  GT_OPTION_TYPE(gt_SumOptions, LIST). */
#define GT_FIELD(type, name, preset, doc)                                                          \
    {#name, #type, #preset, doc, offsetof(GT_STRUCT, name), sizeof(type)},
#define GT_OPTION_TYPE(Type, LIST)                                                                 \
    static const Type Type##_defaults = {LIST(GT_PRESET)};                                         \
    static const gt_Field Type##_fields[] = {LIST(GT_FIELD){0}};                                   \
    static const gt_OptionType Type##_type = {#Type, sizeof(Type), &Type##_defaults, Type##_fields}

/* Copies the caller's options over the defaults, as far as both know the fields. `into` holds
 * type->size bytes. NULL options give the defaults. */
GT_API void gt_options_take(const gt_OptionType *type, void *into, const void *options);

GT_END

#endif
