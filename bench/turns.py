"""For the programs that time gradtape beside PyTorch in turns: one of our programs that serves, and the least time of something."""
import subprocess
import time


class Program:
    """A program that answers each line with a line of numbers."""

    def __init__(self, path):
        self.process = subprocess.Popen([path, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]


def least_time(step, seconds):
    """The least that the processor spent on this thread for a step, of those in so many seconds but the first."""
    least, rounds, until = float("inf"), 0, time.thread_time() + seconds
    while rounds < 3 or time.thread_time() < until:
        began = time.thread_time()
        step()
        took = time.thread_time() - began
        least = min(least, took) if rounds else least
        rounds += 1
    return least
