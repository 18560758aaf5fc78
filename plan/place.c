/* Packing by size: large pieces first, each into the smallest gap that is free for its whole life.
 *
 * A tree over the steps keeps the bytes that are taken at each time, so that a piece does not look at
 * every other one. A node stands for a range of steps, its children for the halves, and knows two
 * sets of bytes, each as runs: `whole`, taken by pieces that live through all of its range but not
 * of its parent's, and `any`, taken by any piece at any time in its range. A life is cut into the
 * fewest nodes that make it up, at most two a level. So what is free for a life is what neither
 * `any` of these nodes nor `whole` of the nodes above them has:
 *
 *     steps        0 1 2 3     a piece of 64 bytes lives from 1 to 3, at offset 0
 *     nodes        [     ]     any: 0-64
 *                  [ ] [ ]     any: 0-64; any and whole: 0-64
 *                  ^ ^         -; any and whole: 0-64
 *
 * Pieces that lie side by side make one run. There are few, because the smallest gap is filled
 * first. Where all pieces are few, each looks at all others instead, which gives the same. Leans on memory.c. */
#include "plan/place.h"

#include <string.h>

typedef struct Run {
    size_t begin, end;
} Run;

/* Sorted; no two touch. Most are a single run, which needs no block of its own. */
typedef struct Runs {
    Run one, *many;
    int32_t count, capacity; /* of `many`; 0: there is only `one` */
} Runs;

typedef struct Node {
    Runs whole, any;
} Node;

/* Twice a level for both ends of a life, and what is above them: 4 * 32 is more than enough. */
#define MOST_SETS 128

typedef struct Time {
    gt_Context *context;
    Node *nodes; /* the children of node i are 2 i and 2 i + 1; the first is number 1 */
    int32_t leaves;
    const Runs *set[MOST_SETS]; /* of a question: what is taken */
    int32_t at[MOST_SETS];      /* how far each is read */
    int32_t sets;
} Time;

/* ---- sets of bytes ---- */

static const Run *runs_of(const Runs *runs)
{
    return runs->capacity ? runs->many : &runs->one;
}

