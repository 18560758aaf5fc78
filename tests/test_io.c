/* File formats: what is written reads back the same; what is broken is refused with a message that
 * names the file and the reason, and the context goes on working; no lack of memory or disk loses
 * anything. All files are made here, in a folder of their own. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/context.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/idx.h"
#include "io/lines.h"
#include "io/json.h"
#include "io/number.h"
#include "io/safetensors.h"
#include "tests/budget.h"
#include "tests/leaks.h"

#ifdef GT_HAVE_ZLIB
#include <zlib.h>
#endif

/* ---- a folder for the files of one test ---- */

static char folder[64], file_path[512];

static void open_folder(void)
{
    strcpy(folder, "/tmp/gradtape-io-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL, "no temporary folder");
}

static const char *in_folder(const char *name)
{
    snprintf(file_path, sizeof file_path, "%s/%s", folder, name);
    return file_path;
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *list = opendir(folder);
    while (list && readdir(list))
        count++;
    if (list)
        closedir(list);
    return count - 2;
}

static void close_folder(void)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.')
            unlink(in_folder(entry->d_name));
    if (list)
        closedir(list);
    rmdir(folder);
    gt_context_free(NULL);
}

static const char *put_file(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    cr_assert(file && fwrite(data, 1, size, file) == size, "cannot make %s", file_path);
    fclose(file);
    return file_path;
}

static const char *put_text(const char *name, const char *text)
{
    return put_file(name, text, strlen(text));
}

static size_t get_file(const char *path, char *into, size_t size)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s is not there", path);
    size_t n = fread(into, 1, size, file);
    fclose(file);
    return n;
}

/* The call failed as it should: `result` is nothing, the message names all of `parts`, and after
 * clearing the context works. */
static void refused(bool nothing, gt_Status status, const char *path, const char *reason)
{
    cr_assert(nothing, "%s: expected to fail: %s", path, reason);
    cr_assert(gt_status() == status, "%s: %s: status %s: %s", path, reason,
              gt_status_text(gt_status()), gt_error_message());
    cr_assert(strstr(gt_error_message(), path), "the path %s is not in: %s", path,
              gt_error_message());
    cr_assert(strstr(gt_error_message(), reason), "'%s' is not in: %s", reason, gt_error_message());
    cr_assert(strstr(gt_error_message(), __FILE__ ":"), "no call site in: %s", gt_error_message());
    gt_error_clear();
    gt_Scope *scope = gt_scope_begin();
    cr_assert(gt_item(gt_scalar(3, GT_FLOAT32)) == 3, "the context does not work any more");
    gt_scope_end(scope);
}

static void no_error(const char *where)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", where, gt_error_message());
}

static bool same_tensor(const gt_Tensor *a, const gt_Tensor *b)
{
    gt_Spec x = gt_spec(a), y = gt_spec(b);
    return x.dtype == y.dtype && gt_shape_equal(gt_tensor_shape(a), gt_tensor_shape(b)) &&
           memcmp(gt_data(a), gt_data(b), (size_t)x.size * gt_dtype_size(x.dtype)) == 0;
}

/* A tensor of that type and shape with numbers in it: bytes for the rest, 0 and 1 for bool. */
static gt_Tensor *some_tensor(gt_DType dtype, gt_Shape shape, unsigned seed)
{
    static unsigned char bytes[65536];
    for (size_t i = 0; i < sizeof bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(dtype == GT_BOOL ? seed >> 31 : seed >> 24);
    }
    return gt_from_data(bytes, shape, dtype);
}

/* ---- safetensors ---- */

static const gt_DType own_types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32, GT_INT64, GT_UINT8, GT_BOOL};
enum { OWN_TYPES = 6, SHAPES = 12, ALL = OWN_TYPES * SHAPES };

static void make_all(gt_NamedTensor items[ALL], char names[ALL][40])
{
    static const int64_t dims[SHAPES][GT_MAX_RANK] = {
        {1},    {5},       {2, 3}, {2, 1, 3},          {1, 2, 1, 2},
        {2, 2}, {1, 1, 7}, {0},    {1, 1, 1, 1, 1, 1}, {2, 1, 2, 1, 2, 1, 1, 3},
        {3, 0}, {0, 4, 0},
    };
    static const int ranks[SHAPES] = {0, 1, 2, 3, 4, 5, 7, 1, 6, 8, 2, 3};
    for (int t = 0; t < OWN_TYPES; t++)
        for (int s = 0; s < SHAPES; s++) {
            int64_t some[GT_MAX_RANK];
            for (int i = 0; i < GT_MAX_RANK; i++)
                some[i] = dims[s][i] || s == 7 || s >= 10 ? dims[s][i] : 1;
            int k = t * SHAPES + s;
            snprintf(names[k], 40, "%s/%d \"\\\t\xc3\xa9\xf0\x9f\x98\x80",
                     gt_dtype_name(own_types[t]), s);
            items[k].name = names[k];
            items[k].tensor = some_tensor(own_types[t], gt_shape_of(ranks[s], some), (unsigned)k);
        }
}

Test(io, safetensors_round_trip, .init = open_folder, .fini = close_folder)
{
    gt_NamedTensor items[ALL];
    char names[ALL][40], path[128];
    static char first[65536], second[65536];
    gt_Scope *scope = gt_scope_begin();
    make_all(items, names);
    no_error("making tensors");
    strcpy(path, in_folder("all"));
    gt_NamedTensors all = {items, ALL};
    gt_save_tensors(path, all,
                    .metadata = gt_metadata({"epoch", "12"}, {"", "\n\"\\ \xe2\x82\xac"}));
    no_error("saving");
    size_t bytes = get_file(path, first, sizeof first);
    gt_save_tensors(path, all,
                    .metadata = gt_metadata({"epoch", "12"}, {"", "\n\"\\ \xe2\x82\xac"}));
    cr_assert(get_file(path, second, sizeof second) == bytes && memcmp(first, second, bytes) == 0,
              "the same tensors give other bytes");
    cr_assert(files_in_folder() == 1, "something was left beside the file");

    gt_TensorFile *file = gt_open_tensors(path);
    no_error("opening");
    cr_assert(gt_tensor_file_count(file) == ALL, "%lld tensors",
              (long long)gt_tensor_file_count(file));
    for (int64_t i = 0; i < ALL; i++) {
        gt_Spec spec = gt_tensor_file_spec(file, i);
        cr_assert(strcmp(gt_tensor_file_name(file, i), names[i]) == 0, "name %lld is %s",
                  (long long)i, gt_tensor_file_name(file, i));
        cr_assert(gt_tensor_file_find(file, names[i]) == i, "%s is not found", names[i]);
        cr_assert(spec.dtype == gt_dtype(items[i].tensor) && spec.size == gt_size(items[i].tensor),
                  "%s has another spec", names[i]);
        cr_assert(same_tensor(gt_tensor_file_load(file, i), items[i].tensor), "%s differs",
                  names[i]);
        cr_assert(same_tensor(gt_tensor_file_load_named(file, names[i]), items[i].tensor),
                  "%s differs", names[i]);
    }
    cr_assert(gt_tensor_file_find(file, "nothing") == -1 && gt_tensor_file_find(file, NULL) == -1,
              "found what is not there");
    cr_assert(gt_tensor_file_metadata_count(file) == 2, "two pairs of metadata were saved");
    cr_assert(strcmp(gt_tensor_file_metadata(file, "epoch"), "12") == 0, "metadata epoch");
    cr_assert(strcmp(gt_tensor_file_metadata_pair(file, 1).value, "\n\"\\ \xe2\x82\xac") == 0,
              "metadata of the empty key");
    cr_assert(gt_tensor_file_metadata(file, "none") == NULL, "metadata that is not there");
    no_error("asking for what is not there");

    double two[2] = {0};
    int64_t shape5 = gt_tensor_file_find(file, names[1]);
    refused(gt_tensor_file_load_into(file, shape5, two, sizeof two) != GT_OK, GT_INVALID, path,
            "needs 20 bytes (got 16)");
    float five[5];
    cr_assert(gt_tensor_file_load_into(file, shape5, five, sizeof five) == GT_OK,
              "reading into memory");
    cr_assert(memcmp(five, gt_data(items[1].tensor), sizeof five) == 0, "other numbers in memory");
    refused(!gt_tensor_file_load_named(file, "none"), GT_INVALID, path, "no tensor \"none\"");
    refused(!gt_tensor_file_load(file, ALL), GT_INVALID, path, "index 72 is out of range");
    refused(!gt_tensor_file_load(file, -1), GT_INVALID, path, "index -1 is out of range");
    cr_assert(!*gt_tensor_file_name(file, 99) && gt_status() == GT_INVALID, "name 99");
    gt_error_clear();
    cr_assert(!*gt_tensor_file_metadata_pair(file, 2).key && gt_status() == GT_INVALID, "pair 2");
    gt_error_clear();

    /* the file may be replaced while it is open: the open one is the old one */
    gt_Tensor *one = gt_array(gt_shape(1), 1);
    gt_save_tensors(path, gt_named_tensors({"one", one}));
    cr_assert(same_tensor(gt_tensor_file_load(file, 3), items[3].tensor), "replaced under way");
    gt_tensor_file_free(file);
    gt_tensor_file_free(file);
    gt_tensor_file_free(NULL);
    cr_assert(gt_tensor_file_count(file) == -1 && gt_status() == GT_STALE, "a freed file");
    gt_error_clear();
    cr_assert(gt_tensor_file_count(NULL) == -1 && gt_status() == GT_INVALID, "a NULL file");
    gt_error_clear();

    gt_save_tensors(in_folder("none"), ((gt_NamedTensors){NULL, 0}));
    file = gt_open_tensors(in_folder("none"));
    cr_assert(gt_tensor_file_count(file) == 0 && gt_tensor_file_metadata_count(file) == 0 &&
                  gt_tensor_file_find(file, "a") == -1,
              "an empty file: %s", gt_error_message());
    gt_scope_end(scope);
    no_error("end"); /* the file is still open: the context closes it */
}

