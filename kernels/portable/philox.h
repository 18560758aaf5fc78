/* Philox4x32-10: word number `word` of a stream. The stream of a generator's state {seed, counter}. Once for all element
 * types. needs: prelude */
typedef struct gt_stream {
    uint64_t key, counter;
} gt_stream;

static uint64_t gt_stream_mixed(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

GT_EMIT gt_stream gt_stream_of(const int64_t *state)
{
    gt_stream stream;
    stream.key = gt_stream_mixed(gt_stream_mixed((uint64_t)state[0]));
    stream.counter = (uint64_t)state[1];
    return stream;
}

GT_EMIT uint32_t gt_stream_word(gt_stream stream, uint64_t word)
{
    uint32_t c[4], k0 = (uint32_t)stream.key, k1 = (uint32_t)(stream.key >> 32);
    c[0] = (uint32_t)(word / 4), c[1] = (uint32_t)(word / 4 >> 32);
    c[2] = (uint32_t)stream.counter, c[3] = (uint32_t)(stream.counter >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t x = UINT64_C(0xd2511f53) * c[0], y = UINT64_C(0xcd9e8d57) * c[2];
        c[0] = (uint32_t)(y >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)y;
        c[2] = (uint32_t)(x >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)x;
        k0 += UINT32_C(0x9e3779b9);
        k1 += UINT32_C(0xbb67ae85);
    }
    return c[word % 4];
}
