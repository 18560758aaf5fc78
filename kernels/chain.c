/* Chains of element-wise operations. The block of a tile that is worked on, and the results that only later steps of the chain
 * read, stay in the first cache; the loops are those of the operations by themselves, so that the bits are too: an element
 * depends on its operands alone. Leans on loops.h.
 *
 *     y = relu(x + b), x of rows of 8        block: 256 rows
 *       once      b is repeated 256 times in scratch memory
 *       a block   add (x, repeated b) -> scratch, relu (scratch) -> y
 */
#include "broadcast.h"
#include "chain.h"
#include "loops.h"

#define MOST_OPERANDS 3

/* A piece of the result: elements [begin, begin + n), which are whole rows, or lie in one. */
typedef struct Piece {
    const gt_ChainJob *job;
    void *const *at;
    char *scratch;
    int64_t begin, n;
} Piece;

/* Where an operand or the result begins for the piece. */
static inline char *place(const Piece *piece, const gt_ChainOperand *operand)
{
    char *base =
        operand->from < GT_CHAIN_OPERANDS
            ? piece->at[operand->from]
            : piece->scratch + (operand->from - GT_CHAIN_OPERANDS) * (int64_t)piece->job->slot;
    return base + piece->begin * operand->advance;
}

/* Operand i steps by along[i]. */
static inline void compute(const gt_ChainStep *step, int64_t n, char *const x[MOST_OPERANDS],
                           const int64_t along[MOST_OPERANDS], char *y)
{
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    switch (step->kind) {
    case GT_CHAIN_UNARY:
        table->unary[step->loop][step->type](n, x[0], y);
        break;
    case GT_CHAIN_BINARY:
        table->binary[step->loop][step->type](n, x[0], along[0], x[1], along[1], y);
        break;
    case GT_CHAIN_COMPARE:
        table->compare[step->loop][step->type](n, x[0], along[0], x[1], along[1], y);
        break;
    default:
        table->select[step->loop](n, (const uint8_t *)x[0], along[0], x[1], along[1], x[2],
                                  along[2], y);
        break;
    }
}

/* Rows that are short: as many as fit into a little memory at once, in which columns are written out. */
static void run_short_rows(const Piece *piece, const gt_ChainStep *step, char *x[MOST_OPERANDS],
                           char *y)
{
    enum { AT_ONCE = 512 };
    const int64_t width = piece->job->width, rows = AT_ONCE / width;
    uint64_t written[MOST_OPERANDS][AT_ONCE];
    int64_t along[MOST_OPERANDS];
    for (int64_t row = 0, all = piece->n / width; row < all; row += rows) {
        const int64_t count = all - row < rows ? all - row : rows;
        char *from[MOST_OPERANDS];
        for (int i = 0; i < step->operands; i++) {
            const gt_ChainOperand *operand = &step->operand[i];
            const bool column = operand->way == GT_CHAIN_COLUMN;
            from[i] = x[i];
            if (operand->way == GT_CHAIN_FULL)
                from[i] += row * width * operand->bytes;
            if (column) {
                from[i] = (char *)written[i];
                gt_spread(GT_KERNEL(kernels).spread, operand->bytes, count, width,
                          x[i] + row * operand->bytes, written[i]);
            }
            along[i] = column ? 1 : operand->along;
        }
        compute(step, count * width, from, along, y + row * width * step->result.bytes);
    }
}

/* Row by row: rows and columns begin anew or step by one element. */
static void run_rows(const Piece *piece, const gt_ChainStep *step, char *x[MOST_OPERANDS],
                     const int64_t along[MOST_OPERANDS], char *y)
{
    const int64_t width = piece->job->width, n = piece->n < width ? piece->n : width;
    for (int i = 0; i < step->operands; i++) {
        const gt_ChainOperand *operand = &step->operand[i];
        if (operand->way == GT_CHAIN_ROW && !operand->repeat)
            x[i] += piece->begin % width * operand->bytes;
        else if (operand->way == GT_CHAIN_COLUMN)
            x[i] += piece->begin / width * operand->bytes;
    }
    if (width <= GT_CHAIN_NARROW && piece->n > width) { /* any row is repeated */
        run_short_rows(piece, step, x, y);
        return;
    }
    for (int64_t done = 0; done < piece->n; done += width) {
        compute(step, n, x, along, y);
        for (int i = 0; i < step->operands; i++) {
            const gt_ChainOperand *operand = &step->operand[i];
            if (operand->way == GT_CHAIN_FULL || operand->repeat)
                x[i] += width * operand->bytes;
            else if (operand->way == GT_CHAIN_COLUMN)
                x[i] += operand->bytes;
        }
        y += width * step->result.bytes;
    }
}

