#include <criterion/criterion.h>

#include "core/context.h"

Test(version, library_and_build_agree)
{
    cr_assert_str_eq(gt_version(), GT_PROJECT_VERSION, "meson.build says %s, the library %s",
                     GT_PROJECT_VERSION, gt_version());
}
