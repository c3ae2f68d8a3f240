"""Batches hold every example once; training learns, repeats exactly with a seed, stops early, and equals torch's loop."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlcourse import nn
from mlcourse.autograd import Tensor
from mlcourse.data import load_digits
from mlcourse.shapes import ShapeError


@given(st.integers(1, 40), st.integers(1, 12), st.booleans(), st.integers(0, 9))
def test_every_epoch_holds_every_example_once(n, batch_size, shuffle, seed):
    x, y = np.arange(n), np.arange(n) * 10
    loader = nn.DataLoader(x, y, batch_size=batch_size, shuffle=shuffle, rng=seed)
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader)
        assert all(len(a) == batch_size for a, _ in batches[:-1])
        assert all((b == 10 * a).all() for a, b in batches)
        seen = np.concatenate([a for a, _ in batches])
        assert sorted(seen) == list(x)
        assert shuffle or (seen == x).all()


def test_orders_differ_between_epochs_and_repeat_with_the_seed():
    one, two = (nn.DataLoader(np.arange(50), batch_size=50, rng=3) for _ in range(2))
    epochs = [[next(iter(loader))[0].tolist() for _ in range(2)] for loader in (one, two)]
    assert epochs[0] == epochs[1]
    assert epochs[0][0] != epochs[0][1]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.DataLoader(np.ones((5, 2)), np.ones(4)), ShapeError, r"\(5, 2\) and \(4,\)"),
        (lambda: nn.DataLoader(), ShapeError, "nothing"),
        (lambda: nn.DataLoader(np.ones((0, 2))), ValueError, "at least one example"),
        (lambda: nn.DataLoader(np.ones(3), batch_size=0), ValueError, "batch_size"),
    ],
)
def test_what_cannot_be_cut_into_batches(make, error, words):
    with pytest.raises(error, match=words):
        make()


def digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.X))
    return (data.X / 16)[order], data.y[order]


def train(seed, epochs=3, **options):
    X, y = digits()
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Dropout(0.1, rng), nn.Linear(32, 10, rng=rng))
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    batches = nn.DataLoader(X[:1400], y[:1400], rng=rng)
    validation = nn.DataLoader(X[1400:], y[1400:], batch_size=100, shuffle=False)
    options = {"validation": validation, "metrics": {"accuracy": nn.accuracy}, "progress": False} | options
    return model, nn.fit(model, nn.cross_entropy, optimizer, batches, epochs=epochs, **options)


def test_it_learns_digits():
    _, history = train(0, epochs=8)
    assert [row["epoch"] for row in history] == list(range(1, 9))
    assert set(history[0]) == {"epoch", "loss", "validation_loss", "accuracy"}
    assert history[-1]["accuracy"] > 0.95


def test_training_repeats_exactly_with_the_seed():
    (one, history), (two, again), (three, _) = train(1), train(1), train(2)
    assert history == again
    a, b, c = one.state_dict(), two.state_dict(), three.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["layers.0.weight"], c["layers.0.weight"])


def test_global_random_state_is_neither_used_nor_changed():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    _, one = train(1)
    np.random.seed(1)  # noqa: NPY002
    assert train(1)[1] == one
    np.random.seed(0)  # noqa: NPY002
    train(1)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_the_loop_equals_torchs():
    X, y = digits()
    X, y = X[:200].astype(np.float32), y[:200]
    model = nn.Sequential(nn.Linear(64, 16, rng=0), nn.Tanh(), nn.Linear(16, 10, rng=1))
    theirs = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.Tanh(), torch.nn.Linear(16, 10))
    with torch.no_grad():
        for a, b in zip(model.parameters(), theirs.parameters(), strict=True):
            b.copy_(torch.tensor(a.data.T))
    optimizer = nn.SGD(model.parameters(), lr=0.5, momentum=0.9)
    reference = torch.optim.SGD(theirs.parameters(), lr=0.5, momentum=0.9)
    schedule = nn.warmup_cosine(35, warmup=5)
    history = nn.fit(
        model, nn.cross_entropy, optimizer, nn.DataLoader(X, y, batch_size=32, shuffle=False),
        epochs=5, schedule=schedule, clip=0.5, progress=False,
    )  # fmt: skip
    step = 0
    for epoch in range(5):
        total = 0
        for start in range(0, 200, 32):
            x, labels = torch.tensor(X[start : start + 32]), torch.tensor(y[start : start + 32])
            reference.param_groups[0]["lr"] = 0.5 * schedule(step)
            loss = torch.nn.functional.cross_entropy(theirs(x), labels)
            reference.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
            reference.step()
            total, step = total + loss.item() * len(x), step + 1
        assert history[epoch]["loss"] == pytest.approx(total / 200, rel=1e-4)
    for a, b in zip(model.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy().T, atol=1e-4)


def test_early_stopping_returns_to_the_best_epoch():
    X = np.zeros((4, 1))
    model = nn.Linear(1, 1, bias=False, rng=0)
    model.weight.data[...] = 0
    losses = iter([5.0, 3.0, 4.0, 3.5, 9.0])
    seen = []

    def loss(prediction, target):
        if prediction.requires_grad:
            return (model.weight * 0 - model.weight).sum()  # each step of SGD with lr=1 adds 1 to the weight
        seen.append(model.weight.data.item())
        return Tensor(next(losses))

    history = nn.fit(
        model,
        loss,
        nn.SGD(model.parameters(), lr=1.0),
        [(X, X)],
        epochs=10,
        validation=[(X, X)],
        patience=2,
        progress=False,
    )
    assert [row["validation_loss"] for row in history] == [5, 3, 4, 3.5]
    assert seen == [1, 2, 3, 4]
    assert model.weight.data.item() == 2


def test_means_count_every_example_once():
    """Batches of different sizes: 3 + 1."""
    x = np.array([[0.0], [0.0], [0.0], [4.0]])
    model = nn.Linear(1, 1, bias=False)
    model.weight.data[...] = 1
    batches = [(x[:3], np.zeros((3, 1))), (x[3:], np.zeros((1, 1)))]
    assert nn.evaluate(model, {"loss": nn.mse_loss}, batches) == {"loss": 4.0}
    assert (
        nn.fit(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.0), batches, epochs=1, progress=False)[0]["loss"]
        == 4.0
    )


def test_evaluation_uses_no_dropout_records_nothing_and_restores_the_mode():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1))
    modes = []

    def metric(outputs, _):
        modes.append((model.layers[0].training, outputs.requires_grad))
        return 0.0

    nn.evaluate(model, {"m": metric}, [(Tensor(np.ones((3, 2))), np.ones(3))])
    assert modes == [(False, False)]
    assert model.training
    model.eval()
    nn.evaluate(model, {"m": metric}, [(Tensor(np.ones((3, 2))), np.ones(3))])
    assert not model.training


def test_a_loss_that_explodes_stops_the_training():
    X = np.full((4, 1), 1e30)
    model = nn.Linear(1, 1)
    with pytest.raises((FloatingPointError, ValueError)), np.errstate(over="ignore"):
        nn.fit(model, nn.mse_loss, nn.SGD(model.parameters(), lr=1e10), [(X, X)], epochs=5, progress=False)


def test_patience_needs_validation():
    model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="validation"):
        nn.fit(model, nn.mse_loss, nn.SGD(model.parameters()), [], epochs=1, patience=2)


def test_a_loss_on_validation_that_is_no_number_stops_after_the_patience():
    model = nn.Linear(1, 1, bias=False, rng=0)
    before = model.weight.data.copy()

    def loss(prediction, _):
        return (prediction * 0).sum() if prediction.requires_grad else Tensor(np.nan)

    batches = [(np.ones((2, 1)), np.ones(2))]
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    history = nn.fit(model, loss, optimizer, batches, epochs=9, validation=batches, patience=2, progress=False)
    assert len(history) == 2
    np.testing.assert_array_equal(model.weight.data, before)


def test_a_schedule_is_over_when_the_training_is():
    model, batches = nn.Linear(1, 1), [(np.ones((2, 1)), np.ones((2, 1)))]
    optimizer = nn.SGD(model.parameters(), lr=0.5)
    for _ in range(2):
        nn.fit(model, nn.mse_loss, optimizer, batches, epochs=3, schedule=lambda _: 0.1, progress=False)
        assert optimizer.lr == 0.5


def test_batches_that_are_used_up_are_noticed():
    model = nn.Linear(1, 1)
    batches = ((np.ones((2, 1)), np.ones((2, 1))) for _ in range(3))
    with pytest.raises(ValueError, match="generator"):
        nn.fit(model, nn.mse_loss, nn.SGD(model.parameters()), batches, epochs=2, progress=False)
    with pytest.raises(ValueError, match="no batches"):
        nn.evaluate(model, {"loss": nn.mse_loss}, [])


@pytest.mark.parametrize("labels", [np.zeros((3, 1), int), np.zeros(2, int), np.zeros((3, 2), int)])
def test_accuracy_refuses_labels_of_another_shape(labels):
    assert nn.accuracy(Tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    with pytest.raises(ShapeError, match="accuracy cannot take labels"):
        nn.accuracy(np.zeros((3, 2)), labels)


def test_the_bar_shows_the_figures(capfd):
    train(0, epochs=1, progress=True)
    shown = capfd.readouterr().err
    assert "epochs" in shown
    assert "validation_loss" in shown
