/* leaks_found(): was memory lost so far? For programs without Criterion; false without AddressSanitizer. */
#ifndef GT_TESTS_LEAKS_PLAIN_H
#define GT_TESTS_LEAKS_PLAIN_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
#define GT_TESTS_SEES_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GT_TESTS_SEES_LEAKS 1
#endif
#endif

#ifdef GT_TESTS_SEES_LEAKS
#include <sanitizer/lsan_interface.h>
static inline bool leaks_found(void)
{
    return __lsan_do_recoverable_leak_check();
}
#else
static inline bool leaks_found(void)
{
    return false;
}
#endif

#endif
