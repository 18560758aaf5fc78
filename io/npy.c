/* The NPY format (numpy.lib.format, versions 1 to 3): a mark, a version, the length of a header, the header, which is a Python
 * dict of type, order and shape; then the numbers. An NPZ file is a ZIP archive of such. Leans on file.c and zip.c. */
#include "io/npy.h"
#include "core/inside.h"
#include "core/text.h"
#include "io/zip.h"

#include <string.h>

GT_OPTION_TYPE(gt_load_npy_options, gt_load_npy_OPTIONS);
GT_OPTION_TYPE(gt_load_npz_options, gt_load_npz_OPTIONS);
GT_OPTION_TYPE(gt_save_npz_options, gt_save_npz_OPTIONS);

static const char mark[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* Where the bytes of an array come from: a file, or a member of an archive. */
typedef struct Source {
    gt_Context *context;
    const char *path, *member; /* NULL: the file itself */
    gt_FileReader file;
    gt_ZipReader zip;
    int64_t left; /* bytes that are there, -1: not known */
} Source;

/* What the header says. */
typedef struct Header {
    gt_DType stored, dtype; /* in the file, and of the tensor */
    bool swapped, fortran;
    gt_Spec spec;
} Header;

static bool fail(const Source *source, gt_Status status, const char *what, const char *detail)
{
    gt_raise(source->context, status, NULL, NULL, "%s%s%s: %s%s", source->path,
             source->member ? ": " : "", source->member ? source->member : "", what, detail);
    return false;
}

static bool read(Source *source, void *into, size_t size, const char *what)
{
    if (source->member)
        return gt_zip_read(&source->zip, into, size);
    int64_t n = gt_file_read(&source->file, into, size);
    if (n >= 0 && (size_t)n < size)
        return fail(source, GT_FORMAT, "is cut short in its ", what);
    return n >= 0;
}

/* ---- the header ---- */

/* A dict of Python with text, bools and tuples of integers: as much as the format uses. */
typedef struct Scan {
    const char *at, *end;
} Scan;

static void skip_space(Scan *scan)
{
    while (scan->at < scan->end && gt_is_blank(*scan->at))
        scan->at++;
}

static bool take(Scan *scan, const char *text)
{
    skip_space(scan);
    size_t size = strlen(text);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, text, size) != 0)
        return false;
    scan->at += size;
    return true;
}

static bool take_text(Scan *scan, char *text, size_t room)
{
    skip_space(scan);
    if (scan->at == scan->end || (*scan->at != '\'' && *scan->at != '"'))
        return false;
    char quote = *scan->at++;
    size_t n = 0;
    while (scan->at < scan->end && *scan->at != quote && n + 1 < room)
        text[n++] = *scan->at++;
    text[n] = 0;
    return scan->at < scan->end && *scan->at++ == quote;
}

static bool take_shape(Scan *scan, gt_Spec *spec)
{
    if (!take(scan, "("))
        return false;
    for (spec->rank = 0; !take(scan, ")");) {
        int64_t number = 0;
        const char *start = scan->at;
        for (; scan->at < scan->end && gt_is_digit(*scan->at) && number < INT64_MAX / 10 - 1;
             scan->at++)
            number = number * 10 + (*scan->at - '0');
        if (scan->at == start || spec->rank == GT_MAX_RANK)
            return false;
        take(scan, "L"); /* of Python 2 */
        spec->dims[spec->rank++] = number;
        if (!take(scan, ",") && !(scan->at < scan->end && *scan->at == ')'))
            return false;
    }
    return true;
}

/* The dtype of a code like "<f4", and how it is stored. */
static bool find_dtype(const Source *source, const char *code, Header *header)
{
    static const struct {
        const char *code;
        gt_DType stored, dtype;
    } types[] = {
        {"f4", GT_FLOAT32, GT_FLOAT32}, {"f8", GT_FLOAT64, GT_FLOAT64},
        {"f2", GT_FLOAT16, GT_FLOAT16}, {"i4", GT_INT32, GT_INT32},
        {"i8", GT_INT64, GT_INT64},     {"u1", GT_UINT8, GT_UINT8},
        {"b1", GT_BOOL, GT_BOOL},       {"i1", GT_INT8, GT_INT32},
        {"i2", GT_INT16, GT_INT32},     {"u2", GT_UINT16, GT_INT32},
        {"u4", GT_UINT32, GT_INT64},    {"u8", GT_UINT64, GT_INT64},
    };
    static const struct {
        char kind;
        const char *reason;
    } others[] = {{'U', "text"},
                  {'S', "text"},
                  {'O', "Python objects, which only Python can read"},
                  {'c', "complex numbers"},
                  {'M', "dates"},
                  {'m', "spans of time"},
                  {'V', "records"}};
    bool big = code[0] == '>';
    if (code[0] == '<' || code[0] == '>' || code[0] == '|' || code[0] == '=')
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (strcmp(code + 1, types[i].code) == 0) {
                header->stored = types[i].stored;
                header->dtype = types[i].dtype;
                header->swapped = code[0] != '|' && code[0] != '=' && big != gt_big_endian();
                return true;
            }
    for (size_t i = 0; code[0] && i < sizeof others / sizeof *others; i++)
        if (code[1] == others[i].kind)
            return fail(source, GT_UNSUPPORTED, "expected numbers, and it holds ",
                        others[i].reason);
    return fail(source, GT_UNSUPPORTED, "unknown dtype ", code);
}

