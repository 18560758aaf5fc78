/* Text as other rooms read and make it. Private. */
#ifndef GT_CORE_STRINGS_INSIDE_H
#define GT_CORE_STRINGS_INSIDE_H

#include "core/inside.h"
#include "core/strings.h"

/* A piece of memory: one string. */
typedef struct gt_Piece {
    const char *at;
    size_t length;
} gt_Piece;

/* Strings that were checked. They live as long as the tensors. */
typedef struct gt_Text {
    const char *bytes;
    const int64_t *offsets; /* count + 1; they rise and stay inside the bytes */
    int64_t count;
    gt_Shape shape; /* (rows) or (rows, width) */
    bool symbol;    /* only the shape is known: bytes and offsets are NULL */
} gt_Text;

static inline gt_Piece gt_piece_of(const char *text)
{
    return (gt_Piece){text, text ? strlen(text) : 0};
}

static inline gt_Piece gt_text_piece(const gt_Text *text, int64_t i)
{
    return (gt_Piece){text->bytes + text->offsets[i], (size_t)(text->offsets[i + 1] - text->offsets[i])};
}

/* Reads text. False with an error raised as `operation`, where `what` names it: what is no text, offsets that do not rise or
 * leave the bytes, rows that do not come out even. */
bool gt_text_read(gt_Context *context, const char *here, const char *operation, const char *what,
                  const gt_Strings *strings, gt_Text *text);
/* Are there strings, given at all? */
static inline bool gt_strings_given(const gt_Strings *strings)
{
    return strings->bytes || strings->offsets;
}
/* GT_TEXT and the shape, of strings that were read. */
gt_Spec gt_text_spec(const gt_Text *text);

/* Text of which only the shape is known, as symbols of a trace that finds shapes (gt_trace_try). Its strings read "". */
gt_Strings gt_text_symbol(gt_Context *context, const gt_Spec *spec);

/* Strings that are put together. All zero is none. */
typedef struct gt_TextBuilder {
    char *bytes;
    int64_t *offsets;           /* count + 1; NULL while there is none */
    int64_t size, room;         /* of bytes */
    int64_t count, offset_room; /* of strings that are finished */
} gt_TextBuilder;
/* More bytes for the string at the end; false with an error raised. */
bool gt_builder_put(gt_Context *context, gt_TextBuilder *builder, const void *bytes, size_t length);
/* Finishes the string at the end. */
bool gt_builder_end(gt_Context *context, gt_TextBuilder *builder);
/* The finished strings. They live until the builder changes. */
gt_Text gt_builder_text(const gt_TextBuilder *builder);
/* The same as tensors of the innermost scope. */
gt_Strings gt_builder_strings(gt_Context *context, const gt_TextBuilder *builder);
void gt_builder_close(gt_Context *context, gt_TextBuilder *builder);

#endif
