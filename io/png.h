/* PNG pictures (RFC 2083), written without a library: uncompressed, in shades of grey. Private to the library. */
#ifndef GT_IO_PNG_H
#define GT_IO_PNG_H

#include "io/file.h"

/* Appends a picture of `height` rows of `width` bytes, 0 black. False: the error is raised. */
bool gt_png_put(gt_Context *context, gt_Bytes *out, const unsigned char *grey, int64_t width,
                int64_t height);

#endif
