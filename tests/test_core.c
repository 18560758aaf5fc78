/* The ground everything stands on: contexts, memory, errors, handles, scopes, options, threads,
 * interrupts, the floating-point mode, shapes. */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/structs.h"
#include "gradtape.h"
#include "leaks.h"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
#define assert_error(wanted, text)                                                                 \
    do {                                                                                           \
        cr_assert_eq(gt_status(), wanted, "status %d: %s", gt_status(), gt_error_message());       \
        cr_assert(strstr(gt_error_message(), text), "%s", gt_error_message());                     \
        gt_error_clear();                                                                          \
    } while (0)

/* ---- contexts ---- */

Test(core, two_contexts_in_one_thread)
{
    gt_Context *a = gt_context_create(.seed = 1), *b = gt_context_create(.seed = 2);
    cr_assert(a && b && a != b);
    gt_Context *before = gt_context_use(a);
    cr_assert_null(before);
    gt_Tensor *x = gt_array(gt_shape(2), 1, 2);
    gt_Variable *v = gt_variable(x, .name = "weight");
    gt_Optimizer *adam = gt_Adam(0.1);
    cr_assert_eq(gt_context_use(b), a);
    cr_assert_eq(gt_context(), b);

    /* An error belongs to its context. */
    gt_add(gt_array(gt_shape(2), 1, 2), gt_array(gt_shape(3), 1, 2, 3));
    cr_assert_neq(gt_status(), GT_OK);
    gt_context_use(a);
    ok();
    cr_assert_str_eq(gt_error_message(), "");
    gt_context_use(b);
    gt_error_clear();

    /* Tensors of another context are refused, variables may be read but not held or changed. */
    cr_assert_null(gt_negative(x));
    assert_error(GT_STATE, "another context");
    cr_assert_null(gt_data(x));
    assert_error(GT_STATE, "another context");
    gt_Tensor *square = gt_square(v);
    ok();
    cr_assert_eq(gt_element(square, 1), 4);
    gt_Tensor *view = gt_reshape(v, gt_shape(1, 2));
    cr_assert_eq(gt_element(view, 1), 2);
    cr_assert_neq(gt_data(view), gt_data(v), "what is read from another context is copied");
    gt_assign(v, 3);
    assert_error(GT_STATE, "another context");
    gt_variable_set_trainable(v, false);
    assert_error(GT_STATE, "another context");
    gt_apply_gradients(adam, gt_tensors(v), (gt_Tensor *[]){square});
    cr_assert_eq(gt_status(), GT_STATE);
    gt_error_clear();
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *own = gt_array(gt_shape(2), 3, 4);
    gt_watch(tape, own);
    cr_assert_null(gt_multiply(own, v));
    assert_error(GT_STATE, "another context");
    gt_multiply(v, 2);
    ok();
    gt_tape_end(tape);
    ok();

    gt_context_use(a);
    cr_assert_eq(gt_element(v, 0), 1);
    gt_context_free(b); /* not the current one: that stays */
    cr_assert_eq(gt_context(), a);
    gt_context_free(NULL);
    cr_assert_null(gt_context_use(NULL));
    assert_no_leaks();
}

/* One built model serves two threads, each with a context of its own. */
typedef struct Server {
    gt_Layer *model;
    gt_Variable *weight;
    float input[4][8], output[4][3];
    bool failed;
} Server;

