/* A denoising autoencoder: convolutions that take the noise out of images of digits.
 *
 * In training gt_GaussianNoise spoils each image in another way, and the network is asked for the clean one, through a
 * code of a quarter of the pixels. The noise of the test is drawn once. The figure is the mean square error as a share of
 * that of the spoiled images: 0.22.
 */
#include "example.h"

static gt_Layer *autoencoder(int64_t side)
{
    return gt_Sequential(
        gt_GaussianNoise(0.3), gt_Reshape(gt_shape(side, side, 1)),
        gt_Conv2D(32, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
        gt_Conv2D(32, 3, .strides = 2, .padding = GT_PADDING_SAME, .activation = gt_relu),
        gt_Conv2D(8, 3, .padding = GT_PADDING_SAME, .activation = gt_relu),
        gt_Conv2DTranspose(32, 3, .strides = 2, .padding = GT_PADDING_SAME, .activation = gt_relu),
        gt_Conv2D(1, 3, .padding = GT_PADDING_SAME, .activation = gt_sigmoid),
        gt_Reshape(gt_shape(side * side)));
}

/* All images of a folder of IDX files, or of examples/data, with numbers from 0 to 1: (images, pixels). */
static gt_Tensor *all_images(const Example *example, int64_t *side)
{
    if (!example->data) {
        *side = 8;
        gt_Tensor *table = gt_get_item(gt_load_csv("examples/data/digits.csv"), ":, :64");
        return gt_multiply(gt_cast(table, GT_FLOAT32), 1.0 / 16);
    }
    char path[1024];
    snprintf(path, sizeof path, "%s/t10k-images-idx3-ubyte.gz", example->data);
    *side = 28;
    return gt_multiply(gt_reshape(gt_cast(gt_load_idx(path), GT_FLOAT32), gt_shape(-1, 28 * 28)),
                       1.0 / 255);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    int64_t side;
    gt_Tensor *images = all_images(&example, &side);
    gt_Tensor *seen = gt_get_item(images, ":-300"), *clean = gt_get_item(images, "-300:");
    gt_Tensor *spoiled =
        gt_add(clean, gt_normal_like(clean, .stddev = 0.3, .generator = gt_generator(5)));
    gt_Dataset *train = gt_dataset_from_tensors(seen, seen),
               *test = gt_dataset_from_tensors(spoiled, clean);

    gt_Layer *model = autoencoder(side);
    gt_compile(model, .optimizer = gt_Adam(3e-3), .loss = gt_MeanSquaredError());
    gt_fit(model, train, .epochs = example.small ? 4 : example.data ? 5 : 30, .validation = test);

    gt_Tensor *restored = gt_predict(model, test);
    print_images(gt_get_item(spoiled, ":6"), 6, side);
    print_images(gt_get_item(restored, ":6"), 6, side);
    double noise = gt_item(gt_mean(gt_square(gt_subtract(spoiled, clean))));
    return example_end("error left of the noise", gt_evaluate(model, test).loss / noise, 0,
                       example.small ? 0.5 : 0.3);
}
