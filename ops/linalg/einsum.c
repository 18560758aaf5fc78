/* gt_einsum: a composition of gt_diagonal, gt_sum, contractions and gt_transpose.
 *
 *   read_subscripts   the labels of every operand and of the result
 *   check_sizes       one label, one size
 *   take_diagonals    a label that an operand has twice becomes one axis
 *   sum_out           labels that nobody wants any more are summed over
 *   contract          two operands become one, from left to right
 *
 * Every axis has a label: a letter, or a number below ' ' for one that "..." stands for, counted from the right. What is
 * written into options are labels, never sizes, so that what is traced with one batch serves another.
 *
 * Example: "...i,ij,jj->j..." of x (5, 2), a (2, 3), b (3, 3). The terms are {0 i}, {i j}, {j j}, the result {j 0}, where 0 is
 * the axis of "...". b becomes its diagonal {j}. x a, summed over i, has the labels {0 j}, since b or the result wants
 * both; times b it gets the result's own order {j 0}. */
#include "ops/linalg/einsum.h"
#include "ops/array/reshaping.h"
#include "ops/kit.h"
#include "ops/linalg/contract.h"
#include "ops/linalg/diagonal.h"
#include "ops/linalg/matrix.h"
#include "ops/math/reduce.h"

#include <string.h>

/* ---- terms ---- */

#define LABELS (2 * GT_MAX_RANK) /* of a product of two operands, before it is known to fit */

typedef struct Term {
    gt_Tensor *x;
    int rank;
    char label[LABELS];
} Term;

