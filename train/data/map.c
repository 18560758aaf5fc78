/* Datasets whose rows are made of, or chosen from, those of another one. */
#include "train/data/combine.h"
#include "ops/array/cast.h"
#include "ops/math/arithmetic.h"
#include "train/data/inside.h"

#include <string.h>

/* ---- map ---- */

typedef struct Map {
    gt_Over over;
    gt_BatchFunction function;
    void *user;
    gt_Value *weights; /* of gt_dataset_class_weight, held; NULL: a map of the user's */
} Map;

static gt_Status apply(Map *map, const char *name, gt_Batch *batch)
{
    gt_Context *context = map->over.context;
    if (gt_context_status(context) != GT_OK || batch->size == 0)
        return gt_context_status(context);
    gt_Batch before = *batch;
    gt_Status status = map->function(map->weights ? map : map->user, batch);
    if (status != GT_OK && gt_context_status(context) == GT_OK)
        gt_raise(context, status, NULL, NULL, "%s: the function failed without saying why", name);
    if (gt_batch_settle(context, name, &before, batch) == GT_OK && batch->size != before.size)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: the function must keep the number of rows (%lld became %lld)", name,
                 (long long)before.size, (long long)batch->size);
    return gt_context_status(context);
}

static const char *map_name(const Map *map)
{
    return map->weights ? "dataset_class_weight" : "dataset_map";
}

static gt_Status map_fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    Map *map = self;
    gt_dataset_get(map->over.of, rows, count, batch);
    return apply(map, map_name(map), batch);
}

static gt_Status map_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    Map *map = self;
    gt_over_next(&map->over, wanted, wanted->ordered, batch);
    return apply(map, map_name(map), batch);
}

static void map_destroy(void *self)
{
    Map *map = self;
    if (map->weights)
        gt_value_release(map->weights, true);
    gt_over_destroy(self);
}

static const gt_DatasetClass map_class = {.size = sizeof map_class,
                                          .name = "dataset_map",
                                          .count = gt_over_count,
                                          .fetch = map_fetch,
                                          .next = map_next,
                                          .state = sizeof(gt_OverState),
                                          .seek = gt_over_seek,
                                          .close = gt_over_close,
                                          .ahead = gt_over_ahead,
                                          .destroy = map_destroy};

/* A row of the map is one of the dataset below, so that may shuffle them. */
static gt_Dataset *make_map(Map *self)
{
    const gt_Dataset *of = self->over.of;
    gt_Dataset *dataset = gt_over_make(&map_class, self, of->indexed);
    if (dataset) {
        dataset->orders = of->orders;
        dataset->mapped |= !self->weights;
    }
    return dataset;
}

gt_Dataset *gt_dataset_map_at(const char *here, gt_Dataset *dataset, gt_BatchFunction function,
                              void *user)
{
    Map *self = gt_over_begin(here, "dataset_map", dataset, sizeof *self);
    if (!self)
        return NULL;
    if (!gt_function_given(here, "dataset_map", "the function", (uintptr_t)function)) {
        gt_over_free(self);
        return NULL;
    }
    self->function = function;
    self->user = user;
    return make_map(self);
}

/* ---- filter ---- */

typedef struct Filter {
    gt_Over over;
    gt_RowTest test;
    void *user;
} Filter;

/* The rows of `from` that pass. Size 0: none does. */
static gt_Status choose(const Filter *filter, const gt_Batch *from, gt_Batch *batch)
{
    gt_Context *context = filter->over.context;
    gt_Tensor *passes = filter->test(filter->user, from);
    if (!passes && gt_context_status(context) == GT_OK)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "dataset_filter: the test failed without saying why");
    const gt_Spec *spec =
        passes ? gt_tensor_check(context, NULL, NULL, "the test's answer", passes) : NULL;
    if (!spec)
        return gt_context_status(context);
    const bool *flags = gt_tensor_data(passes);
    if (spec->dtype != GT_BOOL || spec->rank < 1 || spec->size != from->size || !flags)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "dataset_filter: the test must answer with %lld bools, one for each row "
                        "(got %lld of %s)",
                        (long long)from->size, (long long)spec->size, gt_dtype_name(spec->dtype));
    size_t bytes = (size_t)from->size * sizeof(int64_t);
    int64_t *rows = gt_allocate(context, bytes), count = 0;
    for (int64_t i = 0; rows && i < from->size; i++)
        if (flags[i])
            rows[count++] = i;
    memset(batch, 0, sizeof *batch);
    if (count > 0)
        gt_batch_gather(context, from, rows, count, batch);
    gt_release(context, rows, bytes);
    return gt_context_status(context);
}

