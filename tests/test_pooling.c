/* max_pool and its gradient against loops that are written down plainly: windows that leave the image or not, that overlap or
 * not, and every number of channels up to two vectors and more, with NaN, equal elements and both types. */
#include <criterion/criterion.h>

#include "gradtape.h"
#undef GT_HERE
#define GT_HERE "test_pooling.c"

#include "leaks.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 2, HIGH = 7, WIDE = 6, MOST = 20 };

typedef struct Window {
    int tall, broad;
} Window;

/* Few different numbers, and some NaN. */
static gt_Tensor *images(int channels, gt_DType dtype)
{
    gt_Shape shape = gt_shape(IMAGES, HIGH, WIDE, channels);
    gt_Tensor *x = gt_round(gt_uniform(shape, .low = -3, .high = 3, .dtype = dtype));
    return gt_where(gt_greater(gt_uniform(shape), 0.95), gt_full_like(x, NAN), x);
}

static int64_t padding_before(int64_t in, int64_t out, int64_t size, int64_t stride, bool same)
{
    int64_t total = (out - 1) * stride + size - in;
    return same && total > 0 ? total / 2 : 0;
}

/* The element of x where the maximum of a window stands: the first of equal ones, the first NaN if there is one. */
static int64_t place_of_maximum(gt_Tensor *x, Window w, int64_t image, int64_t top, int64_t left,
                                int channels, int c)
{
    int64_t where = -1;
    double best = 0;
    for (int p = 0; p < w.tall; p++)
        for (int q = 0; q < w.broad; q++) {
            int64_t row = top + p, column = left + q;
            if (row < 0 || row >= HIGH || column < 0 || column >= WIDE)
                continue;
            int64_t at = ((image * HIGH + row) * WIDE + column) * channels + c;
            double number = gt_element(x, at);
            if (where < 0 || number > best || (isnan(number) && !isnan(best))) {
                best = number;
                where = at;
            }
        }
    return where;
}

static void compare(Window w, int channels, int64_t stride, bool same, gt_DType dtype)
{
    static double slope[IMAGES * HIGH * WIDE * MOST];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = images(channels, dtype);
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, x);
    gt_Tensor *y = gt_max_pool(x, gt_shape(w.tall, w.broad), .strides = gt_shape(stride),
                               .padding = same ? GT_PADDING_SAME : GT_PADDING_VALID);
    gt_Tensor *gradient = gt_gradient(tape, gt_sum(gt_multiply(y, 1)), x);
    gt_keep(y);
    gt_keep(gradient);
    gt_tape_end(tape);
    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message());
    gt_Shape out = gt_tensor_shape(y);
    int64_t above = padding_before(HIGH, out.dims[1], w.tall, stride, same);
    int64_t before = padding_before(WIDE, out.dims[2], w.broad, stride, same), at = 0;
    memset(slope, 0, sizeof slope);
    for (int64_t b = 0; b < IMAGES; b++)
        for (int64_t i = 0; i < out.dims[1]; i++)
            for (int64_t j = 0; j < out.dims[2]; j++)
                for (int c = 0; c < channels; c++, at++) {
                    int64_t from = place_of_maximum(x, w, b, i * stride - above,
                                                    j * stride - before, channels, c);
                    double want = gt_element(x, from), got = gt_element(y, at);
                    cr_assert(got == want || (isnan(got) && isnan(want)),
                              "%d channels, strides of %d: %g instead of %g", channels, (int)stride,
                              got, want);
                    slope[from] += 1;
                }
    for (int64_t i = 0; i < gt_size(x); i++)
        cr_assert_eq(gt_element(gradient, i), slope[i], "%d channels, strides of %d, element %d",
                     channels, (int)stride, (int)i);
    gt_scope_end(scope);
}

Test(pooling, maxima)
{
    static const Window windows[] = {{3, 2}, {2, 2}, {4, 1}, {1, 4}, {1, 1}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (int channels = 1; channels <= MOST; channels++)
            for (int64_t stride = 1; stride <= 4; stride++)
                for (int same = 0; same < 2; same++) {
                    compare(windows[i], channels, stride, same, GT_FLOAT32);
                    compare(windows[i], channels, stride, same, GT_FLOAT64);
                }
    gt_context_free(NULL);
    assert_no_leaks();
}