/* Expects: dtype, alignment in the file as the format's users want it. */
Test(io, safetensors_bytes, .init = open_folder, .fini = close_folder)
{
    static char bytes[1024];
    gt_Scope *scope = gt_scope_begin();
    const uint8_t flag[3] = {1, 0, 1};
    gt_Tensor *a = gt_from_data(flag, gt_shape(3), GT_BOOL);
    gt_Tensor *b = gt_array(gt_shape(2), 1, -2);
    gt_save_tensors(in_folder("t"), gt_named_tensors({"a", a}, {"b", b}),
                    .metadata = gt_metadata({"k", "v"}));
    no_error("saving");
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"BOOL\",\"shape\":[3],"
        "\"data_offsets\":[8,11]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    static const char data[] = "\0\0\x80\x3f\0\0\0\xc0\1\0\1";
    size_t length = (sizeof header - 1 + 7) / 8 * 8, n = get_file(file_path, bytes, sizeof bytes);
    cr_assert(n == 8 + length + 11, "%zu bytes", n);
    cr_assert((unsigned char)bytes[0] == length && bytes[1] == 0, "length of the header");
    cr_assert(memcmp(bytes + 8, header, sizeof header - 1) == 0, "header: %.200s", bytes + 8);
    for (size_t i = sizeof header - 1; i < length; i++)
        cr_assert(bytes[8 + i] == ' ', "the header is filled with spaces");
    cr_assert(memcmp(bytes + 8 + length, data, 11) == 0, "data");

    /* what cannot be saved; the old file stays */
    const char *path = in_folder("t");
    refused(gt_save_tensors(path, gt_named_tensors({"a", a}, {"a", b})), GT_INVALID, path,
            "\"a\" is given twice");
    refused(gt_save_tensors(path, gt_named_tensors({"__metadata__", a})), GT_INVALID, path,
            "reserved by the format");
    refused(gt_save_tensors(path, gt_named_tensors({"\xff", a})), GT_INVALID, path, "not UTF-8");
    refused(gt_save_tensors(path, gt_named_tensors({NULL, a})), GT_INVALID, path,
            "name of item 0 is NULL");
    refused(gt_save_tensors(path, gt_named_tensors({"a", a}), .metadata = gt_metadata({"k", NULL})),
            GT_INVALID, path, "metadata value of item 0 is NULL");
    refused(gt_save_tensors(path, gt_named_tensors({"a", a}),
                            .metadata = gt_metadata({"k", ""}, {"k", ""})),
            GT_INVALID, path, "metadata key \"k\" is given twice");
    refused(gt_save_tensors(path, gt_named_tensors({"a", NULL})), GT_INVALID, "",
            "the tensor \"a\" is NULL");
    refused(gt_save_tensors(path, ((gt_NamedTensors){NULL, 2})), GT_INVALID, "", "list of tensors");
    refused(gt_save_tensors(NULL, gt_named_tensors({"a", a})), GT_INVALID, "", "path is NULL");
    refused(gt_save_tensors("", gt_named_tensors({"a", a})), GT_INVALID, "", "path is empty");
    refused(gt_save_tensors(folder, gt_named_tensors({"a", a})), GT_IO, folder,
            "not a regular file");
    refused(gt_save_tensors("/nowhere/x", gt_named_tensors({"a", a})), GT_IO, "/nowhere/x",
            "No such file or directory");
    gt_Scope *inner = gt_scope_begin();
    gt_Tensor *stale = gt_array(gt_shape(1), 1);
    gt_scope_end(inner);
    refused(gt_save_tensors(path, gt_named_tensors({"old", stale})), GT_STALE, "",
            "the tensor \"old\" was used after its scope");
    gt_fail(GT_INVALID, "pending");
    cr_assert(gt_save_tensors(path, gt_named_tensors({"a", a})) == GT_INVALID, "a pending error");
    cr_assert(!gt_open_tensors(path), "a pending error");
    gt_error_clear();
    cr_assert(get_file(path, bytes, sizeof bytes) == n, "the old file is gone");
    cr_assert(files_in_folder() == 1, "a temporary file was left");

    /* a full disk: the limit on file sizes stands for it */
    struct rlimit before, small;
    gt_Tensor *large = some_tensor(GT_FLOAT32, gt_shape(1000), 1);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){64, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    refused(gt_save_tensors(path, gt_named_tensors({"large", large})), GT_IO, path,
            "cannot be written: File too large");
    refused(gt_save_csv(path, large), GT_IO, path, "File too large");
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    cr_assert(get_file(path, bytes, sizeof bytes) == n, "the old file is gone");
    cr_assert(files_in_folder() == 1, "a temporary file was left");
    gt_scope_end(scope);
}

typedef struct Broken {
    const char *reason, *header;
    int data; /* bytes that follow */
    gt_Status status;
} Broken;

#define T(name, dtype, shape, offsets)                                                             \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const Broken broken[] = {
    {"does not begin with {", " {}", 0, GT_FORMAT},
    {"does not begin with {", "[]", 0, GT_FORMAT},
    {"does not begin with {", "", 0, GT_FORMAT},
    {"cut short", "{", 0, GT_FORMAT},
    {"something follows", "{}x", 0, GT_FORMAT},
    {"not UTF-8", "{\"\xc3\":{}}", 0, GT_FORMAT},
    {"comes twice", "{" T("a", "U8", "[1]", "[0,1]") "," T("a", "U8", "[1]", "[1,2]") "}", 2,
     GT_FORMAT},
    {"comes twice", "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0, GT_FORMAT},
    {"comes twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, GT_FORMAT},
    {"follow the data", "{}", 1, GT_FORMAT},
    {"follow the data", "{" T("a", "F32", "[2]", "[0,8]") "}", 9, GT_FORMAT},
    {"cut short in its data", "{" T("a", "F32", "[2]", "[0,8]") "}", 7, GT_FORMAT},
    {"hole", "{" T("a", "U8", "[1]", "[1,2]") "}", 2, GT_FORMAT},
    {"hole", "{" T("a", "U8", "[1]", "[0,1]") "," T("b", "U8", "[1]", "[2,3]") "}", 3, GT_FORMAT},
    {"overlaps", "{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[1,3]") "}", 3,
     GT_FORMAT},
    {"overlaps", "{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[0,2]") "}", 2,
     GT_FORMAT},
    {"overlaps", "{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[0]", "[1,1]") "}", 2,
     GT_FORMAT},
    {"do not span", "{" T("a", "F32", "[2]", "[0,4]") "}", 4, GT_FORMAT},
    {"do not span", "{" T("a", "F32", "[0]", "[0,4]") "}", 4, GT_FORMAT},
    {"do not span", "{" T("a", "F32", "[3,4294967296]", "[0,8]") "}", 8, GT_FORMAT},
    {"too large", "{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, GT_FORMAT},
    {"too large", "{" T("a", "U8", "[9223372036854775807]", "[0,0]") "}", 0, GT_FORMAT},
    {"not fit into 64 bits", "{" T("a", "U8", "[9223372036854775808]", "[0,0]") "}", 0, GT_FORMAT},
    {"wrong way round", "{" T("a", "U8", "[1]", "[1,0]") "}", 1, GT_FORMAT},
    {"negative", "{" T("a", "U8", "[1]", "[-1,0]") "}", 1, GT_FORMAT},
    {"two integers", "{" T("a", "U8", "[1]", "[0]") "}", 1, GT_FORMAT},
    {"two integers", "{" T("a", "U8", "[1]", "[0,1,2]") "}", 1, GT_FORMAT},
    {"two integers", "{" T("a", "U8", "[1]", "[0,1.0]") "}", 1, GT_FORMAT},
    {"two integers", "{" T("a", "U8", "[1]", "null") "}", 1, GT_FORMAT},
    {"an integer >= 0", "{" T("a", "U8", "[-1]", "[0,1]") "}", 1, GT_FORMAT},
    {"an integer >= 0", "{" T("a", "U8", "[1e0]", "[0,1]") "}", 1, GT_FORMAT},
    {"an integer >= 0", "{" T("a", "U8", "[\"1\"]", "[0,1]") "}", 1, GT_FORMAT},
    {"shape is missing", "{" T("a", "U8", "1", "[0,1]") "}", 1, GT_FORMAT},
    {"shape is missing", "{\"a\":{\"dtype\":\"U8\"}}", 0, GT_FORMAT},
    {"dtype is missing", "{\"a\":{\"shape\":[]}}", 0, GT_FORMAT},
    {"dtype is missing", "{\"a\":{\"dtype\":8}}", 0, GT_FORMAT},
    {"not described", "{\"a\":[]}", 0, GT_FORMAT},
    {"more than dtype", "{\"a\":{\"x\":0,\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
     0, GT_FORMAT},
    {"unknown dtype \"f32\"", "{" T("a", "f32", "[0]", "[0,0]") "}", 0, GT_FORMAT},
    {"unknown dtype \"F32?\"", "{" T("a", "F32\\n", "[0]", "[0,0]") "}", 0, GT_FORMAT},
    {"dtype F8_E4M3", "{" T("a", "F8_E4M3", "[1]", "[0,1]") "}", 1, GT_UNSUPPORTED},
    {"at most 8 dimensions (got 9)", "{" T("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, GT_UNSUPPORTED},
    {"not an object", "{\"__metadata__\":[]}", 0, GT_FORMAT},
    {"not a string", "{\"__metadata__\":{\"a\":1}}", 0, GT_FORMAT},
    {"U+0000", "{\"a\\u0000b\":{}}", 0, GT_FORMAT},
};

static const char *put_safetensors(const char *header, size_t length, int data)
{
    static char bytes[4096];
    memset(bytes, 0, sizeof bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, strlen(header));
    return put_file("broken.safetensors", bytes, 8 + strlen(header) + (size_t)data);
}

/* A file of this format under a name of Keras's would be taken for one of Keras's. */
Test(io, safetensors_under_names_of_keras, .init = open_folder, .fini = close_folder)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_array(gt_shape(2), 1, 2);
    static const char *const names[] = {"m.keras", "m.weights.h5", "m.hdf5"};
    for (int i = 0; i < 3; i++) {
        const char *path = in_folder(names[i]);
        refused(gt_save_tensors(path, gt_named_tensors({"a", a})) != GT_OK, GT_INVALID, path,
                "the name must not end in .");
        refused(!gt_open_tensors(path), GT_IO, path, "No such file or directory");
    }
    gt_save_tensors(in_folder("keras"), gt_named_tensors({"a", a}));
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_scope_end(scope);
}

Test(io, safetensors_broken, .init = open_folder, .fini = close_folder)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const char *path =
            put_safetensors(broken[i].header, strlen(broken[i].header), broken[i].data);
        refused(!gt_open_tensors(path), broken[i].status, path, broken[i].reason);
    }
    refused(!gt_open_tensors(put_text("short", "")), GT_FORMAT, in_folder("short"), "too short");
    refused(!gt_open_tensors(put_text("short", "1234567")), GT_FORMAT, in_folder("short"),
            "too short");
    const char *path = put_safetensors("{}", 3, 0);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "cut short in its header");
    put_safetensors("{}", 100000000, 0);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "cut short in its header");
    put_safetensors("{}", 100000001, 0);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "over the limit of 100000000");
    put_safetensors("{}", SIZE_MAX, 0);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "over the limit");
    path = put_file("broken.keras", "PK\3\4\24\0\0\0\0\0", 10);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "got a zip archive, as Keras's .keras files are");
    path = put_file("broken.h5", "\211HDF\r\n\032\n\0\0", 10);
    refused(!gt_open_tensors(path), GT_FORMAT, path, "got an HDF5 file, as Keras's .h5 files are");
    refused(!gt_open_tensors(in_folder("nothing")), GT_IO, file_path, "No such file or directory");
    refused(!gt_open_tensors(folder), GT_IO, folder, "is a folder");
    refused(!gt_open_tensors(NULL), GT_INVALID, "", "the path is NULL");

    /* every cut and every changed byte of a good file: an error, or tensors that can be loaded */
    static char good[1024], bad[1024];
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_array(gt_shape(2, 2), 1, 2, 3, 4), *b = some_tensor(GT_BOOL, gt_shape(3), 1);
    gt_save_tensors(in_folder("good"), gt_named_tensors({"a", a}, {"b", b}));
    size_t n = get_file(in_folder("good"), good, sizeof good);
    for (size_t cut = 0; cut < n; cut++) {
        put_file("cut", good, cut);
        refused(!gt_open_tensors(in_folder("cut")), GT_FORMAT, file_path, "");
    }
    for (size_t i = 0; i < n; i++)
        for (int change = 1; change < 256; change *= 4) {
            memcpy(bad, good, n);
            bad[i] = (char)(bad[i] ^ change);
            gt_TensorFile *file = gt_open_tensors(put_file("bad", bad, n));
            gt_error_clear();
            for (int64_t k = 0; file && k < gt_tensor_file_count(file); k++)
                if (!gt_tensor_file_load(file, k))
                    refused(true, gt_status(), in_folder("bad"), "");
            gt_tensor_file_free(file);
        }

    /* types that no tensor has can be looked at and read, not loaded */
    static const struct {
        const char *name;
        gt_DType dtype;
    } foreign[] = {{"I8", GT_INT8},    {"I16", GT_INT16},  {"U16", GT_UINT16},
                   {"U32", GT_UINT32}, {"U64", GT_UINT64}, {"C64", GT_COMPLEX64}};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char header[128], bytes[8];
        int size = (int)gt_dtype_size(foreign[i].dtype);
        snprintf(header, sizeof header, "{" T("a", "%s", "[1]", "[0,%d]") "}", foreign[i].name,
                 size);
        path = put_safetensors(header, strlen(header), size);
        gt_TensorFile *file = gt_open_tensors(path);
        cr_assert(gt_tensor_file_spec(file, 0).dtype == foreign[i].dtype, "%s", foreign[i].name);
        cr_assert(gt_tensor_file_load_into(file, 0, bytes, (size_t)size) == GT_OK, "%s",
                  foreign[i].name);
        refused(!gt_tensor_file_load(file, 0), GT_UNSUPPORTED, path,
                gt_dtype_name(foreign[i].dtype));
        gt_tensor_file_free(file);
    }
    static const char flags[] = "{" T("a", "BOOL", "[2]", "[0,2]") "}";
    path = put_safetensors(flags, sizeof flags - 1, 2);
    FILE *last = fopen(path, "r+");
    cr_assert(last && fseek(last, -1, SEEK_END) == 0 && fputc(2, last) == 2, "a bool of 2");
    fclose(last);
    gt_TensorFile *file = gt_open_tensors(path);
    refused(file && !gt_tensor_file_load(file, 0), GT_FORMAT, path, "neither 0 nor 1");

    /* cut while it is open */
    file = gt_open_tensors(in_folder("good"));
    cr_assert(truncate(in_folder("good"), (off_t)n - 5) == 0, "truncate");
    refused(!gt_tensor_file_load_named(file, "a"), GT_IO, file_path, "changed while it was open");
    gt_scope_end(scope);
}

