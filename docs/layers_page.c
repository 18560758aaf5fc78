/* Prints the layers of docs/layers.md: what the table of layers says of each, and what its samples show when they are built.
 * What only sources know comes from tools/layers-page on standard input, a line each, fields between tabs:
 *
 *     family   CLASS     FOLDER          the folder that its source is in
 *     call     FUNCTION  ARGUMENTS       those that its macro takes without their names
 *     text     FUNCTION  LINE            of the comment above the macro
 *     differs  CLASS     ARGUMENT  TEXT  tests/layer_defaults.txt
 *     alias    KERAS     NAME            another name that Keras has for its class
 *
 * The shapes of weights are found by building a sample again with one number changed, an option or a size of an input, and
 * looking at which sizes change with it. */
#include "gradtape.h"
#include "layers/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FACTS = 8192, NUMBERS = 48, WEIGHTS = 32, INPUTS = 8 };

/* ---- what standard input says ---- */

typedef struct Fact {
    const char *kind, *name, *what, *more;
} Fact;
static Fact facts[FACTS];
static int fact_count;

static char *copy(const char *text)
{
    char *to = malloc(strlen(text) + 1);
    return to ? strcpy(to, text) : (perror("layers_page"), exit(1), NULL);
}

/* The text up to the next tab, which becomes its end; `rest` moves behind it. */
static const char *field(char **rest)
{
    char *begin = *rest, *tab = strchr(begin, '\t');
    *rest = tab ? tab + 1 : begin + strlen(begin);
    if (tab)
        *tab = 0;
    return begin;
}

static bool read_facts(void)
{
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (fact_count == FACTS)
            return false;
        char *rest = copy(line);
        Fact *fact = &facts[fact_count++];
        fact->kind = field(&rest);
        fact->name = field(&rest);
        fact->what = field(&rest);
        fact->more = field(&rest);
    }
    return fact_count > 0;
}

/* The next fact of that kind about that name, from number *from on; NULL: there is none. */
static const Fact *next_fact(int *from, const char *kind, const char *name)
{
    while (*from < fact_count) {
        const Fact *fact = &facts[(*from)++];
        if (strcmp(fact->kind, kind) == 0 && strcmp(fact->name, name) == 0)
            return fact;
    }
    return NULL;
}

static const char *fact_of(const char *kind, const char *name)
{
    int from = 0;
    const Fact *fact = next_fact(&from, kind, name);
    return fact ? fact->what : "";
}

static const char *family_of(const gt_LayerClass *type)
{
    return fact_of("family", type->name);
}

/* ---- markdown ---- */

/* An underscore inside a word means nothing in markdown. */
static void print_escaped(const char *text)
{
    for (const char *at = text; *at; at++) {
        bool inside = at > text && isalnum((unsigned char)at[-1]) && isalnum((unsigned char)at[1]);
        printf(strchr("*<|[`", *at) || (*at == '_' && !inside) ? "\\%c" : "%c", *at);
    }
}

static void print_call(const gt_LayerClass *type)
{
    printf("`gt_%s(%s)`", type->function, fact_of("call", type->function));
}

/* Formulas are indented in comments; they become blocks. An empty line is printed when it is known what follows. */
static void print_comment(const char *function)
{
    bool block = false, blank = false;
    int from = 0;
    for (const Fact *fact; (fact = next_fact(&from, "text", function));) {
        bool indented = strncmp(fact->what, "    ", 4) == 0;
        if (!fact->what[0]) {
            blank = true;
            continue;
        }
        if (indented != block)
            printf("%s\n", indented ? "\n```text" : "```\n");
        else if (blank)
            printf("\n");
        block = indented;
        blank = false;
        if (block)
            printf("%s", fact->what + 4);
        else
            print_escaped(fact->what);
        printf("\n");
    }
    printf("%s", block ? "```\n" : "");
}

/* ---- shapes of weights ---- */

/* A layer's weights, as far as the page is concerned. */
typedef struct Weight {
    char name[200];
    gt_Shape shape;
    bool trainable;
} Weight;
typedef struct Weights {
    int count, generators, states;
    Weight items[WEIGHTS];
} Weights;