static bool parse_header(const Source *source, const char *text, size_t size, Header *header)
{
    Scan scan = {text, text + size};
    char key[32], code[32] = "";
    int known = 0;
    bool ok = take(&scan, "{");
    while (ok && !take(&scan, "}")) {
        ok = take_text(&scan, key, sizeof key) && take(&scan, ":");
        if (ok && strcmp(key, "descr") == 0) {
            if (take(&scan, "["))
                return fail(source, GT_UNSUPPORTED, "expected numbers, and it holds ", "records");
            ok = take_text(&scan, code, sizeof code);
            known |= 1;
        } else if (ok && strcmp(key, "fortran_order") == 0) {
            header->fortran = take(&scan, "True");
            ok = header->fortran || take(&scan, "False");
            known |= 2;
        } else if (ok && strcmp(key, "shape") == 0) {
            ok = take_shape(&scan, &header->spec);
            known |= 4;
        } else {
            ok = false;
        }
        ok = ok && (take(&scan, ",") || (scan.at < scan.end && *scan.at == '}'));
    }
    if (!ok || known != 7)
        return fail(
            source, GT_FORMAT,
            "its header cannot be understood, or its shape has more dimensions than a tensor", "");
    if (!find_dtype(source, code, header))
        return false;
    header->spec.dtype = header->dtype;
    if (gt_spec_resize(&header->spec) && header->spec.size <= INT64_MAX / 16)
        return true;
    return fail(source, GT_FORMAT, "its shape is too large", "");
}

static bool read_header(Source *source, Header *header)
{
    unsigned char start[12];
    if (!read(source, start, 10, "header"))
        return false;
    if (memcmp(start, mark, sizeof mark) != 0)
        return fail(source, GT_FORMAT, "is not an NPY file", "");
    if (start[6] < 1 || start[6] > 3)
        return fail(source, GT_UNSUPPORTED, "its version of the format is not 1, 2 or 3", "");
    size_t size = start[8] | (size_t)start[9] << 8, head = 10;
    if (start[6] > 1) {
        if (!read(source, start + 10, 2, "header"))
            return false;
        size |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
        head = 12;
    }
    if (size > 1 << 20)
        return fail(source, GT_FORMAT, "its header is too long", "");
    char *text = gt_allocate(source->context, size + 1);
    bool ok =
        text && read(source, text, size, "header") && parse_header(source, text, size, header);
    gt_release(source->context, text, size + 1);
    if (source->left >= 0)
        source->left -= (int64_t)(head + size);
    return ok;
}

/* ---- the numbers ---- */

/* One of the integers that tensors do not have, as one they have. */
static bool widen(gt_DType stored, const void *from, int64_t i, gt_DType dtype, void *data)
{
    int64_t number;
    uint64_t large;
    switch (stored) {
    case GT_INT8:
        number = ((const int8_t *)from)[i];
        break;
    case GT_INT16:
        number = ((const int16_t *)from)[i];
        break;
    case GT_UINT16:
        number = ((const uint16_t *)from)[i];
        break;
    case GT_UINT32:
        number = ((const uint32_t *)from)[i];
        break;
    default:
        large = ((const uint64_t *)from)[i];
        number = (int64_t)(large & INT64_MAX);
        if (large > INT64_MAX)
            return false;
    }
    if (dtype == GT_INT32)
        ((int32_t *)data)[i] = (int32_t)number;
    else
        ((int64_t *)data)[i] = number;
    return true;
}

