/* The safetensors format (github.com/huggingface/safetensors): eight bytes, little-endian, with the
 * length of the header; the header, in JSON,
 *     {"__metadata__": {text: text}, "name": {"dtype", "shape", "data_offsets": [begin, end]}, ...}
 * then the numbers, row-major, little-endian, without a gap from the first to the end of the file.
 * Leans on file.c and json.c. */
#include "io/safetensors.h"
#include "io/json.h"
#include "core/assert.h"
#include "core/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_LIMIT 100000000 /* as in the reference implementation */
#define METADATA     "__metadata__"

static const struct {
    const char *name;
    gt_DType dtype;
} types[] = {
    {"F32", GT_FLOAT32},
    {"F64", GT_FLOAT64},
    {"I32", GT_INT32},
    {"I64", GT_INT64},
    {"U8", GT_UINT8},
    {"BOOL", GT_BOOL},
    {"F16", GT_FLOAT16},
    {"BF16", GT_BFLOAT16},
    {"I8", GT_INT8},
    {"I16", GT_INT16},
    {"U16", GT_UINT16},
    {"U32", GT_UINT32},
    {"U64", GT_UINT64},
    {"C64", GT_COMPLEX64},
    /* known to the format and not to gradtape */
    {"F8_E5M2", GT_DTYPE_NONE},
    {"F8_E4M3", GT_DTYPE_NONE},
    {"F8_E8M0", GT_DTYPE_NONE},
    {"F6_E2M3", GT_DTYPE_NONE},
    {"F6_E3M2", GT_DTYPE_NONE},
    {"F4", GT_DTYPE_NONE},
    {"F8_E4M3FNUZ", GT_DTYPE_NONE},
    {"F8_E5M2FNUZ", GT_DTYPE_NONE},
};
#define TYPES (sizeof types / sizeof *types)

typedef struct Entry {
    const char *name;
    gt_Spec spec;
    int64_t begin, end; /* in the data */
} Entry;

struct gt_TensorFile {
    gt_Object object;
    char *path;
    size_t path_bytes;
    int descriptor;
    int64_t data; /* where the numbers begin in the file */
    char *header; /* names and metadata point into it */
    size_t header_bytes;
    Entry *entry;
    const Entry **by_name; /* sorted, for gt_tensor_file_find */
    int64_t count;
    gt_MetadataItem *metadata;
    int64_t metadata_count;
};

static void destroy(gt_Object *object)
{
    gt_TensorFile *file = (gt_TensorFile *)object;
    gt_Context *context = object->context;
    gt_release(context, file->path, file->path_bytes);
    gt_release(context, file->header, file->header_bytes);
    gt_release(context, file->entry, (size_t)file->count * sizeof *file->entry);
    gt_release(context, file->by_name, (size_t)file->count * sizeof *file->by_name);
    gt_release(context, file->metadata, (size_t)file->metadata_count * sizeof *file->metadata);
    if (file->descriptor >= 0)
        close(file->descriptor);
}

static const gt_ObjectKind tensor_file_kind = {"tensor file", destroy, false};

/* ---- reading the header ---- */

static bool bad_entry(const gt_TensorFile *file, const char *name, const char *what)
{
    char text[GT_EXCERPT];
    gt_raise(file->object.context, GT_FORMAT, NULL, NULL, "%s: tensor \"%s\": %s", file->path,
             gt_excerpt(text, name, strlen(name)), what);
    return false;
}

