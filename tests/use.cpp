// The library from C++20: keywords in the order of the list, lists, values, errors with the call site.
#include "gradtape.h"

#include <cmath>
#include <cstdio>
#include <cstring>

static int failed;

static void check(bool holds, const char *what)
{
    if (!holds) {
        std::printf("%s: %s\n", what, gt_error_message());
        failed = 1;
    }
    gt_error_clear();
}

// y = x W of a layer of one's own.
struct Scale {
    gt_Layer base;
    gt_Variable *factor;
};
static gt_Status scale_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    Scale *self = reinterpret_cast<Scale *>(layer);
    self->factor =
        gt_add_weight(layer, "factor", gt_shape(gt_last(in->shape)), .initializer = gt_Constant(3));
    return gt_status();
}
static gt_Tensor *scale_call(gt_Layer *layer, const gt_CallArgs *in)
{
    return gt_multiply(in->x, reinterpret_cast<Scale *>(layer)->factor);
}

/* Values of every kind; in C++ what may be left out comes before keywords or not at all. */
static void values(gt_Tensor *x)
{
    check(gt_initializer_class_find("he_normal") == gt_HeNormal(.seed = 3).type, "initializers");
    check(gt_VarianceScaling(.scale = 2, .mode = GT_FAN_OUT, .input_axes = gt_axes(0),
                             .output_axes = gt_axes(1)).type &&
              gt_Constant(0, .array = x).type && gt_Constant().type && gt_STFTInitializer().type,
          "options of initializers");
    check(gt_item(gt_regularize(gt_L2(2), x)) == 182, "a penalty");
    check(gt_OrthogonalRegularizer(0.5, .mode = GT_ORTHOGONALITY_COLUMNS).type, "regularizers");
    gt_Tensor *small = gt_constrain(gt_MaxNorm(1, .axes = gt_axes(0, 1)), x);
    check(gt_item(gt_norm(small)) < 1 && gt_item(gt_norm(small)) > 0.999, "a constraint");
    check(gt_item(gt_min(gt_constrain(gt_NonNeg(), gt_negative(x)))) == 0, "another");
    gt_Layer *layer = gt_Dense(1, .kernel_initializer = gt_Constant(0, .array = gt_scalar(2, GT_FLOAT64)),
                               .kernel_constraint = gt_MinMaxNorm(.rate = 0.5));
    gt_build(layer, gt_shape(1, 1), GT_FLOAT64);
    check(gt_element(gt_variables(layer).items[0], 0) == 2, "an array as first value");
    gt_layer_free(layer);
}

int main()
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_array64(gt_shape(2, 3), 1, 2, 3, 4, 5, 6);
    check(gt_item(gt_sum(x)) == 21, "sum");
    values(x);
    check(gt_element(gt_sum(x, .axis = 1), 1) == 15, "sum along an axis");
    check(gt_rank(gt_sum(x, .axes = gt_axes(0, 1), .keepdims = true)) == 2, "sum along axes");
    check(gt_size(gt_concatenate(gt_tensors(x, x), .axis = 1)) == 12, "concatenate");
    check(gt_item(gt_multiply(gt_sum(x), 0.5)) == 10.5, "a number as the second operand");
    check(gt_rank(gt_reshape(x, gt_shape(6))) == 1 && gt_rank(gt_scalar(1, GT_FLOAT32)) == 0,
          "shapes");
    int64_t sizes[3];
    check(gt_sizes_expand("sizes", gt_sizes(3, 5), 2, 1, sizes) == GT_OK && sizes[1] == 5 &&
              gt_sizes(4) == 4,
          "sizes");
    check(gt_size(gt_repeat(x, gt_integers(2, 0, 1), .axis = 1)) == 6, "integers");
    check(gt_element(gt_relu(gt_negative(x)), 0) == 0, "an activation");

    gt_matmul(x, x);
    check(gt_status() == GT_INVALID && std::strstr(gt_error_message(), "use.cpp:"),
          "the call site of an error");
    gt_set_threads(0);
    check(gt_status() == GT_INVALID && std::strstr(gt_error_message(), "use.cpp:"),
          "of a function on no tensor");
    gt_array(gt_shape(3), 1, 2);
    check(gt_status() == GT_INVALID && std::strstr(gt_error_message(), "use.cpp:"), "of an array");

    static const gt_LayerClass scale_class = [] {
        gt_LayerClass type = {};
        type.size = sizeof(gt_LayerClass);
        type.name = "scale";
        type.instance = sizeof(Scale);
        type.build = scale_build;
        type.call = scale_call;
        return type;
    }();
    Scale scale = {};
    gt_Layer *model = gt_Sequential(gt_layer_new(&scale_class, &scale),
                                    gt_Dense(4, .activation = gt_tanh,
                                             .kernel_initializer = gt_GlorotUniform(.seed = 7),
                                             .kernel_regularizer = gt_L2(0.01)),
                                    gt_Dropout(0.1, .seed = 3), gt_Dense(1));
    check(gt_size(gt_call(model, gt_cast(x, GT_FLOAT32))) == 2, "a model");
    check(gt_layer_child_count(model) == 4 && gt_count_params(model) == 3 + 16 + 5, "its parts");

    gt_compile(model, .optimizer = gt_MultiOptimizer(gt_optimizers(gt_Adam(0.01, .beta_1 = 0.8))),
               .loss = gt_Huber(.delta = 2),
               .metrics = gt_metrics(gt_LossMetric(gt_MeanAbsoluteError(), .name = "mae")));
    gt_metric_free(gt_IoU(3, .target_class_ids = gt_axes(0, 2)));
    gt_metric_free(gt_Recall(.thresholds = gt_numbers(0.5, 0.75)));
    gt_Dataset *data = gt_dataset_from_tensors(
        gt_cast(x, GT_FLOAT32), gt_array(gt_shape(2, 1), 1, 2), .batch_size = 2, .shuffle = false);
    gt_History *history = gt_fit(model, data, .epochs = 3, .verbose = GT_VERBOSITY_SILENT);
    check(history && gt_history_epoch_count(history) == 3 &&
              std::isfinite(gt_history_get(history, "mae", -1)),
          "fit");
    check(gt_optimizer_learning_rate(gt_SGD()) == 0.01, "a rate that is not given");
    gt_scope_end(scope);
    gt_context_free(nullptr);
    return failed;
}
