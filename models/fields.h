/* Option structs as JSON, both ways, by the types of their fields. Private to the library. */
#ifndef GT_MODELS_FIELDS_H
#define GT_MODELS_FIELDS_H

#include "core/inside.h"
#include "core/map.h"
#include "core/strings_inside.h"
#include "io/json.h"
#include "layers/layer.h"
#include "layers/preprocessing/text_vectorization.h"

/* Text that grows; written without blanks, so that the same options give the same bytes. */
typedef struct gt_ConfigWriter {
    gt_Context *context;
    gt_Bytes text;
    bool more; /* a comma comes before the next element */
    gt_Map met, shared; /* layers that were written; those that are met again, with their ids */
    int32_t shares;
    const char *what; /* the layer, for messages */
} gt_ConfigWriter;

bool gt_config_put(gt_ConfigWriter *writer, const char *text);
bool gt_config_put_string(gt_ConfigWriter *writer, const char *text); /* NULL: null */
/* Any bytes: as a string, or as a list of numbers where JSON has no string for them. */
bool gt_config_put_piece(gt_ConfigWriter *writer, gt_Piece piece);
bool gt_config_put_integer(gt_ConfigWriter *writer, int64_t number);
/* JSON has no infinities and no NaN: these are text. */
bool gt_config_put_number(gt_ConfigWriter *writer, double number);
/* Begins an element of a list, and a member of an object. */
bool gt_config_next(gt_ConfigWriter *writer);
bool gt_config_key(gt_ConfigWriter *writer, const char *name);
/* "[" or "{", and its end. */
bool gt_config_open(gt_ConfigWriter *writer, char bracket);
bool gt_config_close(gt_ConfigWriter *writer, char bracket);
bool gt_config_put_dtype(gt_ConfigWriter *writer, gt_DType dtype);
bool gt_config_put_shape(gt_ConfigWriter *writer, gt_Shape shape);
bool gt_config_put_numbers(gt_ConfigWriter *writer, const gt_Numbers *numbers);
/* {"shape": [2], "dtype": "float32", "numbers": [1, 2]} */
bool gt_config_put_tensor(gt_ConfigWriter *writer, const gt_Tensor *tensor);
/* The members of an option struct, without those called `name`. */
bool gt_config_put_options(gt_ConfigWriter *writer, const gt_OptionType *type, const void *options);

/* Layers that stand in several places, by their ids; held while a text is read. */
typedef struct gt_ConfigShared {
    struct {
        int64_t id;
        gt_Layer *layer;
    } * entries;
    int32_t count, capacity;
} gt_ConfigShared;

/* What reading takes hold of until the options are used: lists of layers. */
typedef struct gt_ConfigReader {
    gt_Context *context;
    gt_ConfigShared *shared; /* of the whole text */
    const char *what; /* in errors: "dense", "relu" */
    void *block[8];
    size_t bytes[8];
    int32_t blocks;
} gt_ConfigReader;

/* Sets the fields that the object names, in a struct that has the defaults. Layers among them are made, and floating: on failure
 * gt_options_refuse drops them. */
bool gt_config_read_options(gt_ConfigReader *reader, const gt_JsonValue *object,
                            const gt_OptionType *type, void *options);
/* A list of layers, floating, in memory of the reader; also on failure, as far as it came. */
bool gt_config_read_layers(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Layers *list);
void gt_config_reader_close(gt_ConfigReader *reader);
bool gt_config_read_numbers(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Numbers *numbers);
bool gt_config_read_shape(gt_ConfigReader *reader, const gt_JsonValue *value, gt_Shape *shape);
/* NULL with an error raised. */
gt_Tensor *gt_config_read_tensor(gt_ConfigReader *reader, const gt_JsonValue *object);
gt_DType gt_config_read_dtype(const gt_JsonValue *value); /* GT_DTYPE_NONE: it is none */
/* The text of a member; NULL: there is none, or it is no text. */
const char *gt_config_text(const gt_JsonValue *object, const char *member);
/* What gt_config_put_piece wrote becomes one more string of the builder. */
bool gt_config_read_piece(gt_ConfigReader *reader, const gt_JsonValue *value,
                          gt_TextBuilder *builder);
/* A number, or the text that stands for one that is not finite. */
bool gt_config_read_number(const gt_JsonValue *value, double *number);
int64_t gt_config_integer(const gt_JsonValue *object, const char *member, int64_t otherwise);
/* Has the object no member but these? `names` ends with NULL. Raises what another one may mean. */
bool gt_config_members(const gt_ConfigReader *reader, const gt_JsonValue *object,
                       const char *const *names);
/* Raises what is wrong with the file. False. */
bool gt_config_fail(const gt_ConfigReader *reader, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- functions.c ---- */
/* The name of an activation: that it was registered under, or of the known function whose trace is the same. NULL with an error
 * raised if nobody knows it. */
const char *gt_function_name(gt_Context *context, gt_TensorFunction function);
gt_TensorFunction gt_function_named(gt_Context *context, const char *name); /* NULL: none */

/* ---- config.c ---- */
bool gt_config_put_layer(gt_ConfigWriter *writer, gt_Layer *layer);
/* A layer, floating unless it is in the text before; NULL with an error raised. */
gt_Layer *gt_config_read_layer(const gt_ConfigReader *around, const gt_JsonValue *object);

#endif
