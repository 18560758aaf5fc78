#include "core/version.h"

const char *gt_version(void)
{
    return GT_VERSION;
}
