/* Models of two layers with a mask: Embedding(mask_zero) and a layer of the table, compared with Keras: the result, what became
 * of the mask, and a loss that reads it. The numbers are those of oracle/masked_models.txt, by oracle/masked_models.py; where
 * gradtape means to differ, the sample stands in `others` with the reason. Each model is run eagerly, as a functional model and
 * in a plan, with equal bits. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "layer_uses.h"
#include "leaks.h"
#include "texts.h"
#include "train/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 600 };

/* Samples that differ on purpose: with an error that Keras does not raise, or in what they compute. */
static const struct {
    const char *name;
    int number;          /* -1: all */
    const char *message; /* part of the error; NULL: none */
    const char *why;
} others[] = {
    {"multi_head_attention", 3, "axes must lie between the batch and the heads",
     "Keras attends over features"},
    {"multi_head_attention", 4, NULL,
     "a query that may look at nothing gets the mean of all values"},
    {"group_query_attention", 2, NULL, "the same"},
    {"lambda", 0, NULL, "the operations of its function pass masks on; in Keras they end"},
    {"gru_cell", 1, "must have 2 dimensions", "a cell is given one step"},
    {"simple_rnn_cell", 1, "must have 2 dimensions", "a cell is given one step"},
    {"adaptive_average_pooling2d", -1, "must have 4 dimensions", "Keras counts no axes"},
    {"adaptive_average_pooling3d", -1, "must have 5 dimensions", "Keras counts no axes"},
    {"adaptive_max_pooling2d", -1, "must have 4 dimensions", "Keras counts no axes"},
    {"adaptive_max_pooling3d", -1, "must have 5 dimensions", "Keras counts no axes"},
    {"discretization", 2, NULL,
     "the last axis holds a sample, as Keras says; of three axes it takes the second"},
    {"discretization", 3, NULL, "the same"},
};

/* Is this one of them? */
static bool differs(const char *name, int number, bool made, const char *message)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0 &&
            (others[i].number < 0 || others[i].number == number))
            return others[i].message ? !made && strstr(message, others[i].message) : made;
    return false;
}

typedef struct Expected {
    gt_Shape shape, mask_shape;
    int64_t count, mask_count;
    double number[MOST], mask[MOST], loss;
    bool masked, has_loss;
    char kind;
} Expected;

/* "r 2 5 3 : 0.5 ..." */
static int64_t read_numbers(const char *text, char *kind, gt_Shape *shape, double *numbers)
{
    int used = 0;
    int64_t size, count = 1;
    *shape = gt_shape();
    cr_assert(sscanf(text, " %c%n", kind, &used) == 1);
    for (text += used; sscanf(text, " %ld%n", &size, &used) == 1; text += used)
        count *= shape->dims[shape->rank++] = size;
    text = strchr(text, ':') + 1;
    cr_assert(count <= MOST);
    for (int64_t i = 0; i < count; i++, text += used)
        cr_assert(sscanf(text, " %lf%n", &numbers[i], &used) == 1);
    return count;
}

/* What is known of a sample: the lines up to the next one. NULL: no more. */
static const char *read_sample(const char *line, char *name, int *number, Expected *e)
{
    char kind;
    while (line && sscanf(line, "sample %99s %d", name, number) != 2)
        line = end_line((char *)(uintptr_t)line);
    if (!line)
        return NULL;
    memset(e, 0, sizeof *e);
    for (line = end_line((char *)(uintptr_t)line); line && strncmp(line, "sample", 6) != 0;
         line = end_line((char *)(uintptr_t)line))
        if (strncmp(line, "output ", 7) == 0)
            e->count = read_numbers(line + 7, &e->kind, &e->shape, e->number);
        else if (strncmp(line, "mask none", 9) != 0 && strncmp(line, "mask ", 5) == 0)
            e->masked =
                (e->mask_count = read_numbers(line + 5, &kind, &e->mask_shape, e->mask)) > 0;
        else if (sscanf(line, "loss %lf", &e->loss) == 1)
            e->has_loss = true;
    return line ? line : "";
}

/* ---- the model ---- */

static void fill(gt_Variable *weight, int index)
{
    static double numbers[4096];
    const char *name = gt_variable_name(weight);
    bool positive = strstr(name, "variance") || strstr(name, "gamma") || strstr(name, "scale");
    const char *kind = !gt_dtype_is_float(gt_dtype(weight)) ? "whole"
                       : positive                           ? "positive"
                                                            : "real";
    cr_assert(gt_size(weight) <= 4096);
    use_weight(kind, index, gt_size(weight), numbers);
    gt_assign(weight, gt_from_values_at(NULL, gt_tensor_shape(weight), gt_dtype(weight),
                                        gt_size(weight), numbers));
}

typedef struct Two {
    gt_Layer *embedding[2], *layer, *model;
    int inputs;
} Two;

static gt_Tensor *behind(const Two *self, gt_Tensor *const *indices)
{
    gt_Tensor *x[2] = {NULL, NULL};
    for (int i = 0; i < self->inputs; i++)
        x[i] = gt_call(self->embedding[i], indices[i]);
    return self->inputs > 1 ? gt_call(self->layer, x[0], .more = gt_tensors(x[1]))
                            : gt_call(self->layer, x[0]);
}

static gt_Status traced(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const Two *self = context;
    out[0] = self->inputs > 1 ? gt_call(self->model, in[0], .more = gt_tensors(in[1]))
                              : gt_call(self->model, in[0]);
    return gt_status();
}