static void run_any_step(const Piece *piece, const gt_ChainStep *step)
{
    char *x[MOST_OPERANDS], *y = place(piece, &step->result);
    int64_t along[MOST_OPERANDS];
    for (int i = 0; i < step->operands; i++) {
        x[i] = place(piece, &step->operand[i]);
        along[i] = step->operand[i].along;
    }
    if (step->by_rows)
        run_rows(piece, step, x, along, y);
    else
        compute(step, piece->n, x, along, y);
}

/* Most steps have two operands, or one, and no rows: nothing is written to a list on the way to the loop. */
static inline void run_step(const Piece *piece, const gt_ChainStep *step)
{
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    const gt_ChainOperand *a = &step->operand[0], *b = &step->operand[1];
    if (!step->by_rows && step->kind == GT_CHAIN_BINARY)
        table->binary[step->loop][step->type](piece->n, place(piece, a), a->along, place(piece, b),
                                              b->along, place(piece, &step->result));
    else if (!step->by_rows && step->kind == GT_CHAIN_UNARY)
        table->unary[step->loop][step->type](piece->n, place(piece, a),
                                             place(piece, &step->result));
    else
        run_any_step(piece, step);
}

/* Narrow rows, as often as they fit into a block of `n` elements. */
static void repeat_rows(const gt_ChainJob *job, void *const *at, char *scratch, int64_t n)
{
    for (int32_t s = 0; s < job->steps; s++)
        for (int i = 0; i < job->step[s].operands; i++) {
            const gt_ChainOperand *operand = &job->step[s].operand[i];
            if (!operand->repeat)
                continue;
            char *to = scratch + (operand->from - GT_CHAIN_OPERANDS) * (int64_t)job->slot;
            int64_t done = job->width * operand->bytes, all = n * operand->bytes;
            memcpy(to, at[operand->repeat - 1], (size_t)done);
            for (; done < all; done *= 2)
                memcpy(to + done, to, (size_t)(done < all - done ? done : all - done));
        }
}

/* A chain at work, behind its head if it has one. */
typedef struct Chain {
    const gt_ChainJob *job;
    void *const *at;
    char *scratch;
} Chain;

static void run_tile(void *user, int64_t tile)
{
    const Chain *chain = user;
    const gt_ChainJob *job = chain->job;
    const int64_t end = (tile + 1) * job->tile < job->size ? (tile + 1) * job->tile : job->size;
    for (int64_t begin = tile * job->tile, next; begin < end; begin = next) {
        next = begin + job->block < end ? begin + job->block : end;
        if (job->width > job->block && next > begin - begin % job->width + job->width)
            next = begin - begin % job->width + job->width; /* to the end of the row */
        const Piece piece = {job, chain->at, chain->scratch, begin, next - begin};
        for (int32_t s = 0; s < job->steps; s++)
            run_step(&piece, &job->step[s]);
    }
}

/* y = f(x, ...) for each step in turn, element by element; any order of tiles. A convolution keeps its lists from tile to tile. */
void GT_KERNEL(tiles_chain)(const void *given, void *const *at, int64_t first, int64_t last,
                            void *scratch)
{
    const gt_ChainJob *job = given;
    const gt_KernelTable *table = &GT_KERNEL(kernels);
    const void *head = (const char *)job + job->head_job;
    char *head_scratch = (char *)scratch + job->chain_scratch;
    void *head_at[GT_CHAIN_OPERANDS];
    Chain chain = {job, at, scratch};
    for (int i = 0; job->head >= 0 && i < GT_CHAIN_OPERANDS; i++)
        head_at[i] = at[job->head_at[i]];
    if (job->steps == 0) { /* the head does it all */
        table->tile[job->head](head, head_at, first, last, head_scratch);
        return;
    }
    if (job->repeats)
        repeat_rows(job, at, scratch, job->size < job->block ? job->size : job->block);
    if (job->head == GT_TILES_conv) {
        gt_conv_tiles(table, head, head_at, first, last, head_scratch, run_tile, &chain);
        return;
    }
    for (int64_t tile = first; tile < last; tile++) {
        if (job->head >= 0)
            table->tile[job->head](head, head_at, tile, tile + 1, head_scratch);
        run_tile(&chain, tile);
    }
}
