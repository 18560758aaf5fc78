/* What tests over the table of operations share: numbers for a sample, one call of an operation. */
#ifndef GT_TESTS_OPERATIONS_H
#define GT_TESTS_OPERATIONS_H

#include "gradtape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_INPUTS = 10, CASE_NUMBERS = 512 };

/* One sample with its numbers, all as doubles. */
typedef struct Case {
    const gt_Operation *operation;
    const gt_Sample *sample;
    gt_DType real; /* what the real inputs are made as */
    int64_t size[CASE_INPUTS];
    double numbers[CASE_INPUTS][CASE_NUMBERS];
} Case;

static inline double next_uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static inline bool acceptable(const gt_SampleInput *input, const double *numbers, int64_t i)
{
    double x = numbers[i];
    if (input->gap > 0 && fabs(x - input->every * round(x / input->every)) < input->gap)
        return false;
    for (int64_t k = 0; input->distinct && k < i; k++)
        if (fabs(numbers[k] - x) < 1e-2)
            return false;
    return true;
}

/* What number k of a matrix has on top of its random number. */
static inline double on_diagonal(const gt_SampleInput *input, int64_t k)
{
    const gt_Shape *shape = &input->shape;
    if (input->diagonal == 0 || shape->rank < 2)
        return 0;
    int64_t columns = shape->dims[shape->rank - 1], rows = shape->dims[shape->rank - 2];
    int64_t row = k / columns % rows;
    return k % columns == row ? input->diagonal * (double)(row + 1) : 0;
}

static inline void fill_case(Case *c, const gt_Operation *operation, const gt_Sample *sample,
                             gt_DType real)
{
    uint64_t state = 12345;
    c->operation = operation;
    c->sample = sample;
    c->real = real;
    for (int i = 0; i < sample->inputs; i++) {
        const gt_SampleInput *input = &sample->input[i];
        c->size[i] = 1;
        for (int d = 0; d < input->shape.rank; d++)
            c->size[i] *= input->shape.dims[d];
        for (int64_t k = 0; k < c->size[i] && k < CASE_NUMBERS; k++)
            do {
                /* Every other number from the upper half: a few show both sides of a kink. */
                double u = ((double)(k % 2) + next_uniform(&state)) / 2;
                double x = input->low + (input->high - input->low) * u;
                if (!gt_dtype_is_float(input->dtype))
                    x = floor(x);
                else if (input->every > 0 && input->gap == 0)
                    x = input->every * floor(x / input->every);
                else
                    x += on_diagonal(input, k);
                c->numbers[i][k] = x;
            } while (!acceptable(input, c->numbers[i], k));
    }
}

static inline gt_DType case_type(const Case *c, int i)
{
    gt_DType dtype = c->sample->input[i].dtype;
    return gt_dtype_is_float(dtype) ? c->real : dtype;
}

static inline gt_Tensor *case_input(const Case *c, int i)
{
    if (c->sample->input[i].dtype == GT_DTYPE_NONE)
        return NULL;
    return gt_from_values_at(NULL, c->sample->input[i].shape, case_type(c, i), c->size[i],
                             c->numbers[i]);
}

static inline void case_inputs(const Case *c, gt_Tensor **inputs)
{
    for (int i = 0; i < c->sample->inputs; i++)
        inputs[i] = case_input(c, i);
}

/* The results have no masks: what is done with them is not the operation's. */
static inline gt_Status case_apply(const Case *c, gt_Tensor **inputs, gt_Tensor **outputs)
{
    gt_apply_at(NULL, c->operation, c->sample->options, c->sample->inputs, inputs, outputs);
    for (int k = 0; k < c->operation->outputs && c->operation->flags & GT_OP_MASKS; k++)
        outputs[k] = gt_unmask(outputs[k]);
    return gt_status();
}

/* Can this build run the case at all? Linear algebra may lack its LAPACK. */
static inline bool case_possible(const Case *c)
{
    gt_Tensor *in[CASE_INPUTS], *out[GT_MAX_OUTPUTS];
    gt_Scope *scope = gt_scope_begin();
    case_inputs(c, in);
    bool lacks = case_apply(c, in, out) == GT_UNSUPPORTED && strstr(gt_error_message(), "OpenBLAS");
    if (lacks)
        gt_error_clear();
    gt_scope_end(scope);
    return !lacks;
}

#endif
