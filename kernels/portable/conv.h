/* Convolutions: x (images, in, groups a), k (size, a, groups b), y (images, out, groups b); depthwise ones have a = b = 1. y of
 * a position: a sum over (place of the window, channel), zeros in the padding counted, but for places that are padding for every
 * position; the kernels leave products with padding out where that saves time, which changes no bit where k is finite. The
 * gradient of x: a sum over the places that meet the position, the last one first, and b, positions of y that are not there
 * counted as zeros. Both in parts of 2048, each one sum from 0, added in order. The gradient of k: a sum over the positions of y in parts of `slice`, counted
 * anew every `each` units, which are lines of y, cut into `pieces` of `wide` positions; added in order, from 0 again every `block`
 * units; blocks are added as doubles in order, in up to 16 parts of as many blocks, and so are the parts. needs: prelude window */
typedef struct GT_P(conv_sum) {
    GT_REAL all, part;
    gt_size count;
} GT_P(conv_sum);

/* Is the place not padding for every position? Only with distances above 1 is it ever. */
static int GT_P(conv_counts)(const gt_window *w, gt_size tap)
{
    for (int d = 2; d >= 0; d--) {
        gt_size first = tap % w->size[d] * w->dilation[d] - w->before[d];
        if (w->dilation[d] > 1 && (first >= w->in[d] || first + w->out[d] - 1 < 0))
            return 0;
        tap /= w->size[d];
    }
    return 1;
}

/* Adds a product to a sum in parts of `most`. */
static void GT_P(conv_add)(GT_P(conv_sum) *sum, gt_size most, GT_REAL a, GT_REAL b)
{
    sum->part += a * b;
    if (++sum->count % most == 0) {
        sum->all += sum->part;
        sum->part = 0;
    }
}

GT_EMIT void GT_P(conv)(const gt_window *w, gt_size groups, gt_size a, gt_size b, const GT_REAL *x,
                        const GT_REAL *k, GT_REAL *y)
{
    gt_size taps = gt_window_places(w->size), rows = w->images * gt_window_places(w->out);
    for (gt_size i = 0; i < rows * groups * b; i++) {
        gt_size row = i / (groups * b), j = i % (groups * b), g = j / b;
        GT_P(conv_sum) sum = {0, 0, 0};
        for (gt_size p = 0; p < taps; p++) {
            gt_size at = gt_window_tap(w, row, p);
            for (gt_size c = 0; GT_P(conv_counts)(w, p) && c < a; c++)
                GT_P(conv_add)(&sum, 2048, at < 0 ? 0 : x[(at * groups + g) * a + c], k[(p * a + c) * groups * b + j]);
        }
        y[i] = sum.all + sum.part;
    }
}

/* The position of y, counted through all images, whose window reads `row` of x through place `tap`; -1: beyond y; -2: there is
 * none, as the step leads elsewhere. */
static gt_size GT_P(conv_reader)(const gt_window *w, gt_size row, gt_size tap)
{
    gt_size inputs = gt_window_places(w->in), at = row / inputs, rest = row % inputs;
    gt_size position[3], beyond = 0;
    for (int d = 2; d >= 0; d--) {
        position[d] = rest % w->in[d] + w->before[d] - tap % w->size[d] * w->dilation[d];
        rest /= w->in[d];
        tap /= w->size[d];
    }
    for (int d = 0; d < 3; d++) {
        gt_size i = position[d] / w->stride[d];
        if (position[d] % w->stride[d])
            return -2;
        if (i < 0 || i >= w->out[d])
            beyond = 1;
        else
            at = at * w->out[d] + i;
    }
    return beyond ? -1 : at;
}

GT_EMIT void GT_P(conv_input_gradient)(const gt_window *w, gt_size groups, gt_size a, gt_size b,
                                       const GT_REAL *u, const GT_REAL *k, GT_REAL *x)
{
    gt_size taps = gt_window_places(w->size);
    for (gt_size i = 0; i < w->images * gt_window_places(w->in) * groups * a; i++) {
        gt_size row = i / (groups * a), g = i / a % groups, c = i % a;
        GT_P(conv_sum) sum = {0, 0, 0};
        for (gt_size p = taps - 1; p >= 0; p--) {
            gt_size at = GT_P(conv_reader)(w, row, p);
            for (gt_size j = 0; at > -2 && GT_P(conv_counts)(w, p) && j < b; j++)
                GT_P(conv_add)(&sum, 2048, at < 0 ? 0 : u[(at * groups + g) * b + j], k[((p * a + c) * groups + g) * b + j]);
        }
        x[i] = sum.all + sum.part;
    }
}

/* Where unit `unit` begins, or the units end. */
static gt_size GT_P(conv_unit)(gt_size unit, gt_size units, gt_size pieces, gt_size wide, gt_size width)
{
    unit = unit < units ? unit : units;
    return unit / pieces * width + unit % pieces * wide;
}

GT_EMIT void GT_P(conv_kernel_gradient)(const gt_window *w, gt_size groups, gt_size a, gt_size b, gt_size pieces,
                                        gt_size wide, gt_size each, gt_size block, gt_size slice, const GT_REAL *x,
                                        const GT_REAL *u, GT_REAL *k)
{
    const gt_size size = gt_window_places(w->size) * a * groups * b, width = w->out[2];
    const gt_size units = w->images * w->out[0] * w->out[1] * pieces;
    gt_size blocks = (units + block - 1) / block, parts = ((gt_size)64 << 20) / 8 / (size ? size : 1);
    parts = parts > 16 ? 16 : parts;
    parts = parts > blocks ? blocks : parts;
    parts = parts < 1 ? 1 : parts;
    for (gt_size i = 0; i < size; i++) {
        gt_size p = i / (groups * b) / a, c = i / (groups * b) % a, j = i % (groups * b), g = j / b;
        double all = 0;
        for (gt_size part = 0; part < parts; part++) {
            double some = 0;
            for (gt_size n = part * blocks / parts; n < (part + 1) * blocks / parts; n++) {
                GT_REAL sum = 0;
                for (gt_size from = n * block; from < (n + 1) * block && from < units; from += each) {
                    GT_P(conv_sum) one = {sum, 0, 0};
                    gt_size end = GT_P(conv_unit)(from + each, units, pieces, wide, width);
                    for (gt_size row = GT_P(conv_unit)(from, units, pieces, wide, width); row < end; row++) {
                        gt_size at = gt_window_tap(w, row, p);
                        GT_P(conv_add)(&one, slice, at < 0 ? 0 : x[(at * groups + g) * a + c], u[row * groups * b + j]);
                    }
                    sum = one.all + one.part;
                }
                some += (double)sum;
            }
            all += some;
        }
        k[i] = (GT_REAL)all;
    }
}
