/* Reading and writing files for the formats of this room: plain and gzip'ed reading through one
 * reader, and writing that leaves either the old file or the whole new one. Every error names the
 * path. Leans on core for memory and errors, and on zlib (GT_HAVE_ZLIB) for what is compressed.
 *
 * Functions here report under the name that their caller gave with gt_site_enter. */
#ifndef GT_IO_FILE_H
#define GT_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/context.h"

/* ---- reading ---- */

typedef struct gt_FileReader {
    gt_Context *context;
    const char *path; /* the caller's */
    int descriptor;
    bool rewinds;  /* a regular file, not a pipe */
    int64_t size;  /* of a plain file; -1: not known before its end is reached */
    int64_t taken; /* bytes handed out so far */
    int64_t limit; /* and how many there may be where the size is not known */
    unsigned char *input;
    size_t input_at, input_size;
    struct gt_Gunzip *gunzip; /* NULL: plain */
    bool ended;               /* of the compressed data, or of a pipe */
} gt_FileReader;

/* Opens a file, compressed or not: its first bytes tell. False: the error is raised. */
bool gt_file_open(gt_Context *context, gt_FileReader *reader, const char *path, int64_t limit);
/* Reads `size` bytes, fewer only at the end of the file; -1 with the error raised. */
int64_t gt_file_read(gt_FileReader *reader, void *into, size_t size);
/* Back to the beginning. False: the error is raised. */
bool gt_file_rewind(gt_FileReader *reader);
void gt_file_close(gt_FileReader *reader);

/* A growing block that comes from the context's allocator and goes back to it, unpooled: what is
 * read or written for the length of one call. */
typedef struct gt_Bytes {
    char *data;
    size_t size, capacity;
} gt_Bytes;
void gt_bytes_release(gt_Context *context, gt_Bytes *bytes);
/* Makes room for `more` bytes behind the ones that are there. */
bool gt_bytes_reserve(gt_Context *context, gt_Bytes *bytes, size_t more);

/* Memory is not taken on the word of a header: before `promised` bytes are reserved, half of them
 * must be there, unless they are few or the size of the file shows that it has them. Reads that
 * much. False: the error, that the file is cut short in its `what`, is raised. */
bool gt_file_read_half(gt_FileReader *reader, int64_t promised, const char *what,
                       gt_Bytes *arrived);

/* A file without compression, read at any place: the formats that are looked into. */
int gt_file_open_plain(gt_Context *context, const char *path, int64_t *size); /* -1: raised */
bool gt_file_read_at(gt_Context *context, const char *path, int descriptor, int64_t offset,
                     void *into, size_t size);

/* ---- writing ---- */

/* A new file under a temporary name beside its final one, NAME.HOST-PROCESS-RANDOM.part. The final
 * name appears, whole and on the disk, with gt_file_commit; until then the old file stays. A
 * symbolic link is replaced. Temporary files for the same name that a process of this host left
 * when it was killed are removed, once they are a minute old. */
typedef struct gt_FileWriter {
    gt_Context *context;
    const char *path; /* the caller's */
    char *temporary;
    size_t temporary_bytes;
    int descriptor;
} gt_FileWriter;

bool gt_file_create(gt_Context *context, gt_FileWriter *writer, const char *path);
bool gt_file_write(gt_FileWriter *writer, const void *data, size_t size);
gt_Status gt_file_commit(gt_FileWriter *writer);
/* Removes the temporary file, if it is still there: after any failure. */
void gt_file_discard(gt_FileWriter *writer);

/* Adds to the end of an open file, all or nothing: what was added of it when the disk is full is taken away again. *size, if not
 * NULL, becomes the size of the file. */
bool gt_file_append(gt_Context *context, const char *path, int descriptor, const void *data, size_t bytes,
                    int64_t *size);

/* Removes at once what processes of this host, killed since, left of writing that file: for one that nobody else writes. */
void gt_file_sweep(const char *path);
/* Makes the folders that the path names and that are not there: all up to its last '/'. */
gt_Status gt_make_folders(gt_Context *context, const char *path);

/* ---- byte order ---- */

bool gt_big_endian(void);
/* Turns the bytes of each element around. */
void gt_swap_bytes(void *data, size_t count, size_t element);

/* Puts at most 24 bytes of text into `into`, whole characters of UTF-8, and bytes that are none or control a terminal as '?':
 * for messages. */
#define GT_EXCERPT 32
const char *gt_excerpt(char into[GT_EXCERPT], const char *text, size_t size);

#endif
