/* A window that slides over three axes of images (images, in, channels); of fewer axes the first ones are of size 1. The
 * input position that place `tap` of the window reads for output position `row`, both counted through all images; -1 in the
 * padding. Once for all element types. needs: prelude */
typedef struct gt_window {
    gt_size in[3], out[3], size[3], stride[3], dilation[3], before[3];
    gt_size images;
} gt_window;

static gt_size gt_window_places(const gt_size *dims)
{
    return dims[0] * dims[1] * dims[2];
}

static gt_size gt_window_tap(const gt_window *w, gt_size row, gt_size tap)
{
    gt_size outputs = gt_window_places(w->out), at = row / outputs, rest = row % outputs;
    gt_size position[3], place[3];
    for (int d = 2; d >= 0; d--) {
        position[d] = rest % w->out[d];
        rest /= w->out[d];
        place[d] = tap % w->size[d];
        tap /= w->size[d];
    }
    for (int d = 0; d < 3; d++) {
        gt_size i = position[d] * w->stride[d] - w->before[d] + place[d] * w->dilation[d];
        if (i < 0 || i >= w->in[d])
            return -1;
        at = at * w->in[d] + i;
    }
    return at;
}
