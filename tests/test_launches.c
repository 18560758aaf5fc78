/* What operations lower to. Every sample of every operation with `lower`: its tiles are run
 * forwards in one go, one by one backwards, and in threes, with the bits that a call has each
 * time. And who still has `run` instead, by name. */
#include <criterion/criterion.h>

#include "core/structs.h"
#include "core/launch.h"
#include "ops/kit.h"
#include "ops/linalg/contract.h"
#undef GT_HERE
#define GT_HERE "test_launches.c"
#include "operations.h"

#include "leaks.h"

#include <stdio.h>

/* What has `run`, and why it keeps it; a `why` of NULL: not moved to launches yet. Who joins the
 * list must say why. */
static const struct {
    const char *name, *why;
} keeps_run[] = {
#include "launches_kept.inc"
};

static bool keeps(const char *name)
{
    for (size_t i = 0; i < sizeof keeps_run / sizeof *keeps_run; i++)
        if (strcmp(keeps_run[i].name, name) == 0)
            return true;
    return false;
}

static const char *why_it_keeps(const char *name)
{
    for (size_t i = 0; i < sizeof keeps_run / sizeof *keeps_run; i++)
        if (strcmp(keeps_run[i].name, name) == 0)
            return keeps_run[i].why;
    return NULL;
}

Test(launches, nobody_joins_those_with_run)
{
    int count, launched = 0;
    const gt_Operation *const *operations = gt_operations(&count);
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        cr_expect(!operation->run || !operation->lower || why_it_keeps(operation->name),
                  "%s has both run and lower", operation->name);
        cr_expect((operation->run != NULL) == keeps(operation->name), "%s %s", operation->name,
                  operation->run ? "has run; lower it, or say in the list why not"
                                 : "has no run; take it off the list");
        launched += operation->lower != NULL;
    }
    printf("%d of %d operations are lowered to launches\n", launched, count);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* One call with its memory. */
typedef struct Lowered {
    gt_ShapeRule rule;
    gt_Lowering lowering;
    void *at[GT_MAX_INPUTS + GT_MAX_OUTPUTS + GT_MAX_TEMPORARIES];
} Lowered;

static void *aligned(size_t bytes)
{
    void *block = aligned_alloc(64, (bytes + 127) / 64 * 64);
    cr_assert(block);
    memset(block, 0xA5, (bytes + 127) / 64 * 64);
    return block;
}

/* The tiles of each launch: 0 in one go, 1 one by one from the last, 2 in threes. */
static void run_in_order(Lowered *lowered, int order)
{
    const gt_Lowering *lowering = &lowered->lowering;
    for (int l = 0; l < lowering->launches; l++) {
        const gt_Launch *launch = &lowering->launch[l];
        gt_TileKernel *kernel = lowering->target->tile[launch->kernel];
        const void *job = lowering->job + launch->job;
        void *scratch = aligned(launch->scratch);
        int64_t step = order == 0 || launch->alone ? launch->tiles : order == 1 ? 1 : 3;
        for (int64_t t = 0; t < launch->tiles; t += step) {
            int64_t first = order == 1 && !launch->alone ? launch->tiles - 1 - t : t;
            int64_t last = first + step < launch->tiles ? first + step : launch->tiles;
            kernel(job, lowered->at, first, last, scratch);
            memset(scratch, 0x5A, launch->scratch); /* nothing is kept between ranges */
        }
        free(scratch);
    }
}

/* Is the result of the call, in `want`, what the launches give in every order? Effects write
 * over copies of their inputs. */
