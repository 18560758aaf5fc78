/* Fields of option structs as JSON. Each C type has one form: numbers and flags as such, types of elements by name, shapes and
 * axes as lists, values (initializers and their kin) as {"class": "he_normal", "seed": -1}, layers as objects of
 * their own, functions by name. Leans on io/json.h. */
#include "models/fields.h"
#include "core/strings_inside.h"
#include "core/text.h"
#include "layers/internal.h"
#include "optim/schedule.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- writing ---- */

bool gt_config_put(gt_ConfigWriter *writer, const char *text)
{
    size_t size = strlen(text);
    if (!gt_bytes_reserve(writer->context, &writer->text, size))
        return false;
    memcpy(writer->text.data + writer->text.size, text, size);
    writer->text.size += size;
    return true;
}

bool gt_config_put_string(gt_ConfigWriter *writer, const char *text)
{
    return text ? gt_json_put_string(writer->context, &writer->text, text)
                : gt_config_put(writer, "null");
}

bool gt_config_put_integer(gt_ConfigWriter *writer, int64_t number)
{
    return gt_json_put(writer->context, &writer->text, "%lld", (long long)number);
}

bool gt_config_put_number(gt_ConfigWriter *writer, double number)
{
    if (isnan(number))
        return gt_config_put(writer, "\"nan\"");
    if (isinf(number))
        return gt_config_put(writer, number > 0 ? "\"inf\"" : "\"-inf\"");
    return gt_json_put(writer->context, &writer->text, "%.17g", number);
}

bool gt_config_next(gt_ConfigWriter *writer)
{
    bool more = writer->more;
    writer->more = true;
    return !more || gt_config_put(writer, ",");
}

bool gt_config_key(gt_ConfigWriter *writer, const char *name)
{
    return gt_config_next(writer) && gt_config_put_string(writer, name) && gt_config_put(writer, ":");
}

bool gt_config_open(gt_ConfigWriter *writer, char bracket)
{
    writer->more = false;
    return gt_config_put(writer, (const char[]){bracket, 0});
}

bool gt_config_close(gt_ConfigWriter *writer, char bracket)
{
    writer->more = true;
    return gt_config_put(writer, (const char[]){bracket, 0});
}

bool gt_config_put_dtype(gt_ConfigWriter *writer, gt_DType dtype)
{
    if (dtype == GT_DTYPE_NONE)
        return gt_config_put(writer, "null");
    if (gt_variable_dtype(dtype) != dtype && dtype != gt_mixed_float16() &&
        dtype != gt_mixed_bfloat16()) {
        gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
                 "files have names for the policies gt_mixed_float16() and gt_mixed_bfloat16() alone");
        return false;
    }
    if (dtype == gt_mixed_float16() || dtype == gt_mixed_bfloat16())
        return gt_config_put_string(writer, dtype == gt_mixed_float16() ? "mixed_float16"
                                                                        : "mixed_bfloat16");
    return gt_config_put_string(writer, gt_dtype_name(dtype));
}

bool gt_config_put_shape(gt_ConfigWriter *writer, gt_Shape shape)
{
    if (shape.rank < 0 || shape.mark != GT_MARK)
        return gt_config_put(writer, "null");
    bool done = gt_config_open(writer, '[');
    for (int d = 0; done && d < shape.rank; d++)
        done = gt_config_next(writer) && gt_config_put_integer(writer, shape.dims[d]);
    return done && gt_config_close(writer, ']');
}

static bool put_axes(gt_ConfigWriter *writer, const gt_Axes *axes)
{
    if (axes->mark != GT_MARK || axes->count < 0)
        return gt_config_put(writer, "null");
    bool done = gt_config_open(writer, '[');
    for (int i = 0; done && i < axes->count; i++)
        done = gt_config_next(writer) && gt_config_put_integer(writer, axes->axis[i]);
    return done && gt_config_close(writer, ']');
}

