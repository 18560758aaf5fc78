/* Columns of text: making, looking, rows, slices; what is no text; too little memory at each point. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <unistd.h>

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part), "\"%s\" lacks \"%s\"",
              gt_error_message(), part);
    gt_error_clear();
}

static void is(gt_Strings strings, int64_t index, const char *wanted)
{
    size_t length;
    const char *text = gt_strings_get(strings, index, &length);
    cr_assert(text && length == strlen(wanted) && memcmp(text, wanted, length) == 0, "string %d: %s", (int)index,
              gt_error_message());
}

Test(strings, made_and_read)
{
    gt_Strings colors = gt_strings("red", "green", "", "\xC3\xA9t\xC3\xA9");
    cr_assert(gt_strings_count(colors) == 4);
    is(colors, 0, "red");
    is(colors, 1, "green");
    is(colors, 2, "");
    is(colors, 3, "\xC3\xA9t\xC3\xA9");
    cr_assert(gt_shape_equal(gt_strings_shape(colors), gt_shape(4)));
    gt_Strings pairs = gt_strings_in_rows(colors, 2);
    cr_assert(gt_shape_equal(gt_strings_shape(pairs), gt_shape(2, 2)) && pairs.bytes == colors.bytes);
    cr_assert(gt_shape_equal(gt_strings_shape(gt_strings_in_rows(pairs, 0)), gt_shape(4)));
    is(gt_strings_slice(pairs, 1, 1), 0, "");
    is(gt_strings_slice(pairs, 1, 1), 1, "\xC3\xA9t\xC3\xA9");
    is(gt_strings_slice(colors, 1, 3), 0, "green");
    cr_assert(gt_strings_count(gt_strings_slice(colors, 4, 0)) == 0);
    gt_Strings none = gt_strings();
    cr_assert(none.bytes && gt_strings_count(none) == 0 && gt_strings_count(gt_strings_from(NULL, 0)) == 0);
    const char *items[] = {"a", "bc"};
    is(gt_strings_from(items, 2), 1, "bc");

    gt_Scope *scope = gt_scope_begin();
    gt_Strings kept = gt_strings_keep(gt_strings("kept")), lost = gt_strings("lost");
    gt_scope_end(scope);
    is(kept, 0, "kept");
    size_t length;
    cr_assert(!*gt_strings_get(lost, 0, &length) && length == 0);
    cr_assert(gt_status() != GT_OK);
    gt_error_clear();
    gt_context_free(NULL);
    assert_no_leaks();
}

/* The two buffers of an Arrow array, one that was sliced, with a zero inside. */
Test(strings, of_buffers)
{
    static const char bytes[] = "abred\0x";
    static const int64_t offsets[] = {2, 5, 5, 7};
    gt_Strings made = gt_strings_of(gt_from_buffer(bytes, gt_shape(7), GT_UINT8),
                                    gt_from_buffer(offsets, gt_shape(4), GT_INT64));
    is(made, 0, "red");
    is(made, 1, "");
    size_t length;
    cr_assert(memcmp(gt_strings_get(made, 2, &length), "\0x", 2) == 0 && length == 2);
    gt_Layer *lookup = gt_StringLookup();
    cr_assert(gt_adapt(lookup, NULL, .text = made) == GT_OK, "%s", gt_error_message());
    gt_Tensor *index = gt_call(lookup, NULL, .text = made);
    gt_Strings back = gt_lookup_text(lookup, index);
    cr_assert(memcmp(gt_strings_get(back, 2, &length), "\0x", 2) == 0 && length == 2);
    is(back, 0, "red");
    gt_context_free(NULL);
    assert_no_leaks();
}

static gt_Tensor *whole(int64_t a, int64_t b, int64_t c)
{
    const int64_t numbers[] = {a, b, c};
    return gt_from_data(numbers, gt_shape(3), GT_INT64);
}

