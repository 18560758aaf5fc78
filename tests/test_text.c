/* Text in and out. In: for every reader of text in the interface the longest that is legal, and the
 * first that is not, said in a message. (tests/fuzz gives them any text.) Out: no message, summary
 * or file depends on the locale of the program. */
#include <criterion/criterion.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "gradtape.h"
#include "io/json.h"
#include "io/number.h"
#include "leaks.h"
#include "ops/foreign/custom.h"

#define LEGAL(expression, text)                                                                    \
    cr_assert((expression) != NULL && gt_status() == GT_OK, "\"%.100s\": %s", text,                \
              gt_error_message())
#define ILLEGAL(expression, text, reason)                                                          \
    do {                                                                                           \
        cr_assert((expression) == NULL, "\"%.100s\" is taken", text);                              \
        cr_assert(strstr(gt_error_message(), reason), "\"%.100s\": %s", text, gt_error_message()); \
        cr_assert(strlen(gt_error_message()) < 512, "a message without an end");                   \
        gt_error_clear();                                                                          \
    } while (0)

/* `piece` again and again in `text`, up to `size` bytes with the 0. */
static void repeat(char *text, size_t size, const char *piece)
{
    size_t length = strlen(piece), at = strlen(text);
    for (; at + length + 1 <= size; at += length)
        memcpy(text + at, piece, length);
    text[at] = 0;
}

/* ---- einsum ---- */

