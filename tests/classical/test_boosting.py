"""Boosting equals scikit-learn's where nothing is random, equals the plain loop, and keeps its invariances."""

import numpy as np
import pytest
import sklearn.ensemble
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classical import (
    AdaBoostClassifier,
    DecisionTreeClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from mlcourse.classical.boosting import bin_edges, histograms, siblings

seeds = st.integers(0, 10_000)


def tiny(seed, classes=2, ties=True):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2 * classes, 30)), int(rng.integers(1, 4))
    X = rng.integers(0, 5, (n, d)).astype(float) if ties and seed % 4 == 0 else rng.normal(size=(n, d))
    y = rng.integers(0, classes, n)
    y[:classes] = np.arange(classes)
    if seed % 5 == 0:
        X[:, 0] = 1
    return X, y


# ---- AdaBoost


@pytest.mark.parametrize("classes", [2, 3])
def test_adaboost_equals_scikit_learn_with_the_same_trees_on_200_tiny_problems(classes):
    for seed in range(200):
        X, y = tiny(seed, classes)
        options = {"n_estimators": 3, "learning_rate": [0.5, 1.0][seed % 2]}
        ours = AdaBoostClassifier(**options).fit(X, y)
        tree = DecisionTreeClassifier(max_depth=1)
        try:
            reference = sklearn.ensemble.AdaBoostClassifier(tree, **options, random_state=0).fit(X, y)
        except ValueError:  # scikit-learn gives up where the first tree only guesses
            assert ours.estimator_errors_[0] >= 1 - 1 / classes - 1e-9
            continue
        m = len(ours.estimators_)
        np.testing.assert_allclose(
            ours.estimator_errors_, reference.estimator_errors_[:m], atol=1e-9, err_msg=f"seed {seed}"
        )
        better = ours.estimator_errors_ < 1 - 1 / classes - 1e-9  # than a guess, whose merit is nothing but rounding
        np.testing.assert_allclose(ours.estimator_weights_[better], reference.estimator_weights_[:m][better], atol=1e-9)
        np.testing.assert_allclose(
            ours.decision_function(X), reference.decision_function(X), atol=1e-9, err_msg=f"seed {seed}"
        )
        np.testing.assert_allclose(ours.predict_proba(X), reference.predict_proba(X), atol=1e-9)


def loop_adaboost(X, y, turns):
    """The plain loop, for two classes: find the best question by trying all, then weigh up the rows it gets wrong."""
    n, sign, total = len(X), np.where(y == 1, 1, -1), np.zeros(len(X))
    weight = np.full(n, 1 / n)
    for _ in range(turns):
        said = DecisionTreeClassifier(max_depth=1).fit(X, y, weight).predict(X)
        error = sum(w for w, a, b in zip(weight, said, y, strict=True) if a != b)
        if not 1e-12 < error < 0.5 - 1e-12:
            return None
        merit = np.log((1 - error) / error)
        total += merit * np.where(said == 1, 1, -1)
        weight = np.array([w * np.exp(merit) if a != b else w for w, a, b in zip(weight, said, y, strict=True)])
        weight /= weight.sum()
    return np.sign(total) * (sign != 0)


def test_adaboost_equals_the_plain_loop_on_200_tiny_problems():
    compared = 0
    for seed in range(200):
        X, y = tiny(seed)
        wanted = loop_adaboost(X, y, 4)
        if wanted is not None:
            found = AdaBoostClassifier(4).fit(X, y).decision_function(X)
            sure = abs(found) > 1e-9
            np.testing.assert_array_equal(np.sign(found)[sure], wanted[sure], err_msg=f"seed {seed}")
            compared += 1
    assert compared > 120


def test_adaboost_stops_when_nothing_is_wrong():
    model = AdaBoostClassifier(50).fit([[0.0], [1.0]], [0, 1])
    assert len(model.estimators_) == 1
    assert model.predict([[0.0], [1.0]]).tolist() == [0, 1]


# ---- gradient boosting


def reference_options(**options):
    return {"min_samples_leaf": 1, "max_leaf_nodes": None, "early_stopping": False} | options


def test_regression_equals_scikit_learns_histogram_boosting_on_200_tiny_problems():
    for seed in range(200):
        X, _ = tiny(seed, ties=False)
        y = np.random.default_rng(seed).normal(size=len(X))
        shared = {"learning_rate": 0.3, "max_depth": 2, "l2_regularization": [0.0, 1.0][seed % 2]}
        ours = GradientBoostingRegressor(5, **shared).fit(X, y)
        reference = sklearn.ensemble.HistGradientBoostingRegressor(**reference_options(max_iter=5, **shared)).fit(X, y)
        np.testing.assert_allclose(ours.predict(X), reference.predict(X), atol=1e-4, err_msg=f"seed {seed}")


@pytest.mark.parametrize("classes", [2, 3])
def test_classification_equals_scikit_learns_histogram_boosting_on_200_tiny_problems(classes):
    compared = 0
    for seed in range(300):
        X, y = tiny(seed, classes, ties=False)
        shared = {"learning_rate": 0.3, "max_depth": 2, "l2_regularization": 0.5}
        ours = GradientBoostingClassifier(3, **shared).fit(X, y).predict_proba(X)
        reference = sklearn.ensemble.HistGradientBoostingClassifier(**reference_options(max_iter=3, **shared)).fit(X, y)
        equal = np.allclose(ours, reference.predict_proba(X), atol=1e-4)
        compared += equal
        if not equal:  # only where cuts are equally good, and the first seen from another side is another one
            sides = -X, X[:, ::-1], -X[:, ::-1]
            again = [GradientBoostingClassifier(3, **shared).fit(side, y).predict_proba(side) for side in sides]
            assert not all(np.allclose(ours, other, atol=1e-4) for other in again), seed
        if compared == 200:
            return
    pytest.fail(f"only {compared} of 300 problems had no equally good cuts")


