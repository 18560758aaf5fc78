/* Layers against Keras: every sample of every class of the table is made, given inputs and weights by
 * formula, and compared with what oracle/layers.py wrote down: weights, their names and first
 * values, outputs in inference and in training (of random layers mean and deviation), masks, states
 * after a step, penalties, defaults of options. What Keras cannot tell is checked beside it: gradients by central differences in both
 * modes, another batch size. GT_LAYERS="dense lstm" in the environment: these classes only. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "layer_uses.h"
#include "leaks.h"
#include "texts.h"

#include <ctype.h>

enum { VALUES = 4096, OUTPUTS = USE_OUTPUTS, WEIGHTS = 32, PARTS = 4 };

/* Classes that Keras cannot be asked about. */
static const struct {
    const char *name, *why;
} without_oracle[] = {
    {"", "no class yet"},
};

/* Bounds that are not those of the dtype, 1e-10 and 1e-5, with the reason. */
static const struct {
    const char *name;
    int sample; /* -1: all */
    gt_DType dtype;
    double bound;
    const char *why;
} other_bounds[] = {
    {"mel_spectrogram", 2, GT_FLOAT64, 1e-6, "Keras has the bands in float32"},
    {"random_brightness", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_color_degeneration", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_color_jitter", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_gaussian_blur", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_hue", -1, GT_FLOAT64, 1e-6, "Keras changes the range of values in float32"},
    {"random_saturation", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_sharpness", -1, GT_FLOAT64, 1e-6, "Keras draws in float32"},
    {"random_translation", -1, GT_FLOAT64, 1e-5, "TensorFlow transforms images in float32"},
    {"random_zoom", -1, GT_FLOAT64, 1e-5, "TensorFlow transforms images in float32"},
    {"resizing", -1, GT_FLOAT64, 1e-6, "TensorFlow resizes in float32"},
    {"center_crop", -1, GT_FLOAT64, 1e-6, "TensorFlow resizes in float32"},
    {"random_crop", -1, GT_FLOAT64, 1e-6, "TensorFlow resizes in float32"},
    {"up_sampling2d", -1, GT_FLOAT64, 1e-6, "TensorFlow resizes in float32"},
};

/* Classes that overwrite weights in training: the gradient is that of what follows, with the new numbers. */
static const char *const overwriting[] = {"spectral_normalization"};

/* Samples where parts of what training computes are constants to gradients, so that differences are others. */
static const struct {
    const char *name;
    int sample;
    const char *why;
} constants[] = {
    {"batch_normalization", 4, "r and d of renorm: test_layers_normalization.c"},
    {"batch_normalization", 5, "r and d of renorm: test_layers_normalization.c"},
};

static bool differs_in_training(const Use *use)
{
    for (size_t i = 0; i < sizeof overwriting / sizeof *overwriting; i++)
        if (strcmp(overwriting[i], use->type->name) == 0)
            return false;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (strcmp(constants[i].name, use->type->name) == 0 && constants[i].sample == use->number)
            return false;
    return true;
}

static int layers, checks;

/* ---- what Keras says ---- */

/* Numbers with a shape; `kind` is r (real), i (integers) or b (bool); 0: there are none. */
typedef struct Value {
    char kind;
    gt_Shape shape;
    int64_t count;
    double numbers[VALUES];
} Value;

typedef struct Weight {
    char name[64], kind[16]; /* kind: real, positive or whole */
    bool trained, fixed, has_first;
    gt_Shape shape;
    Value first; /* fixed: the numbers; else mean, deviation, least, largest */
} Weight;

typedef struct Expected {
    char keras[1024];
    gt_DType computed;
    int inputs, weights, outputs, outputs_again, trained_outputs, generators;
    gt_Shape input[USE_INPUTS];
    Weight weight[WEIGHTS];
    Value inference[OUTPUTS], again[OUTPUTS], training[OUTPUTS], mask, state[WEIGHTS];
    bool same;   /* training gives what inference does */
    bool random; /* training is random: */
    Value random_mean, random_spread,
        random_along; /* mean, deviation, covariance with the first of output 0 */
    double loss;
} Expected;

static const char *word_of(const char **at, char *word, size_t size)
{
    *at += strspn(*at, " ");
    size_t length = strcspn(*at, " \n");
    cr_assert(length < size, "\"%.60s\" is too long", *at);
    memcpy(word, *at, length);
    word[length] = 0;
    *at += length;
    return word;
}

static gt_Shape shape_of(const char **at)
{
    gt_Shape shape = {.mark = GT_MARK};
    for (*at += strspn(*at, " "); isdigit((unsigned char)**at); *at += strspn(*at, " "))
        shape.dims[shape.rank++] = strtoll(*at, (char **)(uintptr_t)at, 10);
    return shape;
}

static void numbers_of(const char **at, Value *value)
{
    *at += strspn(*at, " ");
    cr_assert(*(*at)++ == ':', "no numbers: \"%.60s\"", *at);
    for (value->count = 0; **at != '\n' && **at; *at += strspn(*at, " ")) {
        char *end;
        cr_assert(value->count < VALUES);
        value->numbers[value->count++] = strtod(*at, &end);
        cr_assert(end > *at, "no number: \"%.60s\"", *at);
        *at = end;
    }
}

/* "r 2 3 : 1 2 3 4 5 6" */
static void value_of(const char *at, Value *value)
{
    char kind[2];
    value->kind = *word_of(&at, kind, sizeof kind);
    value->shape = shape_of(&at);
    numbers_of(&at, value);
    int64_t count = 1;
    for (int d = 0; d < value->shape.rank; d++)
        count *= value->shape.dims[d];
    cr_assert_eq(count, value->count);
}

static void weight_of(const char *at, Weight *weight)
{
    char word[16];
    *weight = (Weight){.shape = {.mark = GT_MARK}};
    word_of(&at, weight->name, sizeof weight->name);
    weight->trained = strcmp(word_of(&at, word, sizeof word), "trained") == 0;
    word_of(&at, weight->kind, sizeof weight->kind);
    word_of(&at, word, sizeof word);
    weight->shape = shape_of(&at);
}

/* One line of a sample. */
static void expect(Expected *e, const char *word, const char *at)
{
    Weight *last = e->weights ? &e->weight[e->weights - 1] : NULL;
    if (strcmp(word, "keras") == 0) {
        snprintf(e->keras, sizeof e->keras, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    } else if (strcmp(word, "input") == 0) {
        e->input[e->inputs] = shape_of(&at);
        if (*at == 'a') /* "absent" */
            e->input[e->inputs].rank = -1;
        e->inputs++;
    } else if (strcmp(word, "computed") == 0) {
        char name[16];
        e->computed = gt_dtype_from_name(word_of(&at, name, sizeof name));
    } else if (strcmp(word, "generators") == 0) {
        e->generators = (int)strtol(at, NULL, 10);
    } else if (strcmp(word, "weight") == 0) {
        cr_assert(e->weights < WEIGHTS);
        weight_of(at, &e->weight[e->weights++]);
    } else if (strcmp(word, "fixed") == 0) {
        last->fixed = last->has_first = true;
        numbers_of(&at, &last->first);
    } else if (strcmp(word, "first") == 0) {
        last->has_first = true;
        for (last->first.count = 0; last->first.count < 4; last->first.count++)
            last->first.numbers[last->first.count] = strtod(at, (char **)(uintptr_t)&at);
    } else if (strcmp(word, "inference") == 0) {
        cr_assert(e->outputs < OUTPUTS);
        value_of(at, &e->inference[e->outputs++]);
    } else if (strcmp(word, "again") == 0) {
        cr_assert(e->outputs_again < OUTPUTS);
        value_of(at, &e->again[e->outputs_again++]);
    } else if (strcmp(word, "training") == 0) {
        cr_assert(e->trained_outputs < OUTPUTS);
        value_of(at, &e->training[e->trained_outputs++]);
    } else if (strcmp(word, "mask") == 0) {
        value_of(at, &e->mask);
    } else if (strcmp(word, "state") == 0) {
        int index = (int)strtol(at, (char **)(uintptr_t)&at, 10);
        value_of(at, &e->state[index]);
    } else if (strcmp(word, "loss") == 0) {
        e->loss = strtod(at, NULL);
    } else if (strcmp(word, "random") == 0) {
        e->random = true;
        value_of(at, &e->random_mean);
    } else if (strcmp(word, "deviation") == 0) {
        value_of(at, &e->random_spread);
    } else if (strcmp(word, "covariance") == 0) {
        value_of(at, &e->random_along);
    } else if (strcmp(word, "same") == 0) {
        e->same = true;
    } else {
        cr_assert(false, "unknown line: %s", word);
    }
}

/* Finds a sample in the text of a class; false: it is not there. */
static bool find_expected(const char *text, int number, Expected *e)
{
    char begin[32], word[32];
    snprintf(begin, sizeof begin, "\nsample %d\n", number);
    const char *at = strstr(text, begin);
    memset(e, 0, sizeof *e);
    if (!at)
        return false;
    for (at += strlen(begin); *at && *at != '\n'; at += strcspn(at, "\n"), at += *at == '\n') {
        const char *line = at;
        word_of(&line, word, sizeof word);
        expect(e, word, line);
    }
    return true;
}

/* ---- comparing ---- */

static const char *text_of(const Use *use)
{
    static char text[400];
    snprintf(text, sizeof text, "%s, sample %d (%s), %s: %s", use->type->name, use->number,
             use->sample->keras ? use->sample->keras : "", gt_dtype_name(use->dtype),
             gt_error_message());
    return text;
}

static double bound_of(const Use *use, const Expected *e)
{
    double bound = use->dtype == GT_FLOAT64 && e->computed == GT_FLOAT64 ? 1e-10 : 1e-5;
    for (size_t i = 0; i < sizeof other_bounds / sizeof *other_bounds; i++)
        if (strcmp(other_bounds[i].name, use->type->name) == 0 &&
            (other_bounds[i].sample < 0 || other_bounds[i].sample == use->number) &&
            other_bounds[i].dtype == use->dtype)
            bound = other_bounds[i].bound;
    return bound;
}

static bool near(double got, double want, double bound)
{
    return fabs(got - want) <= bound * fmax(1, fabs(want)) || got == want ||
           (got != got && want != want);
}

static void compare(const Use *use, const char *what, int index, gt_Tensor *got, const Value *want,
                    double bound)
{
    cr_assert(got, "%s: there is no %s %d", text_of(use), what, index);
    gt_DType dtype = gt_dtype(got);
    cr_assert(want->kind == 'r'   ? dtype == use->dtype
              : want->kind == 'b' ? dtype == GT_BOOL
                                  : gt_dtype_is_integer(dtype),
              "%s: %s %d is %s", text_of(use), what, index, gt_dtype_name(dtype));
    cr_assert(gt_shape_equal(gt_tensor_shape(got), want->shape), "%s: the shape of %s %d",
              text_of(use), what, index);
    for (int64_t i = 0; i < want->count; i++)
        cr_assert(near(gt_element(got, i), want->numbers[i], bound),
                  "%s: %s %d, element %d: %.17g instead of %.17g", text_of(use), what, index,
                  (int)i, gt_element(got, i), want->numbers[i]);
    checks++;
}

/* ---- one layer ---- */

static const gt_Field *field_of(const gt_LayerClass *type, const char *name)
{
    for (const gt_Field *field = type->options->fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static void call_use(const Use *use, gt_Layer *layer, const UseInputs *in, bool training,
                     gt_Tensor *outputs[OUTPUTS])
{
    use_call(use, layer, in, training, outputs);
    cr_assert(outputs[0] && gt_status() == GT_OK, "%s", text_of(use));
}

/* The states of generators: variables that are no weights. */
static int generators_of(gt_Layer *layer, gt_Variable *states[WEIGHTS])
{
    gt_Tensors weights = gt_weights(layer);
    gt_Tensor *weight[2 * WEIGHTS]; /* the list is overwritten by the next one */
    int weight_count = weights.count, count = 0;
    cr_assert(weight_count <= 2 * WEIGHTS);
    for (int i = 0; i < weight_count; i++)
        weight[i] = weights.items[i];
    gt_Tensors variables = gt_variables(layer);
    for (int i = 0, at = 0; i < variables.count; i++)
        if (at < weight_count && variables.items[i] == weight[at])
            at++; /* both lists have the same order */
        else
            states[count++] = variables.items[i];
    return count;
}

/* Generators start anew, so that what is drawn is the same. */
static void reset_generators(gt_Layer *layer)
{
    gt_Variable *states[WEIGHTS];
    int count = generators_of(layer, states);
    for (int i = 0; i < count; i++)
        gt_assign(states[i], gt_cast(gt_array(gt_shape(2), 11, 0), GT_INT64));
}

/* The weights of the formula; `all`: also those that are trained. States start anew. */
static void set_weights(const Use *use, gt_Layer *layer, const Expected *e, bool all)
{
    static double numbers[VALUES];
    gt_Tensors weights = gt_weights(layer);
    gt_reset_states(layer);
    for (int i = 0; i < weights.count; i++) {
        if (!all && gt_variable_trainable(weights.items[i]))
            continue;
        gt_Variable *weight = weights.items[i];
        cr_assert(gt_size(weight) <= VALUES);
        use_weight(e->weight[i].kind, i, gt_size(weight), numbers);
        gt_assign(weight, gt_from_values_at(NULL, gt_tensor_shape(weight), gt_dtype(weight),
                                            gt_size(weight), numbers));
    }
    cr_assert(gt_status() == GT_OK, "%s", text_of(use));
}

/* Who draws has states of generators, which are no weights; others have none, though Keras's recurrent
 * layers do. Their flags and first values. */
static void check_generators(const Use *use, gt_Layer *layer, const Expected *e)
{
    gt_Variable *states[WEIGHTS];
    int count = generators_of(layer, states);
    const gt_Field *field = use->type->options ? field_of(use->type, "seed") : NULL;
    const char *options = use->sample->options;
    int64_t seed =
        field && options ? *(const int64_t *)(const void *)(options + field->offset) : -1;
    cr_assert(count <= e->generators && (count > 0) == e->random,
              "%s: %d generators; Keras has %d and %s", text_of(use), count, e->generators,
              e->random ? "draws" : "does not draw");
    for (int i = 0; i < count; i++) {
        const double first = gt_element(states[i], 0);
        const bool of_child = strchr(gt_variable_path(layer, states[i]), '/') != NULL;
        cr_assert(gt_size(states[i]) == 2 && gt_dtype(states[i]) == GT_INT64 &&
                      !gt_variable_trainable(states[i]) && gt_element(states[i], 1) == 0 &&
                      (seed < 0 || first == (double)seed || (of_child && first > (double)seed)),
                  "%s: the state of a generator is %g %g", text_of(use), gt_element(states[i], 0),
                  gt_element(states[i], 1));
        checks++;
    }
}

/* Number, order, names, shapes and flags of the weights. */
static void check_weights(const Use *use, gt_Layer *layer, const Expected *e)
{
    gt_Tensors weights = gt_weights(layer);
    cr_assert(weights.count == e->weights, "%s: %d weights instead of %d", text_of(use),
              (int)weights.count, e->weights);
    for (int i = 0; i < weights.count; i++) {
        gt_Variable *weight = weights.items[i];
        const Weight *want = &e->weight[i];
        cr_assert_str_eq(gt_variable_name(weight), want->name, "%s: weight %d is %s instead of %s",
                         text_of(use), i, gt_variable_name(weight), want->name);
        cr_assert(gt_shape_equal(gt_tensor_shape(weight), want->shape), "%s: the shape of %s",
                  text_of(use), want->name);
        cr_assert_eq(gt_variable_trainable(weight), want->trained, "%s: is %s trained?",
                     text_of(use), want->name);
        cr_assert(want->kind[0] == 'w' ? gt_dtype_is_integer(gt_dtype(weight))
                                       : gt_dtype(weight) == use->dtype,
                  "%s: the dtype of %s", text_of(use), want->name);
        checks++;
    }
}

typedef struct Statistics {
    double sum, squares, least, largest;
    int64_t count;
} Statistics;

/* The first values of a layer's weights: the fixed ones as they must be, the others are counted. Returns
 * how many of those have been seen of the weight that has the fewest. */
static int64_t count_first(const Use *use, gt_Layer *layer, const Expected *e,
                           Statistics *statistics)
{
    int64_t fewest = INT64_MAX;
    gt_Tensors weights = gt_weights(layer);
    for (int w = 0; w < e->weights; w++) {
        const Weight *want = &e->weight[w];
        Statistics *s = &statistics[w];
        for (int64_t i = 0; want->has_first && i < gt_size(weights.items[w]); i++) {
            double x = gt_element(weights.items[w], i);
            cr_assert(!want->fixed || near(x, want->first.numbers[i], 1e-6),
                      "%s: %s starts with %g at %d", text_of(use), want->name, x, (int)i);
            s->sum += x;
            s->squares += x * x;
            s->least = s->count ? fmin(s->least, x) : x;
            s->largest = s->count ? fmax(s->largest, x) : x;
            s->count++;
        }
        if (want->has_first && !want->fixed && s->count < fewest)
            fewest = s->count;
    }
    return fewest;
}

/* Mean, deviation, least and largest over many layers, each drawn anew. */
static void check_first(const Use *use, const UseInputs *in, const Expected *e)
{
    enum { LAYERS = 1500, DRAWS = 20000 };
    Statistics statistics[WEIGHTS] = {{0}};
    gt_Spec specs[USE_INPUTS];
    int64_t fewest = 0;
    for (int i = 0; i < in->count; i++)
        specs[i] = use_spec(use, in, i);
    for (int n = 0; n < LAYERS && fewest < DRAWS; n++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *layer = use_layer(use);
        cr_assert(gt_build_for(layer, in->count, specs) == GT_OK, "%s", text_of(use));
        fewest = count_first(use, layer, e, statistics);
        gt_layer_free(layer);
        gt_scope_end(scope);
    }
    for (int w = 0; w < e->weights; w++) {
        const Weight *want = &e->weight[w];
        const Statistics *s = &statistics[w];
        checks++;
        if (!want->has_first || want->fixed || s->count == 0)
            continue;
        const double *first = want->first.numbers, range = first[3] - first[2];
        double n = (double)s->count, mean = s->sum / n, error = 1 / sqrt(n);
        double deviation = sqrt(s->squares / n - mean * mean);
        cr_assert(fabs(mean - first[0]) <= (0.035 + 5 * error) * first[1],
                  "%s: %s starts with mean %g instead of %g", text_of(use), want->name, mean,
                  first[0]);
        cr_assert(fabs(deviation / first[1] - 1) <= 0.02 + 3.5 * error,
                  "%s: %s starts with deviation %g instead of %g", text_of(use), want->name,
                  deviation, first[1]);
        cr_assert(fabs(s->least - first[2]) <= 0.2 * range &&
                      fabs(s->largest - first[3]) <= 0.2 * range,
                  "%s: %s starts from %g to %g instead of %g to %g", text_of(use), want->name,
                  s->least, s->largest, first[2], first[3]);
    }
}

static void check_inference(const Use *use, gt_Layer *layer, const UseInputs *in, const Expected *e)
{
    gt_Tensor *outputs[OUTPUTS];
    set_weights(use, layer, e, true);
    call_use(use, layer, in, false, outputs);
    for (int k = 0; k < e->outputs; k++)
        compare(use, "output", k, outputs[k], &e->inference[k], bound_of(use, e));
    gt_Tensor *mask = gt_mask(outputs[0]);
    if (e->mask.kind)
        compare(use, "mask", 0, mask, &e->mask, 0);
    else
        cr_assert(!mask && gt_status() == GT_OK, "%s: there is a mask", text_of(use));
    cr_assert(e->outputs == OUTPUTS || !outputs[e->outputs], "%s: too many outputs", text_of(use));
    call_use(use, layer, in, false, outputs); /* states go on */
    for (int k = 0; k < e->outputs; k++)
        compare(use, "output of a second call", k, outputs[k],
                e->outputs_again ? &e->again[k] : &e->inference[k], bound_of(use, e));
}

/* Outputs, penalties, and what became of the states. */
static void check_training(const Use *use, gt_Layer *layer, const UseInputs *in, const Expected *e)
{
    gt_Tensor *outputs[OUTPUTS];
    const Value *want = e->same ? e->inference : e->training;
    set_weights(use, layer, e, true);
    call_use(use, layer, in, true, outputs);
    for (int k = 0; k < (e->same ? e->outputs : e->trained_outputs); k++)
        compare(use, "output in training", k, outputs[k], &want[k], bound_of(use, e));
    double loss = gt_item(gt_total_loss(layer, gt_scalar(0, use->dtype)));
    cr_assert(near(loss, e->loss, bound_of(use, e)), "%s: penalties of %.17g instead of %.17g",
              text_of(use), loss, e->loss);
    gt_Tensors weights = gt_weights(layer);
    for (int i = 0; i < weights.count; i++)
        if (!e->weight[i].trained)
            compare(use, "state", i, weights.items[i], &e->state[i], bound_of(use, e));
    checks++;
}

/* Mean and deviation of every element of output 0, and its covariance with the first, over many calls;
 * Keras made 1500. */
static void check_random(const Use *use, gt_Layer *layer, const UseInputs *in, const Expected *e)
{
    const int calls = use->dtype == GT_FLOAT64 ? 3000 : 3; /* in float32: shape and dtype */
    static double sum[VALUES], squares[VALUES], products[VALUES];
    int64_t count = e->random_mean.count;
    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    memset(products, 0, sizeof products);
    set_weights(use, layer, e, true);
    for (int n = 0; n < calls; n++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *outputs[OUTPUTS];
        set_weights(use, layer, e, false);
        call_use(use, layer, in, true, outputs);
        cr_assert(gt_shape_equal(gt_tensor_shape(outputs[0]), e->random_mean.shape) &&
                      gt_dtype(outputs[0]) == use->dtype,
                  "%s: shape and dtype in training", text_of(use));
        for (int64_t i = 0; i < count; i++) { /* about Keras's means, or large numbers cancel */
            double x = gt_element(outputs[0], i) - e->random_mean.numbers[i];
            sum[i] += x;
            squares[i] += x * x;
            products[i] += x * (gt_element(outputs[0], 0) - e->random_mean.numbers[0]);
        }
        gt_scope_end(scope);
    }
    checks++;
    for (int64_t i = 0; i < count && use->dtype == GT_FLOAT64; i++) {
        double mean = sum[i] / calls, spread = sqrt(fmax(0, squares[i] / calls - mean * mean)),
               want = e->random_mean.numbers[i], deviation = e->random_spread.numbers[i];
        cr_assert(fabs(mean) <= 0.2 * deviation + 1e-5,
                  "%s: in training element %d has mean %g instead of %g", text_of(use), (int)i,
                  mean + want, want);
        cr_assert(fabs(spread - deviation) <= 0.15 * deviation + 1e-5,
                  "%s: in training element %d has deviation %g instead of %g", text_of(use), (int)i,
                  spread, deviation);
        if (!e->random_along.kind)
            continue;
        double along = products[i] / calls - mean * sum[0] / calls;
        cr_assert(fabs(along - e->random_along.numbers[i]) <=
                      0.2 * deviation * e->random_spread.numbers[0] + 1e-5,
                  "%s: in training element %d has covariance %g with the first, and not %g",
                  text_of(use), (int)i, along, e->random_along.numbers[i]);
    }
}

/* Twice the batch gives the same rows twice; but states are for one size of it, and so is a layer that says it. */
static void check_batch(const Use *use, gt_Layer *layer, const UseInputs *in, const Expected *e)
{
    gt_Tensor *outputs[OUTPUTS];
    UseInputs twice = *in;
    if (gt_state_variables(layer).count > 0 || strstr(e->keras, "batch_size="))
        return;
    int64_t batch = use->sample->input[0].shape.rank ? use->sample->input[0].shape.dims[0] : 0;
    static Case c;
    use_case(use, &c);
    for (int i = 0; i < in->count; i++) {
        if (use_is_text(use, i))
            twice.text[i] = use_text(use, &c, i, 2);
        gt_Tensor *x = in->x[i], *mask = in->mask[i];
        bool rows = x && gt_rank(x) > 0 && gt_dim(gt_tensor_shape(x), 0) == batch;
        if (rows)
            twice.x[i] = gt_concatenate(gt_tensors(x, x), .axis = 0);
        if (rows && mask)
            twice.mask[i] = gt_concatenate(gt_tensors(mask, mask), .axis = 0);
    }
    set_weights(use, layer, e, true);
    call_use(use, layer, &twice, false, outputs);
    for (int k = 0; k < e->outputs; k++) {
        const Value *want = &e->inference[k];
        if (want->shape.rank == 0 || want->shape.dims[0] != batch)
            continue;
        cr_assert(gt_size(outputs[k]) == 2 * want->count &&
                      gt_dim(gt_tensor_shape(outputs[k]), 0) == 2 * batch,
                  "%s: twice the batch", text_of(use));
        for (int64_t i = 0; i < 2 * want->count; i++)
            cr_assert(
                near(gt_element(outputs[k], i), want->numbers[i % want->count], bound_of(use, e)),
                "%s: twice the batch, element %d", text_of(use), (int)i);
        checks++;
    }
}

/* ---- gradients ---- */

/* All real outputs as one number, from the states of the formula. */
static double weighted(const Use *use, gt_Layer *layer, const UseInputs *in, const Expected *e,
                       bool training, gt_Tensor **loss)
{
    gt_Tensor *outputs[OUTPUTS], *sum = gt_scalar(0, use->dtype);
    set_weights(use, layer, e, false);
    reset_generators(layer);
    call_use(use, layer, in, training, outputs);
    for (int k = 0; k < OUTPUTS && outputs[k]; k++) {
        if (!gt_dtype_is_float(gt_dtype(outputs[k])))
            continue;
        double size = (double)gt_size(outputs[k]);
        gt_Tensor *steps = gt_cast(gt_arange(1 + k, size + 1 + k, 1), use->dtype);
        gt_Tensor *weights = gt_add(gt_sin(steps), 0.3), *y = gt_ravel(gt_unmask(outputs[k]));
        sum = gt_add(sum, gt_sum(gt_multiply(y, weights)));
    }
    if (loss)
        *loss = sum;
    return gt_item(sum);
}

/* Multiples of a number may stand where the function jumps. */
static bool is_stepped(const Use *use, int input)
{
    const gt_SampleInput *in = &use->sample->input[input];
    return in->every > 0 && in->gap == 0;
}

static void check_gradients(const Use *use, gt_Layer *layer, const UseInputs *given,
                            const Expected *e, bool training)
{
    enum { SOURCES = USE_INPUTS + WEIGHTS };
    const double h = 1e-5;
    int sources = 0;
    UseInputs in = *given;
    gt_Tensor *source[SOURCES], *gradient[SOURCES], *loss;
    set_weights(use, layer, e, true);
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < in.count; i++) /* variables, so that they can be moved */
        if (in.x[i] && gt_dtype_is_float(gt_dtype(in.x[i])) && !is_stepped(use, i))
            source[sources++] = in.x[i] = gt_variable(in.x[i]);
    int variables = sources;
    gt_Tensors trained = gt_trainable_variables(layer);
    for (int i = 0; i < trained.count; i++)
        source[sources++] = trained.items[i];
    weighted(use, layer, &in, e, training, &loss);
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){source, sources}), gradient,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: gradients", text_of(use));
    for (int k = 0; k < sources; k++)
        for (int64_t i = 0; i < gt_size(source[k]); i++) {
            gt_Scope *scope = gt_scope_begin();
            double *at = (double *)(uintptr_t)gt_data(source[k]) + i, x = *at;
            *at = x + h;
            double up = weighted(use, layer, &in, e, training, NULL);
            *at = x - h;
            double down = weighted(use, layer, &in, e, training, NULL),
                   want = (up - down) / (2 * h);
            *at = x;
            double got = gt_element(gradient[k], i);
            cr_assert(fabs(got - want) <= 1e-6 * (1 + fabs(want)), "%s%s: source %d, %d: %g for %g",
                      text_of(use), training ? ", training" : "", k, (int)i, got, want);
            gt_scope_end(scope);
        }
    gt_tape_end(tape);
    checks += sources;
    for (int k = 0; k < variables; k++)
        gt_variable_free(source[k]);
}

/* ---- the walk ---- */

static bool is_chosen(const gt_LayerClass *type)
{
    const char *chosen = getenv("GT_LAYERS");
    char name[80], list[1024];
    if (!chosen || !*chosen)
        return true;
    snprintf(name, sizeof name, " %s ", type->name);
    snprintf(list, sizeof list, " %s ", chosen);
    return strstr(list, name) != NULL;
}

static void check_use(const Use *use, const Expected *e)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *outputs[OUTPUTS];
    const UseInputs inputs = use_inputs(use), *in = &inputs;
    gt_Layer *layer = use_layer(use);
    cr_assert(layer, "%s", text_of(use));
    call_use(use, layer, in, false, outputs);
    check_generators(use, layer, e);
    check_weights(use, layer, e);
    check_inference(use, layer, in, e);
    if (e->random)
        check_random(use, layer, in, e);
    else
        check_training(use, layer, in, e);
    check_batch(use, layer, in, e);
    if (use->dtype == GT_FLOAT64) {
        check_first(use, in, e);
        check_gradients(use, layer, in, e, false);
        if (differs_in_training(use))
            check_gradients(use, layer, in, e, true);
    }
    gt_layer_free(layer);
    gt_scope_end(scope);
    cr_assert(gt_status() == GT_OK, "%s", text_of(use));
}

