/* Keras's own lists of names (oracle/keras_names.txt): each layer is the `keras` of a class in the
 * table of layers and has its function gt_NAME, each initializer, regularizer, constraint, loss,
 * metric, optimizer, schedule and activation has its function; or the name stands in keras_left_out.txt with what it is called
 * here or why there is none, or in keras_not_yet.txt. Both files shrink: a line for a name that
 * gradtape has is refused. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"
#include "texts.h"

enum { NAMES = 1024 };

typedef struct Name {
    const char *kind, *name; /* "layer", "AvgPool2D" */
    const char *of;          /* "AveragePooling2D": what it is another name of; NULL: of none */
} Name;

typedef struct Names {
    char *text;
    Name list[NAMES];
    int count;
} Names;

static char *headers; /* all of them, one behind the other */

/* Does a header declare this function, or its macro? */
static bool declared(const char *function)
{
    char text[128];
    snprintf(text, sizeof text, "#define %s(", function);
    if (strstr(headers, text))
        return true;
    snprintf(text, sizeof text, " %s(", function); /* gt_Initializer gt_Zeros(void); */
    for (const char *at = headers; (at = strstr(at, text)); at++) {
        const char *line = at;
        while (line > headers && line[-1] != '\n')
            line--;
        if (strncmp(line, "GT_API ", 7) == 0)
            return true;
    }
    return false;
}

static bool is_class(const char *name)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int i = 0; i < count; i++)
        if (table[i]->keras && strcmp(table[i]->keras, name) == 0)
            return true;
    return false;
}

/* Has gradtape this name as Keras writes it? */
static bool exists(const Name *name)
{
    char function[128];
    const char *bare = name->of ? name->of : name->name, *dot = strchr(bare, '.');
    snprintf(function, sizeof function, "gt_%s", dot ? dot + 1 : bare);
    if (strcmp(name->kind, "layer") == 0)
        return is_class(bare) && declared(function);
    if (strcmp(name->kind, "function") == 0) /* of layers, but for Input, they are names of operations */
        return (strcmp(bare, "layers.Input") == 0 || strncmp(bare, "losses.", 7) == 0 ||
                strncmp(bare, "metrics.", 8) == 0) &&
               declared(function);
    return declared(function);
}

/* A line "KIND NAME = gt_NAME": gt_ and Keras's name may then be something else, as gt_exponential
 * is, which draws random numbers. */
static bool is_renamed(const Name *line)
{
    return line->of && strncmp(line->of, "gt_", 3) == 0;
}

/* Splits lines of "KIND NAME" and what follows a separator. */
static void read_names(Names *names, const char *path)
{
    names->text = text_of_file(path);
    for (char *line = names->text, *next; line && *line; line = next) {
        next = end_line(line);
        if (*line == '#' || !*line)
            continue;
        Name *name = &names->list[names->count++];
        cr_assert(names->count < NAMES, "%s is too long", path);
        char *space = strchr(line, ' ');
        cr_assert(space, "%s: \"%s\" is no kind and name", path, line);
        *space = 0;
        char *end = space + 1 + strcspn(space + 1, " :");
        char *of = strncmp(end, " = ", 3) == 0           ? end + 3
                   : strncmp(end, ": because ", 10) == 0 ? end + 2
                                                         : NULL;
        cr_assert(!*end || of, "%s: \"%s%s\"", path, space + 1, end);
        *end = 0;
        *name = (Name){line, space + 1, of};
    }
}

static const Name *find(const Names *names, const Name *wanted)
{
    const Name *found = NULL;
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->list[i].kind, wanted->kind) == 0 &&
            strcmp(names->list[i].name, wanted->name) == 0) {
            cr_assert(!found, "%s %s stands in a list twice", wanted->kind, wanted->name);
            found = &names->list[i];
        }
    return found;
}

