/* Placing: each cell of the block that is alive and has memory of its own gets its offset, so that two that live at the same
 * time do not share a byte (place.h). Leans on place.c. */
#include "plan/program.h"

gt_Status gt_pass_placing(gt_Program *program)
{
    gt_Plan *plan = program->plan;
    gt_Context *context = program->context;
    size_t bytes = ((size_t)program->cell_count + 1) * sizeof(gt_Piece *);
    gt_Piece **placed = gt_allocate(context, bytes);
    int32_t count = 0;
    if (!placed)
        return gt_context_status(context);
    for (int32_t i = 0; i < program->cell_count; i++) {
        gt_Cell *cell = &program->cells[i];
        if (cell->base != GT_BASE_BLOCK || cell->piece.last < 0)
            continue;
        plan->stats.naive += (int64_t)gt_piece_bytes(&cell->piece);
        if (cell->same < 0 && cell->piece.bytes > 0)
            placed[count++] = &cell->piece;
    }
    gt_place(context, placed, count, program->wave_count, &plan->block_bytes);
    gt_release(context, placed, bytes);
    if (plan->block_bytes == 0)
        plan->block_bytes = GT_ALIGNMENT; /* empty tensors have an address too */
    return gt_context_status(context);
}