def loop_boosting(X, y, turns, rate, total, derivatives):
    """The plain loop: find the cut that lowers the quadratic most by trying all, and add a share of the leaves' best values."""
    for _ in range(turns):
        G, H = derivatives(total)
        best = 1e-9, None
        for f in range(X.shape[1]):
            for cut in np.unique(X[:, f])[:-1]:
                left = X[:, f] <= cut
                parts = [(G[side].sum(), H[side].sum()) for side in (left, ~left)]
                gain = sum(g**2 / h for g, h in parts) - G.sum() ** 2 / H.sum()
                if gain > best[0] * (1 + 1e-9) and min(h for _, h in parts) >= 1e-3:
                    best = gain, left
        left = best[1] if best[1] is not None else np.ones(len(y), bool)
        for side in (left, ~left):
            if side.any():
                total = total - rate * np.where(side, G[side].sum() / H[side].sum(), 0)
    return total


def test_regression_equals_the_plain_loop_on_200_tiny_problems():
    for seed in range(200):
        X, _ = tiny(seed)
        y = np.random.default_rng(seed).normal(size=len(X))
        found = GradientBoostingRegressor(4, learning_rate=0.5, max_depth=1).fit(X, y).predict(X)
        start = np.full(len(y), y.mean())
        wanted = loop_boosting(X, y, 4, 0.5, start, lambda total, y=y: (total - y, np.ones(len(y))))
        np.testing.assert_allclose(found, wanted, atol=1e-9, err_msg=f"seed {seed}")


def test_classification_equals_the_plain_loop_on_200_tiny_problems():
    def slope_and_curvature(total, y):
        P = 1 / (1 + np.exp(-total))
        return P - y, P * (1 - P)

    for seed in range(200):
        X, y = tiny(seed)
        found = GradientBoostingClassifier(4, learning_rate=0.5, max_depth=1).fit(X, y).decision_function(X)
        start = np.full(len(y), np.log(y.mean() / (1 - y.mean())))
        wanted = loop_boosting(X, y, 4, 0.5, start, lambda total, y=y: slope_and_curvature(total, y))
        np.testing.assert_allclose(found, wanted, atol=1e-9, err_msg=f"seed {seed}")


@given(seeds)
def test_the_loss_falls_with_every_tree(seed):
    X, y = tiny(seed)
    loss = []
    for trees in (1, 2, 4, 8):
        P = GradientBoostingClassifier(trees).fit(X, y).predict_proba(X)
        loss.append(-np.log(P[np.arange(len(y)), y]).mean())
    assert (np.diff(loss) < 1e-9).all()


@given(seeds)
def test_row_order_unit_origin_and_repetition_do_not_matter(seed):
    X, _ = tiny(seed, ties=False)
    y = np.random.default_rng(seed).normal(size=len(X))
    rows = np.random.default_rng(seed).permutation(np.tile(np.arange(len(X)), 2))
    model = GradientBoostingRegressor(5, max_depth=2)
    first, second = model.fit(X, y).predict(X), model.fit(4 * X[rows] + 8, y[rows] + 3).predict(4 * X + 8)
    np.testing.assert_allclose(first + 3, second, atol=1e-7)


def test_bins_hold_few_values_apart_and_many_by_quantiles():
    assert bin_edges(np.array([3.0, 1.0, 1.0, 2.0]), 8).tolist() == [1.5, 2.5]
    column = np.random.default_rng(0).normal(size=5000)
    edges = bin_edges(column, 16)
    counts = np.bincount(np.searchsorted(edges, column))
    assert len(counts) == 16
    assert np.ptp(counts) <= 2


def test_the_larger_sibling_is_the_rest():
    rng = np.random.default_rng(0)
    codes, child = rng.integers(0, 4, (3, 50)), rng.integers(0, 4, 50)
    slope, curvature = rng.normal(size=50), rng.random(50)
    wanted = histograms(codes, child, slope, curvature, 4, 4)
    parents = histograms(codes, child // 2, slope, curvature, 2, 4)
    small, mine = np.array([0, 1]), None
    mine = small[child // 2] == child % 2
    part = histograms(codes[:, mine], child[mine] // 2, slope[mine], curvature[mine], 2, 4)
    for whole, piece, both in zip(parents, part, wanted, strict=True):
        np.testing.assert_allclose(siblings(whole, piece, small), both, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (AdaBoostClassifier(0), "n_estimators must be an integer of at least 1; got 0"),
        (GradientBoostingClassifier(learning_rate=0), "learning_rate must be a positive number"),
        (GradientBoostingClassifier(max_bins=1), "max_bins must be an integer of at least 2"),
        (GradientBoostingRegressor(l2_regularization=-1), "l2_regularization must be a number from 0"),
    ],
)
def test_bad_parameters_are_refused_at_fit(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(np.eye(2), [0, 1])
