/* The contract of layers beyond weights and calls: ports, several outputs, masks, first numbers, states, policies, copies,
 * warnings, seen with classes of one's own. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "leaks.h"

#include <stdio.h>
#include <string.h>

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
           (one.size == 0 || memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0);
}

static void end(gt_Scope *scope)
{
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Tensor *some_mask(void)
{
    const bool bits[] = {1, 1, 0, 1, 0, 1};
    return gt_from_data(bits, gt_shape(2, 3), GT_BOOL);
}

static gt_Tensor *some_x(void)
{
    return gt_reshape(gt_cast(gt_arange(0, 12, 1), GT_FLOAT32), gt_shape(2, 3, 2));
}

/* ---- ports and outputs ---- */

/* query (batch, steps, width), value like it, an optional scale: query + value, query * scale, and what it saw. */
typedef struct Mixer {
    gt_Layer base;
    int built_with, seen; /* inputs that were there, by bit */
} Mixer;

static gt_Status mixer_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Mixer *self = (Mixer *)layer;
    for (int i = 0; i < in->count; i++)
        self->built_with |= (in->inputs[i].dtype != GT_DTYPE_NONE) << i;
    cr_assert(in->variables == GT_FLOAT32 && in->compute == GT_FLOAT32);
    return gt_set_input_spec(layer, 1, .rank = 3, .axis = 1, .dim = in->inputs[1].dims[1]);
}

static gt_Tensor *mixer_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Mixer *self = (Mixer *)layer;
    self->seen = 0;
    for (int i = 0; i < in->count; i++)
        self->seen |= (in->inputs[i] != NULL) << i;
    if (in->wanted & 2)
        in->outputs[1] = gt_multiply(in->x, in->count > 2 && in->inputs[2] ? in->inputs[2] : in->x);
    if (in->wanted & 4)
        in->outputs[2] = gt_square(in->inputs[1]);
    return gt_add(in->x, in->inputs[1]);
}

static const gt_LayerClass mixer_class = {
    .size = sizeof(gt_LayerClass),
    .name = "mixer",
    .instance = sizeof(Mixer),
    .build = mixer_build,
    .call = mixer_call,
    .outputs = 3,
    .ports = GT_PORTS({"query", 0, 2, 3}, {"value", 0, 3, 3}, {"scale", GT_PORT_OPTIONAL, 0, 0},
                      {"bias", GT_PORT_OPTIONAL, 0, 0}),
};

