/* A few names, written on the spot. */
#ifndef GT_IO_NAMES_H
#define GT_IO_NAMES_H

#include "core/keyword.h"

GT_BEGIN

/* A few names: gt_names("age", "fare"). It borrows them. */
typedef struct gt_Names {
    const char *const *items; /* ends with GT_LIST_END; NULL: none are given */
} gt_Names;

GT_END

/* The list lives as long as the block it is written in; in C++ to the end of the full expression. */
#ifdef __cplusplus
#include <cstddef>
template <std::size_t N> struct gt_NameArray {
    const char *items[N];
    operator gt_Names() const
    {
        gt_Names names = {items};
        return names;
    }
};
template <class... T> inline gt_NameArray<sizeof...(T) + 1> gt_names(T... t)
{
    return gt_NameArray<sizeof...(T) + 1>{{t..., static_cast<const char *>(GT_LIST_END)}};
}
#else
#define gt_names(...) ((gt_Names){(const char *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)}})
#endif

#endif
