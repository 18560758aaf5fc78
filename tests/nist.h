/* NIST's Statistical Reference Datasets for nonlinear regression (tests/data/nist, in the public domain): the 27 models as
 * operations, and a reader of the files. For test_least_squares.c and bench/nist.c. */
#ifndef GT_TESTS_NIST_H
#define GT_TESTS_NIST_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../gradtape.h"

enum { NIST_MOST = 9, NIST_ROWS = 256, NIST_PROBLEMS = 27 };

typedef gt_Tensor *T;
typedef T NistModel(T const *b, T x, T x2);

typedef struct Nist {
    const char *name;
    NistModel *model;
    int parameters;
    bool log_y; /* the logarithm of y is fitted */
    /* from the file */
    int rows;
    double start[2][NIST_MOST], value[NIST_MOST], deviation[NIST_MOST], sum_of_squares;
    double y[NIST_ROWS], x[NIST_ROWS], x2[NIST_ROWS];
} Nist;

#define M(a, b) gt_multiply(a, b)
#define A(a, b) gt_add(a, b)
#define S(a, b) gt_subtract(a, b)
#define D(a, b) gt_divide(a, b)
#define N(a)    gt_negative(a)

static inline T nist_misra1a(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], N(gt_expm1(N(M(b[1], x)))));
}
static inline T nist_chwirut(T const *b, T x, T x2)
{
    (void)x2;
    return D(gt_exp(N(M(b[0], x))), A(b[1], M(b[2], x)));
}
static inline T nist_lanczos(T const *b, T x, T x2)
{
    (void)x2;
    T first = M(b[0], gt_exp(N(M(b[1], x)))), second = M(b[2], gt_exp(N(M(b[3], x))));
    return A(A(first, second), M(b[4], gt_exp(N(M(b[5], x)))));
}
static inline T nist_peak(T height, T centre, T width, T x)
{
    return M(height, gt_exp(N(gt_square(D(S(x, centre), width)))));
}
static inline T nist_gauss(T const *b, T x, T x2)
{
    (void)x2;
    T decay = M(b[0], gt_exp(N(M(b[1], x))));
    return A(A(decay, nist_peak(b[2], b[3], b[4], x)), nist_peak(b[5], b[6], b[7], x));
}
static inline T nist_danwood(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], gt_power(x, b[1]));
}
static inline T nist_misra1b(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], S(gt_scalar(1, GT_FLOAT64), gt_reciprocal(gt_square(A(M(M(b[1], x), 0.5), 1)))));
}
static inline T nist_kirby2(T const *b, T x, T x2)
{
    (void)x2;
    return D(A(b[0], M(x, A(b[1], M(x, b[2])))), A(M(x, A(b[3], M(x, b[4]))), 1));
}
static inline T nist_hahn(T const *b, T x, T x2)
{
    (void)x2;
    T above = A(b[0], M(x, A(b[1], M(x, A(b[2], M(x, b[3]))))));
    return D(above, A(M(x, A(b[4], M(x, A(b[5], M(x, b[6]))))), 1));
}
static inline T nist_nelson(T const *b, T x, T x2)
{
    return S(b[0], M(M(b[1], x), gt_exp(N(M(b[2], x2)))));
}
static inline T nist_mgh17(T const *b, T x, T x2)
{
    (void)x2;
    return A(b[0], A(M(b[1], gt_exp(N(M(x, b[3])))), M(b[2], gt_exp(N(M(x, b[4]))))));
}
static inline T nist_roszman1(T const *b, T x, T x2)
{
    (void)x2;
    return S(S(b[0], M(b[1], x)), D(gt_arctan(D(b[2], S(x, b[3]))), 3.141592653589793238));
}
static inline T nist_misra1c(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], S(gt_scalar(1, GT_FLOAT64), gt_reciprocal(gt_sqrt(A(M(M(b[1], x), 2), 1)))));
}
static inline T nist_misra1d(T const *b, T x, T x2)
{
    (void)x2;
    T bx = M(b[1], x);
    return D(M(b[0], bx), A(bx, 1));
}
static inline T nist_wave(T period, T cosine, T sine, T x)
{
    T angle = D(M(x, 2 * 3.141592653589793238), period);
    return A(M(cosine, gt_cos(angle)), M(sine, gt_sin(angle)));
}
static inline T nist_enso(T const *b, T x, T x2)
{
    (void)x2;
    T year = nist_wave(gt_scalar(12, GT_FLOAT64), b[1], b[2], x);
    return A(A(b[0], year), A(nist_wave(b[3], b[4], b[5], x), nist_wave(b[6], b[7], b[8], x)));
}
static inline T nist_mgh09(T const *b, T x, T x2)
{
    (void)x2;
    return D(M(b[0], M(x, A(x, b[1]))), A(M(x, A(x, b[2])), b[3]));
}
static inline T nist_rat42(T const *b, T x, T x2)
{
    (void)x2;
    return D(b[0], A(gt_exp(S(b[1], M(b[2], x))), 1));
}
static inline T nist_rat43(T const *b, T x, T x2)
{
    (void)x2;
    return D(b[0], gt_power(A(gt_exp(S(b[1], M(b[2], x))), 1), gt_reciprocal(b[3])));
}
static inline T nist_eckerle4(T const *b, T x, T x2)
{
    (void)x2;
    return M(D(b[0], b[1]), gt_exp(M(gt_square(D(S(x, b[2]), b[1])), -0.5)));
}
static inline T nist_bennett5(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], gt_power(A(b[1], x), N(gt_reciprocal(b[2]))));
}
static inline T nist_mgh10(T const *b, T x, T x2)
{
    (void)x2;
    return M(b[0], gt_exp(D(b[1], A(x, b[2]))));
}