static bool read_dtype(const gt_TensorFile *file, Entry *entry, const gt_JsonValue *value)
{
    char name[GT_EXCERPT], type[GT_EXCERPT];
    if (!value || value->kind != GT_JSON_STRING)
        return bad_entry(file, entry->name, "its dtype is missing or not a string");
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, value->string) == 0) {
            entry->spec.dtype = types[i].dtype;
            if (entry->spec.dtype != GT_DTYPE_NONE)
                return true;
            gt_raise(file->object.context, GT_UNSUPPORTED, NULL, NULL,
                     "%s: tensor \"%s\": dtype %s is not supported", file->path,
                     gt_excerpt(name, entry->name, strlen(entry->name)), value->string);
            return false;
        }
    gt_raise(file->object.context, GT_FORMAT, NULL, NULL, "%s: tensor \"%s\": unknown dtype \"%s\"",
             file->path, gt_excerpt(name, entry->name, strlen(entry->name)),
             gt_excerpt(type, value->string, strlen(value->string)));
    return false;
}

static bool read_shape(const gt_TensorFile *file, Entry *entry, const gt_JsonValue *value)
{
    char text[GT_EXCERPT];
    if (!value || value->kind != GT_JSON_ARRAY)
        return bad_entry(file, entry->name, "its shape is missing or not an array");
    if (value->count > GT_MAX_RANK) {
        gt_raise(file->object.context, GT_UNSUPPORTED, NULL, NULL,
                 "%s: tensor \"%s\": expected at most %d dimensions (got %lld)", file->path,
                 gt_excerpt(text, entry->name, strlen(entry->name)), GT_MAX_RANK,
                 (long long)value->count);
        return false;
    }
    entry->spec.rank = (int32_t)value->count;
    int64_t *dim = entry->spec.dims;
    for (const gt_JsonValue *item = gt_json_first(value); item; item = gt_json_next(value, item)) {
        if (item->kind != GT_JSON_INTEGER || item->integer < 0)
            return bad_entry(file, entry->name, "a dimension must be an integer >= 0");
        *dim++ = item->integer;
    }
    if (!gt_spec_resize(&entry->spec))
        return bad_entry(file, entry->name, "its shape is too large");
    return true;
}

static bool read_offsets(const gt_TensorFile *file, Entry *entry, const gt_JsonValue *value)
{
    bool pair = value && value->kind == GT_JSON_ARRAY && value->count == 2;
    const gt_JsonValue *begin = pair ? gt_json_first(value) : NULL;
    const gt_JsonValue *end = pair ? gt_json_next(value, begin) : NULL;
    if (!pair || begin->kind != GT_JSON_INTEGER || end->kind != GT_JSON_INTEGER)
        return bad_entry(file, entry->name, "its data_offsets are not two integers");
    entry->begin = begin->integer;
    entry->end = end->integer;
    if (entry->begin < 0 || entry->end < entry->begin)
        return bad_entry(file, entry->name, "its data_offsets are negative or the wrong way round");
    if ((uint64_t)(entry->end - entry->begin) != gt_spec_bytes(&entry->spec))
        return bad_entry(file, entry->name,
                         "its data_offsets do not span the bytes that shape and dtype need");
    return true;
}

static bool read_entry(const gt_TensorFile *file, Entry *entry, const gt_JsonValue *value)
{
    *entry = (Entry){.name = gt_json_name(value)};
    if (value->kind != GT_JSON_OBJECT)
        return bad_entry(file, entry->name, "it is not described by an object");
    return read_dtype(file, entry, gt_json_member(value, "dtype")) &&
           read_shape(file, entry, gt_json_member(value, "shape")) &&
           read_offsets(file, entry, gt_json_member(value, "data_offsets")) &&
           (value->count == 3 ||
            bad_entry(file, entry->name, "it has more than dtype, shape and data_offsets"));
}

static bool read_metadata(gt_TensorFile *file, const gt_JsonValue *value)
{
    gt_Context *context = file->object.context;
    if (value->kind != GT_JSON_OBJECT)
        return bad_entry(file, METADATA, "it is not an object");
    file->metadata = gt_allocate(context, (size_t)value->count * sizeof *file->metadata);
    if (!file->metadata)
        return false;
    file->metadata_count = value->count;
    gt_MetadataItem *item = file->metadata;
    for (const gt_JsonValue *member = gt_json_first(value); member;
         member = gt_json_next(value, member), item++) {
        if (member->kind != GT_JSON_STRING)
            return bad_entry(file, METADATA, "a value is not a string");
        *item = (gt_MetadataItem){gt_json_name(member), member->string};
    }
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const Entry *x = *(const Entry *const *)a, *y = *(const Entry *const *)b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end); /* an empty tensor before the one it borders on */
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const Entry *const *)a)->name, (*(const Entry *const *)b)->name);
}