Test(strings, wrong)
{
    size_t length;
    gt_Tensor *bytes = gt_strings("abc", "d").bytes;
    gt_Layer *lookup = gt_StringLookup(.vocabulary = gt_strings("a"));
    const gt_Tensor *offsets[] = {whole(0, 3, 5), whole(3, 1, 4), whole(-1, 2, 4), whole(0, INT64_MAX, 4),
                                  whole(INT64_MIN, 0, 1)};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        gt_Strings strings = {bytes, (gt_Tensor *)(uintptr_t)offsets[i], 0};
        cr_assert(!gt_call(lookup, NULL, .text = strings));
        fails(GT_INVALID, "must rise, from 0 on, and not exceed the 4 bytes");
        cr_assert(!gt_strings_slice(strings, 0, 1).bytes);
        fails(GT_INVALID, "must rise");
    }
    cr_assert(!*gt_strings_get(gt_strings_of(bytes, whole(0, 3, 5)), 1, &length) && length == 0);
    fails(GT_INVALID, "the offsets of string 1 leave the bytes");
    const gt_Strings wrong[] = {{bytes, NULL, 0},
                                {NULL, whole(0, 1, 2), 0},
                                {gt_zeros(gt_shape(4)), whole(0, 1, 2), 0},
                                {gt_zeros(gt_shape(2, 2), .dtype = GT_UINT8), whole(0, 1, 2), 0},
                                {bytes, gt_zeros(gt_shape(3)), 0},
                                {bytes, gt_zeros(gt_shape(0), .dtype = GT_INT64), 0},
                                {bytes, whole(0, 1, 2), -1},
                                {bytes, whole(0, 1, 2), 3}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert(!gt_call(lookup, NULL, .text = wrong[i]) && gt_status() == GT_INVALID, "%d", (int)i);
        gt_error_clear();
        cr_assert(gt_adapt(gt_StringLookup(), NULL, .text = wrong[i]) == GT_INVALID, "%d", (int)i);
        gt_error_clear();
    }
    gt_Strings good = gt_strings("a", "b", "c");
    cr_assert(!gt_strings_in_rows(good, 2).bytes);
    fails(GT_INVALID, "3 strings do not make rows of 2");
    cr_assert(!gt_strings_slice(good, 2, 2).bytes);
    fails(GT_INVALID, "out of range");
    cr_assert(!gt_strings_slice(good, -1, 1).bytes);
    fails(GT_INVALID, "out of range");
    cr_assert(!*gt_strings_get(good, 3, &length) && length == 0);
    fails(GT_INVALID, "index 3 is out of range: there are 3 strings");
    cr_assert(!*gt_strings_get(good, 0, NULL));
    fails(GT_INVALID, "NULL");
    cr_assert(!gt_strings("a", NULL).bytes);
    fails(GT_INVALID, "string 1 is NULL");
    cr_assert(!gt_strings_from(NULL, 3).bytes);
    fails(GT_INVALID, "array");
    cr_assert(gt_strings_count((gt_Strings)GT_NOT_GIVEN) == -1);
    fails(GT_INVALID, "not given");
    cr_assert(gt_strings_shape((gt_Strings)GT_NOT_GIVEN).rank == -1);
    fails(GT_INVALID, "not given");
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- memory ---- */

static int64_t allowed;

static void *grudging(void *user, size_t size, size_t alignment)
{
    (void)user;
    return allowed-- > 0 ? aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                         : NULL;
}

static void give_back(void *user, void *memory, size_t size)
{
    (void)user, (void)size;
    free(memory);
}

/* Learning, saving, loading: fails at allocation 0, 1, 2, ... and then goes well. */
static bool learns(const char *path)
{
    gt_Strings text = gt_strings("b a", "a", "c a b");
    gt_Layer *layer = gt_TextVectorization(.ngrams = 2, .output_mode = GT_OUTPUT_MODE_TF_IDF);
    gt_Layer *model = gt_Sequential(layer, gt_Dense(2));
    gt_adapt(layer, NULL, .text = text);
    gt_call(model, NULL, .text = text);
    gt_save_model(model, path);
    gt_Layer *again = gt_load_model(path);
    gt_Tensor *y = gt_call(again, NULL, .text = text);
    gt_layer_free(model);
    gt_layer_free(again);
    return y != NULL;
}

Test(strings, little_memory, .timeout = 300)
{
    static const char path[] = "/tmp/gradtape-test-strings.gradtape";
    const gt_Allocator allocator = {grudging, give_back, NULL};
    gt_Context *before = gt_context();
    bool done = false;
    int64_t n = 0;
    for (; !done; n++) {
        allowed = INT64_MAX;
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        allowed = n;
        done = learns(path);
        cr_assert(done == (gt_status() == GT_OK) && (done || gt_status() == GT_NO_MEMORY),
                  "allocation %d: %s", (int)n, gt_error_message());
        allowed = INT64_MAX;
        gt_error_clear();
        cr_assert(learns(path), "after allocation %d: %s", (int)n, gt_error_message());
        gt_context_use(before);
        gt_context_free(context);
    }
    cr_assert(n > 100);
    unlink(path);
    gt_context_free(NULL);
    assert_no_leaks();
}
