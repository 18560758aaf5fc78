/* A walk over the table of layers: every sample of every class is made, built, called in both types
 * with its masks and for all its outputs, eagerly and in a plan, with one thread and three, saved,
 * loaded, given wrong inputs, and made with too little memory at each point. What a layer computes,
 * and its gradients, are compared in test_layers_oracle.c. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "layer_uses.h"
#include "leaks.h"

#include <stdio.h>
#include <unistd.h>

static const char *text_of(const Use *use)
{
    static char text[200];
    snprintf(text, sizeof text, "%s, sample %d, %s: %s", use->type->name, use->number,
             gt_dtype_name(use->dtype), gt_error_message());
    return text;
}

/* A call from the states at the start; output 0. */
static gt_Tensor *call(const Use *use, gt_Layer *layer, const UseInputs *in, bool training)
{
    gt_Tensor *outputs[USE_OUTPUTS];
    if (gt_layer_built(layer))
        gt_reset_states(layer);
    return use_call(use, layer, in, training, outputs);
}

static bool same_bits(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.dtype == two.dtype && one.size == two.size &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

/* ---- what a class says of itself ---- */

static const gt_Field *field_of(const gt_LayerClass *type, const char *name)
{
    for (const gt_Field *field = type->options->fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

/* The preset of that option as written; NULL if there is no such option. */
static const char *preset_of(const gt_LayerClass *type, const char *name)
{
    const gt_Field *field = field_of(type, name);
    return field ? type->options->texts[field - type->options->fields].preset : NULL;
}

static void check_declared(const gt_LayerClass *type)
{
    cr_assert(type->size == sizeof *type && type->name && type->call && type->samples,
              "%s lacks a part", type->name);
    cr_assert(type->function && type->keras && type->summary && type->summary[0], "%s: no words",
              type->name);
    cr_assert(gt_layer_class_find(type->name) == type, "%s is not found by name", type->name);
    for (const char *at = type->name; *at; at++)
        cr_assert((*at >= 'a' && *at <= 'z') || *at == '_' || (*at >= '0' && *at <= '9'),
                  "%s is not in snake case", type->name);
    cr_assert(type->samples->inputs > 0, "%s has no samples", type->name);
    if (type->flags & GT_LAYER_CONTAINER)
        return;
    cr_assert(type->options, "%s has no options", type->name);
    const char *name = preset_of(type, "name"), *dtype = preset_of(type, "dtype"),
               *trainable = preset_of(type, "trainable");
    cr_assert(name && strcmp(name, "NULL") == 0, "%s: name", type->name);
    cr_assert(dtype && strcmp(dtype, "GT_DTYPE_NONE") == 0, "%s: dtype", type->name);
    cr_assert(trainable && strcmp(trainable, "true") == 0, "%s: trainable", type->name);
}

/* ---- calls ---- */

/* Two layers of a kind have the same weights. */
static void check_alike(const Use *use, gt_Layer *layer, gt_Layer *other)
{
    cr_assert(gt_count_params(other) == gt_count_params(layer), "%s", text_of(use));
    gt_Tensors a = gt_weights(layer), b = gt_weights(other);
    cr_assert(a.count == b.count, "%s", text_of(use));
    for (int i = 0; i < a.count; i++) {
        gt_Spec one = gt_spec(a.items[i]), two = gt_spec(b.items[i]);
        cr_assert(gt_shape_equal(gt_tensor_shape(a.items[i]), gt_tensor_shape(b.items[i])) &&
                      one.dtype == two.dtype &&
                      strcmp(gt_variable_name(a.items[i]), gt_variable_name(b.items[i])) == 0,
                  "%s: weight %d", text_of(use), i);
    }
}

/* An output that nobody else wants is the one that comes with all others. */
static void check_one_output(const Use *use, gt_Layer *layer, const UseInputs *in, int k,
                             gt_Tensor *want)
{
    gt_Tensor *x[USE_INPUTS], *got = NULL, **to[USE_OUTPUTS] = {NULL};
    for (int i = 0; i < in->count; i++)
        x[i] = in->mask[i] ? gt_with_mask(in->x[i], in->mask[i]) : in->x[i];
    to[k - 1] = &got;
    to[k] = GT_LIST_END;
    gt_reset_states(layer);
    gt_call(layer, x[0], .more = (gt_Tensors){in->count > 1 ? x + 1 : NULL, in->count - 1},
            .outputs = (gt_Outputs){to});
    cr_assert(got && same_bits(got, want), "%s: output %d alone", text_of(use), k);
}

/* Shape and type are those that the sample says and gt_build_for finds; another call gives the same
 * bits. */
static void check_call(const Use *use, gt_Layer *layer, const UseInputs *in)
{
    gt_Spec specs[USE_INPUTS] = {0};
    gt_Tensor *outputs[USE_OUTPUTS], *y = use_call(use, layer, in, false, outputs);
    cr_assert(y, "%s", text_of(use));
    cr_assert(gt_shape_equal(gt_tensor_shape(y), use->sample->output) &&
                  (gt_dtype(y) == use->dtype || !gt_dtype_is_float(gt_dtype(y))),
              "%s: shape or dtype", text_of(use));
    for (int k = 1; k < use->sample->outputs; k++)
        cr_assert(outputs[k], "%s: output %d", text_of(use), k);
    for (int k = 1; k < use->sample->outputs; k++)
        check_one_output(use, layer, in, k, outputs[k]);
    cr_assert(gt_layer_built(layer), "%s", text_of(use));
    cr_assert(same_bits(y, call(use, layer, in, false)), "%s: twice", text_of(use));
    cr_assert(call(use, layer, in, true), "%s: training", text_of(use));
    for (int i = 0; i < in->count; i++)
        specs[i] = use_spec(use, in, i);
    gt_Layer *other = use_layer(use);
    gt_build_for(other, in->count, specs);
    cr_assert(gt_status() == GT_OK, "%s: gt_build_for", text_of(use));
    check_alike(use, layer, other);
    gt_layer_free(other);
}

typedef struct Traced {
    const Use *use;
    gt_Layer *layer;
    bool present[USE_INPUTS], training;
} Traced;

/* The inputs of a function are those that are there, with their masks on them. */
static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    gt_Tensor *results[USE_OUTPUTS];
    UseInputs in = {.count = self->use->sample->inputs};
    for (int i = 0, at = 0; i < in.count; i++)
        in.x[i] = self->present[i] ? inputs[at++] : NULL;
    use_call(self->use, self->layer, &in, self->training, results);
    for (int k = 0; k == 0 || k < self->use->sample->outputs; k++)
        outputs[k] = results[k];
    return gt_status();
}

static bool same_masks(gt_Tensor *a, gt_Tensor *b)
{
    gt_Tensor *one = gt_mask(a), *two = gt_mask(b);
    return one && two ? same_bits(one, two) : !one && !two;
}

/* Two layers that start alike: one runs eagerly, the other in a plan with three threads. */
static void check_plan(const Use *use, const UseInputs *in)
{
    int outputs = use->sample->outputs ? use->sample->outputs : 1;
    for (int training = 0; training < 2; training++) {
        gt_Layer *eager = use_layer(use), *planned = use_layer(use);
        gt_Tensor *y[USE_OUTPUTS], *z[USE_OUTPUTS], *x[USE_INPUTS];
        use_call(use, eager, in, false, y);
        use_call(use, planned, in, false, y);
        gt_reset_states(eager);
        gt_reset_states(planned);
        gt_Tensors from = gt_variables(eager), to = gt_variables(planned);
        for (int i = 0; i < from.count; i++)
            gt_assign(to.items[i], from.items[i]);
        Traced body = {.use = use, .layer = planned, .training = training};
        int count = 0;
        for (int i = 0; i < in->count; i++)
            if ((body.present[i] = in->x[i] != NULL))
                x[count++] = in->mask[i] ? gt_with_mask(in->x[i], in->mask[i]) : in->x[i];
        gt_Function *function = gt_function(traced, &body, .outputs = outputs);
        for (int round = 0; round < 3; round++) {
            gt_set_threads(1);
            use_call(use, eager, in, training, y);
            gt_set_threads(3);
            gt_function_call(function, ((gt_Tensors){x, count}), z);
            for (int k = 0; k < outputs; k++)
                cr_assert(gt_status() == GT_OK && same_bits(y[k], z[k]) && same_masks(y[k], z[k]),
                          "%s: a plan, round %d, output %d", text_of(use), round, k);
        }
        gt_set_threads(1);
        gt_function_free(function);
        gt_layer_free(eager);
        gt_layer_free(planned);
    }
}

/* A traced function cannot have text in it. */
static gt_Status traced_text(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    const UseInputs in = use_inputs(self->use);
    gt_Tensor *results[USE_OUTPUTS];
    (void)inputs;
    use_call(self->use, self->layer, &in, false, results);
    outputs[0] = results[0];
    return gt_status();
}

static void check_not_traced(const Use *use, gt_Layer *layer)
{
    Traced body = {.use = use, .layer = layer};
    gt_Function *function = gt_function(traced_text, &body, .outputs = 1);
    gt_Tensor *x = gt_zeros(gt_shape(1)), *y;
    gt_function_call(function, gt_tensors(x), &y);
    cr_assert(gt_status() == GT_STATE && strstr(gt_error_message(), "cannot be part of a traced function"),
              "%s", text_of(use));
    gt_error_clear();
    gt_function_free(function);
}

/* ---- files, freezing, mistakes ---- */

static void check_file(const Use *use, gt_Layer *layer, const UseInputs *in)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/gradtape-layers-%d.safetensors", (int)getpid());
    gt_Layer *other = use_layer(use);
    call(use, other, in, false);
    gt_save_weights(layer, path);
    gt_load_weights(other, path);
    cr_assert(gt_status() == GT_OK, "%s: weights in a file", text_of(use));
    cr_assert(same_bits(call(use, layer, in, false), call(use, other, in, false)), "%s: loaded",
              text_of(use));
    gt_set_trainable(other, false);
    cr_assert(gt_trainable_variables(other).count == 0, "%s: frozen", text_of(use));
    gt_layer_free(other);
    unlink(path);
}

static void refused(const Use *use, gt_Tensor *y, const char *what)
{
    cr_assert(!y && gt_status() != GT_OK, "%s: took %s", text_of(use), what);
    cr_assert(strstr(gt_error_message(), use->type->name) || strstr(gt_error_message(), "call: "),
              "%s: %s", what, gt_error_message());
    gt_error_clear();
}

static void check_mistakes(const Use *use, gt_Layer *layer, const UseInputs *in)
{
    int most = 1;
    for (const gt_Port *port = use->type->ports; port && port->name; port++)
        most = port->flags & GT_PORT_MANY ? USE_INPUTS + 1 : (int)(port - use->type->ports) + 1;
    gt_Tensor *many[USE_INPUTS];
    for (int i = 0; i < USE_INPUTS; i++)
        many[i] = in->x[0];
    refused(use, gt_call(layer, NULL), "NULL");
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *stale = gt_zeros(gt_shape(2));
    gt_scope_end(scope);
    refused(use, gt_call(layer, stale), "a stale tensor");
    if (most < USE_INPUTS)
        refused(use, gt_call(layer, in->x[0], .more = (gt_Tensors){many, most}), "too many inputs");
    gt_Layer *freed = use_layer(use);
    gt_layer_free(freed);
    refused(use, gt_call(freed, in->x[0]), "a freed layer");
}

/* ---- memory ---- */

static int64_t allowed;

static void *grudging(void *user, size_t size, size_t alignment)
{
    (void)user;
    return allowed-- > 0 ? aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                         : NULL;
}

static void give_back(void *user, void *memory, size_t size)
{
    (void)user, (void)size;
    free(memory);
}

/* Fails at allocation 0, 1, 2, ... until all goes well; each time there is an error, and the
 * same calls work afterwards. */
static void check_little_memory(const Use *use)
{
    const gt_Allocator allocator = {grudging, give_back, NULL};
    gt_Context *before = gt_context();
    bool done = false;
    for (int64_t n = 0; !done; n++) {
        allowed = INT64_MAX;
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        const UseInputs in = use_inputs(use);
        allowed = n;
        gt_Layer *layer = use_layer(use);
        gt_Tensor *y = layer ? call(use, layer, &in, true) : NULL;
        done = y != NULL;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%s: allocation %d", text_of(use), (int)n);
        allowed = INT64_MAX;
        gt_error_clear();
        if (!layer)
            layer = use_layer(use);
        cr_assert(call(use, layer, &in, true), "%s: after allocation %d", text_of(use), (int)n);
        gt_context_use(before);
        gt_context_free(context);
    }
}

Test(layer_table, every_sample)
{
    int count, uses = 0;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++) {
        check_declared(table[k]);
        for (int n = 0; table[k]->samples[n].inputs; n++)
            for (int wide = 0; wide < 2; wide++, uses++) {
                Use use = {table[k], &table[k]->samples[n], n, wide ? GT_FLOAT64 : GT_FLOAT32};
                gt_Scope *scope = gt_scope_begin();
                const UseInputs in = use_inputs(&use);
                gt_Layer *layer = use_layer(&use);
                cr_assert(layer, "%s", text_of(&use));
                check_call(&use, layer, &in);
                if (use_has_text(&use))
                    check_not_traced(&use, layer);
                else
                    check_plan(&use, &in);
                check_file(&use, layer, &in);
                check_mistakes(&use, layer, &in);
                check_little_memory(&use);
                gt_layer_free(layer);
                gt_scope_end(scope);
            }
    }
    fprintf(stderr, "%d classes of layers, %d uses\n", count, uses);
    cr_assert(count >= 7);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- classes of one's own ---- */

#define gt_Scale_OPTIONS(F, S)                                                                     \
    F(S, double, factor, 2, "what x is multiplied by")                                             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Scale_options, gt_Scale_OPTIONS);
