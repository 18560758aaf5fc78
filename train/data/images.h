/* Pictures in folders, a folder for each class.
 *
 *     flowers/daisy/1.jpg, flowers/rose/a.png, ...
 *     gt_Dataset *flowers = gt_image_dataset_from_directory("flowers", .height = 96, .width = 96, .scale = 1.0 / 255);
 */
#ifndef GT_TRAIN_DATA_IMAGES_H
#define GT_TRAIN_DATA_IMAGES_H

#include "io/csv.h"
#include "train/dataset.h"

GT_BEGIN

/* What y is. */
typedef enum gt_LabelMode {
    GT_LABEL_MODE_INT,         /* the number of the class, int32 (rows) */
    GT_LABEL_MODE_CATEGORICAL, /* one-hot, float32 (rows, classes) */
    GT_LABEL_MODE_BINARY,      /* 0 or 1 of two classes, float32 (rows, 1) */
    GT_LABEL_MODE_NONE         /* there are no labels, and pictures may lie in the folder itself */
} gt_LabelMode;

/* How many numbers a pixel has. */
typedef enum gt_ColorMode {
    GT_COLOR_MODE_GRAYSCALE = 1,
    GT_COLOR_MODE_RGB = 3,
    GT_COLOR_MODE_RGBA = 4
} gt_ColorMode;

#define gt_image_dataset_from_directory_OPTIONS(F, S)                                              \
    F(S, gt_LabelMode, label_mode, GT_LABEL_MODE_INT, "what the labels are")                       \
    F(S, gt_Names, class_names, GT_NOT_GIVEN,                                                      \
      "the folders, in this order; none given: all, in the order of bytes")                        \
    F(S, gt_ColorMode, color_mode, GT_COLOR_MODE_RGB, "channels: grey, RGB or RGBA")               \
    F(S, int64_t, height, 256, "of the pictures, which are resized")                               \
    F(S, int64_t, width, 256, "the same")                                                          \
    F(S, bool, crop_to_aspect_ratio, false,                                                        \
      "the middle that has that shape; false: they are stretched")                                 \
    F(S, double, scale, 1, "factor on the bytes 0 to 255")                                         \
    F(S, int64_t, limit, (int64_t)1 << 28, "bytes that a picture may unpack to")                   \
    GT_BATCH_COMMON(F, S)
GT_OPTIONS(gt_image_dataset_from_directory_options, gt_image_dataset_from_directory_OPTIONS);

/* gt_image_dataset_from_directory("flowers", .height = 96, .width = 96): x float32 (rows, height, width, channels), y the number
 * of the folder, which gt_dataset_class_name names. PNG, JPEG, PPM and PGM; other files are passed over, and folders inside
 * are looked into. A picture is read when its row is asked for, so no more of them are in memory than a batch has;
 * gt_dataset_prefetch reads ahead on a thread, gt_dataset_cache keeps them. Resized bilinearly, with the centres of pixels
 * aligned, as Keras's function of that name does. A picture that cannot be read is an error with its path, at that batch. Parts
 * for training and validation: gt_dataset_split. */
#define gt_image_dataset_from_directory(...)                                                       \
    gt_image_dataset_from_directory_at(                                                            \
        GT_HERE, GT_FIRST(__VA_ARGS__),                                                            \
        GT_KEYWORDS(gt_image_dataset_from_directory, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Dataset *
gt_image_dataset_from_directory_at(const char *here, const char *path,
                                   const gt_image_dataset_from_directory_options *options);

GT_END

#endif
