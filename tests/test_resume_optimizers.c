/* Every optimizer and every schedule: a training that is stopped after any step, and goes on in a new context, ends with the bits
 * of one that was not. */
#include <math.h>

#include "data_files.h"
#include "same_bytes.h"

static bool same_files(const char *name, const char *other)
{
    char path[sizeof files_path];
    strcpy(path, in_folder(name));
    return same_bytes(path, in_folder(other));
}

#define MAKE(name, ...)                                                                            \
    static gt_Optimizer *name(void)                                                                \
    {                                                                                              \
        return __VA_ARGS__;                                                                        \
    }
static gt_Tensor *own_rate(void *context, gt_Tensor *step)
{
    (void)context;
    return gt_divide(gt_scalar(0.1, GT_FLOAT64), gt_add(step, 1));
}
static int by_rank(void *context, const gt_Variable *variable)
{
    (void)context;
    return gt_rank(variable) == 2;
}
MAKE(make_momentum, gt_SGD(0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01))
MAKE(make_amsgrad, gt_Adam(0.01, .amsgrad = true, .clipnorm = 0.5))
MAKE(make_centered, gt_RMSprop(0.01, .momentum = 0.5, .centered = true))
MAKE(make_averages, gt_Adam(0.01, .use_ema = true, .ema_momentum = 0.8, .ema_overwrite_frequency = 3))
MAKE(make_accumulates, gt_Lion(0.01, .gradient_accumulation_steps = 3))
MAKE(make_accumulates_sgd, gt_SGD(0.1, .momentum = 0.5, .gradient_accumulation_steps = 3, .global_clipnorm = 0.2))
MAKE(make_scaled, gt_LossScaleOptimizer(gt_Adam(0.01), .initial_scale = 64, .dynamic_growth_steps = 3))
MAKE(make_several, gt_MultiOptimizer(gt_optimizers(gt_Nadam(0.01), gt_SGD(0.1, .momentum = 0.9)), .choose = by_rank))
MAKE(make_exponential, gt_SGD(.schedule = gt_ExponentialDecay(0.1, .decay_steps = 3, .decay_rate = 0.5)))
MAKE(make_stairs, gt_Adam(.schedule = gt_ExponentialDecay(0.1, .decay_steps = 3, .decay_rate = 0.5, .staircase = true)))
MAKE(make_inverse, gt_SGD(.schedule = gt_InverseTimeDecay(0.1, .decay_steps = 3, .decay_rate = 0.5)))
MAKE(make_polynomial, gt_SGD(.schedule = gt_PolynomialDecay(0.1, .decay_steps = 3, .power = 2, .cycle = true)))
MAKE(make_cosine, gt_AdamW(.schedule = gt_CosineDecay(0.01, .decay_steps = 4, .warmup_target = 0.1, .warmup_steps = 3)))
MAKE(make_restarts, gt_SGD(.schedule = gt_CosineDecayRestarts(0.1, .first_decay_steps = 3)))
MAKE(make_pieces, gt_SGD(.schedule = gt_PiecewiseConstantDecay(.boundaries = gt_numbers(2, 5), .values = gt_numbers(0.1, 0.05, 0.01))))
MAKE(make_own, gt_SGD(.schedule = gt_schedule(own_rate, NULL)))
static gt_Optimizer *(*const others[])(void) = {
    make_momentum, make_amsgrad, make_centered, make_averages, make_accumulates, make_accumulates_sgd,
    make_scaled, make_several, make_exponential, make_stairs, make_inverse, make_polynomial,
    make_cosine, make_restarts, make_pieces, make_own};
enum { MORE = sizeof others / sizeof *others, STEPS_OF_ALL = 9 };

typedef struct Steps {
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Function *plan;
} Steps;

static gt_Status step_of(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Steps *self = context;
    (void)out;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *loss = gt_mean_squared_error(gt_sin(gt_multiply(in[0], 3)), gt_call(self->model, in[0], .training = true));
    gt_minimize(self->optimizer, tape, gt_scale_loss(self->optimizer, loss), gt_trainable_variables(self->model));
    return gt_tape_end(tape);
}

/* Optimizer `which`: the built-in classes with their defaults, then those above. */
static gt_Optimizer *optimizer_of(int which, int classes)
{
    return which < classes ? gt_optimizer_new(gt_optimizer_classes(NULL)[which], NULL) : others[which - classes]();
}

static Steps begin_steps(int which, int classes)
{
    gt_context_free(NULL);
    gt_set_seed(3);
    Steps steps = {gt_Sequential(gt_Dense(6, .activation = gt_tanh), gt_Dropout(0.25), gt_Dense(2)), optimizer_of(which, classes), NULL};
    gt_build(steps.model, gt_shape(1, 2), GT_FLOAT32);
    ok();
    return steps;
}

static void make_steps(Steps *steps, int first, int last, bool planned)
{
    if (planned && !steps->plan)
        steps->plan = gt_function(step_of, steps, .outputs = 0);
    for (int step = first; step < last; step++) {
        gt_Scope *scope = gt_scope_begin();
        float numbers[8];
        for (int i = 0; i < 8; i++)
            numbers[i] = sinf((float)(step * 8 + i));
        gt_Tensor *x = gt_from_data(numbers, gt_shape(4, 2), GT_FLOAT32);
        if (planned)
            gt_function_call(steps->plan, gt_tensors(x), NULL);
        else
            step_of(steps, &x, NULL);
        gt_scope_end(scope);
        ok();
    }
}

/* Stopped after any step and gone on with in a new context: the files at the end are the same, byte for byte. */
Test(resume_optimizers, every_optimizer_and_schedule)
{
    int classes, files = 0;
    gt_optimizer_classes(&classes);
    open_folder();
    for (int which = 0; which < classes + MORE; which++)
        for (int planned = 0; planned < 2; planned++) {
            Steps steps = begin_steps(which, classes);
            make_steps(&steps, 0, STEPS_OF_ALL, planned);
            gt_save_checkpoint(in_folder("a"), steps.model, .optimizer = steps.optimizer);
            ok();
            for (int stop = 1; stop < STEPS_OF_ALL; stop += 1 + stop % 3) {
                steps = begin_steps(which, classes);
                make_steps(&steps, 0, stop, planned);
                gt_save_checkpoint(in_folder("run"), steps.model, .optimizer = steps.optimizer);
                ok();
                steps = begin_steps(which, classes); /* the optimizer is not built yet */
                gt_load_checkpoint(in_folder("run"), steps.model, .optimizer = steps.optimizer);
                ok();
                make_steps(&steps, stop, STEPS_OF_ALL, planned);
                gt_save_checkpoint(in_folder("b"), steps.model, .optimizer = steps.optimizer);
                ok();
                cr_assert(same_files("a", "b"), "optimizer %d, %s, stopped after step %d", which,
                          planned ? "planned" : "eager", stop);
                files++;
            }
        }
    printf("%d optimizers and schedules, %d of %d resumed runs have the bits of one that did not stop\n", classes + MORE, files,
           files);
    gt_context_free(NULL);
    close_folder();
}
