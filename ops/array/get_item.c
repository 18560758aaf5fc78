/* Parts of a tensor as Python writes them.
 *
 * The key is read once, without knowing x but for its rank: "1:-1, ..., 3" of rank 3 is the ranges 1:-1:, :: and the
 * index 3. The record keeps these numbers as they were written, so that a traced call fits any length; its shape rule resolves
 * them against the axes. For x (5, 4, 6) that is a block which starts at (1, 0, 3), has steps of 1 and extents (3, 4, 1), and the
 * result is (3, 4): the axis with the index goes. Where the block is contiguous in x the result is a view, else a copy.
 *
 * Leans on block.c. */
#include "ops/array/get_item.h"
#include "ops/array/block.h"
#include "ops/array/indexing.h"

#include <string.h>

/* ---- the record ---- */

GT_OPTION_TYPE(gt_GetItemOptions, GT_GET_ITEM_OPTIONS);

/* What a range takes of an axis, by Python's rules: bounds beyond the ends are moved to them, and behind the last element of a
 * range that goes backwards is -1. */
static void resolve_range(int64_t start, int64_t stop, int64_t step, int64_t length,
                          gt_Block *block, int d)
{
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? length : length - 1;
    int64_t bound[2] = {start, stop};
    for (int i = 0; i < 2; i++) {
        if (bound[i] == GT_ABSENT)
            bound[i] = (step > 0) == (i == 0) ? low : high;
        else if (bound[i] < 0)
            bound[i] = bound[i] + length < low ? low : bound[i] + length;
        else
            bound[i] = bound[i] > high ? high : bound[i];
    }
    int64_t way = step > 0 ? bound[1] - bound[0] : bound[0] - bound[1];
    uint64_t apart = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    block->extent[d] = way > 0 ? (int64_t)(((uint64_t)way - 1) / apart) + 1 : 0;
    block->start[d] = block->extent[d] > 0 ? bound[0] : 0;
    block->step[d] = block->extent[d] > 1 ? step : 1;
}

/* The block that the options describe; false with an error raised for what x does not have. */
static bool item_block(const gt_GetItemOptions *options, const gt_Spec *in, gt_Block *block)
{
    if (options->start.rank != in->rank || options->stop.rank != in->rank ||
        options->step.rank != in->rank) {
        gt_fail(GT_INVALID, "%d ranges for %d axes", options->start.rank, in->rank);
        return false;
    }
    for (int d = 0; d < in->rank; d++) {
        int64_t start = options->start.dims[d], length = in->dims[d];
        int64_t step = options->step.dims[d] == GT_ABSENT ? 1 : options->step.dims[d];
        if (step == 0) {
            gt_fail(GT_INVALID, "axis %d: a step of 0", d);
            return false;
        }
        if (!(options->dropped >> d & 1)) {
            resolve_range(start, options->stop.dims[d], step, length, block, d);
            continue;
        }
        if (start < -length || start >= length) {
            gt_fail(GT_INVALID, "index %lld is outside axis %d of length %lld", (long long)start, d,
                    (long long)length);
            return false;
        }
        block->start[d] = start < 0 ? start + length : start;
        block->step[d] = block->extent[d] = 1;
    }
    return true;
}

static gt_Block block_of(const gt_GetItemOptions *options, const gt_Spec *in)
{
    gt_Block block = gt_block_whole(in);
    item_block(options, in, &block);
    return block;
}

static gt_Status item_shape(gt_ShapeRule *rule)
{
    const gt_GetItemOptions *options = rule->options;
    const gt_Spec *in = rule->input[0];
    gt_Spec *out = &rule->output[0];
    gt_Block block;
    if (!item_block(options, in, &block))
        return gt_status();
    out->dtype = in->dtype;
    for (int d = 0; d < in->rank || options->added >> out->rank & 1;) {
        bool added = options->added >> out->rank & 1;
        bool dropped = !added && options->dropped >> d & 1;
        if (!dropped && out->rank == GT_MAX_RANK)
            return gt_fail(GT_INVALID, "the result would have more than %d dimensions",
                           GT_MAX_RANK);
        if (!dropped)
            out->dims[out->rank++] = added ? 1 : block.extent[d];
        d += !added;
    }
    return GT_OK;
}

static int64_t item_offset(const gt_ShapeRule *rule)
{
    gt_Block block = block_of(rule->options, rule->input[0]);
    return gt_block_offset(rule->input[0], &block);
}