/* Every byte of the data belongs to exactly one tensor. */
static bool data_is_covered(gt_TensorFile *file, int64_t data_bytes)
{
    int64_t at = 0;
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, by_offset);
    for (int64_t i = 0; i < file->count; i++) {
        const Entry *entry = file->by_name[i];
        if (entry->begin > at)
            return bad_entry(file, entry->name, "there is a hole in the data before it");
        if (entry->begin < at)
            return bad_entry(file, entry->name, "its data overlaps that of another tensor");
        if (entry->end > data_bytes)
            return bad_entry(file, entry->name, "the file is cut short in its data");
        at = entry->end;
    }
    if (at == data_bytes)
        return true;
    gt_raise(file->object.context, GT_FORMAT, NULL, NULL,
             "%s: %lld bytes follow the data of the last tensor", file->path,
             (long long)(data_bytes - at));
    return false;
}

static bool read_entries(gt_TensorFile *file, const gt_JsonValue *header, int64_t data_bytes)
{
    gt_Context *context = file->object.context;
    const gt_JsonValue *metadata = gt_json_member(header, METADATA);
    if (metadata && !read_metadata(file, metadata))
        return false;
    file->count = header->count - (metadata != NULL);
    file->entry = gt_allocate(context, (size_t)file->count * sizeof *file->entry);
    file->by_name =
        file->entry ? gt_allocate(context, (size_t)file->count * sizeof *file->by_name) : NULL;
    if (!file->by_name)
        return false;
    int64_t i = 0;
    for (const gt_JsonValue *value = gt_json_first(header); value;
         value = gt_json_next(header, value)) {
        if (value == metadata)
            continue;
        if (!read_entry(file, &file->entry[i], value))
            return false;
        file->by_name[i] = &file->entry[i];
        i++;
    }
    GT_ASSERT(i == file->count);
    if (!data_is_covered(file, data_bytes))
        return false;
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, by_name);
    return true;
}

