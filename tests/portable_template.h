/* The tests of test_portable.c for one element type: GT_DOUBLE is 0 or 1. Not a header of its own. */
#include "portable_types.h"

#include "kernels/portable/numbers.h"
#include "kernels/portable/exp.h"
#include "kernels/portable/log.h"
#include "kernels/portable/tanh.h"
#include "kernels/portable/sigmoid.h"
#include "kernels/portable/softplus.h"
#include "kernels/portable/gelu.h"
#include "kernels/portable/elementwise.h"
#include "kernels/portable/product.h"
#include "kernels/portable/sum.h"
#include "kernels/portable/softmax.h"
#include "kernels/portable/crossentropy.h"
#include "kernels/portable/sigmoid_crossentropy.h"
#include "kernels/portable/conv.h"
#include "kernels/portable/pooling.h"
#include "kernels/portable/sgd.h"
#include "kernels/portable/adagrad.h"
#include "kernels/portable/adam.h"
#include "kernels/portable/dropout.h"
#include "kernels/portable/copy.h"

#undef TYPE
#define TYPE (GT_DOUBLE ? GT_FLOAT64 : GT_FLOAT32)

static GT_REAL GT_P(made)[200000], GT_P(room)[20000];

/* Are they the bits of the tensor? Which NaN is left open. */
static void GT_P(compare)(const char *name, const GT_REAL *made, const gt_Tensor *right)
{
    const GT_REAL *wanted = gt_data(right);
    cr_assert(wanted, "%s: %s", name, gt_error_message());
    for (int64_t i = 0; i < gt_size(right); i++)
        cr_assert(made[i] != made[i] ? wanted[i] != wanted[i]
                                     : memcmp(&made[i], &wanted[i], sizeof *made) == 0,
                  "%s: element %d is %a, not %a", name, (int)i, (double)made[i], (double)wanted[i]);
}

static gt_Tensor *GT_P(special)(void)
{
    static const double values[] = {0,         -0.0, 1,     -1,      0.5,     -2.5, INFINITY,
                                    -INFINITY, NAN,  1e-42, -1e-310, 88.8,    -104, 709.9,
                                    -745.5,    1e30, -1e30, 0x1p-24, 0x1p-60, 17,   -30};
    static double numbers[4000];
    for (int i = 0; i < 4000; i++)
        numbers[i] = i < 21 ? values[i] : uniform() * (i % 3 ? 3 : 100);
    return gt_cast(gt_from_data(numbers, gt_shape(4000), GT_FLOAT64), TYPE);
}

