/* Where a window reads. Compiled once: it is asked once a position, not once an element. */
#include "kernels/window.h"

#include <stdbool.h>

void gt_window_taps(const gt_SlidingWindow *w, int64_t row, int64_t *tap)
{
    int64_t image = row / w->outputs * w->inputs, rest = row % w->outputs, start[GT_SPATIAL];
    for (int d = GT_SPATIAL - 1; d > 0; d--) {
        int64_t next = rest / w->out[d];
        start[d] = (rest - next * w->out[d]) * w->stride[d] - w->before[d];
        rest = next;
    }
    start[0] = rest * w->stride[0] - w->before[0];
    for (int64_t i = 0; i < w->size[0]; i++) {
        int64_t a = start[0] + i * w->dilation[0];
        for (int64_t j = 0; j < w->size[1]; j++) {
            int64_t b = start[1] + j * w->dilation[1];
            bool inside = a >= 0 && a < w->in[0] && b >= 0 && b < w->in[1];
            int64_t line = inside ? image + (a * w->in[1] + b) * w->in[2] : 0;
            for (int64_t k = 0; k < w->size[2]; k++) {
                int64_t c = start[2] + k * w->dilation[2];
                *tap++ = inside && c >= 0 && c < w->in[2] ? line + c : -1;
            }
        }
    }
}

void gt_window_next(const gt_SlidingWindow *w, int64_t row, int64_t first, int64_t *tap)
{
    if (row == first || !w->inside || row % w->out[GT_SPATIAL - 1] == 0) {
        gt_window_taps(w, row, tap);
        return;
    }
    for (int64_t p = 0; p < w->taps; p++)
        tap[p] += w->stride[GT_SPATIAL - 1];
}
