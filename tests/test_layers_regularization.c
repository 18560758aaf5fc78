/* Dropout, noise and penalties: what the walks over the table of layers do not see, options at
 * their limits, which elements fall together, wrong inputs. */
#include "layer_mistakes.h"

#include <math.h>

Test(layers_regularization, options_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    not_made(gt_Dropout(-0.1), "rate must be in [0, 1] (got -0.1)");
    not_made(gt_Dropout(1.5), "rate must be in [0, 1] (got 1.5)");
    not_made(gt_Dropout(NAN), "rate must be in [0, 1] (got nan)");
    not_made(gt_Dropout(0.5, .noise_shape = gt_shape(2, 0)),
             "sizes of noise_shape must be > 0, or -1 (got 0)");
    not_made(gt_Dropout(0.5, .noise_shape = gt_shape(-2)), "(got -2)");
    not_made(gt_SpatialDropout1D(2), "rate must be in [0, 1] (got 2)");
    not_made(gt_SpatialDropout2D(-1), "rate must be in [0, 1] (got -1)");
    not_made(gt_SpatialDropout3D(NAN), "rate must be in [0, 1] (got nan)");
    not_made(gt_GaussianNoise(-1), "stddev must be in [0, 1] (got -1)");
    not_made(gt_GaussianNoise(1.5), "stddev must be in [0, 1] (got 1.5)");
    not_made(gt_GaussianDropout(1),
             "rate must be in [0, 1) (got 1)"); /* its deviation would be infinite */
    not_made(gt_AlphaDropout(1), "rate must be in [0, 1) (got 1)");
    not_made(gt_AlphaDropout(0.5, .noise_shape = gt_shape(-3)), "(got -3)");
    ends(scope);
}

Test(layers_regularization, inputs_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 3));
    not_called(gt_SpatialDropout1D(0.5), x, NULL,
               "the input must have 3 dimensions (got shape (2, 3))");
    not_called(gt_SpatialDropout2D(0.5), x, NULL, "the input must have 4 dimensions");
    not_called(gt_SpatialDropout3D(0.5), x, NULL, "the input must have 5 dimensions");
    gt_Layer *layer = gt_Dropout(0.5, .noise_shape = gt_shape(2, 2));
    cr_assert(gt_call(layer, x)); /* in inference nothing is drawn */
    cr_assert(!gt_call(layer, x, .training = true));
    fails(GT_INVALID, "noise_shape (2, 2) does not broadcast to x (2, 3)");
    gt_layer_free(layer);
    ends(scope);
}

/* Counts how many elements of y (rows, steps, channels), made of ones, are 0; channels and steps must fall as said, and no row
 * as a whole but by chance. */
static int fallen(gt_Tensor *y, int rows, int steps, int channels, bool channels_fall,
                  bool steps_fall)
{
    int count = 0, parts = 0;
    for (int r = 0; r < rows; r++) {
        int before = count;
        for (int t = 0; t < steps; t++)
            for (int c = 0; c < channels; c++) {
                double v = gt_element(y, (r * steps + t) * channels + c);
                double first = gt_element(y, r * steps * channels + c);
                double along = gt_element(y, (r * steps + t) * channels);
                cr_assert((!channels_fall || v == first) && (!steps_fall || v == along));
                count += v == 0;
            }
        parts += count > before && count < before + steps * channels;
    }
    cr_assert(parts > rows / 2, "%d of %d rows fell in part", parts, rows);
    return count;
}

Test(layers_regularization, what_falls_together)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(40, 5, 10));
    gt_Tensor *y = gt_call(gt_SpatialDropout1D(0.3, .seed = 1), x, .training = true);
    int count = fallen(y, 40, 5, 10, true, false);
    cr_assert(abs(count - 600) < 160 && fabs(gt_item(gt_max(y)) - 1 / 0.7) < 1e-6, "%d", count);
    y = gt_call(gt_Dropout(0.3, .noise_shape = gt_shape(-1, -1, 1), .seed = 1), x,
                .training = true);
    count = fallen(y, 40, 5, 10, false, true);
    cr_assert(abs(count - 600) < 200, "%d", count);
    gt_Tensor *image = gt_reshape(x, gt_shape(40, 5, 1, 10)),
              *volume = gt_reshape(x, gt_shape(40, 1, 5, 1, 10));
    fallen(gt_call(gt_SpatialDropout2D(0.3), image, .training = true), 40, 5, 10, true, false);
    fallen(gt_call(gt_SpatialDropout3D(0.3), volume, .training = true), 40, 5, 10, true, false);
    y = gt_call(gt_SpatialDropout1D(1), x, .training = true);
    cr_assert(gt_item(gt_max(y)) == 0);
    cr_assert(
        has_shape(gt_call(gt_SpatialDropout1D(0.5), gt_ones(gt_shape(0, 5, 10)), .training = true),
                  gt_shape(0, 5, 10)));
    ends(scope);
}

