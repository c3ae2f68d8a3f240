"""Modules find their parameters wherever they are kept, save and load their state, and say where an error came from."""

import copy

import numpy as np
import pytest

from mlcourse import nn
from mlcourse.autograd import Tensor
from mlcourse.shapes import ShapeError


class Model(nn.Module):
    def __init__(self, rng=0):
        rng = np.random.default_rng(rng)
        self.first = nn.Linear(3, 4, rng=rng)
        self.listed = [nn.BatchNorm(4), nn.ReLU(), nn.Linear(4, 4, bias=False, rng=rng)]
        self.named = {"head": nn.Linear(4, 2, rng=rng)}
        self.scales = (nn.Parameter([1.0, 2.0]),)
        self.tied = self.listed[2].weight
        self.size = 3

    def forward(self, x):
        x = self.first(x)
        for layer in self.listed:
            x = layer(x)
        return self.named["head"](x) * self.scales[0]


NAMES = [
    "scales.0",
    "tied",
    "first.weight",
    "first.bias",
    "listed.0.weight",
    "listed.0.bias",
    "named.head.weight",
    "named.head.bias",
]


def test_parameters_are_found_in_attributes_lists_tuples_and_dicts_each_once():
    model = Model()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert len(model.parameters()) == len({id(p) for p in model.parameters()}) == len(NAMES)
    assert all(p.requires_grad for p in model.parameters())


def test_lists_in_lists_shared_modules_and_references_to_the_parent():
    class Tree(nn.Module):
        def __init__(self):
            self.rows = [[nn.Linear(1, 1), nn.Linear(1, 1)], {"a": (nn.Linear(1, 1),)}]
            self.again = self.rows[0][1]
            self.leaf = nn.Sequential(nn.Linear(1, 1))
            self.leaf.parent = self

    model = Tree()
    modules = [name for name, _ in model.named_modules()]
    assert modules == ["", "rows.0.0", "rows.0.1", "rows.1.a.0", "leaf", "leaf.layers.0"]
    assert len(model.parameters()) == 8
    assert len(model.state_dict()) == 8


def test_every_parameter_gets_a_gradient_and_zero_grad_forgets_them():
    model = Model()
    model(np.random.default_rng(0).normal(size=(5, 3))).sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_state_goes_to_a_file_and_back(tmp_path):
    x = np.random.default_rng(1).normal(size=(6, 3))
    one, other = Model(0), Model(1)
    one(x)  # moves the running averages
    np.savez(tmp_path / "model.npz", **one.state_dict())
    other.load_state_dict(np.load(tmp_path / "model.npz"))
    np.testing.assert_array_equal(one.eval()(x).data, other.eval()(x).data)
    assert set(one.state_dict()) == {*NAMES, "listed.0.running_mean", "listed.0.running_variance"}


def test_the_state_is_a_copy():
    model = Model()
    state = model.state_dict()
    model.first.weight.data += 1
    model(np.ones((4, 3)))
    assert not np.array_equal(state["first.weight"], model.first.weight.data)
    assert (state["listed.0.running_mean"] == 0).all()


def test_loading_reaches_the_parameters_of_an_optimizer():
    model = Model()
    state = model.state_dict()
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        model(np.random.default_rng(0).normal(size=(5, 3))).sum().backward()
        optimizer.step()
        model.load_state_dict(state)
        np.testing.assert_array_equal(model.first.weight.data, state["first.weight"])
    model(np.random.default_rng(0).normal(size=(5, 3))).sum().backward()
    optimizer.step()
    assert not np.array_equal(model.first.weight.data, state["first.weight"])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: s.pop("first.bias"), KeyError, ["missing ['first.bias']", "unknown nothing"]),
        (lambda s: s.update(extra=np.ones(1)), KeyError, ["unknown ['extra']"]),
        (lambda s: s.update({"first.bias": np.ones(3)}), ShapeError, ["first.bias", "(3,)", "(4,)"]),
    ],
)
def test_a_state_of_another_model_is_refused_and_changes_nothing(change, error, words):
    model, other = Model(0), Model(1)
    state, before = other.state_dict(), model.state_dict()
    change(state)
    with pytest.raises(error) as caught:
        model.load_state_dict(state)
    assert all(word in str(caught.value) for word in words), caught.value
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_train_and_eval_reach_every_module():
    model = Model()
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert all(module.training for _, module in model.train().named_modules())
    assert nn.Linear(1, 1).training


def test_to_converts_parameters_and_buffers():
    model = Model().to(np.float64)
    assert {array.dtype for array in model.state_dict().values()} == {np.dtype(np.float64)}
    assert model(np.ones((4, 3))).dtype == np.float64
    assert model.tied is model.listed[2].weight


def test_a_deep_copy_shares_nothing():
    model = Model()
    nn.SGD(model.parameters(), lr=1.0)
    twin = copy.deepcopy(model)
    twin.first.weight.data += 1
    assert not np.array_equal(twin.first.weight.data, model.first.weight.data)
    assert twin.tied is twin.listed[2].weight


def test_a_parameter_owns_its_numbers():
    array = np.ones(3, np.float32)
    parameter = nn.Parameter(array)
    parameter.data += 1
    assert array.tolist() == [1, 1, 1]


def test_it_shows_what_it_consists_of():
    text = repr(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh()), nn.Dropout(0.1)))
    assert text == (
        "Sequential(\n  layers.0: Linear(2 -> 3)\n  layers.1: Sequential(\n    layers.0: Tanh()\n  )\n  layers.2: Dropout(0.1)\n)"
    )
    assert repr(nn.Conv2d(1, 6, 3, padding=1)) == "Conv2d(1 -> 6, kernel=3, stride=1, padding=1)"
    assert repr(nn.MaxPool(2)) == "MaxPool(size=2, stride=2)"


def test_an_error_names_the_layer_and_what_it_is_in():
    model = nn.Sequential(nn.Linear(64, 10, rng=0), nn.ReLU())
    with pytest.raises(ShapeError) as caught:
        model(np.zeros((64, 128)))
    assert str(caught.value) == (
        "Linear(64 -> 10) cannot take x of shape (64, 128)\n"
        "  weight  (in 64, out 10)\n"
        "  x       (batch 64, in 128)  in must be 64, as in weight\n"
        "  hint: the last axis of x holds the features: build the layer for 128 of them, or transpose x"
    )
    assert caught.value.__notes__ == ["  inside Sequential"]


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(Tensor([1.0]))
