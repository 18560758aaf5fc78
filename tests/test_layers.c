/* The layer contract: built once, called often, named and listed in a fixed order, frozen, shared,
 * rolled back, freed. Initializers by their statistics over many draws. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

static void paths_are(gt_Layer *layer, gt_Tensors list, const char *expected)
{
    char text[1024] = "";
    for (int i = 0; i < list.count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, gt_variable_path(layer, list.items[i]));
    }
    cr_assert_str_eq(text, expected);
}

/* ---- a layer of one's own, with children and a buffer ---- */

typedef struct {
    gt_Layer base;
    int64_t units;
    int builds, calls;
    bool fail_late;
    gt_Layer *inner;
    gt_Variable *kernel, *count;
} Block;

static gt_Status block_create(gt_Layer *layer)
{
    Block *self = (Block *)layer;
    self->inner = gt_add_child(layer, gt_Dense(self->units, .name = "inner"));
    return gt_status();
}

static gt_Status block_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Block *self = (Block *)layer;
    self->builds++;
    self->count =
        gt_add_weight(layer, "count", gt_shape(), .trainable = false, .initializer = gt_Zeros());
    self->kernel = gt_add_weight(layer, "kernel", gt_shape(gt_last(in->shape), self->units),
                                 .regularizer = gt_L2(0.5));
    if (self->fail_late)
        return gt_fail(GT_INVALID, "it was asked to fail");
    return gt_status();
}

static gt_Tensor *block_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Block *self = (Block *)layer;
    self->calls++;
    if (in->training)
        gt_assign_add(self->count, 1);
    return gt_call(self->inner, gt_matmul(in->x, self->kernel));
}

static const gt_LayerClass block_class = {.size = sizeof(gt_LayerClass),
                                          .name = "block",
                                          .instance = sizeof(Block),
                                          .create = block_create,
                                          .build = block_build,
                                          .call = block_call};
#define block(...) gt_layer_new(&block_class, &(Block){.units = __VA_ARGS__})

Test(layers, built_once_listed_in_order)
{
    gt_context_free(NULL); /* variables are counted at the end */
    gt_Layer *model = gt_Sequential(block(4), gt_Dense(3, .activation = gt_relu), block(4),
                                    gt_Dense(2, .use_bias = false));
    ok("sequential");
    cr_assert(!gt_layer_built(model) && gt_variables(model).count == 0);
    cr_assert(gt_count_params(model) == -1);
    fails(GT_STATE, "is not built");
    gt_Tensor *x = gt_uniform(gt_shape(5, 3));
    for (int i = 0; i < 3; i++) {
        gt_Tensor *y = gt_call(model, x, .training = i > 0);
        ok("call");
        cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(5, 2)));
    }
    Block *first = (Block *)gt_get_layer(model, 0);
    cr_assert(first->builds == 1 && first->calls == 3);
    cr_assert(gt_item(first->count) == 2, "training reaches the children");
    const char *all = "block/count block/kernel block/inner/kernel block/inner/bias dense/kernel "
                      "dense/bias block_1/count block_1/kernel block_1/inner/kernel "
                      "block_1/inner/bias dense_1/kernel";
    paths_are(model, gt_variables(model), all);
    paths_are(model, gt_weights(model), all);
    paths_are(model, gt_non_trainable_variables(model), "block/count block_1/count");
    cr_assert(gt_trainable_variables(model).count == 9);
    gt_set_trainable(gt_layer_find(model, "block_1"), false);
    paths_are(model, gt_weights(model), all); /* freezing filters, it never reorders */
    paths_are(model, gt_trainable_variables(model),
              "block/kernel block/inner/kernel block/inner/bias dense/kernel dense/bias "
              "dense_1/kernel");
    gt_set_trainable(model, true);
    cr_assert(gt_trainable_variables(model).count == 9, "a buffer stays a buffer");
    cr_assert(gt_layer_find(model, "block_1/inner") && !gt_layer_find(model, "block_1/outer"));
    fails(GT_INVALID, "no layer \"block_1/outer\"");
    cr_assert(gt_get_layer(model, -1) == gt_get_layer(model, 3) && !gt_get_layer(model, 4));
    fails(GT_INVALID, "get_layer: index 4 is out of range: sequential has 4 layers");
    cr_assert_eq(gt_count_params(model), 2 * (1 + 3 * 4 + 4 * 4 + 4) + 4 * 3 + 3 + 4 * 2);
    ok("lists");
    gt_layer_free(model);
    gt_call(model, x);
    fails(GT_STALE, "this layer was freed");
    gt_call(&first->base, x);
    fails(GT_STALE, "this layer was freed");
    cr_assert(gt_memory_stats().variables == 1, "only the default generator is left");
}

