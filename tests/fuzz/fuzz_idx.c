/* Any bytes as an IDX file, plain or compressed. */
#include "tests/fuzz/fuzz.h"
#include "io/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *tensor = gt_read_idx(path, .limit = 1 << 20);
    fuzz_expect(tensor != NULL);
    if (tensor)
        fuzz_touch(tensor);
    gt_scope_end(scope);
    return 0;
}
