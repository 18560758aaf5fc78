#include "cli/network.h"
#include "cli/json.h"
#include "cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers of the rows ---- */

static double mean_of(gt_Tensor *y, double *variance)
{
    double sum = 0, squares = 0;
    int64_t n = gt_size(y);
    for (int64_t i = 0; i < n; i++)
        sum += gt_element(y, i);
    for (int64_t i = 0; i < n; i++)
        squares += (gt_element(y, i) - sum / (double)n) * (gt_element(y, i) - sum / (double)n);
    *variance = squares / (double)n;
    return sum / (double)n;
}

/* A column that is constant here says nothing, and has no scale: 1, so that another value elsewhere does not become huge. */
static void scale_constants(gt_Layer *normalize)
{
    gt_Tensors weights = gt_weights(normalize); /* mean, variance, count */
    if (weights.count != 3)
        return;
    gt_Tensor *mean = weights.items[0], *variance = weights.items[1];
    gt_Tensor *least = gt_square(gt_multiply(mean, 1e-6));
    gt_Tensor *sound = gt_where(gt_greater(variance, least), variance, gt_ones_like(variance));
    gt_set_weights(normalize, gt_tensors(mean, sound, weights.items[2]));
}

static void adapt(gt_Layer *normalize, gt_Tensor *x)
{
    gt_Dataset *inputs = gt_dataset_from_tensors(x, NULL, .shuffle = false);
    gt_adapt(normalize, inputs);
    scale_constants(normalize);
    gt_dataset_free(inputs);
}

/* ---- one that suits most ---- */

/* Pictures go through convolutions, everything else is flat. */
static void add_body(const Network *network, gt_Layer *model, gt_Shape shape)
{
    static const char *const usual[] = {"128", "128"};
    const WordList *layers = &network->layers;
    bool picture = shape.rank >= 3 && shape.dims[1] >= 8 && shape.dims[2] >= 8;
    if (picture && layers->count == 0) {
        if (shape.rank == 3)
            gt_sequential_add(model, gt_Reshape(gt_shape(shape.dims[1], shape.dims[2], 1)));
        gt_sequential_add(model,
                          gt_Conv2D(32, 3, .padding = GT_PADDING_SAME, .activation = gt_relu));
        gt_sequential_add(model, gt_MaxPooling2D());
        gt_sequential_add(model,
                          gt_Conv2D(64, 3, .padding = GT_PADDING_SAME, .activation = gt_relu));
        gt_sequential_add(model, gt_MaxPooling2D());
    }
    if (shape.rank > 2)
        gt_sequential_add(model, gt_Flatten());
    int count = layers->count > 0 ? layers->count : picture ? 1 : 2;
    for (int i = 0; i < count; i++) {
        const char *units = layers->count > 0 ? layers->words[i] : usual[i];
        gt_sequential_add(model, gt_Dense(strtol(units, NULL, 10), .activation = gt_relu));
        if (network->dropout > 0)
            gt_sequential_add(model, gt_Dropout(network->dropout));
    }
}

static gt_Layer *usual_model(const Network *network, const Rows *rows, gt_Tensor *x, gt_Tensor *y)
{
    gt_Layer *normalize =
        gt_rank(rows->x) == 2 ? gt_Normalization() : gt_Normalization(.axes = gt_axes());
    gt_Layer *model = gt_Sequential(normalize);
    adapt(normalize, x);
    add_body(network, model, gt_tensor_shape(rows->x));
    if (rows->task == TASK_CLASSES) {
        gt_sequential_add(model, gt_Dense(rows->classes.count, .activation = gt_softmax));
    } else {
        /* The last layer gives numbers as they are in the table. */
        double variance, mean = mean_of(y, &variance);
        gt_sequential_add(model, gt_Dense(1));
        gt_sequential_add(model, gt_Rescaling(variance > 0 ? sqrt(variance) : 1, .offset = mean));
    }
    return model;
}

/* ---- one that is written down ---- */

char *network_text(const char *path)
{
    gt_TensorFile *file = gt_open_tensors(path);
    const char *text = file ? gt_tensor_file_metadata(file, "gradtape.model") : NULL;
    if (file && !text)
        fail("%s holds tensors and no model", path);
    char *copy = text ? table_copy(text) : NULL;
    gt_tensor_file_free(file);
    return copy;
}

static bool begins_object(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '{';
}

static char *architecture(const char *given)
{
    if (begins_object(given))
        return table_copy(given);
    FILE *file = fopen(given, "rb");
    char begin[9] = {0};
    size_t size = file ? fread(begin, 1, 9, file) : 0;
    if (file)
        fclose(file);
    bool tensors = size == 9 && begin[8] == '{' && begin[6] == 0 && begin[7] == 0;
    char *text = tensors ? NULL : options_text(given, &size),
         *copy = text ? table_copy(text) : NULL;
    free(text);
    return tensors ? network_text(given) : copy;
}

static bool is_normalization(gt_Layer *model, int i)
{
    const gt_Layer *layer = gt_get_layer(model, i);
    return layer && strcmp(layer->type->name, "normalization") == 0;
}

/* What scales the inputs learns them anew. Numbers that nothing scales, and models that do not learn from them, are told. */
static void adapt_first(gt_Layer *model, gt_Tensor *x)
{
    const int count = gt_layer_child_count(model);
    if (count > 0 && is_normalization(model, 0)) {
        adapt(gt_get_layer(model, 0), x);
        return;
    }
    double most = gt_item(gt_max(gt_abs(x)));
    if (most > 10)
        fail("warning: nothing scales the inputs, which go up to %g: put "
             "{\"class\": \"normalization\", \"options\": {}} in front of the layers",
             most);
    for (int i = 1; i < count; i++)
        if (is_normalization(model, i))
            fail(
                "warning: a normalization that is not the first layer keeps mean 0 and variance 1");
}

