/* Models as text and in files: what is made from the text is the same model, and gives the same text; a file holds all that a
 * program needs which knows nothing of the model; what is wrong with a file is named. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "leaks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void ok(const char *what)
{
    cr_assert(gt_status() == GT_OK, "%s: %s", what, gt_error_message());
}

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part),
              "status %d, \"%s\" lacks \"%s\"", gt_status(), gt_error_message(), part);
    gt_error_clear();
}

static bool same(gt_Tensor *a, gt_Tensor *b)
{
    ok("both are there");
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.size == two.size && one.dtype == two.dtype &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

static void end(gt_Scope *scope)
{
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static const char *file_name(void)
{
    static char path[80];
    snprintf(path, sizeof path, "/tmp/gradtape-models-%d.safetensors", (int)getpid());
    return path;
}

static gt_Layer *functional(void)
{
    gt_Tensor *image = gt_Input(gt_shape(4, 4)), *age = gt_Input(gt_shape(3), .name = "age");
    gt_Tensor *flat = gt_call(gt_Flatten(), image);
    gt_Tensor *both = gt_concatenate(gt_tensors(flat, age), .axis = -1);
    gt_Layer *shared = gt_Dense(19, .activation = gt_tanh, .name = "shared");
    gt_Tensor *h = gt_add(gt_call(shared, gt_call(shared, both)), both);
    gt_Layer *inner = gt_Sequential(gt_Dense(2, .kernel_regularizer = gt_L2(0.25)), gt_Dropout(0.5));
    gt_Tensor *scaled = gt_multiply(gt_call(inner, h), gt_array(gt_shape(2), 0.5, -3));
    return gt_Model(gt_tensors(image, age), gt_tensors(scaled, gt_softmax(h)));
}

static gt_Tensor *call_two(gt_Layer *model, gt_Tensor **second)
{
    gt_Tensor *image = gt_uniform(gt_shape(3, 4, 4), .generator = gt_generator(5));
    gt_Tensor *age = gt_uniform(gt_shape(3, 3), .generator = gt_generator(6));
    return gt_call(model, image, .more = gt_tensors(age), .outputs = gt_outputs(second));
}

Test(models, text_and_back)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *const models[] = {
        gt_Dense(3, .activation = gt_relu, .use_bias = false, .name = "first",
                 .kernel_initializer = gt_HeNormal(.seed = 4), .kernel_constraint = gt_MaxNorm(3),
                 .dtype = gt_mixed_bfloat16()),
        gt_Sequential(gt_Flatten(), gt_Dense(2, .activation_layer = gt_Activation(gt_tanh)), gt_Dropout(0.25, .seed = 3)),
        gt_Sequential(),
        functional()};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char text[20000];
        snprintf(text, sizeof text, "%s", gt_layer_to_json(models[i]));
        ok("to text");
        gt_Layer *again = gt_layer_from_json(text);
        cr_assert(again, "%s in %s", gt_error_message(), text);
        cr_assert_str_eq(gt_layer_to_json(again), text);
        gt_Layer *copy = gt_layer_copy(models[i]);
        if (i != 1 && i != 2) /* of Sequential the copy is in its own test */
            cr_assert_str_eq(gt_layer_to_json(copy), text);
        gt_error_clear();
        gt_layer_free(again), gt_layer_free(models[i]);
        gt_layer_free(copy);
    }
    end(scope);
}

Test(models, a_file_holds_a_model)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = NULL, *b = NULL;
    gt_Layer *model = functional();
    gt_set_trainable(gt_layer_find(model, "shared"), false);
    gt_Tensor *y = call_two(model, &a);
    cr_assert(gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
    gt_Layer *loaded = gt_load_model(file_name());
    cr_assert(loaded, "%s", gt_error_message());
    cr_assert(same(y, call_two(loaded, &b)) && same(a, b));
    cr_assert(gt_trainable_variables(loaded).count == 2 && gt_weights(loaded).count == 4);
    cr_assert(!gt_is_trainable(gt_layer_find(loaded, "shared")));
    gt_layer_free(loaded), gt_layer_free(model);
    gt_Layer *sequence = gt_Sequential(gt_Dense(4, .activation = gt_gelu), gt_Dense(2));
    gt_Tensor *x = gt_uniform(gt_shape(5, 3));
    y = gt_call(sequence, x);
    gt_error_clear();
    cr_assert(gt_save_model(sequence, file_name()) == GT_OK, "%s", gt_error_message());
    loaded = gt_load_model(file_name());
    cr_assert(loaded && same(y, gt_call(loaded, x)), "%s", gt_error_message());
    gt_layer_free(loaded), gt_layer_free(sequence);
    remove(file_name());
    end(scope);
}

/* A layer that stands in a model and in a model inside it, and one twice in a Sequential, are one layer in the text, in the file
 * and in a copy. */
