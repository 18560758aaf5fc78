/* Reading what is drawn: the numbers of tensors, and names. Private. */
#ifndef GT_PICTURES_READ_H
#define GT_PICTURES_READ_H

#include "core/inside.h"
#include "io/names.h"

/* The numbers of a tensor of that rank (-1: any), as doubles; freed with gt_drop_numbers, which ignores NULL. False: the
 * error is raised. */
bool gt_read_numbers(gt_Context *context, const gt_Tensor *tensor, int rank, double **numbers,
                     int64_t *count);
void gt_drop_numbers(gt_Context *context, double *numbers, int64_t count);

/* Name number i of the list; NULL if there are fewer. */
const char *gt_name_at(gt_Names names, int64_t i);
/* How many there are. */
int64_t gt_name_count(gt_Names names);

#endif
