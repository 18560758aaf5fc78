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
