/* A language model of characters: a small GPT reads a text and goes on with it.
 *
 * Each position of a window predicts the character behind it, from those before: attention with a causal mask. The
 * figure is the crossentropy of a part of the text that it has not seen, in nats a character; a model that only knows how
 * frequent each character is reaches 3.3; this one 1.70 after 6 epochs.
 *
 *     gpt TEXT           a text of yours instead of the beginning of a play
 */
#include "example.h"
#include "positions.h"

enum { STEPS = 64, WIDTH = 96, HEADS = 4 };

/* The characters of a text, and their numbers. */
typedef struct {
    int count;
    char characters[256];
    int32_t number[256];
} Alphabet;

static Alphabet alphabet_of(const char *text)
{
    Alphabet self = {0};
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (!memchr(self.characters, *c, (size_t)self.count)) {
            self.number[byte] = self.count;
            self.characters[self.count++] = *c;
        }
    }
    return self;
}

/* Windows of a text: x has STEPS characters from each `stride` on, y those one further. */
static gt_Dataset *windows(const Alphabet *alphabet, const char *text, size_t length, size_t stride)
{
    size_t rows = length > STEPS ? (length - STEPS - 1) / stride + 1 : 0;
    int32_t *x = malloc((rows + 1) * STEPS * sizeof *x),
            *y = malloc((rows + 1) * STEPS * sizeof *y);
    for (size_t i = 0; x && y && i < rows * STEPS; i++) {
        const char *at = text + i / STEPS * stride + i % STEPS;
        x[i] = alphabet->number[(unsigned char)at[0]];
        y[i] = alphabet->number[(unsigned char)at[1]];
    }
    gt_Shape shape = gt_shape((int64_t)rows, STEPS);
    gt_Dataset *dataset =
        gt_dataset_from_tensors(gt_from_data(x, shape, GT_INT32), gt_from_data(y, shape, GT_INT32));
    free(x);
    free(y);
    return dataset;
}

static gt_Tensor *block(gt_Tensor *x)
{
    gt_Tensor *h = gt_call(gt_LayerNormalization(), x);
    h = gt_call(
        gt_MultiHeadAttention(HEADS, WIDTH / HEADS, .use_causal_mask = true, .dropout = 0.1), h,
        .more = gt_tensors(h));
    x = gt_add(x, h);
    h = gt_call(gt_Dense(4 * WIDTH, .activation = gt_gelu), gt_call(gt_LayerNormalization(), x));
    return gt_add(x, gt_call(gt_Dropout(0.1), gt_call(gt_Dense(WIDTH), h)));
}

static gt_Layer *gpt(int characters, int blocks)
{
    gt_Tensor *text = gt_Input(gt_shape(STEPS), .dtype = GT_INT32);
    gt_Tensor *x = gt_call(Positions(), gt_call(gt_Embedding(characters, WIDTH), text));
    for (int i = 0; i < blocks; i++)
        x = block(x);
    x = gt_call(gt_LayerNormalization(), x);
    return gt_Model(gt_tensors(text), gt_tensors(gt_call(gt_Dense(characters), x)));
}

/* Goes on with a text, one character at a time. What stands behind the last one in the window does not matter: no
 * position looks ahead. */
static void go_on(gt_Layer *model, const Alphabet *alphabet, const char *begin, int characters)
{
    gt_Variable *generator = gt_generator(3);
    int32_t window[STEPS] = {0};
    int length = 0;
    for (; begin[length]; length++)
        window[length] = alphabet->number[(unsigned char)begin[length]];
    printf("%s", begin);
    for (int i = 0; i < characters && gt_status() == GT_OK; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *logits = gt_call(model, gt_from_data(window, gt_shape(1, STEPS), GT_INT32));
        gt_Tensor *last = gt_slice(logits, gt_shape(0, length - 1, 0), gt_shape(1, 1, -1));
        gt_Tensor *scores =
            gt_multiply(gt_reshape(last, gt_shape(1, -1)), 1.25); /* a little bolder */
        int32_t next = (int32_t)gt_item(gt_categorical(scores, 1, .generator = generator));
        printf("%c", alphabet->characters[next]);
        if (length == STEPS)
            memmove(window, window + 1, (size_t)--length * sizeof *window);
        window[length++] = next;
        gt_scope_end(scope);
    }
    printf("\n");
    gt_variable_free(generator);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    char *text = read_text(example.data ? example.data : "examples/data/shakespeare.txt");
    size_t length = text ? strlen(text) : 0, seen = length / 10 * 9;
    Alphabet alphabet = alphabet_of(text ? text : "");
    gt_Dataset *train =
        windows(&alphabet, text, example.small ? seen / 4 : seen, example.data ? 32 : 16);
    gt_Dataset *test = windows(&alphabet, text ? text + seen : NULL, length - seen, STEPS);

    gt_Layer *model = gpt(alphabet.count, example.small ? 1 : 3);
    gt_compile(model, .optimizer = gt_AdamW(example.small ? 3e-3 : 1e-3, .weight_decay = 0.1),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true));
    gt_fit(model, train, .epochs = example.small ? 2 : 6, .validation = test);
    go_on(model, &alphabet, "\n", example.small ? 200 : 600);
    double nats = gt_evaluate(model, test).loss;
    free(text);
    return example_end("nats for a character that it has not seen", nats, 0,
                       example.small ? 2.9 : 1.9);
}
