/* contract.txt: what users of Keras rely on, with a proof of each row. A row without one, a proof that
 * is not there and a section that lost a row are refused; so is a layer that the walks over the
 * table of layers are to prove and that nobody promised. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"
#include "texts.h"

#include <ctype.h>

/* The sections of the contract, and how many rows each has at least: what contract.txt says of
 * itself may grow, not shrink. */
static const struct {
    const char *name;
    int rows;
} sections[] = {
    {"1.1", 8},  {"1.2", 5},  {"1.3", 10}, {"1.4", 9},   {"1.5", 4},  {"1.6", 5},  {"1.7", 5},
    {"1.8", 5},  {"1.9", 3},  {"1.10", 3}, {"1.11", 3},  {"1.12", 4}, {"1.13", 2}, {"1.14", 3},
    {"1.15", 2}, {"1.16", 2}, {"1.17", 3}, {"1.18", 11}, {"3.1", 8},  {"3.2", 7},  {"3.3", 5},
    {"3.4", 5},  {"3.5", 4},  {"3.6", 5},  {"3.7", 4},   {"3.8", 7},  {"3.9", 3},  {"3.10", 5},
    {"3.11", 6}, {"3.12", 3}, {"3.13", 24}, {"3.14", 8}, {"3.15", 29}, {"3.16", 25}, {"3.17", 31},
    {"3.18", 17}, {"3.19", 8}, {"5", 25}, {"3.20", 7},
};
enum { SECTIONS = sizeof sections / sizeof *sections, ROWS = 64 };

static char *tests, *not_yet; /* the sources of the tests; the layers that are still to come */

typedef struct Tally {
    int claims, proven, waiting, left_out; /* claims: with tests alone, with an issue, with none */
} Tally;

/* "suite::test" as Test(suite, test) in the sources; those of test_contract.c are CONTRACT(test), and a sentence
 * "suite::s3_15_1" is SENTENCE(15_1). */
static bool is_test(const char *proof)
{
    char text[256];
    const char *colons = strstr(proof, "::");
    int length = (int)(colons - proof);
    for (int closed = 0; closed < 2; closed++) {
        snprintf(text, sizeof text, "\nTest(%.*s, %s%s", length, proof, colons + 2,
                 closed ? ")" : ",");
        if (strstr(tests, text))
            return true;
    }
    snprintf(text, sizeof text, "\nCONTRACT(%s)", colons + 2);
    if (length == 8 && strncmp(proof, "contract", 8) == 0 && strstr(tests, text))
        return true;
    snprintf(text, sizeof text, "\nSENTENCE(%s)", colons + 2 + strlen("s3_"));
    return strncmp(colons, "::s3_", 5) == 0 && strstr(tests, text);
}

/* "FILE:FUNCTION" where a file of tests/ has a function of that name. */
static bool is_function(const char *proof)
{
    char path[256], text[256];
    const char *colon = strchr(proof, ':');
    if (!colon || colon[1] == ':')
        return false;
    snprintf(path, sizeof path, "tests/%.*s", (int)(colon - proof), proof);
    snprintf(text, sizeof text, " %s(", colon + 1);
    char *source = text_of_file(path);
    bool found = strstr(source, text) != NULL;
    free(source);
    return found;
}

static bool is_layer(const char *keras)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int i = 0; i < count; i++)
        if (table[i]->keras && strcmp(table[i]->keras, keras) == 0)
            return true;
    return false;
}

/* "NAME NAME ...": is each a class now, or promised? Sets `all` to false for one that is promised. */
static bool are_layers(const char *names, bool *all)
{
    for (const char *at = names; *at; at += strspn(at, " ")) {
        char name[128], line[160];
        int length = (int)strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", length, at);
        snprintf(line, sizeof line, "\nlayer %s\n", name);
        at += length;
        if (is_layer(name))
            continue;
        if (!strstr(not_yet, line))
            return false;
        *all = false;
    }
    return true;
}