/* ---- names ---- */

/* Adds children when it is built, which fails once. */
typedef struct Grower {
    gt_Layer base;
    bool fails;
} Grower;

static gt_Status grower_create(gt_Layer *layer)
{
    gt_add_child(layer, gt_Dense(2));
    return gt_status();
}

static gt_Status grower_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Grower *self = (Grower *)layer;
    gt_add_child(layer, gt_Dense(2));
    gt_add_child(layer, gt_Dense(2));
    (void)in;
    if (self->fails)
        gt_fail(GT_STATE, "not yet");
    self->fails = false;
    return gt_status();
}

static gt_Tensor *grower_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_Tensor *x = in->x;
    for (int i = 0; i < gt_layer_child_count(layer); i++)
        x = gt_call(gt_get_layer(layer, i), x);
    return x;
}

static const gt_LayerClass grower_class = {.size = sizeof(gt_LayerClass),
                                           .name = "grower",
                                           .instance = sizeof(Grower),
                                           .create = grower_create,
                                           .build = grower_build,
                                           .call = grower_call};

/* By position; a number that is taken is passed over; what a failed build added leaves no trace. */
Test(layers, names)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(1, 2), 0.5);
    gt_Layer *shared = gt_Dense(2, .use_bias = false);
    gt_Layer *model =
        gt_Sequential(gt_Dense(2, .name = "dense_2"), shared, gt_Dense(2, .use_bias = false),
                      shared, gt_Dense(2, .use_bias = false), gt_Dense(2, .name = "dense_7"));
    gt_call(model, x);
    paths_are(model, gt_variables(model),
              "dense_2/kernel dense_2/bias dense/kernel dense_1/kernel dense_4/kernel "
              "dense_7/kernel dense_7/bias");
    cr_assert_eq(gt_layer_find(model, "dense_3"), shared, "the same layer in two places");
    gt_Sequential(gt_Dense(2, .name = "twin"), gt_Dense(2, .name = "twin"));
    fails(GT_INVALID, "a layer called \"twin\" is in sequential already");
    gt_layer_free(model);

    Grower instance = {.fails = true};
    gt_Layer *grower = gt_layer_new(&grower_class, &instance);
    gt_call(grower, x);
    fails(GT_STATE, "not yet");
    cr_assert_eq(gt_layer_child_count(grower), 1);
    ((Grower *)grower)->fails = false;
    gt_call(grower, x);
    paths_are(grower, gt_variables(grower),
              "dense/kernel dense/bias dense_1/kernel dense_1/bias dense_2/kernel dense_2/bias");
    gt_layer_free(grower);

    /* Long names are kept whole, and so are long paths. */
    char name[300], path[40 * 300] = "";
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    gt_Layer *deep = gt_Dense(2, .name = name);
    for (int i = 0; i < 30; i++) {
        strcat(strcat(path, name), "/");
        deep = gt_Sequential(deep);
        if (i < 29) {
            gt_Layer *around = gt_layer_new(deep->type, &(gt_Layer){.name = name});
            gt_add_child(around, deep);
            deep = around;
        }
    }
    gt_call(deep, x);
    ok("long names");
    const char *found = gt_variable_path(deep, gt_variables(deep).items[0]);
    cr_assert(strlen(found) > 29 * 300 && strstr(found, "sequential/"), "%s", found);
    gt_layer_free(deep);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Layers in layers: an error where the stack might end. */