bool gt_config_put_numbers(gt_ConfigWriter *writer, const gt_Numbers *numbers)
{
    bool done = gt_config_open(writer, '[');
    for (int64_t i = 0; done && i < numbers->count && i < GT_MAX_NUMBERS; i++)
        done = gt_config_next(writer) && gt_config_put_number(writer, numbers->value[i]);
    return done && gt_config_close(writer, ']');
}

bool gt_config_put_tensor(gt_ConfigWriter *writer, const gt_Tensor *tensor)
{
    if (!tensor)
        return gt_config_put(writer, "null");
    gt_Spec spec = gt_spec(tensor);
    const void *data = gt_data(tensor);
    bool done = gt_status() == GT_OK && gt_config_open(writer, '{') &&
                gt_config_key(writer, "shape") &&
                gt_config_put_shape(writer, gt_spec_shape(&spec)) &&
                gt_config_key(writer, "dtype") && gt_config_put_dtype(writer, spec.dtype) &&
                gt_config_key(writer, "numbers") && gt_config_open(writer, '[');
    for (int64_t i = 0; done && i < spec.size; i++)
        done = gt_config_next(writer) && gt_config_put_number(writer, gt_number_fetch(spec.dtype, data, i));
    return done && gt_config_close(writer, ']') && gt_config_close(writer, '}');
}

/* Initializers, regularizers, constraints and schedules begin alike, and so do their classes. */
typedef struct ValueClass {
    const gt_Mark *mark;
    uint32_t size;
    const char *name;
    const gt_OptionType *options;
} ValueClass;
typedef struct Value {
    const ValueClass *type;
    void *context;
    uint64_t options[];
} Value;

static bool put_value(gt_ConfigWriter *writer, const Value *value)
{
    if (!value->type)
        return gt_config_put(writer, "null");
    if (value->context) {
        gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
                 "%s is a function of one's own with data, which a file cannot keep: make it a class",
                 value->type->name);
        return false;
    }
    bool done = gt_config_open(writer, '{') && gt_config_key(writer, "class") &&
                gt_config_put_string(writer, value->type->name);
    if (done && value->type->options)
        done = gt_config_put_options(writer, value->type->options, value->options);
    return done && gt_config_close(writer, '}');
}

static bool put_schedule(gt_ConfigWriter *writer, const gt_Schedule *schedule)
{
    if (schedule->type && gt_schedule_class_find(schedule->type->name) != schedule->type) {
        gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
                 "the schedule is a function of one's own, which a file cannot keep");
        return false;
    }
    return put_value(writer, (const Value *)schedule);
}

static bool put_layers(gt_ConfigWriter *writer, const gt_Layers *list)
{
    if (!list->items)
        return gt_config_put(writer, "null");
    bool done = gt_config_open(writer, '[');
    for (int32_t i = 0; done && list->items[i] != GT_LIST_END; i++)
        done = gt_config_next(writer) && gt_config_put_layer(writer, list->items[i]);
    return done && gt_config_close(writer, ']');
}

bool gt_config_put_piece(gt_ConfigWriter *writer, gt_Piece piece)
{
    size_t at = 0, length = 1;
    while (at < piece.length && piece.at[at] && (length = gt_utf8_length(piece.at + at, piece.length - at)) > 0)
        at += length;
    if (at == piece.length) {
        char *text = gt_allocate(writer->context, piece.length + 1);
        if (!text)
            return false;
        if (piece.length > 0)
            memcpy(text, piece.at, piece.length);
        text[piece.length] = 0;
        bool done = gt_config_put_string(writer, text);
        gt_release(writer->context, text, piece.length + 1);
        return done;
    }
    bool done = gt_config_open(writer, '[');
    for (size_t i = 0; done && i < piece.length; i++)
        done = gt_config_next(writer) && gt_config_put_integer(writer, (unsigned char)piece.at[i]);
    return done && gt_config_close(writer, ']');
}

