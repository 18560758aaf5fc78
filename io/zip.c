/* ZIP (PKWARE's APPNOTE 6.3.3): members one after the other, each with a header of its own, then a directory, then a record that
 * says where the directory is. Sizes that do not fit 32 bits stand in extra fields (zip64). Only the directory is believed, and
 * that within the bounds of the file; what a member's own header says beyond its length is passed over. Leans on file.c. */
#include "io/zip.h"
#include "core/inside.h"

#include <string.h>
#include <unistd.h>

#ifdef GT_HAVE_ZLIB
#include <zlib.h>
#endif

enum { LOCAL_BYTES = 30, ENTRY_BYTES = 46, END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20 };
#define LOCAL_MARK   0x04034b50u
#define ENTRY_MARK   0x02014b50u
#define END_MARK     0x06054b50u
#define END64_MARK   0x06064b50u
#define LOCATOR_MARK 0x07064b50u

/* ---- numbers, least byte first ---- */

static uint16_t get16(const unsigned char *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)get16(at) | (uint32_t)get16(at + 2) << 16;
}

static uint64_t get64(const unsigned char *at)
{
    return (uint64_t)get32(at) | (uint64_t)get32(at + 4) << 32;
}

static unsigned char *put(unsigned char *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++, number >>= 8)
        *at++ = (unsigned char)number;
    return at;
}

uint32_t gt_crc32(uint32_t check, const void *data, size_t size)
{
    static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                         0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                         0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                         0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
#ifdef GT_HAVE_ZLIB
    for (const unsigned char *at = data; size > 0;) {
        uInt piece = size < 1u << 30 ? (uInt)size : 1u << 30;
        check = (uint32_t)crc32(check, at, piece);
        at += piece;
        size -= piece;
    }
    (void)nibbles;
    return check;
#else
    const unsigned char *at = data;
    check = ~check;
    for (size_t i = 0; i < size; i++) {
        check = nibbles[(check ^ at[i]) & 15] ^ check >> 4;
        check = nibbles[(check ^ (uint32_t)at[i] >> 4) & 15] ^ check >> 4;
    }
    return ~check;
#endif
}

/* ---- the directory ---- */

static bool damaged(const gt_Zip *zip, const char *what)
{
    gt_raise(zip->context, GT_FORMAT, NULL, NULL, "%s: %s", zip->path, what);
    return false;
}

static bool read_at(const gt_Zip *zip, int64_t offset, void *into, size_t size)
{
    if (offset < 0 || offset > zip->size || (int64_t)size > zip->size - offset)
        return damaged(zip, "the archive is cut short or damaged");
    return gt_file_read_at(zip->context, zip->path, zip->descriptor, offset, into, size);
}

/* Where the directory is, and how many members it has. */
typedef struct Directory {
    int64_t offset, size, count;
} Directory;

/* Of a large archive, from the record that the one at `end` is preceded by. */
static bool find_large(const gt_Zip *zip, int64_t end, Directory *directory)
{
    unsigned char locator[LOCATOR_BYTES], record[END64_BYTES];
    if (!read_at(zip, end - LOCATOR_BYTES, locator, sizeof locator))
        return false;
    if (get32(locator) != LOCATOR_MARK || get64(locator + 8) > INT64_MAX)
        return damaged(zip, "the archive's directory is damaged");
    if (!read_at(zip, (int64_t)get64(locator + 8), record, sizeof record))
        return false;
    if (get32(record) != END64_MARK || get64(record + 32) > INT32_MAX ||
        get64(record + 40) > INT64_MAX || get64(record + 48) > INT64_MAX)
        return damaged(zip, "the archive's directory is damaged");
    *directory = (Directory){(int64_t)get64(record + 48), (int64_t)get64(record + 40),
                             (int64_t)get64(record + 32)};
    return true;
}

