/* Optimizers that compute by operations, schedules, and scales of the loss, against Keras (oracle/make_optimizers.py), eagerly and
 * in plans; what is refused. */
#include "layer_mistakes.h"

#include "budget.h"

#include <math.h>
#include <stdio.h>

#include "option_defaults.h"
#include "oracle/optimizers.inc"

typedef gt_Optimizer *(*Maker)(void);

#define MAKE(name, ...)                                                                            \
    static gt_Optimizer *name(void)                                                                \
    {                                                                                              \
        return __VA_ARGS__;                                                                        \
    }
#define RMS 0.1, .rho = 0.8, .epsilon = 0.05
#define HALVES gt_ExponentialDecay(0.1, .decay_steps = 3, .decay_rate = 0.5)
MAKE(plain, gt_RMSprop(RMS))
MAKE(momentum, gt_RMSprop(RMS, .momentum = 0.7))
MAKE(centered, gt_RMSprop(RMS, .centered = true))
MAKE(both, gt_RMSprop(RMS, .momentum = 0.7, .centered = true))
MAKE(decays, gt_RMSprop(RMS, .weight_decay = 0.25))
MAKE(accumulates, gt_RMSprop(RMS, .momentum = 0.7, .gradient_accumulation_steps = 3))
MAKE(clips, gt_RMSprop(RMS, .clipnorm = 1.5))
MAKE(averages, gt_RMSprop(RMS, .use_ema = true, .ema_momentum = 0.9, .ema_overwrite_frequency = 3))
MAKE(scheduled, gt_RMSprop(RMS, .schedule = HALVES))
MAKE(sgd, gt_SGD(.momentum = 0.75, .schedule = HALVES))
MAKE(adam, gt_Adam(.beta_1 = 0.75, .beta_2 = 0.875, .epsilon = 0.0625,
                   .schedule = gt_CosineDecay(0.1, .decay_steps = 8, .alpha = 0.1)))
MAKE(adamw, gt_AdamW(.beta_1 = 0.75, .beta_2 = 0.875, .weight_decay = 0.25, .epsilon = 0.0625,
                     .schedule = gt_CosineDecay(0.1, .decay_steps = 6, .warmup_target = 0.3, .warmup_steps = 3)))
MAKE(scaled, gt_SGD(0.1, .momentum = 0.75, .loss_scale_factor = 8))
#define BETAS .beta_1 = 0.75, .beta_2 = 0.875
MAKE(adagrad, gt_Adagrad(0.125, .initial_accumulator_value = 0.25, .epsilon = 0.0625))
MAKE(adagrad_twice, gt_Adagrad(0.125, .initial_accumulator_value = 0.25, .weight_decay = 0.25, .gradient_accumulation_steps = 2))
MAKE(adadelta, gt_Adadelta(0.5, .rho = 0.75, .epsilon = 0.0625))
MAKE(adadelta_decays, gt_Adadelta(0.5, .weight_decay = 0.25))
MAKE(adamax, gt_Adamax(0.125, BETAS, .epsilon = 0.0625))
MAKE(adamax_thrice, gt_Adamax(0.125, BETAS, .gradient_accumulation_steps = 3))
MAKE(nadam, gt_Nadam(0.125, BETAS, .epsilon = 0.0625))
MAKE(nadam_clips, gt_Nadam(0.125, BETAS, .weight_decay = 0.25, .clipnorm = 1.5))
MAKE(lion, gt_Lion(0.125, .beta_1 = 0.25, .beta_2 = 0.9375))
MAKE(lion_decays, gt_Lion(0.125, BETAS, .weight_decay = 0.25))
MAKE(ftrl, gt_Ftrl(0.125, .learning_rate_power = -0.75, .initial_accumulator_value = 0.25,
                   .l1_regularization_strength = 0.125, .l2_regularization_strength = 0.25,
                   .l2_shrinkage_regularization_strength = 0.5, .beta = 0.25))
MAKE(ftrl_plain, gt_Ftrl(0.5))
MAKE(lamb, gt_Lamb(0.125, BETAS, .epsilon = 0.0625))
MAKE(lamb_decays, gt_Lamb(0.125, BETAS, .weight_decay = 0.25))
MAKE(adafactor, gt_Adafactor(0.125))
MAKE(adafactor_options, gt_Adafactor(0.75, .beta_2_decay = -0.5, .epsilon_2 = 0.0625, .clip_threshold = 0.5,
                                     .weight_decay = 0.25))
MAKE(muon, gt_Muon(0.125, .adam_beta_1 = 0.75, .adam_beta_2 = 0.875, .momentum = 0.875, .adam_weight_decay = 0.25,
                   .weight_decay = 0.5))
MAKE(muon_options, gt_Muon(0.125, .adam_beta_1 = 0.75, .adam_beta_2 = 0.875, .epsilon = 0.0625, .adam_lr_ratio = 0.5,
                           .nesterov = false, .ns_steps = 3, .rms_rate = 0.5, .weight_decay = 0, .adam_weight_decay = 0))
MAKE(free_of_schedules, gt_ScheduleFreeAdamW(0.125, BETAS, .epsilon = 0.0625))
MAKE(free_warmed, gt_ScheduleFreeAdamW(0.125, .warmup_steps = 4, .weight_decay = 0.25, .gradient_accumulation_steps = 2))
MAKE(lion_turns, gt_Lion(0.125, .beta_1 = 0.5, .beta_2 = 0.875))
MAKE(adafactor_epsilon, gt_Adafactor(0.125, .epsilon_1 = 0.0625))
static const Maker makers[] = {plain,    momentum,  centered, both, decays, accumulates, clips,
                               averages, scheduled, sgd,      adam, adamw,  scaled,
    adagrad, adagrad_twice, adadelta, adadelta_decays, adamax, adamax_thrice, nadam, nadam_clips, lion, lion_decays,
    ftrl, ftrl_plain, lamb, lamb_decays, adafactor, adafactor_options, muon, muon_options,
    free_of_schedules, free_warmed, lion_turns, adafactor_epsilon};
enum { MAKERS = sizeof makers / sizeof *makers };

/* ---- training as the script does ---- */

typedef struct Run {
    gt_Optimizer *optimizer;
    gt_Variable *list[2];
    double factor; /* on the gradients */
    gt_DType dtype;
} Run;

static gt_Status one_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)out;
    const Run *run = context;
    gt_Tensor *gradients[] = {gt_get_item(in[0], ":3"), gt_reshape(gt_get_item(in[0], "3:"), gt_shape(2, 1))};
    return gt_apply_gradients(run->optimizer, ((gt_Tensors){(gt_Tensor *const *)run->list, 2}), gradients);
}

static Run begin_as(gt_Optimizer *optimizer, double factor, gt_DType dtype)
{
    cr_assert(optimizer, "%s", gt_error_message());
    Run run = {.optimizer = optimizer, .factor = factor, .dtype = dtype};
    run.list[0] = gt_variable(gt_cast(gt_array(gt_shape(3), 1, 1.25, 1.5), dtype), .name = "a");
    run.list[1] = gt_variable(gt_cast(gt_array(gt_shape(2, 1), 1.75, 2), dtype), .name = "b");
    return run;
}

