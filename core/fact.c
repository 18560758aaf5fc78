/* Noting and comparing facts. The first answer counts; a subject is known by a number that no other
 * one ever has, so that it may go before the plan does. Leans on object.c and graph.c. */
#include "core/fact.h"
#include "core/trace.h"

#include <string.h>

struct gt_Fact {
    gt_Question *question; /* of a variable: NULL, whether it is trainable, or about_constraint */
    uint64_t identity;     /* of the object that is asked about; 0: the context, or a variable */
    gt_Object *object;     /* the same, as long as no such object was freed since */
    const gt_Slot *variable;
    uint64_t serial; /* of the variable */
    uint64_t answer;
    const void *memory; /* instead of an answer: the object's memory and what it held */
    void *copy;
    size_t bytes;
    bool decided; /* by the body: no fact */
};

/* Stands for "what does your memory hold". */
static uint64_t about_memory(const gt_Context *context, const gt_Object *object)
{
    (void)context, (void)object;
    return 0;
}

/* Stands for "which constraint do you have", of a variable. */
static uint64_t about_constraint(const gt_Context *context, const gt_Object *object)
{
    (void)context, (void)object;
    return 1;
}

static uint64_t key_of(const gt_Fact *fact)
{
    uintptr_t question = 0;
    memcpy(&question, &fact->question, sizeof fact->question);
    return question ^ fact->identity << 32 ^ gt_map_pointer(fact->variable);
}

static bool same_question(const gt_Fact *a, const gt_Fact *b)
{
    return a->question == b->question && a->identity == b->identity && a->variable == b->variable &&
           a->serial == b->serial;
}

/* Those of the function that is traced; NULL: none is. */
static gt_Facts *facts_of(const gt_Context *context)
{
    gt_Trace *trace = context->trace;
    while (trace && trace->outer)
        trace = trace->outer;
    return trace ? trace->facts : NULL;
}

static bool add_fact(gt_Context *context, gt_Facts *facts, gt_Fact fact)
{
    if (!gt_reserve(context, (void **)&facts->items, facts->count, &facts->capacity,
                    sizeof *facts->items) ||
        !gt_map_add(context, &facts->known, key_of(&fact), facts->count))
        return false;
    facts->items[facts->count++] = fact;
    return true;
}

static gt_Fact *find_fact(const gt_Facts *facts, const gt_Fact *like)
{
    int32_t at = -1, i;
    while ((i = gt_map_next(&facts->known, key_of(like), &at)) >= 0)
        if (same_question(&facts->items[i], like))
            return &facts->items[i];
    return NULL;
}

/* A fact about this object; false with an error raised if there can be none. */
static bool begin_fact(gt_Context *context, gt_Question *question, gt_Object *object, gt_Fact *fact)
{
    *fact = (gt_Fact){.question = question};
    if (!object)
        return true;
    if (object->context != context) {
        gt_raise(context, GT_STATE, NULL, NULL,
                 "this %s belongs to another context: a traced function cannot depend on what it "
                 "says",
                 object->kind->name);
        return false;
    }
    fact->identity = gt_object_identity(object);
    fact->object = object;
    return fact->identity != 0;
}

static gt_Fact about_variable(const gt_Variable *variable)
{
    const gt_Slot *slot = gt_slot_raw(variable);
    return (gt_Fact){.variable = slot, .serial = slot->variable->serial};
}

/* What the variable of a fact answers now. */
static uint64_t variable_answers(const gt_Fact *fact)
{
    const gt_VariableInfo *info = fact->variable->variable;
    return fact->question ? info->constraint_version : info->trainable;
}

static uint64_t ask_variable(gt_Context *context, gt_Facts *facts, gt_Fact fact)
{
    fact.answer = variable_answers(&fact);
    if (fact.variable->value->context != context)
        gt_foreign_variable(context, fact.variable);
    else if (!find_fact(facts, &fact))
        add_fact(context, facts, fact);
    return fact.answer;
}

uint64_t gt_ask(gt_Context *context, gt_Question *question, gt_Object *object)
{
    uint64_t answer = question(context, object);
    gt_Facts *facts = facts_of(context);
    gt_Fact fact;
    if (facts && begin_fact(context, question, object, &fact) && !find_fact(facts, &fact)) {
        fact.answer = answer;
        add_fact(context, facts, fact);
    }
    return answer;
}

