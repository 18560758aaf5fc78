/* Hashes of bytes against TensorFlow's: tests/oracle/hash.inc, made by make_hash.py. */
#include <criterion/criterion.h>

#include "kernels/hash.h"

Test(hash, tensorflow)
{
    static const struct Row {
        int length;
        uint64_t fast, strong;
    } rows[] = {
#define ROW(length, fast, strong) {length, fast, strong},
#include "oracle/hash.inc"
#undef ROW
    };
    const uint64_t buckets = (UINT64_C(1) << 62) + 57, key[2] = {133, 137};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        unsigned char text[256];
        int n = rows[k].length;
        for (int i = 0; i < n; i++)
            text[i] = (unsigned char)((37 * i + 11 * n + i * i) % 256);
        cr_expect_eq(gt_hash_fast(text, (size_t)n) % buckets, rows[k].fast, "fast, %d bytes", n);
        cr_expect_eq(gt_hash_strong(key, text, (size_t)n) % buckets, rows[k].strong,
                     "strong, %d bytes", n);
    }
}