/* ---- JSON and numbers ---- */

static const char *const good_json[] = {
    "{}",
    "[]",
    " [ ] ",
    "0",
    "-0",
    "null",
    "true",
    "false",
    "\"\"",
    "[1,2]",
    "{\"a\":{\"b\":[]}}",
    "1.5e+300",
    "-9223372036854775808",
    "9223372036854775807",
    "\"\\ud83d\\ude00\\u00e9\\/\"",
    "\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\"",
    "\t\r\n[\n1\t]",
    "1e-400",
    "\"\x7f\"",
    "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}",
};

static const struct {
    const char *text, *reason;
} bad_json[] = {
    {"", "cut short"},
    {" ", "cut short"},
    {"[", "cut short"},
    {"{", "cut short"},
    {"{\"a\"", "cut short"},
    {"{\"a\":", "cut short"},
    {"[1", "cut short"},
    {"[1,", "cut short"},
    {"\"", "cut short"},
    {"\"\\", "cut short"},
    {"\"\\u12", "cut short"},
    {"[1,]", "a value is missing"},
    {"[,1]", "value is missing"},
    {"{,}", "key in double"},
    {"{1:2}", "key in double"},
    {"{'a':1}", "key in double"},
    {"{\"a\":1,}", "key in double"},
    {"{\"a\" 1}", "colon"},
    {"[1 2]", "comma or ]"},
    {"{\"a\":1 \"b\":2}", "comma or }"},
    {"[1}", "comma or ]"},
    {"1 2", "follows the end"},
    {"[1]xyz", "follows"},
    {"nul", "value is missing"},
    {"nulll", "follows"},
    {"True", "value is missing"},
    {"NaN", "value is missing"},
    {"01", "not a number"},
    {"-", "not a number"},
    {"+1", "value is missing"},
    {"1.", "not a number"},
    {".5", "value is missing"},
    {"1e", "not a number"},
    {"1e+", "not a number"},
    {"0x10", "follows"},
    {"1e999", "too large"},
    {"-1e999", "too large"},
    {"9223372036854775808", "64 bits"},
    {"-9223372036854775809", "64 bits"},
    {"99999999999999999999", "64 bits"},
    {"\"\n\"", "control"},
    {"\"\x1f\"", "control"},
    {"\"\\x\"", "no such escape"},
    {"\"\\u12g4\"", "hexadecimal"},
    {"\"\\u0000\"", "U+0000"},
    {"\"\\ud83d\"", "surrogate"},
    {"\"\\ude00\"", "surrogate"},
    {"\"\\ud83d\\u0041\"", "surrogate"},
    {"\"\\ud83dxxxxxx\"", "surrogate"},
    {"\"\x80\"", "UTF-8"},
    {"\"\xc0\xaf\"", "UTF-8"},
    {"\"\xe0\x80\xaf\"", "UTF-8"},
    {"\"\xed\xa0\x80\"", "UTF-8"},
    {"\"\xf4\x90\x80\x80\"", "UTF-8"},
    {"\"\xf8\x88\x80\x80\x80\"", "UTF-8"},
    {"\"\xe2\x82\"", "UTF-8"},
    {"\xef\xbb\xbf{}", "value"},
    {"{\"a\":1,\"a\":2}", "\"a\" comes twice"},
    {"{\"a\":1,\"\\u0061\":2}", "comes twice"},
    {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"c\":1}",
     "\"c\" comes"},
    {"/**/1", "value is missing"},
    {"[1]\f", "follows"},
};