/* What needs no oracle, of a sample that Keras cannot compute: weights by formula, gradients. */
static void check_without(const Use *use, Expected *e)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *outputs[OUTPUTS];
    const UseInputs in = use_inputs(use);
    gt_Layer *layer = use_layer(use);
    cr_assert(layer, "%s", text_of(use));
    call_use(use, layer, &in, false, outputs);
    gt_Tensors weights = gt_weights(layer);
    cr_assert(weights.count <= WEIGHTS);
    memset(e, 0, sizeof *e);
    for (int i = 0; i < weights.count; i++)
        snprintf(e->weight[i].kind, sizeof e->weight[i].kind, "%s",
                 !gt_dtype_is_float(gt_dtype(weights.items[i]))           ? "whole"
                 : strstr(gt_variable_name(weights.items[i]), "variance") ? "positive"
                                                                          : "real");
    check_gradients(use, layer, &in, e, false);
    check_gradients(use, layer, &in, e, true);
    gt_layer_free(layer);
    gt_scope_end(scope);
}

static char *oracle_of(const gt_LayerClass *type)
{
    char path[200];
    snprintf(path, sizeof path, "tests/oracle/layers/%s.txt", type->name);
    return text_of_file(path);
}

static bool needs_oracle(const gt_LayerClass *type)
{
    for (size_t i = 0; i < sizeof without_oracle / sizeof *without_oracle; i++)
        if (strcmp(without_oracle[i].name, type->name) == 0)
            return false;
    return true;
}

