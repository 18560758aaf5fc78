/* Core layers, activations as layers and spectral normalization: what the walks over the table of
 * layers do not see, options at their limits, wrong inputs. */
#include "layer_mistakes.h"

#include <float.h>
#include <math.h>

static gt_Tensor *whole(gt_Tensor *x)
{
    return gt_cast(x, GT_INT32);
}

Test(layers_core, options_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    not_made(gt_Dense(0), "units must be > 0 (got 0)");
    not_made(gt_Embedding(0, 2), "input_dim must be > 0 (got 0)");
    not_made(gt_Embedding(3, -1), "output_dim must be > 0 (got -1)");
    not_made(gt_Embedding(3, 2, .weights = gt_zeros(gt_shape(2, 3))),
             "weights must be floats (3, 2) (got float32 (2, 3))");
    not_made(gt_Embedding(3, 2, .weights = whole(gt_zeros(gt_shape(3, 2)))), "got int32 (3, 2)");
    not_made(gt_ReversibleEmbedding(0, 2), "input_dim must be > 0 (got 0)");
    not_made(gt_ReversibleEmbedding(2, 0), "output_dim must be > 0 (got 0)");
    not_made(gt_ReversibleEmbedding(2, 2, .logit_soft_cap = -1),
             "logit_soft_cap must be finite and >= 0 (got -1)");
    not_made(gt_ReversibleEmbedding(2, 2, .reverse_dtype = GT_INT32),
             "reverse_dtype must be one of floats (got int32)");
    not_made(gt_Permute(gt_axes(1, 3)), "dims must be 1 to 2, each once");
    not_made(gt_Permute(gt_axes(0, 1)), "dims must be 1 to 2, each once");
    not_made(gt_Permute(gt_axes(1, 1)), "dims must be 1 to 2, each once");
    not_made(gt_Permute(gt_axes()), "dims must be 1 to 1, each once");
    not_made(gt_RepeatVector(0), "n must be > 0 (got 0)");
    not_made(gt_ReLU(.max_value = -1), "max_value must be >= 0 (got -1)");
    not_made(gt_ReLU(.negative_slope = -0.5), "negative_slope must be >= 0 (got -0.5)");
    not_made(gt_ReLU(.threshold = NAN), "threshold must be >= 0 (got nan)");
    not_made(gt_LeakyReLU(.negative_slope = -1), "negative_slope must be >= 0 (got -1)");
    not_made(gt_SpectralNormalization(NULL), "the layer is NULL");
    not_made(gt_SpectralNormalization(gt_Dense(2), .power_iterations = 0),
             "power_iterations must be > 0 (got 0)");
    ends(scope);
}

Test(layers_core, equations_that_are_refused)
{
    gt_Scope *scope = gt_scope_begin();
    static const char *const wrong[] = {"",
                                        "ab",
                                        "ab,bc",
                                        "ab,bc->",
                                        "ab,bc->ac ",
                                        "a b,bc->ac",
                                        "aa,ab->ab",
                                        "...ab,bc->ac",
                                        "ab,...bc->ac",
                                        "...ab...,bc->...ac...",
                                        "ab...,bc->ac",
                                        "abcdefghi,ij->abcdefghj"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        not_made(gt_EinsumDense(wrong[i], gt_shape(2)), "equation must be like");
    not_made(gt_EinsumDense(NULL, gt_shape(2)), "got NULL");
    not_made(gt_EinsumDense("ab,bc->ad", gt_shape(2)), "'d' of the result is in neither operand");
    not_made(gt_EinsumDense("ab,bcd->ac", gt_shape(2)),
             "'d' of the kernel is in neither x nor the result");
    not_made(gt_EinsumDense("ab,bc->ac", gt_shape(2, 3)),
             "output_shape must have 1 sizes for ab,bc->ac (got 2)");
    not_made(gt_EinsumDense("...a,ab->...b", gt_shape()), "output_shape must have 1 sizes");
    not_made(gt_EinsumDense("ab,bc->ac", gt_shape(2), .bias_axes = "b"),
             "bias_axes: 'b' is not in the result");
    not_made(gt_EinsumDense("ab,bc->ac", gt_shape(2), .bias_axes = ""),
             "bias_axes must have letters");
    gt_Tensor *x = gt_ones(gt_shape(2, 3, 4));
    not_called(gt_EinsumDense("ab,bc->ac", gt_shape(2)), x, NULL, "must have 2 dimensions");
    not_called(gt_EinsumDense("...abcd,de->...e", gt_shape(2)), x, NULL,
               "must have at least 5 dimensions");
    not_called(gt_EinsumDense("abc,cd->abd", gt_shape(-1, -1)), x, NULL,
               "the size of 'd' is not known");
    not_called(gt_EinsumDense("abc,cd->abd", gt_shape(5, 2)), x, NULL,
               "'b' is 3 in x and 5 in output_shape");
    ends(scope);
}

/* The fans of an initializer are those of the equation, also of one that is given. */
Test(layers_core, fans_of_an_equation)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_EinsumDense("ab,bcd->acd", gt_shape(40, 50),
                                     .kernel_initializer = gt_HeNormal(.seed = 3));
    gt_call(layer, gt_ones(gt_shape(1, 30)));
    gt_Tensor *kernel = gt_weights(layer).items[0];
    cr_assert(has_shape(kernel, gt_shape(30, 40, 50)));
    double deviation = sqrt(gt_item(gt_mean(gt_square(kernel))));
    cr_assert(fabs(deviation / sqrt(2.0 / 30) - 1) < 0.02, "%g", deviation);
    gt_layer_free(layer);
    layer = gt_EinsumDense("ab,bcd->acd", gt_shape(4, 5), .kernel_initializer = gt_Constant(2));
    gt_call(layer, gt_ones(gt_shape(1, 3)));
    cr_assert(gt_element(gt_weights(layer).items[0], 7) == 2);
    gt_layer_free(layer);
    ends(scope);
}

