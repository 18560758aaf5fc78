/* A program whose every bit counts, on every processor: in a reproducible context it trains an MLP with dropout, a CNN, an
 * LSTM with a GRU and a block of attention for some steps, in both types, eagerly, as a plan and with three threads, and
 * prints a hash of each one's weights, optimizer state and losses; then one of every function of one and of two numbers.
 * The three ways must agree, or it fails. tools/check --emulators compares the hashes of x86-64, aarch64 and s390x.
 *
 *     reproducible [--normal]     --normal: in an ordinary context, whose hashes are those of one kind of processor
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "operations.h"

enum { STEPS = 12, BATCH = 12, CLASSES = 5, MOST = 16, SWEEP = 20000 };

/* FNV-1a of the elements as float64, byte by byte, the lowest byte first whatever the processor's order is. */
static void hash_tensor(uint64_t *hash, gt_Tensor *x)
{
    gt_Scope *scope = gt_scope_begin();
    const gt_Tensor *wide = gt_cast(x, GT_FLOAT64);
    const double *number = gt_data(wide);
    for (int64_t i = 0; number && i < gt_size(wide); i++) {
        uint64_t bits;
        memcpy(&bits, number + i, sizeof bits);
        if (number[i] != number[i]) /* which NaN is the processor's choice */
            bits = UINT64_C(0x7ff8) << 48;
        for (int byte = 0; byte < 8; byte++)
            *hash = (*hash ^ (bits >> 8 * byte & 255)) * UINT64_C(1099511628211);
    }
    gt_scope_end(scope);
}

#define HASH_START UINT64_C(14695981039346656037)

/* ---- networks ---- */

typedef struct Net {
    gt_Variable *weight[MOST];
    int count, next;
    gt_Variable *generator; /* of first weights, data and dropout */
    gt_DType dtype;
    gt_Layer *layers; /* NULL: none */
    gt_Optimizer *optimizer;
    gt_Tensor *(*call)(struct Net *net, gt_Tensor *x);
} Net;

/* The next weight; drawn at the first call, which is outside of every tape. */
static gt_Tensor *weight(Net *net, gt_Shape shape)
{
    if (net->next == net->count) {
        gt_Tensor *first = gt_uniform(shape, .low = -0.3, .high = 0.3, .dtype = net->dtype,
                                      .generator = net->generator);
        net->weight[net->count++] = gt_variable(first);
    }
    return net->weight[net->next++];
}

static gt_Tensor *dense(Net *net, gt_Tensor *x, int64_t units)
{
    gt_Tensor *kernel = weight(net, gt_shape(gt_dim(gt_tensor_shape(x), -1), units));
    return gt_add(gt_matmul(x, kernel), weight(net, gt_shape(units)));
}

static gt_Tensor *mlp(Net *net, gt_Tensor *x)
{
    return gt_call(net->layers, x, .training = true);
}

static gt_Tensor *cnn(Net *net, gt_Tensor *x)
{
    gt_Tensor *y =
        gt_relu(gt_conv(x, weight(net, gt_shape(3, 3, 2, 6)), .padding = GT_PADDING_SAME));
    gt_Tensor *mean, *variance;
    gt_moments(y, &mean, &variance, .axes = gt_axes(0, 1, 2));
    gt_Tensor *scale = weight(net, gt_shape(6)), *offset = weight(net, gt_shape(6));
    y = gt_batch_normalization(y, mean, variance, .scale = scale, .offset = offset);
    y = gt_max_pool(y, gt_shape(2));
    y = gt_softplus(gt_conv(y, weight(net, gt_shape(3, 3, 6, 5))));
    y = gt_dropout(gt_average_pool(y, gt_shape(2)), 0.2, .generator = net->generator);
    return dense(net, gt_reshape(y, gt_shape(gt_dim(gt_tensor_shape(y), 0), -1)), CLASSES);
}

static gt_Tensor *recurrent(Net *net, gt_Tensor *x)
{
    gt_Tensor *kernel = weight(net, gt_shape(3, 28)), *inner = weight(net, gt_shape(7, 28));
    gt_Tensor *y = gt_lstm(x, kernel, inner, weight(net, gt_shape(28)), .return_sequences = true);
    kernel = weight(net, gt_shape(7, 18));
    inner = weight(net, gt_shape(6, 18));
    return dense(net, gt_gru(y, kernel, inner, weight(net, gt_shape(2, 18))), CLASSES);
}

