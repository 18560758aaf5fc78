/* What the fuzzers of this folder share. A fuzzer is a file fuzz_NAME.c with a function fuzz_one,
 * which gives any bytes to one reader of the library and calls fuzz_stop where a promise is broken.
 * This file makes the rest of it:
 *
 *   - Every block is an allocation of its own, released with the size it was asked for, so that
 *     AddressSanitizer sees each byte that is read or written outside.
 *   - Every fourth input runs once more with one allocation failing, which one follows from the
 *     bytes.
 *   - No input leaves memory or handles behind.
 *
 * Built twice: with replay.c, as a test that goes through the kept inputs in corpus/NAME with any
 * compiler; and with libFuzzer, by `tools/fuzz SECONDS`. An input that stops a fuzzer is
 * kept in corpus/NAME once the fault is mended. */
#ifndef GT_TESTS_FUZZ_H
#define GT_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/structs.h"

#if defined(__SANITIZE_ADDRESS__)
#define FUZZ_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_SANITIZED 1
#endif
#endif
#ifdef FUZZ_SANITIZED
size_t __sanitizer_get_allocated_size(const volatile void *block); /* gcc has no header for it */
#endif

#ifdef GT_HAVE_ZLIB
#include <zlib.h>
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_one(const uint8_t *data, size_t size);

/* Ends the program where a debugger and libFuzzer see it. */
static void fuzz_stop(const char *why)
{
    fprintf(stderr, "fuzz: %s; the last message: %s\n", why, gt_error_message());
    abort();
}

/* ---- memory ---- */

typedef struct FuzzMemory {
    int64_t calls; /* of the allocator, in this run */
    int64_t fails; /* the call that fails; -1: none */
    bool failed;   /* it did */
    int64_t most;  /* bytes in all that there are; 0: any number */
    int64_t held, before, peak;
} FuzzMemory;
static FuzzMemory fuzz_memory;

static void *fuzz_allocate(void *user, size_t size, size_t alignment)
{
    FuzzMemory *memory = user;
    void *block = NULL;
    bool scarce = memory->most > 0 && memory->held + (int64_t)size > memory->most;
    if (memory->calls++ == memory->fails || scarce || size > PTRDIFF_MAX) {
        memory->failed = true;
        return NULL;
    }
    if (posix_memalign(&block, alignment, size) != 0)
        return NULL;
    memory->held += (int64_t)size;
    if (memory->held > memory->peak)
        memory->peak = memory->held;
    return block;
}

static void fuzz_release(void *user, void *block, size_t size)
{
    FuzzMemory *memory = user;
#ifdef FUZZ_SANITIZED
    if (__sanitizer_get_allocated_size(block) != size)
        fuzz_stop("a block is released with another size than it has");
#endif
    memory->held -= (int64_t)size;
    free(block);
}

/* ---- what a fuzzer says ---- */

/* A call may fail, and then there is an error with a message. Returns whether it worked. */
static inline bool fuzz_either(bool worked)
{
    if (worked != (gt_status() == GT_OK) || !worked != (gt_error_message()[0] != 0))
        fuzz_stop("a result without success, or a failure without a message");
    if (!fuzz_memory.failed && gt_status() == GT_NO_MEMORY)
        fuzz_stop("out of memory, and no allocation failed");
    gt_error_clear();
    return worked;
}

/* A call fails only if an allocation failed. */
static inline bool fuzz_works(bool worked)
{
    if (!worked && (!fuzz_memory.failed || gt_status() != GT_NO_MEMORY))
        fuzz_stop("a call fails that must work");
    return fuzz_either(worked);
}

/* So far this run asked for no more at a time. */
static inline void fuzz_asked_at_most(size_t bytes)
{
    if (fuzz_memory.peak - fuzz_memory.before > (int64_t)bytes)
        fuzz_stop("more memory than the input is worth");
}

/* There is no more memory than that, for readers that make what the input asks for: a layer of a billion units. */
static inline void fuzz_memory_is(int64_t bytes)
{
    fuzz_memory.most = bytes;
}

/* Reads every byte of a tensor. */
static inline void fuzz_touch(const gt_Tensor *tensor)
{
    volatile double sum = 0;
    for (int64_t i = 0, n = gt_size(tensor); i < n; i++)
        sum = sum + gt_element(tensor, i);
}