static bool same_bits(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.dtype == two.dtype && one.size == two.size &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

/* The same as a functional model, and in a plan. */
static void other_ways(Two *self, const char *what, gt_Tensor *const *indices, gt_Tensor *y)
{
    gt_Tensor *symbol[2], *h[2] = {NULL, NULL};
    for (int i = 0; i < self->inputs; i++)
        symbol[i] = gt_Input(gt_shape(-1), .dtype = GT_INT32);
    memcpy(h, symbol, sizeof h);
    gt_reset_states(self->layer);
    gt_Tensor *end = behind(self, symbol);
    const gt_Tensors inputs = {symbol, self->inputs};
    if (!end) { /* stateful layers need a batch size */
        gt_error_clear();
        return;
    }
    self->model = gt_Model(inputs, gt_tensors(end));
    gt_Function *function = gt_function(traced, self);
    const gt_Tensors in = {(gt_Tensor **)(uintptr_t)indices, self->inputs};
    for (int planned = 0; planned < 2; planned++) {
        gt_Tensor *z = NULL;
        if (planned)
            gt_function_call(function, in, &z);
        else
            traced(self, indices, &z);
        cr_expect(z && same_bits(y, z) && gt_is_masked(y) == gt_is_masked(z) &&
                      (!gt_is_masked(y) || same_bits(gt_mask(y), gt_mask(z))),
                  "%s: planned %d: %s", what, planned, gt_error_message());
        gt_error_clear();
    }
    gt_function_free(function);
}

static void compare(const char *what, gt_Tensor *y, const Expected *e)
{
    bool fits = gt_shape_equal(gt_tensor_shape(y), e->shape);
    double worst = 0;
    for (int64_t i = 0; fits && i < e->count; i++)
        worst = fmax(worst, fabs(gt_element(y, i) - e->number[i]) / (1 + fabs(e->number[i])));
    cr_expect(fits && worst < 1e-6, "%s: the result, apart by %g", what, worst);
    cr_expect(gt_is_masked(y) == e->masked, "%s: a mask %d, in Keras %d", what, gt_is_masked(y),
              e->masked);
    gt_Tensor *mask = gt_mask(y);
    for (int64_t i = 0; mask && e->masked && i < e->mask_count; i++)
        cr_expect(gt_size(mask) == e->mask_count && gt_element(mask, i) == e->mask[i],
                  "%s: element %d of the mask", what, (int)i);
    if (!e->has_loss)
        return;
    const gt_Loss squares = gt_MeanSquaredError();
    gt_Tensor *loss =
        gt_loss_compute(&squares, gt_zeros_like(gt_is_masked(y) ? gt_unmask(y) : y), y, NULL);
    cr_expect(loss && fabs(gt_item(loss) - e->loss) < 1e-6 * (1 + fabs(e->loss)),
              "%s: the loss %.9g, in Keras %.9g: %s", what, loss ? gt_item(loss) : 0, e->loss,
              gt_error_message());
    gt_error_clear();
}

static int differ, compared;

static void check(const char *name, int number, const Expected *e)
{
    static const double indices[2][10] = {{1, 2, 0, 3, 0, 2, 0, 0, 1, 4},
                                          {0, 1, 2, 3, 1, 1, 1, 0, 0, 2}};
    char what[120];
    const gt_LayerClass *type = gt_layer_class_find(name);
    snprintf(what, sizeof what, "%s, sample %d", name, number);
    cr_assert(type, "%s", what);
    const Use use = {type, &type->samples[number], number, GT_FLOAT64};
    Two two = {.inputs = use.sample->inputs};
    gt_Tensor *x[2];
    gt_set_dtype_policy(GT_FLOAT64);
    for (int i = 0; i < two.inputs; i++) {
        two.embedding[i] = gt_Embedding(5, 3, .mask_zero = true);
        x[i] = gt_from_values_at(NULL, gt_shape(2, 5), GT_INT32, 10, indices[i]);
        gt_call(two.embedding[i], x[i]);
        fill(gt_weights(two.embedding[i]).items[0], 100 + i);
    }
    two.layer = use_layer(&use);
    gt_Tensor *y = behind(&two, x);
    gt_Tensors weights = y ? gt_weights(two.layer) : (gt_Tensors){NULL, 0};
    for (int i = 0; i < weights.count; i++)
        fill(weights.items[i], i);
    if (y)
        gt_reset_states(two.layer);
    y = y ? behind(&two, x) : NULL;
    if (differs(name, number, y != NULL, gt_error_message()))
        differ++;
    else if (!y)
        cr_expect(false, "%s: %s", what, gt_error_message());
    else
        compare(what, y, e);
    gt_error_clear();
    if (y) {
        other_ways(&two, what, x, y);
        compared++;
    }
    gt_layer_free(two.model);
    for (int i = 0; !two.model && i < two.inputs; i++)
        gt_layer_free(two.embedding[i]);
    if (!two.model)
        gt_layer_free(two.layer);
    gt_error_clear();
}

Test(masked_models, as_keras)
{
    static Expected e;
    char name[100], *text = text_of_file("tests/oracle/masked_models.txt");
    int number;
    for (const char *line = text; (line = read_sample(line, name, &number, &e)) && e.count;) {
        gt_Scope *scope = gt_scope_begin();
        check(name, number, &e);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d models with masks, %d samples differ from Keras on purpose\n", compared,
            differ);
    cr_assert(compared > 100 && differ == 16, "%d, %d", compared, differ);
    free(text);
    gt_context_free(NULL);
    assert_no_leaks();
}
