/* LSTM, GRU and simple RNN: formulas of ops/nn/recurrent.h. The input projection of all time steps is one matrix product;
 * only the recurrent part runs step by step: for the usual activations in one operation of ops/nn/sequence.c, else made of
 * operations in the loop of ops/nn/rnn.c.
 *
 *     x (batch, time, features), kernel (features, gates units): (time, batch, gates units);
 *     a step: h (batch, units), recurrent_kernel (units, gates units) -> the states after it
 *
 * A step and a whole sequence check their arguments in the same function, open_cell, and compute a step in the same one, so
 * gt_lstm_cell and gt_lstm cannot differ. */
#include "ops/nn/recurrent.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/math/compare.h"
#include "ops/math/reduce.h"
#include "ops/nn/rnn.h"
#include "ops/nn/sequence.h"

#include <stdio.h>

GT_OPTION_TYPE(gt_lstm_options, gt_lstm_OPTIONS);
GT_OPTION_TYPE(gt_lstm_cell_options, gt_lstm_cell_OPTIONS);
GT_OPTION_TYPE(gt_gru_options, gt_gru_OPTIONS);
GT_OPTION_TYPE(gt_gru_cell_options, gt_gru_cell_OPTIONS);
GT_OPTION_TYPE(gt_simple_rnn_options, gt_simple_rnn_OPTIONS);
GT_OPTION_TYPE(gt_simple_rnn_cell_options, gt_simple_rnn_cell_OPTIONS);

/* ---- what all have in common ---- */

/* Weights of some gates, what is dropped before the product, and what is added after it. */
typedef struct Product {
    gt_Tensor *
        weights; /* (n, gates units); (gates, n, units) if each gate has a dropout mask of its own */
    gt_Tensor *dropout; /* (batch, n) or (gates, batch, n); NULL: nothing is dropped */
    gt_Tensor *bias;    /* NULL: none */
    bool apart;         /* each gate has a mask of its own */
} Product;

/* One call: sizes, and what a step needs besides the states. */
typedef struct Cell {
    gt_DType dtype;
    int64_t batch, time, features, units;
    int gates;
    Product of_x, of_h, of_reset; /* of_reset: of a GRU whose reset gate acts before the product */
    gt_TensorFunction activation, recurrent_activation;
} Cell;

/* What a caller gives, whichever cell it is. */
typedef struct Given {
    gt_Tensor *x, *kernel, *recurrent, *bias, *dropout, *recurrent_dropout;
    gt_TensorFunction activation, recurrent_activation;
} Given;
#define GIVEN(options, recurrent_function)                                                         \
    {                                                                                              \
        x, kernel, recurrent_kernel, bias, (options).dropout_mask,                                 \
            (options).recurrent_dropout_mask, (options).activation, recurrent_function             \
    }

/* Every argument has x's dtype and this shape; an absent one is fine. Raises an error otherwise. */
static bool fits(const Cell *cell, const char *what, gt_Tensor *tensor, gt_Shape wanted)
{
    char a[160], b[160];
    if (!tensor)
        return gt_status() == GT_OK;
    gt_Spec spec = gt_spec(tensor);
    if (gt_status() != GT_OK)
        return false;
    if (spec.dtype == cell->dtype && gt_shape_equal(gt_spec_shape(&spec), wanted))
        return true;
    gt_fail(GT_INVALID, "%s must be %s %s (got %s %s)", what, gt_dtype_name(cell->dtype),
            gt_shape_text(wanted, b, sizeof b), gt_dtype_name(spec.dtype),
            gt_dims_text(&spec, a, sizeof a));
    return false;
}

/* The product with weights (n, gates units) and its dropout mask, (batch, n) or one for each gate. */
static bool open_product(const Cell *cell, Product *product, gt_Tensor *weights, int64_t n,
                         const char *what, gt_Tensor *dropout)
{
    bool apart = dropout && gt_rank(dropout) == 3;
    *product = (Product){.weights = weights, .dropout = dropout, .apart = apart};
    if (!fits(cell, what, dropout,
              apart ? gt_shape(cell->gates, cell->batch, n) : gt_shape(cell->batch, n)))
        return false;
    if (apart) /* (n, gates units) -> (n, gates, units) -> (gates, n, units) */
        product->weights =
            gt_swapaxes(gt_reshape(weights, gt_shape(cell->gates, cell->units), .keep = 1), 0, 1);
    return gt_status() == GT_OK;
}

