/* How much is put in front of and behind spatial axes, or cut off there. */
#include "layers/reshaping/margins.h"
#include "core/text.h"

gt_Status gt_margins(const gt_Layer *layer, const char *what, gt_Sizes before, gt_Sizes after,
                     gt_Margins *margins)
{
    char name[32];
    int axes = layer->type->ports->rank_max - 2; /* but the batch and the channels */
    gt_text(name, sizeof name, "%s_after", what);
    if (gt_sizes_expand(what, before, axes, 0, margins->before) != GT_OK)
        return gt_status();
    return after == GT_NONE ? gt_sizes_expand(what, before, axes, 0, margins->after)
                            : gt_sizes_expand(name, after, axes, 0, margins->after);
}
