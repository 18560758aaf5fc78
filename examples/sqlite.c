/* Training in SQL: an extension that the program sqlite3, and whatever else speaks SQLite, loads.
 *
 *     .load build/examples/gradtape_sqlite
 *     SELECT gt_train('iris', 'species');                    accuracy on rows that were held out
 *     SELECT species, gt_predict('iris', a, b, c, d) FROM iris;
 *
 * gt_train(table, label) learns to tell the column `label` from the others, which hold numbers. Rows with a NULL are left
 * out. The model stays in the connection under the table's name; gt_predict gets the other columns in the table's
 * order and returns the label as text. examples/sqlite.sql is a session.
 *
 * An extension is a guest in a process that it knows nothing of. So everything of gradtape lives in a context of this
 * connection, which is current only while one of the two functions runs, and is freed with the connection.
 */
#include <gradtape.h>
#include <sqlite3ext.h>

#include <string.h>

SQLITE_EXTENSION_INIT1

/* A function of SQLite accepts 127 arguments, of which one is the model. */
enum { MAX_MODELS = 64, MAX_CLASSES = 256, MAX_COLUMNS = 126, EPOCHS = 60 };

typedef struct {
    gt_Context *context;
    int count;
    struct {
        char *table;
        gt_Layer *layer;
        int columns; /* that it predicts from */
    } models[MAX_MODELS];
} Connection;

/* The rows of a table: x (rows, columns), the index of the label of each, the labels by name. */
typedef struct {
    int columns, classes;
    int64_t rows, room;
    float *x;
    int32_t *y;
    char *names[MAX_CLASSES + 1]; /* and GT_LIST_END */
} Table;

static void table_free(Table *self)
{
    for (int i = 0; i < self->classes; i++)
        sqlite3_free(self->names[i]);
    sqlite3_free(self->x);
    sqlite3_free(self->y);
}

/* The index of a label, which is a new one if need be; -1 with an error. */
static int32_t class_of(Table *self, const char *name)
{
    for (int i = 0; i < self->classes; i++)
        if (strcmp(self->names[i], name) == 0)
            return i;
    if (self->classes == MAX_CLASSES) {
        gt_fail(GT_INVALID, "expected at most %d labels; is this column a label?", MAX_CLASSES);
        return -1;
    }
    if (!(self->names[self->classes] = sqlite3_mprintf("%s", name))) {
        gt_fail(GT_NO_MEMORY, "no memory for the labels");
        return -1;
    }
    return self->classes++;
}

static bool grow(Table *self)
{
    int64_t room = self->room ? 2 * self->room : 256;
    float *x = sqlite3_realloc64(self->x, (uint64_t)room * (uint64_t)self->columns * sizeof *x);
    self->x = x ? x : self->x;
    int32_t *y = sqlite3_realloc64(self->y, (uint64_t)room * sizeof *y);
    self->y = y ? y : self->y;
    if (!x || !y)
        return gt_fail(GT_NO_MEMORY, "no memory for %lld rows", (long long)room) == GT_OK;
    self->room = room;
    return true;
}