/* Checks everything but the bias and the states. `rank` of x: 3, or 2 for one step. */
static bool open_cell(Cell *cell, const Given *given, int rank, int gates)
{
    char text[160];
    gt_Spec in = gt_spec(given->x), weights = gt_spec(given->recurrent);
    if (gt_status() != GT_OK)
        return false;
    if (in.rank != rank || !gt_dtype_is_float(in.dtype)) {
        gt_fail(GT_INVALID, "x must be floats %s (got %s %s)",
                rank == 3 ? "(batch, time, features)" : "(batch, features)",
                gt_dtype_name(in.dtype), gt_dims_text(&in, text, sizeof text));
        return false;
    }
    if (weights.rank != 2 || weights.dims[0] < 1 || weights.dims[1] / weights.dims[0] != gates ||
        weights.dims[1] % weights.dims[0] != 0) {
        char wanted[32] = "units";
        if (gates > 1)
            snprintf(wanted, sizeof wanted, "%d units", gates);
        gt_fail(GT_INVALID, "recurrent_kernel must be (units, %s) (got %s)", wanted,
                gt_dims_text(&weights, text, sizeof text));
        return false;
    }
    *cell = (Cell){.dtype = in.dtype,
                   .batch = in.dims[0],
                   .time = rank == 3 ? in.dims[1] : 1,
                   .features = in.dims[rank - 1],
                   .units = weights.dims[0],
                   .gates = gates,
                   .activation = given->activation,
                   .recurrent_activation = given->recurrent_activation};
    gt_Spec kernel = gt_spec(given->kernel); /* NULL is an error here */
    return kernel.dtype != GT_DTYPE_NONE &&
           fits(cell, "kernel", given->kernel, gt_shape(cell->features, weights.dims[1])) &&
           fits(cell, "recurrent_kernel", given->recurrent, gt_spec_shape(&weights)) &&
           open_product(cell, &cell->of_x, given->kernel, cell->features, "dropout_mask",
                        given->dropout) &&
           open_product(cell, &cell->of_h, given->recurrent, cell->units, "recurrent_dropout_mask",
                        given->recurrent_dropout);
}

/* x weights + bias for x (..., batch, n): (..., batch, gates units). */
static gt_Tensor *product_of(const Product *product, gt_Tensor *x)
{
    int rank = gt_rank(x); /* 3 for all steps at once, time in front */
    gt_Tensor *dropout = product->dropout, *weights = product->weights;
    if (product->apart && rank == 3) {
        dropout = gt_expand_dims(dropout, 1);
        weights = gt_expand_dims(weights, 1);
    }
    gt_Tensor *y = gt_matmul(dropout ? gt_multiply(x, dropout) : x, weights);
    if (product->apart) /* (gates, ..., batch, units) */
        y = gt_reshape(gt_moveaxis(y, 0, -2), gt_shape(-1), .keep = rank - 1);
    return product->bias ? gt_add(y, product->bias) : y;
}

/* Zeros (batch, units), made of x, so that a traced graph serves any batch. */
static gt_Tensor *no_state(const Cell *cell, gt_Tensor *x)
{
    if (cell->batch == 0 || cell->time == 0 || cell->features == 0)
        return gt_zeros(gt_shape(cell->batch, cell->units), .dtype = cell->dtype);
    gt_Tensor *one = gt_slice(x, gt_shape(0, 0, 0), gt_shape(-1, 1, 1));
    gt_Tensor *column = gt_zeros_like(gt_squeeze(one, .axis = -1)); /* (batch, 1) */
    return gt_add(column, gt_zeros(gt_shape(cell->units), .dtype = cell->dtype));
}

/* Is the whole sequence one operation? A dropout mask of x for all gates alike acts before it; the reset gate of a GRU has to
 * act after the product. */
static bool is_usual(const Cell *cell)
{
    return (cell->dtype == GT_FLOAT32 || cell->dtype == GT_FLOAT64) && cell->time != 0 &&
           !cell->of_x.apart && !cell->of_h.dropout && !cell->of_reset.weights &&
           cell->activation == gt_tanh && cell->recurrent_activation == gt_sigmoid;
}

