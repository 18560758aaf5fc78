/* PNG: a signature, then chunks, each with its length, its name and a CRC-32 of name and data. The pixels are a zlib stream
 * (RFC 1950) of stored blocks (RFC 1951): rows, each after a byte that says that it is not filtered. */
#include "io/png.h"
#include "core/inside.h"
#include "io/zip.h"

#include <string.h>

#define MOST_STORED 65535 /* bytes of a block */

static void put(gt_Bytes *out, const void *data, size_t size)
{
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_byte(gt_Bytes *out, unsigned byte)
{
    out->data[out->size++] = (char)byte;
}

static void put_big(gt_Bytes *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(out, number >> shift & 0xff);
}

static size_t begin_chunk(gt_Bytes *out, const char *name)
{
    size_t at = out->size;
    put_big(out, 0);
    put(out, name, 4);
    return at;
}

static void end_chunk(gt_Bytes *out, size_t at)
{
    size_t size = out->size - at - 8, end = out->size;
    out->size = at;
    put_big(out, (uint32_t)size);
    out->size = end;
    put_big(out, gt_crc32(0, out->data + at + 4, size + 4));
}

/* Row by row, cut into stored blocks. */
static void put_pixels(gt_Bytes *out, const unsigned char *grey, size_t width, size_t height)
{
    size_t left = (width + 1) * height, in_block = 0;
    uint32_t a = 1, b = 0; /* Adler-32 */
    put_byte(out, 0x78);
    put_byte(out, 0x01);
    for (size_t row = 0; row < height; row++)
        for (size_t column = 0; column <= width; column++) {
            unsigned byte = column ? grey[row * width + column - 1] : 0;
            if (in_block == 0) {
                in_block = left < MOST_STORED ? left : MOST_STORED;
                put_byte(out, left == in_block); /* the last block */
                put_byte(out, in_block & 0xff);
                put_byte(out, in_block >> 8 & 0xff);
                put_byte(out, ~in_block & 0xff);
                put_byte(out, ~in_block >> 8 & 0xff);
            }
            put_byte(out, byte);
            a = (a + byte) % 65521;
            b = (b + a) % 65521;
            in_block--;
            left--;
        }
    put_big(out, b << 16 | a);
}

bool gt_png_put(gt_Context *context, gt_Bytes *out, const unsigned char *grey, int64_t width,
                int64_t height)
{
    static const unsigned char kind[] = {8, 0, 0, 0, 0}; /* 8 bits, grey, as everybody writes it */
    if (width < 1 || height < 1 || width > 16384 || height > 16384) {
        gt_raise(context, GT_INVALID, NULL, NULL, "a picture must have 1 to 16384 rows and columns (got %lld and %lld)",
                 (long long)height, (long long)width);
        return false;
    }
    size_t pixels = (size_t)(width + 1) * (size_t)height;
    if (!gt_bytes_reserve(context, out, pixels + 5 * (pixels / MOST_STORED + 1) + 128))
        return false;
    put(out, "\x89PNG\r\n\x1a\n", 8);
    size_t at = begin_chunk(out, "IHDR");
    put_big(out, (uint32_t)width);
    put_big(out, (uint32_t)height);
    put(out, kind, sizeof kind);
    end_chunk(out, at);
    at = begin_chunk(out, "IDAT");
    put_pixels(out, grey, (size_t)width, (size_t)height);
    end_chunk(out, at);
    at = begin_chunk(out, "IEND");
    end_chunk(out, at);
    return true;
}