static gt_Tensor *attention(Net *net, gt_Tensor *x)
{
    gt_Tensor *part[3];
    for (int i = 0; i < 3; i++)
        part[i] = gt_reshape(dense(net, x, 12), gt_shape(gt_dim(gt_tensor_shape(x), 0),
                                                         gt_dim(gt_tensor_shape(x), 1), 2, 6));
    gt_Tensor *y = gt_dot_product_attention(part[0], part[1], part[2], .is_causal = true);
    y = gt_reshape(y, gt_shape(gt_dim(gt_tensor_shape(x), 0), gt_dim(gt_tensor_shape(x), 1), 12));
    y = gt_layer_normalization(gt_gelu(y), .gamma = weight(net, gt_shape(12)));
    return dense(net, gt_mean(y, .axis = 1), CLASSES);
}

static gt_Status step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Net *net = context;
    net->next = 0;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *logits = net->call(net, in[0]);
    gt_Tensor *loss = gt_sparse_categorical_crossentropy(in[1], logits, .from_logits = true);
    gt_Tensors weights =
        net->layers ? gt_trainable_variables(net->layers) : (gt_Tensors){net->weight, net->count};
    gt_minimize(net->optimizer, tape, loss, weights);
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

static gt_Tensor *draw(const Net *net, gt_Shape shape)
{
    return gt_normal(shape, .generator = net->generator, .dtype = net->dtype);
}

/* ---- training ---- */

typedef struct Model {
    const char *name;
    gt_Tensor *(*call)(Net *net, gt_Tensor *x);
    gt_Optimizer *(*optimizer)(void);
    int64_t rank, dims[3]; /* of a sample */
} Model;

static gt_Optimizer *adam(void)
{
    return gt_Adam(3e-3, .global_clipnorm = 1);
}

static gt_Optimizer *adamw(void)
{
    return gt_AdamW(2e-3, .weight_decay = 0.01);
}

static gt_Optimizer *sgd(void)
{
    return gt_SGD(0.05, .momentum = 0.9);
}

static const Model models[] = {
    {"mlp", mlp, adam, 1, {20}},
    {"cnn", cnn, sgd, 3, {10, 9, 2}},
    {"lstm", recurrent, adam, 2, {6, 3}},
    {"attention", attention, adamw, 2, {7, 8}},
};

static uint64_t train(const Model *it, gt_DType dtype, bool reproducible, bool planned, int threads)
{
    gt_Context *context =
        gt_context_create(.seed = 2024, .threads = threads, .reproducible = reproducible);
    gt_Context *before = gt_context_use(context);
    Net net = {.dtype = dtype, .generator = gt_generator(7), .call = it->call};
    net.optimizer = it->optimizer();
    if (it->call == mlp)
        net.layers = gt_Sequential(gt_Dense(33, .activation = gt_gelu), gt_Dropout(0.3),
                                   gt_Dense(17, .activation = gt_tanh), gt_Dense(CLASSES));
    gt_Shape shape = gt_shape(BATCH);
    for (int64_t i = 0; i < it->rank; i++)
        shape.dims[shape.rank++] = it->dims[i];
    gt_Scope *scope = gt_scope_begin();
    it->call(&net, draw(&net, shape)); /* makes the weights */
    gt_scope_end(scope);
    uint64_t hash = HASH_START;
    gt_Function *function = gt_function(step, &net, .outputs = 1);
    for (int i = 0; i < STEPS && gt_status() == GT_OK; i++) {
        scope = gt_scope_begin();
        gt_Tensor *x = draw(&net, shape), *loss = NULL;
        gt_Tensor *y = gt_random_integers(gt_shape(BATCH), 0, CLASSES, .generator = net.generator);
        if (planned)
            gt_function_call(function, gt_tensors(x, y), &loss);
        else
            step(&net, (gt_Tensor *[]){x, y}, &loss);
        hash_tensor(&hash, loss);
        gt_scope_end(scope);
    }
    gt_Tensors layers = net.layers ? gt_variables(net.layers) : (gt_Tensors){NULL, 0};
    for (int i = 0; i < layers.count; i++)
        hash_tensor(&hash, layers.items[i]);
    for (int i = 0; i < net.count; i++)
        hash_tensor(&hash, net.weight[i]);
    gt_Tensors state = gt_optimizer_variables(net.optimizer);
    for (int i = 0; i < state.count; i++)
        hash_tensor(&hash, state.items[i]);
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s: %s\n", it->name, gt_error_message());
        hash = 0;
    }
    gt_context_use(before);
    gt_context_free(context);
    return hash;
}

/* ---- operations ---- */

