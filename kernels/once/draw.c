/* The state of generators: see kernels/draw.h. Leans on loops.h. */
#include "kernels/draw.h"

#include "kernels/loops.h"

/* Neighbouring seeds must give streams that have nothing in common: the finaliser of splitmix64
 * (Steele, Lea, Flood 2014). */
static uint64_t mixed(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

gt_PhiloxKey gt_draw_stream(const void *state, uint64_t attempt)
{
    const int64_t *numbers = state;
    return (gt_PhiloxKey){mixed(mixed((uint64_t)numbers[0]) + attempt), (uint64_t)numbers[1]};
}

/* {seed, counter} becomes {seed, counter + 1}, in place too. */
void GT_KERNEL(tiles_advance)(const void *given, void *const *at, int64_t first, int64_t last,
                              void *scratch)
{
    const int64_t *before = at[0];
    int64_t *after = at[1];
    (void)given, (void)first, (void)last, (void)scratch;
    after[0] = before[0];
    after[1] = (int64_t)((uint64_t)before[1] + 1);
}
