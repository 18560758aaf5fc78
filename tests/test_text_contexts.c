/* A model that begins with text serves threads with contexts of their own; another context does not change its vocabulary. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <pthread.h>
#include <stdio.h>

enum { ROWS = 4, TIMES = 20 };

static const char *const colors[ROWS] = {"red", "blue", "never seen", "white"};
static const char *const titles[ROWS] = {"red wine", "the wine, the red wine", "", "a white wine"};

typedef struct Server {
    gt_Layer *model;
    float answer[ROWS][2];
    char error[200];
} Server;

static void *serve(void *argument)
{
    Server *server = argument;
    const int64_t numbers[ROWS] = {7, 8, INT64_MAX, -1};
    for (int i = 0; i < TIMES && !server->error[0]; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *y =
            gt_call(server->model, NULL, .text = gt_strings_from(titles, ROWS),
                    .named = gt_named({"number", gt_from_data(numbers, gt_shape(ROWS), GT_INT64)}),
                    .named_text = gt_named_text({"color", gt_strings_from(colors, ROWS)}));
        if (y)
            memcpy(server->answer, gt_float32_data(y), sizeof server->answer);
        else
            snprintf(server->error, sizeof server->error, "%s", gt_error_message());
        gt_scope_end(scope);
    }
    return NULL;
}

static gt_Layer *make_model(gt_Layer **lookup)
{
    gt_Tensor *title = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "title");
    gt_Tensor *color = gt_Input(gt_shape(), .dtype = GT_TEXT, .name = "color");
    gt_Tensor *number = gt_Input(gt_shape(), .dtype = GT_INT64, .name = "number");
    const int64_t known[] = {7, INT64_MAX};
    *lookup = gt_StringLookup(.output_mode = GT_OUTPUT_MODE_ONE_HOT, .num_oov_indices = 3);
    gt_adapt(*lookup, NULL, .text = gt_strings("red", "blue", "white"));
    gt_Layer *bag = gt_TextVectorization(.output_mode = GT_OUTPUT_MODE_TF_IDF);
    gt_adapt(bag, NULL, .text = gt_strings_from(titles, ROWS));
    gt_Layer *integers = gt_IntegerLookup(.vocabulary = gt_from_data(known, gt_shape(2), GT_INT64),
                                          .output_mode = GT_OUTPUT_MODE_ONE_HOT);
    gt_Layer *cross = gt_HashedCrossing(5, .output_mode = GT_OUTPUT_MODE_ONE_HOT);
    gt_Tensor *all = gt_concatenate(
        gt_tensors(gt_call(bag, title), gt_call(*lookup, color), gt_call(integers, number),
                   gt_call(cross, color, .named = gt_named({"x2", number}))),
        .axis = -1);
    return gt_Model(gt_tensors(title, color, number), gt_tensors(gt_call(gt_Dense(2), all)));
}

Test(text_contexts, several_threads)
{
    static Server server[3];
    gt_Layer *lookup, *model = make_model(&lookup);
    pthread_t thread[2];
    for (int i = 0; i < 3; i++)
        server[i].model = model;
    serve(&server[2]); /* its weights get numbers */
    cr_assert(!server[2].error[0], "%s", server[2].error);
    for (int i = 0; i < 2; i++)
        cr_assert(pthread_create(&thread[i], NULL, serve, &server[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert(!server[i].error[0], "%s", server[i].error);
        cr_assert(memcmp(server[i].answer, server[2].answer, sizeof server[i].answer) == 0,
                  "thread %d", i);
    }
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}

static void fails(gt_Status status, const char *part)
{
    cr_assert(gt_status() == status && strstr(gt_error_message(), part), "\"%s\" lacks \"%s\"",
              gt_error_message(), part);
    gt_error_clear();
}

Test(text_contexts, another_one_reads)
{
    gt_Layer *lookup, *model = make_model(&lookup), *fresh = gt_StringLookup();
    gt_Strings words = gt_strings("a", "b");
    gt_Context *home = gt_context(), *other = gt_context_create();
    gt_call(lookup, NULL, .text = words);
    gt_context_use(other);
    size_t length;
    gt_Strings known = gt_get_vocabulary(lookup);
    cr_assert(gt_vocabulary_size(lookup) == 6 && gt_strings_get(known, 5, &length)[0] == 'b', "%s",
              gt_error_message());
    gt_Tensor *index = gt_argmax(gt_call(lookup, NULL, .text = known), .axis = -1);
    for (int i = 3; i < 6; i++)
        cr_assert(gt_element(index, i) == i, "%s", gt_error_message());
    cr_assert(gt_set_vocabulary(lookup, gt_strings("x", "y", "z")) == GT_STATE);
    fails(GT_STATE, "belongs to another context");
    cr_assert(gt_adapt(fresh, NULL, .text = gt_strings("x")) == GT_STATE);
    fails(GT_STATE, "belongs to another context");
    cr_assert(!gt_call(lookup, NULL, .text = words));
    fails(GT_STATE, "another context");
    cr_assert(gt_strings_count(words) == -1);
    fails(GT_STATE, "another context");
    gt_context_use(home);
    gt_context_free(other);
    cr_assert(gt_strings_get(gt_get_vocabulary(lookup), 3, &length)[0] == 'w', "%s",
              gt_error_message());
    gt_layer_free(fresh);
    gt_layer_free(model);
    gt_context_free(NULL);
    assert_no_leaks();
}
