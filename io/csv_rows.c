/* A window over the text, rows and fields in it. Leans on file.c. */
#include "io/csv_rows.h"
#include "core/assert.h"
#include "core/inside.h"
#include "core/text.h"
#include "io/number.h"

#include <math.h>
#include <string.h>

#define ROWS_BETWEEN_POLLS 4096
#ifdef GT_SMALL_PIECES /* so that a fuzzer's small files are cut into some */
#define PIECE ((size_t)16)
#else
#define PIECE ((size_t)64 * 1024)
#endif

bool gt_csv_fail(const gt_Csv *csv, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s:%lld:%lld: %s", csv->path,
             (long long)csv->line, (long long)csv->column, text);
    return false;
}

/* ---- the window ---- */

/* Reads on behind the window; what lies before `from`, where `at` is then, may go. */
static bool refill(gt_Csv *csv, const char *from)
{
    gt_Bytes *window = &csv->window;
    if (!csv->whole && window->size > 0) {
        window->size = (size_t)(csv->end - from);
        memmove(window->data, from, window->size);
        from = window->data;
    }
    size_t offset = window->size > 0 ? (size_t)(from - window->data) : 0;
    if (!gt_bytes_reserve(csv->context, window, PIECE + 1))
        return false;
    GT_ASSERT(window->capacity > window->size + 1);
    size_t room = window->capacity - window->size - 1;
    int64_t n = gt_file_read(&csv->reader, window->data + window->size, room);
    if (n < 0)
        return false;
    window->size += (size_t)n;
    window->data[window->size] = 0;
    csv->ended = (size_t)n < room;
    csv->at = window->data + offset;
    csv->end = window->data + window->size;
    return true;
}

/* Whether what was read up to `at` would read the same with more text behind the window. */
static bool certain(gt_Csv *csv)
{
    csv->cut = !csv->ended && csv->end - csv->at < 2;
    return !csv->cut;
}

/* ---- rows and fields ---- */

static bool blank(const gt_Csv *csv, char c)
{
    return (c == ' ' || c == '\t') && c != csv->delimiter;
}

static void skip_blanks(gt_Csv *csv)
{
    while (csv->at < csv->end && blank(csv, *csv->at))
        csv->at++;
}