/* Every class whose place in the table leaves this remainder: parts run beside each other. */
static void walk(int part)
{
    static Expected e;
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++) {
        const gt_LayerClass *type = table[k];
        if (!is_chosen(type) || k % PARTS != part)
            continue;
        char *text = needs_oracle(type) ? oracle_of(type) : NULL;
        int samples = 0;
        for (int n = 0; type->samples[n].inputs; n++) {
            Use use = {type, &type->samples[n], n, GT_FLOAT64};
            if (!text || !use.sample->keras) {
                check_without(&use, &e);
                continue;
            }
            cr_assert(find_expected(text, n, &e) && strcmp(e.keras, use.sample->keras) == 0 &&
                          e.inputs == use.sample->inputs,
                      "%s is not what oracle/layers.py was asked: run it again", text_of(&use));
            for (int i = 0; i < e.inputs; i++)
                cr_assert(gt_shape_equal(e.input[i], use.sample->input[i].shape),
                          "%s: input %d is another than oracle/layers.py was given: run it again",
                          text_of(&use), i);
            check_use(&use, &e);
            use.dtype = GT_FLOAT32;
            check_use(&use, &e);
            samples++;
        }
        cr_assert(samples > 0 || !text, "%s: no sample says what Keras calls it", type->name);
        layers++;
        free(text);
    }
    fprintf(stderr, "part %d of %d: %d layers, %d checks against Keras\n", part + 1, PARTS, layers,
            checks);
    gt_context_free(NULL);
}

