/* Models as boxes and arrows: a model lists its rows, as for a summary; each becomes a box, and an arrow leads to it
 * from each row that it names, in a plain chain from the row before. With expand_nested a model in the model lists
 * its own rows in its place: arrows to it lead to its inputs, arrows from it come from its ends. */
#include "pictures/model.h"
#include "core/text.h"
#include "layers/summary.h"
#include "layers/table.h"
#include "models/fields.h"
#include "pictures/diagram.h"

#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_plot_model_options, gt_plot_model_OPTIONS);

enum { NAME = 160, SHAPES = 400, DTYPES = 100 };

/* A row: a box, or the boxes of a model that was expanded. */
typedef struct Row {
    char name[NAME], type[NAME], shapes[SHAPES], dtypes[DTYPES];
    const gt_Layer *layer;
    int32_t first, last;   /* boxes from `first` on, before `last` */
    int32_t inputs, input; /* names of inputs from `input` on */
} Row;

typedef struct Input {
    char name[NAME];
} Input;

typedef struct Rows {
    gt_Context *context;
    Row *items;
    Input *names; /* of inputs, row by row */
    int32_t count, capacity, name_count, name_capacity, outputs;
    bool named; /* does any row name its inputs? */
} Rows;

/* ---- what the model lists ---- */

static void begin_row(void *user, const gt_Layer *layer, const char *name, const char *type)
{
    Rows *rows = user;
    if (gt_context_status(rows->context) != GT_OK ||
        !gt_reserve(rows->context, (void **)&rows->items, rows->count, &rows->capacity,
                    sizeof *rows->items))
        return;
    Row *row = &rows->items[rows->count];
    *row = (Row){.layer = layer, .input = rows->name_count};
    gt_text(row->name, NAME, "%.150s", name);
    gt_text(row->type, NAME, "%.150s", type);
    rows->outputs = 0;
}

/* Adds to a text as much as fits. */
static void append(char *text, size_t room, const char *more)
{
    const size_t used = strlen(text);
    gt_text(text + used, room - used, "%s", more);
}

static void put_spec(char *text, size_t room, const gt_Spec *spec, bool any_batch)
{
    char size[32];
    if (spec->dtype == GT_DTYPE_NONE || spec->rank < 0) {
        append(text, room, spec->rank < 0 ? "multiple" : "?");
        return;
    }
    append(text, room, "(");
    for (int d = 0; d < spec->rank; d++) {
        gt_text(size, sizeof size, "%s%lld", d ? ", " : "", (long long)spec->dims[d]);
        if (spec->dims[d] < 0 || (d == 0 && any_batch))
            gt_text(size, sizeof size, "%sNone", d ? ", " : "");
        append(text, room, size);
    }
    append(text, room, spec->rank == 1 ? ",)" : ")");
}

static void row_output(void *user, const gt_Spec *spec, bool any_batch)
{
    Rows *rows = user;
    if (gt_context_status(rows->context) != GT_OK)
        return;
    Row *row = &rows->items[rows->count];
    if (rows->outputs++ > 0) {
        append(row->shapes, SHAPES, ", ");
        append(row->dtypes, DTYPES, ", ");
    }
    put_spec(row->shapes, SHAPES, spec, any_batch);
    append(row->dtypes, DTYPES, spec->dtype == GT_DTYPE_NONE ? "?" : gt_dtype_name(spec->dtype));
}

static void row_from(void *user, const char *name, int32_t call, const char *output)
{
    Rows *rows = user;
    (void)call;
    (void)output;
    rows->named = true;
    if (gt_context_status(rows->context) != GT_OK ||
        !gt_reserve(rows->context, (void **)&rows->names, rows->name_count, &rows->name_capacity,
                    sizeof *rows->names))
        return;
    gt_text(rows->names[rows->name_count++].name, NAME, "%.150s", name);
    rows->items[rows->count].inputs++;
}

static void bracket(char *text, size_t room)
{
    const size_t used = strlen(text);
    if (used + 3 > room)
        return;
    memmove(text + 1, text, used);
    text[0] = '[';
    memcpy(text + used + 1, "]", 2);
}

/* Several outputs stand in brackets. */
static void end_row(void *user)
{
    Rows *rows = user;
    if (rows->outputs > 1 && gt_context_status(rows->context) == GT_OK) {
        bracket(rows->items[rows->count].shapes, SHAPES);
        bracket(rows->items[rows->count].dtypes, DTYPES);
    }
    rows->count += gt_context_status(rows->context) == GT_OK;
}