/* A state before the first step, for all steps at once NULL if it is not given; false on failure. */
static bool initial_of(const Cell *cell, gt_Tensor *x, const char *what, gt_Tensor *given,
                       gt_Tensor **state)
{
    *state = given || is_usual(cell) ? given : no_state(cell, x);
    return fits(cell, what, *state, gt_shape(cell->batch, cell->units));
}

/* Is this the state of a cell, which has to be there? */
static bool is_state(const Cell *cell, const char *what, gt_Tensor *state)
{
    return gt_rank(state) >= 0 && fits(cell, what, state, gt_shape(cell->batch, cell->units));
}

static void give(gt_Tensor **place, gt_Tensor *state)
{
    if (place)
        *place = state;
}

static gt_Tensor *through(gt_TensorFunction function, gt_Tensor *x)
{
    return function ? function(x) : x;
}

/* How gt_rnn_run is to go: the options of GT_RNN_COMMON, read from any of the structs. */
#define LOOP(options)                                                                              \
    {                                                                                              \
        .mask = (options).mask, .sequences = (options).return_sequences,                           \
        .backwards = (options).go_backwards, .zero = (options).zero_output_for_mask,               \
        .unroll = (options).unroll, .starts_at_0 = !(options).initial_h                            \
    }

/* All steps; `state`, h first, becomes the states after the last one. */
static gt_Tensor *run_steps(gt_FunctionBody step, Cell *cell, gt_RNN loop, gt_Tensor *x, int states,
                            gt_Tensor **state)
{
    gt_Spec spec = gt_spec(x);
    if (gt_status() != GT_OK || gt_rnn_mask(loop.mask, &spec) != GT_OK)
        return NULL;
    loop.cell = step;
    loop.context = cell;
    loop.x = product_of(&cell->of_x, gt_swapaxes(x, 0, 1));
    loop.states = (gt_Tensors){state, states};
    loop.last = state;
    loop.output_is_h = true;
    loop.before = loop.starts_at_0 ? NULL : gt_zeros_like(state[0]);
    return gt_rnn_run(&loop);
}

/* What that operation gets, without the bias, which it adds itself. NULL if the arguments are wrong. */
static gt_Sequence *open_sequence(gt_Sequence *sequence, const Cell *cell, const gt_RNN *loop,
                                  gt_Tensor *x, const Given *given)
{
    gt_Spec spec = gt_spec(x);
    Product of_x = cell->of_x;
    of_x.bias = NULL;
    of_x.dropout = of_x.dropout ? gt_expand_dims(of_x.dropout, 1) : NULL; /* over all steps */
    *sequence = (gt_Sequence){.recurrent = given->recurrent,
                              .bias = given->bias,
                              .mask = loop->mask,
                              .backwards = loop->backwards};
    if (gt_status() != GT_OK || gt_rnn_mask(loop->mask, &spec) != GT_OK)
        return NULL;
    sequence->x = product_of(&of_x, x);
    return sequence;
}

/* The output of steps that the mask leaves out: there the states of the step before are, where the output may be 0. */
static gt_Tensor *close_sequence(const gt_RNN *loop, const gt_Sequence *sequence)
{
    gt_Tensor *mask = loop->mask, *shown = NULL;
    gt_Tensor *y = loop->sequences ? sequence->h : sequence->last_h;
    if (mask && loop->zero)
        shown = loop->sequences ? mask : gt_get_item(mask, loop->backwards ? ":, 0" : ":, -1");
    else if (mask &&
             !loop->starts_at_0) /* 0 before the first step that counts, whatever the state is */
        shown = loop->sequences ? gt_greater(gt_cumsum(gt_cast(mask, GT_INT32), .axis = 1,
                                                       .reverse = loop->backwards),
                                             0)
                                : gt_any(mask, .axis = 1);
    if (shown)
        y = gt_where(gt_expand_dims(shown, -1), y, 0);
    return loop->sequences && loop->backwards ? gt_flip(y, .axis = 1) : y;
}

/* ---- LSTM ---- */

enum { IN, FORGET, NEW, OUT }; /* the order of the gates */