/* A number that sizes may depend on: an option, or an axis of an input. */
typedef struct Number {
    char name[48];
    int64_t value, other; /* in the sample, and in the second building; 0: it cannot be another */
    Weights weights;      /* of the second one */
} Number;

typedef struct Built {
    const gt_LayerClass *type;
    const gt_LayerSample *sample;
    gt_Spec inputs[INPUTS];
    Weights weights;
    gt_Shape output;
    Number numbers[NUMBERS];
    int count; /* of numbers */
} Built;

static gt_Spec spec_of(const gt_SampleInput *input)
{
    gt_Spec spec = {.dtype = gt_dtype_is_float(input->dtype) ? GT_FLOAT32 : input->dtype,
                    .rank = input->shape.rank,
                    .size = 1};
    if (input->shape.rank < 0)
        return (gt_Spec){.dtype = GT_DTYPE_NONE};
    for (int d = 0; d < spec.rank; d++)
        spec.size *= spec.dims[d] = input->shape.dims[d];
    return spec;
}

static bool list_weights(gt_Layer *layer, Weights *weights)
{
    *weights = (Weights){.states = gt_state_variables(layer).count};
    gt_Tensors list = gt_weights(layer);
    for (int i = 0; i < list.count && i < WEIGHTS; i++) {
        Weight *weight = &weights->items[weights->count++];
        snprintf(weight->name, sizeof weight->name, "%s", gt_variable_path(layer, list.items[i]));
        weight->shape = gt_tensor_shape(list.items[i]);
        weight->trainable = gt_variable_trainable(list.items[i]);
    }
    weights->generators = gt_variables(layer).count - weights->count;
    return gt_status() == GT_OK && list.count <= WEIGHTS;
}

static gt_Layer *sample_layer(const Built *built)
{
    return built->sample->make ? built->sample->make()
                               : gt_layer_make(built->type, built->sample->options);
}

/* Builds the layer, which it takes, and lists its weights. */
static bool build(gt_Layer *layer, int count, const gt_Spec *inputs, Weights *weights)
{
    gt_build_for(layer, count, inputs);
    bool well = gt_status() == GT_OK && list_weights(layer, weights);
    gt_error_clear();
    gt_layer_free(layer);
    return well;
}

/* Gives every input that has `from` elements along its last axis `to` of them. */
static void resize(gt_Spec *inputs, int first, int64_t from, int64_t to)
{
    for (int i = first; i < INPUTS; i++)
        if (inputs[i].dtype && inputs[i].rank > 1 && inputs[i].dims[inputs[i].rank - 1] == from) {
            inputs[i].dims[inputs[i].rank - 1] = to;
            inputs[i].size = inputs[i].size / from * to;
        }
}

/* The same with an option changed, or a size of an input. The states of a cell are as wide as it is. */
static bool build_with_option(const Built *built, const char *option, int64_t before, int64_t value,
                              size_t size, Weights *weights)
{
    int32_t narrow = (int32_t)value;
    gt_Spec inputs[INPUTS];
    memcpy(inputs, built->inputs, sizeof inputs);
    if (built->type->states)
        resize(inputs, 1, before, value);
    gt_Layer *layer = sample_layer(built);
    gt_Layer *other = size == sizeof narrow
                          ? gt_layer_copy_with(layer, option, &narrow, sizeof narrow)
                          : gt_layer_copy_with(layer, option, &value, sizeof value);
    gt_layer_free(layer);
    return build(other, built->sample->inputs, inputs, weights);
}

static bool build_with_size(const Built *built, int input, int axis, int64_t value,
                            Weights *weights)
{
    gt_Spec inputs[INPUTS];
    int64_t before = built->inputs[input].dims[axis];
    memcpy(inputs, built->inputs, sizeof inputs);
    inputs[input].dims[axis] = value;
    inputs[input].size = inputs[input].size / before * value;
    if (build(sample_layer(built), built->sample->inputs, inputs, weights))
        return true;
    /* Inputs may have to be as wide as each other. */
    if (input > 0 || axis != inputs[0].rank - 1)
        return false;
    resize(inputs, 1, before, value);
    return build(sample_layer(built), built->sample->inputs, inputs, weights);
}