static bool at_line_end(const gt_Csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

/* Where blanks stand between the fields, a tab is one of them. */
static bool at_delimiter(const gt_Csv *csv)
{
    return *csv->at == csv->delimiter || (csv->delimiter == ' ' && *csv->at == '\t');
}

/* Blanks that stand between the fields count once, and at the ends of a row not at all. */
static void skip_delimiting_blanks(gt_Csv *csv)
{
    while (csv->delimiter == ' ' && csv->at < csv->end && (*csv->at == ' ' || *csv->at == '\t'))
        csv->at++;
}

/* Over what ends a line. */
static void skip_line_end(gt_Csv *csv)
{
    csv->at += csv->at < csv->end && *csv->at == '\r';
    csv->at += csv->at < csv->end && *csv->at == '\n';
    csv->line++;
}

/* To behind the closing quote, and the blanks after it. */
static bool quoted_field(gt_Csv *csv, gt_CsvField *field)
{
    int64_t lines = 0;
    bool doubled = false;
    const char *at = csv->at + 1;
    for (; at < csv->end; at++) {
        lines += *at == '\n';
        if (*at != csv->quote)
            continue;
        if (at + 1 == csv->end || at[1] != csv->quote)
            break;
        doubled = true;
        at++;
    }
    if (at >= csv->end) {
        csv->cut = !csv->ended;
        return !csv->cut && gt_csv_fail(csv, "the quotes around this field are never closed");
    }
    *field = (gt_CsvField){csv->at + 1, (size_t)(at - csv->at - 1), true, doubled, false};
    csv->at = at + 1;
    csv->line += lines;
    skip_blanks(csv);
    return at_line_end(csv) || at_delimiter(csv) ||
           gt_csv_fail(csv, "something follows the quotes of this field");
}

static void plain_field(gt_Csv *csv, gt_CsvField *field)
{
    const char *start = csv->at;
    while (csv->at < csv->end && !at_delimiter(csv) && !at_line_end(csv))
        csv->at++;
    *field = (gt_CsvField){start, (size_t)(csv->at - start), false, false, false};
}

static bool next_field(gt_Csv *csv, gt_CsvField *field)
{
    csv->column++;
    skip_blanks(csv);
    if (csv->at < csv->end && csv->quote && *csv->at == csv->quote) {
        if (!quoted_field(csv, field))
            return false;
    } else {
        plain_field(csv, field);
    }
    skip_delimiting_blanks(csv);
    if (!certain(csv))
        return false;
    while (field->size > 0 && blank(csv, field->text[0])) {
        field->text++;
        field->size--;
    }
    while (field->size > 0 && blank(csv, field->text[field->size - 1]))
        field->size--;
    field->last = at_line_end(csv);
    if (!field->last && csv->delimiter != ' ')
        csv->at++;
    return true;
}

bool gt_csv_next_row(gt_Csv *csv)
{
    int64_t line = csv->line;
    bool blank_line = false;
    csv->column = 0;
    for (;;) {
        const char *start = csv->at;
        skip_blanks(csv);
        skip_delimiting_blanks(csv);
        bool over = csv->at == csv->end, line_end = at_line_end(csv);
        if (!csv->ended && csv->end - csv->at < 2) {
            if (!refill(csv, start))
                return false;
            continue;
        }
        if (over)
            return false;
        if (!line_end) {
            csv->at = csv->delimiter == ' ' ? csv->at : start;
            break;
        }
        skip_line_end(csv);
        blank_line = true;
    }
    if (!blank_line)
        return true;
    csv->line = line;
    return gt_csv_fail(csv, "a blank line between the rows");
}

/* The row in the window. */
static bool try_row(gt_Csv *csv, bool ragged, gt_CsvAction *action, void *user)
{
    gt_CsvField field;
    csv->column = 0;
    do {
        if (!next_field(csv, &field))
            return false;
        if (action && !action(csv, &field, user))
            return false;
    } while (!field.last);
    skip_line_end(csv);
    if (csv->fields == 0)
        csv->fields = csv->column;
    if (csv->column == csv->fields || ragged)
        return true;
    csv->line = csv->row_line;
    return gt_csv_fail(csv, "expected %lld fields, as in the rows before (got %lld)",
                       (long long)csv->fields, (long long)csv->column);
}

bool gt_csv_read_row(gt_Csv *csv, bool ragged, gt_CsvAction *action, void *user)
{
    csv->row_line = csv->line;
    for (;;) {
        const char *start = csv->at;
        csv->cut = false;
        if (try_row(csv, ragged, action, user))
            return true;
        if (!csv->cut)
            return false;
        csv->line = csv->row_line;
        if (!refill(csv, start))
            return false;
    }
}

/* To the start of the next line. */
static bool skip_line(gt_Csv *csv)
{
    const char *newline;
    while (!(newline = memchr(csv->at, '\n', (size_t)(csv->end - csv->at))) && !csv->ended)
        if (!refill(csv, csv->end))
            return false;
    csv->at = newline ? newline + 1 : csv->end;
    csv->line++;
    return true;
}

/* ---- UTF-16 ---- */

/* Writes a code point as UTF-8; how many bytes that took. */
static size_t put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)((0xf0u << (4 - size)) | point);
    return size;
}

