/* Parts of a dataset: some of its rows, by number, which stay where they are. */
#include "optim/internal.h"
#include "train/data/inside.h"
#include "train/data/utilities.h"

#include <math.h>
#include <string.h>

GT_OPTION_TYPE(gt_dataset_split_options, gt_dataset_split_OPTIONS);
GT_OPTION_TYPE(gt_split_dataset_options, gt_split_dataset_OPTIONS);

/* ---- the class: a list of rows of another dataset ---- */

typedef struct Part {
    gt_Context *context;
    gt_Dataset *of; /* held */
    int64_t *rows;
    int64_t count;
} Part;

static int64_t count_part(void *self)
{
    return ((const Part *)self)->count;
}

static gt_Status fetch(void *self, const int64_t *rows, int64_t count, gt_Batch *batch)
{
    const Part *part = self;
    return gt_dataset_get_renumbered(part->of, part->rows, 0, rows, count, batch);
}

static void ahead(void *self, const int64_t *rows, int64_t count)
{
    fetch(self, rows, count, NULL);
}

static void destroy(void *self)
{
    Part *part = self;
    gt_object_release(gt_dataset_object(part->of));
    gt_release(part->context, part->rows, (size_t)part->count * sizeof *part->rows);
    gt_release(part->context, part, sizeof *part);
}

static const gt_DatasetClass part_class = {.size = sizeof part_class,
                                           .name = "dataset_split",
                                           .count = count_part,
                                           .fetch = fetch,
                                           .ahead = ahead,
                                           .destroy = destroy};

/* A new dataset of those rows, which shares the caller's hold on `of`. */
static gt_Dataset *make_part(gt_Dataset *of, const int64_t *rows, int64_t count)
{
    gt_Context *context = of->object.context;
    size_t bytes = (size_t)count * sizeof *rows;
    Part *self = gt_self_new(context, sizeof *self);
    int64_t *own = gt_allocate(context, bytes);
    if (!self || !own) {
        gt_release(context, self, sizeof *self);
        gt_release(context, own, bytes);
        return NULL;
    }
    memcpy(own, rows, bytes);
    of->object.references++;
    *self = (Part){context, of, own, count};
    gt_Dataset *made = gt_dataset_make(context, &part_class, self, true, of, NULL);
    if (made)
        made->drawn = gt_distribution_hash(of->drawn ? of->drawn : GT_HASH_BEGIN, rows, bytes);
    return made;
}

/* ---- splitting ---- */

/* Rows 0 .. count - 1 in the order of `seed`, or in their own. */
static int64_t *some_order(gt_Context *context, int64_t count, bool shuffle, int64_t seed)
{
    int64_t *rows = gt_allocate(context, (size_t)count * sizeof *rows);
    for (int64_t i = 0; rows && i < count; i++)
        rows[i] = i;
    if (rows && shuffle) /* a draw that is no epoch's */
        gt_permute(context, rows, count,
                   seed >= 0 ? seed : (int64_t)(gt_context_seed(context) & INT64_MAX), -1);
    return rows;
}

/* The first and the last so many rows of an order. */
static gt_Status split_by(gt_Dataset *self, int64_t left, int64_t right, gt_Dataset **first,
                          gt_Dataset **second, bool shuffle, int64_t seed)
{
    gt_Context *context = self->object.context;
    int64_t all = gt_dataset_known_rows(self);
    int64_t *rows = some_order(context, all, shuffle, seed);
    if (!rows)
        return gt_context_status(context);
    *first = make_part(self, rows, left);
    *second = *first ? make_part(self, rows + (all - right), right) : NULL;
    if (!*second) {
        gt_dataset_free(*first);
        *first = NULL;
    }
    gt_release(context, rows, (size_t)all * sizeof *rows);
    return gt_context_status(context);
}

static gt_Status check(gt_Context *context, const gt_Dataset *self, gt_Dataset **first,
                       gt_Dataset **second, int64_t seed)
{
    if (!first || !second || first == second)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the places for the two parts must not be NULL, nor the same");
    if (seed < -1)
        return gt_raise(context, GT_INVALID, NULL, NULL, "seed must be >= -1 (got %lld)",
                        (long long)seed);
    if (!self->indexed)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "%s gives its rows one after the other: gt_dataset_cache keeps them, or "
                        "gt_dataset_take and "
                        "gt_dataset_skip part it",
                        self->type->name);
    return GT_OK;
}

