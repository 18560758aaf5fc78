/* gt_summary: the table of a model, as text that people read. */
#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "leaks.h"

#include <stdio.h>
#include <string.h>

static void end(gt_Scope *scope)
{
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void shows(const char *summary, const char *part)
{
    cr_assert(summary && strstr(summary, part), "%s lacks \"%s\"", summary ? summary : gt_error_message(), part);
}

static void same_text(const char *summary, const char *expected)
{
    cr_assert(summary, "%s", gt_error_message());
    cr_assert(strcmp(summary, expected) == 0, "got\n%s\nexpected\n%s", summary, expected);
}

/* Two inputs, a layer that is called twice, a nested model, operations between layers, two outputs of one layer. */
static gt_Layer *branching(void)
{
    gt_Tensor *image = gt_Input(gt_shape(28, 28, 1), .name = "image"), *age = gt_Input(gt_shape(4), .name = "age");
    gt_Tensor *flat = gt_call(gt_Flatten(), image);
    gt_Tensor *both = gt_call(gt_Concatenate(), flat, .more = gt_tensors(age));
    gt_Layer *shared = gt_Dense(4, .name = "shared");
    gt_Tensor *h = gt_call(gt_Dense(4), both);
    h = gt_call(shared, gt_call(shared, h));
    gt_Layer *inner = gt_Sequential(gt_Dense(3), gt_BatchNormalization());
    gt_Tensor *y = gt_add(gt_call(inner, h), 1.0), *state = NULL;
    gt_Tensor *steps = gt_reshape(h, gt_shape(-1, 2, 2));
    gt_Tensor *last = gt_call(gt_LSTM(5, .return_state = true), steps, .outputs = gt_outputs(&state));
    return gt_Model(gt_tensors(image, age), gt_tensors(y, last, state));
}

/* The sizes and connections are those of Keras 3.15.1's summary of the same model; it numbers inputs by their use, and
 * calls operations by the class of the layer that they are there. */
Test(summary, a_model_that_branches)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = branching();
    same_text(gt_summary(model, .line_length = 100),
              "Model: \"functional\"\n"
              "_____________________________________________________________________________________\n"
              "Layer (type)               Output Shape            Param #  Connected to\n"
              "=====================================================================================\n"
              "image (InputLayer)         (None, 28, 28, 1)             0  -\n"
              "age (InputLayer)           (None, 4)                     0  -\n"
              "flatten (Flatten)          (None, 784)                   0  image[0][0]\n"
              "concatenate (Concatenate)  (None, 788)                   0  flatten[0][0], age[0][0]\n"
              "dense (Dense)              (None, 4)                 3,156  concatenate[0][0]\n"
              "shared (Dense)             (None, 4)                    20  dense[0][0], shared[0][0]\n"
              "sequential (Sequential)    (None, 3)                    27  shared[1][0]\n"
              "add (operation)            (None, 3)                     0  sequential[0][0]\n"
              "reshape (operation)        (None, 2, 2)                  0  shared[1][0]\n"
              "lstm (LSTM)                [(None, 5), (None, 5)]      160  reshape[0][0]\n"
              "=====================================================================================\n"
              "Total params: 3,363 (13.14 KB)\n"
              "Trainable params: 3,357 (13.11 KB)\n"
              "Non-trainable params: 6 (24.00 B)\n");
    gt_set_trainable(gt_layer_find(model, "shared"), false);
    same_text(gt_summary(model, .expand_nested = true, .show_trainable = true),
              "Model: \"functional\"\n"
              "________________________________________________________________________________\n"
              "Layer (type)             Output Shape      Param #  Connected to       Trainable\n"
              "================================================================================\n"
              "image (InputLayer)       (None, 28, 28,          0  -                  -\n"
              "                         1)\n"
              "age (InputLayer)         (None, 4)               0  -                  -\n"
              "flatten (Flatten)        (None, 784)             0  image[0][0]        -\n"
              "concatenate              (None, 788)             0  flatten[0][0],     -\n"
              "(Concatenate)                                       age[0][0]\n"
              "dense (Dense)            (None, 4)           3,156  concatenate[0][0]  Y\n"
              "shared (Dense)           (None, 4)              20  dense[0][0],       N\n"
              "                                                    shared[0][0]\n"
              "sequential (Sequential)  (None, 3)              27  shared[1][0]       Y\n"
              "   dense (Dense)         (None, 3)              15  -                  Y\n"
              "   batch_normalization   (None, 3)              12  -                  Y\n"
              "   (BatchNormalization)\n"
              "add (operation)          (None, 3)               0  sequential[0][0]   -\n"
              "reshape (operation)      (None, 2, 2)            0  shared[1][0]       -\n"
              "lstm (LSTM)              [(None, 5),           160  reshape[0][0]      Y\n"
              "                         (None, 5)]\n"
              "================================================================================\n"
              "Total params: 3,363 (13.14 KB)\n"
              "Trainable params: 3,337 (13.04 KB)\n"
              "Non-trainable params: 26 (104.00 B)\n");
    const char *narrow = gt_summary(model, .line_length = 40);
    for (const char *at = narrow; at && *at; at = strchr(at, '\n') + 1)
        cr_assert(strcspn(at, "\n") <= 50, "%s", narrow); /* four columns of at least 8, and what is not cut */
    cr_assert(!*gt_summary(model, .line_length = 39) && strstr(gt_error_message(), "at least 40 (got 39)"), "%s",
              gt_error_message());
    gt_error_clear();
    gt_layer_free(model);
    end(scope);
}

