/* Random orthogonal matrices. Leans on kernels for the draws. */
#include "kernels/kernels.h"
#include "layers/initializers/classes.h"

#include <math.h>

GT_OPTION_TYPE(gt_Orthogonal_options, gt_Orthogonal_OPTIONS);

/* Eight sums, so that a compiler may use vectors: their order is the same everywhere. */
static double dot(int64_t n, const double *a, const double *b)
{
    double sum[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += a[i + k] * b[i + k];
    for (int k = 0; i < n; i++, k++)
        sum[k] += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Q of the QR factorisation of a (large, small) matrix of normals, with R's diagonal positive. The
 * `count` vectors of `length` are orthonormalised by Gram and Schmidt's method, twice each, which
 * is enough (Giraud et al. 2005). */
static void orthonormalise(int64_t count, int64_t length, double *vectors)
{
    for (int64_t i = 0; i < count; i++) {
        double *v = vectors + i * length;
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < i; k++) {
                const double *u = vectors + k * length;
                double projection = dot(length, u, v);
                for (int64_t j = 0; j < length; j++)
                    v[j] -= projection * u[j];
            }
        double norm = sqrt(dot(length, v, v));
        for (int64_t j = 0; j < length; j++)
            v[j] /= norm;
    }
}

static gt_Status orthogonal_check(const gt_Initializer *self, const char *what)
{
    double gain = GT_OPTIONS_OF(gt_Orthogonal_options, self).gain;
    if (!isfinite(gain))
        return gt_fail(GT_INVALID, "%s: gain must be finite (got %g)", what, gain);
    return GT_OK;
}

static gt_Status orthogonal_fill(const gt_Initializer *self, const gt_Spec *spec, void *data,
                                 uint64_t stream)
{
    gt_Context *context = gt_context();
    double gain = GT_OPTIONS_OF(gt_Orthogonal_options, self).gain;
    if (spec->rank < 2)
        return gt_fail(GT_INVALID, "an orthogonal weight must have at least 2 dimensions (got %d)",
                       (int)spec->rank);
    if (spec->size == 0)
        return GT_OK;
    int64_t columns = spec->dims[spec->rank - 1], rows = spec->size / columns;
    bool wide = rows < columns;
    int64_t count = wide ? rows : columns, length = wide ? columns : rows;
    size_t bytes = (size_t)spec->size * sizeof(double);
    double *vectors = gt_allocate(context, bytes);
    if (!vectors)
        return gt_context_status(context);
    gt_context_kernels(context)->random_normal[GT_LOOP_F64]((gt_PhiloxKey){stream, 0}, 0,
                                                            spec->size, vectors);
    orthonormalise(count, length, vectors);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            gt_number_store(spec->dtype, data, r * columns + c,
                            gain * (wide ? vectors[r * length + c] : vectors[c * length + r]));
    gt_release(context, vectors, bytes);
    return GT_OK;
}

const gt_InitializerClass gt_initializer_class_orthogonal = {
    GT_INITIALIZER_RECORD("orthogonal", "Orthogonal", "Orthogonal",
                          "orthonormal rows or columns times gain"),
    .aliases = "OrthogonalInitializer",
    .options = &gt_Orthogonal_options_type,
    .floats_only = true,
    .fill = orthogonal_fill,
    .check = orthogonal_check,
};

gt_Initializer gt_Orthogonal_of(const gt_Orthogonal_options *options)
{
    return gt_initializer_make(&gt_initializer_class_orthogonal, options);
}
