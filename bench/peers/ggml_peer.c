/* ggml (github.com/ggml-org/ggml) with its CPU backend and ggml-opt, graphs allocated once: ggml_peer THREADS. bench/peers/run builds
 * ggml with GGML_NATIVE by its own CMake, and this with it. AdamW without decay is Adam. */
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml-opt.h>
#include <ggml.h>

#include "peer.h"

enum { MOST_WEIGHTS = 16 };

typedef struct Trainer {
    struct ggml_context *fixed, *compute; /* inputs and weights; what is computed */
    struct ggml_tensor *input, *weight[MOST_WEIGHTS];
    int weights;
    ggml_backend_t backend;
    ggml_backend_sched_t schedule;
    ggml_opt_context_t optimizer;
    struct ggml_opt_optimizer_params numbers;
    float *x[PEER_BATCHES], *y[PEER_BATCHES];
} Trainer;

/* A weight (n0 the fastest axis). */
static struct ggml_tensor *weight(Trainer *self, int64_t n0, int64_t n1, int64_t n2, int64_t n3)
{
    struct ggml_tensor *made = ggml_new_tensor_4d(self->fixed, GGML_TYPE_F32, n0, n1, n2, n3);
    ggml_set_param(made);
    return self->weight[self->weights++] = made;
}

static struct ggml_tensor *dense(Trainer *self, struct ggml_tensor *x, int64_t units)
{
    struct ggml_tensor *kernel = weight(self, x->ne[0], units, 1, 1),
                       *bias = weight(self, units, 1, 1, 1);
    return ggml_add(self->compute, ggml_mul_mat(self->compute, kernel, x), bias);
}

/* 3 x 3, relu, then the largest of 2 x 2. */
static struct ggml_tensor *convolution(Trainer *self, struct ggml_tensor *x, int64_t filters)
{
    struct ggml_tensor *kernel = weight(self, 3, 3, x->ne[2], filters),
                       *bias = weight(self, 1, 1, filters, 1);
    struct ggml_tensor *y = ggml_conv_2d(self->compute, kernel, x, 1, 1, 1, 1, 1, 1);
    y = ggml_relu(self->compute, ggml_add(self->compute, y, bias));
    return ggml_pool_2d(self->compute, y, GGML_OP_POOL_MAX, 2, 2, 2, 2, 0, 0);
}

static struct ggml_tensor *cnn(Trainer *self, struct ggml_tensor *x)
{
    struct ggml_tensor *h = ggml_reshape_4d(self->compute, x, 28, 28, 1, x->ne[1]);
    h = convolution(self, convolution(self, h, 32), 64);
    h = ggml_reshape_2d(self->compute, h, 7 * 7 * 64, x->ne[1]);
    return dense(self, ggml_relu(self->compute, dense(self, h, 128)), 10);
}

static struct ggml_tensor *mlp(Trainer *self, struct ggml_tensor *x, int64_t hidden,
                               int64_t classes)
{
    return dense(self, ggml_relu(self->compute, dense(self, x, hidden)), classes);
}

/* Normal numbers by He's rule; biases 0. */
static void draw(Trainer *self)
{
    uint64_t state = 7;
    for (int i = 0; i < self->weights; i++) {
        struct ggml_tensor *w = self->weight[i];
        int64_t size = ggml_nelements(w), inputs = w->ne[3] > 1 ? 9 * w->ne[2] : w->ne[0];
        bool bias = size == w->ne[0] || size == w->ne[2];
        float *data = calloc((size_t)size, sizeof *data);
        for (int64_t k = 0; data && !bias && k < size; k++)
            data[k] = peer_normal(&state) * sqrtf(1 / (float)inputs);
        ggml_backend_tensor_set(w, data, 0, (size_t)size * sizeof *data);
        free(data);
    }
}

