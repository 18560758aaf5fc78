"""Reads event files as TensorBoard does, and prints what is in them: python read_events.py FOLDER (tensorboard 2.21.0).

Run by hand on the files that test_callbacks.c's `tensorboard` keeps with GT_EVENTS=FOLDER; the test itself checks lengths,
checks of records and tags.
"""
import glob
import os
import struct
import sys
import zlib

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import graph_pb2


def grey(png):
    """Width, height and the sum of the pixels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    pixels = zlib.decompress(data)
    assert len(pixels) == (size[0] + 1) * size[1]
    return size[0], size[1], sum(pixels)


for path in sorted(glob.glob(os.path.join(sys.argv[1], "**", "events.*"), recursive=True)):
    folder = os.path.basename(os.path.dirname(path))
    events = event_accumulator.EventAccumulator(path, size_guidance={k: 0 for k in event_accumulator.DEFAULT_SIZE_GUIDANCE})
    events.Reload()
    tags = events.Tags()
    for tag in sorted(tags["scalars"]):
        for event in events.Scalars(tag):
            print(folder, "number", tag, event.step, "%.4g" % event.value)
    for tag in sorted(tags["histograms"]):
        for event in events.Histograms(tag):
            h = event.histogram_value
            print(folder, "histogram", tag, event.step, "%g %.4g %.4g %.4g" % (h.num, h.min, h.max, h.sum),
                  len(h.bucket), "%g" % sum(h.bucket))
    for tag in sorted(tags["images"]):
        for event in events.Images(tag):
            print(folder, "picture", tag, event.step, event.width, event.height, *grey(event.encoded_image_string))
    if tags["graph"]:
        graph = graph_pb2.GraphDef.FromString(events._graph)
        for node in graph.node:
            shape = [d.size for d in node.attr["_output_shapes"].list.shape[0].dim]
            print(folder, "node", node.name, node.op, shape, *node.input)
    # TensorBoard 2 reads tensors: the old forms are turned into them.
    for tag in sorted(tags["tensors"]):
        print(folder, "tensor", tag, len(events.Tensors(tag)))