static Number *new_number(Built *built, int64_t value)
{
    if (built->count == NUMBERS || value <= 0 || value > 64)
        return NULL;
    Number *number = &built->numbers[built->count++];
    *number = (Number){.value = value};
    return number;
}

/* One more, twice as many where numbers must divide each other, or one less where a window must fit. */
enum { ATTEMPTS = 3 };
static int64_t other_value(int64_t value, int attempt)
{
    return attempt == 0 ? value + 1 : attempt == 1 ? 2 * value : value - 1;
}

/* One number, or each of those that sizes for several axes are. */
static void try_option(Built *built, const gt_Field *option, int64_t value)
{
    int64_t parts[3] = {value, 0, 0};
    int count = 1;
    bool packed = strcmp(option->type, "gt_Sizes") == 0 && value > INT32_MAX;
    while (packed && ++count < 3 && gt_sizes_expand(option->name, value, count, 1, parts))
        gt_error_clear();
    if (packed && count == 3 && gt_sizes_expand(option->name, value, 3, 1, parts))
        gt_error_clear();
    for (int part = 0; part < count; part++) {
        Number *number = new_number(built, parts[part]);
        for (int attempt = 0; number && attempt < ATTEMPTS && !number->other; attempt++) {
            int64_t changed[3] = {parts[0], parts[1], parts[2]};
            changed[part] = other_value(parts[part], attempt);
            int64_t given =
                packed ? GT_SIZES_PACKED_(count, changed[0], changed[1], changed[2]) : changed[0];
            snprintf(number->name, sizeof number->name, "%s", option->name);
            if (changed[part] > 0 && build_with_option(built, option->name, parts[part], given,
                                                       option->size, &number->weights))
                number->other = changed[part];
        }
    }
}

static void try_options(Built *built)
{
    char memory[64];
    for (const gt_Field *option = built->type->options ? built->type->options->fields : NULL;
         option && option->name; option++) {
        bool sizes = strcmp(option->type, "gt_Sizes") == 0;
        if (!sizes && strcmp(option->type, "int64_t") && strcmp(option->type, "int32_t"))
            continue;
        gt_Layer *layer = sample_layer(built);
        const char *options = (const char *)layer + built->type->options_offset;
        memcpy(memory, options + option->offset, option->size);
        gt_layer_free(layer);
        int64_t value = 0;
        int32_t narrow = 0;
        memcpy(option->size == sizeof narrow ? (void *)&narrow : &value, memory, option->size);
        try_option(built, option, option->size == sizeof narrow ? narrow : value);
    }
}

/* The name of an input; those of a port that takes many share its name. */
static const char *input_name(const gt_LayerClass *type, int input)
{
    const gt_Port *port = type->ports;
    for (int i = 0; port && i < input && !(port->flags & GT_PORT_MANY); i++)
        port++;
    return port ? port->name : "x";
}

/* The last axis of the first input is called "in", that of another one "value[-1]", any other axis "x[1]". */
static void name_axis(const Built *built, int input, int axis, char *name, size_t size)
{
    bool last = axis == built->inputs[input].rank - 1 && axis > 0;
    if (input == 0 && last)
        snprintf(name, size, "in");
    else
        snprintf(name, size, "%s[%d]", input_name(built->type, input), last ? -1 : axis);
}

static void try_sizes(Built *built)
{
    for (int i = 0; i < built->sample->inputs; i++)
        for (int d = 0; built->inputs[i].dtype && d < built->inputs[i].rank; d++) {
            Number *number = new_number(built, built->inputs[i].dims[d]);
            if (!number)
                continue;
            name_axis(built, i, d, number->name, sizeof number->name);
            for (int attempt = 0; attempt < ATTEMPTS && !number->other; attempt++)
                if (other_value(number->value, attempt) > 0 &&
                    build_with_size(built, i, d, other_value(number->value, attempt),
                                    &number->weights))
                    number->other = other_value(number->value, attempt);
        }
}

