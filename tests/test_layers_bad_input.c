/* Bad input for every layer, from the table of layers: inputs of other ranks, shapes and types, masks that nobody asked for,
 * empty batches, axes of size 1, first values that fail, too little memory, other contexts, damaged JSON; options are in
 * test_layers_bad_options.c. Nothing crashes, each error names the layer and what is wrong with it, and the layer works
 * afterwards. */
#include "bad_layers.h"

#include <math.h>

enum { TEXT = 1 << 16 };

/* ---- inputs ---- */

static gt_Tensor *filled(gt_Shape shape, gt_DType dtype, double value)
{
    return gt_full(shape, value, .dtype = dtype);
}

/* Calls a layer with one input replaced, with or without masks. NULL for `to`: it is absent. */
static gt_Tensor *call_with(const Use *use, gt_Layer *layer, UseInputs in, int input, gt_Tensor *to,
                            bool masked)
{
    gt_Tensor *outputs[USE_OUTPUTS];
    in.x[input] = to;
    for (int i = 0; i < in.count; i++)
        if (!masked || i == input)
            in.mask[i] = NULL;
    return use_call(use, layer, &in, true, outputs);
}

static void try_input(const Use *use, const UseInputs *in, int input, gt_Tensor *x,
                      const char *what)
{
    gt_Layer *fresh = use_layer(use);
    bool was = gt_layer_built(fresh); /* a functional model */
    bool result = settled(use, what, call_with(use, fresh, *in, input, x, false) != NULL);
    if (!result && !was && (gt_layer_built(fresh) || gt_weights(fresh).count))
        fault(use, "%s: the layer is built, after a call that failed", what);
    if (!result)
        works(use, fresh, what);
    gt_error_clear();
    gt_layer_free(fresh);
    gt_Layer *built = use_layer(use);
    works(use, built, "at first");
    settled(use, what, call_with(use, built, *in, input, x, true) != NULL);
    works(use, built, what);
    gt_layer_free(built);
}

static void try_inputs(const Use *use)
{
    static const gt_DType types[] = {GT_BOOL,    GT_INT32,    GT_INT64,   GT_UINT8,
                                     GT_FLOAT16, GT_BFLOAT16, GT_FLOAT64, GT_FLOAT32};
    char what[200], text[160];
    const UseInputs in = use_inputs(use);
    for (int i = 0; i < in.count; i++) {
        gt_Shape own = use->sample->input[i].shape;
        gt_DType own_type = in.x[i] ? gt_dtype(in.x[i]) : GT_FLOAT32;
        if (in.x[i])
            try_input(use, &in, i, NULL, "NULL");
        for (int rank = 0; rank <= 6; rank++) {
            gt_Shape shape = {GT_MARK, rank, {2, 3, 2, 3, 2, 3}};
            for (int d = 0; d < rank && d < own.rank; d++)
                shape.dims[d] = own.dims[d];
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d of shape %s", i,
                     gt_shape_text(shape, text, sizeof text));
            try_input(use, &in, i, filled(shape, own_type, 1), what);
            gt_scope_end(scope);
        }
        for (int d = 0; d < own.rank; d++)
            for (int64_t size = 0; size < 3; size++) {
                gt_Shape shape = own;
                shape.dims[d] = size < 2 ? size : own.dims[d] + 1;
                gt_Scope *scope = gt_scope_begin();
                snprintf(what, sizeof what, "input %d of shape %s", i,
                         gt_shape_text(shape, text, sizeof text));
                try_input(use, &in, i, filled(shape, own_type, 1), what);
                gt_scope_end(scope);
            }
        for (size_t t = 0; t < sizeof types / sizeof *types && in.x[i]; t++) {
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d as %s", i, gt_dtype_name(types[t]));
            try_input(use, &in, i, filled(own, types[t], 1), what);
            gt_scope_end(scope);
        }
        for (int k = 0; k < 4 && in.x[i]; k++) {
            static const double values[] = {NAN, INFINITY, -1e30, 1e30};
            gt_Scope *scope = gt_scope_begin();
            snprintf(what, sizeof what, "input %d of %g", i, values[k]);
            try_input(use, &in, i,
                      filled(own, own_type,
                             gt_dtype_is_float(own_type) ? values[k]
                             : own_type == GT_UINT8      ? 255 - k
                                                         : k - 2),
                      what);
            gt_scope_end(scope);
        }
    }
}

