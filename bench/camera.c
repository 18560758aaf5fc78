/* Bundle adjustment: the residuals of 30,000 points as cameras see them, two a row, and their Jacobian, as a plan with derivatives from
 * the tape and as C with derivatives by hand, in turns. Each row has a point and a camera of its own:
 *
 *     3 numbers     the point, seen by a camera of 11
 *     11 numbers    a camera: rotation vector, translation, focal length, principal point, two radial distortions
 *     15 numbers    a camera as OpenCV has it: two focal lengths, three radial and two tangential distortions
 *
 * Both Jacobians must agree to 1e-10. The last figure is what the library needs for what the C code does, least against least.
 * Leans on bench/probe.h.
 *
 * camera [--rounds N] [--rows N] [--profile] */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../gradtape.h"
#include "probe.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINT = 3, SMALL = 11, LARGE = 15, CASES = 3 };
static const int wide_of[CASES] = {POINT, SMALL, LARGE};

/* ---- with the library ---- */

static gt_Tensor *columns(gt_Tensor *x, int64_t from, int64_t count)
{
    return gt_slice(x, gt_shape(0, from), gt_shape(-1, count));
}

static gt_Tensor *dot(gt_Tensor *a, gt_Tensor *b)
{
    return gt_sum(gt_multiply(a, b), .axis = -1, .keepdims = true);
}

/* Rodrigues' rotation of x by r, rows of 3: x cos + (k x x) sin + k (k.x) (1 - cos), k the axis. */
static gt_Tensor *rotated(gt_Tensor *x, gt_Tensor *r)
{
    gt_Tensor *angle = gt_norm(r, .axis = -1, .keepdims = true), *k = gt_divide(r, angle);
    gt_Tensor *c = gt_cos(angle), *along = gt_multiply(dot(k, x), gt_add(gt_negative(c), 1));
    gt_Tensor *turned = gt_multiply(gt_cross(k, x), gt_sin(angle));
    return gt_add(gt_add(gt_multiply(x, c), turned), gt_multiply(k, along));
}

static gt_Tensor *projected(gt_Tensor *point, gt_Tensor *camera, bool large)
{
    gt_Tensor *seen = gt_add(rotated(point, columns(camera, 0, 3)), columns(camera, 3, 3));
    gt_Tensor *uv = gt_divide(columns(seen, 0, 2), columns(seen, 2, 1)), *r2 = dot(uv, uv);
    if (!large) {
        gt_Tensor *bend = gt_add(columns(camera, 9, 1), gt_multiply(r2, columns(camera, 10, 1)));
        gt_Tensor *bent = gt_multiply(uv, gt_add(gt_multiply(r2, bend), 1));
        return gt_add(gt_multiply(columns(camera, 6, 1), bent), columns(camera, 7, 2));
    }
    gt_Tensor *bend = gt_add(columns(camera, 11, 1), gt_multiply(r2, columns(camera, 12, 1)));
    bend = gt_add(columns(camera, 10, 1), gt_multiply(r2, bend));
    gt_Tensor *bent = gt_multiply(uv, gt_add(gt_multiply(r2, bend), 1));
    gt_Tensor *p1 = columns(camera, 13, 1), *p2 = columns(camera, 14, 1);
    gt_Tensor *both = gt_multiply(gt_multiply(columns(uv, 0, 1), columns(uv, 1, 1)), 2);
    gt_Tensor *own = gt_add(r2, gt_multiply(gt_square(uv), 2));
    gt_Tensor *shift = gt_add(gt_multiply(gt_concatenate(gt_tensors(p1, p2), .axis = 1), both),
                              gt_multiply(gt_concatenate(gt_tensors(p2, p1), .axis = 1), own));
    return gt_add(gt_multiply(columns(camera, 6, 2), gt_add(bent, shift)), columns(camera, 8, 2));
}

/* in: points, cameras, what was observed; out: residuals (rows, 2), Jacobian (rows, 2, n). */
static gt_Status residual(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    const int wide = *(const int *)context;
    gt_Tensor *source = wide == POINT ? in[0] : in[1];
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_watch(tape, source);
    out[0] = gt_subtract(projected(in[0], in[1], wide == LARGE), in[2]);
    out[1] = gt_batch_jacobian(tape, out[0], source);
    gt_keep(out[0]);
    gt_keep(out[1]);
    gt_tape_end(tape);
    return gt_status();
}

/* ---- by hand ---- */

/* seen = R x + t, and d seen / d r = -R [x] J, J = I - (1 - cos) / a^2 [r] + (a - sin) / a^3 [r]^2 (the right Jacobian of the
 * rotations; [v] is the matrix of v's vector product). R comes along. */
