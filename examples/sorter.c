/* Sorts sequences of digits: a transformer encoder with attention over the whole sequence.
 *
 * The answer at position i is the i-th smallest digit of the input, a question about all positions at once. The model
 * knows which position it answers for from an embedding of positions, a layer of one's own (positions.h). Sequences of 4 to 12
 * digits are padded with 0; the mask of gt_Embedding keeps attention, loss and accuracy away from the padding.
 *
 * After 5 epochs 0.999 of the sequences are sorted without a mistake. With a mask made by hand, because the mask ends at
 * its Add, Keras has the same first ten losses to five digits, from the same first weights and batches.
 */
#include "example.h"
#include "positions.h"

enum { STEPS = 12, WIDTH = 64, HEADS = 4 };

/* ---- the model ---- */

static gt_Tensor *encoder_block(gt_Tensor *x)
{
    gt_Tensor *seen =
        gt_call(gt_MultiHeadAttention(HEADS, WIDTH / HEADS), x, .more = gt_tensors(x));
    x = gt_call(gt_LayerNormalization(), gt_add(x, seen));
    gt_Tensor *h = gt_call(gt_Dense(2 * WIDTH, .activation = gt_relu), x);
    return gt_call(gt_LayerNormalization(), gt_add(x, gt_call(gt_Dense(WIDTH), h)));
}

static gt_Layer *sorter(void)
{
    gt_Tensor *digits = gt_Input(gt_shape(STEPS), .dtype = GT_INT32);
    gt_Tensor *x = gt_call(gt_Embedding(10, WIDTH, .mask_zero = true), digits);
    x = gt_call(Positions(), x);
    for (int i = 0; i < 2; i++)
        x = encoder_block(x);
    return gt_Model(gt_tensors(digits), gt_tensors(gt_call(gt_Dense(10), x)));
}

/* ---- the data ---- */

/* x: digits from 1 to 9, then zeros; y: the same digits sorted, then zeros. */
static gt_Dataset *sequences(int64_t rows, uint64_t seed)
{
    gt_Variable *generator = gt_generator(seed);
    gt_Tensor *digits = gt_random_integers(gt_shape(rows, STEPS), 1, 10, .generator = generator);
    gt_Tensor *length = gt_random_integers(gt_shape(rows, 1), 4, STEPS + 1, .generator = generator);
    gt_Tensor *there = gt_less(gt_arange(0, STEPS, 1, .dtype = GT_INT32), length);
    gt_Tensor *x = gt_where(there, digits, 0);
    gt_Tensor *y = gt_where(there, gt_sort(gt_where(there, digits, 99)), 0);
    gt_variable_free(generator);
    return gt_dataset_from_tensors(x, y, .batch_size = 64);
}

/* The share of sequences whose every digit is right. */
static double sorted(gt_Layer *model, gt_Dataset *data)
{
    double right = 0;
    gt_Batch batch;
    while (gt_dataset_next(data, &batch)) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *answer = gt_argmax(gt_unmask(gt_call(model, batch.x)), .axis = -1);
        gt_Tensor *good = gt_logical_or(gt_equal(answer, batch.y), gt_equal(batch.y, 0));
        right += gt_item(gt_sum(gt_cast(gt_all(good, .axis = 1), GT_FLOAT32)));
        gt_scope_end(scope);
    }
    return right / (double)gt_dataset_size(data);
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    gt_Dataset *train = sequences(example.small ? 4000 : 40000, 1), *test = sequences(1000, 2);
    gt_Layer *model = sorter();
    gt_compile(model, .optimizer = gt_Adam(1e-3),
               .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
               .metrics = gt_metrics(gt_Accuracy()));
    gt_fit(model, train, .epochs = example.small ? 3 : 5, .validation = test);
    return example_end("sequences sorted without a mistake", sorted(model, test),
                       example.small ? 0.5 : 0.97, 1);
}
