/* Files: reading plain and gzip'ed, writing all or nothing. Leans on POSIX, core for memory and
 * errors, zlib if built with it. */
#define _FILE_OFFSET_BITS 64

#include "io/file.h"
#include "core/assert.h"
#include "core/inside.h"
#include "core/text.h"
#include "io/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef GT_HAVE_ZLIB
#include <zlib.h>
#endif

#define INPUT_BYTES  ((size_t)64 * 1024)
#define MOST_AT_ONCE ((size_t)1 << 30) /* systems refuse reads and writes of 2 GB and more */
#define FEW          (1 << 20)         /* bytes that are reserved before any has arrived */

/* ---- the system's calls, with its interruptions taken care of ---- */

static bool interrupted(gt_Context *context, const char *path)
{
    if (!gt_interrupted(context))
        return false;
    gt_raise(context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted", path);
    return true;
}

static int open_file(gt_Context *context, const char *path, struct stat *info)
{
    if (!path || !*path) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the path is %s", path ? "empty" : "NULL");
        return -1;
    }
    char words[GT_SYSTEM_TEXT];
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        gt_raise(context, GT_IO, NULL, NULL, "%s: cannot be opened: %s", path,
                 gt_system_text(words, errno));
        return -1;
    }
    if (fstat(descriptor, info) != 0)
        gt_raise(context, GT_IO, NULL, NULL, "%s: cannot be looked at: %s", path,
                 gt_system_text(words, errno));
    else if (S_ISDIR(info->st_mode))
        gt_raise(context, GT_IO, NULL, NULL, "%s: is a folder, not a file", path);
    else
        return descriptor;
    close(descriptor);
    return -1;
}

