/* Reproducible contexts: what they refuse, and that neither the host's floating-point mode nor OpenBLAS reaches them.
 * That the bits are those of other processors is shown by reproducible.c. */
#include <criterion/criterion.h>

#include <float.h>
#include <string.h>

#include "core/inside.h"
#include "gradtape.h"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define assert_refused(name)                                                                       \
    do {                                                                                           \
        cr_assert_eq(gt_status(), GT_UNSUPPORTED, "status %d: %s", gt_status(),                    \
                     gt_error_message());                                                          \
        cr_assert(strstr(gt_error_message(), name ": "), "%s", gt_error_message());                \
        cr_assert(strstr(gt_error_message(), "allow_foreign_code"), "%s", gt_error_message());     \
        gt_error_clear();                                                                          \
    } while (0)

static gt_Context *begin(bool allow)
{
    gt_Context *context = gt_context_create(.reproducible = true, .allow_foreign_code = allow);
    cr_assert_not_null(context);
    return gt_context_use(context);
}

static void end(gt_Context *before)
{
    gt_context_free(gt_context_use(before));
}

static double twice(double x)
{
    return 2 * x;
}

static gt_Tensor *matrix(void)
{
    return gt_array(gt_shape(2, 2), 2, 1, 1, 3);
}

Test(reproducible, linear_algebra_is_refused_by_name)
{
    gt_Context *before = begin(false);
    gt_Tensor *a = matrix();
    gt_solve(a, a);
    assert_refused("solve");
    gt_det(a);
    assert_refused("det");
    gt_cholesky(a);
    assert_refused("cholesky");
    gt_qr(a);
    assert_refused("qr");
    gt_eigh(a);
    assert_refused("eigh");
    gt_pinv(a);
    assert_refused("pinv");
    gt_matmul(a, a);
    gt_norm(a);
    ok();
    end(before);
}

static gt_Status assigns_and_solves(void *variable, gt_Tensor *const *in, gt_Tensor **out)
{
    gt_assign(variable, in[0]);
    out[0] = gt_solve(in[0], in[0]);
    return gt_status();
}

/* A trace is refused like a call: no plan, hence no half of one. */
Test(reproducible, traces_are_refused_before_anything_changes)
{
    gt_Context *before = begin(false);
    gt_Variable *v = gt_variable(gt_zeros(gt_shape(2, 2)));
    gt_Function *function = gt_function(assigns_and_solves, v, .outputs = 1);
    gt_Tensor *y = NULL;
    gt_function_call(function, gt_tensors(matrix()), &y);
    assert_refused("solve");
    cr_assert_eq(gt_element(v, 0), 0);
    gt_function_free(function);
    gt_variable_free(v);
    end(before);
}

Test(reproducible, foreign_functions_are_refused_by_name)
{
    gt_Context *before = begin(false);
    const gt_Operation *operation = gt_elementwise_operation("twice_of_mine", .f64 = twice);
    cr_assert_not_null(operation, "making one is no error: %s", gt_error_message());
    gt_foreign(operation, gt_tensors(matrix()));
    assert_refused("twice_of_mine");
    end(before);
}

Test(reproducible, an_option_allows_them)
{
    gt_Context *before = begin(true);
    const gt_Operation *operation = gt_elementwise_operation("twice_of_mine", .f64 = twice);
    gt_Tensor *y = gt_foreign(operation, gt_tensors(matrix()));
    ok();
    cr_assert_eq(gt_element(y, 3), 6);
    gt_solve(matrix(), matrix());
    bool lacks = gt_status() == GT_UNSUPPORTED && strstr(gt_error_message(), "OpenBLAS");
    if (lacks) /* this build or machine has no LAPACK */
        gt_error_clear();
    ok();
    end(before);
}

/* Also where LAPACK is there. */
Test(reproducible, kernels_are_those_of_base)
{
    for (int allow = 0; allow < 2; allow++) {
        gt_Context *before = begin(allow);
        cr_assert_eq(gt_context_kernels(gt_context()), &gt_kernels_base);
        cr_assert(strstr(gt_build_info(), "reproducible"), "%s", gt_build_info());
        end(before);
    }
    cr_assert_null(strstr(gt_build_info(), "reproducible"));
}

static gt_Status halve(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 0.5);
    return gt_status();
}

/* Neither plans nor a host that flushes them itself, nor workers, lose a denormal. */
Test(reproducible, denormals_are_kept)
{
    for (int host = 0; host < 2; host++)
        for (int threads = 1; threads <= 2; threads++) {
            gt_Context *before = begin(false);
            gt_FloatMode mode = {0};
            if (host)
                mode = gt_float_mode_flush();
            gt_set_threads(threads);
            gt_Function *function = gt_function(halve, NULL, .outputs = 1);
            gt_Tensor *x = gt_full(gt_shape(1 << 18), FLT_MIN), *y = NULL;
            gt_Tensor *eager = gt_multiply(x, 0.5);
            for (int i = 0; i < 2; i++)
                gt_function_call(function, gt_tensors(x), &y);
            ok();
            if (host)
                gt_float_mode_restore(mode);
            for (int64_t i = 0; i < 1 << 18; i += 4099) {
                cr_assert_eq(gt_element(eager, i), (double)FLT_MIN / 2);
                cr_assert_eq(gt_element(y, i), (double)FLT_MIN / 2);
            }
            gt_function_free(function);
            end(before);
        }
}

/* The optimizer's update, too: a weight that becomes denormal is one. */
Test(reproducible, updates_keep_denormals)
{
    for (int reproducible = 0; reproducible < 2; reproducible++) {
        gt_Context *context = gt_context_create(.reproducible = reproducible);
        gt_Context *before = gt_context_use(context);
        gt_Variable *w = gt_variable(gt_full(gt_shape(), FLT_MIN));
        gt_Optimizer *sgd = gt_SGD(0.5);
        gt_Tensor *gradient = gt_full(gt_shape(), FLT_MIN);
        gt_apply_gradients(sgd, gt_tensors(w), &gradient);
        ok();
        gt_FloatMode mode = gt_float_mode_flush();
        volatile float small = FLT_MIN;
        bool flushes = small / 2 == 0;
        gt_float_mode_restore(mode);
        if (reproducible)
            cr_assert_eq(gt_item(w), (double)FLT_MIN / 2);
        else if (flushes)
            cr_assert_eq(gt_item(w), 0, "which shows that the first case tests something");
        gt_context_use(before);
        gt_context_free(context);
    }
}

static double trained(bool planned)
{
    gt_Context *before = begin(false);
    gt_Layer *model = gt_Sequential(gt_Dense(7, .activation = gt_tanh), gt_Dense(1));
    gt_compile(model, .optimizer = gt_Adam(0.01), .loss = gt_MeanSquaredError(),
               .run_eagerly = !planned);
    gt_Tensor *x = gt_normal(gt_shape(32, 3), .generator = gt_generator(1));
    gt_Dataset *data =
        gt_dataset_from_tensors(x, gt_sum(x, .axis = 1, .keepdims = true), .batch_size = 8);
    gt_fit(model, data, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
    double sum = gt_item(gt_sum(gt_abs(gt_trainable_variables(model).items[0])));
    ok();
    end(before);
    return sum;
}

Test(reproducible, fit_gives_the_same_bits_eagerly_and_planned)
{
    double eager = trained(false);
    cr_assert_eq(eager, trained(true));
    cr_assert_eq(eager, trained(false));
}
