"""What the programs of bench/peers share: the questions that bench/peers/run asks on standard input, and the timing.

A peer answers "WORKLOAD SECONDS" with "ok MEDIAN LEAST STEPS FIRST LAST NOTE" (ms, losses), "cannot WHY" where it has no such
workload, "failed WHY" where it broke; "about" with "ok VERSION".
"""
import sys
import time

LEARNING_RATE = {"sgd": 1e-4, "adam": 1e-5}  # so small that nothing learns its data by heart: no denormal numbers
BATCHES = 8
MOST_STEPS, LEAST_STEPS = 3000, 10
# gpt_mini: blocks, heads, width, length of a text, characters, texts in a batch
GPT = dict(blocks=4, heads=4, width=128, length=128, characters=96, texts=16)


def arrays(shape, classes, dtype="float32"):
    """Batches (x, y) as NumPy arrays: standard normal numbers and class numbers. dtype None: x are class numbers too."""
    import numpy as np

    r = np.random.RandomState(1)
    made = []
    for _ in range(BATCHES):
        x = r.randint(0, classes, shape).astype("int32") if dtype is None else r.randn(*shape).astype(dtype)
        y = r.randint(0, classes, shape if dtype is None else shape[:1]).astype("int32")
        made.append((x, y))
    return made


def measure(step, seconds):
    """step(i) makes one training step, returns its loss as a float, and is over when that is known."""
    times, number = [], 0
    first = last = step(0)
    end = time.perf_counter() + 0.2 * seconds
    while time.perf_counter() < end:
        number += 1
        step(number)
    end = time.perf_counter() + seconds
    while len(times) < MOST_STEPS and (len(times) < LEAST_STEPS or time.perf_counter() < end):
        number += 1
        start = time.perf_counter()
        last = step(number)
        times.append(time.perf_counter() - start)
    times.sort()
    return 1e3 * times[len(times) // 2], 1e3 * times[0], len(times), first, last


def serve(about, workloads, note):
    """workloads: name -> function that returns a step. Each is built when it is asked for first."""
    steps = {}
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        try:
            if words[0] == "about":
                answer = "ok " + about
            elif words[0] not in workloads:
                answer = "cannot there is no such program"
            else:
                if words[0] not in steps:
                    steps[words[0]] = workloads[words[0]]()
                answer = "ok %.6g %.6g %d %.6g %.6g" % measure(steps[words[0]], float(words[1])) + " " + note
        except Exception as error:  # a peer that breaks in one workload goes on with the next
            answer = "failed " + " ".join(str(error).split())[:200]
        print(answer, flush=True)