/* Reads on until `size` bytes are there or the file ends; from `offset` on, or (-1) where it is. */
static int64_t read_fully(gt_Context *context, const char *path, int descriptor, int64_t offset,
                          void *into, size_t size)
{
    char words[GT_SYSTEM_TEXT];
    size_t done = 0;
    while (done < size) {
        size_t wanted = size - done < MOST_AT_ONCE ? size - done : MOST_AT_ONCE;
        char *to = (char *)into + done;
        if (interrupted(context, path))
            return -1;
        ssize_t n = offset < 0 ? read(descriptor, to, wanted)
                               : pread(descriptor, to, wanted, (off_t)(offset + (int64_t)done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            gt_raise(context, GT_IO, NULL, NULL, "%s: cannot be read: %s", path,
                     gt_system_text(words, errno));
            return -1;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

/* ---- gunzip ---- */

#ifdef GT_HAVE_ZLIB

struct gt_Gunzip {
    z_stream stream;
    bool between; /* a member ended; what follows, if anything, must be another one */
};

/* zlib gives memory back without its size: it stands before the block. */
#define ZLIB_HEAD ((size_t)GT_ALIGNMENT)

static void *zlib_allocate(void *context, unsigned int items, unsigned int size)
{
    size_t bytes = (size_t)items * size + ZLIB_HEAD;
    char *block = gt_allocate(context, bytes);
    if (!block)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + ZLIB_HEAD;
}

static void zlib_release(void *context, void *memory)
{
    char *block = (char *)memory - ZLIB_HEAD;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    gt_release(context, block, bytes);
}

static bool gunzip_open(gt_FileReader *reader)
{
    struct gt_Gunzip *gunzip = gt_allocate_zeroed(reader->context, sizeof *gunzip);
    if (!gunzip)
        return false;
    gunzip->stream.zalloc = zlib_allocate;
    gunzip->stream.zfree = zlib_release;
    gunzip->stream.opaque = reader->context;
    if (inflateInit2(&gunzip->stream, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip and nothing else */
        gt_raise(reader->context, GT_UNSUPPORTED, NULL, NULL, "%s: zlib does not start: %s",
                 reader->path, gunzip->stream.msg ? gunzip->stream.msg : "wrong version");
        gt_release(reader->context, gunzip, sizeof *gunzip);
        return false;
    }
    reader->gunzip = gunzip;
    return true;
}

static void gunzip_close(gt_FileReader *reader)
{
    if (!reader->gunzip)
        return;
    inflateEnd(&reader->gunzip->stream);
    gt_release(reader->context, reader->gunzip, sizeof *reader->gunzip);
    reader->gunzip = NULL;
}

static void gunzip_rewind(gt_FileReader *reader)
{
    inflateReset(&reader->gunzip->stream);
    reader->gunzip->between = false;
}

static bool refill(gt_FileReader *reader)
{
    int64_t n = read_fully(reader->context, reader->path, reader->descriptor, -1, reader->input,
                           INPUT_BYTES);
    reader->input_at = 0;
    reader->input_size = n > 0 ? (size_t)n : 0;
    return n >= 0;
}

static int64_t gunzip_read(gt_FileReader *reader, void *into, size_t size)
{
    z_stream *stream = &reader->gunzip->stream;
    size_t done = 0;
    while (done < size && !reader->ended) {
        if (reader->input_at == reader->input_size && !refill(reader))
            return -1;
        if (reader->input_size == 0) {
            if (!reader->gunzip->between) {
                gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                         "%s: the compressed data is cut short", reader->path);
                return -1;
            }
            reader->ended = true;
            break;
        }
        if (reader->gunzip->between) {
            inflateReset(stream);
            reader->gunzip->between = false;
        }
        size_t room = size - done < MOST_AT_ONCE ? size - done : MOST_AT_ONCE;
        stream->next_in = reader->input + reader->input_at;
        stream->avail_in = (unsigned int)(reader->input_size - reader->input_at);
        stream->next_out = (unsigned char *)into + done;
        stream->avail_out = (unsigned int)room;
        int result = inflate(stream, Z_NO_FLUSH);
        done += room - stream->avail_out;
        reader->input_at = reader->input_size - stream->avail_in;
        if (result == Z_STREAM_END) {
            reader->gunzip->between = true;
        } else if (result == Z_MEM_ERROR) {
            gt_raise(reader->context, GT_NO_MEMORY, NULL, NULL, "%s: no memory to unpack it",
                     reader->path);
            return -1;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                     "%s: the compressed data is damaged: %s", reader->path,
                     stream->msg ? stream->msg : "it asks for a dictionary");
            return -1;
        }
    }
    return (int64_t)done;
}

#else

static bool gunzip_open(gt_FileReader *reader)
{
    gt_raise(reader->context, GT_UNSUPPORTED, NULL, NULL,
             "%s: is compressed with gzip, and this build of gradtape has no zlib; unpack it first "
             "or build with -Dzlib=enabled",
             reader->path);
    return false;
}

static void gunzip_rewind(gt_FileReader *reader)
{
    (void)reader;
}

static void gunzip_close(gt_FileReader *reader)
{
    (void)reader;
}

static int64_t gunzip_read(gt_FileReader *reader, void *into, size_t size)
{
    (void)reader;
    (void)into;
    (void)size;
    return -1;
}

#endif

/* ---- reading ---- */

bool gt_file_open(gt_Context *context, gt_FileReader *reader, const char *path, int64_t limit)
{
    struct stat info;
    *reader = (gt_FileReader){.context = context, .path = path, .size = -1, .limit = limit};
    reader->descriptor = open_file(context, path, &info);
    if (reader->descriptor < 0)
        return false;
    reader->input = gt_allocate(context, INPUT_BYTES);
    int64_t n = reader->input
                    ? read_fully(context, path, reader->descriptor, -1, reader->input, INPUT_BYTES)
                    : -1;
    if (n >= 0) {
        reader->input_size = (size_t)n;
        bool packed = n >= 2 && reader->input[0] == 0x1f && reader->input[1] == 0x8b;
        reader->rewinds = S_ISREG(info.st_mode);
        if (!packed && reader->rewinds)
            reader->size = (int64_t)info.st_size;
        if (!packed || gunzip_open(reader))
            return true;
    }
    gt_file_close(reader);
    return false;
}

int64_t gt_file_read(gt_FileReader *reader, void *into, size_t size)
{
    int64_t n;
    if (reader->gunzip) {
        n = gunzip_read(reader, into, size);
    } else {
        GT_ASSERT(reader->input_at <= reader->input_size);
        size_t ready = reader->input_size - reader->input_at;
        ready = size < ready ? size : ready;
        memcpy(into, reader->input + reader->input_at, ready);
        reader->input_at += ready;
        n = read_fully(reader->context, reader->path, reader->descriptor, -1, (char *)into + ready,
                       size - ready);
        n = n < 0 ? n : n + (int64_t)ready;
    }
    if (n < 0)
        return n;
    reader->taken += n;
    if (reader->size < 0 && reader->taken > reader->limit) {
        gt_raise(reader->context, GT_FORMAT, NULL, NULL,
                 "%s: holds more than %lld bytes; .limit allows more", reader->path,
                 (long long)reader->limit);
        return -1;
    }
    return n;
}

bool gt_file_rewind(gt_FileReader *reader)
{
    char words[GT_SYSTEM_TEXT];
    if (lseek(reader->descriptor, 0, SEEK_SET) != 0) {
        gt_raise(reader->context, GT_IO, NULL, NULL, "%s: cannot be read again: %s", reader->path,
                 gt_system_text(words, errno));
        return false;
    }
    reader->taken = 0;
    reader->input_at = reader->input_size = 0;
    reader->ended = false;
    if (reader->gunzip)
        gunzip_rewind(reader);
    return true;
}

void gt_file_close(gt_FileReader *reader)
{
    gunzip_close(reader);
    gt_release(reader->context, reader->input, INPUT_BYTES);
    reader->input = NULL;
    if (reader->descriptor >= 0)
        close(reader->descriptor);
    reader->descriptor = -1;
}

void gt_bytes_release(gt_Context *context, gt_Bytes *bytes)
{
    gt_release_unpooled(context, bytes->data, bytes->capacity);
    *bytes = (gt_Bytes){0};
}

static bool resize(gt_Context *context, gt_Bytes *bytes, size_t capacity)
{
    char *grown = gt_allocate_unpooled(context, capacity);
    if (!grown)
        return false;
    if (bytes->size)
        memcpy(grown, bytes->data, bytes->size);
    gt_release_unpooled(context, bytes->data, bytes->capacity);
    bytes->data = grown;
    bytes->capacity = capacity;
    return true;
}

bool gt_bytes_reserve(gt_Context *context, gt_Bytes *bytes, size_t more)
{
    if (more <= bytes->capacity - bytes->size)
        return true;
    if (more > SIZE_MAX / 8 || bytes->capacity > SIZE_MAX / 8) {
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: %zu bytes wanted", more);
        return false;
    }
    size_t wanted = bytes->capacity ? bytes->capacity * 2 : 256;
    return resize(context, bytes, wanted < bytes->size + more ? bytes->size + more : wanted);
}

bool gt_file_read_half(gt_FileReader *reader, int64_t promised, const char *what, gt_Bytes *arrived)
{
    size_t half = (size_t)(promised / 2);
    bool ok = true;
    *arrived = (gt_Bytes){0};
    if (promised <= FEW || reader->size - reader->taken >= promised)
        return true;
    while (ok && arrived->size < half) {
        size_t wanted = arrived->size ? 2 * arrived->size : INPUT_BYTES;
        ok = resize(reader->context, arrived, wanted < half ? wanted : half);
        size_t room = arrived->capacity - arrived->size;
        int64_t n = ok ? gt_file_read(reader, arrived->data + arrived->size, room) : -1;
        if (n >= 0 && (size_t)n < room)
            gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: is cut short in its %s",
                     reader->path, what);
        ok = n >= 0 && (size_t)n == room;
        arrived->size += ok ? room : 0;
    }
    if (!ok)
        gt_bytes_release(reader->context, arrived);
    return ok;
}

int gt_file_open_plain(gt_Context *context, const char *path, int64_t *size)
{
    struct stat info;
    int descriptor = open_file(context, path, &info);
    if (descriptor < 0)
        return -1;
    if (!S_ISREG(info.st_mode)) {
        gt_raise(context, GT_IO, NULL, NULL, "%s: is not a regular file", path);
        close(descriptor);
        return -1;
    }
    *size = (int64_t)info.st_size;
    return descriptor;
}

bool gt_file_read_at(gt_Context *context, const char *path, int descriptor, int64_t offset,
                     void *into, size_t size)
{
    int64_t n = read_fully(context, path, descriptor, offset, into, size);
    if (n >= 0 && (size_t)n < size)
        gt_raise(context, GT_IO, NULL, NULL,
                 "%s: ends at byte %lld now: it was changed while it was open", path,
                 (long long)(offset + n));
    return n >= 0 && (size_t)n == size;
}

/* ---- writing ---- */

static bool cannot(gt_Context *context, const char *path, const char *what)
{
    char words[GT_SYSTEM_TEXT];
    gt_raise(context, GT_IO, NULL, NULL, "%s: %s: %s", path, what, gt_system_text(words, errno));
    return false;
}

static bool write_failed(gt_FileWriter *writer, const char *what)
{
    return cannot(writer->context, writer->path, what);
}

static bool write_fully(gt_Context *context, const char *path, int descriptor, const void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t wanted = size - done < MOST_AT_ONCE ? size - done : MOST_AT_ONCE;
        if (interrupted(context, path))
            return false;
        ssize_t n = write(descriptor, (const char *)data + done, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) /* no system does it; it must not go on forever */
            errno = ENOSPC;
        if (n <= 0)
            return cannot(context, path, "cannot be written");
        done += (size_t)n;
    }
    return true;
}

/* A temporary file lies in the folder of the final one, since a rename must not cross file systems,
 * and is called NAME.HOST-PROCESS-RANDOM.part. A process that is killed leaves it behind; whoever
 * saves under the same name next removes it, if the process that made it on this host is gone. What
 * is younger than a minute stays: where hosts share a name (containers do) the process may live
 * unseen. */
#ifndef NAME_MAX
#define NAME_MAX 255
#endif
#define HOST_BYTES   65
#define TAIL_BYTES   (20 + 1 + 16 + (int)sizeof SUFFIX) /* PROCESS-RANDOM.part and a 0 */
#define SUFFIX       ".part"
#define FRESH        60 /* seconds */
#define RANDOM_TRIES 100

/* Characters that do not fit a file's name become '_'. */
static const char *host_name(char into[HOST_BYTES])
{
    if (gethostname(into, HOST_BYTES) != 0)
        strcpy(into, "localhost");
    into[HOST_BYTES - 1] = 0;
    for (char *at = into; *at; at++)
        if (!gt_is_letter(*at) && !gt_is_digit(*at) && *at != '-' && *at != '.')
            *at = '_';
    return into;
}

/* "NAME.HOST-", which all temporary files for this name on this host begin with, behind the
 * folder's bytes in `into`; of a long NAME as many whole characters as leave room for the rest. */
static void put_prefix(char *into, const char *name)
{
    char host[HOST_BYTES];
    size_t most = NAME_MAX - TAIL_BYTES - 1 - strlen(host_name(host)), length = strlen(name);
    if (length > most)
        for (length = most; length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80;)
            length--;
    gt_text(into, NAME_MAX + 1, "%.*s.%s-", (int)length, name, host);
}

/* The process in "PROCESS-RANDOM.part"; 0 if it is anything else. */
static pid_t process_of(const char *tail)
{
    int64_t process;
    size_t digits = strspn(tail, "0123456789");
    if (digits > 0 && gt_parse_integer(tail, digits, &process) && process <= INT32_MAX &&
        tail[digits] == '-' && strspn(tail + digits + 1, "0123456789abcdef") == 16 &&
        strcmp(tail + digits + 17, SUFFIX) == 0)
        return (pid_t)process;
    return 0;
}

/* Those older than a minute when the file of `made` was made, by the file system's clock; without it, of any age: that clock may
 * be ahead of this machine's. What cannot be looked at or removed stays. */
static void remove_leftovers(const char *folder, const char *prefix, const struct stat *made)
{
    DIR *list = opendir(folder);
    size_t length = strlen(prefix);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        struct stat info;
        pid_t process =
            strncmp(entry->d_name, prefix, length) == 0 ? process_of(entry->d_name + length) : 0;
        if (process > 0 && kill(process, 0) != 0 && errno == ESRCH &&
            fstatat(dirfd(list), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && (!made || info.st_mtime < made->st_mtime - FRESH))
            unlinkat(dirfd(list), entry->d_name, 0);
    }
    if (list)
        closedir(list);
}

/* Good enough that processes which cannot see each other do not meet; O_EXCL sees to the rest. */
static uint64_t random_number(const void *salt)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    x ^= (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)salt;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Creates the temporary file; its name is in the writer. */
static bool create_temporary(gt_FileWriter *writer)
{
    const char *slash = strrchr(writer->path, '/');
    size_t folder = slash ? (size_t)(slash - writer->path) + 1 : 0;
    char *name = writer->temporary + folder, prefix[NAME_MAX + 1];
    struct stat info;
    put_prefix(prefix, writer->path + folder);
    size_t length = strlen(prefix);
    memcpy(writer->temporary, writer->path, folder);
    memcpy(name, prefix, length);
    for (int try = 0; try < RANDOM_TRIES && writer->descriptor < 0; try++) {
        gt_text(name + length, TAIL_BYTES, "%ld-%016llx" SUFFIX, (long)getpid(),
                (unsigned long long)random_number(&info) + (unsigned long long)try);
        writer->descriptor = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->descriptor < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    if (writer->descriptor < 0)
        return write_failed(writer, "cannot be created");
    if (fstat(writer->descriptor, &info) == 0) {
        char first = *name;
        *name = 0;
        remove_leftovers(folder ? writer->temporary : ".", prefix, &info);
        *name = first;
    }
    return true;
}

void gt_file_sweep(const char *path)
{
    char folder[PATH_MAX], prefix[NAME_MAX + 1];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof folder)
        return;
    memcpy(folder, path, length);
    folder[length] = 0;
    put_prefix(prefix, path + length);
    remove_leftovers(length ? folder : ".", prefix, NULL);
}

gt_Status gt_make_folders(gt_Context *context, const char *path)
{
    char folder[PATH_MAX], words[GT_SYSTEM_TEXT];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        if (length == 0)
            continue;
        if (length >= sizeof folder)
            return gt_raise(context, GT_IO, NULL, NULL, "%.80s...: the path is too long", path);
        memcpy(folder, path, length);
        folder[length] = 0;
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return gt_raise(context, GT_IO, NULL, NULL, "%s: the folder cannot be made: %s", folder,
                            gt_system_text(words, errno));
    }
    return gt_context_status(context);
}

