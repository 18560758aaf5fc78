/* Every layer of the table as text and in files: the text makes a layer that gives the same text, byte for byte, and with the
 * file the same numbers. And text that is wrong: cut short at every byte, with other bytes, other numbers, members twice and
 * left out: an error or a layer, never a crash, and nothing is lost. */
#include <criterion/criterion.h>

#include "layer_uses.h"
#include "leaks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 40000 };

static char text[TEXT], wrong[TEXT + 100];

static const char *text_of(const Use *use)
{
    static char name[160];
    const char *dtype = gt_dtype_name(use->dtype);
    snprintf(name, sizeof name, "%s, sample %d, %s: %s", use->type->name, use->number, dtype, gt_error_message());
    return name;
}

static bool same(gt_Tensor *a, gt_Tensor *b)
{
    if (!a || !b)
        return a == b;
    gt_Spec one = gt_spec(a), two = gt_spec(b);
    return one.size == two.size && one.dtype == two.dtype &&
           memcmp(gt_data(a), gt_data(b), (size_t)one.size * gt_dtype_size(one.dtype)) == 0;
}

static void check_text(const Use *use, gt_Layer *layer)
{
    const char *json = gt_layer_to_json(layer);
    if (use_of_functions(use)) {
        cr_assert(!*json && gt_status() == GT_UNSUPPORTED, "%s", text_of(use));
        gt_error_clear();
        return;
    }
    cr_assert(json && strlen(json) < TEXT, "%s", text_of(use));
    strcpy(text, json);
    gt_Layer *again = gt_layer_from_json(text);
    cr_assert(again, "%s in %s", text_of(use), text);
    json = gt_layer_to_json(again);
    cr_assert(json && strcmp(json, text) == 0, "%s:\n%s\nis\n%s", text_of(use), text, json ? json : "NULL");
    cr_assert(gt_layer_built(again) == gt_layer_built(layer), "%s", text_of(use));
    cr_assert(gt_weights(again).count == gt_weights(layer).count, "%s", text_of(use));
    gt_layer_free(again);
    gt_Layer *copy = gt_layer_copy(layer);
    cr_assert(copy, "%s", text_of(use));
    json = gt_layer_to_json(copy);
    const char *model = strstr(text, "\"model\":");
    cr_assert(json && strcmp(strstr(json, "\"model\":"), model) == 0, "%s: the copy\n%s\nis\n%s", text_of(use), model,
              json ? json : "NULL");
    gt_layer_free(copy);
}

/* ---- for another program ---- */

static char folder[64];
static int handed; /* models that stand there */

static const char *in_folder(int number, const char *extension)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%d.%s", folder, number, extension);
    return path;
}

/* The inputs of the model that was saved last, and what came out: load_layers is to find the same bits. */
static void hand_over(const char *what, const UseInputs *in, const char *const *ports,
                      gt_Tensor *const *outputs, int count)
{
    static char names[5 * USE_INPUTS][24], numbers[USE_INPUTS + 2][24], keys[2 * USE_INPUTS][24];
    gt_NamedTensor tensors[5 * USE_INPUTS + 1];
    gt_MetadataItem pairs[2 * USE_INPUTS + 4];
    int n = 0, p = 0;
#define ADD(kind, i, value)                                                                        \
    (snprintf(names[n], sizeof names[n], kind "%d", i), tensors[n] = (gt_NamedTensor){names[n], value}, n++)
    for (int i = 0; i < in->count; i++) {
        if (in->x[i])
            ADD("x", i, in->x[i]);
        if (in->mask[i])
            ADD("mask", i, in->mask[i]);
        if (!in->text[i].bytes)
            continue;
        ADD("bytes", i, in->text[i].bytes);
        ADD("offsets", i, in->text[i].offsets);
        snprintf(keys[p], sizeof keys[p], "text%d", i);
        pairs[p] = (gt_MetadataItem){keys[p], ports[i]};
        p++;
        snprintf(keys[p], sizeof keys[p], "width%d", i);
        snprintf(numbers[i + 2], sizeof numbers[i + 2], "%lld", (long long)in->text[i].width);
        pairs[p] = (gt_MetadataItem){keys[p], numbers[i + 2]};
        p++;
    }
    for (int k = 0; k < count; k++)
        ADD("y", k, outputs[k]);
    tensors[n] = (gt_NamedTensor){NULL, GT_LIST_END};
    snprintf(numbers[0], sizeof numbers[0], "%d", in->count);
    snprintf(numbers[1], sizeof numbers[1], "%d", count);
    pairs[p++] = (gt_MetadataItem){"inputs0", numbers[0]};
    pairs[p++] = (gt_MetadataItem){"outputs0", numbers[1]};
    pairs[p++] = (gt_MetadataItem){"what", what};
    pairs[p] = (gt_MetadataItem){NULL, GT_LIST_END};
    cr_assert(gt_save_tensors(in_folder(handed, "io"), gt_named_tensors_list(tensors), .metadata = gt_metadata_list(pairs)) ==
                  GT_OK,
              "%s: %s", what, gt_error_message());
    handed++;
}

