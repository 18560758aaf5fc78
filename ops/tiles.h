/* Running loops over chunks and broadcasts, for operations with `run`; strided copies. Private to the library. */
#ifndef GT_OPS_TILES_H
#define GT_OPS_TILES_H

#include "core/inside.h"

gt_Status gt_run_unary(const gt_Kernel *kernel, gt_UnaryLoop *const loops[GT_LOOP_TYPES]);
gt_Status gt_run_binary(const gt_Kernel *kernel, gt_BinaryLoop *const loops[GT_LOOP_TYPES]);

/* Elements that make one piece of element-wise work. */
#define GT_CHUNK 16384
/* Number i of an input of integers. */
static inline int64_t gt_whole(const gt_Kernel *kernel, int input, int64_t i)
{
    const void *data = kernel->input[input];
    gt_DType dtype = kernel->input_spec[input]->dtype;
    return dtype == GT_INT32   ? ((const int32_t *)data)[i]
           : dtype == GT_INT64 ? ((const int64_t *)data)[i]
                               : ((const uint8_t *)data)[i];
}

/* Work on elements [first, first + n) of output 0, for operations that need no broadcasting. */
typedef void gt_ChunkBody(const gt_Kernel *kernel, int64_t first, int64_t n);
gt_Status gt_run_chunks(const gt_Kernel *kernel, gt_ChunkBody *body);

/* How `inputs` operands broadcast to one output (kernels/launch.h); the innermost axis has strides 0 or 1. */
void gt_broadcast_plan(gt_Broadcast *plan, const gt_Spec *output, int inputs,
                       const gt_Spec *const *input);
/* Works out the tiles of a plan whose dims and strides are filled in. */
void gt_broadcast_cut(gt_Broadcast *plan, int64_t chunk);
/* One run of the innermost dimension: n elements, offsets in elements. */
typedef void gt_BroadcastBody(const gt_Kernel *kernel, const void *argument,
                              const gt_Broadcast *plan, int64_t n, const int64_t *offset,
                              int64_t output);
gt_Status gt_broadcast_run(const gt_Kernel *kernel, const gt_Broadcast *plan,
                           gt_BroadcastBody *body, const void *argument);

/* ---- strided copies: strided.c ---- */

/* One array written from another, each walked with strides of its own (in elements; negative and 0
 * too): a gt_Broadcast with stride[0] for reading and stride[1] for writing. Start with
 * gt_strided_begin, add the axes from the outermost in, copy. */
void gt_strided_begin(gt_Broadcast *plan);
void gt_strided_axis(gt_Broadcast *plan, int64_t dim, int64_t from, int64_t to);
gt_Status gt_strided_copy(const gt_Kernel *kernel, gt_Broadcast *plan, gt_DType dtype,
                          const void *from, void *to);
/* The same number n times; it fits the type. */
void gt_fill(gt_DType dtype, int64_t n, double value, void *to);
#endif
