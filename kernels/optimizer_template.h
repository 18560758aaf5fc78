/* The loops of optimizer.c for one element type, GT_T. Included once for each; not a header. */

static inline void GT_NAME(adam_pass)(bool has_hat, int64_t n, GT_T *restrict w, GT_T *restrict m,
                                      GT_T *restrict v, GT_T *restrict v_hat,
                                      const GT_T *restrict g, const gt_AdamNumbers *numbers)
{
    const GT_T alpha = (GT_T)numbers->alpha, epsilon = (GT_T)numbers->epsilon;
    const GT_T rest_1 = (GT_T)(1.0 - numbers->beta_1), rest_2 = (GT_T)(1.0 - numbers->beta_2);
    const GT_T decay = (GT_T)numbers->decay;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T mean = m[i] + (g[i] - m[i]) * rest_1;
        GT_T variance = v[i] + (g[i] * g[i] - v[i]) * rest_2;
        m[i] = mean;
        v[i] = variance;
        if (has_hat) {
            GT_T hat = v_hat[i];
            variance = ((hat > variance) | (hat != hat)) ? hat : variance;
            v_hat[i] = variance;
        }
        w[i] = weight - alpha * mean / (GT_SQRT(variance) + epsilon);
    }
}

void GT_KERNEL(GT_NAME(adam))(int64_t n, void *w, void *m, void *v, void *v_hat, const void *g,
                              const gt_AdamNumbers *numbers)
{
    if (v_hat)
        GT_NAME(adam_pass)(true, n, w, m, v, v_hat, g, numbers);
    else
        GT_NAME(adam_pass)(false, n, w, m, v, NULL, g, numbers);
}

static inline void GT_NAME(sgd_pass)(bool has_momentum, bool nesterov, int64_t n, GT_T *restrict w,
                                     GT_T *restrict momentum, const GT_T *restrict g,
                                     const gt_SgdNumbers *numbers)
{
    const GT_T rate = (GT_T)numbers->learning_rate, mu = (GT_T)numbers->momentum;
    const GT_T decay = (GT_T)numbers->decay;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T step = -(rate * g[i]);
        if (has_momentum) {
            GT_T m = mu * momentum[i] + step;
            momentum[i] = m;
            step = nesterov ? mu * m + step : m;
        }
        w[i] = weight + step;
    }
}

void GT_KERNEL(GT_NAME(sgd))(int64_t n, void *w, void *momentum, const void *g,
                             const gt_SgdNumbers *numbers)
{
    if (!momentum)
        GT_NAME(sgd_pass)(false, false, n, w, NULL, g, numbers);
    else if (numbers->nesterov)
        GT_NAME(sgd_pass)(true, true, n, w, momentum, g, numbers);
    else
        GT_NAME(sgd_pass)(true, false, n, w, momentum, g, numbers);
}

#undef GT_T
#undef GT_NAME
#undef GT_SQRT