static Run begin(gt_Optimizer *optimizer, double factor)
{
    return begin_as(optimizer, factor, GT_FLOAT64);
}

static gt_Tensor *slopes(const Run *run, int call)
{
    double g[5];
    for (int k = 0; k < 5; k++)
        g[k] = ((k + 1) * (7 - call) / 8.0 + call % 3 / 4.0) * run->factor;
    return gt_cast(gt_from_data(g, gt_shape(5), GT_FLOAT64), run->dtype);
}

static double number_of(const Run *run, int k)
{
    return k < 3 ? gt_element(run->list[0], k) : gt_element(run->list[1], k - 3);
}

static void end(Run *run)
{
    gt_optimizer_free(run->optimizer);
    gt_variable_free(run->list[0]);
    gt_variable_free(run->list[1]);
}

Test(optimizers, ten_steps_as_keras)
{
    cr_assert(sizeof trained / sizeof *trained == MAKERS);
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < MAKERS; i++)
        for (int way = 0; way < 4; way++) {
            const bool traced = way % 2, narrow = way / 2;
            const double tolerance = narrow ? 1e-5 : 1e-12;
            Run run = begin_as(makers[i](), makers[i] == scaled ? 8 : 1, narrow ? GT_FLOAT32 : GT_FLOAT64);
            gt_Function *plan = gt_function(one_step, &run, .outputs = 0);
            for (int call = 1; call <= 10; call++) {
                gt_Tensor *g = slopes(&run, call);
                gt_Status status = traced ? gt_function_call(plan, gt_tensors(g), NULL) : one_step(&run, &g, NULL);
                cr_assert(status == GT_OK, "%d: %s", i, gt_error_message());
            }
            for (int k = 0; k < 5; k++)
                cr_assert(fabs(number_of(&run, k) - trained[i][k]) < tolerance * fmax(1, fabs(trained[i][k])),
                          "%d, number %d, %s, %s: %.17g instead of %.17g", i, k, traced ? "planned" : "eager",
                          gt_dtype_name(run.dtype), number_of(&run, k), trained[i][k]);
            gt_function_free(plan);
            end(&run);
        }
    ends(scope);
}

MAKE(muon_plain, gt_Muon(0.125))
MAKE(muon_decays, gt_Muon(0.125, .nesterov = false, .momentum = 0.5, .weight_decay = 0.25))
MAKE(adafactor_plain, gt_Adafactor(0.125))
MAKE(adafactor_clips, gt_Adafactor(0.75, .epsilon_2 = 0.25, .clip_threshold = 0.5))
MAKE(lamb_plain, gt_Lamb(0.125))

static gt_Status matrix_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)out;
    const Run *run = context;
    return gt_apply_gradients(run->optimizer, gt_tensors(run->list[0]), in);
}

/* Those that look at matrices as such: shapes of slots, axes, norms. */
Test(optimizers, matrices_as_keras)
{
    static const Maker kinds[] = {muon_plain, muon_decays, adafactor_plain, adafactor_clips, lamb_plain};
    const gt_Shape shapes[] = {gt_shape(4, 6), gt_shape(6, 4), gt_shape(2, 3, 4)};
    gt_Scope *scope = gt_scope_begin();
    cr_assert(sizeof matrices / sizeof *matrices == 15);
    for (int i = 0; i < 30; i++) {
        const double *expected = matrices[i / 2];
        const gt_Shape shape = shapes[i / 2 % 3];
        double start[24], g[24];
        for (int k = 0; k < 24; k++)
            start[k] = cos(k);
        Run run = {.optimizer = kinds[i / 6]()};
        run.list[0] = gt_variable(gt_from_data(start, shape, GT_FLOAT64), .name = "w");
        gt_Function *plan = gt_function(matrix_step, &run, .outputs = 0);
        for (int call = 1; call <= 4; call++) {
            for (int k = 0; k < 24; k++)
                g[k] = sin(1.7 * k + call);
            gt_Tensor *slope = gt_from_data(g, shape, GT_FLOAT64);
            gt_Status status = i % 2 ? gt_function_call(plan, gt_tensors(slope), NULL) : matrix_step(&run, &slope, NULL);
            cr_assert(status == GT_OK, "%s", gt_error_message());
        }
        for (int k = 0; k < 24; k++)
            cr_assert(fabs(gt_element(run.list[0], k) - expected[k]) < 1e-11, "%d, number %d: %.17g instead of %.17g", i, k,
                      gt_element(run.list[0], k), expected[k]);
        gt_function_free(plan);
        end(&run);
    }
    ends(scope);
}

/* ---- the literal values of Keras's own tests (those of SGD, Adam and AdamW: test_optim.c) ---- */

MAKE(known_rmsprop, gt_RMSprop(.centered = true))
MAKE(known_adagrad, gt_Adagrad(0.2, .initial_accumulator_value = 0.3, .epsilon = 1e-6))
MAKE(known_adadelta, gt_Adadelta(1, .rho = 0.8, .epsilon = 1e-6))
MAKE(known_adamax, gt_Adamax(0.2, .beta_1 = 0.85, .beta_2 = 0.95, .epsilon = 1e-6))
MAKE(known_nadam, gt_Nadam(0.5, .beta_1 = 0.5, .beta_2 = 0.67, .epsilon = 1e-5))
MAKE(known_lion, gt_Lion())
MAKE(known_lamb, gt_Lamb())
MAKE(known_ftrl, gt_Ftrl(0.05, .learning_rate_power = -0.2, .initial_accumulator_value = 0.4,
                         .l1_regularization_strength = 0.05, .l2_regularization_strength = 0.15,
                         .l2_shrinkage_regularization_strength = 0.01, .beta = 0.3))
MAKE(known_adafactor, gt_Adafactor(0.5, .beta_2_decay = -0.65, .epsilon_1 = 1e-15, .epsilon_2 = 1e-4, .clip_threshold = 0.9,
                                   .relative_step = false))
static const struct {
    Maker make;
    double first[5], last[5]; /* elements 0 and 9 of ten ones, after steps by 0.01 and four times by 0.1, 0.2, ..., 1 */
} known[] = {
    {known_rmsprop, {.9967, .9933, .9908, .9885, .9864}, {.9967, .9933, .9908, .9885, .9864}},
    {known_adagrad, {.9963, .9604, .9251, .8903, .856}, {.9963, .8209, .6891, .579, .4825}},
    {known_adadelta, {.9978, .9947, .9915, .9882, .9849}, {.9978, .9947, .9915, .9882, .9849}},
    {known_adamax, {.8, .6827, .5333, .368, .1933}, {.8, .691, .5466, .3848, .2126}},
    {known_nadam, {.4281, -.1738, -.7115, -1.2335, -1.7492}, {.4281, -.1717, -.7084, -1.2299, -1.7454}},
    {known_lion, {.999, .998, .997, .996, .995}, {.999, .998, .997, .996, .995}},
    {known_lamb, {.999, .9982, .9974, .9965, .9955}, {.999, .9982, .9974, .9965, .9955}},
    {known_ftrl, {0, -.0034, -.0078, -.0121, -.0164}, {0, -.0354, -.0685, -.0999, -.1299}},
    {known_adafactor, {.55, .3031, .1671, .0923, .0554}, {.55, .3024, .1663, .0914, .0545}},
};

