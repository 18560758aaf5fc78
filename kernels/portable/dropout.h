/* y[i] = x[i] scale, or 0 where number i of the stream, a float in [0, 1), is below the rate. needs: prelude philox */
GT_EMIT void GT_P(dropout)(gt_size n, const int64_t *state, float rate, double scale, const GT_REAL *x, GT_REAL *y)
{
    gt_stream stream = gt_stream_of(state);
    for (gt_size i = 0; i < n; i++) {
        float u = (float)(int32_t)(gt_stream_word(stream, (uint64_t)i) >> 8) * 0x1p-24f;
        y[i] = u >= rate ? x[i] * (GT_REAL)scale : 0;
    }
}