Test(layers_core, embedding)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *table = gt_array(gt_shape(3, 2), 0, 1, 10, 11, 20, 21);
    gt_Scope *inner = gt_scope_begin();
    gt_Layer *layer = gt_Embedding(3, 2, .weights = gt_add(table, 0.5), .mask_zero = true);
    gt_scope_end(inner); /* the numbers were copied */
    gt_Tensor *y = gt_call(layer, gt_array(gt_shape(2, 2), 2.9, 0, 1, 2)); /* floats are cut */
    cr_assert(has_shape(y, gt_shape(2, 2, 2)) && gt_element(y, 0) == 20.5 &&
              gt_element(y, 3) == 1.5 && gt_element(y, 4) == 10.5);
    cr_assert(gt_element(gt_mask(y), 0) == 1 && gt_element(gt_mask(y), 1) == 0);
    gt_Layer *copy = gt_layer_copy(layer);
    cr_assert(gt_element(gt_call(copy, whole(gt_ones(gt_shape(1)))), 1) == 11.5);
    gt_layer_free(copy);
    cr_assert(has_shape(gt_call(layer, whole(gt_zeros(gt_shape(0, 4)))), gt_shape(0, 4, 2)));
    cr_assert(has_shape(gt_call(layer, whole(gt_scalar(1, GT_FLOAT32))), gt_shape(2)));
    cr_assert(!gt_call(layer, whole(gt_array(gt_shape(2), 1, 3))));
    fails(GT_INVALID, "3");
    gt_layer_free(layer);
    ends(scope);
}

/* The table learns from the way there and the way back. */
Test(layers_core, reversible_embedding)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_ReversibleEmbedding(4, 3);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *h = gt_call(layer, whole(gt_array(gt_shape(2), 1, 3)));
    gt_Tensor *logits = gt_call(layer, h);
    cr_assert(has_shape(logits, gt_shape(2, 4)) && gt_weights(layer).count == 1);
    gt_Tensor *table = gt_weights(layer).items[0];
    double square = 0;
    for (int k = 0; k < 3; k++)
        square += pow(gt_element(table, 3 + k), 2);
    cr_assert(fabs(gt_element(logits, 1) - square) < 1e-6);
    gt_Tensor *slope = gt_gradient(tape, gt_sum(logits), table);
    cr_assert(slope && fabs(gt_element(slope, 0) - gt_element(gt_sum(h, .axis = 0), 0)) < 1e-6);
    gt_tape_end(tape);
    gt_layer_free(layer);
    layer = gt_ReversibleEmbedding(4, 3, .reverse_dtype = GT_FLOAT64);
    cr_assert(gt_dtype(gt_call(layer, gt_ones(gt_shape(2, 3)))) == GT_FLOAT64);
    cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 4))));
    fails(GT_INVALID, "inner dimensions differ");
    gt_layer_free(layer);
    ends(scope);
}

