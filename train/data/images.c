/* Pictures in folders: found once, read when they are asked for. */
#include "train/data/images.h"
#include "core/text.h"
#include "io/image.h"
#include "train/data/inside.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

GT_OPTION_TYPE(gt_image_dataset_from_directory_options, gt_image_dataset_from_directory_OPTIONS);

typedef struct Images {
    gt_Context *context;
    gt_image_dataset_from_directory_options options;
    gt_Words paths;
    int32_t *labels;
    int32_t label_capacity, classes;
} Images;

/* ---- one picture ---- */

/* The part of a picture that is wanted. */
typedef struct Part {
    int64_t top, left, height, width;
} Part;

/* All of it, or the largest middle of the shape that is asked for. */
static Part part_of(const gt_Image *image, const gt_image_dataset_from_directory_options *options)
{
    Part part = {0, 0, image->height, image->width};
    if (!options->crop_to_aspect_ratio)
        return part;
    int64_t height = image->width * options->height / options->width;
    int64_t width = image->height * options->width / options->height;
    part.height = height < image->height ? height > 0 ? height : 1 : image->height;
    part.width = width < image->width ? width > 0 ? width : 1 : image->width;
    part.top = (image->height - part.height) / 2;
    part.left = (image->width - part.width) / 2;
    return part;
}

/* Between which two pixels an output lies, and how near to the second. */
typedef struct Place {
    int64_t low, high;
    float weight;
} Place;

static Place place_of(int64_t i, int64_t out, int64_t in)
{
    float at = ((float)i + 0.5f) * ((float)in / (float)out) - 0.5f;
    int64_t floor = at < 0 ? -1 : (int64_t)at;
    int64_t high = floor + 1 < in ? floor + 1 : in - 1;
    return (Place){floor < 0 ? 0 : floor, high, at - (float)floor};
}

static void resize(const gt_Image *image, const gt_image_dataset_from_directory_options *options,
                   float *into)
{
    Part part = part_of(image, options);
    int32_t channels = image->channels;
    float scale = (float)options->scale;
    for (int64_t y = 0; y < options->height; y++) {
        Place v = place_of(y, options->height, part.height);
        const unsigned char *top =
            image->pixels + ((part.top + v.low) * image->width + part.left) * channels;
        const unsigned char *bottom =
            image->pixels + ((part.top + v.high) * image->width + part.left) * channels;
        for (int64_t x = 0; x < options->width; x++) {
            Place h = place_of(x, options->width, part.width);
            for (int32_t c = 0; c < channels; c++) {
                float a = top[h.low * channels + c], b = top[h.high * channels + c];
                float d = bottom[h.low * channels + c], e = bottom[h.high * channels + c];
                float above = a + (b - a) * h.weight, below = d + (e - d) * h.weight;
                *into++ = (above + (below - above) * v.weight) * scale;
            }
        }
    }
}

static bool fill(void *self, int64_t row, void *const *into, char message[GT_FILL_MESSAGE])
{
    const Images *images = self;
    const gt_image_dataset_from_directory_options *options = &images->options;
    gt_Image image;
    if (!gt_image_read(gt_words_text(&images->paths, (int32_t)row), (int32_t)options->color_mode,
                       options->limit, &image, message))
        return false;
    resize(&image, options, into[0]);
    gt_image_free(&image);
    int32_t label = images->labels[row];
    if (options->label_mode == GT_LABEL_MODE_INT)
        *(int32_t *)into[1] = label;
    else if (options->label_mode == GT_LABEL_MODE_BINARY)
        *(float *)into[1] = (float)label;
    else if (options->label_mode == GT_LABEL_MODE_CATEGORICAL)
        for (int32_t k = 0; k < images->classes; k++)
            ((float *)into[1])[k] = k == label;
    return true;
}

/* ---- the class ---- */

static int64_t count(void *self)
{
    return ((const Images *)self)->paths.count;
}

