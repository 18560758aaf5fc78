/* Replays tests/oracle/operations.safetensors: values and gradients of operations as JAX, NumPy and
 * SciPy have them (tests/oracle/make_operations.py says how it was made and what is in it), in
 * float64 and in float32. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORACLE_TENSORS = 8, ORACLE_OPTIONS = 512 };

/* Inputs or outputs of a case, with their part of its numbers. */
typedef struct Part {
    int count;
    gt_DType dtype[ORACLE_TENSORS];
    gt_Shape shape[ORACLE_TENSORS];
    int64_t size[ORACLE_TENSORS];
    const double *numbers[ORACLE_TENSORS];
} Part;

typedef struct Oracle {
    char *line;
    char *name, *options; /* options: "axis=1 keepdims=1", or NULL */
    Part input, output;
    bool gradient;
    const double *slopes[ORACLE_TENSORS]; /* of the float inputs, NULL of others */
} Oracle;

/* ---- the line of a case ---- */

/* "2,3": the numbers, and how many. */
static int integers(const char *text, int64_t list[GT_MAX_RANK])
{
    int count = 0;
    while (*text && count < GT_MAX_RANK) {
        char *end;
        list[count++] = strtoll(text, &end, 10);
        cr_assert(end != text, "numbers in %s", text);
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

/* "float64:2,3 int32:4": types and shapes. Takes the text apart. */
static void read_part(char *text, Part *part)
{
    char *rest = NULL;
    part->count = 0;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(word, ':');
        cr_assert(colon && part->count < ORACLE_TENSORS);
        *colon = '\0';
        int i = part->count++;
        int64_t dims[GT_MAX_RANK];
        int rank = integers(colon + 1, dims);
        part->dtype[i] = gt_dtype_from_name(word);
        cr_assert(part->dtype[i] != GT_DTYPE_NONE, "type %s", word);
        part->shape[i] = gt_shape_of(rank, dims);
        part->size[i] = 1;
        for (int d = 0; d < rank; d++)
            part->size[i] *= dims[d];
    }
}

/* Cuts at the next " | ", which becomes the end of what is before it. */
static char *after_bar(char *text)
{
    char *bar = text ? strstr(text, " | ") : NULL;
    if (!bar)
        return NULL;
    *bar = '\0';
    return bar + 3;
}

static const double *part_numbers(Part *part, const double *at)
{
    for (int i = 0; i < part->count; i++) {
        part->numbers[i] = at;
        at += part->size[i];
    }
    return at;
}

static void read_oracle(Oracle *oracle, const char *line, const gt_Tensor *numbers)
{
    *oracle = (Oracle){.line = malloc(strlen(line) + 1)};
    strcpy(oracle->line, line);
    char *input = after_bar(oracle->line), *output = after_bar(input), *more = after_bar(output);
    cr_assert(input && output, "line %s", line);
    oracle->name = oracle->line;
    oracle->gradient = more != NULL;
    char *space = strchr(oracle->name, ' ');
    if (space && !strchr(oracle->name, '(')) {
        *space = '\0';
        oracle->options = space + 1;
    }
    read_part(input, &oracle->input);
    read_part(output, &oracle->output);
    const double *at = gt_float64_data(numbers), *end = at + gt_size(numbers);
    at = part_numbers(&oracle->input, at);
    at = part_numbers(&oracle->output, at);
    for (int i = 0; oracle->gradient && i < oracle->input.count; i++)
        if (gt_dtype_is_float(oracle->input.dtype[i])) {
            oracle->slopes[i] = at;
            at += oracle->input.size[i];
        }
    cr_assert(at == end, "%s: numbers do not fit the line", line);
}

/* ---- options by name ---- */

static void set_field(const gt_Field *field, char *options, const char *value)
{
    void *at = options + field->offset;
    int64_t list[GT_MAX_RANK];
    if (strcmp(field->type, "gt_Shape") == 0) {
        int rank = integers(value, list);
        *(gt_Shape *)at = gt_shape_of(rank, list);
    } else if (strcmp(field->type, "gt_Axes") == 0) {
        gt_Axes *axes = at;
        *axes = gt_axes();
        axes->count = integers(value, list);
        for (int i = 0; i < axes->count; i++)
            axes->axis[i] = (int32_t)list[i];
    } else if (strcmp(field->type, "gt_DType") == 0)
        *(gt_DType *)at = gt_dtype_from_name(value);
    else if (strcmp(field->type, "gt_Padding") == 0)
        *(gt_Padding *)at = (gt_Padding)atoi(value);
    else if (strcmp(field->type, "double") == 0)
        *(double *)at = strtod(value, NULL);
    else if (strcmp(field->type, "bool") == 0)
        *(bool *)at = strcmp(value, "True") == 0 || strcmp(value, "1") == 0;
    else if (strcmp(field->type, "int32_t") == 0)
        *(int32_t *)at = (int32_t)strtoll(value, NULL, 10);
    else if (strcmp(field->type, "int64_t") == 0)
        *(int64_t *)at = strtoll(value, NULL, 10);
    else
        cr_assert(false, "option %s has type %s", field->name, field->type);
}

/* The record's defaults with what the line says; NULL for an operation without options. */
static const void *read_options(const gt_Operation *operation, const char *text, char *options)
{
    const gt_OptionType *type = operation->options;
    if (!type) {
        cr_assert(!text, "%s has no options: %s", operation->name, text);
        return NULL;
    }
    cr_assert(type->size <= ORACLE_OPTIONS);
    gt_options_take(type, options, NULL);
    char words[256] = "", *rest = NULL;
    snprintf(words, sizeof words, "%s", text ? text : "");
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        cr_assert_not_null(equals);
        *equals = '\0';
        const gt_Field *field = type->fields;
        while (field->name && strcmp(field->name, word) != 0)
            field++;
        cr_assert(field->name, "%s has no option %s", operation->name, word);
        set_field(field, options, equals + 1);
    }
    return options;
}

