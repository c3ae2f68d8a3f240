"""The plain loops of the chapter on the multilayer perceptron equal the package's layers, losses and training, and PyTorch's."""

import numpy as np
import pytest
import torch

from mlcourse import nn
from mlcourse.authoring.myst import read_notebook
from mlcourse.autograd import Tensor
from tests.conftest import ROOT

DOUBLE = {"dtype": torch.float64}


def from_chapter(*names):
    """The functions of the chapter, as they stand there."""
    namespace = {"np": np}
    for cell in read_notebook(ROOT / "book/neural/multilayer-perceptron.md")[1]:
        if cell.kind == "code" and any(cell.source.startswith(f"def {name}(") for name in names):
            exec(cell.source.split("\n\n\n")[0], namespace)
    return [namespace[name] for name in names]


@pytest.mark.parametrize("seed", range(20))
def test_linear_with_loops(seed):
    (linear,) = from_chapter("linear_with_loops")
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(1, 6, size=3)
    layer = nn.Linear(d, k, rng=rng).to(np.float64)
    X = rng.normal(size=(n, d))
    W, b = layer.weight.data, layer.bias.data
    np.testing.assert_allclose(linear(X, W, b), layer(Tensor(X, dtype=np.float64)).data, atol=1e-12)
    theirs = torch.nn.functional.linear(torch.tensor(X), torch.tensor(W.T), torch.tensor(b))
    np.testing.assert_allclose(linear(X, W, b), theirs, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_cross_entropy_with_loops(seed):
    (cross_entropy,) = from_chapter("cross_entropy_with_loops")
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 7, size=2)
    Z, y = rng.normal(size=(n, k)) * 10.0 ** rng.integers(-1, 4), rng.integers(k, size=n)
    ours = nn.cross_entropy(Tensor(Z, dtype=np.float64), y).item()
    theirs = torch.nn.functional.cross_entropy(torch.tensor(Z), torch.tensor(y)).item()
    assert cross_entropy(Z, y) == pytest.approx(ours, abs=1e-12)
    assert cross_entropy(Z, y) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_gradients_by_hand_and_by_loops(seed):
    by_hand, by_loops = from_chapter("loss_and_gradients", "loss_and_gradients_with_loops")
    rng = np.random.default_rng(seed)
    n, d, h, k = rng.integers(1, 6, size=4)
    model = nn.Sequential(nn.Linear(d, h, rng=rng), nn.ReLU(), nn.Linear(h, k, rng=rng)).to(np.float64)
    X, y = rng.normal(size=(n, d)), rng.integers(k, size=n)
    parameters = [parameter.data for parameter in model.parameters()]
    loss = nn.cross_entropy(model(Tensor(X, dtype=np.float64)), y)
    loss.backward()
    for own_loss, gradients in (by_hand(X, y, *parameters), by_loops(X, y, *parameters)):
        assert own_loss == pytest.approx(loss.item(), abs=1e-12)
        for gradient, parameter in zip(gradients, model.parameters(), strict=True):
            np.testing.assert_allclose(gradient, parameter.grad, atol=1e-12)


def test_training_by_hand_takes_the_steps_of_the_package_and_of_torch():
    (by_hand,) = from_chapter("loss_and_gradients")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 6)), rng.integers(3, size=40)
    model = nn.Sequential(nn.Linear(6, 8, rng=rng), nn.ReLU(), nn.Linear(8, 3, rng=rng)).to(np.float64)
    theirs = torch.nn.Sequential(torch.nn.Linear(6, 8, **DOUBLE), torch.nn.ReLU(), torch.nn.Linear(8, 3, **DOUBLE))
    parameters = [parameter.data.copy() for parameter in model.parameters()]
    with torch.no_grad():
        for parameter, numbers in zip(theirs.parameters(), parameters, strict=True):
            parameter.copy_(torch.tensor(numbers.T))
    ours, reference = nn.SGD(model.parameters(), lr=0.3), torch.optim.SGD(theirs.parameters(), lr=0.3)
    for step in range(60):
        rows = np.arange(40)[step % 4 :: 4]
        loss, gradients = by_hand(X[rows], y[rows], *parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= 0.3 * gradient
        losses = [
            nn.cross_entropy(model(Tensor(X[rows], dtype=np.float64)), y[rows]),
            torch.nn.functional.cross_entropy(theirs(torch.tensor(X[rows])), torch.tensor(y[rows])),
        ]
        for other, optimizer in zip(losses, (ours, reference), strict=True):
            optimizer.zero_grad()
            other.backward()
            optimizer.step()
            assert loss == pytest.approx(other.item(), abs=1e-10)


@pytest.mark.parametrize(("activation", "factor"), [(np.tanh, 1), (lambda z: np.maximum(0, z), 0.5)])
def test_mean_square_of_a_signal_follows_the_rule_of_the_chapter(activation, factor):
    rng = np.random.default_rng(0)
    x = 0.01 * rng.normal(size=(2000, 400))  # small, where tanh is the identity
    z = x @ rng.normal(0, np.sqrt(1 / 400), (400, 300))
    assert np.mean(z**2) == pytest.approx(np.mean(x**2), rel=0.05)
    assert np.mean(activation(z) ** 2) == pytest.approx(factor * np.mean(z**2), rel=0.05)