Test(models, shared_layers_stay_shared)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(2)), *number = gt_uniform(gt_shape(3, 2), .generator = gt_generator(4));
    gt_Layer *dense = gt_Dense(2, .activation = gt_tanh), *within = gt_Sequential(dense, gt_Dropout(0.5), dense);
    gt_Layer *inner = gt_Model(gt_tensors(x), gt_tensors(gt_call(within, x)));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_call(inner, gt_call(dense, x)), gt_call(within, x)));
    gt_Tensor *b = NULL, *d = NULL, *a = gt_call(model, number, .outputs = gt_outputs(&b));
    cr_assert(gt_weights(model).count == 2, "%s", gt_error_message());
    char text[8000];
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    cr_assert(strstr(text, "\"id\":0") && strstr(text, "{\"same_as\":0}"), "%s", text);
    cr_assert(gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
    gt_Layer *const again[] = {gt_layer_from_json(text), gt_load_model(file_name()), gt_layer_copy(model)};
    for (int i = 0; i < 3; i++) {
        cr_assert(again[i], "%d: %s", i, gt_error_message());
        cr_assert_str_eq(gt_layer_to_json(again[i]), text);
        cr_assert(gt_weights(again[i]).count == 2, "%d: %d weights", i, gt_weights(again[i]).count);
        gt_set_weights(again[i], gt_weights(model));
        gt_Tensor *c = gt_call(again[i], number, .outputs = gt_outputs(&d));
        cr_assert(same(a, c) && same(b, d), "%d", i);
        gt_layer_free(again[i]);
    }
    static const char *const wrong[] = {
        "{\"gradtape\":1,\"model\":{\"same_as\":0}}",
        "{\"gradtape\":1,\"model\":{\"class\":\"sequential\",\"id\":0,\"layers\":[{\"same_as\":0}]}}",
        "{\"gradtape\":1,\"model\":{\"class\":\"sequential\",\"layers\":[{\"class\":\"flatten\",\"options\":{},\"id\":0},{\"same_as\":1}]}}",
        "{\"gradtape\":1,\"model\":{\"class\":\"sequential\",\"layers\":[{\"class\":\"flatten\",\"options\":{},\"id\":0},{\"same_as\":null}]}}"};
    for (int i = 0; i < 4; i++) {
        cr_assert(!gt_layer_from_json(wrong[i]));
        fails(GT_FORMAT, "same_as must be the id of a layer that stands before");
    }
    gt_layer_from_json("{\"gradtape\":1,\"model\":{\"class\":\"flatten\",\"id\":[],\"options\":{}}}");
    fails(GT_FORMAT, "id must be an integer");
    remove(file_name());
    gt_layer_free(model), gt_layer_free(inner);
    end(scope);
}

/* Cut out behind a tensor with a mask, a model has inputs without one: so has the model that is made from its text. */
Test(models, cut_out_behind_a_mask)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(-1), .dtype = GT_INT32),
              *e = gt_call(gt_Embedding(4, 2, .mask_zero = true), x);
    gt_Tensor *h = gt_call(gt_Dense(3), e), *y = gt_call(gt_Dense(2), h);
    gt_Layer *const models[] = {
        gt_Model(gt_tensors(e), gt_tensors(y)),
        gt_Model(gt_tensors(x), gt_tensors(y, gt_cast(gt_mask(h), GT_FLOAT32)))};
    gt_Tensor *const numbers[] = {gt_uniform(gt_shape(2, 3, 2), .generator = gt_generator(1)),
                                  gt_cast(gt_array(gt_shape(2, 3), 1, 0, 2, 3, 0, 0), GT_INT32)};
    for (int i = 0; i < 2; i++) {
        char text[8000];
        gt_Tensor *b = NULL, *d = NULL,
                  *a = i ? gt_call(models[i], numbers[i], .outputs = gt_outputs(&b))
                         : gt_call(models[i], numbers[i]);
        snprintf(text, sizeof text, "%s", gt_layer_to_json(models[i]));
        cr_assert((strstr(text, "\"masks\":1") != NULL) == (i == 1), "%s", text);
        gt_Layer *const again[] = {gt_layer_from_json(text), gt_layer_copy(models[i])};
        for (int k = 0; k < 2; k++) {
            cr_assert(again[k], "%s", gt_error_message());
            cr_assert_str_eq(gt_layer_to_json(again[k]), text);
            gt_call(again[k], numbers[i]);
            gt_set_weights(again[k], gt_weights(models[i]));
            gt_Tensor *c = i ? gt_call(again[k], numbers[i], .outputs = gt_outputs(&d))
                             : gt_call(again[k], numbers[i]);
            cr_assert(same(a, c) && (!i || same(b, d)), "%d %d", i, k);
            gt_layer_free(again[k]);
        }
        gt_layer_free(models[i]);
    }
    end(scope);
}

/* ---- one's own ---- */

#define gt_Scaled_OPTIONS(F, S)                                                                    \
    F(S, double, factor, 2, "what x is multiplied by")                                             \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Scaled_options, gt_Scaled_OPTIONS);
GT_OPTION_TYPE(gt_Scaled_options, gt_Scaled_OPTIONS);
typedef struct Scaled {
    gt_Layer base;
    gt_Scaled_options options;
} Scaled;
static gt_Tensor *scaled_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_multiply(in->x, ((Scaled *)layer)->options.factor);
}
static const gt_LayerClass scaled_class = {.size = sizeof(gt_LayerClass),
                                           .name = "scaled",
                                           .instance = sizeof(Scaled),
                                           .call = scaled_call,
                                           .options = &gt_Scaled_options_type,
                                           .options_offset = offsetof(Scaled, options)};

static gt_Tensor *squared_tanh(gt_Tensor *x)
{
    return gt_square(gt_tanh(x));
}

static gt_Tensor *my_relu(gt_Tensor *x)
{
    return gt_relu(x);
}

Test(models, classes_and_functions_of_ones_own)
{
    gt_Scope *scope = gt_scope_begin();
    char text[4000];
    gt_Layer *model = gt_Sequential(gt_layer_make(&scaled_class, GT_KEYWORDS(gt_Scaled, .factor = 1.5)),
                                    gt_Dense(2, .activation = squared_tanh));
    gt_layer_to_json(model);
    fails(GT_UNSUPPORTED, "gt_register_function");
    cr_assert(gt_register_function("squared_tanh", squared_tanh) == GT_OK);
    cr_assert(gt_register_function("squared_tanh", squared_tanh) == GT_OK, "again");
    gt_register_function("squared_tanh", my_relu);
    fails(GT_INVALID, "another one is registered as \"squared_tanh\"");
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    ok("to text");
    gt_layer_from_json(text);
    fails(GT_FORMAT, "scaled: this class of layers is not known: gt_register_layer");
    cr_assert(gt_register_layer(&scaled_class) == GT_OK, "%s", gt_error_message());
    gt_Layer *again = gt_layer_from_json(text);
    cr_assert(again && !strcmp(gt_layer_to_json(again), text), "%s", gt_error_message());
    /* A function that does what a known one does has its name. */
    gt_Layer *dense = gt_Dense(2, .activation = my_relu);
    cr_assert(strstr(gt_layer_to_json(dense), "\"activation\":\"relu\""), "%s", gt_layer_to_json(dense));
    gt_register_layer(NULL);
    fails(GT_INVALID, "the class needs a name and options");
    gt_register_function(NULL, my_relu);
    fails(GT_INVALID, "a function needs a name");
    gt_layer_free(model), gt_layer_free(again), gt_layer_free(dense);
    end(scope);
}

