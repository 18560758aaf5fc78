/* Boxes and arrows: a directed graph laid out and drawn, as SVG and as DOT. Private.
 *
 *     gt_Diagram diagram = {.context = context};
 *     int32_t a = gt_diagram_box(&diagram, "dense (Dense)", GT_DIAGRAM_NONE);
 *     gt_diagram_line(&diagram, "Output shape: (None, 4)");          of the box that was made last
 *     gt_diagram_edge(&diagram, a, b);
 *     picture = gt_diagram_picture(&diagram, &look);
 *     gt_diagram_close(&diagram);
 *
 * Boxes are numbered from 0. Arrows go from earlier boxes to later ones; those that do not are drawn, but do not count
 * for the layout. A failure is pending, and what follows does nothing. */
#ifndef GT_PICTURES_DIAGRAM_H
#define GT_PICTURES_DIAGRAM_H

#include "pictures/model.h"
#include "pictures/svg.h"

enum { GT_DIAGRAM_NONE = -1 };

typedef struct gt_DiagramBox {
    size_t title, lines; /* where they begin in the text; lines end with 0 each */
    int32_t line_count;
    int32_t group;              /* GT_DIAGRAM_NONE: none */
    bool light;                 /* a thin box with a light head: what comes from outside */
    double x, y, width, height; /* of the corner */
} gt_DiagramBox;

typedef struct gt_DiagramEdge {
    int32_t from, to;
} gt_DiagramEdge;

/* Boxes within a dashed line. */
typedef struct gt_DiagramGroup {
    size_t title;
    int32_t parent;
} gt_DiagramGroup;

typedef struct gt_Diagram {
    gt_Context *context;
    gt_Bytes text;
    gt_DiagramBox *boxes;
    gt_DiagramEdge *edges;
    gt_DiagramGroup *groups;
    int32_t box_count, box_capacity, edge_count, edge_capacity, group_count, group_capacity;
} gt_Diagram;

typedef struct gt_DiagramLook {
    const char *title; /* of the picture */
    bool across;       /* from left to right, not from top to bottom */
    bool folds;        /* what would be very long goes on beside, or below */
    double dpi;        /* of the DOT */
} gt_DiagramLook;

/* GT_DIAGRAM_NONE on failure. */
int32_t gt_diagram_box(gt_Diagram *self, const char *title, int32_t group);
void gt_diagram_line(gt_Diagram *self, const char *text);
/* An arrow that is there already is not added again. */
void gt_diagram_edge(gt_Diagram *self, int32_t from, int32_t to);
int32_t gt_diagram_group(gt_Diagram *self, const char *title, int32_t parent);
gt_Picture *gt_diagram_picture(gt_Diagram *self, const gt_DiagramLook *look);
void gt_diagram_close(gt_Diagram *self);
/* Options that pictures of diagrams share; false: the error is raised. */
bool gt_check_diagram(gt_Context *context, const char *here, const char *operation,
                      gt_RankDirection rankdir, double dpi);

/* ---- what the parts share ---- */

static inline const char *gt_diagram_text(const gt_Diagram *self, size_t at)
{
    return self->text.data + at;
}

/* A point that an arrow passes. */
typedef struct gt_DiagramPoint {
    double x, y;
} gt_DiagramPoint;

/* Where everything is (layout.c). */
typedef struct gt_DiagramLayout {
    double width, height;
    gt_DiagramPoint *points; /* of the arrows, one after the other */
    int32_t *first;          /* of each arrow, the first of its points; one more at the end */
    int32_t point_count, point_capacity;
} gt_DiagramLayout;
/* Places the boxes, whose width and height are set, and the arrows. */
bool gt_diagram_lay_out(gt_Diagram *self, const gt_DiagramLook *look, gt_DiagramLayout *layout);
void gt_diagram_layout_close(gt_Diagram *self, gt_DiagramLayout *layout);
/* The DOT (dot.c). */
void gt_diagram_put_dot(const gt_Diagram *self, const gt_DiagramLook *look, gt_Svg *into);

#endif
