/* Axes of panels: a range of numbers on a range of pixels, with ticks at round numbers. Private.
 *
 *     gt_Panel panel = {.x = 0, .y = 20, .width = 400, .height = 300, .title = "loss", .x_label = "epoch"};
 *     gt_axis_cover(&panel.across, 1, 20);
 *     gt_axis_cover(&panel.down, least, most);
 *     gt_panel_begin(svg, &panel);                the frame, ticks, labels
 *     ... gt_axis_at(&panel.across, 3) ...        the pixel of a number
 */
#ifndef GT_PICTURES_AXES_H
#define GT_PICTURES_AXES_H

#include "pictures/svg.h"

typedef struct gt_Axis {
    double low, high;        /* numbers; of a logarithmic axis their logarithms to the base 10 */
    double from, to;         /* their pixels */
    bool logarithmic, whole; /* whole: ticks at integers alone */
} gt_Axis;

typedef struct gt_Panel {
    double x, y, width, height; /* with its labels */
    const char *title, *x_label, *y_label;
    gt_Axis across, down;
} gt_Panel;

#define GT_PANEL_TOP    30.0
#define GT_PANEL_BOTTOM 42.0

/* Makes the axis range from low to high, a little wider where both are the same. On a logarithmic axis both must be > 0. */
void gt_axis_cover(gt_Axis *axis, double low, double high);
/* Wider, so that its ends are ticks, or at least by a part of its length. */
void gt_axis_round(gt_Axis *axis);
double gt_axis_at(const gt_Axis *axis, double number);
/* Is the number one that the axis has: finite, and on a logarithmic one > 0? */
bool gt_axis_has(const gt_Axis *axis, double number);

/* Frame, ticks and labels; sets `from` and `to` of both axes. */
void gt_panel_begin(gt_Svg *svg, gt_Panel *panel);

/* Width from 200 to 4000, height from 150 to 4000; else the error is raised. */
bool gt_check_picture_size(gt_Context *context, const char *here, const char *operation,
                           double width, double height);

/* A number as people write it: 6 digits at most. */
enum { GT_NUMBER_TEXT = 40 };
const char *gt_short_number(char text[GT_NUMBER_TEXT], double number);
/* The distance of ticks, a round number, so that there are about `count` of them. */
double gt_round_step(double length, int count);

#endif
