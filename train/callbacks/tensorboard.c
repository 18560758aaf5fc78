/* TensorBoard. What is written at which hook is Keras's; how, io/events.c. */
#include "train/callbacks/tensorboard.h"
#include "core/values.h"
#include "train/callbacks/kit.h"
#include "train/callbacks/tensorboard_events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_TensorBoard_options, gt_TensorBoard_OPTIONS);

enum { BATCHES };
static const gt_CallbackState numbers[] = {{"batches", 0}, {NULL, 0}};

typedef struct Board {
    gt_EventFile train, validation; /* opened when there is something to write */
    double began;                   /* the epoch */
    int64_t first;                  /* its first update */
} Board;

static gt_Status check(const void *given)
{
    const gt_TensorBoard_options *options = given;
    if (!options->log_dir || !*options->log_dir)
        return gt_fail(GT_INVALID, "log_dir is %s", options->log_dir ? "empty" : "NULL");
    if (options->histogram_freq < 0 || options->update_freq < 0)
        return gt_fail(GT_INVALID, "histogram_freq and update_freq must be >= 0 (got %d and %lld)",
                       (int)options->histogram_freq, (long long)options->update_freq);
    return GT_OK;
}

/* NULL with the error raised. */
static gt_EventFile *file_of(const gt_CallbackArgs *in, bool validation)
{
    const gt_TensorBoard_options *options = in->options;
    Board *board = in->memory;
    gt_EventFile *file = validation ? &board->validation : &board->train;
    char folder[900];
    snprintf(folder, sizeof folder, "%s/%s", options->log_dir, validation ? "validation" : "train");
    return file->descriptor || gt_events_open(in->run->context, file, folder) ? file : NULL;
}

/* ---- numbers ---- */

static void put_named(gt_EventFile *file, const char *prefix, const char *name, const char *suffix,
                      double value)
{
    char tag[256];
    snprintf(tag, sizeof tag, "%s%s%s", prefix, name, suffix);
    gt_events_number(file, tag, value);
}

/* What is logged, of the training or of the validation; how many there are. */
static int put_logged(const gt_CallbackArgs *in, gt_EventFile *file, const char *prefix, bool validation)
{
    int count = 0;
    for (int i = 0; i < gt_logged_count(in); i++) {
        const char *name = gt_logged_name(in, i);
        bool other = strncmp(name, "val_", 4) == 0;
        double value;
        if (other != validation || strcmp(name, "learning_rate") == 0 || !gt_logged(in, name, &value))
            continue;
        count++;
        if (file)
            put_named(file, prefix, name + (validation ? 4 : 0), "", value);
    }
    return count;
}

static gt_Status end_batch(const gt_CallbackArgs *in, const gt_TensorBoard_options *options)
{
    gt_remember(in, BATCHES, gt_recall(in, BATCHES) + 1);
    int64_t step = (int64_t)gt_recall(in, BATCHES);
    if (options->update_freq == 0 || step % options->update_freq != 0)
        return gt_status();
    gt_EventFile *file = file_of(in, false);
    if (!file)
        return gt_status();
    put_logged(in, file, "batch_", false);
    gt_events_add(file, step);
    return gt_events_flush(file);
}

static gt_Status end_test(const gt_CallbackArgs *in)
{
    gt_Optimizer *optimizer = in->run->compiled->optimizer;
    gt_EventFile *file = optimizer ? file_of(in, true) : NULL;
    if (!file)
        return gt_status();
    for (int i = 0; i < gt_logged_count(in); i++) {
        double value = NAN;
        gt_logged(in, gt_logged_name(in, i), &value);
        put_named(file, "evaluation_", gt_logged_name(in, i), "_vs_iterations", value);
    }
    gt_events_add(file, gt_optimizer_iterations(optimizer));
    return gt_events_flush(file);
}

/* ---- weights ---- */

/* One picture, or one for each of the last axis; the first three are shown, as in Keras. */
static void put_pictures(gt_EventFile *file, const char *path, const gt_Spec *spec, const double *values,
                         unsigned char *grey)
{
    int64_t dims[3] = {1, 1, 1}, rank = 0, pictures = 1;
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < spec->rank; i++)
        if (spec->dims[i] != 1 && rank++ < 3)
            dims[rank - 1] = spec->dims[i];
    if (rank > 3 || spec->size == 0)
        return;
    for (int64_t i = 0; i < spec->size; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    bool turned = rank == 2 && dims[0] > dims[1];
    int64_t height = turned ? dims[1] : dims[0], width = turned ? dims[0] : dims[1];
    if (height > 16384 || width > 16384)
        return;
    pictures = dims[2] < 3 ? dims[2] : 3;
    for (int64_t k = 0; k < pictures; k++) {
        char tag[1200];
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                int64_t at = turned ? x * height + y : (y * width + x) * dims[2] + k;
                double shade = most > least ? (values[at] - least) / (most - least) : 0.5;
                grey[y * width + x] = (unsigned char)(isfinite(shade) ? shade * 255 + 0.5 : 0);
            }
        snprintf(tag, sizeof tag, rank == 3 ? "%s/image/%d" : "%s/image", path, (int)k);
        gt_events_picture(file, tag, grey, width, height);
    }
}