Test(models, wrong_text)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "cut short"},
        {"{", "cut short"},
        {"[]", "expected a model of gradtape's"},
        {"{}", "expected a model of gradtape's"},
        {"{\"gradtape\":2,\"model\":{}}", "it is of version 2, and this library reads 1"},
        {"{\"gradtape\":1,\"model\":{}}", "it must be an object with a class"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\"}}", "dense: its options are missing"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dance\",\"options\":{}}}", "dance: this class of layers is not known"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"unit\":3}}}", "dense: it has no option \"unit\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":\"3\"}}}", "units must be a whole number"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":-3}}}", "units must be > 0"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":3,\"use_bias\":1}}}", "use_bias must be true or false"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":3,\"activation\":\"relux\"}}}", "no function is known as \"relux\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":3,\"kernel_initializer\":{\"class\":\"x\"}}}}", "kernel_initializer: nothing is known as \"x\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"dense\",\"options\":{\"units\":3,\"dtype\":\"float31\"}}}", "dtype must be a type of elements"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"sequential\"}}", "sequential: its layers are missing"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"sequential\",\"layers\":[{\"class\":\"flatten\",\"options\":{}},3]}}", "it must be an object with a class"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"layers\":[]}}", "the list \"inputs\" is missing"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[],\"layers\":[],\"nodes\":[],\"outputs\":[0]}}", "a node reads a value that was not there yet"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[],\"nodes\":[{\"operation\":\"adds\",\"from\":[0,0]}],\"outputs\":[1]}}", "the operation \"adds\" is not known"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[{\"class\":\"flatten\",\"options\":{}}],\"nodes\":[{\"layer\":1,\"from\":[0]}],\"outputs\":[1]}}", "a call of a layer is none"},
        {"{\"gradtape\":1,\"maker\":1,\"model\":{}}", "nothing is known of \"maker\"; is the file of a newer version?"},
        {"{\"gradtape\":1,\"gradtape\":1,\"model\":{}}", "gradtape"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"flatten\",\"options\":{},\"colour\":1}}", "flatten: nothing is known of \"colour\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"flatten\",\"options\":{},\"name\":1}}", "flatten: its name must be text"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"flatten\",\"options\":{},\"trainable\":1}}", "flatten: trainable must be true or false"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"sequential\",\"layers\":[{\"class\":\"flatten\",\"name\":\"a\",\"options\":{}},{\"class\":\"flatten\",\"name\":\"a\",\"options\":{}}]}}", "a layer called \"a\" is in sequential already"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"},{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[],\"nodes\":[{\"operation\":\"add\",\"from\":[0,1]}],\"outputs\":[2]}}", "inputs 1 and 2 are both called \"x\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[],\"nodes\":[{\"operation\":\"add\",\"from\":[0,1]}],\"outputs\":[1]}}", "a node reads a value that was not there yet"},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[],\"nodes\":[{\"operation\":\"add\",\"from\":[0,0],\"to\":1}],\"outputs\":[1]}}", "nothing is known of \"to\""},
        {"{\"gradtape\":1,\"model\":{\"class\":\"functional\",\"inputs\":[{\"name\":\"x\",\"shape\":[-1,2],\"dtype\":\"float32\"}],\"layers\":[{\"class\":\"flatten\",\"options\":{}}],\"nodes\":[{\"layer\":0,\"wanted\":-1,\"from\":[0]}],\"outputs\":[1]}}", "a call of a layer is none"},
        {"{\"gradtape\":1,\"built_for\":3,\"model\":{\"class\":\"flatten\",\"options\":{}}}", "built_for must be a list"},
        {"{\"gradtape\":1,\"built_for\":[{\"dtype\":\"float32\",\"shape\":[2,-5]}],\"model\":{\"class\":\"flatten\",\"options\":{}}}", "input 1 of built_for cannot be"},
    };
    gt_Scope *scope = gt_scope_begin();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gt_Layer *layer = gt_layer_from_json(wrong[i].text);
        cr_expect(!layer && strstr(gt_error_message(), wrong[i].message), "%s: \"%s\" lacks \"%s\"", wrong[i].text,
                  gt_error_message(), wrong[i].message);
        gt_error_clear();
    }
    char deep[4000] = "{\"gradtape\":1,\"model\":";
    for (int k = 0; k < 60; k++)
        strcat(deep, "{\"class\":\"sequential\",\"layers\":[");
    gt_layer_from_json(deep);
    fails(GT_FORMAT, "");
    gt_layer_from_json(NULL);
    fails(GT_INVALID, "the text is NULL");
    gt_load_model("/nowhere/at.all");
    fails(GT_IO, "/nowhere/at.all");
    gt_Layer *dense = gt_Dense(2);
    gt_save_model(dense, file_name());
    fails(GT_STATE, "is not built");
    gt_build(dense, gt_shape(1, 3), GT_FLOAT32);
    gt_save_weights(dense, file_name());
    gt_load_model(file_name());
    fails(GT_FORMAT, "it holds tensors and no model");
    remove(file_name());
    gt_layer_free(dense);
    end(scope);
}

