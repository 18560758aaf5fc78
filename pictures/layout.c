/* Where boxes and arrows of a diagram are, by the method of K. Sugiyama, S. Tagawa and M. Toda (1981):
 *
 *     rank      each box stands below all boxes that have an arrow to it, by the longest way
 *     bends     an arrow past other ranks has a place, a bend, in each of them
 *     order     in its rank each place moves to the mean of its neighbours' places, up and down a few times
 *     across    its coordinate moves to the mean of theirs, as far as boxes beside it let it
 *     fold      what is too long goes on beside, between ranks that all arrows leave, or reach, at one box
 *
 * "Along" is the direction of the arrows, down or to the right; "across" the other one. Arrows back are not ranked. */
#include "pictures/diagram.h"

#include <math.h>
#include <stdint.h>

enum { MOST_BOXES = 4000, MOST_PLACES = 400000, ORDERINGS = 6, MOVES = 16 };
#define GAP     26.0 /* between boxes of a rank */
#define BETWEEN 34.0 /* between ranks */
#define MARGIN  20.0
#define COLUMN  64.0 /* between columns */
#define STRETCH 14.0 /* of an arrow from one column to the next */
#define BEND    10.0 /* the width of a bend */
#define LONG    1500.0

typedef struct Place {
    int32_t box; /* -1: a bend */
    int32_t rank;
    double size, at; /* across; `at` is its middle */
    double sum;      /* of neighbours */
    int32_t count;
    double key;
} Place;

typedef struct Wire {
    int32_t from, to; /* places of neighbouring ranks */
} Wire;

typedef struct Layout {
    gt_Diagram *diagram;
    const gt_DiagramLook *look;
    int32_t place_count, place_room, wire_count, wire_room, ranks;
    Place *places;
    int32_t *order; /* of places, rank by rank */
    int32_t *start; /* of each rank in `order`, and one more */
    Wire *wires;    /* sorted by their rank */
    int32_t *wire_start;
    int32_t *chain;     /* of each arrow, the first of its bends; they follow each other */
    double *top, *high; /* of each rank, along */
    int32_t *column;    /* of each rank */
} Layout;

static double along_size(const Layout *self, const gt_DiagramBox *box)
{
    return self->look->across ? box->width : box->height;
}

static double across_size(const Layout *self, const gt_DiagramBox *box)
{
    return self->look->across ? box->height : box->width;
}

static bool is_forward(const gt_DiagramEdge *edge)
{
    return edge->from < edge->to;
}

/* ---- memory: one block an array ---- */

static void *array(const Layout *self, int32_t count, size_t element)
{
    return gt_allocate_zeroed(self->diagram->context, (size_t)(count > 0 ? count : 1) * element);
}

static void drop(const Layout *self, void *block, int32_t count, size_t element)
{
    gt_release(self->diagram->context, block, (size_t)(count > 0 ? count : 1) * element);
}

/* ---- ranks and bends ---- */

/* Boxes without an arrow to them stand right above the first box that they lead to. `count` is of such arrows here. */
static void lower_sources(Layout *self)
{
    const gt_Diagram *diagram = self->diagram;
    for (int32_t e = 0; e < diagram->edge_count; e++)
        self->places[diagram->edges[e].to].count += is_forward(&diagram->edges[e]);
    for (int32_t e = 0; e < diagram->edge_count; e++) {
        const gt_DiagramEdge *edge = &diagram->edges[e];
        Place *from = &self->places[edge->from];
        const int32_t above = self->places[edge->to].rank - 1;
        if (from->count == 0 && is_forward(edge) && (from->rank == 0 || above < from->rank - 1))
            from->rank = above + 1; /* one more, so that 0 says that there is none yet */
    }
    for (int32_t b = 0; b < diagram->box_count; b++)
        self->places[b].rank -= self->places[b].count == 0 && self->places[b].rank > 0;
}

/* Boxes come before those they lead to, so that one walk is enough once arrows are looked at by where they begin; they
 * come in any order, hence as many walks as it takes. */
static void find_ranks(Layout *self)
{
    const gt_Diagram *diagram = self->diagram;
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t e = 0; e < diagram->edge_count; e++) {
            const gt_DiagramEdge *edge = &diagram->edges[e];
            const int32_t least = self->places[edge->from].rank + 1;
            if (is_forward(edge) && self->places[edge->to].rank < least) {
                self->places[edge->to].rank = least;
                changed = true;
            }
        }
    }
    lower_sources(self);
    for (int32_t b = 0; b < diagram->box_count; b++)
        self->ranks = self->places[b].rank >= self->ranks ? self->places[b].rank + 1 : self->ranks;
}

