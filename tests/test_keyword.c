/* Keyword arguments at run time: presets, lists with their end marked, bare numbers in place of shapes, options
 * of older and newer programs, what is the caller's after a call. (What compilers refuse: tests/wrong_calls.c;
 * structs that grow: tests/growth.) */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int calls; /* how often an argument was evaluated */
static gt_Tensor *counted(gt_Tensor *x)
{
    calls++;
    return x;
}
static double counted_number(double number)
{
    calls++;
    return number;
}

static void refused(bool made, const char *text)
{
    cr_assert(!made && gt_status() == GT_INVALID, "%s: not refused", text);
    cr_assert(strstr(gt_error_message(), text), "\"%s\" instead of \"%s\"", gt_error_message(),
              text);
    gt_error_clear();
}

static gt_Tensor *one(double number)
{
    return gt_scalar(number, GT_FLOAT64);
}

static void sizes_refused(gt_Sizes sizes, int count, int64_t least, const char *text)
{
    int64_t numbers[3] = {-1, -1, -1};
    cr_assert_eq(gt_sizes_expand("strides", sizes, count, least, numbers), GT_INVALID);
    refused(false, text);
}

/* A number is a list of one; a list has as many as there are axes. */
Test(keyword, sizes)
{
    int64_t n[3] = {0, 0, 0};
    cr_assert(gt_sizes(3) == 3 && gt_sizes(-1) == -1 && gt_sizes(INT64_MAX) == INT64_MAX);
    cr_assert(gt_sizes_expand("strides", 3, 3, 1, n) == GT_OK && n[0] == 3 && n[1] == 3 && n[2] == 3);
    cr_assert(gt_sizes_expand("strides", gt_sizes(4, 0), 2, 0, n) == GT_OK && n[0] == 4 && n[1] == 0 &&
              n[2] == 3);
    cr_assert(gt_sizes_expand("strides", gt_sizes(1048575, 1, 1048575), 3, 1, n) == GT_OK &&
              n[0] == 1048575 && n[1] == 1 && n[2] == 1048575);
    cr_assert(gt_sizes_expand("strides", INT32_MAX, 1, 1, n) == GT_OK && n[0] == INT32_MAX);
    const int64_t two[] = {5, 6, GT_INTEGERS_END, 7}, none[] = {GT_INTEGERS_END};
    cr_assert(gt_sizes_list(two) == gt_sizes(5, 6) && gt_sizes(5, 6) != gt_sizes(6, 5) &&
              gt_sizes(5, 5) != 5);
    sizes_refused(0, 2, 1, "strides must be from 1 to 2147483647 (got 0)");
    sizes_refused(gt_sizes(2, 0), 2, 1, "strides must be from 1 to 2147483647 (got 0)");
    sizes_refused((int64_t)INT32_MAX + 1, 2, 1, "(got 2147483648)");
    sizes_refused(GT_NONE, 2, 0, "strides must be from 0 to 2147483647 (got -2147483648)");
    sizes_refused(gt_sizes(1, 2), 1, 1, "strides must be one number, or one for each of 1 spatial axis (got 2)");
    sizes_refused(gt_sizes(1, 2), 3, 1, "one for each of 3 spatial axes (got 2)");
    sizes_refused(gt_sizes(1, 2, 3), 2, 1, "(got 3)");
    sizes_refused(gt_sizes(1, 2, 3, 4), 3, 1, "strides must be one number, or up to three from 0 to 1048575");
    sizes_refused(gt_sizes(1, -1), 2, 1, "up to three from 0 to 1048575");
    sizes_refused(gt_sizes(1, 1048576), 2, 1, "up to three from 0 to 1048575");
    sizes_refused(gt_sizes_list(none), 2, 1, "up to three");
    refused(gt_sizes_expand("strides", 1, 0, 1, n) == GT_OK, "room for 1 to 3 numbers (got 0)");
    refused(gt_sizes_expand("strides", 1, 4, 1, n) == GT_OK, "room for 1 to 3 numbers (got 4)");
    refused(gt_sizes_expand(NULL, 1, 1, 1, n) == GT_OK, "there must be a name");
    refused(gt_sizes_expand("strides", 1, 1, 1, NULL) == GT_OK, "there must be a name and room");
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(keyword, lists_end_with_a_mark)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(2), 1, 2);
    cr_assert_eq(gt_tensors().count, 0);
    cr_assert_eq(gt_tensors(x).count, 1);
    cr_assert_eq(gt_tensors((x), x).count, 2); /* brackets around the first are not nothing */
    cr_assert_eq(gt_tensors((x)).count, 1);
    gt_Tensors some = gt_tensors(x, NULL, x); /* NULL may be one of them */
    cr_assert(some.count == 3 && some.items[0] == x && !some.items[1] && some.items[2] == x);
    gt_Tensor *const list[] = {x, x, GT_LIST_END, x};
    cr_assert_eq(gt_tensors_list(list).count, 2);

    cr_assert(gt_shape().rank == 0 && gt_shape(-1, 0).rank == 2 && gt_shape(-1, 0).dims[0] == -1);
    gt_Shape full = gt_shape(1, 2, 3, 4, 5, 6, 7, 8);
    cr_assert(full.rank == GT_MAX_RANK && full.dims[7] == 8);
    cr_assert(gt_shape(1, 2, 3, 4, 5, 6, 7, 8, 9).rank == -1 &&
              gt_shape(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).rank == -1);
    cr_assert(gt_axes().count == 0 && gt_axes(0, -1).count == 2 && gt_axes(0, -1).axis[1] == -1);
    refused(gt_sum(x, .axes = gt_axes(0, 1, 2, 3, 4, 5, 6, 7, 8)), "");
    cr_assert(gt_numbers().count == 0 && gt_numbers(2.5, NAN).count == 2 &&
              gt_numbers(0, -0.0, INFINITY).value[2] == INFINITY);
    cr_assert(gt_numbers(1, 2, 3, 4, 5, 6, 7, 8, 9).count > GT_MAX_NUMBERS);
    gt_Integers many = gt_integers(INT64_MIN, -1, INT32_MIN, INT64_MAX);
    cr_assert(many.count == 4 && many.items[3] == INT64_MAX);
    /* What an overflow leaves ends no list: a shape of one is an error, not a scalar. */
    for (int i = 0; i < 4; i++) {
        const int64_t low[] = {INT64_MIN, INT64_MIN + 1, INT32_MIN, INT32_MIN + 1};
        cr_assert(gt_shape(2, low[i]).rank == 2 && gt_shape(low[i], 2).rank == 2);
        refused(gt_full(gt_shape(low[i]), 1), "");
        refused(gt_eye(low[i], .columns = 3), "");
        refused(gt_sum(x, .axes = gt_axes(INT32_MIN + i)), "");
    }
    cr_assert_eq(gt_size(gt_array(gt_shape(3), 0, -0.0, NAN)), 3);
    refused(gt_array(gt_shape(3), 1, 2), "2 numbers for the shape (3,)");

    gt_Metric *metric = gt_Mean();
    cr_assert(gt_metrics().count == 0 && gt_metrics(metric, NULL).count == 2);
    gt_metric_free(metric);
    cr_assert_eq(gt_metadata({"a", "b"}, {"c", NULL}).count, 2);
    gt_NamedTensors named = gt_named_tensors({"a", x}, {NULL, x}, {"b", NULL});
    cr_assert_eq(named.count, 3); /* what is wrong with them is said when they are saved */
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(keyword, models_of_no_layer_and_of_a_failed_one)
{
    gt_Layer *model = gt_Sequential();
    cr_assert(model && gt_layer_child_count(model) == 0, "%s", gt_error_message());
    gt_sequential_add(model, gt_Dense(3));
    cr_assert_eq(gt_layer_child_count(model), 1);
    gt_layer_free(model);
    refused(gt_Sequential(gt_Dense(1), gt_Dense(-1), gt_Dropout(0.5)), "units");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Arguments with effects are evaluated once: nothing is expanded twice but for its type. */
Test(keyword, arguments_are_evaluated_once)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(2), 1, 2);
    struct {
        const char *what;
        gt_Tensor *made;
        int wanted, got;
    } cases[16];
    int n = 0;