Test(optimizers, known_values)
{
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        gt_Variable *x = gt_variable(gt_ones(gt_shape(10)), .name = "x");
        gt_Optimizer *optimizer = known[i].make();
        for (int step = 0; step < 5; step++) {
            gt_Tensor *g = step ? gt_multiply(gt_arange(1, 11, 1), 0.1) : gt_full(gt_shape(10), 0.01);
            cr_assert(gt_apply_gradients(optimizer, gt_tensors(x), &g) == GT_OK, "%s", gt_error_message());
            const double first = known[i].first[step], last = known[i].last[step]; /* Keras's own tolerances */
            cr_assert(fabs(gt_element(x, 0) - first) < 5e-4 * (1 + fabs(first)) && fabs(gt_element(x, 9) - last) < 5e-4 * (1 + fabs(last)),
                      "%s, step %d: %g and %g", gt_optimizer_name(optimizer), step, gt_element(x, 0), gt_element(x, 9));
        }
        gt_optimizer_free(optimizer);
        gt_variable_free(x);
    }
    ends(scope);
}

static void single(gt_Optimizer *optimizer, gt_Shape shape, double a, double b, double c, double d)
{
    const double wanted[] = {a, b, c, d};
    gt_Variable *w = gt_variable(gt_array(shape, 1, 2, 3, 4));
    gt_Tensor *g = gt_array(shape, 1, 6, 7, 2);
    cr_assert(gt_apply_gradients(optimizer, gt_tensors(w), &g) == GT_OK, "%s", gt_error_message());
    for (int i = 0; i < 4; i++)
        cr_assert(fabs(gt_element(w, i) - wanted[i]) < 1e-4, "%s, element %d: %g", gt_optimizer_name(optimizer), i,
                  gt_element(w, i));
    gt_optimizer_free(optimizer);
    gt_variable_free(w);
}

Test(optimizers, known_single_steps)
{
    gt_Scope *scope = gt_scope_begin();
    single(gt_RMSprop(0.5), gt_shape(4), -.5811, .4189, 1.4189, 2.4189);
    single(gt_Adamax(0.5), gt_shape(4), .5, 1.5, 2.5, 3.5);
    single(gt_Lion(0.5), gt_shape(4), .5, 1.5, 2.5, 3.5);
    single(gt_Adagrad(0.5), gt_shape(4), .5233, 1.5007, 2.5005, 3.5061);
    single(gt_Adadelta(0.5), gt_shape(4), .9993, 1.9993, 2.9993, 3.9993);
    single(gt_Nadam(0.5), gt_shape(4), .4686, 1.4686, 2.4686, 3.4686);
    single(gt_Ftrl(0.5), gt_shape(4), .2218, 1.3954, 2.3651, 2.8814);
    single(gt_Lamb(0.5), gt_shape(4), -.3693, .6306, 1.6306, 2.6306);
    single(gt_Adafactor(0.5), gt_shape(4), -.3693, .6307, 1.6307, 2.6307);
    single(gt_Adafactor(0.5), gt_shape(2, 2), .7007, -.0081, 1.2492, 3.4407);
    ends(scope);
}

/* Norms beyond float32, and factors that are 0 there: what is clipped has the length that it is to have. */
Test(optimizers, very_long_gradients)
{
    gt_Scope *scope = gt_scope_begin();
    const double s = 1e-3 / sqrt(3); /* of each element; RMSprop, which does not scale while it updates, divides by a root */
    gt_Optimizer *optimizers[] = {gt_SGD(1, .clipnorm = 1e-3), gt_SGD(1, .global_clipnorm = 1e-3),
                                  gt_RMSprop(1, .rho = 0, .clipnorm = 1e-3), gt_RMSprop(1, .rho = 0, .global_clipnorm = 1e-3),
                                  gt_Adam(1, .epsilon = 1e-3, .clipnorm = 1e-3),
                                  gt_Adagrad(1, .initial_accumulator_value = 0, .epsilon = 1e-7, .clipnorm = 1e-3)};
    const double adam = sqrt(0.001) / 0.1 * 0.1 * s / (sqrt(0.001) * s + 1e-3);
    for (int i = 0; i < 6; i++) {
        const double right = i < 2 ? s : i == 4 ? adam : s / sqrt(s * s + 1e-7);
        gt_Variable *w = gt_variable(gt_zeros(gt_shape(3)));
        gt_Tensor *g = gt_array(gt_shape(3), 3e38, -3e38, 3e38);
        cr_assert(gt_apply_gradients(optimizers[i], gt_tensors(w), &g) == GT_OK, "%s", gt_error_message());
        for (int k = 0; k < 3; k++)
            cr_assert(fabs(fabs(gt_element(w, k)) - right) < (i < 2 ? 1e-9 : 1e-6), "%d: %g", i, gt_element(w, k));
        gt_optimizer_free(optimizers[i]);
        gt_variable_free(w);
    }
    ends(scope);
}

/* Newton and Schulz as it is written, without blocks. */
static gt_Tensor *iterated(gt_Tensor *x)
{
    x = gt_divide(x, gt_add(gt_sqrt(gt_sum(gt_square(x))), 1e-7));
    for (int i = 0; i < 2; i++) {
        gt_Tensor *a = gt_matmul(x, x, .transpose_b = true);
        gt_Tensor *b = gt_add(gt_multiply(a, -4.775), gt_multiply(gt_matmul(a, a), 2.0315));
        x = gt_add(gt_multiply(x, 3.4445), gt_matmul(b, x));
    }
    return x;
}

/* Where a matrix is large Muon multiplies blocks of what is symmetric; no number of strips divides 517. */
Test(optimizers, muon_of_large_matrices)
{
    for (int tall = 0; tall < 2; tall++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *g = gt_normal(gt_shape(517, 530), .dtype = GT_FLOAT64), *given = tall ? gt_transpose(g) : g;
        gt_Variable *w = gt_variable(gt_zeros(gt_tensor_shape(given), .dtype = GT_FLOAT64));
        gt_Optimizer *muon = gt_Muon(1, .momentum = 0, .ns_steps = 2, .rms_rate = 0, .weight_decay = GT_NONE);
        cr_assert(gt_apply_gradients(muon, gt_tensors(w), &given) == GT_OK, "%s", gt_error_message());
        gt_Tensor *right = gt_negative(iterated(g));
        gt_Tensor *off = gt_subtract(tall ? gt_transpose(w) : w, right);
        double worst = gt_item(gt_max(gt_abs(off)));
        cr_assert(worst < 1e-13 && gt_item(gt_max(gt_abs(right))) > 0.05, "%g", worst);
        gt_optimizer_free(muon);
        gt_variable_free(w);
        ends(scope);
    }
}

static gt_Status large_step(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)out;
    const Run *run = context;
    return gt_apply_gradients(run->optimizer, gt_tensors(run->list[0]), in);
}