/* How many places and wires there will be; false with an error raised if they are too many. */
static bool count_places(Layout *self)
{
    int64_t places = self->diagram->box_count, wires = 0;
    for (int32_t e = 0; e < self->diagram->edge_count; e++) {
        const gt_DiagramEdge *edge = &self->diagram->edges[e];
        const int32_t span = self->places[edge->to].rank - self->places[edge->from].rank;
        places += is_forward(edge) ? span - 1 : 0;
        wires += is_forward(edge) ? span : 0;
    }
    self->place_room = (int32_t)places;
    self->wire_room = (int32_t)wires;
    if (places <= MOST_PLACES && wires <= MOST_PLACES)
        return true;
    gt_raise(self->diagram->context, GT_INVALID, NULL, NULL,
             "the graph is too large for a picture");
    return false;
}

static void add_wire(Layout *self, int32_t from, int32_t to)
{
    self->wires[self->wire_count++] = (Wire){from, to};
}

static void add_bends(Layout *self)
{
    self->place_count = self->diagram->box_count;
    for (int32_t e = 0; e < self->diagram->edge_count; e++) {
        const gt_DiagramEdge *edge = &self->diagram->edges[e];
        self->chain[e] = self->place_count;
        int32_t before = edge->from;
        if (!is_forward(edge))
            continue;
        for (int32_t rank = self->places[edge->from].rank + 1; rank < self->places[edge->to].rank;
             rank++) {
            self->places[self->place_count] = (Place){.box = -1, .rank = rank, .size = BEND};
            add_wire(self, before, self->place_count);
            before = self->place_count++;
        }
        add_wire(self, before, edge->to);
    }
}

/* Sorts places and wires by rank, by counting. */
static bool sort_by_rank(Layout *self)
{
    Wire *sorted = array(self, self->wire_count, sizeof *sorted);
    if (!sorted)
        return false;
    for (int32_t p = 0; p < self->place_count; p++)
        self->start[self->places[p].rank + 1]++;
    for (int32_t w = 0; w < self->wire_count; w++)
        self->wire_start[self->places[self->wires[w].from].rank + 1]++;
    for (int32_t r = 0; r < self->ranks; r++) {
        self->start[r + 1] += self->start[r];
        self->wire_start[r + 1] += self->wire_start[r];
    }
    for (int32_t p = self->place_count - 1; p >= 0; p--)
        self->order[--self->start[self->places[p].rank + 1]] = p;
    for (int32_t w = self->wire_count - 1; w >= 0; w--)
        sorted[--self->wire_start[self->places[self->wires[w].from].rank + 1]] = self->wires[w];
    for (int32_t r = 0; r < self->ranks;
         r++) { /* the ends of ranks are now the beginnings of the next ones */
        self->start[r] = self->start[r + 1];
        self->wire_start[r] = self->wire_start[r + 1];
    }
    self->start[self->ranks] = self->place_count;
    self->wire_start[self->ranks] = self->wire_count;
    drop(self, self->wires, self->wire_room, sizeof *self->wires);
    self->wires = sorted;
    self->wire_room = self->wire_count;
    return true;
}

/* ---- order ---- */

/* Sums `key` of the neighbours in rank `r` + `side`, of each place of rank r. */
static void gather(Layout *self, int32_t r, int side)
{
    const int32_t wires = side < 0 ? r - 1 : r;
    for (int32_t i = self->start[r]; i < self->start[r + 1]; i++) {
        self->places[self->order[i]].sum = 0;
        self->places[self->order[i]].count = 0;
    }
    if (wires < 0 || wires + 1 >= self->ranks)
        return;
    for (int32_t w = self->wire_start[wires]; w < self->wire_start[wires + 1]; w++) {
        Place *here = &self->places[side < 0 ? self->wires[w].to : self->wires[w].from];
        here->sum += self->places[side < 0 ? self->wires[w].from : self->wires[w].to].key;
        here->count++;
    }
}

static void sort_rank(Layout *self, int32_t r, int side)
{
    int32_t *order = self->order + self->start[r];
    const int32_t count = self->start[r + 1] - self->start[r];
    gather(self, r, side);
    for (int32_t i = 0; i < count; i++) {
        Place *place = &self->places[order[i]];
        place->at = place->count ? place->sum / place->count : place->key;
    }
    for (int32_t i = 1; i < count; i++) { /* stable; ranks are almost sorted */
        const int32_t moved = order[i];
        int32_t at = i;
        for (; at > 0 && self->places[order[at - 1]].at > self->places[moved].at; at--)
            order[at] = order[at - 1];
        order[at] = moved;
    }
    for (int32_t i = 0; i < count; i++)
        self->places[order[i]].key = i - 0.5 * count;
}