static gt_Status filter_next(void *self, const gt_RowsWanted *wanted, gt_Batch *batch)
{
    Filter *filter = self;
    gt_Context *context = filter->over.context;
    bool more = true;
    while (more && batch->size == 0 && gt_context_status(context) == GT_OK) {
        gt_Batch all = {0};
        gt_Scope *outer = gt_scope_innermost(context);
        if (!gt_scope_open(context))
            break;
        gt_over_next(&filter->over, wanted, wanted->ordered, &all);
        more = all.size > 0;
        if (more && choose(filter, &all, batch) == GT_OK && batch->size > 0)
            gt_batch_keep(context, batch);
        gt_scope_unwind(context, outer);
        if (gt_interrupted(context))
            gt_raise(context, GT_INTERRUPTED, NULL, NULL, "dataset_filter: interrupted");
    }
    return gt_context_status(context);
}

static const gt_DatasetClass filter_class = {.size = sizeof filter_class,
                                             .name = "dataset_filter",
                                             .next = filter_next,
                                             .state = sizeof(gt_OverState),
                                             .close = gt_over_close,
                                             .destroy = gt_over_destroy};

gt_Dataset *gt_dataset_filter_at(const char *here, gt_Dataset *dataset, gt_RowTest test, void *user)
{
    Filter *self = gt_over_begin(here, "dataset_filter", dataset, sizeof *self);
    if (!self)
        return NULL;
    if (!gt_function_given(here, "dataset_filter", "the test", (uintptr_t)test)) {
        gt_over_free(self);
        return NULL;
    }
    self->test = test;
    self->user = user;
    bool shuffles = self->over.of->indexed || self->over.of->orders;
    gt_Dataset *made = gt_over_make(&filter_class, self, false);
    if (made)
        made->orders =
            shuffles; /* what stays does not depend on the order, so the rows below are shuffled */
    return made;
}

/* ---- class weights ---- */

/* The class of row or step i; -1 with an error raised. */
static int64_t class_of(gt_Context *context, const gt_Spec *y, const void *data, int64_t i,
                        int64_t width)
{
    if (width <= 1) {
        double number = gt_number_fetch(y->dtype, data, i);
        if (number >= 0 && number < 9e15 && number == (double)(int64_t)number)
            return (int64_t)number;
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "class weights are for labels that are classes (got %g)", number);
        return -1;
    }
    int64_t best = 0;
    for (int64_t k = 1; k < width; k++)
        if (gt_number_fetch(y->dtype, data, i * width + k) >
            gt_number_fetch(y->dtype, data, i * width + best))
            best = k;
    return best;
}

static gt_Status weigh(void *user, gt_Batch *batch)
{
    const Map *map = user;
    gt_Context *context = map->over.context;
    if (!batch->y)
        return gt_raise(context, GT_INVALID, NULL, NULL, "class weights are for rows with labels");
    const gt_Spec *y = gt_tensor_spec(batch->y), *classes = gt_value_spec(map->weights);
    const void *labels = gt_tensor_data(batch->y), *table = gt_value_data(map->weights);
    bool one_hot = gt_dtype_is_float(y->dtype) && y->rank > 1 && y->dims[y->rank - 1] > 1;
    int64_t width = one_hot ? y->dims[y->rank - 1] : 1;
    gt_Spec spec = *y;
    void *data;
    spec.dtype = gt_dtype(batch->x) == GT_FLOAT64 ? GT_FLOAT64 : GT_FLOAT32;
    if (one_hot || (spec.rank > 1 && spec.dims[spec.rank - 1] == 1))
        spec.rank--;
    if (!labels || !table || !gt_spec_resize(&spec))
        return gt_context_status(context);
    gt_Tensor *weights = gt_tensor_new(context, &spec, &data);
    for (int64_t i = 0; weights && i < spec.size; i++) {
        int64_t c = class_of(context, y, labels, i, width);
        if (c < 0)
            return gt_context_status(context);
        gt_number_store(spec.dtype, data, i,
                        c < classes->size ? gt_number_fetch(classes->dtype, table, c) : 1);
    }
    if (weights && batch->weights[0])
        weights = gt_multiply(gt_cast(batch->weights[0], spec.dtype), weights);
    batch->weights[0] = weights;
    return gt_context_status(context);
}

gt_Dataset *gt_dataset_class_weight_at(const char *here, gt_Dataset *dataset, gt_Tensor *weights)
{
    static const char operation[] = "dataset_class_weight";
    Map *self = gt_over_begin(here, operation, dataset, sizeof *self);
    if (!self)
        return NULL;
    gt_Context *context = self->over.context;
    const gt_Spec *spec = gt_tensor_check(context, here, operation, "weights", weights);
    if (spec && (spec->rank != 1 || !gt_dtype_is_float(spec->dtype)))
        gt_raise(context, GT_INVALID, here, operation, "weights must be floats (classes)");
    if (gt_context_status(context) == GT_OK)
        self->weights = gt_value_hold(context, here, operation, "weights", weights);
    if (!self->weights) {
        gt_over_free(self);
        return NULL;
    }
    self->function = weigh;
    return make_map(self);
}
