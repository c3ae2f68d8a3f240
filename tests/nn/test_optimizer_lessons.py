"""The loops that the chapter on optimizers shows, taken from its page, equal the package; its exercises' oracles equal torch."""

import inspect

import numpy as np
import pytest
import torch

from mlcourse import nn
from mlcourse.authoring.myst import read_notebook
from mlcourse.exercises.neural import optimizers as exercises
from tests.conftest import ROOT


def loops():
    """The functions ``*_step`` of the page, by name."""
    names = {}
    for cell in read_notebook(ROOT / "book/neural/optimizers.md")[1]:
        if cell.kind == "code" and "_step(w, g, " in cell.source:
            definitions = cell.source.split("\n\n\nfor ")[0].split("\n\n\nassert_same")[0]
            exec(
                "\n".join(line for line in definitions.split("\n") if line.startswith(("def ", " ")) or not line), names
            )
    return names


LOOPS = loops()
CASES = [
    ("sgd_step", nn.SGD, 0, {"lr": 0.1}),
    ("momentum_step", nn.SGD, 1, {"lr": 0.1, "momentum": 0.9}),
    ("momentum_step", nn.SGD, 1, {"lr": 0.05, "momentum": 0.5, "nesterov": True}),
    ("adagrad_step", nn.AdaGrad, 1, {"lr": 0.1, "eps": 1e-3}),
    ("rmsprop_step", nn.RMSProp, 1, {"lr": 0.1, "alpha": 0.8, "eps": 1e-3}),
    ("adam_step", nn.Adam, 2, {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}),
    ("adamw_step", nn.AdamW, 2, {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.2}),
]


@pytest.mark.parametrize(("name", "ours", "n_kept", "options"), CASES)
def test_the_loop_of_the_lesson_equals_the_package(name, ours, n_kept, options):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        w, kept = rng.normal(size=6), [np.zeros(6) for _ in range(n_kept)]
        parameter = nn.Parameter(w, dtype=np.float64)
        optimizer = ours([parameter], **options)
        for t in range(1, 51):
            g = rng.normal(size=6)
            parameter.grad = g.copy()
            LOOPS[name](w, g, *kept, t=t, **options)
            optimizer.step()
            np.testing.assert_allclose(w, parameter.data, rtol=1e-12, atol=0, err_msg=f"seed {seed}, step {t}")


def test_every_method_of_the_chapter_has_its_loop():
    shown = {name for name, value in LOOPS.items() if inspect.isfunction(value)}
    assert shown == {name for name, *_ in CASES}


def way_of_torch(make, w, gradients):
    parameter = torch.tensor(w, requires_grad=True)
    optimizer = make([parameter])
    way = [w]
    for g in gradients:
        parameter.grad = torch.tensor(g)
        optimizer.step()
        way.append(parameter.detach().numpy().copy())
    return np.array(way)


@pytest.mark.parametrize("seed", range(10))
def test_the_oracles_of_the_exercises_equal_torch(seed):
    rng = np.random.default_rng(seed)
    w, gradients = rng.normal(size=3), rng.normal(size=(12, 3))
    lr, beta1, beta2, eps = rng.uniform(0.01, 0.2), rng.uniform(0.5, 0.95), rng.uniform(0.8, 0.999), 1e-6

    for nesterov, oracle in ((False, exercises._momentum_oracle), (True, exercises._nesterov_oracle)):
        expected = way_of_torch(lambda p, n=nesterov: torch.optim.SGD(p, lr, momentum=beta1, nesterov=n), w, gradients)
        place, velocity = w, np.zeros(3)
        for g, there in zip(gradients, expected[1:], strict=True):
            place, velocity = oracle(place, velocity, g, lr, beta1)
            np.testing.assert_allclose(place, there)

    expected = way_of_torch(lambda p: torch.optim.Adagrad(p, lr, eps=eps), w, gradients)
    np.testing.assert_allclose(exercises._adagrad_oracle(w, gradients, lr, eps), expected)
    expected = way_of_torch(lambda p: torch.optim.Adam(p, lr, (beta1, beta2), eps), w, gradients)
    np.testing.assert_allclose(exercises._adam_oracle(w, gradients, lr, beta1, beta2, eps), expected)
    expected = way_of_torch(lambda p: torch.optim.AdamW(p, lr, weight_decay=0.3), w, gradients)
    place, m, s = w, np.zeros(3), np.zeros(3)
    for t, (g, there) in enumerate(zip(gradients, expected[1:], strict=True), 1):
        place, m, s = exercises._adamw_oracle(place, m, s, t, g, lr, 0.3)
        np.testing.assert_allclose(place, there)


def test_the_oracle_of_the_schedule_equals_the_package():
    for step in range(120):
        assert exercises._schedule_oracle(step, 100, 10, 0.3) == pytest.approx(0.3 * nn.warmup_cosine(100, 10)(step))
