/* Bad input for every layer, from the table of layers: options at their extremes, inputs of other ranks, shapes and types, masks
 * that nobody asked for, empty batches, axes of size 1, first values that fail, too little memory, other contexts, damaged JSON.
 * Nothing crashes, each error names the layer and what is wrong with it, and the layer works afterwards. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "layer_uses.h"
#include "leaks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY = 1 << 26, TEXT = 1 << 16 };

static int faults, tried, worked;

/* What is wrong, for one sample; the walk goes on. Told once for a class. */
#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static void
fault(const Use *use, const char *format, ...)
{
    static char told[200][300];
    char text[sizeof *told];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (int i = 0; i < faults && i < 200; i++)
        if (strcmp(told[i], text) == 0)
            return;
    if (faults < 200) {
        strcpy(told[faults], text);
        fprintf(stderr, "%s, sample %d: %s\n", use->type->name, use->number, text);
    }
    faults++;
}

/* Calls `body` for every sample, in a context of its own that has little memory. */
static void every_sample(void (*body)(const Use *use))
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    faults = tried = worked = 0;
    for (int k = 0; k < count; k++)
        for (int n = 0; table[k]->samples[n].inputs; n++) {
            const Use use = {table[k], &table[k]->samples[n], n, GT_FLOAT32};
            Budget budget = {.left = INT32_MAX, .most = MEMORY};
            const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
            gt_Context *context = gt_context_create(.allocator = &allocator),
                       *before = gt_context_use(context);
            body(&use);
            gt_context_use(before);
            gt_context_free(context);
            if (budget.held != 0)
                fault(&use, "%ld blocks are lost", budget.held);
        }
    fprintf(stderr, "%d tried, %d worked\n", tried, worked);
    cr_assert(faults == 0, "%d faults, see above", faults);
    cr_assert(tried > 0);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The names that an error may give a layer: of its function and of its class, also as paths have it, and of the call. */
static bool names_layer(const Use *use, const char *message)
{
    return strstr(message, use->type->name) || strstr(message, "call: ") ||
           strstr(message, "layer_copy: ") ||
           (use->type->function && strstr(message, use->type->function));
}

/* A result and no error, or an error with words; clears it. What happened counts, and is named by `what`. */
static bool settled(const Use *use, const char *what, bool result)
{
    gt_Status status = gt_status();
    const char *message = gt_error_message();
    tried++;
    worked += result;
    if (result && status != GT_OK)
        fault(use, "%s: a result with an error: %s", what, message);
    if (!result && status == GT_OK)
        fault(use, "%s: no result and no error", what);
    if (!result && status != GT_OK && !names_layer(use, message))
        fault(use, "%s: the error does not name the layer: %s", what, message);
    if (status == GT_NO_MEMORY && strstr(message, "-"))
        fault(use, "%s: a negative size: %s", what, message);
    gt_error_clear();
    return result;
}

/* A layer that is good still works. */
static void works(const Use *use, gt_Layer *layer, const char *what)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS], *y = use_call(use, layer, &in, false, outputs);
    if (!y || !gt_shape_equal(gt_tensor_shape(y), use->sample->output))
        fault(use, "%s: the layer does not work afterwards: %s", what, gt_error_message());
    gt_error_clear();
}

/* ---- options at their extremes ---- */

static gt_Tensor *returns_nothing(gt_Tensor *x)
{
    (void)x;
    return NULL;
}

static gt_Tensor *raises(gt_Tensor *x)
{
    (void)x;
    gt_fail(GT_INVALID, "the activation is not in the mood");
    return NULL;
}

static gt_Tensor *returns_another_shape(gt_Tensor *x)
{
    (void)x;
    return gt_zeros(gt_shape(7, 5));
}

static gt_Tensor *returns_integers(gt_Tensor *x)
{
    return gt_cast(x, GT_INT32);
}

static gt_Status fills_not(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)spec, (void)data, (void)stream;
    return gt_fail(GT_INVALID, "no numbers today");
}

/* What may become of a value. */
typedef enum Fate { MAY_WORK, MUST_FAIL, NOT_MADE } Fate;

typedef struct Extreme {
    const char *text;
    Fate fate;
    size_t size;
    union {
        double real;
        int64_t whole;
        int32_t number;
        const void *pointer;
        gt_Shape shape;
        gt_Axes axes;
        gt_Numbers numbers;
        gt_Strings strings;
        gt_TensorFunction function;
        gt_TextFunction text_function;
        gt_Initializer initializer;
        gt_Regularizer regularizer;
        gt_Constraint constraint;
        gt_Layers layers;
    } value;
} Extreme;

enum { EXTREMES = 40 };
static Extreme extremes[EXTREMES];
static int extreme_count;

static Extreme *extreme(const char *text, Fate fate, size_t size)
{
    cr_assert_lt(extreme_count, EXTREMES);
    Extreme *at = &extremes[extreme_count++];
    memset(at, 0, sizeof *at);
    at->text = text, at->fate = fate, at->size = size;
    return at;
}

