/* The loops of optimizer.c for one element type, GT_T. Included once for each; not a header. The
 * order of operations is that of the expressions; every constant is rounded to GT_T first. */

/* Beside Adam's: `h` is NULL without amsgrad. NaN in v or h stays. */
static inline void GT_NAME(adam_pass)(bool has_hat, int64_t n, GT_T *restrict w, GT_T *restrict m,
                                      GT_T *restrict v, GT_T *restrict h, const GT_T *restrict g,
                                      const gt_AdamJob *job, double alpha_wide, double decay_wide)
{
    const GT_T alpha = (GT_T)alpha_wide, epsilon = (GT_T)job->epsilon;
    const GT_T rest_1 = (GT_T)(1.0 - job->beta_1), rest_2 = (GT_T)(1.0 - job->beta_2);
    const GT_T decay = (GT_T)decay_wide;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T mean = m[i] + (g[i] - m[i]) * rest_1;
        GT_T variance = v[i] + (g[i] * g[i] - v[i]) * rest_2;
        m[i] = mean;
        v[i] = variance;
        if (has_hat) {
            GT_T hat = h[i];
            variance = ((hat > variance) | (hat != hat)) ? hat : variance;
            h[i] = variance;
        }
        w[i] = weight - alpha * mean / (GT_SQRT(variance) + epsilon);
    }
}

static void GT_NAME(adam)(const Part *part, const void *given, double alpha, double decay)
{
    const gt_AdamJob *job = given;
    if (job->update.slots > 2)
        GT_NAME(adam_pass)
    (true, part->n, part->to[0], part->to[1], part->to[2], part->to[3], part->g, job, alpha, decay);
    else GT_NAME(adam_pass)(false, part->n, part->to[0], part->to[1], part->to[2], NULL, part->g,
                            job, alpha, decay);
}

static inline void GT_NAME(sgd_pass)(bool has_momentum, bool nesterov, int64_t n, GT_T *restrict w,
                                     GT_T *restrict momentum, const GT_T *restrict g, GT_T rate,
                                     GT_T mu, GT_T decay)
{
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

static void GT_NAME(sgd)(const Part *part, const void *given, double rate, double decay)
{
    const gt_SgdJob *job = given;
    const GT_T lr = (GT_T)rate, mu = (GT_T)job->momentum, less = (GT_T)decay;
    if (job->update.slots == 0)
        GT_NAME(sgd_pass)(false, false, part->n, part->to[0], NULL, part->g, lr, mu, less);
    else if (job->nesterov)
        GT_NAME(sgd_pass)(true, true, part->n, part->to[0], part->to[1], part->g, lr, mu, less);
    else
        GT_NAME(sgd_pass)(true, false, part->n, part->to[0], part->to[1], part->g, lr, mu, less);
}

static void GT_NAME(accumulate)(int64_t n, void *to, const void *from, double momentum)
{
    GT_T *restrict sum = to;
    const GT_T *restrict g = from;
    (void)momentum;
    for (int64_t i = 0; i < n; i++)
        sum[i] = sum[i] + g[i];
}

static void GT_NAME(average)(int64_t n, void *to, const void *from, double momentum)
{
    GT_T *restrict average = to;
    const GT_T *restrict w = from;
    const GT_T m = (GT_T)momentum;
    for (int64_t i = 0; i < n; i++)
        average[i] = (average[i] - w[i]) * m + w[i];
}

#undef GT_T
#undef GT_NAME
#undef GT_SQRT
