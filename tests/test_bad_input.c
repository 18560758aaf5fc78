/* No input makes the library crash, read out of bounds or answer with a wrong shape: an error that
 * names the operation, or a result. Two walks try what a program can get wrong:
 *   every record of the table, from its samples: each input missing, stale, of every type and rank,
 *   empty in one dimension and huge in another, full of NaN, infinities and extremes; every field of
 *   its options at values that make no sense; and whatever works is differentiated;
 *   every function that is made of several operations, from a table of calls.
 * Memory is limited, so that a size that cannot be is refused and not tried. */
#include <criterion/criterion.h>

#include "calls.h"
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
static const gt_Shape huge_shapes[] = {{GT_MARK, 2, {BIG(40), 0}},
                                       {GT_MARK, 2, {0, BIG(40)}},
                                       {GT_MARK, 3, {BIG(31), 0, BIG(31)}},
                                       {GT_MARK, 2, {INT64_MAX, 0}},
                                       {GT_MARK, 1, {0}},
                                       {GT_MARK, 3, {BIG(62), 0, 4}},
                                       {GT_MARK, 4, {0, 3, 3, 3}},
                                       {GT_MARK, 4, {1, BIG(40), 0, 1}},
                                       {GT_MARK, 3, {1, BIG(40), 0}},
                                       {GT_MARK, 4, {BIG(20), 0, 1, BIG(41)}},
                                       {GT_MARK, 8, {0, 9, 9, 9, 9, 9, 9, 9}},
                                       {GT_MARK, 2, {INT64_MAX / 4, 0}}};
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
    gt_Shape shape = {.mark = GT_MARK, .rank = rank};
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
        gt_gradients(tape, ((gt_Tensors){target, targets}), ((gt_Tensors){source, sources}),
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

/* For an effect: variables with the numbers of what it is to overwrite. What is no tensor stays as it is. */
typedef struct Overwritten {
    gt_Tensor *input[GT_MAX_INPUTS];
    gt_Variable *variable[GT_MAX_OUTPUTS];
    gt_Tensor *before[GT_MAX_OUTPUTS];
} Overwritten;

static gt_Tensor *const *make_variables(const Trial *trial, Overwritten *made)
{
    memcpy(made->input, trial->input, sizeof made->input);
    for (int i = 0; i < trial->operation->outputs; i++) {
        made->before[i] = i < trial->inputs ? gt_identity(trial->input[i]) : NULL;
        made->variable[i] = made->before[i] ? gt_variable(made->before[i]) : NULL;
        gt_error_clear();
        if (made->variable[i])
            made->input[i] = made->variable[i];
    }
    return made->input;
}

/* What failed has changed nothing. */
static void free_variables(const Trial *trial, Overwritten *made, bool failed)
{
    for (int i = 0; i < trial->operation->outputs; i++) {
        if (!made->variable[i])
            continue;
        gt_Spec spec = gt_spec(made->before[i]);
        size_t bytes = (size_t)spec.size * gt_dtype_size(spec.dtype);
        cr_assert(!failed || bytes == 0 ||
                      memcmp(gt_data(made->variable[i]), gt_data(made->before[i]), bytes) == 0,
                  "%s failed and changed variable %d", trial->operation->name, i);
        gt_variable_free(made->variable[i]);
    }
}

static void try_effect(const Trial *trial)
{
    const gt_Operation *operation = trial->operation;
    Overwritten made;
    gt_error_clear(); /* an input that there is no memory for is NULL */
    bool must_fail = trial->must_fail || has_refused_type(trial);
    gt_error_clear(); /* a stale one has no type */
    gt_Tensor *const *input = make_variables(trial, &made);
    gt_Status status = gt_apply_at("here:1", operation, trial->options, trial->inputs, input, NULL);
    tried++;
    cr_assert(status == gt_status());
    cr_assert(!must_fail || status != GT_OK, "%s took it", operation->name);
    cr_assert(status == GT_OK || (strstr(gt_error_message(), operation->name) &&
                                  strncmp(gt_error_message(), "here:1: ", 8) == 0),
              "%s: %s", operation->name, gt_error_message());
    worked += status == GT_OK;
    gt_error_clear();
    free_variables(trial, &made, status != GT_OK);
    gt_error_clear();
}

static void try(const Trial *trial)
{
    if (trial->operation->flags & GT_OP_EFFECT) {
        try_effect(trial);
        return;
    }
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
        gt_apply_at("here:1", operation, trial->options, trial->inputs, trial->input, out);
    tried++;
    cr_assert(status == gt_status());
    cr_assert(!must_fail || status != GT_OK, "%s took it", operation->name);
    if (status != GT_OK) {
        cr_assert(strstr(gt_error_message(), operation->name) &&
                      strncmp(gt_error_message(), "here:1: ", 8) == 0,
                  "%s: %s", operation->name, gt_error_message());
        for (int o = 0; o < operation->outputs; o++)
            cr_assert(!out[o]);
    } else {
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
        axes = (gt_Axes){GT_MARK, counts[k], {0, 1, 2, 3, 4, 5, 6, 7}};
        memcpy(place, &axes, sizeof axes);
        try_options(c, options);
    }
    for (int count = 1; count <= GT_MAX_RANK; count++)
        for (size_t k = 0; k < sizeof whole_numbers / sizeof *whole_numbers; k++)
            for (int all = 0; all < 2;
                 all++) { /* the same axis several times, or others before it */
                axes = (gt_Axes){GT_MARK, count, {0, 1, 2, 3, 4, 5, 6, 7}};
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
    gt_options_take(type, options, c->sample->options);
    for (const gt_Field *field = type->fields; field->name; field++)
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
    gt_Tensor *y = make_call(k, a, &name);
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

static const gt_Shape call_shapes[] = {{GT_MARK, 0, {0}},
                                       {GT_MARK, 1, {3}},
                                       {GT_MARK, 2, {2, 3}},
                                       {GT_MARK, 2, {3, 3}},
                                       {GT_MARK, 3, {2, 3, 4}},
                                       {GT_MARK, 4, {2, 3, 3, 2}},
                                       {GT_MARK, 1, {0}},
                                       {GT_MARK, 2, {0, 3}},
                                       {GT_MARK, 2, {3, 0}},
                                       {GT_MARK, 3, {2, 0, 3}},
                                       {GT_MARK, 2, {BIG(40), 0}},
                                       {GT_MARK, 3, {0, BIG(50), 2}},
                                       {GT_MARK, 8, {1, 2, 1, 2, 1, 2, 1, 2}}};
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

/* ---- variables ---- */

/* What is computed from a variable is a value: it does not change with the variable. */
Test(bad_input, calls_of_variables)
{
    static const gt_Shape shapes[] = {{GT_MARK, 0, {0}},
                                      {GT_MARK, 1, {3}},
                                      {GT_MARK, 2, {3, 3}},
                                      {GT_MARK, 3, {2, 3, 3}},
                                      {GT_MARK, 4, {2, 3, 3, 3}}};
    static const double numbers[] = {0, 1, 2};
    const char *name = "";
    int values = 0;
    for (int k = 0; name; k++)
        for (int t = 0; t < 6; t++)
            for (int s = 0; s < 5; s++) {
                gt_Scope *scope = gt_scope_begin();
                gt_Variable *v = gt_variable(filled(types[t], shapes[s], false));
                for (int64_t n = -1; n < 3; n++)
                    for (int d = 0; d < 3; d++) {
                        Arguments arguments = {v, v, n, numbers[d]};
                        gt_Tensor *y = make_call(k, &arguments, &name);
                        if (y && gt_status() == GT_OK &&
                            n > 0) { /* a call of 0 parts has no result */
                            cr_assert(!gt_is_variable(y), "%s", name);
                            values++;
                        }
                        gt_error_clear();
                    }
                gt_scope_end(scope);
                gt_variable_free(v);
            }
    cr_assert(values > 5000, "%d", values);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- matrices that are not finite ---- */

/* LAPACK's iterations may never end on an infinity: an error, or a result, in no time. */
Test(bad_input, matrices_that_are_not_finite)
{
    static const char *const names[] = {"svd", "pinv",  "eigh", "cofactor", "complement",
                                        "qr",  "solve", "det",  "slogdet",  "cholesky"};
    static const double strange[] = {(double)INFINITY, (double)-INFINITY, (double)NAN};
    for (int n = 0; n < 10; n++)
        for (int type = 0; type < 2; type++)
            for (int k = 0; k < 27; k++) {
                double numbers[18] = {7e-43, 2, 3, -0.0, 1, 0.5, 100, 0, -0.0,
                                      4,     1, 0, 1,    3, 1,   0,   1, 2};
                numbers[k / 3] = strange[k % 3];
                const gt_Operation *operation = gt_operation_find(names[n]);
                gt_Scope *scope = gt_scope_begin();
                gt_Tensor *a = gt_from_values_at(NULL, gt_shape(2, 3, 3), types[type], 18, numbers);
                gt_Tensor *out[GT_MAX_OUTPUTS];
                gt_Status status = gt_apply_at("here:1", operation, NULL, operation->inputs_min,
                                               (gt_Tensor *[]){a, a}, out);
                bool iterates = n < 4;
                cr_assert(status == GT_UNSUPPORTED || !iterates || status == GT_INVALID, "%s %d",
                          names[n], k);
                if (iterates && status == GT_INVALID)
                    cr_assert(strstr(gt_error_message(),
                                     "matrix 0 of the batch has an element that is not finite"),
                              "%s", gt_error_message());
                gt_error_clear();
                gt_scope_end(scope);
            }
}

/* Matrices without elements, each in a context where nothing has been computed yet. */
Test(bad_input, empty_matrices)
{
    static const char *const names[] = {
        "svd", "pinv",    "eigh",     "cofactor", "complement",       "qr",
        "det", "slogdet", "cholesky", "solve",    "solve_triangular", "cofactor_gradient"};
    static const gt_Shape shapes[] = {{GT_MARK, 2, {0, 0}},
                                      {GT_MARK, 3, {2, 0, 0}},
                                      {GT_MARK, 3, {0, 3, 3}},
                                      {GT_MARK, 2, {3, 0}},
                                      {GT_MARK, 2, {0, 3}}};
    for (int n = 0; n < 12; n++)
        for (int s = 0; s < 5; s++) {
            gt_Context *context = gt_context_create(), *mine = gt_context_use(context);
            const gt_Operation *operation = gt_operation_find(names[n]);
            gt_Tensor *a = gt_full(shapes[s], 0), *out[GT_MAX_OUTPUTS];
            gt_apply_at("here:1", operation, NULL, operation->inputs_min, (gt_Tensor *[]){a, a},
                        out);
            for (int o = 0; gt_status() == GT_OK && o < operation->outputs; o++)
                check_whole(names[n], out[o]);
            if (gt_status() == GT_OK && s < 2 && strcmp(names[n], "det") == 0)
                cr_assert(gt_size(out[0]) == s + 1 && gt_element(out[0], s) == 1);
            gt_error_clear();
            gt_context_free(context);
            gt_context_use(mine);
        }
    assert_no_leaks();
}
