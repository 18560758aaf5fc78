/* Dot-product attention for some queries of one head at a time, by products and loops of this build: once/attention.c. Leans on
 * functions.h and attend.h. The order of the sums of every product is gt_gemm's, in which an element depends on its row alone. */
#include <math.h>

#include "functions.h"
#include "attend.h"

#define GT_T          float
#define GT_NAME(name) name##_f32
#define GT_TWO_KEYS   GT_WIDE /* vectors enough to take turns */
#if GT_WIDE
#define GT_V       __m512
#define GT_W(name) _mm512_##name##_ps
#endif
#include "attention_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#define GT_TWO_KEYS   0
#if GT_WIDE
#define GT_V       __m512d
#define GT_W(name) _mm512_##name##_pd
#endif
#include "attention_template.h"

static const gt_AttendLoops loops[2] = {{probabilities_f32, scores_back_f32},
                                        {probabilities_f64, scores_back_f64}};

/* Query by query: s = k (scale q) as gt_gemm, if causal over the keys up to the last query of its 32, those behind its own at
 * -infinity; where there is a mask, those that are left out are at 0.7 of the lowest number, and if one of the 32 looks at none of
 * these keys, all keys are there. e = exp(s - max); the sum of e in order,
 * of each 64 keys rounded and these in double; p = e times 1 / sum, both rounded; o = p v as gt_gemm. */
void GT_KERNEL(tiles_attention)(const void *job, void *const *at, int64_t first, int64_t last,
                                void *scratch)
{
    gt_attend_tiles(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}

/* Query by query p as in attention; d = v do as gt_gemm; t the sum of p d, each rounded, in order as that of e;
 * ds = (p (d - t)) scale, 0 where the mask is false; dq = ds k as gt_gemm. Key by key, dk is the sum of ds q and dv that of
 * p do, as gt_gemm over 32 queries each, one after the other in order; heads that share the key follow one another. */
void GT_KERNEL(tiles_attention_gradient)(const void *job, void *const *at, int64_t first,
                                         int64_t last, void *scratch)
{
    gt_attend_back_tiles(&GT_KERNEL(kernels), loops, job, at, first, last, scratch);
}