/* The record at the end, behind which only a comment may stand. */
static bool find_directory(const gt_Zip *zip, Directory *directory)
{
    enum { MOST = END_BYTES + 65535 };
    unsigned char *tail = NULL;
    int64_t size = zip->size < MOST ? zip->size : MOST, at = size - END_BYTES;
    if (at < 0)
        return damaged(zip, "is not a ZIP archive, which an NPZ file is");
    tail = gt_allocate(zip->context, MOST);
    if (!tail)
        return false;
    bool ok = read_at(zip, zip->size - size, tail, (size_t)size);
    while (ok && at >= 0 &&
           (get32(tail + at) != END_MARK || get16(tail + at + 20) != size - at - END_BYTES))
        at--;
    if (ok && at < 0)
        ok = damaged(zip, "is not a ZIP archive, which an NPZ file is, or cut short");
    if (ok) {
        const unsigned char *end = tail + at;
        *directory = (Directory){get32(end + 16), get32(end + 12), get16(end + 10)};
        if (directory->offset == UINT32_MAX || directory->size == UINT32_MAX ||
            directory->count == UINT16_MAX)
            ok = find_large(zip, zip->size - size + at, directory);
    }
    gt_release(zip->context, tail, MOST);
    return ok;
}

/* Sizes and places that do not fit the entry, from its extra fields. */
static bool read_extra(const gt_Zip *zip, const unsigned char *extra, size_t size,
                       uint64_t *numbers[3])
{
    for (size_t at = 0; at + 4 <= size;) {
        size_t bytes = get16(extra + at + 2);
        const unsigned char *field = extra + at + 4;
        if (bytes > size - at - 4)
            break;
        if (get16(extra + at) == 1) {
            for (int i = 0; i < 3; i++) {
                if (*numbers[i] != UINT32_MAX)
                    continue;
                if (bytes < 8)
                    return damaged(zip, "the archive's directory is damaged");
                *numbers[i] = get64(field);
                field += 8;
                bytes -= 8;
            }
            return true;
        }
        at += 4 + bytes;
    }
    return true;
}

/* The entry at *at, which goes behind it. */
static bool read_entry(gt_Zip *zip, const unsigned char **at, const unsigned char *end)
{
    const unsigned char *entry = *at;
    if (end - entry < ENTRY_BYTES || get32(entry) != ENTRY_MARK)
        return damaged(zip, "the archive's directory is damaged");
    size_t name = get16(entry + 28), extra = get16(entry + 30), comment = get16(entry + 32);
    if ((size_t)(end - entry) - ENTRY_BYTES < name + extra + comment)
        return damaged(zip, "the archive's directory is damaged");
    *at = entry + ENTRY_BYTES + name + extra + comment;
    uint64_t packed = get32(entry + 20), size = get32(entry + 24), offset = get32(entry + 42);
    if (!read_extra(zip, entry + ENTRY_BYTES + name, extra,
                    (uint64_t *[3]){&size, &packed, &offset}))
        return false;
    if (packed > (uint64_t)zip->size || offset > (uint64_t)zip->size || size > INT64_MAX)
        return damaged(zip, "a member is larger than the archive");
    bool encrypted = get16(entry + 8) & 1;
    if (!gt_reserve(zip->context, (void **)&zip->members, zip->count, &zip->capacity,
                    sizeof *zip->members) ||
        !gt_words_append(zip->context, &zip->names, (const char *)entry + ENTRY_BYTES, name))
        return false;
    uint16_t method = encrypted ? UINT16_MAX : get16(entry + 10);
    zip->members[zip->count++] =
        (gt_ZipMember){method, get32(entry + 16), (int64_t)packed, (int64_t)size, (int64_t)offset};
    return true;
}