static bool is_number(sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* Appends the row where the statement is, unless a cell is NULL. */
static void add_row(Table *self, sqlite3_stmt *statement, int label)
{
    for (int i = 0; i <= self->columns; i++)
        if (sqlite3_column_type(statement, i) == SQLITE_NULL)
            return;
    if (self->rows == self->room && !grow(self))
        return;
    float *x = self->x + self->rows * self->columns;
    for (int i = 0; i <= self->columns; i++) {
        if (i == label)
            continue;
        if (!is_number(sqlite3_column_value(statement, i))) {
            gt_fail(GT_INVALID, "column %s: expected numbers (got \"%s\")",
                    sqlite3_column_name(statement, i),
                    (const char *)sqlite3_column_text(statement, i));
            return;
        }
        *x++ = (float)sqlite3_column_double(statement, i);
    }
    const char *name = (const char *)sqlite3_column_text(statement, label);
    self->y[self->rows] = name ? class_of(self, name) : -1;
    self->rows++;
}

/* Reads a whole table. A name in double quotes is a name, whatever is in it; %w doubles the quotes inside. */
static gt_Status read_table(Table *self, sqlite3 *database, const char *table, const char *label)
{
    sqlite3_stmt *statement = NULL;
    char *text = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    int result = text ? sqlite3_prepare_v2(database, text, -1, &statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(text);
    if (result != SQLITE_OK)
        return gt_fail(GT_INVALID, "%s", sqlite3_errmsg(database));
    int at = 0, columns = sqlite3_column_count(statement);
    while (at < columns && sqlite3_stricmp(sqlite3_column_name(statement, at), label) != 0)
        at++;
    self->columns = columns - 1;
    if (at == columns)
        gt_fail(GT_INVALID, "table %s has no column %s", table, label);
    else if (columns < 2)
        gt_fail(GT_INVALID, "table %s has no column beside %s", table, label);
    else if (columns - 1 > MAX_COLUMNS)
        gt_fail(GT_INVALID, "expected at most %d columns beside %s (got %d)", MAX_COLUMNS, label,
                columns - 1);
    while (gt_status() == GT_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
        add_row(self, statement, at);
    if (gt_status() == GT_OK && result != SQLITE_DONE)
        gt_fail(GT_INVALID, "%s", sqlite3_errmsg(database));
    if (gt_status() == GT_OK && self->rows < 10)
        gt_fail(GT_INVALID, "expected at least 10 rows without NULL (got %lld)",
                (long long)self->rows);
    sqlite3_finalize(statement);
    return gt_status();
}

/* A trained model, and its accuracy on the fifth of the rows that it did not see. */
static gt_Layer *learn(Table *table, double *accuracy)
{
    gt_Dataset *train = NULL, *test = NULL;
    gt_Dataset *all = gt_dataset_from_tensors(
        gt_from_buffer(table->x, gt_shape(table->rows, table->columns), GT_FLOAT32),
        gt_from_buffer(table->y, gt_shape(table->rows), GT_INT32));
    gt_dataset_split(all, 0.8, &train, &test, .seed = 1);

    gt_Layer *normalize = gt_Normalization();
    gt_adapt(normalize, train); /* the columns may be of any scale */
    gt_Layer *model =
        gt_Sequential(normalize, gt_Dense(32, .activation = gt_relu), gt_Dense(table->classes));
    table->names[table->classes] = GT_LIST_END;
    gt_set_class_names_at(GT_HERE, model, (gt_Names){(const char *const *)table->names});
    gt_compile(model, .optimizer = gt_Adam(0.01),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_history_free(gt_fit(model, train, .epochs = EPOCHS, .verbose = GT_VERBOSITY_SILENT));
    *accuracy = gt_evaluate(model, test).metrics[0];

    gt_dataset_free(all);
    gt_dataset_free(train);
    gt_dataset_free(test);
    return model;
}

static int find(const Connection *self, const char *table)
{
    int i = 0;
    while (i < self->count && sqlite3_stricmp(self->models[i].table, table) != 0)
        i++;
    return i;
}

/* Keeps a model under the name of its table, in place of the one before. */
static gt_Status keep(Connection *self, const char *table, gt_Layer *layer, int columns)
{
    int at = find(self, table);
    if (at == MAX_MODELS)
        return gt_fail(GT_INVALID, "expected at most %d models in a connection", MAX_MODELS);
    if (at == self->count) {
        if (!(self->models[at].table = sqlite3_mprintf("%s", table)))
            return gt_fail(GT_NO_MEMORY, "no memory for the name of a model");
        self->count++;
    } else {
        gt_layer_free(self->models[at].layer);
    }
    self->models[at].layer = layer;
    self->models[at].columns = columns;
    return GT_OK;
}

/* Around each of the two functions: the connection's context, and what is pending in it as the error of the statement. */
typedef struct {
    gt_Context *before;
    gt_Scope *scope;
} Visit;

static Visit enter(const Connection *self)
{
    Visit visit = {gt_context_use(self->context), NULL};
    visit.scope = gt_scope_begin();
    return visit;
}

static void leave(Visit visit, sqlite3_context *call)
{
    if (gt_status() != GT_OK) {
        sqlite3_result_error(call, gt_error_message(), -1);
        gt_error_clear();
    }
    gt_scope_end(visit.scope);
    gt_context_use(visit.before);
}

static void sql_train(sqlite3_context *call, int count, sqlite3_value **arguments)
{
    (void)count; /* SQLite sees to it that there are two */
    Connection *self = sqlite3_user_data(call);
    const char *table = (const char *)sqlite3_value_text(arguments[0]);
    const char *label = (const char *)sqlite3_value_text(arguments[1]);
    if (!table || !label) {
        sqlite3_result_error(call, "gt_train: expected a table and its column of labels (got NULL)",
                             -1);
        return;
    }
    Visit visit = enter(self);
    Table rows = {0};
    double accuracy = 0;
    if (read_table(&rows, sqlite3_context_db_handle(call), table, label) == GT_OK) {
        gt_Layer *model = learn(&rows, &accuracy);
        if (gt_status() == GT_OK && keep(self, table, model, rows.columns) == GT_OK)
            sqlite3_result_double(call, accuracy);
        else
            gt_layer_free(model);
    }
    table_free(&rows);
    leave(visit, call);
}

static void sql_predict(sqlite3_context *call, int count, sqlite3_value **arguments)
{
    Connection *self = sqlite3_user_data(call);
    const char *table = count ? (const char *)sqlite3_value_text(arguments[0]) : NULL;
    int at = table ? find(self, table) : self->count;
    Visit visit = enter(self);
    float x[MAX_COLUMNS];
    bool known = true; /* a NULL among the columns predicts NULL, as SQL's operators do */
    if (at == self->count)
        gt_fail(GT_INVALID, "gt_predict: no model \"%s\"; gt_train makes one", table ? table : "");
    else if (count - 1 != self->models[at].columns)
        gt_fail(GT_INVALID, "gt_predict: model \"%s\" expects %d columns (got %d)", table,
                self->models[at].columns, count - 1);
    for (int i = 1; i < count && gt_status() == GT_OK; i++) {
        if (sqlite3_value_type(arguments[i]) == SQLITE_NULL)
            known = false;
        else if (!is_number(arguments[i]))
            gt_fail(GT_INVALID, "gt_predict: column %d: expected a number (got \"%s\")", i,
                    (const char *)sqlite3_value_text(arguments[i]));
        x[i - 1] = (float)sqlite3_value_double(arguments[i]);
    }
    if (known && gt_status() == GT_OK) {
        gt_Layer *model = self->models[at].layer;
        gt_Tensor *scores = gt_call(model, gt_from_buffer(x, gt_shape(1, count - 1), GT_FLOAT32));
        gt_Tensor *best = gt_argmax(scores, .axis = -1);
        const char *name = best ? gt_class_name(model, (int)gt_item(best)) : NULL;
        sqlite3_result_text(call, name, -1, SQLITE_TRANSIENT);
    }
    leave(visit, call);
}

/* The connection closes. */
static void forget(void *user)
{
    Connection *self = user;
    for (int i = 0; i < self->count; i++)
        sqlite3_free(self->models[i].table);
    gt_context_free(self->context); /* and all models in it */
    sqlite3_free(self);
}

/* SQLite calls it when the extension is loaded; the name is SQLite's. */
#ifdef _WIN32
__declspec(dllexport)
#endif
    int sqlite3_extension_init(sqlite3 *database, char **message, const sqlite3_api_routines *api);
int sqlite3_extension_init(sqlite3 *database, char **message, const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api);
    Connection *self = sqlite3_malloc(sizeof *self);
    gt_Context *context = gt_context_create(.seed = 1); /* the same table gives the same model */
    if (!self || !context) {
        sqlite3_free(self);
        if (context)
            gt_context_free(context);
        *message = sqlite3_mprintf("gradtape: no memory");
        return SQLITE_NOMEM;
    }
    *self = (Connection){.context = context};
    /* A trigger or a view of a file from elsewhere may predict, and not train. The first function owns the connection. */
    int result =
        sqlite3_create_function_v2(database, "gt_train", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, self,
                                   sql_train, NULL, NULL, forget);
    if (result == SQLITE_OK)
        result = sqlite3_create_function_v2(database, "gt_predict", -1, SQLITE_UTF8, self,
                                            sql_predict, NULL, NULL, NULL);
    return result;
}
