/* Connectionist temporal classification, what gains nothing from vectors: the states of a lattice
 * and the search for labels. Leans on functions.h.
 *
 * The beam search in one example, classes a, b and the blank -. After the step in which a is likely
 * the beam holds the prefixes "" (its alignment "-") and "a". In the next step each may stay, by a
 * blank or by its last label again, or get one more label: "a" stays "a" by "a-" and by "aa"; it
 * becomes "aa" only by way of a blank, which is why a Candidate keeps alignments that end in a
 * blank apart from the others. The `width` best candidates become the next beam. Prefixes are nodes
 * of a tree, so that the same labels, reached in two ways, are one candidate. */
#include "kernels/functions.h"
#include "kernels/integers.h"

enum { ALIGNMENT = 64 };

/* Of row: label k is state 2 k + 1, blanks are around. A label may be reached past the blank before
 * it if it differs from the label before that; an alignment may end in the last label or the blank
 * behind it. */
static void states_of_row(const gt_CtcStatesJob *job, void *const *at, int64_t row)
{
    const int64_t n = 2 * job->labels + 1, length = gt_integer(at[1], job->type[1], row);
    int32_t *classes = (int32_t *)at[3] + row * n;
    uint8_t *skips = (uint8_t *)at[4] + row * n, *ends = (uint8_t *)at[5] + row * n;
    int64_t before = -1;
    for (int64_t s = 0; s < n; s++) {
        bool labelled = s % 2 == 1 && s / 2 < length;
        int64_t label = labelled ? gt_integer(at[0], job->type[0], row * job->labels + s / 2) : 0;
        classes[s] = (int32_t)(labelled ? label : job->blank);
        skips[s] = labelled && s > 1 && label != before;
        ends[s] = s == 2 * length || s == 2 * length - 1;
        before = labelled ? label : before;
    }
}

/* Integers and copies. Any order of tiles. */
void GT_KERNEL(tiles_ctc_states)(const void *job, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    (void)scratch;
    for (int64_t row = first; row < last; row++)
        states_of_row(job, at, row);
}

/* ---- decoding ---- */

/* What was written so far, as a tree: a label behind the labels of `parent`. Nodes number its
 * children by first child and sibling. `slot`: where it is in the beam; -1: nowhere. */
typedef struct Prefix {
    int32_t parent, label, child, sibling, slot;
} Prefix;

/* One in the beam: the logarithms of what its alignments that end in a blank, and the others, have
 * as probability. A candidate for the next beam is prefix `from` itself or, with a label, a new
 * child of it. Of equals the one with the lower order is better. */
typedef struct Candidate {
    double total, blank, other;
    int64_t order;
    int32_t from, label;
} Candidate;

/* What a search works with. Of the candidates the `width` best are kept, as a heap with the worst
 * of them on top. */
typedef struct Search {
    Prefix *prefix;
    Candidate *beam, *next;
    double *log_p;
    int32_t *stamp; /* of a class: who in the beam has a child with that label there */
    int32_t prefixes;
    int64_t beams, kept, order, width;
} Search;

