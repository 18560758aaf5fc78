/* Any bytes as a picture, the first byte chooses channels: PPM and PGM are ours, PNG and JPEG their libraries'. */
#include "tests/fuzz/fuzz.h"
#include "io/image.h"

static void fuzz_one(const uint8_t *data, size_t size)
{
    static const int32_t channels[] = {1, 3, 4};
    uint8_t how = fuzz_byte(&data, &size);
    char message[GT_IMAGE_MESSAGE] = "";
    gt_Image image;
    const char *path = fuzz_file(data, size);
    if (!gt_image_read(path, channels[how % 3], 1 << 20, &image, message)) {
        if (!strstr(message, path) || image.pixels)
            fuzz_stop("a picture is refused without its path, or pixels stay");
        return;
    }
    volatile unsigned sum = 0;
    for (int64_t i = 0; i < image.height * image.width * image.channels; i++)
        sum = sum + image.pixels[i];
    gt_image_free(&image);
}
