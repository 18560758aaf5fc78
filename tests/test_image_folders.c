/* Pictures in folders: what Keras makes of the same files (tests/oracle/make_image_folders.py), every mode of labels, bad files, and the
 * thread that reads ahead. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "data_files.h"
#include "io/image.h"
#include "oracle/image_folders.inc"

#if defined(GT_HAVE_PNG) && defined(GT_HAVE_JPEG)
static const char *pictures(void)
{
    static char path[512];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/image_folders", source ? source : ".");
    return path;
}

/* Rows 0, 1, 4 and 5: two PNGs, which must be right, two JPEGs, which decoders round differently. */
static void as_keras(gt_Dataset *data, int64_t size, double tolerance, const float *numbers)
{
    gt_Batch batch;
    cr_assert(data && gt_dataset_next(data, &batch), "%s", gt_error_message());
    cr_assert_eq(batch.size, 6);
    static const int rows[] = {0, 1, 4, 5};
    for (int i = 0; i < 4; i++) {
        double most = 0;
        for (int64_t k = 0; k < size; k++)
            most = fmax(most, fabs(gt_element(batch.x, rows[i] * size + k) -
                                   (double)numbers[i * size + k]));
        cr_assert(most <= (i < 2 ? tolerance : 10), "row %d differs by %g", rows[i], most);
    }
    static const double labels[] = {0, 0, 1, 1, 1, 1};
    for (int i = 0; i < 6; i++)
        cr_assert_eq(gt_element(batch.y, i), labels[i]);
    gt_dataset_free(data);
}
#define NAMES .class_names = gt_names("cats", "dogs"), .shuffle = false

Test(image_folders, keras)
{
    as_keras(gt_image_dataset_from_directory(pictures(), NAMES, .height = 5, .width = 7), 5 * 7 * 3,
             2e-3, folders_stretched[0]);
    as_keras(gt_image_dataset_from_directory(pictures(), NAMES, .height = 13, .width = 20,
                                             .color_mode = GT_COLOR_MODE_GRAYSCALE),
             13 * 20, 1.5,
             folders_larger[0]); /* libpng, which TensorFlow asks for grey, rounds it down */
    as_keras(gt_image_dataset_from_directory(pictures(), NAMES, .height = 6, .width = 4,
                                             .crop_to_aspect_ratio = true),
             6 * 4 * 3, 2e-3, folders_cropped[0]);

    as_keras(gt_image_dataset_from_directory(pictures(), NAMES, .height = 3, .width = 8,
                                             .crop_to_aspect_ratio = true),
             3 * 8 * 3, 2e-3, folders_flat[0]);

    gt_Batch batch;
    gt_Dataset *data = gt_image_dataset_from_directory(
        pictures(), NAMES, .height = 2, .width = 2, .scale = 1.0 / 255,
        .label_mode = GT_LABEL_MODE_CATEGORICAL, .color_mode = GT_COLOR_MODE_RGBA);
    ok();
    cr_assert(gt_dataset_class_count(data) == 2 &&
              strcmp(gt_dataset_class_name(data, 1), "dogs") == 0);
    cr_assert(gt_dataset_next(data, &batch) && gt_rank(batch.y) == 2 &&
              gt_element(batch.y, 3) == 0 && gt_element(batch.y, 5) == 1);
    cr_assert(gt_element(batch.x, 3) == 1 && gt_element(batch.x, 2 * 16 + 3) < 1, "alpha");
    gt_dataset_free(data);
    data = gt_image_dataset_from_directory(pictures(), NAMES, .height = 2, .width = 2,
                                           .label_mode = GT_LABEL_MODE_BINARY);
    cr_assert(gt_dataset_next(data, &batch) && gt_rank(batch.y) == 2 &&
              gt_element(batch.y, 5) == 1);
    gt_dataset_free(data);

    /* the same picture as PPM, PGM and PNG */
    gt_Image a, b;
    char path[600], said[GT_IMAGE_MESSAGE];
    static const char *const twins[][2] = {{"cats/a_rgb.png", "other/same.ppm"},
                                           {"cats/b_grey.png", "other/same.pgm"}};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", pictures(), twins[i][0]);
        cr_assert(gt_image_read(path, 3, 1 << 20, &a, said), "%s", said);
        snprintf(path, sizeof path, "%s/%s", pictures(), twins[i][1]);
        cr_assert(gt_image_read(path, 3, 1 << 20, &b, said), "%s", said);
        cr_assert(a.height == 11 && a.width == 17 && b.height == 11 &&
                  memcmp(a.pixels, b.pixels, 11 * 17 * 3) == 0);
        gt_image_free(&a), gt_image_free(&b);
    }
    snprintf(path, sizeof path, "%s/other/cmyk.jpg", pictures());
    cr_assert(!gt_image_read(path, 3, 1 << 20, &a, said) && strstr(said, "for print (CMYK)"), "%s",
              said);
    /* cut short, or with another byte: refused with the path, or read */
    static const char *const files[] = {"cats/a_rgb.png", "dogs/e.jpg", "other/same.ppm"};
    static char bytes[8192];
    open_folder();
    for (int f = 0; f < 3; f++) {
        snprintf(path, sizeof path, "%s/%s", pictures(), files[f]);
        FILE *file = fopen(path, "rb");
        cr_assert(file != NULL);
        size_t n = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t i = 0; i < n; i++) {
            bool good = gt_image_read(put_file("cut", bytes, i), 3, 1 << 20, &a, said);
            cr_assert(good ? i + 12 >= n : strstr(said, files_path) != NULL,
                      "%s, cut at %zu of %zu: %s", files[f], i, n, said);
            gt_image_free(&a);
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            good = gt_image_read(put_file("changed", bytes, n), 3, 1 << 20, &a, said);
            cr_assert(good || strstr(said, files_path), "%s", said);
            gt_image_free(&a);
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        }
    }
    close_folder();
}
#endif

