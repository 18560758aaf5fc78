/* One layer, forwards and back, as a plan, float32: normalizations, activations, pooling and a loss, which move memory more than
 * they multiply. In microseconds, and the bytes that it cannot do without as a share of what the memory gives in the same minute.
 *
 *     build/bench/layers             a table, by itself
 *     bench/layers.py build          the same beside PyTorch, in turns
 *
 * With --serve it answers lines "NAME SECONDS" with the least time of a step that it found in that many seconds, then the bytes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtape.h"
#include "probe.h"

/* ---- the layers ---- */

/* x and what arrives at y are numbers of a normal distribution; of a loss there is nothing to arrive. */
typedef struct Row {
    const char *name, *what;
    gt_Layer *(*make)(void);
    int64_t x[4];
    double passes; /* numbers that are read or written at least, of each of x: x, y, then x, y', x' */
} Row;

#define MAKE(name, ...)                                                                            \
    static gt_Layer *make_##name(void)                                                             \
    {                                                                                              \
        return __VA_ARGS__;                                                                        \
    }
MAKE(batch_norm, gt_BatchNormalization())
MAKE(layer_norm, gt_LayerNormalization())
MAKE(rms_norm, gt_RMSNormalization())
MAKE(group_norm, gt_GroupNormalization(.groups = 8))
MAKE(instance_norm, gt_GroupNormalization(.groups = -1))
MAKE(gelu, gt_Activation(gt_gelu_exact))
MAKE(gelu_tanh, gt_Activation(gt_gelu))
MAKE(softmax, gt_Softmax())
MAKE(max_pooling, gt_MaxPooling2D(2))
MAKE(average_pooling, gt_AveragePooling2D(2))
MAKE(dropout, gt_Dropout(0.5))
static const Row rows[] = {
    {"batch_norm", "BatchNormalization", make_batch_norm, {32, 32, 32, 16}, 5},
    {"batch_norm_64", "BatchNormalization", make_batch_norm, {32, 8, 8, 64}, 5},
    {"layer_norm", "LayerNormalization", make_layer_norm, {2048, 128}, 5},
    {"layer_norm_1024", "LayerNormalization", make_layer_norm, {512, 1024}, 5},
    {"rms_norm", "RMSNormalization", make_rms_norm, {2048, 128}, 5},
    {"group_norm", "GroupNormalization, 8 groups", make_group_norm, {32, 16, 16, 64}, 5},
    {"instance_norm", "GroupNormalization, 64 groups", make_instance_norm, {32, 16, 16, 64}, 5},
    {"gelu", "gelu", make_gelu, {1024, 1024}, 5},
    {"gelu_tanh", "gelu, by tanh", make_gelu_tanh, {1024, 1024}, 5},
    {"softmax", "Softmax", make_softmax, {2048, 128}, 5},
    {"max_pooling", "MaxPooling2D of 2", make_max_pooling, {32, 28, 28, 32}, 3.5},
    {"average_pooling", "AveragePooling2D of 2", make_average_pooling, {32, 28, 28, 32}, 2.5},
    {"dropout", "Dropout of a half", make_dropout, {512, 1024}, 4},
    {"crossentropy", "SparseCategoricalCrossentropy", NULL, {512, 1000}, 3}};
enum { ROWS = sizeof rows / sizeof *rows, MOST = 2 };

/* ---- one of them, forwards and back ---- */

typedef struct Step {
    const Row *row;
    gt_Layer *layer; /* NULL: the loss */
    gt_Tensor *in[2];
    gt_Tensor *weights[MOST];
    int count;
    gt_Function *function;
} Step;

/* The slopes of x and of the layer's weights. */
static gt_Status make_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Step *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[0]);
    gt_Tensor *y = self->layer
                       ? gt_call(self->layer, in[0], .training = true)
                       : gt_sparse_categorical_crossentropy(in[1], in[0], .from_logits = true);
    gt_Tensor *list[1 + MOST] = {in[0]};
    for (int i = 0; i < self->count; i++)
        list[1 + i] = self->weights[i];
    gt_gradients(tape, gt_tensors(y), ((gt_Tensors){list, 1 + self->count}), out,
                 .output_gradients = self->layer ? (gt_Tensor *[]){in[1]} : NULL);
    for (int i = 0; i <= self->count; i++)
        gt_keep(out[i]);
    gt_tape_end(tape);
    return gt_status();
}