#define ONCE(times, expression)                                                                    \
    do {                                                                                           \
        calls = 0;                                                                                 \
        gt_Tensor *made = expression;                                                              \
        cases[n].what = #expression;                                                               \
        cases[n].made = made;                                                                      \
        cases[n].wanted = times;                                                                   \
        cases[n++].got = calls;                                                                    \
    } while (0)
    ONCE(1, gt_sum(counted(x)));
    ONCE(2, gt_sum(counted(x), .axis = (int)counted_number(0)));
    ONCE(2, gt_add(counted(x), counted(x)));
    ONCE(2, gt_multiply(counted(x), counted_number(2)));
    ONCE(3, gt_where(counted(x), counted(x), counted_number(2)));
    ONCE(2, gt_concatenate(gt_tensors(counted(x), counted(x))));
    ONCE(1, gt_reshape(x, gt_shape(2, (int64_t)counted_number(1))));
    ONCE(2, gt_array64(gt_shape(2), counted_number(1), counted_number(2)));
    ONCE(1, gt_sum(gt_expand_dims(x, 0), .axes = gt_axes((int)counted_number(1))));
    ONCE(2, gt_clip(counted(x), counted_number(0), 1));
    ONCE(2, gt_isclose(x, counted(x), .rtol = counted_number(0.1)));
    ONCE(1, gt_repeat(x, gt_integers((int64_t)counted_number(1), 2)));
    for (int i = 0; i < n; i++) {
        cr_assert(cases[i].made, "%s: %s", cases[i].what, gt_error_message());
        cr_assert(cases[i].got == cases[i].wanted, "%s: evaluated %d times, not %d", cases[i].what,
                  cases[i].got, cases[i].wanted);
    }
    calls = 0;
    gt_Optimizer *adam = gt_Adam(counted_number(0.5), .beta_1 = counted_number(0.5));
    cr_assert(calls == 2 && gt_optimizer_learning_rate(adam) == 0.5);
    gt_optimizer_free(adam);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The positional argument of an optimizer may be given, left out, or given by name. */
