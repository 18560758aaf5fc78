/* Keras's table of a model, as text. First every cell is written into one text, row by row; then the columns get widths,
 * and the rows are laid out. Counting walks over the weights of each layer by itself, and draws no numbers.
 *
 *     gt_summary -> add_rows -> add_layer -> (a graph lists itself: state->rows) ... -> lay_out -> totals */
#include "layers/summary.h"
#include "core/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

GT_OPTION_TYPE(gt_summary_options, gt_summary_OPTIONS);

enum { GAP = 2, LEAST_LINE = 40, LEAST_COLUMN = 8, CELL_TEXT = 512 };

typedef enum Column { NAME, SHAPE, COUNT, CONNECTED, TRAINABLE, COLUMNS } Column;
static const char *const header[COLUMNS] = {"Layer (type)", "Output Shape", "Param #",
                                            "Connected to", "Trainable"};

typedef struct Text {
    char *text;
    size_t used, bytes;
} Text;

/* Where the cells of a row begin in the text; each ends with 0. */
typedef struct Row {
    size_t cell[COLUMNS];
    int32_t indent; /* of the name */
} Row;

struct gt_Summary {
    gt_Context *context;
    gt_summary_options options;
    Text cells, page;
    Row *rows;
    int32_t count, capacity, depth;
    int32_t outputs, inputs; /* of the row that is being written: shapes and connections so far */
    size_t shapes, connections; /* where their cells begin */
    bool connected;             /* does any graph branch? */
    int32_t width[COLUMNS];
    const gt_RowListener *listener; /* who gets the rows instead; NULL: the table */
    void *user;
};

/* ---- text that grows ---- */

static void put_bytes(gt_Context *context, Text *to, const char *text, size_t length)
{
    if (to->used + length + 1 > to->bytes) {
        size_t bytes = (to->used + length + 1) * 2 + 1024;
        char *grown = gt_allocate(context, bytes);
        if (!grown)
            return;
        if (to->used)
            memcpy(grown, to->text, to->used);
        gt_release(context, to->text, to->bytes);
        to->text = grown;
        to->bytes = bytes;
    }
    memcpy(to->text + to->used, text, length);
    to->used += length;
    to->text[to->used] = 0;
}