bool gt_ask_trainable(gt_Context *context, const gt_Variable *variable)
{
    gt_Facts *facts = facts_of(context);
    return facts ? ask_variable(context, facts, about_variable(variable))
                 : gt_slot_raw(variable)->variable->trainable;
}

void gt_ask_constraint(gt_Context *context, const gt_Variable *variable)
{
    gt_Facts *facts = facts_of(context);
    gt_Fact fact = about_variable(variable);
    fact.question = about_constraint;
    if (facts)
        ask_variable(context, facts, fact);
}

void gt_ask_memory(gt_Context *context, gt_Object *object, const void *memory, size_t bytes)
{
    gt_Facts *facts = facts_of(context);
    gt_Fact fact;
    if (!facts || !begin_fact(context, about_memory, object, &fact) || find_fact(facts, &fact))
        return;
    fact.memory = memory;
    fact.bytes = bytes;
    fact.copy = gt_allocate(context, bytes);
    if (!fact.copy)
        return;
    memcpy(fact.copy, memory, bytes);
    if (!add_fact(context, facts, fact))
        gt_release(context, fact.copy, bytes);
}

/* An answer that was given before stays a fact. */
static void decide(gt_Context *context, gt_Facts *facts, gt_Fact fact)
{
    fact.decided = true;
    if (!find_fact(facts, &fact))
        add_fact(context, facts, fact);
}

void gt_decide(gt_Context *context, gt_Question *question, gt_Object *object)
{
    gt_Facts *facts = facts_of(context);
    gt_Fact fact;
    if (facts && begin_fact(context, question, object, &fact))
        decide(context, facts, fact);
}

void gt_decide_trainable(gt_Context *context, const gt_Variable *variable)
{
    gt_Facts *facts = facts_of(context);
    if (facts && gt_slot_raw(variable)->value->context == context)
        decide(context, facts, about_variable(variable));
}

void gt_decide_memory(gt_Context *context, gt_Object *object)
{
    gt_decide(context, about_memory, object);
}

/* ---- comparing ---- */

static bool lives(const gt_Fact *fact)
{
    if (fact->variable) /* slots stay where they are as long as the context does */
        return fact->variable->variable && fact->variable->variable->serial == fact->serial;
    return !fact->identity || fact->object;
}

/* Looks for the objects again if any was freed meanwhile. */
static void find_objects(const gt_Context *context, gt_Facts *facts)
{
    if (facts->freed == context->identified_freed)
        return;
    facts->freed = context->identified_freed;
    for (int32_t i = 0; i < facts->count; i++)
        if (facts->items[i].identity)
            facts->items[i].object = gt_object_find(context, facts->items[i].identity);
}

static bool holds(const gt_Context *context, const gt_Fact *fact)
{
    if (fact->decided)
        return true;
    if (!lives(fact))
        return false;
    if (fact->variable)
        return variable_answers(fact) == fact->answer;
    if (fact->memory)
        return memcmp(fact->memory, fact->copy, fact->bytes) == 0;
    return fact->question(context, fact->object) == fact->answer;
}

bool gt_facts_hold(const gt_Context *context, gt_Facts *facts)
{
    find_objects(context, facts);
    for (int32_t i = 0; i < facts->count; i++)
        if (!holds(context, &facts->items[i]))
            return false;
    return true;
}

bool gt_facts_live(const gt_Context *context, gt_Facts *facts)
{
    find_objects(context, facts);
    for (int32_t i = 0; i < facts->count; i++)
        if (!facts->items[i].decided && !lives(&facts->items[i]))
            return false;
    return true;
}

void gt_facts_again(gt_Context *context, gt_Facts *facts)
{
    gt_Facts old = *facts;
    *facts = (gt_Facts){0};
    for (int32_t i = 0; i < old.count; i++)
        if (old.items[i].decided)
            add_fact(context, facts, old.items[i]);
    gt_facts_close(context, &old);
}

void gt_facts_close(gt_Context *context, gt_Facts *facts)
{
    for (int32_t i = 0; i < facts->count; i++)
        gt_release(context, facts->items[i].copy, facts->items[i].bytes);
    gt_release(context, facts->items, (size_t)facts->capacity * sizeof *facts->items);
    gt_map_close(context, &facts->known);
    *facts = (gt_Facts){0};
}
