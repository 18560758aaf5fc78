"""Trains networks with PyTorch, for tests/test_torch.c: first numbers, data, and the loss of every step.

Run: python make_torch.py          writes torch.safetensors: MLPs, and a small character GPT
     python make_torch.py FOLDER   writes FOLDER/gpt.safetensors: the GPT of examples/gpt.c without dropout, 300 steps of 32
                                   windows; GT_TORCH_GPT=FOLDER/gpt.safetensors test_torch then trains the same one
     (PyTorch 1.13.1 of Debian 12, which calls itself 1.13.0a0; safetensors 0.8.0)

The optimizers are PyTorch's own. Its Adam adds epsilon to another number than Keras's does, sqrt(v / (1 - beta_2^t)) in place of
sqrt(v): it is told epsilon / sqrt(1 - beta_2^t) in each step. Kernels are transposed to (inputs, outputs).
"""

import math
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file
from torch.nn import functional as F

EPSILON = 1e-7
torch.manual_seed(20261130)
torch.set_num_threads(2)
tensors = {}


def numbers(name, values):
    tensors[name] = np.array(values, order="C")  # a copy: weights change while they are trained


def step(optimizer, loss, t):
    for group in optimizer.param_groups:
        if "eps" in group:
            group["eps"] = EPSILON / math.sqrt(1 - group["betas"][1] ** t)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# ---- MLPs: relu, tanh, 4 classes; 500 rows by formula, 100 batches of 20 in their order ----

ROWS, INPUTS, BATCH, STEPS = 500, 8, 20, 100
i = torch.arange(ROWS * INPUTS)
data = ((i * i * 7919 + i * 31) % 1009).reshape(ROWS, INPUTS)
labels = data[:, :4].argmax(1)


def mlp():
    return torch.nn.Sequential(torch.nn.Linear(INPUTS, 32), torch.nn.ReLU(), torch.nn.Linear(32, 16), torch.nn.Tanh(),
                               torch.nn.Linear(16, 4))


first = mlp().state_dict()
for i, value in enumerate(first.values()):
    numbers(f"mlp.{i}", value.t().numpy())  # the kernel of each layer, then its bias

OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
}
for name, optimizer_of in OPTIMIZERS.items():
    if len(sys.argv) > 1:
        break
    for dtype in torch.float32, torch.float64:
        model = mlp()
        model.load_state_dict(first)
        model.to(dtype)
        x, losses = data.to(dtype) / 504 - 1, []
        optimizer = optimizer_of(model.parameters())
        for t in range(STEPS):
            rows = slice(t * BATCH % ROWS, t * BATCH % ROWS + BATCH)
            loss = F.cross_entropy(model(x[rows]), labels[rows])
            losses.append(loss.item())
            step(optimizer, loss, t + 1)
        numbers(f"{name}.{str(dtype)[6:]}", np.float64(losses))
        print(name, dtype, losses[0], "to", losses[-1])

# ---- a character GPT ----


class Attention(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.parts = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = (part(x).reshape(batch, steps, self.heads, -1).transpose(1, 2) for part in self.parts[:3])
        scores = q @ k.transpose(2, 3) / math.sqrt(width // self.heads)
        ahead = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        x = scores.masked_fill(ahead, -math.inf).softmax(-1) @ v
        return self.parts[3](x.transpose(1, 2).reshape(batch, steps, width))


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width, eps=1e-3)
        self.attention = Attention(width, heads)
        self.norm2 = torch.nn.LayerNorm(width, eps=1e-3)
        self.wide, self.narrow = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.narrow(F.gelu(self.wide(self.norm2(x)), approximate="tanh"))


class GPT(torch.nn.Module):
    def __init__(self, characters, steps, width, heads, blocks):
        super().__init__()
        self.embedding = torch.nn.Embedding(characters, width)
        torch.nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.positions = torch.nn.Parameter(0.05 * torch.randn(steps, width))
        self.blocks = torch.nn.Sequential(*(Block(width, heads) for _ in range(blocks)))
        self.norm, self.out = torch.nn.LayerNorm(width, eps=1e-3), torch.nn.Linear(width, characters)

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.embedding(x) + self.positions)))

    def weights(self):
        """In the order of gt_trainable_variables, shaped as there."""
        yield from (self.embedding.weight, self.positions)
        for b in self.blocks:
            q, *_ = parts = b.attention.parts
            width, heads = q.in_features, b.attention.heads
            yield from (b.norm.weight, b.norm.bias)
            for part in parts[:3]:
                yield from (part.weight.t().reshape(width, heads, -1), part.bias.reshape(heads, -1))
            yield from (parts[3].weight.t().reshape(heads, -1, width), parts[3].bias, b.norm2.weight, b.norm2.bias)
            yield from (b.wide.weight.t(), b.wide.bias, b.narrow.weight.t(), b.narrow.bias)
        yield from (self.norm.weight, self.norm.bias, self.out.weight.t(), self.out.bias)


def gpt(characters, length, width, heads, blocks, batch, steps, rate, dtypes):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data/shakespeare.txt")
    text = open(path, encoding="ascii").read()[:characters]
    alphabet = "".join(dict.fromkeys(text))
    text = torch.tensor([alphabet.index(c) for c in text])
    seen = len(text) // 10 * 9
    order = torch.randint(seen - length, (steps, batch))  # where the windows of each step begin
    unseen = torch.arange(seen, len(text) - length, length)
    model = GPT(len(alphabet), length, width, heads, blocks)
    begin = model.state_dict()
    for i, value in enumerate(model.weights()):
        numbers(f"gpt.{i}", value.detach().numpy())
    begin = {name: value.clone() for name, value in begin.items()}
    for name, value in (("text", text), ("order", order), ("unseen", unseen)):
        numbers(f"gpt.{name}", np.uint8(value) if name == "text" else np.int32(value))
    numbers("gpt.rate", np.float64(rate))

    def loss_of(starts):
        windows = text[starts[:, None] + torch.arange(length + 1)]
        return F.cross_entropy(model(windows[:, :-1]).transpose(1, 2), windows[:, 1:])

    for dtype in dtypes:
        model.load_state_dict(begin)
        model.to(dtype)
        optimizer, losses = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.1), []
        for t in range(steps):
            loss = loss_of(order[t])
            losses.append(loss.item())
            step(optimizer, loss, t + 1)
            if t % 50 == 49:
                print("step", t + 1, losses[-1], flush=True)
        with torch.no_grad():
            losses.append(loss_of(unseen).item())
        numbers(f"gpt.{str(dtype)[6:]}", np.float64(losses))  # of the steps, then of the unseen text
        print("GPT", dtype, losses[0], "to", losses[-2], "; unseen text:", losses[-1])


if len(sys.argv) > 1:
    gpt(10**9, 64, 96, 4, 3, 32, 300, 1e-3, [torch.float32])
    file = os.path.join(sys.argv[1], "gpt.safetensors")
else:
    gpt(4000, 12, 16, 2, 2, 8, 100, 3e-3, [torch.float32, torch.float64])
    file = "torch.safetensors"
save_file(tensors, file, {"source": f"PyTorch {torch.__version__}"})
print(len(tensors), "tensors,", os.path.getsize(file), "bytes")