static bool put_strings(gt_ConfigWriter *writer, const gt_Strings *strings)
{
    gt_Text text;
    if (!gt_strings_given(strings))
        return gt_config_put(writer, "null");
    bool done = gt_text_read(writer->context, NULL, NULL, "the text", strings, &text) &&
                gt_config_open(writer, '[');
    for (int64_t i = 0; done && i < text.count; i++)
        done = gt_config_next(writer) && gt_config_put_piece(writer, gt_text_piece(&text, i));
    return done && gt_config_close(writer, ']');
}

static bool put_function(gt_ConfigWriter *writer, gt_TensorFunction function)
{
    const char *name = function ? gt_function_name(writer->context, function) : NULL;
    return gt_status() == GT_OK && gt_config_put_string(writer, name);
}

static bool put_text_function(gt_ConfigWriter *writer, const gt_Field *field, gt_TextFunction function)
{
    const char *name = function ? gt_registration_name(writer->context, GT_REGISTRATION_KIND_TEXT,
                                                       (uintptr_t)function)
                                : NULL;
    if (name || !function)
        return gt_config_put_string(writer, name);
    gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
             "%s: %s is a function that files have no name for: gt_register_text_function", writer->what,
             field->name);
    return false;
}

static bool is_type(const gt_Field *field, const char *type)
{
    return strcmp(field->type, type) == 0;
}

/* Integers, flags and enumerations, whose numbers are part of the ABI. */
static bool is_integer(const gt_Field *field)
{
    static const char *const structs[] = {"gt_Shape", "gt_Axes", "gt_Numbers", "gt_Layers"};
    bool plain = is_type(field, "int32_t") || is_type(field, "int64_t") ||
                 is_type(field, "uint32_t") || is_type(field, "int");
    bool named = strncmp(field->type, "gt_", 3) == 0 && !strchr(field->type, '*') &&
                 (field->size == 4 || is_type(field, "gt_Sizes"));
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++)
        named = named && !is_type(field, structs[i]);
    return plain || named;
}

