#!/usr/bin/env python3
"""Writes tests/oracle/image_folders/, a folder with two classes of pictures in every format, and tests/oracle/image_folders.inc, what
keras.utils.image_dataset_from_directory makes of them.

    python tests/oracle/make_image_folders.py      (run with Keras 3.15.1, TensorFlow 2.21.0, Pillow 13.0.0)
"""
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np, PIL, tensorflow
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "image_folders")
h, w = 11, 17
y, x = np.mgrid[0:h, 0:w]
rgb = np.stack([(x * 15) % 256, (y * 23) % 256, (x * y * 3) % 256], -1).astype(np.uint8)
for name in ("cats", "dogs", "other"):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
Image.fromarray(rgb).save(os.path.join(folder, "cats", "a_rgb.png"))
Image.fromarray(rgb[..., 0]).save(os.path.join(folder, "cats", "b_grey.png"))
Image.fromarray(np.dstack([rgb, 255 - rgb[..., 0]])).save(os.path.join(folder, "dogs", "c_rgba.png"))
Image.fromarray(rgb).convert("P", palette=Image.ADAPTIVE, colors=16).save(os.path.join(folder, "dogs", "d_palette.png"))
smooth = np.stack([x * 15, y * 23, x * 5 + y * 10], -1).astype(np.uint8)
Image.fromarray(smooth).save(os.path.join(folder, "dogs", "e.jpg"), quality=95, subsampling=0)
Image.fromarray(smooth[..., 0]).save(os.path.join(folder, "dogs", "f_grey.jpeg"), quality=95)
Image.fromarray(smooth).convert("CMYK").save(os.path.join(folder, "other", "cmyk.jpg"))
Image.fromarray(rgb).save(os.path.join(folder, "other", "same.ppm"))
Image.fromarray(rgb[..., 0]).save(os.path.join(folder, "other", "same.pgm"))

names = ["cats", "dogs"]


def values(**how):
    data = keras.utils.image_dataset_from_directory(folder, class_names=names, shuffle=False, verbose=False, **how)
    return np.concatenate([b[0].numpy() for b in data]), np.concatenate([b[1].numpy() for b in data])


with open(os.path.join(here, "image_folders.inc"), "w") as out:
    out.write(f"/* By make_image_folders.py: Keras {keras.__version__}, TensorFlow {tensorflow.__version__}, Pillow {PIL.__version__}. */\n")
    for name, how in [("stretched", dict(image_size=(5, 7))), ("larger", dict(image_size=(13, 20), color_mode="grayscale")),
                      ("cropped", dict(image_size=(6, 4), crop_to_aspect_ratio=True)),
                      ("flat", dict(image_size=(3, 8), crop_to_aspect_ratio=True))]:
        data, labels = values(**how)
        assert list(labels) == [0, 0, 1, 1, 1, 1]
        flat = data[[0, 1, 4, 5]].reshape(4, -1)  # a PNG of each kind, a JPEG of each
        out.write(f"static const float folders_{name}[4][{flat.shape[1]}] = {{\n")
        for row in flat:
            out.write("    {" + ", ".join(f"{v:.6g}f" if "." in f"{v:.6g}" else f"{v:.6g}" for v in row) + "},\n")
        out.write("};\n")
