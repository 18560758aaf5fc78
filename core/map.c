/* Open addressing with linear probing, at most half full. Leans on memory.c. */
#include "core/map.h"
#include "core/structs.h"

static int32_t after(const gt_Map *map, int32_t at)
{
    return (at + 1) & (map->slots - 1);
}

static void put(gt_Map *map, gt_MapEntry entry)
{
    int32_t at = gt_map_home(map, entry.key);
    while (map->entries[at].item)
        at = after(map, at);
    map->entries[at] = entry;
}

static bool grow(gt_Context *context, gt_Map *map, int32_t slots)
{
    gt_Map grown = {.count = map->count, .slots = slots};
    if (map->slots > INT32_MAX / 4) {
        gt_raise(context, GT_NO_MEMORY, NULL, NULL, "out of memory: a list is full");
        return false;
    }
    grown.entries = gt_allocate_zeroed(context, (size_t)grown.slots * sizeof *grown.entries);
    if (!grown.entries)
        return false;
    for (int32_t i = 0; i < map->slots; i++)
        if (map->entries[i].item)
            put(&grown, map->entries[i]);
    gt_release(context, map->entries, (size_t)map->slots * sizeof *map->entries);
    *map = grown;
    return true;
}

bool gt_map_reserve(gt_Context *context, gt_Map *map, int32_t count)
{
    int32_t slots = 16;
    while (slots / 2 <= count && slots <= INT32_MAX / 4)
        slots *= 2;
    return grow(context, map, slots);
}

bool gt_map_add(gt_Context *context, gt_Map *map, uint64_t key, intptr_t item)
{
    if (map->count * 2 >= map->slots && !grow(context, map, map->slots ? map->slots * 2 : 16))
        return false;
    put(map, (gt_MapEntry){key, item + 1});
    map->count++;
    return true;
}

/* The next place behind `at` that holds the key; NULL: there is none. */
static const gt_MapEntry *next_entry(const gt_Map *map, uint64_t key, int32_t *at)
{
    if (!map->slots)
        return NULL;
    for (*at = *at < 0 ? gt_map_home(map, key) : after(map, *at); map->entries[*at].item;
         *at = after(map, *at))
        if (map->entries[*at].key == key)
            return &map->entries[*at];
    return NULL;
}

void *gt_map_object(const gt_Map *map, uint64_t key)
{
    int32_t at = -1;
    const gt_MapEntry *entry = next_entry(map, key, &at);
    return entry ? (void *)(entry->item - 1) : NULL; /* NOLINT: an address that was put in */
}

/* What stands behind the gap moves into it, unless it would then stand before its own home. */
static void close_gap(gt_Map *map, int32_t gap)
{
    for (int32_t at = after(map, gap); map->entries[at].item; at = after(map, at)) {
        int32_t mask = map->slots - 1;
        int32_t from_home = (at - gt_map_home(map, map->entries[at].key)) & mask;
        if (from_home < ((at - gap) & mask))
            continue;
        map->entries[gap] = map->entries[at];
        gap = at;
    }
    map->entries[gap].item = 0;
}

void gt_map_remove(gt_Map *map, uint64_t key, intptr_t item)
{
    int32_t at = -1;
    const gt_MapEntry *entry;
    while ((entry = next_entry(map, key, &at)) && entry->item - 1 != item)
        ;
    if (!entry)
        return;
    close_gap(map, at);
    map->count--;
}

void gt_map_close(gt_Context *context, gt_Map *map)
{
    gt_release(context, map->entries, (size_t)map->slots * sizeof *map->entries);
    *map = (gt_Map){0};
}

/* FNV-1a */
uint64_t gt_map_text(const char *text, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    return hash;
}