static void rotate(const double *x, const double *camera, double seen[3], double R[3][3],
                   double by_r[3][3])
{
    const double *r = camera, *t = camera + 3;
    const double a2 = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], a = sqrt(a2);
    const double c = cos(a), s = sin(a), A = s / a, B = (1 - c) / a2, C = (1 - A) / a2;
    const double K[3][3] = {{0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
    const double X[3][3] = {{0, -x[2], x[1]}, {x[2], 0, -x[0]}, {-x[1], x[0], 0}};
    double J[3][3], XJ[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const double square = r[i] * r[j] - (i == j ? a2 : 0);
            R[i][j] = (i == j) + A * K[i][j] + B * square;
            J[i][j] = (i == j) - B * K[i][j] + C * square;
        }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            XJ[i][j] = X[i][0] * J[0][j] + X[i][1] * J[1][j] + X[i][2] * J[2][j];
    for (int i = 0; i < 3; i++) {
        seen[i] = R[i][0] * x[0] + R[i][1] * x[1] + R[i][2] * x[2] + t[i];
        for (int j = 0; j < 3; j++)
            by_r[i][j] = -(R[i][0] * XJ[0][j] + R[i][1] * XJ[1][j] + R[i][2] * XJ[2][j]);
    }
}

/* by_seen = by_uv d uv / d seen; uv = seen[0..1] / seen[2]. */
static void through_division(const double seen[3], double u, double v, double by_uv[2][2],
                             double by_seen[2][3])
{
    const double z = 1 / seen[2];
    for (int k = 0; k < 2; k++) {
        by_seen[k][0] = by_uv[k][0] * z;
        by_seen[k][1] = by_uv[k][1] * z;
        by_seen[k][2] = -(by_uv[k][0] * u + by_uv[k][1] * v) * z;
    }
}

static void by_pose(double by_seen[2][3], double by_r[3][3], int wide, double *jacobian)
{
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < 3; j++) {
            jacobian[k * wide + j] = by_seen[k][0] * by_r[0][j] + by_seen[k][1] * by_r[1][j] +
                                     by_seen[k][2] * by_r[2][j];
            jacobian[k * wide + 3 + j] = by_seen[k][j];
        }
}

static void small_row(const double *x, const double *camera, const double *observed, bool by_point,
                      double *out, double *jacobian)
{
    const double f = camera[6], k1 = camera[9], k2 = camera[10];
    double seen[3], R[3][3], by_r[3][3], by_seen[2][3];
    rotate(x, camera, seen, R, by_r);
    const double u = seen[0] / seen[2], v = seen[1] / seen[2], r2 = u * u + v * v;
    const double d = 1 + r2 * (k1 + r2 * k2), slope = 2 * (k1 + 2 * r2 * k2);
    double by_uv[2][2] = {{f * (d + u * u * slope), f * u * v * slope},
                          {f * u * v * slope, f * (d + v * v * slope)}};
    out[0] = f * u * d + camera[7] - observed[0];
    out[1] = f * v * d + camera[8] - observed[1];
    through_division(seen, u, v, by_uv, by_seen);
    if (by_point) {
        for (int k = 0; k < 2; k++)
            for (int j = 0; j < 3; j++)
                jacobian[k * 3 + j] =
                    by_seen[k][0] * R[0][j] + by_seen[k][1] * R[1][j] + by_seen[k][2] * R[2][j];
        return;
    }
    by_pose(by_seen, by_r, SMALL, jacobian);
    for (int k = 0; k < 2; k++) {
        const double w = k ? v : u;
        double *row = jacobian + k * SMALL + 6;
        row[0] = w * d;
        row[1] = k == 0;
        row[2] = k == 1;
        row[3] = f * w * r2;
        row[4] = f * w * r2 * r2;
    }
}

static void large_row(const double *x, const double *camera, const double *observed, double *out,
                      double *jacobian)
{
    const double *f = camera + 6, k1 = camera[10], k2 = camera[11], k3 = camera[12];
    const double p1 = camera[13], p2 = camera[14];
    double seen[3], R[3][3], by_r[3][3], by_seen[2][3];
    rotate(x, camera, seen, R, by_r);
    const double u = seen[0] / seen[2], v = seen[1] / seen[2], r2 = u * u + v * v;
    const double d = 1 + r2 * (k1 + r2 * (k2 + r2 * k3));
    const double slope = 2 * (k1 + r2 * (2 * k2 + 3 * r2 * k3));
    const double at[2] = {u * d + 2 * p1 * u * v + p2 * (r2 + 2 * u * u),
                          v * d + p1 * (r2 + 2 * v * v) + 2 * p2 * u * v};
    const double mixed = u * v * slope + 2 * p1 * u + 2 * p2 * v;
    double by_uv[2][2] = {{f[0] * (d + u * u * slope + 2 * p1 * v + 6 * p2 * u), f[0] * mixed},
                          {f[1] * mixed, f[1] * (d + v * v * slope + 6 * p1 * v + 2 * p2 * u)}};
    through_division(seen, u, v, by_uv, by_seen);
    by_pose(by_seen, by_r, LARGE, jacobian);
    for (int k = 0; k < 2; k++) {
        const double w = k ? v : u;
        double *row = jacobian + k * LARGE + 6;
        out[k] = f[k] * at[k] + camera[8 + k] - observed[k];
        row[0] = k == 0 ? at[0] : 0;
        row[1] = k == 1 ? at[1] : 0;
        row[2] = k == 0;
        row[3] = k == 1;
        row[4] = f[k] * w * r2;
        row[5] = row[4] * r2;
        row[6] = row[5] * r2;
        row[7] = f[k] * (k == 0 ? 2 * u * v : r2 + 2 * v * v);
        row[8] = f[k] * (k == 0 ? r2 + 2 * u * u : 2 * u * v);
    }
}