Test(layers_bad_input, inputs)
{
    every_sample(try_inputs);
}

/* ---- too few, too many ---- */

static gt_Tensor *call_count(gt_Layer *layer, gt_Tensor *const *x, int count)
{
    return gt_call(layer, x[0], .more = (gt_Tensors){count > 1 ? x + 1 : NULL, count - 1});
}

/* The least number of inputs that the ports ask for, and the most. */
static void ports_of(const Use *use, int *least, int *most)
{
    *least = *most = use->type->ports ? 0 : 1;
    for (const gt_Port *port = use->type->ports; port && port->name; port++) {
        *most = port->flags & GT_PORT_MANY ? GT_MAX_INPUTS : *most + 1;
        if (!(port->flags & GT_PORT_OPTIONAL))
            *least = (int)(port - use->type->ports) + 1;
    }
}

static void try_counts(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *x[GT_MAX_INPUTS + 2], *y = NULL;
    char what[80];
    int least, most;
    ports_of(use, &least, &most);
    for (int i = 0; i < GT_MAX_INPUTS + 2; i++)
        x[i] = i < in.count && in.x[i] ? in.x[i] : in.x[0];
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int count = 1; count < GT_MAX_INPUTS + 2; count += count < 9 ? 1 : 55) {
        gt_Scope *scope = gt_scope_begin();
        snprintf(what, sizeof what, "%d inputs", count);
        bool result = settled(use, what, call_count(layer, x, count) != NULL);
        if (result && (count < least || (count > most && !(use->type->flags & GT_LAYER_CONTAINER))))
            fault(use, "%s: it works", what);
        gt_scope_end(scope);
    }
    settled(use, "an input by a name that is none",
            gt_call(layer, x[0], .named = gt_named({"no such input", x[0]})) != NULL);
    settled(use, "more outputs than there are",
            gt_call(layer, x[0],
                    .outputs = gt_outputs(&y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y, &y,
                                          &y, &y, &y)) != NULL);
    if (y)
        fault(use, "an output of a failed call");
    works(use, layer, "counts");
    gt_layer_free(layer);
}

Test(layers_bad_input, counts)
{
    every_sample(try_counts);
}

/* ---- masks ---- */

/* A mask over the first axes of every input, whether the layer takes it or not: it stays, changes, or ends with a warning;
 * an operation that it must not pass says so. Eagerly and in a plan alike. */
typedef struct Traced {
    const Use *use;
    gt_Layer *layer;
    bool present[USE_INPUTS];
} Traced;

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    gt_Tensor *results[USE_OUTPUTS];
    UseInputs in = {.count = self->use->sample->inputs};
    for (int i = 0, at = 0; i < in.count; i++)
        in.x[i] = self->present[i] ? inputs[at++] : NULL;
    outputs[0] = use_call(self->use, self->layer, &in, false, results);
    return gt_status();
}