static int compare(const gt_Operation *operation, const void *options, int inputs,
                   gt_Tensor *const *input, gt_Tensor *const *want, const gt_KernelTable *target,
                   int *tiles)
{
    Lowered lowered = {.rule = {.operation = operation,
                                .options = options,
                                .inputs = inputs,
                                .outputs = operation->outputs}};
    _Alignas(16) char full[512];
    if (operation->options) {
        gt_options_take(operation->options, full, options);
        lowered.rule.options = full;
    }
    for (int i = 0; i < inputs; i++) {
        gt_Value *value = input[i] ? gt_slot_raw(input[i])->value : NULL;
        lowered.rule.input[i] = value ? &value->spec : NULL;
        lowered.at[i] = value ? gt_value_data(value) : NULL;
    }
    cr_assert(operation->shape(&lowered.rule) == GT_OK, "%s", gt_error_message());
    for (int i = 0; i < operation->outputs; i++)
        gt_spec_resize(&lowered.rule.output[i]);
    gt_lower(&lowered.rule, target, &lowered.lowering);
    for (int i = 0; i < lowered.lowering.launches; i++)
        *tiles = lowered.lowering.launch[i].tiles > *tiles ? (int)lowered.lowering.launch[i].tiles
                                                           : *tiles;
    int different = 0;
    for (int order = 0; order < 3; order++) {
        void **output = lowered.at + inputs, **temporary = output + operation->outputs;
        for (int i = 0; i < operation->outputs; i++) {
            size_t bytes = gt_spec_bytes(&lowered.rule.output[i]);
            output[i] = aligned(bytes);
            if (operation->flags & GT_OP_EFFECT) {
                if (bytes)
                    memcpy(output[i], gt_data(input[i]), bytes);
                lowered.at[i] = output[i];
            }
        }
        for (int i = 0; i < lowered.lowering.temporaries; i++)
            temporary[i] = aligned(lowered.lowering.temporary[i]);
        run_in_order(&lowered, order);
        for (int i = 0; i < operation->outputs; i++) {
            size_t bytes = gt_spec_bytes(&lowered.rule.output[i]);
            different += bytes && memcmp(output[i], gt_data(want[i]), bytes) != 0;
            free(output[i]);
        }
        for (int i = 0; i < lowered.lowering.temporaries; i++)
            free(temporary[i]);
    }
    return different;
}

/* A call; of an effect on variables with these numbers, which are the outputs. */
static void apply(const gt_Operation *operation, const void *options, int inputs,
                  gt_Tensor *const *input, gt_Tensor **output)
{
    gt_Tensor *given[GT_MAX_INPUTS];
    bool effect = operation->flags & GT_OP_EFFECT;
    for (int i = 0; i < inputs; i++) {
        bool overwritten = effect && i < operation->outputs;
        given[i] = overwritten ? gt_variable(input[i]) : input[i];
        if (overwritten)
            output[i] = given[i];
    }
    gt_apply_at(NULL, operation, options, inputs, given, effect ? NULL : output);
    cr_assert(gt_status() == GT_OK, "%s: %s", operation->name, gt_error_message());
}

Test(launches, every_sample_in_three_orders)
{
    int count, samples = 0, most = 0;
    const gt_Operation *const *operations = gt_operations(&count);
    static Case c;
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        if (!operation->lower)
            continue;
        for (const gt_Sample *sample = operation->samples; sample->inputs || sample->none; sample++)
            for (int type = 0; type < 2; type++) {
                gt_Scope *scope = gt_scope_begin();
                gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
                fill_case(&c, operation, sample, type ? GT_FLOAT32 : GT_FLOAT64);
                if (!(operation->flags & GT_OP_EFFECT) && !case_possible(&c)) {
                    gt_scope_end(scope);
                    continue;
                }
                case_inputs(&c, in);
                apply(operation, sample->options, sample->inputs, in, out);
                int different = compare(operation, sample->options, sample->inputs, in, out,
                                        gt_context_kernels(gt_context()), &most);
                cr_expect(different == 0, "%s, sample %d: %d outputs with other bits",
                          operation->name, (int)(sample - operation->samples), different);
                samples++;
                gt_scope_end(scope);
            }
    }
    printf("%d samples, in up to %d tiles\n", samples, most);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Updates of optimizers over enough elements for several tiles, and of rows in no order. */
