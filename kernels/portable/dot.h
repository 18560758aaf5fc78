/* The product of one row and one column of floats, each dense: 32 sums of doubles, whose products are exact, of every 32nd
 * element of 4096; joined by halves; 4096 by 4096. needs: prelude */
GT_EMIT float gt_dot_f32_text(gt_size k, const float *a, const float *b)
{
    double all = 0;
    for (gt_size from = 0; from < k; from += 4096) {
        double lane[32] = {0};
        for (gt_size p = from; p < k && p < from + 4096; p++)
            lane[(p - from) % 32] += (double)a[p] * (double)b[p];
        for (int half = 16; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                lane[l] += lane[l + half];
        all += lane[0];
    }
    return (float)all;
}
