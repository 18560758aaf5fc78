/* Tapes record operations while they run. The outermost tape is also a scope: what was made between
 * its begin and its end is gone after the end. Tapes nest; each sees what it watches. Trainable
 * variables are watched when they are read, other tensors by gt_watch. */
#ifndef GT_CORE_TAPE_H
#define GT_CORE_TAPE_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "core/variable.h"

GT_BEGIN

/* A recording of operations, from which gradients are taken. */
typedef struct gt_Tape gt_Tape;

#define gt_tape_begin_OPTIONS(F, S)                                                                \
    F(S, bool, persistent, false, "may be asked for gradients more than once")                     \
    F(S, bool, watch_accessed_variables, true, "watch trainable variables when they are read")
GT_OPTIONS(gt_tape_begin_options, gt_tape_begin_OPTIONS);

/* gt_tape_begin(), gt_tape_begin(.persistent = true). At most 64 tapes at a time. */
#define gt_tape_begin(...) gt_tape_begin_at(GT_HERE, GT_KEYWORDS(gt_tape_begin, __VA_ARGS__))
GT_API gt_Tape *gt_tape_begin_at(const char *here, const gt_tape_begin_options *options);
/* Ends the innermost tape, which must be this one. The outermost tape's end frees every temporary
 * since its begin. Works while an error is pending; NULL is ignored. */
#define gt_tape_end(tape) gt_tape_end_at(GT_HERE, tape)
GT_API gt_Status gt_tape_end_at(const char *here, gt_Tape *tape);
/* Watches a float tensor or variable on this tape alone. For this tape gradients end there,
 * whatever other tapes know of the operations behind it. */
#define gt_watch(tape, tensor) gt_watch_at(GT_HERE, tape, tensor)
GT_API gt_Status gt_watch_at(const char *here, gt_Tape *tape, gt_Tensor *tensor);
/* Suspends and resumes this tape's recording; tensors computed meanwhile are constants for it. */
#define gt_tape_pause(tape)  gt_tape_pause_at(GT_HERE, tape)
#define gt_tape_resume(tape) gt_tape_resume_at(GT_HERE, tape)
GT_API gt_Status gt_tape_pause_at(const char *here, gt_Tape *tape);
GT_API gt_Status gt_tape_resume_at(const char *here, gt_Tape *tape);
/* Forgets what was recorded and watched, and goes on. */
#define gt_tape_reset(tape) gt_tape_reset_at(GT_HERE, tape)
GT_API gt_Status gt_tape_reset_at(const char *here, gt_Tape *tape);
/* The variables this tape watches, in the order in which they were made. Valid until the tape's
 * next call. */
#define gt_watched_variables(tape) gt_watched_variables_at(GT_HERE, tape)
GT_API gt_Tensors gt_watched_variables_at(const char *here, gt_Tape *tape);

GT_END

#endif
