/* Any text as the subscripts of gt_einsum, for up to three operands of rank 5 at most. A reader and
 * a loop of this file's own say whether it is legal and what the result is; all values are small
 * integers, so that every order of sums gives the same. */
#include "tests/fuzz/fuzz.h"
#include "ops/linalg/einsum.h"

#define OPERANDS 3
#define AXES                                                                                       \
    24 /* of a term: 5 letters and what "..." stands for, or as many letters as the result has */
#define LETTERS 128
#define DOTS    8    /* labels 0 to 7 are what "..." stands for, from the right */
#define POINTS  8192 /* of the loop over all labels, at most */

typedef struct Axes {
    int count;
    char label[AXES];
} Axes;

typedef struct Problem {
    int operands, dots;
    gt_Tensor *x[OPERANDS];
    gt_Shape shape[OPERANDS];
    Axes term[OPERANDS], result;
    int64_t size[LETTERS];
} Problem;

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The labels of a term of that many characters, blanks left out; `dots` < 0: as many as fill
 * `rank`. */
static bool read_axes(const char *text, size_t length, int rank, int *dots, Axes *axes)
{
    int letters = 0, ellipses = 0;
    axes->count = 0;
    for (size_t i = 0; i < length; i++)
        letters += letter(text[i]);
    int stands_for = *dots < 0 ? rank - letters : *dots;
    *dots = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ')
            continue;
        if (length - i >= 3 && memcmp(text + i, "...", 3) == 0) {
            if (ellipses++ || stands_for < 0 || axes->count + stands_for > AXES)
                return false;
            for (int d = stands_for; d > 0; d--)
                axes->label[axes->count++] = (char)(d - 1);
            *dots = stands_for;
            i += 2;
        } else if (letter(text[i]) && axes->count < AXES) {
            axes->label[axes->count++] = text[i];
        } else {
            return false;
        }
    }
    return true;
}

/* Letters have one size each; what "..." stands for broadcasts. */
static bool sizes_fit(Problem *problem)
{
    for (int l = 0; l < LETTERS; l++)
        problem->size[l] = -1;
    for (int t = 0; t < problem->operands; t++)
        for (int i = 0; i < problem->term[t].count; i++) {
            int64_t *size = &problem->size[(int)problem->term[t].label[i]];
            int64_t own = problem->shape[t].dims[i];
            bool stretches = problem->term[t].label[i] < DOTS && (own == 1 || *size == 1);
            if (*size >= 0 && *size != own && !stretches)
                return false;
            if (*size < 0 || (stretches && own != 1))
                *size = own;
        }
    return true;
}

static bool read_result(Problem *problem, const char *text, const char *all)
{
    Axes *result = &problem->result;
    if (text) {
        int dots = problem->dots;
        if (!read_axes(text, strlen(text), 0, &dots, result))
            return false;
    } else {
        result->count = 0;
        for (int d = problem->dots; d > 0; d--)
            result->label[result->count++] = (char)(d - 1);
        for (char c = 'A'; c <= 'z'; c++) {
            const char *first = letter(c) ? strchr(all, c) : NULL;
            if (first && !strchr(first + 1, c) && result->count < AXES)
                result->label[result->count++] = c;
        }
    }
    for (int i = 0; i < result->count; i++)
        if (problem->size[(int)result->label[i]] < 0 ||
            memchr(result->label, result->label[i], (size_t)i))
            return false;
    return result->count <= GT_MAX_RANK;
}

static bool legal(Problem *problem, const char *text)
{
    const char *arrow = strstr(text, "->"), *at = text;
    size_t left = arrow ? (size_t)(arrow - text) : strlen(text);
    problem->dots = 0;
    for (int t = 0; t < problem->operands; t++) {
        const char *comma = memchr(at, ',', left);
        size_t length = comma ? (size_t)(comma - at) : left;
        int dots = -1;
        if ((comma != NULL) != (t + 1 < problem->operands) ||
            !read_axes(at, length, problem->shape[t].rank, &dots, &problem->term[t]) ||
            problem->term[t].count != problem->shape[t].rank)
            return false;
        problem->dots = dots > problem->dots ? dots : problem->dots;
        at += length + (comma != NULL);
        left -= length + (comma != NULL);
    }
    return sizes_fit(problem) && read_result(problem, arrow ? arrow + 2 : NULL, text);
}

