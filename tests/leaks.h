/* assert_no_leaks(), last in the body of a test: fails it when memory was lost so far. It sees leaks
 * when the test was built with AddressSanitizer (tools/check --sanitize) and does nothing otherwise.
 * Memory that is still reachable, through a local variable too, is not lost: leave the block that
 * held the pointers before asking. */
#ifndef GT_TESTS_LEAKS_H
#define GT_TESTS_LEAKS_H

#include <criterion/criterion.h>

#if defined(__SANITIZE_ADDRESS__)
#define GT_TESTS_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GT_TESTS_LEAK_CHECK 1
#endif
#endif

#ifdef GT_TESTS_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#define assert_no_leaks()                                                                          \
    cr_assert(!__lsan_do_recoverable_leak_check(), "memory was lost: see the report above")
#else
#define assert_no_leaks() ((void)0)
#endif

#endif