/* NaN may be an option's way to say that it was not given. */
static void extreme_reals(const Use *use, const gt_Field *field)
{
    double preset;
    memcpy(&preset, (const char *)use->type->options->defaults + field->offset, sizeof preset);
    static const double values[] = {NAN, INFINITY, -INFINITY, 0, -1, 1, 1e308, -1e308, 5e-324};
    static const char *const texts[] = {"NaN", "infinity", "-infinity", "0",     "-1",
                                        "1",   "1e308",    "-1e308",    "5e-324"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        extreme(texts[i], isnan(values[i]) && !isnan(preset) ? NOT_MADE : MAY_WORK, sizeof(double))
            ->value.real = values[i];
}

static void extreme_wholes(void)
{
    static const int64_t values[] = {0, -1, 1, INT64_MIN, INT64_MAX, INT32_MIN, (int64_t)1 << 40,
                                     -2};
    static const char *const texts[] = {"0",         "-1",        "1",    "INT64_MIN",
                                        "INT64_MAX", "INT32_MIN", "2^40", "-2"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        extreme(texts[i], MAY_WORK, sizeof(int64_t))->value.whole = values[i];
    extreme("gt_sizes(1, 2)", MAY_WORK, sizeof(int64_t))->value.whole = gt_sizes(1, 2);
    extreme("gt_sizes(3, 2, 1)", MAY_WORK, sizeof(int64_t))->value.whole = gt_sizes(3, 2, 1);
    extreme("gt_sizes(0, 0, 0)", MAY_WORK, sizeof(int64_t))->value.whole = gt_sizes(0, 0, 0);
    extreme("gt_sizes(1, 2, 3, 4)", MAY_WORK, sizeof(int64_t))->value.whole = gt_sizes(1, 2, 3, 4);
}

static void extreme_numbers(Fate fate)
{
    static const int32_t values[] = {-2, 99, INT32_MIN, INT32_MAX};
    static const char *const texts[] = {"-2", "99", "INT32_MIN", "INT32_MAX"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        extreme(texts[i], fate, sizeof(int32_t))->value.number = values[i];
}

/* Dot has an axis for each input; PReLU shares an axis, however often it is told. */
static void extreme_axes(const Use *use)
{
    Fate twice = strcmp(use->type->name, "dot") == 0 || strcmp(use->type->name, "p_re_lu") == 0
                     ? MAY_WORK
                     : MUST_FAIL;
    const size_t size = sizeof(gt_Axes);
    extreme("0, as a number", NOT_MADE, size);
    extreme("no axes", MAY_WORK, size)->value.axes = (gt_Axes)GT_NO_SIZES;
    extreme("all axes", MAY_WORK, size)->value.axes = (gt_Axes)GT_ALL_AXES;
    extreme("axis 99", MUST_FAIL, size)->value.axes = gt_axes(99);
    extreme("axis -99", MUST_FAIL, size)->value.axes = gt_axes(-99);
    extreme("axis INT32_MIN", MUST_FAIL, size)->value.axes = (gt_Axes){GT_MARK, 1, {INT32_MIN}};
    extreme("an axis twice", twice, size)->value.axes = gt_axes(1, 1);
    extreme("1 and -1", MAY_WORK, size)->value.axes = gt_axes(1, -1);
    extreme("the batch", MAY_WORK, size)->value.axes = gt_axes(0);
    extreme("99 axes", MUST_FAIL, size)->value.axes = (gt_Axes){GT_MARK, 99, {0}};
    extreme("-7 axes", MUST_FAIL, size)->value.axes = (gt_Axes){GT_MARK, -7, {0}};
}

static void extreme_lists(void)
{
    const size_t size = sizeof(gt_Numbers);
    extreme("0, as a number", NOT_MADE, size);
    extreme("no numbers", MAY_WORK, size)->value.numbers = (gt_Numbers)GT_NO_NUMBERS;
    extreme("1", MAY_WORK, size)->value.numbers = gt_numbers(1);
    extreme("NaN", MAY_WORK, size)->value.numbers = gt_numbers(NAN);
    extreme("0, NaN", MUST_FAIL, size)->value.numbers = gt_numbers(0, NAN);
    extreme("1e308, -1e308, 0", MAY_WORK, size)->value.numbers = gt_numbers(1e308, -1e308, 0);
    extreme("-infinity, infinity", MUST_FAIL, size)->value.numbers = gt_numbers(-INFINITY, INFINITY);
    extreme("1, 1", MUST_FAIL, size)->value.numbers = gt_numbers(1, 1);
    extreme("99 of them", MUST_FAIL, size)->value.numbers = (gt_Numbers){GT_MARK, 99, {0}};
    extreme("-7 of them", MUST_FAIL, size)->value.numbers = (gt_Numbers){GT_MARK, -7, {0}};
    extreme("INT64_MAX of them", MUST_FAIL, size)->value.numbers = (gt_Numbers){GT_MARK, INT64_MAX, {0}};
}

static void extreme_strings(void)
{
    static const int64_t falling[] = {0, 3, 1}, beyond[] = {0, 1, 99};
    const size_t size = sizeof(gt_Strings);
    gt_Tensor *bytes = gt_zeros(gt_shape(3), .dtype = GT_UINT8);
    gt_Tensor *none = gt_zeros(gt_shape(1), .dtype = GT_INT64);
    extreme("not given", MAY_WORK, size);
    extreme("small numbers", NOT_MADE, size)->value.strings =
        gt_strings_of((gt_Tensor *)(uintptr_t)8, (gt_Tensor *)(uintptr_t)8);
    extreme("no strings", MAY_WORK, size)->value.strings = gt_strings_of(bytes, none);
    extreme("bytes without offsets", MUST_FAIL, size)->value.strings = gt_strings_of(bytes, NULL);
    extreme("floats", MUST_FAIL, size)->value.strings = gt_strings_of(gt_ones(gt_shape(3)), none);
    extreme("offsets that fall", MUST_FAIL, size)->value.strings =
        gt_strings_of(bytes, gt_from_data(falling, gt_shape(3), GT_INT64));
    extreme("offsets beyond the end", MUST_FAIL, size)->value.strings =
        gt_strings_of(bytes, gt_from_data(beyond, gt_shape(3), GT_INT64));
    extreme("a negative width", MAY_WORK, size)->value.strings = (gt_Strings){bytes, none, -1};
}

static void extreme_shapes(void)
{
    const size_t size = sizeof(gt_Shape);
    extreme("0, as a number", NOT_MADE, size);
    extreme("()", MAY_WORK, size)->value.shape = gt_shape();
    extreme("(0,)", MAY_WORK, size)->value.shape = gt_shape(0);
    extreme("(-1, -1)", MAY_WORK, size)->value.shape = gt_shape(-1, -1);
    extreme("(-2,)", MAY_WORK, size)->value.shape = gt_shape(-2);
    extreme("(INT64_MAX, 2)", MAY_WORK, size)->value.shape = gt_shape(INT64_MAX, 2);
    extreme("(INT64_MIN,)", MUST_FAIL, size)->value.shape = gt_shape(INT64_MIN);
    extreme("of eight dimensions", MAY_WORK, size)->value.shape = gt_shape(1, 1, 1, 1, 1, 1, 1, 1);
    extreme("rank -1", MAY_WORK, size)->value.shape = (gt_Shape){GT_MARK, -1, {0}};
    extreme("rank 99", MUST_FAIL, size)->value.shape = (gt_Shape){GT_MARK, 99, {1}};
    extreme("rank INT32_MIN", MUST_FAIL, size)->value.shape = (gt_Shape){GT_MARK, INT32_MIN, {1}};
}

static void extreme_texts(bool name)
{
    static char longest[20000];
    memset(longest, 'n', sizeof longest - 1);
    const size_t size = sizeof(void *);
    extreme("NULL", MAY_WORK, size);
    extreme("\"\"", name ? NOT_MADE : MAY_WORK, size)->value.pointer = "";
    extreme("\"%s%n\"", MAY_WORK, size)->value.pointer = "%s%n";
    extreme("\"a/b\"", name ? NOT_MADE : MAY_WORK, size)->value.pointer = "a/b";
    extreme("20000 letters", MAY_WORK, size)->value.pointer = longest;
}

static void extreme_tensors(void)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *stale = gt_zeros(gt_shape(2));
    gt_scope_end(scope);
    const size_t size = sizeof(void *);
    extreme("NULL", MAY_WORK, size);
    extreme("a small number", NOT_MADE, size)->value.pointer = (const void *)(uintptr_t)8;
    extreme("a stale tensor", NOT_MADE, size)->value.pointer = stale;
    extreme("an empty tensor", MAY_WORK, size)->value.pointer = gt_zeros(gt_shape(0));
    extreme("a scalar", MAY_WORK, size)->value.pointer = gt_full(gt_shape(), 1);
    extreme("integers", MAY_WORK, size)->value.pointer = gt_cast(gt_ones(gt_shape(2)), GT_INT32);
    extreme("a bool", MAY_WORK, size)->value.pointer = gt_ones(gt_shape(2), .dtype = GT_BOOL);
    extreme("NaN", MAY_WORK, size)->value.pointer = gt_full(gt_shape(2), NAN);
    extreme("float64", MAY_WORK, size)->value.pointer =
        gt_full(gt_shape(2), 1, .dtype = GT_FLOAT64);
    extreme("a matrix", MAY_WORK, size)->value.pointer = gt_ones(gt_shape(2, 2));
}

static void extreme_functions(void)
{
    const size_t size = sizeof(gt_TensorFunction);
    extreme("NULL", MAY_WORK, size);
    extreme("a small number", NOT_MADE, size)->value.pointer = (const void *)(uintptr_t)8;
    extreme("one that returns NULL", MAY_WORK, size)->value.function = returns_nothing;
    extreme("one that raises", MAY_WORK, size)->value.function = raises;
    extreme("one of another shape", MAY_WORK, size)->value.function = returns_another_shape;
    extreme("one of integers", MAY_WORK, size)->value.function = returns_integers;
}

static void writes_nothing(gt_TextOutput *output, const char *text, size_t length)
{
    (void)output, (void)text, (void)length;
}

static void extreme_text_functions(void)
{
    const size_t size = sizeof(gt_TextFunction);
    extreme("NULL", MAY_WORK, size);
    extreme("one that writes nothing", MAY_WORK, size)->value.text_function = writes_nothing;
}

/* Layers that are given are taken, also on failure: each is made anew. */
static void extreme_layers(bool list)
{
    static gt_Layer *items[3];
    gt_Layer *freed = gt_Flatten();
    gt_layer_free(freed);
    items[0] = (gt_Layer *)(uintptr_t)8;
    items[1] = GT_LIST_END;
    items[2] = NULL;
    if (!list) {
        extreme("NULL", MAY_WORK, sizeof(void *));
        extreme("a small number", NOT_MADE, sizeof(void *))->value.pointer = items[0];
        extreme("a freed layer", NOT_MADE, sizeof(void *))->value.pointer = freed;
        return;
    }
    extreme("no list", MAY_WORK, sizeof(gt_Layers));
    extreme("an empty list", MAY_WORK, sizeof(gt_Layers))->value.layers.items = items + 1;
    extreme("a small number", NOT_MADE, sizeof(gt_Layers))->value.layers.items = items;
}

static void extreme_values(const char *type)
{
    if (strcmp(type, "gt_Initializer") == 0) {
        extreme("a small number", NOT_MADE, sizeof(gt_Initializer))->value.initializer.type =
            (const void *)(uintptr_t)8;
        extreme("a text", NOT_MADE, sizeof(gt_Initializer))->value.initializer.type =
            (const void *)"glorot_uniform, as a text that is long enough";
        extreme("one that fails", MAY_WORK, sizeof(gt_Initializer))->value.initializer =
            gt_initializer(fills_not, NULL);
        extreme("NaN", MAY_WORK, sizeof(gt_Initializer))->value.initializer =
            gt_RandomNormal(.stddev = NAN);
    } else if (strcmp(type, "gt_Regularizer") == 0) {
        extreme("a small number", NOT_MADE, sizeof(gt_Regularizer))->value.regularizer.type =
            (const void *)(uintptr_t)8;
        extreme("l2 of -1", MAY_WORK, sizeof(gt_Regularizer))->value.regularizer = gt_L2(-1);
    } else {
        extreme("a small number", NOT_MADE, sizeof(gt_Constraint))->value.constraint.type =
            (const void *)(uintptr_t)8;
        extreme("axes that are not there", MAY_WORK, sizeof(gt_Constraint))->value.constraint =
            gt_MaxNorm(1, .axes = gt_axes(77));
    }
}

/* The extremes of a field, by its type. False: there are none. */
static bool extremes_of(const Use *use, const gt_Field *field)
{
    const char *type = field->type;
    extreme_count = 0;
    if (strcmp(type, "double") == 0)
        extreme_reals(use, field);
    else if (strcmp(type, "int64_t") == 0 || strcmp(type, "gt_Sizes") == 0)
        extreme_wholes();
    else if (strcmp(type, "int32_t") == 0 || strcmp(type, "int") == 0 ||
             strcmp(type, "gt_Flag") == 0)
        extreme_numbers(MAY_WORK);
    else if (strcmp(type, "gt_Axes") == 0)
        extreme_axes(use);
    else if (strcmp(type, "gt_Shape") == 0)
        extreme_shapes();
    else if (strcmp(type, "gt_Numbers") == 0)
        extreme_lists();
    else if (strcmp(type, "gt_Strings") == 0)
        extreme_strings();
    else if (strcmp(type, "const char *") == 0)
        extreme_texts(strcmp(field->name, "name") == 0);
    else if (strcmp(type, "gt_Tensor *") == 0)
        extreme_tensors();
    else if (strcmp(type, "gt_TensorFunction") == 0)
        extreme_functions();
    else if (strcmp(type, "gt_TextFunction") == 0)
        extreme_text_functions();
    else if (strcmp(type, "gt_Layer *") == 0 || strcmp(type, "gt_Layers") == 0)
        extreme_layers(strcmp(type, "gt_Layers") == 0);
    else if (strcmp(type, "gt_Initializer") == 0 || strcmp(type, "gt_Regularizer") == 0 ||
             strcmp(type, "gt_Constraint") == 0)
        extreme_values(type);
    else if (strncmp(type, "gt_", 3) == 0 && field->size == sizeof(int32_t))
        extreme_numbers(NOT_MADE); /* an enumeration */
    else if (strcmp(type, "bool") != 0 && strcmp(type, "gt_LambdaFunction") != 0 &&
             strcmp(type, "void *") != 0)
        cr_assert(false, "options of the type %s have no extremes yet", type);
    gt_error_clear();
    return extreme_count > 0;
}

/* Another layer like the good one. */
static gt_Layer *make_with(const Use *use, const gt_Layer *good, const gt_Field *field,
                           const Extreme *at)
{
    const gt_OptionType *type = use->type->options;
    if (use->sample->make)
        return gt_layer_copy_with(good, field->name, &at->value, field->size);
    _Alignas(16) char options[4096];
    cr_assert(type->size <= sizeof options);
    memcpy(options, use->sample->options ? use->sample->options : type->defaults, type->size);
    memcpy(options + field->offset, &at->value, field->size);
    return gt_layer_make(use->type, options);
}

/* Does the error name an option? Another one may be told that does not fit this one. */
static bool names_option(const Use *use, const char *message)
{
    for (const gt_Field *field = use->type->options->fields; field->name; field++)
        if (strstr(message, field->name))
            return true;
    return strstr(message, "was freed") ||
           strstr(message, "of text"); /* bytes or offsets of gt_Strings */
}

/* One field of the options at one extreme: not made with words about the field, or made; then it is called. */
static void try_option(const Use *use, gt_Layer *good, const gt_Field *field, const Extreme *at)
{
    char what[200];
    snprintf(what, sizeof what, ".%s = %s", field->name, at->text);
    cr_assert_eq(at->size, field->size, "%s", what);
    gt_Layer *layer = make_with(use, good, field, at);
    const char *message = gt_error_message();
    if (!layer) {
        if (gt_status() != GT_OK && gt_status() != GT_NO_MEMORY && !names_option(use, message))
            fault(use, "%s: the error does not name the option: %s", what, message);
        settled(use, what, false);
        return;
    }
    if (at->fate == NOT_MADE)
        fault(use, "%s: it was made", what);
    gt_Scope *scope = gt_scope_begin();
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    bool result = use_call(use, layer, &in, true, outputs) != NULL;
    if (result && at->fate == MUST_FAIL)
        fault(use, "%s: it works", what);
    settled(use, what, result);
    gt_scope_end(scope);
    gt_layer_free(layer);
}

static void try_options(const Use *use)
{
    if (use->type->flags & GT_LAYER_CONTAINER)
        return;
    gt_Layer *good = use_layer(use);
    for (const gt_Field *field = use->type->options->fields; field->name; field++) {
        gt_Scope *scope = gt_scope_begin();
        extremes_of(use, field);
        for (int i = 0; i < extreme_count; i++)
            try_option(use, good, field, &extremes[i]);
        gt_scope_end(scope);
    }
    gt_Scope *scope = gt_scope_begin();
    works(use, good, "options");
    gt_scope_end(scope);
    gt_layer_free(good);
}

Test(layers_bad_input, options)
{
    every_sample(try_options);
}

/* ---- inputs ---- */

static gt_Tensor *filled(gt_Shape shape, gt_DType dtype, double value)
{
    return gt_full(shape, value, .dtype = dtype);
}

/* Calls a layer with one input replaced, with or without masks. NULL for `to`: it is absent. */
static gt_Tensor *call_with(const Use *use, gt_Layer *layer, UseInputs in, int input, gt_Tensor *to,
                            bool masked)
{
    gt_Tensor *outputs[USE_OUTPUTS];
    in.x[input] = to;
    for (int i = 0; i < in.count; i++)
        if (!masked || i == input)
            in.mask[i] = NULL;
    return use_call(use, layer, &in, true, outputs);
}

static void try_input(const Use *use, const UseInputs *in, int input, gt_Tensor *x,
                      const char *what)
{
    gt_Layer *fresh = use_layer(use);
    bool was = gt_layer_built(fresh); /* a functional model */
    bool result = settled(use, what, call_with(use, fresh, *in, input, x, false) != NULL);
    if (!result && !was && (gt_layer_built(fresh) || gt_weights(fresh).count))
        fault(use, "%s: the layer is built, after a call that failed", what);
    if (!result)
        works(use, fresh, what);
    gt_error_clear();
    gt_layer_free(fresh);
    gt_Layer *built = use_layer(use);
    works(use, built, "at first");
    settled(use, what, call_with(use, built, *in, input, x, true) != NULL);
    works(use, built, what);
    gt_layer_free(built);
}

static void try_inputs(const Use *use)
{
    static const gt_DType types[] = {GT_BOOL,    GT_INT32,    GT_INT64,   GT_UINT8,
                                     GT_FLOAT16, GT_BFLOAT16, GT_FLOAT64, GT_FLOAT32};
    char what[200], text[160];
    const UseInputs in = use_inputs(use);
    for (int i = 0; i < in.count; i++) {
        gt_Shape own = use->sample->input[i].shape;
        gt_DType own_type = in.x[i] ? gt_dtype(in.x[i]) : GT_FLOAT32;
        if (in.x[i])
            try_input(use, &in, i, NULL, "NULL");
        for (int rank = 0; rank <= 6; rank++) {
            gt_Shape shape = {GT_MARK, rank, {2, 3, 2, 3, 2, 3}};
            for (int d = 0; d < rank && d < own.rank; d++)
                shape.dims[d] = own.dims[d];
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d of shape %s", i,
                     gt_shape_text(shape, text, sizeof text));
            try_input(use, &in, i, filled(shape, own_type, 1), what);
            gt_scope_end(scope);
        }
        for (int d = 0; d < own.rank; d++)
            for (int64_t size = 0; size < 3; size++) {
                gt_Shape shape = own;
                shape.dims[d] = size < 2 ? size : own.dims[d] + 1;
                gt_Scope *scope = gt_scope_begin();
                snprintf(what, sizeof what, "input %d of shape %s", i,
                         gt_shape_text(shape, text, sizeof text));
                try_input(use, &in, i, filled(shape, own_type, 1), what);
                gt_scope_end(scope);
            }
        for (size_t t = 0; t < sizeof types / sizeof *types && in.x[i]; t++) {
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d as %s", i, gt_dtype_name(types[t]));
            try_input(use, &in, i, filled(own, types[t], 1), what);
            gt_scope_end(scope);
        }
        for (int k = 0; k < 4 && in.x[i]; k++) {
            static const double values[] = {NAN, INFINITY, -1e30, 1e30};
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d of %g", i, values[k]);
            try_input(use, &in, i,
                      filled(own, own_type,
                             gt_dtype_is_float(own_type) ? values[k]
                             : own_type == GT_UINT8      ? 255 - k
                                                         : k - 2),
                      what);
            gt_scope_end(scope);
        }
    }
}

Test(layers_bad_input, inputs)
{
    every_sample(try_inputs);
}

/* ---- too few, too many ---- */

static gt_Tensor *call_count(gt_Layer *layer, gt_Tensor *const *x, int count)
{
    return gt_call(layer, x[0], .more = (gt_Tensors){count > 1 ? x + 1 : NULL, count - 1});
}

/* The least number of inputs that the ports ask for, and the most. */
static void ports_of(const Use *use, int *least, int *most)
{
    *least = *most = use->type->ports ? 0 : 1;
    for (const gt_Port *port = use->type->ports; port && port->name; port++) {
        *most = port->flags & GT_PORT_MANY ? GT_MAX_INPUTS : *most + 1;
        if (!(port->flags & GT_PORT_OPTIONAL))
            *least = (int)(port - use->type->ports) + 1;
    }
}

static void try_counts(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *x[GT_MAX_INPUTS + 2], *y = NULL;
    char what[80];
    int least, most;
    ports_of(use, &least, &most);
    for (int i = 0; i < GT_MAX_INPUTS + 2; i++)
        x[i] = i < in.count && in.x[i] ? in.x[i] : in.x[0];
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int count = 1; count < GT_MAX_INPUTS + 2; count += count < 9 ? 1 : 55) {
        gt_Scope *scope = gt_scope_begin();
        snprintf(what, sizeof what, "%d inputs", count);
        bool result = settled(use, what, call_count(layer, x, count) != NULL);
        if (result && (count < least || (count > most && !(use->type->flags & GT_LAYER_CONTAINER))))
            fault(use, "%s: it works", what);
        gt_scope_end(scope);
    }
    settled(use, "an input by a name that is none",
            gt_call(layer, x[0], .named = gt_named({"no such input", x[0]})) != NULL);
    settled(use, "more outputs than there are",
            gt_call(layer, x[0],
                    .outputs = gt_outputs(&y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y,
                                          &y, &y, &y)) != NULL);
    if (y)
        fault(use, "an output of a failed call");
    works(use, layer, "counts");
    gt_layer_free(layer);
}

