/* No input makes the library crash, read out of bounds or answer with a wrong shape: an error that
 * names the operation, or a result. Two walks try what a program can get wrong:
 *   every record of the table, from its samples: each input missing, stale, of every type and rank,
 *   empty in one dimension and huge in another, full of NaN, infinities and extremes; every field of
 *   its options at values that make no sense; and whatever works is differentiated;
 *   every function that is made of several operations, from a table of calls.
 * Memory is limited, so that a size that cannot be is refused and not tried. */
#include <criterion/criterion.h>

#include "leaks.h"
#include "operations.h"
#include "optim/optimizer.h"

#include <float.h>
#include <stdio.h>

/* ---- a little memory ---- */

enum { MEMORY = 1 << 26 };

typedef struct Meter {
    size_t used;
} Meter;

static void *metered_allocate(void *user, size_t size, size_t alignment)
{
    Meter *meter = user;
    void *memory = NULL;
    if (size > MEMORY - meter->used || posix_memalign(&memory, alignment, size ? size : 1) != 0)
        return NULL;
    meter->used += size;
    return memory;
}

static void metered_release(void *user, void *memory, size_t size)
{
    Meter *meter = user;
    meter->used -= size;
    free(memory);
}

static void in_little_memory(void (*body)(void))
{
    Meter meter = {0};
    gt_Allocator allocator = {metered_allocate, metered_release, &meter};
    gt_Context *context = gt_context_create(.allocator = &allocator),
               *mine = gt_context_use(context);
    body();
    gt_context_free(context);
    gt_context_use(mine);
    cr_assert(meter.used == 0, "%zu bytes were not given back", meter.used);
    assert_no_leaks();
}

/* ---- numbers and shapes that ask for trouble ---- */

static const int64_t whole_numbers[] = {INT64_MIN,
                                        INT64_MIN + 1,
                                        INT32_MIN,
                                        INT32_MIN + 1,
                                        -9,
                                        -2,
                                        -1,
                                        0,
                                        1,
                                        2,
                                        3,
                                        9,
                                        64,
                                        INT32_MAX - 1,
                                        INT32_MAX,
                                        INT64_C(1) << 31,
                                        INT64_C(1) << 40,
                                        INT64_C(1) << 62,
                                        INT64_MAX - 1,
                                        INT64_MAX};
static const double real_numbers[] = {
    (double)NAN, (double)INFINITY, (double)-INFINITY, 0, -0.0, -1, 0.5, 1, 2, 1e9, -1e300,
    1e300,       DBL_MIN,          4.9e-324};
static const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64, GT_INT32,   GT_INT64,
                                 GT_UINT8,   GT_BOOL,    GT_FLOAT16, GT_BFLOAT16};
enum { ALL_TYPES = sizeof types / sizeof *types };

#define BIG(k) (INT64_C(1) << k)
static const gt_Shape huge_shapes[] = {{2, {BIG(40), 0}},
                                       {2, {0, BIG(40)}},
                                       {3, {BIG(31), 0, BIG(31)}},
                                       {2, {INT64_MAX, 0}},
                                       {1, {0}},
                                       {3, {BIG(62), 0, 4}},
                                       {4, {0, 3, 3, 3}},
                                       {4, {1, BIG(40), 0, 1}},
                                       {3, {1, BIG(40), 0}},
                                       {4, {BIG(20), 0, 1, BIG(41)}},
                                       {8, {0, 9, 9, 9, 9, 9, 9, 9}},
                                       {2, {INT64_MAX / 4, 0}}};
enum { HUGE_SHAPES = sizeof huge_shapes / sizeof *huge_shapes };

/* A tensor of that type and shape: 0 and 1 in turn, or numbers that no kernel likes. */
static gt_Tensor *filled(gt_DType dtype, gt_Shape shape, bool extreme)
{
    static double numbers[4096];
    static const double wild[] = {
        (double)NAN, (double)INFINITY, (double)-INFINITY, FLT_MAX, -FLT_MAX, 0, -1};
    double low = dtype == GT_INT32 ? INT32_MIN : dtype == GT_INT64 ? (double)INT64_MIN : 0;
    double high = dtype == GT_INT32 ? INT32_MAX : dtype == GT_INT64 ? 0x1p53 : 255;
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size = shape.dims[d] == 0 || size == 0 ? 0 : size * shape.dims[d];
    cr_assert(size <= 4096);
    for (int64_t i = 0; i < size; i++) {
        if (!extreme || dtype == GT_BOOL)
            numbers[i] = (double)(i % 2);
        else if (gt_dtype_is_float(dtype))
            numbers[i] = wild[i % 7];
        else
            numbers[i] = i % 3 == 0 ? low : i % 3 == 1 ? high : -1 < low ? 0 : -1;
    }
    return gt_from_values_at(NULL, shape, dtype, size, numbers);
}

static gt_Shape small_shape(int rank, int dim)
{
    gt_Shape shape = {.rank = rank};
    for (int d = 0; d < rank; d++)
        shape.dims[d] = d == 1 ? dim : 2;
    return shape;
}

/* A result is whole: its shape is one, and every number can be read. */
static void check_whole(const char *name, gt_Tensor *tensor)
{
    volatile uint8_t last = 0;
    gt_Spec spec = gt_spec(tensor);
    cr_assert(spec.rank >= 0 && spec.rank <= GT_MAX_RANK && gt_dtype_size(spec.dtype) > 0, "%s",
              name);
    int64_t size = 1;
    for (int d = 0; d < spec.rank; d++) {
        cr_assert(spec.dims[d] >= 0, "%s made a dimension of %lld", name, (long long)spec.dims[d]);
        size = spec.dims[d] == 0 ? 0 : size;
    }
    for (int d = 0; d < spec.rank && size; d++)
        size *= spec.dims[d];
    cr_assert(size == spec.size, "%s made %lld numbers of a shape of %lld", name,
              (long long)spec.size, (long long)size);
    const uint8_t *bytes = gt_data(tensor);
    if (!bytes && gt_status() == GT_NO_MEMORY) { /* rows, for which there is no room as a table */
        gt_error_clear();
        return;
    }
    cr_assert(bytes, "%s: %s", name, gt_error_message());
    size_t count = (size_t)spec.size * gt_dtype_size(spec.dtype);
    for (size_t i = 0; i < count; i += 61)
        last = bytes[i];
    if (count)
        last = bytes[count - 1];
    (void)last;
}