/* A file whose first eight bytes are no length of a header. */
static void refuse_other_format(const gt_TensorFile *file, const unsigned char first[8], uint64_t length)
{
    static const unsigned char zip[] = {'P', 'K', 3, 4}, hdf5[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    gt_Context *context = file->object.context;
    if (memcmp(first, zip, sizeof zip) == 0)
        gt_raise(context, GT_FORMAT, NULL, NULL,
                 "%s: expected a safetensors file (got a zip archive, as Keras's .keras files are)", file->path);
    else if (memcmp(first, hdf5, sizeof hdf5) == 0)
        gt_raise(context, GT_FORMAT, NULL, NULL,
                 "%s: expected a safetensors file (got an HDF5 file, as Keras's .h5 files are)", file->path);
    else
        gt_raise(context, GT_FORMAT, NULL, NULL,
                 "%s: a header of %llu bytes is over the limit of %d; this is hardly a safetensors "
                 "file",
                 file->path, (unsigned long long)length, HEADER_LIMIT);
}

static bool read_header(gt_TensorFile *file, int64_t file_bytes)
{
    gt_Context *context = file->object.context;
    unsigned char length_bytes[8];
    uint64_t length = 0;
    if (file_bytes < 8) {
        gt_raise(context, GT_FORMAT, NULL, NULL, "%s: is too short to be a safetensors file",
                 file->path);
        return false;
    }
    if (!gt_file_read_at(context, file->path, file->descriptor, 0, length_bytes, 8))
        return false;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | length_bytes[i];
    if (length > HEADER_LIMIT) {
        refuse_other_format(file, length_bytes, length);
        return false;
    }
    if ((int64_t)length > file_bytes - 8) {
        gt_raise(context, GT_FORMAT, NULL, NULL, "%s: is cut short in its header", file->path);
        return false;
    }
    file->data = 8 + (int64_t)length;
    file->header_bytes = (size_t)length + 1;
    file->header = gt_allocate(context, file->header_bytes);
    if (!file->header ||
        !gt_file_read_at(context, file->path, file->descriptor, 8, file->header, (size_t)length))
        return false;
    file->header[length] = 0;
    if (file->header[0] != '{') {
        gt_raise(context, GT_FORMAT, NULL, NULL, "%s: the header does not begin with {",
                 file->path);
        return false;
    }
    gt_Json json;
    if (!gt_json_read(context, file->path, file->header, (size_t)length, &json))
        return false;
    bool ok = read_entries(file, json.values, file_bytes - file->data);
    gt_json_release(context, &json);
    return ok;
}

static gt_TensorFile *open_tensors(gt_Context *context, const char *path)
{
    gt_TensorFile *file = gt_object_new(context, &tensor_file_kind, sizeof *file);
    if (!file)
        return NULL;
    int64_t file_bytes = 0;
    file->descriptor = gt_file_open_plain(context, path, &file_bytes);
    if (file->descriptor >= 0) {
        size_t bytes = strlen(path) + 1;
        file->path = gt_allocate(context, bytes);
        if (file->path) {
            file->path_bytes = bytes;
            memcpy(file->path, path, bytes);
            if (read_header(file, file_bytes))
                return file;
        }
    }
    gt_object_release(&file->object);
    return NULL;
}

gt_TensorFile *gt_open_tensors_at(const char *here, const char *path)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "open_tensors");
    gt_TensorFile *file = open_tensors(context, path);
    gt_site_leave(&site);
    return file;
}

void gt_tensor_file_free(gt_TensorFile *file)
{
    gt_object_free("tensor_file_free", file, &tensor_file_kind);
}

/* ---- looking into it ---- */

static gt_Context *enter_file(const char *here, const char *operation, const gt_TensorFile *file)
{
    gt_Context *context = gt_enter();
    return context && gt_object_check(context, here, operation, file, &tensor_file_kind) ? context
                                                                                         : NULL;
}

static const Entry *find_entry(const char *here, const char *operation, const gt_TensorFile *file,
                               int64_t index)
{
    gt_Context *context = enter_file(here, operation, file);
    if (!context)
        return NULL;
    if (index >= 0 && index < file->count)
        return &file->entry[index];
    gt_raise(context, GT_INVALID, here, operation,
             "index %lld is out of range: %s has %lld tensors", (long long)index, file->path,
             (long long)file->count);
    return NULL;
}

int64_t gt_tensor_file_count_at(const char *here, const gt_TensorFile *file)
{
    return enter_file(here, "tensor_file_count", file) ? file->count : -1;
}

const char *gt_tensor_file_name_at(const char *here, const gt_TensorFile *file, int64_t index)
{
    const Entry *entry = find_entry(here, "tensor_file_name", file, index);
    return entry ? entry->name : "";
}

gt_Spec gt_tensor_file_spec_at(const char *here, const gt_TensorFile *file, int64_t index)
{
    const gt_Spec none = {0};
    const Entry *entry = find_entry(here, "tensor_file_spec", file, index);
    return entry ? entry->spec : none;
}

int64_t gt_tensor_file_find_at(const char *here, const gt_TensorFile *file, const char *name)
{
    if (!enter_file(here, "tensor_file_find", file) || !name)
        return -1;
    const Entry key = {.name = name}, *wanted = &key;
    const Entry **found = file->count ? bsearch(&wanted, file->by_name, (size_t)file->count,
                                                sizeof *file->by_name, by_name)
                                      : NULL;
    return found ? *found - file->entry : -1;
}

