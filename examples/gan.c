/* A generative adversarial network on images of digits: two models, two optimizers, a loop of one's own.
 *
 * The generator makes images of random numbers, the critic learns to tell them from real ones, and the generator learns
 * to deceive it. Both learn in one step, which is traced once and runs as a plan. The figure is how well a classifier of
 * real digits can read the made-up ones, and how varied they are (judge.h): 7.0 after 400 epochs, when real images get
 * 8.6.
 */
#include "example.h"
#include "judge.h"

enum { LATENT = 32, MADE = 500 };

typedef struct {
    gt_Layer *generator, *critic;
    gt_Optimizer *generator_optimizer, *critic_optimizer;
    gt_Variable *noise;
} GAN;

/* The loss of a critic that should say `yes` or no to all these images. */
static gt_Tensor *verdict(gt_Layer *critic, gt_Tensor *images, bool yes)
{
    gt_Tensor *logits = gt_call(critic, images, .training = true);
    gt_Tensor *truth = yes ? gt_ones_like(logits) : gt_zeros_like(logits);
    return gt_binary_crossentropy(truth, logits, .from_logits = true);
}

/* in: real images, (batch, pixels); out: the losses of critic and generator. */
static gt_Status train_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    GAN *gan = context;
    gt_Tensor *noise =
        gt_normal(gt_shape(gt_dim(gt_tensor_shape(in[0]), 0), LATENT), .generator = gan->noise);

    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *made = gt_stop_gradient(gt_call(gan->generator, noise, .training = true));
    gt_Tensor *loss = gt_add(verdict(gan->critic, in[0], true), verdict(gan->critic, made, false));
    gt_minimize(gan->critic_optimizer, tape, loss, gt_trainable_variables(gan->critic));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);

    tape = gt_tape_begin();
    made = gt_call(gan->generator, noise, .training = true);
    loss = verdict(gan->critic, made, true);
    gt_minimize(gan->generator_optimizer, tape, loss, gt_trainable_variables(gan->generator));
    out[1] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static GAN new_gan(int64_t pixels)
{
    GAN gan = {
        .generator = gt_Sequential(gt_Dense(128, .activation = gt_relu),
                                   gt_Dense(256, .activation = gt_relu),
                                   gt_Dense(pixels, .activation = gt_sigmoid)),
        .critic = gt_Sequential(gt_Flatten(), gt_Dense(256), gt_LeakyReLU(.negative_slope = 0.2),
                                gt_Dropout(0.3), gt_Dense(128), gt_LeakyReLU(.negative_slope = 0.2),
                                gt_Dropout(0.3), gt_Dense(1)),
        .generator_optimizer = gt_Adam(3e-4, .beta_1 = 0.5),
        .critic_optimizer = gt_Adam(3e-4, .beta_1 = 0.5),
        .noise = gt_generator(1),
    };
    /* Variables are not made while a function is traced. */
    gt_build(gan.generator, gt_shape(1, LATENT), GT_FLOAT32);
    gt_build(gan.critic, gt_shape(1, pixels), GT_FLOAT32);
    gt_optimizer_build(gan.generator_optimizer, gt_trainable_variables(gan.generator));
    gt_optimizer_build(gan.critic_optimizer, gt_trainable_variables(gan.critic));
    return gan;
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Dataset *train = NULL, *test = NULL;
    int64_t side = read_images(&example, &train, &test);
    GAN gan = new_gan(side * side);
    gt_Layer *judge = train_judge(train);
    gt_Function *step = gt_function(train_step, &gan, .outputs = 2);
    gt_Tensor *noise = gt_normal(gt_shape(MADE, LATENT), .generator = gt_generator(2));

    int epochs = example.small ? 40 : example.data ? 30 : 400;
    for (int epoch = 1; epoch <= epochs && gt_status() == GT_OK; epoch++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *loss[2] = {NULL, NULL};
        gt_Batch batch;
        while (gt_dataset_next(train, &batch))
            gt_function_call(step, gt_tensors(batch.x), loss);
        if (epoch % (epochs / 10) == 0)
            printf("epoch %3d   critic %.3f   generator %.3f   score %.2f\n", epoch,
                   gt_item(loss[0]), gt_item(loss[1]), score(judge, gt_call(gan.generator, noise)));
        gt_scope_end(scope);
    }
    gt_Tensor *images = gt_call(gan.generator, noise);
    print_images(images, 6, side);
    double reached = score(judge, images);
    gt_function_free(step);
    gt_optimizer_free(gan.generator_optimizer);
    gt_optimizer_free(gan.critic_optimizer);
    return example_end("score of images that it made, of 10", reached, example.small ? 2 : 6, 10);
}
