/* Another program for tests/test_layer_files.c: load_layers FOLDER loads each model 0.gradtape, 1.gradtape, ... there, of which it
 * has no code, calls it with the inputs in 0.io, ..., and compares every bit of what comes out. Prints how many there were. */
#include "gradtape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 16, OUTPUTS = 8 };

static char name_text[32];

static const char *name(const char *kind, int i)
{
    snprintf(name_text, sizeof name_text, "%s%d", kind, i);
    return name_text;
}

static gt_Tensor *tensor(gt_TensorFile *file, const char *kind, int i)
{
    int64_t at = gt_tensor_file_find(file, name(kind, i));
    return at >= 0 ? gt_tensor_file_load(file, at) : NULL;
}

static int number(gt_TensorFile *file, const char *kind, int i)
{
    const char *text = gt_tensor_file_metadata(file, name(kind, i));
    return text ? atoi(text) : 0;
}

static int same(gt_Tensor *a, gt_Tensor *b)
{
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return a && b && one.size == two.size && one.dtype == two.dtype &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

/* How many outputs differ; -1: it failed. */
static int check(const char *path, gt_TensorFile *file)
{
    gt_Tensor *x[INPUTS] = {NULL}, *y[OUTPUTS] = {NULL}, **to[OUTPUTS];
    gt_NamedText named[INPUTS + 1] = {{NULL, GT_NOT_GIVEN}};
    int inputs = number(file, "inputs", 0), outputs = number(file, "outputs", 0), texts = 0, differ = 0;
    gt_Layer *model = gt_load_model(path);
    for (int i = 0; i < inputs; i++) {
        const char *port = gt_tensor_file_metadata(file, name("text", i));
        gt_Tensor *mask = tensor(file, "mask", i);
        x[i] = tensor(file, "x", i);
        if (x[i] && mask)
            x[i] = gt_with_mask(x[i], mask);
        if (port)
            named[texts++] =
                (gt_NamedText){port, {tensor(file, "bytes", i), tensor(file, "offsets", i), number(file, "width", i)}};
    }
    for (int k = 1; k < outputs; k++)
        to[k - 1] = &y[k];
    to[outputs - 1] = GT_LIST_END;
    const gt_Tensors more = {inputs > 1 ? x + 1 : NULL, inputs - 1};
    const gt_Outputs others = {to};
    const gt_NamedTexts text = {texts ? named : NULL};
    y[0] = gt_call(model, x[0], .more = more, .outputs = others, .named_text = text);
    for (int k = 0; k < outputs && gt_status() == GT_OK; k++)
        differ += !same(y[k], tensor(file, "y", k));
    gt_layer_free(model);
    return gt_status() == GT_OK ? differ : -1;
}

int main(int count, char **arguments)
{
    int wrong = 0, n = 0;
    for (;; n++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%d.io", count > 1 ? arguments[1] : ".", n);
        FILE *there = fopen(path, "rb");
        if (!there)
            break;
        fclose(there);
        gt_Scope *scope = gt_scope_begin();
        gt_TensorFile *file = gt_open_tensors(path);
        snprintf(path, sizeof path, "%s/%d.gradtape", count > 1 ? arguments[1] : ".", n);
        int differ = file ? check(path, file) : -1;
        if (differ)
            printf("%d: %s: %s\n", n, file ? gt_tensor_file_metadata(file, "what") : "?",
                   differ < 0 ? gt_error_message() : "other bits");
        wrong += differ != 0;
        gt_error_clear();
        gt_tensor_file_free(file);
        gt_scope_end(scope);
    }
    printf("%d models, %d wrong\n", n, wrong);
    return wrong > 0 || n == 0;
}
