/* The second operand of a binary operation: a tensor, or a C number that takes the first one's type. */
#ifndef GT_OPS_OPERAND_H
#define GT_OPS_OPERAND_H

#include "core/tensor.h"

GT_BEGIN

/* What binary operations accept as their second argument, in the place of which a tensor or a number stands. */
typedef struct gt_Operand {
    gt_Tensor *tensor;
    double number;
    bool is_number;
} gt_Operand;

/* What gt_operand(b) calls for a tensor, for NULL, for a number. */
static inline gt_Operand gt_operand_tensor(gt_Tensor *tensor)
{
    gt_Operand operand = {tensor, 0, false};
    return operand;
}
static inline gt_Operand gt_operand_void(const void *nothing)
{
    gt_Operand operand = {NULL, 0, false};
    (void)nothing;
    return operand;
}
static inline gt_Operand gt_operand_number(double number)
{
    gt_Operand operand = {NULL, number, true};
    return operand;
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
