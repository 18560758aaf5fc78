/* What the lessons share: calling a layer 10,000 times and showing that nothing grows. */
#ifndef REPEAT_H
#define REPEAT_H

#include <gradtape.h>

#include <stdio.h>

static inline int fail(void)
{
    fprintf(stderr, "%s\n", gt_error_message());
    return 1;
}

/* Each call in a scope of its own: its tensors are gone when the scope ends. */
static inline int call_often(gt_Layer *layer, gt_Tensor *x, int times)
{
    gt_MemoryStats before = {0};
    for (int i = 0; i < times; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_call(layer, x);
        gt_scope_end(scope);
        if (gt_status() != GT_OK)
            return fail();
        if (i == 0)
            before = gt_memory_stats();
    }
    gt_MemoryStats after = gt_memory_stats();
    printf("%d calls: variables %lld -> %lld, bytes in use %lld -> %lld, "
           "bytes from the system %lld -> %lld\n",
           times, (long long)before.variables, (long long)after.variables,
           (long long)before.bytes_in_use, (long long)after.bytes_in_use,
           (long long)before.bytes_reserved, (long long)after.bytes_reserved);
    return before.variables == after.variables && before.bytes_in_use == after.bytes_in_use &&
                   before.bytes_reserved == after.bytes_reserved
               ? 0
               : 1;
}

static inline void print_variables(gt_Layer *layer)
{
    gt_Tensors variables = gt_variables(layer);
    for (int i = 0; i < variables.count; i++) {
        char shape[64];
        printf("  %-16s %s\n", gt_variable_path(layer, variables.items[i]),
               gt_shape_text(gt_tensor_shape(variables.items[i]), shape, sizeof shape));
    }
}

static inline void print_shapes(gt_Tensor *x, gt_Tensor *y)
{
    char from[64], to[64];
    printf("input %s gives output %s\n", gt_shape_text(gt_tensor_shape(x), from, sizeof from),
           gt_shape_text(gt_tensor_shape(y), to, sizeof to));
}

#endif