int64_t gt_tensor_file_metadata_count_at(const char *here, const gt_TensorFile *file)
{
    return enter_file(here, "tensor_file_metadata_count", file) ? file->metadata_count : -1;
}

gt_MetadataItem gt_tensor_file_metadata_pair_at(const char *here, const gt_TensorFile *file,
                                                int64_t index)
{
    const gt_MetadataItem none = {"", ""};
    gt_Context *context = enter_file(here, "tensor_file_metadata_pair", file);
    if (!context)
        return none;
    if (index >= 0 && index < file->metadata_count)
        return file->metadata[index];
    gt_raise(context, GT_INVALID, here, "tensor_file_metadata_pair",
             "index %lld is out of range: %s has %lld pairs", (long long)index, file->path,
             (long long)file->metadata_count);
    return none;
}

const char *gt_tensor_file_metadata_at(const char *here, const gt_TensorFile *file, const char *key)
{
    if (!enter_file(here, "tensor_file_metadata", file) || !key)
        return NULL;
    for (int64_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

/* ---- the numbers ---- */

/* A bool byte that is neither 0 nor 1 would be a number that no operation can make. */
static bool bools_are_bools(const unsigned char *data, size_t count)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= data[i];
    return bits <= 1;
}

static bool read_numbers(const gt_TensorFile *file, const Entry *entry, void *into)
{
    size_t bytes = gt_spec_bytes(&entry->spec);
    if (!gt_file_read_at(file->object.context, file->path, file->descriptor,
                         file->data + entry->begin, into, bytes))
        return false;
    if (gt_big_endian()) {
        size_t parts = entry->spec.dtype == GT_COMPLEX64 ? 2 : 1;
        gt_swap_bytes(into, (size_t)entry->spec.size * parts,
                      gt_dtype_size(entry->spec.dtype) / parts);
    }
    if (entry->spec.dtype == GT_BOOL && !bools_are_bools(into, bytes))
        return bad_entry(file, entry->name, "a BOOL is neither 0 nor 1");
    return true;
}

gt_Status gt_tensor_file_load_into_at(const char *here, const gt_TensorFile *file, int64_t index,
                                      void *into, size_t bytes)
{
    char text[GT_EXCERPT];
    const Entry *entry = find_entry(here, "tensor_file_load_into", file, index);
    if (!entry)
        return gt_status();
    gt_Context *context = file->object.context;
    size_t needed = gt_spec_bytes(&entry->spec);
    if (bytes != needed || (!into && needed > 0))
        return gt_raise(context, GT_INVALID, here, "tensor_file_load_into",
                        "%s: tensor \"%s\" needs %zu bytes (got %s%zu)", file->path,
                        gt_excerpt(text, entry->name, strlen(entry->name)), needed,
                        into ? "" : "NULL and ", bytes);
    gt_Site site = gt_site_enter(here, "tensor_file_load_into");
    if (needed > 0)
        read_numbers(file, entry, into);
    gt_site_leave(&site);
    return gt_context_status(context);
}

static gt_Tensor *load(const gt_TensorFile *file, const Entry *entry)
{
    gt_Context *context = file->object.context;
    char name[GT_EXCERPT];
    void *data;
    if (!gt_storable(entry->spec.dtype)) {
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                 "%s: tensor \"%s\": dtype %s is not supported; gt_tensor_file_load_into gives the "
                 "bytes",
                 file->path, gt_excerpt(name, entry->name, strlen(entry->name)),
                 gt_dtype_name(entry->spec.dtype));
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(context, &entry->spec, &data);
    if (!tensor || read_numbers(file, entry, data))
        return tensor;
    gt_tensor_free(context, tensor);
    return NULL;
}

gt_Tensor *gt_tensor_file_load_at(const char *here, const gt_TensorFile *file, int64_t index)
{
    const Entry *entry = find_entry(here, "tensor_file_load", file, index);
    if (!entry)
        return NULL;
    gt_Site site = gt_site_enter(here, "tensor_file_load");
    gt_Tensor *tensor = load(file, entry);
    gt_site_leave(&site);
    return tensor;
}

gt_Tensor *gt_tensor_file_load_named_at(const char *here, const gt_TensorFile *file,
                                        const char *name)
{
    char text[GT_EXCERPT];
    gt_Context *context = enter_file(here, "tensor_file_load_named", file);
    if (!context)
        return NULL;
    int64_t index = gt_tensor_file_find(file, name);
    if (index < 0) {
        gt_raise(context, GT_INVALID, here, "tensor_file_load_named",
                 "%s: has no tensor \"%s\" among its %lld", file->path,
                 name ? gt_excerpt(text, name, strlen(name)) : "NULL", (long long)file->count);
        return NULL;
    }
    gt_Site site = gt_site_enter(here, "tensor_file_load_named");
    gt_Tensor *tensor = load(file, &file->entry[index]);
    gt_site_leave(&site);
    return tensor;
}

/* ---- writing ---- */

/* One tensor to be written. */
typedef struct Item {
    const char *name;
    const gt_Tensor *tensor;
    size_t element;
    int64_t begin;
} Item;

typedef struct Saving {
    gt_Context *context;
    const char *path;
    int32_t count;
    Item *item;          /* in the order given */
    const char **sorted; /* names, then keys of the metadata */
    const gt_Metadata *metadata;
    gt_Bytes header;
} Saving;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the names, and sees whether one is there twice. */
static bool check_names(const Saving *saving, const char *what, int32_t count)
{
    char text[GT_EXCERPT];
    const char **name = saving->sorted;
    qsort(name, (size_t)count, sizeof *name, by_text);
    for (int32_t i = 1; i < count; i++)
        if (strcmp(name[i - 1], name[i]) == 0) {
            gt_raise(saving->context, GT_INVALID, NULL, NULL, "%s: the %s \"%s\" is given twice",
                     saving->path, what, gt_excerpt(text, name[i], strlen(name[i])));
            return false;
        }
    return true;
}

static bool check_text(const Saving *saving, const char *what, int32_t index, const char *text)
{
    for (size_t left = text ? strlen(text) : 0, n; left > 0; text += n, left -= n) {
        n = gt_utf8_length(text, left);
        if (n == 0) {
            gt_raise(saving->context, GT_INVALID, NULL, NULL, "%s: the %s of item %d is not UTF-8",
                     saving->path, what, (int)index);
            return false;
        }
    }
    if (!text)
        gt_raise(saving->context, GT_INVALID, NULL, NULL, "%s: the %s of item %d is NULL",
                 saving->path, what, (int)index);
    return text != NULL;
}

gt_NamedTensors gt_named_tensors_list(const gt_NamedTensor *items)
{
    int32_t count = 0;
    while (items[count].name || items[count].tensor != GT_LIST_END)
        count++;
    return (gt_NamedTensors){items, count};
}

gt_Metadata gt_metadata_list(const gt_MetadataItem *items)
{
    int32_t count = 0;
    while (items[count].key || items[count].value != GT_LIST_END)
        count++;
    return (gt_Metadata){items, count};
}

static bool check_tensors(const Saving *saving, gt_NamedTensors tensors)
{
    for (int32_t i = 0; i < saving->count; i++) {
        const gt_NamedTensor *given = &tensors.items[i];
        char what[GT_EXCERPT + 16], name[GT_EXCERPT];
        if (!check_text(saving, "name", i, given->name))
            return false;
        if (strcmp(given->name, METADATA) == 0) {
            gt_raise(saving->context, GT_INVALID, NULL, NULL,
                     "%s: the name " METADATA " is reserved by the format", saving->path);
            return false;
        }
        snprintf(what, sizeof what, "the tensor \"%s\"",
                 gt_excerpt(name, given->name, strlen(given->name)));
        const gt_Spec *spec = gt_tensor_check(saving->context, NULL, NULL, what, given->tensor);
        if (!spec ||
            (!gt_data_at(NULL, given->tensor) && gt_context_status(saving->context) != GT_OK))
            return false;
        saving->item[i] = (Item){given->name, given->tensor, gt_dtype_size(spec->dtype), 0};
        saving->sorted[i] = given->name;
    }
    return check_names(saving, "name", saving->count);
}

static bool check_metadata(const Saving *saving)
{
    for (int32_t i = 0; i < saving->metadata->count; i++) {
        const gt_MetadataItem *item = &saving->metadata->items[i];
        if (!check_text(saving, "metadata key", i, item->key) ||
            !check_text(saving, "metadata value", i, item->value))
            return false;
        saving->sorted[i] = item->key;
    }
    return check_names(saving, "metadata key", saving->metadata->count);
}

/* The numbers lie in the order of their element size, largest first, so that each tensor is aligned
 * to its own: no tensor can pad the next one, the format has no holes. */
static void lay_out(const Saving *saving)
{
    int64_t at = 0;
    for (size_t element = 16; element > 0; element /= 2)
        for (int32_t i = 0; i < saving->count; i++)
            if (saving->item[i].element == element) {
                saving->item[i].begin = at;
                at += (int64_t)gt_spec_bytes(gt_tensor_spec(saving->item[i].tensor));
            }
}

static const char *type_name(gt_DType dtype)
{
    size_t i = 0;
    while (types[i].dtype != dtype)
        i++;
    return types[i].name;
}

static bool put_entry(Saving *saving, const Item *item)
{
    gt_Context *context = saving->context;
    gt_Bytes *out = &saving->header;
    const gt_Spec *spec = gt_tensor_spec(item->tensor);
    bool ok = gt_json_put_string(context, out, item->name) &&
              gt_json_put(context, out, ":{\"dtype\":\"%s\",\"shape\":[", type_name(spec->dtype));
    for (int i = 0; ok && i < spec->rank; i++)
        ok = gt_json_put(context, out, "%s%lld", i ? "," : "", (long long)spec->dims[i]);
    return ok &&
           gt_json_put(context, out, "],\"data_offsets\":[%lld,%lld]}", (long long)item->begin,
                       (long long)(item->begin + (int64_t)gt_spec_bytes(spec)));
}

static bool put_metadata(Saving *saving)
{
    gt_Context *context = saving->context;
    gt_Bytes *out = &saving->header;
    bool ok = gt_json_put(context, out, "\"" METADATA "\":{");
    for (int32_t i = 0; ok && i < saving->metadata->count; i++) {
        const gt_MetadataItem *item = &saving->metadata->items[i];
        ok = (i == 0 || gt_json_put(context, out, ",")) &&
             gt_json_put_string(context, out, item->key) && gt_json_put(context, out, ":") &&
             gt_json_put_string(context, out, item->value);
    }
    return ok && gt_json_put(context, out, "}");
}

/* The eight bytes of its length included. Spaces fill it up, so that the data begins aligned. */
static bool make_header(Saving *saving)
{
    gt_Context *context = saving->context;
    gt_Bytes *out = &saving->header;
    bool some = saving->metadata->count > 0;
    bool ok = gt_json_put(context, out, "        {") && (!some || put_metadata(saving));
    for (int32_t i = 0; ok && i < saving->count; i++) {
        ok = (!some || gt_json_put(context, out, ",")) && put_entry(saving, &saving->item[i]);
        some = true;
    }
    ok = ok && gt_json_put(context, out, "}");
    while (ok && out->size % 8 != 0)
        ok = gt_json_put(context, out, " ");
    if (!ok)
        return false;
    uint64_t length = out->size - 8;
    if (length > HEADER_LIMIT) {
        gt_raise(context, GT_UNSUPPORTED, NULL, NULL,
                 "%s: names and metadata need a header of %llu bytes; the format's limit is %d",
                 saving->path, (unsigned long long)length, HEADER_LIMIT);
        return false;
    }
    for (int i = 0; i < 8; i++)
        out->data[i] = (char)(length >> (8 * i) & 0xff);
    return true;
}

static bool write_numbers(gt_FileWriter *writer, const Item *item)
{
    const char *data = gt_tensor_data(item->tensor);
    size_t bytes = gt_spec_bytes(gt_tensor_spec(item->tensor));
    if (!gt_big_endian())
        return gt_file_write(writer, data, bytes);
    char piece[4096];
    for (size_t at = 0; at < bytes; at += sizeof piece) {
        size_t n = bytes - at < sizeof piece ? bytes - at : sizeof piece;
        memcpy(piece, data + at, n);
        gt_swap_bytes(piece, n / item->element, item->element);
        if (!gt_file_write(writer, piece, n))
            return false;
    }
    return true;
}

static bool write_file(const Saving *saving)
{
    gt_FileWriter writer;
    if (!gt_file_create(saving->context, &writer, saving->path))
        return false;
    bool ok = gt_file_write(&writer, saving->header.data, saving->header.size);
    for (size_t element = 16; element > 0; element /= 2)
        for (int32_t i = 0; ok && i < saving->count; i++)
            if (saving->item[i].element == element)
                ok = write_numbers(&writer, &saving->item[i]);
    if (ok)
        return gt_file_commit(&writer) == GT_OK;
    gt_file_discard(&writer);
    return false;
}

/* Who meets a file that ends so takes it for one of Keras's. NULL: it ends otherwise. */
static const char *ending_of_keras(const char *path)
{
    static const char *const endings[] = {".keras", ".h5", ".hdf5"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length >= n && strcmp(path + length - n, endings[i]) == 0)
            return endings[i];
    }
    return NULL;
}

