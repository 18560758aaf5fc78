/* Small models of images, as people build them from layers: a residual network and one of depthwise convolutions. Both
 * are trained a few steps by a loop that runs eagerly and by gt_fit, which runs a plan: the same bits; and they learn. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <string.h>

enum { IMAGES = 24, BATCH = 8, SIZE = 8, CLASSES = 3, EPOCHS = 4 };

static gt_Tensor *normalized(gt_Tensor *x, gt_TensorFunction activation)
{
    gt_Tensor *y = gt_call(gt_BatchNormalization(.momentum = 0.9), x);
    return activation ? activation(y) : y;
}

static gt_Tensor *conv(gt_Tensor *x, int filters, int size, int stride)
{
    return gt_call(gt_Conv2D(filters, size, .strides = stride, .padding = GT_PADDING_SAME,
                             .use_bias = false, .kernel_initializer = gt_HeNormal(),
                             .kernel_regularizer = gt_L2(1e-4)),
                   x);
}

/* Two convolutions and a way around them, which has one of its own where the shape changes. */
static gt_Tensor *residual(gt_Tensor *x, int filters, int stride)
{
    gt_Tensor *y = normalized(conv(x, filters, 3, stride), gt_relu);
    y = normalized(conv(y, filters, 3, 1), NULL);
    if (stride > 1)
        x = normalized(conv(x, filters, 1, stride), NULL);
    return gt_relu(gt_add(x, y));
}

static gt_Layer *resnet(void)
{
    gt_Tensor *image = gt_Input(gt_shape(SIZE, SIZE, 2));
    gt_Tensor *h = normalized(conv(image, 4, 3, 1), gt_relu);
    h = residual(residual(residual(h, 4, 1), 8, 2), 12, 2);
    h = gt_call(gt_GlobalAveragePooling2D(), h);
    return gt_Model(gt_tensors(image), gt_tensors(gt_call(gt_Dense(CLASSES), h)));
}

/* Wider by a pointwise convolution, a depthwise one, narrower again: an inverted residual. */
static gt_Tensor *inverted(gt_Tensor *x, int wide, int filters, int stride)
{
    gt_Tensor *y = normalized(conv(x, wide, 1, 1), gt_relu6);
    y = gt_call(
        gt_DepthwiseConv2D(3, .strides = stride, .padding = GT_PADDING_SAME, .use_bias = false), y);
    y = normalized(conv(normalized(y, gt_relu6), filters, 1, 1), NULL);
    return stride == 1 ? gt_add(x, y) : y;
}

static gt_Layer *mobilenet(void)
{
    gt_Tensor *image = gt_Input(gt_shape(SIZE, SIZE, 2));
    gt_Tensor *h = normalized(conv(image, 4, 3, 2), gt_relu6);
    h = inverted(inverted(h, 8, 4, 1), 12, 6, 2);
    h = gt_call(gt_SeparableConv2D(8, 3, .padding = GT_PADDING_SAME, .activation = gt_relu), h);
    h = gt_call(gt_MaxPooling2D(), h);
    h = gt_call(gt_Flatten(), h);
    return gt_Model(gt_tensors(image), gt_tensors(gt_call(gt_Dense(CLASSES), h)));
}

/* Images of a class are brighter where it says so. */
static gt_Dataset *images(void)
{
    gt_set_seed(5);
    gt_Tensor *labels = gt_cast(gt_floor(gt_uniform(gt_shape(IMAGES), .high = CLASSES)), GT_INT32);
    gt_Tensor *noise = gt_uniform(gt_shape(IMAGES, SIZE, SIZE, 2), .low = -1);
    gt_Tensor *rows = gt_cast(gt_arange(0, SIZE, 1), GT_INT32);
    gt_Tensor *bright = gt_equal(gt_expand_dims(labels, 1), gt_floor_divide(rows, 3));
    gt_Tensor *light = gt_reshape(gt_cast(bright, GT_FLOAT32), gt_shape(IMAGES, SIZE, 1, 1));
    return gt_dataset_from_tensors(gt_add(noise, light), labels, .batch_size = BATCH,
                                   .shuffle = false);
}

static double train_by_hand(gt_Layer *model, gt_Dataset *data)
{
    gt_Optimizer *sgd = gt_SGD(0.05, .momentum = 0.9);
    double last = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        gt_Batch batch;
        for (last = 0; gt_dataset_next(data, &batch);) {
            gt_Tape *tape = gt_tape_begin();
            gt_Tensor *logits = gt_call(model, batch.x, .training = true);
            gt_Tensor *loss =
                gt_sparse_categorical_crossentropy(batch.y, logits, .from_logits = true);
            gt_minimize(sgd, tape, gt_total_loss(model, loss), gt_trainable_variables(model));
            last += gt_item(gt_total_loss(model, loss)) * (double)batch.size / IMAGES;
            gt_tape_end(tape);
        }
    }
    gt_optimizer_free(sgd);
    return last;
}

static void same_weights(gt_Layer *a, gt_Layer *b)
{
    int count = gt_weights(a).count;
    cr_assert_eq(count, gt_weights(b).count);
    for (int i = 0; i < count; i++) {
        gt_Tensor *one = gt_weights(a).items[i], *two = gt_weights(b).items[i];
        cr_assert(memcmp(gt_data(one), gt_data(two), (size_t)gt_size(one) * sizeof(float)) == 0,
                  "%s: %g and %g", gt_variable_path(a, one), gt_element(one, 0),
                  gt_element(two, 0));
    }
}

static void check_model(gt_Layer *(*make)(void), int weights)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = images();
    gt_Layer *loop = make(), *fitted = make();
    cr_assert(loop && fitted, "%s", gt_error_message());
    cr_assert_eq(gt_weights(loop).count, weights, "%d weights", gt_weights(loop).count);
    for (int i = 0; i < weights; i++)
        gt_assign(gt_weights(fitted).items[i], gt_weights(loop).items[i]);
    gt_compile(fitted, .optimizer = gt_SGD(0.05, .momentum = 0.9),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_History *history = gt_fit(fitted, data, .epochs = EPOCHS, .verbose = GT_VERBOSITY_SILENT);
    cr_assert(history, "%s", gt_error_message());
    train_by_hand(loop, data);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    same_weights(loop, fitted);
    double first = gt_history_get(history, "loss", 0), last = gt_history_get(history, "loss", -1);
    cr_assert(last < 0.8 * first, "loss %g at first, %g then", first, last);
    gt_history_free(history);

    /* In inference the moving averages count, so that one image alone gives what it gives among others. */
    gt_Tensor *x = gt_uniform(gt_shape(5, SIZE, SIZE, 2));
    gt_Tensor *all = gt_call(loop, x),
              *alone = gt_call(loop, gt_slice(x, gt_shape(3, 0, 0, 0), gt_shape(1, -1, -1, -1)));
    for (int k = 0; k < CLASSES; k++)
        cr_assert_float_eq(gt_element(alone, k), gt_element(all, 3 * CLASSES + k), 1e-5);
    gt_layer_free(loop);
    gt_layer_free(fitted);
    gt_scope_end(scope);
    gt_dataset_free(data);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(image_models, residual_network)
{
    check_model(resnet, 9 + 9 * 4 + 2);
}

Test(image_models, depthwise_network)
{
    check_model(mobilenet, 5 + 2 * 15 + 3 + 2);
}