/* More than the caches hold, which plans compute in smaller pieces; the bits are those of eager steps. */
Test(optimizers, beyond_the_caches)
{
    static const Maker large[] = {plain, adamax};
    enum { SIZE = 2300017 };
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < 2; i++) {
        Run run[2];
        gt_Function *plan = NULL;
        for (int traced = 0; traced < 2; traced++) {
            run[traced] = (Run){.optimizer = large[i]()};
            run[traced].list[0] = gt_variable(gt_sin(gt_arange(0, SIZE, 1)));
        }
        plan = gt_function(large_step, &run[1], .outputs = 0);
        for (int call = 1; call <= 2; call++) {
            gt_Tensor *g = gt_cos(gt_multiply(gt_arange(0, SIZE, 1), call));
            cr_assert(large_step(&run[0], &g, NULL) == GT_OK && gt_function_call(plan, gt_tensors(g), NULL) == GT_OK, "%s",
                      gt_error_message());
        }
        cr_assert(memcmp(gt_data(run[0].list[0]), gt_data(run[1].list[0]), SIZE * sizeof(float)) == 0);
        gt_function_free(plan);
        for (int traced = 0; traced < 2; traced++) {
            gt_optimizer_free(run[traced].optimizer);
            gt_variable_free(run[traced].list[0]);
        }
    }
    ends(scope);
}

Test(optimizers, classes_by_name)
{
    int count = 0;
    const gt_OptimizerClass *const *classes = gt_optimizer_classes(&count);
    cr_assert_eq(count, 14);
    for (int i = 0; i < count; i++) {
        cr_assert(gt_optimizer_class_find(classes[i]->name) == classes[i]);
        cr_assert(gt_optimizer_class_find(classes[i]->keras) == classes[i]);
        gt_Optimizer *optimizer = gt_optimizer_new(classes[i], NULL);
        cr_assert(optimizer && gt_optimizer_class(optimizer) == classes[i], "%s", gt_error_message());
        gt_optimizer_free(optimizer);
    }
    cr_assert_null(gt_optimizer_class_find("momentum"));
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(optimizers, defaults_of_keras)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const gt_OptimizerClass *kind = gt_optimizer_class_find(defaults[i].keras);
        cr_assert(kind != NULL, "%s", defaults[i].keras);
        if (strcmp(defaults[i].option, "relative_step") != 0) /* always so: Adafactor without is its learning rate */
            check_default(kind->options, &defaults[i]);
    }
}

/* ---- schedules ---- */

Test(optimizers, rates_as_keras)
{
    static const double steps[] = {0, 1, 2, 3, 4, 7, 8, 15, 30};
    const gt_Schedule schedules[] = {
        gt_ExponentialDecay(0.1, .decay_steps = 7, .decay_rate = 0.5),
        gt_ExponentialDecay(0.1, .decay_steps = 7, .decay_rate = 0.5, .staircase = true),
        gt_InverseTimeDecay(0.1, .decay_steps = 7, .decay_rate = 0.5),
        gt_InverseTimeDecay(0.1, .decay_steps = 7, .decay_rate = 0.5, .staircase = true),
        gt_PolynomialDecay(0.1, .decay_steps = 7),
        gt_PolynomialDecay(0.1, .decay_steps = 7, .end_learning_rate = 0.01, .power = 2.5),
        gt_PolynomialDecay(0.1, .decay_steps = 7, .end_learning_rate = 0.01, .power = 0.5, .cycle = true),
        gt_CosineDecay(0.1, .decay_steps = 7),
        gt_CosineDecay(0.1, .decay_steps = 7, .alpha = 0.2),
        gt_CosineDecay(0.1, .decay_steps = 7, .alpha = 0.2, .warmup_target = 0.4, .warmup_steps = 4),
        gt_CosineDecayRestarts(0.1, .first_decay_steps = 3),
        gt_CosineDecayRestarts(0.1, .first_decay_steps = 3, .t_mul = 1, .m_mul = 0.8, .alpha = 0.1),
        gt_CosineDecayRestarts(0.1, .first_decay_steps = 3, .t_mul = 1.5, .m_mul = 0.8, .alpha = 0.1),
        gt_PiecewiseConstantDecay(.boundaries = gt_numbers(3, 7), .values = gt_numbers(0.1, 0.05, 0.01)),
    };
    enum { SCHEDULES = sizeof schedules / sizeof *schedules, STEPS = sizeof steps / sizeof *steps };
    cr_assert(sizeof rates / sizeof *rates == SCHEDULES && sizeof *rates / sizeof **rates == STEPS);
    gt_Scope *scope = gt_scope_begin();
    bool seen[16] = {false};
    for (int i = 0; i < SCHEDULES; i++) {
        for (int s = 0; s < STEPS; s++) {
            gt_Tensor *rate = gt_schedule_rate(schedules[i], gt_scalar(steps[s], GT_INT64));
            cr_assert(rate && gt_dtype(rate) == GT_FLOAT64, "%s", gt_error_message());
            cr_assert(fabs(gt_item(rate) - rates[i][s]) < 1e-13, "%d, step %g: %.17g instead of %.17g", i, steps[s],
                      gt_item(rate), rates[i][s]);
        }
        int count = 0;
        const gt_ScheduleClass *const *classes = gt_schedule_classes(&count);
        for (int k = 0; k < count; k++)
            seen[k] |= classes[k] == schedules[i].type;
        cr_assert(gt_schedule_class_find(schedules[i].type->name) == schedules[i].type);
        cr_assert(gt_schedule_class_find(schedules[i].type->keras) == schedules[i].type);
        cr_assert(i < 13 || (count == 6 && seen[0] && seen[1] && seen[2] && seen[3] && seen[4] && seen[5]));
    }
    cr_assert_null(gt_schedule_class_find("cosine"));
    const gt_CosineDecay_options options = {
        GT_PRESETS(gt_CosineDecay_options, gt_CosineDecay_OPTIONS).initial_learning_rate = 0.1, .decay_steps = 7};
    gt_Schedule made = gt_schedule_make(gt_schedule_class_find("CosineDecay"), &options);
    for (int s = 0; s < STEPS; s++) { /* not their bytes: options may have gaps */
        gt_Tensor *step = gt_scalar(steps[s], GT_INT64);
        cr_assert(made.type == schedules[7].type &&
                  gt_item(gt_schedule_rate(made, step)) == gt_item(gt_schedule_rate(schedules[7], step)));
    }
    ends(scope);
}

static gt_Tensor *hyperbola(void *context, gt_Tensor *step)
{
    return gt_divide(gt_scalar(*(const double *)context, GT_FLOAT64), gt_add(step, 1));
}

static gt_Tensor *nothing(void *context, gt_Tensor *step)
{
    (void)context, (void)step;
    return NULL;
}

static gt_Tensor *vector(void *context, gt_Tensor *step)
{
    (void)context, (void)step;
    return gt_ones(gt_shape(2));
}

