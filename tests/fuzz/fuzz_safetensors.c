/* Any bytes as a safetensors file. What can be read is saved again and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/safetensors.h"

#define MOST 64

static void compare(const gt_TensorFile *again, gt_NamedTensors tensors, gt_Metadata metadata)
{
    if (gt_tensor_file_count(again) != tensors.count ||
        gt_tensor_file_metadata_count(again) != metadata.count)
        fuzz_stop("the saved file holds another number of things");
    for (int32_t i = 0; i < tensors.count; i++) {
        gt_Tensor *twin = gt_tensor_file_load_named(again, tensors.items[i].name);
        if (fuzz_works(twin != NULL) && !fuzz_same(tensors.items[i].tensor, twin))
            fuzz_stop("a tensor was saved and reads differently");
    }
    for (int32_t i = 0; i < metadata.count; i++)
        if (strcmp(gt_tensor_file_metadata(again, metadata.items[i].key),
                   metadata.items[i].value) != 0)
            fuzz_stop("metadata was saved and reads differently");
}

static void save_and_compare(const gt_TensorFile *file, gt_Tensor **tensor, int32_t count)
{
    gt_NamedTensor items[MOST];
    gt_MetadataItem pairs[MOST];
    char path[sizeof fuzz_path + 8];
    int64_t more = gt_tensor_file_metadata_count(file);
    if (more > MOST)
        return;
    for (int32_t i = 0; i < more; i++)
        pairs[i] = gt_tensor_file_metadata_pair(file, i);
    for (int32_t i = 0; i < count; i++)
        items[i] = (gt_NamedTensor){gt_tensor_file_name(file, i), tensor[i]};
    gt_NamedTensors tensors = {items, count};
    gt_Metadata metadata = {pairs, (int32_t)more};
    snprintf(path, sizeof path, "%s.again", fuzz_path);
    if (fuzz_works(gt_save_tensors(path, tensors, .metadata = metadata) == GT_OK)) {
        gt_TensorFile *again = gt_open_tensors(path);
        if (fuzz_works(again != NULL))
            compare(again, tensors, metadata);
        gt_tensor_file_free(again);
    }
    unlink(path);
}

static void load_all(const gt_TensorFile *file)
{
    gt_Tensor *tensor[MOST];
    int64_t count = gt_tensor_file_count(file), loaded = 0;
    for (int64_t i = 0; i < count && i < MOST; i++) {
        tensor[i] = gt_tensor_file_load(file, i);
        if (fuzz_either(tensor[i] != NULL)) {
            fuzz_touch(tensor[i]);
            loaded++;
        }
        if (gt_tensor_file_find(file, gt_tensor_file_name(file, i)) != i)
            fuzz_stop("a name is not found where it is");
    }
    if (loaded == count)
        save_and_compare(file, tensor, (int32_t)count);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    gt_TensorFile *file = gt_open_tensors(fuzz_file(data, size));
    fuzz_asked_at_most(4096 + 14 * size);
    if (!fuzz_either(file != NULL))
        return;
    gt_Scope *scope = gt_scope_begin();
    if (fuzz_works(scope != NULL)) {
        load_all(file);
        gt_scope_end(scope);
    }
    gt_tensor_file_free(file);
}