/* 1e-10 in float64 and 1e-5 in float32, but for these. */
static void tell_bounds(void)
{
    for (size_t i = 0; i < sizeof other_bounds / sizeof *other_bounds; i++)
        fprintf(stderr, "%s within %g in %s: %s\n", other_bounds[i].name, other_bounds[i].bound,
                gt_dtype_name(other_bounds[i].dtype), other_bounds[i].why);
}

#define WALK(part)                                                                                 \
    Test(layers_oracle, values_##part, .timeout = 1200)                                             \
    {                                                                                              \
        if (part == 1)                                                                             \
            tell_bounds();                                                                         \
        walk(part - 1);                                                                            \
        assert_no_leaks();                                                                         \
    }
WALK(1)
WALK(2)
WALK(3)
WALK(4)

/* ---- defaults ---- */

/* The numbers in a text, (2, 2) or 0.99; returns how many. */
static int numbers_in(const char *text, double *numbers, int most)
{
    int count = 0;
    while (*text && count < most) {
        char *end;
        if (isdigit((unsigned char)*text) || (*text == '-' && isdigit((unsigned char)text[1]))) {
            numbers[count++] = strtod(text, &end);
            text = end;
        } else {
            text++;
        }
    }
    return count;
}

/* Is `text` this word of Keras's as an enumeration's constant, a function, or a note has it:
 * GT_PADDING_VALID, gt_tanh, "not given: zeros"? */
static bool says(const char *text, const char *word)
{
    char wanted[64], given[400];
    size_t n = 0;
    for (; text[n] && n < sizeof given - 1; n++)
        given[n] = (char)tolower((unsigned char)text[n]);
    given[n] = 0;
    for (n = 0; word[n] && n < sizeof wanted - 1; n++)
        wanted[n] = (char)tolower((unsigned char)word[n]);
    wanted[n] = 0;
    const char *at = strstr(given, wanted);
    return at && !isalnum((unsigned char)at[n]) && (at == given || !isalnum((unsigned char)at[-1]));
}

static bool is_nothing(const char *preset)
{
    static const char *const words[] = {"NULL",        "GT_NONE",       "GT_NOT_GIVEN",
                                        "GT_NO_SIZES", "GT_DTYPE_NONE", "GT_NO_AXES",
                                        "GT_NO_SHAPE", "GT_INHERIT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(preset, words[i]) == 0)
            return true;
    return false;
}

/* Is an option's preset what Keras's signature has? */
static bool same_default(const gt_FieldText *text, const char *value)
{
    const char *preset = text->preset;
    double want[8], got[8];
    if (strcmp(value, "required") == 0)
        return strstr(text->doc, "required") != NULL;
    if (strcmp(value, "None") == 0) /* a note says what -1 stands for */
        return is_nothing(preset) ||
               (strcmp(preset, "-1") == 0 && strncmp(text->doc, "-1: ", 4) == 0);
    if (strcmp(value, "True") == 0 || strcmp(value, "False") == 0)
        return strcmp(preset, value[0] == 'T' ? "true" : "false") == 0;
    if (value[0] == '\'') {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(value + 1, "'"), value + 1);
        return says(is_nothing(preset) ? text->doc : preset, word);
    }
    const char *given = is_nothing(preset) ? text->doc : preset;
    int count = numbers_in(value, want, 8), have = numbers_in(given, got, 8);
    bool same = count > 0 && (have == count || have == 1);
    for (int i = 0; same && i < count; i++)
        same = want[i] == got[have == 1 ? 0 : i];
    return same;
}

/* layer_defaults.txt */
typedef struct Difference {
    char *type, *argument, *option; /* argument NULL: Keras has none; option NULL: gradtape */
    bool used;
} Difference;
static Difference differences[512];
static int difference_count;

static void read_differences(char *text)
{
    for (char *line = text, *next; line; line = next) {
        next = end_line(line);
        if (!*line || *line == '#')
            continue;
        Difference *d = &differences[difference_count++];
        cr_assert(difference_count < 512);
        char *space = strchr(line, ' '), *is = strstr(line, " = "), *why = strchr(line, ':');
        cr_assert(space && (why || is), "layer_defaults.txt: \"%s\"", line);
        bool extra = strncmp(space, " + ", 3) == 0;
        *space = 0;
        is = why && is > why ? NULL : is;
        *(is ? is : why) = 0;
        *d = (Difference){line, extra ? NULL : space + 1,
                          extra ? space + 3
                          : is  ? is + 3
                                : NULL,
                          false};
    }
}

static Difference *difference_of(const gt_LayerClass *type, const char *argument,
                                 const char *option)
{
    for (int i = 0; i < difference_count; i++) {
        Difference *d = &differences[i];
        bool here = strcmp(d->type, "*") == 0 || strcmp(d->type, type->name) == 0;
        const char *mine = argument ? d->argument : d->argument ? NULL : d->option;
        if (here && mine && strcmp(mine, argument ? argument : option) == 0)
            return d;
    }
    return NULL;
}

static bool is_common(const char *name)
{
    return strcmp(name, "name") == 0 || strcmp(name, "dtype") == 0 ||
           strcmp(name, "trainable") == 0;
}

static bool is_renaming(const gt_LayerClass *type, const char *option)
{
    for (int i = 0; i < difference_count; i++)
        if (differences[i].argument && differences[i].option &&
            strcmp(differences[i].type, type->name) == 0 &&
            strcmp(differences[i].option, option) == 0)
            return true;
    return false;
}

static void check_argument(const gt_LayerClass *type, const char *argument, const char *value)
{
    Difference *d = difference_of(type, argument, NULL);
    const gt_Field *field = field_of(type, d && d->option ? d->option : argument);
    const gt_FieldText *text = field ? &type->options->texts[field - type->options->fields] : NULL;
    bool fits = text && same_default(text, value);
    if (d && !d->option) {
        cr_expect(!fits || strcmp(d->type, "*") == 0, "%s: layer_defaults.txt need not name %s",
                  type->name, argument);
        d->used = d->used || !fits;
        return;
    }
    if (d)
        d->used = true;
    cr_expect(fits, "%s: the default of %s is %s in Keras, and here %s (\"%s\")", type->name,
              argument, value, text ? text->preset : "no option", text ? text->doc : "");
    checks++;
}

static void check_defaults(const gt_LayerClass *type, const char *text)
{
    char seen[64][64], word[64];
    int count = 0;
    for (const char *at = text; (at = strstr(at, "\ndefault "));) {
        at += 9;
        word_of(&at, seen[count], sizeof seen[count]);
        cr_assert(count < 63);
        size_t length = strcspn(++at, "\n");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (!is_common(seen[count]))
            check_argument(type, seen[count], word);
        count++;
    }
    for (const gt_Field *field = type->options->fields; field->name; field++) {
        bool known = is_common(field->name) || is_renaming(type, field->name);
        for (int i = 0; i < count && !known; i++)
            known = strcmp(seen[i], field->name) == 0;
        Difference *d = known ? NULL : difference_of(type, NULL, field->name);
        if (d)
            d->used = true;
        cr_expect(known || d || strcmp(field->name, "activity_regularizer") == 0,
                  "%s: Keras has no %s", type->name, field->name);
    }
}

Test(layers_oracle, defaults)
{
    int count;
    char *text = text_of_file("tests/layer_defaults.txt");
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    read_differences(text);
    for (int k = 0; k < count; k++) {
        if (!needs_oracle(table[k]) || !table[k]->options || !is_chosen(table[k]))
            continue;
        char *oracle = oracle_of(table[k]);
        check_defaults(table[k], oracle);
        free(oracle);
    }
    for (int i = 0; i < difference_count && !getenv("GT_LAYERS"); i++)
        cr_expect(differences[i].used, "layer_defaults.txt: nobody needs \"%s %s\"",
                  differences[i].type,
                  differences[i].argument ? differences[i].argument : differences[i].option);
    fprintf(stderr, "%d defaults as Keras's\n", checks);
    free(text);
}

/* ---- options ---- */

/* A copy of a sample's options in memory of its own; the caller frees it. */
static void *copy_of_options(const Use *use)
{
    const gt_OptionType *type = use->type->options;
    const void *given = use->sample->options ? use->sample->options : type->defaults;
    void *copy = malloc(type->size);
    cr_assert(copy);
    memcpy(copy, given, type->size);
    return copy;
}

/* "kernel_initializer" is about weights called kernel, "depthwise_initializer" about depthwise_kernel,
 * which gt_DepthwiseConv2D calls kernel. */
static bool is_about(const gt_Field *field, const char *ending, const char *weight)
{
    size_t length = strlen(field->name) - strlen(ending);
    if (strcmp(weight, "kernel") == 0 && strncmp(field->name, "depthwise_", 10) == 0)
        return true;
    return strncmp(field->name, weight, length) == 0 &&
           (!weight[length] || strcmp(weight + length, "_kernel") == 0);
}

static double squares_of(gt_Tensor *x)
{
    double sum = 0;
    for (int64_t i = 0; i < gt_size(x); i++)
        sum += gt_element(x, i) * gt_element(x, i);
    return sum;
}

static bool is_of(const gt_Field *field, const char *type)
{
    return strcmp(field->type, type) == 0;
}

static const char *ending_of(const gt_Field *field)
{
    return is_of(field, "gt_Initializer")   ? "_initializer"
           : is_of(field, "gt_Regularizer") ? "_regularizer"
           : is_of(field, "gt_Constraint")  ? "_constraint"
                                            : NULL;
}

/* A step so large that every weight becomes negative, but for those whose constraint is gt_NonNeg. */
static void check_constraint(const Use *use, const gt_Field *field, gt_Layer *layer)
{
    gt_Tensors weights = gt_trainable_variables(layer);
    gt_Tensor *gradients[WEIGHTS];
    gt_Optimizer *sgd = gt_SGD(100);
    for (int i = 0; i < weights.count; i++)
        gradients[i] = gt_ones_like(weights.items[i]);
    gt_apply_gradients(sgd, weights, gradients);
    for (int i = 0; i < weights.count; i++) {
        bool about = is_about(field, "_constraint", gt_variable_name(weights.items[i]));
        for (int64_t k = 0; k < gt_size(weights.items[i]); k++)
            cr_expect((gt_element(weights.items[i], k) == 0) == about,
                      "%s: %s, %s is %g after a step", text_of(use), field->name,
                      gt_variable_name(weights.items[i]), gt_element(weights.items[i], k));
    }
    gt_optimizer_free(sgd);
}

/* Is output 0 of floats, so that it can have a penalty? */
static bool gives_floats(const Use *use)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *outputs[OUTPUTS];
    const UseInputs in = use_inputs(use);
    gt_Layer *layer = use_layer(use);
    call_use(use, layer, &in, false, outputs);
    bool floats = gt_dtype_is_float(gt_dtype(outputs[0]));
    gt_layer_free(layer);
    gt_scope_end(scope);
    return floats;
}

