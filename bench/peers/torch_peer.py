"""PyTorch: torch_peer.py THREADS [channels_last] [compile]. Images channels last on request; fused optimizers, fused attention."""
import sys

import torch
from torch import nn
from torch.nn import functional as F

from common import GPT, LEARNING_RATE, arrays, serve

threads, wishes = int(sys.argv[1]), sys.argv[2:]
LAST, COMPILE = "channels_last" in wishes, "compile" in wishes
torch.set_num_threads(threads)
torch.manual_seed(0)


def optimizer(kind, parameters, **options):
    return getattr(torch.optim, kind)(parameters, lr=LEARNING_RATE["sgd" if kind == "SGD" else "adam"], fused=True, **options)


def trained(model, made, batches, images=False, loss=F.cross_entropy):
    batches = [(torch.from_numpy(x), torch.from_numpy(y).long()) for x, y in batches]
    if images:
        batches = [(x.permute(0, 3, 1, 2).contiguous(), y) for x, y in batches]
        if LAST:
            model = model.to(memory_format=torch.channels_last)
            batches = [(x.contiguous(memory_format=torch.channels_last), y) for x, y in batches]

    def forward(x, y):
        return loss(model(x), y)

    if COMPILE:
        forward = torch.compile(forward, dynamic=False)

    def step(i):
        made.zero_grad(set_to_none=True)
        value = forward(*batches[i % len(batches)])
        value.backward()
        made.step()
        return value.item()

    return step


def tiny():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    return trained(model, optimizer("SGD", model.parameters()), arrays((16, 4), 3))


def mlp(batch, dtype="float32"):
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)).to(getattr(torch, dtype))
    return trained(model, optimizer("Adam", model.parameters()), arrays((batch, 784), 10, dtype))


def cnn(batch):
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))
    return trained(model, optimizer("Adam", model.parameters()), arrays((batch, 28, 28, 1), 10), images=True)


class Residual(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(),
            nn.Conv2d(outer, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer))
        self.short = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x):
        return F.relu(self.way(x) + self.short(x))


def resnet():
    blocks, inner = [], 16
    for outer in (16, 32, 64):
        blocks += [Residual(inner, outer, outer // inner), Residual(outer, outer, 1)]
        inner = outer
    model = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return trained(model, optimizer("SGD", model.parameters(), momentum=0.9), arrays((32, 32, 32, 3), 10), images=True)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


def lstm():
    model = Recurrent()
    return trained(model, optimizer("Adam", model.parameters()), arrays((32, 64, 64), 10))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, width = x.shape
        parts = self.qkv(self.norm1(x)).split(width, dim=2)
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in parts)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        width = GPT["width"]
        self.characters, self.places = nn.Embedding(GPT["characters"], width), nn.Embedding(GPT["length"], width)
        self.blocks = nn.Sequential(*[Block(width, GPT["heads"]) for _ in range(GPT["blocks"])])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, GPT["characters"], bias=False)
        self.register_buffer("at", torch.arange(GPT["length"]))

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.characters(x) + self.places(self.at))))


def gpt():
    model = Text()
    return trained(model, optimizer("AdamW", model.parameters(), weight_decay=0.01),
                   arrays((GPT["texts"], GPT["length"]), GPT["characters"], None),
                   loss=lambda z, y: F.cross_entropy(z.view(-1, GPT["characters"]), y.view(-1)))


serve("torch %s, %s, %s" % (torch.__version__, torch.backends.cpu.get_cpu_capability(),
                            "MKL" if torch.backends.mkl.is_available() else "no MKL"),
      {"tiny_mlp": tiny, "mlp_b32": lambda: mlp(32), "mlp_b128": lambda: mlp(128), "mlp_b512": lambda: mlp(512),
       "mlp_b32_f64": lambda: mlp(32, "float64"), "cnn_b32": lambda: cnn(32), "cnn_b128": lambda: cnn(128),
       "resnet": resnet, "lstm": lstm, "gpt_mini": gpt},
      "+".join(wishes) or "eager")