/* ---- records ---- */

typedef struct Trial {
    const gt_Operation *operation;
    const void *options;
    int inputs;
    gt_Tensor *input[GT_MAX_INPUTS];
    bool must_fail;
    bool no_gradient; /* not asked for: too long */
} Trial;

static int tried, worked, differentiated;

/* The gradients of what worked are an error, or have the shape and type of their input. */
static void differentiate(const Trial *trial, gt_Tape *tape, gt_Tensor **out)
{
    const gt_Operation *operation = trial->operation;
    gt_Tensor *source[GT_MAX_INPUTS], *gradient[GT_MAX_INPUTS], *target[GT_MAX_OUTPUTS];
    int sources = 0, targets = 0;
    for (int i = 0; i < trial->inputs; i++)
        if (trial->input[i] && gt_dtype_is_float(gt_dtype(trial->input[i])))
            source[sources++] = trial->input[i];
    for (int o = 0; o < operation->outputs; o++)
        if (gt_dtype_is_float(gt_dtype(out[o])))
            target[targets++] = out[o];
    if (!sources || !targets)
        return;
    gt_Status status =
        gt_gradients(tape, ((gt_Tensors){targets, target}), ((gt_Tensors){sources, source}),
                     gradient, .unconnected = GT_UNCONNECTED_ZERO);
    for (int i = 0; i < sources && status == GT_OK; i++) {
        cr_assert(gt_shape_equal(gt_tensor_shape(gradient[i]), gt_tensor_shape(source[i])) &&
                      gt_dtype(gradient[i]) == gt_dtype(source[i]),
                  "%s: a gradient of another shape", operation->name);
        check_whole(operation->name, gradient[i]);
    }
    differentiated += status == GT_OK;
    gt_error_clear();
}

/* What takes no float16 and bfloat16 must say so. */
static bool has_refused_type(const Trial *trial)
{
    for (int i = 0; i < trial->inputs; i++) {
        gt_DType dtype = trial->input[i] ? gt_dtype(trial->input[i]) : GT_DTYPE_NONE;
        if ((dtype == GT_FLOAT16 || dtype == GT_BFLOAT16) &&
            !(trial->operation->flags & GT_OP_HALF))
            return true;
    }
    return false;
}

static void try(const Trial *trial)
{
    const gt_Operation *operation = trial->operation;
    gt_Tensor *out[GT_MAX_OUTPUTS];
    bool slopes = !trial->no_gradient && operation->gradient != NULL;
    gt_Tape *tape = slopes ? gt_tape_begin() : NULL;
    gt_error_clear(); /* an input that there is no memory for is NULL */
    bool must_fail = trial->must_fail || has_refused_type(trial);
    gt_error_clear(); /* a stale one has no type */
    for (int i = 0; slopes && i < trial->inputs; i++)
        if (trial->input[i] && gt_dtype_is_float(gt_dtype(trial->input[i])))
            gt_watch(tape, trial->input[i]);
    gt_error_clear();
    gt_Status status =
        gt_apply("here:1", operation, trial->options, trial->inputs, trial->input, out);
    tried++;
    cr_assert(status == gt_status());
    cr_assert(!must_fail || status != GT_OK, "%s took it", operation->name);
    if (status != GT_OK) {
        cr_assert(strstr(gt_error_message(), operation->name) &&
                      strncmp(gt_error_message(), "here:1: ", 8) == 0,
                  "%s: %s", operation->name, gt_error_message());
        for (int o = 0; o < operation->outputs && !(operation->flags & GT_OP_EFFECT); o++)
            cr_assert(!out[o]);
    } else if (!(operation->flags & GT_OP_EFFECT)) {
        worked++;
        for (int o = 0; o < operation->outputs; o++)
            check_whole(operation->name, out[o]);
        if (slopes)
            differentiate(trial, tape, out);
    }
    gt_error_clear();
    gt_tape_end(tape);
    gt_error_clear();
}

static gt_Tensor *stale_handle(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *stale = gt_scalar(1, GT_FLOAT64);
    gt_scope_end(scope);
    return stale;
}

static Trial trial_of(const Case *c)
{
    Trial trial = {
        .operation = c->operation, .options = c->sample->options, .inputs = c->sample->inputs};
    case_inputs(c, trial.input);
    return trial;
}

/* One input is another; the rest is as in the sample. */
static void try_input(const Case *c, int i, gt_Tensor *with, bool no_gradient)
{
    Trial trial = trial_of(c);
    trial.input[i] = with;
    trial.no_gradient = no_gradient;
    try(&trial);
}

static void try_inputs(const Case *c, gt_Tensor *stale)
{
    const gt_Operation *operation = c->operation;
    bool first = c->sample == operation->samples;
    for (int i = 0; i < c->sample->inputs; i++) {
        Trial trial = trial_of(c);
        trial.input[i] = NULL;
        trial.must_fail = !(operation->optional_inputs >> i & 1);
        try(&trial);
        trial.input[i] = stale;
        trial.must_fail = true;
        try(&trial);
        for (int t = 0; t < ALL_TYPES; t++) {
            for (int rank = 0; rank <= GT_MAX_RANK; rank++)
                for (int dim = 0; dim <= 3 && (rank > 1 || dim == 0); dim++) {
                    gt_Scope *scope = gt_scope_begin();
                    try_input(c, i, filled(types[t], small_shape(rank, dim), false), !first);
                    gt_scope_end(scope);
                }
            for (int k = 0; k < HUGE_SHAPES; k++) {
                gt_Scope *scope = gt_scope_begin();
                try_input(c, i, filled(types[t], huge_shapes[k], false), !first);
                gt_scope_end(scope);
            }
        }
        gt_Scope *scope = gt_scope_begin();
        try_input(c, i,
                  c->sample->input[i].dtype == GT_DTYPE_NONE
                      ? NULL
                      : filled(case_type(c, i), c->sample->input[i].shape, true),
                  false);
        gt_scope_end(scope);
    }
}

