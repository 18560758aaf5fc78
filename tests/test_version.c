#include <criterion/criterion.h>

#include "core/version.h"

Test(version, library_and_header_agree)
{
    cr_assert_str_eq(gt_version(), GT_VERSION, "header %s, library %s", GT_VERSION, gt_version());
}