static void find_order(Layout *self)
{
    for (int32_t r = 0; r < self->ranks; r++)
        for (int32_t i = self->start[r]; i < self->start[r + 1]; i++)
            self->places[self->order[i]].key =
                i - self->start[r] - 0.5 * (self->start[r + 1] - self->start[r]);
    for (int go = 0; go < ORDERINGS; go++) {
        for (int32_t r = 1; r < self->ranks; r++)
            sort_rank(self, r, -1);
        for (int32_t r = self->ranks - 2; r >= 0; r--)
            sort_rank(self, r, 1);
    }
}

/* ---- coordinates across ---- */

static double apart(const Place *a, const Place *b)
{
    return 0.5 * (a->size + b->size) + GAP;
}

/* To the means that were gathered, as near as the order lets them: the middle between pushing all to the right and all
 * to the left, both of which keep the distances, and so does the middle. */
static void settle(Layout *self, int32_t r)
{
    const int32_t *order = self->order + self->start[r];
    const int32_t count = self->start[r + 1] - self->start[r];
    double edge = -INFINITY;
    for (int32_t i = 0; i < count; i++) {
        Place *place = &self->places[order[i]];
        const double wish = place->count ? place->sum / place->count : place->key;
        edge = i ? fmax(wish, edge + apart(&self->places[order[i - 1]], place)) : wish;
        place->at = edge;
        place->sum = wish;
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        Place *place = &self->places[order[i]];
        edge = i < count - 1 ? fmin(place->sum, edge - apart(place, &self->places[order[i + 1]]))
                             : place->sum;
        place->key = 0.5 * (place->at + edge);
    }
}

static void find_across(Layout *self)
{
    for (int32_t r = 0; r < self->ranks; r++) {
        double at = 0;
        for (int32_t i = self->start[r]; i < self->start[r + 1]; i++) {
            Place *place = &self->places[self->order[i]];
            at += i > self->start[r] ? apart(&self->places[self->order[i - 1]], place) : 0;
            place->key = at;
        }
        for (int32_t i = self->start[r]; i < self->start[r + 1]; i++)
            self->places[self->order[i]].key -= at / 2;
    }
    for (int go = 0; go < MOVES; go++) {
        for (int32_t r = 1; r < self->ranks; r++) {
            gather(self, r, -1);
            settle(self, r);
        }
        for (int32_t r = self->ranks - 2; r >= 0; r--) {
            gather(self, r, 1);
            settle(self, r);
        }
    }
    for (int32_t p = 0; p < self->place_count; p++)
        self->places[p].at = self->places[p].key;
}

/* ---- coordinates along, and columns ---- */

static double widest(const Layout *self, int32_t first, int32_t last, double *low)
{
    double high = -INFINITY;
    *low = INFINITY;
    for (int32_t i = self->start[first]; i < self->start[last]; i++) {
        const Place *place = &self->places[self->order[i]];
        *low = fmin(*low, place->at - place->size / 2);
        high = fmax(high, place->at + place->size / 2);
    }
    return high - *low;
}

/* How many columns: such that all of them together are about half as high again as wide. */
static int32_t column_count(const Layout *self, double total)
{
    double low;
    const double wide = widest(self, 0, self->ranks, &low) + COLUMN;
    return self->look->folds && total > LONG ? (int32_t)ceil(sqrt(total / wide / 1.5)) : 1;
}

/* Do all wires from rank r - 1 to rank r begin at one place, or end at one? */
static bool is_narrow(const Layout *self, int32_t r)
{
    const int32_t first = self->wire_start[r - 1], last = self->wire_start[r];
    bool from = true, to = true;
    for (int32_t w = first; w < last; w++) {
        from &= self->wires[w].from == self->wires[first].from;
        to &= self->wires[w].to == self->wires[first].to;
    }
    return from || to;
}

static double between(const Layout *self)
{
    return self->diagram->group_count > 0 ? BETWEEN + 14 : BETWEEN;
}

