/* KANN (github.com/attractivechaos/kann): kann_peer THREADS. bench/peers/run builds it from KANN's own two files, with -O3 for this
 * processor, and once more with OpenBLAS for its products where that is there.
 *
 * KANN brings RMSprop; Adam and SGD over its collated variables and gradients are written here, as its users would. Its
 * convolutions have no bias of their own and kad_add adds along the last axes alone, so the CNN has none there. */
#include <kann.h>

#include "peer.h"

typedef struct Trainer {
    const PeerWorkload *workload;
    kann_t *network;
    float *x[PEER_BATCHES], *y[PEER_BATCHES], *mean, *square;
    float **steps; /* of a recurrent one: where its rows of this time step are */
    int variables, updates, length;
} Trainer;

static void adam(Trainer *self)
{
    const int n = self->variables, t = ++self->updates;
    const float alpha = (float)(1e-5 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    float *restrict w = self->network->x, *restrict m = self->mean, *restrict v = self->square;
    const float *restrict g = self->network->g;
    for (int i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * 0.1f;
        v[i] += (g[i] * g[i] - v[i]) * 0.001f;
        w[i] -= alpha * m[i] / (sqrtf(v[i]) + 1e-8f);
    }
}

static void bind(Trainer *self, int batch)
{
    float *x = self->x[batch];
    if (self->length > 1) { /* the data lie step by step */
        for (int t = 0; t < self->length; t++)
            self->steps[t] = x + (size_t)t * (size_t)(self->workload->batch *
                                                      self->workload->inputs / self->length);
        kann_feed_bind(self->network, KANN_F_IN, 0, self->steps);
    } else {
        kann_feed_bind(self->network, KANN_F_IN, 0, &x);
    }
    kann_feed_bind(self->network, KANN_F_TRUTH, 0, &self->y[batch]);
}

static float step_adam(void *given, int batch)
{
    Trainer *self = given;
    bind(self, batch);
    float loss = kann_cost(self->network, 0, 1);
    adam(self);
    return loss;
}

static float step_sgd(void *given, int batch)
{
    Trainer *self = given;
    bind(self, batch);
    float loss = kann_cost(self->network, 0, 1);
    kad_saxpy(self->variables, -1e-4f, self->network->g, self->network->x);
    return loss;
}

/* The network of a cost, unrolled if it is recurrent. */
static void *train(const PeerWorkload *workload, kad_node_t *cost, int length, int threads)
{
    Trainer *self = calloc(1, sizeof *self);
    kann_t *network = kann_new(cost, 0);
    if (!self || !network)
        return NULL;
    self->network = length > 1 ? kann_unroll(network, length) : network;
    self->workload = workload;
    self->length = length;
    self->variables = kann_size_var(self->network);
    self->mean = calloc((size_t)self->variables, sizeof(float));
    self->square = calloc((size_t)self->variables, sizeof(float));
    self->steps = calloc((size_t)length, sizeof *self->steps);
    peer_fill(workload, self->x, self->y);
    bind(self, 0);
    kann_set_batch_size(self->network, workload->batch);
    kann_mt(self->network, threads, workload->batch);
    kann_switch(self->network, 1);
    return self;
}

static void *tiny(const PeerWorkload *workload, int threads)
{
    kad_node_t *t = kad_relu(kann_layer_dense(kann_layer_input(4), 16));
    return train(workload, kann_layer_cost(t, 3, KANN_C_CEM), 1, threads);
}

static void *mlp(const PeerWorkload *workload, int threads)
{
    kad_node_t *t = kad_relu(kann_layer_dense(kann_layer_input(784), 128));
    return train(workload, kann_layer_cost(t, 10, KANN_C_CEM), 1, threads);
}

static void *cnn(const PeerWorkload *workload, int threads)
{
    kad_node_t *t = kad_feed(4, 1, 1, 28, 28);
    t->ext_flag |= KANN_F_IN;
    t = kad_relu(kann_layer_conv2d(t, 32, 3, 3, 1, 1, KAD_PAD_SAME, KAD_PAD_SAME));
    t = kad_max2d(t, 2, 2, 2, 2, 0, 0);
    t = kad_relu(kann_layer_conv2d(t, 64, 3, 3, 1, 1, KAD_PAD_SAME, KAD_PAD_SAME));
    t = kad_max2d(t, 2, 2, 2, 2, 0, 0);
    t = kad_relu(kann_layer_dense(t, 128));
    return train(workload, kann_layer_cost(t, 10, KANN_C_CEM), 1, threads);
}

static void *lstm(const PeerWorkload *workload, int threads)
{
    kad_node_t *t = kad_feed(2, 1, 64);
    t->ext_flag |= KANN_F_IN;
    t = kann_layer_lstm(t, 128, 0);
    t = kad_select(1, &t, -1);
    return train(workload, kann_layer_cost(t, 10, KANN_C_CEM), 64, threads);
}

#ifdef HAVE_CBLAS
#define NOTE "OpenBLAS"
#else
#define NOTE "own"
#endif

int main(int count, char **arguments)
{
    const PeerWorkload list[] = {
        {"tiny_mlp", NULL, tiny, step_sgd, 16, 4, 3, NOTE},
        {"mlp_b32", NULL, mlp, step_adam, 32, 784, 10, NOTE},
        {"mlp_b128", NULL, mlp, step_adam, 128, 784, 10, NOTE},
        {"mlp_b512", NULL, mlp, step_adam, 512, 784, 10, NOTE},
        {.name = "mlp_b32_f64", .cannot = "KANN computes in float32 alone"},
        {"cnn_b32", NULL, cnn, step_adam, 32, 784, 10, NOTE ",no-conv-bias"},
        {"cnn_b128", NULL, cnn, step_adam, 128, 784, 10, NOTE ",no-conv-bias"},
        {.name = "resnet", .cannot = "KANN has no batch normalization"},
        {"lstm", NULL, lstm, step_adam, 32, 64 * 64, 10, NOTE},
        {.name = "gpt_mini",
         .cannot = "KANN has no embedding, and products of two matrices, not of batches of them"},
    };
    return peer_serve("KANN " KANN_VERSION ", " NOTE, list, (int)(sizeof list / sizeof *list),
                      count > 1 ? atoi(arguments[1]) : 1);
}
