/* Any bytes as lines, as they are or (first byte odd) compressed. */
#include "tests/fuzz/fuzz.h"
#include "io/lines.h"

static void fuzz_one(const uint8_t *data, size_t size)
{
    bool packed = fuzz_byte(&data, &size) & 1;
    const char *path = packed ? fuzz_gzip_file(data, size) : fuzz_file(data, size);
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    gt_Strings lines = gt_load_lines(path, .limit = 1 << 20);
    if (fuzz_either(lines.bytes != NULL))
        for (int64_t i = 0; i < gt_strings_count(lines); i++) {
            size_t length;
            const char *line = gt_strings_get(lines, i, &length);
            if (!line || memchr(line, '\n', length))
                fuzz_stop("a line has its end in it");
        }
    gt_scope_end(scope);
}
