/* Any bytes as an NPY file (first byte even), as an NPZ archive, or (3, 7, ...) as the NPY file in a deflated archive that is
 * sound, for mutations of what is packed hardly get beyond its checksum. What was read is written, and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/npy.h"
#include "io/zip.h"

static void write_and_compare(gt_Tensor *tensor)
{
    char path[sizeof fuzz_path + 8];
    snprintf(path, sizeof path, "%s.again", fuzz_path);
    if (fuzz_works(gt_save_npy(path, tensor) == GT_OK)) {
        gt_Tensor *twin = gt_load_npy(path);
        if (fuzz_works(twin != NULL) && !fuzz_same(tensor, twin))
            fuzz_stop("a tensor was written and reads differently");
    }
    unlink(path);
}

/* The bytes as the array "x" of an archive; the same array as from a file of its own. */
static void read_packed(const uint8_t *data, size_t size)
{
    gt_ZipWriter writer;
    char path[sizeof fuzz_path + 8];
    gt_Tensor *alone = gt_load_npy(fuzz_file(data, size), .limit = 1 << 20);
    fuzz_either(alone != NULL);
    snprintf(path, sizeof path, "%s.npz", fuzz_path);
    bool made = gt_zip_create(gt_context(), &writer, path) &&
                gt_zip_add(&writer, "x.npy", data, size, NULL, 0, true);
    made = made && gt_zip_commit(&writer) == GT_OK;
    if (fuzz_works(made)) {
        gt_Tensor *packed = gt_load_npz(path, "x", .limit = 1 << 20);
        if (fuzz_either(packed != NULL))
            fuzz_touch(packed);
        if (!fuzz_memory.failed && (alone ? !packed || !fuzz_same(alone, packed) : packed != NULL))
            fuzz_stop("an array in an archive is another than in a file");
    } else {
        gt_zip_discard(&writer);
    }
    unlink(path);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    const uint8_t how = fuzz_byte(&data, &size);
    const bool archive = how & 1;
    const char *path = fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    if ((how & 3) == 3) {
        read_packed(data, size);
    } else if (archive) {
        int count = gt_npz_count(path);
        if (fuzz_either(count >= 0))
            for (int i = 0; i < count && i < 4; i++) {
                char name[256];
                const char *text = gt_npz_name(path, i);
                if (!fuzz_works(gt_status() == GT_OK))
                    break;
                snprintf(name, sizeof name, "%s", text);
                gt_Tensor *tensor = gt_load_npz(path, name, .limit = 1 << 20);
                if (fuzz_either(tensor != NULL))
                    fuzz_touch(tensor);
            }
    } else {
        gt_Tensor *tensor = gt_load_npy(path, .limit = 1 << 20);
        if (fuzz_either(tensor != NULL)) {
            fuzz_touch(tensor);
            write_and_compare(tensor);
        }
    }
    gt_scope_end(scope);
}
