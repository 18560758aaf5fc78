/* Tokens in a table, and counted. A token is bytes. Private to the library. */
#ifndef GT_LAYERS_PREPROCESSING_TOKENS_H
#define GT_LAYERS_PREPROCESSING_TOKENS_H

#include "core/strings_inside.h"

static inline bool gt_piece_equal(gt_Piece a, gt_Piece b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* Which token is number i of a list, and which number a token has. All zero is an empty one. */
typedef struct gt_Tokens {
    gt_Text text; /* the list; it must outlive this */
    gt_Map map;   /* hash -> number */
} gt_Tokens;
/* Of all strings of the text. *again gets a number whose token an earlier one has too, -1: there is none; the table is
 * empty then. False with an error raised if there is no memory. */
bool gt_tokens_open(gt_Context *context, gt_Tokens *tokens, const gt_Text *text, int64_t *again);
int64_t gt_tokens_find(const gt_Tokens *tokens, gt_Piece token); /* -1: it has none */
void gt_tokens_close(gt_Context *context, gt_Tokens *tokens);

/* How often each token came, and in how many documents. All zero is none. */
typedef struct gt_TokenCounts {
    gt_TextBuilder tokens; /* in the order of their first coming */
    gt_Map map;
    struct gt_TokenCount *items; /* one a token */
    int32_t capacity;
    int64_t documents; /* so far, with the present one */
} gt_TokenCounts;
void gt_counts_document(gt_TokenCounts *counts); /* the next one begins */
bool gt_counts_add(gt_Context *context, gt_TokenCounts *counts, gt_Piece token);
/* The tokens from the most frequent to the rarest, of equal ones the larger first, as bytes or (`integers`) as int64. The
 * list has counts->tokens.count numbers and belongs to the caller. NULL with an error raised. */
int32_t *gt_counts_order(gt_Context *context, const gt_TokenCounts *counts, bool integers);
/* In how many documents token number i came. */
int64_t gt_counts_documents(const gt_TokenCounts *counts, int64_t i);
void gt_counts_close(gt_Context *context, gt_TokenCounts *counts);

#endif
