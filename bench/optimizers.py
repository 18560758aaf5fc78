#!/usr/bin/env python3
"""A step of every optimizer, gradtape's compiled one beside PyTorch's fastest, in one run, on one thread.

    bench/optimizers.py build [--rounds N] [--only NAME]...

`build` was made with -Dbench=true. Run it with a Python that has torch; without, its column stays empty. gradtape runs as a program
of its own (build/bench/optimizers --serve); the two and a probe of the memory take turns within each round, and the least counts, so
that a busy neighbour slows all of them alike. Time is what the processor spent on the thread. PyTorch's optimizers are made with fused=True where they have it, else with foreach=True
or as they are (Adafactor, Muon; muon_float32 is PyTorch's with products in float32, as ours). Ten square matrices, float32; a share is of the bytes that one pass over parameters, slots and
gradients moves, over what y += x moves in the same round."""
import argparse
import inspect
import sys

from turns import Program, least_time

try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    torch = None

NAMES = ["sgd", "momentum", "nesterov", "adam", "amsgrad", "adamw", "rmsprop", "centered", "adagrad", "adadelta", "adamax", "nadam",
         "lion", "ftrl", "lamb", "adafactor", "schedule_free", "clipped", "muon", "muon_float32"]
SIZES = [100_000, 10_000_000]


def set_muon_dtype(dtype):
    """PyTorch's Muon multiplies in bfloat16, gradtape's in float32: a second row has PyTorch's own function in float32 as well."""
    module = sys.modules["torch.optim._muon"]
    source = inspect.getsource(module)
    start = source.index("def _zeropower_via_newtonschulz")
    exec(source[start:source.index("\ndef ", start)].replace("torch.bfloat16", "torch." + dtype), vars(module))


def make(name, parameters):
    """PyTorch's optimizer, and how it was made; None: it has none."""
    o = torch.optim
    kinds = {"sgd": (o.SGD, {}), "momentum": (o.SGD, {"momentum": 0.9}), "nesterov": (o.SGD, {"momentum": 0.9, "nesterov": True}),
             "adam": (o.Adam, {}), "amsgrad": (o.Adam, {"amsgrad": True}), "adamw": (o.AdamW, {}), "rmsprop": (o.RMSprop, {}),
             "centered": (o.RMSprop, {"centered": True, "momentum": 0.9}), "adagrad": (o.Adagrad, {}), "adadelta": (o.Adadelta, {}),
             "adamax": (o.Adamax, {}), "nadam": (o.NAdam, {}), "clipped": (o.Adam, {})}
    for key in ("Adafactor", "Muon"):
        if hasattr(o, key):
            kinds[key.lower()] = (getattr(o, key), {})
    if "muon" in kinds:
        kinds["muon_float32"] = kinds["muon"]
        set_muon_dtype("float32" if name == "muon_float32" else "bfloat16")
    if name not in kinds:
        return None, ""
    kind, options = kinds[name]
    for how in ({"fused": True}, {"foreach": True}, {}):
        try:
            return kind(parameters, lr=1e-3, **options, **how), next(iter(how), "plain")
        except (TypeError, RuntimeError, ValueError):
            continue
    return None, ""


class Torch:
    def __init__(self):
        self.last = None

    def ask(self, name, n, seconds):
        if torch is None:
            return float("nan"), ""
        if self.last != (name, n):
            side = round((n / 10) ** 0.5)
            self.list = [torch.randn(side, side, requires_grad=True) for _ in range(10)]
            for p in self.list:
                p.grad = torch.randn(side, side)
            self.optimizer, self.how = make(name, self.list)
            self.last = (name, n)
        if self.optimizer is None:
            return float("nan"), ""

        def step():
            if name == "clipped":
                torch.nn.utils.clip_grad_norm_(self.list, 1.0, foreach=True)
            self.optimizer.step()

        return least_time(step, seconds), self.how


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    ours, theirs = Program(options.build + "/bench/optimizers"), Torch()
    print("PyTorch", torch.__version__ if torch else "is not there", "- one thread each")
    for n in SIZES:
        seconds = 0.15 if n < 1_000_000 else 0.4
        print(f"\n{n:,} parameters\n{'optimizer':14} {'gradtape us':>12} {'of memory':>10} {'PyTorch us':>12} {'':8} {'times as fast':>13}")
        for name in options.only or NAMES:
            least, memory, rival, how, moved = float("inf"), 0.0, float("inf"), "", 0
            for _ in range(options.rounds):
                took, moved = ours.ask(name, n, seconds)
                least = min(least, took)
                took, how = theirs.ask(name, n, seconds)
                rival = min(rival, took)
                memory = max(memory, ours.ask("memory", n, seconds / 3)[0])
            share = f"{100 * moved * n / least / memory:8.0f} %" if moved else f"{'':>10}"
            print(f"{name:14} {least * 1e6:12.1f} {share} " + (f"{rival * 1e6:12.1f} {how:8} {rival / least:13.2f}" if how else ""), flush=True)


if __name__ == "__main__":
    sys.exit(main())
