/* Files of lines. Leans on file.c. */
#include "io/lines.h"
#include "core/strings_inside.h"
#include "io/file.h"

#include <string.h>

enum { PIECE = 1 << 16 };

/* The whole file behind what is there. */
static bool read_all(gt_FileReader *reader, gt_Bytes *all)
{
    int64_t n = 0;
    do {
        if (!gt_bytes_reserve(reader->context, all, PIECE) ||
            (n = gt_file_read(reader, all->data + all->size, PIECE)) < 0)
            return false;
        all->size += (size_t)n;
    } while (n > 0);
    return true;
}

/* The line at `at`, of at most `left` bytes and without what ends it; `*taken` bytes with that. */
static gt_Piece line_at(const char *at, size_t left, size_t *taken)
{
    const char *end = memchr(at, '\n', left);
    size_t length = end ? (size_t)(end - at) : left;
    *taken = length + (end != NULL);
    return (gt_Piece){at, length - (end && length > 0 && at[length - 1] == '\r')};
}

static gt_Strings split(gt_Context *context, const gt_Bytes *all)
{
    gt_TextBuilder lines = {.count = 0};
    gt_Strings made = {NULL, NULL, 0};
    size_t at = all->size >= 3 && memcmp(all->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, taken;
    for (bool done = true; at < all->size && done; at += taken) {
        gt_Piece line = line_at(all->data + at, all->size - at, &taken);
        done = gt_builder_put(context, &lines, line.at, line.length) &&
               gt_builder_end(context, &lines);
    }
    if (gt_context_status(context) == GT_OK)
        made = gt_builder_strings(context, &lines);
    gt_builder_close(context, &lines);
    return made;
}

static gt_Strings read_lines(gt_Context *context, const char *path,
                             const gt_load_lines_options *options)
{
    gt_FileReader reader;
    gt_Strings made = {NULL, NULL, 0};
    gt_Bytes all = {0};
    if (options->limit < 0) {
        gt_raise(context, GT_INVALID, NULL, NULL, "limit must be >= 0 (got %lld)",
                 (long long)options->limit);
        return made;
    }
    if (!gt_file_open(context, &reader, path, options->limit))
        return made;
    if (read_all(&reader, &all))
        made = split(context, &all);
    gt_bytes_release(context, &all);
    gt_file_close(&reader);
    return made;
}

GT_OPTION_TYPE(gt_load_lines_options, gt_load_lines_OPTIONS);

gt_Strings gt_load_lines_at(const char *here, const char *path, const gt_load_lines_options *given)
{
    gt_load_lines_options options;
    GT_TAKE(gt_load_lines_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return (gt_Strings){NULL, NULL, 0};
    gt_Site site = gt_site_enter(here, "load_lines");
    gt_Strings made = read_lines(context, path, &options);
    gt_site_leave(&site);
    return made;
}
