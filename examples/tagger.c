/* Finds the words in a text without spaces: two bidirectional LSTM layers tag each letter.
 *
 * "thequalityofmercy" becomes "the quality of mercy". Each line of a text is a sequence of letters, and the tag of a
 * letter says whether a word begins there. What tells is before and behind a letter, so both directions are read. Lines
 * have different lengths: they are padded with 0, and gt_Embedding with .mask_zero makes a mask of that, which rides
 * through the layers into loss and accuracy. Three letters of four begin no word, so 0.76 is what a tagger reaches that
 * says no everywhere.
 *
 * After 10 epochs 0.966 of the tags are right. Keras reaches 0.962; from the same first weights and the same batches its
 * first ten losses are these to five digits, if it is given the gradient of the table as a dense tensor.
 *
 *     tagger TEXT        a text of yours instead of the beginning of a play
 */
#include "example.h"

#include <ctype.h>

enum { STEPS = 40 };

/* The letters of a line, 1 to 26, and 1 where a word begins. Returns how many there are. */
static int encode(const char *line, int32_t letters[STEPS], int32_t tags[STEPS])
{
    int count = 0;
    bool begins = true;
    for (const char *c = line; *c && count < STEPS; c++) {
        if (isalpha((unsigned char)*c)) {
            letters[count] = tolower((unsigned char)*c) - 'a' + 1;
            tags[count++] = begins;
            begins = false;
        } else if (*c == ' ' || *c == '-') {
            begins = true;
        }
    }
    return count;
}

/* The lines of a text: x and y (lines, STEPS). */
static gt_Dataset *read_lines(const char *path, int64_t most)
{
    char *text = read_text(path);
    int64_t lines = 1, rows = 0;
    for (const char *c = text; c && *c; c++)
        lines += *c == '\n';
    int32_t(*letters)[STEPS] = calloc((size_t)lines, sizeof *letters);
    int32_t(*tags)[STEPS] = calloc((size_t)lines, sizeof *tags);
    if (text && letters && tags)
        for (char *line = strtok(text, "\n"); line && rows < most; line = strtok(NULL, "\n"))
            rows += encode(line, letters[rows], tags[rows]) > 0;
    gt_Dataset *dataset =
        gt_dataset_from_tensors(gt_from_data(letters, gt_shape(rows, STEPS), GT_INT32),
                                gt_from_data(tags, gt_shape(rows, STEPS), GT_INT32));
    free(text);
    free(letters);
    free(tags);
    return dataset;
}

/* Prints the letters of a line with spaces where the model puts them: a sequence may have any length. */
static void restore(gt_Layer *model, const char *line)
{
    gt_Scope *scope = gt_scope_begin();
    int32_t letters[STEPS], tags[STEPS];
    int count = encode(line, letters, tags);
    gt_Tensor *logits = gt_call(model, gt_from_data(letters, gt_shape(1, count), GT_INT32));
    gt_Tensor *begins = gt_argmax(logits, .axis = -1);
    for (int i = 0; begins && i < count; i++)
        printf("%s%c", i && gt_element(begins, i) > 0 ? " " : "", (int)letters[i] - 1 + 'a');
    printf("\n");
    gt_scope_end(scope);
}

static gt_Layer *tagger(int units)
{
    return gt_Sequential(gt_Embedding(27, 32, .mask_zero = true),
                         gt_Bidirectional(gt_LSTM(units, .return_sequences = true)),
                         gt_Bidirectional(gt_LSTM(units, .return_sequences = true)), gt_Dense(2));
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Dataset *lines = read_lines(example.data ? example.data : "examples/data/shakespeare.txt",
                                   example.small ? 1000 : INT64_MAX);
    gt_Dataset *train, *test;
    gt_dataset_split(lines, 0.9, &train, &test, .seed = 1);

    gt_Layer *model = tagger(example.small ? 16 : 64);
    gt_compile(model, .optimizer = gt_Adam(example.small ? 1e-2 : 3e-3),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_fit(model, train, .epochs = example.small ? 6 : 10, .validation = test);

    restore(model, "thequalityofmercyisnotstrained");
    restore(model, "itdroppethasthegentlerainfromheaven");
    double accuracy = gt_evaluate(model, test).metrics[0];
    return example_end("letters with the right tag, in lines that it has not seen", accuracy,
                       example.small ? 0.8 : 0.93, 1);
}