Test(io, json)
{
    gt_Context *context = gt_context();
    char text[2 * GT_JSON_DEPTH + 512];
    gt_Json json;
    for (size_t i = 0; i < sizeof good_json / sizeof *good_json; i++) {
        strcpy(text, good_json[i]);
        cr_assert(gt_json_read(context, "test", text, strlen(text), &json), "%s: %s", good_json[i],
                  gt_error_message());
        gt_json_release(context, &json);
    }
    for (size_t i = 0; i < sizeof bad_json / sizeof *bad_json; i++) {
        strcpy(text, bad_json[i].text);
        cr_assert(!gt_json_read(context, "a place", text, strlen(text), &json), "taken: %s",
                  bad_json[i].text);
        cr_assert(gt_status() == GT_FORMAT && strstr(gt_error_message(), bad_json[i].reason) &&
                      strstr(gt_error_message(), "a place: at byte "),
                  "%s: %s", bad_json[i].text, gt_error_message());
        gt_error_clear();
    }
    for (int depth = GT_JSON_DEPTH; depth <= GT_JSON_DEPTH + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        bool ok = gt_json_read(context, "deep", text, (size_t)depth * 2, &json);
        cr_assert(ok == (depth == GT_JSON_DEPTH), "depth %d", depth);
        gt_error_clear();
        if (ok)
            gt_json_release(context, &json);
    }
    strcpy(text, "{\"n\":9007199254740993,\"x\":-0.1,\"s\":\"\\u20ac\\t\",\"t\":[true,null]}");
    cr_assert(gt_json_read(context, "test", text, strlen(text), &json), "%s", gt_error_message());
    const gt_JsonValue *all = json.values;
    cr_assert(all->kind == GT_JSON_OBJECT && all->count == 4, "an object of four");
    cr_assert(gt_json_member(all, "n")->integer == 9007199254740993, "an exact integer");
    cr_assert(gt_json_member(all, "x")->number == -0.1, "a number");
    cr_assert(strcmp(gt_json_member(all, "s")->string, "\xe2\x82\xac\t") == 0, "a string");
    const gt_JsonValue *list = gt_json_member(all, "t"), *t = gt_json_first(list);
    cr_assert(t && t->kind == GT_JSON_TRUE && gt_json_next(list, t)->kind == GT_JSON_NULL &&
                  !gt_json_next(list, gt_json_next(list, t)),
              "an array");
    cr_assert(!gt_json_member(all, "none") && !gt_json_member(gt_json_first(all), "n"),
              "no member");
    gt_json_release(context, &json);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The same as strtod reads, bit for bit, under every locale. */
static void check_number(const char *text)
{
    double mine = 0, other = strtod(text, NULL);
    cr_assert(gt_parse_decimal(text, strlen(text), &mine), "%s is refused", text);
    cr_assert(memcmp(&mine, &other, sizeof mine) == 0, "%s: %.17g, not %.17g", text, mine, other);
}

Test(io, numbers)
{
    static const char *const exact[] = {"0",
                                        "-0",
                                        "0.0",
                                        "1",
                                        ".5",
                                        "5.",
                                        "+1.5",
                                        "1e22",
                                        "1e23",
                                        "-1E-5",
                                        "9007199254740993",
                                        "9007199254740992",
                                        "0.1",
                                        "123456789012345678",
                                        "1234567890123456789",
                                        "12345678901234567890",
                                        "0.000000000000000000000000000001",
                                        "1.7976931348623157e308",
                                        "1.7976931348623159e308",
                                        "4.9406564584124654e-324",
                                        "2.4703282292062327e-324",
                                        "2.2250738585072011e-308",
                                        "1e400",
                                        "1e-400",
                                        "1e99999999999999999999",
                                        "0e999999999999",
                                        "00000000000000000000000000001",
                                        "1.00000000000000000000000000000001",
                                        "8.41e+11",
                                        "179769313486231580793728971405301199e273",
                                        "9214843084008499.0"};
    static const char *const wrong[] = {"",      ".",   "-",   "e5",   "1e",      "1e+", "1.2.3",
                                        "1 ",    " 1",  "0x1", "inf",  "nan",     "1,5", "--1",
                                        "1e5.0", "+-1", "1f",  "1e5e", "\xd9\xa1"};
    char text[GT_NUMBER_TEXT];
    uint64_t bits = 1;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        check_number(exact[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double value;
        cr_assert(!gt_parse_decimal(wrong[i], strlen(wrong[i]), &value), "%s is taken", wrong[i]);
    }
    for (int i = 0; i < 20000; i++) {
        double value, back = 0;
        float single;
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            check_number(gt_number_text(value, false, text));
            gt_parse_decimal(text, strlen(text), &back);
            cr_assert(back == value, "%.17g became %s", value, text);
        }
        memcpy(&single, &bits, sizeof single);
        if (isfinite(single)) {
            gt_number_text((double)single, true, text);
            cr_assert(gt_parse_decimal(text, strlen(text), &back) && (float)back == single,
                      "%.9g became %s", (double)single, text);
        }
        snprintf(text, sizeof text, "%d.%04d", (int)(bits >> 40), (int)(bits >> 20 & 1023));
        check_number(text);
    }
    cr_assert(strcmp(gt_number_text(0.1, false, text), "0.1") == 0, "%s", text);
    cr_assert(strcmp(gt_number_text((double)0.1f, true, text), "0.1") == 0, "%s", text);
    cr_assert(strcmp(gt_number_text(-(double)INFINITY, true, text), "-inf") == 0, "%s", text);

    int64_t whole = 0;
    cr_assert(gt_parse_integer("-9223372036854775808", 20, &whole) && whole == INT64_MIN, "least");
    cr_assert(gt_parse_integer("9223372036854775807", 19, &whole) && whole == INT64_MAX, "most");
    cr_assert(gt_parse_integer("+007", 4, &whole) && whole == 7, "zeros in front");
    cr_assert(!gt_parse_integer("9223372036854775808", 19, &whole), "over");
    cr_assert(!gt_parse_integer("-9223372036854775809", 20, &whole), "under");
    cr_assert(!gt_parse_integer("99999999999999999999999", 23, &whole), "far over");
    cr_assert(!gt_parse_integer("", 0, &whole) && !gt_parse_integer("-", 1, &whole) &&
                  !gt_parse_integer("1.0", 3, &whole),
              "no integers");
    if (setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8")) {
        double value;
        cr_assert(gt_parse_decimal("1.25000000000000000000000001", 28, &value) && value == 1.25,
                  "a comma in the locale");
        cr_assert(strcmp(gt_number_text(1.25, false, text), "1.25") == 0, "%s", text);
        cr_assert(*localeconv()->decimal_point == ',', "the locale was changed");
        setlocale(LC_ALL, "C");
    }
}

/* ---- compressed files ---- */

#ifdef GT_HAVE_ZLIB
static const char *put_gzip(const char *name, const void *data, size_t size)
{
    gzFile file = gzopen(in_folder(name), "wb9");
    cr_assert(file && gzwrite(file, data, (unsigned)size) == (int)size, "gzip %s", name);
    gzclose(file);
    return file_path;
}

static void gzip_tests(void)
{
    static char bytes[4096], changed[4096];
    static const char table[] = "1,2,3\n4,5,6\n7,8,9\n";
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *plain = gt_load_csv(put_text("plain", table));
    cr_assert(same_tensor(plain, gt_load_csv(put_gzip("t.csv.gz", table, sizeof table - 1))),
              "compressed: %s", gt_error_message());
    size_t n = get_file(in_folder("t.csv.gz"), bytes, sizeof bytes);

    /* two members one after the other are one file */
    memcpy(bytes + n, bytes, n);
    gt_Tensor *twice = gt_load_csv(put_file("twice", bytes, 2 * n));
    cr_assert(gt_size(twice) == 18 && gt_element(twice, 17) == 9, "two members: %s",
              gt_error_message());

    for (size_t cut = 2; cut < n; cut++) {
        const char *path = put_file("cut", bytes, cut);
        refused(!gt_load_csv(path), GT_FORMAT, path, "the compressed data is cut short");
    }
    for (size_t i = 10; i < n; i++) { /* the ten bytes of the header may say what they like */
        memcpy(changed, bytes, n);
        changed[i] = (char)(changed[i] ^ 1);
        const char *path = put_file("changed", changed, n);
        refused(!gt_load_csv(path), GT_FORMAT, path, "the compressed data is");
    }
    bytes[n] = 'x';
    refused(!gt_load_csv(put_file("tail", bytes, n + 1)), GT_FORMAT, file_path, "compressed data");

    /* a bomb: 64 MB of ones in 64 KB; and one that lies about its size */
    char *ones = malloc(1 << 26);
    cr_assert(ones != NULL, "no memory");
    memset(ones, '1', 1 << 26);
    put_gzip("bomb", ones, 1 << 26);
    free(ones);
    refused(!gt_load_csv(in_folder("bomb"), .limit = 100000), GT_FORMAT, file_path,
            "holds more than 100000 bytes");
    cr_assert(gt_memory_stats().bytes_peak < 1 << 21, "%lld bytes for a bomb",
              (long long)gt_memory_stats().bytes_peak);
    cr_assert(gt_load_csv(in_folder("t.csv.gz"), .limit = (int64_t)sizeof table - 1) != NULL,
              "the limit itself: %s", gt_error_message());
    memset(bytes + n - 4, 0, 4);
    refused(!gt_load_csv(put_file("lie", bytes, n)), GT_FORMAT, file_path, "damaged");

    static const char idx[] = "\0\0\x08\1\0\0\0\3abc";
    gt_Tensor *abc = gt_load_idx(put_gzip("idx", idx, sizeof idx - 1));
    cr_assert(gt_size(abc) == 3 && gt_element(abc, 2) == 'c', "idx: %s", gt_error_message());
    put_gzip("idx", idx, sizeof idx - 2);
    refused(!gt_load_idx(in_folder("idx")), GT_FORMAT, file_path, "cut short in its numbers");
    put_gzip("idx", idx, sizeof idx);
    refused(!gt_load_idx(in_folder("idx")), GT_FORMAT, file_path, "something follows");
    put_gzip("idx", idx, 6);
    refused(!gt_load_idx(in_folder("idx")), GT_FORMAT, file_path, "cut short in its header");
    put_gzip("idx", "\0\0\x08\2\0\x10\0\0\0\0\x10\0", 12);
    refused(!gt_load_idx(in_folder("idx")), GT_FORMAT, file_path, "more than the limit");
    gt_scope_end(scope);
}
#else
static void gzip_tests(void)
{
    refused(!gt_load_csv(put_text("t.csv.gz", "\x1f\x8b\x08...")), GT_UNSUPPORTED, file_path,
            "this build of gradtape has no zlib");
}
#endif

Test(io, gzip, .init = open_folder, .fini = close_folder)
{
    gzip_tests();
}

/* The table of the examples: 1797 digits of 64 pixels and a label. */
Test(io, digits)
{
    const char *data = getenv("GT_TEST_DATA");
    char path[512], packed[520];
    snprintf(path, sizeof path, "%s/digits.csv", data ? data : "examples/data");
    snprintf(packed, sizeof packed, "%s.gz", path);
    if (access(path, R_OK) != 0)
        cr_skip_test("%s is not there", path);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *digits = gt_load_csv(path);
    cr_assert(gt_shape_equal(gt_tensor_shape(digits), gt_shape(1797, 65)), "%s",
              gt_error_message());
    double sum = 0;
    for (int64_t i = 0; i < gt_size(digits); i++)
        sum += gt_element(digits, i);
    cr_assert(sum == 569788, "the sum is %g", sum);
    gt_Tensor *labels = gt_load_csv(path, .columns = gt_columns(-1, 1), .dtype = GT_INT32);
    for (int64_t i = 0; i < 1797; i++)
        cr_assert(gt_element(labels, i) == gt_element(digits, 65 * i + 64), "label %lld",
                  (long long)i);
#ifdef GT_HAVE_ZLIB
    cr_assert(same_tensor(digits, gt_load_csv(packed)), "compressed: %s", gt_error_message());
#endif
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- CSV ---- */

/* A table read with options gives these numbers. */
static void reads(const gt_Tensor *tensor, int64_t rows, int64_t columns, const double *numbers)
{
    cr_assert(tensor != NULL, "%s", gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(tensor), gt_shape(rows, columns)), "%lld x %lld",
              (long long)gt_dim(gt_tensor_shape(tensor), 0),
              (long long)gt_dim(gt_tensor_shape(tensor), 1));
    for (int64_t i = 0; i < rows * columns; i++)
        cr_assert(gt_element(tensor, i) == numbers[i] ||
                      (isnan(gt_element(tensor, i)) && isnan(numbers[i])),
                  "number %lld is %g, not %g", (long long)i, gt_element(tensor, i), numbers[i]);
}
#define NUMBERS(...) ((const double[]){__VA_ARGS__})

static void good_tables(void)
{
    static const char *const same[] = {
        "1,2\n3,4\n",           "1,2\n3,4",
        "1,2\r\n3,4\r\n",       "1,2\r\n3,4\r",
        "1,2\n3,4\n\n",         "1,2\n3,4\n \r\n\t",
        " 1 ,\t2\n3 , 4 \n",    "\"1\",\"2\"\n\"3\",4\n",
        "\" 1 \" , 2\n3,4",     "\357\273\2771,2\n3,4\n",
        "1.0,20e-1\n+3,.4e1\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        reads(gt_load_csv(put_text("t", same[i])), 2, 2, NUMBERS(1, 2, 3, 4));
        if (i < 10)
            reads(gt_load_csv(in_folder("t"), .dtype = GT_INT64), 2, 2, NUMBERS(1, 2, 3, 4));
    }
    reads(gt_load_csv(put_text("t", "a \"b,c\n\"x\"\"\ny\",2\n,3"), .skip_rows = 1,
                      .columns = gt_columns(1, 1)),
          2, 1, NUMBERS(2, 3));
    reads(gt_load_csv(put_text("t", "1;2;x;3\n4;5;y;6\n"), .delimiter = ';',
                      .columns = gt_columns(-1, 1), .dtype = GT_INT32),
          2, 1, NUMBERS(3, 6));
    reads(gt_load_csv(in_folder("t"), .delimiter = ';', .columns = gt_columns(0, 2)), 2, 2,
          NUMBERS(1, 2, 4, 5));
    reads(gt_load_csv(put_text("t", "1 2\n3 4\n"), .delimiter = ' '), 2, 2, NUMBERS(1, 2, 3, 4));
    put_text("t", "1\tNA\n \tnan\n");
    reads(gt_load_csv(file_path, .delimiter = '\t', .missing = NAN), 2, 2,
          NUMBERS(1, NAN, NAN, NAN));
    reads(gt_load_csv(file_path, .delimiter = '\t', .missing = 9, .dtype = GT_UINT8), 2, 2,
          NUMBERS(1, 9, 9, 9));
    reads(gt_load_csv(put_text("t", "-inf,+Infinity\n1e38,INF")), 2, 2,
          NUMBERS(-INFINITY, INFINITY, (double)1e38f, INFINITY));
}

static const struct {
    const char *text, *where, *reason;
} bad_tables[] = {
    {"1,2\n3,x\n", ":2:2", "\"x\" is not a number, and the tensor is float32"},
    {"1,2\n3\n", ":2:1", "expected 2 fields, as in the rows before (got 1)"},
    {"1,2\n3,4,5\n", ":2:3", "expected 2 fields, as in the rows before (got 3)"},
    {"1,2\n3,4,\n", ":2:3", "expected 2 fields, as in the rows before (got 3)"},
    {"1,2\n\n3,4\n", ":2:0", "a blank line between the rows"},
    {"1,2\n3,\n", ":2:2", "a number is missing"},
    {"1,NA\n", ":1:2", "a number is missing"},
    {"nan,1\n", ":1:1", "a number is missing"},
    {"1,\"\"\n", ":1:2", "a number is missing"},
    {"1,1e39\n", ":1:2", "too large for float32"},
    {"1,2\n\"3,4\n5,6\n", ":2:1", "never closed"},
    {"1,\"2\"3\n", ":1:2", "something follows the quotes"},
    {"1,\"2\n\n\"\n3,y\n", ":3:2", "is not a number"},
    {"1,0x10\n", ":1:2", "\"0x10\" is not a number"},
    {"1,2 3\n", ":1:2", "\"2 3\" is not a number"},
    {"1,--2\n", ":1:2", "is not a number"},
    {"1,2\r3,4\r", "", "its lines end in CR alone"},
    {"1,abcdefghijklmnopqrstuvwxyz\n", ":1:2", "\"abcdefghijklmnopqrstuvwx...\""},
    {"a,b\n1,2\n", ":1:1", "\"a\" is not a number; if this line is a header, .skip_rows = 1 skips"},
    {"1 2\n3 4\n", ":1:1", "skips it; .delimiter says what stands between numbers"},
    {",b\n1,2\n", ":1:2", "\"b\" is not a number; if this line is a header, .skip_rows = 1"},
    {"1,b\n1,2\n", ":1:2", ".skip_rows = 1"},
    {"\"a\nb\",c\n1,2\n", ":2:1", "if this line is a header, .skip_rows = 2 skips it"},
    {"1,\n3,4\n", ":1:2", "a number is missing; .missing = 0, or any other, stands for it"},
    {"\377\3761", "", "is UTF-16 text that is cut short or damaged; save it as UTF-8"},
    {"\376\377\330\1a,", "", "is UTF-16 text that is cut short or damaged"},
    {"\376\377", "", "has no rows"},
    {"1,2\r3,4", "", "its lines end in CR alone"},
    {"\"a\rb\",2\r", ":1:1", "\"a?b\" is not a number"},
    {"", "", "has no rows"},
    {"\n \n", "", "has no rows"},
};

Test(io, csv, .init = open_folder, .fini = close_folder)
{
    gt_Scope *scope = gt_scope_begin();
    good_tables();
    for (size_t i = 0; i < sizeof bad_tables / sizeof *bad_tables; i++) {
        char where[160];
        const char *path = put_text("bad.csv", bad_tables[i].text);
        snprintf(where, sizeof where, "%s%s: %s", path, bad_tables[i].where,
                 bad_tables[i].where[0] ? "" : bad_tables[i].reason);
        gt_Tensor *tensor = gt_load_csv(path);
        cr_assert(strstr(gt_error_message(), where), "'%s' is not in: %s", where,
                  gt_error_message());
        refused(!tensor, GT_FORMAT, path, bad_tables[i].reason);
    }
    refused(!gt_load_csv(put_text("h", "# units\na,b\n1,2\n"), .skip_rows = 1), GT_FORMAT,
            file_path,
            ":2:1: \"a\" is not a number; if this line is a header, .skip_rows = 2 skips it");
    reads(gt_load_csv(file_path, .skip_rows = 2), 1, 2, NUMBERS(1, 2));
    refused(!gt_load_csv(put_text("h", "1,x\n1,2\n"), .columns = gt_columns(0, 1), .dtype = GT_BOOL,
                         .skip_rows = 2),
            GT_FORMAT, file_path, "has no rows");
    reads(gt_load_csv(file_path, .columns = gt_columns(0, 1)), 2, 1, NUMBERS(1, 1));
    refused(!gt_load_csv(put_file("u", "1\0,\0002\0\n\0", 8)), GT_FORMAT, file_path,
            "holds zero bytes: expected text in UTF-8 or ASCII, not UTF-16");
    /* UTF-16, either end first: 1,2 and 3,4; a smiley outside the basic plane in a column that is not taken */
    reads(gt_load_csv(put_file("u", "\377\3761\0,\0002\0\n\0003\0,\0004\0", 16)), 2, 2, NUMBERS(1, 2, 3, 4));
    reads(gt_load_csv(put_file("u", "\376\377\0001\0,\0002\0\n\0003\0,\0004", 16)), 2, 2, NUMBERS(1, 2, 3, 4));
    reads(gt_load_csv(put_file("u", "\376\377\0001\0,\330\075\336\000\0\n\0003\0,\0\351", 18), .columns = gt_columns(0, 1)), 2,
          1, NUMBERS(1, 3));
    reads(gt_load_csv(put_text("t", "  1   2\t3 \n4 5  6\n"), .delimiter = ' '), 2, 3, NUMBERS(1, 2, 3, 4, 5, 6));
    const char *path = put_text("t.csv", "1,2.5,300,-1\n5,6,7,99999999999\n");
    refused(!gt_load_csv(path, .dtype = GT_INT32), GT_FORMAT, path, "\"2.5\" is not an integer");
    refused(!gt_load_csv(path, .dtype = GT_UINT8, .columns = gt_columns(2, 1)), GT_FORMAT, path,
            "\"300\" is out of the range of uint8");
    refused(!gt_load_csv(path, .dtype = GT_INT32, .columns = gt_columns(3, 1)), GT_FORMAT, path,
            ":2:4: \"99999999999\" is out of the range of int32");
    refused(!gt_load_csv(path, .dtype = GT_BOOL, .columns = gt_columns(0, 1)), GT_FORMAT, path,
            "\"5\" is out of the range of bool");
    refused(!gt_load_csv(path, .dtype = GT_FLOAT16), GT_UNSUPPORTED, "", "float16");
    refused(!gt_load_csv(path, .columns = gt_columns(4, 1)), GT_INVALID, path, "it has 4");
    refused(!gt_load_csv(path, .columns = gt_columns(2, 3)), GT_INVALID, path, "it has 4");
    refused(!gt_load_csv(path, .columns = gt_columns(-5, 1)), GT_INVALID, path, "it has 4");
    refused(!gt_load_csv(path, .columns = gt_columns(0, 0)), GT_INVALID, path, "it has 4");
    refused(!gt_load_csv(path, .columns = gt_columns(INT32_MAX, INT32_MAX)), GT_INVALID, path,
            "it has 4");
    refused(!gt_load_csv(path, .delimiter = 'e'), GT_INVALID, "", "quote, point or sign (got code 101)");
    refused(!gt_load_csv(path, .delimiter = 0), GT_INVALID, "", "delimiter");
    refused(!gt_load_csv(path, .skip_rows = -1), GT_INVALID, "", "skip_rows must be >= 0 (got -1)");
    refused(!gt_load_csv(path, .dtype = GT_INT32, .missing = 0.5), GT_INVALID, "", "missing must be a number of dtype int32 (got 0.5)");
    refused(!gt_load_csv(path, .dtype = GT_INT32, .missing = NAN), GT_INVALID, "", "missing");
    refused(!gt_load_csv(path, .skip_rows = 2), GT_FORMAT, path, "has no rows");
    refused(!gt_load_csv(path, .skip_rows = INT64_MAX), GT_FORMAT, path, "has no rows");
    refused(!gt_load_csv(path, .columns = gt_columns(INT32_MIN, -1)), GT_INVALID, path, "it has 4");
    reads(gt_load_csv(path, .columns = gt_columns(-4, 2)), 2, 2, NUMBERS(1, 2.5, 5, 6));
    for (int c = -128; c < 128; c++) { /* what may stand between the fields */
        bool legal = c == '\t' || (c >= ' ' && c <= '~' && !strchr("\"+-.0123456789", c) &&
                                   !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
        gt_Tensor *one = gt_load_csv(path, .delimiter = (char)c, .columns = gt_columns(0, 1));
        cr_assert(legal || (!one && strstr(gt_error_message(), "(got code ")), "code %d: %s",
                  c, gt_error_message());
        cr_assert(!legal || !strstr(gt_error_message(), "(got code "), "code %d", c);
        gt_error_clear();
    }
    refused(!gt_load_csv(in_folder("nothing")), GT_IO, file_path, "No such file");
    refused(!gt_load_csv("/dev/zero", .limit = 1000), GT_FORMAT, "/dev/zero", "more than 1000");
    refused(!gt_load_csv(NULL), GT_INVALID, "", "the path is NULL");

    /* what is written reads back the same */
    for (int t = 0; t < OWN_TYPES; t++) {
        gt_Tensor *wrote = some_tensor(own_types[t], gt_shape(300, 7), 5);
        if (gt_dtype_is_float(own_types[t]))
            wrote = gt_from_values_at(NULL, gt_shape(3, 2), own_types[t], 6,
                                      NUMBERS(0.1, -1e30, 1.0 / 3, INFINITY, -0.0, 1e-320));
        gt_save_csv(in_folder("w.csv"), wrote, .delimiter = ';', .header = "a;b");
        gt_Tensor *read = gt_load_csv(in_folder("w.csv"), .delimiter = ';', .skip_rows = 1,
                                      .dtype = own_types[t]);
        cr_assert(read != NULL, "%s", gt_error_message());
        cr_assert(same_tensor(wrote, read), "%s differs", gt_dtype_name(own_types[t]));
    }
    gt_Tensor *one = gt_array(gt_shape(3), 1, 2.5, NAN);
    char text[64];
    gt_save_csv(in_folder("one.csv"), one);
    text[get_file(in_folder("one.csv"), text, sizeof text - 1)] = 0;
    cr_assert(strcmp(text, "1\n2.5\nnan\n") == 0, "one column: %s", text);
    refused(gt_save_csv(in_folder("x"), gt_scalar(1, GT_FLOAT32)), GT_INVALID, "", "expected a tensor of 1 or 2 dimensions (got 0)");
    refused(gt_save_csv(in_folder("x"), NULL), GT_INVALID, "", "the tensor is NULL");
    refused(gt_save_csv(in_folder("x"), one, .delimiter = '"'), GT_INVALID, "", "delimiter");
    gt_scope_end(scope);
}

/* ---- IDX ---- */

static const struct {
    const char *bytes;
    size_t size;
    const char *reason;
    gt_Status status;
} bad_idx[] = {
    {"", 0, "cut short in its header", GT_FORMAT},
    {"\0\0\x08", 3, "cut short in its header", GT_FORMAT},
    {"\0\0\x08\1\0\0\0", 7, "cut short in its header", GT_FORMAT},
    {"\0\1\x08\1\0\0\0\1a", 9, "not an IDX file", GT_FORMAT},
    {"P5 8", 4, "not an IDX file", GT_FORMAT},
    {"\0\0\x0a\1\0\0\0\1a", 9, "unknown type 0x0A", GT_FORMAT},
    {"\0\0\xff\1\0\0\0\1a", 9, "unknown type 0xFF", GT_FORMAT},
    {"\0\0\x0a\1\0\0\0\1ab", 10, "unknown type 0x0A", GT_FORMAT},
    {"\0\0\x0b\1\0\0\0\2abc", 11, "its header promises 4 bytes of numbers and 3 follow", GT_FORMAT},
    {"\0\0\x08\x09\0\0\0\1", 8, "at most 8 dimensions (got 9)", GT_UNSUPPORTED},
    {"\0\0\x08\1\0\0\0\2a", 9, "promises 2 bytes of numbers and 1 follow: it is cut", GT_FORMAT},
    {"\0\0\x08\1\0\0\0\2abc", 11, "and 3 follow: it is longer", GT_FORMAT},
    {"\0\0\x0d\1\0\0\0\1abc", 11, "promises 4 bytes", GT_FORMAT},
    {"\0\0\x08\2\xff\xff\xff\xff\xff\xff\xff\xff", 12, "too large", GT_FORMAT},
    {"\0\0\x08\2\x10\0\0\0\x10\0\0\0", 12, "cut short", GT_FORMAT},
    {"\0\0\x0e\3\0\1\0\0\0\1\0\0\0\1\0\0", 16, "promises 2251799813685248 bytes", GT_FORMAT},
};

Test(io, idx, .init = open_folder, .fini = close_folder)
{
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof bad_idx / sizeof *bad_idx; i++) {
        const char *path = put_file("bad", bad_idx[i].bytes, bad_idx[i].size);
        refused(!gt_load_idx(path), bad_idx[i].status, path, bad_idx[i].reason);
    }
    gt_Tensor *a = gt_load_idx(put_file("a", "\0\0\x08\2\0\0\0\2\0\0\0\3abcdef", 18));
    cr_assert(gt_dtype(a) == GT_UINT8 && gt_shape_equal(gt_tensor_shape(a), gt_shape(2, 3)) &&
                  memcmp(gt_data(a), "abcdef", 6) == 0,
              "uint8: %s", gt_error_message());
    char rank8[4 + 4 * 8 + 1] = {0, 0, 8, 8}, rank9[4 + 4 * 9 + 1] = {0, 0, 8, 9};
    for (int d = 0; d < 9; d++)
        rank9[4 + 4 * d + 3] = 1;
    memcpy(rank8 + 4, rank9 + 4, 4 * 8);
    rank8[4 + 4 * 8] = 7;
    a = gt_load_idx(put_file("a", rank8, sizeof rank8));
    cr_assert(gt_rank(a) == 8 && gt_item(a) == 7, "eight dimensions: %s", gt_error_message());
    refused(!gt_load_idx(put_file("a", rank9, sizeof rank9)), GT_UNSUPPORTED, file_path,
            "expected at most 8 dimensions (got 9)");
    a = gt_load_idx(put_file("a", "\0\0\x0c\1\0\0\0\2\xff\xff\xff\xfe\1\2\3\4", 16));
    cr_assert(gt_dtype(a) == GT_INT32 && gt_element(a, 0) == -2 && gt_element(a, 1) == 0x01020304,
              "int32: %s", gt_error_message());
    a = gt_load_idx(put_file("a", "\0\0\x09\1\0\0\0\2\xfe\5", 10));
    cr_assert(gt_dtype(a) == GT_INT32 && gt_element(a, 0) == -2 && gt_element(a, 1) == 5, "int8: %s", gt_error_message());
    a = gt_load_idx(put_file("a", "\0\0\x0b\1\0\0\0\2\xff\xfe\1\0", 12));
    cr_assert(gt_dtype(a) == GT_INT32 && gt_element(a, 0) == -2 && gt_element(a, 1) == 256, "int16: %s", gt_error_message());
    a = gt_load_idx(put_file("a", "\0\0\x0d\1\0\0\0\1\x3f\xc0\0\0", 12));
    cr_assert(gt_dtype(a) == GT_FLOAT32 && gt_item(a) == 1.5, "float32: %s", gt_error_message());
    a = gt_load_idx(put_file("a", "\0\0\x0e\0\xbf\xf8\0\0\0\0\0\0", 12));
    cr_assert(gt_dtype(a) == GT_FLOAT64 && gt_rank(a) == 0 && gt_item(a) == -1.5, "float64: %s",
              gt_error_message());
    a = gt_load_idx(put_file("a", "\0\0\x08\2\0\0\0\0\0\0\0\3", 12));
    cr_assert(gt_size(a) == 0 && gt_rank(a) == 2, "empty: %s", gt_error_message());
    refused(!gt_load_idx(in_folder("nothing")), GT_IO, file_path, "No such file");
    refused(!gt_load_idx(in_folder("a"), .limit = -1), GT_INVALID, "", "limit must be >= 0 (got -1)");
    gt_scope_end(scope);
}

/* ---- lines ---- */

static const struct {
    const char *bytes, *lines; /* with a bar behind each */
    size_t size;
} some_lines[] = {
    {"", "", 0},
    {"\n", "|", 1},
    {"a", "a|", 1},
    {"a\n", "a|", 2},
    {"a\n\nb c", "a||b c|", 6},
    {"a\r\n\r\nb\r", "a||b\r|", 7},
    {"\r\n", "|", 2},
    {"a\rb\n", "a\rb|", 4},
    {"\xef\xbb\xbfred\n", "red|", 7},
    {"\xef\xbb\xbf", "", 3},
    {"\xef\xbb", "\xef\xbb|", 2},
    {"\xff\0b\n", "\xff\0b|", 4},
};

static void check_lines(gt_Strings lines, const char *wanted, const char *what)
{
    cr_assert(lines.bytes && lines.width == 0, "%s: %s", what, gt_error_message());
    for (int64_t i = 0; i < gt_strings_count(lines); i++) {
        size_t length;
        const char *line = gt_strings_get(lines, i, &length);
        cr_assert(memcmp(line, wanted, length) == 0 && wanted[length] == '|', "%s: line %d", what, (int)i);
        wanted += length + 1;
    }
    cr_assert(*wanted == 0, "%s: lines are missing: %s", what, wanted);
}

Test(io, lines, .init = open_folder, .fini = close_folder)
{
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof some_lines / sizeof *some_lines; i++) {
        const char *path = put_file("lines", some_lines[i].bytes, some_lines[i].size);
        check_lines(gt_load_lines(path), some_lines[i].lines, some_lines[i].lines);
    }
    check_lines(gt_load_lines(put_text("lines", "plain"), .limit = 0), "plain|", "a limit is for compressed files");
    static char many[300000];
    for (int i = 0; i < 100000; i++)
        memcpy(many + 3 * i, i % 2 ? "ab\n" : "c\r\n", 3);
    gt_Strings long_ones = gt_load_lines(put_file("lines", many, sizeof many));
    size_t length;
    cr_assert(gt_strings_count(long_ones) == 100000 && gt_size(long_ones.bytes) == 150000);
    cr_assert(gt_strings_get(long_ones, 99999, &length)[1] == 'b' && length == 2);
    cr_assert(gt_strings_get(long_ones, 99998, &length)[0] == 'c' && length == 1);
#ifdef GT_HAVE_ZLIB
    check_lines(gt_load_lines(put_gzip("lines", "x\ny", 3)), "x|y|", "compressed");
    check_lines(gt_load_lines(in_folder("lines"), .limit = 3), "x|y|", "as many as the limit");
    refused(!gt_load_lines(in_folder("lines"), .limit = 2).bytes, GT_FORMAT, file_path, "more than 2 bytes");
#endif
    refused(!gt_load_lines(in_folder("nothing")).bytes, GT_IO, file_path, "No such file");
    refused(!gt_load_lines(folder).bytes, GT_IO, folder, "");
    refused(!gt_load_lines(NULL).bytes, GT_INVALID, "", "NULL");
    refused(!gt_load_lines(in_folder("lines"), .limit = -1).bytes, GT_INVALID, "", "limit must be >= 0 (got -1)");
    gt_scope_end(scope);
}

