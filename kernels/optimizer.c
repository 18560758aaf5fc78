/* The inner loops of the optimizers: one pass over a variable and its slots. Leans on loops.h.
 * Which slots there are is a constant of an inlined function, so that each case is a loop without a
 * branch. */
#include <math.h>

#include "loops.h"

#define GT_T          float
#define GT_NAME(name) name##_f32
#define GT_SQRT       sqrtf
#include "optimizer_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#define GT_SQRT       sqrt
#include "optimizer_template.h"