static void item_lower(const gt_ShapeRule *rule, gt_Lowering *lowering)
{
    gt_Block block = block_of(rule->options, rule->input[0]);
    gt_block_lower(rule, lowering, &block);
}

static gt_Status item_gradient(gt_GradientRule *rule)
{
    const gt_Spec *in = gt_rule_input_spec(rule, 0);
    gt_Block block = block_of(gt_rule_options(rule), in);
    gt_Shape extent = gt_spec_shape(in);
    memcpy(extent.dims, block.extent, sizeof block.extent);
    return gt_block_give(rule, &block, gt_reshape(gt_upstream(rule, 0), extent));
}

/* The same ranges of the mask along its axes. New axes behind all of them are left out. */
static gt_Status item_mask(gt_MaskRule *rule)
{
    gt_GetItemOptions options = *(const gt_GetItemOptions *)rule->shape->options;
    int axes = gt_mask_axes(rule, 0), rank = 0;
    for (int d = 0; d < axes; rank++)
        if (!(options.added >> rank & 1)) {
            rank -= options.dropped >> d & 1 ? 1 : 0;
            d++;
        }
    options.added &= (1 << rank) - 1;
    options.dropped &= (1 << axes) - 1;
    options.start.rank = options.stop.rank = options.step.rank = axes;
    return gt_mask_join(rule, 0, gt_get_block(rule->input[0], &options));
}

#define ALL GT_ABSENT
const gt_Operation gt_op_get_item = {
    GT_RECORD("get_item", "ranges and indices along the axes of x", 1, 1),
    .flags = GT_OP_LINEAR | GT_OP_HALF | GT_OP_VIEW | GT_OP_CARRIES,
    .options = &gt_GetItemOptions_type,
    .shape = item_shape,
    .view_offset = item_offset,
    .lower = item_lower,
    .gradient = item_gradient,
    .mask = item_mask,
    .samples = GT_SAMPLES(
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(3, 4)),
         .options = &GT_VALUES(gt_GetItemOptions, {GT_MARK, 2, {1, -3}}, {GT_MARK, 2, {ALL, -1}},
                               {GT_MARK, 2, {ALL, ALL}}, 0, 2)},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 3)),
         .options = &GT_VALUES(gt_GetItemOptions, {GT_MARK, 3, {-1, ALL, 0}},
                               {GT_MARK, 3, {ALL, ALL, 2}}, {GT_MARK, 3, {ALL, -2, ALL}}, 1, 0)},
        {.inputs = 1,
         .input = GT_INPUTS(GT_ANY(4, 3)),
         .options = &GT_VALUES(gt_GetItemOptions, {GT_MARK, 2, {1, 0}}, {GT_MARK, 2, {9, 9}},
                               {GT_MARK, 2, {ALL, ALL}}, 0, 0)}),
};

gt_Tensor *gt_get_block(gt_Tensor *x, const gt_GetItemOptions *options)
{
    return gt_apply_one_at(NULL, &gt_op_get_item, options, 1, &x);
}

gt_Tensor *gt_range_of(gt_Tensor *x, int axis, int64_t start, int64_t stop)
{
    int rank = gt_rank(x);
    if (gt_status() != GT_OK || (axis = gt_axis(axis, rank)) < 0)
        return NULL;
    gt_Shape all = {GT_MARK, rank, {0}};
    for (int d = 0; d < rank; d++)
        all.dims[d] = GT_ABSENT;
    gt_GetItemOptions options = GT_VALUES(gt_GetItemOptions, all, all, all, 0, 0);
    options.start.dims[axis] = start;
    options.stop.dims[axis] = stop;
    return gt_get_block(x, &options);
}

/* ---- reading a key ---- */

typedef enum ItemKind { ITEM_INDEX, ITEM_RANGE, ITEM_NEW_AXIS, ITEM_ELLIPSIS } ItemKind;
/* One item of a key. A number that is not written is GT_ABSENT. */
typedef struct Item {
    ItemKind kind;
    int64_t start, stop, step;
} Item;
#define MOST_ITEMS (2 * GT_MAX_RANK + 1)

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\n");
}