#undef M
#undef A
#undef S
#undef D
#undef N

static const struct {
    const char *name;
    NistModel *model;
    int parameters;
} nist_problems[NIST_PROBLEMS] = {
    {"Misra1a", nist_misra1a, 2},   {"Chwirut2", nist_chwirut, 3}, {"Chwirut1", nist_chwirut, 3},
    {"Lanczos3", nist_lanczos, 6},  {"Gauss1", nist_gauss, 8},     {"Gauss2", nist_gauss, 8},
    {"DanWood", nist_danwood, 2},   {"Misra1b", nist_misra1b, 2},  {"Kirby2", nist_kirby2, 5},
    {"Hahn1", nist_hahn, 7},        {"Nelson", nist_nelson, 3},    {"MGH17", nist_mgh17, 5},
    {"Lanczos1", nist_lanczos, 6},  {"Lanczos2", nist_lanczos, 6}, {"Gauss3", nist_gauss, 8},
    {"Misra1c", nist_misra1c, 2},   {"Misra1d", nist_misra1d, 2},  {"Roszman1", nist_roszman1, 4},
    {"ENSO", nist_enso, 9},         {"MGH09", nist_mgh09, 4},      {"Thurber", nist_hahn, 7},
    {"BoxBOD", nist_misra1a, 2},    {"Rat42", nist_rat42, 3},      {"MGH10", nist_mgh10, 3},
    {"Eckerle4", nist_eckerle4, 3}, {"Rat43", nist_rat43, 4},      {"Bennett5", nist_bennett5, 3},
};

/* Reads problem `index` from a folder; false with a line on stderr if that is not possible. */
static inline bool nist_read(Nist *self, int index, const char *folder)
{
    char path[1100], line[512], *at;
    *self = (Nist){.name = nist_problems[index].name,
                   .model = nist_problems[index].model,
                   .parameters = nist_problems[index].parameters};
    self->log_y = strcmp(self->name, "Nelson") == 0;
    snprintf(path, sizeof path, "%.1024s/%s.dat", folder, self->name);
    FILE *file = fopen(path, "r");
    int found = 0, first = 0, last = 0, k;
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        return false;
    }
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        if ((at = strstr(line, "Data              (lines")))
            sscanf(at, "Data (lines %d to %d", &first, &last);
        double v[4];
        if (number < first &&
            sscanf(line, " b%d = %lf %lf %lf %lf", &k, v, v + 1, v + 2, v + 3) == 5 && k >= 1 &&
            k <= NIST_MOST) {
            self->start[0][k - 1] = v[0];
            self->start[1][k - 1] = v[1];
            self->value[k - 1] = v[2];
            self->deviation[k - 1] = v[3];
            found++;
        }
        if (strstr(line, "Residual Sum of Squares:"))
            self->sum_of_squares = strtod(strchr(line, ':') + 1, NULL);
        if (first && number >= first && number <= last && self->rows < NIST_ROWS &&
            sscanf(line, "%lf %lf %lf", &self->y[self->rows], &self->x[self->rows],
                   &self->x2[self->rows]) >= 2)
            self->rows++;
    }
    fclose(file);
    for (int i = 0; self->log_y && i < self->rows; i++)
        self->y[i] = log(self->y[i]);
    bool good = found == self->parameters && self->rows == last - first + 1;
    if (!good)
        fprintf(stderr, "%s: found %d parameters, %d rows of %d\n", path, found, self->rows,
                last - first + 1);
    return good;
}

/* The residuals; `context` is a NistFit. */
typedef struct NistFit {
    const Nist *problem;
    gt_Tensor *x, *x2, *y;
    gt_Variable *b[NIST_MOST];
} NistFit;

static inline gt_Status nist_residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)in;
    NistFit *fit = context;
    out[0] = gt_subtract(fit->problem->model(fit->b, fit->x, fit->x2), fit->y);
    return gt_status();
}

/* Variables at one of the two starts, data as tensors of the innermost scope. */
static inline void nist_begin(NistFit *fit, const Nist *problem, int start)
{
    gt_Shape rows = gt_shape(problem->rows);
    *fit = (NistFit){.problem = problem};
    fit->x = gt_from_data(problem->x, rows, GT_FLOAT64);
    fit->x2 = gt_from_data(problem->x2, rows, GT_FLOAT64);
    fit->y = gt_from_data(problem->y, rows, GT_FLOAT64);
    for (int i = 0; i < problem->parameters; i++) {
        char name[16];
        snprintf(name, sizeof name, "b%d", i + 1);
        fit->b[i] = gt_variable(gt_scalar(problem->start[start][i], GT_FLOAT64), .name = name);
    }
}

static inline void nist_end(NistFit *fit)
{
    for (int i = 0; i < NIST_MOST; i++)
        gt_variable_free(fit->b[i]);
}

/* Common digits of a value with the certified one: -log10 of the relative error, 0 to 11. */
static inline double nist_digits(double value, double certified)
{
    double error = fabs(value - certified) / fabs(certified);
    return !(error < 1) ? 0 : error < 1e-11 ? 11 : -log10(error);
}

#endif
