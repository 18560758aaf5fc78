/* Sliding windows: their sizes by Keras's rules, and where they read. */
#include "ops/nn/window.h"
#include "ops/kit.h"
#include "ops/masks.h"

#include <string.h>

/* A product below this in floating point is one that can be counted: sizes of tensors end at
 * INT64_MAX / 64. */
#define COUNTABLE 0x1p56

bool gt_window_countable(const gt_Spec *spec)
{
    char text[160];
    double product = 1;
    for (int d = 0; d < spec->rank; d++)
        product *= spec->dims[d] > 0 ? (double)spec->dims[d] : 1;
    if (product < COUNTABLE)
        return true;
    gt_fail(GT_INVALID, "%s is too large", gt_dims_text(spec, text, sizeof text));
    return false;
}

bool gt_window_takes(const gt_Spec *x)
{
    char text[160];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return false;
    if (x->rank >= 3 && x->rank <= GT_SPATIAL + 2)
        return gt_window_countable(x);
    gt_fail(GT_INVALID, "images must be (batch, one to three spatial axes, channels) (got %s)",
            gt_dims_text(x, text, sizeof text));
    return false;
}

bool gt_window_numbers(const gt_Shape *shape, int rank, int64_t missing, const char *what,
                       int64_t *numbers)
{
    if (shape->rank != 0 && shape->rank != 1 && shape->rank != rank) {
        gt_fail(GT_INVALID, "%s must be one number, or one for each of %d spatial axes (got %d)",
                what, rank, (int)shape->rank);
        return false;
    }
    for (int d = 0; d < rank; d++)
        numbers[d] = shape->rank == 0   ? missing
                     : shape->rank == 1 ? shape->dims[0]
                                        : shape->dims[d];
    return true;
}

bool gt_window_number(const char *what, int64_t number)
{
    if (number >= 1 && number <= INT32_MAX)
        return true;
    gt_fail(GT_INVALID, "%s must be from 1 to %d (got %lld)", what, INT32_MAX, (long long)number);
    return false;
}

/* Most steps are 1, and a division takes long. */
static int64_t steps_in(int64_t n, int64_t stride)
{
    return stride == 1 ? n : n / stride;
}

/* One axis; `before` and `out` are worked out. A result below 1 means that nothing fits. */
static int64_t slide(int64_t in, int64_t reach, int64_t stride, gt_Padding padding, int64_t *before)
{
    *before = 0;
    if (padding == GT_PADDING_VALID)
        return in < reach ? 0 : steps_in(in - reach, stride) + 1;
    int64_t out = in < 1 ? 0 : steps_in(in - 1, stride) + 1;
    if (padding == GT_PADDING_CAUSAL) {
        *before = reach - 1;
    } else {
        int64_t total = (out - 1) * stride + reach - in;
        *before = total > 0 ? total / 2 : 0; /* the odd one goes to the end */
    }
    return out;
}

static bool product(const int64_t n[GT_SPATIAL], int64_t *result)
{
    *result = 0;
    if ((double)n[0] * (double)n[1] * (double)n[2] >= COUNTABLE)
        return false;
    *result = n[0] * n[1] * n[2];
    return true;
}

/* Does the window stay in the image along the axis, wherever it is? */
static bool stays_inside(const gt_SlidingWindow *window, int d)
{
    int64_t last = (window->out[d] - 1) * window->stride[d] - window->before[d];
    return window->before[d] == 0 &&
           last + window->dilation[d] * (window->size[d] - 1) < window->in[d];
}

/* Spatial axis `axis` of the image, which is axis d of the window; false with an error raised if
 * nothing fits. */
static bool set_axis(gt_SlidingWindow *window, int axis, int d, int64_t in, int64_t size,
                     gt_Padding padding)
{
    if (!gt_window_number("the size of the window", size) ||
        !gt_window_number("stride", window->stride[d]) ||
        !gt_window_number("dilation", window->dilation[d]))
        return false;
    const int64_t reach = window->dilation[d] * (size - 1) + 1;
    window->in[d] = in;
    window->size[d] = size;
    window->out[d] = slide(in, reach, window->stride[d], padding, &window->before[d]);
    const int64_t everything = in + window->before[d] + reach;
    if (window->out[d] == 1 && window->stride[d] > everything)
        window->stride[d] = everything; /* no second window: gradients need not look beyond what is there */
    if (window->out[d] >= 1)
        return true;
    gt_fail(GT_INVALID, "a window of %lld does not fit into spatial axis %d of size %lld",
            (long long)reach, axis, (long long)in);
    return false;
}

bool gt_window_set(gt_SlidingWindow *window, int rank, const int64_t *in, const int64_t *size,
                   const gt_Shape *strides, const gt_Shape *dilation, gt_Padding padding)
{
    const int first = GT_SPATIAL - rank;
    bool strided = false, spreads = false;
    window->inside = 1;
    for (int d = 0; d < GT_SPATIAL; d++) {
        window->in[d] = window->out[d] = window->size[d] = 1;
        window->stride[d] = window->dilation[d] = 1;
        window->before[d] = 0;
    }
    if (!gt_window_numbers(strides, rank, 1, "strides", window->stride + first) ||
        !gt_window_numbers(dilation, rank, 1, "dilations", window->dilation + first))
        return false;
    if (padding < GT_PADDING_VALID || padding > GT_PADDING_CAUSAL) {
        gt_fail(GT_INVALID, "unknown padding %d", (int)padding);
        return false;
    }
    if (padding == GT_PADDING_CAUSAL && rank != 1) {
        gt_fail(GT_INVALID, "causal padding needs one spatial axis (got %d)", rank);
        return false;
    }
    for (int i = 0; i < rank; i++) {
        if (!set_axis(window, i, first + i, in[i], size[i], padding))
            return false;
        strided = strided || window->stride[first + i] > 1;
        spreads = spreads || window->dilation[first + i] > 1;
        window->inside = window->inside && stays_inside(window, first + i);
    }
    if (strided && spreads) {
        gt_fail(GT_INVALID, "strides > 1 cannot be combined with dilation > 1");
        return false;
    }
    if (product(window->in, &window->inputs) && product(window->out, &window->outputs) &&
        product(window->size, &window->taps))
        return true;
    gt_fail(GT_INVALID, "the window is too large");
    return false;
}

void gt_window_output(const gt_SlidingWindow *window, const gt_Spec *x, int64_t channels,
                      gt_Spec *output)
{
    int rank = x->rank - 2;
    output->dtype = x->dtype;
    output->rank = x->rank;
    output->dims[0] = x->dims[0];
    memcpy(output->dims + 1, window->out + GT_SPATIAL - rank, (size_t)rank * sizeof(int64_t));
    output->dims[rank + 1] = channels;
}

gt_Status gt_window_mask(gt_MaskRule *rule, const gt_SlidingWindow *w)
{
    int free = 1, rank = rule->shape->input[0]->rank;
    while (free < rank - 1 && w->size[GT_SPATIAL - rank + 1 + free] == 1 &&
           w->stride[GT_SPATIAL - rank + 1 + free] == 1)
        free++;
    return gt_mask_axes(rule, 1) > 0 ? gt_mask_refuse(rule, 1, 0) : gt_mask_rows(rule, free);
}
