/* A small stand-in for Criterion, for the places where Criterion does not run: ThreadSanitizer,
 * valgrind without child processes, emulators. The same test files compile against either. All tests
 * run in one process, one after the other; a crash ends the program with a failure.
 *
 * It has: Test (with .disabled, .init, .fini), cr_assert*, cr_expect*, cr_fail, cr_skip_test. It has
 * not: TestSuite, parameterized tests and theories, tests that expect a signal or an exit. */
#ifndef GT_SHIM_CRITERION_H
#define GT_SHIM_CRITERION_H

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shim_Test {
    const char *suite;
    const char *name;
    void (*body)(void);
    void (*init)(void);
    void (*fini)(void);
    bool disabled;
    double timeout;          /* taken and left alone */
    const char *description; /* taken and left alone */
    struct shim_Test *next;
} shim_Test;

void shim_register(shim_Test *test);
/* Leave the running test. Both may be called by the thread that runs it alone. */
_Noreturn void shim_leave(void);
_Noreturn void shim_skip(const char *format, ...);
/* Notes a failure of the running test; any thread may. An empty format means: no message. */
void shim_fail(const char *file, int line, const char *condition, const char *format, ...);

#define Test(suite_, name_, ...)                                                                   \
    static void shim_body_##suite_##_##name_(void);                                                \
    static shim_Test shim_test_##suite_##_##name_ = {.suite = #suite_,                             \
                                                     .name = #name_,                               \
                                                     .body = shim_body_##suite_##_##name_,         \
                                                     ##__VA_ARGS__};                               \
    __attribute__((constructor)) static void shim_register_##suite_##_##name_(void)                \
    {                                                                                              \
        shim_register(&shim_test_##suite_##_##name_);                                              \
    }                                                                                              \
    static void shim_body_##suite_##_##name_(void)

#define SHIM_CHECK(condition, text, otherwise, ...)                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            shim_fail(__FILE__, __LINE__, text, "" __VA_ARGS__);                                   \
            otherwise;                                                                             \
        }                                                                                          \
    } while (0)
#define SHIM_ASSERT(condition, text, ...) SHIM_CHECK(condition, text, shim_leave(), ##__VA_ARGS__)
#define SHIM_EXPECT(condition, text, ...) SHIM_CHECK(condition, text, (void)0, ##__VA_ARGS__)

#define cr_fail(...)      SHIM_EXPECT(false, "failed", ##__VA_ARGS__)
#define cr_fatal(...)     SHIM_ASSERT(false, "failed", ##__VA_ARGS__)
#define cr_skip_test(...) shim_skip("" __VA_ARGS__)
#define cr_skip(...)      shim_skip("" __VA_ARGS__)
#define cr_log_info(...)  shim_log(__VA_ARGS__)
#define cr_log_warn(...)  shim_log(__VA_ARGS__)
#define cr_log_error(...) shim_log(__VA_ARGS__)
#define shim_log(...)     (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))

#define cr_assert(c, ...)                SHIM_ASSERT(c, #c, ##__VA_ARGS__)
#define cr_assert_not(c, ...)            SHIM_ASSERT(!(c), "not " #c, ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...)          SHIM_ASSERT((a) == (b), #a " == " #b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...)         SHIM_ASSERT((a) != (b), #a " != " #b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...)          SHIM_ASSERT((a) < (b), #a " < " #b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...)         SHIM_ASSERT((a) <= (b), #a " <= " #b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...)          SHIM_ASSERT((a) > (b), #a " > " #b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...)         SHIM_ASSERT((a) >= (b), #a " >= " #b, ##__VA_ARGS__)
#define cr_assert_null(a, ...)           SHIM_ASSERT((a) == NULL, #a " is NULL", ##__VA_ARGS__)
#define cr_assert_not_null(a, ...)       SHIM_ASSERT((a) != NULL, #a " is not NULL", ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)                                                                \
    SHIM_ASSERT(strcmp((a), (b)) == 0, #a " equals " #b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)                                                               \
    SHIM_ASSERT(strcmp((a), (b)) != 0, #a " differs from " #b, ##__VA_ARGS__)
#define cr_assert_str_empty(a, ...)     SHIM_ASSERT((a)[0] == '\0', #a " is empty", ##__VA_ARGS__)
#define cr_assert_str_not_empty(a, ...)                                                            \
    SHIM_ASSERT((a)[0] != '\0', #a " is not empty", ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
    SHIM_ASSERT(memcmp((a), (b), (size)) == 0, #a " has the bytes of " #b, ##__VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...)                                                         \
    SHIM_ASSERT(memcmp((a), (b), (size)) != 0, #a " has not the bytes of " #b, ##__VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...)                                                     \
    SHIM_ASSERT(fabs((double)(a) - (double)(b)) <= (double)(epsilon), #a " is near " #b,           \
                ##__VA_ARGS__)
#define cr_assert_float_neq(a, b, epsilon, ...)                                                    \
    SHIM_ASSERT(!(fabs((double)(a) - (double)(b)) <= (double)(epsilon)), #a " is not near " #b,    \
                ##__VA_ARGS__)

#define cr_expect(c, ...)          SHIM_EXPECT(c, #c, ##__VA_ARGS__)
#define cr_expect_not(c, ...)      SHIM_EXPECT(!(c), "not " #c, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...)    SHIM_EXPECT((a) == (b), #a " == " #b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...)   SHIM_EXPECT((a) != (b), #a " != " #b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...)    SHIM_EXPECT((a) < (b), #a " < " #b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...)   SHIM_EXPECT((a) <= (b), #a " <= " #b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...)    SHIM_EXPECT((a) > (b), #a " > " #b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...)   SHIM_EXPECT((a) >= (b), #a " >= " #b, ##__VA_ARGS__)
#define cr_expect_null(a, ...)     SHIM_EXPECT((a) == NULL, #a " is NULL", ##__VA_ARGS__)
#define cr_expect_not_null(a, ...) SHIM_EXPECT((a) != NULL, #a " is not NULL", ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)                                                                \
    SHIM_EXPECT(strcmp((a), (b)) == 0, #a " equals " #b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)                                                               \
    SHIM_EXPECT(strcmp((a), (b)) != 0, #a " differs from " #b, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
    SHIM_EXPECT(memcmp((a), (b), (size)) == 0, #a " has the bytes of " #b, ##__VA_ARGS__)
#define cr_expect_float_eq(a, b, epsilon, ...)                                                     \
    SHIM_EXPECT(fabs((double)(a) - (double)(b)) <= (double)(epsilon), #a " is near " #b,           \
                ##__VA_ARGS__)

#endif
