"""Value equals torch and Tensor on random expressions, and the longest computation needs no recursion."""

import inspect
import random

import pytest
import torch

from mlcourse.autograd import Tensor, Value
from mlcourse.autograd import value as module


def expression(seed, leaves):
    """A dozen random operations; leaves may be Values, torch scalars or Tensors."""
    choose, made = random.Random(seed), list(leaves)
    for _ in range(12):
        x, y = choose.choice(made), choose.choice(made)
        operations = [
            lambda x, y: x + y,
            lambda x, y: x * y,
            lambda x, y: x - y,
            lambda x, y: x / (y * y + 1),
            lambda x, _: -x * 0.5 + 1,
            lambda x, _: 2 * x + x**2,
            lambda x, _: x.tanh(),
            lambda x, _: x.relu(),
            lambda x, _: (x.tanh() * 0.5).exp(),
            lambda x, _: (x.tanh() + 2) ** -1.5,
            lambda x, _: 1 - x / 2,
            lambda x, _: 3 / (x * x + 2),
        ]
        made.append(choose.choice(operations)(x, y).tanh())
    return made[-1] * made[-2] + made[-3]


def test_equals_torch_and_tensor_on_300_random_expressions():
    for seed in range(300):
        numbers = [random.Random(seed).gauss(0, 1) for _ in range(3)]
        ours = [Value(x) for x in numbers]
        theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
        arrays = [Tensor(x, requires_grad=True, dtype=float) for x in numbers]
        results = [expression(seed, leaves) for leaves in (ours, theirs, arrays)]
        for result in results:
            result.backward()
        assert results[0].data == pytest.approx(results[1].item(), abs=1e-12), seed
        for x, t, a in zip(ours, theirs, arrays, strict=True):
            assert x.grad == pytest.approx(0 if t.grad is None else t.grad.item(), abs=1e-10), seed
            assert x.grad == pytest.approx(0 if a.grad is None else a.grad.item(), abs=1e-10), seed


def test_a_computation_of_100_000_steps():
    x = Value(1)
    y = x
    for _ in range(100_000):
        y = y + 0
    y.backward()
    assert x.grad == 1


def test_it_is_short_enough_for_one_lesson():
    assert len(inspect.getsource(module).splitlines()) <= 80
