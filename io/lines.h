/* Files of lines: vocabularies, names of classes, reviews. Leans on core. */
#ifndef GT_IO_LINES_H
#define GT_IO_LINES_H

#include "core/strings.h"

GT_BEGIN

#define gt_load_lines_OPTIONS(F, S)                                                                \
    F(S, int64_t, limit, (int64_t)1 << 30, "bytes that a compressed file may unpack to")
GT_OPTIONS(gt_load_lines_options, gt_load_lines_OPTIONS);

/* gt_load_lines("vocabulary.txt"): the lines of a file as a column of text, without "\n" or "\r\n" at their ends and without
 * the mark of UTF-8 in front. Empty lines count; what follows the last "\n" is a line if there is anything. The file may be
 * compressed with gzip. Bytes and offsets are NULL on failure: the file cannot be read, or holds more than `limit`. */
#define gt_load_lines(...)                                                                         \
    gt_load_lines_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                               \
                     GT_KEYWORDS(gt_load_lines, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Strings gt_load_lines_at(const char *here, const char *path,
                                   const gt_load_lines_options *options);

GT_END

#endif
