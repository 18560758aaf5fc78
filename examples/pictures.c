/* The pictures of docs/pictures.md: of a network that learns digits, and of what it learned. Run from the root of the
 * sources, it writes them into the folder that it is given:
 *
 *     build/examples/pictures docs/pictures */
#include "gradtape.h"

#include <stdio.h>
#include <string.h>

static char path[512];

static const char *in(const char *folder, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static gt_Layer *network(void)
{
    gt_Tensor *image = gt_Input(gt_shape(8, 8, 1), .name = "image");
    gt_Tensor *x =
        gt_call(gt_Conv2D(16, 3, .padding = GT_PADDING_SAME, .activation = gt_relu), image);
    gt_Tensor *y = gt_call(gt_Conv2D(16, 3, .padding = GT_PADDING_SAME, .activation = gt_relu), x);
    y = gt_call(gt_MaxPooling2D(), gt_add(x, y));
    gt_Layer *head = gt_Sequential(gt_Flatten(), gt_Dropout(0.3), gt_Dense(10));
    return gt_Model(gt_tensors(image), gt_tensors(gt_call(head, y)), .name = "digits");
}

/* How often digit i was taken for digit j. */
static gt_Tensor *confusion(gt_Layer *model, gt_Tensor *x, gt_Tensor *labels)
{
    gt_Tensor *guess = gt_argmax(gt_call(model, x), .axis = -1);
    gt_Tensor *truth = gt_one_hot(labels, 10), *guessed = gt_one_hot(guess, 10);
    return gt_matmul(gt_transpose(truth), guessed);
}

static gt_Status draw(const char *folder, gt_Layer *model, gt_History *history, gt_Tensor *x,
                      gt_Tensor *labels)
{
    gt_save_picture(
        gt_plot_model(model, .show_shapes = true, .show_layer_names = true, .expand_nested = true),
        in(folder, "model.svg"));
    gt_save_picture(gt_plot_model(model, .rankdir = GT_RANK_DIRECTION_LR),
                    in(folder, "model-lr.svg"));
    gt_save_picture(gt_plot_history(history, .title = "Digits"), in(folder, "history.svg"));
    gt_save_picture(gt_plot_confusion_matrix(confusion(model, x, labels), .title = "Digits"),
                    in(folder, "confusion.svg"));
    gt_save_picture(gt_plot_filters(gt_weights(model).items[0], .title = "The first convolution"),
                    in(folder, "filters.svg"));
    gt_save_picture(gt_plot_weights(model), in(folder, "weights.svg"));
    return gt_save_picture(
        gt_plot_histogram(x, .title = "Pixels", .x_label = "level", .log_scale = true),
        in(folder, "histogram.svg"));
}

/* ---- a training step, as a plan ---- */

typedef struct Trainer {
    gt_Layer *model;
    gt_Optimizer *optimizer;
} Trainer;

static gt_Status train_step(void *trainer, gt_Tensor *const *in, gt_Tensor **out)
{
    const Trainer *self = trainer;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(self->model, in[0], .training = true);
    out[0] = gt_keep(gt_sparse_categorical_crossentropy(in[1], y, .from_logits = true));
    gt_minimize(self->optimizer, tape, out[0], gt_trainable_variables(self->model));
    gt_tape_end(tape);
    return gt_status();
}

static gt_Status draw_step(const char *folder)
{
    gt_Tensor *x = gt_ones(gt_shape(32, 8)), *labels = gt_zeros(gt_shape(32), .dtype = GT_INT64),
              *loss;
    Trainer trainer = {gt_Sequential(gt_Dense(16, .activation = gt_tanh), gt_Dense(2)),
                       gt_Adam(1e-3)};
    gt_call(trainer.model, x);
    gt_Function *step = gt_function(train_step, &trainer);
    for (int i = 0; i < 2; i++) /* the optimizer makes its variables in the first one */
        gt_function_call(step, gt_tensors(x, labels), &loss);
    return gt_save_picture(gt_plot_function(step), in(folder, "step.svg"));
}

int main(int count, char **arguments)
{
    const char *folder =
        count > 1 && strcmp(arguments[count - 1], "--small") != 0 ? arguments[count - 1] : ".";
    const bool small = count > 1 && strcmp(arguments[1], "--small") == 0;
    gt_set_seed(1);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *table = gt_load_csv("examples/data/digits.csv");
    gt_Tensor *x =
        gt_reshape(gt_slice(table, gt_shape(0, 0), gt_shape(-1, 64)), gt_shape(-1, 8, 8, 1));
    gt_Tensor *labels = gt_cast(
        gt_reshape(gt_slice(table, gt_shape(0, 64), gt_shape(-1, 1)), gt_shape(-1)), GT_INT64);
    gt_Layer *model = network();
    gt_compile(model, .optimizer = gt_Adam(2e-3),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_Dataset *all = gt_dataset_from_tensors(x, labels, .batch_size = 64, .shuffle = true);
    gt_History *history = gt_fit(model, all, .epochs = small ? 2 : 12, .validation = all,
                                 .verbose = GT_VERBOSITY_LINES);
    draw(folder, model, history, x, labels);
    draw_step(folder);
    const int failed = gt_status() != GT_OK;
    if (failed)
        fprintf(stderr, "%s\n", gt_error_message());
    gt_scope_end(scope);
    return failed;
}
