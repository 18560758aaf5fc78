/* Reading the prototype of a C function: the small part of C's grammar that numbers and arrays of numbers need. Knows
 * nothing of operations.
 *
 *     prototype:   [type [name]] ( parameters ) [;]      or the parameters alone
 *     parameters:  parameter { , parameter }
 *     parameter:   type [* [const | restrict]] [name] { [ [static] bound ] }
 *     type:        words of one of the types in type_named, const among them
 *     bound:       a name or a number
 *
 * A reader holds one token, `word`; the first thing that is wrong is kept, and everything after it does nothing.
 *
 * Example: "double dot(const double x[n], const double y[n], size_t n)" has the result f64, three parameters and the symbol
 * "n", which the bounds of x and y name as -1 - 0. */
#include "ops/foreign/custom.h"
#include "core/text.h"

#include <stdarg.h>
#include <string.h>

typedef struct Reader {
    const char *at;
    char word[GT_SYMBOL_BYTES]; /* the token: an identifier, a number, or one other character */
    bool failed;
    char *why;
    size_t size;
} Reader;

#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static bool
fail(Reader *reader, const char *format, ...)
{
    if (reader->failed)
        return false;
    reader->failed = true;
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(reader->why, reader->size, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_name(char c)
{
    return gt_is_letter(c) || gt_is_digit(c) || c == '_';
}

static void next(Reader *reader)
{
    while (gt_is_blank(*reader->at))
        reader->at++;
    const char *from = reader->at;
    while (is_name(*reader->at))
        reader->at++;
    if (reader->at == from && *from)
        reader->at++;
    size_t length = (size_t)(reader->at - from);
    if (length >= sizeof reader->word) {
        fail(reader, "the word at \"%.20s\" is longer than %d characters", from,
             GT_SYMBOL_BYTES - 1);
        length = 0;
    }
    memcpy(reader->word, from, length);
    reader->word[length] = 0;
}

static bool is(const Reader *reader, const char *token)
{
    return strcmp(reader->word, token) == 0;
}

static bool is_word(const Reader *reader)
{
    return is_name(*reader->word) && !gt_is_digit(*reader->word);
}

/* ---- types ---- */

static gt_CType whole(size_t bytes)
{
    return bytes == 4 ? GT_C_I32 : GT_C_I64;
}

static gt_CType type_named(const char *words)
{
    const struct {
        const char *words;
        gt_CType type;
    } table[] = {
        {"void", GT_C_VOID},
        {"float", GT_C_F32},
        {"double", GT_C_F64},
        {"int", whole(sizeof(int))},
        {"signed", whole(sizeof(int))},
        {"signed int", whole(sizeof(int))},
        {"int32_t", GT_C_I32},
        {"int64_t", GT_C_I64},
        {"ptrdiff_t", whole(sizeof(ptrdiff_t))},
        {"long", whole(sizeof(long))},
        {"long int", whole(sizeof(long))},
        {"long long", GT_C_I64},
        {"long long int", GT_C_I64},
        {"uint8_t", GT_C_U8},
        {"unsigned char", GT_C_U8},
        {"bool", GT_C_BOOL},
        {"_Bool", GT_C_BOOL},
        {"uint32_t", GT_C_U32},
        {"unsigned", GT_C_U32},
        {"unsigned int", GT_C_U32},
        {"size_t", GT_C_SIZE},
        {"gt_Status", GT_C_STATUS},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].words, words) == 0)
            return table[i].type;
    return GT_C_NONE;
}

/* Are these words a type, or the beginning of one? Otherwise the last of them is a name. */
static bool goes_on(const char *words)
{
    static const char *const beginnings[] = {"signed int",    "long int",      "long long",
                                             "long long int", "unsigned char", "unsigned int"};
    size_t length = strlen(words);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(beginnings[i], words, length) == 0 &&
            (beginnings[i][length] == ' ' || !beginnings[i][length]))
            return true;
    return type_named(words) != GT_C_NONE;
}

static gt_CType read_type(Reader *reader, bool *constant)
{
    char words[64] = "";
    for (; is_word(reader); next(reader)) {
        if (is(reader, "const")) {
            *constant = true;
            continue;
        }
        char longer[64];
        gt_text(longer, sizeof longer, "%.30s%s%.31s", words, *words ? " " : "", reader->word);
        if (*words && !goes_on(longer))
            break;
        memcpy(words, longer, sizeof words);
    }
    gt_CType type = type_named(words);
    if (type == GT_C_NONE && *words)
        fail(reader, "unknown type \"%s\"", words);
    else if (type == GT_C_NONE)
        fail(reader, "expected a type before \"%.20s\"", reader->word);
    return type;
}

gt_DType gt_c_dtype(gt_CType type)
{
    switch (type) {
    case GT_C_F32:
        return GT_FLOAT32;
    case GT_C_F64:
        return GT_FLOAT64;
    case GT_C_I32:
        return GT_INT32;
    case GT_C_I64:
        return GT_INT64;
    case GT_C_U8:
        return GT_UINT8;
    case GT_C_BOOL:
        return GT_BOOL;
    default:
        return GT_DTYPE_NONE;
    }
}

