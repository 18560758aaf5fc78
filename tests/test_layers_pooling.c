/* Pooling layers beyond the values of Keras: what is refused, and in which words; empty batches and axes, sizes that are
 * not known, rows without a step that counts, windows of adaptive pooling one by one. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <string.h>

static void refused(bool made, const char *text)
{
    cr_assert(!made && gt_status() == GT_INVALID, "\"%s\" is not refused", text);
    cr_assert(strstr(gt_error_message(), text), "\"%s\" instead of \"%s\"", gt_error_message(),
              text);
    gt_error_clear();
}

Test(layers_pooling, what_is_refused)
{
    refused(gt_MaxPooling2D(0), "MaxPooling2D: pool_size must be from 1 to 2147483647 (got 0)");
    refused(gt_MaxPooling1D(gt_sizes(2, 2)), "MaxPooling1D: pool_size must be one number");
    refused(gt_MaxPooling3D(2, .strides = 0), "strides must be from 1");
    refused(gt_AveragePooling2D(gt_sizes(2, 0)), "AveragePooling2D: pool_size must be from 1");
    refused(gt_AveragePooling1D(2, .strides = -3), "strides must be from 1 to 2147483647 (got -3)");
    refused(gt_AveragePooling1D(2, .padding = GT_PADDING_CAUSAL),
            "padding must be valid or same (got causal)");
    refused(gt_MaxPooling2D(2, .padding = (gt_Padding)-1),
            "padding must be valid or same (got an unknown one)");
    refused(gt_AdaptiveMaxPooling2D(0), "AdaptiveMaxPooling2D: output_size must be from 1");
    refused(gt_AdaptiveAveragePooling3D(gt_sizes(1, 2)),
            "output_size must be one number, or one for each of 3");
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 3, 2));
    refused(gt_call(gt_MaxPooling2D(), x),
            "the input must have 4 dimensions (got shape (2, 3, 2))");
    refused(gt_call(gt_GlobalAveragePooling2D(), x), "the input must have 4 dimensions");
    refused(gt_call(gt_AdaptiveMaxPooling3D(2), x), "the input must have 5 dimensions");
    refused(gt_call(gt_AveragePooling1D(4), x),
            "a window of 4 does not fit into spatial axis 0 of size 3");
    refused(gt_call(gt_MaxPooling1D(), gt_ones(gt_shape(2, 0, 2))),
            "does not fit into spatial axis 0 of size 0");
    refused(gt_call(gt_AdaptiveAveragePooling1D(2), gt_ones(gt_shape(2, 0, 2))),
            "the size of an image must be from 1");
    refused(gt_call(gt_GlobalMaxPooling1D(), gt_ones(gt_shape(2, 0, 2))), "empty axis");
    refused(gt_call(gt_MaxPooling1D(), gt_cast(x, GT_INT32)), "int32");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Of an empty batch comes an empty batch. */
