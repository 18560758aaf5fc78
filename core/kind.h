/* What a handle points to says what it is: its first word is one of the words below. So a handle of
 * the wrong kind, a string or a number is refused after reading that one word, and nothing behind it
 * is followed (no function trusts a pointer that came from outside before it asked here).
 *
 * Everything that a handle points to lies at a multiple of GT_ALIGNMENT; tensors, tapes and scopes
 * keep a generation in the bits below. A word may be read where an address can be one at all: not
 * in the first or the last 64 KiB, where small numbers, positive and negative, end up. */
#ifndef GT_CORE_KIND_H
#define GT_CORE_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/context.h"

/* Numbers that are neither text nor plausible sizes, floats or addresses. The low bits of a tensor's
 * word are the generation that a handle to it has in its own, so that one comparison says both. */
#define GT_WORD_TENSOR  UINT64_C(0x9bf4a7e1c3d68100)
#define GT_WORD_GONE    UINT64_C(0x9bf4a7e1c3d68200) /* the place of a tensor, empty now */
#define GT_WORD_TAPE    UINT64_C(0x9bf4a7e1c3d68300)
#define GT_WORD_SCOPE   UINT64_C(0x9bf4a7e1c3d68400)
#define GT_WORD_CONTEXT UINT64_C(0x9bf4a7e1c3d68500)
#define GT_WORD_LAYER   UINT64_C(0x9bf4a7e1c3d68600) /* of a layer's struct, which users define */
#define GT_WORD_OBJECT  UINT64_C(0x9bf4a7e1c3d68700) /* any gt_Object; it knows its gt_ObjectKind */
#define GT_WORD_FREED   UINT64_C(0x9bf4a7e1c3d68800) /* a gt_Object in quarantine; it still does */

static inline bool gt_is_word(uint64_t word)
{
    return word >> 16 == GT_WORD_TENSOR >> 16;
}

#define GT_HANDLE_BITS 6 /* generation bits in a handle */
#define GT_HANDLE_MASK ((uintptr_t)((1u << GT_HANDLE_BITS) - 1))

/* Reads what may be anybody's memory, which sanitizers would report. */
#if defined(__clang__)
#define GT_READS_ANYTHING __attribute__((no_sanitize("address", "thread", "memory")))
#elif defined(__GNUC__)
#define GT_READS_ANYTHING __attribute__((no_sanitize("address", "thread")))
#else
#define GT_READS_ANYTHING
#endif

static inline bool gt_is_address(const void *handle)
{
    return (uintptr_t)handle - 65536 < UINTPTR_MAX - 2 * (uintptr_t)65536;
}

/* The first word of what a handle points to, whatever it is; 0 for what is no address. */
GT_READS_ANYTHING static inline uint64_t gt_word_of(const void *handle)
{
    if (!gt_is_address(handle))
        return 0;
    return *(const volatile uint64_t *)((uintptr_t)handle & ~GT_HANDLE_MASK); /* NOLINT */
}

/* The same without a generation: one of the words above, if it is ours. */
static inline uint64_t gt_kind_of(const void *handle)
{
    return gt_word_of(handle) & ~(uint64_t)GT_HANDLE_MASK;
}

/* Is it a handle to a live tensor or variable? */
static inline bool gt_is_tensor(const void *handle)
{
    return gt_word_of(handle) == (GT_WORD_TENSOR | ((uintptr_t)handle & GT_HANDLE_MASK));
}

/* Has a handle to the start of its block that word? */
static inline bool gt_has_word(const void *handle, uint64_t word)
{
    return ((uintptr_t)handle & GT_HANDLE_MASK) == 0 && gt_word_of(handle) == word;
}

/* Does what the class of a value points to begin with GT_MARK, as classes do? A lenient compiler lets anything
 * pass as one. */
GT_READS_ANYTHING static inline bool gt_is_class(const void *type)
{
    return gt_is_address(type) && (uintptr_t)type % sizeof(void *) == 0 &&
           *(const gt_Mark *const volatile *)type == GT_MARK;
}

/* Raises "WHAT must be a KIND (got ...)", with what the handle is instead; "WHAT is NULL" for NULL.
 * Where `what` is NULL: "expected a KIND (got ...)". Returns the pending status. */
gt_Status gt_raise_kind(gt_Context *context, const char *here, const char *operation,
                        const char *what, const char *kind, const void *handle);

/* An error if what should be a function is a small number or lies in the context's memory, as its
 * handles do. Code itself is not read: some systems forbid it. NULL is no error. */
gt_Status gt_check_function(const char *what, uintptr_t function);

#endif
