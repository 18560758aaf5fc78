/* Boxes and arrows, collected and drawn: first how large the boxes are, then layout.c says where they stand. */
#include "pictures/diagram.h"

#include <math.h>
#include <string.h>

enum { HEAD = 26, LINE = 19, PAD = 10, LEAST = 90, MOST = 420 };

/* ---- collecting ---- */

/* Copies the text to the end of all texts; where it begins. */
static size_t add_text(gt_Diagram *self, const char *text)
{
    const size_t at = self->text.size, bytes = strlen(text) + 1;
    if (!gt_bytes_reserve(self->context, &self->text, bytes))
        return at;
    memcpy(self->text.data + at, text, bytes);
    self->text.size += bytes;
    return at;
}

int32_t gt_diagram_box(gt_Diagram *self, const char *title, int32_t group)
{
    if (gt_context_status(self->context) != GT_OK ||
        !gt_reserve(self->context, (void **)&self->boxes, self->box_count, &self->box_capacity,
                    sizeof *self->boxes))
        return GT_DIAGRAM_NONE;
    gt_DiagramBox *box = &self->boxes[self->box_count];
    *box = (gt_DiagramBox){.group = group};
    box->title = add_text(self, title);
    box->lines = self->text.size;
    return gt_context_status(self->context) == GT_OK ? self->box_count++ : GT_DIAGRAM_NONE;
}

void gt_diagram_line(gt_Diagram *self, const char *text)
{
    if (gt_context_status(self->context) != GT_OK || self->box_count == 0)
        return;
    add_text(self, text);
    self->boxes[self->box_count - 1].line_count++;
}

void gt_diagram_edge(gt_Diagram *self, int32_t from, int32_t to)
{
    if (from < 0 || to < 0 || gt_context_status(self->context) != GT_OK)
        return;
    for (int32_t e = self->edge_count - 1; e >= 0 && e >= self->edge_count - 64;
         e--) /* arrows to one box come together */
        if (self->edges[e].from == from && self->edges[e].to == to)
            return;
    if (gt_reserve(self->context, (void **)&self->edges, self->edge_count, &self->edge_capacity,
                   sizeof *self->edges))
        self->edges[self->edge_count++] = (gt_DiagramEdge){from, to};
}

int32_t gt_diagram_group(gt_Diagram *self, const char *title, int32_t parent)
{
    if (gt_context_status(self->context) != GT_OK ||
        !gt_reserve(self->context, (void **)&self->groups, self->group_count, &self->group_capacity,
                    sizeof *self->groups))
        return GT_DIAGRAM_NONE;
    self->groups[self->group_count] = (gt_DiagramGroup){add_text(self, title), parent};
    return self->group_count++;
}

void gt_diagram_close(gt_Diagram *self)
{
    gt_bytes_release(self->context, &self->text);
    gt_release(self->context, self->boxes, (size_t)self->box_capacity * sizeof *self->boxes);
    gt_release(self->context, self->edges, (size_t)self->edge_capacity * sizeof *self->edges);
    gt_release(self->context, self->groups, (size_t)self->group_capacity * sizeof *self->groups);
}

/* ---- sizes ---- */

static void set_size(const gt_Diagram *self, gt_DiagramBox *box)
{
    double width = gt_svg_width(gt_diagram_text(self, box->title), GT_SVG_SIZE, true);
    size_t at = box->lines;
    for (int32_t i = 0; i < box->line_count; i++) {
        width = fmax(width, gt_svg_width(gt_diagram_text(self, at), GT_SVG_SIZE - 1, false));
        at += strlen(gt_diagram_text(self, at)) + 1;
    }
    box->width = fmin(fmax(width + 2 * PAD, LEAST), MOST);
    box->height = HEAD + box->line_count * LINE + (box->line_count ? 5 : 0);
}

/* ---- drawing ---- */

static void put_box(gt_Svg *svg, const gt_Diagram *self, const gt_DiagramBox *box)
{
    const double room = box->width - PAD;
    size_t at = box->lines;
    gt_svg_rectangle(svg, box->x, box->y, box->width, box->height,
                     "rx=\"4\" fill=\"#FFFFFF\" stroke=\"" GT_SVG_INK "\"");
    if (!box->light)
        gt_svg_rectangle(svg, box->x, box->y, box->width, HEAD, "rx=\"4\" fill=\"" GT_SVG_INK "\"");
    if (!box->light && box->line_count) /* square corners where the head meets the lines */
        gt_svg_rectangle(svg, box->x, box->y + HEAD - 5, box->width, 5, "fill=\"" GT_SVG_INK "\"");
    gt_svg_text(svg,
                &(gt_SvgText){.x = box->x + box->width / 2,
                              .y = box->y + 17,
                              .anchor = GT_SVG_MIDDLE,
                              .bold = true,
                              .room = room,
                              .colour = box->light ? NULL : "#FFFFFF"},
                gt_diagram_text(self, box->title));
    for (int32_t i = 0; i < box->line_count; i++) {
        gt_svg_text(svg,
                    &(gt_SvgText){.x = box->x + box->width / 2,
                                  .y = box->y + HEAD + (i + 1) * LINE - 4,
                                  .size = GT_SVG_SIZE - 1,
                                  .anchor = GT_SVG_MIDDLE,
                                  .room = room},
                    gt_diagram_text(self, at));
        at += strlen(gt_diagram_text(self, at)) + 1;
    }
}

