"""Every operation of Tensor equals PyTorch's, forward and backward, on random shapes, and finite differences agree."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mlcourse.autograd import Tensor, concatenate, gradient_check, no_grad, record, stack, where
from mlcourse.shapes import ShapeError
from tests.autograd.oracle import equals_torch

seeds = st.integers(0, 2**32 - 1)
shapes = npst.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4)
thorough = settings(max_examples=200, deadline=None)

BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / (y * y + 1),
}
UNARY = {
    "negate": lambda x: -x,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "power 4": lambda x: x**4,
    "power 7": lambda x: x**7,
    "power -1": lambda x: (x * x + 1) ** -1,
    "power 1.5": lambda x: (x * x + 1) ** 1.5,
    "power 1": lambda x: x**1,
    "power 0": lambda x: x**0,
    "exp": lambda x: x.exp(),
    "log": lambda x: (x * x + 0.5).log(),
    "sqrt": lambda x: (x * x + 0.5).sqrt(),
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "abs": lambda x: x.abs(),
    "relu": lambda x: x.relu(),
    "numbers on both sides": lambda x: 2 - 3 / (x * x + 1) + x * 2 - x / 4 + 1,
    "itself twice": lambda x: x * x + x,
}


@pytest.mark.parametrize("name", BINARY)
@thorough
@given(both=npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4), seed=seeds)
def test_binary_operations_broadcast_as_torch_does(name, both, seed):
    rng = np.random.default_rng(seed)
    f = BINARY[name]
    equals_torch(f, f, *(rng.normal(size=shape) for shape in both.input_shapes), differences=False)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    "both", [((), ()), ((), (3,)), ((2, 1), (1, 3)), ((1, 1), (2, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (3,))]
)
def test_binary_operations_pass_finite_differences(name, both):
    rng = np.random.default_rng(0)
    equals_torch(BINARY[name], BINARY[name], *(rng.normal(size=shape) for shape in both))


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_each_number(name):
    rng = np.random.default_rng(1)
    for number in range(200):
        shape = tuple(rng.integers(1, 4, rng.integers(0, 4)))
        equals_torch(UNARY[name], UNARY[name], rng.normal(size=shape), differences=number < 10, note=f"shape {shape}")


def test_kinks_have_the_gradient_that_torch_gives_them():
    zeros = np.array([-1.0, 0.0, 0.0, 2.0])
    equals_torch(lambda x: x.relu(), lambda x: x.relu(), zeros, differences=False)
    equals_torch(lambda x: x.abs(), lambda x: x.abs(), zeros, differences=False)


def test_sigmoid_and_tanh_of_huge_numbers_do_not_overflow():
    x = Tensor([-1e30, -100.0, 100.0, 1e30], requires_grad=True)
    (x.sigmoid().sum() + x.tanh().sum()).backward()
    assert x.sigmoid().data.tolist() == [0, 0, 1, 1]
    assert x.grad.tolist() == [0, 0, 0, 0]


@thorough
@given(shape=shapes, data=st.data(), seed=seeds, keepdims=st.booleans(), ties=st.booleans())
def test_reductions(shape, data, seed, keepdims, ties):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, shape).astype(float) if ties else rng.normal(size=shape)
    axes = data.draw(st.none() | st.sets(st.integers(-len(shape), len(shape) - 1)).map(tuple) if shape else st.none())
    if axes is not None and (not axes or len({axis % len(shape) for axis in axes}) < len(axes)):
        axes = None
    dim = tuple(range(len(shape))) if axes is None else axes
    options = {"keepdim": keepdims}
    pairs = [("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax), ("min", torch.amin)]
    for name, theirs in pairs:

        def ours(x, name=name):
            return getattr(x, name)(axis=axes, keepdims=keepdims)

        def reference(x, theirs=theirs):
            return theirs(x, dim=dim, **options) if dim else theirs(x)

        equals_torch(ours, reference, x, differences=not ties and seed % 8 == 0, note=f"{name} {shape} {axes}")


@thorough
@given(data=st.data(), seed=seeds)
def test_matmul_of_vectors_matrices_and_stacks(data, seed):
    rng = np.random.default_rng(seed)
    n, k, m = (data.draw(st.integers(1, 4)) for _ in range(3))
    left = data.draw(st.sampled_from([(k,), (n, k), (2, n, k), (1, n, k), (3, 2, n, k), (3, 1, n, k)]))
    right = data.draw(st.sampled_from([(k,), (k, m), (2, k, m), (1, k, m), (3, 2, k, m)]))
    equals_torch(
        lambda a, b: a @ b, lambda a, b: a @ b, rng.normal(size=left), rng.normal(size=right), note=f"{left} {right}"
    )


@pytest.mark.parametrize("both", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 2)), ((4, 0, 3), (3, 0))])
def test_matmul_of_nothing(both):
    equals_torch(lambda a, b: a @ b, lambda a, b: a @ b, *(np.zeros(shape) for shape in both))


INDEXES = {
    "number": 1,
    "negative number": -1,
    "slice": slice(1, 3),
    "steps": slice(None, None, 2),
    "two numbers": (1, 2),
    "new axis": (slice(None), None, 0),
    "ellipsis": (..., 1),
    "list with repeats": [0, 2, 0, 0],
    "array with repeats": np.array([[1, 1], [3, 1]]),
    "negative array": np.array([-1, -1, 3]),
    "pairs with repeats": (np.array([0, 1, 0]), np.array([2, 2, 2])),
    "slice and array": (slice(None), np.array([1, 1, 0])),
    "array, then number": (np.array([3, 3]), 1),
    "nothing": np.array([], dtype=int),
    "empty slice": slice(2, 2),
}


@pytest.mark.parametrize("name", INDEXES)
def test_selections(name):
    index = INDEXES[name]
    equals_torch(lambda x: x[index], lambda x: x[index], np.random.default_rng(0).normal(size=(4, 3, 2)))


@pytest.mark.parametrize("chosen", ["some", "none", "all"])
def test_selection_by_condition(chosen):
    x = np.random.default_rng(0).normal(size=(4, 3))
    mask = {"some": x > 0, "none": x > 9, "all": x < 9}[chosen]
    equals_torch(lambda x: x[mask], lambda x: x[torch.tensor(mask)], x)
    equals_torch(lambda x: x[mask].sum(), lambda x: x[torch.tensor(mask)].sum(), x)


@thorough
@given(shape=shapes, seed=seeds, data=st.data())
def test_changes_of_shape(shape, seed, data):
    x = np.random.default_rng(seed).normal(size=shape)
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    equals_torch(lambda x: x.reshape(-1), lambda x: x.reshape(-1), x, differences=False)
    if order:
        equals_torch(lambda x: x.transpose(*order), lambda x: x.permute(*order), x, differences=False)
        equals_torch(
            lambda x: x.T.reshape(-1), lambda x: x.permute(*reversed(range(x.ndim))).reshape(-1), x, differences=False
        )


@thorough
@given(shape=npst.array_shapes(min_dims=1, max_dims=3, max_side=4), seed=seeds, data=st.data())
def test_joining(shape, seed, data):
    rng = np.random.default_rng(seed)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    arrays = []
    for _ in range(data.draw(st.integers(1, 3))):
        sizes = list(shape)
        sizes[axis] = int(rng.integers(0, 4))
        arrays.append(rng.normal(size=sizes))
    rare = {"differences": seed % 8 == 0}
    equals_torch(lambda *x: concatenate(x, axis), lambda *x: torch.cat(x, axis), *arrays, **rare)
    same = [rng.normal(size=shape) for _ in arrays]
    equals_torch(lambda *x: stack(x, axis), lambda *x: torch.stack(x, axis), *same, **rare)


@thorough
@given(both=npst.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), seed=seeds)
def test_where(both, seed):
    rng = np.random.default_rng(seed)
    condition, x, y = (rng.normal(size=shape) for shape in both.input_shapes)
    chosen = condition > 0
    ours, theirs = lambda x, y: where(chosen, x, y), lambda x, y: torch.where(torch.tensor(chosen), x, y)
    equals_torch(ours, theirs, x, y, differences=seed % 8 == 0)


@thorough
@given(seed=seeds)
def test_random_graphs_with_shared_parts(seed):
    """A dozen random operations on whatever came before: gradients from many ways back add up."""
    shared = np.random.default_rng(seed).normal(size=(3, 2, 2))

    def graph(*leaves):
        rng, made = np.random.default_rng(seed), list(leaves)
        for _ in range(12):
            x, y = (made[i] for i in rng.integers(0, len(made), 2))
            made.append([x + y, x * y, x @ y, x - y, x.tanh(), (x * 0.5).exp().tanh()][rng.integers(0, 6)])
        return sum(made[len(leaves) :], made[0]).tanh()

    equals_torch(graph, graph, *shared, differences=False, places=9)


def test_a_long_computation_needs_no_recursion():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad == 1
    del y  # letting go of it needs none either


def test_a_wide_and_deep_graph_takes_each_node_once():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = (y + y) * 0.5  # 2⁶⁰ ways from the end to the beginning
    y.backward()
    assert x.grad == 1


def test_gradients_add_up_until_they_are_cleared():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        (x * x).sum().backward()
    assert x.grad.tolist() == [4, 8]


def test_backward_twice_through_one_graph_adds_the_same_again():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [4, 8]


def test_no_gradient_is_the_same_array_as_another():
    x, y = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    seed = np.ones(2, np.float32)
    (x + y).backward(seed)
    x.grad *= 10
    assert y.grad.tolist() == seed.tolist() == [1, 1]
    z = Tensor([1.0, 2.0], requires_grad=True)
    z.sum().backward()
    z.grad += 1  # writable, though the gradient of a sum is one number seen many times
    assert z.grad.tolist() == [2, 2]
    z.backward(seed)
    assert seed.tolist() == [1, 1]


def test_operands_are_not_changed():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 3)) for _ in range(2)]
    before = [array.copy() for array in arrays]
    x, y = (Tensor(array, True, np.float64) for array in arrays)
    ((x @ y).relu() + x / (y * y + 1) - (x - y).max(axis=0) + x[[0, 0, 1]].sum()).sum().backward()
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_no_grad_records_nothing_and_ends_even_after_an_error():
    x = Tensor(2.0, requires_grad=True)
    with pytest.raises(ZeroDivisionError), no_grad():
        assert not (x * x).requires_grad
        1 / 0  # noqa: B018
    assert (x * x).requires_grad

    @no_grad()
    def double(x):
        with no_grad():
            pass
        return x * 2

    assert not double(x).requires_grad
    assert (x * x).requires_grad


def test_no_grad_holds_for_its_own_thread_only():
    x, seen = Tensor(2.0, requires_grad=True), []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_what_needs_no_gradient_gets_none_and_costs_nothing():
    x, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0], requires_grad=True)
    asked = []
    y = record(x.data * w.data, (x, asked.append), (w, lambda g: g * x.data))
    y.sum().backward()
    assert (x.grad, asked) == (None, [])
    assert w.grad.tolist() == [1, 2]
    assert w.detach().requires_grad is False


def test_32_bits_unless_asked_for_64():
    x = Tensor(np.zeros(2))
    assert x.dtype == np.float32
    for y in (
        x + 1,
        x * 2.5,
        1 - x,
        x / 3,
        x**2,
        x @ np.zeros((2, 2)),
        np.zeros(2) + x,
        x.mean(),
        x.sum(),
        x.max(),
        x.sigmoid(),
    ):
        assert isinstance(y, Tensor)
        assert y.dtype == np.float32
    assert (Tensor([1, 2], dtype=np.float64) * 2).dtype == np.float64


def test_a_gradient_has_the_type_of_its_tensor():
    x, y = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True, dtype=np.float64)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_it_looks_like_an_array():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert (len(x), x.shape, x.ndim, x.size) == (2, (2, 2), 2, 4)
    assert [row.data.tolist() for row in x] == [[1, 2], [3, 4]]
    assert np.asarray(x).tolist() == [[1, 2], [3, 4]]
    assert np.asarray(x, dtype=int).dtype == int
    assert x.numpy() is x.data
    assert repr(Tensor([1.0])) == "Tensor([1.], dtype=float32)"
    assert repr(x) == "Tensor([[1., 2.],\n        [3., 4.]], dtype=float32, requires_grad=True)"
    assert Tensor(x).shape == x.shape


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Tensor([1.0, 2.0], requires_grad=True).backward(), ShapeError, ["(2,)", ".sum() or .mean()"]),
        (lambda: Tensor([1.0], requires_grad=True).backward([1, 2]), ShapeError, ["(2,)", "(1,)"]),
        (lambda: Tensor([1.0]).sum().backward(), RuntimeError, ["requires_grad=True", "no_grad"]),
        (
            lambda: Tensor(np.ones((4, 3))) + Tensor(np.ones(4)),
            ShapeError,
            ["add", "(4, 3)", "(4,)", "3 and 4", "x[:, None]"],
        ),
        (lambda: np.ones((2, 3, 4)) * Tensor(np.ones((2, 4))), ShapeError, ["multiply", "axis -2", "2 and 3"]),
        (
            lambda: Tensor(np.ones((64, 128))) @ Tensor(np.ones((64, 10))),
            ShapeError,
            ["matmul", "(64, 10)", "(inner 64", "(rows 64, inner 128)"],
        ),
        (lambda: Tensor(np.ones(3)) @ Tensor(np.ones(4)), ShapeError, ["inner 3", "inner 4"]),
        (lambda: Tensor(np.ones(3)) @ 2, ShapeError, ["use *"]),
        (lambda: Tensor(np.ones((2, 3, 4))) @ Tensor(np.ones((5, 4, 3))), ShapeError, ["matmul", "2 and 5"]),
        (lambda: Tensor([2.0]) ** Tensor([2.0]), TypeError, ["a number", "log"]),
        (lambda: Tensor(["a"]), ValueError, ["could not convert"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(make, error, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def test_a_power_of_a_high_integer_is_as_fast_as_its_products():
    """NumPy's own x**3 takes hundreds of times as long; the exact numbers are those of products."""
    x = np.random.default_rng(0).normal(size=5).astype(np.float32)
    assert (Tensor(x) ** 5).data.tolist() == (x * x * (x * x) * x).tolist()
    gradient_check(lambda x: x**5, Tensor(x, True, np.float64))
