/* Kernels in the form that eager calls, plans and (later) emitted C and devices share: a function of a
 * job, pointers and a range of tiles. A job is a plain struct of sizes, strides and constants, without a
 * pointer. Leans on nothing.
 *
 *     sum of (1000, 3) along its rows: job {rows 1000, columns 3, ...}, at {x, y}, one tile a strip of columns
 *
 * `at` has the operation's inputs (NULL: an optional one that is absent), its outputs, its temporaries, in this
 * order. A kernel reads and writes what they point to and `scratch`, and nothing else; it cannot fail; and its bits do
 * not depend on how the tiles are cut into ranges, nor on the order or the threads in which ranges run. */
#ifndef GT_KERNELS_LAUNCH_H
#define GT_KERNELS_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Works on tiles [first, last). `scratch` is the worker's own: as many bytes as the launch names. */
typedef void gt_TileKernel(const void *job, void *const *at, int64_t first, int64_t last,
                           void *scratch);
/* What depends on the numbers and can fail: the smallest position of a bad element in tiles [first, last), or
 * -1. It writes nothing. */
typedef int64_t gt_CheckKernel(const void *job, void *const *at, int64_t first, int64_t last);

/* All kernels, one line each: compiled once an instruction set (EACH), once because vectors gain nothing (ONCE, in the base
 * build), or not again for vectors of 512 bits, which gain nothing over those of 256 (RARE). gt_tiles_NAME chooses by its job which loop and element type to run. */
#define GT_TILE_KERNELS(EACH, RARE, ONCE)                                                          \
    EACH(unary)                                                                                    \
    EACH(binary)                                                                                   \
    EACH(compare)                                                                                  \
    ONCE(fill)                                                                                     \
    EACH(copy)                                                                                     \
    RARE(triangular)                                                                               \
    EACH(product)                                                                                  \
    EACH(product_pack)                                                                             \
    ONCE(cross)                                                                                    \
    EACH(leaky_relu)                                                                               \
    EACH(silu)                                                                                     \
    EACH(gelu)                                                                                     \
    EACH(gelu_gradient)                                                                            \
    EACH(softmax)                                                                                  \
    EACH(log_softmax)                                                                              \
    EACH(conv_pack)                                                                                \
    EACH(conv)                                                                                     \
    EACH(conv_pool)                                                                                \
    EACH(conv_kernel_gradient)                                                                     \
    EACH(conv_total)                                                                               \
    ONCE(resize_bands)                                                                             \
    RARE(resize)                                                                                   \
    RARE(max_pool)                                                                                 \
    RARE(max_pool_gradient)                                                                        \
    RARE(pool_spread)                                                                              \
    RARE(max_pool_gather)                                                                          \
    RARE(average_pool)                                                                             \
    RARE(average_pool_gradient)                                                                    \
    EACH(batch_moments)                                                                            \
    ONCE(batch_moments_end)                                                                        \
    EACH(batch_scale)                                                                              \
    EACH(batch_slopes)                                                                             \
    ONCE(batch_slopes_end)                                                                         \
    EACH(batch_gradient)                                                                           \
    EACH(norm)                                                                                     \
    EACH(norm_gradient)                                                                            \
    ONCE(norm_gradient_end)                                                                        \
    RARE(ctc_forward)                                                                              \
    RARE(band_recurrence)                                                                          \
    EACH(lstm)                                                                                     \
    EACH(lstm_gradient)                                                                            \
    EACH(gru)                                                                                      \
    EACH(gru_gradient)                                                                             \
    EACH(attention)                                                                                \
    EACH(attention_gradient)                                                                       \
    RARE(sigmoid_crossentropy)                                                                     \
    EACH(softmax_crossentropy)                                                                     \
    EACH(sparse_softmax_crossentropy)                                                              \
    EACH(sparse_softmax_gradient)                                                                  \
    ONCE(ctc_states)                                                                               \
    ONCE(ctc_decode)                                                                               \
    EACH(select)                                                                                   \
    RARE(clip)                                                                                     \
    EACH(reduce)                                                                                   \
    EACH(logsumexp)                                                                                \
    RARE(arg_rows)                                                                                 \
    ONCE(arg_columns)                                                                              \
    RARE(running)                                                                                  \
    RARE(draw)                                                                                     \
    RARE(draw_integers)                                                                            \
    RARE(draw_classes)                                                                             \
    EACH(dropout)                                                                                  \
    EACH(fourier_tables)                                                                           \
    EACH(fourier)                                                                                  \
    EACH(overlap_add)                                                                              \
    ONCE(advance)                                                                                  \
    EACH(sgd)                                                                                      \
    EACH(adam)                                                                                     \
    RARE(adagrad)                                                                                  \
    RARE(accumulate)                                                                               \
    RARE(average)                                                                                  \
    RARE(overwrite)                                                                                \
    ONCE(count)                                                                                    \
    EACH(chain)                                                                                    \
    EACH(concatenate)                                                                              \
    EACH(join)                                                                                     \
    ONCE(triangle)                                                                                 \
    EACH(cast)                                                                                     \
    ONCE(take)                                                                                     \
    ONCE(take_along)                                                                               \
    ONCE(crowds)                                                                                   \
    RARE(scatter_add)                                                                              \
    RARE(add_along)                                                                                \
    ONCE(put)                                                                                      \
    ONCE(places_of)                                                                                \
    ONCE(one_hot)                                                                                  \
    ONCE(hash_bucket)                                                                              \
    ONCE(hash_cross)                                                                               \
    ONCE(distinct)                                                                                 \
    ONCE(nonzero)                                                                                  \
    ONCE(fold)                                                                                     \
    RARE(segment_max)                                                                              \
    RARE(segment_min)                                                                              \
    ONCE(segment_prod)                                                                             \
    ONCE(sort)                                                                                     \
    ONCE(search)                                                                                   \
    ONCE(spherical_bessel)

