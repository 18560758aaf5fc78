/* Fine-tuning with frozen layers: what a network knows helps it to learn something similar from twenty images.
 *
 * A convolutional network has learned 900 digits, light on dark. Then somebody has another scanner, whose digits are dark
 * on grey and noisy, and labels twenty of them. The body of the network is frozen (gt_set_trainable) and gets a new head;
 * when that has learned, all is tuned with a small learning rate. The same network from scratch shows what was won:
 * 0.64 against 0.44.
 */
#include "example.h"

enum { KNOWN = 900, FEW = 20 };

static gt_Layer *new_body(void)
{
    return gt_Sequential(gt_Reshape(gt_shape(8, 8, 1)),
                         gt_Conv2D(16, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
                         gt_Conv2D(32, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
                         gt_MaxPooling2D(),
                         gt_Conv2D(64, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
                         gt_MaxPooling2D(), gt_Flatten(), gt_Dropout(0.2));
}

/* The rows from first to last - 1. */
static gt_Dataset *part(gt_Tensor *x, gt_Tensor *y, int64_t first, int64_t last)
{
    return gt_dataset_from_tensors(gt_slice(x, gt_shape(first, 0), gt_shape(last - first, -1)),
                                   gt_slice(y, gt_shape(first), gt_shape(last - first)),
                                   .batch_size = 10);
}

static double fit(const char *what, gt_Layer *model, double rate, int epochs, gt_Dataset *train,
                  gt_Dataset *test)
{
    gt_compile(model, .optimizer = gt_Adam(rate),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_fit(model, train, .epochs = epochs, .verbose = GT_VERBOSITY_SILENT);
    double accuracy = gt_evaluate(model, test).metrics[0];
    printf("%-40s %.3f   (%d of %d weights trained)\n", what, accuracy,
           gt_trainable_variables(model).count, gt_weights(model).count);
    return accuracy;
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Tensor *table = gt_load_csv("examples/data/digits.csv");
    gt_Tensor *y = gt_cast(gt_get_item(table, ":, 64"), GT_INT32);
    gt_Tensor *light = gt_multiply(gt_cast(gt_get_item(table, ":, :64"), GT_FLOAT32), 1.0 / 16);
    gt_Tensor *noise = gt_normal_like(light, .stddev = 0.1, .generator = gt_generator(1));
    gt_Tensor *dark = gt_add(gt_multiply(light, -0.7), gt_add(noise, 1));
    int64_t rows = gt_size(y);
    gt_Dataset *known = part(light, y, 0, KNOWN), *few = part(dark, y, KNOWN, KNOWN + FEW),
               *rest = part(dark, y, KNOWN + FEW, rows);
    int epochs = example.small ? 20 : 40;

    gt_Layer *body = new_body();
    fit("trained on 900 other images", gt_Sequential(body, gt_Dense(10)), 1e-3, epochs / 2, known,
        rest);
    double scratch = fit("from scratch, on 20", gt_Sequential(new_body(), gt_Dense(10)), 1e-3,
                         epochs, few, rest);

    gt_set_trainable(body, false);
    gt_Layer *model = gt_Sequential(body, gt_Dense(10));
    fit("the body of the first, frozen, on 20", model, 3e-3, epochs, few, rest);
    gt_set_trainable(body, true);
    double tuned = fit("and tuned", model, 3e-4, epochs, few, rest);
    return example_end("accuracy won over training from scratch", tuned - scratch, 0.05, 1);
}