/* Does the field's value reach the weights that it is about? An initializer fills them, a regularizer
 * is a penalty on them, a constraint acts after a step. Returns how many there are. */
static int check_value_field(const Use *use, const gt_Field *field)
{
    if (strcmp(field->name, "activity_regularizer") == 0 && !gives_floats(use))
        return 0;
    bool fills = is_of(field, "gt_Initializer"), holds = is_of(field, "gt_Constraint");
    const char *ending = ending_of(field);
    gt_Tensor *outputs[OUTPUTS];
    char *options = copy_of_options(use);
    gt_Initializer quarter = gt_Constant(0.25);
    gt_Regularizer half = gt_L2(0.5);
    gt_Constraint positive = gt_NonNeg();
    memcpy(options + field->offset,
           fills   ? (void *)&quarter
           : holds ? (void *)&positive
                   : (void *)&half,
           field->size);
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_layer_make(use->type, options);
    const UseInputs inputs = use_inputs(use), *in = &inputs;
    call_use(use, layer, in, false, outputs);
    gt_Tensors weights = gt_weights(layer);
    int about = 0;
    double penalty = 0;
    for (int i = 0; i < weights.count; i++) {
        gt_Variable *weight = weights.items[i];
        if (!is_about(field, ending, gt_variable_name(weight)))
            continue;
        about++;
        if (!fills && !holds)
            gt_assign_add(weight, 0.5); /* not 0, as it may be at first */
        penalty += 0.5 * squares_of(weight);
        int64_t filled = 0;
        for (int64_t k = 0; k < gt_size(weight); k++)
            filled += gt_element(weight, k) == 0.25;
        cr_expect(!fills || 2 * filled >= gt_size(weight), "%s: %s does not reach %s", text_of(use),
                  field->name, gt_variable_name(weight));
    }
    call_use(use, layer, in, false, outputs);
    if (strcmp(field->name, "activity_regularizer") == 0) {
        about++;
        penalty = 0.5 * squares_of(outputs[0]) / (double)gt_dim(gt_tensor_shape(in->x[0]), 0);
    }
    double loss = gt_item(gt_total_loss(layer, gt_scalar(0, use->dtype)));
    cr_expect(fills || holds || near(loss, penalty, 1e-10), "%s: %s gives %g instead of %g",
              text_of(use), field->name, loss, penalty);
    if (holds)
        check_constraint(use, field, layer);
    cr_assert(gt_status() == GT_OK, "%s: %s", text_of(use), field->name);
    gt_layer_free(layer);
    gt_scope_end(scope);
    free(options);
    checks++;
    return about;
}

