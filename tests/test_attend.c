/* Attention as one operation: the numbers and gradients of its composition, which is what runs where the weights are asked for,
 * on every instruction set, for lengths around every block; the same bits for any number of threads, eagerly and in plans. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok() cr_assert(gt_status() == GT_OK, "%s", gt_error_message())

static const char *const sets[] = {"base", "v3", "v4"};

enum { NO_MASK, OF_ALL, OF_KEYS, OF_QUERIES, MASKS };

/* One call. `composed`: with weights. */
typedef struct Call {
    bool composed, causal;
    int mask;
    int64_t batch, queries, keys, heads, key_heads, width, wide;
} Call;

enum { QUERY, KEY, VALUE, ARGUMENTS, RESULTS = 1 + ARGUMENTS };

static gt_Tensor *numbers(gt_Shape shape, double start, gt_DType dtype)
{
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    gt_Tensor *x = gt_arange(0, (double)n, 1, .dtype = GT_FLOAT64);
    return gt_cast(gt_reshape(gt_multiply(gt_sin(gt_multiply(gt_add(x, start), 1.3)), 1.5), shape),
                   dtype);
}

static void arguments(const Call *c, gt_DType dtype, gt_Tensor **in)
{
    in[QUERY] = numbers(gt_shape(c->batch, c->queries, c->heads, c->width), 0, dtype);
    in[KEY] = numbers(gt_shape(c->batch, c->keys, c->key_heads, c->width), 5, dtype);
    in[VALUE] = numbers(gt_shape(c->batch, c->keys, c->key_heads, c->wide), 9, dtype);
}

/* Every third is left out, and a whole row here and there. */
static gt_Tensor *flags(gt_Shape shape)
{
    gt_Tensor *x = numbers(shape, 2, GT_FLOAT64);
    gt_Tensor *rows = numbers(gt_shape(shape.dims[shape.rank - 2], 1), 4, GT_FLOAT64);
    return gt_logical_and(gt_less(x, 0.8), gt_less(rows, 1.3));
}

static gt_Tensor *run(const Call *c, gt_Tensor *const *in)
{
    gt_Tensor *weights, *mask = NULL, *keys = NULL, *queries = NULL;
    if (c->mask == OF_ALL)
        mask = flags(gt_shape(c->batch, 1, c->queries, c->keys));
    if (c->mask == OF_KEYS)
        keys = flags(gt_shape(c->batch, c->keys));
    if (c->mask == OF_QUERIES)
        queries = flags(gt_shape(c->batch, c->queries));
    return gt_dot_product_attention(in[QUERY], in[KEY], in[VALUE], .mask = mask, .value_mask = keys,
                                    .query_mask = queries, .is_causal = c->causal, .scale = 0.6,
                                    .weights = c->composed ? &weights : NULL);
}

static gt_Tensor *loss_of(gt_Tensor *y)
{
    return gt_sum(gt_multiply(gt_sin(y), numbers(gt_tensor_shape(y), 2, gt_dtype(y))));
}

/* The result and the gradients of the arguments. */
static void all_of(const Call *c, gt_Tensor *const *in, gt_Tensor **result)
{
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < ARGUMENTS; i++)
        gt_watch(tape, in[i]);
    result[0] = run(c, in);
    gt_gradients(tape, gt_tensors(loss_of(result[0])),
                 ((gt_Tensors){(gt_Tensor **)(uintptr_t)in, ARGUMENTS}), result + 1);
    for (int i = 0; i < RESULTS; i++)
        gt_keep(result[i]);
    gt_tape_end(tape);
    assert_ok();
}

static double distance(gt_Tensor *a, gt_Tensor *b)
{
    double most =
        gt_item(gt_max(gt_abs(gt_subtract(gt_cast(a, GT_FLOAT64), gt_cast(b, GT_FLOAT64)))));
    assert_ok();
    return most;
}

static void compare(Call c)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *in[ARGUMENTS], *fused[RESULTS], *composed[RESULTS], *single[RESULTS];
    arguments(&c, GT_FLOAT64, in);
    all_of(&c, in, fused);
    c.composed = true;
    all_of(&c, in, composed);
    c.composed = false;
    arguments(&c, GT_FLOAT32, in);
    all_of(&c, in, single);
    for (int i = 0; i < RESULTS; i++) {
        double size = 1 + gt_item(gt_max(gt_abs(composed[i])));
        double apart = distance(fused[i], composed[i]) / size;
        double wide = distance(single[i], composed[i]) / size;
        cr_expect(apart < 1e-12 && wide < 1e-5,
                  "causal %d mask %d queries %d keys %d heads %d of %d width %d, result %d: %g, in "
                  "float32 %g",
                  c.causal, c.mask, (int)c.queries, (int)c.keys, (int)c.heads, (int)c.key_heads,
                  (int)c.width, i, apart, wide);
    }
    gt_scope_end(scope);
}

/* On each instruction set there is, in a context of its own. */
static void on_each_set(void (*body)(void))
{
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        setenv("GT_ISA", sets[k], 1);
        gt_context_free(NULL);
        body();
        assert_ok();
    }
    unsetenv("GT_ISA");
    gt_context_free(NULL);
    assert_no_leaks();
}

static void masks_and_heads(void)
{
    for (int mask = 0; mask < MASKS; mask++)
        for (int causal = 0; causal < 2; causal++)
            for (int64_t share = 1; share <= 2; share++)
                compare((Call){.causal = causal,
                               .mask = mask,
                               .batch = 2,
                               .queries = 5,
                               .keys = 7,
                               .heads = 4,
                               .key_heads = 4 / share,
                               .width = 3,
                               .wide = 5});
}

Test(attend, masks_and_heads)
{
    on_each_set(masks_and_heads);
}

