"""Every fused function equals the plainest loop that says the same: one `Value` after the other, forward and backward.

Nothing is vectorized here, nothing is fused, no derivative is written down: what the chapters say with loops is what the package does.
"""

import math
import random

import numpy as np
import pytest

from mlcourse import autograd as A
from mlcourse import nn
from mlcourse.autograd import Tensor, Value
from mlcourse.language.word2vec import skip_gram_step


def log(x):
    return Value(math.log(x.data), [(x, 1 / x.data)])


def largest(values):
    return max(values, key=lambda value: value.data)  # of equal ones the first


def mean(values):
    return sum(values) / len(values)


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def linear(X, W, b):
    return [
        [sum(x * w for x, w in zip(row, column, strict=True)) + c for column, c in zip(W.T, b, strict=True)]
        for row in X
    ]


def softmax(X):
    rows = []
    for row in X:
        top = largest(row)
        powers = [(x - top).exp() for x in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def log_softmax(X):
    return [[log(p) for p in row] for row in softmax(X)]


def gelu(X):
    return [[0.5 * x * (1 + ((x + 0.044715 * x**3) * math.sqrt(2 / math.pi)).tanh()) for x in row] for row in X]


def standardize(values, eps=1e-5):
    center = mean(values)
    variance = mean([(value - center) ** 2 for value in values])
    return [(value - center) * (variance + eps) ** -0.5 for value in values]


def layer_norm(X, weight, bias):
    return [[h * w + b for h, w, b in zip(standardize(row), weight, bias, strict=True)] for row in X]


def batch_norm(X, weight, bias):
    columns = [[h * w + b for h in standardize(column)] for column, w, b in zip(X.T, weight, bias, strict=True)]
    return np.transpose(columns)


def attention(Q, K, V):
    rows = []
    for q in Q:
        scores = [sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q)) for k in K]
        (shares,) = softmax([scores])
        rows.append([sum(share * v for share, v in zip(shares, column, strict=True)) for column in V.T])
    return rows


def causal_attention(Q, K, V):
    return [attention(Q[i : i + 1], K[: i + 1], V[: i + 1])[0] for i in range(len(Q))]


def conv2d(images, filters, bias, stride=2, padding=1):
    y = []
    for image in np.pad(images, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=Value(0)):
        for weight, b in zip(filters, bias, strict=True):
            (_, kh, kw), (_, h, w) = weight.shape, image.shape
            for i in range(0, h - kh + 1, stride):
                y += [sum((image[:, i : i + kh, j : j + kw] * weight).ravel(), b) for j in range(0, w - kw + 1, stride)]
    return y


def pool(images, choose):
    y = []
    for image in images.reshape(-1, *images.shape[2:]):
        for i in range(0, image.shape[0] - 1, 2):
            y += [choose(image[i : i + 2, j : j + 2].ravel()) for j in range(0, image.shape[1] - 1, 2)]
    return y


def rnn(X, h, Wx, Wh, b):
    states = []
    for x in X:
        a = np.array(linear(x, Wx, b)) + linear(h, Wh, [0] * len(Wh))
        h = np.vectorize(Value.tanh)(a)
        states.append(h)
    return states


def mse(X, target):
    return [mean([(x - t) ** 2 for x, t in zip(X.ravel(), target.ravel(), strict=True)])]


def cross_entropy(X, labels):
    return [mean([-log(row[label]) for row, label in zip(softmax(X), labels, strict=True)])]


def binary_cross_entropy(X, target):
    pairs = [(sigmoid(x), t) for x, t in zip(X.ravel(), target.ravel(), strict=True)]
    return [mean([-log(p) * t - log(1 - p) * (1 - t) for p, t in pairs])]


def kl_divergence(log_q, p):
    return [
        mean([sum((math.log(b) - a) * b for a, b in zip(*rows, strict=True)) for rows in zip(log_q, p, strict=True)])
    ]


def some(*shape):
    return lambda rng: rng.normal(size=shape)


SMALL = [some(3, 4)]
CASES = {
    "linear": (linear, A.linear, [some(3, 2), some(2, 4), some(4)]),
    "softmax": (softmax, A.softmax, SMALL),
    "log_softmax": (log_softmax, A.log_softmax, SMALL),
    "gelu": (gelu, A.gelu, SMALL),
    "layer_norm": (layer_norm, A.layer_norm, [some(3, 4), some(4), some(4)]),
    "batch_norm": (batch_norm, lambda *a: A.batch_norm(*a)[0], [some(4, 3), some(3), some(3)]),
    "attention": (attention, A.attention, [some(3, 2), some(4, 2), some(4, 3)]),
    "causal attention": (
        causal_attention, lambda q, k, v: A.attention(q, k, v, A.causal_mask(4)), [some(4, 2), some(4, 2), some(4, 3)],
    ),
    "conv2d": (conv2d, lambda *a: A.conv2d(*a, stride=2, padding=1), [some(2, 2, 3, 4), some(2, 2, 2, 2), some(2)]),
    "max_pool": (lambda x: pool(x, largest), A.max_pool, [lambda rng: rng.integers(0, 3, (2, 2, 4, 5))]),
    "average_pool": (lambda x: pool(x, mean), A.average_pool, [some(2, 2, 4, 5)]),
    "rnn": (rnn, A.rnn, [some(3, 2, 2), some(2, 3), some(2, 3), some(3, 3), some(3)]),
}  # fmt: skip
LOSSES = {
    "mse": (mse, nn.mse_loss, lambda rng: rng.normal(size=(3, 4))),
    "cross_entropy": (cross_entropy, nn.cross_entropy, lambda rng: rng.integers(0, 4, 3)),
    "binary_cross_entropy": (binary_cross_entropy, nn.binary_cross_entropy, lambda rng: rng.random((3, 4))),
    "kl_divergence": (kl_divergence, nn.kl_divergence, lambda rng: rng.dirichlet(np.ones(4), 3)),
}


