/* Named tensors in a file, in the safetensors format: what weights and checkpoints are kept in, and
 * what Python reads with `safetensors`. A file that is not exactly what the format says is refused
 * with the reason. Leans on core. */
#ifndef GT_IO_SAFETENSORS_H
#define GT_IO_SAFETENSORS_H

#include "core/tensor.h"

GT_BEGIN

/* A tensor and the name under which a file has it. */
typedef struct gt_NamedTensor {
    const char *name;
    const gt_Tensor *tensor;
} gt_NamedTensor;

/* A few named tensors in order. It borrows. Written on the spot as
 * gt_named_tensors({"kernel", kernel}, {"bias", bias}). */
typedef struct gt_NamedTensors {
    const gt_NamedTensor *items;
    int32_t count;
} gt_NamedTensors;
/* From an array that ends with {NULL, GT_LIST_END}. */
GT_API gt_NamedTensors gt_named_tensors_list(const gt_NamedTensor *items);

/* Text that goes with them: gt_metadata({"epoch", "12"}, {"format", "pt"}). */
typedef struct gt_MetadataItem {
    const char *key, *value;
} gt_MetadataItem;
/* Pairs of text that a file has beside its tensors. It borrows: array and texts are the caller's. */
typedef struct gt_Metadata {
    const gt_MetadataItem *items;
    int32_t count;
} gt_Metadata;
/* From an array that ends with {NULL, GT_LIST_END}. */
GT_API gt_Metadata gt_metadata_list(const gt_MetadataItem *items);

#define gt_save_tensors_OPTIONS(F, S)                                                              \
    F(S, gt_Metadata, metadata, GT_NOT_GIVEN, "pairs of text that are kept with the tensors")
GT_OPTIONS(gt_save_tensors_options, gt_save_tensors_OPTIONS);

/* gt_save_tensors("model.safetensors", gt_named_tensors({"kernel", kernel}), .metadata = ...)
 * The file appears whole or not at all: a crash or a full disk leaves the old one. The same tensors
 * give the same bytes. */
#define gt_save_tensors(...)                                                                       \
    gt_save_tensors_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                     \
                       GT_KEYWORDS(gt_save_tensors, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_save_tensors_at(const char *here, const char *path, gt_NamedTensors tensors,
                                    const gt_save_tensors_options *options);

/* An open file of tensors: its header is read and checked, the numbers stay on the disk until they
 * are asked for. Tensors are counted from 0, in the order of the header. */
typedef struct gt_TensorFile gt_TensorFile;

/* Opens a file; NULL on failure. Free with gt_tensor_file_free; what was loaded stays. */
#define gt_open_tensors(path) gt_open_tensors_at(GT_HERE, path)
GT_API gt_TensorFile *gt_open_tensors_at(const char *here, const char *path);
/* Closes it. NULL is ignored. */
GT_API void gt_tensor_file_free(gt_TensorFile *file);

/* How many tensors it has; -1 on failure. */
#define gt_tensor_file_count(file) gt_tensor_file_count_at(GT_HERE, file)
GT_API int64_t gt_tensor_file_count_at(const char *here,
                                       const gt_TensorFile *file);
/* Its name; lives as long as the file is open; "" on failure. */
#define gt_tensor_file_name(file, index) gt_tensor_file_name_at(GT_HERE, file, index)
GT_API const char *gt_tensor_file_name_at(const char *here, const gt_TensorFile *file,
                                          int64_t index);
/* Type and shape; dtype GT_DTYPE_NONE on failure. */
#define gt_tensor_file_spec(file, index) gt_tensor_file_spec_at(GT_HERE, file, index)
GT_API gt_Spec gt_tensor_file_spec_at(const char *here, const gt_TensorFile *file, int64_t index);
/* Where that name is; -1 if it is not there, which is no error. */
#define gt_tensor_file_find(file, name) gt_tensor_file_find_at(GT_HERE, file, name)
GT_API int64_t gt_tensor_file_find_at(const char *here, const gt_TensorFile *file,
                                      const char *name);
/* Metadata: how many pairs, the pair at an index ({"", ""} on failure), the value of a key
 * (NULL if it is not there, which is no error). */
#define gt_tensor_file_metadata_count(file) gt_tensor_file_metadata_count_at(GT_HERE, file)
GT_API int64_t gt_tensor_file_metadata_count_at(const char *here, const gt_TensorFile *file);
#define gt_tensor_file_metadata_pair(file, index)                                                  \
    gt_tensor_file_metadata_pair_at(GT_HERE, file, index)
GT_API gt_MetadataItem gt_tensor_file_metadata_pair_at(const char *here, const gt_TensorFile *file,
                                                       int64_t index);
#define gt_tensor_file_metadata(file, key) gt_tensor_file_metadata_at(GT_HERE, file, key)
GT_API const char *gt_tensor_file_metadata_at(const char *here, const gt_TensorFile *file,
                                              const char *key);

/* A new tensor with the numbers. */
#define gt_tensor_file_load(file, index) gt_tensor_file_load_at(GT_HERE, file, index)
GT_API gt_Tensor *gt_tensor_file_load_at(const char *here, const gt_TensorFile *file,
                                         int64_t index);
/* The same by name. */
#define gt_tensor_file_load_named(file, name) gt_tensor_file_load_named_at(GT_HERE, file, name)
GT_API gt_Tensor *gt_tensor_file_load_named_at(const char *here, const gt_TensorFile *file,
                                               const char *name);
/* The numbers into the caller's memory, of any type the file has; `bytes` must be exactly theirs.
 * On failure that memory may be half written. */
#define gt_tensor_file_load_into(file, index, into, bytes)                                         \
    gt_tensor_file_load_into_at(GT_HERE, file, index, into, bytes)
GT_API gt_Status gt_tensor_file_load_into_at(const char *here, const gt_TensorFile *file,
                                             int64_t index, void *into, size_t bytes);

GT_END

#ifdef __cplusplus
#include <initializer_list>
/* Both live to the end of the full expression. */
inline gt_NamedTensors gt_named_tensors_of(std::initializer_list<gt_NamedTensor> list)
{
    gt_NamedTensors tensors = {list.begin(), static_cast<int32_t>(list.size())};
    return tensors;
}
inline gt_Metadata gt_metadata_of(std::initializer_list<gt_MetadataItem> list)
{
    gt_Metadata metadata = {list.begin(), static_cast<int32_t>(list.size())};
    return metadata;
}
#define gt_named_tensors(...) gt_named_tensors_of({__VA_ARGS__})
#define gt_metadata(...)      gt_metadata_of({__VA_ARGS__})
#else
/* Both live as long as the block they are written in. */
#define gt_named_tensors(...)                                                                      \
    gt_named_tensors_list((const gt_NamedTensor[]){__VA_ARGS__, {NULL, GT_LIST_END}})
#define gt_metadata(...)                                                                           \
    gt_metadata_list((const gt_MetadataItem[]){__VA_ARGS__, {NULL, GT_LIST_END}})
#endif

#endif
