/* Which build this source is compiled for, and whether a product and a sum are rounded in one there. Base never does,
 * on any processor: its order of operations is what every other source of the same numbers is compared with. Only where
 * the build leaves the true base out (the option isa) its name stands for the lowest instruction set there is. */
#ifndef GT_KERNELS_FUSED_H
#define GT_KERNELS_FUSED_H

#ifndef GT_ISA
#define GT_ISA base
#endif
#define GT_IS_BASE(isa)          GT_IS_BASE_EXPANDED(isa)
#define GT_IS_BASE_EXPANDED(isa) GT_IS_BASE_##isa
#define GT_IS_BASE_base          1

#if defined(GT_NEEDS_V3) || defined(GT_NEEDS_V4)
#define GT_IS_TRUE_BASE 0
#else
#define GT_IS_TRUE_BASE GT_IS_BASE(GT_ISA)
#endif

/* A source may say GT_UNFUSED for all of its builds. */
#if (defined(__FMA__) || defined(__aarch64__)) && !GT_IS_TRUE_BASE && !defined(GT_UNFUSED)
#define GT_FUSES 1
#else
#define GT_FUSES 0
#endif

#endif