/* The option of the function that this layer may stand for: activation for activation_layer. */
static const gt_Field *function_of(const gt_LayerClass *type, const gt_Field *field)
{
    char name[64];
    size_t length = strlen(field->name);
    if (strcmp(field->type, "gt_Layer *") != 0 || length < 7 || length >= sizeof name ||
        strcmp(field->name + length - 6, "_layer") != 0)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)length - 6, field->name);
    return field_of(type, name);
}

/* An activation as a layer gives what it gives as a function, and not what there is without. */
static void check_activation_layer(const Use *use, const gt_Field *layer, const gt_Field *function)
{
    gt_Tensor *outputs[3][OUTPUTS];
    gt_Scope *scope = gt_scope_begin();
    const UseInputs in = use_inputs(use);
    for (int k = 0; k < 3; k++) { /* the layer, the function, another function */
        char *options = copy_of_options(use);
        gt_TensorFunction functions[] = {NULL, gt_sigmoid, gt_tanh};
        gt_Layer *sigmoid = k == 0 ? gt_Activation(gt_sigmoid) : NULL;
        memcpy(options + function->offset, &functions[k], sizeof *functions);
        memcpy(options + layer->offset, &sigmoid, sizeof sigmoid);
        gt_Layer *made = gt_layer_make(use->type, options);
        call_use(use, made, &in, false, outputs[k]);
        gt_Tensors weights = gt_weights(made);
        for (int i = 0; i < weights.count; i++)
            if (gt_dtype_is_float(gt_dtype(weights.items[i])))
                gt_assign(weights.items[i], gt_full_like(weights.items[i], 0.3));
        call_use(use, made, &in, false, outputs[k]);
        gt_layer_free(made);
        free(options);
    }
    double apart = 0;
    for (int64_t i = 0; i < gt_size(outputs[0][0]); i++) {
        double y = gt_element(outputs[0][0], i);
        cr_expect_eq(y, gt_element(outputs[1][0], i), "%s: %s", text_of(use), layer->name);
        apart = fmax(apart, fabs(y - gt_element(outputs[2][0], i)));
    }
    cr_expect(apart > 1e-6, "%s: %s changes nothing", text_of(use), layer->name);
    gt_scope_end(scope);
    checks++;
}