/* ---- folders of PGM files, which need no library ---- */

static const char *put_pgm(const char *name, int grey)
{
    char text[64];
    int n = snprintf(text, sizeof text, "P5\n# grey\n2 2\n255\n%c%c%c%c", grey, grey, grey, grey);
    return put_file(name, text, (size_t)n);
}

/* Two classes: 0 to 9 and 100 to 104. */
static void put_folders(void)
{
    open_folder();
    mkdir(in_folder("a"), 0700), mkdir(in_folder("b"), 0700), mkdir(in_folder("b/deep"), 0700);
    for (int i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "a/%d.pgm", i);
        put_pgm(name, i);
        snprintf(name, sizeof name, "b/%s%d.PGM", i > 2 ? "deep/" : "", i);
        if (i < 5)
            put_pgm(name, 100 + i);
    }
    put_text("a/notes.txt", "no picture");
    put_text("a/.hidden.pgm", "neither");
}

#define SMALL .height = 1, .width = 1, .color_mode = GT_COLOR_MODE_GRAYSCALE

Test(image_folders, folders, .init = put_folders, .fini = close_folder)
{
    gt_Batch batch;
    gt_Dataset *data = gt_image_dataset_from_directory(files_folder, SMALL, .shuffle = false);
    ok();
    cr_assert(gt_dataset_size(data) == 15 && gt_dataset_class_count(data) == 2);
    gt_Spec x = gt_dataset_x(data), y = gt_dataset_y(data);
    cr_assert(x.rank == 4 && x.dims[3] == 1 && y.dtype == GT_INT32 && y.rank == 1);
    cr_assert(gt_dataset_next(data, &batch));
    for (int i = 0; i < 15; i++)
        cr_assert(gt_element(batch.x, i) == (i < 10 ? i : 90 + i) &&
                      gt_element(batch.y, i) == (i >= 10),
                  "row %d is %g", i, gt_element(batch.x, i));
    gt_dataset_free(data);
    data = gt_image_dataset_from_directory(files_folder, SMALL, .label_mode = GT_LABEL_MODE_NONE);
    cr_assert(gt_dataset_size(data) == 15 && gt_dataset_y_count(data) == 0, "%s",
              gt_error_message());
    gt_dataset_free(data);

    put_text("b/bad.pgm", "P5\n2 2\n255\nab");
    data = gt_image_dataset_from_directory(files_folder, SMALL, .shuffle = false, .batch_size = 5);
    cr_assert(gt_dataset_next(data, &batch) && gt_dataset_next(data, &batch));
    refused(gt_dataset_next(data, &batch), GT_IO, "b/bad.pgm: is cut short");
    cr_assert_eq(gt_dataset_position(data).row, 10);
    gt_dataset_free(data);
    static const struct {
        const char *text, *reason;
    } bad[] = {{"", "is empty"},
               {"P7 what", "is not a PNG, JPEG, PPM or PGM picture"},
               {"P5\n0 2\n255\n", "has no pixels"},
               {"P5\n2 2\n70000\nabcd", "its header is damaged"},
               {"P5\nx 2\n255\nabcd", "its header is damaged"},
               {"P5 99999 99999 255\nabc", "is larger than the limit; .limit allows more"},
               {"P5 2 2", "its header is damaged"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gt_Image image;
        char said[GT_IMAGE_MESSAGE];
        cr_assert(!gt_image_read(put_text("bad.pgm", bad[i].text), 1, 1 << 20, &image, said) &&
                      strstr(said, bad[i].reason),
                  "%s", said);
    }
#ifndef GT_HAVE_PNG
    char said[GT_IMAGE_MESSAGE];
    gt_Image image;
    cr_assert(!gt_image_read(put_text("a.png", "\x89PNG\r\n\x1a\n"), 1, 1 << 20, &image, said) &&
                  strstr(said, "no libpng"),
              "%s", said);
#endif
    refused(gt_image_dataset_from_directory(in_folder("nothing"), SMALL), GT_IO,
            "cannot be opened as a folder: No such file");
    refused(gt_image_dataset_from_directory(in_folder("a"), SMALL), GT_INVALID, "has no pictures");
    refused(gt_image_dataset_from_directory(NULL), GT_INVALID, "NULL");
    refused(gt_image_dataset_from_directory(files_folder, .height = 0), GT_INVALID,
            "height and width must be 1 to 65536");
    refused(gt_image_dataset_from_directory(files_folder, .color_mode = 2), GT_INVALID,
            "unknown color_mode 2");
    refused(gt_image_dataset_from_directory(files_folder, .label_mode = 9), GT_INVALID,
            "unknown label_mode 9");
    refused(gt_image_dataset_from_directory(files_folder, SMALL, .class_names = gt_names("a"),
                                            .label_mode = GT_LABEL_MODE_BINARY),
            GT_INVALID, "binary labels are for 2 folders (got 1)");
    refused(gt_image_dataset_from_directory(files_folder, SMALL, .class_names = gt_names("a", "z")),
            GT_IO, "z: cannot be opened");
}

/* ---- reading ahead ---- */

static gt_Status brighter(void *user, gt_Batch *batch)
{
    (void)user;
    batch->x = gt_add(batch->x, 1);
    return gt_status();
}

/* The rows of some epochs, with seeks, one after the other. */
static int rows_of(gt_Dataset *data, double *rows)
{
    gt_Batch batch;
    int n = 0;
    for (int epoch = 0; epoch < 4; epoch++) {
        while (gt_dataset_next(data, &batch))
            for (int64_t i = 0; i < batch.size; i++)
                rows[n++] = gt_element(batch.x, i) + 1000 * gt_element(batch.y, i);
        if (epoch == 1)
            gt_dataset_seek(data, (gt_DatasetPosition){1, 6});
    }
    ok();
    return n;
}

static gt_Dataset *some_images(bool ahead, int kind)
{
    gt_Dataset *data =
        gt_image_dataset_from_directory(files_folder, SMALL, .batch_size = 4, .seed = 3);
    if (kind == 1)
        data = gt_dataset_map(gt_dataset_skip(data, 2), brighter, NULL);
    if (kind == 2)
        data = gt_dataset_zip(gt_dataset_take(data, 9),
                              gt_image_dataset_from_directory(in_folder("b"), SMALL,
                                                              .label_mode = GT_LABEL_MODE_NONE),
                              .labels = false);
    return ahead ? gt_dataset_prefetch(data, 3) : data;
}

Test(image_folders, ahead, .init = put_folders, .fini = close_folder)
{
    for (int kind = 0; kind < 2; kind++) {
        double with[128], without[128];
        gt_Dataset *a = some_images(true, kind), *b = some_images(false, kind);
        ok();
        int n = rows_of(a, with), m = rows_of(b, without);
        cr_assert(n == m && memcmp(with, without, (size_t)n * sizeof *with) == 0,
                  "kind %d: %d and %d rows", kind, n, m);
        /* stopped in the middle, and a look aside */
        gt_Batch batch;
        cr_assert(gt_dataset_next(a, &batch) &&
                  gt_dataset_fetch(a, (const int64_t[]){7}, 1, &batch) == GT_OK);
        cr_assert(gt_dataset_next(a, &batch));
        gt_dataset_free(a), gt_dataset_free(b);
    }
    /* a child of fork has no thread, and goes on all the same */
    gt_Dataset *data = some_images(true, 0);
    gt_Batch batch;
    cr_assert(gt_dataset_next(data, &batch));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int rows = 4;
        while (gt_dataset_next(data, &batch))
            rows += (int)batch.size;
        gt_dataset_free(data);
        _exit(rows == 15 && gt_status() == GT_OK ? 0 : 1);
    }
    int status = 0;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                  WEXITSTATUS(status) == 0,
              "the child: %d", status);
    gt_dataset_free(data);
    /* what fails on the thread is the error of its batch */
    put_text("a/5.pgm", "P5 2 2 255\nx");
    data = gt_dataset_prefetch(
        gt_image_dataset_from_directory(files_folder, SMALL, .batch_size = 4, .shuffle = false), 2);
    cr_assert(gt_dataset_next(data, &batch));
    refused(gt_dataset_next(data, &batch), GT_IO, "a/5.pgm: is cut short");
    refused(gt_dataset_next(data, &batch), GT_IO, "a/5.pgm: is cut short");
    put_pgm("a/5.pgm", 5);
    cr_assert(gt_dataset_next(data, &batch) && gt_element(batch.x, 1) == 5, "%s",
              gt_error_message());
    gt_dataset_free(data);
    refused(gt_dataset_prefetch(gt_image_dataset_from_directory(files_folder, SMALL), 0),
            GT_INVALID, "batches must be 1 to 16 (got 0)");
}

