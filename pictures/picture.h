/* Pictures, as SVG: curves, histograms, confusion matrices, filters, models and graphs.
 *
 *     gt_save_picture(gt_plot_history(history), "curves.svg");
 *     gt_save_picture(gt_plot_model(model, .show_shapes = true), "model.svg");
 *
 * A gt_plot_... makes a gt_Picture; gt_save_picture writes it and frees it. The text of a picture, for a page or a
 * report of one's own, is gt_picture_text. Pictures are told apart without colours: by dashes, marks, numbers, light
 * and dark; colours are those of M. Okabe and K. Ito (Color Universal Design, 2008), which colour-blind people tell
 * apart too. They need no font and no program to be made, and any browser shows them. */
#ifndef GT_PICTURES_PICTURE_H
#define GT_PICTURES_PICTURE_H

#include <stdint.h>

#include "core/error.h"
#include "core/keyword.h"

GT_BEGIN

/* A picture as text, SVG or DOT: gt_save_picture writes it, gt_picture_text gives it. */
typedef struct gt_Picture gt_Picture;

/* What the text of a picture is. */
typedef enum gt_PictureFormat {
    GT_PICTURE_FORMAT_SVG = 0,
    GT_PICTURE_FORMAT_DOT = 1 /* for Graphviz's dot: of models and functions alone */
} gt_PictureFormat;

#define gt_picture_text_OPTIONS(F, S)                                                              \
    F(S, gt_PictureFormat, format, GT_PICTURE_FORMAT_SVG, "what the text is")
GT_OPTIONS(gt_picture_text_options, gt_picture_text_OPTIONS);
/* gt_picture_text(picture, .format = GT_PICTURE_FORMAT_DOT): the picture's text, UTF-8, which ends with 0; the
 * picture's, until it is freed. "" on failure. */
#define gt_picture_text(...)                                                                       \
    gt_picture_text_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_picture_text, GT_AFTER_1(__VA_ARGS__)))
GT_API const char *gt_picture_text_at(const char *here, const gt_Picture *picture,
                                      const gt_picture_text_options *options);

/* Writes it, as SVG where the path ends with ".svg", as DOT where it ends with ".dot" or ".gv", and frees it, also when
 * that fails. A picture that could not be made, NULL, leaves its error as it is. The file appears whole or not at
 * all. */
#define gt_save_picture(picture, path) gt_save_picture_at(GT_HERE, picture, path)
GT_API gt_Status gt_save_picture_at(const char *here, gt_Picture *picture, const char *path);
/* NULL is ignored. */
GT_API void gt_picture_free(gt_Picture *picture);

GT_END

#endif