/* Pieces of scratch memory, one behind the other; with NULL only their size counts. */
static size_t search_memory(const gt_CtcDecodeJob *d, char *memory, Search *search)
{
    const size_t nodes = (size_t)(d->steps * d->width + 1);
    const size_t bytes[] = {
        nodes * sizeof(Prefix),
        (size_t)d->width * sizeof(Candidate),
        (size_t)d->width * sizeof(Candidate),
        (size_t)d->classes * sizeof(double),
        (size_t)d->classes * sizeof(int32_t),
    };
    void *piece[5] = {NULL};
    size_t all = 0;
    for (int i = 0; i < 5; i++) {
        piece[i] = memory ? memory + all : NULL;
        all += (bytes[i] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    *search = (Search){.prefix = piece[0],
                       .beam = piece[1],
                       .next = piece[2],
                       .log_p = piece[3],
                       .stamp = piece[4],
                       .width = d->width};
    return all;
}

size_t gt_ctc_decode_scratch(const gt_CtcDecodeJob *job)
{
    Search search;
    return search_memory(job, NULL, &search);
}

static double number_of(const gt_CtcDecodeJob *d, const void *x, int64_t i)
{
    return d->type == GT_LOOP_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void store(const gt_CtcDecodeJob *d, void *y, int64_t i, double number)
{
    if (d->type == GT_LOOP_F32)
        ((float *)y)[i] = (float)number;
    else
        ((double *)y)[i] = number;
}

static int64_t length_of(const gt_CtcDecodeJob *d, void *const *at, int64_t row)
{
    return gt_integer(at[1], d->length_type, row);
}

/* The largest score of each step, the first of equal ones; their sum, in double from the first step
 * on. */
static void decode_greedily(const gt_CtcDecodeJob *d, void *const *at, int64_t row)
{
    int32_t *labels = (int32_t *)at[2] + row * d->steps;
    int64_t before = d->blank, length = length_of(d, at, row);
    double sum = 0;
    for (int64_t t = 0; t < length; t++) {
        int64_t i = (row * d->steps + t) * d->classes, best = 0;
        for (int64_t c = 1; c < d->classes; c++)
            if (number_of(d, at[0], i + c) > number_of(d, at[0], i + best))
                best = c;
        sum += number_of(d, at[0], i + best);
        if (best != d->blank && !(d->merge_repeated && best == before))
            *labels++ = (int32_t)best;
        before = best;
    }
    store(d, at[3], row, -sum);
}

static double log_sum(double a, double b)
{
    double most = a > b ? a : b, least = a > b ? b : a;
    return most == -INFINITY ? most : most + gt_log1p_f64(gt_exp_f64(least - most));
}

static bool worse(const Candidate *a, const Candidate *b)
{
    return a->total < b->total || (a->total == b->total && a->order > b->order);
}

/* Lets heap[i] sink to its place. */
static void sink(Candidate *heap, int64_t count, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &heap[i]))
            break;
        Candidate swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void offer(Search *search, double blank, double other, int32_t from, int32_t label)
{
    Candidate new = {log_sum(blank, other), blank, other, search->order++, from, label};
    Candidate *heap = search->next;
    if (!(new.total > -INFINITY))
        return;
    if (search->kept == search->width) {
        if (worse(&heap[0], &new)) {
            heap[0] = new;
            sink(heap, search->kept, 0);
        }
        return;
    }
    int64_t i = search->kept++;
    for (; i > 0 && worse(&new, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = new;
}

/* The child of a prefix with that label, made if there is none. */
static int32_t child_of(Search *search, int32_t parent, int32_t label)
{
    Prefix *prefix = search->prefix;
    int32_t child = prefix[parent].child;
    while (child >= 0 && prefix[child].label != label)
        child = prefix[child].sibling;
    if (child >= 0)
        return child;
    child = search->prefixes++;
    prefix[child] = (Prefix){parent, label, -1, prefix[parent].child, -1};
    prefix[parent].child = child;
    return child;
}

/* The candidates become the beam, best first. In it, `from` is the prefix itself. */
static void settle(Search *search)
{
    for (int64_t i = 0; i < search->beams; i++)
        search->prefix[search->beam[i].from].slot = -1;
    search->beams = search->kept;
    for (int64_t i = search->kept - 1; i >= 0; i--) {
        Candidate worst = search->next[0];
        search->next[0] = search->next[i];
        sink(search->next, i, 0);
        if (worst.label >= 0)
            worst.from = child_of(search, worst.from, worst.label);
        search->prefix[worst.from].slot = (int32_t)i;
        search->beam[i] = worst;
    }
    search->kept = search->order = 0;
}

/* One step: each in the beam stays what it is, by a blank or its last label again, or gets one more
 * label. A child that is in the beam already gets it from its parent then. */
static void search_step(Search *search, const gt_CtcDecodeJob *d, int32_t serial)
{
    const double *log_p = search->log_p;
    for (int64_t i = 0; i < search->beams; i++) {
        const Candidate *one = &search->beam[i];
        const Prefix *prefix = &search->prefix[one->from];
        double again = -INFINITY;
        if (prefix->parent >= 0) {
            int32_t slot = search->prefix[prefix->parent].slot;
            again = one->other + log_p[prefix->label];
            if (slot >= 0) {
                const Candidate *parent = &search->beam[slot];
                bool repeats = search->prefix[prefix->parent].label == prefix->label;
                again = log_sum(again,
                                (repeats ? parent->blank : parent->total) + log_p[prefix->label]);
            }
        }
        offer(search, one->total + log_p[d->blank], again, one->from, -1);
    }
    for (int64_t i = 0; i < search->beams; i++, serial++) {
        const Candidate *one = &search->beam[i];
        const Prefix *prefix = &search->prefix[one->from];
        for (int32_t child = prefix->child; child >= 0; child = search->prefix[child].sibling)
            if (search->prefix[child].slot >= 0)
                search->stamp[search->prefix[child].label] = serial;
        for (int32_t c = 0; c < d->classes; c++)
            if (c != d->blank && search->stamp[c] != serial)
                offer(search, -INFINITY, (c == prefix->label ? one->blank : one->total) + log_p[c],
                      one->from, c);
    }
    settle(search);
}

static void decode_by_beams(const gt_CtcDecodeJob *d, void *const *at, int64_t row, void *scratch)
{
    Search search;
    search_memory(d, scratch, &search);
    memset(search.stamp, 0, (size_t)d->classes * sizeof *search.stamp);
    search.prefix[0] = (Prefix){-1, -1, -1, -1, 0};
    search.beam[0] = (Candidate){.blank = 0, .other = -INFINITY};
    search.prefixes = 1;
    search.beams = 1;
    const int64_t length = length_of(d, at, row);
    for (int64_t t = 0; t < length; t++) {
        for (int64_t c = 0; c < d->classes; c++)
            search.log_p[c] = number_of(d, at[4], (row * d->steps + t) * d->classes + c);
        search_step(&search, d, (int32_t)(1 + t * d->width));
    }
    for (int64_t path = 0; path < d->paths; path++) {
        bool exists = path < search.beams;
        store(d, at[3], row * d->paths + path, exists ? search.beam[path].total : -INFINITY);
        int32_t *labels = (int32_t *)at[2] + (path * d->batch + row) * d->steps;
        int32_t end = exists ? search.beam[path].from : 0;
        int64_t count = 0;
        for (int32_t p = end; p > 0; p = search.prefix[p].parent)
            count++;
        for (int32_t p = end; p > 0; p = search.prefix[p].parent)
            labels[--count] = search.prefix[p].label;
    }
}

/* Each row by itself, step after step: logarithms of sums of two, the larger one first, as log_sum says. Any order of
 * tiles. */
void GT_KERNEL(tiles_ctc_decode)(const void *given, void *const *at, int64_t first, int64_t last,
                                 void *scratch)
{
    const gt_CtcDecodeJob *d = given;
    for (int64_t row = first; row < last; row++) {
        for (int64_t path = 0; path < d->paths; path++)
            memset((int32_t *)at[2] + (path * d->batch + row) * d->steps, 0xFF,
                   (size_t)d->steps * sizeof(int32_t)); /* -1 behind the last label */
        if (d->width > 0)
            decode_by_beams(d, at, row, scratch);
        else
            decode_greedily(d, at, row);
    }
}
