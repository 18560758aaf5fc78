/* Files as bytes, for tests of what is written. */
#ifndef GT_TESTS_SAME_BYTES_H
#define GT_TESTS_SAME_BYTES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* How many bytes there are, `size` at most; 0: none, or no file. */
static inline size_t read_bytes(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(bytes, 1, size, file) : 0;
    if (file)
        fclose(file);
    return n;
}

/* Both are there, and have the same bytes. */
static inline bool same_bytes(const char *path, const char *other)
{
    static char bytes[2][1 << 20];
    size_t n = read_bytes(path, bytes[0], sizeof bytes[0]);
    return n > 0 && n == read_bytes(other, bytes[1], sizeof bytes[1]) &&
           memcmp(bytes[0], bytes[1], n) == 0;
}

#endif