/* All checks: gt_check_NAME, compiled once. */
#define GT_CHECK_KERNELS(F)                                                                        \
    F(holds)                                                                                       \
    F(indices)                                                                                     \
    F(coordinates)                                                                                 \
    F(logits)                                                                                      \
    F(lengths)                                                                                     \
    F(ctc_states)                                                                                  \
    F(labels)                                                                                      \
    F(scores)

#define GT_ENUM_TILES(name) GT_TILES_##name,
#define GT_ENUM_CHECK(name) GT_CHECK_##name,
typedef enum gt_TileKernelId {
    GT_TILE_KERNELS(GT_ENUM_TILES, GT_ENUM_TILES, GT_ENUM_TILES) GT_TILE_KERNEL_COUNT
} gt_TileKernelId;
typedef enum gt_CheckKernelId {
    GT_CHECK_none,
    GT_CHECK_KERNELS(GT_ENUM_CHECK) GT_CHECK_KERNEL_COUNT
} gt_CheckKernelId;

extern gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT]; /* by id */

/* ---- element-wise loops: elementwise.c ---- */

/* Elements of one tile of element-wise work. */
#define GT_TILE_ELEMENTS 16384
#define GT_JOB_RANK      8

/* unary: y[i] = f(x[i]); at {x, y}. Tile t has the elements [t, t + 1) * tile. */
typedef struct gt_UnaryJob {
    uint8_t loop, type; /* a gt_UnaryLoopId, the gt_LoopType of x */
    uint8_t in, out;    /* bytes of an element of x, of y */
    int64_t size, tile;
} gt_UnaryJob;

/* How up to three operands step through an output, in elements: axes that every operand steps through as one are
 * joined, and operand i steps by stride[i], 0 where it is repeated. A tile is `rows` rows of the innermost axis, of
 * `inner` elements; or, where chunks > 1, a piece of `chunk` elements of one row. `outer` counts the rows.
 *
 *     (50, 1, 700) with (3, 1): dims {50, 3, 700}, stride {{700, 0, 1}, {0, 1, 0}}, inner 700, outer 150 */
typedef struct gt_Broadcast {
    int32_t inputs, rank;
    int64_t inner, chunk, chunks, outer, rows, tiles;
    int64_t dims[GT_JOB_RANK], stride[3][GT_JOB_RANK];
} gt_Broadcast;

/* binary, compare: y = f(a, b), the innermost axis stepping by 0 or 1; at {a, b, y}. */
typedef struct gt_BinaryJob {
    uint8_t loop, type; /* a gt_BinaryLoopId or gt_CompareLoopId, the gt_LoopType of a and b */
    uint8_t in, out;    /* bytes of an element of a and b, of y */
    gt_Broadcast walk;
} gt_BinaryJob;

/* ---- tiles.c ---- */

/* select: y = a where c, else b; c of bools, a, b and y of elements of any type; at {c, a, b, y}. */
typedef struct gt_SelectJob {
    int32_t move, element; /* index among the loops that move elements, bytes of an element */
    gt_Broadcast walk;
} gt_SelectJob;

/* clip: y = x held within [low, high], of float32 or float64; at {x, y}. Tiles as of fill. */
typedef struct gt_ClipJob {
    int32_t type; /* a gt_LoopType */
    int64_t size;
    double low, high;
} gt_ClipJob;

/* spherical_bessel: y = j[order](x), of float32 or float64; at {x, y}. Tiles as of fill. */
typedef struct gt_BesselJob {
    int32_t type, order;
    int64_t size;
} gt_BesselJob;

#endif
