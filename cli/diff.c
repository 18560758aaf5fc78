/* gradtape diff: what two models, or two files of tensors, have different. */
#include "cli/command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double tolerance = 0;
static bool all;

static const Option options[] = {
    {"tolerance", 't', OPTION_NUMBER, &tolerance, "X",
     "numbers that differ by no more are the same"},
    {"all", 'a', OPTION_FLAG, &all, NULL, "also what is the same, and the state of optimizers"},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static bool same_spec(gt_Spec a, gt_Spec b)
{
    return a.dtype == b.dtype && a.rank == b.rank &&
           memcmp(a.dims, b.dims, (size_t)a.rank * sizeof *a.dims) == 0;
}

/* The largest difference of their elements, NaNs the same as NaNs. -1: raised. */
static double difference(gt_TensorFile *a, int64_t i, gt_TensorFile *b, int64_t k)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_tensor_file_load(a, i), *y = gt_tensor_file_load(b, k);
    int64_t count = x && y ? gt_size(x) : -1;
    double largest = count < 0 ? -1 : 0;
    for (int64_t n = 0; n < count; n++) {
        double p = gt_element(x, n), q = gt_element(y, n),
               d = p == q || (isnan(p) && isnan(q)) ? 0 : fabs(p - q);
        largest = isnan(d) ? INFINITY : d > largest ? d : largest;
    }
    gt_scope_end(scope);
    return gt_status() == GT_OK ? largest : -1;
}

static void print_specs(const char *name, gt_Spec a, gt_Spec b)
{
    char one[96], other[96];
    printf("  %-40s %s %s, %s %s\n", name, gt_dtype_name(a.dtype),
           gt_shape_text(gt_shape_of(a.rank, a.dims), one, sizeof one), gt_dtype_name(b.dtype),
           gt_shape_text(gt_shape_of(b.rank, b.dims), other, sizeof other));
}

static bool counts(const char *name)
{
    return all || name[0] != '/';
}

/* How many tensors of a differ from those of b, or are missing there; -1: raised. */
static int compare(gt_TensorFile *a, gt_TensorFile *b, const char *path_of_b)
{
    int different = 0;
    int64_t count = gt_tensor_file_count(a);
    for (int64_t i = 0; i < count; i++) {
        const char *name = gt_tensor_file_name(a, i);
        int64_t k = gt_tensor_file_find(b, name);
        if (!counts(name))
            continue;
        if (k < 0) {
            printf("  %-40s is not in %s\n", name, path_of_b);
            different++;
            continue;
        }
        gt_Spec x = gt_tensor_file_spec(a, i), y = gt_tensor_file_spec(b, k);
        if (!same_spec(x, y)) {
            print_specs(name, x, y);
            different++;
            continue;
        }
        double largest = difference(a, i, b, k);
        if (largest < 0)
            return -1;
        if (largest > tolerance)
            printf("  %-40s differs by %.6g at most\n", name, largest);
        else if (all)
            printf("  %-40s the same\n", name);
        different += largest > tolerance;
    }
    return different;
}

static int missing(gt_TensorFile *a, gt_TensorFile *b, const char *path_of_b)
{
    int count = 0;
    int64_t tensors = gt_tensor_file_count(a);
    for (int64_t i = 0; i < tensors; i++) {
        const char *name = gt_tensor_file_name(a, i);
        if (!counts(name) || gt_tensor_file_find(b, name) >= 0)
            continue;
        printf("  %-40s is not in %s\n", name, path_of_b);
        count++;
    }
    return count;
}

/* Up to 56 characters around a place of the text, all in one line. */
static void print_around(const char *before, const char *text, size_t at)
{
    size_t from = at > 24 ? at - 24 : 0;
    printf("%s...", before);
    for (size_t i = from; text[i] && i < from + 56; i++)
        putchar(text[i] == '\n' ? ' ' : text[i]);
    puts("...");
}

/* The first place where the two texts differ. */
static int compare_text(gt_TensorFile *a, gt_TensorFile *b, const char *key, const char *what)
{
    const char *x = gt_tensor_file_metadata(a, key), *y = gt_tensor_file_metadata(b, key);
    size_t at = 0;
    if (!x && !y)
        return 0;
    if (!x || !y) {
        printf("  %-40s is in one of them alone\n", what);
        return 1;
    }
    if (strcmp(x, y) == 0)
        return 0;
    while (x[at] == y[at])
        at++;
    printf("  %-40s differs\n", what);
    print_around("    < ", x, at);
    print_around("    > ", y, at);
    return 1;
}

static int run(const char **operands)
{
    gt_TensorFile *a = gt_open_tensors(operands[0]), *b = a ? gt_open_tensors(operands[1]) : NULL;
    int different = b ? compare(a, b, operands[1]) : -1;
    if (different >= 0) {
        different += missing(b, a, operands[0]);
        different += compare_text(a, b, "gradtape.model", "architecture");
        different += compare_text(a, b, "gradtape.table", "how rows are read");
    }
    gt_tensor_file_free(a);
    gt_tensor_file_free(b);
    if (gt_status() != GT_OK) {
        fputs("gradtape diff: ", stderr);
        print_raised(stderr);
        return EXIT_USAGE;
    }
    if (different == 0)
        printf("the same\n");
    int status = finish_output(stdout, "standard output");
    return status != EXIT_SUCCESS ? status : different > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const Command diff_command = {
    .name = "diff",
    .operands = "A B",
    .operand_count = 2,
    .summary = "Says what two models have different",
    .more = "Of two models, or files of tensors: weights by their paths, architecture, and how "
            "rows are read. The exit\n"
            "status is 0 if they are the same, 1 if they differ, 2 if they cannot be compared.\n",
    .options = options,
    .run = run,
};
