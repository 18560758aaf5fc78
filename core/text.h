/* Text that does not depend on the locale which the program has set: every message, summary and
 * file of the library is written and read by these. The C library's own functions that look at the
 * locale (vsnprintf with a number, strtod, strerror, isalpha and their like) stand in text.c alone;
 * tools/check-includes sees to it. Leans on the C library only. Private to the library. */
#ifndef GT_CORE_TEXT_H
#define GT_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* snprintf and vsnprintf: a decimal point is a point. */
int gt_text(char *into, size_t size, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
int gt_text_list(char *into, size_t size, const char *format, va_list arguments);

/* strtod over the whole of the number that the text begins with. */
double gt_text_number(const char *text);

/* The words of the system for an error number, in English, in `into`. */
#define GT_SYSTEM_TEXT 80
const char *gt_system_text(char into[GT_SYSTEM_TEXT], int error);

/* For calls whose words depend on the locale and which this header has no function for. They
 * concern the calling thread alone. */
typedef struct gt_PlainLocale {
    void *plain, *before;
} gt_PlainLocale;
gt_PlainLocale gt_plain_locale_enter(void);
void gt_plain_locale_leave(gt_PlainLocale locale);

/* Bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at `at`, of which `size` bytes
 * are there; 0 if it is none. */
size_t gt_utf8_length(const char *at, size_t size);
/* The same for what is none: the bytes that one U+FFFD stands for, which are those that could have begun a character. */
size_t gt_utf8_broken(const char *at, size_t size);

/* Characters of C's own source: ASCII, whatever letters the locale has. */
static inline bool gt_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool gt_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool gt_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