/* ---- parameters ---- */

int32_t gt_signature_symbol(gt_Signature *signature, const char *name)
{
    for (int32_t i = 0; i < signature->symbols; i++)
        if (strcmp(signature->symbol[i], name) == 0)
            return i;
    if (signature->symbols == GT_MAX_SYMBOLS)
        return -1;
    memcpy(signature->symbol[signature->symbols], name, strlen(name) + 1);
    return signature->symbols++;
}

int32_t gt_signature_find(const gt_Signature *signature, const char *name)
{
    for (int32_t i = 0; *name && i < signature->parameters; i++)
        if (strcmp(signature->parameter[i].name, name) == 0)
            return i;
    return -1;
}

/* [n] or [3]; the bracket was seen. */
static bool read_bound(Reader *reader, gt_Signature *signature, gt_Parameter *parameter)
{
    next(reader);
    if (is(reader, "static"))
        next(reader);
    if (parameter->rank == GT_MAX_RANK)
        return fail(reader, "expected at most %d pairs of brackets", GT_MAX_RANK);
    int64_t *bound = &parameter->bound[parameter->rank++];
    if (is_word(reader)) {
        int32_t symbol = gt_signature_symbol(signature, reader->word);
        if (symbol < 0)
            return fail(reader, "expected at most %d names in brackets", GT_MAX_SYMBOLS);
        *bound = -1 - symbol;
    } else if (gt_is_digit(*reader->word) && strlen(reader->word) <= 9) {
        *bound = 0;
        for (const char *digit = reader->word; *digit; digit++) {
            if (!gt_is_digit(*digit))
                return fail(reader, "expected a number (got \"%s\")", reader->word);
            *bound = *bound * 10 + (*digit - '0');
        }
    } else {
        return fail(reader, "expected a name or a number between brackets");
    }
    next(reader);
    if (!is(reader, "]"))
        return fail(reader, "expected ']' before \"%.20s\"", reader->word);
    next(reader);
    return true;
}

static bool read_parameter(Reader *reader, gt_Signature *signature)
{
    if (signature->parameters == GT_MAX_PARAMETERS)
        return fail(reader, "expected at most %d parameters", GT_MAX_PARAMETERS);
    gt_Parameter parameter = {.name = ""};
    parameter.type = read_type(reader, &parameter.constant);
    if (reader->failed)
        return false;
    if (is(reader, "*")) {
        parameter.array = true;
        next(reader);
        while (is(reader, "const") || is(reader, "restrict") || is(reader, "__restrict"))
            next(reader);
        if (is(reader, "*"))
            return fail(reader, "a pointer to a pointer is not supported");
    }
    if (is_word(reader)) {
        if (gt_signature_find(signature, reader->word) >= 0)
            return fail(reader, "names of parameters must differ (two are %s)", reader->word);
        memcpy(parameter.name, reader->word, sizeof parameter.name);
        next(reader);
    }
    if (is(reader, "[") && parameter.array)
        return fail(reader, "an array of pointers is not supported");
    while (is(reader, "["))
        if (!read_bound(reader, signature, &parameter))
            return false;
    parameter.array |= parameter.rank > 0;
    if (reader->failed)
        return false;
    if (parameter.array && gt_c_dtype(parameter.type) == GT_DTYPE_NONE)
        return fail(reader, "parameter %d is an array of a type that is not supported",
                    signature->parameters + 1);
    if (parameter.type == GT_C_VOID || parameter.type == GT_C_STATUS ||
        (!parameter.array && parameter.type == GT_C_U8))
        return fail(reader, "parameter %d has a type that only a result or an array can have",
                    signature->parameters + 1);
    signature->parameter[signature->parameters++] = parameter;
    return true;
}

/* Before the parentheses: a type, and the function's name. */
static void read_head(Reader *reader, gt_Signature *signature)
{
    bool constant = false;
    if (is(reader, "("))
        return;
    signature->result = read_type(reader, &constant);
    if (!reader->failed && is(reader, "*"))
        fail(reader, "a pointer as the result is not supported");
    if (is_word(reader))
        next(reader);
    if (!reader->failed && !is(reader, "("))
        fail(reader, "expected '(' before \"%.20s\"", reader->word);
}

bool gt_signature_parse(gt_Signature *signature, const char *text, char *why, size_t size)
{
    Reader reader = {.at = text, .why = why, .size = size};
    memset(signature, 0, sizeof *signature);
    signature->result = GT_C_VOID;
    bool prototype = text[strcspn(text, "(,")] == '(';
    next(&reader);
    if (prototype) {
        read_head(&reader, signature);
        next(&reader);
    }
    while (!reader.failed && read_parameter(&reader, signature) && is(&reader, ","))
        next(&reader);
    if (prototype && !reader.failed) {
        if (!is(&reader, ")"))
            return fail(&reader, "unexpected \"%.20s\"", *reader.word ? reader.word : "end");
        next(&reader);
        if (is(&reader, ";"))
            next(&reader);
    }
    if (!reader.failed && *reader.word)
        fail(&reader, "unexpected \"%.20s\"", reader.word);
    return !reader.failed;
}
