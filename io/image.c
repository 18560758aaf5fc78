/* Which format a picture has its first bytes tell, whatever the file is called. */
#include "io/image.h"
#include "core/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GT_HAVE_PNG
#include <png.h>
#endif
#ifdef GT_HAVE_JPEG
#include <jpeglib.h>
#endif

enum { FIRST = 16 }; /* bytes that tell the format */

static bool say(char message[GT_IMAGE_MESSAGE], const char *path, const char *what)
{
    gt_text(message, GT_IMAGE_MESSAGE, "%s: %s", path, what);
    return false;
}

bool gt_image_known(const char *name)
{
    static const char *const endings[] = {"png", "jpg", "jpeg", "ppm", "pgm", "pnm"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++) {
        const char *a = dot + 1, *b = endings[i];
        while (*a && *b && (*a | 0x20) == *b)
            a++, b++;
        if (!*a && !*b)
            return true;
    }
    return false;
}

void gt_image_free(gt_Image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}

/* Memory for the pixels; false with the reason. */
static bool make(gt_Image *image, const char *path, int64_t limit, char message[GT_IMAGE_MESSAGE])
{
    if (image->height < 1 || image->width < 1)
        return say(message, path, "the picture has no pixels");
    if (image->height > limit / image->width ||
        image->height * image->width > limit / image->channels)
        return say(message, path, "the picture is larger than the limit; .limit allows more");
    image->pixels = malloc((size_t)(image->height * image->width * image->channels));
    return image->pixels || say(message, path, "out of memory");
}

/* ---- channels ---- */

/* Grey as ITU-R 601 has it, rounded: what libjpeg, libpng and Pillow compute. */
static unsigned char grey_of(const unsigned char *rgb)
{
    return (unsigned char)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
}

static void convert_pixel(const unsigned char *from, int32_t has, unsigned char *to, int32_t wanted)
{
    for (int32_t c = 0; c < wanted; c++)
        to[c] = c == 3 ? (has == 4 ? from[3] : 255) : has >= 3 ? from[c] : from[0];
    if (wanted == 1 && has >= 3)
        to[0] = grey_of(from);
}

static bool convert(gt_Image *image, const char *path, int32_t wanted, int64_t limit,
                    char message[GT_IMAGE_MESSAGE])
{
    gt_Image made = {image->height, image->width, wanted, NULL};
    if (wanted == image->channels)
        return true;
    if (!make(&made, path, limit, message))
        return false;
    for (int64_t i = 0; i < image->height * image->width; i++)
        convert_pixel(image->pixels + i * image->channels, image->channels,
                      made.pixels + i * wanted, wanted);
    gt_image_free(image);
    *image = made;
    return true;
}

/* ---- PPM and PGM (netpbm) ---- */

/* A number of the header; comments go from # to the end of the line. -1: there is none. */
static int64_t next_number(FILE *file)
{
    int c = fgetc(file);
    int64_t number = 0;
    while (c == '#' || (c > 0 && gt_is_blank((char)c))) {
        while (c == '#' && (c = fgetc(file)) != EOF && c != '\n')
            c = '#';
        c = c == EOF ? EOF : fgetc(file);
    }
    if (c == EOF || !gt_is_digit((char)c))
        return -1;
    for (; c != EOF && gt_is_digit((char)c) && number < 1 << 28; c = fgetc(file))
        number = number * 10 + (c - '0');
    return c != EOF && gt_is_blank((char)c) ? number : -1; /* one blank stands behind the last */
}

static bool read_netpbm(FILE *file, const char *path, int64_t limit, gt_Image *image,
                        char message[GT_IMAGE_MESSAGE])
{
    int kind = fgetc(file) == 'P' ? fgetc(file) : 0;
    if (kind != '5' && kind != '6')
        return say(message, path, "expected a binary PGM or PPM file (P5, P6)");
    image->channels = kind == '5' ? 1 : 3;
    image->width = next_number(file);
    image->height = next_number(file);
    int64_t most = next_number(file);
    if (image->width < 0 || image->height < 0 || most < 1 || most > 65535)
        return say(message, path, "its header is damaged");
    if (!make(image, path, limit, message))
        return false;
    size_t count = (size_t)(image->height * image->width * image->channels);
    for (size_t i = 0; i < count; i++) {
        int high = most > 255 ? fgetc(file) : 0, low = fgetc(file);
        if (high == EOF || low == EOF)
            return say(message, path, "is cut short");
        int64_t value = (int64_t)high << 8 | low;
        image->pixels[i] = (unsigned char)(((value < most ? value : most) * 255 + most / 2) / most);
    }
    return true;
}

/* ---- PNG ---- */

