/* Control flow as a row of test_replay.c calls it (a row finds its function by the text gt_NAME). */
#ifndef GT_TESTS_REPLAY_BODIES_H
#define GT_TESTS_REPLAY_BODIES_H

static gt_Status doubled_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], 2);
    return gt_status();
}

static gt_Status mean_body(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_subtract(in[0], gt_mean(in[0], .axis = -1, .keepdims = true));
    return gt_status();
}

/* Loop variables: a counter, a tensor. */
static gt_Status fewer_than_three(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_less(in[0], 3);
    return gt_status();
}

static gt_Status count_and_double(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    out[0] = gt_add(in[0], 1);
    return doubled_body(context, in + 1, out + 1);
}

/* The counter, the tensor. */
static gt_Status skip_counter(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    return mean_body(context, in + 1, out);
}

/* The sum so far, an element. */
static gt_Status running_sum(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_add(in[0], in[1]);
    out[1] = gt_multiply(out[0], in[1]);
    return gt_status();
}

static gt_Status pair_product(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    return gt_status();
}

/* x, the state -> the output, the state. */
static gt_Status averaging_cell(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    out[0] = gt_multiply(in[0], in[1]);
    out[1] = gt_multiply(gt_add(in[0], in[1]), 0.5);
    return gt_status();
}

static gt_Tensor *of_gt_cond(gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_cond(gt_scalar(0, GT_FLOAT32), doubled_body, mean_body, NULL, gt_tensors(x), &y);
    return y;
}

static gt_Tensor *of_gt_switch(gt_Tensor *x)
{
    const gt_FunctionBody bodies[] = {doubled_body, mean_body};
    gt_Tensor *y = NULL;
    gt_switch(gt_scalar(1, GT_INT32), bodies, 2, NULL, gt_tensors(x), &y);
    return y;
}

static gt_Tensor *of_gt_while_loop(gt_Tensor *x)
{
    gt_Tensor *y[2] = {NULL};
    gt_while_loop(fewer_than_three, count_and_double, NULL, gt_tensors(gt_scalar(0, GT_INT32), x),
                  y);
    return y[1];
}

static gt_Tensor *of_gt_fori_loop(gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_fori_loop(0, 3, skip_counter, NULL, gt_tensors(x), &y);
    return y;
}

static gt_Tensor *of_gt_scan(gt_Tensor *first, gt_Tensor *xs)
{
    gt_Tensor *last = NULL, *y = NULL;
    gt_scan(running_sum, NULL, gt_tensors(first), gt_tensors(xs), &last, &y);
    return gt_add(y, last);
}

static gt_Tensor *of_gt_map(gt_Tensor *xs)
{
    gt_Tensor *y = NULL;
    gt_map(mean_body, NULL, gt_tensors(xs), &y);
    return y;
}

static gt_Tensor *of_gt_associative_scan(gt_Tensor *x)
{
    gt_Tensor *y = NULL;
    gt_associative_scan(pair_product, NULL, gt_tensors(x), &y, .axis = -1);
    return y;
}

#endif