/* Layers as deep as they may be nested are written and read. */
Test(models, deep_text)
{
    static char text[60000];
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Dense(2);
    for (int k = 0; k < 100; k++)
        model = gt_Sequential(model);
    for (int k = 0; k < 99; k++)
        model = gt_Dense(2, .activation_layer = model);
    gt_Tensor *y = gt_call(model, gt_ones(gt_shape(1, 2)));
    ok("it can be called");
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    gt_Layer *again = gt_layer_from_json(text), *copy = gt_layer_copy(model);
    cr_assert(again && copy && y, "%s", gt_error_message());
    cr_assert_str_eq(gt_layer_to_json(again), text);
    cr_assert(gt_count_params(again) == gt_count_params(model) && *gt_summary(model, .expand_nested = true));
    gt_layer_free(again), gt_layer_free(copy), gt_layer_free(model);
    char *at = text;
    for (int k = 0; k < 300; k++)
        at += snprintf(at, 100, "%s{\"class\":\"sequential\",\"layers\":[", k ? "" : "{\"gradtape\":1,\"model\":");
    for (int k = 0; k < 300; k++)
        at += snprintf(at, 10, "]}");
    snprintf(at, 10, "}");
    cr_assert(!gt_layer_from_json(text));
    fails(GT_UNSUPPORTED, "layers may be nested 200 deep at most");
    end(scope);
}

/* Writes the first `size` bytes, one of them changed, and loads. */
static gt_Layer *load_bytes(const unsigned char *bytes, size_t size, size_t changed, int by)
{
    FILE *file = fopen(file_name(), "wb");
    for (size_t i = 0; i < size; i++)
        fputc(i == changed ? bytes[i] ^ by : bytes[i], file);
    fclose(file);
    return gt_load_model(file_name());
}

