/* Replays tests/oracle/numpy.safetensors, written by make_numpy.py: every case forward in float64
 * and, but for those that float32 cannot follow, in float32. Also the errors of bad input. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 5 };

/* name, how many results, does float32 follow, what computes out[] from in[] */
#define CASES(F)                                                                                   \
    F(einsum_product, 1, 1, out[0] = gt_einsum("ij,jk->ik", gt_tensors(in[0], in[1])))             \
    F(einsum_batch, 1, 1, out[0] = gt_einsum("bij,bkj->bik", gt_tensors(in[0], in[1])))            \
    F(einsum_order, 1, 1, out[0] = gt_einsum("abc,cd,be->dae", gt_tensors(in[0], in[1], in[2])))   \
    F(einsum_trace, 1, 1, out[0] = gt_einsum("ii", gt_tensors(in[0])))                             \
    F(einsum_diagonal, 1, 1, out[0] = gt_einsum("ijij->ji", gt_tensors(in[0])))                    \
    F(einsum_implicit, 1, 1, out[0] = gt_einsum("ba, ca", gt_tensors(in[0], in[1])))               \
    F(einsum_ellipsis, 1, 1, out[0] = gt_einsum("...ij,...jk->...ik", gt_tensors(in[0], in[1])))   \
    F(einsum_ellipsis_sum, 1, 1, out[0] = gt_einsum("i...,i...->...", gt_tensors(in[0], in[1])))   \
    F(einsum_outer, 1, 1, out[0] = gt_einsum("i,j,k->kji", gt_tensors(in[0], in[1], in[2])))       \
    F(einsum_sums, 1, 1, out[0] = gt_einsum("ijk,jl->l", gt_tensors(in[0], in[1])))                \
    F(tensordot, 1, 1, out[0] = gt_tensordot(in[0], in[1]))                                        \
    F(tensordot_axes, 1, 1,                                                                        \
      out[0] = gt_tensordot(in[0], in[1], .a_axes = gt_axes(0, 2), .b_axes = gt_axes(2, 0)))       \
    F(dot, 1, 1, out[0] = gt_dot(in[0], in[1]))                                                    \
    F(dot_vector, 1, 1, out[0] = gt_dot(in[0], in[1]))                                             \
    F(inner, 1, 1, out[0] = gt_inner(in[0], in[1]))                                                \
    F(outer, 1, 1, out[0] = gt_outer(in[0], in[1]))                                                \
    F(vdot, 1, 1, out[0] = gt_vdot(in[0], in[1]))                                                  \
    F(kron, 1, 1, out[0] = gt_kron(in[0], in[1]))                                                  \
    F(kron_ranks, 1, 1, out[0] = gt_kron(in[0], in[1]))                                            \
    F(cross, 1, 1, out[0] = gt_cross(in[0], in[1]))                                                \
    F(cross_axis, 1, 1, out[0] = gt_cross(in[0], in[1], .axis = 0))                                \
    F(trace, 1, 1, out[0] = gt_trace(in[0]))                                                       \
    F(trace_offset, 1, 1, out[0] = gt_trace(in[0], .offset = 1, .axis1 = 0, .axis2 = 2))           \
    F(diagonal, 1, 1, out[0] = gt_diagonal(in[0], .offset = -1, .axis1 = 1, .axis2 = 2))           \
    F(diagonal_far, 1, 1, out[0] = gt_diagonal(in[0], .offset = 9))                                \
    F(diag_vector, 1, 1, out[0] = gt_diag(in[0], .k = 1))                                          \
    F(diag_matrix, 1, 1, out[0] = gt_diag(in[0], .k = -1))                                         \
    F(diagflat, 1, 1, out[0] = gt_diagflat(in[0], .k = -2))                                        \
    F(sort, 1, 1, out[0] = gt_sort(in[0]))                                                         \
    F(sort_axis, 1, 1, out[0] = gt_sort(in[0], .axis = 0))                                         \
    F(sort_flat, 1, 1, out[0] = gt_sort(in[0], .axis = GT_NONE))                                   \
    F(sort_descending, 1, 1, out[0] = gt_sort(in[0], .descending = true))                          \
    F(sort_whole, 1, 1, out[0] = gt_sort(in[0]))                                                   \
    F(sort_nan, 1, 1, out[0] = gt_sort(in[0]))                                                     \
    F(argsort, 1, 1, out[0] = gt_argsort(in[0]))                                                   \
    F(argsort_axis, 1, 1, out[0] = gt_argsort(in[0], .axis = 0))                                   \
    F(top_k, 2, 1, gt_TopK top = gt_top_k(in[0], 3); out[0] = top.values; out[1] = top.indices)    \
    F(in_top_k, 1, 1, out[0] = gt_in_top_k(in[0], in[1], 2))                                       \
    F(median, 1, 1, out[0] = gt_median(in[0]))                                                     \
    F(median_even, 1, 1, out[0] = gt_median(in[0], .axis = 1))                                     \
    F(quantile, 1, 1, out[0] = gt_quantile(in[0], 0.3, .axis = 0))                                 \
    F(quantile_many, 1, 1, out[0] = gt_quantile(in[0], in[1], .axis = 1))                          \
    F(quantile_axes, 1, 1,                                                                         \
      out[0] = gt_quantile(in[0], 0.62, .axes = gt_axes(0, 2), .keepdims = true))                  \
    F(quantile_nan, 1, 1, out[0] = gt_quantile(in[0], 0.5, .axis = 1))                             \
    F(percentile, 1, 1, out[0] = gt_percentile(in[0], 37.5))                                       \
    F(searchsorted, 1, 1, out[0] = gt_searchsorted(in[0], in[1]))                                  \
    F(searchsorted_right, 1, 1, out[0] = gt_searchsorted(in[0], in[1], .right = true))             \
    F(digitize, 1, 1, out[0] = gt_digitize(in[0], in[1]))                                          \
    F(digitize_right, 1, 1, out[0] = gt_digitize(in[0], in[1], .right = true))                     \
    F(bincount, 1, 1, out[0] = gt_bincount(in[0]))                                                 \
    F(bincount_weights, 1, 1, out[0] = gt_bincount(in[0], .weights = in[1], .length = 8))          \
    F(histogram, 2, 1, gt_Histogram h = gt_histogram(in[0]); out[0] = h.counts; out[1] = h.edges)  \
    F(histogram_range, 2, 1,                                                                       \
      gt_Histogram h = gt_histogram(in[0], .bins = 5, .low = -1, .high = 1);                       \
      out[0] = h.counts; out[1] = h.edges)                                                         \
    F(isin, 1, 1, out[0] = gt_isin(in[0], in[1]))                                                  \
    F(segment_sum, 1, 1, out[0] = gt_segment_sum(in[0], in[1], 4))                                 \
    F(segment_max, 1, 1, out[0] = gt_segment_max(in[0], in[1], 4))                                 \
    F(segment_min, 1, 1, out[0] = gt_segment_min(in[0], in[1], 4))                                 \
    F(segment_prod, 1, 1, out[0] = gt_segment_prod(in[0], in[1], 4))                               \
    F(exp2, 1, 1, out[0] = gt_exp2(in[0]))                                                         \
    F(cbrt, 1, 1, out[0] = gt_cbrt(in[0]))                                                         \
    F(sinc, 1, 1, out[0] = gt_sinc(in[0]))                                                         \
    F(erfinv, 1, 0, out[0] = gt_erfinv(in[0]))                                                     \
    F(logaddexp, 1, 1, out[0] = gt_logaddexp(in[0], in[1]))                                        \
    F(logaddexp2, 1, 1, out[0] = gt_logaddexp2(in[0], in[1]))                                      \
    F(hypot, 1, 1, out[0] = gt_hypot(in[0], in[1]))                                                \
    F(nan_to_num, 1, 1, out[0] = gt_nan_to_num(in[0], .nan = 7, .posinf = 8, .neginf = -9))        \
    F(fmax, 1, 1, out[0] = gt_fmax(in[0], in[1]))                                                  \
    F(fmin, 1, 1, out[0] = gt_fmin(in[0], in[1]))                                                  \
    F(signbit, 1, 1, out[0] = gt_signbit(in[0]))                                                   \
    F(isclose, 1, 0, out[0] = gt_isclose(in[0], in[1]))                                            \
    F(isclose_nan, 1, 1, out[0] = gt_isclose(in[0], in[1], .rtol = 1e-3, .equal_nan = true))       \
    F(allclose, 1, 1, out[0] = gt_allclose(in[0], in[1]))                                          \
    F(bitwise_and, 1, 1, out[0] = gt_bitwise_and(in[0], in[1]))                                    \
    F(bitwise_or, 1, 1, out[0] = gt_bitwise_or(in[0], in[1]))                                      \
    F(bitwise_xor, 1, 1, out[0] = gt_bitwise_xor(in[0], in[1]))                                    \
    F(bitwise_not, 1, 1, out[0] = gt_bitwise_not(in[0]))                                           \
    F(left_shift, 1, 1, out[0] = gt_left_shift(in[0], in[1]))                                      \
    F(right_shift, 1, 1, out[0] = gt_right_shift(in[0], in[1]))                                    \
    F(nansum, 1, 1, out[0] = gt_nansum(in[0], .axis = 0))                                          \
    F(nanmean, 1, 1, out[0] = gt_nanmean(in[0], .axis = 1))                                        \
    F(nanmax, 1, 1, out[0] = gt_nanmax(in[0], .axis = 1))                                          \
    F(nanmin, 1, 1, out[0] = gt_nanmin(in[0]))                                                     \
    F(ptp, 1, 1, out[0] = gt_ptp(in[0], .axis = 1))                                                \
    F(average, 1, 1, out[0] = gt_average(in[0], .axis = 0, .weights = in[1]))                      \
    F(diff, 1, 1, out[0] = gt_diff(in[0], .n = 2))                                                 \
    F(diff_axis, 1, 1, out[0] = gt_diff(in[0], .axis = 0))                                         \
    F(trapezoid, 1, 1, out[0] = gt_trapezoid(in[0], .dx = 0.5))                                    \
    F(trapezoid_x, 1, 1, out[0] = gt_trapezoid(in[0], .x = in[1]))                                 \
    F(hstack, 1, 1, out[0] = gt_hstack(gt_tensors(in[0], in[1])))                                  \
    F(hstack_vectors, 1, 1, out[0] = gt_hstack(gt_tensors(in[0], in[1])))                          \
    F(vstack, 1, 1, out[0] = gt_vstack(gt_tensors(in[0], in[1])))                                  \
    F(dstack, 1, 1, out[0] = gt_dstack(gt_tensors(in[0], in[1])))                                  \
    F(column_stack, 1, 1, out[0] = gt_column_stack(gt_tensors(in[0], in[1])))                      \
    F(array_split, 3, 1, gt_array_split(in[0], 3, out, .axis = 1))                                 \
    F(hsplit, 2, 1, gt_hsplit(in[0], 2, out))                                                      \
    F(vsplit, 2, 1, gt_vsplit(in[0], 2, out))                                                      \
    F(unstack, 3, 1, gt_unstack(in[0], 3, out, .axis = 1))                                         \
    F(rot90, 1, 1, out[0] = gt_rot90(in[0]))                                                       \
    F(rot90_three, 1, 1, out[0] = gt_rot90(in[0], .k = 3, .axis1 = 1, .axis2 = 2))                 \
    F(rot90_two, 1, 1, out[0] = gt_rot90(in[0], .k = -2))                                          \
    F(fliplr, 1, 1, out[0] = gt_fliplr(in[0]))                                                     \
    F(flipud, 1, 1, out[0] = gt_flipud(in[0]))                                                     \
    F(meshgrid, 3, 1, gt_meshgrid(gt_tensors(in[0], in[1], in[2]), out))                           \
    F(meshgrid_matrix, 2, 1, gt_meshgrid(gt_tensors(in[0], in[1]), out, .matrix = true))           \
    F(slice_update, 1, 1, out[0] = gt_slice_update(in[0], gt_shape(1, 0), in[1]))                  \
    F(scatter_update, 1, 1, out[0] = gt_scatter_update(in[0], in[1], in[2]))                       \
    F(scatter_update_rows, 1, 1, out[0] = gt_scatter_update(in[0], in[1], in[2]))                  \
    F(scatter_update_repeated, 1, 1, out[0] = gt_scatter_update(in[0], in[1], in[2]))              \
    F(round_decimals, 1, 0, out[0] = gt_round(in[0], .decimals = 2))                               \
    F(round_tens, 1, 0, out[0] = gt_round(in[0], .decimals = -2))                                  \
    F(max_initial, 1, 1, out[0] = gt_max(in[0], .axis = 1, .initial = 0.5))                        \
    F(min_initial, 1, 1, out[0] = gt_min(in[0], .axis = 0, .keepdims = true, .initial = -0.5))     \
    F(max_initial_whole, 1, 1, out[0] = gt_max(in[0], .initial = 7))                               \
    F(repeat_each, 1, 1, out[0] = gt_repeat(in[0], gt_integers(2, 0, 3, 1), .axis = 1))            \
    F(repeat_each_flat, 1, 1, out[0] = gt_repeat(in[0], gt_integers(0, 3, 1, 2)))                  \
    F(repeat_none, 1, 1, out[0] = gt_repeat(in[0], gt_integers(0, 0), .axis = 0))                  \
    F(roll_axes, 1, 1, out[0] = gt_roll(in[0], gt_integers(1, -7), .axes = gt_axes(0, -2)))        \
    F(roll_axes_alike, 1, 1, out[0] = gt_roll(in[0], 5, .axes = gt_axes(1, 2)))                    \
    F(roll_axis_twice, 1, 1, out[0] = gt_roll(in[0], gt_integers(1, 2), .axes = gt_axes(1, 1)))    \
    F(moveaxis_two, 1, 1, out[0] = gt_moveaxis(in[0], gt_axes(0, -1), gt_axes(2, 0)))              \
    F(moveaxis_three, 1, 1, out[0] = gt_moveaxis(in[0], gt_axes(3, 0, 1), gt_axes(0, 1, -1)))      \
    F(scatter_add, 1, 1,                                                                           \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_ADD))      \
    F(scatter_add_whole, 1, 1,                                                                     \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_ADD))      \
    F(scatter_max, 1, 1,                                                                           \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MAX))      \
    F(scatter_max_whole, 1, 1,                                                                     \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MAX))      \
    F(scatter_min, 1, 1,                                                                           \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MIN))      \
    F(scatter_min_whole, 1, 1,                                                                     \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MIN))      \
    F(scatter_mul, 1, 1,                                                                           \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MULTIPLY)) \
    F(scatter_mul_whole, 1, 1,                                                                     \
      out[0] = gt_scatter_update(in[0], in[1], in[2], .reduction = GT_SCATTER_REDUCTION_MULTIPLY)) \
    F(cholesky_upper, 1, 1, out[0] = gt_cholesky(in[0], .upper = true))                            \
    F(qr_complete, 3, 1, gt_Qr f = gt_qr(in[0], .mode = GT_QR_MODE_COMPLETE); spans(f.q, 3, out);  \
      out[2] = gt_abs(f.r))                                                                        \
    F(qr_complete_wide, 2, 1, gt_Qr f = gt_qr(in[0], .mode = GT_QR_MODE_COMPLETE);                 \
      out[0] = gt_abs(f.q); out[1] = gt_abs(f.r))                                                  \
    F(svd_full, 3, 1, gt_Svd f = gt_svd(in[0], .full_matrices = true); spans(f.u, 3, out);         \
      out[2] = gt_abs(f.vh))                                                                       \
    F(svd_full_wide, 3, 1, gt_Svd f = gt_svd(in[0], .full_matrices = true); out[0] = gt_abs(f.u);  \
      spans(gt_transpose(f.vh), 2, out + 1))                                                       \
    F(norm, 1, 1, out[0] = gt_norm(in[0]))                                                         \
    F(norm_one, 1, 1, out[0] = gt_norm(in[0], .ord = 1, .axis = 0))                                \
    F(norm_three, 1, 1, out[0] = gt_norm(in[0], .ord = 3, .axis = 1, .keepdims = true))            \
    F(norm_inf, 1, 1, out[0] = gt_norm(in[0], .ord = INFINITY, .axis = 1))                         \
    F(matrix_norms, 5, 1,                                                                          \
      for (int kind = 0; kind < 5; kind++) out[kind] = gt_matrix_norm(in[0], (gt_MatrixNorm)kind)) \
    F(cdist, 1, 1, out[0] = gt_cdist(in[0], in[1]))                                                \
    F(solve, 1, 1, out[0] = gt_solve(in[0], in[1]))                                                \
    F(solve_vector, 1, 1, out[0] = gt_solve(in[0], in[1]))                                         \
    F(solve_batch, 1, 1, out[0] = gt_solve(in[0], gt_expand_dims(in[1], 0)))                       \
    F(solve_triangular, 1, 1, out[0] = gt_solve_triangular(in[0], in[1]))                          \
    F(solve_triangular_lower, 1, 1, out[0] = gt_solve_triangular(in[0], in[1], .lower = true))     \
    F(solve_triangular_transposed, 1, 1,                                                           \
      out[0] = gt_solve_triangular(in[0], in[1], .transpose = true))                               \
    F(inv, 1, 1, out[0] = gt_inv(in[0]))                                                           \
    F(pinv, 1, 1, out[0] = gt_pinv(in[0]))                                                         \
    F(pinv_wide, 1, 1, out[0] = gt_pinv(in[0]))                                                    \
    F(pinv_low_rank, 1, 1, out[0] = gt_pinv(in[0]))                                                \
    F(lstsq, 1, 1, out[0] = gt_lstsq(in[0], in[1]))                                                \
    F(lstsq_wide, 1, 1, out[0] = gt_lstsq(in[0], in[1]))                                           \
    F(det, 1, 1, out[0] = gt_det(in[0]))                                                           \
    F(det_odd, 1, 1, out[0] = gt_det(in[0]))                                                       \
    F(slogdet, 2, 1, gt_Slogdet d = gt_slogdet(in[0]); out[0] = d.sign; out[1] = d.logabsdet)      \
    F(slogdet_singular, 2, 1, gt_Slogdet d = gt_slogdet(in[0]); out[0] = d.sign;                   \
      out[1] = d.logabsdet)                                                                        \
    F(logdet, 1, 1, out[0] = gt_logdet(in[0]))                                                     \
    F(matrix_power, 1, 1, out[0] = gt_matrix_power(in[0], 5))                                      \
    F(matrix_power_minus, 1, 1, out[0] = gt_matrix_power(in[0], -2))                               \
    F(cholesky, 1, 1, out[0] = gt_cholesky(in[0]))                                                 \
    F(qr, 2, 1, gt_Qr f = gt_qr(in[0]); out[0] = gt_abs(f.q); out[1] = gt_abs(f.r))                \
    F(qr_wide, 2, 1, gt_Qr f = gt_qr(in[0]); out[0] = gt_abs(f.q); out[1] = gt_abs(f.r))           \
    F(svd, 3, 1, gt_Svd f = gt_svd(in[0]); out[0] = gt_abs(f.u); out[1] = f.s;                     \
      out[2] = gt_abs(f.vh))                                                                       \
    F(svd_wide, 3, 1, gt_Svd f = gt_svd(in[0]); out[0] = gt_abs(f.u); out[1] = f.s;                \
      out[2] = gt_abs(f.vh))                                                                       \
    F(eigh, 2, 1, gt_Eigh f = gt_eigh(in[0]); out[0] = f.values; out[1] = gt_abs(f.vectors))       \
    F(nonzero, 1, 1, out[0] = gt_nonzero(in[0]))                                                   \
    F(nonzero_real, 1, 1, out[0] = gt_nonzero(in[0]))                                              \
    F(nonzero_none, 1, 1, out[0] = gt_nonzero(in[0]))                                              \
    F(nonzero_cut, 1, 1, out[0] = gt_nonzero(in[0], .length = 3))                                  \
    F(nonzero_filled, 1, 1, out[0] = gt_nonzero(in[0], .length = 12, .fill_value = -7))            \
    F(get_item_index, 1, 1, out[0] = gt_get_item(in[0], "-2"))                                     \
    F(get_item_mixed, 1, 1, out[0] = gt_get_item(in[0], " 1 , ::-2, ..., None"))                   \
    F(get_item_steps, 1, 1, out[0] = gt_get_item(in[0], "::3,-2::-1,2:0:-1"))                      \
    F(get_item_ends, 1, 1, out[0] = gt_get_item(in[0], "-9:2, 3:99, ..."))                         \
    F(get_item_empty, 1, 1, out[0] = gt_get_item(in[0], "3:1, newaxis, 4"))                        \
    F(get_item_before, 1, 1, out[0] = gt_get_item(in[0], "-99::-1, 99::-2, :-99:-1"))              \
    F(get_item_one, 1, 1, out[0] = gt_get_item(in[0], "3, 4, 2"))                                  \
    F(scatter, 1, 1, out[0] = gt_scatter(in[0], in[1], gt_shape(3, 4)))                            \
    F(scatter_rows, 1, 1, out[0] = gt_scatter(in[0], in[1], gt_shape(4, 2)))                       \
    F(scatter_blocks, 1, 1, out[0] = gt_scatter(in[0], in[1], gt_shape(3, 4, 2)))                  \
    F(nanargmax, 1, 1, out[0] = gt_nanargmax(in[0], .axis = 0))                                    \
    F(nanargmin, 1, 1, out[0] = gt_squeeze(gt_nanargmin(in[0], .axis = 1, .keepdims = true)))      \
    F(nanargmin_all, 1, 1, out[0] = gt_nanargmin(in[0]))                                           \
    F(nanargmax_low, 1, 1, out[0] = gt_nanargmax(in[0], .axis = -1))                               \
    QUANTILE_CASE(lower, GT_QUANTILE_METHOD_LOWER, F)                                              \
    QUANTILE_CASE(higher, GT_QUANTILE_METHOD_HIGHER, F)                                            \
    QUANTILE_CASE(midpoint, GT_QUANTILE_METHOD_MIDPOINT, F)                                        \
    QUANTILE_CASE(nearest, GT_QUANTILE_METHOD_NEAREST, F)                                          \
    PAD_CASES(edge, GT_PAD_MODE_EDGE, F)                                                           \
    PAD_CASES(wrap, GT_PAD_MODE_WRAP, F)                                                           \
    PAD_CASES(reflect, GT_PAD_MODE_REFLECT, F)                                                     \
    PAD_CASES(symmetric, GT_PAD_MODE_SYMMETRIC, F)                                                 \
    F(pad_reflect_one, 1, 1,                                                                       \
      out[0] = gt_pad(in[0], gt_shape(2), gt_shape(3), .mode = GT_PAD_MODE_REFLECT))
