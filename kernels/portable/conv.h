/* Convolutions: x (images, in, groups a), k (size, a, groups b), y (images, out, groups b). y of a position is one product
 * over (place of the window, channel), zeros in the padding counted. The gradient of x: products over b, each rounded, are
 * added to x position by position, place by place; `pointwise`, windows of size and step 1, they are x. The gradient of k:
 * products over 512 positions at a time, added in order, as doubles where there are more than 16 * 512 and elements are
 * floats. `room`: places * a elements, of the last b + 512. Not for depthwise ones (a = b = 1, groups > 1).
 * needs: prelude product window */
GT_EMIT void GT_P(conv)(const gt_window *w, gt_size groups, gt_size a, gt_size b, const GT_REAL *x,
                        const GT_REAL *k, GT_REAL *y, GT_REAL *room)
{
    gt_size taps = gt_window_places(w->size), rows = w->images * gt_window_places(w->out);
    for (gt_size row = 0; row < rows; row++)
        for (gt_size g = 0; g < groups; g++) {
            for (gt_size p = 0; p < taps; p++) {
                gt_size at = gt_window_tap(w, row, p);
                for (gt_size c = 0; c < a; c++)
                    room[p * a + c] = at < 0 ? 0 : x[(at * groups + g) * a + c];
            }
            GT_P(product)(1, b, taps * a, room, 0, 1, k + g * b, groups * b, 1, y + (row * groups + g) * b, 0);
        }
}

GT_EMIT void GT_P(conv_input_gradient)(const gt_window *w, int pointwise, gt_size groups, gt_size a, gt_size b,
                                       const GT_REAL *u, const GT_REAL *k, GT_REAL *x, GT_REAL *room)
{
    gt_size taps = gt_window_places(w->size), rows = w->images * gt_window_places(w->out);
    for (gt_size i = 0; i < w->images * gt_window_places(w->in) * groups * a; i++)
        x[i] = 0;
    for (gt_size row = 0; row < rows; row++)
        for (gt_size g = 0; g < groups; g++) {
            GT_P(product)(1, taps * a, b, u + (row * groups + g) * b, 0, 1, k + g * b, 1, groups * b, room, 0);
            for (gt_size p = 0; p < taps; p++) {
                gt_size at = gt_window_tap(w, row, p);
                GT_REAL *to = x + (at * groups + g) * a;
                for (gt_size c = 0; at >= 0 && c < a; c++)
                    to[c] = pointwise ? room[p * a + c] : to[c] + room[p * a + c];
            }
        }
}

GT_EMIT void GT_P(conv_kernel_gradient)(const gt_window *w, gt_size groups, gt_size a, gt_size b, const GT_REAL *x,
                                        const GT_REAL *u, GT_REAL *k, GT_REAL *room)
{
    gt_size taps = gt_window_places(w->size), rows = w->images * gt_window_places(w->out);
    int wide = !GT_DOUBLE && rows > 16 * 512;
    for (gt_size i = 0; i < taps * a * groups; i++)
        for (gt_size j = 0; j < b; j++) {
            gt_size p = i / groups / a, c = i / groups % a, g = i % groups;
            double all = 0;
            GT_REAL sum = 0, part;
            for (gt_size from = 0; from < rows; from += 512) {
                gt_size count = rows - from < 512 ? rows - from : 512;
                for (gt_size r = 0; r < count; r++) {
                    gt_size at = gt_window_tap(w, from + r, p);
                    room[r] = at < 0 ? 0 : x[(at * groups + g) * a + c];
                }
                GT_P(product)(1, 1, count, room, 0, 1, u + (from * groups + g) * b + j, groups * b, 1, &part, 0);
                sum = from ? sum + part : part;
                all += (double)part;
            }
            k[((p * a + c) * groups + g) * b + j] = wide ? (GT_REAL)all : sum;
        }
}
