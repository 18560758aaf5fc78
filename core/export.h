/* Which symbols leave the shared library, and C linkage for C++. */
#ifndef GT_CORE_EXPORT_H
#define GT_CORE_EXPORT_H

#if defined(GT_BUILD) && defined(__GNUC__)
#define GT_API __attribute__((visibility("default")))
#else
#define GT_API
#endif

#ifdef __cplusplus
#define GT_BEGIN extern "C" {
#define GT_END   }
#else
#define GT_BEGIN
#define GT_END
#endif

#endif