static bool open_lstm(Cell *cell, const Given *given, int rank)
{
    if (!open_cell(cell, given, rank, 4) ||
        !fits(cell, "bias", given->bias, gt_shape(4 * cell->units)))
        return false;
    cell->of_x.bias = given->bias;
    return true;
}

static gt_LSTMState lstm_step(const Cell *cell, gt_Tensor *of_x, gt_Tensor *h, gt_Tensor *c)
{
    gt_Tensor *z[4];
    if (gt_split(gt_add(of_x, product_of(&cell->of_h, h)), 4, z, .axis = -1) != GT_OK)
        return (gt_LSTMState){NULL, NULL};
    gt_TensorFunction gate = cell->recurrent_activation;
    c = gt_add(gt_multiply(through(gate, z[FORGET]), c),
               gt_multiply(through(gate, z[IN]), through(cell->activation, z[NEW])));
    h = gt_multiply(through(gate, z[OUT]), through(cell->activation, c));
    return gt_status() == GT_OK ? (gt_LSTMState){h, c} : (gt_LSTMState){NULL, NULL};
}

/* (x_t kernel, h, c) -> (output, h, c) */
static gt_Status lstm_body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    gt_LSTMState next = lstm_step(context, inputs[0], inputs[1], inputs[2]);
    outputs[0] = outputs[1] = next.h;
    outputs[2] = next.c;
    return gt_status();
}

/* All steps as one operation; `state`, h and c before the first step or NULL, becomes that after the last. */
static gt_Tensor *lstm_at_once(const Cell *cell, const gt_RNN *loop, gt_Tensor *x,
                               const Given *given, gt_Tensor **state)
{
    gt_Sequence all;
    if (!open_sequence(&all, cell, loop, x, given))
        return NULL;
    all.h0 = state[0];
    all.c0 = state[1];
    if (gt_lstm_sequence(&all) != GT_OK)
        return NULL;
    state[0] = all.last_h;
    state[1] = all.last_c;
    return close_sequence(loop, &all);
}

static gt_Tensor *lstm(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                       gt_Tensor *bias, const gt_lstm_options *taken)
{
    Cell cell;
    gt_lstm_options options;
    GT_TAKE(gt_lstm_options, &options, taken);
    Given given = GIVEN(options, options.recurrent_activation);
    gt_RNN loop = LOOP(options);
    give(options.final_h, NULL);
    give(options.final_c, NULL);
    if (!open_lstm(&cell, &given, 3))
        return NULL;
    gt_Tensor *state[2], *y = NULL;
    if (!initial_of(&cell, x, "initial_h", options.initial_h, &state[0]) ||
        !initial_of(&cell, x, "initial_c", options.initial_c, &state[1]))
        return NULL;
    y = is_usual(&cell) ? lstm_at_once(&cell, &loop, x, &given, state)
                        : run_steps(lstm_body, &cell, loop, x, 2, state);
    give(options.final_h, y ? state[0] : NULL);
    give(options.final_c, y ? state[1] : NULL);
    return y;
}
GT_COMPOSED(lstm,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
             gt_Tensor *bias, const gt_lstm_options *options),
            (x, kernel, recurrent_kernel, bias, options))
gt_Tensor *(gt_lstm)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel, gt_Tensor *bias)
{
    return gt_lstm_at(NULL, x, kernel, recurrent_kernel, bias, NULL);
}

static gt_LSTMState lstm_cell(gt_Tensor *x, gt_Tensor *h, gt_Tensor *c, gt_Tensor *kernel,
                              gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                              const gt_lstm_cell_options *taken)
{
    Cell cell;
    gt_lstm_cell_options options;
    GT_TAKE(gt_lstm_cell_options, &options, taken);
    Given given = GIVEN(options, options.recurrent_activation);
    if (!open_lstm(&cell, &given, 2) || !is_state(&cell, "h", h) || !is_state(&cell, "c", c))
        return (gt_LSTMState){NULL, NULL};
    return lstm_step(&cell, product_of(&cell.of_x, x), h, c);
}
GT_COMPOSED_BY(gt_LSTMState, lstm_cell, lstm_cell,
               (const char *here, gt_Tensor *x, gt_Tensor *h, gt_Tensor *c, gt_Tensor *kernel,
                gt_Tensor *recurrent_kernel, gt_Tensor *bias, const gt_lstm_cell_options *options),
               (x, h, c, kernel, recurrent_kernel, bias, options))