Test(optimizers, a_schedule_of_ones_own)
{
    gt_Scope *scope = gt_scope_begin();
    double rate = 0.5;
    Run run = begin(gt_SGD(.schedule = gt_schedule(hyperbola, &rate)), 1);
    gt_Tensor *ones = gt_cast(gt_ones(gt_shape(5)), GT_FLOAT64);
    for (int call = 0; call < 3; call++) {
        cr_assert(gt_optimizer_learning_rate(run.optimizer) == 0.5 / (call + 1));
        double before = number_of(&run, 0);
        cr_assert(one_step(&run, &ones, NULL) == GT_OK, "%s", gt_error_message());
        cr_assert(fabs(before - number_of(&run, 0) - 0.5 / (call + 1)) < 1e-15);
    }
    cr_assert(gt_optimizer_set_learning_rate(run.optimizer, 0.1) != GT_OK);
    fails(GT_STATE, "is what its schedule says");
    end(&run);
    static const gt_ScheduleFunction wrong[] = {nothing, vector};
    static const char *const parts[] = {"returned no tensor", "a schedule gives one number"};
    for (int i = 0; i < 2; i++) {
        run = begin(gt_SGD(.schedule = gt_schedule(wrong[i], NULL)), 1);
        cr_assert(one_step(&run, &ones, NULL) != GT_OK);
        fails(GT_INVALID, parts[i]);
        cr_assert(number_of(&run, 0) == 1 && gt_optimizer_iterations(run.optimizer) == 0, "nothing changed");
        end(&run);
    }
    ends(scope);
}

static void no_schedule(gt_Schedule schedule, const char *part)
{
    cr_assert(!gt_SGD(.schedule = schedule), "made, instead of: %s", part);
    fails(GT_INVALID, part);
    cr_assert(!gt_schedule_rate(schedule, gt_scalar(1, GT_INT64)));
    fails(GT_INVALID, part);
}

MAKE(wrong_adagrad, gt_Adagrad(.initial_accumulator_value = -1))
MAKE(wrong_adadelta, gt_Adadelta(.rho = 1))
MAKE(wrong_adamax, gt_Adamax(.beta_1 = -0.5))
MAKE(wrong_nadam, gt_Nadam(.beta_2 = 1))
MAKE(wrong_lion, gt_Lion(.beta_1 = 0))
MAKE(wrong_ftrl, gt_Ftrl(.learning_rate_power = 1))
MAKE(wrong_lamb, gt_Lamb(.epsilon = NAN))
MAKE(wrong_adafactor, gt_Adafactor(.beta_2_decay = 0))
MAKE(wrong_muon, gt_Muon(.ns_steps = 0))

Test(optimizers, what_is_refused)
{
    gt_Scope *scope = gt_scope_begin();
    no_schedule(gt_ExponentialDecay(0.1, .decay_rate = 0.5), "decay_steps must be finite and > 0 (got 0)");
    no_schedule(gt_ExponentialDecay(0.1, .decay_steps = 3), "decay_rate must be finite and > 0 (got 0)");
    no_schedule(gt_ExponentialDecay(NAN, .decay_steps = 3, .decay_rate = 1), "initial_learning_rate must be finite");
    no_schedule(gt_InverseTimeDecay(0.1, .decay_steps = -1), "decay_steps");
    no_schedule(gt_PolynomialDecay(0.1, .decay_steps = INFINITY), "decay_steps");
    no_schedule(gt_CosineDecay(0.1, .decay_steps = 3, .warmup_target = 1), "warmup_steps must be finite and > 0");
    no_schedule(gt_CosineDecay(0.1, .decay_steps = 3, .warmup_steps = 1), "come with a warmup_target");
    no_schedule(gt_CosineDecayRestarts(0.1, .first_decay_steps = 3, .t_mul = 0.5), "t_mul must be finite and >= 1");
    no_schedule(gt_PiecewiseConstantDecay(.boundaries = gt_numbers(1)), "one value more (got 1 and 0)");
    no_schedule(gt_PiecewiseConstantDecay(.boundaries = gt_numbers(2, 1), .values = gt_numbers(1, 2, 3)),
                "boundaries must rise (number 1 does not)");
    no_schedule(gt_schedule(NULL, NULL), "the schedule's function is NULL");
    cr_assert(!gt_schedule_rate((gt_Schedule){0}, gt_scalar(1, GT_INT64)));
    fails(GT_INVALID, "there is no schedule");
    cr_assert(!gt_RMSprop(.rho = 1));
    fails(GT_INVALID, "rho must be in [0, 1) (got 1)");
    cr_assert(!gt_RMSprop(.momentum = 2));
    fails(GT_INVALID, "momentum must be in [0, 1]");
    cr_assert(!gt_RMSprop(.epsilon = -1));
    fails(GT_INVALID, "epsilon must be finite and >= 0");
    static const struct {
        Maker make;
        const char *part;
    } wrong[] = {{wrong_adagrad, "initial_accumulator_value must be finite and >= 0 (got -1)"},
                 {wrong_adadelta, "rho must be in [0, 1) (got 1)"},
                 {wrong_adamax, "beta_1 must be in [0, 1) (got -0.5)"},
                 {wrong_nadam, "beta_2 must be in [0, 1) (got 1)"},
                 {wrong_lion, "beta_1 must be in (0, 1] (got 0)"},
                 {wrong_ftrl, "learning_rate_power must be <= 0 (got 1)"},
                 {wrong_lamb, "epsilon must be finite and >= 0"},
                 {wrong_adafactor, "beta_2_decay must be < 0 (got 0)"},
                 {wrong_muon, "ns_steps must be > 0 (got 0)"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert(!wrong[i].make());
        fails(GT_INVALID, wrong[i].part);
    }
    cr_assert(!gt_SGD(.loss_scale_factor = 0));
    fails(GT_INVALID, "loss_scale_factor must be finite and > 0");
    cr_assert(!gt_LossScaleOptimizer(gt_SGD(), .initial_scale = 0));
    fails(GT_INVALID, "initial_scale must be finite and > 0");
    cr_assert(!gt_LossScaleOptimizer(gt_SGD(), .dynamic_growth_steps = 0));
    fails(GT_INVALID, "dynamic_growth_steps must be > 0");
    cr_assert(!gt_LossScaleOptimizer(gt_LossScaleOptimizer(gt_SGD())));
    fails(GT_STATE, "has a scale already");
    ends(scope);
}

/* ---- scales ---- */

/* As Keras: two finite steps in a row double the scale, an infinite gradient halves it and changes nothing else. */
Test(optimizers, a_scale_that_moves)
{
    gt_Scope *scope = gt_scope_begin();
    for (int traced = 0; traced < 2; traced++)
        for (int kind = 0; kind < 3; kind++) {
            gt_Optimizer *inner = kind == 0 ? gt_SGD(0.5) : kind == 1 ? gt_Adam(0.5) : gt_RMSprop(0.5, .momentum = 0.5);
            Run run = begin(gt_LossScaleOptimizer(inner, .initial_scale = 8, .dynamic_growth_steps = 2), 1);
            gt_Function *plan = gt_function(one_step, &run, .outputs = 0);
            static const bool finite[] = {true, false, true, true, false, false, true};
            static const double scales[] = {8, 4, 4, 8, 4, 2, 2};
            int64_t updates = 0;
            for (int call = 0; call < 7; call++) {
                double scale = gt_optimizer_loss_scale(run.optimizer), before[5];
                gt_Tensor *g = gt_multiply(gt_cast(gt_ones(gt_shape(5)), GT_FLOAT64), finite[call] ? scale : INFINITY);
                for (int k = 0; k < 5; k++)
                    before[k] = number_of(&run, k);
                gt_Status status = traced ? gt_function_call(plan, gt_tensors(g), NULL) : one_step(&run, &g, NULL);
                cr_assert(status == GT_OK, "%s", gt_error_message());
                updates += finite[call];
                for (int k = 0; k < 5; k++)
                    cr_assert((number_of(&run, k) != before[k]) == finite[call] && isfinite(number_of(&run, k)));
                cr_assert(kind > 0 || number_of(&run, 4) == 2 - 0.5 * (double)updates, "the gradient was not divided");
                cr_assert(gt_optimizer_loss_scale(run.optimizer) == scales[call], "call %d: %g instead of %g", call,
                          gt_optimizer_loss_scale(run.optimizer), scales[call]);
                cr_assert(gt_optimizer_iterations(run.optimizer) == updates);
            }
            char text[64];
            cr_assert(strcmp(gt_optimizer_variable_name(run.optimizer, 2, NULL, NULL, text, sizeof text), "loss_scale") == 0);
            cr_assert(strcmp(gt_optimizer_variable_name(run.optimizer, 3, NULL, NULL, text, sizeof text), "finite_steps") == 0);
            gt_function_free(plan);
            end(&run);
        }
    ends(scope);
}

Test(optimizers, a_loss_is_scaled)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Optimizer *optimizer = gt_SGD(0.5, .loss_scale_factor = 4), *none = gt_SGD(0.5);
    gt_Variable *w = gt_variable(gt_array(gt_shape(2), 1, -1));
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_sum(gt_square(w)), *scaled = gt_scale_loss(optimizer, loss);
    cr_assert(gt_item(scaled) == 8 && gt_scale_loss(none, loss) == loss);
    cr_assert(gt_minimize(optimizer, tape, scaled, gt_tensors(w)) == GT_OK, "%s", gt_error_message());
    gt_tape_end(tape);
    cr_assert(gt_element(w, 0) == 0 && gt_optimizer_loss_scale(optimizer) == 4 && gt_optimizer_loss_scale(none) == 1);
    gt_optimizer_free(optimizer), gt_optimizer_free(none), gt_variable_free(w);
    ends(scope);
}