/* Is the field at another value than the preset in some sample? */
static bool is_varied_in(const gt_LayerClass *type, const gt_Field *field)
{
    bool varied = false;
    for (const gt_LayerSample *sample = type->samples; sample->inputs && !varied; sample++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *made = sample->make ? sample->make() : NULL;
        const char *options = made ? (const char *)made + type->options_offset : sample->options;
        varied = options &&
                 memcmp(options + field->offset,
                        (const char *)type->options->defaults + field->offset, field->size) != 0;
        gt_layer_free(made);
        gt_scope_end(scope);
    }
    return varied;
}

/* In a sample of this class or of one that shares its options and its call, as Conv2D and Conv3D. */
static bool is_varied(const gt_LayerClass *type, const gt_Field *field)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++)
        if (table[k]->options == type->options && table[k]->call == type->call &&
            is_varied_in(table[k], field))
            return true;
    return false;
}

/* Inputs that have no mask in Keras either: states have no steps, and a mask is one. */
static bool takes_no_mask(const char *port)
{
    static const char *const ports[] = {"initial_state", "initial_h", "initial_c",
                                        "attention_mask", "mask", "count_weights"};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (strcmp(ports[i], port) == 0)
            return true;
    return false;
}

/* The first input that has a mask in no sample, of classes that say what becomes of masks; -1: each has one. */
static int input_without_mask(const gt_LayerClass *type)
{
    uint32_t masks = 0;
    int most = 0, last = 0;
    if (!type->mask && !(type->flags & (GT_LAYER_KEEPS_MASK | GT_LAYER_DROPS_MASK)))
        return -1;
    for (const gt_LayerSample *sample = type->samples; sample->inputs; sample++) {
        masks |= sample->masks;
        for (int i = 0; i < sample->inputs; i++)
            masks |= (uint32_t)(sample->input[i].words != NULL) << i; /* text has none */
        most = sample->inputs > most ? sample->inputs : most;
    }
    while (type->ports && type->ports[last].name && type->ports[last + 1].name)
        last++;
    for (int i = 0; i < most; i++)
        if (!(masks >> i & 1) &&
            !(type->ports && takes_no_mask(type->ports[i < last ? i : last].name)))
            return i;
    return -1;
}

