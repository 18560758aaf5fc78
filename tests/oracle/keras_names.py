"""Writes keras_names.txt: the public names of Keras's layers, initializers, regularizers, constraints, activations,
losses, metrics, optimizers and schedules, by Keras 3.15.1. tests/test_contract_names.c walks it.

Run: python keras_names.py   (pip install tensorflow-cpu==2.21.0 keras==3.15.1)

A line is a kind and a name; "= name" follows where it is another name of the same thing. Kinds: layer (a class),
initializer, regularizer, constraint, loss, metric, optimizer, schedule (classes), activation (a function), and function: what is no class in the other
modules, module.name.
"""

import inspect
import operator
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras

MODULES = {"layers": "layer", "initializers": "initializer", "regularizers": "regularizer", "constraints": "constraint",
           "activations": "activation", "losses": "loss", "metrics": "metric", "optimizers": "optimizer",
           "optimizers.schedules": "schedule"}


def lines():
    for module, kind in MODULES.items():
        seen = {}
        things = {name: thing for name, thing in vars(operator.attrgetter(module)(keras)).items()
                  if not name.startswith("_") and not inspect.ismodule(thing)}
        # The class's own name first, so that the other ones refer to it.
        for name in sorted(things, key=lambda n: (n != getattr(things[n], "__name__", n), n)):
            thing = things[name]
            first = seen.setdefault(id(thing), name)
            if not inspect.isclass(thing) and module != "activations" or name in ("deserialize", "get", "serialize"):
                yield "function", f"{module}.{name}", None
            else:
                yield kind, name, None if first == name else first


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_names.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# The public names of Keras {keras.__version__}, written by keras_names.py.\n")
        for kind, name, of in sorted(lines(), key=lambda line: (line[0], line[1].lower(), line[1])):
            file.write(f"{kind} {name}" + (f" = {of}\n" if of else "\n"))


main()
