/* Architecture as text: what a model is made of, without its numbers, as JSON that makes it again.
 *
 *     const char *text = gt_layer_to_json(model);
 *     gt_Layer *again = gt_layer_from_json(text);
 *
 * It holds for every layer that is made from options (gt_layer_make), for Sequential and for functional models, with all that is
 * in them. The same model gives the same bytes, and so does the model that was made from them. */
#ifndef GT_MODELS_CONFIG_H
#define GT_MODELS_CONFIG_H

#include "layers/layer.h"
#include "layers/preprocessing/text_vectorization.h"

GT_BEGIN

/* The text belongs to the layer, until its next such call. "" with an error: a class without options, a function that is not
 * registered, a value that refers to data of one's own. */
#define gt_layer_to_json(layer) gt_layer_to_json_at(GT_HERE, layer)
GT_API const char *gt_layer_to_json_at(const char *here, gt_Layer *layer);
/* A new layer, floating, with weights of its own; built if it was. Errors name what is wrong and where: text that is no JSON, a
 * class that is not known (gt_register_layer), an option that it does not have, a newer version. */
#define gt_layer_from_json(text) gt_layer_from_json_at(GT_HERE, text)
GT_API gt_Layer *gt_layer_from_json_at(const char *here, const char *text);

/* Makes a class of one's own, an activation, or a function of gt_TextVectorization, known to files by its name. All must outlive the context. Registering the same again
 * is no error; another one under the same name is. */
#define gt_register_layer(type) gt_register_layer_at(GT_HERE, type)
GT_API gt_Status gt_register_layer_at(const char *here, const gt_LayerClass *type);
#define gt_register_function(name, function) gt_register_function_at(GT_HERE, name, function)
GT_API gt_Status gt_register_function_at(const char *here, const char *name,
                                         gt_TensorFunction function);
#define gt_register_text_function(name, function) gt_register_text_function_at(GT_HERE, name, function)
GT_API gt_Status gt_register_text_function_at(const char *here, const char *name,
                                              gt_TextFunction function);

GT_END

#endif
