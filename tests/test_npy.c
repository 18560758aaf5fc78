/* NPY and NPZ: what NumPy wrote (tests/oracle/npy, made by make_npy.py), what it would read, and everything that may be wrong
 * with a file. */
#include "data_files.h"

static const char *numpy_file(const char *name)
{
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(files_path, sizeof files_path, "%s/tests/oracle/npy/%s", source ? source : ".", name);
    return files_path;
}

static size_t get_bytes(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(bytes, 1, room, file) : 0;
    if (file)
        fclose(file);
    return n;
}

/* 0, 1, 2, ... less something, in three dimensions. */
static void is_ramp(gt_Tensor *tensor, gt_DType dtype, double less)
{
    ok();
    cr_assert(gt_dtype(tensor) == dtype &&
                  gt_shape_equal(gt_tensor_shape(tensor), gt_shape(2, 3, 4)),
              "%s is %s", files_path, gt_dtype_name(gt_dtype(tensor)));
    for (int i = 0; i < 24; i++)
        cr_assert_eq(gt_element(tensor, i), i - less, "%s: element %d is %g", files_path, i,
                     gt_element(tensor, i));
}

Test(npy, numpy_wrote)
{
    static const struct {
        const char *name;
        gt_DType dtype;
        double less;
    } files[] = {
        {"ramp_le_f4.npy", GT_FLOAT32, 5}, {"ramp_be_f4.npy", GT_FLOAT32, 5},
        {"ramp_le_f8.npy", GT_FLOAT64, 5}, {"ramp_be_f8.npy", GT_FLOAT64, 5},
        {"ramp_le_f2.npy", GT_FLOAT16, 5}, {"ramp_le_i4.npy", GT_INT32, 5},
        {"ramp_be_i4.npy", GT_INT32, 5},   {"ramp_le_i8.npy", GT_INT64, 5},
        {"ramp_be_i8.npy", GT_INT64, 5},   {"ramp_u1.npy", GT_UINT8, 0},
        {"ramp_i1.npy", GT_INT32, 5},      {"ramp_le_i2.npy", GT_INT32, 5},
        {"ramp_be_i2.npy", GT_INT32, 5},   {"ramp_le_u2.npy", GT_INT32, 0},
        {"ramp_le_u4.npy", GT_INT64, 0},   {"ramp_le_u8.npy", GT_INT64, 0},
        {"fortran_f4.npy", GT_FLOAT32, 0}, {"fortran_be_i2.npy", GT_INT32, 0},
        {"version_2.npy", GT_FLOAT32, 0},  {"version_3.npy", GT_FLOAT32, 0},
    };
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        is_ramp(gt_load_npy(numpy_file(files[i].name)), files[i].dtype, files[i].less);
    gt_Tensor *flags = gt_load_npy(numpy_file("bool.npy"));
    cr_assert(gt_dtype(flags) == GT_BOOL && gt_element(flags, 0) == 1 && gt_element(flags, 1) == 0);
    gt_Tensor *scalar = gt_load_npy(numpy_file("scalar.npy"));
    cr_assert(gt_rank(scalar) == 0 && gt_item(scalar) == 2.5);
    cr_assert(
        gt_shape_equal(gt_tensor_shape(gt_load_npy(numpy_file("empty.npy"))), gt_shape(0, 3)));

    static const char *const archives[] = {"stored.npz", "deflated.npz"};
    for (int i = 0; i < 2; i++) {
        const char *path = numpy_file(archives[i]), *suffix = i ? "_train" : "";
        char x[16], y[16];
        snprintf(x, sizeof x, "x%s", suffix);
        snprintf(y, sizeof y, "y%s", suffix);
        cr_assert(gt_npz_count(path) == 2 && strcmp(gt_npz_name(path, 1), y) == 0, "%s",
                  gt_error_message());
        refused(gt_npz_name(path, 2), GT_INVALID, "index 2 is out of range: it has 2 arrays");
#ifndef GT_HAVE_ZLIB
        if (i == 1) {
            refused(gt_load_npz(path, x), GT_UNSUPPORTED, "this build of gradtape has no zlib");
            break;
        }
#endif
        gt_Tensor *a = gt_load_npz(path, x), *b = gt_load_npz(path, y);
        ok();
        cr_assert(gt_shape_equal(gt_tensor_shape(a), gt_shape(6, 4)) && gt_element(a, 23) == 23);
        cr_assert(gt_dtype(b) == GT_INT64 && gt_size(b) == 6 && gt_element(b, 5) == 5);
    }
    refused(gt_load_npz(numpy_file("stored.npz"), "z"), GT_INVALID,
            "has no array \"z\": expected one of \"x\", \"y\"");
    refused(gt_load_npz(numpy_file("stored.npz"), NULL), GT_INVALID, "the name is NULL");
    gt_scope_end(scope);
}

