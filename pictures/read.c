/* Reading what is drawn. */
#include "pictures/read.h"

static size_t bytes_of(int64_t count)
{
    return (size_t)(count > 0 ? count : 1) * sizeof(double);
}

bool gt_read_numbers(gt_Context *context, const gt_Tensor *tensor, int rank, double **numbers,
                     int64_t *count)
{
    char text[200];
    const void *data = gt_data_at(NULL, tensor);
    if (gt_context_status(context) != GT_OK)
        return false;
    const gt_Spec *spec = gt_tensor_spec(tensor);
    if (rank >= 0 && spec->rank != rank) {
        gt_raise(context, GT_INVALID, NULL, NULL, "expected a tensor of rank %d (got %s)", rank,
                 gt_spec_text(spec, text, sizeof text));
        return false;
    }
    *numbers = gt_allocate(context, bytes_of(spec->size));
    *count = spec->size;
    for (int64_t i = 0; *numbers && i < spec->size; i++)
        (*numbers)[i] = gt_number_fetch(spec->dtype, data, i);
    return *numbers != NULL;
}

void gt_drop_numbers(gt_Context *context, double *numbers, int64_t count)
{
    if (numbers)
        gt_release(context, numbers, bytes_of(count));
}

int64_t gt_name_count(gt_Names names)
{
    int64_t count = 0;
    while (names.items && names.items[count] != GT_LIST_END)
        count++;
    return count;
}

const char *gt_name_at(gt_Names names, int64_t i)
{
    return i < gt_name_count(names) ? names.items[i] : NULL;
}