static bool same_bits(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.dtype == two.dtype && one.size == two.size &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

static void try_mask(const Use *use, const UseInputs *from, int input, int rank, gt_Layer *layer)
{
    char what[80];
    gt_Tensor *outputs[USE_OUTPUTS], *x[USE_INPUTS], *planned = NULL;
    UseInputs in = *from;
    gt_Shape shape = use->sample->input[input].shape;
    shape.rank = rank;
    snprintf(what, sizeof what, "a mask of rank %d on input %d", rank, input);
    gt_Tensor *mask = gt_greater(gt_uniform(shape, .generator = gt_generator(3)), 0.5);
    in.mask[input] = mask;
    gt_warnings_clear();
    gt_Tensor *y = use_call(use, layer, &in, false, outputs);
    char message[400];
    snprintf(message, sizeof message, "%s", gt_error_message());
    gt_Status status = gt_status();
    settled(use, what, y != NULL);
    if (y && use->type->flags & GT_LAYER_DROPS_MASK &&
        (gt_is_masked(y) || gt_warnings().count == 0))
        fault(use, "%s: it is dropped without a warning", what);
    if (y && use->type->flags & GT_LAYER_KEEPS_MASK && input == 0 &&
        !(gt_is_masked(y) && same_bits(gt_mask(y), mask)))
        fault(use, "%s: it is not kept", what);
    for (int i = 0; i < in.count; i++)
        if (in.text[i].bytes) {
            gt_error_clear();
            return; /* functions take no text */
        }
    Traced body = {.use = use, .layer = layer};
    int count = 0;
    for (int i = 0; i < in.count; i++)
        if ((body.present[i] = in.x[i] != NULL))
            x[count++] = in.mask[i] ? gt_with_mask(in.x[i], in.mask[i]) : in.x[i];
    gt_Function *function = gt_function(traced, &body);
    gt_reset_states(layer);
    gt_function_call(function, ((gt_Tensors){x, count}), &planned);
    if (y && (!planned || !same_bits(y, planned) || gt_is_masked(y) != gt_is_masked(planned) ||
              (gt_is_masked(y) && !same_bits(gt_mask(y), gt_mask(planned)))))
        fault(use, "%s: a plan differs: %s", what, gt_error_message());
    if (!y && (planned || gt_status() != status))
        fault(use, "%s: eagerly an error, %s; a plan has another: %s", what, message,
              gt_error_message());
    gt_error_clear();
    gt_function_free(function);
}

static void try_masks(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int i = 0; i < in.count; i++)
        for (int rank = 0; in.x[i] && rank <= use->sample->input[i].shape.rank; rank++) {
            gt_Scope *scope = gt_scope_begin();
            gt_reset_states(layer);
            try_mask(use, &in, i, rank, layer);
            gt_scope_end(scope);
        }
    gt_Tensor *const wrong[] = {gt_ones(gt_shape(5, 7), .dtype = GT_BOOL),
                                gt_ones(gt_shape(77), .dtype = GT_BOOL), in.x[0]};
    for (int k = 0; k < 3; k++)
        if (settled(use, "a mask that does not fit",
                    gt_call(layer, in.x[0], .mask = wrong[k],
                            .more = (gt_Tensors){in.count > 1 ? in.x + 1 : NULL, in.count - 1}) !=
                        NULL))
            fault(use, "a mask that does not fit works");
    works(use, layer, "masks");
    gt_layer_free(layer);
}

Test(layers_bad_input, masks)
{
    every_sample(try_masks);
}

/* ---- empty batches, axes of size 1 ---- */

static bool is_finite(gt_Tensor *y)
{
    for (int64_t i = 0; gt_dtype_is_float(gt_dtype(y)) && i < gt_size(y); i++)
        if (!isfinite(gt_element(y, i)))
            return false;
    return true;
}

/* What may be said of an empty batch. The first axis of one image is its height. */
static bool may_refuse_none(bool training)
{
    static const char *const reasons[] = {
        "stateful: the batch must be", "must be float32 (2, -1, 3)", /* InputLayer's .batch_size */
        "images must have pixels (got (0,", "axis 0 of size 0 cannot be resized",
        /* The loudest of all there is. */
        "mel_spectrogram: max: cannot reduce an empty axis"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(gt_error_message(), reasons[i]))
            return true;
    return training && strstr(gt_error_message(), "an empty batch has no mean");
}