/* A file that is cut short or has other bits is an error, or another model; numbers may be others. */
Test(models, files_that_are_broken, .timeout = 1200)
{
    static unsigned char bytes[20000];
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = functional();
    gt_set_trainable(gt_get_layer(model, 1), false);
    gt_Tensor *second, *y = call_two(model, &second);
    cr_assert(y && gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
    FILE *file = fopen(file_name(), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(size > 1000 && size < sizeof bytes);
    for (size_t length = 0; length < size; length += 1 + length / 500) {
        cr_assert(!load_bytes(bytes, length, SIZE_MAX, 0), "%zu of %zu bytes", length, size);
        cr_assert(gt_status() == GT_FORMAT || gt_status() == GT_IO, "%s", gt_error_message());
        gt_error_clear();
    }
    const size_t header = 8 + (size_t)bytes[0] + 256 * (size_t)bytes[1];
    int loaded = 0;
    for (size_t at = 0; at < header; at++) {
        gt_Layer *other = load_bytes(bytes, size, at, 1 << at % 8);
        cr_assert((other != NULL) == (gt_status() == GT_OK), "byte %zu: %s", at, gt_error_message());
        loaded += other != NULL;
        gt_error_clear();
        gt_layer_free(other);
    }
    cr_assert(loaded < (int)header / 4, "%d of %zu", loaded, header);
    gt_Layer *whole = load_bytes(bytes, size, SIZE_MAX, 0), *longer = load_bytes(bytes, size + 1, SIZE_MAX, 0);
    cr_assert(whole && !longer, "what is too long is refused");
    gt_error_clear();
    remove(file_name());
    gt_layer_free(whole), gt_layer_free(model);
    end(scope);
}

/* The numbers of another model under the text of this one. */
Test(models, text_and_numbers_that_differ)
{
    static char bytes[20000];
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(4), gt_Dense(2));
    gt_call(model, gt_ones(gt_shape(1, 3)));
    cr_assert(gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
    FILE *file = fopen(file_name(), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    bool found = false;
    for (size_t i = 0; i + 12 < size && !found; i++)
        if ((found = memcmp(bytes + i, "units\\\":4", 9) == 0))
            bytes[i + 8] = '5';
    cr_assert(found);
    cr_assert(!load_bytes((const unsigned char *)bytes, size, SIZE_MAX, 0));
    fails(GT_INVALID, "dense/kernel must be float32 (3, 5) (got float32 (3, 4))");
    remove(file_name());
    gt_layer_free(model);
    end(scope);
}

/* Each allocation fails in turn: an error comes back, and nothing is lost. */
Test(models, little_memory)
{
    gt_Scope *scope = gt_scope_begin();
    char text[20000];
    gt_Layer *model = functional();
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    gt_layer_free(model);
    gt_scope_end(scope);
    gt_context_free(NULL);
    gt_Context *before = gt_context();
    bool done = false;
    for (long n = 0; !done; n += 1 + n / 40) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        budget.left = n;
        gt_Layer *again = gt_layer_from_json(text);
        const char *other = again ? gt_layer_to_json(again) : NULL;
        gt_Layer *copy = other ? gt_layer_copy(again) : NULL;
        done = copy != NULL;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%d: %s", (int)n, gt_error_message());
        budget.left = INT32_MAX;
        gt_context_use(before);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%d: %ld blocks are lost", (int)n, budget.held);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- one's own, with children ---- */

#define gt_Tower_OPTIONS(F, S)                                                                     \
    F(S, int64_t, units, 4, "of each layer")                                                       \
    F(S, gt_Layer *, head, NULL, "on top")                                                         \
    GT_LAYER_COMMON(F, S)
GT_OPTIONS(gt_Tower_options, gt_Tower_OPTIONS);
GT_OPTION_TYPE(gt_Tower_options, gt_Tower_OPTIONS);
typedef struct Tower {
    gt_Layer base;
    gt_Tower_options options;
    gt_Layer *low, *high;
} Tower;
static gt_Status tower_create(gt_Layer *layer)
{
    Tower *self = (Tower *)layer;
    self->low = gt_add_child(layer, gt_Dense(self->options.units, .activation = gt_relu, .name = "low"));
    self->high = gt_add_child(layer, gt_Dense(self->options.units, .name = "high"));
    return gt_status();
}
static gt_Tensor *tower_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Tower *self = (Tower *)layer;
    gt_Tensor *h = gt_call(self->high, gt_call(self->low, in->x));
    return self->options.head ? gt_call(self->options.head, h) : h;
}
static const gt_LayerClass tower_class = {.size = sizeof(gt_LayerClass),
                                          .name = "tower",
                                          .instance = sizeof(Tower),
                                          .create = tower_create,
                                          .call = tower_call,
                                          .options = &gt_Tower_options_type,
                                          .options_offset = offsetof(Tower, options)};
#define Tower(...) gt_layer_make(&tower_class, GT_KEYWORDS(gt_Tower, __VA_ARGS__))

/* Registered, a class with children is written and read by its options, alone, in a functional model, and in files. */
Test(models, subclassed)
{
    gt_Scope *scope = gt_scope_begin();
    char text[20000];
    gt_Tensor *a = gt_Input(gt_shape(3)), *x = gt_uniform(gt_shape(5, 3));
    gt_Layer *tower = Tower(.units = 3, .head = gt_Sequential(gt_Dense(3), gt_Dropout(0.5)));
    gt_Layer *model = gt_Model(gt_tensors(a), gt_tensors(gt_add(gt_call(tower, gt_call(tower, a)), a)));
    gt_set_trainable(gt_layer_find(model, "tower/sequential"), false);
    gt_Tensor *y = gt_call(model, x);
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    ok("to text");
    gt_layer_from_json(text);
    fails(GT_FORMAT, "tower: this class of layers is not known: gt_register_layer");
    cr_assert(gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
    gt_load_model(file_name());
    fails(GT_FORMAT, "tower: this class of layers is not known: gt_register_layer");
    cr_assert(gt_register_layer(&tower_class) == GT_OK);
    gt_Layer *again = gt_layer_from_json(text), *loaded = gt_load_model(file_name()), *copy = gt_layer_copy(model);
    cr_assert(again && loaded && copy, "%s", gt_error_message());
    cr_assert_str_eq(gt_layer_to_json(again), text);
    cr_assert_str_eq(gt_layer_to_json(copy), text);
    cr_assert(same(y, gt_call(loaded, x)));
    gt_Layer *const each[] = {model, again, loaded, copy};
    for (int i = 0; i < 4; i++) {
        cr_assert(gt_layer_child_count(each[i]) == 1 && gt_count_params(each[i]) == 36);
        cr_assert(gt_trainable_variables(each[i]).count == 4 && gt_weights(each[i]).count == 6);
        cr_assert(gt_layer_find(each[i], "tower/high") && gt_layer_find(each[i], "tower/sequential/dense"));
        cr_assert_str_eq(gt_variable_path(each[i], gt_weights(each[i]).items[2]), "tower/low/kernel");
        gt_layer_free(each[i]);
    }
    remove(file_name());
    end(scope);
}

/* By number in the order of the first use, each once; by path; counted once; frozen below a model that is itself a layer. */
Test(models, layers_by_name_and_number)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_Input(gt_shape(3)), *b = gt_Input(gt_shape(3));
    gt_Layer *second = gt_Dense(3, .name = "second"), *shared = gt_Dense(3), *unused = gt_Dense(9);
    gt_Tensor *h = gt_call(shared, gt_call(shared, b)), *aside = gt_call(unused, a);
    gt_Tensor *y = gt_add(gt_call(second, a), h);
    gt_Layer *inner = gt_Model(gt_tensors(a, b), gt_tensors(y), .name = "inner");
    cr_assert(inner && aside);
    cr_assert(gt_layer_child_count(inner) == 2 && gt_get_layer(inner, 0) == second && gt_get_layer(inner, -1) == shared);
    gt_get_layer(inner, 2);
    fails(GT_INVALID, "index 2 is out of range: inner has 2 layers");
    gt_layer_find(inner, "dense_1");
    fails(GT_INVALID, "inner has no layer \"dense_1\"");
    gt_layer_find(inner, NULL);
    fails(GT_INVALID, "no layer \"(NULL)\"");
    gt_Tensor *c = gt_Input(gt_shape(3));
    gt_Tensor *z = gt_call(gt_Dense(1), gt_call(inner, gt_call(inner, c, .more = gt_tensors(c)), .more = gt_tensors(c)));
    gt_Layer *outer = gt_Model(gt_tensors(c), gt_tensors(z));
    cr_assert(outer && gt_layer_find(outer, "inner/second") == second && gt_layer_find(outer, "inner") == inner);
    cr_assert(gt_count_params(outer) == 12 + 12 + 4 && gt_count_params(inner) == 24);
    gt_set_trainable(inner, false);
    cr_assert(gt_trainable_variables(outer).count == 2 && !gt_is_trainable(shared) && gt_is_trainable(outer));
    gt_Layer *copy = gt_layer_copy(outer);
    cr_assert(copy && gt_trainable_variables(copy).count == 2 && gt_count_params(copy) == 28, "%s", gt_error_message());
    cr_assert(gt_layer_find(copy, "inner/dense") && gt_layer_find(copy, "inner/dense") != shared);
    gt_set_trainable(outer, true);
    cr_assert(gt_trainable_variables(outer).count == 6 && gt_trainable_variables(copy).count == 2);
    gt_layer_free(outer), gt_layer_free(copy);
    end(scope);
}

/* ---- what is gone ---- */

static void is_gone(gt_Layer *layer, gt_Tensor *x, const char *part)
{
    gt_call(layer, x);
    fails(GT_STALE, part);
    gt_summary(layer);
    fails(GT_STALE, part);
    gt_layer_to_json(layer);
    fails(GT_STALE, part);
    gt_layer_copy(layer);
    fails(GT_STALE, part);
    gt_stateless_call(layer, x);
    fails(GT_STALE, part);
    gt_save_model(layer, file_name());
    fails(GT_STALE, part);
    gt_get_layer(layer, 0);
    fails(GT_STALE, part);
    gt_layer_find(layer, "dense");
    fails(GT_STALE, part);
    gt_weights(layer);
    fails(GT_STALE, part);
    gt_set_trainable(layer, false);
    fails(GT_STALE, part);
    gt_count_params(layer);
    fails(GT_STALE, part);
    gt_layer_free(layer);
    ok("freeing it again is nothing");
}

/* Models, layers in them and symbols that were freed; layers that a model holds. */
Test(models, what_was_freed)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_ones(gt_shape(2, 3)), *a, *y;
    gt_Layer *model = gt_Sequential(gt_Dense(3), gt_Sequential(gt_Dense(2))), *functional_model;
    gt_call(model, x);
    gt_Layer *inner = gt_get_layer(model, 0), *deep = gt_layer_find(model, "sequential/dense");
    gt_layer_free(inner);
    fails(GT_STATE, "layer dense is freed with sequential, which it is a part of");
    cr_assert(gt_call(model, x) && gt_call(inner, x), "%s", gt_error_message());
    gt_layer_free(model);
    is_gone(model, x, "this layer was freed");
    is_gone(inner, x, "this layer was freed");
    is_gone(deep, x, "this layer was freed");
    gt_Sequential(inner);
    fails(GT_STALE, "this layer was freed");
    /* Symbols go with their scope, the model keeps what it needs of them. */
    gt_Scope *drawing = gt_scope_begin();
    a = gt_Input(gt_shape(3));
    y = gt_call(gt_Dense(2), gt_call(gt_Dense(3), a));
    functional_model = gt_Model(gt_tensors(a), gt_tensors(y));
    gt_scope_end(drawing);
    cr_assert(gt_call(functional_model, x), "%s", gt_error_message());
    gt_Model(gt_tensors(a), gt_tensors(y));
    fails(GT_STALE, "input 1 was used after its scope");
    gt_call(gt_get_layer(functional_model, 0), a);
    fails(GT_STALE, "the input was used after its scope");
    inner = gt_get_layer(functional_model, 1);
    gt_layer_free(inner);
    fails(GT_STATE, "is freed with functional");
    gt_layer_free(functional_model);
    is_gone(functional_model, x, "this layer was freed");
    is_gone(inner, x, "this layer was freed");
    /* A layer that was freed under the drawing. */
    a = gt_Input(gt_shape(3));
    gt_Layer *dense = gt_Dense(2);
    y = gt_call(dense, a);
    gt_layer_free(dense);
    gt_Layer *of_freed = gt_Model(gt_tensors(a), gt_tensors(y));
    cr_assert(of_freed || strstr(gt_error_message(), "a layer of the drawing was freed"), "%s", gt_error_message());
    gt_error_clear();
    gt_layer_free(of_freed);
    end(scope);
}

/* ---- builds that fail ---- */

typedef struct Fragile {
    gt_Layer base;
    gt_Layer *inner;
    gt_Variable *first;
} Fragile;
static int fragile_fails; /* 1: before a weight, 2: after one, 3: in a layer below, 4: in call */
static gt_Status fragile_create(gt_Layer *layer)
{
    return ((Fragile *)layer)->inner = gt_add_child(layer, gt_Dense(2)), gt_status();
}
static gt_Status fragile_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Fragile *self = (Fragile *)layer;
    if (fragile_fails == 1)
        return gt_fail(GT_INVALID, "it fails at once");
    self->first = gt_add_weight(layer, "first", gt_shape(gt_last(in->shape)), .initializer = gt_Ones());
    return fragile_fails == 2 ? gt_fail(GT_INVALID, "it fails late") : gt_status();
}
static gt_Tensor *fragile_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Fragile *self = (Fragile *)layer;
    gt_Tensor *h = gt_multiply(in->x, self->first);
    gt_Tensor *y = gt_call(self->inner, fragile_fails == 3 ? gt_reshape(h, gt_shape(-1)) : h);
    return fragile_fails == 4 ? gt_matmul(y, self->first) : y;
}
static const gt_LayerClass fragile_class = {.size = sizeof(gt_LayerClass),
                                            .name = "fragile",
                                            .instance = sizeof(Fragile),
                                            .create = fragile_create,
                                            .build = fragile_build,
                                            .call = fragile_call};

