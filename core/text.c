/* Text under the "C" locale, which the calling thread has for the length of one call. */
#include "core/text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* If even the "C" locale cannot be had, the thread's own is used. */
gt_PlainLocale gt_plain_locale_enter(void)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    gt_PlainLocale locale = {(void *)plain, NULL};
    if (plain)
        locale.before = (void *)uselocale(plain);
    return locale;
}

void gt_plain_locale_leave(gt_PlainLocale locale)
{
    if (!locale.plain)
        return;
    uselocale((locale_t)locale.before);
    freelocale((locale_t)locale.plain);
}

int gt_text_list(char *into, size_t size, const char *format, va_list arguments)
{
    gt_PlainLocale locale = gt_plain_locale_enter();
    int length = vsnprintf(into, size, format, arguments);
    gt_plain_locale_leave(locale);
    return length;
}

int gt_text(char *into, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = gt_text_list(into, size, format, arguments);
    va_end(arguments);
    return length;
}

double gt_text_number(const char *text)
{
    gt_PlainLocale locale = gt_plain_locale_enter();
    double number = strtod(text, NULL);
    gt_plain_locale_leave(locale);
    return number;
}

const char *gt_system_text(char into[GT_SYSTEM_TEXT], int error)
{
    gt_PlainLocale locale = gt_plain_locale_enter();
    const char *words = locale.plain ? strerror_l(error, (locale_t)locale.plain) : strerror(error);
    snprintf(into, GT_SYSTEM_TEXT, "%s", words);
    gt_plain_locale_leave(locale);
    return into;
}

/* What may follow the first byte: overlong forms, surrogates and what is beyond U+10FFFF show there. */
static bool may_follow(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* How many bytes a character has that begins so; 0: none does. */
static size_t wanted_length(unsigned char first)
{
    return first < 0x80                      ? 1
           : first >= 0xc2 && first <= 0xdf ? 2
           : first >= 0xe0 && first <= 0xef ? 3
           : first >= 0xf0 && first <= 0xf4 ? 4
                                            : 0;
}

/* The bytes that are there of a character of `wanted` bytes. */
static size_t count_bytes(const unsigned char *s, size_t size, size_t wanted)
{
    size_t n = size > 0;
    while (n > 0 && n < wanted && n < size &&
           (n == 1 ? may_follow(s[0], s[1]) : s[n] >= 0x80 && s[n] <= 0xbf))
        n++;
    return n;
}

size_t gt_utf8_length(const char *at, size_t size)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t wanted = size > 0 ? wanted_length(s[0]) : 0;
    return wanted > 0 && count_bytes(s, size, wanted) == wanted ? wanted : 0;
}

size_t gt_utf8_broken(const char *at, size_t size)
{
    const unsigned char *s = (const unsigned char *)at;
    return count_bytes(s, size, size > 0 ? wanted_length(s[0]) : 0);
}
