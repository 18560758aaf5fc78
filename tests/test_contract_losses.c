/* Section 3.15 of the contract, losses: a test a sentence, called by its number in contract.txt. Numbers are Keras's
 * (oracle/make_losses.py), or small enough to be worked out by hand. Metrics, 3.16, are in test_metrics.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "leaks.h"
#include "option_defaults.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)

/* SENTENCE(15_1): the first of 3.15. */
#define SENTENCE(number)                                                                           \
    static void says_##number(void);                                                               \
    Test(contract_losses, s3_##number)                                                             \
    {                                                                                              \
        gt_Scope *scope = gt_scope_begin();                                                        \
        says_##number();                                                                           \
        ok();                                                                                      \
        gt_scope_end(scope);                                                                       \
        gt_context_free(NULL);                                                                     \
        assert_no_leaks();                                                                         \
    }                                                                                              \
    static void says_##number(void)

/* ---- what Keras says of losses ---- */

enum { ROWS = 4, STEPS = 3 };
typedef enum Part { NONE, ALL, ROWS_OF, STEPS_OF } Part;
#define PART_NONE  NONE
#define PART_ALL   ALL
#define PART_ROWS  ROWS_OF
#define PART_STEPS STEPS_OF

#define VALUES(...) __VA_ARGS__
#define UNPACK(...) __VA_ARGS__
#define DATA(name, type, y_shape, p_shape, y, p)                                                   \
    static const double name##_y[] = {y}, name##_p[] = {p};
#include "oracle/losses.inc"
#undef DATA

typedef struct Pair {
    gt_Tensor *y, *p;
} Pair;
#define DATA(name, type, y_shape, p_shape, y, p)                                                   \
    static Pair DATA_##name(void)                                                                  \
    {                                                                                              \
        return (Pair){gt_cast(gt_from_data(name##_y, UNPACK y_shape, GT_FLOAT64), type),           \
                      gt_from_data(name##_p, UNPACK p_shape, GT_FLOAT64)};                         \
    }
#include "oracle/losses.inc"
#undef DATA

static const gt_Reduction reductions[] = {GT_REDUCTION_MEAN, GT_REDUCTION_SUM,
                                          GT_REDUCTION_MEAN_WITH_SAMPLE_WEIGHT};
#define CASE(id, loss, data, weights, mask, ...)                                                   \
    static gt_Loss make_##id(void)                                                                 \
    {                                                                                              \
        return loss;                                                                               \
    }
#include "oracle/losses.inc"
#undef CASE

typedef struct Case {
    const char *text;
    gt_Loss (*make)(void);
    Pair (*data)(void);
    Part weights, mask;
    double expected[3]; /* of each reduction */
} Case;
#define CASE(id, loss, data, weights, mask, ...)                                                   \
    {#loss " of " #data ", weights " #weights ", mask " #mask,                                     \
     make_##id,                                                                                    \
     DATA_##data,                                                                                  \
     PART_##weights,                                                                               \
     PART_##mask,                                                                                  \
     {__VA_ARGS__}},
static const Case cases[] = {
#include "oracle/losses.inc"
};
#undef CASE
enum { CASES = sizeof cases / sizeof *cases };

static gt_Tensor *wave(gt_Shape shape, double phase)
{
    double values[ROWS * STEPS];
    for (int i = 0; i < ROWS * STEPS; i++)
        values[i] = fabs(sin(1.7 * i + phase));
    return gt_from_data(values, shape, GT_FLOAT64);
}

static gt_Tensor *weights_of(Part part)
{
    if (part == NONE)
        return NULL;
    return part == ROWS_OF ? gt_array64(gt_shape(ROWS), 1, 0.5, 2, 0.25) : wave(gt_shape(ROWS, STEPS), 2.2);
}

static gt_Tensor *masked(gt_Tensor *p, Part part)
{
    if (part == ALL)
        return p;
    gt_Tensor *rows = gt_cast(gt_array(gt_shape(ROWS), 1, 0, 1, 1), GT_BOOL);
    return gt_with_mask(p, part == ROWS_OF ? rows : gt_greater(wave(gt_shape(ROWS, STEPS), 0.1), 0.4));
}

static void set_reduction(gt_Loss *loss, gt_Reduction reduction)
{
    for (const gt_Field *field = loss->type->options->fields; field->name; field++)
        if (strcmp(field->name, "reduction") == 0)
            memcpy((char *)loss->options + field->offset, &reduction, sizeof reduction);
}

static double computed(const Case *c, gt_Reduction reduction)
{
    gt_Loss loss = c->make();
    Pair pair = c->data();
    set_reduction(&loss, reduction);
    gt_Tensor *value = gt_compute_loss(loss, pair.y, masked(pair.p, c->mask), .sample_weight = weights_of(c->weights));
    cr_assert_eq(gt_status(), GT_OK, "%s: %s", c->text, gt_error_message());
    return gt_item(value);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-8 * fmax(1, fabs(b));
}

/* All numbers of a reduction for losses whose text begins so, with such weights and mask. */
static int agree(const char *begin, int reduction, int weights, int mask)
{
    int count = 0;
    for (int i = 0; i < CASES; i++) {
        const Case *c = &cases[i];
        if (strncmp(c->text, begin, strlen(begin)) != 0 || (weights >= 0 && (int)c->weights != weights) ||
            (mask >= 0 && (int)c->mask != mask))
            continue;
        double got = computed(c, reductions[reduction]);
        bool in_float32 = strncmp(c->text, "gt_CTC(", 7) == 0; /* in Keras, on TensorFlow */
        cr_expect(in_float32 ? fabs(got / c->expected[reduction] - 1) < 1e-7 : near(got, c->expected[reduction]),
                  "%s, reduction %d: %.12g, not %.12g", c->text, reduction,
                  got, c->expected[reduction]);
        count++;
    }
    return count;
}
enum { ANY = -1 };

/* Of every case of a loss. */
static void as_keras(const char *begin, int at_least)
{
    int count = agree(begin, 0, ANY, ANY);
    cr_assert(count >= at_least, "%s: %d cases", begin, count);
}

/* One label and one prediction. */
static double of_one(gt_Loss loss, double y, double p)
{
    return gt_item(gt_compute_loss(loss, gt_array64(gt_shape(1, 1), y), gt_array64(gt_shape(1, 1), p)));
}

#define equals(value, expected)                                                                    \
    do {                                                                                           \
        double got_ = (value), wanted_ = (expected);                                               \
        cr_expect(near(got_, wanted_), "%s is %.12g, not %.12g", #value, got_, wanted_);           \
    } while (0)

/* ---- reductions ---- */

SENTENCE(15_1)
{
    cr_assert(agree("", 0, NONE, ALL) > 60 && agree("", 0, ANY, ANY) == CASES);
    gt_Tensor *y = gt_array64(gt_shape(2, 2), 1, 2, 3, 4), *p = gt_array64(gt_shape(2, 2), 1, 2, 3, 8);
    equals(gt_item(gt_compute_loss(gt_MeanSquaredError(), y, p)), 4);
    equals(gt_item(gt_compute_loss(gt_MeanSquaredError(), y, p, .sample_weight = gt_array64(gt_shape(2), 1, 3))), 12);
}

SENTENCE(15_2)
{
    cr_assert_eq(agree("", 1, ANY, ANY), CASES);
}

/* Keras has two names for it. */
SENTENCE(15_3)
{
    Pair pair = DATA_NUMBERS();
    equals(gt_item(gt_compute_loss(gt_Huber(.reduction = GT_REDUCTION_MEAN), pair.y, pair.p)),
           gt_item(gt_compute_loss(gt_Huber(), pair.y, pair.p)));
}

SENTENCE(15_4)
{
    cr_assert_eq(agree("", 2, ANY, ANY), CASES);
}

/* A loss to be trained on is one number; the losses of the samples come from the functions. */
SENTENCE(15_5)
{
    gt_Tensor *y = gt_array64(gt_shape(2, 2), 1, 2, 3, 4), *p = gt_array64(gt_shape(2, 2), 1, 2, 3, 8);
    gt_Tensor *each = gt_mean_squared_error(y, p, .reduction = GT_REDUCTION_NONE);
    cr_assert(gt_size(each) == 2 && gt_element(each, 0) == 0 && gt_element(each, 1) == 8);
    refused(gt_compute_loss(gt_MeanSquaredError(.reduction = GT_REDUCTION_NONE), y, p), GT_INVALID,
            "the reduction of a loss must be mean, sum or the mean by weights");
}

/* ---- types, masks, weights, ranks ---- */

SENTENCE(15_6)
{
    const gt_DType types[] = {GT_INT32, GT_UINT8, GT_BOOL, GT_FLOAT64};
    gt_Tensor *y = gt_array64(gt_shape(4), 1, 0, 1, 1), *p = gt_array64(gt_shape(4, 1), .5, .25, .75, 1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        gt_Tensor *value = gt_compute_loss(gt_MeanSquaredError(), gt_cast(y, types[i]), p);
        ok();
        cr_assert(gt_dtype(value) == GT_FLOAT64);
        equals(gt_item(value), (0.25 + 0.0625 + 0.0625) / 4);
    }
    refused(gt_compute_loss(gt_MeanSquaredError(), gt_cast(y, GT_FLOAT32), p), GT_INVALID,
            "must have the same dtype (got float32 and float64)");
}

SENTENCE(15_7)
{
    int rows = agree("", 0, ANY, ROWS_OF), steps = agree("", 0, ANY, STEPS_OF);
    cr_assert(rows > 60 && steps > 30, "%d, %d", rows, steps);
    /* Three of four count: their mean, whatever stands in the fourth. */
    gt_Tensor *y = gt_zeros(gt_shape(4, 1), .dtype = GT_FLOAT64), *p = gt_array64(gt_shape(4, 1), 1, 2, 3, 100);
    gt_Tensor *keep = gt_cast(gt_array(gt_shape(4), 1, 1, 1, 0), GT_BOOL);
    equals(gt_item(gt_compute_loss(gt_MeanAbsoluteError(), y, gt_with_mask(p, keep))), 2);
}

SENTENCE(15_8)
{
    int rows = agree("", 0, ROWS_OF, ANY), steps = agree("", 0, STEPS_OF, ANY);
    cr_assert(rows > 100 && steps > 40, "%d, %d", rows, steps);
    gt_Tensor *y = gt_zeros(gt_shape(2, 2, 1), .dtype = GT_FLOAT64), *p = gt_ones(gt_shape(2, 2, 1), .dtype = GT_FLOAT64);
    gt_Tensor *column = gt_array64(gt_shape(2, 1), 1, 3), *rows_only = gt_array64(gt_shape(2), 1, 3);
    equals(gt_item(gt_compute_loss(gt_MeanSquaredError(), y, p, .sample_weight = column)), 2);
    equals(gt_item(gt_compute_loss(gt_MeanSquaredError(), y, p, .sample_weight = rows_only)), 2);
}

SENTENCE(15_9)
{
    const gt_Loss losses[] = {gt_MeanSquaredError(), gt_Hinge(), gt_SquaredHinge(), gt_Poisson(), gt_KLDivergence(),
                              gt_BinaryCrossentropy(), gt_Huber(), gt_LogCosh(), gt_MeanAbsoluteError(),
                              gt_MeanAbsolutePercentageError(), gt_MeanSquaredLogarithmicError(), gt_CategoricalHinge(),
                              gt_BinaryFocalCrossentropy(), gt_CosineSimilarity()};
    gt_Tensor *list = gt_array64(gt_shape(3), 1, 0, 1), *p = gt_array64(gt_shape(3), .5, .25, .75);
    gt_Tensor *column = gt_reshape(list, gt_shape(3, 1)), *p_column = gt_reshape(p, gt_shape(3, 1));
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        double right = gt_item(gt_compute_loss(losses[i], column, p_column));
        cr_expect(gt_item(gt_compute_loss(losses[i], list, p_column)) == right, "%d", (int)i);
        cr_expect(gt_item(gt_compute_loss(losses[i], column, p)) == right, "%d", (int)i);
        ok();
    }
}

SENTENCE(15_10)
{
    gt_Tensor *y = gt_array(gt_shape(3), 1, 0, 1), *p = gt_array(gt_shape(3, 1), .5f, .25f, .5f);
    refused(gt_hinge(y, p), GT_INVALID, "hinge: ");
    refused(gt_squared_hinge(y, p), GT_INVALID, "squared_hinge: ");
    refused(gt_poisson(y, p), GT_INVALID, "poisson: ");
    refused(gt_kl_divergence(y, p), GT_INVALID, "kl_divergence: ");
    refused(gt_binary_crossentropy(y, p), GT_INVALID, "binary_crossentropy: ");
}

/* ---- one by one ---- */

SENTENCE(15_11)
{
    as_keras("gt_MeanSquaredError(", 9);
    equals(of_one(gt_MeanSquaredError(), 1, 3), 4);
}

SENTENCE(15_12)
{
    as_keras("gt_MeanAbsoluteError(", 9);
    equals(of_one(gt_MeanAbsoluteError(), 1, 3), 2);
}

SENTENCE(15_13)
{
    as_keras("gt_BinaryCrossentropy(", 18);
    equals(of_one(gt_BinaryCrossentropy(), 0, 1), -log(1e-7));
    equals(of_one(gt_BinaryCrossentropy(), 1, 0), -log(1e-7));
    equals(of_one(gt_BinaryCrossentropy(.from_logits = true), 1, -3), 3 + log1p(exp(-3)));
    equals(of_one(gt_BinaryCrossentropy(.label_smoothing = 0.5), 1, 0.25), -0.75 * log(0.25) - 0.25 * log(0.75));
}

SENTENCE(15_14)
{
    as_keras("gt_CategoricalCrossentropy(", 30);
    /* Divided by their sum first, and smoothed by a share for each class. */
    gt_Tensor *y = gt_array64(gt_shape(1, 2), 0, 1), *p = gt_array64(gt_shape(1, 2), 0.25, 0.75);
    equals(gt_item(gt_compute_loss(gt_CategoricalCrossentropy(.label_smoothing = 0.5), y, p)),
           -0.25 * log(0.25) - 0.75 * log(0.75));
}

SENTENCE(15_15)
{
    as_keras("gt_SparseCategoricalCrossentropy(", 20);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(2), 0, 1), GT_INT32), *p = gt_array64(gt_shape(2, 2), 0.25, 0.75, 0.5, 0.5);
    equals(gt_item(gt_compute_loss(gt_SparseCategoricalCrossentropy(.ignore_class = 1), y, p)), -log(0.25));
    refused(gt_compute_loss(gt_SparseCategoricalCrossentropy(), gt_array64(gt_shape(2), 0, 1), p), GT_INVALID, "integers");
}

SENTENCE(15_16)
{
    as_keras("gt_Huber(", 12);
    equals(of_one(gt_Huber(), 0, 0.5), 0.125);
    equals(of_one(gt_Huber(), 0, 3), 2.5);
    equals(of_one(gt_Huber(.delta = 2), 0, 3), 4);
}

SENTENCE(15_17)
{
    as_keras("gt_LogCosh(", 9);
    equals(of_one(gt_LogCosh(), 1, -2), log(cosh(3)));
    equals(of_one(gt_LogCosh(), 0, 1000), 1000 - log(2));
}

/* Labels of 0 and 1 are -1 and 1. */
SENTENCE(15_18)
{
    as_keras("gt_Hinge(", 9);
    equals(of_one(gt_Hinge(), 0, 0.5), 1.5);
    equals(of_one(gt_Hinge(), -1, 0.5), 1.5);
    equals(of_one(gt_Hinge(), 1, 0.5), 0.5);
}

SENTENCE(15_19)
{
    as_keras("gt_SquaredHinge(", 9);
    equals(of_one(gt_SquaredHinge(), 0, 0.5), 2.25);
}

SENTENCE(15_20)
{
    as_keras("gt_CategoricalHinge(", 9);
    gt_Tensor *y = gt_array64(gt_shape(1, 3), 0, 1, 0), *p = gt_array64(gt_shape(1, 3), 0.25, 0.5, 1);
    equals(gt_item(gt_compute_loss(gt_CategoricalHinge(), y, p)), 1.5);
}

SENTENCE(15_21)
{
    as_keras("gt_KLDivergence(", 9);
    equals(of_one(gt_KLDivergence(), 0.5, 0), 0.5 * log(0.5 / 1e-7));
    equals(of_one(gt_KLDivergence(), 0, 0.5), 1e-7 * log(1e-7 / 0.5));
}

SENTENCE(15_22)
{
    as_keras("gt_Poisson(", 8);
    equals(of_one(gt_Poisson(), 2, 0), -2 * log(1e-7));
    equals(of_one(gt_Poisson(), 2, 3), 3 - 2 * log(3 + 1e-7));
}

SENTENCE(15_23)
{
    as_keras("gt_CosineSimilarity(", 9);
    gt_Tensor *y = gt_array64(gt_shape(1, 2), 3, 4), *p = gt_array64(gt_shape(1, 2), 4, 3);
    equals(gt_item(gt_compute_loss(gt_CosineSimilarity(), y, p)), -24.0 / 25);
}

SENTENCE(15_24)
{
    as_keras("gt_MeanAbsolutePercentageError(", 9);
    equals(of_one(gt_MeanAbsolutePercentageError(), -4, -3), 25);
    equals(of_one(gt_MeanAbsolutePercentageError(), 0, 1), 1e9);
}

SENTENCE(15_25)
{
    as_keras("gt_MeanSquaredLogarithmicError(", 9);
    equals(of_one(gt_MeanSquaredLogarithmicError(), 3, 1), log(2) * log(2));
    equals(of_one(gt_MeanSquaredLogarithmicError(), -5, 0), 0); /* from 1e-7 on */
}

SENTENCE(15_26)
{
    as_keras("gt_BinaryFocalCrossentropy(", 12);
    equals(of_one(gt_BinaryFocalCrossentropy(), 1, 0.5), -0.25 * log(0.5));
    equals(of_one(gt_BinaryFocalCrossentropy(.alpha = 0.75), 1, 0.5), -0.25 * log(0.5)); /* not used */
    equals(of_one(gt_BinaryFocalCrossentropy(.alpha = 0.75, .apply_class_balancing = true), 1, 0.5), -0.1875 * log(0.5));
}

SENTENCE(15_27)
{
    as_keras("gt_CategoricalFocalCrossentropy(", 15);
    gt_Tensor *y = gt_array64(gt_shape(1, 2), 0, 1), *p = gt_array64(gt_shape(1, 2), 0.5, 0.5);
    equals(gt_item(gt_compute_loss(gt_CategoricalFocalCrossentropy(), y, p)), -0.25 * 0.25 * log(0.5));
}

SENTENCE(15_28)
{
    as_keras("gt_Dice(", 5);
    gt_Tensor *y = gt_array64(gt_shape(2, 2), 1, 1, 0, 0), *p = gt_array64(gt_shape(2, 2), 1, 0, 1, 0);
    equals(gt_item(gt_compute_loss(gt_Dice(), y, p)), 1 - 2 / (4 + 1e-7));
}

SENTENCE(15_29)
{
    as_keras("gt_CTC(", 4);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(1, 1), 1), GT_INT32), *p = gt_zeros(gt_shape(1, 2, 2), .dtype = GT_FLOAT64);
    equals(gt_item(gt_compute_loss(gt_CTC(), y, p)), -log(0.75)); /* all paths but two blanks */
    gt_Tensor *keep = gt_cast(gt_ones(gt_shape(1, 2)), GT_BOOL); /* of steps */
    refused(gt_compute_loss(gt_CTC(), y, gt_with_mask(p, keep)), GT_INVALID, "y_pred has a mask: see gt_unmask");
    refused(gt_compute_loss(gt_CTC(), y, gt_ones(gt_shape(1, 2))), GT_INVALID, "y_pred must be (batch, steps, classes)");
    refused(gt_compute_loss(gt_CTC(), NULL, p), GT_INVALID, "");
}

SENTENCE(15_30)
{
    as_keras("gt_Tversky(", 5);
    gt_Tensor *y = gt_array64(gt_shape(2, 2), 1, 1, 0, 0), *p = gt_array64(gt_shape(2, 2), 1, 0, 1, 0);
    equals(gt_item(gt_compute_loss(gt_Tversky(), y, p)), 1 - 1 / (2 + 1e-7));
    equals(gt_item(gt_compute_loss(gt_Tversky(.alpha = 1, .beta = 3), y, p)), 1 - 1 / (5 + 1e-7));
}

SENTENCE(15_31)
{
    as_keras("gt_Circle(", 8);
}

SENTENCE(15_32)
{
    as_keras("gt_CategoricalGeneralizedCrossEntropy(", 8);
    gt_Tensor *y = gt_cast(gt_array(gt_shape(1), 1), GT_INT32), *p = gt_array64(gt_shape(1, 2), 0.75, 0.25);
    equals(gt_item(gt_compute_loss(gt_CategoricalGeneralizedCrossEntropy(), y, p)), (1 - 0.5) / 0.5);
}

/* ---- defaults ---- */

#define DEFAULTS(keras, option, value) {keras, option, value},
static const OptionDefault defaults[] = {
#include "oracle/losses.inc"
};
#undef DEFAULTS

Test(contract_losses, defaults)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        OptionDefault expected = defaults[i];
        const gt_LossClass *type = gt_loss_class_find(expected.keras);
        cr_assert(type != NULL, "%s", expected.keras);
        bool axis = strcmp(expected.option, "axis") == 0;
        if (axis && strncmp(expected.keras, "Binary", 6) == 0)
            continue; /* the mean over the last axis, which is the mean of all in the end */
        if (axis && isnan(expected.value)) { /* of Dice and Tversky: several */
            expected = (OptionDefault){expected.keras, "axes", NAN};
        }
        check_default(type->options, &expected);
    }
}