bool gt_file_create(gt_Context *context, gt_FileWriter *writer, const char *path)
{
    struct stat old;
    *writer = (gt_FileWriter){.context = context, .path = path, .descriptor = -1};
    if (!path || !*path) {
        gt_raise(context, GT_INVALID, NULL, NULL, "the path is %s", path ? "empty" : "NULL");
        return false;
    }
    bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {
        gt_raise(context, GT_IO, NULL, NULL, "%s: is there already and not a regular file", path);
        return false;
    }
    writer->temporary_bytes = strlen(path) + NAME_MAX + 1;
    writer->temporary = gt_allocate(context, writer->temporary_bytes);
    if (!writer->temporary)
        return false;
    if (!create_temporary(writer)) {
        gt_release(context, writer->temporary, writer->temporary_bytes);
        writer->temporary = NULL;
        return false;
    }
    if (exists)
        fchmod(writer->descriptor, old.st_mode & 0777); /* failing, it has those of a new file */
    return true;
}

bool gt_file_write(gt_FileWriter *writer, const void *data, size_t size)
{
    return write_fully(writer->context, writer->path, writer->descriptor, data, size);
}

bool gt_file_append(gt_Context *context, const char *path, int descriptor, const void *data, size_t bytes,
                    int64_t *size)
{
    off_t before = lseek(descriptor, 0, SEEK_END);
    if (!write_fully(context, path, descriptor, data, bytes)) {
        if (before >= 0 && ftruncate(descriptor, before) != 0 && errno != EINVAL) /* a device has no size */
            gt_warn(context, NULL, "file_append", "%s: ends in the middle of what was written last", path);
        return false;
    }
    if (size)
        *size = before < 0 ? -1 : (int64_t)before + (int64_t)bytes;
    return true;
}