static void find_along(Layout *self)
{
    double total = 0, at = 0;
    for (int32_t b = 0; b < self->diagram->box_count; b++) {
        double *high = &self->high[self->places[b].rank];
        *high = fmax(*high, along_size(self, &self->diagram->boxes[b]));
    }
    for (int32_t r = 0; r < self->ranks; r++)
        total += self->high[r] + between(self);
    const double length = total / column_count(self, total);
    double done = 0; /* all columns together */
    for (int32_t r = 0; r < self->ranks; r++) {
        const int32_t column = r > 0 ? self->column[r - 1] : 0;
        const bool cut =
            done >= (column + 1) * length - 1 && total - done > length / 4 && is_narrow(self, r);
        self->column[r] = column + cut;
        self->top[r] = cut ? 0 : at;
        at = self->top[r] + self->high[r] + between(self);
        done += self->high[r] + between(self);
    }
}

/* Moves each column to its place; the whole size of the picture, across and along. */
static void place_columns(Layout *self, double *across, double *along)
{
    const double head = self->diagram->group_count > 0 ? 24 : 0,
                 more = self->column[self->ranks - 1] ? STRETCH : 0;
    double left = MARGIN + head;
    *along = 0;
    for (int32_t first = 0, last; first < self->ranks; first = last) {
        double low;
        for (last = first; last < self->ranks && self->column[last] == self->column[first];
             last++) {
            self->top[last] += MARGIN + head + more;
            *along = fmax(*along, self->top[last] + self->high[last]);
        }
        const double wide = widest(self, first, last, &low);
        for (int32_t i = self->start[first]; i < self->start[last]; i++)
            self->places[self->order[i]].at += left - low;
        left += wide + COLUMN;
    }
    *across = left - COLUMN + MARGIN + head;
    *along += MARGIN + head + more;
}

/* ---- arrows ---- */

static void add_point(const Layout *self, gt_DiagramLayout *out, double across, double along)
{
    if (!gt_reserve(self->diagram->context, (void **)&out->points, out->point_count,
                    &out->point_capacity, sizeof *out->points))
        return;
    out->points[out->point_count++] =
        self->look->across ? (gt_DiagramPoint){along, across} : (gt_DiagramPoint){across, along};
}

/* From one column to the next: below the first, up between them, and down into the second. */
static void add_fold(const Layout *self, gt_DiagramLayout *out, const Place *from, const Place *to)
{
    double low;
    int32_t first = to->rank, last = to->rank;
    while (last < self->ranks && self->column[last] == self->column[first])
        last++;
    widest(self, first, last, &low);
    const double under = self->top[from->rank] + self->high[from->rank] + STRETCH;
    const double over = self->top[to->rank] - STRETCH, middle = low - COLUMN / 2;
    add_point(self, out, from->at, under);
    add_point(self, out, middle, under);
    add_point(self, out, middle, over);
    add_point(self, out, to->at, over);
}

static double end_of(const Layout *self, const Place *place)
{
    return self->top[place->rank] + (place->box >= 0
                                         ? along_size(self, &self->diagram->boxes[place->box])
                                         : self->high[place->rank]);
}

static void add_forward(const Layout *self, gt_DiagramLayout *out, int32_t e)
{
    const gt_DiagramEdge *edge = &self->diagram->edges[e];
    const int32_t bends = self->places[edge->to].rank - self->places[edge->from].rank - 1;
    const Place *before = &self->places[edge->from];
    add_point(self, out, before->at, end_of(self, before));
    for (int32_t i = 0; i <= bends; i++) {
        const Place *next = &self->places[i < bends ? self->chain[e] + i : edge->to];
        if (self->column[next->rank] != self->column[before->rank])
            add_fold(self, out, before, next);
        else if (before->box >= 0 &&
                 end_of(self, before) < self->top[before->rank] + self->high[before->rank])
            add_point(self, out, before->at,
                      self->top[before->rank] +
                          self->high[before->rank]); /* past higher boxes beside */
        add_point(self, out, next->at, self->top[next->rank]);
        if (i < bends)
            add_point(self, out, next->at, end_of(self, next));
        before = next;
    }
}

/* Back: around the sides of both. */
static void add_back(const Layout *self, gt_DiagramLayout *out, const gt_DiagramEdge *edge)
{
    const Place *from = &self->places[edge->from], *to = &self->places[edge->to];
    const double side = fmax(from->at + from->size / 2, to->at + to->size / 2) + 12;
    const double out_at = 0.5 * (self->top[from->rank] + end_of(self, from)) + (from == to ? 8 : 0);
    const double in_at = 0.5 * (self->top[to->rank] + end_of(self, to)) - 4;
    add_point(self, out, from->at + from->size / 2, out_at);
    add_point(self, out, side, out_at);
    add_point(self, out, side, in_at);
    add_point(self, out, to->at + to->size / 2, in_at);
}