static void *serve(void *argument)
{
    Server *server = argument;
    gt_Context *context = gt_context_create();
    gt_context_use(context);
    for (int i = 0; i < 200 && !server->failed; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_from_data(server->input, gt_shape(4, 8), GT_FLOAT32);
        const float *y = gt_float32_data(gt_call(server->model, x));
        gt_reshape(server->weight, gt_shape(-1));
        if (y)
            memcpy(server->output, y, sizeof server->output);
        else
            server->failed = true;
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    return NULL;
}

Test(core, two_contexts_in_two_threads)
{
    static Server server[3];
    gt_Layer *model = gt_Sequential(gt_Dense(16, .activation = gt_tanh), gt_Dropout(0.5),
                                    gt_Flatten(), gt_Dense(3));
    gt_build(model, gt_shape(4, 8), GT_FLOAT32);
    ok();
    pthread_t thread[2];
    for (int i = 0; i < 3; i++) {
        server[i].model = model;
        server[i].weight = gt_weights(model).items[0];
        for (int k = 0; k < 32; k++)
            server[i].input[k / 8][k % 8] = (float)k / 32;
    }
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, serve, &server[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    gt_Context *home = gt_context();
    serve(&server[2]);
    gt_context_use(home);
    for (int i = 0; i < 3; i++) {
        cr_assert(!server[i].failed);
        cr_assert_eq(memcmp(server[i].output, server[2].output, sizeof server[i].output), 0);
    }
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(core, unbuilt_layer_of_another_context)
{
    gt_Layer *model = gt_Dense(2);
    gt_Context *home = gt_context_use(gt_context_create());
    cr_assert_null(gt_call(model, gt_array(gt_shape(1, 2), 1, 2)));
    assert_error(GT_STATE, "another context");
    gt_context_free(NULL);
    gt_context_use(home);
    cr_assert_not_null(gt_call(model, gt_array(gt_shape(1, 2), 1, 2)));
    gt_layer_free(model);
    gt_context_free(NULL);
}

/* ---- memory ---- */

typedef struct Host {
    int64_t blocks, bytes, calls;
} Host;

static void *host_allocate(void *user, size_t size, size_t alignment)
{
    Host *host = user;
    void *memory = NULL;
    cr_assert(alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0);
    if (posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    host->blocks++;
    host->calls++;
    host->bytes += (int64_t)size;
    return memory;
}

static void host_release(void *user, void *memory, size_t size)
{
    Host *host = user;
    host->blocks--;
    host->bytes -= (int64_t)size;
    free(memory);
}

Test(core, allocator_and_statistics)
{
    for (int pooling = 0; pooling < 2; pooling++) {
        Host host = {0};
        gt_Allocator allocator = {host_allocate, host_release, &host};
        gt_context_use(gt_context_create(.allocator = &allocator, .pooling = pooling));
        memset(&allocator, 0, sizeof allocator); /* it was copied */
        gt_MemoryStats before = gt_memory_stats();
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_full(gt_shape(1000, 100), 0);
        cr_assert_eq((uintptr_t)gt_data(x) % 64, 0);
        gt_MemoryStats during = gt_memory_stats();
        cr_assert_geq(during.bytes_in_use - before.bytes_in_use, 400000);
        cr_assert_leq(during.bytes_in_use - before.bytes_in_use, 400000 * 5 / 4 + 100000);
        cr_assert_eq(during.handles, before.handles + 1);
        cr_assert_eq(during.bytes_reserved, host.bytes);
        cr_assert_eq(during.allocator_calls, host.calls);
        gt_scope_end(scope);
        gt_MemoryStats after = gt_memory_stats();
        cr_assert_eq(after.handles, before.handles);
        cr_assert_geq(after.bytes_peak, during.bytes_in_use);
        if (pooling)
            cr_assert_eq(after.bytes_reserved, during.bytes_reserved);
        else
            cr_assert_lt(after.bytes_reserved, during.bytes_reserved - 400000);
        int64_t calls = host.calls;
        for (int i = 0; i < 100; i++) {
            scope = gt_scope_begin();
            gt_full(gt_shape(1000, 100), 0);
            gt_scope_end(scope);
        }
        cr_assert(!pooling || host.calls == calls, "shapes seen before allocate nothing");
        gt_context_free(NULL);
        cr_assert_eq(host.blocks, 0);
        cr_assert_eq(host.bytes, 0);
    }
}

/* ---- errors ---- */

Test(core, the_first_error_stays)
{
    cr_assert_str_eq(gt_error_message(), "");
    gt_Variable *v = gt_variable(gt_array(gt_shape(2), 1, 2));
    gt_Tensor *bad = gt_matmul(gt_full(gt_shape(2, 3), 0), gt_full(gt_shape(4, 5), 0));
    cr_assert_null(bad);
    cr_assert_eq(gt_status(), GT_INVALID);
    char first[1024];
    snprintf(first, sizeof first, "%s", gt_error_message());
    cr_assert(strstr(first, "test_core.c:") && strstr(first, "matmul") && strstr(first, "(2, 3)") &&
                  strstr(first, "(4, 5)"),
              "%s", first);
    /* While it is pending, everything refuses and nothing changes. */
    cr_assert_null(gt_full(gt_shape(2), 0));
    cr_assert_eq(gt_assign(v, 7), GT_INVALID);
    cr_assert_eq(gt_fail(GT_IO, "another"), GT_INVALID);
    cr_assert(isnan(gt_item(v)));
    cr_assert_null(gt_scope_begin());
    cr_assert_null(gt_tape_begin());
    cr_assert_str_eq(gt_error_message(), first);
    gt_error_clear();
    ok();
    cr_assert_eq(gt_element(v, 0), 1);

    cr_assert_eq(gt_fail(GT_IO, "page %d", 7), GT_IO);
    assert_error(GT_IO, "page 7");
    cr_assert_eq(gt_fail(GT_OK, "nothing"), GT_INVALID, "no error is no error to raise");
    gt_error_clear();
    char text[4000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    gt_fail(GT_IO, "%s", text);
    cr_assert_lt(strlen(gt_error_message()), 1024);
    gt_error_clear();
    for (int status = -1; status < 20; status++)
        cr_assert(gt_status_text((gt_Status)status)[0]);
    cr_assert_str_eq(gt_status_text(GT_INVALID), "invalid argument");
    cr_assert_str_eq(gt_status_text((gt_Status)99), "unknown status");
    gt_context_free(NULL);
}

/* ---- handles and scopes ---- */

Test(core, stale_handles)
{
    enum { ROUNDS = 300000, WINDOW = 4096 };
    static gt_Tensor *old[WINDOW];
    gt_Tensor *survivor = gt_scalar(42, GT_FLOAT32);
    for (int i = 0; i < ROUNDS; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_scalar(i, GT_FLOAT64);
        for (int k = 0; k < 4; k++) { /* four of those made lately */
            gt_Tensor *stale = old[(i * 7 + k * 1021) % WINDOW];
            cr_assert(!stale || !gt_slot_find(stale), "round %d", i);
            cr_assert_neq(stale, x);
        }
        gt_scope_end(scope);
        old[i % WINDOW] = x;
    }
    for (int i = 0; i < WINDOW; i++) {
        cr_assert(isnan(gt_item(old[i])));
        assert_error(GT_STALE, "scope");
    }
    cr_assert_eq(gt_item(survivor), 42);
    cr_assert_lt(gt_memory_stats().bytes_reserved, 4 << 20, "slots are used again");
    gt_context_free(NULL);
}

Test(core, scopes)
{
    gt_Scope *outer = gt_scope_begin();
    gt_Scope *inner = gt_scope_begin();
    gt_Tensor *kept = gt_keep(gt_scalar(1, GT_FLOAT32));
    gt_Tensor *gone = gt_scalar(2, GT_FLOAT32);
    gt_scope_end(outer);
    assert_error(GT_STATE, "innermost");
    gt_Tape *tape = gt_tape_begin();
    gt_scope_end(inner);
    assert_error(GT_STATE, "innermost");
    gt_tape_end(tape);
    gt_fail(GT_IO, "pending");
    cr_assert_eq(gt_scope_end(inner), GT_IO, "scopes end while an error is pending");
    gt_error_clear();
    cr_assert_eq(gt_item(kept), 1);
    gt_item(gone);
    assert_error(GT_STALE, "scope");
    gt_scope_end(inner);
    assert_error(GT_STATE, "innermost");
    gt_scope_end(outer);
    ok();
    gt_scope_end(outer);
    assert_error(GT_STATE, "no scope");
    cr_assert_eq(gt_scope_end(NULL), GT_OK);
    gt_keep(gt_scalar(1, GT_FLOAT32));
    assert_error(GT_STATE, "no scope");
    gt_keep(NULL);
    assert_error(GT_INVALID, "NULL");
    gt_context_free(NULL);
}

/* ---- options of programs that were compiled with an older header ---- */

Test(core, options_of_old_callers)
{
    gt_variable_options options = {.size = {offsetof(gt_variable_options, trainable)},
                                   .name = "old",
                                   .trainable = false}; /* behind the end: not read */
    gt_Variable *v = gt_variable_at(NULL, gt_scalar(1, GT_FLOAT32), &options);
    cr_assert_str_eq(gt_variable_name(v), "old");
    cr_assert(gt_variable_trainable(v));
    struct {
        gt_variable_options known;
        double later;
    } newer = {{{sizeof newer}, "new", false, 0}, 1};
    gt_Variable *w = gt_variable_at(NULL, gt_scalar(1, GT_FLOAT32), &newer.known);
    cr_assert_str_eq(gt_variable_name(w), "new");
    cr_assert(!gt_variable_trainable(w));
    gt_Variable *plain = gt_variable_at(NULL, gt_scalar(1, GT_FLOAT32), NULL);
    cr_assert_str_eq(gt_variable_name(plain), "variable");
    gt_context_create_options old = {.size = {sizeof(uint32_t)}};
    gt_Context *context = gt_context_create_of(&old);
    cr_assert(context && !context->unpooled && context->threads == 1);
    gt_context_free(context);
    gt_context_free(NULL);
}

/* ---- threads ---- */

Test(core, threads)
{
    cr_assert_eq(gt_threads(), 1);
    cr_assert_eq(gt_set_threads(4), GT_OK);
    gt_set_threads(0);
    assert_error(GT_INVALID, "threads");
    gt_set_threads(65);
    assert_error(GT_INVALID, "threads");
    cr_assert_eq(gt_threads(), 4);
    gt_context_free(NULL);
}

/* Each tile of many small jobs once, whoever takes it: also with more threads than processors, most of which come too late. */
static void count_tiles(const gt_Kernel *kernel, void *argument, int64_t first, int64_t last,
                        void *scratch)
{
    int *counts = argument;
    (void)kernel;
    (void)scratch;
    for (int64_t tile = first; tile < last; tile++)
        counts[tile]++;
}

Test(core, every_tile_once)
{
    enum { MOST = 300 };
    const gt_Spec spec = {.size = 1};
    for (int threads = 2; threads <= 9; threads += 7) {
        int counts[MOST] = {0};
        gt_set_threads(threads);
        const gt_Kernel kernel = {.context = gt_context(), .outputs = 1, .output_spec = {&spec}};
        for (int i = 0; i < 3000; i++) {
            int64_t tiles = 1 + i * 37 % MOST;
            cr_assert_eq(gt_for_tiles(&kernel, tiles, count_tiles, counts), GT_OK);
            for (int64_t tile = 0; tile < MOST; tile++) {
                cr_assert(counts[tile] == (tile < tiles),
                          "%d threads, job %d: tile %d of %d %d times", threads, i, (int)tile,
                          (int)tiles, counts[tile]);
                counts[tile] = 0;
            }
        }
    }
    gt_context_free(NULL);
}

/* ---- interrupt ---- */

enum { LARGE = 3 << 18 };

static bool stop_soon(void *user)
{
    return --*(int *)user < 0;
}

Test(core, interrupt)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        int left = 3;
        gt_set_threads(threads);
        gt_Tensor *x = gt_full(gt_shape(LARGE), 1);
        gt_MemoryStats before = gt_memory_stats();
        gt_set_interrupt(stop_soon, &left);
        gt_Tensor *y = NULL;
        for (int i = 0; i < 20 && gt_status() == GT_OK; i++)
            y = gt_exp(x);
        cr_assert_null(y);
        assert_error(GT_INTERRUPTED, "interrupt");
        gt_set_interrupt(NULL, NULL);
        cr_assert_leq(gt_memory_stats().handles - before.handles, 20);
        cr_assert_eq(gt_element(gt_add(x, x), LARGE - 1), 2);
    }
    gt_context_free(NULL);
}

/* ---- the caller's floating-point mode ---- */

static gt_Status halve(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 0.5);
    return gt_status();
}

Test(core, float_mode_is_the_callers)
{
    volatile float small = FLT_MIN;
    gt_FloatMode mode = gt_float_mode_flush();
    bool flushes = small / 2 == 0;
    gt_float_mode_restore(mode);
    if (!flushes)
        cr_skip_test("this machine does not flush denormals (valgrind's does not)");
    for (int threads = 1; threads <= 2; threads++) {
        gt_set_threads(threads);
        gt_Function *function = gt_function(halve, NULL, .outputs = 1);
        gt_Tensor *x = gt_full(gt_shape(1 << 18), FLT_MIN), *y = NULL;
        cr_assert_gt(gt_element(gt_multiply(x, 0.5), 7), 0, "eager operations keep denormals");
        for (int i = 0; i < 2; i++)
            gt_function_call(function, gt_tensors(x), &y);
        ok();
        cr_assert_eq(gt_element(y, 7), 0, "plans flush them");
        cr_assert_gt(small / 2, 0, "and then all is as it was");
        gt_function_free(function);
    }
    gt_context_free(NULL);
}

/* ---- shapes ---- */

Test(core, shapes)
{
    const int64_t big = INT64_C(1) << 40;
    cr_assert_null(gt_full(gt_shape(big, big), 0));
    assert_error(GT_INVALID, "shape");
    cr_assert_null(gt_full(gt_shape(2, -1), 0));
    cr_assert_eq(gt_status(), GT_INVALID);
    gt_error_clear();
    cr_assert_null(gt_full(gt_shape(1, 1, 1, 1, 1, 1, 1, 1, 1), 0));
    cr_assert_eq(gt_status(), GT_INVALID);
    gt_error_clear();
    cr_assert_not_null(gt_full(gt_shape(1, 1, 1, 1, 1, 1, 1, 1), 0));
    /* Zeros do not make the rest of a shape possible. */
    cr_assert_null(gt_from_data(NULL, gt_shape(big, big, 0), GT_FLOAT32));
    assert_error(GT_INVALID, "too large");
    cr_assert_not_null(gt_from_data(NULL, gt_shape(big, 0), GT_FLOAT32));
    cr_assert_null(gt_full(gt_shape(INT64_MAX / 4, 2), 0));
    cr_assert(gt_status() == GT_INVALID || gt_status() == GT_NO_MEMORY);
    gt_error_clear();
    for (int power = 50; power <= 60; power++) { /* as far as a shape is possible */
        cr_assert_null(gt_full(gt_shape(INT64_C(1) << power), 0, .dtype = GT_FLOAT64));
        assert_error(power <= 56 ? GT_NO_MEMORY : GT_INVALID, power <= 56 ? "memory" : "the shape");
    }

    gt_Tensor *none = gt_from_data(NULL, gt_shape(0, 3), GT_FLOAT32);
    ok();
    cr_assert_eq(gt_size(none), 0);
    cr_assert_eq(gt_item(gt_sum(none)), 0);
    cr_assert_eq(gt_size(gt_matmul(none, gt_full(gt_shape(3, 2), 0))), 0);
    cr_assert_eq(gt_element(gt_matmul(gt_full(gt_shape(2, 0), 0), gt_full(gt_shape(0, 2), 0)), 3),
                 0);
    cr_assert_eq(gt_size(gt_softmax(none)), 0);
    ok();

    char text[64];
    cr_assert_str_eq(gt_shape_text(gt_shape(2, 3), text, sizeof text), "(2, 3)");
    cr_assert_str_eq(gt_shape_text(gt_shape(5), text, sizeof text), "(5,)");
    cr_assert_str_eq(gt_shape_text(gt_shape(), text, sizeof text), "()");
    cr_assert_leq(strlen(gt_shape_text(gt_shape(big, big, big), text, 8)), 7);
    cr_assert_eq(gt_dim(gt_shape(2, 3), -1), 3);
    cr_assert_eq(gt_dim(gt_shape(2, 3), 2), -1);
    cr_assert_eq(gt_last(gt_shape()), -1);
    gt_context_free(NULL);
}

/* ---- what it says about itself ---- */

/* What is said of a dtype holds together for each. */
Test(core, dtypes)
{
    int floats = 0, integers = 0;
    for (int i = GT_DTYPE_NONE + 1; i < GT_DTYPE_COUNT; i++) {
        gt_DType dtype = (gt_DType)i;
        const char *name = gt_dtype_name(dtype);
        cr_assert_eq(gt_dtype_from_name(name), dtype, "%s", name);
        cr_assert(gt_dtype_size(dtype) > 0 && gt_dtype_size(dtype) <= 16, "%s", name);
        cr_assert_eq(gt_dtype_is_float(dtype), strstr(name, "float") != NULL, "%s", name);
        cr_assert_eq(gt_dtype_is_integer(dtype), strstr(name, "int") != NULL, "%s", name);
        floats += gt_dtype_is_float(dtype);
        integers += gt_dtype_is_integer(dtype);
    }
    cr_assert(floats == 4 && integers == 8, "%d and %d", floats, integers);
    cr_assert(!gt_dtype_is_integer(GT_DTYPE_NONE) && !gt_dtype_is_integer(GT_DTYPE_COUNT) &&
              gt_dtype_size(GT_DTYPE_NONE) == 0 && gt_dtype_from_name("float") == GT_DTYPE_NONE);
}

Test(core, build_info)
{
    static const char *const names[] = {"base", "v3", "v4", "nonsense"};
    float sums[4];
    for (int i = 0; i < 4; i++) {
        setenv("GT_ISA", names[i], 1);
        gt_context_use(gt_context_create());
        const char *info = gt_build_info();
        cr_assert(strstr(info, gt_version()) && strstr(info, "kernels ") && strstr(info, "BLAS "),
                  "%s", info);
        cr_assert(i > 0 || gt_context()->kernels == &gt_kernels_base, "%s", info);
        sums[i] = (float)gt_item(gt_sum(gt_exp(gt_full(gt_shape(1000), 1))));
        cr_assert_float_eq(sums[i], 2718.2818f, 0.01f);
        gt_context_free(NULL);
    }
    unsetenv("GT_ISA");
    setenv("GT_THREADS", "3", 1);
    cr_assert_eq(gt_threads(), 3);
    gt_context_free(NULL);
    gt_context_free(NULL);
    const struct {
        const char *text;
        int threads;
    } rows[] = {{"-5", 1}, {"", 1}, {"x", 1}, {"64", 64}, {"65", 64}, {"99999999999999999999", 64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        setenv("GT_THREADS", rows[i].text, 1);
        gt_context();
        cr_assert_eq(gt_threads(), rows[i].threads, "GT_THREADS=%s", rows[i].text);
        gt_context_free(NULL);
    }
    unsetenv("GT_THREADS");
}
