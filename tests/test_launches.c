/* What operations lower to. Every sample of every operation with `lower`: its tiles are run forwards in one go, one by one
 * backwards, and in threes, with the bits that a call has each time. And who still has `run` instead, by name. */
#include <criterion/criterion.h>

#include "core/internal.h"
#include "core/launch.h"
#undef GT_HERE
#define GT_HERE "test_launches.c"
#include "operations.h"

#include "leaks.h"

#include <stdio.h>

/* What has `run`, and why it keeps it; a `why` of NULL: not moved to launches yet. Who joins the list must say why. */
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

/* Is the result of the call, in `want`, what the launches give in every order? Effects write over copies of their inputs. */
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
        for (int i = 0; i < operation->outputs; i++)
            output[i] = aligned(gt_spec_bytes(&lowered.rule.output[i]));
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

Test(launches, every_sample_in_three_orders)
{
    int count, samples = 0, most = 0;
    const gt_Operation *const *operations = gt_operations(&count);
    static Case c;
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        if (!operation->lower || operation->flags & GT_OP_EFFECT)
            continue;
        for (const gt_Sample *sample = operation->samples; sample->inputs || sample->none; sample++)
            for (int type = 0; type < 2; type++) {
                gt_Scope *scope = gt_scope_begin();
                gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
                fill_case(&c, operation, sample, type ? GT_FLOAT32 : GT_FLOAT64);
                if (!case_possible(&c)) {
                    gt_scope_end(scope);
                    continue;
                }
                case_inputs(&c, in);
                cr_assert(case_apply(&c, in, out) == GT_OK, "%s: %s", operation->name,
                          gt_error_message());
                int different = compare(operation, sample->options, sample->inputs, in, out,
                                        gt_context()->kernels, &most);
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

/* Element-wise operations again, over enough elements for several tiles, with and without a broadcast. */
Test(launches, element_wise_in_many_tiles)
{
    int count, most = 0;
    const gt_Operation *const *operations = gt_operations(&count);
    for (int i = 0; i < count; i++) {
        const gt_Operation *operation = operations[i];
        if (operation->loop.kind == GT_LOOP_KIND_NONE)
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
            cr_expect(compare(operation, NULL, 1 + two, in, out, gt_context()->kernels, &most) == 0,
                      "%s, shapes %d", operation->name, (int)k);
            gt_scope_end(scope);
        }
    }
    cr_expect(most > 1);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Operations of networks, with a batch that many tiles make: samples whose leading axes, of the inputs named by bits, are
 * FACTOR times as long. `one`: tiles are not along the batch. */
static const struct {
    const char *name;
    unsigned batched;
    bool one;
} networks[] = {
    {"leaky_relu", 1, false},
    {"silu", 1, false},
    {"gelu", 1, false},
    {"softmax", 1, false},
    {"log_softmax", 1, false},
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

static gt_Tensor *enlarged(const gt_SampleInput *input, bool batched, gt_DType real,
                           uint64_t *state)
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