/* A build that fails in the middle of a model takes back what it made; what was drawn before stays, and it can be tried again. */
Test(models, builds_that_fail)
{
    static const char *const message[] = {"", "it fails at once", "it fails late", "at least 2 dimensions", "matmul"};
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_Input(gt_shape(3)), *x = gt_ones(gt_shape(2, 3));
    for (int sequential = 0; sequential < 2; sequential++) {
        gt_Layer *before = gt_Dense(3), *fragile = gt_layer_new(&fragile_class, &(Fragile){.first = NULL});
        gt_Layer *model = sequential ? gt_Sequential(before, fragile, gt_Dense(1)) : NULL;
        gt_Tensor *h = sequential ? NULL : gt_call(before, a);
        int64_t variables = gt_memory_stats().variables;
        for (fragile_fails = 4; fragile_fails > 0; fragile_fails--) {
            cr_assert(!(sequential ? gt_call(model, x) : gt_call(fragile, h)));
            fails(GT_INVALID, message[fragile_fails]);
            cr_assert(!gt_layer_built(fragile) && gt_memory_stats().variables <= variables + 4, "%d",
                      fragile_fails); /* of the other layers, which are built */
            cr_assert(gt_layer_child_count(fragile) == 1);
        }
        gt_Tensor *y = sequential ? gt_call(model, x) : gt_call(gt_Dense(1), gt_call(fragile, h));
        if (!sequential)
            model = gt_Model(gt_tensors(a), gt_tensors(y));
        cr_assert(model && gt_call(model, x) && gt_weights(model).count == 7, "%s", gt_error_message());
        /* A subclassed model without options says why it has no text, and the model around it, too. */
        cr_assert_str_eq(gt_layer_to_json(model), "");
        fails(GT_UNSUPPORTED, "a layer of the class fragile cannot be written down: it was not made from options");
        cr_assert(!gt_layer_copy(model));
        fails(GT_UNSUPPORTED, "a layer of the class fragile cannot be copied");
        cr_assert(gt_save_model(model, file_name()) != GT_OK);
        fails(GT_UNSUPPORTED, "fragile");
        cr_assert(gt_save_weights(model, file_name()) == GT_OK && gt_load_weights(model, file_name()) == GT_OK, "%s",
                  gt_error_message());
        gt_layer_free(model);
    }
    remove(file_name());
    end(scope);
}

/* ---- policies ---- */

