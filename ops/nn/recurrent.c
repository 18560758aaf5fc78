/* Recurrent networks, made of operations: formulas of ops/nn/recurrent.h. The input projection of
 * all time steps is one matrix product; only the recurrent part runs step by step, as the body of
 * gt_scan.
 *
 *     x (batch, time, features), kernel (features, gates units): (time, batch, gates units);
 *     a step: h (batch, units), recurrent_kernel (units, gates units) -> the states after it */
#include "ops/nn/recurrent.h"
#include "ops/nn/activation.h"
#include "ops/control/control.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/kit.h"
#include "ops/linalg/matmul.h"
#include "ops/array/reshaping.h"

GT_OPTION_TYPE(gt_lstm_options, gt_lstm_OPTIONS);
GT_OPTION_TYPE(gt_gru_options, gt_gru_OPTIONS);

/* ---- what both have in common ---- */

/* One call: sizes, and what a step needs besides the states and the products of its inputs. */
typedef struct Cell {
    gt_DType dtype;
    int64_t batch, time, features, units;
    gt_Tensor *recurrent;        /* (units, gates units) */
    gt_Tensor *candidate, *bias; /* of a GRU */
    bool sequences;
} Cell;

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
            gt_shape_text(gt_spec_shape(&spec), a, sizeof a));
    return false;
}

static bool open_cell(Cell *cell, gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent, int gates,
                      bool sequences)
{
    char text[160];
    gt_Spec in = gt_spec(x), weights = gt_spec(recurrent);
    if (gt_status() != GT_OK)
        return false;
    if (in.rank != 3 || !gt_dtype_is_float(in.dtype)) {
        gt_fail(GT_INVALID, "x must be floats (batch, time, features) (got %s %s)",
                gt_dtype_name(in.dtype), gt_shape_text(gt_spec_shape(&in), text, sizeof text));
        return false;
    }
    if (weights.rank != 2 || weights.dims[0] < 1 || weights.dims[1] / weights.dims[0] != gates ||
        weights.dims[1] % weights.dims[0] != 0) {
        gt_fail(GT_INVALID, "recurrent_kernel must be (units, %d units) (got %s)", gates,
                gt_shape_text(gt_spec_shape(&weights), text, sizeof text));
        return false;
    }
    *cell = (Cell){.dtype = in.dtype,
                   .batch = in.dims[0],
                   .time = in.dims[1],
                   .features = in.dims[2],
                   .units = weights.dims[0],
                   .recurrent = recurrent,
                   .sequences = sequences};
    gt_Spec given = gt_spec(kernel); /* NULL is an error here */
    return given.dtype != GT_DTYPE_NONE &&
           fits(cell, "kernel", kernel, gt_shape(cell->features, weights.dims[1])) &&
           fits(cell, "recurrent_kernel", recurrent, gt_spec_shape(&weights));
}

/* x kernel + bias of all steps, (time, batch, gates units). */
static gt_Tensor *products_of(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *bias)
{
    gt_Tensor *products = gt_matmul(gt_swapaxes(x, 0, 1), kernel);
    return bias ? gt_add(products, bias) : products;
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

/* A state before the first step; NULL on failure. */
static gt_Tensor *initial_of(const Cell *cell, gt_Tensor *x, const char *what, gt_Tensor *given)
{
    if (!given)
        return no_state(cell, x);
    return fits(cell, what, given, gt_shape(cell->batch, cell->units)) ? given : NULL;
}

/* All steps; `state`, h first, becomes the states after the last one. */
static gt_Tensor *run_steps(gt_FunctionBody step, Cell *cell, gt_Tensor *products, int states,
                            gt_Tensor **state, bool backwards)
{
    gt_Tensor *last[2] = {NULL}, *y = NULL;
    bool stacked = cell->sequences && cell->time > 0;
    if (gt_scan(step, cell, ((gt_Tensors){state, states}), gt_tensors(products), last, &y,
                .outputs = stacked, .reverse = backwards) != GT_OK)
        return NULL;
    for (int i = 0; i < states; i++)
        state[i] = last[i];
    if (!cell->sequences)
        return state[0];
    if (!stacked)
        return gt_zeros(gt_shape(cell->batch, 0, cell->units), .dtype = cell->dtype);
    if (backwards)
        y = gt_flip(y, .axis = 0);
    return gt_swapaxes(y, 0, 1);
}

/* The outputs of a step: the states, and h once more where it is to be stacked. */
static gt_Status step_done(const Cell *cell, int states, gt_Tensor **outputs)
{
    if (cell->sequences)
        outputs[states] = outputs[0];
    return gt_status();
}

/* ---- LSTM ---- */

enum { IN, FORGET, NEW, OUT }; /* the order of the gates */

static gt_Status lstm_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Cell *cell = context;
    gt_Tensor *h = inputs[0], *c = inputs[1], *z[4];
    if (gt_split(gt_add(inputs[2], gt_matmul(h, cell->recurrent)), 4, z, .axis = -1) != GT_OK)
        return gt_status();
    c = gt_add(gt_multiply(gt_sigmoid(z[FORGET]), c),
               gt_multiply(gt_sigmoid(z[IN]), gt_tanh(z[NEW])));
    outputs[0] = gt_multiply(gt_sigmoid(z[OUT]), gt_tanh(c));
    outputs[1] = c;
    return step_done(cell, 2, outputs);
}

