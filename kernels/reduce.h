/* Reductions whose bits depend on the numbers and their count alone: their order, and the sizes that make it.
 *
 * Rows: blocks of GT_BLOCK numbers, in each of them 32 independent lanes (a number of the source, not of the processor),
 * the lanes combined by halving, the blocks pairwise. The error of a sum thus grows with GT_BLOCK / lanes + log n instead
 * of n. Columns: blocks of GT_ROW_BLOCK rows, combined pairwise. Integers need no order.
 *
 * A sum of floats is one of doubles, but that each lane, or column, first adds up to 32 floats as
 * floats, mostly in twos and fours: that costs no more than a sum of floats, and its error is that
 * of some ten additions, whatever n. What is squared becomes a double before. Products: see
 * reduce_product.h. */
#ifndef GT_KERNELS_REDUCE_H
#define GT_KERNELS_REDUCE_H

#define GT_BLOCK     4096 /* numbers of a row that share lanes */
#define GT_ROW_BLOCK 32   /* rows of a column summed one after the other */
#define GT_WIDTH     512  /* bytes of a row that are reduced at once */
#define GT_LEVELS    48   /* blocks combine pairwise: 2^48 of them */
#define GT_BESIDE    16   /* blocks of few columns that are computed beside each other */
#define GT_FEW       7    /* so few columns */

#endif