typedef struct {
    gt_Layer base;
    int64_t calls;
} Once;

static gt_Tensor *once_call(gt_Layer *layer, const gt_CallArgs *in)
{
    ((Once *)layer)->calls++;
    return in->x;
}

/* A struct that nobody gives is one of zeros. */
Test(layers, a_struct_of_zeros)
{
    static const gt_LayerClass once = {
        .size = sizeof(gt_LayerClass), .name = "once", .instance = sizeof(Once), .call = once_call};
    gt_Layer *layer = gt_layer_new(&once, NULL);
    cr_assert(layer, "%s", gt_error_message());
    cr_assert_eq(((Once *)layer)->calls, 0);
    gt_call(layer, gt_ones(gt_shape(2)));
    cr_assert_eq(((Once *)layer)->calls, 1);
    cr_assert_str_eq(gt_layer_name(layer), "once");
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(layers, nested_deeply)
{
    gt_Layer *layer = gt_Dense(2);
    for (int i = 0; i < 200; i++)
        layer = gt_Sequential(layer);
    cr_assert(gt_call(layer, gt_full(gt_shape(1, 2), 0.5)));
    ok("200 levels");
    cr_assert_null(gt_Sequential(layer));
    fails(GT_UNSUPPORTED, "layers may be nested 200 deep at most");
    gt_Layer *outermost = gt_Sequential(gt_Flatten()), *inner = outermost;
    for (int i = 0; i < 300; i++) { /* from the outside: nobody knows how deep it is */
        gt_Layer *next = gt_Sequential(gt_Flatten());
        gt_sequential_add(inner, next);
        inner = next;
    }
    cr_assert_null(gt_call(outermost, gt_full(gt_shape(1, 2), 0.5)));
    fails(GT_UNSUPPORTED, "layers may be nested 200 deep at most");
    gt_layer_free(outermost);
    gt_Layer *around = gt_Sequential(gt_Flatten()), *middle = gt_Sequential(gt_Flatten());
    inner = gt_Sequential(gt_Flatten());
    gt_sequential_add(around, middle);
    gt_sequential_add(middle, inner);
    ok("three levels");
    gt_sequential_add(inner, around); /* which is freed, as whatever a container cannot take */
    fails(GT_INVALID, "a layer cannot contain itself: sequential is around the layer");
    inner = gt_Sequential(gt_Flatten());
    gt_sequential_add(inner, inner);
    fails(GT_INVALID, "a layer cannot contain itself");
    gt_context_free(NULL);
}

Test(layers, shapes_and_counts)
{
    gt_Layer *model =
        gt_Sequential(gt_Flatten(), gt_Dense(8, .activation = gt_relu), gt_Dropout(0.5),
                      gt_Dense(6), gt_Reshape(gt_shape(2, -1)), gt_Activation(gt_tanh));
    cr_assert(gt_build(model, gt_shape(7, 3, 4), GT_FLOAT64) == GT_OK, "%s", gt_error_message());
    cr_assert(gt_count_params(model) == 12 * 8 + 8 + 8 * 6 + 6);
    cr_assert(gt_variables(model).count == 5 && gt_weights(model).count == 4);
    paths_are(model, gt_variables(model),
              "dense/kernel dense/bias dropout/seed_generator_state dense_1/kernel dense_1/bias");
    for (int i = 0; i < 4; i++)
        cr_assert(gt_dtype(gt_weights(model).items[i]) == GT_FLOAT64, "the input's type");
    gt_Tensor *y = gt_call(model, gt_uniform(gt_shape(5, 3, 4), .dtype = GT_FLOAT64));
    cr_assert(gt_shape_equal(gt_tensor_shape(y), gt_shape(5, 2, 3)), "%s", gt_error_message());
    const char *summary = gt_summary(model);
    cr_assert(summary && strstr(summary, "Total params: 158") && strstr(summary, "(None, 2, 3)") &&
                  strstr(summary, "dropout (Dropout)"),
              "%s", summary);
    gt_call(model, gt_uniform(gt_shape(5, 4, 4), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the last dimension of the input must be 12, as the layer was built (got "
                      "shape (5, 16)), in "
                      "sequential/dense");
    gt_call(gt_get_layer(model, 1), gt_uniform(gt_shape(12), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the input must have at least 2 dimensions (got shape (12,)), in dense");
    gt_call(model, NULL);
    fails(GT_INVALID, "the input is NULL");
    y = gt_call(model, gt_full(gt_shape(0, 3, 4), 1, .dtype = GT_FLOAT64));
    cr_assert(y && gt_size(y) == 0, "an empty batch: %s", gt_error_message());
    gt_layer_free(model);
}

Test(layers, failures_roll_back)
{
    gt_Tensor *x = gt_uniform(gt_shape(2, 3));
    int64_t variables = gt_memory_stats().variables;
    Block *broken = (Block *)gt_layer_new(&block_class, &(Block){.units = 2, .fail_late = true});
    gt_call(&broken->base, x);
    fails(GT_INVALID, "it was asked to fail");
    cr_assert(gt_memory_stats().variables == variables && !gt_layer_built(&broken->base));
    broken->fail_late = false;
    cr_assert_not_null(gt_call(&broken->base, x), "%s", gt_error_message());
    cr_assert(gt_variables(&broken->base).count == 4);

    gt_add_weight(&broken->base, "late", gt_shape(2));
    fails(GT_STATE, "move this to the layer's build function");
    gt_add_child(&broken->base, gt_Dense(2));
    fails(GT_STATE, "is built already");
    gt_layer_free(&broken->base);

    gt_MemoryStats before = gt_memory_stats();
    for (int i = 0; i < 50; i++) { /* a failing sibling takes the others along */
        char site[256];
        snprintf(site, sizeof site, "%s:%d: Dense: units must be > 0 (got -1)", __FILE__,
                 __LINE__ + 1);
        gt_Layer *model = gt_Sequential(gt_Dense(3), gt_Dense(-1), gt_Sequential(gt_Dense(2)));
        cr_assert_null(model);
        cr_assert_str_eq(gt_error_message(), site);
        gt_error_clear();
    }
    cr_assert(gt_memory_stats().variables == before.variables);
    gt_Layer *same = gt_Sequential(gt_Dense(2, .name = "a"), gt_Dense(2, .name = "a"));
    cr_assert_null(same);
    fails(GT_INVALID, "a layer called \"a\" is in sequential already");
    gt_Dense(2, .name = "a/b");
    fails(GT_INVALID, "Dense: the name must not be empty or contain '/' (got \"a/b\")");
    gt_Dense(0);
    fails(GT_INVALID, "units must be > 0 (got 0)");
    gt_Activation(NULL);
    fails(GT_INVALID, "the function is NULL");
    gt_Dropout(1.5);
    fails(GT_INVALID, "Dropout: rate must be in [0, 1] (got 1.5)");
    gt_Sequential(gt_Dense(2), NULL);
    fails(GT_INVALID, "the layer is NULL");
}

static gt_Tensor *twice(void *context, const gt_CallArgs *in)
{
    return gt_multiply(in->x, *(double *)context);
}

/* A decoder that uses the kernel of its encoder, transposed, and asks for rows as wide as that. */
typedef struct Tied {
    gt_Layer base;
    gt_Layer *encoder;
    gt_Variable *kernel;
} Tied;

static gt_Status tied_create(gt_Layer *layer)
{
    Tied *self = (Tied *)layer;
    self->encoder = gt_add_child(layer, gt_Dense(2, .use_bias = false));
    return gt_status();
}

static gt_Status tied_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Tied *self = (Tied *)layer;
    gt_build(self->encoder, in->shape, GT_FLOAT32);
    self->kernel = gt_share_weight(layer, "tied", gt_variables(self->encoder).items[0]);
    return gt_set_input_spec(layer, 0, .min_rank = 2, .dim = gt_last(in->shape));
}

static gt_Tensor *tied_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Tied *self = (Tied *)layer;
    return gt_matmul(gt_call(self->encoder, in->x), self->kernel, .transpose_b = true);
}

static const gt_LayerClass tied_class = {.size = sizeof(gt_LayerClass),
                                         .name = "tied",
                                         .instance = sizeof(Tied),
                                         .create = tied_create,
                                         .build = tied_build,
                                         .call = tied_call};

Test(layers, weights_of_another_layer)
{
    gt_Layer *tied = gt_layer_new(&tied_class, &(Tied){.encoder = NULL});
    gt_Tensor *x = gt_uniform(gt_shape(4, 3));
    gt_Tensor *y = gt_call(tied, x);
    ok("call");
    cr_assert_eq(gt_dim(gt_tensor_shape(y), 1), 3);
    cr_assert(gt_variables(tied).count == 1 && gt_count_params(tied) == 6, "counted once");
    gt_call(tied, gt_ones(gt_shape(4, 5)));
    fails(GT_INVALID, "5");
    gt_call(tied, gt_ones(gt_shape(3)));
    fails(GT_INVALID, "2");
    gt_share_weight(tied, "late", gt_variables(tied).items[0]);
    fails(GT_STATE, "build");
    gt_set_input_spec(tied, 0, .min_rank = 9);
    gt_error_clear();
    gt_layer_free(tied);
}

/* The same layer in two places is one layer. */
Test(layers, shared)
{
    double factor = 2;
    gt_Layer *shared = gt_Dense(3);
    gt_Layer *model = gt_Sequential(shared, gt_Lambda(twice, .context = &factor), shared);
    gt_Tensor *x = gt_uniform(gt_shape(4, 3));
    cr_assert_not_null(gt_call(model, x), "%s", gt_error_message());
    cr_assert(gt_variables(model).count == 2);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_call(model, x)), *g[2];
    gt_gradients(tape, gt_tensors(loss), gt_trainable_variables(model), g);
    ok("gradient");
    /* d/d bias of sum(2 (x W + b) W + b) over 4 rows: both places count. */
    gt_Variable *kernel = gt_variables(model).items[0];
    for (int j = 0; j < 3; j++) {
        double expected = 4;
        for (int k = 0; k < 3; k++)
            expected += 2 * 4 * gt_element(kernel, 3 * j + k);
        cr_assert(fabs(gt_element(g[1], j) - expected) < 1e-4, "%g instead of %g",
                  gt_element(g[1], j), expected);
    }
    gt_tape_end(tape);
    gt_layer_free(model);
    gt_call(shared, x);
    fails(GT_STALE, "this layer was freed");
}

Test(layers, losses)
{
    gt_Layer *layer =
        gt_Dense(2, .kernel_regularizer = gt_L1L2(.l1 = 0.1, .l2 = 0.2), .use_bias = false,
                 .kernel_initializer = gt_Constant(-0.5), .activity_regularizer = gt_L2(0.3));
    gt_Tensor *x = gt_full(gt_shape(4, 3), 1);
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *y = gt_call(layer, x), *zero = gt_scalar(0, GT_FLOAT32);
    double expected = 0.1 * 6 * 0.5 + 0.2 * 6 * 0.25 + 0.3 * 8 * 1.5 * 1.5 / 4;
    double got = gt_item(gt_total_loss(layer, zero));
    cr_assert(fabs(got - expected) < 1e-5, "%g instead of %g: %s", got, expected,
              gt_error_message());
    cr_assert_not_null(y);
    gt_set_trainable(layer, false); /* freezing removes the penalty of the weight */
    got = gt_item(gt_total_loss(layer, zero));
    cr_assert(fabs(got - 0.3 * 8 * 1.5 * 1.5 / 4) < 1e-5, "%g", got);
    gt_tape_end(tape);
    gt_layer_free(layer);
}

/* Dropout draws anew at every call in training, the same again after its state was set back. */
Test(layers, dropout)
{
    gt_Layer *layer = gt_Dropout(0.25);
    gt_Tensor *x = gt_full(gt_shape(100, 100), 1);
    gt_Tensor *calm = gt_call(layer, x), *y = gt_call(layer, x, .training = true),
              *z = gt_call(layer, x, .training = true);
    ok("dropout");
    cr_assert(gt_item(gt_sum(calm)) == 10000);
    double kept = 0, both = 0;
    for (int i = 0; i < 10000; i++) {
        double a = gt_element(y, i), b = gt_element(z, i);
        cr_assert(a == 0 || fabs(a - 1 / 0.75) < 1e-6);
        kept += a != 0;
        both += a != 0 && b != 0;
    }
    cr_assert(fabs(kept - 7500) < 250 && fabs(both - 5625) < 300, "%g kept, %g twice", kept, both);
    gt_Variable *state = gt_variables(layer).items[0];
    gt_assign_sub(state, gt_from_values_at(NULL, gt_shape(2), GT_INT64, 2, (double[]){0, 1}));
    gt_Tensor *again = gt_call(layer, x, .training = true);
    cr_assert(memcmp(gt_data(again), gt_data(z), 40000) == 0, "the state is the draw");
    gt_layer_free(layer);
}

/* ---- initializers ---- */

typedef struct {
    double mean, deviation, low, high;
} Statistics;

static Statistics statistics(gt_Initializer initializer, const char *path, gt_Shape shape)
{
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    double *data = malloc((size_t)n * sizeof *data);
    gt_Spec spec = {.dtype = GT_FLOAT64, .rank = shape.rank, .size = n};
    memcpy(spec.dims, shape.dims, sizeof spec.dims);
    cr_assert(gt_initialize(initializer, path, &spec, data) == GT_OK, "%s", gt_error_message());
    Statistics s = {0, 0, data[0], data[0]};
    for (int64_t i = 0; i < n; i++) {
        s.mean += data[i] / (double)n;
        s.low = fmin(s.low, data[i]);
        s.high = fmax(s.high, data[i]);
    }
    for (int64_t i = 0; i < n; i++)
        s.deviation += (data[i] - s.mean) * (data[i] - s.mean) / (double)n;
    s.deviation = sqrt(s.deviation);
    free(data);
    return s;
}

Test(layers, initializers)
{
    const double cut = 0.87962566103423978; /* deviation of a normal cut at 2 (contract 3.1) */
    gt_Shape shape = gt_shape(400, 500);
    struct {
        const char *name;
        gt_Initializer initializer;
        double mean, deviation, most;
    } rows[] = {
        {"constant", gt_Constant(3), 3, 0, 3},
        {"random_normal", gt_RandomNormal(), 0, 0.05, 1},
        {"random_normal", gt_RandomNormal(.mean = 1, .stddev = 2), 1, 2, 20},
        {"truncated_normal", gt_TruncatedNormal(), 0, 0.05 * cut, 0.1},
        {"random_uniform", gt_RandomUniform(), 0, 0.1 / sqrt(12), 0.05},
        {"random_uniform", gt_RandomUniform(.minval = 1, .maxval = 3), 2, 2 / sqrt(12), 3},
        {"glorot_uniform", gt_GlorotUniform(), 0, sqrt(1 / 450.0), sqrt(3 / 450.0)},
        {"glorot_normal", gt_GlorotNormal(), 0, sqrt(1 / 450.0), 2 * sqrt(1 / 450.0) / cut},
        {"he_uniform", gt_HeUniform(), 0, sqrt(2 / 400.0), sqrt(6 / 400.0)},
        {"he_normal", gt_HeNormal(), 0, sqrt(2 / 400.0), 2 * sqrt(2 / 400.0) / cut},
        {"lecun_uniform", gt_LecunUniform(), 0, sqrt(1 / 400.0), sqrt(3 / 400.0)},
        {"lecun_normal", gt_LecunNormal(), 0, sqrt(1 / 400.0), 2 * sqrt(1 / 400.0) / cut},
        {"variance_scaling",
         gt_VarianceScaling(.scale = 3, .mode = GT_FAN_OUT,
                            .distribution = GT_DISTRIBUTION_UNTRUNCATED_NORMAL),
         0, sqrt(3 / 500.0), 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Statistics s = statistics(rows[i].initializer, "m/w", shape);
        double most = fmax(fabs(s.low), fabs(s.high));
        cr_assert(fabs(s.mean - rows[i].mean) <= 0.01 * rows[i].deviation + 1e-9,
                  "%s: mean %g instead of %g", rows[i].name, s.mean, rows[i].mean);
        cr_assert(fabs(s.deviation - rows[i].deviation) <= 0.005 * rows[i].deviation + 1e-9,
                  "%s: deviation %g instead of %g", rows[i].name, s.deviation, rows[i].deviation);
        cr_assert(most <= rows[i].most * (1 + 1e-12), "%s: as far as %g", rows[i].name, most);
    }
    Statistics conv = statistics(gt_HeUniform(), "m/w", gt_shape(3, 3, 50, 200));
    cr_assert(fabs(conv.deviation - sqrt(2 / 450.0)) < 0.01 * sqrt(2 / 450.0),
              "a kernel's fan-in counts its receptive field: %g", conv.deviation);
    Statistics vector = statistics(gt_LecunUniform(), "m/w", gt_shape(100000));
    cr_assert(fabs(vector.high - sqrt(3 / 1e5)) < 0.01 * sqrt(3 / 1e5));

    /* The draw is the seed and the path: sharing one initializer gives no equal weights. */
    Statistics a = statistics(gt_GlorotUniform(), "m/a", shape),
               b = statistics(gt_GlorotUniform(), "m/b", shape),
               c = statistics(gt_GlorotUniform(), "m/a", shape),
               s1 = statistics(gt_GlorotUniform(.seed = 1), "m/a", shape),
               s2 = statistics(gt_GlorotUniform(.seed = 1), "other/a", shape);
    cr_assert(a.mean == c.mean && a.mean != b.mean && a.mean != s1.mean && s1.mean == s2.mean);
    gt_set_seed(7);
    Statistics seeded = statistics(gt_GlorotUniform(), "m/a", shape);
    cr_assert(seeded.mean != a.mean);

    gt_Spec matrix = {.dtype = GT_FLOAT32, .rank = 3, .size = 24, .dims = {2, 2, 6}};
    float q[24];
    cr_assert(gt_initialize(gt_Orthogonal(.gain = 2), "m/w", &matrix, q) == GT_OK);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double dot = 0;
            for (int k = 0; k < 6; k++)
                dot += (double)q[i * 6 + k] * (double)q[j * 6 + k];
            cr_assert(fabs(dot - (i == j ? 4 : 0)) < 1e-5, "row %d, row %d: %g", i, j, dot);
        }
    gt_initialize(gt_Orthogonal(), "m/w",
                  &(gt_Spec){.dtype = GT_FLOAT32, .rank = 1, .size = 4, .dims = {4}}, q);
    fails(GT_INVALID, "at least 2 dimensions");
    gt_initialize(gt_VarianceScaling(.scale = 0), "m/w", &matrix, q);
    fails(GT_INVALID, "variance_scaling: scale must be finite and > 0 (got 0)");
    gt_initialize(gt_IdentityInitializer(1), "m/w", &matrix, q);
    fails(GT_INVALID, "2 dimensions");
}

static gt_Status ramp(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    *(uint64_t *)context = stream;
    for (int64_t i = 0; i < spec->size; i++)
        ((float *)data)[i] = (float)i;
    return spec->size == 5 ? gt_fail(GT_INVALID, "no ramp of five") : GT_OK;
}

Test(layers, an_initializer_of_ones_own)
{
    uint64_t stream[3] = {0};
    for (int i = 0; i < 3; i++) { /* twice the same path, then another one */
        float ramped[3];
        gt_initialize(gt_initializer(ramp, &stream[i]), i < 2 ? "m/a" : "m/b",
                      &(gt_Spec){.dtype = GT_FLOAT32, .rank = 1, .size = 3, .dims = {3}}, ramped);
        ok("initialize");
        cr_assert(ramped[0] == 0 && ramped[2] == 2);
    }
    cr_assert(stream[0] == stream[1] && stream[0] != stream[2]);
    gt_Layer *dense = gt_Dense(1, .kernel_initializer = gt_initializer(ramp, &stream[0]));
    gt_build(dense, gt_shape(1, 5), GT_FLOAT32);
    fails(GT_INVALID, "no ramp of five");
    cr_assert(!gt_layer_built(dense), "a build that fails takes back what it made");
    gt_build(dense, gt_shape(1, 4), GT_FLOAT32);
    ok("another width");
    cr_assert_eq(gt_element(gt_variables(dense).items[0], 3), 3);
    gt_Dense(1, .kernel_initializer = gt_initializer(NULL, NULL));
    gt_error_clear();
}

/* The first numbers of a model do not depend on the order in which C evaluates arguments, and two
 * models do not start alike. */
Test(layers, first_numbers)
{
    gt_context_free(NULL); /* of the test before, where all run in one process */
    gt_Tensor *x = gt_uniform(gt_shape(2, 3));
    gt_Layer *a = gt_Sequential(gt_Dense(3), gt_Dense(3)),
             *b = gt_Sequential(gt_Dense(3), gt_Dense(3));
    gt_call(a, x);
    gt_call(b, x);
    ok("calls");
    const float *a0 = gt_float32_data(gt_variables(a).items[0]),
                *a1 = gt_float32_data(gt_variables(a).items[2]),
                *b0 = gt_float32_data(gt_variables(b).items[0]);
    cr_assert(memcmp(a0, a1, 36) != 0 && memcmp(a0, b0, 36) != 0);
    float kept[9];
    memcpy(kept, a0, sizeof kept);
    gt_context_free(NULL);
    x = gt_uniform(gt_shape(2, 3));
    a = gt_Sequential(gt_Dense(3), gt_Dense(3));
    gt_call(a, x);
    cr_assert(memcmp(kept, gt_float32_data(gt_variables(a).items[0]), 36) == 0,
              "the same program starts from the same numbers");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Ten thousand training steps leave variables and memory as they were, and after the first ones the
 * allocator is never called. */
Test(layers, memory_is_flat)
{
    gt_Layer *model =
        gt_Sequential(gt_Dense(16, .activation = gt_relu), gt_Dropout(0.1), gt_Dense(4));
    gt_Optimizer *adam = gt_Adam(1e-3);
    gt_Tensor *x = gt_uniform(gt_shape(8, 8)), *y = gt_uniform(gt_shape(8, 4));
    gt_MemoryStats before = {0}, after;
    double first = 0, last = 0;
    for (int i = 0; i < 10000; i++) {
        gt_Tape *tape = gt_tape_begin();
        gt_Tensor *loss = gt_mean_squared_error(y, gt_call(model, x, .training = true));
        gt_minimize(adam, tape, loss, gt_trainable_variables(model));
        last = gt_item(loss);
        gt_tape_end(tape);
        if (i == 10) {
            before = gt_memory_stats();
            first = last;
        }
    }
    ok("steps");
    after = gt_memory_stats();
    cr_assert(after.bytes_in_use == before.bytes_in_use && after.handles == before.handles &&
              after.records == before.records && after.variables == before.variables);
    cr_assert(after.allocator_calls == before.allocator_calls, "%lld calls of the allocator",
              (long long)(after.allocator_calls - before.allocator_calls));
    cr_assert(last < first, "the loss went from %g to %g", first, last);
}
