/* A diagram as text for Graphviz's dot, in the look of Keras's model_to_dot: a table for each box, its head dark. */
#include "pictures/diagram.h"

#include <string.h>

/* Between quotes. */
static void put_quoted(gt_Svg *into, const char *text)
{
    gt_svg_put(into, "\"");
    for (; *text; text++)
        gt_svg_put(into, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    gt_svg_put(into, "\"");
}

static void put_box(const gt_Diagram *self, gt_Svg *into, int32_t b)
{
    const gt_DiagramBox *box = &self->boxes[b];
    size_t at = box->lines;
    gt_svg_put(into,
               "    n%d [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" "
               "cellpadding=\"6\"><tr><td bgcolor=\"%s\">"
               "<font color=\"%s\"><b>",
               (int)b, box->light ? "white" : "black", box->light ? "black" : "white");
    gt_svg_put_escaped(into, gt_diagram_text(self, box->title));
    gt_svg_put(into, "</b></font></td></tr>");
    for (int32_t i = 0; i < box->line_count; i++) {
        gt_svg_put(into, "<tr><td>");
        gt_svg_put_escaped(into, gt_diagram_text(self, at));
        gt_svg_put(into, "</td></tr>");
        at += strlen(gt_diagram_text(self, at)) + 1;
    }
    gt_svg_put(into, "</table>>];\n");
}

/* The boxes of a group, then the groups in it. */
static void put_group(const gt_Diagram *self, gt_Svg *into, int32_t group)
{
    for (int32_t b = 0; b < self->box_count; b++)
        if (self->boxes[b].group == group)
            put_box(self, into, b);
    for (int32_t g = group + 1; g < self->group_count; g++) {
        if (self->groups[g].parent != group)
            continue;
        gt_svg_put(into,
                   "    subgraph cluster_%d {\n    style=dashed; labeljust=l; label=", (int)g);
        put_quoted(into, gt_diagram_text(self, self->groups[g].title));
        gt_svg_put(into, ";\n");
        put_group(self, into, g);
        gt_svg_put(into, "    }\n");
    }
}

void gt_diagram_put_dot(const gt_Diagram *self, const gt_DiagramLook *look, gt_Svg *into)
{
    gt_svg_put(into, "digraph ");
    put_quoted(into, look->title);
    gt_svg_put(into,
               " {\n    rankdir=%s; dpi=%.6g;\n    node [shape=plaintext, fontname=\"Helvetica\", "
               "margin=0];\n",
               look->across ? "LR" : "TB", look->dpi);
    put_group(self, into, GT_DIAGRAM_NONE);
    for (int32_t e = 0; e < self->edge_count; e++)
        gt_svg_put(into, "    n%d -> n%d;\n", (int)self->edges[e].from, (int)self->edges[e].to);
    gt_svg_put(into, "}\n");
}