static void by_hand(int wide, int64_t rows, const double *point, const double *camera,
                    const double *observed, double *out, double *jacobian)
{
    for (int64_t i = 0; i < rows; i++, point += 3, observed += 2, out += 2, jacobian += 2 * wide) {
        if (wide == LARGE)
            large_row(point, camera, observed, out, jacobian);
        else
            small_row(point, camera, observed, wide == POINT, out, jacobian);
        camera += wide == LARGE ? LARGE : SMALL;
    }
}

/* ---- side by side ---- */

static gt_Tensor *between(gt_Shape shape, double low, double high)
{
    return gt_uniform(shape, .low = low, .high = high, .dtype = GT_FLOAT64);
}

/* Cameras that look at the origin from a distance of about 5. */
static gt_Tensor *cameras(int64_t rows, bool large)
{
    gt_Tensor *turn = between(gt_shape(rows, 3), 0.1, 0.5),
              *at = between(gt_shape(rows, 2), -0.5, 0.5);
    gt_Tensor *away = between(gt_shape(rows, 1), 4, 6),
              *center = between(gt_shape(rows, 2), 300, 340);
    gt_Tensor *focal = between(gt_shape(rows, large ? 2 : 1), 500, 600);
    gt_Tensor *bend = between(gt_shape(rows, large ? 5 : 2), -0.1, 0.1);
    return gt_concatenate(gt_tensors(turn, at, away, focal, center, bend), .axis = 1);
}

/* The largest difference, as a part of the largest element. */
static double apart(int64_t n, const double *a, const double *b)
{
    double most = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return most / largest;
}

static bool compare(int wide, int64_t rows, int rounds, bool profile)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *point = between(gt_shape(rows, 3), -1, 1), *camera = cameras(rows, wide == LARGE);
    gt_Tensor *observed = between(gt_shape(rows, 2), 0, 640);
    gt_Function *plan = gt_function(residual, &wide, .outputs = 2);
    double *out = malloc((size_t)(2 * rows) * sizeof *out);
    double *jacobian = malloc((size_t)(2 * wide * rows) * sizeof *jacobian);
    double ours = 1e30, theirs = 1e30, off = 0;
    for (int r = 0; r < rounds && gt_status() == GT_OK && out && jacobian; r++) {
        gt_Tensor *made[2];
        gt_Scope *round = gt_scope_begin();
        double from = probe_now();
        gt_function_call(plan, gt_tensors(point, camera, observed), made);
        double took = probe_now() - from;
        ours = r && took < ours ? took : ours;
        from = probe_now();
        by_hand(wide, rows, gt_data(point), gt_data(camera), gt_data(observed), out, jacobian);
        took = probe_now() - from;
        theirs = took < theirs ? took : theirs;
        if (r == 0 && gt_status() == GT_OK)
            off = fmax(apart(2 * rows, gt_data(made[0]), out),
                       apart(2 * wide * rows, gt_data(made[1]), jacobian));
        if (r == 0 && profile)
            gt_function_profile(plan, true);
        gt_scope_end(round);
    }
    if (profile)
        printf("%s", gt_function_print(plan));
    printf("%4d%14.3f%14.3f%10.2f%14.1e\n", wide, 1e3 * ours, 1e3 * theirs, ours / theirs, off);
    gt_function_free(plan);
    gt_scope_end(scope);
    free(out);
    free(jacobian);
    if (gt_status() != GT_OK)
        fprintf(stderr, "camera: %s\n", gt_error_message());
    else if (off > 1e-10)
        fprintf(stderr, "camera: the two differ by %g\n", off);
    return gt_status() == GT_OK && off <= 1e-10;
}

int main(int argc, char **argv)
{
    int rounds = 30;
    int64_t rows = 30000;
    bool profile = false, good = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = atoi(argv[++i]);
        else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
            rows = atoll(argv[++i]);
        else if (strcmp(argv[i], "--profile") == 0)
            profile = true;
    }
    printf("%s\nFMA peak %.0f GFLOP/s, first cache %.0f GB/s\n", gt_build_info(),
           1e-9 * probe_fma(NULL), 1e-9 * probe_read());
    printf("%4s%14s%14s%10s%14s\n", "", "plan, ms", "by hand, ms", "ratio", "difference");
    for (int c = 0; c < CASES; c++)
        good &= compare(wide_of[c], rows, rounds < 2 ? 2 : rounds, profile);
    return good ? 0 : 1;
}
