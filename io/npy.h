/* Arrays of NumPy: .npy, one array, and .npz, an archive of some, compressed or not. Leans on core. */
#ifndef GT_IO_NPY_H
#define GT_IO_NPY_H

#include "io/safetensors.h"

GT_BEGIN

#define gt_load_npy_OPTIONS(F, S)                                                                  \
    F(S, int64_t, limit, (int64_t)1 << 32, "bytes that what is compressed may unpack to")
GT_OPTIONS(gt_load_npy_options, gt_load_npy_OPTIONS);

/* gt_load_npy("x.npy") gives a tensor of the file's shape and dtype. Integers that tensors do not have become such as hold
 * them: int8, int16 and uint16 int32; uint32 and uint64 int64, where a number beyond that is an error. Either byte order, and
 * Fortran's order of elements. Text, records, complex numbers and Python objects are refused. The file may be compressed with
 * gzip. As numpy.load. */
#define gt_load_npy(...)                                                                           \
    gt_load_npy_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_load_npy, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_load_npy_at(const char *here, const char *path,
                                 const gt_load_npy_options *options);

/* gt_save_npy("x.npy", x): as numpy.save. Any dtype that tensors have but bfloat16, which NumPy does not know. */
#define gt_save_npy(path, tensor) gt_save_npy_at(GT_HERE, path, tensor)
GT_API gt_Status gt_save_npy_at(const char *here, const char *path, const gt_Tensor *tensor);

/* gt_load_npz("mnist.npz", "x_train"): the array of that name. */
#define gt_load_npz_OPTIONS(F, S)                                                                  \
    F(S, int64_t, limit, (int64_t)1 << 32, "bytes that what is compressed may unpack to")
GT_OPTIONS(gt_load_npz_options, gt_load_npz_OPTIONS);
#define gt_load_npz(...)                                                                           \
    gt_load_npz_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_load_npz, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_load_npz_at(const char *here, const char *path, const char *name,
                                 const gt_load_npz_options *options);
/* How many arrays an archive has, and what number `index` is called; -1 and "" on failure. The name lives until the next
 * call of a function of the library that gives text. */
#define gt_npz_count(path) gt_npz_count_at(GT_HERE, path)
GT_API int gt_npz_count_at(const char *here, const char *path);
#define gt_npz_name(path, index) gt_npz_name_at(GT_HERE, path, index)
GT_API const char *gt_npz_name_at(const char *here, const char *path, int index);

#define gt_save_npz_OPTIONS(F, S)                                                                  \
    F(S, bool, compressed, false, "deflated, as numpy.savez_compressed; needs zlib")
GT_OPTIONS(gt_save_npz_options, gt_save_npz_OPTIONS);
/* gt_save_npz("both.npz", gt_named_tensors({"x", x}, {"y", y})): as numpy.savez. The file appears whole or not at all. */
#define gt_save_npz(...)                                                                           \
    gt_save_npz_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                         \
                   GT_KEYWORDS(gt_save_npz, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Status gt_save_npz_at(const char *here, const char *path, gt_NamedTensors tensors,
                                const gt_save_npz_options *options);

GT_END

#endif
