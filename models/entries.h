/* Named entries of a file of tensors. Private to the library. */
#ifndef GT_MODELS_ENTRIES_H
#define GT_MODELS_ENTRIES_H

#include "core/inside.h"
#include "io/safetensors.h"
#include "layers/layer.h"
#include "models/weights.h"

#define LONGEST_NAME 2304 /* a path and what stands around it */

typedef struct gt_Entries {
    gt_Context *context;
    gt_NamedTensor *items; /* names are owned; tensors are variables, or what `other` of the loading reads */
    int32_t count, capacity;
    bool beside; /* what stands beside the weights of a model's file, "/...", is among them */
} gt_Entries;

gt_Status gt_entries_add(gt_Entries *list, const gt_Tensor *tensor, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Variables of the model under their paths, with a prefix. */
gt_Status gt_entries_add_variables(gt_Entries *list, gt_Layer *model, gt_Tensors variables,
                                   const char *prefix);
void gt_entries_close(gt_Entries *list);

gt_Status gt_entries_save(const gt_Entries *list, const char *path, gt_Metadata metadata);

/* The numbers of an entry that is no variable: first all of them are looked at, then, when nothing can fail any more, `take`n. */
typedef void (*gt_EntryReader)(void *user, bool take, const gt_NamedTensor *entry, const void *data);
/* Has the file every entry, of its shape and type, and nothing else? Raises a list of what differs. */
gt_Status gt_entries_fit(const gt_Entries *list, const char *path, const gt_TensorFile *file);
/* Reads them all, and then fills them all. `other` may be NULL where all are variables. */
gt_Status gt_entries_fill(const gt_Entries *list, const gt_TensorFile *file, gt_EntryReader other,
                          void *user);
/* Both, for the file of that name. */
gt_Status gt_entries_load(const gt_Entries *list, const char *path, gt_EntryReader other, void *user);

/* Fills the entries that the file has, of their shape and type, and tells. The others are taken out of the list. */
gt_Status gt_entries_load_fitting(gt_Entries *list, const char *path, gt_LoadReport *report);

/* The state of a built model that may be saved; NULL with an error raised otherwise. */
struct gt_LayerState;
struct gt_LayerState *gt_entries_model(gt_Context *context, const char *here, const char *operation,
                                       const gt_Layer *model);

#endif