/* All inputs of one type and shape, or all full of extremes. */
static void try_all_inputs(const Case *c)
{
    for (int t = 0; t < ALL_TYPES; t++)
        for (int k = 0; k < HUGE_SHAPES + 9; k++) {
            gt_Scope *scope = gt_scope_begin();
            Trial trial = trial_of(c);
            gt_Shape shape = k < HUGE_SHAPES ? huge_shapes[k] : small_shape(k - HUGE_SHAPES, 2);
            for (int i = 0; i < trial.inputs; i++)
                trial.input[i] = filled(types[t], shape, k >= HUGE_SHAPES);
            try(&trial);
            gt_scope_end(scope);
        }
    gt_Scope *scope = gt_scope_begin();
    Trial trial = trial_of(c);
    for (int i = 0; i < trial.inputs; i++)
        if (trial.input[i])
            trial.input[i] = filled(case_type(c, i), c->sample->input[i].shape, true);
    try(&trial);
    gt_scope_end(scope);
}

static void try_counts(const Case *c)
{
    Trial trial = trial_of(c);
    trial.must_fail = true;
    const int counts[] = {-1, INT32_MIN, c->operation->inputs_min - 1, c->operation->inputs_max + 1,
                          INT32_MAX};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        trial.inputs = counts[k];
        trial.no_gradient = true;
        try(&trial);
    }
}

/* ---- options ---- */

enum { OPTION_BYTES = 1024 };

static void try_options(const Case *c, const void *options)
{
    gt_Scope *scope = gt_scope_begin();
    Trial trial = trial_of(c);
    trial.options = options;
    try(&trial);
    gt_scope_end(scope);
}

static void try_shapes(const Case *c, uint8_t *options, uint8_t *place)
{
    static const int64_t dims[] = {INT64_MIN, -2,      -1,      0,       1,        2,
                                   3,         BIG(31), BIG(40), BIG(62), INT64_MAX};
    static const int32_t ranks[] = {INT32_MIN, -2, -1, 9, 64, INT32_MAX};
    gt_Shape was, shape;
    memcpy(&was, place, sizeof was);
    for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++) {
        shape = was;
        shape.rank = ranks[k];
        memcpy(place, &shape, sizeof shape);
        try_options(c, options);
    }
    for (int rank = 0; rank <= GT_MAX_RANK; rank++)
        for (size_t k = 0; k < sizeof dims / sizeof *dims; k++)
            for (int all = 0; all < 2; all++) {
                shape = was;
                shape.rank = rank;
                for (int d = 0; d < rank; d++)
                    shape.dims[d] = all || d == 0 ? dims[k] : d < was.rank ? was.dims[d] : 1;
                memcpy(place, &shape, sizeof shape);
                try_options(c, options);
            }
    memcpy(place, &was, sizeof was);
}

static void try_axes(const Case *c, uint8_t *options, uint8_t *place)
{
    static const int32_t counts[] = {INT32_MIN, -2, -1, 0, 9, 64, INT32_MAX};
    gt_Axes was, axes;
    memcpy(&was, place, sizeof was);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        axes = (gt_Axes){GT_AXES_MARK, counts[k], {0, 1, 2, 3, 4, 5, 6, 7}};
        memcpy(place, &axes, sizeof axes);
        try_options(c, options);
    }
    for (int count = 1; count <= GT_MAX_RANK; count++)
        for (size_t k = 0; k < sizeof whole_numbers / sizeof *whole_numbers; k++)
            for (int all = 0; all < 2;
                 all++) { /* the same axis several times, or others before it */
                axes = (gt_Axes){GT_AXES_MARK, count, {0, 1, 2, 3, 4, 5, 6, 7}};
                for (int i = 0; i < count; i++)
                    if (all || i == count - 1)
                        axes.axis[i] = (int32_t)whole_numbers[k];
                memcpy(place, &axes, sizeof axes);
                try_options(c, options);
            }
    memcpy(place, &was, sizeof was);
}

static void try_bytes(const Case *c, uint8_t *options, uint8_t *place, const void *value,
                      size_t size)
{
    uint8_t was[8];
    memcpy(was, place, size);
    memcpy(place, value, size);
    try_options(c, options);
    memcpy(place, was, size);
}

static void try_field(const Case *c, uint8_t *options, const gt_Field *field)
{
    uint8_t *place = options + field->offset;
    if (strcmp(field->type, "gt_Shape") == 0) {
        try_shapes(c, options, place);
        return;
    }
    if (strcmp(field->type, "gt_Axes") == 0) {
        try_axes(c, options, place);
        return;
    }
    if (strcmp(field->type, "bool") == 0) {
        for (int k = 0; k < 2; k++)
            try_bytes(c, options, place, &(bool){k != 0}, sizeof(bool));
        return;
    }
    if (strcmp(field->type, "double") == 0 || strcmp(field->type, "float") == 0) {
        for (size_t k = 0; k < sizeof real_numbers / sizeof *real_numbers; k++) {
            if (field->size == sizeof(double))
                try_bytes(c, options, place, &real_numbers[k], sizeof(double));
            else
                try_bytes(c, options, place, &(float){(float)real_numbers[k]}, sizeof(float));
        }
        return;
    }
    bool choice = strncmp(field->type, "gt_", 3) == 0 && field->size == sizeof(int32_t);
    bool known =
        choice || strcmp(field->type, "int32_t") == 0 || strcmp(field->type, "int64_t") == 0;
    cr_assert(known, "%s: no bad values for an option of type %s", c->operation->name, field->type);
    for (size_t k = 0; k < sizeof whole_numbers / sizeof *whole_numbers; k++) {
        if (field->size == sizeof(int64_t))
            try_bytes(c, options, place, &whole_numbers[k], sizeof(int64_t));
        else
            try_bytes(c, options, place, &(int32_t){(int32_t)whole_numbers[k]}, sizeof(int32_t));
    }
}

