/* A functional model in a summary: its inputs, then layers and operations in the order of running, each once, with all that
 * its calls read. */
#include "layers/summary.h"
#include "models/functional_inside.h"

#include <stdio.h>

enum { NAME_TEXT = 128 };

/* What the steps are called. Steps of one layer, or of one operation, are a chain. */
typedef struct Listing {
    const gt_Functional *self;
    gt_Summary *summary;
    int32_t *ordinal; /* of each step: how many of its chain are before it */
    int32_t *next;    /* the next one of its chain; -1: none */
} Listing;

static const void *subject_of(const gt_Step *step)
{
    return step->layer ? (const void *)step->layer : (const void *)step->node->operation;
}

static bool chain_steps(gt_Context *context, Listing *to)
{
    gt_Map last = {0};
    bool done = true;
    for (int32_t s = 0; done && s < to->self->step_count; s++) {
        uint64_t key = gt_map_pointer(subject_of(&to->self->steps[s]));
        to->next[s] = -1;
        int32_t before = gt_map_find(&last, key);
        if (before >= 0) {
            to->ordinal[s] = to->ordinal[before] + 1;
            to->next[before] = s;
            gt_map_remove(&last, key, before);
        }
        done = gt_map_add(context, &last, key, s);
    }
    gt_map_close(context, &last);
    return done;
}

/* A layer's name in the model; operations are "add", "add_1", ..., past the names that layers have. */
static const char *name_of(const Listing *from, int32_t s, char text[NAME_TEXT])
{
    const gt_Step *step = &from->self->steps[s];
    const gt_LayerState *state = from->self->base.state;
    if (step->layer)
        return state->children[gt_map_find(&state->places, gt_map_pointer(step->layer))].name;
    const char *base = step->node->operation->name;
    int length = snprintf(text, NAME_TEXT, from->ordinal[s] ? "%.100s_%d" : "%.100s", base,
                          (int)from->ordinal[s]);
    if (gt_layer_find_child(state, text, (size_t)length) >= 0)
        snprintf(text, NAME_TEXT, "%.90s_operation_%d", base, (int)from->ordinal[s]);
    return text;
}

/* The step whose output the value of that number is: the last one that begins at or before it. */
static int32_t step_of(const gt_Functional *self, int32_t value)
{
    int32_t low = 0, high = self->step_count - 1;
    while (low < high) {
        int32_t middle = high - (high - low) / 2;
        if (self->steps[middle].first <= value)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int32_t count_wanted(const gt_Step *step)
{
    const gt_DrawnCall *how = gt_node_call(step->node);
    int32_t count = how ? 0 : step->node->outputs;
    for (uint32_t left = how ? how->wanted : 0; left; left >>= 1)
        count += (int32_t)(left & 1);
    return count;
}

/* Output number `at` of a call as the layer counts: outputs that nobody wanted are no values. */
static int32_t output_index(const gt_Step *step, int32_t at)
{
    const gt_DrawnCall *how = gt_node_call(step->node);
    int32_t i = 0;
    for (uint32_t left = how ? how->wanted : 0; left && !(left & 1 && at-- == 0); left >>= 1)
        i++;
    return how ? i : at;
}

static void put_source(const Listing *from, int32_t value)
{
    const gt_Functional *self = from->self;
    char text[NAME_TEXT], output[16];
    if (value < self->inputs) {
        gt_summary_from(from->summary, self->ports[value].name, 0, "0");
        return;
    }
    int32_t s = step_of(self, value), at = value - self->steps[s].first;
    if (at < count_wanted(&self->steps[s]))
        snprintf(output, sizeof output, "%d", (int)output_index(&self->steps[s], at));
    else
        snprintf(output, sizeof output, "mask");
    gt_summary_from(from->summary, name_of(from, s, text),
                    self->steps[s].layer ? from->ordinal[s] : 0, output);
}

static void put_step(const Listing *from, int32_t s)
{
    const gt_Functional *self = from->self;
    const gt_Step *step = &self->steps[s];
    char text[NAME_TEXT];
    if (step->layer)
        gt_summary_begin_layer(from->summary, step->layer, name_of(from, s, text));
    else
        gt_summary_begin(from->summary, name_of(from, s, text), "operation");
    for (int32_t i = 0; i < count_wanted(step); i++) {
        gt_Spec spec = gt_node_spec(step->node, i);
        gt_summary_output(from->summary, &spec, false);
    }
    for (int32_t call = s; call >= 0; call = step->layer ? from->next[call] : -1) {
        const gt_Step *reader = &self->steps[call];
        for (int32_t i = 0; i < reader->node->inputs; i++)
            if (self->wires[reader->wire + i].number >= 0)
                put_source(from, self->wires[reader->wire + i].number);
    }
    gt_summary_end(from->summary, step->layer);
}

/* Keras's question: has any node several inputs, or any value several readers, or a layer several calls? */
static bool branches(const Listing *from)
{
    const gt_Functional *self = from->self;
    bool more = self->inputs > 1 || self->outputs > 1;
    for (int32_t s = 0; s < self->step_count && !more; s++) {
        const gt_Step *step = &self->steps[s];
        int32_t read = 0, last = s == 0 ? -1 : self->steps[s - 1].first;
        for (int32_t i = 0; i < step->node->inputs; i++) {
            int32_t number = self->wires[step->wire + i].number;
            read += number >= 0;
            more |= s > 0 && number >= 0 && number < last;
        }
        more |= read > 1 || (step->layer && from->ordinal[s] > 0);
    }
    return more;
}

void gt_functional_rows(gt_Layer *layer, gt_Summary *summary)
{
    const gt_Functional *self = (const gt_Functional *)layer;
    gt_Context *context = layer->state->object.context;
    size_t bytes = ((size_t)self->step_count + 1) * sizeof(int32_t);
    Listing listing = {self, summary, gt_allocate_zeroed(context, bytes),
                       gt_allocate_zeroed(context, bytes)};
    if (listing.ordinal && listing.next && chain_steps(context, &listing)) {
        if (branches(&listing))
            gt_summary_branches(summary);
        for (int32_t i = 0; i < self->inputs; i++) {
            gt_summary_begin(summary, self->ports[i].name, "InputLayer");
            gt_summary_output(summary, gt_value_spec(self->symbol[i]), false);
            gt_summary_end(summary, NULL);
        }
        for (int32_t s = 0; s < self->step_count && gt_context_status(context) == GT_OK; s++)
            if (!self->steps[s].layer || listing.ordinal[s] == 0)
                put_step(&listing, s);
    }
    gt_release(context, listing.ordinal, bytes);
    gt_release(context, listing.next, bytes);
}
