/* What only large tensors show: work that is cut over threads gives the same bits for any number of
 * them, and so do very large products, whoever computes them. Apart from test_core.c because
 * valgrind would need minutes for it. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "core/structs.h"
#include "gradtape.h"
#include "leaks.h"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())

enum { LARGE = 3 << 18 };

/* What large operations give, one after the other. */
static size_t large_results(char *into)
{
    size_t bytes = 0;
    gt_Scope *scope = gt_scope_begin();
    gt_set_seed(3);
    gt_Tensor *x = gt_normal(gt_shape(LARGE));
    gt_Tensor *rows = gt_reshape(x, gt_shape(768, 1024));
    gt_Tensor *list[] = {
        gt_add(gt_exp(x), gt_multiply(x, x)),
        gt_sum(x),
        gt_sum(rows, .axis = 0),
        gt_mean(rows, .axis = 1),
        gt_max(rows, .axis = 0),
        gt_softmax(rows),
        gt_matmul(rows, gt_transpose(rows)),
        gt_transpose(rows),
        gt_tanh(gt_cast(rows, GT_FLOAT64)),
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        ok();
        const gt_Spec spec = gt_spec(list[i]);
        memcpy(into + bytes, gt_data(list[i]), gt_spec_bytes(&spec));
        bytes += gt_spec_bytes(&spec);
    }
    gt_scope_end(scope);
    return bytes;
}

Test(large, threads_give_the_same_bits)
{
    char *one = malloc((size_t)LARGE * 32), *many = malloc((size_t)LARGE * 32);
    cr_assert_eq(gt_threads(), 1);
    size_t bytes = large_results(one);
    cr_assert_leq(bytes, (size_t)LARGE * 32);
    for (int threads = 2; threads <= 4; threads++) {
        gt_set_threads(threads);
        ok();
        cr_assert_eq(gt_threads(), threads);
        cr_assert_eq(large_results(many), bytes);
        cr_assert_eq(memcmp(one, many, bytes), 0, "%d threads", threads);
    }
    gt_context_free(NULL);
    free(one);
    free(many);
    assert_no_leaks();
}

/* Large products of 16-bit numbers are those of float32, bit for bit. */
Test(large, half_product)
{
    static const gt_DType halves[] = {GT_FLOAT16, GT_BFLOAT16};
    for (int flags = 0; flags < 4; flags++) {
        gt_Scope *scope = gt_scope_begin();
        bool ta = flags & 1, tb = flags >> 1;
        gt_Tensor *a = gt_uniform(ta ? gt_shape(1030, 1100) : gt_shape(1100, 1030));
        gt_Tensor *b = gt_uniform(tb ? gt_shape(1050, 1030) : gt_shape(1030, 1050));
        for (int half = 0; half < 2; half++) {
            gt_Tensor *x = gt_cast(a, halves[half]), *y = gt_cast(b, halves[half]);
            gt_Tensor *wide[2] = {gt_cast(x, GT_FLOAT32), gt_cast(y, GT_FLOAT32)};
            gt_Tensor *pairs[][2] = {{wide[0], wide[1]}, {x, y}, {wide[0], y}, {x, wide[1]}};
            const void *right = NULL;
            for (int i = 0; i < 4; i++) {
                gt_Tensor *product =
                    gt_matmul(pairs[i][0], pairs[i][1], .transpose_a = ta, .transpose_b = tb);
                ok();
                const void *data = gt_data(product);
                right = right ? right : data;
                cr_assert_eq(memcmp(data, right, (size_t)1100 * 1050 * sizeof(float)), 0,
                             "flags %d, type %d, pair %d", flags, half, i);
            }
        }
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
}

/* A worker has no context of its own: one that a kernel asked for would be lost with its thread, and no
 * error could be raised there. */
Test(large, workers_make_no_contexts)
{
    gt_set_threads(3);
    gt_Scope *scope = gt_scope_begin();
    gt_Tape *tape = gt_tape_begin(), *inner = gt_tape_begin();
    gt_Tensor *a = gt_uniform(gt_shape(1000, 3, 3), .low = 1, .high = 2, .dtype = GT_FLOAT64);
    gt_watch(tape, a);
    gt_watch(inner, a);
    gt_Tensor *slope = gt_gradient(inner, gt_det(a), a);
    gt_tape_end(inner);
    gt_gradient(tape, slope, a);
    bool lacks = gt_status() == GT_UNSUPPORTED;
    cr_assert(gt_status() == GT_OK || lacks, "%s", gt_error_message());
    gt_error_clear();
    gt_tape_end(tape);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
