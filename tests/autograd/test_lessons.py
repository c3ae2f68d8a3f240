"""The plain versions of the chapter on tensors equal the package: paths, the two modes, and gradients place by place."""

import math

import numpy as np
import pytest

from mlcourse.autograd import Tensor, Value
from mlcourse.nn.losses import cross_entropy


def random_graph(seed, size=9):
    """A graph as in the chapter, and the same as Values that are computed by products and sums."""
    rng = np.random.default_rng(seed)
    values = [Value(number) for number in rng.normal(size=3)]
    for _ in range(size - 3):
        a, b = (values[place] for place in rng.integers(0, len(values), 2))
        values.append(a * b if rng.random() < 0.5 else a + b)
    place = {value: number for number, value in enumerate(values)}
    graph = {place[v]: [(place[operand], derivative) for operand, derivative in v.made_from] for v in values}
    return graph, values


def sum_over_paths(graph, start, end):
    if start == end:
        return 1.0
    return sum(derivative * sum_over_paths(graph, start, operand) for operand, derivative in graph[end])


def reverse(graph):
    flow = dict.fromkeys(graph, 0.0)
    flow[list(graph)[-1]] = 1.0
    for name in reversed(graph):
        for operand, derivative in graph[name]:
            flow[operand] += flow[name] * derivative
    return flow


def forward(graph, start):
    moves = dict.fromkeys(graph, 0.0)
    moves[start] = 1.0
    for name in graph:
        for operand, derivative in graph[name]:
            moves[name] += derivative * moves[operand]
    return moves


@pytest.mark.parametrize("seed", range(50))
def test_paths_forward_and_reverse_equal_value(seed):
    graph, values = random_graph(seed)
    values[-1].backward()
    expected = [value.grad for value in values]
    last = len(values) - 1
    assert [sum_over_paths(graph, start, last) for start in graph] == pytest.approx(expected)
    assert [forward(graph, start)[last] for start in graph] == pytest.approx(expected)
    assert list(reverse(graph).values()) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_product_of_a_column_and_a_row_place_by_place(seed):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(1, 6, 2)
    x, b, g = rng.normal(size=(n, 1)), rng.normal(size=d), rng.normal(size=(n, d))
    dx, db = np.zeros(x.shape), np.zeros(b.shape)
    for i in range(n):
        for j in range(d):
            dx[i, 0] += g[i, j] * b[j]
            db[j] += g[i, j] * x[i, 0]
    tensors = [Tensor(a, requires_grad=True, dtype=np.float64) for a in (x, b)]
    (tensors[0] * tensors[1]).backward(g)
    for tensor, expected in zip(tensors, (dx, db), strict=True):
        np.testing.assert_allclose(tensor.grad, expected)


@pytest.mark.parametrize("seed", range(20))
def test_matrix_product_place_by_place(seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(1, 6, 3)
    X, W, g = rng.normal(size=(n, d)), rng.normal(size=(d, k)), rng.normal(size=(n, k))
    dX, dW = np.zeros(X.shape), np.zeros(W.shape)
    for i in range(n):
        for j in range(k):
            for m in range(d):
                dX[i, m] += g[i, j] * W[m, j]
                dW[m, j] += g[i, j] * X[i, m]
    tensors = [Tensor(a, requires_grad=True, dtype=np.float64) for a in (X, W)]
    (tensors[0] @ tensors[1]).backward(g)
    for tensor, expected in zip(tensors, (dX, dW), strict=True):
        np.testing.assert_allclose(tensor.grad, expected)


@pytest.mark.parametrize("seed", range(20))
def test_fused_cross_entropy_equals_its_definition_row_by_row(seed):
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 6, 2)
    Z, y = rng.normal(size=(n, k)), rng.integers(0, k, n)
    gradient, total = np.zeros(Z.shape), 0.0
    for i in range(n):
        exponentials = [math.exp(z) for z in Z[i]]
        total -= math.log(exponentials[y[i]] / sum(exponentials)) / n
        for m in range(k):
            gradient[i, m] = (exponentials[m] / sum(exponentials) - (m == y[i])) / n
    logits = Tensor(Z, requires_grad=True, dtype=np.float64)
    loss = cross_entropy(logits, y)
    loss.backward()
    assert loss.item() == pytest.approx(total)
    np.testing.assert_allclose(logits.grad, gradient, atol=1e-14)