/* Fortran's order of elements, the first index fastest, to C's. */
static void reorder(const gt_Spec *spec, const char *from, char *to)
{
    size_t size = gt_dtype_size(spec->dtype);
    int64_t index[GT_MAX_RANK] = {0}, strides[GT_MAX_RANK], stride = 1;
    for (int k = 0; k < spec->rank; k++) {
        strides[k] = stride;
        stride *= spec->dims[k];
    }
    for (int64_t i = 0, at = 0; i < spec->size; i++) {
        memcpy(to + (size_t)i * size, from + (size_t)at * size, size);
        for (int k = spec->rank - 1; k >= 0; k--) {
            at += strides[k];
            if (++index[k] < spec->dims[k])
                break;
            at -= strides[k] * spec->dims[k];
            index[k] = 0;
        }
    }
}

static bool check_bools(const Source *source, const unsigned char *data, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (data[i] > 1)
            return fail(source, GT_FORMAT, "a bool is neither 0 nor 1", "");
    return true;
}

/* Half of them first where their number is only promised: memory is not taken on a header's word. */
static bool read_raw(Source *source, char *data, size_t bytes, const gt_Bytes *arrived)
{
    if (arrived->size > 0)
        memcpy(data, arrived->data, arrived->size);
    if (!read(source, data + arrived->size, bytes - arrived->size, "numbers"))
        return false;
    char extra;
    if (source->member)
        return source->left == (int64_t)bytes ||
               fail(source, GT_FORMAT,
                    "is longer than its header says: something follows the numbers", "");
    int64_t n = gt_file_read(&source->file, &extra, 1);
    return n == 0 ||
           (n > 0 && fail(source, GT_FORMAT,
                          "is longer than its header says: something follows the numbers", ""));
}

static bool read_numbers(Source *source, const Header *header, const gt_Bytes *arrived, void *data)
{
    gt_Context *context = source->context;
    size_t element = gt_dtype_size(header->stored), bytes = (size_t)header->spec.size * element;
    bool direct = header->stored == header->dtype && !header->fortran;
    char *raw = direct ? data : gt_allocate_unpooled(context, bytes + 1);
    bool ok = raw && read_raw(source, raw, bytes, arrived);
    if (ok && header->swapped)
        gt_swap_bytes(raw, (size_t)header->spec.size, element);
    if (ok && header->stored == GT_BOOL)
        ok = check_bools(source, (unsigned char *)raw, header->spec.size);
    if (ok && header->stored != header->dtype) {
        char *wide = header->fortran
                         ? gt_allocate_unpooled(context, gt_spec_bytes(&header->spec) + 1)
                         : data;
        ok = wide != NULL;
        for (int64_t i = 0; ok && i < header->spec.size; i++)
            ok = widen(header->stored, raw, i, header->dtype, wide) ||
                 fail(source, GT_UNSUPPORTED, "a number does not fit int64", "");
        if (ok && header->fortran)
            reorder(&header->spec, wide, data);
        if (wide != data)
            gt_release_unpooled(context, wide, gt_spec_bytes(&header->spec) + 1);
    } else if (ok && header->fortran) {
        reorder(&header->spec, raw, data);
    }
    if (!direct)
        gt_release_unpooled(context, raw, bytes + 1);
    return ok;
}

/* Can it hold what its header promises? */
static bool enough(const Source *source, int64_t bytes, int64_t limit)
{
    if (source->left >= 0 && bytes > source->left)
        return fail(source, GT_FORMAT, "is cut short in its numbers", "");
    if (source->left < 0 && bytes > limit)
        return fail(source, GT_FORMAT,
                    "its header promises more than the limit; .limit allows more", "");
    return true;
}

static gt_Tensor *read_array(Source *source, int64_t limit)
{
    Header header = {.spec = {.dtype = GT_DTYPE_NONE}};
    void *data;
    gt_Tensor *tensor = NULL;
    gt_Bytes arrived = {0};
    if (!read_header(source, &header))
        return NULL;
    int64_t bytes = header.spec.size * (int64_t)gt_dtype_size(header.stored);
    if (enough(source, bytes, limit) &&
        (source->member || gt_file_read_half(&source->file, bytes, "numbers", &arrived)))
        tensor = gt_tensor_new(source->context, &header.spec, &data);
    if (tensor && !read_numbers(source, &header, &arrived, data)) {
        gt_tensor_free(source->context, tensor);
        tensor = NULL;
    }
    gt_bytes_release(source->context, &arrived);
    return tensor;
}

static bool good_limit(gt_Context *context, int64_t limit)
{
    if (limit >= 0)
        return true;
    gt_raise(context, GT_INVALID, NULL, NULL, "limit must be >= 0 (got %lld)", (long long)limit);
    return false;
}