static void try_every_option(const Case *c)
{
    static uint8_t options[OPTION_BYTES];
    const gt_OptionType *type = c->operation->options;
    if (!type)
        return;
    cr_assert(type->size <= sizeof options);
    gt_options_fill(type, options, c->sample->options);
    for (const gt_Field *field = type->fields; field->name; field++)
        if (strcmp(field->name, "size") != 0)
            try_field(c, options, field);
}

static void all_records(void)
{
    static Case c;
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count; k++)
        for (const gt_Sample *sample = table[k]->samples; sample->inputs || sample->none;
             sample++) {
            gt_Scope *scope = gt_scope_begin();
            fill_case(&c, table[k], sample, GT_FLOAT64);
            try_inputs(&c, stale_handle());
            try_all_inputs(&c);
            try_counts(&c);
            try_every_option(&c);
            gt_scope_end(scope);
            if (sample->none)
                break;
        }
    fprintf(stderr, "%d calls of records, %d gave a result, %d gradients\n", tried, worked,
            differentiated);
    cr_assert(worked > 1000 && differentiated > 1000);
}

Test(bad_input, records)
{
    in_little_memory(all_records);
}

/* ---- functions that are made of several operations ---- */

typedef struct Arguments {
    gt_Tensor *x, *y;
    int64_t n; /* every whole number of a call */
    double d;  /* every real number */
} Arguments;

static gt_Tensor *parts_of(gt_Status (*cut)(const char *, gt_Tensor *, int, gt_Tensor **),
                           gt_Tensor *x, int64_t n)
{
    gt_Tensor *parts[64] = {NULL};
    int count = n < -2 ? -2 : n > 64 ? 64 : (int)n; /* there is room for 64 */
    return cut("here:1", x, count, parts) != GT_OK ? NULL : count > 0 ? parts[0] : x;
}

static gt_Status split(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_split_at(here, x, count, parts, NULL);
}

static gt_Status unstack(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_unstack_at(here, x, count, parts, NULL);
}

static gt_Status array_split(const char *here, gt_Tensor *x, int count, gt_Tensor **parts)
{
    return gt_array_split_at(here, x, count, parts, NULL);
}

static gt_Tensor *second_moment(gt_Tensor *x, int32_t axis)
{
    gt_Tensor *mean, *variance;
    return gt_moments(x, &mean, &variance, .axis = axis) == GT_OK ? variance : NULL;
}

static gt_Tensor *last_grid(gt_Tensor *x, gt_Tensor *y)
{
    gt_Tensor *grids[2];
    return gt_meshgrid(gt_tensors(x, y), grids) == GT_OK ? grids[1] : NULL;
}

/* A key that slices with that number. */
static const char *keyed(int64_t number)
{
    static char key[80];
    snprintf(key, sizeof key, "%lld::%lld", (long long)number, (long long)number);
    return key;
}

static gt_Status times(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}

static gt_Status twice(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(in[0], in[0]);
    return gt_status();
}

static gt_Tensor *running_products(gt_Tensor *x, int32_t axis)
{
    gt_Tensor *y;
    return gt_associative_scan(times, NULL, gt_tensors(x), &y, .axis = axis) == GT_OK ? y : NULL;
}

static gt_Tensor *chosen(gt_Tensor *index, gt_Tensor *x)
{
    const gt_FunctionBody both[] = {twice, twice};
    gt_Tensor *y;
    return gt_switch(index, both, 2, NULL, gt_tensors(x), &y) == GT_OK ? y : NULL;
}

static gt_Tensor *mapped(gt_Tensor *x)
{
    gt_Tensor *y;
    return gt_map(twice, NULL, gt_tensors(x), &y) == GT_OK ? y : NULL;
}

