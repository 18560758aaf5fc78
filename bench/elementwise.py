#!/usr/bin/env python3
"""Single operations of gradtape against NumPy and PyTorch, on one thread, as a table of ratios.

    bench/elementwise.py build [--rounds N] [--case NAME]... [--size N]... [--type f32|f64]...
                               [--linalg | --transpose]

`build` was made with -Dbench=true. Needs numpy; without torch its columns stay empty. The three run as
programs of their own that wait for each other: within a round every case is asked of one after the
other, so that a busy neighbour slows all of them; a figure is the median over the rounds. Time is that
which the processor spent on the thread. All three write their result into new memory, and the C library
is told to keep what it was given back: else NumPy and PyTorch would mostly wait for fresh pages.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
         "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4000000000",
         "MALLOC_TOP_PAD_": "67108864"}

# What a case reads and writes, a number of the matrix: in elements (E), bytes of others.
SAME = lambda e: 2 * e
READ = lambda e: e
BYTES = {
    "add": lambda e: 3 * e, "multiply": lambda e: 3 * e, "relu": SAME, "exp": SAME, "log": SAME,
    "tanh": SAME, "sigmoid": SAME, "erf": SAME, "gelu": SAME, "gelu_tanh": SAME, "silu": SAME,
    "sin": SAME, "power": lambda e: 3 * e, "where": lambda e: 3 * e + 1, "cast_other": lambda e: 12,
    "cast_i32": lambda e: e + 4, "cast_from_i32": lambda e: e + 4, "cast_bool": lambda e: e + 1,
    "less": lambda e: 2 * e + 1, "sum": READ, "sum_0": READ, "sum_1": READ, "mean": READ,
    "max": READ, "argmax": READ, "softmax": SAME, "logsumexp": READ, "cumsum": SAME,
    "transpose": SAME,
}
NAMES = {"cast_other": "cast to the other float", "cast_i32": "cast to int32",
         "cast_from_i32": "cast from int32", "cast_bool": "cast to bool", "sum_0": "sum, axis 0",
         "sum_1": "sum, axis -1", "argmax": "argmax, axis -1", "softmax": "softmax, axis -1",
         "logsumexp": "logsumexp, axis -1", "cumsum": "cumsum, axis -1",
         "gelu_tanh": "gelu, approximate"}
LINALG = ["matmul", "solve", "inv", "cholesky", "qr", "svd", "eigh"]


def numbers(np, rows, columns, dtype, low, high):
    i = np.arange(rows * columns, dtype=np.int64)
    return (low + (high - low) * ((i * 7919 % 10007) / 10007)).astype(dtype).reshape(rows, columns)


def matrices(np, rows, columns, dtype):
    x = numbers(np, rows, columns, dtype, -3, 3)
    p = numbers(np, rows, columns, dtype, 0.1, 2)
    q = numbers(np, rows, columns, dtype, 2, 0.1)
    if rows == columns:
        m = numbers(np, rows, rows, dtype, 0, 1)
        p = m - 0.5 + rows * np.eye(rows, dtype=dtype)
        q = m + m.T - 1 + rows * np.eye(rows, dtype=dtype)
    return x, p.astype(dtype), q.astype(dtype)


def numpy_cases(rows, columns, kind):
    import numpy as np
    dtype = np.float32 if kind == "f32" else np.float64
    other = np.float64 if kind == "f32" else np.float32
    x, p, q = matrices(np, rows, columns, dtype)
    flags, whole, zero = x > 0, (x * 1000).astype(np.int32), dtype(0)
    la = np.linalg
    return {
        "add": lambda: x + p, "multiply": lambda: x * p, "relu": lambda: np.maximum(x, zero),
        "exp": lambda: np.exp(x), "log": lambda: np.log(p), "tanh": lambda: np.tanh(x),
        "sin": lambda: np.sin(x), "power": lambda: p ** q, "where": lambda: np.where(flags, x, p),
        "cast_other": lambda: x.astype(other), "cast_i32": lambda: x.astype(np.int32),
        "cast_from_i32": lambda: whole.astype(dtype), "cast_bool": lambda: x.astype(bool),
        "less": lambda: x < p, "sum": lambda: x.sum(), "sum_0": lambda: x.sum(axis=0),
        "sum_1": lambda: x.sum(axis=1), "mean": lambda: x.mean(), "max": lambda: x.max(),
        "argmax": lambda: x.argmax(axis=1), "cumsum": lambda: x.cumsum(axis=1),
        "transpose": lambda: np.ascontiguousarray(x.T), "matmul": lambda: p @ x,
        "solve": lambda: la.solve(p, x), "inv": lambda: la.inv(p),
        "cholesky": lambda: la.cholesky(q), "qr": lambda: la.qr(p), "svd": lambda: la.svd(p),
        "eigh": lambda: la.eigh(q),
    }


def torch_cases(rows, columns, kind):
    import numpy as np
    import torch
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    dtype = np.float32 if kind == "f32" else np.float64
    other = torch.float64 if kind == "f32" else torch.float32
    x, p, q = (torch.from_numpy(m) for m in matrices(np, rows, columns, dtype))
    flags, whole, same = x > 0, (x * 1000).to(torch.int32), x.dtype
    f, la = torch.nn.functional, torch.linalg
    return {
        "add": lambda: x + p, "multiply": lambda: x * p, "relu": lambda: torch.relu(x),
        "exp": lambda: torch.exp(x), "log": lambda: torch.log(p), "tanh": lambda: torch.tanh(x),
        "sigmoid": lambda: torch.sigmoid(x), "erf": lambda: torch.erf(x),
        "gelu": lambda: f.gelu(x), "gelu_tanh": lambda: f.gelu(x, approximate="tanh"),
        "silu": lambda: f.silu(x), "sin": lambda: torch.sin(x), "power": lambda: torch.pow(p, q),
        "where": lambda: torch.where(flags, x, p), "cast_other": lambda: x.to(other),
        "cast_i32": lambda: x.to(torch.int32), "cast_from_i32": lambda: whole.to(same),
        "cast_bool": lambda: x.to(torch.bool), "less": lambda: x < p, "sum": lambda: x.sum(),
        "sum_0": lambda: x.sum(0), "sum_1": lambda: x.sum(1), "mean": lambda: x.mean(),
        "max": lambda: x.max(), "argmax": lambda: x.argmax(1),
        "softmax": lambda: torch.softmax(x, 1), "logsumexp": lambda: torch.logsumexp(x, 1),
        "cumsum": lambda: x.cumsum(1), "transpose": lambda: x.t().contiguous(),
        "matmul": lambda: p @ x, "solve": lambda: la.solve(p, x), "inv": lambda: la.inv(p),
        "cholesky": lambda: la.cholesky(q), "qr": lambda: la.qr(p), "svd": lambda: la.svd(p),
        "eigh": lambda: la.eigh(q),
    }


def measure(run):
    clock = time.thread_time_ns
    start = clock()
    run()
    once = clock() - start
    times = min(100000, max(1, int(4e6 / once))) if once > 0 else 1000
    start = clock()
    for _ in range(times):
        run()
    return (clock() - start) / times


def serve(library):
    make, last, cases = {"numpy": numpy_cases, "torch": torch_cases}[library], None, {}
    print(__import__(library).__version__, flush=True)
    for line in sys.stdin:
        name, kind, rows, columns = line.split()
        if last != (kind, rows, columns):
            last, cases = (kind, rows, columns), {}
            cases = make(int(rows), int(columns), kind)
        print(f"{measure(cases[name]):.1f}" if name in cases else "-", flush=True)


class Worker:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **ALONE})
        self.about = self.process.stdout.readline().strip()

    def ask(self, name, kind, rows, columns):
        self.process.stdin.write(f"{name} {kind} {rows} {columns}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        return float(answer) if answer not in ("", "-") else None


def medians(workers, rounds, cases, kind, rows, columns):
    """{(case, worker): nanoseconds} for cases of (name, workers that are asked)."""
    times = {}
    for _ in range(rounds):
        for name, asked in cases:
            for worker in asked:
                t = workers[worker].ask(name, kind, rows, columns) if worker in workers else None
                if t is not None:
                    times.setdefault((name, worker), []).append(t)
    return {key: statistics.median(t) for key, t in times.items()}


def ratio(times, name, rival, own="gradtape"):
    rival = times.get((name, rival))
    return f"{rival / times[(name, own)]:.2f}" if rival else "-"


def table(head, rows):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    line = lambda r: "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w)
                                      for i, (c, w) in enumerate(zip(r, widths))) + " |"
    print(line(head))
    print("|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                         for i, w in enumerate(widths)) + "|")
    for r in rows:
        print(line(r))
    print(flush=True)


def elementwise(workers, options, kind, sizes):
    """Rows of cases, for each size the share of the bandwidth and the ratios."""
    element = 4 if kind == "f32" else 8
    names = [n for n in BYTES if (n == "transpose") == options.transpose]
    names = [n for n in names if not options.case or n in options.case]
    everyone = ("gradtape", "numpy", "torch")
    rows = {n: [NAMES.get(n, n)] for n in names}
    head, memory = [kind], []
    for r, c in sizes:
        size = f"{r} x {c}" if options.transpose else f"{r * c:.1e}".replace("e+0", "e")
        cases = [("copy", everyone[:1]), ("triad", everyone[:1])] + [(n, everyone) for n in names]
        times = medians(workers, options.rounds, cases, kind, r, c)
        copy = 2 * element * r * c / times[("copy", "gradtape")]
        triad = 3 * element * r * c / times[("triad", "gradtape")]
        memory.append(f"{size}: copy {copy:.0f}, triad {triad:.0f} GB/s")
        head += [f"{size}: of memory", "NumPy", "PyTorch"]
        for n in names:
            allowed = BYTES[n](element) * r * c / max(copy, triad)
            rows[n] += [f"{100 * allowed / times[(n, 'gradtape')]:.0f}%", ratio(times, n, "numpy"),
                        ratio(times, n, "torch")]
    print(f"{kind}; memory: " + "; ".join(memory) + "\n")
    table(head, list(rows.values()))


def linalg(workers, options, kind, sizes):
    rows = {n: [n] for n in LINALG if not options.case or n in options.case}
    head = [kind]
    for n in sizes:
        cases = [c for name in rows for c in
                 ((name, ("gradtape", "numpy", "torch")), (name + "_bare", ("gradtape",)))]
        times = medians(workers, options.rounds, cases, kind, n, n)
        head += [f"n = {n}: OpenBLAS", "NumPy", "PyTorch"]
        for name in rows:
            bare = times.get((name + "_bare", "gradtape"))
            rows[name] += [f"{bare / times[(name, 'gradtape')]:.2f}" if bare else "-",
                           ratio(times, name, "numpy"), ratio(times, name, "torch")]
    table(head, list(rows.values()))


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--case", action="append")
    parser.add_argument("--size", type=float, action="append")
    parser.add_argument("--type", action="append", choices=["f32", "f64"])
    parser.add_argument("--linalg", action="store_true")
    parser.add_argument("--transpose", action="store_true")
    options = parser.parse_args()
    workers = {"gradtape": Worker(os.path.join(options.build, "bench", "elementwise"))}
    for library in ("numpy", "torch"):
        try:
            __import__(library)
        except ImportError:
            continue
        workers[library] = Worker(sys.executable, os.path.abspath(__file__), "--serve", library)
    for name, worker in workers.items():
        print(f"{name}: {worker.about}")
    print(f"times as fast as each, medians of {options.rounds} rounds, one thread\n")
    for kind in options.type or ["f32", "f64"]:
        if options.linalg:
            linalg(workers, options, kind, [int(s) for s in options.size or [32, 256, 1024]])
        elif options.transpose:
            elementwise(workers, options, kind, [(1024, 1024), (4096, 4096), (1000, 3000)])
        else:
            sizes = options.size or [1e4, 1e6, 1.6e7]
            elementwise(workers, options, kind, [(int(s) // 500, 500) for s in sizes])


if __name__ == "__main__":
    main()