static gt_Status split(gt_Dataset *self, double fraction, gt_Dataset **first, gt_Dataset **second,
                       const gt_dataset_split_options *options)
{
    gt_Context *context = self->object.context;
    if (check(context, self, first, second, options->seed) != GT_OK)
        return gt_context_status(context);
    if (!(fraction > 0 && fraction < 1))
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "fraction must be between 0 and 1 (got %g)", fraction);
    int64_t rows = gt_dataset_known_rows(self);
    int64_t count = (int64_t)floor((double)rows * fraction + 0.5);
    if (count < 1 || count >= rows)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "one part would be empty: %lld rows and the fraction %g", (long long)rows,
                        fraction);
    return split_by(self, count, rows - count, first, second, options->shuffle, options->seed);
}

gt_Status gt_dataset_split_at(const char *here, gt_Dataset *dataset, double fraction,
                              gt_Dataset **first, gt_Dataset **second,
                              const gt_dataset_split_options *given)
{
    gt_Context *context = gt_enter();
    if (first)
        *first = NULL;
    if (second)
        *second = NULL;
    if (!context || !gt_dataset_check(context, here, "dataset_split", dataset))
        return gt_status();
    gt_dataset_split_options options;
    GT_TAKE(gt_dataset_split_options, &options, given);
    gt_Site site = gt_site_enter(here, "dataset_split");
    split(dataset, fraction, first, second, &options);
    gt_site_leave(&site);
    return gt_context_status(context);
}

/* ---- keras.utils.split_dataset ---- */

/* A size in rows: a fraction of them, rounded half to even, or as many. -1 with the error raised. */
static int64_t rows_of(gt_Context *context, const char *what, double size, int64_t all)
{
    double rows = size < 1 ? nearbyint(size * (double)all) : size;
    if (size > 0 && rows >= 1 && rows < (double)all && rows == floor(rows))
        return (int64_t)rows;
    gt_raise(context, GT_INVALID, NULL, NULL,
             "%s must be a fraction between 0 and 1, or 1 to %lld rows, and leave some (got %g)",
             what, (long long)all - 1, size);
    return -1;
}

static gt_Status split_sizes(gt_Dataset *self, gt_Dataset **left, gt_Dataset **right,
                             const gt_split_dataset_options *options)
{
    gt_Context *context = self->object.context;
    if (check(context, self, left, right, options->seed) != GT_OK)
        return gt_context_status(context);
    if (options->left_size == 0 && options->right_size == 0)
        return gt_raise(context, GT_INVALID, NULL, NULL, "left_size or right_size must be given");
    int64_t all = gt_dataset_known_rows(self);
    int64_t first =
        options->left_size == 0 ? 0 : rows_of(context, "left_size", options->left_size, all);
    int64_t second = options->right_size == 0 || first < 0
                         ? 0
                         : rows_of(context, "right_size", options->right_size, all);
    if (first < 0 || second < 0)
        return gt_context_status(context);
    first = first ? first : all - second;
    second = second ? second : all - first;
    if (first + second > all)
        return gt_raise(context, GT_INVALID, NULL, NULL,
                        "the parts have %lld and %lld rows, and there are %lld", (long long)first,
                        (long long)second, (long long)all);
    return split_by(self, first, second, left, right, options->shuffle, options->seed);
}

gt_Status gt_split_dataset_at(const char *here, gt_Dataset *dataset, gt_Dataset **left,
                              gt_Dataset **right, const gt_split_dataset_options *given)
{
    gt_split_dataset_options options;
    GT_TAKE(gt_split_dataset_options, &options, given);
    gt_Context *context = gt_enter();
    if (left)
        *left = NULL;
    if (right)
        *right = NULL;
    if (!context || !gt_dataset_check(context, here, "split_dataset", dataset))
        return gt_status();
    gt_Site site = gt_site_enter(here, "split_dataset");
    split_sizes(dataset, left, right, &options);
    gt_site_leave(&site);
    return gt_context_status(context);
}
