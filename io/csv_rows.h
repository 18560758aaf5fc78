/* The rows and fields of a table as text (RFC 4180): what reads numbers (csv.c) and what reads columns of any kind (table.c)
 * stand on. Order of calls:
 *
 *     gt_csv_open      the file, plain or compressed; UTF-16 becomes UTF-8; a delimiter of 0 is found
 *     gt_csv_next_row, gt_csv_read_row, ...   rows; each field of one goes to a function
 *     gt_csv_begin     back to the first row, as often as it takes
 *     gt_csv_close
 *
 * The text goes through a window that holds a row at least, so a file takes no more memory than its longest row; what cannot
 * be read twice, a pipe, is kept as it arrives. A row that the window cuts is tried again from its start once there is more,
 * so the function may see the first fields of a row twice. Private to the room. */
#ifndef GT_IO_CSV_ROWS_H
#define GT_IO_CSV_ROWS_H

#include "io/file.h"

typedef struct gt_Csv {
    gt_Context *context;
    const char *path;
    char delimiter, quote; /* ' ': any number of blanks and tabs; a quote of 0: none */
    int64_t skip_rows;     /* lines before the first row */
    gt_FileReader reader;
    gt_Bytes window;      /* a part of the text, with a 0 behind it */
    const char *at, *end; /* in the window */
    bool ended;           /* the end of the window is that of the file */
    bool whole;           /* the window keeps all of the text: it cannot be read again */
    bool cut;             /* the row that was tried goes on behind the window */
    int64_t line;         /* where `at` is, from 1 */
    int64_t row_line;     /* where its row begins */
    int64_t column;       /* the field that was read last, from 1 */
    int64_t fields;       /* in every row; 0 before the first one was seen */
} gt_Csv;

/* A field without the blanks and quotes around it. In one with `quotes` a doubled quote stands for one. */
typedef struct gt_CsvField {
    const char *text;
    size_t size;
    bool quoted, quotes;
    bool last; /* its row ends with it */
} gt_CsvField;

/* Between the fields: a character that no field can be mistaken for. */
bool gt_csv_good_delimiter(char c);
#define GT_CSV_DELIMITER                                                                           \
    "the delimiter must be printable or a tab, and no letter, digit, quote, point or sign (got "   \
    "code %d)"

/* Opens the file and goes to its first row; path, delimiter, quote and skip_rows are set. `not_this` is no delimiter that is
 * looked for. False: the error is raised. Close it in any case. */
bool gt_csv_open(gt_Csv *csv, int64_t limit, char not_this);
void gt_csv_close(gt_Csv *csv);
bool gt_csv_begin(gt_Csv *csv);

/* Is there another row? False at the end, and with an error raised. Blank lines end the file, and nothing may follow them. */
bool gt_csv_next_row(gt_Csv *csv);
/* What is done with a field, number csv->column - 1 of its row; it may fail. */
typedef bool gt_CsvAction(gt_Csv *csv, const gt_CsvField *field, void *user);
/* Reads the row; `action` NULL: passes over it. Unless `ragged`, a row of another length than those before is an error. */
bool gt_csv_read_row(gt_Csv *csv, bool ragged, gt_CsvAction *action, void *user);

/* Raises an error that names path:line:column; false. */
bool gt_csv_fail(const gt_Csv *csv, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* Raises the error for an interrupt every few thousand rows; false then. */
bool gt_csv_poll(const gt_Csv *csv, int64_t row);

/* Does it say that word, in any case? `lower` is in lower case. */
bool gt_csv_says(const gt_CsvField *field, const char *lower);
/* Empty, NA or NaN. */
bool gt_csv_missing(const gt_CsvField *field);
/* A number, infinities among them. */
bool gt_csv_infinity(const gt_CsvField *field, double *number);

#endif
