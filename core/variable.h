/* Variables: tensors whose elements change and whose memory does not move. Layers and optimizers
 * make theirs (gt_add_weight); these functions make free-standing ones. An assignment while a tape
 * holds the old value leaves the old bytes to the holders, so gradients are never corrupted. */
#ifndef GT_CORE_VARIABLE_H
#define GT_CORE_VARIABLE_H

#include "core/keyword.h"
#include "core/tensor.h"

GT_BEGIN

#define gt_variable_OPTIONS(F, S)                                                                  \
    F(S, const char *, name, NULL, "copied; NULL: \"variable\"; no '/'")                           \
    F(S, bool, trainable, true, "tapes watch it by themselves when it is read")
GT_OPTIONS(gt_variable_options, gt_variable_OPTIONS);

/* gt_variable(initial, .name = "w"): a variable with that tensor's shape, dtype and elements. It
 * is the caller's: gt_variable_free, or it is freed with the context. */
#define gt_variable(...)                                                                           \
    gt_variable_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                                 \
                   GT_KEYWORDS(gt_variable, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Variable *gt_variable_at(const char *here, gt_Tensor *initial,
                                   const gt_variable_options *options);
/* Drops the caller's hold, once. NULL is ignored, and so is a variable that is gone; where others still hold it (a solution, an
 * optimizer, a layer) a second time is an error, and so it is for variables that they made themselves. */
GT_API void gt_variable_free(gt_Variable *variable);

/* Is it a variable that lives? False, without an error, for tensors, stale handles and NULL. */
GT_API bool gt_is_variable(const gt_Tensor *tensor);
/* The name it was given, "" on failure; and whether tapes watch it by themselves. */
#define gt_variable_name(variable) gt_variable_name_at(GT_HERE, variable)
GT_API const char *gt_variable_name_at(const char *here, const gt_Variable *variable);
#define gt_variable_trainable(variable) gt_variable_trainable_at(GT_HERE, variable)
GT_API bool gt_variable_trainable_at(const char *here, const gt_Variable *variable);
/* Whether tapes watch it by themselves from now on. */
#define gt_variable_set_trainable(variable, trainable)                                             \
    gt_variable_set_trainable_at(GT_HERE, variable, trainable)
GT_API gt_Status gt_variable_set_trainable_at(const char *here, gt_Variable *variable,
                                              bool trainable);
/* Overwrites the elements from memory: as many bytes as the variable holds. */
#define gt_variable_set(variable, data, bytes) gt_variable_set_at(GT_HERE, variable, data, bytes)
GT_API gt_Status gt_variable_set_at(const char *here, gt_Variable *variable, const void *data,
                                    size_t bytes);

#define gt_pack_OPTIONS(F, S)                                                                      \
    F(S, void *, memory, NULL,                                                                     \
      "the caller's, which must outlive the variables; NULL: the library's")                       \
    F(S, size_t, bytes, 0, "of the caller's memory")
GT_OPTIONS(gt_pack_options, gt_pack_OPTIONS);
/* gt_pack(gt_trainable_variables(model)): moves variables of one dtype into one block, one after the
 * other without gaps, in the order of the list, and returns its address; NULL on failure, nothing
 * is moved then. From here on the block does not move: an optimizer of one's own, MPI_Allreduce or
 * a restart file can work on all elements at once. The contents of `memory` are overwritten by the
 * variables' present ones. The block lives as long as one of the variables. */
#define gt_pack(...)                                                                               \
    gt_pack_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_pack, GT_AFTER_1(__VA_ARGS__)))
GT_API void *gt_pack_at(const char *here, gt_Tensors variables, const gt_pack_options *options);

GT_END

#endif
