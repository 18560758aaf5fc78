/* Keyword arguments for C. One list per option struct, F(S, type, name, preset, doc), where S is the struct,
 * gives the struct, its presets in C and in C++, and the table of fields that hashing, JSON, documentation
 * and the test of defaults walk. The struct and its list are named after their function, letter for letter:
 *
 *     #define gt_norm_OPTIONS(F, S)                                     \
 *         F(S, double, ord, 2, "p")                                     \
 *         F(S, bool, keepdims, false, "reduced axes stay, with size 1")
 *     GT_OPTIONS(gt_norm_options, gt_norm_OPTIONS);
 *
 *     #define gt_norm(...) gt_norm_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_norm, GT_AFTER_1(__VA_ARGS__)))
 *     gt_Tensor *gt_norm_at(const char *here, gt_Tensor *x, const gt_norm_options *options);
 *
 * and, in a source file,
 *
 *     GT_OPTION_TYPE(gt_norm_options, gt_norm_OPTIONS);
 *     ...
 *         gt_norm_options options;
 *         GT_TAKE(gt_norm_options, &options, given);
 *
 * gt_norm(x, .ord = 1) says what it means, and a preset is never zero by accident. What a macro hides:
 *
 * - GT_HERE, the call site, is the first argument of gt_norm_at. `_at` means this and nothing else.
 * - A positional argument where only keywords follow, gt_norm(x, 1), is an error of the compiler. In C it falls
 *   on a flexible array, which nothing may initialize; in C++ on the size, which no number becomes. What no
 *   compiler sees is gt_norm(x, .ord = 1, true): a value without a name behind a keyword is the next field's.
 * - The size that the caller passes ends at its last field, not at the padding, so that a field that a later
 *   version appends is never read from a caller that does not know it.
 * - Each argument is expanded once, so calls nest in linear text. Lists (gt_tensors, gt_Sequential, ...) end
 *   with a mark for the same reason: counting them would expand them twice.
 * - Where a struct is meant, a bare number, string or function is refused: see GT_MARK and GT_NOT_GIVEN. */
#ifndef GT_CORE_KEYWORD_H
#define GT_CORE_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/export.h"

/* Overriding a preset by a later designator is what keyword arguments are made of. Handles of the wrong kind
 * and numbers in place of handles are errors, as gcc 14 has it, from here to the end of the source file;
 * GT_LENIENT leaves them the warnings that they are in older compilers. */
#ifdef __clang__
#ifdef __cplusplus
#pragma clang diagnostic error "-Wc99-designator"
#else
#pragma clang diagnostic ignored "-Winitializer-overrides"
#ifndef GT_LENIENT
#pragma clang diagnostic error "-Wincompatible-pointer-types"
#pragma clang diagnostic error "-Wint-conversion"
/* Lost const is a warning still. To clang an error becomes one only by way of `ignored`. */
#pragma clang diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#pragma clang diagnostic warning "-Wincompatible-pointer-types-discards-qualifiers"
#endif
#endif
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic ignored "-Woverride-init"
#ifndef GT_LENIENT
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"
#endif
#endif

/* The call site, "mlp.c:42". Inside the library errors report the call site of the function that the user
 * called. */
#define GT_TEXT_(x) #x
#define GT_TEXT(x)  GT_TEXT_(x)
#ifdef GT_BUILD
#define GT_HERE ((const char *)0)
#else
#define GT_HERE __FILE__ ":" GT_TEXT(__LINE__)
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

/* `items, end`, for an array that a macro gathers; `end` alone if there are no items: then a comma appears
 * where the first one is put between GT_COMMA_ and (), and none where it is put behind GT_COMMA_. */
#define GT_LIST(end, ...)       GT_LIST_(GT_IS_NOTHING_(GT_FIRST(__VA_ARGS__)), end, __VA_ARGS__)
#define GT_LIST_(nothing, ...)  GT_LIST__(nothing, __VA_ARGS__)
#define GT_LIST__(nothing, ...) GT_LIST_##nothing(__VA_ARGS__)
#define GT_LIST_00(end, ...)    __VA_ARGS__, end
#define GT_LIST_11(end, ...)    __VA_ARGS__, end
#define GT_LIST_10(end, ...)    end
#define GT_IS_NOTHING_(x)       GT_PASTE_(GT_HAS_COMMA_(GT_COMMA_ x()), GT_HAS_COMMA_(GT_COMMA_ x))
#define GT_HAS_COMMA_(...)      GT_THIRD(__VA_ARGS__, 1, 0)
#define GT_COMMA_(...)          ,
#define GT_PASTE_(a, b)         GT_PASTE__(a, b)
#define GT_PASTE__(a, b)        a##b

