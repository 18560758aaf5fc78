/* An allocator with a budget: gives so many blocks and then none, and counts those that are held. For
 * tests that let every allocation fail in turn. */
#ifndef GT_TESTS_BUDGET_H
#define GT_TESTS_BUDGET_H

#include <stdlib.h>

typedef struct Budget {
    long left, held;
} Budget;

static void *budget_allocate(void *user, size_t size, size_t alignment)
{
    Budget *budget = user;
    void *memory = NULL;
    if (budget->left-- <= 0 || posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    budget->held++;
    return memory;
}

static void budget_release(void *user, void *memory, size_t size)
{
    Budget *budget = user;
    (void)size;
    budget->held--;
    free(memory);
}

#endif
