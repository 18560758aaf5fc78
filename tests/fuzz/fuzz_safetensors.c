/* Any bytes as a safetensors file. What can be read is saved again and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/safetensors.h"

#define MOST 64

static void save_and_compare(const gt_TensorFile *file, gt_Tensor **tensor, int64_t count)
{
    gt_NamedTensor items[MOST];
    gt_MetadataItem pairs[MOST];
    char path[sizeof fuzz_path + 8];
    int64_t metadata = gt_tensor_file_metadata_count(file);
    if (metadata > MOST)
        return;
    for (int64_t i = 0; i < metadata; i++)
        pairs[i] = gt_tensor_file_metadata_at(file, i);
    for (int64_t i = 0; i < count; i++)
        items[i] = (gt_NamedTensor){gt_tensor_file_name(file, i), tensor[i]};
    snprintf(path, sizeof path, "%s.again", fuzz_path);
    fuzz_expect(gt_save_tensors(path, ((gt_NamedTensors){(int32_t)count, items}),
                                .metadata = {(int32_t)metadata, pairs}) == GT_OK);
    gt_TensorFile *again = gt_open_tensors(path);
    fuzz_expect(again != NULL);
    if (!again || gt_tensor_file_count(again) != count ||
        gt_tensor_file_metadata_count(again) != metadata)
        abort();
    for (int64_t i = 0; i < count; i++) {
        gt_Tensor *twin = gt_tensor_file_get(again, items[i].name);
        fuzz_expect(twin != NULL);
        gt_Spec spec = gt_spec(tensor[i]);
        if (!gt_shape_equal(gt_tensor_shape(twin), gt_tensor_shape(tensor[i])) ||
            memcmp(gt_data(twin), gt_data(tensor[i]),
                   (size_t)spec.size * gt_dtype_size(spec.dtype)) != 0)
            abort();
    }
    for (int64_t i = 0; i < metadata; i++)
        if (strcmp(gt_tensor_file_metadata(again, pairs[i].key), pairs[i].value) != 0)
            abort();
    gt_tensor_file_free(again);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gt_TensorFile *file = gt_open_tensors(fuzz_file(data, size));
    fuzz_expect(file != NULL);
    if (!file)
        return 0;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *tensor[MOST];
    int64_t count = gt_tensor_file_count(file), loaded = 0;
    for (int64_t i = 0; i < count && i < MOST; i++) {
        tensor[i] = gt_tensor_file_load(file, i);
        loaded += tensor[i] != NULL;
        fuzz_expect(tensor[i] != NULL);
        if (gt_tensor_file_find(file, gt_tensor_file_name(file, i)) != i)
            abort();
        if (tensor[i])
            fuzz_touch(tensor[i]);
    }
    if (loaded == count)
        save_and_compare(file, tensor, count);
    gt_scope_end(scope);
    gt_tensor_file_free(file);
    return 0;
}