#define AXIS  .axis = (int32_t)a->n
#define SIZE  gt_shape(a->n)
#define SIZES gt_shape(a->n, 2)
#define BOTH  gt_tensors(a->x, a->y)
/* C(name in messages, call) */
/* clang-format off */
#define CALLS(C) \
    C(allclose, gt_allclose(a->x, a->y, .rtol = a->d)) \
    C(isclose, gt_isclose(a->x, a->y, .atol = a->d)) \
    C(arange, gt_arange(a->d, (double)a->n, 0.5)) \
    C(linspace, gt_linspace(a->d, 1, a->n)) \
    C(eye, gt_eye(a->n, .columns = 3)) \
    C(eye, gt_eye(3, .k = a->n)) \
    C(full, gt_full(SIZES, a->d)) \
    C(full_like, gt_full_like(a->x, a->d)) \
    C(argsort, gt_argsort(a->x, AXIS)) \
    C(sort, gt_sort(a->x, AXIS)) \
    C(top_k, gt_top_k(a->x, a->n).values) \
    C(in_top_k, gt_in_top_k(a->y, a->x, a->n)) \
    C(quantile, gt_quantile(a->x, a->d, AXIS)) \
    C(quantile, gt_quantile(a->x, a->y)) \
    C(percentile, gt_percentile(a->x, a->d, AXIS)) \
    C(median, gt_median(a->x, AXIS)) \
    C(bincount, gt_bincount(a->x, .length = a->n)) \
    C(bincount, gt_bincount(a->x, .weights = a->y)) \
    C(histogram, gt_histogram(a->x, .bins = a->n) .counts) \
    C(histogram, gt_histogram(a->x, .low = a->d, .high = 2).edges) \
    C(digitize, gt_digitize(a->x, a->y)) \
    C(isin, gt_isin(a->x, a->y)) \
    C(average, gt_average(a->x, AXIS, .weights = a->y)) \
    C(average, gt_average(a->x, AXIS)) \
    C(diff, gt_diff(a->x, .n = (int32_t)a->n)) \
    C(diff, gt_diff(a->x, AXIS)) \
    C(trapezoid, gt_trapezoid(a->x, AXIS, .dx = a->d)) \
    C(trapezoid, gt_trapezoid(a->x, .x = a->y)) \
    C(variance, gt_variance(a->x, AXIS)) \
    C(std, gt_std(a->x, AXIS)) \
    C(ptp, gt_ptp(a->x, AXIS)) \
    C(nansum, gt_nansum(a->x, AXIS)) \
    C(nanmean, gt_nanmean(a->x, AXIS)) \
    C(nanmax, gt_nanmax(a->x, AXIS)) \
    C(nanmin, gt_nanmin(a->x, AXIS)) \
    C(count_nonzero, gt_count_nonzero(a->x, AXIS)) \
    C(moments, second_moment(a->x, (int32_t)a->n)) \
    C(cumsum, gt_cumsum(a->x, AXIS)) \
    C(cumprod, gt_cumprod(a->x, AXIS)) \
    C(argmax, gt_argmax(a->x, AXIS)) \
    C(sum, gt_sum(a->x, AXIS)) \
    C(max, gt_max(a->x, AXIS)) \
    C(max, gt_max(a->x, .initial = a->d)) \
    C(min, gt_min(a->x, AXIS, .initial = a->d)) \
    C(round, gt_round(a->x, .decimals = (int32_t)a->n)) \
    C(nan_to_num, gt_nan_to_num(a->x, .nan = a->d, .posinf = a->d, .neginf = a->d)) \
    C(clip, gt_clip(a->x, a->d, (double)a->n)) \
    C(clip_gradient, gt_clip_gradient(a->x, a->d, 2)) \
    C(saturate_cast, gt_saturate_cast(a->x, (gt_DType)(a->n & 31))) \
    C(cast, gt_cast(a->x, (gt_DType)(int32_t)a->n)) \
    C(bitwise_not, gt_bitwise_not(a->x)) \
    C(signbit, gt_signbit(a->x)) \
    C(fmax, gt_fmax(a->x, a->y)) \
    C(fmin, gt_fmin(a->x, a->d)) \
    C(add, gt_add(a->x, a->d)) \
    C(divide, gt_divide(a->x, a->y)) \
    C(divide, gt_divide(a->x, a->d)) \
    C(power, gt_power(a->x, a->d)) \
    C(floor_divide, gt_floor_divide(a->x, a->d)) \
    C(mod, gt_mod(a->x, (double)a->n)) \
    C(left_shift, gt_left_shift(a->x, (double) a->n)) \
    C(equal, gt_equal(a->x, a->d)) \
    C(logaddexp, gt_logaddexp(a->x, a->y)) \
    C(logaddexp2, gt_logaddexp2(a->x, a->d)) \
    C(exp2, gt_exp2(a->x)) \
    C(sinc, gt_sinc(a->x)) \
    C(linear, gt_linear(a->x)) \
    C(exponential, gt_exponential(a->x)) \
    C(relu, gt_relu(a->x, .negative_slope = a->d)) \
    C(relu, gt_relu(a->x, .max_value = a->d)) \
    C(relu, gt_relu(a->x, .threshold = a->d)) \
    C(relu6, gt_relu6(a->x)) \
    C(elu, gt_elu(a->x, .alpha = a->d)) \
    C(selu, gt_selu(a->x)) \
    C(gelu, gt_gelu(a ->x)) \
    C(gelu, gt_gelu(a->x, .approximate = false)) \
    C(gelu_exact, gt_gelu_exact(a ->x)) \
    C(hard_sigmoid, gt_hard_sigmoid(a ->x)) \
    C(hard_silu, gt_hard_silu(a->x)) \
    C(log_sigmoid, gt_log_sigmoid(a->x)) \
    C(silu, gt_silu(a ->x)) \
    C(mish, gt_mish(a->x)) \
    C(softsign, gt_softsign(a->x)) \
    C(softmax, gt_softmax(a->x, AXIS)) \
    C(log_softmax, gt_log_softmax(a->x, AXIS)) \
    C(reshape, gt_reshape(a->x, SIZE)) \
    C(reshape, gt_reshape(a->x, SIZES)) \
    C(ravel, gt_ravel(a ->x)) \
    C(expand_dims, gt_expand_dims(a ->x, (int)a ->n)) \
    C(squeeze, gt_squeeze(a->x, AXIS)) \
    C(squeeze, gt_squeeze(a ->x)) \
    C(moveaxis, gt_moveaxis(a ->x, (int)a ->n, 0)) \
    C(moveaxis, gt_moveaxis(a->x, 0, (int)a ->n)) \
    C(moveaxis, gt_moveaxis(a->x, gt_axes(0, (int)a->n), gt_axes((int)a->n, 0))) \
    C(moveaxis, gt_moveaxis(a->x, gt_axes(0, 1), (int)a->n)) \
    C(swapaxes, gt_swapaxes(a->x, 0, (int)a ->n)) \
    C(transpose, gt_transpose(a->x, .perm = gt_axes((int)a ->n, 0))) \
    C(flip, gt_flip(a->x, AXIS)) \
    C(fliplr, gt_fliplr(a->x)) \
    C(flipud, gt_flipud(a->x)) \
    C(roll, gt_roll(a->x, a ->n)) \
    C(roll, gt_roll(a->x, 1, AXIS)) \
    C(roll, gt_roll(a->x, a->n, .axis = 0)) \
    C(roll, gt_roll(a->x, gt_integers(a->n, 1), .axes = gt_axes(0, (int)a->n))) \
    C(repeat, gt_repeat(a->x, gt_integers(a->n, a->n, 1), .axis = 0)) \
    C(repeat, gt_repeat(a->x, gt_integers(1, 2), AXIS)) \
    C(repeat, gt_repeat(a->x, a ->n)) \
    C(repeat, gt_repeat(a->x, 2, AXIS)) \
    C(repeat, gt_repeat(a->x, a->n, .axis = -1)) \
    C(tile, gt_tile(a->x, SIZE)) \
    C(tile, gt_tile(a->x, SIZES)) \
    C(broadcast_to, gt_broadcast_to(a->x, SIZES)) \
    C(rot90, gt_rot90(a->x, .k = (int32_t) a ->n)) \
    C(rot90, gt_rot90(a->x, .axis1 = (int32_t) a->n)) \
    C(pad, gt_pad(a->x, SIZE, gt_shape(1))) \
    C(pad, gt_pad(a->x, gt_shape(0, 0), SIZES, .value = a->d)) \
    C(slice, gt_slice(a->x, SIZE, gt_shape(-1))) \
    C(slice, gt_slice(a->x, gt_shape(0, 0), SIZES)) \
    C(meshgrid, last_grid(a->x, a ->y)) \
    C(concatenate, gt_concatenate(BOTH, AXIS)) \
    C(stack, gt_stack(BOTH, AXIS)) \
    C(hstack, gt_hstack(BOTH)) \
    C(vstack, gt_vstack(BOTH)) \
    C(dstack, gt_dstack(BOTH)) \
    C(column_stack, gt_column_stack(BOTH)) \
    C(split, parts_of(split, a->x, a->n)) \
    C(unstack, parts_of(unstack, a->x, a->n)) \
    C(array_split, parts_of(array_split, a->x, a->n)) \
    C(hsplit, parts_of(gt_hsplit_at, a->x, a->n)) \
    C(vsplit, parts_of(gt_vsplit_at, a->x, a->n)) \
    C(take, gt_take(a->x, a->y, AXIS)) \
    C(take_along_axis, gt_take_along_axis(a->x, a->y, AXIS)) \
    C(scatter_add, gt_scatter_add(a->y, a->x, SIZES)) \
    C(scatter_add, gt_scatter_add(a->y, a->x, SIZE, AXIS)) \
    C(scatter_update, gt_scatter_update(a->x, a->y, a->x)) \
    C(scatter_update, gt_scatter_update(a->x, a->y, a->x, .reduction = (gt_ScatterReduction)(a->n & 7))) \
    C(slice_update, gt_slice_update(a->x, SIZE, a->y)) \
    C(slice_update, gt_slice_update(a->x, gt_shape(0, a->n), a->y)) \
    C(one_hot, gt_one_hot(a ->x, a->n)) \
    C(one_hot, gt_one_hot(a->x, 3, AXIS)) \
    C(one_hot, gt_one_hot(a->x, 3, .dtype = (gt_DType)(a->n & 31))) \
    C(tril, gt_tril(a ->x, .k = a->n)) \
    C(triu, gt_triu(a->x, .k = a->n)) \
    C(where, gt_where(a->y, a->x, a->d)) \
    C(segment_sum, gt_segment_sum(a->x, a->y, a->n)) \
    C(segment_max, gt_segment_max(a->x, a->y, a->n)) \
    C(segment_prod, gt_segment_prod(a->x, a->y, a->n)) \
    C(einsum, gt_einsum("ij,jk->ik", BOTH)) \
    C(einsum, gt_einsum("...i,...i", BOTH)) \
    C(einsum, gt_einsum("ii->i", gt_tensors(a->x))) \
    C(einsum, gt_einsum(a->n & 1 ? "ij,->" : "i->ij", BOTH)) \
    C(einsum, gt_einsum(NULL, BOTH)) \
    C(tensordot, gt_tensordot(a->x, a->y, .count = (int32_t) a->n)) \
    C(tensordot, gt_tensordot(a->x, a->y, .a_axes = gt_axes((int)a ->n), .b_axes = gt_axes(0))) \
    C(dot, gt_dot(a ->x, a ->y)) \
    C(inner, gt_inner(a->x, a->y)) \
    C(outer, gt_outer(a->x, a ->y)) \
    C(vdot, gt_vdot(a->x, a->y)) \
    C(kron, gt_kron(a->x, a->y)) \
    C(cross, gt_cross(a->x, a->y, AXIS)) \
    C(matmul, gt_matmul(a->x, a ->y)) \
    C(diagonal, gt_diagonal(a->x, .offset = a ->n)) \
    C(diagonal, gt_diagonal(a->x, .axis1 = (int32_t) a->n)) \
    C(trace, gt_trace(a->x, .axis2 = (int32_t)a ->n)) \
    C(diag, gt_diag(a->x, .k = a->n)) \
    C(diagflat, gt_diagflat(a->x, .k = a ->n)) \
    C(norm, gt_norm(a ->x, .ord = a->d, AXIS)) \
    C(matrix_norm, gt_matrix_norm(a->x, (gt_MatrixNorm)(a->n & 7))) \
    C(cdist, gt_cdist(a->x, a->y)) \
    C(lstsq, gt_lstsq(a->x, a->y)) \
    C(inv, gt_inv(a ->x)) \
    C(pinv, gt_pinv(a ->x)) \
    C(matrix_power, gt_matrix_power(a->x, a ->n)) \
    C(det, gt_det(a ->x)) \
    C(slogdet, gt_slogdet(a->x) .logabsdet) \
    C(logdet, gt_logdet(a->x)) \
    C(solve, gt_solve(a->x, a->y)) \
    C(solve_triangular, gt_solve_triangular(a->x, a->y)) \
    C(cholesky, gt_cholesky(a->x)) \
    C(cholesky, gt_cholesky(a->x, .upper = true)) \
    C(qr, gt_qr(a->x) .r) \
    C(qr, gt_qr(a->x, .mode = (gt_QrMode)(int32_t)a->n) .q) \
    C(svd, gt_svd(a->x) .s) \
    C(svd, gt_svd(a->x, .full_matrices = true) .u) \
    C(eigh, gt_eigh(a->x) .values) \
    C(conv, gt_conv(a->x, a->y, .strides = SIZE)) \
    C(conv, gt_conv(a->x, a->y, .groups = a->n, .padding = GT_SAME)) \
    C(conv, gt_conv(a->x, a->y, .dilation = SIZE)) \
    C(depthwise_conv, gt_depthwise_conv(a->x, a->y, .strides = SIZE)) \
    C(separable_conv, gt_separable_conv(a->x, a->y, a->y)) \
    C(conv_transpose, gt_conv_transpose(a->x, a->y, .strides = SIZE)) \
    C(conv_transpose, gt_conv_transpose(a->x, a->y, .output_padding = SIZE)) \
    C(max_pool, gt_max_pool(a->x, SIZE)) \
    C(max_pool, gt_max_pool(a->x, gt_shape(2), .strides = SIZE, .padding = GT_SAME)) \
    C(average_pool, gt_average_pool(a->x, SIZES)) \
    C(resize, gt_resize(a->x, SIZES)) \
    C(resize, gt_resize(a ->x, gt_shape(2, 2), .interpolation = (gt_Interpolation)(int32_t) a ->n)) \
    C(crop_images, gt_crop_images(a->x, .top = a->n, .height = 1, .left = 0, .width = 1)) \
    C(pad_images, gt_pad_images(a->x, .top = a->n, .bottom = 1, .left = 0, .right = 1)) \
    C(pad_images, gt_pad_images(a->x, .top = 1, .height = a->n, .left = 0, .width = a->n)) \
    C(batch_normalization, gt_batch_normalization(a->x, a->y, a->y, AXIS)) \
    C(batch_normalization, gt_batch_normalization(a->x, a->y, a->y, .scale = a->x, .epsilon = a->d)) \
    C(layer_normalization, gt_layer_normalization(a->x, AXIS, .epsilon = a->d)) \
    C(layer_normalization, gt_layer_normalization(a->x, .gamma = a->y)) \
    C(group_normalization, gt_group_normalization(a->x, .groups = a ->n)) \
    C(group_normalization, gt_group_normalization(a ->x, .groups = 1, AXIS)) \
    C(rms_normalization, gt_rms_normalization(a->x, AXIS, .scale = a->y)) \
    C(normalize, gt_normalize(a->x, AXIS)) \
    C(normalize, gt_normalize(a->x, .order = (int32_t)a ->n)) \
    C(normalize, gt_normalize(a->x, .epsilon = a->d)) \
    C(dot_product_attention, gt_dot_product_attention(a->x, a->y, a->y, .scale = a->d)) \
    C(dot_product_attention, gt_dot_product_attention(a->x, a->x, a->x, .mask = a->y)) \
    C(lstm, gt_lstm(a->x, a->y, a->y, NULL)) \
    C(gru, gt_gru(a->x, a->y, a->y, a->y)) \
    C(mean_squared_error, gt_mean_squared_error(a->x, a ->y)) \
    C(mean_absolute_error, gt_mean_absolute_error(a->x, a->y, .sample_weight = a->y)) \
    C(mean_absolute_percentage_error, gt_mean_absolute_percentage_error(a->x, a->y)) \
    C(mean_squared_logarithmic_error, gt_mean_squared_logarithmic_error(a->x, a->y)) \
    C(log_cosh, gt_log_cosh(a->x, a ->y)) \
    C(huber, gt_huber(a->x, a->y, .delta = a->d)) \
    C(hinge, gt_hinge(a->x, a->y)) \
    C(squared_hinge, gt_squared_hinge(a->x, a->y)) \
    C(categorical_hinge, gt_categorical_hinge(a->x, a->y)) \
    C(kl_divergence, gt_kl_divergence(a->x, a->y)) \
    C(poisson, gt_poisson(a->x, a->y)) \
    C(mean_squared_error, gt_mean_squared_error(a->x, a->y, .reduction = (gt_Reduction)(int32_t)a ->n)) \
    C(cosine_similarity, gt_cosine_similarity(a->x, a->y, AXIS)) \
    C(binary_crossentropy, gt_binary_crossentropy(a->x, a->y, .label_smoothing = a->d)) \
    C(categorical_crossentropy, gt_categorical_crossentropy(a->x, a->y, AXIS, .from_logits = true)) \
    C(categorical_crossentropy, gt_categorical_crossentropy(a->x, a->y, .label_smoothing = a ->d)) \
    C(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy(a->x, a->y, .ignore_class = a->n)) \
    C(sparse_categorical_crossentropy, gt_sparse_categorical_crossentropy(a->y, a->x, .from_logits = true)) \
    C(random_dropout, gt_random_dropout(a->x, a ->d)) \
    C(random_dropout, gt_random_dropout(a->x, 0.5, .noise_shape = SIZES)) \
    C(uniform, gt_uniform(SIZES, .low = a->d)) \
    C(normal, gt_normal(SIZES, .stddev = a->d)) \
    C(normal, gt_normal(gt_shape(2), .truncated = true, .mean = a->d)) \
    C(random_integers, gt_random_integers(gt_shape(3), a->n, 3)) \
    C(random_integers, gt_random_integers(gt_shape(3), -3, a->n, .dtype = GT_INT64)) \
    C(categorical, gt_categorical(a->x, a->n)) \
    C(categorical, gt_categorical(a->x, 2, .dtype = (gt_DType)(a->n & 15), .generator = a->y)) \
    C(shuffle, gt_shuffle(a->x, AXIS)) \
    C(nonzero, gt_nonzero(a->x)) \
    C(nonzero, gt_nonzero(a->x, .length = a->n, .fill_value = a->n)) \
    C(get_item, gt_get_item(a->x, "::-2, ..., None, -1")) \
    C(get_item, gt_get_item(a->x, keyed(a->n))) \
    C(scatter, gt_scatter(a->y, a->x, SIZES)) \
    C(scatter, gt_scatter(gt_cast(a->y, GT_INT64), a->x, gt_shape(3, 3))) \
    C(nanargmax, gt_nanargmax(a->x, AXIS)) \
    C(nanargmin, gt_nanargmin(a->x, .keepdims = true)) \
    C(quantile, gt_quantile(a->x, 0.4, AXIS, .method = (gt_QuantileMethod)(a->n & 7))) \
    C(pad, gt_pad(a->x, SIZES, gt_shape(1, 1), .mode = GT_PAD_REFLECT)) \
    C(pad, gt_pad(a->x, gt_shape(2), gt_shape(2), .mode = (gt_PadMode)(a->n & 7))) \
    C(clip, gt_clip(a->x, a->d, (double)a->n)) \
    C(linspace, gt_linspace(a->d, 1, a->n, .endpoint = false)) \
    C(resize, gt_resize(a->x, gt_shape(a->n, 3), .antialias = true)) \
    C(resize, gt_resize(a->x, gt_shape(2, 5), .interpolation = GT_LANCZOS5, .antialias = true)) \
    C(resize, gt_resize(a->x, SIZES, .crop_to_aspect_ratio = true)) \
    C(resize, gt_resize(a->x, SIZES, .pad_to_aspect_ratio = true, .fill_value = a->d)) \
    C(rgb_to_grayscale, gt_rgb_to_grayscale(a->x)) \
    C(rgb_to_hsv, gt_rgb_to_hsv(a->x)) \
    C(hsv_to_rgb, gt_hsv_to_rgb(a->x)) \
    C(gaussian_blur, gt_gaussian_blur(a->x, .height = a->n, .sigma_width = a->d)) \
    C(extract_patches, gt_extract_patches(a->x, SIZES)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(2, 2), .strides = SIZE, .padding = GT_SAME)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(2), .strides = gt_shape(1), .dilation = SIZE)) \
    C(extract_patches, gt_extract_patches(a->x, gt_shape(1, 2, 2), .padding = (gt_Padding)(a->n & 3))) \
    C(map_coordinates, gt_map_coordinates(a->x, a->y, 1, .fill_mode = (gt_FillMode)(a->n & 7))) \
    C(map_coordinates, gt_map_coordinates(a->x, a->y, (int)(a->n & 3), .fill_value = a->d)) \
    C(affine_transform, gt_affine_transform(a->x, a->y)) \
    C(affine_transform, gt_affine_transform(a->x, gt_full(gt_shape(8), 0.5), \
                                            .fill_mode = (gt_FillMode)(a->n & 7))) \
    C(associative_scan, running_products(a->x, (int32_t)a->n)) \
    C(switch, chosen(a->y, a->x)) \
    C(map, mapped(a->x)) \
    C(uniform, gt_uniform(gt_shape(2), .generator = a->x))