/* Cuts blanks at both ends. */
static char *trim(char *text)
{
    text += strspn(text, " ");
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = 0;
    return text;
}

static void check_proofs(const char *row, char *proofs, Tally *tally)
{
    bool waits = false, out = false, all = true;
    for (char *proof = proofs, *next; proof; proof = next) {
        if ((next = strchr(proof, ',')) && strncmp(trim(proof), "left out", 8) != 0)
            *next++ = 0;
        else
            next = NULL;
        proof = trim(proof);
        if (strncmp(proof, "left out: because ", 18) == 0)
            out = true;
        else if (strcmp(proof, "issue layers") == 0 || strcmp(proof, "issue training") == 0 ||
                 strcmp(proof, "issue files") == 0)
            waits = true;
        else if (strncmp(proof, "walk ", 5) == 0)
            cr_expect(are_layers(proof + 5, &all),
                      "%s: \"%s\" names what is no layer and not promised", row, proof);
        else
            cr_expect(strstr(proof, "::") ? is_test(proof) : is_function(proof),
                      "%s: there is no \"%s\"", row, proof);
    }
    tally->claims++;
    tally->left_out += out;
    tally->waiting += waits || !all;
    tally->proven += !out && !waits && all;
}

/* One section: "[1.1 title: 8 rows]" and its rows, which are counted by their first field. */
static char *check_section(char *line, int section, Tally *tally)
{
    char *seen[ROWS], name[16], title[128];
    int rows, count = 0;
    cr_assert(sscanf(line, "[%15s %100[^:]: %d rows]", name, title, &rows) == 3, "\"%s\"", line);
    cr_assert_str_eq(name, sections[section].name);
    cr_expect(rows >= sections[section].rows, "section %s has lost a row", name);
    for (line = end_line(line); line && *line != '['; line = end_line(line)) {
        char *end = strchr(line, '\n'), copy[1024];
        int length = end ? (int)(end - line) : (int)strlen(line);
        if (length == 0)
            continue;
        snprintf(copy, sizeof copy, "%.*s", length, line);
        char *claim = strstr(copy, " | "), *proofs = claim ? strstr(claim + 3, " | ") : NULL;
        cr_assert(proofs && proofs[3], "section %s: no row, claim and proof: \"%s\"", name, copy);
        *claim = *proofs = 0;
        cr_expect(strlen(trim(claim + 3)) > 2, "%s: no claim", copy);
        check_proofs(copy, proofs + 3, tally);
        int known = 0;
        while (known < count && strcmp(seen[known], copy) != 0)
            known++;
        cr_assert(known == count || known == count - 1, "section %s: row %s stands in two places",
                  name, copy);
        if (known == count) {
            cr_assert(count < ROWS);
            seen[count] = malloc(strlen(copy) + 1);
            strcpy(seen[count++], copy);
        }
    }
    cr_expect(count == rows, "section %s has %d rows and says %d", name, count, rows);
    for (int i = 0; i < count; i++)
        free(seen[i]);
    return line;
}

Test(contract_rows, every_row_has_a_proof)
{
    char *text = text_of_file("tests/contract.txt");
    tests = texts_of_folder("tests", ".c");
    not_yet = text_of_file("tests/keras_not_yet.txt");
    Tally tally = {0};
    char *line = text;
    while (line && *line != '[')
        line = end_line(line);
    int section = 0;
    for (; line; section++) {
        cr_assert(section < SECTIONS);
        line = check_section(line, section, &tally);
    }
    cr_assert_eq(section, SECTIONS);
    fprintf(
        stderr,
        "%d claims of the contract: %d have their tests, %d wait for an issue, %d are left out\n",
        tally.claims, tally.proven, tally.waiting, tally.left_out);
    cr_assert(tally.claims > 150);
    free(text);
    free(tests);
    free(not_yet);
}
