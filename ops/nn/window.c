/* Sliding windows: their sizes by Keras's rules, and where they read. */
#include "ops/nn/window.h"
#include "ops/kit.h"
#include "ops/masks.h"

#include <string.h>

bool gt_window_countable(const gt_Spec *spec)
{
    char text[160];
    gt_Spec full = *spec;
    for (int d = 0; d < spec->rank; d++)
        full.dims[d] = spec->dims[d] > 0 ? spec->dims[d] : 1;
    if (gt_spec_resize(&full))
        return true;
    gt_fail(GT_INVALID, "%s is too large", gt_shape_text(gt_spec_shape(spec), text, sizeof text));
    return false;
}

bool gt_window_takes(const gt_Spec *x)
{
    char text[160];
    if (!gt_takes(x, GT_TAKES_FLOAT))
        return false;
    if (x->rank >= 3 && x->rank <= GT_SPATIAL + 2)
        return gt_window_countable(x);
    gt_fail(GT_INVALID, "%s is not (batch, one to three spatial axes, channels)",
            gt_shape_text(gt_spec_shape(x), text, sizeof text));
    return false;
}

bool gt_window_numbers(const gt_Shape *shape, int rank, int64_t missing, const char *what,
                       int64_t *numbers)
{
    if (shape->rank != 0 && shape->rank != 1 && shape->rank != rank) {
        gt_fail(GT_INVALID, "%d %s for %d spatial axes: give one for all or one an axis",
                (int)shape->rank, what, rank);
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

/* One axis; `before` and `out` are worked out. A result below 1 means that nothing fits. */
static int64_t slide(int64_t in, int64_t reach, int64_t stride, gt_Padding padding, int64_t *before)
{
    *before = 0;
    if (padding == GT_PADDING_VALID)
        return in < reach ? 0 : (in - reach) / stride + 1;
    int64_t out = in < 1 ? 0 : (in - 1) / stride + 1;
    if (padding == GT_PADDING_CAUSAL) {
        *before = reach - 1;
    } else {
        int64_t total = (out - 1) * stride + reach - in;
        *before = total > 0 ? total / 2 : 0; /* the odd one goes to the end */
    }
    return out;
}

static bool product(const int64_t *dims, int64_t *result)
{
    gt_Spec spec;
    bool fits = gt_spec_set(&spec, GT_INT64, gt_shape_of(GT_SPATIAL, dims));
    *result = fits ? spec.size : 0;
    return fits;
}

bool gt_window_set(gt_Window *window, int rank, const int64_t *in, const int64_t *size,
                   const gt_Shape *strides, const gt_Shape *dilation, gt_Padding padding)
{
    int64_t stride[GT_SPATIAL], spread[GT_SPATIAL];
    bool strided = false, spreads = false;
    if (!gt_window_numbers(strides, rank, 1, "strides", stride) ||
        !gt_window_numbers(dilation, rank, 1, "dilations", spread))
        return false;
    if (padding < GT_PADDING_VALID || padding > GT_PADDING_CAUSAL) {
        gt_fail(GT_INVALID, "unknown padding %d", (int)padding);
        return false;
    }
    if (padding == GT_PADDING_CAUSAL && rank != 1) {
        gt_fail(GT_INVALID, "causal padding is for one spatial axis, not %d", rank);
        return false;
    }
    for (int d = 0; d < GT_SPATIAL; d++) {
        window->in[d] = window->out[d] = window->size[d] = 1;
        window->stride[d] = window->dilation[d] = 1;
        window->before[d] = 0;
    }
    for (int i = 0; i < rank; i++) {
        int d = GT_SPATIAL - rank + i;
        if (!gt_window_number("the size of the window", size[i]) ||
            !gt_window_number("stride", stride[i]) || !gt_window_number("dilation", spread[i]))
            return false;
        int64_t reach = spread[i] * (size[i] - 1) + 1;
        window->in[d] = in[i];
        window->size[d] = size[i];
        window->stride[d] = stride[i];
        window->dilation[d] = spread[i];
        window->out[d] = slide(in[i], reach, stride[i], padding, &window->before[d]);
        if (window->out[d] < 1) {
            gt_fail(GT_INVALID, "a window of %lld does not fit into spatial axis %d of size %lld",
                    (long long)reach, i, (long long)in[i]);
            return false;
        }
        strided = strided || stride[i] > 1;
        spreads = spreads || spread[i] > 1;
    }
    if (strided && spreads) {
        gt_fail(GT_INVALID, "strides > 1 cannot be combined with dilation > 1");
        return false;
    }
    if (!product(window->in, &window->inputs) || !product(window->out, &window->outputs) ||
        !product(window->size, &window->taps)) {
        gt_fail(GT_INVALID, "the window is too large");
        return false;
    }
    return true;
}

void gt_window_output(const gt_Window *window, const gt_Spec *x, int64_t channels, gt_Spec *output)
{
    int rank = x->rank - 2;
    output->dtype = x->dtype;
    output->rank = x->rank;
    output->dims[0] = x->dims[0];
    memcpy(output->dims + 1, window->out + GT_SPATIAL - rank, (size_t)rank * sizeof(int64_t));
    output->dims[rank + 1] = channels;
}

void gt_window_taps(const gt_Window *w, int64_t row, int64_t *tap)
{
    int64_t image = row / w->outputs * w->inputs, rest = row % w->outputs, start[GT_SPATIAL];
    for (int d = GT_SPATIAL - 1; d >= 0; d--) {
        start[d] = rest % w->out[d] * w->stride[d] - w->before[d];
        rest /= w->out[d];
    }
    for (int64_t i = 0; i < w->size[0]; i++) {
        int64_t a = start[0] + i * w->dilation[0];
        for (int64_t j = 0; j < w->size[1]; j++) {
            int64_t b = start[1] + j * w->dilation[1];
            bool inside = a >= 0 && a < w->in[0] && b >= 0 && b < w->in[1];
            int64_t line = inside ? image + (a * w->in[1] + b) * w->in[2] : 0;
            for (int64_t k = 0; k < w->size[2]; k++) {
                int64_t c = start[2] + k * w->dilation[2];
                *tap++ = inside && c >= 0 && c < w->in[2] ? line + c : -1;
            }
        }
    }
}

gt_Status gt_window_mask(gt_MaskRule *rule, const gt_Window *w)
{
    int free = 1, rank = rule->shape->input[0]->rank;
    while (free < rank - 1 && w->size[GT_SPATIAL - rank + 1 + free] == 1 &&
           w->stride[GT_SPATIAL - rank + 1 + free] == 1)
        free++;
    return gt_mask_axes(rule, 1) > 0 ? gt_mask_refuse(rule, 1, 0) : gt_mask_rows(rule, free);
}