static void hand_over_use(const Use *use, const UseInputs *in, gt_Tensor *const *outputs)
{
    const char *ports[USE_INPUTS];
    for (int i = 0; i < in->count; i++)
        ports[i] = in->text[i].bytes && use->type->ports ? use->type->ports[i].name : "x";
    hand_over(text_of(use), in, ports, outputs, use_has_text(use) ? 1 : use->sample->outputs ? use->sample->outputs : 1);
}

static void check_file(const Use *use, gt_Layer *layer, const UseInputs *in)
{
    gt_Tensor *before[USE_OUTPUTS], *after[USE_OUTPUTS];
    const char *path = in_folder(handed, "gradtape");
    cr_assert(gt_save_model(layer, path) == GT_OK, "%s", text_of(use));
    gt_Layer *loaded = gt_load_model(path);
    cr_assert(loaded, "%s", text_of(use));
    gt_reset_states(layer);
    use_call(use, layer, in, false, before);
    use_call(use, loaded, in, false, after);
    cr_assert(gt_status() == GT_OK, "%s", text_of(use));
    for (int k = 0; k < USE_OUTPUTS; k++)
        cr_assert(same(before[k], after[k]), "%s: output %d", text_of(use), k);
    hand_over_use(use, in, before);
    gt_layer_free(loaded);
}

/* Two inputs, of which one is used twice, two outputs, of which one stands in the middle. */
static void hand_over_functional(gt_DType dtype)
{
    gt_Tensor *image = gt_Input(gt_shape(5, 5, 2), .dtype = dtype), *meta = gt_Input(gt_shape(3), .dtype = dtype, .name = "meta");
    gt_Tensor *h = gt_call(gt_Flatten(), gt_call(gt_Conv2D(4, 3, .activation = gt_relu), image));
    gt_Tensor *both = gt_call(gt_Dense(6, .activation = gt_tanh), gt_concatenate(gt_tensors(h, meta), .axis = -1));
    gt_Layer *model = gt_Model(gt_tensors(image, meta), gt_tensors(gt_call(gt_Dense(2), gt_multiply(both, 2)),
                                                                   gt_call(gt_Softmax(), gt_concatenate(gt_tensors(both, meta), .axis = -1))));
    UseInputs in = {.count = 2};
    gt_Tensor *y[2] = {NULL};
    in.x[0] = gt_cast(gt_reshape(gt_sin(gt_arange(0, 150, 1)), gt_shape(3, 5, 5, 2)), dtype);
    in.x[1] = gt_cast(gt_reshape(gt_cos(gt_arange(0, 9, 1)), gt_shape(3, 3)), dtype);
    y[0] = gt_call(model, in.x[0], .more = gt_tensors(in.x[1]), .outputs = gt_outputs(&y[1]));
    cr_assert(y[0] && y[1] && gt_save_model(model, in_folder(handed, "gradtape")) == GT_OK, "%s", gt_error_message());
    hand_over("functional", &in, NULL, y, 2);
    gt_layer_free(model);
}