/* Rows whose class is the sign of a sum, and a model of each kind that learns it. */
static gt_Dataset *signs(void)
{
    gt_Tensor *x = gt_normal(gt_shape(64, 6), .generator = gt_generator(3));
    gt_Tensor *y = gt_cast(gt_greater(gt_sum(x, .axis = 1, .keepdims = true), 0), GT_FLOAT32);
    return gt_dataset_from_tensors(x, y, .batch_size = 16, .shuffle = false);
}

static gt_Layer *learner(bool is_functional)
{
    if (!is_functional)
        return gt_Sequential(gt_Dense(16, .activation = gt_tanh), gt_LayerNormalization(), gt_Dense(1));
    gt_Tensor *x = gt_Input(gt_shape(6));
    gt_Tensor *h = gt_call(gt_Dense(6, .activation = gt_tanh), x);
    return gt_Model(gt_tensors(x), gt_tensors(gt_call(gt_Dense(1), gt_add(h, x))));
}

/* Both 16-bit policies of a context train both kinds of models; float16 with a scaled loss. What is saved computes as it
 * did, in a program that has no policy, and so do copies. */
Test(models, policies_train_and_are_saved, .timeout = 600)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Dataset *data = signs();
    gt_Tensor *x = gt_normal(gt_shape(5, 6), .generator = gt_generator(9));
    for (int i = 0; i < 4; i++) {
        gt_DType policy = i & 1 ? gt_mixed_float16() : gt_mixed_bfloat16();
        gt_set_seed(5);
        gt_set_dtype_policy(policy);
        gt_Layer *model = learner(i >> 1);
        gt_Optimizer *adam = gt_Adam(0.02);
        gt_call(model, x);
        gt_set_dtype_policy(GT_DTYPE_NONE);
        gt_compile(model, .optimizer = adam, .loss = gt_BinaryCrossentropy(.from_logits = true));
        gt_History *history = gt_fit(model, data, .epochs = 12, .verbose = GT_VERBOSITY_SILENT);
        cr_assert(history, "%s", gt_error_message());
        double first = gt_history_get(history, "loss", 0), last = gt_history_get(history, "loss", 11);
        cr_assert(last < 0.6 * first && last < 0.4, "%d: loss %g, then %g", i, first, last);
        cr_assert(gt_optimizer_loss_scale(adam) == (i & 1 ? 32768 : 1), "%d: %g", i, gt_optimizer_loss_scale(adam));
        cr_assert(gt_dtype(gt_weights(model).items[0]) == GT_FLOAT32);
        gt_Tensor *y = gt_call(model, x);
        char text[20000];
        snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
        cr_assert(strstr(text, i & 1 ? "\"mixed_float16\"" : "\"mixed_bfloat16\""), "%s", text);
        cr_assert(gt_save_model(model, file_name()) == GT_OK, "%s", gt_error_message());
        gt_Layer *loaded = gt_load_model(file_name()), *copy = gt_layer_copy(model), *wide = learner(i >> 1);
        cr_assert(loaded && copy, "%s", gt_error_message());
        cr_assert_str_eq(gt_layer_to_json(loaded), text);
        cr_assert(same(y, gt_call(loaded, x)), "%d: loaded", i);
        gt_call(copy, x), gt_call(wide, x);
        gt_set_weights(copy, gt_weights(model)), gt_set_weights(wide, gt_weights(model));
        cr_assert(same(y, gt_call(copy, x)) && !same(y, gt_call(wide, x)), "%d: copied", i);
        /* The loaded one trains as the first did: its loss is scaled too. */
        gt_Optimizer *again = gt_Adam(0.02);
        gt_compile(loaded, .optimizer = again, .loss = gt_BinaryCrossentropy(.from_logits = true));
        gt_History *more = gt_fit(loaded, data, .verbose = GT_VERBOSITY_SILENT);
        cr_assert(more && gt_optimizer_loss_scale(again) == (i & 1 ? 32768 : 1), "%d: %s", i, gt_error_message());
        gt_history_free(history), gt_history_free(more);
        gt_layer_free(model), gt_layer_free(loaded), gt_layer_free(copy), gt_layer_free(wide);
    }
    remove(file_name());
    gt_dataset_free(data);
    end(scope);
}

/* ---- parts ---- */

Test(models, layers_put_in_and_taken_off)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(2, 3));
    gt_Layer *model = gt_Sequential(gt_Dense(4), gt_Dense(5, .name = "last"));
    cr_assert(gt_sequential_insert(model, 0, gt_Dense(6)) == GT_OK, "%s", gt_error_message());
    cr_assert(gt_sequential_insert(model, 1, gt_Dropout(0.5)) == GT_OK);
    cr_assert(gt_sequential_insert(model, 4, gt_Dense(7)) == GT_OK);
    const char *const names[] = {"dense", "dropout", "dense_1", "last", "dense_2"};
    gt_call(model, x);
    for (int i = 0; i < 5; i++)
        cr_assert(gt_layer_find(model, names[i]) == gt_get_layer(model, i), "%d: %s", i, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_weights(model).items[0]), gt_shape(3, 6)));
    gt_sequential_insert(model, 0, gt_Dense(2));
    fails(GT_STATE, "is built already");
    cr_assert(gt_sequential_pop(model) == GT_OK && gt_layer_child_count(model) == 4);
    cr_assert(gt_dim(gt_tensor_shape(gt_call(model, x)), 1) == 5);
    gt_Layer *empty = gt_Sequential();
    gt_sequential_pop(empty);
    fails(GT_INVALID, "there is no layer in sequential");
    gt_sequential_insert(empty, 1, gt_Dense(2));
    fails(GT_INVALID, "index must be 0 to 0 (got 1)");
    gt_sequential_pop(gt_get_layer(model, 0));
    fails(GT_INVALID, "layer dense is no Sequential but a dense");
    cr_assert(gt_layer_child_count(empty) == 0);
    gt_layer_free(model), gt_layer_free(empty);
    end(scope);
}