Test(summary, chains_and_names)
{
    gt_Scope *scope = gt_scope_begin();
    /* A chain has no connections; sizes that are known are shown, and a name as long as it is. */
    gt_Tensor *x = gt_Input(gt_shape(-1, 3), .batch_size = 8, .name = "steps");
    gt_Tensor *y = gt_call(gt_Dense(2, .name = "a_layer_with_a_rather_long_name_of_50_characters"), gt_square(x));
    gt_Layer *model = gt_Model(gt_tensors(x), gt_tensors(gt_square(y)), .name = "chain");
    const char *text = gt_summary(model);
    shows(text, "Model: \"chain\"");
    shows(text, "a_layer_with_a_rather_long_name_of_50_characters (Dense)");
    shows(text, "(8, None, 2)");
    shows(text, "square (operation)");
    shows(text, "square_1 (operation)");
    cr_assert(!strstr(text, "Connected to"), "%s", text);
    gt_layer_free(model);
    /* A layer may have the name of an operation. */
    x = gt_Input(gt_shape(3));
    y = gt_add(gt_call(gt_Add(), x, .more = gt_tensors(x)), x);
    model = gt_Model(gt_tensors(x), gt_tensors(y));
    text = gt_summary(model);
    shows(text, "add (Add)");
    shows(text, "add_operation_0 (operation)");
    shows(text, "add[0][0], input[0][0]");
    gt_layer_free(model);
    /* Masks are outputs where they are read. */
    x = gt_Input(gt_shape(5), .dtype = GT_INT32);
    y = gt_call(gt_Embedding(10, 2, .mask_zero = true), x);
    gt_Tensor *kept = gt_call(gt_Multiply(), gt_unmask(y),
                              .more = gt_tensors(gt_expand_dims(gt_cast(gt_mask(y), GT_FLOAT32), -1)));
    model = gt_Model(gt_tensors(x), gt_tensors(kept));
    cr_assert(model, "%s", gt_error_message());
    shows(gt_summary(model), "embedding[0][mask]");
    gt_layer_free(model);
    end(scope);
}

Test(summary, what_was_called)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *twice = gt_Dense(3), *model = gt_Sequential(twice, gt_Dropout(0.5), twice);
    shows(gt_summary(model), "dense (Dense)      ?             0 (unbuilt)");
    gt_call(model, gt_ones(gt_shape(2, 4, 3)));
    shows(gt_summary(model), "(None, 4, 3)");
    shows(gt_summary(model), "0 (shared)");
    shows(gt_summary(model), "Total params: 12 (48.00 B)");
    gt_call(model, gt_ones(gt_shape(2, 7, 3)));
    shows(gt_summary(model), "(None, None, 3)");
    gt_call(model, gt_ones(gt_shape(2, 3)));
    shows(gt_summary(model), "multiple");
    gt_layer_free(model);
    /* A layer by itself, of one's own context alone. */
    gt_Layer *dense = gt_Dense(1234567, .use_bias = false);
    gt_build(dense, gt_shape(1, 1), GT_FLOAT64);
    shows(gt_summary(dense), "1,234,567");
    shows(gt_summary(dense), "Total params: 1,234,567 (9.42 MB)");
    gt_layer_free(dense);
    end(scope);
}

Test(summary, what_the_optimizer_has)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_Dense(3));
    gt_Tensor *x = gt_ones(gt_shape(4, 5)), *y = gt_ones(gt_shape(4, 3));
    gt_call(model, x);
    gt_compile(model, .optimizer = gt_Adam(), .loss = gt_MeanSquaredError());
    cr_assert(!strstr(gt_summary(model), "Optimizer"), "it has no slots yet: %s", gt_summary(model));
    gt_Dataset *data = gt_dataset_from_tensors(x, y);
    gt_History *history = gt_fit(model, data, .verbose = GT_VERBOSITY_SILENT);
    cr_assert(history, "%s", gt_error_message());
    shows(gt_summary(model), "Total params: 56 (232.00 B)\n");
    shows(gt_summary(model), "Trainable params: 18 (72.00 B)\n");
    shows(gt_summary(model), "Optimizer params: 38 (160.00 B)\n"); /* twice 18 float32, two of 8 bytes */
    gt_history_free(history), gt_dataset_free(data), gt_layer_free(model);
    end(scope);
}

/* Each allocation fails in turn. */
Test(summary, little_memory)
{
    gt_Context *before = gt_context();
    bool done = false;
    for (long n = 0; !done; n++) {
        Budget budget = {.left = INT32_MAX};
        const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        gt_Scope *scope = gt_scope_begin();
        gt_Layer *model = branching();
        cr_assert(model, "%s", gt_error_message());
        budget.left = n;
        done = *gt_summary(model, .expand_nested = true) != 0;
        cr_assert(done || gt_status() == GT_NO_MEMORY, "%ld: %s", n, gt_error_message());
        budget.left = INT32_MAX;
        gt_error_clear();
        shows(gt_summary(model, .expand_nested = true), "Total params: 3,363 (13.14 KB)");
        gt_scope_end(scope);
        gt_context_use(before);
        gt_context_free(context);
        cr_assert(budget.held == 0, "%ld: %ld blocks are lost", n, budget.held);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}
