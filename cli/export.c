/* gradtape export: a model, or what is in it, in other formats. */
#include "cli/json.h"
#include "cli/network.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

static const char *output, *format;

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, &output, "FILE",
     "whose ending says what it becomes; none: standard output, where it is text"},
    {"format", 'f', OPTION_TEXT, &format, "NAME",
     "instead of the ending: safetensors, npz, json, txt, dot, svg"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* ---- files of the library ---- */

static gt_Status weights(gt_Layer *model, const char *path)
{
    return gt_save_weights(model, path);
}

/* Arrays under the paths of the weights. */
static gt_Status arrays(gt_Layer *model, const char *path)
{
    gt_Tensors all = gt_weights(model);
    gt_NamedTensor *items = calloc((size_t)all.count + 1, sizeof *items);
    if (!items)
        return gt_fail(GT_NO_MEMORY, "no memory for %d names", (int)all.count);
    for (int32_t i = 0; i < all.count; i++)
        items[i] =
            (gt_NamedTensor){table_copy(gt_variable_path(model, all.items[i])), all.items[i]};
    gt_Status status = gt_save_npz(path, ((gt_NamedTensors){items, all.count}));
    free(items);
    return status;
}

/* ---- text ---- */

static gt_Status print_architecture(gt_Layer *model, FILE *file)
{
    size_t wrong;
    const char *text = gt_layer_to_json(model);
    if (*text)
        json_print(file, json_of(text, strlen(text), &wrong));
    return gt_status();
}

static gt_Status print_summary(gt_Layer *model, FILE *file)
{
    fputs(gt_summary(model), file);
    return gt_status();
}

static gt_Status print_picture(gt_Layer *model, FILE *file, gt_PictureFormat kind)
{
    gt_Picture *made = gt_plot_model(model, .show_shapes = true, .show_layer_names = true,
                                     .show_layer_activations = true);
    fputs(gt_picture_text(made, .format = kind), file);
    gt_picture_free(made);
    return gt_status();
}

static gt_Status print_dot(gt_Layer *model, FILE *file)
{
    return print_picture(model, file, GT_PICTURE_FORMAT_DOT);
}

static gt_Status print_svg(gt_Layer *model, FILE *file)
{
    return print_picture(model, file, GT_PICTURE_FORMAT_SVG);
}

/* ---- formats ---- */

typedef struct Format {
    const char *name;
    gt_Status (*save)(gt_Layer *model, const char *path);
    gt_Status (*print)(gt_Layer *model, FILE *file);
    const char *why_not; /* it cannot be written yet */
} Format;

static const Format formats[] = {
    {"safetensors", weights, NULL, NULL},
    {"npz", arrays, NULL, NULL},
    {"json", NULL, print_architecture, NULL},
    {"txt", NULL, print_summary, NULL},
    {"dot", NULL, print_dot, NULL},
    {"svg", NULL, print_svg, NULL},
    {"c", NULL, NULL,
     "C is not written yet; a program of C loads the model's file with gt_load_model"},
    {"onnx", NULL, NULL, "ONNX is not written yet; weights can be exported as safetensors or npz"},
    {"keras", NULL, NULL,
     "Keras archives are not written yet; weights can be exported as safetensors or npz"},
};
#define FORMATS (sizeof formats / sizeof *formats)

/* NULL: told. */
static const Format *chosen(void)
{
    const char *dot = output ? strrchr(output, '.') : NULL, *name = format ? format
                                                                    : dot  ? dot + 1
                                                                           : NULL;
    for (size_t i = 0; name && i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    misuse("expected an --output that ends with .safetensors, .npz, .json, .txt, .dot or .svg, or "
           "one of them as --format%s%s%s",
           name ? " (got \"" : "", name ? name : "", name ? "\")" : "");
    return NULL;
}

static int print_into(const Format *to, gt_Layer *model)
{
    Output into;
    if (!output_open(&into, output))
        return EXIT_FAILURE;
    gt_Status status = to->print(model, into.file);
    int closed = output_close(&into);
    return status == GT_OK ? closed : EXIT_FAILURE;
}

static int run(const char **operands)
{
    const Format *to = chosen();
    if (!to)
        return EXIT_USAGE;
    if (to->why_not)
        return fail("%s", to->why_not);
    if (!output && !to->print)
        return misuse("%s is no text: it needs an --output", to->name);
    gt_Layer *model = gt_load_model(operands[0], .compile = false);
    if (!model)
        return EXIT_FAILURE;
    if (to->print)
        return print_into(to, model);
    return output_free(output) && to->save(model, output) == GT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

const Command export_command = {
    .name = "export",
    .operands = "MODEL",
    .operand_count = 1,
    .summary = "Writes a model in another format",
    .more = "The weights by their paths as safetensors or NPZ, for other programs; the "
            "architecture as JSON, which "
            "gradtape\n"
            "train reads; the summary as text; a drawing of the layers as DOT for Graphviz, or as "
            "SVG. C and ONNX "
            "are not\n"
            "written yet.\n",
    .options = options,
    .run = run,
};