/* ---- memory and interrupts ---- */

/* Everything that this room does, once. True if nothing failed. */
static bool whole_tour(void)
{
    const uint8_t numbers[2] = {1, 0};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_from_data(numbers, gt_shape(2), GT_BOOL);
    gt_save_tensors(in_folder("tour"), gt_named_tensors({"a", a}, {"b", a}),
                    .metadata = gt_metadata({"k", "v"}));
    gt_TensorFile *file = gt_open_tensors(in_folder("many"));
    gt_tensor_file_load_named(file, "t3");
    gt_load_csv(in_folder("table"));
    gt_load_csv(in_folder("packed"));
    gt_save_csv(in_folder("copy"), gt_load_csv(in_folder("wide")));
    gt_load_idx(in_folder("idx"));
    gt_load_lines(in_folder("table"));
    gt_tensor_file_free(file);
    gt_scope_end(scope);
    return gt_status() == GT_OK;
}

static void make_files_of_tour(void)
{
    static char wide[100000];
    static const char idx[] = "\0\0\x08\1\0\0\0\3abc";
    gt_NamedTensor items[20];
    char names[20][8];
    gt_Scope *scope = gt_scope_begin();
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        items[i] = (gt_NamedTensor){names[i], some_tensor(GT_FLOAT32, gt_shape(i), 1)};
    }
    gt_save_tensors(in_folder("many"), ((gt_NamedTensors){items, 20}));
    gt_scope_end(scope);
    put_text("table", "1,2\n3,4\n");
    for (size_t i = 0; i + 1 < sizeof wide; i += 2)
        memcpy(wide + i, "1,", 2);
    wide[sizeof wide - 1] = '\n';
    put_file("wide", wide, sizeof wide);
    put_file("idx", idx, sizeof idx - 1);
