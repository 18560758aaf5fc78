/* The usual shape rules. Private to the library. */
#ifndef GT_OPS_SHAPES_H
#define GT_OPS_SHAPES_H

#include "core/inside.h"

/* Output 0 like input 0. The type must be one the caller's mask names. */
enum {
    GT_TAKES_FLOAT = 1,
    GT_TAKES_INTEGER = 2,
    GT_TAKES_BOOL = 4,
    GT_TAKES_NUMBER = GT_TAKES_FLOAT | GT_TAKES_INTEGER,
    GT_TAKES_ANY = GT_TAKES_NUMBER | GT_TAKES_BOOL
};
bool gt_takes(const gt_Spec *spec, unsigned types); /* raises an error if not */
bool gt_same_specs(const gt_ShapeRule *rule, int a, int b); /* raises an error unless inputs a and b agree */
gt_Status gt_shape_same(gt_ShapeRule *rule, unsigned types);
gt_Status gt_shape_float(gt_ShapeRule *rule);  /* like input 0, floats */
gt_Status gt_shape_number(gt_ShapeRule *rule); /* like input 0, floats and integers */
/* Output 0 is the broadcast of all inputs from `first` on, which have one type. */
gt_Status gt_shape_broadcast(gt_ShapeRule *rule, int first, unsigned types);
gt_Status gt_shape_binary_float(gt_ShapeRule *rule);
gt_Status gt_shape_binary_number(gt_ShapeRule *rule);
gt_Status gt_shape_compare(gt_ShapeRule *rule); /* two of one type -> bool */
/* The dtype of a product of these two: their own if they have one, float32 if either has 16 bits and the other the
 * same or float32. False with an error raised for other pairs. */
bool gt_product_type(const gt_Spec *a, const gt_Spec *b, gt_DType *type);

#endif
