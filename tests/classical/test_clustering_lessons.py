"""The plain loops of the chapter on clustering equal the package's fast functions on many small problems.

The functions are taken from the chapter itself, so that they cannot drift apart from it.
"""

import ast
from itertools import combinations, permutations

import numpy as np
import pytest

from mlcourse.authoring.myst import read_notebook
from mlcourse.classical import KMeans, MiniBatchKMeans, metrics
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def lesson():
    """Every function that the chapter defines, by name."""
    names = {"np": np, "combinations": combinations, "permutations": permutations}
    for cell in read_notebook(ROOT / "book/classical/clustering.md")[1]:
        if cell.kind == "code":
            functions = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
            exec(compile(ast.Module(functions, []), "chapter", "exec"), names)
    return names


def problem(seed):
    """A small table and as many of its rows as centers; some rows are repeated, some problems have one feature."""
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(6, 25)), int(rng.integers(1, 4)), int(rng.integers(2, 5))
    X = rng.normal(size=(n, d)) * 3 + rng.normal(size=d) * 5
    if seed % 4 == 0:
        X[: n // 3] = X[-(n // 3) :]
    return X, np.unique(X, axis=0)[rng.permutation(len(np.unique(X, axis=0)))[:k]], rng


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_k_means_by_loops_by_broadcasting_and_by_the_package(lesson):
    compared = 0
    for seed in range(200):
        X, start, _ = problem(seed)
        centers, labels = lesson["k_means_with_loops"](X, start)
        fast_centers, fast_labels = lesson["k_means"](X, start)
        np.testing.assert_allclose(fast_centers, centers, atol=1e-10, err_msg=f"seed {seed}")
        np.testing.assert_array_equal(fast_labels, labels)
        if len(np.unique(labels)) == len(
            start
        ):  # where a center loses its rows, the package moves it and the loops do not
            model = KMeans(len(start), init=start, tol=0).fit(X)
            np.testing.assert_allclose(model.cluster_centers_, centers, atol=1e-9, err_msg=f"seed {seed}")
            np.testing.assert_array_equal(model.labels_, labels)
            compared += 1
    assert compared > 180


def test_start_by_squared_distance_draws_the_same_rows(lesson):
    for seed in range(100):
        X, start, _ = problem(seed)
        slow = lesson["start_with_loops"](X, len(start), np.random.default_rng(seed))
        np.testing.assert_array_equal(
            lesson["start_by_squared_distance"](X, len(start), np.random.default_rng(seed)), slow
        )
        assert len(np.unique(slow, axis=0)) == len(start)


def test_silhouettes_davies_bouldin_and_adjusted_rand(lesson):
    for seed in range(200):
        X, start, rng = problem(seed)
        labels = rng.integers(len(start), size=len(X))
        other = rng.integers(3, size=len(X))
        if 2 <= len(np.unique(labels)) < len(X):
            np.testing.assert_allclose(
                metrics.silhouette_samples(X, labels), lesson["silhouettes_with_loops"](X, labels), atol=1e-7
            )
            np.testing.assert_allclose(
                metrics.davies_bouldin_score(X, labels), lesson["davies_bouldin_with_loops"](X, labels)
            )
            np.testing.assert_allclose(
                metrics.adjusted_rand_score(labels, other),
                lesson["adjusted_rand_with_loops"](labels, other),
                atol=1e-12,
            )


def test_a_step_of_mini_batch_k_means(lesson):
    for seed in range(100):
        X, start, rng = problem(seed)
        model = MiniBatchKMeans(len(start), init=start)
        model.partial_fit(X)
        centers, counts = start.copy(), np.zeros(len(start))
        lesson["mini_batch_step_with_loops"](X, centers, counts)
        for _ in range(3):
            batch = X[rng.integers(len(X), size=max(len(start), 5))]
            model.partial_fit(batch)
            lesson["mini_batch_step_with_loops"](batch, centers, counts)
        np.testing.assert_allclose(model.cluster_centers_, centers, atol=1e-9, err_msg=f"seed {seed}")
        np.testing.assert_array_equal(model.counts_, counts)
