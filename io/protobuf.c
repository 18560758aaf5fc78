/* Protocol buffers, writing. */
#include "io/protobuf.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };
#define LONGEST_VARINT 10

static void put(gt_Proto *out, const void *data, size_t size)
{
    if (out->failed || !gt_bytes_reserve(out->context, &out->bytes, size)) {
        out->failed = true;
        return;
    }
    if (size)
        memcpy(out->bytes.data + out->bytes.size, data, size);
    out->bytes.size += size;
}

/* Seven bits a byte, the low ones first; the high bit says that more follow. */
static size_t varint(uint64_t value, unsigned char into[LONGEST_VARINT])
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        into[n++] = (unsigned char)(value | 0x80);
    into[n++] = (unsigned char)value;
    return n;
}

static void put_varint(gt_Proto *out, uint64_t value)
{
    unsigned char text[LONGEST_VARINT];
    put(out, text, varint(value, text));
}

static void put_tag(gt_Proto *out, int field, int type)
{
    put_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

static void put_fixed(gt_Proto *out, uint64_t bits, int size)
{
    unsigned char bytes[8];
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    put(out, bytes, (size_t)size);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void gt_proto_integer(gt_Proto *out, int field, int64_t value)
{
    put_tag(out, field, VARINT);
    put_varint(out, (uint64_t)value);
}

void gt_proto_double(gt_Proto *out, int field, double value)
{
    put_tag(out, field, FIXED64);
    put_fixed(out, bits_of(value), 8);
}

void gt_proto_float(gt_Proto *out, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_tag(out, field, FIXED32);
    put_fixed(out, bits, 4);
}

void gt_proto_bytes(gt_Proto *out, int field, const void *data, size_t size)
{
    put_tag(out, field, LENGTH);
    put_varint(out, size);
    put(out, data, size);
}

void gt_proto_text(gt_Proto *out, int field, const char *text)
{
    gt_proto_bytes(out, field, text, strlen(text));
}

void gt_proto_doubles(gt_Proto *out, int field, const double *values, int64_t count)
{
    put_tag(out, field, LENGTH);
    put_varint(out, (uint64_t)count * 8);
    for (int64_t i = 0; i < count; i++)
        put_fixed(out, bits_of(values[i]), 8);
}

size_t gt_proto_open(gt_Proto *out, int field)
{
    put_tag(out, field, LENGTH);
    return out->bytes.size;
}

/* The length goes in front of what was written since, which makes room. */
void gt_proto_close(gt_Proto *out, size_t at)
{
    unsigned char text[LONGEST_VARINT];
    size_t size = out->bytes.size - at, n = varint(size, text);
    put(out, text, n);
    if (out->failed)
        return;
    memmove(out->bytes.data + at + n, out->bytes.data + at, size);
    memcpy(out->bytes.data + at, text, n);
}

void gt_proto_release(gt_Proto *out)
{
    gt_bytes_release(out->context, &out->bytes);
}
