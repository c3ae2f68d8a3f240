"""Neural networks: the same model, parameters, data and steps in mlcourse and in PyTorch.

Every piece of work returns a loss or a sum; equal numbers in the first run show that the libraries did the same.
"""

import itertools

import numpy as np
from benchmarks.from_scratch.runner import Case


def _digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def _copy(ours, theirs):
    """Give a torch module the parameters of ours, in the order in which both list them; torch has linear weights transposed."""
    import torch

    with torch.no_grad():
        for w, p in zip(ours.parameters(), theirs.parameters(), strict=True):
            p.copy_(torch.tensor(w.data if tuple(p.shape) == w.shape and w.ndim != 2 else w.data.T))


def _batches(n, size=64, seed=0):
    order = np.random.default_rng(seed).permutation(n)
    return [order[i : i + size] for i in range(0, n, size)]


# ------------------------------------------------------------------------------------------------------ multilayer perceptron


def _mlp(sizes):
    from mlcourse import nn

    rng, layers = np.random.default_rng(0), []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, rng=rng), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_ours(sizes):
    from mlcourse import nn

    model, (X, y) = _mlp(sizes), _digits()
    optimizer = nn.Adam(model.parameters())

    def epoch():
        for batch in _batches(len(X)):
            loss = nn.cross_entropy(model(X[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    return epoch


def mlp_torch(sizes, fused=None):
    import torch

    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    _copy(_mlp(sizes), model)
    X, y = map(torch.tensor, _digits())
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)

    def epoch():
        for batch in map(torch.from_numpy, _batches(len(X))):
            loss = torch.nn.functional.cross_entropy(model(X[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    return epoch


def mlp_autograd(sizes):
    """The package autograd, with parameters and Adam as its own examples write them."""
    import autograd.numpy as anp
    from autograd import grad
    from autograd.misc.flatten import flatten

    arrays = [p.data.copy() for p in _mlp(sizes).parameters()]
    w, unflatten = flatten(list(zip(arrays[::2], arrays[1::2], strict=True)))
    w = w.astype(np.float32)
    X, y = _digits()
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0

    def loss(w, x, labels):
        *hidden, (W, b) = unflatten(w)
        for V, c in hidden:
            x = anp.maximum(anp.dot(x, V) + c, 0)
        z = anp.dot(x, W) + b
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(labels)), labels])

    gradient = grad(loss)

    def epoch():
        nonlocal w, m, v, t
        for batch in _batches(len(X)):
            before = w
            g = gradient(w, X[batch], y[batch])
            t += 1
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w = w - 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return loss(before, X[batch], y[batch])

    return epoch


# ------------------------------------------------------------------------------------------------- a small net on two moons


def _moons():
    from sklearn.datasets import make_moons

    X, y = make_moons(100, noise=0.1, random_state=0)
    return X.astype(np.float32), y


def moons_ours(sizes):
    from mlcourse import nn

    model, (X, y) = _mlp(sizes), _moons()
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    def step():
        loss = nn.binary_cross_entropy(model(X)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def moons_torch(sizes):
    import torch

    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    _copy(_mlp(sizes), model)
    X, y = _moons()
    X, y = torch.tensor(X), torch.tensor(y, dtype=torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step():
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(X)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def moons_micrograd(sizes):
    """micrograd has no logarithm: its own example takes the hinge loss."""
    from micrograd.nn import MLP

    X, y = _moons()
    model = MLP(sizes[0], list(sizes[1:]))

    def step():
        scores = [model(list(map(float, row))) for row in X]
        loss = sum((1 - (2 * int(label) - 1) * score).relu() for label, score in zip(y, scores, strict=True)) * (
            1 / len(y)
        )
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad

    return step


# -------------------------------------------------------------------------------------------------------------- convolution


def _images(batch, channels, side):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, channels, side, side)).astype(np.float32), rng.integers(0, 10, batch)


def _convnet(channels, side):
    from mlcourse import nn

    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool(2),
        nn.Conv2d(16, 32, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool(2),
        nn.Flatten(),
        nn.Linear(32 * (side // 4) ** 2, 10, rng=rng),
    )


def convnet_ours(batch, channels, side):
    from mlcourse import nn

    model, (x, y) = _convnet(channels, side), _images(batch, channels, side)

    def gradients():
        model.zero_grad()
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        return loss.item()

    return gradients


def convnet_torch(batch, channels, side):
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (side // 4) ** 2, 10),
    )
    _copy(_convnet(channels, side), model)
    x, y = map(torch.tensor, _images(batch, channels, side))

    def gradients():
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss.item()

    return gradients


# ---------------------------------------------------------------------------------------------------------------------- GPT


def _tokens(batch, length, vocabulary):
    tokens = np.random.default_rng(0).integers(0, vocabulary, (batch, length + 1))
    return tokens[:, :-1], tokens[:, 1:]


def _gpt(vocabulary, length, d, heads, layers):
    from mlcourse import nn
    from mlcourse.autograd import causal_mask

    class GPT(nn.Module):
        def __init__(self):
            rng = np.random.default_rng(0)
            self.tokens, self.places = nn.Embedding(vocabulary, d, rng), nn.Embedding(length, d, rng)
            self.blocks = [nn.Block(d, heads, rng=rng) for _ in range(layers)]
            self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, vocabulary, rng=rng)

        def forward(self, tokens):
            x = self.tokens(tokens) + self.places(np.arange(tokens.shape[1]))
            for block in self.blocks:
                x = block(x, mask=causal_mask(tokens.shape[1]))
            return self.head(self.norm(x))

    return GPT()


def gpt_ours(batch, length, d, heads, layers, vocabulary=65):
    from mlcourse import nn

    model, (x, y) = _gpt(vocabulary, length, d, heads, layers), _tokens(batch, length, vocabulary)
    optimizer = nn.AdamW(model.parameters())

    def step():
        loss = nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def gpt_torch(batch, length, d, heads, layers, vocabulary=65):
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1 = nn.LayerNorm(d)
            self.qkv, self.output = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.norm2, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x):
            parts = self.qkv(self.norm1(x)).split(d, dim=2)
            q, k, v = (part.view(batch, length, heads, -1).transpose(1, 2) for part in parts)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.output(y.transpose(1, 2).reshape(batch, length, d))
            return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(vocabulary, d), nn.Embedding(length, d)
            self.blocks = nn.ModuleList(Block() for _ in range(layers))
            self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, vocabulary)

        def forward(self, tokens):
            x = self.tokens(tokens) + self.places.weight
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    model, (x, y) = GPT(), map(torch.tensor, _tokens(batch, length, vocabulary))
    _copy_gpt(_gpt(vocabulary, length, d, heads, layers), model)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        loss = F.cross_entropy(model(x).view(-1, vocabulary), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _copy_gpt(ours, theirs):
    import torch

    def linear(target, *sources):
        target.weight.copy_(torch.tensor(np.concatenate([source.weight.data.T for source in sources])))
        target.bias.copy_(torch.tensor(np.concatenate([source.bias.data for source in sources])))

    with torch.no_grad():
        theirs.tokens.weight.copy_(torch.tensor(ours.tokens.weight.data))
        theirs.places.weight.copy_(torch.tensor(ours.places.weight.data))
        for block, b in zip(ours.blocks, theirs.blocks, strict=True):
            linear(b.qkv, block.attention.query, block.attention.key, block.attention.value)
            linear(b.output, block.attention.output)
            linear(b.up, block.network.layers[0])
            linear(b.down, block.network.layers[2])
        linear(theirs.head, ours.head)


# --------------------------------------------------------------------------------------------------------------------- LSTM


def lstm_ours(length, batch, units):
    from mlcourse import nn

    layer = nn.LSTM(units, units, rng=0)
    x = np.random.default_rng(0).normal(size=(batch, length, units)).astype(np.float32)

    def gradients():
        layer.zero_grad()
        outputs, _ = layer(x)
        loss = (outputs**2).sum()
        loss.backward()
        return loss.item()

    return gradients


def lstm_torch(length, batch, units):
    import torch

    from mlcourse import nn

    ours, layer = nn.LSTM(units, units, rng=0), torch.nn.LSTM(units, units, batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(ours.input_weight.data.T))
        layer.weight_hh_l0.copy_(torch.tensor(ours.state_weight.data.T))
        layer.bias_ih_l0.copy_(torch.tensor(ours.biases[0].data))
        layer.bias_hh_l0.zero_()
    x = torch.tensor(np.random.default_rng(0).normal(size=(batch, length, units)).astype(np.float32))

    def gradients():
        layer.zero_grad()
        outputs, _ = layer(x)
        loss = (outputs**2).sum()
        loss.backward()
        return loss.item()

    return gradients


CASES = [
    Case(
        "MLP epoch",
        {"64-128-64-10": {"sizes": (64, 128, 64, 10)}, "64-512-512-10": {"sizes": (64, 512, 512, 10)}},
        {
            "mlcourse": mlp_ours,
            "torch": mlp_torch,
            "torch, fused Adam": lambda sizes: mlp_torch(sizes, fused=True),
            "autograd": mlp_autograd,
        },
        "torch",
        1.0,
    ),
    Case(
        "two moons step",
        {"2-16-16-1": {"sizes": (2, 16, 16, 1)}},
        {"mlcourse": moons_ours, "torch": moons_torch, "micrograd": moons_micrograd},
        "torch",
        1.0,
    ),
    Case(
        "convolution net, gradients",
        {
            "64 × 1 × 8 × 8": {"batch": 64, "channels": 1, "side": 8},
            "64 × 3 × 32 × 32": {"batch": 64, "channels": 3, "side": 32},
        },
        {"mlcourse": convnet_ours, "torch": convnet_torch},
        "torch",
        3.0,
    ),
    Case(
        "GPT step",
        {
            "2 blocks of 64": {"batch": 16, "length": 64, "d": 64, "heads": 4, "layers": 2},
            "2 blocks of 128": {"batch": 16, "length": 64, "d": 128, "heads": 4, "layers": 2},
        },
        {"mlcourse": gpt_ours, "torch": gpt_torch},
        "torch",
        3.0,
    ),
    Case(
        "LSTM, gradients",
        {"64 units": {"length": 64, "batch": 32, "units": 64}, "128 units": {"length": 64, "batch": 32, "units": 128}},
        {"mlcourse": lstm_ours, "torch": lstm_torch},
        "torch",
        3.0,
    ),
]
