/* Numbers of the gamma and of the beta distribution, for layers of images.
 *
 * A number of the gamma distribution with shape a >= 1 (G. Marsaglia, W. Tsang, A Simple Method for Generating Gamma
 * Variables, 2000): with d = a - 1/3, a normal number z and v = (1 + z / (3 sqrt d))^3, it is d v if v > 0 and
 * log u < z^2 / 2 + d (1 - v + log v), u even from (0, 1]; else one tries again. More than 95 % of all pairs are good,
 * so that of TRIES, all drawn at once, none is with a probability below 1e-20, and the first good one is taken. For a
 * below 1 one of a + 1 is multiplied by u^(1/a); here that is done for any a. */
#include "layers/preprocessing/images.h"
#include "ops/array/cast.h"
#include "ops/array/creation.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/compare.h"
#include "ops/math/math.h"
#include "ops/math/random.h"
#include "ops/math/reduce.h"
#include "ops/nn/activation.h"

enum { TRIES = 16 };

/* Logarithms of numbers from (0, 1]. */
static gt_Tensor *log_uniform(gt_Layer *layer, gt_Tensor *like)
{
    gt_Tensor *u = gt_uniform_like(like, .generator = ((gt_ImageLayer *)layer)->generator);
    return gt_log(gt_add(gt_negative(u), 1));
}

/* Of numbers with shape alpha + 1, the first good one of the tries. */
static gt_Tensor *log_large_gamma(gt_Layer *layer, gt_Tensor *like, gt_Tensor *alpha)
{
    gt_Variable *generator = ((gt_ImageLayer *)layer)->generator;
    gt_Tensor *tries = gt_zeros(gt_shape(TRIES, 1, 1, 1, 1), .dtype = gt_dtype(like));
    tries = gt_add(tries, gt_zeros_like(like));
    gt_Tensor *z = gt_normal_like(tries, .generator = generator);
    gt_Tensor *d = gt_add(alpha, 1 - 1.0 / 3);
    gt_Tensor *root = gt_add(gt_divide(z, gt_multiply(gt_sqrt(d), 3)), 1);
    gt_Tensor *log_v = gt_multiply(gt_log(gt_maximum(root, 1e-30)), 3);
    gt_Tensor *v = gt_power(root, 3);
    gt_Tensor *most = gt_multiply(d, gt_add(gt_subtract(log_v, v), 1));
    most = gt_add(most, gt_multiply(gt_square(z), 0.5));
    gt_Tensor *good = gt_logical_and(gt_greater(root, 0), gt_less(log_uniform(layer, tries), most));
    gt_Tensor *first = gt_argmax(gt_cast(good, GT_INT32), .axis = 0, .keepdims = true);
    gt_Tensor *value = gt_add(log_v, gt_log(d));
    return gt_squeeze(gt_take_along_axis(value, first, .axis = 0), .axis = 0);
}

gt_Tensor *gt_draw_log_gamma(gt_Layer *layer, gt_Tensor *like, gt_Tensor *alpha)
{
    gt_Tensor *large = log_large_gamma(layer, like, alpha);
    return gt_add(large, gt_divide(log_uniform(layer, like), alpha));
}

/* a / (a + b) = 1 / (1 + e^(log b - log a)) */
gt_Tensor *gt_draw_beta(gt_Layer *layer, gt_Tensor *like, gt_Tensor *alpha)
{
    gt_Tensor *a = gt_draw_log_gamma(layer, like, alpha);
    return gt_sigmoid(gt_subtract(a, gt_draw_log_gamma(layer, like, alpha)));
}