static void lengths_around_blocks(void)
{
    static const int64_t lengths[] = {1, 2, 31, 32, 33, 64, 129, 300};
    enum { N = sizeof lengths / sizeof *lengths };
    for (int causal = 0; causal < 2; causal++) {
        for (int i = 0; i < N; i++) {
            Call c = {.causal = causal,
                      .batch = 1,
                      .queries = lengths[i],
                      .keys = lengths[i],
                      .heads = 2,
                      .key_heads = 2,
                      .width = 8,
                      .wide = 8};
            compare(c);
            c.keys = lengths[(i + 3) % N]; /* fewer and more than queries */
            c.key_heads = 1;
            c.wide = 17;
            compare(c);
        }
        for (int mask = OF_ALL; mask < MASKS; mask++)
            compare((Call){.causal = causal,
                           .mask = mask,
                           .batch = 2,
                           .queries = 70,
                           .keys = 70,
                           .heads = 1,
                           .key_heads = 1,
                           .width = 33,
                           .wide = 4});
    }
}

Test(attend, lengths)
{
    on_each_set(lengths_around_blocks);
}

/* ---- bits ---- */

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    all_of(context, inputs, outputs);
    return gt_status();
}

/* float32, six heads of two blocks each. */
Test(attend, threads_and_plans)
{
    Call c = {.causal = true,
              .batch = 3,
              .queries = 150,
              .keys = 150,
              .heads = 2,
              .key_heads = 2,
              .width = 16,
              .wide = 16};
    char *first[RESULTS] = {NULL};
    for (int threads = 1; threads <= 3; threads++) {
        gt_set_threads(threads);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[ARGUMENTS], *result[RESULTS], *planned[RESULTS];
        arguments(&c, GT_FLOAT32, in);
        all_of(&c, in, result);
        gt_Function *function = gt_function(traced, &c, .outputs = RESULTS);
        gt_function_call(function, ((gt_Tensors){in, ARGUMENTS}), planned);
        assert_ok();
        for (int i = 0; i < RESULTS; i++) {
            size_t bytes = (size_t)gt_size(result[i]) * sizeof(float);
            if (!first[i])
                memcpy(first[i] = malloc(bytes), gt_data(result[i]), bytes);
            cr_expect(memcmp(first[i], gt_data(result[i]), bytes) == 0, "%d threads, result %d",
                      threads, i);
            cr_expect(memcmp(first[i], gt_data(planned[i]), bytes) == 0,
                      "%d threads, plan, result %d", threads, i);
        }
        gt_function_free(function);
        gt_scope_end(scope);
    }
    for (int i = 0; i < RESULTS; i++)
        free(first[i]);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- higher orders ---- */

static void two_orders(const Call *c, gt_Tensor *const *in, int which, gt_Tensor **order)
{
    gt_Tape *second = gt_tape_begin();
    gt_watch(second, in[which]);
    gt_Tape *first = gt_tape_begin();
    gt_watch(first, in[which]);
    order[0] = gt_gradient(first, loss_of(run(c, in)), in[which]);
    gt_tape_end(first);
    order[1] = gt_gradient(second, gt_multiply(gt_sum(gt_square(order[0])), 0.5), in[which]);
    for (int i = 0; i < 2; i++)
        gt_keep(order[i]);
    gt_tape_end(second);
    assert_ok();
}

Test(attend, second_order)
{
    for (int mask = 0; mask < MASKS; mask++)
        for (int which = 0; which < ARGUMENTS; which++) {
            gt_Scope *scope = gt_scope_begin();
            Call c = {.causal = true,
                      .mask = mask,
                      .batch = 1,
                      .queries = 4,
                      .keys = 4,
                      .heads = 2,
                      .key_heads = 1,
                      .width = 3,
                      .wide = 2};
            gt_Tensor *in[ARGUMENTS], *fused[2], *composed[2];
            arguments(&c, GT_FLOAT64, in);
            two_orders(&c, in, which, fused);
            c.composed = true;
            two_orders(&c, in, which, composed);
            for (int i = 0; i < 2; i++) {
                double size = gt_item(gt_max(gt_abs(composed[i])));
                cr_expect(size > 1e-6 && distance(fused[i], composed[i]) < 1e-12 * (1 + size),
                          "mask %d, argument %d, order %d: %g of %g", mask, which, i + 1,
                          distance(fused[i], composed[i]), size);
            }
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- the layer ---- */

static gt_Status calls_layer(void *layer, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = gt_call(layer, inputs[0], .more = gt_tensors(inputs[0]));
    return gt_status();
}

/* MultiHeadAttention takes the operation: it is in its plan. */
Test(attend, layer)
{
    gt_Layer *layer = gt_MultiHeadAttention(2, 4, .use_causal_mask = true);
    gt_Tensor *x = numbers(gt_shape(2, 5, 4), 0, GT_FLOAT32), *y;
    gt_call(layer, x, .more = gt_tensors(x));
    gt_Function *function = gt_function(calls_layer, layer);
    gt_function_call(function, gt_tensors(x), &y);
    assert_ok();
    cr_expect(strstr(gt_function_print(function), "attend"), "%s", gt_function_print(function));
    gt_function_free(function);
    gt_layer_free(layer);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* No key, and a mask of as many: nothing is read of it. */
Test(attend, no_keys)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *key = gt_ones(gt_shape(1, 0, 1, 1));
    gt_Tensor *mask = gt_cast(gt_ones(gt_shape(1, 1, 1, 0)), GT_BOOL);
    gt_Tensor *y = gt_dot_product_attention(gt_ones(gt_shape(1, 1, 1, 1)), key, key, .mask = mask);
    cr_expect(gt_status() == GT_OK && gt_item(y) == 0, "%s", gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
}