Test(launches, updates_in_many_tiles)
{
    static const char *const names[] = {"sgd_update",  "sgd_momentum_update", "adagrad_update",
                                        "adam_update", "adam_amsgrad_update", "accumulate_gradient",
                                        "ema_update",  "ema_overwrite"};
    enum { ROWS = 1500 };
    int most = 0;
    gt_Scope *scope = gt_scope_begin();
    double row[ROWS];
    for (int i = 0; i < ROWS; i++)
        row[i] = (i * 7) % ROWS * 2 + (i % 5 == 0) * 4000; /* some are padding */
    gt_Tensor *rows = gt_from_values_at(NULL, gt_shape(ROWS), GT_INT64, ROWS, row);
    for (int type = 0; type < 2; type++)
        for (size_t k = 0; k <= sizeof names / sizeof *names; k++) {
            bool by_rows = k == sizeof names / sizeof *names;
            const gt_Operation *operation = gt_operation_find(names[by_rows ? 0 : k]);
            bool pair = operation->inputs_min == 3;
            gt_DType dtype = type ? GT_FLOAT32 : GT_FLOAT64;
            gt_Shape shape = by_rows ? gt_shape(3000, 40) : gt_shape(100003);
            int arrays = operation->outputs + 1, inputs = 0;
            gt_Tensor *in[GT_MAX_INPUTS], *out[GT_MAX_OUTPUTS];
            for (; inputs < arrays; inputs++)
                in[inputs] = gt_uniform(by_rows && inputs ? gt_shape(ROWS, 40) : shape, .low = 0.1,
                                        .high = 2, .dtype = dtype);
            if (!pair)
                in[inputs++] = gt_scalar(0.01, GT_FLOAT64);
            in[inputs++] = gt_scalar(3, GT_INT64);
            if (by_rows)
                in[inputs++] = rows;
            apply(operation, NULL, inputs, in, out);
            cr_expect(compare(operation, NULL, inputs, in, out, gt_context_kernels(gt_context()),
                              &most) == 0,
                      "%s", operation->name);
        }
    cr_expect(most > 3);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Other operations over enough elements for several tiles: name, options that are not the defaults, and the shapes of the
 * inputs, "state" for that of a generator, "-" for one that is absent. */
enum { LARGE_INPUTS = 10 };
static const struct {
    const char *name, *options, *shapes[LARGE_INPUTS];
} large[] = {
#include "launches_large.inc"
};

/* The integers of a list up to a space: "2,3". */
static int32_t numbers_of(const char *text, int64_t *numbers)
{
    int32_t count = 0;
    char *end = (char *)(uintptr_t)text;
    do {
        text = end + (*end == ',');
        numbers[count++] = strtoll(text, &end, 10);
    } while (*end == ',' && count < 8);
    return count;
}

/* "axis=1 rate=0.3" into an option struct, whose other fields have the defaults. */
static void set_options(const gt_OptionType *type, void *options, const char *text)
{
    gt_options_take(type, options, NULL);
    while (*text) {
        const gt_Field *field = type->fields;
        size_t name = strcspn(text, "=");
        while (field->name && (strlen(field->name) != name || strncmp(field->name, text, name)))
            field++;
        cr_assert(field->name, "%s of %s", text, type->name);
        char *at = (char *)options + field->offset;
        text += name + 1;
        int64_t numbers[8];
        int32_t count = numbers_of(text, numbers);
        if (strcmp(field->type, "gt_Shape") == 0) {
            gt_Shape shape = {GT_MARK, count, {0}};
            memcpy(shape.dims, numbers, (size_t)count * sizeof *numbers);
            memcpy(at, &shape, sizeof shape);
        } else if (strcmp(field->type, "double") == 0) {
            *(double *)(void *)at = strtod(text, NULL);
        } else if (field->size == 1) {
            *(bool *)at = numbers[0] != 0;
        } else if (field->size == 4) {
            *(int32_t *)(void *)at = (int32_t)numbers[0];
        } else {
            *(int64_t *)(void *)at = numbers[0];
        }
        text += strcspn(text, " ");
        text += *text == ' ';
    }
}

static gt_Tensor *large_input(const gt_Operation *operation, int input, const char *text)
{
    const gt_Sample *sample = operation->samples;
    gt_Shape shape = {GT_MARK, 0, {0}};
    while (sample->inputs &&
           (sample->inputs <= input || sample->input[input].dtype == GT_DTYPE_NONE))
        sample++;
    cr_assert(sample->inputs > input, "no sample of %s has so many inputs", operation->name);
    const gt_SampleInput *like = &sample->input[input];
    if (strcmp(text, "-") == 0)
        return NULL;
    if (strcmp(text, "state") == 0)
        return gt_cast(gt_array(gt_shape(2), 7, 1), GT_INT64);
    for (char *end; *text; text = end)
        shape.dims[shape.rank++] = strtoll(text, &end, 10);
    gt_DType dtype = gt_dtype_is_float(like->dtype) ? GT_FLOAT32 : like->dtype;
    return gt_cast(gt_uniform(shape, .low = like->low, .high = like->high), dtype);
}

Test(launches, others_in_many_tiles)
{
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const gt_Operation *operation = gt_operation_find(large[i].name);
        cr_assert(operation && operation->lower, "%s", large[i].name);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[LARGE_INPUTS], *out[GT_MAX_OUTPUTS];
        _Alignas(16) char options[512];
        int inputs = 0, most = 0;
        for (; inputs < LARGE_INPUTS && large[i].shapes[inputs]; inputs++)
            in[inputs] = large_input(operation, inputs, large[i].shapes[inputs]);
        if (operation->options)
            set_options(operation->options, options, large[i].options);
        const void *given = operation->options ? options : NULL;
        cr_assert(gt_apply_at(NULL, operation, given, inputs, in, out) == GT_OK, "%s %s: %s",
                  large[i].name, large[i].options, gt_error_message());
        int different = compare(operation, given, inputs, in, out, gt_context_kernels(gt_context()), &most);
        cr_expect(different == 0, "%s %s: %d outputs with other bits", large[i].name,
                  large[i].options, different);
        cr_expect(most > 1, "%s %s: one tile only", large[i].name, large[i].options);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Element-wise operations again, over enough elements for several tiles, with and without a broadcast. */
Test(launches, element_wise_in_many_tiles)
{
    int count, most = 0;
    const gt_Operation *const *operations = gt_operations(&count);
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        if (operation->loop.kind == GT_LOOP_KIND_NONE || operation->flags & GT_OP_EFFECT)
            continue;
        bool two = operation->loop.kind != GT_LOOP_KIND_UNARY;
        const gt_Shape shapes[][2] = {{gt_shape(100000), gt_shape(100000)},
                                      {gt_shape(40000), gt_shape()},
                                      {gt_shape(1, 70000), gt_shape(3, 1)},
                                      {gt_shape(50, 1, 700), gt_shape(3, 1)},
                                      {gt_shape(0, 5), gt_shape(5)}};
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            gt_Scope *scope = gt_scope_begin();
            const gt_SampleInput *like = operation->samples[0].input;
            gt_Tensor *in[2], *out[1];
            for (int n = 0; n < 1 + two; n++) {
                gt_DType dtype = gt_dtype_is_float(like[n].dtype) ? GT_FLOAT32 : like[n].dtype;
                in[n] = gt_uniform(shapes[k][n], .low = like[n].low, .high = like[n].high);
                in[n] = gt_cast(in[n], dtype);
            }
            cr_assert(gt_apply_at(NULL, operation, NULL, 1 + two, in, out) == GT_OK, "%s: %s",
                      operation->name, gt_error_message());
            cr_expect(compare(operation, NULL, 1 + two, in, out, gt_context_kernels(gt_context()), &most) == 0,
                      "%s, shapes %d", operation->name, (int)k);
            gt_scope_end(scope);
        }
    }
    cr_expect(most > 1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Products and contractions over enough elements for several tiles: strips of rows and of columns, batches that broadcast,
 * transposed and copied operands, 16 bits an element, a sum that is long. */
Test(launches, products_in_many_tiles)
{
    enum { NN, TN, NT, TT };
    static const struct {
        gt_Shape a, b;
        int transposed;
        gt_DType dtype;
    } products[] = {
        {{GT_MARK, 2, {300, 70}}, {GT_MARK, 2, {70, 40}}, NN, GT_FLOAT32},
        {{GT_MARK, 2, {40, 70}}, {GT_MARK, 2, {300, 70}}, NT, GT_FLOAT64},
        {{GT_MARK, 2, {70, 500}}, {GT_MARK, 2, {70, 9}}, TN, GT_FLOAT32},
        {{GT_MARK, 2, {70, 17}}, {GT_MARK, 2, {700, 70}}, TT, GT_FLOAT32},
        {{GT_MARK, 3, {7, 60, 33}}, {GT_MARK, 2, {33, 50}}, NN, GT_BFLOAT16},
        {{GT_MARK, 4, {3, 1, 65, 40}}, {GT_MARK, 3, {5, 40, 90}}, NN, GT_FLOAT32},
        {{GT_MARK, 3, {40, 3, 2}}, {GT_MARK, 3, {1, 2, 3}}, NN, GT_FLOAT32},
        {{GT_MARK, 3, {4000, 4, 4}}, {GT_MARK, 3, {4000, 4, 4}}, NT, GT_FLOAT32},
        {{GT_MARK, 2, {3, 60000}}, {GT_MARK, 2, {60000, 130}}, NN, GT_FLOAT32},
        {{GT_MARK, 2, {1, 5000}}, {GT_MARK, 2, {5000, 1}}, NN, GT_FLOAT32},
    };
    int most = 0;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_DType dtype = products[i].dtype, wide = dtype == GT_BFLOAT16 ? GT_FLOAT32 : dtype;
        gt_Tensor *in[2] = {gt_normal(products[i].a, .dtype = wide),
                            gt_normal(products[i].b, .dtype = wide)};
        in[0] = gt_cast(in[0], dtype);
        const gt_matmul_options options = GT_VALUES(
            gt_matmul_options, products[i].transposed % 2 == 1, products[i].transposed >= NT);
        gt_Tensor *out = gt_matmul_at(NULL, in[0], in[1], &options);
        cr_assert(out, "%s", gt_error_message());
        cr_expect(compare(&gt_op_matmul, &options, 2, in, &out, gt_context_kernels(gt_context()), &most) == 0,
                  "product %d", (int)i);
        gt_scope_end(scope);
    }
    cr_expect(most > 10);
    static const struct {
        const char *subscripts;
        gt_Labels a, b, result;
    } contractions[] = {
        {"ibj,kbj->bki", {GT_MARK, 3, {0, 1, 2}}, {GT_MARK, 3, {3, 1, 2}}, {GT_MARK, 3, {1, 3, 0}}},
        {"jbi,bkj->bik", {GT_MARK, 3, {2, 1, 0}}, {GT_MARK, 3, {1, 3, 2}}, {GT_MARK, 3, {1, 0, 3}}},
        {"ijb,jk->kib", {GT_MARK, 3, {0, 2, 1}}, {GT_MARK, 2, {2, 3}}, {GT_MARK, 3, {3, 0, 1}}},
    };
    for (size_t i = 0; i < sizeof contractions / sizeof *contractions; i++) {
        static const int64_t size[] = {50, 6, 40, 300};
        gt_Scope *scope = gt_scope_begin();
        const gt_Labels *labels[2] = {&contractions[i].a, &contractions[i].b};
        gt_Tensor *in[2];
        for (int k = 0; k < 2; k++) {
            gt_Shape shape = {GT_MARK, labels[k]->count, {0}};
            for (int d = 0; d < shape.rank; d++)
                shape.dims[d] = size[labels[k]->axis[d]];
            in[k] = gt_normal(shape);
        }
        gt_Tensor *out = gt_contract(in[0], in[1], labels[0], labels[1], &contractions[i].result);
        gt_Tensor *same = gt_einsum(contractions[i].subscripts, gt_tensors(in[0], in[1]));
        cr_assert(out && same, "%s", gt_error_message());
        cr_expect(memcmp(gt_data(out), gt_data(same), (size_t)gt_size(out) * sizeof(float)) == 0);
        const gt_ContractOptions options =
            GT_VALUES(gt_ContractOptions, *labels[0], *labels[1], contractions[i].result);
        cr_expect(compare(&gt_op_contract, &options, 2, in, &out, gt_context_kernels(gt_context()), &most) ==
                      0,
                  "%s", contractions[i].subscripts);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Work is cut by size alone: a product lowers to the same launches whatever the number of threads. */
Test(launches, products_do_not_know_of_threads)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Spec a = *gt_tensor_spec(gt_zeros(gt_shape(500, 90))),
            b = *gt_tensor_spec(gt_zeros(gt_shape(90, 700)));
    static gt_Lowering lowering[2];
    for (int i = 0; i < 2; i++) {
        const gt_matmul_options options = GT_VALUES(gt_matmul_options, false, false);
        gt_ShapeRule rule = {.operation = &gt_op_matmul,
                             .options = &options,
                             .inputs = 2,
                             .outputs = 1,
                             .input = {&a, &b}};
        cr_assert(gt_set_threads(i ? 4 : 1) == GT_OK);
        cr_assert(gt_op_matmul.shape(&rule) == GT_OK);
        gt_spec_resize(&rule.output[0]);
        gt_lower(&rule, gt_context_kernels(gt_context()), &lowering[i]);
    }
    cr_expect(lowering[0].launches == 1 && lowering[0].launch[0].tiles > 4);
    cr_expect(memcmp(lowering[0].launch, lowering[1].launch, sizeof lowering[0].launch[0]) == 0);
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Operations that move, look up and order elements, over enough of them for several tiles. Options are set by name. */
typedef struct Big {
    const char *operation, *number[2]; /* options that are integers, and their values: */
    int64_t value[2];
    const char *list[3]; /* options that are shapes */
    gt_Shape of[3];
    int inputs;
    gt_SampleInput input[3];
} Big;

static void set_option(const gt_Operation *operation, void *options, const char *name,
                       int64_t number, const gt_Shape *shape)
{
    for (const gt_Field *field = operation->options->fields; field->name; field++) {
        if (strcmp(field->name, name) != 0)
            continue;
        char *place = (char *)options + field->offset;
        int32_t four = (int32_t)number;
        bool one = number != 0;
        memcpy(place,
               shape                            ? (const void *)shape
               : field->size == sizeof(int64_t) ? (const void *)&number
               : field->size == sizeof four     ? (const void *)&four
                                                : (const void *)&one,
               field->size);
        return;
    }
    cr_assert(false, "%s has no option %s", operation->name, name);
}

static gt_Tensor *big_input(const gt_SampleInput *input)
{
    gt_Tensor *x = gt_uniform(input->shape, .low = input->low, .high = input->high);
    return gt_cast(gt_dtype_is_float(input->dtype) ? x : gt_floor(x),
                   input->dtype == GT_FLOAT64 ? GT_FLOAT32 : input->dtype);
}

Test(launches, arrays_in_many_tiles)
{
#define REAL(...)        GT_REAL(-2, 2, __VA_ARGS__)
#define WHOLE(high, ...) GT_WHOLE(GT_INT64, 0, high, __VA_ARGS__)
#define ALL              INT64_MIN
    static const Big rows[] = {
        {"cast", {"dtype"}, {GT_INT64}, .inputs = 1, .input = {REAL(50000)}},
        {"transpose", .inputs = 1, .input = {REAL(300, 170)}},
        {"transpose", .inputs = 1, .input = {REAL(70, 3, 200)}},
        {"broadcast_to", .list = {"shape"}, .of = {{GT_MARK, 3, {9, 200, 31}}}, .inputs = 1,
         .input = {REAL(200, 1)}},
        {"flip", {"axis"}, {1}, .inputs = 1, .input = {REAL(40, 30, 50)}},
        {"roll", {"axis", "shift"}, {1, 7}, .inputs = 1, .input = {REAL(40, 30, 50)}},
        {"repeat", {"axis", "repeats"}, {0, 3}, .inputs = 1, .input = {REAL(9000, 2)}},
        {"pad", .list = {"before", "after"}, .of = {{GT_MARK, 2, {1, 2}}, {GT_MARK, 2, {3, 0}}},
         .inputs = 1, .input = {REAL(200, 300)}},
        {"pad_axis",
         {"before", "mode"},
         {5, GT_PAD_MODE_REFLECT},
         .inputs = 1,
         .input = {REAL(300, 200)}},
        {"get_item", .list = {"start", "stop", "step"},
         .of = {{GT_MARK, 2, {ALL, 3}}, {GT_MARK, 2, {ALL, ALL}}, {GT_MARK, 2, {-1, 2}}},
         .inputs = 1, .input = {REAL(500, 101)}},
        {"concatenate",
         {"axis"},
         {1},
         .inputs = 3,
         .input = {REAL(7000, 1), REAL(7000, 3), REAL(7000, 2)}},
        {"concatenate", .inputs = 2, .input = {REAL(20000), REAL(33333)}},
        {"slice_update", .list = {"begin"}, .of = {{GT_MARK, 2, {10, 5}}}, .inputs = 2,
         .input = {REAL(300, 200), REAL(200, 150)}},
        {"full_like", {"dtype"}, {GT_INT32}, .inputs = 1, .input = {REAL(50000)}},
        {"meshgrid", .inputs = 2, .input = {REAL(300), REAL(200)}},
        {"take", .inputs = 2, .input = {REAL(500, 40), WHOLE(500, 3000)}},
        {"take_along_axis",
         {"axis"},
         {0},
         .inputs = 2,
         .input = {REAL(500, 40), WHOLE(500, 900, 40)}},
        {"scatter_add", .list = {"shape"}, .of = {{GT_MARK, 2, {60, 40}}}, .inputs = 2,
         .input = {WHOLE(60, 5000), REAL(5000, 40)}},
        {"scatter_add", .list = {"shape"}, .of = {{GT_MARK, 2, {4000, 40}}}, .inputs = 2,
         .input = {WHOLE(50, 5000), REAL(5000, 40)}},
        {"scatter_add_along_axis",
         {"axis", "count"},
         {0, 60},
         .inputs = 2,
         .input = {WHOLE(60, 900, 70), REAL(900, 70)}},
        {"scatter_update", .inputs = 3, .input = {REAL(50, 3000), WHOLE(50, 20), REAL(20, 3000)}},
        {"places_of", .list = {"shape"}, .of = {{GT_MARK, 2, {30, 40}}}, .inputs = 1,
         .input = {WHOLE(30, 40000, 2)}},
        {"one_hot", {"depth"}, {5}, .inputs = 1, .input = {WHOLE(7, 30000)}},
        {"tril", .inputs = 1, .input = {REAL(6, 90, 100)}},
        {"triu", {"k"}, {-3}, .inputs = 1, .input = {REAL(6, 90, 100)}},
        {"nonzero", {"length"}, {999}, .inputs = 1, .input = {WHOLE(2, 40, 60)}},
        {"sort", .inputs = 1, .input = {REAL(300, 70)}},
        {"searchsorted", .inputs = 2, .input = {WHOLE(1, 40), WHOLE(9, 50000)}},
        {"segment_max", {"segments"}, {9}, .inputs = 2, .input = {REAL(90, 1300), WHOLE(9, 90)}},
        {"segment_min", {"segments"}, {9}, .inputs = 2, .input = {REAL(90, 1300), WHOLE(9, 90)}},
        {"segment_prod", {"segments"}, {9}, .inputs = 2, .input = {REAL(90, 1300), WHOLE(9, 90)}},
    };
    int several = 0, count = (int)(sizeof rows / sizeof *rows);
    for (int i = 0; i < count; i++) {
        const Big *row = &rows[i];
        const gt_Operation *operation = gt_operation_find(row->operation);
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[3], *out[GT_MAX_OUTPUTS];
        _Alignas(16) char options[512];
        cr_assert(operation && operation->lower, "%s", row->operation);
        if (operation->options)
            gt_options_take(operation->options, options, operation->samples[0].options);
        for (int k = 0; k < 3; k++) {
            if (k < 2 && row->number[k])
                set_option(operation, options, row->number[k], row->value[k], NULL);
            if (row->list[k])
                set_option(operation, options, row->list[k], 0, &row->of[k]);
            in[k] = k < row->inputs ? big_input(&row->input[k]) : NULL;
        }
        const void *given = operation->options ? options : NULL;
        int most = 0;
        cr_assert(gt_apply_at(NULL, operation, given, row->inputs, in, out) == GT_OK, "%s: %s",
                  operation->name, gt_error_message());
        cr_expect(compare(operation, given, row->inputs, in, out, gt_context_kernels(gt_context()), &most) ==
                      0,
                  "%s, row %d", operation->name, i);
        several += most > 1;
        gt_scope_end(scope);
    }
    printf("%d of %d in several tiles\n", several, count);
    cr_expect(several >= count - 2, "%d of %d", several, count); /* nonzero is one tile */
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Operations of networks, with a batch that many tiles make: samples whose leading axes, of the
 * inputs named by bits, are FACTOR times as long. `one`: tiles are not along the batch. */
static const struct {
    const char *name;
    unsigned batched;
    bool one;
} networks[] = {
    {"leaky_relu", 1, false},
    {"silu", 1, false},
    {"gelu", 1, false},
    {"gelu_gradient", 3, false},
    {"layer_norm", 1, false},
    {"layer_norm_gradient", 5, false},
    {"softmax", 1, false},
    {"log_softmax", 1, false},
    {"probabilities", 1, false},
    {"sigmoid_crossentropy", 3, false},
    {"softmax_crossentropy", 3, false},
    {"sparse_softmax_crossentropy", 3, false},
    {"sparse_softmax_crossentropy_gradient", 7, false},
    {"ctc_states", 7, false},
    {"ctc_forward", 7, false},
    {"band_recurrence", 15, false},
    {"ctc_decode", 3, false},
    {"conv", 1, false},
    {"conv_input_gradient", 1, false},
    {"conv_kernel_gradient", 3, true},
    {"max_pool", 1, false},
    {"max_pool_gradient", 3, false},
    {"max_pool_gather", 3, false},
    {"average_pool", 1, false},
    {"average_pool_gradient", 1, false},
    {"resize_axis", 1, false},
    {"resize_axis_gradient", 1, false},
};
enum { FACTOR = 4000 };

static gt_Tensor *enlarged(const gt_SampleInput *input, bool batched, gt_DType real, uint64_t *state)
{
    gt_Shape shape = input->shape;
    if (batched && shape.rank > 0)
        shape.dims[0] *= FACTOR;
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    double *numbers = malloc(((size_t)size + 1) * sizeof *numbers);
    cr_assert(numbers);
    for (int64_t i = 0; i < size; i++) {
        double x = input->low + (input->high - input->low) * next_uniform(state);
        numbers[i] = gt_dtype_is_float(input->dtype) ? x : floor(x);
    }
    gt_DType dtype = gt_dtype_is_float(input->dtype) ? real : input->dtype;
    gt_Tensor *made = gt_from_values_at(NULL, shape, dtype, size, numbers);
    free(numbers);
    return made;
}

Test(launches, networks_in_many_tiles)
{
    uint64_t state = 3;
    for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
        const gt_Operation *operation = gt_operation_find(networks[k].name);
        cr_assert(operation && operation->lower, "%s", networks[k].name);
        int most = 0;
        for (const gt_Sample *sample = operation->samples; sample->inputs; sample++) {
            gt_Scope *scope = gt_scope_begin();
            gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
            gt_DType real = (sample - operation->samples) % 2 ? GT_FLOAT64 : GT_FLOAT32;
            for (int i = 0; i < sample->inputs; i++)
                in[i] = enlarged(&sample->input[i], networks[k].batched >> i & 1, real, &state);
            cr_assert(gt_apply_at(NULL, operation, sample->options, sample->inputs, in, out) ==
                          GT_OK,
                      "%s: %s", operation->name, gt_error_message());
            int different = compare(operation, sample->options, sample->inputs, in, out,
                                    gt_context_kernels(gt_context()), &most);
            cr_expect(different == 0, "%s, sample %d: %d outputs with other bits", operation->name,
                      (int)(sample - operation->samples), different);
            gt_scope_end(scope);
        }
        cr_expect(most > 1 || networks[k].one, "%s has one tile", operation->name);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
