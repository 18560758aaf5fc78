/* A curve in the terminal while a model trains. */
#ifndef GT_PICTURES_LIVE_H
#define GT_PICTURES_LIVE_H

#include "train/callback.h"

GT_BEGIN

#define gt_LiveCurve_OPTIONS(F, S)                                                                 \
    F(S, const char *, monitor, "loss", "the name of the number; that with val_ before it, too")   \
    F(S, int64_t, every, 0, "a point each so many batches; 0: each epoch")                         \
    F(S, int32_t, columns, 0, "of the text, 40 to 500; 0: of the terminal, at most 100, else 78")  \
    F(S, int32_t, rows, 12, "of the curve, 3 to 100")                                              \
    F(S, bool, ascii, false, "no character beyond ASCII")                                          \
    F(S, bool, print, true, "to standard error; false: only gt_live_curve_text")
GT_OPTIONS(gt_LiveCurve_options, gt_LiveCurve_OPTIONS);
/* gt_LiveCurve(), gt_LiveCurve("accuracy"): a callback that draws the number over the epochs, again after each of them
 * where standard error is a terminal, else once at the end of the training. Filled marks are the training's values,
 * open ones the validation's; one that is not finite is a cross on the axis.
 * gt_fit(..., .verbose = GT_VERBOSITY_SILENT) keeps the bar from being drawn between. */
#define gt_LiveCurve(...)                                                                          \
    gt_LiveCurve_at(GT_HERE, GT_KEYWORDS_MAYBE_1(gt_LiveCurve, monitor, __VA_ARGS__))
GT_API gt_Callback *gt_LiveCurve_at(const char *here, const gt_LiveCurve_options *options);
/* The curve as text, lines that end with a newline; the callback's, until it is drawn again. "" on failure: another
 * callback. */
#define gt_live_curve_text(callback) gt_live_curve_text_at(GT_HERE, callback)
GT_API const char *gt_live_curve_text_at(const char *here, gt_Callback *callback);

GT_END

#endif
