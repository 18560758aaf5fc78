/* Any bytes as a CSV file, plain or compressed; the first byte chooses the options. What can be
 * read is written, and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/csv.h"

static void write_and_compare(gt_Tensor *tensor)
{
    char path[sizeof fuzz_path + 8];
    gt_Spec spec = gt_spec(tensor);
    snprintf(path, sizeof path, "%s.again", fuzz_path);
    fuzz_expect(gt_write_csv(path, tensor) == GT_OK);
    gt_Tensor *twin = gt_read_csv(path, .dtype = spec.dtype);
    fuzz_expect(twin != NULL);
    if (!twin || !gt_shape_equal(gt_tensor_shape(twin), gt_tensor_shape(tensor)) ||
        memcmp(gt_data(twin), gt_data(tensor), (size_t)spec.size * gt_dtype_size(spec.dtype)) != 0)
        abort();
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    static const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32, GT_INT64, GT_UINT8, GT_BOOL};
    const char *path = fuzz_file(data + 1, size - 1);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *tensor = gt_read_csv(
        path, .dtype = types[data[0] % 6], .delimiter = data[0] & 64 ? ' ' : ',',
        .skip_rows = data[0] & 128 ? 1 : 0, .columns = gt_columns(data[0] & 32 ? -1 : 0, -1),
        .missing = data[0] & 16 ? 1.0 : (double)INFINITY, .limit = 1 << 20);
    fuzz_expect(tensor != NULL);
    if (tensor) {
        fuzz_touch(tensor);
        write_and_compare(tensor);
    }
    gt_scope_end(scope);
    return 0;
}
