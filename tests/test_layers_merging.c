/* Layers of several inputs, and those that pad, crop and repeat: what the walks over the table of
 * layers do not see, options at their limits, wrong inputs, sizes that are not known. */
#include "layer_mistakes.h"

#include <math.h>

typedef gt_Layer *(*Maker)(void);

#define MAKER(Name)                                                                                \
    static gt_Layer *make_##Name(void)                                                             \
    {                                                                                              \
        return gt_##Name();                                                                        \
    }
MAKER(Add)
MAKER(Subtract)
MAKER(Multiply)
MAKER(Average)
MAKER(Maximum)
MAKER(Minimum)
static const Maker makers[] = {make_Add,     make_Subtract, make_Multiply,
                               make_Average, make_Maximum,  make_Minimum};
enum { MAKERS = sizeof makers / sizeof *makers };

Test(layers_merging, inputs_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 3)), *row = gt_ones(gt_shape(1, 3)),
              *narrow = gt_ones(gt_shape(2, 2));
    for (int i = 0; i < MAKERS; i++) {
        not_called(makers[i](), x, NULL,
                   i == 1 ? "the input \"subtrahend\" is missing"
                          : "it merges two inputs or more (got 1)");
        not_called(makers[i](), x, row,
                   "inputs must have the same batch size (got shapes (2, 3) and (1, 3))");
        not_called(makers[i](), x, narrow,
                   "inputs must have shapes that broadcast (got shapes (2, 3) and (2, 2))");
        not_called(makers[i](), gt_scalar(1, GT_FLOAT32), x, "inputs must have a batch axis");
        not_called(makers[i](), gt_ones(gt_shape(2, 0)), x,
                   "inputs must have shapes that broadcast");
    }
    gt_Layer *subtract = gt_Subtract();
    cr_assert(!gt_call(subtract, x, .more = gt_tensors(x, x)));
    fails(GT_INVALID, "it accepts 2 inputs (got 3)");
    gt_layer_free(subtract);
    not_called(gt_Concatenate(), x, NULL, "it joins two inputs or more (got 1)");
    not_called(gt_Concatenate(), x, row, "concatenate");
    not_called(gt_Concatenate(2), x, x, "axis 2");
    not_called(gt_Dot(1), x, narrow,
               "axis 1 of one the size of axis 1 of the other (got shapes (2, 3) and (2, 2))");
    not_called(gt_Dot(1), x, row, "inputs must have the same batch size");
    not_called(gt_Dot(gt_axes(1, 2)), gt_ones(gt_shape(2, 3, 4)), gt_ones(gt_shape(2, 3, 5)),
               "axis 1 of one the size of axis 2 of the other");
    not_called(gt_Dot(0), x, x, "axes must be from 1 to 1 for input 1, and not the batch (got 0)");
    not_called(gt_Dot(gt_axes(1, -2)), x, x,
               "axes must be from 1 to 1 for input 2, and not the batch (got -2)");
    not_called(gt_Dot(1), gt_ones(gt_shape(3)), x, "must have at least 2 dimensions");
    not_made(gt_Dot(gt_axes(1, 1, 1)), "axes must be one axis, or one of each input (got 3)");
    ends(scope);
}

/* Ranks are made equal behind the batch, in this order: (2, 3) is (2, 1, 3) and not (1, 2, 3). */
Test(layers_merging, ranks_and_empty_batches)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *low = gt_array(gt_shape(2, 2), 1, 2, 3, 4), *high = gt_zeros(gt_shape(2, 2, 2));
    gt_Tensor *y = gt_call(gt_Add(), low, .more = gt_tensors(high));
    const double want[] = {1, 2, 1, 2, 3, 4, 3, 4};
    for (int i = 0; i < 8; i++)
        cr_assert(gt_element(y, i) == want[i]);
    gt_Tensor *none = gt_ones(gt_shape(0, 3));
    for (int i = 0; i < MAKERS; i++)
        cr_assert(has_shape(gt_call(makers[i](), none, .more = gt_tensors(none)), gt_shape(0, 3)));
    cr_assert(
        has_shape(gt_call(gt_Concatenate(), none, .more = gt_tensors(none, none)), gt_shape(0, 9)));
    cr_assert(has_shape(gt_call(gt_Dot(-1), none, .more = gt_tensors(none)), gt_shape(0, 1)));
    y = gt_call(gt_Dot(1, .normalize = true), gt_zeros(gt_shape(1, 3)),
                .more = gt_tensors(gt_ones(gt_shape(1, 3))));
    cr_assert(gt_item(y) == 0); /* a row of zeros has no direction */
    ends(scope);
}