#ifdef GT_HAVE_ZLIB
    put_gzip("packed", wide, sizeof wide);
#else
    put_text("packed", "5,6\n");
#endif
    no_error("files of the tour");
}

Test(io, lack_of_memory, .init = open_folder, .fini = close_folder)
{
    Budget budget = {0};
    const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
    bool done = false;
    long n = 0;
    make_files_of_tour();
    for (; !done; n++) {
        cr_assert(n < 10000, "it never succeeds");
        budget.left = n;
        gt_Context *context = gt_context_create(.allocator = &allocator, .threads = 1);
        if (context) {
            gt_Context *before = gt_context_use(context);
            done = whole_tour();
            cr_assert(done || gt_status() == GT_NO_MEMORY, "allocation %ld: %s", n,
                      gt_error_message());
            cr_assert(files_in_folder() <= 7, "allocation %ld: a file was left", n);
            gt_error_clear();
            budget.left = LONG_MAX;
            cr_assert(whole_tour(), "after allocation %ld failed: %s", n, gt_error_message());
            cr_assert(gt_memory_stats().handles == 0, "allocation %ld: %lld handles are left", n,
                      (long long)gt_memory_stats().handles);
            gt_context_use(before);
            gt_context_free(context);
        }
        cr_assert(budget.held == 0 && budget.bytes == 0, "allocation %ld: %ld blocks are lost", n,
                  budget.held);
    }
    cr_assert(n > 5, "only %ld allocations can fail", n);
    assert_no_leaks();
}

