/* Changing variables. An assignment has no gradient: what was computed from the old value keeps it,
 * and what is computed later sees the new one. */
#ifndef GT_OPS_ASSIGN_H
#define GT_OPS_ASSIGN_H

#include "core/variable.h"
#include "ops/operand.h"

GT_BEGIN

/* variable = value, += value, -= value. The value has the variable's shape and type, or is a C
 * number that goes to every element. Nothing is changed if it fails, or while an error is pending.
 */
#define gt_assign(variable, value) gt_assign_at(GT_HERE, variable, gt_operand(value))
GT_API gt_Status gt_assign_at(const char *here, gt_Variable *variable, gt_Operand value);
#define gt_assign_add(variable, value) gt_assign_add_at(GT_HERE, variable, gt_operand(value))
GT_API gt_Status gt_assign_add_at(const char *here, gt_Variable *variable, gt_Operand value);
#define gt_assign_sub(variable, value) gt_assign_sub_at(GT_HERE, variable, gt_operand(value))
GT_API gt_Status gt_assign_sub_at(const char *here, gt_Variable *variable, gt_Operand value);

GT_END

#endif