/* By how much the size grows when the number grows by one; 0: it does not, or in no simple way. */
static int64_t slope(const Built *built, const Number *number, int weight, int axis)
{
    const Weight *one = &built->weights.items[weight], *two = &number->weights.items[weight];
    if (!number->other || number->weights.count != built->weights.count ||
        strcmp(one->name, two->name) || one->shape.rank != two->shape.rank)
        return 0;
    int64_t change = two->shape.dims[axis] - one->shape.dims[axis],
            step = number->other - number->value;
    return change % step == 0 && change / step > 0 ? change / step : 0;
}

/* A size as a product of numbers, "4 units", or as a sum of multiples, "units + 1"; else as what it is. */
static void print_size(const Built *built, int weight, int axis)
{
    int64_t size = built->weights.items[weight].shape.dims[axis], product = 1, sum = 0;
    bool is_product = true;
    int terms = 0;
    for (int k = 0; k < built->count; k++) {
        int64_t s = slope(built, &built->numbers[k], weight, axis);
        if (!s)
            continue;
        terms++;
        is_product = is_product && s * built->numbers[k].value == size;
        product *= built->numbers[k].value;
        sum += s * built->numbers[k].value;
    }
    is_product = is_product && size % product == 0;
    if (!terms || (!is_product && sum > size)) {
        printf("%lld", (long long)size);
        return;
    }
    const char *between = "";
    if (is_product && size != product)
        printf("%lld ", (long long)(size / product));
    for (int k = 0; k < built->count; k++) {
        int64_t s = slope(built, &built->numbers[k], weight, axis);
        if (!s)
            continue;
        printf("%s", between);
        if (!is_product && s > 1)
            printf("%lld ", (long long)s);
        printf("%s", built->numbers[k].name);
        between = is_product ? " " : " + ";
    }
    if (!is_product && sum < size)
        printf(" + %lld", (long long)(size - sum));
}

static void print_weight(const Built *built, int weight)
{
    const Weight *it = &built->weights.items[weight];
    printf("`%s` (", it->name);
    for (int d = 0; d < it->shape.rank; d++) {
        printf("%s", d ? ", " : "");
        print_size(built, weight, d);
    }
    printf(")%s", it->trainable ? "" : " not trained");
}

static bool build_sample(Built *built, const gt_LayerClass *type, const gt_LayerSample *sample)
{
    *built = (Built){.type = type, .sample = sample};
    for (int i = 0; i < sample->inputs && i < INPUTS; i++)
        built->inputs[i] = spec_of(&sample->input[i]);
    if (!build(sample_layer(built), sample->inputs, built->inputs, &built->weights)) {
        fprintf(stderr, "%s: a sample cannot be built\n", type->name);
        return false;
    }
    if (built->weights.count) {
        try_options(built);
        try_sizes(built);
    }
    return true;
}

/* The sample in Keras's words. How it is called stands behind it, and is for the test. */
static void print_sample(const gt_LayerSample *sample)
{
    const char *at = strstr(sample->keras, " @ ");
    printf("`%.*s`", at ? (int)(at - sample->keras) : (int)strlen(sample->keras), sample->keras);
}

static bool listed(const Built *all, int count, const char *name)
{
    for (int k = 0; k < count; k++)
        for (int i = 0; i < all[k].weights.count; i++)
            if (strcmp(all[k].weights.items[i].name, name) == 0)
                return true;
    return false;
}

/* The weights of the first sample, then those that only other samples have. */
static bool print_weights(const gt_LayerClass *type)
{
    static Built all[24];
    int count = 0, generators = 0, states = 0, printed = 0;
    for (const gt_LayerSample *sample = type->samples; sample->inputs && count < 24; sample++) {
        Built *built = &all[count];
        if (!build_sample(built, type, sample))
            return false;
        bool told = false;
        for (int i = 0; i < built->weights.count; i++) {
            if (listed(all, count, built->weights.items[i].name) ||
                (count > 0 &&
                 (type->flags & GT_LAYER_CONTAINER || strchr(built->weights.items[i].name, '/'))))
                continue;
            printf("%s", printed++ ? (told || !count ? ", " : "; ") : "- weights: ");
            if (count > 0 && !told && sample->keras) {
                printf("with ");
                print_sample(sample);
                printf(" ");
            }
            told = true;
            print_weight(built, i);
        }
        generators |= built->weights.generators;
        states |= built->weights.states;
        count++;
    }
    printf("%s", printed ? "\n" : "- weights: none\n");
    if (generators)
        printf("- generator: its state is a variable of the layer, saved with it\n");
    if (states)
        printf("- states: carried from call to call where it is stateful; `gt_reset_states` puts "
               "them back\n");
    return true;
}