/* Another process, which has no code of these models, gets the same bits from their files. */
static void ask_another_program(void)
{
    const char *program = getenv("GT_TEST_LOAD");
    char command[512], line[512] = "";
    cr_assert(program, "GT_TEST_LOAD says where load_layers is");
    snprintf(command, sizeof command, "'%s' '%s'", program, folder);
    FILE *output = popen(command, "r");
    cr_assert(output);
    while (fgets(line, sizeof line, output))
        fprintf(stderr, "another program: %s", line);
    cr_assert(pclose(output) == 0);
    snprintf(command, sizeof command, "%d models, 0 wrong\n", handed);
    cr_assert_str_eq(line, command);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert(system(command) == 0);
}

Test(layer_files, every_sample)
{
    int count, uses = 0;
    /* In memory where there is such a folder: each file is flushed to the disk. */
    snprintf(folder, sizeof folder, "%s/gradtape-layer-files-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    cr_assert(mkdtemp(folder) != NULL);
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++)
        for (int n = 0; table[k]->samples[n].inputs; n++)
            for (int wide = 0; wide < 2; wide++, uses++) {
                Use use = {table[k], &table[k]->samples[n], n, wide ? GT_FLOAT64 : GT_FLOAT32};
                gt_Scope *scope = gt_scope_begin();
                const UseInputs in = use_inputs(&use);
                gt_Tensor *outputs[USE_OUTPUTS];
                gt_Layer *layer = use_layer(&use);
                cr_assert(layer, "%s", text_of(&use));
                check_text(&use, layer);
                use_call(&use, layer, &in, true, outputs);
                cr_assert(gt_status() == GT_OK, "%s", text_of(&use));
                check_text(&use, layer);
                if (!use_of_functions(&use))
                    check_file(&use, layer, &in);
                cr_assert(gt_summary(layer, .expand_nested = true), "%s", text_of(&use));
                gt_set_trainable(layer, false);
                check_text(&use, layer);
                gt_layer_free(layer);
                gt_scope_end(scope);
            }
    fprintf(stderr, "%d uses of %d classes as text and in files\n", uses, count);
    gt_Scope *scope = gt_scope_begin();
    hand_over_functional(GT_FLOAT32);
    hand_over_functional(GT_FLOAT64);
    gt_scope_end(scope);
    ask_another_program();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Without a scope: the vocabularies that the text has in it are the layers' alone, and go with them. */
Test(layer_files, nothing_stays)
{
    gt_context_free(NULL);
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *model = gt_Sequential(gt_StringLookup(.vocabulary = gt_strings("x", "y")), gt_Embedding(4, 2));
    char *copy = strdup(gt_layer_to_json(model));
    gt_layer_free(model);
    gt_scope_end(scope);
    cr_assert_eq(gt_memory_stats().handles, 0);
    for (int i = 0; i < 3; i++) {
        gt_Layer *again = gt_layer_from_json(copy);
        cr_assert(again && gt_vocabulary_size(gt_get_layer(again, 0)) == 3, "%s", gt_error_message());
        gt_layer_free(again);
        cr_assert_eq(gt_memory_stats().handles, 0, "%d stay", (int)gt_memory_stats().handles);
    }
    free(copy);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- wrong text ---- */

static int refused, taken;

/* An error that says what it is about, or a layer that is what the text says. */
static void try_text(const Use *use, const char *what, bool must_fail)
{
    gt_Layer *layer = gt_layer_from_json(what);
    cr_assert((layer != NULL) == (gt_status() == GT_OK), "%s: %s", text_of(use), what);
    cr_assert(!layer || !must_fail, "%s was taken: %s", text_of(use), what);
    cr_assert(layer || *gt_error_message(), "%s", what);
    refused += layer == NULL;
    taken += layer != NULL;
    gt_error_clear();
    gt_layer_free(layer);
}

/* The text of a built layer of the sample; false: it has none. */
static bool write_sample(const Use *use)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS];
    gt_Layer *layer = use_layer(use);
    use_call(use, layer, &in, false, outputs);
    const char *json = gt_layer_to_json(layer);
    const bool written = *json != 0;
    strcpy(text, json);
    gt_error_clear();
    gt_layer_free(layer);
    return written;
}

