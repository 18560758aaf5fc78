/* Every function that gives text gives "" after an error, so that printing it is no crash: printf's "%s" of NULL is undefined,
 * and compilers make puts of it. The headers are read, so that a function that is added is asked too. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

typedef const char *Ask(void);

/* clang-format off */
static const char *class_name(void) { return gt_class_name(NULL, 0); }
static const char *column_name(void) { return gt_dataset_column_name(NULL, 0); }
static const char *category_name(void) { return gt_dataset_category_name(NULL, 0, 0); }
static const char *dataset_class_name(void) { return gt_dataset_class_name(NULL, 0); }
static const char *text_name(void) { return gt_dataset_text_name(NULL, 0); }
static const char *explanation(void) { return gt_explain_gradient(NULL, NULL, NULL); }
static const char *plan(void) { return gt_function_print(NULL); }
static const char *csv(void) { return gt_history_csv(NULL); }
static const char *json(void) { return gt_history_json(NULL); }
static const char *history_name(void) { return gt_history_name(NULL, 0); }
static const char *layer_name(void) { return gt_layer_name(NULL); }
static const char *layer_json(void) { return gt_layer_to_json(NULL); }
static const char *live(void) { return gt_live_curve_text(NULL); }
static const char *logged_name(void) { return gt_logged_name(NULL, 0); }
static const char *metric_name(void) { return gt_metric_name(NULL); }
static const char *npz_name(void) { return gt_npz_name("no such file", 0); }
static const char *optimizer_name(void) { return gt_optimizer_name(NULL); }
static const char *picture(void) { return gt_picture_text(NULL); }
static const char *solution(void) { return gt_solution_text(NULL); }
static const char *string(void) { size_t size; return gt_strings_get((gt_Strings){0}, 0, &size); }
static const char *summary(void) { return gt_summary(NULL); }
static const char *file_name(void) { return gt_tensor_file_name(NULL, 0); }
static const char *variable_name(void) { return gt_variable_name(NULL); }
static const char *variable_path(void) { return gt_variable_path(NULL, NULL); }
/* clang-format on */

static const struct {
    const char *name;
    Ask *ask; /* NULL: NULL says that there is none, which is no error */
} functions[] = {
    {"gt_class_name", class_name},
    {"gt_dataset_category_name", category_name},
    {"gt_dataset_class_name", dataset_class_name},
    {"gt_dataset_column_name", column_name},
    {"gt_dataset_text_name", text_name},
    {"gt_explain_gradient", explanation},
    {"gt_function_print", plan},
    {"gt_history_csv", csv},
    {"gt_history_json", json},
    {"gt_history_name", history_name},
    {"gt_layer_name", layer_name},
    {"gt_layer_to_json", layer_json},
    {"gt_live_curve_text", live},
    {"gt_logged_name", logged_name},
    {"gt_metric_name", metric_name},
    {"gt_npz_name", npz_name},
    {"gt_optimizer_name", optimizer_name},
    {"gt_picture_text", picture},
    {"gt_solution_text", solution},
    {"gt_strings_get", string},
    {"gt_summary", summary},
    {"gt_tensor_file_metadata", NULL},
    {"gt_tensor_file_name", file_name},
    {"gt_variable_name", variable_name},
    {"gt_variable_path", variable_path},
};

enum { COUNT = sizeof functions / sizeof functions[0] };

/* An explanation is the message itself. */
static void printable(const char *name, const char *text, bool message)
{
    cr_assert(text && (message || !*text), "%s: %s", name, text ? text : "NULL");
    printf("%s\n", text);
}

Test(texts, after_an_error)
{
    for (int i = 0; i < COUNT; i++)
        if (functions[i].ask) {
            const bool message = functions[i].ask == explanation;
            printable(functions[i].name, functions[i].ask(), message); /* the error is its own */
            cr_assert(gt_status() != GT_OK, "%s has no error", functions[i].name);
            printable(functions[i].name, functions[i].ask(), message); /* it was there before */
            gt_error_clear();
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

/* Functions with a call site in the headers of a pattern that give text; each must be above. */
static int look_into(const char *pattern)
{
    char line[512];
    glob_t headers;
    int found = 0;
    cr_assert_eq(glob(pattern, 0, NULL, &headers), 0, "%s", pattern);
    for (size_t h = 0; h < headers.gl_pathc; h++) {
        FILE *file = fopen(headers.gl_pathv[h], "r");
        while (file && fgets(line, sizeof line, file)) {
            char name[100];
            if (sscanf(line, "GT_API const char *%99[a-z_](const char *here", name) != 1 || !strstr(name, "_at"))
                continue;
            int i = 0;
            while (i < COUNT && (strncmp(name, functions[i].name, strlen(functions[i].name)) != 0 ||
                                 strcmp(name + strlen(functions[i].name), "_at") != 0))
                i++;
            cr_assert(i < COUNT, "%s: %s is not in the table above", headers.gl_pathv[h], name);
            found++;
        }
        cr_assert(file, "%s", headers.gl_pathv[h]);
        fclose(file);
    }
    globfree(&headers);
    return found;
}

Test(texts, all_of_the_headers)
{
    const char *source = getenv("GT_TEST_SOURCE");
    cr_assert(source, "GT_TEST_SOURCE names the folder of the sources");
    char one[512], two[512];
    snprintf(one, sizeof one, "%s/*/*.h", source);
    snprintf(two, sizeof two, "%s/*/*/*.h", source);
    int found = look_into(one) + look_into(two);
    cr_assert(found == COUNT, "%d functions are in the headers, %d in the table", found, (int)COUNT);
}
