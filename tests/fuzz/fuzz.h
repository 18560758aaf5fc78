/* What the fuzzers of file formats share: the input as a file. Built by hand:
 *
 *   clang -std=c17 -D_POSIX_C_SOURCE=200809L -DGT_HAVE_ZLIB -I. -g -O1 \
 *       -fsanitize=fuzzer,address,undefined tests/fuzz/fuzz_csv.c tests/fuzz/exact_memory.c \
 *       io/[a-z]*.c <core/[a-z]*.c without memory.c> <the kernels> -lz -lm -ldl -o fuzz_csv
 *   ./fuzz_csv -max_total_time=300 corpus/
 */
#ifndef GT_TESTS_FUZZ_H
#define GT_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/context.h"
#include "core/tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char fuzz_path[64];

static void fuzz_remove_file(void)
{
    unlink(fuzz_path);
}

/* The path of a file that holds these bytes, until the next call. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0) {
        strcpy(fuzz_path, "/dev/shm/gradtape-fuzz-XXXXXX");
        file = mkstemp(fuzz_path);
        atexit(fuzz_remove_file);
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return fuzz_path;
}

/* Every call either works or leaves an error with a message. */
static inline void fuzz_expect(int worked)
{
    if (worked != (gt_status() == GT_OK) || !worked != (gt_error_message()[0] != 0))
        abort();
    gt_error_clear();
}

/* Reads every byte of a tensor. */
static inline void fuzz_touch(const gt_Tensor *tensor)
{
    volatile double sum = 0;
    for (int64_t i = 0, n = gt_size(tensor); i < n; i++)
        sum = sum + gt_at(tensor, i);
}

#endif
