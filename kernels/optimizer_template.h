/* The loops of optimizer.c for one element type, GT_T. Included once for each; not a header. The
 * order of operations is that of the expressions; every constant is rounded to GT_T first. */

/* Beside Adam's: `h` is NULL without amsgrad. NaN in v or h stays. */
static inline void GT_NAME(adam_pass)(bool has_hat, const Part *part, GT_T *restrict w,
                                      GT_T *restrict m, GT_T *restrict v, GT_T *restrict h,
                                      const gt_AdamJob *job, double alpha_wide, double decay_wide)
{
    const GT_T *restrict given = part->g;
    const GT_T first = (GT_T)part->first, second = (GT_T)part->second;
    const GT_T alpha = (GT_T)alpha_wide, epsilon = (GT_T)job->epsilon;
    const GT_T rest_1 = (GT_T)(1.0 - job->beta_1), rest_2 = (GT_T)(1.0 - job->beta_2);
    const GT_T decay = (GT_T)decay_wide;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < part->n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T g = given[i] * first * second;
        GT_T mean = m[i] + (g - m[i]) * rest_1;
        GT_T variance = v[i] + (g * g - v[i]) * rest_2;
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
    (true, part, part->to[0], part->to[1], part->to[2], part->to[3], job, alpha, decay);
    else GT_NAME(adam_pass)(false, part, part->to[0], part->to[1], part->to[2], NULL, job, alpha,
                            decay);
}

static inline void GT_NAME(sgd_pass)(bool has_momentum, bool nesterov, const Part *part,
                                     GT_T *restrict w, GT_T *restrict momentum, GT_T rate, GT_T mu,
                                     GT_T decay)
{
    const GT_T *restrict g = part->g;
    const GT_T first = (GT_T)part->first, second = (GT_T)part->second;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < part->n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T step = -(rate * (g[i] * first * second));
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
        GT_NAME(sgd_pass)(false, false, part, part->to[0], NULL, lr, mu, less);
    else if (job->nesterov)
        GT_NAME(sgd_pass)(true, true, part, part->to[0], part->to[1], lr, mu, less);
    else
        GT_NAME(sgd_pass)(true, false, part, part->to[0], part->to[1], lr, mu, less);
}

#ifndef GT_RARE_ELSEWHERE
/* a[i] += g^2, then w[i] -= g rate / sqrt(a[i] + epsilon), in this order. */
static void GT_NAME(adagrad)(const Part *part, const void *given, double rate_wide,
                             double decay_wide)
{
    const gt_AdagradJob *job = given;
    GT_T *restrict w = part->to[0], *restrict a = part->to[1];
    const GT_T *restrict slope = part->g;
    const GT_T first = (GT_T)part->first, second = (GT_T)part->second;
    const GT_T rate = (GT_T)rate_wide, epsilon = (GT_T)job->epsilon, decay = (GT_T)decay_wide;
    const bool has_decay = decay != 0;
    for (int64_t i = 0; i < part->n; i++) {
        GT_T weight = has_decay ? w[i] - w[i] * decay : w[i];
        GT_T g = slope[i] * first * second;
        GT_T sum = a[i] + g * g;
        a[i] = sum;
        w[i] = weight - g * rate / GT_SQRT(sum + epsilon);
    }
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
#endif

#undef GT_T
#undef GT_NAME
#undef GT_SQRT
