/* GT_API marks what a program may call. Everything else is hidden in the shared library. */
#ifndef GT_CORE_EXPORT_H
#define GT_CORE_EXPORT_H

#if defined(GT_BUILD) && defined(__GNUC__)
#define GT_API __attribute__((visibility("default")))
#else
#define GT_API
#endif

#endif