PORTABLE_TEST(GT_P(elementwise))
{
    gt_Context *before = begin();
    gt_Tensor *x = GT_P(special)(), *other = gt_flip(x, .axis = 0), *pair[2];
#define UNARY(name)                                                                                \
    GT_P(loop_##name)(4000, gt_data(x), GT_P(made));                                               \
    GT_P(compare)(#name, GT_P(made), gt_apply_one(&gt_op_##name, NULL, 1, &x));
#define BINARY(name)                                                                               \
    pair[0] = x, pair[1] = other;                                                                  \
    GT_P(loop_##name)(4000, gt_data(x), 1, gt_data(other), 1, GT_P(made));                         \
    GT_P(compare)(#name, GT_P(made), gt_apply_one(&gt_op_##name, NULL, 2, pair));                  \
    pair[1] = gt_slice(x, gt_shape(3), gt_shape(1));                                               \
    GT_P(loop_##name)(4000, gt_data(x), 1, gt_data(pair[1]), 0, GT_P(made));                       \
    if (gt_apply_one(&gt_op_##name, NULL, 2, pair))                                                \
        GT_P(compare)(#name, GT_P(made), gt_apply_one(&gt_op_##name, NULL, 2, pair));              \
    else                                                                                           \
        gt_error_clear(); /* operands of one shape only */
    UNARY(negative)
    UNARY(abs)
    UNARY(sign) UNARY(square) UNARY(sqrt) UNARY(rsqrt) UNARY(reciprocal) UNARY(floor) UNARY(ceil)
        UNARY(round) UNARY(trunc) UNARY(relu) UNARY(one_minus_square) UNARY(exp) UNARY(log)
            UNARY(log1p) UNARY(tanh) UNARY(sigmoid) UNARY(softplus) BINARY(add) BINARY(subtract)
                BINARY(multiply) BINARY(divide) BINARY(maximum) BINARY(minimum)
                    BINARY(divide_no_nan) BINARY(relu_gradient) BINARY(tanh_gradient)
                        BINARY(sigmoid_gradient)
#undef UNARY
#undef BINARY
                            GT_P(loop_gelu)(4000, gt_data(x), GT_P(made));
    GT_P(compare)("gelu", GT_P(made), gt_gelu(x));
    end(before);
}

PORTABLE_TEST(GT_P(product))
{
    gt_Context *before = begin();
    static const int shapes[][3] = {{3, 5, 7},     {2, 9, 384},   {2, 9, 385},  {3, 4, 256},
                                    {3, 4, 257},   {2, 9, 400},   {4, 6, 1000}, {9, 17, 129},
                                    {2, 3, 25000}, {3, 2, 60000}, {5, 4, 0}};
    for (int i = 0; i < 11; i++) {
        int m = shapes[i][0], n = shapes[i][1], k = shapes[i][2];
        gt_Tensor *a, *b, *at, *bt;
        fill(&a, gt_shape(m, k), TYPE, 1);
        fill(&b, gt_shape(k, n), TYPE, 1);
        GT_P(product)(m, n, k, gt_data(a), k, 1, gt_data(b), n, 1, GT_P(made), n);
        GT_P(compare)("product", GT_P(made), gt_matmul(a, b));
        at = gt_transpose(a);
        bt = gt_transpose(b);
        GT_P(product)(m, n, k, gt_data(at), 1, m, gt_data(bt), 1, k, GT_P(made), n);
        GT_P(compare)
        ("product of transposed operands", GT_P(made),
         gt_matmul(at, bt, .transpose_a = true, .transpose_b = true));
    }
    end(before);
}

PORTABLE_TEST(GT_P(sum))
{
    gt_Context *before = begin();
    static const int sizes[] = {1,   2,   3,    10,   31,   32,   33,   63,   64,   65,   127,
                                128, 200, 1000, 1024, 1100, 4095, 4096, 4097, 9000, 20000};
    for (int i = 0; i < 21; i++) {
        gt_Tensor *x, *y;
        int n = sizes[i];
        fill(&x, gt_shape(2, n), TYPE, 1);
        for (int r = 0; r < 2; r++)
            GT_P(made)[r] = (GT_REAL)GT_P(sum_row)(n, (const GT_REAL *)gt_data(x) + r * n);
        GT_P(compare)("sum of rows", GT_P(made), gt_sum(x, .axis = 1));
        fill(&y, gt_shape(n, 3), TYPE, 1);
        for (int j = 0; j < 3; j++)
            GT_P(made)[j] = (GT_REAL)GT_P(sum_column)(n, 3, (const GT_REAL *)gt_data(y) + j);
        GT_P(compare)("sum of columns", GT_P(made), gt_sum(y, .axis = 0));
        for (int j = 0; j < 3; j++)
            GT_P(made)[j] = (GT_REAL)(GT_P(sum_column)(n, 3, (const GT_REAL *)gt_data(y) + j) / n);
        GT_P(compare)("mean of columns", GT_P(made), gt_mean(y, .axis = 0));
    }
    end(before);
}

PORTABLE_TEST(GT_P(softmax))
{
    gt_Context *before = begin();
    static const int sizes[] = {1, 3, 10, 31, 32, 40, 700, 1024, 1025, 3000};
    for (int i = 0; i < 10; i++) {
        gt_Tensor *x;
        fill(&x, gt_shape(5, sizes[i]), TYPE, 8);
        GT_P(softmax)(5, sizes[i], gt_data(x), GT_P(made));
        GT_P(compare)("softmax", GT_P(made), gt_softmax(x));
        GT_P(log_softmax)(5, sizes[i], gt_data(x), GT_P(made));
        GT_P(compare)("log_softmax", GT_P(made), gt_log_softmax(x));
    }
    end(before);
}

PORTABLE_TEST(GT_P(crossentropy))
{
    gt_Context *before = begin();
    static const int32_t labels[] = {0, 9, 3, 3, 7, 1};
    gt_Tensor *x, *g, *t, *label = gt_from_data(labels, gt_shape(6), GT_INT32), *in[3];
    fill(&x, gt_shape(6, 10), TYPE, 5);
    fill(&g, gt_shape(6), TYPE, 2);
    t = gt_one_hot(label, 10, .dtype = TYPE);
    in[0] = label, in[1] = x, in[2] = g;
    GT_P(sparse_crossentropy)(6, 10, labels, -1, gt_data(x), GT_P(made), GT_P(room));
    GT_P(compare)
    ("sparse", GT_P(made), gt_apply_one(&gt_op_sparse_softmax_crossentropy, NULL, 2, in));
    GT_P(sparse_crossentropy_gradient)(6, 10, labels, -1, gt_data(x), gt_data(g), GT_P(made));
    GT_P(compare)
    ("its gradient", GT_P(made),
     gt_apply_one(&gt_op_sparse_softmax_crossentropy_gradient, NULL, 3, in));
    in[0] = gt_add(gt_multiply(t, 0.7), 0.03);
    GT_P(crossentropy)(6, 10, gt_data(in[0]), gt_data(x), GT_P(made), GT_P(room));
    GT_P(compare)
    ("crossentropy", GT_P(made), gt_apply_one(&gt_op_softmax_crossentropy, NULL, 2, in));
    GT_P(sigmoid_crossentropy)(60, gt_data(in[0]), gt_data(x), GT_P(made));
    GT_P(compare)("of sigmoid", GT_P(made), gt_apply_one(&gt_op_sigmoid_crossentropy, NULL, 2, in));
    end(before);
}

static void GT_P(check_conv)(gt_Shape in, int size, int groups, int b, int stride, int dilation,
                             bool same)
{
    gt_Tensor *x, *k, *y, *u;
    int a = (int)(in.dims[3] / groups);
    fill(&x, in, TYPE, 1);
    fill(&k, gt_shape(size, size, a, b * groups), TYPE, 1);
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, x);
    gt_watch(tape, k);
    gt_conv_options options =
        GT_VALUES(gt_conv_options, gt_shape(stride), same ? GT_PADDING_SAME : GT_PADDING_VALID, gt_shape(dilation), groups);
    y = gt_conv_at(NULL, x, k, &options);
    gt_Shape out = gt_tensor_shape(y);
    gt_window w = window_of(in, out, size, stride, dilation, same);
    fill(&u, out, TYPE, 1);
    GT_P(conv)(&w, groups, a, b, gt_data(x), gt_data(k), GT_P(made));
    GT_P(compare)("conv", GT_P(made), y);
    GT_P(conv_input_gradient)(&w, groups, a, b, gt_data(u), gt_data(k), GT_P(made));
    GT_P(compare)("its gradient in x", GT_P(made), gradient_of(tape, y, u, x));
    const gt_ConvJob job = kernel_gradient_job(x, k, y, &options);
    GT_P(conv_kernel_gradient)
    (&w, groups, a, b, (gt_size)job.cuts, (gt_size)job.wide, (gt_size)job.tile_units,
     (gt_size)job.block_units, (gt_size)job.slice, gt_data(x), gt_data(u), GT_P(made));
    GT_P(compare)("its gradient in k", GT_P(made), gradient_of(tape, y, u, k));
    gt_tape_end(tape);
}

PORTABLE_TEST(GT_P(conv))
{
    gt_Context *before = begin();
    GT_P(check_conv)(gt_shape(2, 7, 6, 3), 3, 1, 5, 1, 1, false);
    GT_P(check_conv)(gt_shape(2, 7, 6, 3), 3, 1, 4, 2, 1, true);
    GT_P(check_conv)(gt_shape(1, 9, 8, 2), 3, 1, 4, 1, 2, true);
    GT_P(check_conv)(gt_shape(2, 6, 5, 6), 2, 3, 2, 1, 1, true);
    GT_P(check_conv)(gt_shape(2, 5, 5, 3), 1, 1, 4, 1, 1, false);
    GT_P(check_conv)(gt_shape(1, 9, 8, 70), 3, 1, 2, 1, 1, false);
    GT_P(check_conv)(gt_shape(1, 9, 8, 6), 3, 6, 1, 1, 1, true);  /* depthwise */
    GT_P(check_conv)(gt_shape(1, 9, 8, 6), 3, 6, 1, 3, 1, false);
    GT_P(check_conv)(gt_shape(1, 9, 8, 2), 2, 1, 3, 3, 1, true);  /* positions that nothing reads */
    GT_P(check_conv)(gt_shape(2, 9, 7, 2), 3, 1, 3, 3, 1, false);
    GT_P(check_conv)(gt_shape(1, 9, 4, 3), 3, 1, 5, 1, 4, true);  /* taps that read nothing */
    GT_P(check_conv)(gt_shape(1, 9, 4, 4), 4, 4, 1, 1, 5, true);
    GT_P(check_conv)(gt_shape(2, 5, 4, 3), 3, 1, 5, 1, 1000000000, true);
    GT_P(check_conv)(gt_shape(1, 3, 4, 900), 3, 1, 2, 1, 3, true); /* and parts */
    GT_P(check_conv)(gt_shape(1, 6, 5, 500), 3, 1, 3, 1, 1, true); /* parts of the columns */
    GT_P(check_conv)(gt_shape(1, 100, 100, 1), 3, 1, 2, 1, 1, false); /* blocks of positions */
    GT_P(check_conv)(gt_shape(3, 200, 140, 1), 2, 1, 2, 1, 1, false); /* parts of the blocks */
    GT_P(check_conv)(gt_shape(1, 7, 6000, 1), 3, 1, 2, 1, 1, true); /* pieces of lines */
    end(before);
}

static void GT_P(check_pool)(gt_Shape in, int size, int stride, bool same, bool ties)
{
    gt_Tensor *x, *y, *u;
    fill(&x, in, TYPE, 3);
    if (ties)
        x = gt_round(gt_multiply(x, 0.3)); /* zeros of both signs among them */
    gt_Padding padding = same ? GT_PADDING_SAME : GT_PADDING_VALID;
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, x);
    y = gt_max_pool(x, gt_shape(size), .strides = gt_shape(stride), .padding = padding);
    gt_window w = window_of(in, gt_tensor_shape(y), size, stride, 1, same);
    fill(&u, gt_tensor_shape(y), TYPE, 1);
    GT_P(max_pool)(&w, in.dims[3], gt_data(x), GT_P(made));
    GT_P(compare)("max_pool", GT_P(made), y);
    GT_P(max_pool_gradient)(&w, in.dims[3], gt_data(x), gt_data(u), GT_P(made));
    GT_P(compare)("max_pool_gradient", GT_P(made), gradient_of(tape, y, u, x));
    y = gt_average_pool(x, gt_shape(size), .strides = gt_shape(stride), .padding = padding);
    GT_P(average_pool)(&w, in.dims[3], gt_data(x), GT_P(made));
    GT_P(compare)("average_pool", GT_P(made), y);
    GT_P(average_pool_gradient)(&w, in.dims[3], gt_data(u), GT_P(made));
    GT_P(compare)("average_pool_gradient", GT_P(made), gradient_of(tape, y, u, x));
    gt_tape_end(tape);
}

PORTABLE_TEST(GT_P(pooling))
{
    gt_Context *before = begin();
    GT_P(check_pool)(gt_shape(2, 6, 7, 3), 2, 2, false, false);
    GT_P(check_pool)(gt_shape(2, 7, 6, 3), 3, 2, true, true);
    GT_P(check_pool)(gt_shape(1, 11, 9, 2), 5, 1, true, false);
    end(before);
}

static void GT_P(check_update)(gt_Optimizer *optimizer, int steps, bool adam, bool third,
                               double decay, double momentum, bool nesterov)
{
    static GT_REAL w[100], m[100], v[100], h[100];
    gt_Tensor *first, *g;
    fill(&first, gt_shape(100), TYPE, 1);
    gt_Variable *variable = gt_variable(first);
    memcpy(w, gt_data(first), sizeof w);
    memset(m, 0, sizeof m), memset(v, 0, sizeof v), memset(h, 0, sizeof h);
    for (int t = 1; t <= steps; t++) {
        fill(&g, gt_shape(100), TYPE, 1);
        gt_apply_gradients(optimizer, gt_tensors(variable), &g);
        if (adam)
            GT_P(adam)
        (100, t, w, m, v, third ? h : NULL, gt_data(g), (double)0.01, 0.9, 0.999, 1e-7, decay);
        else GT_P(sgd)(100, w, momentum > 0 ? m : NULL, gt_data(g), (double)0.01, momentum, decay,
                       nesterov);
    }
    GT_P(compare)(adam ? "adam" : "sgd", w, variable);
    gt_variable_free(variable);
}

static void GT_P(check_adagrad)(double decay)
{
    static GT_REAL w[100], a[100];
    gt_Tensor *first, *g;
    gt_Optimizer *adagrad = gt_Adagrad(0.05, .initial_accumulator_value = 0.2, .epsilon = 1e-3,
                                       .weight_decay = decay > 0 ? decay : GT_NONE);
    fill(&first, gt_shape(100), TYPE, 1);
    gt_Variable *variable = gt_variable(first);
    memcpy(w, gt_data(first), sizeof w);
    for (int i = 0; i < 100; i++)
        a[i] = (GT_REAL)0.2;
    for (int t = 0; t < 4; t++) {
        fill(&g, gt_shape(100), TYPE, 1);
        gt_apply_gradients(adagrad, gt_tensors(variable), &g);
        GT_P(adagrad)(100, w, a, gt_data(g), (double)0.05, 1e-3, decay);
    }
    GT_P(compare)("adagrad", w, variable);
    gt_variable_free(variable);
}

PORTABLE_TEST(GT_P(updates))
{
    gt_Context *before = begin();
    GT_P(check_update)(gt_SGD(0.01), 4, false, false, 0, 0, false);
    GT_P(check_update)(gt_SGD(0.01, .momentum = 0.9), 4, false, false, 0, 0.9, false);
    GT_P(check_update)
    (gt_SGD(0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1), 4, false, false, 0.1,
     0.9, true);
    GT_P(check_adagrad)(0);
    GT_P(check_adagrad)(0.1);
    GT_P(check_update)(gt_Adam(0.01), 9, true, false, 0, 0, false);
    GT_P(check_update)(gt_Adam(0.01, .amsgrad = true), 9, true, true, 0, 0, false);
    GT_P(check_update)(gt_AdamW(0.01, .weight_decay = 0.02), 9, true, false, 0.02, 0, false);
    end(before);
}

PORTABLE_TEST(GT_P(dropout))
{
    gt_Context *before = begin();
    gt_Variable *generator = gt_generator(7);
    for (int round = 0; round < 3; round++) {
        int64_t now[2];
        gt_Tensor *x;
        fill(&x, gt_shape(700), TYPE, 1);
        memcpy(now, gt_data(generator), sizeof now);
        GT_P(dropout)(700, now, 0.3f, 1 / (1 - 0.3), gt_data(x), GT_P(made));
        GT_P(compare)("dropout", GT_P(made), gt_dropout(x, 0.3, .generator = generator));
    }
    end(before);
}

PORTABLE_TEST(GT_P(copy))
{
    gt_Context *before = begin();
    gt_Tensor *x, *y;
    fill(&x, gt_shape(3, 4, 5), TYPE, 1);
    GT_P(copy)
    (3, (gt_size[]){5, 3, 4}, gt_data(x), (gt_size[]){1, 20, 5}, GT_P(made), (gt_size[]){12, 4, 1});
    GT_P(compare)("a transposition", GT_P(made), gt_transpose(x, .perm = gt_axes(2, 0, 1)));
    GT_P(fill)(7 * 5, 0, GT_P(made));
    GT_P(copy)
    (2, (gt_size[]){4, 5}, gt_data(x), (gt_size[]){5, 1}, GT_P(made) + 10, (gt_size[]){5, 1});
    GT_P(compare)
    ("a padded part", GT_P(made),
     gt_pad(gt_reshape(gt_slice(x, gt_shape(0, 0, 0), gt_shape(1, 4, 5)), gt_shape(4, 5)),
            gt_shape(2, 0), gt_shape(1, 0)));
    y = gt_greater(x, 0);
    GT_P(select)(60, gt_data(y), 1, gt_data(x), 1, gt_data(x), 0, GT_P(made));
    GT_P(compare)
    ("a choice", GT_P(made),
     gt_where(y, x, gt_reshape(gt_slice(x, gt_shape(0, 0, 0), gt_shape(1, 1, 1)), gt_shape())));
    end(before);
}