Test(keyword, an_argument_that_may_be_left_out)
{
    const struct {
        gt_Optimizer *made;
        double rate, momentum;
    } cases[] = {
        {gt_SGD(), 0.01, 0},
        {gt_SGD(0.5), 0.5, 0},
        {gt_SGD(0.5, .momentum = 0.9), 0.5, 0.9},
        {gt_SGD(.momentum = 0.9), 0.01, 0.9},
        {gt_SGD(.momentum = 0.9, .learning_rate = 0.25), 0.25, 0.9},
        {gt_SGD(.learning_rate = 0.25), 0.25, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gt_SGD_options *options = gt_optimizer_options(cases[i].made);
        cr_assert(options && gt_optimizer_learning_rate(cases[i].made) == cases[i].rate &&
                      options->momentum == cases[i].momentum,
                  "case %zu: %s", i, gt_error_message());
        gt_optimizer_free(cases[i].made);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wmissing-braces" /* what some warn of here */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
/* `.axes = 0` is what no compiler refuses; the other numbers get here by a lenient one alone. */
Test(keyword, bare_numbers_are_no_shapes)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(1, 2, 1), 1, 2), *kernel = gt_array64(gt_shape(1, 1, 1), 1);
    refused(gt_sum(x, .axes = 0), "axes must be gt_axes(...) (got the number 0)");
    refused(gt_transpose(x, .perm = 0), "must be gt_axes(...) (got the number 0)");
    refused(gt_conv(x, kernel, .strides = 0), "strides must be gt_shape(...) (got the number 0)");
    refused(gt_load_csv("none.csv", .columns = 0), "columns must be gt_columns(...)");
    gt_sum_options options = {GT_PRESETS(gt_sum_options, gt_sum_OPTIONS)};
    memset(&options.axes, 0, sizeof options.axes);
    options.axes.mark = (const gt_Mark *)(uintptr_t)1;
    refused(gt_sum_at("a.c:1", x, &options), "(got the number 1)");
    /* A set that was filled in by hand counts. */
    options.axes = (gt_Axes){.count = 1, .axis = {1}};
    cr_assert(gt_size(gt_sum_at(NULL, x, &options)) == 1, "%s", gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

#define grown_OPTIONS(F, S)                                                                        \
    F(S, double, known, 1, "the one field")                                                        \
    F(S, int32_t, end_of_it, 2, "in front of padding")
GT_OPTIONS(grown_options, grown_OPTIONS);
GT_OPTION_TYPE(grown_options, grown_OPTIONS);

/* Structs of programs that know fewer fields, or more. The struct says how much of it counts. */
Test(keyword, options_of_other_versions)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(2, 1), -2, 10);
    gt_relu_options options = {GT_PRESETS(gt_relu_options, gt_relu_OPTIONS)};
    cr_assert(options.size.bytes == offsetof(gt_relu_options, end) &&
              options.max_value == INFINITY);
    options.negative_slope = 0.5;
    options.max_value = 3;
    cr_assert(gt_element(gt_relu_at(NULL, x, &options), 0) == -1 &&
              gt_element(gt_relu_at(NULL, x, &options), 1) == 3);
    options.size.bytes = offsetof(gt_relu_options, max_value); /* it ended here once */
    cr_assert(gt_element(gt_relu_at(NULL, x, &options), 0) == -1 &&
              gt_element(gt_relu_at(NULL, x, &options), 1) == 10);
    options.size.bytes = sizeof options.size;
    cr_assert_eq(gt_element(gt_relu_at(NULL, x, &options), 0), 0);
    struct {
        gt_relu_options known;
        double later[4];
    } newer = {{GT_PRESETS(gt_relu_options, gt_relu_OPTIONS)}, {1, 2, 3, 4}};
    newer.known.size.bytes = sizeof newer;
    newer.known.max_value = 3;
    cr_assert_eq(gt_element(gt_relu_at(NULL, x, &newer.known), 1), 3);
    cr_assert_eq(gt_element(gt_relu_at(NULL, x, NULL), 1), 10);

    /* What follows the library's own struct is not written to, whatever the caller's size. */
    struct {
        grown_options known;
        unsigned char behind[64];
    } given = {{GT_PRESETS(grown_options, grown_OPTIONS)}, {0}}, taken;
    for (uint32_t bytes = 0; bytes <= sizeof given; bytes++) {
        memset(&taken, 0x55, sizeof taken);
        given.known.size.bytes = bytes < sizeof bytes ? (uint32_t)sizeof bytes : bytes;
        gt_options_take(&grown_options_type, &taken, &given);
        cr_assert_eq(taken.known.size.bytes, offsetof(grown_options, end));
        for (size_t i = 0; i < sizeof taken.behind; i++)
            cr_assert_eq(taken.behind[i], 0x55, "%u bytes: byte %d behind it", bytes, (int)i);
    }
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Texts and lists that a call was given are the caller's again when it returns. */
Test(keyword, the_caller_overwrites_what_it_gave)
{
    char name[] = "first", metric_name[] = "mine", variable_name[] = "w";
    gt_Layer *layer = gt_Dense(2, .name = name);
    gt_Metric *metric = gt_Mean(.name = metric_name);
    gt_Metric *items[] = {metric, GT_LIST_END};
    gt_Variable *variable = gt_variable(one(1), .name = variable_name);
    gt_Layer *layers[] = {layer, GT_LIST_END};
    gt_Layer *model = gt_Sequential_at("a.c:1", layers);
    gt_Optimizer *optimizer = gt_SGD(0.5, .name = name);
    gt_compile(model, .optimizer = optimizer, .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics_list(items));
    memset(name, 'x', sizeof name - 1);
    memset(metric_name, 'x', sizeof metric_name - 1);
    variable_name[0] = 'x';
    items[0] = NULL;
    layers[0] = NULL;
    cr_assert_str_eq(gt_layer_name(layer), "first");
    cr_assert_str_eq(gt_metric_name(metric), "mine");
    cr_assert_str_eq(gt_variable_name(variable), "w");
    cr_assert_str_eq(gt_optimizer_name(optimizer), "first");
    gt_Dataset *data = gt_dataset_from_tensors(gt_array(gt_shape(2, 1), 1, 2),
                                               gt_array(gt_shape(2, 2), 1, 2, 3, 4));
    gt_History *history = gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT);
    cr_assert(history && gt_history_name_count(history) == 2, "%s", gt_error_message());
    cr_assert_str_eq(gt_history_name(history, 1), "mine");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A value that no constructor made is refused, not followed. */
Test(keyword, values_begin_with_their_class)
{
    const uint64_t other[8] = {42};
    gt_Regularizer regularizer = {.type = (const void *)other};
    gt_Initializer initializer = {.type = (const void *)other};
    gt_Loss loss = {.type = (const void *)other}, text = {.type = (const void *)"mse"},
            number = {.type = (const void *)5};
    refused(gt_Dense(1, .kernel_regularizer = regularizer),
            "kernel_regularizer must be a regularizer");
    refused(gt_Dense(1, .bias_initializer = initializer),
            "bias_initializer must be an initializer");
    gt_Layer *model = gt_Dense(1);
    const gt_Loss *const losses[] = {&loss, &text, &number};
    for (int i = 0; i < 3; i++)
        refused(gt_compile(model, .optimizer = gt_SGD(), .loss = *losses[i]) == GT_OK,
                "the loss must be a value");
    refused(gt_compile(model, .loss = gt_Huber(.reduction = GT_REDUCTION_NONE)) == GT_OK,
            "the mean by weights");
    refused(gt_compile(model, .loss = gt_loss(NULL, NULL)) == GT_OK, "NULL");
    gt_context_free(NULL);
    assert_no_leaks();
}