static void try_sizes(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    char what[80];
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    for (int training = 0; training < 2; training++) {
        UseInputs none = in;
        gt_Tape *tape = gt_tape_begin();
        for (int i = 0; i < in.count; i++)
            if (in.x[i] && (!in.x[0] || gt_dim(gt_tensor_shape(in.x[i]), 0) ==
                                            gt_dim(gt_tensor_shape(in.x[0]), 0))) {
                gt_Shape shape = gt_tensor_shape(in.x[i]);
                shape.dims[0] = 0;
                none.x[i] = gt_zeros(shape, .dtype = gt_dtype(in.x[i]));
                if (gt_dtype_is_float(gt_dtype(in.x[i])))
                    gt_watch(tape, none.x[i]);
                none.mask[i] = NULL;
            } else if (in.text[i].bytes) {
                none.text[i].bytes = gt_zeros(gt_shape(0), .dtype = GT_UINT8);
                none.text[i].offsets = gt_zeros(gt_shape(1), .dtype = GT_INT64);
            }
        gt_Tensor *y = use_call(use, layer, &none, training, outputs);
        if (y && gt_size(y) != 0 && gt_dim(gt_tensor_shape(y), 0) != 0)
            fault(use, "an empty batch gives %lld elements", (long long)gt_size(y));
        snprintf(what, sizeof what, "an empty batch, training %d", training);
        if (!y && !may_refuse_none(training))
            fault(use, "%s: %s", what, gt_error_message());
        settled(use, what, y != NULL);
        gt_Tensors trained = gt_trainable_variables(layer);
        if (y && trained.count && gt_dtype_is_float(gt_dtype(y))) {
            gt_Tensor *g =
                gt_gradient(tape, y, trained.items[0], .unconnected = GT_UNCONNECTED_ZERO);
            if (!g || !is_finite(g))
                fault(use, "%s: the gradient: %s", what, g ? "not finite" : gt_error_message());
            gt_error_clear();
        }
        gt_tape_end(tape);
    }
    for (int i = 0; i < gt_weights(layer).count; i++)
        if (!is_finite(gt_weights(layer).items[i]) &&
            strcmp(use->type->name, "discretization") != 0) /* not adapted */
            fault(use, "an empty batch spoils %s", gt_variable_name(gt_weights(layer).items[i]));
    works(use, layer, "an empty batch");
    gt_layer_free(layer);
    /* Everything of size 1. */
    for (int training = 0; training < 2; training++) {
        layer = use_layer(use);
        UseInputs one = in;
        for (int i = 0; i < in.count; i++)
            if (in.x[i]) {
                gt_Shape shape = gt_tensor_shape(in.x[i]);
                for (int d = 0; d < shape.rank; d++)
                    shape.dims[d] = 1;
                one.x[i] = gt_ones(shape, .dtype = gt_dtype(in.x[i]));
                one.mask[i] = NULL;
            }
        gt_Tensor *y = use_call(use, layer, &one, training, outputs);
        if (y && !is_finite(y))
            fault(use, "sizes of 1, training %d: the result is not finite", training);
        settled(use, "sizes of 1", y != NULL);
        gt_layer_free(layer);
    }
}

Test(layers_bad_input, sizes)
{
    every_sample(try_sizes);
}

/* ---- first values that fail ---- */

static int draws_left;

static gt_Status fills_some(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)context, (void)stream;
    if (draws_left-- == 0)
        return gt_fail(GT_INVALID, "no numbers today");
    for (int64_t i = 0; i < spec->size && spec->dtype == GT_FLOAT32; i++)
        ((float *)data)[i] = 0.25f;
    return GT_OK;
}

/* The sample's options with every initializer replaced. NULL: there are none. */
static gt_Layer *with_initializers(const Use *use)
{
    const gt_Initializer mine = gt_initializer(fills_some, NULL);
    gt_Layer *layer = use_layer(use);
    bool any = false;
    for (const gt_Field *field = use->type->options ? use->type->options->fields : NULL;
         layer && field && field->name; field++)
        if (strcmp(field->type, "gt_Initializer") == 0) {
            gt_Layer *next = gt_layer_copy_with(layer, field->name, &mine, sizeof mine);
            gt_layer_free(layer);
            layer = next;
            any = true;
        }
    if (any)
        return layer;
    gt_layer_free(layer);
    return NULL;
}

/* In a call, in gt_build_for, and when a model that was drawn is first read. */
static void try_first_values(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    gt_Spec specs[USE_INPUTS] = {{0}};
    for (int i = 0; i < in.count; i++)
        specs[i] = in.x[i] ? gt_spec(in.x[i]) : (gt_Spec){.dtype = GT_DTYPE_NONE};
    for (int way = 0; way < 2; way++)
        for (int n = 0;; n++) {
            draws_left = n;
            gt_Layer *layer = with_initializers(use);
            if (!layer)
                return;
            int64_t variables = gt_memory_stats().variables;
            bool done = way ? gt_build_for(layer, in.count, specs) == GT_OK
                            : use_call(use, layer, &in, true, outputs) != NULL;
            if (!done && !strstr(gt_error_message(), "no numbers today"))
                fault(use, "first values: %s", gt_error_message());
            settled(use, "first values", done);
            if (!done && (gt_layer_built(layer) || gt_memory_stats().variables != variables))
                fault(use, "first values: something of it is left");
            draws_left = 1000;
            works(use, layer, "first values");
            gt_layer_free(layer);
            if (done)
                break;
        }
}