/* clang-format on */

/* Makes call k and says its name; NULL behind the last. */
static gt_Tensor *make(int k, const Arguments *a, const char **called)
{
#define MAKE(name, call)                                                                           \
    if (k-- == 0) {                                                                                \
        *called = #name;                                                                           \
        return call;                                                                               \
    }
    CALLS(MAKE)
    *called = NULL;
    return NULL;
}

static bool try_call(int k, const Arguments *a)
{
    const char *name = NULL;
    gt_Scope *scope = gt_scope_begin();
    gt_Tape *tape = gt_tape_begin();
    bool slopes = a->x && gt_dtype_is_float(gt_dtype(a->x));
    gt_error_clear();
    if (slopes)
        gt_watch(tape, a->x);
    gt_error_clear();
    gt_Tensor *y = make(k, a, &name);
    gt_Status status = gt_status();
    tried += name != NULL;
    cr_assert((y == NULL) == (status != GT_OK) || !name, "%s: %s", name, gt_error_message());
    cr_assert(status == GT_OK || strstr(gt_error_message(), ": "), "%s: %s", name,
              gt_error_message());
    gt_error_clear();
    if (y) {
        worked++;
        check_whole(name, y);
        gt_Tensor *g = slopes && gt_dtype_is_float(gt_dtype(y))
                           ? gt_gradient(tape, y, a->x, .unconnected = GT_UNCONNECTED_ZERO)
                           : NULL;
        cr_assert(!g || (gt_shape_equal(gt_tensor_shape(g), gt_tensor_shape(a->x)) &&
                         gt_dtype(g) == gt_dtype(a->x)),
                  "%s: a gradient of another shape", name);
        if (g)
            check_whole(name, g);
        differentiated += g != NULL;
    }
    gt_error_clear();
    gt_tape_end(tape);
    gt_scope_end(scope);
    gt_error_clear();
    return name != NULL;
}

