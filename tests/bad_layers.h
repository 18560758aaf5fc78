/* What programs share that give bad input to every layer of the table: a walk over the samples, each in a context of its own
 * that has little memory, and what may be wrong with what comes back. Faults are told, and counted at the end. */
#ifndef GT_TESTS_BAD_LAYERS_H
#define GT_TESTS_BAD_LAYERS_H

#include <criterion/criterion.h>

#include "gradtape.h"

#include "budget.h"
#include "layer_uses.h"
#include "leaks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LAYER_MEMORY = 1 << 26 };

static int faults, tried, worked;

/* What is wrong, for one sample; the walk goes on. Told once for a class. */
#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static inline void
fault(const Use *use, const char *format, ...)
{
    static char told[200][300];
    char text[sizeof *told];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (int i = 0; i < faults && i < 200; i++)
        if (strcmp(told[i], text) == 0)
            return;
    if (faults < 200) {
        strcpy(told[faults], text);
        fprintf(stderr, "%s, sample %d: %s\n", use->type->name, use->number, text);
    }
    faults++;
}

/* Calls `body` for every sample, in a context of its own that has little memory. */
static inline void every_sample(void (*body)(const Use *use))
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    faults = tried = worked = 0;
    for (int k = 0; k < count; k++)
        for (int n = 0; table[k]->samples[n].inputs; n++) {
            const Use use = {table[k], &table[k]->samples[n], n, GT_FLOAT32};
            Budget budget = {.left = INT32_MAX, .most = LAYER_MEMORY};
            const gt_Allocator allocator = {budget_allocate, budget_release, &budget};
            gt_Context *context = gt_context_create(.allocator = &allocator),
                       *before = gt_context_use(context);
            body(&use);
            gt_context_use(before);
            gt_context_free(context);
            if (budget.held != 0)
                fault(&use, "%ld blocks are lost", budget.held);
        }
    fprintf(stderr, "%d tried, %d worked\n", tried, worked);
    cr_assert(faults == 0, "%d faults, see above", faults);
    cr_assert(tried > 0);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The names that an error may give a layer: of its function and of its class, also as paths have it, and of the call. */
static inline bool names_layer(const Use *use, const char *message)
{
    return strstr(message, use->type->name) || strstr(message, "call: ") ||
           strstr(message, "layer_copy: ") ||
           (use->type->function && strstr(message, use->type->function));
}

/* A result and no error, or an error with words; clears it. What happened counts, and is named by `what`. */
static inline bool settled(const Use *use, const char *what, bool result)
{
    gt_Status status = gt_status();
    const char *message = gt_error_message();
    tried++;
    worked += result;
    if (result && status != GT_OK)
        fault(use, "%s: a result with an error: %s", what, message);
    if (!result && status == GT_OK)
        fault(use, "%s: no result and no error", what);
    if (!result && status != GT_OK && !names_layer(use, message))
        fault(use, "%s: the error does not name the layer: %s", what, message);
    if (status == GT_NO_MEMORY && strstr(message, "-"))
        fault(use, "%s: a negative size: %s", what, message);
    gt_error_clear();
    return result;
}

/* A layer that is good still works. */
static inline void works(const Use *use, gt_Layer *layer, const char *what)
{
    const UseInputs in = use_inputs(use);
    gt_Tensor *outputs[USE_OUTPUTS], *y = use_call(use, layer, &in, false, outputs);
    if (!y || !gt_shape_equal(gt_tensor_shape(y), use->sample->output))
        fault(use, "%s: the layer does not work afterwards: %s", what, gt_error_message());
    gt_error_clear();
}

#endif