Test(layers_contract, ports)
{
    gt_Scope *scope = gt_scope_begin();
    Mixer instance = {.base = {.name = NULL}};
    gt_Layer *layer = gt_layer_new(&mixer_class, &instance);
    Mixer *self = (Mixer *)layer;
    gt_Tensor *x = some_x(), *two = gt_full(gt_shape(), 2), *a = x, *b = x, *y;
    y = gt_call(layer, x, .more = gt_tensors(x), .outputs = gt_outputs(&a, &b));
    cr_assert(same(y, gt_add(x, x)) && same(a, gt_square(x)) && same(b, gt_square(x)));
    cr_assert(self->built_with == 3 && self->seen == 3 && gt_layer_outputs(layer) == 3);
    y = gt_call(layer, x, .named = gt_named({"scale", two}, {"value", x}), .outputs = gt_outputs(&a));
    cr_assert(self->seen == 7 && same(a, gt_multiply(x, 2)));
    y = gt_call(layer, x, .more = gt_tensors(x, NULL, two), .outputs = gt_outputs(NULL, &b));
    cr_assert(self->seen == 11 && same(b, gt_square(x)));
    gt_call(layer, x, .more = gt_tensors(x, NULL, NULL));
    cr_assert(self->seen == 3, "absent ones at the end are cut off");
    ok("calls");
    a = b = x;
    cr_assert(!gt_call(layer, x, .outputs = gt_outputs(&a, &b)) && !a && !b);
    fails(GT_INVALID, "mixer: the input \"value\" is missing (got 1 input)");
    gt_call(layer, x, .more = gt_tensors(NULL, two));
    fails(GT_INVALID, "the input \"value\" is NULL");
    gt_call(layer, x, .more = gt_tensors(x), .named = gt_named({"value", x}));
    fails(GT_INVALID, "the input \"value\" is given twice");
    gt_call(layer, x, .more = gt_tensors(x), .named = gt_named({"weight", x}));
    fails(GT_INVALID, "it has no input \"weight\"");
    gt_call(layer, x, .more = gt_tensors(x, x, x, x));
    fails(GT_INVALID, "it accepts 4 inputs (got 5)");
    gt_call(layer, gt_full(gt_shape(2), 1), .more = gt_tensors(x));
    fails(GT_INVALID, "the input \"query\" must have at least 2 dimensions (got shape (2,))");
    gt_call(layer, gt_full(gt_shape(1, 1, 1, 2), 1), .more = gt_tensors(x));
    fails(GT_INVALID, "the input \"query\" must have at most 3 dimensions");
    gt_call(layer, x, .more = gt_tensors(two));
    fails(GT_INVALID, "the input \"value\" must have 3 dimensions (got shape ())");
    gt_call(layer, x, .more = gt_tensors(gt_zeros(gt_shape(2, 1, 2))));
    fails(GT_INVALID, "axis 1 of the input \"value\" must have size 3");
    gt_call(layer, x, .more = gt_tensors(x), .outputs = gt_outputs(&a, &b, &y));
    fails(GT_INVALID, "it has 3 outputs (asked for 4)");
    gt_layer_free(layer);
    gt_Layer *fresh = gt_layer_new(&mixer_class, &instance);
    const gt_Spec specs[] = {gt_spec(x), gt_spec(x)};
    cr_assert(gt_build_for(fresh, 2, specs) == GT_OK && gt_layer_built(fresh), "%s", gt_error_message());
    gt_build_for(fresh, 0, specs);
    fails(GT_INVALID, "there must be 1 to 64 inputs (got 0)");
    gt_layer_free(fresh);
    end(scope);
}

/* ---- masks ---- */

typedef struct Masked {
    gt_Layer base;
    bool told, riding; /* `call` got the mask; x had it on */
} Masked;

static gt_Tensor *masked_call(gt_Layer *layer, const gt_CallArgs *in)
{
    Masked *self = (Masked *)layer;
    self->told = in->mask != NULL && in->masks[0] == in->mask;
    self->riding = gt_is_masked(in->x);
    return gt_multiply(in->x, 2);
}

static gt_Tensor *inverted(gt_Layer *layer, const gt_CallArgs *in)
{
    (void)layer;
    return in->mask ? gt_logical_not(in->mask) : NULL;
}

/* A class that keeps, drops, makes, or says nothing; eagerly and in a plan. */
static gt_Status call_layer(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_call(context, in[0]);
    return gt_status();
}

