/* What the table of commands says, for other programs: a manual page and completions. */
#ifndef GT_CLI_MANUAL_H
#define GT_CLI_MANUAL_H

#include "cli/command.h"

void manual_print(const Command *const *commands, size_t count);      /* for man */
void completions_print(const Command *const *commands, size_t count); /* for bash */

#endif
