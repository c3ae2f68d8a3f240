"""Losses equal torch's, forward and backward, and refuse what torch would compute without a word."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mlcourse import nn
from mlcourse.autograd import Tensor, log_softmax
from mlcourse.shapes import ShapeError
from tests.autograd.oracle import equals_torch


def problems():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        yield seed, rng, tuple(int(s) for s in rng.integers(1, 5, rng.integers(0, 4)))


def test_mse():
    for seed, rng, shape in problems():
        target = rng.normal(size=shape)
        equals_torch(
            lambda x, t=target: nn.mse_loss(x, t),
            lambda x, t=target: F.mse_loss(x, torch.tensor(t)),
            rng.normal(size=shape),
            differences=seed < 20,
        )


def test_cross_entropy_over_any_leading_axes():
    for seed, rng, shape in problems():
        classes = int(rng.integers(1, 5))
        labels = rng.integers(0, classes, shape)
        equals_torch(
            lambda z, y=labels: nn.cross_entropy(z, y),
            lambda z, y=labels, k=classes: F.cross_entropy(z.reshape(-1, k), torch.tensor(y).reshape(-1)),
            rng.normal(size=(*shape, classes)) * 10 ** rng.integers(0, 3),
            differences=seed < 20,
        )


def test_binary_cross_entropy_with_hard_and_soft_targets():
    for seed, rng, shape in problems():
        target = rng.integers(0, 2, shape).astype(float) if seed % 2 else rng.random(shape)
        equals_torch(
            lambda z, t=target: nn.binary_cross_entropy(z, t),
            lambda z, t=target: F.binary_cross_entropy_with_logits(z, torch.tensor(t)),
            rng.normal(size=shape) * 10 ** rng.integers(0, 3),
            differences=seed < 20,
        )


def test_kl_divergence():
    for seed, rng, shape in problems():
        p = rng.dirichlet(np.full(4, 0.5), size=shape)
        if seed % 3 == 0:
            p = np.eye(4)[rng.integers(0, 4, shape)]
        equals_torch(
            lambda z, p=p: nn.kl_divergence(log_softmax(z), p),
            lambda z, p=p: F.kl_div(
                z.log_softmax(-1).reshape(-1, 4), torch.tensor(p).reshape(-1, 4), reduction="batchmean"
            ),
            rng.normal(size=(*shape, 4)),
            differences=seed < 20,
        )


def test_huge_logits_neither_overflow_nor_lose_the_gradient():
    z = Tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = nn.cross_entropy(z, [0, 0])
    loss.backward()
    assert loss.item() == 1e4
    np.testing.assert_array_equal(z.grad, [[0, 0], [-0.5, 0.5]])
    z = Tensor([1e4, -1e4], requires_grad=True)
    loss = nn.binary_cross_entropy(z, [0, 1])
    loss.backward()
    assert loss.item() == 1e4
    np.testing.assert_array_equal(z.grad, [0.5, -0.5])


def test_the_inputs_stay_as_they_are():
    z = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    kept, labels = z.copy(), np.array([0, 1, 2])
    x = Tensor(z, requires_grad=True)
    nn.cross_entropy(x, labels).backward()
    nn.mse_loss(x, kept).backward()
    np.testing.assert_array_equal(z, kept)
    assert labels.tolist() == [0, 1, 2]


n1, n, n2 = Tensor(np.zeros((4, 1))), Tensor(np.zeros(4)), Tensor(np.zeros((4, 2)))
BAD = {
    "mse, column against vector": (lambda: nn.mse_loss(n1, n.data), ShapeError, ["mse_loss", "(n 4, axis1 1)", "(4)", "prediction[:, 0]"]),
    "mse, vector against column": (lambda: nn.mse_loss(n, n1.data), ShapeError, ["(n 4)", "(4, 1)", "broadcasting"]),
    "mse, lengths": (lambda: nn.mse_loss(n, np.zeros(5)), ShapeError, ["(5,)", "n must be 4, as in prediction"]),
    "mse, NaN": (lambda: nn.mse_loss(n, [0, 0, np.nan, 0]), ValueError, ["target", "1 NaN or infinite values of 4"]),
    "mse, infinite": (lambda: nn.mse_loss(Tensor([np.inf]), [0]), ValueError, ["prediction", "learning rate"]),
    "mse, nothing": (lambda: nn.mse_loss(Tensor([]), []), ValueError, ["empty"]),
    "binary, column against vector": (lambda: nn.binary_cross_entropy(n1, n.data), ShapeError, ["target of shape (4,)"]),
    "binary, labels -1 and 1": (lambda: nn.binary_cross_entropy(n, [-1, 1, 1, 1]), ValueError, ["from 0 to 1", "-1 to 1"]),
    "binary, infinite": (lambda: nn.binary_cross_entropy(Tensor([np.inf]), [1]), ValueError, ["infinite"]),
    "cross-entropy, label too large": (lambda: nn.cross_entropy(n2, [0, 1, 2, 0]), IndexError, ["labels", "from 0 to 1", "got 2"]),
    "cross-entropy, label -1": (lambda: nn.cross_entropy(n2, [0, 1, -1, 0]), IndexError, ["got -1"]),
    "cross-entropy, floats": (lambda: nn.cross_entropy(n2, np.zeros(4)), TypeError, ["integers", "float64", "astype(int)"]),
    "cross-entropy, column": (lambda: nn.cross_entropy(n2, np.zeros((4, 1), int)), ShapeError, ["labels[:, 0]"]),
    "cross-entropy, one-hot": (lambda: nn.cross_entropy(n2, np.eye(2, dtype=int)[[0, 1, 1, 0]]), ShapeError, ["argmax(-1)"]),
    "cross-entropy, length": (lambda: nn.cross_entropy(n2, [0, 1]), ShapeError, ["(n 4, classes 2)", "n must be 4, as in logits"]),
    "cross-entropy, one number": (lambda: nn.cross_entropy(Tensor(1.0), 0), ShapeError, ["cross_entropy cannot take logits"]),
    "cross-entropy, sequences": (lambda: nn.cross_entropy(np.zeros((2, 5, 3)), np.zeros((2, 4), int)), ShapeError, ["axis1 must be 5"]),
    "cross-entropy, NaN": (lambda: nn.cross_entropy(Tensor([[np.nan, 0.0]]), [1]), ValueError, ["logits", "1 NaN"]),
    "cross-entropy, -inf": (lambda: nn.cross_entropy(Tensor([[-np.inf, 0.0]]), [1]), ValueError, ["logits"]),
    "cross-entropy, nothing": (lambda: nn.cross_entropy(Tensor(np.zeros((0, 2))), np.zeros(0, int)), ValueError, ["empty"]),
    "KL, counts": (lambda: nn.kl_divergence(n2, np.ones((4, 2))), ValueError, ["add up to 1", "softmax"]),
    "KL, negative": (lambda: nn.kl_divergence(Tensor([0.0, 0.0]), [2, -1]), ValueError, ["add up to 1"]),
    "KL, shapes": (lambda: nn.kl_divergence(n2, np.ones(2) / 2), ShapeError, ["kl_divergence"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_means_nothing_is_refused(name):
    make, error, words = BAD[name]
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
