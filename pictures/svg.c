/* Writing SVG into memory. Leans on io/json.h for UTF-8. */
#include "pictures/svg.h"
#include "core/text.h"
#include "io/json.h"

#include <stdarg.h>
#include <string.h>

/* ---- text ---- */

static void put_bytes(gt_Svg *svg, const char *bytes, size_t size)
{
    if (gt_context_status(svg->context) != GT_OK ||
        !gt_bytes_reserve(svg->context, &svg->text, size + 1))
        return;
    memcpy(svg->text.data + svg->text.size, bytes, size);
    svg->text.size += size;
    svg->text.data[svg->text.size] = 0;
}

void gt_svg_put(gt_Svg *svg, const char *format, ...)
{
    char text[640];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    put_bytes(svg, text, strlen(text));
}

/* Characters of XML 1.0 are those from U+0020 on without U+FFFE and U+FFFF, tabs and ends of lines. */
static bool is_of_xml(const char *at, size_t bytes)
{
    const unsigned char first = (unsigned char)*at;
    if (bytes == 1)
        return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
    return bytes > 1 && memcmp(at, "\xEF\xBF\xBE", 3) != 0 && memcmp(at, "\xEF\xBF\xBF", 3) != 0;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

/* The character at `at`, of which `left` bytes are there, and how many bytes it has. */
static const char *escaped(const char *at, size_t left, size_t *bytes)
{
    *bytes = gt_utf8_length(at, left);
    const bool fine = is_of_xml(at, *bytes);
    if (*bytes == 0)
        *bytes = 1;
    return !fine ? "\xEF\xBF\xBD" : entity_of(*at);
}

static void put_escaped(gt_Svg *svg, const char *text, size_t size)
{
    for (size_t at = 0, bytes; at < size; at += bytes) {
        const char *instead = escaped(text + at, size - at, &bytes);
        put_bytes(svg, instead ? instead : text + at, instead ? strlen(instead) : bytes);
    }
}

void gt_svg_put_escaped(gt_Svg *svg, const char *text)
{
    put_escaped(svg, text, strlen(text));
}

/* ---- the whole ---- */

void gt_svg_begin(gt_Svg *svg, gt_Context *context, double width, double height, const char *title)
{
    *svg = (gt_Svg){.context = context};
    gt_svg_put(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.7g\" height=\"%.7g\" "
        "viewBox=\"0 0 %.7g %.7g\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" "
        "font-size=\"%g\" fill=\"" GT_SVG_INK "\">\n<title>",
        width, height, width, height, GT_SVG_SIZE);
    gt_svg_put_escaped(svg, title);
    gt_svg_put(svg, "</title>\n");
    gt_svg_rectangle(svg, 0, 0, width, height, "fill=\"#FFFFFF\"");
}

gt_Picture *gt_svg_end(gt_Svg *svg)
{
    gt_Bytes none = {0};
    gt_svg_put(svg, "</svg>\n");
    return gt_picture_new(svg->context, &svg->text, &none);
}

/* ---- shapes ---- */

void gt_svg_rectangle(gt_Svg *svg, double x, double y, double width, double height,
                      const char *style)
{
    gt_svg_put(svg, "<rect x=\"%.7g\" y=\"%.7g\" width=\"%.7g\" height=\"%.7g\" %s/>\n", x, y,
               width, height, style);
}

void gt_svg_line(gt_Svg *svg, double x1, double y1, double x2, double y2, const char *style)
{
    gt_svg_put(svg, "<line x1=\"%.7g\" y1=\"%.7g\" x2=\"%.7g\" y2=\"%.7g\" %s/>\n", x1, y1, x2, y2,
               style);
}

void gt_svg_begin_tip(gt_Svg *svg, const char *tip)
{
    gt_svg_put(svg, "<g><title>");
    gt_svg_put_escaped(svg, tip);
    gt_svg_put(svg, "</title>\n");
}

/* ---- how wide text is ---- */

/* Of the characters from ' ' to '~', in hundredths of the size. */
static const unsigned char widths[] = {
    32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};
#define BOLD 1.12 /* times as wide */

/* A character beyond ASCII; those of three and four bytes may be as wide as high. */
static double width_of(const char *at, size_t bytes)
{
    if (bytes > 1)
        return bytes == 2 ? 0.7 : 1;
    return *at >= ' ' && *at <= '~' ? widths[*at - ' '] / 100.0 : 0.7;
}

double gt_svg_width(const char *text, double size, bool bold)
{
    double width = 0;
    for (size_t at = 0, left = strlen(text), bytes; at < left; at += bytes) {
        escaped(text + at, left - at, &bytes);
        width += width_of(text + at, bytes);
    }
    return width * size * (bold ? BOLD : 1);
}

/* How many bytes of the text fit with an ellipsis behind them. */
static size_t fitting(const char *text, double room, double size, bool bold)
{
    const double scale = size * (bold ? BOLD : 1), most = room / scale - 1;
    double width = 0;
    for (size_t at = 0, left = strlen(text), bytes; at < left; at += bytes) {
        escaped(text + at, left - at, &bytes);
        width += width_of(text + at, bytes);
        if (width > most)
            return at;
    }
    return strlen(text);
}

void gt_svg_text(gt_Svg *svg, const gt_SvgText *how, const char *text)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    const double size = how->size > 0 ? how->size : GT_SVG_SIZE;
    const bool cut = how->room > 0 && gt_svg_width(text, size, how->bold) > how->room;
    gt_svg_put(svg, "<text x=\"%.7g\" y=\"%.7g\"%s", how->x, how->y, anchors[how->anchor]);
    if (size != GT_SVG_SIZE)
        gt_svg_put(svg, " font-size=\"%.4g\"", size);
    if (how->bold)
        gt_svg_put(svg, " font-weight=\"bold\"");
    if (how->colour)
        gt_svg_put(svg, " fill=\"%s\"", how->colour);
    if (how->turn != 0)
        gt_svg_put(svg, " transform=\"rotate(%.4g %.7g %.7g)\"", how->turn, how->x, how->y);
    gt_svg_put(svg, ">");
    if (cut) {
        gt_svg_put(svg, "<title>");
        gt_svg_put_escaped(svg, text);
        gt_svg_put(svg, "</title>");
        put_escaped(svg, text, fitting(text, how->room, size, how->bold));
        gt_svg_put(svg, "\xE2\x80\xA6");
    } else {
        gt_svg_put_escaped(svg, text);
    }
    gt_svg_put(svg, "</text>\n");
}