static void begin(Step *self, const Row *row)
{
    gt_Shape shape = {.mark = GT_MARK, .rank = 0};
    while (shape.rank < 4 && row->x[shape.rank] > 0) {
        shape.dims[shape.rank] = row->x[shape.rank];
        shape.rank++;
    }
    *self = (Step){.row = row, .layer = row->make ? row->make() : NULL};
    self->in[0] = gt_keep(gt_normal(shape));
    if (self->layer) {
        self->in[1] = gt_keep(gt_normal(gt_tensor_shape(gt_call(self->layer, self->in[0]))));
        gt_Tensors weights = gt_trainable_variables(self->layer);
        for (; self->count < weights.count && self->count < MOST; self->count++)
            self->weights[self->count] = weights.items[self->count];
    } else {
        self->in[1] =
            gt_keep(gt_cast(gt_uniform(gt_shape(row->x[0]), .high = (double)row->x[1]), GT_INT32));
    }
    self->function = gt_function(make_step, self, .outputs = 1 + self->count);
}

static void end(Step *self)
{
    gt_function_free(self->function);
    gt_layer_free(self->layer);
}

/* The least time of a step, in seconds. */
static double measure(Step *self, double seconds)
{
    double least = INFINITY, until = probe_now() + seconds;
    gt_Tensor *out[1 + MOST];
    for (int rounds = 0; (probe_now() < until || rounds < 3) && gt_status() == GT_OK; rounds++) {
        gt_Scope *scope = gt_scope_begin();
        double began = probe_now();
        gt_function_call(self->function, ((gt_Tensors){self->in, 2}), out);
        double took = probe_now() - began;
        gt_scope_end(scope);
        least = rounds > 0 && took < least ? took : least;
    }
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s\n", gt_error_message());
        exit(1);
    }
    return least;
}

/* ---- beside y += x over as many bytes as the layer moves ---- */

static double bytes_of(const Row *row)
{
    double bytes = 4 * row->passes;
    for (int i = 0; i < 4 && row->x[i] > 0; i++)
        bytes *= (double)row->x[i];
    return bytes;
}

/* The time that the memory takes for them, in seconds. */
static double time_of_bytes(const Row *row, double seconds)
{
    return bytes_of(row) / probe_memory((size_t)(bytes_of(row) / 12), seconds);
}

static void report(const Row *row, double seconds)
{
    Step step;
    gt_Scope *scope = gt_scope_begin();
    begin(&step, row);
    double least = measure(&step, seconds);
    printf("%.9g %.9g\n", least, time_of_bytes(row, seconds / 3));
    end(&step);
    gt_scope_end(scope);
    fflush(stdout);
}

/* Lines of a name and seconds come in, the layer's least time and that of its bytes go out. */
static int serve(void)
{
    char name[64];
    double seconds;
    while (scanf("%63s %lf", name, &seconds) == 2)
        for (int i = 0; i < ROWS; i++)
            if (strcmp(rows[i].name, name) == 0)
                report(&rows[i], seconds);
    gt_context_free(NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return serve();
    printf("%s\n%-30s %12s %10s\n", gt_build_info(), "forwards and back", "us", "of memory");
    for (int i = 0; i < ROWS; i++) {
        Step step;
        if (argc > 1 && strcmp(argv[1], rows[i].name) != 0)
            continue;
        gt_Scope *scope = gt_scope_begin();
        begin(&step, &rows[i]);
        double seconds = measure(&step, 0.3);
        printf("%-30s %12.1f %9.0f%%\n", rows[i].what, seconds * 1e6,
               100 * time_of_bytes(&rows[i], 0.1) / seconds);
        end(&step);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    return 0;
}