static gt_Tensor *bits(gt_Tensor *numbers)
{
    return gt_equal(numbers, 1);
}

/* OR of all masks, none where one lacks; Maximum takes what is there. */
Test(layers_merging, masks)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a =
        gt_with_mask(gt_array(gt_shape(1, 3, 1), 5, 6, 7), bits(gt_array(gt_shape(1, 3), 1, 0, 0)));
    gt_Tensor *b =
        gt_with_mask(gt_array(gt_shape(1, 3, 1), 1, 2, 3), bits(gt_array(gt_shape(1, 3), 1, 1, 0)));
    for (int i = 0; i < MAKERS; i++) {
        gt_Tensor *mask = gt_mask(gt_call(makers[i](), a, .more = gt_tensors(b)));
        cr_assert(mask && gt_element(mask, 0) == 1 && gt_element(mask, 1) == 1 &&
                  gt_element(mask, 2) == 0);
        cr_assert(!gt_is_masked(gt_call(makers[i](), a, .more = gt_tensors(gt_unmask(b)))));
    }
    gt_Tensor *y = gt_call(gt_Maximum(), a, .more = gt_tensors(b));
    cr_assert(gt_element(y, 0) == 5 && gt_element(y, 1) == 2);
    y = gt_call(gt_Multiply(), a, .more = gt_tensors(b));
    cr_assert(gt_element(y, 0) == 5 && gt_element(y, 1) == 2 && gt_element(y, 2) == 0);
    gt_Tensor *mask = gt_mask(gt_call(gt_Concatenate(1), a, .more = gt_tensors(gt_unmask(b))));
    cr_assert(has_shape(mask, gt_shape(1, 6)) && gt_element(mask, 2) == 0 &&
              gt_element(mask, 3) == 1);
    /* A mask of rows counts for all their steps, also where there are as many steps as rows. */
    gt_Tensor *steps =
        gt_with_mask(gt_ones(gt_shape(2, 2, 4)), bits(gt_array(gt_shape(2, 2), 1, 0, 0, 0)));
    gt_Tensor *rows = gt_with_mask(gt_ones(gt_shape(2, 4)), bits(gt_array(gt_shape(2), 0, 1)));
    mask = gt_mask(gt_call(gt_Add(), steps, .more = gt_tensors(rows)));
    cr_assert(has_shape(mask, gt_shape(2, 2)) && gt_element(mask, 0) == 1 &&
              gt_element(mask, 1) == 0 && gt_element(mask, 2) == 1 && gt_element(mask, 3) == 1);
    gt_Tensor *features = gt_with_mask(gt_ones(gt_shape(2, 4)), bits(gt_ones(gt_shape(2, 4))));
    mask = gt_mask(gt_call(gt_Minimum(), steps, .more = gt_tensors(features)));
    cr_assert(has_shape(mask, gt_shape(2, 2, 4)));
    /* Masks of all axes are joined along the axis. */
    gt_Tensor *flat = gt_with_mask(gt_ones(gt_shape(1, 2)), bits(gt_array(gt_shape(1, 2), 0, 1)));
    mask = gt_mask(gt_call(gt_Concatenate(), flat, .more = gt_tensors(flat)));
    cr_assert(has_shape(mask, gt_shape(1, 4)) && gt_element(mask, 2) == 0 &&
              gt_element(mask, 3) == 1);
    ends(scope);
}

