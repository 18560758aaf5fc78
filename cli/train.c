/* gradtape train: a table, a model, a report. */
#include "cli/model.h"
#include "cli/network.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Reading reading = {.x = "x", .missing = "median", .decimal = ".", .max_categories = 64};
static struct {
    const char *task, *output, *history, *curves;
    int64_t epochs, patience, batch, seed, threads;
    double held_out, validation;
    bool quiet, live;
} given = {.task = "auto",
           .epochs = -1,
           .patience = -1,
           .batch = -1,
           .seed = 1,
           .threads = -1,
           .held_out = 0.2,
           .validation = 0.1};
static Network network = {.rate = 1e-3};

static const Option options[] = {
    {"label", 'l', OPTION_TEXT, &reading.label, "NAME",
     "the column to predict, by name or number from 0; none: the last"},
    {"labels", 0, OPTION_TEXT, &reading.labels, "FILE",
     "a second file, which has the labels alone"},
    {"task", 0, OPTION_TEXT, &given.task, "TASK", "classes or numbers"},
    {"output", 'o', OPTION_TEXT, &given.output, "FILE",
     "of the model; none: TABLE.gradtape in this folder"},
    {"epochs", 'e', OPTION_INTEGER, &given.epochs, "N",
     "times through the rows at most; none: 20 to 500, fewer the more rows"},
    {"patience", 0, OPTION_INTEGER, &given.patience, "N",
     "ends after N epochs without progress; none: 5 to 50"},
    {"layers", 0, OPTION_LIST, &network.layers, "N,N", "units of the hidden layers (128,128)"},
    {"dropout", 0, OPTION_NUMBER, &network.dropout, "RATE", "after each hidden layer, below 1"},
    {"model", 'm', OPTION_JSON, &network.model, "FILE",
     "an architecture instead: JSON of gradtape info --json, or another model"},
    {"optimizer", 0, OPTION_JSON, &network.optimizer, "NAME",
     "such as sgd or adamw, or JSON with its options; none: adam"},
    {"loss", 0, OPTION_JSON, &network.loss, "NAME",
     "or JSON with its options; none: what fits the labels"},
    {"metrics", 0, OPTION_LIST, &network.metrics, "A,B", "that are measured besides"},
    {"rate", 'r', OPTION_NUMBER, &network.rate, "RATE", "learning rate of the optimizer"},
    {"batch", 'b', OPTION_INTEGER, &given.batch, "N",
     "rows of a step; none: 32, above 10000 rows 128"},
    {"seed", 's', OPTION_INTEGER, &given.seed, "N", "of all draws: the same seed, the same model"},
    {"held-out", 0, OPTION_NUMBER, &given.held_out, "PART", "of the rows, for the report alone"},
    {"validation", 0, OPTION_NUMBER, &given.validation, "PART", "of the rows, to say when to stop"},
    {"columns", 0, OPTION_LIST, &reading.columns, "A,B", "inputs; none: all other columns"},
    {"without", 0, OPTION_LIST, &reading.without, "A,B", "columns that are left out"},
    {"categories", 0, OPTION_LIST, &reading.categories, "A,B",
     "columns of numbers that are categories"},
    {"max-categories", 0, OPTION_INTEGER, &reading.max_categories, "N",
     "that a column of text may have"},
    {"missing", 0, OPTION_TEXT, &reading.missing, "HOW",
     "empty cells: median, mean, drop or error"},
    {"na", 0, OPTION_LIST, &reading.na, "WORD,WORD", "words for an empty cell, such as ?"},
    {"decimal", 0, OPTION_TEXT, &reading.decimal, "C", "the point of numbers: . or ,"},
    {"skip-rows", 0, OPTION_INTEGER, &reading.skip_rows, "N", "lines before the first row"},
    {"x", 0, OPTION_TEXT, &reading.x, "NAME",
     "of an NPZ file, the array of inputs; --label names the other"},
    {"history", 0, OPTION_TEXT, &given.history, "FILE", "the numbers of each epoch, .csv or .json"},
    {"curves", 0, OPTION_TEXT, &given.curves, "FILE", "a picture of them, .svg"},
    {"threads", 0, OPTION_INTEGER, &given.threads, "N", "none: as many as there are cores"},
    {"live", 0, OPTION_FLAG, &given.live, NULL,
     "the loss as a curve in the terminal, instead of the bar"},
    {"quiet", 'q', OPTION_FLAG, &given.quiet, NULL, "no progress"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

#define FEWEST_ROWS 10

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- what is asked for ---- */

static bool check_options(const char *path)
{
    const char *wrong =
        given.epochs != -1 && given.epochs < 1        ? "--epochs must be at least 1"
        : given.patience != -1 && given.patience < 1  ? "--patience must be at least 1"
        : given.batch != -1 && given.batch < 1        ? "--batch must be at least 1"
        : given.threads != -1 && given.threads < 1    ? "--threads must be at least 1"
        : network.rate <= 0                           ? "--rate must be above 0"
        : network.dropout < 0 || network.dropout >= 1 ? "--dropout must be from 0 to below 1"
        : given.held_out <= 0 || given.held_out > 0.9 ? "--held-out must be above 0, at most 0.9"
        : given.validation <= 0 || given.validation > 0.9
            ? "--validation must be above 0, at most 0.9"
        : given.held_out + given.validation > 0.95 ? "--held-out and --validation leave too few rows to train on"
        : given.curves && !ends_with(given.curves, ".svg") ? "--curves must end with .svg"
        : reading.max_categories < 1      ? "--max-categories must be at least 1"
        : reading.skip_rows < 0           ? "--skip-rows must not be negative"
        : !good_decimal(reading.decimal)  ? DECIMAL_WORDS
        : reading.labels && reading.label ? "--label and --labels exclude each other"
        : reading.labels && strcmp(reading.missing, "drop") == 0
            ? "--missing drop does not go with --labels"
        : given.live && given.quiet ? "--live and --quiet exclude each other"
        : network.model && (network.layers.count > 0 || network.dropout > 0)
            ? "--model has layers of its own: --layers and --dropout do not go with it"
            : NULL;
    reading.path = path;
    reading.task = strcmp(given.task, "auto") == 0      ? TASK_AUTO
                   : strcmp(given.task, "classes") == 0 ? TASK_CLASSES
                                                        : TASK_NUMBERS;
    if (reading.task == TASK_NUMBERS && strcmp(given.task, "numbers") != 0)
        wrong = "--task must be classes or numbers";
    gt_Missing missing;
    if (!rows_missing(reading.missing, &missing))
        wrong = MISSING_WORDS;
    for (int i = 0; i < network.layers.count; i++) {
        char *end;
        long units = strtol(network.layers.words[i], &end, 10);
        if (*end || units < 1 || units > 1000000)
            wrong = "--layers expects positive integers with commas between them, such as 64,32";
    }
    return !wrong || (misuse("%s", wrong), false);
}

/* "iris.csv.gz" gives "iris.gradtape", in this folder. */
static const char *output_path(void)
{
    static char path[1024];
    if (given.output)
        return given.output;
    const char *name = strrchr(reading.path, '/');
    name = name ? name + 1 : reading.path;
    snprintf(path, sizeof path, "%.*s.gradtape",
             (int)(name[0] == '.' ? strlen(name) : strcspn(name, ".")), name);
    return path;
}

/* Better known before the training than after it. */
static bool can_write_all(void)
{
    const char *const outputs[] = {output_path(), given.history, given.curves};
    output_spares(reading.path);
    output_spares(reading.labels);
    for (int i = 0; i < 3; i++) {
        if (outputs[i] && !output_free(outputs[i]))
            return false;
        output_spares(outputs[i]);
    }
    return true;
}

/* ---- rows to train on, to validate with, and held out ---- */

typedef struct Order {
    double label, draw;
    int64_t row;
} Order;

static int compare(const void *a, const void *b)
{
    const Order *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->draw > y->draw) - (x->draw < y->draw);
}

static uint64_t draws;

static double draw(void) /* splitmix64 (Steele, Lea, Flood 2014) */
{
    uint64_t z = draws += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

typedef struct Part {
    int64_t *rows;
    int64_t count;
    gt_Tensor *x, *y;
} Part;
enum { TRAIN, VALIDATION, HELD_OUT, PARTS };

static bool take_part(const Rows *rows, Part *part)
{
    gt_Tensor *index = gt_from_data(part->rows, gt_shape(part->count), GT_INT64);
    part->x = gt_take(rows->x, index);
    part->y = gt_take(rows->y, index);
    return part->y != NULL;
}

/* Deals the rows out in the order of their labels, so that each part has its share of every class, and of large and small
 * numbers. False: told or raised. */
static bool deal(const Rows *rows, Part parts[PARTS])
{
    const double shares[PARTS] = {0, given.validation, given.held_out};
    double owed[PARTS] = {0};
    int64_t n = rows->count;
    Order *order = malloc((size_t)n * sizeof *order);
    int64_t *numbers = malloc((size_t)n * PARTS * sizeof *numbers);
    bool ok = order && numbers;
    draws = (uint64_t)given.seed;
    for (int p = 0; p < PARTS; p++) {
        parts[p] = (Part){.rows = numbers + p * n};
        owed[p] = draw();
    }
    for (int64_t i = 0; ok && i < n; i++)
        order[i] = (Order){gt_element(rows->y, i), draw(), i};
    if (ok)
        qsort(order, (size_t)n, sizeof *order, compare);
    for (int64_t i = 0; ok && i < n; i++) {
        int to = TRAIN;
        for (int p = VALIDATION; p < PARTS; p++) {
            owed[p] += shares[p];
            if (to == TRAIN && owed[p] >= 1)
                owed[to = p] -= 1;
        }
        parts[to].rows[parts[to].count++] = order[i].row;
    }
    for (int p = 0; ok && p < PARTS; p++)
        if (parts[p].count == 0 || n < FEWEST_ROWS) {
            fail("%s: %lld rows are too few for rows to train on, to validate with and to hold out",
                 reading.path, (long long)n);
            ok = false;
        }
    for (int p = 0; ok && p < PARTS; p++)
        ok = take_part(rows, &parts[p]);
    free(order);
    free(numbers);
    return ok;
}

/* Names, keys, and numbers with decimal commas that nobody spoke of. */
static void warn_of_texts(const Rows *rows)
{
    gt_Dataset *table = rows->table;
    for (int k = 0; table && k < rows->columns; k++) {
        int texts = gt_dataset_category_count(table, k);
        if (texts > 10 && 2 * (int64_t)texts > rows->count)
            fail("warning: column \"%s\" (%d) has %d different texts in %lld rows: --without "
                 "leaves it out; "
                 "--decimal , reads 1,5 as a number",
                 gt_dataset_column_name(table, k), k, texts, (long long)rows->count);
    }
}

static bool labels_differ(gt_Tensor *y)
{
    int64_t count = gt_size(y);
    for (int64_t i = 1; i < count; i++)
        if (gt_element(y, i) != gt_element(y, 0))
            return true;
    fail("%s: all labels are the same", reading.path);
    return false;
}

/* ---- training ---- */

static int64_t within(int64_t number, int64_t least, int64_t most)
{
    return number < least ? least : number > most ? most : number;
}

static gt_History *train(gt_Layer *model, const Part parts[PARTS])
{
    int64_t count = parts[TRAIN].count;
    int64_t epochs = given.epochs > 0 ? given.epochs : within(1000000 / count, 20, 500);
    int64_t patience = given.patience > 0 ? given.patience : within(20000 / count, 5, 50);
    int64_t batch = given.batch > 0 ? given.batch : count > 10000 ? 128 : 32;
    gt_Dataset *rows = gt_dataset_from_tensors(parts[TRAIN].x, parts[TRAIN].y, .batch_size = batch);
    gt_Dataset *validation =
        gt_dataset_from_tensors(parts[VALIDATION].x, parts[VALIDATION].y, .batch_size = 256);
    signal(SIGINT, interrupt);
    gt_Callback *stopping =
        gt_EarlyStopping(.patience = (int32_t)within(patience, 1, INT32_MAX), .restore_best_weights = true);
    return gt_fit(model, rows, .epochs = epochs, .validation = validation, .stop = &interrupted,
                  .verbose = given.quiet || given.live ? GT_VERBOSITY_SILENT : GT_VERBOSITY_AUTO,
                  .callbacks =
                      given.live ? gt_callbacks(stopping, gt_LiveCurve()) : gt_callbacks(stopping));
}

/* Weights that no loss could be computed with are no model. */
static bool has_learned(const gt_History *history)
{
    int epochs = (int)gt_history_epoch_count(history);
    for (int i = 0; i < epochs; i++)
        if (isfinite(gt_history_get(history, "loss", i)))
            return true;
    if (epochs > 0)
        fail("the loss was not finite in any epoch: a smaller --rate may help; no model is saved");
    return epochs == 0;
}

/* ---- the report ---- */

/* How often the class that is most frequent in training is right. */
static double frequent_class(const Rows *rows, const Part parts[PARTS])
{
    int64_t counts[MAX_LIST] = {0}, right = 0;
    int best = 0;
    for (int64_t i = 0; i < parts[TRAIN].count; i++)
        counts[(int)gt_element(parts[TRAIN].y, i)]++;
    for (int k = 1; k < rows->classes.count; k++)
        if (counts[k] > counts[best])
            best = k;
    for (int64_t i = 0; i < parts[HELD_OUT].count; i++)
        right += (int)gt_element(parts[HELD_OUT].y, i) == best;
    return (double)right / (double)parts[HELD_OUT].count;
}

static void report(const Rows *rows, const Part parts[PARTS], gt_Layer *model,
                   const gt_History *history)
{
    gt_Scores scores =
        gt_evaluate(model, parts[HELD_OUT].x, .y = parts[HELD_OUT].y, .batch_size = 256);
    if (gt_status() != GT_OK)
        return;
    gt_Shape shape = gt_tensor_shape(rows->x);
    printf("rows       %lld: %lld to train on, %lld to validate with, %lld held out\n",
           (long long)rows->count, (long long)parts[TRAIN].count,
           (long long)parts[VALIDATION].count, (long long)parts[HELD_OUT].count);
    char text[64];
    if (rows->table && rows->columns != shape.dims[1])
        printf("columns    %d, which became %lld: one for each category\n", rows->columns,
               (long long)shape.dims[1]);
    else if (shape.rank == 2)
        printf("columns    %lld\n", (long long)shape.dims[1]);
    else
        printf("inputs     %s\n",
               gt_shape_text(gt_shape_of(shape.rank - 1, shape.dims + 1), text, sizeof text));
    if (rows->task == TASK_CLASSES) {
        printf("classes    %d:", rows->classes.count);
        for (int i = 0; i < rows->classes.count && i < 12; i++)
            printf(" %s", rows->classes.words[i]);
        printf("%s\n", rows->classes.count > 12 ? " ..." : "");
    } else {
        puts("labels     numbers");
    }
    printf("epochs     %lld%s\n", (long long)gt_history_epoch_count(history),
           interrupted ? ", interrupted" : "");
    if (rows->task == TASK_CLASSES)
        printf("accuracy   %.4f on the rows held out (the most frequent class alone: %.4f)\n",
               scores.metrics[0], frequent_class(rows, parts));
    else
        printf("R2         %.4f on the rows held out (their mean alone: 0)\n", scores.metrics[0]);
    for (int i = 1; i < scores.count; i++)
        printf("%-10s %.4f\n", scores.names[i], scores.metrics[i]);
}

static gt_Status save(gt_Layer *model, const Rows *rows, gt_History *history)
{
    const char *path = output_path();
    const char *recipe = rows_recipe(&reading, rows);
    if (!recipe || (rows->spread && gt_set_table(model, rows->spread) != GT_OK))
        return GT_INVALID;
    gt_Status status = model_save(model, path, recipe);
    if (given.history && status == GT_OK)
        status = gt_save_history(given.history, history);
    if (given.curves && status == GT_OK)
        status = gt_save_picture(gt_plot_history(history), given.curves);
    if (status == GT_OK)
        printf("model      %s: gradtape predict %s TABLE\n", path, path);
    return status;
}

static int run(const char **operands)
{
    Rows rows;
    Part parts[PARTS];
    static const char *path; /* of a file it is kept, also when the file is wrong */
    path = operands[0];
    if (ends_with(path, ".json")) {
        if (!options_read_file(options, operands[0], "table", &path))
            return EXIT_FAILURE;
        if (!path)
            return fail("%s: expected \"table\", the path of the rows", operands[0]);
    }
    if (!check_options(path))
        return EXIT_USAGE;
    network.rate_given = options_has(options, &network.rate);
    gt_set_seed((uint64_t)given.seed);
    if (given.threads > 0)
        gt_set_threads((int)within(given.threads, 1, INT32_MAX));
    if (!can_write_all() || !rows_read(&reading, &rows) || !labels_differ(rows.y) ||
        !deal(&rows, parts))
        return EXIT_FAILURE;
    warn_of_texts(&rows);
    gt_Layer *model = network_make(&network, &rows, parts[TRAIN].x, parts[TRAIN].y);
    gt_History *history = model ? train(model, parts) : NULL;
    if (!history || !has_learned(history))
        return EXIT_FAILURE;
    report(&rows, parts, model, history);
    if (gt_status() != GT_OK || save(model, &rows, history) != GT_OK)
        return EXIT_FAILURE;
    return finish_output(stdout, "standard output");
}

const Command train_command = {
    .name = "train",
    .operands = "TABLE",
    .operand_count = 1,
    .summary = "Trains a model on a table and saves it",
    .more = "TABLE is a CSV file as it comes (also compressed with gzip), an NPZ file, or an IDX "
            "file whose labels are\n"
            "another (--labels). Labels that are text or few different integers are classes, "
            "others are numbers. Columns\n"
            "are scaled, text becomes columns of 0 and 1, empty cells become medians, and all of "
            "that is kept in the\n"
            "model. Rows are held out for the report; the model ends with the weights that were "
            "best in validation.\n"
            "Ctrl-C ends the training and keeps what there is.\n"
            "\n"
            "TABLE may also be a JSON file with \"table\" and any of the options as its members, "
            "and an "
            "architecture as\n"
            "\"model\"; options of the command line come first:\n"
            "  {\"table\": \"my.csv\", \"label\": \"species\", \"optimizer\": \"sgd\"}\n",
    .options = options,
    .run = run,
};
