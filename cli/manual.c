#include "cli/manual.h"

/* Text for roff: dashes that are typed, backslashes, no line that begins with a request. */
static void put(const char *text)
{
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", stdout);
        else
            putchar(*text);
        begins = *text == '\n';
    }
}

static void put_option(const Option *option)
{
    char value[64];
    puts(".TP");
    if (option->letter)
        printf("\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", stdout);
    put(option->name);
    fputs("\\fR", stdout);
    if (option->value)
        printf(" \\fI%s\\fR", option->value);
    putchar('\n');
    put(option->help);
    put(options_default(option, value));
    putchar('\n');
}

void manual_print(const Command *const *commands, size_t count)
{
    printf(".TH GRADTAPE 1 \"\" \"gradtape %s\" \"User Commands\"\n", gt_version());
    puts(".SH NAME\ngradtape \\- trains models on tables, and looks into files\n"
         ".SH SYNOPSIS\n.B gradtape\n.I COMMAND\n[\\fIOPTIONS\\fR] ...\n.SH DESCRIPTION");
    for (size_t i = 0; i < count; i++) {
        printf(".SS \"gradtape %s [OPTIONS] %s\"\n", commands[i]->name, commands[i]->operands);
        put(commands[i]->summary);
        puts(".\n.PP");
        put(commands[i]->more);
        for (const Option *option = commands[i]->options; option->name; option++)
            put_option(option);
    }
    puts(".SH \"EXIT STATUS\"\n0: done; of diff: the same. 1: failed; of diff: they differ. 2: the "
         "command was written wrong;\n"
         "of diff: they cannot be compared.");
}

void completions_print(const Command *const *commands, size_t count)
{
    puts("# bash completion for gradtape\n_gradtape()\n{\n    local words=\n    case "
         "${COMP_WORDS[1]} in");
    for (size_t i = 0; i < count; i++) {
        printf("    %s) words=\"--help", commands[i]->name);
        for (const Option *option = commands[i]->options; option->name; option++)
            printf(" --%s", option->name);
        puts("\" ;;");
    }
    puts("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        words=\"help", stdout);
    for (size_t i = 0; i < count; i++)
        printf(" %s", commands[i]->name);
    puts("\"\n    elif [ \"${COMP_WORDS[1]}\" = help ]; then");
    fputs("        words=\"", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? " " : "", commands[i]->name);
    puts("\"\n    elif [[ $2 != -* ]]; then\n        return # files\n    fi\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$2\")\n}\n"
         "complete -o default -F _gradtape gradtape");
}
