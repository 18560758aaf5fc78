/* The checks: what depends on the numbers and can fail. Compiled once. Leans on launch.h. */
#include <math.h>

#include "kernels/draw.h"
#include "kernels/integers.h"
#include "kernels/kernels.h"
#include "kernels/lookup_index.h"

#define GT_DECLARE_CHECK(name) static gt_CheckKernel check_##name;
GT_CHECK_KERNELS(GT_DECLARE_CHECK)

#define GT_CHECK_ENTRY(name) [GT_CHECK_##name] = check_##name,
gt_CheckKernel *const gt_check_kernels[GT_CHECK_KERNEL_COUNT] = {GT_CHECK_KERNELS(GT_CHECK_ENTRY)};

/* Is every bool of tiles [first, last) true? */
static int64_t check_holds(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_HoldsCheck *job = given;
    const uint8_t *holds = at[job->input];
    for (int64_t i = first; i < last; i++)
        if (!holds[i])
            return i;
    return -1;
}

/* Is every logit less than inf and some more than -inf in every row? */
static int64_t check_logits(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_DrawClassesJob *job = given;
    for (int64_t row = first; row < last; row++) {
        bool possible = false, bad = false;
        for (int64_t i = row * job->classes; i < (row + 1) * job->classes; i++) {
            double x = job->logits == GT_LOOP_F32 ? (double)((const float *)at[1])[i]
                                                  : ((const double *)at[1])[i];
            possible = possible || x > -INFINITY;
            bad = bad || !(x < INFINITY);
        }
        if (bad || !possible)
            return row;
    }
    return -1;
}

/* Is every length of tiles [first, last) in [0, most]? */
static int64_t check_lengths(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_LengthsJob *job = given;
    for (int64_t i = first; i < last; i++) {
        int64_t length = gt_integer(at[job->input], job->type, i);
        if (length < 0 || length > job->most)
            return i;
    }
    return -1;
}

/* Rows: are both lengths in range, and do the labels name classes other than the blank? */
static int64_t check_ctc_states(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_CtcStatesJob *job = given;
    for (int64_t row = first; row < last; row++) {
        const int64_t length = gt_integer(at[1], job->type[1], row);
        const int64_t steps = gt_integer(at[2], job->type[2], row);
        if (length < 0 || length > job->labels || steps < 0 || steps > job->steps)
            return row;
        for (int64_t k = 0; k < length; k++) {
            int64_t label = gt_integer(at[0], job->type[0], row * job->labels + k);
            if (label < 0 || label >= job->classes || label == job->blank)
                return row;
        }
    }
    return -1;
}

/* The first of elements [first, end) that is outside of [low, high]; -1: none. Blocks are looked through without leaving. */
#define GT_FIRST_OUTSIDE(name, type)                                                               \
    static int64_t first_outside_##name(const type *x, int64_t first, int64_t end, type low,       \
                                        type high)                                                 \
    {                                                                                              \
        for (int32_t bad = 0; end - first >= 256 && !bad; first += bad ? 0 : 256)                  \
            for (int i = 0; i < 256; i++)                                                          \
                bad |= (x[first + i] < low) | (x[first + i] > high);                               \
        for (; first < end; first++)                                                               \
            if (x[first] < low || x[first] > high)                                                 \
                return first;                                                                      \
        return -1;                                                                                 \
    }
GT_FIRST_OUTSIDE(f32, float)
GT_FIRST_OUTSIDE(f64, double)
GT_FIRST_OUTSIDE(i32, int32_t)

static int64_t check_indices(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_IndexCheck *job = given;
    (void)first, (void)last;
    if (job->type == GT_LOOP_I32 && job->least >= INT32_MIN && job->count <= INT32_MAX)
        return first_outside_i32(at[job->input], 0, job->size, (int32_t)job->least,
                                 (int32_t)job->count - 1);
    for (int64_t i = 0; i < job->size; i++) {
        int64_t index = gt_integer(at[job->input], job->type, i);
        if (index < job->least || index >= job->count)
            return i;
    }
    return -1;
}

/* Rows: does every label name a class, or is it the one that is ignored? */
static int64_t check_labels(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_LogitsJob *job = given;
    for (int64_t row = first; row < last; row++) {
        int64_t label = gt_integer(at[0], job->label_type, row);
        if ((label < 0 || label >= job->classes) && label != job->ignored)
            return row;
    }
    return -1;
}

static int64_t check_coordinates(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_PlacesOfJob *job = given;
    (void)first, (void)last;
    for (int64_t i = 0; i < job->n * job->k; i++) {
        int64_t index = gt_integer(at[job->input], job->type, i);
        int64_t length = job->dims[i % job->k];
        if (index < -length || index >= length)
            return i;
    }
    return -1;
}

static int64_t check_scores(const void *given, void *const *at, int64_t first, int64_t last)
{
    const gt_ScoresJob *job = given;
    int64_t begin = first * GT_TILE_ELEMENTS, end = last * GT_TILE_ELEMENTS;
    end = end < job->size ? end : job->size;
    return job->type == GT_LOOP_F32
               ? first_outside_f32(at[0], begin, end, (float)job->low, (float)job->high)
               : first_outside_f64(at[0], begin, end, job->low, job->high);
}
