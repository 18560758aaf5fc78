/* Shapes, and sizes that cannot overflow: a tensor has at most INT64_MAX / 16 elements' bytes. */
#include "core/structs.h"

#include <stdio.h>
#include <string.h>

gt_Shape gt_shape_of(int rank, const int64_t *dims)
{
    gt_Shape shape = {.mark = GT_MARK};
    if (rank < 0 || rank > GT_MAX_RANK || (rank > 0 && !dims)) {
        shape.rank = -1;
        return shape;
    }
    shape.rank = rank;
    if (rank)
        memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    return shape;
}

gt_Axes gt_axes_of(int count, const int *axes)
{
    if (count < 0 || count > GT_MAX_RANK || (count > 0 && !axes))
        return (gt_Axes){.mark = GT_MARK, .count = GT_MAX_RANK + 1};
    gt_Axes set = {.mark = GT_MARK, .count = count};
    for (int i = 0; i < count; i++)
        set.axis[i] = axes[i];
    return set;
}

/* One more than fits makes them invalid. */
gt_Shape gt_shape_list(const int64_t *dims)
{
    int rank = 0;
    while (rank <= GT_MAX_RANK && dims[rank] != GT_INTEGERS_END)
        rank++;
    return gt_shape_of(rank, dims);
}

gt_Numbers gt_numbers_of(int count, const double *values)
{
    gt_Numbers numbers = {.mark = GT_MARK, .count = count};
    for (int i = 0; i < count && i < GT_MAX_NUMBERS; i++)
        numbers.value[i] = values[i];
    return numbers;
}

/* One more than fits makes a count that no operation takes. */
gt_Numbers gt_numbers_list(const double *values)
{
    int count = 0;
    while (count <= GT_MAX_NUMBERS && values[count] != GT_NUMBERS_END)
        count++;
    return gt_numbers_of(count, values);
}

gt_Axes gt_axes_list(const int *axes)
{
    int count = 0;
    while (count <= GT_MAX_RANK && axes[count] != GT_AXES_END)
        count++;
    return gt_axes_of(count, axes);
}

gt_Integers gt_integers_list(const int64_t *items)
{
    int64_t count = 0;
    while (items[count] != GT_INTEGERS_END)
        count++;
    return (gt_Integers){count, items, 0};
}

/* ---- sizes ----
 *
 *     bit  62     60        40         20        0
 *           1   count     third    second    first     a list of two or three; one that cannot be packed has count 0 */

#define SIZE_MOST (((int64_t)1 << GT_SIZES_BITS_) - 1)
#define SIZE_NONE GT_SIZES_PACKED_(0, 0, 0, 0)

gt_Sizes gt_sizes_list(const int64_t *items)
{
    int64_t three[3] = {0, 0, 0};
    int count = 0;
    for (; items[count] != GT_INTEGERS_END; count++) {
        if (count == 3)
            return SIZE_NONE;
        three[count] = items[count];
    }
    if (count == 1)
        return items[0];
    for (int i = 0; i < 3; i++)
        if (three[i] < 0 || three[i] > SIZE_MOST)
            return SIZE_NONE;
    return GT_SIZES_PACKED_(count, three[0], three[1], three[2]);
}

/* How many numbers there are, 1 to 3, and the numbers; 0: they could not be packed. */
static int unpack_sizes(gt_Sizes sizes, int64_t numbers[3])
{
    numbers[0] = sizes;
    if (sizes < SIZE_NONE)
        return 1;
    for (int i = 0; i < 3; i++)
        numbers[i] = sizes >> GT_SIZES_BITS_ * i & SIZE_MOST;
    return (int)(sizes >> 60 & 3);
}