/* A mask that x has ends; so do numbers of padding. */
Test(layers_core, masking)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(1, 3, 2), -1, -1, -1, 2, 0, 0);
    gt_Tensor *all = gt_equal(gt_array(gt_shape(1, 3), 0, 0, 1), 1);
    gt_Tensor *y = gt_call(gt_Masking(-1), gt_with_mask(x, all)), *mask = gt_mask(y);
    cr_assert(gt_element(y, 0) == 0 && gt_element(y, 2) == -1 && gt_element(y, 3) == 2);
    cr_assert(gt_element(mask, 0) == 0 && gt_element(mask, 1) == 1 && gt_element(mask, 2) == 1);
    not_called(gt_Masking(), gt_scalar(1, GT_FLOAT32), NULL, "must have at least 1 dimensions");
    ends(scope);
}

Test(layers_core, prelu)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_negative(gt_ones(gt_shape(2, 3, 4)));
    gt_Layer *layer = gt_PReLU(.alpha_initializer = gt_Constant(0.25), .shared_axes = gt_axes(1));
    cr_assert(gt_element(gt_call(layer, x), 5) == -0.25);
    cr_assert(has_shape(gt_weights(layer).items[0], gt_shape(1, 4)));
    cr_assert(has_shape(gt_call(layer, gt_ones(gt_shape(1, 7, 4))), gt_shape(1, 7, 4)));
    cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 3, 1)))); /* would be broadcast */
    fails(GT_INVALID, "axis 2 must have size 4, as the layer was built (got 1)");
    cr_assert(!gt_call(layer, gt_ones(gt_shape(2, 4))));
    fails(GT_INVALID, "must have 3 dimensions");
    gt_layer_free(layer);
    not_called(gt_PReLU(.shared_axes = gt_axes(0)), x, NULL,
               "shared_axes must be from 1 to 2 (got 0)");
    not_called(gt_PReLU(.shared_axes = gt_axes(3)), x, NULL,
               "shared_axes must be from 1 to 2 (got 3)");
    ends(scope);
}

/* Rows of which nothing is left are zeros, not NaN; numbers are true above a half. */
Test(layers_core, softmax)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array(gt_shape(2, 2), 1, 2, 3, 4),
              *mask = gt_array(gt_shape(2, 2), 0.4, 0, 1, 0.6);
    gt_Layer *layer = gt_Softmax();
    gt_Tensor *y = gt_call(layer, x, .named = gt_named({"mask", mask}));
    cr_assert(gt_element(y, 0) == 0 && gt_element(y, 1) == 0 &&
              fabs(gt_element(y, 2) - 1 / (1 + exp(1))) < 1e-6);
    gt_Tensor *truths = gt_call(layer, x, .named = gt_named({"mask", gt_greater(mask, 0.5)}));
    gt_Layer *one_axis = gt_Softmax(.axes = gt_axes(1));
    gt_Tensor *along = gt_call(one_axis, x), *right = gt_softmax(x);
    for (int i = 0; i < 4; i++)
        cr_assert(gt_element(truths, i) == gt_element(y, i) &&
                      gt_element(along, i) == gt_element(right, i),
                  "%d: %s", i, gt_error_message());
    gt_layer_free(one_axis);
    /* The mask of x covers the rows alone: they are kept, and the mask goes on. */
    gt_Tensor *rows = gt_equal(gt_array(gt_shape(2), 1, 0), 1);
    y = gt_call(layer, gt_with_mask(x, rows));
    cr_assert(gt_is_masked(y) && gt_element(y, 3) > 0.5);
    cr_assert(!gt_call(layer, x, .named = gt_named({"mask", gt_ones(gt_shape(1, 2, 2))})));
    fails(GT_INVALID, "the mask must not have more dimensions than x (3 and 2)");
    gt_layer_free(layer);
    ends(scope);
}

/* The kernel gets the spectral norm 1 in training alone; one of zeros is left alone; so is a
 * table of rows. */