/* Rows that take a while, of which two are never made at a time, and most of them ahead. */
typedef struct Slow {
    atomic_int under_way, together, ahead;
    pthread_t main;
} Slow;

static int64_t slow_count(void *self)
{
    (void)self;
    return 40;
}

static bool slow_fill(void *self, int64_t row, void *const *into, char message[GT_FILL_MESSAGE])
{
    Slow *slow = self;
    (void)message;
    if (atomic_fetch_add(&slow->under_way, 1) > 0)
        atomic_store(&slow->together, 1);
    if (!pthread_equal(pthread_self(), slow->main))
        atomic_fetch_add(&slow->ahead, 1);
    nanosleep(&(struct timespec){0, 200000}, NULL);
    *(float *)into[0] = (float)row;
    atomic_fetch_sub(&slow->under_way, 1);
    return true;
}

static gt_RowSpec slow_columns(void *self)
{
    (void)self;
    gt_RowSpec row = {1, {{{.dtype = GT_FLOAT32, .size = 1}, false}}};
    return row;
}

Test(image_folders, one_at_a_time)
{
    static const gt_DatasetClass slow_class = {.size = sizeof slow_class,
                                               .name = "slow",
                                               .count = slow_count,
                                               .fill = slow_fill,
                                               .columns = slow_columns};
    Slow slow = {.main = pthread_self()};
    gt_Batch batch;
    gt_Dataset *data = gt_dataset_prefetch(
        gt_dataset_of(&slow_class, &slow, .batch_size = 4, .shuffle = false), 3);
    for (int round = 0; round < 5; round++) {
        gt_dataset_seek(data, (gt_DatasetPosition){0, 4 * round});
        for (int i = 0; i < 3; i++) {
            cr_assert(gt_dataset_next(data, &batch), "%s", gt_error_message());
            cr_assert_eq(gt_element(batch.x, 3), 4 * (round + i) + 3);
        }
        int ahead = atomic_load(&slow.ahead);
        cr_assert(ahead >= 8, "round %d: %d rows were made ahead", round, ahead);
        atomic_store(&slow.ahead, 0);
    }
    cr_assert(!atomic_load(&slow.together), "fill ran twice at a time");
    gt_dataset_free(data);
}

static void picture_life(void)
{
    gt_Dataset *data = some_images(true, 1);
    gt_Batch batch;
    for (int i = 0; i < 5 && data; i++)
        gt_dataset_next(data, &batch);
    gt_Status status = gt_status();
    gt_error_clear();
    gt_dataset_free(data);
    if (status != GT_OK)
        gt_fail(status, "it failed");
}

Test(image_folders, no_memory, .init = put_folders, .fini = close_folder)
{
    fail_allocations(picture_life);
    assert_no_leaks();
}