gt_Status gt_sizes_expand_at(const char *here, const char *what, gt_Sizes sizes, int count,
                             int64_t least, int64_t *numbers)
{
    gt_Context *context = gt_enter();
    if (!context)
        return gt_status();
    if (!what || !numbers || count < 1 || count > 3)
        return gt_raise(context, GT_INVALID, here, "sizes_expand",
                        "there must be a name and room for 1 to 3 numbers (got %d)", count);
    int64_t given[3];
    int have = unpack_sizes(sizes, given);
    if (have == 0)
        return gt_raise(context, GT_INVALID, here, NULL,
                        "%s must be one number, or up to three from 0 to %d", what,
                        (int)SIZE_MOST);
    if (have != 1 && have != count)
        return gt_raise(context, GT_INVALID, here, NULL,
                        "%s must be one number, or one for each of %d spatial ax%ss (got %d)", what,
                        count, count == 1 ? "i" : "e", have);
    for (int i = 0; i < count; i++) {
        numbers[i] = given[have == 1 ? 0 : i];
        if (numbers[i] < least || numbers[i] > INT32_MAX)
            return gt_raise(context, GT_INVALID, here, NULL, "%s must be from %lld to %d (got %lld)",
                            what, (long long)least, INT32_MAX, (long long)numbers[i]);
    }
    return GT_OK;
}

/* ---- shapes ---- */

/* One that was filled in by hand may be none. */
static bool is_shape(const gt_Shape *shape)
{
    return shape->rank >= 0 && shape->rank <= GT_MAX_RANK;
}

bool gt_shape_equal(gt_Shape a, gt_Shape b)
{
    if (a.rank != b.rank || !is_shape(&a))
        return false;
    return memcmp(a.dims, b.dims, (size_t)a.rank * sizeof *a.dims) == 0;
}

int64_t gt_dim(gt_Shape shape, int index)
{
    if (!is_shape(&shape))
        return -1;
    if (index < 0)
        index += shape.rank;
    return index >= 0 && index < shape.rank ? shape.dims[index] : -1;
}

int64_t gt_last(gt_Shape shape)
{
    return gt_dim(shape, -1);
}

char *gt_shape_text(gt_Shape shape, char *text, size_t size)
{
    if (!text || !size)
        return text;
    if (!is_shape(&shape)) {
        snprintf(text, size, "(no shape)");
        return text;
    }
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i <= shape.rank && used < size; i++) {
        int n = i < shape.rank ? snprintf(text + used, size - used, "%s%lld", i ? ", " : "(",
                                          (long long)shape.dims[i])
                               : snprintf(text + used, size - used, "%s",
                                          shape.rank == 0   ? "()"
                                          : shape.rank == 1 ? ",)"
                                                            : ")");
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}

/* The product of all dimensions but those of 0 must fit too, as NumPy has it: strides and counts of
 * rows are such products, and kernels need not think of their overflow. */
bool gt_spec_resize(gt_Spec *spec)
{
    const int64_t most = INT64_MAX / 64; /* bytes of any element type fit, rounded up too */
    bool empty = false;
    spec->size = 1;
    for (int i = 0; i < spec->rank; i++) {
        int64_t dim = spec->dims[i];
        if (dim < 0)
            return false;
        empty |= dim == 0;
        if (dim == 0)
            continue;
        bool both_small = (spec->size | dim) <= INT32_MAX; /* spares the division */
        if (!both_small && spec->size > most / dim)
            return false;
        spec->size *= dim;
    }
    bool fits = (uint64_t)spec->size <= SIZE_MAX / 64;
    if (empty)
        spec->size = 0;
    return fits;
}

bool gt_spec_set(gt_Spec *spec, gt_DType dtype, gt_Shape shape)
{
    if (!is_shape(&shape))
        return false;
    spec->dtype = dtype;
    spec->rank = shape.rank;
    memcpy(spec->dims, shape.dims, sizeof spec->dims);
    return gt_spec_resize(spec);
}

gt_Shape gt_spec_shape(const gt_Spec *spec)
{
    return gt_shape_of(spec->rank, spec->dims);
}