/* The gradient of a mixed_float16 model that is too small for float16 arrives with the scale that gt_compile gives it, and not
 * without. */
Test(optimizers, models_of_float16_are_scaled)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(16, 1));
    gt_Dataset *data = gt_dataset_from_tensors(x, gt_multiply(x, 1e-9), .batch_size = 16, .shuffle = false);
    gt_set_dtype_policy(gt_mixed_float16());
    for (int scales = 0; scales < 2; scales++) {
        gt_Layer *model = gt_Sequential(gt_Dense(1, .use_bias = false, .kernel_initializer = gt_Zeros()));
        gt_Optimizer *optimizer = gt_SGD(0.25);
        cr_assert(gt_compile(model, .optimizer = optimizer, .loss = gt_MeanSquaredError(), .auto_scale_loss = scales) == GT_OK);
        cr_assert(gt_optimizer_loss_scale(optimizer) == (scales ? 32768 : 1));
        gt_History *history = gt_fit(model, data, .epochs = 2, .verbose = GT_VERBOSITY_SILENT);
        cr_assert(history, "%s", gt_error_message());
        double w = gt_element(gt_weights(model).items[0], 0);
        cr_assert(scales ? fabs(w - 1e-9) < 1e-11 : w == 0, "%d: %g", scales, w);
        gt_history_free(history);
        gt_layer_free(model);
    }
    gt_set_dtype_policy(GT_DTYPE_NONE);
    gt_dataset_free(data);
    ends(scope);
}

/* ---- slots that copy ---- */

static int copies_of_itself(const void *options, const gt_Variable *variable, gt_OptimizerSlot *slots)
{
    (void)options, (void)variable;
    slots[0] = (gt_OptimizerSlot){.name = "start", .copies = true, .shape = gt_shape(7)};
    return 1;
}

/* The slot starts as the variable is when the optimizer is built, which draws first numbers that are still late. */
Test(optimizers, slots_that_start_as_their_variable)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(3, .use_bias = false));
    gt_build(model, gt_shape(2, 4), GT_FLOAT32);
    gt_Optimizer *free_one = gt_ScheduleFreeAdamW();
    gt_Tensors weights = gt_trainable_variables(model);
    gt_optimizer_build(free_one, weights);
    gt_Variable *momentum = gt_optimizer_slot(free_one, weights.items[0], "momentum");
    cr_assert(memcmp(gt_data(momentum), gt_data(weights.items[0]), 12 * sizeof(float)) == 0);
    cr_assert(gt_element(momentum, 5) != 0);
    gt_optimizer_free(free_one);
    const gt_OptimizerClass *adam = gt_optimizer_class_find("adam");
    gt_OptimizerClass wrong = *adam;
    wrong.slots = copies_of_itself;
    gt_Optimizer *optimizer = gt_optimizer_new(&wrong, NULL);
    gt_optimizer_build(optimizer, weights);
    fails(GT_STATE, "starts as the variable, which has another shape");
    cr_assert(!gt_optimizer_built(optimizer));
    gt_optimizer_free(optimizer);
    cr_assert(!gt_ScheduleFreeAdamW(.beta_1 = 0));
    fails(GT_INVALID, "beta_1 must be in (0, 1) (got 0)");
    cr_assert(!gt_ScheduleFreeAdamW(.epsilon = -1));
    fails(GT_INVALID, "epsilon must be finite and >= 0 (got -1)");
    cr_assert(!gt_ScheduleFreeAdamW(.warmup_steps = -1));
    fails(GT_INVALID, "warmup_steps must be >= 0 (got -1)");
    gt_layer_free(model);
    ends(scope);
}

/* ---- several as one ---- */

static int by_rank(void *context, const gt_Variable *variable)
{
    ++*(int *)context;
    return gt_rank(variable) - 1;
}

#define BOTH gt_optimizers(gt_Adam(0.125, BETAS, .use_ema = true, .ema_overwrite_frequency = 3), gt_SGD(.momentum = 0.75, .schedule = HALVES))