bool gt_zip_open(gt_Context *context, gt_Zip *zip, const char *path)
{
    Directory directory = {0};
    *zip = (gt_Zip){.context = context, .path = path, .descriptor = -1};
    zip->descriptor = gt_file_open_plain(context, path, &zip->size);
    if (zip->descriptor < 0 || !find_directory(zip, &directory))
        return false;
    if (directory.size > zip->size || directory.count > directory.size / ENTRY_BYTES)
        return damaged(zip, "the archive's directory is damaged");
    size_t bytes = (size_t)directory.size + 1;
    unsigned char *text = gt_allocate_unpooled(context, bytes);
    bool ok = text && read_at(zip, directory.offset, text, (size_t)directory.size);
    const unsigned char *at = text;
    for (int64_t i = 0; ok && i < directory.count; i++)
        ok = read_entry(zip, &at, text + directory.size);
    gt_release_unpooled(context, text, bytes);
    return ok;
}

void gt_zip_close(gt_Zip *zip)
{
    gt_words_close(zip->context, &zip->names);
    gt_release(zip->context, zip->members, (size_t)zip->capacity * sizeof *zip->members);
    if (zip->descriptor >= 0)
        close(zip->descriptor);
    zip->descriptor = -1;
}

/* ---- members ---- */

static bool member_damaged(const gt_ZipReader *reader, const char *what)
{
    gt_raise(reader->zip->context, GT_FORMAT, NULL, NULL, "%s: member %s %s", reader->zip->path,
             reader->name, what);
    return false;
}

#ifdef GT_HAVE_ZLIB
typedef struct gt_Inflate {
    z_stream stream;
    bool ended;
    unsigned char input[64 * 1024];
} gt_Inflate;

static void *zlib_allocate(void *context, unsigned items, unsigned size)
{
    size_t bytes = (size_t)items * size + GT_ALIGNMENT;
    size_t *block = gt_allocate(context, bytes);
    if (!block)
        return NULL;
    *block = bytes;
    return (char *)block + GT_ALIGNMENT;
}

static void zlib_release(void *context, void *memory)
{
    size_t *block = (size_t *)(void *)((char *)memory - GT_ALIGNMENT);
    gt_release(context, block, *block);
}

static bool inflate_begin(gt_ZipReader *reader)
{
    gt_Context *context = reader->zip->context;
    gt_Inflate *inflate = gt_allocate(context, sizeof *inflate);
    if (!inflate)
        return false;
    memset(inflate, 0, offsetof(gt_Inflate, input));
    inflate->stream.zalloc = zlib_allocate;
    inflate->stream.zfree = zlib_release;
    inflate->stream.opaque = context;
    if (inflateInit2(&inflate->stream, -MAX_WBITS) != Z_OK) {
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "%s: zlib cannot start", reader->zip->path);
        gt_release(context, inflate, sizeof *inflate);
        return false;
    }
    reader->inflate = inflate;
    return true;
}

static void inflate_end(gt_ZipReader *reader)
{
    if (!reader->inflate)
        return;
    inflateEnd(&reader->inflate->stream);
    gt_release(reader->zip->context, reader->inflate, sizeof *reader->inflate);
    reader->inflate = NULL;
}

static bool more_input(gt_ZipReader *reader)
{
    gt_Inflate *inflate = reader->inflate;
    const gt_ZipMember *member = reader->member;
    int64_t begin = reader->at, left = member->packed - begin;
    size_t piece = left < (int64_t)sizeof inflate->input ? (size_t)left : sizeof inflate->input;
    if (piece == 0)
        return member_damaged(reader, "is cut short");
    if (!read_at(reader->zip, reader->start + begin, inflate->input, piece))
        return false;
    reader->at += (int64_t)piece;
    inflate->stream.next_in = inflate->input;
    inflate->stream.avail_in = (uInt)piece;
    return true;
}