static bool has(const Term *term, char label)
{
    return memchr(term->label, label, (size_t)term->rank) != NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool fail_subscripts(const char *text, const char *at, const char *what)
{
    gt_fail(GT_INVALID, "subscripts \"%.60s\", character %lld: %s", text,
            (long long)(at - text) + 1, what);
    return false;
}

static bool put_label(Term *term, char label)
{
    if (term->rank == GT_MAX_RANK)
        return false;
    term->label[term->rank++] = label;
    return true;
}

/* ---- reading ---- */

/* Reads the labels of one term from *at on, up to a comma, an arrow or the end. "..." stands for
 * `dots` axes or, if that is negative, for as many as make the term `rank` long; in *dots comes
 * back for how many, 0 without it. */
static bool read_term(const char *text, const char **at, int rank, int *dots, Term *term)
{
    const char *end = *at;
    int letters = 0, axes = *dots;
    for (; *end && *end != ',' && *end != '-'; end++)
        letters += letters <= GT_MAX_RANK && is_letter(*end);
    if (axes < 0)
        axes = rank > letters ? rank - letters : 0;
    term->rank = *dots = 0;
    for (bool seen = false; *at < end; ++*at) {
        const char *here = *at;
        bool fits = true;
        if (strncmp(*at, "...", 3) == 0) {
            if (seen)
                return fail_subscripts(text, *at, "expected \"...\" only once in a term");
            seen = true;
            *dots = axes;
            for (int i = axes; i > 0 && fits; i--)
                fits = put_label(term, (char)(i - 1));
            *at += 2;
        } else if (is_letter(**at)) {
            fits = put_label(term, **at);
        } else if (**at != ' ') {
            return fail_subscripts(text, *at, "expected a letter, \"...\", a comma or \"->\"");
        }
        if (!fits)
            return fail_subscripts(text, here, "a term has more axes than a tensor can have");
    }
    return true;
}

/* Repeated labels become one, by taking diagonals. */
static void take_diagonals(Term *term)
{
    for (int i = 0; i < term->rank; i++)
        for (int j = i + 1; j < term->rank; j++)
            if (term->label[i] == term->label[j]) {
                char label = term->label[i];
                term->x = gt_diagonal(term->x, .axis1 = i, .axis2 = j);
                memmove(term->label + j, term->label + j + 1, (size_t)(term->rank - j - 1));
                memmove(term->label + i, term->label + i + 1, (size_t)(term->rank - i - 2));
                term->rank--;
                term->label[term->rank - 1] = label;
                i = -1;
                break;
            }
}

/* Sums over the labels that no `keep` wants. */
static void sum_out(Term *term, const bool *keep)
{
    gt_Axes axes = gt_axes();
    int rank = 0;
    for (int i = 0; i < term->rank; i++)
        if (keep[(unsigned char)term->label[i]])
            term->label[rank++] = term->label[i];
        else
            axes.axis[axes.count++] = i;
    term->rank = rank;
    if (axes.count)
        term->x = gt_sum(gt_widened(term->x), .axes = axes);
}

/* How a contraction calls a label. */
static int32_t id_of(char label)
{
    return is_letter(label) ? label : -1 - label;
}

static gt_Labels labels_of(const Term *term)
{
    gt_Labels labels = gt_axes();
    for (int i = 0; i < term->rank; i++)
        labels.axis[labels.count++] = id_of(term->label[i]);
    return labels;
}

/* The labels of a product that are wanted later: first those of both, then those of a, then those of b, so that it lies as
 * it is computed. False with an error raised if they are too many. */
static bool product_labels(const Term *a, const Term *b, const bool *keep, Term *result)
{
    result->rank = 0;
    for (int turn = 0; turn < 3; turn++) {
        const Term *term = turn < 2 ? a : b, *other = turn < 2 ? b : a;
        for (int i = 0; i < term->rank; i++)
            if (keep[(unsigned char)term->label[i]] && has(other, term->label[i]) == (turn == 0))
                result->label[result->rank++] = term->label[i];
    }
    if (result->rank <= GT_MAX_RANK)
        return true;
    gt_fail(GT_INVALID,
            "from left to right a product has %d axes, more than the %d that a tensor can have",
            result->rank, GT_MAX_RANK);
    return false;
}

/* a becomes the product with b, summed over what no `keep` wants; with the labels of `last` in their order, if that is
 * given. */
static void contract(Term *a, Term *b, const bool *keep, const Term *last)
{
    bool wanted[256];
    memcpy(wanted, keep, sizeof wanted);
    for (int i = 0; i < b->rank; i++)
        wanted[(unsigned char)b->label[i]] = true;
    sum_out(a, wanted);
    memcpy(wanted, keep, sizeof wanted);
    for (int i = 0; i < a->rank; i++)
        wanted[(unsigned char)a->label[i]] = true;
    sum_out(b, wanted);
    Term result;
    if (gt_status() != GT_OK || !product_labels(a, b, keep, &result))
        return;
    if (last)
        result = *last;
    gt_Labels of_a = labels_of(a), of_b = labels_of(b), of_result = labels_of(&result);
    result.x = gt_contract(a->x, b->x, &of_a, &of_b, &of_result);
    *a = result;
}

/* Raises an error unless axes with one letter have one size, and those of "..." broadcast. */
static bool check_sizes(int count, const Term *terms)
{
    int64_t dims[256];
    for (int label = 0; label < 256; label++)
        dims[label] = -1;
    for (int t = 0; t < count; t++) {
        gt_Shape shape = gt_tensor_shape(terms[t].x);
        for (int i = 0; i < terms[t].rank; i++) {
            char label = terms[t].label[i];
            int64_t *dim = &dims[(unsigned char)label];
            bool stretches = !is_letter(label) && (*dim == 1 || shape.dims[i] == 1);
            if (*dim >= 0 && *dim != shape.dims[i] && !stretches) {
                char name[] = {label, 0};
                gt_fail(GT_INVALID, "axis %s must have one size (got %lld and %lld)",
                        is_letter(label) ? name : "...", (long long)*dim, (long long)shape.dims[i]);
                return false;
            }
            if (*dim < 0 || (stretches && *dim == 1))
                *dim = shape.dims[i];
        }
    }
    return true;
}

/* Without "->": "..." and then what occurs once, in alphabetical order. */
static bool default_result(const char *text, int dots, Term *result)
{
    result->rank = 0;
    for (int i = dots; i > 0; i--)
        put_label(result, (char)(i - 1));
    for (int c = 'A'; c <= 'z'; c++) {
        const char *first = is_letter((char)c) ? strchr(text, c) : NULL;
        if (first && !strchr(first + 1, c) && !put_label(result, (char)c))
            return fail_subscripts(text, first, "the result has more axes than a tensor can have");
    }
    return true;
}

/* Each label of the result is in an operand, and comes once. */
static bool check_result(const char *text, int operands, const Term *terms, const Term *result)
{
    for (int i = 0; i < result->rank; i++) {
        bool known = false;
        for (int t = 0; t < operands; t++)
            known |= has(&terms[t], result->label[i]);
        if (known && !memchr(result->label, result->label[i], (size_t)i))
            continue;
        const char name[] = {result->label[i], 0};
        gt_fail(GT_INVALID, "subscripts \"%.60s\": %s of the result is %s", text,
                is_letter(*name) ? name : "...", known ? "there twice" : "in no operand");
        return false;
    }
    return true;
}

static bool read_subscripts(const char *text, gt_Tensors tensors, Term *terms, Term *result)
{
    const char *at = text;
    int most = 0;
    for (int t = 0; t < tensors.count; t++) {
        int rank = gt_rank(tensors.items[t]), dots = -1;
        if (rank < 0 || !read_term(text, &at, rank, &dots, &terms[t]))
            return false;
        terms[t].x = tensors.items[t];
        if (terms[t].rank != rank) {
            gt_fail(GT_INVALID,
                    "subscripts \"%.60s\": operand %d has rank %d; its term names %d axes", text,
                    t + 1, rank, terms[t].rank);
            return false;
        }
        if ((t + 1 < tensors.count) != (*at == ',')) {
            gt_fail(GT_INVALID, "subscripts \"%.60s\" have %s operands than were given (%d)", text,
                    *at == ',' ? "more" : "fewer", tensors.count);
            return false;
        }
        at += *at == ',';
        most = dots > most ? dots : most;
    }
    if (!*at)
        return default_result(text, most, result) &&
               check_result(text, tensors.count, terms, result);
    if (strncmp(at, "->", 2) != 0)
        return fail_subscripts(text, at, "expected \"->\"");
    at += 2;
    if (!read_term(text, &at, 0, &most, result))
        return false;
    if (*at)
        return fail_subscripts(text, at, "expected the end after the result");
    return check_result(text, tensors.count, terms, result);
}

static gt_Tensor *einsum(const char *subscripts, gt_Tensors tensors)
{
    Term terms[GT_MAX_INPUTS], result;
    if (!subscripts || tensors.count < 1 || tensors.count > GT_MAX_INPUTS || !tensors.items) {
        gt_fail(GT_INVALID, "expected subscripts and 1 to %d tensors", GT_MAX_INPUTS);
        return NULL;
    }
    if (!read_subscripts(subscripts, tensors, terms, &result) || !check_sizes(tensors.count, terms))
        return NULL;
    for (int t = 0; t < tensors.count; t++)
        take_diagonals(&terms[t]);
    for (int t = 0; t < tensors.count; t++) {
        bool keep[256] = {false};
        for (int i = 0; i < result.rank; i++)
            keep[(unsigned char)result.label[i]] = true;
        for (int later = t + 1; later < tensors.count; later++)
            for (int i = 0; i < terms[later].rank; i++)
                keep[(unsigned char)terms[later].label[i]] = true;
        if (t == 0)
            sum_out(&terms[0], keep);
        else
            contract(&terms[0], &terms[t], keep, t + 1 == tensors.count ? &result : NULL);
    }
    gt_Axes perm = {GT_MARK, result.rank, {0}};
    for (int i = 0; i < result.rank && gt_status() == GT_OK; i++) {
        const char *at = memchr(terms[0].label, result.label[i], (size_t)terms[0].rank);
        perm.axis[i] = (int32_t)(at - terms[0].label);
    }
    return gt_permuted(terms[0].x, &perm);
}
GT_COMPOSED(einsum, (const char *here, const char *subscripts, gt_Tensors tensors),
            (subscripts, tensors))