static bool stop(void *calls)
{
    return --*(int *)calls < 0;
}

Test(io, interrupt, .init = open_folder, .fini = close_folder)
{
    make_files_of_tour();
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_array(gt_shape(2), 1, 2);
    int files = files_in_folder(), calls, tries = 0;
    gt_set_interrupt(stop, &calls);
    do {
        gt_error_clear();
        calls = tries++;
        gt_save_tensors(in_folder("saved"), gt_named_tensors({"a", a}));
        cr_assert(gt_status() == GT_OK || gt_status() == GT_INTERRUPTED, "%s", gt_error_message());
        cr_assert(files_in_folder() == files + (gt_status() == GT_OK), "a file was left");
    } while (gt_status() != GT_OK);
    cr_assert(tries > 1, "never asked while saving");
    calls = 0;
    refused(!gt_load_csv(in_folder("table")), GT_INTERRUPTED, file_path, "interrupted");
    refused(!gt_open_tensors(in_folder("many")), GT_INTERRUPTED, file_path, "interrupted");
    gt_set_interrupt(NULL, NULL);
    gt_scope_end(scope);
}

/* ---- memory is not taken on the word of a file ---- */

#define MEGABYTE ((size_t)1 << 20)

static Budget purse;

/* A context that may hold so many bytes. */
static void open_purse(size_t most)
{
    const gt_Allocator allocator = {budget_allocate, budget_release, &purse};
    purse = (Budget){.left = LONG_MAX, .most = most};
    gt_context_use(gt_context_create(.allocator = &allocator, .threads = 1));
    cr_assert(gt_status() == GT_OK, "no context");
}

static void close_purse(void)
{
    gt_context_free(NULL);
    cr_assert(purse.held == 0, "%ld blocks are lost", purse.held);
}

/* A header of 100 MB in safetensors is legal; what it holds grows with what was read of it. */
static void header_tests(void)
{
    static const struct {
        const char *piece, *reason;
        double factor; /* of the header's bytes, beside the header itself */
    } rows[] = {{",", "a value is missing", 0.5},
                {"[", "nested too deeply", 0.5},
                {"0,", "dimensions", 8.1},
                {"{}", "a comma or ] is missing", 0.5}};
    size_t bytes = 4 * MEGABYTE;
    char *text = malloc(bytes + 8);
    cr_assert(text != NULL, "no memory");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int i = 0; i < 8; i++)
            text[i] = (char)(bytes >> 8 * i & 255);
        memset(text + 8, ' ', bytes);
        size_t at = 8, length = strlen(rows[r].piece);
        const char *before = "{\"a\":{\"dtype\":\"U8\",\"shape\":[";
        const char *after = "0],\"data_offsets\":[0,0]}}";
        memcpy(text + at, before, strlen(before));
        for (at += strlen(before); at + length + strlen(after) <= bytes + 8; at += length)
            memcpy(text + at, rows[r].piece, length);
        memcpy(text + at, after, strlen(after));
        put_file("header", text, bytes + 8);
        open_purse(MEGABYTE + bytes + (size_t)(rows[r].factor * (double)bytes));
        cr_assert(!gt_open_tensors(in_folder("header")), "taken: %s...", rows[r].piece);
        cr_assert(strstr(gt_error_message(), rows[r].reason), "%s...: %s (%zu bytes at most)",
                  rows[r].piece, gt_error_message(), purse.peak);
        gt_error_clear();
        close_purse();
    }
    free(text);
}

