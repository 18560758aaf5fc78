/* Any bytes as an IDX file, as they are or (first byte odd) compressed. */
#include "tests/fuzz/fuzz.h"
#include "io/idx.h"

static void fuzz_one(const uint8_t *data, size_t size)
{
    bool packed = fuzz_byte(&data, &size) & 1;
    const char *path = packed ? fuzz_gzip_file(data, size) : fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    gt_Tensor *tensor = gt_load_idx(path, .limit = 1 << 20);
    if (fuzz_either(tensor != NULL))
        fuzz_touch(tensor);
    gt_scope_end(scope);
}