Test(layers_bad_input, first_values)
{
    every_sample(try_first_values);
}

/* ---- too little memory ---- */

/* What is done with every allocation failing in turn: a result, or NULL. */
typedef bool Deed(const Use *use, gt_Layer *layer);

static bool copies(const Use *use, gt_Layer *layer)
{
    (void)use;
    gt_Layer *copy = gt_layer_copy(layer);
    return copy != NULL;
}

static bool is_drawn(const Use *use, gt_Layer *layer)
{
    gt_Tensor *x[USE_INPUTS], *inputs[USE_INPUTS];
    int count = 0;
    for (int i = 0; i < use->sample->inputs; i++) {
        const gt_SampleInput *input = &use->sample->input[i];
        gt_Shape shape = {GT_MARK, input->shape.rank - 1, {0}};
        x[i] = NULL;
        if (use_is_absent(use, i))
            continue;
        for (int d = 0; d < shape.rank; d++)
            shape.dims[d] = input->shape.dims[d + 1];
        x[i] = inputs[count] =
            gt_Input(shape, .batch_size = input->shape.rank ? input->shape.dims[0] : 1,
                     .dtype = gt_dtype_is_float(input->dtype) ? use->dtype : input->dtype);
        count++;
    }
    gt_Tensor *y = gt_call(
        layer, x[0],
        .more = (gt_Tensors){use->sample->inputs > 1 ? x + 1 : NULL, use->sample->inputs - 1});
    const gt_Tensors list = {inputs, count};
    return gt_Model(list, gt_tensors(y)) != NULL;
}

static bool is_written(const Use *use, gt_Layer *layer)
{
    (void)use;
    const char *text = gt_layer_to_json(layer);
    return *text && gt_layer_from_json(text);
}

static bool is_listed(const Use *use, gt_Layer *layer)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    return use_call(use, layer, &in, false, outputs) && *gt_summary(layer) &&
           gt_weights(layer).count >= 0 && gt_status() == GT_OK && gt_reset_states(layer) == GT_OK;
}

static void try_deed(const Use *use, const char *what, Deed *deed)
{
    gt_Context *before = gt_context();
    bool done = false, could = true;
    for (long n = -1; !done && could; n++) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *layer = use_layer(use);
        gt_Sequential(layer); /* holds it, whatever becomes of a model that takes it */
        budget.left = n < 0 ? INT32_MAX : n;
        bool result = deed(use, layer);
        budget.left = INT32_MAX;
        if (n < 0)
            could = result; /* some layers cannot be copied or written */
        else if (!result && gt_status() != GT_NO_MEMORY)
            fault(use, "%s, allocation %ld: %s", what, n,
                  gt_status() ? gt_error_message() : "no error");
        done = result && n >= 0;
        gt_error_clear();
        if (could)
            works(use, layer, what);
        gt_scope_end(scope);
        tried++;
        gt_context_use(before);
        gt_context_free(context);
        if (budget.held)
            fault(use, "%s, allocation %ld: %ld blocks are lost", what, n, budget.held);
    }
    worked += done;
}

static void try_memory(const Use *use)
{
    try_deed(use, "a copy", copies);
    try_deed(use, "a drawing", is_drawn);
    try_deed(use, "JSON", is_written);
    try_deed(use, "a call and lists", is_listed);
}

Test(layers_bad_input, memory)
{
    every_sample(try_memory);
}

/* ---- other contexts, freed layers ---- */