static uint32_t unit(const unsigned char *at, bool big)
{
    return big ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

/* The code point at `*at`, which goes behind it; UINT32_MAX for half a pair. */
static uint32_t next_point(const unsigned char **at, const unsigned char *end, bool big)
{
    uint32_t first = unit(*at, big);
    *at += 2;
    if (first < 0xd800 || first > 0xdfff)
        return first;
    uint32_t second = end - *at >= 2 ? unit(*at, big) : 0;
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff)
        return UINT32_MAX;
    *at += 2;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* All of the text becomes UTF-8; the window keeps it. */
static bool convert(gt_Csv *csv)
{
    bool big = (unsigned char)csv->window.data[0] == 0xfe;
    csv->whole = true;
    while (!csv->ended)
        if (!refill(csv, csv->window.data))
            return false;
    const unsigned char *at = (const unsigned char *)csv->window.data + 2;
    const unsigned char *end = (const unsigned char *)csv->end;
    gt_Bytes text = {0};
    /* two bytes become three at most; and there is a 0 behind */
    if (!gt_bytes_reserve(csv->context, &text, csv->window.size / 2 * 3 + 4))
        return false;
    while (end - at >= 2) {
        uint32_t point = next_point(&at, end, big);
        if (point == UINT32_MAX)
            break;
        text.size += put_utf8(text.data + text.size, point);
    }
    bool good = at == end;
    gt_bytes_release(csv->context, &csv->window);
    text.data[text.size] = 0;
    csv->window = text;
    csv->at = text.data;
    csv->end = text.data + text.size;
    if (!good)
        gt_raise(csv->context, GT_FORMAT, NULL, NULL,
                 "%s: is UTF-16 text that is cut short or damaged; save it as UTF-8", csv->path);
    return good;
}

/* ---- from the beginning ---- */

/* Does a line in the window end in CR alone, and none in LF? What is quoted does not count. */
static bool ends_lines_in_cr(const gt_Csv *csv)
{
    bool quoted = false, found = false;
    for (const char *at = csv->at; at < csv->end; at++) {
        if (*at == '\n')
            return false;
        quoted ^= csv->quote && *at == csv->quote;
        found |= *at == '\r' && !quoted && at + 1 < csv->end;
    }
    return found;
}

/* Names what is text and still not readable here. */
static bool check_text(const gt_Csv *csv)
{
    const char *what = NULL;
    if (memchr(csv->at, 0, (size_t)(csv->end - csv->at)))
        what = "holds zero bytes: expected text in UTF-8 or ASCII, not UTF-16 without its mark or "
               "a binary file";
    else if (ends_lines_in_cr(csv))
        what = "its lines end in CR alone (as on old Macintoshes); save it with LF or CRLF";
    if (what)
        gt_raise(csv->context, GT_FORMAT, NULL, NULL, "%s: %s", csv->path, what);
    return !what;
}

/* To the first row of the text at the beginning of the window. */
static bool begin(gt_Csv *csv)
{
    csv->at = csv->window.data;
    if (!check_text(csv))
        return false;
    if (csv->window.size >= 3 && memcmp(csv->at, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3; /* the byte order mark that some programs write */
    csv->line = 1;
    for (int64_t i = 0; i < csv->skip_rows && !(csv->ended && csv->at == csv->end); i++)
        if (!skip_line(csv))
            return false;
    return true;
}

bool gt_csv_begin(gt_Csv *csv)
{
    if (!csv->whole) {
        csv->window.size = 0;
        if (!gt_file_rewind(&csv->reader) || !refill(csv, csv->end))
            return false;
    }
    return begin(csv);
}

/* ---- which delimiter ---- */

enum { CANDIDATES = 5, SAMPLE_LINES = 20 };

/* How often each candidate stands in the line at *at, outside quotes; *at goes to the next line. False: the line does
 * not end before `end`, or it is blank. */
static bool count_candidates(const gt_Csv *csv, const char *candidates, const char **at,
                             int64_t counts[CANDIDATES])
{
    bool quoted = false, blank_line = true, inside = false;
    const char *c = *at;
    memset(counts, 0, CANDIDATES * sizeof *counts);
    for (; c < csv->end && (quoted || *c != '\n'); c++) {
        quoted ^= csv->quote && *c == csv->quote;
        bool space = *c == ' ' || *c == '\t' || *c == '\r';
        blank_line = blank_line && space;
        for (int i = 0; i < CANDIDATES; i++)
            counts[i] += !quoted && *c == candidates[i] && candidates[i] != ' ';
        counts[CANDIDATES - 1] +=
            !quoted && !space && !inside; /* words, of which blanks make one fewer fields */
        inside = !space || quoted;
    }
    counts[CANDIDATES - 1] -= counts[CANDIDATES - 1] > 0;
    bool ends = c < csv->end || csv->ended;
    *at = c < csv->end ? c + 1 : c;
    return ends && !blank_line;
}

/* The first of tab, semicolon, bar, comma and blanks that stands equally often in each of the first lines; the very first
 * line does not count where there are more, since it may be of another kind. A comma if none does, or a semicolon where the comma is the point. */
static char find_delimiter(const gt_Csv *csv, char not_this)
{
    static const char candidates[CANDIDATES] = {'\t', ';', '|', ',', ' '};
    int64_t first[CANDIDATES], counts[CANDIDATES], seen[CANDIDATES];
    bool equal[CANDIDATES] = {true, true, true, true, true};
    const char *at = csv->at;
    bool there = count_candidates(csv, candidates, &at, first);
    memcpy(seen, first, sizeof seen);
    for (int line = 1; there && line < SAMPLE_LINES; line++) {
        if (!count_candidates(csv, candidates, &at, counts))
            break;
        for (int i = 0; i < CANDIDATES; i++)
            equal[i] = equal[i] && (line == 1 || counts[i] == seen[i]);
        memcpy(seen, counts, sizeof seen);
    }
    for (int i = 0; i < CANDIDATES; i++)
        if (equal[i] && seen[i] > 0 && candidates[i] != not_this)
            return candidates[i];
    return not_this == ',' ? ';' : ',';
}

/* ---- opening and closing ---- */

bool gt_csv_open(gt_Csv *csv, int64_t limit, char not_this)
{
    enum { SAMPLE = 8192 }; /* bytes that a delimiter is looked for in */
    if (!gt_file_open(csv->context, &csv->reader, csv->path, limit))
        return false;
    csv->whole = !csv->reader.rewinds;
    if (!refill(csv, csv->end))
        return false;
    const char *mark = csv->window.data;
    if (csv->window.size >= 2 &&
        (memcmp(mark, "\xff\xfe", 2) == 0 || memcmp(mark, "\xfe\xff", 2) == 0)) {
        if (!convert(csv))
            return false;
    }
    if (!begin(csv))
        return false;
    while (!csv->delimiter && !csv->ended && csv->end - csv->at < SAMPLE)
        if (!refill(csv, csv->at))
            return false;
    if (!csv->delimiter)
        csv->delimiter = find_delimiter(csv, not_this);
    return true;
}

void gt_csv_close(gt_Csv *csv)
{
    gt_bytes_release(csv->context, &csv->window);
    gt_file_close(&csv->reader);
}

bool gt_csv_poll(const gt_Csv *csv, int64_t row)
{
    if (row % ROWS_BETWEEN_POLLS != 0 || !gt_interrupted(csv->context))
        return true;
    gt_raise(csv->context, GT_INTERRUPTED, NULL, NULL, "%s: interrupted", csv->path);
    return false;
}

/* ---- words ---- */

bool gt_csv_good_delimiter(char c)
{
    return c == '\t' ||
           (c >= ' ' && c <= '~' && !gt_is_digit(c) && !gt_is_letter(c) && !strchr("\"+-.", c));
}

bool gt_csv_says(const gt_CsvField *field, const char *lower)
{
    size_t i = 0;
    for (; i < field->size && lower[i]; i++)
        if ((gt_is_letter(field->text[i]) ? field->text[i] | 0x20 : field->text[i]) != lower[i])
            return false;
    return i == field->size && !lower[i];
}

bool gt_csv_missing(const gt_CsvField *field)
{
    return field->size == 0 || gt_csv_says(field, "na") || gt_csv_says(field, "nan");
}

bool gt_csv_infinity(const gt_CsvField *field, double *number)
{
    bool sign = field->size > 0 && (field->text[0] == '-' || field->text[0] == '+');
    gt_CsvField word = {.text = field->text + sign, .size = field->size - sign};
    *number = sign && field->text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return gt_csv_says(&word, "inf") || gt_csv_says(&word, "infinity");
}
