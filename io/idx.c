/* The IDX format (Y. LeCun, yann.lecun.com/exdb/mnist): two zero bytes, the type, the number of
 * dimensions; each dimension as 32 bits; then the numbers; all big-endian. Leans on file.c. */
#include "io/idx.h"
#include "io/file.h"
#include "core/inside.h"

#include <string.h>

/* The type that a code stands for: of a tensor, and in the file. False: the error is raised. */
static bool read_type(gt_FileReader *reader, unsigned code, gt_DType *dtype, gt_DType *stored)
{
    static const struct {
        unsigned code;
        gt_DType stored, dtype;
    } types[] = {{0x08, GT_UINT8, GT_UINT8},     {0x09, GT_INT8, GT_INT32},
                 {0x0B, GT_INT16, GT_INT32},     {0x0C, GT_INT32, GT_INT32},
                 {0x0D, GT_FLOAT32, GT_FLOAT32}, {0x0E, GT_FLOAT64, GT_FLOAT64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *dtype = types[i].dtype;
            *stored = types[i].stored;
            return true;
        }
    gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: unknown type 0x%02X", reader->path, code);
    return false;
}

static bool read_exactly(gt_FileReader *reader, void *into, size_t size, const char *what)
{
    int64_t n = gt_file_read(reader, into, size);
    if (n >= 0 && (size_t)n < size)
        gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: is cut short in its %s", reader->path,
                 what);
    return n >= 0 && (size_t)n == size;
}

static bool read_header(gt_FileReader *reader, gt_Spec *spec, gt_DType *stored)
{
    unsigned char magic[4], dims[4 * GT_MAX_RANK];
    if (!read_exactly(reader, magic, sizeof magic, "header"))
        return false;
    if (magic[0] != 0 || magic[1] != 0) {
        gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                 "%s: is not an IDX file: expected two zero bytes at its beginning", reader->path);
        return false;
    }
    if (!read_type(reader, magic[2], &spec->dtype, stored))
        return false;
    if (magic[3] > GT_MAX_RANK) {
        gt_raise(reader->context, GT_UNSUPPORTED, NULL, NULL,
                 "%s: expected at most %d dimensions (got %d)", reader->path, GT_MAX_RANK,
                 (int)magic[3]);
        return false;
    }
    spec->rank = magic[3];
    if (!read_exactly(reader, dims, 4 * (size_t)spec->rank, "header"))
        return false;
    for (int i = 0; i < spec->rank; i++) {
        const unsigned char *at = dims + 4 * (size_t)i;
        spec->dims[i] = (int64_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                                  (uint32_t)at[2] << 8 | (uint32_t)at[3]);
    }
    if (gt_spec_resize(spec))
        return true;
    gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: its shape is too large", reader->path);
    return false;
}

/* Before memory is taken: can the file hold what its header promises? */
static bool size_is_possible(const gt_FileReader *reader, int64_t needed)
{
    int64_t there = reader->size - reader->taken;
    if (reader->size < 0) {
        if (needed <= reader->limit - reader->taken)
            return true;
        gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                 "%s: its header promises %lld bytes, more than the limit of %lld; .limit allows "
                 "more",
                 reader->path, (long long)needed, (long long)reader->limit);
        return false;
    }
    if (needed == there)
        return true;
    gt_raise(reader->context, GT_FORMAT, NULL, NULL,
             "%s: its header promises %lld bytes of numbers and %lld follow: it is %s",
             reader->path, (long long)needed, (long long)there,
             needed > there ? "cut short" : "longer than it says");
    return false;
}

static bool read_raw(gt_FileReader *reader, size_t count, gt_DType stored, const gt_Bytes *arrived,
                     void *data)
{
    char extra, *to = data;
    size_t bytes = count * gt_dtype_size(stored);
    if (arrived->size > 0)
        memcpy(to, arrived->data, arrived->size);
    if (!read_exactly(reader, to + arrived->size, bytes - arrived->size, "numbers"))
        return false;
    int64_t n = gt_file_read(reader, &extra, 1); /* this sees to the checksum of gzip too */
    if (n > 0)
        gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                 "%s: is longer than its header says: something follows the numbers", reader->path);
    if (!gt_big_endian())
        gt_swap_bytes(data, count, gt_dtype_size(stored));
    return n == 0;
}

/* int8 and int16, which tensors do not have, become int32. */
static bool read_numbers(gt_FileReader *reader, const gt_Spec *spec, gt_DType stored,
                         const gt_Bytes *arrived, void *data)
{
    size_t count = (size_t)spec->size, bytes = count * gt_dtype_size(stored) + 1;
    if (stored == spec->dtype)
        return read_raw(reader, count, stored, arrived, data);
    void *raw = gt_allocate_unpooled(reader->context, bytes);
    bool ok = raw && read_raw(reader, count, stored, arrived, raw);
    for (size_t i = 0; ok && i < count; i++)
        ((int32_t *)data)[i] =
            stored == GT_INT8 ? ((const int8_t *)raw)[i] : ((const int16_t *)raw)[i];
    gt_release_unpooled(reader->context, raw, bytes);
    return ok;
}

static gt_Tensor *read_idx(gt_Context *context, const char *path,
                           const gt_load_idx_options *options)
{
    gt_FileReader reader;
    gt_Spec spec = {0};
    gt_Tensor *tensor = NULL;
    gt_DType stored = GT_DTYPE_NONE;
    void *data;
    if (options->limit < 0) {
        gt_raise(context, GT_INVALID, NULL, NULL, "limit must be >= 0 (got %lld)",
                 (long long)options->limit);
        return NULL;
    }
    if (!gt_file_open(context, &reader, path, options->limit))
        return NULL;
    gt_Bytes arrived = {0};
    bool ok = read_header(&reader, &spec, &stored);
    int64_t bytes = ok ? spec.size * (int64_t)gt_dtype_size(stored) : 0;
    if (ok && size_is_possible(&reader, bytes) &&
        gt_file_read_half(&reader, bytes, "numbers", &arrived))
        tensor = gt_tensor_new(context, &spec, &data);
    if (tensor && !read_numbers(&reader, &spec, stored, &arrived, data)) {
        gt_tensor_free(context, tensor);
        tensor = NULL;
    }
    gt_bytes_release(context, &arrived);
    gt_file_close(&reader);
    return tensor;
}

GT_OPTION_TYPE(gt_load_idx_options, gt_load_idx_OPTIONS);

gt_Tensor *gt_load_idx_at(const char *here, const char *path, const gt_load_idx_options *given)
{
    gt_load_idx_options options;
    GT_TAKE(gt_load_idx_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_idx");
    gt_Tensor *tensor = read_idx(context, path, &options);
    gt_site_leave(&site);
    return tensor;
}
