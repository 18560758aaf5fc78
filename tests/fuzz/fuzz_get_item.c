/* Any text as the key of gt_get_item. A reader of this file's own, and Python's rule for slices,
 * say whether it is legal and which elements it takes. */
#include "tests/fuzz/fuzz.h"
#include "ops/array/indexing.h"

#define ITEMS 64
#define NONE  INT64_MIN

typedef struct Slice {
    char kind; /* 'i' an index, 's' a slice, 'n' a new axis, '.' the ellipsis */
    int64_t start, stop, step;
} Slice;

static void blanks(const char **at)
{
    while (**at == ' ' || **at == '\t' || **at == '\n')
        ++*at;
}

static bool word(const char **at, const char *text)
{
    if (strncmp(*at, text, strlen(text)) != 0)
        return false;
    *at += strlen(text);
    return true;
}

/* A number that does not fit is as good as the largest that does. NONE: there is none. */
static bool number(const char **at, int64_t *value)
{
    const char *digit = *at;
    bool negative = *digit == '-';
    digit += *digit == '-' || *digit == '+';
    *value = NONE;
    if (*digit < '0' || *digit > '9')
        return digit == *at;
    for (*value = 0; *digit >= '0' && *digit <= '9'; digit++)
        *value = *value > (INT64_MAX - 9) / 10 ? INT64_MAX : *value * 10 + (*digit - '0');
    if (negative)
        *value = -*value;
    *at = digit;
    blanks(at);
    return true;
}

/* How many items; -1 if the text is illegal. */
static int read_items(const char *at, Slice *items)
{
    int count = 0;
    blanks(&at);
    while (*at) {
        Slice *item = &items[count++];
        *item = (Slice){'i', NONE, NONE, NONE};
        if (count == ITEMS)
            return -1;
        if (word(&at, "..."))
            item->kind = '.';
        else if (word(&at, "newaxis") || word(&at, "None"))
            item->kind = 'n';
        else if (!number(&at, &item->start))
            return -1;
        else if (word(&at, ":")) {
            item->kind = 's';
            blanks(&at);
            if (!number(&at, &item->stop))
                return -1;
            if (word(&at, ":")) {
                blanks(&at);
                if (!number(&at, &item->step))
                    return -1;
            }
        } else if (item->start == NONE) {
            return -1;
        }
        blanks(&at);
        if (*at && !word(&at, ","))
            return -1;
        blanks(&at);
    }
    return count;
}

/* For each axis of x where its elements come from, in order; `kept` where the axis stays. */
typedef struct Taken {
    gt_Shape result;
    int64_t count[GT_MAX_RANK], first[GT_MAX_RANK], step[GT_MAX_RANK];
} Taken;

static int64_t limited(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static bool take_axis(Taken *taken, const Slice *item, int d, int64_t length)
{
    if (item->kind == 'i') {
        if (item->start < -length || item->start >= length)
            return false;
        taken->first[d] = item->start < 0 ? item->start + length : item->start;
        taken->count[d] = taken->step[d] = 1;
        return true;
    }
    int64_t step = item->step == NONE ? 1 : item->step;
    if (step == 0)
        return false;
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    int64_t start = item->start, stop = item->stop, n = 0;
    start = start == NONE ? (step < 0 ? high : low)
                          : limited(start < 0 ? start + length : start, low, high);
    stop = stop == NONE ? (step < 0 ? low : high)
                        : limited(stop < 0 ? stop + length : stop, low, high);
    taken->first[d] = start;
    taken->step[d] = step;
    for (int64_t i = start; step < 0 ? i > stop : i < stop; i += limited(step, -99, 99))
        n++;
    taken->count[d] = n;
    if (taken->result.rank < GT_MAX_RANK)
        taken->result.dims[taken->result.rank] = n;
    taken->result.rank++;
    return true;
}

static bool legal(const char *text, gt_Shape shape, Taken *taken)
{
    Slice items[ITEMS];
    const Slice all = {'s', NONE, NONE, NONE};
    int count = read_items(text, items), axes = 0, ellipses = 0, d = 0;
    for (int i = 0; i < count; i++) {
        axes += items[i].kind == 'i' || items[i].kind == 's';
        ellipses += items[i].kind == '.';
    }
    if (count < 0 || axes > shape.rank || ellipses > 1)
        return false;
    for (int i = 0; i < count; i++) {
        if (items[i].kind == 'n') {
            if (taken->result.rank < GT_MAX_RANK)
                taken->result.dims[taken->result.rank] = 1;
            taken->result.rank++;
        } else if (items[i].kind == '.') {
            for (int k = axes; k < shape.rank; k++, d++)
                take_axis(taken, &all, d, shape.dims[d]);
        } else {
            if (!take_axis(taken, &items[i], d, shape.dims[d]))
                return false;
            d++;
        }
    }
    for (; d < shape.rank; d++)
        take_axis(taken, &all, d, shape.dims[d]);
    return taken->result.rank <= GT_MAX_RANK;
}

static void compare(const Taken *taken, gt_Shape shape, const gt_Tensor *y)
{
    int64_t index[GT_MAX_RANK] = {0}, size = gt_size(y);
    if (!gt_shape_equal(gt_tensor_shape(y), taken->result))
        fuzz_stop("the result has another shape");
    for (int64_t i = 0; i < size; i++) {
        int64_t at = 0;
        for (int d = 0; d < shape.rank; d++)
            at = at * shape.dims[d] + taken->first[d] + (index[d] ? index[d] * taken->step[d] : 0);
        if (gt_element(y, i) != (double)at)
            fuzz_stop("an element comes from another place");
        for (int d = shape.rank - 1; d >= 0; d--)
            if (++index[d] < taken->count[d])
                break;
            else
                index[d] = 0;
    }
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    static const int64_t sizes[] = {3, 1, 5, 0};
    uint8_t rank = fuzz_byte(&data, &size), dims = fuzz_byte(&data, &size);
    gt_Shape shape = {.mark = GT_MARK, .rank = rank % 5};
    for (int d = 0; d < shape.rank; d++)
        shape.dims[d] = sizes[dims >> 2 * d & 3];
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    double values[625];
    for (int i = 0; i < 625; i++)
        values[i] = i;
    int64_t elements = 1;
    for (int d = 0; d < shape.rank; d++)
        elements *= shape.dims[d];
    gt_Tensor *x = gt_from_values_at(NULL, shape, GT_FLOAT64, elements, values);
    if (fuzz_works(x != NULL)) {
        char *text = fuzz_text(data, size);
        Taken taken = {0};
        bool expected = legal(text, shape, &taken);
        gt_Tensor *y = gt_get_item(x, text);
        if (!expected && y)
            fuzz_stop("an illegal key is accepted");
        if (expected ? fuzz_works(y != NULL) : fuzz_either(y != NULL))
            compare(&taken, shape, y);
        free(text);
    }
    gt_scope_end(scope);
}
