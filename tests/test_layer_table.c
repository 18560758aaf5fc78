/* A walk over the table of layers: every sample of every class is made from its options, built,
 * called in both types, eagerly and in a plan, with one thread and three, differentiated, saved,
 * loaded, given wrong inputs, and made with too little memory at each point. What a layer
 * computes is compared with other programs in test_layers. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"
#include "operations.h"

#include <stdio.h>
#include <unistd.h>

enum { INPUTS = 4 };

/* One sample of one class. */
typedef struct Use {
    const gt_LayerClass *type;
    const gt_LayerSample *sample;
    gt_DType dtype;
} Use;

static const char *text_of(const Use *use)
{
    static char text[200];
    snprintf(text, sizeof text, "%s, sample %d, %s: %s", use->type->name,
             (int)(use->sample - use->type->samples), gt_dtype_name(use->dtype),
             gt_error_message());
    return text;
}

static gt_Layer *make(const Use *use)
{
    if (!use->sample->make)
        return gt_layer_make(use->type, use->sample->options);
    gt_set_dtype_policy(use->dtype); /* of the symbols of functional models */
    gt_Layer *layer = use->sample->make();
    gt_set_dtype_policy(GT_DTYPE_NONE);
    return layer;
}

static void inputs_of(const Use *use, gt_Tensor **input)
{
    static Case c;
    const gt_Sample sample = {.inputs = use->sample->inputs, .input = use->sample->input};
    cr_assert(sample.inputs <= INPUTS);
    fill_case(&c, NULL, &sample, use->dtype);
    case_inputs(&c, input);
}

static gt_Tensor *call(gt_Layer *layer, gt_Tensor *const *input, int count, bool training)
{
    return gt_call(layer, input[0], .training = training,
                   .more = (gt_Tensors){count > 1 ? input + 1 : NULL, count - 1});
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
    const gt_Field *name = field_of(type, "name"), *dtype = field_of(type, "dtype"),
                   *trainable = field_of(type, "trainable");
    cr_assert(name && strcmp(name->preset, "NULL") == 0, "%s: name", type->name);
    cr_assert(dtype && strcmp(dtype->preset, "GT_DTYPE_NONE") == 0, "%s: dtype", type->name);
    cr_assert(trainable && strcmp(trainable->preset, "true") == 0, "%s: trainable", type->name);
}

/* ---- calls ---- */

/* Shape and type are those that the sample says and gt_build finds; another call gives the same
 * bits. */
static void check_call(const Use *use, gt_Layer *layer, gt_Tensor *const *input)
{
    int count = use->sample->inputs;
    gt_Tensor *y = call(layer, input, count, false);
    cr_assert(y, "%s", text_of(use));
    cr_assert(gt_shape_equal(gt_tensor_shape(y), use->sample->output) && gt_dtype(y) == use->dtype,
              "%s", text_of(use));
    cr_assert(gt_layer_built(layer), "%s", text_of(use));
    cr_assert(same_bits(y, call(layer, input, count, false)), "%s: twice", text_of(use));
    cr_assert(call(layer, input, count, true), "%s: training", text_of(use));
    if (count > 1)
        return;
    gt_Layer *other = make(use);
    gt_build(other, gt_tensor_shape(input[0]), use->dtype);
    cr_assert(gt_status() == GT_OK, "%s: gt_build", text_of(use));
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
    gt_layer_free(other);
}

typedef struct Traced {
    gt_Layer *layer;
    int count;
    bool training;
} Traced;

static gt_Status traced(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Traced *self = context;
    outputs[0] = call(self->layer, inputs, self->count, self->training);
    return gt_status();
}

/* Two layers that start alike: one runs eagerly, the other in a plan with three threads. */
static void check_plan(const Use *use, gt_Tensor *const *input)
{
    int count = use->sample->inputs;
    for (int training = 0; training < 2; training++) {
        gt_Layer *eager = make(use), *planned = make(use);
        call(eager, input, count, false);
        call(planned, input, count, false);
        gt_Tensors from = gt_variables(eager), to = gt_variables(planned);
        for (int i = 0; i < from.count; i++)
            gt_assign(to.items[i], from.items[i]);
        Traced body = {planned, count, training};
        gt_Function *function = gt_function(traced, &body);
        for (int round = 0; round < 3; round++) {
            gt_set_threads(1);
            gt_Tensor *y = call(eager, input, count, training), *z = NULL;
            gt_set_threads(3);
            gt_function_call(function, ((gt_Tensors){input, count}), &z);
            cr_assert(y && z && same_bits(y, z), "%s: a plan, round %d", text_of(use), round);
        }
        gt_set_threads(1);
        gt_function_free(function);
        gt_layer_free(eager);
        gt_layer_free(planned);
    }
}

/* ---- gradients ---- */

