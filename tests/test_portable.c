/* The texts of kernels/portable/ have the bits of base: the same numbers from operations in a reproducible context.
 * tools/check-portable compiles each text by itself. */
#include <criterion/criterion.h>

#include <float.h>

#include "core/structs.h"
#include "core/launch.h"
#include "gradtape.h"
#include "kernels/convolution.h"
#include "ops/table.h"

#define GT_EMIT      static inline
#define GT_SIZE_TYPE int32_t
#include "kernels/portable/prelude.h"
#include "kernels/portable/dot.h"
#include "kernels/portable/philox.h"
#include "kernels/portable/window.h"

static uint64_t random_state = 9;

static double uniform(void) /* [-1, 1) */
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)(random_state ^ random_state >> 31) * 0x1p-63;
}

static void fill(gt_Tensor **tensor, gt_Shape shape, gt_DType dtype, double scale)
{
    static double numbers[200000];
    int64_t n = 1;
    for (int d = 0; d < shape.rank; d++)
        n *= shape.dims[d];
    cr_assert_leq(n, 200000);
    for (int64_t i = 0; i < n; i++)
        numbers[i] = scale * uniform();
    *tensor = gt_cast(gt_from_data(numbers, shape, GT_FLOAT64), dtype);
}

static gt_Context *begin(void)
{
    return gt_context_use(gt_context_create(.reproducible = true));
}

static void end(gt_Context *before)
{
    cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message());
    gt_context_free(gt_context_use(before));
}

/* A loss whose gradient in y is u. */
static gt_Tensor *gradient_of(gt_Tape *tape, gt_Tensor *y, gt_Tensor *u, gt_Tensor *x)
{
    gt_Tensor *loss = gt_sum(gt_multiply(y, u)), *gradient = NULL;
    gt_gradients(tape, gt_tensors(loss), gt_tensors(x), &gradient);
    return gradient;
}

/* The window of a convolution or pooling over two axes; `same`: its padding. */
static gt_window window_of(gt_Shape in, gt_Shape out, int size, int stride, int dilation, bool same)
{
    gt_window w = {.in = {1, in.dims[1], in.dims[2]},
                   .out = {1, out.dims[1], out.dims[2]},
                   .size = {1, size, size},
                   .stride = {1, stride, stride},
                   .dilation = {1, dilation, dilation},
                   .images = in.dims[0]};
    for (int d = 1; d < 3 && same; d++) {
        gt_size all = (w.out[d] - 1) * stride + (size - 1) * dilation + 1 - w.in[d];
        w.before[d] = all > 0 ? all / 2 : 0;
    }
    return w;
}

/* How a convolution's kernel gradient is cut: what its text is told. Its options begin with those of the convolution. */
static gt_ConvJob kernel_gradient_job(gt_Tensor *x, gt_Tensor *k, gt_Tensor *y,
                                      const gt_conv_options *options)
{
    const gt_OptionType *type = gt_op_conv_kernel_gradient.options;
    const gt_Spec in[2] = {gt_spec(x), gt_spec(y)};
    gt_ShapeRule rule = {
        .operation = &gt_op_conv_kernel_gradient, .inputs = 2, .input = {&in[0], &in[1]}, .outputs = 1};
    gt_Lowering lowering;
    gt_ConvJob job;
    max_align_t given[16];
    cr_assert_leq(type->size, sizeof given);
    memcpy(given, type->defaults, type->size);
    memcpy(given, options, offsetof(gt_conv_options, end));
    rule.options = given;
    rule.output[0] = gt_spec(k);
    gt_lower(&rule, gt_context_kernels(gt_context()), &lowering);
    memcpy(&job, lowering.job + lowering.launch[0].job, sizeof job);
    return job;
}

/* The runner pastes names as they are given: expanded first. */
#define PORTABLE_TEST(name) Test(portable, name)

#define GT_DOUBLE 0
#include "portable_template.h"
#undef GT_DOUBLE
#define GT_DOUBLE 1
#include "portable_template.h"

Test(portable, dot)
{
    gt_Context *before = begin();
    for (int k = 1; k < 10000; k = k * 3 + 1) {
        gt_Tensor *a, *b;
        fill(&a, gt_shape(1, k), GT_FLOAT32, 1);
        fill(&b, gt_shape(k, 1), GT_FLOAT32, 1);
        cr_assert_eq(gt_item(gt_matmul(a, b)), (double)gt_dot_f32_text(k, gt_data(a), gt_data(b)),
                     "%d", k);
    }
    end(before);
}
