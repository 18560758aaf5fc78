/* Wrong calls, one a line. The words behind a line say where a compiler refuses it:
 *
 *     all        gcc and clang, C11, C17, C2x and C++20
 *     C, C++     the languages, with both compilers
 *     g++, ...   one compiler
 *     nowhere    no compiler; the words behind it say what happens instead
 *
 * tools/check-calls compiles this file for its syntax alone, as C and as C++, and compares. */
#include "gradtape.h"

/* A macro of one's own with two arguments before the keywords. */
#define two_OPTIONS(F, S)                                                                          \
    F(S, int64_t, first, 0, "required")                                                            \
    F(S, int64_t, second, 0, "required")                                                           \
    F(S, int64_t, third, 0, "a keyword")
GT_OPTIONS(two_options, two_OPTIONS);
#define two(...) GT_KEYWORDS_2(two, first, second, __VA_ARGS__)

bool report(void *context, const gt_ProgressEvent *event);
void right(gt_Tensor *x, gt_Tensor *y, gt_Layer *model, gt_Dataset *data, gt_Optimizer *adam,
           gt_Tape *tape);
void wrong(gt_Tensor *x, gt_Tensor *y, gt_Layer *model, gt_Dataset *data, gt_Optimizer *adam,
           gt_Tape *tape);

/* None of these may even be warned of. */
void right(gt_Tensor *x, gt_Tensor *y, gt_Layer *model, gt_Dataset *data, gt_Optimizer *adam,
           gt_Tape *tape)
{
    gt_sum(x);
    gt_sum(x, .axis = 1);
    gt_sum(x, .axes = gt_axes(0, -1), .keepdims = true);
    gt_multiply(x, 0.5);
    gt_reshape(x, gt_shape(2, 3));
    gt_scalar(gt_item(gt_reshape(x, gt_shape())), GT_FLOAT64);
    gt_concatenate(gt_tensors(x, y), .axis = 1);
    gt_Dense(10);
    gt_Dense(128, .activation = gt_relu, .use_bias = false, .kernel_initializer = gt_HeNormal(),
             .kernel_regularizer = gt_L2(0.01), .name = "first");
    gt_Sequential(gt_Dense(3), gt_Dropout(0.2), gt_Dense(1));
    gt_SGD();
    gt_Adam(1e-3);
    gt_Adam(1e-3, .beta_1 = 0);
    gt_L1();
    gt_L1L2(.l1 = 1e-5, .l2 = 1e-4);
    gt_compile(model, .optimizer = adam, .loss = gt_MeanSquaredError(),
               .metrics = gt_metrics(gt_Accuracy(), gt_LossMetric(gt_Huber(.delta = 2))));
    gt_fit(model, data, .epochs = 5, .verbose = GT_VERBOSITY_SILENT);
    gt_minimize(adam, tape, x, gt_trainable_variables(model));
    gt_load_csv("a.csv", .columns = gt_columns(0, 4));
    gt_fit(NULL, (gt_Dataset *)NULL);
    gt_fit(model, x, .y = y, .batch_size = 8);
    gt_predict(model, x);
#ifndef __cplusplus
    gt_add(x, NULL); /* what a failed expression gives: an error at run time */
#endif
    two(1, 2);
    two(1, 2, .third = 3);
}

