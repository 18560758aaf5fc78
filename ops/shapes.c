/* The usual shape rules: like an input, broadcast, compared; which dtypes an operation accepts. Leans on core. */
#include "ops/shapes.h"
#include "ops/kit.h"

bool gt_takes(const gt_Spec *spec, unsigned types)
{
    unsigned is = gt_dtype_is_float(spec->dtype)     ? GT_TAKES_FLOAT
                  : gt_dtype_is_integer(spec->dtype) ? GT_TAKES_INTEGER
                                                     : GT_TAKES_BOOL;
    if (types & is && gt_storable(spec->dtype))
        return true;
    gt_fail(GT_INVALID, "dtype %s is not supported; expected %s", gt_dtype_name(spec->dtype),
            types == GT_TAKES_FLOAT    ? "float32 and float64"
            : types == GT_TAKES_NUMBER ? "floats and integers"
            : types == GT_TAKES_BOOL   ? "bool"
                                       : "integers");
    return false;
}

bool gt_same_specs(const gt_ShapeRule *rule, int a, int b)
{
    char first[200], second[200];
    if (gt_spec_equal(rule->input[a], rule->input[b]))
        return true;
    gt_fail(GT_INVALID, "inputs differ: %s and %s",
            gt_spec_text(rule->input[a], first, sizeof first),
            gt_spec_text(rule->input[b], second, sizeof second));
    return false;
}

gt_Status gt_want_logits(const gt_Tensor *x, const char *what)
{
    const gt_Operation *made_by = gt_is_tensor(x) ? gt_origin_operation(x) : NULL;
    if (made_by)
        return gt_fail(GT_INVALID, "%s must be logits (got the output of %s): give its input", what,
                       made_by->name);
    return gt_status();
}

gt_Status gt_shape_same(gt_ShapeRule *rule, unsigned types)
{
    rule->output[0] = *rule->input[0];
    return gt_takes(rule->input[0], types) ? GT_OK : gt_status();
}

gt_Status gt_shape_float(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_FLOAT);
}

gt_Status gt_shape_number(gt_ShapeRule *rule)
{
    return gt_shape_same(rule, GT_TAKES_NUMBER);
}

/* Two operands of one shape and dtype, which most are: nothing is broadcast. */
static bool are_alike(const gt_ShapeRule *rule)
{
    const gt_Spec *a = rule->input[0], *b = rule->input[1];
    if (rule->inputs != 2 || a->dtype != b->dtype || a->rank != b->rank)
        return false;
    for (int d = 0; d < a->rank; d++)
        if (a->dims[d] != b->dims[d])
            return false;
    return true;
}

gt_Status gt_shape_broadcast(gt_ShapeRule *rule, int first, unsigned types)
{
    gt_Spec *out = &rule->output[0];
    if (are_alike(rule))
        return gt_shape_same(rule, types);
    out->dtype = rule->input[first]->dtype;
    if (!gt_takes(rule->input[first], types))
        return gt_status();
    for (int i = 0; i < rule->inputs; i++)
        if (rule->input[i]->rank > out->rank)
            out->rank = rule->input[i]->rank;
    for (int d = 0; d < out->rank; d++)
        out->dims[d] = 1;
    for (int i = 0; i < rule->inputs; i++) {
        const gt_Spec *in = rule->input[i];
        if (i >= first && in->dtype != out->dtype)
            return gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them",
                           gt_dtype_name(out->dtype), gt_dtype_name(in->dtype));
        for (int d = 0; d < in->rank; d++) {
            int64_t *dim = &out->dims[d + out->rank - in->rank];
            if (*dim == 1) {
                *dim = in->dims[d];
            } else if (in->dims[d] != 1 && in->dims[d] != *dim) {
                char a[160], b[160];
                return gt_fail(GT_INVALID, "shapes do not broadcast: %s and %s",
                               gt_dims_text(rule->input[i ? 0 : 1], a, sizeof a),
                               gt_dims_text(in, b, sizeof b));
            }
        }
    }
    return GT_OK;
}

gt_Status gt_shape_binary_float(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_FLOAT);
}

gt_Status gt_shape_binary_number(gt_ShapeRule *rule)
{
    return gt_shape_broadcast(rule, 0, GT_TAKES_NUMBER);
}

gt_Status gt_shape_compare(gt_ShapeRule *rule)
{
    gt_Status status = gt_shape_broadcast(rule, 0, GT_TAKES_ANY);
    rule->output[0].dtype = GT_BOOL;
    return status;
}

bool gt_product_type(const gt_Spec *a, const gt_Spec *b, gt_DType *type)
{
    gt_DType first = a->dtype, second = b->dtype;
    bool half = gt_half_type(first) >= 0 || gt_half_type(second) >= 0;
    *type = half ? GT_FLOAT32 : first;
    if (!gt_takes(a, GT_TAKES_FLOAT))
        return false;
    if (first == second || (half && (first == GT_FLOAT32 || second == GT_FLOAT32)))
        return true;
    gt_fail(GT_INVALID, "types differ: %s and %s; gt_cast one of them", gt_dtype_name(first),
            gt_dtype_name(second));
    return false;
}