#define QUANTILE_CASE(name, how, F)                                                                \
    F(quantile_##name, 1, 1, out[0] = gt_quantile(in[0], in[1], .axis = 1, .method = how))
/* The sizes of the first k columns, whose signs may be any, and what the others span. */
static void spans(gt_Tensor *q, int64_t k, gt_Tensor **out)
{
    gt_Shape size = gt_tensor_shape(q), begin = {GT_MARK, size.rank, {0}};
    if (gt_status() != GT_OK)
        return;
    int64_t *from = &begin.dims[size.rank - 1], *count = &size.dims[size.rank - 1];
    *from = k;
    *count -= k;
    gt_Tensor *rest = gt_slice(q, begin, size);
    *from = 0;
    *count = k;
    out[0] = gt_abs(gt_slice(q, begin, size));
    out[1] = gt_matmul(rest, rest, .transpose_b = true);
}

#define PAD_CASES(name, how, F)                                                                    \
    F(pad_##name, 1, 1, out[0] = gt_pad(in[0], gt_shape(1, 0), gt_shape(2, 3), .mode = how))       \
    F(pad_##name##_far, 1, 1, out[0] = gt_pad(in[0], gt_shape(8), gt_shape(7), .mode = how))

#define DEFINE(name, count, follows, ...)                                                          \
    static void compute_##name(gt_Tensor **in, gt_Tensor **out)                                    \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
CASES(DEFINE)

typedef struct Replay {
    const char *name;
    int results;
    bool follows;
    void (*compute)(gt_Tensor **in, gt_Tensor **out);
} Replay;
#define ENTRY(name, count, follows, ...) {#name, count, follows, compute_##name},
static const Replay replays[] = {CASES(ENTRY)};
enum { REPLAYS = sizeof replays / sizeof *replays };

static gt_TensorFile *open_oracle(void)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/numpy.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    return file;
}

static gt_Tensor *part(const gt_TensorFile *file, const char *name, const char *kind, int i)
{
    char full[100];
    snprintf(full, sizeof full, "%s.%s%d", name, kind, i);
    return gt_tensor_file_find(file, full) < 0 ? NULL : gt_tensor_file_load_named(file, full);
}

/* How far apart, in units of the largest number (at least 1) that is expected. */
static double distance(const gt_Tensor *got, const gt_Tensor *expected)
{
    double scale = 1, most = 0;
    for (int64_t i = 0; i < gt_size(expected); i++) {
        double e = fabs(gt_element(expected, i));
        if (isfinite(e) && e > scale)
            scale = e;
    }
    for (int64_t i = 0; i < gt_size(expected); i++) {
        double e = gt_element(expected, i), g = gt_element(got, i);
        if (g == e || (isnan(g) && isnan(e)))
            continue;
        double off = fabs(g - e) / scale;
        most = off > most || isnan(off) ? (isnan(off) ? INFINITY : off) : most;
    }
    return most;
}

/* false: left out, for want of LAPACK */
static bool replay(const gt_TensorFile *file, const Replay *r, gt_DType real, double tolerance)
{
    gt_Tensor *in[MOST] = {NULL}, *out[MOST] = {NULL};
    for (int i = 0; i < MOST && (in[i] = part(file, r->name, "in", i)); i++)
        if (gt_dtype_is_float(gt_dtype(in[i])))
            in[i] = gt_cast(in[i], real);
    r->compute(in, out);
    if (gt_status() == GT_UNSUPPORTED && strstr(gt_error_message(), "OpenBLAS")) {
        gt_error_clear();
        return false;
    }
    cr_assert(gt_status() == GT_OK, "%s: %s", r->name, gt_error_message());
    for (int i = 0; i < r->results; i++) {
        gt_Tensor *expected = part(file, r->name, "out", i);
        char got_shape[160], shape[160];
        cr_assert(expected && gt_shape_equal(gt_tensor_shape(out[i]), gt_tensor_shape(expected)),
                  "%s: result %d has shape %s, not %s", r->name, i,
                  gt_shape_text(gt_tensor_shape(out[i]), got_shape, sizeof got_shape),
                  gt_shape_text(gt_tensor_shape(expected), shape, sizeof shape));
        cr_assert(gt_dtype_is_float(gt_dtype(expected)) == gt_dtype_is_float(gt_dtype(out[i])),
                  "%s: result %d is of type %s", r->name, i, gt_dtype_name(gt_dtype(out[i])));
        double off = distance(out[i], expected);
        cr_assert(off <= tolerance, "%s, %s: result %d is %g off", r->name, gt_dtype_name(real), i,
                  off);
    }
    return true;
}

Test(oracle_numpy, every_case)
{
    gt_TensorFile *file = open_oracle();
    int cases = 0, left_out = 0;
    for (int64_t i = 0; i < gt_tensor_file_count(file); i++)
        cases += strstr(gt_tensor_file_name(file, i), ".out0") != NULL;
    cr_assert_eq(cases, REPLAYS, "the file has %d cases, the test %d", cases, (int)REPLAYS);
    for (int i = 0; i < REPLAYS; i++) {
        gt_Scope *scope = gt_scope_begin();
        left_out += !replay(file, &replays[i], GT_FLOAT64, 1e-10);
        if (replays[i].follows)
            replay(file, &replays[i], GT_FLOAT32, 1e-5);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d cases, %d left out for want of OpenBLAS\n", REPLAYS, left_out);
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- gradients of what is made of several operations ---- */

typedef gt_Tensor *Function(gt_Tensor *x);

/* The derivative of the weighted sum of f(x), against central differences. */
static void check_gradient(const char *name, Function *f, gt_Shape shape)
{
    const double h = 1e-5;
    gt_Scope *scope = gt_scope_begin();
    double numbers[64], weights[256];
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    for (int64_t i = 0; i < n; i++)
        numbers[i] = sin(1.7 * (double)i * (double)i + 0.3) +
                     (shape.rank == 2 && i % (shape.dims[1] + 1) == 0 ? 3.0 + (double)i : 0);
    for (int i = 0; i < 256; i++)
        weights[i] = cos(1.0 + 1.3 * i);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_from_values_at(NULL, shape, GT_FLOAT64, n, numbers);
    gt_watch(tape, x);
    gt_Tensor *y = f(x);
    int64_t results = gt_size(y);
    cr_assert(gt_status() == GT_OK && results <= 256, "%s: %s", name, gt_error_message());
    gt_Tensor *w =
        gt_reshape(gt_from_values_at(NULL, gt_shape(results), GT_FLOAT64, results, weights),
                   gt_tensor_shape(y));
    gt_Tensor *g = gt_gradient(tape, gt_sum(gt_multiply(y, w)), x);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    for (int64_t i = 0; i < n; i++) {
        double at = numbers[i], side[2];
        for (int k = 0; k < 2; k++) {
            numbers[i] = at + (k ? -h : h);
            gt_Tensor *moved = f(gt_from_values_at(NULL, shape, GT_FLOAT64, n, numbers));
            side[k] = gt_item(gt_sum(gt_multiply(moved, w)));
        }
        numbers[i] = at;
        double expected = (side[0] - side[1]) / (2 * h), got = gt_element(g, i);
        cr_assert(fabs(got - expected) <= 2e-6 * fmax(1, fabs(expected)),
                  "%s: the derivative at %d is %.10g, by differences %.10g", name, (int)i, got,
                  expected);
    }
    gt_tape_end(tape);
    gt_scope_end(scope);
}

#define GRADIENTS(F)                                                                               \
    F(einsum, gt_einsum("ij,kj,jl->kil", gt_tensors(x, x, x)))                                     \
    F(einsum_diagonal, gt_einsum("ii,ij->j", gt_tensors(x, x)))                                    \
    F(kron, gt_kron(x, x))                                                                         \
    F(cross, gt_cross(x, gt_square(x)))                                                            \
    F(diagflat, gt_diagflat(x))                                                                    \
    F(quantile, gt_quantile(x, 0.3, .axis = 1))                                                    \
    F(quantile_q,                                                                                  \
      gt_quantile(gt_array64(gt_shape(4), 1, 7, 2, -5), gt_divide(gt_abs(gt_ravel(x)), 100)))      \
    F(top_k, gt_top_k(x, 2).values)                                                                \
    F(segment_sum, gt_segment_sum(x, gt_arange(-2, 1, 1, .dtype = GT_INT32), 3))                   \
    F(logaddexp, gt_logaddexp(x, gt_square(x)))                                                    \
    F(sinc, gt_sinc(x))                                                                            \
    F(nanmean, gt_nanmean(x, .axis = 0))                                                           \
    F(average, gt_average(x, .weights = gt_square(x)))                                             \
    F(trapezoid, gt_trapezoid(x, .x = gt_square(x)))                                               \
    F(get_item, gt_get_item(gt_square(x), "::-2, newaxis, 1:"))                                    \
    F(scatter, gt_scatter(gt_cast(gt_array(gt_shape(3, 1), 1, 0, 1), GT_INT32), gt_square(x),      \
                          gt_shape(2, 3)))                                                         \
    F(quantile_midpoint, gt_quantile(x, 0.3, .axis = 1, .method = GT_QUANTILE_METHOD_MIDPOINT))    \
    F(pad_symmetric,                                                                               \
      gt_pad(gt_square(x), gt_shape(4, 0), gt_shape(0, 2), .mode = GT_PAD_MODE_SYMMETRIC))         \
    F(shuffle, gt_shuffle(gt_square(x), .axis = 1, .generator = gt_generator(5)))                  \
    F(slice_update,                                                                                \
      gt_slice_update(x, gt_shape(1, 1), gt_slice(x, gt_shape(0, 0), gt_shape(2, 1))))             \
    F(rot90, gt_rot90(gt_square(x), .k = 3))                                                       \
    F(max_initial, gt_max(x, .axis = 1, .initial = 0.1))                                           \
    F(repeat_each, gt_repeat(gt_square(x), gt_integers(2, 0, 1), .axis = 1))                       \
    F(roll_axes, gt_multiply(x, gt_roll(x, gt_integers(1, 2), .axes = gt_axes(0, 1))))             \
    F(moveaxis_two, gt_multiply(x, gt_moveaxis(x, gt_axes(0, 1), gt_axes(1, 0))))                  \
    F(scatter_add, scattered(x, GT_SCATTER_REDUCTION_ADD))                                         \
    F(scatter_max, scattered(x, GT_SCATTER_REDUCTION_MAX))                                         \
    F(scatter_min, scattered(x, GT_SCATTER_REDUCTION_MIN))                                         \
    F(scatter_mul, scattered(x, GT_SCATTER_REDUCTION_MULTIPLY))                                    \
    F(norm_three, gt_norm(x, .ord = 3, .axis = 1))                                                 \
    F(cdist, gt_cdist(x, gt_square(x)))
#define SQUARE_GRADIENTS(F)                                                                        \
    F(inv, gt_inv(x))                                                                              \
    F(det, gt_det(x))                                                                              \
    F(logdet, gt_logdet(gt_matmul(x, x, .transpose_b = true)))                                     \
    F(matrix_power, gt_matrix_power(x, -2))                                                        \
    F(lstsq, gt_lstsq(gt_slice(x, gt_shape(0, 0), gt_shape(3, 2)), x))                             \
    F(lstsq_wide, gt_lstsq(gt_slice(x, gt_shape(0, 0), gt_shape(2, 3)),                            \
                           gt_slice(x, gt_shape(1, 0), gt_shape(2, 2))))                           \
    F(qr_wide, gt_qr(gt_slice(x, gt_shape(0, 0), gt_shape(2, 3))).r)                               \
    F(cholesky_upper, gt_cholesky(gt_matmul(x, x, .transpose_b = true), .upper = true))            \
    F(qr_complete,                                                                                 \
      gt_qr(gt_slice(x, gt_shape(0, 0), gt_shape(3, 2)), .mode = GT_QR_MODE_COMPLETE).q)           \
    F(qr_complete_r,                                                                               \
      gt_qr(gt_slice(x, gt_shape(0, 0), gt_shape(3, 1)), .mode = GT_QR_MODE_COMPLETE).r)           \
    F(svd_full, gt_svd(gt_slice(x, gt_shape(0, 0), gt_shape(2, 3)), .full_matrices = true).vh)     \
    F(nuclear, gt_matrix_norm(x, GT_MATRIX_NORM_NUCLEAR))                                          \
    F(spectral, gt_matrix_norm(x, GT_MATRIX_NORM_SPECTRAL))
/* Rows of squares into x, two of them to one place. */
static gt_Tensor *scattered(gt_Tensor *x, gt_ScatterReduction reduction)
{
    gt_Tensor *places = gt_cast(gt_array(gt_shape(3, 1), 1, 0, 1), GT_INT32);
    return gt_scatter_update(x, places, gt_square(x), .reduction = reduction);
}
#define DEFINE_GRADIENT(name, expression)                                                          \
    static gt_Tensor *function_##name(gt_Tensor *x)                                                \
    {                                                                                              \
        return expression;                                                                         \
    }
GRADIENTS(DEFINE_GRADIENT)
SQUARE_GRADIENTS(DEFINE_GRADIENT)

#define CHECK_GRADIENT(name, expression) check_gradient(#name, function_##name, gt_shape(3, 3));
Test(oracle_numpy, gradients_of_compositions)
{
    GRADIENTS(CHECK_GRADIENT)
    gt_inv(gt_eye(2));
    if (gt_status() == GT_OK) {
        SQUARE_GRADIENTS(CHECK_GRADIENT)
    }
    gt_error_clear();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Columns that may be any basis have no gradient; what does not need them does. */
Test(oracle_numpy, gradients_that_are_not_defined)
{
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *x = gt_reshape(gt_array64(gt_shape(4), 1, 2, 3, 4), gt_shape(4, 1));
    gt_watch(tape, x);
    gt_Qr factors = gt_qr(x, .mode = GT_QR_MODE_COMPLETE);
    gt_Svd full = gt_svd(x, .full_matrices = true);
    if (gt_status() == GT_OK) {
        gt_Tensor *r = gt_sum(factors.r), *s = gt_sum(full.s), *q = gt_sum(factors.q);
        gt_Tensor *u = gt_sum(full.u);
        cr_assert(gt_gradient(tape, r, x) && gt_gradient(tape, s, x), "%s", gt_error_message());
        cr_assert(!gt_gradient(tape, q, x) && gt_status() == GT_UNSUPPORTED);
        cr_assert(strstr(gt_error_message(), "3 columns that complete"), "%s", gt_error_message());
        gt_error_clear();
        cr_assert(!gt_gradient(tape, u, x) && gt_status() == GT_UNSUPPORTED);
    }
    gt_error_clear();
    gt_tape_end(tape);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- errors ---- */

#define FAILS(expression, text)                                                                    \
    do {                                                                                           \
        (void)(expression);                                                                        \
        cr_assert(gt_status() != GT_OK, "%s was taken", #expression);                              \
        cr_assert(strstr(gt_error_message(), text), "%s: %s", #expression, gt_error_message());    \
        cr_assert(strstr(gt_error_message(), "test_oracle_numpy.c:"), "%s", gt_error_message());   \
        gt_error_clear();                                                                          \
    } while (0)

Test(oracle_numpy, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_ones(gt_shape(2, 3)), *v = gt_ones(gt_shape(3));
    gt_Tensor *whole = gt_zeros(gt_shape(2), .dtype = GT_INT32), *parts[3];
    FAILS(gt_einsum("ij,jk->ik", gt_tensors(a, a)), "einsum: axis j must have one size (got 3 and 2)");
    FAILS(gt_einsum("...i,...i", gt_tensors(a, gt_ones(gt_shape(4, 3)))),
          "axis ... must have one size (got 2 and 4)");
    FAILS(gt_einsum("ij->ik", gt_tensors(a)), "einsum");
    FAILS(gt_einsum("i2->i", gt_tensors(a)), "character 2: expected a letter");
    FAILS(gt_einsum("ijk->i", gt_tensors(a)), "operand 1 has rank 2; its term names 3 axes");
    FAILS(gt_einsum("ij->ii", gt_tensors(a)), "there twice");
    FAILS(gt_tensordot(a, a, .count = 1), "tensordot: the named axes must be as many and as long in both (got (2, 3) and (2, 3))");
    FAILS(gt_cross(a, gt_ones(gt_shape(2, 2))), "cross: expected vectors of 3");
    FAILS(gt_diagonal(v), "diagonal: expected a matrix");
    FAILS(gt_diag(gt_ones(gt_shape(1, 1, 1))), "diag: expected a vector or a matrix");
    FAILS(gt_sort(gt_scalar(1, GT_FLOAT32)), "sort: there is no axis -1");
    FAILS(gt_top_k(v, 4), "k must be from 0 to 3, the length of the last axis (got 4)");
    FAILS(gt_quantile(gt_ones(gt_shape(0)), 0.5),
          "quantile: cannot take a quantile of an empty axis");
    FAILS(gt_searchsorted(a, v), "expected a sorted vector (got shape (2, 3))");
    FAILS(gt_bincount(v), "bincount: expected integers (got float32)");
    FAILS(gt_bincount(gt_add(whole, -1), .length = 3), "must not be negative (got -1, at (0,))");
    FAILS(gt_bincount(gt_add(whole, -1)), "must not be negative (got -1, at (0,))");
    FAILS(gt_bincount(gt_add(gt_cast(whole, GT_INT64), -3e9)), "(got -3000000000, at (0,))");
    FAILS(gt_bincount(gt_add(whole, 7), .length = 3), "index 7, at (0,) of the indices, is outside");
    FAILS(gt_bincount(whole, .length = -2), "length must not be negative (got -2)");
    FAILS(gt_segment_max(a, gt_add(whole, 7), 3), "segment_max: id 7 of row 0");
    FAILS(gt_segment_sum(a, v, 3), "indices must be int32");
    FAILS(gt_hstack(((gt_Tensors){NULL, 0})), "hstack: expected 1 to");
    FAILS(gt_unstack(a, 3, parts), "unstack: axis 0 of length 2 cannot be cut into 3");
    FAILS(gt_max(a, .axis = 2, .initial = 0), "max: there is no axis 2");
    FAILS(gt_max(gt_zeros(gt_shape(0, 2)), .axis = 0), "max");
    FAILS(gt_min(whole, .initial = 0.5), "min: ");
    FAILS(gt_max(gt_zeros(gt_shape(0), .dtype = GT_INT32), .initial = 0.5), "max: ");
    FAILS(gt_repeat(a, gt_integers(1, 2), .axis = 1), "repeat: take: 2 numbers for axis 1 of length 3");
    FAILS(gt_repeat(a, gt_integers(1, -2), .axis = 0), "repeat: repeats must be >= 0 (got -2)");
    FAILS(gt_repeat(a, gt_integers(INT64_MAX, INT64_MAX), .axis = 0),
          "repeat: the result would be");
    FAILS(gt_roll(a, gt_integers(1, 2, 3), .axes = gt_axes(0, 1)), "roll: 3 shifts for 2 axes");
    FAILS(gt_roll(a, gt_integers(1, 2)), "roll: 2 shifts for 1 axes");
    FAILS(gt_roll(a, 1, .axis = 0, .axes = gt_axes(1)), "roll: give axis or axes, not both");
    FAILS(gt_roll(a, 1, .axes = gt_axes(0, 2)), "roll: there is no axis 2");
    FAILS(gt_roll(a, 1, .axes = gt_axes(0, 0, 0, 0, 0, 0, 0, 0, 0)), "roll: more than 8 axes");
    FAILS(gt_moveaxis(a, gt_axes(0, 1), 0), "moveaxis: 2 axes cannot become 1 axes");
    FAILS(gt_moveaxis(a, gt_axes(0, -2), gt_axes(0, 1)), "moveaxis: axis 0 is named twice");
    FAILS(gt_moveaxis(a, gt_axes(0, 1), gt_axes(1, 1)), "moveaxis: axis 1 is named twice");
    FAILS(gt_rot90(a, .axis1 = 1), "rot90: axis1 and axis2 are both 1");
    FAILS(gt_slice_update(a, gt_shape(1, 1), a), "slice_update: (2, 3) has no block");
    FAILS(gt_scatter_update(a, whole, a), "scatter_update: indices (2,) do not say places");
    FAILS(gt_scatter_update(a, gt_full(gt_shape(1, 2), 2, .dtype = GT_INT32), gt_ones(gt_shape(1))),
          "scatter_update: index");
    FAILS(gt_scatter_update(v, gt_reshape(whole, gt_shape(2, 1)), v,
                            .reduction = GT_SCATTER_REDUCTION_ADD),
          "scatter_update: the updates are float32 (3,); for these indices they are float32 (2,)");
    FAILS(gt_scatter_update(v, gt_full(gt_shape(3, 1), 3, .dtype = GT_INT32), v,
                            .reduction = GT_SCATTER_REDUCTION_MAX),
          "scatter_update: index 3, at (0, 0) of the indices, is outside axis 0 of length 3");
    FAILS(gt_scatter_update(v, gt_zeros(gt_shape(3, 1), .dtype = GT_INT32), v,
                            .reduction = (gt_ScatterReduction)5),
          "scatter_update: unknown reduction 5");
    FAILS(gt_scatter(whole, v, gt_shape(3)), "scatter: indices (2,) do not say places of (3,)");
    FAILS(gt_scatter(gt_full(gt_shape(3, 2), 3, .dtype = GT_INT32), v, gt_shape(3, 3)),
          "scatter: index 3, at (0, 0) of the indices");
    FAILS(gt_scatter(gt_zeros(gt_shape(2, 1), .dtype = GT_INT32), v, gt_shape(3)),
          "the updates are float32 (3,); for these indices they are float32 (2,)");
    FAILS(gt_scatter(whole, v, gt_shape(-1)), "scatter: the shape is invalid or too large");
    FAILS(gt_get_item(a, "0, 0, 0"), "get_item: 3 axes and 0 times ... do not fit rank 2");
    FAILS(gt_get_item(a, "..., ..."), "2 times ... do not fit rank 2");
    FAILS(gt_get_item(a, "-3"), "index -3 is outside axis 0 of length 2");
    FAILS(gt_get_item(a, "2"), "index 2 is outside axis 0 of length 2");
    FAILS(gt_get_item(a, ":, 99999999999999999999"), "is outside axis 1 of length 3");
    FAILS(gt_get_item(a, "::0"), "get_item: axis 0: a step of 0");
    FAILS(gt_get_item(a, "0 0"), "get_item: invalid key \"0 0\"");
    FAILS(gt_get_item(a, "0:1:1:1"), "invalid key");
    FAILS(gt_get_item(a, "x"), "invalid key");
    FAILS(gt_get_item(a, NULL), "get_item: invalid key \"NULL\"");
    FAILS(gt_get_item(a, "None, None, None, None, None, None, None"), "more than 8 dimensions");
    FAILS(gt_get_item(a, "None,None,None,None,None,None,None,None,None,None,None,None,None,None,"
                         "None,None,None,None"),
          "invalid key");
    FAILS(gt_nonzero(gt_scalar(1, GT_FLOAT32)), "nonzero: a number without axes");
    FAILS(gt_nonzero(a, .length = -2), "nonzero: length must be from 0 to");
    FAILS(gt_nanargmax(a, .axis = 2), "there is no axis 2");
    FAILS(gt_nanargmin(gt_ones(gt_shape(0))), "nanargmin");
    FAILS(gt_quantile(a, 0.5, .method = (gt_QuantileMethod)5), "unknown method of quantiles 5");
    FAILS(gt_pad(a, gt_shape(1), gt_shape(1, 1), .mode = GT_PAD_MODE_WRAP),
          "pad: (2, 3) cannot be");
    FAILS(gt_pad(a, gt_shape(-1, 0), gt_shape(1, 1), .mode = GT_PAD_MODE_EDGE),
          "cannot be repeated");
    FAILS(gt_pad(gt_ones(gt_shape(0)), gt_shape(1), gt_shape(0), .mode = GT_PAD_MODE_EDGE),
          "cannot be repeated");
    FAILS(gt_pad(a, gt_shape(1, 1), gt_shape(1, 1), .mode = (gt_PadMode)5), "unknown padding mode 5");
    FAILS(gt_bitwise_and(v, v), "bitwise_and: dtype float32");
    FAILS(gt_solve(a, v), "solve: expected square matrices (got shape (2, 3))");
    FAILS(gt_inv(a), "inv: expected square matrices");
    FAILS(gt_norm(a, .axis = 5), "there is no axis 5");
    FAILS(gt_cdist(a, gt_ones(gt_shape(2, 2))), "cdist: rows must have the same length");
    gt_solve(gt_eye(2), gt_eye(2));
    if (gt_status() == GT_OK) {
        gt_Tensor *singular = gt_ones(gt_shape(2, 2));
        FAILS(gt_inv(singular), "inv: solve: the matrix is singular");
        FAILS(gt_solve(gt_stack(gt_tensors(gt_eye(2), singular)), gt_zeros(gt_shape(2, 2, 1))),
              "solve: matrix 1 of the batch is singular");
        FAILS(gt_cholesky(gt_negative(gt_eye(2))), "cholesky: the matrix is not positive definite");
        FAILS(gt_qr(gt_eye(2), .mode = (gt_QrMode)2).q, "qr: unknown mode 2");
        FAILS(gt_qr(v, .mode = GT_QR_MODE_COMPLETE).q, "qr: expected matrices (got shape (3,))");
        FAILS(gt_svd(v, .full_matrices = true).u, "svd: expected matrices (got shape (3,))");
    }
    gt_error_clear();
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
