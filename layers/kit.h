/* Macros for the classes of built-in layers. Not installed. Leans on
 * ops/kit.h for samples.
 *
 *     typedef struct Flatten {
 *         gt_Layer base;
 *         gt_Flatten_options options;
 *     } Flatten;
 *     const gt_LayerClass gt_layer_class_flatten = {
 *         GT_LAYER_RECORD("flatten", "Flatten", Flatten, "all axes but the first as one"),
 *         .options = &gt_Flatten_options_type,
 *         .call = flatten_call,
 *         .samples = GT_LAYER_SAMPLES({...}),
 *     };
 *     gt_Layer *gt_Flatten_at(const char *here, const gt_Flatten_options *options)
 *     {
 *         return gt_layer_make_at(here, &gt_layer_class_flatten, options);
 *     }
 *
 * and one line in layers/table.h. */
#ifndef GT_LAYERS_KIT_H
#define GT_LAYERS_KIT_H

#include "layers/internal.h"
#include "layers/table.h"
#include "ops/kit.h"

/* Every class begins with these: the name in paths and files, the function gt_NAME and Keras's
 * class, the struct, whose member `options` is the option struct, and one line that says what it
 * does. */
#define GT_LAYER_RECORD(text, function_name, Struct, line)                                         \
    .size = sizeof(gt_LayerClass), .name = text, .function = function_name,                        \
    .keras = function_name, .summary = line, .instance = sizeof(Struct),                           \
    .options_offset = offsetof(Struct, options)
/* y through the activation that options have (GT_ACTIVATION), a function or a layer; y without one. */
#define GT_ACTIVATED(options, y)                                                                   \
    ((options).activation         ? (options).activation(y)                                        \
     : (options).activation_layer ? gt_call((options).activation_layer, y)                         \
                                  : (y))
/* An initializer, or `preset` where it is not given. */
#define GT_GIVEN_OR(initializer, preset) ((initializer).type ? (initializer) : (preset))
/* A weight with what options say of it: OPTION_initializer (where it is not given `preset`), OPTION_regularizer,
 * OPTION_constraint. */
#define GT_ADD_WEIGHT(layer, options, option, name, shape, preset)                                 \
    gt_add_weight(layer, name, shape,                                                              \
                  .initializer = GT_GIVEN_OR((options)->option##_initializer, preset),             \
                  .regularizer = (options)->option##_regularizer,                                  \
                  .constraint = (options)->option##_constraint)
/* gt_axes(...), gt_sizes(a, b) and gt_sizes(a, b, c) in static initializers. */
#define GT_SAMPLE_AXES(...)                                                                        \
    {                                                                                              \
        GT_MARK, (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)),                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define GT_SAMPLE_SIZES(...)        GT_SAMPLE_SIZES_(__VA_ARGS__, 0)
#define GT_SAMPLE_SIZES_(a, b, ...) GT_SAMPLE_SIZES__(a, b, GT_FIRST(__VA_ARGS__))
#define GT_SAMPLE_SIZES__(a, b, c)  GT_SIZES_PACKED_((c) ? 3 : 2, a, b, c)
#define GT_LAYER_SAMPLES(...)                                                                      \
    GT_KEPT_SAMPLES(((const gt_LayerSample[]){__VA_ARGS__, {.inputs = 0}}))

#endif
