/* What classes have in common that stand on another dataset. */
#include "train/data/inside.h"

static void give_up(gt_Dataset *dataset)
{
    gt_object_release(gt_dataset_object(dataset));
}

void *gt_over_begin(const char *here, const char *operation, gt_Dataset *dataset, size_t bytes)
{
    gt_Context *context = gt_context();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, operation);
    gt_Over *self = NULL;
    if (gt_context_status(context) != GT_OK) { /* it is taken over all the same */
        if (gt_dataset_is(dataset) && gt_dataset_object(dataset)->context == context) {
            gt_object_sink(gt_dataset_object(dataset));
            give_up(dataset);
        }
    } else if (gt_dataset_sink(context, dataset)) {
        self = gt_self_new(context, bytes);
        if (self)
            *self = (gt_Over){context, bytes, dataset};
        else
            give_up(dataset);
    }
    gt_site_leave(&site);
    return self;
}

bool gt_function_given(const char *here, const char *operation, const char *what,
                       uintptr_t function)
{
    gt_Context *context = gt_context();
    if (!function)
        gt_raise(context, GT_INVALID, here, operation, "%s is NULL", what);
    else
        gt_check_function(what, function);
    return gt_context_status(context) == GT_OK;
}

void gt_over_free(void *self)
{
    gt_Over *over = self;
    if (over->of)
        give_up(over->of);
    gt_release(over->context, over, over->bytes);
}

gt_Dataset *gt_over_make(const gt_DatasetClass *type, void *self, bool indexed)
{
    gt_Over *over = self;
    return gt_dataset_make(over->context, type, self, indexed, over->of, NULL);
}

int64_t gt_over_count(void *self)
{
    return gt_dataset_known_rows(((const gt_Over *)self)->of);
}

gt_Status gt_dataset_get_renumbered(gt_Dataset *of, const int64_t *list, int64_t first,
                                    const int64_t *rows, int64_t count, gt_Batch *batch)
{
    gt_Context *context = gt_dataset_object(of)->context;
    size_t bytes = (size_t)count * sizeof *rows;
    int64_t *numbers = gt_allocate(context, bytes);
    for (int64_t i = 0; numbers && i < count; i++)
        numbers[i] = list ? list[rows[i]] : first + rows[i];
    if (numbers && batch)
        gt_dataset_get(of, numbers, count, batch);
    else if (numbers)
        gt_dataset_expect(of, numbers, count);
    gt_release(context, numbers, bytes);
    return gt_context_status(context);
}

gt_Status gt_over_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    return gt_dataset_get(((gt_Over *)self)->of, rows, count, batch);
}

void gt_over_ahead(void *self, const int64_t *rows, int64_t count)
{
    gt_dataset_expect(((gt_Over *)self)->of, rows, count);
}

void gt_over_close(void *self, void *state)
{
    (void)self;
    gt_pass_close(((gt_OverState *)state)->pass);
}

void gt_over_destroy(void *self)
{
    gt_over_free(self);
}

static gt_Pass *pass_of(gt_Over *over, const gt_RowsWanted *wanted, bool ordered)
{
    gt_OverState *state = wanted->state;
    if (!state->pass)
        state->pass = gt_pass_open(over->of, wanted->epoch, ordered);
    return state->pass;
}

gt_Status gt_over_seek(void *self, const gt_RowsWanted *wanted)
{
    gt_Over *over = self;
    gt_Pass *pass = pass_of(over, wanted, wanted->ordered);
    return pass ? gt_pass_skip(pass, wanted->row) : gt_context_status(over->context);
}

gt_Status gt_over_next(gt_Over *over, const gt_RowsWanted *wanted, bool ordered, gt_Batch *batch)
{
    gt_Pass *pass = pass_of(over, wanted, ordered);
    if (pass)
        gt_pass_piece(pass, wanted->count, batch);
    return gt_context_status(over->context);
}

gt_Status gt_over_next_as_wanted(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    return gt_over_next(self, wanted, wanted->ordered, batch);
}