static const gt_Shape call_shapes[] = {{0, {0}},
                                       {1, {3}},
                                       {2, {2, 3}},
                                       {2, {3, 3}},
                                       {3, {2, 3, 4}},
                                       {4, {2, 3, 3, 2}},
                                       {1, {0}},
                                       {2, {0, 3}},
                                       {2, {3, 0}},
                                       {3, {2, 0, 3}},
                                       {2, {BIG(40), 0}},
                                       {3, {0, BIG(50), 2}},
                                       {8, {1, 2, 1, 2, 1, 2, 1, 2}}};
enum { CALL_SHAPES = sizeof call_shapes / sizeof *call_shapes };

/* One call with numbers that make no sense, then with pairs of tensors that do not fit. */
static bool try_arguments(int k)
{
    gt_Tensor *stale = stale_handle(), *plain = filled(GT_FLOAT32, call_shapes[2], false);
    const int numbers = sizeof whole_numbers / sizeof *whole_numbers;
    const int reals = sizeof real_numbers / sizeof *real_numbers;
    if (!try_call(k, &(Arguments){NULL, NULL, 1, 1}))
        return false;
    try_call(k, &(Arguments){plain, NULL, 1, 1});
    try_call(k, &(Arguments){plain, stale, 1, 1});
    try_call(k, &(Arguments){stale, plain, 1, 1});
    for (int t = 0; t < ALL_TYPES; t++)
        for (int s = 0; s < CALL_SHAPES; s++) {
            gt_Tensor *x = filled(types[t], call_shapes[s], false);
            gt_Tensor *wild = filled(types[t], call_shapes[s], true);
            for (int i = 0; i < numbers && t % 2 == 0; i++)
                try_call(k, &(Arguments){x, x, whole_numbers[i], real_numbers[i % reals]});
            try_call(k, &(Arguments){wild, wild, 1, 1});
            for (int u = 0; u < ALL_TYPES; u++)
                for (int r = 0; r < CALL_SHAPES && (u == t || (u == 2 && t < 2)); r++)
                    try_call(k, &(Arguments){x, filled(types[u], call_shapes[r], r & 1), 2, 0.5});
        }
    return true;
}

static void all_calls(void)
{
    bool more = true;
    int calls = 0;
    for (; more; calls++) {
        gt_Scope *scope = gt_scope_begin();
        more = try_arguments(calls);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d calls of %d functions, %d gave a result, %d gradients\n", tried, calls - 1,
            worked, differentiated);
    cr_assert(worked > 10000 && differentiated > 10000);
}

Test(bad_input, compositions)
{
    in_little_memory(all_calls);
}