#ifdef GT_HAVE_ZLIB
/* A few bytes that promise much, and much that is there. */
static void idx_tests(void)
{
    static const char promise[] = "\0\0\x08\1\x3f\xff\xff\xf0"
                                  "abcd";
    put_gzip("promise.gz", promise, sizeof promise - 1);
    open_purse(4 * MEGABYTE);
    refused(!gt_load_idx(in_folder("promise.gz")), GT_FORMAT, file_path,
            "cut short in its numbers");
    close_purse();

    size_t bytes = 24 * MEGABYTE;
    char *numbers = malloc(bytes + 8);
    cr_assert(numbers != NULL, "no memory");
    memcpy(numbers, "\0\0\x08\1\1\x80\0\0", 8);
    for (size_t i = 0; i < bytes; i++)
        numbers[8 + i] = (char)(i * i >> 7);
    put_gzip("large.gz", numbers, bytes + 8);
    put_gzip("cut.gz", numbers, bytes / 4);
    open_purse(bytes / 2 * 3 + 2 * MEGABYTE);
    gt_Tensor *read = gt_load_idx(in_folder("large.gz"));
    cr_assert(read && memcmp(gt_data(read), numbers + 8, bytes) == 0, "large: %s",
              gt_error_message());
    close_purse();
    open_purse(bytes);
    refused(!gt_load_idx(in_folder("cut.gz")), GT_FORMAT, file_path, "cut short in its numbers");
    close_purse();
    free(numbers);
}

/* Compressed or not, a table takes its tensor and a window. */
static void table_tests(void)
{
    size_t rows = MEGABYTE, bytes = 12 * rows;
    char *text = malloc(bytes + 1);
    cr_assert(text != NULL, "no memory");
    for (size_t i = 0; i < rows; i++)
        snprintf(text + 12 * i, 13, "%5d,%5d\n", (int)(i % 1000), (int)(i % 777));
    put_gzip("table.gz", text, bytes);
    put_file("table", text, bytes);
    for (int packed = 0; packed < 2; packed++) {
        open_purse(2 * sizeof(float) * rows + 2 * MEGABYTE);
        gt_Tensor *table = gt_load_csv(in_folder(packed ? "table.gz" : "table"));
        cr_assert(table && gt_element(table, 2 * 123456 + 1) == 123456 % 777, "%s: %s", file_path,
                  gt_error_message());
        close_purse();
    }
    free(text);
}
#else
static void idx_tests(void)
{
}
static void table_tests(void)
{
}
#endif

Test(io, memory_grows_with_what_arrives, .init = open_folder, .fini = close_folder)
{
    gt_Context *before = gt_context();
    header_tests();
    idx_tests();
    table_tests();
    gt_context_use(before);
}

/* Rows that are longer than the window, that it cuts anywhere, and a pipe, which cannot be read
 * twice. */
Test(io, csv_window, .init = open_folder, .fini = close_folder)
{
    size_t bytes = 5 * MEGABYTE / 4, length = 0;
    char *text = malloc(bytes);
    cr_assert(text != NULL, "no memory");
    for (int columns = 3; columns < 300000; columns = columns * 7 + 1) {
        int64_t rows = 0, total = 0;
        for (length = 0; length + (size_t)columns * 4 + 4 < bytes / 2 || rows < 2; rows++)
            for (int c = 0; c < columns; c++, total++)
                length += (size_t)snprintf(text + length, bytes - length,
                                           c + 1 == columns ? "%d\r\n"
                                           : c % 3          ? "%d,"
                                                            : "\"%d\",",
                                           (int)(total % 10));
        cr_assert(length < bytes, "%d columns do not fit", columns);
        put_file("rows.csv", text, length);
        for (int way = 0; way < 2; way++) {
            gt_Scope *scope = gt_scope_begin();
            int ends[2] = {-1, -1};
            char pipe_path[64];
            const char *path = in_folder("rows.csv");
            pid_t child = -1;
            if (way == 1) {
                cr_assert(pipe(ends) == 0, "no pipe");
                child = fork();
                if (child == 0) {
                    for (size_t at = 0; at < length;) {
                        ssize_t n = write(ends[1], text + at, length - at);
                        at += n > 0 ? (size_t)n : length;
                    }
                    _exit(0);
                }
                close(ends[1]);
                snprintf(pipe_path, sizeof pipe_path, "/dev/fd/%d", ends[0]);
                path = pipe_path;
            }
            gt_Tensor *table = gt_load_csv(path, .dtype = GT_INT32);
            cr_assert(table != NULL, "%d columns: %s", columns, gt_error_message());
            cr_assert(gt_shape_equal(gt_tensor_shape(table), gt_shape(rows, columns)), "shape");
            const int32_t *data = gt_int32_data(table);
            for (int64_t i = 0; i < total; i++)
                cr_assert(data[i] == i % 10, "%d columns, element %lld", columns, (long long)i);
            if (way == 1) {
                close(ends[0]);
                waitpid(child, NULL, 0);
            }
            gt_scope_end(scope);
        }
    }
    free(text);
}

/* ---- what a killed process leaves ---- */

static int parts(char *name, size_t size)
{
    int count = 0;
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".part") == 0) {
            snprintf(name, size, "%s", entry->d_name);
            count++;
        }
    }
    if (list)
        closedir(list);
    return count;
}

static bool die(void *user)
{
    (void)user;
    kill(getpid(), SIGKILL);
    return false;
}

static void make_old(const char *name, long seconds)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    cr_assert(utimensat(AT_FDCWD, in_folder(name), times, 0) == 0, "no such file: %s", name);
}

static void save_as(const char *name)
{
    const float one = 1;
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_from_data(&one, gt_shape(1), GT_FLOAT32);
    gt_save_tensors(in_folder(name), gt_named_tensors({"a", a}));
    no_error(name);
    gt_scope_end(scope);
}

/* Saves in a process that is killed while it writes; returns the process. */
static pid_t killed_save(const char *name)
{
    pid_t child = fork();
    if (child == 0) {
        gt_context_use(gt_context_create(.threads = 1));
        gt_set_interrupt(die, NULL);
        save_as(name);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the child was not killed");
    return child;
}

Test(io, leftovers, .init = open_folder, .fini = close_folder)
{
    char part[256], other[256], host[65], expected[256];
    pid_t child = killed_save("w.safetensors");
    cr_assert(parts(part, sizeof part) == 1, "a killed process left %d files", parts(part, 256));
    cr_assert(gethostname(host, sizeof host) == 0, "no host name");
    snprintf(expected, sizeof expected, "w.safetensors.%s-%ld-", host, (long)child);
    cr_assert(strncmp(part, expected, strlen(expected)) == 0 &&
                  strlen(part) == strlen(expected) + 16 + 5,
              "its name is %s", part);

    save_as("w.safetensors");
    cr_assert(parts(part, sizeof part) == 1, "one of a second ago is gone");
    make_old(part, 50);
    save_as("w.safetensors");
    cr_assert(parts(part, sizeof part) == 1, "one younger than a minute is gone");
    make_old(part, 70);
    save_as("v.safetensors");
    save_as("w");
    save_as("w.safetensor");
    cr_assert(parts(part, sizeof part) == 1, "another name took it away");
    save_as("w.safetensors");
    cr_assert(parts(part, sizeof part) == 0, "%s is still there", part);

    /* the process lives; another host; another end; no number */
    snprintf(expected, sizeof expected, "w.%s-%ld-0123456789abcdef.part", host, (long)getpid());
    put_text(expected, "");
    make_old(expected, 1000);
    const char *const ends[] = {"-0123456789abcdef.part", "-0123456789abcde.part",
                                "-0123456789abcdeg.part", "-0123456789abcdef.par",
                                "x-0123456789abcdef.part"};
    for (int i = 0; i < 5; i++) {
        snprintf(other, sizeof other, "w.%s%s-%ld%s", host, i ? "" : "-2", (long)child, ends[i]);
        put_text(other, "");
        make_old(other, 1000);
    }
    int before = files_in_folder();
    save_as("w");
    cr_assert(files_in_folder() == before, "%d files of others were removed",
              before - files_in_folder());

    /* a name as long as one can be, of letters of two bytes */
    char longest[256];
    for (int i = 0; i < 254; i += 2)
        memcpy(longest + i, "\xc3\xa9", 3);
    killed_save(longest);
    int count = files_in_folder();
    cr_assert(count == before + 1, "a long name left nothing");
    DIR *list = opendir(folder);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if ((unsigned char)entry->d_name[0] == 0xc3) {
            cr_assert(gt_utf8_length(entry->d_name, 2) == 2, "half a letter");
            make_old(entry->d_name, 70);
        }
    closedir(list);
    save_as(longest);
    cr_assert(files_in_folder() == count, "a long name's leftover is still there");
}

/* Letters of other languages stay what they are; they are never cut in two. */
Test(io, excerpts)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"price", "price"},
        {"gr\xc3\xb6\xc3\x9f" "te", "gr\xc3\xb6\xc3\x9f" "te"},
        {"\xe4\xbe\xa1\xe6\xa0\xbc \xf0\x9f\x8d\xb7", "\xe4\xbe\xa1\xe6\xa0\xbc \xf0\x9f\x8d\xb7"},
        {"gr\xf6\xdf" "te", "gr??te"},                                /* Latin-1 */
        {"a\tb\x1b[2J\x7f\xc2\x9b" "c", "a?b?[2J???c"},              /* what a terminal obeys */
        {"\xc3", "?"},                                               /* half of one */
        {"123456789012345678901234", "123456789012345678901234"},    /* as long as may be */
        {"1234567890123456789012345", "123456789012345678901234..."},
        {"12345678901234567890123\xc3\xb6", "12345678901234567890123..."},
        {"1234567890123456789012\xc3\xb6", "1234567890123456789012\xc3\xb6"},
        {"1234567890123456789012\xf0\x9f\x8d\xb7", "1234567890123456789012..."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char into[GT_EXCERPT];
        memset(into, 'x', sizeof into);
        gt_excerpt(into, cases[i].text, strlen(cases[i].text));
        cr_assert_str_eq(into, cases[i].shown, "case %d", (int)i);
    }
}