Test(layers_bad_input, counts)
{
    every_sample(try_counts);
}

/* ---- masks ---- */

/* A mask over the first axes of every input, whether the layer takes it or not: it stays, changes, or ends with a warning;
 * an operation that it must not pass says so. Eagerly and in a plan alike. */
typedef struct Traced {
    const Use *use;
    gt_Layer *layer;
    bool present[USE_INPUTS];
} Traced;

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    gt_Tensor *results[USE_OUTPUTS];
    UseInputs in = {.count = self->use->sample->inputs};
    for (int i = 0, at = 0; i < in.count; i++)
        in.x[i] = self->present[i] ? inputs[at++] : NULL;
    outputs[0] = use_call(self->use, self->layer, &in, false, results);
    return gt_status();
}

static bool same_bits(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.dtype == two.dtype && one.size == two.size &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

static void try_mask(const Use *use, const UseInputs *from, int input, int rank, gt_Layer *layer)
{
    char what[80];
    gt_Tensor *outputs[USE_OUTPUTS], *x[USE_INPUTS], *planned = NULL;
    UseInputs in = *from;
    gt_Shape shape = use->sample->input[input].shape;
    shape.rank = rank;
    snprintf(what, sizeof what, "a mask of rank %d on input %d", rank, input);
    gt_Tensor *mask = gt_greater(gt_uniform(shape, .generator = gt_generator(3)), 0.5);
    in.mask[input] = mask;
    gt_warnings_clear();
    gt_Tensor *y = use_call(use, layer, &in, false, outputs);
    char message[400];
    snprintf(message, sizeof message, "%s", gt_error_message());
    gt_Status status = gt_status();
    settled(use, what, y != NULL);
    if (y && use->type->flags & GT_LAYER_DROPS_MASK &&
        (gt_is_masked(y) || gt_warnings().count == 0))
        fault(use, "%s: it is dropped without a warning", what);
    if (y && use->type->flags & GT_LAYER_KEEPS_MASK && input == 0 &&
        !(gt_is_masked(y) && same_bits(gt_mask(y), mask)))
        fault(use, "%s: it is not kept", what);
    for (int i = 0; i < in.count; i++)
        if (in.text[i].bytes) {
            gt_error_clear();
            return; /* functions take no text */
        }
    Traced body = {.use = use, .layer = layer};
    int count = 0;
    for (int i = 0; i < in.count; i++)
        if ((body.present[i] = in.x[i] != NULL))
            x[count++] = in.mask[i] ? gt_with_mask(in.x[i], in.mask[i]) : in.x[i];
    gt_Function *function = gt_function(traced, &body);
    gt_reset_states(layer);
    gt_function_call(function, ((gt_Tensors){x, count}), &planned);
    if (y && (!planned || !same_bits(y, planned) || gt_is_masked(y) != gt_is_masked(planned) ||
              (gt_is_masked(y) && !same_bits(gt_mask(y), gt_mask(planned)))))
        fault(use, "%s: a plan differs: %s", what, gt_error_message());
    if (!y && (planned || gt_status() != status))
        fault(use, "%s: eagerly an error, %s; a plan has another: %s", what, message,
              gt_error_message());
    gt_error_clear();
    gt_function_free(function);
}

static void try_masks(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int i = 0; i < in.count; i++)
        for (int rank = 0; in.x[i] && rank <= use->sample->input[i].shape.rank; rank++) {
            gt_Scope *scope = gt_scope_begin();
            gt_reset_states(layer);
            try_mask(use, &in, i, rank, layer);
            gt_scope_end(scope);
        }
    gt_Tensor *const wrong[] = {gt_ones(gt_shape(5, 7), .dtype = GT_BOOL),
                                gt_ones(gt_shape(77), .dtype = GT_BOOL), in.x[0]};
    for (int k = 0; k < 3; k++)
        if (settled(use, "a mask that does not fit",
                    gt_call(layer, in.x[0], .mask = wrong[k],
                            .more = (gt_Tensors){in.count > 1 ? in.x + 1 : NULL, in.count - 1}) !=
                        NULL))
            fault(use, "a mask that does not fit works");
    works(use, layer, "masks");
    gt_layer_free(layer);
}