/* ---- functions that are no operation: the text of the call is their name ---- */

static gt_Tensor *call(const char *text, gt_Tensor **in)
{
    gt_Tensor *x = in[0], *a = in[0], *b = in[1], *c = in[2];
#define CALL(...)                                                                                  \
    if (strcmp(text, #__VA_ARGS__) == 0)                                                           \
        return __VA_ARGS__;
    CALL(gt_relu6(x))
    CALL(gt_elu(x))
    CALL(gt_selu(x))
    CALL(gt_log_sigmoid(x))
    CALL(gt_hard_sigmoid(x))
    CALL(gt_silu(x))
    CALL(gt_hard_silu(x))
    CALL(gt_mish(x))
    CALL(gt_gelu(x))
    CALL(gt_gelu_exact(x))
    CALL(gt_softsign(x))
    CALL(gt_variance(x))
    CALL(gt_variance(x, .axis = 1))
    CALL(gt_std(x, .axis = 0, .keepdims = true))
    CALL(gt_count_nonzero(x, .axis = 1))
    CALL(gt_cumsum(x))
    CALL(gt_cumprod(x))
    CALL(gt_logsumexp(x, .axis = 0))
    CALL(gt_ravel(x))
    CALL(gt_expand_dims(x, 1))
    CALL(gt_squeeze(x))
    CALL(gt_moveaxis(x, 0, 2))
    CALL(gt_swapaxes(x, 0, 2))
    CALL(gt_roll(x, 2, .axis = 1))
    CALL(gt_roll(x, -1))
    CALL(gt_repeat(x, 2, .axis = 1))
    CALL(gt_repeat(x, 3))
    CALL(gt_tile(x, gt_shape(2, 3)))
    CALL(gt_diagonal(x, .offset = 1))
    CALL(gt_diagonal(x, .axis1 = 1, .axis2 = 2))
    CALL(gt_trace(x))
    CALL(gt_diag(x))
    CALL(gt_diag(x, .k = -1))
    CALL(gt_diagflat(x, .k = 1))
    CALL(gt_stack(gt_tensors(a, b), .axis = 1))
    CALL(gt_sort(x, .axis = 0))
    CALL(gt_argsort(x))
    CALL(gt_quantile(x, 0.3, .axis = 0))
    CALL(gt_quantile(a, b, .axis = 1))
    CALL(gt_percentile(x, 75))
    CALL(gt_median(x, .axis = 1))
    CALL(gt_median(x, .axis = 0, .keepdims = true))
    CALL(gt_digitize(a, b))
    CALL(gt_bincount(x, .length = 6))
    CALL(gt_isin(a, b))
    CALL(gt_histogram(x, .bins = 4, .low = -2, .high = 2).counts)
    CALL(gt_segment_sum(a, b, 4))
    CALL(gt_einsum("bij,bjk->bik", gt_tensors(a, b)))
    CALL(gt_einsum("ij,ij->", gt_tensors(a, b)))
    CALL(gt_einsum("ii->i", gt_tensors(a)))
    CALL(gt_einsum("ij,j", gt_tensors(a, b)))
    CALL(gt_einsum("...ij,jk->...ik", gt_tensors(a, b)))
    CALL(gt_einsum("ab,bc,cd->ad", gt_tensors(a, b, c)))
    CALL(gt_matmul(a, b))
    CALL(gt_tensordot(a, b))
    CALL(gt_tensordot(a, b, .count = 1))
    CALL(gt_dot(a, b))
    CALL(gt_inner(a, b))
    CALL(gt_outer(a, b))
    CALL(gt_vdot(a, b))
    CALL(gt_kron(a, b))
    CALL(gt_cross(a, b))
    CALL(gt_depthwise_conv(a, b))
    CALL(gt_separable_conv(a, b, c, .padding = GT_PADDING_SAME))
    CALL(gt_conv_transpose(a, b))
    CALL(gt_conv_transpose(a, b, .strides = gt_shape(2)))
    CALL(gt_conv_transpose(a, b, .strides = gt_shape(2), .padding = GT_PADDING_SAME))
    CALL(gt_solve(a, b))
    CALL(gt_solve(gt_transpose(a, .perm = gt_axes(0, 2, 1)), b))
    CALL(gt_det(x))
    CALL(gt_inv(x))
    CALL(gt_eigh(x).values)
    CALL(gt_abs(gt_eigh(x).vectors))
    CALL(gt_svd(x).s)
    CALL(gt_abs(gt_svd(x).u))
    CALL(gt_abs(gt_qr(x).q))
    CALL(gt_abs(gt_qr(x).r))
    CALL(gt_norm(x))
    CALL(gt_norm(x, .ord = 3, .axis = 1))
    CALL(gt_norm(x, .ord = 1, .axis = 0))
    CALL(gt_norm(x, .ord = INFINITY, .axis = 1))
    CALL(gt_matrix_norm(x, GT_MATRIX_NORM_NUCLEAR))
    CALL(gt_matrix_norm(x, GT_MATRIX_NORM_SPECTRAL))
    CALL(gt_matrix_norm(x, GT_MATRIX_NORM_ONE))
    CALL(gt_matrix_power(x, 3))
    CALL(gt_matrix_power(x, -2))
    CALL(gt_lstsq(a, b))
    CALL(gt_cdist(a, b))
#undef CALL
    cr_assert(false, "no such call: %s", text);
    return NULL;
}

static void apply_oracle(const Oracle *oracle, gt_Tensor **in, gt_Tensor **out)
{
    if (strchr(oracle->name, '(')) {
        out[0] = call(oracle->name, in);
        return;
    }
    const gt_Operation *operation = gt_operation_find(oracle->name);
    cr_assert(operation, "no such operation: %s", oracle->name);
    cr_assert(operation->outputs == oracle->output.count, "%s has %d outputs", oracle->name,
              operation->outputs);
    _Alignas(max_align_t) char options[ORACLE_OPTIONS];
    gt_apply_at(NULL, operation, read_options(operation, oracle->options, options),
                oracle->input.count, in, out);
}

/* ---- comparison ---- */

static int wrong;

/* Each number to `relative` of itself, and to a tenth of that of the largest of its tensor. */
static void near(const Oracle *oracle, const char *what, int index, gt_Tensor *got, gt_Shape shape,
                 int64_t size, const double *want, double relative)
{
    if (!gt_shape_equal(gt_tensor_shape(got), shape)) {
        fprintf(stderr, "%s %s: %s %d has another shape\n", oracle->name,
                oracle->options ? oracle->options : "", what, index);
        wrong++;
        return;
    }
    double largest = 0;
    for (int64_t i = 0; i < size; i++)
        if (isfinite(want[i]))
            largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < size; i++) {
        double number = gt_element(got, i);
        bool same = number == want[i] || (isnan(number) && isnan(want[i])) ||
                    (isfinite(want[i]) &&
                     fabs(number - want[i]) <= relative * (fabs(want[i]) + largest / 10));
        if (!same) {
            fprintf(stderr, "%s %s (%s): %s %d at %d is %.17g, not %.17g\n", oracle->name,
                    oracle->options ? oracle->options : "", relative < 1e-6 ? "float64" : "float32",
                    what, index, (int)i, number, want[i]);
            wrong++;
            return;
        }
    }
}

static gt_Tensor *upstream(int output, gt_Tensor *y)
{
    int64_t size = gt_size(y);
    double *numbers = malloc((size_t)(size + 1) * sizeof *numbers);
    for (int64_t i = 0; i < size; i++)
        numbers[i] = sin(1 + 3.7 * output + 1.3 * (double)i);
    gt_Tensor *up = gt_from_values_at(NULL, gt_tensor_shape(y), gt_dtype(y), size, numbers);
    free(numbers);
    return up;
}

static void check_gradients(const Oracle *oracle, gt_Tape *tape, gt_Tensor **in, gt_Tensor **out,
                            double relative)
{
    gt_Tensor *targets[ORACLE_TENSORS], *up[ORACLE_TENSORS], *sources[ORACLE_TENSORS];
    gt_Tensor *slopes[ORACLE_TENSORS];
    int which[ORACLE_TENSORS], target_count = 0, source_count = 0;
    for (int k = 0; k < oracle->output.count; k++)
        if (gt_dtype_is_float(gt_dtype(out[k]))) {
            up[target_count] = upstream(k, out[k]);
            targets[target_count++] = out[k];
        }
    for (int i = 0; i < oracle->input.count; i++)
        if (oracle->slopes[i]) {
            which[source_count] = i;
            sources[source_count++] = in[i];
        }
    gt_gradients(tape, ((gt_Tensors){targets, target_count}), ((gt_Tensors){sources, source_count}),
                 slopes, .output_gradients = up, .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: %s", oracle->name, gt_error_message());
    for (int k = 0; k < source_count; k++) {
        int i = which[k];
        near(oracle, "gradient of input", i, slopes[k], oracle->input.shape[i],
             oracle->input.size[i], oracle->slopes[i], relative);
    }
}

/* false: this build lacks LAPACK. Reals are made as `dtype`. */
static bool replay(const Oracle *oracle, gt_DType dtype, double relative)
{
    gt_Tensor *in[ORACLE_TENSORS] = {NULL}, *out[ORACLE_TENSORS] = {NULL};
    gt_Tape *tape = gt_tape_begin();
    for (int i = 0; i < oracle->input.count; i++) {
        gt_DType given = oracle->input.dtype[i];
        bool real = gt_dtype_is_float(given);
        in[i] = gt_from_values_at(NULL, oracle->input.shape[i], real ? dtype : given,
                                  oracle->input.size[i], oracle->input.numbers[i]);
        if (real)
            gt_watch(tape, in[i]);
    }
    apply_oracle(oracle, in, out);
    bool lacks = gt_status() == GT_UNSUPPORTED && strstr(gt_error_message(), "OpenBLAS");
    if (lacks)
        gt_error_clear();
    if (gt_status() != GT_OK) {
        fprintf(stderr, "%s: %s\n", oracle->name, gt_error_message());
        gt_error_clear();
        gt_tape_end(tape);
        wrong++;
        return true;
    }
    for (int k = 0; k < oracle->output.count && !lacks; k++)
        near(oracle, "output", k, out[k], oracle->output.shape[k], oracle->output.size[k],
             oracle->output.numbers[k], relative);
    if (oracle->gradient && !lacks)
        check_gradients(oracle, tape, in, out, relative);
    gt_tape_end(tape);
    return !lacks;
}

/* ---- all of them ---- */

enum { ORACLE_SEEN = 512 };

static void mark(const char *name, bool seen[ORACLE_SEEN])
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    for (int k = 0; k < count && k < ORACLE_SEEN; k++) {
        char function[64];
        snprintf(function, sizeof function, "gt_%s(", table[k]->name);
        seen[k] = seen[k] || strcmp(table[k]->name, name) == 0 || strstr(name, function);
    }
}

/* Public operations that no case replays, random ones and effects apart. */
static void print_unseen(const bool seen[ORACLE_SEEN])
{
    int count;
    const gt_Operation *const *table = gt_operations(&count);
    fprintf(stderr, "public operations without a case:");
    for (int k = 0; k < count && k < ORACLE_SEEN; k++)
        if (!seen[k] && !(table[k]->flags & (GT_OP_INTERNAL | GT_OP_RANDOM | GT_OP_EFFECT)))
            fprintf(stderr, " %s", table[k]->name);
    fprintf(stderr, "\n");
}

Test(oracle, operations)
{
    const char *source = getenv("GT_TEST_SOURCE");
    char path[1024];
    bool seen[ORACLE_SEEN] = {false};
    int gradients = 0, skipped = 0;
    cr_assert(source, "GT_TEST_SOURCE names the folder of the sources");
    snprintf(path, sizeof path, "%s/tests/oracle/operations.safetensors", source);
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert(file, "%s", gt_error_message());
    int64_t cases = gt_tensor_file_count(file);
    for (int64_t i = 0; i < cases; i++) {
        gt_Scope *scope = gt_scope_begin();
        const char *key = gt_tensor_file_name(file, i);
        const char *line = gt_tensor_file_metadata(file, key);
        cr_assert(line, "case %s has no line", key);
        Oracle oracle;
        read_oracle(&oracle, line, gt_tensor_file_load(file, i));
        bool possible = replay(&oracle, GT_FLOAT64, 1e-10) && replay(&oracle, GT_FLOAT32, 1e-5);
        skipped += !possible;
        gradients += possible && oracle.gradient;
        mark(oracle.name, seen);
        free(oracle.line);
        gt_scope_end(scope);
    }
    fprintf(stderr, "%d cases, %d with gradients, %d left out for want of LAPACK, against %s\n",
            (int)cases, gradients, skipped, gt_tensor_file_metadata(file, "versions"));
    print_unseen(seen);
    gt_tensor_file_free(file);
    cr_assert(cases > 300 && wrong == 0, "%d tensors differ", wrong);
    gt_context_free(NULL);
    assert_no_leaks();
}