Test(text, einsum)
{
    gt_Scope *scope = gt_scope_begin();
    static char text[30000];
    gt_Tensor *x3 = gt_uniform(gt_shape(2, 2, 2));
    gt_Tensor *x8 = gt_uniform(gt_shape(1, 2, 1, 2, 1, 2, 1, 2));
    /* as many labels as a tensor has axes, in a term and in the result */
    LEGAL(gt_einsum("abcdefgh->hgfedcba", gt_tensors(x8)), "eight letters");
    LEGAL(gt_einsum("...->...", gt_tensors(x8)), "eight axes in dots");
    LEGAL(gt_einsum("a...->...a", gt_tensors(x8)), "seven axes in dots");
    LEGAL(gt_einsum("abcdefgh...->abcdefgh...", gt_tensors(x8)), "no axis in dots");
    ILLEGAL(gt_einsum("abcdefghi->a", gt_tensors(x8)), "nine letters",
            "character 9: a term has more axes than a tensor can have");
    ILLEGAL(gt_einsum("abc->abcdefghi", gt_tensors(x3)), "nine in the result",
            "character 14: a term has more axes");
    ILLEGAL(gt_einsum("abc...->......", gt_tensors(x3)), "dots twice",
            "character 12: expected \"...\" only once in a term");
    /* 16 axes, then any number of letters: was written behind the end */
    strcpy(text, "...->");
    for (int i = 0; i < 6; i++)
        strcat(text, "...");
    repeat(text, sizeof text, "a");
    ILLEGAL(gt_einsum(text, gt_tensors(x3)), text, "only once in a term");
    strcpy(text, "...->...");
    repeat(text, sizeof text, "abcdefghijklmnopqrstuvwxyz");
    ILLEGAL(gt_einsum(text, gt_tensors(x3)), text, "more axes than a tensor");
    strcpy(text, "");
    repeat(text, sizeof text, "abc,");
    ILLEGAL(gt_einsum(text, gt_tensors(x3)), text, "have more operands than were given (1)");
    strcpy(text, "");
    repeat(text, sizeof text, " ");
    strcpy(text + sizeof text - 4, "abc");
    LEGAL(gt_einsum(text, gt_tensors(x3)), "blanks");
    ILLEGAL(gt_einsum("abc-", gt_tensors(x3)), "half an arrow", "character 4: expected \"->\"");
    ILLEGAL(gt_einsum("abc-b", gt_tensors(x3)), "no arrow", "expected \"->\"");
    ILLEGAL(gt_einsum("abc->a->b", gt_tensors(x3)), "two arrows", "expected the end");
    ILLEGAL(gt_einsum("abc->a,b", gt_tensors(x3)), "a comma", "expected the end");
    ILLEGAL(gt_einsum("ab.c", gt_tensors(x3)), "one dot", "expected a letter");
    ILLEGAL(gt_einsum("ab\xc3\xa9", gt_tensors(x3)), "no ASCII letter", "expected a letter");
    ILLEGAL(gt_einsum("abc->aab", gt_tensors(x3)), "twice", "a of the result is there twice");
    ILLEGAL(gt_einsum("abc->d", gt_tensors(x3)), "nowhere", "d of the result is in no operand");
    ILLEGAL(gt_einsum("", gt_tensors(x3)), "nothing", "operand 1 has rank 3; its term names 0");
    ILLEGAL(gt_einsum("abc,de", gt_tensors(x3)), "one too many", "have more operands");
    ILLEGAL(gt_einsum("abc", gt_tensors(x3, x3)), "one too few", "have fewer operands");
    ILLEGAL(gt_einsum("abcd,abef,adgh->bcefgh",
                      gt_tensors(gt_reshape(x8, gt_shape(1, 2, 2, 4)),
                                 gt_reshape(x8, gt_shape(1, 2, 2, 4)),
                                 gt_uniform(gt_shape(1, 4, 1, 1)), gt_uniform(gt_shape(1)))),
            "fewer terms", "fewer operands");
    ILLEGAL(gt_einsum("abcde,fghi->abcdefghi", gt_tensors(gt_uniform(gt_shape(1, 1, 1, 1, 1)),
                                                          gt_uniform(gt_shape(1, 1, 1, 1)))),
            "nine kept", "more axes than a tensor");
    ILLEGAL(gt_einsum("abcde,fghi,abcdefghi->", gt_tensors(gt_uniform(gt_shape(1, 1, 1, 1, 1)),
                                                           gt_uniform(gt_shape(1, 1, 1, 1)), x3)),
            "nine in a term", "more axes than a tensor");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Labels that two operands share come in any order in each. The sums, of the elements times their
 * numbers from 1 on, are those of numpy.einsum. */
Test(text, einsum_values)
{
    const struct {
        const char *text;
        gt_Shape shape[3];
        int operands;
        int64_t size;
        double sum;
    } rows[] = {
        {"ij,ji->", {gt_shape(2, 3), gt_shape(3, 2)}, 2, 1, 1},
        {"abij,bakj->kab", {gt_shape(2, 3, 2, 2), gt_shape(3, 2, 2, 2)}, 2, 12, 49},
        {"abc,cba->", {gt_shape(2, 3, 4), gt_shape(4, 3, 2)}, 2, 1, 40},
        {"abc,bac->ab", {gt_shape(2, 3, 4), gt_shape(3, 2, 4)}, 2, 6, 117},
        {"abc,bad->cdba", {gt_shape(2, 3, 4), gt_shape(3, 2, 2)}, 2, 48, 167},
        {"...ij,...ji->...", {gt_shape(2, 2, 3), gt_shape(3, 2)}, 2, 2, 3},
        {"ij,jk,ki->", {gt_shape(2, 3), gt_shape(3, 2), gt_shape(2, 2)}, 3, 1, -42},
        {"abcd,dbce->ae", {gt_shape(2, 2, 3, 2), gt_shape(2, 2, 3, 2)}, 2, 4, -1},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x[3];
        for (int t = 0; t < rows[r].operands; t++) {
            double values[64];
            int64_t size = 1;
            for (int d = 0; d < rows[r].shape[t].rank; d++)
                size *= rows[r].shape[t].dims[d];
            for (int64_t i = 0; i < size; i++)
                values[i] = (double)((i * 5 + t) % 7 - 3);
            x[t] = gt_from_values_at(NULL, rows[r].shape[t], GT_FLOAT64, size, values);
        }
        gt_Tensor *y = gt_einsum(rows[r].text, ((gt_Tensors){x, rows[r].operands}));
        cr_assert(gt_size(y) == rows[r].size, "%s: %s", rows[r].text, gt_error_message());
        double sum = 0;
        for (int64_t i = 0; i < rows[r].size; i++)
            sum += (double)(i + 1) * gt_element(y, i);
        cr_assert(sum == rows[r].sum, "%s: %g, not %g", rows[r].text, sum, rows[r].sum);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- keys ---- */

Test(text, get_item)
{
    gt_Scope *scope = gt_scope_begin();
    static char text[20000];
    gt_Tensor *x = gt_uniform(gt_shape(1, 2, 1, 2, 1, 2, 1, 2)), *scalar = gt_scalar(1, GT_FLOAT32);
    LEGAL(gt_get_item(x, "0,1,0,1,0,1,0,1"), "eight indices");
    LEGAL(gt_get_item(x, "0,1,0,1,0,1,0,1,...,None,None,None,None,None,None,None,newaxis"),
          "seventeen items");
    LEGAL(gt_get_item(scalar, "None,None,None,None,None,None,None,None"), "eight new axes");
    ILLEGAL(gt_get_item(x, "0,1,0,1,0,1,0,1,0"), "nine indices",
            "9 axes and 0 times ... do not fit rank 8");
    ILLEGAL(gt_get_item(scalar, "None,None,None,None,None,None,None,None,None"), "nine new axes",
            "more than 8 dimensions");
    ILLEGAL(gt_get_item(x, "...,..."), "dots twice", "2 times ...");
    ILLEGAL(gt_get_item(x, "0,1,0,1,0,1,0,1,...,None,None,None,None,None,None,None,None,None"),
            "eighteen items", "invalid key");
    for (int i = 0; i < 3; i++) {
        strcpy(text, "");
        repeat(text, sizeof text, (const char *const[]){"0,", "None,", "...,"}[i]);
        ILLEGAL(gt_get_item(x, text), text, "invalid key");
    }
    strcpy(text, "");
    repeat(text, sizeof text, " ");
    strcpy(text + sizeof text - 2, "0");
    LEGAL(gt_get_item(x, text), "blanks");
    /* numbers of any length, as good as the largest */
    strcpy(text, ":, :");
    repeat(text, sizeof text, "9");
    LEGAL(gt_get_item(x, text), "a long number");
    cr_assert(gt_size(gt_get_item(x, text)) == gt_size(x), "all of axis 1");
    text[2] = '-';
    text[3] = ':';
    ILLEGAL(gt_get_item(x, text), ":,-: and digits", "invalid key");
    LEGAL(gt_get_item(x, ":, 9223372036854775807:9223372036854775808:-9223372036854775809"),
          "beyond 64 bits");
    ILLEGAL(gt_get_item(x, "9223372036854775808"), "an index beyond 64 bits", "is outside axis 0");
    ILLEGAL(gt_get_item(x, "0:1:1:1"), "three colons", "invalid key");
    ILLEGAL(gt_get_item(x, "- 1"), "a blank behind the sign", "invalid key");
    ILLEGAL(gt_get_item(x, "\xc2\xa0"
                           "0"),
            "another kind of blank", "invalid key");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- prototypes ---- */

static void parses(const char *text, const char *reason)
{
    static gt_Signature signature;
    char why[200] = "";
    bool ok = gt_signature_parse(&signature, text, why, sizeof why);
    cr_assert(ok == !reason, "\"%.100s\": %s", text, why);
    cr_assert(!reason || strstr(why, reason), "\"%.100s\": %s", text, why);
}

Test(text, signatures)
{
    static char text[20000];
    /* a name of 31 characters; 24 parameters; 8 brackets; 32 names in them */
    parses("const float *abcdefghijklmnopqrstuvwxyz_1234, float *y", NULL);
    parses("const float *abcdefghijklmnopqrstuvwxyz_12345, float *y", "longer than 31 characters");
    for (int count = 24; count <= 25; count++) {
        size_t at = 0;
        for (int i = 0; i < count; i++)
            at += (size_t)sprintf(text + at, "%sfloat *p%d", i ? ", " : "", i);
        parses(text, count == 24 ? NULL : "at most 24 parameters");
    }
    parses("float y[1][2][3][4][5][6][7][8]", NULL);
    parses("float y[1][2][3][4][5][6][7][8][9]", "at most 8 pairs of brackets");
    for (int count = 32; count <= 33; count++) {
        size_t at = 0;
        for (int i = 0; i < count; i++) {
            if (i % 8 == 0)
                at += (size_t)sprintf(text + at, "%sfloat p%d", i ? ", " : "", i);
            at += (size_t)sprintf(text + at, "[n%d]", i);
        }
        parses(text, count == 32 ? NULL : "at most 32 names in brackets");
    }
    parses("float y[999999999]", NULL);
    parses("float y[1000000000]", "expected a name or a number between brackets");
    parses("float y[12x]", "expected a number (got \"12x\")");
    strcpy(text, "float y");
    repeat(text, sizeof text, "[1]");
    parses(text, "at most 8 pairs");
    strcpy(text, "float *");
    repeat(text, sizeof text, "a");
    parses(text, "longer than 31 characters");
    strcpy(text, "");
    repeat(text, sizeof text, "const ");
    parses(text, "expected a type");
    strcpy(text, "");
    repeat(text, sizeof text, "unsigned ");
    parses(text, "unexpected");
    strcpy(text, "");
    repeat(text, sizeof text, "(");
    parses(text, "expected a type");
    parses("float *\xe9", "unexpected");
    parses("float \xc3\xa9", "unexpected");
}

/* ---- numbers ---- */

Test(text, numbers)
{
    static char text[20000];
    char written[GT_NUMBER_TEXT];
    double number;
    int64_t integer;
    strcpy(text, "1.");
    repeat(text, sizeof text, "0");
    cr_assert(gt_parse_decimal(text, strlen(text), &number) && number == 1, "many digits");
    strcpy(text, "1e");
    repeat(text, sizeof text, "9");
    cr_assert(gt_parse_decimal(text, strlen(text), &number) && number > 1e308, "many nines");
    strcpy(text, "0.");
    repeat(text, 15000, "0");
    strcat(text, "1e15000");
    cr_assert(gt_parse_decimal(text, strlen(text), &number), "a small number times a large one");
    strcpy(text, "-");
    repeat(text, sizeof text, "0");
    strcpy(text + sizeof text - 20, "9223372036854775808");
    cr_assert(gt_parse_integer(text, strlen(text), &integer) && integer == INT64_MIN, "zeros");
    text[0] = '+';
    cr_assert(!gt_parse_integer(text, strlen(text), &integer), "one too many");
    /* no number has a longer text than there is room for */
    cr_assert(strlen(gt_number_text(-2.2250738585072014e-308, false, written)) < GT_NUMBER_TEXT,
              "%s", written);
}

/* ---- the locale ---- */

/* A locale of our own, whose point is a comma: what is installed differs from place to place. */
static const char definition[] =
    "comment_char %\nescape_char /\n"
    "LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"<U002E>\"\ngrouping 3;3\nEND "
    "LC_NUMERIC\n"
    "LC_CTYPE\ncopy \"POSIX\"\nEND LC_CTYPE\nLC_COLLATE\ncopy \"POSIX\"\nEND LC_COLLATE\n"
    "LC_MONETARY\ncopy \"POSIX\"\nEND LC_MONETARY\nLC_TIME\ncopy \"POSIX\"\nEND LC_TIME\n"
    "LC_MESSAGES\ncopy \"POSIX\"\nEND LC_MESSAGES\n";

static char folder[] = "/tmp/gradtape-text-XXXXXX";

static bool set_comma_locale(void)
{
    char path[80], command[400];
    if (setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8"))
        return true;
    if (!mkdtemp(folder))
        return false;
    snprintf(path, sizeof path, "%s/source", folder);
    FILE *file = fopen(path, "w");
    if (!file || fputs(definition, file) < 0 || fclose(file) != 0)
        return false;
    snprintf(command, sizeof command,
             "localedef --no-archive -c -i %s -f ANSI_X3.4-1968 %s/comma >/dev/null 2>&1", path,
             folder);
    if (system(command) == -1)
        return false;
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_ALL, "comma") != NULL;
}

static void says(const char *text)
{
    cr_assert(strstr(gt_error_message(), text), "\"%s\" is not in: %s", text, gt_error_message());
    gt_error_clear();
}

Test(text, locale)
{
    char text[GT_NUMBER_TEXT], system_text[GT_SYSTEM_TEXT], path[100];
    if (!set_comma_locale())
        cr_skip_test("no locale with a decimal comma can be had");
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_assert(strcmp(text, "1,5") == 0, "the locale writes %s", text);

    gt_Scope *scope = gt_scope_begin();
    /* messages, made by gt_fail and by gt_raise, and a user's own */
    gt_layer_free(gt_Dropout(-1.5));
    says("-1.5");
    gt_full(gt_shape(2), 0.5, .dtype = GT_INT32);
    says("0.5");
    gt_SGD(0.1, .momentum = -2.5);
    says("-2.5");
    gt_fail(GT_INVALID, "mine: %g and %.2f", 1234567.5, 0.25);
    says("mine: 1.23457e+06 and 0.25");
    gt_load_csv("/tmp/gradtape-text/no/such/file");
    says("No such file or directory");
    cr_assert(strcmp(gt_system_text(system_text, ENOENT), "No such file or directory") == 0, "%s",
              system_text);
    /* a summary */
    gt_Layer *model = gt_Sequential(gt_Dense(300), gt_Dense(1));
    gt_call(model, gt_uniform(gt_shape(1, 1000)));
    const char *summary = gt_summary(model);
    cr_assert(summary && strstr(summary, "(1.15 MB)"), "%s", summary);
    gt_layer_free(model);
    /* numbers and files, both ways */
    double number = 0;
    cr_assert(gt_parse_decimal("1.25000000000000000000000001", 28, &number) && number == 1.25,
              "a comma in the locale: %g", number);
    cr_assert(strcmp(gt_number_text(1.25, false, text), "1.25") == 0, "%s", text);
    snprintf(path, sizeof path, "/tmp/gradtape-text-%ld.csv", (long)getpid());
    gt_save_csv(path, gt_array(gt_shape(1, 2), 1.5, -0.25));
    gt_Tensor *again = gt_load_csv(path);
    cr_assert(again && gt_element(again, 0) == 1.5 && gt_element(again, 1) == -0.25, "%s",
              gt_error_message());
    unlink(path);
    gt_scope_end(scope);
    snprintf(text, sizeof text, "%.1f", 1.5);
    cr_assert(strcmp(text, "1,5") == 0, "the locale was changed: %s", text);
    gt_context_free(NULL);
}
