/* The second operand of a binary operation: a tensor, or a C number that takes the first one's type. */
#ifndef GT_OPS_OPERAND_H
#define GT_OPS_OPERAND_H

#include "core/tensor.h"

GT_BEGIN

/* What binary operations accept as their second argument, in the place of which a tensor or a number stands: two words,
 * which travel in registers. */
typedef struct gt_Operand {
    gt_Tensor *tensor; /* GT_NUMBER: it is a number */
    double number;
} gt_Operand;
/* Where the tensor of an operand would stand; no tensor has this address. */
#define GT_NUMBER ((gt_Tensor *)(uintptr_t)0x67726164)

/* What gt_operand(b) calls for a tensor, for NULL, for a number. */
static inline gt_Operand gt_operand_tensor(gt_Tensor *tensor)
{
    gt_Operand operand = {tensor, 0};
    return operand;
}
static inline gt_Operand gt_operand_void(const void *nothing)
{
    gt_Operand operand = {NULL, 0};
    (void)nothing;
    return operand;
}
static inline gt_Operand gt_operand_number(double number)
{
    gt_Operand operand = {GT_NUMBER, number};
    return operand;
}
/* Does a number stand there? */
static inline bool gt_operand_is_number(gt_Operand operand)
{
    return operand.tensor == GT_NUMBER;
}

GT_END

#ifdef __cplusplus
inline gt_Operand gt_operand(gt_Tensor *tensor)
{
    return gt_operand_tensor(tensor);
}
inline gt_Operand gt_operand(std::nullptr_t)
{
    return gt_operand_void(nullptr);
}
template <class Number> inline gt_Operand gt_operand(Number number)
{
    return gt_operand_number(static_cast<double>(number));
}
#else
/* clang-format off */
/* The operand that b is: what binary operations make of their second argument. */
#define gt_operand(b)                                                                              \
    _Generic((b),                                                                                  \
        gt_Tensor *: gt_operand_tensor,                                                            \
        void *: gt_operand_void,                                                                   \
        default: gt_operand_number)(b)
/* clang-format on */
#endif

#endif
