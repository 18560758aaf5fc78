/* Duplicates: the same operation on the same values with the same options is done once; the first one stands for the others.
 *
 *     a = exp(x);  b = exp(x);  c = a + 1;  d = b + 1        b is a, one 1 is the other, and so d is c
 *
 * In the order of the nodes, so that what reads duplicates is found too. It comes after the passes that make operations alike.
 * Operations that draw, change variables, run bodies or C functions of the user's are done as often as they are written. A
 * piece that is computed again to save memory (gt_recompute) is not merged with what it repeats, nor with anything else
 * outside of it. Leans on core/map.h. */
#include "plan/program.h"

#include <string.h>

#define SMALL 256 /* bytes of a constant that is compared with others */

static uint64_t mixed(uint64_t hash, uint64_t more)
{
    return (hash ^ more) * 0x9E3779B97F4A7C15u + (hash >> 29);
}

/* ---- constants ---- */

static uint64_t hash_of_constant(const gt_GraphValue *of)
{
    const unsigned char *bytes = gt_value_data(of->constant);
    uint64_t hash = mixed((uint64_t)of->spec.dtype, (uint64_t)of->spec.rank);
    const size_t size = gt_spec_bytes(&of->spec);
    for (size_t i = 0; i < size; i++)
        hash = mixed(hash, bytes[i]);
    return hash;
}

static bool are_equal(const gt_GraphValue *a, const gt_GraphValue *b)
{
    return gt_spec_equal(&a->spec, &b->spec) &&
           memcmp(gt_value_data(a->constant), gt_value_data(b->constant),
                  gt_spec_bytes(&a->spec)) == 0;
}

/* Small constants with the same bytes: each 2 of x * 2 and y * 2 is a tensor of its own. */
static gt_Status merge_constants(gt_Program *program)
{
    const gt_GraphValue *values = program->graph->values;
    gt_Map known = {0};
    for (int32_t i = 0; i < program->graph->value_count; i++) {
        if (values[i].kind != GT_GRAPH_CONSTANT || values[i].spec.size < 1 ||
            gt_spec_bytes(&values[i].spec) > SMALL)
            continue;
        uint64_t hash = hash_of_constant(&values[i]);
        int32_t at = -1, other;
        while ((other = gt_map_next(&known, hash, &at)) >= 0 &&
               !are_equal(&values[other], &values[i]))
            ;
        if (other >= 0)
            program->facts[i].same = other;
        else if (!gt_map_add(program->context, &known, hash, i))
            break;
    }
    gt_map_close(program->context, &known);
    return gt_context_status(program->context);
}

/* ---- operations ---- */

/* Equal options have equal hashes: of shapes and axes, whose ends may hold anything, only the length goes in. */
static uint64_t hash_of(const gt_Program *program, const gt_GraphNode *node)
{
    uint64_t hash = mixed((uintptr_t)node->operation, (uint64_t)node->piece);
    for (int32_t i = 0; i < node->inputs; i++)
        hash = mixed(hash, node->input[i] < 0 ? UINT64_MAX
                                              : (uint64_t)gt_value_same(program, node->input[i]));
    const gt_OptionType *type = node->operation->options;
    for (const gt_Field *field = type ? type->fields : NULL; field && field->name; field++) {
        const unsigned char *bytes = (const unsigned char *)node->options + field->offset;
        gt_Shape shape;
        if (field->size == sizeof(gt_Axes) && strcmp(field->type, "gt_Axes") == 0)
            continue;
        if (field->size == sizeof shape && strcmp(field->type, "gt_Shape") == 0) {
            memcpy(&shape, bytes, sizeof shape);
            for (int i = 0; i < shape.rank && i < GT_MAX_RANK; i++)
                hash = mixed(hash, (uint64_t)shape.dims[i]);
            continue;
        }
        for (size_t i = 0; i < field->size; i++)
            hash = mixed(hash, bytes[i]);
    }
    return hash;
}

static bool are_the_same(const gt_Program *program, const gt_GraphNode *a, const gt_GraphNode *b)
{
    if (a->operation != b->operation || a->piece != b->piece || a->inputs != b->inputs ||
        a->outputs != b->outputs)
        return false;
    for (int32_t i = 0; i < a->inputs; i++) {
        int32_t x = a->input[i], y = b->input[i];
        if ((x < 0) != (y < 0) ||
            (x >= 0 && gt_value_same(program, x) != gt_value_same(program, y)))
            return false;
    }
    return gt_options_equal(a->operation->options, a->options, b->options, true);
}

/* A node before this one that does the same; -1: there is none. */
static int32_t find(const gt_Program *program, const gt_Map *known, uint64_t hash,
                    const gt_GraphNode *node)
{
    int32_t at = -1, other;
    while ((other = gt_map_next(known, hash, &at)) >= 0)
        if (are_the_same(program, &program->graph->nodes[other], node))
            return other;
    return -1;
}

gt_Status gt_pass_duplicates(gt_Program *program)
{
    const gt_Graph *graph = program->graph;
    gt_Map known = {0};
    if (merge_constants(program) != GT_OK ||
        !gt_map_reserve(program->context, &known, graph->node_count))
        return gt_context_status(program->context);
    for (int32_t n = 0; n < graph->node_count; n++) {
        const gt_GraphNode *node = &graph->nodes[n];
        if (gt_node_is_gone(program, node) || !gt_node_is_pure(program, node))
            continue;
        uint64_t hash = hash_of(program, node);
        int32_t first = find(program, &known, hash, node);
        if (first < 0 && !gt_map_add(program->context, &known, hash, n))
            break;
        for (int32_t i = 0; first >= 0 && i < node->outputs; i++)
            program->facts[node->output[i]].same =
                gt_value_same(program, graph->nodes[first].output[i]);
    }
    gt_map_close(program->context, &known);
    return gt_context_status(program->context);
}
