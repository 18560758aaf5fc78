/* Between the gradient rules and the library, for tools/mutate-gradients: linked with
 * --wrap=gt_give_at, it makes one rule wrong on purpose. GT_MUTATE says which, "operation:input:kind",
 * with a kind of
 *     negate   the gradient has the other sign
 *     drop     it is zero
 *     last     the last element that is not zero is a hundredth too large
 * Without GT_MUTATE nothing is changed; with GT_MUTATE=list every gradient given is named in the
 * file that GT_MUTATE_LIST names, with "zero" behind it if all of it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/structs.h"
#include "gradtape.h"

gt_Status __real_gt_give_at(const char *here, gt_GradientRule *rule, int input, gt_Tensor *gradient);
gt_Status __wrap_gt_give_at(const char *here, gt_GradientRule *rule, int input, gt_Tensor *gradient);

static gt_Tensor *times(gt_Tensor *gradient, double factor, double factor_of_last)
{
    const gt_Spec spec = gt_spec(gradient);
    double *factors = malloc(((size_t)spec.size + 1) * sizeof *factors);
    int64_t last = spec.size - 1;
    while (last > 0 && gt_element(gradient, last) == 0)
        last--;
    for (int64_t i = 0; i < spec.size; i++)
        factors[i] = i == last ? factor_of_last : factor;
    gt_Tensor *mask = gt_from_values_at(NULL, gt_spec_shape(&spec), spec.dtype, spec.size, factors);
    free(factors);
    return gt_multiply(gradient, mask);
}

gt_Status __wrap_gt_give_at(const char *here, gt_GradientRule *rule, int input, gt_Tensor *gradient)
{
    const char *wanted = getenv("GT_MUTATE");
    char name[128];
    int length = snprintf(name, sizeof name, "%s:%d:", rule->record->operation->name, input);
    if (wanted && gradient && strcmp(wanted, "list") == 0) {
        FILE *list = fopen(getenv("GT_MUTATE_LIST"), "a");
        if (list) {
            int64_t zeros = 0, size = gt_size(gradient);
            while (zeros < size && gt_element(gradient, zeros) == 0)
                zeros++;
            fprintf(list, "%s%s\n", name, zeros == size ? " zero" : "");
            fclose(list);
        }
    } else if (wanted && gradient && strncmp(wanted, name, (size_t)length) == 0) {
        const char *kind = wanted + length;
        if (strcmp(kind, "negate") == 0)
            gradient = times(gradient, -1, -1);
        else if (strcmp(kind, "drop") == 0)
            gradient = times(gradient, 0, 0);
        else
            gradient = times(gradient, 1, 1.01);
    }
    return __real_gt_give_at(here, rule, input, gradient);
}
