/* Hashes of bytes: two published algorithms, written out. Numbers are read as little-endian on every machine, so a model hashes
 * alike wherever it runs. Both mix the length in, so a text and its beginning differ. */
#include "kernels/hash.h"
#include "kernels/loops.h"
#include "kernels/lookups.h"

static uint64_t read64(const unsigned char *at)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--)
        number = number << 8 | at[i];
    return number;
}

static uint64_t read32(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

static uint64_t left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t right(uint64_t x, int bits)
{
    return left(x, 64 - bits);
}

/* ---- FarmHash ---- */

#define K0 UINT64_C(0xc3a5c85c97cb3127)
#define K1 UINT64_C(0xb492b66fbe98f273)
#define K2 UINT64_C(0x9ae16a3b2f90404f)

static uint64_t folded(uint64_t x)
{
    return x ^ x >> 47;
}

/* Two numbers as one. */
static uint64_t joined(uint64_t a, uint64_t b, uint64_t factor)
{
    a = folded((a ^ b) * factor);
    return folded((b ^ a) * factor) * factor;
}

/* Up to 16 bytes: all of them, or the first and the last 4 or 8, which may overlap. */
static uint64_t hash_16(const unsigned char *s, uint64_t n)
{
    uint64_t factor = K2 + 2 * n;
    if (n >= 8) {
        uint64_t a = read64(s) + K2, b = read64(s + n - 8);
        return joined(right(b, 37) * factor + a, (right(a, 25) + b) * factor, factor);
    }
    if (n >= 4)
        return joined(n + (read32(s) << 3), read32(s + n - 4), factor);
    if (n == 0)
        return K2;
    uint64_t y = s[0] + ((uint64_t)s[n / 2] << 8), z = n + ((uint64_t)s[n - 1] << 2);
    return folded(y * K2 ^ z * K0) * K2;
}

static uint64_t hash_32(const unsigned char *s, uint64_t n)
{
    uint64_t factor = K2 + 2 * n, a = read64(s) * K1, b = read64(s + 8);
    uint64_t c = read64(s + n - 8) * factor, d = read64(s + n - 16) * K2;
    return joined(right(a + b, 43) + right(c, 30) + d, a + right(b + K2, 18) + c, factor);
}

static uint64_t hash_64(const unsigned char *s, uint64_t n)
{
    uint64_t factor = K2 + 2 * n, a = read64(s) * K2, b = read64(s + 8);
    uint64_t c = read64(s + n - 8) * factor, d = read64(s + n - 16) * K2;
    uint64_t y = right(a + b, 43) + right(c, 30) + d;
    uint64_t z = joined(y, a + right(b + K2, 18) + c, factor);
    uint64_t e = read64(s + 16) * factor, f = read64(s + 24);
    uint64_t g = (y + read64(s + n - 32)) * factor, h = (z + read64(s + n - 24)) * factor;
    return joined(right(e + f, 43) + right(g, 30) + h, e + right(f + a, 18) + g, factor);
}

typedef struct Pair {
    uint64_t first, second;
} Pair;

/* 32 bytes mixed with two numbers. */
static Pair mixed(const unsigned char *s, uint64_t a, uint64_t b)
{
    uint64_t z = read64(s + 24);
    a += read64(s);
    b = right(b + a + z, 21);
    uint64_t c = a;
    a += read64(s + 8) + read64(s + 16);
    b += right(a, 44);
    return (Pair){a + z, b + c};
}

/* 56 bytes of state: x, y, z and two pairs. */
typedef struct State {
    uint64_t x, y, z;
    Pair v, w;
} State;

/* 64 bytes of text; the last of them with another factor and stronger weights. */
static void mix_block(State *state, const unsigned char *s, uint64_t factor, uint64_t weight)
{
    uint64_t x = state->x, y = state->y, z = state->z;
    Pair v = state->v, w = state->w;
    x = right(x + y + v.first + read64(s + 8), 37) * factor;
    y = right(y + v.second + read64(s + 48), 42) * factor;
    x ^= w.second * weight;
    y += v.first * weight + read64(s + 40);
    z = right(z + w.first, 33) * factor;
    v = mixed(s, v.second * factor, x + w.first);
    w = mixed(s + 32, z + w.second, y + read64(s + 16));
    *state = (State){z, y, x, v, w}; /* x and z change places */
}

static uint64_t hash_long(const unsigned char *s, uint64_t n)
{
    const uint64_t seed = 81;
    uint64_t rest = (n - 1) & 63;
    const unsigned char *end = s + (n - 1 - rest), *last = s + n - 64;
    State state = {.x = seed * K2 + read64(s), .y = seed * K1 + 113};
    state.z = folded(state.y * K2 + 113) * K2;
    for (; s != end; s += 64)
        mix_block(&state, s, K1, 1);
    uint64_t factor = K1 + ((state.z & 255) << 1);
    state.w.first += rest;
    state.v.first += state.w.first;
    state.w.first += state.v.first;
    mix_block(&state, last, factor, 9);
    return joined(joined(state.v.first, state.w.first, factor) + folded(state.y) * K0 + state.z,
                  joined(state.v.second, state.w.second, factor) + state.x, factor);
}

uint64_t gt_hash_fast(const void *bytes, size_t size)
{
    const unsigned char *s = bytes;
    if (size <= 16)
        return hash_16(s, size);
    if (size <= 32)
        return hash_32(s, size);
    return size <= 64 ? hash_64(s, size) : hash_long(s, size);
}

/* ---- SipHash ---- */

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = left(v[1], 13) ^ v[0];
    v[0] = left(v[0], 32);
    v[2] += v[3];
    v[3] = left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = left(v[1], 17) ^ v[2];
    v[2] = left(v[2], 32);
}