Test(layers_contract, masks)
{
    gt_Scope *scope = gt_scope_begin();
    gt_LayerClass type = {.size = sizeof type, .name = "masked", .instance = sizeof(Masked), .call = masked_call};
    const Masked instance = {.told = false};
    gt_Tensor *mask = some_mask(), *x = gt_with_mask(some_x(), mask);
    for (int kind = 0; kind < 4; kind++) {
        type.flags = kind == 1 ? GT_LAYER_KEEPS_MASK : kind == 2 ? GT_LAYER_DROPS_MASK : 0;
        type.mask = kind == 3 ? inverted : NULL;
        gt_Layer *layer = gt_layer_new(&type, &instance);
        const Masked *self = (const Masked *)layer;
        gt_Function *function = gt_function(call_layer, layer);
        for (int planned = 0; planned < 3; planned++) {
            gt_Tensor *y = NULL;
            if (planned)
                gt_function_call(function, gt_tensors(x), &y);
            else
                y = gt_call(layer, x);
            cr_assert(y && self->told && self->riding == (kind == 0), "%s", gt_error_message());
            gt_Tensor *right = kind == 2 ? NULL : kind == 3 ? gt_logical_not(mask) : mask;
            cr_assert(gt_is_masked(y) == (right != NULL) && (!right || same(gt_mask(y), right)), "%d", kind);
            gt_function_call(function, gt_tensors(gt_unmask(x)), &y);
            cr_assert(!gt_is_masked(y) && same(y, gt_multiply(gt_unmask(x), 2)));
        }
        cr_assert(gt_function_stats(function).plans == 2, "one with a mask and one without");
        cr_assert(same(gt_mask(gt_call(layer, some_x(), .mask = kind == 3 ? gt_logical_not(mask) : mask)),
                       kind == 2 ? mask : mask) || kind == 2);
        gt_error_clear();
        gt_function_free(function);
        gt_layer_free(layer);
    }
    gt_Layer *dense = gt_Dense(3);
    gt_call(dense, some_x(), .mask = gt_ones(gt_shape(2, 2), .dtype = GT_BOOL));
    fails(GT_INVALID, "the mask must be bool, and its shape the leading axes of the tensor's");
    gt_call(dense, some_x(), .mask = gt_ones(gt_shape(2, 3)));
    fails(GT_INVALID, "the mask must be bool");
    gt_sum(x, .axis = 1);
    fails(GT_INVALID, "use the mask, gt_mask(x), or count the padding, gt_unmask(x)");
    cr_assert(same(gt_sum(gt_unmask(x)), gt_sum(some_x())) && !gt_mask(some_x()) && gt_status() == GT_OK);
    gt_layer_free(dense);
    end(scope);
}

/* Masks are hidden from gradients: they come through a masked sum of a masked layer. */
Test(layers_contract, gradients_beside_masks)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Variable *w = gt_variable(some_x());
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *h = gt_multiply(gt_with_mask(w, some_mask()), 3), *g = NULL;
    gt_Tensor *weight = gt_cast(gt_expand_dims(gt_mask(h), -1), GT_FLOAT32);
    gt_Tensor *loss = gt_sum(gt_multiply(gt_unmask(h), weight));
    gt_gradients(tape, gt_tensors(loss), gt_tensors(w), &g);
    cr_assert(g && !gt_is_masked(g) && gt_element(g, 0) == 3 && gt_element(g, 4) == 0, "%s", gt_error_message());
    gt_tape_end(tape);
    gt_variable_free(w);
    end(scope);
}

static int heard;
static void hear(void *user, const char *message)
{
    (void)user;
    heard += strstr(message, "flatten: its input has a mask") != NULL;
}

Test(layers_contract, warnings)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_with_mask(some_x(), some_mask());
    gt_Layer *flatten = gt_Flatten();
    gt_set_warning(hear, NULL);
    for (int i = 0; i < 3; i++)
        gt_call(flatten, x);
    cr_assert(gt_warnings().count == 1 && heard == 1, "once a call site");
    cr_assert(strstr(gt_warnings().items[0], "test_layers_contract.c:") &&
                  strstr(gt_warnings().items[0], ", in flatten"),
              "%s", gt_warnings().items[0]);
    gt_call(flatten, x);
    cr_assert(gt_warnings().count == 2 && heard == 2, "another call site");
    gt_warnings_clear();
    cr_assert(gt_warnings().count == 0);
    gt_set_warning(NULL, NULL);
    for (int i = 0; i < 100; i++) {
        char here[20];
        snprintf(here, sizeof here, "x.c:%d", i);
        gt_call_at(here, flatten, x, NULL);
    }
    cr_assert(gt_warnings().count == 64 && heard == 2 && gt_status() == GT_OK);
    gt_layer_free(flatten);
    end(scope);
}