Test(layers_bad_input, masks)
{
    every_sample(try_masks);
}

/* ---- empty batches, axes of size 1 ---- */

static bool is_finite(gt_Tensor *y)
{
    for (int64_t i = 0; gt_dtype_is_float(gt_dtype(y)) && i < gt_size(y); i++)
        if (!isfinite(gt_element(y, i)))
            return false;
    return true;
}

/* What may be said of an empty batch. The first axis of one image is its height. */
static bool may_refuse_none(bool training)
{
    static const char *const reasons[] = {
        "stateful: the batch must be", "must be float32 (2, -1, 3)", /* InputLayer's .batch_size */
        "images must have pixels (got (0,", "axis 0 of size 0 cannot be resized",
        /* The loudest of all there is. */
        "mel_spectrogram: max: cannot reduce an empty axis"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(gt_error_message(), reasons[i]))
            return true;
    return training && strstr(gt_error_message(), "an empty batch has no mean");
}

static void try_sizes(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    char what[80];
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int training = 0; training < 2; training++) {
        UseInputs none = in;
        gt_Tape *tape = gt_tape_begin();
        for (int i = 0; i < in.count; i++)
            if (in.x[i] && (!in.x[0] || gt_dim(gt_tensor_shape(in.x[i]), 0) ==
                                            gt_dim(gt_tensor_shape(in.x[0]), 0))) {
                gt_Shape shape = gt_tensor_shape(in.x[i]);
                shape.dims[0] = 0;
                none.x[i] = gt_zeros(shape, .dtype = gt_dtype(in.x[i]));
                if (gt_dtype_is_float(gt_dtype(in.x[i])))
                    gt_watch(tape, none.x[i]);
                none.mask[i] = NULL;
            } else if (in.text[i].bytes) {
                none.text[i].bytes = gt_zeros(gt_shape(0), .dtype = GT_UINT8);
                none.text[i].offsets = gt_zeros(gt_shape(1), .dtype = GT_INT64);
            }
        gt_Tensor *y = use_call(use, layer, &none, training, outputs);
        if (y && gt_size(y) != 0 && gt_dim(gt_tensor_shape(y), 0) != 0)
            fault(use, "an empty batch gives %lld elements", (long long)gt_size(y));
        snprintf(what, sizeof what, "an empty batch, training %d", training);
        if (!y && !may_refuse_none(training))
            fault(use, "%s: %s", what, gt_error_message());
        settled(use, what, y != NULL);
        gt_Tensors trained = gt_trainable_variables(layer);
        if (y && trained.count && gt_dtype_is_float(gt_dtype(y))) {
            gt_Tensor *g =
                gt_gradient(tape, y, trained.items[0], .unconnected = GT_UNCONNECTED_ZERO);
            if (!g || !is_finite(g))
                fault(use, "%s: the gradient: %s", what, g ? "not finite" : gt_error_message());
            gt_error_clear();
        }
        gt_tape_end(tape);
    }
    for (int i = 0; i < gt_weights(layer).count; i++)
        if (!is_finite(gt_weights(layer).items[i]) &&
            strcmp(use->type->name, "discretization") != 0) /* not adapted */
            fault(use, "an empty batch spoils %s", gt_variable_name(gt_weights(layer).items[i]));
    works(use, layer, "an empty batch");
    gt_layer_free(layer);
    /* Everything of size 1. */
    for (int training = 0; training < 2; training++) {
        layer = use_layer(use);
        UseInputs one = in;
        for (int i = 0; i < in.count; i++)
            if (in.x[i]) {
                gt_Shape shape = gt_tensor_shape(in.x[i]);
                for (int d = 0; d < shape.rank; d++)
                    shape.dims[d] = 1;
                one.x[i] = gt_ones(shape, .dtype = gt_dtype(in.x[i]));
                one.mask[i] = NULL;
            }
        gt_Tensor *y = use_call(use, layer, &one, training, outputs);
        if (y && !is_finite(y))
            fault(use, "sizes of 1, training %d: the result is not finite", training);
        settled(use, "sizes of 1", y != NULL);
        gt_layer_free(layer);
    }
}

