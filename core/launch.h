/* What an operation lowers to: launches of kernels, their jobs, temporary memory, a check. All of it is data that
 * names no address, so that an eager call runs it at once and a plan keeps it. Private to the library. */
#ifndef GT_CORE_LAUNCH_H
#define GT_CORE_LAUNCH_H

#include "core/operation.h"
#include "kernels/kernels.h"

#define GT_MAX_LAUNCHES    4
#define GT_MAX_TEMPORARIES 3
#define GT_JOB_BYTES       2688

/* One kernel over its tiles. */
typedef struct gt_Launch {
    uint16_t kernel; /* a gt_TileKernelId */
    uint16_t alone;  /* not 0: its tiles run in order, on one worker */
    uint32_t job;    /* where its job begins among the lowering's bytes; a multiple of 16 */
    int64_t tiles;   /* 0: nothing to do */
    size_t scratch;  /* bytes of each worker */
    int64_t span;    /* tile t writes just the elements [t, t + 1) * span of output 0; 0: others */
} gt_Launch;

/* What `lower` fills in. `at` of every launch: inputs, outputs, temporaries. */
struct gt_Lowering {
    const gt_KernelTable *target; /* tile sizes and scratch of products differ by it */
    int32_t launches, temporaries;
    uint32_t job_bytes;
    gt_CheckKernelId check; /* runs first; GT_CHECK_none: the numbers cannot be wrong */
    uint32_t check_job;
    int64_t check_tiles;
    gt_Launch launch[GT_MAX_LAUNCHES];
    size_t temporary[GT_MAX_TEMPORARIES]; /* bytes that live from the first launch to the last */
    _Alignas(16) unsigned char job[GT_JOB_BYTES];
};

/* Adds a launch of `tiles` tiles, and returns its job of `bytes` bytes, all of which are to be filled in (a
 * plan keeps them; nothing is cleared). */
void *gt_lower_launch(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles, size_t bytes);
/* Adds a launch with the job of the one that was added last. */
void gt_lower_again(gt_Lowering *lowering, gt_TileKernelId kernel, int64_t tiles);
/* The same for the check; at most one. */
void *gt_lower_check(gt_Lowering *lowering, gt_CheckKernelId check, int64_t tiles, size_t bytes);
/* Each tile of the launch that was added last writes just `span` elements of output 0, one stretch after the other. */
void gt_lower_span(gt_Lowering *lowering, int64_t span);
/* Scratch memory for every worker of the launch that was added last. */
void gt_lower_scratch(gt_Lowering *lowering, size_t bytes);
/* Adds temporary memory; returns its place in `at`. */
int32_t gt_lower_temporary(gt_Lowering *lowering, const gt_ShapeRule *rule, size_t bytes);

/* Lowers a call for a target: shapes are checked, and in rule->output. Without elements there are no launches. */
void gt_lower(const gt_ShapeRule *rule, const gt_KernelTable *target, gt_Lowering *lowering);
/* The largest scratch memory of its launches. */
size_t gt_lowering_scratch(const gt_Lowering *lowering);

gt_CheckKernel *gt_check_kernel(gt_CheckKernelId check);
/* Runs the check over its tiles, then the launches one after the other; scratch and temporaries are there. A bad
 * element is reported by the operation's `complain`. */
gt_Status gt_launch_check(gt_Context *context, const gt_ShapeRule *rule,
                          const gt_Lowering *lowering, void *const *at);
gt_Status gt_launch_tiles(gt_Context *context, const gt_Launch *launch, const void *job,
                          void *const *at);
/* `run` over so many tiles, as if it were a kernel: `at` is NULL. `alone`: on this thread. */
gt_Status gt_launch_function(gt_Context *context, gt_TileKernel *run, const void *job,
                             int64_t tiles, bool alone);
/* Several launches at once, none of which writes what another one reads or writes: the threads share all of their tiles. */
typedef struct gt_WaveLaunch {
    const gt_Launch *launch;
    const void *job;
    void *const *at;
} gt_WaveLaunch;
gt_Status gt_launch_wave(gt_Context *context, const gt_WaveLaunch *launches, int32_t count);
/* Has the context more than one thread? */
bool gt_launches_are_shared(const gt_Context *context);

#endif
