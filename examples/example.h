/* What the examples share: their command line, images of digits, and the figure at the end.
 *
 *     resnet             on the data in examples/data, run from the root of the sources
 *     resnet PATH        on data of one's own; each program says what it accepts
 *     resnet --small     a few epochs, as the tests run it
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <gradtape.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *data; /* NULL: what the program has by itself */
    bool small;
} Example;

static inline Example example_begin(int count, char **arguments)
{
    Example self = {NULL, false};
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--small") == 0) {
            self.small = true;
        } else if (arguments[i][0] != '-' && !self.data) {
            self.data = arguments[i];
        } else {
            fprintf(stderr, "usage: %s [PATH] [--small]\n", arguments[0]);
            exit(2);
        }
    }
    return self;
}

/* Prints the figure that the program is about, and what it has to be. The result of main. */
static inline int example_end(const char *what, double figure, double low, double high)
{
    bool failed = gt_status() != GT_OK; /* asked once, for all that came before */
    bool reached = !failed && figure >= low && figure <= high;
    if (failed)
        fprintf(stderr, "%s\n", gt_error_message());
    else
        printf("%s: %.4f, %s [%.4g, %.4g]\n", what, figure, reached ? "in" : "not in", low, high);
    gt_context_free(NULL);
    return !reached;
}

/* A text file as a string, which is freed with free. NULL with an error. */
static inline char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        long bytes = ftell(file);
        text = bytes >= 0 ? malloc((size_t)bytes + 1) : NULL;
        rewind(file);
        if (text)
            text[fread(text, 1, (size_t)bytes, file)] = 0;
        fclose(file);
    }
    if (!text)
        gt_fail(GT_IO, "cannot read %s", path);
    return text;
}

/* Images and labels of a folder of IDX files, compressed or not; `which` is "train" or "t10k". */
static inline gt_Dataset *read_idx(const char *folder, const char *which)
{
    for (int plain = 0; plain < 2; plain++) {
        char images[1024], labels[1024];
        snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte%s", folder, which,
                 plain ? "" : ".gz");
        snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte%s", folder, which,
                 plain ? "" : ".gz");
        gt_error_clear();
        gt_Dataset *dataset = gt_dataset_from_idx(images, labels, .batch_size = 64);
        if (dataset)
            return dataset;
    }
    return NULL;
}

/* Images to learn from and images to be tested on, with numbers from 0 to 1: those of a folder (MNIST and its kin), or
 * a fifth of the 1797 digits of examples/data for the test. Returns how long and how wide an image is. */
static inline int64_t read_images(const Example *example, gt_Dataset **train, gt_Dataset **test)
{
    if (example->data) {
        *train = read_idx(example->data, "train");
        *test = *train ? read_idx(example->data, "t10k") : NULL;
        return 28;
    }
    gt_Dataset *all = gt_dataset_from_csv("examples/data/digits.csv", .scale = 1.0 / 16);
    gt_dataset_split(all, 0.8, train, test, .seed = 1);
    gt_dataset_free(all);
    return 8;
}

/* Prints images with numbers from 0 to 1 side by side, in characters. */
static inline void print_images(gt_Tensor *images, int count, int64_t side)
{
    for (int64_t row = 0; images && row < side; row++) {
        for (int64_t i = 0; i < count * side; i++) {
            double grey = gt_element(images, (i / side * side + row) * side + i % side);
            printf("%c%s", " .:-=+*#%@"[(int)(9.99 * fmin(fmax(grey, 0), 1))],
                   i % side == side - 1 ? "  " : "");
        }
        printf("\n");
    }
}

#endif
