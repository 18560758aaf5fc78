/* Options of a command: one table says what there is, reads the arguments and prints the help. */
#ifndef GT_CLI_OPTIONS_H
#define GT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "io/names.h"

#define MAX_LIST 256 /* words of an option that is a list */

typedef enum OptionKind {
    OPTION_FLAG,    /* bool: it is there or not */
    OPTION_TEXT,    /* const char * */
    OPTION_JSON,    /* const char *: in a file an object or a list, or text as everywhere */
    OPTION_INTEGER, /* int64_t */
    OPTION_NUMBER,  /* double */
    OPTION_LIST,    /* WordList: words with commas between them; given again, more of them */
} OptionKind;

/* A list that gt_Names borrows: ends with GT_LIST_END. */
typedef struct WordList {
    const char *words[MAX_LIST + 1];
    int count;
} WordList;
/* As an option of the library; no words: not given. */
gt_Names names_of(const WordList *list);
bool list_add(WordList *list, const char *word); /* false: it is full */

typedef struct Option {
    const char *name; /* "label", without the dashes; NULL ends the table */
    char letter;      /* 'l', for -l; 0: none */
    OptionKind kind;
    void *into;        /* where the value goes; it holds the default before */
    const char *value; /* what the help calls the value; NULL for a flag */
    const char *help;
} Option;

/* Reads arguments[0 .. count): options into their places, the others into `operands`, whose number must be `expected`, the
 * words of `names`. False: what is wrong was printed, beginning with "gradtape COMMAND:". */
bool options_read(const char *command, const Option *table, const char *names, int count,
                  char **arguments, const char **operands, int expected);
/* The whole file with a 0 behind it, for free(); NULL: told. */
char *options_text(const char *path, size_t *size);
/* Options that the command line has not from the members of a JSON file, which are called like them ("held_out" as well as
 * "held-out"); *value from the member `operand`, where it has one. False: told. After options_read, for the same table. */
bool options_read_file(const Option *table, const char *path, const char *operand,
                       const char **value);
/* Was the option whose value is there given, on the command line or in the file? */
bool options_has(const Option *table, const void *into);
/* Text in lines that fit the terminal (80 columns, where there is none), all but the first indented. An empty line ends a
 * paragraph, and one that begins with two blanks stays as it is. */
void print_wrapped(FILE *file, const char *text, int indent);
void options_print(FILE *file, const Option *table);
/* What stands behind the help of an option, " (64)"; "" where there is nothing. */
const char *options_default(const Option *option, char text[64]);

#endif
