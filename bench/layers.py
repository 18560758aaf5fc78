#!/usr/bin/env python3
"""One layer, forwards and back, gradtape's plan beside PyTorch, in one run, on one thread.

    bench/layers.py build [--rounds N] [--only NAME]...

`build` was made with -Dbench=true. Run it with a Python that has torch; without, its column stays empty. gradtape runs as a program
of its own (build/bench/layers --serve); the two take turns within each round, and the least counts, so that a busy neighbour slows
both alike. Time is what the processor spent on the thread. PyTorch gets its own layers, images with channels last; GroupNorm, which
has no kernel for those, gets both orders, and the better counts. A share is of the bytes that the layer moves at least, at the speed
of y += x over as many bytes."""
import argparse
import sys

from turns import Program, least_time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
    torch.set_num_threads(1)
except ImportError:
    torch = None


def image(*shape):
    """(batch, channels, height, width), channels last in memory."""
    return torch.randn(*shape).to(memory_format=torch.channels_last)


# Of each name: what a reader calls it, then the layer and its x, as often as there are forms of it.
def forms():
    x = lambda *shape: torch.randn(*shape)
    groups = lambda n: [(nn.GroupNorm(n, 64), image(32, 64, 16, 16)), (nn.GroupNorm(n, 64), x(32, 64, 16, 16))]
    return {
        "batch_norm": [(nn.BatchNorm2d(16), image(32, 16, 32, 32))],
        "batch_norm_64": [(nn.BatchNorm2d(64), image(32, 64, 8, 8))],
        "layer_norm": [(nn.LayerNorm(128), x(2048, 128))],
        "layer_norm_1024": [(nn.LayerNorm(1024), x(512, 1024))],
        "rms_norm": [(nn.RMSNorm(128), x(2048, 128))],
        "group_norm": groups(8),
        "instance_norm": groups(64),
        "gelu": [(nn.GELU(), x(1024, 1024))],
        "gelu_tanh": [(nn.GELU(approximate="tanh"), x(1024, 1024))],
        "softmax": [(nn.Softmax(-1), x(2048, 128))],
        "max_pooling": [(nn.MaxPool2d(2), image(32, 32, 28, 28))],
        "average_pooling": [(nn.AvgPool2d(2), image(32, 32, 28, 28))],
        "dropout": [(nn.Dropout(0.5), x(512, 1024))],
        "crossentropy": [(None, x(512, 1000))],
    }


NAMES = {"batch_norm": "batch normalization, (32, 32, 32, 16)", "batch_norm_64": "(32, 8, 8, 64)",
         "layer_norm": "layer normalization, (2048, 128)", "layer_norm_1024": "(512, 1024)", "rms_norm": "RMS normalization, (2048, 128)",
         "group_norm": "group normalization, (32, 16, 16, 64), 8 groups", "instance_norm": "64 groups",
         "gelu": "gelu, (1024, 1024)", "gelu_tanh": "gelu by tanh", "softmax": "softmax, (2048, 128)",
         "max_pooling": "max pooling of 2, (32, 28, 28, 32)", "average_pooling": "average pooling of 2",
         "dropout": "dropout of a half, (512, 1024)", "crossentropy": "sparse cross-entropy, (512, 1000)"}


def timed(layer, x, seconds):
    x.requires_grad_(True)
    labels = torch.randint(0, 1000, (x.shape[0],))
    up = None if layer is None else torch.randn_like(layer(x))
    wanted = [x] + ([] if layer is None else list(layer.parameters()))

    def step():
        y = F.cross_entropy(x, labels) if layer is None else layer(x)
        torch.autograd.grad(y, wanted, up)

    return least_time(step, seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    ours, theirs = Program(options.build + "/bench/layers"), forms() if torch else {}
    print("PyTorch", torch.__version__ if torch else "is not there", "- one thread each\n")
    print("| forwards and back | us | of memory | PyTorch us | times as fast |\n|---|---:|---:|---:|---:|")
    for name in options.only or NAMES:
        least, floor, rival = float("inf"), float("inf"), float("inf")
        for _ in range(options.rounds):
            took, bound = ours.ask(name, 0.15)
            least, floor = min(least, took), min(floor, bound)
            for layer, x in theirs.get(name, []):
                rival = min(rival, timed(layer, x, 0.15))
        beside = f" {rival * 1e6:.0f} | {rival / least:.2f} |" if torch else " - | - |"
        print(f"| {NAMES[name]} | {least * 1e6:.0f} | {100 * floor / least:.0f} % |" + beside, flush=True)


if __name__ == "__main__":
    sys.exit(main())
