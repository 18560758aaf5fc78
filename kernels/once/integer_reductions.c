/* The reductions of integers, which have one build: they wait for memory. Sums and products wrap, so any order gives the
 * same, and the compiler chooses it. Products: integer_products.c; sums of bytes: bytes.c. Leans on integer_reduction.h. */
#include "integer_reduction.h"

/* The place of a number that is there: two steps, for an exit in the loop would keep it from becoming vector code. */
#define GT_FIND(suffix, type, word)                                                                \
    int64_t GT_KERNEL(find_##suffix)(int64_t n, const void *from, const void *value)               \
    {                                                                                              \
        enum { LANES = 32 };                                                                       \
        const type *x = from, wanted = *(const type *)value;                                       \
        int64_t i = 0;                                                                             \
        for (word found = 0; i + LANES <= n; i += LANES) {                                         \
            for (int l = 0; l < LANES; l++)                                                        \
                found |= x[i + l] == wanted ? (word)1 : (word)0;                                   \
            if (found)                                                                             \
                break;                                                                             \
        }                                                                                          \
        while (i < n && x[i] != wanted)                                                            \
            i++;                                                                                   \
        return i;                                                                                  \
    }

/* `word`: unsigned, as wide as an element; `wide`: where it is computed. */
#define GT_REDUCTIONS(suffix, type, word, wide, lowest, highest)                                   \
    GT_REDUCTION(sum, suffix, type, 0, (wide)a + (wide)b)                                          \
    GT_REDUCTION(max, suffix, type, lowest, a > b ? a : b)                                         \
    GT_REDUCTION(min, suffix, type, highest, a < b ? a : b)                                        \
    GT_FIND(suffix, type, word)

GT_REDUCTIONS(i32, int32_t, uint32_t, uint32_t, INT32_MIN, INT32_MAX)
GT_REDUCTIONS(i64, int64_t, uint64_t, uint64_t, INT64_MIN, INT64_MAX)
GT_REDUCTIONS(u8, uint8_t, uint8_t, uint32_t, 0, UINT8_MAX)