/* What it makes of its samples; 0: it refuses a reproducible context. */
static uint64_t operation(const gt_Operation *it, gt_DType dtype)
{
    static Case c;
    uint64_t hash = HASH_START;
    for (int i = 0; it->samples && (it->samples[i].inputs || it->samples[i].none); i++) {
        gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS] = {NULL};
        gt_Scope *scope = gt_scope_begin();
        fill_case(&c, it, &it->samples[i], dtype);
        case_inputs(&c, in);
        for (int k = 0; k < c.sample->inputs && k < it->outputs && it->flags & GT_OP_EFFECT; k++)
            in[k] = gt_variable(in[k]);
        gt_Status status = case_apply(&c, in, out);
        for (int k = 0; k < it->outputs && status == GT_OK; k++)
            hash_tensor(&hash, it->flags & GT_OP_EFFECT ? in[k] : out[k]);
        for (int k = 0; k < c.sample->inputs && k < it->outputs && it->flags & GT_OP_EFFECT; k++)
            gt_variable_free(in[k]);
        gt_error_clear();
        gt_scope_end(scope);
        if (status == GT_UNSUPPORTED)
            return 0;
    }
    return hash;
}

/* Of all sizes and signs, and what is special. */
static gt_Tensor *sweep(double salt, gt_DType dtype)
{
    static double number[SWEEP];
    static const double special[] = {0,   -0.0, 1,     -1,     0.5,    -0.5,     2,
                                     1e6, 1e22, 1e300, -1e300, 1e-310, INFINITY, -INFINITY,
                                     NAN, 3,    -3,    709.9,  -745.3, 0.9999999};
    uint64_t state = (uint64_t)(salt * 1e6);
    for (int i = 0; i < SWEEP; i++) {
        double u = next_uniform(&state), scale = ldexp(1, i % 41 - 20);
        number[i] = i < 20 ? special[i] : (next_uniform(&state) < 0.5 ? -u : u) * scale;
    }
    return gt_cast(gt_from_data(number, gt_shape(SWEEP), GT_FLOAT64), dtype);
}

/* The element-wise ones over many numbers. */
static uint64_t function(const gt_Operation *it, gt_DType dtype)
{
    uint64_t hash = HASH_START;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[] = {sweep(1, dtype), sweep(it->inputs_max > 1 ? 2 : 1, dtype)};
    gt_Tensor *out = gt_apply_one(it, NULL, it->inputs_min, in);
    if (out)
        hash_tensor(&hash, out);
    gt_error_clear();
    gt_scope_end(scope);
    return hash;
}

static void print_operations(bool reproducible, bool each)
{
    gt_Context *context = gt_context_create(.seed = 5, .reproducible = reproducible);
    gt_Context *before = gt_context_use(context);
    int count, refused = 0;
    const gt_Operation *const *all = gt_operations(&count);
    uint64_t hash = HASH_START;
    for (int i = 0; i < count; i++)
        for (int wide = 0; wide < 2; wide++) {
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            uint64_t one = operation(all[i], dtype), many = 0;
            refused += one == 0;
            if (all[i]->loop.kind != GT_LOOP_KIND_NONE && all[i]->inputs_min <= 2)
                many = function(all[i], dtype);
            if (each)
                printf("    %s %s %016" PRIx64 " %016" PRIx64 "\n", all[i]->name,
                       wide ? "float64" : "float32", one, many);
            hash = (hash ^ one) * UINT64_C(1099511628211);
            hash = (hash ^ many) * UINT64_C(1099511628211);
        }
    printf("operations         %016" PRIx64 "\n", hash);
    fprintf(stderr, "%d operations, %d refused\n", count, refused / 2);
    gt_context_use(before);
    gt_context_free(context);
}

int main(int count, char **arguments)
{
    bool normal = count > 1 && strcmp(arguments[1], "--normal") == 0;
    bool each = count > 1 && strcmp(arguments[1], "--each") == 0, failed = false;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int wide = 0; wide < 2; wide++) {
            gt_DType dtype = wide ? GT_FLOAT64 : GT_FLOAT32;
            uint64_t eager = train(&models[i], dtype, !normal, false, 1);
            uint64_t planned = train(&models[i], dtype, !normal, true, 1);
            uint64_t threads = train(&models[i], dtype, !normal, true, 3);
            printf("%-9s %s  %016" PRIx64 "\n", models[i].name, wide ? "float64" : "float32",
                   eager);
            if (planned != eager || threads != eager || !eager) {
                printf("    planned %016" PRIx64 ", with three threads %016" PRIx64 "\n", planned,
                       threads);
                failed = true;
            }
        }
    print_operations(!normal, each);
    return failed;
}