/* A number that is too large for its type is as good as the largest one. */
static const char *read_number(const char *text, int64_t *number)
{
    const char *digit = text = skip_blanks(text);
    bool negative = *digit == '-';
    digit += *digit == '-' || *digit == '+';
    *number = GT_ABSENT;
    if (*digit < '0' || *digit > '9')
        return text;
    int64_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        value = value > (INT64_MAX - 9) / 10 ? INT64_MAX : value * 10 + (*digit - '0');
    *number = negative ? -value : value;
    return skip_blanks(digit);
}

/* Behind the item, or NULL if there is none. */
static const char *read_item(const char *text, Item *item)
{
    static const struct {
        const char *text;
        ItemKind kind;
    } word[] = {{"...", ITEM_ELLIPSIS}, {"newaxis", ITEM_NEW_AXIS}, {"None", ITEM_NEW_AXIS}};
    *item = (Item){ITEM_INDEX, GT_ABSENT, GT_ABSENT, GT_ABSENT};
    for (int i = 0; i < 3; i++)
        if (strncmp(text, word[i].text, strlen(word[i].text)) == 0) {
            item->kind = word[i].kind;
            return skip_blanks(text + strlen(word[i].text));
        }
    text = read_number(text, &item->start);
    if (*text != ':')
        return item->start == GT_ABSENT ? NULL : text;
    item->kind = ITEM_RANGE;
    text = read_number(text + 1, &item->stop);
    return *text == ':' ? read_number(text + 1, &item->step) : text;
}

/* How many items; -1 with an error raised for what is not a key. */
static int read_key(const char *key, Item *items)
{
    const char *text = skip_blanks(key ? key : "");
    int count = 0;
    while (text && *text) {
        text = count < MOST_ITEMS ? read_item(text, &items[count++]) : NULL;
        if (text && *text == ',')
            text = skip_blanks(text + 1);
        else if (text && *text)
            text = NULL;
    }
    if (text && key)
        return count;
    gt_fail(GT_INVALID,
            "invalid key \"%.60s\"; expected something like \"0, 1:-1, ..., ::2, newaxis\"",
            key ? key : "NULL");
    return -1;
}

/* Puts ranges over everything in place of "...", or at the end; how many items there are then. */
static int fill_key(Item *items, int count, int rank)
{
    const Item everything = {ITEM_RANGE, GT_ABSENT, GT_ABSENT, GT_ABSENT};
    int axes = 0, ellipses = 0, at = count;
    for (int i = 0; i < count; i++) {
        axes += items[i].kind == ITEM_INDEX || items[i].kind == ITEM_RANGE;
        ellipses += items[i].kind == ITEM_ELLIPSIS;
        at = items[i].kind == ITEM_ELLIPSIS ? i : at;
    }
    if (axes > rank || ellipses > 1 || count - ellipses + rank - axes > MOST_ITEMS) {
        gt_fail(GT_INVALID, "%d axes and %d times ... do not fit rank %d", axes, ellipses, rank);
        return -1;
    }
    memmove(items + at + rank - axes, items + at + ellipses,
            (size_t)(count - at - ellipses) * sizeof *items);
    for (int i = 0; i < rank - axes; i++)
        items[at + i] = everything;
    return count - ellipses + rank - axes;
}

static gt_Tensor *get_item(gt_Tensor *x, const char *key)
{
    Item items[MOST_ITEMS];
    int rank = gt_rank(x), result = 0;
    int count = gt_status() == GT_OK ? read_key(key, items) : -1;
    if (count < 0 || (count = fill_key(items, count, rank)) < 0)
        return NULL;
    gt_Shape all = {GT_MARK, rank, {0}};
    gt_GetItemOptions options = GT_VALUES(gt_GetItemOptions, all, all, all, 0, 0);
    for (int i = 0, d = 0; i < count; i++) {
        if (items[i].kind != ITEM_INDEX && result++ == GT_MAX_RANK) {
            gt_fail(GT_INVALID, "the result would have more than %d dimensions", GT_MAX_RANK);
            return NULL;
        }
        if (items[i].kind == ITEM_NEW_AXIS) {
            options.added |= 1 << (result - 1);
            continue;
        }
        options.start.dims[d] = items[i].start;
        options.stop.dims[d] = items[i].stop;
        options.step.dims[d] = items[i].step;
        options.dropped |= (items[i].kind == ITEM_INDEX ? 1 : 0) << d;
        d++;
    }
    return gt_get_block(x, &options);
}
GT_COMPOSED(get_item, (const char *here, gt_Tensor *x, const char *key), (x, key))