static void place_all(const Layout *self, gt_DiagramLayout *out)
{
    for (int32_t b = 0; b < self->diagram->box_count; b++) {
        gt_DiagramBox *box = &self->diagram->boxes[b];
        const Place *place = &self->places[b];
        const double across = place->at - place->size / 2, along = self->top[place->rank];
        box->x = self->look->across ? along : across;
        box->y = self->look->across ? across : along;
    }
    for (int32_t e = 0; e < self->diagram->edge_count; e++) {
        out->first[e] = out->point_count;
        if (is_forward(&self->diagram->edges[e]))
            add_forward(self, out, e);
        else
            add_back(self, out, &self->diagram->edges[e]);
    }
    out->first[self->diagram->edge_count] = out->point_count;
}

/* ---- all of it ---- */

static bool make_places(Layout *self)
{
    const int32_t boxes = self->diagram->box_count;
    Place *first = array(self, boxes, sizeof *first);
    self->places = first;
    self->place_room = boxes;
    if (!first)
        return false;
    for (int32_t b = 0; b < boxes; b++)
        first[b] = (Place){.box = b, .size = across_size(self, &self->diagram->boxes[b])};
    find_ranks(self);
    if (!count_places(self)) {
        self->place_room = boxes;
        self->wire_room = 0;
        return false;
    }
    self->places = array(self, self->place_room, sizeof *self->places);
    for (int32_t b = 0; self->places && b < boxes; b++)
        self->places[b] = first[b];
    drop(self, first, boxes, sizeof *first);
    return self->places != NULL;
}

static bool make_arrays(Layout *self)
{
    self->order = array(self, self->place_room, sizeof *self->order);
    self->start = array(self, self->ranks + 1, sizeof *self->start);
    self->wires = array(self, self->wire_room, sizeof *self->wires);
    self->wire_start = array(self, self->ranks + 1, sizeof *self->wire_start);
    self->chain = array(self, self->diagram->edge_count, sizeof *self->chain);
    self->top = array(self, self->ranks, sizeof *self->top);
    self->high = array(self, self->ranks, sizeof *self->high);
    self->column = array(self, self->ranks, sizeof *self->column);
    return gt_context_status(self->diagram->context) == GT_OK;
}

static void close(Layout *self)
{
    drop(self, self->places, self->place_room, sizeof *self->places);
    drop(self, self->order, self->place_room, sizeof *self->order);
    drop(self, self->start, self->ranks + 1, sizeof *self->start);
    drop(self, self->wires, self->wire_room, sizeof *self->wires);
    drop(self, self->wire_start, self->ranks + 1, sizeof *self->wire_start);
    drop(self, self->chain, self->diagram->edge_count, sizeof *self->chain);
    drop(self, self->top, self->ranks, sizeof *self->top);
    drop(self, self->high, self->ranks, sizeof *self->high);
    drop(self, self->column, self->ranks, sizeof *self->column);
}

bool gt_diagram_lay_out(gt_Diagram *diagram, const gt_DiagramLook *look, gt_DiagramLayout *out)
{
    Layout self = {.diagram = diagram, .look = look};
    *out = (gt_DiagramLayout){.width = 2 * MARGIN, .height = 2 * MARGIN};
    if (diagram->box_count > MOST_BOXES) {
        gt_raise(diagram->context, GT_INVALID, NULL, NULL,
                 "a picture has at most %d boxes (got %d)", MOST_BOXES, (int)diagram->box_count);
        return false;
    }
    out->first = array(&self, diagram->edge_count + 1, sizeof *out->first);
    if (out->first && make_places(&self) && make_arrays(&self)) {
        add_bends(&self);
        if (sort_by_rank(&self) && self.ranks > 0) {
            double across, along;
            find_order(&self);
            find_across(&self);
            find_along(&self);
            place_columns(&self, &across, &along);
            place_all(&self, out);
            out->width = look->across ? along : across;
            out->height = look->across ? across : along;
        }
    }
    close(&self);
    return gt_context_status(diagram->context) == GT_OK;
}

void gt_diagram_layout_close(gt_Diagram *self, gt_DiagramLayout *layout)
{
    gt_release(self->context, layout->points,
               (size_t)layout->point_capacity * sizeof *layout->points);
    if (layout->first)
        gt_release(self->context, layout->first,
                   ((size_t)self->edge_count + 1) * sizeof *layout->first);
}