/* The first run that ends at `begin` or behind it. */
static int32_t find_run(const Runs *runs, size_t begin)
{
    const Run *run = runs_of(runs);
    int32_t low = 0, high = runs->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (run[middle].end < begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Room for one more. */
static bool grow_runs(gt_Context *context, Runs *runs)
{
    if (runs->count < (runs->capacity ? runs->capacity : 1))
        return true;
    int32_t capacity = runs->capacity ? runs->capacity * 2 : 4;
    Run *grown = gt_allocate(context, (size_t)capacity * sizeof *grown);
    if (!grown)
        return false;
    memcpy(grown, runs_of(runs), (size_t)runs->count * sizeof *grown);
    gt_release(context, runs->many, (size_t)runs->capacity * sizeof *grown);
    runs->many = grown;
    runs->capacity = capacity;
    return true;
}

/* The runs that touch the new one, from `first` to before `last`, become one with it. */
static bool add_run(gt_Context *context, Runs *runs, Run run)
{
    const Run *old = runs_of(runs);
    int32_t first = find_run(runs, run.begin), last = first;
    for (; last < runs->count && old[last].begin <= run.end; last++) {
        if (old[last].begin < run.begin)
            run.begin = old[last].begin;
        if (old[last].end > run.end)
            run.end = old[last].end;
    }
    if (first == last && !grow_runs(context, runs))
        return false;
    Run *now = runs->capacity ? runs->many : &runs->one;
    if (last != first + 1)
        memmove(now + first + 1, now + last, (size_t)(runs->count - last) * sizeof *now);
    now[first] = run;
    runs->count += 1 - (last - first);
    return true;
}

/* ---- time ---- */

/* Writes down that the bytes are taken from step `first` to step `last`. The node stands for the
 * steps from `from` on, `steps` of them. */
static bool take(Time *time, int32_t node, int32_t from, int32_t steps, const gt_Piece *piece,
                 Run run)
{
    int32_t to = from + steps - 1;
    if (piece->last < from || piece->first > to)
        return true;
    if (!add_run(time->context, &time->nodes[node].any, run))
        return false;
    if (piece->first <= from && piece->last >= to)
        return add_run(time->context, &time->nodes[node].whole, run);
    return take(time, 2 * node, from, steps / 2, piece, run) &&
           take(time, 2 * node + 1, from + steps / 2, steps / 2, piece, run);
}

/* Gathers the sets of what is taken during the life of a piece. */
static void look(Time *time, int32_t node, int32_t from, int32_t steps, const gt_Piece *piece)
{
    int32_t to = from + steps - 1;
    if (piece->last < from || piece->first > to)
        return;
    bool inside = piece->first <= from && piece->last >= to;
    const Runs *runs = inside ? &time->nodes[node].any : &time->nodes[node].whole;
    if (runs->count) {
        time->at[time->sets] = 0;
        time->set[time->sets++] = runs;
    }
    if (inside)
        return;
    look(time, 2 * node, from, steps / 2, piece);
    look(time, 2 * node + 1, from + steps / 2, steps / 2, piece);
}

/* The end of what is taken without a gap from `end` on; `next` gets where the run behind the gap
 * begins, SIZE_MAX if there is none. */
static size_t skip_taken(Time *time, size_t end, size_t *next)
{
    bool moved = true;
    while (moved) {
        moved = false;
        *next = SIZE_MAX;
        for (int32_t i = 0; i < time->sets; i++) {
            const Run *run = runs_of(time->set[i]) + time->at[i];
            const Run *last = runs_of(time->set[i]) + time->set[i]->count;
            for (; run < last && run->begin <= end; run++)
                if (run->end > end) {
                    end = run->end;
                    moved = true;
                }
            if (run < last && run->begin < *next)
                *next = run->begin;
            time->at[i] = (int32_t)(run - runs_of(time->set[i]));
        }
    }
    return end;
}

/* The smallest gap that holds the piece, the first one of them; else behind everything. */
static size_t best_gap(Time *time, const gt_Piece *piece)
{
    size_t best = SIZE_MAX, smallest = SIZE_MAX, bytes = gt_piece_bytes(piece), next;
    time->sets = 0;
    look(time, 1, 0, time->leaves, piece);
    size_t end = skip_taken(time, 0, &next);
    while (next < SIZE_MAX) {
        if (next - end >= bytes && next - end < smallest) {
            smallest = next - end;
            best = end;
        }
        end = skip_taken(time, next, &next);
    }
    return best < SIZE_MAX ? best : end;
}

/* ---- few pieces ---- */

#define FEW 400

typedef struct Placed {
    Run run;
    int32_t first, last;
} Placed;

/* The same gap as best_gap finds, among pieces that are sorted by where they begin. */
static size_t gap_among(const Placed *placed, const Placed *behind, const gt_Piece *piece)
{
    const size_t bytes = gt_piece_bytes(piece);
    const int32_t first = piece->first, last = piece->last;
    size_t best = SIZE_MAX, smallest = SIZE_MAX, end = 0;
    for (; placed < behind; placed++) {
        if (placed->last < first || placed->first > last)
            continue;
        if (placed->run.begin >= end + bytes && placed->run.begin - end < smallest) {
            smallest = placed->run.begin - end;
            best = end;
        }
        end = placed->run.end > end ? placed->run.end : end;
    }
    return best < SIZE_MAX ? best : end;
}

/* `placed` has room for all. */
static void place_few(gt_Piece *const *pieces, Placed *placed, int32_t count, size_t *bytes)
{
    for (int32_t i = 0; i < count; i++) {
        gt_Piece *piece = pieces[i];
        Placed *at = placed + i;
        piece->offset = gap_among(placed, at, piece);
        for (; at > placed && at[-1].run.begin > piece->offset; at--)
            *at = at[-1];
        const size_t end = piece->offset + gt_piece_bytes(piece);
        *at = (Placed){{piece->offset, end}, piece->first, piece->last};
        *bytes = end > *bytes ? end : *bytes;
    }
}

/* ---- all of them ---- */

/* A stable merge of two sorted halves, large pieces first. */
static void sort_by_size(gt_Piece **list, gt_Piece **spare, int32_t count)
{
    if (count < 2)
        return;
    int32_t half = count / 2, a = 0, b = half;
    sort_by_size(list, spare, half);
    sort_by_size(list + half, spare, count - half);
    for (int32_t i = 0; i < count; i++) {
        bool first = b >= count || (a < half && list[a]->bytes >= list[b]->bytes);
        spare[i] = first ? list[a++] : list[b++];
    }
    memcpy(list, spare, (size_t)count * sizeof *list);
}

static void place_all(Time *time, gt_Piece **pieces, int32_t count, size_t *bytes)
{
    for (int32_t i = 0; i < count; i++) {
        gt_Piece *piece = pieces[i];
        piece->offset = best_gap(time, piece);
        size_t end = piece->offset + gt_piece_bytes(piece);
        if (end > *bytes)
            *bytes = end;
        if (!take(time, 1, 0, time->leaves, piece, (Run){piece->offset, end}))
            return;
    }
}

static void close_time(Time *time)
{
    for (int32_t i = 0; time->nodes && i < 2 * time->leaves; i++) {
        Runs *sets[2] = {&time->nodes[i].whole, &time->nodes[i].any};
        for (int s = 0; s < 2; s++)
            gt_release(time->context, sets[s]->many, (size_t)sets[s]->capacity * sizeof(Run));
    }
    gt_release(time->context, time->nodes, 2 * (size_t)time->leaves * sizeof *time->nodes);
}

gt_Status gt_place(gt_Context *context, gt_Piece **pieces, int32_t count, int32_t steps,
                   size_t *bytes)
{
    Time time = {.context = context, .leaves = 1};
    *bytes = 0;
    if (count == 0)
        return GT_OK;
    while (time.leaves < steps)
        time.leaves *= 2;
    size_t list = (size_t)count * sizeof(gt_Piece *);
    gt_Piece **spare = gt_allocate(context, list);
    if (spare && count <= FEW) {
        const size_t all = (size_t)count * sizeof(Placed);
        Placed *placed = gt_allocate(context, all);
        sort_by_size(pieces, spare, count);
        if (placed)
            place_few(pieces, placed, count, bytes);
        gt_release(context, placed, all);
        gt_release(context, spare, list);
        return gt_context_status(context);
    }
    time.nodes = gt_allocate_zeroed(context, 2 * (size_t)time.leaves * sizeof *time.nodes);
    if (spare && time.nodes) {
        sort_by_size(pieces, spare, count);
        place_all(&time, pieces, count, bytes);
    }
    gt_release(context, spare, list);
    close_time(&time);
    return gt_context_status(context);
}
