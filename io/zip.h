/* ZIP archives: what NPZ files are (and .keras). Members are stored or deflated, also beyond 4 GiB. Inflating is zlib's
 * (GT_HAVE_ZLIB): it is on every system, kept with care and fast; without it stored members still work. Private to the
 * library. */
#ifndef GT_IO_ZIP_H
#define GT_IO_ZIP_H

#include "io/file.h"
#include "io/words.h"

/* ---- reading ---- */

typedef struct gt_ZipMember {
    uint16_t method; /* 0: stored, 8: deflated */
    uint32_t check;  /* CRC-32 of what is in it */
    int64_t packed, size, offset;
} gt_ZipMember;

typedef struct gt_Zip {
    gt_Context *context;
    const char *path; /* the caller's */
    int descriptor;
    int64_t size;
    gt_Words names;
    gt_ZipMember *members;
    int32_t count, capacity;
} gt_Zip;

/* Reads the directory. False: the error is raised. Close it in any case. */
bool gt_zip_open(gt_Context *context, gt_Zip *zip, const char *path);
void gt_zip_close(gt_Zip *zip);

/* A member, read from its beginning. */
typedef struct gt_ZipReader {
    gt_Zip *zip;
    const gt_ZipMember *member;
    const char *name;
    int64_t start;     /* where what is in it begins in the archive */
    int64_t at, given; /* bytes of it read, and handed out */
    uint32_t check;
    struct gt_Inflate *inflate; /* NULL: it is stored */
} gt_ZipReader;
/* An error if it says that it holds more than `limit` bytes. Close it in any case. */
bool gt_zip_read_begin(gt_Zip *zip, gt_ZipReader *reader, int32_t member, int64_t limit);
/* Exactly so many bytes; false with the error raised. With its last byte the member's checksum is verified. */
bool gt_zip_read(gt_ZipReader *reader, void *into, size_t size);
void gt_zip_read_end(gt_ZipReader *reader);

/* ---- writing ---- */

typedef struct gt_ZipWriter {
    gt_FileWriter file;
    gt_Bytes directory;
    int64_t written, members;
} gt_ZipWriter;
bool gt_zip_create(gt_Context *context, gt_ZipWriter *writer, const char *path);
/* One member of two pieces, one after the other. */
bool gt_zip_add(gt_ZipWriter *writer, const char *name, const void *head, size_t head_size,
                const void *data, size_t size, bool compressed);
/* The file appears, whole. */
gt_Status gt_zip_commit(gt_ZipWriter *writer);
void gt_zip_discard(gt_ZipWriter *writer); /* after any failure */

/* CRC-32 as of ZIP, PNG and gzip; `check` is that of what went before, 0 at first. */
uint32_t gt_crc32(uint32_t check, const void *data, size_t size);

#endif