Test(layers_bad_input, sizes)
{
    every_sample(try_sizes);
}

/* ---- first values that fail ---- */

static int draws_left;

static gt_Status fills_some(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)stream;
    if (draws_left-- == 0)
        return gt_fail(GT_INVALID, "no numbers today");
    for (int64_t i = 0; i < spec->size && spec->dtype == GT_FLOAT32; i++)
        ((float *)data)[i] = 0.25f;
    return GT_OK;
}

/* The sample's options with every initializer replaced. NULL: there are none. */
static gt_Layer *with_initializers(const Use *use)
{
    const gt_Initializer mine = gt_initializer(fills_some, NULL);
    gt_Layer *layer = use_layer(use);
    bool any = false;
    for (const gt_Field *field = use->type->options ? use->type->options->fields : NULL;
         layer && field && field->name; field++)
        if (strcmp(field->type, "gt_Initializer") == 0) {
            gt_Layer *next = gt_layer_copy_with(layer, field->name, &mine, sizeof mine);
            gt_layer_free(layer);
            layer = next;
            any = true;
        }
    if (any)
        return layer;
    gt_layer_free(layer);
    return NULL;
}

/* In a call, in gt_build_for, and when a model that was drawn is first read. */
static void try_first_values(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    gt_Spec specs[USE_INPUTS] = {{0}};
    for (int i = 0; i < in.count; i++)
        specs[i] = in.x[i] ? gt_spec(in.x[i]) : (gt_Spec){.dtype = GT_DTYPE_NONE};
    for (int way = 0; way < 2; way++)
        for (int n = 0;; n++) {
            draws_left = n;
            gt_Layer *layer = with_initializers(use);
            if (!layer)
                return;
            int64_t variables = gt_memory_stats().variables;
            bool done = way ? gt_build_for(layer, in.count, specs) == GT_OK
                            : use_call(use, layer, &in, true, outputs) != NULL;
            if (!done && !strstr(gt_error_message(), "no numbers today"))
                fault(use, "first values: %s", gt_error_message());
            settled(use, "first values", done);
            if (!done && (gt_layer_built(layer) || gt_memory_stats().variables != variables))
                fault(use, "first values: something of it is left");
            draws_left = 1000;
            works(use, layer, "first values");
            gt_layer_free(layer);
            if (done)
                break;
        }
}

