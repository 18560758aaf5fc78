/* Writing SVG (1.1, the part that every program shows): rectangles, lines, marks and text, into memory. Private.
 *
 *     gt_Svg svg;
 *     gt_svg_begin(&svg, context, 640, 400, "loss");
 *     gt_svg_rectangle(&svg, 10, 10, 100, 50, "fill=\"#0072B2\"");
 *     gt_svg_text(&svg, &(gt_SvgText){.x = 60, .y = 40, .anchor = GT_SVG_MIDDLE, .room = 90}, "a long name");
 *     gt_Picture *picture = gt_svg_end(&svg);
 *
 * Lengths are pixels; y goes down. How wide text is is estimated with the widths of DejaVu Sans, the widest of the usual
 * fonts, so that it fits in any. A failure is pending, and what follows does nothing. Leans on core and io/file.h. */
#ifndef GT_PICTURES_SVG_H
#define GT_PICTURES_SVG_H

#include "core/inside.h"
#include "io/file.h"
#include "pictures/picture.h"

#define GT_SVG_SIZE  12.0 /* of text */
#define GT_SVG_INK   "#222222"
#define GT_SVG_FAINT "#666666"
#define GT_SVG_GRID  "#DDDDDD"

typedef struct gt_Svg {
    gt_Context *context;
    gt_Bytes text;
} gt_Svg;

typedef enum gt_SvgAnchor { GT_SVG_START, GT_SVG_MIDDLE, GT_SVG_END } gt_SvgAnchor;
typedef struct gt_SvgText {
    double x, y; /* of the base line */
    double size; /* 0: GT_SVG_SIZE */
    double
        room; /* what is wider is cut, with an ellipsis and a tip that has all of it; 0: any width */
    double turn; /* degrees, clockwise, about x and y */
    gt_SvgAnchor anchor;
    bool bold;
    const char *colour; /* NULL: GT_SVG_INK */
} gt_SvgText;

void gt_svg_begin(gt_Svg *svg, gt_Context *context, double width, double height, const char *title);
/* The picture; NULL on failure. Either way what the writer held is no longer its own. */
gt_Picture *gt_svg_end(gt_Svg *svg);

/* Text that is SVG already; a piece has at most 600 bytes. */
void gt_svg_put(gt_Svg *svg, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* Any text: &, <, > and quotes as entities; what XML or UTF-8 does not allow as U+FFFD. */
void gt_svg_put_escaped(gt_Svg *svg, const char *text);
/* `style`: attributes. */
void gt_svg_rectangle(gt_Svg *svg, double x, double y, double width, double height,
                      const char *style);
void gt_svg_line(gt_Svg *svg, double x1, double y1, double x2, double y2, const char *style);
void gt_svg_text(gt_Svg *svg, const gt_SvgText *how, const char *text);
/* What a pointer that rests on the next group sees; ends with gt_svg_put(svg, "</g>\n"). */
void gt_svg_begin_tip(gt_Svg *svg, const char *tip);

/* How wide the text is in that size. */
double gt_svg_width(const char *text, double size, bool bold);

/* ---- series, told apart by colour, dashes and marks ---- */

enum { GT_SVG_SERIES = 8 };
const char *gt_svg_colour(int series);
/* An attribute, or "". */
const char *gt_svg_dashes(int series);
/* Mark number `series` around x, y. */
void gt_svg_mark(gt_Svg *svg, int series, double x, double y, double radius);

/* ---- pictures (picture.c) ---- */

/* Takes the two texts, which may be empty; NULL on failure. */
gt_Picture *gt_picture_new(gt_Context *context, gt_Bytes *svg, gt_Bytes *dot);

#endif