static bool inflate_some(gt_ZipReader *reader, void *into, size_t size)
{
    z_stream *stream = &reader->inflate->stream;
    for (unsigned char *to = into; size > 0;) {
        uInt piece = size < 1u << 30 ? (uInt)size : 1u << 30;
        if (gt_interrupted(reader->zip->context)) {
            gt_raise(reader->zip->context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted",
                     reader->zip->path);
            return false;
        }
        if (reader->inflate->ended)
            return member_damaged(reader, "holds less than it says");
        if (stream->avail_in == 0 && !more_input(reader))
            return false;
        stream->next_out = to;
        stream->avail_out = piece;
        int result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) {
            gt_raise(reader->zip->context, GT_NO_MEMORY, NULL, NULL, "%s: out of memory",
                     reader->zip->path);
            return false;
        }
        if (result != Z_OK && result != Z_STREAM_END)
            return member_damaged(reader, "is damaged");
        reader->inflate->ended = result == Z_STREAM_END;
        to += piece - stream->avail_out;
        size -= piece - stream->avail_out;
    }
    return true;
}
#else
static bool inflate_begin(gt_ZipReader *reader)
{
    gt_raise(reader->zip->context, GT_UNSUPPORTED, NULL, NULL,
             "%s: member %s is compressed, and this build of gradtape has no zlib",
             reader->zip->path, reader->name);
    return false;
}

static void inflate_end(gt_ZipReader *reader)
{
    (void)reader;
}

static bool inflate_some(gt_ZipReader *reader, void *into, size_t size)
{
    (void)reader, (void)into, (void)size;
    return false;
}
#endif

bool gt_zip_read_begin(gt_Zip *zip, gt_ZipReader *reader, int32_t member, int64_t limit)
{
    unsigned char local[LOCAL_BYTES];
    const gt_ZipMember *of = &zip->members[member];
    *reader = (gt_ZipReader){.zip = zip, .member = of, .name = gt_words_text(&zip->names, member)};
    if (of->method == UINT16_MAX) {
        gt_raise(zip->context, GT_UNSUPPORTED, NULL, NULL, "%s: member %s is encrypted", zip->path,
                 reader->name);
        return false;
    }
    if (of->method != 0 && of->method != 8) {
        gt_raise(zip->context, GT_UNSUPPORTED, NULL, NULL,
                 "%s: member %s is compressed by method %d; expected 8 (deflate) or 0 (stored)",
                 zip->path, reader->name, (int)of->method);
        return false;
    }
    if (of->method == 8 && of->size > limit) {
        gt_raise(
            zip->context, GT_FORMAT, NULL, NULL,
            "%s: member %s promises %lld bytes, more than the limit of %lld; .limit allows more",
            zip->path, reader->name, (long long)of->size, (long long)limit);
        return false;
    }
    if (of->method == 0 && of->size != of->packed)
        return member_damaged(reader, "has two sizes");
    if (!read_at(zip, of->offset, local, sizeof local))
        return false;
    if (get32(local) != LOCAL_MARK)
        return member_damaged(reader, "does not begin where the directory says");
    reader->start = of->offset + LOCAL_BYTES + get16(local + 26) + get16(local + 28);
    if (reader->start > zip->size || of->packed > zip->size - reader->start)
        return member_damaged(reader, "is cut short");
    return of->method == 0 || inflate_begin(reader);
}

bool gt_zip_read(gt_ZipReader *reader, void *into, size_t size)
{
    const gt_ZipMember *member = reader->member;
    if ((int64_t)size > member->size - reader->given)
        return member_damaged(reader, "is cut short");
    bool ok = true;
    if (reader->inflate)
        ok = inflate_some(reader, into, size);
    else if (size > 0)
        ok = read_at(reader->zip, reader->start + reader->given, into, size);
    if (!ok)
        return false;
    reader->given += (int64_t)size;
    reader->check = gt_crc32(reader->check, into, size);
    if (reader->given == member->size && reader->check != member->check)
        return member_damaged(reader, "is damaged: its checksum is wrong");
    return true;
}

void gt_zip_read_end(gt_ZipReader *reader)
{
    inflate_end(reader);
}

/* ---- writing ---- */