static inline bool fuzz_same(const gt_Tensor *a, const gt_Tensor *b)
{
    gt_Spec spec = gt_spec(a);
    return gt_dtype(b) == spec.dtype && gt_shape_equal(gt_tensor_shape(a), gt_tensor_shape(b)) &&
           memcmp(gt_data(a), gt_data(b), (size_t)spec.size * gt_dtype_size(spec.dtype)) == 0;
}

/* One byte from the front of the input; 0 if none is left. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    --*size;
    return *(*data)++;
}

/* The bytes as a string, exactly as long as it is; free it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    size_t length = 0;
    while (length < size && data[length])
        length++;
    char *text = malloc(length + 1);
    if (!text)
        abort();
    memcpy(text, data, length);
    text[length] = 0;
    return text;
}

/* ---- files ---- */

static char fuzz_path[64];

static inline void fuzz_remove_file(void)
{
    unlink(fuzz_path);
}

/* The path of a file that holds these bytes, until the next call. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0) {
        const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(fuzz_path, sizeof fuzz_path, "%s/gradtape-fuzz-XXXXXX", folder);
        file = mkstemp(fuzz_path);
        atexit(fuzz_remove_file);
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return fuzz_path;
}

/* The same, compressed with gzip first: mutations of what is compressed already hardly get beyond
 * its checksum. Without zlib as it is. */
static inline const char *fuzz_gzip_file(const uint8_t *data, size_t size)
{
#ifdef GT_HAVE_ZLIB
    z_stream stream = {0};
    if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t room = deflateBound(&stream, (uLong)size);
    uint8_t *packed = malloc(room);
    if (!packed)
        abort();
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    const char *path = fuzz_file(packed, room - stream.avail_out);
    deflateEnd(&stream);
    free(packed);
    return path;
#else
    return fuzz_file(data, size);
#endif
}

/* ---- one input ---- */

typedef struct FuzzHeld {
    int64_t bytes, handles;
} FuzzHeld;

/* What the context holds, without the freed objects that it keeps for a while so that a stale
 * pointer is noticed. */
static FuzzHeld fuzz_held(void)
{
    gt_MemoryStats stats = gt_memory_stats();
    for (const gt_Object *freed = gt_context()->quarantine_first; freed; freed = freed->next)
        stats.bytes_in_use -= (int64_t)freed->bytes;
    return (FuzzHeld){stats.bytes_in_use, stats.handles};
}

static void fuzz_run(const uint8_t *data, size_t size, int64_t fails)
{
    fuzz_memory.calls = 0;
    fuzz_memory.fails = fails;
    fuzz_memory.failed = false;
    fuzz_memory.before = fuzz_memory.peak = fuzz_memory.held;
    fuzz_one(data, size);
    fuzz_memory.fails = -1;
    gt_error_clear();
}

/* Tables of the context may grow once and stay; the same input twice must not hold more. */
static void fuzz_run_checked(const uint8_t *data, size_t size, int64_t fails)
{
    int64_t before = fuzz_memory.held;
    fuzz_run(data, size, fails);
    if (fuzz_memory.held <= before)
        return;
    FuzzHeld once = fuzz_held();
    fuzz_run(data, size, fails);
    FuzzHeld twice = fuzz_held();
    if (twice.bytes > once.bytes || twice.handles > once.handles)
        fuzz_stop("memory or handles stay behind");
}

static void fuzz_open(void)
{
    const gt_Allocator allocator = {fuzz_allocate, fuzz_release, &fuzz_memory};
    fuzz_memory.fails = -1;
    gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
    if (!context)
        abort();
    gt_context_use(context);
}

/* A fuzzer whose inputs leave something in the context (operations that were registered) begins
 * anew for each. */
static inline void fuzz_reopen(void)
{
    int64_t fails = fuzz_memory.fails;
    gt_context_free(NULL);
    if (fuzz_memory.held != 0)
        fuzz_stop("memory stays behind when the context is freed");
    fuzz_open();
    fuzz_memory.calls = 0;
    fuzz_memory.fails = fails;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool open;
    if (!open)
        fuzz_open();
    open = true;
    fuzz_run_checked(data, size, -1);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    if (hash >> 30 == 0 && fuzz_memory.calls > 0)
        fuzz_run_checked(data, size, (int64_t)(hash % (uint32_t)fuzz_memory.calls));
    return 0;
}

#endif