static void sip_take(uint64_t v[4], uint64_t number)
{
    v[3] ^= number;
    sip_round(v);
    sip_round(v);
    v[0] ^= number;
}

uint64_t gt_hash_strong(const uint64_t key[2], const void *bytes, size_t size)
{
    const unsigned char *s = bytes, *end = s + (size & ~(size_t)7);
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    for (; s != end; s += 8)
        sip_take(v, read64(s));
    uint64_t rest = (uint64_t)size << 56; /* the length, and the bytes that are left */
    for (size_t i = 0; i < (size & 7); i++)
        rest |= (uint64_t)s[i] << 8 * i;
    sip_take(v, rest);
    v[2] ^= 255;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- integers ---- */

uint64_t gt_hash_integer(const uint64_t *key, int64_t number)
{
    char text[20];
    int at = 20;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        text[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        text[--at] = '-';
    return key ? gt_hash_strong(key, text + at, (size_t)(20 - at))
               : gt_hash_fast(text + at, (size_t)(20 - at));
}

/* Integers. Any order of tiles. */
void GT_KERNEL(tiles_hash_bucket)(const void *given, void *const *at, int64_t first, int64_t last,
                                  void *scratch)
{
    const gt_HashJob *job = given;
    const int64_t *x = at[0];
    int64_t *y = at[1];
    int64_t end = last * GT_TILE_ELEMENTS < job->n ? last * GT_TILE_ELEMENTS : job->n;
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i++)
        y[i] = (int64_t)(gt_hash_integer(job->salted ? job->key : NULL, x[i]) %
                         (uint64_t)job->buckets);
}

/* ---- crosses ---- */

uint64_t gt_hash_join(uint64_t a, uint64_t b)
{
    const uint64_t factor = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t x = (a ^ factor ^ folded(b * factor) * factor) * factor;
    return folded(folded(x) * factor);
}

/* Integers. Any order of tiles. */
void GT_KERNEL(tiles_hash_cross)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_HashCrossJob *job = given;
    const int64_t *x = at[0];
    int64_t *y = at[1];
    int64_t end = last * GT_TILE_ELEMENTS < job->n ? last * GT_TILE_ELEMENTS : job->n;
    (void)scratch;
    for (int64_t i = first * GT_TILE_ELEMENTS; i < end; i++) {
        uint64_t hash = GT_CROSS_KEY;
        for (int64_t k = 0; k < job->parts; k++)
            hash = gt_hash_join(hash, (uint64_t)x[i * job->parts + k]);
        y[i] = (int64_t)(hash % (uint64_t)job->buckets);
    }
}