static void *make(const PeerWorkload *workload, int threads)
{
    Trainer *self = calloc(1, sizeof *self);
    const struct ggml_init_params room = {4096 * ggml_tensor_overhead() + 4 * ggml_graph_overhead(),
                                          NULL, true};
    const bool sgd = strcmp(workload->name, "tiny_mlp") == 0,
               image = strncmp(workload->name, "cnn", 3) == 0;
    if (!self)
        return NULL;
    self->fixed = ggml_init(room);
    self->compute = ggml_init(room);
    self->backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(self->backend, threads);
    self->schedule =
        ggml_backend_sched_new(&self->backend, NULL, 1, GGML_DEFAULT_GRAPH_SIZE, false, true);
    self->input = ggml_new_tensor_2d(self->fixed, GGML_TYPE_F32, workload->inputs, workload->batch);
    ggml_set_input(self->input);
    struct ggml_tensor *output =
        image ? cnn(self, self->input) : mlp(self, self->input, sgd ? 16 : 128, workload->classes);
    ggml_set_output(output);
    ggml_backend_alloc_ctx_tensors(self->fixed, self->backend);
    draw(self);
    peer_fill(workload, self->x, self->y);
    self->numbers.adamw.alpha = 1e-5f, self->numbers.adamw.beta1 = 0.9f,
    self->numbers.adamw.beta2 = 0.999f;
    self->numbers.adamw.eps = 1e-8f, self->numbers.adamw.wd = 0;
    self->numbers.sgd.alpha = 1e-4f, self->numbers.sgd.wd = 0;
    struct ggml_opt_params how =
        ggml_opt_default_params(self->schedule, GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
    how.ctx_compute = self->compute;
    how.inputs = self->input;
    how.outputs = output;
    how.optimizer = sgd ? GGML_OPT_OPTIMIZER_TYPE_SGD : GGML_OPT_OPTIMIZER_TYPE_ADAMW;
    how.get_opt_pars = ggml_opt_get_constant_optimizer_params;
    how.get_opt_pars_ud = &self->numbers;
    self->optimizer = ggml_opt_init(how);
    return self;
}

static float step(void *given, int batch)
{
    Trainer *self = given;
    float loss = 0;
    struct ggml_tensor *labels = ggml_opt_labels(self->optimizer);
    ggml_opt_alloc(self->optimizer, true);
    ggml_backend_tensor_set(self->input, self->x[batch], 0, ggml_nbytes(self->input));
    ggml_backend_tensor_set(labels, self->y[batch], 0, ggml_nbytes(labels));
    ggml_opt_eval(self->optimizer, NULL);
    ggml_backend_tensor_get(ggml_opt_loss(self->optimizer), &loss, 0, sizeof loss);
    return loss;
}

static void say_errors(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR)
        fputs(text, stderr);
}

int main(int count, char **arguments)
{
    const PeerWorkload list[] = {
        {"tiny_mlp", NULL, make, step, 16, 4, 3, "static"},
        {"mlp_b32", NULL, make, step, 32, 784, 10, "static"},
        {"mlp_b128", NULL, make, step, 128, 784, 10, "static"},
        {"mlp_b512", NULL, make, step, 512, 784, 10, "static"},
        {.name = "mlp_b32_f64", .cannot = "ggml multiplies and differentiates no float64"},
        {"cnn_b32", NULL, make, step, 32, 784, 10, "static"},
        {"cnn_b128", NULL, make, step, 128, 784, 10, "static"},
        {.name = "resnet", .cannot = "ggml has no batch normalization with a gradient"},
        {.name = "lstm", .cannot = "ggml has no gradients of tanh and sigmoid"},
        {.name = "gpt_mini", .cannot = "ggml has no gradients of layer normalization and gelu"},
    };
    char about[128];
    snprintf(about, sizeof about, "ggml %s, %s", ggml_version(), ggml_commit());
    ggml_log_set(say_errors, NULL);
    return peer_serve(about, list, (int)(sizeof list / sizeof *list),
                      count > 1 ? atoi(arguments[1]) : 1);
}