static int64_t integer_of(const gt_Field *field, const void *at)
{
    int32_t narrow;
    int64_t wide;
    if (field->size == sizeof wide)
        return memcpy(&wide, at, sizeof wide), wide;
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static bool put_field(gt_ConfigWriter *writer, const gt_Field *field, const void *at)
{
    if (is_type(field, "bool"))
        return gt_config_put(writer, *(const bool *)at ? "true" : "false");
    if (is_type(field, "double"))
        return gt_config_put_number(writer, *(const double *)at);
    if (is_type(field, "const char *"))
        return gt_config_put_string(writer, *(const char *const *)at);
    if (is_type(field, "gt_DType"))
        return gt_config_put_dtype(writer, *(const gt_DType *)at);
    if (is_integer(field))
        return gt_config_put_integer(writer, integer_of(field, at));
    if (is_type(field, "gt_Shape"))
        return gt_config_put_shape(writer, *(const gt_Shape *)at);
    if (is_type(field, "gt_Axes"))
        return put_axes(writer, at);
    if (is_type(field, "gt_Numbers"))
        return gt_config_put_numbers(writer, at);
    if (is_type(field, "gt_TensorFunction"))
        return put_function(writer, *(const gt_TensorFunction *)at);
    if (is_type(field, "gt_TextFunction"))
        return put_text_function(writer, field, *(const gt_TextFunction *)at);
    if (is_type(field, "gt_Layer *"))
        return *(gt_Layer *const *)at ? gt_config_put_layer(writer, *(gt_Layer *const *)at)
                                      : gt_config_put(writer, "null");
    if (is_type(field, "gt_Layers"))
        return put_layers(writer, at);
    if (is_type(field, "gt_Strings"))
        return put_strings(writer, at);
    if (is_type(field, "gt_Tensor *"))
        return gt_config_put_tensor(writer, *(gt_Tensor *const *)at);
    if (is_type(field, "gt_Initializer") || is_type(field, "gt_Regularizer") ||
        is_type(field, "gt_Constraint"))
        return put_value(writer, at);
    if (is_type(field, "gt_Schedule"))
        return put_schedule(writer, at);
    gt_raise(writer->context, GT_UNSUPPORTED, NULL, NULL,
             "the option %s is of a kind that a file cannot keep (%s)", field->name, field->type);
    return false;
}

bool gt_config_put_options(gt_ConfigWriter *writer, const gt_OptionType *type, const void *options)
{
    for (const gt_Field *field = type->fields; field->name; field++) {
        if (strcmp(field->name, "name") == 0)
            continue;
        if (!gt_config_key(writer, field->name) ||
            !put_field(writer, field, (const char *)options + field->offset))
            return false;
    }
    return true;
}

/* ---- reading ---- */

bool gt_config_fail(const gt_ConfigReader *reader, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    gt_raise(reader->context, GT_FORMAT, NULL, NULL, "%s: %s", reader->what, text);
    return false;
}

bool gt_config_members(const gt_ConfigReader *reader, const gt_JsonValue *object,
                       const char *const *names)
{
    for (const gt_JsonValue *member = gt_json_first(object); member;
         member = gt_json_next(object, member)) {
        const char *const *known = names;
        while (*known && strcmp(*known, gt_json_name(member)) != 0)
            known++;
        if (!*known)
            return gt_config_fail(reader, "nothing is known of \"%s\"; is the file of a newer version?",
                                  gt_json_name(member));
    }
    return true;
}

const char *gt_config_text(const gt_JsonValue *object, const char *member)
{
    const gt_JsonValue *value = gt_json_member(object, member);
    return value && value->kind == GT_JSON_STRING ? value->string : NULL;
}

int64_t gt_config_integer(const gt_JsonValue *object, const char *member, int64_t otherwise)
{
    const gt_JsonValue *value = gt_json_member(object, member);
    return value && value->kind == GT_JSON_INTEGER ? value->integer : otherwise;
}

gt_DType gt_config_read_dtype(const gt_JsonValue *value)
{
    if (!value || value->kind != GT_JSON_STRING)
        return GT_DTYPE_NONE;
    if (strcmp(value->string, "mixed_float16") == 0)
        return gt_mixed_float16();
    if (strcmp(value->string, "mixed_bfloat16") == 0)
        return gt_mixed_bfloat16();
    return gt_dtype_from_name(value->string);
}

bool gt_config_read_number(const gt_JsonValue *value, double *number)
{
    static const struct {
        const char *text;
        double number;
    } special[] = {{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};
    if (value->kind == GT_JSON_INTEGER)
        *number = (double)value->integer;
    else if (value->kind == GT_JSON_NUMBER)
        *number = value->number;
    else {
        for (size_t i = 0; value->kind == GT_JSON_STRING && i < sizeof special / sizeof *special; i++)
            if (strcmp(value->string, special[i].text) == 0)
                return *number = special[i].number, true;
        return false;
    }
    return true;
}

bool gt_config_read_shape(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Shape *shape)
{
    if (value && value->kind == GT_JSON_NULL) {
        *shape = (gt_Shape){.mark = GT_MARK, .rank = -1};
        return true;
    }
    if (!value || value->kind != GT_JSON_ARRAY || value->count > GT_MAX_RANK)
        return gt_config_fail(reader, "a shape must be a list of at most %d sizes", GT_MAX_RANK);
    *shape = (gt_Shape){.mark = GT_MARK, .rank = 0};
    for (const gt_JsonValue *size = gt_json_first(value); size; size = gt_json_next(value, size)) {
        if (size->kind != GT_JSON_INTEGER)
            return gt_config_fail(reader, "a size must be a whole number");
        shape->dims[shape->rank++] = size->integer;
    }
    return true;
}

static bool read_axes(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Axes *axes)
{
    gt_Shape shape;
    if (value->kind == GT_JSON_NULL)
        return true; /* not given: the default */
    if (!gt_config_read_shape(reader, value, &shape))
        return false;
    *axes = (gt_Axes){.mark = GT_MARK, .count = shape.rank};
    for (int i = 0; i < shape.rank; i++)
        axes->axis[i] = (int)shape.dims[i];
    return true;
}

bool gt_config_read_numbers(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Numbers *numbers)
{
    *numbers = (gt_Numbers){.mark = GT_MARK, .count = 0};
    if (value->kind != GT_JSON_ARRAY || value->count > GT_MAX_NUMBERS)
        return gt_config_fail(reader, "there must be a list of at most %d numbers", GT_MAX_NUMBERS);
    for (const gt_JsonValue *at = gt_json_first(value); at; at = gt_json_next(value, at))
        if (!gt_config_read_number(at, &numbers->value[numbers->count++]))
            return gt_config_fail(reader, "an element of a list is no number");
    return true;
}

gt_Tensor *gt_config_read_tensor(gt_ConfigReader *reader, const gt_JsonValue *object)
{
    gt_Shape shape;
    gt_Spec spec = {0};
    void *data;
    static const char *const members[] = {"shape", "dtype", "numbers", NULL};
    gt_DType dtype = gt_config_read_dtype(gt_json_member(object, "dtype"));
    const gt_JsonValue *numbers = gt_json_member(object, "numbers");
    if (object->kind == GT_JSON_OBJECT && !gt_config_members(reader, object, members))
        return NULL;
    if (!gt_config_read_shape(reader, gt_json_member(object, "shape"), &shape))
        return NULL;
    if (!gt_storable(dtype) || !gt_spec_set(&spec, dtype, shape) || !numbers ||
        numbers->kind != GT_JSON_ARRAY || numbers->count != spec.size) {
        gt_config_fail(reader, "a tensor needs a shape, a dtype, and as many numbers");
        return NULL;
    }
    gt_Tensor *tensor = gt_tensor_new(reader->context, &spec, &data);
    const gt_JsonValue *at = gt_json_first(numbers);
    for (int64_t i = 0; tensor && at; i++, at = gt_json_next(numbers, at)) {
        double number;
        if (!gt_config_read_number(at, &number) || !gt_number_fits(dtype, number)) {
            gt_config_fail(reader, "number %lld of a tensor is none of its type", (long long)i);
            return NULL;
        }
        gt_number_store(dtype, data, i, number);
    }
    return tensor;
}

/* A value of the class that the object names, by the way that its kind is made. */
static bool read_value(gt_ConfigReader *reader, const gt_Field *field, const gt_JsonValue *value,
                       void *at)
{
    uint64_t options[32];
    const char *name = gt_config_text(value, "class");
    const void *type = NULL;
    if (value->kind == GT_JSON_NULL)
        return true;
    if (is_type(field, "gt_Initializer"))
        type = gt_initializer_class_find(name);
    else if (is_type(field, "gt_Regularizer"))
        type = gt_regularizer_class_find(name);
    else if (is_type(field, "gt_Schedule"))
        type = name ? gt_schedule_class_find(name) : NULL;
    else
        type = gt_constraint_class_find(name);
    const ValueClass *class = type;
    if (!class)
        return gt_config_fail(reader, "%s: nothing is known as \"%s\"", field->name, name ? name : "?");
    if (class->options) {
        if (class->options->size > sizeof options)
            return gt_config_fail(reader, "%s: its options are too large", field->name);
        memcpy(options, class->options->defaults, class->options->size);
        if (!gt_config_read_options(reader, value, class->options, options))
            return false;
    }
    const void *given = class->options ? options : NULL;
    if (is_type(field, "gt_Initializer"))
        *(gt_Initializer *)at = gt_initializer_make(type, given);
    else if (is_type(field, "gt_Regularizer"))
        *(gt_Regularizer *)at = gt_regularizer_make(type, given);
    else if (is_type(field, "gt_Schedule"))
        *(gt_Schedule *)at = gt_schedule_make(type, given);
    else
        *(gt_Constraint *)at = gt_constraint_make(type, given);
    return gt_status() == GT_OK;
}

/* The list is memory of the reader until it closes. */
bool gt_config_read_layers(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Layers *list)
{
    const int32_t most = (int32_t)(sizeof reader->block / sizeof *reader->block);
    if (value->kind == GT_JSON_NULL)
        return true;
    if (value->kind != GT_JSON_ARRAY || reader->blocks == most)
        return gt_config_fail(reader, "there must be a list of layers");
    size_t bytes = ((size_t)value->count + 1) * sizeof *list->items;
    gt_Layer **items = gt_allocate(reader->context, bytes);
    if (!items)
        return false;
    reader->block[reader->blocks] = items;
    reader->bytes[reader->blocks++] = bytes;
    list->items = items;
    *items = GT_LIST_END;
    for (const gt_JsonValue *at = gt_json_first(value); at; at = gt_json_next(value, at)) {
        gt_Layer *layer = gt_config_read_layer(reader, at);
        if (!layer)
            return false;
        *items++ = layer;
        *items = GT_LIST_END;
    }
    return true;
}

void gt_config_reader_close(gt_ConfigReader *reader)
{
    while (reader->blocks > 0) {
        reader->blocks--;
        gt_release(reader->context, reader->block[reader->blocks], reader->bytes[reader->blocks]);
    }
}

bool gt_config_read_piece(gt_ConfigReader *reader, const gt_JsonValue *value, gt_TextBuilder *builder)
{
    if (value->kind == GT_JSON_STRING)
        return gt_builder_put(reader->context, builder, value->string, strlen(value->string)) &&
               gt_builder_end(reader->context, builder);
    if (value->kind != GT_JSON_ARRAY)
        return gt_config_fail(reader, "a list of strings has something else in it");
    for (const gt_JsonValue *at = gt_json_first(value); at; at = gt_json_next(value, at)) {
        unsigned char byte = (unsigned char)at->integer;
        if (at->kind != GT_JSON_INTEGER || at->integer != byte)
            return gt_config_fail(reader, "the bytes of a string must be numbers from 0 to 255");
        if (!gt_builder_put(reader->context, builder, &byte, 1))
            return false;
    }
    return gt_builder_end(reader->context, builder);
}

static bool read_strings(gt_ConfigReader *reader, const gt_Field *field, const gt_JsonValue *value,
                         gt_Strings *strings)
{
    gt_TextBuilder builder = {.count = 0};
    bool done = true;
    if (value->kind == GT_JSON_NULL)
        return true;
    if (value->kind != GT_JSON_ARRAY)
        return gt_config_fail(reader, "%s must be a list of strings", field->name);
    for (const gt_JsonValue *at = gt_json_first(value); done && at; at = gt_json_next(value, at))
        done = gt_config_read_piece(reader, at, &builder);
    if (done)
        *strings = gt_builder_strings(reader->context, &builder);
    gt_builder_close(reader->context, &builder);
    return done && strings->bytes;
}

static bool read_function(gt_ConfigReader *reader, const gt_JsonValue *value,
                          gt_TensorFunction *function)
{
    *function = NULL;
    if (value->kind == GT_JSON_NULL)
        return true;
    *function = value->kind == GT_JSON_STRING ? gt_function_named(reader->context, value->string)
                                              : NULL;
    return *function || gt_config_fail(reader, "no function is known as \"%s\": gt_register_function",
                                       value->kind == GT_JSON_STRING ? value->string : "?");
}

static bool read_text_function(gt_ConfigReader *reader, const gt_JsonValue *value,
                               gt_TextFunction *function)
{
    const char *name = value->kind == GT_JSON_STRING ? value->string : NULL;
    *function = (gt_TextFunction)gt_registration_find(reader->context, GT_REGISTRATION_KIND_TEXT, name);
    return *function || value->kind == GT_JSON_NULL ||
           gt_config_fail(reader, "no function is known as \"%s\": gt_register_text_function",
                          name ? name : "?");
}

static bool read_integer(gt_ConfigReader *reader, const gt_Field *field, const gt_JsonValue *value,
                         void *at)
{
    int32_t narrow = (int32_t)value->integer;
    if (value->kind != GT_JSON_INTEGER || (field->size == 4 && narrow != value->integer))
        return gt_config_fail(reader, "%s must be a whole number", field->name);
    if (field->size == 4)
        memcpy(at, &narrow, sizeof narrow);
    else
        memcpy(at, &value->integer, sizeof value->integer);
    return true;
}

static bool read_field(gt_ConfigReader *reader, const gt_Field *field, const gt_JsonValue *value,
                       void *at)
{
    bool text = value->kind == GT_JSON_STRING, null = value->kind == GT_JSON_NULL;
    if (is_type(field, "bool")) {
        *(bool *)at = value->kind == GT_JSON_TRUE;
        return value->kind == GT_JSON_TRUE || value->kind == GT_JSON_FALSE ||
               gt_config_fail(reader, "%s must be true or false", field->name);
    }
    if (is_type(field, "double"))
        return gt_config_read_number(value, at) || gt_config_fail(reader, "%s must be a number", field->name);
    if (is_type(field, "const char *")) {
        *(const char **)at = text ? value->string : NULL;
        return text || null || gt_config_fail(reader, "%s must be text", field->name);
    }
    if (is_type(field, "gt_DType")) {
        *(gt_DType *)at = gt_config_read_dtype(value);
        return null || *(gt_DType *)at != GT_DTYPE_NONE ||
               gt_config_fail(reader, "%s must be a type of elements", field->name);
    }
    if (is_integer(field))
        return read_integer(reader, field, value, at);
    if (is_type(field, "gt_Shape"))
        return null || gt_config_read_shape(reader, value, at);
    if (is_type(field, "gt_Axes"))
        return read_axes(reader, value, at);
    if (is_type(field, "gt_Numbers"))
        return gt_config_read_numbers(reader, value, at);
    if (is_type(field, "gt_TensorFunction"))
        return read_function(reader, value, at);
    if (is_type(field, "gt_TextFunction"))
        return read_text_function(reader, value, at);
    if (is_type(field, "gt_Layer *"))
        return null || (*(gt_Layer **)at = gt_config_read_layer(reader, value)) != NULL;
    if (is_type(field, "gt_Layers"))
        return gt_config_read_layers(reader, value, at);
    if (is_type(field, "gt_Strings"))
        return read_strings(reader, field, value, at);
    if (is_type(field, "gt_Tensor *"))
        return null || (*(gt_Tensor **)at = gt_config_read_tensor(reader, value)) != NULL;
    return read_value(reader, field, value, at);
}

bool gt_config_read_options(gt_ConfigReader *reader, const gt_JsonValue *object,
                            const gt_OptionType *type, void *options)
{
    for (const gt_JsonValue *member = gt_json_first(object); member;
         member = gt_json_next(object, member)) {
        const char *name = gt_json_name(member);
        const gt_Field *field = type->fields;
        while (field->name && strcmp(field->name, name) != 0)
            field++;
        if (strcmp(name, "class") == 0)
            continue;
        if (!field->name)
            return gt_config_fail(reader, "it has no option \"%s\"; is the file of a newer version?", name);
        if (!read_field(reader, field, member, (char *)options + field->offset))
            return false;
    }
    return true;
}
