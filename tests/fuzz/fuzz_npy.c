/* Any bytes as an NPY file (first byte even) or an NPZ archive. What was read is written, and must read the same. */
#include "tests/fuzz/fuzz.h"
#include "io/npy.h"

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

static void fuzz_one(const uint8_t *data, size_t size)
{
    bool archive = fuzz_byte(&data, &size) & 1;
    const char *path = fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    if (archive) {
        int count = gt_npz_count(path);
        if (fuzz_either(count >= 0))
            for (int i = 0; i < count && i < 4; i++) {
                char name[256];
                const char *text = gt_npz_name(path, i);
                if (!fuzz_works(text != NULL))
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