Test(layers_pooling, empty_batches)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_zeros(gt_shape(0, 5, 4, 3));
    gt_Layer *layers[] = {gt_MaxPooling2D(),          gt_AveragePooling2D(2),
                          gt_GlobalMaxPooling2D(),    gt_GlobalAveragePooling2D(.keepdims = true),
                          gt_AdaptiveMaxPooling2D(3), gt_AdaptiveAveragePooling2D(gt_sizes(5, 2))};
    const gt_Shape expected[] = {gt_shape(0, 2, 2, 3), gt_shape(0, 2, 2, 3), gt_shape(0, 3),
                                 gt_shape(0, 1, 1, 3), gt_shape(0, 3, 3, 3), gt_shape(0, 5, 2, 3)};
    for (int i = 0; i < 6; i++) {
        gt_Tensor *y = gt_call(layers[i], x);
        cr_assert(y && gt_shape_equal(gt_tensor_shape(y), expected[i]), "%d: %s", i,
                  gt_error_message());
        gt_layer_free(layers[i]);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The steps that count, alone; a row without one has no mean. Padding may hold anything. */
Test(layers_pooling, masked_means)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(3, 2, 1), 1, NAN, 3, 5, 7, 7);
    gt_Tensor *mask = gt_cast(gt_array(gt_shape(3, 2), 1, 0, 1, 1, 0, 0), GT_BOOL);
    gt_Layer *mean = gt_GlobalAveragePooling1D();
    gt_Tensor *y = gt_call(mean, x, .mask = mask);
    cr_assert(y && gt_rank(y) == 2 && !gt_is_masked(y), "%s", gt_error_message());
    cr_assert(gt_element(y, 0) == 1 && gt_element(y, 1) == 4 && isnan(gt_element(y, 2)));
    cr_assert(isnan(gt_element(gt_call(mean, x), 0)), "without a mask");
    cr_assert_eq(gt_warnings().count, 0, "the mask is used, not lost");
    gt_layer_free(mean);

    gt_Layer *most = gt_GlobalMaxPooling1D();
    y = gt_call(most, gt_with_mask(gt_ones(gt_shape(3, 2, 1)), mask));
    cr_assert(y && !gt_is_masked(y) && gt_warnings().count == 1, "%s", gt_error_message());
    gt_layer_free(most);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Element i of m: elements from floor(i n / m) to ceil((i + 1) n / m), for many n and m. */
Test(layers_pooling, adaptive_windows)
{
    for (int n = 1; n <= 9; n++)
        for (int m = 1; m <= 9; m++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Layer *most = gt_AdaptiveMaxPooling1D(m), *mean = gt_AdaptiveAveragePooling1D(m);
            gt_Tensor *x = gt_uniform(gt_shape(1, n, 1), .dtype = GT_FLOAT64);
            gt_Tensor *high = gt_call(most, x), *middle = gt_call(mean, x);
            cr_assert(high && middle && gt_size(high) == m && gt_size(middle) == m, "%d to %d: %s",
                      n, m, gt_error_message());
            for (int i = 0; i < m; i++) {
                int begin = i * n / m, end = ((i + 1) * n + m - 1) / m;
                double largest = -1, sum = 0;
                for (int k = begin; k < end; k++) {
                    largest = fmax(largest, gt_element(x, k));
                    sum += gt_element(x, k);
                }
                cr_assert(gt_element(high, i) == largest, "%d to %d", n, m);
                cr_assert(fabs(gt_element(middle, i) - sum / (end - begin)) < 1e-15, "%d to %d", n,
                          m);
            }
            gt_scope_end(scope);
            gt_layer_free(most);
            gt_layer_free(mean);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A functional model for any batch and any size of images. */
Test(layers_pooling, unknown_sizes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *image = gt_Input(gt_shape(-1, -1, 2));
    gt_Layer *a = gt_MaxPooling2D(2, .padding = GT_PADDING_SAME),
             *b = gt_AveragePooling2D(2, .strides = 1), *c = gt_AdaptiveMaxPooling2D(3),
             *d = gt_GlobalAveragePooling2D();
    gt_Tensor *y = gt_call(d, gt_call(c, gt_call(b, gt_call(a, image))));
    gt_Layer *model = gt_Model(gt_tensors(image), gt_tensors(y));
    cr_assert(model, "%s", gt_error_message());
    for (int n = 4; n < 7; n++) {
        gt_Tensor *x = gt_uniform(gt_shape(n, 2 * n, n, 2));
        gt_Tensor *got = gt_call(model, x),
                  *want = gt_call(d, gt_call(c, gt_call(b, gt_call(a, x))));
        cr_assert(got && want && gt_shape_equal(gt_tensor_shape(got), gt_shape(n, 2)), "%s",
                  gt_error_message());
        cr_assert_eq(gt_item(gt_max(gt_abs(gt_subtract(got, want)))), 0);
    }
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
