/* The commands of gradtape: each is a file with a table of its options and a function. */
#ifndef GT_CLI_COMMAND_H
#define GT_CLI_COMMAND_H

#include "cli/options.h"
#include "gradtape.h"

/* Errors are about the user's files, not about lines of this program. */
#undef GT_HERE
#define GT_HERE NULL

#define EXIT_USAGE 2

typedef struct Command {
    const char *name;     /* "train" */
    const char *operands; /* "MODEL TABLE" */
    int operand_count;
    const char *summary; /* a line for the list of commands */
    const char *more;    /* paragraphs for its help */
    const Option *options;
    int (*run)(const char **operands); /* exit status; what the library raised is printed by main */
} Command;

extern const Command train_command, predict_command, evaluate_command, info_command,
    summary_command, plot_command, diff_command, bench_command, export_command;

/* Prints "gradtape COMMAND: ..." to standard error. EXIT_FAILURE, and EXIT_USAGE. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The error that the library raised, as this program says it, and a line feed. */
void print_raised(FILE *file);
bool ends_with(const char *text, const char *end);
/* A field of a table in quotes. */
void print_quoted(FILE *file, const char *text);
/* Text for a file, which appears whole or not at all under its name; NULL: standard output. False: told. */
typedef struct Output {
    FILE *file;
    const char *path;
    char temporary[1100]; /* "": it is written as it is, a pipe or a terminal */
} Output;
bool output_open(Output *output, const char *path);
/* A file that is read, or will be written: nothing else may be written in its place. NULL is ignored. */
void output_spares(const char *path);
/* May a file be made there? False: told. It is for the files that the library writes; output_open asks by itself. */
bool output_free(const char *path);
int output_close(Output *output); /* exit status */
/* Was everything printed? EXIT_SUCCESS, or a failure that is told. */
int finish_output(FILE *file, const char *path);

#endif