static gt_Tensor *lstm(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel,
                       gt_Tensor *bias, const gt_lstm_options *given)
{
    Cell cell;
    gt_lstm_options options = GT_TAKE(gt_lstm_options, given);
    if (!open_cell(&cell, x, kernel, recurrent_kernel, 4, options.return_sequences) ||
        !fits(&cell, "bias", bias, gt_shape(4 * cell.units)))
        return NULL;
    gt_Tensor *state[2] = {initial_of(&cell, x, "initial_h", options.initial_h),
                           initial_of(&cell, x, "initial_c", options.initial_c)};
    gt_Tensor *y =
        run_steps(lstm_step, &cell, products_of(x, kernel, bias), 2, state, options.go_backwards);
    if (options.final_h)
        *options.final_h = y ? state[0] : NULL;
    if (options.final_c)
        *options.final_c = y ? state[1] : NULL;
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

/* ---- GRU ---- */

/* z h + (1 - z) tanh(g) */
static gt_Status gru_done(const Cell *cell, gt_Tensor *z, gt_Tensor *h, gt_Tensor *g,
                          gt_Tensor **outputs)
{
    gt_Tensor *fresh = gt_tanh(g);
    outputs[0] = gt_add(fresh, gt_multiply(z, gt_subtract(h, fresh)));
    return step_done(cell, 1, outputs);
}

static gt_Status gru_step(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Cell *cell = context;
    gt_Tensor *h = inputs[0], *of_x[3], *of_h[3];
    gt_Tensor *product = gt_matmul(h, cell->recurrent);
    if (cell->bias)
        product = gt_add(product, cell->bias);
    if (gt_split(inputs[1], 3, of_x, .axis = -1) != GT_OK ||
        gt_split(product, 3, of_h, .axis = -1) != GT_OK)
        return gt_status();
    gt_Tensor *z = gt_sigmoid(gt_add(of_x[0], of_h[0])), *r = gt_sigmoid(gt_add(of_x[1], of_h[1]));
    return gru_done(cell, z, h, gt_add(of_x[2], gt_multiply(r, of_h[2])), outputs);
}

/* The gates come first: the product of r h has to wait for r. */
static gt_Status gru_step_reset_before(void *context, gt_Tensor *const *inputs, gt_Tensor **outputs)
{
    const Cell *cell = context;
    gt_Tensor *h = inputs[0], *of_x[3], *of_h[2];
    if (gt_split(inputs[1], 3, of_x, .axis = -1) != GT_OK ||
        gt_split(gt_matmul(h, cell->recurrent), 2, of_h, .axis = -1) != GT_OK)
        return gt_status();
    gt_Tensor *z = gt_sigmoid(gt_add(of_x[0], of_h[0])), *r = gt_sigmoid(gt_add(of_x[1], of_h[1]));
    gt_Tensor *g = gt_add(of_x[2], gt_matmul(gt_multiply(r, h), cell->candidate));
    return gru_done(cell, z, h, g, outputs);
}

static gt_Tensor *gru(gt_Tensor *x, gt_Tensor *kernel, gt_Tensor *recurrent_kernel, gt_Tensor *bias,
                      const gt_gru_options *given)
{
    Cell cell;
    gt_gru_options options = GT_TAKE(gt_gru_options, given);
    if (!open_cell(&cell, x, kernel, recurrent_kernel, 3, options.return_sequences))
        return NULL;
    int64_t u = cell.units;
    if (!fits(&cell, "bias", bias, options.reset_after ? gt_shape(2, 3 * u) : gt_shape(3 * u)))
        return NULL;
    if (!options.reset_after) {
        cell.recurrent = gt_slice(recurrent_kernel, gt_shape(0, 0), gt_shape(u, 2 * u));
        cell.candidate = gt_slice(recurrent_kernel, gt_shape(0, 2 * u), gt_shape(u, u));
    } else if (bias) {
        cell.bias = gt_slice(bias, gt_shape(1, 0), gt_shape(1, 3 * u));
        bias = gt_slice(bias, gt_shape(0, 0), gt_shape(1, 3 * u));
    }
    gt_Tensor *state = initial_of(&cell, x, "initial_h", options.initial_h);
    gt_Tensor *y = run_steps(options.reset_after ? gru_step : gru_step_reset_before, &cell,
                             products_of(x, kernel, bias), 1, &state, options.go_backwards);
    if (options.final_h)
        *options.final_h = y ? state : NULL;
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
