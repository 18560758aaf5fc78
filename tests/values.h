/* What the tests of initializers, regularizers and constraints share: errors, the numbers of Keras
 * (tests/oracle/values.safetensors, made by make_values.py), memory that ends. */
#ifndef GT_TESTS_VALUES_H
#define GT_TESTS_VALUES_H

#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static inline void fails(gt_Status status, const char *text)
{
    cr_assert(gt_status() == status, "status %d instead of %d: %s", gt_status(), status,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), text), "\"%s\" lacks \"%s\"", gt_error_message(), text);
    gt_error_clear();
}

/* ---- what Keras computed ---- */

static inline gt_TensorFile *open_oracle(void)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/values.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    return file;
}

static inline gt_Tensor *part(const gt_TensorFile *file, const char *name, const char *what)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, what);
    gt_Tensor *tensor = gt_tensor_file_load_named(file, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

static inline void near(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected,
                        double tolerance)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)),
              "%s, %s: %d dimensions, not %d, or others", name, what, gt_rank(got),
              gt_rank(expected));
    got = gt_cast(got, GT_FLOAT64), expected = gt_cast(expected, GT_FLOAT64);
    const double *a = gt_data(got), *b = gt_data(expected);
    for (int64_t i = 0; i < gt_size(got); i++)
        cr_assert(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i])),
                  "%s, %s [%d]: %.17g, not %.17g", name, what, (int)i, a[i], b[i]);
}

/* A weight's first values, as a variable: gt_variable_free. */
static inline gt_Tensor *initialized(gt_Initializer initializer, gt_Shape shape, gt_DType dtype)
{
    gt_Tensor *tensor = gt_variable(gt_zeros(shape, .dtype = dtype));
    const gt_Spec spec = gt_spec(tensor);
    gt_initialize(initializer, "model/layer/kernel", &spec, (void *)(uintptr_t)gt_data(tensor));
    return tensor;
}

/* ---- memory ---- */

/* The allocator fails from call `left` on, if that is not negative. */
typedef struct Host {
    int64_t left, blocks;
} Host;

static inline void *host_allocate(void *user, size_t size, size_t alignment)
{
    Host *host = user;
    void *memory = NULL;
    if (host->left == 0)
        return NULL;
    host->left -= host->left > 0;
    if (posix_memalign(&memory, alignment, size) != 0)
        abort();
    host->blocks++;
    return memory;
}

static inline void host_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Host *)user)->blocks--;
    free(memory);
}

#endif