Test(layers_merging, margins_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(1, 3, 3, 1));
    not_made(gt_ZeroPadding2D(-1), "padding must be from 0");
    not_made(gt_ZeroPadding2D(gt_sizes(1, 2, 3)),
             "padding must be one number, or one for each of 2 spatial axes (got 3)");
    not_made(gt_ZeroPadding1D(1, .padding_after = gt_sizes(1, 2)),
             "padding_after must be one number");
    not_made(gt_Cropping3D(-1), "cropping must be from 0");
    not_made(gt_Cropping2D(1, .cropping_after = -2), "cropping_after must be from 0");
    not_made(gt_UpSampling1D(0), "sizes must be from 1");
    not_made(gt_UpSampling2D(2, .interpolation = (gt_Interpolation)9), "unknown interpolation 9");
    not_made(gt_UpSampling3D(gt_sizes(1, 2)), "one for each of 3 spatial axes (got 2)");
    not_called(gt_Cropping2D(gt_sizes(1, 2), .cropping_after = 1), x, NULL,
               "cropping must leave something of axis 2 (of size 3, less 2 and 1)");
    not_called(gt_ZeroPadding1D(), x, NULL, "the input must have 3 dimensions");
    not_called(gt_UpSampling3D(), x, NULL, "the input must have 5 dimensions");
    not_called(gt_Cropping1D(), x, NULL, "the input must have 3 dimensions");
    gt_Tensor *none = gt_ones(gt_shape(0, 3, 3, 1));
    cr_assert(has_shape(gt_call(gt_ZeroPadding2D(gt_sizes(0, 2)), none), gt_shape(0, 3, 7, 1)));
    cr_assert(has_shape(gt_call(gt_Cropping2D(1), none), gt_shape(0, 1, 1, 1)));
    cr_assert(has_shape(gt_call(gt_UpSampling2D(.interpolation = GT_INTERPOLATION_BILINEAR), none),
                        gt_shape(0, 6, 6, 1)));
    ends(scope);
}

/* Nothing was remembered from the drawing: any batch, any length. */
Test(layers_merging, in_a_functional_model)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_Input(gt_shape(-1, 4)), *b = gt_Input(gt_shape(4)),
              *image = gt_Input(gt_shape(-1, -1, 2));
    gt_Tensor *sum =
        gt_call(gt_Multiply(), gt_call(gt_Add(), a, .more = gt_tensors(b)), .more = gt_tensors(a));
    gt_Tensor *wide =
        gt_call(gt_Concatenate(1), sum, .more = gt_tensors(gt_call(gt_RepeatVector(2), b)));
    wide = gt_call(gt_Cropping1D(2, .cropping_after = 0),
                   gt_call(gt_ZeroPadding1D(1), gt_call(gt_UpSampling1D(2), wide)));
    gt_Tensor *dot = gt_call(gt_Dot(gt_axes(-1, 1)), wide, .more = gt_tensors(b));
    gt_Tensor *large =
        gt_call(gt_UpSampling2D(gt_sizes(2, 3), .interpolation = GT_INTERPOLATION_BILINEAR), image);
    gt_Layer *model = gt_Model(gt_tensors(a, b, image), gt_tensors(dot, large));
    cr_assert(model, "%s", gt_error_message());
    for (int64_t n = 1; n < 4; n++) {
        gt_Tensor *pictures, *x = gt_ones(gt_shape(n, n + 1, 4)), *row = gt_ones(gt_shape(n, 4)),
                             *picture = gt_ones(gt_shape(n, n, 2 * n, 2));
        gt_Tensor *y =
            gt_call(model, x, .more = gt_tensors(row, picture), .outputs = gt_outputs(&pictures));
        cr_assert(has_shape(y, gt_shape(n, 2 * (n + 3))), "%s", gt_error_message());
        cr_assert(gt_element(y, 0) == 8 && gt_element(y, 2 * (n + 3) - 1) == 0);
        cr_assert(has_shape(pictures, gt_shape(n, 2 * n, 6 * n, 2)) &&
                  fabs(gt_element(pictures, 5) - 1) < 1e-6);
    }
    gt_layer_free(model);
    ends(scope);
}
