"""Isolation forest, local outlier factor and t-SNE beside scikit-learn's and the plain loop, and their invariances."""

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.manifold
import sklearn.neighbors
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from sklearn.manifold._t_sne import _gradient_descent, _joint_probabilities, _kl_divergence
from sklearn.metrics import roc_auc_score

from mlcourse.classical import TSNE, IsolationForest, LocalOutlierFactor, manifold
from mlcourse.classical.anomaly import isolate, path_length
from mlcourse.classical.manifold import descend, divergence, gradient, joint_chances

seeds = st.integers(0, 10_000)


# ---- isolation forest


def with_anomalies(seed):
    rng = np.random.default_rng(seed)
    return np.vstack([rng.normal(size=(40, 3)), rng.uniform(-4, 4, (6, 3))]), np.arange(46) >= 40


def test_isolation_forest_finds_anomalies_as_well_as_scikit_learn_over_200_tiny_problems():
    ours, reference = [], []
    for seed in range(200):
        X, strange = with_anomalies(seed)
        for model, scores in ((IsolationForest, ours), (sklearn.ensemble.IsolationForest, reference)):
            scores.append(roc_auc_score(strange, -model(n_estimators=4, random_state=seed).fit(X).score_samples(X)))
    difference = np.array(ours) - reference
    assert abs(difference.mean()) < 3 * difference.std() / 200**0.5 + 1e-9


def test_scores_of_many_trees_equal_scikit_learns():
    X, _ = with_anomalies(0)
    ours = IsolationForest(1000, random_state=0).fit(X).score_samples(X)
    reference = sklearn.ensemble.IsolationForest(n_estimators=500, random_state=0).fit(X).score_samples(X)
    np.testing.assert_allclose(ours, reference, atol=0.03)


def loop_depth(tree, row):
    """The plain loop: go down and count the questions; where several rows are left, add what they would still take."""
    node = depth = 0
    while tree.feature[node] >= 0:
        node, depth = tree.left[node] + (row[tree.feature[node]] > tree.threshold[node]), depth + 1
    size = tree.size[node]
    return depth + (
        0 if size <= 1 else 1 if size == 2 else 2 * (np.log(size - 1) + 0.5772156649015329) - 2 * (size - 1) / size
    )


def test_depths_equal_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(int(rng.integers(2, 30)), 2)).round(seed % 3)
        tree = isolate(X, np.arange(len(X))[None], rng)
        found = tree.value[tree.leaves(X)[0], 0]
        np.testing.assert_allclose(found, [loop_depth(tree, row) for row in X], err_msg=f"seed {seed}")
        inner = tree.feature >= 0
        np.testing.assert_allclose(tree.size[inner], tree.size[tree.left[inner]] + tree.size[tree.left[inner] + 1])
        assert (tree.size > 0).all()


def test_constant_features_are_never_asked():
    X = np.column_stack([np.ones(50), np.arange(50.0)])
    trees = IsolationForest(30, random_state=0).fit(X).trees_
    assert set(trees.feature) == {-1, 1}


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_contamination_is_the_share_that_is_called_anomalous(share):
    X, _ = with_anomalies(1)
    assert (IsolationForest(contamination=share, random_state=0).fit(X).predict(X) < 0).mean() == pytest.approx(
        share, abs=0.03
    )
    assert (LocalOutlierFactor(contamination=share).fit_predict(X) < 0).mean() == pytest.approx(share, abs=0.03)


@given(seeds, st.sampled_from([0.25, 8.0]))
def test_isolation_does_not_depend_on_the_unit(seed, factor):
    X, _ = with_anomalies(seed)
    first, second = (IsolationForest(5, random_state=0).fit(f * X).score_samples(f * X) for f in (1, factor))
    np.testing.assert_allclose(first, second)


def test_path_length_is_that_of_scikit_learn():
    from sklearn.ensemble._iforest import _average_path_length

    sizes = np.arange(1, 300)
    np.testing.assert_allclose(path_length(sizes), _average_path_length(sizes))


# ---- local outlier factor


def lof_table(seed):
    """Some with repeated rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(int(rng.integers(6, 40)), int(rng.integers(1, 4))))
    if seed % 5 == 0:
        X[-3:] = X[:3]
    return X


@pytest.mark.filterwarnings("ignore:Duplicate values:UserWarning")
def test_local_outlier_factors_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X = lof_table(seed)
        k = 1 + seed % 5
        ours = LocalOutlierFactor(k).fit(X)
        reference = sklearn.neighbors.LocalOutlierFactor(k, algorithm="kd_tree").fit(X)
        if seed % 5 or k > 1:
            found, wanted = ours.negative_outlier_factor_, reference.negative_outlier_factor_
            np.testing.assert_allclose(found, wanted, rtol=1e-5, err_msg=f"seed {seed}")
        np.testing.assert_array_equal(ours.fit_predict(X), reference.fit_predict(X))


def loop_lof(X, k):
    """The plain loop, from the paper's definitions."""
    D = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    near = [sorted((j for j in range(len(X)) if j != i), key=lambda j: D[i, j])[:k] for i in range(len(X))]
    edge = [D[i, near[i][-1]] for i in range(len(X))]
    density = [1 / (np.mean([max(D[i, j], edge[j]) for j in near[i]]) + 1e-10) for i in range(len(X))]
    return [-np.mean([density[j] for j in near[i]]) / density[i] for i in range(len(X))]


def test_local_outlier_factors_equal_the_plain_loop_on_200_tiny_problems():
    for seed in range(1, 1000, 5):
        X = lof_table(seed)[:15]
        np.testing.assert_allclose(LocalOutlierFactor(3).fit(X).negative_outlier_factor_, loop_lof(X, 3), rtol=1e-6)