/* For a call of `f`, the struct of its options, filled in: presets, and the caller's keywords over them.
 *
 *     GT_KEYWORDS(f, ...)                keywords alone
 *     GT_KEYWORDS_1(f, a, ...)           one argument without a name, the field `a`, then keywords
 *     GT_KEYWORDS_2(f, a, b, ...)        two of them
 *     GT_KEYWORDS_MAYBE_1(f, a, ...)     the argument without a name may be left out; `a` is the first field
 *
 * In C++ keywords come in the order of the list, as the language has it, and the argument that may be left
 * out is given before them or not at all. */
#ifdef __cplusplus
struct gt_StructSize {
    uint32_t bytes;
    explicit constexpr gt_StructSize(size_t known) : bytes(static_cast<uint32_t>(known))
    {
    }
};
#define GT_OPTIONS(S, LIST)                                                                        \
    struct S {                                                                                     \
        gt_StructSize size = gt_StructSize(offsetof(S, end));                                      \
        LIST(GT_MEMBER, S)                                                                         \
        char end = 0;                                                                              \
    }
#define GT_MEMBER(S, type, name, preset, doc) type name = preset;
template <class T> inline const T *gt_address_of(const T &&value)
{
    return &value;
}
#define GT_KEYWORDS(f, ...)             gt_address_of(f##_options{__VA_ARGS__})
#define GT_KEYWORDS_1(f, a, ...)        gt_address_of(f##_options{.a = __VA_ARGS__})
#define GT_KEYWORDS_2(f, a, b, ...)     GT_KEYWORDS_2_(f, a, b, __VA_ARGS__, )
#define GT_KEYWORDS_2_(f, a, b, x, ...) gt_address_of(f##_options{.a = x, .b = __VA_ARGS__})
#define GT_KEYWORDS_MAYBE_1(f, a, ...)  gt_address_of(f##_options{__VA_OPT__(.a = __VA_ARGS__)})
#else
typedef struct gt_StructSize {
    uint32_t bytes;
} gt_StructSize;
#define GT_OPTIONS(S, LIST)                                                                        \
    typedef struct S {                                                                             \
        gt_StructSize size;                                                                        \
        LIST(GT_MEMBER, S)                                                                         \
        char end;                                                                                  \
    } S;                                                                                           \
    struct S##_call {                                                                              \
        gt_StructSize size;                                                                        \
        LIST(GT_MEMBER, S)                                                                         \
        char end;                                                                                  \
        char only_keywords_follow[];                                                               \
    }
#define GT_MEMBER(S, type, name, preset, doc) type name;
#define GT_PRESET(S, type, name, preset, doc) .name = preset,
/* Size and presets, for initializers of a struct. */
#define GT_SIZE(S)                                                                                 \
    {                                                                                              \
        (uint32_t) offsetof(S, end)                                                                \
    }
#define GT_PRESETS(S, LIST) .size = GT_SIZE(S), LIST(GT_PRESET, S)
/* A struct from the values of its fields, in their order. */
#define GT_VALUES(S, ...)                                                                          \
    (const S)                                                                                      \
    {                                                                                              \
        GT_SIZE(S), __VA_ARGS__, .end = 0                                                          \
    }
/* `end` comes behind the presets, so that what has no name falls on the flexible array. */
#define GT_KEYWORDS(f, ...) GT_KEYWORDS_(f, .end = 0, __VA_ARGS__)
#define GT_KEYWORDS_1(f, a, ...)                                                                   \
    GT_KEYWORDS_(f, .a = GT_FIRST(__VA_ARGS__), .end = 0, GT_AFTER_1(__VA_ARGS__))
#define GT_KEYWORDS_2(f, a, b, ...)                                                                \
    GT_KEYWORDS_(f, .a = GT_FIRST(__VA_ARGS__), .b = GT_SECOND(__VA_ARGS__), .end = 0,             \
                 GT_AFTER_2(__VA_ARGS__))