/* ---- first numbers ---- */

static int drawn;
static gt_Status count_draw(void *context, const gt_Spec *spec, void *data, uint64_t stream)
{
    (void)stream;
    if (context && *(int *)context)
        return gt_fail(GT_INVALID, "no luck");
    drawn++;
    for (int64_t i = 0; i < spec->size; i++)
        ((float *)data)[i] = (float)i;
    return GT_OK;
}

#define DENSE(...) gt_Dense(3, .kernel_initializer = gt_initializer(count_draw, NULL), __VA_ARGS__)

Test(layers_contract, numbers_are_drawn_late)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_full(gt_shape(1, 2), 1);
    /* A call draws at its end at the latest, and once. */
    gt_Layer *layer = DENSE(.use_bias = false);
    drawn = 0;
    gt_call(layer, x);
    gt_call(layer, x);
    cr_assert(drawn == 1);
    gt_layer_free(layer);
    /* Drawn on a symbol, nothing is drawn: not by listing, counting, a summary, nor assigning. */
    gt_Tensor *symbol = gt_Input(gt_shape(2));
    layer = DENSE(.use_bias = false);
    gt_Tensor *h = gt_call(layer, symbol);
    gt_Layer *model = gt_Model(gt_tensors(symbol), gt_tensors(h));
    drawn = 0;
    gt_Tensors weights = gt_weights(model);
    cr_assert(weights.count == 1 && gt_count_params(model) == 6 && *gt_summary(model) && drawn == 0);
    gt_Tensor *fresh = gt_full(gt_shape(2, 3), 5);
    cr_assert(gt_assign(weights.items[0], fresh) == GT_OK && drawn == 0);
    cr_assert(gt_element(gt_call(model, x), 0) == 10 && drawn == 0);
    gt_layer_free(model);
    /* A read draws. */
    layer = DENSE(.use_bias = false);
    h = gt_call(layer, symbol);
    cr_assert(drawn == 0 && gt_element(gt_weights(layer).items[0], 5) == 5 && drawn == 1);
    /* So does what reads before it writes. */
    layer = DENSE(.use_bias = false);
    gt_call(layer, symbol);
    gt_assign_add(gt_weights(layer).items[0], fresh);
    cr_assert(drawn == 2 && gt_element(gt_weights(layer).items[0], 1) == 6);
    /* Whoever holds the old value of a variable has its first numbers, whenever they are read. */
    ok("draws");
    end(scope);
}

Test(layers_contract, a_draw_that_fails)
{
    gt_Scope *scope = gt_scope_begin();
    int unlucky = 1;
    gt_Tensor *x = gt_full(gt_shape(1, 2), 1), *symbol = gt_Input(gt_shape(2));
    gt_Layer *layer = gt_Dense(3, .kernel_initializer = gt_initializer(count_draw, &unlucky));
    /* In a call: nothing of it stays. */
    cr_assert(!gt_call(layer, x));
    fails(GT_INVALID, "no luck");
    cr_assert(!gt_layer_built(layer));
    /* In gt_build. */
    gt_build(layer, gt_shape(1, 2), GT_FLOAT32);
    fails(GT_INVALID, "no luck");
    cr_assert(!gt_layer_built(layer));
    /* Where it is read, and may be tried again. */
    gt_Layer *model = gt_Model(gt_tensors(symbol), gt_tensors(gt_call(layer, symbol)));
    for (int i = 0; i < 2; i++) {
        cr_assert(!gt_data(gt_weights(model).items[0]));
        fails(GT_INVALID, "no luck");
        cr_assert(!gt_call(model, x));
        fails(GT_INVALID, "no luck");
        cr_assert(gt_save_weights(model, "unlucky.safetensors") != GT_OK);
        fails(GT_INVALID, "no luck");
    }
    gt_pack(gt_weights(model));
    fails(GT_INVALID, "no luck");
    unlucky = 0;
    cr_assert(gt_call(model, x), "%s", gt_error_message());
    gt_layer_free(model);
    end(scope);
}