/* ---- the other parts ---- */

static void print_axes(int least, int most)
{
    if (least && least == most)
        printf(" of %d %s", least, least == 1 ? "axis" : "axes");
    else if (least && most)
        printf(" of %d to %d axes", least, most);
    else if (least)
        printf(" of at least %d %s", least, least == 1 ? "axis" : "axes");
    else if (most)
        printf(" of at most %d axes", most);
}

/* What `create` says that inputs must be like, of the first sample. */
static gt_InputSpec asked(const gt_LayerClass *type, int input)
{
    gt_InputSpec spec = {0};
    const Built built = {.type = type, .sample = type->samples};
    gt_Layer *layer = sample_layer(&built);
    if (layer && input < GT_INPUT_SPECS)
        spec = layer->state->spec[input];
    gt_error_clear();
    gt_layer_free(layer);
    return spec;
}

static void print_inputs(const gt_LayerClass *type)
{
    static const gt_Port one[] = {{"x", 0, 0, 0}, {NULL, 0, 0, 0}};
    const gt_Port *ports = type->ports ? type->ports : one;
    if (strcmp(type->name, "functional") == 0)
        return;
    printf("- inputs: ");
    for (int i = 0; ports[i].name; i++) {
        gt_InputSpec spec = asked(type, i);
        int least = ports[i].rank_min, most = ports[i].rank_max;
        if (!least && !most) {
            least = spec.rank ? spec.rank : spec.min_rank;
            most = spec.rank ? spec.rank : spec.max_rank;
        }
        printf("%s`%s`", i ? ", " : "", ports[i].name);
        print_axes(least, most);
        printf("%s%s%s", ports[i].flags & GT_PORT_MANY ? ", any number of them" : "",
               ports[i].flags & GT_PORT_INTEGERS ? ", integers too" : "",
               ports[i].flags & GT_PORT_OPTIONAL ? " (optional)" : "");
    }
    printf("\n");
}

static void print_tensor(const gt_Shape *shape)
{
    char text[160];
    printf("%s", gt_shape_text(*shape, text, sizeof text));
}

/* One use, with the shapes that go in and come out. */
static void print_example(const gt_LayerClass *type)
{
    const gt_LayerSample *sample = type->samples;
    if (!sample->keras)
        return;
    printf("- for example ");
    print_sample(sample);
    printf(": ");
    for (int i = 0; i < sample->inputs; i++) {
        printf("%s", i ? ", " : "");
        if (sample->input[i].shape.rank < 0)
            printf("none");
        else
            print_tensor(&sample->input[i].shape);
    }
    printf(" gives ");
    print_tensor(&sample->output);
    printf("\n");
}

static void print_masks(const gt_LayerClass *type)
{
    printf("- masks: %s\n",
           type->mask                          ? "reads them, and says which mask its result has"
           : type->flags & GT_LAYER_KEEPS_MASK ? "its result has the mask of the first input"
           : type->flags & GT_LAYER_DROPS_MASK
               ? "end here, with a warning"
               : "stay on the tensors: its operations, or the layers in it, pass them on");
}

static void print_more(const gt_LayerClass *type)
{
    if (type->keras && strcmp(type->keras, type->function))
        printf("- in Keras: `%s`\n", type->keras);
    if (type->outputs > 1)
        printf("- outputs: up to %d\n", type->outputs);
    if (type->flags & GT_LAYER_RANDOM)
        printf("- random: in training only\n");
    if (type->flags & GT_LAYER_FLOAT32)
        printf("- computes in float32 at least, whatever the policy\n");
    if (type->adapt)
        printf("- learns from data before training: `gt_adapt`\n");
    if (type->states)
        printf("- is a cell: `gt_RNN` steps it through time\n");
}