/* Every line is about a name of Keras that gradtape does not have as it is. */
static void check_lines(const Names *names, const Names *keras, const char *path)
{
    for (int i = 0; i < names->count; i++) {
        const Name *name = &names->list[i], *known = find(keras, name);
        cr_expect(known, "%s: Keras has no %s %s", path, name->kind, name->name);
        cr_expect(!known || !known->of, "%s: %s %s is another name of %s, which is enough", path,
                  name->kind, name->name, known ? known->of : "");
        if (is_renamed(name))
            cr_expect(declared(name->of), "%s: no header declares %s", path, name->of);
        else
            cr_expect(!known || !exists(known), "%s: gradtape has %s %s; take the line away", path,
                      name->kind, name->name);
    }
}

Test(contract_names, every_name_of_keras)
{
    static Names keras, left_out, not_yet;
    headers = texts_of_folder("", ".h");
    read_names(&keras, "tests/oracle/keras_names.txt");
    read_names(&left_out, "tests/keras_left_out.txt");
    read_names(&not_yet, "tests/keras_not_yet.txt");
    cr_assert(keras.count > 250);
    check_lines(&left_out, &keras, "tests/keras_left_out.txt");
    check_lines(&not_yet, &keras, "tests/keras_not_yet.txt");
    int have = 0, other = 0;
    for (int i = 0; i < keras.count; i++) {
        const Name *name = &keras.list[i];
        Name first = {name->kind, name->of ? name->of : name->name, NULL};
        const Name *out = find(&left_out, &first), *late = find(&not_yet, &first);
        bool here = exists(name) && !(out && is_renamed(out));
        cr_expect(here + !!out + !!late == 1,
                  "%s %s: %s; in keras_left_out.txt: %s, in keras_not_yet.txt: %s", name->kind,
                  name->name, here ? "gradtape has it" : "gradtape does not have it",
                  out ? "yes" : "no", late ? "yes" : "no");
        have += here;
        other += out != NULL;
    }
    fprintf(stderr,
            "%d names of Keras: gradtape has %d, %d stand in keras_left_out.txt, %d are not yet "
            "there\n",
            keras.count, have, other, keras.count - have - other);
    free(headers);
    free(keras.text);
    free(left_out.text);
    free(not_yet.text);
}

/* Every class that says it is one of Keras's is, by its name. */
static void check_class(const Names *keras, const char *kind, const char *ours, const char *theirs)
{
    const Name name = {kind, theirs, NULL};
    if (theirs)
        cr_expect(find(keras, &name), "%s: Keras has no %s %s", ours, kind, theirs);
}

Test(contract_names, every_class)
{
    static Names keras;
    int layers, losses, metrics, optimizers, schedules;
    const gt_LayerClass *const *table = gt_layer_classes(&layers);
    const gt_LossClass *const *loss = gt_loss_classes(&losses);
    const gt_MetricClass *const *metric = gt_metric_classes(&metrics);
    const gt_OptimizerClass *const *optimizer = gt_optimizer_classes(&optimizers);
    const gt_ScheduleClass *const *schedule = gt_schedule_classes(&schedules);
    read_names(&keras, "tests/oracle/keras_names.txt");
    for (int i = 0; i < layers; i++)
        if (!(table[i]->flags & GT_LAYER_CONTAINER)) /* those are models there */
            check_class(&keras, "layer", table[i]->name, table[i]->keras);
    for (int i = 0; i < losses; i++)
        check_class(&keras, "loss", loss[i]->name, loss[i]->keras);
    for (int i = 0; i < metrics; i++)
        check_class(&keras, "metric", metric[i]->name, metric[i]->keras);
    for (int i = 0; i < optimizers; i++)
        check_class(&keras, "optimizer", optimizer[i]->name, optimizer[i]->keras);
    for (int i = 0; i < schedules; i++)
        check_class(&keras, "schedule", schedule[i]->name, schedule[i]->keras);
    free(keras.text);
}
