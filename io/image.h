/* Pictures in files: PNG by libpng, JPEG by libjpeg, both optional, and PPM and PGM by code of our own. Decoding calls nothing
 * of the library's, so it may run on a thread. The two formats are large, and their libraries kept with care; a decoder of our own
 * would be neither. Private to the library. */
#ifndef GT_IO_IMAGE_H
#define GT_IO_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GT_IMAGE_MESSAGE 256

/* Bytes in rows, channels last: 1 of grey, 3 of red, green and blue, 4 with alpha. */
typedef struct gt_Image {
    int64_t height, width;
    int32_t channels;
    unsigned char *pixels; /* from malloc */
} gt_Image;

/* Is this the name of a file that gt_image_read knows? By its ending: png, jpg, jpeg, ppm, pgm, pnm. */
bool gt_image_known(const char *name);
/* Reads a picture as one of `channels` channels (1, 3, 4), of at most `limit` bytes. False with a message that names the path. */
bool gt_image_read(const char *path, int32_t channels, int64_t limit, gt_Image *image,
                   char message[GT_IMAGE_MESSAGE]);
void gt_image_free(gt_Image *image);

#endif