static double weighted(const Use *use, gt_Layer *layer, gt_Tensor *const *input, gt_Tensor **loss)
{
    gt_Tensor *y = call(layer, input, use->sample->inputs, false);
    gt_Tensor *steps = gt_cast(gt_arange(1, (double)gt_size(y) + 1, 1), use->dtype);
    gt_Tensor *weights = gt_add(gt_sin(steps), 0.3);
    gt_Tensor *sum = gt_sum(gt_multiply(gt_ravel(y), weights));
    if (loss)
        *loss = sum;
    return gt_item(sum);
}

static void check_gradients(const Use *use, gt_Layer *layer, gt_Tensor *const *given)
{
    const double h = 1e-5;
    int count = use->sample->inputs, sources = 0;
    gt_Tensor *input[INPUTS], *source[INPUTS + 16], *gradient[INPUTS + 16], *loss;
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < count; i++) { /* variables, so that they can be moved */
        input[i] = gt_variable(given[i]);
        source[sources++] = input[i];
    }
    gt_Tensors trained = gt_trainable_variables(layer);
    for (int i = 0; i < trained.count; i++)
        source[sources++] = trained.items[i];
    weighted(use, layer, input, &loss);
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){source, sources}), gradient);
    cr_assert(gt_status() == GT_OK, "%s: gradients", text_of(use));
    for (int k = 0; k < sources; k++)
        for (int64_t i = 0; i < gt_size(source[k]); i++) {
            gt_Scope *scope = gt_scope_begin();
            double *at = (double *)(uintptr_t)gt_data(source[k]) + i, x = *at;
            *at = x + h;
            double up = weighted(use, layer, input, NULL);
            *at = x - h;
            double down = weighted(use, layer, input, NULL), want = (up - down) / (2 * h);
            *at = x;
            double got = gt_element(gradient[k], i);
            cr_assert(fabs(got - want) <= 1e-6 * (1 + fabs(want)), "%s: source %d, %d: %g for %g",
                      text_of(use), k, (int)i, got, want);
            gt_scope_end(scope);
        }
    gt_tape_end(tape);
    for (int i = 0; i < count; i++)
        gt_variable_free(input[i]);
}

/* ---- files, freezing, mistakes ---- */

static void check_file(const Use *use, gt_Layer *layer, gt_Tensor *const *input)
{
    char path[64];
    int count = use->sample->inputs;
    snprintf(path, sizeof path, "/tmp/gradtape-layers-%d.safetensors", (int)getpid());
    gt_Layer *other = make(use);
    call(other, input, count, false);
    gt_save_weights(layer, path);
    gt_load_weights(other, path);
    cr_assert(gt_status() == GT_OK, "%s: weights in a file", text_of(use));
    cr_assert(same_bits(call(layer, input, count, false), call(other, input, count, false)),
              "%s: loaded", text_of(use));
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

static void check_mistakes(const Use *use, gt_Layer *layer, gt_Tensor *const *input)
{
    int most = 1;
    for (const gt_Port *port = use->type->ports; port && port->name; port++)
        most = port->flags & GT_PORT_MANY ? INPUTS + 1 : (int)(port - use->type->ports) + 1;
    gt_Tensor *many[INPUTS + 1];
    for (int i = 0; i <= INPUTS; i++)
        many[i] = input[0];
    refused(use, gt_call(layer, NULL), "NULL");
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *stale = gt_zeros(gt_shape(2));
    gt_scope_end(scope);
    refused(use, gt_call(layer, stale), "a stale tensor");
    if (most <= INPUTS)
        refused(use, call(layer, many, most + 1, false), "too many inputs");
    gt_Layer *freed = make(use);
    gt_layer_free(freed);
    refused(use, gt_call(freed, input[0]), "a freed layer");
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
        gt_Tensor *input[INPUTS];
        inputs_of(use, input);
        allowed = n;
        gt_Layer *layer = make(use);
        gt_Tensor *y = layer ? call(layer, input, use->sample->inputs, true) : NULL;
        done = y != NULL;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%s: allocation %d", text_of(use), (int)n);
        allowed = INT64_MAX;
        gt_error_clear();
        if (!layer)
            layer = make(use);
        cr_assert(call(layer, input, use->sample->inputs, true), "%s: after allocation %d",
                  text_of(use), (int)n);
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
        for (const gt_LayerSample *sample = table[k]->samples; sample->inputs; sample++)
            for (int wide = 0; wide < 2; wide++, uses++) {
                Use use = {table[k], sample, wide ? GT_FLOAT64 : GT_FLOAT32};
                gt_Scope *scope = gt_scope_begin();
                gt_Tensor *input[INPUTS];
                inputs_of(&use, input);
                gt_Layer *layer = make(&use);
                cr_assert(layer, "%s", text_of(&use));
                check_call(&use, layer, input);
                check_plan(&use, input);
                if (wide)
                    check_gradients(&use, layer, input);
                check_file(&use, layer, input);
                check_mistakes(&use, layer, input);
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