static void save_tensors(gt_Context *context, const char *path, gt_NamedTensors tensors,
                         const gt_Metadata *metadata)
{
    int32_t names = tensors.count > metadata->count ? tensors.count : metadata->count;
    Saving saving = {
        .context = context, .path = path, .count = tensors.count, .metadata = metadata};
    if (!path) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the path is NULL");
        return;
    }
    if (tensors.count < 0 || metadata->count < 0 || (tensors.count > 0 && !tensors.items) ||
        (metadata->count > 0 && !metadata->items)) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the list of tensors or metadata is NULL or of negative length");
        return;
    }
    if (ending_of_keras(path)) {
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: the name must not end in %s, as Keras's files do: this is a safetensors file",
                 path, ending_of_keras(path));
        return;
    }
    size_t item_bytes = (size_t)tensors.count * sizeof *saving.item;
    size_t sorted_bytes = (size_t)names * sizeof *saving.sorted;
    saving.item = gt_allocate(context, item_bytes);
    saving.sorted = saving.item ? gt_allocate(context, sorted_bytes) : NULL;
    if (saving.sorted && check_tensors(&saving, tensors) && check_metadata(&saving)) {
        lay_out(&saving);
        if (make_header(&saving))
            write_file(&saving);
    }
    gt_release(context, saving.item, item_bytes);
    gt_release(context, saving.sorted, sorted_bytes);
    gt_bytes_release(context, &saving.header);
}

GT_OPTION_TYPE(gt_save_tensors_options, gt_save_tensors_OPTIONS);

gt_Status gt_save_tensors_at(const char *here, const char *path, gt_NamedTensors tensors,
                             const gt_save_tensors_options *given)
{
    gt_save_tensors_options options;
    GT_TAKE(gt_save_tensors_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    gt_Site site = gt_site_enter(here, "save_tensors");
    save_tensors(context, path, tensors, &options.metadata);
    gt_site_leave(&site);
    return gt_context_status(context);
}