/* Each variable as its optimizer trains it alone, to the last bit; eagerly and in plans. */
Test(optimizers, several_as_one)
{
    gt_Scope *scope = gt_scope_begin();
    for (int traced = 0; traced < 2; traced++) {
        int asked = 0;
        gt_Optimizer *whole = gt_MultiOptimizer(BOTH, .choose = by_rank, .context = &asked);
        cr_assert(gt_optimizer_parts(whole) == 2 && gt_optimizer_parts(gt_optimizer_part(whole, 0)) == 0);
        Run run = begin(whole, 1), alone[2] = {begin(gt_Adam(0.125, BETAS, .use_ema = true, .ema_overwrite_frequency = 3), 1),
                                               begin(gt_SGD(.momentum = 0.75, .schedule = HALVES), 1)};
        gt_Function *plan = gt_function(one_step, &run, .outputs = 0);
        for (int call = 1; call <= 10; call++) {
            gt_Tensor *g = slopes(&run, call);
            gt_Status status = traced ? gt_function_call(plan, gt_tensors(g), NULL) : one_step(&run, &g, NULL);
            cr_assert(status == GT_OK, "%s", gt_error_message());
            one_step(&alone[0], &g, NULL);
            one_step(&alone[1], &g, NULL);
        }
        for (int k = 0; k < 5; k++)
            cr_assert(number_of(&run, k) == number_of(&alone[k >= 3], k), "number %d: %.17g instead of %.17g", k,
                      number_of(&run, k), number_of(&alone[k >= 3], k));
        cr_assert(asked == 2 && gt_optimizer_iterations(whole) == 10 && gt_optimizer_skipped(whole) == 0);
        cr_assert(gt_optimizer_iterations(gt_optimizer_part(whole, 1)) == 10);
        cr_assert(gt_optimizer_slot(whole, run.list[0], "velocity") == gt_optimizer_slot(gt_optimizer_part(whole, 0), run.list[0], "velocity"));
        cr_assert_not_null(gt_optimizer_slot(whole, run.list[1], "momentum"));
        cr_assert_null(gt_optimizer_slot(whole, run.list[1], "velocity"));
        /* iteration, rate; of the first part these, average, momentum, velocity; of the second these, momentum */
        static const char *const names[] = {"iteration", "learning_rate", "adam_0_iteration", "adam_0_learning_rate",
                                            "a_average", "a_momentum", "a_velocity", "sgd_1_iteration",
                                            "sgd_1_learning_rate", "b_momentum"};
        char text[64];
        gt_Tensors state = gt_optimizer_variables(whole);
        cr_assert_eq(state.count, 10);
        for (int i = 0; i < state.count; i++)
            cr_assert_str_eq(gt_optimizer_variable_name(whole, i, NULL, NULL, text, sizeof text), names[i]);
        gt_optimizer_finalize(whole);
        cr_assert_eq(gt_element(run.list[0], 1), gt_element(gt_optimizer_slot(whole, run.list[0], "average"), 1));
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        cr_assert(isnan(gt_optimizer_learning_rate(whole)));
        fails(GT_STATE, "is made of 2, each with a learning rate: see gt_optimizer_part");
        gt_optimizer_set_learning_rate(whole, 1);
        fails(GT_STATE, "each with a learning rate");
        gt_function_free(plan);
        end(&run);
        end(&alone[0]);
        end(&alone[1]);
    }
    ends(scope);
}

/* What is left alone is counted over the parts. */
Test(optimizers, several_that_skip)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *list[5];
    gt_Tensor *gradients[5] = {NULL};
    int asked = 0;
    for (int i = 0; i < 5; i++)
        list[i] = gt_variable(i < 3 ? gt_ones(gt_shape(2)) : gt_ones(gt_shape(2, 1)));
    gradients[0] = gt_ones(gt_shape(2));
    gradients[4] = gt_ones(gt_shape(2, 1));
    gt_Optimizer *whole = gt_MultiOptimizer(BOTH, .choose = by_rank, .context = &asked);
    cr_assert(gt_apply_gradients(whole, ((gt_Tensors){list, 5}), gradients) == GT_OK, "%s", gt_error_message());
    cr_assert(gt_optimizer_skipped(whole) == 3 && asked == 5, "%d", gt_optimizer_skipped(whole));
    gt_optimizer_free(whole);
    for (int i = 0; i < 5; i++)
        gt_variable_free(list[i]);
    ends(scope);
}

/* ---- numbers of a class ---- */

#define counting_OPTIONS(F, S) F(S, double, learning_rate, 0.5, "length of a step")
GT_OPTIONS(counting_options, counting_OPTIONS);
GT_OPTION_TYPE(counting_options, counting_OPTIONS);

static int counting_numbers(const void *options, gt_OptimizerSlot *numbers)
{
    (void)options;
    numbers[0] = (gt_OptimizerSlot){.name = "half", .initial = 1};
    numbers[1] = (gt_OptimizerSlot){.name = "total"};
    return 2;
}

static gt_Status counting_advance(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    next[0] = gt_multiply(update->numbers[0], 0.5);
    next[1] = gt_add(update->numbers[1], update->step);
    return gt_status();
}

static gt_Status counting_compute(const gt_OptimizerUpdate *update, gt_Tensor **next)
{
    next[0] = gt_subtract(update->value, gt_multiply(update->gradient, gt_cast(update->numbers[0], GT_FLOAT32)));
    return gt_status();
}

static const gt_OptimizerClass counting = {.size = sizeof(gt_OptimizerClass),
                                           .name = "counting",
                                           .options = &counting_options_type,
                                           .compute = counting_compute,
                                           .numbers = counting_numbers,
                                           .advance = counting_advance};

Test(optimizers, numbers_of_a_class)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(gt_zeros(gt_shape(2)));
    gt_Optimizer *optimizer = gt_optimizer_new(&counting, NULL);
    gt_Tensor *gradient = gt_ones(gt_shape(2));
    for (int i = 0; i < 3; i++)
        cr_assert(gt_apply_gradients(optimizer, gt_tensors(w), &gradient) == GT_OK, "%s", gt_error_message());
    gt_Tensors state = gt_optimizer_variables(optimizer);
    cr_assert(state.count == 4 && gt_item(state.items[2]) == 0.125 && gt_item(state.items[3]) == 1 + 2 + 3);
    cr_assert(gt_element(w, 1) == -1.75, "the numbers of before the step: 1, 0.5, 0.25");
    gt_optimizer_free(optimizer);
    gt_variable_free(w);
    ends(scope);
}

static int none_of_them(void *context, const gt_Variable *variable)
{
    (void)context, (void)variable;
    return 2;
}

static gt_Tensor *failing(void *context, gt_Tensor *w)
{
    (void)context, (void)w;
    gt_fail(GT_INVALID, "the constraint fails");
    return NULL;
}

