/* Sizes of the windows that layers slide over images. */
#include "layers/conv/window.h"

#include "core/assert.h"

int gt_spatial_axes(const gt_Layer *layer)
{
    return layer->type->ports->rank_min - 2;
}

/* Does any axis have more than 1? */
static bool beyond_one(const gt_Shape *numbers)
{
    bool beyond = false;
    for (int d = 0; d < numbers->rank; d++)
        beyond = beyond || numbers->dims[d] > 1;
    return beyond;
}

gt_Status gt_layer_window(gt_LayerWindow *window, const gt_Layer *layer, const char *name,
                          gt_Sizes size, gt_Sizes strides, gt_Sizes dilation)
{
    const int axes = gt_spatial_axes(layer);
    int64_t numbers[3][3];
    if (gt_sizes_expand(name, size, axes, 1, numbers[0]) != GT_OK ||
        gt_sizes_expand("strides", strides, axes, 1, numbers[1]) != GT_OK ||
        gt_sizes_expand("dilation_rate", dilation, axes, 1, numbers[2]) != GT_OK)
        return gt_status();
    window->size = gt_shape_of(axes, numbers[0]);
    window->strides = gt_shape_of(axes, numbers[1]);
    window->dilation = gt_shape_of(axes, numbers[2]);
    if (beyond_one(&window->strides) && beyond_one(&window->dilation))
        return gt_fail(GT_INVALID, "strides > 1 cannot be combined with dilation_rate > 1");
    return GT_OK;
}

gt_Status gt_layer_padding(gt_Padding padding, bool may_be_causal)
{
    if (padding == GT_PADDING_VALID || padding == GT_PADDING_SAME ||
        (padding == GT_PADDING_CAUSAL && may_be_causal))
        return GT_OK;
    return gt_fail(GT_INVALID, "padding must be valid%s same%s (got %s)",
                   may_be_causal ? "," : " or", may_be_causal ? " or causal" : "",
                   padding == GT_PADDING_CAUSAL ? "causal" : "an unknown one");
}

gt_Shape gt_layer_window_kernel(const gt_LayerWindow *window, int64_t a, int64_t b)
{
    gt_Shape shape = window->size;
    GT_ASSERT(shape.rank + 2 <= GT_MAX_RANK);
    shape.dims[shape.rank++] = a;
    shape.dims[shape.rank++] = b;
    return shape;
}
