/* The texts of the source tree, for tests that walk lists and sources: paths are relative to
 * GT_TEST_SOURCE, which meson sets. */
#ifndef GT_TESTS_TEXTS_H
#define GT_TESTS_TEXTS_H

#include <criterion/criterion.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static inline const char *source_root(void)
{
    const char *root = getenv("GT_TEST_SOURCE");
    return root ? root : ".";
}

/* The bytes of a file and a zero behind them; the caller frees them. */
static inline char *text_of_file(const char *path)
{
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", source_root(), path);
    FILE *file = fopen(full, "rb");
    cr_assert(file, "%s cannot be read", full);
    cr_assert(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    cr_assert(size >= 0);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    cr_assert(text && fread(text, 1, (size_t)size, file) == (size_t)size, "%s", full);
    fclose(file);
    text[size] = 0;
    return text;
}

/* Ends the line with a zero, and returns the next one; NULL: there is none. */
static inline char *end_line(char *line)
{
    char *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = 0;
    return end + 1;
}

static inline bool is_folder(const char *path)
{
    char full[4096];
    struct stat info;
    snprintf(full, sizeof full, "%s/%s", source_root(), path);
    return stat(full, &info) == 0 && S_ISDIR(info.st_mode);
}

/* All files of a folder and those below whose names end so, one behind the other, in no particular
 * order; without build folders and what begins with a dot. The caller frees the text. */
static inline char *texts_of_folder(const char *folder, const char *suffix)
{
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", source_root(), folder);
    DIR *dir = opendir(full);
    cr_assert(dir, "%s cannot be read", full);
    char *all = calloc(1, 1);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char path[2048], *more;
        const char *name = entry->d_name;
        size_t length = strlen(name), ending = strlen(suffix);
        if (name[0] == '.' || strncmp(name, "build", 5) == 0)
            continue;
        snprintf(path, sizeof path, "%s%s%s", folder, folder[0] ? "/" : "", name);
        if (length > ending && strcmp(name + length - ending, suffix) == 0)
            more = text_of_file(path);
        else if (is_folder(path))
            more = texts_of_folder(path, suffix);
        else
            continue;
        size_t before = strlen(all), add = strlen(more);
        all = realloc(all, before + add + 1);
        memcpy(all + before, more, add + 1);
        free(more);
    }
    closedir(dir);
    return all;
}

#endif
