/* Convolutional layers beyond the values of Keras: what is refused, and in which words; sizes that are not known; empty
 * batches; dilated transposed convolutions, which Keras on a CPU does not have, as adjoints; 16 bits. */
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

Test(layers_conv, options_that_are_refused)
{
    refused(gt_Conv2D(0, 3), "Conv2D: filters must be > 0 (got 0)");
    refused(gt_Conv2D(-1, 3), "filters must be > 0 (got -1)");
    refused(gt_Conv2D(4, 0), "Conv2D: kernel_size must be from 1 to 2147483647 (got 0)");
    refused(gt_Conv2D(4, gt_sizes(3, 0)), "kernel_size must be from 1");
    refused(gt_Conv2D(4, gt_sizes(1, 2, 3)),
            "kernel_size must be one number, or one for each of 2 spatial axes (got 3)");
    refused(gt_Conv1D(4, gt_sizes(1, 2)),
            "Conv1D: kernel_size must be one number, or one for each of 1 spatial axis (got 2)");
    refused(gt_Conv2D(4, 3, .strides = 0), "strides must be from 1");
    refused(gt_Conv2D(4, 3, .dilation_rate = -1), "dilation_rate must be from 1");
    refused(gt_Conv2D(4, INT64_MAX), "kernel_size must be ");
    refused(gt_Conv2D(4, 3, .strides = gt_sizes(1, 2), .dilation_rate = gt_sizes(2, 1)),
            "strides > 1 cannot be combined with dilation_rate > 1");
    refused(gt_Conv2D(4, 3, .groups = 3), "groups must divide the 4 filters (got 3)");
    refused(gt_Conv2D(4, 3, .groups = 0), "groups must divide the 4 filters (got 0)");
    refused(gt_Conv2D(4, 3, .padding = GT_PADDING_CAUSAL),
            "padding must be valid or same (got causal)");
    refused(gt_Conv1D(4, 3, .padding = (gt_Padding)7),
            "padding must be valid, same or causal (got an unknown one)");
    refused(gt_DepthwiseConv2D(3, .depth_multiplier = 0),
            "DepthwiseConv2D: depth_multiplier must be > 0 (got 0)");
    refused(gt_DepthwiseConv1D(0), "kernel_size must be from 1");
    refused(gt_DepthwiseConv1D(3, .padding = GT_PADDING_CAUSAL), "padding must be valid or same");
    refused(gt_DepthwiseConv2D(3, .strides = 2, .dilation_rate = 2), "strides > 1 cannot be");
    refused(gt_SeparableConv2D(0, 3), "SeparableConv2D: filters must be > 0 (got 0)");
    refused(gt_SeparableConv2D(2, 3, .depth_multiplier = -3),
            "depth_multiplier must be > 0 (got -3)");
    refused(gt_SeparableConv1D(2, gt_sizes(3, 3)), "kernel_size must be one number");
    refused(gt_SeparableConv1D(2, 3, .padding = GT_PADDING_CAUSAL),
            "padding must be valid or same");
    refused(gt_Conv2DTranspose(0, 3), "Conv2DTranspose: filters must be > 0 (got 0)");
    refused(gt_Conv2DTranspose(2, 0), "kernel_size must be from 1");
    refused(gt_Conv1DTranspose(2, 3, .padding = GT_PADDING_CAUSAL),
            "padding must be valid or same");
    refused(gt_Conv2DTranspose(2, 3, .strides = gt_sizes(2, 1), .output_padding = gt_sizes(1, 1)),
            "output_padding must be less than strides (got 1 and 1 in spatial axis 1)");
    refused(gt_Conv3DTranspose(2, 3, .strides = 2, .output_padding = -1),
            "output_padding must be from 0");
    refused(gt_Conv3DTranspose(2, 3, .strides = 2, .dilation_rate = 2), "strides > 1 cannot be");
    gt_context_free(NULL);
    assert_no_leaks();
}

static void refused_call(gt_Layer *layer, gt_Tensor *x, const char *text)
{
    cr_assert(layer, "%s", gt_error_message());
    refused(gt_call(layer, x), text);
    cr_assert(!gt_layer_built(layer), "%s", text);
    gt_layer_free(layer);
}