/* Initializers, regularizers and constraints reach their weights, activations may be layers; every other option has
 * another value than its default in some sample, and every input has a mask in one. */
Test(layers_oracle, options)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++) {
        const gt_LayerClass *type = table[k];
        if (!is_chosen(type))
            continue;
        cr_expect(input_without_mask(type) < 0, "%s: input %d has a mask in no sample", type->name,
                  input_without_mask(type));
        for (const gt_Field *field = type->options ? type->options->fields : &(gt_Field){NULL};
             field->name; field++) {
            bool value = ending_of(field) != NULL;
            int about = 0, made = 0;
            for (int n = 0; value && type->samples[n].inputs; n++)
                if (type->samples[n].make)
                    made++;
                else
                    about +=
                        check_value_field(&(Use){type, &type->samples[n], n, GT_FLOAT64}, field);
            const gt_Field *function = function_of(type, field);
            if (function && type->samples->make == NULL)
                check_activation_layer(&(Use){type, type->samples, 0, GT_FLOAT64}, field, function);
            else if (value)
                cr_expect(about > 0 || made > 0, "%s: no weight is what %s is about", type->name,
                          field->name);
            else if (!is_common(field->name) && strcmp(field->type, "void *") != 0 &&
                     strcmp(field->type, "gt_DType") != 0) /* outputs have the dtype of a use */
                cr_expect(is_varied(type, field), "%s: %s is at its default in all samples",
                          type->name, field->name);
        }
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
