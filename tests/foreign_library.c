/* A library that tests/test_foreign.c opens: functions that know nothing of gradtape. */
#include <stddef.h>

void cube(const double *x, double *y, size_t n);
void cube_slope(const double *x, const double *dy, double *dx, size_t n);

void cube(const double *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * x[i] * x[i];
}

void cube_slope(const double *x, const double *dy, double *dx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = 3 * x[i] * x[i] * dy[i];
}
