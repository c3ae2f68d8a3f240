"""Scores equal scikit-learn's, the plain loop, and keep their invariances."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classical import distances, metrics
from mlcourse.shapes import ShapeError

NAMES = ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"]
each_metric = pytest.mark.parametrize("name", NAMES)


@each_metric
@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_learn(name, seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.normal(size=(2, rng.integers(2, 30)))
    assert getattr(metrics, name)(y_true, y_pred) == pytest.approx(getattr(sklearn.metrics, name)(y_true, y_pred))


@pytest.mark.parametrize("y_pred", [[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
def test_r2_of_a_constant_target_follows_scikit_learn(y_pred):
    assert metrics.r2_score([2.0, 2.0, 2.0], y_pred) == sklearn.metrics.r2_score([2.0, 2.0, 2.0], y_pred)


def test_r2_needs_two_values():
    with pytest.raises(ValueError, match="at least two values"):
        metrics.r2_score([1.0], [1.0])


@each_metric
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error"),
    [
        (np.zeros((3, 1)), np.zeros(3), ShapeError),  # would broadcast to (3, 3)
        (np.zeros(3), np.zeros(4), ShapeError),
        ([], [], ValueError),
        ([1.0, np.nan], [1.0, 1.0], ValueError),
        (["1", "2"], [1.0, 2.0], TypeError),
    ],
)
def test_bad_input_is_refused(name, y_true, y_pred, error):
    with pytest.raises(error, match=name):
        getattr(metrics, name)(y_true, y_pred)


# ---- clusterings

INNER = ["silhouette_score", "davies_bouldin_score"]
seeds = st.integers(0, 10_000)


def clustering(seed):
    """Rows on a grid (ties and repeated rows) or anywhere, some far from zero; some clusters have one row, labels may be words."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(3, 40)), int(rng.integers(1, 5))
    X = rng.integers(0, 4, (n, d)).astype(float) if seed % 3 == 0 else rng.normal(size=(n, d))
    k = int(rng.integers(2, n))
    labels = rng.permutation(np.append(np.arange(k), rng.integers(0, k, n - k)))
    if seed % 5 == 0:
        X = X[labels]  # clusters that are points
    means = np.array([X[labels == c].mean(axis=0) for c in range(k)])
    if len(np.unique(means.round(9), axis=0)) < k:  # between equal means there is no ratio
        return clustering(seed + 10_000)
    if seed % 7 == 0:
        X += 1000
    return X, np.array([f"cluster {c}" for c in labels]) if seed % 2 else labels


def loop_silhouette(X, labels):
    """The plain loop: the mean distance of each row to the others of its cluster, and to each other cluster."""

    def mean_distance(i, others):
        return sum(np.sqrt(((X[i] - X[j]) ** 2).sum()) for j in others) / len(others)

    result = []
    for i in range(len(X)):
        groups = {c: [j for j in range(len(X)) if labels[j] == c and j != i] for c in set(labels)}
        own = groups.pop(labels[i])
        a = mean_distance(i, own) if own else 0
        b = min(mean_distance(i, rows) for rows in groups.values())
        result.append((b - a) / max(a, b) if own and max(a, b) > 0 else 0)
    return result


def loop_adjusted_rand(first, second):
    """The plain loop over all pairs of rows."""
    pairs = [(first[i] == first[j], second[i] == second[j]) for i in range(len(first)) for j in range(i)]
    together = sum(a and b for a, b in pairs)
    in_first, in_second = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    by_chance, most = in_first * in_second / max(len(pairs), 1), (in_first + in_second) / 2
    return (together - by_chance) / (most - by_chance) if most != by_chance else 1.0