/* Behind the size the next field is the first one: there a first argument without a name belongs. */
#define GT_KEYWORDS_MAYBE_1(f, a, ...)                                                             \
    GT_KEYWORDS_(f, .end = 0, GT_AFTER_1(__VA_ARGS__).size = GT_SIZE(f##_options),                 \
                 GT_FIRST(__VA_ARGS__))
#define GT_KEYWORDS_(f, ...)                                                                       \
    ((const f##_options *)(const void *)&(struct f##_options_call){                                \
        GT_PRESETS(f##_options, f##_OPTIONS) __VA_ARGS__})
#endif

GT_BEGIN

/* "Not given", where the type has no better word for it; and of a struct. A struct that is a value (a
 * regularizer, a loss) begins with a pointer to its class, a list with a pointer to its items, so that no
 * number, string or function is one. */
#define GT_NONE    INT32_MIN
#define GT_INHERIT (-1)
#ifdef __cplusplus
#define GT_NOT_GIVEN                                                                               \
    {                                                                                              \
    }
#else
#define GT_NOT_GIVEN                                                                               \
    {                                                                                              \
        0                                                                                          \
    }
#endif

/* Shapes, sets of axes and other short lists of numbers are values that begin with this mark: .axes = 1 is an
 * error of the compiler, and .axes = 0 one of gt_options_take. */
typedef struct gt_Mark gt_Mark;
#define GT_MARK ((const gt_Mark *)(uintptr_t)0x67726164)

/* What ends a list that a macro gathers: of handles (not NULL, which may be one of them, and no address that
 * anything has), of integers (none that a computation arrives at, as INT64_MIN is), of numbers. */
#define GT_LIST_END     ((void *)(UINTPTR_MAX - 0x6774))
#define GT_INTEGERS_END (INT64_MIN + 0x67726164)
#define GT_NUMBERS_END  (-0x1.67726164p-1000)

/* A flag that may also be inherited: true, false or GT_INHERIT. */
typedef int gt_Flag;

/* One field of an option struct. `type` is its C type as written. */
typedef struct gt_Field {
    const char *name, *type;
    uint32_t offset;
    uint16_t size;
    bool marked; /* begins with GT_MARK */
} gt_Field;
/* What its list says of a field to people: the preset as written, and what the field means. */
typedef struct gt_FieldText {
    const char *preset, *doc;
} gt_FieldText;

/* An option struct described: its fields and the defaults. */
typedef struct gt_OptionType {
    const char *name; /* NULL if no field is marked: then no message says it */
    size_t size;     /* of the struct */
    uint32_t end;    /* of its last field: what the struct says is its size */
    uint32_t marked; /* fields that begin with GT_MARK */
    const void *defaults;
    const gt_Field *fields; /* ends with a NULL name */
    /* One for each field; NULL where the source is compiled without GT_WITH_SAMPLES, as for the installed library. */
    const gt_FieldText *texts;
} gt_OptionType;

#define GT_IS_MARKED_(type)                                                                        \
    _Generic((type *)0, struct gt_Shape * : 1, struct gt_Axes * : 1, struct gt_Numbers * : 1,      \
             struct gt_Columns * : 1, default : 0)
#define GT_FIELD(S, type, name, preset, doc)                                                       \
    {#name, #type, offsetof(S, name), sizeof(type), GT_IS_MARKED_(type)},
#define GT_COUNT_MARKED_(S, type, name, preset, doc) +GT_IS_MARKED_(type)
#ifdef GT_WITH_SAMPLES
#define GT_FIELD_TEXT(S, type, name, preset, doc) {#preset, doc},
#define GT_FIELD_TEXTS(S, LIST) static const gt_FieldText S##_texts[] = {LIST(GT_FIELD_TEXT, S){0}};
#define GT_TEXTS_OF(S)          S##_texts
#else
#define GT_FIELD_TEXTS(S, LIST)
#define GT_TEXTS_OF(S) NULL
#endif
/* In a source file of C: S_type, a gt_OptionType, and what belongs to it. */
#define GT_OPTION_TYPE(S, LIST)                                                                    \
    static const S S##_defaults = {GT_PRESETS(S, LIST).end = 0};                                   \
    static const gt_Field S##_fields[] = {LIST(GT_FIELD, S){0}};                                   \
    GT_FIELD_TEXTS(S, LIST)                                                                        \
    static const gt_OptionType S##_type = {(0 LIST(GT_COUNT_MARKED_, S)) ? #S : NULL,              \
                                           sizeof(S),                                              \
                                           (uint32_t)offsetof(S, end),                             \
                                           0 LIST(GT_COUNT_MARKED_, S),                            \
                                           &S##_defaults,                                          \
                                           S##_fields,                                             \
                                           GT_TEXTS_OF(S)}

/* The same for a struct that nobody gives: operations that the passes of a plan make fill it themselves. */
#define GT_MADE_OPTION_TYPE(S)                                                                     \
    static const S S##_defaults = {.size = sizeof(S)};                                             \
    static const gt_Field S##_fields[1] = {{.name = NULL}};                                        \
    static const gt_OptionType S##_type = {.name = #S,                                             \
                                           .size = sizeof(S),                                      \
                                           .end = sizeof(S),                                       \
                                           .defaults = &S##_defaults,                              \
                                           .fields = S##_fields}

/* Copies the caller's options over the defaults, as far as both know the fields, to `into`, which has
 * type->size bytes and is returned. NULL gives the defaults. Raises GT_INVALID for a shape, a set of axes or
 * the like that was not made by its macro. */
GT_API void *gt_options_take(const gt_OptionType *type, void *into, const void *given);
/* The options that a function works with: fills in `into`, an S. */
#define GT_TAKE(S, into, given)                                                                    \
    ((void)gt_options_take(&S##_type, (S *){into}, (const S *){given}))
/* The options that a value holds, an initializer or a constraint, which are of type S: for the functions of its
 * class. */
#define GT_OPTIONS_OF(S, value) (*(const S *)memcpy(&(S){.end = 0}, (value)->options, sizeof(S)))

GT_END

#endif
