/* What the portable texts want defined before them for one element type; included with GT_DOUBLE 0 or 1. */
#undef GT_REAL
#undef GT_WORD
#undef GT_P
#undef GT_M
#if GT_DOUBLE
#define GT_REAL    double
#define GT_WORD    uint64_t
#define GT_P(name) gt_##name##_f64_text
#define GT_M(name) name
#else
#define GT_REAL    float
#define GT_WORD    uint32_t
#define GT_P(name) gt_##name##_f32_text
#define GT_M(name) name##f
#endif
