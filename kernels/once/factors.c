/* Loops around LAPACK: factors.h says what each does. Leans on functions.h. */
#include "kernels/factors.h"
#include "kernels/functions.h"

#define GT_T          float
#define GT_NAME(name) name##_f32
#include "factors_template.h"

#define GT_T          double
#define GT_NAME(name) name##_f64
#include "factors_template.h"

bool gt_all_finite(gt_LoopType type, int64_t n, const void *x)
{
    return type == GT_LOOP_F32 ? all_finite_f32(n, x) : all_finite_f64(n, x);
}

void gt_symmetric_part(gt_LoopType type, int64_t n, const void *x, void *y)
{
    if (type == GT_LOOP_F32)
        symmetric_part_f32(n, x, y);
    else
        symmetric_part_f64(n, x, y);
}

void gt_upper_triangle(gt_LoopType type, int64_t n, const void *a, int64_t ld, void *y)
{
    if (type == GT_LOOP_F32)
        upper_triangle_f32(n, a, ld, y);
    else
        upper_triangle_f64(n, a, ld, y);
}

void gt_clear_above(gt_LoopType type, int64_t n, void *x)
{
    if (type == GT_LOOP_F32)
        clear_above_f32(n, x);
    else
        clear_above_f64(n, x);
}

double gt_diagonal_logarithm(gt_LoopType type, int64_t n, const void *x, double *sign)
{
    return type == GT_LOOP_F32 ? diagonal_logarithm_f32(n, x, sign)
                               : diagonal_logarithm_f64(n, x, sign);
}

double gt_diagonal_product(gt_LoopType type, int64_t n, const void *x, double start)
{
    return type == GT_LOOP_F32 ? diagonal_product_f32(n, x, start)
                               : diagonal_product_f64(n, x, start);
}

void gt_inverse_of_factors(gt_LoopType type, int64_t rows, int64_t columns, int64_t k,
                           const void *u, const void *s, const void *vh, double least, void *y)
{
    if (type == GT_LOOP_F32)
        inverse_of_factors_f32(rows, columns, k, u, s, vh, least, y);
    else
        inverse_of_factors_f64(rows, columns, k, u, s, vh, least, y);
}

void gt_products_around(gt_LoopType type, int64_t n, const void *s, double start, double *before,
                        double *after)
{
    if (type == GT_LOOP_F32)
        products_around_f32(n, s, start, before, after);
    else
        products_around_f64(n, s, start, before, after);
}

void gt_scale_columns_around(gt_LoopType type, int64_t n, void *x, const double *before,
                             const double *after)
{
    if (type == GT_LOOP_F32)
        scale_columns_around_f32(n, x, before, after);
    else
        scale_columns_around_f64(n, x, before, after);
}

void gt_cofactors_of_diagonal(gt_LoopType type, int64_t n, const void *s, const double *before,
                              const double *after, const void *h, void *y)
{
    if (type == GT_LOOP_F32)
        cofactors_of_diagonal_f32(n, s, before, after, h, y);
    else
        cofactors_of_diagonal_f64(n, s, before, after, h, y);
}