/* A line to the next point: straight where only one coordinate changes, else an S in the direction of the arrows. */
static void put_piece(gt_Svg *svg, gt_DiagramPoint from, gt_DiagramPoint to, bool across)
{
    if (fabs(from.x - to.x) < 0.5 || fabs(from.y - to.y) < 0.5)
        gt_svg_put(svg, "L%.6g %.6g", to.x, to.y);
    else if (across)
        gt_svg_put(svg, "C%.6g %.6g %.6g %.6g %.6g %.6g", (from.x + to.x) / 2, from.y,
                   (from.x + to.x) / 2, to.y, to.x, to.y);
    else
        gt_svg_put(svg, "C%.6g %.6g %.6g %.6g %.6g %.6g", from.x, (from.y + to.y) / 2, to.x,
                   (from.y + to.y) / 2, to.x, to.y);
}

static void put_head(gt_Svg *svg, gt_DiagramPoint tip, double dx, double dy)
{
    gt_svg_put(svg, "<path d=\"M%.6g %.6gL%.6g %.6gL%.6g %.6gZ\"/>\n", tip.x, tip.y,
               tip.x - 8 * dx - 4 * dy, tip.y - 8 * dy + 4 * dx, tip.x - 8 * dx + 4 * dy,
               tip.y - 8 * dy - 4 * dx);
}

static void put_arrow(gt_Svg *svg, const gt_DiagramPoint *points, int32_t count, bool across,
                      bool forward)
{
    const gt_DiagramPoint tip = points[count - 1];
    gt_svg_put(svg,
               "<path fill=\"none\" stroke=\"" GT_SVG_INK "\" stroke-width=\"1.3\" d=\"M%.6g %.6g",
               points[0].x, points[0].y);
    for (int32_t i = 1; i < count; i++)
        put_piece(svg, points[i - 1], points[i], across);
    gt_svg_put(svg, "\"/>\n");
    if (forward)
        put_head(svg, tip, across ? 1 : 0, across ? 0 : 1);
    else
        put_head(svg, tip, across ? 0 : -1, across ? -1 : 0);
}

static bool is_in(const gt_Diagram *self, int32_t group, int32_t outer)
{
    while (group >= 0 && group != outer)
        group = self->groups[group].parent;
    return group == outer;
}

/* A dashed line around the boxes of a group, and of those in it; groups further in have narrower ones. */
static void put_group(gt_Svg *svg, const gt_Diagram *self, int32_t group)
{
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    int32_t depth = 0;
    for (int32_t g = self->groups[group].parent; g >= 0; g = self->groups[g].parent)
        depth++;
    for (int32_t b = 0; b < self->box_count; b++) {
        const gt_DiagramBox *box = &self->boxes[b];
        if (!is_in(self, box->group, group))
            continue;
        left = fmin(left, box->x);
        top = fmin(top, box->y);
        right = fmax(right, box->x + box->width);
        bottom = fmax(bottom, box->y + box->height);
    }
    if (left > right)
        return;
    const double pad = fmax(10 - 3 * depth, 3);
    gt_svg_rectangle(svg, left - pad, top - pad - 15, right - left + 2 * pad,
                     bottom - top + 2 * pad + 15,
                     "rx=\"6\" fill=\"none\" stroke=\"" GT_SVG_FAINT "\" stroke-dasharray=\"5 4\"");
    gt_svg_text(svg,
                &(gt_SvgText){.x = left - pad + 6,
                              .y = top - pad - 2,
                              .size = GT_SVG_SIZE - 1,
                              .colour = GT_SVG_FAINT,
                              .room = fmax((right - left) / 2 + pad - 14, 60)},
                gt_diagram_text(self, self->groups[group].title));
}

static void draw(gt_Svg *svg, const gt_Diagram *self, const gt_DiagramLook *look,
                 const gt_DiagramLayout *layout)
{
    gt_svg_begin(svg, self->context, ceil(layout->width), ceil(layout->height), look->title);
    for (int32_t g = 0; g < self->group_count; g++)
        put_group(svg, self, g);
    for (int32_t e = 0; e < self->edge_count; e++) {
        const int32_t count = layout->first[e + 1] - layout->first[e];
        if (count > 1)
            put_arrow(svg, layout->points + layout->first[e], count, look->across,
                      self->edges[e].from < self->edges[e].to);
    }
    for (int32_t b = 0; b < self->box_count; b++)
        put_box(svg, self, &self->boxes[b]);
    gt_svg_put(svg, "</svg>\n");
}

gt_Picture *gt_diagram_picture(gt_Diagram *self, const gt_DiagramLook *look)
{
    gt_DiagramLayout layout = {0};
    gt_Svg svg = {.context = self->context}, dot = {.context = self->context};
    if (gt_context_status(self->context) != GT_OK)
        return NULL;
    for (int32_t b = 0; b < self->box_count; b++)
        set_size(self, &self->boxes[b]);
    if (gt_diagram_lay_out(self, look, &layout)) {
        draw(&svg, self, look, &layout);
        gt_diagram_put_dot(self, look, &dot);
    }
    gt_diagram_layout_close(self, &layout);
    return gt_picture_new(self->context, &svg.text, &dot.text);
}

bool gt_check_diagram(gt_Context *context, const char *here, const char *operation,
                      gt_RankDirection rankdir, double dpi)
{
    if (rankdir != GT_RANK_DIRECTION_TB && rankdir != GT_RANK_DIRECTION_LR)
        gt_raise(context, GT_INVALID, here, operation, "unknown rankdir %d", (int)rankdir);
    else if (!(dpi > 0 && dpi <= 10000))
        gt_raise(context, GT_INVALID, here, operation, "dpi must be above 0, to 10000 (got %g)",
                 dpi);
    return gt_context_status(context) == GT_OK;
}
