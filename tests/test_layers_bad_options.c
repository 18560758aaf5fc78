/* Options of every layer at their extremes, from the table of layers: each by its type, all others as in a sample. What cannot
 * be is refused when the layer is made or called, with words about the option; what can be works, or says why not. */
#include "bad_layers.h"

#include <math.h>

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
    extreme("-infinity, infinity", MUST_FAIL, size)->value.numbers =
        gt_numbers(-INFINITY, INFINITY);
    extreme("1, 1", MUST_FAIL, size)->value.numbers = gt_numbers(1, 1);
    extreme("99 of them", MUST_FAIL, size)->value.numbers = (gt_Numbers){GT_MARK, 99, {0}};
    extreme("-7 of them", MUST_FAIL, size)->value.numbers = (gt_Numbers){GT_MARK, -7, {0}};
    extreme("INT64_MAX of them", MUST_FAIL, size)->value.numbers =
        (gt_Numbers){GT_MARK, INT64_MAX, {0}};
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

Test(layers_bad_options, at_their_extremes)
{
    every_sample(try_options);
}