/* ---- GRU ---- */

/* The first `gates` of them, or those from there on, along the last axis of weights and the first of masks. */
static gt_Tensor *gates_of(gt_Tensor *x, int axis, int64_t from, int64_t count)
{
    gt_Shape begin = {.mark = GT_MARK, .rank = gt_rank(x)}, size = begin;
    if (begin.rank <= 0)
        return NULL;
    for (int d = 0; d < size.rank; d++)
        size.dims[d] = -1;
    int at = axis < 0 ? size.rank + axis : axis;
    begin.dims[at] = from;
    size.dims[at] = count;
    return gt_slice(x, begin, size);
}

static bool open_gru(Cell *cell, const Given *given, int rank, bool reset_after)
{
    if (!open_cell(cell, given, rank, 3))
        return false;
    int64_t u = cell->units;
    gt_Tensor *bias = given->bias;
    if (!fits(cell, "bias", bias, reset_after ? gt_shape(2, 3 * u) : gt_shape(3 * u)))
        return false;
    cell->of_x.bias = bias;
    if (reset_after && bias) {
        cell->of_x.bias = gt_slice(bias, gt_shape(0, 0), gt_shape(1, 3 * u));
        cell->of_h.bias = gt_slice(bias, gt_shape(1, 0), gt_shape(1, 3 * u));
    } else if (!reset_after) {
        Product *all = &cell->of_h, *reset = &cell->of_reset;
        *reset = *all;
        int axis = all->apart ? 0 : -1;
        int64_t part = all->apart ? 1 : u;
        reset->weights = gates_of(all->weights, axis, 2 * part, part);
        all->weights = gates_of(all->weights, axis, 0, 2 * part);
        if (all->apart) {
            reset->dropout = gates_of(all->dropout, 0, 2, 1);
            all->dropout = gates_of(all->dropout, 0, 0, 2);
        }
    }
    return gt_status() == GT_OK;
}

/* With the reset gate before the product the gates come first: the product of r h has to wait for r. */
static gt_Tensor *gru_step(const Cell *cell, gt_Tensor *from_x, gt_Tensor *h)
{
    gt_Tensor *of_x[3], *of_h[3];
    bool after = !cell->of_reset.weights;
    if (gt_split(from_x, 3, of_x, .axis = -1) != GT_OK ||
        gt_split(product_of(&cell->of_h, h), after ? 3 : 2, of_h, .axis = -1) != GT_OK)
        return NULL;
    gt_Tensor *z = through(cell->recurrent_activation, gt_add(of_x[0], of_h[0]));
    gt_Tensor *r = through(cell->recurrent_activation, gt_add(of_x[1], of_h[1]));
    gt_Tensor *g = after ? gt_multiply(r, of_h[2]) : product_of(&cell->of_reset, gt_multiply(r, h));
    gt_Tensor *fresh = through(cell->activation, gt_add(of_x[2], g));
    return gt_add(fresh, gt_multiply(z, gt_subtract(h, fresh))); /* z h + (1 - z) fresh */
}

/* (x_t kernel, h) -> (output, h) */
static gt_Status gru_body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = outputs[1] = gru_step(context, inputs[0], inputs[1]);
    return gt_status();
}

static gt_Tensor *gru_at_once(const Cell *cell, const gt_RNN *loop, gt_Tensor *x,
                              const Given *given, gt_Tensor **state)
{
    gt_Sequence all;
    if (!open_sequence(&all, cell, loop, x, given))
        return NULL;
    all.h0 = *state;
    if (gt_gru_sequence(&all) != GT_OK)
        return NULL;
    *state = all.last_h;
    return close_sequence(loop, &all);
}

static gt_Tensor *gru(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                      const gt_gru_options *taken)
{
    Cell cell;
    gt_gru_options options;
    GT_TAKE(gt_gru_options, &options, taken);
    Given given = GIVEN(options, options.recurrent_activation);
    gt_RNN loop = LOOP(options);
    give(options.final_h, NULL);
    if (!open_gru(&cell, &given, 3, options.reset_after))
        return NULL;
    gt_Tensor *state, *y;
    if (!initial_of(&cell, x, "initial_h", options.initial_h, &state))
        return NULL;
    y = is_usual(&cell) ? gru_at_once(&cell, &loop, x, &given, &state)
                        : run_steps(gru_body, &cell, loop, x, 1, &state);
    give(options.final_h, y ? state : NULL);
    return y;
}
GT_COMPOSED(gru,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
             gt_Tensor *bias, const gt_gru_options *options),
            (x, kernel, recurrent_kernel, bias, options))