Test(layers_conv, inputs_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *image = gt_ones(gt_shape(2, 4, 4, 3));
    refused_call(gt_Conv2D(4, 3), gt_ones(gt_shape(4, 4, 3)),
                 "the input must have 4 dimensions (got shape (4, 4, 3))");
    refused_call(gt_Conv1D(4, 3), image, "the input must have 3 dimensions");
    refused_call(gt_Conv3D(4, 3), image, "the input must have 5 dimensions");
    refused_call(gt_Conv2D(4, 3, .groups = 2), image,
                 "groups must divide the 3 channels of the input (got 2)");
    refused_call(gt_Conv2D(4, 5), image,
                 "a window of 5 does not fit into spatial axis 0 of size 4");
    refused_call(gt_Conv2D(4, 3, .dilation_rate = gt_sizes(1, 2)), image,
                 "a window of 5 does not fit into spatial axis 1");
    refused_call(gt_Conv2D(4, 3), gt_ones(gt_shape(2, 0, 4, 3)), "does not fit");
    refused_call(gt_Conv2D(4, 3), gt_cast(image, GT_INT32), "int32");
    refused_call(gt_Conv2D(INT64_MAX / 2, INT32_MAX), image, "cannot be float32");
    refused_call(gt_DepthwiseConv2D(2, .depth_multiplier = INT64_MAX), image, "cannot be float32");
    refused_call(gt_SeparableConv2D(2, 2, .depth_multiplier = INT64_MAX), image,
                 "cannot be float32");
    refused_call(gt_SeparableConv1D(2, 5), gt_ones(gt_shape(2, 4, 3)),
                 "a window of 5 does not fit");
    refused_call(gt_Conv2DTranspose(2, 3), gt_ones(gt_shape(4, 3)),
                 "the input must have 4 dimensions");

    gt_Layer *conv = gt_Conv2D(2, 3);
    cr_assert(gt_call(conv, image));
    refused(gt_call(conv, gt_ones(gt_shape(2, 4, 4, 2))),
            "the last dimension of the input must be 3");
    cr_assert(gt_call(conv, gt_ones(gt_shape(1, 3, 7, 3))), "other spatial sizes are fine");
    gt_layer_free(conv);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Of an empty batch comes an empty batch, and gradients of zero. */
Test(layers_conv, empty_batches)
{
    gt_Layer *layers[] = {gt_Conv2D(5, 3, .padding = GT_PADDING_SAME),
                          gt_DepthwiseConv2D(3, .depth_multiplier = 2), gt_SeparableConv2D(4, 2),
                          gt_Conv2DTranspose(3, 2, .strides = 2)};
    const int64_t expected[][3] = {{4, 4, 5}, {2, 2, 6}, {3, 3, 4}, {8, 8, 3}};
    for (int i = 0; i < 4; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *y = gt_call(layers[i], gt_zeros(gt_shape(0, 4, 4, 3)));
        cr_assert(y, "%s", gt_error_message());
        gt_Shape shape = gt_tensor_shape(y);
        cr_assert(shape.rank == 4 && shape.dims[0] == 0 &&
                  memcmp(shape.dims + 1, expected[i], sizeof expected[i]) == 0);
        gt_Tensor *slope = gt_gradient(tape, gt_sum(y), gt_trainable_variables(layers[i]).items[0]);
        cr_assert(slope && gt_item(gt_sum(gt_abs(slope))) == 0, "%s", gt_error_message());
        gt_tape_end(tape);
        gt_layer_free(layers[i]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A functional model for any batch and any size of images; the numbers are those of the layers alone. */
Test(layers_conv, unknown_sizes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *image = gt_Input(gt_shape(-1, -1, 2));
    gt_Layer *a = gt_Conv2D(3, 3, .padding = GT_PADDING_SAME, .strides = 2),
             *b = gt_DepthwiseConv2D(2), *c = gt_SeparableConv2D(4, 2),
             *d = gt_Conv2DTranspose(2, 3, .strides = 2);
    gt_Tensor *y = gt_call(d, gt_call(c, gt_call(b, gt_call(a, image))));
    gt_Layer *model = gt_Model(gt_tensors(image), gt_tensors(y));
    cr_assert(model, "%s", gt_error_message());
    for (int n = 6; n < 9; n++) {
        gt_Tensor *x = gt_uniform(gt_shape(n, 2 * n, n, 2));
        gt_Tensor *got = gt_call(model, x),
                  *want = gt_call(d, gt_call(c, gt_call(b, gt_call(a, x))));
        cr_assert(got && want, "%s", gt_error_message());
        cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(want)));
        cr_assert_eq(gt_item(gt_max(gt_abs(gt_subtract(got, want)))), 0);
    }
    gt_scope_end(scope);
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* <Conv(x), y> = <x, ConvTranspose(y)> for the same kernel: what Keras's layer is by definition. */
static void check_adjoint(gt_Layer *conv, gt_Layer *transpose, gt_Shape shape)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_cast(gt_uniform(shape), GT_FLOAT64), *forth = gt_call(conv, x);
    cr_assert(forth, "%s", gt_error_message());
    gt_Tensor *y = gt_cast(gt_uniform(gt_tensor_shape(forth)), GT_FLOAT64);
    cr_assert(gt_call(transpose, y), "%s", gt_error_message());
    gt_assign(gt_weights(transpose).items[0],
              gt_weights(conv).items[0]); /* (k, k, in, filters), (k, k, filters, in) */
    gt_Tensor *back = gt_call(transpose, y);
    cr_assert(back && gt_shape_equal(gt_tensor_shape(back), shape), "%s", gt_error_message());
    double one = gt_item(gt_sum(gt_multiply(forth, y))),
           two = gt_item(gt_sum(gt_multiply(x, back)));
    cr_assert(fabs(one - two) < 1e-12 * fabs(one), "%g and %g", one, two);
    gt_scope_end(scope);
    gt_layer_free(conv);
    gt_layer_free(transpose);
}

Test(layers_conv, dilated_transposes)
{
    check_adjoint(gt_Conv1D(3, 2, .dilation_rate = 3, .use_bias = false),
                  gt_Conv1DTranspose(2, 2, .dilation_rate = 3, .use_bias = false),
                  gt_shape(2, 7, 2));
    check_adjoint(
        gt_Conv2D(3, gt_sizes(2, 3), .dilation_rate = gt_sizes(2, 1), .use_bias = false),
        gt_Conv2DTranspose(2, gt_sizes(2, 3), .dilation_rate = gt_sizes(2, 1), .use_bias = false),
        gt_shape(2, 5, 6, 2));
    check_adjoint(
        gt_Conv2D(3, 3, .dilation_rate = 2, .padding = GT_PADDING_SAME, .use_bias = false),
        gt_Conv2DTranspose(2, 3, .dilation_rate = 2, .padding = GT_PADDING_SAME, .use_bias = false),
        gt_shape(2, 5, 6, 2));
    check_adjoint(gt_Conv3D(1, 2, .dilation_rate = gt_sizes(1, 2, 3), .use_bias = false),
                  gt_Conv3DTranspose(2, 2, .dilation_rate = gt_sizes(1, 2, 3), .use_bias = false),
                  gt_shape(1, 2, 4, 5, 2));
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Weights stay float32, results are float32, and close to those without a policy. */
Test(layers_conv, mixed_precision)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(2, 5, 5, 4), .low = -1);
    for (int i = 0; i < 4; i++) {
        gt_Tensor *y[2];
        for (int mixed = 0; mixed < 2; mixed++) {
            gt_DType dtype = mixed ? gt_mixed_bfloat16() : GT_FLOAT32;
            gt_Initializer first = gt_RandomUniform(.minval = -1, .maxval = 1, .seed = 3);
            gt_Layer *layer =
                i == 0   ? gt_Conv2D(3, 3, .kernel_initializer = first, .dtype = dtype)
                : i == 1 ? gt_DepthwiseConv2D(3, .depthwise_initializer = first, .dtype = dtype)
                : i == 2 ? gt_SeparableConv2D(3, 3, .depthwise_initializer = first,
                                              .pointwise_initializer = first, .dtype = dtype)
                         : gt_Conv2DTranspose(3, 3, .kernel_initializer = first, .dtype = dtype);
            y[mixed] = gt_call(layer, x);
            cr_assert(y[mixed] && gt_dtype(gt_weights(layer).items[0]) == GT_FLOAT32 &&
                          gt_dtype(y[mixed]) == GT_FLOAT32,
                      "%s", gt_error_message());
        }
        double apart = gt_item(gt_max(gt_abs(gt_subtract(y[0], y[1])))),
               most = gt_item(gt_max(gt_abs(y[0])));
        cr_assert(apart > 0 && apart < 0.02 * most, "layer %d: %g of %g", i, apart, most);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