/* ---- names ---- */

SENTENCE(15_33)
{
    static const char *const names[][2] = {{"mse", "MeanSquaredError"},
                                           {"mae", "MeanAbsoluteError"},
                                           {"mape", "MeanAbsolutePercentageError"},
                                           {"msle", "MeanSquaredLogarithmicError"},
                                           {"bce", "BinaryCrossentropy"},
                                           {"kld", "KLDivergence"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert_str_eq(gt_loss_class_find(names[i][0])->keras, names[i][1]);
        cr_assert_str_eq(gt_metric_name(gt_metric_named(names[i][0])), names[i][0]);
    }
}

/* Trains one step on such labels and predictions; what is shown. */
static double shown(gt_Loss loss, const char *metric, const char *name, Pair pair)
{
    gt_Shape shape = gt_tensor_shape(pair.p);
    gt_Layer *model = gt_Sequential(gt_Dense(gt_last(shape), .use_bias = false, .dtype = GT_FLOAT64,
                                             .kernel_initializer = gt_IdentityInitializer()));
    gt_Dataset *rows = gt_dataset_from_tensors(pair.p, pair.y, .batch_size = 8);
    gt_compile(model, .optimizer = gt_SGD(0), .loss = loss, .metrics = gt_metrics(gt_metric_named(metric)));
    gt_History *history = gt_fit(model, rows, .verbose = GT_VERBOSITY_SILENT);
    double value = gt_history_get(history, name, 0);
    ok();
    gt_history_free(history);
    gt_layer_free(model);
    gt_dataset_free(rows);
    return value;
}

SENTENCE(15_34)
{
    as_keras("gt_Crossentropy(", 12);
    gt_Loss ce = gt_loss_make(gt_loss_class_find("ce"), NULL);
    gt_Loss same = gt_loss_make(gt_loss_class_find("crossentropy"), NULL);
    cr_assert(ce.type == same.type);
    Pair column = DATA_COLUMN(), kinds = DATA_KINDS(), hot = DATA_PROBABLE();
    equals(shown(ce, "acc", "loss", column), shown(gt_BinaryCrossentropy(), "acc", "loss", column));
    equals(shown(ce, "acc", "loss", kinds), shown(gt_SparseCategoricalCrossentropy(), "acc", "loss", kinds));
    equals(shown(ce, "acc", "loss", hot), shown(gt_CategoricalCrossentropy(), "acc", "loss", hot));
    equals(shown(ce, "accuracy", "accuracy", column), shown(ce, "binary_accuracy", "binary_accuracy", column));
    equals(shown(ce, "acc", "acc", kinds),
           shown(ce, "sparse_categorical_accuracy", "sparse_categorical_accuracy", kinds));
    equals(shown(ce, "acc", "acc", hot), shown(ce, "categorical_accuracy", "categorical_accuracy", hot));
}
