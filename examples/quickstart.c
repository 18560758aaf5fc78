/* A first model: handwritten digits, a small network, trained, saved and loaded again.
 *
 *     quickstart                  the digits of examples/data, run from the root of the sources
 *     quickstart --data PATH      a CSV file like it, or a folder of IDX files (MNIST)
 *     quickstart --fashion        Fashion-MNIST, from Debian's package dataset-fashion-mnist
 */
#include <stdio.h>
#include <string.h>

#include "gradtape.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

/* Images and labels of a folder of IDX files, compressed or not. */
static gt_Dataset *read_idx(const char *folder, const char *which)
{
    const char *endings[] = {".gz", ""};
    for (int i = 0; i < 2; i++) {
        char images[1024], labels[1024];
        snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte%s", folder, which, endings[i]);
        snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte%s", folder, which, endings[i]);
        gt_error_clear();
        gt_Dataset *dataset = gt_dataset_from_idx(images, labels, .batch_size = 64);
        if (dataset)
            return dataset;
    }
    return NULL;
}

static gt_Layer *make_model(int64_t width)
{
    return gt_Sequential(gt_Flatten(), gt_Dense(width, .activation = gt_relu), gt_Dropout(0.1),
                         gt_Dense(width / 2, .activation = gt_relu), gt_Dense(10));
}

static gt_Status compile(gt_Layer *model)
{
    return gt_compile(model, .optimizer = gt_Adam(1e-3),
                      .loss = gt_SparseCategoricalCrossentropy(.from_logits = true),
                      .metrics = gt_metrics(gt_Accuracy()));
}

static int run(const char *path)
{
    /* The data: a table is split here, IDX files come in two parts. */
    gt_Dataset *train = NULL, *test = NULL;
    bool table = strstr(path, ".csv") != NULL;
    if (table) {
        gt_Dataset *all = gt_dataset_from_csv(path, .scale = 1.0 / 16);
        gt_dataset_split(all, 0.8, &train, &test, .seed = 1);
    } else {
        train = read_idx(path, "train");
        test = train ? read_idx(path, "t10k") : NULL;
    }

    /* The model, trained. */
    gt_Layer *model = make_model(table ? 128 : 256);
    compile(model);
    printf("%lld rows to learn from, %lld to be tested on\n", (long long)gt_dataset_size(train),
           (long long)gt_dataset_size(test));
    gt_fit(model, train, .epochs = table ? 30 : 15, .validation = test);

    /* In a file, and as another model out of it. */
    const char *path_of_model = "quickstart.safetensors";
    gt_save_model(model, path_of_model);
    gt_Layer *copy = gt_load_model(path_of_model);
    compile(copy);

    gt_Scores scores = gt_evaluate(model, test), again = gt_evaluate(copy, test);
    if (gt_status() != GT_OK) { /* asked once, for all of the above */
        fprintf(stderr, "%s\n", gt_error_message());
        return 1;
    }
    printf("saved %lld parameters to %s; loaded again: %.2f %%\n", (long long)gt_count_params(copy),
           path_of_model, 100 * again.metrics[0]);
    printf("held-out accuracy: %.2f %%\n", 100 * scores.metrics[0]);
    return 0;
}

int main(int count, char **arguments)
{
    const char *path = "examples/data/digits.csv.gz";
    if (count == 3 && strcmp(arguments[1], "--data") == 0)
        path = arguments[2];
    else if (count == 2 && strcmp(arguments[1], "--fashion") == 0)
        path = FASHION;
    else if (count != 1) {
        fprintf(stderr, "usage: quickstart [--data FILE.csv | --data FOLDER | --fashion]\n");
        return 2;
    }
    int result = run(path);
    gt_context_free(NULL);
    return result;
}