typedef void Mischief(const Use *use);

static void each_first_sample(Mischief *make)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    refused = taken = 0;
    for (int k = 0; k < count; k++) {
        Use use = {table[k], &table[k]->samples[0], 0, GT_FLOAT32};
        gt_Scope *scope = gt_scope_begin();
        if (write_sample(&use))
            make(&use);
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

static void cut_short(const Use *use)
{
    for (size_t length = 0; length < strlen(text); length++) {
        snprintf(wrong, sizeof wrong, "%.*s", (int)length, text);
        try_text(use, wrong, true);
    }
}

Test(layer_files, text_cut_short)
{
    each_first_sample(cut_short);
    cr_assert(taken == 0 && refused > 10000, "%d %d", taken, refused);
}

static void other_bytes(const Use *use)
{
    static const char bytes[] = "0-9\"}]{[:,en\\ \x01\xff";
    for (size_t i = 0, length = strlen(text); i < length; i++) {
        strcpy(wrong, text);
        wrong[i] = bytes[i % (sizeof bytes - 1)];
        try_text(use, wrong, false);
    }
}

Test(layer_files, text_with_other_bytes)
{
    each_first_sample(other_bytes);
    cr_assert(refused > 10000, "%d %d", taken, refused);
}

/* Where a value ends that begins at `at`: a number or a word. */
static size_t word_at(const char *at)
{
    return strspn(at, "-+.0123456789eEtrufalsn");
}

/* Every number and word becomes another one. */
static void other_values(const Use *use)
{
    static const char *const values[] = {"-1", "0", "1", "3", "9223372036854775807", "-9223372036854775808", "2147483648",
                                         "1e308", "-0.5", "1e999", "null", "true", "\"\"", "[]", "{}", "\"relu\"",
                                         ("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,"
                                         "31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57]"),
                                         "{\"class\":\"dense\"}"};
    const size_t built_for = (size_t)(strstr(text, "\"model\"") - text);
    for (size_t i = 1; text[i]; i++) {
        size_t word = text[i - 1] == ':' || text[i - 1] == '[' || text[i - 1] == ',' ? word_at(text + i) : 0;
        for (size_t v = 0; word && v < sizeof values / sizeof *values; v++) {
            if ((i < built_for && (v == 0 || v > 9)) || (i + v) % 2)
                continue; /* fewer of the shapes that it was built for, and half of all */
            snprintf(wrong, sizeof wrong, "%.*s%s%s", (int)i, text, values[v], text + i + word);
            try_text(use, wrong, false);
        }
    }
}

Test(layer_files, text_with_other_values, .timeout = 1200)
{
    each_first_sample(other_values);
    cr_assert(refused > 1000 && taken > 100, "%d %d", taken, refused);
}

/* Every member is called something else. */
static void other_names(const Use *use)
{
    for (const char *at = text; (at = strchr(at, '"')); at = strchr(at + 1, '"') + 1) {
        size_t length = strcspn(at + 1, "\"");
        if (at[length + 2] != ':')
            continue;
        snprintf(wrong, sizeof wrong, "%.*s\"other\"%s", (int)(at - text), text, at + length + 2);
        try_text(use, wrong, false);
        snprintf(wrong, sizeof wrong, "%.*s\"%.*s\":null,%s", (int)(at - text), text, (int)length, at + 1, at);
        try_text(use, wrong, false); /* twice */
    }
}

Test(layer_files, members_with_other_names)
{
    each_first_sample(other_names);
    cr_assert(refused > 500, "%d %d", taken, refused);
}
