/* Facts: what C code asked while a function was traced, and what it was told. A flag of a layer, say,
 * decides in C what is written down and is not in the graph. So whatever the library answers goes
 * through gt_ask or one of its kind, and a plan fits as long as every question has the same answer.
 *
 *     static uint64_t trainable(const gt_Context *context, const gt_Object *object)
 *     {
 *         return ((const gt_LayerState *)object)->trainable;
 *     }
 *     ... return gt_ask(context, trainable, &state->object);
 *
 * What the body itself decides before it asks is no fact: it says so with gt_decide. Private. */
#ifndef GT_CORE_FACT_H
#define GT_CORE_FACT_H

#include "core/inside.h"

/* Looks at a live object, or at the context if that is NULL, and changes nothing. */
typedef uint64_t gt_Question(const gt_Context *context, const gt_Object *object);

/* The answer. While a function is traced it becomes a fact, or an error is raised if that fails: for
 * want of memory, and for an object of another context, which may change at any time. */
uint64_t gt_ask(gt_Context *context, gt_Question *question, gt_Object *object);
/* The same: is the variable trainable? */
bool gt_ask_trainable(gt_Context *context, const gt_Variable *variable);
/* The same: which constraint does the variable have? */
void gt_ask_constraint(gt_Context *context, const gt_Variable *variable);
/* Memory of an object that C code read, as it is now: the struct of a layer. */
void gt_ask_memory(gt_Context *context, gt_Object *object, const void *memory, size_t bytes);

/* While a function is traced: the body sets the answer, and what it asks from here on is no fact. */
void gt_decide(gt_Context *context, gt_Question *question, gt_Object *object);
void gt_decide_trainable(gt_Context *context, const gt_Variable *variable);
void gt_decide_memory(gt_Context *context, gt_Object *object);

/* ---- for who traces ---- */

typedef struct gt_Fact gt_Fact;
typedef struct gt_Facts {
    gt_Fact *items;
    int32_t count, capacity;
    gt_Map known;   /* by question and subject */
    uint64_t freed; /* how many objects had been when they were last looked for */
} gt_Facts;

/* Forgets the answers, not what the body decided: for the trace after the first. */
void gt_facts_again(gt_Context *context, gt_Facts *facts);
/* Would every question be answered as it was? */
bool gt_facts_hold(const gt_Context *context, gt_Facts *facts);
/* Is everything still there that was asked about? If not, they will never hold again. */
bool gt_facts_live(const gt_Context *context, gt_Facts *facts);
void gt_facts_close(gt_Context *context, gt_Facts *facts);

#endif
