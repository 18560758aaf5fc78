/* A law of physics with bounds: what a glowing filament radiates, 1908's way of measuring high temperatures.
 *
 * Six measurements of the energy E that a carbon filament radiates at absolute temperature T (E. S. Keeping, 1962; NIST's dataset
 * DanWood). The law of Stefan and Boltzmann says E = a T^4; a real filament also loses heat by conduction, c (T - T0). Three fits:
 *
 *   the exponent free                      what do the data say by themselves?
 *   exponent 4, which is held frozen, and conduction     as physics has it: c comes out as it likes
 *   the same with c <= 0.01, a, c >= 0     with what is known from elsewhere: bounds
 *
 * Temperatures are in 1000 K, energies in watt per square centimetre. */
#include "example.h"

typedef struct {
    gt_Tensor *temperature, *energy;
    gt_Variable *a, *exponent, *c;
} Filament;

static gt_Status residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    const Filament *f = context;
    gt_Tensor *radiated = gt_multiply(f->a, gt_power(f->temperature, f->exponent));
    gt_Tensor *conducted = gt_multiply(f->c, gt_subtract(f->temperature, 0.293));
    out[0] = gt_subtract(gt_add(radiated, conducted), f->energy);
    return gt_status();
}

static double fit(const char *what, Filament *f, gt_Tensor *lower, gt_Tensor *upper)
{
    gt_Solution *solution = gt_least_squares(residual, f, gt_tensors(f->a, f->exponent, f->c),
                                             .lower = lower, .upper = upper);
    gt_SolverReport report = gt_solution_report(solution);
    printf("%s\n%s\n", what, gt_solution_text(solution));
    gt_solution_free(solution);
    return report.sum_of_squares;
}

int main(int count, char **arguments)
{
    example_begin(count, arguments);
    Filament f = {gt_array64(gt_shape(6), 1.309, 1.471, 1.490, 1.565, 1.611, 1.680),
                  gt_array64(gt_shape(6), 2.138, 3.421, 3.597, 4.340, 4.882, 5.660),
                  gt_variable(gt_scalar(1, GT_FLOAT64), .name = "a"),
                  gt_variable(gt_scalar(5, GT_FLOAT64), .name = "exponent"),
                  gt_variable(gt_scalar(0, GT_FLOAT64), .name = "c")};
    const double four = 4, none = 0;
    gt_variable_set_trainable(f.c, false);
    fit("E = a T^exponent", &f, NULL, NULL);
    double exponent = gt_item(f.exponent);

    gt_variable_set(f.exponent, &four, sizeof four);
    gt_variable_set_trainable(f.exponent, false);
    gt_variable_set_trainable(f.c, true);
    fit("E = a T^4 + c (T - T0)", &f, NULL, NULL);
    double conduction = gt_item(f.c);

    gt_variable_set(f.c, &none, sizeof none);
    fit("the same with 0 <= a, 0 <= c <= 0.01", &f, gt_scalar(0, GT_FLOAT64),
        gt_array64(gt_shape(2), INFINITY, 0.01));
    bool held = gt_item(f.c) == 0.01 && conduction > 0.01;

    gt_variable_free(f.a);
    gt_variable_free(f.exponent);
    gt_variable_free(f.c);
    return example_end(held ? "exponent" : "exponent (and the bound does not hold)",
                       held ? exponent : NAN, 3.85, 3.87);
}