GT_OPTION_TYPE(gt_Scale_options, gt_Scale_OPTIONS);

typedef struct Scale {
    gt_Layer base;
    gt_Scale_options options;
} Scale;

static gt_Status scale_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)layer;
    cr_assert(in->size == sizeof *in && in->count == 1 && in->inputs[0].rank == in->shape.rank &&
              in->inputs[0].dtype == in->dtype);
    return GT_OK;
}

static gt_Tensor *scale_call(gt_Layer *layer, const gt_CallArgs *in)
{
    cr_assert(in->size == sizeof *in && in->count == 1 && in->inputs[0] == in->x);
    return gt_multiply(in->x, ((Scale *)layer)->options.factor);
}

static gt_LayerClass scale_class = {
    .size = sizeof(gt_LayerClass),
    .name = "scale",
    .instance = sizeof(Scale),
    .build = scale_build,
    .call = scale_call,
    .options = &gt_Scale_options_type,
    .options_offset = offsetof(Scale, options),
};

static void fails(const char *part)
{
    cr_assert(gt_status() == GT_INVALID && strstr(gt_error_message(), part), "\"%s\" lacks \"%s\"",
              gt_error_message(), part);
    gt_error_clear();
}

/* gt_layer_make with defaults, with options, with a name that goes; a class of an older version;
 * wrong ones. */
