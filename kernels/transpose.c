/* Transposition of elements of 4 and 8 bytes, whose squares the vectors of gemm.c turn. Leans on transpose.h, gemm.h. */
#include "gemm.h"
#include "transpose.h"

GT_TRANSPOSE(4, float, GT_KERNEL(turn_f32))
GT_TRANSPOSE(8, double, GT_KERNEL(turn_f64))