static const gt_RowListener listener = {begin_row, row_output, row_from, end_row};

static void close_rows(Rows *rows)
{
    gt_release(rows->context, rows->items, (size_t)rows->capacity * sizeof *rows->items);
    gt_release(rows->context, rows->names, (size_t)rows->name_capacity * sizeof *rows->names);
}

static int32_t find_row(const Rows *rows, const char *name)
{
    for (int32_t i = rows->count - 1; i >= 0; i--)
        if (strcmp(rows->items[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- boxes ---- */

typedef struct Plot {
    gt_Diagram diagram;
    const gt_plot_model_options *options;
} Plot;

/* The name of the activation that a layer has among its options; false: it has none. */
static bool activation_of(gt_Context *context, const gt_Layer *layer, char text[NAME])
{
    const gt_LayerClass *type = layer->type;
    const gt_Layer *own = NULL;
    gt_TensorFunction function = NULL;
    bool found = false;
    if (!GT_CLASS_HAS(type, options) || !type->options)
        return false;
    for (const gt_Field *field = type->options->fields; field->name; field++) {
        const char *at = (const char *)layer + type->options_offset + field->offset;
        if (strcmp(field->name, "activation") == 0 &&
            strcmp(field->type, "gt_TensorFunction") == 0) {
            memcpy(&function, at, sizeof function);
            found = true;
        } else if (strcmp(field->name, "activation_layer") == 0) {
            memcpy(&own, at, sizeof own);
        }
    }
    if (!found)
        return false;
    const char *name = function ? gt_function_name(context, function)
                       : own    ? own->type->name
                                : "linear";
    if (!name && gt_status() != GT_NO_MEMORY) { /* nobody gave it a name */
        gt_error_clear();
        name = "a function";
    }
    gt_text(text, NAME, "%.150s", name ? name : "");
    return true;
}

/* Has the layer one input, however often it is called? */
static bool has_one_port(const gt_Layer *layer)
{
    if (!layer)
        return false;
    const gt_Port *ports = layer->state->ports ? layer->state->ports : layer->type->ports;
    return !ports || (!ports[1].name && !(ports[0].flags & GT_PORT_MANY));
}

static const char *shapes_of_input(const Rows *rows, const Row *row, int32_t i)
{
    const int32_t from = find_row(rows, rows->names[row->input + i].name);
    return from >= 0 ? rows->items[from].shapes : "?";
}

/* The shapes of what the row reads, in brackets if they are several; of a layer with one input that is called again
 * only those that differ from the one before. */
static void input_shapes(const Rows *rows, const Row *row, char text[SHAPES])
{
    char list[SHAPES] = "";
    int32_t shown = 0;
    for (int32_t i = 0; i < row->inputs; i++) {
        const char *shapes = shapes_of_input(rows, row, i);
        if (i > 0 && has_one_port(row->layer) &&
            strcmp(shapes, shapes_of_input(rows, row, i - 1)) == 0)
            continue;
        append(list, SHAPES, shown++ ? ", " : "");
        append(list, SHAPES, shapes);
    }
    const gt_LayerState *state = row->layer ? row->layer->state : NULL;
    if (!rows->named && row > rows->items)
        append(list, SHAPES, row[-1].shapes);
    else if (!rows->named && row->inputs == 0 && state && state->built_for_count > 0)
        put_spec(list, SHAPES, &state->built_for[0], true);
    gt_text(text, SHAPES, shown > 1 ? "[%s]" : "%s", list);
}

static void put_line(Plot *plot, const char *what, const char *text)
{
    char line[SHAPES + 40];
    gt_text(line, sizeof line, "%s%s", what, text);
    gt_diagram_line(&plot->diagram, line);
}

static bool has_weights(gt_Layer *layer)
{
    return gt_weights_at(NULL, layer).count > 0;
}

static void add_box(Plot *plot, const Rows *rows, Row *row, int32_t group)
{
    const gt_plot_model_options *options = plot->options;
    const bool input = !row->layer && row->inputs == 0;
    char text[SHAPES];
    gt_text(text, sizeof text, "%s (%s)", row->name, row->type);
    if (!options->show_layer_names)
        gt_text(text, sizeof text, "%s", row->layer || input ? row->type : row->name);
    row->first = gt_diagram_box(&plot->diagram, text, group);
    row->last = row->first + 1;
    if (row->first < 0)
        return;
    plot->diagram.boxes[row->first].light = !row->layer;
    if (options->show_layer_activations && row->layer &&
        activation_of(plot->diagram.context, row->layer, text))
        put_line(plot, "Activation: ", text);
    if (options->show_shapes && !input) {
        input_shapes(rows, row, text);
        put_line(plot, "Input shape: ", *text ? text : "?");
    }
    if (options->show_shapes)
        put_line(plot, "Output shape: ", row->shapes);
    if (options->show_dtype)
        put_line(plot, "Output dtype: ", row->dtypes);
    if (options->show_trainable && row->layer && has_weights((gt_Layer *)(uintptr_t)row->layer))
        gt_diagram_line(&plot->diagram,
                        row->layer->state->trainable ? "Trainable" : "Non-trainable");
}

/* ---- arrows ---- */

/* Box number `which` of a row that no arrow of it leads to, or from which none leads; the last such one if there are
 * fewer. */
static int32_t end_box(const Plot *plot, const Row *row, bool inputs, int32_t which)
{
    const gt_Diagram *diagram = &plot->diagram;
    int32_t found = row->first;
    for (int32_t b = row->first; b < row->last; b++) {
        bool inner = false;
        for (int32_t e = 0; e < diagram->edge_count && !inner; e++) {
            const int32_t here = inputs ? diagram->edges[e].to : diagram->edges[e].from;
            const int32_t there = inputs ? diagram->edges[e].from : diagram->edges[e].to;
            inner = here == b && there >= row->first && there < row->last;
        }
        if (inner)
            continue;
        found = b;
        if (which-- == 0)
            break;
    }
    return found;
}

static void connect(Plot *plot, const Rows *rows)
{
    for (int32_t r = 0; r < rows->count; r++) {
        const Row *row = &rows->items[r];
        for (int32_t i = 0; i < row->inputs; i++) {
            const int32_t from = find_row(rows, rows->names[row->input + i].name);
            if (from >= 0)
                gt_diagram_edge(&plot->diagram, end_box(plot, &rows->items[from], false, 0),
                                end_box(plot, row, true, i));
        }
        if (!rows->named && r > 0)
            gt_diagram_edge(&plot->diagram, end_box(plot, row - 1, false, 0),
                            end_box(plot, row, true, 0));
    }
}

static bool is_model(const gt_Layer *layer)
{
    return layer && (layer->state->rows || layer->type == &gt_layer_class_sequential);
}

/* All rows of a model, with their boxes in `group`. */
static void add_model(Plot *plot, gt_LayerState *state, int32_t group)
{
    Rows rows = {.context = plot->diagram.context};
    gt_list_rows(state, &listener, &rows);
    for (int32_t r = 0; r < rows.count && gt_context_status(rows.context) == GT_OK; r++) {
        Row *row = &rows.items[r];
        if (plot->options->expand_nested && is_model(row->layer) && row->layer->state != state &&
            row->layer->state->child_count > 0) {
            row->first = plot->diagram.box_count;
            add_model(plot, row->layer->state, gt_diagram_group(&plot->diagram, row->name, group));
            row->last = plot->diagram.box_count;
        } else {
            add_box(plot, &rows, row, group);
        }
    }
    if (gt_context_status(rows.context) == GT_OK)
        connect(plot, &rows);
    close_rows(&rows);
}

/* ---- the function ---- */

gt_Picture *gt_plot_model_at(const char *here, gt_Layer *model, const gt_plot_model_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "plot_model", model) : NULL;
    if (!state)
        return NULL;
    gt_plot_model_options options;
    GT_TAKE(gt_plot_model_options, &options, given);
    if (!gt_check_diagram(context, here, "plot_model", options.rankdir, options.dpi))
        return NULL;
    if (!state->built) {
        gt_raise(context, GT_STATE, here, "plot_model",
                 "%s is not built: call it, or gt_build it first", state->name);
        return NULL;
    }
    Plot plot = {.diagram = {.context = context}, .options = &options};
    const gt_DiagramLook look = {state->name, options.rankdir == GT_RANK_DIRECTION_LR, options.fold,
                                 options.dpi};
    gt_Site site = gt_site_enter(here, "plot_model");
    add_model(&plot, state, GT_DIAGRAM_NONE);
    gt_Picture *picture = gt_diagram_picture(&plot.diagram, &look);
    gt_diagram_close(&plot.diagram);
    gt_site_leave(&site);
    return picture;
}