static gt_RowSpec columns(void *self)
{
    const Images *images = self;
    const gt_image_dataset_from_directory_options *options = &images->options;
    gt_RowSpec row = {.count = 1 + (options->label_mode != GT_LABEL_MODE_NONE)};
    gt_spec_set(&row.columns[0].spec, GT_FLOAT32,
                gt_shape(options->height, options->width, (int64_t)options->color_mode));
    row.columns[1].label = true;
    if (options->label_mode == GT_LABEL_MODE_INT)
        gt_spec_set(&row.columns[1].spec, GT_INT32, gt_shape());
    else
        gt_spec_set(&row.columns[1].spec, GT_FLOAT32,
                    gt_shape(options->label_mode == GT_LABEL_MODE_BINARY ? 1 : images->classes));
    return row;
}

static void destroy(void *self)
{
    Images *images = self;
    gt_Context *context = images->context;
    gt_words_close(context, &images->paths);
    gt_release(context, images->labels, (size_t)images->label_capacity * sizeof *images->labels);
    gt_release(context, images, sizeof *images);
}

static const gt_DatasetClass images_class = {.size = sizeof images_class,
                                             .name = "image_dataset_from_directory",
                                             .count = count,
                                             .fill = fill,
                                             .columns = columns,
                                             .destroy = destroy};

/* ---- finding them ---- */

/* What is in a folder, in the order of bytes: files that are pictures, or folders. */
static bool list_folder(gt_Context *context, const char *path, bool folders, gt_Words *names)
{
    char words[GT_SYSTEM_TEXT], full[4096];
    struct dirent *entry;
    DIR *folder = opendir(path);
    if (!folder) {
        gt_raise(context, GT_IO, NULL, NULL, "%s: cannot be opened as a folder: %s", path,
                 gt_system_text(words, errno));
        return false;
    }
    bool ok = true;
    while (ok && (entry = readdir(folder))) {
        struct stat info;
        size_t length = (size_t)gt_text(full, sizeof full, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || length >= sizeof full || stat(full, &info) != 0)
            continue;
        bool wanted = folders ? S_ISDIR(info.st_mode)
                              : S_ISREG(info.st_mode) && gt_image_known(entry->d_name);
        if (wanted)
            ok = gt_words_add(context, names, entry->d_name, strlen(entry->d_name)) >= 0;
    }
    closedir(folder);
    int32_t *place = ok ? gt_allocate(context, ((size_t)names->count + 1) * sizeof *place) : NULL;
    size_t bytes = ((size_t)names->count + 1) * sizeof *place;
    ok = place && gt_words_sort(context, names, NULL, place);
    gt_release(context, place, bytes);
    return ok;
}

static bool add_file(Images *images, const char *path, int32_t label)
{
    gt_Context *context = images->context;
    if (!gt_reserve(context, (void **)&images->labels, images->paths.count, &images->label_capacity,
                    sizeof *images->labels))
        return false;
    images->labels[images->paths.count] = label;
    return gt_words_append(context, &images->paths, path, strlen(path));
}

/* The pictures of a folder, and of the folders in it. */
static bool add_folder(Images *images, const char *path, int32_t label, int depth)
{
    enum { DEEPEST = 16 }; /* links may lead in a circle */
    gt_Context *context = images->context;
    gt_Words files = {0}, folders = {0};
    char full[4096];
    bool ok =
        list_folder(context, path, false, &files) && list_folder(context, path, true, &folders);
    for (int32_t i = 0; ok && i < files.count; i++)
        ok = (size_t)gt_text(full, sizeof full, "%s/%s", path, gt_words_text(&files, i)) <
                 sizeof full &&
             add_file(images, full, label);
    for (int32_t i = 0; ok && depth < DEEPEST && i < folders.count; i++)
        if ((size_t)gt_text(full, sizeof full, "%s/%s", path, gt_words_text(&folders, i)) <
            sizeof full)
            ok = add_folder(images, full, label, depth + 1);
    gt_words_close(context, &files);
    gt_words_close(context, &folders);
    return ok;
}