static bool says_text(Json value)
{
    Json name, item;
    char text[8];
    for (const char *at = NULL; json_next(value, &at, &name, &item);) {
        bool dtype = *value.text == '{' && json_string(name, text, sizeof text) && strcmp(text, "dtype") == 0;
        if ((dtype && json_string(item, text, sizeof text) && strcmp(text, "text") == 0) || says_text(item))
            return true;
    }
    return false;
}

/* An input for text, or a first layer that takes nothing else. Of what train reads no column stays text. */
static bool takes_text(gt_Layer *model, const char *architecture)
{
    size_t wrong;
    const gt_Layer *first = gt_layer_child_count(model) > 0 ? gt_get_layer(model, 0) : NULL;
    const gt_Port *port = first ? first->type->ports : NULL;
    bool text = (port && port->flags & GT_PORT_TEXT && !(port->flags & GT_PORT_INTEGERS)) ||
                says_text(json_of(architecture, strlen(architecture), &wrong));
    if (text)
        fail("the model has an input for text, and train has no columns of text: it makes categories of them. A C "
             "program can fit such a model (.text of gt_dataset_from_csv), and gradtape predict takes it then");
    return text;
}

/* Do its predictions fit the labels? */
static bool fits(gt_Layer *model, const Rows *rows, gt_Tensor *x)
{
    gt_Tensor *y = gt_call(model, gt_take(x, gt_zeros(gt_shape(1), .dtype = GT_INT32), .axis = 0));
    char got[96];
    if (!y)
        return false;
    gt_Shape shape = gt_tensor_shape(y);
    int64_t wanted = rows->task == TASK_CLASSES ? rows->classes.count : 1;
    if (shape.rank == 2 && shape.dims[1] == wanted)
        return true;
    fail(rows->task == TASK_CLASSES
             ? "the model must give %lld numbers a row, one for each class (got shape %s)"
             : "the model must give %lld number a row (got shape %s)",
         (long long)wanted, gt_shape_text(shape, got, sizeof got));
    return false;
}

static gt_Layer *written_model(const Network *network, const Rows *rows, gt_Tensor *x)
{
    size_t wrong;
    const char *text = architecture(network->model);
    if (text && !json_of(text, strlen(text), &wrong).text)
        return fail("%.255s: expected an architecture in JSON, or a model", network->model), NULL;
    gt_Layer *model = text ? gt_layer_from_json(text) : NULL;
    if (!model)
        return NULL;
    if (!takes_text(model, text)) {
        adapt_first(model, x);
        if (gt_status() == GT_OK && fits(model, rows, x))
            return model;
    }
    gt_layer_free(model);
    return NULL;
}

/* ---- how it is trained ---- */

static void put_class(FILE *file, const char *given)
{
    if (begins_object(given))
        fputs(given, file);
    else
        fprintf(file, "{\"class\": \"%s\"}", given);
}

/* A name that could be a class's, or an object in JSON. */
static bool sound(const char *what, const char *given)
{
    size_t wrong;
    bool object = begins_object(given);
    if (object ? json_of(given, strlen(given), &wrong).text != NULL
               : given[0] && !given[strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return true;
    fail("%s must be the name of a class, or an object in JSON (got %.60s)", what, given);
    return false;
}

/* The losses of numbers count in units of their variance. A metric that is not known as one may be a loss. */
static char *compile_text(const Network *network, const Rows *rows, gt_Tensor *y)
{
    char *text = NULL;
    size_t size;
    double variance = 1;
    bool classes = rows->task == TASK_CLASSES;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return NULL;
    if (!classes)
        mean_of(y, &variance);
    fputs("{\"optimizer\": ", file);
    put_class(file, network->optimizer ? network->optimizer : "adam");
    fputs(", \"losses\": [", file);
    put_class(file, network->loss ? network->loss
                    : classes     ? "sparse_categorical_crossentropy"
                                  : "mean_squared_error");
    fprintf(file, "], \"loss_weights\": [%.17g], \"metrics\": [{\"metric\": {\"class\": \"%s\"}}",
            variance > 0 ? 1 / variance : 1, classes ? "accuracy" : "r2_score");
    for (int i = 0; i < network->metrics.count; i++) {
        const char *name = network->metrics.words[i];
        fprintf(file, ", {\"%s\": {\"class\": \"%s\"}}",
                gt_loss_class_find(name) ? "loss" : "metric", name);
    }
    fputs("]}", file);
    return fclose(file) == 0 ? text : NULL;
}

static bool compile(const Network *network, gt_Layer *model, const Rows *rows, gt_Tensor *y)
{
    if ((network->optimizer && !sound("--optimizer", network->optimizer)) ||
        (network->loss && !sound("--loss", network->loss)))
        return false;
    for (int i = 0; i < network->metrics.count; i++)
        if (!sound("--metrics", network->metrics.words[i]))
            return false;
    char *text = compile_text(network, rows, y);
    if (text)
        gt_compile_from_json(model, text);
    free(text);
    if (gt_status() == GT_OK && (network->rate_given || !network->optimizer))
        gt_optimizer_set_learning_rate(gt_compiled_optimizer(model), network->rate);
    if (gt_status() == GT_OK && rows->task == TASK_CLASSES)
        gt_set_class_names(model, names_of(&rows->classes));
    return text && gt_status() == GT_OK;
}

gt_Layer *network_make(const Network *network, const Rows *rows, gt_Tensor *x, gt_Tensor *y)
{
    gt_Layer *model =
        network->model ? written_model(network, rows, x) : usual_model(network, rows, x, y);
    if (!model || compile(network, model, rows, y))
        return model;
    gt_layer_free(model);
    return NULL;
}
