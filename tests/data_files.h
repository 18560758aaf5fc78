/* For tests of readers and datasets: files in a folder of their own, errors that must say something, and contexts whose
 * allocations fail one after the other. */
#ifndef GT_TESTS_DATA_FILES_H
#define GT_TESTS_DATA_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "../gradtape.h"
#include "../core/structs.h"
#include "leaks.h"

#undef GT_HERE
#define GT_HERE "test"

#define ok() cr_assert_eq(gt_status(), GT_OK, "%s", gt_error_message())
/* The call failed with that status, and the message has that text in it. */
#define refused(call, status, text)                                                                \
    do {                                                                                           \
        (void)(call);                                                                              \
        cr_assert_eq(gt_status(), status, "%s", gt_error_message());                               \
        cr_assert(strstr(gt_error_message(), text), "\"%s\" is not in: %s", text,                  \
                  gt_error_message());                                                             \
        gt_error_clear();                                                                          \
    } while (0)

static char files_folder[64];
static char files_path[512];

static inline void open_folder(void)
{
    strcpy(files_folder, "/tmp/gradtape-data-XXXXXX");
    cr_assert(mkdtemp(files_folder) != NULL);
}

/* Also every file in it, two folders deep. */
static inline void close_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", files_folder);
    cr_assert(system(command) == 0);
}

static inline const char *in_folder(const char *name)
{
    snprintf(files_path, sizeof files_path, "%s/%s", files_folder, name);
    return files_path;
}

static inline const char *put_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", name);
    return files_path;
}

static inline const char *put_text(const char *name, const char *text)
{
    return put_file(name, text, strlen(text));
}

/* ---- no memory ---- */

typedef struct Scarce {
    int64_t asked, fail_at, live;
} Scarce;

static inline void *scarce_allocate(void *user, size_t size, size_t alignment)
{
    Scarce *scarce = user;
    void *memory = NULL;
    if (scarce->asked++ == scarce->fail_at || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    scarce->live++;
    return memory;
}

static inline void scarce_release(void *user, void *memory, size_t size)
{
    (void)size;
    ((Scarce *)user)->live--;
    free(memory);
}

/* Runs `life` in contexts whose first, second, ... allocation fails, until none does: each time an error and nothing else.
 * `life` frees all it makes, error or not, and leaves the error pending. */
static inline void fail_allocations(void (*life)(void))
{
    gt_context_free(NULL);
    int64_t tried = 0;
    for (bool failed = true; failed; tried++) {
        Scarce scarce = {.fail_at = tried};
        gt_Allocator allocator = {scarce_allocate, scarce_release, &scarce};
        gt_Context *context =
            gt_context_create(.seed = 11, .allocator = &allocator, .pooling = false);
        failed = scarce.asked > tried;
        if (context) {
            gt_context_use(context);
            life();
            failed = scarce.asked > tried;
            cr_assert_eq(gt_status(), failed ? GT_NO_MEMORY : GT_OK, "allocation %d: %s",
                         (int)tried, gt_error_message());
            gt_error_clear();
            gt_MemoryStats stats = gt_memory_stats();
            cr_assert(stats.variables <= 1 && stats.handles <= 1,
                      "allocation %d: %lld handles are left", (int)tried, (long long)stats.handles);
            gt_context_free(context);
        }
        cr_assert_eq(scarce.live, 0, "allocation %d: memory is lost", (int)tried);
    }
    fprintf(stderr, "%lld allocations failed in turn\n", (long long)tried - 1);
}

#endif