@given(seeds, st.sampled_from([0.25, 8.0]))
def test_local_outlier_factors_do_not_depend_on_row_order_unit_or_origin(seed, factor):
    X = np.random.default_rng(seed).normal(size=(20, 2))
    order = np.random.default_rng(seed).permutation(len(X))
    first = LocalOutlierFactor(4).fit(X).negative_outlier_factor_
    second = LocalOutlierFactor(4).fit(factor * X[order] + 3).negative_outlier_factor_
    np.testing.assert_allclose(first[order], second, rtol=1e-6)


# ---- t-SNE


def map_table(seed, n=14):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) + 4 * (np.arange(n) % 2)[:, None]
    if seed % 5 == 0:
        X[-2:] = X[:2]
    return X


def test_chances_equal_scikit_learns_on_200_tiny_problems():
    for seed in range(200):
        X = map_table(seed)
        D = ((X[:, None] - X) ** 2).sum(axis=2).astype(np.float32)
        wanted = squareform(_joint_probabilities(D, 4.0, 0))
        found = joint_chances(X, 4.0)
        apart = ~np.eye(len(X), dtype=bool)
        np.testing.assert_allclose(found[apart], wanted[apart], atol=2e-4, err_msg=f"seed {seed}")
        assert found.sum() == pytest.approx(1, abs=1e-5)


def loop_gradient(P, Y):
    """The plain loop, from the paper's formula."""
    n = len(Y)
    W = [[0 if i == j else 1 / (1 + ((Y[i] - Y[j]) ** 2).sum()) for j in range(n)] for i in range(n)]
    total = sum(map(sum, W))
    return np.array(
        [4 * sum((P[i, j] - W[i][j] / total) * W[i][j] * (Y[i] - Y[j]) for j in range(n)) for i in range(n)]
    )


def test_the_slope_equals_the_plain_loop_and_finite_differences_on_200_tiny_problems():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        P, Y = joint_chances(map_table(seed, 9), 3.0), rng.normal(size=(9, 2))
        slope = gradient(P.astype(float), Y, np.empty((9, 9)), np.empty((9, 9)))
        np.testing.assert_allclose(slope, loop_gradient(P, Y), atol=1e-6, err_msg=f"seed {seed}")
        step = np.zeros_like(Y)
        step[seed % 9, seed % 2] = 1e-5
        difference = (divergence(P, Y + step) - divergence(P, Y - step)) / 2e-5
        assert slope[seed % 9, seed % 2] == pytest.approx(difference, abs=1e-4)


def test_descent_equals_scikit_learns_step_by_step_on_200_tiny_problems():
    for seed in range(200):
        P, Y = joint_chances(map_table(seed, 9), 3.0).astype(float), np.random.default_rng(seed).normal(size=(9, 2))
        wanted, _, _ = _gradient_descent(
            _kl_divergence,
            Y.ravel().copy(),
            0,
            12,
            learning_rate=5.0,
            momentum=0.5,
            args=(squareform(P, checks=False), 1, 9, 2),
        )
        found = descend(P, Y, 12, 0.5, 5.0)
        np.testing.assert_allclose(found, wanted.reshape(9, 2), rtol=1e-4, atol=1e-4, err_msg=f"seed {seed}")


def test_maps_are_as_good_as_scikit_learns_over_200_tiny_problems(monkeypatch):
    monkeypatch.setattr(manifold, "EXAGGERATED", 60)
    monkeypatch.setattr(sklearn.manifold.TSNE, "_EXPLORATION_MAX_ITER", 60)
    ours, reference = [], []
    for seed in range(200):
        X = map_table(seed, 12)
        options = {"perplexity": 3.0, "max_iter": 250, "init": "pca", "random_state": seed, "learning_rate": 10.0}
        ours.append(TSNE(**options).fit(X).kl_divergence_)
        reference.append(sklearn.manifold.TSNE(method="exact", **options).fit(X).kl_divergence_)
    assert abs(np.median(ours) - np.median(reference)) < 0.02
    assert abs(np.mean(ours) - np.mean(reference)) < 0.05


def test_groups_stay_together():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 20)
    X = rng.normal(size=(60, 5)) + 8 * np.eye(5)[group]
    model = TSNE(perplexity=10, random_state=0)
    Y = model.fit_transform(X)
    near = ((Y[:, None] - Y) ** 2).sum(axis=2) + 1e9 * np.eye(60)
    assert (group[near.argmin(axis=1)] == group).mean() > 0.97
    assert Y.dtype == np.float32


@given(seeds)
def test_chances_do_not_depend_on_row_order_unit_or_origin(seed):
    X = map_table(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = joint_chances(X, 4.0), joint_chances(4 * X[order] + 2, 4.0)
    np.testing.assert_allclose(first[np.ix_(order, order)], second, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (TSNE(perplexity=5), r"perplexity \(5\) must be less than n_samples \(4\)"),
        (TSNE(perplexity=2, init="best"), "init must be 'pca' or 'random'"),
        (TSNE(perplexity=2, init=np.zeros((3, 2))), r"init must be .*shape \(samples 4, n_components 2\)"),
        (TSNE(perplexity=2, learning_rate="slow"), "learning_rate must be 'auto'"),
        (IsolationForest(contamination=0.7), r"contamination must be 'auto' or a number in \(0, 0.5\]; got 0.7"),
        (IsolationForest(max_samples=0), "max_samples must be an integer of at least 1"),
        (LocalOutlierFactor(0), "n_neighbors must be an integer of at least 1"),
    ],
)
def test_bad_parameters_are_refused_at_fit(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(np.eye(4))