static bool has_option(const gt_LayerClass *type, const char *name)
{
    for (const gt_Field *option = type->options ? type->options->fields : NULL;
         option && option->name; option++)
        if (strcmp(option->name, name) == 0)
            return true;
    return false;
}

static void print_difference(const gt_LayerClass *type, const Fact *fact)
{
    const char *name = fact->what, *text = fact->more;
    if (text[0] == '=') {
        printf("  - `%s` is called `%s` here\n", name, text + 1);
        return;
    }
    if (name[0] == '+')
        printf("  - `%s` is an option here only: ", name + 1);
    else if (has_option(type, name))
        printf("  - `%s` has another default: ", name);
    else
        printf("  - no `%s`: ", name);
    print_escaped(text);
    printf("\n");
}

static void print_differences(const gt_LayerClass *type)
{
    int from = 0;
    const Fact *fact = next_fact(&from, "differs", type->name);
    if (!fact)
        return;
    printf("- other than in Keras:\n");
    for (; fact; fact = next_fact(&from, "differs", type->name))
        print_difference(type, fact);
}

/* Options that the head of the page tells for all layers. */
static bool common(const gt_Field *option)
{
    static const char *const names[] = {"name", "dtype", "trainable", "activity_regularizer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

static bool without_preset(const gt_FieldText *option)
{
    static const char *const none[] = {"GT_NOT_GIVEN", "GT_DTYPE_NONE", "GT_NO_SHAPE",
                                       "GT_NO_SIZES",  "NULL",          "GT_NONE"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (strcmp(option->preset, none[i]) == 0)
            return true;
    return false;
}

/* The line of an option without the word "required", which has a column. */
static void print_doc(const char *doc)
{
    char text[400];
    const char *word = strstr(doc, "required"), *rest = word ? word + strlen("required") : "";
    if (!word) {
        print_escaped(doc);
        return;
    }
    int before = (int)(word - doc);
    if (*rest)
        rest += strspn(rest, ",: ");
    else if (before >= 2)
        before -= 2;
    snprintf(text, sizeof text, "%.*s%s", before, doc, rest);
    print_escaped(text);
}

/* A row of a table. Where an option has no preset, its line may say what it is like then. */
static void print_option(const gt_Field *option, const gt_FieldText *text)
{
    static const char otherwise[] = "not given: ";
    bool none = without_preset(text);
    const char *doc = text->doc;
    printf("| `%s` | `%s` | ", option->name, option->type);
    if (strstr(doc, "required"))
        printf("required");
    else if (none && strncmp(doc, otherwise, sizeof otherwise - 1) == 0) {
        print_escaped(doc + sizeof otherwise - 1);
        doc = "";
    } else if (none)
        printf("not given");
    else
        printf("`%s`", text->preset);
    printf(" | ");
    print_doc(doc);
    printf(" |\n");
}

static void print_options(const gt_LayerClass *type)
{
    bool begun = false;
    for (const gt_Field *option = type->options ? type->options->fields : NULL;
         option && option->name; option++) {
        if (common(option))
            continue;
        if (!begun)
            printf("\n| option | type | default | |\n|---|---|---|---|\n");
        begun = true;
        print_option(option, &type->options->texts[option - type->options->fields]);
    }
}

/* ---- groups: Conv1D, Conv2D and Conv3D are told together ---- */

static bool same_options(const gt_LayerClass *a, const gt_LayerClass *b)
{
    if (!a->options || !b->options)
        return false;
    const gt_Field *one = a->options->fields, *two = b->options->fields;
    const gt_FieldText *says = a->options->texts, *too = b->options->texts;
    for (; one->name && two->name; one++, two++, says++, too++)
        if (strcmp(one->name, two->name) || strcmp(one->type, two->type) ||
            strcmp(says->preset, too->preset) || strcmp(says->doc, too->doc))
            return false;
    return !one->name && !two->name;
}

/* The name without a number of axes: Conv from Conv2D, ConvTranspose from Conv2DTranspose. */
static void stem(const char *function, char *text, size_t size)
{
    snprintf(text, size, "%s", function);
    for (char *at = text; *at; at++)
        if (*at >= '1' && *at <= '3' && at[1] == 'D') {
            memmove(at, at + 2, strlen(at + 2) + 1);
            return;
        }
}

static bool together(const gt_LayerClass *a, const gt_LayerClass *b)
{
    char one[100], two[100];
    stem(a->function, one, sizeof one);
    stem(b->function, two, sizeof two);
    return strcmp(one, two) == 0 && strcmp(family_of(a), family_of(b)) == 0 && same_options(a, b);
}

/* How many classes from this one on are told together. */
static int group_size(const gt_LayerClass *const *table, int count, int first)
{
    int size = 1;
    while (first + size < count && together(table[first], table[first + size]))
        size++;
    return size;
}

/* A link to the group: the heading in small letters, its commas gone, blanks as hyphens. */
static void print_link(const gt_LayerClass *const *group, int size, const char *text)
{
    printf("[%s](#", text);
    for (int k = 0; k < size; k++) {
        printf("%s", k ? "-" : "");
        for (const char *at = group[k]->function; *at; at++)
            putchar(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    printf(")");
}

/* Do they say the same of masks, outputs and randomness? */
static bool alike(const gt_LayerClass *const *group, int size)
{
    for (int k = 1; k < size; k++)
        if (group[k]->flags != group[0]->flags || group[k]->outputs != group[0]->outputs ||
            !group[k]->mask != !group[0]->mask)
            return false;
    return true;
}

static bool print_class(const gt_LayerClass *type, bool whole)
{
    print_inputs(type);
    print_example(type);
    if (!print_weights(type))
        return false;
    if (whole) {
        print_masks(type);
        print_more(type);
    }
    return true;
}

static bool print_group(const gt_LayerClass *const *group, int size)
{
    bool one = size == 1, whole = one || !alike(group, size);
    printf("\n### ");
    for (int k = 0; k < size; k++)
        printf("%s%s", k ? ", " : "", group[k]->function);
    printf("\n\n");
    for (int k = 0; k < size; k++) {
        printf("%s", one ? "" : "- ");
        print_call(group[k]);
        printf(": ");
        print_escaped(group[k]->summary);
        printf("\n");
    }
    printf("\n");
    print_comment(group[0]->function);
    for (int k = 0; k < size; k++) {
        printf(one ? "\n" : "\n**%s**\n\n", group[k]->function);
        if (!print_class(group[k], whole))
            return false;
    }
    if (!whole) {
        printf("\n**All of them**\n\n");
        print_masks(group[0]);
        print_more(group[0]);
    }
    print_differences(group[0]);
    print_options(group[0]);
    return true;
}

/* ---- the page ---- */

/* Families in the order in which a newcomer meets them; a folder that is not among them comes last. */
static const char *const families[][2] = {
    {"models", "Models"},
    {"core", "Core and activations"},
    {"conv", "Convolution"},
    {"pooling", "Pooling"},
    {"normalization", "Normalization"},
    {"regularization", "Regularization"},
    {"recurrent", "Recurrent"},
    {"attention", "Attention"},
    {"merging", "Merging"},
    {"reshaping", "Reshaping"},
    {"preprocessing", "Preprocessing"},
    {NULL, "Others"},
};
enum { FAMILIES = sizeof families / sizeof *families };

static int family_number(const gt_LayerClass *type)
{
    int i = 0;
    while (families[i][0] && strcmp(families[i][0], family_of(type)))
        i++;
    return i;
}

/* By name, and what is told together stands together. */
static int by_function(const void *a, const void *b)
{
    const char *one = (*(const gt_LayerClass *const *)a)->function,
               *two = (*(const gt_LayerClass *const *)b)->function;
    char first[100], second[100];
    stem(one, first, sizeof first);
    stem(two, second, sizeof second);
    int order = strcasecmp(first, second);
    return order ? order : strcmp(one, two);
}

/* Those of one family, by name, so that the order of the table of layers does not matter. */
static int list_family(int family, const gt_LayerClass **list)
{
    int count, found = 0;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++)
        if (family_number(table[k]) == family)
            list[found++] = table[k];
    qsort(list, (size_t)found, sizeof *list, by_function);
    return found;
}

static void print_aliases(const gt_LayerClass *type)
{
    int from = 0;
    for (const Fact *fact; (fact = next_fact(&from, "alias", type->keras));)
        printf(", %s", fact->what);
}

static void print_index(const gt_LayerClass **list, int count)
{
    for (int k = 0, size; k < count; k += size) {
        size = group_size(list, count, k);
        for (int i = k; i < k + size; i++) {
            printf("| ");
            print_link(list + k, size, list[i]->function);
            print_aliases(list[i]);
            printf(" | ");
            print_call(list[i]);
            printf(" | ");
            print_escaped(list[i]->summary);
            printf(" |\n");
        }
    }
}

static bool print_family(const gt_LayerClass **list, int count)
{
    for (int k = 0, size; k < count; k += size) {
        size = group_size(list, count, k);
        if (!print_group(list + k, size))
            return false;
    }
    return true;
}

static void print_common(void)
{
    printf("| option of every layer | type | default | |\n|---|---|---|---|\n");
    const gt_OptionType *type = gt_layer_class_find("dense")->options;
    for (const gt_Field *option = type->fields; option->name; option++)
        if (common(option))
            print_option(option, &type->texts[option - type->fields]);
}

int main(void)
{
    static const gt_LayerClass *list[1024];
    int total;
    gt_layer_classes(&total);
    if (!read_facts() || total > 1024)
        return 1;
    printf("# Layers\n\n"
           "Written by tools/layers-page from the table of layers (layers/table.h) and the "
           "headers: do not edit.\n\n"
           "%d layers. Names, defaults and formulas are Keras's; what each computes is compared "
           "with numbers that "
           "Keras computed, by tests/test_layers_oracle.c. `gt_Dense(128, .activation = gt_relu)` "
           "is Keras's "
           "`Dense(128, activation=\"relu\")`: arguments in the parentheses of the table come "
           "first, without a name, any "
           "other option by its name. A layer of your own: [Variables and "
           "layers](variables-and-layers.md); several "
           "inputs, skips, shared layers: [Models](models.md); [what Keras has and gradtape has "
           "not](#parity-with-keras).\n\n",
           total);
    printf("| layer | call | |\n|---|---|---|\n");
    for (int i = 0; i < FAMILIES; i++) {
        int count = list_family(i, list);
        if (count)
            printf("| **%s** | | |\n", families[i][1]);
        print_index(list, count);
    }
    printf("\n## How to read it\n\n"
           "Shapes of weights were found by building the layer of the example with other numbers: "
           "`in` is the last size of "
           "the first input, `value[-1]` that of another one, `x[1]` a size along another axis, "
           "any other word an option; "
           "a number is that of the example. "
           "Weights that only some options make stand behind an example of those. Inputs after the "
           "first are given by "
           "`.more = gt_tensors(...)` or by name, `.named = gt_named({\"mask\", m})`, outputs "
           "after the first by "
           "`.outputs = gt_outputs(&h)`. Examples are Keras's expressions. How values of the types "
           "are written: [Types of options](#types-of-options).\n\n");
    print_common();
    int from = 0;
    printf("\nKeras's layers have a few arguments that no layer has here:\n\n");
    for (const Fact *fact; (fact = next_fact(&from, "differs", "*"));)
        if (fact->what[0] != '+')
            printf("- `%s`: %s\n", fact->what, fact->more);
    for (int i = 0; i < FAMILIES; i++) {
        int count = list_family(i, list);
        if (count)
            printf("\n## %s\n", families[i][1]);
        if (!print_family(list, count))
            return 1;
    }
    gt_context_free(NULL);
    return gt_status() == GT_OK && fflush(stdout) == 0 ? 0 : 1;
}