/* Another context does not draw: it says what to do. */
Test(layers_contract, two_contexts_on_a_fresh_model)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *symbol = gt_Input(gt_shape(2));
    gt_Layer *model = gt_Model(gt_tensors(symbol), gt_tensors(gt_call(gt_Dense(3), symbol)));
    gt_Context *home = gt_context(), *other = gt_context_create();
    gt_context_use(other);
    cr_assert(!gt_call(model, gt_full(gt_shape(1, 2), 1)));
    fails(GT_STATE, "only its own context gives it some");
    gt_context_use(home);
    cr_assert(gt_call(model, gt_full(gt_shape(1, 2), 1)), "%s", gt_error_message());
    gt_context_use(other);
    cr_assert(gt_call(model, gt_full(gt_shape(1, 2), 1)), "%s", gt_error_message());
    gt_context_use(home);
    gt_context_free(other);
    gt_layer_free(model);
    end(scope);
}

/* The path of the topmost layer at the time of drawing is the key. */
Test(layers_contract, keys_of_first_numbers)
{
    float first[4];
    for (int round = 0; round < 4; round++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *dense = gt_Dense(1, .use_bias = false), *around = dense;
        gt_Tensor *symbol = gt_Input(gt_shape(2));
        if (round >= 2)
            gt_weights(dense);
        if (round == 1 || round == 2) /* built before it is added, or after */
            gt_call(dense, symbol);
        if (round < 3)
            around = gt_Sequential(dense);
        if (round == 0 || round == 3)
            gt_call(around, symbol);
        first[round] = (float)gt_element(gt_weights(around).items[0], 0);
        ok("first numbers");
        gt_layer_free(around);
        gt_scope_end(scope);
        gt_context_free(NULL);
    }
    cr_assert(first[0] == first[1] && first[1] == first[2] && first[2] != first[3]);
}

/* ---- states and generators ---- */

typedef struct Counter {
    gt_Layer base;
    gt_Variable *count, *generator;
} Counter;

static gt_Status counter_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    Counter *self = (Counter *)layer;
    self->count = gt_add_weight(layer, "count", gt_shape(), .initializer = gt_Zeros(),
                                .kind = GT_WEIGHT_KIND_STATE);
    self->generator = gt_add_generator(layer, 7);
    return gt_status();
}

static gt_Tensor *counter_call(gt_Layer *layer, const gt_CallArgs *in)
{
    gt_assign_add(((Counter *)layer)->count, gt_full(gt_shape(), 1));
    return gt_identity(in->x);
}

static gt_Status counter_reset(gt_Layer *layer)
{
    return gt_assign(((Counter *)layer)->count, gt_full(gt_shape(), 10));
}

Test(layers_contract, states)
{
    gt_Scope *scope = gt_scope_begin();
    gt_LayerClass type = {.size = sizeof type, .name = "counter", .instance = sizeof(Counter),
                          .build = counter_build, .call = counter_call};
    const Counter instance = {.count = NULL};
    gt_Tensor *x = some_x();
    for (int own = 0; own < 2; own++) {
        type.reset = own ? counter_reset : NULL;
        gt_Layer *model = gt_Sequential(gt_layer_new(&type, &instance));
        const Counter *self = (const Counter *)gt_get_layer(model, 0);
        gt_call(model, x);
        gt_call(model, x);
        cr_assert(gt_item(self->count) == 2 && gt_weights(model).count == 0 &&
                  gt_variables(model).count == 1 && gt_trainable_variables(model).count == 0);
        cr_assert(gt_state_variables(model).count == 1 && gt_state_variables(model).items[0] == self->count);
        cr_assert(gt_element(self->generator, 0) == 7 && gt_dtype(self->generator) == GT_INT64);
        cr_assert(gt_reset_states(model) == GT_OK && gt_item(self->count) == (own ? 10 : 0));
        gt_layer_free(model);
    }
    end(scope);
}

