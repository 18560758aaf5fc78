/* Convolutions and their two gradients, by the strips of a table (convolution.h).
 *
 * A tile is some lines of the result. What their windows read is copied to scratch memory with zeros around it, a box for each
 * image; 16-bit numbers are widened there. One list says where the window of each position begins, another where each of its
 * numbers lies from there. The kernel has been packed into panels of as many channels as a strip takes.
 *
 *     x (1, 3, 4, 2), k (3, 3, 2, 8), same: a box of 5 x 6 positions of 8 bytes; rows 0, 8, 16, 24, 48, ...,
 *     columns 0, 4, 8, ..., 20, 48, ..., 68, 96, ..., 116
 *
 * The gradient in x is the same with the lists turned round: the window of a position of x are the positions of y that read it.
 * With strides there are as many kinds of positions, phases, as products of strides, and each tap belongs to one of them.
 *
 *     stride 2: position i of x is read by y[(i - p) / 2] with tap p for even i - p: even positions by taps 0 and 2, odd by 1
 *
 * In the gradient of the kernel rows and columns change places: a result is a (tap, channel), the sum is over positions.
 *
 * Products with padding are left out: positions at an edge of x are a list of their own, whose strips run over fewer columns, and the
 * strips of a line of taps over fewer positions.
 *
 *     above: the first line begins with column 48, the last one ends before 96; of what is between, the first position of a line leaves
 *     out columns 0, 4; 48, 52; 96, 100
 *
 * Order of calls: pack, then for each tile copy boxes, list rows, strips, or, of a small one, strips alone; or, for the kernel, strips,
 * sums of blocks, total. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/product.h"

/* Bytes from one position of the gradient that arrives to the next up to which its panels are not copied. */
#define NEAR 256

/* Rows that are far from each other are fetched so many ahead. */
#define AHEAD 16
#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) (void)(p)
#endif

/* An operand as it is stored. */
typedef struct Operand {
    const char *at;
    size_t element;
    int half; /* a gt_HalfType; -1: the result's type */
} Operand;

/* On which side of x the windows of a position leave it, along an axis. */
typedef enum Side { BEFORE, INSIDE, BEYOND } Side;

/* Positions that are listed from number `begin` on, and the columns that are not padding for all of them. */
typedef struct Rows {
    int64_t begin, rows, runs;
    gt_ConvRun run[GT_CONV_RUNS];
    bool pairs; /* upper lines of pairs */
    int64_t phase;
} Rows;
#define MOST_LISTS  6
#define MOST_PHASES 4 /* whose lists are kept */

/* A call: the job, where its operands are, a worker's scratch memory. */
typedef struct Work {
    const gt_KernelTable *table;
    const gt_ConvJob *c;
    Operand a, b;
    void *const *at;
    int64_t *column, *row, *to; /* the lists */
    char *image;                /* boxes */
    char *strip;                /* a panel of the gradient that arrives, then sums */
    int64_t listed[2];          /* units whose positions are listed, counted from an image on */
    int64_t rows;               /* positions in all lists */
    const char *ahead;          /* what the next tile will copy, and how many bytes */
    int64_t ahead_bytes;
    int64_t edge[GT_SPATIAL]
                [2]; /* positions below the first number are BEFORE, from the second on BEYOND */
    bool cleared; /* tiles are zero before they are written */
    int lists;
    Rows *list; /* room for MOST_LISTS, where there are any */
} Work;

/* Kinds of positions that are read through different taps; `phase` of each axis. */
typedef struct Phase {
    int64_t of[GT_SPATIAL];
    int64_t number, start, taps; /* its first tap among those of all phases */
} Phase;

/* Positions of the result. */
typedef struct Box {
    int64_t image, first[GT_SPATIAL], count[GT_SPATIAL];
} Box;

