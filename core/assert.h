/* GT_ASSERT states what must hold here, whatever the user did. It is tested in builds with sanitizers, where a false
 * one stops the program; elsewhere it is nothing. Errors of users are errors, never this. */
#ifndef GT_CORE_ASSERT_H
#define GT_CORE_ASSERT_H

#if defined(GT_ASSERTIONS) && defined(__GNUC__)
#define GT_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define GT_ASSERT(condition) ((void)sizeof(!(condition)))
#endif

#endif