@pytest.mark.parametrize("name", ["silhouette_samples", *INNER])
@pytest.mark.parametrize("block", [7, 1 << 18])
def test_scores_of_clusters_equal_scikit_learns_on_200_tiny_problems_in_blocks_of_any_size(name, block, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", block)
    for seed in range(200):
        X, labels = clustering(seed)
        ours = getattr(metrics, name)(X, labels)
        reference = getattr(sklearn.metrics, name)(X - X.mean(axis=0), labels)  # it loses digits far from zero
        np.testing.assert_allclose(ours, reference, atol=1e-6, err_msg=f"seed {seed}")


def test_silhouettes_equal_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, labels = clustering(seed)
        X, labels = X[:12], labels[:12]
        if 2 <= len(set(labels)) < len(X):
            found = metrics.silhouette_samples(X, labels)
            np.testing.assert_allclose(found, loop_silhouette(X, labels), atol=1e-6, err_msg=f"seed {seed}")


def two_clusterings(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 20))
    return rng.integers(0, rng.integers(1, 8), n), rng.integers(0, rng.integers(1, 8), n)


def test_the_adjusted_rand_score_equals_scikit_learns_and_the_plain_loop_on_300_tiny_problems():
    for seed in range(300):
        first, second = two_clusterings(seed)
        second = first * 2 if seed % 7 == 0 else np.arange(len(first)) if seed % 5 == 0 else second
        found = metrics.adjusted_rand_score(first, second)
        assert found == pytest.approx(sklearn.metrics.adjusted_rand_score(first, second), abs=1e-12), seed
        assert found == pytest.approx(loop_adjusted_rand(first, second), abs=1e-12), seed


@given(seeds)
def test_the_adjusted_rand_score_is_symmetric_and_blind_to_names_and_order(seed):
    first, second = two_clusterings(seed)
    order = np.random.default_rng(seed).permutation(len(first))
    wanted = pytest.approx(metrics.adjusted_rand_score(first, second))
    assert metrics.adjusted_rand_score(second, first) == wanted
    assert metrics.adjusted_rand_score(np.array(list("hgfedcba"))[first[order]], second[order] - 3) == wanted


@pytest.mark.parametrize("name", INNER)
@given(seeds, st.sampled_from([0.25, 8.0]), st.floats(-50, 50))
def test_scores_of_clusters_are_blind_to_order_unit_and_origin(name, seed, factor, shift):
    X, labels = clustering(3 * seed + 1)
    order = np.random.default_rng(seed).permutation(len(X))
    moved = getattr(metrics, name)(factor * X[order] + shift, labels[order])
    assert moved == pytest.approx(getattr(metrics, name)(X, labels), abs=1e-5)


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize(
    ("X", "labels", "error", "words"),
    [
        (np.eye(3), [0, 0, 0], ValueError, "from 2 to n - 1 = 2; got 1"),
        (np.eye(3), [0, 1, 2], ValueError, "from 2 to n - 1 = 2; got 3"),
        (np.eye(3), [0, 1], ShapeError, "n must be 3, as in X"),
        (np.eye(3)[0], [0, 1, 1], ShapeError, "expected 2 axes"),
        (np.empty((0, 2)), [], ValueError, "X is empty"),
        (np.array([[np.nan], [1], [2]]), [0, 1, 1], ValueError, "NaN"),
        ([["a"], ["b"], ["c"]], [0, 1, 1], TypeError, "real numbers"),
    ],
)
def test_bad_clusterings_are_refused(name, X, labels, error, words):
    with pytest.raises(error, match=words):
        getattr(metrics, name)(X, labels)


@pytest.mark.parametrize(
    ("first", "second", "error", "words"),
    [
        ([0, 1], [0, 1, 1], ShapeError, "labels_pred  \\(n 3\\)"),
        ([[0, 1]], [0, 1], ShapeError, "expected 1 axis"),
        ([], [], ValueError, "there are no labels"),
    ],
)
def test_bad_pairs_of_clusterings_are_refused(first, second, error, words):
    with pytest.raises(error, match=words):
        metrics.adjusted_rand_score(first, second)