Test(layer_table, classes_of_ones_own)
{
    gt_Tensor *x = gt_array(gt_shape(2), 1, 3);
    gt_Layer *layer = gt_layer_make(&scale_class, NULL);
    cr_assert(gt_element(gt_call(layer, x), 1) == 6);
    gt_layer_free(layer);
    char name[] = "triple";
    layer = gt_layer_make(&scale_class, GT_KEYWORDS(gt_Scale, .factor = 3, .name = name));
    memset(name, 'x', sizeof name - 1);
    cr_assert(gt_element(gt_call(layer, x), 1) == 9 &&
              strcmp(gt_layer_name(layer), "triple") == 0 &&
              strcmp(((Scale *)layer)->options.name, "triple") == 0);
    gt_layer_free(layer);

    /* One that ends with `call` knows no options, destroy or inputs: the bytes behind are not
     * its. */
    gt_LayerClass old = scale_class;
    old.size = (uint32_t)(offsetof(gt_LayerClass, call) + sizeof old.call);
    memset((char *)&old + old.size, 0xA5, sizeof old - old.size);
    Scale scale = {.options = {.factor = 5}};
    layer = gt_layer_new(&old, &scale);
    cr_assert(gt_element(gt_call(layer, x), 1) == 15, "%s", gt_error_message());
    cr_assert(!gt_call(layer, x, .more = gt_tensors(x)));
    fails("it accepts 1 input (got 2)");
    gt_layer_free(layer);
    cr_assert(!gt_layer_make(&old, NULL));
    fails("layer_make: the class must have options");

    gt_LayerClass wrong = scale_class;
    wrong.size = 8;
    cr_assert(!gt_layer_new(&wrong, &scale));
    fails("layer_new: a class of layers needs its size");
    wrong = scale_class;
    wrong.options_offset = 0;
    cr_assert(!gt_layer_make(&wrong, NULL));
    fails("layer_make: the class must have options");
    wrong.options_offset = sizeof(Scale);
    cr_assert(!gt_layer_make(&wrong, NULL));
    fails("layer_make: the class must have options");
    cr_assert(!gt_layer_make(NULL, NULL));
    fails("layer_make: a class of layers needs its size");
    cr_assert(!gt_layer_class_find("Dense") && !gt_layer_class_find(NULL) && gt_status() == GT_OK);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Each function makes a layer of its own class: those for 1, 2 and 3 axes are easily confused. */
/* clang-format off */
Test(layer_table, functions_make_their_class)
{
    gt_Layer *const made[] = {
        gt_Add(), gt_Average(), gt_Maximum(), gt_Minimum(), gt_Multiply(), gt_Subtract(), gt_Concatenate(), gt_Dot(1),
        gt_ELU(), gt_Identity(), gt_LeakyReLU(), gt_PReLU(), gt_ReLU(), gt_Softmax(), gt_Flatten(), gt_RepeatVector(2),
        gt_Conv1D(2, 3), gt_Conv2D(2, 3), gt_Conv3D(2, 3),
        gt_Conv1DTranspose(2, 3), gt_Conv2DTranspose(2, 3), gt_Conv3DTranspose(2, 3),
        gt_DepthwiseConv1D(3), gt_DepthwiseConv2D(3), gt_SeparableConv1D(2, 3), gt_SeparableConv2D(2, 3),
        gt_ConvLSTM1D(2, 3), gt_ConvLSTM2D(2, 3), gt_ConvLSTM3D(2, 3),
        gt_MaxPooling1D(), gt_MaxPooling2D(), gt_MaxPooling3D(),
        gt_AveragePooling1D(2), gt_AveragePooling2D(2), gt_AveragePooling3D(2),
        gt_GlobalMaxPooling1D(), gt_GlobalMaxPooling2D(), gt_GlobalMaxPooling3D(),
        gt_GlobalAveragePooling1D(), gt_GlobalAveragePooling2D(), gt_GlobalAveragePooling3D(),
        gt_AdaptiveMaxPooling1D(2), gt_AdaptiveMaxPooling2D(2), gt_AdaptiveMaxPooling3D(2),
        gt_AdaptiveAveragePooling1D(2), gt_AdaptiveAveragePooling2D(2), gt_AdaptiveAveragePooling3D(2),
        gt_SpatialDropout1D(0.1), gt_SpatialDropout2D(0.1), gt_SpatialDropout3D(0.1),
        gt_ZeroPadding1D(1), gt_ZeroPadding2D(1), gt_ZeroPadding3D(1), gt_Cropping1D(1), gt_Cropping2D(1), gt_Cropping3D(1),
        gt_UpSampling1D(2), gt_UpSampling2D(2), gt_UpSampling3D(2), gt_GRU(2), gt_GRUCell(2), gt_LSTM(2), gt_LSTMCell(2),
        gt_SimpleRNN(2), gt_SimpleRNNCell(2), gt_Attention(), gt_AdditiveAttention(),
        gt_InputLayer(gt_shape(3))};
    static const char *const names[] = {
        "Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Concatenate", "Dot",
        "ELU", "Identity", "LeakyReLU", "PReLU", "ReLU", "Softmax", "Flatten", "RepeatVector",
        "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
        "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
        "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
        "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
        "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
        "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
        "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
        "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
        "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
        "UpSampling1D", "UpSampling2D", "UpSampling3D", "GRU", "GRUCell", "LSTM", "LSTMCell",
        "SimpleRNN", "SimpleRNNCell", "Attention", "AdditiveAttention", "InputLayer"};
    enum { COUNT = sizeof made / sizeof *made };
    cr_assert(sizeof names / sizeof *names == COUNT);
    for (int i = 0; i < COUNT; i++) {
        cr_assert(made[i], "%s: %s", names[i], gt_error_message());
        cr_assert_str_eq(made[i]->type->function, names[i]);
        gt_layer_free(made[i]);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
/* clang-format on */
