/* Operations made from C functions: what both kinds begin with, and the signatures of such functions. Private to the
 * library. Leans on core. */
#ifndef GT_OPS_CUSTOM_H
#define GT_OPS_CUSTOM_H

#include "core/inside.h"
#include "ops/foreign/foreign.h"

/* ---- operations: custom.c ---- */

#define GT_CUSTOM_NAME 64

/* Both kinds of custom operation start with this; the context owns them, none goes before it. */
typedef struct gt_Custom {
    gt_Object object;
    gt_Operation operation;
    char name[GT_CUSTOM_NAME];
} gt_Custom;

static inline gt_Custom *gt_custom_of(const gt_Operation *operation)
{
    return (gt_Custom *)(void *)((char *)operation - offsetof(gt_Custom, operation));
}
/* A zeroed block of `bytes` with the name `name` `suffix`, which must be a free C identifier; NULL
 * with an error raised as `maker`. */
void *gt_custom_new(gt_Context *context, const char *here, const char *maker,
                    const gt_ObjectKind *kind, size_t bytes, const char *name, const char *suffix);
/* Registers those that are not NULL, all or none: then they are freed. Returns the first. */
const gt_Operation *gt_custom_register(gt_Context *context, int count, gt_Custom *const *custom);

/* ---- the numbers of a call: foreign.c ---- */

/* The type of gt_foreign_options: the options of every operation whose function takes numbers. */
extern const gt_OptionType *const gt_foreign_call_options;
/* Raises an error unless they were made by gt_numbers. */
bool gt_numbers_valid(const gt_Numbers *numbers);

/* ---- signatures: signature.c ---- */

#define GT_MAX_PARAMETERS 24
#define GT_MAX_SYMBOLS    32
#define GT_SYMBOL_BYTES   32

typedef enum gt_CType {
    GT_C_NONE,
    GT_C_VOID,
    GT_C_F32,
    GT_C_F64,
    GT_C_I32,
    GT_C_I64,
    GT_C_U8,
    GT_C_BOOL,
    GT_C_U32,
    GT_C_SIZE,
    GT_C_STATUS
} gt_CType;

typedef struct gt_Parameter {
    char name[GT_SYMBOL_BYTES]; /* "" if it has none */
    gt_CType type;              /* of the elements, if it is an array */
    bool array, constant;
    int32_t rank;               /* brackets; 0: none, any shape */
    int64_t bound[GT_MAX_RANK]; /* a constant, or -1 - symbol */
} gt_Parameter;

typedef struct gt_Signature {
    gt_CType result;
    int32_t parameters, symbols;
    gt_Parameter parameter[GT_MAX_PARAMETERS];
    char symbol[GT_MAX_SYMBOLS][GT_SYMBOL_BYTES]; /* what is written in brackets */
} gt_Signature;

/* Reads a prototype, or its parameters alone. False: `why` says what is wrong with it. */
bool gt_signature_parse(gt_Signature *signature, const char *text, char *why, size_t size);
/* The number of a symbol, added if it is new; -1: there are too many. */
int32_t gt_signature_symbol(gt_Signature *signature, const char *name);
/* The parameter of that name; -1: none. */
int32_t gt_signature_find(const gt_Signature *signature, const char *name);
/* The element type; NONE for what no tensor holds. */
gt_DType gt_c_dtype(gt_CType type);

#endif