Test(npy, refused_kinds)
{
    static const struct {
        const char *name, *reason;
    } files[] = {{"text.npy", "it holds text"},
                 {"bytes.npy", "it holds text"},
                 {"complex.npy", "complex numbers"},
                 {"records.npy", "records"},
                 {"dates.npy", "dates"},
                 {"objects.npy", "Python objects, which only Python can read"},
                 {"too_large.npy", "does not fit int64"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        refused(gt_load_npy(numpy_file(files[i].name)), GT_UNSUPPORTED, files[i].reason);
    refused(gt_load_npy("/nowhere.npy"), GT_IO, "nowhere");
    refused(gt_load_npy(NULL), GT_INVALID, "NULL");
    refused(gt_load_npz("/nowhere.npz", "x"), GT_IO, "nowhere");
    refused(gt_load_npy(numpy_file("bool.npy"), .limit = -1), GT_INVALID, "limit must be >= 0");
    refused(gt_load_npy(numpy_file("stored.npz")), GT_FORMAT, "is not an NPY file");
    refused(gt_load_npz(numpy_file("bool.npy"), "x"), GT_FORMAT, "is not a ZIP archive");
    refused(gt_npz_count(numpy_file("bool.npy")), GT_FORMAT, "is not a ZIP archive");
}

/* The bytes that numpy.save gives, and back; archives hold what was put in. */
Test(npy, written, .init = open_folder, .fini = close_folder)
{
    static char ours[4096], theirs[4096];
    static const struct {
        const char *name;
        gt_DType dtype;
        double less;
    } files[] = {{"ramp_le_f4.npy", GT_FLOAT32, 5}, {"ramp_le_f8.npy", GT_FLOAT64, 5},
                 {"ramp_le_f2.npy", GT_FLOAT16, 5}, {"ramp_le_i4.npy", GT_INT32, 5},
                 {"ramp_le_i8.npy", GT_INT64, 5},   {"ramp_u1.npy", GT_UINT8, 0}};
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gt_Tensor *ramp =
            gt_cast(gt_reshape(gt_arange(-files[i].less, 24 - files[i].less, 1), gt_shape(2, 3, 4)),
                    files[i].dtype);
        gt_save_npy(in_folder("a.npy"), ramp);
        ok();
        size_t n = get_bytes(in_folder("a.npy"), ours, sizeof ours);
        const short one = 1;
        if (*(const char *)&one == 1)
            cr_assert(n == get_bytes(numpy_file(files[i].name), theirs, sizeof theirs) &&
                          memcmp(ours, theirs, n) == 0,
                      "%s", files[i].name);
        is_ramp(gt_load_npy(in_folder("a.npy")), files[i].dtype, files[i].less);
    }
    gt_save_npy(in_folder("s.npy"), gt_scalar(2.5, GT_FLOAT64));
    cr_assert(get_bytes(in_folder("s.npy"), ours, sizeof ours) ==
                  get_bytes(numpy_file("scalar.npy"), theirs, sizeof theirs) &&
              memcmp(ours, theirs, 136) == 0);
    refused(gt_save_npy(in_folder("b.npy"), gt_zeros(gt_shape(2), .dtype = GT_BFLOAT16)),
            GT_UNSUPPORTED, "NumPy has no dtype bfloat16");
    refused(gt_save_npy("/nowhere/b.npy", gt_zeros(gt_shape(2))), GT_IO, "nowhere");

    gt_Tensor *x = gt_arange(0, 1000, 1), *flags = gt_greater(x, 500),
              *none = gt_zeros(gt_shape(0, 2));
    for (int packed = 0; packed < 2; packed++) {
#ifndef GT_HAVE_ZLIB
        if (packed) {
            refused(gt_save_npz(in_folder("z.npz"), gt_named_tensors({"x", x}), .compressed = true),
                    GT_UNSUPPORTED, "no zlib");
            break;
        }
#endif
        gt_save_npz(in_folder("z.npz"),
                    gt_named_tensors({"x", x}, {"flags", flags}, {"none", none}),
                    .compressed = packed);
        ok();
        gt_Tensor *again = gt_load_npz(in_folder("z.npz"), "x");
        ok();
        cr_assert(gt_size(again) == 1000 && gt_element(again, 999) == 999);
        cr_assert(gt_element(gt_load_npz(in_folder("z.npz"), "flags"), 501) == 1);
        cr_assert(gt_size(gt_load_npz(in_folder("z.npz"), "none")) == 0);
        struct stat info;
        cr_assert(stat(in_folder("z.npz"), &info) == 0 && (info.st_size < 3000) == packed,
                  "%lld bytes", (long long)info.st_size);
        gt_save_npz(in_folder("y.npz"),
                    gt_named_tensors({"x", x}, {"flags", flags}, {"none", none}),
                    .compressed = packed);
        static char twice[2][8192];
        size_t n = get_bytes(in_folder("z.npz"), twice[0], sizeof twice[0]);
        cr_assert(get_bytes(in_folder("y.npz"), twice[1], sizeof twice[1]) == n &&
                      memcmp(twice[0], twice[1], n) == 0,
                  "the same arrays, other bytes");
    }
    refused(gt_save_npz(in_folder("z.npz"), gt_named_tensors({"x", x}, {"x", flags})), GT_INVALID,
            "two tensors are called \"x\"");
    refused(gt_save_npz(in_folder("z.npz"), gt_named_tensors({"", x})), GT_INVALID,
            "a name must have 1 to");
    const gt_NamedTensors nothing = {NULL, 0};
    refused(gt_save_npz(in_folder("z.npz"), nothing), GT_INVALID, "at least 1 tensor");
    cr_assert(gt_element(gt_load_npz(in_folder("z.npz"), "x"), 7) == 7,
              "the file before is still there: %s", gt_error_message());
    gt_scope_end(scope);
}

/* Every file cut short at every byte, and with every byte another, is refused or read: nothing else happens. */
Test(npy, damaged, .init = open_folder, .fini = close_folder)
{
    static const char *const files[] = {"ramp_le_f4.npy", "fortran_be_i2.npy", "version_2.npy",
                                        "stored.npz", "deflated.npz"};
    static char bytes[4096];
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        size_t n = get_bytes(numpy_file(files[f]), bytes, sizeof bytes);
        bool archive = f >= 3;
        const char *name = f == 4 ? "x_train" : "x";
        cr_assert(n > 100);
        for (size_t i = 0; i < n; i++) {
            gt_Scope *scope = gt_scope_begin();
            const char *path = put_file("cut", bytes, i);
            gt_Tensor *tensor = archive ? gt_load_npz(path, name) : gt_load_npy(path);
            cr_assert(!tensor && gt_status() != GT_OK, "%s, cut at %zu", files[f], i);
            gt_error_clear();
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            path = put_file("changed", bytes, n);
            tensor = archive ? gt_load_npz(path, name) : gt_load_npy(path);
            cr_assert((tensor != NULL) == (gt_status() == GT_OK));
            gt_error_clear();
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            gt_scope_end(scope);
        }
    }
    /* a number of a stored array that is another: the checksum knows */
    size_t size = get_bytes(numpy_file("stored.npz"), bytes, sizeof bytes);
    const char *numbers = memchr(bytes, '\n', size); /* the end of the header of x */
    cr_assert(numbers != NULL);
    bytes[numbers - bytes + 10] ^= 1;
    refused(gt_load_npz(put_file("n.npz", bytes, size), "x"), GT_FORMAT,
            "member x.npy is damaged: its checksum is wrong");
    /* a header that promises more than there is takes no memory */
    static const char promise[] = "\x93NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': False, "
                                  "'shape': (999999999999,), }    \n";
    refused(gt_load_npy(put_file("p", promise, sizeof promise - 1)), GT_FORMAT,
            "cut short in its numbers");
    static const char wide[] = "\x93NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': False, "
                               "'shape': (1,1,1,1,1,1,1,1,1),}\n";
    refused(gt_load_npy(put_file("p", wide, sizeof wide - 1)), GT_FORMAT,
            "more dimensions than a tensor");
    static const char odd[] = "\x93NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': Maybe, "
                              "'shape': (1,), }            \n";
    refused(gt_load_npy(put_file("p", odd, sizeof odd - 1)), GT_FORMAT,
            "its header cannot be understood");
    refused(gt_load_npy(put_file("p", "\x93NUMPY\7\0\0\0", 10)), GT_UNSUPPORTED,
            "version of the format");
#ifdef GT_HAVE_ZLIB
    refused(gt_load_npz(numpy_file("deflated.npz"), "x_train", .limit = 100), GT_FORMAT,
            "more than the limit of 100; .limit allows more");
#endif
}

static void npy_life(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_load_npy(numpy_file("fortran_be_i2.npy"));
    gt_save_npy(in_folder("a.npy"), x);
    gt_load_npz(numpy_file("deflated.npz"), "x_train");
    gt_save_npz(in_folder("a.npz"), gt_named_tensors({"x", x}), .compressed = true);
    gt_npz_name(in_folder("a.npz"), 0);
    if (scope)
        gt_scope_end(scope);
}

#ifdef GT_HAVE_ZLIB
Test(npy, no_memory, .init = open_folder, .fini = close_folder)
{
    fail_allocations(npy_life);
    assert_no_leaks();
}
#endif