/* A step of which one part fails changes nothing; what cannot be parts. */
Test(optimizers, several_as_one_refused)
{
    gt_Scope *scope = gt_scope_begin();
    int asked = 0;
    Run run = begin(gt_MultiOptimizer(BOTH, .choose = none_of_them), 1);
    gt_Tensor *g = slopes(&run, 1);
    one_step(&run, &g, NULL);
    fails(GT_INVALID, "choose must give 0 to 1 for variable a (got 2)");
    cr_assert(!gt_optimizer_built(run.optimizer) && !gt_optimizer_built(gt_optimizer_part(run.optimizer, 0)));
    gt_optimizer_free(run.optimizer);

    run.optimizer = gt_MultiOptimizer(BOTH, .choose = by_rank, .context = &asked);
    gt_Tensor *missing[2] = {gt_ones(gt_shape(3), .dtype = GT_FLOAT64), NULL};
    gt_apply_gradients(run.optimizer, gt_tensors(run.list[0], run.list[1]), missing);
    fails(GT_NO_GRADIENT, "none of the 1 variables has a gradient");
    missing[1] = gt_ones(gt_shape(2, 1), .dtype = GT_FLOAT64);
    gt_apply_gradients(run.optimizer, gt_tensors(run.list[0], run.list[0]), missing);
    fails(GT_INVALID, "variable a is in the list twice");
    for (int k = 0; k < 5; k++)
        cr_assert_eq(number_of(&run, k), 1 + k / 4.0);
    gt_set_constraint(run.list[1], gt_constraint(failing, NULL));
    gt_set_constraint(run.list[0], gt_NonNeg());
    gt_apply_gradients(run.optimizer, gt_tensors(run.list[0], run.list[1]), missing);
    fails(GT_INVALID, "the constraint fails");
    for (int k = 0; k < 5; k++)
        cr_assert_eq(number_of(&run, k), 1 + k / 4.0, "%d: %g", k, number_of(&run, k));
    cr_assert_eq(gt_element(gt_optimizer_slot(run.optimizer, run.list[0], "momentum"), 0), 0);

    /* Nor do numbers go on: the product of Nadam's momenta, the rate of a schedule. */
    Run one = begin(gt_MultiOptimizer(gt_optimizers(gt_Nadam(), gt_SGD(.schedule = HALVES)), .choose = by_rank, .context = &asked), 1);
    gt_optimizer_build(one.optimizer, ((gt_Tensors){(gt_Tensor *const *)one.list, 2}));
    gt_set_constraint(one.list[1], gt_constraint(failing, NULL));
    gt_Tensors state = gt_optimizer_variables(one.optimizer);
    double before[16];
    for (int i = 0; i < state.count; i++)
        before[i] = gt_element(gt_cast(state.items[i], GT_FLOAT64), 0);
    gt_apply_gradients(one.optimizer, gt_tensors(one.list[0], one.list[1]), missing);
    fails(GT_INVALID, "the constraint fails");
    for (int i = 0; i < state.count; i++)
        cr_assert_eq(gt_element(gt_cast(state.items[i], GT_FLOAT64), 0), before[i], "state %d", i);
    end(&one);

    gt_Optimizer *adam = gt_Adam();
    cr_assert(!gt_MultiOptimizer(gt_optimizers(gt_SGD(), gt_MultiOptimizer(gt_optimizers(gt_Adam())))));
    fails(GT_STATE, "optimizer multi_optimizer is made of several itself");
    cr_assert(!gt_MultiOptimizer(gt_optimizers(gt_SGD(), gt_optimizer_part(run.optimizer, 0))));
    fails(GT_STATE, "optimizer adam is part of another one already");
    cr_assert(!gt_MultiOptimizer(gt_optimizers(adam, adam)));
    fails(GT_INVALID, "optimizer adam is in the list twice");
    cr_assert(!gt_MultiOptimizer(gt_optimizers()));
    fails(GT_INVALID, "optimizers must be a list of 1 to 16, gt_optimizers(a, b)");
    cr_assert(!gt_MultiOptimizer(gt_optimizers(gt_LossScaleOptimizer(gt_SGD()))));
    fails(GT_STATE, "optimizer sgd scales losses itself");
    cr_assert(!gt_MultiOptimizer(gt_optimizers((gt_Optimizer *)g)));
    fails(GT_INVALID, "optimizer");
    cr_assert(!gt_LossScaleOptimizer(gt_MultiOptimizer(gt_optimizers(gt_SGD()))));
    fails(GT_STATE, "optimizer multi_optimizer is made of several, which have one loss_scale_factor or none");
    cr_assert(!gt_optimizer_part(run.optimizer, 2));
    fails(GT_INVALID, "index 2 is out of range: optimizer multi_optimizer is made of 2");
    end(&run);
    ends(scope);
}

/* 0 for the weights of the layer, 1 for all others. */
static int not_of_layer(void *layer, const gt_Variable *variable)
{
    gt_Tensors weights = gt_weights(layer);
    for (int i = 0; i < weights.count; i++)
        if (weights.items[i] == variable)
            return 0;
    return 1;
}

/* In fit, and resumed from a checkpoint: the same bits. */
Test(optimizers, several_as_one_fit)
{
    char path[] = "/tmp/gradtape-several-XXXXXX";
    cr_assert(mkstemp(path) >= 0);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_from_values_at(GT_HERE, gt_shape(4, 2), GT_FLOAT32, 8, (double[]){1, 2, 3, 4, 5, 6, 7, 9});
    gt_Dataset *data = gt_dataset_from_tensors(x, gt_sum(x, .axis = -1, .keepdims = true), .batch_size = 2, .shuffle = false);
    float kernels[3][2];
    for (int turn = 0; turn < 3; turn++) { /* four epochs; two, and two resumed */
        gt_Layer *slow = gt_Dense(2, .kernel_initializer = gt_Constant(0.25)), *fast = gt_Dense(1, .kernel_initializer = gt_Constant(0.5));
        gt_Layer *model = gt_Sequential(slow, fast);
        gt_build(model, gt_shape(2, 2), GT_FLOAT32);
        gt_Optimizer *whole = gt_MultiOptimizer(gt_optimizers(gt_SGD(0.001), gt_Adam(0.01)),
                                                .choose = not_of_layer, .context = slow);
        gt_compile(model, .optimizer = whole, .loss = gt_MeanSquaredError());
        if (turn == 2) {
            gt_load_checkpoint(path, model, .optimizer = whole);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            cr_assert_eq(gt_optimizer_iterations(gt_optimizer_part(whole, 1)), 4);
        }
        gt_fit(model, data, .epochs = turn == 0 ? 4 : 2, .verbose = GT_VERBOSITY_SILENT);
        if (turn == 1)
            gt_save_checkpoint(path, model, .optimizer = whole);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        memcpy(kernels[turn], gt_data(gt_weights(fast).items[0]), sizeof kernels[turn]);
        cr_assert(gt_element(gt_weights(slow).items[0], 0) != 0.25);
        cr_assert_not_null(gt_optimizer_slot(whole, gt_weights(fast).items[0], "velocity"));
        cr_assert_null(gt_optimizer_slot(whole, gt_weights(slow).items[0], "velocity"));
        gt_layer_free(model);
    }
    cr_assert(memcmp(kernels[0], kernels[1], sizeof *kernels) != 0);
    cr_assert(memcmp(kernels[0], kernels[2], sizeof *kernels) == 0, "%.9g, %.9g", kernels[0][0], kernels[2][0]);
    gt_dataset_free(data);
    remove(path);
    ends(scope);
}

/* Each allocation of a step fails in turn: an error, nothing lost, and nothing changed. */
Test(optimizers, every_allocation_may_fail)
{
    gt_Context *before = gt_context();
    for (int kind = 0; kind < 3; kind++) {
        bool done = false;
        int asked = 0;
        for (long n = 0; !done; n++) {
            cr_assert(n < 5000, "it never ends");
            Budget budget = {.left = INT32_MAX};
            const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
            gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
            gt_context_use(context);
            gt_Scope *scope = gt_scope_begin();
            Run run = begin(kind == 0   ? both()
                            : kind == 1 ? gt_LossScaleOptimizer(scheduled())
                                        : gt_MultiOptimizer(BOTH, .choose = by_rank, .context = &asked),
                            1);
            gt_Tensor *g = slopes(&run, 1);
            gt_optimizer_build(run.optimizer, ((gt_Tensors){(gt_Tensor *const *)run.list, 2}));
            budget.left = n;
            done = one_step(&run, &g, NULL) == GT_OK;
            budget.left = INT32_MAX;
            cr_assert(done || gt_status() == GT_NO_MEMORY, "%s", gt_error_message());
            gt_error_clear();
            for (int k = 0; k < 5; k++)
                cr_assert((number_of(&run, k) != 1 + k / 4.0) == done, "%ld: half a step", n);
            cr_assert(gt_optimizer_iterations(run.optimizer) == done);
            end(&run);
            gt_scope_end(scope);
            gt_context_use(before);
            gt_context_free(context);
            cr_assert(budget.held == 0, "%ld: %ld blocks are lost", n, budget.held);
        }
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