gt_Tensor *(gt_gru)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel, gt_Tensor *bias)
{
    return gt_gru_at(NULL, x, kernel, recurrent_kernel, bias, NULL);
}

static gt_Tensor *gru_cell(gt_Tensor *x, gt_Tensor *h, gt_Tensor *kernel,
                           gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                           const gt_gru_cell_options *taken)
{
    Cell cell;
    gt_gru_cell_options options;
    GT_TAKE(gt_gru_cell_options, &options, taken);
    Given given = GIVEN(options, options.recurrent_activation);
    if (!open_gru(&cell, &given, 2, options.reset_after) || !is_state(&cell, "h", h))
        return NULL;
    return gru_step(&cell, product_of(&cell.of_x, x), h);
}
GT_COMPOSED(gru_cell,
            (const char *here, gt_Tensor *x, gt_Tensor *h, gt_Tensor *kernel,
             gt_Tensor *recurrent_kernel, gt_Tensor *bias, const gt_gru_cell_options *options),
            (x, h, kernel, recurrent_kernel, bias, options))

/* ---- simple RNN ---- */

static bool open_simple(Cell *cell, const Given *given, int rank)
{
    if (!open_cell(cell, given, rank, 1) || !fits(cell, "bias", given->bias, gt_shape(cell->units)))
        return false;
    cell->of_x.bias = given->bias;
    return true;
}

static gt_Tensor *simple_step(const Cell *cell, gt_Tensor *of_x, gt_Tensor *h)
{
    return through(cell->activation, gt_add(of_x, product_of(&cell->of_h, h)));
}

/* (x_t kernel, h) -> (output, h) */
static gt_Status simple_body(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    outputs[0] = outputs[1] = simple_step(context, inputs[0], inputs[1]);
    return gt_status();
}

static gt_Tensor *simple_rnn(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                             gt_Tensor *bias, const gt_simple_rnn_options *taken)
{
    Cell cell;
    gt_simple_rnn_options options;
    GT_TAKE(gt_simple_rnn_options, &options, taken);
    Given given = GIVEN(options, NULL);
    gt_RNN loop = LOOP(options);
    give(options.final_h, NULL);
    if (!open_simple(&cell, &given, 3))
        return NULL;
    gt_Tensor *state;
    if (!initial_of(&cell, x, "initial_h", options.initial_h, &state))
        return NULL;
    gt_Tensor *y = run_steps(simple_body, &cell, loop, x, 1, &state);
    give(options.final_h, y ? state : NULL);
    return y;
}
GT_COMPOSED(simple_rnn,
            (const char *here, gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
             gt_Tensor *bias, const gt_simple_rnn_options *options),
            (x, kernel, recurrent_kernel, bias, options))
gt_Tensor *(gt_simple_rnn)(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                           gt_Tensor *bias)
{
    return gt_simple_rnn_at(NULL, x, kernel, recurrent_kernel, bias, NULL);
}

static gt_Tensor *simple_rnn_cell(gt_Tensor *x, gt_Tensor *h, gt_Tensor *kernel,
                                  gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                                  const gt_simple_rnn_cell_options *taken)
{
    Cell cell;
    gt_simple_rnn_cell_options options;
    GT_TAKE(gt_simple_rnn_cell_options, &options, taken);
    Given given = GIVEN(options, NULL);
    if (!open_simple(&cell, &given, 2) || !is_state(&cell, "h", h))
        return NULL;
    return simple_step(&cell, product_of(&cell.of_x, x), h);
}
GT_COMPOSED(simple_rnn_cell,
            (const char *here, gt_Tensor *x, gt_Tensor *h, gt_Tensor *kernel,
             gt_Tensor *recurrent_kernel, gt_Tensor *bias,
             const gt_simple_rnn_cell_options *options),
            (x, h, kernel, recurrent_kernel, bias, options))