/* The names of the classes: those that are given, or the folders. */
static bool find_classes(const Images *images, const char *path, gt_Words *classes)
{
    gt_Names given = images->options.class_names;
    if (!given.items)
        return list_folder(images->context, path, true, classes);
    for (int i = 0; given.items[i] != GT_LIST_END; i++)
        if (!given.items[i] ||
            gt_words_add(images->context, classes, given.items[i], strlen(given.items[i])) < 0)
            return false;
    return true;
}

static bool find_images(Images *images, const char *path, gt_Words *classes)
{
    gt_Context *context = images->context;
    char full[4096];
    if (images->options.label_mode == GT_LABEL_MODE_NONE) {
        if (!add_folder(images, path, 0, 0))
            return false;
    } else if (!find_classes(images, path, classes)) {
        return false;
    }
    images->classes = classes->count;
    for (int32_t i = 0; i < classes->count; i++)
        if ((size_t)gt_text(full, sizeof full, "%s/%s", path, gt_words_text(classes, i)) >=
                sizeof full ||
            !add_folder(images, full, i, 0))
            return false;
    if (images->options.label_mode == GT_LABEL_MODE_BINARY && classes->count != 2)
        gt_raise(context, GT_INVALID, NULL, NULL, "%s: binary labels are for 2 folders (got %d)",
                 path, (int)classes->count);
    else if (images->paths.count == 0)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "%s: has no pictures (png, jpg, jpeg, ppm, pgm)%s", path,
                 images->options.label_mode == GT_LABEL_MODE_NONE ? ""
                                                                  : " in a folder for each class");
    return gt_context_status(context) == GT_OK;
}

static bool check(gt_Context *context, const char *path,
                  const gt_image_dataset_from_directory_options *options)
{
    if (!path || !*path)
        gt_raise(context, GT_INVALID, NULL, NULL, "the path is %s", path ? "empty" : "NULL");
    else if (options->height < 1 || options->width < 1 || options->height > 65536 ||
             options->width > 65536)
        gt_raise(context, GT_INVALID, NULL, NULL,
                 "height and width must be 1 to 65536 (got %lld and %lld)",
                 (long long)options->height, (long long)options->width);
    else if (options->color_mode != GT_COLOR_MODE_GRAYSCALE &&
             options->color_mode != GT_COLOR_MODE_RGB && options->color_mode != GT_COLOR_MODE_RGBA)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown color_mode %d",
                 (int)options->color_mode);
    else if ((unsigned)options->label_mode > GT_LABEL_MODE_NONE)
        gt_raise(context, GT_INVALID, NULL, NULL, "unknown label_mode %d",
                 (int)options->label_mode);
    return gt_context_status(context) == GT_OK;
}

gt_Dataset *gt_image_dataset_from_directory_at(const char *here, const char *path,
                                               const gt_image_dataset_from_directory_options *given)
{
    gt_image_dataset_from_directory_options options;
    GT_TAKE(gt_image_dataset_from_directory_options, &options, given);
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_Site site = gt_site_enter(here, "image_dataset_from_directory");
    gt_Dataset *made = NULL;
    gt_DataNames *names = check(context, path, &options) ? gt_names_new(context) : NULL;
    Images *images = names ? gt_self_new(context, sizeof *images) : NULL;
    if (images) {
        *images = (Images){.context = context, .options = options};
        const gt_dataset_of_options batches =
            GT_VALUES(gt_dataset_of_options, options.batch_size, options.shuffle, options.seed,
                      options.drop_remainder);
        if (find_images(images, path, &names->classes))
            made = gt_dataset_make(context, &images_class, images, true, NULL, &batches);
        else
            destroy(images);
    }
    if (made)
        gt_dataset_set_names(made, names);
    else
        gt_names_release(names);
    gt_site_leave(&site);
    return made;
}