#ifdef GT_HAVE_PNG
static bool read_png(FILE *file, const char *path, int64_t limit, gt_Image *image,
                     char message[GT_IMAGE_MESSAGE])
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_stdio(&png, file)) {
        png_image_free(&png);
        return say(message, path, png.message);
    }
    /* the low bits of the format say what the picture has */
    bool colour = png.format & PNG_FORMAT_FLAG_COLOR, alpha = png.format & PNG_FORMAT_FLAG_ALPHA;
    png.format = !colour && !alpha ? PNG_FORMAT_GRAY : alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    *image = (gt_Image){png.height, png.width, !colour && !alpha ? 1 : alpha ? 4 : 3, NULL};
    bool ok = make(image, path, limit, message);
    if (ok && !png_image_finish_read(&png, NULL, image->pixels, 0, NULL))
        ok = say(message, path, png.message);
    png_image_free(&png);
    return ok;
}
#else
static bool read_png(FILE *file, const char *path, int64_t limit, gt_Image *image,
                     char message[GT_IMAGE_MESSAGE])
{
    (void)file, (void)limit, (void)image;
    return say(message, path,
               "is a PNG file, and this build of gradtape has no libpng (Debian: libpng-dev)");
}
#endif

/* ---- JPEG ---- */

#ifdef GT_HAVE_JPEG
typedef struct Trouble {
    struct jpeg_error_mgr base;
    jmp_buf out;
    char text[JMSG_LENGTH_MAX];
} Trouble;

static void stop(j_common_ptr common)
{
    Trouble *trouble = (Trouble *)(void *)common->err;
    common->err->format_message(common, trouble->text);
    longjmp(trouble->out, 1);
}

/* A file that is cut short is only a warning to libjpeg. */
static void heed(j_common_ptr common, int level)
{
    if (level < 0)
        stop(common);
}

static bool read_jpeg(FILE *file, const char *path, int64_t limit, gt_Image *image,
                      char message[GT_IMAGE_MESSAGE])
{
    struct jpeg_decompress_struct jpeg;
    Trouble trouble;
    memset(&jpeg, 0, sizeof jpeg);
    jpeg.err = jpeg_std_error(&trouble.base);
    trouble.base.error_exit = stop;
    trouble.base.emit_message = heed;
    if (setjmp(trouble.out)) {
        jpeg_destroy_decompress(&jpeg);
        return say(message, path, trouble.text);
    }
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK) {
        jpeg_destroy_decompress(&jpeg);
        return say(message, path, "is a picture for print (CMYK); save it as RGB");
    }
    jpeg.out_color_space = jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    *image = (gt_Image){jpeg.output_height, jpeg.output_width, jpeg.output_components, NULL};
    bool ok = make(image, path, limit, message);
    while (ok && jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = image->pixels + (size_t)jpeg.output_scanline * jpeg.output_width *
                                           (size_t)jpeg.output_components;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    if (ok)
        jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return ok;
}
#else
static bool read_jpeg(FILE *file, const char *path, int64_t limit, gt_Image *image,
                      char message[GT_IMAGE_MESSAGE])
{
    (void)file, (void)limit, (void)image;
    return say(message, path,
               "is a JPEG file, and this build of gradtape has no libjpeg (Debian: libjpeg-dev)");
}
#endif

bool gt_image_read(const char *path, int32_t channels, int64_t limit, gt_Image *image,
                   char message[GT_IMAGE_MESSAGE])
{
    unsigned char first[FIRST] = {0};
    *image = (gt_Image){.pixels = NULL};
    FILE *file = fopen(path, "rb");
    if (!file) {
        char words[GT_SYSTEM_TEXT];
        gt_text(message, GT_IMAGE_MESSAGE, "%s: cannot be opened: %s", path,
                gt_system_text(words, errno));
        return false;
    }
    size_t n = fread(first, 1, sizeof first, file);
    rewind(file);
    bool ok;
    if (n >= 8 && memcmp(first, "\x89PNG\r\n\x1a\n", 8) == 0)
        ok = read_png(file, path, limit, image, message);
    else if (n >= 3 && memcmp(first, "\xff\xd8\xff", 3) == 0)
        ok = read_jpeg(file, path, limit, image, message);
    else if (n >= 2 && first[0] == 'P' && (first[1] == '5' || first[1] == '6'))
        ok = read_netpbm(file, path, limit, image, message);
    else
        ok = say(message, path, n == 0 ? "is empty" : "is not a PNG, JPEG, PPM or PGM picture");
    fclose(file);
    ok = ok && convert(image, path, channels, limit, message);
    if (!ok)
        gt_image_free(image);
    return ok;
}