void wrong(gt_Tensor *x, gt_Tensor *y, gt_Layer *model, gt_Dataset *data, gt_Optimizer *adam,
           gt_Tape *tape)
{
    const gt_Tensor *constant = x;
    /* clang-format off */
    /* A value without a name where only keywords follow. */
    gt_sum(x, 1); /* all */
    gt_sum(x, true); /* all */
    gt_sum(x, y); /* all */
    gt_softmax(x, -1); /* all */
    gt_matmul(x, y, true); /* all */
    gt_Dense(10, true); /* all */
    gt_Dense(10, gt_relu); /* all */
    gt_Dropout(0.2, 7); /* all */
    gt_Adam(1e-3, 0.9); /* all */
    gt_Adam(1e-3, 0); /* all */
    gt_L2(0.1, 0.2); /* all */
    gt_compile(model, adam); /* all */
    gt_fit(model, data, 5); /* all */
    gt_load_csv("a.csv", 1); /* all */
    two(1, 2, 3); /* all */
    gt_sum(x, .axis = 1, true); /* all */
    gt_relu(x, .negative_slope = 0.1, 6); /* C++; in C it is the next field, max_value */
    gt_Dense(10, .use_bias = true, NULL); /* C++; in C it is the next field */
    /* Something required is missing, or a keyword that there is not. */
    gt_Dense(); /* all */
    gt_sum(); /* all */
    gt_sum(x, .axs = 1); /* all */
    gt_Huber(.sample_weight = x); /* all */
    /* A handle of the wrong kind, a number, a text. */
    gt_sum(model); /* all */
    gt_sum(5); /* all */
    gt_sum("x"); /* all */
    gt_sum(constant); /* C++; in C a warning */
    gt_matmul(x, 3); /* all */
    gt_add(2, x); /* all */
    gt_add(x, model); /* all */
    gt_add(x, gt_Zeros()); /* all */
    gt_reshape(x, 3); /* all */
    gt_call(x, x); /* all */
    gt_call(model, model); /* all */
    gt_fit(data, model); /* all */
    gt_predict(model, model); /* all */
    gt_minimize(model, tape, x, gt_variables(model)); /* all */
    gt_minimize(adam, tape, x, y); /* all */
    gt_save_weights("weights.safetensors", model); /* all */
    gt_metric_update(adam, x, y); /* all */
    /* In lists. */
    gt_Sequential(x, gt_Dense(3)); /* all */
    gt_Sequential(gt_relu); /* all */
    gt_Sequential(gt_Dense(3), 10); /* all */
    gt_concatenate(x); /* all */
    gt_concatenate(gt_tensors(x, model)); /* all */
    gt_stack(gt_tensors(x, 1)); /* all */
    /* In options. */
    gt_sum(x, .axis = "0"); /* all */
    gt_sum(x, .axes = 1); /* all */
    gt_sum(x, .axes = gt_shape(1)); /* all */
    gt_conv(x, y, .strides = 2); /* all */
    gt_load_csv("a.csv", .columns = 1); /* all */
    gt_Dense(1, .kernel_regularizer = 0.01); /* all */
    gt_Dense(1, .kernel_regularizer = "l2"); /* all */
    gt_Dense(1, .kernel_initializer = gt_relu); /* all */
    gt_Dense(1, .kernel_initializer = gt_zeros(gt_shape(2))); /* all */
    gt_Dense(1, .kernel_constraint = 2); /* all */
    gt_Dense(1, .kernel_constraint = gt_L2(2)); /* all */
    gt_MaxNorm(2, 1); /* all */
    gt_MaxNorm(2, .axes = 1); /* all */
    gt_Constant(1, x); /* all */
    gt_HeNormal(3); /* all */
    gt_Dense(1, .activation = "relu"); /* all */
    gt_Dense(1, .activation = gt_Dense(3)); /* all */
    gt_Dense(1, .name = 3); /* all */
    gt_compile(model, .loss = "mse"); /* all */
    gt_compile(model, .loss = gt_mean_squared_error); /* all */
    gt_compile(model, .metrics = gt_Accuracy()); /* all */
    gt_compile(model, .optimizer = "adam"); /* all */
    gt_compile(model, .optimizer = model); /* all */
    gt_fit(model, data, .progress = report); /* all */
    gt_call(model, x, .more = y); /* all */
    gt_call(model, x, .more = 1); /* all */
    gt_sum(x, .axes = 0); /* clang++; elsewhere an error at run time */
    gt_Dense(1, .kernel_regularizer = 0); /* clang++; elsewhere it is not given */
    gt_Dense(true); /* nowhere: one unit */
    /* What users of Keras write by habit (docs/coming-from-keras.md). */
    gt_Dense(.units = 10); /* all */
    gt_Conv2D(8, 3, .padding = "same"); /* all */
    gt_Conv2D(8, 3, .data_format = 1); /* all */
    gt_Dense(1, .activation = gt_LeakyReLU()); /* all */
    gt_Input(28, 28, 1); /* all */
    gt_Input(28); /* all */
    gt_Reshape(3, 4); /* all */
    gt_Model(x, y); /* all */
    gt_compile(model, adam, gt_MeanSquaredError()); /* all */
    gt_compile(model, .optimizer = gt_Adam(.lr = 1e-3)); /* all */
    gt_fit(model, x, y); /* all */
    gt_fit(model, data, .batchsize = 32); /* all */
    gt_fit(model, data, .validation_data = data); /* all */
    gt_evaluate(model, x, y); /* all */
    gt_call(model, x, true); /* all */
    gt_call(gt_Add(), x, y); /* all */
    gt_call(gt_Add(), gt_tensors(x, y)); /* all */
    gt_mean(x, .axis = gt_axes(0, 1)); /* all */
    gt_set_dtype_policy("mixed_bfloat16"); /* all */
    /* clang-format on */
}