Test(layers_bad_input, first_values)
{
    every_sample(try_first_values);
}

/* ---- too little memory ---- */

/* What is done with every allocation failing in turn: a result, or NULL. */
typedef bool Deed(const Use *use, gt_Layer *layer);

static bool copies(const Use *use, gt_Layer *layer)
{
    (void)use;
    gt_Layer *copy = gt_layer_copy(layer);
    return copy != NULL;
}

static bool is_drawn(const Use *use, gt_Layer *layer)
{
    gt_Tensor *x[USE_INPUTS], *inputs[USE_INPUTS];
    int count = 0;
    for (int i = 0; i < use->sample->inputs; i++) {
        const gt_SampleInput *input = &use->sample->input[i];
        gt_Shape shape = {GT_MARK, input->shape.rank - 1, {0}};
        x[i] = NULL;
        if (use_is_absent(use, i))
            continue;
        for (int d = 0; d < shape.rank; d++)
            shape.dims[d] = input->shape.dims[d + 1];
        x[i] = inputs[count] =
            gt_Input(shape, .batch_size = input->shape.rank ? input->shape.dims[0] : 1,
                     .dtype = gt_dtype_is_float(input->dtype) ? use->dtype : input->dtype);
        count++;
    }
    gt_Tensor *y = gt_call(
        layer, x[0],
        .more = (gt_Tensors){use->sample->inputs > 1 ? x + 1 : NULL, use->sample->inputs - 1});
    const gt_Tensors list = {inputs, count};
    return gt_Model(list, gt_tensors(y)) != NULL;
}