/* ---- series ---- */

const char *gt_svg_colour(int series)
{
    /* Okabe and Ito's, without yellow, which is too light on white; from dark to light, so that neighbours differ in grey. */
    static const char *const colours[GT_SVG_SERIES] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                       "#000000", "#E69F00", "#56B4E9", "#777777"};
    return colours[series % GT_SVG_SERIES];
}

const char *gt_svg_dashes(int series)
{
    static const char *const dashes[GT_SVG_SERIES] = {"",
                                                      "stroke-dasharray=\"7 4\"",
                                                      "stroke-dasharray=\"2 3\"",
                                                      "stroke-dasharray=\"10 3 2 3\"",
                                                      "stroke-dasharray=\"4 2\"",
                                                      "stroke-dasharray=\"12 4\"",
                                                      "stroke-dasharray=\"1 2\"",
                                                      "stroke-dasharray=\"8 2 2 2 2 2\""};
    return dashes[series % GT_SVG_SERIES];
}

void gt_svg_mark(gt_Svg *svg, int series, double x, double y, double radius)
{
    const double r = radius;
    const char *colour = gt_svg_colour(series);
    switch (series % 4) {
    case 0:
        gt_svg_put(svg, "<circle cx=\"%.7g\" cy=\"%.7g\" r=\"%.4g\" fill=\"%s\"/>\n", x, y, r,
                   colour);
        break;
    case 1:
        gt_svg_put(svg,
                   "<rect x=\"%.7g\" y=\"%.7g\" width=\"%.4g\" height=\"%.4g\" fill=\"#FFFFFF\" "
                   "stroke=\"%s\" stroke-width=\"1.5\"/>\n",
                   x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r, colour);
        break;
    case 2:
        gt_svg_put(svg, "<path d=\"M%.7g %.7gL%.7g %.7gL%.7g %.7gZ\" fill=\"%s\"/>\n", x,
                   y - 1.2 * r, x + 1.1 * r, y + 0.8 * r, x - 1.1 * r, y + 0.8 * r, colour);
        break;
    default:
        gt_svg_put(svg,
                   "<path d=\"M%.7g %.7gL%.7g %.7gL%.7g %.7gL%.7g %.7gZ\" fill=\"#FFFFFF\" "
                   "stroke=\"%s\" stroke-width=\"1.5\"/>\n",
                   x, y - 1.3 * r, x + 1.3 * r, y, x, y + 1.3 * r, x - 1.3 * r, y, colour);
        break;
    }
}
