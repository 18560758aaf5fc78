/* What tests of families of layers share: what is refused, and with which words. */
#ifndef GT_TESTS_LAYER_MISTAKES_H
#define GT_TESTS_LAYER_MISTAKES_H

#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <string.h>

static inline void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part),
              "status %d, \"%s\" lacks \"%s\"", (int)gt_status(), gt_error_message(), part);
    gt_error_clear();
}

/* A layer that is not made. */
static inline void not_made(const gt_Layer *layer, const char *part)
{
    cr_assert(!layer, "made, instead of: %s", part);
    fails(GT_INVALID, part);
}

/* A call that fails; the layer is freed. */
static inline void not_called(gt_Layer *layer, gt_Tensor *x, gt_Tensor *other, const char *part)
{
    gt_Tensor *y = other ? gt_call(layer, x, .more = gt_tensors(other)) : gt_call(layer, x);
    cr_assert(!y, "called, instead of: %s", part);
    fails(GT_INVALID, part);
    gt_layer_free(layer);
}

static inline bool has_shape(gt_Tensor *x, gt_Shape shape)
{
    cr_assert(x, "%s", gt_error_message());
    return gt_shape_equal(gt_tensor_shape(x), shape);
}

static inline void ends(gt_Scope *scope)
{
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

#endif