/* Where a term's element lies for these indices. */
static int64_t place(const Axes *axes, const gt_Shape *shape, const int64_t *index)
{
    int64_t at = 0;
    for (int i = 0; i < axes->count; i++)
        at = at * shape->dims[i] + (shape->dims[i] == 1 ? 0 : index[(int)axes->label[i]]);
    return at;
}

static void compare(const Problem *problem, const gt_Tensor *y)
{
    int64_t index[LETTERS] = {0}, points = 1, outputs = 1;
    gt_Shape shape = {.mark = GT_MARK, .rank = problem->result.count};
    for (int i = 0; i < shape.rank; i++) {
        shape.dims[i] = problem->size[(int)problem->result.label[i]];
        outputs *= shape.dims[i];
    }
    if (!gt_shape_equal(gt_tensor_shape(y), shape))
        fuzz_stop("the result has another shape");
    for (int l = 0; l < LETTERS && points <= POINTS; l++)
        points *= problem->size[l] >= 0 ? problem->size[l] : 1;
    if (points > POINTS)
        return;
    double *sum = calloc((size_t)outputs + 1, sizeof *sum);
    if (!sum)
        abort();
    for (int64_t p = 0; p < points; p++) {
        double product = 1;
        for (int t = 0; t < problem->operands; t++)
            product *=
                gt_element(problem->x[t], place(&problem->term[t], &problem->shape[t], index));
        sum[place(&problem->result, &shape, index)] += product;
        for (int l = 0; l < LETTERS; l++)
            if (problem->size[l] >= 0 && ++index[l] < problem->size[l])
                break;
            else
                index[l] = 0;
    }
    for (int64_t i = 0; i < outputs; i++)
        if (gt_element(y, i) != sum[i])
            fuzz_stop("the result is not the sum of products");
    free(sum);
}

static gt_Tensor *operand(gt_Shape shape)
{
    double values[243];
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    for (int64_t i = 0; i < size; i++)
        values[i] = (double)(i * 5 % 7 - 3);
    return gt_from_values_at(NULL, shape, GT_FLOAT64, size, values);
}

static void fuzz_one(const uint8_t *data, size_t size)
{
    Problem problem = {.operands = 1 + fuzz_byte(&data, &size) % OPERANDS};
    gt_Scope *scope = gt_scope_begin();
    if (!fuzz_works(scope != NULL))
        return;
    for (int t = 0; t < problem.operands; t++) {
        uint8_t rank = fuzz_byte(&data, &size), dims = fuzz_byte(&data, &size);
        gt_Shape shape = {.mark = GT_MARK, .rank = rank % 6};
        for (int d = 0; d < shape.rank; d++, dims = (uint8_t)(dims >> 1))
            shape.dims[d] = dims & 1 ? 2 : rank & 128 ? 3 : 1;
        problem.shape[t] = shape;
        problem.x[t] = operand(shape);
    }
    if (fuzz_works(gt_status() == GT_OK)) {
        char *text = fuzz_text(data, size);
        bool expected = legal(&problem, text);
        gt_Tensor *y = gt_einsum(text, ((gt_Tensors){problem.x, problem.operands}));
        int labels = 0;
        for (int l = 0; l < LETTERS && expected; l++)
            labels += problem.size[l] >= 0;
        if (!expected && y)
            fuzz_stop("illegal subscripts are accepted");
        /* More labels than a tensor has axes may meet on the way from left to right. */
        if (expected && labels <= GT_MAX_RANK ? fuzz_works(y != NULL) : fuzz_either(y != NULL))
            compare(&problem, y);
        free(text);
    }
    gt_scope_end(scope);
}
