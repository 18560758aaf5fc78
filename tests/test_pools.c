/* The pass that pools the tiles of a convolution (plan/passes/pools.c): whole steps planned against the same steps eagerly, bit for
 * bit, in tiles that are images, several of them, or parts of one; and what must keep it from doing so. */
#include <criterion/criterion.h>

#include "gradtape.h"
#undef GT_HERE
#define GT_HERE "test_pools.c"

#include "leaks.h"

#include <math.h>
#include <string.h>

typedef enum Reads { NOTHING_ELSE, READS_BETWEEN, READS_SUM, READS_SLOPE } Reads;

typedef struct Step {
    gt_Shape window, strides, conv_strides;
    bool bias, relu;
    Reads reads;
    const char *name; /* stands in the printed plan; NULL: "+max_pool" does not */
} Step;

/* The maxima, the gradients of image and kernel, and of what else is read. */
static gt_Status step(void *user, gt_Tensor *const *in, gt_Tensor **out)
{
    const Step *s = user;
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < 3; i++)
        gt_watch(tape, in[i]);
    gt_Tensor *h = gt_conv(in[0], in[1], .strides = s->conv_strides, .padding = GT_PADDING_SAME);
    h = s->bias ? gt_add(h, in[2]) : h;
    gt_Tensor *sum = h;
    h = s->relu ? gt_relu(h) : h;
    gt_Tensor *y = gt_max_pool(h, s->window, .strides = s->strides);
    gt_Tensor *loss = gt_sum(gt_multiply(y, gt_sin(y)));
    if (s->reads == READS_BETWEEN)
        loss = gt_add(loss, gt_sum(h));
    if (s->reads == READS_SUM)
        loss = gt_add(loss, gt_sum(sum));
    gt_Tensor *gradients[3];
    gt_gradients(tape, gt_tensors(loss),
                 gt_tensors(in[0], in[1],
                            s->reads == READS_SLOPE ? h
                            : s->bias               ? in[2]
                                                    : y),
                 gradients);
    out[0] = gt_keep(y);
    out[1] = gt_keep(gradients[0]);
    out[2] = gt_keep(gradients[1]);
    out[3] = gt_keep(gradients[2]);
    gt_tape_end(tape);
    return gt_status();
}

/* Few different numbers, so that some are equal, some 0, and some NaN. */
static gt_Tensor *numbers(gt_Shape shape, gt_DType dtype)
{
    gt_Tensor *x = gt_round(gt_uniform(shape, .low = -2, .high = 2, .dtype = dtype));
    return gt_where(gt_greater(gt_uniform(shape), 0.999), gt_full_like(x, NAN), x);
}

static void same_bits(const Step *given, gt_Shape image, gt_Shape kernel, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    Step s = *given;
    gt_Tensor *in[3] = {numbers(image, dtype), numbers(kernel, dtype),
                        numbers(gt_shape(kernel.dims[kernel.rank - 1]), dtype)};
    gt_Tensor *eager[4], *planned[4];
    gt_Function *function = gt_function(step, &s, .outputs = 4);
    cr_assert_eq(step(&s, in, eager), GT_OK, "%s", gt_error_message());
    for (int threads = 1; threads <= 3; threads += 2) {
        gt_set_threads(threads);
        cr_assert_eq(gt_function_call(function, ((gt_Tensors){in, 3}), planned), GT_OK, "%s",
                     gt_error_message());
        for (int i = 0; i < 4; i++)
            cr_assert_eq(memcmp(gt_data(eager[i]), gt_data(planned[i]),
                                (size_t)gt_size(eager[i]) * gt_dtype_size(dtype)),
                         0, "output %d of %s, %d threads", i, s.name ? s.name : "none", threads);
    }
    gt_set_threads(1);
    const char *text = gt_function_print(function);
    cr_assert((strstr(text, s.name ? s.name : "+max_pool") != NULL) == (s.name != NULL), "%s",
              text);
    cr_assert((strstr(text, "pool_spread") != NULL) == (s.name != NULL), "%s", text);
    gt_function_free(function);
    gt_scope_end(scope);
}

