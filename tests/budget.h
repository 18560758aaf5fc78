/* An allocator with a budget: gives so many blocks and then none, no more bytes at a time than it
 * has, and counts what is held. For tests that let every allocation fail in turn, and for tests of
 * what a call may ask for. */
#ifndef GT_TESTS_BUDGET_H
#define GT_TESTS_BUDGET_H

#include <stdlib.h>

typedef struct Budget {
    long left, held;
    size_t bytes, peak; /* held now; the most so far */
    size_t most;        /* bytes that may be held at a time; 0: any number */
} Budget;

static void *budget_allocate(void *user, size_t size, size_t alignment)
{
    Budget *budget = user;
    void *memory = NULL;
    if (budget->left-- <= 0 || (budget->most && budget->bytes + size > budget->most) ||
        posix_memalign(&memory, alignment, size) != 0)
        return NULL;
    budget->held++;
    budget->bytes += size;
    budget->peak = budget->bytes > budget->peak ? budget->bytes : budget->peak;
    return memory;
}

static void budget_release(void *user, void *memory, size_t size)
{
    Budget *budget = user;
    budget->held--;
    budget->bytes -= size;
    free(memory);
}

#endif
