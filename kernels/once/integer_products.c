/* Products of integers, which wrap: rare enough to go without vectors. Leans on integer_reduction.h. */
#include "integer_reduction.h"

GT_REDUCTION(prod, i32, int32_t, 1, ((uint32_t)a * (uint32_t)b))
GT_REDUCTION(prod, i64, int64_t, 1, ((uint64_t)a * (uint64_t)b))
GT_REDUCTION(prod, u8, uint8_t, 1, ((uint32_t)a * (uint32_t)b))
