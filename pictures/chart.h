/* Curves as lines of text. Private. */
#ifndef GT_PICTURES_CHART_H
#define GT_PICTURES_CHART_H

#include "core/inside.h"
#include "io/file.h"

/* Points of one curve; x does not decrease. */
typedef struct gt_ChartCurve {
    const char *name;
    const double *x, *y;
    int32_t count;
} gt_ChartCurve;

typedef struct gt_Chart {
    const gt_ChartCurve *curves; /* at most 2: filled marks, open marks */
    int32_t count, columns, rows;
    bool ascii;
    const char *note; /* below the axis */
} gt_Chart;

/* Adds the chart to the text, which ends with 0. False: the error is raised. */
bool gt_chart_put(gt_Context *context, gt_Bytes *to, const gt_Chart *chart);

#endif
