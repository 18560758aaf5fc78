/* Tokens in a table, and counted. Leans on core/map.h. */
#include "layers/preprocessing/tokens.h"

#include <stdlib.h>

/* ---- the table ---- */

static int64_t find(const gt_Map *map, const gt_Text *text, gt_Piece token)
{
    uint64_t key = gt_map_text(token.at, token.length);
    int32_t at = -1, i;
    while ((i = gt_map_next(map, key, &at)) >= 0)
        if (gt_piece_equal(gt_text_piece(text, i), token))
            return i;
    return -1;
}

bool gt_tokens_open(gt_Context *context, gt_Tokens *tokens, const gt_Text *text, int64_t *again)
{
    *tokens = (gt_Tokens){.text = *text};
    *again = -1;
    for (int64_t i = 0; i < text->count && *again < 0; i++) {
        gt_Piece token = gt_text_piece(text, i);
        if (find(&tokens->map, text, token) >= 0)
            *again = i;
        else if (!gt_map_add(context, &tokens->map, gt_map_text(token.at, token.length), (intptr_t)i))
            break;
    }
    if (*again >= 0 || gt_context_status(context) != GT_OK)
        gt_tokens_close(context, tokens);
    return gt_context_status(context) == GT_OK;
}

int64_t gt_tokens_find(const gt_Tokens *tokens, gt_Piece token)
{
    return find(&tokens->map, &tokens->text, token);
}

void gt_tokens_close(gt_Context *context, gt_Tokens *tokens)
{
    gt_map_close(context, &tokens->map);
    *tokens = (gt_Tokens){.text = {.count = 0}};
}

/* ---- counting ---- */

struct gt_TokenCount {
    int64_t times, documents;
    int64_t last; /* the document that it came in last */
};

void gt_counts_document(gt_TokenCounts *counts)
{
    counts->documents++;
}

/* A token that is new: behind the others. */
static bool append(gt_Context *context, gt_TokenCounts *counts, gt_Piece token, int64_t i)
{
    if (!gt_reserve(context, (void **)&counts->items, (int32_t)i, &counts->capacity,
                    sizeof *counts->items) ||
        !gt_builder_put(context, &counts->tokens, token.at, token.length))
        return false;
    counts->items[i] = (struct gt_TokenCount){.times = 0};
    if (gt_map_add(context, &counts->map, gt_map_text(token.at, token.length), (intptr_t)i) &&
        gt_builder_end(context, &counts->tokens))
        return true;
    gt_map_remove(&counts->map, gt_map_text(token.at, token.length), (intptr_t)i);
    counts->tokens.size -= (int64_t)token.length;
    return false;
}

bool gt_counts_add(gt_Context *context, gt_TokenCounts *counts, gt_Piece token)
{
    const gt_Text text = gt_builder_text(&counts->tokens);
    int64_t i = find(&counts->map, &text, token);
    if (i < 0 && !append(context, counts, token, i = text.count))
        return false;
    struct gt_TokenCount *count = &counts->items[i];
    count->times++;
    if (count->last != counts->documents) {
        count->last = counts->documents;
        count->documents++;
    }
    return true;
}

int64_t gt_counts_documents(const gt_TokenCounts *counts, int64_t i)
{
    return counts->items[i].documents;
}

/* What two tokens are compared by. */
typedef struct Ranked {
    int64_t times, integer;
    gt_Piece token;
    int32_t number;
} Ranked;

static int rank(const void *one, const void *other)
{
    const Ranked *a = one, *b = other;
    if (a->times != b->times)
        return a->times < b->times ? 1 : -1;
    if (a->integer != b->integer)
        return a->integer < b->integer ? 1 : -1;
    size_t both = a->token.length < b->token.length ? a->token.length : b->token.length;
    int order = both > 0 ? memcmp(b->token.at, a->token.at, both) : 0;
    return order != 0 ? order
                      : (a->token.length < b->token.length) - (a->token.length > b->token.length);
}

int32_t *gt_counts_order(gt_Context *context, const gt_TokenCounts *counts, bool integers)
{
    const gt_Text text = gt_builder_text(&counts->tokens);
    size_t bytes = (size_t)text.count * sizeof(Ranked);
    int32_t *order = gt_allocate(context, (size_t)text.count * sizeof *order);
    Ranked *ranked = order ? gt_allocate_unpooled(context, bytes) : NULL;
    if (order && !ranked) {
        gt_release(context, order, (size_t)text.count * sizeof *order);
        return NULL;
    }
    for (int32_t i = 0; ranked && i < text.count; i++) {
        ranked[i] = (Ranked){.times = counts->items[i].times, .number = i};
        gt_Piece token = gt_text_piece(&text, i);
        if (integers)
            memcpy(&ranked[i].integer, token.at, sizeof ranked[i].integer);
        else
            ranked[i].token = token;
    }
    if (ranked && text.count > 0)
        qsort(ranked, (size_t)text.count, sizeof *ranked, rank);
    for (int64_t i = 0; ranked && i < text.count; i++)
        order[i] = ranked[i].number;
    gt_release_unpooled(context, ranked, bytes);
    return order;
}

void gt_counts_close(gt_Context *context, gt_TokenCounts *counts)
{
    gt_release(context, counts->items, (size_t)counts->capacity * sizeof *counts->items);
    gt_map_close(context, &counts->map);
    gt_builder_close(context, &counts->tokens);
    *counts = (gt_TokenCounts){.documents = 0};
}
