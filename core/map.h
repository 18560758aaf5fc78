/* A hash table from 64-bit keys to numbers, as a rule places in a list, or to objects: what would
 * otherwise be looked for element by element. All zero is an empty map. The same key may be there several times;
 * who looks compares with what the list has. Private. */
#ifndef GT_CORE_MAP_H
#define GT_CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/context.h"

typedef struct gt_MapEntry {
    uint64_t key;
    intptr_t item; /* a number from 0 on, or an address; plus 1; 0: free */
} gt_MapEntry;

typedef struct gt_Map {
    gt_MapEntry *entries;
    int32_t count, slots; /* slots: a power of two, or 0 */
} gt_Map;

/* Room for so many items in an empty map. False with an error raised if there is no memory; the map stays as it was. */
bool gt_map_reserve(gt_Context *context, gt_Map *map, int32_t count);
/* The same if there is none for one more. */
bool gt_map_add(gt_Context *context, gt_Map *map, uint64_t key, intptr_t item);
/* The place that a key asks for. Addresses are multiples of 64, so the bits are mixed first. */
static inline int32_t gt_map_home(const gt_Map *map, uint64_t key)
{
    key = (key ^ key >> 32) * 0x9E3779B97F4A7C15u;
    return (int32_t)(key >> 33) & (map->slots - 1);
}
/* The items of a key one after the other, in no particular order; -1 after the last. `at` is where
 * it is: -1 before the first call. An entry stands between the place that its key asks for and the
 * next free one, so a search ends at a free place. */
static inline int32_t gt_map_next(const gt_Map *map, uint64_t key, int32_t *at)
{
    if (!map->slots)
        return -1;
    int32_t mask = map->slots - 1, i = *at < 0 ? gt_map_home(map, key) : (*at + 1) & mask;
    for (; map->entries[i].item; i = (i + 1) & mask)
        if (map->entries[i].key == key) {
            *at = i;
            return (int32_t)(map->entries[i].item - 1);
        }
    return -1;
}
/* An item of the key; -1: it has none. */
static inline int32_t gt_map_find(const gt_Map *map, uint64_t key)
{
    int32_t at = -1;
    return gt_map_next(map, key, &at);
}
/* The same where items are addresses; NULL: it has none. */
void *gt_map_object(const gt_Map *map, uint64_t key);
/* Takes one such entry out, if there is one. */
void gt_map_remove(gt_Map *map, uint64_t key, intptr_t item);
void gt_map_close(gt_Context *context, gt_Map *map);

/* Keys: of an object, which is its address, and of a text, which others may share. */
static inline uint64_t gt_map_pointer(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}
uint64_t gt_map_text(const char *text, size_t length);

#endif
