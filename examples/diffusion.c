/* A diffusion model on images of digits: it learns to take noise away, and so makes images of noise.
 *
 * An image x and noise e are mixed at a time t from 0 to 1: z = a x + s e with a = cos(pi t / 2), s = sin(pi t / 2). The
 * network sees z and t and says v = a e - s x (Salimans and Ho 2022), from which both come back: x = a z - s v and
 * e = s z + a v. New images begin with noise at t = 1; each step asks for x and e and mixes them again at a smaller t.
 * The optimizer keeps averages of the weights (use_ema), which make the better images. The figure is how well a
 * classifier of real digits can read them, and how varied they are (judge.h): 7.1 after 500 epochs, when real images get
 * 8.6.
 */
#include "example.h"
#include "judge.h"

enum { TIMES = 16, STEPS = 40, MADE = 500, WIDTH = 256 };
static const double half_pi = 1.57079632679489661923;

typedef struct {
    gt_Layer *network;
    gt_Optimizer *optimizer;
    gt_Variable *generator;
} Diffusion;

static gt_Layer *new_network(int64_t pixels)
{
    gt_Tensor *z = gt_Input(gt_shape(pixels)), *waves = gt_Input(gt_shape(2 * TIMES));
    gt_Tensor *h = gt_call(gt_Dense(WIDTH), gt_concatenate(gt_tensors(z, waves), .axis = -1));
    for (int i = 0; i < 3; i++) {
        gt_Tensor *inner =
            gt_concatenate(gt_tensors(gt_call(gt_LayerNormalization(), h), waves), .axis = -1);
        inner = gt_call(gt_Dense(WIDTH, .activation = gt_silu), inner);
        h = gt_add(h, gt_call(gt_Dense(WIDTH), inner));
    }
    h = gt_call(gt_LayerNormalization(), h);
    return gt_Model(gt_tensors(z, waves), gt_tensors(gt_call(gt_Dense(pixels), h)));
}

/* v for mixtures z at times t (batch, 1). A network sees a time best as sines and cosines of many frequencies. */
static gt_Tensor *predict(gt_Layer *network, gt_Tensor *z, gt_Tensor *t)
{
    gt_Tensor *frequencies = gt_exp(gt_multiply(gt_arange(0, TIMES, 1, .dtype = GT_FLOAT32), 0.3));
    gt_Tensor *angles = gt_multiply(t, frequencies);
    gt_Tensor *waves = gt_concatenate(gt_tensors(gt_sin(angles), gt_cos(angles)), .axis = -1);
    return gt_call(network, z, .more = gt_tensors(waves));
}

/* in: images with numbers from 0 to 1, (batch, ...); out: the loss. */
static gt_Status train_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Diffusion *self = context;
    int64_t batch = gt_dim(gt_tensor_shape(in[0]), 0);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = gt_subtract(gt_multiply(gt_reshape(in[0], gt_shape(batch, -1)), 2), 1);
    gt_Tensor *noise = gt_normal_like(x, .generator = self->generator);
    gt_Tensor *t = gt_uniform(gt_shape(batch, 1), .generator = self->generator);
    gt_Tensor *a = gt_cos(gt_multiply(t, half_pi)), *s = gt_sin(gt_multiply(t, half_pi));
    gt_Tensor *z = gt_add(gt_multiply(a, x), gt_multiply(s, noise));
    gt_Tensor *v = gt_subtract(gt_multiply(a, noise), gt_multiply(s, x));
    gt_Tensor *loss = gt_mean(gt_square(gt_subtract(predict(self->network, z, t), v)));
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->network));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* Images of noise (images, pixels), with numbers from 0 to 1. */
static gt_Tensor *make_images(gt_Layer *network, gt_Tensor *noise)
{
    gt_Tensor *z = noise, *x = noise;
    for (int i = STEPS; i > 0 && gt_status() == GT_OK; i--) {
        double t = (double)i / STEPS, next = (double)(i - 1) / STEPS;
        double a = cos(half_pi * t), s = sin(half_pi * t);
        gt_Tensor *v = predict(network, z, gt_full(gt_shape(gt_dim(gt_tensor_shape(z), 0), 1), t));
        x = gt_clip(gt_subtract(gt_multiply(z, a), gt_multiply(v, s)), -1, 1);
        gt_Tensor *e = gt_add(gt_multiply(z, s), gt_multiply(v, a));
        z = gt_add(gt_multiply(x, cos(half_pi * next)), gt_multiply(e, sin(half_pi * next)));
    }
    return gt_multiply(gt_add(x, 1), 0.5);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Dataset *train = NULL, *test = NULL;
    int64_t side = read_images(&example, &train, &test);
    gt_Layer *judge = train_judge(train);
    Diffusion diffusion = {new_network(side * side),
                           gt_Adam(1e-3, .use_ema = true, .ema_momentum = 0.995), gt_generator(1)};
    gt_optimizer_build(diffusion.optimizer, gt_trainable_variables(diffusion.network));
    gt_Function *step = gt_function(train_step, &diffusion);

    int epochs = example.small ? 20 : example.data ? 10 : 500;
    for (int epoch = 1; epoch <= epochs && gt_status() == GT_OK; epoch++) {
        gt_Scope *scope = gt_scope_begin();
        double sum = 0;
        gt_Batch batch;
        gt_optimizer_set_learning_rate(diffusion.optimizer, 1e-3 * (1 - 0.9 * epoch / epochs));
        while (gt_dataset_next(train, &batch)) {
            gt_Tensor *loss = NULL;
            gt_function_call(step, gt_tensors(batch.x), &loss);
            sum += gt_item(loss) * (double)batch.size / (double)gt_dataset_size(train);
        }
        if (epoch % (epochs / 10) == 0)
            printf("epoch %3d   loss %.4f\n", epoch, sum);
        gt_scope_end(scope);
    }
    gt_optimizer_finalize(diffusion.optimizer);
    gt_Tensor *noise = gt_normal(gt_shape(MADE, side * side), .generator = gt_generator(2));
    gt_Tensor *images = make_images(diffusion.network, noise);
    print_images(images, 6, side);
    double reached = score(judge, images);
    gt_function_free(step);
    gt_optimizer_free(diffusion.optimizer);
    return example_end("score of images that it made, of 10", reached, example.small ? 2 : 6, 10);
}