static void in_both_types(const Step *s, gt_Shape image, gt_Shape kernel)
{
    same_bits(s, image, kernel, GT_FLOAT32);
    same_bits(s, image, kernel, GT_FLOAT64);
}

Test(pools, steps)
{
    const gt_Shape two = gt_shape(2), one = gt_shape(1), none = gt_shape();
    const Step full = {two, none, one, true, true, NOTHING_ELSE, "conv+add+relu+max_pool"};
    const Step without[] = {{two, none, one, true, false, NOTHING_ELSE, "conv+add+max_pool"},
                            {two, none, one, false, true, NOTHING_ELSE, "conv+relu+max_pool"},
                            {two, none, two, false, false, NOTHING_ELSE, "conv+max_pool"},
                            {two, gt_shape(3), one, true, true, NOTHING_ELSE, full.name},
                            {gt_shape(1, 4), none, one, true, true, NOTHING_ELSE, full.name},
                            {gt_shape(4, 1), none, one, true, true, NOTHING_ELSE, full.name}};
    /* Channels around the vectors; images that a tile has one of, many of, a part of; lines beyond the windows. */
    static const int channels[] = {1, 3, 8, 15, 16, 17, 31, 32, 33, 64, 70};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        in_both_types(&full, gt_shape(3, 10, 9, 2), gt_shape(3, 3, 2, channels[i]));
    in_both_types(&full, gt_shape(70, 7, 6, 3), gt_shape(3, 3, 3, 5));
    in_both_types(&full, gt_shape(2, 28, 28, 1), gt_shape(3, 3, 1, 32));
    in_both_types(&full, gt_shape(2, 64, 64, 1), gt_shape(3, 3, 1, 16));
    in_both_types(&full, gt_shape(4, 48, 60, 2), gt_shape(2, 3, 2, 4));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        in_both_types(&without[i], gt_shape(3, 24, 23, 2), gt_shape(3, 3, 2, 20));
        in_both_types(&without[i], gt_shape(2, 60, 48, 2), gt_shape(3, 3, 2, 6));
    }
    /* One axis, three axes. */
    const Step line = {gt_shape(4), none, one, true, true, NOTHING_ELSE, full.name};
    in_both_types(&line, gt_shape(9, 50, 3), gt_shape(3, 3, 18));
    const Step solid = {gt_shape(2, 1, 2), none, one, true, true, NOTHING_ELSE, full.name};
    in_both_types(&solid, gt_shape(5, 6, 5, 4, 2), gt_shape(3, 3, 3, 2, 7));
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Windows that overlap, leave the image, have other numbers of places; values that others read; tiles that cross a window. */
Test(pools, not_these)
{
    const gt_Shape two = gt_shape(2), one = gt_shape(1), none = gt_shape();
    const Step steps[] = {{gt_shape(3), none, one, true, true, NOTHING_ELSE, NULL},
                          {two, one, one, true, true, NOTHING_ELSE, NULL},
                          {two, none, one, true, true, READS_BETWEEN, NULL},
                          {two, none, one, true, true, READS_SUM, NULL},
                          {two, none, one, true, true, READS_SLOPE, NULL}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        in_both_types(&steps[i], gt_shape(2, 9, 8, 2), gt_shape(3, 3, 2, 5));
    const Step full = {two, none, one, true, true, NOTHING_ELSE, NULL};
    in_both_types(&full, gt_shape(2, 75, 75, 1), gt_shape(3, 3, 1, 2));  /* 75 lines, in parts */
    in_both_types(&full, gt_shape(1, 12, 300, 2), gt_shape(2, 3, 2, 4)); /* one line */
    in_both_types(&full, gt_shape(1, 2, 2100, 1), gt_shape(1, 3, 1, 2)); /* lines in pieces */
    gt_context_free(NULL);
    assert_no_leaks();
}