def assert_same(loop, fast, arrays, rng, note):
    values = [np.vectorize(Value, otypes=[object])(array) for array in arrays]
    tensors = [Tensor(array, requires_grad=True, dtype=np.float64) for array in arrays]
    slow, y = np.ravel(np.array(loop(*values), dtype=object)), fast(*tensors)
    np.testing.assert_allclose(y.data.ravel(), [value.data for value in slow], atol=1e-10, err_msg=note)
    weights = rng.normal(size=y.shape)
    sum((value * weight for value, weight in zip(slow, weights.ravel(), strict=True)), Value(0)).backward()
    y.backward(weights)
    for number, (x, array) in enumerate(zip(tensors, values, strict=True)):
        gradients = np.reshape([value.grad for value in array.ravel()], array.shape)
        np.testing.assert_allclose(x.grad, gradients, atol=1e-8, err_msg=f"gradient {number}, {note}")


@pytest.mark.parametrize("name", CASES)
def test_functions(name):
    loop, fast, makers = CASES[name]
    for seed in range(30):
        rng = np.random.default_rng(seed)
        assert_same(loop, fast, [make(rng) for make in makers], rng, f"seed {seed}")


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    loop, fast, make = LOSSES[name]
    for seed in range(30):
        rng = np.random.default_rng(seed)
        target = make(rng)
        assert_same(
            lambda x, t=target: loop(x, t),
            lambda x, t=target: fast(x, t),
            [rng.normal(size=(3, 4))],
            rng,
            f"seed {seed}",
        )


def sgd(w, gradients, lr=0.1, momentum=0.9, nesterov=False):
    v = 0.0
    for g in gradients:
        v = momentum * v + g
        w -= lr * (g + momentum * v if nesterov else v)
        yield w


def adagrad(w, gradients, lr=0.01, eps=1e-10):
    squares = 0.0
    for g in gradients:
        squares += g**2
        w -= lr * g / (math.sqrt(squares) + eps)
        yield w


def rmsprop(w, gradients, lr=0.01, alpha=0.99, eps=1e-8):
    average = 0.0
    for g in gradients:
        average = alpha * average + (1 - alpha) * g**2
        w -= lr * g / (math.sqrt(average) + eps)
        yield w


def adam(w, gradients, lr=0.001, betas=(0.9, 0.999), eps=1e-8, decay=0.0):
    m = s = 0.0
    for t, g in enumerate(gradients, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * g**2
        w -= lr * decay * w
        w -= lr * (m / (1 - betas[0] ** t)) / (math.sqrt(s / (1 - betas[1] ** t)) + eps)
        yield w


OPTIMIZERS = {
    "SGD": (lambda w, g: sgd(w, g, momentum=0.0), lambda w: nn.SGD(w, lr=0.1)),
    "momentum": (sgd, lambda w: nn.SGD(w, lr=0.1, momentum=0.9)),
    "Nesterov": (lambda w, g: sgd(w, g, nesterov=True), lambda w: nn.SGD(w, lr=0.1, momentum=0.9, nesterov=True)),
    "AdaGrad": (adagrad, nn.AdaGrad),
    "RMSProp": (rmsprop, nn.RMSProp),
    "Adam": (adam, nn.Adam),
    "AdamW": (lambda w, g: adam(w, g, decay=0.01), nn.AdamW),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_for_50_steps(name):
    loop, make = OPTIMIZERS[name]
    choose = random.Random(0)
    starts, gradients = (
        [choose.gauss(0, 1) for _ in range(3)],
        [[choose.gauss(0, 1) for _ in range(50)] for _ in range(3)],
    )
    w = nn.Parameter(starts, dtype=np.float64)
    optimizer = make([w])
    paths = [loop(*one) for one in zip(starts, gradients, strict=True)]
    for g in np.transpose(gradients):
        w.grad = g
        optimizer.step()
        np.testing.assert_allclose(w.data, [next(path) for path in paths], rtol=1e-12)


def test_skip_gram():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        W, C = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
        centers, targets, lr = rng.integers(0, 4, 5), rng.integers(0, 4, (5, 3)), 0.1
        dW, dC = np.zeros_like(W), np.zeros_like(C)
        for center, words in zip(centers, targets, strict=True):
            for place, word in enumerate(words):
                score = sum(W[center, k] * C[word, k] for k in range(3))
                error = 1 / (1 + math.exp(-score)) - (place == 0)
                for k in range(3):
                    dW[center, k] += error * C[word, k]
                    dC[word, k] += error * W[center, k]
        W2, C2 = W - lr * dW, C - lr * dC
        skip_gram_step(W, C, centers, targets, lr)
        np.testing.assert_allclose(W, W2, atol=1e-12)
        np.testing.assert_allclose(C, C2, atol=1e-12)