gt_Tensor *gt_load_npy_at(const char *here, const char *path, const gt_load_npy_options *given)
{
    gt_load_npy_options options;
    GT_TAKE(gt_load_npy_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_npy");
    Source source = {.context = context, .path = path};
    gt_Tensor *tensor = NULL;
    if (good_limit(context, options.limit) &&
        gt_file_open(context, &source.file, path, options.limit)) {
        source.left = source.file.size;
        tensor = read_array(&source, options.limit);
        gt_file_close(&source.file);
    }
    gt_site_leave(&site);
    return tensor;
}

/* ---- archives ---- */

/* The name of an array: that of its member without ".npy". */
static size_t array_name(const gt_Zip *zip, int32_t i, const char **name)
{
    size_t size = gt_words_size(&zip->names, i);
    *name = gt_words_text(&zip->names, i);
    return size > 4 && strcmp(*name + size - 4, ".npy") == 0 ? size - 4 : size;
}

static int32_t find_array(const gt_Zip *zip, const char *wanted)
{
    char text[300];
    size_t used = 0;
    text[0] = 0;
    for (int32_t i = 0; i < zip->count; i++) {
        const char *name;
        char excerpt[GT_EXCERPT];
        size_t size = array_name(zip, i, &name);
        if (strlen(wanted) == size && memcmp(name, wanted, size) == 0)
            return i;
        if (used + GT_EXCERPT + 8 < sizeof text)
            used += (size_t)gt_text(text + used, sizeof text - used, "%s\"%s\"", i ? ", " : "",
                                    gt_excerpt(excerpt, name, size));
    }
    gt_raise(zip->context, GT_INVALID, NULL, NULL, "%s: has no array \"%s\": expected one of %s",
             zip->path, wanted, text);
    return -1;
}

gt_Tensor *gt_load_npz_at(const char *here, const char *path, const char *name,
                          const gt_load_npz_options *given)
{
    gt_load_npz_options options;
    GT_TAKE(gt_load_npz_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "load_npz");
    gt_Tensor *tensor = NULL;
    gt_Zip zip = {.descriptor = -1, .context = context};
    if (!name)
        gt_raise(context, GT_INVALID, NULL, NULL, "the name is NULL");
    if (name && good_limit(context, options.limit) && gt_zip_open(context, &zip, path)) {
        int32_t i = find_array(&zip, name);
        Source source = {.context = context, .path = path, .member = name};
        if (i >= 0 && gt_zip_read_begin(&zip, &source.zip, i, options.limit)) {
            source.left = zip.members[i].size;
            tensor = read_array(&source, options.limit);
        }
        if (i >= 0)
            gt_zip_read_end(&source.zip);
    }
    gt_zip_close(&zip);
    gt_site_leave(&site);
    return tensor;
}

int gt_npz_count_at(const char *here, const char *path)
{
    gt_Context *context = gt_enter();
    if (!context)
        return -1;
    gt_Site site = gt_site_enter(here, "npz_count");
    gt_Zip zip;
    int count = gt_zip_open(context, &zip, path) ? zip.count : -1;
    gt_zip_close(&zip);
    gt_site_leave(&site);
    return count;
}

const char *gt_npz_name_at(const char *here, const char *path, int index)
{
    gt_Context *context = gt_enter();
    if (!context)
        return "";
    gt_Site site = gt_site_enter(here, "npz_name");
    gt_Zip zip;
    char *text = NULL;
    if (gt_zip_open(context, &zip, path)) {
        size_t room;
        const char *name;
        if (index < 0 || index >= zip.count) {
            gt_raise(context, GT_INVALID, NULL, NULL,
                     "%s: index %d is out of range: it has %d arrays", path, index, (int)zip.count);
        } else {
            size_t size = array_name(&zip, index, &name);
            text = gt_context_text(context, &room);
            gt_text(text, room, "%.*s", (int)size, name);
        }
    }
    gt_zip_close(&zip);
    gt_site_leave(&site);
    return text ? text : "";
}

/* ---- writing ---- */

enum { HEAD_BYTES = 320 };

/* The mark and the header of a tensor, padded so that the numbers begin at a multiple of 64; how long they are. */
static size_t make_head(const gt_Spec *spec, char head[HEAD_BYTES])
{
    static const struct {
        gt_DType dtype;
        const char *code;
    } codes[] = {{GT_FLOAT32, "f4"}, {GT_FLOAT64, "f8"}, {GT_FLOAT16, "f2"}, {GT_INT32, "i4"},
                 {GT_INT64, "i8"},   {GT_UINT8, "u1"},   {GT_BOOL, "b1"}};
    const char *code = NULL;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        code = codes[i].dtype == spec->dtype ? codes[i].code : code;
    if (!code)
        return 0;
    char order = gt_dtype_size(spec->dtype) == 1 ? '|' : gt_big_endian() ? '>' : '<';
    int n = 10;
    n += gt_text(head + n, HEAD_BYTES - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                 order, code);
    for (int k = 0; k < spec->rank; k++)
        n += gt_text(head + n, (size_t)(HEAD_BYTES - n),
                     k + 1 < spec->rank ? "%lld, "
                     : spec->rank == 1  ? "%lld,"
                                        : "%lld",
                     (long long)spec->dims[k]);
    n += gt_text(head + n, (size_t)(HEAD_BYTES - n), "), }");
    while ((n + 1) % 64 != 0)
        head[n++] = ' ';
    head[n++] = '\n';
    memcpy(head, mark, sizeof mark);
    head[6] = 1;
    head[7] = 0;
    head[8] = (char)((n - 10) & 255);
    head[9] = (char)((n - 10) >> 8);
    return (size_t)n;
}

/* The spec and the numbers of a tensor that is to be written, and its header; false with the error raised. */
static bool prepare(gt_Context *context, const char *what, const gt_Tensor *tensor, gt_Spec *spec,
                    const void **data, char head[HEAD_BYTES], size_t *head_size)
{
    const gt_Spec *of = gt_tensor_check(context, NULL, NULL, what, tensor);
    if (!of)
        return false;
    *spec = *of;
    *data = gt_data_at(NULL, tensor);
    if (gt_context_status(context) != GT_OK)
        return false;
    *head_size = make_head(spec, head);
    if (*head_size > 0)
        return true;
    gt_raise(context, GT_UNSUPPORTED, NULL, NULL, "NumPy has no dtype %s; gt_cast it first",
             gt_dtype_name(spec->dtype));
    return false;
}

gt_Status gt_save_npy_at(const char *here, const char *path, const gt_Tensor *tensor)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_npy");
    gt_Spec spec;
    const void *data;
    char head[HEAD_BYTES];
    size_t size;
    gt_FileWriter writer;
    if (prepare(context, "the tensor", tensor, &spec, &data, head, &size) &&
        gt_file_create(context, &writer, path)) {
        size_t bytes = gt_spec_bytes(&spec);
        if (gt_file_write(&writer, head, size) &&
            (bytes == 0 || gt_file_write(&writer, data, bytes)))
            gt_file_commit(&writer);
        else
            gt_file_discard(&writer);
    }
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* "x" becomes "x.npy", in `text`. */
static bool member_name(gt_Context *context, const char *name, char *text, size_t room)
{
    size_t size = name ? strlen(name) : 0;
    if (size == 0 || size + 5 > room) {
        gt_raise(context, GT_INVALID, NULL, NULL, "a name must have 1 to %d characters (got %d)",
                 (int)room - 5, (int)size);
        return false;
    }
    memcpy(text, name, size);
    memcpy(text + size, ".npy", 5);
    return true;
}

static void save_npz(gt_Context *context, const char *path, gt_NamedTensors tensors,
                     bool compressed)
{
    gt_ZipWriter writer;
    if (tensors.count < 1 || !tensors.items) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "expected at least 1 tensor, gt_named_tensors({\"x\", x})");
        return;
    }
    if (!gt_zip_create(context, &writer, path))
        return;
    bool ok = true;
    for (int32_t i = 0; ok && i < tensors.count; i++) {
        gt_Spec spec;
        const void *data;
        char head[HEAD_BYTES], name[512];
        size_t size;
        for (int32_t k = 0; k < i; k++)
            if (tensors.items[i].name && strcmp(tensors.items[i].name, tensors.items[k].name) == 0)
                gt_raise(context, GT_INVALID, NULL, NULL, "two tensors are called \"%s\"",
                         tensors.items[i].name);
        ok = gt_context_status(context) == GT_OK &&
             member_name(context, tensors.items[i].name, name, sizeof name) &&
             prepare(context, tensors.items[i].name, tensors.items[i].tensor, &spec, &data, head,
                     &size) &&
             gt_zip_add(&writer, name, head, size, data, gt_spec_bytes(&spec), compressed);
    }
    if (ok)
        gt_zip_commit(&writer);
    else
        gt_zip_discard(&writer);
}

gt_Status gt_save_npz_at(const char *here, const char *path, gt_NamedTensors tensors,
                         const gt_save_npz_options *given)
{
    gt_save_npz_options options;
    GT_TAKE(gt_save_npz_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_npz");
    save_npz(context, path, tensors, options.compressed);
    gt_site_leave(&site);
    return gt_context_status(context);
}
