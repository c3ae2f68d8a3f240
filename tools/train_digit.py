"""Train the network of the explorable `digit` and write its weights beside it.

Run it with `.venv/bin/python tools/train_digit.py`; it takes a minute and needs PyTorch. It learns from the first 1,347 digits;
the 450 that are kept for the test were written by other people (book/math/vectors.md says why that matters).
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from mlcourse.data import load_digits

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/mlcourse/explorables/digit.json"
N_TRAIN, EPOCHS, BATCH, LEARNING_RATE = 1347, 120, 64, 8e-3


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the same sums in the same order
    digits = load_digits()
    X = torch.tensor(digits.X / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(digits.y)
    network = train(X[:N_TRAIN], y[:N_TRAIN])
    layers = [packed(module) for module in network if hasattr(module, "weight")]
    TARGET.write_text(json.dumps({"layers": layers, "examples": examples(digits)}) + "\n", encoding="utf-8")
    with torch.no_grad():
        right = (network(X[N_TRAIN:]).argmax(1) == y[N_TRAIN:]).double().mean().item()
    print(
        f"{right:.1%} of the {len(X) - N_TRAIN} digits that were kept, before rounding; {TARGET.stat().st_size} bytes"
    )


def train(X, y):
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(256, 10),
    )
    steps = EPOCHS * -(-len(X) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(network(distorted(X[batch])), y[batch], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def distorted(X):
    """Turn, slant, stretch and shift each image a little, and change its ink: a mouse draws less neatly than a pen."""

    def draw(low, high):
        return torch.empty(len(X)).uniform_(low, high)

    angle, slant = draw(-0.25, 0.25), draw(-0.25, 0.25)
    first = torch.stack([draw(0.85, 1.2) * angle.cos(), slant - angle.sin(), draw(-0.2, 0.2)], 1)
    second = torch.stack([angle.sin(), draw(0.9, 1.1) * angle.cos(), draw(-0.12, 0.12)], 1)
    grid = F.affine_grid(torch.stack([first, second], 1), X.shape, align_corners=False)
    ink = draw(0.8, 1.5)[:, None, None, None]
    return (F.grid_sample(X, grid, align_corners=False) * ink).clamp(0, 1)


def packed(module):
    """One byte for each weight, and one scale for the layer."""
    weights = module.weight.detach().double().numpy()
    scale = np.abs(weights).max() / 127
    rounded = np.round(weights / scale).astype(np.int8)
    bias = module.bias.detach().double().numpy().round(5)
    text = base64.b64encode(rounded.tobytes()).decode()
    return {"shape": list(weights.shape), "scale": float(f"{scale:.7g}"), "weights": text, "bias": bias.tolist()}


def examples(digits):
    """The first kept image of each digit, as 64 figures of base 17."""
    chosen = [N_TRAIN + int(np.argmax(digits.y[N_TRAIN:] == label)) for label in (3, 7, 0, 8, 5, 2, 9, 4, 6, 1)]
    figures = "0123456789abcdefg"
    return [{"label": int(digits.y[i]), "image": "".join(figures[int(v)] for v in digits.X[i])} for i in chosen]


if __name__ == "__main__":
    main()
