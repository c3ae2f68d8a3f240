"""Optimizers equal torch.optim step by step, with every option; so do clipping and schedules."""

import numpy as np
import pytest
import torch

from mlcourse import nn
from mlcourse.nn import optim
from mlcourse.shapes import ShapeError

CASES = [
    (nn.SGD, torch.optim.SGD, {}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.1}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (nn.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
    (nn.AdaGrad, torch.optim.Adagrad, {}),
    (nn.AdaGrad, torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.1}),
    (nn.RMSProp, torch.optim.RMSprop, {}),
    (nn.RMSProp, torch.optim.RMSprop, {"lr": 0.1, "alpha": 0.5, "eps": 1e-3, "weight_decay": 0.1}),
    (nn.RMSProp, torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9}),
    (nn.Adam, torch.optim.Adam, {}),
    (nn.Adam, torch.optim.Adam, {"lr": 0.1, "betas": (0.5, 0.8), "eps": 1e-3}),
    (nn.Adam, torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.1}),
    (nn.AdamW, torch.optim.AdamW, {}),
    (nn.AdamW, torch.optim.AdamW, {"lr": 0.1, "betas": (0.5, 0.8), "weight_decay": 0.3}),
]
SHAPES = [(), (3,), (4, 2), (1, 1, 5)]


def both(ours, theirs, options, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in SHAPES]
    w = [nn.Parameter(array, dtype=np.float64) for array in arrays]
    t = [torch.tensor(array, requires_grad=True) for array in arrays]
    return rng, w, t, ours(w, **options), theirs(t, **({"lr": 0.01} | options if ours is nn.SGD else options))


def set_gradients(rng, w, t, missing=()):
    for number, (a, b) in enumerate(zip(w, t, strict=True)):
        if number in missing:
            a.grad = b.grad = None
        else:
            g = rng.normal(size=a.shape)
            a.grad, b.grad = g, torch.tensor(g)


def assert_same(w, t, note):
    for a, b in zip(w, t, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-12, atol=1e-14, err_msg=note)


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
@pytest.mark.parametrize("piece", [3, optim.PIECE])
def test_50_steps(ours, theirs, options, piece, monkeypatch):
    monkeypatch.setattr(optim, "PIECE", piece)  # pieces that end in the middle of a parameter
    rng, w, t, optimizer, reference = both(ours, theirs, options)
    for step in range(50):
        set_gradients(rng, w, t)
        optimizer.step()
        reference.step()
        assert_same(w, t, f"step {step}")


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_50_steps_in_32_bits(ours, theirs, options):
    rng = np.random.default_rng(0)
    array = rng.normal(size=30).astype(np.float32)
    w, t = nn.Parameter(array), torch.tensor(array, requires_grad=True)
    optimizer, reference = ours([w], **options), theirs([t], **({"lr": 0.01} | options if ours is nn.SGD else options))
    for _ in range(50):
        w.grad = rng.normal(size=30).astype(np.float32)
        t.grad = torch.tensor(w.grad)
        optimizer.step()
        reference.step()
    assert w.dtype == np.float32
    np.testing.assert_allclose(w.data, t.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("ours", "theirs", "options"), [case for case in CASES if "Adam" not in case[0].__name__])