/* Mean 0 and variance 1 stay; so do numbers in inference. */
Test(layers_regularization, alpha_dropout_keeps_mean_and_variance)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *generator = gt_generator(5);
    gt_Tensor *x = gt_normal(gt_shape(200, 500), .generator = generator);
    for (int i = 1; i < 10; i += 4) {
        gt_Layer *layer = gt_AlphaDropout(0.1 * i, .seed = 3);
        gt_Tensor *y = gt_call(layer, x, .training = true);
        double mean = gt_item(gt_mean(y)), variance = gt_item(gt_mean(gt_square(y)));
        cr_assert(fabs(mean) < 0.02 && fabs(variance - 1) < 0.03, "rate %g: %g, %g", 0.1 * i, mean,
                  variance);
        cr_assert(gt_element(gt_call(layer, x), 7) == gt_element(x, 7));
        gt_layer_free(layer);
    }
    gt_variable_free(generator);
    ends(scope);
}

/* The state of a generator goes on in training alone, also in a plan; two layers with one seed
 * draw alike. */
static gt_Status noisy(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call(context, inputs[0], .training = true);
    return gt_status();
}

Test(layers_regularization, noise)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *one = gt_GaussianNoise(0.5, .seed = 9), *other = gt_GaussianNoise(0.5, .seed = 9);
    gt_Tensor *x = gt_ones(gt_shape(3, 4)), *planned;
    gt_call(one, x);
    gt_call(other, x);
    gt_Function *function = gt_function(noisy, other);
    double before = NAN;
    for (int64_t rows = 3; rows < 6; rows++) {
        gt_Tensor *rows_of_ones = gt_ones(gt_shape(rows, 4));
        gt_Tensor *y = gt_call(one, rows_of_ones, .training = true);
        cr_assert(gt_function_call(function, gt_tensors(rows_of_ones), &planned) == GT_OK, "%s",
                  gt_error_message());
        cr_assert(has_shape(planned, gt_shape(rows, 4)));
        for (int64_t i = 0; i < 4 * rows; i++)
            cr_assert(gt_element(y, i) == gt_element(planned, i));
        cr_assert(gt_element(y, 0) != before);
        before = gt_element(y, 0);
    }
    cr_assert(gt_element(gt_call(one, x), 0) == 1);
    gt_function_free(function);
    gt_layer_free(one);
    gt_layer_free(other);
    cr_assert(!gt_normal_like(x, .stddev = -1));
    fails(GT_INVALID, "stddev finite and >= 0 (got mean 0, stddev -1)");
    cr_assert(!gt_normal_like(gt_cast(x, GT_INT32)));
    fails(GT_INVALID, "dtype int32 is not supported; expected float32 and float64");
    gt_Tensor *cut =
        gt_normal_like(gt_ones(gt_shape(1000), .dtype = GT_FLOAT64), .truncated = true, .mean = 5);
    cr_assert(gt_dtype(cut) == GT_FLOAT64 && gt_item(gt_max(cut)) < 7 && gt_item(gt_min(cut)) > 3);
    ends(scope);
}

/* Divided by the batch that comes, in a model for any batch; padding counts. */
Test(layers_regularization, activity)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(3));
    gt_Layer *model = gt_Model(
        gt_tensors(x), gt_tensors(gt_call(gt_ActivityRegularization(.l1 = 1, .l2 = 0.5), x)));
    for (int64_t batch = 1; batch < 4; batch++) {
        gt_call(model, gt_full(gt_shape(batch, 3), 2));
        cr_assert(fabs(gt_item(gt_total_loss(model, NULL)) - (6 + 6)) < 1e-5);
    }
    gt_layer_free(model);
    gt_Layer *masking = gt_Masking(.activity_regularizer = gt_L2(1));
    gt_call(masking, gt_ones(gt_shape(2, 3, 1)));
    cr_assert(gt_item(gt_total_loss(masking, NULL)) == 3);
    gt_layer_free(masking);
    ends(scope);
}