Test(layers_core, spectral_normalization)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 5));
    gt_Layer *inner = gt_Dense(4), *layer = gt_SpectralNormalization(inner, .power_iterations = 60);
    gt_Tensor *before = gt_call(layer, x);
    gt_call(layer, x, .training = true);
    gt_Tensor *kernel = gt_weights(layer).items[0], *after = gt_call(layer, x);
    double largest = gt_element(gt_svd(kernel).s, 0);
    cr_assert(fabs(largest - 1) < 1e-4, "%g", largest);
    cr_assert(fabs(gt_element(before, 0) - gt_element(after, 0)) > 1e-4);
    cr_assert(gt_weights(layer).count == 3 && gt_trainable_variables(layer).count == 2);
    gt_layer_free(layer);
    layer = gt_SpectralNormalization(gt_Dense(3, .kernel_initializer = gt_Zeros()));
    gt_Tensor *y = gt_call(layer, x, .training = true);
    cr_assert(gt_element(y, 0) == 0 && gt_element(gt_weights(layer).items[0], 0) == 0);
    gt_layer_free(layer);
    layer = gt_SpectralNormalization(gt_Embedding(6, 2, .mask_zero = true));
    y = gt_call(layer, whole(gt_ones(gt_shape(2, 3))), .training = true);
    cr_assert(has_shape(y, gt_shape(2, 3, 2)) && gt_is_masked(y));
    gt_layer_free(layer);
    not_called(gt_SpectralNormalization(gt_Flatten()), x, NULL,
               "the layer flatten has no weight called kernel or embeddings");
    ends(scope);
}

/* Any length: nothing was remembered from the drawing. */
Test(layers_core, in_a_functional_model)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *words = gt_Input(gt_shape(-1), .dtype = GT_INT32);
    gt_Tensor *h = gt_call(gt_Embedding(7, 4, .mask_zero = true), words);
    h = gt_call(gt_PReLU(.shared_axes = gt_axes(1)), h);
    h = gt_call(gt_EinsumDense("abc,cd->abd", gt_shape(-1, 3), .bias_axes = "d"), gt_unmask(h));
    gt_Tensor *y = gt_call(gt_Permute(gt_axes(2, 1)),
                           gt_call(gt_Softmax(.axis = 1), gt_call(gt_Masking(), h)));
    gt_Layer *model = gt_Model(gt_tensors(words), gt_tensors(y));
    cr_assert(model, "%s", gt_error_message());
    for (int batch = 1; batch < 4; batch++) {
        gt_Tensor *x = whole(gt_ones(gt_shape(batch, 2 * batch)));
        cr_assert(has_shape(gt_call(model, x), gt_shape(batch, 3, 2 * batch)));
    }
    gt_layer_free(model);
    ends(scope);
}

/* Weights stored in 16 bits, products of 16 bits: results are float32, and near those of float32. */
Test(layers_core, sixteen_bits)
{
    const gt_DType dtypes[] = {GT_FLOAT32, GT_BFLOAT16, GT_FLOAT16, gt_mixed_bfloat16(),
                               gt_mixed_float16()};
    double want[5] = {0};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_sin(gt_reshape(gt_arange(0, 24, 1), gt_shape(2, 3, 4)));
    gt_Tensor *words = whole(gt_array(gt_shape(3), 0, 2, 1));
    gt_Initializer some = gt_Constant(0.3);
    for (int k = 0; k < 5; k++) {
        gt_DType dtype = dtypes[k];
        gt_Layer *layers[] = {
            gt_EinsumDense("abc,cd->abd", gt_shape(-1, 5), .bias_axes = "d",
                           .kernel_initializer = some, .dtype = dtype),
            gt_Embedding(3, 4, .embeddings_initializer = some, .dtype = dtype),
            gt_ReversibleEmbedding(3, 4, .embeddings_initializer = some, .dtype = dtype),
            gt_PReLU(.alpha_initializer = some, .dtype = dtype),
            gt_SpectralNormalization(gt_Dense(4, .kernel_initializer = some), .dtype = dtype)};
        for (int i = 0; i < 5; i++) {
            gt_Tensor *y = gt_call(layers[i], i == 1 ? words : x, .training = true);
            cr_assert(y && gt_dtype(y) == GT_FLOAT32, "%s", gt_error_message());
            double sum = gt_item(gt_sum(gt_abs(y)));
            want[i] = k == 0 ? sum : want[i];
            cr_assert(fabs(sum / want[i] - 1) < 0.02, "layer %d, dtype %d: %g for %g", i, k, sum,
                      want[i]);
            gt_layer_free(layers[i]);
        }
    }
    ends(scope);
}