/* A Sequential that begins with an InputLayer is built when it is made, also from its text and as a copy. */
Test(models, sequential_with_an_input)
{
    gt_Scope *scope = gt_scope_begin();
    char text[4000];
    gt_Layer *model = gt_Sequential(gt_InputLayer(gt_shape(-1, 3)), gt_Dense(4), gt_LSTM(2));
    cr_assert(model && gt_layer_built(model) && gt_weights(model).count == 5, "%s", gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(gt_weights(model).items[0]), gt_shape(3, 4)));
    cr_assert(strstr(gt_summary(model), "input_layer (InputLayer)  (None, None, 3)"), "%s", gt_summary(model));
    cr_assert(gt_dim(gt_tensor_shape(gt_call(model, gt_ones(gt_shape(2, 7, 3)))), 1) == 2, "%s", gt_error_message());
    gt_call(model, gt_ones(gt_shape(2, 7, 4)));
    fails(GT_INVALID, "the input must be float32 (-1, -1, 3) (got float32 (2, 7, 4)), in sequential/input_layer");
    gt_call(model, gt_cast(gt_ones(gt_shape(2, 7, 3)), GT_INT32));
    fails(GT_INVALID, "got int32");
    snprintf(text, sizeof text, "%s", gt_layer_to_json(model));
    gt_Layer *again = gt_layer_from_json(text), *copy = gt_layer_copy(model);
    cr_assert(again && gt_layer_built(again) && copy && gt_layer_built(copy), "%s", gt_error_message());
    cr_assert_str_eq(gt_layer_to_json(again), text);
    cr_assert_str_eq(gt_layer_to_json(copy), text);
    gt_layer_free(again), gt_layer_free(copy), gt_layer_free(model);
    /* The type is the policy's or the option's; the batch may be given; an input alone is not built yet. */
    model = gt_Sequential(gt_InputLayer(gt_shape(2), .batch_size = 4, .dtype = GT_FLOAT64), gt_Dense(1));
    cr_assert(model && gt_dtype(gt_weights(model).items[0]) == GT_FLOAT64, "%s", gt_error_message());
    gt_call(model, gt_ones(gt_shape(3, 2), .dtype = GT_FLOAT64));
    fails(GT_INVALID, "the input must be float64 (4, 2) (got float64 (3, 2))");
    gt_layer_free(model);
    model = gt_Sequential(gt_InputLayer(gt_shape(2)));
    cr_assert(!gt_layer_built(model) && gt_sequential_add(model, gt_Dense(3)) == GT_OK);
    gt_layer_free(model);
    cr_assert(!gt_Sequential(gt_InputLayer(gt_shape(2)), gt_Conv2D(3, 3)));
    fails(GT_INVALID, "the input must have 4 dimensions");
    cr_assert(!gt_InputLayer(gt_shape(-2)));
    fails(GT_INVALID, "InputLayer: an input cannot be float32 (-2,) with batch_size -1");
    end(scope);
}

Test(models, weights_in_order)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(2, 3));
    gt_Layer *a = gt_Sequential(gt_Dense(4), gt_Dense(2)), *b = gt_Sequential(gt_Dense(4), gt_Dense(2));
    gt_call(a, x), gt_call(b, x);
    cr_assert(gt_set_weights(b, gt_weights(a)) == GT_OK, "%s", gt_error_message());
    cr_assert(same(gt_call(a, x), gt_call(b, x)));
    gt_Tensor *y = gt_call(b, x), *bad[4], *wide[4];
    for (int i = 0; i < 4; i++) {
        bad[i] = gt_zeros_like(gt_weights(a).items[i]);
        wide[i] = gt_cast(gt_weights(a).items[i], GT_FLOAT64);
    }
    bad[2] = gt_zeros(gt_shape(4, 3));
    gt_set_weights(b, ((gt_Tensors){bad, 4}));
    fails(GT_INVALID, "weight 2, dense_1/kernel, must be float32 (4, 2) (got float32 (4, 3))");
    gt_set_weights(b, ((gt_Tensors){bad, 2}));
    fails(GT_INVALID, "layer sequential has 4 weights (got 2 tensors)");
    cr_assert(same(y, gt_call(b, x)), "nothing was written");
    cr_assert(gt_set_weights(b, ((gt_Tensors){wide, 4})) == GT_OK && same(y, gt_call(b, x)));
    gt_Layer *unbuilt = gt_Dense(2);
    gt_set_weights(unbuilt, gt_tensors(x));
    fails(GT_STATE, "is not built");
    gt_layer_free(a), gt_layer_free(b), gt_layer_free(unbuilt);
    end(scope);
}

Test(models, loading_a_part)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(2, 3));
    gt_Layer *a = gt_Sequential(gt_Dense(4, .name = "body"), gt_Dense(2, .name = "head"), gt_Dense(2, .name = "tail"));
    gt_Layer *b = gt_Sequential(gt_Dense(4, .name = "body"), gt_Dense(3, .name = "head"), gt_Dense(2, .name = "other"));
    gt_call(a, x), gt_call(b, x);
    cr_assert(gt_save_weights(a, file_name()) == GT_OK);
    double before = gt_element(gt_weights(b).items[2], 0);
    gt_load_weights(b, file_name());
    fails(GT_INVALID, "does not fit");
    cr_assert(!same(gt_weights(b).items[0], gt_weights(a).items[0]), "the third weight has another shape: nothing is read");
    gt_LoadReport report;
    cr_assert(gt_load_weights(b, file_name(), .skip_mismatch = true, .report = &report) == GT_OK, "%s", gt_error_message());
    cr_assert(report.loaded == 2 && report.mismatched == 2 && report.missing == 2 && report.unused == 2);
    cr_assert(strstr(report.text, "head/kernel must be float32 (4, 3) (got float32 (4, 2))") &&
                  strstr(report.text, "other/kernel is missing") && strstr(report.text, "tail/kernel is in the file only"),
              "%s", report.text);
    cr_assert(same(gt_weights(b).items[0], gt_weights(a).items[0]) && gt_element(gt_weights(b).items[2], 0) == before);
    cr_assert(gt_load_weights(a, file_name(), .report = &report) == GT_OK && report.loaded == 6 && !*report.text);
    remove(file_name());
    gt_layer_free(a), gt_layer_free(b);
    end(scope);
}