/* ---- policies ---- */

Test(layers_contract, policies)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(4, 5)), *w = gt_uniform(gt_shape(5, 3));
    const gt_DType policy[] = {gt_mixed_bfloat16(), gt_mixed_float16()};
    for (int i = 0; i < 2; i++) {
        gt_DType compute = gt_compute_dtype(policy[i]);
        cr_assert(gt_variable_dtype(policy[i]) == GT_FLOAT32 && compute == (i ? GT_FLOAT16 : GT_BFLOAT16));
        gt_Layer *one = gt_Dense(3, .dtype = policy[i]), *of_context, *around;
        gt_set_dtype_policy(policy[i]);
        cr_assert(gt_dtype_policy() == policy[i]);
        of_context = gt_Dense(3);
        gt_call(of_context, x);
        gt_set_dtype_policy(GT_DTYPE_NONE);
        around = gt_Sequential(gt_Dense(3));
        gt_layer_free(around);
        gt_Layer *const each[] = {one, of_context};
        for (int k = 0; k < 2; k++) {
            gt_call(each[k], x);
            cr_assert(gt_dtype(gt_weights(each[k]).items[0]) == GT_FLOAT32);
            gt_assign(gt_weights(each[k]).items[0], w);
            gt_Tensor *y = gt_call(each[k], x), *right = gt_matmul(gt_cast(x, compute), gt_cast(w, compute));
            cr_assert(gt_dtype(y) == GT_FLOAT32 && same(y, right) && !same(y, gt_matmul(x, w)));
        }
        gt_layer_free(one), gt_layer_free(of_context);
    }
    gt_Dense(3, .dtype = (gt_DType)250);
    fails(GT_INVALID, "dtype must be a type that tensors have, or a policy (got 250)");
    gt_set_dtype_policy(GT_INT32);
    fails(GT_INVALID, "the policy must be a float type");
    end(scope);
}

/* ---- copies ---- */

Test(layers_contract, copies)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = some_x();
    gt_Layer *dense = gt_Dense(3, .activation_layer = gt_Activation(gt_tanh), .use_bias = false);
    gt_call(dense, x);
    cr_assert(gt_layer_child_count(dense) == 1);
    bool with_bias = true;
    gt_Layer *copy = gt_layer_copy(dense), *other = gt_layer_copy_with(dense, "use_bias", &with_bias, sizeof with_bias);
    gt_call(copy, x), gt_call(other, x);
    ok("copies");
    cr_assert(gt_weights(copy).count == 1 && gt_weights(other).count == 2 && gt_layer_child_count(copy) == 1);
    cr_assert(gt_get_layer(copy, 0) != gt_get_layer(dense, 0), "children are copied");
    gt_assign(gt_weights(copy).items[0], gt_weights(dense).items[0]);
    cr_assert(same(gt_call(copy, x), gt_call(dense, x)));
    gt_layer_copy_with(dense, "go_backwards", &with_bias, sizeof with_bias);
    fails(GT_UNSUPPORTED, "has no option go_backwards");
    const Masked instance = {.told = false};
    const gt_LayerClass type = {.size = sizeof type, .name = "masked", .instance = sizeof(Masked), .call = masked_call};
    gt_Layer *plain = gt_layer_new(&type, &instance);
    gt_layer_copy(plain);
    fails(GT_UNSUPPORTED, "cannot be copied");
    gt_layer_free(dense), gt_layer_free(copy), gt_layer_free(other), gt_layer_free(plain);
    /* A layer that cannot be made takes the layers of its options along. */
    gt_Layer *child = gt_Activation(gt_tanh);
    cr_assert(!gt_Dense(-1, .activation_layer = child));
    gt_error_clear();
    cr_assert(!gt_call(child, x));
    fails(GT_STALE, "this layer was freed");
    end(scope);
}
