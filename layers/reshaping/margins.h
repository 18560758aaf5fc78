/* How much is put in front of and behind spatial axes, or cut off there. Not installed. */
#ifndef GT_LAYERS_RESHAPING_MARGINS_H
#define GT_LAYERS_RESHAPING_MARGINS_H

#include "layers/kit.h"

typedef struct gt_Margins {
    int64_t before[3], after[3];
} gt_Margins;
/* In `create`: the options called `what` and "`what`_after", for as many spatial axes as the port
 * x of the class has. */
gt_Status gt_margins(const gt_Layer *layer, const char *what, gt_Sizes before, gt_Sizes after,
                     gt_Margins *margins);

#endif