static bool is_written(const Use *use, gt_Layer *layer)
{
    (void)use;
    const char *text = gt_layer_to_json(layer);
    return text && gt_layer_from_json(text);
}

static bool is_listed(const Use *use, gt_Layer *layer)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    return use_call(use, layer, &in, false, outputs) && gt_summary(layer) &&
           gt_weights(layer).count >= 0 && gt_status() == GT_OK && gt_reset_states(layer) == GT_OK;
}

static void try_deed(const Use *use, const char *what, Deed *deed)
{
    gt_Context *before = gt_context();
    bool done = false, could = true;
    for (long n = -1; !done && could; n++) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *layer = use_layer(use);
        gt_Sequential(layer); /* holds it, whatever becomes of a model that takes it */
        budget.left = n < 0 ? INT32_MAX : n;
        bool result = deed(use, layer);
        budget.left = INT32_MAX;
        if (n < 0)
            could = result; /* some layers cannot be copied or written */
        else if (!result && gt_status() != GT_NO_MEMORY)
            fault(use, "%s, allocation %ld: %s", what, n,
                  gt_status() ? gt_error_message() : "no error");
        done = result && n >= 0;
        gt_error_clear();
        if (could)
            works(use, layer, what);
        gt_scope_end(scope);
        tried++;
        gt_context_use(before);
        gt_context_free(context);
        if (budget.held)
            fault(use, "%s, allocation %ld: %ld blocks are lost", what, n, budget.held);
    }
    worked += done;
}