static Work open_work(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at,
                      void *scratch)
{
    Work work = {.table = table,
                 .c = c,
                 .a = {at[0], c->element_a, c->half_a},
                 .b = {at[1], c->element_b, c->half_b},
                 .at = at,
                 .listed = {-1, -1},
                 .column = scratch};
    char *piece = (char *)scratch + c->column_bytes;
    work.row = (int64_t *)(void *)piece;
    work.to = (int64_t *)(void *)(piece += c->row_bytes);
    work.image = piece += c->row_bytes;
    work.strip = piece + c->image_bytes;
    return work;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static Operand from(Operand a, int64_t number)
{
    a.at += (size_t)number * a.element;
    return a;
}

/* Rows of n numbers, `step` apart, one behind the other with `to_step` between their beginnings. */
static void copy_rows(const Work *w, Operand a, int64_t rows, int64_t n, int64_t step, char *to,
                      int64_t to_step)
{
    if (rows == 0 || n == 0)
        return;
    if (a.half >= 0) {
        w->table->widen[a.half](rows, n, a.at, step, (float *)(void *)to, to_step);
        return;
    }
    const size_t bytes = (size_t)n * a.element;
    for (int64_t r = 0; r < rows; r++) {
        const char *row = a.at + (size_t)(r * step) * a.element;
        if (r + AHEAD < rows)
            PREFETCH(row + (size_t)(AHEAD * step) * a.element);
        memcpy(to + (size_t)(r * to_step) * a.element, row, bytes);
    }
}

/* ---- what comes next ---- */

/* Units [unit, end) of the result come next: about what lies in x for them, if it is to be copied. */
static void look_ahead(Work *w, int64_t unit, int64_t end)
{
    const gt_ConvJob *c = w->c;
    const int64_t all = c->groups * c->held * c->element_a;
    const int64_t image = gt_conv_from(c, 0) * gt_conv_from(c, 1) * gt_conv_from(c, 2) * all;
    const int64_t units = gt_conv_to(c, 0) * gt_conv_to(c, 1) * c->cuts;
    w->ahead = w->a.at + unit * image / units;
    w->ahead_bytes = c->direct ? 0 : (end - unit) * image / units;
}

/* A strip fetches for `count` of the `all` rows or columns of a tile. */
static void fetch(Work *w, gt_ConvStrip *s, int64_t count, int64_t all)
{
    s->ahead = w->ahead;
    s->ahead_bytes = (w->ahead_bytes + all - 1) / all;
    w->ahead += count * s->ahead_bytes;
}

/* ---- windows ---- */

/* Where the window of position i begins, and how far tap p lies from there. */
static int64_t begins(const gt_ConvJob *c, int d, int64_t i)
{
    const gt_SlidingWindow *w = &c->window;
    return c->back ? (i + w->before[d]) / w->stride[d] : i * w->stride[d] - w->before[d];
}
static int64_t lies(const gt_ConvJob *c, int d, int64_t p)
{
    const gt_SlidingWindow *w = &c->window;
    return c->back ? -(p * w->dilation[d] / w->stride[d]) : p * w->dilation[d];
}
/* How far back the first number of a window is. */
static int64_t reach(const gt_ConvJob *c, int d)
{
    return c->back ? -lies(c, d, c->window.size[d] - 1) : 0;
}

int64_t gt_conv_extent(const gt_ConvJob *c, int d, int64_t positions)
{
    const gt_SlidingWindow *w = &c->window;
    const int64_t far = (w->size[d] - 1) * w->dilation[d];
    return c->back ? (positions - 1 + w->stride[d] - 1) / w->stride[d] + far / w->stride[d] + 1
                   : (positions - 1) * w->stride[d] + far + 1;
}

static int64_t phases(const gt_ConvJob *c)
{
    return c->back ? c->window.stride[0] * c->window.stride[1] * c->window.stride[2] : 1;
}

/* Is tap p of axis d one of the phase? */
static bool belongs(const gt_ConvJob *c, const Phase *phase, int d, int64_t p)
{
    return !c->back || p * c->window.dilation[d] % c->window.stride[d] == phase->of[d];
}

/* From -1 to the next phase; false behind the last one. */
static bool next_phase(const gt_ConvJob *c, int64_t number, Phase *phase)
{
    const gt_SlidingWindow *w = &c->window;
    if (number == phases(c))
        return false;
    phase->number = number;
    phase->start = number ? phase->start + phase->taps : 0;
    phase->taps = 1;
    for (int d = GT_SPATIAL - 1; d >= 0; d--) {
        phase->of[d] = c->back ? number % w->stride[d] : 0;
        number = c->back ? number / w->stride[d] : 0;
        int64_t taps = 0;
        for (int64_t p = 0; p < w->size[d]; p++)
            taps += belongs(c, phase, d, p);
        phase->taps *= taps;
    }
    return true;
}

/* Calls for each tap of the phase in order: the last one first if `back`. */
typedef void EachTap(const Work *w, int64_t number, const int64_t tap[GT_SPATIAL], void *user);
static void each_tap(const Work *w, const Phase *phase, EachTap *call, void *user)
{
    const gt_ConvJob *c = w->c;
    const int64_t taps = c->window.taps;
    int64_t number = phase->start;
    for (int64_t i = 0; i < taps; i++) {
        int64_t rest = c->back ? taps - 1 - i : i, tap[GT_SPATIAL];
        bool mine = true;
        for (int d = GT_SPATIAL - 1; d >= 0; d--) {
            tap[d] = rest % c->window.size[d];
            rest /= c->window.size[d];
            mine = mine && belongs(c, phase, d, tap[d]);
        }
        if (mine)
            call(w, number++, tap, user);
    }
}

/* Its number in the kernel. */
static int64_t tap_of_kernel(const gt_ConvJob *c, const int64_t tap[GT_SPATIAL])
{
    int64_t number = 0;
    for (int d = 0; d < GT_SPATIAL; d++)
        number = number * c->size[d] + c->skipped[d] + tap[d];
    return number;
}

static void list_tap(const Work *w, int64_t number, const int64_t tap[GT_SPATIAL], void *user)
{
    const gt_ConvJob *c = w->c;
    int64_t at = 0, *column = w->column + number * c->a;
    (void)user;
    for (int d = 0; d < GT_SPATIAL; d++)
        at += lies(c, d, tap[d]) * c->pitch[d];
    for (int64_t i = 0; i < c->a; i++)
        column[i] = at + i * c->element;
}

/* n numbers, `step` apart. */
static void list(int64_t n, int64_t first, int64_t step, int64_t *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = first + i * step;
}

static void spare(int64_t *list, int64_t n)
{
    const int64_t last = n ? list[n - 1] : 0;
    for (int64_t i = 0; i < GT_CONV_SPARE; i++)
        list[n + i] = last;
}

/* The numbers of a window, phase by phase. */
static void list_columns(const Work *w)
{
    Phase phase;
    for (int64_t i = 0; next_phase(w->c, i, &phase); i++)
        each_tap(w, &phase, list_tap, NULL);
    const gt_ConvJob *c = w->c;
    const int64_t depth = gt_conv_depth(c);
    spare(w->column, depth);
    for (int64_t i = 0; i < gt_conv_shift(c);
         i++) /* the last line of taps of the lower one of a pair */
        w->column[depth + i] = w->column[i] + c->window.size[1] * c->pitch[1];
}

/* ---- boxes ---- */

/* The positions from a unit on, before `end`, that lie in one plane of an image; returns the unit behind them. */
static int64_t next_box(const gt_ConvJob *c, int64_t unit, int64_t end, Box *box)
{
    const int64_t planes = gt_conv_to(c, 0), lines = gt_conv_to(c, 1);
    const int64_t line = unit / c->cuts, piece = unit % c->cuts;
    box->image = line / lines / planes;
    box->first[0] = line / lines % planes;
    box->first[1] = line % lines;
    box->first[2] = piece * c->wide;
    box->count[0] = 1;
    box->count[1] = c->cuts > 1 ? 1 : least(end - unit, lines - box->first[1]);
    box->count[2] = least(c->wide, gt_conv_to(c, 2) - box->first[2]);
    return unit + box->count[1];
}

/* Where the number that the window of the box's first position begins with lies, in bytes from w->image or, direct, from the
 * image that rows are counted from. */
static int64_t box_begins(const gt_ConvJob *c, const Box *box, int64_t number)
{
    int64_t at = c->direct ? box->image * gt_conv_from(c, 0) * c->pitch[0] : number * c->box;
    for (int d = 0; d < GT_SPATIAL; d++)
        at += (c->direct ? begins(c, d, box->first[d]) : reach(c, d)) * c->pitch[d];
    return at;
}

/* A line of the box: `n` positions of x from `first` on, `inside`: they are not all padding. */
static void copy_line(const Work *w, int64_t group, int64_t line, bool inside, int64_t first,
                      int64_t n, char *to)
{
    const gt_ConvJob *c = w->c;
    const int64_t end = inside ? gt_conv_from(c, 2) : 0, all = c->groups * c->held;
    const int64_t left = first < 0 ? least(-first, n) : 0;
    const int64_t middle = first + n > end ? end - first - left : n - left;
    const size_t one = (size_t)c->pitch[2];
    if (!inside || middle <= 0) {
        memset(to, 0, (size_t)n * one);
        return;
    }
    memset(to, 0, (size_t)left * one);
    to += (size_t)left * one;
    Operand x = from(w->a, (line * end + first + left) * all + group * c->held);
    if (c->groups == 1)
        copy_rows(w, x, 1, middle * c->held, 0, to, middle * c->held);
    else
        copy_rows(w, x, middle, c->held, all, to, c->held);
    memset(to + (size_t)middle * one, 0, (size_t)(n - left - middle) * one);
}

static void copy_box(const Work *w, int64_t group, const Box *box, char *to)
{
    const gt_ConvJob *c = w->c;
    int64_t first[GT_SPATIAL], n[GT_SPATIAL];
    for (int d = 0; d < GT_SPATIAL; d++) {
        const int64_t begin = begins(c, d, box->first[d]);
        first[d] = begin - reach(c, d);
        n[d] = begins(c, d, box->first[d] + box->count[d] - 1) - begin + gt_conv_extent(c, d, 1);
    }
    for (int64_t z = 0; z < n[0]; z++)
        for (int64_t y = 0; y < n[1]; y++) {
            const int64_t i = first[0] + z, j = first[1] + y;
            const bool inside =
                i >= 0 && i < gt_conv_from(c, 0) && j >= 0 && j < gt_conv_from(c, 1);
            copy_line(w, group, (box->image * gt_conv_from(c, 0) + i) * gt_conv_from(c, 1) + j,
                      inside, first[2], n[2], to + z * c->pitch[0] + y * c->pitch[1]);
        }
}

static void copy_boxes(const Work *w, int64_t group, int64_t unit, int64_t end)
{
    Box box;
    for (int64_t number = 0; unit < end && !w->c->direct; number++) {
        unit = next_box(w->c, unit, end, &box);
        copy_box(w, group, &box, w->image + number * w->c->box);
    }
}

/* The first position of an axis from `i` on that belongs to the phase. */
static int64_t first_of_phase(const gt_ConvJob *c, const Phase *phase, int d, int64_t i)
{
    const int64_t stride = c->window.stride[d];
    return c->back ? i + (phase->of[d] + stride - (i + c->window.before[d]) % stride) % stride : i;
}

/* Units of an image, and bytes of its result. */
static int64_t image_units(const gt_ConvJob *c)
{
    return gt_conv_to(c, 0) * gt_conv_to(c, 1) * c->cuts;
}
static int64_t image_bytes(const gt_ConvJob *c)
{
    return gt_conv_to(c, 0) * gt_conv_to(c, 1) * gt_conv_to(c, 2) * c->groups * c->b * c->element;
}

/* Which positions are listed: of lines all, each that the next one makes a pair with, or the one that is left, of this side; of
 * these all positions or those of a side. */
typedef enum Lines { ALL, UPPER, LEFT } Lines;
typedef struct Wanted {
    Lines lines;
    bool of_lines, of_columns; /* a side alone */
    Side line, column;
} Wanted;

/* Where the positions of an axis begin that are not BEFORE, and those that are BEYOND; all are INSIDE if some are both. */
static void find_edges(Work *w, int d)
{
    const gt_ConvJob *c = w->c;
    const int64_t n = gt_conv_to(c, d), from = gt_conv_from(c, d), far = c->window.size[d] - 1;
    const int64_t low = c->back ? lies(c, d, far) : 0, high = c->back ? 0 : lies(c, d, far);
    int64_t first = 0, last = n;
    while (first < n && begins(c, d, first) + low < 0)
        first++;
    while (last > 0 && begins(c, d, last - 1) + high >= from)
        last--;
    w->edge[d][0] = first <= last ? first : 0;
    w->edge[d][1] = first <= last ? last : n;
}

static Side side_of(const Work *w, int d, int64_t i)
{
    return i < w->edge[d][0] ? BEFORE : i < w->edge[d][1] ? INSIDE : BEYOND;
}

/* A pair is on the side of its outer line. */
static bool is_wanted(const Work *w, const Wanted *wanted, int64_t line)
{
    const Side upper = side_of(w, 1, line);
    const Side side = wanted->lines == UPPER && upper == INSIDE ? side_of(w, 1, line + 1) : upper;
    return !wanted->of_lines || side == wanted->line;
}

/* Positions [*first, *end) of the last axis that are wanted among those that are there. */
static void cut_columns(const Work *w, const Wanted *wanted, int64_t *first, int64_t *end)
{
    const int64_t *edge = w->edge[2];
    if (!wanted->of_columns)
        return;
    if (wanted->column != BEFORE)
        *first = most(*first, edge[wanted->column == BEYOND]);
    if (wanted->column != BEYOND)
        *end = least(*end, edge[wanted->column == INSIDE]);
}

/* Lists the positions of the units that belong to the phase and are wanted from number `begin` on, and returns how many: where their
 * windows begin and, unless `to` is NULL, where they lie in the result, counted from the image of the first unit (local: from that
 * unit), so that the lists of many tiles are the same. */
static int64_t list_lines(const Work *w, const Phase *phase, int64_t unit, int64_t end,
                          const Wanted *wanted, int64_t begin, int64_t *to)
{
    const gt_ConvJob *c = w->c;
    const int64_t all = c->groups * c->b * c->element;
    const int64_t start = c->local ? unit * gt_conv_to(c, 2) * all : 0;
    int64_t *row = w->row + begin, by[GT_SPATIAL], on[GT_SPATIAL];
    for (int d = 0; d < GT_SPATIAL; d++) {
        by[d] = c->back ? c->window.stride[d] : 1; /* to the next position of the phase */
        on[d] = c->back ? 1 : c->window.stride[d]; /* to where its window begins */
    }
    Box box;
    for (int64_t number = 0; unit < end; number++) {
        unit = next_box(c, unit, end, &box);
        int64_t left = box.first[2], right = left + box.count[2];
        cut_columns(w, wanted, &left, &right);
        const int64_t y = first_of_phase(c, phase, 1, box.first[1]),
                      x = first_of_phase(c, phase, 2, left);
        if (first_of_phase(c, phase, 0, box.first[0]) != box.first[0])
            continue;
        int64_t line = box_begins(c, &box, number);
        line += (begins(c, 1, y) - begins(c, 1, box.first[1])) * c->pitch[1] +
                (begins(c, 2, x) - begins(c, 2, box.first[2])) * c->pitch[2];
        int64_t place = (((box.image * gt_conv_to(c, 0) + box.first[0]) * gt_conv_to(c, 1) + y) *
                             gt_conv_to(c, 2) +
                         x) *
                            all -
                        start;
        const int64_t n = most(0, right - x + by[2] - 1) / by[2];
        for (int64_t j = y; j < box.first[1] + box.count[1]; j += by[1]) {
            const bool first = (j - y) % 2 == 0, last = j + 1 == box.first[1] + box.count[1];
            const Lines lines = wanted->lines;
            if ((lines == ALL || (first && last == (lines == LEFT))) && is_wanted(w, wanted, j)) {
                list(n, line, on[2] * c->pitch[2], row);
                if (to)
                    list(n, place, by[2] * all, to + (row - w->row));
                row += n;
            }
            line += on[1] * c->pitch[1];
            place += by[1] * gt_conv_to(c, 2) * all;
        }
    }
    const int64_t count = row - w->row - begin;
    spare(w->row + begin, count);
    if (to)
        spare(to + begin, count);
    return count;
}

/* ---- what is padding ---- */

/* Columns [first, first + count) are not left out. */
static void add_run(gt_ConvRun *run, int64_t *runs, int64_t first, int64_t count)
{
    gt_ConvRun *last = run + *runs - 1;
    if (*runs > 0 && (last->first + last->count == first || *runs == GT_CONV_RUNS)) {
        last->count = first + count - last->first;
        return;
    }
    run[*runs].first = first;
    run[(*runs)++].count = count;
}

/* Is a tap padding for every position of a side of the axis? */
static bool is_padding(const Work *w, int d, Side side, int64_t tap)
{
    const int64_t edge = w->edge[d][side == BEYOND], at = lies(w->c, d, tap);
    if (side == BEFORE)
        return begins(w->c, d, edge - 1) + at < 0;
    return side == BEYOND && begins(w->c, d, edge) + at >= gt_conv_from(w->c, d);
}

typedef struct Choice {
    const Wanted *wanted;
    Rows *rows;
} Choice;

static void choose_tap(const Work *w, int64_t number, const int64_t tap[GT_SPATIAL], void *user)
{
    const Choice *choice = user;
    const Wanted *wanted = choice->wanted;
    if ((wanted->of_lines && is_padding(w, 1, wanted->line, tap[1])) ||
        (wanted->of_columns && is_padding(w, 2, wanted->column, tap[2])))
        return;
    add_run(choice->rows->run, &choice->rows->runs, number * w->c->a, w->c->a);
}

/* Adds a list of the positions that are wanted; of a pair the first line of taps is the upper one's, the last one, `shift` columns
 * beyond, the lower one's. */
static void add_list(Work *w, const Phase *phase, int64_t unit, int64_t end, Wanted wanted)
{
    const gt_ConvJob *c = w->c;
    Rows *rows = &w->list[w->lists];
    rows->begin = w->lists > 0 ? rows[-1].begin + rows[-1].rows + GT_CONV_SPARE : 0;
    rows->pairs = wanted.lines == UPPER;
    rows->phase = phase->number;
    rows->rows = list_lines(w, phase, unit, end, &wanted, rows->begin, w->to);
    rows->runs = 1;
    rows->run[0].first = 0;
    rows->run[0].count = phase->taps * c->a;
    w->rows += rows->rows;
    w->lists += rows->rows > 0;
    if (rows->pairs) {
        const int64_t shift = gt_conv_shift(c);
        rows->run[0].first = wanted.line == BEFORE ? shift : 0;
        rows->run[0].count += wanted.line == INSIDE ? shift : 0;
    } else if (wanted.of_lines || wanted.of_columns) {
        Choice choice = {&wanted, rows};
        rows->runs = 0;
        each_tap(w, phase, choose_tap, &choice);
    }
}

/* Rows of a register tile, about, and multiply-adds of all lists, for a channel of the result. */
#define TALL 12
static int64_t work_of(const Work *w)
{
    int64_t all = 0;
    for (const Rows *rows = w->list; rows < w->list + w->lists; rows++) {
        int64_t columns = 0;
        for (int64_t i = 0; i < rows->runs; i++)
            columns += rows->run[i].count;
        all += (rows->rows + TALL - 1) / TALL * columns;
    }
    return all;
}

/* The lists of a tile: of lines by side; then, those inside, of positions by side. */
static void list_sides(Work *w, const Phase *phase, int64_t unit, int64_t end, bool lines,
                       bool columns)
{
    w->lists = 0;
    w->rows = 0;
    for (Side side = BEFORE; side <= BEYOND; side++) {
        if (!lines && side != INSIDE)
            continue;
        for (Side column = BEFORE; column <= BEYOND; column++)
            if ((side == INSIDE && columns) || column == INSIDE)
                add_list(w, phase, unit, end,
                         (Wanted){w->c->pairs ? UPPER : ALL, lines, side == INSIDE && columns, side,
                                  column});
    }
    if (w->c->pairs)
        add_list(w, phase, unit, end, (Wanted){.lines = LEFT});
}

/* Counts units from the image of the first one; were they listed last? */
static bool is_listed(Work *w, int64_t *unit, int64_t *end)
{
    const int64_t image = image_units(w->c), first = *unit / image * image;
    *unit -= first;
    *end -= first;
    const bool listed = w->listed[0] == *unit && w->listed[1] == *end;
    w->listed[0] = *unit;
    w->listed[1] = *end;
    return listed;
}

/* Lists the positions of a tile so that the products with padding are left out, where that saves more than tiles that are not full
 * cost. */
static void list_rows(Work *w, const Phase *phase, int64_t unit, int64_t end)
{
    const gt_ConvJob *c = w->c;
    const bool lines = c->leaves_out, columns = lines && c->cuts == 1 && !c->pairs;
    list_sides(w, phase, unit, end, lines, columns);
    if (!columns)
        return;
    const int64_t by_columns = work_of(w);
    list_sides(w, phase, unit, end, true, false);
    const int64_t by_lines = work_of(w);
    list_sides(w, phase, unit, end, false, false);
    const int64_t plain = work_of(w);
    if (least(by_columns, by_lines) < plain)
        list_sides(w, phase, unit, end, true, by_columns < by_lines);
}

/* The lists of a tile, of all phases if they are few. */
static void list_tile(Work *w, int64_t unit, int64_t end)
{
    Phase phase;
    if (phases(w->c) > MOST_PHASES || is_listed(w, &unit, &end))
        return;
    w->lists = 0;
    w->rows = 0;
    for (int64_t i = 0; next_phase(w->c, i, &phase); i++)
        if (phases(w->c) == 1)
            list_rows(w, &phase, unit, end);
        else
            add_list(w, &phase, unit, end, (Wanted){.lines = ALL});
}

/* All positions of some units in one list, without where they lie in the result. */
static void list_positions(Work *w, int64_t unit, int64_t end)
{
    const Phase phase = {.of = {0}};
    const Wanted all = {.lines = ALL};
    if (!is_listed(w, &unit, &end))
        w->rows = list_lines(w, &phase, unit, end, &all, 0, NULL);
}

/* What rows are counted from. */
static const char *image_of(const Work *w, int64_t group, int64_t unit)
{
    const gt_ConvJob *c = w->c;
    if (!c->direct)
        return w->image;
    return from(w->a, group * c->held).at +
           unit / image_units(c) * gt_conv_from(c, 0) * c->pitch[0];
}

static gt_ConvLoop *strip_of(const Work *w)
{
    return w->c->depthwise ? w->table->conv_deep[w->c->type] : w->table->conv_dense[w->c->type];
}

/* ---- conv_pack ---- */

/* Channels of the panel from j on, and elements from one row of it to the next. */
static int64_t width_of(const gt_ConvJob *c, int64_t j)
{
    return least(c->panel, c->b - j);
}
static int64_t step_of(const gt_ConvJob *c, int64_t j)
{
    return c->depthwise ? c->panel : width_of(c, j) > c->lanes ? c->panel : c->lanes;
}
/* Bytes from the first packed panel to panel number `panel` of a group; in it are rows of (tap, channel), phase by phase. */
static size_t packed(const gt_ConvJob *c, int64_t group, int64_t panel)
{
    return (size_t)((group * gt_conv_panels(c) + panel) * gt_conv_depth(c) * c->panel) * c->element;
}

typedef struct Packing {
    int64_t group, j;
    char *to, *room; /* room: for a tap of 16-bit numbers, if they are to be transposed */
} Packing;

/* The rows of a tap, which are channels of what is summed over. */
static void pack_tap(const Work *w, int64_t number, const int64_t tap[GT_SPATIAL], void *user)
{
    const gt_ConvJob *c = w->c;
    const Packing *p = user;
    const int64_t n = width_of(c, p->j), step = step_of(c, p->j), out = c->back ? c->a : c->b;
    const int64_t place = tap_of_kernel(c, tap);
    char *to = p->to + (size_t)(number * c->a * step) * c->element;
    if (c->depthwise) {
        copy_rows(w, from(w->b, place * c->b), 1, c->b, 0, to, c->b);
        return;
    }
    if (n < step)
        memset(to, 0, (size_t)(c->a * step) * c->element);
    if (!c->back) {
        copy_rows(w, from(w->b, place * c->a * c->groups * out + p->group * out + p->j), c->a, n,
                  c->groups * out, to, step);
        return;
    }
    Operand k = from(w->b, (place * c->b + p->j) * c->groups * out + p->group * out);
    int64_t ld = c->groups * out;
    if (k.half >= 0) {
        copy_rows(w, k, n, out, ld, p->room, out);
        k.at = p->room;
        ld = out;
    }
    w->table->transpose[c->element == 8 ? 3 : 2](n, out, k.at, ld, to, step);
}

static void pack_panel(const Work *w, int64_t group, int64_t panel, char *to, void *room)
{
    Packing packing = {group, panel * w->c->panel, to, room};
    Phase phase;
    for (int64_t i = 0; next_phase(w->c, i, &phase); i++)
        each_tap(w, &phase, pack_tap, &packing);
}

void gt_conv_pack_tiles(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at,
                        int64_t first, int64_t last, void *scratch)
{
    const Work work = {.table = table, .c = c, .b = {at[1], c->element_b, c->half_b}};
    const int64_t panels = gt_conv_panels(c);
    for (int64_t tile = first; tile < last; tile++)
        pack_panel(&work, tile / panels, tile % panels, (char *)at[c->packed] + packed(c, 0, tile),
                   scratch);
}

/* ---- conv ---- */

/* What a tile does: a panel is packed already or, alone, by the tile. */
typedef struct Tile {
    int64_t unit, end, group, panel, panels;
} Tile;

static void conv_rows(Work *w, const Tile *t, const Phase *phase, int64_t panel, const Rows *rows)
{
    const gt_ConvJob *c = w->c;
    const int64_t columns = phase->taps * c->a, first = phase->start * c->a, j = panel * c->panel;
    const char *b =
        c->alone ? w->strip : (const char *)w->at[c->packed] + packed(c, t->group, panel);
    gt_ConvStrip s = {.x = image_of(w, t->group, t->unit),
                      .row = w->row + rows->begin,
                      .to = w->to + rows->begin,
                      .rows = rows->rows,
                      .width = width_of(c, j),
                      .step = step_of(c, j),
                      .shift = gt_conv_shift(c),
                      .below = gt_conv_to(c, 2) * c->groups * c->b * c->element,
                      .y = (char *)w->at[2] +
                           (c->local ? 0 : t->unit / image_units(c) * image_bytes(c)) +
                           (t->group * c->b + j) * c->element};
    for (int64_t k = 0; k == 0 || k < columns; k += GT_CONV_LONG) {
        const gt_ConvRun part = {0, least(GT_CONV_LONG, columns - k)};
        const bool whole = part.count == columns;
        s.column = w->column + first + k;
        s.columns = part.count;
        s.run = whole ? rows->run : &part;
        s.runs = whole ? rows->runs : 1;
        s.b = b + (size_t)((first + k) * s.step) * c->element;
        s.add = k > 0;
        const bool last = k + GT_CONV_LONG >= columns;
        if (last && c->bias >= 0)
            s.bias = (const char *)w->at[c->bias] + (t->group * c->b + j) * c->element;
        s.relu = last && c->relu;
        if (rows->pairs)
            fetch(w, &s, s.rows, w->rows);
        (rows->pairs ? w->table->conv_pair : strip_of(w))(&s);
    }
}

/* Is a phase without taps, which only gets zeros, better done by making all of the tile zero first? It must be one stretch. */
static bool is_cleared(const Work *w)
{
    const gt_ConvJob *c = w->c;
    Phase phase;
    bool empty = false;
    for (int64_t i = 0; next_phase(c, i, &phase); i++)
        empty = empty || phase.taps == 0;
    return empty && c->groups == 1 && c->cuts == 1 && !c->alone && c->bias < 0;
}

static void clear_tile(const Work *w, const Tile *t)
{
    const gt_ConvJob *c = w->c;
    const int64_t line = gt_conv_to(c, 2) * c->b * c->element;
    memset((char *)w->at[2] + (c->local ? 0 : t->unit * line), 0,
           (size_t)((t->end - t->unit) * line));
}

static void conv_tile(Work *w, const Tile *t)
{
    const gt_ConvJob *c = w->c;
    Phase phase;
    if (w->cleared)
        clear_tile(w, t);
    copy_boxes(w, t->group, t->unit, t->end);
    if (c->alone)
        pack_panel(w, t->group, t->panel, w->strip, w->strip + packed(c, 0, 1));
    list_tile(w, t->unit, t->end);
    for (int64_t i = 0; next_phase(c, i, &phase); i++) {
        if (w->cleared && phase.taps == 0)
            continue;
        if (phases(c) > MOST_PHASES) {
            const int64_t image = t->unit / image_units(c) * image_units(c);
            list_sides(w, &phase, t->unit - image, t->end - image, false, false);
        }
        for (int64_t panel = t->panel; panel < t->panel + t->panels; panel++)
            for (int number = 0; number < w->lists; number++)
                if (w->list[number].phase == i)
                    conv_rows(w, t, &phase, panel, &w->list[number]);
    }
}

/* Lists where the windows of all positions begin, where these lie in the result, and the numbers of a window. */
static int64_t list_small(const Work *w)
{
    const gt_ConvJob *c = w->c;
    const int64_t *size = c->window.size, *out = c->window.out;
    int64_t by[GT_SPATIAL], on[GT_SPATIAL], *column = w->column, *row = w->row;
    for (int d = 0; d < GT_SPATIAL; d++) {
        by[d] = c->window.dilation[d] * c->pitch[d];
        on[d] = c->window.stride[d] * c->pitch[d];
    }
    for (int64_t z = 0; z < size[0]; z++)
        for (int64_t y = 0; y < size[1]; y++)
            for (int64_t x = 0; x < size[2]; x++, column += c->a)
                list(c->a, z * by[0] + y * by[1] + x * by[2], c->element, column);
    for (int64_t box = 0; box < c->images * out[0]; box++) {
        int64_t at = box * c->box;
        if (c->direct)
            at = box / out[0] * c->window.in[0] * c->pitch[0] + box % out[0] * on[0];
        for (int64_t y = 0; y < out[1]; y++, row += out[2])
            list(out[2], at + y * on[1], on[2], row);
    }
    const int64_t rows = row - w->row;
    list(rows, 0, c->b * c->element, w->to);
    spare(w->row, rows);
    spare(w->to, rows);
    return rows;
}

/* Each channel of the result by itself: as a depthwise one of one channel, whose sums are the same. */
static void conv_small(const Work *w)
{
    const gt_ConvJob *c = w->c;
    copy_boxes(w, 0, 0, c->units);
    const gt_ConvRun run = {0, gt_conv_depth(c)};
    gt_ConvStrip s = {.x = c->direct ? w->a.at : w->image,
                      .row = w->row,
                      .to = w->to,
                      .column = w->column,
                      .rows = list_small(w),
                      .columns = run.count,
                      .run = &run,
                      .runs = 1,
                      .step = c->b,
                      .width = 1,
                      .relu = c->relu};
    for (int64_t j = 0; j < c->b; j++) {
        s.b = w->b.at + j * c->element;
        s.y = (char *)w->at[2] + j * c->element;
        if (c->bias >= 0)
            s.bias = (const char *)w->at[c->bias] + j * c->element;
        w->table->conv_deep[c->type](&s);
    }
}

void gt_conv_tiles(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at, int64_t first,
                   int64_t last, void *scratch, gt_ConvThen *then, void *user)
{
    Rows lists[MOST_LISTS];
    Work work = open_work(table, c, at, scratch);
    if (c->small) {
        conv_small(&work);
        if (then)
            then(user, first);
        return;
    }
    const int64_t panels = gt_conv_panels(c), pieces = c->alone ? panels : 1;
    work.list = lists;
    list_columns(&work);
    find_edges(&work, 1);
    find_edges(&work, 2);
    work.cleared = is_cleared(&work);
    for (int64_t tile = first; tile < last; tile++) {
        const int64_t unit = tile / pieces / c->groups * c->tile_units;
        const Tile t = {unit, least(unit + c->tile_units, c->units), tile / pieces % c->groups,
                        tile % pieces, panels / pieces};
        look_ahead(&work, t.end, tile + 1 < last ? least(t.end + c->tile_units, c->units) : t.end);
        conv_tile(&work, &t);
        if (then)
            then(user, tile);
    }
}

/* ---- conv_pool ---- */

typedef struct Pooling {
    const gt_KernelTable *table;
    const gt_ConvPoolJob *job;
    const char *made; /* of the tile */
    char *y;
    uint8_t *marks;
    void *scratch;
} Pooling;

static void pool_tile(void *user, int64_t tile)
{
    const Pooling *p = user;
    const gt_ConvJob *c = &p->job->conv;
    const gt_PoolJob *pool = &p->job->pool;
    const int64_t unit = tile * c->tile_units, units = least(c->tile_units, c->units - unit);
    const int64_t from = unit / p->job->lines * pool->window.outputs * pool->channels;
    p->table->pool_mark[c->type](pool, p->made, 0, units / p->job->lines * pool->window.outputs,
                                 p->y + from * c->element, p->marks + from, p->scratch);
}

void gt_conv_pool_tiles(const gt_KernelTable *table, const gt_ConvPoolJob *job, void *const *at,
                        int64_t first, int64_t last, void *scratch)
{
    const gt_ConvJob *c = &job->conv;
    const int y = c->bias >= 0 ? 3 : 2;
    char *made = scratch, *marking = made + job->made_bytes, *rest = marking + job->mark_bytes;
    Pooling pooling = {table, job, made, at[y], at[y + 1], marking};
    void *local[6] = {at[0], at[1], made, at[2]}; /* the bias is number 3 here */
    local[c->packed] = at[c->packed];
    gt_conv_tiles(table, c, local, first, last, rest, pool_tile, &pooling);
}

/* ---- conv_kernel_gradient ---- */

/* A tile: a part of the blocks, a group, panels from `panel` on. */
typedef struct Part {
    int64_t part, group, panel, panels;
    char *sums; /* [panels][depth][panel] */
} Part;

/* Channels of a panel, `n` wide, of the gradient that arrives, for `rows` positions from `position` on: where they lie, if they are
 * near enough to each other to stay in the first cache, or copied; `step` elements from one row to the next. */
static const char *panel_rows(const Work *w, const Part *p, int64_t panel, int64_t position,
                              int64_t rows, int64_t *step)
{
    const gt_ConvJob *c = w->c;
    const int64_t j = panel * c->panel, n = width_of(c, j), all = c->groups * c->b;
    const Operand u = from(w->b, position * all + p->group * c->b + j);
    *step = step_of(c, j);
    if (u.half < 0 && n == *step && (all == n || (n > c->lanes && all * c->element <= NEAR))) {
        *step = all;
        return u.at;
    }
    if (n < *step)
        memset(w->strip, 0, (size_t)(rows * *step) * c->element);
    copy_rows(w, u, rows, n, all, w->strip, *step);
    return w->strip;
}

/* The runs of positions [at, at + count), counted from unit `unit` on, that tap `tap` of a line of them does not find in the padding; all
 * of them where they are not to be left out. */
static int64_t runs_of(const Work *w, int64_t unit, int64_t tap, int64_t at, int64_t count,
                       gt_ConvRun *run)
{
    const gt_ConvJob *c = w->c;
    const int64_t wide = gt_conv_to(c, 2), lines = gt_conv_to(c, 1), end = at + count;
    int64_t runs = 0, line = (unit + at / wide) % lines, next = (at / wide + 1) * wide;
    if (!c->leaves_out) {
        add_run(run, &runs, 0, count);
        return runs;
    }
    for (int64_t i = at; i < end; i = next, next += wide, line = line + 1 < lines ? line + 1 : 0) {
        const int64_t reads = begins(c, 1, line) + lies(c, 1, tap);
        if (reads >= 0 && reads < gt_conv_from(c, 1))
            add_run(run, &runs, i - at, least(next, end) - i);
    }
    return runs;
}

/* Products of the positions that are listed are added to the sums of a block that are turned: a strip for each slice. */
static void add_turned(Work *w, const Part *p, int64_t position, int64_t unit, bool first)
{
    const gt_ConvJob *c = w->c;
    const int64_t run = c->window.size[2] * c->a, runs = gt_conv_depth(c) / run;
    gt_ConvStrip s = {.x = image_of(w, p->group, unit),
                      .y = p->sums,
                      .rows = 1,
                      .width = run,
                      .below = gt_conv_depth(c) * c->element};
    for (int64_t at = 0; at < w->rows; at += c->slice) {
        s.column = w->row + at;
        s.columns = least(c->slice, w->rows - at);
        s.b = panel_rows(w, p, p->panel, position + at, s.columns, &s.step);
        s.add = !first || at > 0;
        for (int64_t line = 0; line < runs; line++) {
            gt_ConvRun kept[GT_CONV_RUNS];
            s.row = w->to + runs + line;
            s.to = w->to + line;
            s.run = kept;
            s.runs = runs_of(w, unit, line % c->window.size[1], at, s.columns, kept);
            fetch(w, &s, s.columns, w->rows * runs);
            w->table->conv_turned(&s);
        }
    }
}

/* Products of the positions of some units are added to the sums of a block, which begin with those of the first ones. */
static void add_units(Work *w, const Part *p, int64_t unit, int64_t end, bool first)
{
    const gt_ConvJob *c = w->c;
    const int64_t depth = gt_conv_depth(c), panel = (int64_t)c->element * c->panel;
    const int64_t position = unit / c->cuts * gt_conv_to(c, 2) + unit % c->cuts * c->wide;
    list_positions(w, unit, end);
    copy_boxes(w, p->group, unit, end);
    look_ahead(w, end, least(end + c->tile_units, c->units));
    if (c->turned) {
        add_turned(w, p, position, unit, first);
        return;
    }
    const int64_t lines = gt_conv_lines(c);
    gt_ConvStrip s = {.x = image_of(w, p->group, unit), .rows = depth / lines};
    for (int64_t at = 0; at < w->rows; at += c->slice)
        for (int64_t i = 0; i < p->panels; i++) {
            s.column = w->row + at;
            s.columns = least(c->slice, w->rows - at);
            s.b = panel_rows(w, p, p->panel + i, position + at, s.columns, &s.step);
            s.y = p->sums + i * depth * panel;
            s.width = step_of(c, (p->panel + i) * c->panel);
            s.add = !first || at > 0;
            for (int64_t line = 0; line < lines; line++) {
                gt_ConvRun kept[GT_CONV_RUNS];
                s.row = w->column + line * (s.rows + GT_CONV_SPARE);
                s.to = w->to + line * (s.rows + GT_CONV_SPARE);
                s.run = kept;
                s.runs = runs_of(w, unit, line % c->window.size[1], at, s.columns, kept);
                fetch(w, &s, s.rows, p->panels * depth * ((w->rows + c->slice - 1) / c->slice));
                strip_of(w)(&s);
            }
        }
}

/* The sums of a panel as they lie in the kernel; `room` for them. */
static const void *turned_back(const gt_KernelTable *table, const gt_ConvJob *c, const void *sums,
                               void *room)
{
    if (!c->turned)
        return sums;
    table->transpose[c->element == 8 ? 3 : 2](c->panel, gt_conv_depth(c), sums, gt_conv_depth(c),
                                              room, c->panel);
    return room;
}

/* total += the sums of a block, which are float32 or float64; the first ones become it. */
static void add_block(const Work *w, const Part *p, bool first)
{
    const gt_ConvJob *c = w->c;
    const int64_t one = gt_conv_depth(c) * c->panel, n = p->panels * one;
    double *total = (double *)w->at[c->packed] +
                    ((p->part * c->groups + p->group) * gt_conv_panels(c) + p->panel) * one;
    if (first)
        w->table->cast[c->type][GT_LOOP_F64](n, p->sums, total);
    else if (c->type == GT_LOOP_F32)
        gt_add_in_double(w->table, n, (const float *)(const void *)p->sums, total);
    else
        w->table->binary[GT_LOOP_ADD][GT_LOOP_F64](n, total, 1, p->sums, 1, total);
}

/* The rows of a panel to where they lie in the kernel; zeros for the taps that were left out. */
static void write_panel(const gt_ConvJob *c, int64_t group, int64_t panel, const void *from,
                        void *kernel)
{
    const gt_SlidingWindow *w = &c->window;
    const int64_t j = panel * c->panel, n = width_of(c, j);
    const char *sums = from;
    char *to = (char *)kernel + (group * c->b + j) * c->element;
    const size_t bytes = (size_t)n * c->element;
    for (int64_t tap = 0; tap < c->size[0] * c->size[1] * c->size[2]; tap++) {
        int64_t rest = tap, taps = 1, number = 0;
        bool left_out = false;
        for (int d = GT_SPATIAL - 1; d >= 0; d--) {
            const int64_t p = rest % c->size[d] - c->skipped[d];
            left_out = left_out || p < 0 || p >= w->size[d];
            number += p * taps;
            taps *= w->size[d];
            rest /= c->size[d];
        }
        for (int64_t i = 0; i < c->a; i++, to += (size_t)(c->groups * c->b) * c->element)
            if (left_out)
                memset(to, 0, bytes);
            else
                memcpy(to, sums + (size_t)((number * c->a + i) * c->panel) * c->element, bytes);
    }
}

static void kernel_part(Work *w, const Part *p)
{
    const gt_ConvJob *c = w->c;
    const int64_t blocks = c->units ? (c->units + c->block_units - 1) / c->block_units : 1;
    const int64_t begin = p->part * blocks / c->parts, end = (p->part + 1) * blocks / c->parts;
    for (int64_t block = begin; block < end; block++) {
        const int64_t unit = block * c->block_units, last = least(unit + c->block_units, c->units);
        for (int64_t u = unit; u < last; u += c->tile_units)
            add_units(w, p, u, least(u + c->tile_units, last), u == unit);
        if (c->units == 0)
            memset(p->sums, 0, (size_t)(p->panels * gt_conv_depth(c) * c->panel) * c->element);
        for (int64_t i = 0; c->alone && i < p->panels; i++)
            write_panel(
                c, p->group, p->panel + i,
                turned_back(w->table, c, p->sums + packed(c, 0, i), p->sums + packed(c, 0, 1)),
                w->at[2]);
        if (!c->alone)
            add_block(w, p, block == begin);
    }
}

/* A list of n, cut into lists of as many each, that have spare entries. */
static void cut_list(int64_t *whole, int64_t n, int64_t lists)
{
    const int64_t each = n / lists;
    for (int64_t i = lists - 1; i >= 0; i--) {
        int64_t *piece = whole + i * (each + GT_CONV_SPARE);
        memmove(piece, whole + i * each, (size_t)each * sizeof *piece);
        spare(piece, each);
    }
}

/* Where the numbers lie that a line of taps reads together, in the sums and, behind that list, in x. */
static void list_runs(const Work *w)
{
    const gt_ConvJob *c = w->c;
    const int64_t run = c->window.size[2] * c->a, runs = gt_conv_depth(c) / run;
    list(runs, 0, run * c->element, w->to);
    for (int64_t i = 0; i < runs; i++)
        w->to[runs + i] = w->column[i * run];
}

void gt_conv_kernel_gradient_tiles(const gt_KernelTable *table, const gt_ConvJob *c,
                                   void *const *at, int64_t first, int64_t last, void *scratch)
{
    Work work = open_work(table, c, at, scratch);
    const int64_t panels = gt_conv_panels(c),
                  pieces = (panels + c->tile_panels - 1) / c->tile_panels;
    list_columns(&work);
    list(gt_conv_depth(c), 0, c->panel * c->element, work.to);
    if (c->turned)
        list_runs(&work);
    else {
        cut_list(work.column, gt_conv_depth(c), gt_conv_lines(c));
        cut_list(work.to, gt_conv_depth(c), gt_conv_lines(c));
    }
    for (int64_t tile = first; tile < last; tile++) {
        Part p = {.part = tile / pieces / c->groups,
                  .group = tile / pieces % c->groups,
                  .panel = tile % pieces * c->tile_panels,
                  .sums = work.strip + c->strip_bytes};
        p.panels = least(c->tile_panels, panels - p.panel);
        kernel_part(&work, &p);
    }
}

/* ---- conv_total ---- */

void gt_conv_total_tiles(const gt_KernelTable *table, const gt_ConvJob *c, void *const *at,
                         int64_t first, int64_t last, void *scratch)
{
    const int64_t panels = gt_conv_panels(c), depth = gt_conv_depth(c), one = depth * c->panel;
    for (int64_t tile = first; tile < last; tile++) {
        double *total = (double *)at[c->packed] + tile * one, *rounded = total;
        for (int64_t p = 1; p < c->parts; p++)
            table->binary[GT_LOOP_ADD][GT_LOOP_F64](one, total, 1,
                                                    total + p * c->groups * panels * one, 1, total);
        if (c->type == GT_LOOP_F32) {
            table->cast[GT_LOOP_F64][GT_LOOP_F32](one, total, scratch);
            rounded = scratch;
        }
        write_panel(c, tile / panels, tile % panels,
                    turned_back(table, c, rounded, (char *)scratch + one * c->element), at[2]);
    }
}