bool gt_zip_create(gt_Context *context, gt_ZipWriter *writer, const char *path)
{
    *writer = (gt_ZipWriter){.written = 0};
    return gt_file_create(context, &writer->file, path);
}

void gt_zip_discard(gt_ZipWriter *writer)
{
    gt_file_discard(&writer->file);
    gt_bytes_release(writer->file.context, &writer->directory);
}

static bool write_bytes(gt_ZipWriter *writer, const void *data, size_t size)
{
    writer->written += (int64_t)size;
    return size == 0 || gt_file_write(&writer->file, data, size);
}

#ifdef GT_HAVE_ZLIB
/* Adds what one call of deflate gives. */
static bool deflate_some(gt_ZipWriter *writer, z_stream *stream, const void *data, size_t size,
                         int flush, gt_Bytes *out)
{
    const unsigned char *at = data;
    int result = Z_OK;
    do {
        uInt piece = size < 1u << 30 ? (uInt)size : 1u << 30;
        stream->next_in = (Bytef *)(uintptr_t)at;
        stream->avail_in = piece;
        at = piece > 0 ? at + piece : at; /* there may be no data, and NULL has no offsets */
        size -= piece;
        do {
            if (!gt_bytes_reserve(writer->file.context, out, 64 * 1024))
                return false;
            stream->next_out = (Bytef *)out->data + out->size;
            stream->avail_out = 64 * 1024;
            result = deflate(stream, size > 0 ? Z_NO_FLUSH : flush);
            out->size += 64 * 1024 - stream->avail_out;
        } while (stream->avail_out == 0);
    } while (size > 0);
    return result != Z_STREAM_ERROR;
}

static bool deflate_all(gt_ZipWriter *writer, const void *head, size_t head_size, const void *data,
                        size_t size, gt_Bytes *out)
{
    z_stream stream = {
        .zalloc = zlib_allocate, .zfree = zlib_release, .opaque = writer->file.context};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        gt_raise(writer->file.context, GT_NO_MEMORY, NULL, NULL, "%s: zlib cannot start",
                 writer->file.path);
        return false;
    }
    bool ok = deflate_some(writer, &stream, head, head_size, Z_NO_FLUSH, out) &&
              deflate_some(writer, &stream, data, size, Z_FINISH, out);
    deflateEnd(&stream);
    return ok;
}
#else
static bool deflate_all(gt_ZipWriter *writer, const void *head, size_t head_size, const void *data,
                        size_t size, gt_Bytes *out)
{
    (void)head, (void)head_size, (void)data, (void)size, (void)out;
    gt_raise(writer->file.context, GT_UNSUPPORTED, NULL, NULL,
             "%s: this build of gradtape has no zlib to compress with", writer->file.path);
    return false;
}
#endif

/* What the header of a member and its entry in the directory have in common, from the version on: 26 bytes. The date is the
 * first that the format knows, so that the same members give the same bytes. */
static unsigned char *put_common(unsigned char *at, bool large, bool compressed, uint32_t check,
                                 uint64_t packed, uint64_t size, size_t name, size_t extra)
{
    at = put(at, large ? 45 : 20, 2);
    at = put(at, 0, 2);
    at = put(at, compressed ? 8 : 0, 2);
    at = put(at, 0, 2);
    at = put(at, 0x21, 2);
    at = put(at, check, 4);
    at = put(at, large ? UINT32_MAX : packed, 4);
    at = put(at, large ? UINT32_MAX : size, 4);
    at = put(at, name, 2);
    return put(at, extra, 2);
}