static gt_Status put_weight(const gt_CallbackArgs *in, gt_EventFile *file, const gt_Variable *weight)
{
    const gt_TensorBoard_options *options = in->options;
    gt_Context *context = in->run->context;
    const gt_Spec *spec = gt_tensor_spec(weight);
    const char *path = gt_variable_path(in->model, weight);
    size_t size = (size_t)spec->size;
    double *values = gt_allocate(context, size * sizeof *values + size);
    if (values && *path) {
        char tag[1200];
        for (int64_t i = 0; i < spec->size; i++)
            values[i] = gt_number_fetch(spec->dtype, gt_tensor_data(weight), i);
        snprintf(tag, sizeof tag, "%s/histogram", path);
        gt_events_histogram(file, tag, values, spec->size);
        if (options->write_images)
            put_pictures(file, path, spec, values, (unsigned char *)(values + size));
    }
    gt_release(context, values, size * sizeof *values + size);
    return gt_context_status(context);
}

/* ---- epochs ---- */

static gt_Status end_epoch(const gt_CallbackArgs *in, const gt_TensorBoard_options *options)
{
    const Board *board = in->memory;
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    gt_EventFile *file = file_of(in, false);
    if (!file || !optimizer)
        return gt_status();
    put_logged(in, file, "epoch_", false);
    gt_events_number(file, "epoch_learning_rate", gt_optimizer_learning_rate(optimizer));
    if (options->write_steps_per_second)
        gt_events_number(file, "epoch_steps_per_second",
                         (double)(gt_optimizer_iterations(optimizer) - board->first) /
                             (gt_seconds() - board->began));
    gt_Tensors weights = gt_weights(in->model);
    if (options->histogram_freq > 0 && in->epoch % options->histogram_freq == 0)
        for (int32_t i = 0; i < weights.count && gt_status() == GT_OK; i++)
            put_weight(in, file, weights.items[i]);
    gt_events_add(file, in->epoch);
    gt_events_flush(file);
    if (gt_status() != GT_OK || put_logged(in, NULL, "", true) == 0 || !(file = file_of(in, true)))
        return gt_status();
    put_logged(in, file, "epoch_", true);
    gt_events_add(file, in->epoch);
    return gt_events_flush(file);
}

static void close_board(void *memory)
{
    Board *board = memory;
    gt_events_close(&board->train);
    gt_events_close(&board->validation);
}

static gt_Status begin(const gt_CallbackArgs *in, const gt_TensorBoard_options *options)
{
    close_board(in->memory); /* of a training that failed */
    gt_forget(in);
    gt_EventFile *file = file_of(in, false);
    gt_LayerState *state = gt_layer_check(in->run->context, NULL, NULL, in->model);
    if (!options->write_graph || !file || !state)
        return gt_status();
    gt_Proto graph = {.context = in->run->context};
    if (gt_put_model_graph(&graph, state) == GT_OK)
        gt_events_add_graph(file, &graph);
    gt_proto_release(&graph);
    return gt_events_flush(file);
}

static gt_Status begin_epoch(const gt_CallbackArgs *in)
{
    Board *board = in->memory;
    gt_Optimizer *optimizer = gt_callback_optimizer(in);
    board->began = gt_seconds();
    board->first = optimizer ? gt_optimizer_iterations(optimizer) : 0;
    return gt_status();
}

static gt_Status on(const gt_CallbackArgs *in)
{
    const gt_TensorBoard_options *options = in->options;
    switch (in->hook) {
    case GT_HOOK_TRAIN_BEGIN:
        return begin(in, options);
    case GT_HOOK_EPOCH_BEGIN:
        return begin_epoch(in);
    case GT_HOOK_TRAIN_BATCH_END:
        return end_batch(in, options);
    case GT_HOOK_TEST_END:
        return end_test(in);
    case GT_HOOK_EPOCH_END:
        return end_epoch(in, options);
    default:
        close_board(in->memory);
        return gt_status();
    }
}

const gt_CallbackClass gt_callback_class_tensorboard = {
    .size = sizeof(gt_CallbackClass),
    .name = "tensorboard",
    .function = "TensorBoard",
    .keras = "TensorBoard",
    .summary = "the training as event files, which TensorBoard shows",
    .hooks = GT_HOOK_BIT(GT_HOOK_TRAIN_BEGIN) | GT_HOOK_BIT(GT_HOOK_TRAIN_END) |
             GT_HOOK_BIT(GT_HOOK_EPOCH_BEGIN) | GT_HOOK_BIT(GT_HOOK_EPOCH_END) |
             GT_HOOK_BIT(GT_HOOK_TRAIN_BATCH_END) | GT_HOOK_BIT(GT_HOOK_TEST_END),
    .options = &gt_TensorBoard_options_type,
    .states = numbers,
    .memory = sizeof(Board),
    .check = check,
    .on = on,
    .close = close_board};

gt_Callback *gt_TensorBoard_at(const char *here, const gt_TensorBoard_options *options)
{
    return gt_callback_new_at(here, &gt_callback_class_tensorboard, options);
}