static void try_memory(const Use *use)
{
    try_deed(use, "a copy", copies);
    try_deed(use, "a drawing", is_drawn);
    try_deed(use, "JSON", is_written);
    try_deed(use, "a call and lists", is_listed);
}

Test(layers_bad_input, memory)
{
    every_sample(try_memory);
}

/* ---- other contexts, freed layers ---- */

static void try_contexts(const Use *use)
{
    gt_Context *home = gt_context(), *other = gt_context_create();
    gt_Tensor *outputs[USE_OUTPUTS];
    gt_Layer *layer = use_layer(use);
    bool was = gt_layer_built(layer);
    gt_context_use(other);
    UseInputs in = use_inputs(use);
    if (settled(use, "another context before it is built",
                use_call(use, layer, &in, false, outputs) != NULL) &&
        !was)
        fault(use, "it was built in another context");
    gt_context_use(home);
    UseInputs mine = use_inputs(use);
    gt_Tensor *y = use_call(use, layer, &mine, false, outputs);
    const size_t bytes = (size_t)gt_size(y) * gt_dtype_size(gt_dtype(y));
    const void *numbers = gt_data(y);
    gt_reset_states(layer);
    gt_context_use(other);
    gt_Tensor *z = use_call(use, layer, &in, false, outputs);
    bool stateful = strstr(gt_error_message(), "belongs to another context") != NULL;
    if (!z && !stateful)
        fault(use, "another context: %s", gt_error_message());
    if (z && memcmp(numbers, gt_data(z), bytes) != 0)
        fault(use, "another context gets other numbers");
    settled(use, "another context", z != NULL);
    gt_Tensors more = {mine.count > 1 ? mine.x + 1 : NULL, mine.count - 1};
    settled(use, "inputs of another context", gt_call(layer, mine.x[0], .more = more) != NULL);
    settled(use, "training in another context", use_call(use, layer, &in, true, outputs) != NULL);
    gt_layer_copy(layer);
    gt_error_clear();
    gt_set_trainable(layer, false);
    gt_error_clear();
    gt_context_use(home);
    works(use, layer, "another context");
    gt_layer_free(layer);
    settled(use, "a freed layer", use_call(use, layer, &mine, false, outputs) != NULL);
    gt_layer_free(layer);
    gt_error_clear();
    gt_context_free(other);
}

Test(layers_bad_input, contexts)
{
    every_sample(try_contexts);
}

/* ---- damaged JSON ---- */

/* A damaged text gives an error with words, or a layer, which is called: that it does not crash is all. */
static bool survives(const Use *use, const char *text, const char *what)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_layer_from_json(text);
    tried++;
    worked += layer != NULL;
    if (!layer && gt_status() == GT_OK)
        fault(use, "%s: no layer and no error", what);
    if (layer && gt_status() != GT_OK)
        fault(use, "%s: a layer and an error", what);
    gt_error_clear();
    if (layer) {
        const UseInputs in = use_inputs(use);
        gt_Tensor *outputs[USE_OUTPUTS];
        use_call(use, layer, &in, false, outputs);
        gt_error_clear();
    }
    gt_layer_free(layer);
    gt_scope_end(scope);
    return layer != NULL;
}

static void try_json(const Use *use)
{
    static char text[TEXT], damaged[TEXT + 100];
    static const char bytes[] = "\"{}[],:-9e.\\\x01\xff nt0";
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    const char *given = gt_layer_to_json(layer);
    if (!given && strstr(gt_error_message(), "cannot be saved")) {
        gt_error_clear();
        gt_layer_free(layer);
        return;
    }
    if (!given) {
        settled(use, "to JSON", false);
        gt_layer_free(layer);
        return;
    }
    size_t length = strlen(given);
    cr_assert_lt(length, sizeof text);
    memcpy(text, given, length + 1);
    gt_Layer *again = gt_layer_from_json(text);
    if (!again || strcmp(gt_layer_to_json(again), text) != 0)
        fault(use, "JSON: not the same again: %s", gt_error_message());
    gt_error_clear();
    gt_layer_free(again);
    gt_layer_free(layer);
    uint64_t state = 5;
    for (size_t n = 0; n < length; n++) {
        memcpy(damaged, text, n);
        damaged[n] = 0;
        if (survives(use, damaged, "JSON cut off"))
            fault(use, "JSON cut off at %d: it was made", (int)n);
        memcpy(damaged, text, length + 1);
        damaged[n] = bytes[(int)(next_uniform(&state) * (sizeof bytes - 1))];
        survives(use, damaged, "JSON with another byte");
    }
    const char *options = strstr(text, "\"options\":{");
    if (!options)
        return;
    size_t at = (size_t)(options - text) + strlen("\"options\":{");
    bool empty = text[at] == '}';
    snprintf(damaged, sizeof damaged, "%.*s\"no_such_option\":1%s%s", (int)at, text,
             empty ? "" : ",", text + at);
    if (survives(use, damaged, "JSON with an unknown option"))
        fault(use, "JSON with an unknown option: it was made");
}

Test(layers_bad_input, json)
{
    every_sample(try_json);
}