static bool add_entry(gt_ZipWriter *writer, const char *name, bool compressed, uint32_t check,
                      uint64_t packed, uint64_t size, uint64_t offset)
{
    bool large = packed >= UINT32_MAX || size >= UINT32_MAX || offset >= UINT32_MAX;
    size_t length = strlen(name), extra = large ? 28 : 0;
    gt_Bytes *directory = &writer->directory;
    if (!gt_bytes_reserve(writer->file.context, directory, ENTRY_BYTES + length + extra))
        return false;
    unsigned char *at = (unsigned char *)directory->data + directory->size;
    at = put(at, ENTRY_MARK, 4);
    at = put(at, large ? 45 : 20, 2);
    at = put_common(at, large, compressed, check, packed, size, length, extra);
    at = put(at, 0, 2 + 2 + 2 + 4);
    at = put(at, large ? UINT32_MAX : offset, 4);
    memcpy(at, name, length);
    at += length;
    if (large) {
        at = put(at, 1, 2);
        at = put(at, 24, 2);
        at = put(put(put(at, size, 8), packed, 8), offset, 8);
    }
    directory->size = (size_t)(at - (unsigned char *)directory->data);
    writer->members++;
    return true;
}

bool gt_zip_add(gt_ZipWriter *writer, const char *name, const void *head, size_t head_size,
                const void *data, size_t size, bool compressed)
{
    gt_Context *context = writer->file.context;
    gt_Bytes packed = {0};
    uint64_t whole = (uint64_t)head_size + size, offset = (uint64_t)writer->written;
    size_t length = strlen(name);
    uint32_t check = gt_crc32(gt_crc32(0, head, head_size), data, size);
    if (length > UINT16_MAX) {
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: the name of a member is too long",
                 writer->file.path);
        return false;
    }
    bool ok = !compressed || deflate_all(writer, head, head_size, data, size, &packed);
    uint64_t stored = compressed ? packed.size : whole;
    bool large = stored >= UINT32_MAX || whole >= UINT32_MAX;
    unsigned char local[LOCAL_BYTES + 20], *at = put(local, LOCAL_MARK, 4);
    at = put_common(at, large, compressed, check, stored, whole, length, large ? 20 : 0);
    unsigned char extra[20];
    put(put(put(put(extra, 1, 2), 16, 2), whole, 8), stored, 8);
    ok = ok && write_bytes(writer, local, (size_t)(at - local)) &&
         write_bytes(writer, name, length) && write_bytes(writer, extra, large ? sizeof extra : 0);
    if (compressed)
        ok = ok && write_bytes(writer, packed.data, packed.size);
    else
        ok = ok && write_bytes(writer, head, head_size) && write_bytes(writer, data, size);
    gt_bytes_release(context, &packed);
    return ok && add_entry(writer, name, compressed, check, stored, whole, offset);
}

gt_Status gt_zip_commit(gt_ZipWriter *writer)
{
    gt_Context *context = writer->file.context;
    uint64_t offset = (uint64_t)writer->written, size = writer->directory.size,
             members = (uint64_t)writer->members;
    bool large = offset >= UINT32_MAX || members >= UINT16_MAX;
    unsigned char end[END64_BYTES + LOCATOR_BYTES + END_BYTES], *at = end;
    if (large) {
        at = put(put(put(put(at, END64_MARK, 4), END64_BYTES - 12, 8), 45, 2), 45, 2);
        at = put(put(put(at, 0, 8), members, 8), members, 8);
        at = put(put(at, size, 8), offset, 8);
        at = put(put(put(put(at, LOCATOR_MARK, 4), 0, 4), offset + size, 8), 1, 4);
    }
    uint64_t count = members < UINT16_MAX ? members : UINT16_MAX;
    at = put(put(put(at, END_MARK, 4), 0, 4), count, 2);
    at = put(put(at, count, 2), size < UINT32_MAX ? size : UINT32_MAX, 4);
    at = put(put(at, offset < UINT32_MAX ? offset : UINT32_MAX, 4), 0, 2);
    bool ok = write_bytes(writer, writer->directory.data, (size_t)size) &&
              write_bytes(writer, end, (size_t)(at - end));
    gt_bytes_release(context, &writer->directory);
    if (ok)
        return gt_file_commit(&writer->file);
    gt_file_discard(&writer->file);
    return gt_context_status(context);
}