static void put(gt_Context *context, Text *to, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put(gt_Context *context, Text *to, const char *format, ...)
{
    char text[CELL_TEXT];
    va_list arguments;
    va_start(arguments, format);
    int length = gt_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        put_bytes(context, to, text, strlen(text));
}

/* Ends the cell that was written, and tells where it began. */
static size_t end_cell(gt_Summary *self, size_t from)
{
    put_bytes(self->context, &self->cells, "", 1);
    return from;
}

static size_t put_cell(gt_Summary *self, const char *text)
{
    size_t from = self->cells.used;
    put_bytes(self->context, &self->cells, text, strlen(text));
    return end_cell(self, from);
}

/* ---- numbers ---- */

typedef struct Totals {
    int64_t count[2]; /* of elements that are not trained, and of those that are */
    size_t bytes[2];
} Totals;

/* The weights of a layer and all below it, each once. */
static void count_weights(gt_LayerState *state, uint64_t visit, Totals *totals)
{
    if (state->visit == visit)
        return;
    state->visit = visit;
    for (int32_t i = 0; i < state->weight_count; i++) {
        const gt_Weight *weight = &state->weights[i];
        if (weight->kind != GT_WEIGHT_KIND_PARAMETER || !gt_variable_visit(weight->variable, visit))
            continue;
        const gt_Spec *spec = gt_tensor_spec(weight->variable);
        bool trained = gt_variable_is_trainable(weight->variable);
        totals->count[trained] += spec->size;
        totals->bytes[trained] += gt_spec_bytes(spec);
    }
    for (int32_t i = 0; i < state->child_count; i++)
        count_weights(state->children[i].layer->state, visit, totals);
}

static Totals totals_of(gt_LayerState *state)
{
    Totals totals = {{0, 0}, {0, 0}};
    count_weights(state, gt_context_new_visit(state->object.context), &totals);
    return totals;
}

/* 1234567 as "1,234,567". */
static const char *with_commas(int64_t number, char text[32])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

/* ---- cells ---- */

/* A size that may be any is None, and so is the batch of a layer that was called. */
static void put_shape(gt_Summary *self, const gt_Spec *spec, bool any_batch)
{
    gt_Context *context = self->context;
    Text *to = &self->cells;
    if (spec->dtype == GT_DTYPE_NONE || spec->rank < 0) {
        put(context, to, "%s", spec->rank < 0 ? "multiple" : "?");
        return;
    }
    put(context, to, "(");
    for (int d = 0; d < spec->rank; d++) {
        put(context, to, "%s", d ? ", " : "");
        if (spec->dims[d] < 0 || (d == 0 && any_batch))
            put(context, to, "None");
        else
            put(context, to, "%lld", (long long)spec->dims[d]);
    }
    put(context, to, spec->rank == 1 ? ",)" : ")");
}

static void begin_row(gt_Summary *self, const gt_Layer *layer, const char *name, const char *type)
{
    if (self->listener) {
        self->listener->begin(self->user, layer, name, type);
        return;
    }
    if (!gt_reserve(self->context, (void **)&self->rows, self->count, &self->capacity,
                    sizeof *self->rows))
        return;
    Row *row = &self->rows[self->count];
    *row = (Row){.indent = 3 * self->depth};
    row->cell[NAME] = self->cells.used;
    put(self->context, &self->cells, "%.400s (%.80s)", name, type);
    end_cell(self, 0);
    self->shapes = self->cells.used;
    self->outputs = self->inputs = 0;
}

void gt_summary_begin(gt_Summary *self, const char *name, const char *type)
{
    begin_row(self, NULL, name, type);
}

void gt_summary_output(gt_Summary *self, const gt_Spec *spec, bool any_batch)
{
    if (self->listener) {
        self->listener->output(self->user, spec, any_batch);
        return;
    }
    if (self->outputs++ > 0)
        put(self->context, &self->cells, ", ");
    put_shape(self, spec, any_batch);
}

/* Several outputs stand in brackets. */
static void end_outputs(gt_Summary *self)
{
    Text *cells = &self->cells;
    if (self->outputs > 1) {
        put(self->context, cells, "]]");
        if (gt_context_status(self->context) == GT_OK) {
            memmove(cells->text + self->shapes + 1, cells->text + self->shapes,
                    cells->used - self->shapes - 1);
            cells->text[self->shapes] = '[';
        }
    }
    end_cell(self, 0);
}

void gt_summary_from(gt_Summary *self, const char *name, int32_t call, const char *output)
{
    if (self->listener) {
        self->listener->from(self->user, name, call, output);
        return;
    }
    if (self->inputs++ == 0) {
        end_outputs(self);
        self->connections = self->cells.used;
    } else {
        put(self->context, &self->cells, ", ");
    }
    put(self->context, &self->cells, "%.400s[%d][%s]", name, (int)call, output);
}

void gt_summary_branches(gt_Summary *self)
{
    self->connected = true;
}

static bool is_shown_before(const gt_LayerState *around, const gt_LayerState *state, int32_t place)
{
    return around && gt_map_find(&around->places, gt_map_pointer(state->layer)) < place;
}

/* The last cells of a row: what the layer has; NULL: it is an input or an operation. */
static void end_row(gt_Summary *self, gt_LayerState *state, bool again)
{
    if (self->listener) {
        self->listener->end(self->user);
        return;
    }
    char number[32], count[64];
    if (self->inputs == 0)
        end_outputs(self);
    else
        end_cell(self, 0);
    if (gt_context_status(self->context) != GT_OK)
        return;
    Row *row = &self->rows[self->count];
    row->cell[SHAPE] = self->shapes;
    row->cell[CONNECTED] = self->inputs ? self->connections : put_cell(self, "-");
    Totals totals = {{0, 0}, {0, 0}};
    if (state)
        totals = totals_of(state);
    int64_t all = totals.count[0] + totals.count[1];
    snprintf(count, sizeof count, "%s%s", with_commas(again ? 0 : all, number),
             again                    ? " (shared)"
             : state && !state->built ? " (unbuilt)"
                                      : "");
    row->cell[COUNT] = put_cell(self, count);
    row->cell[TRAINABLE] = put_cell(self, all == 0 ? "-" : state->trainable ? "Y" : "N");
    self->count++;
}

static void add_children(gt_Summary *self, gt_LayerState *state);

void gt_summary_end(gt_Summary *self, gt_Layer *layer)
{
    gt_LayerState *state = layer ? layer->state : NULL;
    end_row(self, state, false);
    if (!state || !self->options.expand_nested || state->child_count == 0)
        return;
    self->depth++;
    add_children(self, state);
    self->depth--;
}

static const char *type_name(const gt_LayerClass *type)
{
    return GT_CLASS_HAS(type, keras) && type->keras         ? type->keras
           : GT_CLASS_HAS(type, function) && type->function ? type->function
                                                            : type->name;
}

void gt_summary_begin_layer(gt_Summary *self, const gt_Layer *layer, const char *name)
{
    begin_row(self, layer, name, type_name(layer->type));
}

/* A layer as it was called so far. */
static void add_layer(gt_Summary *self, gt_LayerState *around, gt_LayerState *state,
                      const char *name, int32_t place)
{
    gt_summary_begin_layer(self, state->layer, name);
    gt_summary_output(self, &state->output, true);
    for (int32_t i = 0; i < state->more_outputs; i++)
        if (state->more_output[i].dtype != GT_DTYPE_NONE)
            gt_summary_output(self, &state->more_output[i], true);
    if (is_shown_before(around, state, place))
        end_row(self, state, true);
    else
        gt_summary_end(self, state->layer);
}

static void add_children(gt_Summary *self, gt_LayerState *state)
{
    if (state->rows) {
        state->rows(state->layer, self);
        return;
    }
    for (int32_t i = 0; i < state->child_count && gt_context_status(self->context) == GT_OK; i++)
        add_layer(self, state, state->children[i].layer->state, state->children[i].name, i);
}

void gt_list_rows(gt_LayerState *state, const gt_RowListener *listener, void *user)
{
    gt_Summary self = {.context = state->object.context, .listener = listener, .user = user};
    if (state->child_count > 0 || state->rows)
        add_children(&self, state);
    else
        add_layer(&self, NULL, state, state->name, 0);
}

/* ---- layout ---- */

/* The columns that a terminal shows: not the bytes that continue a character of UTF-8. */
static int32_t width_of(const char *text, size_t bytes)
{
    int32_t width = 0;
    for (size_t i = 0; i < bytes; i++)
        width += (text[i] & 0xC0) != 0x80;
    return width;
}

static bool is_shown(const gt_Summary *self, Column column)
{
    return (column != CONNECTED || self->connected) &&
           (column != TRAINABLE || self->options.show_trainable);
}

static int32_t line_width(const gt_Summary *self)
{
    int32_t width = -GAP;
    for (int c = 0; c < COLUMNS; c++)
        width += is_shown(self, (Column)c) ? self->width[c] + GAP : 0;
    return width;
}

static int32_t longest_word(const char *text)
{
    int32_t longest = 0;
    for (size_t bytes; *text; text += bytes + (text[bytes] == ' ')) {
        bytes = strcspn(text, " ");
        int32_t width = width_of(text, bytes);
        longest = width > longest ? width : longest;
    }
    return longest;
}

/* Of the columns that are wider than `least` the widest loses one; false: there is none. */
static bool cut_down(gt_Summary *self, const int32_t least[COLUMNS])
{
    int widest = -1;
    for (int c = 0; c < COLUMNS; c++)
        if (is_shown(self, (Column)c) && self->width[c] > least[c] &&
            (widest < 0 || self->width[c] > self->width[widest]))
            widest = c;
    if (widest >= 0)
        self->width[widest]--;
    return widest >= 0;
}

/* As wide as what is in them. If that is too wide for a line, cells go on below: at blanks, and if that is not enough
 * anywhere. */
static void set_widths(gt_Summary *self)
{
    int32_t word[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        self->width[c] = word[c] = (int32_t)strlen(header[c]);
        for (int32_t r = 0; r < self->count; r++) {
            const char *text = self->cells.text + self->rows[r].cell[c];
            int32_t indent = c == NAME ? self->rows[r].indent : 0;
            int32_t width = width_of(text, strlen(text)) + indent,
                    longest = longest_word(text) + indent;
            self->width[c] = width > self->width[c] ? width : self->width[c];
            word[c] = longest > word[c] ? longest : word[c];
        }
    }
    word[COUNT] = self->width[COUNT];
    const int32_t least[COLUMNS] = {LEAST_COLUMN, LEAST_COLUMN, word[COUNT], LEAST_COLUMN,
                                    INT32_MAX};
    while (line_width(self) > self->options.line_length &&
           (cut_down(self, word) || cut_down(self, least)))
        continue;
}

/* How many bytes of the text stand on a line of that width: up to a blank, if there is one. */
static size_t fitting(const char *text, int32_t width)
{
    size_t length = strlen(text), cut = 0, blank = 0;
    if (width_of(text, length) <= width)
        return length;
    for (int32_t shown = 0; cut < length; cut++) {
        shown += (text[cut] & 0xC0) != 0x80;
        if (shown > width)
            break;
        if (text[cut] == ' ')
            blank = cut;
    }
    return text[cut] == ' ' || blank == 0 ? cut : blank;
}

static int32_t least_of(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void put_blanks(gt_Summary *self, int32_t count)
{
    put(self->context, &self->page, "%*s", (int)(count > 0 ? count : 0), "");
}

/* One line of a row. `at` are the rests of its cells, which move on; blanks at the end are held back. */
static bool put_line(gt_Summary *self, const char *at[COLUMNS], int32_t indent)
{
    int32_t owed = 0;
    bool more = false;
    for (int c = 0; c < COLUMNS; c++) {
        if (!is_shown(self, (Column)c))
            continue;
        int32_t room = self->width[c], before = c == NAME ? least_of(indent, room - 1) : 0;
        size_t bytes = fitting(at[c], room - before);
        int32_t width = width_of(at[c], bytes);
        if (c == COUNT)
            before = room - width;
        if (bytes) {
            put_blanks(self, owed + before);
            put_bytes(self->context, &self->page, at[c], bytes);
            owed = room - width - before + GAP;
        } else {
            owed += room + GAP;
        }
        at[c] += bytes;
        while (*at[c] == ' ')
            at[c]++;
        more |= *at[c] != 0;
    }
    put(self->context, &self->page, "\n");
    return more;
}

static void put_row(gt_Summary *self, const Row *row)
{
    const char *at[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        at[c] = self->cells.text + row->cell[c];
    while (put_line(self, at, row->indent) && gt_context_status(self->context) == GT_OK)
        continue;
}

static void put_rule(gt_Summary *self, char with)
{
    for (int32_t i = line_width(self); i > 0; i--)
        put_bytes(self->context, &self->page, &with, 1);
    put(self->context, &self->page, "\n");
}

static void lay_out(gt_Summary *self)
{
    const char *at[COLUMNS];
    set_widths(self);
    memcpy(at, header, sizeof at);
    put_rule(self, '_');
    put_line(self, at, 0);
    put_rule(self, '=');
    for (int32_t r = 0; r < self->count && gt_context_status(self->context) == GT_OK; r++)
        put_row(self, &self->rows[r]);
    put_rule(self, '=');
}

static void put_total(gt_Summary *self, const char *label, int64_t count, size_t bytes)
{
    static const char *const unit[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    char number[32];
    double size = (double)bytes;
    int u = 0;
    for (; size >= 1024 && u < 5; u++)
        size /= 1024;
    put(self->context, &self->page, "%s params: %s (%.2f %s)\n", label, with_commas(count, number),
        size, unit[u]);
}

/* As in Keras all of it is the total, with what the optimizer has. */
static void put_totals(gt_Summary *self, gt_LayerState *state)
{
    Totals totals = totals_of(state);
    gt_Tensors slots = {NULL, 0};
    int64_t count = 0;
    size_t bytes = 0;
    if (state->optimizer_variables)
        slots = state->optimizer_variables(state);
    for (int32_t i = 0; i < slots.count; i++) {
        count += gt_tensor_spec(slots.items[i])->size;
        bytes += gt_spec_bytes(gt_tensor_spec(slots.items[i]));
    }
    put_total(self, "Total", totals.count[0] + totals.count[1] + count,
              totals.bytes[0] + totals.bytes[1] + bytes);
    put_total(self, "Trainable", totals.count[1], totals.bytes[1]);
    put_total(self, "Non-trainable", totals.count[0], totals.bytes[0]);
    if (slots.count > 0)
        put_total(self, "Optimizer", count, bytes);
}

/* ---- the function ---- */

static void write_summary(gt_Summary *self, gt_LayerState *state)
{
    put(self->context, &self->page, "Model: \"%.400s\"\n", state->name);
    if (state->child_count > 0 || state->rows)
        add_children(self, state);
    else
        add_layer(self, NULL, state, state->name, 0);
    if (gt_context_status(self->context) != GT_OK)
        return;
    lay_out(self);
    put_totals(self, state);
}

const char *gt_summary_at(const char *here, gt_Layer *layer, const gt_summary_options *given)
{
    gt_Context *context = gt_enter();
    gt_LayerState *state = context ? gt_layer_check(context, here, "summary", layer) : NULL;
    if (!state)
        return "";
    gt_Summary self = {.context = state->object.context};
    GT_TAKE(gt_summary_options, &self.options, given);
    if (self.options.line_length < LEAST_LINE) {
        gt_raise(context, GT_INVALID, here, "summary", "line_length must be at least %d (got %d)",
                 LEAST_LINE, (int)self.options.line_length);
        return "";
    }
    char *text = NULL;
    gt_Site site = gt_site_enter(here, "summary");
    write_summary(&self, state);
    if (gt_context_status(self.context) == GT_OK &&
        (text = gt_layer_text(state, self.page.used + 1)))
        memcpy(text, self.page.text, self.page.used + 1);
    gt_release(self.context, self.rows, (size_t)self.capacity * sizeof *self.rows);
    gt_release(self.context, self.cells.text, self.cells.bytes);
    gt_release(self.context, self.page.text, self.page.bytes);
    gt_site_leave(&site);
    return text ? text : "";
}