def test_a_parameter_without_a_gradient_stays_as_in_torch(ours, theirs, options):
    rng, w, t, optimizer, reference = both(ours, theirs, options)
    for step in range(20):
        set_gradients(rng, w, t, missing={step % 4, (step + step // 4) % 4} if step % 3 else ())
        optimizer.step()
        reference.step()
        assert_same(w, t, f"step {step}")


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_the_gradients_are_not_changed(ours, theirs, options):
    rng, w, t, optimizer, _ = both(ours, theirs, options)
    set_gradients(rng, w, t)
    before = [a.grad.copy() for a in w]
    optimizer.step()
    for a, g in zip(w, before, strict=True):
        np.testing.assert_array_equal(a.grad, g)


def test_the_learning_rate_may_change_between_steps():
    rng, w, t, optimizer, reference = both(nn.Adam, torch.optim.Adam, {"lr": 0.1})
    for step in range(10):
        set_gradients(rng, w, t)
        optimizer.lr = reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimizer.step()
        reference.step()
    assert_same(w, t, "")


def test_an_array_given_to_a_parameter_by_hand_is_kept():
    w = nn.Parameter(np.ones((2, 3)))
    optimizer = nn.SGD([w], lr=1.0)
    for start in (5.0, 7.0):
        w.data = np.full((3, 2), start, np.float32).T  # in another order of memory
        w.grad = np.ones((3, 2), np.float32).T
        optimizer.step()
        assert w.data.tolist() == [[start - 1] * 3] * 2


def test_two_optimizers_may_share_a_parameter():
    w = nn.Parameter([10.0])
    one, two = nn.SGD([w], lr=1.0), nn.SGD([w], lr=2.0)
    for optimizer, expected in ((one, 9), (two, 7), (one, 6), (one, 5), (two, 3)):
        w.grad = np.ones(1, np.float32)
        optimizer.step()
        assert w.data.tolist() == [expected]


def test_a_parameter_that_is_listed_twice_is_changed_once():
    w = nn.Parameter([1.0])
    optimizer = nn.SGD([w, w], lr=1.0)
    w.grad = np.ones(1, np.float32)
    optimizer.step()
    assert w.data.tolist() == [0]


def test_a_model_that_was_converted_afterwards_is_refused():
    model = nn.Linear(2, 1)
    optimizer = nn.SGD(model.parameters(), lr=1.0)
    model.to(np.float64)
    model(np.ones((1, 2))).sum().backward()
    with pytest.raises(TypeError, match=r"make the optimizer after model.to\(dtype\)"):
        optimizer.step()


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_a_run_goes_on_from_its_saved_state_as_if_never_stopped(ours, theirs, options, tmp_path):
    rng, w, t, optimizer, reference = both(ours, theirs, options)
    for step in range(10):
        if step == 4:
            np.savez(tmp_path / "state.npz", **optimizer.state_dict())
            optimizer = ours(w, **options)
            optimizer.load_state_dict(np.load(tmp_path / "state.npz"))
        set_gradients(rng, w, t)
        optimizer.step()
        reference.step()
        assert_same(w, t, f"step {step}")


def test_a_saved_state_is_a_copy():
    w = nn.Parameter([1.0])
    optimizer = nn.SGD([w], lr=1.0, momentum=0.9)
    state = optimizer.state_dict()
    w.grad = np.ones(1, np.float32)
    optimizer.step()
    assert state["velocity"].tolist() == [0]
    assert state["steps"] == 0


def test_the_state_of_another_method_or_model_is_refused():
    adam = nn.Adam([nn.Parameter([1.0, 2.0])])
    with pytest.raises(KeyError, match="was it saved by another optimizer"):
        adam.load_state_dict(nn.SGD([nn.Parameter([1.0, 2.0])]).state_dict())
    with pytest.raises(ShapeError, match="mean has 3 numbers, the parameters have 2"):
        adam.load_state_dict(nn.Adam([nn.Parameter([1.0, 2.0, 3.0])]).state_dict())


def test_step_without_backward_says_so():
    optimizer = nn.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    with pytest.raises(RuntimeError, match=r"call loss.backward\(\) first"):
        optimizer.step()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Adam([]), "no parameters"),
        (lambda: nn.SGD([nn.Parameter([1.0])], lr=-1), "lr must be"),
        (lambda: nn.SGD([nn.Parameter([1.0])], lr=float("nan")), "lr must be"),
        (lambda: nn.SGD([nn.Parameter([1.0])], lr=0.1, nesterov=True), "needs a momentum"),
        (lambda: nn.warmup_cosine(10, warmup=10), "warmup"),
    ],
)
def test_bad_settings(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping(max_norm):
    for seed in range(50):
        rng, w, t, _, _ = both(nn.SGD, torch.optim.SGD, {}, seed)
        set_gradients(rng, w, t, missing={1} if seed % 2 else ())
        norm = nn.clip_gradients(w, max_norm)
        assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(t, max_norm).item())
        for a, b in zip(w, t, strict=True):
            assert (a.grad is None) == (b.grad is None)
            if a.grad is not None:
                np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-5)  # torch adds 1e-6 to the norm


def test_schedules_equal_those_of_torch():
    from torch.optim import lr_scheduler as theirs

    pairs = [
        (nn.step_decay(7, 0.5), lambda o: theirs.StepLR(o, 7, 0.5)),
        (nn.exponential_decay(0.9), lambda o: theirs.ExponentialLR(o, 0.9)),
        (nn.warmup_cosine(40, last=0.1), lambda o: theirs.CosineAnnealingLR(o, 40, eta_min=0.1)),
    ]
    for schedule, make in pairs:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        reference = make(optimizer)
        for step in range(40):
            assert schedule(step) == pytest.approx(optimizer.param_groups[0]["lr"]), step
            optimizer.step()
            reference.step()