/* The new name is in the folder, and the folder must be on the disk too. What cannot flush a folder
 * (some file systems, a folder that may not be read) is left as it is. */
static bool flush_folder(gt_FileWriter *writer)
{
    char *folder = writer->temporary; /* not needed any more, and as long as the path */
    const char *slash = strrchr(writer->path, '/');
    size_t length = slash ? (size_t)(slash - writer->path) : 0;
    memcpy(folder, writer->path, length);
    folder[length] = 0;
    int descriptor = open(length ? folder : slash ? "/" : ".", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return true;
    bool ok = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF;
    if (!ok)
        write_failed(writer, "was written, but its folder cannot be flushed to the disk");
    close(descriptor);
    return ok;
}

gt_Status gt_file_commit(gt_FileWriter *writer)
{
    int descriptor = writer->descriptor;
    if (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP) {
        write_failed(writer, "cannot be flushed to the disk");
    } else {
        writer->descriptor = -1; /* close gives it back whatever it returns */
        if (close(descriptor) != 0 && errno != EINTR)
            write_failed(writer, "cannot be closed");
        else if (rename(writer->temporary, writer->path) != 0)
            write_failed(writer, "cannot be put in place");
        else {
            flush_folder(writer);
            gt_release(writer->context, writer->temporary, writer->temporary_bytes);
            writer->temporary = NULL;
        }
    }
    gt_file_discard(writer);
    return gt_context_status(writer->context);
}

void gt_file_discard(gt_FileWriter *writer)
{
    if (writer->descriptor >= 0)
        close(writer->descriptor);
    writer->descriptor = -1;
    if (!writer->temporary)
        return;
    unlink(writer->temporary);
    gt_release(writer->context, writer->temporary, writer->temporary_bytes);
    writer->temporary = NULL;
}

/* ---- bytes ---- */

bool gt_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

void gt_swap_bytes(void *data, size_t count, size_t element)
{
    unsigned char *at = data;
    for (size_t i = 0; i < count && element > 1; i++, at += element)
        for (size_t k = 0; k < element / 2; k++) {
            unsigned char low = at[k];
            at[k] = at[element - 1 - k];
            at[element - 1 - k] = low;
        }
}

#define MOST_SHOWN 24 /* bytes: an excerpt and its points fit GT_EXCERPT */

/* Of a character its bytes; 0: it cannot be shown, as a control character, which a terminal would obey. */
static size_t shown_bytes(const char *at, size_t size)
{
    size_t bytes = gt_utf8_length(at, size);
    bool control = (bytes == 1 && (*at < ' ' || *at == 0x7f)) ||
                   (bytes == 2 && (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0);
    return control ? 0 : bytes;
}

const char *gt_excerpt(char into[GT_EXCERPT], const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && n < MOST_SHOWN) {
        size_t bytes = shown_bytes(text + n, size - n);
        if (n + bytes > MOST_SHOWN)
            break;
        memcpy(into + n, bytes ? text + n : "?", bytes ? bytes : 1);
        n += bytes ? bytes : 1;
    }
    memcpy(into + n, n < size ? "..." : "", n < size ? 4 : 1);
    return into;
}
