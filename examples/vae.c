/* A variational autoencoder on images of digits: a model as a class of one's own, with a loss of its own.
 *
 * The encoder gives mean and log-variance of a normal distribution over a few numbers z for each image; the decoder makes
 * the image again from a z drawn from it. The loss is what an image costs in nats: its crossentropy with what the decoder
 * says, plus the distance (Kullback-Leibler divergence) of the distribution from the standard normal one. So the decoder
 * makes new digits of numbers from gt_normal.
 *
 * The model adds its loss itself (gt_add_loss), and is compiled without one.
 *
 * After 100 epochs an image of 8 x 8 pixels costs 24.3 nats, and 24.3 in Keras. If every image were the mean of all, it
 * would cost 27.3; 14.0 is what no model goes below, as pixels are grey.
 */
#include "example.h"

enum { LATENT = 8 };

typedef struct {
    gt_Layer base;
    int64_t pixels;
    gt_Layer *encoder, *mean, *log_variance, *decoder;
    gt_Variable *generator; /* of the draws: a variable, so that a resumed run draws the same */
} VAE;

static gt_Status vae_create(gt_Layer *layer)
{
    VAE *self = (VAE *)layer;
    self->encoder =
        gt_add_child(layer, gt_Sequential(gt_Flatten(), gt_Dense(256, .activation = gt_relu),
                                          gt_Dense(128, .activation = gt_relu)));
    self->mean = gt_add_child(layer, gt_Dense(LATENT));
    self->log_variance = gt_add_child(layer, gt_Dense(LATENT));
    self->decoder = gt_add_child(layer, gt_Sequential(gt_Dense(128, .activation = gt_relu),
                                                      gt_Dense(256, .activation = gt_relu),
                                                      gt_Dense(self->pixels)));
    return gt_status();
}

static gt_Status vae_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    ((VAE *)layer)->generator = gt_add_generator(layer, -1);
    return gt_status();
}

/* Logits of the pixels, and the loss: means over the batch. */
static gt_Tensor *vae_call(gt_Layer *layer, const gt_CallArgs *in)
{
    VAE *self = (VAE *)layer;
    gt_Tensor *h = gt_call(self->encoder, in->x);
    gt_Tensor *mean = gt_call(self->mean, h), *log_variance = gt_call(self->log_variance, h);
    gt_Tensor *noise = gt_normal_like(mean, .generator = self->generator);
    gt_Tensor *z = gt_add(mean, gt_multiply(gt_exp(gt_multiply(log_variance, 0.5)), noise));
    gt_Tensor *logits = gt_call(self->decoder, z);

    /* KL = -1/2 sum (1 + log variance - mean^2 - variance) */
    gt_Tensor *spread = gt_subtract(gt_add(log_variance, 1), gt_exp(log_variance));
    gt_Tensor *distance = gt_sum(gt_subtract(spread, gt_square(mean)), .axis = -1);
    gt_add_loss(layer, gt_multiply(gt_mean(distance), -0.5));
    /* The crossentropy is a mean over the pixels too. */
    gt_Tensor *pixels = gt_reshape(in->x, gt_shape(-1, self->pixels));
    gt_Tensor *cost = gt_binary_crossentropy(pixels, logits, .from_logits = true);
    gt_add_loss(layer, gt_multiply(cost, (double)self->pixels));
    return logits;
}

static const gt_LayerClass vae_class = {.size = sizeof(gt_LayerClass),
                                        .name = "vae",
                                        .instance = sizeof(VAE),
                                        .create = vae_create,
                                        .build = vae_build,
                                        .call = vae_call};
#define VAE(...) gt_layer_new(&vae_class, &(VAE){.pixels = __VA_ARGS__})

/* Images that nobody wrote, side by side. */
static void show(gt_Layer *model, int64_t side)
{
    enum { IMAGES = 6 };
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *z = gt_normal(gt_shape(IMAGES, LATENT), .generator = gt_generator(4));
    gt_Tensor *images = gt_sigmoid(gt_call(((VAE *)model)->decoder, z));
    print_images(images, IMAGES, side);
    gt_scope_end(scope);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Dataset *train = NULL, *test = NULL;
    int64_t side = read_images(&example, &train, &test);
    gt_Layer *model = VAE(side * side);
    gt_compile(model, .optimizer = gt_Adam(1e-3));
    gt_fit(model, train, .epochs = example.small ? 15 : example.data ? 10 : 100, .validation = test);
    double nats = gt_evaluate(model, test).loss;
    if (gt_status() == GT_OK)
        show(model, side);
    return example_end("nats for an image that it has not seen", nats, 0,
                       example.data ? 115 : example.small ? 26.5 : 25);
}