bool gt_dims_equal(const gt_Spec *a, const gt_Spec *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

bool gt_spec_equal(const gt_Spec *a, const gt_Spec *b)
{
    return a->dtype == b->dtype && gt_dims_equal(a, b);
}

char *gt_dims_text(const gt_Spec *spec, char *text, size_t size)
{
    return gt_shape_text(gt_spec_shape(spec), text, size);
}

char *gt_spec_text(const gt_Spec *spec, char *text, size_t size)
{
    int n = snprintf(text, size, "%s ", gt_dtype_name(spec->dtype));
    if (n > 0 && (size_t)n < size)
        gt_dims_text(spec, text + n, size - (size_t)n);
    return text;
}

/* `.axes = 0` puts a null pointer in the place of the mark and leaves the preset behind it, or zeros; what was
 * filled in by hand says more. */
static bool is_bare_number(const gt_OptionType *type, const gt_Field *field, const char *value,
                           const gt_Mark *mark)
{
    if (mark)
        return mark != GT_MARK;
    const char *preset = (const char *)type->defaults + field->offset;
    bool zeros = true, same = true;
    for (size_t i = sizeof mark; i < field->size; i++) {
        zeros &= value[i] == 0;
        same &= value[i] == preset[i];
    }
    return zeros || same;
}

/* Nobody reads behind the end of a set of axes or of a shape. A rank of -1 and one axis too many say what a macro could not
 * make; whoever works with them says so. */
static void check_count(const gt_Field *field, const char *value)
{
    int32_t count;
    memcpy(&count, value, sizeof count);
    if (count >= -1 && count <= GT_MAX_RANK + 1)
        return;
    if (strcmp(field->type, "gt_Axes") == 0)
        gt_raise(gt_context(), GT_INVALID, NULL, NULL,
                 "%s must have at most %d axes, as gt_axes(...) makes them (got %d)", field->name,
                 GT_MAX_RANK, (int)count);
    else if (strcmp(field->type, "gt_Shape") == 0)
        gt_raise(gt_context(), GT_INVALID, NULL, NULL,
                 "%s must have at most %d dimensions, as gt_shape(...) makes them (got %d)",
                 field->name, GT_MAX_RANK, (int)count);
}

/* Raises what is wrong with a marked field, if anything is. */
static void check_mark(const gt_OptionType *type, const gt_Field *field, const char *value)
{
    /* gt_NAME_options, where no operation runs that says its name */
    char operation[64] = "";
    const gt_Context *context = gt_context();
    const gt_Mark *mark;
    size_t length = strlen(type->name), around = strlen("gt_") + strlen("_options");
    if (!context)
        return;
    if (!context->applying && !context->composing && length > around && length < sizeof operation)
        memcpy(operation, type->name + strlen("gt_"), length - around);
    memcpy(&mark, value, sizeof mark);
    check_count(field, value + sizeof mark);
    if (is_bare_number(type, field, value, mark)) /* the macro's name is the type's in lower case */
        gt_raise(gt_context(), GT_INVALID, NULL, operation[0] ? operation : NULL,
                 ".%s must be gt_%c%s(...) (got the number %d)", field->name, field->type[3] | 32,
                 field->type + 4, (int)(intptr_t)mark);
}

static void check_marks(const gt_OptionType *type, const void *options)
{
    uint32_t left = type->marked;
    for (const gt_Field *field = type->fields; left > 0; field++) {
        if (!field->marked)
            continue;
        const char *value = (const char *)options + field->offset;
        const gt_Mark *mark;
        int32_t count;
        memcpy(&mark, value, sizeof mark);
        memcpy(&count, value + sizeof mark, sizeof count);
        if (mark != GT_MARK || count < -1 || count > GT_MAX_RANK) /* else it is in order */
            check_mark(type, field, value);
        left--;
    }
}

void *gt_options_take(const gt_OptionType *type, void *into, const void *given)
{
    memcpy(into, type->defaults, type->size);
    if (!given)
        return into;
    uint32_t bytes;
    memcpy(&bytes, given, sizeof bytes);
    memcpy(into, given, bytes < type->end ? bytes : type->end);
    memcpy(into, &type->end, sizeof type->end);
    check_marks(type, into);
    return into;
}

bool gt_options_whole(const gt_OptionType *type, const void *given)
{
    uint32_t bytes = 0;
    if (given)
        memcpy(&bytes, given, sizeof bytes);
    if (bytes != type->end)
        return false;
    check_marks(type, given);
    return true;
}