static void try_contexts(const Use *use)
{
    gt_Context *home = gt_context(), *other = gt_context_create();
    gt_Tensor *outputs[USE_OUTPUTS];
    gt_Layer *layer = use_layer(use);
    bool was = gt_layer_built(layer);
    gt_context_use(other);
    UseInputs in = use_inputs(use);
    if (settled(use, "another context before it is built",
                use_call(use, layer, &in, false, outputs) != NULL) &&
        !was)
        fault(use, "it was built in another context");
    gt_context_use(home);
    UseInputs mine = use_inputs(use);
    gt_Tensor *y = use_call(use, layer, &mine, false, outputs);
    const size_t bytes = (size_t)gt_size(y) * gt_dtype_size(gt_dtype(y));
    const void *numbers = gt_data(y);
    gt_reset_states(layer);
    gt_context_use(other);
    gt_Tensor *z = use_call(use, layer, &in, false, outputs);
    bool stateful = strstr(gt_error_message(), "belongs to another context") != NULL;
    if (!z && !stateful)
        fault(use, "another context: %s", gt_error_message());
    if (z && memcmp(numbers, gt_data(z), bytes) != 0)
        fault(use, "another context gets other numbers");
    settled(use, "another context", z != NULL);
    gt_Tensors more = {mine.count > 1 ? mine.x + 1 : NULL, mine.count - 1};
    settled(use, "inputs of another context", gt_call(layer, mine.x[0], .more = more) != NULL);
    settled(use, "training in another context", use_call(use, layer, &in, true, outputs) != NULL);
    gt_layer_copy(layer);
    gt_error_clear();
    gt_set_trainable(layer, false);
    gt_error_clear();
    gt_context_use(home);
    works(use, layer, "another context");
    gt_layer_free(layer);
    settled(use, "a freed layer", use_call(use, layer, &mine, false, outputs) != NULL);
    gt_layer_free(layer);
    gt_error_clear();
    gt_context_free(other);
}

Test(layers_bad_input, contexts)
{
    every_sample(try_contexts);
}

/* ---- damaged JSON ---- */

/* A damaged text gives an error with words, or a layer, which is called: that it does not crash is all. */
static bool survives(const Use *use, const char *text, const char *what)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer = gt_layer_from_json(text);
    tried++;
    worked += layer != NULL;
    if (!layer && gt_status() == GT_OK)
        fault(use, "%s: no layer and no error", what);
    if (layer && gt_status() != GT_OK)
        fault(use, "%s: a layer and an error", what);
    gt_error_clear();
    if (layer) {
        const UseInputs in = use_inputs(use);
        gt_Tensor *outputs[USE_OUTPUTS];
        use_call(use, layer, &in, false, outputs);
        gt_error_clear();
    }
    gt_layer_free(layer);
    gt_scope_end(scope);
    return layer != NULL;
}

static void try_json(const Use *use)
{
    static char text[TEXT], damaged[TEXT + 100];
    static const char bytes[] = "\"{}[],:-9e.\\\x01\xff nt0";
    gt_Layer *layer = use_layer(use);
    works(use, layer, "at first");
    const char *given = gt_layer_to_json(layer);
    if (!*given && strstr(gt_error_message(), "cannot be saved")) {
        gt_error_clear();
        gt_layer_free(layer);
        return;
    }
    if (!*given) {
        settled(use, "to JSON", false);
        gt_layer_free(layer);
        return;
    }
    size_t length = strlen(given);
    cr_assert_lt(length, sizeof text);
    memcpy(text, given, length + 1);
    gt_Layer *again = gt_layer_from_json(text);
    if (!again || strcmp(gt_layer_to_json(again), text) != 0)
        fault(use, "JSON: not the same again: %s", gt_error_message());
    gt_error_clear();
    gt_layer_free(again);
    gt_layer_free(layer);
    uint64_t state = 5;
    for (size_t n = 0; n < length; n++) {
        memcpy(damaged, text, n);
        damaged[n] = 0;
        if (survives(use, damaged, "JSON cut off"))
            fault(use, "JSON cut off at %d: it was made", (int)n);
        memcpy(damaged, text, length + 1);
        damaged[n] = bytes[(int)(next_uniform(&state) * (sizeof bytes - 1))];
        survives(use, damaged, "JSON with another byte");
    }
    const char *options = strstr(text, "\"options\":{");
    if (!options)
        return;
    size_t at = (size_t)(options - text) + strlen("\"options\":{");
    bool empty = text[at] == '}';
    snprintf(damaged, sizeof damaged, "%.*s\"no_such_option\":1%s%s", (int)at, text,
             empty ? "" : ",", text + at);
    if (survives(use, damaged, "JSON with an unknown option"))
        fault(use, "JSON with an unknown option: it was made");
}

Test(layers_bad_input, json)
{
    every_sample(try_json);
}
